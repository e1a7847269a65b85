/* SPDX-License-Identifier: MIT */

/* Which filesystems of a mount table are watched for which targets, and by which mount. */

#include "capture/coverage.h"

#include <stdio.h>
#include <string.h>
#include <sys/sysmacros.h>

#include "base/buffer.h"
#include "base/clock.h"
#include "unit.h"

#define FILESYSTEMS_MAX 6
#define MOUNTS_MAX 4

/* Roots and points of the mounts in order of preference; the mount taken is .mount. */
typedef struct Expected {
        unsigned minor;
        const char *mount; /* "ROOT POINT" */
        bool is_asked_for;
        const char *mounts[MOUNTS_MAX];
} Expected;

typedef struct Plan {
        const char *table;
        const char *targets[3];
        Expected expected[FILESYSTEMS_MAX];
} Plan;

#define ROOT "1 0 8:1 / / rw - ext4 /dev/sda1 rw\n"
#define PROC "2 1 0:2 / /proc rw - proc proc rw\n"
#define SYS "3 1 0:3 / /sys rw - sysfs sysfs rw\n"
#define CGROUP "4 3 0:4 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n"
#define TMP "5 1 0:5 / /tmp rw - tmpfs tmpfs rw\n"
#define HOME "6 1 8:6 / /home rw - xfs /dev/sda6 rw\n"
#define SYSTEM ROOT PROC SYS CGROUP TMP HOME

static const Plan plans[] = {
        /* A directory on one filesystem, with nothing mounted below. */
        {SYSTEM, {"/tmp/x"}, {{5, "/ /tmp", true, {"/ /tmp"}}}},
        {SYSTEM, {"/var"}, {{1, "/ /", true, {"/ /"}}}},
        {SYSTEM, {"/tmpfile"}, {{1, "/ /", true, {"/ /"}}}},
        /* All of the machine: what is mounted below counts, but no views of the kernel. */
        {SYSTEM,
         {"/"},
         {{1, "/ /", true, {"/ /"}},
          {5, "/ /tmp", false, {"/ /tmp"}},
          {6, "/ /home", false, {"/ /home"}}}},
        {SYSTEM, {"/sys"}, {{3, "/ /sys", true, {"/ /sys"}}}},
        {SYSTEM, {"/sys/fs/cgroup"}, {{4, "/ /sys/fs/cgroup", true, {"/ /sys/fs/cgroup"}}}},
        /* Several targets. */
        {SYSTEM,
         {"/tmp", "/home/u", "/tmp/y"},
         {{5, "/ /tmp", true, {"/ /tmp"}}, {6, "/ /home", true, {"/ /home"}}}},
        {SYSTEM,
         {"/", "/tmp/y"},
         {{1, "/ /", true, {"/ /"}},
          {5, "/ /tmp", true, {"/ /tmp"}},
          {6, "/ /home", false, {"/ /home"}}}},
        /* Nested: a mount on a mount. */
        {ROOT HOME "7 6 0:7 / /home/u/ram rw - tmpfs ram rw\n"
                   "8 7 0:8 / /home/u/ram/in rw - tmpfs in rw\n",
         {"/home/u"},
         {{6, "/ /home", true, {"/ /home"}},
          {7, "/ /home/u/ram", false, {"/ /home/u/ram"}},
          {8, "/ /home/u/ram/in", false, {"/ /home/u/ram/in"}}}},
        {ROOT HOME "7 6 0:7 / /home/u/ram rw - tmpfs ram rw\n"
                   "8 7 0:8 / /home/u/ram/in rw - tmpfs in rw\n",
         {"/home/u/ram/in/x"},
         {{8, "/ /home/u/ram/in", true, {"/ /home/u/ram/in"}}}},
        /* Bind mounts: those that a target lies on come first, the whole one resolves. */
        {SYSTEM "9 1 8:6 /u /srv rw - xfs /dev/sda6 rw\n",
         {"/srv/x"},
         {{6, "/ /home", true, {"/u /srv", "/ /home"}}}},
        {ROOT "9 1 8:6 /u /srv rw - xfs /dev/sda6 rw\n",
         {"/srv/x"},
         {{6, "/u /srv", true, {"/u /srv"}}}},
        {ROOT "9 1 8:1 /opt /srv rw - ext4 /dev/sda1 rw\n",
         {"/srv"},
         {{1, "/ /", true, {"/opt /srv", "/ /"}}}},
        {ROOT "9 1 8:1 /opt /srv rw - ext4 /dev/sda1 rw\n",
         {"/opt"},
         {{1, "/ /", true, {"/ /", "/opt /srv"}}}},
        {ROOT "9 1 8:6 /a /srv/a rw - xfs /dev/sda6 rw\n"
              "10 1 8:6 /b /srv/b rw - xfs /dev/sda6 rw\n"
              "11 1 8:6 / /mnt rw - xfs /dev/sda6 rw\n",
         {"/srv"},
         {{1, "/ /", true, {"/ /"}}, {6, "/ /mnt", false, {"/a /srv/a", "/b /srv/b", "/ /mnt"}}}},
        /* A bind mount of a file. */
        {ROOT TMP "9 1 0:5 /resolv /etc/resolv.conf rw - tmpfs tmpfs rw\n",
         {"/etc/resolv.conf"},
         {{5, "/ /tmp", true, {"/resolv /etc/resolv.conf", "/ /tmp"}}}},
        /* Hidden: under another mount of the same point, or under one above. */
        {ROOT TMP "9 5 0:9 / /tmp rw - tmpfs over rw\n",
         {"/tmp"},
         {{9, "/ /tmp", true, {"/ /tmp"}}}},
        {ROOT TMP "9 5 0:9 / /tmp rw - tmpfs over rw\n",
         {"/"},
         {{1, "/ /", true, {"/ /"}}, {9, "/ /tmp", false, {"/ /tmp"}}}},
        {ROOT HOME "7 6 0:7 / /home/u rw - tmpfs u rw\n"
                   "8 1 0:8 / /home rw - tmpfs over rw\n",
         {"/home"},
         {{8, "/ /home", true, {"/ /home"}}}},
        {ROOT HOME "8 6 8:1 /srv /home rw - ext4 /dev/sda1 rw\n",
         {"/var"},
         {{1, "/ /", true, {"/ /", "/srv /home"}}}},
        /* Types that only look like a view of the kernel. */
        {ROOT "2 1 0:2 / /dev rw - devtmpfs dev rw\n"
              "3 1 0:3 / /mnt rw - fuse.sshfs host: rw\n"
              "4 1 0:4 / /run rw - ramfs none rw\n",
         {"/"},
         {{1, "/ /", true, {"/ /"}},
          {2, "/ /dev", false, {"/ /dev"}},
          {3, "/ /mnt", false, {"/ /mnt"}},
          {4, "/ /run", false, {"/ /run"}}}},
        /* Nothing to watch. */
        {SYSTEM, {NULL}, {{0}}},
        {"", {"/"}, {{0}}},
};

