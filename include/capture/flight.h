/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Events in flight: read from a group, not yet written as records.
 *
 * An event waits here while its directory is being learned, sometimes from an rmdir that comes a
 * million events later.  So the bytes are kept as the kernel gave them (about 140 an event) and
 * decoded again when the event leaves; only the pidfds are closed at once.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "capture/fan_event.h"
#include "capture/kept_events.h"

/* Bytes of one read(2): some 450 events, and no more than 700 pidfds open at a time. */
#define FLIGHT_CHUNK_BYTES (64 * 1024)
/* No event is larger: two names of 255 bytes, four handles of 128, headers. */
#define FLIGHT_EVENT_MAX_BYTES 4096
/* Pidfds of one read that follows the last empty queue closely: then each process of it has been
 * alive at most this long since, and a table of processes tells its lives apart. */
#define FLIGHT_PIDFDS_FEW 8
#define FLIGHT_PIDFDS_FEW_NSEC (50 * UINT64_C(1000000))
/*
 * Bound on what a flight allocates for events: their bytes, their attachments' pointers and some
 * 150 bytes a read, so that some 900,000 events fit that were read one by one, more otherwise.
 * At the bound the head has to leave with what is known. Not in it: what attachments point to.
 */
#define FLIGHT_MAX_BYTES ((size_t)256 * 1024 * 1024)

typedef struct Flight Flight;

typedef struct FlightEvent {
        FanEvent fan;            /* borrows from the flight until flight_pop() of this event */
        uint64_t position;       /* counts all events ever read by this flight, from 0 */
        uint64_t realtime_nsec;  /* when it was read */
        uint64_t monotonic_nsec; /* … on the clock of process events */
        uint64_t empty_monotonic_nsec; /* when the queue had last been seen empty before that */
        void *attachment;              /* the pipeline's own, set by flight_attach() … */
        bool is_gone;                  /* … and by flight_set_gone() */
} FlightEvent;

/*
 * flight_new() - an empty flight
 * @has_few_pidfds: make no more than FLIGHT_PIDFDS_FEW pidfds in a read under load; the events
 *                  behind them have FAN_PIDFD_FAILED. For a reader that knows the lives of each pid
 * @ret_flight:     released by flight_free()
 *
 * Return: 0, -ENOMEM.
 */
int flight_new(bool has_few_pidfds, Flight **ret_flight);
/* The same, with the events in memory that outlives the process. What an earlier instance has left
 * there is read first. @kept: taken on success. */
int flight_new_kept(bool has_few_pidfds, KeptEvents *kept, Flight **ret_flight);
/* Frees the chunks; takes NULL. Attachments still held are the caller's: pop everything first. */
Flight *flight_free(Flight *f);

/*
 * flight_read() - read once from a fanotify descriptor, without blocking
 *
 * A read that leaves room for another event has seen the queue empty; so has one that finds none.
 *
 * Return: bytes read, 0 when the queue was empty, -ENOBUFS when a full read would pass
 * FLIGHT_MAX_BYTES, -ENOMEM, errors of read(2).
 */
int flight_read(Flight *f, int fd);

/* Has the queue been seen empty by the last flight_read()? */
bool flight_is_drained(const Flight *f);
/* Monotonic time at which the queue was last seen empty; 0 never. */
uint64_t flight_empty_nsec(const Flight *f);

/*
 * flight_next_read() - step through the events of the last flight_read(), pidfds still open
 * @ret_event: .fan.pidfd is borrowed; flight_close_pidfds() closes it. The bytes stay where they
 *             are until flight_pop() of this event
 *
 * Return: 1 event, 0 all seen, -EBADMSG the kernel's bytes do not decode: the rest of that read is
 * lost and must be counted.
 */
int flight_next_read(Flight *f, FlightEvent *ret_event);
/* Sets what flight_peek() will return as attachment, for the event last returned by _next_read().
 */
void flight_attach(Flight *f, void *attachment);
/* Likewise: the event's target is gone for good. */
void flight_set_gone(Flight *f);
/* Nobody wants to see the event again that was last returned by _next_read(): flight_peek() passes
 * it over. Its bytes stay where they are until the event before it is popped. */
void flight_drop(Flight *f);
/* Closes the pidfds of the last flight_read(). */
void flight_close_pidfds(Flight *f);

/* The oldest event, decoded. Return: 1, 0 when none is in flight. */
int flight_peek(Flight *f, FlightEvent *ret_event);
typedef int (*FlightVisitFunction)(void *userdata, const FanEvent *event);
/* Shows all events in flight, the oldest first, until visit() returns something else than 0: that
 * is returned. It must change nothing here. */
int flight_for_each(const Flight *f, FlightVisitFunction visit, void *userdata);
/* Lets go of the event that flight_peek() returned last; what borrows from it is invalid then. */
void flight_pop(Flight *f);
/* Events that flight_next_read() returned and flight_pop() did not take yet, without the dropped.
 */
size_t flight_n_events(const Flight *f);

/* All events before this position have left: of the oldest in flight, or of the next to come. */
uint64_t flight_position(Flight *f);
/* Records of all events before this position are out: they need not be kept any longer. */
void flight_done(Flight *f, uint64_t position);
/* NULL: they are not kept. */
KeptEvents *flight_kept(const Flight *f);
