/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The events of a watched filesystem, in the kernel's order, with their places.
 */

#include <sys/stat.h>

#include "capture/victims.h"
#include "command/watched_filesystem.h"
#include "locate/live_object.h"

/* How long an event may wait for the event that names its directory. On tmpfs it comes within
 * 0.1 ms, elsewhere it is there already; a deleter that lost its CPU takes longer. */
#define WATCHED_FILESYSTEM_WAIT_NSEC (100 * UINT64_C(1000000))
/* … when it was read longer ago than that. */
#define WATCHED_FILESYSTEM_OLD_WAIT_NSEC (5 * UINT64_C(1000000))

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
/* The event cannot be written yet: watched_filesystem_next() returns it again. */
void watched_filesystem_postpone(WatchedFilesystem *fs, LocatedEvent *e);
/* Has the process of the event that watched_filesystem_next() returned last done something else
 * since?  Then the system call is over. */
bool watched_filesystem_went_on(const WatchedFilesystem *fs, const FanEvent *e);
/* The event has been written: it leaves the flight. */
void watched_filesystem_done(WatchedFilesystem *fs, LocatedEvent *e);

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
