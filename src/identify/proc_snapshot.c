/* SPDX-License-Identifier: MIT */

/*
 * /proc/PID to ProcessFacts.  Called by the witness for each exec on the machine: no allocation but
 * the result, stack buffers only, a handful of system calls.
 *
 * Source: proc_pid_cmdline(5), proc_pid_stat(5), proc_pid_cgroup(5).
 */

#include "identify/proc_snapshot.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "identify/cgroup.h"
#include "identify/invocation.h"
#include "identify/proc_program.h"

/* A line for each hierarchy of version 1. */
#define CGROUP_BYTES 8192

/* What the parts of a snapshot borrow from until they are made facts. */
typedef struct Room {
        char args[PROCESS_ARGS_MAX_BYTES + 1], executable[PATH_MAX], directory[PATH_MAX];
        char cgroup[CGROUP_BYTES], title[PROCESS_ARGS_MAX_BYTES + 1];
} Room;

void proc_source_init(ProcSource *s, int proc_fd, int root_fd) {
        ssize_t n;

        *s = (ProcSource){.proc_fd = proc_fd, .root_fd = root_fd};
        n = readlinkat(proc_fd, "self/ns/pid", s->pid_namespace, sizeof(s->pid_namespace) - 1);
        s->pid_namespace[n > 0 ? n : 0] = '\0';
}

static int open_process(const ProcSource *s, pid_t pid) {
        char name[16];
        int fd;

        snprintf(name, sizeof(name), "%d", (int)pid);
        fd = openat(s->proc_fd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (fd < 0)
                return errno == ENOENT ? -ESRCH : -errno;
        return fd;
}

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
        ProcProgram program;

        if (proc_program_read(dir_fd, buf, &program) < 0)
                return;
        p->executable = buf;
        p->n_executable = program.n_path;
        p->facts.program = program.file;
        p->facts.is_executable_deleted = program.is_deleted;
}

/* @ret: PROCESS_ID_UNSET when it cannot be read. Return: true it was. */
static bool read_u32(int dir_fd, const char *name, uint32_t *ret) {
        char buf[16];
        ssize_t n = read_file(dir_fd, name, buf, sizeof(buf));

        *ret = PROCESS_ID_UNSET;
        return n > 0 && proc_u32_parse(buf, (size_t)n, ret) >= 0;
}

static void read_status(int dir_fd, ProcessFacts *f) {
        char buf[4096];
        ssize_t n = read_file(dir_fd, "status", buf, sizeof(buf));

        if (n <= 0)
                return;
        f->has_ids = proc_status_parse(buf, (size_t)n, &f->ids) >= 0;
        if (f->is_in_pid_namespace)
                (void)proc_status_vpid_parse(buf, (size_t)n, &f->vpid);
}

/* Users are followed by events, which may be newer than what is read now. */
static void read_vpid(int dir_fd, ProcessFacts *f) {
        ProcessFacts now = {.is_in_pid_namespace = true};

        read_status(dir_fd, &now);
        f->vpid = now.vpid;
}

static void read_pid_namespace(const ProcSource *s, int dir_fd, ProcessFacts *f) {
        char name[PATH_MAX];
        ssize_t n = read_link(dir_fd, "ns/pid", name);

        if (n > 0 && s->pid_namespace[0])
                f->is_in_pid_namespace = (size_t)n != strlen(s->pid_namespace) ||
                                         memcmp(name, s->pid_namespace, (size_t)n) != 0;
}

static void read_cgroup(int dir_fd, Room *room, ProcessFactsParts *p) {
        ssize_t n = read_file(dir_fd, "cgroup", room->cgroup, sizeof(room->cgroup));

        if (n > 0)
                (void)cgroup_path_parse(room->cgroup, (size_t)n, &p->cgroup, &p->n_cgroup);
}

/* Processes of one group are of one run of its unit. @before: may be NULL */
static void find_invocation(const ProcSource *s, const ProcessFacts *before, ProcessFactsParts *p) {
        char path[CGROUP_BYTES];

        if (before && before->cgroup && p->cgroup && strlen(before->cgroup) == p->n_cgroup &&
            memcmp(before->cgroup, p->cgroup, p->n_cgroup) == 0) {
                memcpy(p->facts.invocation_id, before->invocation_id, INVOCATION_ID_BYTES);
                return;
        }
        p->facts.invocation_id[0] = '\0';
        if (!p->cgroup || p->n_cgroup >= sizeof(path) || s->root_fd < 0)
                return;
        memcpy(path, p->cgroup, p->n_cgroup);
        path[p->n_cgroup] = '\0';
        (void)invocation_read(s->root_fd, path, p->facts.invocation_id);
}

