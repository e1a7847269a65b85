/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What is known of the directories of one filesystem: for each handle, its parent and its name.
 *
 * A tree, not a table of paths: a directory that is renamed changes one node, and the paths of all
 * that lies below follow.  The tree is the state at the position of the event that is being
 * located, no earlier and no later.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/hash_table.h"
#include "capture/fan_event.h"
#include "capture/scope.h"

/* Bound on nodes; the least recently used leaf goes first. About 300 bytes each. Only a chain of
 * more directories than this, one in the other, passes it: of such a chain none but the end goes.
 */
#define DIR_TREE_MAX_NODES 65536
/* No path is deeper; a chain that is has a cycle, made of facts that contradict each other. */
#define DIR_TREE_MAX_DEPTH 16384

/* Where a directory is visible; computed once for each node, until anything above is renamed. */
typedef struct DirPlace {
        ScopeClass class;
        const ScopeMount *mount; /* NULL: not visible in this namespace */
        char *path;              /* visible path, NUL-terminated */
        size_t n_path;
} DirPlace;

/* Where a directory was found that the tree has elsewhere. */
typedef struct DirFound {
        int32_t handle_type; /* of its parent */
        uint32_t n_handle;
        size_t n_name;
        uint8_t bytes[]; /* the handle, then the name */
} DirFound;

typedef struct DirNode {
        HashLink link;
        struct DirNode *parent; /* NULL: the root, or not known */
        struct DirNode *first_child, *previous_sibling, *next_sibling;
        struct DirNode *newer, *older; /* by last use */
        bool is_root;
        bool is_lost; /* waited for in vain: do not wait again */
        /* Of a filesystem that is watched directory by directory (dir_index.h): */
        bool is_marked;   /* its events are told */
        bool is_deep;     /* all below it is watched, not only the way to a target */
        bool is_outside;  /* it was moved out of what is watched: nobody knows where to */
        bool is_unlisted; /* it was to be listed while it was out of sight */
        DirFound *found;  /* NULL: as far as one knows it is there */
        uint32_t round;   /* of the walk that listed it */
        char *name;
        size_t n_name;
        DirPlace place;
        uint64_t place_epoch; /* of the tree when .place was computed, 0 never */
        int32_t handle_type;
        uint32_t n_handle;
        uint8_t handle[];
} DirNode;

typedef struct DirTree DirTree;

/* A tree of nothing but the root, whose handle is copied. Return: 0, -ENOMEM. */
int dir_tree_new(const FileHandle *root, DirTree **ret_tree);
/* Another bound than DIR_TREE_MAX_NODES: of a tree that cannot ask for what it has evicted. */
void dir_tree_set_max(DirTree *t, size_t n_max_nodes);
DirNode *dir_tree_root(const DirTree *t);
/* The root is that of a mount which shows this directory of its filesystem. Return: 0, -ENOMEM. */
int dir_tree_set_root_path(DirTree *t, const char *path);
/* Frees the tree with its nodes; takes NULL. */
DirTree *dir_tree_free(DirTree *t);

/* The node of a handle, or NULL. Counts as a use. */
DirNode *dir_tree_find(DirTree *t, const FileHandle *handle);
/* The same, made with nothing known when there was none. Return: 0, -ENOMEM. */
int dir_tree_get(DirTree *t, const FileHandle *handle, DirNode **ret_node);
/* Borrows the node's bytes. */
FileHandle dir_node_handle(const DirNode *n);
/* Its parent and name are known, or it is the root; those above it need not be known. */
bool dir_node_is_known(const DirNode *n);

/*
 * dir_tree_set() - a node's parent and name are known, or are now others
 *
 * Return: 0, -ELOOP the parent lies below the node (facts that contradict each other: the node is
 * not known afterwards), -ENOMEM.
 */
int dir_tree_set(DirTree *t, DirNode *n, DirNode *parent, const char *name, size_t n_name);
/*
 * dir_tree_note_found() - a directory is now elsewhere than at the position of the tree
 *
 * An event that is still in flight tells of it, and perhaps not where to: then it is there.
 * Return: 0, -ENOMEM.
 */
int dir_tree_note_found(DirNode *n, const DirNode *parent, const char *name, size_t n_name);
/* The node's place is where it was found. Return: as dir_tree_set(), -ENOENT it was not found. */
int dir_tree_use_found(DirTree *t, DirNode *n);
/* The node's place is not known any more; it and those below it stay in the tree. */
void dir_tree_forget(DirTree *t, DirNode *n);
/* Forgets every node but the root: after a loss of events nothing is certain. */
void dir_tree_forget_all(DirTree *t);
/* The directory is gone. The pointer is invalid afterwards. */
void dir_tree_remove(DirTree *t, DirNode *n);

/* The directory itself is marked: it is counted until its node is removed. */
void dir_tree_set_marked(DirTree *t, DirNode *n);
size_t dir_tree_n_marked(const DirTree *t);

/* Appends the path inside the filesystem. Return: 0, -ENOENT a node above is not known, -ELOOP. */
int dir_tree_path(const DirTree *t, const DirNode *n, Buffer *ret_path);
/* Changes whenever a cached place may be wrong; never 0. */
uint64_t dir_tree_epoch(const DirTree *t);
/* Makes all cached places wrong: the mount table or the targets changed. */
void dir_tree_bump_epoch(DirTree *t);
/* Nodes there are, the root and those of which nothing is known included. */
size_t dir_tree_n_nodes(const DirTree *t);
/* Nodes that dir_tree_evict() has taken away since dir_tree_new(). */
uint64_t dir_tree_n_evicted(const DirTree *t);
/* Makes room when over the bound; no borrowed node but `keep` and those above it survives. */
void dir_tree_evict(DirTree *t, const DirNode *keep);
