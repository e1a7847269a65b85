/* SPDX-License-Identifier: MIT */

/*
 * Text for people: time, action, path; below it who, command line, user and the chain of
 * processes, once for consecutive deletions of one process; colour only where it belongs.
 */

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "filesystem.h"
#include "harness.h"
#include "text.h"
#include "truth.h"

static char *join(const char *dir, const char *name) {
        return harness_format("%s/%s", dir, name);
}

/* Runs `sh -c 'rm A B'` and the like under the monitor. Return: what it printed. */
static char *print(const Filesystem *fs, const char *option, size_t *ret_n) {
        char *a = join(fs->path, "first-file"), *b = join(fs->path, "second-file");
        char *dir = join(fs->path, "directory"), *moved = join(fs->path, "moved-file");
        char *script = harness_format("rm '%s' '%s'; true", a, b);
        Monitor m = monitor_start_text(MONITOR_ARGS(option, fs->path));

        harness_touch(a);
        harness_touch(b);
        harness_mkdir(dir);
        process_run(PROCESS_ARGS("sh", "-c", script));
        process_run(PROCESS_ARGS("rmdir", dir));
        harness_touch(a);
        process_run(PROCESS_ARGS("mv", a, moved));
        monitor_stop(&m);
        return harness_read_file(m.output_path, ret_n);
}

/* The line that holds a text; newly allocated. */
static char *line_with(const char *text, const char *what) {
        const char *at = strstr(text, what), *start = at, *end;

        harness_assert(at, "no %s in:\n%s", what, text);
        while (start > text && start[-1] != '\n')
                start--;
        end = strchrnul(at, '\n');
        return strndup(start, (size_t)(end - start));
}

START_TEST(what_is_told) {
        Filesystem fs = fs_new(FS_TMPFS, "fs");
        size_t n;
        _cleanup_free_ char *text = print(&fs, "--color=never", &n);
        _cleanup_free_ char *line = line_with(text, "first-file");
        _cleanup_free_ char *rmdir_line = line_with(text, "rmdir");
        int h, m, s;

        fprintf(stderr, "%s", text);
        harness_assert(sscanf(line, "%d:%d:%d", &h, &m, &s) == 3, "no time first: %s", line);
        harness_assert(strstr(line, "unlink") && strstr(line, fs.path), "%s", line);
        harness_assert(strstr(rmdir_line, "directory"), "%s", rmdir_line);
        harness_assert(strstr(text, "second-file") && strstr(text, "moved-file"), "%s", text);
        harness_assert(strstr(text, "rm \xe2\x86\x90 sh \xe2\x86\x90"), "no chain:\n%s", text);
        harness_assert(strstr(text, "root"), "no user:\n%s", text);
        harness_assert(!strchr(text, '\x1b'), "colour without a terminal");
        text_assert_harmless(text, n);
}
END_TEST

/* Both files of the one rm stand under one heading: its command line is said once. */
START_TEST(one_process_has_one_heading) {
        Filesystem fs = fs_new(FS_TMPFS, "fs");
        char *tree = join(fs.path, "tree"), *sub = join(tree, "sub");
        Monitor m = monitor_start_text(MONITOR_ARGS(fs.path));
        _cleanup_free_ char *text = NULL;
        size_t n;

        harness_mkdir(tree);
        for (int i = 0; i < 50; i++)
                harness_touch(harness_format("%s/file-%d", tree, i));
        harness_mkdir(sub);
        process_run(PROCESS_ARGS("rm", "--recursive", tree));
        monitor_stop(&m);
        text = harness_read_file(m.output_path, &n);
        ck_assert_uint_eq(text_count(text, n, "/tree/file-"), 50);
        ck_assert_uint_eq(text_count(text, n, "--recursive"), 1);
}
END_TEST

START_TEST(color) {
        static const struct {
                const char *option;
                const char *no_color;
                bool is_colored;
        } table[] = {
                {"--color=auto", NULL, false},
                {"--color=always", NULL, true},
                {"--color=never", NULL, false},
                {"--color=auto", "1", false},
        };
        Filesystem fs = fs_new(FS_TMPFS, "fs");
        _cleanup_free_ char *text = NULL;
        size_t n;

        unsetenv("NO_COLOR");
        if (table[_i].no_color)
                setenv("NO_COLOR", table[_i].no_color, 1);
        text = print(&fs, table[_i].option, &n);
        ck_assert_int_eq(strchr(text, '\x1b') != NULL, table[_i].is_colored);
        text_assert_harmless(text, text_strip_colors(text, n));
}
END_TEST

/* On a terminal (script(1) gives one) text and colour come by themselves. */
START_TEST(a_terminal) {
        Filesystem fs = fs_new(FS_TMPFS, "fs");
        char *file = join(fs.path, "file"), *log = harness_path("terminal");
        char *program = process_find_program("script");
        char *command = harness_format("'%s' --once '%s'", harness_program(), fs.path);
        _cleanup_free_ char *text = NULL;
        double end = harness_now() + MONITOR_TIMEOUT_SEC;
        pid_t pid;

        unsetenv("NO_COLOR");
        setenv("TERM", "xterm", 1);
        pid = process_spawn(PROCESS_ARGS(program, "-q", "-e", "-f", "-c", command, log));
        for (text = NULL; !text || !strstr(text, "watching "); harness_sleep(0.02)) {
                harness_assert(harness_now() < end, "does not start");
                free(text);
                text = access(log, F_OK) == 0 ? harness_read_file(log, NULL) : NULL;
        }
        harness_sleep(1); /* armed by now: there is no "ready" on a terminal */
        harness_touch(file);
        harness_unlink(file);
        ck_assert_int_eq(process_wait(pid, 20), 0);
        free(text);
        text = harness_read_file(log, NULL);
        harness_assert(strstr(text, "unlink") && !strstr(text, "{\""), "%s", text);
        harness_assert(strstr(text, "\x1b["), "no colour on a terminal: %s", text);
}
END_TEST

static void add_tests(TCase *tcase) {
        tcase_add_test(tcase, what_is_told);
        tcase_add_test(tcase, one_process_has_one_heading);
        tcase_add_loop_test(tcase, color, 0, 4);
        tcase_add_test(tcase, a_terminal);
}

int main(void) {
        return harness_main("text", add_tests);
}
