/* SPDX-License-Identifier: MIT */

/*
 * The table behind one priority-inheriting lock: the witness runs at real-time priority and must
 * not be kept from it by a main loop that lost its CPU.
 *
 * Messages of the process connector that concern one pid arrive in their causal order (a fork is
 * sent before the child runs, an exit before the pid can be reused), so they are applied as they
 * come; their time stamps are used only to compare with the times of file events.
 */

#include "identify/process_table.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/thread.h"
#include "identify/process_change.h"
#include "identify/process_dead.h"
#include "identify/process_exit.h"
#include "identify/process_life.h"

/* How often the dead whose pid still answers are asked again. */
#define LINGER_NSEC CLOCK_NSEC_PER_SEC
/* Losses closer together than this count as one. */
#define LOSS_APART_NSEC (10 * CLOCK_NSEC_PER_SEC)

struct ProcessTable {
        pthread_mutex_t lock;
        ProcessLives lives;
        ProcessDead dead;
        uint64_t lingering_checked_nsec;
        ProcessWindow loss; /* in which messages were lost; the latest one */
        ProcessTableCounters counters;
        ProcessLog *log; /* NULL: nobody will ask what was told */
};

int process_table_new(size_t n_dead_max, ProcessTable **ret_table) {
        ProcessTable *t = calloc(1, sizeof(*t));
        if (!t)
                return -ENOMEM;
        thread_mutex_init(&t->lock);
        process_lives_init(&t->lives);
        process_dead_init(&t->dead, n_dead_max);
        *ret_table = t;
        return 0;
}

ProcessTable *process_table_free(ProcessTable *t) {
        if (!t)
                return NULL;
        process_lives_done(&t->lives);
        process_dead_done(&t->dead);
        pthread_mutex_destroy(&t->lock);
        free(t);
        return NULL;
}

static void lock(ProcessTable *t) {
        pthread_mutex_lock(&t->lock);
}

static void unlock(ProcessTable *t) {
        pthread_mutex_unlock(&t->lock);
}

static void note(ProcessTable *t, const ProcessLogEntry *e) {
        if (t->log)
                process_log_append(t->log, e);
}

/* Facts that hold of a pid's latest life. */
static void note_facts(ProcessTable *t, ProcessLogKind kind, pid_t pid, uint64_t nsec,
                       const ProcessFacts *facts, bool has_executed) {
        if (t->log && facts)
                process_log_append(t->log, &(ProcessLogEntry){
                                                   .kind = kind,
                                                   .pid = pid,
                                                   .nsec = nsec,
                                                   .has_executed = has_executed,
                                                   .has_facts = true,
                                                   .parts = process_facts_parts(facts),
                                           });
}

static void end_life(ProcessTable *t, Process *p, uint64_t nsec) {
        process_dead_add(&t->dead, &t->lives, p, nsec);
}

int process_table_fork(ProcessTable *t, pid_t pid, pid_t parent_pid, uint64_t nsec) {
        uint64_t boottime = clock_monotonic_to_boottime(nsec);
        Process *p, *parent, *earlier;
        int r = 0;

        lock(t);
        t->counters.n_forks++;
        note(t, &(ProcessLogEntry){
                        .kind = PROCESS_LOG_FORK,
                        .pid = pid,
                        .parent_pid = parent_pid,
                        .nsec = nsec,
                });
        parent = process_lives_latest(&t->lives, parent_pid);
        earlier = process_lives_latest(&t->lives, pid);
        if (earlier && earlier->fork_nsec == nsec) {
                /* Told a second time, of what a process before this one had taken. */
        } else if (earlier && process_started_at(earlier, boottime)) {
                /* The scan of /proc was faster than this message. */
                process_set_parent(earlier, parent);
        } else {
                if (earlier)
                        end_life(t, earlier, nsec);
                r = process_lives_add(&t->lives, pid, &p);
                if (r >= 0) {
                        p->fork_nsec = p->begin_nsec = nsec;
                        p->start_realtime_nsec = clock_boottime_to_realtime(boottime);
                        p->start_ticks = process_ticks(boottime);
                        process_set_parent(p, parent);
                        process_inherit(p, parent);
                }
        }
        unlock(t);
        return r;
}

