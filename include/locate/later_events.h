/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Events in flight that say where a directory was: its rmdir gives parent and name, its rename the
 * old ones.  Indexed by the directory's handle, in order of position.
 */

#include <stdbool.h>
#include <stddef.h>

#include "base/hash_table.h"
#include "capture/flight.h"

/* Entries kept for the next events; what a burst needed beyond is given back. */
#define LATER_EVENTS_SPARE_MAX 4096

typedef struct LaterEvent LaterEvent;

typedef struct LaterEvents {
        HashTable table; /* the first of each directory */
        LaterEvent *spare;
        size_t n_spare;
} LaterEvents;

/* Does an event say where its target, a directory, was or went? */
bool later_events_concern(const FanEvent *e);

/*
 * later_events_add() - note an event that later_events_concern()
 *
 * In order of position. Borrows the event's bytes until later_events_remove() of the same event.
 * Return: 0, -ENOMEM.
 */
int later_events_add(LaterEvents *l, const FlightEvent *e);

/*
 * Where the first event about a directory says it was, borrowed as above; NULL when there is none.
 * .directory.bytes is NULL when it came from where nothing is marked.
 */
const FanName *later_events_find(const LaterEvents *l, const FileHandle *directory);

/*
 * later_events_last() - what the last event about a directory says of its place
 * @ret_now: .directory.bytes is NULL when it is gone or went out of sight
 *
 * Return: false and untouched when no event is about it.
 */
bool later_events_last(const LaterEvents *l, const FileHandle *directory, FanName *ret_now);

/* The event has left the flight; does nothing when it was not noted. */
void later_events_remove(LaterEvents *l, const FlightEvent *e);
void later_events_done(LaterEvents *l);
