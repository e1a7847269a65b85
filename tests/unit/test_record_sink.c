/* SPDX-License-Identifier: MIT */

/* Records numbered, rendered and written in batches. */

#include "sink/record_sink.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "fixtures_deleter.h"
#include "sink/line_sink.h"
#include "unit.h"

static const HostFacts host = {.name = "box", .boot_id = "bid", .run_id = "rid"};

static UserNames *names;
static LineSink *lines;
static RecordSink *sink;
static int fds[2];
static uint64_t n_expected; /* sequence of the next line */

static void setup_as(bool is_text) {
        signal(SIGPIPE, SIG_IGN);
        n_expected = 1;
        ck_assert_int_eq(pipe2(fds, O_CLOEXEC), 0);
        ck_assert_int_eq(user_names_new(&names), 0);
        if (is_text)
                ck_assert_int_eq(line_sink_new_text(fds[1], (RecordTextOptions){0}, names, &lines),
                                 0);
        else
                ck_assert_int_eq(line_sink_new_json(fds[1], &host, names, &lines), 0);
        ck_assert_int_eq(record_sink_new(&line_sink_kind, lines, 0, &sink), 0);
}

static void teardown(void) {
        sink = record_sink_free(sink);
        names = user_names_free(names);
        cleanup_close(&fds[0]);
        cleanup_close(&fds[1]);
        ck_assert_ptr_null(record_sink_free(NULL));
}

static void setup(void) {
        setup_as(false);
}

static Record news(const char *message) {
        return (Record){.action = RECORD_COVERAGE, .realtime_nsec = 1, .message = message};
}

static size_t n_pending(void) {
        return record_sink_n_pending(sink);
}

/* Reads what is there; each line must be whole and have the next number. */
static size_t read_lines(void) {
        static char bytes[256 * 1024];
        static size_t n_bytes;
        struct pollfd p = {.fd = fds[0], .events = POLLIN};
        char *line, *end;
        size_t n_lines = 0;

        while (poll(&p, 1, 0) > 0 && (p.revents & POLLIN)) {
                ssize_t n = read(fds[0], bytes + n_bytes, sizeof(bytes) - n_bytes);

                ck_assert_int_gt(n, 0);
                n_bytes += (size_t)n;
                for (line = bytes; (end = memchr(line, '\n', n_bytes - (size_t)(line - bytes)));
                     line = end + 1) {
                        char id[64];

                        snprintf(id, sizeof(id), "\"sequence\":%llu,\"id\":\"bid-rid-0.0\"}",
                                 (unsigned long long)n_expected++);
                        ck_assert_ptr_nonnull(memmem(line, (size_t)(end - line), id, strlen(id)));
                        ck_assert_int_eq(line[0], '{');
                        n_lines++;
                }
                n_bytes -= (size_t)(line - bytes);
                memmove(bytes, line, n_bytes);
        }
        return n_lines;
}

START_TEST(test_numbers) {
        Record r = news("x");

        for (uint64_t i = 1; i <= 10; i++) {
                r.sequence = 99;
                ck_assert_int_eq(record_sink_put(sink, &r), 0);
                ck_assert_uint_eq(r.sequence, i);
        }
        /* A few are not worth a write. */
        ck_assert_uint_eq(read_lines(), 0);
        ck_assert_uint_gt(n_pending(), 0);
        ck_assert_int_eq(record_sink_flush(sink), 0);
        ck_assert_uint_eq(read_lines(), 10);
        ck_assert(!record_sink_is_for_people(sink));
}
END_TEST

START_TEST(test_batches) {
        Record r = news("x");
        size_t n = 0, n_lines;

        while (n_pending() > 0 || n == 0) {
                ck_assert_uint_lt(n_pending(), STREAM_SINK_BATCH_BYTES);
                ck_assert_int_eq(record_sink_put(sink, &r), 0);
                n++;
                /* The last may not fit into the pipe with all the others. */
                if (n_pending() < 1000 && n > 10)
                        break;
        }
        n_lines = read_lines();
        ck_assert_uint_gt(n_lines, 10);
        ck_assert_int_eq(record_sink_flush(sink), 0);
        ck_assert_uint_eq(n_lines + read_lines(), n);
}
END_TEST

/* A slow reader is not the record's fault: all are kept until the sink is full and beyond. */
START_TEST(test_slow_reader) {
        Record r = news("x");
        size_t n = 0, n_lines = 0;

        while (!record_sink_is_full(sink) || n % 100 != 0) {
                ck_assert_int_eq(record_sink_put(sink, &r), 0);
                n++;
        }
        while (n_pending() > 0) {
                int e = record_sink_flush(sink);

                ck_assert(e == 0 || e == -EAGAIN);
                n_lines += read_lines();
        }
        ck_assert_uint_eq(n_lines, n);
}
END_TEST

START_TEST(test_nobody_reads) {
        Record r = news("x");
        int e;

        close(fds[0]);
        fds[0] = -1;
        while ((e = record_sink_put(sink, &r)) == 0)
                ck_assert_uint_lt(r.sequence, 100000);
        ck_assert_int_eq(e, -EPIPE);
}
END_TEST

/* Nothing of a record that does not fit is in the stream; its number is missing. */
START_TEST(test_no_memory) {
        Buffer *b = stream_sink_buffer(line_sink_stream(lines));
        Record r = news("x");
        size_t n;

        ck_assert_int_eq(record_sink_put(sink, &r), 0);
        n = b->n_bytes;
        b->is_failed = true; /* as an append that ran out of memory leaves it */
        ck_assert_int_eq(record_sink_put(sink, &r), -ENOMEM);
        ck_assert_uint_eq(b->n_bytes, n);
        ck_assert_uint_eq(r.sequence, 2);
        ck_assert_int_eq(record_sink_flush(sink), 0);
        ck_assert_uint_eq(read_lines(), 1);
        ck_assert_int_eq(record_sink_put(sink, &r), 0);
        ck_assert_uint_eq(r.sequence, 3);
        n_expected = 3;
        ck_assert_int_eq(record_sink_flush(sink), 0);
        ck_assert_uint_eq(read_lines(), 1);
}
END_TEST

