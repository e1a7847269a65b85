/* SPDX-License-Identifier: MIT */

/* Events in flight: order, positions, times, bounds. */

#include "capture/flight.h"

#include <malloc.h>

#include "base/clock.h"
#include "fixtures_fan_event.h"
#include "fixtures_flight.h"

static void expect_name(const FanName *name, const char *expected) {
        ck_assert_uint_eq(name->n_name, expected ? strlen(expected) : 0);
        if (expected)
                ck_assert_mem_eq(name->name, expected, name->n_name);
}

static void expect_event(const FlightEvent *e, const Expected *x) {
        ck_assert_uint_eq(e->fan.mask, x->mask);
        ck_assert_int_eq(e->fan.pidfd_state, x->pidfd_state);
        expect_name(&e->fan.name, x->name);
        expect_name(&e->fan.old_name, x->old_name);
        expect_name(&e->fan.new_name, x->new_name);
}

/* All that the kernel wrote, one read each: the same going in and coming out. */
START_TEST(test_kernel_bytes) {
        uint64_t position = 0;
        FlightEvent e;

        for (int i = 0; i < N_FIXTURES; i++) {
                add_bytes(fixtures[i].bytes, fixtures[i].n_bytes);
                send_packet();
                ck_assert_int_eq(flight_read(flight, group[0]), (int)fixtures[i].n_bytes);
                for (size_t k = 0; k < fixtures[i].n_events; k++) {
                        ck_assert_int_eq(flight_next_read(flight, &e), 1);
                        ck_assert_uint_eq(e.position, position++);
                        ck_assert_ptr_null(e.attachment);
                        expect_event(&e, &fixtures[i].events[k]);
                }
                ck_assert_int_eq(flight_next_read(flight, &e), 0);
                ck_assert_uint_eq(flight_n_events(flight), position);
        }
        position = 0;
        for (int i = 0; i < N_FIXTURES; i++)
                for (size_t k = 0; k < fixtures[i].n_events; k++) {
                        ck_assert_int_eq(flight_peek(flight, &e), 1);
                        ck_assert_uint_eq(e.position, position++);
                        expect_event(&e, &fixtures[i].events[k]);
                        flight_pop(flight);
                }
        ck_assert_int_eq(flight_peek(flight, &e), 0);
        ck_assert_uint_eq(flight_n_events(flight), 0);
}
END_TEST

/* Looking twice changes nothing; what is read meanwhile stands behind. */
START_TEST(test_queue) {
        static const char marks[8];
        FlightEvent e;

        ck_assert_int_eq(flight_peek(flight, &e), 0);
        ck_assert_int_eq(flight_next_read(flight, &e), 0);
        for (int32_t i = 0; i < 6; i++) {
                add_event(100 + i, -1, 0);
                if (i % 2 == 0)
                        continue;
                send_packet();
                ck_assert_int_gt(flight_read(flight, group[0]), 0);
                for (int32_t k = i - 1; flight_next_read(flight, &e) > 0; k++)
                        flight_attach(flight, (void *)(uintptr_t)&marks[k]);
        }
        expect_head(0, 100, &marks[0]);
        expect_head(0, 100, &marks[0]);
        flight_pop(flight);
        expect_head(1, 101, &marks[1]);
        flight_pop(flight);
        expect_head(2, 102, &marks[2]);
        add_event(106, -1, 0);
        send_packet();
        ck_assert_uint_eq(take(0), 1);
        for (int32_t i = 2; i < 6; i++) {
                expect_head((uint64_t)i, 100 + i, &marks[i]);
                flight_pop(flight);
        }
        expect_head(6, 106, NULL);
        flight_pop(flight);
        ck_assert_int_eq(flight_peek(flight, &e), 0);
}
END_TEST

typedef struct Seen {
        int32_t pids[8];
        size_t n, n_max;
} Seen;

static int see(void *userdata, const FanEvent *event) {
        Seen *s = userdata;

        ck_assert_int_eq(event->pidfd, -1);
        s->pids[s->n++] = event->pid;
        return s->n == s->n_max ? -EIO : 0;
}

