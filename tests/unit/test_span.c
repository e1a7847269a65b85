/* SPDX-License-Identifier: MIT */

/* Pieces of texts, and texts that are too short for them. */

#include "base/span.h"

#include <string.h>

#include "unit.h"

static Span span(const char *text) {
        return (Span){text, strlen(text)};
}

static const struct {
        const char *text, *piece;
        bool is, starts, ends;
} pieces[] = {
        {"unit.scope", "unit.scope", true, true, true},
        {"unit.scope", "unit", false, true, false},
        {"unit.scope", ".scope", false, false, true},
        {"unit.scope", "unit.scope.", false, false, false},
        {"unit.scope", "", false, true, true},
        {"", "", true, true, true},
        {"", "x", false, false, false},
        {"xx", "x", false, true, true},
};

START_TEST(is_starts_ends) {
        Span s = span(pieces[_i].text), none = {0};
        size_t n = strlen(pieces[_i].piece);

        ck_assert(span_is(s, pieces[_i].piece) == pieces[_i].is);
        ck_assert(span_starts_with(s, pieces[_i].piece) == pieces[_i].starts);
        ck_assert(span_ends_with(s, pieces[_i].piece) == pieces[_i].ends);
        ck_assert(span_is(none, pieces[_i].piece) == (n == 0));

        ck_assert(span_take_head(&s, pieces[_i].piece) == pieces[_i].starts);
        ck_assert_ptr_eq(s.at, pieces[_i].text + (pieces[_i].starts ? n : 0));
        s = span(pieces[_i].text);
        ck_assert(span_take_tail(&s, pieces[_i].piece) == pieces[_i].ends);
        ck_assert_ptr_eq(s.at, pieces[_i].text);
        ck_assert_uint_eq(s.n, strlen(pieces[_i].text) - (pieces[_i].ends ? n : 0));
}
END_TEST

/* The bytes behind the span are not its own. */
START_TEST(it_ends_where_it_ends) {
        Span s = {"abcdef", 3};

        ck_assert(!span_starts_with(s, "abcd"));
        ck_assert(!span_ends_with(s, "def"));
        ck_assert(span_ends_with(s, "bc"));
        ck_assert(!span_is(s, "abcdef"));
}
END_TEST

static const struct {
        const char *path;
        const char *components[4];
} paths[] = {
        {"/a/bc/d", {"a", "bc", "d"}},
        {"a//b/", {"a", "b"}},
        {"///", {NULL}},
        {"", {NULL}},
        {"/", {NULL}},
        {"x", {"x"}},
};

START_TEST(components) {
        Span rest = span(paths[_i].path), c = {0};

        for (size_t i = 0; paths[_i].components[i]; i++) {
                ck_assert(span_take_component(&rest, &c));
                ck_assert(span_is(c, paths[_i].components[i]));
        }
        ck_assert(!span_take_component(&rest, &c));
        ck_assert_uint_eq(rest.n, 0);
}
END_TEST

static const struct {
        const char *text;
        unsigned base;
        uint64_t max;
        bool is_number;
        uint64_t value;
        const char *rest;
} numbers[] = {
        {"12 x", 10, UINT64_MAX, true, 12, " x"},
        {"12", 10, 12, true, 12, ""},
        {"13", 10, 12, false, 0, "13"},
        {"5", 10, 4, false, 0, "5"},
        {"18446744073709551615", 10, UINT64_MAX, true, UINT64_MAX, ""},
        {"18446744073709551616", 10, UINT64_MAX, false, 0, "18446744073709551616"},
        {"ffffffffffffffff-", 16, UINT64_MAX, true, UINT64_MAX, "-"},
        {"10000000000000000", 16, UINT64_MAX, false, 0, "10000000000000000"},
        {"1fG", 16, 0x1f, true, 0x1f, "G"},
        {"1f", 10, 9, true, 1, "f"},
        {"F", 16, 99, false, 0, "F"},
        {"", 10, 9, false, 0, ""},
        {"-1", 10, 9, false, 0, "-1"},
        {"000000000000000000000000007", 10, 9, true, 7, ""},
};

START_TEST(takes_numbers) {
        Span s = span(numbers[_i].text);
        uint64_t v = 0;

        ck_assert(span_take_u64(&s, numbers[_i].base, numbers[_i].max, &v) ==
                  numbers[_i].is_number);
        ck_assert_uint_eq(v, numbers[_i].value);
        ck_assert(span_is(s, numbers[_i].rest));
}
END_TEST

int main(void) {
        TCase *tcase = tcase_create("span");

        tcase_add_loop_test(tcase, is_starts_ends, 0, sizeof(pieces) / sizeof(pieces[0]));
        tcase_add_test(tcase, it_ends_where_it_ends);
        tcase_add_loop_test(tcase, components, 0, sizeof(paths) / sizeof(paths[0]));
        tcase_add_loop_test(tcase, takes_numbers, 0, sizeof(numbers) / sizeof(numbers[0]));
        return unit_run("span", tcase);
}
