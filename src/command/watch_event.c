/* SPDX-License-Identifier: MIT */

/*
 * Events to records: the one place where what, where and who come together.
 *
 * Limits: without FAN_RENAME (before Linux 5.17) a move is two events, and events of one process
 * about one name are merged while they wait in the queue.  Nothing that vanished goes untold, but
 * what happened to one name several times is told once, and a move whose halves were torn apart is
 * told twice, each time with one of its names.
 *
 * Source: fanotify_should_merge() in fs/notify/fanotify/fanotify.c of Linux 6.18.
 */

#include "command/watch_event.h"

#include <errno.h>
#include <stdio.h>

#include "base/hash_table.h"
#include "base/path.h"
#include "capture/handle_inode.h"
#include "command/watch_cause.h"
#include "command/watch_overlays.h"
#include "command/watch_session_private.h"
#include "command/watched_filesystem_events.h"

static RecordPath record_path(const DirPlace *place, const FanName *name) {
        RecordPath p = {0};

        if (place && place->mount) {
                p.directory = place->path;
                p.n_directory = place->n_path;
        }
        p.name = name->name;
        p.n_name = name->n_name;
        return p;
}

static ScopeEvent scope_event(const Record *r) {
        if (!r->is_directory)
                return SCOPE_EVENT_FILE_GONE;
        return r->action == RECORD_MOVE || r->is_subvolume ? SCOPE_EVENT_DIRECTORY_MOVED
                                                           : SCOPE_EVENT_DIRECTORY_GONE;
}

/* One end of an event: does it concern a target? Unknown places might, and are not kept silent. */
static bool place_is_wanted(WatchSession *s, const ScopeSet *scopes, const DirPlace *place,
                            const RecordPath *path, ScopeEvent event) {
        if (!place)
                return true;
        if (place->class != SCOPE_SOME)
                return place->class == SCOPE_ALL;
        buffer_clear(&s->path);
        record_path_append(path, &s->path);
        return scope_set_wants(scopes, s->path.bytes, s->path.n_bytes, event);
}

/* What one event can tell of. On a kernel without FAN_RENAME a move is two events, and what the
 * same process did to one name while the event waited in the queue is all in its mask. */
typedef enum EventPart {
        PART_ARRIVED, /* moved to this name: another event tells from where */
        PART_MOVED,   /* away from this name */
        PART_DELETED,
        N_PARTS,
} EventPart;

static const uint64_t part_masks[N_PARTS] = {
        [PART_ARRIVED] = FAN_MOVED_TO,
        [PART_MOVED] = FAN_RENAME | FAN_MOVED_FROM,
        [PART_DELETED] = FAN_DELETE,
};

/* Is it told that a rename destroyed something, rather than what it moved? */
static bool is_overwrite(WatchSession *s, WatchedFilesystem *fs, const LocatedEvent *e) {
        RecordPath lost = record_path(e->new_place, &e->event.fan.new_name);
        const ScopeEvent event =
                e->event.fan.mask & FAN_ONDIR ? SCOPE_EVENT_DIRECTORY_GONE : SCOPE_EVENT_FILE_GONE;

        if (e->victim.state != VICTIM_CERTAIN || record_filter_has_moves_only(&s->options->filter))
                return false;
        if (watch_overlays_hides(s, fs, e))
                return false;
        /* Of two unknown places it is said what it is, of one that it is not the other. */
        if (!e->new_place)
                return !e->place;
        return place_is_wanted(s, watched_filesystem_scopes(fs), e->new_place, &lost, event);
}

static RecordAction action_of(const FanEvent *e, EventPart part) {
        if (part != PART_DELETED)
                return RECORD_MOVE;
        return e->mask & FAN_ONDIR ? RECORD_RMDIR : RECORD_UNLINK;
}

static void fill_places(Record *r, const LocatedEvent *e, EventPart part) {
        const FanEvent *fan = &e->event.fan;

        if (fan->old_name.directory.bytes) {
                r->path = record_path(e->place, &fan->old_name);
                if (fan->new_name.directory.bytes)
                        r->new_path = record_path(e->new_place, &fan->new_name);
        } else if (fan->new_name.directory.bytes) {
                /* From where nothing is marked, of a filesystem watched directory by directory. */
                r->path = record_path(NULL, &fan->new_name);
                r->new_path = record_path(e->new_place, &fan->new_name);
                r->path_source = e->new_source;
        } else if (part == PART_ARRIVED) {
                /* Renderers want a name; most moves keep it. */
                r->path = record_path(NULL, &fan->name);
                r->new_path = record_path(e->place, &fan->name);
        } else {
                r->path = record_path(e->place, &fan->name);
        }
        if (e->place)
                r->mount = e->place->mount;
}

