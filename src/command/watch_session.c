/* SPDX-License-Identifier: MIT */

/* A watch in progress: who is asked next, and what is said of the watch itself. */

#include "command/watch_session.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "command/watch_coverage.h"
#include "command/watch_covers.h"
#include "command/watch_event.h"
#include "command/watch_hold.h"
#include "command/watch_keep.h"
#include "command/watch_news.h"
#include "command/watch_overlays.h"
#include "command/watch_session_private.h"
#include "command/watch_setup.h"
#include "command/watch_walk.h"
#include "command/watched_filesystem_end.h"
#include "command/watched_filesystem_events.h"

int watch_session_new(const WatchOptions *options, DescriptorStore *store,
                      WatchSession **ret_session) {
        WatchSession *s = calloc(1, sizeof(*s));
        int r;

        if (!s) {
                fprintf(stderr, "whodunlink: out of memory\n");
                return -ENOMEM;
        }
        s->options = options;
        s->store = store;
        s->proc_fd = s->root_fd = s->mounts_fd = s->epoll_fd = -1;
        r = watch_setup(s);
        if (r >= 0)
                r = watch_coverage_update(s);
        if (r >= 0)
                r = watch_overlays_update(s);
        if (r >= 0)
                r = watch_hold_update(s);
        if (r >= 0)
                r = watch_setup_finish();
        if (r < 0) {
                watch_session_free(s);
                return r;
        }
        *ret_session = s;
        return 0;
}

WatchSession *watch_session_free(WatchSession *s) {
        if (!s)
                return NULL;
        for (size_t i = 0; i < s->n_filesystems; i++)
                watched_filesystem_free(s->filesystems[i]);
        free(s->filesystems);
        watch_news_forget_early(s);
        watch_covers_done(s);
        watch_overlays_done(s);
        buffer_done(&s->upper_path);
        buffer_done(&s->container_path);
        process_counter_done(&s->processes);
        watch_remains_done(&s->remains);
        watch_setup_undo(s);
        watch_keep_free(s->keep);
        free(s);
        return NULL;
}

int watch_session_fd(const WatchSession *s) {
        return s->epoll_fd;
}

RecordSink *watch_session_sink(const WatchSession *s) {
        return s->sink;
}

WatchCounters watch_session_counters(const WatchSession *s) {
        WatchCounters c = s->counters;

        c.n_processes = process_counter_n(&s->processes);
        c.is_more = s->processes.is_full;
        return c;
}

/* That nobody reads any more is no error, nor that the reader is slow. */
static void say_write_error(const WatchSession *s, int error) {
        if (error < 0 && error != -EPIPE && error != -EAGAIN)
                fprintf(stderr, "whodunlink: cannot write to %s: %s\n", record_sink_name(s->sink),
                        strerror(-error));
}

int watch_session_put(WatchSession *s, Record *r) {
        int error = record_sink_put(s->sink, r);

        if (error == -ENOMEM)
                fprintf(stderr, "whodunlink: out of memory while writing record %llu\n",
                        (unsigned long long)r->sequence);
        else
                say_write_error(s, error);
        return error;
}

int watch_session_flush(WatchSession *s) {
        int error = record_sink_flush(s->sink);

        watch_keep_advance(s);
        say_write_error(s, error);
        return error;
}

int watch_session_put_news(WatchSession *s, Record *r) {
        r->realtime_nsec = clock_now_nsec(CLOCK_REALTIME);
        r->key = (RecordKey){.position = clock_now_nsec(CLOCK_BOOTTIME)};
        return watch_session_put(s, r);
}

bool watch_session_is_enough(const WatchSession *s) {
        return s->options->count > 0 && s->counters.n_vanished >= s->options->count;
}

static int say_read_error(const WatchedFilesystem *fs, int error) {
        fprintf(stderr, "whodunlink: cannot read events of %s: %s\n",
                watched_filesystem_mount(fs)->point, strerror(-error));
        return error;
}

/* The second look finds the queue empty, unless more has come. */
#define SETTLE_MAX_LOOKS 8
/* Events of one filesystem between two looks at signals and the other filesystems. */
#define DISPATCH_MAX_EVENTS 16384

/* Its cause is still looked for. Who did what comes meanwhile must not be found out later. */
static int postpone(WatchedFilesystem *fs, LocatedEvent *e) {
        int r;

        watched_filesystem_postpone(fs, e);
        r = watched_filesystem_absorb(fs);
        return r < 0 ? say_read_error(fs, r) : WATCH_BUSY;
}

