/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Hostile names on a terminal: nothing that is printed may move the cursor, set a colour, reorder
 * the line or look like a line of ours.
 */

#include <stddef.h>

#include "base/buffer.h"

/*
 * escape_append_terminal() - append bytes so that a terminal shows them and does nothing else
 *
 * Escaped: C0 and C1 controls and DEL (\n, \t, \r, \e as such, others \xNN or \u00NN), invalid
 * bytes (\xNN), line and paragraph separators, bidirectional and other invisible format controls
 * (\uNNNN, above U+FFFF \UNNNNNNNN), and the backslash itself (\\), so that the exact bytes can be
 * read back.
 */
void escape_append_terminal(Buffer *b, const char *bytes, size_t n_bytes);

/*
 * escape_append_shell_word() - one argument as a person would type it
 *
 * Safe words as they are; others in single quotes, or $'…' with the escapes above when they
 * hold a control or an invalid byte.  Empty becomes ''.
 */
void escape_append_shell_word(Buffer *b, const char *bytes, size_t n_bytes);

/* Columns of a terminal that already escaped UTF-8 text takes (East Asian wide counts 2). */
size_t escape_width(const char *text, size_t n_bytes);

/*
 * escape_fit() - how many leading bytes of escaped text fit into n_columns
 *
 * Never cuts inside a code point.  Return: bytes, n_bytes when all fits.
 */
size_t escape_fit(const char *text, size_t n_bytes, size_t n_columns);
