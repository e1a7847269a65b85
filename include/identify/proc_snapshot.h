/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Reading one process from /proc, in the order in which a dying process loses its files.
 */

#include <stdbool.h>

#include "identify/process_facts.h"

/* Where to read; descriptors are borrowed. */
typedef struct ProcSource {
        int proc_fd;            /* directory of a /proc */
        int root_fd;            /* directory "/", for the state files of systemd; -1 none */
        char pid_namespace[32]; /* the one whose numbers /proc has, as its link says; "" unknown */
} ProcSource;

/* Fills the source; ours is the pid namespace of "self" in that /proc. */
void proc_source_init(ProcSource *s, int proc_fd, int root_fd);

typedef enum ProcSnapshotHow {
        PROC_SNAPSHOT_ALL,
        PROC_SNAPSHOT_AT_EXEC, /* what will be gone when the process is, and that in haste:
                                  proc_snapshot_complete() adds the rest */
} ProcSnapshotHow;

/*
 * proc_snapshot_read() - read what /proc says of a process now
 * @ret_facts: a new reference; a file that could not be read any more leaves its fact unknown
 *
 * Everything is read below one descriptor of /proc/PID, which stays with the process it was opened
 * for: a later process of the same pid cannot get in between.
 * Order: cmdline and exe go with the memory map, cwd with the file system context, the rest stays
 * until the zombie is reaped, but for the control group in version 1: stat, which is read after it,
 * says whether it may have gone already.  Then it is unknown.
 * Never waits for a filesystem other than /proc and that of /run: what a program of a hung or
 * hostile mount is stays in the cache of the kernel (but see proc_program.c for 9p).
 *
 * Return: 0, -ESRCH no such process or not even stat could be read, -ENOMEM, errors of openat(2).
 */
int proc_snapshot_read(const ProcSource *s, pid_t pid, ProcSnapshotHow how,
                       ProcessFacts **ret_facts);

/*
 * proc_snapshot_complete() - add users and invocation to what was read at an exec
 * @before: what was known of the process from events until its exec; NULL nothing
 * @facts:  replaced by a new one
 *
 * They are taken from what is known, if they must be the same, and read otherwise: users only if
 * the process is still there.  A control group or a session that was not to be read any more is
 * that of before.
 * Return: 0, -ENOMEM.
 */
int proc_snapshot_complete(const ProcSource *s, pid_t pid, const ProcessFacts *before,
                           ProcessFacts **facts);

/* What is only looked at if asked for: each takes some microseconds more. */
typedef enum ProcSnapshotRefresh {
        /* What seldom changes soon after an exec: its title, and whether its program is there. */
        PROC_SNAPSHOT_REFRESH_LATE = 1,
        PROC_SNAPSHOT_REFRESH_NAMESPACE = 2, /* of one that was never read itself */
} ProcSnapshotRefresh;

/*
 * proc_snapshot_refresh() - has a living process changed in what no event tells of?
 * @what:  ProcSnapshotRefresh, beyond working directory, control group and login user
 * @facts: as known
 *
 * Return: 1 and a new reference in *ret_facts with the difference, 0 it is as it was, -ENOMEM,
 * errors of openat(2) and readlink(2).
 */
int proc_snapshot_refresh(const ProcSource *s, pid_t pid, unsigned what, const ProcessFacts *facts,
                          ProcessFacts **ret_facts);
