/* SPDX-License-Identifier: MIT */

/*
 * A btrfs of which subvolumes are mounted is watched by its top level, which is mounted nowhere: so
 * nothing must be mounted for that, nothing kept, no option changed; neither by the usual way there
 * nor by the way round.
 */

#include <fcntl.h>
#include <linux/btrfs.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "btrfs.h"
#include "harness.h"
#include "truth.h"

/* Our mount table; in that of the first process there is nothing of ours, whoever mounts there. */
static char *read_table(void) {
        _cleanup_free_ char *first = btrfs_mount_table(1);

        harness_assert(!strstr(first, harness_work()), "mounted for all: %s", first);
        return btrfs_mount_table(getpid());
}

static void assert_same_table(const char *before) {
        _cleanup_free_ char *now = read_table();

        ck_assert_str_eq(before, now);
}

/* Forbids the search by which the top level is found, to this process and all that it starts. */
static void forbid_search(void) {
        struct sock_filter code[] = {
                BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
                BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_ioctl, 0, 3),
                BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[1])),
                BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)BTRFS_IOC_TREE_SEARCH, 0, 1),
                BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | 13),
                BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
        };
        struct sock_fprog program = {.len = sizeof(code) / sizeof(code[0]), .filter = code};

        harness_assert(syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program) == 0,
                       "seccomp: %m");
}

typedef enum Way {
        BY_HANDLE,
        BY_MOUNT, /* the way round, where the first is closed */
        N_WAYS,
} Way;

static void choose(int way) {
        if (way == BY_MOUNT)
                forbid_search();
}

START_TEST(nothing_is_mounted) {
        Btrfs b = btrfs_new();
        Process own = process_own_truth();
        _cleanup_free_ char *before = read_table();
        _cleanup_truth_ Truth t = {0};
        Monitor m;

        choose(_i);
        m = monitor_start(MONITOR_ARGS(b.root));
        assert_same_table(before);
        btrfs_delete_in(&t, b.root, "a", &own);
        btrfs_delete_in(&t, b.home, "b", &own);
        assert_same_table(before);
        truth_check(&t, &m, 0);
        assert_same_table(before);

        m = monitor_start(MONITOR_ARGS(b.root));
        ck_assert_int_eq(kill(m.pid, SIGKILL), 0);
        ck_assert_int_eq(monitor_wait(&m, 10), 128 + SIGKILL);
        assert_same_table(before);
        btrfs_umount(b.home);
        btrfs_umount(b.root);
        btrfs_assert_detaches(&b.fs);
}
END_TEST

/* One goes, the other is watched on; both go, and the device with them. */
START_TEST(umount_while_watched) {
        Btrfs b = btrfs_new();
        Process own = process_own_truth();
        _cleanup_truth_ Truth t = {0};
        char *aside = harness_path("aside"), *subvolume = harness_format("%s/@aside", b.fs.path);
        size_t n_fds;
        Monitor m;

        choose(_i % N_WAYS);
        harness_mkdir(aside);
        btrfs_mount(&b, "/", b.fs.path, NULL);
        btrfs_subvolume_create(subvolume);
        btrfs_umount(b.fs.path);
        btrfs_mount(&b, "@aside", aside, NULL);
        m = monitor_start(MONITOR_ARGS(b.root, aside));
        n_fds = process_count_fds(m.pid);
        btrfs_delete_in(&t, b.root, "a", &own);
        btrfs_delete_in(&t, aside, "b", &own);
        if (_i < N_WAYS) {
                btrfs_umount(b.home);
                btrfs_umount(b.root);
                btrfs_delete_in(&t, aside, "c", &own);
                btrfs_umount(aside);
        } else {
                btrfs_umount(aside);
                btrfs_delete_in(&t, b.home, "c", &own);
                btrfs_umount(b.home);
                btrfs_delete_in(&t, b.root, "d", &own);
                btrfs_umount(b.root);
        }
        btrfs_assert_detaches(&b.fs);
        monitor_wait_for_output(&m, "it was unmounted", 5);
        ck_assert_uint_le(process_count_fds(m.pid), n_fds);
        truth_check(&t, &m, 0);
}
END_TEST

