/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Time: nanoseconds since the epoch (realtime), since boot with or without suspend (boottime,
 * monotonic), and how they are written.
 */

#include <stdint.h>
#include <time.h>

#include "base/buffer.h"

#define CLOCK_NSEC_PER_SEC UINT64_C(1000000000)
#define CLOCK_NSEC_PER_MSEC UINT64_C(1000000)
#define CLOCK_NSEC_PER_USEC UINT64_C(1000)

uint64_t clock_now_nsec(clockid_t id);

/*
 * clock_boottime_to_realtime() - when something that happened at a time since boot happened
 *
 * The difference between the two clocks is read anew at each call, so a step of the wall clock
 * between two calls shows.
 */
uint64_t clock_boottime_to_realtime(uint64_t boottime_nsec);
uint64_t clock_monotonic_to_boottime(uint64_t monotonic_nsec);

/* 2026-11-23T00:55:13.000000000Z: RFC 3339, UTC, 9 decimals. */
void clock_append_rfc3339(Buffer *b, uint64_t realtime_nsec);
/* The same read back, with 0 to 9 decimals. Return: 0, -EBADMSG, also for what is before 1970. */
int clock_parse_rfc3339(const char *text, size_t n_text, uint64_t *ret_realtime_nsec);
/* 14:02:11.482193: local time of day. */
void clock_append_local_time(Buffer *b, uint64_t realtime_nsec);
/* Wed 2026-12-02 06:25:12 CET: local date and time, as systemctl(1) writes them. */
void clock_append_local_date(Buffer *b, uint64_t realtime_nsec);

/*
 * clock_parse_duration() - "90", "1.5s", "2min 30s", "1h30m", "500ms"
 *
 * Units us, ms, s (default, sec), min (m), h (hour), d (day), w (week) and their long forms;
 * numbers may have a fraction; terms add up.  Source: the syntax of systemd.time(7), less months
 * and years.
 *
 * Return: 0, -EINVAL not a duration, -ERANGE does not fit 64 bits of nanoseconds.
 */
int clock_parse_duration(const char *text, uint64_t *ret_nsec);
/* 950us, 12.3ms, 4.2s, 3min 4s, 2h 5min: for people, at most two terms. */
void clock_append_duration(Buffer *b, uint64_t nsec);
