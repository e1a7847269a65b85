/* SPDX-License-Identifier: MIT */

/* What a watch leans on, tried one after the other. */

#include "command/doctor_machine.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "command/capabilities.h"
#include "command/journal_limits.h"
#include "command/kernel_features.h"
#include "command/reasons.h"
#include "identify/exec_readers.h"
#include "identify/proc_connector.h"
#include "identify/taskstats_socket.h"

/* Of the program itself, and of each filesystem. */
#define DESCRIPTORS_BASE 64
#define DESCRIPTORS_EACH 4
/* As the witness has. */
#define PRIORITY 5

static void add(DoctorReport *r, DoctorMark mark, const char *topic, Buffer *what,
                const char *advice) {
        const char *text = buffer_terminate(what);

        if (what->is_failed)
                r->is_failed = true;
        else
                doctor_report_add(r, mark, topic, text, advice);
}

static void add_feature(DoctorReport *r, const KernelFeature *f, bool is_found) {
        _cleanup_buffer_ Buffer b = {0};

        buffer_append_format(&b, "%s: %s", f->name, f->brings);
        if (is_found) {
                add(r, DOCTOR_OK, "kernel", &b, NULL);
                return;
        }
        buffer_append_format(&b, "; this kernel has none of it (from %s)", f->from);
        if (f->without)
                buffer_append_format(&b, ": %s", f->without);
        add(r, f->without ? DOCTOR_MISSING : DOCTOR_NOTE, "kernel", &b,
            f->without ? "use a newer kernel" : NULL);
}

void doctor_machine_kernel(DoctorReport *r, bool may_try) {
        _cleanup_buffer_ Buffer b = {0};
        unsigned found = 0;
        struct utsname name;
        size_t n;
        const KernelFeature *all = kernel_features_all(&n);
        int error;

        if (uname(&name) >= 0)
                buffer_append_format(&b, "Linux %s", name.release);
        if (!may_try) {
                buffer_append_literal(&b, "; its fanotify could not be tried, for want of "
                                          "capabilities");
                add(r, DOCTOR_CANNOT, "kernel", &b, NULL);
                return;
        }
        error = kernel_features_read(&found);
        if (error < 0) {
                char type[] = "";
                const Mount none = {.fstype = type};

                buffer_append_format(&b, "; its fanotify could not be tried: %s (%s)",
                                     reasons_mount(error, WATCHED_STEP_GROUP, &none),
                                     strerrorname_np(-error));
                add(r, DOCTOR_CANNOT, "kernel", &b, NULL);
                return;
        }
        add(r, DOCTOR_OK, "kernel", &b, NULL);
        for (size_t i = 0; i < n; i++)
                add_feature(r, &all[i],
                            all[i].try ? all[i].try() >= 0 : (found & all[i].bits) != 0);
}

bool doctor_machine_capabilities(DoctorReport *r) {
        bool may_try = true;
        uint64_t effective;
        size_t n;
        const Capability *all = capabilities_all(&n);

        if (capabilities_read(&effective) < 0)
                effective = 0;
        for (size_t i = 0; i < n; i++) {
                bool has = capabilities_have(effective, &all[i]);
                _cleanup_buffer_ Buffer b = {0};

                may_try = may_try && (has || !all[i].is_needed);
                buffer_append_format(&b, "%s, %s", all[i].name, all[i].purpose);
                if (!has)
                        buffer_append_format(&b, ", is missing: %s", all[i].without);
                add(r,
                    has                ? DOCTOR_OK
                    : all[i].is_needed ? DOCTOR_CANNOT
                                       : DOCTOR_MISSING,
                    "capability", &b, has ? NULL : "run it as root: sudo whodunlink …");
        }
        return may_try;
}

/* "no WHAT: REASON: WITHOUT", or that it works. */
static void add_process_check(DoctorReport *r, const char *works, const char *what, int error,
                              const char *reason, const char *without) {
        _cleanup_buffer_ Buffer b = {0};

        if (error >= 0) {
                doctor_report_add(r, DOCTOR_OK, "processes", works, NULL);
                return;
        }
        buffer_append_format(&b, "no %s: %s: %s", what, reason, without);
        add(r, DOCTOR_MISSING, "processes", &b, "run it as root on the host, not in a container");
}

static int try_process_events(void) {
        ProcConnector *c = NULL;
        int r = proc_connector_new(&c);

        proc_connector_free(c);
        return r < 0 ? r : 0;
}

static int try_exit_records(void) {
        TaskstatsSocket *s = NULL;
        int r = taskstats_socket_new(&s);

        taskstats_socket_free(s);
        return r < 0 ? r : 0;
}

static int try_readers(const ProcSource *source) {
        ExecReaders *readers = NULL;
        int r = exec_readers_new(source, &readers);

        exec_readers_free(readers);
        return r < 0 ? r : 0;
}

static int try_priority(void) {
        const struct sched_param high = {.sched_priority = PRIORITY}, ordinary = {0};

        if (sched_setscheduler(0, SCHED_FIFO, &high) < 0)
                return -errno;
        (void)sched_setscheduler(0, SCHED_OTHER, &ordinary);
        return 0;
}

