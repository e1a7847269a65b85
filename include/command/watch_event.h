/* SPDX-License-Identifier: MIT */
#pragma once

/* From a located event to the records that tell of it. */

#include "command/watch_session.h"
#include "command/watched_filesystem_events.h"

/*
 * watch_event_put() - write and count what an event says about the targets
 *
 * None when it concerns no target, is our own or does not pass the filters; several when the kernel
 * has merged what happened to one name.
 * Return: 0; -EAGAIN nothing was written, since a cause is still looked for: ask again; errors of
 * the sink.
 */
int watch_event_put(WatchSession *s, WatchedFilesystem *fs, const LocatedEvent *e);
