/* SPDX-License-Identifier: MIT */

/*
 * One loop: take process events and exit records, and apply them to the table in their order.
 *
 * What a program was started with is read by the readers (exec_readers.c), before it runs; where
 * there are none, the witness reads it as soon as the exec is told.  That is why it runs at
 * real-time priority: at ordinary priority two thirds are seen in a storm, at SCHED_FIFO all but a
 * few in ten thousand (kernel.md, section 7).  It never waits but for the next event or a reader
 * that is at work, never logs, and what it allocates is one set of facts an exec.
 *
 * The thread has a descriptor table of its own: the main loop closes descriptors by the thousand
 * while this one opens files, and neither should wait for the other.
 */

#include "identify/witness.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/sysmacros.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/thread.h"
#include "identify/exec_readers.h"
#include "identify/proc_connector.h"
#include "identify/proc_event.h"
#include "identify/process_scan.h"
#include "identify/program_paths.h"
#include "identify/taskstats_record.h"
#include "identify/taskstats_socket.h"

/* Low among the real-time priorities: above everything ordinary, below what a machine's own
 * real-time work uses. */
#define WITNESS_PRIORITY 5
/* Process events are held by the kernel meanwhile. */
#define PAUSE_MSEC 2
#define AWAIT_MAX_NSEC (CLOCK_NSEC_PER_SEC / 10)
#define AWAIT_STEP_NSEC (20 * CLOCK_NSEC_PER_USEC)

struct Witness {
        pthread_t thread;
        bool is_started;
        bool is_kept;      /* by another process when this one has ended */
        bool is_continued; /* … and was before */
        NetlinkBatch left_events, left_exits;
        bool is_alone; /* the thread's own: some programs have no reader, it must come itself */
        ProcessTable *table;
        const ProcSource *source;
        ProcConnector *connector;
        ExecReaders *readers;            /* NULL: it reads programs itself, at once */
        TaskstatsSocket *exits;          /* NULL: the kernel has no exit records for us */
        ProgramPaths *paths;             /* the thread's own */
        uint64_t told_nsec;              /* the thread's own: time of the last process event */
        _Atomic(HeldExecs *) held_execs; /* NULL: programs are not held */
        int wake_fd;                     /* eventfd: look at once */
        atomic_bool is_stopping;
        atomic_bool is_busy; /* took messages that are not yet in the table */
        atomic_bool has_own_descriptors;
        atomic_bool is_scanned;
        atomic_uint_fast64_t seen_nsec; /* all that happened before is in the table */
        atomic_int error;
        atomic_uint_fast64_t n_losses, n_exit_losses;
};

/* What the reader of that CPU found, or else what is still there. */
static ProcessFacts *facts_at_exec(Witness *w, const ProcEvent *e) {
        ProcessFacts *facts = NULL;
        int r = -ENODEV;

        if (w->readers)
                r = exec_readers_take(w->readers, e->cpu, e->pid, e->monotonic_nsec, &facts);
        if (r > 0)
                return facts;
        if (r < 0)
                w->is_alone = true;
        return proc_snapshot_read(w->source, e->pid, PROC_SNAPSHOT_AT_EXEC, &facts) < 0 ? NULL
                                                                                        : facts;
}

static void see_exec(Witness *w, const ProcEvent *e) {
        _cleanup_process_facts_ ProcessFacts *before = process_table_facts(w->table, e->pid);
        HeldExecs *execs = atomic_load(&w->held_execs);
        ProcessFacts *facts = facts_at_exec(w, e); /* NULL: counted by the table as unread */
        HeldExec held;
        bool is_held;

        if (facts && proc_snapshot_complete(w->source, e->pid, before, &facts) >= 0)
                program_paths_learn(w->paths, facts);
        is_held = execs && held_execs_take(execs, e->pid, e->monotonic_nsec, &held) > 0;
        process_table_exec(w->table, e->pid, e->monotonic_nsec, facts, is_held ? &held : NULL);
}

static void see_exit(Witness *w, const ProcEvent *e) {
        HeldExecs *execs = atomic_load(&w->held_execs);

        if (execs)
                held_execs_forget(execs, e->pid, e->monotonic_nsec);
        process_table_exit(w->table, e->pid, e->monotonic_nsec);
}

static void see(Witness *w, const ProcEvent *e) {
        ProcessTable *t = w->table;

        if (!proc_event_is_process(e))
                return;
        switch (e->type) {
        case PROC_EVENT_TYPE_FORK:
                process_table_fork(t, e->pid, e->parent_pid, e->monotonic_nsec);
                break;
        case PROC_EVENT_TYPE_EXEC:
                see_exec(w, e);
                break;
        case PROC_EVENT_TYPE_EXIT:
                see_exit(w, e);
                break;
        case PROC_EVENT_TYPE_UID:
        case PROC_EVENT_TYPE_GID:
        case PROC_EVENT_TYPE_SID:
        case PROC_EVENT_TYPE_COMM:
                process_table_change(t, e);
                break;
        case PROC_EVENT_TYPE_OTHER:
                break;
        }
}

