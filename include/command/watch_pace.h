/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What wakes a watch: an event at once while it is quiet, a pause that ends under load; and the
 * reader of stdout when it takes bytes again.
 */

#include <stddef.h>
#include <stdint.h>
#include <systemd/sd-event.h>

/* The sources are owned, added by who knows what to do then. */
typedef struct WatchPace {
        sd_event_source *capture, *pause;
        sd_event_source *output; /* NULL: stdout cannot be polled */
} WatchPace;

void watch_pace_done(WatchPace *p);

/* All return 0 or errors of sd_event_source_set_enabled(3) and its like. */

/* The next look is after a pause, whatever comes meanwhile. */
int watch_pace_look_again(WatchPace *p, uint64_t usec);
/* The next look is when an event comes. */
int watch_pace_wait_for_events(WatchPace *p);
/* Events wake nobody until one of the two above. */
int watch_pace_ignore_events(WatchPace *p);
/* Return: 1 the next look is when an event comes, 0 not, errors as above. */
int watch_pace_is_waiting(const WatchPace *p);
/* What the sink waits for; 0: only that its reader goes. */
int watch_pace_watch_output(WatchPace *p, uint32_t events);
