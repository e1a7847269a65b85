/* SPDX-License-Identifier: MIT */

/*
 * From a group's descriptor to located and attributed events.
 *
 * The deleter is looked up as soon as an event is read, while its pidfd is open and the process
 * perhaps alive; the place only when the event leaves, since it may need later events.
 */

#include "command/watched_filesystem.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/fanotify.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/hash_table.h"
#include "capture/handle_inode.h"

struct WatchedFilesystem {
        dev_t device;
        FanGroup *group;
        Flight *flight;
        Locator *locator;
        Identifier *identifier;
        Victims *victims; /* NULL: the kernel does not tell what renames destroy */
        ScopeSet scopes;
        size_t n_present;         /* of their mounts; behind them are those that were there … */
        uint64_t scopes_nsec;     /* … before this, for events from before it; monotonic */
        uint64_t stale_position;  /* of the event that waits for its directory … */
        uint64_t stale_nsec;      /* … since then */
        uint64_t not_before_nsec; /* no event from here on happened earlier; monotonic */
        uint64_t arrival_nsec;    /* when events were last read; monotonic */
        uint64_t n_malformed;
        Buffer path, new_path; /* inside the filesystem */
        WatchedEnd end;
        uint64_t until_nsec; /* no event that was read later is taken; monotonic, 0 no end */
        uint64_t end_nsec;   /* when it ended; monotonic */
        char *root; /* of the mount that handles are resolved by; NULL: of all, by its top level */
        bool is_asleep;
        bool is_told;
        DirIndex *index;  /* NULL: it is marked as a whole */
        int epoll_fd;     /* of the groups, when there is an index; else -1 */
        int refusal;      /* why it is not marked as a whole */
        bool is_read_out; /* the last read took all there was: pause before the next */
};

/* A filesystem that cannot be marked as a whole, though its directories may be. */
static bool is_refusal(int error, const char *fstype) {
        return (error == -EOPNOTSUPP || error == -ENODEV || error == -EXDEV) &&
               !coverage_is_pseudo(fstype);
}

static int read_on(WatchedFilesystem *fs);

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

static int open_parts(WatchedFilesystem *fs, const Mount *m, unsigned features, Marking marking,
                      bool is_bounded, WatchedStep *ret_step) {
        _cleanup_live_mount_ LiveMount *live = NULL;
        const char *root_path = "/"; /* of the top level of a btrfs */
        bool is_index;
        int r;

        *ret_step = WATCHED_STEP_GROUP;
        r = fan_group_new(features, is_bounded, &fs->group);
        if (r < 0)
                return r;
        r = mark(fs, m, marking, ret_step, &live, &is_index);
        if (r < 0)
                return r;
        r = flight_new(identifier_spares_pidfds(fs->identifier), &fs->flight);
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
                           bool is_bounded, Identifier *identifier, WatchedStep *ret_step,
                           WatchedFilesystem **ret_fs) {
        WatchedFilesystem *fs = calloc(1, sizeof(*fs));
        int r;

        if (!fs)
                return -ENOMEM;
        fs->device = plan->device;
        fs->epoll_fd = -1;
        fs->stale_position = UINT64_MAX;
        fs->identifier = identifier;
        /* The walk asks at its first step what is watched. */
        fs->scopes = plan->scopes;
        fs->n_present = fs->scopes.n_mounts;
        r = open_parts(fs, plan->mount, features, marking, is_bounded, ret_step);
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
        if (read_on(fs) >= 0)
                (void)flight_for_each(fs->flight, look_at, &look);
}

/* Without room for all that is queued, no line can be drawn between now and later but by the mark.
 */
static void draw_line(WatchedFilesystem *fs) {
        if (read_on(fs) < 0)
                watched_filesystem_stop(fs);
        else
                fs->until_nsec = clock_now_nsec(CLOCK_MONOTONIC);
}

