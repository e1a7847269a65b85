/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Watching a filesystem directory by directory, where it cannot be marked as a whole: a walk that
 * marks each directory and puts it into the tree, and that goes on as directories come.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "capture/fan_group.h"
#include "capture/new_directories.h"
#include "capture/scope.h"
#include "locate/dir_tree.h"
#include "locate/later_events.h"
#include "locate/live_mount.h"

/* Bound on directories that are marked: of more some stay without, which is counted. Each takes
 * some 300 bytes here and two marks and its inode, some 1.5 KiB, in the kernel. */
#define DIR_INDEX_MAX_DIRECTORIES ((size_t)4 * 1024 * 1024)

typedef struct DirIndex DirIndex;

/* Directories that could not be marked or listed: what is deleted there is not told. */
typedef struct DirIndexGaps {
        uint64_t n_directories;
        int error;        /* of the first one, a negative errno */
        const char *path; /* of the first one, in the filesystem; borrowed until the next call */
} DirIndexGaps;

/*
 * dir_index_new() - mark the root of a mount, and get ready to walk
 * @group:  what shall tell of deletions; borrowed
 * @mount:  borrowed, until dir_index_stop()
 * @scopes: borrowed: of directories that are neither in a target nor on the way to one there is no
 *          walk
 * @tree:   borrowed: gets a node for each directory that is marked
 * @later:  borrowed: the events in flight
 *
 * Return: 0, -EOPNOTSUPP or -ENODEV not even one directory can be marked, -ENOMEM, errors of
 * fan_group_mark_directory() and new_directories_new().
 */
int dir_index_new(FanGroup *group, const LiveMount *mount, const ScopeSet *scopes, DirTree *tree,
                  const LaterEvents *later, DirIndex **ret_index);
DirIndex *dir_index_free(DirIndex *x);

/* Readable when there are new directories. */
int dir_index_fd(const DirIndex *x);

/*
 * dir_index_follow() - mark the directories that have come since the last time
 *
 * To be called right after the deletion events have been read, and often: what is deleted in a
 * directory before it is marked is not told.  What is in them is left to dir_index_walk().
 *
 * Return: 0, -ENOMEM, errors of reading the events.
 */
int dir_index_follow(DirIndex *x);

/*
 * dir_index_walk() - list directories that wait for it, and mark what is in them
 * @until_nsec: monotonic; ends soon after, in the middle of a large directory, too
 *
 * Return: 1 there are more, 0 all is marked, -ENOMEM.
 */
int dir_index_walk(DirIndex *x, uint64_t until_nsec);

/*
 * dir_index_return() - a directory that was moved out of sight is back in the tree
 *
 * What came to be in it meanwhile is looked for.  Return: 0, -ENOMEM.
 */
int dir_index_return(DirIndex *x, const FileHandle *directory);

bool dir_index_is_walking(const DirIndex *x);
/* Times that all was marked that was there when the walk began; what came may still wait. */
uint64_t dir_index_n_walks(const DirIndex *x);

/* Events were lost, or there are other targets: everything is to be walked once more. */
void dir_index_walk_again(DirIndex *x);
/* No event comes any more; lets go of the mount. */
void dir_index_stop(DirIndex *x);

size_t dir_index_n_directories(const DirIndex *x);
/* Since the last call. Return: false when there are none. */
bool dir_index_take_gaps(DirIndex *x, DirIndexGaps *ret_gaps);
