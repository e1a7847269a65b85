/* SPDX-License-Identifier: MIT */

/*
 * The thread that answers.
 *
 * It takes what is queued, and looks at each in turn until it is answered: a task whose event is
 * read before it fell asleep is looked at again some microseconds later, while others are
 * answered.  It waits for nobody on purpose; what it may wait for against its will is other
 * people's memory and files, and then the watchdog lets go of all.
 *
 * It holds few descriptors, in a table of its own, with low numbers: an event for which the kernel
 * finds no descriptor makes the program fail to start, so the limit on open files must not be
 * reached, also while it is lowered for a moment (capture/pidfd_budget.h).  For the same reason
 * filesystems are left out on which it may not be allowed to open a file.
 *
 * Source: fanotify(7), fanotify_init(2); fs/notify/fanotify/ of Linux 6.18.
 */

#include "identify/exec_hold.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/fanotify.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/thread.h"
#include "identify/exec_chain.h"
#include "identify/exec_waiting.h"
#include "identify/exec_watchdog.h"

/* Just above the witness's: who waits for an answer goes before who can be read later. */
#define HOLD_PRIORITY 6
#define STEP_MIN_NSEC (30 * CLOCK_NSEC_PER_USEC)
#define STEP_MAX_NSEC (500 * CLOCK_NSEC_PER_USEC)
/* Of a millisecond each. */
#define END_STEPS_MAX 1000

struct ExecHold {
        pthread_t thread;
        bool is_started;
        int proc_fd;
        int fan_fd, wake_fd, news_fd;
        ExecWatchdog watchdog;
        ExecHoldShared *shared;
        uint64_t bound_nsec;
        atomic_int ready; /* 0 not yet, 1 it runs, else a negative errno */
        atomic_bool is_finished;
        HeldExecs *execs;
        /* The thread's. */
        ExecChain *chain;
        ExecMemory *memory;
        HeldExec *exec;
        uint64_t empty_nsec; /* the queue was empty at that time */
        uint64_t step_nsec;
        size_t n_waiting;
        ExecWaiting waiting[EXEC_RELEASE_BATCH];
};

static void beat(ExecHold *h) {
        atomic_fetch_add(&h->shared->heartbeat, 1);
}

static void let_go(const ExecHold *h, const ExecWaiting *w) {
        (void)exec_release_allow(h->fan_fd, w->fd);
        close(w->fd);
}

/* Known before it is answered, so that it is there when the program's start is told. */
static void answer(ExecHold *h, const ExecWaiting *w, bool is_known) {
        int r;

        if (is_known) {
                h->exec->nsec = clock_now_nsec(CLOCK_MONOTONIC);
                held_execs_put(h->execs, h->exec);
        }
        r = exec_release_allow(h->fan_fd, w->fd);
        /* It was killed as it waited: whose memory was read is not sure. */
        if (r < 0 && is_known)
                held_execs_retract(h->execs, h->exec->pid, h->exec->nsec);
        close(w->fd);
}

/* Return: was it answered? */
static bool look(ExecHold *h, ExecWaiting *w) {
        uint64_t waited = clock_now_nsec(CLOCK_MONOTONIC) - w->since_nsec;
        int r;

        if (!w->is_seen && waited > h->bound_nsec)
                (void)exec_release_declare(h->shared, EXEC_HOLD_END_LATE);
        w->is_seen = true;
        if (waited > h->bound_nsec || w->tid <= 0) {
                answer(h, w, false);
                return true;
        }
        if (!w->is_image_known && exec_waiting_read_image(w) == -EAGAIN &&
            waited < h->bound_nsec / 2)
                return false;
        r = exec_waiting_copy(w, h->proc_fd, h->memory, h->chain, h->exec);
        if (r == -EAGAIN)
                return false;
        answer(h, w, r > 0);
        return true;
}

static void look_at_all(ExecHold *h) {
        size_t n_left = 0;

        for (size_t i = 0; i < h->n_waiting; i++) {
                beat(h);
                if (look(h, &h->waiting[i]))
                        continue;
                if (n_left != i)
                        h->waiting[n_left] = h->waiting[i];
                n_left++;
        }
        h->n_waiting = n_left;
        if (n_left == 0)
                atomic_store(&h->shared->is_busy, false);
}

