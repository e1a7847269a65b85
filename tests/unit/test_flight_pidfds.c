/* SPDX-License-Identifier: MIT */

/* Events in flight: no descriptor is left behind, whatever the kernel's bytes are. */

#include "capture/flight.h"

#include <sys/resource.h>
#include <sys/syscall.h>

#include "fixtures_flight.h"

START_TEST(test_pidfds) {
        const size_t before = n_descriptors();
        int pidfd = (int)syscall(SYS_pidfd_open, getpid(), 0), n_open = 0;
        FlightEvent e;

        ck_assert_int_ge(pidfd, 0);
        add_event(1, pidfd, 0);
        add_event(2, -ESRCH, 0);
        add_event(3, dup_fd(), 16);
        add_event(4, -EMFILE, 0);
        send_packet();
        ck_assert_int_gt(flight_read(flight, group[0]), 0);
        while (flight_next_read(flight, &e) > 0) {
                ck_assert_int_eq(e.fan.pidfd >= 0, e.fan.pid % 2);
                if (e.fan.pidfd >= 0 && fcntl(e.fan.pidfd, F_GETFD) >= 0)
                        n_open++;
        }
        ck_assert_int_eq(n_open, 2);
        flight_close_pidfds(flight);
        ck_assert_int_eq(fcntl(pidfd, F_GETFD), -1);
        ck_assert_uint_eq(n_descriptors(), before);
        flight_close_pidfds(flight);
        for (int32_t i = 0; i < 4; i++) {
                expect_head((uint64_t)i, i + 1, NULL);
                flight_pop(flight);
        }
        ck_assert_uint_eq(n_descriptors(), before);
}
END_TEST

/* As many as one read can bring. */
START_TEST(test_many_pidfds) {
        const size_t before = n_descriptors();
        size_t n = 0;

        while (n_packet + 32 <= sizeof(packet) && n < 700) {
                add_event(1, dup_fd(), 0);
                n++;
        }
        send_packet();
        ck_assert_uint_eq(take(0), n);
        ck_assert_uint_eq(n_descriptors(), before);
}
END_TEST

START_TEST(test_malformed) {
        const size_t before = n_descriptors();

        add_event(1, dup_fd(), 0);
        add_malformed_event(dup_fd());
        send_packet();
        ck_assert_uint_eq(take(-EBADMSG), 1);
        ck_assert_uint_eq(n_descriptors(), before);
        /* Reads of nothing but malformed bytes, with good ones behind them. */
        for (int i = 0; i < 3; i++) {
                add_malformed_event(dup_fd());
                send_packet();
                ck_assert_uint_eq(take(-EBADMSG), 0);
        }
        add_event(2, dup_fd(), 0);
        send_packet();
        ck_assert_uint_eq(take(0), 1);
        ck_assert_uint_eq(n_descriptors(), before);

        ck_assert_uint_eq(flight_n_events(flight), 2);
        expect_head(0, 1, NULL);
        flight_pop(flight);
        expect_head(1, 2, NULL);
        flight_pop(flight);
}
END_TEST

/* Cut after each byte: what is whole comes out, and each descriptor that is there is closed. */
START_TEST(test_truncation) {
        const size_t n_first = 24 + 8 + 8, n_all = n_first + 24 + 8 + 8;

        for (size_t n = 1; n <= n_all; n++) {
                const size_t before = n_descriptors();
                FlightEvent e;
                size_t n_out;

                add_event(1, n >= 32 ? dup_fd() : -ESRCH, 8);
                add_event(2, n >= n_first + 32 ? dup_fd() : -ESRCH, 8);
                n_packet = n;
                send_packet();
                n_out = take(n == n_first || n == n_all ? 0 : -EBADMSG);
                ck_assert_uint_eq(n_out, n == n_all ? 2 : n >= n_first);
                ck_assert_uint_eq(n_descriptors(), before);
                while (flight_peek(flight, &e) > 0)
                        flight_pop(flight);
        }
}
END_TEST

/* The limit on open files is lowered for the read only. */
START_TEST(test_few_pidfds) {
        struct rlimit before, after;

        teardown();
        setup_as(true);
        ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &before), 0);
        for (int32_t i = 0; i < 3; i++) {
                add_event(i, dup_fd(), 0);
                send_packet();
                ck_assert_uint_eq(take(0), 1);
                ck_assert_int_eq(flight_read(flight, group[0]), 0);
                ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &after), 0);
                ck_assert_uint_eq(after.rlim_cur, before.rlim_cur);
        }
}
END_TEST

int main(void) {
        TCase *tcase = tcase_create("flight_pidfds");

        tcase_add_checked_fixture(tcase, setup, teardown);
        tcase_add_test(tcase, test_pidfds);
        tcase_add_test(tcase, test_many_pidfds);
        tcase_add_test(tcase, test_malformed);
        tcase_add_test(tcase, test_truncation);
        tcase_add_test(tcase, test_few_pidfds);
        return unit_run("flight_pidfds", tcase);
}
