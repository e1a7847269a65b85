/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * A btrfs as distributions lay it out: "/" is its subvolume @, /home its subvolume @home, and its
 * top level is mounted nowhere.  All functions fail the test when they fail.
 */

#include <sys/types.h>

#include "filesystem.h"
#include "truth.h"

typedef struct Btrfs {
        Filesystem fs; /* .path is where its top level was mounted, an empty directory now */
        char *root;    /* where @ is mounted */
        char *home;    /* where @home is mounted, in the other */
} Btrfs;

/* Skips the test where this machine has no btrfs. */
Btrfs btrfs_new(void);
/* With more options, such as "ro"; NULL: none. */
void btrfs_mount(const Btrfs *b, const char *subvolume, const char *path, const char *options);
void btrfs_umount(const char *path);

void btrfs_subvolume_create(const char *path);
void btrfs_snapshot(const char *from, const char *to);
/* With all that it holds, as `btrfs subvolume delete` does it. */
void btrfs_subvolume_delete(const char *path);

/* Its loop device stays attached without a mount, too, until the test ends. */
void btrfs_hold_device(const Filesystem *fs);
/* It is free within two seconds. */
void btrfs_assert_detaches(const Filesystem *fs);

/* Makes and deletes a file; it is to be told by a path, which may be another, unless t is NULL. */
void btrfs_delete_as(Truth *t, const char *real, const char *path, const Process *process);
void btrfs_delete_in(Truth *t, const char *dir, const char *name, const Process *process);

/* All of /proc/PID/mountinfo of a process. */
char *btrfs_mount_table(pid_t pid);
