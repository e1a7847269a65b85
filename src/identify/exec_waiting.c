/* SPDX-License-Identifier: MIT */

/*
 * Reading a task that waits inside execve(2).
 *
 * Source: proc_pid_syscall(5); preadv2(2) for RWF_NOWAIT, which some filesystems do not have.
 */

#include "identify/exec_waiting.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/path.h"
#include "identify/proc_stat.h"

int exec_waiting_read_image(ExecWaiting *w) {
        char bytes[EXEC_IMAGE_BYTES];
        const struct iovec to = {.iov_base = bytes, .iov_len = sizeof(bytes)};
        ssize_t n;

        n = preadv2(w->fd, &to, 1, 0, RWF_NOWAIT);
        if (n < 0 && errno == EOPNOTSUPP)
                n = pread(w->fd, bytes, sizeof(bytes), 0);
        if (n < 0)
                return -errno;
        exec_image_parse(bytes, (size_t)n, &w->image);
        w->is_image_known = true;
        return 0;
}

static int read_call(int proc_fd, pid_t tid, ExecCall *ret_call) {
        _cleanup_close_ int fd = -1;
        char name[32], line[256];
        ssize_t n;

        snprintf(name, sizeof(name), "%d/syscall", (int)tid);
        fd = openat(proc_fd, name, O_RDONLY | O_CLOEXEC);
        if (fd < 0)
                return -errno;
        n = read(fd, line, sizeof(line));
        return n < 0 ? -errno : exec_call_parse(line, (size_t)n, ret_call);
}

/* The process that a thread belongs to. Return: its pid, or a negative errno. */
static pid_t read_process(int proc_fd, pid_t tid) {
        _cleanup_close_ int fd = -1;
        char name[32], status[4096];
        uint32_t pid;
        ssize_t n;
        int r;

        if (syscall(SYS_tgkill, tid, tid, 0) == 0)
                return tid; /* nearly always */
        snprintf(name, sizeof(name), "%d/status", (int)tid);
        fd = openat(proc_fd, name, O_RDONLY | O_CLOEXEC);
        if (fd < 0)
                return -errno;
        n = read(fd, status, sizeof(status));
        if (n < 0)
                return -errno;
        r = proc_status_tgid_parse(status, (size_t)n, &pid);
        return r < 0 ? r : (pid_t)pid;
}

static void read_path(int proc_fd, int fd, char path[static PATH_MAX], ExecView *v) {
        char name[40];
        ssize_t n;

        snprintf(name, sizeof(name), "thread-self/fd/%d", fd);
        n = readlinkat(proc_fd, name, path, PATH_MAX);
        v->path = path;
        v->n_path = n > 0 ? path_length_less_deleted(path, (size_t)n) : 0;
        v->is_deleted = n > 0 && v->n_path < (size_t)n;
}

int exec_waiting_copy(const ExecWaiting *w, int proc_fd, ExecMemory *memory, ExecChain *chain,
                      HeldExec *ret_exec) {
        char path[PATH_MAX];
        ExecView v = {.tid = w->tid, .image = w->is_image_known ? &w->image : NULL};
        int r;

        r = read_call(proc_fd, w->tid, &v.call);
        if (r < 0)
                return r;
        r = read_process(proc_fd, w->tid);
        if (r < 0)
                return r;
        ret_exec->pid = r;
        ret_exec->is_by_thread = r != w->tid;
        r = exec_memory_read(w->tid, memory, &v);
        if (r < 0)
                return r;
        read_path(proc_fd, w->fd, path, &v);
        return exec_chain_see(chain, &v, ret_exec);
}
