/* SPDX-License-Identifier: MIT */

/* HashTable: that it finds what is in and nothing else, while growing; and the hash functions. */

#include "base/hash_table.h"

#include <string.h>

#include "unit.h"

#define N_ENTRIES 10000

typedef struct Entry {
        uint64_t key;
        HashLink link; /* not first, so that HASH_ENTRY() has something to do */
} Entry;

static Entry entries[N_ENTRIES];

static Entry *find(const HashTable *t, uint64_t hash, uint64_t key) {
        for (HashLink *link = hash_table_first(t, hash); link; link = link->next) {
                Entry *entry = HASH_ENTRY(link, Entry, link);

                if (link->hash == hash && entry->key == key)
                        return entry;
        }
        return NULL;
}

static uint64_t spread(uint64_t key) {
        return hash_u64(key);
}

static uint64_t same(uint64_t key) {
        return key & 0;
}

/* All in one bucket until the table is larger than 2^32, but with hashes of their own. */
static uint64_t high_bits_only(uint64_t key) {
        return key << 32;
}

static const struct {
        uint64_t (*hash)(uint64_t key);
        size_t n_entries;
} loads[] = {
        {spread, N_ENTRIES},
        {same, 300},
        {high_bits_only, 300},
};

START_TEST(test_insert_find_remove) {
        uint64_t (*hash)(uint64_t) = loads[_i].hash;
        size_t n = loads[_i].n_entries;
        HashTable t = {0};

        for (size_t i = 0; i < n; i++) {
                entries[i].key = i;
                if (find(&t, hash(i), i))
                        ck_abort_msg("%zu before it is in", i);
                if (hash_table_insert(&t, &entries[i].link, hash(i)) < 0 || t.n_links != i + 1)
                        ck_abort_msg("cannot insert %zu", i);
        }
        ck_assert_uint_ge(t.n_buckets, n);
        ck_assert_uint_eq(t.n_buckets & (t.n_buckets - 1), 0);
        for (size_t i = 0; i < n; i++)
                if (find(&t, hash(i), i) != &entries[i])
                        ck_abort_msg("%zu is not found", i);
        ck_assert_ptr_null(find(&t, hash(n), n));

        /* The odd ones first, then the rest backwards: head, middle and end of chains. */
        for (size_t i = 1; i < n; i += 2)
                hash_table_remove(&t, &entries[i].link);
        for (size_t i = 0; i < n; i++)
                if (find(&t, hash(i), i) != (i % 2 == 0 ? &entries[i] : NULL))
                        ck_abort_msg("%zu after the removal of the odd ones", i);
        for (size_t i = n; i-- > 0;)
                if (i % 2 == 0)
                        hash_table_remove(&t, &entries[i].link);
        ck_assert_uint_eq(t.n_links, 0);
        for (size_t i = 0; i < n; i++)
                if (find(&t, hash(i), i))
                        ck_abort_msg("%zu is still found", i);
        hash_table_done(&t);
}
END_TEST

START_TEST(test_empty) {
        HashTable t = {0};
        Entry entry = {.key = 7};

        ck_assert_ptr_null(hash_table_first(&t, 0));
        ck_assert_ptr_null(hash_table_first(&t, UINT64_MAX));
        hash_table_done(NULL);
        hash_table_done(&t);

        /* Usable again after done. */
        ck_assert_int_eq(hash_table_insert(&t, &entry.link, UINT64_MAX), 0);
        ck_assert_ptr_eq(find(&t, UINT64_MAX, 7), &entry);
        hash_table_done(&t);
        ck_assert_ptr_null(hash_table_first(&t, UINT64_MAX));
}
END_TEST

START_TEST(test_same_key_twice) {
        HashTable t = {0};
        Entry a = {.key = 1}, b = {.key = 1};

        ck_assert_int_eq(hash_table_insert(&t, &a.link, 5), 0);
        ck_assert_int_eq(hash_table_insert(&t, &b.link, 5), 0);
        ck_assert_uint_eq(t.n_links, 2);
        hash_table_remove(&t, &b.link);
        ck_assert_ptr_eq(find(&t, 5, 1), &a);
        hash_table_remove(&t, &a.link);
        ck_assert_ptr_null(find(&t, 5, 1));
        hash_table_done(&t);
}
END_TEST

