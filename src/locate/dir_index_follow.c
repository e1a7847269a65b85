/* SPDX-License-Identifier: MIT */

/*
 * Following the directories that come: those that are made or moved into one that is marked, and
 * those that return from where nothing is watched.
 *
 * Limits: what is deleted in a new directory before its mark is not told.
 */

#include "locate/dir_index.h"

#include <errno.h>
#include <string.h>

#include "base/cleanup.h"
#include "locate/dir_index_private.h"

/* New directories of one dir_index_follow(), so that deletions get their turn. */
#define FOLLOW_MAX_EVENTS 1024

/* The next node below `top`, those below it first; NULL none. */
static DirNode *next_below(const DirNode *top, DirNode *n) {
        if (n->first_child)
                return n->first_child;
        while (n != top && !n->next_sibling)
                n = n->parent;
        return n == top ? NULL : n->next_sibling;
}

int dir_index_return(DirIndex *x, const FileHandle *directory) {
        DirNode *top = dir_tree_find(x->tree, directory);

        for (DirNode *n = top; n && !x->is_stopped; n = next_below(top, n)) {
                if (!n->is_unlisted)
                        continue;
                if (dir_index_push(x, n, NULL, false) < 0)
                        return -ENOMEM;
                n->is_unlisted = false;
        }
        return 0;
}

/* Puts a name into a directory whose node is known. Return: 0, -ENOMEM. */
static int follow_one(DirIndex *x, const FanName *name) {
        _cleanup_close_ int fd = -1;
        DirNode *parent = dir_tree_find(x->tree, &name->directory);
        char text[256];

        /* Not marked is what an event told of that came with the mark's end. */
        if (!parent || !parent->is_marked || name->n_name >= sizeof(text))
                return 0;
        /* Where it is not found now, it is looked for until it is, and then listed. */
        if (dir_opener_open(&x->opener, parent, &fd) < 0)
                return dir_index_push(x, parent, NULL, false);
        memcpy(text, name->name, name->n_name);
        text[name->n_name] = '\0';
        return dir_index_add(x, fd, parent, text, NULL);
}

int dir_index_follow(DirIndex *x) {
        FanName name;
        int r = 0;

        for (size_t i = 0; i < FOLLOW_MAX_EVENTS && !x->is_stopped; i++) {
                r = new_directories_next(x->new_directories, &name);
                if (r == 0)
                        break;
                if (r == -EBADMSG || (r > 0 && !name.directory.bytes)) {
                        dir_index_walk_again(x);
                        continue;
                }
                if (r > 0)
                        r = follow_one(x, &name);
                if (r < 0)
                        return r;
        }
        return 0;
}
