/* SPDX-License-Identifier: MIT */

/* Why something cannot be had: the words, and that each says what to do. */

#include "command/reasons.h"

#include <errno.h>
#include <string.h>

#include "base/cleanup.h"
#include "command/capabilities.h"
#include "command/kernel_features.h"
#include "unit.h"

static const struct {
        int error;
        WatchedStep step;
        const char *fstype;
        const char *says, *advises; /* NULL: nothing, it is strerror(3)'s */
} mounts[] = {
        {-EPERM, WATCHED_STEP_GROUP, "ext4", "initial user namespace", "outside of the container"},
        {-EPERM, WATCHED_STEP_CLONE, "ext4", "initial user namespace", "outside of the container"},
        {-ENOSYS, WATCHED_STEP_GROUP, "ext4", "no fanotify", "use one that has"},
        {-EINVAL, WATCHED_STEP_GROUP, "ext4", "reports no names", "use a newer one"},
        {-EOPNOTSUPP, WATCHED_STEP_MARK, "overlay", "without nfs_export", "nfs_export=on"},
        {-ENODEV, WATCHED_STEP_MARK, "overlay", "without nfs_export", "nfs_export=on"},
        {-EOPNOTSUPP, WATCHED_STEP_MARK, "fuse.x", "of this type", "really lie at"},
        {-ENODEV, WATCHED_STEP_MARK, "proc", "view of the kernel", "another filesystem"},
        {-EOPNOTSUPP, WATCHED_STEP_MARK, "devpts", "view of the kernel", "another filesystem"},
        {-EMFILE, WATCHED_STEP_GROUP, "ext4", "too many", "max_user_groups"},
        {-ENOSPC, WATCHED_STEP_MARK, "ext4", "too many", "max_user_marks"},
        {-EINVAL, WATCHED_STEP_CLONE, "ext4", "unbindable", "--make-private"},
        {-ENOSYS, WATCHED_STEP_CLONE, "ext4", "no open_tree", "use a newer one"},
        {-EOPNOTSUPP, WATCHED_STEP_CLONE, "overlay", "no handles", "really lie at"},
        {-ESTALE, WATCHED_STEP_CLONE, "ext4", "told from its mark", "try again"},
        {-EIO, WATCHED_STEP_MARK, "ext4", NULL, NULL},
        {-EIO, WATCHED_STEP_CLONE, "ext4", NULL, NULL},
};

START_TEST(test_mount) {
        char fstype[16];
        const Mount m = {.fstype = fstype};
        const char *reason, *advice;

        strcpy(fstype, mounts[_i].fstype);
        reason = reasons_mount(mounts[_i].error, mounts[_i].step, &m);
        advice = strstr(reason, "; ");
        if (!mounts[_i].says) {
                ck_assert_str_eq(reason, strerror(-mounts[_i].error));
                return;
        }
        ck_assert_msg(strstr(reason, mounts[_i].says), "%s", reason);
        ck_assert_msg(advice && strstr(advice, mounts[_i].advises), "%s", reason);
}
END_TEST

START_TEST(test_processes) {
        ck_assert(strstr(reasons_process_events(-EPERM), "CAP_NET_ADMIN"));
        ck_assert(strstr(reasons_process_events(-ENOTCONN), "namespace"));
        ck_assert(strstr(reasons_process_events(-EPROTONOSUPPORT), "CONFIG_PROC_EVENTS"));
        ck_assert_str_eq(reasons_process_events(-EIO), strerror(EIO));
        ck_assert(strstr(reasons_exit_records(-EPROTONOSUPPORT), "CONFIG_TASKSTATS"));
        ck_assert(strstr(reasons_exit_records(-ENOTCONN), "namespace"));
        ck_assert(strstr(reasons_priority(-EPERM), "CAP_SYS_NICE"));
        ck_assert_str_eq(reasons_priority(-EIO), strerror(EIO));
}
END_TEST

START_TEST(test_append_mount) {
        _cleanup_buffer_ Buffer b = {0};

        reasons_append_mount(&b, "/a\nb", "ext4", "/dev/x");
        reasons_append_mount(&b, "/t", "tmpfs", "tmpfs");
        reasons_append_mount(&b, "/u", "tmpfs", "");
        ck_assert_str_eq(buffer_terminate(&b), "/a\\nb (ext4 on /dev/x)/t (tmpfs)/u (tmpfs)");
}
END_TEST

/* The tables: nothing left empty, what is needed first. */
START_TEST(test_tables) {
        size_t n_capabilities, n_features;
        const Capability *c = capabilities_all(&n_capabilities);
        const KernelFeature *f = kernel_features_all(&n_features);

        for (size_t i = 0; i < n_capabilities; i++) {
                ck_assert(c[i].name && c[i].purpose && c[i].without);
                ck_assert(i == 0 || c[i - 1].is_needed || !c[i].is_needed);
                ck_assert(capabilities_have(UINT64_C(1) << c[i].number, &c[i]));
                ck_assert(!capabilities_have(~(UINT64_C(1) << c[i].number), &c[i]));
        }
        for (size_t i = 0; i < n_features; i++) {
                ck_assert(f[i].name && f[i].brings && f[i].from);
                ck_assert((f[i].bits != 0) == (f[i].try == NULL));
        }
}
END_TEST

int main(void) {
        TCase *tcase = tcase_create("reasons");

        tcase_add_loop_test(tcase, test_mount, 0, (int)(sizeof(mounts) / sizeof(mounts[0])));
        tcase_add_test(tcase, test_processes);
        tcase_add_test(tcase, test_append_mount);
        tcase_add_test(tcase, test_tables);
        return unit_run("reasons", tcase);
}
