/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Lines of a file that may be anybody's: one that is too long is passed over and counted, and
 * never held in memory.
 */

#include <stdbool.h>
#include <stddef.h>

#include "base/buffer.h"

typedef struct LineReader {
        int fd; /* borrowed */
        size_t n_line_max;
        Buffer buffer;
        size_t at; /* of the first byte in the buffer that was not given out */
        bool is_end, is_skipping;
        size_t n_too_long;
} LineReader;

#define _cleanup_line_reader_ _cleanup_(line_reader_done)

void line_reader_init(LineReader *l, int fd, size_t n_line_max);
void line_reader_done(LineReader *l);

/*
 * line_reader_next() - the next line, without its newline; the last one may lack it
 * @ret_line: borrowed until the next call
 *
 * Return: 1, 0 end, -ENOMEM, errors of read(2).
 */
int line_reader_next(LineReader *l, const char **ret_line, size_t *ret_n_line);
