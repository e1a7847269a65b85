/* SPDX-License-Identifier: MIT */
#pragma once

/* Which filesystems are watched, kept in step with the mount table. */

#include "command/watch_session.h"

/*
 * watch_coverage_update() - watch what the mount table now asks for, and no more
 *
 * The first time, a path that cannot be watched is an error; later it is a coverage record.
 * Return: 0; a negative errno after having said so on stderr.
 */
int watch_coverage_update(WatchSession *s);

/*
 * watch_coverage_finish() - let go of the filesystems that are unmounted, once they are drained
 *
 * To be called when everything queued has left.  Return: 0, errors of the sink.
 */
int watch_coverage_finish(WatchSession *s);
