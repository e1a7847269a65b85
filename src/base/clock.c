/* SPDX-License-Identifier: MIT */

/*
 * Reading, converting, parsing and writing time.
 *
 * UTC is computed here rather than by gmtime_r(3), which takes glibc's time zone lock: a stamp
 * is written for each batch of events.  64 bits of nanoseconds end in the year 2554, so a year
 * always has four digits.
 *
 * Limits: no leap seconds, as in POSIX time; local time is what localtime_r(3) makes of TZ at its
 * first call.
 *
 * Source: clock_gettime(2); civil_from_days() of Howard Hinnant, "chrono-Compatible Low-Level
 * Date Algorithms" (public domain); systemd.time(7).
 */

#include "base/clock.h"

#include <assert.h>
#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#define N_SAMPLES_MAX 3
#define SAMPLE_GOOD_NSEC (2 * CLOCK_NSEC_PER_USEC)
#define SECONDS_PER_DAY 86400

uint64_t clock_now_nsec(clockid_t id) {
        struct timespec ts = {0};
        int r = clock_gettime(id, &ts);

        assert(r == 0);
        (void)r;
        return (uint64_t)ts.tv_sec * CLOCK_NSEC_PER_SEC + (uint64_t)ts.tv_nsec;
}

/*
 * A time of one clock as a time of another.  The three reads are not one: when something came in
 * between, try again, and in the end take the narrowest.
 */
static uint64_t clock_convert(uint64_t nsec, clockid_t from, clockid_t to) {
        uint64_t best_width = UINT64_MAX, now_from = 0, now_to = 0;

        for (int i = 0; i < N_SAMPLES_MAX && best_width > SAMPLE_GOOD_NSEC; i++) {
                uint64_t before = clock_now_nsec(from);
                uint64_t middle = clock_now_nsec(to);
                uint64_t width = clock_now_nsec(from) - before;

                if (width < best_width) {
                        best_width = width;
                        now_from = before + width / 2;
                        now_to = middle;
                }
        }

        if (nsec >= now_from)
                return nsec - now_from > UINT64_MAX - now_to ? UINT64_MAX
                                                             : now_to + (nsec - now_from);
        return now_from - nsec > now_to ? 0 : now_to - (now_from - nsec);
}

uint64_t clock_boottime_to_realtime(uint64_t boottime_nsec) {
        return clock_convert(boottime_nsec, CLOCK_BOOTTIME, CLOCK_REALTIME);
}

uint64_t clock_monotonic_to_boottime(uint64_t monotonic_nsec) {
        return clock_convert(monotonic_nsec, CLOCK_MONOTONIC, CLOCK_BOOTTIME);
}

/* Writes v with exactly n digits. Return: behind them. */
static char *put_digits(char *at, size_t n, uint32_t v) {
        for (size_t i = n; i > 0; i--, v /= 10)
                at[i - 1] = (char)('0' + v % 10);
        return at + n;
}

