/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The one hash table of the house: intrusive, chained, growing by doubling.
 *
 * Intrusive because directory nodes and processes are looked up for every event and also sit on
 * lists of their own: libc's hsearch()/tsearch() would cost an allocation and a string compare
 * each.  The caller embeds a HashLink, keeps the hash in it and compares keys itself.
 */

#include <stddef.h>
#include <stdint.h>

typedef struct HashLink {
        struct HashLink *next;
        uint64_t hash;
} HashLink;

typedef struct HashTable {
        HashLink **buckets;
        size_t n_buckets; /* 0 or a power of two */
        size_t n_links;
} HashTable;

void hash_table_done(HashTable *t); /* frees the buckets, never the links */
/* Return: 0, -ENOMEM (only when there are no buckets yet; growing later may fail silently). */
int hash_table_insert(HashTable *t, HashLink *link, uint64_t hash);
/* The link must be in the table. */
void hash_table_remove(HashTable *t, HashLink *link);
/* First link of the chain that may hold `hash`; follow ->next and compare ->hash and the key. */
HashLink *hash_table_first(const HashTable *t, uint64_t hash);
/* 64 bits that depend on every byte; no defence against chosen keys, which only slow the chains. */
uint64_t hash_bytes(const void *bytes, size_t n_bytes);
uint64_t hash_u64(uint64_t v);

#define HASH_ENTRY(link, type, member) ((type *)(void *)((char *)(link)-offsetof(type, member)))
