/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Filesystems to delete on: the real ones on loop devices over sparse files in memory, tmpfs, and
 * those that only show what lies in another one.
 */

#include <stdbool.h>

typedef enum FsKind {
        FS_TMPFS,
        FS_EXT4,
        FS_XFS,
        FS_BTRFS,
        FS_KINDS, /* those above are marked as a whole and keep their data themselves */
        FS_OVERLAY = FS_KINDS, /* with default options: its directories are marked one by one */
        FS_OVERLAY_EXPORT,     /* nfs_export=on,index=on: marked as a whole */
        FS_FUSE,               /* bindfs: directories one by one */
        FS_ALL_KINDS,
} FsKind;

typedef struct Filesystem {
        FsKind kind;
        char *path;     /* where it is mounted */
        char *source;   /* the loop device, or "tmpfs" */
        int loop_index; /* of /dev/loopN, -1 for others */
        /* Of an overlay its layers, all in the test's own tmpfs; of bindfs .lower is what it shows.
         */
        char *lower, *upper, *work;
} Filesystem;

const char *fs_kind_name(FsKind kind);
/*
 * Makes one and mounts it on harness_work()/NAME; skips the test where this machine cannot. The
 * device frees itself when the last mount is gone (LO_FLAGS_AUTOCLEAR).
 */
Filesystem fs_new(FsKind kind, const char *name);
/*
 * The same in two steps, so that an overlay's lower directory can be filled before it is mounted
 * with further options ("redirect_dir=on", or NULL).  Not for the others.
 */
Filesystem fs_prepare_overlay(FsKind kind, const char *name);
void fs_mount_overlay(const Filesystem *fs, const char *options);
/* Mounts it again where it was. Only while its device still has its file: not after autoclear. */
void fs_mount_on(const Filesystem *fs, const char *path);
/* Whether the loop device still has its file, without opening the device. */
bool fs_is_loop_attached(const Filesystem *fs);
