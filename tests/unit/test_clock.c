/* SPDX-License-Identifier: MIT */

/* Clock: the C library as the second opinion for dates, tables for what people write. */

#include "base/clock.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "unit.h"

static const uint64_t stamps[] = {
        0,
        1,
        999999999,
        UINT64_C(951782399) * CLOCK_NSEC_PER_SEC,  /* the second before 2000-02-29 */
        UINT64_C(951868799) * CLOCK_NSEC_PER_SEC,  /* its last second */
        UINT64_C(951868800) * CLOCK_NSEC_PER_SEC,  /* 2000-03-01 */
        UINT64_C(4107542399) * CLOCK_NSEC_PER_SEC, /* 2100-02-28, no leap year */
        UINT64_C(4107542400) * CLOCK_NSEC_PER_SEC, /* 2100-03-01 */
        UINT64_C(2147483647) * CLOCK_NSEC_PER_SEC, /* 2038 */
        UINT64_C(2147483648) * CLOCK_NSEC_PER_SEC,
        UINT64_C(4294967296) * CLOCK_NSEC_PER_SEC, /* 2106 */
        UINT64_C(1795395313123456789),             /* 2026 */
        UINT64_MAX,                                /* 2554 */
};

static void check_stamp(uint64_t nsec) {
        _cleanup_buffer_ Buffer b = {0};
        time_t seconds = (time_t)(nsec / CLOCK_NSEC_PER_SEC);
        char date[32], want[64];
        uint64_t back;
        struct tm tm;

        gmtime_r(&seconds, &tm);
        strftime(date, sizeof(date), "%Y-%m-%dT%H:%M:%S", &tm);
        snprintf(want, sizeof(want), "%s.%09uZ", date, (unsigned)(nsec % CLOCK_NSEC_PER_SEC));
        clock_append_rfc3339(&b, nsec);
        if (strcmp(buffer_terminate(&b), want) != 0)
                ck_abort_msg("%s instead of %s", buffer_terminate(&b), want);
        if (clock_parse_rfc3339(b.bytes, b.n_bytes, &back) != 0 || back != nsec)
                ck_abort_msg("%s read back", want);
}

START_TEST(test_rfc3339) {
        check_stamp(stamps[_i]);
}
END_TEST

/* Every day there is in 64 bits of nanoseconds, at a time of day that wanders. */
START_TEST(test_rfc3339_of_every_day) {
        for (uint64_t day = 0; day < UINT64_MAX / CLOCK_NSEC_PER_SEC / 86400; day++)
                check_stamp((day * 86400 + day * 7919 % 86400) * CLOCK_NSEC_PER_SEC + day);
}
END_TEST

START_TEST(test_rfc3339_as_documented) {
        _cleanup_buffer_ Buffer b = {0};

        buffer_append_literal(&b, "t=");
        clock_append_rfc3339(&b, UINT64_C(1795395313) * CLOCK_NSEC_PER_SEC);
        ck_assert_str_eq(buffer_terminate(&b), "t=2026-11-23T00:55:13.000000000Z");
}
END_TEST

static const struct {
        const char *text;
        uint64_t nsec;
        int r;
} parsed[] = {
        {"1970-01-01T00:00:00Z", 0, 0},
        {"1970-01-01T00:00:01.5Z", 1500000000, 0},
        {"1970-01-01T00:00:00.000000001Z", 1, 0},
        {"2000-02-29T00:00:00Z", UINT64_C(951782400) * CLOCK_NSEC_PER_SEC, 0},
        {"", 0, -EBADMSG},
        {"1969-12-31T23:59:59Z", 0, -EBADMSG},
        {"2001-02-29T00:00:00Z", 0, -EBADMSG},
        {"2001-00-01T00:00:00Z", 0, -EBADMSG},
        {"2001-13-01T00:00:00Z", 0, -EBADMSG},
        {"2001-01-00T00:00:00Z", 0, -EBADMSG},
        {"2001-01-01T24:00:00Z", 0, -EBADMSG},
        {"2001-01-01T00:60:00Z", 0, -EBADMSG},
        {"2001-01-01T00:00:60Z", 0, -EBADMSG},
        {"2001-01-01T00:00:00", 0, -EBADMSG},
        {"2001-01-01T00:00:00.Z", 0, -EBADMSG},
        {"2001-01-01T00:00:00.0000000001Z", 0, -EBADMSG},
        {"2001-01-01T00:00:00+01:00", 0, -EBADMSG},
        {"2001-01-01 00:00:00Z", 0, -EBADMSG},
        {"2001-01-01T00:00:00Zx", 0, -EBADMSG},
        {"2554-07-21T23:34:33.709551615Z", UINT64_MAX, 0},
        {"2554-07-21T23:34:33.709551616Z", 0, -EBADMSG},
        {"9999-01-01T00:00:00Z", 0, -EBADMSG},
};