static void expect_seen(const int32_t *pids, size_t n) {
        Seen all = {.n_max = 8}, some = {.n_max = 2};

        ck_assert_int_eq(flight_for_each(flight, see, &all), 0);
        ck_assert_uint_eq(all.n, n);
        ck_assert(n == 0 || memcmp(all.pids, pids, n * sizeof(*pids)) == 0);
        ck_assert_int_eq(flight_for_each(flight, see, &some), n < 2 ? 0 : -EIO);
        ck_assert_uint_eq(some.n, n < 2 ? n : 2);
}

/* All that is in flight, over several reads, without what has left and what was dropped. */
START_TEST(test_for_each) {
        FlightEvent e;

        expect_seen(NULL, 0);
        for (int32_t i = 0; i < 6; i++) {
                add_event(i, i == 3 ? dup_fd() : -1, 0);
                if (i % 2 == 0)
                        continue;
                send_packet();
                ck_assert_int_gt(flight_read(flight, group[0]), 0);
                while (flight_next_read(flight, &e) > 0)
                        if (e.fan.pid == 2)
                                flight_drop(flight);
                flight_close_pidfds(flight);
        }
        expect_seen((int32_t[]){0, 1, 3, 4, 5}, 5);
        expect_head(0, 0, NULL);
        expect_seen((int32_t[]){0, 1, 3, 4, 5}, 5);
        flight_pop(flight);
        expect_seen((int32_t[]){1, 3, 4, 5}, 4);
        expect_head(1, 1, NULL);
        flight_pop(flight);
        expect_seen((int32_t[]){3, 4, 5}, 3);
        for (int32_t i = 3; i < 6; i++) {
                expect_head((uint64_t)i, i, NULL);
                flight_pop(flight);
        }
        expect_seen(NULL, 0);
}
END_TEST

/* A look at the head while a read is being looked through takes nothing from it. */
START_TEST(test_peek_between) {
        FlightEvent e;

        for (int32_t i = 0; i < 4; i++)
                add_event(i, -1, 0);
        send_packet();
        ck_assert_int_gt(flight_read(flight, group[0]), 0);
        for (int32_t i = 0; i < 4; i++) {
                ck_assert_int_eq(flight_peek(flight, &e), 0);
                ck_assert_int_eq(flight_next_read(flight, &e), 1);
                expect_head((uint64_t)i, i, NULL);
                flight_pop(flight);
        }
        ck_assert_int_eq(flight_next_read(flight, &e), 0);
        ck_assert_int_eq(flight_peek(flight, &e), 0);
}
END_TEST

/* In the steady state one chunk goes round. */
START_TEST(test_round_and_round) {
        for (int32_t i = 0; i < 1000; i++) {
                add_event(i, -1, (size_t)(i % 5) * 8);
                add_event(i, -1, 0);
                send_packet();
                ck_assert_uint_eq(take(0), 2);
                /* One stays behind each time. */
                for (uint64_t k = i == 0; k < 2; k++) {
                        uint64_t position = (uint64_t)i * 2 + k - 1;

                        expect_head(position, (int32_t)position / 2, NULL);
                        flight_pop(flight);
                }
        }
        ck_assert_uint_eq(flight_n_events(flight), 1);
}
END_TEST

/* A read that leaves room for another event has seen the queue's end. */
START_TEST(test_drained) {
        const size_t n_full = FLIGHT_CHUNK_BYTES - FLIGHT_EVENT_MAX_BYTES;
        uint64_t begin = clock_now_nsec(CLOCK_MONOTONIC), first, n_end;
        FlightEvent e;

        ck_assert_uint_eq(flight_empty_nsec(flight), 0);
        add_event(1, -1, n_full + 4 - 24);
        send_packet();
        ck_assert_uint_eq(take(0), 1);
        ck_assert(!flight_is_drained(flight));
        ck_assert_uint_eq(flight_empty_nsec(flight), 0);

        add_event(2, -1, n_full - 24);
        send_packet();
        ck_assert_uint_eq(take(0), 1);
        ck_assert(flight_is_drained(flight));
        first = flight_empty_nsec(flight);
        ck_assert_uint_ge(first, begin);

        add_event(3, -1, n_full + 4 - 24);
        send_packet();
        ck_assert_uint_eq(take(0), 1);
        ck_assert(!flight_is_drained(flight));
        ck_assert_uint_eq(flight_empty_nsec(flight), first);

        ck_assert_int_eq(flight_read(flight, group[0]), 0);
        ck_assert(flight_is_drained(flight));
        ck_assert_uint_gt(flight_empty_nsec(flight), first);
        n_end = clock_now_nsec(CLOCK_MONOTONIC);
        ck_assert_uint_le(flight_empty_nsec(flight), n_end);

        /* Each event holds what was known when it was read, not after. */
        for (int32_t i = 1; i <= 3; i++) {
                ck_assert_int_eq(flight_peek(flight, &e), 1);
                ck_assert_int_eq(e.fan.pid, i);
                ck_assert_uint_eq(e.empty_monotonic_nsec, i == 3 ? first : 0);
                ck_assert_uint_ge(e.monotonic_nsec, begin);
                ck_assert_uint_le(e.monotonic_nsec, n_end);
                ck_assert_uint_gt(e.realtime_nsec, 1000 * CLOCK_NSEC_PER_SEC);
                flight_pop(flight);
        }
}
END_TEST

