/* SPDX-License-Identifier: MIT */

/*
 * Overlays seen from their writable layer.
 *
 * Removing what lies in a layer below puts a whiteout in its place: a rename of a character device
 * 0:0 from "work/#1f" below the workdir.  A directory that has a place in the writable layer, too,
 * goes the other way in the same moment: the two are exchanged.  All else that comes from there or
 * goes there is overlayfs at work: files that are copied up, directories that are emptied.
 *
 * An overlay of another mount namespace is not in our mountinfo; its workdir is known by how it
 * looks: the directory "work" in it has no permissions at all.
 *
 * Limits: whether a directory of a layer below that nobody ever changed was removed, or a file,
 * nothing tells: it is a file then.
 *
 * Source: ovl_cleanup_and_whiteout(), ovl_clear_empty(), ovl_rename() in fs/overlayfs/dir.c,
 * ovl_workdir_create() in fs/overlayfs/super.c of Linux 6.18; sequences measured on tmpfs.
 */

#include "command/watch_overlays.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/path.h"
#include "command/watch_session_private.h"
#include "command/watched_filesystem_end.h"
#include "command/watched_filesystem_events.h"

static bool is_watched(const WatchSession *s, dev_t device) {
        for (size_t i = 0; i < s->n_filesystems; i++)
                if (watched_filesystem_device(s->filesystems[i]) == device &&
                    watched_filesystem_ending(s->filesystems[i]) == WATCHED_END_NONE)
                        return true;
        return false;
}

void watch_overlays_done(WatchSession *s) {
        for (size_t i = 0; i < s->n_overlays; i++)
                overlay_layers_done(&s->overlays[i].layers);
        free(s->overlays);
        s->overlays = NULL;
        s->n_overlays = 0;
}

static bool is_known(const WatchSession *s, dev_t device) {
        for (size_t i = 0; i < s->n_overlays; i++)
                if (s->overlays[i].device == device)
                        return true;
        return false;
}

/* What the mounter wrote may lead through symlinks, which no path of a record does. */
static void resolve(char **path) {
        char *real;

        if (*path && path_resolve(*path, &real) >= 0) {
                free(*path);
                *path = real;
        }
}

static int add(WatchSession *s, const Mount *m) {
        WatchOverlay *overlays = reallocarray(s->overlays, s->n_overlays + 1, sizeof(*overlays));
        WatchOverlay *o;
        int r;

        if (!overlays)
                return -ENOMEM;
        s->overlays = overlays;
        o = &overlays[s->n_overlays];
        *o = (WatchOverlay){.device = m->device};
        r = overlay_layers_parse(m->super_options, &o->layers);
        if (r < 0)
                return r;
        resolve(&o->layers.upper);
        resolve(&o->layers.work);
        s->n_overlays++;
        return 0;
}

int watch_overlays_update(WatchSession *s) {
        int r = 0;

        watch_overlays_done(s);
        for (size_t i = 0; i < s->mounts.n_mounts && r >= 0; i++) {
                const Mount *m = &s->mounts.mounts[i];

                if (strcmp(m->fstype, "overlay") == 0 && !is_known(s, m->device))
                        r = add(s, m);
        }
        if (r < 0)
                fprintf(stderr, "whodunlink: cannot keep a list of overlays: %s\n", strerror(-r));
        return r;
}

static bool is_in(const DirPlace *place, const char *layer) {
        return layer && path_is_within(place->path, place->n_path, layer, strlen(layer));
}

/* Overlayfs made its directory "work" so that nobody may enter it. */
static bool looks_like_work(const char *path, size_t n_path) {
        _cleanup_free_ char *copy = strndup(path, n_path);
        struct stat st;

        return copy && lstat(copy, &st) >= 0 && S_ISDIR(st.st_mode) && (st.st_mode & 07777) == 0 &&
               st.st_uid == 0;
}

/* Does overlayfs keep house in this directory? name: of what is in it. */
static bool is_work(const WatchSession *s, const DirPlace *place, const FanName *name) {
        bool is_temporary = overlay_layers_is_temporary(name->name, name->n_name);
        size_t n;

        if (!place || !place->mount)
                return false;
        for (size_t i = 0; i < s->n_overlays; i++)
                if (is_in(place, s->overlays[i].layers.work))
                        return true;
        if (!is_temporary && !memmem(place->path, place->n_path, "/#", 2))
                return false;
        n = overlay_layers_work_length(place->path, place->n_path, is_temporary);
        return n > 0 && looks_like_work(place->path, n);
}

