/* SPDX-License-Identifier: MIT */

/*
 * How a directory gets into the index: opened, known by its handle, marked, and put into the tree
 * at the place where it was seen.
 *
 * The tree is the state at the event which is being located, what is seen is the state of now: so a
 * node that has a place keeps it unless events were lost, and what was seen is the answer where no
 * event gives one.
 */

#include "locate/dir_index.h"

#include <errno.h>
#include <string.h>

#include "base/cleanup.h"
#include "locate/dir_index_private.h"
#include "locate/handle_buffer.h"

bool dir_index_is_no_directory(int error) {
        return error == -ENOENT || error == -ENOTDIR || error == -ELOOP || error == -ESTALE ||
               error == -EXDEV;
}

static ScopeClass class_of(DirIndex *x, const DirNode *parent, const char *name, size_t n_name) {
        const ScopeMount *mount;
        ScopeClass class;

        if (parent->is_deep)
                return SCOPE_ALL;
        dir_index_set_path(x, parent, name, n_name);
        if (x->path.n_bytes == 0)
                return SCOPE_NONE;
        class = scope_set_classify(x->scopes, x->path.bytes, x->path.n_bytes, &x->visible, &mount);
        /* Nobody asked for it where it is, but for what is mounted elsewhere of a directory below.
         */
        if (class == SCOPE_NONE &&
            scope_set_find_mount_of(x->scopes, x->path.bytes, x->path.n_bytes))
                class = SCOPE_SOME;
        return class;
}

/* Marks an open directory that has a node, once. Return: 1 it is new, 0 it was marked, errors. */
static int mark(DirIndex *x, int fd, DirNode *n, bool is_deep) {
        bool is_widened = is_deep && !n->is_deep, is_new = !n->is_marked;
        int r;

        if (is_new) {
                if (dir_tree_n_marked(x->tree) >= DIR_INDEX_MAX_DIRECTORIES)
                        return -ENOSPC;
                /* In this order: what is told to have come is told to have moved there, too. */
                r = fan_group_mark_directory(x->group, fd);
                if (r >= 0)
                        r = new_directories_mark(x->new_directories, fd);
                if (r < 0)
                        return r;
                dir_tree_set_marked(x->tree, n);
        }
        is_new = is_new || is_widened || n->round != x->round;
        n->is_deep = n->is_deep || is_deep;
        n->round = x->round;
        return is_new;
}

int dir_index_mark_root(DirIndex *x, int fd) {
        DirNode *root = dir_tree_root(x->tree);

        return mark(x, fd, root, class_of(x, root, "", 0) == SCOPE_ALL);
}

static int get_node(DirIndex *x, int fd, DirNode **ret_node) {
        HandleBuffer b;
        FileHandle h;
        int r = handle_buffer_take(fd, &b);

        if (r < 0)
                return r;
        h = handle_buffer_view(&b);
        return dir_tree_get(x->tree, &h, ret_node);
}

static bool is_at(const DirNode *n, const DirNode *parent, const char *name, size_t n_name) {
        return n->parent == parent && n->n_name == n_name && memcmp(n->name, name, n_name) == 0;
}

/*
 * A directory that is marked is seen at a place. Was it moved there from where no mark was yet, no
 * event names this place: of an event that only says that it went it is the answer.
 */
static int find_again(DirIndex *x, DirNode *n, DirNode *parent, const char *name, size_t n_name) {
        FileHandle h = dir_node_handle(n);
        FanName now;

        if (n->is_root || is_at(n, parent, name, n_name))
                return 0;
        if (dir_node_is_known(n))
                return dir_tree_note_found(n, parent, name, n_name);
        if (later_events_last(x->opener.later, &h, &now))
                return 0;
        if (dir_tree_set(x->tree, n, parent, name, n_name) == -ENOMEM)
                return -ENOMEM;
        return dir_index_return(x, &h);
}

/* The node gets its place; after a loss of events a walk may find it elsewhere. */
static int place(DirIndex *x, DirNode *n, DirNode *parent, const char *name, size_t n_name) {
        FileHandle h = dir_node_handle(n);
        FanName now;

        if (dir_node_is_known(n)) {
                if (is_at(n, parent, name, n_name) || x->round == 1 ||
                    later_events_last(x->opener.later, &h, &now))
                        return find_again(x, n, parent, name, n_name);
        }
        /* A contradiction leaves it unknown, and an event in flight may tell more. */
        return dir_tree_set(x->tree, n, parent, name, n_name) == -ENOMEM ? -ENOMEM : 0;
}

/* Without a mark there is no event about it: or else the tree would outgrow the bound on marks. */
static void forget_unmarked(DirIndex *x, DirNode *n) {
        if (!n->is_marked && !n->is_root && !n->first_child && !dir_node_is_known(n))
                dir_tree_remove(x->tree, n);
}

int dir_index_add(DirIndex *x, int parent_fd, DirNode *parent, const char *name,
                  const WaitingDirectory *listed) {
        _cleanup_close_ int fd = -1;
        size_t n_name = strlen(name);
        ScopeClass class = class_of(x, parent, name, n_name);
        DirNode *n = NULL;
        int r;

        if (class == SCOPE_NONE)
                return 0;
        r = dir_opener_open_at(parent_fd, name, &fd);
        if (r >= 0)
                r = get_node(x, fd, &n);
        if (dir_index_is_no_directory(r))
                return 0;
        if (r >= 0)
                r = mark(x, fd, n, class == SCOPE_ALL);
        /* What has come is told of by its rename, too. */
        if (r == 0)
                return listed ? find_again(x, n, parent, name, n_name) : 0;
        if (r < 0) {
                dir_index_note_gap(x, r, parent, name, n_name);
                if (n)
                        forget_unmarked(x, n);
                return 0;
        }
        r = place(x, n, parent, name, n_name);
        return r < 0 ? r : dir_index_push(x, n, &fd, listed && listed->is_walk);
}
