/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What is asked of the process table, and what it answers.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "identify/process_facts.h"

/* Ancestors kept of a process; in a longer chain the dead ones furthest from it are left out. */
#define PROCESS_TABLE_ANCESTORS_MAX 64

/* When something happened, as well as it is known. Monotonic nanoseconds. */
typedef struct ProcessWindow {
        uint64_t since; /* it had not yet happened */
        uint64_t until; /* it had */
} ProcessWindow;

typedef enum ProcessLiveness {
        PROCESS_LIVENESS_UNKNOWN,
        PROCESS_LIVENESS_ALIVE, /* or zombie: its pid was its own at window.until */
        PROCESS_LIVENESS_REAPED,
} ProcessLiveness;

/* One process in an answer. */
typedef struct ProcessView {
        pid_t pid;
        uint64_t serial;              /* of this life in this run */
        uint64_t begin_nsec;          /* monotonic, not after its start; 0 unknown */
        uint64_t start_ticks;         /* since boot; 0 unknown */
        uint64_t start_realtime_nsec; /* as fine as known, the same in every answer; 0 unknown */
        ProcessFacts *facts;          /* own reference; NULL unknown */
} ProcessView;

typedef struct ProcessAnswer {
        ProcessView process;
        bool is_only_life;   /* no other life of its pid is possible in the window */
        bool has_executed;   /* the facts are its own; else its parent's at the fork */
        bool is_from_exit;   /* name and program are from its exit record */
        uint64_t facts_nsec; /* since when they hold */
        size_t n_ancestors;  /* parent first */
        ProcessView ancestors[PROCESS_TABLE_ANCESTORS_MAX];
} ProcessAnswer;

void process_answer_done(ProcessAnswer *a);
