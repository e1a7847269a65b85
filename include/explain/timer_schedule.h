/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * When a timer unit of systemd runs next, and which of its runs is the first after some moment.
 * Pure, but for what the callback does.
 *
 * Source: systemd.timer(5); src/core/timer.c and org.freedesktop.systemd1(5) of systemd 252.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"

/* Of OnCalendar= and of the others each; more are not looked at. */
#define TIMER_ENTRIES_MAX 16
#define TIMER_NEVER UINT64_MAX

typedef enum TimerBase {
        TIMER_ON_ACTIVE,
        TIMER_ON_BOOT,
        TIMER_ON_STARTUP,
        TIMER_ON_UNIT_ACTIVE,
        TIMER_ON_UNIT_INACTIVE,
} TimerBase;

typedef struct TimerMonotonic {
        TimerBase base;
        uint64_t usec;
} TimerMonotonic;

/* What systemd says of one timer unit. */
typedef struct TimerSchedule {
        bool is_active; /* else it starts nothing */
        TimerMonotonic monotonic[TIMER_ENTRIES_MAX];
        size_t n_monotonic;
        char *calendar[TIMER_ENTRIES_MAX]; /* as OnCalendar= has them; owned */
        size_t n_calendar;
        /* 0 and UINT64_MAX: none. The second counts from boot, without suspends unless .is_waking.
         */
        uint64_t next_realtime_usec, next_monotonic_usec;
        uint64_t last_realtime_usec; /* 0: never */
        uint64_t accuracy_usec, random_usec;
        bool is_waking;
} TimerSchedule;

void timer_schedule_done(TimerSchedule *s);
#define _cleanup_timer_schedule_ _cleanup_(timer_schedule_done)

/* One moment by three clocks. */
typedef struct TimerNow {
        uint64_t realtime_nsec, monotonic_nsec, boottime_nsec;
} TimerNow;

TimerNow timer_now(void);

/* Return: false and untouched for a name that is none of OnActiveUSec, OnBootUSec, … */
bool timer_base_from_string(const char *name, TimerBase *ret_base);

/* timer_next() - realtime of the next run as systemd has planned it, TIMER_NEVER without one. */
uint64_t timer_next(const TimerSchedule *s, const TimerNow *now);

/* The first moment after another at which a calendar expression elapses. */
typedef struct TimerCalendar {
        /* Return: 0; negative: not known. */
        int (*next)(void *userdata, const char *expression, uint64_t after_nsec,
                    uint64_t *ret_nsec);
        void *userdata;
} TimerCalendar;

typedef enum TimerCertainty {
        TIMER_PLANNED,   /* systemd has planned this run */
        TIMER_COMPUTED,  /* if every run until then is in time, and none is added */
        TIMER_UNKNOWN,   /* a calendar expression that could not be computed */
        TIMER_NO_FURTHER /* it has no run after that */
} TimerCertainty;

/*
 * timer_next_from() - the first run at or after a moment
 * @calendar: NULL: calendar expressions are not computed
 * @ret_nsec: realtime; TIMER_NEVER with TIMER_UNKNOWN and TIMER_NO_FURTHER
 *
 * A run can be late by the timer's accuracy and random delay, and one that was missed while the
 * machine was off comes at the next boot: it is the earliest run that is told.
 */
TimerCertainty timer_next_from(const TimerSchedule *s, const TimerNow *now, uint64_t from_nsec,
                               const TimerCalendar *calendar, uint64_t *ret_nsec);