/* The smallest events there are, a full read of them. */
START_TEST(test_many_events) {
        while (n_packet + 24 <= sizeof(packet))
                add_event((int32_t)(n_packet / 24), -1, 0);
        send_packet();
        ck_assert_uint_eq(take(0), FLIGHT_CHUNK_BYTES / 24);
        ck_assert(!flight_is_drained(flight));
        for (int32_t i = 0; i < FLIGHT_CHUNK_BYTES / 24; i++) {
                expect_head((uint64_t)i, i, NULL);
                flight_pop(flight);
        }
}
END_TEST

START_TEST(test_errors) {
        FlightEvent e;
        int directory = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

        ck_assert_int_eq(flight_read(flight, -1), -EBADF);
        ck_assert_int_eq(flight_read(flight, directory), -EISDIR);
        close(directory);
        ck_assert(!flight_is_drained(flight));
        ck_assert_uint_eq(flight_empty_nsec(flight), 0);
        ck_assert_int_eq(flight_next_read(flight, &e), 0);
        ck_assert_int_eq(flight_peek(flight, &e), 0);
        flight_close_pidfds(flight);
}
END_TEST

/* While nothing is in flight at a read, one chunk goes round. */
START_TEST(test_steady_state) {
        const void *first = NULL;
        FlightEvent e;

        for (int i = 0; i < 100; i++) {
                add_bytes(fixtures[i % N_FIXTURES].bytes, fixtures[i % N_FIXTURES].n_bytes);
                send_packet();
                ck_assert_int_gt(flight_read(flight, group[0]), 0);
                for (int k = 0; flight_next_read(flight, &e) > 0; k++) {
                        const void *at = e.fan.target.bytes;

                        /* Fixtures without a target teach nothing here. */
                        if (k > 0 || !at || i % N_FIXTURES != 0)
                                continue;
                        if (!first)
                                first = at;
                        ck_assert_ptr_eq(at, first);
                }
                while (flight_peek(flight, &e) > 0)
                        flight_pop(flight);
        }
        ck_assert_ptr_nonnull(first);
}
END_TEST

#define N_SMALL 20000

/* Read one by one, each event costs little more than its bytes, and stays where it is. */
START_TEST(test_small_reads) {
        static const void *targets[N_SMALL];
        const size_t before = mallinfo2().uordblks;
        FlightEvent e;

        for (size_t i = 0; i < N_SMALL; i++) {
                memcpy(packet, fixtures[0].bytes, fixtures[0].n_bytes);
                if (send(group[1], packet, fixtures[0].n_bytes, 0) < 0 ||
                    flight_read(flight, group[0]) != (int)fixtures[0].n_bytes)
                        ck_abort_msg("read %zu", i);
                while (flight_next_read(flight, &e) > 0)
                        targets[i] = e.fan.target.bytes;
                flight_attach(flight, &targets[i]);
        }
        /* Not counted under AddressSanitizer. */
        ck_assert_uint_lt(mallinfo2().uordblks,
                          before + FLIGHT_CHUNK_BYTES * 2 + N_SMALL * (fixtures[0].n_bytes + 256));
        for (size_t i = 0; i < N_SMALL; i++) {
                for (size_t k = 0; k < fixtures[0].n_events; k++) {
                        if (flight_peek(flight, &e) != 1)
                                ck_abort_msg("peek %zu", i);
                        flight_pop(flight);
                }
                if (e.fan.target.bytes != targets[i] || e.attachment != &targets[i])
                        ck_abort_msg("moved %zu", i);
        }
        ck_assert_uint_eq(flight_n_events(flight), 0);
}
END_TEST

