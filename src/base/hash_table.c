/* SPDX-License-Identifier: MIT */

/*
 * The intrusive hash table of directory nodes and processes.
 *
 * A power-of-two array of chains at a load of at most one.  The link keeps its hash, so that a
 * doubling touches no keys and a lookup compares keys only on a full 64-bit match.  The bound on
 * the number of links is the owner's.
 *
 * Limits: never shrinks; a doubling moves every link at once (a million in a few milliseconds).
 *
 * Source: the finalizer of hash_u64() is splitmix64 (Sebastiano Vigna, public domain,
 * https://prng.di.unimi.it/splitmix64.c); hash_bytes() folds 8 bytes a step by multiplication and
 * shift as MurmurHash64A does, without its byte-wise tail.
 */

#include "base/hash_table.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define N_BUCKETS_MIN 64

#define HASH_GOLDEN UINT64_C(0x9e3779b97f4a7c15) /* 2^64 / golden ratio */
#define HASH_FACTOR UINT64_C(0xff51afd7ed558ccd)

static size_t bucket_of(const HashTable *t, uint64_t hash) {
        return (size_t)hash & (t->n_buckets - 1);
}

void hash_table_done(HashTable *t) {
        if (!t)
                return;
        free(t->buckets);
        *t = (HashTable){0};
}

static int hash_table_grow(HashTable *t) {
        HashTable grown = {.n_links = t->n_links};

        if (t->n_buckets > SIZE_MAX / 2 / sizeof(*t->buckets))
                return -ENOMEM;
        grown.n_buckets = t->n_buckets == 0 ? N_BUCKETS_MIN : t->n_buckets * 2;
        grown.buckets = calloc(grown.n_buckets, sizeof(*grown.buckets));
        if (!grown.buckets)
                return -ENOMEM;

        for (size_t i = 0; i < t->n_buckets; i++) {
                HashLink *next;

                for (HashLink *link = t->buckets[i]; link; link = next) {
                        HashLink **head = &grown.buckets[bucket_of(&grown, link->hash)];

                        next = link->next;
                        link->next = *head;
                        *head = link;
                }
        }
        free(t->buckets);
        *t = grown;
        return 0;
}

int hash_table_insert(HashTable *t, HashLink *link, uint64_t hash) {
        HashLink **head;

        /* A table that cannot grow still works, only slower. */
        if (t->n_links >= t->n_buckets && hash_table_grow(t) < 0 && t->n_buckets == 0)
                return -ENOMEM;

        head = &t->buckets[bucket_of(t, hash)];
        link->hash = hash;
        link->next = *head;
        *head = link;
        t->n_links++;
        return 0;
}

void hash_table_remove(HashTable *t, HashLink *link) {
        HashLink **at;

        assert(t->n_links > 0);
        at = &t->buckets[bucket_of(t, link->hash)];
        while (*at != link) {
                assert(*at);
                at = &(*at)->next;
        }
        *at = link->next;
        link->next = NULL;
        t->n_links--;
}

HashLink *hash_table_first(const HashTable *t, uint64_t hash) {
        return t->n_buckets == 0 ? NULL : t->buckets[bucket_of(t, hash)];
}

uint64_t hash_u64(uint64_t v) {
        v += HASH_GOLDEN;
        v = (v ^ (v >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
        v = (v ^ (v >> 27)) * UINT64_C(0x94d049bb133111eb);
        return v ^ (v >> 31);
}

static uint64_t load_u64(const uint8_t *at) {
        uint64_t v;

        memcpy(&v, at, sizeof(v));
        return v;
}

/* Up to 7 bytes as one word; with the length known, no two runs give the same word. */
static uint64_t load_short(const uint8_t *at, size_t n_bytes) {
        uint32_t low, high;

        if (n_bytes >= 4) {
                memcpy(&low, at, sizeof(low));
                memcpy(&high, at + n_bytes - sizeof(high), sizeof(high));
                return low | (uint64_t)high << 32;
        }
        if (n_bytes == 0)
                return 0;
        return at[0] | (uint64_t)at[n_bytes / 2] << 8 | (uint64_t)at[n_bytes - 1] << 16;
}

static uint64_t fold(uint64_t h, uint64_t word) {
        h = (h ^ word) * HASH_FACTOR;
        return h ^ (h >> 32);
}

uint64_t hash_bytes(const void *bytes, size_t n_bytes) {
        const uint8_t *at = bytes;
        uint64_t h = HASH_GOLDEN * (n_bytes + 1);

        if (n_bytes < 8)
                return hash_u64(h ^ load_short(at, n_bytes));

        for (size_t n_left = n_bytes; n_left > 8; n_left -= 8, at += 8)
                h = fold(h, load_u64(at));
        /* The last word overlaps the one before instead of a loop over single bytes. */
        h = fold(h, load_u64((const uint8_t *)bytes + n_bytes - 8));
        return hash_u64(h);
}
