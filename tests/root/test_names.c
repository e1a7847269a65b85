/* SPDX-License-Identifier: MIT */

/*
 * Must hold 3, names of files: every byte, the longest name, broken UTF-8, newlines, quotes and
 * terminal escapes. JSON from which the exact bytes come back; text that can do nothing to a
 * terminal. Names of processes and their arguments are test_process_names.c's.
 */

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "filesystem.h"
#include "harness.h"
#include "record.h"
#include "text.h"
#include "truth.h"

/* Names that have hurt programs before. */
static const char *const hard_names[] = {
        "\xc0\xaf",         /* an overlong '/' */
        "\xed\xa0\x80",     /* a surrogate */
        "\xf4\x90\x80\x80", /* above U+10FFFF */
        "\xe2\x82",         /* cut short */
        "\xe2\x82(",        /* cut short by another character */
        "\x80\xbf\xfe\xff", /* bytes that start nothing */
        "a\xff"
        "b\xfe"
        "c",
        "new\nline",
        "\n\n",
        "fake\n25:61:61  unlink  etc passwd\n  who   root\n",
        "{\"event\":{\"action\":\"unlink\"}}\n{\"@timestamp\":\"2020\"}",
        "quote\"quote'quote`quote",
        "back\\slash\\n\\x41\\",
        "\x1b[31mred\x1b[0m",
        "\x1b[2J\x1b[1;1H",
        "\x1b]0;title\x07",
        "\x1bP+q544e\x1b\\",
        "\xc2\x9b"
        "31m", /* CSI as one C1 control, in UTF-8 */
        "\x9b"
        "31m", /* and raw */
        "\xc2\x85next line",
        "\xe2\x80\xa8line separator\xe2\x80\xa9paragraph",
        "\xe2\x80\xaetxt.exe", /* right-to-left override */
        "\xe2\x81\xa6isolate\xe2\x81\xa9",
        "\xe2\x80\x8bzero width",
        "\xef\xbb\xbf"
        "byte order mark",
        "\r\rcarriage\tand\ttab\b\b\b",
        " leading and trailing ",
        "-rf",
        "...",
        "$(reboot)",
        "x (deleted)",
        "\xf0\x9f\x98\x80 \xe6\x97\xa5\xe6\x9c\xac\xe8\xaa\x9e e\xcc\x81",
        "%s%n%d",
        "\x7f\x7f",
};

#define N_HARD (sizeof(hard_names) / sizeof(*hard_names))

/* The longest name the kernel takes, of a byte that is not UTF-8 at its end. */
static char *longest_name(char filler, char last) {
        char *name = calloc(1, 256);

        harness_assert(name, "out of memory");
        memset(name, filler, 254);
        name[254] = last;
        return name;
}

/* Makes all of them in dir and writes them down; each byte alone and between two letters. */
static void make_names(const char *dir, Truth *t, const Process *process) {
        for (int i = 1; i < 256; i++) {
                char alone[] = {(char)i, '\0'}, between[] = {'a', (char)i, 'z', '\0'};

                if (i == '/')
                        continue;
                truth_add(t, "unlink", harness_format("%s/%s", dir, between), process);
                if (i != '.')
                        truth_add(t, "unlink", harness_format("%s/%s", dir, alone), process);
        }
        for (size_t i = 0; i < N_HARD; i++)
                truth_add(t, "unlink", harness_format("%s/%s", dir, hard_names[i]), process);
        truth_add(t, "unlink", harness_format("%s/%s", dir, longest_name('n', 'd')), process);
        truth_add(t, "unlink", harness_format("%s/%s", dir, longest_name('\n', '\n')), process);
        truth_add(t, "unlink", harness_format("%s/%s", dir, longest_name('\x1b', '\xe2')), process);
}

/* One directory for each hard name, a file in it, so that the bytes stand in the middle too. */
static void make_directories(const char *dir, Truth *t, const Process *process) {
        for (size_t i = 0; i < N_HARD; i++) {
                _cleanup_free_ char *path = harness_format("%s/%s", dir, hard_names[i]);
                _cleanup_free_ char *file = harness_format("%s/%s", path, hard_names[i]);

                harness_mkdir(path);
                truth_add(t, "unlink", file, process);
                truth_add(t, "rmdir", path, process)->type = "dir";
        }
}

