/* SPDX-License-Identifier: MIT */

/*
 * What the mounts of a btrfs show is told by the paths that they give it, while they come, go and
 * are renamed, and its subvolumes with them.
 */

#include <fcntl.h>
#include <linux/fs.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "btrfs.h"
#include "harness.h"
#include "record.h"
#include "truth.h"

static const char coverage_mark[] = "\"action\":\"coverage\"";

static char *join(const char *dir, const char *name) {
        return harness_format("%s/%s", dir, name);
}

static size_t count_coverage(const Monitor *m) {
        _cleanup_free_ char *output = harness_read_file(m->output_path, NULL);
        size_t n = 0;

        for (const char *at = output; (at = strstr(at, coverage_mark)); at++)
                n++;
        return n;
}

static void wait_for_coverage(const Monitor *m, size_t n) {
        double end = harness_now() + 5;

        while (count_coverage(m) < n) {
                harness_assert(harness_now() < end, "no change of coverage is told");
                harness_sleep(0.01);
        }
}

/* The whole of it goes and comes, again and again; nothing is missed, nothing is left over. */
START_TEST(mounted_again_and_again) {
        Btrfs b = btrfs_new();
        Process own = process_own_truth();
        _cleanup_truth_ Truth t = {0};
        size_t n_fds = 0;
        Monitor m = monitor_start(MONITOR_ARGS(b.root));

        btrfs_hold_device(&b.fs);
        for (size_t i = 0; i < harness_scale(20, 3); i++) {
                _cleanup_free_ char *name = harness_format("file-%zu", i);
                size_t n;

                btrfs_delete_in(&t, b.root, name, &own);
                btrfs_delete_in(&t, b.home, name, &own);
                n = count_coverage(&m);
                btrfs_umount(b.home);
                btrfs_umount(b.root);
                /* Seen as gone, or back before anyone looks. */
                if (i % 2 == 0)
                        wait_for_coverage(&m, n + 1);
                btrfs_mount(&b, "@", b.root, NULL);
                btrfs_mount(&b, "@home", b.home, NULL);
                harness_sleep(0.2);
                if (i == 1)
                        n_fds = process_count_fds(m.pid);
        }
        ck_assert_uint_le(process_count_fds(m.pid), n_fds + 1);
        truth_check(&t, &m, 0);
}
END_TEST

/* Subvolumes of it that are mounted while it is watched are seen at once, by their new paths. */
START_TEST(more_mounts_while_watched) {
        Btrfs b = btrfs_new();
        Process own = process_own_truth();
        _cleanup_truth_ Truth t = {0};
        char *in = join(b.root, "in"), *place = join(b.root, "place"),
             *other = harness_path("other");
        char *hidden = join(in, "a"), *seen = join(place, "a");
        size_t n_fds;
        Monitor m;

        btrfs_subvolume_create(in);
        harness_mkdir(place);
        harness_mkdir(other);
        m = monitor_start(MONITOR_ARGS(place, b.home));
        n_fds = process_count_fds(m.pid);
        for (size_t i = 0; i < harness_scale(20, 3); i++) {
                btrfs_delete_in(NULL, in, "a", &own); /* not below what is asked for */
                btrfs_mount(&b, "@/in", place, NULL);
                harness_sleep(0.05);
                btrfs_delete_as(&t, hidden, seen, &own);
                btrfs_delete_in(&t, place, "b", &own);
                btrfs_delete_in(&t, b.home, "c", &own);
                btrfs_mount(&b, "@/in", other, NULL);
                btrfs_delete_in(&t, place, "d", &own);
                monitor_wait_until_quiet(&m, 0.05);
                btrfs_umount(other);
                btrfs_umount(place);
                harness_sleep(0.05);
        }
        ck_assert_uint_le(process_count_fds(m.pid), n_fds);
        truth_check(&t, &m, 0);
}
END_TEST

/* The top level is mounted, too: what is asked for decides by which path a file is told. */
START_TEST(top_level_mounted_as_well) {
        Btrfs b = btrfs_new();
        Process own = process_own_truth();
        _cleanup_truth_ Truth t = {0};
        char *in_home = join(b.home, "x"), *as_home = harness_format("%s/@home/x", b.fs.path);
        char *elsewhere = join(b.fs.path, "elsewhere"), *lone = join(elsewhere, "x");
        Monitor m;

        btrfs_mount(&b, "/", b.fs.path, NULL);
        harness_mkdir(elsewhere);
        if (_i == 2)
                btrfs_umount(b.fs.path);
        m = monitor_start(MONITOR_ARGS(_i == 1 ? b.fs.path : b.root));
        if (_i == 2) {
                btrfs_mount(&b, "/", b.fs.path, NULL);
                harness_sleep(0.2);
        }
        btrfs_delete_as(&t, in_home, _i == 1 ? as_home : in_home, &own);
        btrfs_delete_as(&t, as_home, _i == 1 ? as_home : in_home, &own);
        btrfs_delete_as(_i == 1 ? &t : NULL, lone, lone, &own);
        btrfs_umount(b.fs.path);
        if (_i == 1)
                monitor_wait_for_output(&m, "it is no longer mounted there", 5);
        btrfs_delete_as(_i == 1 ? NULL : &t, in_home, in_home, &own);
        truth_check(&t, &m, 0);
}
END_TEST

