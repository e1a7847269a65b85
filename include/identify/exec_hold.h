/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Each program of the marked filesystems waits before it starts until its arguments are copied.
 *
 * A thread of its own does it, at real-time priority, in a group of its own; a watchdog process
 * lets everything go when the thread cannot.  Once programs are held no longer, for whatever
 * reason, they never are again.
 */

#include <stdint.h>

#include "identify/exec_release.h"
#include "identify/held_execs.h"

#define EXEC_HOLD_BOUND_NSEC (20 * UINT64_C(1000000))
#define EXEC_HOLD_BOUND_MIN_NSEC (UINT64_C(1000000))
#define EXEC_HOLD_BOUND_MAX_NSEC (1000 * UINT64_C(1000000))

typedef struct ExecHold ExecHold;

/*
 * exec_hold_new() - make the group, start the watchdog and the thread
 * @proc_fd:    directory descriptor of /proc, borrowed
 * @bound_nsec: how long a program waits at most
 * @ret_priority_error: 0 when the thread runs at SCHED_FIFO, else the negative errno why not
 *
 * Nothing is held before exec_hold_mark().
 *
 * Return: 0, -EPERM CAP_SYS_ADMIN is missing, -EINVAL this kernel cannot, errors of
 * fanotify_init(2), fork(2), pthread_create(3).
 */
int exec_hold_new(int proc_fd, uint64_t bound_nsec, int *ret_priority_error, ExecHold **ret_hold);
/* Lets go of all, ends the thread and the watchdog. Where the thread cannot end, it is left. */
ExecHold *exec_hold_free(ExecHold *h);

/*
 * exec_hold_mark() - hold the programs of the filesystem that a path lies on
 *
 * Again is no error.  Not for filesystems whose files are opened by somebody else's leave (FUSE,
 * network): see exec_hold_is_fit().
 * Return: 0, -ESHUTDOWN nothing is held any more, errors of fanotify_mark(2).
 */
int exec_hold_mark(ExecHold *h, const char *path);
/* Is this a type of filesystem whose programs can be held without harm? */
bool exec_hold_is_fit(const char *fstype);

/* What was held; belongs to the hold. */
HeldExecs *exec_hold_execs(const ExecHold *h);
/* Readable once nothing is held any more. */
int exec_hold_fd(const ExecHold *h);
ExecHoldEnd exec_hold_end(const ExecHold *h);
