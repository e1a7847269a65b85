/* SPDX-License-Identifier: MIT */

/*
 * The set of watched filesystems follows the mount table.
 *
 * A filesystem that is unmounted is let go of in two steps: at once the superblock, so that its
 * device is free, and once its queue is drained the rest.
 */

#include "command/watch_coverage.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>

#include "base/cleanup.h"
#include "base/escape.h"
#include "command/kernel_features.h"
#include "command/reasons.h"
#include "command/watch_session_private.h"
#include "command/watch_walk.h"

static void say(const WatchSession *s, const Buffer *message) {
        /* Text says it in the stream of records. */
        bool is_told = s->is_started && record_sink_text(s->sink);

        if (!s->options->is_quiet && !is_told)
                fprintf(stderr, "%.*s\n", (int)message->n_bytes, message->bytes);
}

static int say_error(const char *what, const char *on, int error) {
        _cleanup_buffer_ Buffer b = {0};

        escape_append_terminal(&b, on, strlen(on));
        fprintf(stderr, "whodunlink: cannot %s %s: %s\n", what, buffer_terminate(&b),
                strerror(-error));
        return error;
}

/* What is told before START stands right behind it, for whoever reads records only. */
static int keep(WatchSession *s, const ScopeMount *m, const Buffer *message) {
        EarlyNews *news = reallocarray(s->early, s->n_early + 1, sizeof(*news));
        int r;

        if (!news)
                return say_error("keep what is said of", "the start", -ENOMEM);
        s->early = news;
        news = &news[s->n_early];
        *news = (EarlyNews){.message = strndup(message->bytes, message->n_bytes)};
        if (!news->message)
                return say_error("keep what is said of", "the start", -ENOMEM);
        s->n_early++;
        r = m ? scope_set_add_mount(&news->mount, m->root, m->point, m->fstype, m->source,
                                    m->subvolume)
              : 0;
        return r < 0 ? say_error("keep what is said of", "the start", r) : 0;
}

int watch_coverage_tell(WatchSession *s, const ScopeMount *m, Buffer *message) {
        say(s, message);
        if (!s->is_started)
                return keep(s, m, message);
        return watch_session_put_news(s, &(Record){
                                                 .action = RECORD_COVERAGE,
                                                 .mount = m,
                                                 .message = buffer_terminate(message),
                                         });
}

int watch_coverage_put_early(WatchSession *s) {
        /* Text is for who has read it on stderr. */
        for (size_t i = 0; i < s->n_early && !record_sink_text(s->sink); i++) {
                const EarlyNews *news = &s->early[i];
                int r = watch_session_put_news(
                        s, &(Record){
                                   .action = RECORD_COVERAGE,
                                   .mount = news->mount.n_mounts > 0 ? news->mount.mounts : NULL,
                                   .message = news->message,
                           });

                if (r < 0)
                        return r;
        }
        watch_coverage_forget_early(s);
        return 0;
}

void watch_coverage_forget_early(WatchSession *s) {
        for (size_t i = 0; i < s->n_early; i++) {
                free(s->early[i].message);
                scope_set_done(&s->early[i].mount);
        }
        free(s->early);
        s->early = NULL;
        s->n_early = 0;
}

static bool is_refused(const WatchSession *s, dev_t device) {
        for (size_t i = 0; i < s->n_refused; i++)
                if (s->refused[i] == device)
                        return true;
        return false;
}

/* Says once that a filesystem is not watched. */
static int leave_out(WatchSession *s, const CoverageFilesystem *f, Buffer *message) {
        dev_t *refused = reallocarray(s->refused, s->n_refused + 1, sizeof(*refused));

        if (!refused)
                return say_error("watch", f->mount->point, -ENOMEM);
        s->refused = refused;
        s->refused[s->n_refused++] = f->device;
        return watch_coverage_tell(s, &f->scopes.mounts[0], message);
}

static int refuse(WatchSession *s, const CoverageFilesystem *f, WatchedStep step, int error) {
        _cleanup_buffer_ Buffer b = {0};
        const Mount *m = f->mount;

        buffer_append_literal(&b, "cannot watch ");
        reasons_append_mount(&b, m->point, m->fstype, m->source);
        buffer_append_format(&b, ": %s (%s)", reasons_mount(error, step, m),
                             strerrorname_np(-error));

        /* At the start, what the user asked for must work; what is mounted below may not. */
        if (f->is_asked_for && !s->is_started && !s->options->is_all) {
                fprintf(stderr, "whodunlink: %.*s\n", (int)b.n_bytes, b.bytes);
                return error;
        }
        return leave_out(s, f, &b);
}

