/* SPDX-License-Identifier: MIT */

/* A set of keys that only grows, to its bound. */

#include "command/process_counter.h"

#include <stdlib.h>

typedef struct Counted {
        HashLink link;
        uint64_t key;
} Counted;

static bool is_counted(const ProcessCounter *c, uint64_t key, uint64_t hash) {
        for (HashLink *i = hash_table_first(&c->processes, hash); i; i = i->next)
                if (i->hash == hash && HASH_ENTRY(i, Counted, link)->key == key)
                        return true;
        return false;
}

void process_counter_add(ProcessCounter *c, const ProcessView *p) {
        /* Serials count up from 1 and never come near the pids at the other end. */
        uint64_t key = p->serial ? p->serial : UINT64_MAX - (uint64_t)p->pid;
        uint64_t hash = hash_u64(key);
        Counted *counted;

        if (c->last == key)
                return;
        c->last = key;
        if (is_counted(c, key, hash))
                return;
        counted = c->processes.n_links < PROCESS_COUNTER_MAX ? malloc(sizeof(*counted)) : NULL;
        if (!counted) {
                c->is_full = true;
                return;
        }
        counted->key = key;
        if (hash_table_insert(&c->processes, &counted->link, hash) < 0) {
                free(counted);
                c->is_full = true;
        }
}

uint64_t process_counter_n(const ProcessCounter *c) {
        return c->processes.n_links;
}

void process_counter_done(ProcessCounter *c) {
        for (size_t i = 0; i < c->processes.n_buckets; i++)
                while (c->processes.buckets[i]) {
                        HashLink *link = c->processes.buckets[i];

                        c->processes.buckets[i] = link->next;
                        free(HASH_ENTRY(link, Counted, link));
                }
        hash_table_done(&c->processes);
        *c = (ProcessCounter){0};
}
