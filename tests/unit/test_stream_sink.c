/* SPDX-License-Identifier: MIT */

/* Bytes out without waiting: slow readers, none at all, and descriptors of each kind. */

#include "sink/stream_sink.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "unit.h"

static StreamSink *sink;
static int fds[2]; /* we read from 0, the sink writes to 1 */
static size_t n_put, n_got;

typedef enum Kind {
        KIND_PIPE,
        KIND_SOCKET,
        KIND_LOCKED_PIPE, /* cannot be opened anew */
        N_KINDS
} Kind;

static void setup(void) {
        signal(SIGPIPE, SIG_IGN);
        fds[0] = fds[1] = -1;
        n_put = n_got = 0;
}

static void teardown(void) {
        sink = stream_sink_free(sink);
        cleanup_close(&fds[0]);
        cleanup_close(&fds[1]);
        ck_assert_ptr_null(stream_sink_free(NULL));
}

/* Without the right to open the pipe anew, which root has whatever its mode is. */
static int new_without_rights(void) {
        const bool is_root = geteuid() == 0;
        int r;

        ck_assert_int_eq(fchmod(fds[1], 0), 0);
        if (is_root)
                ck_assert_int_eq(seteuid(65534), 0);
        r = stream_sink_new(fds[1], &sink);
        if (is_root) {
                ck_assert_int_eq(seteuid(0), 0);
                /* For the leak sanitizer: a change of user takes it away. */
                ck_assert_int_eq(prctl(PR_SET_DUMPABLE, 1), 0);
        }
        return r;
}

static void open_kind(Kind kind) {
        if (kind == KIND_SOCKET)
                ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
        else
                ck_assert_int_eq(pipe2(fds, O_CLOEXEC), 0);
        if (kind == KIND_LOCKED_PIPE)
                ck_assert_int_eq(new_without_rights(), 0);
        else
                ck_assert_int_eq(stream_sink_new(fds[1], &sink), 0);
        ck_assert_int_eq(stream_sink_fd(sink) == fds[1], kind != KIND_PIPE);
}

/* The stream is a sequence that repeats late: a byte lost, doubled or moved shows. */
static char byte_at(size_t i) {
        return (char)((i * 7 + i / 251) & 0xff);
}

static void put(size_t n) {
        for (size_t i = 0; i < n; i++)
                buffer_append_char(stream_sink_buffer(sink), byte_at(n_put++));
}

/* Takes up to n bytes and compares. Return: how many there were. */
static size_t get(size_t n) {
        static char bytes[128 * 1024];
        size_t n_before = n_got;

        while (n > 0) {
                struct pollfd p = {.fd = fds[0], .events = POLLIN};
                ssize_t k = 0;

                if (poll(&p, 1, 0) > 0 && (p.revents & POLLIN))
                        k = read(fds[0], bytes, n < sizeof(bytes) ? n : sizeof(bytes));
                if (k <= 0)
                        break;
                for (size_t i = 0; i < (size_t)k; i++)
                        if (bytes[i] != byte_at(n_got++))
                                ck_abort_msg("byte %zu is wrong", n_got - 1);
                n -= (size_t)k;
        }
        return n_got - n_before;
}

START_TEST(test_fast_reader) {
        open_kind((Kind)_i);
        ck_assert_int_eq(stream_sink_flush(sink), 0);
        for (size_t n = 1; n < 60000; n = n * 3 + 1) {
                put(n);
                ck_assert_uint_eq(stream_sink_n_pending(sink), n);
                /* A blocking pipe takes a page at a time. */
                while (stream_sink_flush(sink) == -EAGAIN)
                        get(SIZE_MAX);
                ck_assert_uint_eq(stream_sink_n_pending(sink), 0);
                get(SIZE_MAX);
                ck_assert_uint_eq(n_got, n_put);
        }
        ck_assert_uint_eq(stream_sink_buffer(sink)->n_bytes, 0);
}
END_TEST

/* It never waits; what is not taken stays, in order, and more may be put behind it. */
START_TEST(test_slow_reader) {
        size_t n_turns = 0;

        open_kind((Kind)_i);
        put(STREAM_SINK_FULL_BYTES / 2);
        ck_assert_int_eq(stream_sink_flush(sink), -EAGAIN);
        ck_assert_int_eq(stream_sink_flush(sink), -EAGAIN);
        ck_assert_uint_gt(stream_sink_n_pending(sink), 0);
        ck_assert_uint_lt(stream_sink_n_pending(sink), n_put);
        while (stream_sink_n_pending(sink) > 0) {
                struct pollfd p = {.fd = stream_sink_fd(sink), .events = POLLOUT};
                size_t n_pending = stream_sink_n_pending(sink);
                int r;

                if (n_turns++ < 100)
                        put(1000);
                ck_assert_uint_gt(get(10000 + n_turns % 7 * 1000), 0);
                r = stream_sink_flush(sink);
                ck_assert(r == 0 || r == -EAGAIN);
                ck_assert_int_eq(r == 0, stream_sink_n_pending(sink) == 0);
                ck_assert_uint_le(stream_sink_n_pending(sink), n_pending + 1000);
                /* What is told as writable is. */
                if (r < 0 && poll(&p, 1, 0) > 0) {
                        n_pending = stream_sink_n_pending(sink);
                        (void)stream_sink_flush(sink);
                        ck_assert_uint_lt(stream_sink_n_pending(sink), n_pending);
                }
        }
        get(SIZE_MAX);
        ck_assert_uint_eq(n_got, n_put);
}
END_TEST

