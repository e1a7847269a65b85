/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The words of a line of tmpfiles.d: quotes, C-style escapes and specifiers.  Pure.
 *
 * Source: src/basic/extract-word.c (EXTRACT_UNQUOTE|EXTRACT_CUNESCAPE, the latter since 254),
 * src/basic/escape.c and src/shared/specifier.c of systemd 252.
 */

#include <stdbool.h>
#include <stddef.h>

#include "explain/tmpfiles_line.h"

/*
 * tmpfiles_word_next() - take the next word off a text
 * @at:       moved past the word and the blanks behind it, to the text's NUL at its end
 * @ret_word: newly allocated, on 1; may be empty, if it was quoted
 *
 * @has_escapes: a backslash starts an escape as in C (since systemd 254); otherwise it takes the
 *            meaning from the byte behind it
 *
 * Quotes may open inside a word and backslashes work inside both kinds of quotes.
 * Return: 1 a word, 0 the end, -EBADMSG quote left open or unknown escape, -ENOMEM.
 */
int tmpfiles_word_next(const char **at, bool has_escapes, char **ret_word);

/* Undoes the escapes of a whole argument. Return: 0, -EBADMSG, -ENOMEM. */
int tmpfiles_word_unescape(const char *text, char **ret_text);

/*
 * tmpfiles_word_expand() - put in what %x stands for
 *
 * "%%" is a '%'; so is one at the end or before what is neither letter nor digit.
 * Return: 0, -EBADSLT no such specifier, -ENAMETOOLONG longer than TMPFILES_PATH_BYTES_MAX,
 * -ENOMEM, and what world->specifier() returned.
 */
int tmpfiles_word_expand(const char *text, const TmpfilesWorld *world, char **ret_text,
                         char *ret_letter);
