/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * One watched filesystem: how it is marked, and where it is mounted.
 */

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "capture/coverage.h"
#include "capture/fan_group.h"
#include "capture/kept_events.h"
#include "capture/marking.h"
#include "identify/identifier.h"
#include "locate/dir_index.h"
#include "locate/locator.h"

typedef struct WatchedFilesystem WatchedFilesystem;

/* What watched_filesystem_new() does, so that a failure can be told from another's of one errno. */
typedef enum WatchedStep {
        WATCHED_STEP_GROUP, /* fan_group_new() */
        WATCHED_STEP_MARK,  /* fan_group_mark() */
        WATCHED_STEP_TOP,   /* live_mount_new_top() */
        WATCHED_STEP_CLONE, /* live_mount_new() */
        WATCHED_STEP_INDEX, /* dir_index_new() */
} WatchedStep;

/* What is kept of it over a restart of the program. */
typedef struct WatchedKept {
        uint64_t stream;    /* its number */
        FanGroup *group;    /* of an earlier instance, and marked; NULL none */
        KeptEvents *events; /* of an earlier instance; NULL none */
} WatchedKept;

void watched_kept_done(WatchedKept *kept);

/*
 * watched_filesystem_new() - mark a filesystem and get ready to locate its events
 * @plan:        its .scopes are taken on success
 * @features:    FanFeatures that may be used
 * @marking:     how it may be marked
 * @identifier:  borrowed
 * @kept:        what is in it is taken, also on failure; NULL: nothing is to be kept
 * @ret_step:    filled also on failure: how far it came
 *
 * Return: 0, -ESTALE something else was mounted there just now: the mount table has changed; errors
 * of fan_group_new(), fan_group_mark(), live_mount_new(), live_mount_new_top() and
 * dir_index_new(), -ENOMEM.
 */
int watched_filesystem_new(CoverageFilesystem *plan, unsigned features, Marking marking,
                           bool is_bounded, Identifier *identifier, WatchedKept *kept,
                           WatchedStep *ret_step, WatchedFilesystem **ret_fs);
WatchedFilesystem *watched_filesystem_free(WatchedFilesystem *fs);

dev_t watched_filesystem_device(const WatchedFilesystem *fs);
/* The mount that it is named by in messages; borrowed until the scopes change. */
const ScopeMount *watched_filesystem_mount(const WatchedFilesystem *fs);
const ScopeSet *watched_filesystem_scopes(const WatchedFilesystem *fs);
int watched_filesystem_fd(const WatchedFilesystem *fs);
/* The number of its stream of events, unlike any other's of this run; 0 until it is set. */
uint64_t watched_filesystem_stream(const WatchedFilesystem *fs);
void watched_filesystem_set_stream(WatchedFilesystem *fs, uint64_t stream);

/* NULL: its events are not kept over a restart. */
KeptEvents *watched_filesystem_kept(const WatchedFilesystem *fs);
/* Notes how far it has come … */
void watched_filesystem_mark(WatchedFilesystem *fs);
/* … and that all up to there is out. */
void watched_filesystem_done_to_mark(WatchedFilesystem *fs);

/* Its directories, when it is watched one by one; NULL when it is marked as a whole. */
DirIndex *watched_filesystem_index(const WatchedFilesystem *fs);
/* Why it is not marked as a whole: what the kernel answered, 0 nobody tried. */
int watched_filesystem_refusal(const WatchedFilesystem *fs);
const FanGroup *watched_filesystem_group(const WatchedFilesystem *fs);
/* Is it still marked? As fan_group_has_mark(). */
int watched_filesystem_has_mark(const WatchedFilesystem *fs);

/* The mount table changed: other places where it is visible. Takes the scopes. */
void watched_filesystem_set_scopes(WatchedFilesystem *fs, ScopeSet *scopes);

/* Has it been said that it is watched, and not yet that it is no longer? For the caller. */
bool watched_filesystem_is_told(const WatchedFilesystem *fs);
void watched_filesystem_set_told(WatchedFilesystem *fs, bool is_told);
/* No new events: what is queued can still be taken. */
void watched_filesystem_stop(WatchedFilesystem *fs);

/* Is it told what renames destroy, and what is left of deleted files? */
bool watched_filesystem_has_victims(const WatchedFilesystem *fs);

/* Everything that happened before this monotonic time has left; 0 when something is in flight. */
uint64_t watched_filesystem_settled_nsec(const WatchedFilesystem *fs);
/* Reads whose bytes did not decode, since the last call. */
uint64_t watched_filesystem_take_malformed(WatchedFilesystem *fs);
