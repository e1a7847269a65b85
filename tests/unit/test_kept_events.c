/* SPDX-License-Identifier: MIT */

/* The ring that outlives the process: taken over at any moment, and whatever it holds. */

#include "capture/kept_events.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fanotify.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "capture/flight.h"
#include "fixtures_fan_event.h"
#include "unit.h"

#define ROOM 65536

static KeptEvents *kept;

static void make(void) {
        const KeptStream stream = {
                .stream = 3, .device = 45, .features = 15, .point = "/tmp", .fstype = "tmpfs"};

        ck_assert_int_eq(kept_events_new(&stream, &kept), 0);
}

static void teardown(void) {
        kept = kept_events_free(kept);
}

/* What a later process sees: the same memory, opened anew. This one goes on. */
static KeptEvents *reopen(void) {
        KeptEvents *k = NULL;
        int fd = fcntl(kept_events_fd(kept), F_DUPFD_CLOEXEC, 3);

        ck_assert_int_eq(kept_events_open(fd, &k), 0);
        return k;
}

/* A read of n events of so many bytes each, that bear their positions as pids. */
static size_t fill(uint8_t *at, size_t n_events, uint32_t n_bytes, uint64_t position) {
        for (size_t i = 0; i < n_events; i++) {
                struct fanotify_event_metadata m = {
                        .event_len = n_bytes,
                        .vers = FANOTIFY_METADATA_VERSION,
                        .metadata_len = sizeof(m),
                        .mask = FAN_DELETE,
                        .fd = -1,
                        .pid = (int32_t)(position + i),
                };

                memset(at, 0xee, n_bytes);
                memcpy(at, &m, sizeof(m));
                at += n_bytes;
        }
        return n_events * n_bytes;
}

static bool add(size_t n_events, uint32_t n_bytes) {
        uint8_t *at = kept_events_begin(kept, ROOM, (KeptEntry){.realtime_nsec = 1});
        KeptEntry e = {.realtime_nsec = 10, .monotonic_nsec = 20, .empty_monotonic_nsec = 15};

        if (!at)
                return false;
        /* Each byte is like the one before it, and the first is 0. */
        ck_assert(at[0] == 0 && memcmp(at, at + 1, ROOM - 1) == 0);
        e.n_bytes = (uint32_t)fill(at, n_events, n_bytes, kept_events_header(kept)->next_position);
        kept_events_commit(kept, &e, n_events);
        return true;
}

/* Positions from..end-1, in this order, in what a later process finds. */
static void expect(uint64_t from, uint64_t end) {
        KeptEvents *k = reopen();
        const uint8_t *bytes;
        bool is_right = true;
        KeptEntry e;

        ck_assert_uint_eq(kept_events_header(k)->next_position, end);
        while (kept_events_next(k, &e, &bytes) > 0) {
                uint64_t position = e.first_position;
                struct fanotify_event_metadata m;

                for (size_t at = 0; at < e.n_bytes; at += m.event_len, position++) {
                        memcpy(&m, bytes + at, sizeof(m));
                        is_right = is_right && m.pid == (int32_t)position;
                        if (position < kept_events_header(k)->done_position)
                                continue;
                        is_right = is_right && position == from;
                        from++;
                }
        }
        ck_assert(is_right);
        ck_assert_uint_eq(from, end);
        kept_events_free(k);
}

START_TEST(test_header) {
        KeptEvents *k;
        const KeptHeader *h;

        make();
        k = reopen();
        h = kept_events_header(k);
        ck_assert_uint_eq(h->stream, 3);
        ck_assert_uint_eq(h->device, 45);
        ck_assert_uint_eq(h->features, 15);
        ck_assert_str_eq(h->point, "/tmp");
        ck_assert_str_eq(h->fstype, "tmpfs");
        ck_assert_uint_eq(kept_events_position(k), 0);
        kept_events_free(k);
        expect(0, 0);
}
END_TEST

START_TEST(test_done) {
        make();
        ck_assert(add(10, 40));
        ck_assert(add(1, 24));
        ck_assert(add(100, 48));
        expect(0, 111);
        kept_events_done(kept, 4);
        expect(4, 111);
        kept_events_done(kept, 10);
        expect(10, 111);
        /* Backwards is nowhere. */
        kept_events_done(kept, 3);
        expect(10, 111);
        kept_events_done(kept, 50);
        expect(50, 111);
        kept_events_done(kept, 111);
        expect(111, 111);
        ck_assert_uint_eq(kept_events_n_used(kept), 0);
        ck_assert(add(2, 32));
        expect(111, 113);
}
END_TEST

START_TEST(test_cancel) {
        make();
        ck_assert_ptr_nonnull(kept_events_begin(kept, ROOM, (KeptEntry){0}));
        expect(0, 0);
        kept_events_cancel(kept);
        expect(0, 0);
        ck_assert(add(2, 32));
        ck_assert_ptr_nonnull(kept_events_begin(kept, ROOM, (KeptEntry){0}));
        kept_events_cancel(kept);
        expect(0, 2);
}
END_TEST

