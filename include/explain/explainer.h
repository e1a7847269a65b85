/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * A thread that finds causes, and what it found.
 *
 * Its owner asks as soon as it knows of a deleter, goes on, and takes the answer when the record is
 * due.  A record waits for it at most EXPLAINER_WAIT_NSEC from then on, and all records together at
 * most a tenth of the time: whoever is late has no cause, and that is told.  For one owner, who
 * calls from one thread.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "explain/explain.h"

/* Questions asked and not yet answered; beyond it no more are taken. */
#define EXPLAINER_QUESTIONS_MAX 1024
/* Answers kept; a newer one takes an older one's place. */
#define EXPLAINER_ANSWERS_MAX 2048
/* How long a record may be held back for its cause. */
#define EXPLAINER_WAIT_NSEC (UINT64_C(300) * 1000 * 1000)
/* Of the time that passes, what may be spent so: one part in … */
#define EXPLAINER_WAIT_SHARE 10

typedef struct ExplainerCounters {
        uint64_t n_asked, n_kept; /* questions to the thread; answers that served another record */
        uint64_t n_late;          /* records that went without */
        uint64_t n_refused;       /* questions that found no room */
        uint64_t n_evicted;       /* answers that had to make room */
} ExplainerCounters;

typedef struct Explainer Explainer;

/* Starts the thread. @options: as explain_new(). Return: 0, -ENOMEM, -EAGAIN no more threads. */
int explainer_new(const ExplainOptions *options, Explainer **ret_explainer);
/* Does not wait for a look-up that hangs: the thread then lets go of what is left. */
Explainer *explainer_free(Explainer *e);
ExplainerCounters explainer_counters(const Explainer *e);

/* Is it to be told which file was deleted? Quick: looked at once a deleter. */
ExplainScope explainer_scope(Explainer *e, const Deleter *d);
/* A deleter is known of: its look-up begins. Borrowed. */
void explainer_begin(Explainer *e, const Deleter *d);

/*
 * explainer_find() - the cause of a deletion
 * @is_hasty: the record cannot be held back: what takes longer than a few milliseconds is late
 * @ret_cause: borrowed until the next call of any function of this file
 *
 * Return: 1 there is one; 0 there is none; -ETIME it was not found in time; -EAGAIN ask again after
 * a millisecond, and hold the record back until then.
 */
int explainer_find(Explainer *e, const Deleter *d, const ExplainedPath *path, bool is_hasty,
                   const Cause **ret_cause);
