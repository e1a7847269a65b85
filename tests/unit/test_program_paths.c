/* SPDX-License-Identifier: MIT */

/* Programs by file, with a mount table of our own. */

#include "identify/program_paths.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "unit.h"

#define DISK makedev(8, 1)
/* Without a disk: a btrfs whose subvolume calls itself 0:50, an overlay, one nobody knows. */
#define BTRFS makedev(0, 40)
#define SUBVOLUME makedev(0, 50)
#define MOUNTS                                                                                     \
        "21 1 8:1 / / rw - ext4 /dev/sda1 rw\n"                                                    \
        "22 21 0:40 / /b rw - btrfs /dev/sdb rw\n"

static char root[] = "/tmp/unit_program_paths.XXXXXX";
static int proc_fd = -1;
static ProgramPaths *paths;

static void put_mounts_of(const char *file, const char *text) {
        int fd = openat(proc_fd, file, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

        ck_assert_int_ge(fd, 0);
        ck_assert_int_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
        close(fd);
}

static void put_mounts(const char *text) {
        put_mounts_of("self/mountinfo", text);
}

static void setup(void) {
        strcpy(root + sizeof(root) - 7, "XXXXXX");
        ck_assert_ptr_nonnull(mkdtemp(root));
        proc_fd = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        ck_assert_int_ge(proc_fd, 0);
        ck_assert_int_eq(mkdirat(proc_fd, "self", 0700), 0);
        ck_assert_int_eq(mkdirat(proc_fd, "1", 0700), 0);
        put_mounts(MOUNTS);
        ck_assert_int_eq(program_paths_new(proc_fd, &paths), 0);
}

static void teardown(void) {
        paths = program_paths_free(paths);
        unlinkat(proc_fd, "self/mountinfo", 0);
        unlinkat(proc_fd, "self", AT_REMOVEDIR);
        unlinkat(proc_fd, "1/mountinfo", 0);
        unlinkat(proc_fd, "1", AT_REMOVEDIR);
        close(proc_fd);
        rmdir(root);
}

static void learn_on(dev_t device, uint64_t mount_id, uint64_t inode, const char *path,
                     const char *comm) {
        ProcessFacts f = {
                .executable = path,
                .program = {.device = device, .inode = inode, .mount_id = mount_id},
        };

        snprintf(f.comm, sizeof(f.comm), "%s", comm);
        program_paths_learn(paths, &f);
}

static void learn(uint64_t inode, const char *path, const char *comm) {
        learn_on(DISK, 21, inode, path, comm);
}

static void expect_on(dev_t device, uint64_t inode, const char *comm, const char *path) {
        const char *found = program_paths_find(paths, device, inode, comm);

        if (path)
                ck_assert_str_eq(found ? found : "", path);
        else
                ck_assert_ptr_null(found);
}

static void expect(uint64_t inode, const char *comm, const char *path) {
        expect_on(DISK, inode, comm, path);
}

START_TEST(test_find) {
        expect(7, "rm", NULL);
        learn(7, "/bin/rm", "rm");
        learn(8, "/bin/ls", "ls");
        expect(7, "rm", "/bin/rm");
        expect(8, "ls", "/bin/ls");
        expect(9, "rm", NULL);
        expect_on(makedev(8, 2), 7, "rm", NULL);
}
END_TEST

/* Another program may have got the inode of one that was deleted. */
START_TEST(test_name) {
        learn(7, "/bin/busybox", "busybox");
        expect(7, "rm", NULL);
        learn(7, "/bin/busybox", "rm");
        expect(7, "rm", "/bin/busybox");
        expect(7, "busybox", "/bin/busybox");
        expect(7, "", NULL);
        learn(8, "/opt/a-program-with-a-long-name", "x");
        expect(8, "a-program-with-", "/opt/a-program-with-a-long-name");
        expect(8, "a-program-with", NULL);
        expect(8, "x", "/opt/a-program-with-a-long-name");
        /* An interpreter of many scripts. */
        learn(9, "/bin/sh", "sh");
        for (int i = 0; i < PROGRAM_PATHS_COMMS_MAX; i++) {
                char comm[16];

                snprintf(comm, sizeof(comm), "script-%d", i);
                learn(9, "/bin/sh", comm);
        }
        expect(9, "script-1", "/bin/sh");
        expect(9, "script-7", "/bin/sh");
        expect(9, "sh", "/bin/sh");
}
END_TEST

START_TEST(test_replaced) {
        const ProcessFacts deleted = {
                .comm = "rm",
                .executable = "/bin/old",
                .is_executable_deleted = true,
                .program = {.device = DISK, .inode = 8},
        };

        learn(7, "/bin/rm", "rm");
        learn(7, "/bin/ls", "ls");
        expect(7, "ls", "/bin/ls");
        expect(7, "rm", NULL);
        program_paths_learn(paths, &deleted);
        expect(8, "rm", NULL);
        learn(0, "/bin/rm", "rm");
        expect(0, "rm", NULL);
}
END_TEST

/* The record has the device of the superblock. */
START_TEST(test_superblock) {
        learn_on(SUBVOLUME, 22, 7, "/b/rm", "rm");
        expect_on(BTRFS, 7, "rm", "/b/rm");
        expect_on(SUBVOLUME, 7, "rm", NULL);
        /* A mount of another namespace, or no number at all. */
        learn_on(SUBVOLUME, 99, 8, "/c/rm", "rm");
        learn_on(SUBVOLUME, 0, 9, "/d/rm", "rm");
        expect_on(BTRFS, 8, "rm", NULL);
        expect_on(BTRFS, 9, "rm", NULL);
        /* The same inode on two. */
        learn(7, "/bin/rm", "rm");
        expect_on(BTRFS, 7, "rm", "/b/rm");
        expect(7, "rm", "/bin/rm");
        put_mounts("broken");
        learn_on(makedev(0, 60), 23, 10, "/e/rm", "rm");
        expect_on(makedev(0, 60), 10, "rm", NULL);
}
END_TEST

/* A snapshot has the superblock and the inodes of what it was taken of: which was it? */
/* A service in a mount namespace of its own: programs run from mounts of the machine's. */
START_TEST(test_machine_mounts) {
        put_mounts_of("1/mountinfo", "99 21 0:40 / /b rw - btrfs /dev/sdb rw\n");
        learn_on(SUBVOLUME, 99, 8, "/c/rm", "rm");
        expect_on(BTRFS, 8, "rm", "/c/rm");
}
END_TEST

START_TEST(test_snapshot) {
        const dev_t snapshot = makedev(0, 51);

        put_mounts(MOUNTS "23 21 0:40 /snapshot /s rw - btrfs /dev/sdb rw\n");
        learn_on(SUBVOLUME, 22, 7, "/b/rm", "rm");
        learn_on(SUBVOLUME, 22, 8, "/b/ls", "ls");
        expect_on(BTRFS, 7, "rm", "/b/rm");
        learn_on(snapshot, 23, 7, "/s/rm", "rm");
        expect_on(BTRFS, 7, "rm", NULL);
        expect_on(BTRFS, 8, "ls", "/b/ls");
        /* The same file by the same name, seen through two mounts. */
        learn_on(snapshot, 23, 8, "/b/ls", "ls");
        expect_on(BTRFS, 8, "ls", "/b/ls");
        learn_on(snapshot, 23, 9, "/s/cp", "cp");
        learn_on(SUBVOLUME, 22, 9, "/b/mv", "mv");
        expect_on(BTRFS, 9, "cp", "/s/cp");
        expect_on(BTRFS, 9, "mv", "/b/mv");
}
END_TEST

/* A program in each of many containers: the mount table is not read again for each. */
START_TEST(test_many_mounts) {
        learn_on(SUBVOLUME, 22, 7, "/b/rm", "rm");
        for (unsigned i = 0; i < 200; i++)
                learn_on(makedev(0, 100 + i), 1000 + i, 8, "/bin/x", "x");
        put_mounts("broken");
        learn_on(SUBVOLUME, 22, 9, "/b/ls", "ls");
        expect_on(BTRFS, 9, "ls", "/b/ls");
}
END_TEST

START_TEST(test_bound) {
        char path[32];

        for (uint64_t i = 1; i <= PROGRAM_PATHS_MAX + 2; i++) {
                snprintf(path, sizeof(path), "/bin/x%llu", (unsigned long long)i);
                learn(i, path, "x");
        }
        expect(1, "x", NULL);
        expect(2, "x", NULL);
        expect(3, "x", "/bin/x3");
        expect(PROGRAM_PATHS_MAX + 2, "x", path);
}
END_TEST

int main(void) {
        TCase *tcase = tcase_create("program_paths");

        tcase_add_checked_fixture(tcase, setup, teardown);
        tcase_add_test(tcase, test_find);
        tcase_add_test(tcase, test_name);
        tcase_add_test(tcase, test_replaced);
        tcase_add_test(tcase, test_superblock);
        tcase_add_test(tcase, test_machine_mounts);
        tcase_add_test(tcase, test_snapshot);
        tcase_add_test(tcase, test_many_mounts);
        tcase_add_test(tcase, test_bound);
        return unit_run("program_paths", tcase);
}
