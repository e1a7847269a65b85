/* SPDX-License-Identifier: MIT */

/* Lines, bounded. */

#include "query/line_reader.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#define READ_BYTES ((size_t)64 << 10)

void line_reader_init(LineReader *l, int fd, size_t n_line_max) {
        *l = (LineReader){.fd = fd, .n_line_max = n_line_max};
}

void line_reader_done(LineReader *l) {
        buffer_done(&l->buffer);
}

/* Return: 1, 0 end. */
static int fill(LineReader *l) {
        ssize_t n;

        buffer_consume(&l->buffer, l->at);
        l->at = 0;
        if (buffer_reserve(&l->buffer, READ_BYTES) < 0)
                return -ENOMEM;
        do
                n = read(l->fd, l->buffer.bytes + l->buffer.n_bytes, READ_BYTES);
        while (n < 0 && errno == EINTR);
        if (n < 0)
                return -errno;
        l->buffer.n_bytes += (size_t)n;
        return n > 0;
}

int line_reader_next(LineReader *l, const char **ret_line, size_t *ret_n_line) {
        size_t n_searched = 0;

        for (;;) {
                const char *start = l->buffer.bytes + l->at;
                size_t n = l->buffer.n_bytes - l->at;
                const char *newline =
                        n > n_searched ? memchr(start + n_searched, '\n', n - n_searched) : NULL;
                int r;

                if (newline || (l->is_end && n > 0)) {
                        size_t n_line = newline ? (size_t)(newline - start) : n;
                        bool is_wanted = !l->is_skipping && n_line <= l->n_line_max;

                        l->n_too_long += !l->is_skipping && n_line > l->n_line_max;
                        l->at += n_line + (newline ? 1 : 0);
                        l->is_skipping = false;
                        n_searched = 0;
                        if (!is_wanted)
                                continue;
                        *ret_line = start;
                        *ret_n_line = n_line;
                        return 1;
                }
                if (l->is_end)
                        return 0;
                if (n > l->n_line_max) {
                        l->n_too_long += !l->is_skipping;
                        l->is_skipping = true;
                }
                if (l->is_skipping) {
                        l->at = l->buffer.n_bytes;
                        n = 0;
                }
                n_searched = n;
                r = fill(l);
                if (r < 0)
                        return r;
                l->is_end = r == 0;
        }
}
