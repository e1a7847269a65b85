/* SPDX-License-Identifier: MIT */

/* Pieces of texts.  Pure. */

#include "base/span.h"

#include <string.h>

bool span_is(Span s, const char *text) {
        return s.n == strlen(text) && span_starts_with(s, text);
}

bool span_starts_with(Span s, const char *text) {
        return span_take_head(&s, text);
}

bool span_ends_with(Span s, const char *text) {
        return span_take_tail(&s, text);
}

bool span_take_head(Span *s, const char *text) {
        size_t n = strlen(text);

        if (s->n < n || (n > 0 && memcmp(s->at, text, n) != 0))
                return false;
        if (n > 0)
                s->at += n;
        s->n -= n;
        return true;
}

bool span_take_tail(Span *s, const char *text) {
        size_t n = strlen(text);

        if (s->n < n || (n > 0 && memcmp(s->at + s->n - n, text, n) != 0))
                return false;
        s->n -= n;
        return true;
}

bool span_take_component(Span *path, Span *ret_component) {
        const char *slash;

        while (path->n > 0 && *path->at == '/') {
                path->at++;
                path->n--;
        }
        if (path->n == 0)
                return false;

        slash = memchr(path->at, '/', path->n);
        *ret_component = (Span){path->at, slash ? (size_t)(slash - path->at) : path->n};
        path->at += ret_component->n;
        path->n -= ret_component->n;
        return true;
}

/* 16 for what is none. */
static unsigned digit_of(char c) {
        if (c >= '0' && c <= '9')
                return (unsigned)(c - '0');
        return c >= 'a' && c <= 'f' ? (unsigned)(c - 'a') + 10 : 16;
}

bool span_take_u64(Span *s, unsigned base, uint64_t max, uint64_t *ret) {
        Span rest = *s;
        uint64_t v = 0;

        for (; rest.n > 0 && digit_of(*rest.at) < base; rest.at++, rest.n--) {
                unsigned digit = digit_of(*rest.at);

                if (digit > max || v > (max - digit) / base)
                        return false;
                v = v * base + digit;
        }
        if (rest.n == s->n)
                return false;
        *s = rest;
        *ret = v;
        return true;
}
