/* SPDX-License-Identifier: MIT */

/*
 * See monitor.h.  stdout and stderr are files on harness_work(), which the tests do not watch.
 */

#include "monitor.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "harness.h"
#include "process.h"

#define ARGS_MAX 64

static const char start_mark[] = "\"action\":\"start\"";

static int create_file(const char *path) {
        int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC, 0644);

        harness_assert(fd >= 0, "%s: %m", path);
        return fd;
}

__attribute__((noreturn)) static void exec_monitor(const char *const *args, int out_fd,
                                                   int err_fd) {
        const char *argv[ARGS_MAX] = {harness_program()};
        size_t n = 1;
        int null_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

        for (size_t i = 0; args[i] && n < ARGS_MAX - 1; i++)
                argv[n++] = args[i];
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        dup2(null_fd, STDIN_FILENO);
        dup2(out_fd, STDOUT_FILENO);
        dup2(err_fd, STDERR_FILENO);
        execv(argv[0], (char *const *)argv);
        dprintf(STDERR_FILENO, "%s: %s\n", argv[0], strerror(errno));
        _exit(127);
}

static Monitor spawn(const char *const *args, bool is_piped) {
        static unsigned n_monitors;
        unsigned i = ++n_monitors;
        Monitor m = {.pipe_fd = -1,
                     .output_path = harness_path("monitor-%u.out", i),
                     .error_path = harness_path("monitor-%u.err", i)};
        _cleanup_close_ int out_fd = create_file(m.output_path);
        _cleanup_close_ int err_fd = create_file(m.error_path);
        int pipe_fds[2];

        if (is_piped) {
                harness_assert(pipe2(pipe_fds, O_CLOEXEC) == 0, "pipe: %m");
                close(out_fd);
                out_fd = pipe_fds[1];
                m.pipe_fd = pipe_fds[0];
        }
        m.pid = fork();
        harness_assert(m.pid >= 0, "fork: %m");
        if (m.pid == 0)
                exec_monitor(args, out_fd, err_fd);
        return m;
}

Monitor monitor_spawn(const char *const *args) {
        return spawn(args, false);
}

Monitor monitor_spawn_piped(const char *const *args) {
        return spawn(args, true);
}

static Monitor spawn_watch(const char *output, const char *const *args, bool is_piped) {
        const char *argv[ARGS_MAX] = {"watch", output};

        for (size_t i = 0; args[i] && i < ARGS_MAX - 3; i++)
                argv[i + 2] = args[i];
        return spawn(argv, is_piped);
}

/* The first few processes it sees are slow to read while a sanitizer maps its shadows. */
static void warm_up(void) {
        for (int i = 0; i < 20 && harness_is_sanitized(); i++)
                process_run(PROCESS_ARGS("true"));
}

Monitor monitor_start(const char *const *args) {
        Monitor m = spawn_watch("--output=json", args, false);

        monitor_wait_for_output(&m, start_mark, MONITOR_TIMEOUT_SEC);
        warm_up();
        return m;
}

/* Reads what is there into the output file. Return: false at the end. */
static bool pump_once(Monitor *m, int timeout_msec) {
        struct pollfd pfd = {.fd = m->pipe_fd, .events = POLLIN};
        _cleanup_close_ int fd = open(m->output_path, O_WRONLY | O_APPEND | O_CLOEXEC);
        char bytes[65536];
        ssize_t n;

        if (poll(&pfd, 1, timeout_msec) <= 0)
                return true;
        n = read(m->pipe_fd, bytes, sizeof(bytes));
        harness_assert(n >= 0, "reading the monitor's output: %m");
        harness_assert(write(fd, bytes, (size_t)n) == n, "%s: %m", m->output_path);
        return n > 0;
}

Monitor monitor_start_piped(const char *const *args) {
        Monitor m = spawn_watch("--output=json", args, true);
        double end = harness_now() + MONITOR_TIMEOUT_SEC;

        while (!monitor_has_output(&m, start_mark)) {
                harness_assert(pump_once(&m, 100) && harness_now() < end, "no start record: %s",
                               monitor_errors(&m));
        }
        warm_up();
        return m;
}

Monitor monitor_start_text(const char *const *args) {
        Monitor m = spawn_watch("--output=text", args, false);

        monitor_wait_for_error(&m, "watching ", MONITOR_TIMEOUT_SEC);
        warm_up();
        return m;
}

