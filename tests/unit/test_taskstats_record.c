/* SPDX-License-Identifier: MIT */

/* What taskstats_record.c makes of a record that Linux 6.18 sent, and of it cut and forged. */

#include "fixtures_taskstats_record.h"
#include "unit.h"

START_TEST(test_sent) {
        _cleanup_free_ uint8_t *m = message_new(N_SENT);
        const uint8_t *at = m;
        size_t n_left = N_SENT;
        TaskstatsRecord t;

        ck_assert_int_eq(taskstats_record_next(&at, &n_left, &t), 1);
        check_record(&t, &expected);
        ck_assert_int_eq(taskstats_record_next(&at, &n_left, &t), 0);
}
END_TEST

START_TEST(test_truncated) {
        for (size_t n = 0; n < N_SENT; n++) {
                _cleanup_free_ uint8_t *m = message_new(n);
                TaskstatsRecord t = {.pid = 4711};

                ck_assert_int_eq(decode(m, n, &t), n == 0 ? 0 : -EBADMSG);
                ck_assert_int_eq(t.pid, 4711);
        }
}
END_TEST

START_TEST(test_bad_lengths) {
        static const struct {
                size_t at;
                size_t n;
        } lengths[] = {
                {0, 0},
                {0, 15},
                {0, 19},
                {0, N_SENT + 1},
                {0, INT32_MAX},
                {0, UINT32_MAX},
                {0, N_SENT - 1},
                {AT_AGGREGATE, 0},
                {AT_AGGREGATE, 3},
                {AT_AGGREGATE, 4},
                {AT_AGGREGATE, 577},
                {AT_AGGREGATE, 575},
                {AT_AGGREGATE, UINT16_MAX},
                {AT_PID, 0},
                {AT_PID, 3},
                {AT_PID, 7},
                {AT_PID, 572},
                {AT_PID, 573},
                {AT_PID, UINT16_MAX},
                {AT_STATS, 0},
                {AT_STATS, 3},
                {AT_STATS, 4},
                {AT_STATS, 403},
                {AT_STATS, 565},
                {AT_STATS, UINT16_MAX},
        };

        for (int i = 0; i < N(lengths); i++) {
                _cleanup_free_ uint8_t *m = message_new(N_SENT);
                TaskstatsRecord t = {.pid = 4711};

                if (lengths[i].at == 0)
                        put_u32(m, lengths[i].n);
                else
                        put_u16(m + lengths[i].at, lengths[i].n);
                ck_assert_msg(decode(m, N_SENT, &t) == -EBADMSG, "length %d", i);
                ck_assert_int_eq(t.pid, 4711);
        }
}
END_TEST

/* A thread that leaves others behind. */
START_TEST(test_thread) {
        _cleanup_free_ uint8_t *m = message_new(N_SENT);
        TaskstatsRecord t;

        m[AT_STRUCT + 8] = 0x1f;
        put_u32(m + AT_STRUCT + OF_TGID, 17);
        ck_assert_int_eq(decode(m, N_SENT, &t), 1);
        ck_assert_int_eq(t.pid, expected.pid);
        ck_assert_int_eq(t.tgid, 17);
        ck_assert(!t.is_whole_process);
}
END_TEST

/* An empty attribute in front, as where the CPU reads nothing unaligned; STATS before PID. */
START_TEST(test_order) {
        size_t n_bytes = N_SENT + 4;
        _cleanup_free_ uint8_t *sent_bytes = message_new(N_SENT);
        _cleanup_free_ uint8_t *m = message_new(n_bytes);
        TaskstatsRecord t;

        put_u32(m, n_bytes);
        put_u16(m + 20, 4);
        put_u16(m + 22, 6);
        memcpy(m + 24, sent_bytes + AT_AGGREGATE, 4);
        memcpy(m + 28, sent_bytes + AT_STATS, N_SENT - AT_STATS);
        memcpy(m + n_bytes - 8, sent_bytes + AT_PID, 8);
        ck_assert_int_eq(decode(m, n_bytes, &t), 1);
        check_record(&t, &expected);
}
END_TEST

