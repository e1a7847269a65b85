/* SPDX-License-Identifier: MIT */

/*
 * The kernel tells of an exec on the CPU where it happens, before the new program's first
 * instruction.  A real-time thread that waits on that CPU is switched to at once, and the program
 * waits behind it for the 30 µs of the reading.  A thread on another CPU runs beside the program:
 * of 2,000 static programs that unlink and exit, four at a time on two busy CPUs, it found the
 * arguments of two thirds, one thread a CPU those of all (Linux 6.18).
 *
 * A reader knows nothing of a process but what it reads: the witness, which is told of forks and
 * changes of user in their order, adds what follows from those.
 *
 * Each has a socket of its own, on which the kernel leaves only the execs of its CPU.
 */

#include "identify/exec_readers.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/thread.h"
#include "identify/proc_connector.h"
#include "identify/proc_event.h"

/* Above the witness, which waits for them. */
#define READER_PRIORITY 6
#define TAKE_MAX_NSEC CLOCK_NSEC_PER_MSEC
#define TAKE_STEP_NSEC (10 * CLOCK_NSEC_PER_USEC)

typedef struct Result {
        pid_t pid;
        uint64_t nsec;       /* 0: none */
        ProcessFacts *facts; /* NULL: it was gone */
} Result;

typedef struct Reader {
        pthread_t thread;
        bool is_started;
        unsigned cpu;
        const ProcSource *source;
        ProcConnector *execs;
        int stop_fd; /* of all of them, borrowed */
        atomic_bool is_busy;
        atomic_uint_fast64_t done_nsec; /* all its execs up to this time have results */
        pthread_mutex_t lock;           /* of what follows */
        size_t next;
        Result results[EXEC_READER_RESULTS_MAX];
} Reader;

struct ExecReaders {
        int stop_fd; /* eventfd */
        size_t n_readers;
        Reader *readers[EXEC_READERS_MAX];
};

static void put_result(Reader *r, const ProcEvent *e, ProcessFacts *facts) {
        Result *at;
        ProcessFacts *old;

        pthread_mutex_lock(&r->lock);
        at = &r->results[r->next++ % EXEC_READER_RESULTS_MAX];
        old = at->facts;
        *at = (Result){.pid = e->pid, .nsec = e->monotonic_nsec, .facts = facts};
        pthread_mutex_unlock(&r->lock);
        process_facts_unref(old);
}

static bool take_result(Reader *r, pid_t pid, uint64_t nsec, ProcessFacts **ret_facts) {
        bool is_found = false;

        pthread_mutex_lock(&r->lock);
        for (size_t i = 0; i < EXEC_READER_RESULTS_MAX && !is_found; i++) {
                Result *at = &r->results[(r->next + EXEC_READER_RESULTS_MAX - 1 - i) %
                                         EXEC_READER_RESULTS_MAX];

                if (at->pid != pid || at->nsec != nsec)
                        continue;
                *ret_facts = at->facts;
                *at = (Result){0};
                is_found = true;
        }
        pthread_mutex_unlock(&r->lock);
        return is_found;
}

static void read_exec(Reader *r, const ProcEvent *e) {
        ProcessFacts *facts = NULL;

        if (e->type != PROC_EVENT_TYPE_EXEC)
                return;
        (void)proc_snapshot_read(r->source, e->pid, PROC_SNAPSHOT_AT_EXEC, &facts);
        put_result(r, e, facts);
        atomic_store_explicit(&r->done_nsec, e->monotonic_nsec, memory_order_release);
}

/* Return: 0 nothing waits, or a negative errno. */
static int take_all(Reader *r) {
        NetlinkBatch batch;
        int n;

        /* Before anything is taken: whoever then finds it gone must also find us busy. */
        atomic_store(&r->is_busy, true);
        do {
                n = proc_connector_read(r->execs, &batch);
                for (size_t i = 0; n > 0 && i < batch.n_datagrams; i++) {
                        const uint8_t *at = batch.datagrams[i].bytes;
                        size_t n_bytes = batch.datagrams[i].n_bytes;
                        ProcEvent e;

                        while (proc_event_next(&at, &n_bytes, &e) > 0)
                                read_exec(r, &e);
                }
        } while (n > 0 || n == -ENOBUFS);
        atomic_store(&r->is_busy, false);
        return n;
}

static void *reader_main(void *userdata) {
        Reader *r = userdata;
        struct pollfd fds[] = {
                {.fd = proc_connector_fd(r->execs), .events = POLLIN},
                {.fd = r->stop_fd, .events = POLLIN},
        };

        (void)thread_unshare_descriptors();
        while (poll(fds, 2, -1) >= 0 || errno == EINTR)
                if (fds[1].revents || take_all(r) < 0)
                        break;
        /* It reads nothing any more: nobody is to wait for it. */
        atomic_store_explicit(&r->done_nsec, UINT64_MAX, memory_order_release);
        return NULL;
}

