/* SPDX-License-Identifier: MIT */

/* Which line of /proc/PID/cgroup counts, and which units a path names. */

#include <errno.h>
#include <string.h>

#include "base/cleanup.h"
#include "identify/cgroup.h"
#include "unit.h"

static const struct {
        const char *text;
        int r;
        const char *path;
} texts[] = {
        {"0::/system.slice/cron.service\n", 0, "/system.slice/cron.service"},
        {"0::/\n", 0, "/"},
        {"0::/../../a\n", 0, "/../../a"},
        {"9:name=systemd:/\n8:pids:/p\n4:memory:/process_api/996d\n0::/u\n", 0, "/u"},
        {"9:name=systemd:/\n8:pids:/p\n", 0, "/"},
        {"1:name=systemd:/s\n0::/\n", 0, "/s"},
        {"0::/u\n1:name=systemd:/s\n", 0, "/s"},
        {"12:cpu,cpuacct:/a\n1:name=systemd:/user.slice/x:y\n", 0, "/user.slice/x:y"},
        {"0::/system.slice/a.service (deleted)\n", 0, "/system.slice/a.service"},
        {"0::/ (deleted)\n", 0, "/"},
        {"3:name=elogind:/1\n2:net_cls:/\n", -ENODATA, NULL},
        {"3:name=systemd2:/1\n", -ENODATA, NULL},
        {"00::/x\n", -ENODATA, NULL},
        {"0:cpu:/x\n", -ENODATA, NULL},
        {"", -ENODATA, NULL},
        {"\n", -EBADMSG, NULL},
        {"0::/a", -EBADMSG, NULL},
        {"0::/a\n1:cpu:/b", -EBADMSG, NULL},
        {"0::\n", -EBADMSG, NULL},
        {"0::a\n", -EBADMSG, NULL},
        {"0:/a\n", -EBADMSG, NULL},
        {"::/a\n", -EBADMSG, NULL},
        {"x::/a\n", -EBADMSG, NULL},
        {"0::/a\n\n", -EBADMSG, NULL},
};

static const struct {
        const char *path;
        const char *unit, *user_unit, *slice, *session;
} paths[] = {
        {"/", NULL, NULL, NULL, NULL},
        {"", NULL, NULL, NULL, NULL},
        {"/init.scope", "init.scope", NULL, NULL, NULL},
        {"/system.slice", NULL, NULL, "system.slice", NULL},
        {"/system.slice/cron.service", "cron.service", NULL, "system.slice", NULL},
        {"//system.slice//cron.service/", "cron.service", NULL, "system.slice", NULL},
        {"/system.slice/system-getty.slice/getty@tty1.service", "getty@tty1.service", NULL,
         "system-getty.slice", NULL},
        {"/system.slice/dev-hugepages.mount", "dev-hugepages.mount", NULL, "system.slice", NULL},
        {"/system.slice/dev-disk-by\\x2duuid-1.swap", "dev-disk-by\\x2duuid-1.swap", NULL,
         "system.slice", NULL},
        {"/user.slice/user-1000.slice/session-3.scope", "session-3.scope", NULL, "user-1000.slice",
         "3"},
        {"/user.slice/user-0.slice/session-c1.scope/x", "session-c1.scope", NULL, "user-0.slice",
         "c1"},
        {"/user.slice/session-.scope", "session-.scope", NULL, "user.slice", NULL},
        {"/user.slice/session-a-b.scope", "session-a-b.scope", NULL, "user.slice", NULL},
        {"/user.slice/user-1000.slice/user@1000.service", "user@1000.service", NULL,
         "user-1000.slice", NULL},
        {"/user.slice/user-1000.slice/user@1000.service/init.scope", "user@1000.service",
         "init.scope", "user-1000.slice", NULL},
        {"/user.slice/user-1000.slice/user@1000.service/app.slice/app-x.slice/foo.service/"
         "sub.scope",
         "user@1000.service", "foo.service", "user-1000.slice", NULL},
        {"/user.slice/user@x.service/foo.service", "user@x.service", NULL, "user.slice", NULL},
        {"/user.slice/user@.service/foo.service", "user@.service", NULL, "user.slice", NULL},
        {"/user.slice/user@1.service/session-9.scope", "user@1.service", "session-9.scope",
         "user.slice", NULL},
        {"/machine.slice/systemd-nspawn@web.service/payload/user.slice/user@7.service/x.service",
         "systemd-nspawn@web.service", NULL, "machine.slice", NULL},
        {"/kubepods.slice/kubepods-pod1.slice/cri-containerd-12ab.scope",
         "cri-containerd-12ab.scope", NULL, "kubepods-pod1.slice", NULL},
        {"/docker/12ab34cd", NULL, NULL, NULL, NULL},
        {"/lxc/web/system.slice/a.service", "a.service", NULL, "system.slice", NULL},
        {"/../system.slice/a.service", "a.service", NULL, "system.slice", NULL},
        {"/system.slice/_cpu.service", "cpu.service", NULL, "system.slice", NULL},
        {"/_system.slice/__x.service", "_x.service", NULL, "system.slice", NULL},
        {"/system.slice/_/a.service", "a.service", NULL, "system.slice", NULL},
        {"/system.slice/.service", NULL, NULL, "system.slice", NULL},
        {"/system.slice/@.service", NULL, NULL, "system.slice", NULL},
        {"/system.slice/\033[31m.service", NULL, NULL, "system.slice", NULL},
        {"/system.slice/a b.service", NULL, NULL, "system.slice", NULL},
        {"/system.slice/a.timer", NULL, NULL, "system.slice", NULL},
        {"/system.slice/a.service.d", NULL, NULL, "system.slice", NULL},
        {"/user.slice/user@1.service/\xff.service/b.service", "user@1.service", "b.service",
         "user.slice", NULL},
};

