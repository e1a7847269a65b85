/* SPDX-License-Identifier: MIT */

/* Numbers at and beyond their bounds, and words. */

#include "command/option_value.h"

#include <errno.h>
#include <string.h>

#include "unit.h"

static const struct {
        const char *text;
        uint64_t max;
        int r;
        uint64_t value;
} numbers[] = {
        {"0", 9, 0, 0},
        {"9", 9, 0, 9},
        {"10", 9, -EINVAL, 0},
        {"007", 9, 0, 7},
        {"00000000000000000000000000009", 9, 0, 9},
        {"18446744073709551615", UINT64_MAX, 0, UINT64_MAX},
        {"18446744073709551616", UINT64_MAX, -EINVAL, 0},
        {"18446744073709551615", UINT64_MAX - 1, -EINVAL, 0},
        {"184467440737095516150", UINT64_MAX, -EINVAL, 0},
        {"4294967295", UINT32_MAX, 0, UINT32_MAX},
        {"4294967296", UINT32_MAX, -EINVAL, 0},
        {"", 9, -EINVAL, 0},
        {"+1", 9, -EINVAL, 0},
        {"-1", 9, -EINVAL, 0},
        {" 1", 9, -EINVAL, 0},
        {"1 ", 9, -EINVAL, 0},
        {"1a", 9, -EINVAL, 0},
        {"0x1", 9, -EINVAL, 0},
        {"/", 99, -EINVAL, 0},
        {":", 99, -EINVAL, 0},
        {"\xff", 999, -EINVAL, 0},
        {"1", 0, -EINVAL, 0},
        {"0", 0, 0, 0},
};

START_TEST(test_u64) {
        uint64_t v = 4711;
        int r = option_value_u64(numbers[_i].text, numbers[_i].max, &v);

        ck_assert_msg(r == numbers[_i].r, "'%s'", numbers[_i].text);
        ck_assert_uint_eq(v, r == 0 ? numbers[_i].value : 4711);
}
END_TEST

START_TEST(test_word) {
        static const char *const words[] = {"unlink", "un", "rmdir", NULL};

        ck_assert_int_eq(option_value_word(words, "unlink", 6), 0);
        ck_assert_int_eq(option_value_word(words, "unlink", 2), 1);
        ck_assert_int_eq(option_value_word(words, "rmdir,x", 5), 2);
        ck_assert_int_eq(option_value_word(words, "rmdir,x", 7), -EINVAL);
        ck_assert_int_eq(option_value_word(words, "unlink", 5), -EINVAL);
        ck_assert_int_eq(option_value_word(words, "", 0), -EINVAL);
        ck_assert_int_eq(option_value_word(words, "Unlink", 6), -EINVAL);
        ck_assert_int_eq(option_value_word(words + 3, "unlink", 6), -EINVAL);
}
END_TEST

int main(void) {
        TCase *t = tcase_create("option_value");

        tcase_add_loop_test(t, test_u64, 0, sizeof(numbers) / sizeof(numbers[0]));
        tcase_add_test(t, test_word);
        return unit_run("option_value", t);
}
