/* SPDX-License-Identifier: MIT */

/* Fields of the journal's native protocol. */

#include "record/journal_field.h"

#include <string.h>

#include "fixtures_journal_field.h"
#include "unit.h"

static Buffer b;

static void setup(void) {
        buffer_clear(&b);
}

static void teardown(void) {
        buffer_done(&b);
}

START_TEST(test_forms) {
        static const char expected[] =
                "A=b\nN=18446744073709551615\nX\n\3\0\0\0\0\0\0\0a\nb\nY==\n";

        journal_field_append_string(&b, "A", "b");
        journal_field_append_u64(&b, "N", UINT64_MAX);
        journal_field_append(&b, "X", "a\nb", 3);
        journal_field_append(&b, "Y", "=", 1);
        ck_assert_uint_eq(b.n_bytes, sizeof(expected) - 1);
        ck_assert_mem_eq(b.bytes, expected, b.n_bytes);
}
END_TEST

START_TEST(test_nothing) {
        journal_field_append_string(&b, "A", NULL);
        journal_field_append_string(&b, "A", "");
        journal_field_append(&b, "A", NULL, 3);
        journal_field_append(&b, "A", "x", 0);
        ck_assert_uint_eq(b.n_bytes, 0);
}
END_TEST

/* Every byte, alone and between others. */
START_TEST(test_any_byte) {
        char value[3] = {'a', (char)_i, 'z'};
        size_t n;
        const char *v;

        journal_field_append(&b, "ONE", value + 1, 1);
        journal_field_append(&b, "THREE", value, 3);
        v = fixture_value(&b, "ONE", &n);
        ck_assert_uint_eq(n, 1);
        ck_assert_mem_eq(v, value + 1, 1);
        v = fixture_value(&b, "THREE", &n);
        ck_assert_uint_eq(n, 3);
        ck_assert_mem_eq(v, value, 3);
}
END_TEST

int main(void) {
        TCase *tcase = tcase_create("journal_field");

        tcase_add_checked_fixture(tcase, setup, teardown);
        tcase_add_test(tcase, test_forms);
        tcase_add_test(tcase, test_nothing);
        tcase_add_loop_test(tcase, test_any_byte, 0, 256);
        return unit_run("journal_field", tcase);
}
