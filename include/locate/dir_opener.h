/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Opening a directory of the tree where it is now.
 */

#include <stddef.h>

#include "locate/dir_tree.h"
#include "locate/later_events.h"

typedef struct DirOpener {
        int root_fd; /* the tree's root */
        DirTree *tree;
        const LaterEvents *later; /* what has been read and not yet been applied to the tree */
        struct DirOpenerName {
                const char *at;
                size_t n;
        } * names; /* on the way up */
        size_t n_names, n_allocated;
} DirOpener;

void dir_opener_done(DirOpener *o);

/*
 * dir_opener_open() - open a directory for reading
 * @ret_fd: what it leads to has been compared with the node's handle
 *
 * Without symlinks, without other mounts, at any depth, and without a trace in its access time.
 *
 * Return: 0; -ENOENT an event in flight says that it, or one above, is gone or out of sight;
 * -ESTALE it is not there, by an event that has not been read yet; -ELOOP facts that contradict
 * each other; -ENOMEM; errors of openat2(2).
 */
int dir_opener_open(DirOpener *o, const DirNode *n, int *ret_fd);
/* The same for a name in an open directory; what is no directory is -ENOTDIR or -ELOOP. */
int dir_opener_open_at(int directory_fd, const char *name, int *ret_fd);
