/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * When a calendar expression of systemd elapses next: systemd-analyze is asked, which knows time
 * zones, weekdays and "*-*~1" as the timer itself does.
 *
 * Source: systemd.time(7), systemd-analyze(1), "calendar".
 */

#include <stddef.h>
#include <stdint.h>

#include "explain/timer_schedule.h"

/* How long it is waited for. */
#define CALENDAR_WAIT_NSEC (UINT64_C(3) * 1000 * 1000 * 1000)

/*
 * calendar_next_parse() - the moment in what systemd-analyze prints
 *
 * Run with TZ as it is, it says the local time and, where that is not UTC, that of UTC below it.
 * Return: 0; -ENODATA it never elapses again; -EBADMSG not what it prints.
 */
int calendar_next_parse(const char *text, size_t n_text, uint64_t *ret_nsec);

/* A TimerCalendar that runs the tool. */
TimerCalendar calendar_next(void);
