/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * From a deleter to what asked it to delete.  May take its time: reads files and asks message
 * buses, each with a bound.  For one thread.
 */

#include "explain/cause.h"
#include "identify/deleter.h"

/* How long it is believed what was learned of a unit, a session, a container, a job. */
#define EXPLAIN_UNIT_AGE_NSEC (UINT64_C(10) * 1000 * 1000 * 1000)
#define EXPLAIN_SESSION_AGE_NSEC (UINT64_C(60) * 1000 * 1000 * 1000)
#define EXPLAIN_CONTAINER_AGE_NSEC (UINT64_C(300) * 1000 * 1000 * 1000)
#define EXPLAIN_JOB_AGE_NSEC (UINT64_C(60) * 1000 * 1000 * 1000)

typedef struct ExplainOptions {
        int root_fd;            /* where files are looked for; borrowed */
        const char *system_bus; /* address; NULL: the usual one */
        const char *user_bus;   /* as bus_new() takes it */
} ExplainOptions;

/* How often something was asked for, and how often that cost nothing. */
typedef struct ExplainCounters {
        uint64_t n_hits, n_misses, n_evicted, n_bus_timeouts;
} ExplainCounters;

typedef struct Explain Explain;

int explain_new(const ExplainOptions *options, Explain **ret_explain);
Explain *explain_free(Explain *x);
ExplainCounters explain_counters(const Explain *x);

/* What a cause depends on. */
typedef enum ExplainScope {
        EXPLAIN_NONE,    /* there is none to be found */
        EXPLAIN_PROCESS, /* all that a process deletes has one cause */
        EXPLAIN_PATH,    /* each file may have its own */
} ExplainScope;

/* Pure and quick. */
ExplainScope explain_scope(const Deleter *d);

/* What was deleted; of EXPLAIN_PROCESS nothing is looked at. */
typedef struct ExplainedPath {
        const char *path; /* absolute; NULL unknown */
        bool is_directory;
        uint64_t at_nsec; /* realtime */
} ExplainedPath;

/*
 * explain_find() - find the cause
 *
 * Return: 1 found, to be freed by cause_done(); 0 none; -ENOMEM.
 */
int explain_find(Explain *x, const Deleter *d, const ExplainedPath *path, Cause *ret_cause);
