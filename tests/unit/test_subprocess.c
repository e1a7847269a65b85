/* SPDX-License-Identifier: MIT */

/* Programs that answer, fail, talk too much or never end. */

#include "base/subprocess.h"

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sys/wait.h>

#include "base/clock.h"
#include "unit.h"

#define MSEC CLOCK_NSEC_PER_MSEC

static Buffer out;
static int status;

static int run(const char *script, uint64_t wait_msec, size_t n_max) {
        const char *const argv[] = {"sh", "-c", script, NULL};
        const SubprocessBounds bounds = {wait_msec * MSEC, n_max};

        status = -1;
        return subprocess_run(argv, NULL, &bounds, &out, &status);
}

static void setup(void) {
        out = (Buffer){0};
}

static void teardown(void) {
        buffer_done(&out);
        /* Nothing is left behind. */
        ck_assert(waitpid(-1, NULL, WNOHANG) < 0 && errno == ECHILD);
}

START_TEST(test_output) {
        ck_assert_int_eq(run("echo a; cat; echo b >&2; exit 7", 20000, 100), 0);
        ck_assert_str_eq(buffer_terminate(&out), "a\n");
        ck_assert(WIFEXITED(status) && WEXITSTATUS(status) == 7);
        ck_assert_int_eq(run("kill -9 $$", 20000, 100), 0);
        ck_assert(WIFSIGNALED(status));
        ck_assert_uint_eq(out.n_bytes, 0);
}
END_TEST

START_TEST(test_environment) {
        const char *const argv[] = {"/bin/sh", "-c", "echo $A", NULL};
        const char *const env[] = {"A=b", NULL};
        const SubprocessBounds bounds = {20000 * MSEC, 100};

        ck_assert_int_eq(subprocess_run(argv, env, &bounds, &out, &status), 0);
        ck_assert_str_eq(buffer_terminate(&out), "b\n");
}
END_TEST

START_TEST(test_not_there) {
        const char *const argv[] = {"/nowhere/x", NULL};
        const SubprocessBounds bounds = {20000 * MSEC, 100};

        ck_assert_int_eq(subprocess_run(argv, NULL, &bounds, &out, &status), -ENOENT);
}
END_TEST

START_TEST(test_too_much) {
        ck_assert_int_eq(run("echo 12345", 20000, 5), -EFBIG);
        ck_assert_int_eq(run("echo 1234", 20000, 5), 0);
        ck_assert_int_eq(run("while :; do echo 0123456789; done", 20000, 100000), -EFBIG);
}
END_TEST

START_TEST(test_too_long) {
        uint64_t begin = clock_now_nsec(CLOCK_MONOTONIC);

        ck_assert_int_eq(run("exec sleep 60", 100, 100), -ETIMEDOUT);
        /* It says nothing more, but does not end. */
        ck_assert_int_eq(run("echo x; exec sleep 60 >&-", 100, 100), -ETIMEDOUT);
        ck_assert_uint_lt(clock_now_nsec(CLOCK_MONOTONIC) - begin, 30000 * MSEC);
}
END_TEST

/* What we block or ignore it does not inherit. */
START_TEST(test_signals) {
        sigset_t set, old;

        sigemptyset(&set);
        sigaddset(&set, SIGTERM);
        sigprocmask(SIG_BLOCK, &set, &old);
        signal(SIGPIPE, SIG_IGN);
        ck_assert_int_eq(run("kill $$; sleep 60", 20000, 100), 0);
        ck_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM);
        ck_assert_int_eq(run("kill -PIPE $$; sleep 60", 20000, 100), 0);
        ck_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGPIPE);
        signal(SIGPIPE, SIG_DFL);
        sigprocmask(SIG_SETMASK, &old, NULL);
}
END_TEST

int main(void) {
        TCase *t = tcase_create("subprocess");

        tcase_add_checked_fixture(t, setup, teardown);
        tcase_add_test(t, test_output);
        tcase_add_test(t, test_environment);
        tcase_add_test(t, test_not_there);
        tcase_add_test(t, test_too_much);
        tcase_add_test(t, test_too_long);
        tcase_add_test(t, test_signals);
        return unit_run("subprocess", t);
}
