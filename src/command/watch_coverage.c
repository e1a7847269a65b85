/* SPDX-License-Identifier: MIT */

/*
 * The set of watched filesystems follows the mount table.
 *
 * A filesystem that is unmounted is let go of in two steps: at once the superblock, so that its
 * device is free, and once its queue is drained the rest.
 *
 * The table is read anew at each change that poll(2) tells of, in 0.8 ms of CPU time with 20 mounts
 * and 5 ms with 1000.  FAN_MNT_ATTACH of Linux 6.15 would tell which mount it was, by its id and in
 * a queue of its own, thus not whether it came before or after a deletion; the path would still
 * have to be asked for, when the mount may be gone.
 */

#include "command/watch_coverage.h"

#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/escape.h"
#include "command/reasons.h"
#include "command/watch_covers.h"
#include "command/watch_keep.h"
#include "command/watch_news.h"
#include "command/watch_session_private.h"
#include "command/watch_walk.h"
#include "command/watched_filesystem_end.h"
#include "command/watched_filesystem_events.h"

/*
 * How long what was unmounted, but is in use, or is mounted elsewhere now, may come back without a
 * deletion missed: its events are taken and dropped meanwhile.
 */
#define SLEEP_MAX_NSEC (60 * CLOCK_NSEC_PER_SEC)
/* Of a table that changes all the time. */
#define UPDATE_MAX_TRIES 8

int watch_coverage_announce(WatchSession *s, WatchedFilesystem *fs) {
        _cleanup_buffer_ Buffer b = {0};
        const ScopeMount *m = watched_filesystem_mount(fs);
        int r;

        watched_filesystem_set_told(fs, true);
        buffer_append_literal(&b, "watching ");
        reasons_append_mount(&b, m->point, m->fstype, m->source);
        watch_walk_append(fs, &b);
        if (!watched_filesystem_has_victims(fs))
                buffer_append_literal(&b,
                                      "; what a rename replaces is not told, but what it moved");
        r = watch_news_tell(s, m, &b);
        return r < 0 ? r : watch_walk_tell_gaps(s, fs);
}

/* It has ended, and what it had queued by then is still on its way. */
static bool is_ending(const WatchedFilesystem *fs) {
        return watched_filesystem_ending(fs) != WATCHED_END_NONE &&
               !watched_filesystem_is_asleep(fs);
}

static bool is_watched(const WatchedFilesystem *fs) {
        return watched_filesystem_ending(fs) == WATCHED_END_NONE;
}

bool watch_coverage_waits(const WatchSession *s, const WatchedFilesystem *fs) {
        const char *point = watched_filesystem_mount(fs)->point;

        for (size_t i = 0; i < s->n_filesystems; i++) {
                const WatchedFilesystem *other = s->filesystems[i];

                if (is_ending(other) && is_watched(fs) &&
                    strcmp(watched_filesystem_mount(other)->point, point) == 0)
                        return true;
        }
        return false;
}

/* The table has changed since the last update() began. */
static bool is_table_changed(WatchSession *s) {
        struct pollfd p = {.fd = s->mounts_fd, .events = POLLPRI};

        /* Each change is told of once. */
        s->is_table_changed = s->is_table_changed || poll(&p, 1, 0) > 0;
        return s->is_table_changed;
}