/* Has `facts` been read from the life `p`, and not from a later one of its pid? */
static bool facts_belong(const Process *p, const ProcessFacts *facts) {
        uint64_t difference = p->start_ticks > facts->start_ticks
                                      ? p->start_ticks - facts->start_ticks
                                      : facts->start_ticks - p->start_ticks;

        /* A fork's message is sent just after the start time is taken: the next tick at most. */
        return p->start_ticks == 0 || facts->start_ticks == 0 ||
               difference <= (p->is_start_exact ? 0 : 1);
}

static void set_start(Process *p, const ProcessFacts *facts) {
        /* entity_id is made of it: once given out, it stays. */
        if (p->is_start_exact || p->is_seen || facts->start_ticks == 0)
                return;
        p->start_ticks = facts->start_ticks;
        p->is_start_exact = true;
        if (p->begin_nsec == 0)
                p->begin_nsec = process_ticks_to_monotonic(facts->start_ticks);
        if (p->start_realtime_nsec == 0)
                p->start_realtime_nsec =
                        clock_boottime_to_realtime(process_ticks_to_nsec(facts->start_ticks));
}

/* Not only its leading thread: what is told from now on is of another life. */
static bool has_ended_for_good(const Process *p) {
        return p->exit_nsec != 0 && p->has_exit_record;
}

/* A life whose fork was not told. */
static int add_unforked(ProcessTable *t, pid_t pid, Process **ret_process) {
        const Process *earlier = process_lives_latest(&t->lives, pid);
        uint64_t begin_nsec = earlier ? earlier->exit_nsec : 0;
        int r = process_lives_add(&t->lives, pid, ret_process);

        if (r >= 0)
                (*ret_process)->begin_nsec = begin_nsec;
        return r;
}

int process_table_exec(ProcessTable *t, pid_t pid, uint64_t nsec, ProcessFacts *facts,
                       const HeldExec *held) {
        Process *p;
        int r = 0;

        lock(t);
        t->counters.n_execs++;
        p = process_lives_latest(&t->lives, pid);
        if (p && p->phase.has_executed && p->phase.since_nsec == nsec) {
                /* Told a second time, as of a fork. */
                unlock(t);
                process_facts_unref(facts);
                return 0;
        }
        if (!p || has_ended_for_good(p))
                r = add_unforked(t, pid, &p);
        if (r >= 0 && facts && !facts_belong(p, facts))
                facts = process_facts_unref(facts);
        if (r >= 0 && !facts) {
                t->counters.n_execs_unread++;
                facts = process_change_program(p->phase.facts);
                r = facts ? 0 : -ENOMEM;
        }
        if (r >= 0 && held && !facts->executable)
                facts = held_exec_complete(held, facts);
        if (r >= 0) {
                process_dead_revive(p);
                set_start(p, facts);
                note_facts(t, PROCESS_LOG_EXEC, pid, nsec, facts, true);
                r = process_add_phase(p, nsec, facts, true);
        } else {
                process_facts_unref(facts);
        }
        unlock(t);
        return r;
}

void process_table_exit(ProcessTable *t, pid_t pid, uint64_t nsec) {
        Process *p;

        lock(t);
        p = process_lives_latest(&t->lives, pid);
        if (p)
                end_life(t, p, nsec);
        note(t, &(ProcessLogEntry){.kind = PROCESS_LOG_EXIT, .pid = pid, .nsec = nsec});
        unlock(t);
}

int process_table_exit_record(ProcessTable *t, const TaskstatsRecord *record,
                              const char *executable, uint64_t nsec) {
        int r;

        lock(t);
        note(t, &(ProcessLogEntry){
                        .kind = PROCESS_LOG_RECORD,
                        .nsec = nsec,
                        .record = *record,
                        .executable = executable,
                });
        r = process_exit_apply(&t->lives, &t->dead, record, executable, nsec);
        if (r > 0)
                t->counters.n_exits_used++;
        unlock(t);
        return r < 0 ? r : 0;
}

int process_table_change(ProcessTable *t, const ProcEvent *e) {
        ProcessFacts *facts;
        Process *p;
        int r = 0;

        lock(t);
        p = process_lives_latest(&t->lives, e->pid);
        if (p && p->phase.facts) {
                facts = process_change_make(p->phase.facts, e);
                note_facts(t, PROCESS_LOG_PHASE, e->pid, e->monotonic_nsec, facts,
                           p->phase.has_executed);
                r = facts ? process_add_phase(p, e->monotonic_nsec, facts, p->phase.has_executed)
                          : -ENOMEM;
        }
        unlock(t);
        return r;
}