static void work_unseen(void *userdata) {
        Btrfs *b = userdata;
        Process own = process_own_truth();
        char *unseen = join(b->fs.path, "unseen"), *other = join(b->fs.path, "other");

        ck_assert_int_eq(unshare(CLONE_NEWNS), 0);
        btrfs_mount(b, "/", b->fs.path, NULL);
        btrfs_subvolume_create(unseen);
        btrfs_delete_in(NULL, unseen, "a", &own);
        btrfs_delete_in(NULL, b->fs.path, "b", &own);
        ck_assert_int_eq(rename(unseen, other), 0);
        btrfs_delete_in(NULL, other, "c", &own);
        btrfs_subvolume_delete(other);
}

/* What no mount of ours shows is not the user's, whatever happens there. */
START_TEST(not_in_the_mount_tree) {
        Btrfs b = btrfs_new();
        Process own = process_own_truth();
        _cleanup_truth_ Truth t = {0};
        Monitor m = monitor_start(MONITOR_ARGS(b.root));

        btrfs_delete_in(&t, b.root, "a", &own);
        ck_assert_int_eq(process_wait(process_fork(work_unseen, &b), 30), 0);
        btrfs_delete_in(&t, b.home, "b", &own);
        truth_check(&t, &m, 0);
}
END_TEST

/* A bind mount of a directory in a subvolume is what is watched; the rest is not told. */
START_TEST(bind_mount_of_a_directory) {
        Btrfs b = btrfs_new();
        Process own = process_own_truth();
        _cleanup_truth_ Truth t = {0};
        char *alice = join(b.home, "alice"), *deeper = join(alice, "deeper");
        char *bound = harness_path("bound"), *seen = join(bound, "deeper");
        char *real_file = join(deeper, "y"), *seen_file = join(seen, "y");
        Monitor m;

        harness_mkdir(alice);
        harness_mkdir(deeper);
        harness_mkdir(bound);
        ck_assert_int_eq(mount(alice, bound, NULL, MS_BIND, NULL), 0);
        m = monitor_start(MONITOR_ARGS(_i == 0 ? bound : seen));
        btrfs_delete_in(NULL, b.home, "x", &own);
        btrfs_delete_in(NULL, b.root, "x", &own);
        btrfs_delete_in(_i == 0 ? &t : NULL, bound, "x", &own);
        btrfs_delete_in(&t, seen, "x", &own);
        btrfs_delete_as(&t, real_file, seen_file, &own);
        truth_check(&t, &m, 0);
}
END_TEST

static char *under_top(const Btrfs *b, const char *name) {
        return join(b->fs.path, name);
}

/* /home stays /home, whatever its subvolume is called. */
START_TEST(mounted_subvolume_is_renamed) {
        Btrfs b = btrfs_new();
        Process own = process_own_truth();
        _cleanup_truth_ Truth t = {0};
        char *home, *old, *new, *dir = join(b.home, "dir");
        Monitor m;

        harness_mkdir(dir);
        btrfs_mount(&b, "/", b.fs.path, NULL);
        home = under_top(&b, "@home");
        old = under_top(&b, "@home.old");
        new = under_top(&b, "@home.new");
        m = monitor_start(MONITOR_ARGS(b.root));
        btrfs_delete_in(&t, dir, "a", &own);
        ck_assert_int_eq(rename(home, old), 0);
        btrfs_delete_in(&t, dir, "b", &own);
        btrfs_delete_in(&t, b.home, "b", &own);
        /* Another takes its name, but is not what is mounted. */
        btrfs_snapshot(old, home);
        btrfs_delete_in(NULL, home, "c", &own);
        btrfs_delete_in(&t, b.home, "c", &own);
        /* Exchanged: still. */
        ck_assert_int_eq(renameat2(AT_FDCWD, home, AT_FDCWD, old, RENAME_EXCHANGE), 0);
        btrfs_delete_in(NULL, old, "d", &own);
        btrfs_delete_in(&t, b.home, "d", &own);
        ck_assert_int_eq(rename(home, new), 0);
        btrfs_delete_in(&t, b.home, "e", &own);
        btrfs_delete_in(&t, dir, "e", &own);
        truth_check(&t, &m, 0);
}
END_TEST

