/* SPDX-License-Identifier: MIT */

/*
 * /proc/PID to ProcessFacts.  Called by the witness for each exec on the machine: no allocation but
 * the result, stack buffers only, a handful of system calls.
 *
 * Source: proc_pid_cmdline(5), proc_pid_exe(5), proc_pid_stat(5), proc_pid_cgroup(5).
 */

#include "identify/proc_snapshot.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "identify/cgroup.h"

#define DELETED_SUFFIX " (deleted)"

/* Reads as much as fits. Return: bytes, or a negative errno. */
static ssize_t read_file(int dir_fd, const char *name, char *buf, size_t n_buf) {
        _cleanup_close_ int fd = -1;
        size_t n = 0;

        fd = openat(dir_fd, name, O_RDONLY | O_CLOEXEC);
        if (fd < 0)
                return -errno;
        while (n < n_buf) {
                ssize_t k = read(fd, buf + n, n_buf - n);

                if (k < 0)
                        return -errno;
                if (k == 0)
                        break;
                n += (size_t)k;
        }
        return (ssize_t)n;
}

static ssize_t read_link(int dir_fd, const char *name, char buf[static PATH_MAX]) {
        ssize_t n = readlinkat(dir_fd, name, buf, PATH_MAX);

        return n < 0 ? -errno : n;
}

/* One byte more than the bound is asked for, to see whether there was more. */
static void read_args(int dir_fd, char buf[static PROCESS_ARGS_MAX_BYTES + 1],
                      ProcessFactsParts *p) {
        ssize_t n = read_file(dir_fd, "cmdline", buf, PROCESS_ARGS_MAX_BYTES + 1);

        if (n <= 0)
                return; /* gone, a zombie or a kernel thread */
        if (n > PROCESS_ARGS_MAX_BYTES) {
                p->facts.is_args_cut = true;
                n = PROCESS_ARGS_MAX_BYTES;
        }
        p->args = buf;
        p->n_args_bytes = (size_t)n;
}

static void read_executable(int dir_fd, char buf[static PATH_MAX], ProcessFactsParts *p) {
        const size_t n_suffix = sizeof(DELETED_SUFFIX) - 1;
        ssize_t n = read_link(dir_fd, "exe", buf);

        if (n <= 0)
                return;
        p->executable = buf;
        p->n_executable = (size_t)n;
        if ((size_t)n > n_suffix && memcmp(buf + n - n_suffix, DELETED_SUFFIX, n_suffix) == 0) {
                p->n_executable -= n_suffix;
                p->facts.is_executable_deleted = true;
        }
}

/* @ret: PROCESS_ID_UNSET when it cannot be read. Return: true it was. */
static bool read_u32(int dir_fd, const char *name, uint32_t *ret) {
        char buf[16];
        ssize_t n = read_file(dir_fd, name, buf, sizeof(buf));

        *ret = PROCESS_ID_UNSET;
        return n > 0 && proc_u32_parse(buf, (size_t)n, ret) >= 0;
}

static void read_ids(int dir_fd, ProcessFacts *f) {
        char buf[4096];
        ssize_t n = read_file(dir_fd, "status", buf, sizeof(buf));

        f->has_ids = n > 0 && proc_status_parse(buf, (size_t)n, &f->ids) >= 0;
}

static int read_stat(int dir_fd, ProcessFacts *f) {
        char buf[1024];
        ssize_t n = read_file(dir_fd, "stat", buf, sizeof(buf));
        ProcStat st;

        if (n < 0)
                return (int)n;
        if (proc_stat_parse(buf, (size_t)n, &st) < 0)
                return -ESRCH;
        snprintf(f->comm, sizeof(f->comm), "%s", st.comm);
        f->ppid = st.ppid;
        f->session = st.session;
        f->tty = st.tty;
        f->start_ticks = st.start_ticks;
        return 0;
}

int proc_snapshot_read(int proc_fd, pid_t pid, ProcSnapshotIds how, const ProcIds *ids,
                       ProcessFacts **ret_facts) {
        _cleanup_close_ int dir_fd = -1;
        char name[16], args[PROCESS_ARGS_MAX_BYTES + 1], exe[PATH_MAX], cwd[PATH_MAX], cgroup[8192];
        ProcessFactsParts p = {0};
        ssize_t n;
        int r;

        snprintf(name, sizeof(name), "%d", (int)pid);
        dir_fd = openat(proc_fd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (dir_fd < 0)
                return errno == ENOENT ? -ESRCH : -errno;

        read_args(dir_fd, args, &p);
        read_executable(dir_fd, exe, &p);
        n = read_link(dir_fd, "cwd", cwd);
        if (n > 0) {
                p.working_directory = cwd;
                p.n_working_directory = (size_t)n;
        }
        r = read_stat(dir_fd, &p.facts);
        if (r < 0)
                return r == -ENOMEM ? r : -ESRCH;
        if (how == PROC_SNAPSHOT_IDS_READ) {
                read_ids(dir_fd, &p.facts);
        } else {
                p.facts.ids = *ids;
                p.facts.has_ids = true;
        }
        p.facts.has_login_uid = read_u32(dir_fd, "loginuid", &p.facts.login_uid);
        (void)read_u32(dir_fd, "sessionid", &p.facts.session_id);
        n = read_file(dir_fd, "cgroup", cgroup, sizeof(cgroup));
        if (n > 0)
                (void)cgroup_path_parse(cgroup, (size_t)n, &p.cgroup, &p.n_cgroup);

        *ret_facts = process_facts_new(&p);
        return *ret_facts ? 0 : -ENOMEM;
}

int proc_snapshot_refresh(int proc_fd, pid_t pid, const ProcessFacts *facts,
                          ProcessFacts **ret_facts) {
        char name[24], cwd[PATH_MAX];
        ProcessFactsParts p;
        ProcessFacts *f;
        ssize_t n;

        snprintf(name, sizeof(name), "%d/cwd", (int)pid);
        n = read_link(proc_fd, name, cwd);
        if (n < 0)
                return (int)n;
        if (facts->working_directory && strlen(facts->working_directory) == (size_t)n &&
            memcmp(facts->working_directory, cwd, (size_t)n) == 0)
                return 0;

        p = process_facts_parts(facts);
        p.working_directory = cwd;
        p.n_working_directory = (size_t)n;
        f = process_facts_new(&p);
        if (!f)
                return -ENOMEM;
        *ret_facts = f;
        return 1;
}
