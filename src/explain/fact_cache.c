/* SPDX-License-Identifier: MIT */

/* A plain array: it is looked through once a process, for what takes a thousand times as long. */

#include "explain/fact_cache.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash_table.h"

static void forget(FactEntry *e) {
        if (e->free_fact && e->fact)
                e->free_fact(e->fact);
        free(e->key);
        *e = (FactEntry){0};
}

void fact_cache_done(FactCache *c) {
        for (size_t i = 0; i < FACT_CACHE_ENTRIES; i++)
                forget(&c->entries[i]);
}

static FactEntry *find(FactCache *c, const char *key) {
        const uint64_t hash = hash_bytes(key, strlen(key));

        for (size_t i = 0; i < FACT_CACHE_ENTRIES; i++) {
                FactEntry *e = &c->entries[i];

                if (e->key && e->hash == hash && strcmp(e->key, key) == 0)
                        return e;
        }
        return NULL;
}

int fact_cache_get(FactCache *c, const char *key, uint64_t now_nsec, void **ret_fact) {
        FactEntry *e = find(c, key);

        if (!e || now_nsec >= e->until_nsec) {
                c->n_misses++;
                return 0;
        }
        c->n_hits++;
        e->used = ++c->n_uses;
        *ret_fact = e->fact;
        return 1;
}

/* Free, else out of date, else the one that was not used for longest. */
static FactEntry *make_room(FactCache *c, uint64_t now_nsec) {
        FactEntry *oldest = &c->entries[0];

        for (size_t i = 0; i < FACT_CACHE_ENTRIES; i++) {
                FactEntry *e = &c->entries[i];

                if (!e->key || now_nsec >= e->until_nsec) {
                        forget(e);
                        return e;
                }
                if (e->used < oldest->used)
                        oldest = e;
        }
        c->n_evicted++;
        forget(oldest);
        return oldest;
}

int fact_cache_put(FactCache *c, const char *key, uint64_t now_nsec, uint64_t age_nsec, void *fact,
                   void (*free_fact)(void *fact)) {
        char *copy = strdup(key);
        FactEntry *e;

        if (!copy) {
                if (fact)
                        free_fact(fact);
                return -ENOMEM;
        }
        e = find(c, key);
        if (e)
                forget(e);
        else
                e = make_room(c, now_nsec);
        *e = (FactEntry){
                .key = copy,
                .hash = hash_bytes(key, strlen(key)),
                .fact = fact,
                .free_fact = free_fact,
                .until_nsec = now_nsec + age_nsec,
                .used = ++c->n_uses,
        };
        return 0;
}
