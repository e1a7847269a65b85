/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Bounds-checked reading of bytes that came from the kernel or from a file.
 *
 * A Reader never points outside the buffer it was given; a read that does not fit fails and
 * leaves it where it was.  All reads are unaligned and in host byte order.
 */

#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

typedef struct Reader {
        const uint8_t *at;
        size_t n_left;
} Reader;

static inline Reader reader_make(const void *bytes, size_t n_bytes) {
        return (Reader){.at = bytes, .n_left = n_bytes};
}

/* Copies the next n_bytes. Return: 0, -EBADMSG when fewer are left. */
static inline int reader_copy(Reader *r, void *ret, size_t n_bytes) {
        if (r->n_left < n_bytes)
                return -EBADMSG;
        memcpy(ret, r->at, n_bytes);
        r->at += n_bytes;
        r->n_left -= n_bytes;
        return 0;
}

/* Borrows the next n_bytes from the underlying buffer. Return: 0, -EBADMSG. */
static inline int reader_borrow(Reader *r, size_t n_bytes, const uint8_t **ret) {
        if (r->n_left < n_bytes)
                return -EBADMSG;
        *ret = r->at;
        r->at += n_bytes;
        r->n_left -= n_bytes;
        return 0;
}

static inline int reader_u32(Reader *r, uint32_t *ret) {
        return reader_copy(r, ret, sizeof(*ret));
}

static inline int reader_u64(Reader *r, uint64_t *ret) {
        return reader_copy(r, ret, sizeof(*ret));
}
