/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The process that deleted something, as it goes into records: immutable, shared by all records of
 * one process in one phase, so that what follows from it is computed once.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "identify/process_table.h"

/* How the deleter is known; see the table in the shared design, record.md. */
typedef enum Attribution {
        ATTRIBUTION_NONE,
        ATTRIBUTION_PID_ONLY,
        ATTRIBUTION_EXIT,
        ATTRIBUTION_FORK,
        ATTRIBUTION_EXEC,
        ATTRIBUTION_LIVE,
} Attribution;

const char *attribution_to_string(Attribution a);

typedef struct Deleter {
        unsigned n_refs; /* main loop only */
        uint64_t id;     /* unlike any other's of this run: a key for caches */
        Attribution attribution;
        bool has_directory;  /* its working directory is its own, not one left behind at a fork */
        ProcessView process; /* .facts NULL with PID_ONLY */
        size_t n_ancestors;
        ProcessView ancestors[]; /* parent first */
} Deleter;

/* Takes the references out of the answer. One reference, the caller's. Return: NULL no memory. */
Deleter *deleter_new(uint64_t id, Attribution attribution, bool has_directory,
                     ProcessAnswer *answer);
Deleter *deleter_ref(Deleter *d);
Deleter *deleter_unref(Deleter *d);

/* The parent, or NULL. */
const ProcessView *deleter_parent(const Deleter *d);
