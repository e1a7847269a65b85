/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * UTF-8 in file names and arguments, which are bytes and may be anything.
 * Source: RFC 3629 (no surrogates, no overlong forms, nothing above U+10FFFF).
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"

/*
 * utf8_next() - take one code point off the front of a run of bytes
 * @bytes:    the run, n_bytes >= 1 of them
 * @ret_code: the code point, untouched for an invalid byte
 *
 * Return: bytes of a valid sequence (1 to 4), 0 when the first byte starts none.
 */
size_t utf8_next(const char *bytes, size_t n_bytes, uint32_t *ret_code);
bool utf8_is_valid(const char *bytes, size_t n_bytes);
/* Appends the bytes with each invalid byte as U+FFFD. */
void utf8_append_lossy(Buffer *b, const char *bytes, size_t n_bytes);
/* Appends standard base64 with padding (RFC 4648, section 4). */
void utf8_append_base64(Buffer *b, const void *bytes, size_t n_bytes);
/*
 * The other way. Strict: groups of four, padding at the end only and none of it superfluous bits.
 * Return: 0, -EBADMSG (what was appended is to be thrown away).
 */
int utf8_append_decoded_base64(Buffer *b, const char *text, size_t n_text);
