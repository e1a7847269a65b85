/* SPDX-License-Identifier: MIT */

/*
 * Runs of a timer.
 *
 * The next run is what systemd says.  Of the further ones those by calendar are asked for, and
 * those by "so long after the last run" are the next run and as many periods more.  What counts
 * from boot or from the timer's own start comes once; when it is still to come, it is the next run.
 */

#include "explain/timer_schedule.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"

void timer_schedule_done(TimerSchedule *s) {
        for (size_t i = 0; i < s->n_calendar; i++)
                free(s->calendar[i]);
        *s = (TimerSchedule){0};
}

TimerNow timer_now(void) {
        return (TimerNow){
                .realtime_nsec = clock_now_nsec(CLOCK_REALTIME),
                .monotonic_nsec = clock_now_nsec(CLOCK_MONOTONIC),
                .boottime_nsec = clock_now_nsec(CLOCK_BOOTTIME),
        };
}

bool timer_base_from_string(const char *name, TimerBase *ret_base) {
        static const char *const names[] = {
                [TIMER_ON_ACTIVE] = "OnActiveUSec",
                [TIMER_ON_BOOT] = "OnBootUSec",
                [TIMER_ON_STARTUP] = "OnStartupUSec",
                [TIMER_ON_UNIT_ACTIVE] = "OnUnitActiveUSec",
                [TIMER_ON_UNIT_INACTIVE] = "OnUnitInactiveUSec",
        };

        for (TimerBase b = TIMER_ON_ACTIVE; b <= TIMER_ON_UNIT_INACTIVE; b++) {
                if (strcmp(names[b], name) != 0)
                        continue;
                *ret_base = b;
                return true;
        }
        return false;
}

static uint64_t add(uint64_t a, uint64_t b) {
        return a > UINT64_MAX - b ? UINT64_MAX : a + b;
}

static uint64_t usec_to_nsec(uint64_t usec) {
        return usec > UINT64_MAX / CLOCK_NSEC_PER_USEC ? UINT64_MAX : usec * CLOCK_NSEC_PER_USEC;
}

static bool is_planned(uint64_t usec) {
        return usec != 0 && usec != UINT64_MAX;
}

/* What the monotonic clock, or the one that goes on in suspend, shows then, as wall clock. */
static uint64_t planned_monotonic(const TimerSchedule *s, const TimerNow *now) {
        const uint64_t base = s->is_waking ? now->boottime_nsec : now->monotonic_nsec;
        const uint64_t at = usec_to_nsec(s->next_monotonic_usec);

        /* One that is due starts now. */
        return at > base ? add(now->realtime_nsec, at - base) : now->realtime_nsec;
}

uint64_t timer_next(const TimerSchedule *s, const TimerNow *now) {
        uint64_t next = TIMER_NEVER;

        if (!s->is_active)
                return TIMER_NEVER;
        if (is_planned(s->next_realtime_usec))
                next = usec_to_nsec(s->next_realtime_usec);
        if (is_planned(s->next_monotonic_usec)) {
                uint64_t at = planned_monotonic(s, now);

                if (at < next)
                        next = at;
        }
        return next;
}

/* Of "so long after the last run" the shortest; 0 there is none. */
static uint64_t period_nsec(const TimerSchedule *s) {
        uint64_t period = 0;

        for (size_t i = 0; i < s->n_monotonic; i++) {
                const TimerMonotonic *m = &s->monotonic[i];

                if (m->base != TIMER_ON_UNIT_ACTIVE && m->base != TIMER_ON_UNIT_INACTIVE)
                        continue;
                if (m->usec > 0 && (period == 0 || usec_to_nsec(m->usec) < period))
                        period = usec_to_nsec(m->usec);
        }
        return period;
}

static uint64_t periodic_from(uint64_t next, uint64_t period, uint64_t from) {
        uint64_t n;

        if (next >= from)
                return next;
        if (period == 0)
                return TIMER_NEVER;
        n = (from - next - 1) / period + 1;
        return n > (UINT64_MAX - next) / period ? TIMER_NEVER : next + n * period;
}

TimerCertainty timer_next_from(const TimerSchedule *s, const TimerNow *now, uint64_t from_nsec,
                               const TimerCalendar *calendar, uint64_t *ret_nsec) {
        const uint64_t next = timer_next(s, now);
        uint64_t best;
        bool is_unknown = false;

        *ret_nsec = TIMER_NEVER;
        if (next == TIMER_NEVER)
                return TIMER_NO_FURTHER;
        if (next >= from_nsec) {
                *ret_nsec = next;
                return TIMER_PLANNED;
        }
        best = periodic_from(next, period_nsec(s), from_nsec);
        for (size_t i = 0; i < s->n_calendar; i++) {
                uint64_t at;

                /* It wants what is after, and a run at that very moment counts. */
                if (!calendar || calendar->next(calendar->userdata, s->calendar[i],
                                                from_nsec > 0 ? from_nsec - 1 : 0, &at) < 0)
                        is_unknown = true;
                else if (at >= from_nsec && at < best)
                        best = at;
        }
        if (is_unknown)
                return TIMER_UNKNOWN;
        *ret_nsec = best;
        return best == TIMER_NEVER ? TIMER_NO_FURTHER : TIMER_COMPUTED;
}