/* Return: a WatchState or a negative errno. */
static int dispatch_filesystem(WatchSession *s, WatchedFilesystem *fs) {
        WatchState state = WATCH_IDLE;
        LocatedEvent e;
        int r = 0;

        for (size_t i = 0; i < DISPATCH_MAX_EVENTS; i++) {
                r = watched_filesystem_next(fs, &e);
                if (r <= 0)
                        break;
                r = watch_event_put(s, fs, &e);
                if (r == -EAGAIN)
                        return postpone(fs, &e);
                watched_filesystem_done(fs, &e);
                if (r < 0)
                        return r;
                if (watch_session_is_enough(s))
                        return WATCH_ENOUGH;
                if (record_sink_is_full(s->sink))
                        return WATCH_FULL;
                state = WATCH_BUSY;
        }
        if (r == -EAGAIN)
                return WATCH_BUSY;
        return r < 0 ? say_read_error(fs, r) : (int)state;
}

static int absorb(WatchSession *s) {
        for (size_t i = 0; i < s->n_filesystems; i++) {
                int r = watched_filesystem_absorb(s->filesystems[i]);

                if (r < 0)
                        return say_read_error(s->filesystems[i], r);
        }
        return WATCH_FULL;
}

/* Return: as dispatch_filesystem(); WATCH_BUSY when one ended that another may have waited for. */
static int dispatch_one(WatchSession *s, size_t i) {
        WatchedFilesystem *fs = s->filesystems[i];
        int r;

        if (watch_coverage_waits(s, fs))
                return WATCH_BUSY;
        if (watched_filesystem_is_asleep(fs)) {
                r = watch_coverage_doze(s, fs);
                return r > 0 ? (int)WATCH_BUSY : r;
        }
        r = dispatch_filesystem(s, fs);
        if (r == WATCH_IDLE || r == WATCH_BUSY) {
                /* What has come with the events is to be looked through at once. */
                int more = watch_walk_go_on(s, fs);

                if (more != 0)
                        return more < 0 ? more : WATCH_BUSY;
        }
        if (r != WATCH_IDLE || watched_filesystem_ending(fs) == WATCHED_END_NONE)
                return r;
        if (watched_filesystem_lingers(fs))
                return WATCH_BUSY;
        r = watch_coverage_finish(s, i);
        return r < 0 ? r : WATCH_BUSY;
}

int watch_session_dispatch(WatchSession *s) {
        WatchState state = WATCH_IDLE;
        int r;

        r = watch_session_flush(s);
        if (r < 0 && r != -EAGAIN)
                return r;
        if (record_sink_is_full(s->sink))
                return absorb(s);
        r = watch_hold_dispatch(s);
        if (r < 0)
                return r;

        /* From behind: the last one takes the place of one that is finished. */
        for (size_t i = s->n_filesystems; i-- > 0;) {
                /* One that sleeps may have woken, and others have been let go of. */
                if (i >= s->n_filesystems)
                        continue;
                r = dispatch_one(s, i);
                if (r < 0)
                        return r;
                if (r == WATCH_ENOUGH || r == WATCH_FULL) {
                        state = (WatchState)r;
                        break;
                }
                if (r == WATCH_BUSY)
                        state = WATCH_BUSY;
        }
        r = watch_session_flush(s);
        if (r < 0 && r != -EAGAIN)
                return r;
        return (int)state;
}

int watch_session_settle(WatchSession *s) {
        int r = WATCH_BUSY;

        /* What is held back now would be looked for where it is no longer. */
        s->is_hasty = true;
        for (int i = 0; i < SETTLE_MAX_LOOKS && r == WATCH_BUSY; i++)
                r = watch_session_dispatch(s);
        s->is_hasty = false;
        return r;
}

int watch_session_update_mounts(WatchSession *s) {
        int r = watch_coverage_update(s);

        if (r >= 0)
                r = watch_overlays_update(s);
        return r < 0 ? r : watch_hold_update(s);
}

void watch_session_stop_capture(WatchSession *s) {
        /* A service manager that ends the watch lets go of the groups: then the marks go as well.
         */
        if (watch_session_is_kept(s))
                return;
        for (size_t i = 0; i < s->n_filesystems; i++)
                watched_filesystem_stop(s->filesystems[i]);
}

/* The oldest time of which some queue may still hold an event. */
static uint64_t settled_nsec(const WatchSession *s) {
        uint64_t settled = UINT64_MAX;

        for (size_t i = 0; i < s->n_filesystems; i++) {
                uint64_t nsec = watched_filesystem_settled_nsec(s->filesystems[i]);

                if (nsec < settled)
                        settled = nsec;
        }
        return settled == UINT64_MAX ? clock_now_nsec(CLOCK_MONOTONIC) : settled;
}

/* @n_losses: for the summary; @m: NULL when it is not about one filesystem */
static int put_loss(WatchSession *s, uint64_t n_losses, const ScopeMount *m, RecordLoss loss,
                    const char *message) {
        s->counters.n_losses += n_losses;
        return watch_session_put_news(
                s, &(Record){.action = RECORD_LOSS, .mount = m, .loss = loss, .message = message});
}

static int put_process_loss(WatchSession *s, uint64_t n_losses) {
        return put_loss(s, n_losses, NULL, (RecordLoss){.where = "process events"},
                        "process events were lost because they came faster than they could be "
                        "read; all processes were read anew");
}

