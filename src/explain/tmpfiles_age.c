/* SPDX-License-Identifier: MIT */

/*
 * The age field of tmpfiles.d: "~", which times count, and how old.
 *
 * The duration is parse_sec() of systemd to the letter, its oddities included ("+5" and ".5s" are
 * durations, "-0" is not; "M" is a month, "m" a minute), because a line with an age that systemd
 * refuses is not in effect at all.
 *
 * Source: tmpfiles.d(5) "Age"; systemd.time(7); parse_time() in src/basic/time-util.c of systemd
 * 252.
 */

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "explain/tmpfiles_line.h"

#define USEC_PER_SEC UINT64_C(1000000)
#define USEC_PER_MINUTE (60 * USEC_PER_SEC)
#define USEC_PER_HOUR (60 * USEC_PER_MINUTE)
#define USEC_PER_DAY (24 * USEC_PER_HOUR)
#define USEC_PER_WEEK (7 * USEC_PER_DAY)
#define USEC_PER_MONTH UINT64_C(2629800000000)
#define USEC_PER_YEAR UINT64_C(31557600000000)

#define BLANKS " \t\n\r"

/* The first that a text begins with counts: the longer one of a pair comes first. */
static const struct {
        const char *name;
        uint64_t usec;
} units[] = {
        {"seconds", USEC_PER_SEC},
        {"second", USEC_PER_SEC},
        {"sec", USEC_PER_SEC},
        {"s", USEC_PER_SEC},
        {"minutes", USEC_PER_MINUTE},
        {"minute", USEC_PER_MINUTE},
        {"min", USEC_PER_MINUTE},
        {"months", USEC_PER_MONTH},
        {"month", USEC_PER_MONTH},
        {"M", USEC_PER_MONTH},
        {"msec", 1000},
        {"ms", 1000},
        {"m", USEC_PER_MINUTE},
        {"hours", USEC_PER_HOUR},
        {"hour", USEC_PER_HOUR},
        {"hr", USEC_PER_HOUR},
        {"h", USEC_PER_HOUR},
        {"days", USEC_PER_DAY},
        {"day", USEC_PER_DAY},
        {"d", USEC_PER_DAY},
        {"weeks", USEC_PER_WEEK},
        {"week", USEC_PER_WEEK},
        {"w", USEC_PER_WEEK},
        {"years", USEC_PER_YEAR},
        {"year", USEC_PER_YEAR},
        {"y", USEC_PER_YEAR},
        {"usec", 1},
        {"us", 1},
        {"\xc2\xb5s", 1},
        {"\xce\xbcs", 1},
};

#define N(x) (sizeof(x) / sizeof((x)[0]))

static const struct {
        char letter, capital;
        unsigned time;
        const char *name;
} times[] = {
        {'a', 'A', TMPFILES_ATIME, "access"},
        {'b', 'B', TMPFILES_BTIME, "birth"},
        {'c', 'C', TMPFILES_CTIME, "change"},
        {'m', 'M', TMPFILES_MTIME, "modification"},
};

static bool is_digit(char c) {
        return c >= '0' && c <= '9';
}

/* A unit behind a number; s itself, moved over blanks, when there is none. */
static const char *take_unit(const char *s, uint64_t *ret_usec) {
        for (size_t i = 0; i < N(units); i++) {
                size_t n = strlen(units[i].name);

                if (strncmp(s, units[i].name, n) == 0) {
                        *ret_usec = units[i].usec;
                        return s + n;
                }
        }
        return s;
}

/* Adds v times unit. Return: 0, -EBADMSG it is as much as infinity. */
static int add_usec(uint64_t v, uint64_t unit, uint64_t *usec) {
        if (v >= TMPFILES_AGE_INFINITY / (unit > 0 ? unit : 1))
                return -EBADMSG;
        if (v * unit >= TMPFILES_AGE_INFINITY - *usec)
                return -EBADMSG;
        *usec += v * unit;
        return 0;
}

/* One "1.5h". Return: 0 and *at moved, -EBADMSG. */
static int take_term(const char **at, uint64_t *usec) {
        const char *fraction = NULL, *after, *s;
        uint64_t unit = USEC_PER_SEC;
        char *end;
        long long v;

        errno = 0;
        v = strtoll(*at, &end, 10);
        if (errno != 0 || v < 0 || **at == '-')
                return -EBADMSG;
        after = end;
        if (*end == '.') {
                fraction = end + 1;
                after = fraction + strspn(fraction, "0123456789");
                if (!is_digit(*fraction))
                        return -EBADMSG;
        } else if (end == *at) {
                return -EBADMSG;
        }

        s = take_unit(after + strspn(after, BLANKS), &unit);
        if (s == after && *s != '\0')
                return -EBADMSG;
        if (add_usec((uint64_t)v, unit, usec) < 0)
                return -EBADMSG;
        for (uint64_t tenth = unit / 10; fraction && is_digit(*fraction); fraction++, tenth /= 10)
                if (add_usec((uint64_t)(*fraction - '0'), tenth, usec) < 0)
                        return -EBADMSG;
        *at = s;
        return 0;
}

