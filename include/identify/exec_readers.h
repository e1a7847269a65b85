/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * One thread a CPU that reads /proc of each program which is started there, before it runs.
 */

#include <stdint.h>
#include <sys/types.h>

#include "identify/proc_snapshot.h"

/* Of more CPUs the rest have none: each exec, fork and exit is copied for each reader. */
#define EXEC_READERS_MAX 64
/* What one has read and nobody has taken yet; the oldest goes first. */
#define EXEC_READER_RESULTS_MAX 256

typedef struct ExecReaders ExecReaders;

/*
 * exec_readers_new() - start a reader on each CPU that is online and ours
 * @source: borrowed
 *
 * Return: 0, -EPERM no real-time priority: at an ordinary one they would come too late, -ENOMEM,
 * errors of proc_connector_new_execs(), pthread_create(3), sched_getaffinity(2).
 */
int exec_readers_new(const ProcSource *source, ExecReaders **ret_readers);
/* Ends and joins the threads. */
ExecReaders *exec_readers_free(ExecReaders *r);

/*
 * exec_readers_take() - what was read at an exec
 * @cpu, @pid, @nsec: of the exec's event
 * @ret_facts:        a new reference, as PROC_SNAPSHOT_AT_EXEC leaves it; NULL when the process was
 *                    gone
 *
 * Waits for a reader that is at it, a few hundred microseconds at most.
 *
 * Return: 1, 0 its reader missed it, -ENODEV nobody reads on that CPU.
 */
int exec_readers_take(ExecReaders *r, unsigned cpu, pid_t pid, uint64_t nsec,
                      ProcessFacts **ret_facts);
