/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * A watch in progress: the filesystems, the processes, the sink, and what has been counted.
 *
 * It knows no event loop: watch.c calls it when something can be done.
 */

#include <stdbool.h>
#include <stdint.h>

#include "command/descriptor_store.h"
#include "command/watch_options.h"
#include "command/watched_filesystem.h"
#include "sink/record_sink.h"

typedef struct WatchCounters {
        uint64_t n_records;   /* deletions and moves that passed the filters */
        uint64_t n_moves;     /* of them */
        uint64_t n_vanished;  /* of them: all but moves within and into what is watched */
        uint64_t n_processes; /* that did them */
        bool is_more;         /* at least so many processes */
        uint64_t n_losses;
} WatchCounters;

typedef struct WatchSession WatchSession;

/*
 * watch_session_new() - resolve the paths, start the witness, mark the filesystems
 * @options: borrowed
 * @store:   borrowed; NULL: nothing outlives the process
 *
 * Says on stderr what is watched and what cannot be, and why.
 * Return: 0; a negative errno after having said on stderr what failed, on what, and what to do.
 */
int watch_session_new(const WatchOptions *options, DescriptorStore *store,
                      WatchSession **ret_session);
WatchSession *watch_session_free(WatchSession *s);

/* Readable when watch_session_dispatch() has something to do; the session's own. */
int watch_session_fd(const WatchSession *s);
RecordSink *watch_session_sink(const WatchSession *s);
WatchCounters watch_session_counters(const WatchSession *s);

typedef enum WatchState {
        WATCH_IDLE,   /* everything that was queued has been written or is in the sink */
        WATCH_BUSY,   /* some events came: more may, ask again after a pause */
        WATCH_FULL,   /* the reader is slow: events are only taken in, until the sink can be written
                       */
        WATCH_ENOUGH, /* --count is reached */
} WatchState;

/*
 * watch_session_dispatch() - take events from the kernel, write records
 *
 * Return: a WatchState, -EPIPE nobody reads, other negative errnos after having said so on stderr.
 */
int watch_session_dispatch(WatchSession *s);

/* As watch_session_dispatch(), a few times in a row while there is more, without a pause. */
int watch_session_settle(WatchSession *s);

/*
 * watch_session_flush() - write what is still in the sink
 *
 * Return: 0, -EAGAIN the reader is slow, -EPIPE nobody reads, others after having said so.
 */
int watch_session_flush(WatchSession *s);

/* The mount table changed. Return: as watch_session_new(). */
int watch_session_update_mounts(WatchSession *s);
/* Marks are taken away, unless the next instance goes on with them; what is queued can still be
 * dispatched. */
void watch_session_stop_capture(WatchSession *s);
/* Lets go of dead processes, reports losses of process events. Return: 0, errors of the sink,
 * said but for -EPIPE. */
int watch_session_tidy(WatchSession *s);
/* How full of dead processes the table is: 1 is as many as it may keep. */
double watch_session_crowding(const WatchSession *s);

/* Does what is not written by the end stay for the next instance? */
bool watch_session_is_kept(const WatchSession *s);
/* Bytes of events that stay for it. */
size_t watch_session_n_kept(const WatchSession *s);

/* START and STOP. Return: 0, errors of the sink, said but for -EPIPE. */
int watch_session_announce(WatchSession *s, RecordAction action);
