/* SPDX-License-Identifier: MIT */

/* Names and memory. */

#include "explain/cause.h"

#include <string.h>

#include "unit.h"

START_TEST(test_types) {
        static const char *const names[] = {"tmpfiles",  "timer",     "cron", "package",
                                            "logrotate", "container", "login"};

        for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
                ck_assert_str_eq(cause_type_to_string((CauseType)i), names[i]);
}
END_TEST

START_TEST(test_copy) {
        _cleanup_cause_ Cause a = {.type = CAUSE_CRON, .rule = strdup("rm"), .unit = strdup("u")};
        Cause b;

        ck_assert_int_eq(cause_copy(&a, &b), 0);
        ck_assert_int_eq(b.type, CAUSE_CRON);
        ck_assert_str_eq(b.rule, "rm");
        ck_assert_ptr_ne(b.rule, a.rule);
        ck_assert_str_eq(b.unit, "u");
        ck_assert_ptr_null(b.source);
        ck_assert_ptr_null(b.triggered_by);
        ck_assert_ptr_null(b.explanation);
        cause_done(&b);
        ck_assert_ptr_null(b.rule);
        cause_done(&b);
}
END_TEST

int main(void) {
        TCase *t = tcase_create("cause");

        tcase_add_test(t, test_types);
        tcase_add_test(t, test_copy);
        return unit_run("cause", t);
}
