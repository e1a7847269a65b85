/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * A small process that lets go of all held programs when the thread that holds them cannot: it was
 * stopped with the whole monitor (SIGSTOP, a debugger, a frozen control group), was killed, or
 * waits for memory that does not come.
 */

#include <stdint.h>

#include "identify/exec_release.h"

typedef struct ExecWatchdog {
        pid_t pid;
        int pidfd;   /* readable when it has ended */
        int life_fd; /* it ends when the last copy of this is closed */
        int wake_fd; /* eventfd(2) to wake it by */
} ExecWatchdog;

#define EXEC_WATCHDOG_NONE ((ExecWatchdog){.pidfd = -1, .life_fd = -1, .wake_fd = -1})

/*
 * exec_watchdog_start() - fork it
 * @fan_fd:     the group; it keeps a copy
 * @news_fd:    eventfd(2) that it writes to when it has let go of all
 * @shared:     shared memory
 * @bound_nsec: how long a program may be held at most
 *
 * It only makes system calls, so threads may exist already.
 * Return: 0, errors of pipe(2), fork(2), pidfd_open(2).
 */
int exec_watchdog_start(int fan_fd, int news_fd, ExecHoldShared *shared, uint64_t bound_nsec,
                        ExecWatchdog *ret_watchdog);
/* Ends it and waits for it. */
void exec_watchdog_stop(ExecWatchdog *w);