void watched_filesystem_end(WatchedFilesystem *fs, WatchedEnd end) {
        fs->end = end;
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

/* What there would be for the locator if the directory had been removed first. */
static FlightEvent removal_of(uint64_t position, FileHandle directory, FanName name) {
        return (FlightEvent){
                .position = position,
                .fan = {.mask = FAN_DELETE | FAN_ONDIR, .name = name, .target = directory},
        };
}

/* Directories that others were put in the place of have no removal of their own. */
static int note_replaced(WatchedFilesystem *fs) {
        VictimDirectory d;
        int error = 0;

        while (victims_next_directory(fs->victims, &d) > 0) {
                FlightEvent removal = removal_of(d.position, d.handle, d.name);
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
        error = note_replaced(fs);
        return error < 0 ? error : r;
}

/* One read, with deleters looked up and directories noted. Return: as flight_read(). */
static int read_events(WatchedFilesystem *fs) {
        FlightEvent e;
        int n, r, error = 0;

        n = flight_read(fs->flight, fan_group_fd(fs->group));
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
                if (note_replaced(fs) < 0)
                        error = -ENOMEM;
        }
        if (r == -EBADMSG)
                fs->n_malformed++;
        return error < 0 ? error : n;
}

/* The same, and new directories are marked. What has been read says where they are. */
static int read_batch(WatchedFilesystem *fs) {
        int n = read_events(fs);
        int r = fs->index ? dir_index_follow(fs->index) : 0;

        return n < 0 || r >= 0 ? n : r;
}

/* Return: 0 the queue was seen empty, -ENOBUFS no more can be held, errors of read_batch(). */
static int read_on(WatchedFilesystem *fs) {
        int r;

        do
                r = read_batch(fs);
        while (r > 0 && !flight_is_drained(fs->flight));
        return r < 0 ? r : 0;
}

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
                r = read_on(fs);
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

static bool is_move(const FanEvent *e) {
        return e->old_name.directory.bytes || e->new_name.directory.bytes;
}

static bool is_subvolume_gone(const WatchedFilesystem *fs, const FanEvent *e) {
        return e->mask & FAN_DELETE && e->mask & FAN_ONDIR &&
               handle_is_subvolume(&e->target, &e->name.directory, fs->scopes.mounts[0].fstype);
}

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

static int locate(WatchedFilesystem *fs, LocatedEvent *e) {
        const FanEvent *fan = &e->event.fan;
        int r;

        if (!is_move(fan)) {
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

/* Of a possible victim the number of its names tells. */
static void settle_victim(WatchedFilesystem *fs, const FlightEvent *e, Victim *victim) {
        unsigned n_links = 0;
        LiveObject o;

        if (victim->state != VICTIM_POSSIBLE)
                return;
        if (!victim->is_gone && locator_mount(fs->locator) &&
            live_object_read(locator_mount(fs->locator), &victim->handle,
                             &e->fan.new_name.directory, &o) >= 0)
                n_links = (unsigned)o.status.st_nlink;
        /* A directory has one name, or was destroyed. */
        if (e->fan.mask & FAN_ONDIR && n_links > 0)
                victim->state = VICTIM_NONE;
        else if (victim_is_likely(victim, n_links))
                victim->state = VICTIM_CERTAIN;
}

/*
 * What the rename destroyed that is the oldest event.
 * Return: 0, -EAGAIN wait, errors.
 */
static int find_victim(WatchedFilesystem *fs, const FlightEvent *e, Victim *ret_victim) {
        bool is_final = false;
        int r;

        r = victims_find(fs->victims, e, false, ret_victim);
        if (r != -EAGAIN) {
                settle_victim(fs, e, ret_victim);
                return r < 0 ? r : note_replaced(fs);
        }
        /* The same system call has queued it by now, or does so as soon as it gets a CPU. */
        r = read_on(fs);
        if (r == -ENOBUFS)
                is_final = true;
        else if (r < 0)
                return r;
        else
                is_final = clock_now_nsec(CLOCK_MONOTONIC) >=
                           e->monotonic_nsec + WATCHED_FILESYSTEM_WAIT_NSEC;
        r = victims_find(fs->victims, e, is_final, ret_victim);
        if (r >= 0)
                settle_victim(fs, e, ret_victim);
        return r < 0 ? r : note_replaced(fs);
}

bool watched_filesystem_has_victims(const WatchedFilesystem *fs) {
        return fs->victims != NULL;
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

int watched_filesystem_absorb(WatchedFilesystem *fs) {
        int r = read_on(fs);

        return r == -ENOBUFS ? 0 : r;
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
                r = read_batch(fs);
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
        /* Out of view, it has no place. */
        if (fs->is_asleep)
                return 1;
        r = fs->victims && is_move(&ret_event->event.fan)
                    ? find_victim(fs, &ret_event->event, &ret_event->victim)
                    : 0;
        if (r >= 0)
                r = locate(fs, ret_event);
        if (r < 0) {
                forget_copy(ret_event);
                return r;
        }
        return 1;
}

int watched_filesystem_stat(WatchedFilesystem *fs, const FileHandle *file,
                            struct stat *ret_status) {
        LiveObject o;
        int r = -ESTALE;

        if (locator_mount(fs->locator))
                r = live_object_read(locator_mount(fs->locator), file, &(FileHandle){0}, &o);
        if (r >= 0)
                *ret_status = o.status;
        return r;
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
        if (r == 0 && read_on(fs) >= 0) {
                x.n_seen = 0;
                r = flight_for_each(fs->flight, find_half, &x);
        }
        return r > 0;
}

/* A directory came from where nothing is marked. */
static bool is_return(const FanEvent *e) {
        return (e->mask & FAN_RENAME) && (e->mask & FAN_ONDIR) && e->target.bytes &&
               !e->old_name.directory.bytes;
}

static void apply(WatchedFilesystem *fs, const LocatedEvent *e) {
        const FanEvent *fan = &e->event.fan;

        if (fan->mask & FAN_ONDIR && e->victim.state == VICTIM_CERTAIN) {
                FlightEvent removal =
                        removal_of(e->event.position, e->victim.handle, fan->new_name);

                locator_apply(fs->locator, &removal);
        }
        locator_apply(fs->locator, &e->event);
}

void watched_filesystem_done(WatchedFilesystem *fs, LocatedEvent *e) {
        forget_copy(e);
        follow_mounts(fs, &e->event.fan);
        apply(fs, e);
        if (fs->index && is_return(&e->event.fan))
                /* Without memory what came in it while it was away is not marked. */
                (void)dir_index_return(fs->index, &e->event.fan.target);
        if (fs->victims && is_move(&e->event.fan))
                victims_leave(fs->victims, &e->event);
        deleter_unref(e->deleter);
        flight_pop(fs->flight);
}

uint64_t watched_filesystem_settled_nsec(const WatchedFilesystem *fs) {
        return flight_n_events(fs->flight) == 0 ? flight_empty_nsec(fs->flight) : 0;
}

uint64_t watched_filesystem_take_malformed(WatchedFilesystem *fs) {
        uint64_t n = fs->n_malformed;

        fs->n_malformed = 0;
        return n;
}
