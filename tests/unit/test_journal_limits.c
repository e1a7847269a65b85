/* SPDX-License-Identifier: MIT */

/* What journald.conf and its drop-ins say of the rate limit. */

#include "command/journal_limits.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "unit.h"

#define SEC UINT64_C(1000000000)

static const struct {
        const char *text;
        uint64_t interval_nsec, burst;
} texts[] = {
        {"", 30 * SEC, 10000},
        {"[Journal]\n", 30 * SEC, 10000},
        {"[Journal]\n#RateLimitBurst=1\n;RateLimitBurst=2\n", 30 * SEC, 10000},
        {"[Journal]\nRateLimitIntervalSec=1min\nRateLimitBurst=5\n", 60 * SEC, 5},
        {"[Journal]\nRateLimitInterval=5\n", 5 * SEC, 10000},
        {"[Journal]\r\n  RateLimitBurst =  7  \r\n", 30 * SEC, 7},
        {"[Journal]\nRateLimitBurst=0\nRateLimitIntervalSec=0", 0, 0},
        /* The last one counts; what is no value does not. */
        {"[Journal]\nRateLimitBurst=1\nRateLimitBurst=2\nRateLimitBurst=x\nRateLimitBurst=\n",
         30 * SEC, 2},
        {"[Journal]\nRateLimitIntervalSec=soon\n", 30 * SEC, 10000},
        /* Of another section, or of none. */
        {"RateLimitBurst=1\n[Other]\nRateLimitBurst=2\n", 30 * SEC, 10000},
        {"[Other]\nRateLimitBurst=2\n[Journal]\nRateLimitBurst=3\n", 30 * SEC, 3},
        {"[Journal]\nRateLimitBursts=1\nXRateLimitBurst=1\n=1\nRateLimitBurst\n", 30 * SEC, 10000},
        {"[Journal]\nRateLimitBurst=1\n[Jour", 30 * SEC, 1},
};

#define N_TEXTS ((int)(sizeof(texts) / sizeof(texts[0])))

START_TEST(test_apply) {
        JournalLimits l = JOURNAL_LIMITS_DEFAULT;
        size_t n = strlen(texts[_i].text);
        _cleanup_free_ char *exact = malloc(n + 1);

        /* Without a NUL behind it, so that a sanitizer sees a byte too many. */
        exact = realloc(exact, n > 0 ? n : 1);
        memcpy(exact, texts[_i].text, n);
        journal_limits_apply(exact, n, &l);
        ck_assert_uint_eq(l.interval_nsec, texts[_i].interval_nsec);
        ck_assert_uint_eq(l.burst, texts[_i].burst);
}
END_TEST

START_TEST(test_long_line) {
        static char text[4096] = "[Journal]\nRateLimitBurst=";
        JournalLimits l = JOURNAL_LIMITS_DEFAULT;

        memset(text + strlen(text), '1', sizeof(text) - strlen(text));
        journal_limits_apply(text, sizeof(text), &l);
        ck_assert_uint_eq(l.burst, 10000);
}
END_TEST

static void make_file(int root_fd, const char *path, const char *text) {
        char directory[256];
        _cleanup_close_ int fd = -1;

        for (const char *slash = strchr(path, '/'); slash; slash = strchr(slash + 1, '/')) {
                snprintf(directory, sizeof(directory), "%.*s", (int)(slash - path), path);
                (void)mkdirat(root_fd, directory, 0755);
        }
        fd = openat(root_fd, path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
        ck_assert_int_ge(fd, 0);
        ck_assert_int_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
}

static void expect(int root_fd, uint64_t burst) {
        JournalLimits l = {0};

        ck_assert_int_eq(journal_limits_read(root_fd, &l), 0);
        ck_assert_uint_eq(l.burst, burst);
        ck_assert_uint_eq(l.interval_nsec, 30 * SEC);
}

#define BURST(n) "[Journal]\nRateLimitBurst=" n "\n"

START_TEST(test_precedence) {
        char directory[] = "/tmp/whodunlink-journal-XXXXXX";
        _cleanup_close_ int root_fd = -1;
        char command[64];

        ck_assert_ptr_nonnull(mkdtemp(directory));
        root_fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        ck_assert_int_ge(root_fd, 0);
        expect(root_fd, 10000);
        make_file(root_fd, "usr/lib/systemd/journald.conf", BURST("1"));
        expect(root_fd, 1);
        make_file(root_fd, "etc/systemd/journald.conf", BURST("2"));
        expect(root_fd, 2);
        /* Drop-ins come behind the main file, in the order of their names wherever they are. */
        make_file(root_fd, "etc/systemd/journald.conf.d/50-b.conf", BURST("3"));
        make_file(root_fd, "usr/lib/systemd/journald.conf.d/10-a.conf", BURST("4"));
        expect(root_fd, 3);
        make_file(root_fd, "usr/lib/systemd/journald.conf.d/90-c.conf", BURST("5"));
        expect(root_fd, 5);
        /* Of one name, the first directory's. */
        make_file(root_fd, "run/systemd/journald.conf.d/90-c.conf", "");
        expect(root_fd, 3);
        make_file(root_fd, "run/systemd/journald.conf.d/99-no.conf.bak", BURST("6"));
        make_file(root_fd, "run/systemd/journald.conf.d/.99.conf", BURST("7"));
        expect(root_fd, 3);

        snprintf(command, sizeof(command), "rm -r %s", directory);
        ck_assert_int_eq(system(command), 0);
}
END_TEST

int main(void) {
        TCase *tcase = tcase_create("journal_limits");

        tcase_add_loop_test(tcase, test_apply, 0, N_TEXTS);
        tcase_add_test(tcase, test_long_line);
        tcase_add_test(tcase, test_precedence);
        return unit_run("journal_limits", tcase);
}
