/* SPDX-License-Identifier: MIT */

/*
 * Keeping the dead, and letting them go.
 *
 * An exit is told when the leading thread ends; others may go on deleting under its pid, so a life
 * whose pid still answers is kept and asked again later.
 */

#include "identify/process_dead.h"

#include <errno.h>
#include <signal.h>

/* The caller gives its lock back after so many, so that the witness never waits for long. */
#define RELEASE_BATCH 64

static void forget(ProcessLives *lives, ProcessList *list, Process *p) {
        process_list_remove(list, p);
        process_lives_remove(lives, p);
}

void process_dead_add(ProcessDead *d, ProcessLives *lives, Process *p, uint64_t exit_nsec) {
        if (p->exit_nsec)
                return;
        p->exit_nsec = exit_nsec > 0 ? exit_nsec : 1; /* 0 is alive */
        process_list_append(&d->recent, p);
        while (d->recent.n_processes > PROCESS_TABLE_DEAD_MAX) {
                forget(lives, &d->recent, d->recent.first);
                d->n_evicted++;
        }
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

size_t process_dead_count(const ProcessDead *d) {
        return d->recent.n_processes + d->lingering.n_processes;
}
