/* SPDX-License-Identifier: MIT */

/*
 * It looks six times in the length of the bound whether something waits, and whether the thread
 * that should answer has made a step since the last look.  Four looks without a step, and all is
 * let go: three to five sixths of the bound after the last step, which leaves a sixth for being
 * late itself.  Looks are counted and not time, since a machine that stood still altogether is no
 * reason.  While no program starts it does not look at all.
 *
 * It must not be stopped with the monitor: it has a session of its own (Ctrl-Z), another name than
 * the program's (pkill -STOP), and leaves the monitor's control group if it can (freezing the
 * service).  Who stops both on purpose stops what is held; the monitor's death then continues the
 * watchdog, which ends.
 */

#include "identify/exec_watchdog.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"

/* Above the thread that it watches (exec_hold.c): it is to be heard when that one spins. */
#define WATCHDOG_PRIORITY 7
#define WATCHDOG_NAME "exec-release"
#define LOOKS_PER_BOUND 6
#define STILL_LOOKS_MAX 4
/* After letting go: what was just being taken becomes answerable only when it was taken. */
#define ROUNDS_AFTER 8
/* The thread's descriptors have low numbers, unless a sanitizer made it share the monitor's. */
#define TAKEN_FDS_MAX 1024
#define END_MAX_MSEC 1000

typedef struct Watch {
        int fan_fd, news_fd, life_fd, wake_fd;
        pid_t parent;
        ExecHoldShared *shared;
        struct timespec pause;
} Watch;

static void let_go(const Watch *w) {
        exec_release_flush(w->fan_fd);
        exec_release_taken(w->fan_fd, TAKEN_FDS_MAX);
        (void)exec_release_queued(w->fan_fd);
}

/* Waits for the next look. Return: is the monitor gone? */
static bool is_orphaned(const Watch *w) {
        struct pollfd life = {.fd = w->life_fd, .events = POLLIN};

        return ppoll(&life, 1, &w->pause, NULL) > 0 || getppid() != w->parent;
}

/*
 * Nothing waits: sleeps until something does.  Either the thread finds this dozing as it gets busy,
 * or this finds it busy; and as long as it has not taken what is queued, that wakes, too.
 */
static void doze(const Watch *w) {
        struct pollfd fds[] = {
                {.fd = w->life_fd, .events = POLLIN},
                {.fd = w->fan_fd, .events = POLLIN},
                {.fd = w->wake_fd, .events = POLLIN},
        };
        uint64_t n;

        atomic_store(&w->shared->is_dozing, true);
        if (!atomic_load(&w->shared->is_busy))
                (void)poll(fds, sizeof(fds) / sizeof(fds[0]), -1);
        atomic_store(&w->shared->is_dozing, false);
        (void)!read(w->wake_fd, &n, sizeof(n));
}

/* Return: false when the monitor is gone. */
static bool watch(const Watch *w) {
        unsigned before = atomic_load(&w->shared->heartbeat), n_still = 0;

        while (n_still < STILL_LOOKS_MAX) {
                bool is_waiting;
                unsigned now;

                if (is_orphaned(w))
                        return false;
                if (atomic_load(&w->shared->end) != EXEC_HOLD_END_NONE)
                        return true;
                now = atomic_load(&w->shared->heartbeat);
                is_waiting =
                        atomic_load(&w->shared->is_busy) || exec_release_n_queued(w->fan_fd) > 0;
                n_still = is_waiting && now == before ? n_still + 1 : 0;
                if (!is_waiting && now == before)
                        doze(w);
                before = now;
        }
        return true;
}

/* Nothing is marked any more, unless the monitor was about to as it was stopped. */
static void stay(const Watch *w) {
        struct pollfd fds[] = {
                {.fd = w->life_fd, .events = POLLIN},
                {.fd = w->fan_fd, .events = POLLIN},
        };

        for (int i = 0; i < ROUNDS_AFTER; i++) {
                if (is_orphaned(w))
                        return;
                let_go(w);
        }
        while (!fds[0].revents) {
                fds[1].revents = 0;
                if (poll(fds, 2, -1) < 0 && errno != EINTR)
                        return;
                if (fds[1].revents & POLLIN)
                        let_go(w);
                else if (fds[1].revents)
                        return;
        }
}

