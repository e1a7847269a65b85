/* SPDX-License-Identifier: MIT */

/*
 * Looking for what is left of a file.
 *
 * A deletion of a last name costs nothing here: the kernel's DELETE_SELF says that all is gone.
 */

#include "command/watch_remains.h"

#include "base/clock.h"
#include "command/watched_filesystem_events.h"

/* A file that is on its way out has no name either, but not for as long as this, unless who deletes
 * it has lost its CPU. */
#define VANISHING_NSEC (10 * CLOCK_NSEC_PER_MSEC)
/* The deleter and those above it, who are looked at first. */
#define FIRST_MAX 8

void watch_remains_done(WatchRemains *w) {
        buffer_done(&w->also_at);
}

/* Return: false nothing is left of it, or that cannot be found out. */
static bool look(WatchRemains *w, const WatchedFilesystem *fs, const LocatedEvent *e,
                 const Record *r) {
        const FanEvent *fan = &e->event.fan;
        const bool is_rename = r->action == RECORD_OVERWRITE;
        const FileHandle *object = is_rename ? &e->victim.handle : &fan->target;
        const FanName *name = is_rename ? &fan->new_name : &fan->name;

        return object->bytes &&
               watched_filesystem_look(fs, object, &name->directory, &w->object, &w->also_at) >= 0;
}

static void search(WatchRemains *w, const Deleter *d, int proc_fd, pid_t self) {
        pid_t first[FIRST_MAX];
        size_t n = 0;

        /* The deleter last: what a shell has open it hands on to its rm, which is gone before
         * anyone could save the file from there. */
        for (size_t i = 0; i < d->n_ancestors && n < FIRST_MAX - 1; i++)
                first[n++] = d->ancestors[i].pid;
        first[n++] = d->process.pid;
        w->search = (HolderSearch){
                .proc_fd = proc_fd,
                .self = self,
                .device = w->object.status.st_dev,
                .inode = w->object.status.st_ino,
                .budget_nsec = WATCH_REMAINS_SEARCH_NSEC,
        };
        holders_find(&w->search, first, n);
}

/* If it still is without a name then, somebody has it open. */
static bool is_over(const WatchedFilesystem *fs, const LocatedEvent *e, uint64_t now) {
        return now >= e->event.monotonic_nsec + VANISHING_NSEC ||
               watched_filesystem_went_on(fs, &e->event.fan);
}

/* Of a file without a name: does anybody have it open, and who? */
static bool find_holders(WatchRemains *w, const WatchedFilesystem *fs, const LocatedEvent *e,
                         const Record *r, int proc_fd, pid_t self) {
        uint64_t now = clock_now_nsec(CLOCK_MONOTONIC), after;

        if (now < w->not_before_nsec)
                return is_over(fs, e, now);
        search(w, r->deleter, proc_fd, self);
        after = clock_now_nsec(CLOCK_MONOTONIC);
        w->not_before_nsec = after + WATCH_REMAINS_PAUSE_FACTOR * w->search.used_nsec;
        w->remains.holders = w->search.found;
        w->remains.n_holders = w->search.n_found;
        /* Who was not found may be the kernel itself, a mapping, or a process too many. */
        return w->search.n_found > 0 ||
               (is_over(fs, e, after) && look(w, fs, e, r) && w->object.status.st_nlink == 0);
}

const Remains *watch_remains_find(WatchRemains *w, const WatchedFilesystem *fs,
                                  const LocatedEvent *e, const Record *r, int proc_fd, pid_t self) {
        const bool is_overwrite = r->action == RECORD_OVERWRITE;

        if ((r->action != RECORD_UNLINK && !is_overwrite) || r->is_directory ||
            (is_overwrite ? e->victim.is_gone : e->event.is_gone) || !look(w, fs, e, r))
                return NULL;
        w->remains = (Remains){.status = w->object.status};
        if (w->object.status.st_nlink > 0) {
                if (w->also_at.n_bytes > 0)
                        w->remains.also_at = buffer_terminate(&w->also_at);
                return &w->remains;
        }
        w->remains.is_held = find_holders(w, fs, e, r, proc_fd, self);
        /* What is just going is no longer what it was, and nobody can save it. */
        return w->remains.is_held ? &w->remains : NULL;
}
