/* SPDX-License-Identifier: MIT */

/*
 * Must hold 2: "/" is the subvolume @ and /home the subvolume @home of one btrfs, and all is right
 * on both in one run; so it is in snapshots of them, in subvolumes inside of them, and when one of
 * these is deleted.  What is about mounts is in test_btrfs_mounts.c.
 */

#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "btrfs.h"
#include "harness.h"
#include "record.h"
#include "tree.h"
#include "truth.h"

static char *join(const char *dir, const char *name) {
        return harness_format("%s/%s", dir, name);
}

static char *make_file(const char *dir, const char *name) {
        char *path = join(dir, name);

        harness_touch(path);
        return path;
}

static uint64_t inode_of(const char *path) {
        struct stat st;

        harness_assert(lstat(path, &st) == 0, "%s: %m", path);
        return st.st_ino;
}

static void unlink_it(Truth *t, const char *path, const Process *p) {
        TruthItem *item = truth_add(t, "unlink", path, p);

        item->type = "file";
        item->inode = inode_of(path);
        harness_unlink(path);
}

static void rmdir_it(Truth *t, const char *path, const char *type, const Process *p) {
        TruthItem *item = truth_add(t, "rmdir", path, p);

        item->type = type;
        item->inode = inode_of(path);
        harness_assert(rmdir(path) == 0, "rmdir %s: %m", path);
}

static void delete_it(Truth *t, const char *path, const Process *p) {
        TruthItem *item = truth_add(t, "rmdir", path, p);

        item->type = "subvolume";
        item->inode = 256;
        btrfs_subvolume_delete(path);
}

static void move_it(Truth *t, const char *from, const char *to, const Process *p) {
        harness_assert(rename(from, to) == 0, "rename %s %s: %m", from, to);
        truth_add_move(t, from, to, p);
}

/* Everything that one process can do in one of the two. */
static void work_in(const char *dir, Truth *t, const Process *p) {
        char *a = make_file(dir, "a"), *b = join(dir, "b"), *d = join(dir, "d"),
             *e = join(dir, "e");
        char *in_d = join(d, "in"), *in_e = join(e, "in"), *f = join(d, "f"), *g = join(e, "g");

        move_it(t, a, b, p);
        unlink_it(t, b, p);
        harness_mkdir(d);
        harness_mkdir(e);
        harness_touch(in_d);
        harness_touch(f);
        move_it(t, f, g, p);
        unlink_it(t, g, p);
        rmdir_it(t, e, "dir", p);
        move_it(t, d, e, p);
        unlink_it(t, in_e, p);
        rmdir_it(t, e, "dir", p);
}

/* What each record says of the mount it was seen by. */
static void assert_mounts(const Monitor *m, const Btrfs *b) {
        _cleanup_reader_ RecordReader r = record_reader_new(m->output_path);
        size_t n_home = 0, n_root = 0;
        struct json_object *record;

        while ((record = record_next_deletion(&r))) {
                bool is_home =
                        strncmp(record_string(record, "file.path"), b->home, strlen(b->home)) == 0;

                n_home += is_home;
                n_root += !is_home;
                ck_assert_str_eq(record_string(record, "whodunlink.mount.path"),
                                 is_home ? b->home : b->root);
                ck_assert_str_eq(record_string(record, "whodunlink.mount.subvolume"),
                                 is_home ? "/@home" : "/@");
                ck_assert_str_eq(record_string(record, "whodunlink.mount.fstype"), "btrfs");
                ck_assert_str_eq(record_string(record, "whodunlink.mount.source"), b->fs.source);
        }
        ck_assert_uint_gt(n_home, 0);
        ck_assert_uint_gt(n_root, 0);
}

START_TEST(root_and_home_in_one_run) {
        Btrfs b = btrfs_new();
        Filesystem ext4 = fs_new(FS_EXT4, "root/srv"), tmpfs = fs_new(FS_TMPFS, "root/tmp");
        Process own = process_own_truth();
        _cleanup_truth_ Truth t = {0};
        Monitor m = monitor_start(MONITOR_ARGS(b.root));

        work_in(b.root, &t, &own);
        work_in(b.home, &t, &own);
        work_in(b.root, &t, &own);
        truth_check(&t, &m, 0);
        assert_mounts(&m, &b);

        /* In the same run as others: groups are one for each filesystem. */
        m = monitor_start(MONITOR_ARGS(b.root));
        truth_done(&t);
        work_in(b.home, &t, &own);
        work_in(ext4.path, &t, &own);
        work_in(b.root, &t, &own);
        work_in(tmpfs.path, &t, &own);
        truth_check(&t, &m, 0);
}
END_TEST

