/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Filesystems to delete on: the real ones on loop devices over sparse files in memory, and tmpfs.
 */

#include <stdbool.h>

typedef enum FsKind {
        FS_TMPFS,
        FS_EXT4,
        FS_XFS,
        FS_BTRFS,
        FS_KINDS,
} FsKind;

typedef struct Filesystem {
        FsKind kind;
        char *path;     /* where it is mounted */
        char *source;   /* the loop device, or "tmpfs" */
        int loop_index; /* of /dev/loopN, -1 for tmpfs */
} Filesystem;

const char *fs_kind_name(FsKind kind);
/*
 * Makes one and mounts it on harness_work()/NAME; skips the test where this machine cannot. The
 * device frees itself when the last mount is gone (LO_FLAGS_AUTOCLEAR).
 */
Filesystem fs_new(FsKind kind, const char *name);
/* Mounts it again where it was. Only while its device still has its file: not after autoclear. */
void fs_mount_on(const Filesystem *fs, const char *path);
/* Whether the loop device still has its file, without opening the device. */
bool fs_is_loop_attached(const Filesystem *fs);
