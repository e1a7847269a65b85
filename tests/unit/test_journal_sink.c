/* SPDX-License-Identifier: MIT */

/* The journal as a way out, before a socket of our own: nothing is waited for, nothing is lost. */

#include "sink/journal_sink.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "fixtures_journal_field.h"
#include "sink/record_sink.h"

static const HostFacts host = {
        .name = "box", .boot_id = "00000000000000000000000000000000", .run_id = "rid"};
static char directory[] = "/tmp/test_journal_sink.XXXXXX";
static struct sockaddr_un address = {.sun_family = AF_UNIX};
static UserNames *names;
static RecordSink *sink;
static int listener;

static void listen_there(void) {
        listener = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
        ck_assert_int_ge(listener, 0);
        ck_assert_int_eq(bind(listener, (struct sockaddr *)&address, sizeof(address)), 0);
}

static void setup(void) {
        JournalSink *journal;

        strcpy(directory + strlen(directory) - 6, "XXXXXX");
        ck_assert_ptr_nonnull(mkdtemp(directory));
        snprintf(address.sun_path, sizeof(address.sun_path), "%s/socket", directory);
        ck_assert_int_eq(user_names_new(&names), 0);
        ck_assert_int_eq(journal_sink_new(address.sun_path, &host, names, &journal), 0);
        ck_assert_int_eq(record_sink_new(&journal_sink_kind, journal, 0, &sink), 0);
        listener = -1;
}

static void teardown(void) {
        sink = record_sink_free(sink);
        names = user_names_free(names);
        cleanup_close(&listener);
        (void)unlink(address.sun_path);
        (void)rmdir(directory);
}

static void put(const char *message) {
        Record r = {.action = RECORD_COVERAGE, .realtime_nsec = 1, .message = message};

        ck_assert_int_eq(record_sink_put(sink, &r), 0);
}

/* Is there something to do within so many milliseconds? */
static bool is_ready(int msec) {
        struct pollfd p = {.fd = record_sink_fd(sink), .events = POLLIN};

        ck_assert_uint_eq(record_sink_events(sink), EPOLLIN);
        return poll(&p, 1, msec) == 1;
}

/* The next entry must have this number. */
static void expect(const char *sequence) {
        _cleanup_buffer_ Buffer entry = {0};
        const char *value;
        size_t n;
        ssize_t n_received;

        ck_assert_int_eq(buffer_reserve(&entry, 64 * 1024), 0);
        n_received = recv(listener, entry.bytes, 64 * 1024, MSG_DONTWAIT);
        ck_assert_int_gt(n_received, 0);
        entry.n_bytes = (size_t)n_received;
        value = fixture_value(&entry, "DELETION_SEQUENCE", &n);
        ck_assert_uint_eq(n, strlen(sequence));
        ck_assert_mem_eq(value, sequence, n);
        ck_assert_ptr_nonnull(fixture_value(&entry, "MESSAGE", &n));
        ck_assert_ptr_nonnull(fixture_value(&entry, "DELETION_DELIVERY", &n));
        ck_assert_uint_eq(n, 32);
}

START_TEST(test_socket_that_comes_late) {
        put("a");
        put("b");
        ck_assert_uint_gt(record_sink_n_pending(sink), 0);
        ck_assert_int_eq(record_sink_flush(sink), -EAGAIN);
        listen_there();
        ck_assert(is_ready(10 * 1000));
        ck_assert_int_eq(record_sink_flush(sink), -EAGAIN);
        expect("1");
        expect("2");
        /* Sent, but not known to be stored: kept. */
        ck_assert_uint_gt(record_sink_n_pending(sink), 0);
        ck_assert(!record_sink_is_for_people(sink));
        ck_assert_str_eq(record_sink_name(sink), "the journal");
}
END_TEST

/* The queue of the socket is full, then there is room: that is what it waits for. */
START_TEST(test_slow_journal) {
        size_t n = 0;
        char sequence[24];

        listen_there();
        for (; n < 2000; n++)
                put("x");
        ck_assert_int_eq(record_sink_flush(sink), -EAGAIN);
        for (size_t i = 1; i <= n; i++) {
                snprintf(sequence, sizeof(sequence), "%zu", i);
                expect(sequence);
                /* As often as not there is nothing to do but to look what is stored. */
                if (i % 5 == 0) {
                        ck_assert(is_ready(10 * 1000));
                        ck_assert_int_eq(record_sink_flush(sink), -EAGAIN);
                }
        }
}
END_TEST

START_TEST(test_full) {
        size_t n_bytes = 0;

        while (!record_sink_is_full(sink)) {
                put("x");
                ck_assert_uint_gt(record_sink_n_pending(sink), n_bytes);
                n_bytes = record_sink_n_pending(sink);
                ck_assert_uint_lt(n_bytes, (size_t)64 * 1024 * 1024);
        }
}
END_TEST

START_TEST(test_is_stream) {
        char text[64];
        struct stat st;
        int fds[2];

        ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
        ck_assert_int_eq(fstat(fds[0], &st), 0);
        snprintf(text, sizeof(text), "%llu:%llu", (unsigned long long)st.st_dev,
                 (unsigned long long)st.st_ino);
        ck_assert(journal_sink_is_stream(fds[0], text));
        ck_assert(!journal_sink_is_stream(fds[1], text));
        ck_assert(!journal_sink_is_stream(fds[0], NULL));
        ck_assert(!journal_sink_is_stream(fds[0], ""));
        ck_assert(!journal_sink_is_stream(fds[0], "1:2"));
        strcat(text, "x");
        ck_assert(!journal_sink_is_stream(fds[0], text));
        ck_assert(!journal_sink_is_stream(-1, "0:0"));
        close(fds[0]);
        close(fds[1]);
}
END_TEST

int main(void) {
        TCase *tcase = tcase_create("journal_sink");

        tcase_add_checked_fixture(tcase, setup, teardown);
        tcase_add_test(tcase, test_socket_that_comes_late);
        tcase_add_test(tcase, test_slow_journal);
        tcase_add_test(tcase, test_full);
        tcase_add_test(tcase, test_is_stream);
        return unit_run("journal_sink", tcase);
}