/* For each length (the loop): every bit of every byte changes the hash, in its low bits too. */
START_TEST(test_hash_depends_on_every_bit) {
        size_t n = (size_t)_i, n_low_same = 0;
        unsigned char *bytes = malloc(n + 1);
        uint64_t hash;

        ck_assert_ptr_nonnull(bytes);
        memset(bytes, 0, n + 1);
        hash = hash_bytes(bytes, n);
        ck_assert_uint_eq(hash_bytes(bytes, n), hash);
        ck_assert_uint_ne(hash_bytes(bytes, n + 1), hash);
        for (size_t bit = 0; bit < n * 8; bit++) {
                uint64_t changed;

                bytes[bit / 8] ^= (unsigned char)(1 << bit % 8);
                changed = hash_bytes(bytes, n);
                ck_assert_uint_ne(changed, hash);
                n_low_same += ((changed ^ hash) & 0xff) == 0;
                bytes[bit / 8] ^= (unsigned char)(1 << bit % 8);
        }
        /* 1 in 256 is to be expected. */
        ck_assert_uint_le(n_low_same, 3 + n * 8 / 64);
        free(bytes);
}
END_TEST

/* Where the bytes lie and what is around them must not matter, and no byte outside is read. */
START_TEST(test_hash_ignores_place) {
        unsigned char around[128], bytes[64];
        size_t n = (size_t)_i;

        for (size_t i = 0; i < sizeof(bytes); i++)
                bytes[i] = (unsigned char)(i * 37 + 11);
        for (size_t shift = 0; shift < 16; shift++) {
                unsigned char *exact = malloc(n > 0 ? n : 1);

                memset(around, (int)shift, sizeof(around));
                memcpy(around + shift, bytes, n);
                ck_assert_ptr_nonnull(exact);
                memcpy(exact, bytes, n);
                ck_assert_uint_eq(hash_bytes(around + shift, n), hash_bytes(exact, n));
                free(exact);
        }
}
END_TEST

typedef struct HandleKey {
        uint64_t filesystem;
        uint32_t type, inode, generation, parent;
} HandleKey;

static int compare_u64(const void *a, const void *b) {
        uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

        return x < y ? -1 : x > y;
}

/* Keys as file handles are: long, and the same but for a counter.  Chains must stay short. */
START_TEST(test_hash_spreads_handles) {
        static uint64_t hashes[N_ENTRIES];
        static unsigned char chains[16384];
        unsigned char longest = 0;

        memset(chains, 0, sizeof(chains));
        for (uint32_t i = 0; i < N_ENTRIES; i++) {
                HandleKey key = {0x1122334455667788, 1, i << _i, 77, 2};

                hashes[i] = hash_bytes(&key, sizeof(key));
                if (++chains[hashes[i] & (sizeof(chains) - 1)] > longest)
                        longest = chains[hashes[i] & (sizeof(chains) - 1)];
        }
        ck_assert_uint_le(longest, 9);
        qsort(hashes, N_ENTRIES, sizeof(hashes[0]), compare_u64);
        for (size_t i = 1; i < N_ENTRIES; i++)
                if (hashes[i] == hashes[i - 1])
                        ck_abort_msg("the same hash twice");
}
END_TEST

START_TEST(test_hash_u64_spreads) {
        static unsigned char chains[16384];
        unsigned char longest = 0;

        memset(chains, 0, sizeof(chains));
        for (uint64_t i = 0; i < N_ENTRIES; i++) {
                size_t at = hash_u64(i << _i) & (sizeof(chains) - 1);

                if (++chains[at] > longest)
                        longest = chains[at];
        }
        ck_assert_uint_le(longest, 9);
}
END_TEST

int main(void) {
        TCase *tcase = tcase_create("hash_table");

        tcase_add_loop_test(tcase, test_insert_find_remove, 0, sizeof(loads) / sizeof(loads[0]));
        tcase_add_test(tcase, test_empty);
        tcase_add_test(tcase, test_same_key_twice);
        tcase_add_loop_test(tcase, test_hash_depends_on_every_bit, 0, 66);
        tcase_add_loop_test(tcase, test_hash_ignores_place, 0, 65);
        tcase_add_loop_test(tcase, test_hash_spreads_handles, 0, 19);
        tcase_add_loop_test(tcase, test_hash_u64_spreads, 0, 51);
        return unit_run("hash_table", tcase);
}
