/* SPDX-License-Identifier: MIT */

/* Options in a file: lines, their mistakes, and who has the last word. */

#include "command/config_file.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "command/watch_options.h"
#include "unit.h"

static char path[] = "/tmp/test_config_file.XXXXXX";
static char said[4096]; /* on stderr */
static WatchOptions o;

static void setup(void) {
        int fd;

        strcpy(path + strlen(path) - 6, "XXXXXX");
        fd = mkstemp(path);
        ck_assert_int_ge(fd, 0);
        close(fd);
}

static void teardown(void) {
        watch_options_done(&o);
        (void)unlink(path);
}

static void write_bytes(const char *text, size_t n_bytes) {
        FILE *f = fopen(path, "we");

        ck_assert_ptr_nonnull(f);
        ck_assert_uint_eq(fwrite(text, 1, n_bytes, f), n_bytes);
        ck_assert_int_eq(fclose(f), 0);
}

/* `watch --config=path WORDS`, up to two of them. */
static int parse(const char *text, const char *first, const char *second) {
        static char word[] = "watch", option[64], a[64], b[64], *argv[5];
        int argc = 2, r, saved = dup(2);
        FILE *file = tmpfile();

        write_bytes(text, strlen(text));
        snprintf(option, sizeof(option), "--config=%s", path);
        snprintf(a, sizeof(a), "%s", first ? first : "");
        snprintf(b, sizeof(b), "%s", second ? second : "");
        argv[0] = word;
        argv[1] = option;
        argv[2] = a;
        argv[3] = b;
        argc += (first != NULL) + (second != NULL);
        argv[argc] = NULL;
        watch_options_done(&o);
        ck_assert_ptr_nonnull(file);
        dup2(fileno(file), 2);
        r = watch_options_parse(argc, argv, &o);
        dup2(saved, 2);
        close(saved);
        rewind(file);
        said[fread(said, 1, sizeof(said) - 1, file)] = '\0';
        fclose(file);
        return r;
}

static const struct {
        const char *text;
        const char *key, *value; /* of the first line that says something */
        unsigned number;
} lines[] = {
        {"a", "a", NULL, 1},
        {"a=b", "a", "b", 1},
        {"a=", "a", "", 1},
        {" \ta \t=\t b c \r\n", "a", "b c", 1},
        {"# x\n\n  # y = z\n\na = b # c\n", "a", "b # c", 5},
        {"a = b = c\n", "a", "b = c", 1},
        {"a-b=#\nx", "a-b", "#", 1},
};

START_TEST(test_line) {
        _cleanup_free_ char *text = strdup(lines[_i].text);
        ConfigLine line;
        unsigned n_lines = 0;
        size_t at = 0, n = strlen(text);

        ck_assert_int_eq(config_file_next(text, n, &at, &n_lines, &line), 1);
        ck_assert_str_eq(line.key, lines[_i].key);
        ck_assert_uint_eq(line.number, lines[_i].number);
        if (lines[_i].value)
                ck_assert_str_eq(line.value, lines[_i].value);
        else
                ck_assert_ptr_null(line.value);
}
END_TEST

START_TEST(test_lines) {
        char text[] = "a\n\nb=c\n#\n d\n", nul[] = "x\0y\n", none[] = "\n = x\n";
        ConfigLine line;
        unsigned n_lines = 0;
        size_t at = 0;

        ck_assert_int_eq(config_file_next(text, sizeof(text) - 1, &at, &n_lines, &line), 1);
        ck_assert_int_eq(config_file_next(text, sizeof(text) - 1, &at, &n_lines, &line), 1);
        ck_assert_str_eq(line.key, "b");
        ck_assert_uint_eq(line.number, 3);
        ck_assert_int_eq(config_file_next(text, sizeof(text) - 1, &at, &n_lines, &line), 1);
        ck_assert_str_eq(line.key, "d");
        ck_assert_uint_eq(line.number, 5);
        ck_assert_int_eq(config_file_next(text, sizeof(text) - 1, &at, &n_lines, &line), 0);
        ck_assert_int_eq(config_file_next(text, sizeof(text) - 1, &at, &n_lines, &line), 0);
        at = n_lines = 0;
        ck_assert_int_eq(config_file_next(nul, sizeof(nul) - 1, &at, &n_lines, &line), -EBADMSG);
        ck_assert_uint_eq(line.number, 1);
        at = n_lines = 0;
        ck_assert_int_eq(config_file_next(none, sizeof(none) - 1, &at, &n_lines, &line), -EBADMSG);
        ck_assert_uint_eq(line.number, 2);
}
END_TEST

