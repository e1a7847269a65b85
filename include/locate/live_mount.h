/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Asking the living filesystem where a directory is, without standing in the way of umount(8).
 */

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/cleanup.h"
#include "capture/fan_event.h"
#include "locate/handle_buffer.h"

typedef struct LiveMount LiveMount;

/*
 * live_mount_new() - get hold of the filesystem mounted at a path
 *
 * Clones the mount into a detached one (open_tree(2)): a descriptor on the mount itself would
 * make umount fail with EBUSY. The clone keeps the superblock: free this object when the
 * filesystem is unmounted, or its device stays busy.
 * @is_whole: the root of the filesystem is mounted there, so that nothing of it lies outside
 *
 * Return: 0, -EPERM CAP_SYS_ADMIN is missing, -EOPNOTSUPP no file handles here, -ENOMEM, errors of
 * open_tree(2) and name_to_handle_at(2).
 */
int live_mount_new(const char *point, bool is_whole, LiveMount **ret_mount);
/*
 * live_mount_new_top() - the same of a btrfs of which only a subvolume is mounted at the path
 * @source: its device as mountinfo has it
 *
 * Of its top level, in which all subvolumes are directories.
 * Return: 0, -ENOMEM, errors of btrfs_top_clone().
 */
int live_mount_new_top(const char *point, const char *source, LiveMount **ret_mount);
/* Closes the clone, so that the filesystem can go; takes NULL. */
LiveMount *live_mount_free(LiveMount *m);
void live_mount_freep(LiveMount **m);
#define _cleanup_live_mount_ _cleanup_(live_mount_freep)

/* Its root directory, to mark the filesystem by; borrows from the mount. */
int live_mount_fd(const LiveMount *m);
/* What a handle names, for its path and status only (O_PATH). Return: a descriptor, -ESTALE. */
int live_mount_open(const LiveMount *m, const FileHandle *h);
/*
 * live_mount_path_of() - what /proc calls a descriptor of the mount, from the mount's root
 *
 * It may be deleted, or not have a path at all: see the callers.
 * Return: length of the path, -ENAMETOOLONG when it does not fit a page, errors of readlink(2).
 */
int live_mount_path_of(int fd, char ret_path[static PATH_MAX]);
/* The handle of the mount's root directory; borrows from the mount. */
FileHandle live_mount_root(const LiveMount *m);

/* One step upwards: `child`'s parent and its name there. */
typedef struct LiveStep {
        uint8_t n_child, n_parent;
        int32_t child_type, parent_type;
        uint8_t child[HANDLE_BUFFER_MAX_BYTES];
        uint8_t parent[HANDLE_BUFFER_MAX_BYTES];
        char name[256]; /* NUL-terminated; NAME_MAX is 255 bytes */
} LiveStep;

/* Grows as needed and is reused; release with free(.steps). */
typedef struct LiveChain {
        LiveStep *steps;
        size_t n_steps;
        size_t n_allocated;
} LiveChain;

typedef bool (*LiveStopFunction)(void *userdata, const FileHandle *parent);

/*
 * live_mount_walk() - where a directory is at this moment
 * @directory: its handle
 * @stop:      asked for each parent: true when the caller knows the way up from there
 * @ret_chain: filled on 0, from the directory upwards, up to the root or to where stop() said so
 *
 * The path is read before and after the walk and must be the same, so the steps belong together.
 *
 * Return: 0, -ESTALE the directory is gone or going, or cannot be looked at for any other reason;
 * -EXDEV it lies outside of this mount, which shows a part of its filesystem; -ENOMEM.
 */
int live_mount_walk(LiveMount *m, const FileHandle *directory, LiveStopFunction stop,
                    void *userdata, LiveChain *ret_chain);
