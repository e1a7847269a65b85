/* SPDX-License-Identifier: MIT */

/* Buffer: growth, the bound, failure that sticks, and what every append writes. */

#include "base/buffer.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <wchar.h>

#include "unit.h"

START_TEST(test_starts_empty) {
        _cleanup_buffer_ Buffer b = {0};

        ck_assert_str_eq(buffer_terminate(&b), "");
        buffer_append(&b, NULL, 0);
        buffer_append_string(&b, "");
        buffer_consume(&b, 0);
        ck_assert_uint_eq(b.n_bytes, 0);
        ck_assert_uint_eq(b.n_allocated, 0);
        ck_assert(!b.is_failed);
        buffer_done(NULL);
}
END_TEST

START_TEST(test_appends_of_each_length) {
        _cleanup_buffer_ Buffer b = {0};
        char piece[600];
        size_t at = 0;

        for (size_t n = 0; n < sizeof(piece); n++) {
                memset(piece, (int)n & 0xff, n);
                buffer_append(&b, piece, n);
        }
        ck_assert(!b.is_failed);
        ck_assert_uint_eq(b.n_bytes, 600 * 599 / 2);
        for (size_t n = 0; n < sizeof(piece); n++)
                for (size_t i = 0; i < n; i++, at++)
                        if ((unsigned char)b.bytes[at] != (n & 0xff))
                                ck_abort_msg("byte %zu of length %zu", i, n);
}
END_TEST

START_TEST(test_grows_geometrically) {
        _cleanup_buffer_ Buffer b = {0};
        size_t n_growths = 0, n_allocated = 0;

        for (int i = 0; i < 1 << 20; i++) {
                buffer_append_char(&b, 'x');
                n_growths += b.n_allocated != n_allocated;
                n_allocated = b.n_allocated;
        }
        ck_assert_uint_eq(b.n_bytes, 1 << 20);
        ck_assert_uint_le(n_growths, 20);
}
END_TEST

START_TEST(test_clear_keeps_memory) {
        _cleanup_buffer_ Buffer b = {0};
        char *bytes;

        buffer_append_literal(&b, "first");
        bytes = b.bytes;
        buffer_clear(&b);
        ck_assert_uint_eq(b.n_bytes, 0);
        buffer_append_literal(&b, "2nd");
        ck_assert_ptr_eq(b.bytes, bytes);
        ck_assert_str_eq(buffer_terminate(&b), "2nd");

        buffer_done(&b);
        buffer_append_literal(&b, "again");
        ck_assert_str_eq(buffer_terminate(&b), "again");
}
END_TEST

static const size_t huge[] = {
        BUFFER_BYTES_MAX - 2, BUFFER_BYTES_MAX, (size_t)PTRDIFF_MAX, SIZE_MAX - 3, SIZE_MAX,
};

START_TEST(test_huge_length_fails_and_sticks) {
        _cleanup_buffer_ Buffer b = {0};

        buffer_append_literal(&b, "abc");
        ck_assert_int_eq(buffer_reserve(&b, huge[_i]), -ENOMEM);
        ck_assert(!b.is_failed);

        /* The claimed bytes must not be touched. */
        buffer_append(&b, "x", huge[_i]);
        ck_assert(b.is_failed);
        ck_assert_str_eq(buffer_terminate(&b), "abc");
        buffer_append_char(&b, 'd');
        ck_assert(b.is_failed);

        buffer_clear(&b);
        ck_assert(!b.is_failed);
        buffer_append_literal(&b, "e");
        ck_assert_str_eq(buffer_terminate(&b), "e");
}
END_TEST

START_TEST(test_reserve_makes_room) {
        _cleanup_buffer_ Buffer b = {0};
        char *bytes;

        buffer_append_literal(&b, "abc");
        ck_assert_int_eq(buffer_reserve(&b, 100000), 0);
        ck_assert_uint_ge(b.n_allocated - b.n_bytes, 100000);
        bytes = b.bytes;
        for (int i = 0; i < 100000; i++)
                buffer_append_char(&b, 'd');
        ck_assert_ptr_eq(b.bytes, bytes);
        ck_assert_int_eq(memcmp(b.bytes, "abcddd", 6), 0);
}
END_TEST

