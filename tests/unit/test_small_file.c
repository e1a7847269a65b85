/* SPDX-License-Identifier: MIT */

/* Files that are what they should be, and others. */

#include "explain/small_file.h"

#include <sys/inotify.h>

#include "fixtures_explain.h"

START_TEST(test_read) {
        _cleanup_buffer_ Buffer b = {0};
        _cleanup_free_ char *large = calloc(1, 100001);

        tree_write("/a/b", "text\n");
        ck_assert_int_eq(small_file_read(tree_fd, "/a/b", 5, &b), 0);
        ck_assert_uint_eq(b.n_bytes, 5);
        ck_assert_str_eq(b.bytes, "text\n");
        ck_assert_int_eq(small_file_read(tree_fd, "/a/b", 4, &b), -EFBIG);
        memset(large, 'x', 100000);
        tree_write("/large", large);
        ck_assert_int_eq(small_file_read(tree_fd, "/large", 1 << 20, &b), 0);
        ck_assert_uint_eq(b.n_bytes, 100000);
        tree_write("/empty", "");
        ck_assert_int_eq(small_file_read(tree_fd, "/empty", 4, &b), 0);
        ck_assert_uint_eq(b.n_bytes, 0);
        ck_assert_int_eq(small_file_read(tree_fd, "/absent", 4, &b), -ENOENT);
        ck_assert_int_eq(small_file_read(tree_fd, "/a", 4, &b), -EINVAL);
        /* Nobody writes to it: it is not waited for. */
        ck_assert_int_eq(mkfifoat(tree_fd, "fifo", 0600), 0);
        ck_assert_int_eq(small_file_read(tree_fd, "/fifo", 4, &b), -EINVAL);
}
END_TEST

/* Opening would do something to a device: what is no file is not opened at all. */
START_TEST(test_not_opened) {
        char seen[4096] __attribute__((aligned(8))), path[300];
        int fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
        _cleanup_buffer_ Buffer b = {0};

        ck_assert_int_eq(mkfifoat(tree_fd, "fifo", 0600), 0);
        snprintf(path, sizeof(path), "%s/fifo", tree);
        ck_assert_int_ge(inotify_add_watch(fd, path, IN_OPEN), 0);
        ck_assert_int_eq(symlinkat("fifo", tree_fd, "link"), 0);
        ck_assert_int_eq(small_file_read(tree_fd, "/fifo", 4, &b), -EINVAL);
        ck_assert_int_eq(small_file_read(tree_fd, "/link", 4, &b), -EINVAL);
        ck_assert(read(fd, seen, sizeof(seen)) < 0 && errno == EAGAIN);
        ck_assert_int_eq(unlinkat(tree_fd, "link", 0), 0);
        /* As it does with a file. */
        ck_assert_int_eq(unlinkat(tree_fd, "fifo", 0), 0);
        tree_write("/file", "x");
        snprintf(path, sizeof(path), "%s/file", tree);
        while (read(fd, seen, sizeof(seen)) > 0)
                ;
        ck_assert_int_ge(inotify_add_watch(fd, path, IN_OPEN), 0);
        ck_assert_int_eq(small_file_read(tree_fd, "/file", 4, &b), 0);
        ck_assert_int_gt(read(fd, seen, sizeof(seen)), 0);
        close(fd);
}
END_TEST

START_TEST(test_list) {
        _cleanup_small_file_names_ SmallFileNames l = {0};
        char path[64];

        tree_write("/d/b", "");
        tree_write("/d/a", "");
        tree_write("/d/.hidden", "");
        ck_assert_int_eq(small_file_list(tree_fd, "/d", &l), 0);
        ck_assert_uint_eq(l.n, 2);
        ck_assert_str_eq(l.names[0], "a");
        ck_assert_str_eq(l.names[1], "b");
        small_file_names_done(&l);
        for (size_t i = 0; i < SMALL_FILE_NAMES_MAX + 10; i++) {
                snprintf(path, sizeof(path), "/many/%04zu", SMALL_FILE_NAMES_MAX + 9 - i);
                tree_write(path, "");
        }
        ck_assert_int_eq(small_file_list(tree_fd, "/many", &l), 0);
        ck_assert_uint_eq(l.n, SMALL_FILE_NAMES_MAX);
        for (size_t i = 0; i < l.n; i++) {
                snprintf(path, sizeof(path), "%04zu", i);
                ck_assert_str_eq(l.names[i], path);
        }
        small_file_names_done(&l);
        ck_assert_int_eq(small_file_list(tree_fd, "/absent", &l), -ENOENT);
}
END_TEST

START_TEST(test_user) {
        char *name = NULL;

        ck_assert_int_eq(small_file_user(tree_fd, 0, &name), -ENOENT);
        tree_write("/etc/passwd", "root:x:0:0::/:/bin/sh\nbroken\nempty:\nx::\nalice:x:1000:1::\n"
                                  "-:x:-1:1::\nlast:x:7");
        ck_assert_int_eq(small_file_user(tree_fd, 1000, &name), 0);
        ck_assert_str_eq(name, "alice");
        free(name);
        ck_assert_int_eq(small_file_user(tree_fd, 7, &name), 0);
        ck_assert_str_eq(name, "last");
        free(name);
        ck_assert_int_eq(small_file_user(tree_fd, 1, &name), -ENOENT);
        ck_assert_int_eq(small_file_user(tree_fd, (uid_t)-1, &name), -ENOENT);
}
END_TEST

int main(void) {
        TCase *t = tcase_create("small_file");

        tcase_add_checked_fixture(t, tree_setup, tree_teardown);
        tcase_add_test(t, test_read);
        tcase_add_test(t, test_not_opened);
        tcase_add_test(t, test_list);
        tcase_add_test(t, test_user);
        return unit_run("small_file", t);
}