/* The life that facts were read from, begun now when there is none. */
static int get_life(ProcessTable *t, pid_t pid, const ProcessFacts *facts, Process **ret_process) {
        Process *p = process_lives_latest(&t->lives, pid);
        int r;

        /* One that is known by its exit record alone has no start to compare. */
        if (p && (!facts_belong(p, facts) || (p->start_ticks == 0 && has_ended_for_good(p)))) {
                end_life(t, p, process_ticks_to_monotonic(facts->start_ticks));
                p = NULL;
        }
        if (!p) {
                r = process_lives_add(&t->lives, pid, &p);
                if (r < 0)
                        return r;
        }
        p->is_unconfirmed = false;
        set_start(p, facts);
        process_set_parent(p, process_lives_latest(&t->lives, facts->ppid));
        *ret_process = p;
        return 0;
}

int process_table_found(ProcessTable *t, pid_t pid, uint64_t nsec, ProcessFacts *facts) {
        Process *p;
        int r;

        lock(t);
        r = get_life(t, pid, facts, &p);
        if (r >= 0) {
                note_facts(t, PROCESS_LOG_FOUND, pid, nsec, facts, true);
                r = process_add_phase(p, nsec, facts, true);
        } else {
                process_facts_unref(facts);
        }
        unlock(t);
        return r;
}

int process_table_refresh(ProcessTable *t, pid_t pid, uint64_t serial, const ProcessFacts *before,
                          uint64_t nsec, ProcessFacts *facts) {
        Process *p;
        int r = 0;

        lock(t);
        p = process_lives_latest(&t->lives, pid);
        if (p && p->serial == serial && p->phase.facts == before) {
                note_facts(t, PROCESS_LOG_PHASE, pid, nsec, facts, p->phase.has_executed);
                r = process_add_phase(p, nsec, facts, p->phase.has_executed);
        } else {
                process_facts_unref(facts);
        }
        unlock(t);
        return r;
}

int process_table_supply(ProcessTable *t, pid_t pid, ProcessSupply supply, uint64_t nsec,
                         ProcessFacts *facts) {
        Process *p;
        int r = 0;

        lock(t);
        r = get_life(t, pid, facts, &p);
        if (r >= 0 && (supply != PROCESS_SUPPLY_GAP || !p->phase.facts || !p->phase.facts->name)) {
                note_facts(t, PROCESS_LOG_FOUND, pid, nsec, facts, true);
                r = process_add_phase(p, nsec, facts, true);
                facts = NULL;
        }
        if (r >= 0 && supply != PROCESS_SUPPLY_GAP)
                process_forget_older_phases(p);
        if (r >= 0 && supply == PROCESS_SUPPLY_SOLE)
                end_life(t, p, nsec);
        unlock(t);
        process_facts_unref(facts);
        return r;
}

bool process_table_knows(ProcessTable *t, pid_t pid, const ProcessFacts *facts) {
        const Process *p;
        bool is_known;

        lock(t);
        p = process_lives_latest(&t->lives, pid);
        is_known = p && p->phase.facts && facts_belong(p, facts);
        unlock(t);
        return is_known;
}

ProcessFacts *process_table_facts(ProcessTable *t, pid_t pid) {
        ProcessFacts *facts;
        const Process *p;

        lock(t);
        p = process_lives_latest(&t->lives, pid);
        facts = p ? process_facts_ref(p->phase.facts) : NULL;
        unlock(t);
        return facts;
}

static void release_list(ProcessTable *t, ProcessList *list, uint64_t before_nsec) {
        size_t n_left = SIZE_MAX;
        bool is_more;

        do {
                lock(t);
                if (n_left == SIZE_MAX)
                        n_left = list->n_processes;
                is_more = process_dead_release(&t->dead, &t->lives, list, before_nsec, &n_left);
                unlock(t);
        } while (is_more);
}

void process_table_release(ProcessTable *t, uint64_t before_nsec) {
        uint64_t now = clock_now_nsec(CLOCK_MONOTONIC);

        release_list(t, &t->dead.recent, before_nsec);
        if (now - t->lingering_checked_nsec < LINGER_NSEC)
                return;
        t->lingering_checked_nsec = now;
        release_list(t, &t->dead.lingering, before_nsec);
}

void process_table_link_parents(ProcessTable *t) {
        lock(t);
        for (Process *p = process_lives_next(&t->lives, NULL); p;
             p = process_lives_next(&t->lives, p))
                process_lives_link_parent(&t->lives, p);
        unlock(t);
}