static int put_exit_loss(WatchSession *s, uint64_t n_losses) {
        return put_loss(s, n_losses, NULL, (RecordLoss){.where = "exit records"},
                        "exit records were lost because they came faster than they could be read; "
                        "the shortest programs of that time may have no name");
}

/* Once: it does not start again. */
static int put_witness_end(WatchSession *s, int error) {
        char message[256];

        s->is_witness_told = true;
        snprintf(message, sizeof(message),
                 "process events ended: %s; only processes that are still alive when their "
                 "deletion is read are named from now on",
                 strerror(-error));
        return put_loss(s, 1, NULL, (RecordLoss){.where = "process events"}, message);
}

/* Whether they had deleted anything cannot be told any more. */
static int put_forgotten(WatchSession *s, uint64_t n) {
        char message[384];

        s->n_evicted_told += n;
        snprintf(message, sizeof(message),
                 "forgot ended processes because of --process-limit=%zu, before it was sure that "
                 "all deletions of their time had been read: any that were not are told without a "
                 "name; raise the limit, at some 600 bytes a process, or read the output faster",
                 s->options->process_limit);
        return put_loss(s, 1, NULL, (RecordLoss){.where = "processes", .count = n}, message);
}

/* Each of the n reads may have held any number of events. */
static int put_malformed(WatchSession *s, WatchedFilesystem *fs, uint64_t n) {
        const ScopeMount *m = watched_filesystem_mount(fs);

        return put_loss(s, n, m, (RecordLoss){.where = "file events", .filesystem = m->point},
                        "events of the kernel could not be decoded");
}

/* Nobody can say how many it is going to refuse. */
static int put_refusal(WatchSession *s) {
        return put_loss(s, 1, NULL, (RecordLoss){.where = "journal"},
                        "the journal stores what others send, but not these records: look at "
                        "MaxLevelStore= and RateLimitIntervalSec= in journald.conf(5); what it is "
                        "sent from now on is not sent again when it is dropped");
}

int watch_session_tidy(WatchSession *s) {
        uint64_t n_losses = s->witness ? witness_take_losses(s->witness) : 0;
        uint64_t n_exit_losses = s->witness ? witness_take_exit_losses(s->witness) : 0;
        int witness_status = s->witness ? witness_error(s->witness) : 0;
        uint64_t n_forgotten = 0;
        int r = 0;

        watch_coverage_tidy(s);
        process_table_release(s->table, settled_nsec(s));
        /* Without a witness they are the living, and read again when they are asked for. */
        if (s->witness)
                n_forgotten = process_table_counters(s->table).n_evicted - s->n_evicted_told;
        if (record_sink_take_refusal(s->sink))
                r = put_refusal(s);
        if (r >= 0 && n_losses > 0)
                r = put_process_loss(s, n_losses);
        if (r >= 0 && n_exit_losses > 0)
                r = put_exit_loss(s, n_exit_losses);
        if (r >= 0 && n_forgotten > 0)
                r = put_forgotten(s, n_forgotten);
        if (r >= 0 && witness_status < 0 && !s->is_witness_told)
                r = put_witness_end(s, witness_status);
        for (size_t i = 0; i < s->n_filesystems && r >= 0; i++) {
                uint64_t n = watched_filesystem_take_malformed(s->filesystems[i]);

                if (n > 0)
                        r = put_malformed(s, s->filesystems[i], n);
                if (r >= 0)
                        r = watch_walk_tell_gaps(s, s->filesystems[i]);
        }
        return r;
}

double watch_session_crowding(const WatchSession *s) {
        return (double)process_table_counters(s->table).n_dead / (double)s->options->process_limit;
}

bool watch_session_is_kept(const WatchSession *s) {
        return watch_keep_is_there(s);
}

size_t watch_session_n_kept(const WatchSession *s) {
        return watch_keep_n_bytes(s);
}

int watch_session_announce(WatchSession *s, RecordAction action) {
        _cleanup_buffer_ Buffer b = {0};
        int r;

        s->is_started = true;
        r = record_sink_end_folds(s->sink);
        if (r < 0) {
                say_write_error(s, r);
                return r;
        }
        buffer_append_string(
                &b, action == RECORD_START
                            ? s->is_continued ? "whodunlink " PROJECT_VERSION " goes on to watch"
                                              : "whodunlink " PROJECT_VERSION " watches"
                            : "whodunlink ends its watch of");
        if (s->options->is_all)
                buffer_append_literal(&b, " every local filesystem");
        for (size_t i = 0; i < s->n_targets && !s->options->is_all; i++) {
                buffer_append_string(&b, i == 0 ? " " : ", ");
                buffer_append(&b, s->targets[i].path, s->targets[i].n_path);
        }
        r = watch_session_put_news(s, &(Record){.action = action, .message = buffer_terminate(&b)});
        if (r < 0 || action != RECORD_START)
                return r;
        r = watch_news_put_early(s);
        return r < 0 ? r : watch_keep_tell_rest(s);
}