/* All events of such a group have one size: no records follow them. */
static void take(ExecHold *h) {
        struct fanotify_event_metadata events[EXEC_RELEASE_BATCH];
        const size_t n_room = EXEC_RELEASE_BATCH - h->n_waiting, n_before = h->n_waiting;
        uint64_t now = clock_now_nsec(CLOCK_MONOTONIC);
        const uint64_t one = 1;
        ssize_t n;

        /* Before they are taken: who finds the queue empty must find this. */
        atomic_store(&h->shared->is_busy, true);
        if (atomic_exchange(&h->shared->is_dozing, false))
                (void)!write(h->watchdog.wake_fd, &one, sizeof(one));
        n = read(h->fan_fd, events, n_room * sizeof(*events));
        if (n < 0) {
                if (errno != EAGAIN && errno != EINTR)
                        (void)exec_release_declare(h->shared, EXEC_HOLD_END_UNREADABLE);
                return;
        }
        for (size_t i = 0; i < (size_t)n / sizeof(*events); i++) {
                const struct fanotify_event_metadata *e = &events[i];

                if (e->fd < 0)
                        continue; /* the queue was full: those were not held */
                h->waiting[h->n_waiting++] = (ExecWaiting){
                        .fd = e->fd,
                        .tid = e->pid,
                        .since_nsec = h->empty_nsec,
                };
        }
        if (h->n_waiting - n_before < n_room)
                h->empty_nsec = now;
        h->step_nsec = STEP_MIN_NSEC;
}

/* Waits for events, or a moment for those that sleep only now. Return: are there events? */
static bool wait_for_some(ExecHold *h) {
        bool is_full = h->n_waiting == EXEC_RELEASE_BATCH, is_idle = h->n_waiting == 0;
        const struct timespec step = {.tv_nsec = (long)h->step_nsec};
        struct pollfd fds[] = {
                {.fd = is_full ? -1 : h->fan_fd, .events = POLLIN},
                {.fd = h->wake_fd, .events = POLLIN},
                {.fd = h->watchdog.pidfd, .events = POLLIN},
        };

        if (ppoll(fds, sizeof(fds) / sizeof(fds[0]), is_idle ? NULL : &step, NULL) < 0)
                return false;
        if (fds[1].revents)
                (void)exec_release_declare(h->shared, EXEC_HOLD_END_ASKED);
        if (fds[2].revents)
                (void)exec_release_declare(h->shared, EXEC_HOLD_END_UNGUARDED);
        if (is_idle)
                h->empty_nsec = clock_now_nsec(CLOCK_MONOTONIC);
        if (!is_idle && h->step_nsec < STEP_MAX_NSEC)
                h->step_nsec *= 2;
        return fds[0].revents & POLLIN;
}

static void finish(ExecHold *h) {
        const uint64_t one = 1;

        exec_release_flush(h->fan_fd);
        for (size_t i = 0; i < h->n_waiting; i++)
                let_go(h, &h->waiting[i]);
        h->n_waiting = 0;
        (void)exec_release_queued(h->fan_fd);
        atomic_store(&h->shared->is_busy, false);
        (void)!write(h->news_fd, &one, sizeof(one));
}

static int own_descriptors(const ExecHold *h) {
        int fds[] = {h->proc_fd, h->fan_fd,         h->wake_fd,
                     h->news_fd, h->watchdog.pidfd, h->watchdog.wake_fd};
        int r = thread_unshare_descriptors();

        if (r > 0)
                exec_release_keep_fds(fds, sizeof(fds) / sizeof(fds[0]));
        return r < 0 ? r : 0;
}

static void *exec_hold_main(void *userdata) {
        ExecHold *h = userdata;
        int r = own_descriptors(h);

        atomic_store(&h->ready, r < 0 ? r : 1);
        while (r >= 0 && exec_hold_end(h) == EXEC_HOLD_END_NONE) {
                if (wait_for_some(h))
                        take(h);
                beat(h);
                look_at_all(h);
        }
        finish(h);
        atomic_store(&h->is_finished, true);
        return NULL;
}

static int start_thread(ExecHold *h, int *ret_priority_error) {
        const struct sched_param priority = {.sched_priority = HOLD_PRIORITY};
        const struct timespec step = {.tv_nsec = (long)CLOCK_NSEC_PER_MSEC};
        int r;

        r = thread_start(&h->thread, NULL, "exec-hold", exec_hold_main, h);
        if (r < 0)
                return r;
        h->is_started = true;
        *ret_priority_error = -pthread_setschedparam(h->thread, SCHED_FIFO, &priority);
        while ((r = atomic_load(&h->ready)) == 0)
                nanosleep(&step, NULL);
        return r < 0 ? r : 0;
}

static int allocate(ExecHold *h) {
        void *shared = mmap(NULL, sizeof(*h->shared), PROT_READ | PROT_WRITE,
                            MAP_SHARED | MAP_ANONYMOUS, -1, 0);
        int r;

        if (shared == MAP_FAILED)
                return -errno;
        h->shared = shared;
        h->memory = calloc(1, sizeof(*h->memory));
        h->exec = calloc(1, sizeof(*h->exec));
        if (!h->memory || !h->exec)
                return -ENOMEM;
        r = held_execs_new(&h->execs);
        return r < 0 ? r : exec_chain_new(&h->chain);
}

