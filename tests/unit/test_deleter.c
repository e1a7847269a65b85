/* SPDX-License-Identifier: MIT */

/* A process and its ancestors, frozen: what is taken, shared and let go. */

#include "identify/deleter.h"

#include "fixtures_deleter.h"

START_TEST(test_takes_references) {
        static ProcessAnswer answer;
        Deleter *d;

        answer.process.pid = 7;
        answer.process.serial = 3;
        answer.process.facts = fixture_named("rm");
        answer.n_ancestors = 2;
        answer.ancestors[0] = (ProcessView){.pid = 6, .facts = fixture_named("sh")};
        answer.ancestors[1] = (ProcessView){.pid = 1};
        d = deleter_new(9, ATTRIBUTION_EXEC, true, &answer);
        /* Nothing is left to be let go twice. */
        process_answer_done(&answer);
        ck_assert_uint_eq(d->id, 9);
        ck_assert_int_eq(d->attribution, ATTRIBUTION_EXEC);
        ck_assert_int_eq(d->process.pid, 7);
        ck_assert_uint_eq(d->process.serial, 3);
        ck_assert_str_eq(d->process.facts->comm, "rm");
        ck_assert_uint_eq(d->n_ancestors, 2);
        ck_assert_ptr_eq(deleter_parent(d), &d->ancestors[0]);
        ck_assert_str_eq(d->ancestors[0].facts->comm, "sh");
        ck_assert_ptr_null(d->ancestors[1].facts);
        ck_assert_ptr_eq(deleter_ref(d), d);
        ck_assert_ptr_null(deleter_unref(d));
        ck_assert_str_eq(d->process.facts->comm, "rm");
        deleter_unref(d);
}
END_TEST

START_TEST(test_nothing_known) {
        ProcessAnswer *answer = calloc(1, sizeof(*answer));
        Deleter *d;

        answer->process.pid = 7;
        d = deleter_new(1, ATTRIBUTION_PID_ONLY, false, answer);
        free(answer);
        ck_assert_ptr_null(deleter_parent(d));
        ck_assert_ptr_null(d->process.facts);
        ck_assert_ptr_null(deleter_unref(d));
        ck_assert_ptr_null(deleter_ref(NULL));
        ck_assert_ptr_null(deleter_unref(NULL));
}
END_TEST

START_TEST(test_all_ancestors) {
        static ProcessAnswer answer;
        Deleter *d;

        for (int i = 0; i < PROCESS_TABLE_ANCESTORS_MAX; i++)
                answer.ancestors[i] = (ProcessView){.pid = i + 1, .facts = fixture_named("x")};
        answer.n_ancestors = PROCESS_TABLE_ANCESTORS_MAX;
        d = deleter_new(1, ATTRIBUTION_LIVE, true, &answer);
        ck_assert_uint_eq(d->n_ancestors, PROCESS_TABLE_ANCESTORS_MAX);
        for (int i = 0; i < PROCESS_TABLE_ANCESTORS_MAX; i++)
                ck_assert_int_eq(d->ancestors[i].pid, i + 1);
        deleter_unref(d);
}
END_TEST

/* The words of record.md. */
START_TEST(test_attributions) {
        ck_assert_str_eq(attribution_to_string(ATTRIBUTION_NONE), "none");
        ck_assert_str_eq(attribution_to_string(ATTRIBUTION_PID_ONLY), "pid-only");
        ck_assert_str_eq(attribution_to_string(ATTRIBUTION_EXIT), "exit");
        ck_assert_str_eq(attribution_to_string(ATTRIBUTION_FORK), "fork");
        ck_assert_str_eq(attribution_to_string(ATTRIBUTION_EXEC), "exec");
        ck_assert_str_eq(attribution_to_string(ATTRIBUTION_LIVE), "live");
}
END_TEST

int main(void) {
        TCase *tcase = tcase_create("deleter");

        tcase_add_test(tcase, test_takes_references);
        tcase_add_test(tcase, test_nothing_known);
        tcase_add_test(tcase, test_all_ancestors);
        tcase_add_test(tcase, test_attributions);
        return unit_run("deleter", tcase);
}