/* Only one of the two is asked for, or a directory in it. */
START_TEST(only_what_is_asked_for) {
        Btrfs b = btrfs_new();
        Process own = process_own_truth();
        char *alice = join(b.home, "alice"), *bob = join(b.home, "bob");
        _cleanup_truth_ Truth t = {0}, unseen = {0};
        Monitor m;

        harness_mkdir(alice);
        harness_mkdir(bob);
        m = monitor_start(MONITOR_ARGS(_i == 0 ? b.home : alice));
        work_in(b.root, &unseen, &own);
        work_in(bob, _i == 0 ? &t : &unseen, &own);
        work_in(alice, &t, &own);
        truth_check(&t, &m, 0);
}
END_TEST

/* Several rm -rf at once; their directories are long gone when the first event is read. */
START_TEST(storms_in_both) {
        enum {
                N = 6
        };
        Btrfs b = btrfs_new();
        Process own[N];
        _cleanup_truth_ Truth t = {0};
        char *trees[N];
        pid_t pids[N];
        Monitor m;

        for (size_t i = 0; i < N; i++) {
                const char **args = calloc(4, sizeof(*args));

                trees[i] = harness_format("%s/tree-%zu", i % 2 ? b.home : b.root, i);
                memcpy(args, PROCESS_ARGS("rm", "-rf", trees[i]), 4 * sizeof(*args));
                own[i] = process_child_truth(args);
                tree_make(trees[i], harness_scale(120, 20), harness_scale(2400, 100), &t, &own[i]);
        }
        m = monitor_start(MONITOR_ARGS(b.root));
        if (_i == 1)
                ck_assert_int_eq(kill(m.pid, SIGSTOP), 0);
        for (size_t i = 0; i < N; i++)
                own[i].pid = pids[i] = process_spawn(own[i].args);
        for (size_t i = 0; i < N; i++)
                ck_assert_int_eq(process_wait(pids[i], 60), 0);
        ck_assert_int_eq(kill(m.pid, SIGCONT), 0);
        /* While it is stopped, nobody reads what the arguments of a process are. */
        truth_check(&t, &m, _i == 1 ? t.n_items : harness_unknown_allowed(t.n_items));
        assert_mounts(&m, &b);
}
END_TEST

/* A subvolume inside of another has no line in the mount table, and a device number of its own. */
START_TEST(subvolumes_inside) {
        Btrfs b = btrfs_new();
        Process own = process_own_truth();
        _cleanup_truth_ Truth t = {.is_ordered = true};
        char *in = join(b.home, "in"), *deeper = join(in, "deeper"), *other = join(b.root, "other");
        char *name = join(b.home, "name"), *lower = join(name, "deeper"), *files[8];
        Monitor m;

        btrfs_subvolume_create(in);
        btrfs_subvolume_create(deeper);
        for (size_t i = 0; i < 4; i++)
                files[i] = make_file(i % 2 ? deeper : in, i < 2 ? "p" : "q");
        m = monitor_start(MONITOR_ARGS(b.root));
        unlink_it(&t, files[0], &own);
        unlink_it(&t, files[1], &own);
        work_in(in, &t, &own);
        work_in(deeper, &t, &own);
        /* One that is made while it is watched. */
        btrfs_subvolume_create(other);
        work_in(other, &t, &own);
        rmdir_it(&t, other, "subvolume", &own);
        /* Renamed, with what is below. */
        move_it(&t, in, name, &own);
        t.items[t.n_items - 1].type = "subvolume";
        t.items[t.n_items - 1].inode = 256;
        files[4] = join(lower, "q");
        unlink_it(&t, files[4], &own);
        work_in(lower, &t, &own);
        files[5] = make_file(lower, "lost");
        monitor_wait_until_quiet(&m, 0.2);
        delete_it(&t, lower, &own);
        files[6] = join(name, "q");
        unlink_it(&t, files[6], &own);
        rmdir_it(&t, name, "subvolume", &own);
        truth_check(&t, &m, 0);
}
END_TEST

