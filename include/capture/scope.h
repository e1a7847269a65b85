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
#include <stdint.h>

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
        char *subvolume;     /* of a btrfs, that the root lies in; NULL: none, or not known */
        size_t n_moved;      /* so much of the root is where a directory was moved to … */
        uint64_t moved_with; /* … namely this one */
} ScopeMount;

typedef struct ScopeSet {
        ScopeMount *mounts; /* those that a target lies on or above first */
        size_t n_mounts;
        const ScopeTarget *targets; /* borrowed, all of the user's */
        size_t n_targets;
} ScopeSet;

/* More mounts than these do not go within the moment until the events before are read. */
#define SCOPE_FORMER_MAX 256

typedef enum ScopeClass {
        SCOPE_NONE, /* no target in, above or below this directory */
        SCOPE_SOME, /* on the way to a target: each full path must be asked about */
        SCOPE_ALL,  /* inside a target */
} ScopeClass;

/* Adds a copy; subvolume may be NULL. Return: 0, -ENOMEM. */
int scope_set_add_mount(ScopeSet *s, const char *root, const char *point, const char *fstype,
                        const char *source, const char *subvolume);
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

/* Are the same directories mounted at the same places, in the same order? */
bool scope_set_has_same_mounts(const ScopeSet *s, const ScopeSet *other);

/*
 * scope_set_keep_former() - go on showing, too, what was mounted before
 * @former: those of its mounts that s lacks become its last ones, SCOPE_FORMER_MAX at most; only
 *          good for scope_set_done() afterwards
 *
 * Return: 0, -ENOMEM.
 */
int scope_set_keep_former(ScopeSet *s, ScopeSet *former);
/* Takes away all mounts but the first n. */
void scope_set_truncate(ScopeSet *s, size_t n_mounts);

/* Some mount shows but a part of the filesystem. */
bool scope_set_is_partial(const ScopeSet *s);

/* A directory of the filesystem was moved, or went. */
typedef struct ScopeMove {
        const char *from;
        size_t n_from;
        const char *to; /* NULL: it is gone */
        size_t n_to;
        uint64_t target; /* which directory it was: a hash of its handle */
} ScopeMove;

/*
 * scope_set_move() - the roots of the mounts of a directory, and of what is below it, follow it
 *
 * A mount of what is gone shows nothing any more, whatever is made at its path. Where two were
 * exchanged, the second is at the first's path for the time between the two events: a mount stays
 * with the directory that it came with.
 *
 * Return: whether there was any such mount, -ENOMEM.
 */
int scope_set_move(ScopeSet *s, const ScopeMove *move);

/* A mount of this directory or of one below that concerns a target, or NULL; borrowed as above. */
const ScopeMount *scope_set_find_mount_of(const ScopeSet *s, const char *fs_path, size_t n_fs_path);

typedef enum ScopeEvent {
        SCOPE_EVENT_FILE_GONE,
        SCOPE_EVENT_DIRECTORY_GONE,
        SCOPE_EVENT_DIRECTORY_MOVED, /* or gone, with all below it */
} ScopeEvent;

/*
 * scope_set_wants() - does what happened to one visible path concern a target
 *
 * Yes for a target and all below it; for the directory that held a target which is not a directory,
 * when it goes; and for any directory above a target, when it is moved away or goes with it.
 */
bool scope_set_wants(const ScopeSet *s, const char *path, size_t n_path, ScopeEvent event);