static int leave_out_remote(WatchSession *s, const CoverageFilesystem *f) {
        _cleanup_buffer_ Buffer b = {0};
        const Mount *m = f->mount;

        buffer_append_literal(&b, "not watching ");
        reasons_append_mount(&b, m->point, m->fstype, m->source);
        buffer_append_literal(&b, ": it is not local, and what other hosts delete there cannot be "
                                  "seen; name it as a PATH to watch what is deleted from here");
        return leave_out(s, f, &b);
}

int watch_coverage_announce(WatchSession *s, const WatchedFilesystem *fs) {
        _cleanup_buffer_ Buffer b = {0};
        const ScopeMount *m = watched_filesystem_mount(fs);
        int r;

        buffer_append_literal(&b, "watching ");
        reasons_append_mount(&b, m->point, m->fstype, m->source);
        watch_walk_append(fs, &b);
        r = watch_coverage_tell(s, m, &b);
        return r < 0 ? r : watch_walk_tell_gaps(s, fs);
}

static bool is_ending(const WatchedFilesystem *fs) {
        return watched_filesystem_ending(fs) != WATCHED_END_NONE;
}

bool watch_coverage_waits(const WatchSession *s, const WatchedFilesystem *fs) {
        const char *point = watched_filesystem_mount(fs)->point;

        for (size_t i = 0; i < s->n_filesystems; i++) {
                const WatchedFilesystem *other = s->filesystems[i];

                if (is_ending(other) && !is_ending(fs) &&
                    strcmp(watched_filesystem_mount(other)->point, point) == 0)
                        return true;
        }
        return false;
}

static int add(WatchSession *s, CoverageFilesystem *f) {
        struct epoll_event event = {.events = EPOLLIN};
        WatchedFilesystem **filesystems, *fs;
        WatchedStep step;
        int r;

        if (is_refused(s, f->device))
                return 0;
        if (s->options->is_all && coverage_is_remote(f->mount->fstype))
                return leave_out_remote(s, f);
        filesystems = reallocarray(s->filesystems, s->n_filesystems + 1, sizeof(*filesystems));
        if (!filesystems)
                return say_error("watch", f->mount->point, -ENOMEM);
        s->filesystems = filesystems;
        r = watched_filesystem_new(f, s->options->fan_features, s->options->marking,
                                   s->options->is_queue_bounded, s->identifier, &step, &fs);
        if (r == -ENOMEM)
                return say_error("watch", f->mount->point, r);
        if (r < 0)
                return refuse(s, f, step, r);
        if (epoll_ctl(s->epoll_fd, EPOLL_CTL_ADD, watched_filesystem_fd(fs), &event) < 0) {
                r = say_error("wait for events of", watched_filesystem_mount(fs)->point, -errno);
                watched_filesystem_free(fs);
                return r;
        }
        s->filesystems[s->n_filesystems++] = fs;

        r = watch_walk_begin(s, fs);
        if (r != 0)
                return r < 0 ? r : 0;
        return watch_coverage_waits(s, fs) ? 0 : watch_coverage_announce(s, fs);
}

