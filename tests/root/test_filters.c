/* SPDX-License-Identifier: MIT */

/*
 * The options that choose: each shows what it should and nothing else; and those that end the
 * watch by themselves.
 */

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "filesystem.h"
#include "harness.h"
#include "record.h"
#include "truth.h"

#define NOBODY 65534

static char *join(const char *dir, const char *name) {
        return harness_format("%s/%s", dir, name);
}

typedef struct GlobCase {
        const char *options[4];
        const char *shown; /* names of below that pass, with blanks around */
} GlobCase;

static const char *const below[] = {"a.o",     "a.c",          "cache/a.o", "cache/deep/a.c",
                                    "src/a.c", "src/cache/b.c"};

static const GlobCase glob_cases[] = {
        {{"--exclude=*.o"}, " a.c cache/deep/a.c src/a.c src/cache/b.c "},
        {{"--exclude=*.o", "--exclude=*.c"}, " "},
        {{"--include=*.o"}, " a.o cache/a.o "},
        {{"--include=*.o", "--include=b.*"}, " a.o cache/a.o src/cache/b.c "},
        {{"--include=*.c", "--exclude=cache/**"}, " a.c src/a.c "},
        {{"--exclude=**/deep/**"}, " a.o a.c cache/a.o src/a.c src/cache/b.c "},
        {{"--include=src/*"}, " src/a.c "},
        {{"--exclude=/**"}, " "},
        {{"--include", "*.o"}, " a.o cache/a.o "},
};

START_TEST(include_and_exclude) {
        const GlobCase *c = &glob_cases[_i];
        Filesystem fs = fs_new(FS_TMPFS, "fs");
        Process own = process_own_truth();
        _cleanup_truth_ Truth t = {0};
        const char *args[6] = {NULL};
        size_t n = 0;
        Monitor m;

        while (c->options[n]) {
                args[n] = c->options[n];
                n++;
        }
        args[n] = fs.path;
        process_run(PROCESS_ARGS("mkdir", "-p", join(fs.path, "cache/deep"),
                                 join(fs.path, "src/cache")));
        m = monitor_start(args);
        for (size_t i = 0; i < sizeof(below) / sizeof(*below); i++) {
                _cleanup_free_ char *path = join(fs.path, below[i]);
                _cleanup_free_ char *word = harness_format(" %s ", below[i]);

                harness_touch(path);
                harness_unlink(path);
                if (strstr(c->shown, word))
                        truth_add(&t, "unlink", path, &own);
        }
        truth_check(&t, &m, 0);
}
END_TEST

static const struct {
        const char *option;
        bool has_unlink, has_rmdir, has_move;
} action_cases[] = {
        {"--action=unlink", true, false, false},
        {"--action=rmdir", false, true, false},
        {"--action=move", false, false, true},
        {"--action=unlink,rmdir", true, true, false},
        {"--action=unlink,rmdir,move", true, true, true},
};

START_TEST(action) {
        Filesystem fs = fs_new(FS_TMPFS, "fs");
        Process own = process_own_truth();
        _cleanup_truth_ Truth t = {0};
        char *file = join(fs.path, "file"), *moved = join(fs.path, "moved");
        char *dir = join(fs.path, "dir");
        Monitor m = monitor_start(MONITOR_ARGS(action_cases[_i].option, fs.path));

        harness_touch(file);
        harness_mkdir(dir);
        ck_assert_int_eq(rename(file, moved), 0);
        harness_unlink(moved);
        ck_assert_int_eq(rmdir(dir), 0);
        if (action_cases[_i].has_move)
                truth_add_move(&t, file, moved, &own);
        if (action_cases[_i].has_unlink)
                truth_add(&t, "unlink", moved, &own);
        if (action_cases[_i].has_rmdir)
                truth_add(&t, "rmdir", dir, &own);
        truth_check(&t, &m, 0);
}
END_TEST

/* Three deleters of one file each; the option says which one is shown. */
typedef struct Deleters {
        char *files[3];
        Process rm, unlink, nobody;
} Deleters;

static void run_deleters(const Filesystem *fs, Deleters *d) {
        const char *const *args[3];
        pid_t pid;

        for (int i = 0; i < 3; i++)
                d->files[i] = harness_format("%s/file-%d", fs->path, i);
        for (int i = 0; i < 3; i++)
                harness_touch(d->files[i]);
        ck_assert_int_eq(chmod(fs->path, 0777), 0);
        args[0] = PROCESS_ARGS("rm", d->files[0]);
        args[1] = PROCESS_ARGS("unlink", d->files[1]);
        d->rm.pid = process_run(args[0]);
        d->unlink.pid = process_run(args[1]);
        pid = fork();
        if (pid == 0) {
                bool is_done = setresgid(NOBODY, NOBODY, NOBODY) == 0 &&
                               setresuid(NOBODY, NOBODY, NOBODY) == 0;

                if (is_done)
                        execlp("rm", "rm", "-f", d->files[2], (char *)NULL);
                _exit(127);
        }
        ck_assert_int_eq(process_wait(pid, 20), 0);
        d->nobody.pid = pid;
}

