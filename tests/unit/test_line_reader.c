/* SPDX-License-Identifier: MIT */

/* Lines from a pipe, in pieces of every size. */

#include "query/line_reader.h"

#include <string.h>
#include <unistd.h>

#include "unit.h"

#define LINE_MAX_HERE 8

/* What a reader gives of a text, lines in brackets. */
static void read_all(const char *text, size_t n_text, Buffer *ret, size_t *ret_n_too_long) {
        _cleanup_line_reader_ LineReader l;
        const char *line;
        size_t n_line;
        int fds[2], r;

        ck_assert_int_eq(pipe(fds), 0);
        ck_assert_int_eq(write(fds[1], text, n_text), (ssize_t)n_text);
        close(fds[1]);
        line_reader_init(&l, fds[0], LINE_MAX_HERE);
        while ((r = line_reader_next(&l, &line, &n_line)) > 0) {
                buffer_append_char(ret, '[');
                buffer_append(ret, line, n_line);
                buffer_append_char(ret, ']');
        }
        ck_assert_int_eq(r, 0);
        *ret_n_too_long = l.n_too_long;
        close(fds[0]);
}

static const struct {
        const char *text;
        const char *want;
        size_t n_too_long;
} texts[] = {
        {"", "", 0},
        {"\n", "[]", 0},
        {"a", "[a]", 0},
        {"a\n", "[a]", 0},
        {"a\nb", "[a][b]", 0},
        {"a\n\nb\n", "[a][][b]", 0},
        {"12345678\n", "[12345678]", 0},
        {"12345678", "[12345678]", 0},
        {"123456789\n", "", 1},
        {"123456789", "", 1},
        {"a\n123456789\nb\n", "[a][b]", 1},
        {"123456789\n123456789\nb", "[b]", 2},
};

START_TEST(test_lines) {
        _cleanup_buffer_ Buffer b = {0};
        size_t n;

        read_all(texts[_i].text, strlen(texts[_i].text), &b, &n);
        ck_assert_str_eq(buffer_terminate(&b), texts[_i].want);
        ck_assert_uint_eq(n, texts[_i].n_too_long);
}
END_TEST

/* A writer that gives one byte at a time, by a thread's worth of nothing: a child. */
START_TEST(test_slow) {
        static const char text[] = "ab\n123456789abc\ncd";
        _cleanup_line_reader_ LineReader l;
        const char *line;
        size_t n_line;
        int fds[2];
        pid_t pid;

        ck_assert_int_eq(pipe(fds), 0);
        pid = fork();
        ck_assert_int_ge(pid, 0);
        if (pid == 0) {
                for (size_t i = 0; i < strlen(text); i++) {
                        (void)!write(fds[1], text + i, 1);
                        usleep(1000);
                }
                _exit(0);
        }
        close(fds[1]);
        line_reader_init(&l, fds[0], LINE_MAX_HERE);
        ck_assert_int_eq(line_reader_next(&l, &line, &n_line), 1);
        ck_assert(n_line == 2 && memcmp(line, "ab", 2) == 0);
        ck_assert_int_eq(line_reader_next(&l, &line, &n_line), 1);
        ck_assert(n_line == 2 && memcmp(line, "cd", 2) == 0);
        ck_assert_int_eq(line_reader_next(&l, &line, &n_line), 0);
        ck_assert_uint_eq(l.n_too_long, 1);
        close(fds[0]);
}
END_TEST

/* However long a line is, no more than a few pieces of it are held. */
START_TEST(test_endless) {
        _cleanup_line_reader_ LineReader l;
        const char *line;
        size_t n_line;
        int fds[2];
        pid_t pid;

        ck_assert_int_eq(pipe(fds), 0);
        pid = fork();
        ck_assert_int_ge(pid, 0);
        if (pid == 0) {
                static char zeros[1 << 16];

                for (int i = 0; i < 160; i++)
                        (void)!write(fds[1], zeros, sizeof(zeros));
                _exit(0);
        }
        close(fds[1]);
        line_reader_init(&l, fds[0], LINE_MAX_HERE);
        ck_assert_int_eq(line_reader_next(&l, &line, &n_line), 0);
        ck_assert_uint_eq(l.n_too_long, 1);
        ck_assert_uint_lt(l.buffer.n_allocated, 1 << 20);
        close(fds[0]);
}
END_TEST

int main(void) {
        TCase *t = tcase_create("line_reader");

        tcase_add_loop_test(t, test_lines, 0, (int)(sizeof(texts) / sizeof(texts[0])));
        tcase_add_test(t, test_slow);
        tcase_add_test(t, test_endless);
        return unit_run("line_reader", t);
}