#define N_PLANS ((int)(sizeof(plans) / sizeof(plans[0])))

static void expect_mount(const char *root, const char *point, const char *expected) {
        char text[256];

        snprintf(text, sizeof(text), "%s %s", root, point);
        ck_assert_str_eq(text, expected);
}

static void check_filesystem(const CoverageFilesystem *f, const Expected *x,
                             const ScopeTarget *targets, size_t n_targets) {
        size_t n = 0;

        ck_assert_uint_eq(minor(f->device), x->minor);
        ck_assert_int_eq(f->is_asked_for, x->is_asked_for);
        expect_mount(f->mount->root, f->mount->point, x->mount);
        ck_assert_uint_eq(f->mount->device, f->device);
        for (; n < MOUNTS_MAX && x->mounts[n]; n++) {
                ck_assert_uint_lt(n, f->scopes.n_mounts);
                expect_mount(f->scopes.mounts[n].root, f->scopes.mounts[n].point, x->mounts[n]);
        }
        ck_assert_uint_eq(f->scopes.n_mounts, n);
        ck_assert_ptr_eq(f->scopes.targets, targets);
        ck_assert_uint_eq(f->scopes.n_targets, n_targets);
}

START_TEST(test_plan) {
        const Plan *p = &plans[_i];
        ScopeTarget targets[3];
        size_t n_targets = 0, n = 0;
        MountTable table;
        CoveragePlan plan;

        ck_assert_int_eq(mount_table_parse(p->table, strlen(p->table), &table), 0);
        for (; n_targets < 3 && p->targets[n_targets]; n_targets++)
                targets[n_targets] = (ScopeTarget){.path = strdup(p->targets[n_targets]),
                                                   .n_path = strlen(p->targets[n_targets]),
                                                   .is_directory = true};
        ck_assert_int_eq(coverage_plan_make(&table, targets, n_targets, &plan), 0);
        for (; n < FILESYSTEMS_MAX && p->expected[n].mount; n++) {
                ck_assert_uint_lt(n, plan.n_filesystems);
                check_filesystem(&plan.filesystems[n], &p->expected[n], targets, n_targets);
        }
        ck_assert_uint_eq(plan.n_filesystems, n);
        coverage_plan_done(&plan);
        ck_assert_ptr_null(plan.filesystems);
        coverage_plan_done(&plan);
        mount_table_done(&table);
        for (size_t i = 0; i < n_targets; i++)
                free(targets[i].path);
}
END_TEST

