/* SPDX-License-Identifier: MIT */

/*
 * Filesystems that are watched directory by directory: by themselves where they cannot be marked as
 * a whole, the others by --marks=directories. What is told must be the same.
 */

#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "filesystem.h"
#include "harness.h"
#include "record.h"
#include "tree.h"
#include "truth.h"

/* A new directory is marked within this time. */
#define SETTLE_SEC 0.3

static char *join(const char *dir, const char *name) {
        return harness_format("%s/%s", dir, name);
}

static char *make_dir(const char *dir, const char *name) {
        char *path = join(dir, name);

        harness_mkdir(path);
        return path;
}

static Monitor start(const char *path) {
        return monitor_start(MONITOR_ARGS("--marks=directories", path));
}

/* Makes and deletes a file. */
static void delete_in(const char *dir, const char *name, Truth *t, const Process *own) {
        _cleanup_free_ char *path = join(dir, name);

        harness_touch(path);
        harness_unlink(path);
        if (t)
                truth_add(t, "unlink", path, own);
}

static void rmdir_as(const char *path, Truth *t, const Process *own) {
        harness_assert(rmdir(path) == 0, "rmdir %s: %m", path);
        if (t)
                truth_add(t, "rmdir", path, own)->type = "dir";
}

static void move(const char *from, const char *to, Truth *t, const Process *own) {
        harness_assert(rename(from, to) == 0, "rename %s %s: %m", from, to);
        if (t)
                truth_add_move(t, from, to, own);
}

static void assert_says(const Monitor *m, const char *text) {
        _cleanup_free_ char *errors = monitor_errors(m);

        harness_assert(strstr(errors, text), "no \"%s\" in: %s", text, errors);
}

START_TEST(a_tree_is_removed) {
        Filesystem fs = fs_new((FsKind)_i, "fs");
        _cleanup_truth_ Truth t = {0};
        Process rm;
        char *top = join(fs.path, "top");
        const char *const args[] = {"rm", "-rf", top, NULL};
        Monitor m;

        rm = process_child_truth(args);
        tree_make(top, 60, 600, &t, &rm);
        m = start(fs.path);
        /* With the root; mkfs.ext4 makes lost+found. */
        assert_says(&m, _i == FS_EXT4 ? ": its 63 directories one by one"
                                      : ": its 62 directories one by one");
        rm.pid = process_run(args);
        truth_check(&t, &m, 0);
}
END_TEST

/* Directories that come, are moved and go while they are watched. */
START_TEST(directories_come_and_go) {
        Filesystem fs = fs_new((FsKind)_i, "fs");
        Process own = process_own_truth();
        _cleanup_truth_ Truth t = {.is_ordered = true};
        char *old = make_dir(fs.path, "old"), *in_old = make_dir(old, "in");
        char *fresh, *in_fresh, *moved = join(fs.path, "moved"), *in_moved = join(moved, "in");
        char *again = join(in_old, "again"), *in_again = join(again, "in");
        Monitor m = start(fs.path);

        fresh = make_dir(fs.path, "fresh");
        in_fresh = make_dir(fresh, "in");
        harness_sleep(SETTLE_SEC);
        delete_in(in_fresh, "a", &t, &own);
        move(fresh, moved, &t, &own);
        delete_in(in_moved, "b", &t, &own);
        move(moved, again, &t, &own);
        delete_in(in_again, "c", &t, &own);
        rmdir_as(in_again, &t, &own);
        rmdir_as(again, &t, &own);
        /* The same names once more are other directories. */
        harness_mkdir(again);
        harness_mkdir(in_again);
        harness_sleep(SETTLE_SEC);
        delete_in(in_again, "d", &t, &own);
        rmdir_as(in_again, &t, &own);
        rmdir_as(again, &t, &own);
        rmdir_as(in_old, &t, &own);
        rmdir_as(old, &t, &own);
        truth_check(&t, &m, 0);
}
END_TEST