/* What is mounted at /home is deleted where nobody looks: all below /home is gone. */
START_TEST(mounted_subvolume_is_deleted) {
        Btrfs b = btrfs_new();
        Process own = process_own_truth();
        _cleanup_truth_ Truth t = {.is_ordered = true};
        char *home, *in, *dir = join(b.home, "dir"), *alice = harness_path("alice");
        TruthItem *item;
        Monitor m;

        harness_mkdir(dir);
        harness_mkdir(alice);
        ck_assert_int_eq(mount(dir, alice, NULL, MS_BIND, NULL), 0);
        btrfs_mount(&b, "/", b.fs.path, NULL);
        home = under_top(&b, "@home");
        in = harness_format("%s/dir", home);
        m = monitor_start(MONITOR_ARGS(_i == 0 ? b.root : alice));
        btrfs_delete_in(_i == 0 ? &t : NULL, b.home, "a", &own);
        monitor_wait_until_quiet(&m, 0.2);
        btrfs_subvolume_delete(home);
        item = truth_add(&t, "rmdir", _i == 0 ? b.home : alice, &own);
        item->type = "subvolume";
        item->inode = 256;
        /* One that comes to its path is another, and not to be seen at /home. */
        btrfs_subvolume_create(home);
        harness_mkdir(in);
        btrfs_delete_in(NULL, home, "b", &own);
        btrfs_delete_in(NULL, in, "b", &own);
        harness_sleep(0.2); /* its directory has no record of its own */
        btrfs_subvolume_delete(home);
        btrfs_delete_in(_i == 0 ? &t : NULL, b.root, "c", &own);
        truth_check(&t, &m, 0);
}
END_TEST

/* Beside a watched one, and in another group: what must not share one with it (EXDEV) does not. */
START_TEST(two_of_them) {
        Btrfs b = btrfs_new(), c;
        Process own = process_own_truth();
        _cleanup_truth_ Truth t = {0};
        char *other;
        Monitor m;

        other = harness_path("root/other");
        harness_mkdir(other);
        c = (Btrfs){.fs = fs_new(FS_BTRFS, "second")};
        c.root = join(c.fs.path, "@");
        btrfs_subvolume_create(c.root);
        btrfs_mount(&c, "@", other, NULL);
        btrfs_umount(c.fs.path);
        m = monitor_start(MONITOR_ARGS(b.root));
        btrfs_delete_in(&t, b.root, "a", &own);
        btrfs_delete_in(&t, other, "b", &own);
        btrfs_delete_in(&t, b.home, "c", &own);
        btrfs_umount(other);
        monitor_wait_for_output(&m, coverage_mark, 5);
        btrfs_assert_detaches(&c.fs);
        btrfs_delete_in(&t, b.root, "d", &own);
        truth_check(&t, &m, 0);
}
END_TEST

/* What is mounted at /home was deleted before the watch begins: that goes on without it. */
START_TEST(one_is_dead) {
        Btrfs b = btrfs_new();
        Process own = process_own_truth();
        _cleanup_truth_ Truth t = {0};
        char *home;
        Monitor m;

        btrfs_mount(&b, "/", b.fs.path, NULL);
        home = under_top(&b, "@home");
        btrfs_subvolume_delete(home);
        btrfs_umount(b.fs.path);
        m = monitor_start(MONITOR_ARGS(_i == 0 ? b.root : b.home));
        btrfs_delete_in(_i == 0 ? &t : NULL, b.root, "a", &own);
        truth_check(&t, &m, 0);
        btrfs_umount(b.home);
        btrfs_umount(b.root);
        btrfs_assert_detaches(&b.fs);
}
END_TEST

/* Directories of two subvolumes cannot be marked in one group, and are not walked from one another:
 * that one is left out is said. */
START_TEST(directory_by_directory) {
        Btrfs b = btrfs_new();
        Process own = process_own_truth();
        _cleanup_truth_ Truth t = {0};
        Monitor m = monitor_start(MONITOR_ARGS("--marks=directories", b.root));

        monitor_wait_for_output(&m, "the first one /@home in it", 5);
        btrfs_delete_in(&t, b.root, "a", &own);
        truth_check(&t, &m, 0);
}
END_TEST

static void add_tests(TCase *tcase) {
        tcase_add_test(tcase, mounted_again_and_again);
        tcase_add_test(tcase, more_mounts_while_watched);
        tcase_add_loop_test(tcase, top_level_mounted_as_well, 0, 3);
        tcase_add_test(tcase, not_in_the_mount_tree);
        tcase_add_loop_test(tcase, bind_mount_of_a_directory, 0, 2);
        tcase_add_test(tcase, mounted_subvolume_is_renamed);
        tcase_add_loop_test(tcase, mounted_subvolume_is_deleted, 0, 2);
        tcase_add_test(tcase, two_of_them);
        tcase_add_loop_test(tcase, one_is_dead, 0, 2);
        tcase_add_test(tcase, directory_by_directory);
}

int main(void) {
        return harness_main("btrfs_mounts", add_tests);
}
