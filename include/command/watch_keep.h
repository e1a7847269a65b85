/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What of a watch outlives the process, where a service manager keeps descriptors: its name (the
 * run), the fanotify groups, and what was read from them and is not yet out.
 *
 * The next instance goes on where this one ended, however it ended.  An event is kept until the
 * sink has accepted its record; a record that was accepted and not noted as such is written again,
 * with the same event.id.
 *
 *      run                    the run's id, streams that were ever begun
 *      MAJ.MIN-STREAM.group   the fanotify group of a filesystem
 *      MAJ.MIN-STREAM.events  what was read from it (kept_events.h)
 *
 *       processes              what is known of processes (process_log.h)
 *      process-events, exits  the sockets that tell of them
 *
 * All functions do nothing without a store.
 */

#include "command/watch_session.h"
#include "identify/witness.h"

typedef struct WatchKeep WatchKeep;

/*
 * watch_keep_new() - take over the run of an earlier instance, or begin one
 * @s: with .store and .host
 *
 * What is left of another version is let go of, and said.
 * Return: 0; a negative errno after having said what failed.
 */
int watch_keep_new(WatchSession *s);
void watch_keep_free(WatchKeep *k);
bool watch_keep_is_there(const WatchSession *s);

/*
 * watch_keep_processes() - what an earlier instance left of processes
 * @ret_kept: as witness_start() takes it; its descriptors are the caller's
 *
 * Return: 1 there is a store, 0 there is none or no memory for it.
 */
int watch_keep_processes(WatchSession *s, WitnessKept *ret_kept);
/* The witness has started. */
void watch_keep_witness(WatchSession *s);

/*
 * watch_keep_find() - what an earlier instance left of a filesystem
 * @ret_kept: .group and .events NULL when there is nothing that fits; .stream is set
 *
 * Return: 1 there is a store, 0 there is none.
 */
int watch_keep_find(WatchSession *s, const CoverageFilesystem *f, WatchedKept *ret_kept);
/* It is watched: keep it from now on. */
void watch_keep_add(WatchSession *s, WatchedFilesystem *fs);
/* It is watched no longer. */
void watch_keep_remove(WatchSession *s, WatchedFilesystem *fs);

/*
 * watch_keep_tell_rest() - what is left is of filesystems that are not watched any more
 *
 * What was deleted on them and not told yet is told as a loss.  Return: 0, errors of the sink.
 */
int watch_keep_tell_rest(WatchSession *s);

/* The sink may have accepted more. */
void watch_keep_advance(WatchSession *s);
/* Events that are kept for the next instance, as bytes. */
size_t watch_keep_n_bytes(const WatchSession *s);
