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

/* Forgets what sleeps and cannot come back, or does not for long. */
void watch_coverage_tidy(WatchSession *s);

/* Tells that a filesystem is watched, and how. Return: 0, errors of the sink. */
int watch_coverage_announce(WatchSession *s, WatchedFilesystem *fs);

/*
 * watch_coverage_doze() - take the events of a filesystem that sleeps, and drop them
 *
 * Unless the mount table has changed by now: they may have happened in view.
 * Return: 1 there were some, 0 none; errors of watch_coverage_update() and of reading.
 */
int watch_coverage_doze(WatchSession *s, WatchedFilesystem *fs);

/*
 * watch_coverage_finish() - say that a filesystem is watched no longer; let go of it, or let it
 * sleep
 * @i: of the session's filesystems; the last of them may take its place
 *
 * To be called when all that it had queued has left.  Return: 0, errors of the sink.
 */
int watch_coverage_finish(WatchSession *s, size_t i);

/*
 * watch_coverage_waits() - is a filesystem mounted in the place of one that is still being drained
 *
 * Then its events stay in the kernel's queue, so that the end of the one and the beginning of the
 * other stand between their records.
 */
bool watch_coverage_waits(const WatchSession *s, const WatchedFilesystem *fs);