static void touch_files(const Truth *t) {
        for (size_t i = 0; i < t->n_items; i++)
                if (strcmp(t->items[i].action, "unlink") == 0)
                        harness_touch(t->items[i].path);
}

static void delete_all(const Truth *t) {
        for (size_t i = 0; i < t->n_items; i++) {
                const TruthItem *item = &t->items[i];

                if (strcmp(item->action, "unlink") == 0)
                        harness_unlink(item->path);
                else
                        harness_assert(rmdir(item->path) == 0, "rmdir: %m");
        }
}

static char *prepare(FsKind kind, Truth *t, const Process *process) {
        Filesystem fs = fs_new(kind, "fs");
        char *flat = harness_format("%s/flat", fs.path);
        char *deep = harness_format("%s/deep", fs.path);

        harness_mkdir(flat);
        harness_mkdir(deep);
        make_names(flat, t, process);
        make_directories(deep, t, process);
        touch_files(t);
        return fs.path;
}

START_TEST(json_gives_the_bytes_back) {
        Process own = process_own_truth();
        _cleanup_truth_ Truth t = {.is_ordered = true};
        const char *path = prepare((FsKind)_i, &t, &own);
        Monitor m = monitor_start(MONITOR_ARGS(path));

        delete_all(&t);
        truth_check(&t, &m, 0);
}
END_TEST

/* Moves have two names to break. */
START_TEST(json_gives_both_names_of_a_move_back) {
        Process own = process_own_truth();
        Filesystem fs = fs_new(FS_TMPFS, "fs");
        _cleanup_truth_ Truth t = {.is_ordered = true};
        _cleanup_free_ char *from = harness_format("%s/from", fs.path);
        _cleanup_free_ char *to = harness_format("%s/to", fs.path);
        Monitor m;

        harness_mkdir(from);
        harness_mkdir(to);
        for (size_t i = 0; i < N_HARD; i++) {
                _cleanup_free_ char *old = harness_format("%s/%s", from, hard_names[i]);
                _cleanup_free_ char *new = harness_format("%s/%s", to, hard_names[N_HARD - 1 - i]);

                harness_touch(old);
                truth_add_move(&t, old, new, &own);
        }
        m = monitor_start(MONITOR_ARGS(fs.path));
        for (size_t i = 0; i < t.n_items; i++)
                ck_assert_int_eq(rename(t.items[i].path, t.items[i].target), 0);
        truth_check(&t, &m, 0);
}
END_TEST

static void check_text(const char *color, bool is_plain) {
        Process own = process_own_truth();
        _cleanup_truth_ Truth t = {0};
        const char *path = prepare(FS_TMPFS, &t, &own);
        Monitor m = monitor_start_text(MONITOR_ARGS(color, path));
        _cleanup_free_ char *text = NULL;
        size_t n_text;

        delete_all(&t);
        monitor_stop(&m);
        text = harness_read_file(m.output_path, &n_text);
        harness_assert(!memmem(text, n_text, "\x1b[31mred", 8), "a name sets a colour");
        if (!is_plain)
                n_text = text_strip_colors(text, n_text);
        text_assert_harmless(text, n_text);
        harness_assert(!text_has_line_starting(text, n_text, "25:61:61"), "a name fakes a line");
        harness_assert(!text_has_line_starting(text, n_text, "{"), "a name fakes a record");
        harness_assert(text_count(text, n_text, "unlink") >= N_HARD * 2 + 500,
                       "text names only %zu deletions", text_count(text, n_text, "unlink"));
}

START_TEST(text_is_harmless) {
        check_text("--color=never", true);
}
END_TEST

START_TEST(coloured_text_is_harmless) {
        check_text("--color=always", false);
}
END_TEST

static void add_tests(TCase *tcase) {
        tcase_add_loop_test(tcase, json_gives_the_bytes_back, FS_TMPFS, FS_EXT4 + 1);
        tcase_add_test(tcase, json_gives_both_names_of_a_move_back);
        tcase_add_test(tcase, text_is_harmless);
        tcase_add_test(tcase, coloured_text_is_harmless);
}

int main(void) {
        return harness_main("names", add_tests);
}
