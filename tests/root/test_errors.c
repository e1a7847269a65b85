/* SPDX-License-Identifier: MIT */

/*
 * What a user meets who cannot be served: the message names what is missing, and the exit status
 * tells a mistake on the command line (2) from a machine that cannot (1).
 */

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "filesystem.h"
#include "harness.h"
#include "monitor.h"
#include "process.h"
#include "text.h"

#define NOBODY 65534

/* Runs it to its end; asserts the exit status. Return: what it said on stderr. */
static char *fails_with(int status, const char *const *args) {
        Monitor m = monitor_spawn(args);
        int r = monitor_wait(&m, 20);
        char *errors = monitor_errors(&m);
        _cleanup_free_ char *output = harness_read_file(m.output_path, NULL);

        harness_assert(r == status, "exit status %d, not %d: %s", r, status, errors);
        harness_assert(!*output, "says on stdout: %s", output);
        harness_assert(*errors, "says nothing");
        fprintf(stderr, "# %s", errors);
        return errors;
}

static const char *const bad_command_lines[][5] = {
        {"watch", "--no-such-option", "/tmp", NULL},
        {"watch", NULL},
        {NULL},
        {"no-such-verb", NULL},
        {"wach", "/tmp", NULL},
        {"watch", "--output=xml", "/tmp", NULL},
        {"watch", "--color=sometimes", "/tmp", NULL},
        {"watch", "--action=explode", "/tmp", NULL},
        {"watch", "--count=0", "/tmp", NULL},
        {"watch", "--count=x", "/tmp", NULL},
        {"watch", "--once", "--count=3", "/tmp", NULL},
        {"watch", "--all", "/tmp", NULL},
        {"doctor", "--no-such-option", NULL},
        {"why", NULL},
        {"why", "", NULL},
        {"why", "--in=2w", "/tmp", NULL},
        {"why", "--all", "--in=soon", "/tmp", NULL},
        {"why", "--limit=5", "/tmp", NULL},
        {"why", "--all", "--records=5", "/tmp", NULL},
        {"why", "--limit=0", "/tmp", NULL},
        {"why", "--records=1001", "/tmp", NULL},
        {"why", "--user=no such user", "/tmp", NULL},
        {"why", "--file=-", "/tmp", "/srv", NULL},
        {"watch", "--timeout=soon", "/tmp", NULL},
        {"watch", "--pid=-1", "/tmp", NULL},
        {"watch", "--pid=x", "/tmp", NULL},
        {"watch", "--user=no such user", "/tmp", NULL},
        {"watch", "--queue=leaky", "/tmp", NULL},
        {"watch", "--exclude", NULL},
        {"watch", "--exclude=[a", "/tmp", NULL},
        {"watch", "", NULL},
};

START_TEST(a_bad_command_line) {
        _cleanup_free_ char *errors = fails_with(2, bad_command_lines[_i]);

        harness_assert(strcasestr(errors, "usage"), "no usage line: %s", errors);
        harness_assert(text_count(errors, strlen(errors), "\n") <= 4, "more than a few lines: %s",
                       errors);
}
END_TEST

/* A filesystem that has no events: which, and why. */
START_TEST(a_filesystem_without_events) {
        _cleanup_free_ char *errors = fails_with(1, MONITOR_ARGS("watch", "/proc/sys"));

        harness_assert(strstr(errors, "/proc") && strstr(errors, "proc"), "%s", errors);
}
END_TEST

START_TEST(a_file_where_a_directory_is_needed) {
        Filesystem fs = fs_new(FS_TMPFS, "fs");
        _cleanup_free_ char *file = harness_format("%s/file", fs.path);
        _cleanup_free_ char *below = harness_format("%s/file/below", fs.path);
        _cleanup_free_ char *errors = NULL;

        harness_touch(file);
        errors = fails_with(1, MONITOR_ARGS("watch", below));
        harness_assert(strstr(errors, file), "%s", errors);
}
END_TEST

START_TEST(a_symlink_loop) {
        Filesystem fs = fs_new(FS_TMPFS, "fs");
        _cleanup_free_ char *link = harness_format("%s/link", fs.path);
        _cleanup_free_ char *errors = NULL;

        ck_assert_int_eq(symlink("link", link), 0);
        errors = fails_with(1, MONITOR_ARGS("watch", link));
        harness_assert(strstr(errors, link), "%s", errors);
}
END_TEST

/*
 * Runs the program in a child that gave something up before. Return: exit status; *ret_errors is
 * what it said. A program that runs on is ended after a second and counts as 0.
 */
