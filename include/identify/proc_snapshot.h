/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Reading one process from /proc, in the order in which a dying process loses its files.
 */

#include <stdbool.h>

#include "identify/process_facts.h"

typedef enum ProcSnapshotIds {
        PROC_SNAPSHOT_IDS_GIVEN, /* take those in *ids: the caller follows them */
        PROC_SNAPSHOT_IDS_READ,  /* read /proc/PID/status, 13 µs more */
} ProcSnapshotIds;

/*
 * proc_snapshot_read() - read what /proc says of a process now
 * @proc_fd:   directory descriptor of a /proc
 * @ids:       used with PROC_SNAPSHOT_IDS_GIVEN, may be NULL otherwise
 * @ret_facts: a new reference; a file that could not be read any more leaves its fact unknown
 *
 * Everything is read below one descriptor of /proc/PID, which stays with the process it was opened
 * for: a later process of the same pid cannot get in between.
 * Order: cmdline and exe go with the memory map, cwd with the file system context, the rest stays
 * until the zombie is reaped.
 *
 * Return: 0, -ESRCH no such process or not even stat could be read, -ENOMEM, errors of openat(2).
 */
int proc_snapshot_read(int proc_fd, pid_t pid, ProcSnapshotIds how, const ProcIds *ids,
                       ProcessFacts **ret_facts);

/*
 * proc_snapshot_refresh() - has a living process moved to another working directory?
 * @facts: as known
 *
 * Return: 1 and a new reference in *ret_facts with the difference, 0 it is as it was, -ENOMEM,
 * errors of readlink(2).
 */
int proc_snapshot_refresh(int proc_fd, pid_t pid, const ProcessFacts *facts,
                          ProcessFacts **ret_facts);
