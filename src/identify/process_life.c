/* SPDX-License-Identifier: MIT */

/*
 * Lives, their phases and their parentage.
 *
 * A life's ancestry is taken at its fork: the parent's facts of that moment are kept with the
 * child, so that a parent that executes another program, or ends, changes nothing for it.
 */

#include "identify/process_life.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"

void process_list_append(ProcessList *l, Process *p) {
        assert(!p->list);
        p->list = l;
        p->next = NULL;
        p->previous = l->last;
        if (l->last)
                l->last->next = p;
        else
                l->first = p;
        l->last = p;
        l->n_processes++;
}

void process_list_remove(ProcessList *l, Process *p) {
        assert(p->list == l);
        if (p->previous)
                p->previous->next = p->next;
        else
                l->first = p->next;
        if (p->next)
                p->next->previous = p->previous;
        else
                l->last = p->previous;
        p->list = NULL;
        p->next = p->previous = NULL;
        l->n_processes--;
}

static void phase_free_older(ProcessPhase *phase) {
        while (phase->older) {
                ProcessPhase *o = phase->older;

                phase->older = o->older;
                process_facts_unref(o->facts);
                free(o);
        }
}

/* A chain of dead ancestors is let go step by step, not by recursion: it can be long. */
static void process_unref(Process *p) {
        while (p && --p->n_refs == 0) {
                Process *parent = p->parent;

                phase_free_older(&p->phase);
                process_facts_unref(p->phase.facts);
                process_facts_unref(p->parent_facts);
                free(p);
                p = parent;
        }
}

void process_lives_init(ProcessLives *s) {
        *s = (ProcessLives){0};
}

void process_lives_done(ProcessLives *s) {
        for (size_t i = 0; i < s->table.n_buckets; i++)
                while (s->table.buckets[i])
                        process_lives_remove(s, HASH_ENTRY(s->table.buckets[i], Process, link));
        hash_table_done(&s->table);
}

int process_lives_add(ProcessLives *s, pid_t pid, Process **ret_process) {
        Process *p = calloc(1, sizeof(*p));
        int r;

        if (!p)
                return -ENOMEM;
        p->n_refs = 1;
        p->pid = pid;
        p->serial = ++s->n_serials;
        r = hash_table_insert(&s->table, &p->link, hash_u64((uint64_t)pid));
        if (r < 0) {
                free(p);
                return r;
        }
        *ret_process = p;
        return 0;
}

void process_lives_remove(ProcessLives *s, Process *p) {
        if (p->list)
                process_list_remove(p->list, p);
        hash_table_remove(&s->table, &p->link);
        process_unref(p);
}

static Process *next_of_pid(HashLink *l, pid_t pid) {
        uint64_t hash = hash_u64((uint64_t)pid);

        for (; l; l = l->next) {
                Process *p = HASH_ENTRY(l, Process, link);

                if (l->hash == hash && p->pid == pid)
                        return p;
        }
        return NULL;
}

static Process *first_of_pid(const ProcessLives *s, pid_t pid) {
        return next_of_pid(hash_table_first(&s->table, hash_u64((uint64_t)pid)), pid);
}

Process *process_lives_latest(const ProcessLives *s, pid_t pid) {
        Process *latest = NULL;

        for (Process *p = first_of_pid(s, pid); p; p = next_of_pid(p->link.next, pid))
                if (!latest || p->serial > latest->serial)
                        latest = p;
        return latest;
}

Process *process_lives_next(const ProcessLives *s, const Process *after) {
        size_t i = 0;

        if (after) {
                if (after->link.next)
                        return HASH_ENTRY(after->link.next, Process, link);
                i = (after->link.hash & (s->table.n_buckets - 1)) + 1;
        }
        for (; i < s->table.n_buckets; i++)
                if (s->table.buckets[i])
                        return HASH_ENTRY(s->table.buckets[i], Process, link);
        return NULL;
}

size_t process_lives_count(const ProcessLives *s) {
        return s->table.n_links;
}

