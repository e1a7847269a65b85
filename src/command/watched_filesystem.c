/* SPDX-License-Identifier: MIT */

/*
 * A filesystem, how it is marked, and where it is mounted.
 *
 * The rest is in files of its own: reading its events (watched_filesystem_read.c), finding their
 * places (_locate.c), handing them out (_events.c), its end and its return (_end.c).
 */

#include "command/watched_filesystem.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "command/watched_filesystem_private.h"

/* A filesystem that cannot be marked as a whole, though its directories may be. */
static bool is_refusal(int error, const char *fstype) {
        return (error == -EOPNOTSUPP || error == -ENODEV || error == -EXDEV) &&
               !coverage_is_pseudo(fstype);
}

/* *ret_live stays NULL when the mark needed none. */
static int mark_whole(WatchedFilesystem *fs, const Mount *m, WatchedStep *ret_step,
                      LiveMount **ret_live) {
        int r;

        *ret_step = WATCHED_STEP_MARK;
        r = fan_group_mark(fs->group, m->point);
        if (r != -EXDEV || strcmp(m->fstype, "btrfs") != 0)
                return r;
        /* A btrfs can be marked by its top level only, and seen whole from there. */
        *ret_step = WATCHED_STEP_TOP;
        r = live_mount_new_top(m->point, m->source, ret_live);
        return r < 0 ? r : fan_group_mark_fd(fs->group, live_mount_fd(*ret_live));
}

static int mark(WatchedFilesystem *fs, const Mount *m, Marking marking, WatchedStep *ret_step,
                LiveMount **ret_live, bool *ret_is_index) {
        int r = -EOPNOTSUPP;

        if (marking != MARKING_DIRECTORIES) {
                r = mark_whole(fs, m, ret_step, ret_live);
                fs->refusal = r;
        }
        *ret_is_index = is_refusal(r, m->fstype) && marking != MARKING_FILESYSTEM;
        if (!*ret_is_index)
                return r;
        *ret_live = live_mount_free(*ret_live);
        return 0;
}

/* One descriptor for both groups. */
static int add_to_epoll(int epoll_fd, int fd) {
        struct epoll_event event = {.events = EPOLLIN};

        return epoll_ctl(epoll_fd, EPOLL_CTL_ADD, fd, &event) < 0 ? -errno : 0;
}

static int open_index(WatchedFilesystem *fs) {
        Locator *l = fs->locator;
        int r;

        locator_keep_index(l);
        r = dir_index_new(fs->group, locator_mount(l), &fs->scopes, locator_index_tree(l),
                          locator_later_events(l), &fs->index);
        if (r < 0)
                return r;
        fs->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
        if (fs->epoll_fd < 0)
                return -errno;
        r = add_to_epoll(fs->epoll_fd, fan_group_fd(fs->group));
        return r < 0 ? r : add_to_epoll(fs->epoll_fd, dir_index_fd(fs->index));
}

static int open_locator(WatchedFilesystem *fs, LiveMount **live, const char *root_path) {
        int r = locator_new(*live, root_path, &fs->scopes, &fs->locator);

        if (r >= 0)
                *live = NULL;
        return r;
}

/*
 * Were mark and mount taken from the filesystem that the table had there?  Both went by a path, and
 * what is mounted at it may have changed in between.
 */
static int check_device(WatchedFilesystem *fs, LiveMount *live) {
        int r;

        /* Marks the same filesystem again, or one too many. */
        r = fan_group_mark_fd(fs->group, live_mount_fd(live));
        if (r >= 0)
                r = fan_group_has_only_mark(fs->group, fs->device);
        return r == 0 ? -ESTALE : r;
}

void watched_kept_done(WatchedKept *kept) {
        kept->group = fan_group_free(kept->group);
        kept->events = kept_events_free(kept->events);
}

/* @kept: NULL: its events are not kept. */
static int open_flight(WatchedFilesystem *fs, const Mount *m, bool is_index, WatchedKept *kept) {
        int r = 0;

        if (kept && !kept->events)
                r = kept_events_new(
                        &(KeptStream){
                                .stream = kept->stream,
                                .device = fs->device,
                                .features = fan_group_features(fs->group),
                                .has_index = is_index,
                                .point = m->point,
                                .fstype = m->fstype,
                        },
                        &kept->events);
        if (r >= 0)
                r = flight_new_kept(identifier_spares_pidfds(fs->identifier),
                                    kept ? kept->events : NULL, &fs->flight);
        if (r >= 0 && kept)
                kept->events = NULL;
        return r;
}

static int open_parts(WatchedFilesystem *fs, const Mount *m, unsigned features, Marking marking,
                      bool is_bounded, WatchedKept *kept, WatchedStep *ret_step) {
        _cleanup_live_mount_ LiveMount *live = NULL;
        const char *root_path = "/"; /* of the top level of a btrfs */
        bool is_index;
        int r;

        *ret_step = WATCHED_STEP_GROUP;
        if (kept && kept->group)
                fs->group = TAKE_PTR(kept->group);
        r = fs->group ? 0 : fan_group_new(features, is_bounded, &fs->group);
        if (r < 0)
                return r;
        r = mark(fs, m, marking, ret_step, &live, &is_index);
        if (r < 0)
                return r;
        r = open_flight(fs, m, is_index, kept);
        /* Marks of directories do not tell what happens to files without a name. */
        if (r >= 0 && !is_index && fan_group_has_victims(fs->group))
                r = victims_new(&fs->victims);
        if (r < 0)
                return r;
        *ret_step = WATCHED_STEP_CLONE;
        if (!live) {
                root_path = m->root;
                fs->root = strdup(m->root);
                r = fs->root ? live_mount_new(m->point, strcmp(m->root, "/") == 0, &live) : -ENOMEM;
        }
        if (r >= 0 && !is_index)
                r = check_device(fs, live);
        if (r >= 0)
                r = open_locator(fs, &live, root_path);
        if (r < 0 || !is_index)
                return r;
        *ret_step = WATCHED_STEP_INDEX;
        return open_index(fs);
}