static void write_string(const char *path, const char *s, size_t n) {
        int fd = open(path, O_WRONLY | O_CLOEXEC);

        if (fd < 0)
                return;
        (void)!write(fd, s, n);
        close(fd);
}

/* To the root of the hierarchies that can freeze: version 2, alone and beside version 1, and 1. */
static void leave_control_group(void) {
        write_string("/sys/fs/cgroup/cgroup.procs", "0", 1);
        write_string("/sys/fs/cgroup/unified/cgroup.procs", "0", 1);
        write_string("/sys/fs/cgroup/freezer/cgroup.procs", "0", 1);
}

__attribute__((noreturn)) static void watchdog_main(Watch *w) {
        const struct sched_param priority = {.sched_priority = WATCHDOG_PRIORITY};
        const uint64_t one = 1;
        int fds[] = {w->fan_fd, w->news_fd, w->life_fd, w->wake_fd};
        sigset_t all;

        sigfillset(&all);
        sigprocmask(SIG_BLOCK, &all, NULL);
        (void)setsid();
        (void)prctl(PR_SET_NAME, WATCHDOG_NAME);
        /* Blocked like the others, but it continues who was stopped. */
        (void)prctl(PR_SET_PDEATHSIG, SIGCONT);
        exec_release_keep_fds(fds, sizeof(fds) / sizeof(fds[0]));
        /* The monitor's pipes and terminal may wait for their last user. */
        for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
                close(fd);
        (void)!chdir("/");
        leave_control_group();
        (void)sched_setscheduler(0, SCHED_FIFO, &priority);

        if (watch(w)) {
                (void)exec_release_declare(w->shared, EXEC_HOLD_END_STALLED);
                let_go(w);
                (void)!write(w->news_fd, &one, sizeof(one));
                stay(w);
        }
        let_go(w);
        _exit(0);
}

int exec_watchdog_start(int fan_fd, int news_fd, ExecHoldShared *shared, uint64_t bound_nsec,
                        ExecWatchdog *ret_watchdog) {
        uint64_t pause = bound_nsec / LOOKS_PER_BOUND;
        _cleanup_close_ int reading = -1, writing = -1, pidfd = -1, wake_fd = -1;
        Watch w = {
                .fan_fd = fan_fd,
                .news_fd = news_fd,
                .parent = getpid(),
                .shared = shared,
                .pause = {.tv_sec = (time_t)(pause / CLOCK_NSEC_PER_SEC),
                          .tv_nsec = (long)(pause % CLOCK_NSEC_PER_SEC)},
        };
        int fds[2], r;
        pid_t pid;

        if (pipe2(fds, O_CLOEXEC) < 0)
                return -errno;
        reading = fds[0];
        writing = fds[1];
        wake_fd = w.wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
        if (wake_fd < 0)
                return -errno;
        pid = fork();
        if (pid < 0)
                return -errno;
        if (pid == 0) {
                close(writing);
                w.life_fd = reading;
                watchdog_main(&w);
        }
        pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
        if (pidfd < 0) {
                r = -errno;
                close(take_fd(&writing));
                (void)waitpid(pid, NULL, 0);
                return r;
        }
        *ret_watchdog = (ExecWatchdog){
                .pid = pid,
                .pidfd = take_fd(&pidfd),
                .life_fd = take_fd(&writing),
                .wake_fd = take_fd(&wake_fd),
        };
        return 0;
}

void exec_watchdog_stop(ExecWatchdog *w) {
        struct pollfd end = {.fd = w->pidfd, .events = POLLIN};

        if (w->pid > 0) {
                cleanup_close(&w->life_fd);
                if (poll(&end, 1, END_MAX_MSEC) <= 0)
                        (void)kill(w->pid, SIGKILL);
                (void)waitpid(w->pid, NULL, 0);
                cleanup_close(&w->pidfd);
                cleanup_close(&w->wake_fd);
        }
        *w = EXEC_WATCHDOG_NONE;
}
