/* SPDX-License-Identifier: MIT */

/*
 * One fanotify group, one filesystem.
 *
 * A group for each filesystem, because a btrfs mark refuses to share a group with another
 * filesystem (EXDEV), and so that one filesystem's events stay in one order.
 *
 * Source: fanotify_init(2), fanotify_mark(2); fs/notify/fanotify/fanotify_user.c of Linux 6.18.
 */

#include "capture/fan_group.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/fanotify.h>
#include <sys/sysmacros.h>

#include "base/cleanup.h"
#include "capture/fan_event.h"

struct FanGroup {
        int fd;
        unsigned features;
};

static int fan_group_init_fd(unsigned features, bool is_bounded) {
        unsigned flags = FAN_CLASS_NOTIF | FAN_CLOEXEC | FAN_NONBLOCK | FAN_UNLIMITED_MARKS |
                         FAN_REPORT_DIR_FID | FAN_REPORT_NAME;
        int fd;

        if (!is_bounded)
                flags |= FAN_UNLIMITED_QUEUE;
        if (features & FAN_FEATURE_TARGET)
                flags |= FAN_REPORT_FID | FAN_REPORT_TARGET_FID;
        if (features & FAN_FEATURE_PIDFD)
                flags |= FAN_REPORT_PIDFD;
        if (features & FAN_FEATURE_FD_ERROR)
                flags |= FAN_REPORT_FD_ERROR;

        fd = fanotify_init(flags, O_RDONLY | O_CLOEXEC | O_LARGEFILE);
        return fd < 0 ? -errno : fd;
}

int fan_group_new(unsigned allowed, bool is_bounded, FanGroup **ret_group) {
        /* What each rung gives up; FAN_RENAME is only found out at the first mark. */
        static const unsigned rungs[] = {
                FAN_FEATURE_ALL,
                FAN_FEATURE_ALL & ~FAN_FEATURE_FD_ERROR,
                FAN_FEATURE_ALL & ~(FAN_FEATURE_FD_ERROR | FAN_FEATURE_PIDFD),
                FAN_FEATURE_RENAME,
        };
        int r = -EINVAL;

        for (size_t i = 0; i < sizeof(rungs) / sizeof(rungs[0]) && r == -EINVAL; i++) {
                unsigned features = rungs[i] & allowed;
                FanGroup *g;

                r = fan_group_init_fd(features, is_bounded);
                if (r < 0)
                        continue;

                g = malloc(sizeof(*g));
                if (!g) {
                        close(r);
                        return -ENOMEM;
                }
                *g = (FanGroup){.fd = r, .features = features};
                *ret_group = g;
                return 0;
        }
        return r;
}

int fan_group_adopt(int fd, unsigned features, FanGroup **ret_group) {
        FanGroup *g = malloc(sizeof(*g));

        if (!g)
                return -ENOMEM;
        *g = (FanGroup){.fd = fd, .features = features & FAN_FEATURE_ALL};
        *ret_group = g;
        return 0;
}

FanGroup *fan_group_free(FanGroup *g) {
        if (g) {
                cleanup_close(&g->fd);
                free(g);
        }
        return NULL;
}

void fan_group_freep(FanGroup **g) {
        fan_group_free(*g);
}

int fan_group_fd(const FanGroup *g) {
        return g->fd;
}

unsigned fan_group_features(const FanGroup *g) {
        return g->features;
}

static int mark_at(FanGroup *g, unsigned flags, int fd, const char *path) {
        if (g->features & FAN_FEATURE_RENAME) {
                uint64_t mask = FAN_DELETE | FAN_RENAME | FAN_ONDIR;

                if (flags & FAN_MARK_FILESYSTEM && fan_group_has_victims(g))
                        mask |= FAN_ATTRIB | FAN_DELETE_SELF | FAN_MOVE_SELF;
                if (fanotify_mark(g->fd, flags, mask, fd, path) >= 0)
                        return 0;
                if (errno != EINVAL)
                        return -errno;
                g->features &= ~(unsigned)FAN_FEATURE_RENAME;
        }
        if (fanotify_mark(g->fd, flags, FAN_DELETE | FAN_MOVED_FROM | FAN_MOVED_TO | FAN_ONDIR, fd,
                          path) < 0)
                return -errno;
        return 0;
}

bool fan_group_has_victims(const FanGroup *g) {
        const unsigned needed = FAN_FEATURE_TARGET | FAN_FEATURE_RENAME;

        return (g->features & needed) == needed;
}

int fan_group_mark(FanGroup *g, const char *path) {
        return mark_at(g, FAN_MARK_ADD | FAN_MARK_FILESYSTEM, AT_FDCWD, path);
}

int fan_group_mark_fd(FanGroup *g, int fd) {
        return mark_at(g, FAN_MARK_ADD | FAN_MARK_FILESYSTEM, fd, NULL);
}

int fan_group_mark_directory(FanGroup *g, int directory_fd) {
        return mark_at(g, FAN_MARK_ADD, directory_fd, NULL);
}

void fan_group_unmark_all(FanGroup *g) {
        (void)fanotify_mark(g->fd, FAN_MARK_FLUSH | FAN_MARK_FILESYSTEM, 0, AT_FDCWD, "/");
        (void)fanotify_mark(g->fd, FAN_MARK_FLUSH, 0, AT_FDCWD, "/");
}

/* Marks of filesystems: of this one, and of others. Return: 0, a negative errno. */
static int count_marks(const FanGroup *g, dev_t device, size_t *ret_n, size_t *ret_n_others) {
        _cleanup_fclose_ FILE *f = NULL;
        _cleanup_free_ char *line = NULL;
        char path[64];
        size_t n = 0;
        /* The kernel prints its own dev_t: major in the upper 12 bits, minor in the lower 20. */
        unsigned wanted = (unsigned)(major(device) << 20 | minor(device));

        snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", g->fd);
        f = fopen(path, "re");
        if (!f)
                return -errno;

        *ret_n = *ret_n_others = 0;
        while (getline(&line, &n, f) >= 0) {
                unsigned sdev;

                if (sscanf(line, "fanotify sdev:%x", &sdev) == 1)
                        ++*(sdev == wanted ? ret_n : ret_n_others);
        }
        return 0;
}

int fan_group_has_mark(const FanGroup *g, dev_t device) {
        size_t n = 0, n_others;
        int r = count_marks(g, device, &n, &n_others);

        return r < 0 ? r : n > 0;
}

int fan_group_has_only_mark(const FanGroup *g, dev_t device) {
        size_t n = 0, n_others = 0;
        int r = count_marks(g, device, &n, &n_others);

        return r < 0 ? r : n > 0 && n_others == 0;
}
