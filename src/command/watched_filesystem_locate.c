/* SPDX-License-Identifier: MIT */

/* Where the oldest event in flight happened, and what it destroyed: by what is known, by what is
 * still to be read, or by waiting a moment for what is still to come. */

#include <errno.h>
#include <string.h>

#include "base/clock.h"
#include "capture/handle_inode.h"
#include "command/watched_filesystem_private.h"

/* What locator_find() answered, as find_place() does. */
static int accept(int r, const DirPlace **ret_place) {
        static const DirPlace outside = {.class = SCOPE_NONE};

        if (r == -EXDEV)
                *ret_place = &outside;
        return r == -ENOMEM ? r : 0;
}

/*
 * May the event that names a lost directory still be on its way?
 *
 * From the first look in vain, since the event itself may have been read long ago and its directory
 * have gone just now. Not when nothing at all came for as long: the directories that an overflow
 * has cut off would be waited for one after the other. And briefly when the event is old, since it
 * is unlikely that its directory went at this very moment.
 */
static bool may_wait(WatchedFilesystem *fs, const FlightEvent *e) {
        uint64_t now = clock_now_nsec(CLOCK_MONOTONIC);
        uint64_t empty = flight_empty_nsec(fs->flight), wait = WATCHED_FILESYSTEM_WAIT_NSEC;

        if (fs->stale_position != e->position) {
                fs->stale_position = e->position;
                fs->stale_nsec = now;
        }
        if (empty >= fs->arrival_nsec + WATCHED_FILESYSTEM_WAIT_NSEC)
                return false;
        if (fs->stale_nsec >= e->monotonic_nsec + WATCHED_FILESYSTEM_WAIT_NSEC)
                wait = WATCHED_FILESYSTEM_OLD_WAIT_NSEC;
        return now < fs->stale_nsec + wait;
}

/*
 * The place of one directory of the oldest event.
 * Return: 0 (place NULL: it cannot be learned), -EAGAIN wait, errors.
 */
static int find_place(WatchedFilesystem *fs, const FileHandle *directory, const FlightEvent *e,
                      const DirPlace **ret_place, PathSource *ret_source) {
        bool is_read_on = false, is_stale = false, is_full = false;
        int r;

        *ret_place = NULL;
        *ret_source = PATH_SOURCE_NONE;
        if (!directory->bytes)
                return 0;
        for (;;) {
                r = locator_find(fs->locator, directory, is_read_on, ret_place, ret_source);
                if (r != -EAGAIN && r != -ESTALE)
                        return accept(r, ret_place);
                if (r == -ESTALE) {
                        if (locator_is_lost(fs->locator, directory))
                                return 0;
                        if (is_stale || is_full)
                                break;
                        is_stale = true;
                }
                r = watched_filesystem_read_on(fs);
                is_full = r == -ENOBUFS;
                if (r < 0 && !is_full)
                        return r;
                is_read_on = true;
        }
        /* Gone, and nothing read so far says where it was: an rmdir that is on its way will. */
        if (!is_full && may_wait(fs, e))
                return -EAGAIN;
        locator_give_up(fs->locator, directory);
        return 0;
}

static bool is_subvolume_gone(const WatchedFilesystem *fs, const FanEvent *e) {
        return e->mask & FAN_DELETE && e->mask & FAN_ONDIR &&
               handle_is_subvolume(&e->target, &e->name.directory, fs->scopes.mounts[0].fstype);
}

int watched_filesystem_locate(WatchedFilesystem *fs, LocatedEvent *e) {
        const FanEvent *fan = &e->event.fan;
        int r;

        if (!watched_event_is_move(fan)) {
                r = find_place(fs, &fan->name.directory, &e->event, &e->place, &e->source);
                if (r >= 0 && is_subvolume_gone(fs, fan) &&
                    locator_fs_path(fs->locator, &fan->name, &fs->path) >= 0)
                        e->lost_mount = scope_set_find_mount_of(&fs->scopes, fs->path.bytes,
                                                                fs->path.n_bytes);
                return r;
        }

        r = find_place(fs, &fan->old_name.directory, &e->event, &e->place, &e->source);
        if (r < 0)
                return r;
        if (e->place) {
                /* Looking for the second may evict the node that the first borrows from. */
                e->place_copy = *e->place;
                e->place_copy.path = strndup(e->place->path, e->place->n_path);
                if (!e->place_copy.path)
                        return -ENOMEM;
                e->place = &e->place_copy;
        }
        return find_place(fs, &fan->new_name.directory, &e->event, &e->new_place, &e->new_source);
}

/* Names that a file has now; 0: it is gone. What has happened until then is read. */
static int count_names(WatchedFilesystem *fs, const FileHandle *file, unsigned *ret_n) {
        struct stat st;
        int r;

        *ret_n = watched_filesystem_stat(fs, file, &st) < 0 ? 0 : (unsigned)st.st_nlink;
        r = watched_filesystem_read_on(fs);
        return r == -ENOBUFS ? 0 : r;
}

/* Return: as victims_find(), errors. */
static int find_victim(WatchedFilesystem *fs, const FlightEvent *e, uint64_t waited_nsec,
                       Victim *ret_victim) {
        for (;;) {
                unsigned n_links;
                int r = victims_find(fs->victims, e, waited_nsec, ret_victim);

                if (r < 0 || ret_victim->state != VICTIM_ASK)
                        return r;
                r = count_names(fs, &ret_victim->handle, &n_links);
                if (r < 0)
                        return r;
                victims_answer(fs->victims, n_links);
        }
}

int watched_filesystem_find_victim(WatchedFilesystem *fs, const FlightEvent *e,
                                   Victim *ret_victim) {
        uint64_t waited_nsec;
        int r;

        r = find_victim(fs, e, 0, ret_victim);
        if (r == -EAGAIN) {
                /* The same system call has queued it by now, or does so as soon as it gets a CPU.
                 */
                r = watched_filesystem_read_on(fs);
                if (r < 0 && r != -ENOBUFS)
                        return r;
                waited_nsec = r == -ENOBUFS ? UINT64_MAX
                                            : clock_now_nsec(CLOCK_MONOTONIC) - e->monotonic_nsec;
                r = find_victim(fs, e, waited_nsec, ret_victim);
        }
        return r < 0 ? r : watched_filesystem_note_replaced(fs);
}
