/* SPDX-License-Identifier: MIT */

/* See manager.h. */

#include "manager.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "harness.h"
#include "process.h"

#define FIRST_FD 3
#define ARGS_MAX 64

Manager manager_new(const char *const *args) {
        Manager m = {.args = args, .socket_path = harness_path("notify.%d", (int)getpid())};
        struct sockaddr_un address = {.sun_family = AF_UNIX};
        int n_bytes = 1 << 20;

        snprintf(address.sun_path, sizeof(address.sun_path), "%s", m.socket_path);
        m.socket_fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
        harness_assert(m.socket_fd >= 0, "socket: %m");
        (void)setsockopt(m.socket_fd, SOL_SOCKET, SO_RCVBUF, &n_bytes, sizeof(n_bytes));
        harness_assert(bind(m.socket_fd, (struct sockaddr *)&address, sizeof(address)) == 0,
                       "%s: %m", m.socket_path);
        return m;
}

void manager_drop(Manager *m) {
        while (m->n_fds > 0)
                close(m->fds[--m->n_fds].fd);
}

static int open_output(const char *path) {
        int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);

        harness_assert(fd >= 0, "%s: %m", path);
        return fd;
}

static void set_number(const char *name, long value) {
        char text[32];

        snprintf(text, sizeof(text), "%ld", value);
        setenv(name, text, 1);
}

/* In the child: what is kept goes to 3, 4, … */
static void pass_fds(const Manager *m) {
        int fds[MANAGER_FDS_MAX];
        char names[MANAGER_FDS_MAX * 256] = "";
        size_t n = 0;

        for (size_t i = 0; i < m->n_fds; i++) {
                fds[i] = fcntl(m->fds[i].fd, F_DUPFD_CLOEXEC, FIRST_FD + MANAGER_FDS_MAX);
                n += (size_t)snprintf(names + n, sizeof(names) - n, "%s%s", i > 0 ? ":" : "",
                                      m->fds[i].name);
        }
        for (size_t i = 0; i < m->n_fds; i++)
                dup2(fds[i], FIRST_FD + (int)i);
        if (m->n_fds == 0)
                return;
        set_number("LISTEN_FDS", (long)m->n_fds);
        set_number("LISTEN_PID", getpid());
        setenv("LISTEN_FDNAMES", names, 1);
}

__attribute__((noreturn)) static void exec_instance(const Manager *m, int out_fd, int err_fd) {
        const char *argv[ARGS_MAX] = {harness_program()};
        size_t n = 1;

        for (size_t i = 0; m->args[i] && n < ARGS_MAX - 1; i++)
                argv[n++] = m->args[i];
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        dup2(open("/dev/null", O_RDONLY | O_CLOEXEC), STDIN_FILENO);
        dup2(out_fd, STDOUT_FILENO);
        dup2(err_fd, STDERR_FILENO);
        setenv("NOTIFY_SOCKET", m->socket_path, 1);
        if (m->watchdog_usec) {
                setenv("WATCHDOG_USEC", m->watchdog_usec, 1);
                set_number("WATCHDOG_PID", getpid());
        }
        pass_fds(m);
        execv(argv[0], (char *const *)argv);
        _exit(127);
}

void manager_spawn(Manager *m) {
        _cleanup_close_ int out_fd = -1, err_fd = -1;
        size_t i = m->n_instances++;

        harness_assert(i < MANAGER_INSTANCES_MAX, "too many instances");
        m->output_paths[i] = harness_path("instance-%zu.out", i);
        m->error_paths[i] = harness_path("instance-%zu.err", i);
        m->n_ready = m->n_watchdogs = m->n_reloading = m->n_stopping = m->n_removed = 0;
        m->status[0] = '\0';
        out_fd = open_output(m->output_paths[i]);
        err_fd = open_output(m->error_paths[i]);
        m->pid = fork();
        harness_assert(m->pid >= 0, "fork: %m");
        if (m->pid == 0)
                exec_instance(m, out_fd, err_fd);
}

static void keep(Manager *m, const char *name, int fd) {
        ManagerFd *at = &m->fds[m->n_fds];

        harness_assert(fd >= 0, "FDSTORE=1 without a descriptor");
        harness_assert(m->n_fds < MANAGER_FDS_MAX, "too many descriptors are kept");
        /* systemd would keep both; one program has no use for two of one name. */
        harness_assert(!manager_keeps(m, name) || strcmp(name, "") == 0,
                       "%s is stored a second time", name);
        snprintf(at->name, sizeof(at->name), "%s", name);
        at->fd = fd;
        m->n_fds++;
}

