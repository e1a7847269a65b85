/* SPDX-License-Identifier: MIT */

/*
 * From a group's descriptor into flight.
 *
 * The deleter is looked up as soon as an event is read, while its pidfd is open and the process
 * perhaps alive; the place only when the event leaves, since it may need later events.
 */

#include <errno.h>

#include "command/watched_filesystem_private.h"

/*
 * Who did it.  Events come in the order in which they happened: none happened before the process of
 * an earlier one began.  In a long storm that tells lives of one pid apart.
 */
static int identify(WatchedFilesystem *fs, FlightEvent *e, Deleter **ret_deleter) {
        int r;

        if (e->empty_monotonic_nsec < fs->not_before_nsec)
                e->empty_monotonic_nsec = fs->not_before_nsec;
        r = identifier_find(fs->identifier, e, ret_deleter);
        if (r >= 0 && (*ret_deleter)->process.facts &&
            (*ret_deleter)->process.begin_nsec > fs->not_before_nsec)
                fs->not_before_nsec = (*ret_deleter)->process.begin_nsec;
        return r;
}

FlightEvent watched_filesystem_removal_of(uint64_t position, FileHandle directory, FanName name) {
        return (FlightEvent){
                .position = position,
                .fan = {.mask = FAN_DELETE | FAN_ONDIR, .name = name, .target = directory},
        };
}

int watched_filesystem_note_replaced(WatchedFilesystem *fs) {
        VictimDirectory d;
        int error = 0;

        while (victims_next_directory(fs->victims, &d) > 0) {
                FlightEvent removal = watched_filesystem_removal_of(d.position, d.handle, d.name);
                int r = locator_note(fs->locator, &removal);

                if (r < 0)
                        error = r;
        }
        return error;
}

/* Return: as victims_note(). */
static int note_victims(WatchedFilesystem *fs, const FlightEvent *e) {
        int r, error;

        if (!fs->victims)
                return VICTIMS_USE_SOME;
        r = victims_note(fs->victims, e);
        if (r == VICTIMS_USE_GONE)
                flight_set_gone(fs->flight);
        error = watched_filesystem_note_replaced(fs);
        return error < 0 ? error : r;
}

/* One read, with deleters looked up and directories noted. Return: as flight_read(). */
static int read_events(WatchedFilesystem *fs) {
        FlightEvent e;
        int n, r, error = 0;

        n = flight_read(fs->flight, fan_group_fd(fs->group));
        if (n == 0 && fs->victims)
                victims_drained(fs->victims);
        if (n <= 0)
                return n;
        /* Late facts are better than none: what is missing shows in the record's attribution. */
        (void)identifier_begin(fs->identifier);
        /* To the end whatever happens: the pidfds must be found to be closed. */
        while ((r = flight_next_read(fs->flight, &e)) > 0) {
                Deleter *d = NULL;

                fs->arrival_nsec = e.monotonic_nsec;
                r = note_victims(fs, &e);
                if (r < 0)
                        error = r;
                if (r == VICTIMS_USE_NONE) {
                        flight_drop(fs->flight);
                        continue;
                }
                if (!(e.fan.mask & FAN_Q_OVERFLOW) && identify(fs, &e, &d) < 0)
                        error = -ENOMEM;
                flight_attach(fs->flight, d);
                if (locator_note(fs->locator, &e) < 0)
                        error = -ENOMEM;
        }
        flight_close_pidfds(fs->flight);
        if (fs->victims && flight_is_drained(fs->flight)) {
                victims_drained(fs->victims);
                if (watched_filesystem_note_replaced(fs) < 0)
                        error = -ENOMEM;
        }
        if (r == -EBADMSG)
                fs->n_malformed++;
        return error < 0 ? error : n;
}

/* What has been read says where new directories are. */
int watched_filesystem_read_batch(WatchedFilesystem *fs) {
        int n = read_events(fs);
        int r = fs->index ? dir_index_follow(fs->index) : 0;

        return n < 0 || r >= 0 ? n : r;
}

/* Return: 0 the queue was seen empty, -ENOBUFS no more can be held, errors of
 * watched_filesystem_read_batch(). */
int watched_filesystem_read_on(WatchedFilesystem *fs) {
        int r;

        do
                r = watched_filesystem_read_batch(fs);
        while (r > 0 && !flight_is_drained(fs->flight));
        return r < 0 ? r : 0;
}

int watched_filesystem_absorb(WatchedFilesystem *fs) {
        int r = watched_filesystem_read_on(fs);

        return r == -ENOBUFS ? 0 : r;
}

uint64_t watched_filesystem_settled_nsec(const WatchedFilesystem *fs) {
        return flight_n_events(fs->flight) == 0 ? flight_empty_nsec(fs->flight) : 0;
}

uint64_t watched_filesystem_take_malformed(WatchedFilesystem *fs) {
        uint64_t n = fs->n_malformed;

        fs->n_malformed = 0;
        return n;
}
