/* SPDX-License-Identifier: MIT */

/* The age field of tmpfiles.d, and ages and times in words. */

#include <errno.h>
#include <string.h>

#include "explain/tmpfiles_line.h"
#include "unit.h"

#define N(x) ((int)(sizeof(x) / sizeof((x)[0])))
#define SEC UINT64_C(1000000)
#define DAY (86400 * SEC)
#define A TMPFILES_ATIME
#define B TMPFILES_BTIME
#define C TMPFILES_CTIME
#define M TMPFILES_MTIME

static const struct {
        const char *text;
        uint64_t usec;
        unsigned of_file, of_directory; /* 0: the usual ones */
        bool keeps_first_level;
} ages[] = {
        {"0", 0, 0, 0, false},
        {"10d", 10 * DAY, 0, 0, false},
        {"5", 5 * SEC, 0, 0, false},
        {"1.5s", 1500000, 0, 0, false},
        {".5s", 500000, 0, 0, false},
        {"+5", 5 * SEC, 0, 0, false},
        {"1w 2d", 9 * DAY, 0, 0, false},
        {"1w2d", 9 * DAY, 0, 0, false},
        {" 2 d ", 2 * DAY, 0, 0, false},
        {"1m", 60 * SEC, 0, 0, false},
        {"1M", UINT64_C(2629800000000), 0, 0, false},
        {"1ms 1us 1\xc2\xb5s 1\xce\xbcs", 1003, 0, 0, false},
        {"1y", UINT64_C(31557600000000), 0, 0, false},
        {"2hr 3hours 1h", 6 * 3600 * SEC, 0, 0, false},
        {"1 2", 3 * SEC, 0, 0, false},
        {"1.5 2", 3500000, 0, 0, false},
        {"infinity", TMPFILES_AGE_INFINITY, 0, 0, false},
        {" infinity ", TMPFILES_AGE_INFINITY, 0, 0, false},
        {"~10d", 10 * DAY, 0, 0, true},
        {"m:1w", 7 * DAY, M, 0, false},
        {"~m:1w", 7 * DAY, M, 0, true},
        {"amAM:1d", DAY, A | M, A | M, false},
        {"ABCM:1d", DAY, 0, A | B | C | M, false},
        {"bc:1d", DAY, B | C, 0, false},
        {"a m M:1d", DAY, A | M, M, false},
        {"mm:1d", DAY, M, 0, false},
};

START_TEST(test_ages) {
        TmpfilesLine line = {0};

        ck_assert_int_eq(tmpfiles_age_parse(ages[_i].text, &line, NULL), 0);
        ck_assert(line.is_age_set);
        ck_assert_uint_eq(line.age_usec, ages[_i].usec);
        ck_assert_uint_eq(line.times_of_file,
                          ages[_i].of_file != 0 ? ages[_i].of_file : TMPFILES_TIMES_OF_FILE);
        ck_assert_uint_eq(line.times_of_directory, ages[_i].of_directory != 0
                                                           ? ages[_i].of_directory
                                                           : TMPFILES_TIMES_OF_DIRECTORY);
        ck_assert_int_eq(line.keeps_first_level, ages[_i].keeps_first_level);
}
END_TEST

static const char *const refused[] = {
        "",        "~",    "ten",       "10x",        "-1",        "-0",    "1 -1",
        "0.-0",    "3.+1", "3. 1",      "3.sec",      "1.2.3",     ":1d",   "x:1d",
        " :1d",    "m:",   "infinity1", "infinity 1", "1infinity", "m:a:1", "999999999999999999999",
        "600000y", "~~1d", "m:~1d",
};

START_TEST(test_refused) {
        TmpfilesLine line = {0};
        TmpfilesFault fault = {""};

        ck_assert_int_eq(tmpfiles_age_parse(refused[_i], &line, &fault), -EBADMSG);
        ck_assert(!line.is_age_set && fault.text[0] != '\0');
}
END_TEST

START_TEST(test_texts) {
        char text[64];

        tmpfiles_age_text(10 * DAY, text, sizeof(text));
        ck_assert_str_eq(text, "10 days");
        tmpfiles_age_text(DAY + 3601 * SEC + 1, text, sizeof(text));
        ck_assert_str_eq(text, "1 day 1 hour 1 second 1 microsecond");
        tmpfiles_age_text(0, text, sizeof(text));
        ck_assert_str_eq(text, "0 seconds");
        tmpfiles_age_text(TMPFILES_AGE_INFINITY, text, sizeof(text));
        ck_assert_str_eq(text, "infinity");

        tmpfiles_times_text(A | B | C | M, text, sizeof(text));
        ck_assert_str_eq(text, "access, modification, change and birth");
        tmpfiles_times_text(M, text, sizeof(text));
        ck_assert_str_eq(text, "modification");
        ck_assert_int_eq(tmpfiles_times_text(A | M, text, 5), 23);
        ck_assert_str_eq(text, "acce");
        ck_assert_int_eq(tmpfiles_times_text(0, text, sizeof(text)), 0);
        ck_assert_str_eq(text, "");
}
END_TEST

int main(void) {
        TCase *tcase = tcase_create("tmpfiles_age");

        tcase_add_loop_test(tcase, test_ages, 0, N(ages));
        tcase_add_loop_test(tcase, test_refused, 0, N(refused));
        tcase_add_test(tcase, test_texts);
        return unit_run("tmpfiles_age", tcase);
}