/* In a layer of an overlay that is watched itself? */
static bool is_told_by_overlay(const WatchSession *s, const WatchedFilesystem *fs,
                               const DirPlace *place) {
        if (!place || !place->mount)
                return false;
        for (size_t i = 0; i < s->n_overlays; i++) {
                const WatchOverlay *o = &s->overlays[i];

                if (o->device != watched_filesystem_device(fs) &&
                    (is_in(place, o->layers.upper) || is_in(place, o->layers.work)) &&
                    is_watched(s, o->device))
                        return true;
        }
        return false;
}

static bool is_whiteout_file(WatchedFilesystem *fs, const FileHandle *file) {
        struct stat st;

        return file->bytes && watched_filesystem_stat(fs, file, &st) >= 0 && S_ISCHR(st.st_mode) &&
               st.st_rdev == 0;
}

static bool is_whiteout(WatchedFilesystem *fs, const FanEvent *e) {
        return !(e->mask & FAN_ONDIR) && is_whiteout_file(fs, &e->target);
}

static bool is_in_upper(const WatchSession *s, const DirPlace *place) {
        for (size_t i = 0; place && place->mount && i < s->n_overlays; i++)
                if (is_in(place, s->overlays[i].layers.upper))
                        return true;
        return false;
}

bool watch_overlays_hides(const WatchSession *s, WatchedFilesystem *fs, const LocatedEvent *e) {
        return is_in_upper(s, e->new_place) && is_whiteout_file(fs, &e->victim.handle);
}

WatchOverlayView watch_overlays_view(const WatchSession *s, WatchedFilesystem *fs,
                                     const LocatedEvent *e, bool *ret_is_directory) {
        const FanEvent *fan = &e->event.fan, *partner;
        FanEvent behind;
        bool is_from_work;

        if (is_told_by_overlay(s, fs, e->place))
                return WATCH_OVERLAY_INNER;
        /* Who moves something to where one is has it go the other way, or deleted behind. */
        if (is_in_upper(s, e->place) && is_whiteout(fs, fan))
                return WATCH_OVERLAY_INNER;
        if (!fan->new_name.directory.bytes)
                return is_work(s, e->place,
                               fan->old_name.directory.bytes ? &fan->old_name : &fan->name)
                               ? WATCH_OVERLAY_INNER
                               : WATCH_OVERLAY_PLAIN;
        is_from_work = is_work(s, e->place, &fan->old_name);
        if (is_work(s, e->new_place, &fan->new_name))
                return WATCH_OVERLAY_INNER;
        if (!is_from_work)
                return WATCH_OVERLAY_PLAIN;
        if (!is_whiteout(fs, fan))
                return WATCH_OVERLAY_INNER;
        partner = watched_filesystem_exchange(fs, fan, &behind) ? &behind : NULL;
        *ret_is_directory = partner && (partner->mask & FAN_ONDIR);
        return WATCH_OVERLAY_WHITEOUT;
}

/* The path in the overlay: its rest behind the mount point. NULL: it is not known. */
static const char *path_inside(WatchSession *s, const Record *r) {
        const ScopeMount *m = r->mount;
        const char *path;

        if (!m || m->n_root > 1 || !r->path.directory)
                return NULL;
        buffer_clear(&s->path);
        record_path_append(&r->path, &s->path);
        path = buffer_terminate(&s->path);
        if (s->path.is_failed || !path_is_within(path, s->path.n_bytes, m->point, m->n_point))
                return NULL;
        return path + (m->n_point > 1 ? m->n_point : 0);
}

static const char *upper_of(const WatchSession *s, dev_t device) {
        for (size_t i = 0; i < s->n_overlays; i++)
                if (s->overlays[i].device == device)
                        return s->overlays[i].layers.upper;
        return NULL;
}

void watch_overlays_fill(WatchSession *s, const WatchedFilesystem *fs, Record *r) {
        const ProcessFacts *deleter = r->deleter->process.facts;
        dev_t device = watched_filesystem_device(fs);
        const char *inside, *upper;

        if (!r->mount || strcmp(r->mount->fstype, "overlay") != 0)
                return;
        inside = path_inside(s, r);
        if (!inside)
                return;
        upper = s->options->has_upper_paths ? upper_of(s, device) : NULL;
        buffer_clear(&s->upper_path);
        buffer_clear(&s->container_path);
        if (upper) {
                buffer_append_string(&s->upper_path, upper);
                buffer_append_string(&s->upper_path, inside);
                r->upper_path = buffer_terminate(&s->upper_path);
        }
        if (deleter && deleter->root_device == device) {
                buffer_append_string(&s->container_path, inside);
                r->container_path = buffer_terminate(&s->container_path);
        }
}
