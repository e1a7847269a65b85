/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * From a path inside a filesystem to the path a user sees, and whether anyone watches it.
 *
 * A filesystem mark reports all of a filesystem, and one filesystem can be mounted at several
 * places (bind mounts): a directory of it has one path inside the filesystem and any number of
 * visible ones.  A ScopeSet holds, for one filesystem, where it is visible and which of the user's
 * paths lie there.
 */

#include <stdbool.h>
#include <stddef.h>

#include "base/buffer.h"

/* A path the user asked for: absolute, free of symlinks. */
typedef struct ScopeTarget {
        char *path;
        size_t n_path;
        bool is_directory; /* it was one when the watch began: its parent's removal says nothing new
                            */
} ScopeTarget;

/* A place where the filesystem, or a directory of it, is visible. */
typedef struct ScopeMount {
        char *root; /* directory inside the filesystem, "/" for all of it */
        size_t n_root;
        char *point; /* where it is mounted */
        size_t n_point;
        char *fstype;
        char *source;
} ScopeMount;

typedef struct ScopeSet {
        ScopeMount *mounts; /* those that a target lies on or above first */
        size_t n_mounts;
        const ScopeTarget *targets; /* borrowed, all of the user's */
        size_t n_targets;
} ScopeSet;

typedef enum ScopeClass {
        SCOPE_NONE, /* no target in, above or below this directory */
        SCOPE_SOME, /* on the way to a target: each full path must be asked about */
        SCOPE_ALL,  /* inside a target */
} ScopeClass;

/* Adds a copy. Return: 0, -ENOMEM. */
int scope_set_add_mount(ScopeSet *s, const char *root, const char *point, const char *fstype,
                        const char *source);
void scope_set_done(ScopeSet *s);

/*
 * scope_set_classify() - where is a directory visible, and does it matter
 * @fs_path:    the directory's path inside the filesystem
 * @ret_path:   cleared and filled with the visible path; empty when the directory is not visible
 * @ret_mount:  the mount it was taken from, borrowed until the next _add_mount(); NULL likewise
 *
 * Of several visible paths, one inside a target wins, then one on the way to a target.
 */
ScopeClass scope_set_classify(const ScopeSet *s, const char *fs_path, size_t n_fs_path,
                              Buffer *ret_path, const ScopeMount **ret_mount);

typedef enum ScopeEvent {
        SCOPE_EVENT_FILE_GONE,
        SCOPE_EVENT_DIRECTORY_GONE,
        SCOPE_EVENT_DIRECTORY_MOVED,
} ScopeEvent;

/*
 * scope_set_wants() - does what happened to one visible path concern a target
 *
 * Yes for a target and all below it; for the directory that held a target which is not a directory,
 * when it goes; and for any directory above a target, when it is moved away with it.
 */
bool scope_set_wants(const ScopeSet *s, const char *path, size_t n_path, ScopeEvent event);