static bool file_has(const char *path, const char *text) {
        _cleanup_free_ char *bytes = NULL;
        size_t n_bytes;

        bytes = harness_read_file(path, &n_bytes);
        return memmem(bytes, n_bytes, text, strlen(text));
}

static void wait_for(const Monitor *m, const char *path, const char *text, double timeout_sec) {
        double end = harness_now() + timeout_sec;
        siginfo_t info;

        while (!file_has(path, text)) {
                info.si_pid = 0;
                waitid(P_PID, (id_t)m->pid, &info, WEXITED | WNOHANG | WNOWAIT);
                if (info.si_pid && !file_has(path, text))
                        harness_abort("monitor ended (%d) without %s: %s", info.si_status, text,
                                      monitor_errors(m));
                harness_assert(harness_now() < end, "no %s in %.0f s: %s", text, timeout_sec,
                               monitor_errors(m));
                harness_sleep(0.005);
        }
}

void monitor_wait_for_output(const Monitor *m, const char *text, double timeout_sec) {
        wait_for(m, m->output_path, text, timeout_sec);
}

void monitor_wait_for_error(const Monitor *m, const char *text, double timeout_sec) {
        wait_for(m, m->error_path, text, timeout_sec);
}

bool monitor_has_output(const Monitor *m, const char *text) {
        return file_has(m->output_path, text);
}

void monitor_wait_until_quiet(const Monitor *m, double quiet_sec) {
        double end = harness_now() + MONITOR_TIMEOUT_SEC, since = harness_now();
        off_t n_bytes = -1;
        struct stat st;

        while (harness_now() - since < quiet_sec) {
                harness_assert(stat(m->output_path, &st) == 0, "%s: %m", m->output_path);
                if (st.st_size != n_bytes)
                        since = harness_now();
                n_bytes = st.st_size;
                harness_assert(harness_now() < end, "the monitor never comes to rest");
                harness_sleep(0.02);
        }
}

void monitor_pump(Monitor *m) {
        double end = harness_now() + MONITOR_TIMEOUT_SEC;

        while (pump_once(m, 1000))
                harness_assert(harness_now() < end, "the monitor does not end: %s",
                               monitor_errors(m));
}

int monitor_wait(Monitor *m, double timeout_sec) {
        int status;

        if (m->pipe_fd >= 0)
                monitor_pump(m);
        status = process_wait(m->pid, timeout_sec);
        if (m->pipe_fd >= 0)
                close(m->pipe_fd);
        m->pipe_fd = -1;
        return status;
}

void monitor_stop(Monitor *m) {
        int status;

        harness_assert(kill(m->pid, SIGTERM) == 0, "the monitor is gone: %s", monitor_errors(m));
        status = monitor_wait(m, MONITOR_TIMEOUT_SEC);
        harness_assert(status == 0, "monitor exit status %d: %s", status, monitor_errors(m));
}

char *monitor_errors(const Monitor *m) {
        return harness_read_file(m->error_path, NULL);
}

char *monitor_why(int expected_status, double timeout_sec, const char *const *args) {
        const char *all[16] = {"why"};
        char *output;
        Monitor m;
        int status;

        for (size_t i = 0; args[i] && i < 14; i++)
                all[i + 1] = args[i];
        m = monitor_spawn(all);
        status = monitor_wait(&m, timeout_sec);
        output = harness_read_file(m.output_path, NULL);
        if (status != expected_status) {
                _cleanup_free_ char *errors = monitor_errors(&m);

                harness_abort("exit status %d, not %d:\n%s%s", status, expected_status, output,
                              errors);
        }
        return output;
}

size_t monitor_count_marks(pid_t pid) {
        _cleanup_free_ char *path = harness_format("/proc/%d/fdinfo", (int)pid);
        _cleanup_closedir_ DIR *d = opendir(path);
        struct dirent *e;
        size_t n = 0;

        harness_assert(d, "%s: %m", path);
        while ((e = readdir(d))) {
                _cleanup_free_ char *file = harness_format("%s/%s", path, e->d_name);
                _cleanup_fclose_ FILE *f = fopen(file, "re");
                char line[512];

                while (*e->d_name != '.' && f && fgets(line, sizeof(line), f))
                        n += strncmp(line, "fanotify ino:", 13) == 0;
        }
        return n;
}
