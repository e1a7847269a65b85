/* SPDX-License-Identifier: MIT */

/*
 * Each filesystem is tried by what a watch makes of it, and all of them are held until the last was
 * tried, so that limits show that only all of them together reach.
 */

#include "command/doctor_mounts.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/escape.h"
#include "base/path.h"
#include "capture/coverage.h"
#include "capture/foreign_mounts.h"
#include "command/reasons.h"
#include "command/watched_filesystem.h"

static const char topic[] = "filesystem";

/* Of the places of one filesystem: who has more has them from a runtime of containers. */
#define PLACES_MAX 8

/* What a look needs and leaves behind. */
typedef struct Look {
        DoctorReport *report;
        const DoctorPlace *place;
        ScopeTarget *targets;
        size_t n_targets;
        MountTable table;
        CoveragePlan plan;
        ProcessTable *processes;
        Identifier *identifier;
        WatchedFilesystem **filesystems;
        size_t n_filesystems;
} Look;

static void look_done(Look *l) {
        for (size_t i = 0; i < l->n_filesystems; i++)
                watched_filesystem_free(l->filesystems[i]);
        free(l->filesystems);
        identifier_free(l->identifier);
        process_table_free(l->processes);
        coverage_plan_done(&l->plan);
        mount_table_done(&l->table);
        for (size_t i = 0; i < l->n_targets; i++)
                free(l->targets[i].path);
        free(l->targets);
}

static void add(DoctorReport *r, DoctorMark mark, Buffer *what, const char *advice) {
        const char *text = buffer_terminate(what);

        if (what->is_failed)
                r->is_failed = true;
        else
                doctor_report_add(r, mark, topic, text, advice);
}

static int add_target(Look *l, const char *given) {
        _cleanup_buffer_ Buffer b = {0};
        struct stat st;
        char *path;
        int r;

        r = path_resolve(given, &path);
        if (r == -ENOMEM)
                return r;
        if (r < 0) {
                escape_append_terminal(&b, given, strlen(given));
                buffer_append_format(&b, ": %s", strerror(-r));
                add(l->report, DOCTOR_CANNOT, &b, NULL);
                return 0;
        }
        l->targets[l->n_targets++] = (ScopeTarget){.path = path, .n_path = strlen(path)};
        if (lstat(path, &st) >= 0) {
                l->targets[l->n_targets - 1].is_directory = S_ISDIR(st.st_mode);
                return 0;
        }
        escape_append_terminal(&b, path, strlen(path));
        buffer_append_literal(&b, " does not exist yet; a watch waits for it to come and vanish");
        add(l->report, DOCTOR_NOTE, &b, NULL);
        return 0;
}

/* In a chroot whose root is no mount point, the table lacks the mount that most paths lie on. */
static void check_targets(const Look *l) {
        for (size_t i = 0; i < l->n_targets; i++) {
                const char *path = l->targets[i].path;
                _cleanup_buffer_ Buffer b = {0};

                if (mount_table_find(&l->table, path))
                        continue;
                escape_append_terminal(&b, path, strlen(path));
                buffer_append_literal(&b, " lies on no mount that /proc/self/mountinfo lists, as "
                                          "in a chroot whose root is no mount point");
                add(l->report, DOCTOR_CANNOT, &b,
                    "mount that root with mount --bind first, or watch from outside");
        }
}

static int prepare(Look *l) {
        const DoctorPlace *p = l->place;
        int r = 0;

        l->targets = calloc(p->n_paths + 1, sizeof(*l->targets));
        if (!l->targets)
                return -ENOMEM;
        for (size_t i = 0; i < p->n_paths && r >= 0; i++)
                r = add_target(l, p->paths[i]);
        if (p->n_paths == 0)
                r = add_target(l, "/");
        if (r >= 0)
                r = mount_table_read(p->source->proc_fd, &l->table);
        if (r < 0)
                return r;
        check_targets(l);
        r = coverage_plan_make(&l->table, l->targets, l->n_targets, &l->plan);
        if (r >= 0)
                r = process_table_new(1, &l->processes);
        if (r >= 0)
                r = identifier_new(l->processes, NULL, p->source, &l->identifier);
        if (r < 0)
                return r;
        l->filesystems = calloc(l->plan.n_filesystems + 1, sizeof(WatchedFilesystem *));
        return l->filesystems ? 0 : -ENOMEM;
}

/* "WHY; WHAT TO DO (ERRNO)" in its two parts. */
static void add_refusal(DoctorReport *r, Buffer *what, int error, WatchedStep step,
                        const Mount *m) {
        const char *reason = reasons_mount(error, step, m), *advice = strstr(reason, "; ");

        buffer_append_literal(what, ": ");
        buffer_append(what, reason, advice ? (size_t)(advice - reason) : strlen(reason));
        buffer_append_format(what, " (%s)", strerrorname_np(-error));
        add(r, DOCTOR_CANNOT, what, advice ? advice + strlen("; ") : NULL);
}

/* A watch works there, and sees less. How many they are would take as long as the watch's start. */
static void add_directories(DoctorReport *r, Buffer *what, int refusal, const char *fstype) {
        bool is_overlay = strcmp(fstype, "overlay") == 0;

        buffer_append_format(what,
                             ": each of its directories, %s; that takes time and memory, and what "
                             "is deleted in a new directory within a moment is not seen",
                             reasons_directories(refusal, fstype));
        add(r, DOCTOR_MISSING, what,
            is_overlay ? "to watch it as a whole, mount it with nfs_export=on,index=on" : NULL);
}

/* Does a path that was given lie on the mount at this point? */
static bool holds_target(const Look *l, const char *point) {
        for (size_t i = 0; i < l->n_targets; i++) {
                const Mount *m = mount_table_find(&l->table, l->targets[i].path);

                if (m && strcmp(m->point, point) == 0)
                        return true;
        }
        return false;
}