/* Files of a snapshot have the inode numbers of those it was made of. */
START_TEST(snapshots) {
        Btrfs b = btrfs_new();
        Process own = process_own_truth();
        _cleanup_truth_ Truth t = {.is_ordered = true};
        char *dir = join(b.home, "dir"), *kept = join(b.home, ".snapshots");
        char *first = join(kept, "1"), *second = join(b.root, "2"), *file, *others[3];
        Monitor m;

        harness_mkdir(dir);
        harness_mkdir(kept);
        file = make_file(dir, "file");
        m = monitor_start(MONITOR_ARGS(b.root));
        btrfs_snapshot(b.home, first);
        btrfs_snapshot(b.home, second);
        others[0] = harness_format("%s/dir/file", first);
        others[1] = harness_format("%s/dir/file", second);
        others[2] = harness_format("%s/dir", second);
        ck_assert_uint_eq(inode_of(file), inode_of(others[0]));
        ck_assert_uint_eq(inode_of(file), inode_of(others[1]));
        unlink_it(&t, others[1], &own);
        unlink_it(&t, file, &own);
        unlink_it(&t, others[0], &own);
        rmdir_it(&t, others[2], "dir", &own);
        rmdir_it(&t, dir, "dir", &own);
        monitor_wait_until_quiet(&m, 0.2);
        delete_it(&t, first, &own);
        delete_it(&t, second, &own);
        rmdir_it(&t, kept, "dir", &own);
        truth_check(&t, &m, 0);
}
END_TEST

/*
 * A directory that goes with its subvolume has no record of its own that would tell where it was.
 * What was deleted in it is told all the same, and no path is made up.
 */
START_TEST(deleted_right_before_its_subvolume) {
        Btrfs b = btrfs_new();
        char *in = join(b.home, "in"), *dir = join(in, "dir"), *file, *beside;
        Monitor m;
        RecordReader r;
        struct json_object *record;

        btrfs_subvolume_create(in);
        harness_mkdir(dir);
        file = make_file(dir, "file");
        beside = make_file(in, "beside");
        m = monitor_start(MONITOR_ARGS(b.home));
        ck_assert_int_eq(kill(m.pid, SIGSTOP), 0);
        harness_unlink(file);
        harness_unlink(beside);
        btrfs_subvolume_delete(in);
        ck_assert_int_eq(kill(m.pid, SIGCONT), 0);
        monitor_stop(&m);
        r = record_reader_new(m.output_path);
        record = record_next_deletion(&r);
        ck_assert_str_eq(record_string(record, "file.name"), "file");
        ck_assert_ptr_null(record_get(record, "file.path"));
        ck_assert_str_eq(record_string(record, "whodunlink.path_source"), "none");
        ck_assert_str_eq(record_string(record_next_deletion(&r), "file.path"), beside);
        record = record_next_deletion(&r);
        ck_assert_str_eq(record_string(record, "file.path"), in);
        ck_assert_str_eq(record_string(record, "file.type"), "subvolume");
        ck_assert_ptr_null(record_next_deletion(&r));
        record_reader_done(&r);
}
END_TEST

/* By the tool that people have. */
START_TEST(deleted_by_btrfs) {
        Btrfs b = btrfs_new();
        char *in = join(b.home, "in");
        const char *const *args = PROCESS_ARGS("btrfs", "subvolume", "delete", in);
        Process p = process_child_truth(args);
        _cleanup_truth_ Truth t = {0};
        _cleanup_free_ char *end = harness_format("deleted subvolume %s with all it held\"", in);
        TruthItem *item;
        Monitor m;

        btrfs_subvolume_create(in);
        make_file(in, "a");
        m = monitor_start(MONITOR_ARGS(b.home));
        p.pid = process_run(args);
        item = truth_add(&t, "rmdir", in, &p);
        item->type = "subvolume";
        item->inode = 256;
        monitor_wait_for_output(&m, end, 5);
        truth_check(&t, &m, 0);
}
END_TEST

/* rm -rf removes what is in a subvolume one by one, and it itself like a directory. */
START_TEST(rm_of_subvolumes) {
        Btrfs b = btrfs_new();
        char *top = join(b.home, "top"), *in = join(top, "in"), *a, *deeper = join(in, "deeper");
        const char *const *args = PROCESS_ARGS("rm", "-rf", top);
        Process p = process_child_truth(args);
        _cleanup_truth_ Truth t = {0};
        Monitor m;

        harness_mkdir(top);
        btrfs_subvolume_create(in);
        truth_add(&t, "rmdir", in, &p)->type = "subvolume";
        tree_make(deeper, 20, 100, &t, &p);
        a = make_file(in, "a");
        truth_add(&t, "unlink", a, &p)->inode = inode_of(a);
        truth_add(&t, "rmdir", top, &p)->type = "dir";
        m = monitor_start(MONITOR_ARGS(b.root));
        if (_i == 1)
                ck_assert_int_eq(kill(m.pid, SIGSTOP), 0);
        p.pid = process_run(args);
        ck_assert_int_eq(kill(m.pid, SIGCONT), 0);
        truth_check(&t, &m, _i == 1 ? t.n_items : harness_unknown_allowed(t.n_items));
}
END_TEST

