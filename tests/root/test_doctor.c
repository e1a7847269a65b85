/* SPDX-License-Identifier: MIT */

/*
 * What the doctor says is so: on a machine where all is well, and after each thing was taken away
 * that it looks at.
 */

#include <fcntl.h>
#include <linux/capability.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "filesystem.h"
#include "harness.h"
#include "monitor.h"
#include "process.h"
#include "record.h"

#define NOBODY 65534
#define LIMIT_SEC (harness_is_sanitized() ? 20.0 : 5.0)

/* Runs `doctor ARGS` in a child that gave something up before. Return: its stdout. */
static char *doctor(int expected_status, void (*give_up)(int what), int what,
                    const char *const *args) {
        static unsigned n_runs;
        char *program = harness_path("program-%u", ++n_runs);
        char *output_path = harness_path("doctor-%u", n_runs), *output;
        int output_fd = open(output_path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
        const char *argv[16] = {"whodunlink", "doctor"};
        int status;
        pid_t pid;

        for (size_t i = 0; args[i] && i < 12; i++)
                argv[i + 2] = args[i];
        /* Its directory may be closed to others. */
        process_run(PROCESS_ARGS("cp", harness_program(), program));
        pid = fork();
        if (pid == 0) {
                prctl(PR_SET_PDEATHSIG, SIGKILL);
                dup2(output_fd, STDOUT_FILENO);
                dup2(output_fd, STDERR_FILENO);
                if (give_up)
                        give_up(what);
                execv(program, (char *const *)argv);
                _exit(126);
        }
        close(output_fd);
        status = process_wait(pid, LIMIT_SEC);
        output = harness_read_file(output_path, NULL);
        harness_assert(status == expected_status, "exit status %d, not %d:\n%s", status,
                       expected_status, output);
        return output;
}

/* The line that holds both texts; fails the test without one. Newly allocated. */
static char *line_with(const char *output, const char *mark, const char *text) {
        for (const char *at = output; *at; at += strcspn(at, "\n") + 1) {
                _cleanup_free_ char *line = strndup(at, strcspn(at, "\n"));

                if (strncmp(line, mark, strlen(mark)) == 0 && strstr(line, text))
                        return TAKE_PTR(line);
        }
        harness_abort("no line \"%s … %s\" in:\n%s", mark, text, output);
}

START_TEST(all_is_well) {
        Filesystem fs = fs_new((FsKind)_i, "fs");
        _cleanup_free_ char *what =
                harness_format("filesystem: %s (%s", fs.path, fs_kind_name(fs.kind));
        double begin = harness_now();
        _cleanup_free_ char *output = doctor(0, NULL, 0, MONITOR_ARGS(fs.path));

        harness_note("%.0f ms", 1000 * (harness_now() - begin));
        free(line_with(output, "ok ", what));
        free(line_with(output, "ok ", "kernel: Linux "));
        free(line_with(output, "ok ", "FAN_REPORT_TARGET_FID"));
        free(line_with(output, "ok ", "CAP_SYS_ADMIN"));
        free(line_with(output, "ok ", "process events"));
        free(line_with(output, "ok ", "exit records"));
        free(line_with(output, "ok ", "real-time priority"));
        free(line_with(output, "ok ", "open files"));
        harness_assert(strstr(output, "\nall is well\n"), "%s", output);
        harness_assert(!strstr(output, "\ncannot") && !strstr(output, "\nmissing"), "%s", output);
        /* Nothing is held: neither the filesystem nor its device. */
        harness_assert(umount2(fs.path, 0) == 0, "umount: %m");
        for (double end = harness_now() + 1; fs.loop_index >= 0 && fs_is_loop_attached(&fs);) {
                harness_assert(harness_now() < end, "%s is still in use", fs.source);
                harness_sleep(0.01);
        }
}
END_TEST

/* Each mark in a line of its own, whatever it says. */
START_TEST(each_line_begins_with_its_mark) {
        static const char *const marks[] = {"ok       ", "note     ", "missing  ", "cannot   ",
                                            "         → "};
        _cleanup_free_ char *output = doctor(1, NULL, 0, MONITOR_ARGS("/", "/proc"));
        size_t n_lines = 0;

        for (const char *at = output; *at; at += strcspn(at, "\n") + 1, n_lines++) {
                bool is_marked = strncmp(at, "1 cannot be done", 16) == 0;

                for (size_t i = 0; i < sizeof(marks) / sizeof(*marks); i++)
                        is_marked = is_marked || strncmp(at, marks[i], strlen(marks[i])) == 0;
                harness_assert(is_marked, "%.*s", (int)strcspn(at, "\n"), at);
        }
        ck_assert_uint_gt(n_lines, 15);
        free(line_with(output, "cannot ", "/proc (proc): a view of the kernel"));
        free(line_with(output, "         → ", "watch a directory on another filesystem"));
}
END_TEST

static void give_up_root(int what) {
        (void)what;
        if (setresgid(NOBODY, NOBODY, NOBODY) < 0 || setresuid(NOBODY, NOBODY, NOBODY) < 0)
                _exit(125);
}

START_TEST(not_root) {
        Filesystem fs = fs_new(FS_TMPFS, "fs");
        _cleanup_free_ char *output = doctor(1, give_up_root, 0, MONITOR_ARGS(fs.path));

        free(line_with(output, "cannot ", "CAP_SYS_ADMIN"));
        free(line_with(output, "cannot ", "fanotify could not be tried"));
        free(line_with(output, "cannot ", "not tried"));
        free(line_with(output, "         → ", "as root"));
}
END_TEST

static void give_up_capability(int what) {
        if (prctl(PR_CAPBSET_DROP, what, 0, 0, 0) < 0)
                _exit(125);
}

static const struct {
        int number;
        const char *mark, *name;
} capabilities[] = {
        {CAP_SYS_ADMIN, "cannot ", "CAP_SYS_ADMIN"},
        {CAP_DAC_READ_SEARCH, "cannot ", "CAP_DAC_READ_SEARCH"},
        {CAP_NET_ADMIN, "missing ", "CAP_NET_ADMIN"},
        {CAP_SYS_PTRACE, "missing ", "CAP_SYS_PTRACE"},
        {CAP_SYS_NICE, "missing ", "CAP_SYS_NICE"},
};

START_TEST(a_capability_is_missing) {
        Filesystem fs = fs_new(FS_TMPFS, "fs");
        _cleanup_free_ char *output =
                doctor(1, give_up_capability, capabilities[_i].number, MONITOR_ARGS(fs.path));

        free(line_with(output, capabilities[_i].mark, capabilities[_i].name));
        if (capabilities[_i].number == CAP_NET_ADMIN)
                free(line_with(output, "missing ", "no process events: CAP_NET_ADMIN"));
        if (capabilities[_i].number == CAP_SYS_NICE)
                free(line_with(output, "missing ", "no real-time priority: CAP_SYS_NICE"));
}
END_TEST

static void give_up_network(int what) {
        (void)what;
        if (unshare(CLONE_NEWNET) < 0)
                _exit(125);
}

/* All capabilities, but the kernel tells nobody there of processes. */
START_TEST(another_network_namespace) {
        Filesystem fs = fs_new(FS_TMPFS, "fs");
        _cleanup_free_ char *output = doctor(1, give_up_network, 0, MONITOR_ARGS(fs.path));

        free(line_with(output, "ok ", "CAP_NET_ADMIN"));
        free(line_with(output, "missing ", "no process events"));
}
END_TEST

static void give_up_descriptors(int what) {
        const struct rlimit limit = {(rlim_t)what, (rlim_t)what};

        if (setrlimit(RLIMIT_NOFILE, &limit) < 0)
                _exit(125);
}

START_TEST(few_descriptors) {
        Filesystem fs = fs_new(FS_TMPFS, "fs");
        _cleanup_free_ char *output = doctor(1, give_up_descriptors, 50, MONITOR_ARGS(fs.path));

        free(line_with(output, "missing ", "limits: 50 open files"));
        free(line_with(output, "         → ", "LimitNOFILE="));
}
END_TEST

/* What is watched directory by directory is said so: a watch sees less there. */
START_TEST(an_overlay) {
        _cleanup_free_ char *lower = harness_path("lower"), *upper = harness_path("upper");
        _cleanup_free_ char *work = harness_path("work"), *merged = harness_path("merged");
        _cleanup_free_ char *options =
                harness_format("lowerdir=%s,upperdir=%s,workdir=%s", lower, upper, work);
        _cleanup_free_ char *output = NULL;

        harness_mkdir(lower);
        harness_mkdir(upper);
        harness_mkdir(work);
        harness_mkdir(merged);
        if (mount("overlay", merged, "overlay", 0, options) < 0)
                harness_skip("no overlay");
        output = doctor(1, NULL, 0, MONITOR_ARGS(merged));
        free(line_with(output, "missing ", "each of its directories"));
        free(line_with(output, "         → ", "nfs_export=on"));
}
END_TEST

/* Each place that it is mounted at below the path, and what is left out there, with the reason. */
START_TEST(all_mounts_below_a_path) {
        _cleanup_free_ char *area = harness_path("area"), *first = harness_path("area/first");
        _cleanup_free_ char *second = harness_path("area/second"),
                            *proc = harness_path("area/proc");
        _cleanup_free_ char *outside = harness_path("outside");
        _cleanup_free_ char *also = harness_format("(tmpfs on fs), also at %s: ", second);
        _cleanup_free_ char *output = NULL;

        harness_mkdir(area);
        harness_mkdir(first);
        harness_mkdir(second);
        harness_mkdir(proc);
        harness_mkdir(outside);
        ck_assert_int_eq(mount("fs", first, "tmpfs", 0, NULL), 0);
        ck_assert_int_eq(mount(first, second, NULL, MS_BIND, NULL), 0);
        ck_assert_int_eq(mount(first, outside, NULL, MS_BIND, NULL), 0);
        ck_assert_int_eq(mount("proc", proc, "proc", 0, NULL), 0);
        output = doctor(0, NULL, 0, MONITOR_ARGS(area));
        free(line_with(output, "ok ", also));
        free(line_with(output, "note ", "filesystem: 1 mount of proc, sysfs"));
        ck_assert_ptr_null(strstr(output, outside));
}
END_TEST

static void mount_for_itself(void *userdata) {
        if (unshare(CLONE_NEWNS) < 0 || mount("private", userdata, "tmpfs", 0, NULL) < 0)
                _exit(1);
        /* The sign that it is mounted. */
        harness_touch(harness_format("%s.ready", (char *)userdata));
        for (;;)
                pause();
}

START_TEST(a_mount_of_another_namespace) {
        _cleanup_free_ char *place = harness_path("private"),
                            *ready = harness_path("private.ready");
        _cleanup_free_ char *output = NULL, *before = NULL;
        double end = harness_now() + 5;
        char pid_text[32];
        pid_t pid;

        harness_mkdir(place);
        before = doctor(0, NULL, 0, MONITOR_ARGS(place));
        pid = process_fork(mount_for_itself, place);
        while (access(ready, F_OK) < 0) {
                harness_assert(harness_now() < end, "the child does not mount");
                harness_sleep(0.01);
        }
        output = doctor(0, NULL, 0, MONITOR_ARGS(place));
        free(line_with(output, "note ", "no watch here sees"));
        /* Others' may stand as the example, if there are any. */
        snprintf(pid_text, sizeof(pid_text), "process %d", (int)pid);
        harness_assert(strstr(before, "no watch here sees") ||
                               (strstr(output, pid_text) && strstr(output, place)),
                       "%s", output);
        kill(pid, SIGKILL);
}
END_TEST

START_TEST(a_path_that_is_not_there) {
        _cleanup_free_ char *path = harness_path("absent/file");
        _cleanup_free_ char *output = doctor(0, NULL, 0, MONITOR_ARGS(path));

        free(line_with(output, "note ", path));
        free(line_with(output, "ok ", harness_work()));
}
END_TEST

START_TEST(json) {
        _cleanup_free_ char *output = doctor(0, NULL, 0, MONITOR_ARGS("--json", harness_work()));
        struct json_object *report = json_tokener_parse(output), *checks = NULL;
        bool has_filesystem = false;

        harness_assert(report, "%s", output);
        harness_assert(strchr(output, '\n') == output + strlen(output) - 1, "%s", output);
        ck_assert(json_object_get_boolean(record_get(report, "is_well")));
        checks = record_get(report, "checks");
        for (size_t i = 0; i < json_object_array_length(checks); i++) {
                struct json_object *check = json_object_array_get_idx(checks, i);
                const char *result = record_string(check, "result");

                ck_assert(strcmp(result, "ok") == 0 || strcmp(result, "note") == 0);
                has_filesystem |= strcmp(record_string(check, "topic"), "filesystem") == 0 &&
                                  strstr(record_string(check, "what"), harness_work());
        }
        ck_assert(has_filesystem);
}
END_TEST

START_TEST(usage) {
        static const char *const lines[][3] = {{"--no-such", NULL}, {"", NULL}, {"--json=x", NULL}};
        _cleanup_free_ char *output = doctor(2, NULL, 0, lines[_i]);

        harness_assert(strstr(output, "usage: whodunlink doctor"), "%s", output);
}
END_TEST

static void add_tests(TCase *tcase) {
        tcase_add_loop_test(tcase, all_is_well, 0, FS_KINDS);
        tcase_add_test(tcase, each_line_begins_with_its_mark);
        tcase_add_test(tcase, not_root);
        tcase_add_loop_test(tcase, a_capability_is_missing, 0, 5);
        tcase_add_test(tcase, another_network_namespace);
        tcase_add_test(tcase, few_descriptors);
        tcase_add_test(tcase, an_overlay);
        tcase_add_test(tcase, all_mounts_below_a_path);
        tcase_add_test(tcase, a_mount_of_another_namespace);
        tcase_add_test(tcase, a_path_that_is_not_there);
        tcase_add_test(tcase, json);
        tcase_add_loop_test(tcase, usage, 0, 3);
}

int main(void) {
        return harness_main("doctor", add_tests);
}
