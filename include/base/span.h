/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * A borrowed run of bytes, for parsers that cut pieces off a text which has no NUL at its end.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct Span {
        const char *at; /* NULL only with n 0 */
        size_t n;
} Span;

/* Is it this text, does it begin or end with it? */
bool span_is(Span s, const char *text);
bool span_starts_with(Span s, const char *text);
bool span_ends_with(Span s, const char *text);

/* Takes text off the start, off the end; false and untouched if it is not there. */
bool span_take_head(Span *s, const char *text);
bool span_take_tail(Span *s, const char *text);

/* Takes the next component off a path, slashes before it too; false when there is none left. */
bool span_take_component(Span *path, Span *ret_component);

/*
 * span_take_u64() - take a run of digits off the start
 * @base: 10, or 16 with lower-case letters
 * @max:  a larger number is refused
 *
 * Whether the number ended or was cut off by a short buffer is up to who reads on.
 * Return: false and untouched when there is none, or too large a one.
 */
bool span_take_u64(Span *s, unsigned base, uint64_t max, uint64_t *ret);
