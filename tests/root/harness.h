/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What every root test shares: a private place to work in, sizes, skips, and the TAP report.
 *
 * Each test function runs in its own process (check forks), in its own mount namespace, with a
 * fresh tmpfs on harness_work().  Whatever it mounts, starts or leaves behind goes with that
 * process, also when it is killed; nothing is seen outside.  A changed sysctl is put back by a
 * process that only waits for the test program's end, however that comes.
 */

#include <check.h>
#include <stdbool.h>
#include <stddef.h>

#define HARNESS_TIMEOUT_SEC 240.0

/* Runs the tests that `add` puts into the one test case. Return: exit status of main(). */
int harness_main(const char *suite, void (*add)(TCase *tcase));
/* The same for tests that change sysctls: only one such program runs on a machine at a time. */
int harness_main_alone(const char *suite, void (*add)(TCase *tcase));

/* The directory to work in: absolute, no symlinks, a tmpfs of this test's own. */
const char *harness_work(void);
/* The program under test. */
const char *harness_program(void);
/* The helper beside the test program that plays strange deleters (worker.c). */
const char *harness_worker(void);

/* n scaled by WHODUNLINK_TEST_SCALE (percent), never below minimum. */
size_t harness_scale(size_t n, size_t minimum);
/* True when the program under test is built with a sanitizer, which costs memory and time. */
bool harness_is_sanitized(void);
/* How many threads of the program under test are a sanitizer's own. */
size_t harness_sanitizer_threads(void);
/*
 * How many of n deletions by short processes may lack facts about their deleter, in a test that is
 * about something else: a hundredth, since another guest of the host can take the CPUs away for
 * longer than an rm lives (test_storm.c holds the program to a thousandth). A tenth under
 * AddressSanitizer and all under ThreadSanitizer, which make the witness slower than the life of an
 * rm; what is said must be true there, too.
 */
size_t harness_unknown_allowed(size_t n);

/* Ends this test as skipped, or as failed where WHODUNLINK_SKIP_IS_FAILURE is set. */
__attribute__((noreturn, format(printf, 1, 2))) void harness_skip(const char *format, ...);
/* Fails this test; more of the message than check can carry goes to the log. */
__attribute__((noreturn)) void harness_fail(const char *file, int line, const char *message);
#define harness_abort(...) harness_fail(__FILE__, __LINE__, harness_format(__VA_ARGS__))
/*
 * ck_assert_msg() of check writes to a file also when all is well, for each call; this does not,
 * so that it may stand in a loop over every byte of a hundred megabytes.
 */
#define harness_assert(condition, ...)                                                             \
        do {                                                                                       \
                if (!(condition))                                                                  \
                        harness_abort(__VA_ARGS__);                                                \
        } while (0)
/* One line of explanation for the log: "# …" on stderr. */
__attribute__((format(printf, 1, 2))) void harness_note(const char *format, ...);

/* printf into fresh memory; fails the test instead of returning NULL. */
__attribute__((format(printf, 1, 2))) char *harness_format(const char *format, ...);
/* A path below harness_work(), as harness_format(). */
__attribute__((format(printf, 1, 2))) char *harness_path(const char *format, ...);

/* Seconds of the monotonic clock. */
double harness_now(void);
void harness_sleep(double seconds);

/* Writes a sysctl below /proc/sys; its value comes back at the end of the test program. */
void harness_sysctl_set(const char *name, long value);
long harness_sysctl_get(const char *name);

/* Files of the truth: all fail the test when they fail. */
void harness_mkdir(const char *path);
void harness_touch(const char *path);
void harness_unlink(const char *path);
/* The whole file, NUL behind it. */
char *harness_read_file(const char *path, size_t *ret_n_bytes);
