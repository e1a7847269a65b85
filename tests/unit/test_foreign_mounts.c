/* SPDX-License-Identifier: MIT */

/* What other namespaces have mounted that ours has not. */

#include "capture/foreign_mounts.h"

#include <string.h>

#include "base/cleanup.h"
#include "unit.h"

#define ROOT "1 0 8:1 / / rw - ext4 /dev/sda1 rw\n"
#define PROC "2 1 0:2 / /proc rw - proc proc rw\n"
#define OTHER_PROC "3 1 0:3 / /proc rw - proc proc rw\n"
#define TMP "4 1 0:4 / /tmp rw - tmpfs tmpfs rw\n"
#define PRIVATE "5 1 8:1 /tmp/private /tmp rw - ext4 /dev/sda1 rw\n"
#define OVERLAY "6 1 0:6 / / rw - overlay overlay rw\n"

static void add(ForeignMounts *f, const char *own_text, const char *other_text, pid_t pid,
                dev_t **seen, size_t *n_seen) {
        _cleanup_mount_table_ MountTable own = {0}, other = {0};

        ck_assert_int_eq(mount_table_parse(own_text, strlen(own_text), &own), 0);
        ck_assert_int_eq(mount_table_parse(other_text, strlen(other_text), &other), 0);
        ck_assert_int_eq(foreign_mounts_add(f, &own, &other, pid, seen, n_seen), 0);
}

START_TEST(test_add) {
        _cleanup_foreign_mounts_ ForeignMounts f = {0};
        _cleanup_free_ dev_t *seen = NULL;
        size_t n_seen = 0;

        /* A directory of ours elsewhere, and another proc: nothing that is not here. */
        add(&f, ROOT PROC, ROOT OTHER_PROC PRIVATE, 7, &seen, &n_seen);
        ck_assert_uint_eq(f.n_filesystems, 0);
        ck_assert_ptr_null(f.point);
        add(&f, ROOT PROC, ROOT TMP, 8, &seen, &n_seen);
        ck_assert_uint_eq(f.n_filesystems, 1);
        ck_assert_str_eq(f.point, "/tmp");
        ck_assert_str_eq(f.fstype, "tmpfs");
        ck_assert_int_eq(f.pid, 8);
        /* The same one in a third: once. */
        add(&f, ROOT PROC, OVERLAY TMP, 9, &seen, &n_seen);
        ck_assert_uint_eq(f.n_filesystems, 2);
        ck_assert_int_eq(f.pid, 8);
}
END_TEST

/* On whatever machine: our own namespace is never one of the others. */
START_TEST(test_find) {
        _cleanup_foreign_mounts_ ForeignMounts f = {0};
        _cleanup_mount_table_ MountTable own = {0};
        _cleanup_closedir_ DIR *d = opendir("/proc");

        ck_assert_ptr_nonnull(d);
        ck_assert_int_eq(mount_table_read(dirfd(d), &own), 0);
        ck_assert_int_eq(foreign_mounts_find(dirfd(d), &own, &f), 0);
        ck_assert_int_eq(f.n_filesystems > 0, f.point != NULL);
        ck_assert(f.n_filesystems == 0 || f.n_namespaces > 0);
}
END_TEST

int main(void) {
        TCase *tcase = tcase_create("foreign_mounts");

        tcase_add_test(tcase, test_add);
        tcase_add_test(tcase, test_find);
        return unit_run("foreign_mounts", tcase);
}