/* Into what is watched, out of it, and back: each with all that is below. */
START_TEST(moved_in_and_out) {
        Filesystem fs = fs_new((FsKind)_i, "fs");
        Process own = process_own_truth();
        _cleanup_truth_ Truth t = {.is_ordered = true};
        char *watched = make_dir(fs.path, "watched"), *outside = make_dir(fs.path, "outside");
        char *out = make_dir(outside, "x"), *in = join(watched, "x"), *below = join(in, "a/b");
        char *out_a = make_dir(out, "a"), *out_b = make_dir(out_a, "b"), *late, *in_late;
        Monitor m;

        m = start(watched);
        delete_in(out_b, "unseen", NULL, NULL);
        harness_assert(rename(out, in) == 0, "rename: %m");
        /* Nothing is marked in "outside", so that it is not known where it came from. */
        harness_sleep(SETTLE_SEC);
        delete_in(below, "seen", &t, &own);
        harness_assert(rename(in, out) == 0, "rename: %m");
        truth_add_move(&t, in, "", &own)->target = NULL;
        delete_in(out_b, "unseen", NULL, NULL);
        late = make_dir(out_b, "late");
        delete_in(late, "unseen", NULL, NULL);
        harness_assert(rename(out, in) == 0, "rename: %m");
        in_late = join(below, "late");
        harness_sleep(SETTLE_SEC);
        delete_in(below, "seen-again", &t, &own);
        delete_in(in_late, "seen-again", &t, &own);
        rmdir_as(in_late, &t, &own);
        rmdir_as(below, &t, &own);
        monitor_stop(&m);
        /* The two moves in are records without the old place; they are looked at below. */
        {
                _cleanup_reader_ RecordReader r = record_reader_new(m.output_path);
                struct json_object *record;
                size_t n_moves = 0, n = 0;

                while ((record = record_next_deletion(&r))) {
                        const char *path = record_string(record, "file.path");

                        n++;
                        n_moves += strcmp(record_string(record, "event.action"), "move") == 0;
                        harness_assert(!path || !strstr(path, "unseen"), "%s", path);
                }
                ck_assert_uint_eq(n_moves, 3);
                ck_assert_uint_eq(n, 3 + 5);
        }
}
END_TEST

/* A target that is a file, one that is not there yet, one whose directory is moved away. */
START_TEST(other_targets) {
        Filesystem fs = fs_new((FsKind)_i, "fs");
        Process own = process_own_truth();
        _cleanup_truth_ Truth t = {.is_ordered = true};
        char *dir = make_dir(fs.path, "dir"), *file = join(dir, "file");
        char *above = make_dir(fs.path, "above"), *later = join(above, "b/later"), *b, *in, *gone;
        Monitor m;

        harness_touch(file);
        m = monitor_start(MONITOR_ARGS("--marks=directories", file, later));
        delete_in(dir, "other", NULL, NULL);
        harness_unlink(file);
        truth_add(&t, "unlink", file, &own);
        rmdir_as(dir, &t, &own);
        b = make_dir(above, "b");
        delete_in(b, "other", NULL, NULL);
        harness_mkdir(later);
        in = make_dir(later, "in");
        harness_sleep(SETTLE_SEC);
        delete_in(in, "x", &t, &own);
        gone = join(fs.path, "gone");
        move(above, gone, &t, &own);
        truth_check(&t, &m, 0);
}
END_TEST

enum {
        NAME_BYTES = 250,
        DEPTH = 3 * PATH_MAX / NAME_BYTES
};

