/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * One watched filesystem: its group, its events in flight, and where they happened.
 */

#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/types.h>

#include "capture/coverage.h"
#include "capture/fan_group.h"
#include "capture/marking.h"
#include "capture/victims.h"
#include "identify/identifier.h"
#include "locate/dir_index.h"
#include "locate/live_object.h"
#include "locate/locator.h"

/* How long one that is unmounted is asked where all was that is queued. */
#define WATCHED_FILESYSTEM_LAST_LOOK_NSEC (50 * UINT64_C(1000000))
/* How long an event may wait for the event that names its directory. On tmpfs it comes within
 * 0.1 ms, elsewhere it is there already; a deleter that lost its CPU takes longer. */
#define WATCHED_FILESYSTEM_WAIT_NSEC (100 * UINT64_C(1000000))
/* … when it was read longer ago than that. */
#define WATCHED_FILESYSTEM_OLD_WAIT_NSEC (5 * UINT64_C(1000000))

/* How long the superblock of what was unmounted may take to go. */
#define WATCHED_FILESYSTEM_LINGER_NSEC (50 * UINT64_C(1000000))
/* See watched_filesystem_rouse(). */
#define WATCHED_FILESYSTEM_ROUSE_NSEC (1000 * UINT64_C(1000000))

typedef struct WatchedFilesystem WatchedFilesystem;

/* What watched_filesystem_new() does, so that a failure can be told from another's of one errno. */
typedef enum WatchedStep {
        WATCHED_STEP_GROUP, /* fan_group_new() */
        WATCHED_STEP_MARK,  /* fan_group_mark() */
        WATCHED_STEP_TOP,   /* live_mount_new_top() */
        WATCHED_STEP_CLONE, /* live_mount_new() */
        WATCHED_STEP_INDEX, /* dir_index_new() */
} WatchedStep;

/*
 * watched_filesystem_new() - mark a filesystem and get ready to locate its events
 * @plan:        its .scopes are taken on success
 * @features:    FanFeatures that may be used
 * @marking:     how it may be marked
 * @identifier:  borrowed
 * @ret_step:    filled also on failure: how far it came
 *
 * Return: 0, -ESTALE something else was mounted there just now: the mount table has changed; errors
 * of fan_group_new(), fan_group_mark(), live_mount_new(), live_mount_new_top() and
 * dir_index_new(), -ENOMEM.
 */
int watched_filesystem_new(CoverageFilesystem *plan, unsigned features, Marking marking,
                           bool is_bounded, Identifier *identifier, WatchedStep *ret_step,
                           WatchedFilesystem **ret_fs);
WatchedFilesystem *watched_filesystem_free(WatchedFilesystem *fs);

dev_t watched_filesystem_device(const WatchedFilesystem *fs);
/* The mount that it is named by in messages; borrowed until the scopes change. */
const ScopeMount *watched_filesystem_mount(const WatchedFilesystem *fs);
const ScopeSet *watched_filesystem_scopes(const WatchedFilesystem *fs);
int watched_filesystem_fd(const WatchedFilesystem *fs);

/* Its directories, when it is watched one by one; NULL when it is marked as a whole. */
DirIndex *watched_filesystem_index(const WatchedFilesystem *fs);
/* Why it is not marked as a whole: what the kernel answered, 0 nobody tried. */
int watched_filesystem_refusal(const WatchedFilesystem *fs);
const FanGroup *watched_filesystem_group(const WatchedFilesystem *fs);
/* Is it still marked? As fan_group_has_mark(). */
int watched_filesystem_has_mark(const WatchedFilesystem *fs);

/* The mount table changed: other places where it is visible. Takes the scopes. */
void watched_filesystem_set_scopes(WatchedFilesystem *fs, ScopeSet *scopes);
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
/* Has it been said that it is watched, and not yet that it is no longer? For the caller. */
bool watched_filesystem_is_told(const WatchedFilesystem *fs);
void watched_filesystem_set_told(WatchedFilesystem *fs, bool is_told);
/* No new events: what is queued can still be taken. */
void watched_filesystem_stop(WatchedFilesystem *fs);

/* An event with its place; everything is borrowed until the next call. */
typedef struct LocatedEvent {
        FlightEvent event;
        const DirPlace *place;     /* of the directory, or where it was moved from; NULL unknown */
        const DirPlace *new_place; /* where it was moved to; NULL unknown or not moved */
        DirPlace place_copy;       /* backing of the first while the second is looked for */
        const ScopeMount *lost_mount; /* of a subvolume that is deleted, or of a directory in it */
        PathSource source, new_source;
        Deleter *deleter;
        Victim victim;    /* of a rename */
        bool is_overflow; /* nothing else is set: the kernel's queue was full */
} LocatedEvent;

/*
 * watched_filesystem_next() - the next event in the kernel's order
 *
 * Reads from the kernel as far as that is needed. Answers -EAGAIN, ask again after a millisecond,
 * when an event's directory is still to be learned, and when all that was read has left: more may
 * come, and the deleter is hardly slowed by a reader that comes now and then.
 *
 * Return: 1 event, to be given back by watched_filesystem_done(); 0 the queue was seen empty and
 * nothing is in flight; -EAGAIN; errors of read(2), -ENOMEM.
 */
int watched_filesystem_next(WatchedFilesystem *fs, LocatedEvent *ret_event);
/* The status of a file by its handle. Return: 0, -ESTALE it is gone, -errno of fstat(2). */
int watched_filesystem_stat(WatchedFilesystem *fs, const FileHandle *file, struct stat *ret_status);
/*
 * watched_filesystem_exchange() - the other half of an exchange
 * @rename: the event that watched_filesystem_next() returned last
 *
 * Return: false when it is none, as far as can be seen; the kernel queues both halves at once.
 */
bool watched_filesystem_exchange(WatchedFilesystem *fs, const FanEvent *rename,
                                 FanEvent *ret_event);
/* The event has been written: it leaves the flight. */
void watched_filesystem_done(WatchedFilesystem *fs, LocatedEvent *e);

/* Is it told what renames destroy, and what is left of deleted files? */
bool watched_filesystem_has_victims(const WatchedFilesystem *fs);

/*
 * watched_filesystem_look() - what is left of a file that lost a name
 * @directory: where it had that name
 * @ret_path:  cleared; another name of it as the user sees it, if one was found
 *
 * Return: 0; -ESTALE nothing is, or it cannot be asked for; -EOPNOTSUPP the kernel's events do not
 * say what is gone for good, so that each deletion would have to be asked about.
 */
int watched_filesystem_look(const WatchedFilesystem *fs, const FileHandle *object,
                            const FileHandle *directory, LiveObject *ret_object, Buffer *ret_path);

/*
 * watched_filesystem_absorb() - take what the kernel has queued into flight, and no further
 *
 * For the time in which nothing can be written: who did it is found out while it can be.  At
 * FLIGHT_MAX_BYTES the rest stays in the kernel's queue.  Return: 0, errors of read(2), -ENOMEM.
 */
int watched_filesystem_absorb(WatchedFilesystem *fs);

/* Everything that happened before this monotonic time has left; 0 when something is in flight. */
uint64_t watched_filesystem_settled_nsec(const WatchedFilesystem *fs);
/* Reads whose bytes did not decode, since the last call. */
uint64_t watched_filesystem_take_malformed(WatchedFilesystem *fs);
