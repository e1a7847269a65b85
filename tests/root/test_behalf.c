/* SPDX-License-Identifier: MIT */

/*
 * On whose behalf a deletion was made: the unit, the container and the pod that the control group
 * names, in records and in text.
 */

#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "group.h"
#include "harness.h"
#include "record.h"
#include "scene.h"
#include "text.h"

#define ID "4f1ec6e0f9f4b1a5c1f0d5a3e8b7a6958473625140392817065f4e3d2c1b0a99"
#define POD "0c7ba9de-4a3f-4d62-9f0c-6d2f4b1f5a11"
#define SYSTEMD_POD "pod0c7ba9de_4a3f_4d62_9f0c_6d2f4b1f5a11"
#define USER "user.slice/user-1000.slice/"
#define INVOCATION "00112233445566778899aabbccddeeff"

/* Deletes a file by a short process, which is a child of the shell that these run. */
static const char script[] = "rm \"$0\"; :";

typedef struct Case {
        const char *group;
        const char *unit, *user_unit, *slice, *session, *invocation;
        const char *template, *instance;
        const char *container, *runtime, *pod;
} Case;

static const Case cases[] = {
        {.group = "system.slice/foo\\x2dbar.service",
         .unit = "foo\\x2dbar.service",
         .slice = "system.slice",
         .invocation = INVOCATION},
        {.group = "system.slice/system-getty.slice/getty@tty\\x2d7.service",
         .unit = "getty@tty\\x2d7.service",
         .slice = "system-getty.slice",
         .template = "getty@.service",
         .instance = "tty-7"},
        {.group = USER "user@1000.service/app.slice/x.service",
         .unit = "user@1000.service",
         .user_unit = "x.service",
         .slice = "user-1000.slice",
         .template = "user@.service",
         .instance = "1000"},
        {.group = USER "session-3.scope",
         .unit = "session-3.scope",
         .slice = "user-1000.slice",
         .session = "3"},
        {.group = "system.slice/docker-" ID ".scope",
         .unit = "docker-" ID ".scope",
         .slice = "system.slice",
         .container = ID,
         .runtime = "docker"},
        {.group = "kubepods.slice/kubepods-burstable.slice/kubepods-burstable-" SYSTEMD_POD
                  ".slice/cri-containerd-" ID ".scope",
         .unit = "cri-containerd-" ID ".scope",
         .slice = "kubepods-burstable-" SYSTEMD_POD ".slice",
         .container = ID,
         .runtime = "containerd",
         .pod = POD},
        {.group = "kubepods/besteffort/pod" POD "/crio-" ID,
         .slice = "whodunlink_behalf.slice",
         .container = ID,
         .runtime = "cri-o",
         .pod = POD},
        {.group = USER "user@1000.service/user.slice/libpod-" ID ".scope",
         .unit = "user@1000.service",
         .user_unit = "libpod-" ID ".scope",
         .slice = "user-1000.slice",
         .template = "user@.service",
         .instance = "1000",
         .container = ID,
         .runtime = "podman"},
        {.group = "machine.slice/machine-my\\x2dweb.scope",
         .unit = "machine-my\\x2dweb.scope",
         .slice = "machine.slice",
         .container = "my-web",
         .runtime = "systemd-nspawn"},
        {.group = "lxc.payload.web",
         .slice = "whodunlink_behalf.slice",
         .container = "web",
         .runtime = "lxc"},
};

#define N_CASES (sizeof(cases) / sizeof(*cases))

static void run_shell(const char *shell, const char *file) {
        execl(shell, shell, "-c", script, file, (char *)NULL);
        _exit(127);
}

/* Runs something in a child and waits for it. Return: its pid. */
static pid_t run(void (*function)(void *userdata), void *userdata) {
        pid_t pid = process_fork(function, userdata);

        ck_assert_int_eq(process_wait(pid, 60), 0);
        return pid;
}

/* As the system's manager leaves it there, in a /run of this test. */
static void make_invocation(void) {
        harness_assert(mount("run", "/run", "tmpfs", 0, "mode=0755") == 0, "/run: %m");
        harness_mkdir("/run/systemd");
        harness_mkdir("/run/systemd/units");
        harness_assert(symlink(INVOCATION, "/run/systemd/units/invocation:foo\\x2dbar.service") ==
                               0,
                       "symlink: %m");
}