static int read_directory(int dir_fd, char buf[static PATH_MAX], ProcessFactsParts *p) {
        ssize_t n = proc_program_read_directory(dir_fd, buf);

        if (n < 0)
                return (int)n;
        p->working_directory = buf;
        p->n_working_directory = (size_t)n;
        return 0;
}

static int read_stat(int dir_fd, ProcessFacts *f, bool *ret_is_exiting) {
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
        *ret_is_exiting = st.is_exiting;
        return 0;
}

/*
 * A group that was read before `is_exiting` was: in version 1 of control groups whoever is about to
 * end is shown in the root's.
 * Source: proc_cgroup_show() in kernel/cgroup/cgroup.c of Linux 6.18.
 */
static void doubt_cgroup(bool is_exiting, ProcessFactsParts *p) {
        if (!is_exiting || !p->cgroup || p->n_cgroup != 1)
                return;
        p->cgroup = NULL;
        p->n_cgroup = 0;
}

/* What a process has of its parent until somebody gives it another. */
static void inherit(const ProcessFacts *before, ProcessFactsParts *p) {
        if (!p->cgroup && before->cgroup && !cgroup_is_managers(before->cgroup)) {
                p->cgroup = before->cgroup;
                p->n_cgroup = strlen(before->cgroup);
        }
        /* One that is being reaped has neither. */
        if (p->facts.session < 0) {
                p->facts.session = before->session;
                p->facts.tty = before->tty;
        }
}

/* Its superblock: of a directory, stat tells that also on an overlay. A container's root may be on
 * FUSE, whose server is not asked: nobody may keep the witness waiting. */
static void read_root(int dir_fd, ProcessFacts *f) {
        struct statx st;

        if (f->is_in_pid_namespace &&
            statx(dir_fd, "root", AT_STATX_DONT_SYNC, STATX_INO, &st) >= 0)
                f->root_device = makedev(st.stx_dev_major, st.stx_dev_minor);
}

int proc_snapshot_read(const ProcSource *s, pid_t pid, ProcSnapshotHow how,
                       ProcessFacts **ret_facts) {
        _cleanup_close_ int dir_fd = -1;
        ProcessFactsParts p = {0};
        bool is_exiting;
        Room room;
        int r;

        dir_fd = open_process(s, pid);
        if (dir_fd < 0)
                return dir_fd;
        read_args(dir_fd, room.args, &p);
        read_executable(dir_fd, room.executable, &p);
        (void)read_directory(dir_fd, room.directory, &p);
        read_cgroup(dir_fd, &room, &p);
        r = read_stat(dir_fd, &p.facts, &is_exiting);
        if (r < 0)
                return r == -ENOMEM ? r : -ESRCH;
        doubt_cgroup(is_exiting, &p);
        read_pid_namespace(s, dir_fd, &p.facts);
        read_root(dir_fd, &p.facts);
        if (how == PROC_SNAPSHOT_ALL || p.facts.is_in_pid_namespace)
                read_status(dir_fd, &p.facts);
        p.facts.has_login_uid = read_u32(dir_fd, "loginuid", &p.facts.login_uid);
        (void)read_u32(dir_fd, "sessionid", &p.facts.session_id);
        if (how == PROC_SNAPSHOT_ALL)
                find_invocation(s, NULL, &p);

        *ret_facts = process_facts_new(&p);
        return *ret_facts ? 0 : -ENOMEM;
}

/* The users of a process that is known by its start. */
static void read_users_late(const ProcSource *s, pid_t pid, ProcessFacts *f) {
        _cleanup_close_ int dir_fd = open_process(s, pid);
        ProcessFacts now = {0};
        bool is_exiting;

        if (dir_fd < 0 || read_stat(dir_fd, &now, &is_exiting) < 0 ||
            now.start_ticks != f->start_ticks)
                return;
        read_status(dir_fd, &now);
        f->has_ids = now.has_ids;
        f->ids = now.ids;
}

int proc_snapshot_complete(const ProcSource *s, pid_t pid, const ProcessFacts *before,
                           ProcessFacts **facts) {
        ProcessFactsParts p = process_facts_parts(*facts);
        ProcessFacts *f;

        if (before && before->has_ids) {
                p.facts.has_ids = true;
                p.facts.ids = before->ids;
        } else if (!p.facts.has_ids) {
                read_users_late(s, pid, &p.facts);
        }
        /* Nobody leaves one, and it could not be read of one that was about to end. */
        if (before && before->is_in_pid_namespace)
                p.facts.is_in_pid_namespace = true;
        if (before)
                inherit(before, &p);
        find_invocation(s, before, &p);
        f = process_facts_new(&p);
        if (!f)
                return -ENOMEM;
        process_facts_unref(*facts);
        *facts = f;
        return 0;
}