/* The next process need not see so much of the batch again. */
static void events_done(Witness *w, const NetlinkBatch *batch, size_t i) {
        if (w->is_kept)
                proc_connector_done(w->connector, batch->datagrams[i].i + 1);
}

static void see_events(Witness *w, const NetlinkBatch *batch) {
        for (size_t i = 0; i < batch->n_datagrams; i++) {
                const uint8_t *at = batch->datagrams[i].bytes;
                size_t n = batch->datagrams[i].n_bytes;
                ProcEvent e;

                while (proc_event_next(&at, &n, &e) > 0) {
                        see(w, &e);
                        w->told_nsec = e.monotonic_nsec;
                }
                events_done(w, batch, i);
        }
}

static void see_exits(Witness *w, const NetlinkBatch *batch) {
        for (size_t i = 0; i < batch->n_datagrams; i++) {
                const uint8_t *at = batch->datagrams[i].bytes;
                size_t n = batch->datagrams[i].n_bytes;
                TaskstatsRecord record;
                const char *path;

                while (taskstats_record_next(&at, &n, &record) > 0) {
                        if (record.pid == 0 || !record.is_whole_process)
                                continue;
                        path = record.has_exe ? program_paths_find(
                                                        w->paths,
                                                        makedev(record.exe_major, record.exe_minor),
                                                        record.exe_inode, record.comm)
                                              : NULL;
                        process_table_exit_record(w->table, &record, path, w->told_nsec);
                }
                if (w->is_kept)
                        taskstats_socket_done(w->exits, batch->datagrams[i].i + 1);
        }
}

/* Return: 0 nothing waits, or a negative errno. */
static int take_events(Witness *w, bool *is_lossy) {
        NetlinkBatch batch;
        int r;

        do {
                r = proc_connector_read(w->connector, &batch);
                if (r == -ENOBUFS)
                        *is_lossy = true;
                else if (r > 0)
                        see_events(w, &batch);
        } while (r > 0 || r == -ENOBUFS);
        return r;
}

/*
 * One batch of exit records, after the events that were sent before them: a record is joined with
 * the life that its fork began.
 * Return: 1 there may be more, 0 nothing waits, or a negative errno.
 */
static int take_exits(Witness *w, bool *is_lossy) {
        NetlinkBatch batch;
        int r, error;

        r = w->exits ? taskstats_socket_read(w->exits, &batch) : 0;
        if (r == -ENOBUFS) {
                atomic_fetch_add(&w->n_exit_losses, 1);
                return 1;
        }
        if (r <= 0)
                return r;
        error = take_events(w, is_lossy);
        see_exits(w, &batch);
        return error < 0 ? error : 1;
}

/* Return: 0 nothing waits, or a negative errno. */
static int take_all(Witness *w) {
        const uint64_t before_nsec = w->told_nsec;
        bool is_lossy = false;
        uint64_t seen;
        int r;

        /* Before anything is taken: whoever then finds it gone must also find us busy. */
        atomic_store(&w->is_busy, true);
        do {
                r = take_events(w, &is_lossy);
                seen = w->told_nsec;
                if (r >= 0)
                        r = take_exits(w, &is_lossy);
        } while (r > 0);
        if (is_lossy) {
                atomic_fetch_add(&w->n_losses, 1);
                (void)process_rescan(w->table, w->source, before_nsec);
        }
        atomic_store_explicit(&w->seen_nsec, seen, memory_order_release);
        atomic_store(&w->is_busy, false);
        return r;
}

/*
 * Between two looks, when readers see each program as it starts: waking for each event would cost
 * more than reading them together.  Who must not wait wakes it.
 */
static void pause_for_more(struct pollfd *wake_fd) {
        (void)poll(wake_fd, 1, PAUSE_MSEC);
}

/*
 * All that was told since the process before ended, in its order and before the scan: that finds
 * what is there now, and would be taken for what was there then.
 */
static int go_on(Witness *w) {
        see_events(w, &w->left_events);
        if (w->exits)
                see_exits(w, &w->left_exits);
        return take_all(w);
}

static void *witness_main(void *userdata) {
        Witness *w = userdata;
        struct pollfd fds[] = {
                {.fd = w->wake_fd, .events = POLLIN},
                {.fd = proc_connector_fd(w->connector), .events = POLLIN},
        };
        uint64_t n;
        int r;

        atomic_store(&w->has_own_descriptors, thread_unshare_descriptors() > 0);
        r = w->is_continued ? go_on(w) : 0;
        if (r >= 0)
                r = process_scan(w->table, w->source);
        atomic_store(&w->error, r);
        atomic_store(&w->is_scanned, true);
        while (r >= 0) {
                if (poll(fds, 2, -1) < 0 && errno != EINTR) {
                        r = -errno;
                        break;
                }
                if (!fds[0].revents && w->readers && !w->is_alone)
                        pause_for_more(&fds[0]);
                if (atomic_load(&w->is_stopping))
                        break;
                if (fds[0].revents)
                        (void)!read(w->wake_fd, &n, sizeof(n));
                r = take_all(w);
        }
        atomic_store(&w->error, r < 0 ? r : 0);
        atomic_store(&w->is_busy, false);
        return NULL;
}

