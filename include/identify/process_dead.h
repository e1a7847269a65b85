/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The dead that an event may still name.  No locking: process_table.c's, behind its lock.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "identify/process_life.h"

typedef struct ProcessDead {
        size_t n_max;          /* of .recent */
        ProcessList recent;    /* oldest first */
        ProcessList lingering; /* leaders whose pid still answers: other threads, or a zombie */
        uint64_t n_evicted;    /* that went because of the bound */
        /* Of pids that share a slot, the latest end of a life that was evicted; NULL none was. */
        uint64_t *evicted_nsec;
        uint64_t any_evicted_nsec; /* of any pid: there was no memory for the slots */
} ProcessDead;

void process_dead_init(ProcessDead *d, size_t n_max);
void process_dead_done(ProcessDead *d);

/* A life has ended; does nothing when it had before. The oldest go beyond the bound. */
void process_dead_add(ProcessDead *d, ProcessLives *lives, Process *p, uint64_t exit_nsec);
/* A sign of life after the exit: only the leading thread had ended. */
void process_dead_revive(Process *p);

/*
 * process_dead_release() - let some of those go that ended before a time
 * @list:    .recent or .lingering
 * @n_left:  how many may still be looked at; counts down
 *
 * Those whose pid still answers go over to .lingering.
 * Return: true when there may be more to do.
 */
bool process_dead_release(ProcessDead *d, ProcessLives *lives, ProcessList *list,
                          uint64_t before_nsec, size_t *n_left);

/* The latest end of an evicted life of a pid, or of one that shares its slot; 0 there is none. */
uint64_t process_dead_evicted_until(const ProcessDead *d, pid_t pid);

/*
 * process_dead_may_be_another() - was it perhaps an evicted life of the same pid?
 * @p:          the life that seems to have done something
 * @since_nsec: when that had not happened yet
 */
bool process_dead_may_be_another(const ProcessDead *d, const Process *p, uint64_t since_nsec);
size_t process_dead_count(const ProcessDead *d);
