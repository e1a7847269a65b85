/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * A watch as a service: what the service manager is told, and that it sees when the main loop
 * hangs.
 *
 * All functions take NULL: nobody listens (NOTIFY_SOCKET), as on a terminal.
 *
 * Source: sd_notify(3), sd_event_set_watchdog(3), systemd.service(5).
 */

#include <systemd/sd-event.h>

#include "command/descriptor_store.h"
#include "command/watch_session.h"

typedef struct WatchService WatchService;

/*
 * watch_service_new() - is there a service manager, and what did it keep for us?
 * @ret_service: NULL when there is none
 *
 * From now on WATCHDOG=1 is sent by the loop as often as WATCHDOG_USEC asks for.
 * Return: 0; a negative errno after having said what failed.
 */
int watch_service_new(sd_event *event, WatchService **ret_service);
WatchService *watch_service_free(WatchService *s);
/* NULL when there is no service manager. */
DescriptorStore *watch_service_store(const WatchService *s);

/* READY=1: what is deleted from now on is seen. */
void watch_service_ready(WatchService *s);
void watch_service_reloading(WatchService *s);
void watch_service_stopping(WatchService *s);
/* STATUS= with what has been counted up to now. */
void watch_service_tell_status(WatchService *s, const WatchSession *session, uint64_t begin_nsec);

/*
 * watch_service_check() - would a new instance with this command line find a mistake in it?
 *
 * Return: 0, -EINVAL it would, and what is wrong has been said; errors of reading it.
 */
int watch_service_check(void);
/*
 * watch_service_exec() - begin anew in this process, with what the store holds
 *
 * Return: only on failure, after having said what failed: a negative errno.
 */
int watch_service_exec(WatchService *s);
