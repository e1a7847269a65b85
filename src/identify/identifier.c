/* SPDX-License-Identifier: MIT */

/*
 * Look-ups for the main loop.
 *
 * Events come in long runs of one process: the answer for a pid is kept for the rest of a batch,
 * and over batches as long as the table still says the same, so that a storm by one process makes
 * one Deleter.
 */

#include "identify/identifier.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/clock.h"
#include "identify/proc_snapshot.h"

/* How long after an exec its title and its program are not looked at. */
#define FRESH_NSEC (100 * CLOCK_NSEC_PER_MSEC)

typedef struct CacheEntry {
        Deleter *deleter;
        pid_t pid;
        FanPidfd pidfd_state;
        bool is_only_life;
        uint64_t batch; /* in which it was checked */
} CacheEntry;

struct Identifier {
        ProcessTable *table;
        Witness *witness;
        const ProcSource *source;
        uint64_t batch;
        bool is_late; /* the witness lags behind this batch */
        uint64_t n_deleters;
        void (*made)(void *userdata, const Deleter *d);
        void *userdata;
        ProcessAnswer answer;
        bool has_directory; /* of the answer */
        CacheEntry cache[IDENTIFIER_CACHE_ENTRIES];
};

int identifier_new(ProcessTable *table, Witness *witness, const ProcSource *source,
                   Identifier **ret_identifier) {
        Identifier *i = calloc(1, sizeof(*i));

        if (!i)
                return -ENOMEM;
        i->table = table;
        i->witness = witness;
        i->source = source;
        *ret_identifier = i;
        return 0;
}

Identifier *identifier_free(Identifier *i) {
        if (!i)
                return NULL;
        for (size_t k = 0; k < IDENTIFIER_CACHE_ENTRIES; k++)
                deleter_unref(i->cache[k].deleter);
        free(i);
        return NULL;
}

void identifier_tell(Identifier *i, void (*made)(void *userdata, const Deleter *d),
                     void *userdata) {
        i->made = made;
        i->userdata = userdata;
}

bool identifier_spares_pidfds(const Identifier *i) {
        return i->witness && witness_has_own_descriptors(i->witness);
}

int identifier_begin(Identifier *i) {
        int r = 0;

        i->batch++;
        if (i->witness)
                r = witness_await(i->witness, clock_now_nsec(CLOCK_MONOTONIC));
        i->is_late = r < 0;
        return r;
}

static ProcessLiveness liveness_of(const FanEvent *e) {
        switch (e->pidfd_state) {
        case FAN_PIDFD_OPEN:
                return PROCESS_LIVENESS_ALIVE;
        case FAN_PIDFD_REAPED:
                return PROCESS_LIVENESS_REAPED;
        case FAN_PIDFD_ABSENT:
        case FAN_PIDFD_FAILED:
                break;
        }
        return PROCESS_LIVENESS_UNKNOWN;
}

/* Are forks, execs and exits followed up to the events of this batch? */
static bool is_followed(const Identifier *i) {
        return i->witness && !i->is_late && witness_error(i->witness) == 0;
}

static ProcessSupply supply_of(const Identifier *i) {
        if (is_followed(i))
                return PROCESS_SUPPLY_GAP;
        return i->witness && witness_error(i->witness) == 0 ? PROCESS_SUPPLY_LATE
                                                            : PROCESS_SUPPLY_SOLE;
}

/* The pidfd's process was not reaped until now: what was read by its number was of itself. */
static bool is_still_its_own(const FanEvent *e) {
        /* That we may not send it a signal says that it is there. */
        return syscall(SYS_pidfd_send_signal, e->pidfd, 0, NULL, 0) == 0 || errno == EPERM;
}

/*
 * Reads the ancestors of a process that nobody told of, as far as they are not known.  A parent
 * that began after its child is another process that got the pid.
 */
static void look_at_ancestors(Identifier *i, const ProcessFacts *child, uint64_t nsec) {
        ProcessFacts *chain[PROCESS_TABLE_ANCESTORS_MAX];
        pid_t pids[PROCESS_TABLE_ANCESTORS_MAX];
        size_t n = 0;

        while (n < PROCESS_TABLE_ANCESTORS_MAX && child->ppid > 0) {
                pids[n] = child->ppid;
                if (proc_snapshot_read(i->source, pids[n], PROC_SNAPSHOT_ALL, &chain[n]) < 0)
                        break;
                if (chain[n]->start_ticks > child->start_ticks ||
                    process_table_knows(i->table, pids[n], chain[n])) {
                        process_facts_unref(chain[n]);
                        break;
                }
                child = chain[n++];
        }
        /* From the top, so that each finds its parent. */
        while (n-- > 0)
                process_table_supply(i->table, pids[n], supply_of(i), nsec, chain[n]);
}

/* Reads a living process into the table. Return: 0, -ESRCH it is gone meanwhile, -ENOMEM. */
static int look_now(Identifier *i, const FlightEvent *e) {
        ProcessFacts *facts;
        int r;

        r = proc_snapshot_read(i->source, e->fan.pid, PROC_SNAPSHOT_ALL, &facts);
        if (r < 0)
                return r;
        if (!is_still_its_own(&e->fan)) {
                process_facts_unref(facts);
                return -ESRCH;
        }
        look_at_ancestors(i, facts, e->monotonic_nsec);
        return process_table_supply(i->table, e->fan.pid, supply_of(i), e->monotonic_nsec, facts);
}

