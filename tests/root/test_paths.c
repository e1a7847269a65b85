/* SPDX-License-Identifier: MIT */

/*
 * What a PATH on the command line means: files and directories, those that do not exist yet,
 * symlinks, several of them, whole components only. Very long paths are test_long_paths.c's.
 */

#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "filesystem.h"
#include "harness.h"
#include "truth.h"

static char *join(const char *dir, const char *name) {
        return harness_format("%s/%s", dir, name);
}

static void unlink_as(Truth *t, const char *path, const char *seen_as, const Process *own) {
        harness_unlink(path);
        if (t)
                truth_add(t, "unlink", seen_as, own);
}

static void rmdir_as(Truth *t, const char *path, const char *seen_as, const Process *own) {
        harness_assert(rmdir(path) == 0, "rmdir %s: %m", path);
        if (t)
                truth_add(t, "rmdir", seen_as, own)->type = "dir";
}

START_TEST(whole_components_only) {
        Filesystem fs = fs_new(FS_TMPFS, "fs");
        Process own = process_own_truth();
        _cleanup_truth_ Truth t = {.is_ordered = true};
        char *a = join(fs.path, "a"), *ab = join(fs.path, "ab"), *in_a = join(a, "x");
        char *in_ab = join(ab, "x"), *beside = join(fs.path, "x");
        Monitor m;

        harness_mkdir(a);
        harness_mkdir(ab);
        harness_touch(in_a);
        harness_touch(in_ab);
        harness_touch(beside);
        m = monitor_start(MONITOR_ARGS(a));
        unlink_as(NULL, in_ab, NULL, NULL);
        unlink_as(NULL, beside, NULL, NULL);
        unlink_as(&t, in_a, in_a, &own);
        rmdir_as(NULL, ab, NULL, NULL);
        rmdir_as(&t, a, a, &own);
        truth_check(&t, &m, 0);
}
END_TEST

/* A file: itself, and the removal of its directory; not its neighbours. */
START_TEST(a_file_and_its_directory) {
        Filesystem fs = fs_new(FS_TMPFS, "fs");
        Process own = process_own_truth();
        _cleanup_truth_ Truth t = {.is_ordered = true};
        char *dir = join(fs.path, "dir"), *file = join(dir, "file"), *other = join(dir, "file2");
        Monitor m;

        harness_mkdir(dir);
        harness_touch(file);
        harness_touch(other);
        m = monitor_start(MONITOR_ARGS(file));
        unlink_as(NULL, other, NULL, NULL);
        unlink_as(&t, file, file, &own);
        harness_touch(file);
        unlink_as(&t, file, file, &own);
        rmdir_as(&t, dir, dir, &own);
        truth_check(&t, &m, 0);
}
END_TEST

/* Comes, goes, comes again as something else. */
START_TEST(a_path_that_is_not_there_yet) {
        Filesystem fs = fs_new(FS_TMPFS, "fs");
        Process own = process_own_truth();
        _cleanup_truth_ Truth t = {.is_ordered = true};
        char *a = join(fs.path, "a"), *b = join(a, "b"), *c = join(b, "c"), *in = join(c, "x");
        char *other = join(b, "x");
        Monitor m = monitor_start(MONITOR_ARGS(c));

        harness_mkdir(a);
        harness_mkdir(b);
        harness_touch(other);
        unlink_as(NULL, other, NULL, NULL);
        harness_mkdir(c);
        harness_touch(in);
        unlink_as(&t, in, in, &own);
        rmdir_as(&t, c, c, &own);
        harness_touch(c);
        unlink_as(&t, c, c, &own);
        truth_check(&t, &m, 0);
}
END_TEST

/* PATH as people type it; records always have the absolute, real one. */
START_TEST(symlinks_dots_and_relative_paths) {
        static const char *const spellings[] = {"%s/link", "%s/link/", "%s/./real/../real//",
                                                "%s/link/../real/.", "./real"};
        Filesystem fs = fs_new(FS_TMPFS, "fs");
        Process own = process_own_truth();
        char *real = join(fs.path, "real"), *link = join(fs.path, "link");
        char *file = join(real, "x"), *spelling;
        _cleanup_truth_ Truth t = {0};
        Monitor m;

        harness_mkdir(real);
        ck_assert_int_eq(symlink("real", link), 0);
        ck_assert_int_eq(chdir(fs.path), 0);
        own.working_directory = NULL;
        spelling = strncmp(spellings[_i], "%s", 2) == 0 ? join(fs.path, spellings[_i] + 3)
                                                        : strdup(spellings[_i]);
        m = monitor_start(MONITOR_ARGS(spelling));
        ck_assert_int_eq(chdir("/"), 0);
        harness_touch(file);
        unlink_as(&t, file, file, &own);
        truth_check(&t, &m, 0);
}
END_TEST