/* One event of any size up to a full read's. Return: as flight_read(). */
static int read_event(int32_t pid, size_t n_bytes) {
        FlightEvent e;
        int r;

        add_event(pid, -1, n_bytes - 24);
        if (send(group[1], packet, n_packet, 0) < 0)
                ck_abort_msg("send");
        n_packet = 0;
        r = flight_read(flight, group[0]);
        while (r > 0 && flight_next_read(flight, &e) > 0)
                ;
        return r;
}

/* At the bound the head has to leave first; what was read is whole, in large chunks and small. */
START_TEST(test_max_bytes) {
        static const size_t sizes[] = {65536, 64, 20000, 16384, 16388, 40004, 65532, 65536};
        size_t sum = 0;
        int32_t n = 0, left = 0;
        FlightEvent e;
        int r;

        mallopt(M_PERTURB, 0); /* a quarter of a gigabyte */
        while ((r = read_event(n, sizes[(size_t)n % 8])) > 0) {
                sum += sizes[(size_t)n % 8];
                n++;
        }
        ck_assert_int_eq(r, -ENOBUFS);
        ck_assert_uint_le(sum, FLIGHT_MAX_BYTES);
        ck_assert_uint_gt(sum, FLIGHT_MAX_BYTES / 100 * 98);
        ck_assert_int_eq(flight_read(flight, group[0]), -ENOBUFS);

        /* What could not be read was left in the queue. */
        for (; left < 8; left++) {
                expect_head((uint64_t)left, left, NULL);
                flight_pop(flight);
        }
        ck_assert_uint_eq(take(0), 1);
        ck_assert_int_eq(flight_read(flight, group[0]), 0);
        for (; left <= n; left++) {
                if (flight_peek(flight, &e) != 1 || e.fan.pid != left)
                        ck_abort_msg("event %d", left);
                flight_pop(flight);
        }
        ck_assert_int_eq(flight_peek(flight, &e), 0);
}
END_TEST

/* What nobody wants is passed over, wherever it stands, and leaves nothing behind. */
START_TEST(test_dropped) {
        FlightEvent e;

        for (int packet_number = 0; packet_number < 3; packet_number++) {
                for (int i = 0; i < 4; i++)
                        add_event(10 * packet_number + i, -1, 0);
                send_packet();
                ck_assert_int_gt(flight_read(flight, group[0]), 0);
                for (int i = 0; flight_next_read(flight, &e) > 0; i++) {
                        /* All of the second. */
                        if (packet_number == 1 || i != 2)
                                flight_drop(flight);
                        else
                                flight_set_gone(flight);
                }
                flight_close_pidfds(flight);
        }
        ck_assert_uint_eq(flight_n_events(flight), 2);
        ck_assert_int_eq(flight_peek(flight, &e), 1);
        ck_assert_int_eq(e.fan.pid, 2);
        ck_assert_uint_eq(e.position, 2);
        ck_assert(e.is_gone);
        flight_pop(flight);
        ck_assert_int_eq(flight_peek(flight, &e), 1);
        ck_assert_int_eq(e.fan.pid, 22);
        ck_assert_uint_eq(e.position, 10);
        flight_pop(flight);
        ck_assert_int_eq(flight_peek(flight, &e), 0);
        add_event(30, -1, 0);
        send_packet();
        ck_assert_uint_eq(take(0), 1);
        ck_assert_int_eq(flight_peek(flight, &e), 1);
        ck_assert_int_eq(e.fan.pid, 30);
        ck_assert(!e.is_gone);
}
END_TEST

int main(void) {
        TCase *tcase = tcase_create("flight");

        tcase_add_checked_fixture(tcase, setup, teardown);
        tcase_add_test(tcase, test_kernel_bytes);
        tcase_add_test(tcase, test_dropped);
        tcase_add_test(tcase, test_queue);
        tcase_add_test(tcase, test_for_each);
        tcase_add_test(tcase, test_peek_between);
        tcase_add_test(tcase, test_round_and_round);
        tcase_add_test(tcase, test_drained);
        tcase_add_test(tcase, test_many_events);
        tcase_add_test(tcase, test_errors);
        tcase_add_test(tcase, test_steady_state);
        tcase_add_test(tcase, test_small_reads);
        tcase_add_test(tcase, test_max_bytes);
        return unit_run("flight", tcase);
}