typedef struct InGroup {
        const char *group, *file;
} InGroup;

static void shell_in_group(void *userdata) {
        const InGroup *g = userdata;

        group_enter(g->group);
        run_shell("/bin/sh", g->file);
}

static void check_group(const Scene *s, size_t i, const Case *c) {
        scene_assert_known(s, i, "systemd.unit", c->unit);
        scene_assert_known(s, i, "systemd.user_unit", c->user_unit);
        scene_assert_known(s, i, "systemd.slice", c->slice);
        scene_assert_known(s, i, "systemd.session", c->session);
        scene_assert_known(s, i, "systemd.invocation_id", c->invocation);
        scene_assert_known(s, i, "whodunlink.unit.template", c->template);
        scene_assert_known(s, i, "whodunlink.unit.instance", c->instance);
        scene_assert_known(s, i, "container.id", c->container);
        scene_assert_known(s, i, "container.runtime", c->runtime);
        scene_assert_known(s, i, "orchestrator.resource.id", c->pod);
}

/* To a process in a container, 0 may be somebody else: it has no name then. */
static void check_users(const Scene *s, size_t i, const Case *c) {
        const char *root = c->container ? NULL : "root";
        const char *message = record_string(s->records[i], "message");

        if (!record_get(s->records[i], "process.user") && harness_is_sanitized())
                return;
        scene_assert_string(s, i, "process.user.id", "0");
        scene_assert_string(s, i, "process.user.name", root);
        scene_assert_string(s, i, "process.group.name", root);
        scene_assert_string(s, i, "user.name", root);
        harness_assert(strstr(message, c->container ? ", uid 0 in a container) " : ", root) "),
                       "%s", message);
}

/* The rm is too short to be asked: what it is part of is what its parent is part of. */
START_TEST(groups) {
        Scene s = scene_prepare(N_CASES);

        make_invocation();
        scene_start(&s);
        for (size_t i = 0; i < N_CASES; i++) {
                InGroup g = {group_make(cases[i].group), s.files[i]};

                run(shell_in_group, &g);
        }
        scene_stop(&s);
        for (size_t i = 0; i < N_CASES; i++) {
                check_group(&s, i, &cases[i]);
                check_users(&s, i, &cases[i]);
        }
}
END_TEST

/* A copy of the shell by another name, as somebody who asks for it would take it. */
static char *shell_called(const char *name) {
        char *path = harness_path("%s", name);

        process_run(PROCESS_ARGS("cp", "/bin/sh", path));
        return path;
}

/* What people see of all this. */
START_TEST(text) {
        Filesystem fs = fs_new(FS_TMPFS, "fs");
        char *file = harness_format("%s/file", fs.path), *cron = shell_called("cron");
        InGroup docker = {group_make("system.slice/docker-" ID ".scope"), file};
        InGroup unit = {group_make("system.slice/foo\\x2dbar.service"), file};
        Monitor m = monitor_start_text(MONITOR_ARGS("--color=never", fs.path));
        _cleanup_free_ char *said = NULL;
        size_t n;

        harness_touch(file);
        run(shell_in_group, &docker);
        harness_touch(file);
        run(shell_in_group, &unit);
        harness_touch(file);
        process_run(PROCESS_ARGS(cron, "-c", "sh -c 'rm \"$0\"; :' \"$0\"; :", file));
        monitor_stop(&m);
        said = harness_read_file(m.output_path, &n);
        fprintf(stderr, "%s", said);
        text_assert_harmless(said, n);
        if (harness_is_sanitized())
                return;
        harness_assert(strstr(said, "as uid 0 (in a container)\n"), "%s", said);
        harness_assert(strstr(said, " in container 4f1ec6e0f9f4 (docker)\n"), "%s", said);
        harness_assert(strstr(said, " started there, as sh["), "%s", said);
        harness_assert(strstr(said, " in foo-bar.service\n"), "%s", said);
        harness_assert(strstr(said, " started by cron, as sh["), "%s", said);
        harness_assert(!strstr(said, ".scope\n"), "%s", said);
}
END_TEST

static void add_tests(TCase *tcase) {
        tcase_add_test(tcase, groups);
        tcase_add_test(tcase, text);
}

int main(void) {
        int status;

        group_remove_all();
        status = harness_main("behalf", add_tests);
        group_remove_all();
        return status;
}