/* What is out for good: all up to some record, not what waits or is in a fold. */
START_TEST(test_accepted) {
        ProcessFactsParts p = fixture_parts();
        Deleter *d = fixture_deleter(1, ATTRIBUTION_LIVE, 1, &p, NULL);
        Record r = {.action = RECORD_UNLINK,
                    .realtime_nsec = UINT64_C(1000000000),
                    .path = {.name = "x", .n_name = 1},
                    .deleter = d};
        Record other = news("x");

        teardown();
        setup_as(false);
        sink = record_sink_free(sink);
        ck_assert_int_eq(line_sink_new_json(fds[1], &host, names, &lines), 0);
        ck_assert_int_eq(record_sink_new(&line_sink_kind, lines, 2, &sink), 0);
        ck_assert_uint_eq(record_sink_n_accepted(sink), 0);
        ck_assert_int_eq(record_sink_put(sink, &r), 0);
        ck_assert_int_eq(record_sink_put(sink, &r), 0);
        ck_assert_uint_eq(record_sink_n_put(sink), 2);
        ck_assert_uint_eq(record_sink_n_accepted(sink), 0);
        ck_assert_int_eq(record_sink_flush(sink), 0);
        ck_assert_uint_eq(record_sink_n_accepted(sink), 2);
        /* Into a fold. */
        ck_assert_int_eq(record_sink_put(sink, &r), 0);
        ck_assert_int_eq(record_sink_put(sink, &r), 0);
        ck_assert_int_eq(record_sink_put(sink, &other), 0);
        ck_assert_uint_eq(other.sequence, 3);
        ck_assert_int_eq(record_sink_flush(sink), 0);
        ck_assert_uint_eq(record_sink_n_put(sink), 5);
        ck_assert_uint_eq(record_sink_n_accepted(sink), 2);
        ck_assert_uint_eq(record_sink_n_pending(sink), 0);
        ck_assert_int_eq(record_sink_end_folds(sink), 0);
        ck_assert_uint_gt(record_sink_n_pending(sink), 0);
        ck_assert_uint_eq(record_sink_n_accepted(sink), 2);
        ck_assert_int_eq(record_sink_flush(sink), 0);
        ck_assert_uint_eq(record_sink_n_accepted(sink), 5);
        deleter_unref(d);
}
END_TEST

/* A fold comes out by itself once its process is quiet. */
START_TEST(test_fold_of_a_quiet_process) {
        ProcessFactsParts p = fixture_parts();
        Deleter *d = fixture_deleter(1, ATTRIBUTION_LIVE, 1, &p, NULL);
        Record r = {.action = RECORD_UNLINK,
                    .realtime_nsec = UINT64_C(1000000000),
                    .path = {.name = "x", .n_name = 1},
                    .deleter = d};

        sink = record_sink_free(sink);
        ck_assert_int_eq(line_sink_new_json(fds[1], &host, names, &lines), 0);
        ck_assert_int_eq(record_sink_new(&line_sink_kind, lines, 1, &sink), 0);
        ck_assert_int_eq(record_sink_put(sink, &r), 0);
        ck_assert_int_eq(record_sink_flush(sink), 0);
        ck_assert_uint_eq(record_sink_n_accepted(sink), 1);
        ck_assert_int_eq(record_sink_put(sink, &r), 0);
        ck_assert_int_eq(record_sink_flush(sink), 0);
        ck_assert_uint_eq(record_sink_n_accepted(sink), 1);
        for (int i = 0; i < 300 && record_sink_n_accepted(sink) < 2; i++) {
                usleep(100 * 1000);
                ck_assert_int_eq(record_sink_flush(sink), 0);
        }
        ck_assert_uint_eq(record_sink_n_accepted(sink), 2);
        deleter_unref(d);
}
END_TEST

START_TEST(test_text) {
        Record r = news("it is watched");
        char bytes[256] = "";

        teardown();
        setup_as(true);
        ck_assert(record_sink_is_for_people(sink));
        record_sink_set_columns(sink, 40);
        ck_assert_int_eq(record_sink_put(sink, &r), 0);
        ck_assert_int_eq(record_sink_flush(sink), 0);
        ck_assert_int_gt(read(fds[0], bytes, sizeof(bytes) - 1), 0);
        ck_assert_ptr_nonnull(strstr(bytes, "coverage  it is watched\n"));
}
END_TEST

START_TEST(test_errors) {
        LineSink *s = NULL;

        ck_assert_int_eq(line_sink_new_json(-1, &host, names, &s), -EBADF);
        ck_assert_int_eq(line_sink_new_text(-1, (RecordTextOptions){0}, names, &s), -EBADF);
        ck_assert_ptr_null(s);
}
END_TEST

int main(void) {
        TCase *tcase = tcase_create("record_sink");

        tcase_add_checked_fixture(tcase, setup, teardown);
        tcase_add_test(tcase, test_numbers);
        tcase_add_test(tcase, test_batches);
        tcase_add_test(tcase, test_slow_reader);
        tcase_add_test(tcase, test_nobody_reads);
        tcase_add_test(tcase, test_no_memory);
        tcase_add_test(tcase, test_accepted);
        tcase_add_test(tcase, test_fold_of_a_quiet_process);
        tcase_add_test(tcase, test_text);
        tcase_add_test(tcase, test_errors);
        return unit_run("record_sink", tcase);
}