static bool is_below_target(const Look *l, const char *point) {
        for (size_t i = 0; i < l->n_targets; i++)
                if (path_is_within(point, strlen(point), l->targets[i].path, l->targets[i].n_path))
                        return true;
        return false;
}

/* ", also at /srv, /home": each mount of it that a watch would follow. */
static void append_places(const Look *l, const CoverageFilesystem *f, Buffer *b) {
        size_t n = 0;

        for (size_t i = 0; i < f->scopes.n_mounts; i++) {
                const char *point = f->scopes.mounts[i].point;

                if (strcmp(point, f->mount->point) == 0 ||
                    !(is_below_target(l, point) || holds_target(l, point)) || n++ >= PLACES_MAX)
                        continue;
                buffer_append_string(b, n == 1 ? ", also at " : ", ");
                escape_append_terminal(b, point, strlen(point));
        }
        if (n > PLACES_MAX)
                buffer_append_format(b, " and %zu more places", n - PLACES_MAX);
}

static void look_at(Look *l, CoverageFilesystem *f) {
        _cleanup_buffer_ Buffer b = {0};
        const Mount *m = f->mount;
        const char *subvolume = mount_subvolume(m);
        bool is_below_top = subvolume && strcmp(subvolume, "/") != 0;
        WatchedFilesystem *fs;
        WatchedStep step;
        int r;

        reasons_append_mount(&b, m->point, m->fstype, m->source);
        append_places(l, f, &b);
        if (l->place->n_paths == 0 && coverage_is_remote(m->fstype)) {
                buffer_append_literal(&b, " is not local: --all leaves it out, and what other "
                                          "hosts delete there cannot be seen");
                add(l->report, DOCTOR_NOTE, &b, NULL);
                return;
        }
        if (!l->place->may_try) {
                buffer_append_literal(&b, ": not tried, for want of capabilities");
                add(l->report, DOCTOR_CANNOT, &b, NULL);
                return;
        }
        r = watched_filesystem_new(f, FAN_FEATURE_ALL, MARKING_AUTO, false, l->identifier, NULL,
                                   &step, &fs);
        if (r < 0) {
                add_refusal(l->report, &b, r, step, m);
                return;
        }
        l->filesystems[l->n_filesystems++] = fs;
        if (watched_filesystem_index(fs)) {
                add_directories(l->report, &b, watched_filesystem_refusal(fs), m->fstype);
                return;
        }
        buffer_append_literal(&b, ": one mark for the whole filesystem");
        if (is_below_top)
                buffer_append_literal(&b, ", set by its top level, of which a mount is held that "
                                          "nobody else sees");
        add(l->report, DOCTOR_OK, &b, NULL);
}

static void look_at_pseudo(const Look *l) {
        _cleanup_buffer_ Buffer b = {0};
        size_t n = 0;

        for (size_t i = 0; i < l->table.n_mounts; i++) {
                const Mount *m = &l->table.mounts[i];

                n += coverage_is_pseudo(m->fstype) && is_below_target(l, m->point) &&
                     !holds_target(l, m->point);
        }
        if (n == 0)
                return;
        buffer_append_format(
                &b,
                "%zu mount%s of proc, sysfs, cgroup2 and their like: left out, since "
                "they are views of the kernel and hold no files that anyone could lose",
                n, n == 1 ? "" : "s");
        add(l->report, DOCTOR_NOTE, &b, NULL);
}

int doctor_mounts_look(DoctorReport *report, const DoctorPlace *place, size_t *ret_n_filesystems) {
        Look l = {.report = report, .place = place};
        int r;

        r = prepare(&l);
        for (size_t i = 0; i < l.plan.n_filesystems && r >= 0; i++)
                look_at(&l, &l.plan.filesystems[i]);
        if (r >= 0) {
                look_at_pseudo(&l);
                *ret_n_filesystems = l.plan.n_filesystems;
        }
        look_done(&l);
        return r;
}

int doctor_mounts_look_elsewhere(DoctorReport *report, const DoctorPlace *place) {
        _cleanup_foreign_mounts_ ForeignMounts f = {0};
        _cleanup_mount_table_ MountTable own = {0};
        _cleanup_buffer_ Buffer b = {0}, advice = {0};
        int r;

        r = mount_table_read(place->source->proc_fd, &own);
        if (r >= 0)
                r = foreign_mounts_find(place->source->proc_fd, &own, &f);
        if (r < 0)
                return r;
        buffer_append_format(&b, "%zu other mount namespace%s", f.n_namespaces,
                             f.n_namespaces == 1 ? "" : "s");
        if (f.n_filesystems == 0) {
                buffer_append_literal(&b, ", with no filesystem that is not mounted here, too");
                if (f.n_unreadable > 0)
                        buffer_append_format(&b, "; those of %zu processes could not be read",
                                             f.n_unreadable);
                add(report, f.n_unreadable > 0 ? DOCTOR_NOTE : DOCTOR_OK, &b, NULL);
                return 0;
        }
        buffer_append_format(&b,
                             " (services, containers) with %zu filesystem%s that no path here "
                             "leads to and no watch here sees, such as ",
                             f.n_filesystems, f.n_filesystems == 1 ? "" : "s");
        reasons_append_mount(&b, f.point, f.fstype, "");
        buffer_append_format(&b, " of process %d", (int)f.pid);
        buffer_append_format(&advice,
                             "to watch there: sudo nsenter --mount --target %d whodunlink "
                             "watch …",
                             (int)f.pid);
        add(report, DOCTOR_NOTE, &b, buffer_terminate(&advice));
        return 0;
}