static char *put_date(char *at, uint32_t days) {
        /* Years start in March, so that the leap day is the last; era 0 starts 0000-03-01. */
        uint32_t z = days + 719468;
        uint32_t era = z / 146097;
        uint32_t day_of_era = z % 146097;
        uint32_t year_of_era =
                (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
        uint32_t day_of_year =
                day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        uint32_t march_month = (5 * day_of_year + 2) / 153;
        uint32_t day = day_of_year - (153 * march_month + 2) / 5 + 1;
        uint32_t month = march_month < 10 ? march_month + 3 : march_month - 9;

        at = put_digits(at, 4, era * 400 + year_of_era + (month <= 2));
        *at++ = '-';
        at = put_digits(at, 2, month);
        *at++ = '-';
        return put_digits(at, 2, day);
}

static char *put_time_of_day(char *at, uint32_t hour, uint32_t minute, uint32_t second) {
        at = put_digits(at, 2, hour);
        *at++ = ':';
        at = put_digits(at, 2, minute);
        *at++ = ':';
        return put_digits(at, 2, second);
}

void clock_append_rfc3339(Buffer *b, uint64_t realtime_nsec) {
        char text[sizeof("2026-11-23T00:55:13.000000000Z") - 1];
        uint64_t seconds = realtime_nsec / CLOCK_NSEC_PER_SEC;
        uint32_t of_day = (uint32_t)(seconds % SECONDS_PER_DAY);
        char *at = put_date(text, (uint32_t)(seconds / SECONDS_PER_DAY));

        *at++ = 'T';
        at = put_time_of_day(at, of_day / 3600, of_day / 60 % 60, of_day % 60);
        *at++ = '.';
        at = put_digits(at, 9, (uint32_t)(realtime_nsec % CLOCK_NSEC_PER_SEC));
        *at = 'Z';
        buffer_append(b, text, sizeof(text));
}

/* Return: behind n digits, NULL when there are not as many. */
static const char *take_digits(const char *at, const char *end, size_t n, int *ret) {
        int v = 0;

        if (!at || (size_t)(end - at) < n)
                return NULL;
        for (size_t i = 0; i < n; i++) {
                if (at[i] < '0' || at[i] > '9')
                        return NULL;
                v = v * 10 + (at[i] - '0');
        }
        *ret = v;
        return at + n;
}

static const char *take_char(const char *at, const char *end, char c) {
        return at && at < end && *at == c ? at + 1 : NULL;
}

/* ".5", ".000000007", or nothing. */
static const char *take_fraction(const char *at, const char *end, uint64_t *ret_nsec) {
        uint64_t digit = CLOCK_NSEC_PER_SEC;
        const char *start;

        *ret_nsec = 0;
        if (!at || at == end || *at != '.')
                return at;
        start = ++at;
        for (; at < end && *at >= '0' && *at <= '9'; at++) {
                digit /= 10;
                if (digit == 0)
                        return NULL;
                *ret_nsec += (uint64_t)(*at - '0') * digit;
        }
        return at > start ? at : NULL;
}

int clock_parse_rfc3339(const char *text, size_t n_text, uint64_t *ret_realtime_nsec) {
        const char *at = text, *end = text + n_text;
        struct tm tm = {0};
        uint64_t nsec;
        time_t seconds;
        int day;

        at = take_digits(at, end, 4, &tm.tm_year);
        at = take_char(at, end, '-');
        at = take_digits(at, end, 2, &tm.tm_mon);
        at = take_char(at, end, '-');
        at = take_digits(at, end, 2, &tm.tm_mday);
        at = take_char(at, end, 'T');
        at = take_digits(at, end, 2, &tm.tm_hour);
        at = take_char(at, end, ':');
        at = take_digits(at, end, 2, &tm.tm_min);
        at = take_char(at, end, ':');
        at = take_digits(at, end, 2, &tm.tm_sec);
        at = take_fraction(at, end, &nsec);
        at = take_char(at, end, 'Z');
        if (at != end || tm.tm_mon < 1 || tm.tm_mon > 12 || tm.tm_year < 1970 ||
            tm.tm_year > 2554 || tm.tm_hour > 23 || tm.tm_min > 59 || tm.tm_sec > 59)
                return -EBADMSG;
        tm.tm_year -= 1900;
        tm.tm_mon--;
        day = tm.tm_mday;
        /* It makes the 2nd of March of a 30th of February. */
        seconds = timegm(&tm);
        if (seconds < 0 || tm.tm_mday != day ||
            (uint64_t)seconds > (UINT64_MAX - nsec) / CLOCK_NSEC_PER_SEC)
                return -EBADMSG;
        *ret_realtime_nsec = (uint64_t)seconds * CLOCK_NSEC_PER_SEC + nsec;
        return 0;
}

void clock_append_local_time(Buffer *b, uint64_t realtime_nsec) {
        char text[sizeof("14:02:11.482193") - 1];
        time_t seconds = (time_t)(realtime_nsec / CLOCK_NSEC_PER_SEC);
        struct tm tm = {0};
        char *at;

        /* Cannot fail before the year 2^31; 00:00:00 then. */
        localtime_r(&seconds, &tm);
        at = put_time_of_day(text, (uint32_t)tm.tm_hour, (uint32_t)tm.tm_min, (uint32_t)tm.tm_sec);
        *at++ = '.';
        put_digits(at, 6, (uint32_t)(realtime_nsec % CLOCK_NSEC_PER_SEC / CLOCK_NSEC_PER_USEC));
        buffer_append(b, text, sizeof(text));
}

void clock_append_local_date(Buffer *b, uint64_t realtime_nsec) {
        static const char days[7][4] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
        time_t seconds = (time_t)(realtime_nsec / CLOCK_NSEC_PER_SEC);
        struct tm tm = {0};
        char text[64];
        size_t n;

        localtime_r(&seconds, &tm);
        buffer_append_string(b, days[tm.tm_wday]);
        n = strftime(text, sizeof(text), " %Y-%m-%d %H:%M:%S %Z", &tm);
        buffer_append(b, text, n);
}

static const struct {
        const char *name;
        uint64_t nsec;
} units[] = {
        {"us", CLOCK_NSEC_PER_USEC},
        {"usec", CLOCK_NSEC_PER_USEC},
        {"ms", CLOCK_NSEC_PER_MSEC},
        {"msec", CLOCK_NSEC_PER_MSEC},
        {"s", CLOCK_NSEC_PER_SEC},
        {"sec", CLOCK_NSEC_PER_SEC},
        {"second", CLOCK_NSEC_PER_SEC},
        {"seconds", CLOCK_NSEC_PER_SEC},
        {"m", 60 * CLOCK_NSEC_PER_SEC},
        {"min", 60 * CLOCK_NSEC_PER_SEC},
        {"minute", 60 * CLOCK_NSEC_PER_SEC},
        {"minutes", 60 * CLOCK_NSEC_PER_SEC},
        {"h", 3600 * CLOCK_NSEC_PER_SEC},
        {"hr", 3600 * CLOCK_NSEC_PER_SEC},
        {"hour", 3600 * CLOCK_NSEC_PER_SEC},
        {"hours", 3600 * CLOCK_NSEC_PER_SEC},
        {"d", SECONDS_PER_DAY *CLOCK_NSEC_PER_SEC},
        {"day", SECONDS_PER_DAY *CLOCK_NSEC_PER_SEC},
        {"days", SECONDS_PER_DAY *CLOCK_NSEC_PER_SEC},
        {"w", 7 * SECONDS_PER_DAY *CLOCK_NSEC_PER_SEC},
        {"week", 7 * SECONDS_PER_DAY *CLOCK_NSEC_PER_SEC},
        {"weeks", 7 * SECONDS_PER_DAY *CLOCK_NSEC_PER_SEC},
};

static bool is_digit(char c) {
        return c >= '0' && c <= '9';
}

/* The unit at the front, seconds when there is none. Return: behind it, NULL for no unit. */
static const char *unit_next(const char *at, uint64_t *ret_nsec) {
        size_t n;

        at += strspn(at, " \t");
        for (n = 0; at[n] >= 'a' && at[n] <= 'z'; n++)
                ;
        if (n == 0) {
                *ret_nsec = CLOCK_NSEC_PER_SEC;
                return at;
        }
        for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
                if (strlen(units[i].name) == n && memcmp(units[i].name, at, n) == 0) {
                        *ret_nsec = units[i].nsec;
                        return at + n;
                }
        }
        return NULL;
}