/* Of the program that is known: another one would be told by an event. */
static void refresh_program(int dir_fd, ProcessFacts *f) {
        char path[PATH_MAX];
        ProcProgram now;

        if (f->program.inode != 0 && proc_program_read(dir_fd, path, &now) >= 0 &&
            now.file.inode == f->program.inode && now.file.device == f->program.device)
                f->is_executable_deleted = now.is_deleted;
}

/* What stands where its arguments were, if it is something else by now. */
static void read_title(int dir_fd, char buf[static PROCESS_ARGS_MAX_BYTES + 1],
                       ProcessFactsParts *p) {
        ProcessFactsParts now = {0};

        p->title = NULL;
        p->n_title = 0;
        read_args(dir_fd, buf, &now);
        while (now.n_args_bytes > 0 &&
               (buf[now.n_args_bytes - 1] == '\0' || buf[now.n_args_bytes - 1] == ' '))
                now.n_args_bytes--;
        if (now.n_args_bytes == 0 || !p->args ||
            (now.n_args_bytes <= p->n_args_bytes && memcmp(buf, p->args, now.n_args_bytes) == 0))
                return;
        for (size_t i = 0; i < now.n_args_bytes; i++)
                if (buf[i] == '\0')
                        buf[i] = ' ';
        p->title = buf;
        p->n_title = now.n_args_bytes;
}

static bool is_same_text(const char *a, size_t n_a, const char *b, size_t n_b) {
        return a && b ? n_a == n_b && memcmp(a, b, n_a) == 0 : a == b;
}

static bool is_same(const ProcessFactsParts *a, const ProcessFactsParts *b) {
        return a->facts.vpid == b->facts.vpid && a->facts.login_uid == b->facts.login_uid &&
               a->facts.is_in_pid_namespace == b->facts.is_in_pid_namespace &&
               a->facts.is_executable_deleted == b->facts.is_executable_deleted &&
               strcmp(a->facts.invocation_id, b->facts.invocation_id) == 0 &&
               is_same_text(a->working_directory, a->n_working_directory, b->working_directory,
                            b->n_working_directory) &&
               is_same_text(a->cgroup, a->n_cgroup, b->cgroup, b->n_cgroup) &&
               is_same_text(a->title, a->n_title, b->title, b->n_title);
}

/* The audit session is new when the login is. */
static void read_login(int dir_fd, ProcessFacts *f) {
        uint32_t login_uid;

        if (!read_u32(dir_fd, "loginuid", &login_uid) ||
            (f->has_login_uid && login_uid == f->login_uid))
                return;
        f->has_login_uid = true;
        f->login_uid = login_uid;
        (void)read_u32(dir_fd, "sessionid", &f->session_id);
}

/* A zombie may be looked at as well: it keeps what it had. */
static void refresh_cgroup(int dir_fd, const ProcessFacts *before, Room *room,
                           ProcessFactsParts *p) {
        ProcessFacts unused;
        bool is_exiting;

        read_cgroup(dir_fd, room, p);
        if (p->n_cgroup == 1 && before->cgroup && strcmp(before->cgroup, "/") != 0 &&
            (read_stat(dir_fd, &unused, &is_exiting) < 0 || is_exiting)) {
                p->cgroup = before->cgroup;
                p->n_cgroup = strlen(before->cgroup);
        }
}

int proc_snapshot_refresh(const ProcSource *s, pid_t pid, unsigned what, const ProcessFacts *facts,
                          ProcessFacts **ret_facts) {
        const ProcessFactsParts before = process_facts_parts(facts);
        _cleanup_close_ int dir_fd = -1;
        ProcessFactsParts p = before;
        ProcessFacts *f;
        Room room;
        int r;

        dir_fd = open_process(s, pid);
        if (dir_fd < 0)
                return dir_fd;
        r = read_directory(dir_fd, room.directory, &p);
        if (r < 0)
                return r;
        refresh_cgroup(dir_fd, facts, &room, &p);
        find_invocation(s, facts, &p);
        read_login(dir_fd, &p.facts);
        if (what & PROC_SNAPSHOT_REFRESH_LATE) {
                read_title(dir_fd, room.title, &p);
                refresh_program(dir_fd, &p.facts);
        }
        if (what & PROC_SNAPSHOT_REFRESH_NAMESPACE)
                read_pid_namespace(s, dir_fd, &p.facts);
        if (what & PROC_SNAPSHOT_REFRESH_NAMESPACE && p.facts.is_in_pid_namespace)
                read_vpid(dir_fd, &p.facts);
        if (is_same(&p, &before))
                return 0;
        f = process_facts_new(&p);
        if (!f)
                return -ENOMEM;
        *ret_facts = f;
        return 1;
}