static const uint64_t numbers[] = {
        0, 1, 9, 10, 99, 100, 4294967295, 4294967296, 9999999999999999999ULL, UINT64_MAX,
};

START_TEST(test_u64) {
        _cleanup_buffer_ Buffer b = {0};
        char want[32];

        snprintf(want, sizeof(want), "%" PRIu64, numbers[_i]);
        buffer_append_u64(&b, numbers[_i]);
        ck_assert_str_eq(buffer_terminate(&b), want);
}
END_TEST

/* Around the first allocation, so that the text ends before, at and behind the free room. */
START_TEST(test_format_of_each_length) {
        _cleanup_buffer_ Buffer b = {0};
        char want[600];

        snprintf(want, sizeof(want), "ab[%*d]", _i, 7);
        buffer_append_literal(&b, "ab");
        buffer_append_format(&b, "[%*d]", _i, 7);
        ck_assert_uint_eq(b.n_bytes, strlen(want));
        ck_assert_str_eq(buffer_terminate(&b), want);
}
END_TEST

/* A lone surrogate has no bytes in any locale, so that vsnprintf() fails half way. */
START_TEST(test_format_error_fails) {
        _cleanup_buffer_ Buffer b = {0};

        buffer_append_literal(&b, "abc");
        buffer_append_format(&b, "def%lc", (wint_t)0xd800);
        ck_assert(b.is_failed);
        ck_assert_str_eq(buffer_terminate(&b), "abc");
}
END_TEST

START_TEST(test_terminate_is_not_counted) {
        _cleanup_buffer_ Buffer b = {0};

        /* Fills the allocation to the last byte: the NUL has to make room for itself. */
        buffer_append_char(&b, 'x');
        while (b.n_bytes < b.n_allocated)
                buffer_append_char(&b, 'x');
        ck_assert_uint_eq(strlen(buffer_terminate(&b)), b.n_bytes);
        buffer_append_char(&b, 'y');
        ck_assert_uint_eq(strlen(buffer_terminate(&b)), b.n_bytes);
}
END_TEST

START_TEST(test_consume_at_each_byte) {
        static const char text[] = "0123456789";
        _cleanup_buffer_ Buffer b = {0};

        buffer_append_string(&b, text);
        buffer_consume(&b, (size_t)_i);
        ck_assert_str_eq(buffer_terminate(&b), text + _i);
        buffer_append_char(&b, 'x');
        ck_assert_uint_eq(b.n_bytes, sizeof(text) - (size_t)_i);
        ck_assert_int_eq(b.bytes[b.n_bytes - 1], 'x');
}
END_TEST

int main(void) {
        TCase *tcase = tcase_create("buffer");

        tcase_add_test(tcase, test_starts_empty);
        tcase_add_test(tcase, test_appends_of_each_length);
        tcase_add_test(tcase, test_grows_geometrically);
        tcase_add_test(tcase, test_clear_keeps_memory);
        tcase_add_loop_test(tcase, test_huge_length_fails_and_sticks, 0,
                            sizeof(huge) / sizeof(huge[0]));
        tcase_add_test(tcase, test_reserve_makes_room);
        tcase_add_loop_test(tcase, test_u64, 0, sizeof(numbers) / sizeof(numbers[0]));
        tcase_add_loop_test(tcase, test_format_of_each_length, 240, 270);
        tcase_add_loop_test(tcase, test_format_of_each_length, 500, 520);
        tcase_add_test(tcase, test_format_error_fails);
        tcase_add_test(tcase, test_terminate_is_not_counted);
        tcase_add_loop_test(tcase, test_consume_at_each_byte, 0, 11);
        return unit_run("buffer", tcase);
}
