/* SPDX-License-Identifier: MIT */

/*
 *        Original form: daily
 *      Normalized form: *-*-* 00:00:00
 *          Next elapse: Sun 2026-03-29 00:00:00 CET
 *             (in UTC): Sat 2026-03-28 23:00:00 UTC
 *             From now: 8 months 3 days ago
 */

#include "explain/calendar_next.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

#include "base/clock.h"
#include "base/span.h"
#include "base/subprocess.h"

#define OUTPUT_BYTES_MAX ((size_t)64 << 10)

static Span trim(Span s) {
        while (s.n > 0 && (*s.at == ' ' || *s.at == '\t')) {
                s.at++;
                s.n--;
        }
        while (s.n > 0 && (s.at[s.n - 1] == ' ' || s.at[s.n - 1] == '\t'))
                s.n--;
        return s;
}

/* "Sat 2026-03-28 23:00:00 UTC", with or without decimals. */
static int parse_utc(Span s, uint64_t *ret_nsec) {
        char stamp[64];
        size_t n = 0;

        /* The day of the week. */
        while (s.n > 0 && *s.at != ' ') {
                s.at++;
                s.n--;
        }
        s = trim(s);
        if (!span_take_tail(&s, " UTC") || s.n + 1 >= sizeof(stamp))
                return -EBADMSG;
        for (; n < s.n; n++)
                stamp[n] = s.at[n] == ' ' ? 'T' : s.at[n];
        stamp[n++] = 'Z';
        return clock_parse_rfc3339(stamp, n, ret_nsec);
}

int calendar_next_parse(const char *text, size_t n_text, uint64_t *ret_nsec) {
        Span rest = {text, n_text}, local = {0}, utc = {0};

        while (rest.n > 0) {
                const char *newline = memchr(rest.at, '\n', rest.n);
                Span line = {rest.at, newline ? (size_t)(newline - rest.at) : rest.n};

                rest.at += newline ? line.n + 1 : line.n;
                rest.n -= newline ? line.n + 1 : line.n;
                line = trim(line);
                if (!local.at && span_take_head(&line, "Next elapse:"))
                        local = trim(line);
                else if (local.at && !utc.at && span_take_head(&line, "(in UTC):"))
                        utc = trim(line);
        }
        if (!local.at)
                return -EBADMSG;
        if (span_is(local, "never"))
                return -ENODATA;
        return parse_utc(utc.at ? utc : local, ret_nsec);
}

static int next(void *userdata, const char *expression, uint64_t after_nsec, uint64_t *ret_nsec) {
        static const SubprocessBounds bounds = {CALENDAR_WAIT_NSEC, OUTPUT_BYTES_MAX};
        _cleanup_buffer_ Buffer output = {0};
        char base[64];
        const char *const argv[] = {"systemd-analyze", "calendar", base, "--", expression, NULL};
        int status, r;

        (void)userdata;
        snprintf(base, sizeof(base), "--base-time=@%llu.%06llu",
                 (unsigned long long)(after_nsec / CLOCK_NSEC_PER_SEC),
                 (unsigned long long)(after_nsec % CLOCK_NSEC_PER_SEC / CLOCK_NSEC_PER_USEC));
        r = subprocess_run(argv, NULL, &bounds, &output, &status);
        if (r < 0)
                return r;
        if (!WIFEXITED(status) || WEXITSTATUS(status) != 0 || output.n_bytes == 0)
                return -EBADMSG;
        r = calendar_next_parse(output.bytes, output.n_bytes, ret_nsec);
        if (r == -ENODATA) {
                *ret_nsec = TIMER_NEVER;
                return 0;
        }
        /* It prints whole seconds, and may mean a fraction behind them. */
        if (r == 0 && *ret_nsec <= after_nsec)
                *ret_nsec = after_nsec + 1;
        return r;
}

TimerCalendar calendar_next(void) {
        return (TimerCalendar){.next = next};
}
