/* SPDX-License-Identifier: MIT */

/*
 * The walk of a tree that changes under it.
 *
 * A directory is first marked and then listed: what comes into it before the listing is listed,
 * what comes later is told, and what is seen twice is found in the tree by its handle.  Between the
 * opening of a directory and its node in the tree no event is applied to the tree; whatever
 * happened to it before its parent's mark was looked through, and whatever happens from then on is
 * queued and will change the node in its turn.  So nodes are neither missed nor doubled, and they
 * never tell a later place than that of the event which is being located.
 *
 * Marks, measured on Linux 6.18: an inode's mark holds the inode, so that it and the handle stay
 * when memory is short (drop_caches), over renames and over remounts.  Of an overlay the handle is
 * that of the lowest directory it is made of, and stays when that is copied up: deletions in it,
 * redirect_dir and nfs_export change nothing.  Marks do not keep a filesystem from being unmounted.
 *
 * Limits: a directory that was moved out of sight keeps its marks: without a path there is no way
 * to it; its events are known by its node and dropped.
 *
 * Source: fs/notify/mark.c, ovl_check_encode_origin() in fs/overlayfs/export.c of Linux 6.18.
 */

#include "locate/dir_index.h"

#include <errno.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "locate/dir_index_private.h"

int dir_index_push(DirIndex *x, const DirNode *n, int *fd, bool is_walk) {
        FileHandle h = dir_node_handle(n);

        return waiting_directories_push(&x->waiting, &h, fd, is_walk);
}

static int start(DirIndex *x) {
        _cleanup_close_ int fd = -1;
        int r;

        r = dir_opener_open_at(x->opener.root_fd, ".", &fd);
        if (r >= 0)
                r = dir_index_mark_root(x, fd);
        dir_index_note_mounts_outside(x);
        return r < 0 ? r : dir_index_push(x, dir_tree_root(x->tree), &fd, true);
}

int dir_index_new(FanGroup *group, const LiveMount *mount, const ScopeSet *scopes, DirTree *tree,
                  const LaterEvents *later, DirIndex **ret_index) {
        DirIndex *x = calloc(1, sizeof(*x));
        int r;

        if (!x)
                return -ENOMEM;
        x->group = group;
        x->scopes = scopes;
        x->tree = tree;
        x->opener = (DirOpener){.root_fd = live_mount_fd(mount), .tree = tree, .later = later};
        x->round = 1;
        r = new_directories_new(&x->new_directories);
        if (r >= 0)
                r = start(x);
        if (r < 0) {
                dir_index_free(x);
                return r;
        }
        dir_tree_set_max(tree, SIZE_MAX);
        *ret_index = x;
        return 0;
}

void dir_index_stop(DirIndex *x) {
        dir_index_end_listing(x);
        waiting_directories_forget(&x->waiting);
        new_directories_stop(x->new_directories);
        x->opener.root_fd = -1;
        x->is_stopped = true;
}

DirIndex *dir_index_free(DirIndex *x) {
        if (!x)
                return NULL;
        dir_index_end_listing(x);
        waiting_directories_forget(&x->waiting);
        new_directories_free(x->new_directories);
        dir_opener_done(&x->opener);
        buffer_done(&x->path);
        buffer_done(&x->visible);
        free(x->gap_path);
        free(x);
        return NULL;
}

int dir_index_fd(const DirIndex *x) {
        return new_directories_fd(x->new_directories);
}

void dir_index_walk_again(DirIndex *x) {
        if (x->is_stopped)
                return;
        x->round++;
        dir_index_note_mounts_outside(x);
        dir_tree_root(x->tree)->round = x->round;
        /* Without memory the next loss asks for it again; there is nothing to lose but that. */
        (void)dir_index_push(x, dir_tree_root(x->tree), NULL, true);
}

bool dir_index_is_walking(const DirIndex *x) {
        return waiting_directories_has_next(&x->waiting) || x->waiting.astray || x->listing;
}

uint64_t dir_index_n_walks(const DirIndex *x) {
        return x->waiting.n_walks;
}

size_t dir_index_n_directories(const DirIndex *x) {
        return dir_tree_n_marked(x->tree);
}