static int add(WatchSession *s, CoverageFilesystem *f) {
        struct epoll_event event = {.events = EPOLLIN};
        WatchedFilesystem **filesystems, *fs;
        WatchedKept kept;
        bool is_kept;
        WatchedStep step;
        int r;

        if (watch_news_is_refused(s, f))
                return 0;
        if (s->options->is_all && coverage_is_remote(f->mount->fstype))
                return watch_news_leave_out_remote(s, f);
        filesystems = reallocarray(s->filesystems, s->n_filesystems + 1, sizeof(*filesystems));
        if (!filesystems)
                return watch_news_say_error("watch", f->mount->point, -ENOMEM);
        s->filesystems = filesystems;
        is_kept = watch_keep_find(s, f, &kept) > 0;
        r = watched_filesystem_new(f, s->options->fan_features, s->options->marking,
                                   s->options->is_queue_bounded, s->identifier,
                                   is_kept ? &kept : NULL, &step, &fs);
        if (r == -ENOMEM)
                return watch_news_say_error("watch", f->mount->point, r);
        /* The next look will find what is there now. */
        if ((r == -ESTALE || r == -ENOENT || r == -ENOTDIR || r == -EINVAL) && is_table_changed(s))
                return s->is_started ? 0 : -EAGAIN;
        if (r < 0)
                return watch_news_refuse(s, f, step, r);
        if (epoll_ctl(s->epoll_fd, EPOLL_CTL_ADD, watched_filesystem_fd(fs), &event) < 0) {
                r = watch_news_say_error("wait for events of", watched_filesystem_mount(fs)->point,
                                         -errno);
                watched_filesystem_free(fs);
                return r;
        }
        s->filesystems[s->n_filesystems++] = fs;
        if (!is_kept)
                watched_filesystem_set_stream(fs, ++s->n_streams);
        watch_keep_add(s, fs);

        r = watch_walk_begin(s, fs);
        if (r != 0)
                return r < 0 ? r : 0;
        return watch_coverage_waits(s, fs) ? 0 : watch_coverage_announce(s, fs);
}

static void let_go(WatchSession *s, size_t i) {
        watch_keep_remove(s, s->filesystems[i]);
        watched_filesystem_free(s->filesystems[i]);
        s->filesystems[i] = s->filesystems[--s->n_filesystems];
}

/* The filesystem of a device that is watched, or else one that was and has its mark; or NULL. */
static WatchedFilesystem *find(WatchSession *s, dev_t device) {
        WatchedFilesystem *ended = NULL;

        for (size_t i = 0; i < s->n_filesystems; i++) {
                WatchedFilesystem *fs = s->filesystems[i];

                if (watched_filesystem_device(fs) != device)
                        continue;
                if (is_watched(fs))
                        return fs;
                if (fan_group_has_mark(watched_filesystem_group(fs), device) > 0)
                        ended = fs;
        }
        return ended;
}

/*
 * One that has ended and is wanted again.  Nothing is said where nothing was said of its end.
 * Return: 1 it goes on, or may at the next look, 0 it cannot, errors of the sink, -ENOMEM.
 */
static int wake(WatchSession *s, WatchedFilesystem *fs, CoverageFilesystem *f) {
        bool was_asleep = watched_filesystem_is_asleep(fs);
        int r;

        r = watched_filesystem_wake(fs, f);
        /* A mount that was leaving just then cannot be held, as one that never can. */
        if (r == -EAGAIN || (r == 0 && is_table_changed(s)))
                return 1;
        if (r == 0) {
                /* It is marked anew: by two groups all would be told twice. */
                watched_filesystem_stop(fs);
                if (!was_asleep)
                        watched_filesystem_until(fs, 0);
        }
        if (r <= 0 || !was_asleep)
                return r;
        watched_filesystem_set_told(fs, false);
        if (watch_coverage_waits(s, fs))
                return 1;
        r = watch_coverage_announce(s, fs);
        return r < 0 ? r : 1;
}

/* One that is watched, and still is: perhaps at other places. */
static int go_on(WatchSession *s, WatchedFilesystem *fs, CoverageFilesystem *f) {
        int r = s->is_started ? watch_news_tell_places(s, watched_filesystem_scopes(fs), &f->scopes)
                              : 0;

        if (r >= 0)
                watched_filesystem_set_scopes(fs, &f->scopes);
        return r;
}

static CoverageFilesystem *find_in_plan(const CoveragePlan *p, dev_t device) {
        for (size_t i = 0; i < p->n_filesystems; i++)
                if (p->filesystems[i].device == device)
                        return &p->filesystems[i];
        return NULL;
}