/* The priority and the CPU are given before it runs: one that cannot have them is not made. */
static int start_thread(Reader *r) {
        const struct sched_param priority = {.sched_priority = READER_PRIORITY};
        pthread_attr_t attr;
        cpu_set_t cpus;
        int error;

        CPU_ZERO(&cpus);
        CPU_SET(r->cpu, &cpus);
        pthread_attr_init(&attr);
        pthread_attr_setinheritsched(&attr, PTHREAD_EXPLICIT_SCHED);
        pthread_attr_setschedpolicy(&attr, SCHED_FIFO);
        pthread_attr_setschedparam(&attr, &priority);
        pthread_attr_setaffinity_np(&attr, sizeof(cpus), &cpus);
        error = thread_start(&r->thread, &attr, "exec-reader", reader_main, r);
        pthread_attr_destroy(&attr);
        r->is_started = error == 0;
        return error;
}

static Reader *reader_free(Reader *r) {
        if (!r)
                return NULL;
        if (r->is_started)
                pthread_join(r->thread, NULL);
        for (size_t i = 0; i < EXEC_READER_RESULTS_MAX; i++)
                process_facts_unref(r->results[i].facts);
        proc_connector_free(r->execs);
        pthread_mutex_destroy(&r->lock);
        free(r);
        return NULL;
}

static int reader_new(const ProcSource *source, unsigned cpu, int stop_fd, Reader **ret_reader) {
        Reader *r = calloc(1, sizeof(*r));
        int error;

        if (!r)
                return -ENOMEM;
        r->cpu = cpu;
        r->source = source;
        r->stop_fd = stop_fd;
        thread_mutex_init(&r->lock);
        error = proc_connector_new_execs(cpu, &r->execs);
        if (error >= 0)
                error = start_thread(r);
        if (error < 0) {
                reader_free(r);
                return error;
        }
        *ret_reader = r;
        return 0;
}

int exec_readers_new(const ProcSource *source, ExecReaders **ret_readers) {
        ExecReaders *all;
        cpu_set_t cpus;
        int r = 0;

        if (sched_getaffinity(0, sizeof(cpus), &cpus) < 0)
                return -errno;
        all = calloc(1, sizeof(*all));
        if (!all)
                return -ENOMEM;
        all->stop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
        if (all->stop_fd < 0)
                r = -errno;
        for (unsigned cpu = 0; cpu < CPU_SETSIZE && all->n_readers < EXEC_READERS_MAX && r >= 0;
             cpu++) {
                if (!CPU_ISSET(cpu, &cpus))
                        continue;
                r = reader_new(source, cpu, all->stop_fd, &all->readers[all->n_readers]);
                if (r >= 0)
                        all->n_readers++;
        }
        if (r < 0) {
                exec_readers_free(all);
                return r;
        }
        *ret_readers = all;
        return 0;
}

ExecReaders *exec_readers_free(ExecReaders *all) {
        const uint64_t one = 1;

        if (!all)
                return NULL;
        /* It stays readable, for each of them. */
        if (all->stop_fd >= 0)
                (void)!write(all->stop_fd, &one, sizeof(one));
        for (size_t i = 0; i < all->n_readers; i++)
                reader_free(all->readers[i]);
        cleanup_close(&all->stop_fd);
        free(all);
        return NULL;
}

static Reader *reader_of(const ExecReaders *all, unsigned cpu) {
        for (size_t i = 0; i < all->n_readers; i++)
                if (all->readers[i]->cpu == cpu)
                        return all->readers[i];
        return NULL;
}

/* Has the reader passed this exec, or nothing left to read? */
static bool is_past(const Reader *r, uint64_t nsec) {
        if (atomic_load_explicit(&r->done_nsec, memory_order_acquire) >= nsec)
                return true;
        return proc_connector_is_empty(r->execs) && !atomic_load(&r->is_busy);
}

int exec_readers_take(ExecReaders *all, unsigned cpu, pid_t pid, uint64_t nsec,
                      ProcessFacts **ret_facts) {
        const struct timespec step = {.tv_nsec = (long)TAKE_STEP_NSEC};
        Reader *r = reader_of(all, cpu);
        uint64_t end;

        if (!r)
                return -ENODEV;
        end = clock_now_nsec(CLOCK_MONOTONIC) + TAKE_MAX_NSEC;
        while (!is_past(r, nsec) && clock_now_nsec(CLOCK_MONOTONIC) < end)
                nanosleep(&step, NULL);
        return take_result(r, pid, nsec, ret_facts);
}
