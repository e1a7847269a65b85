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
 * watch_coverage_tell() - what is covered, and what is not
 * @m: the filesystem's mount; NULL: the news is of no single one
 *
 * On stderr before the start, and as a record behind START; afterwards as a record.
 *
 * Return: 0, errors of the sink.
 */
int watch_coverage_tell(WatchSession *s, const ScopeMount *m, Buffer *message);
/* START was written: the records of what was told before it. Return: 0, errors of the sink. */
int watch_coverage_put_early(WatchSession *s);
void watch_coverage_forget_early(WatchSession *s);

/* Tells that a filesystem is watched, and how. Return: 0, errors of the sink. */
int watch_coverage_announce(WatchSession *s, const WatchedFilesystem *fs);

/*
 * watch_coverage_finish() - let go of a filesystem that is watched no longer
 * @i: of the session's filesystems; the last of them takes its place
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
