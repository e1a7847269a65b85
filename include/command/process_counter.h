/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * How many different processes have deleted something.
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/hash_table.h"
#include "identify/process_table.h"

/* Some 3 MiB; behind it, or short of memory, processes that are not remembered are not counted. */
#define PROCESS_COUNTER_MAX 65536

/* Zero it to begin. */
typedef struct ProcessCounter {
        HashTable processes;
        uint64_t last; /* key of the one that was counted or found last */
        bool is_full;  /* the number is the least it can be */
} ProcessCounter;

/* A life of a process, or its bare pid when its life is not known, is counted once. */
void process_counter_add(ProcessCounter *c, const ProcessView *p);
uint64_t process_counter_n(const ProcessCounter *c);
void process_counter_done(ProcessCounter *c);