static void forget(Manager *m, const char *name) {
        for (size_t i = 0; i < m->n_fds; i++) {
                if (strcmp(m->fds[i].name, name) != 0)
                        continue;
                close(m->fds[i].fd);
                m->fds[i] = m->fds[--m->n_fds];
                m->n_removed++;
                return;
        }
}

static void take_message(Manager *m, char *text, int fd) {
        bool is_store = false, is_remove = false, is_unpolled = false;
        const char *name = "";
        char *at = NULL;

        for (char *line = strtok_r(text, "\n", &at); line; line = strtok_r(NULL, "\n", &at)) {
                is_store |= strcmp(line, "FDSTORE=1") == 0;
                is_remove |= strcmp(line, "FDSTOREREMOVE=1") == 0;
                is_unpolled |= strcmp(line, "FDPOLL=0") == 0;
                m->n_ready += strcmp(line, "READY=1") == 0;
                m->n_watchdogs += strcmp(line, "WATCHDOG=1") == 0;
                m->n_reloading += strcmp(line, "RELOADING=1") == 0;
                m->n_stopping += strcmp(line, "STOPPING=1") == 0;
                if (strncmp(line, "FDNAME=", 7) == 0)
                        name = line + 7;
                if (strncmp(line, "STATUS=", 7) == 0)
                        snprintf(m->status, sizeof(m->status), "%s", line + 7);
        }
        if (is_store) {
                harness_assert(is_unpolled, "%s is stored without FDPOLL=0", name);
                keep(m, name, fd);
        } else if (fd >= 0) {
                close(fd); /* a barrier */
        }
        if (is_remove)
                forget(m, name);
}

/* Return: false nothing waits. */
static bool take_one(Manager *m) {
        union {
                struct cmsghdr header;
                char bytes[CMSG_SPACE(sizeof(int))];
        } control;
        char text[8192];
        struct iovec vector = {text, sizeof(text) - 1};
        struct msghdr message = {
                .msg_iov = &vector,
                .msg_iovlen = 1,
                .msg_control = &control,
                .msg_controllen = sizeof(control),
        };
        ssize_t n = recvmsg(m->socket_fd, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
        struct cmsghdr *c;
        int fd = -1;

        if (n < 0)
                return false;
        text[n] = '\0';
        c = CMSG_FIRSTHDR(&message);
        if (c && c->cmsg_type == SCM_RIGHTS)
                memcpy(&fd, CMSG_DATA(c), sizeof(fd));
        take_message(m, text, fd);
        return true;
}

void manager_pump(Manager *m, double timeout_sec) {
        double end = harness_now() + timeout_sec;

        do {
                struct pollfd p = {.fd = m->socket_fd, .events = POLLIN};
                double left = end - harness_now();

                while (take_one(m))
                        ;
                if (left <= 0)
                        break;
                (void)poll(&p, 1, (int)(left * 1000) + 1);
        } while (true);
}

static bool has_ended(const Manager *m) {
        siginfo_t info = {0};

        return waitid(P_PID, (id_t)m->pid, &info, WEXITED | WNOHANG | WNOWAIT) == 0 && info.si_pid;
}

void manager_wait_ready(Manager *m) {
        double end = harness_now() + MONITOR_TIMEOUT_SEC;

        while (m->n_ready == 0) {
                harness_assert(!has_ended(m), "it ended before it was ready: %s",
                               manager_errors(m));
                harness_assert(harness_now() < end, "it is never ready: %s", manager_errors(m));
                manager_pump(m, 0.01);
        }
}

void manager_start(Manager *m) {
        manager_spawn(m);
        manager_wait_ready(m);
}

int manager_end(Manager *m, int signal) {
        double end = harness_now() + MONITOR_TIMEOUT_SEC;

        harness_assert(kill(m->pid, signal) == 0, "it is gone: %s", manager_errors(m));
        while (!has_ended(m)) {
                harness_assert(harness_now() < end, "it does not end: %s", manager_errors(m));
                manager_pump(m, 0.01);
        }
        manager_pump(m, 0);
        return process_wait(m->pid, 1);
}

void manager_restart(Manager *m, int signal) {
        int status = manager_end(m, signal);

        harness_assert(status == (signal == SIGKILL ? 128 + SIGKILL : 0), "exit status %d: %s",
                       status, manager_errors(m));
        manager_start(m);
}

int manager_fd(const Manager *m, const char *prefix) {
        for (size_t i = 0; i < m->n_fds; i++)
                if (strncmp(m->fds[i].name, prefix, strlen(prefix)) == 0)
                        return m->fds[i].fd;
        return -1;
}

bool manager_keeps(const Manager *m, const char *prefix) {
        return manager_fd(m, prefix) >= 0;
}

char *manager_errors(const Manager *m) {
        return harness_read_file(m->error_paths[m->n_instances - 1], NULL);
}
