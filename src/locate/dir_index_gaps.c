/* SPDX-License-Identifier: MIT */

/*
 * The directories that an index could not get hold of.  They are counted, and the first of them is
 * kept by name and reason, so that a person can be told what kind of thing is missing.
 */

#include "locate/dir_index.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/path.h"
#include "locate/dir_index_private.h"

void dir_index_set_path(DirIndex *x, const DirNode *n, const char *name, size_t n_name) {
        buffer_clear(&x->path);
        if (dir_tree_path(x->tree, n, &x->path) < 0) {
                buffer_clear(&x->path);
                return;
        }
        if (n_name == 0)
                return;
        if (x->path.n_bytes > 1)
                buffer_append_char(&x->path, '/');
        buffer_append(&x->path, name, n_name);
}

static void note_gap_at(DirIndex *x, int error, const char *path, size_t n_path) {
        if (x->gaps.n_directories++ > 0)
                return;
        x->gaps.error = error;
        free(x->gap_path);
        x->gap_path = strndup(path, n_path);
}

void dir_index_note_gap(DirIndex *x, int error, const DirNode *n, const char *name, size_t n_name) {
        dir_index_set_path(x, n, name, n_name);
        note_gap_at(x, error, buffer_terminate(&x->path), x->path.n_bytes);
}

void dir_index_note_mounts_outside(DirIndex *x) {
        size_t n_outside = 0;

        dir_index_set_path(x, dir_tree_root(x->tree), "", 0);
        for (size_t i = 0; i < x->scopes->n_mounts; i++) {
                const ScopeMount *m = &x->scopes->mounts[i];

                if (path_is_within(m->root, m->n_root, x->path.bytes, x->path.n_bytes) ||
                    !scope_set_find_mount_of(x->scopes, m->root, m->n_root))
                        continue;
                if (++n_outside <= x->n_outside)
                        continue;
                x->n_outside = n_outside;
                note_gap_at(x, -EXDEV, m->root, m->n_root);
        }
}

bool dir_index_take_gaps(DirIndex *x, DirIndexGaps *ret_gaps) {
        if (x->gaps.n_directories == 0)
                return false;
        x->gaps.path = x->gap_path ? x->gap_path : "";
        *ret_gaps = x->gaps;
        x->gaps = (DirIndexGaps){0};
        return true;
}