/* The time of a record is that of the exit less that of the life, each cut to seconds. */
static bool began_about(const Process *p, uint64_t realtime_sec) {
        uint64_t sec = p->start_realtime_nsec / CLOCK_NSEC_PER_SEC;

        return p->start_realtime_nsec != 0 && sec + 1 >= realtime_sec && sec <= realtime_sec + 1;
}

Process *process_lives_without_record(const ProcessLives *s, pid_t pid, uint64_t realtime_sec) {
        Process *first = NULL;

        for (Process *p = first_of_pid(s, pid); p; p = next_of_pid(p->link.next, pid))
                if (!p->has_exit_record && began_about(p, realtime_sec) &&
                    (!first || p->serial < first->serial))
                        first = p;
        return first;
}

/* A life ends for good when the next one of its pid begins; its own exit may be a thread's. */
static uint64_t pid_lost_nsec(const ProcessLives *s, const Process *life) {
        uint64_t end = UINT64_MAX;

        for (Process *p = first_of_pid(s, life->pid); p; p = next_of_pid(p->link.next, life->pid))
                if (p->serial > life->serial && p->begin_nsec < end)
                        end = p->begin_nsec;
        return end;
}

static bool could_have(const ProcessLives *s, const Process *p, ProcessWindow window) {
        return p->begin_nsec <= window.until && pid_lost_nsec(s, p) >= window.since;
}

static bool is_dead_before(const Process *p, uint64_t nsec) {
        return p->exit_nsec != 0 && p->exit_nsec < nsec;
}

int process_lives_find(const ProcessLives *s, pid_t pid, ProcessWindow window,
                       ProcessLiveness liveness, Process **ret_process, bool *ret_is_only) {
        Process *only = NULL, *latest = NULL;
        size_t n_possible = 0, n_left = 0;

        for (Process *p = first_of_pid(s, pid); p; p = next_of_pid(p->link.next, pid))
                if (could_have(s, p, window)) {
                        n_possible++;
                        if (!latest || p->serial > latest->serial)
                                latest = p;
                }
        if (n_possible == 0)
                return -ESRCH;
        *ret_is_only = n_possible == 1;
        if (liveness == PROCESS_LIVENESS_ALIVE) {
                *ret_process = latest;
                return 0;
        }

        for (Process *p = first_of_pid(s, pid); p; p = next_of_pid(p->link.next, pid)) {
                if (!could_have(s, p, window))
                        continue;
                if (n_possible > 1 && is_dead_before(p, window.since))
                        continue;
                /* Its exit would have been told before it could be reaped. */
                if (liveness == PROCESS_LIVENESS_REAPED && !is_dead_before(p, window.until))
                        continue;
                only = p;
                n_left++;
        }
        if (n_left != 1)
                return n_left == 0 ? -ESRCH : -ENOTUNIQ;
        *ret_process = only;
        return 0;
}

static uint64_t ticks_per_second(void) {
        long n = sysconf(_SC_CLK_TCK);

        return n > 0 ? (uint64_t)n : 100;
}

uint64_t process_ticks(uint64_t boottime_nsec) {
        return boottime_nsec / (CLOCK_NSEC_PER_SEC / ticks_per_second());
}

uint64_t process_ticks_to_nsec(uint64_t ticks) {
        return ticks * (CLOCK_NSEC_PER_SEC / ticks_per_second());
}

uint64_t process_ticks_to_monotonic(uint64_t ticks) {
        uint64_t boottime = process_ticks_to_nsec(ticks),
                 suspended = clock_monotonic_to_boottime(0);

        return boottime > suspended ? boottime - suspended : 0;
}

bool process_started_at(const Process *p, uint64_t boottime_nsec) {
        uint64_t ticks = process_ticks(boottime_nsec);

        return p->fork_nsec == 0 && p->exit_nsec == 0 && p->is_start_exact &&
               (ticks == p->start_ticks || ticks == p->start_ticks + 1);
}