/* Why the plan does not want a filesystem any more. */
static WatchedEnd end_of(const WatchedFilesystem *fs, const MountTable *table) {
        const char *point = watched_filesystem_mount(fs)->point;
        WatchedEnd end = WATCHED_END_UNMOUNTED;

        for (size_t i = 0; i < table->n_mounts; i++) {
                const Mount *m = &table->mounts[i];

                if (m->device != watched_filesystem_device(fs))
                        continue;
                if (strcmp(m->point, point) == 0)
                        return WATCHED_END_HIDDEN;
                end = WATCHED_END_ELSEWHERE;
        }
        return end;
}

/* One that has ended, and still is not wanted: it may have been in view since the last look. */
static void end_again(WatchedFilesystem *fs, WatchedEnd end) {
        if (end == WATCHED_END_UNMOUNTED && watched_filesystem_ending(fs) != end)
                watched_filesystem_end(fs, end);
        watched_filesystem_rouse(fs);
}

/* The kernel drops a mark with the last mount; the same device may be mounted again by now. */
static void end_unwanted(WatchSession *s, const CoveragePlan *plan, const MountTable *table) {
        for (size_t i = 0; i < s->n_filesystems; i++) {
                WatchedFilesystem *fs = s->filesystems[i];
                dev_t device = watched_filesystem_device(fs);
                bool is_gone = watched_filesystem_has_mark(fs) == 0;
                WatchedEnd end;

                if (!is_gone && find_in_plan(plan, device))
                        continue;
                end = is_gone ? WATCHED_END_UNMOUNTED : end_of(fs, table);
                if (is_watched(fs))
                        watched_filesystem_end(fs, end);
                else
                        end_again(fs, end);
        }
}

/* In a chroot whose root is no mount point, the table lacks the mount that most paths lie on. */
static int check_targets(const WatchSession *s, const MountTable *table) {
        for (size_t i = 0; i < s->n_targets; i++) {
                if (mount_table_find(table, s->targets[i].path))
                        continue;
                fprintf(stderr,
                        "whodunlink: cannot watch %s: /proc/self/mountinfo lists no mount that it "
                        "lies on, as in a chroot whose root is no mount point; mount that root "
                        "with mount --bind first, or watch from outside\n",
                        s->targets[i].path);
                return -ENOENT;
        }
        return 0;
}

/* Of --all, each may be left out, but not all of them. */
static int check_any(const WatchSession *s) {
        if (s->is_started || s->n_filesystems > 0)
                return 0;
        fprintf(stderr, "whodunlink: cannot watch any filesystem\n");
        return -ENOENT;
}

void watch_coverage_tidy(WatchSession *s) {
        for (size_t i = s->n_filesystems; i-- > 0;) {
                WatchedFilesystem *fs = s->filesystems[i];
                bool is_hidden = watched_filesystem_ending(fs) == WATCHED_END_HIDDEN;

                if (!watched_filesystem_is_asleep(fs))
                        continue;
                if (fan_group_has_mark(watched_filesystem_group(fs),
                                       watched_filesystem_device(fs)) == 0 ||
                    (!is_hidden && clock_now_nsec(CLOCK_MONOTONIC) >
                                           watched_filesystem_ended_nsec(fs) + SLEEP_MAX_NSEC))
                        let_go(s, i);
        }
}

int watch_coverage_doze(WatchSession *s, WatchedFilesystem *fs) {
        LocatedEvent e;
        uint64_t now;
        int r, n = 0;

        r = watched_filesystem_absorb(fs);
        if (r < 0)
                return watch_news_say_error("read events of", watched_filesystem_mount(fs)->point,
                                            r);
        now = clock_now_nsec(CLOCK_MONOTONIC);
        if (is_table_changed(s)) {
                r = watch_coverage_update(s);
                return r < 0 ? r : 1;
        }
        watched_filesystem_until(fs, now);
        for (; (r = watched_filesystem_next(fs, &e)) > 0; n++)
                watched_filesystem_done(fs, &e);
        return r < 0 ? r : n > 0;
}

