/* SPDX-License-Identifier: MIT */

/*
 * See process.h.  fork and exec by hand: posix_spawn cannot set the parent-death signal, and
 * a storm test uses posix_spawn itself where speed is the point.
 */

#include "process.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "harness.h"

void *process_shared_alloc(size_t n_bytes) {
        void *p = mmap(NULL, n_bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

        harness_assert(p != MAP_FAILED, "mmap: %m");
        return p;
}

pid_t process_spawn(const char *const *args) {
        return process_spawn_io(args, -1, -1);
}

pid_t process_spawn_io(const char *const *args, int in_fd, int out_fd) {
        pid_t pid = fork();

        harness_assert(pid >= 0, "fork: %m");
        if (pid > 0)
                return pid;
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (in_fd < 0)
                in_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
        dup2(in_fd, STDIN_FILENO);
        if (out_fd >= 0)
                dup2(out_fd, STDOUT_FILENO);
        else
                dup2(STDERR_FILENO, STDOUT_FILENO); /* stdout is the TAP report's */
        execvp(args[0], (char *const *)args);
        fprintf(stderr, "# %s: %s\n", args[0], strerror(errno));
        _exit(127);
}

pid_t process_spawn_worker(const char *program, const char *const *args, const char *mode,
                           const char *file, const char *text) {
        pid_t pid = fork();

        harness_assert(pid >= 0, "fork: %m");
        if (pid > 0)
                return pid;
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        setenv("WORKER_MODE", mode, 1);
        setenv("WORKER_FILE", file, 1);
        setenv("WORKER_TEXT", text ? text : "", 1);
        execv(program, (char *const *)args);
        _exit(127);
}

int process_wait(pid_t pid, double timeout_sec) {
        double end = harness_now() + timeout_sec;
        double pause = 0.0002;
        int status;

        for (;;) {
                pid_t r = waitpid(pid, &status, WNOHANG);

                harness_assert(r >= 0, "waitpid %d: %m", (int)pid);
                if (r > 0)
                        break;
                if (harness_now() > end) {
                        kill(pid, SIGKILL);
                        harness_abort("process %d did not end in %.0f s", (int)pid, timeout_sec);
                }
                harness_sleep(pause);
                if (pause < 0.01)
                        pause *= 2;
        }
        return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

pid_t process_run(const char *const *args) {
        pid_t pid = process_spawn(args);
        int status = process_wait(pid, HARNESS_TIMEOUT_SEC / 2);

        harness_assert(status == 0, "%s %s: exit status %d", args[0], args[1] ? args[1] : "",
                       status);
        return pid;
}

pid_t process_fork(void (*function)(void *userdata), void *userdata) {
        pid_t pid = fork();

        harness_assert(pid >= 0, "fork: %m");
        if (pid == 0) {
                prctl(PR_SET_PDEATHSIG, SIGKILL);
                function(userdata);
                _exit(0);
        }
        return pid;
}

/* Return: parent's pid, 0 for none. The name in the file may hold anything, so take the last ')'.
 */
static pid_t read_ppid(pid_t pid) {
        _cleanup_free_ char *path = harness_format("/proc/%d/stat", (int)pid);
        _cleanup_free_ char *stat = harness_read_file(path, NULL);
        const char *p = strrchr(stat, ')');
        int ppid = 0;

        harness_assert(p && sscanf(p, ") %*c %d", &ppid) == 1, "%s: unreadable", path);
        return ppid;
}

size_t process_ancestors(pid_t pid, pid_t ret_pids[static PROCESS_ANCESTORS_MAX]) {
        size_t n = 0;

        while (n < PROCESS_ANCESTORS_MAX && (pid = read_ppid(pid)) > 0)
                ret_pids[n++] = pid;
        return n;
}

char *process_find_program(const char *name) {
        _cleanup_free_ char *dirs = strdup(getenv("PATH") ? getenv("PATH") : "/usr/bin:/bin");
        char *save = NULL;

        for (char *dir = strtok_r(dirs, ":", &save); dir; dir = strtok_r(NULL, ":", &save)) {
                _cleanup_free_ char *path = harness_format("%s/%s", dir, name);

                if (access(path, X_OK) == 0)
                        return realpath(path, NULL);
        }
        harness_skip("no program `%s` in PATH", name);
}

/* Shared by all children of one process; a forked child of it computes its own. */
static const pid_t *own_lineage(size_t *ret_n) {
        static pid_t pids[PROCESS_ANCESTORS_MAX + 1];
        static size_t n;

        if (pids[0] != getpid()) {
                pids[0] = getpid();
                n = 1 + process_ancestors(pids[0], pids + 1);
        }
        *ret_n = n;
        return pids;
}

Process process_child_truth(const char *const *args) {
        Process p = {.args = args, .ppid = getpid(), .user_id = "0"};
        const char *slash = strrchr(args[0], '/');

        p.name = slash ? slash + 1 : args[0];
        p.executable = slash ? realpath(args[0], NULL) : process_find_program(args[0]);
        p.working_directory = getcwd(NULL, 0);
        p.ancestors = own_lineage(&p.n_ancestors);
        return p;
}

static const char *const *own_args(void) {
        size_t n_bytes, n = 0;
        char *bytes = harness_read_file("/proc/self/cmdline", &n_bytes);
        const char **args = calloc(n_bytes + 1, sizeof(*args));

        harness_assert(args, "out of memory");
        for (char *p = bytes; p < bytes + n_bytes; p += strlen(p) + 1)
                args[n++] = p;
        return args;
}

Process process_fork_truth(void) {
        Process p = {.args = own_args(), .ppid = getpid(), .user_id = "0"};

        p.executable = realpath("/proc/self/exe", NULL);
        p.name = p.executable ? strrchr(p.executable, '/') + 1 : NULL;
        p.ancestors = own_lineage(&p.n_ancestors);
        return p;
}

Process process_own_truth(void) {
        Process p = {.pid = getpid(), .ppid = getppid(), .user_id = "0"};
        size_t n;
        const pid_t *lineage = own_lineage(&n);

        p.executable = realpath("/proc/self/exe", NULL);
        p.working_directory = getcwd(NULL, 0);
        p.ancestors = lineage + 1;
        p.n_ancestors = n - 1;
        return p;
}

size_t process_count_fds(pid_t pid) {
        _cleanup_free_ char *path = harness_format("/proc/%d/fd", (int)pid);
        _cleanup_closedir_ DIR *d = opendir(path);
        size_t n = 0;

        harness_assert(d, "%s: %m", path);
        for (struct dirent *de = readdir(d); de; de = readdir(d))
                n += de->d_name[0] != '.';
        return n;
}

uint64_t process_rss_bytes(pid_t pid) {
        _cleanup_free_ char *path = harness_format("/proc/%d/statm", (int)pid);
        _cleanup_free_ char *statm = harness_read_file(path, NULL);
        unsigned long long n_pages = 0;

        harness_assert(sscanf(statm, "%*u %llu", &n_pages) == 1, "%s: unreadable", path);
        return n_pages * (uint64_t)sysconf(_SC_PAGESIZE);
}