/* Deleting through a symlink of the watched tree, or one that leads into it. */
START_TEST(deletion_through_a_symlink) {
        Filesystem fs = fs_new(FS_TMPFS, "fs");
        Process own = process_own_truth();
        _cleanup_truth_ Truth t = {.is_ordered = true};
        char *real = join(fs.path, "real"), *link = join(fs.path, "link");
        char *file = join(real, "x"), *through = join(link, "x");
        Monitor m;

        harness_mkdir(real);
        ck_assert_int_eq(symlink("real", link), 0);
        m = monitor_start(MONITOR_ARGS(real));
        harness_touch(file);
        unlink_as(&t, through, file, &own);
        unlink_as(NULL, link, NULL, NULL); /* the link lies outside */
        truth_check(&t, &m, 0);
}
END_TEST

START_TEST(several_paths) {
        Filesystem one = fs_new(FS_TMPFS, "one"), two = fs_new(FS_EXT4, "two");
        Process own = process_own_truth();
        _cleanup_truth_ Truth t = {0};
        char *a = join(one.path, "a"), *b = join(one.path, "b"), *a_in = join(a, "x");
        char *a_x = join(a, "x"), *b_x = join(b, "x"), *c_x = join(two.path, "x");
        char *no = join(one.path, "no");
        Monitor m;

        harness_mkdir(a);
        harness_mkdir(b);
        /* One of them twice, and one within another: still one record a deletion. */
        m = monitor_start(MONITOR_ARGS(a, b, two.path, a, a_in));
        harness_touch(a_x);
        harness_touch(b_x);
        harness_touch(c_x);
        harness_touch(no);
        unlink_as(&t, a_x, a_x, &own);
        unlink_as(&t, b_x, b_x, &own);
        unlink_as(&t, c_x, c_x, &own);
        unlink_as(NULL, no, NULL, NULL);
        truth_check(&t, &m, 0);
}
END_TEST

/*
 * A bind mount shows the same directory at two places. A deletion through either is the same
 * deletion; it must be reported once, under a path that is really its own.
 */
START_TEST(bind_mount) {
        Filesystem fs = fs_new(FS_TMPFS, "fs");
        Process own = process_own_truth();
        _cleanup_truth_ Truth t = {.is_ordered = true};
        char *real = join(fs.path, "real"), *bound = harness_path("bound");
        char *x = join(real, "x"), *y = join(real, "y"), *y_bound = join(bound, "y");
        Monitor m;

        harness_mkdir(real);
        harness_mkdir(bound);
        harness_assert(mount(real, bound, NULL, MS_BIND, NULL) == 0, "bind mount: %m");
        harness_touch(x);
        harness_touch(y);
        m = monitor_start(MONITOR_ARGS(real));
        unlink_as(&t, x, x, &own);
        unlink_as(&t, y_bound, y, &own);
        truth_check(&t, &m, 0);
}
END_TEST

/* The bind mount is what the user names: its own path is what the user expects to read. */
START_TEST(bind_mount_as_the_path) {
        Filesystem fs = fs_new(FS_TMPFS, "fs");
        Process own = process_own_truth();
        _cleanup_truth_ Truth t = {.is_ordered = true};
        char *real = join(fs.path, "real"), *bound = harness_path("bound");
        char *x = join(real, "x"), *x_bound = join(bound, "x"), *beside = join(fs.path, "z");
        char *y_bound = join(bound, "y");
        Monitor m;

        harness_mkdir(real);
        harness_mkdir(bound);
        harness_assert(mount(real, bound, NULL, MS_BIND, NULL) == 0, "bind mount: %m");
        harness_touch(x);
        harness_touch(y_bound);
        harness_touch(beside);
        m = monitor_start(MONITOR_ARGS(bound));
        unlink_as(&t, y_bound, y_bound, &own);
        unlink_as(&t, x, x_bound, &own);
        unlink_as(NULL, beside, NULL, NULL);
        truth_check(&t, &m, 0);
}
END_TEST

