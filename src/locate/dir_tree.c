/* SPDX-License-Identifier: MIT */

/*
 * Directory handles to (parent, name), with the paths derived.
 *
 * Renames are rare beside deletions, so a rename makes every derived place wrong at once (an
 * epoch) instead of walking what lies below; each is derived again when it is next asked for.
 */

#include "locate/dir_tree.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct DirTree {
        HashTable table;
        DirNode *newest, *oldest;
        DirNode *root;
        uint64_t epoch;
        uint64_t n_evicted;
        char *root_path; /* nothing of it is "/" */
        size_t n_root_path;
        size_t n_max;
        size_t n_marked;
};

static uint64_t handle_hash(const FileHandle *h) {
        return hash_bytes(h->bytes, h->n_bytes) ^ (uint64_t)(uint32_t)h->type;
}

FileHandle dir_node_handle(const DirNode *n) {
        return (FileHandle){.type = n->handle_type, .n_bytes = n->n_handle, .bytes = n->handle};
}

bool dir_node_is_known(const DirNode *n) {
        return n->is_root || n->parent;
}

static void dir_tree_unlink_use(DirTree *t, DirNode *n) {
        if (n->newer)
                n->newer->older = n->older;
        else
                t->newest = n->older;
        if (n->older)
                n->older->newer = n->newer;
        else
                t->oldest = n->newer;
}

static void dir_tree_link_use(DirTree *t, DirNode *n) {
        n->newer = NULL;
        n->older = t->newest;
        if (t->newest)
                t->newest->newer = n;
        else
                t->oldest = n;
        t->newest = n;
}

static void dir_tree_touch(DirTree *t, DirNode *n) {
        if (t->newest == n)
                return;
        dir_tree_unlink_use(t, n);
        dir_tree_link_use(t, n);
}

static void dir_node_unlink_parent(DirNode *n) {
        if (!n->parent)
                return;
        if (n->previous_sibling)
                n->previous_sibling->next_sibling = n->next_sibling;
        else
                n->parent->first_child = n->next_sibling;
        if (n->next_sibling)
                n->next_sibling->previous_sibling = n->previous_sibling;
        n->parent = n->previous_sibling = n->next_sibling = NULL;
}

static void dir_node_link_parent(DirNode *n, DirNode *parent) {
        n->parent = parent;
        n->previous_sibling = NULL;
        n->next_sibling = parent->first_child;
        if (parent->first_child)
                parent->first_child->previous_sibling = n;
        parent->first_child = n;
}

int dir_tree_new(const FileHandle *root, DirTree **ret_tree) {
        DirTree *t = calloc(1, sizeof(*t));
        int r;

        if (!t)
                return -ENOMEM;
        t->epoch = 1;
        t->n_max = DIR_TREE_MAX_NODES;
        r = dir_tree_get(t, root, &t->root);
        if (r < 0) {
                dir_tree_free(t);
                return r;
        }
        t->root->is_root = true;
        *ret_tree = t;
        return 0;
}

void dir_tree_set_max(DirTree *t, size_t n_max_nodes) {
        t->n_max = n_max_nodes;
}

int dir_tree_set_root_path(DirTree *t, const char *path) {
        char *copy = strdup(strcmp(path, "/") == 0 ? "" : path);

        if (!copy)
                return -ENOMEM;
        free(t->root_path);
        t->root_path = copy;
        t->n_root_path = strlen(copy);
        t->epoch++;
        return 0;
}

DirNode *dir_tree_root(const DirTree *t) {
        return t->root;
}

static void dir_node_free(DirNode *n) {
        free(n->place.path);
        free(n->name);
        free(n->found);
        free(n);
}

DirTree *dir_tree_free(DirTree *t) {
        if (!t)
                return NULL;
        while (t->newest) {
                DirNode *n = t->newest;

                t->newest = n->older;
                dir_node_free(n);
        }
        hash_table_done(&t->table);
        free(t->root_path);
        free(t);
        return NULL;
}

DirNode *dir_tree_find(DirTree *t, const FileHandle *handle) {
        uint64_t hash = handle_hash(handle);

        for (HashLink *l = hash_table_first(&t->table, hash); l; l = l->next) {
                DirNode *n = HASH_ENTRY(l, DirNode, link);
                FileHandle h = dir_node_handle(n);

                if (l->hash == hash && file_handle_equal(&h, handle)) {
                        dir_tree_touch(t, n);
                        return n;
                }
        }
        return NULL;
}

int dir_tree_get(DirTree *t, const FileHandle *handle, DirNode **ret_node) {
        DirNode *n = dir_tree_find(t, handle);
        int r;

        if (!n) {
                n = calloc(1, sizeof(*n) + handle->n_bytes);
                if (!n)
                        return -ENOMEM;
                n->handle_type = handle->type;
                n->n_handle = handle->n_bytes;
                memcpy(n->handle, handle->bytes, handle->n_bytes);
                r = hash_table_insert(&t->table, &n->link, handle_hash(handle));
                if (r < 0) {
                        free(n);
                        return r;
                }
                dir_tree_link_use(t, n);
        }
        *ret_node = n;
        return 0;
}

static bool dir_node_is_above(const DirNode *above, const DirNode *n) {
        for (size_t depth = 0; n && depth < DIR_TREE_MAX_DEPTH; n = n->parent, depth++)
                if (n == above)
                        return true;
        return false;
}