START_TEST(test_options) {
        ck_assert_int_eq(parse("# all of it\npath = /a b\npath=/c\n\nquiet\ntimeout = 2s\n"
                               "exclude = *#1\nhold-exec\noutput=journal\n",
                               NULL, NULL),
                         1);
        ck_assert_str_eq(said, "");
        ck_assert_uint_eq(o.n_paths, 2);
        ck_assert_str_eq(o.paths[0], "/a b");
        ck_assert_str_eq(o.paths[1], "/c");
        ck_assert(o.is_quiet && !o.is_all);
        ck_assert_uint_eq(o.timeout_nsec, UINT64_C(2000000000));
        ck_assert_uint_eq(o.filter.n_excludes, 1);
        ck_assert_str_eq(o.filter.excludes[0], "*#1");
        ck_assert_uint_gt(o.hold_exec_nsec, 0);
        ck_assert_int_eq(o.output, WATCH_OUTPUT_JOURNAL);
}
END_TEST

/* What has one value is the command line's, lists are both, what is watched is one or the other. */
START_TEST(test_last_word) {
        ck_assert_int_eq(parse("timeout=2s\ninclude=a\npath=/a\n", "--timeout=3s", "--include=b"),
                         1);
        ck_assert_uint_eq(o.timeout_nsec, UINT64_C(3000000000));
        ck_assert_uint_eq(o.filter.n_includes, 2);
        ck_assert_str_eq(o.paths[0], "/a");
        ck_assert_int_eq(parse("path=/a\n", "/b", NULL), 1);
        ck_assert_uint_eq(o.n_paths, 1);
        ck_assert_str_eq(o.paths[0], "/b");
        ck_assert_int_eq(parse("all\n", "/b", NULL), 1);
        ck_assert(!o.is_all);
        ck_assert_str_eq(o.paths[0], "/b");
        ck_assert_int_eq(parse("path=/a\n", "--all", NULL), 1);
        ck_assert(o.is_all);
        ck_assert_uint_eq(o.n_paths, 0);
        ck_assert_int_eq(parse("all\n", NULL, NULL), 1);
        ck_assert(o.is_all);
}
END_TEST

static const struct {
        const char *text, *says; /* behind the file's name */
} mistakes[] = {
        {"quiet\n\ntimeout=abc\n", ":3: timeout=abc: not a duration"},
        {"--quiet\n", ":1: --quiet: write it without the dashes\n"},
        {"quite\n", ":1: quite: no such option; see --help\n"},
        {"quiet=yes\n", ":1: quiet=yes: takes no value\n"},
        {"timeout\n", ":1: timeout: needs a value; see --help\n"},
        {"#\n=x\n", ":2: not a line of text with an option\n"},
        {"help\n", ":1: help: only on the command line\n"},
        {"config=/x\n", ":1: config=/x: only on the command line\n"},
        {"path=a\n", ":1: path=a: not an absolute path\n"},
        {"exclude=\n", ":1: exclude=: "},
        {"quiet\x1b\n", ":1: quiet\\e: no such option; see --help\n"},
};

START_TEST(test_mistake) {
        char expected[256];

        ck_assert_int_eq(parse(mistakes[_i].text, "/x", NULL), -EINVAL);
        snprintf(expected, sizeof(expected), "whodunlink watch: %s%s", path, mistakes[_i].says);
        ck_assert_msg(strncmp(said, expected, strlen(expected)) == 0, "says: %s", said);
        ck_assert_ptr_null(strstr(said, "usage:"));
}
END_TEST

START_TEST(test_unreadable) {
        char directory[] = "--config=/tmp", none[] = "--config=/tmp/\x1b/none", word[] = "watch";
        char *argv[] = {word, directory, NULL};

        ck_assert_int_eq(watch_options_parse(2, argv, &o), -EINVAL);
        watch_options_done(&o);
        argv[1] = none;
        ck_assert_int_eq(watch_options_parse(2, argv, &o), -EINVAL);
}
END_TEST

int main(void) {
        TCase *tcase = tcase_create("config_file");

        tcase_add_checked_fixture(tcase, setup, teardown);
        tcase_add_loop_test(tcase, test_line, 0, sizeof(lines) / sizeof(lines[0]));
        tcase_add_test(tcase, test_lines);
        tcase_add_test(tcase, test_options);
        tcase_add_test(tcase, test_last_word);
        tcase_add_loop_test(tcase, test_mistake, 0, sizeof(mistakes) / sizeof(mistakes[0]));
        tcase_add_test(tcase, test_unreadable);
        return unit_run("config_file", tcase);
}
