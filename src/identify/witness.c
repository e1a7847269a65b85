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

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "identify/proc_event.h"
#include "identify/proc_snapshot.h"

/* Low among the real-time priorities: above everything ordinary, below what a machine's own
 * real-time work uses. */
#define WITNESS_PRIORITY 5
#define AWAIT_MAX_NSEC (CLOCK_NSEC_PER_SEC / 10)
#define AWAIT_STEP_NSEC (20 * CLOCK_NSEC_PER_USEC)

struct Witness {
        pthread_t thread;
        bool is_started;
        ProcessTable *table;
        ProcConnector *connector;
        int proc_fd;
        int wake_fd; /* eventfd: look at the two flags below */
        atomic_bool is_stopping;
        atomic_bool is_lossy; /* the socket told witness_await() of a loss instead of the thread */
        atomic_bool is_busy;  /* took messages that are not yet in the table */
        atomic_bool has_own_descriptors;
        atomic_bool is_scanned;
        atomic_uint_fast64_t seen_nsec; /* time of the last event that is in the table */
        atomic_int error;
        atomic_uint_fast64_t n_losses;
};

static void see_exec(Witness *w, const ProcEvent *e) {
        ProcessFacts *facts = NULL;
        ProcIds ids;
        int known = process_table_ids(w->table, e->pid, &ids);

        if (proc_snapshot_read(w->proc_fd, e->pid,
                               known ? PROC_SNAPSHOT_IDS_GIVEN : PROC_SNAPSHOT_IDS_READ, &ids,
                               &facts) < 0)
                facts = NULL; /* counted by the table as unread */
        process_table_exec(w->table, e->pid, e->monotonic_nsec, facts);
}

static void see(Witness *w, const ProcEvent *e) {
        if (!proc_event_is_process(e))
                return;
        switch (e->type) {
        case PROC_EVENT_TYPE_FORK:
                process_table_fork(w->table, e->pid, e->parent_pid, e->monotonic_nsec);
                break;
        case PROC_EVENT_TYPE_EXEC:
                see_exec(w, e);
                break;
        case PROC_EVENT_TYPE_EXIT:
                process_table_exit(w->table, e->pid, e->monotonic_nsec);
                break;
        case PROC_EVENT_TYPE_UID:
                process_table_set_uid(w->table, e->pid, e->monotonic_nsec, e->real_id,
                                      e->effective_id);
                break;
        case PROC_EVENT_TYPE_GID:
                process_table_set_gid(w->table, e->pid, e->monotonic_nsec, e->real_id,
                                      e->effective_id);
                break;
        case PROC_EVENT_TYPE_COMM:
                process_table_set_comm(w->table, e->pid, e->monotonic_nsec, e->comm);
                break;
        case PROC_EVENT_TYPE_OTHER:
                break;
        }
}

static void see_batch(Witness *w, const NetlinkBatch *batch) {
        for (size_t i = 0; i < batch->n_datagrams; i++) {
                const uint8_t *at = batch->datagrams[i].bytes;
                size_t n = batch->datagrams[i].n_bytes;
                ProcEvent e;

                while (proc_event_next(&at, &n, &e) > 0) {
                        see(w, &e);
                        atomic_store_explicit(&w->seen_nsec, e.monotonic_nsec,
                                              memory_order_release);
                }
        }
}

/* Reads every process there is. New ones of meanwhile are told of by events that wait. */
static int scan(Witness *w) {
        _cleanup_closedir_ DIR *d = NULL;
        struct dirent *e;
        int fd;

        fd = openat(w->proc_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (fd < 0)
                return -errno;
        d = fdopendir(fd);
        if (!d) {
                int r = -errno;

                close(fd);
                return r;
        }
        while ((e = readdir(d))) {
                ProcessFacts *facts;
                char *end;
                long pid = strtol(e->d_name, &end, 10);

                if (*end != '\0' || pid <= 0 || pid > INT32_MAX)
                        continue;
                if (proc_snapshot_read(w->proc_fd, (pid_t)pid, PROC_SNAPSHOT_IDS_READ, NULL,
                                       &facts) >= 0)
                        process_table_found(w->table, (pid_t)pid, clock_now_nsec(CLOCK_MONOTONIC),
                                            facts);
        }
        return 0;
}

static void rescan(Witness *w) {
        uint64_t begin = clock_now_nsec(CLOCK_MONOTONIC);

        atomic_fetch_add(&w->n_losses, 1);
        process_table_begin_rescan(w->table);
        if (scan(w) >= 0)
                process_table_end_rescan(w->table, begin);
}

/* Return: 0 nothing waits, or a negative errno. */
static int take_all(Witness *w) {
        NetlinkBatch batch;
        bool is_lossy;
        int r;

        /* Before anything is taken: whoever then finds it gone must also find us busy. */
        atomic_store(&w->is_busy, true);
        is_lossy = atomic_exchange(&w->is_lossy, false);
        do {
                r = proc_connector_read(w->connector, &batch);
                if (r == -ENOBUFS)
                        is_lossy = true;
                else if (r > 0)
                        see_batch(w, &batch);
        } while (r > 0 || r == -ENOBUFS);
        if (is_lossy)
                rescan(w);
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
        r = scan(w);
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

int witness_start(ProcessTable *table, int proc_fd, int *ret_priority_error,
                  Witness **ret_witness) {
        const struct sched_param priority = {.sched_priority = WITNESS_PRIORITY};
        const struct timespec step = {.tv_nsec = (long)CLOCK_NSEC_PER_MSEC};
        Witness *w;
        int r;

        w = calloc(1, sizeof(*w));
        if (!w)
                return -ENOMEM;
        w->table = table;
        w->proc_fd = proc_fd;
        w->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
        r = w->wake_fd < 0 ? -errno : proc_connector_new(&w->connector);
        if (r >= 0)
                r = start_thread(w);
        if (r < 0) {
                witness_free(w);
                return r;
        }
        *ret_priority_error = -pthread_setschedparam(w->thread, SCHED_FIFO, &priority);
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

Witness *witness_free(Witness *w) {
        if (!w)
                return NULL;
        if (w->is_started) {
                atomic_store(&w->is_stopping, true);
                wake(w);
                pthread_join(w->thread, NULL);
        }
        proc_connector_free(w->connector);
        cleanup_close(&w->wake_fd);
        free(w);
        return NULL;
}

int witness_await(Witness *w, uint64_t nsec) {
        const struct timespec step = {.tv_nsec = (long)AWAIT_STEP_NSEC};
        uint64_t end = 0;

        for (;;) {
                int is_empty = proc_connector_is_empty(w->connector);
                uint64_t now;

                if (is_empty > 0 && !atomic_load(&w->is_busy) && !atomic_load(&w->is_lossy))
                        return 0;
                if (is_empty < 0) {
                        atomic_store(&w->is_lossy, true);
                        wake(w);
                }
                if (atomic_load_explicit(&w->seen_nsec, memory_order_acquire) > nsec)
                        return 0;
                now = clock_now_nsec(CLOCK_MONOTONIC);
                if (end == 0)
                        end = now + AWAIT_MAX_NSEC;
                if (now >= end || atomic_load(&w->error) != 0)
                        return -ETIMEDOUT;
                nanosleep(&step, NULL);
        }
}

bool witness_has_own_descriptors(const Witness *w) {
        return atomic_load(&w->has_own_descriptors);
}

uint64_t witness_take_losses(Witness *w) {
        return atomic_exchange(&w->n_losses, 0);
}

int witness_error(const Witness *w) {
        return atomic_load(&w->error);
}
