/* SPDX-License-Identifier: MIT */
#pragma once

/* What the files of a watched filesystem share. */

#include "base/buffer.h"
#include "command/watched_filesystem.h"
#include "command/watched_filesystem_end.h"
#include "command/watched_filesystem_events.h"

struct WatchedFilesystem {
        dev_t device;
        uint64_t stream; /* in the keys of records */
        uint64_t mark;   /* of watched_filesystem_mark() */
        FanGroup *group;
        Flight *flight;
        Locator *locator;
        Identifier *identifier;
        Victims *victims; /* NULL: the kernel does not tell what renames destroy */
        ScopeSet scopes;
        size_t n_present;         /* of their mounts; behind them are those that were there … */
        uint64_t scopes_nsec;     /* … before this, for events from before it; monotonic */
        uint64_t stale_position;  /* of the event that waits for its directory … */
        uint64_t stale_nsec;      /* … since then */
        uint64_t not_before_nsec; /* no event from here on happened earlier; monotonic */
        uint64_t arrival_nsec;    /* when events were last read; monotonic */
        uint64_t n_malformed;
        Buffer path, new_path; /* inside the filesystem */
        WatchedEnd end;
        uint64_t until_nsec; /* no event that was read later is taken; monotonic, 0 no end */
        uint64_t end_nsec;   /* when it ended; monotonic */
        char *root; /* of the mount that handles are resolved by; NULL: of all, by its top level */
        bool is_asleep;
        bool is_told;
        DirIndex *index;  /* NULL: it is marked as a whole */
        int epoll_fd;     /* of the groups, when there is an index; else -1 */
        int refusal;      /* why it is not marked as a whole */
        bool is_read_out; /* the last read took all there was: pause before the next */
};

static inline bool watched_event_is_move(const FanEvent *e) {
        return e->old_name.directory.bytes || e->new_name.directory.bytes;
}

/* One read, and new directories are marked. Return: as flight_read(). */
int watched_filesystem_read_batch(WatchedFilesystem *fs);
/* Return: 0 the queue was seen empty, -ENOBUFS no more can be held, errors of _read_batch(). */
int watched_filesystem_read_on(WatchedFilesystem *fs);
/* Directories that others were put in the place of have no removal of their own. */
int watched_filesystem_note_replaced(WatchedFilesystem *fs);
/* What there would be for the locator if such a directory had been removed first. */
FlightEvent watched_filesystem_removal_of(uint64_t position, FileHandle directory, FanName name);

/* The places of the oldest event. Return: 0, -EAGAIN wait, errors. */
int watched_filesystem_locate(WatchedFilesystem *fs, LocatedEvent *e);
/* What the rename destroyed that is the oldest event. Return: 0, -EAGAIN wait, errors. */
int watched_filesystem_find_victim(WatchedFilesystem *fs, const FlightEvent *e, Victim *ret_victim);
