/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The walk of a filesystem that is watched directory by directory, and what is said of it.
 */

#include "base/buffer.h"
#include "command/watch_session.h"

/*
 * watch_walk_begin() - before anything is announced: all of it at the start, else nothing yet
 *
 * Return: 1 it goes on by watch_walk_go_on(), 0 there is nothing to walk any more, -ENOMEM.
 */
int watch_walk_begin(const WatchSession *s, WatchedFilesystem *fs);

/* Is it still walked through for the first time, and announced at the end? */
bool watch_walk_is_first(const WatchedFilesystem *fs);

/*
 * watch_walk_go_on() - a slice of the walk; tells of its end, and of what could not be walked
 *
 * Return: 1 there is more, 0 there is not, errors of the sink, -ENOMEM (said).
 */
int watch_walk_go_on(WatchSession *s, WatchedFilesystem *fs);

/* Directories that could not be watched since the last time. Return: 0, errors of the sink. */
int watch_walk_tell_gaps(WatchSession *s, const WatchedFilesystem *fs);

/* ": its 412 directories one by one, because …; not seen: …", or nothing. */
void watch_walk_append(const WatchedFilesystem *fs, Buffer *b);