static void fill_overwrite(Record *r, const WatchedFilesystem *fs, const LocatedEvent *e) {
        const char *fstype = watched_filesystem_mount(fs)->fstype;

        r->action = RECORD_OVERWRITE;
        r->path = record_path(e->new_place, &e->event.fan.new_name);
        r->new_path = record_path(e->place, &e->event.fan.old_name);
        r->mount = e->new_place ? e->new_place->mount : NULL;
        r->path_source = e->new_source;
        r->inode = handle_inode(&e->victim.handle, fstype);
        r->is_subvolume = false; /* what is destroyed by a rename is an empty directory */
}

/* Is a path a target, or above one: moved from there it has vanished, wherever it is now? */
static bool holds_target(WatchSession *s, const RecordPath *path) {
        buffer_clear(&s->path);
        record_path_append(path, &s->path);
        for (size_t i = 0; i < s->n_targets; i++)
                if (path_is_within(s->targets[i].path, s->targets[i].n_path, s->path.bytes,
                                   s->path.n_bytes))
                        return true;
        return false;
}

/* @ret_is_vanished: something is no longer in what is watched; that is what --count counts. */
static bool is_wanted(WatchSession *s, WatchedFilesystem *fs, const LocatedEvent *e, Record *r,
                      EventPart part, bool *ret_is_vanished) {
        const ScopeSet *scopes = watched_filesystem_scopes(fs);
        bool is_here, is_there;

        *ret_is_vanished = false;
        if (part == PART_ARRIVED)
                return place_is_wanted(s, scopes, e->place, &r->new_path, scope_event(r));
        is_here = place_is_wanted(s, scopes, e->place, &r->path, scope_event(r));
        is_there = r->new_path.name &&
                   place_is_wanted(s, scopes, e->new_place, &r->new_path, scope_event(r));
        *ret_is_vanished =
                is_here && (!is_there || (r->path.directory && holds_target(s, &r->path)));
        return is_here || is_there;
}

static int put_overflow(WatchSession *s, WatchedFilesystem *fs) {
        const ScopeMount *m = watched_filesystem_mount(fs);
        char message[512];

        s->counters.n_losses++;
        snprintf(message, sizeof(message),
                 "the kernel's event queue of %s was full and events were lost; "
                 "run without --queue=bounded or raise fs.fanotify.max_queued_events",
                 m->point);
        return watch_session_put_news(
                s, &(Record){
                           .action = RECORD_LOSS,
                           .mount = m,
                           .message = message,
                           .loss = {.where = "file events", .filesystem = m->point},
                   });
}

static MovedAway moved_away(WatchedFilesystem *fs, const FlightEvent *e) {
        return (MovedAway){
                .device = watched_filesystem_device(fs),
                .position = e->position,
                .pid = e->fan.pid,
                .target = e->fan.target.bytes
                                  ? hash_bytes(e->fan.target.bytes, e->fan.target.n_bytes)
                                  : 0,
        };
}

/* The kernel queues both halves of a move one right behind the other, unless one was merged into an
 * earlier event: then a record too many is better than one too few. */
static bool is_other_half_told(const WatchSession *s, WatchedFilesystem *fs, const FlightEvent *e) {
        MovedAway now = moved_away(fs, e);

        return s->moved_away.pid == now.pid && s->moved_away.device == now.device &&
               s->moved_away.position + 1 == now.position && s->moved_away.target == now.target;
}

/* The place where a mount is, as that of what vanished from there. */
static RecordPath path_of_mount(const ScopeMount *m) {
        const size_t n_directory = path_directory_length(m->point, m->n_point);
        const size_t n_before_name = n_directory > 1 ? n_directory + 1 : n_directory;

        return (RecordPath){
                .directory = m->point,
                .n_directory = n_directory,
                .name = m->point + n_before_name,
                .n_name = m->n_point - n_before_name,
        };
}

static bool is_subvolume(const WatchedFilesystem *fs, const FanEvent *e) {
        const FanName *name = e->old_name.directory.bytes ? &e->old_name : &e->name;

        return e->mask & FAN_ONDIR && handle_is_subvolume(&e->target, &name->directory,
                                                          watched_filesystem_mount(fs)->fstype);
}

/*
 * Writes the record, if it passes the filters.
 * @part:        N_PARTS: a whiteout
 * @is_vanished: something is no longer in what is watched; that is what --count counts
 */