/* Nothing of what the user chose is changed, and a read-only one stays so. */
START_TEST(read_only) {
        Btrfs b = btrfs_new();
        Process own = process_own_truth();
        _cleanup_truth_ Truth t = {0};
        char *before;
        Monitor m;

        btrfs_hold_device(&b.fs);
        choose(_i);
        btrfs_umount(b.home);
        btrfs_umount(b.root);
        harness_assert(mount(b.fs.source, b.root, "btrfs", MS_RDONLY | MS_NOATIME,
                             "subvol=@,compress=zstd,nodatacow,commit=77") == 0,
                       "mount: %m");
        before = read_table();
        m = monitor_start(MONITOR_ARGS(b.root));
        assert_same_table(before);
        ck_assert(strstr(before, "commit=77"));
        harness_assert(mount(NULL, b.root, NULL, MS_REMOUNT, "") == 0, "remount: %m");
        btrfs_delete_in(&t, b.root, "a", &own);
        harness_assert(mount(NULL, b.root, NULL, MS_REMOUNT | MS_RDONLY, "") == 0, "remount: %m");
        btrfs_umount(b.root);
        truth_check(&t, &m, 0);
}
END_TEST

/* Its devices are two, and the name that the mount table has for one is not there any more. */
START_TEST(two_devices_with_other_names) {
        Btrfs b = btrfs_new();
        Filesystem second = fs_new(FS_BTRFS, "second");
        Process own = process_own_truth();
        _cleanup_truth_ Truth t = {0};
        char *node = harness_path("node"), *gone = harness_path("gone");
        struct stat st;
        char *before;
        Monitor m;

        btrfs_hold_device(&b.fs);
        btrfs_hold_device(&second);
        btrfs_umount(second.path);
        process_run(PROCESS_ARGS("btrfs", "device", "add", "-f", second.source, b.root));
        btrfs_umount(b.home);
        btrfs_umount(b.root);
        ck_assert_int_eq(stat(second.source, &st), 0);
        ck_assert_int_eq(mknod(node, S_IFBLK | 0600, st.st_rdev), 0);
        b.fs.source = node;
        btrfs_mount(&b, "@", b.root, NULL);
        btrfs_mount(&b, "@home", b.home, NULL);
        ck_assert_int_eq(rename(node, gone), 0);
        before = read_table();
        m = monitor_start(MONITOR_ARGS(b.root));
        assert_same_table(before);
        btrfs_delete_in(&t, b.root, "a", &own);
        btrfs_delete_in(&t, b.home, "b", &own);
        btrfs_umount(b.home);
        btrfs_umount(b.root);
        monitor_wait_for_output(&m, "it was unmounted", 5);
        truth_check(&t, &m, 0);
}
END_TEST

/*
 * The way round is by name: where another device has that name by now, it must not be touched, and
 * the filesystem cannot be watched.
 */
START_TEST(another_device_has_its_name) {
        Btrfs b = btrfs_new();
        Filesystem other = fs_new(FS_BTRFS, "other");
        char *node = harness_path("node");
        struct stat st, other_st;
        char *before;
        Monitor m;

        btrfs_umount(b.home);
        ck_assert_int_eq(stat(b.fs.source, &st), 0);
        ck_assert_int_eq(stat(other.source, &other_st), 0);
        /* So that its name is the node's. */
        ck_assert_int_eq(mknod(node, S_IFBLK | 0600, st.st_rdev), 0);
        process_run(PROCESS_ARGS("btrfs", "device", "scan", node));
        forbid_search();
        before = read_table();
        if (!strstr(before, node))
                harness_skip("the kernel keeps the name of a device that is mounted");
        ck_assert(unlink(node) == 0 && mknod(node, S_IFBLK | 0600, other_st.st_rdev) == 0);
        m = monitor_spawn(MONITOR_ARGS("watch", "--output=json", b.root));
        ck_assert_int_eq(monitor_wait(&m, 20), 1);
        monitor_wait_for_error(&m, "the top level of this btrfs cannot be reached", 1);
        assert_same_table(before);
}
END_TEST

static void add_tests(TCase *tcase) {
        tcase_add_loop_test(tcase, nothing_is_mounted, 0, N_WAYS);
        tcase_add_loop_test(tcase, umount_while_watched, 0, 2 * N_WAYS);
        tcase_add_loop_test(tcase, read_only, 0, N_WAYS);
        tcase_add_test(tcase, two_devices_with_other_names);
        tcase_add_test(tcase, another_device_has_its_name);
}

int main(void) {
        return harness_main("btrfs_top", add_tests);
}
