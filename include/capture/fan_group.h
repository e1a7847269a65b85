/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * One fanotify group that watches one filesystem.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* What the running kernel gave us; probed by trying, never by version: distributions backport. */
typedef enum FanFeatures {
        FAN_FEATURE_TARGET = 1 << 0,   /* events carry the target's handle */
        FAN_FEATURE_PIDFD = 1 << 1,    /* events carry a pidfd */
        FAN_FEATURE_FD_ERROR = 1 << 2, /* a failed pidfd says why */
        FAN_FEATURE_RENAME = 1 << 3,   /* one event with both names, else MOVED_FROM and MOVED_TO */
        FAN_FEATURE_ALL = (1 << 4) - 1,
} FanFeatures;

typedef struct FanGroup FanGroup;

/*
 * fan_group_new() - make a group with the best features the kernel has
 * @allowed:    features that may be used: FAN_FEATURE_ALL, or less to try a lower rung
 * @is_bounded: keep the kernel's bound fs.fanotify.max_queued_events instead of none
 *
 * Rungs: TARGET+PIDFD+FD_ERROR, without FD_ERROR, without PIDFD, without TARGET.
 *
 * Return: 0, -EPERM CAP_SYS_ADMIN is missing, -ENOSYS no fanotify, -EINVAL not even
 * FAN_REPORT_DFID_NAME (Linux 5.9), -EMFILE, -ENOMEM.
 */
int fan_group_new(unsigned allowed, bool is_bounded, FanGroup **ret_group);
/* The group of an earlier process, with its FanFeatures. @fd: taken on success. Return: 0, -ENOMEM.
 */
int fan_group_adopt(int fd, unsigned features, FanGroup **ret_group);
FanGroup *fan_group_free(FanGroup *g);
void fan_group_freep(FanGroup **g);
#define _cleanup_fan_group_ _cleanup_(fan_group_freep)

int fan_group_fd(const FanGroup *g);
/* The FanFeatures of its rung; FAN_FEATURE_RENAME is sure only once something is marked. */
unsigned fan_group_features(const FanGroup *g);

/*
 * fan_group_mark() - watch the whole filesystem that a path lies on
 *
 * Mask: DELETE and RENAME with ONDIR; with fan_group_has_victims() ATTRIB, DELETE_SELF and
 * MOVE_SELF too. Never CREATE, which would merge a queued mkdir+rmdir at the mkdir's place, before
 * the directory's own children (shared design, kernel.md section 2).
 *
 * Return: 0, -EOPNOTSUPP or -ENODEV the filesystem has no handles or no id, -EXDEV a btrfs
 * subvolume, which must be marked by its top level, other errors of fanotify_mark(2).
 */
int fan_group_mark(FanGroup *g, const char *path);
/* The same by a directory's descriptor (not O_PATH). */
int fan_group_mark_fd(FanGroup *g, int fd);
/* Do events tell what a rename destroyed (victims.h)? Known after fan_group_mark(). */
bool fan_group_has_victims(const FanGroup *g);

/*
 * fan_group_mark_directory() - watch what is in one directory, and not what is below
 * @directory_fd: open for reading
 *
 * For filesystems that cannot be marked as a whole. A move from or to a directory that has no mark
 * is told without that side.
 *
 * Return: 0, -EOPNOTSUPP or -ENODEV not even that is possible here, -ENOSPC, -ENOMEM, other errors
 * of fanotify_mark(2).
 */
int fan_group_mark_directory(FanGroup *g, int directory_fd);
/* Takes all marks away; what is queued can still be read. */
void fan_group_unmark_all(FanGroup *g);

/*
 * fan_group_has_mark() - is the filesystem with this device still marked
 *
 * The kernel drops the mark silently with the last mount.
 * Source: proc_pid_fdinfo(5), "fanotify sdev:".
 * Return: 1, 0, or a negative errno of reading /proc/self/fdinfo.
 */
int fan_group_has_mark(const FanGroup *g, dev_t device);
/* … and no other one? Return: as fan_group_has_mark(). */
int fan_group_has_only_mark(const FanGroup *g, dev_t device);