START_TEST(test_full) {
        size_t n_taken;

        open_kind(KIND_PIPE);
        put(STREAM_SINK_FULL_BYTES - 1);
        ck_assert(!stream_sink_is_full(sink));
        put(1);
        ck_assert(stream_sink_is_full(sink));
        /* What is written counts no more, though it still stands in the buffer. */
        ck_assert_int_eq(stream_sink_flush(sink), -EAGAIN);
        ck_assert(!stream_sink_is_full(sink));
        n_taken = n_put - stream_sink_n_pending(sink);
        put(n_taken);
        ck_assert(stream_sink_is_full(sink));
        while (stream_sink_flush(sink) == -EAGAIN)
                get(SIZE_MAX);
        get(SIZE_MAX);
        ck_assert_uint_eq(n_got, n_put);
        ck_assert(!stream_sink_is_full(sink));
}
END_TEST

START_TEST(test_nobody_reads) {
        open_kind((Kind)_i);
        put(100);
        ck_assert_int_eq(stream_sink_flush(sink), 0);
        close(fds[0]);
        fds[0] = -1;
        put(100);
        ck_assert_int_eq(stream_sink_flush(sink), -EPIPE);
        ck_assert_int_eq(stream_sink_flush(sink), -EPIPE);
        ck_assert_uint_eq(stream_sink_n_pending(sink), 100);
}
END_TEST

/* He left while bytes were waiting. */
START_TEST(test_reader_leaves) {
        struct pollfd p;

        open_kind((Kind)_i);
        put(STREAM_SINK_FULL_BYTES / 2);
        ck_assert_int_eq(stream_sink_flush(sink), -EAGAIN);
        close(fds[0]);
        fds[0] = -1;
        p = (struct pollfd){.fd = stream_sink_fd(sink), .events = POLLOUT};
        ck_assert_int_eq(poll(&p, 1, 0), 1);
        ck_assert_int_eq(stream_sink_flush(sink), -EPIPE);
}
END_TEST

/* The descriptor is shared with others: it stays as it was, open and blocking. */
START_TEST(test_flags_are_left_alone) {
        int flags, fd_flags;

        open_kind((Kind)_i);
        flags = fcntl(fds[1], F_GETFL);
        fd_flags = fcntl(fds[1], F_GETFD);
        ck_assert_int_eq(flags & O_NONBLOCK, 0);
        put(STREAM_SINK_FULL_BYTES / 2);
        ck_assert_int_eq(stream_sink_flush(sink), -EAGAIN);
        ck_assert_int_eq(fcntl(fds[1], F_GETFL), flags);
        ck_assert_int_eq(fcntl(fds[1], F_GETFD), fd_flags);
        sink = stream_sink_free(sink);
        ck_assert_int_eq(fcntl(fds[1], F_GETFL), flags);
        ck_assert_int_eq(fcntl(fds[1], F_GETFD), fd_flags);
}
END_TEST

START_TEST(test_regular_file) {
        char path[] = "/tmp/unit_stream_sink.XXXXXX";
        int flags;

        fds[1] = mkostemp(path, O_CLOEXEC);
        ck_assert_int_ge(fds[1], 0);
        fds[0] = open(path, O_RDONLY | O_CLOEXEC);
        unlink(path);
        /* What others write through the same description stays in place. */
        ck_assert_int_eq(write(fds[1], "\0", 1), 1);
        ck_assert_int_eq(byte_at(0), '\0');
        n_put = 1;
        flags = fcntl(fds[1], F_GETFL);
        ck_assert_int_eq(stream_sink_new(fds[1], &sink), 0);
        ck_assert_int_eq(stream_sink_fd(sink), fds[1]);
        for (int i = 0; i < 3; i++) {
                put(STREAM_SINK_FULL_BYTES / 8 + 1);
                ck_assert_int_eq(stream_sink_flush(sink), 0);
                ck_assert_uint_eq(stream_sink_n_pending(sink), 0);
        }
        ck_assert_int_eq(fcntl(fds[1], F_GETFL), flags);
        get(SIZE_MAX);
        ck_assert_uint_eq(n_got, n_put);
}
END_TEST

START_TEST(test_other_descriptors) {
        ck_assert_int_eq(stream_sink_new(-1, &sink), -EBADF);
        fds[1] = open("/dev/null", O_WRONLY | O_CLOEXEC);
        ck_assert_int_eq(stream_sink_new(fds[1], &sink), 0);
        put(100000);
        ck_assert_int_eq(stream_sink_flush(sink), 0);
        stream_sink_free(sink);
        close(fds[1]);
        fds[1] = open("/dev/full", O_WRONLY | O_CLOEXEC);
        ck_assert_int_eq(stream_sink_new(fds[1], &sink), 0);
        put(10);
        ck_assert_int_eq(stream_sink_flush(sink), -ENOSPC);
        ck_assert_uint_eq(stream_sink_n_pending(sink), 10);
        /* Only for reading. */
        stream_sink_free(sink);
        close(fds[1]);
        fds[1] = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
        ck_assert_int_eq(stream_sink_new(fds[1], &sink), 0);
        put(10);
        ck_assert_int_eq(stream_sink_flush(sink), -EBADF);
}
END_TEST

int main(void) {
        TCase *tcase = tcase_create("stream_sink");

        tcase_add_checked_fixture(tcase, setup, teardown);
        tcase_add_loop_test(tcase, test_fast_reader, 0, N_KINDS);
        tcase_add_loop_test(tcase, test_slow_reader, 0, N_KINDS);
        tcase_add_test(tcase, test_full);
        tcase_add_loop_test(tcase, test_nobody_reads, 0, N_KINDS);
        tcase_add_loop_test(tcase, test_reader_leaves, 0, N_KINDS);
        tcase_add_loop_test(tcase, test_flags_are_left_alone, 0, N_KINDS);
        tcase_add_test(tcase, test_regular_file);
        tcase_add_test(tcase, test_other_descriptors);
        return unit_run("stream_sink", tcase);
}
