/* SPDX-License-Identifier: MIT */

/*
 * Keeping the dead, and letting them go.
 *
 * An exit is told when the leading thread ends; others may go on deleting under its pid, so a life
 * whose pid still answers is kept and asked again later.
 *
 * A life that goes because of the bound leaves the time of its end behind: what it did must not be
 * told of the next life of its pid.
 */

#include "identify/process_dead.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>

/* The caller gives its lock back after so many, so that the witness never waits for long. */
#define RELEASE_BATCH 64
/* Twice the usual pid_max; pids that share one are taken for each other, which costs names only. */
#define EVICTED_SLOTS 65536

void process_dead_init(ProcessDead *d, size_t n_max) {
        *d = (ProcessDead){.n_max = n_max};
}

void process_dead_done(ProcessDead *d) {
        free(d->evicted_nsec);
        *d = (ProcessDead){0};
}

static void forget(ProcessLives *lives, ProcessList *list, Process *p) {
        process_list_remove(list, p);
        process_lives_remove(lives, p);
}

static void remember_end(ProcessDead *d, const Process *p) {
        uint64_t *end;

        if (!d->evicted_nsec)
                d->evicted_nsec = calloc(EVICTED_SLOTS, sizeof(*d->evicted_nsec));
        end = d->evicted_nsec ? &d->evicted_nsec[(uint32_t)p->pid % EVICTED_SLOTS]
                              : &d->any_evicted_nsec;
        if (p->exit_nsec > *end)
                *end = p->exit_nsec;
}

static void evict_oldest(ProcessDead *d, ProcessLives *lives) {
        Process *p = d->recent.first;

        remember_end(d, p);
        forget(lives, &d->recent, p);
        d->n_evicted++;
}

void process_dead_add(ProcessDead *d, ProcessLives *lives, Process *p, uint64_t exit_nsec) {
        if (p->exit_nsec)
                return;
        p->exit_nsec = exit_nsec > 0 ? exit_nsec : 1; /* 0 is alive */
        process_list_append(&d->recent, p);
        while (d->recent.n_processes > d->n_max)
                evict_oldest(d, lives);
}

void process_dead_revive(Process *p) {
        if (!p->exit_nsec)
                return;
        process_list_remove(p->list, p);
        p->exit_nsec = 0;
}

static bool pid_answers(const ProcessLives *lives, const Process *p) {
        /* Another life's answer is not this one's. */
        if (process_lives_latest(lives, p->pid) != p)
                return false;
        return kill(p->pid, 0) >= 0 || errno != ESRCH;
}

bool process_dead_release(ProcessDead *d, ProcessLives *lives, ProcessList *list,
                          uint64_t before_nsec, size_t *n_left) {
        for (size_t i = 0; i < RELEASE_BATCH; i++) {
                Process *p = list->first;

                if (!p || *n_left == 0 || p->exit_nsec >= before_nsec)
                        return false;
                (*n_left)--;
                if (pid_answers(lives, p)) {
                        process_list_remove(list, p);
                        process_list_append(&d->lingering, p);
                } else {
                        forget(lives, list, p);
                }
        }
        return true;
}

uint64_t process_dead_evicted_until(const ProcessDead *d, pid_t pid) {
        uint64_t end = d->evicted_nsec ? d->evicted_nsec[(uint32_t)pid % EVICTED_SLOTS] : 0;

        return end > d->any_evicted_nsec ? end : d->any_evicted_nsec;
}

bool process_dead_may_be_another(const ProcessDead *d, const Process *p, uint64_t since_nsec) {
        uint64_t end = process_dead_evicted_until(d, p->pid);
        /* One that only its exit record tells of may have begun later than it seems. */
        bool is_begin_sure = p->fork_nsec != 0 || p->is_start_exact;

        if (end == 0 || end < since_nsec)
                return false;
        /* One before it in the window, or one behind it: this one lingered while that one went. */
        return !is_begin_sure || p->begin_nsec > since_nsec ||
               (p->exit_nsec != 0 && p->exit_nsec < end);
}

size_t process_dead_count(const ProcessDead *d) {
        return d->recent.n_processes + d->lingering.n_processes;
}