static void wake(Witness *w) {
        const uint64_t one = 1;

        (void)!write(w->wake_fd, &one, sizeof(one));
}

static int open_connector(Witness *w, WitnessKept *kept) {
        int r;

        if (!kept)
                return proc_connector_new(&w->connector);
        r = proc_connector_adopt(kept->events_fd, process_log_events_room(kept->log),
                                 &w->left_events, &w->connector);
        if (r >= 0) {
                w->is_kept = true;
                w->is_continued = kept->events_fd >= 0;
                kept->events_fd = -1;
        }
        return r;
}

static int open_exits(Witness *w, WitnessKept *kept) {
        int r;

        if (!kept)
                return taskstats_socket_new(&w->exits);
        r = taskstats_socket_adopt(kept->exits_fd, process_log_exits_room(kept->log),
                                   &w->left_exits, &w->exits);
        if (r >= 0)
                kept->exits_fd = -1;
        return r;
}

static int open_sources(Witness *w, WitnessKept *kept, WitnessGaps *ret_gaps) {
        int r;

        w->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
        if (w->wake_fd < 0)
                return -errno;
        r = program_paths_new(w->source->proc_fd, &w->paths);
        if (r >= 0)
                r = open_connector(w, kept);
        if (r >= 0)
                ret_gaps->exits_error = open_exits(w, kept);
        if (r >= 0 && kept)
                process_table_recall(w->table, kept->log, w->paths);
        if (r >= 0)
                ret_gaps->readers_error = exec_readers_new(w->source, &w->readers);
        return r;
}

int witness_start(ProcessTable *table, const ProcSource *source, WitnessKept *kept,
                  WitnessGaps *ret_gaps, Witness **ret_witness) {
        const struct sched_param priority = {.sched_priority = WITNESS_PRIORITY};
        const struct timespec step = {.tv_nsec = (long)CLOCK_NSEC_PER_MSEC};
        Witness *w;
        int r;

        *ret_gaps = (WitnessGaps){0};
        w = calloc(1, sizeof(*w));
        if (!w)
                return -ENOMEM;
        w->wake_fd = -1;
        w->table = table;
        w->source = source;
        r = open_sources(w, kept, ret_gaps);
        if (r >= 0)
                r = thread_start(&w->thread, NULL, "witness", witness_main, w);
        if (r < 0) {
                witness_free(w);
                return r;
        }
        w->is_started = true;
        ret_gaps->priority_error = -pthread_setschedparam(w->thread, SCHED_FIFO, &priority);
        while (!atomic_load(&w->is_scanned))
                nanosleep(&step, NULL);
        r = atomic_load(&w->error);
        if (r < 0) {
                witness_free(w);
                return r;
        }
        *ret_witness = w;
        return 0;
}

void witness_follow_held(Witness *w, HeldExecs *execs) {
        atomic_store(&w->held_execs, execs);
}

Witness *witness_free(Witness *w) {
        if (!w)
                return NULL;
        if (w->is_started) {
                atomic_store(&w->is_stopping, true);
                wake(w);
                pthread_join(w->thread, NULL);
        }
        exec_readers_free(w->readers);
        taskstats_socket_free(w->exits);
        proc_connector_free(w->connector);
        program_paths_free(w->paths);
        cleanup_close(&w->wake_fd);
        free(w);
        return NULL;
}

/*
 * Is everything that was sent in the table?  An exit record alone wakes nobody, since the exit is
 * told right after it, but when the last of several threads ends.
 */
static bool is_all_seen(Witness *w) {
        bool is_taken = proc_connector_is_empty(w->connector) &&
                        (!w->exits || taskstats_socket_is_empty(w->exits));

        /* Looked at later than the sockets: what it took from them is not in the table yet. */
        if (atomic_load(&w->is_busy))
                return false;
        if (is_taken)
                return true;
        wake(w);
        return false;
}

int witness_await(Witness *w, uint64_t nsec) {
        const struct timespec step = {.tv_nsec = (long)AWAIT_STEP_NSEC};
        uint64_t end = 0;

        while (!is_all_seen(w)) {
                uint64_t now;

                if (atomic_load_explicit(&w->seen_nsec, memory_order_acquire) > nsec)
                        return 0;
                now = clock_now_nsec(CLOCK_MONOTONIC);
                if (end == 0)
                        end = now + AWAIT_MAX_NSEC;
                if (now >= end || atomic_load(&w->error) != 0)
                        return -ETIMEDOUT;
                nanosleep(&step, NULL);
        }
        return 0;
}

bool witness_has_own_descriptors(const Witness *w) {
        return atomic_load(&w->has_own_descriptors);
}

uint64_t witness_take_losses(Witness *w) {
        return atomic_exchange(&w->n_losses, 0);
}

uint64_t witness_take_exit_losses(Witness *w) {
        return atomic_exchange(&w->n_exit_losses, 0);
}

int witness_events_fd(const Witness *w) {
        return proc_connector_fd(w->connector);
}

int witness_exits_fd(const Witness *w) {
        return w->exits ? taskstats_socket_fd(w->exits) : -1;
}

int witness_error(const Witness *w) {
        return atomic_load(&w->error);
}
