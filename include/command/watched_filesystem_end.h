/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * A watched filesystem that goes out of view, and may come back.
 */

#include "command/watched_filesystem.h"

/* How long one that is unmounted is asked where all was that is queued. */
#define WATCHED_FILESYSTEM_LAST_LOOK_NSEC (50 * UINT64_C(1000000))
/* How long the superblock of what was unmounted may take to go. */
#define WATCHED_FILESYSTEM_LINGER_NSEC (50 * UINT64_C(1000000))
/* See watched_filesystem_rouse(). */
#define WATCHED_FILESYSTEM_ROUSE_NSEC (1000 * UINT64_C(1000000))

typedef enum WatchedEnd {
        WATCHED_END_NONE,
        WATCHED_END_UNMOUNTED,
        WATCHED_END_HIDDEN,    /* another mount lies over it */
        WATCHED_END_ELSEWHERE, /* what is left of it is mounted where nobody asked for it */
} WatchedEnd;

/*
 * watched_filesystem_end() - it is watched no longer; what happened up to now can still be taken
 *
 * Lets go of the mount when it is unmounted, so that the superblock can go; before, it is asked
 * where all was that is queued, for WATCHED_FILESYSTEM_LAST_LOOK_NSEC at most.  Where that lives on
 * (hidden, mounted elsewhere, or unmounted while in use), its mark stays: should it come back, no
 * deletion was missed.
 */
void watched_filesystem_end(WatchedFilesystem *fs, WatchedEnd end);
/*
 * Is it being let go of at this moment?  Who unmounts it does so a little later than the mount
 * table says.
 */
bool watched_filesystem_lingers(const WatchedFilesystem *fs);
/* Of one that has ended: all that happened before has left. Return: may it come back? */
bool watched_filesystem_sleep(WatchedFilesystem *fs);
bool watched_filesystem_is_asleep(const WatchedFilesystem *fs);
/* When it ended, monotonic. */
uint64_t watched_filesystem_ended_nsec(const WatchedFilesystem *fs);
/*
 * watched_filesystem_rouse() - the mount table has changed, and one that has ended is not wanted
 *
 * It may have been in view for a moment: what happened up to now is told, as before its end. For
 * WATCHED_FILESYSTEM_ROUSE_NSEC; later it hardly was, and nothing is done.
 */
void watched_filesystem_rouse(WatchedFilesystem *fs);
/*
 * watched_filesystem_wake() - one that has ended is wanted again
 * @plan: its .scopes are taken on 1
 *
 * Return: 1 it goes on as if nothing had been, 0 it must be let go of and marked anew; -EAGAIN what
 * is mounted there is changing, ask again when the mount table has changed; -ENOMEM.
 */
int watched_filesystem_wake(WatchedFilesystem *fs, CoverageFilesystem *plan);
/*
 * watched_filesystem_until() - take no event that is read after this moment, monotonic
 *
 * For one that sleeps: what happened before can be dropped, since it was not in view.  0: no end.
 */
void watched_filesystem_until(WatchedFilesystem *fs, uint64_t nsec);
/* WATCHED_END_NONE: it goes on. */
WatchedEnd watched_filesystem_ending(const WatchedFilesystem *fs);