/* Also cut at each byte: half a stamp is none. */
START_TEST(test_parse_rfc3339) {
        const char *text = parsed[_i].text;
        uint64_t nsec = 0;

        if (clock_parse_rfc3339(text, strlen(text), &nsec) != parsed[_i].r)
                ck_abort_msg("'%s'", text);
        ck_assert_uint_eq(nsec, parsed[_i].nsec);
        for (size_t cut = 0; cut < strlen(text); cut++)
                if (text[cut] != '\0' && clock_parse_rfc3339(text, cut, &nsec) == 0)
                        ck_assert(text[cut - 1] == 'Z');
}
END_TEST

static const struct {
        const char *zone;
        uint64_t nsec;
        const char *want;
} locals[] = {
        {"UTC0", 0, "00:00:00.000000"},
        {"UTC0", UINT64_C(1795395313123456999), "00:55:13.123456"},
        {"XXX-5:45", UINT64_C(1795395313123456999), "06:40:13.123456"},
        {"XXX3", UINT64_C(1795395313000000999), "21:55:13.000000"},
        {"XXX3", 0, "21:00:00.000000"},
        {"UTC0", UINT64_MAX, "23:34:33.709551"},
};

/* Each runs in a process of its own, so that TZ is not yet read. */
START_TEST(test_local_time) {
        _cleanup_buffer_ Buffer b = {0};

        setenv("TZ", locals[_i].zone, 1);
        tzset();
        clock_append_local_time(&b, locals[_i].nsec);
        ck_assert_str_eq(buffer_terminate(&b), locals[_i].want);
}
END_TEST

/* The hour that comes twice has two names. */
START_TEST(test_local_date) {
        static const struct {
                const char *zone;
                uint64_t seconds;
                const char *want;
        } dates[] = {
                {"UTC", 0, "Thu 1970-01-01 00:00:00 UTC"},
                {"UTC", 1795395313, "Mon 2026-11-23 00:55:13 UTC"},
                {"CET-1CEST,M3.5.0,M10.5.0/3", 1792888200, "Sun 2026-10-25 02:30:00 CEST"},
                {"CET-1CEST,M3.5.0,M10.5.0/3", 1792891800, "Sun 2026-10-25 02:30:00 CET"},
        };

        for (size_t i = 0; i < sizeof(dates) / sizeof(dates[0]); i++) {
                _cleanup_buffer_ Buffer b = {0};

                setenv("TZ", dates[i].zone, 1);
                tzset();
                clock_append_local_date(&b, dates[i].seconds * CLOCK_NSEC_PER_SEC);
                ck_assert_str_eq(buffer_terminate(&b), dates[i].want);
        }
}
END_TEST

#define SEC CLOCK_NSEC_PER_SEC
#define MSEC CLOCK_NSEC_PER_MSEC

