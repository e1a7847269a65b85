/* SPDX-License-Identifier: MIT */

/*
 * Patterns for paths, matched component by component.
 *
 * The syntax is that of fnmatch(3), the matcher is not libc's: glibc's follows LC_CTYPE and then
 * gives up on names that are no valid text, takes '^' by an environment variable and may allocate
 * for long names; here a name is bytes.  tests/unit/test_glob.c compares the two.
 *
 * Both levels ('*' among bytes, "**" among components) only ever go back to the last star: what
 * stands before it matched as early as possible, so an earlier star could do no better.  Hence
 * O(pattern * path), no recursion, no allocation.
 *
 * Limits: '?' and [...] take one byte, so "é" in UTF-8 is "??"; ranges are by byte value;
 * equivalence classes and collating symbols ([=a=], [.a.]) are not known.
 * Source: fnmatch(3); POSIX.1-2017 XCU 2.13; "**" as in gitignore(5).
 */

#include "base/glob.h"

#include <ctype.h>
#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

typedef struct Span {
        const char *at;
        size_t n;
} Span;

static const struct {
        const char *name;
        int (*is)(int c);
} classes[] = {
        {"alnum", isalnum}, {"alpha", isalpha}, {"blank", isblank}, {"cntrl", iscntrl},
        {"digit", isdigit}, {"graph", isgraph}, {"lower", islower}, {"print", isprint},
        {"punct", ispunct}, {"space", isspace}, {"upper", isupper}, {"xdigit", isxdigit},
};

static Span span_from(Span s, size_t at) {
        return (Span){s.at + at, s.n - at};
}

/*
 * class_match() - try a "[:name:]" at the front of what stands in a bracket
 * @ret_match: 1, 0, or -EINVAL for a class that nobody knows
 *
 * Return: its length, 0 when there is none.
 */
static size_t class_match(Span p, uint8_t c, int *ret_match) {
        size_t n = 2;

        if (p.n < 4 || p.at[0] != '[' || p.at[1] != ':')
                return 0;
        while (n < p.n && p.at[n] >= 'a' && p.at[n] <= 'z')
                n++;
        if (p.n - n < 2 || p.at[n] != ':' || p.at[n + 1] != ']')
                return 0;

        *ret_match = -EINVAL;
        for (size_t i = 0; i < sizeof(classes) / sizeof(classes[0]); i++) {
                const char *name = classes[i].name;

                /* All locales agree on ASCII, and only there. */
                if (strlen(name) == n - 2 && memcmp(name, p.at + 2, n - 2) == 0)
                        *ret_match = c < 0x80 && classes[i].is(c);
        }
        return n + 2;
}

/* Takes one literal byte of a bracket or of a pattern. Return: its length, 0 when cut short. */
static size_t literal_next(Span p, uint8_t *ret) {
        size_t at = p.n > 0 && p.at[0] == '\\' ? 1 : 0;

        if (at >= p.n)
                return 0;
        *ret = (uint8_t)p.at[at];
        return at + 1;
}

/*
 * bracket_match() - does a bracket expression take a byte
 * @p:         starts with '['
 * @ret_match: 1, 0, or -EINVAL when it names an unknown class and so takes nothing
 *
 * Return: its length, 0 when it is never closed.
 */
static size_t bracket_match(Span p, uint8_t c, int *ret_match) {
        bool is_negated = p.n > 1 && (p.at[1] == '!' || p.at[1] == '^');
        bool is_found = false, is_unknown = false;
        size_t at = is_negated ? 2 : 1, first = at;

        while (at < p.n && (p.at[at] != ']' || at == first)) {
                uint8_t min, max;
                int match;
                size_t n = class_match(span_from(p, at), c, &match);

                if (n > 0) {
                        is_unknown |= match < 0;
                        is_found |= match > 0;
                        at += n;
                        continue;
                }
                n = literal_next(span_from(p, at), &min);
                if (n == 0)
                        return 0;
                at += n;
                max = min;
                if (p.n - at >= 2 && p.at[at] == '-' && p.at[at + 1] != ']') {
                        n = literal_next(span_from(p, at + 1), &max);
                        if (n == 0)
                                return 0;
                        at += 1 + n;
                }
                is_found |= min <= c && c <= max;
        }
        if (at >= p.n)
                return 0;
        *ret_match = is_unknown ? -EINVAL : is_found != is_negated;
        return at + 1;
}