/* What is mounted stays what it is when its directory, or one above, is called otherwise. */
START_TEST(bind_mount_of_a_renamed_directory) {
        Filesystem fs = fs_new((FsKind)_i, "fs");
        Process own = process_own_truth();
        _cleanup_truth_ Truth t = {.is_ordered = true};
        char *up = join(fs.path, "up"), *real = join(up, "real"), *renamed = join(up, "renamed");
        char *down = join(fs.path, "down"), *last = join(down, "renamed");
        char *bound = harness_path("bound"), *x = join(bound, "x"), *in_real = join(real, "x");
        char *in_last = join(last, "x");
        Monitor m;

        harness_mkdir(up);
        harness_mkdir(real);
        harness_mkdir(bound);
        harness_assert(mount(real, bound, NULL, MS_BIND, NULL) == 0, "bind mount: %m");
        m = monitor_start(MONITOR_ARGS(bound));
        harness_touch(x);
        unlink_as(&t, x, x, &own);
        ck_assert_int_eq(rename(real, renamed), 0);
        harness_touch(x);
        unlink_as(&t, x, x, &own);
        /* Another of its former name. */
        harness_mkdir(real);
        harness_touch(in_real);
        unlink_as(NULL, in_real, NULL, NULL);
        ck_assert_int_eq(rename(up, down), 0);
        harness_touch(x);
        unlink_as(&t, x, x, &own);
        harness_touch(x);
        unlink_as(&t, in_last, x, &own);
        /* It is gone, and what comes to its name is not mounted. */
        ck_assert_int_eq(rmdir(last), 0);
        harness_mkdir(last);
        harness_touch(in_last);
        unlink_as(NULL, in_last, NULL, NULL);
        truth_check(&t, &m, 0);
}
END_TEST

/* The root of a filesystem, and a mount below the watched directory. */
START_TEST(a_mount_below_the_path) {
        Filesystem fs = fs_new(FS_TMPFS, "fs"), below;
        Process own = process_own_truth();
        _cleanup_truth_ Truth t = {0};
        char *x = join(fs.path, "x"), *y;
        Monitor m;

        below = fs_new(FS_TMPFS, "fs/below");
        y = join(below.path, "y");
        harness_touch(x);
        harness_touch(y);
        m = monitor_start(MONITOR_ARGS(fs.path));
        unlink_as(&t, x, x, &own);
        unlink_as(&t, y, y, &own);
        truth_check(&t, &m, 0);
}
END_TEST

/* `whodunlink PATH` is short for `whodunlink watch PATH`. */
START_TEST(the_short_form) {
        Filesystem fs = fs_new(FS_TMPFS, "fs");
        Process own = process_own_truth();
        _cleanup_truth_ Truth t = {0};
        char *x = join(fs.path, "x");
        Monitor m = monitor_spawn(MONITOR_ARGS(fs.path)); /* no terminal: JSON by itself */

        monitor_wait_for_output(&m, "\"action\":\"start\"", MONITOR_TIMEOUT_SEC);
        harness_touch(x);
        unlink_as(&t, x, x, &own);
        truth_check(&t, &m, 0);
}
END_TEST

static void add_tests(TCase *tcase) {
        tcase_add_test(tcase, whole_components_only);
        tcase_add_test(tcase, a_file_and_its_directory);
        tcase_add_test(tcase, a_path_that_is_not_there_yet);
        tcase_add_loop_test(tcase, symlinks_dots_and_relative_paths, 0, 5);
        tcase_add_test(tcase, deletion_through_a_symlink);
        tcase_add_test(tcase, several_paths);
        tcase_add_test(tcase, bind_mount);
        tcase_add_test(tcase, bind_mount_as_the_path);
        tcase_add_loop_test(tcase, bind_mount_of_a_renamed_directory, 0, FS_KINDS);
        tcase_add_test(tcase, a_mount_below_the_path);
        tcase_add_test(tcase, the_short_form);
}

int main(void) {
        return harness_main("paths", add_tests);
}
