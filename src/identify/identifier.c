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
        int proc_fd;
        uint64_t batch;
        uint64_t n_deleters;
        ProcessAnswer answer;
        CacheEntry cache[IDENTIFIER_CACHE_ENTRIES];
};

int identifier_new(ProcessTable *table, Witness *witness, int proc_fd,
                   Identifier **ret_identifier) {
        Identifier *i = calloc(1, sizeof(*i));

        if (!i)
                return -ENOMEM;
        i->table = table;
        i->witness = witness;
        i->proc_fd = proc_fd;
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

bool identifier_spares_pidfds(const Identifier *i) {
        return i->witness && witness_has_own_descriptors(i->witness);
}

int identifier_begin(Identifier *i) {
        i->batch++;
        return i->witness ? witness_await(i->witness, clock_now_nsec(CLOCK_MONOTONIC)) : 0;
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

/*
 * Reads a living process into the table.  The pidfd answers afterwards that the pid was its own
 * all the time, so what was read below /proc/PID is of that process.
 */
static void look_now(Identifier *i, const FanEvent *e) {
        ProcessFacts *facts;

        if (e->pidfd < 0)
                return;
        if (proc_snapshot_read(i->proc_fd, e->pid, PROC_SNAPSHOT_IDS_READ, NULL, &facts) < 0)
                return;
        if (syscall(SYS_pidfd_send_signal, e->pidfd, 0, NULL, 0) < 0) {
                process_facts_unref(facts);
                return;
        }
        /* It holds for the event, which was before: date it so. */
        process_table_found(i->table, e->pid, 0, facts);
}

/* The working directory may have changed since the exec; nothing else that is recorded can. */
static void refresh(Identifier *i, const FlightEvent *e) {
        ProcessFacts *facts;

        if (e->fan.pidfd < 0 || !i->answer.process.facts ||
            proc_snapshot_refresh(i->proc_fd, e->fan.pid, i->answer.process.facts, &facts) <= 0)
                return;
        process_table_refresh(i->table, e->fan.pid, i->answer.process.serial, e->monotonic_nsec,
                              process_facts_ref(facts));
        process_facts_unref(i->answer.process.facts);
        i->answer.process.facts = facts;
}

/* Fills .answer. Return: how it is known. */
static Attribution ask_table(Identifier *i, const FlightEvent *e) {
        const ProcessWindow window = {.since = e->empty_monotonic_nsec, .until = e->monotonic_nsec};
        const ProcessLiveness liveness = liveness_of(&e->fan);
        bool is_alive = liveness == PROCESS_LIVENESS_ALIVE;
        int r;

        /* Without process events a known pid may be another's by now: only the living are sure. */
        if (!i->witness) {
                if (!is_alive)
                        return ATTRIBUTION_PID_ONLY;
                look_now(i, &e->fan);
        }
        r = process_table_find(i->table, e->fan.pid, window, liveness, &i->answer);
        if (is_alive && i->witness &&
            (r < 0 || !i->answer.process.facts || !i->answer.process.facts->name)) {
                if (r >= 0)
                        process_answer_done(&i->answer);
                look_now(i, &e->fan);
                r = process_table_find(i->table, e->fan.pid, window, liveness, &i->answer);
        } else if (is_alive && r >= 0) {
                refresh(i, e);
        }
        if (r < 0)
                return ATTRIBUTION_PID_ONLY;
        if (!i->answer.process.facts || !i->answer.process.facts->name)
                return ATTRIBUTION_PID_ONLY;
        if (is_alive)
                return ATTRIBUTION_LIVE;
        return i->answer.has_executed ? ATTRIBUTION_EXEC : ATTRIBUTION_FORK;
}

static bool says_the_same(const Deleter *d, Attribution attribution, const ProcessAnswer *a) {
        return d && d->attribution == attribution && d->process.serial == a->process.serial &&
               d->process.serial != 0 && d->process.facts == a->process.facts;
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
        attribution = ask_table(i, e);
        if (says_the_same(c->deleter, attribution, &i->answer)) {
                process_answer_done(&i->answer);
        } else {
                d = deleter_new(++i->n_deleters, attribution, &i->answer);
                if (!d)
                        return -ENOMEM;
                deleter_unref(c->deleter);
                c->deleter = d;
        }
        c->pid = e->fan.pid;
        c->pidfd_state = e->fan.pidfd_state;
        c->is_only_life = i->answer.is_only_life;
        c->batch = i->batch;
        *ret_deleter = deleter_ref(c->deleter);
        return 0;
}