/* Leaves out the dead ancestor furthest away, when there are more than are kept. */
static void shorten_chain(Process *p) {
        Process *before_dead = NULL;
        size_t depth = 0;

        for (Process *a = p; a->parent; a = a->parent, depth++)
                if (a->parent->exit_nsec && a->parent->parent)
                        before_dead = a;
        if (depth <= PROCESS_TABLE_ANCESTORS_MAX || !before_dead)
                return;

        Process *dead = before_dead->parent;
        ProcessFacts *facts = before_dead->parent_facts;

        before_dead->parent = dead->parent;
        before_dead->parent->n_refs++;
        before_dead->parent_facts = process_facts_ref(dead->parent_facts);
        process_facts_unref(facts);
        process_unref(dead);
}

void process_set_parent(Process *p, Process *parent) {
        if (p->parent || !parent || parent == p)
                return;
        /* A fork's time is taken just after the start: the next tick at most. */
        if (p->start_ticks && parent->start_ticks > p->start_ticks + 1)
                return;
        for (Process *a = parent; a; a = a->parent)
                if (a == p)
                        return; /* /proc was read while pids changed hands */
        parent->n_refs++;
        p->parent = parent;
        p->parent_facts = process_facts_ref(parent->phase.facts);
        shorten_chain(p);
}

void process_lives_link_parent(const ProcessLives *s, Process *p) {
        if (!p->parent && p->phase.facts && p->phase.facts->ppid > 0 && p->fork_nsec == 0)
                process_set_parent(p, process_lives_latest(s, p->phase.facts->ppid));
}

void process_inherit(Process *p, const Process *parent) {
        p->phase = (ProcessPhase){
                .since_nsec = p->fork_nsec,
                .facts = parent ? process_facts_ref(parent->phase.facts) : NULL,
        };
        p->n_phases = 1;
}

static void drop_oldest_phase(Process *p) {
        ProcessPhase *o = &p->phase;

        while (o->older && o->older->older)
                o = o->older;
        phase_free_older(o);
        p->n_phases--;
}

int process_add_phase(Process *p, uint64_t since_nsec, ProcessFacts *facts, bool has_executed) {
        ProcessPhase *old;

        if (p->n_phases > 0) {
                old = malloc(sizeof(*old));
                if (old) {
                        *old = p->phase;
                } else {
                        phase_free_older(&p->phase);
                        process_facts_unref(p->phase.facts);
                        p->n_phases = 0;
                }
        } else {
                old = NULL;
        }
        p->phase = (ProcessPhase){
                .older = old,
                .since_nsec = since_nsec,
                .facts = facts,
                .has_executed = has_executed,
        };
        if (++p->n_phases > PROCESS_PHASES_MAX)
                drop_oldest_phase(p);
        return old || p->n_phases == 1 ? 0 : -ENOMEM;
}

void process_forget_older_phases(Process *p) {
        phase_free_older(&p->phase);
        p->n_phases = 1;
}

static ProcessView view_of(const Process *p, ProcessFacts *facts) {
        return (ProcessView){
                .pid = p->pid,
                .serial = p->serial,
                .begin_nsec = p->begin_nsec,
                .start_ticks = p->start_ticks,
                .start_realtime_nsec = p->start_realtime_nsec,
                .facts = process_facts_ref(facts),
        };
}

/* What the parent was at the fork; what its exit record added since, if it had no name then. */
static ProcessFacts *facts_at_fork(const Process *child) {
        const Process *parent = child->parent;

        if (parent->phase.is_from_exit && (!child->parent_facts || !child->parent_facts->name))
                return parent->phase.facts;
        return child->parent_facts;
}

void process_describe(const ProcessLives *s, Process *p, uint64_t until_nsec, ProcessAnswer *ret) {
        const ProcessPhase *phase = &p->phase;

        while (phase->older && phase->since_nsec > until_nsec)
                phase = phase->older;
        p->is_seen = true;
        ret->process = view_of(p, phase->facts);
        ret->has_executed = phase->has_executed;
        ret->is_from_exit = phase->is_from_exit;
        ret->facts_nsec = phase->since_nsec;
        ret->n_ancestors = 0;

        for (Process *a = p; ret->n_ancestors < PROCESS_TABLE_ANCESTORS_MAX; a = a->parent) {
                process_lives_link_parent(s, a);
                if (!a->parent)
                        break;
                a->parent->is_seen = true;
                ret->ancestors[ret->n_ancestors++] = view_of(a->parent, facts_at_fork(a));
        }
}
