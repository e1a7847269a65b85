/* SPDX-License-Identifier: MIT */

/* Links and attributes of a tree of our own. */

#include "identify/invocation.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "unit.h"

#define ID "0123456789abcdef0123456789abcdef"
#define USER_SLICE "/user.slice/user-1000.slice"
#define USER_GROUP USER_SLICE "/user@1000.service/app.slice/x.service"

static char root[] = "/tmp/unit_invocation.XXXXXX";
static int root_fd = -1;

/* Makes each directory of a path below the root. */
static void make_directories(const char *path) {
        char text[256];

        snprintf(text, sizeof(text), "%s", path);
        for (char *at = text; (at = strchr(at, '/')); *at++ = '/') {
                *at = '\0';
                if (*text)
                        (void)mkdirat(root_fd, text, 0700);
        }
        (void)mkdirat(root_fd, text, 0700);
}

static void setup(void) {
        strcpy(root + sizeof(root) - 7, "XXXXXX");
        ck_assert_ptr_nonnull(mkdtemp(root));
        root_fd = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        ck_assert_int_ge(root_fd, 0);
        make_directories("run/systemd/units");
}

static void teardown(void) {
        char command[64];

        close(root_fd);
        snprintf(command, sizeof(command), "rm -r %s", root);
        ck_assert_int_eq(system(command), 0);
}

static void put_link(const char *unit, const char *target) {
        char path[256];

        snprintf(path, sizeof(path), "run/systemd/units/invocation:%s", unit);
        ck_assert_int_eq(symlinkat(target, root_fd, path), 0);
}

static void put_attribute(const char *directory, const char *value) {
        _cleanup_close_ int fd = -1;

        make_directories(directory);
        fd = openat(root_fd, directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        ck_assert_int_ge(fd, 0);
        ck_assert_int_eq(fsetxattr(fd, "user.invocation_id", value, strlen(value), 0), 0);
}

static void expect(const char *cgroup, int result) {
        char id[INVOCATION_ID_BYTES] = "untouched";

        ck_assert_int_eq(invocation_read(root_fd, cgroup, id), result);
        ck_assert_str_eq(id, result == 0 ? ID : "untouched");
}

START_TEST(test_system_unit) {
        put_link("a.service", ID);
        put_link("b\\x2dc.service", ID);
        expect("/system.slice/a.service", 0);
        expect("/system.slice/a.service/below", 0);
        expect("/system.slice/b\\x2dc.service", 0);
        expect("/system.slice/other.service", -ENOENT);
        expect("/system.slice", -ENODATA);
        expect("/", -ENODATA);
        expect("", -ENODATA);
        ck_assert_int_eq(invocation_read(-1, "/a.service", (char[INVOCATION_ID_BYTES]){""}),
                         -EBADF);
}
END_TEST

static const char *const odd[] = {"",
                                  "0123456789abcdef0123456789abcde",
                                  ID "0",
                                  "/etc/shadow",
                                  "0123456789ABCDEF0123456789abcdef",
                                  "0123456789abcdef0123456789abcde/"};

START_TEST(test_odd) {
        if (*odd[_i]) {
                put_link("a.service", odd[_i]);
                expect("/system.slice/a.service", -EBADMSG);
        }
        put_attribute("sys/fs/cgroup" USER_GROUP, odd[_i]);
        expect(USER_GROUP, -EBADMSG);
}
END_TEST

START_TEST(test_user_unit) {
        static const char *const hierarchies[] = {"sys/fs/cgroup" USER_GROUP,
                                                  "sys/fs/cgroup/unified" USER_GROUP,
                                                  "sys/fs/cgroup/systemd" USER_GROUP};

        /* What the user could have put in the way is not asked. */
        put_link("x.service", ID);
        make_directories("run/user/1000/systemd/units");
        ck_assert_int_eq(symlinkat(ID, root_fd, "run/user/1000/systemd/units/invocation:x.service"),
                         0);
        expect(USER_GROUP, -ENOENT);
        make_directories(hierarchies[_i]);
        expect(USER_GROUP, -ENODATA);
        put_attribute(hierarchies[_i], ID);
        expect(USER_GROUP, 0);
        make_directories("sys/fs/cgroup" USER_GROUP "/below");
        if (_i == 0)
                expect(USER_GROUP "/below", 0);
        expect(USER_SLICE "/user@1000.service/app.slice/y.service", -ENOENT);
}
END_TEST

int main(void) {
        TCase *tcase = tcase_create("invocation");

        tcase_add_checked_fixture(tcase, setup, teardown);
        tcase_add_test(tcase, test_system_unit);
        tcase_add_loop_test(tcase, test_odd, 0, sizeof(odd) / sizeof(odd[0]));
        tcase_add_loop_test(tcase, test_user_unit, 0, 3);
        return unit_run("invocation", tcase);
}
