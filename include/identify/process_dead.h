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
        ProcessList recent;    /* oldest first; bound PROCESS_TABLE_DEAD_MAX */
        ProcessList lingering; /* leaders whose pid still answers: other threads, or a zombie */
        uint64_t n_evicted;    /* that went because of the bound */
} ProcessDead;

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
size_t process_dead_count(const ProcessDead *d);
