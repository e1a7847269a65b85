/* SPDX-License-Identifier: MIT */

/*
 * Each is tried in a group that is thrown away at once.  What must be marked for that is a
 * directory by its inode, on which nothing happens that anyone would be told of.
 *
 * Source: fanotify_init(2), fanotify_mark(2); include/uapi/linux/fanotify.h of Linux 6.18.
 */

#include "command/kernel_features.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <sys/fanotify.h>

#include "base/cleanup.h"
#include "capture/fan_event.h"
#include "capture/fan_group.h"

/* Not in the headers of Debian 12. */
#ifndef FAN_REPORT_MNT
#define FAN_REPORT_MNT 0x00004000
#define FAN_MARK_MNTNS 0x00000110
#define FAN_MNT_ATTACH 0x01000000
#define FAN_MNT_DETACH 0x02000000
#endif

/* A directory is never executed: nobody is held. */
static int try_exec_perm(void) {
        _cleanup_close_ int fd =
                fanotify_init(FAN_CLASS_CONTENT | FAN_CLOEXEC | FAN_NONBLOCK, O_RDONLY | O_CLOEXEC);

        if (fd < 0)
                return -errno;
        return fanotify_mark(fd, FAN_MARK_ADD, FAN_OPEN_EXEC_PERM, AT_FDCWD, "/") < 0 ? -errno : 0;
}

static int try_mount_events(void) {
        _cleanup_close_ int fd =
                fanotify_init(FAN_CLASS_NOTIF | FAN_REPORT_MNT | FAN_CLOEXEC | FAN_NONBLOCK, 0);

        if (fd < 0)
                return -errno;
        if (fanotify_mark(fd, FAN_MARK_ADD | FAN_MARK_MNTNS,
                          (uint64_t)FAN_MNT_ATTACH | (uint64_t)FAN_MNT_DETACH, AT_FDCWD,
                          "/proc/self/ns/mnt") < 0)
                return -errno;
        return 0;
}

static const KernelFeature features[] = {
        {FAN_FEATURE_TARGET, "FAN_REPORT_TARGET_FID", "the deleted file itself in its event",
         "records have no inode, and quick create-and-delete rounds of one name are told once",
         "5.17, stable 5.10.262", NULL},
        {FAN_FEATURE_RENAME, "FAN_RENAME", "both names of a rename in one event",
         "a rename may be told twice, each time with one of its names", "5.17, stable 5.10.262",
         NULL},
        {FAN_FEATURE_PIDFD, "FAN_REPORT_PIDFD", "which of two processes that had one pid it was",
         "only process events tell apart two processes that had one pid", "5.15, stable 5.10.262",
         NULL},
        {FAN_FEATURE_FD_ERROR, "FAN_REPORT_FD_ERROR", "why an event has no pidfd", NULL,
         "6.13, 6.12.5, 6.6.66", NULL},
        {0, "FAN_OPEN_EXEC_PERM", "--hold-exec", NULL,
         "5.0 with CONFIG_FANOTIFY_ACCESS_PERMISSIONS", try_exec_perm},
        {0, "FAN_MNT_ATTACH", "events of mounts, which are not used: the mount table tells of them",
         NULL, "6.15", try_mount_events},
};

const KernelFeature *kernel_features_all(size_t *ret_n) {
        *ret_n = sizeof(features) / sizeof(features[0]);
        return features;
}

/* FAN_RENAME is found out at a mark: of an inode, since not all filesystems can be marked. */
static int try_rename(int fd) {
        return fanotify_mark(fd, FAN_MARK_ADD, FAN_RENAME | FAN_ONDIR, AT_FDCWD, "/") < 0 &&
                               errno == EINVAL
                       ? -EINVAL
                       : 0;
}

int kernel_features_read(unsigned *ret_features) {
        _cleanup_fan_group_ FanGroup *g = NULL;
        unsigned found;
        int r;

        r = fan_group_new(FAN_FEATURE_ALL, false, &g);
        if (r < 0)
                return r;
        found = fan_group_features(g);
        if (try_rename(fan_group_fd(g)) < 0)
                found &= ~(unsigned)FAN_FEATURE_RENAME;
        *ret_features = found;
        return 0;
}
