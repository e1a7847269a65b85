/* SPDX-License-Identifier: MIT */

/* On whose behalf, for people: containers, units, by whom the work entered, the chain. */

#include "record/text_origin.h"

#include "fixtures_deleter.h"

#define ID "4f1ec6e0f9f4b1a5c1f0d5a3e8b7a6958473625140392817065f4e3d2c1b0a99"
#define I "                 "
#define MANAGER "/user.slice/user-1000.slice/user@1000.service"
#define POD "0c7ba9de_4a3f_4d62_9f0c_6d2f4b1f5a11"

static Buffer out, scratch;

static void expect(const Deleter *d, const char *expected) {
        const TextLine l = {.out = &out, .scratch = &scratch};

        buffer_clear(&out);
        text_origin_append(&l, d);
        ck_assert_str_eq(buffer_terminate(&out), expected);
}

static void expect_of(const ProcessFactsParts *parts, Attribution attribution,
                      const char *const *chain, const char *expected) {
        Deleter *d = fixture_deleter(1, attribution, 1, parts, chain);

        expect(d, expected);
        deleter_unref(d);
}

static const struct {
        const char *cgroup, *lines;
} groups[] = {
        {"/", ""},
        {NULL, ""},
        {"/system.slice/cron.service", I "in cron.service\n"},
        {"/system.slice/foo\\x2dbar.service", I "in foo-bar.service\n"},
        {"/system.slice/a\\x20b\\x1b.service", I "in $'a b\\e.service'\n"},
        {"/system.slice/a\\x.service", I "in 'a\\x.service'\n"},
        {"/system.slice/system-getty.slice/getty@tty1.service", I "in getty@tty1.service\n"},
        {"/user.slice/user-1000.slice/session-3.scope", I "in session 3, session-3.scope\n"},
        {MANAGER "/app.slice/app-x\\x2dy.service", I "in app-x-y.service of user@1000.service\n"},
        {"/system.slice/docker-" ID ".scope", I "in container 4f1ec6e0f9f4 (docker)\n"},
        {"/docker/" ID, I "in container 4f1ec6e0f9f4 (docker)\n"},
        {"/x/" ID, I "in container 4f1ec6e0f9f4\n"},
        {MANAGER "/user.slice/libpod-" ID ".scope",
         I "in container 4f1ec6e0f9f4 (podman)\n" I "in user@1000.service\n"},
        {"/machine.slice/machine-my\\x2dweb.scope", I "in container my-web (systemd-nspawn)\n"},
        {"/machine.slice/machine-a\\x1bb.scope", I "in container $'a\\eb' (systemd-nspawn)\n"},
        {"/machine.slice/machine-web.scope/docker/" ID,
         I "in container 4f1ec6e0f9f4 (docker)\n" I "in machine-web.scope\n"},
        {"/kubepods.slice/kubepods-pod" POD ".slice/cri-containerd-" ID ".scope",
         I "in container 4f1ec6e0f9f4 (containerd), pod 0c7ba9de-4a3f-4d62-9f0c-6d2f4b1f5a11\n"},
        {"/kubepods.slice/kubepods-pod" POD ".slice",
         I "in pod 0c7ba9de-4a3f-4d62-9f0c-6d2f4b1f5a11\n" I "in kubepods-pod" POD ".slice\n"},
};

START_TEST(test_group) {
        ProcessFactsParts parts = fixture_parts();

        fixture_set_cgroup(&parts, groups[_i].cgroup);
        expect_of(&parts, ATTRIBUTION_LIVE, NULL, groups[_i].lines);
}
END_TEST

/* Its pid in there is its own: a fork has its parent's facts. */
START_TEST(test_pid_namespace) {
        ProcessFactsParts parts = fixture_parts();

        fixture_set_cgroup(&parts, "/docker/" ID);
        parts.facts.is_in_pid_namespace = true;
        parts.facts.vpid = 7;
        expect_of(&parts, ATTRIBUTION_LIVE, NULL,
                  I "in container 4f1ec6e0f9f4 (docker), pid 7 there\n");
        expect_of(&parts, ATTRIBUTION_FORK, NULL, I "in container 4f1ec6e0f9f4 (docker)\n");
        fixture_set_cgroup(&parts, NULL);
        expect_of(&parts, ATTRIBUTION_EXEC, NULL, I "in a pid namespace of its own, pid 7 there\n");
        parts.facts.vpid = 0;
        expect_of(&parts, ATTRIBUTION_EXEC, NULL, I "in a pid namespace of its own\n");
}
END_TEST

START_TEST(test_entry) {
        static const struct {
                const char *const chain[5];
                int tty;
                const char *lines;
        } entries[] = {
                {{"sh", "cron", "systemd"},
                 0,
                 I "started by cron, as sh[100]\n" I "rm ← sh ← cron ← systemd\n"},
                {{"cron", "systemd"}, 0, I "started by cron\n" I "rm ← cron ← systemd\n"},
                {{"a b", "sshd", "sshd", "systemd"},
                 0,
                 I "started over ssh, as 'a b'[100]\n" I "rm ← 'a b' ← sshd ← sshd ← systemd\n"},
                {{"sh", "login", "systemd"},
                 0,
                 I "started at the console, as sh[100]\n" I "rm ← sh ← login ← systemd\n"},
                {{"sh", "init"}, 136 << 8, I "started at a terminal\n" I "rm ← sh ← init\n"},
                {{"sh", "init"}, 4 << 8 | 64, I "started at the console\n" I "rm ← sh ← init\n"},
                /* The unit and the chain say it. */
                {{"sh", "init"}, 0, I "rm ← sh ← init\n"},
        };
        ProcessFactsParts parts = fixture_parts();

        fixture_set_cgroup(&parts, NULL);
        parts.facts.tty = entries[_i].tty;
        expect_of(&parts, ATTRIBUTION_LIVE, entries[_i].chain, entries[_i].lines);
}
END_TEST

START_TEST(test_container_entry) {
        static const char *const chain[] = {"sh", "init", NULL};
        static const char *const contained[] = {"sh", "conmon", "init", NULL};
        ProcessFactsParts parts = fixture_parts();
        Deleter *d;

        /* What it is in is said once, and nothing when there is no more to say. */
        fixture_set_cgroup(&parts, NULL);
        parts.facts.is_in_pid_namespace = true;
        expect_of(&parts, ATTRIBUTION_LIVE, chain,
                  I "in a pid namespace of its own\n" I "rm ← sh ← init\n");
        d = fixture_deleter(1, ATTRIBUTION_LIVE, 1, &parts, contained);
        ((ProcessFacts *)d->ancestors[0].facts)->is_in_pid_namespace = true;
        expect(d, I "in a pid namespace of its own\n" I "started there, as sh[100]\n" I
                    "rm ← sh ← conmon ← init\n");
        deleter_unref(d);
}
END_TEST

/* Nothing but a pid: then nothing is said. */
START_TEST(test_unknown) {
        expect_of(NULL, ATTRIBUTION_PID_ONLY, NULL, "");
}
END_TEST

int main(void) {
        TCase *t = tcase_create("text_origin");

        tcase_add_loop_test(t, test_group, 0, sizeof(groups) / sizeof(groups[0]));
        tcase_add_test(t, test_pid_namespace);
        tcase_add_loop_test(t, test_entry, 0, 7);
        tcase_add_test(t, test_container_entry);
        tcase_add_test(t, test_unknown);
        return unit_run("text_origin", t);
}
