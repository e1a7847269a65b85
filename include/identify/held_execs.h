/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What programs that are about to start were given: written while they are held, taken when the
 * kernel says that they have started.
 *
 * The two come by different ways and from different threads.  An exec that fails after it was held
 * leaves its entry behind: it goes with the next exec of that process, with its end, or by age.
 */

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "identify/process_facts.h"

/* Held at one time, of all processes and of one; beyond it the oldest goes, counted. An entry is
 * 8 kB, of which only what is used is touched. */
#define HELD_EXECS_MAX 256
#define HELD_EXECS_OF_ONE_MAX 4
/* From the last answer to the start of the program; an older entry is of an exec that failed. */
#define HELD_EXECS_AGE_MAX_NSEC (2 * UINT64_C(1000000000))

typedef struct HeldExec {
        pid_t pid;         /* of the process, not of its thread */
        uint64_t nsec;     /* monotonic, when it was read */
        bool is_by_thread; /* not by the leading one, which ends when the program starts */
        char comm[16];     /* "" unknown */
        bool is_executable_deleted;
        bool is_args_cut;
        size_t n_executable; /* 0: not known, as a field of its own below */
        size_t n_args_bytes;
        char executable[PATH_MAX];         /* not NUL-terminated */
        char args[PROCESS_ARGS_MAX_BYTES]; /* NUL-separated and -terminated, or cut */
} HeldExec;

typedef struct HeldExecs HeldExecs;

int held_execs_new(HeldExecs **ret_execs);
HeldExecs *held_execs_free(HeldExecs *s);

/* Copies what is used of it. Never allocates, never waits but for the short copy of another. */
void held_execs_put(HeldExecs *s, const HeldExec *e);
/* The exec that was put with this time is not to be known after all. */
void held_execs_retract(HeldExecs *s, pid_t pid, uint64_t nsec);
/*
 * held_execs_take() - a program has started: what was it given?
 * @nsec: monotonic, when it started
 *
 * The latest that was held before; it is forgotten, and so are those before it.
 * Return: 1 and *ret_exec, 0 none is known.
 */
int held_execs_take(HeldExecs *s, pid_t pid, uint64_t nsec, HeldExec *ret_exec);
/* The process ended at that time, or only its leading thread did. */
void held_execs_forget(HeldExecs *s, pid_t pid, uint64_t nsec);
/* Entries that went because of a bound. */
uint64_t held_execs_n_evicted(HeldExecs *s);

/* Fills in what `parts` do not know yet: name, executable, arguments. Borrows from the exec. */
void held_exec_supply(const HeldExec *e, ProcessFactsParts *parts);
/* The same in facts, which are consumed. Return: new facts; the old ones without memory. */
ProcessFacts *held_exec_complete(const HeldExec *e, ProcessFacts *facts);