static bool is_found_at(const DirFound *f, const DirNode *parent, const char *name, size_t n_name) {
        FileHandle h = dir_node_handle(parent);
        FileHandle found = {.type = f->handle_type, .n_bytes = f->n_handle, .bytes = f->bytes};

        return file_handle_equal(&h, &found) && f->n_name == n_name &&
               memcmp(f->bytes + f->n_handle, name, n_name) == 0;
}

static void forget_found(DirNode *n) {
        free(n->found);
        n->found = NULL;
}

int dir_tree_set(DirTree *t, DirNode *n, DirNode *parent, const char *name, size_t n_name) {
        char *copy;

        if (n->is_root)
                return -ELOOP;
        if (dir_node_is_above(n, parent)) {
                dir_tree_forget(t, n);
                return -ELOOP;
        }
        copy = strndup(name, n_name);
        if (!copy) {
                dir_tree_forget(t, n);
                return -ENOMEM;
        }

        /* Nothing was derived from a node that was not known: the epoch may stand. */
        if (n->parent)
                t->epoch++;
        dir_node_unlink_parent(n);
        dir_node_link_parent(n, parent);
        free(n->name);
        n->name = copy;
        n->n_name = n_name;
        n->is_lost = n->is_outside = false;
        if (n->found && is_found_at(n->found, parent, name, n_name))
                forget_found(n);
        return 0;
}

int dir_tree_note_found(DirNode *n, const DirNode *parent, const char *name, size_t n_name) {
        DirFound *f = malloc(sizeof(*f) + parent->n_handle + n_name);

        if (!f)
                return -ENOMEM;
        f->handle_type = parent->handle_type;
        f->n_handle = parent->n_handle;
        f->n_name = n_name;
        memcpy(f->bytes, parent->handle, parent->n_handle);
        memcpy(f->bytes + f->n_handle, name, n_name);
        free(n->found);
        n->found = f;
        return 0;
}

int dir_tree_use_found(DirTree *t, DirNode *n) {
        FileHandle h;
        DirNode *parent;
        int r;

        if (!n->found)
                return -ENOENT;
        h = (FileHandle){.type = n->found->handle_type,
                         .n_bytes = n->found->n_handle,
                         .bytes = n->found->bytes};
        r = dir_tree_get(t, &h, &parent);
        if (r >= 0)
                r = dir_tree_set(t, n, parent, (const char *)n->found->bytes + n->found->n_handle,
                                 n->found->n_name);
        forget_found(n);
        return r;
}

void dir_tree_forget(DirTree *t, DirNode *n) {
        if (!n->parent)
                return;
        dir_node_unlink_parent(n);
        t->epoch++;
}

void dir_tree_forget_all(DirTree *t) {
        for (DirNode *n = t->newest; n; n = n->older) {
                dir_node_unlink_parent(n);
                n->is_lost = false;
        }
        t->epoch++;
}

void dir_tree_remove(DirTree *t, DirNode *n) {
        assert(!n->is_root);
        t->n_marked -= n->is_marked;
        /* Children of a directory that is gone were missed when they went; they are unknown now. */
        while (n->first_child)
                dir_tree_forget(t, n->first_child);
        dir_node_unlink_parent(n);
        hash_table_remove(&t->table, &n->link);
        dir_tree_unlink_use(t, n);
        dir_node_free(n);
}

void dir_tree_set_marked(DirTree *t, DirNode *n) {
        t->n_marked += !n->is_marked;
        n->is_marked = true;
}

size_t dir_tree_n_marked(const DirTree *t) {
        return t->n_marked;
}

int dir_tree_path(const DirTree *t, const DirNode *n, Buffer *ret_path) {
        const DirNode *at;
        size_t n_path = t->n_root_path, depth = 0;
        char *end;

        for (at = n; !at->is_root; at = at->parent) {
                if (!at->parent)
                        return -ENOENT;
                if (++depth > DIR_TREE_MAX_DEPTH)
                        return -ELOOP;
                n_path += 1 + at->n_name;
        }
        if (n_path == 0) {
                buffer_append_char(ret_path, '/');
                return 0;
        }
        if (buffer_reserve(ret_path, n_path) < 0)
                return -ENOMEM;
        end = ret_path->bytes + ret_path->n_bytes + n_path;
        for (at = n; !at->is_root; at = at->parent) {
                end -= at->n_name;
                memcpy(end, at->name, at->n_name);
                *--end = '/';
        }
        if (t->n_root_path > 0)
                memcpy(end - t->n_root_path, t->root_path, t->n_root_path);
        ret_path->n_bytes += n_path;
        return 0;
}

uint64_t dir_tree_epoch(const DirTree *t) {
        return t->epoch;
}

void dir_tree_bump_epoch(DirTree *t) {
        t->epoch++;
}

size_t dir_tree_n_nodes(const DirTree *t) {
        return t->table.n_links;
}

uint64_t dir_tree_n_evicted(const DirTree *t) {
        return t->n_evicted;
}

void dir_tree_evict(DirTree *t, const DirNode *keep) {
        /* A node with children moves to the front; each is passed over once at the most. */
        size_t n_tries = t->table.n_links;

        while (t->table.n_links > t->n_max && n_tries-- > 0) {
                DirNode *n = t->oldest;

                if (n->is_root || n->first_child || n == keep) {
                        dir_tree_touch(t, n);
                        continue;
                }
                dir_tree_remove(t, n);
                t->n_evicted++;
        }
}
