/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * A timer unit as the service manager has it, over the bus.
 */

#include "explain/bus.h"
#include "explain/timer_schedule.h"

/*
 * timer_source_read() - the schedule of a timer
 * @uid:          whose manager: BUS_SYSTEM, or a user's
 * @timer:        "systemd-tmpfiles-clean.timer"
 * @ret_schedule: on 0, to be freed by timer_schedule_done()
 *
 * Return: 0; -ESRCH the manager knows no such unit; -EBADMSG an answer that is none; errors of
 * bus_get_all(): there is no bus, or nobody answers.
 */
int timer_source_read(Bus *bus, uid_t uid, const char *timer, TimerSchedule *ret_schedule);

/*
 * timer_source_parse() - take the properties of org.freedesktop.systemd1.Timer
 * @m: at a dictionary of type a{sv}
 *
 * Return: 0, -EBADMSG, -ENOMEM.
 */
int timer_source_parse(sd_bus_message *m, TimerSchedule *s);
