/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What every unit test shares: check, reported as TAP.
 *
 * All in one process: a fork for each turn of a loop test takes minutes under ThreadSanitizer, and
 * hides from LeakSanitizer what a test leaves behind.  A hang is ended by meson's timeout.
 */

#include <check.h>
#include <stdlib.h>

/* Runs one suite of one test case and turns the result into the exit status. */
static inline int unit_run(const char *name, TCase *tcase) {
        Suite *suite = suite_create(name);
        SRunner *runner;
        int n_failed;

        suite_add_tcase(suite, tcase);
        runner = srunner_create(suite);
        srunner_set_fork_status(runner, CK_NOFORK);
        srunner_set_tap(runner, "-");
        srunner_run_all(runner, CK_SILENT);
        n_failed = srunner_ntests_failed(runner);
        srunner_free(runner);
        return n_failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
