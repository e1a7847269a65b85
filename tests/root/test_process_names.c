/* SPDX-License-Identifier: MIT */

/*
 * Must hold 3, names and arguments of processes: a deleter may call itself anything, have
 * arguments with newlines and broken UTF-8, none at all, or overwrite them.
 */

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "filesystem.h"
#include "harness.h"
#include "text.h"
#include "truth.h"

typedef struct Case {
        const char *program; /* file name of the copy of the worker */
        const char *mode;
        const char *text;
        const char *args[6];
        bool are_args_moot; /* what /proc tells depends on the moment */
        bool is_name_moot;
} Case;

static const Case cases[] = {
        {"foo) S 1", "unlink", NULL, {"foo) S 1", "x"}, false, false},
        {"a b (c) R 2", "unlink", NULL, {"-"}, false, false},
        {"new\nline", "unlink", NULL, {"new\nline", "\n", "a\nb", "\n\n"}, false, false},
        {"\xff\xfe\x80", "unlink", NULL, {"\xff", "\xc0\xaf", "ok"}, false, false},
        {"\x1b[31mred",
         "unlink",
         NULL,
         {"\x1b]0;t\x07", "\x1b[2J", "\x9b", "\xc2\x9b"},
         false,
         false},
        {"quote\"'\\", "unlink", NULL, {"\"", "'", "\\", "$(x)", "`"}, false, false},
        {"longer-than-fifteen-bytes", "unlink", NULL, {"l"}, false, false},
        {"fifteen-by-\xe2\x82\xac", "unlink", NULL, {"l"}, false, false},
        {"comm-ends-in-\xe2\x82\xac", "unlink", NULL, {"l"}, false, false},
        {"spaces", "unlink", NULL, {"", " ", "", "a  b", ""}, false, false},
        {"none", "unlink", NULL, {NULL}, true, false},
        {"named", "name", "evil\n\x1b[2J) S 1", {"named", "1"}, false, true},
        {"named-raw", "name", "\xff\xfe\xfd", {"named-raw", "1"}, false, true},
        {"overwritten",
         "argv",
         "\x1b[31m\nFAKE ",
         {"overwritten", "with something long"},
         true,
         false},
        {"blanked", "argv", " ", {"blanked", "x", "y"}, true, false},
        {"newlined", "argv", "\n", {"newlined", "x", "y"}, true, false},
        {"forked", "fork", NULL, {"forked", "a\nb"}, true, false},
};

#define N_CASES (sizeof(cases) / sizeof(*cases))

static char *copy_worker(const char *name) {
        static char *directory;
        char *path;

        if (!directory) {
                directory = harness_path("programs");
                harness_mkdir(directory);
        }
        path = harness_format("%s/%s", directory, name);
        process_run(PROCESS_ARGS("cp", "--", harness_worker(), path));
        return path;
}

/* Runs all of them, each removing its own file of the directory. */
static void run_all(const char *directory, Truth *t) {
        static Process processes[N_CASES];

        for (size_t i = 0; i < N_CASES; i++) {
                const Case *c = &cases[i];
                Process *p = &processes[i];
                _cleanup_free_ char *file = harness_format("%s/file-%zu", directory, i);
                char *program = copy_worker(c->program);

                *p = process_child_truth(PROCESS_ARGS("sh"));
                p->args = c->are_args_moot ? NULL : c->args;
                p->name = c->is_name_moot ? NULL : c->program;
                p->executable = program;
                harness_touch(file);
                p->pid = process_spawn_worker(program, c->args, c->mode, file, c->text);
                ck_assert_int_eq(process_wait(p->pid, 20), 0);
                if (strcmp(c->mode, "fork") == 0) /* the child did it */
                        *p = (Process){.ppid = p->pid, .executable = program, .name = p->name};
                truth_add(t, "unlink", file, p);
        }
}

START_TEST(json_gives_names_and_arguments_back) {
        Filesystem fs = fs_new(FS_TMPFS, "fs");
        Monitor m = monitor_start(MONITOR_ARGS(fs.path));
        _cleanup_truth_ Truth t = {.is_ordered = true};

        run_all(fs.path, &t);
        truth_check(&t, &m, 0);
}
END_TEST

START_TEST(text_is_harmless) {
        Filesystem fs = fs_new(FS_TMPFS, "fs");
        Monitor m = monitor_start_text(MONITOR_ARGS("--color=never", fs.path));
        _cleanup_truth_ Truth t = {0};
        _cleanup_free_ char *text = NULL;
        size_t n_text;

        run_all(fs.path, &t);
        monitor_stop(&m);
        text = harness_read_file(m.output_path, &n_text);
        text_assert_harmless(text, n_text);
        harness_assert(!text_has_line_starting(text, n_text, "FAKE"), "arguments fake a line");
        harness_assert(!text_has_line_starting(text, n_text, "line"), "a name fakes a line");
        ck_assert_uint_ge(text_count(text, n_text, "unlink"), N_CASES);
}
END_TEST

/*
 * Processes that were there before the monitor, and change while it watches: their names and
 * arguments were read at its start.
 */
START_TEST(processes_from_before_are_known) {
        Filesystem fs = fs_new(FS_TMPFS, "fs");
        const char *const *args = PROCESS_ARGS("old\none", "a\nb", "\xff");
        _cleanup_free_ char *file = harness_format("%s/file", fs.path);
        _cleanup_truth_ Truth t = {0};
        char *program = copy_worker("foo) S 1");
        int to[2], from[2];
        Process p;
        Monitor m;
        char byte;

        ck_assert_int_eq(pipe(to) | pipe(from), 0);
        harness_touch(file);
        p = process_child_truth(PROCESS_ARGS("sh"));
        p.args = args;
        p.name = "foo) S 1";
        p.executable = program;
        dup2(to[0], STDIN_FILENO);
        dup2(from[1], STDOUT_FILENO);
        p.pid = process_spawn_worker(program, args, "wait", file, NULL);
        ck_assert_int_eq(read(from[0], &byte, 1), 1);
        m = monitor_start(MONITOR_ARGS(fs.path));
        ck_assert_int_eq(write(to[1], "x", 1), 1);
        ck_assert_int_eq(process_wait(p.pid, 20), 0);
        truth_add(&t, "unlink", file, &p);
        truth_check(&t, &m, 0);
}
END_TEST

static void add_tests(TCase *tcase) {
        tcase_add_test(tcase, json_gives_names_and_arguments_back);
        tcase_add_test(tcase, text_is_harmless);
        tcase_add_test(tcase, processes_from_before_are_known);
}

int main(void) {
        return harness_main("process_names", add_tests);
}
