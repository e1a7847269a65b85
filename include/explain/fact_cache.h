/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What was learned from outside, kept for a while: by text, bounded, oldest use out first.
 */

#include <stddef.h>
#include <stdint.h>

/* Facts kept; a machine that runs so many units, sessions and containers at once asks again. */
#define FACT_CACHE_ENTRIES 256

typedef struct FactEntry {
        char *key; /* owned; NULL: free */
        uint64_t hash;
        void *fact; /* owned; NULL: it was looked for in vain */
        void (*free_fact)(void *fact);
        uint64_t until_nsec, used;
} FactEntry;

typedef struct FactCache {
        FactEntry entries[FACT_CACHE_ENTRIES];
        uint64_t n_uses;
        uint64_t n_hits, n_misses, n_evicted; /* n_evicted: that were still good */
} FactCache;

void fact_cache_done(FactCache *c);
/* @ret_fact: borrowed until the next fact_cache_put(). Return: 1 known, 0 not. */
int fact_cache_get(FactCache *c, const char *key, uint64_t now_nsec, void **ret_fact);
/* Takes the fact, also when it fails. Return: 0, -ENOMEM. */
int fact_cache_put(FactCache *c, const char *key, uint64_t now_nsec, uint64_t age_nsec, void *fact,
                   void (*free_fact)(void *fact));