static int parse_duration(const char *s, uint64_t *ret_usec) {
        uint64_t usec = 0;

        s += strspn(s, BLANKS);
        if (strncmp(s, "infinity", 8) == 0) {
                if (s[8 + strspn(s + 8, BLANKS)] != '\0')
                        return -EBADMSG;
                *ret_usec = TMPFILES_AGE_INFINITY;
                return 0;
        }

        do {
                int r = take_term(&s, &usec);

                if (r < 0)
                        return r;
                s += strspn(s, BLANKS);
        } while (*s != '\0');
        *ret_usec = usec;
        return 0;
}

/* The letters before ':'. Return: 0, -EBADMSG. */
static int parse_times(const char *s, size_t n, unsigned *ret_of_file, unsigned *ret_of_directory) {
        unsigned of_file = 0, of_directory = 0;

        for (size_t i = 0; i < n; i++) {
                size_t t = 0;

                if (strchr(BLANKS, s[i]))
                        continue;
                while (t < N(times) && s[i] != times[t].letter && s[i] != times[t].capital)
                        t++;
                if (t == N(times))
                        return -EBADMSG;
                if (s[i] == times[t].letter)
                        of_file |= times[t].time;
                else
                        of_directory |= times[t].time;
        }
        if (of_file == 0 && of_directory == 0)
                return -EBADMSG;
        *ret_of_file = of_file != 0 ? of_file : TMPFILES_TIMES_OF_FILE;
        *ret_of_directory = of_directory != 0 ? of_directory : TMPFILES_TIMES_OF_DIRECTORY;
        return 0;
}

static int fault(TmpfilesFault *ret, const char *what, const char *text, const char *advice) {
        if (ret)
                snprintf(ret->text, sizeof(ret->text), "%s '%.64s' (%s)", what, text, advice);
        return -EBADMSG;
}

int tmpfiles_age_parse(const char *text, TmpfilesLine *line, TmpfilesFault *ret_fault) {
        unsigned of_file = TMPFILES_TIMES_OF_FILE, of_directory = TMPFILES_TIMES_OF_DIRECTORY;
        const char *s = text + (*text == '~'), *colon = strchr(s, ':');
        uint64_t usec;

        if (colon && parse_times(s, (size_t)(colon - s), &of_file, &of_directory) < 0)
                return fault(ret_fault, "unknown times before the ':' of the age", text,
                             "letters are a, b, c, m for files and A, B, C, M for directories");
        if (parse_duration(colon ? colon + 1 : s, &usec) < 0)
                return fault(ret_fault, "not an age:", text, "as in 10d, 1h 30min, m:1w");

        line->is_age_set = true;
        line->keeps_first_level = *text == '~';
        line->age_usec = usec;
        line->times_of_file = of_file;
        line->times_of_directory = of_directory;
        return 0;
}

/* snprintf() behind what is there, counting on as if there were room. */
__attribute__((format(printf, 4, 5))) static void add_text(char *ret, size_t n_ret, int *n,
                                                           const char *format, ...) {
        size_t used = (size_t)*n < n_ret ? (size_t)*n : n_ret;
        va_list args;
        int r;

        va_start(args, format);
        r = vsnprintf(used < n_ret ? ret + used : NULL, n_ret - used, format, args);
        va_end(args);
        if (r > 0)
                *n += r;
}

int tmpfiles_times_text(unsigned set, char *ret, size_t n_ret) {
        /* In the order in which a person thinks of them. */
        static const size_t order[] = {0, 3, 2, 1};
        unsigned left = set;
        int n = 0;

        if (n_ret > 0)
                ret[0] = '\0';
        for (size_t i = 0; i < N(order); i++) {
                unsigned time = times[order[i]].time;

                if (!(left & time))
                        continue;
                left &= ~time;
                add_text(ret, n_ret, &n, "%s%s",
                         n == 0      ? ""
                         : left == 0 ? " and "
                                     : ", ",
                         times[order[i]].name);
        }
        return n;
}

int tmpfiles_age_text(uint64_t age_usec, char *ret, size_t n_ret) {
        static const struct {
                uint64_t usec;
                const char *name;
        } terms[] = {
                {USEC_PER_DAY, "day"},    {USEC_PER_HOUR, "hour"}, {USEC_PER_MINUTE, "minute"},
                {USEC_PER_SEC, "second"}, {1, "microsecond"},
        };
        uint64_t left = age_usec;
        int n = 0;

        if (age_usec == TMPFILES_AGE_INFINITY)
                return snprintf(ret, n_ret, "infinity");
        if (age_usec == 0)
                return snprintf(ret, n_ret, "0 seconds");
        for (size_t i = 0; i < N(terms); i++) {
                uint64_t v = left / terms[i].usec;

                if (v == 0)
                        continue;
                left %= terms[i].usec;
                add_text(ret, n_ret, &n, "%s%" PRIu64 " %s%s", n == 0 ? "" : " ", v, terms[i].name,
                         v == 1 ? "" : "s");
        }
        return n;
}
