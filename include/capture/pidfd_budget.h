/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * How many pidfds the kernel may make in one read of a group.
 *
 * A pidfd costs more than all the rest of reading an event (1.7 µs against 0.6), and a storm by one
 * process brings a hundred thousand of them that say the same.  The kernel has no option for
 * "only some", but it leaves an event's pidfd out, and delivers the event, when no descriptor is
 * left: so the limit on open files is lowered for the time of the read.
 *
 * Source: fs/notify/fanotify/fanotify_user.c, copy_event_to_user(), and kernel/fork.c,
 * pidfd_prepare(), of Linux 6.18: the descriptor is reserved before anything else is made.
 */

#include <stddef.h>
#include <sys/resource.h>

typedef struct PidfdBudget {
        struct rlimit before;
        int is_lowered;
} PidfdBudget;

/*
 * pidfd_budget_enter() - allow n_pidfds new descriptors until pidfd_budget_leave()
 *
 * The limit is the process's: another thread that opens files meanwhile needs a descriptor table of
 * its own with low numbers, as the witness has.  Does nothing when the limit cannot be changed.
 */
PidfdBudget pidfd_budget_enter(size_t n_pidfds);
void pidfd_budget_leave(PidfdBudget *b);
