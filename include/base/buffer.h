/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * A growable run of bytes, reused so that the steady state allocates nothing.
 *
 * A failed append leaves what was there and sets is_failed, which stays until buffer_clear(): a
 * renderer appends without looking and asks once at the end.
 *
 * Limit: BUFFER_BYTES_MAX; a larger wish is a mistake somewhere and fails like a lack of memory.
 * The appended bytes must not lie in the buffer itself.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/cleanup.h"

#define BUFFER_BYTES_MAX ((size_t)1 << 30)

typedef struct Buffer {
        char *bytes; /* not NUL-terminated, except right after buffer_terminate() */
        size_t n_bytes;
        size_t n_allocated;
        bool is_failed; /* an append ran out of memory since the last buffer_clear() */
} Buffer;

#define _cleanup_buffer_ _cleanup_(buffer_done)

/* Frees the bytes; the buffer is empty and usable afterwards. */
void buffer_done(Buffer *b);
/* Forgets the bytes and the failure, keeps the memory. */
void buffer_clear(Buffer *b);
/* Makes room for n_more bytes; moves b->bytes. Return: 0, -ENOMEM (without setting is_failed). */
int buffer_reserve(Buffer *b, size_t n_more);
/* What buffer_append() does when there is no room: nobody else calls it. */
void buffer_append_grow(Buffer *b, const void *bytes, size_t n_bytes);

/* Inline because it is the inner loop of every renderer, mostly with a constant length. */
static inline void buffer_append(Buffer *b, const void *bytes, size_t n_bytes) {
        if (n_bytes == 0)
                return;
        if (n_bytes > b->n_allocated - b->n_bytes) {
                buffer_append_grow(b, bytes, n_bytes);
                return;
        }
        memcpy(b->bytes + b->n_bytes, bytes, n_bytes);
        b->n_bytes += n_bytes;
}

static inline void buffer_append_string(Buffer *b, const char *s) {
        buffer_append(b, s, strlen(s));
}

static inline void buffer_append_char(Buffer *b, char c) {
        buffer_append(b, &c, 1);
}

/* Decimal digits of v, without locale. */
void buffer_append_u64(Buffer *b, uint64_t v);
__attribute__((format(printf, 2, 3))) void buffer_append_format(Buffer *b, const char *format, ...);
/*
 * Puts a NUL behind the bytes without counting it. Return: the bytes as a string, borrowed until
 * the next change of the buffer; "" when there are none or no memory for the NUL (is_failed).
 */
const char *buffer_terminate(Buffer *b);
/* Drops the first n_bytes, of which there must be as many. */
void buffer_consume(Buffer *b, size_t n_bytes);

#define buffer_append_literal(b, s) buffer_append((b), (s), sizeof(s) - 1)