/* Adds one term, a number and its unit. Return: 0, -EINVAL, -ERANGE. */
static int term_next(const char **text, uint64_t *total_nsec) {
        const char *at = *text, *fraction = NULL;
        uint64_t whole = 0, unit, nsec;
        bool is_overflow = false;

        if (!is_digit(*at) && *at != '.')
                return -EINVAL;
        for (; is_digit(*at); at++) {
                is_overflow |= __builtin_mul_overflow(whole, UINT64_C(10), &whole);
                is_overflow |= __builtin_add_overflow(whole, (uint64_t)(*at - '0'), &whole);
        }
        if (*at == '.') {
                fraction = ++at;
                if (!is_digit(*at))
                        return -EINVAL;
                at += strspn(at, "0123456789");
        }
        at = unit_next(at, &unit);
        if (!at || *at == '.')
                return -EINVAL;

        is_overflow |= __builtin_mul_overflow(whole, unit, &nsec);
        /* Each digit counts a tenth of the one before; below a nanosecond nothing counts. */
        for (uint64_t part = unit / 10; fraction && is_digit(*fraction) && part > 0; part /= 10)
                is_overflow |=
                        __builtin_add_overflow(nsec, part * (uint64_t)(*fraction++ - '0'), &nsec);
        is_overflow |= __builtin_add_overflow(*total_nsec, nsec, total_nsec);

        *text = at + strspn(at, " \t");
        return is_overflow ? -ERANGE : 0;
}

int clock_parse_duration(const char *text, uint64_t *ret_nsec) {
        uint64_t total_nsec = 0;
        bool is_overflow = false;

        text += strspn(text, " \t");
        do {
                int r = term_next(&text, &total_nsec);

                if (r == -EINVAL)
                        return r;
                is_overflow |= r < 0;
        } while (*text);

        if (is_overflow)
                return -ERANGE;
        *ret_nsec = total_nsec;
        return 0;
}

/* "12.3ms": v is in tenths of the unit, and a zero tenth is left out. */
static void append_tenths(Buffer *b, uint64_t tenths, const char *unit) {
        buffer_append_u64(b, tenths / 10);
        if (tenths % 10 > 0) {
                buffer_append_char(b, '.');
                buffer_append_char(b, (char)('0' + tenths % 10));
        }
        buffer_append_string(b, unit);
}

static void append_two(Buffer *b, uint64_t major, const char *unit, uint64_t minor,
                       const char *minor_unit) {
        buffer_append_u64(b, major);
        buffer_append_string(b, unit);
        if (minor > 0) {
                buffer_append_char(b, ' ');
                buffer_append_u64(b, minor);
                buffer_append_string(b, minor_unit);
        }
}

void clock_append_duration(Buffer *b, uint64_t nsec) {
        uint64_t seconds = nsec / CLOCK_NSEC_PER_SEC;

        /* Cut rather than rounded, so that no "60s" or "1000ms" comes out. */
        if (nsec < CLOCK_NSEC_PER_MSEC) {
                buffer_append_u64(b, nsec / CLOCK_NSEC_PER_USEC);
                buffer_append_literal(b, "us");
        } else if (seconds == 0) {
                append_tenths(b, nsec / (CLOCK_NSEC_PER_MSEC / 10), "ms");
        } else if (seconds < 60) {
                append_tenths(b, nsec / (CLOCK_NSEC_PER_SEC / 10), "s");
        } else if (seconds < 3600) {
                append_two(b, seconds / 60, "min", seconds % 60, "s");
        } else if (seconds < SECONDS_PER_DAY) {
                append_two(b, seconds / 3600, "h", seconds / 60 % 60, "min");
        } else {
                append_two(b, seconds / SECONDS_PER_DAY, "d", seconds / 3600 % 24, "h");
        }
}
