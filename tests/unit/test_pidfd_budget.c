/* SPDX-License-Identifier: MIT */

/* The limit on open files: lowered, enough for what was allowed, and put back. */

#include "capture/pidfd_budget.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "unit.h"

#define LIMIT 512

static struct rlimit original;

static void set_limit(rlim_t n) {
        const struct rlimit l = {.rlim_cur = n, .rlim_max = original.rlim_max};

        ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &l), 0);
}

static rlim_t limit(void) {
        struct rlimit l;

        ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &l), 0);
        ck_assert_uint_eq(l.rlim_max, original.rlim_max);
        return l.rlim_cur;
}

static void setup(void) {
        ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &original), 0);
        ck_assert_uint_ge(original.rlim_max, LIMIT);
        set_limit(LIMIT);
}

static void teardown(void) {
        ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &original), 0);
}

/* Opens until it fails, and closes again. */
static size_t n_can_open(void) {
        int fds[LIMIT];
        size_t n = 0;

        while (n < LIMIT && (fds[n] = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 0)) >= 0)
                n++;
        for (size_t i = 0; i < n; i++)
                close(fds[i]);
        return n;
}

START_TEST(test_enough_and_no_more) {
        const size_t n = 100 + (size_t)_i;
        const size_t before = n_can_open();
        const int lowest_free = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 0);
        PidfdBudget b;

        close(lowest_free);
        b = pidfd_budget_enter(n);
        ck_assert(b.is_lowered);
        ck_assert_uint_eq(limit(), (rlim_t)lowest_free + n);
        /* Fewer where descriptors are open above the lowest free one. */
        ck_assert_uint_le(n_can_open(), n);
        ck_assert_uint_ge(n_can_open(), n / 2);
        pidfd_budget_leave(&b);
        ck_assert_uint_eq(limit(), LIMIT);
        ck_assert_uint_eq(n_can_open(), before);
}
END_TEST

/* Some low numbers stay free for others, however little is allowed. */
START_TEST(test_lowest) {
        PidfdBudget b = pidfd_budget_enter(0);
        const rlim_t lowest = limit();

        ck_assert_uint_ge(lowest, 16);
        ck_assert_uint_lt(lowest, LIMIT);
        pidfd_budget_leave(&b);
        b = pidfd_budget_enter(1);
        ck_assert_uint_eq(limit(), lowest);
        pidfd_budget_leave(&b);
        ck_assert_uint_eq(limit(), LIMIT);
}
END_TEST

/* Never raised, and put back only once. */
START_TEST(test_already_low) {
        PidfdBudget b = pidfd_budget_enter(LIMIT);

        ck_assert(!b.is_lowered);
        ck_assert_uint_eq(limit(), LIMIT);
        pidfd_budget_leave(&b);
        set_limit(16);
        b = pidfd_budget_enter(1);
        ck_assert(!b.is_lowered);
        ck_assert_uint_eq(limit(), 16);
        pidfd_budget_leave(&b);
        ck_assert_uint_eq(limit(), 16);

        set_limit(LIMIT);
        b = pidfd_budget_enter(100);
        pidfd_budget_leave(&b);
        set_limit(300);
        pidfd_budget_leave(&b);
        ck_assert_uint_eq(limit(), 300);
}
END_TEST

/* No descriptor is left to count with: nothing is changed. */
START_TEST(test_full) {
        int fds[LIMIT];
        size_t n = 0;
        PidfdBudget b;

        while ((fds[n] = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 0)) >= 0)
                n++;
        b = pidfd_budget_enter(1);
        for (size_t i = 0; i < n; i++)
                close(fds[i]);
        ck_assert(!b.is_lowered);
        ck_assert_uint_eq(limit(), LIMIT);
        pidfd_budget_leave(&b);
}
END_TEST

int main(void) {
        TCase *tcase = tcase_create("pidfd_budget");

        tcase_add_checked_fixture(tcase, setup, teardown);
        tcase_add_loop_test(tcase, test_enough_and_no_more, 0, 3);
        tcase_add_test(tcase, test_lowest);
        tcase_add_test(tcase, test_already_low);
        tcase_add_test(tcase, test_full);
        return unit_run("pidfd_budget", tcase);
}