#define N(x) ((int)(sizeof(x) / sizeof((x)[0])))

/* Of exactly that size, so that a sanitizer sees a read past the end. */
static char *copy_bytes(const char *text, size_t n_bytes) {
        char *copy = malloc(n_bytes);

        ck_assert_ptr_nonnull(copy);
        memcpy(copy, text, n_bytes);
        return copy;
}

static void check_span(const char *at, size_t n, const char *expected) {
        if (!expected) {
                ck_assert_ptr_null(at);
                ck_assert_uint_eq(n, 0);
                return;
        }
        ck_assert_ptr_nonnull(at);
        ck_assert_uint_eq(n, strlen(expected));
        ck_assert_mem_eq(at, expected, n);
}

START_TEST(test_path) {
        size_t n_bytes = strlen(texts[_i].text), n_path = 4711;
        _cleanup_free_ char *copy = copy_bytes(texts[_i].text, n_bytes);
        const char *path = NULL;

        ck_assert_int_eq(cgroup_path_parse(copy, n_bytes, &path, &n_path), texts[_i].r);
        if (texts[_i].r < 0)
                ck_assert_uint_eq(n_path, 4711);
        else
                check_span(path, n_path, texts[_i].path);
}
END_TEST

/* Cut anywhere but behind a line, it must not name another group. */
START_TEST(test_path_truncated) {
        static const char text[] = "8:pids:/p\n1:name=systemd:/system.slice/a.service\n0::/u\n";

        for (size_t n = 1; n < sizeof(text); n++) {
                _cleanup_free_ char *copy = copy_bytes(text, n);
                size_t n_path;
                const char *path;
                int r = cgroup_path_parse(copy, n, &path, &n_path);

                if (text[n - 1] != '\n')
                        ck_assert_int_eq(r, -EBADMSG);
                else if (n == 10)
                        ck_assert_int_eq(r, -ENODATA);
                else
                        check_span(path, n_path, "/system.slice/a.service");
        }
}
END_TEST

START_TEST(test_units) {
        size_t n_bytes = strlen(paths[_i].path);
        _cleanup_free_ char *copy = copy_bytes(paths[_i].path, n_bytes);
        CgroupUnits u;

        cgroup_units_parse(copy, n_bytes, &u);
        check_span(u.unit, u.n_unit, paths[_i].unit);
        check_span(u.user_unit, u.n_user_unit, paths[_i].user_unit);
        check_span(u.slice, u.n_slice, paths[_i].slice);
        check_span(u.session, u.n_session, paths[_i].session);
}
END_TEST

/* systemd names no unit with more than 255 bytes. */
START_TEST(test_long_name) {
        char path[] = "/................................................................"
                      "................................................................"
                      "................................................................"
                      "................................................................";
        CgroupUnits u;

        memcpy(path + sizeof(path) - 1 - 8, ".service", 8);
        cgroup_units_parse(path, sizeof(path) - 1, &u);
        ck_assert_ptr_null(u.unit);
        cgroup_units_parse(path + 2, sizeof(path) - 3, &u);
        ck_assert_uint_eq(u.n_unit, 255);
}
END_TEST

START_TEST(test_managers) {
        ck_assert(cgroup_is_managers("/init.scope"));
        ck_assert(cgroup_is_managers("/user.slice/user-7.slice/user@7.service/init.scope"));
        ck_assert(!cgroup_is_managers("/"));
        ck_assert(!cgroup_is_managers("/xinit.scope"));
        ck_assert(!cgroup_is_managers("/init.scope/x.service"));
        ck_assert(!cgroup_is_managers("/system.slice/cron.service"));
}
END_TEST

int main(void) {
        TCase *t = tcase_create("cgroup");

        tcase_add_loop_test(t, test_path, 0, N(texts));
        tcase_add_test(t, test_path_truncated);
        tcase_add_loop_test(t, test_units, 0, N(paths));
        tcase_add_test(t, test_long_name);
        tcase_add_test(t, test_managers);
        return unit_run("cgroup", t);
}
