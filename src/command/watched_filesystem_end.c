/* SPDX-License-Identifier: MIT */

/*
 * When a filesystem goes out of view, and when it comes back.
 *
 * What happened before is told first. Where the filesystem lives on, its mark stays and it sleeps:
 * should it come back, no deletion was missed.
 */

#include "command/watched_filesystem_end.h"

#include <errno.h>
#include <string.h>

#include "base/clock.h"
#include "command/watched_filesystem_private.h"

static bool has_mark(const WatchedFilesystem *fs) {
        return fan_group_has_mark(fs->group, fs->device) > 0;
}

typedef struct LastLook {
        Locator *locator;
        uint64_t end_nsec;
} LastLook;

static int look_at(void *userdata, const FanEvent *e) {
        const FanName *const names[] = {&e->name, &e->old_name, &e->new_name};
        LastLook *look = userdata;
        int r = 0;

        for (size_t i = 0; i < sizeof(names) / sizeof(names[0]) && r >= 0; i++)
                if (names[i]->directory.bytes)
                        r = locator_look_ahead(look->locator, &names[i]->directory);
        return r < 0 ? r : clock_now_nsec(CLOCK_MONOTONIC) > look->end_nsec;
}

/* Who unmounts often deletes right before; what cannot be learned now shows in the record. */
static void look_a_last_time(WatchedFilesystem *fs) {
        LastLook look = {
                .locator = fs->locator,
                .end_nsec = clock_now_nsec(CLOCK_MONOTONIC) + WATCHED_FILESYSTEM_LAST_LOOK_NSEC,
        };

        /* With a rename unread, what is asked now could be taken for what was before it. */
        if (watched_filesystem_read_on(fs) >= 0)
                (void)flight_for_each(fs->flight, look_at, &look);
}

/* Without room for all that is queued, no line can be drawn between now and later but by the mark.
 */
static void draw_line(WatchedFilesystem *fs) {
        if (watched_filesystem_read_on(fs) < 0)
                watched_filesystem_stop(fs);
        else
                fs->until_nsec = clock_now_nsec(CLOCK_MONOTONIC);
}

void watched_filesystem_end(WatchedFilesystem *fs, WatchedEnd end) {
        fs->end = end;
        if (flight_kept(fs->flight))
                kept_events_set_ended(flight_kept(fs->flight), end != WATCHED_END_UNMOUNTED);
        if (end == WATCHED_END_UNMOUNTED && !fs->is_asleep)
                look_a_last_time(fs);
        if (fs->index)
                dir_index_stop(fs->index);
        if (fs->end_nsec == 0)
                fs->end_nsec = clock_now_nsec(CLOCK_MONOTONIC);
        if (end == WATCHED_END_UNMOUNTED)
                locator_release_mount(fs->locator);
        /* Asleep, what came until now was out of view as well. */
        if (fs->is_asleep)
                return;
        if (has_mark(fs))
                draw_line(fs);
        else if (end != WATCHED_END_UNMOUNTED)
                watched_filesystem_stop(fs);
}

void watched_filesystem_rouse(WatchedFilesystem *fs) {
        if (fs->until_nsec == 0 ||
            clock_now_nsec(CLOCK_MONOTONIC) > fs->end_nsec + WATCHED_FILESYSTEM_ROUSE_NSEC)
                return;
        fs->is_asleep = false;
        draw_line(fs);
}

bool watched_filesystem_lingers(const WatchedFilesystem *fs) {
        return fs->end == WATCHED_END_UNMOUNTED && fs->until_nsec > 0 && has_mark(fs) &&
               clock_now_nsec(CLOCK_MONOTONIC) < fs->end_nsec + WATCHED_FILESYSTEM_LINGER_NSEC;
}

bool watched_filesystem_sleep(WatchedFilesystem *fs) {
        fs->is_asleep = fs->until_nsec > 0 && has_mark(fs);
        return fs->is_asleep;
}

bool watched_filesystem_is_asleep(const WatchedFilesystem *fs) {
        return fs->is_asleep;
}

uint64_t watched_filesystem_ended_nsec(const WatchedFilesystem *fs) {
        return fs->end_nsec;
}

/* Does a mount show this filesystem?  A mark of it shows its device, on btrfs, too. */
static int shows_device(WatchedFilesystem *fs, LiveMount *live) {
        _cleanup_fan_group_ FanGroup *g = NULL;
        int r;

        r = fan_group_new(fan_group_features(fs->group), true, &g);
        if (r >= 0)
                r = fan_group_mark_fd(g, live_mount_fd(live));
        return r < 0 ? r : fan_group_has_mark(g, fs->device);
}

/* Return: as watched_filesystem_wake(). */
static int hold_again(WatchedFilesystem *fs, const Mount *m) {
        _cleanup_live_mount_ LiveMount *live = NULL;
        int r;

        if (fs->root && strcmp(fs->root, m->root) != 0)
                return 0;
        r = fs->root ? live_mount_new(m->point, strcmp(m->root, "/") == 0, &live)
                     : live_mount_new_top(m->point, m->source, &live);
        if (r == -ENOMEM || r == -EINVAL)
                return r == -ENOMEM ? r : 0;
        if (r < 0 || shows_device(fs, live) <= 0)
                return -EAGAIN;
        locator_set_mount(fs->locator, live);
        live = NULL;
        return 1;
}

int watched_filesystem_wake(WatchedFilesystem *fs, CoverageFilesystem *plan) {
        int r;

        if (!has_mark(fs) || fs->until_nsec == 0)
                return 0;
        r = fs->end == WATCHED_END_UNMOUNTED ? hold_again(fs, plan->mount) : 1;
        if (r <= 0)
                return r;
        watched_filesystem_set_scopes(fs, &plan->scopes);
        fs->end = WATCHED_END_NONE;
        if (flight_kept(fs->flight))
                kept_events_set_ended(flight_kept(fs->flight), false);
        fs->until_nsec = fs->end_nsec = 0;
        fs->is_asleep = false;
        return 1;
}

void watched_filesystem_until(WatchedFilesystem *fs, uint64_t nsec) {
        fs->until_nsec = nsec;
}

WatchedEnd watched_filesystem_ending(const WatchedFilesystem *fs) {
        return fs->end;
}
