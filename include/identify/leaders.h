/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * On whose behalf a process works, seen from its ancestors: who leads its session, and by which of
 * them the work entered the machine.  Pure.
 *
 * Limits: a process is taken for the program that its executable is called (process_view.h), so
 * whoever may start one can copy it under the name of "sshd" or "cron" and be taken for that, by
 * those who look at what it starts.  A container is what
 * container_parse() says, or a pid namespace of whatever kind.  Nothing is found beyond an ancestor
 * of which nothing is known, nor beyond the last that is kept.  A terminal that a process got after
 * its last exec is not seen.
 *
 * Source: Elastic Common Schema, process.session_leader and process.entry_leader; setsid(2),
 * proc_pid_stat(5) for the numbers of terminals, Documentation/admin-guide/devices.txt of Linux.
 */

#include "identify/deleter.h"

typedef enum EntryType {
        ENTRY_NONE,
        ENTRY_INIT,
        ENTRY_SSHD,
        ENTRY_CRON,
        ENTRY_CONTAINER,
        ENTRY_TERMINAL, /* a pseudo-terminal, but not sshd's */
        ENTRY_CONSOLE,  /* a real one, or a serial line */
} EntryType;

/* As in process.entry_leader.entry_meta.type; NULL for ENTRY_NONE. */
const char *entry_type_to_string(EntryType t);

/* Each borrowed from the deleter: itself or one of its ancestors; NULL unknown. */
typedef struct Leaders {
        const ProcessView *session;
        const ProcessView *entry;
        EntryType entry_type; /* ENTRY_NONE without .entry */
} Leaders;

/*
 * leaders_find() - who leads a deleter's session, and by whom it entered
 *
 * The first of these: the process that is nearest to the deleter of those started by cron or at,
 * below sshd, by login, or first in a container; the furthest that got a terminal; the furthest
 * that pid 1 or a user's systemd started.  Threads of the kernel have none.
 */
void leaders_find(const Deleter *d, Leaders *ret_leaders);
