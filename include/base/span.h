/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * A borrowed run of bytes, for parsers that cut pieces off a text which has no NUL at its end.
 */

#include <stdbool.h>
#include <stddef.h>

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