START_TEST(test_pseudo) {
        static const char *const pseudo[] = {"proc",    "sysfs",  "cgroup2", "cgroup", "devpts",
                                             "tracefs", "autofs", "bpf",     "debugfs"};
        static const char *const real[] = {"ext4",    "xfs",   "btrfs", "tmpfs", "devtmpfs",
                                           "overlay", "ramfs", "proc2", "pro",   ""};

        for (size_t i = 0; i < sizeof(pseudo) / sizeof(pseudo[0]); i++)
                ck_assert(coverage_is_pseudo(pseudo[i]));
        for (size_t i = 0; i < sizeof(real) / sizeof(real[0]); i++)
                ck_assert(!coverage_is_pseudo(real[i]));
}
END_TEST

START_TEST(test_remote) {
        static const char *const remote[] = {"nfs", "nfs4", "cifs", "9p", "virtiofs", "fuse.sshfs"};
        static const char *const local[] = {
                "ext4", "fuse", "fuseblk", "fuse.ntfs-3g", "overlay", "nf", "nfsd", "tmpfs", ""};

        for (size_t i = 0; i < sizeof(remote) / sizeof(remote[0]); i++)
                ck_assert(coverage_is_remote(remote[i]));
        for (size_t i = 0; i < sizeof(local) / sizeof(local[0]); i++)
                ck_assert(!coverage_is_remote(local[i]));
}
END_TEST

#define N_MANY_MOUNTS 2000
#define N_MANY_TARGETS 200

/* A machine of containers: each target is looked for in the table once, not for each mount. */
START_TEST(test_many_mounts) {
        _cleanup_buffer_ Buffer text = {0};
        ScopeTarget targets[N_MANY_TARGETS];
        CoveragePlan plan;
        MountTable table;
        uint64_t begin;

        buffer_append_string(&text, ROOT);
        for (int i = 2; i < N_MANY_MOUNTS; i++)
                buffer_append_format(&text, "%d 1 0:%d / /m/%d rw - tmpfs tmpfs rw\n", i, i, i);
        for (int i = 0; i < N_MANY_TARGETS; i++) {
                ck_assert_int_gt(asprintf(&targets[i].path, "/m/%d", 10 * i + 2), 0);
                targets[i].n_path = strlen(targets[i].path);
                targets[i].is_directory = true;
        }
        ck_assert_int_eq(mount_table_parse(text.bytes, text.n_bytes, &table), 0);
        begin = clock_now_nsec(CLOCK_PROCESS_CPUTIME_ID);
        ck_assert_int_eq(coverage_plan_make(&table, targets, N_MANY_TARGETS, &plan), 0);
        ck_assert_uint_lt(clock_now_nsec(CLOCK_PROCESS_CPUTIME_ID) - begin, CLOCK_NSEC_PER_SEC);
        ck_assert_uint_eq(plan.n_filesystems, N_MANY_TARGETS);
        for (size_t i = 0; i < N_MANY_TARGETS; i++) {
                ck_assert_str_eq(plan.filesystems[i].mount->point, targets[i].path);
                ck_assert(plan.filesystems[i].is_asked_for);
                free(targets[i].path);
        }
        coverage_plan_done(&plan);
        mount_table_done(&table);
}
END_TEST

int main(void) {
        TCase *tcase = tcase_create("coverage");

        tcase_add_loop_test(tcase, test_plan, 0, N_PLANS);
        tcase_add_test(tcase, test_pseudo);
        tcase_add_test(tcase, test_remote);
        tcase_add_test(tcase, test_many_mounts);
        return unit_run("coverage", tcase);
}