/* Return: as watch_coverage_update(), or -EAGAIN something changed in between. */
static int update(WatchSession *s) {
        _cleanup_mount_table_ MountTable table = {0};
        _cleanup_coverage_plan_ CoveragePlan plan = {0};
        int r;

        (void)is_table_changed(s);
        s->is_table_changed = false;
        r = mount_table_read(s->proc_fd, &table);
        if (r < 0)
                return watch_news_say_error("read", "/proc/self/mountinfo", r);
        r = s->is_started ? 0 : check_targets(s, &table);
        if (r < 0)
                return r;
        r = coverage_plan_make(&table, s->targets, s->n_targets, &plan);
        if (r < 0)
                return watch_news_say_error("plan the watch of", "the mount table", r);
        end_unwanted(s, &plan, &table);
        watch_coverage_tidy(s);
        watch_news_forget_refused(s, &plan);
        for (size_t i = 0; i < plan.n_filesystems; i++) {
                CoverageFilesystem *f = &plan.filesystems[i];
                WatchedFilesystem *fs = find(s, f->device);

                if (fs && is_watched(fs)) {
                        r = go_on(s, fs, f);
                } else {
                        r = fs ? wake(s, fs, f) : 0;
                        if (r == 0)
                                r = add(s, f);
                }
                if (r < 0)
                        return r;
        }
        r = s->is_started ? 0 : watch_news_tell_start(s, &table);
        if (r >= 0)
                r = check_any(s);
        return r < 0 ? r : watch_covers_update(s, &table);
}

int watch_coverage_update(WatchSession *s) {
        int r = -EAGAIN;

        for (int i = 0; i < UPDATE_MAX_TRIES && r == -EAGAIN; i++)
                r = update(s);
        return r == -EAGAIN ? watch_news_say_error("plan the watch of", "the mount table", r) : r;
}

static const char *ending_reason(const WatchedFilesystem *fs, bool is_asleep) {
        switch (watched_filesystem_ending(fs)) {
        case WATCHED_END_HIDDEN:
                return ": it is hidden by another mount";
        case WATCHED_END_ELSEWHERE:
                return ": it is no longer mounted there";
        case WATCHED_END_UNMOUNTED:
        case WATCHED_END_NONE:
                break;
        }
        return is_asleep ? ": it was unmounted; something still uses it" : ": it was unmounted";
}

int watch_coverage_finish(WatchSession *s, size_t i) {
        _cleanup_buffer_ Buffer b = {0};
        WatchedFilesystem *fs = s->filesystems[i];
        const ScopeMount *m = watched_filesystem_mount(fs);
        bool is_asleep = watched_filesystem_sleep(fs);
        WatchedFilesystem *successor = NULL;
        int r = 0;

        for (size_t k = 0; k < s->n_filesystems && !successor; k++) {
                WatchedFilesystem *other = s->filesystems[k];

                if (other != fs && is_watched(other) && !watched_filesystem_is_told(other) &&
                    strcmp(watched_filesystem_mount(other)->point, m->point) == 0)
                        successor = other;
        }
        buffer_append_literal(&b, "no longer watching ");
        reasons_append_mount(&b, m->point, m->fstype, m->source);
        buffer_append_string(&b, ending_reason(fs, is_asleep));
        /* It came and went before a word was said of it. */
        if (watched_filesystem_is_told(fs))
                r = watch_news_tell(s, m, &b);
        watched_filesystem_set_told(fs, false);
        if (!is_asleep)
                let_go(s, i);
        /* Another one that was there before it may still be drained. */
        if (r >= 0 && successor && !watch_coverage_waits(s, successor) &&
            !watch_walk_is_first(successor))
                r = watch_coverage_announce(s, successor);
        return r;
}