/* The number of the device as the kernel packs it, see huge_encode_dev(). */
START_TEST(test_device) {
        static const struct {
                uint64_t device;
                uint32_t major, minor;
        } devices[] = {
                {0x801, 8, 1},          {0x2d, 0, 45},          {0x10032c, 3, 0x12c},
                {0x11032c, 259, 0x12c}, {0xfffff, 0xfff, 0xff}, {0xffffffff, 0xfff, 0xfffff},
        };

        for (int i = 0; i < N(devices); i++) {
                _cleanup_free_ uint8_t *m = message_new(N_SENT);
                TaskstatsRecord t;

                put_u64(m + AT_STRUCT + OF_DEVICE, devices[i].device);
                put_u64(m + AT_STRUCT + OF_INODE, UINT64_MAX);
                ck_assert_int_eq(decode(m, N_SENT, &t), 1);
                ck_assert(t.has_exe);
                ck_assert_uint_eq(t.exe_major, devices[i].major);
                ck_assert_uint_eq(t.exe_minor, devices[i].minor);
                ck_assert_uint_eq(t.exe_inode, UINT64_MAX);
        }
}
END_TEST

/* A kernel thread, with a name that fills its room. */
START_TEST(test_without_program) {
        _cleanup_free_ uint8_t *m = message_new(N_SENT);
        TaskstatsRecord t;

        put_u64(m + AT_STRUCT + OF_DEVICE, 0);
        put_u64(m + AT_STRUCT + OF_INODE, 0);
        memset(m + AT_STRUCT + OF_COMM, 'x', 32);
        ck_assert_int_eq(decode(m, N_SENT, &t), 1);
        ck_assert(!t.has_exe);
        ck_assert_str_eq(t.comm, "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx");
}
END_TEST

/* No pid is negative, and no process that ends has pid 0. */
START_TEST(test_bad_pids) {
        static const size_t at[] = {AT_PID + 4, AT_STRUCT + 128, AT_STRUCT + 132,
                                    AT_STRUCT + OF_TGID};

        for (int i = 0; i < N(at); i++) {
                _cleanup_free_ uint8_t *m = message_new(N_SENT);
                TaskstatsRecord t;

                m[at[i] + 3] = 0x80;
                ck_assert_int_eq(decode(m, N_SENT, &t), -EBADMSG);
                put_u32(m + AT_PID + 4, 0);
                put_u32(m + AT_STRUCT + 128, 0);
                ck_assert_int_eq(decode(m, N_SENT, &t), -EBADMSG);
        }
}
END_TEST

/* An error, the controller's, another command, nothing inside: passed over. */
START_TEST(test_other) {
        static const struct {
                size_t at;
                uint8_t value;
        } changes[] = {{4, 2}, {4, 3}, {4, 16}, {16, 1}, {16, 4}, {AT_AGGREGATE + 2, 9}};
        _cleanup_free_ uint8_t *m = NULL;
        TaskstatsRecord t;

        for (int i = 0; i < N(changes); i++) {
                _cleanup_free_ uint8_t *changed = message_new(N_SENT);

                changed[changes[i].at] = changes[i].value;
                ck_assert_int_eq(decode(changed, N_SENT, &t), 1);
                ck_assert_int_eq(t.pid, 0);
                ck_assert_int_eq(t.tgid, 0);
        }
        m = message_new(AT_AGGREGATE);
        put_u32(m, AT_AGGREGATE);
        ck_assert_int_eq(decode(m, AT_AGGREGATE, &t), 1);
        ck_assert_int_eq(t.pid, 0);
}
END_TEST

/* An odd message with a good length does not take the next one with it. */
START_TEST(test_goes_on) {
        _cleanup_free_ uint8_t *second = message_new(N_SENT);
        _cleanup_free_ uint8_t *m = message_new(2 * N_SENT);
        const uint8_t *at = m;
        size_t n_left = 2 * N_SENT;
        TaskstatsRecord t;

        memcpy(m + N_SENT, second, N_SENT);
        put_u16(m + AT_STATS, 5);
        ck_assert_int_eq(taskstats_record_next(&at, &n_left, &t), -EBADMSG);
        ck_assert_uint_eq(n_left, N_SENT);
        ck_assert_int_eq(taskstats_record_next(&at, &n_left, &t), 1);
        check_record(&t, &expected);
}
END_TEST

int main(void) {
        TCase *t = tcase_create("taskstats_record");

        tcase_add_test(t, test_sent);
        tcase_add_test(t, test_truncated);
        tcase_add_test(t, test_bad_lengths);
        tcase_add_test(t, test_thread);
        tcase_add_test(t, test_order);
        tcase_add_test(t, test_device);
        tcase_add_test(t, test_without_program);
        tcase_add_test(t, test_bad_pids);
        tcase_add_test(t, test_other);
        tcase_add_test(t, test_goes_on);
        return unit_run("taskstats_record", t);
}
