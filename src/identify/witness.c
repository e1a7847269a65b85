/* SPDX-License-Identifier: MIT */

/*
 * One loop: take process events, apply them to the table, and for an exec read /proc first.
 *
 * It runs at real-time priority since the program it reads may live less than a millisecond: at
 * ordinary priority two thirds are seen in a storm, at SCHED_FIFO all but a few in ten thousand
 * (kernel.md, section 7).  It never waits but for the next event, never logs, and what it
 * allocates is one set of facts an exec.
 *
 * The thread has a descriptor table of its own: the main loop closes descriptors by the thousand
 * while this one opens files, and neither should wait for the other.
 */

#include "identify/witness.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/sysmacros.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "identify/proc_connector.h"
#include "identify/proc_event.h"
#include "identify/process_scan.h"
#include "identify/program_paths.h"
#include "identify/taskstats_record.h"
#include "identify/taskstats_socket.h"

/* Low among the real-time priorities: above everything ordinary, below what a machine's own
 * real-time work uses. */
#define WITNESS_PRIORITY 5
#define AWAIT_MAX_NSEC (CLOCK_NSEC_PER_SEC / 10)
#define AWAIT_STEP_NSEC (20 * CLOCK_NSEC_PER_USEC)

struct Witness {
        pthread_t thread;
        bool is_started;
        ProcessTable *table;
        const ProcSource *source;
        ProcConnector *connector;
        TaskstatsSocket *exits;          /* NULL: the kernel has no exit records for us */
        ProgramPaths *paths;             /* the thread's own */
        uint64_t told_nsec;              /* the thread's own: time of the last process event */
        _Atomic(HeldExecs *) held_execs; /* NULL: programs are not held */
        int wake_fd;                     /* eventfd: look at the two flags below */
        atomic_bool is_stopping;
        atomic_bool is_lossy; /* the socket told witness_await() of a loss instead of the thread */
        atomic_bool is_busy;  /* took messages that are not yet in the table */
        atomic_bool has_own_descriptors;
        atomic_bool is_scanned;
        atomic_uint_fast64_t seen_nsec; /* all that happened before is in the table */
        atomic_int error;
        atomic_uint_fast64_t n_losses, n_exit_losses;
};

static void see_exec(Witness *w, const ProcEvent *e) {
        _cleanup_process_facts_ ProcessFacts *before = process_table_facts(w->table, e->pid);
        HeldExecs *execs = atomic_load(&w->held_execs);
        ProcessFacts *facts = NULL;
        HeldExec held;
        bool is_held;

        if (proc_snapshot_read(w->source, e->pid, before, &facts) < 0)
                facts = NULL; /* counted by the table as unread */
        else
                program_paths_learn(w->paths, facts);
        is_held = execs && held_execs_take(execs, e->pid, e->monotonic_nsec, &held) > 0;
        process_table_exec_held(w->table, e->pid, e->monotonic_nsec, facts, is_held ? &held : NULL);
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
                process_table_set_uid(t, e->pid, e->monotonic_nsec, e->real_id, e->effective_id);
                break;
        case PROC_EVENT_TYPE_GID:
                process_table_set_gid(t, e->pid, e->monotonic_nsec, e->real_id, e->effective_id);
                break;
        case PROC_EVENT_TYPE_SID:
                process_table_set_session(t, e->pid, e->monotonic_nsec);
                break;
        case PROC_EVENT_TYPE_COMM:
                process_table_set_comm(t, e->pid, e->monotonic_nsec, e->comm);
                break;
        case PROC_EVENT_TYPE_OTHER:
                break;
        }
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
        bool is_lossy;
        uint64_t seen;
        int r;

        /* Before anything is taken: whoever then finds it gone must also find us busy. */
        atomic_store(&w->is_busy, true);
        is_lossy = atomic_exchange(&w->is_lossy, false);
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

/* gcc has a macro for it, clang a feature. */
#if defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define __SANITIZE_THREAD__ 1
#endif
#endif

/* ThreadSanitizer takes equal numbers in two tables for one descriptor: under it they share one. */
static bool unshare_descriptors(void) {
#ifdef __SANITIZE_THREAD__
        return false;
#else
        return unshare(CLONE_FILES) == 0;
#endif
}

static void *witness_main(void *userdata) {
        Witness *w = userdata;
        struct pollfd fds[] = {
                {.fd = proc_connector_fd(w->connector), .events = POLLIN},
                {.fd = w->wake_fd, .events = POLLIN},
        };
        uint64_t n;
        int r;

        atomic_store(&w->has_own_descriptors, unshare_descriptors());
        r = process_scan(w->table, w->source);
        atomic_store(&w->error, r);
        atomic_store(&w->is_scanned, true);
        while (r >= 0) {
                if (poll(fds, 2, -1) < 0 && errno != EINTR)
                        r = -errno;
                else if (atomic_load(&w->is_stopping))
                        break;
                else
                        r = take_all(w);
                if (fds[1].revents)
                        (void)!read(w->wake_fd, &n, sizeof(n));
        }
        atomic_store(&w->error, r < 0 ? r : 0);
        atomic_store(&w->is_busy, false);
        return NULL;
}

static void wake(Witness *w) {
        const uint64_t one = 1;

        (void)!write(w->wake_fd, &one, sizeof(one));
}

static int start_thread(Witness *w) {
        sigset_t all, before;
        int r;

        /* Signals are the main loop's. */
        sigfillset(&all);
        pthread_sigmask(SIG_BLOCK, &all, &before);
        r = -pthread_create(&w->thread, NULL, witness_main, w);
        pthread_sigmask(SIG_SETMASK, &before, NULL);
        w->is_started = r == 0;
        if (r == 0)
                pthread_setname_np(w->thread, "witness");
        return r;
}

static int open_sources(Witness *w, WitnessGaps *ret_gaps) {
        int r;

        w->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
        if (w->wake_fd < 0)
                return -errno;
        r = program_paths_new(w->source->proc_fd, &w->paths);
        if (r >= 0)
                r = proc_connector_new(&w->connector);
        if (r >= 0)
                ret_gaps->exits_error = taskstats_socket_new(&w->exits);
        return r;
}

int witness_start(ProcessTable *table, const ProcSource *source, WitnessGaps *ret_gaps,
                  Witness **ret_witness) {
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
        r = open_sources(w, ret_gaps);
        if (r >= 0)
                r = start_thread(w);
        if (r < 0) {
                witness_free(w);
                return r;
        }
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
        int events = proc_connector_is_empty(w->connector);
        int exits = w->exits ? taskstats_socket_is_empty(w->exits) : 1;

        if (exits < 0)
                atomic_fetch_add(&w->n_exit_losses, 1);
        if (events < 0)
                atomic_store(&w->is_lossy, true);
        if (events == 0 || atomic_load(&w->is_busy))
                return false;
        if (exits != 0 && !atomic_load(&w->is_lossy))
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

int witness_error(const Witness *w) {
        return atomic_load(&w->error);
}
