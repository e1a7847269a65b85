/* SPDX-License-Identifier: MIT */

/* What renames brought to names. */

#include "capture/arrivals.h"

#include <string.h>

#include "unit.h"

static Arrivals arrivals;

static void teardown(void) {
        arrivals_done(&arrivals);
        memset(&arrivals, 0, sizeof(arrivals));
}

static Arrival *add(uint64_t name, uint64_t file) {
        FileHandle h = {.type = 3, .n_bytes = sizeof(file), .bytes = (const uint8_t *)&file};

        return arrivals_add(&arrivals, name, &h, file);
}

START_TEST(test_add_and_remove) {
        Arrival *a;

        ck_assert_ptr_null(arrivals_find(&arrivals, 1));
        ck_assert_ptr_nonnull(add(1, 10));
        ck_assert_ptr_nonnull(add(2, 20));
        ck_assert_ptr_nonnull(add(3, 30));
        a = arrivals_find(&arrivals, 2);
        ck_assert_uint_eq(a->file, 20);
        ck_assert_uint_eq(a->mask, 0);
        ck_assert_int_eq(a->handle_type, 3);
        ck_assert_uint_eq(a->n_handle, sizeof(uint64_t));
        ck_assert_uint_eq(a->handle[0], 20);
        arrivals_remove(&arrivals, a);
        ck_assert_ptr_null(arrivals_find(&arrivals, 2));
        ck_assert_uint_eq(arrivals_find(&arrivals, 1)->file, 10);
        ck_assert_uint_eq(arrivals_find(&arrivals, 3)->file, 30);
        arrivals_forget_all(&arrivals);
        ck_assert_ptr_null(arrivals_find(&arrivals, 1));
        ck_assert_ptr_null(arrivals.newest);
}
END_TEST

START_TEST(test_another_comes) {
        add(1, 10);
        add(1, 11);
        ck_assert_uint_eq(arrivals_find(&arrivals, 1)->file, 11);
        ck_assert_uint_eq(arrivals.table.n_links, 1);
}
END_TEST

START_TEST(test_bound) {
        for (uint64_t i = 0; i < ARRIVALS_MAX + 100; i++)
                add(i, i);
        ck_assert_uint_eq(arrivals.table.n_links, ARRIVALS_MAX);
        ck_assert_ptr_null(arrivals_find(&arrivals, 99));
        ck_assert_uint_eq(arrivals_find(&arrivals, 100)->file, 100);
        /* One more for a name that is there takes nobody's place. */
        add(100, 7);
        ck_assert_uint_eq(arrivals.table.n_links, ARRIVALS_MAX);
        ck_assert_uint_eq(arrivals_find(&arrivals, 101)->file, 101);
}
END_TEST

int main(void) {
        TCase *tcase = tcase_create("arrivals");

        tcase_add_checked_fixture(tcase, NULL, teardown);
        tcase_add_test(tcase, test_add_and_remove);
        tcase_add_test(tcase, test_another_comes);
        tcase_add_test(tcase, test_bound);
        return unit_run("arrivals", tcase);
}