/* What was asked for was in it. */
START_TEST(a_target_goes_with_its_subvolume) {
        Btrfs b = btrfs_new();
        Process own = process_own_truth();
        char *in = join(b.home, "in"), *dir = join(in, "dir"), *other = join(b.home, "other");
        _cleanup_truth_ Truth t = {.is_ordered = true}, unseen = {0};
        Monitor m;

        btrfs_subvolume_create(in);
        btrfs_subvolume_create(other);
        harness_mkdir(dir);
        m = monitor_start(MONITOR_ARGS(dir));
        work_in(dir, &t, &own);
        monitor_wait_until_quiet(&m, 0.2);
        delete_it(&unseen, other, &own);
        delete_it(&t, in, &own);
        truth_check(&t, &m, 0);
}
END_TEST

/*
 * In a directory whose path is too long to be read, names are looked for by number.  The first
 * subvolume is listed by the number that the root of each has.
 */
START_TEST(names_of_subvolumes_at_long_paths) {
        enum {
                DEPTH = PATH_MAX / 200 + 2
        };
        Btrfs b = btrfs_new();
        Process own = process_own_truth();
        _cleanup_truth_ Truth t = {.is_ordered = true};
        int fd = open(b.home, O_RDONLY | O_DIRECTORY | O_CLOEXEC), in_fd;
        char name[201] = "", *path = b.home, *first, *second, *file;
        Monitor m;

        memset(name, 'x', 200);
        ck_assert_int_eq(chdir(b.home), 0);
        for (size_t i = 0; i < DEPTH; i++) {
                ck_assert(mkdir(name, 0777) == 0 && chdir(name) == 0);
                path = join(path, name);
        }
        for (int i = 0; i < 8; i++) {
                _cleanup_free_ char *subvolume = harness_format("./subvolume-%d", i);
                _cleanup_free_ char *directory = harness_format("directory-%d", i);

                btrfs_subvolume_create(subvolume);
                harness_mkdir(directory);
        }
        first = harness_format("%s/subvolume-6/a", path);
        second = harness_format("%s/directory-3/a", path);
        file = harness_format("%s/subvolume-6", path);
        harness_touch("subvolume-6/a");
        harness_touch("directory-3/a");
        close(fd);
        in_fd = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        m = monitor_start(MONITOR_ARGS(b.home));
        own.working_directory = NULL;
        ck_assert_int_eq(unlinkat(in_fd, "subvolume-6/a", 0), 0);
        truth_add(&t, "unlink", first, &own);
        monitor_wait_for_output(&m, "subvolume-6/a", 5);
        ck_assert_int_eq(unlinkat(in_fd, "directory-3/a", 0), 0);
        truth_add(&t, "unlink", second, &own);
        ck_assert_int_eq(unlinkat(in_fd, "subvolume-6", AT_REMOVEDIR), 0);
        truth_add(&t, "rmdir", file, &own)->type = "subvolume";
        truth_check(&t, &m, 0);
}
END_TEST

START_TEST(text_says_subvolume) {
        Btrfs b = btrfs_new();
        char *in = join(b.home, "in");
        _cleanup_free_ char *line =
                harness_format("  rmdir   %s/ (subvolume, with all it held)\n", in);
        Monitor m;

        btrfs_subvolume_create(in);
        m = monitor_start_text(MONITOR_ARGS(b.root));
        btrfs_subvolume_delete(in);
        monitor_wait_for_output(&m, line, 5);
        monitor_stop(&m);
}
END_TEST

static void add_tests(TCase *tcase) {
        tcase_add_test(tcase, root_and_home_in_one_run);
        tcase_add_loop_test(tcase, only_what_is_asked_for, 0, 2);
        tcase_add_loop_test(tcase, storms_in_both, 0, 2);
        tcase_add_test(tcase, subvolumes_inside);
        tcase_add_test(tcase, snapshots);
        tcase_add_test(tcase, deleted_right_before_its_subvolume);
        tcase_add_test(tcase, deleted_by_btrfs);
        tcase_add_loop_test(tcase, rm_of_subvolumes, 0, 2);
        tcase_add_test(tcase, a_target_goes_with_its_subvolume);
        tcase_add_test(tcase, names_of_subvolumes_at_long_paths);
        tcase_add_test(tcase, text_says_subvolume);
}

int main(void) {
        return harness_main("btrfs", add_tests);
}
