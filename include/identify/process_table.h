/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Every process's whole life and its parents': the one thing that the witness and the main loop
 * share.
 *
 * A process is (pid, start), never a bare pid: lives of one pid stand side by side.  A life has
 * phases (exec, change of name or user), each with its facts and the time since when they hold.
 * The dead stay until no event in any queue can name them, and longer for the ancestry of the
 * living.
 */

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "identify/process_facts.h"

/* Living and dead; beyond it the oldest dead go first, counted. A life takes some 250 bytes, its
 * facts some 600 and its children share them. */
#define PROCESS_TABLE_DEAD_MAX 32768
/* Ancestors kept of a process; in a longer chain the dead ones furthest from it are left out. */
#define PROCESS_TABLE_ANCESTORS_MAX 64

typedef struct ProcessTable ProcessTable;

int process_table_new(ProcessTable **ret_table);
ProcessTable *process_table_free(ProcessTable *t);

/*
 * What happens to processes, in the order in which the kernel tells it.  Times are monotonic
 * nanoseconds.  Facts are consumed, also on failure; NULL when they came too late to be read.
 * All take the table's lock for well under a microsecond.
 * Return: 0, -ENOMEM.
 */
int process_table_fork(ProcessTable *t, pid_t pid, pid_t parent_pid, uint64_t nsec);
int process_table_exec(ProcessTable *t, pid_t pid, uint64_t nsec, ProcessFacts *facts);
void process_table_exit(ProcessTable *t, pid_t pid, uint64_t nsec);
int process_table_set_uid(ProcessTable *t, pid_t pid, uint64_t nsec, uid_t real, uid_t effective);
int process_table_set_gid(ProcessTable *t, pid_t pid, uint64_t nsec, gid_t real, gid_t effective);
int process_table_set_comm(ProcessTable *t, pid_t pid, uint64_t nsec, const char *comm);

/*
 * process_table_found() - a process was read from /proc, at start or while it was being asked about
 *
 * A life that is known gets these facts as a new phase; otherwise a new life begins that started
 * when the facts say.  The parent is linked by facts->ppid if it is known.
 */
int process_table_found(ProcessTable *t, pid_t pid, uint64_t nsec, ProcessFacts *facts);

/*
 * process_table_refresh() - a living process's facts have changed without an event (chdir)
 * @serial: of the life they were read from; of another one they are dropped
 * @before: the facts that they are a change of; dropped when others hold by now
 */
int process_table_refresh(ProcessTable *t, pid_t pid, uint64_t serial, const ProcessFacts *before,
                          uint64_t nsec, ProcessFacts *facts);

/*
 * process_table_supply() - a process that an event named was read from /proc, since it was not
 * known
 * @is_sole_source: nobody tells of forks, execs and exits: what was known of the pid is replaced,
 *                  and the life may be let go of as if it had ended
 *
 * Facts that are known by now are newer and stay.
 */
int process_table_supply(ProcessTable *t, pid_t pid, bool is_sole_source, uint64_t nsec,
                         ProcessFacts *facts);

/* Is there a life of this pid that started when these facts say? */
bool process_table_knows(ProcessTable *t, pid_t pid, const ProcessFacts *facts);

/* Ids of the process as followed so far. Return: 1, 0 unknown. */
int process_table_ids(ProcessTable *t, pid_t pid, ProcIds *ret_ids);

/* No event that happened before this time is still to be looked up: the dead of then may go. */
void process_table_release(ProcessTable *t, uint64_t before_nsec);

/*
 * Around a scan of /proc after process events were lost: a life that process_table_found() does not
 * confirm in between has ended unseen, at the latest at the scan's begin.
 */
void process_table_begin_rescan(ProcessTable *t);
void process_table_end_rescan(ProcessTable *t, uint64_t begin_nsec);

typedef enum ProcessLiveness {
        PROCESS_LIVENESS_UNKNOWN,
        PROCESS_LIVENESS_ALIVE, /* or zombie: its pid was its own at window.until */
        PROCESS_LIVENESS_REAPED,
} ProcessLiveness;

/* When an event happened, as well as it is known. Monotonic nanoseconds. */
typedef struct ProcessWindow {
        uint64_t since; /* it was not there yet */
        uint64_t until; /* it was read */
} ProcessWindow;

/* One process in an answer. */
typedef struct ProcessView {
        pid_t pid;
        uint64_t serial;              /* of this life in this run */
        uint64_t start_ticks;         /* since boot; 0 unknown */
        uint64_t start_realtime_nsec; /* as fine as known, the same in every answer; 0 unknown */
        ProcessFacts *facts;          /* own reference; NULL unknown */
} ProcessView;

typedef struct ProcessAnswer {
        ProcessView process;
        bool is_only_life;  /* no other life of its pid is possible in the window */
        bool has_executed;  /* the facts are its own; else its parent's at the fork */
        size_t n_ancestors; /* parent first */
        ProcessView ancestors[PROCESS_TABLE_ANCESTORS_MAX];
} ProcessAnswer;

void process_answer_done(ProcessAnswer *a);

/*
 * process_table_find() - which life of a pid did something, and what was it then
 *
 * Of several lives in the window, liveness decides; where it cannot, the answer is that it is not
 * known.  The phase is the last one that began before window.until.
 * @ret_answer: released by process_answer_done()
 *
 * Return: 0, -ESRCH no life of this pid is known there, -ENOTUNIQ several and no way to tell.
 */
int process_table_find(ProcessTable *t, pid_t pid, ProcessWindow window, ProcessLiveness liveness,
                       ProcessAnswer *ret_answer);

typedef struct ProcessTableCounters {
        size_t n_lives; /* in the table, dead ones included */
        size_t n_dead;
        uint64_t n_forks, n_execs;
        uint64_t n_execs_unread; /* programs that ended before /proc could be read */
        uint64_t n_evicted;      /* dead ones that went because of the bound */
} ProcessTableCounters;

ProcessTableCounters process_table_counters(ProcessTable *t);
