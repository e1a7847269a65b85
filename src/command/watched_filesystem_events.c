/* SPDX-License-Identifier: MIT */

/* Events handed out one by one, and what follows from each for those behind it. */

#include "command/watched_filesystem_events.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/hash_table.h"
#include "command/watched_filesystem_private.h"

/*
 * What is mounted of a directory, or of one below it, goes with it: its root is called otherwise
 * from here on. The mount table tells only those who read it anew.
 */
static void follow_mounts(WatchedFilesystem *fs, const FanEvent *e) {
        const bool is_moved = e->old_name.directory.bytes && e->new_name.directory.bytes;
        ScopeMove move;

        if (!(e->mask & FAN_ONDIR) || !(is_moved || e->mask & FAN_DELETE) || !e->target.bytes ||
            !scope_set_is_partial(&fs->scopes))
                return;
        if (locator_fs_path(fs->locator, is_moved ? &e->old_name : &e->name, &fs->path) < 0)
                return;
        move = (ScopeMove){
                .from = fs->path.bytes,
                .n_from = fs->path.n_bytes,
                .target = hash_bytes(e->target.bytes, e->target.n_bytes),
        };
        if (is_moved) {
                if (locator_fs_path(fs->locator, &e->new_name, &fs->new_path) < 0)
                        return;
                move.to = fs->new_path.bytes;
                move.n_to = fs->new_path.n_bytes;
        }
        if (scope_set_move(&fs->scopes, &move) != 0)
                locator_scopes_changed(fs->locator);
}

int watched_filesystem_look(const WatchedFilesystem *fs, const FileHandle *object,
                            const FileHandle *directory, LiveObject *ret_object, Buffer *ret_path) {
        int r;

        buffer_clear(ret_path);
        if (!fs->victims)
                return -EOPNOTSUPP;
        if (!locator_mount(fs->locator))
                return -ESTALE;
        r = live_object_read(locator_mount(fs->locator), object, directory, ret_object);
        if (r >= 0 && ret_object->path[0] != '\0')
                locator_show(fs->locator, ret_object->path, ret_path);
        return r;
}

static void forget_copy(LocatedEvent *e) {
        free(e->place_copy.path);
        e->place_copy.path = NULL;
}

/* From an event on that came when the queue had been seen empty since the mounts went. */
static void forget_former_mounts(WatchedFilesystem *fs, const FlightEvent *e) {
        if (fs->scopes.n_mounts == fs->n_present || e->empty_monotonic_nsec < fs->scopes_nsec)
                return;
        scope_set_truncate(&fs->scopes, fs->n_present);
        locator_scopes_changed(fs->locator);
}

int watched_filesystem_next(WatchedFilesystem *fs, LocatedEvent *ret_event) {
        int r;

        *ret_event = (LocatedEvent){0};
        while (flight_peek(fs->flight, &ret_event->event) == 0) {
                if (fs->until_nsec > 0)
                        return 0;
                /* Reading on at once would fetch what the deleter did meanwhile, event by event. */
                if (fs->is_read_out) {
                        fs->is_read_out = false;
                        return -EAGAIN;
                }
                r = watched_filesystem_read_batch(fs);
                /* What has left is kept until the sink has accepted it. */
                if (r == -ENOBUFS)
                        return -EAGAIN;
                if (r <= 0)
                        return r;
                fs->is_read_out = flight_is_drained(fs->flight);
        }
        if (fs->until_nsec > 0 && ret_event->event.monotonic_nsec > fs->until_nsec)
                return 0;
        forget_former_mounts(fs, &ret_event->event);
        ret_event->deleter = ret_event->event.attachment;
        if (ret_event->event.fan.mask & FAN_Q_OVERFLOW) {
                /* Renames may be among the lost. */
                locator_forget_all(fs->locator);
                if (fs->index)
                        dir_index_walk_again(fs->index);
                ret_event->is_overflow = true;
                return 1;
        }
        /* There was no memory for it, and whoever read it could go without. */
        if (!ret_event->deleter)
                return -ENOMEM;
        /* Out of view, it has no place. */
        if (fs->is_asleep)
                return 1;
        r = fs->victims && watched_event_is_move(&ret_event->event.fan)
                    ? watched_filesystem_find_victim(fs, &ret_event->event, &ret_event->victim)
                    : 0;
        if (r >= 0)
                r = watched_filesystem_locate(fs, ret_event);
        if (r < 0) {
                forget_copy(ret_event);
                return r;
        }
        return 1;
}