/* A directory is never executed: the mark is only to see whether the kernel knows the event. */
static int probe(int fan_fd) {
        if (fanotify_mark(fan_fd, FAN_MARK_ADD, FAN_OPEN_EXEC_PERM, AT_FDCWD, "/") < 0)
                return -errno;
        (void)fanotify_mark(fan_fd, FAN_MARK_REMOVE, FAN_OPEN_EXEC_PERM, AT_FDCWD, "/");
        return 0;
}

static int open_descriptors(ExecHold *h) {
        int r;

        h->fan_fd = fanotify_init(FAN_CLASS_CONTENT | FAN_REPORT_TID | FAN_CLOEXEC | FAN_NONBLOCK,
                                  O_RDONLY | O_LARGEFILE | O_CLOEXEC | O_NOATIME);
        if (h->fan_fd < 0)
                return -errno;
        r = probe(h->fan_fd);
        if (r < 0)
                return r;
        h->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
        h->news_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
        return h->wake_fd < 0 || h->news_fd < 0 ? -errno : 0;
}

int exec_hold_new(int proc_fd, uint64_t bound_nsec, int *ret_priority_error, ExecHold **ret_hold) {
        ExecHold *h = calloc(1, sizeof(*h));
        int r;

        if (!h)
                return -ENOMEM;
        h->proc_fd = proc_fd;
        h->bound_nsec = bound_nsec;
        h->fan_fd = h->wake_fd = h->news_fd = -1;
        h->watchdog = EXEC_WATCHDOG_NONE;
        r = allocate(h);
        if (r >= 0)
                r = open_descriptors(h);
        if (r >= 0)
                r = exec_watchdog_start(h->fan_fd, h->news_fd, h->shared, bound_nsec, &h->watchdog);
        if (r >= 0)
                r = start_thread(h, ret_priority_error);
        if (r < 0) {
                exec_hold_free(h);
                return r;
        }
        *ret_hold = h;
        return 0;
}

/* Return: false when it waits for memory or a file that does not come. */
static bool end_thread(ExecHold *h) {
        const struct timespec step = {.tv_nsec = (long)CLOCK_NSEC_PER_MSEC};
        const uint64_t one = 1;

        (void)exec_release_declare(h->shared, EXEC_HOLD_END_ASKED);
        (void)!write(h->wake_fd, &one, sizeof(one));
        for (int i = 0; i < END_STEPS_MAX && !atomic_load(&h->is_finished); i++)
                nanosleep(&step, NULL);
        return atomic_load(&h->is_finished) && pthread_join(h->thread, NULL) == 0;
}

ExecHold *exec_hold_free(ExecHold *h) {
        bool is_left;

        if (!h)
                return NULL;
        is_left = h->is_started && !end_thread(h);
        exec_watchdog_stop(&h->watchdog);
        if (is_left)
                return NULL; /* it goes with the process; what it uses must stay until then */
        cleanup_close(&h->fan_fd);
        cleanup_close(&h->wake_fd);
        cleanup_close(&h->news_fd);
        exec_chain_free(h->chain);
        held_execs_free(h->execs);
        free(h->memory);
        free(h->exec);
        if (h->shared)
                (void)munmap(h->shared, sizeof(*h->shared));
        free(h);
        return NULL;
}

int exec_hold_mark(ExecHold *h, const char *path) {
        if (exec_hold_end(h) != EXEC_HOLD_END_NONE)
                return -ESHUTDOWN;
        if (fanotify_mark(h->fan_fd, FAN_MARK_ADD | FAN_MARK_FILESYSTEM, FAN_OPEN_EXEC_PERM,
                          AT_FDCWD, path) < 0)
                return -errno;
        /* Who let go of all meanwhile may have done it before this mark. */
        if (exec_hold_end(h) != EXEC_HOLD_END_NONE) {
                exec_release_flush(h->fan_fd);
                return -ESHUTDOWN;
        }
        return 0;
}

bool exec_hold_is_fit(const char *fstype) {
        static const char *const unfit[] = {
                "9p",  "afs",  "autofs", "ceph", "cifs", "coda",  "fuse",   "fuseblk",
                "nfs", "nfs4", "proc",   "smb3", "gfs2", "ocfs2", "lustre", "virtiofs",
        };

        if (strncmp(fstype, "fuse.", 5) == 0)
                return false;
        for (size_t i = 0; i < sizeof(unfit) / sizeof(unfit[0]); i++)
                if (strcmp(fstype, unfit[i]) == 0)
                        return false;
        return true;
}

HeldExecs *exec_hold_execs(const ExecHold *h) {
        return h->execs;
}

int exec_hold_fd(const ExecHold *h) {
        return h->news_fd;
}

ExecHoldEnd exec_hold_end(const ExecHold *h) {
        return (ExecHoldEnd)atomic_load(&h->shared->end);
}
