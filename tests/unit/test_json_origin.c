/* SPDX-License-Identifier: MIT */

/* On whose behalf, as the JSON line tells it: unit, container and pod of a control group. */

#include "record/json_origin.h"

#include "fixtures_deleter.h"

#define ID "4f1ec6e0f9f4b1a5c1f0d5a3e8b7a6958473625140392817065f4e3d2c1b0a99"

typedef struct Case {
        const char *cgroup;
        const char *container; /* id, or NULL: none */
        const char *runtime;
        const char *pod;
        const char *unit;
} Case;

static const Case cases[] = {
        {"/system.slice/cron.service", NULL, NULL, NULL, "cron.service"},
        {"/system.slice/docker-" ID ".scope", ID, "docker", NULL, "docker-" ID ".scope"},
        {"/machine.slice/libpod-" ID ".scope", ID, "podman", NULL, "libpod-" ID ".scope"},
        {"/machine.slice/machine-my\\x2dweb.scope/payload/system.slice/cron.service", "my-web",
         "systemd-nspawn", NULL, "machine-my\\x2dweb.scope"},
        {"/kubepods.slice/kubepods-burstable.slice/"
         "kubepods-burstable-pod0c7ba9de_4a3f_4d62_9f0c_6d2f4b1f5a11.slice/"
         "cri-containerd-" ID ".scope",
         ID, "containerd", "0c7ba9de-4a3f-4d62-9f0c-6d2f4b1f5a11", "cri-containerd-" ID ".scope"},
        {"/", NULL, NULL, NULL, NULL},
        {NULL, NULL, NULL, NULL, NULL},
};

/* The string at a path of keys, or NULL; "" where the keys before it exist and hold nothing. */
static const char *string_at(json_object *o, const char *const *keys) {
        for (; *keys; keys++)
                if (!json_object_object_get_ex(o, *keys, &o))
                        return NULL;
        return json_object_get_string(o);
}

static void expect(json_object *o, const char *const *keys, const char *wanted) {
        const char *got = string_at(o, keys);

        ck_assert_msg(wanted ? got && strcmp(got, wanted) == 0 : !got, "%s.%s is %s, wanted %s",
                      keys[0], keys[1], got ? got : "absent", wanted ? wanted : "absent");
}

static ProcessFacts *facts_in(const char *cgroup, const char *invocation_id) {
        ProcessFactsParts parts = fixture_parts();
        ProcessFacts *f;

        fixture_set_cgroup(&parts, cgroup);
        strncpy(parts.facts.invocation_id, invocation_id, sizeof(parts.facts.invocation_id) - 1);
        f = process_facts_new(&parts);
        ck_assert_ptr_nonnull(f);
        return f;
}

START_TEST(test_behalf) {
        const Case *c = &cases[_i];
        ProcessFacts *f = facts_in(c->cgroup, "");
        json_object *o = json_object_new_object();

        json_origin_add(o, f);
        expect(o, (const char *[]){"container", "id", NULL}, c->container);
        expect(o, (const char *[]){"container", "runtime", NULL}, c->runtime);
        expect(o, (const char *[]){"orchestrator", "resource", "id", NULL}, c->pod);
        expect(o, (const char *[]){"systemd", "unit", NULL}, c->unit);
        expect(o, (const char *[]){"systemd", "invocation_id", NULL}, NULL);
        /* Nothing to say: not a single empty object. */
        if (!c->cgroup || strcmp(c->cgroup, "/") == 0)
                ck_assert_int_eq(json_object_object_length(o), 0);

        json_object_put(o);
        process_facts_unref(f);
}
END_TEST

START_TEST(test_invocation_id) {
        ProcessFacts *f = facts_in("/system.slice/cron.service", "0123456789abcdef");
        json_object *o = json_object_new_object();

        json_origin_add(o, f);
        expect(o, (const char *[]){"systemd", "invocation_id", NULL}, "0123456789abcdef");
        json_object_put(o);
        process_facts_unref(f);
}
END_TEST

/* A template's name is systemctl's, an instance is a name of something else. */
START_TEST(test_template) {
        static const struct {
                const char *cgroup, *template, *instance, *raw;
        } units[] = {
                {"/system.slice/system-getty.slice/getty@tty1.service", "getty@.service", "tty1",
                 NULL},
                {"/system.slice/a\\x2db@c\\x2dd-e.service", "a\\x2db@.service", "c-d-e", NULL},
                {"/system.slice/_a@b.service", "a@.service", "b", NULL},
                {"/system.slice/a@b@c.service", "a@.service", "b@c", NULL},
                {"/system.slice/a@\\x1b\\xff.service", "a@.service", "\033\xef\xbf\xbd", "G/8="},
                {"/system.slice/a@\\x.service", "a@.service", "\\x", NULL},
                {"/user.slice/user-7.slice/user@7.service/app.slice/x@y.service", "user@.service",
                 "7", NULL},
                {"/system.slice/cron.service", NULL, NULL, NULL},
                {"/system.slice/a@.service", NULL, NULL, NULL},
                {"/a@b.slice", NULL, NULL, NULL},
                {"/", NULL, NULL, NULL},
                {NULL, NULL, NULL, NULL},
        };

        for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
                ProcessFacts *f = facts_in(units[i].cgroup, "");
                json_object *o = json_object_new_object();

                json_origin_add_template(o, f);
                expect(o, (const char *[]){"unit", "template", NULL}, units[i].template);
                expect(o, (const char *[]){"unit", "instance", NULL}, units[i].instance);
                expect(o, (const char *[]){"unit", "instance_raw", NULL}, units[i].raw);
                ck_assert_int_eq(json_object_object_length(o), units[i].template ? 1 : 0);
                json_object_put(o);
                process_facts_unref(f);
        }
}
END_TEST

int main(void) {
        TCase *tcase = tcase_create("json_origin");

        tcase_add_loop_test(tcase, test_behalf, 0, sizeof(cases) / sizeof(cases[0]));
        tcase_add_test(tcase, test_invocation_id);
        tcase_add_test(tcase, test_template);
        return unit_run("json_origin", tcase);
}