/* The watched filesystem of a device that still has its mark, or NULL. */
static WatchedFilesystem *find(WatchSession *s, dev_t device) {
        for (size_t i = 0; i < s->n_filesystems; i++) {
                WatchedFilesystem *fs = s->filesystems[i];

                if (watched_filesystem_device(fs) == device && !is_ending(fs))
                        return fs;
        }
        return NULL;
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

/* The kernel drops a mark with the last mount; the same device may be mounted again by now. */
static void end_unwanted(WatchSession *s, const CoveragePlan *plan, const MountTable *table) {
        for (size_t i = 0; i < s->n_filesystems; i++) {
                WatchedFilesystem *fs = s->filesystems[i];
                dev_t device = watched_filesystem_device(fs);

                if (is_ending(fs))
                        continue;
                if (watched_filesystem_has_mark(fs) == 0)
                        watched_filesystem_end(fs, WATCHED_END_UNMOUNTED);
                else if (!find_in_plan(plan, device))
                        watched_filesystem_end(fs, end_of(fs, table));
        }
}

/* Filesystems that were refused and are gone may be asked for again under the same number. */
static void forget_refused(WatchSession *s, const CoveragePlan *plan) {
        size_t n = 0;

        for (size_t i = 0; i < s->n_refused; i++)
                if (find_in_plan(plan, s->refused[i]))
                        s->refused[n++] = s->refused[i];
        s->n_refused = n;
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

/* Once, at the start: who reads "every filesystem" may count them. */
static int tell_pseudo(WatchSession *s, const MountTable *table) {
        _cleanup_buffer_ Buffer b = {0};
        size_t n = 0;

        for (size_t i = 0; i < table->n_mounts; i++)
                n += coverage_is_pseudo(table->mounts[i].fstype);
        if (s->is_started || !s->options->is_all || n == 0)
                return 0;
        buffer_append_format(&b,
                             "not watching %zu mounts of proc, sysfs, cgroup2 and their like: they "
                             "are views of the kernel and hold no files that anyone could lose",
                             n);
        return watch_coverage_tell(s, NULL, &b);
}

/* Once, at the start: what this kernel makes all records lack. */
static int tell_features(WatchSession *s) {
        unsigned found = FAN_FEATURE_ALL;
        size_t n;
        const KernelFeature *all = kernel_features_all(&n);
        int r = 0;

        for (size_t i = 0; i < s->n_filesystems; i++)
                found &= fan_group_features(watched_filesystem_group(s->filesystems[i]));
        for (size_t i = 0; i < n && r >= 0 && !s->is_started; i++) {
                _cleanup_buffer_ Buffer b = {0};

                if (!all[i].without || found & all[i].bits)
                        continue;
                buffer_append_format(&b, "this kernel has no %s (Linux %s): %s", all[i].name,
                                     all[i].from, all[i].without);
                r = watch_coverage_tell(s, NULL, &b);
        }
        return r;
}

/* Of --all, each may be left out, but not all of them. */
static int check_any(const WatchSession *s) {
        if (s->is_started || s->n_filesystems > 0)
                return 0;
        fprintf(stderr, "whodunlink: cannot watch any filesystem\n");
        return -ENOENT;
}

int watch_coverage_update(WatchSession *s) {
        _cleanup_mount_table_ MountTable table = {0};
        _cleanup_coverage_plan_ CoveragePlan plan = {0};
        int r;

        r = mount_table_read(s->proc_fd, &table);
        if (r < 0)
                return say_error("read", "/proc/self/mountinfo", r);
        r = s->is_started ? 0 : check_targets(s, &table);
        if (r < 0)
                return r;
        r = coverage_plan_make(&table, s->targets, s->n_targets, &plan);
        if (r < 0)
                return say_error("plan the watch of", "the mount table", r);
        end_unwanted(s, &plan, &table);
        forget_refused(s, &plan);
        for (size_t i = 0; i < plan.n_filesystems; i++) {
                CoverageFilesystem *f = &plan.filesystems[i];
                WatchedFilesystem *fs = find(s, f->device);

                if (fs) {
                        watched_filesystem_set_scopes(fs, &f->scopes);
                        continue;
                }
                r = add(s, f);
                if (r < 0)
                        return r;
        }
        r = tell_pseudo(s, &table);
        if (r >= 0)
                r = tell_features(s);
        return r < 0 ? r : check_any(s);
}

static const char *ending_reason(const WatchedFilesystem *fs) {
        switch (watched_filesystem_ending(fs)) {
        case WATCHED_END_HIDDEN:
                return ": it is hidden by another mount";
        case WATCHED_END_ELSEWHERE:
                return ": it is no longer mounted there";
        case WATCHED_END_UNMOUNTED:
        case WATCHED_END_NONE:
                break;
        }
        return ": it was unmounted";
}

int watch_coverage_finish(WatchSession *s, size_t i) {
        _cleanup_buffer_ Buffer b = {0};
        WatchedFilesystem *fs = s->filesystems[i];
        const ScopeMount *m = watched_filesystem_mount(fs);
        WatchedFilesystem *successor = NULL;
        int r;

        for (size_t k = 0; k < s->n_filesystems && !successor; k++)
                if (watch_coverage_waits(s, s->filesystems[k]) &&
                    strcmp(watched_filesystem_mount(s->filesystems[k])->point, m->point) == 0)
                        successor = s->filesystems[k];
        buffer_append_literal(&b, "no longer watching ");
        reasons_append_mount(&b, m->point, m->fstype, m->source);
        buffer_append_string(&b, ending_reason(fs));
        r = watch_coverage_tell(s, m, &b);
        watched_filesystem_free(fs);
        s->filesystems[i] = s->filesystems[--s->n_filesystems];
        /* Another one that was there before it may still be drained. */
        if (r >= 0 && successor && !watch_coverage_waits(s, successor) &&
            !watch_walk_is_first(successor))
                r = watch_coverage_announce(s, successor);
        return r;
}