int watched_filesystem_stat(WatchedFilesystem *fs, const FileHandle *file,
                            struct stat *ret_status) {
        _cleanup_close_ int fd = -1;

        if (!locator_mount(fs->locator))
                return -ESTALE;
        fd = live_mount_open(locator_mount(fs->locator), file);
        if (fd < 0)
                return fd;
        return fstat(fd, ret_status) < 0 ? -errno : 0;
}

static bool is_same_name(const FanName *a, const FanName *b) {
        return file_handle_equal(&a->directory, &b->directory) && a->n_name == b->n_name &&
               memcmp(a->name, b->name, a->n_name) == 0;
}

/* What other threads and processes did meanwhile stands in between. */
#define EXCHANGE_MAX_BEHIND 8

/* The other half of an exchange is looked for among the events in flight. */
typedef struct Exchange {
        const FanEvent *rename;
        FanEvent *ret_event;
        size_t n_seen;
} Exchange;

/* Return: 1 it is this one, -ENOENT it is none that stands so near, 0 go on. */
static int find_half(void *userdata, const FanEvent *e) {
        Exchange *x = userdata;

        if (e->pid == x->rename->pid && e->old_name.directory.bytes &&
            is_same_name(&e->old_name, &x->rename->new_name) &&
            is_same_name(&e->new_name, &x->rename->old_name)) {
                *x->ret_event = *e;
                return 1;
        }
        return ++x->n_seen > EXCHANGE_MAX_BEHIND ? -ENOENT : 0;
}

bool watched_filesystem_exchange(WatchedFilesystem *fs, const FanEvent *rename,
                                 FanEvent *ret_event) {
        Exchange x = {.rename = rename, .ret_event = ret_event};
        int r = flight_for_each(fs->flight, find_half, &x);

        /* The same system call queues it: it may have come by now. */
        if (r == 0 && watched_filesystem_read_on(fs) >= 0) {
                x.n_seen = 0;
                r = flight_for_each(fs->flight, find_half, &x);
        }
        return r > 0;
}

/* Return: 1 it is a later one of the same process, -ENOENT none stands so near, 0 go on. */
static int find_later(void *userdata, const FanEvent *e) {
        Exchange *x = userdata;

        /* The first is the event itself. */
        if (x->n_seen++ > 0 && e->pid == x->rename->pid)
                return 1;
        return x->n_seen > EXCHANGE_MAX_BEHIND ? -ENOENT : 0;
}

bool watched_filesystem_went_on(const WatchedFilesystem *fs, const FanEvent *e) {
        Exchange x = {.rename = e};

        return flight_for_each(fs->flight, find_later, &x) > 0;
}

/* A directory came from where nothing is marked. */
static bool is_return(const FanEvent *e) {
        return (e->mask & FAN_RENAME) && (e->mask & FAN_ONDIR) && e->target.bytes &&
               !e->old_name.directory.bytes;
}

static void apply(WatchedFilesystem *fs, const LocatedEvent *e) {
        const FanEvent *fan = &e->event.fan;

        if (fan->mask & FAN_ONDIR && e->victim.state == VICTIM_CERTAIN) {
                FlightEvent removal = watched_filesystem_removal_of(
                        e->event.position, e->victim.handle, fan->new_name);

                locator_apply(fs->locator, &removal);
        }
        locator_apply(fs->locator, &e->event);
}

void watched_filesystem_postpone(WatchedFilesystem *fs, LocatedEvent *e) {
        (void)fs;
        forget_copy(e);
}

void watched_filesystem_done(WatchedFilesystem *fs, LocatedEvent *e) {
        forget_copy(e);
        follow_mounts(fs, &e->event.fan);
        apply(fs, e);
        if (fs->index && is_return(&e->event.fan))
                /* Without memory what came in it while it was away is not marked. */
                (void)dir_index_return(fs->index, &e->event.fan.target);
        if (fs->victims && watched_event_is_move(&e->event.fan))
                victims_leave(fs->victims, &e->event);
        deleter_unref(e->deleter);
        flight_pop(fs->flight);
}
