/* SPDX-License-Identifier: MIT */

/*
 * The growable run of bytes behind every renderer.
 *
 * Grows by doubling, so that n appended bytes cost O(n), and never shrinks: one buffer lives as
 * long as its renderer and soon fits the largest record.  The length is bounded here rather than
 * by the allocator, so that the failure can be tested.
 *
 * Source: realloc(3), vsnprintf(3).
 */

#include "base/buffer.h"

#include <assert.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#define N_ALLOCATED_MIN 256

void buffer_done(Buffer *b) {
        if (!b)
                return;
        free(b->bytes);
        *b = (Buffer){0};
}

void buffer_clear(Buffer *b) {
        b->n_bytes = 0;
        b->is_failed = false;
}

int buffer_reserve(Buffer *b, size_t n_more) {
        size_t n_allocated = b->n_allocated;
        char *bytes;

        if (n_more <= b->n_allocated - b->n_bytes)
                return 0;
        if (n_more > BUFFER_BYTES_MAX - b->n_bytes)
                return -ENOMEM;

        if (n_allocated == 0)
                n_allocated = N_ALLOCATED_MIN;
        while (n_allocated - b->n_bytes < n_more)
                n_allocated *= 2;

        bytes = realloc(b->bytes, n_allocated);
        if (!bytes)
                return -ENOMEM;
        b->bytes = bytes;
        b->n_allocated = n_allocated;
        return 0;
}

void buffer_append_grow(Buffer *b, const void *bytes, size_t n_bytes) {
        if (buffer_reserve(b, n_bytes) < 0) {
                b->is_failed = true;
                return;
        }
        memcpy(b->bytes + b->n_bytes, bytes, n_bytes);
        b->n_bytes += n_bytes;
}

void buffer_append_u64(Buffer *b, uint64_t v) {
        char digits[20]; /* of 2^64 - 1 */
        size_t at = sizeof(digits);

        do {
                digits[--at] = (char)('0' + v % 10);
                v /= 10;
        } while (v > 0);
        buffer_append(b, digits + at, sizeof(digits) - at);
}

void buffer_append_format(Buffer *b, const char *format, ...) {
        size_t n_free = b->n_allocated - b->n_bytes;
        va_list args;
        int n;

        /* The first try formats in place: it mostly fits and then nothing is copied. */
        va_start(args, format);
        n = vsnprintf(n_free > 0 ? b->bytes + b->n_bytes : NULL, n_free, format, args);
        va_end(args);
        if (n >= 0 && (size_t)n >= n_free) {
                if (buffer_reserve(b, (size_t)n + 1) < 0) {
                        b->is_failed = true;
                        return;
                }
                va_start(args, format);
                n = vsnprintf(b->bytes + b->n_bytes, (size_t)n + 1, format, args);
                va_end(args);
        }
        if (n < 0) {
                b->is_failed = true;
                return;
        }
        b->n_bytes += (size_t)n;
}

const char *buffer_terminate(Buffer *b) {
        if (b->n_bytes == 0)
                return "";
        if (buffer_reserve(b, 1) < 0) {
                b->is_failed = true;
                return "";
        }
        b->bytes[b->n_bytes] = '\0';
        return b->bytes;
}

void buffer_consume(Buffer *b, size_t n_bytes) {
        assert(n_bytes <= b->n_bytes);
        if (n_bytes == 0)
                return;
        b->n_bytes -= n_bytes;
        memmove(b->bytes, b->bytes + n_bytes, b->n_bytes);
}
