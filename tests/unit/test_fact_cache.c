/* SPDX-License-Identifier: MIT */

/* What is kept, for how long, and what makes room. */

#include "explain/fact_cache.h"

#include <stdio.h>
#include <string.h>

#include "unit.h"

static FactCache cache;
static size_t n_freed;

static void free_fact(void *fact) {
        free(fact);
        n_freed++;
}

static void setup(void) {
        n_freed = 0;
        memset(&cache, 0, sizeof(cache));
}

static void teardown(void) {
        fact_cache_done(&cache);
}

static void put(const char *key, uint64_t now, const char *text) {
        ck_assert_int_eq(
                fact_cache_put(&cache, key, now, 10, text ? strdup(text) : NULL, free_fact), 0);
}

START_TEST(test_age) {
        void *fact;

        ck_assert_int_eq(fact_cache_get(&cache, "a", 0, &fact), 0);
        put("a", 5, "x");
        put("b", 5, NULL);
        ck_assert_int_eq(fact_cache_get(&cache, "a", 14, &fact), 1);
        ck_assert_str_eq(fact, "x");
        ck_assert_int_eq(fact_cache_get(&cache, "b", 14, &fact), 1);
        ck_assert_ptr_null(fact);
        ck_assert_int_eq(fact_cache_get(&cache, "a", 15, &fact), 0);
        put("a", 15, "y");
        ck_assert_uint_eq(n_freed, 1);
        ck_assert_int_eq(fact_cache_get(&cache, "a", 24, &fact), 1);
        ck_assert_str_eq(fact, "y");
        ck_assert_uint_eq(cache.n_hits, 3);
        ck_assert_uint_eq(cache.n_misses, 2);
        ck_assert_uint_eq(cache.n_evicted, 0);
}
END_TEST

/* The one that was not used for longest goes; what is out of date before all others. */
START_TEST(test_bound) {
        char key[32];
        void *fact;

        for (size_t i = 0; i < FACT_CACHE_ENTRIES; i++) {
                snprintf(key, sizeof(key), "%zu", i);
                put(key, 0, key);
        }
        ck_assert_int_eq(fact_cache_get(&cache, "0", 1, &fact), 1);
        put("new", 1, "n");
        ck_assert_uint_eq(cache.n_evicted, 1);
        ck_assert_int_eq(fact_cache_get(&cache, "0", 1, &fact), 1);
        ck_assert_int_eq(fact_cache_get(&cache, "1", 1, &fact), 0);
        ck_assert_int_eq(fact_cache_get(&cache, "2", 1, &fact), 1);
        ck_assert_int_eq(fact_cache_get(&cache, "new", 1, &fact), 1);
        put("later", 10, "l");
        ck_assert_uint_eq(cache.n_evicted, 1);
        fact_cache_done(&cache);
        ck_assert_uint_eq(n_freed, FACT_CACHE_ENTRIES + 2);
}
END_TEST

int main(void) {
        TCase *t = tcase_create("fact_cache");

        tcase_add_checked_fixture(t, setup, teardown);
        tcase_add_test(t, test_age);
        tcase_add_test(t, test_bound);
        return unit_run("fact_cache", t);
}