/* The process ended while the kernel was writing, after each of its events. */
START_TEST(test_torn) {
        for (size_t n = 0; n < 5; n++) {
                KeptEvents *k;
                uint8_t *at;

                make();
                ck_assert(add(3, 32));
                at = kept_events_begin(kept, ROOM, (KeptEntry){.realtime_nsec = 7});
                fill(at, n, 48, 3);
                expect(0, 3 + n);
                /* Whoever took it over goes on behind it. */
                k = reopen();
                kept_events_free(kept);
                kept = k;
                for (KeptEntry e; kept_events_next(kept, &e, (const uint8_t **)&at) > 0;)
                        if (e.first_position == 3)
                                ck_assert(e.realtime_nsec == 7 && e.monotonic_nsec > 0);
                ck_assert(add(2, 40));
                expect(0, 5 + n);
                teardown();
        }
}
END_TEST

/* Many times round, with something left in it all the time. */
START_TEST(test_round) {
        uint64_t end = 0, done = 0;

        make();
        for (int i = 0; i < 12000; i++) {
                ck_assert(add(1000, 56 + 8 * (uint32_t)(i % 2)));
                end += 1000;
                if (i % 3 > 0 || end - done > 3000000)
                        done = end - 500 - (uint64_t)(i % 7) * 1000;
                if (end > 10000)
                        kept_events_done(kept, done);
                if (i % 1500 == 0)
                        expect(kept_events_header(kept)->done_position, end);
        }
        expect(kept_events_header(kept)->done_position, end);
}
END_TEST

START_TEST(test_full) {
        uint64_t end = 0;

        make();
        while (add(1000, 64))
                end += 1000;
        ck_assert_uint_ge(kept_events_n_used(kept), KEPT_EVENTS_RING_BYTES - 4 * ROOM);
        expect(0, end);
        ck_assert(!add(1, 64));
        /* Room comes in pieces. */
        kept_events_done(kept, end / 2);
        ck_assert(add(1000, 64));
        expect(end / 2, end + 1000);
        kept_events_done(kept, end + 1000);
        ck_assert_uint_eq(kept_events_n_used(kept), 0);
}
END_TEST

/* A reader of events finds what the one before it had not told, and what comes then behind it. */
START_TEST(test_flight) {
        KeptEvents *k;
        FlightEvent e;
        Flight *f;
        int fds[2];

        make();
        ck_assert(add(4, 24));
        ck_assert(add(4, 24));
        kept_events_done(kept, 2);
        ck_assert_int_eq(pipe2(fds, O_CLOEXEC | O_NONBLOCK), 0);
        ck_assert_int_eq(write(fds[1], unlink_bytes, sizeof(unlink_bytes)), sizeof(unlink_bytes));
        k = reopen();
        ck_assert_int_eq(flight_new_kept(false, k, &f), 0);
        ck_assert_uint_eq(flight_position(f), 2);
        for (uint64_t i = 2; i < 8; i++) {
                if (i == 2 || i == 4)
                        ck_assert_int_eq(flight_read(f, fds[0]), 4 * 24);
                ck_assert_int_eq(flight_next_read(f, &e), 1);
                ck_assert_uint_eq(e.position, i);
                ck_assert_int_eq(e.fan.pid, (int)i);
                ck_assert_uint_eq(e.realtime_nsec, 10);
                ck_assert_uint_eq(e.monotonic_nsec, 20);
                ck_assert_uint_eq(e.empty_monotonic_nsec, 15);
                if (i == 3)
                        ck_assert_int_eq(flight_next_read(f, &e), 0);
        }
        ck_assert_int_eq(flight_next_read(f, &e), 0);
        ck_assert(!flight_is_drained(f));
        ck_assert_int_eq(flight_read(f, fds[0]), sizeof(unlink_bytes));
        ck_assert_int_eq(flight_next_read(f, &e), 1);
        ck_assert_uint_eq(e.position, 8);
        ck_assert_int_eq(flight_next_read(f, &e), 1);
        while (flight_peek(f, &e) > 0) {
                ck_assert_uint_eq(flight_position(f), e.position);
                flight_pop(f);
        }
        ck_assert_uint_eq(flight_position(f), 10);
        flight_done(f, 10);
        ck_assert_uint_eq(kept_events_n_used(k), 0);
        flight_free(f);
        close(fds[0]);
        close(fds[1]);
}
END_TEST

