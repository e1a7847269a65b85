/* SPDX-License-Identifier: MIT */

/*
 * At the start the walk is done before anything else, since what is not marked yet is not watched.
 * Of a filesystem that is mounted later it is done in slices between the events of the others.
 */

#include "command/watch_walk.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/escape.h"
#include "capture/coverage.h"
#include "command/reasons.h"
#include "command/watch_coverage.h"
#include "command/watch_news.h"
#include "command/watch_session_private.h"
#include "command/watched_filesystem_events.h"

/* Of one turn: as long as a few reads of events take. */
#define SLICE_NSEC (4 * UINT64_C(1000000))

static int say_error(const WatchedFilesystem *fs, int error) {
        fprintf(stderr, "whodunlink: cannot walk through %s: %s\n",
                watched_filesystem_mount(fs)->point, strerror(-error));
        return error;
}

int watch_walk_begin(const WatchSession *s, WatchedFilesystem *fs) {
        DirIndex *x = watched_filesystem_index(fs);
        int r;

        if (!x)
                return 0;
        if (s->is_started)
                return 1;
        r = dir_index_follow(x);
        while (r >= 0 && dir_index_n_walks(x) == 0) {
                r = dir_index_walk(x, clock_now_nsec(CLOCK_MONOTONIC) + SLICE_NSEC);
                /* A deletion that tells where a directory has gone must be read to be of use. */
                if (r >= 0)
                        r = watched_filesystem_absorb(fs);
        }
        return r < 0 ? say_error(fs, r) : 0;
}

bool watch_walk_is_first(const WatchedFilesystem *fs) {
        const DirIndex *x = watched_filesystem_index(fs);

        return x && dir_index_n_walks(x) == 0;
}

int watch_walk_go_on(WatchSession *s, WatchedFilesystem *fs) {
        DirIndex *x = watched_filesystem_index(fs);
        bool is_first = watch_walk_is_first(fs);
        int r;

        if (!x || !dir_index_is_walking(x))
                return 0;
        r = dir_index_walk(x, clock_now_nsec(CLOCK_MONOTONIC) + SLICE_NSEC);
        if (r < 0)
                return say_error(fs, r);
        if (is_first && !watch_walk_is_first(fs)) {
                int error = watch_coverage_announce(s, fs);

                return error < 0 ? error : r;
        }
        return r;
}

void watch_walk_append(const WatchedFilesystem *fs, Buffer *b) {
        const DirIndex *x = watched_filesystem_index(fs);
        const char *fstype = watched_filesystem_mount(fs)->fstype;

        if (!x)
                return;
        buffer_append_format(b,
                             ": its %zu directories one by one, %s; not seen: what is deleted "
                             "in a new directory within a moment",
                             dir_index_n_directories(x),
                             reasons_directories(watched_filesystem_refusal(fs), fstype));
        if (coverage_is_remote(fstype))
                buffer_append_literal(b, ", what other hosts delete");
}

int watch_walk_tell_gaps(WatchSession *s, const WatchedFilesystem *fs) {
        _cleanup_buffer_ Buffer b = {0};
        const ScopeMount *m = watched_filesystem_mount(fs);
        DirIndex *x = watched_filesystem_index(fs);
        DirIndexGaps gaps;

        if (!x || !dir_index_take_gaps(x, &gaps))
                return 0;
        buffer_append_literal(&b, "cannot watch all of ");
        reasons_append_mount(&b, m->point, m->fstype, m->source);
        buffer_append_format(&b, ": %llu directories could not be marked or listed, the first one ",
                             (unsigned long long)gaps.n_directories);
        escape_append_terminal(&b, gaps.path, strlen(gaps.path));
        buffer_append_format(&b, " in it: %s", strerror(-gaps.error));
        return watch_news_tell(s, m, &b);
}