void doctor_machine_processes(DoctorReport *r, const ProcSource *source) {
        static const char late[] = "the arguments of very short processes may be missing under "
                                   "load";
        int error;

        error = try_process_events();
        add_process_check(r, "process events: it was told of a child of its own", "process events",
                          error, reasons_process_events(error),
                          "only processes that are still alive when their deletion is read are "
                          "named");
        /* A watch has no use for the others alone. */
        if (error < 0)
                return;
        error = try_exit_records();
        add_process_check(r, "exit records: a child of its own left one", "exit records", error,
                          reasons_exit_records(error),
                          "programs that end before they can be read are not named");
        error = try_priority();
        add_process_check(r, "real-time priority", "real-time priority", error,
                          reasons_priority(error), late);
        /* They need the priority, and that has been said. */
        if (error < 0)
                return;
        error = try_readers(source);
        add_process_check(r, "a thread on each CPU that reads new programs",
                          "thread on each CPU that reads new programs", error, strerror(-error),
                          late);
}

/* Return: its number; -1 it cannot be read. */
static long read_sysctl(int proc_fd, const char *path) {
        _cleanup_close_ int fd = openat(proc_fd, path, O_RDONLY | O_CLOEXEC);
        char text[32] = "";

        if (fd < 0 || read(fd, text, sizeof(text) - 1) <= 0)
                return -1;
        return strtol(text, NULL, 10);
}

static void look_at_descriptors(DoctorReport *r, size_t n_filesystems) {
        long n_cpus = sysconf(_SC_NPROCESSORS_ONLN);
        rlim_t needed = DESCRIPTORS_BASE + DESCRIPTORS_EACH * n_filesystems;
        _cleanup_buffer_ Buffer b = {0};
        struct rlimit limit;
        bool is_enough;

        needed += n_cpus > 0 ? (rlim_t)n_cpus : 1;
        if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
                return;
        is_enough = limit.rlim_cur >= needed;
        if (limit.rlim_cur == RLIM_INFINITY)
                buffer_append_literal(&b, "any number of open files");
        else
                buffer_append_format(&b, "%llu open files", (unsigned long long)limit.rlim_cur);
        buffer_append_format(&b, ", of which a watch of %zu filesystem%s may need %llu",
                             n_filesystems, n_filesystems == 1 ? "" : "s",
                             (unsigned long long)needed);
        add(r, is_enough ? DOCTOR_OK : DOCTOR_MISSING, "limits", &b,
            is_enough ? NULL : "raise it: ulimit -n 1024, or LimitNOFILE= of the unit");
}

void doctor_machine_limits(DoctorReport *r, int proc_fd, size_t n_filesystems) {
        long n_groups = read_sysctl(proc_fd, "sys/fs/fanotify/max_user_groups");
        long n_marks = read_sysctl(proc_fd, "sys/fs/fanotify/max_user_marks");
        long n_events = read_sysctl(proc_fd, "sys/fs/fanotify/max_queued_events");
        _cleanup_buffer_ Buffer b = {0};
        bool is_enough = n_groups < 0 || (size_t)n_groups > n_filesystems;

        look_at_descriptors(r, n_filesystems);
        if (n_groups < 0)
                return;
        buffer_append_format(&b,
                             "fs.fanotify.max_user_groups is %ld, one for each filesystem; "
                             "max_user_marks, %ld, does not bind a watch, and max_queued_events, "
                             "%ld, only one with --queue=bounded",
                             n_groups, n_marks, n_events);
        add(r, is_enough ? DOCTOR_OK : DOCTOR_CANNOT, "limits", &b,
            is_enough ? NULL : "raise it: sysctl fs.fanotify.max_user_groups=1024");
}

void doctor_machine_journal(DoctorReport *r, int root_fd) {
        _cleanup_buffer_ Buffer b = {0};
        JournalLimits l;

        if (faccessat(root_fd, "run/systemd/journal/socket", F_OK, 0) < 0) {
                doctor_report_add(r, DOCTOR_OK, "journal", "none runs here", NULL);
                return;
        }
        if (journal_limits_read(root_fd, &l) < 0) {
                r->is_failed = true;
                return;
        }
        if (l.interval_nsec == 0 || l.burst == 0) {
                doctor_report_add(r, DOCTOR_OK, "journal",
                                  "it does not limit how fast it is "
                                  "written to",
                                  NULL);
                return;
        }
        buffer_append_format(&b, "of one service it takes %llu messages in ",
                             (unsigned long long)l.burst);
        clock_append_duration(&b, l.interval_nsec);
        buffer_append_literal(&b, " (more on a disk with much room) and drops the rest without a "
                                  "word to the sender: one rm -rf can delete more files");
        add(r, DOCTOR_NOTE, "journal", &b,
            "in a unit whose records go to the journal set LogRateLimitIntervalSec=1us, as "
            "whodunlink.service does (0 counts as not set); elsewhere what is dropped is sent "
            "again, "
            "which takes longer");
}