int watched_filesystem_new(CoverageFilesystem *plan, unsigned features, Marking marking,
                           bool is_bounded, Identifier *identifier, WatchedKept *kept,
                           WatchedStep *ret_step, WatchedFilesystem **ret_fs) {
        WatchedFilesystem *fs = calloc(1, sizeof(*fs));
        int r;

        if (!fs) {
                if (kept)
                        watched_kept_done(kept);
                return -ENOMEM;
        }
        fs->stream = kept ? kept->stream : 0;
        fs->device = plan->device;
        fs->epoll_fd = -1;
        fs->stale_position = UINT64_MAX;
        fs->identifier = identifier;
        /* The walk asks at its first step what is watched. */
        fs->scopes = plan->scopes;
        fs->n_present = fs->scopes.n_mounts;
        r = open_parts(fs, plan->mount, features, marking, is_bounded, kept, ret_step);
        if (kept)
                watched_kept_done(kept);
        if (r < 0) {
                fs->scopes = (ScopeSet){0};
                watched_filesystem_free(fs);
                return r;
        }
        plan->scopes = (ScopeSet){0};
        *ret_fs = fs;
        return 0;
}

WatchedFilesystem *watched_filesystem_free(WatchedFilesystem *fs) {
        FlightEvent e;

        if (!fs)
                return NULL;
        while (fs->flight && flight_peek(fs->flight, &e) > 0) {
                deleter_unref(e.attachment);
                flight_pop(fs->flight);
        }
        dir_index_free(fs->index);
        cleanup_close(&fs->epoll_fd);
        locator_free(fs->locator);
        victims_free(fs->victims);
        flight_free(fs->flight);
        fan_group_free(fs->group);
        scope_set_done(&fs->scopes);
        buffer_done(&fs->path);
        buffer_done(&fs->new_path);
        free(fs->root);
        free(fs);
        return NULL;
}

dev_t watched_filesystem_device(const WatchedFilesystem *fs) {
        return fs->device;
}

uint64_t watched_filesystem_stream(const WatchedFilesystem *fs) {
        return fs->stream;
}

void watched_filesystem_set_stream(WatchedFilesystem *fs, uint64_t stream) {
        fs->stream = stream;
}

KeptEvents *watched_filesystem_kept(const WatchedFilesystem *fs) {
        return flight_kept(fs->flight);
}

void watched_filesystem_mark(WatchedFilesystem *fs) {
        fs->mark = flight_position(fs->flight);
}

void watched_filesystem_done_to_mark(WatchedFilesystem *fs) {
        flight_done(fs->flight, fs->mark);
}

const ScopeMount *watched_filesystem_mount(const WatchedFilesystem *fs) {
        return &fs->scopes.mounts[0];
}

const ScopeSet *watched_filesystem_scopes(const WatchedFilesystem *fs) {
        return &fs->scopes;
}

int watched_filesystem_fd(const WatchedFilesystem *fs) {
        return fs->index ? fs->epoll_fd : fan_group_fd(fs->group);
}

const FanGroup *watched_filesystem_group(const WatchedFilesystem *fs) {
        return fs->group;
}

DirIndex *watched_filesystem_index(const WatchedFilesystem *fs) {
        return fs->index;
}

int watched_filesystem_refusal(const WatchedFilesystem *fs) {
        return fs->refusal;
}

int watched_filesystem_has_mark(const WatchedFilesystem *fs) {
        /* The clone keeps the filesystem, and so the marks of its directories. */
        return fs->index ? 1 : fan_group_has_mark(fs->group, fs->device);
}

void watched_filesystem_set_scopes(WatchedFilesystem *fs, ScopeSet *scopes) {
        ScopeSet former = fs->scopes, present = fs->scopes;
        bool is_other;

        present.n_mounts = fs->n_present;
        is_other = !scope_set_has_same_mounts(&present, scopes);
        fs->scopes = *scopes;
        fs->n_present = scopes->n_mounts;
        fs->scopes_nsec = clock_now_nsec(CLOCK_MONOTONIC);
        *scopes = (ScopeSet){0};
        /* Without memory what is still queued is told as it can be seen now. */
        (void)scope_set_keep_former(&fs->scopes, &former);
        scope_set_done(&former);
        locator_scopes_changed(fs->locator);
        /* Another directory may be seen where it matters now. */
        if (fs->index && is_other)
                dir_index_walk_again(fs->index);
}

bool watched_filesystem_is_told(const WatchedFilesystem *fs) {
        return fs->is_told;
}

void watched_filesystem_set_told(WatchedFilesystem *fs, bool is_told) {
        fs->is_told = is_told;
}

void watched_filesystem_stop(WatchedFilesystem *fs) {
        if (fs->index)
                dir_index_stop(fs->index);
        fan_group_unmark_all(fs->group);
}

bool watched_filesystem_has_victims(const WatchedFilesystem *fs) {
        return fs->victims != NULL;
}