/* Makes and enters a chain of directories. Return: descriptor of the deepest. */
static int descend(const char *top, char **ret_path) {
        _cleanup_free_ char *name = calloc(1, NAME_BYTES + 1);
        int fd = open(top, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        char *path = strdup(top);

        for (size_t i = 0; i < DEPTH; i++) {
                char *longer;
                int next;

                memset(name, 'a' + (int)(i % 26), NAME_BYTES);
                ck_assert_int_eq(mkdirat(fd, name, 0777), 0);
                next = openat(fd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
                ck_assert_int_ge(next, 0);
                close(fd);
                fd = next;
                longer = join(path, name);
                free(path);
                path = longer;
        }
        *ret_path = path;
        return fd;
}

/* Deeper than any path can say. Not on bindfs, whose server knows paths only. */
START_TEST(deep_directories) {
        Filesystem fs = fs_new((FsKind)_i, "fs");
        Process own = process_own_truth();
        _cleanup_truth_ Truth t = {0};
        _cleanup_free_ char *path = NULL, *file = NULL, *in_new = NULL;
        _cleanup_close_ int fd = -1;
        Monitor m;

        fd = descend(fs.path, &path);
        m = start(fs.path);
        own.working_directory = NULL;
        file = join(path, "file");
        close(openat(fd, "file", O_CREAT | O_WRONLY | O_CLOEXEC, 0666));
        ck_assert_int_eq(unlinkat(fd, "file", 0), 0);
        truth_add(&t, "unlink", file, &own);
        ck_assert_int_eq(mkdirat(fd, "new", 0777), 0);
        harness_sleep(SETTLE_SEC);
        close(openat(fd, "new/file", O_CREAT | O_WRONLY | O_CLOEXEC, 0666));
        ck_assert_int_eq(unlinkat(fd, "new/file", 0), 0);
        in_new = join(path, "new/file");
        truth_add(&t, "unlink", in_new, &own);
        truth_check(&t, &m, 0);
}
END_TEST

/* What is mounted while the watch runs is walked through beside the events of the others. */
START_TEST(mounted_while_running) {
        Filesystem fs = fs_new(FS_TMPFS, "fs"), overlay;
        Process own = process_own_truth();
        _cleanup_truth_ Truth t = {0};
        char *point = make_dir(fs.path, "point"), *inside, *deep;
        Monitor m = monitor_start(MONITOR_ARGS(fs.path));

        overlay = fs_new(FS_OVERLAY, "elsewhere");
        ck_assert_int_eq(mount(overlay.path, point, NULL, MS_MOVE, NULL), 0);
        monitor_wait_for_output(&m, "one by one", 10);
        inside = make_dir(point, "inside");
        deep = make_dir(inside, "deep");
        harness_sleep(SETTLE_SEC);
        delete_in(deep, "x", &t, &own);
        ck_assert_int_eq(umount2(point, 0), 0);
        monitor_wait_for_output(&m, "it was unmounted", 10);
        truth_check(&t, &m, 0);
}
END_TEST

/* A subvolume of btrfs cannot be marked beside its parent: that it is left out is said. */
START_TEST(what_cannot_be_marked_is_told) {
        Filesystem fs = fs_new(FS_BTRFS, "fs");
        char *subvolume = join(fs.path, "subvolume");
        Monitor m;

        process_run(PROCESS_ARGS("btrfs", "-q", "subvolume", "create", subvolume));
        m = start(fs.path);
        assert_says(&m, "1 directories could not be marked or listed, the first one /subvolume");
        monitor_stop(&m);
        ck_assert_uint_eq(record_count_status(m.output_path, "coverage"), 2);
}
END_TEST

START_TEST(one_mark_or_none) {
        Filesystem fs = fs_new(FS_OVERLAY, "fs");
        Monitor m = monitor_spawn(MONITOR_ARGS("watch", "--marks=filesystem", fs.path));

        ck_assert_int_eq(monitor_wait(&m, 10), 1);
        assert_says(&m, "EOPNOTSUPP");
}
END_TEST

/* A mount that shows a part of its filesystem, of which the rest is mounted nowhere. */
START_TEST(a_part_of_a_filesystem) {
        static const char *const marks[] = {"--marks=auto", "--marks=directories"};
        Filesystem fs = fs_new(FS_TMPFS, "fs");
        Process own = process_own_truth();
        _cleanup_truth_ Truth t = {.is_ordered = true};
        char *a = make_dir(fs.path, "a"), *part = make_dir(a, "part");
        char *shown = harness_path("shown"), *in, *fresh;
        Monitor m;

        harness_mkdir(shown);
        ck_assert_int_eq(mount(part, shown, NULL, MS_BIND, NULL), 0);
        ck_assert_int_eq(umount2(fs.path, 0), 0);
        in = make_dir(shown, "in");
        m = monitor_start(MONITOR_ARGS(marks[_i], shown));
        delete_in(shown, "x", &t, &own);
        delete_in(in, "x", &t, &own);
        fresh = make_dir(in, "fresh");
        harness_sleep(SETTLE_SEC);
        delete_in(fresh, "x", &t, &own);
        rmdir_as(fresh, &t, &own);
        truth_check(&t, &m, 0);
}
END_TEST

/*
 * Of a filesystem that is mounted where nobody asked for it, a directory deep down is mounted, too,
 * where it is asked for: before the watch begins or later.
 */
START_TEST(a_part_of_a_filesystem_mounted_elsewhere) {
        Filesystem fs = fs_new(FS_TMPFS, "fs");
        Process own = process_own_truth();
        _cleanup_truth_ Truth t = {0};
        char *a = make_dir(fs.path, "a"), *part = make_dir(a, "part"), *in = make_dir(part, "in");
        char *b = make_dir(fs.path, "b"), *late = make_dir(b, "late"),
             *deep = make_dir(late, "deep");
        char *shown = harness_path("shown"), *seen = join(shown, "in");
        char *second = harness_path("second"), *seen_deep = join(second, "deep");
        _cleanup_free_ char *errors = NULL;
        Monitor m;

        harness_mkdir(shown);
        harness_mkdir(second);
        ck_assert_int_eq(mount(part, shown, NULL, MS_BIND, NULL), 0);
        m = monitor_start(MONITOR_ARGS("--marks=directories", shown, second));
        delete_in(seen, "x", &t, &own);
        delete_in(shown, "x", &t, &own);
        delete_in(a, "y", NULL, &own);
        delete_in(deep, "y", NULL, &own);
        ck_assert_int_eq(mount(late, second, NULL, MS_BIND, NULL), 0);
        harness_sleep(SETTLE_SEC);
        delete_in(second, "z", &t, &own);
        delete_in(seen_deep, "z", &t, &own);
        delete_in(seen, "z", &t, &own);
        delete_in(b, "z", NULL, &own);
        truth_check(&t, &m, 0);
        errors = monitor_errors(&m);
        harness_assert(!strstr(errors, "cannot watch all"), "%s", errors);
        free(in);
}
END_TEST

/* Two parts of a filesystem, with no way from one to the other. */
START_TEST(two_parts_of_a_filesystem) {
        Filesystem fs = fs_new(FS_TMPFS, "fs");
        char *a = make_dir(fs.path, "a"), *b = make_dir(fs.path, "b");
        char *shown_a = harness_path("shown-a"), *shown_b = harness_path("shown-b");
        Monitor m;

        harness_mkdir(shown_a);
        harness_mkdir(shown_b);
        ck_assert_int_eq(mount(a, shown_a, NULL, MS_BIND, NULL), 0);
        ck_assert_int_eq(mount(b, shown_b, NULL, MS_BIND, NULL), 0);
        ck_assert_int_eq(umount2(fs.path, 0), 0);
        m = monitor_start(MONITOR_ARGS("--marks=directories", shown_a, shown_b));
        monitor_wait_for_output(&m, "the first one /b in it", 5);
        monitor_stop(&m);
}
END_TEST

static void add_tests(TCase *tcase) {
        tcase_add_loop_test(tcase, a_tree_is_removed, 0, FS_ALL_KINDS);
        tcase_add_loop_test(tcase, directories_come_and_go, 0, FS_ALL_KINDS);
        tcase_add_loop_test(tcase, moved_in_and_out, 0, FS_ALL_KINDS);
        tcase_add_loop_test(tcase, other_targets, 0, FS_ALL_KINDS);
        tcase_add_loop_test(tcase, deep_directories, 0, FS_FUSE);
        tcase_add_test(tcase, mounted_while_running);
        tcase_add_test(tcase, what_cannot_be_marked_is_told);
        tcase_add_test(tcase, one_mark_or_none);
        tcase_add_loop_test(tcase, a_part_of_a_filesystem, 0, 2);
        tcase_add_test(tcase, a_part_of_a_filesystem_mounted_elsewhere);
        tcase_add_test(tcase, two_parts_of_a_filesystem);
}

int main(void) {
        return harness_main("directories", add_tests);
}
