/* SPDX-License-Identifier: MIT */

/* On whose behalf, as the JSON line tells it: unit, container and pod of a control group. */

#include <json-c/json.h>

#include "base/cleanup.h"
#include "fixtures_deleter.h"
#include "record/json_process.h"

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

START_TEST(test_behalf) {
        static const HostFacts host = {.boot_id = "00112233445566778899aabbccddeeff"};
        const Case *c = &cases[_i];
        ProcessFactsParts parts = fixture_parts();
        _cleanup_buffer_ Buffer text = {0};
        JsonProcess p = {0};
        UserNames *names;
        json_object *o;
        Deleter *d;

        fixture_set_cgroup(&parts, c->cgroup);
        d = fixture_deleter(1, ATTRIBUTION_EXEC, 1, &parts, NULL);
        ck_assert_int_eq(user_names_new(&names), 0);
        ck_assert_int_eq(json_process_render(&p, d, &host, names), 0);
        buffer_append_char(&text, '{');
        buffer_append(&text, p.members.bytes, p.members.n_bytes - 1);
        buffer_append_char(&text, '}');
        o = json_tokener_parse(buffer_terminate(&text));
        ck_assert_ptr_nonnull(o);

        expect(o, (const char *[]){"container", "id", NULL}, c->container);
        expect(o, (const char *[]){"container", "runtime", NULL}, c->runtime);
        expect(o, (const char *[]){"orchestrator", "resource", "id", NULL}, c->pod);
        expect(o, (const char *[]){"systemd", "unit", NULL}, c->unit);

        json_object_put(o);
        json_process_done(&p);
        user_names_free(names);
        deleter_unref(d);
}
END_TEST

int main(void) {
        TCase *tcase = tcase_create("json_process");

        tcase_add_loop_test(tcase, test_behalf, 0, sizeof(cases) / sizeof(cases[0]));
        return unit_run("json_process", tcase);
}
