/* SPDX-License-Identifier: MIT */

/*
 * The main() of every root test: the place to work in, and check's TAP report with skips in it
 * (check knows none).  See harness.h for what a test may rely on.
 */

#include "harness.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "keeper.h"

#define TESTS_MAX 256
#define REASON_MAX 200

/* Shared with the forked tests: which of them, in the order they ran, were skipped and why. */
typedef struct Report {
        unsigned n_started;
        char reasons[TESTS_MAX][REASON_MAX];
} Report;

static Report *report;
static char work[] = "/tmp/whodunlink-root-XXXXXX";
static char worker[4096];

/*
 * Read by AddressSanitizer: a test leaves what it allocates to the end of its process, which is
 * near. The monitor has no such excuse; it is a program of its own.
 */
const char *__asan_default_options(void);
const char *__asan_default_options(void) {
        return "detect_leaks=0";
}

const char *harness_work(void) {
        return work;
}

const char *harness_program(void) {
        return getenv("WHODUNLINK");
}

const char *harness_worker(void) {
        return worker;
}

size_t harness_scale(size_t n, size_t minimum) {
        const char *scale = getenv("WHODUNLINK_TEST_SCALE");
        size_t percent = scale ? strtoul(scale, NULL, 10) : 100;
        size_t scaled = n * percent / 100;

        return scaled < minimum ? minimum : scaled;
}

#if defined(__has_feature)
#define HAS_FEATURE(x) __has_feature(x)
#else
#define HAS_FEATURE(x) 0
#endif

#if defined(__SANITIZE_THREAD__) || HAS_FEATURE(thread_sanitizer)
#define IS_THREAD_SANITIZED true
#else
#define IS_THREAD_SANITIZED false
#endif

#if defined(__SANITIZE_ADDRESS__) || HAS_FEATURE(address_sanitizer)
#define IS_ADDRESS_SANITIZED true
#else
#define IS_ADDRESS_SANITIZED false
#endif

bool harness_is_sanitized(void) {
        return IS_THREAD_SANITIZED || IS_ADDRESS_SANITIZED;
}

size_t harness_sanitizer_threads(void) {
        return IS_THREAD_SANITIZED ? 1 : 0;
}

size_t harness_unknown_allowed(size_t n) {
        return IS_THREAD_SANITIZED ? n : IS_ADDRESS_SANITIZED ? n / 10 + 1 : n / 100 + 1;
}

void harness_skip(const char *format, ...) {
        char reason[REASON_MAX];
        va_list ap;

        va_start(ap, format);
        vsnprintf(reason, sizeof(reason), format, ap);
        va_end(ap);
        if (getenv("WHODUNLINK_SKIP_IS_FAILURE"))
                harness_abort("would skip: %s", reason);
        memcpy(report->reasons[(report->n_started - 1) % TESTS_MAX], reason, sizeof(reason));
        _exit(EXIT_SUCCESS);
}

/* In the forked process of each test, before it. */
static void setup_test(void) {
        report->n_started++; /* a failed fixture has its line in the report, too */
        ck_assert_int_eq(prctl(PR_SET_PDEATHSIG, SIGKILL), 0);
        ck_assert_int_eq(unshare(CLONE_NEWNS), 0);
        ck_assert_int_eq(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL), 0);
        ck_assert_int_eq(mount("work", work, "tmpfs", 0, "mode=0755,nr_inodes=0"), 0);
        umask(022);
}

/* Skips the whole program. Return: exit status. */
static int skip_all(const char *reason) {
        bool is_failure = getenv("WHODUNLINK_SKIP_IS_FAILURE");

        if (is_failure)
                printf("1..1\nnot ok 1 - would skip: %s\n", reason);
        else
                printf("1..0 # SKIP %s\n", reason);
        return is_failure ? EXIT_FAILURE : EXIT_SUCCESS;
}

static void print_tap(int fd) {
        _cleanup_fclose_ FILE *f = fdopen(fd, "r");
        _cleanup_free_ char *line = NULL;
        size_t n_allocated = 0, i = 0;

        if (!f)
                return;
        rewind(f);
        while (getline(&line, &n_allocated, f) > 0) {
                line[strcspn(line, "\n")] = '\0';
                if (strncmp(line, "ok ", 3) == 0) {
                        const char *reason = report->reasons[i++ % TESTS_MAX];

                        printf("%s%s%s\n", line, *reason ? " # SKIP " : "", reason);
                        continue;
                }
                if (strncmp(line, "not ok ", 7) == 0)
                        i++;
                else if (strncmp(line, "1..", 3) != 0)
                        fputs("# ", stdout); /* a message of several lines */
                printf("%s\n", line);
        }
}

static int run_suite(const char *name, void (*add)(TCase *tcase)) {
        Suite *suite = suite_create(name);
        TCase *tcase = tcase_create("root");
        SRunner *runner;
        char tap_path[64];
        int n_failed, fd;

        fd = memfd_create("tap", MFD_CLOEXEC);
        if (fd < 0)
                return EXIT_FAILURE;
        snprintf(tap_path, sizeof(tap_path), "/proc/self/fd/%d", fd);
        tcase_add_checked_fixture(tcase, setup_test, NULL);
        tcase_set_timeout(tcase, HARNESS_TIMEOUT_SEC);
        add(tcase);
        suite_add_tcase(suite, tcase);
        runner = srunner_create(suite);
        srunner_set_fork_status(runner, CK_FORK);
        srunner_set_tap(runner, tap_path);
        srunner_run_all(runner, CK_SILENT);
        n_failed = srunner_ntests_failed(runner);
        srunner_free(runner);
        print_tap(fd);
        return n_failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

/* worker.c is built into the directory of the test programs. */
static int find_worker(void) {
        ssize_t n = readlink("/proc/self/exe", worker, sizeof(worker) - 16);
        char *slash;

        if (n < 0)
                return -errno;
        worker[n] = '\0';
        slash = strrchr(worker, '/');
        strcpy(slash + 1, "worker");
        return access(worker, X_OK) < 0 ? -errno : 0;
}

/*
 * Two programs that both save, change and put back a sysctl would leave one's change behind. The
 * lock is the keeper's, too, so that it outlives even a killed test until all is put back.
 */
int harness_main_alone(const char *suite, void (*add)(TCase *tcase)) {
        int fd = open("/proc/sys/kernel/pid_max", O_RDONLY | O_CLOEXEC);

        if (fd < 0 || flock(fd, LOCK_EX) < 0)
                return skip_all("cannot lock /proc/sys/kernel/pid_max");
        return harness_main(suite, add);
}

int harness_main(const char *suite, void (*add)(TCase *tcase)) {
        struct stat st;

        if (geteuid() != 0)
                return skip_all("needs root");
        if (stat("/proc/self/ns/pid", &st) < 0 || st.st_ino != 0xEFFFFFFCU)
                return skip_all("needs the initial pid namespace: process events exist only there");
        if (!harness_program() || access(harness_program(), X_OK) < 0)
                return skip_all("WHODUNLINK does not name an executable");
        if (find_worker() < 0)
                return skip_all("the helper program `worker` is not built");
        if (!mkdtemp(work))
                return skip_all("cannot make a directory in /tmp");
        report = mmap(NULL, sizeof(*report), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
                      0);
        if (report == MAP_FAILED || keeper_start(work) < 0) {
                rmdir(work);
                return skip_all("cannot start the process that cleans up");
        }
        return run_suite(suite, add);
}
