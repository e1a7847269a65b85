/* SPDX-License-Identifier: MIT */

/* The exit record in the layouts that struct taskstats has had since Linux 2.6.29 (version 8). */

#include "fixtures_taskstats_record.h"
#include "unit.h"

/* How long each version's struct was, and how much of it we need. */
static const struct {
        uint16_t version;
        size_t n_stats;
        size_t n_needed;
} versions[] = {
        {8, 328, 140},  {9, 344, 140},  {10, 352, 352}, {11, 368, 352}, {12, 400, 400},
        {13, 416, 400}, {14, 432, 400}, {15, 560, 496}, {16, 560, 400}, {17, 688, 400},
};

/* To the layout of version 15: a maximum and a minimum behind each delay but the last. */
static void disorder(uint8_t *stats, size_t n_stats) {
        static const size_t behind[] = {32, 48, 64, OF_FREEPAGES + 16, OF_BEGIN64, OF_TGID, 416};

        for (int i = N(behind) - 1; i >= 0; i--) {
                memmove(stats + behind[i] + 16, stats + behind[i], n_stats - 16 - behind[i]);
                memset(stats + behind[i], 0x5a, 16);
        }
}

#define BEGIN64 5000000000 /* of which begin has not the upper half */

/* The record as versions[i] sends it, its statistics cut to n_stats; freed by the caller. */
static uint8_t *version_new(int i, size_t n_stats) {
        _cleanup_free_ uint8_t *whole = message_new(AT_STRUCT + versions[i].n_stats);
        uint8_t *m = malloc(AT_STRUCT + n_stats);

        ck_assert_ptr_nonnull(m);
        put_u16(whole + AT_STRUCT, versions[i].version);
        if (versions[i].version >= 10)
                put_u64(whole + AT_STRUCT + OF_BEGIN64, BEGIN64);
        if (versions[i].version == 15)
                disorder(whole + AT_STRUCT, versions[i].n_stats);
        memcpy(m, whole, AT_STRUCT + n_stats);
        put_lengths(m, n_stats);
        return m;
}

START_TEST(test_version) {
        _cleanup_free_ uint8_t *m = version_new(_i, versions[_i].n_stats);
        TaskstatsRecord t, x = expected;

        if (versions[_i].version >= 10)
                x.begin_realtime_sec = BEGIN64;
        if (versions[_i].version < 12) {
                x.tgid = 0;
                x.is_whole_process = x.has_exe = false;
                x.exe_major = 0;
                x.exe_inode = 0;
        }
        ck_assert_int_eq(decode(m, AT_STRUCT + versions[_i].n_stats, &t), 1);
        check_record(&t, &x);
}
END_TEST

/* Statistics that lack what their version should have; what it has more need not be there. */
START_TEST(test_short_stats) {
        for (size_t n = 0; n < versions[_i].n_stats; n++) {
                _cleanup_free_ uint8_t *m = version_new(_i, n);
                TaskstatsRecord t = {.pid = 4711};
                bool is_enough = n >= versions[_i].n_needed;

                ck_assert_int_eq(decode(m, AT_STRUCT + n, &t), is_enough ? 1 : -EBADMSG);
                ck_assert_int_eq(t.pid, is_enough ? expected.pid : 4711);
        }
}
END_TEST

/* Members put into the middle, as some day between versions 14 and 15, with the number left. */
START_TEST(test_unknown_layout) {
        _cleanup_free_ uint8_t *m = message_new(N_SENT);
        TaskstatsRecord t;

        put_u16(m + AT_STRUCT, 14);
        disorder(m + AT_STRUCT, N_SENT - AT_STRUCT);
        ck_assert_int_eq(decode(m, N_SENT, &t), -EBADMSG);
        put_u16(m + AT_STRUCT, 15);
        ck_assert_int_eq(decode(m, N_SENT, &t), 1);
        check_record(&t, &expected);
}
END_TEST

/*
 * AGGR_TGID {TGID, STATS} behind the record: the last of several threads, whatever the version
 * says of it.  Its statistics are sums without a pid.
 */
START_TEST(test_last_thread) {
        static const uint8_t tgid[] = {8, 0, 2, 0, 0x7c, 0x64, 0, 0}; /* 25724 */
        size_t n_first = AT_STRUCT + versions[_i].n_stats;
        size_t n_bytes = n_first + 4 + sizeof(tgid) + 4 + versions[_i].n_stats;
        _cleanup_free_ uint8_t *first = version_new(_i, versions[_i].n_stats);
        _cleanup_free_ uint8_t *m = calloc(1, n_bytes);
        TaskstatsRecord t;

        ck_assert_ptr_nonnull(m);
        memcpy(m, first, n_first);
        put_u32(m, n_bytes);
        put_u16(m + n_first, n_bytes - n_first);
        put_u16(m + n_first + 2, 5);
        memcpy(m + n_first + 4, tgid, sizeof(tgid));
        put_u16(m + n_first + 12, 4 + versions[_i].n_stats);
        put_u16(m + n_first + 14, 3);
        put_u16(m + n_first + 16, versions[_i].version);

        ck_assert_int_eq(decode(m, n_bytes, &t), 1);
        ck_assert_int_eq(t.pid, expected.pid);
        ck_assert_int_eq(t.tgid, 25724);
        ck_assert(t.is_whole_process);
        ck_assert_str_eq(t.comm, "true");

        /* Alone, as a reply to a question we do not ask. */
        put_u16(m + AT_AGGREGATE + 2, 42);
        ck_assert_int_eq(decode(m, n_bytes, &t), 1);
        ck_assert_int_eq(t.pid, 0);
        /* It lost its id. */
        put_u16(m + n_first + 6, 42);
        ck_assert_int_eq(decode(m, n_bytes, &t), -EBADMSG);
}
END_TEST

int main(void) {
        TCase *t = tcase_create("taskstats_versions");

        tcase_add_loop_test(t, test_version, 0, N(versions));
        tcase_add_loop_test(t, test_short_stats, 0, N(versions));
        tcase_add_test(t, test_unknown_layout);
        tcase_add_loop_test(t, test_last_thread, 0, N(versions));
        return unit_run("taskstats_versions", t);
}
