/* SPDX-License-Identifier: MIT */

/* The soonest of many, in any order of coming, with a plain sort as the second opinion. */

#include "command/why_due_list.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "unit.h"

#define N 500

static int compare_numbers(const void *a, const void *b) {
        const uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

        return x < y ? -1 : x > y;
}

/* 500 of which 100 different times, of which some are kept. */
START_TEST(test_soonest) {
        const size_t n_max = (size_t[]){1, 2, 3, 64, 65, 499, 500, 1000}[_i];
        _cleanup_why_due_list_ WhyDueList l;
        uint64_t numbers[N];

        why_due_list_init(&l, n_max);
        for (size_t i = 0; i < N; i++) {
                char path[32];

                numbers[i] = i * 7919 % N / 5;
                snprintf(path, sizeof(path), "/%03zu", i * 31 % N);
                ck_assert_int_eq(why_due_list_add(&l, numbers[i], path, i % 2, NULL), 0);
                ck_assert_uint_le(l.n_entries, n_max);
                ck_assert_uint_le(l.n_allocated, n_max);
        }
        ck_assert_uint_eq(l.n_added, N);
        ck_assert_uint_eq(l.n_entries, n_max < N ? n_max : N);
        why_due_list_sort(&l);
        qsort(numbers, N, sizeof(numbers[0]), compare_numbers);
        for (size_t i = 0; i < l.n_entries; i++) {
                ck_assert_uint_eq(l.entries[i].due_nsec, numbers[i]);
                if (i > 0 && l.entries[i].due_nsec == l.entries[i - 1].due_nsec)
                        ck_assert_int_gt(strcmp(l.entries[i].path, l.entries[i - 1].path), 0);
        }
}
END_TEST

START_TEST(test_empty) {
        _cleanup_why_due_list_ WhyDueList l;

        why_due_list_init(&l, 3);
        why_due_list_sort(&l);
        ck_assert_uint_eq(l.n_entries, 0);
}
END_TEST

int main(void) {
        TCase *t = tcase_create("why_due_list");

        tcase_add_loop_test(t, test_soonest, 0, 8);
        tcase_add_test(t, test_empty);
        return unit_run("why_due_list", t);
}