static int run_without(void (*give_up)(int what), int what, char **ret_errors) {
        char *program = harness_path("program"), *error_path = harness_path("errors");
        Filesystem fs = fs_new(FS_TMPFS, "fs");
        int error_fd = open(error_path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
        double end = harness_now() + 3;
        int status = 0;
        pid_t pid, r = 0;

        /* Its directory may be closed to others. */
        process_run(PROCESS_ARGS("cp", harness_program(), program));
        pid = fork();
        if (pid == 0) {
                dup2(error_fd, STDERR_FILENO);
                give_up(what);
                dup2(error_fd, STDOUT_FILENO); /* not into the TAP report */
                execl(program, "whodunlink", "watch", "--output=json", fs.path, (char *)NULL);
                _exit(126);
        }
        while (r == 0 && harness_now() < end) {
                harness_sleep(0.02);
                r = waitpid(pid, &status, WNOHANG);
        }
        if (r == 0) {
                kill(pid, SIGTERM);
                waitpid(pid, &status, 0);
        }
        *ret_errors = harness_read_file(error_path, NULL);
        fprintf(stderr, "# %s", *ret_errors);
        return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static void give_up_root(int what) {
        (void)what;
        if (setresgid(NOBODY, NOBODY, NOBODY) < 0 || setresuid(NOBODY, NOBODY, NOBODY) < 0)
                _exit(125);
}

static void give_up_capability(int what) {
        if (prctl(PR_CAPBSET_DROP, what, 0, 0, 0) < 0)
                _exit(125);
}

/* One hint, not one for each thing that only root has. */
START_TEST(not_root) {
        _cleanup_free_ char *errors = NULL;
        int status = run_without(give_up_root, 0, &errors);

        ck_assert_int_eq(status, 1);
        harness_assert(strstr(errors, "run it as root: sudo"), "%s", errors);
        ck_assert_uint_eq(text_count(errors, strlen(errors), "\n"), 1);
}
END_TEST

/* Without these nothing can be watched or found. */
static const struct {
        int number;
        const char *name;
} needed[] = {
        {CAP_SYS_ADMIN, "CAP_SYS_ADMIN"},
        {CAP_DAC_READ_SEARCH, "CAP_DAC_READ_SEARCH"},
};

START_TEST(a_needed_capability_is_missing) {
        _cleanup_free_ char *errors = NULL;
        int status = run_without(give_up_capability, needed[_i].number, &errors);

        ck_assert_int_eq(status, 1);
        harness_assert(strstr(errors, needed[_i].name), "%s", errors);
}
END_TEST

/* Without these it knows less about who: it refuses or goes on, but says so. */
static const struct {
        int number;
        const char *name;
} wanted[] = {
        {CAP_NET_ADMIN, "CAP_NET_ADMIN"},
        {CAP_SYS_PTRACE, "CAP_SYS_PTRACE"},
        {CAP_SYS_NICE, "CAP_SYS_NICE"},
};

START_TEST(a_wanted_capability_is_missing) {
        _cleanup_free_ char *errors = NULL;
        int status = run_without(give_up_capability, wanted[_i].number, &errors);

        harness_assert(status == 0 || status == 1, "exit status %d", status);
        harness_assert(strstr(errors, wanted[_i].name), "%s", errors);
}
END_TEST

static void give_up_namespace(int what) {
        static const char map[] = "0 0 1\n"; /* root there is root here */
        int fd, r;

        (void)what;
        r = unshare(CLONE_NEWUSER | CLONE_NEWNS);
        fd = r < 0 ? -1 : open("/proc/self/uid_map", O_WRONLY | O_CLOEXEC);
        if (fd < 0 || write(fd, map, strlen(map)) < 0) {
                fprintf(stderr, "%s: %s", r < 0 ? "unshare" : "uid_map", strerror(errno));
                _exit(125);
        }
}

/* All capabilities, but of a user namespace of its own: "run it as root" would not help. */
START_TEST(root_of_another_user_namespace) {
        _cleanup_free_ char *errors = NULL;
        int status = run_without(give_up_namespace, 0, &errors);

        /* ThreadSanitizer's own thread forbids it; the other builds show it. */
        if (status == 125 && harness_is_sanitized() && strstr(errors, strerror(EINVAL)))
                return;
        if (status == 125)
                harness_skip("no user namespaces here (%s)", errors);
        ck_assert_int_eq(status, 1);
        harness_assert(strstr(errors, "initial user namespace"), "%s", errors);
        harness_assert(!strstr(errors, "run it as root"), "%s", errors);
}
END_TEST

/* It can be marked but not cloned: what the kernel lacks is not at fault. */
START_TEST(an_unbindable_mount) {
        Filesystem fs = fs_new(FS_TMPFS, "fs");
        _cleanup_free_ char *errors = NULL;

        ck_assert_int_eq(mount(NULL, fs.path, NULL, MS_UNBINDABLE, NULL), 0);
        errors = fails_with(1, MONITOR_ARGS("watch", fs.path));
        harness_assert(strstr(errors, "unbindable") && strstr(errors, "--make-private"), "%s",
                       errors);
}
END_TEST

/* No mistake, since a later process may get it, but most likely a slip. */
START_TEST(a_pid_that_is_nobodys) {
        Filesystem fs = fs_new(FS_TMPFS, "fs");
        /* One more than pids may ever be. */
        _cleanup_free_ char *errors =
                fails_with(124, MONITOR_ARGS("watch", "--output=text", "--timeout=100ms", "--pid=1",
                                             "--pid=4194304", fs.path));

        harness_assert(strstr(errors, "--pid=4194304: there is no such process"), "%s", errors);
        harness_assert(!strstr(errors, "--pid=1:"), "%s", errors);
}
END_TEST

/* It may be a name, but most likely is a piece of an id. */
START_TEST(a_short_container_id) {
        Filesystem fs = fs_new(FS_TMPFS, "fs");
        _cleanup_free_ char *errors =
                fails_with(124, MONITOR_ARGS("watch", "--output=text", "--timeout=100ms",
                                             "--container=ab", "--container=web", fs.path));

        harness_assert(strstr(errors, "--container=ab: only a container of that very name"), "%s",
                       errors);
        harness_assert(!strstr(errors, "--container=web"), "%s", errors);
}
END_TEST

/* Records and messages would go into whatever file got the number. */
START_TEST(a_closed_stdout) {
        _cleanup_free_ char *error_path = harness_path("errors"), *errors = NULL;
        int error_fd = open(error_path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
        pid_t pid = fork();

        if (pid == 0) {
                dup2(error_fd, STDERR_FILENO);
                close(STDOUT_FILENO);
                execl(harness_program(), "whodunlink", "watch", "/tmp", (char *)NULL);
                _exit(126);
        }
        close(error_fd);
        ck_assert_int_eq(process_wait(pid, 20), 1);
        errors = harness_read_file(error_path, NULL);
        harness_assert(strstr(errors, "stdout is closed"), "%s", errors);
}
END_TEST

static char *says(const char *const *args) {
        Monitor m = monitor_spawn(args);
        int status = monitor_wait(&m, 20);
        _cleanup_free_ char *errors = monitor_errors(&m);

        harness_assert(status == 0, "exit status %d", status);
        harness_assert(!*errors, "says on stderr: %s", errors);
        return harness_read_file(m.output_path, NULL);
}

static void assert_fits_a_screen(const char *help, size_t n_lines_max) {
        size_t n_lines = text_count(help, strlen(help), "\n"), n_columns = 0;

        for (const char *p = help; *p; p = *p ? p + 1 : p) {
                size_t n = strcspn(p, "\n");

                n_columns = n > n_columns ? n : n_columns;
                p += n;
        }
        harness_assert(n_lines >= 8 && n_lines <= n_lines_max, "%zu lines", n_lines);
        harness_assert(n_columns <= 100, "%zu columns", n_columns);
}

START_TEST(help_fits_a_screen) {
        static const char *const options[] = {"--output", "--exclude",    "--include", "--action",
                                              "--comm",   "--exe",        "--user",    "--pid",
                                              "--once",   "--count",      "--timeout", "--queue",
                                              "--color",  "--descendants"};
        _cleanup_free_ char *help = says(MONITOR_ARGS("--help"));
        _cleanup_free_ char *watch_help = says(MONITOR_ARGS("watch", "--help"));

        assert_fits_a_screen(help, 24);
        assert_fits_a_screen(watch_help, 50);
        harness_assert(strstr(help, "watch") && strstr(help, "--version"), "%s", help);
        for (size_t i = 0; i < sizeof(options) / sizeof(*options); i++)
                harness_assert(strstr(watch_help, options[i]), "no %s in:\n%s", options[i],
                               watch_help);
}
END_TEST

START_TEST(version_names_the_build) {
        _cleanup_free_ char *version = says(MONITOR_ARGS("--version"));

        harness_assert(strstr(version, "whodunlink") && strpbrk(version, "0123456789"), "%s",
                       version);
}
END_TEST

static void add_tests(TCase *tcase) {
        tcase_add_loop_test(tcase, a_bad_command_line, 0,
                            sizeof(bad_command_lines) / sizeof(*bad_command_lines));
        tcase_add_test(tcase, a_filesystem_without_events);
        tcase_add_test(tcase, a_file_where_a_directory_is_needed);
        tcase_add_test(tcase, a_symlink_loop);
        tcase_add_test(tcase, not_root);
        tcase_add_loop_test(tcase, a_needed_capability_is_missing, 0, 2);
        tcase_add_loop_test(tcase, a_wanted_capability_is_missing, 0, 3);
        tcase_add_test(tcase, root_of_another_user_namespace);
        tcase_add_test(tcase, an_unbindable_mount);
        tcase_add_test(tcase, a_pid_that_is_nobodys);
        tcase_add_test(tcase, a_short_container_id);
        tcase_add_test(tcase, a_closed_stdout);
        tcase_add_test(tcase, help_fits_a_screen);
        tcase_add_test(tcase, version_names_the_build);
}

int main(void) {
        return harness_main("errors", add_tests);
}