/* Does the element at the front of a pattern, which is no star, take a byte? */
static bool element_match(Span p, uint8_t c, size_t *ret_n) {
        uint8_t literal;
        int match;

        if (p.at[0] == '?') {
                *ret_n = 1;
                return true;
        }
        if (p.at[0] == '[') {
                *ret_n = bracket_match(p, c, &match);
                if (*ret_n > 0)
                        return match > 0;
                /* As everywhere, an unclosed '[' stands for itself. */
                *ret_n = 1;
                return c == '[';
        }
        *ret_n = literal_next(p, &literal);
        return *ret_n > 0 && literal == c;
}

static bool name_match(Span p, Span name) {
        size_t at = 0, name_at = 0, star = SIZE_MAX, star_name_at = 0, n;

        while (name_at < name.n) {
                if (at < p.n && p.at[at] == '*') {
                        star = ++at;
                        star_name_at = name_at;
                        if (at == p.n)
                                return true;
                        continue;
                }
                if (at < p.n && element_match(span_from(p, at), (uint8_t)name.at[name_at], &n)) {
                        at += n;
                        name_at++;
                        continue;
                }
                if (star == SIZE_MAX)
                        return false;
                at = star;
                name_at = ++star_name_at;
        }
        while (at < p.n && p.at[at] == '*')
                at++;
        return at == p.n;
}

/* Takes the next component off a path or a pattern; an empty one is the end. */
static Span component_next(const char **at) {
        Span s;

        while (**at == '/')
                (*at)++;
        s.at = *at;
        *at = strchrnul(s.at, '/');
        s.n = (size_t)(*at - s.at);
        return s;
}

static bool is_double_star(Span p) {
        return p.n == 2 && p.at[0] == '*' && p.at[1] == '*';
}

bool glob_match_path(const char *pattern, const char *path) {
        const char *star = NULL, *star_path = NULL;
        bool is_tree;

        if (*pattern == '\0')
                return false;
        is_tree = pattern[strlen(pattern) - 1] == '/';
        if (*pattern != '/') {
                /* Any tail of the path: as if a double star stood before it. */
                star = pattern;
                star_path = path;
        }

        for (;;) {
                const char *next = pattern, *next_path = path;
                Span want = component_next(&next);
                Span have = component_next(&next_path);

                if (want.n == 0) {
                        if (have.n == 0 || is_tree)
                                return true;
                } else if (is_double_star(want)) {
                        /* What is below a directory does not include the directory itself. */
                        if (*next == '\0')
                                return have.n > 0;
                        star = pattern = next;
                        star_path = path;
                        continue;
                } else if (have.n > 0 && name_match(want, have)) {
                        pattern = next;
                        path = next_path;
                        continue;
                }
                if (!star || component_next(&star_path).n == 0)
                        return false;
                pattern = star;
                path = star_path;
        }
}

bool glob_match_pathname(const char *pattern, const char *path) {
        for (;;) {
                Span want = {pattern, strcspn(pattern, "/")}, have = {path, strcspn(path, "/")};

                if (have.n > 0 && have.at[0] == '.' && want.n > 0 && strchr("*?[", want.at[0]))
                        return false;
                if (!name_match(want, have))
                        return false;
                pattern += want.n;
                path += have.n;
                if (*pattern == '\0' || *path == '\0')
                        return *pattern == *path;
                pattern++;
                path++;
        }
}

bool glob_match_name(const char *pattern, const char *name) {
        return name_match((Span){pattern, strlen(pattern)}, (Span){name, strlen(name)});
}

static int component_check(Span p) {
        /* No absolute path of ours holds these. */
        if ((p.n == 1 && p.at[0] == '.') || (p.n == 2 && p.at[0] == '.' && p.at[1] == '.'))
                return -EINVAL;

        for (size_t at = 0, n; at < p.n; at += n) {
                uint8_t literal;
                int match = 0;

                if (p.at[at] == '[')
                        n = bracket_match(span_from(p, at), 0, &match);
                else
                        n = literal_next(span_from(p, at), &literal);
                if (n == 0 || match < 0)
                        return -EINVAL;
        }
        return 0;
}

int glob_check(const char *pattern) {
        Span component;

        if (*pattern == '\0')
                return -EINVAL;
        while ((component = component_next(&pattern)).n > 0) {
                int r = component_check(component);

                if (r < 0)
                        return r;
        }
        return 0;
}