/*
 * A program that has just begun seldom calls itself something else yet, or was replaced; a child
 * that was never read itself is only what its parent was.
 */
static unsigned what_to_refresh(const ProcessAnswer *a, uint64_t nsec) {
        if (!a->has_executed)
                return PROC_SNAPSHOT_REFRESH_LATE | PROC_SNAPSHOT_REFRESH_NAMESPACE;
        return nsec < a->facts_nsec + FRESH_NSEC ? 0 : PROC_SNAPSHOT_REFRESH_LATE;
}

static void refresh(Identifier *i, const FlightEvent *e) {
        ProcessFacts *facts;
        int r;

        r = proc_snapshot_refresh(i->source, e->fan.pid,
                                  what_to_refresh(&i->answer, e->monotonic_nsec),
                                  i->answer.process.facts, &facts);
        if (r < 0)
                return;
        i->has_directory = is_still_its_own(&e->fan);
        if (r > 0 && i->has_directory) {
                process_table_refresh(i->table, e->fan.pid, i->answer.process.serial,
                                      i->answer.process.facts, e->monotonic_nsec,
                                      process_facts_ref(facts));
                process_facts_unref(i->answer.process.facts);
                i->answer.process.facts = process_facts_ref(facts);
        }
        if (r > 0)
                process_facts_unref(facts);
}

static bool has_name(const ProcessAnswer *a) {
        return a->process.facts && a->process.facts->name;
}

/* Fills .answer. Return: 0, -ESRCH and -ENOTUNIQ it is not known who it was. */
static int ask_table(Identifier *i, const FlightEvent *e, ProcessLiveness liveness) {
        const ProcessWindow window = {.since = e->empty_monotonic_nsec, .until = e->monotonic_nsec};

        return process_table_find(i->table, e->fan.pid, window, liveness, &i->answer);
}

/* Fills .answer for a process that is alive, or was when the event was read. */
static Attribution ask_living(Identifier *i, const FlightEvent *e) {
        /* Nobody tells of this pid's lives: only what is read now is sure. */
        bool is_blind = !is_followed(i);
        int r = is_blind ? look_now(i, e) : 0;

        if (r >= 0)
                r = ask_table(i, e, PROCESS_LIVENESS_ALIVE);
        if (!is_blind && (r < 0 || !has_name(&i->answer))) {
                if (look_now(i, e) >= 0) {
                        process_answer_done(&i->answer);
                        r = ask_table(i, e, PROCESS_LIVENESS_ALIVE);
                }
        } else if (r >= 0) {
                refresh(i, e);
        }
        if (r < 0 || !has_name(&i->answer))
                return ATTRIBUTION_PID_ONLY;
        return i->answer.is_from_exit ? ATTRIBUTION_EXIT : ATTRIBUTION_LIVE;
}

static Attribution ask(Identifier *i, const FlightEvent *e) {
        const ProcessLiveness liveness = liveness_of(&e->fan);

        if (liveness == PROCESS_LIVENESS_ALIVE)
                return ask_living(i, e);
        if (!is_followed(i) || ask_table(i, e, liveness) < 0 || !has_name(&i->answer))
                return ATTRIBUTION_PID_ONLY;
        if (i->answer.is_from_exit)
                return ATTRIBUTION_EXIT;
        return i->answer.has_executed ? ATTRIBUTION_EXEC : ATTRIBUTION_FORK;
}

static bool says_the_same(const Identifier *i, const Deleter *d, Attribution attribution) {
        const ProcessView *p = &i->answer.process;

        return d && d->attribution == attribution && d->has_directory == i->has_directory &&
               d->process.serial == p->serial && p->serial != 0 && d->process.facts == p->facts;
}

/*
 * May the answer to an earlier event of this batch serve for this one too?  An event whose pidfd
 * was left out is by the life that the earlier one proved, when there is no other.
 */
static bool is_answered(const Identifier *i, const CacheEntry *c, const FanEvent *e) {
        if (!c->deleter || c->pid != e->pid || c->batch != i->batch)
                return false;
        return c->pidfd_state == e->pidfd_state ||
               (e->pidfd_state == FAN_PIDFD_FAILED && c->is_only_life);
}

int identifier_find(Identifier *i, const FlightEvent *e, Deleter **ret_deleter) {
        CacheEntry *c = &i->cache[(uint32_t)e->fan.pid % IDENTIFIER_CACHE_ENTRIES];
        Attribution attribution;
        Deleter *d;

        if (is_answered(i, c, &e->fan)) {
                *ret_deleter = deleter_ref(c->deleter);
                return 0;
        }

        i->answer = (ProcessAnswer){.process = {.pid = e->fan.pid}};
        i->has_directory = false;
        attribution = ask(i, e);
        i->has_directory = i->has_directory || i->answer.has_executed;
        if (says_the_same(i, c->deleter, attribution)) {
                process_answer_done(&i->answer);
        } else {
                d = deleter_new(++i->n_deleters, attribution, i->has_directory, &i->answer);
                if (!d)
                        return -ENOMEM;
                deleter_unref(c->deleter);
                c->deleter = d;
                if (i->made)
                        i->made(i->userdata, d);
        }
        c->pid = e->fan.pid;
        c->pidfd_state = e->fan.pidfd_state;
        c->is_only_life = i->answer.is_only_life;
        c->batch = i->batch;
        *ret_deleter = deleter_ref(c->deleter);
        return 0;
}
