/* SPDX-License-Identifier: MIT */

/*
 * A fixed array behind one priority-inheriting lock: the thread that holds programs back writes
 * into it while a program waits for it, so it may neither allocate nor wait for a thread that lost
 * its CPU.
 */

#include "identify/held_execs.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/thread.h"

/* Apart from the entries, so that a search touches little memory. */
typedef struct Key {
        pid_t pid; /* 0: free */
        bool is_by_thread;
        uint64_t nsec;
} Key;

struct HeldExecs {
        pthread_mutex_t lock;
        uint64_t n_evicted;
        Key keys[HELD_EXECS_MAX];
        HeldExec entries[HELD_EXECS_MAX];
};

int held_execs_new(HeldExecs **ret_execs) {
        HeldExecs *s = calloc(1, sizeof(*s));

        if (!s)
                return -ENOMEM;
        thread_mutex_init(&s->lock);
        *ret_execs = s;
        return 0;
}

HeldExecs *held_execs_free(HeldExecs *s) {
        if (!s)
                return NULL;
        pthread_mutex_destroy(&s->lock);
        free(s);
        return NULL;
}

static void copy(HeldExec *to, const HeldExec *from) {
        memcpy(to, from, offsetof(HeldExec, executable));
        memcpy(to->executable, from->executable, from->n_executable);
        memcpy(to->args, from->args, from->n_args_bytes);
}

/* Where to put one of this pid: where there is room, else in place of the oldest. */
static size_t choose(HeldExecs *s, pid_t pid) {
        size_t n_own = 0, oldest = 0, oldest_own = 0, unused = HELD_EXECS_MAX;

        for (size_t i = 0; i < HELD_EXECS_MAX; i++) {
                const Key *k = &s->keys[i];

                if (k->pid == 0 && unused == HELD_EXECS_MAX)
                        unused = i;
                if (k->nsec < s->keys[oldest].nsec)
                        oldest = i;
                if (k->pid == pid && (n_own++ == 0 || k->nsec < s->keys[oldest_own].nsec))
                        oldest_own = i;
        }
        if (n_own < HELD_EXECS_OF_ONE_MAX && unused < HELD_EXECS_MAX)
                return unused;
        s->n_evicted++;
        return n_own < HELD_EXECS_OF_ONE_MAX ? oldest : oldest_own;
}

void held_execs_put(HeldExecs *s, const HeldExec *e) {
        size_t i;

        pthread_mutex_lock(&s->lock);
        i = choose(s, e->pid);
        s->keys[i] = (Key){.pid = e->pid, .is_by_thread = e->is_by_thread, .nsec = e->nsec};
        copy(&s->entries[i], e);
        pthread_mutex_unlock(&s->lock);
}

void held_execs_retract(HeldExecs *s, pid_t pid, uint64_t nsec) {
        pthread_mutex_lock(&s->lock);
        for (size_t i = 0; i < HELD_EXECS_MAX; i++)
                if (s->keys[i].pid == pid && s->keys[i].nsec == nsec)
                        s->keys[i] = (Key){0};
        pthread_mutex_unlock(&s->lock);
}

int held_execs_take(HeldExecs *s, pid_t pid, uint64_t nsec, HeldExec *ret_exec) {
        const HeldExec *latest = NULL;
        int r = 0;

        pthread_mutex_lock(&s->lock);
        for (size_t i = 0; i < HELD_EXECS_MAX; i++) {
                if (s->keys[i].pid != pid || s->keys[i].nsec > nsec)
                        continue;
                if (!latest || latest->nsec < s->keys[i].nsec)
                        latest = &s->entries[i];
                s->keys[i] = (Key){0};
        }
        if (latest && nsec - latest->nsec <= HELD_EXECS_AGE_MAX_NSEC) {
                copy(ret_exec, latest);
                r = 1;
        }
        pthread_mutex_unlock(&s->lock);
        return r;
}

void held_execs_forget(HeldExecs *s, pid_t pid, uint64_t nsec) {
        pthread_mutex_lock(&s->lock);
        for (size_t i = 0; i < HELD_EXECS_MAX; i++)
                if (s->keys[i].pid == pid && s->keys[i].nsec <= nsec && !s->keys[i].is_by_thread)
                        s->keys[i] = (Key){0};
        pthread_mutex_unlock(&s->lock);
}

uint64_t held_execs_n_evicted(HeldExecs *s) {
        uint64_t n;

        pthread_mutex_lock(&s->lock);
        n = s->n_evicted;
        pthread_mutex_unlock(&s->lock);
        return n;
}

void held_exec_supply(const HeldExec *e, ProcessFactsParts *parts) {
        if (parts->facts.comm[0] == '\0')
                memcpy(parts->facts.comm, e->comm, sizeof(e->comm));
        if (!parts->executable && e->n_executable > 0) {
                parts->executable = e->executable;
                parts->n_executable = e->n_executable;
                parts->facts.is_executable_deleted = e->is_executable_deleted;
        }
        if (!parts->args && e->n_args_bytes > 0) {
                parts->args = e->args;
                parts->n_args_bytes = e->n_args_bytes;
                parts->facts.is_args_cut = e->is_args_cut;
        }
}

ProcessFacts *held_exec_complete(const HeldExec *e, ProcessFacts *facts) {
        ProcessFactsParts parts = process_facts_parts(facts);
        ProcessFacts *completed;

        held_exec_supply(e, &parts);
        completed = process_facts_new(&parts);
        if (!completed)
                return facts;
        process_facts_unref(facts);
        return completed;
}
