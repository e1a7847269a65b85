/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What the fuzz targets share.  A broken promise aborts: libFuzzer then keeps the input, and a
 * replay of the corpus fails.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n_bytes);

#define fuzz_check(condition) fuzz_check_at((condition), #condition, __FILE__, __LINE__)

static inline void fuzz_check_at(bool is_kept, const char *condition, const char *file, int line) {
        if (is_kept)
                return;
        fprintf(stderr, "%s:%d: not so: %s\n", file, line, condition);
        abort();
}

/* A borrowed run of bytes is NULL and empty, or lies within the input. */
static inline void fuzz_check_borrowed(const void *at, size_t n, const void *bytes,
                                       size_t n_bytes) {
        uintptr_t from = (uintptr_t)at, start = (uintptr_t)bytes;

        if (!at) {
                fuzz_check(n == 0);
                return;
        }
        fuzz_check(from >= start && from - start <= n_bytes && n <= n_bytes - (from - start));
}

/* A copy that ends in a NUL, up to the first NUL of the input; freed by the caller. */
static inline char *fuzz_string(const uint8_t *bytes, size_t n_bytes) {
        char *s = strndup((const char *)bytes, n_bytes);

        fuzz_check(s != NULL);
        return s;
}
