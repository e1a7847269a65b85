/* SPDX-License-Identifier: MIT */

/*
 * When it is quiet, an event wakes the watch and is written at once.  Once events have come, it
 * looks again after a pause instead of being woken for each: waking the reader is most of what an
 * event costs the one who deletes (kernel.md, section 11).
 *
 * Source: sd_event_source_set_enabled(3), sd_event_add_time(3).
 */

#include "command/watch_pace.h"

#include <sys/epoll.h>

void watch_pace_done(WatchPace *p) {
        p->capture = sd_event_source_unref(p->capture);
        p->pause = sd_event_source_unref(p->pause);
        p->output = sd_event_source_unref(p->output);
}

int watch_pace_look_again(WatchPace *p, uint64_t usec) {
        int r = watch_pace_ignore_events(p);

        if (r >= 0)
                r = sd_event_source_set_time_relative(p->pause, usec);
        return r < 0 ? r : sd_event_source_set_enabled(p->pause, SD_EVENT_ONESHOT);
}

int watch_pace_wait_for_events(WatchPace *p) {
        int r = sd_event_source_set_enabled(p->pause, SD_EVENT_OFF);

        return r < 0 ? r : sd_event_source_set_enabled(p->capture, SD_EVENT_ON);
}

int watch_pace_ignore_events(WatchPace *p) {
        return sd_event_source_set_enabled(p->capture, SD_EVENT_OFF);
}

int watch_pace_is_waiting(const WatchPace *p) {
        int enabled, r = sd_event_source_get_enabled(p->capture, &enabled);

        return r < 0 ? r : enabled != SD_EVENT_OFF;
}

int watch_pace_watch_output(WatchPace *p, uint32_t events) {
        if (!p->output)
                return 0;
        return sd_event_source_set_io_events(p->output, events);
}