/* Of the process that read it: here it would be another descriptor, which must not be closed. */
START_TEST(test_descriptors) {
        static const struct {
                struct fanotify_event_metadata metadata;
                struct fanotify_event_info_header header;
                int32_t pidfd;
        } open_pidfd = {
                .metadata = {.event_len = sizeof(open_pidfd),
                             .vers = FANOTIFY_METADATA_VERSION,
                             .metadata_len = sizeof(open_pidfd.metadata),
                             .mask = FAN_DELETE,
                             .fd = -1,
                             .pid = 5},
                .header = {.info_type = 4, .len = 8},
                .pidfd = STDERR_FILENO,
        };
        FlightEvent e;
        KeptEntry entry = {.n_bytes = sizeof(open_pidfd), .monotonic_nsec = 1};
        Flight *f;

        make();
        memcpy(kept_events_begin(kept, ROOM, (KeptEntry){0}), &open_pidfd, sizeof(open_pidfd));
        kept_events_commit(kept, &entry, 1);
        ck_assert_int_eq(flight_new_kept(false, reopen(), &f), 0);
        ck_assert_int_eq(flight_read(f, -1), sizeof(open_pidfd));
        ck_assert_int_eq(flight_next_read(f, &e), 1);
        ck_assert_int_eq(e.fan.pidfd, -1);
        ck_assert_int_eq(e.fan.pidfd_state, FAN_PIDFD_FAILED);
        flight_close_pidfds(f);
        ck_assert_int_ge(fcntl(STDERR_FILENO, F_GETFD), 0);
        ck_assert_int_eq(flight_peek(f, &e), 1);
        flight_pop(f);
        flight_free(f);
}
END_TEST

static int open_changed(size_t at, const void *bytes, size_t n_bytes) {
        KeptEvents *k = NULL;
        int fd = fcntl(kept_events_fd(kept), F_DUPFD_CLOEXEC, 3), r;

        ck_assert_int_eq(pwrite(fd, bytes, n_bytes, (off_t)at), (ssize_t)n_bytes);
        r = kept_events_open(fd, &k);
        if (r < 0)
                close(fd);
        kept_events_free(k);
        return r;
}

START_TEST(test_refused) {
        const uint32_t version = KEPT_EVENTS_VERSION + 1, magic = 0x12345678, huge = UINT32_MAX;
        const uint64_t odd = 4, far = KEPT_EVENTS_RING_BYTES, zero = 0;
        char point[1024];
        KeptEvents *k;
        int fd;

        memset(point, 'x', sizeof(point));
        make();
        ck_assert(add(4, 32));
        ck_assert_int_eq(open_changed(offsetof(KeptHeader, version), &version, 4), -EPROTO);
        teardown();
        make();
        ck_assert_int_eq(open_changed(0, "x", 1), -EBADMSG);
        teardown();
        make();
        ck_assert_int_eq(open_changed(offsetof(KeptHeader, first), &odd, 8), -EBADMSG);
        ck_assert_int_eq(open_changed(offsetof(KeptHeader, first), &far, 8), -EBADMSG);
        teardown();
        make();
        ck_assert_int_eq(open_changed(offsetof(KeptHeader, stream), &zero, 8), -EBADMSG);
        teardown();
        make();
        ck_assert_int_eq(open_changed(offsetof(KeptHeader, point), point, sizeof(point)), -EBADMSG);
        teardown();
        make();
        ck_assert(add(4, 32));
        ck_assert_int_eq(open_changed(KEPT_EVENTS_HEADER_BYTES, &magic, 4), -EBADMSG);
        teardown();
        make();
        ck_assert(add(4, 32));
        ck_assert_int_eq(open_changed(KEPT_EVENTS_HEADER_BYTES + 4, &huge, 4), -EBADMSG);
        teardown();
        /* One that could be made shorter while it is read. */
        make();
        fd = memfd_create("unsealed", MFD_CLOEXEC | MFD_ALLOW_SEALING);
        ck_assert_int_eq(ftruncate(fd, 8192), 0);
        ck_assert_int_eq(kept_events_open(fd, &k), -EPERM);
        ck_assert_int_eq(fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK), 0);
        ck_assert_int_eq(kept_events_open(fd, &k), -EBADMSG);
        close(fd);
}
END_TEST

/* A ring of wraps that lead to each other ends. */
START_TEST(test_circle) {
        const KeptEntry wrap = {.magic = KEPT_ENTRY_WRAP};
        const uint64_t zero = 0;

        make();
        ck_assert_int_eq(
                pwrite(kept_events_fd(kept), &wrap, sizeof(wrap), KEPT_EVENTS_HEADER_BYTES),
                sizeof(wrap));
        ck_assert_int_eq(open_changed(offsetof(KeptHeader, first), &zero, 8), -EBADMSG);
}
END_TEST

int main(void) {
        TCase *tcase = tcase_create("kept_events");

        tcase_set_timeout(tcase, 60);
        tcase_add_checked_fixture(tcase, NULL, teardown);
        tcase_add_test(tcase, test_header);
        tcase_add_test(tcase, test_done);
        tcase_add_test(tcase, test_cancel);
        tcase_add_test(tcase, test_torn);
        tcase_add_test(tcase, test_round);
        tcase_add_test(tcase, test_full);
        tcase_add_test(tcase, test_flight);
        tcase_add_test(tcase, test_descriptors);
        tcase_add_test(tcase, test_refused);
        tcase_add_test(tcase, test_circle);
        return unit_run("kept_events", tcase);
}
