/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Where an event happened: the path of its directory at the moment of the event.
 *
 * The rule for a directory's place at the position of an event: what the events before it left in
 * the tree; else what the first later event about that directory says it was (an rmdir gives its
 * parent and name, a rename its old ones); else, when all events up to now are in flight and none
 * is about it, what the living filesystem says.
 */

#include <stdbool.h>
#include <stdint.h>

#include "capture/flight.h"
#include "capture/scope.h"
#include "locate/dir_tree.h"
#include "locate/later_events.h"
#include "locate/live_mount.h"

typedef enum PathSource {
        PATH_SOURCE_NONE,
        PATH_SOURCE_HANDLE, /* asked the filesystem */
        PATH_SOURCE_CACHE,  /* known from before */
        PATH_SOURCE_RMDIR,  /* from a later rmdir or rename of the directory */
        PATH_SOURCE_INDEX,  /* from a listing of all directories, kept up to date */
} PathSource;

/* The source's name as records have it; never NULL. */
const char *path_source_to_string(PathSource s);

typedef struct Locator Locator;

/*
 * locator_new() - locate the events of one filesystem
 * @mount:     taken on success
 * @root_path: the directory of the filesystem that the mount shows; "/" for all of it
 * @scopes:    borrowed; call locator_scopes_changed() after it changed
 *
 * Return: 0, -ENOMEM.
 */
int locator_new(LiveMount *mount, const char *root_path, const ScopeSet *scopes,
                Locator **ret_locator);
/*
 * locator_keep_index() - the filesystem is watched directory by directory (dir_index.h)
 *
 * All directories are in the tree before their first event, so nothing is forgotten and the
 * filesystem, whose handles may not be opened again, is never asked. To be called before the first
 * event.
 */
void locator_keep_index(Locator *l);
/* What a DirIndex needs; borrowed. */
DirTree *locator_index_tree(Locator *l);
const LaterEvents *locator_later_events(const Locator *l);
LiveMount *locator_mount(const Locator *l);
/* Frees the mount and all that is known; takes NULL. */
Locator *locator_free(Locator *l);

/* Lets go of the mount, when the filesystem is unmounted: only what is known is used then. */
void locator_release_mount(Locator *l);
/* The same mount again, of the same filesystem; taken. */
void locator_set_mount(Locator *l, LiveMount *mount);
/* The scopes are others now: each place is classified again when it is next asked for. */
void locator_scopes_changed(Locator *l);

/*
 * locator_note() - an event was read; remember it if it says where a directory was
 *
 * To be called for every event in the order of reading. Borrows the event's bytes until
 * locator_apply() of the same event. The cost does not grow with the events in flight.
 *
 * Return: 0, -ENOMEM.
 */
int locator_note(Locator *l, const FlightEvent *e);

/*
 * locator_find() - the place of a directory at the position of the oldest event in flight
 * @is_read_on:  false at the first try; true when the queue was read until it was empty since the
 *               last try answered -EAGAIN (or when no more can be read)
 * @ret_place:   borrowed until the next call of any function here
 *
 * Whatever the answer, the tree keeps to DIR_TREE_MAX_NODES.
 *
 * Return: 0; -EAGAIN read on, then ask again; -ESTALE the directory is gone and no later event read
 * so far names it; -EXDEV it is not in the mount; -ELOOP facts that contradict each other; -ENOMEM.
 */
int locator_find(Locator *l, const FileHandle *directory, bool is_read_on,
                 const DirPlace **ret_place, PathSource *ret_source);

/*
 * locator_look_ahead() - learn where a directory is, while the filesystem can still be asked
 *
 * For an event that is not the oldest; when the queue was read until it was empty, as above.
 * Return: 0 also when it cannot be learned, -ENOMEM.
 */
int locator_look_ahead(Locator *l, const FileHandle *directory);

/* Do not wait for this directory again unless an event names it. */
void locator_give_up(Locator *l, const FileHandle *directory);
/* True after locator_give_up(). */
bool locator_is_lost(Locator *l, const FileHandle *directory);

/* The oldest event leaves: the tree becomes the state behind it. */
void locator_apply(Locator *l, const FlightEvent *e);

/*
 * locator_fs_path() - the path inside the filesystem of a name, at the position of the oldest event
 * @name: its directory was asked for by locator_find()
 *
 * Return: 0, -ENOENT not known, -ELOOP, -ENOMEM.
 */
int locator_fs_path(Locator *l, const FanName *name, Buffer *ret_path);

/* Events were lost: nothing in the tree is certain any more. */
void locator_forget_all(Locator *l);

/*
 * locator_show() - the path that a user sees of a path in the mount
 * @ret_path: cleared and filled; empty where it is not visible
 */
void locator_show(Locator *l, const char *path, Buffer *ret_path);

/* What is known, for counting; borrowed from the locator. */
const DirTree *locator_tree(const Locator *l);