void process_table_begin_rescan(ProcessTable *t, ProcessWindow loss) {
        lock(t);
        if (t->loss.until + LOSS_APART_NSEC > loss.since && t->loss.until > 0)
                loss.since = t->loss.since;
        t->loss = loss;
        for (Process *p = process_lives_next(&t->lives, NULL); p;
             p = process_lives_next(&t->lives, p))
                p->is_unconfirmed = p->exit_nsec == 0;
        unlock(t);
}

void process_table_end_rescan(ProcessTable *t) {
        lock(t);
        for (Process *p = process_lives_next(&t->lives, NULL); p;
             p = process_lives_next(&t->lives, p))
                if (p->is_unconfirmed)
                        end_life(t, p, t->loss.until);
        unlock(t);
}

/* Lives may have begun and ended unseen in that time; only who is alive to be read is sure. */
static bool is_in_doubt(const ProcessTable *t, ProcessWindow window, ProcessLiveness liveness) {
        return liveness != PROCESS_LIVENESS_ALIVE && window.since < t->loss.until &&
               window.until > t->loss.since;
}

static int find_life(const ProcessTable *t, pid_t pid, ProcessWindow window,
                     ProcessLiveness liveness, Process **ret_process, bool *ret_is_only) {
        int r;

        if (is_in_doubt(t, window, liveness))
                return -ENOTUNIQ;
        r = process_lives_find(&t->lives, pid, window, liveness, ret_process, ret_is_only);
        if (r < 0 || !process_dead_may_be_another(&t->dead, *ret_process, window.since))
                return r;
        *ret_is_only = false;
        return liveness == PROCESS_LIVENESS_ALIVE ? 0 : -ENOTUNIQ;
}

int process_table_find(ProcessTable *t, pid_t pid, ProcessWindow window, ProcessLiveness liveness,
                       ProcessAnswer *ret_answer) {
        Process *p;
        int r;

        lock(t);
        r = find_life(t, pid, window, liveness, &p, &ret_answer->is_only_life);
        if (r >= 0)
                process_describe(&t->lives, p, window.until, ret_answer);
        unlock(t);
        return r;
}

ProcessTableCounters process_table_counters(ProcessTable *t) {
        ProcessTableCounters c;

        lock(t);
        c = t->counters;
        c.n_lives = process_lives_count(&t->lives);
        c.n_dead = process_dead_count(&t->dead);
        c.n_evicted = t->dead.n_evicted;
        unlock(t);
        return c;
}

static void recall_phase(ProcessTable *t, const ProcessLogEntry *e, ProcessFacts *facts) {
        Process *p;

        lock(t);
        p = process_lives_latest(&t->lives, e->pid);
        if (p)
                (void)process_add_phase(p, e->nsec, facts, e->has_executed);
        else
                process_facts_unref(facts);
        unlock(t);
}

/* Without memory, what is missing is read from /proc or not known. */
static void recall(ProcessTable *t, const ProcessLogEntry *e, ProgramPaths *paths) {
        ProcessFacts *facts = e->has_facts ? process_facts_new(&e->parts) : NULL;

        if (facts)
                program_paths_learn(paths, facts);
        switch (e->kind) {
        case PROCESS_LOG_FORK:
                (void)process_table_fork(t, e->pid, e->parent_pid, e->nsec);
                break;
        case PROCESS_LOG_EXEC:
                (void)process_table_exec(t, e->pid, e->nsec, TAKE_PTR(facts), NULL);
                break;
        case PROCESS_LOG_EXIT:
                process_table_exit(t, e->pid, e->nsec);
                break;
        case PROCESS_LOG_PHASE:
                if (facts)
                        recall_phase(t, e, TAKE_PTR(facts));
                break;
        case PROCESS_LOG_FOUND:
                if (facts)
                        (void)process_table_found(t, e->pid, e->nsec, TAKE_PTR(facts));
                break;
        case PROCESS_LOG_RECORD:
                (void)process_table_exit_record(t, &e->record, e->executable, e->nsec);
                break;
        case PROCESS_LOG_PAD:
        case PROCESS_LOG_KINDS:
                break;
        }
        process_facts_unref(facts);
}

void process_table_recall(ProcessTable *t, ProcessLog *log, ProgramPaths *paths) {
        ProcessLogEntry e;
        uint64_t at = 0;

        while (process_log_next(log, &at, &e) > 0)
                recall(t, &e, paths);
        process_table_link_parents(t);
        lock(t);
        t->log = log;
        unlock(t);
}
