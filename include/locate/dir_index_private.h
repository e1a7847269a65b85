/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What the files of the index share: its state, and how a directory gets into it.
 */

#include <dirent.h>

#include "base/buffer.h"
#include "locate/dir_index.h"
#include "locate/dir_opener.h"
#include "locate/waiting_directories.h"

struct DirIndex {
        FanGroup *group;
        NewDirectories *new_directories;
        const ScopeSet *scopes;
        DirTree *tree;
        DirOpener opener;
        WaitingDirectories waiting;
        WaitingDirectory *listed; /* the one that is being listed … */
        DIR *listing;             /* … so far */
        uint32_t round;
        Buffer path, visible;
        DirIndexGaps gaps;
        char *gap_path;
        size_t n_outside; /* mounts that the walk cannot come to */
        bool is_stopped;
};

/* The node's directory is to be listed; @fd as of waiting_directories_push(). Return: likewise. */
int dir_index_push(DirIndex *x, const DirNode *n, int *fd, bool is_walk);

/* dir_index_gaps.c */

/* Puts the path of what is called so in a directory into .path; empty when it is not known. */
void dir_index_set_path(DirIndex *x, const DirNode *n, const char *name, size_t n_name);
/* What is called so in a directory, or without a name the directory itself, is not watched. */
void dir_index_note_gap(DirIndex *x, int error, const DirNode *n, const char *name, size_t n_name);
/* What is mounted of the filesystem from outside of this root cannot be walked to. */
void dir_index_note_mounts_outside(DirIndex *x);

/* dir_index_add.c */

/* What is called so is not there any more, is no directory, or is of another filesystem. */
bool dir_index_is_no_directory(int error);
/* Marks the open root of the mount, which has a node. Return: 0 or 1, errors of marking. */
int dir_index_mark_root(DirIndex *x, int fd);
/*
 * dir_index_add() - mark what is called so in an open directory, if it is a directory that matters
 * @listed: where it was found; NULL: it has come
 *
 * It gets its node, and waits to be listed.  Return: 0, -ENOMEM.
 */
int dir_index_add(DirIndex *x, int parent_fd, DirNode *parent, const char *name,
                  const WaitingDirectory *listed);

/* dir_index_walk.c */

/* Ends the listing, at whatever name it is. */
void dir_index_end_listing(DirIndex *x);
