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

#include "identify/held_execs.h"
#include "identify/proc_event.h"
#include "identify/program_paths.h"
#include "identify/process_answer.h"
#include "identify/process_log.h"
#include "identify/taskstats_record.h"

/*
 * The dead that are kept unless the user says otherwise; beyond it the oldest go first, counted.
 * A life that only forked takes 195 bytes, its facts are its parent's; one that executed a program
 * 630 with a usual command line and 4,700 with as much of it as is kept (measured: growth of the
 * resident memory).  A million forks in an hour fill it in two minutes, with 20 MB; events wait for
 * that long only if nobody reads the output.
 */
#define PROCESS_TABLE_DEAD_MAX_DEFAULT 32768

typedef struct ProcessTable ProcessTable;

/* @n_dead_max: at least 1. Return: 0, -ENOMEM. */
int process_table_new(size_t n_dead_max, ProcessTable **ret_table);
ProcessTable *process_table_free(ProcessTable *t);

/*
 * process_table_recall() - be told again what is in a log, and write into it from now on
 * @log:   borrowed
 * @paths: learns the programs
 *
 * Before anything else is told.
 */
void process_table_recall(ProcessTable *t, ProcessLog *log, ProgramPaths *paths);

/*
 * What happens to processes, in the order in which the kernel tells it.  Times are monotonic
 * nanoseconds.  Facts are consumed, also on failure; NULL when they came too late to be read.
 * All take the table's lock for well under a microsecond.
 * Return: 0, -ENOMEM.
 */
int process_table_fork(ProcessTable *t, pid_t pid, pid_t parent_pid, uint64_t nsec);
/* @held: what the program was given while it was held, for what /proc did not tell any more; NULL:
 * it was not held. */
int process_table_exec(ProcessTable *t, pid_t pid, uint64_t nsec, ProcessFacts *facts,
                       const HeldExec *held);
void process_table_exit(ProcessTable *t, pid_t pid, uint64_t nsec);
/* Another user, group, session or name; see process_change_is(). */
int process_table_change(ProcessTable *t, const ProcEvent *e);

/*
 * process_table_exit_record() - the kernel's record of a process that ended
 * @record:     with .is_whole_process
 * @executable: path of its program; NULL unknown
 * @nsec:       when it had ended, as well as that is known
 *
 * Gives a name and a program to a life whose exec was told too late to be read.  A life that
 * nobody told of begins and ends with its record.  Of several lives of a pid it is the first one
 * without a record that began when the record says, to the seconds that it is exact to.
 */
int process_table_exit_record(ProcessTable *t, const TaskstatsRecord *record,
                              const char *executable, uint64_t nsec);

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

/* Who else tells of a process that is supplied. */
typedef enum ProcessSupply {
        PROCESS_SUPPLY_GAP,  /* the witness has told all there is: facts that are known are newer */
        PROCESS_SUPPLY_LATE, /* the witness lags behind: what was known of the pid is replaced */
        PROCESS_SUPPLY_SOLE, /* nobody: … and as its end will not be told, it may be let go of */
} ProcessSupply;

/*
 * process_table_supply() - a process that an event named was read from /proc, since it was not
 * known
 */
int process_table_supply(ProcessTable *t, pid_t pid, ProcessSupply supply, uint64_t nsec,
                         ProcessFacts *facts);

/* Is there a life of this pid that started when these facts say? */
bool process_table_knows(ProcessTable *t, pid_t pid, const ProcessFacts *facts);

/* What is known of the process by now; a new reference, NULL nothing. */
ProcessFacts *process_table_facts(ProcessTable *t, pid_t pid);

/* No event that happened before this time is still to be looked up: the dead of then may go. */
void process_table_release(ProcessTable *t, uint64_t before_nsec);

/* After a scan of /proc, which may come to a child before its parent. */
void process_table_link_parents(ProcessTable *t);

/*
 * Around a scan of /proc after process events were lost: a life that process_table_found() does not
 * confirm in between has ended unseen, at the latest at the end of the loss.
 * @loss: from the last message before it until nothing was waiting any more
 */
void process_table_begin_rescan(ProcessTable *t, ProcessWindow loss);
void process_table_end_rescan(ProcessTable *t);

/*
 * process_table_find() - which life of a pid did something, and what was it then
 *
 * Of several lives in the window, liveness decides; where it cannot, the answer is that it is not
 * known.  The phase is the last one that began before window.until.
 * @ret_answer: released by process_answer_done()
 *
 * Return: 0, -ESRCH no life of this pid is known there, -ENOTUNIQ several and no way to tell, also
 * when one of them may have been forgotten because of the bound, or process events were lost in the
 * window.
 */
int process_table_find(ProcessTable *t, pid_t pid, ProcessWindow window, ProcessLiveness liveness,
                       ProcessAnswer *ret_answer);

typedef struct ProcessTableCounters {
        size_t n_lives; /* in the table, dead ones included */
        size_t n_dead;
        uint64_t n_forks, n_execs;
        uint64_t n_execs_unread; /* programs that ended before /proc could be read */
        uint64_t n_exits_used;   /* of them, or of the unseen, named by their exit record */
        uint64_t n_evicted;      /* dead ones that went because of the bound */
} ProcessTableCounters;

ProcessTableCounters process_table_counters(ProcessTable *t);
