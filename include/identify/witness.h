/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The witness thread: sees every program start and reads /proc before it can end.
 */

#include <stdbool.h>
#include <stdint.h>

#include "identify/held_execs.h"
#include "identify/proc_snapshot.h"
#include "identify/process_table.h"

typedef struct Witness Witness;

/* What outlives the process, of an earlier one or for a later one. */
typedef struct WitnessKept {
        ProcessLog *log; /* borrowed */
        int events_fd;   /* sockets of an earlier one, each taken; -1: new ones */
        int exits_fd;
} WitnessKept;

/* What it has to do without: each 0, or a negative errno that says why. */
typedef struct WitnessGaps {
        int readers_error;  /* one thread a CPU; see exec_readers_new() */
        int priority_error; /* SCHED_FIFO: under load short programs end before they are read */
        int exits_error; /* exit records: those that do have no name; see taskstats_socket_new() */
} WitnessGaps;

/*
 * witness_start() - subscribe, read all existing processes, follow from then on
 * @table:    shared; must outlive the witness
 * @source:   borrowed
 * @kept:     NULL: nothing outlives the process
 * @ret_gaps: filled also on failure
 *
 * Returns when the existing processes have been read.
 *
 * Return: 0, errors of proc_connector_new(), pthread_create(3).
 */
int witness_start(ProcessTable *table, const ProcSource *source, WitnessKept *kept,
                  WitnessGaps *ret_gaps, Witness **ret_witness);
/* Its sockets; -1: it has none. */
int witness_events_fd(const Witness *w);
int witness_exits_fd(const Witness *w);
/* From now on takes what programs were given while they were held; to outlive the witness. */
void witness_follow_held(Witness *w, HeldExecs *execs);
/* Ends and joins the thread. */
Witness *witness_free(Witness *w);

/*
 * witness_await() - wait until everything that happened before a time is in the table
 * @nsec: monotonic, not in the future
 *
 * Usually true at once; in a storm of forks the witness is never idle, but soon past that time.
 * Return: 0, -ETIMEDOUT not within a tenth of a second: look-ups may miss the latest.
 */
int witness_await(Witness *w, uint64_t nsec);

/* Its descriptors are numbered apart from the main loop's, whose limit may be lowered for a moment.
 */
bool witness_has_own_descriptors(const Witness *w);

/* Episodes of loss of process events since the last call; each was followed by a rescan. */
uint64_t witness_take_losses(Witness *w);
/* The same of exit records: programs that were too short to be read have no name. */
uint64_t witness_take_exit_losses(Witness *w);
/* The thread ended because of an error of its socket. Return: 0 it runs, else a negative errno. */
int witness_error(const Witness *w);