static const struct {
        const char *text;
        int r;
        uint64_t nsec;
} durations[] = {
        {"0", 0, 0},
        {"90", 0, 90 * SEC},
        {"1.5s", 0, 1500 * MSEC},
        {"2min 30s", 0, 150 * SEC},
        {"1h30m", 0, 5400 * SEC},
        {"1h30", 0, 3630 * SEC},
        {"500ms", 0, 500 * MSEC},
        {"500msec", 0, 500 * MSEC},
        {"7us", 0, 7000},
        {"2 h", 0, 7200 * SEC},
        {" 2\th  3 ", 0, 7203 * SEC},
        {"1d", 0, 86400 * SEC},
        {"2weeks 1day", 0, 15 * 86400 * SEC},
        {"1 2 3", 0, 6 * SEC},
        {"s1", -EINVAL, 0},
        {".5", 0, 500 * MSEC},
        {"0.5h", 0, 1800 * SEC},
        {"0.000000001", 0, 1},
        {"0.0000000019999", 0, 1},
        {"0.123456789", 0, 123456789},
        {"1.001us", 0, 1001},
        {"0.00000000000000000000000000000000000000001", 0, 0},
        {"0000000000000000000000000000000000000001", 0, 1 * SEC},
        {"18446744073", 0, UINT64_C(18446744073) * SEC},
        {"18446744073.709551615", 0, UINT64_MAX},
        {"18446744073.709551616", -ERANGE, 0},
        {"18446744074", -ERANGE, 0},
        {"18446744073s 710ms", -ERANGE, 0},
        {"18446744073709551615us", -ERANGE, 0},
        {"18446744073709551616us", -ERANGE, 0},
        {"99999999999999999999999999999999", -ERANGE, 0},
        {"99999999999999999999999999999999x", -EINVAL, 0},
        {"99999999999999999999 1s", -ERANGE, 0},
        {"30501w", -ERANGE, 0},
        {"", -EINVAL, 0},
        {" ", -EINVAL, 0},
        {"s", -EINVAL, 0},
        {".", -EINVAL, 0},
        {"1.", -EINVAL, 0},
        {"1.s", -EINVAL, 0},
        {"1.5.5", -EINVAL, 0},
        {"1..5", -EINVAL, 0},
        {"1,5s", -EINVAL, 0},
        {"-1s", -EINVAL, 0},
        {"+1s", -EINVAL, 0},
        {"1s -1s", -EINVAL, 0},
        {"1x", -EINVAL, 0},
        {"1ss", -EINVAL, 0},
        {"1S", -EINVAL, 0},
        {"1M", -EINVAL, 0},
        {"1y", -EINVAL, 0},
        {"1month", -EINVAL, 0},
        {"0x10", -EINVAL, 0},
        {"1e3", -EINVAL, 0},
        {"inf", -EINVAL, 0},
        {"1s\n", -EINVAL, 0},
        {"1\xc2\xb5s", -EINVAL, 0},
        {"\xff", -EINVAL, 0},
};

START_TEST(test_parse_duration) {
        uint64_t nsec = 0xdeadbeef;

        if (clock_parse_duration(durations[_i].text, &nsec) != durations[_i].r)
                ck_abort_msg("'%s'", durations[_i].text);
        ck_assert_uint_eq(nsec, durations[_i].r < 0 ? 0xdeadbeef : durations[_i].nsec);
}
END_TEST

/* Cut at each byte, exactly sized: a whole term and a bare number stand, half a unit does not. */
START_TEST(test_truncated_duration) {
        static const char whole[] = "12.5min 3ms";
        static const int want[] = {-EINVAL, 0, 0, -EINVAL, 0, 0, -EINVAL, 0, 0, 0, 0, 0};

        for (size_t cut = 0; cut < sizeof(whole); cut++) {
                char *text = strndup(whole, cut);
                uint64_t nsec;

                ck_assert_ptr_nonnull(text);
                ck_assert_int_eq(clock_parse_duration(text, &nsec), want[cut]);
                free(text);
        }
}
END_TEST

