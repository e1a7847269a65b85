/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What is said of the coverage: what is watched, what is not, and why.
 */

#include "command/watch_session.h"

/*
 * watch_news_tell() - what is covered, and what is not
 * @m: the filesystem's mount; NULL: the news is of no single one
 *
 * On stderr before the start, and as a record behind START; afterwards as a record.
 *
 * Return: 0, errors of the sink.
 */
int watch_news_tell(WatchSession *s, const ScopeMount *m, Buffer *message);
/* START was written: the records of what was told before it. Return: 0, errors of the sink. */
int watch_news_put_early(WatchSession *s);
void watch_news_forget_early(WatchSession *s);

/* Once, at the start: what is left out altogether, and what the kernel makes all records lack. */
int watch_news_tell_start(WatchSession *s, const MountTable *table);

/*
 * watch_news_refuse() - a filesystem cannot be watched
 *
 * Return: 0 said, and it is remembered; the error itself for what must be watched for the watch to
 * begin, said on stderr; errors of the sink.
 */
int watch_news_refuse(WatchSession *s, const CoverageFilesystem *f, WatchedStep step, int error);
/* It is not, because others delete there, too. Return: as above. */
int watch_news_leave_out_remote(WatchSession *s, const CoverageFilesystem *f);
/* Was that said of it already? */
bool watch_news_is_refused(const WatchSession *s, const CoverageFilesystem *f);
/* What was refused and is gone may be asked for again under the same number. */
void watch_news_forget_refused(WatchSession *s, const CoveragePlan *plan);

/* A watched filesystem is mounted at other places than before. Return: 0, errors of the sink. */
int watch_news_tell_places(WatchSession *s, const ScopeSet *before, const ScopeSet *now);

/* "whodunlink: cannot WHAT ON: …". Return: the error. */
int watch_news_say_error(const char *what, const char *on, int error);
