/* SPDX-License-Identifier: MIT */

/*
 * The small change of the tests, declared in harness.h.  Everything here fails the test at once,
 * naming what failed, so that a test reads as its workload.
 */

#include "harness.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "keeper.h"

void harness_note(const char *format, ...) {
        va_list ap;

        va_start(ap, format);
        fputs("# ", stderr);
        vfprintf(stderr, format, ap);
        fputc('\n', stderr);
        va_end(ap);
}

void harness_fail(const char *file, int line, const char *message) {
        if (strlen(message) > 1000)
                harness_note("%s", message);
        ck_abort_msg("%s:%d: %.1000s", file, line, message);
}

char *harness_format(const char *format, ...) {
        char *s = NULL;
        va_list ap;
        int r;

        va_start(ap, format);
        r = vasprintf(&s, format, ap);
        va_end(ap);
        if (r < 0)
                ck_abort_msg("out of memory");
        return s;
}

char *harness_path(const char *format, ...) {
        _cleanup_free_ char *tail = NULL;
        va_list ap;
        int r;

        va_start(ap, format);
        r = vasprintf(&tail, format, ap);
        va_end(ap);
        if (r < 0)
                ck_abort_msg("out of memory");
        return harness_format("%s/%s", harness_work(), tail);
}

double harness_now(void) {
        struct timespec ts;

        clock_gettime(CLOCK_MONOTONIC, &ts);
        return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

void harness_sleep(double seconds) {
        struct timespec ts = {.tv_sec = (time_t)seconds};

        ts.tv_nsec = (long)((seconds - (double)ts.tv_sec) * 1e9);
        while (nanosleep(&ts, &ts) < 0 && errno == EINTR)
                ;
}

long harness_sysctl_get(const char *name) {
        _cleanup_free_ char *path = harness_format("/proc/sys/%s", name);
        _cleanup_free_ char *value = harness_read_file(path, NULL);

        return strtol(value, NULL, 10);
}

void harness_sysctl_set(const char *name, long value) {
        _cleanup_free_ char *path = harness_format("/proc/sys/%s", name);
        _cleanup_fclose_ FILE *f = NULL;

        ck_assert_int_eq(keeper_remember(name, harness_sysctl_get(name)), 0);
        f = fopen(path, "we");
        harness_assert(f, "%s: %m", path);
        harness_assert(fprintf(f, "%ld\n", value) > 0 && fflush(f) == 0, "%s: %m", path);
}

void harness_mkdir(const char *path) {
        harness_assert(mkdir(path, 0777) == 0, "mkdir %s: %m", path);
}

void harness_touch(const char *path) {
        int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);

        harness_assert(fd >= 0, "create %s: %m", path);
        close(fd);
}

void harness_unlink(const char *path) {
        harness_assert(unlink(path) == 0, "unlink %s: %m", path);
}

char *harness_read_file(const char *path, size_t *ret_n_bytes) {
        _cleanup_fclose_ FILE *f = fopen(path, "re");
        _cleanup_free_ char *bytes = NULL;
        size_t n = 0, n_allocated = 0, r;

        harness_assert(f, "%s: %m", path);
        do {
                if (n_allocated - n < 4096) {
                        n_allocated = n_allocated * 2 + 8192;
                        bytes = realloc(bytes, n_allocated);
                        harness_assert(bytes, "out of memory");
                }
                r = fread(bytes + n, 1, n_allocated - n - 1, f);
                n += r;
        } while (r > 0);
        bytes[n] = '\0';
        if (ret_n_bytes)
                *ret_n_bytes = n;
        return TAKE_PTR(bytes);
}
