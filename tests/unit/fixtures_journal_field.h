/* SPDX-License-Identifier: MIT */
#pragma once

/* What the journal's socket would get, read back as the journal reads it. */

#include <endian.h>
#include <string.h>

#include "base/buffer.h"
#include "unit.h"

/* The next field, *at is moved behind it. Return: false at the end. */
static inline bool fixture_field(const Buffer *b, size_t *at, const char **ret_key,
                                 size_t *ret_n_key, const char **ret_value, size_t *ret_n_value) {
        const char *key = b->bytes + *at;
        const char *end = b->bytes + b->n_bytes, *newline, *equals;
        uint64_t n;

        if (*at == b->n_bytes)
                return false;
        newline = memchr(key, '\n', (size_t)(end - key));
        ck_assert_ptr_nonnull(newline);
        equals = memchr(key, '=', (size_t)(newline - key));
        *ret_key = key;
        if (equals) {
                *ret_n_key = (size_t)(equals - key);
                *ret_value = equals + 1;
                *ret_n_value = (size_t)(newline - equals - 1);
                *at = (size_t)(newline + 1 - b->bytes);
                return true;
        }
        ck_assert_uint_ge((size_t)(end - newline - 1), sizeof(n));
        memcpy(&n, newline + 1, sizeof(n));
        n = le64toh(n);
        *ret_n_key = (size_t)(newline - key);
        *ret_value = newline + 1 + sizeof(n);
        *ret_n_value = n;
        ck_assert_uint_lt(n, (size_t)(end - *ret_value));
        ck_assert_int_eq((*ret_value)[n], '\n');
        *at = (size_t)(*ret_value + n + 1 - b->bytes);
        return true;
}

/* The value of a key, which must not be there twice. Return: NULL it is not. */
static inline const char *fixture_value(const Buffer *b, const char *wanted, size_t *ret_n_value) {
        const char *key, *value, *found = NULL;
        size_t at = 0, n_key, n_value;

        while (fixture_field(b, &at, &key, &n_key, &value, &n_value)) {
                if (n_key != strlen(wanted) || memcmp(key, wanted, n_key) != 0)
                        continue;
                ck_assert_ptr_null(found);
                found = value;
                *ret_n_value = n_value;
        }
        return found;
}
