/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Is it really gone?  What is left of a deleted file is looked for when its record is written, and
 * only if the kernel did not say that nothing is.
 */

#include "base/buffer.h"
#include "command/watched_filesystem.h"
#include "command/watched_filesystem_events.h"
#include "locate/live_object.h"
#include "record/record.h"

/* A look through all processes may take so much CPU time, which is enough for some hundred … */
#define WATCH_REMAINS_SEARCH_NSEC (20 * UINT64_C(1000000))
/* … and so many times as long is waited until the next: a storm of open files costs a twentieth of
 * a CPU. */
#define WATCH_REMAINS_PAUSE_FACTOR 20

/* Zeroed it is ready. */
typedef struct WatchRemains {
        LiveObject object;
        Buffer also_at;
        HolderSearch search;
        uint64_t not_before_nsec; /* monotonic: no search until then */
        Remains remains;
} WatchRemains;

void watch_remains_done(WatchRemains *w);

/*
 * watch_remains_find() - what is left of what a record tells of
 * @proc_fd: directory of a /proc
 * @self:    our own pid
 *
 * Return: borrowed until the next call; NULL nothing is, or it is not known.
 */
const Remains *watch_remains_find(WatchRemains *w, const WatchedFilesystem *fs,
                                  const LocatedEvent *e, const Record *r, int proc_fd, pid_t self);