static const struct {
        uint64_t nsec;
        const char *want;
} written[] = {
        {0, "0us"},
        {999, "0us"},
        {950000, "950us"},
        {999999, "999us"},
        {MSEC, "1ms"},
        {12345678, "12.3ms"},
        {SEC - 1, "999.9ms"},
        {SEC, "1s"},
        {4200 * MSEC, "4.2s"},
        {60 * SEC - 1, "59.9s"},
        {60 * SEC, "1min"},
        {184 * SEC, "3min 4s"},
        {3600 * SEC - 1, "59min 59s"},
        {3600 * SEC, "1h"},
        {7500 * SEC, "2h 5min"},
        {86400 * SEC - 1, "23h 59min"},
        {86400 * SEC, "1d"},
        {90000 * SEC, "1d 1h"},
        {UINT64_MAX, "213503d 23h"},
};

/* What is written can be read again, and is at most one of its last unit too short. */
START_TEST(test_append_duration) {
        _cleanup_buffer_ Buffer b = {0};
        uint64_t back;

        clock_append_duration(&b, written[_i].nsec);
        ck_assert_str_eq(buffer_terminate(&b), written[_i].want);
        ck_assert_int_eq(clock_parse_duration(buffer_terminate(&b), &back), 0);
        ck_assert_uint_le(back, written[_i].nsec);
        ck_assert_uint_le(written[_i].nsec - back, written[_i].nsec / 10 + 1000);
}
END_TEST

START_TEST(test_now) {
        uint64_t realtime = clock_now_nsec(CLOCK_REALTIME);
        uint64_t a = clock_now_nsec(CLOCK_MONOTONIC), b = clock_now_nsec(CLOCK_MONOTONIC);

        ck_assert_uint_le((uint64_t)time(NULL) - realtime / SEC + 1, 6);
        ck_assert_uint_le(a, b);
        ck_assert_uint_gt(b, 0);
}
END_TEST

/* Now is now on each clock; a second ago, and a second ahead, stay that far away. */
START_TEST(test_convert) {
        static const int64_t offsets[] = {0, -1000000000, 1000000000};
        uint64_t boottime = clock_now_nsec(CLOCK_BOOTTIME) + (uint64_t)offsets[_i];
        uint64_t realtime = clock_now_nsec(CLOCK_REALTIME) + (uint64_t)offsets[_i];
        uint64_t monotonic = clock_now_nsec(CLOCK_MONOTONIC) + (uint64_t)offsets[_i];

        ck_assert_uint_lt(clock_boottime_to_realtime(boottime) - realtime + SEC / 10, SEC / 5);
        ck_assert_uint_lt(clock_monotonic_to_boottime(monotonic) - boottime + SEC / 10, SEC / 5);
}
END_TEST

START_TEST(test_convert_does_not_wrap) {
        uint64_t booted = clock_now_nsec(CLOCK_REALTIME) - clock_now_nsec(CLOCK_BOOTTIME);

        ck_assert_uint_eq(clock_boottime_to_realtime(UINT64_MAX), UINT64_MAX);
        ck_assert_uint_lt(clock_boottime_to_realtime(0) - booted + SEC / 10, SEC / 5);
}
END_TEST

#define N(a) (sizeof(a) / sizeof((a)[0]))

int main(void) {
        TCase *tcase = tcase_create("clock");

        tcase_add_loop_test(tcase, test_rfc3339, 0, N(stamps));
        tcase_add_test(tcase, test_rfc3339_of_every_day);
        tcase_add_test(tcase, test_rfc3339_as_documented);
        tcase_add_loop_test(tcase, test_parse_rfc3339, 0, N(parsed));
        tcase_add_loop_test(tcase, test_local_time, 0, N(locals));
        tcase_add_test(tcase, test_local_date);
        tcase_add_loop_test(tcase, test_parse_duration, 0, N(durations));
        tcase_add_test(tcase, test_truncated_duration);
        tcase_add_loop_test(tcase, test_append_duration, 0, N(written));
        tcase_add_test(tcase, test_now);
        tcase_add_loop_test(tcase, test_convert, 0, 3);
        tcase_add_test(tcase, test_convert_does_not_wrap);
        return unit_run("clock", tcase);
}