static const struct {
        const char *option;
        bool shows_rm, shows_unlink, shows_nobody;
} who_cases[] = {
        {"--comm=rm", true, false, true},     {"--comm=un*k", false, true, false},
        {"--comm=r?", true, false, true},     {"--comm=r", false, false, false},
        {"--exe=unlink", false, true, false}, {"--exe=/**/unlink", false, true, false},
        {"--exe=/**", true, true, true},      {"--exe=/nowhere/*", false, false, false},
        {"--user=root", true, true, false},   {"--user=0", true, true, false},
        {"--user=65534", false, false, true},
};

START_TEST(who) {
        Filesystem fs = fs_new(FS_TMPFS, "fs");
        _cleanup_truth_ Truth t = {0};
        Deleters d = {0};
        Monitor m = monitor_start(MONITOR_ARGS(who_cases[_i].option, fs.path));

        run_deleters(&fs, &d);
        if (who_cases[_i].shows_rm)
                truth_add(&t, "unlink", d.files[0], &d.rm);
        if (who_cases[_i].shows_unlink)
                truth_add(&t, "unlink", d.files[1], &d.unlink);
        if (who_cases[_i].shows_nobody)
                truth_add(&t, "unlink", d.files[2], &d.nobody);
        truth_check(&t, &m, 0);
}
END_TEST

/* This process and its child rm: --pid shows the one, --descendants the other as well. */
static void check_pid(bool has_descendants) {
        Filesystem fs = fs_new(FS_TMPFS, "fs");
        Process own = process_own_truth(), rm = {0};
        char *mine = join(fs.path, "mine"), *childs = join(fs.path, "childs");
        char *shells = join(fs.path, "shells");
        char *pid = harness_format("--pid=%d", (int)getpid());
        char *script = harness_format("rm %s; true", shells);
        _cleanup_truth_ Truth t = {0};
        Monitor m = monitor_start(has_descendants ? MONITOR_ARGS(pid, "--descendants", fs.path)
                                                  : MONITOR_ARGS(pid, fs.path));

        harness_touch(mine);
        harness_touch(childs);
        harness_touch(shells);
        harness_unlink(mine);
        rm.pid = process_run(PROCESS_ARGS("rm", childs));
        process_run(PROCESS_ARGS("sh", "-c", script));
        truth_add(&t, "unlink", mine, &own);
        if (has_descendants) {
                truth_add(&t, "unlink", childs, &rm);
                truth_add(&t, "unlink", shells, NULL);
        }
        truth_check(&t, &m, 0);
}

START_TEST(pid_alone) {
        check_pid(false);
}
END_TEST

START_TEST(pid_with_descendants) {
        check_pid(true);
}
END_TEST

/* Return: exit status of a monitor with this option, while files are being deleted. */
static int run_until_it_ends(const char *option, size_t n_files, size_t *ret_n_records) {
        Filesystem fs = fs_new(FS_TMPFS, "fs");
        Monitor m = monitor_start(MONITOR_ARGS(option, "--exclude=*.no", fs.path));
        int status;

        for (size_t i = 0; i < n_files; i++) {
                _cleanup_free_ char *path = harness_format("%s/file-%zu", fs.path, i);
                _cleanup_free_ char *no = harness_format("%s/file-%zu.no", fs.path, i);

                harness_touch(no);
                harness_unlink(no);
                harness_touch(path);
                harness_unlink(path);
        }
        status = monitor_wait(&m, 20);
        *ret_n_records = record_count_deletions(m.output_path);
        return status;
}

START_TEST(once_ends_with_the_first) {
        size_t n;

        ck_assert_int_eq(run_until_it_ends("--once", 10, &n), 0);
        ck_assert_uint_eq(n, 1);
}
END_TEST

START_TEST(count_ends_with_the_last) {
        size_t n;

        ck_assert_int_eq(run_until_it_ends("--count=7", 20, &n), 0);
        ck_assert_uint_eq(n, 7);
}
END_TEST

START_TEST(timeout_ends_with_124) {
        double start = harness_now();
        size_t n;

        ck_assert_int_eq(run_until_it_ends("--timeout=1.5s", 3, &n), 124);
        ck_assert_uint_eq(n, 3);
        harness_assert(harness_now() - start >= 1.4, "ended too early");
}
END_TEST

static void add_tests(TCase *tcase) {
        tcase_add_loop_test(tcase, include_and_exclude, 0,
                            sizeof(glob_cases) / sizeof(*glob_cases));
        tcase_add_loop_test(tcase, action, 0, sizeof(action_cases) / sizeof(*action_cases));
        tcase_add_loop_test(tcase, who, 0, sizeof(who_cases) / sizeof(*who_cases));
        tcase_add_test(tcase, pid_alone);
        tcase_add_test(tcase, pid_with_descendants);
        tcase_add_test(tcase, once_ends_with_the_first);
        tcase_add_test(tcase, count_ends_with_the_last);
        tcase_add_test(tcase, timeout_ends_with_124);
}

int main(void) {
        return harness_main("filters", add_tests);
}