static int tell(WatchSession *s, WatchedFilesystem *fs, const LocatedEvent *e, Record *r,
                bool is_vanished, EventPart part) {
        int error;

        if (!r->mount)
                r->mount = watched_filesystem_mount(fs);
        if (!record_filter_passes(&s->options->filter, r))
                return 0;
        error = watch_cause_find(s, r);
        if (error < 0)
                return error;
        r->may_be_overwrite = r->action == RECORD_MOVE && e->victim.state == VICTIM_POSSIBLE;
        watch_overlays_fill(s, fs, r);
        /* Of a whiteout the event's file is the whiteout. */
        if (part != N_PARTS)
                r->remains = watch_remains_find(&s->remains, fs, e, r, s->proc_fd, s->self);
        error = watch_session_put(s, r);
        if (error < 0)
                return error;
        /* What else this event tells of cannot be held back any more. */
        s->is_hasty = true;
        s->counters.n_records++;
        s->counters.n_moves += r->action == RECORD_MOVE;
        s->counters.n_vanished += is_vanished;
        process_counter_add(&s->processes, &e->deleter->process);
        if (part == PART_MOVED)
                s->moved_away = moved_away(fs, &e->event);
        return 0;
}

static RecordKey record_key(const WatchedFilesystem *fs, const LocatedEvent *e, EventPart part) {
        /* What most events have is 0, which is left out. */
        static const unsigned parts[N_PARTS] = {
                [PART_DELETED] = 0, [PART_MOVED] = 1, [PART_ARRIVED] = 2};

        return (RecordKey){
                .stream = watched_filesystem_stream(fs),
                .position = e->event.position,
                .part = part == N_PARTS ? 0 : parts[part],
        };
}

static int put_part(WatchSession *s, WatchedFilesystem *fs, const LocatedEvent *e, EventPart part) {
        Record r = {
                .action = action_of(&e->event.fan, part),
                .realtime_nsec = e->event.realtime_nsec,
                .key = record_key(fs, e, part),
                .is_directory = e->event.fan.mask & FAN_ONDIR,
                .is_subvolume = is_subvolume(fs, &e->event.fan),
                .deleter = e->deleter,
                .path_source = e->source,
        };
        bool is_vanished = true;

        r.inode = handle_inode(&e->event.fan.target, watched_filesystem_mount(fs)->fstype);
        if (part == PART_MOVED && is_overwrite(s, fs, e)) {
                fill_overwrite(&r, fs, e);
        } else {
                fill_places(&r, e, part);
                if (!is_wanted(s, fs, e, &r, part, &is_vanished)) {
                        if (!e->lost_mount)
                                return 0;
                        r.path = path_of_mount(e->lost_mount);
                        r.mount = e->lost_mount;
                        is_vanished = true;
                }
        }
        return tell(s, fs, e, &r, is_vanished, part);
}

/* What a whiteout hides from now on. */
static int put_whiteout(WatchSession *s, WatchedFilesystem *fs, const LocatedEvent *e,
                        bool is_directory) {
        Record r = {
                .action = is_directory ? RECORD_RMDIR : RECORD_UNLINK,
                .realtime_nsec = e->event.realtime_nsec,
                .key = record_key(fs, e, N_PARTS),
                .is_directory = is_directory,
                .deleter = e->deleter,
                .path = record_path(e->new_place, &e->event.fan.new_name),
                .path_source = e->new_source,
                .mount = e->new_place ? e->new_place->mount : NULL,
        };

        /* What lies below has an inode of another filesystem; what was copied up is replaced. */
        if (e->victim.state == VICTIM_CERTAIN)
                r.inode = handle_inode(&e->victim.handle, watched_filesystem_mount(fs)->fstype);
        if (!place_is_wanted(s, watched_filesystem_scopes(fs), e->new_place, &r.path,
                             scope_event(&r)))
                return 0;
        return tell(s, fs, e, &r, true, N_PARTS);
}

static int put_event(WatchSession *s, WatchedFilesystem *fs, const LocatedEvent *e) {
        bool is_told, is_directory;
        int r = 0;

        if (e->is_overflow)
                return put_overflow(s, fs);
        if (e->event.fan.pid == s->self)
                return 0;
        switch (watch_overlays_view(s, fs, e, &is_directory)) {
        case WATCH_OVERLAY_INNER:
                return 0;
        case WATCH_OVERLAY_WHITEOUT:
                return put_whiteout(s, fs, e, is_directory);
        case WATCH_OVERLAY_PLAIN:
                break;
        }
        is_told = e->event.fan.mask & FAN_MOVED_TO && is_other_half_told(s, fs, &e->event);
        for (EventPart part = 0; part < N_PARTS && r >= 0 && !watch_session_is_enough(s); part++) {
                if (part == PART_ARRIVED && is_told)
                        continue;
                if (e->event.fan.mask & part_masks[part])
                        r = put_part(s, fs, e, part);
        }
        return r;
}

int watch_event_put(WatchSession *s, WatchedFilesystem *fs, const LocatedEvent *e) {
        const bool was_hasty = s->is_hasty;
        int r = put_event(s, fs, e);

        s->is_hasty = was_hasty;
        return r;
}
