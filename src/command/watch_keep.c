/* SPDX-License-Identifier: MIT */

/*
 * Names in the store, and when an event need not be kept any longer.
 *
 * The sink counts what it was given and what it has accepted.  One mark is under way at a time: how
 * much the sink had been given when each stream had come so far.  When that is accepted, all events
 * before are out.
 */

#include "command/watch_keep.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "capture/fan_group.h"
#include "command/watch_keep_private.h"
#include "command/watch_session_private.h"

#define RUN_NAME "run"
#define RUN_MAGIC "whodunrn"
#define RUN_VERSION 1
#define RUN_BYTES 4096

bool watch_keep_is_there(const WatchSession *s) {
        return s->keep != NULL;
}

void watch_keep_name(dev_t device, uint64_t stream, const char *what,
                     char ret_name[static DESCRIPTOR_STORE_NAME_MAX + 1]) {
        snprintf(ret_name, DESCRIPTOR_STORE_NAME_MAX + 1, "%u.%u-%" PRIu64 ".%s", major(device),
                 minor(device), stream, what);
}

/* All that is left, whoever left it. */
static void drop_all(WatchSession *s) {
        const char *name;

        while ((name = descriptor_store_untaken(s->store)))
                descriptor_store_remove(s->store, name);
}

static int map_run(WatchKeep *k, int fd) {
        struct stat st;

        if (fstat(fd, &st) < 0)
                return -errno;
        if (st.st_size != RUN_BYTES || !(fcntl(fd, F_GET_SEALS) & F_SEAL_SHRINK))
                return -EBADMSG;
        k->run = mmap(NULL, RUN_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
        if (k->run != MAP_FAILED)
                return 0;
        k->run = NULL;
        return -errno;
}

static int check_run(const WatchRun *run) {
        if (memcmp(run->magic, RUN_MAGIC, sizeof(run->magic)) != 0 ||
            strnlen(run->id, sizeof(run->id)) != 32)
                return -EBADMSG;
        return run->version == RUN_VERSION ? 0 : -EPROTO;
}

/* Return: 0, -ENOENT there is none, others it cannot be used. */
static int open_run(WatchSession *s, WatchKeep *k) {
        _cleanup_close_ int fd = descriptor_store_take(s->store, RUN_NAME);
        int r = fd < 0 ? fd : map_run(k, fd);

        return r < 0 ? r : check_run(k->run);
}

static int new_run(WatchSession *s, WatchKeep *k) {
        _cleanup_close_ int fd = -1;
        int r;

        if (k->run)
                munmap(k->run, RUN_BYTES);
        k->run = NULL;
        fd = memfd_create("whodunlink-run", MFD_CLOEXEC | MFD_ALLOW_SEALING);
        if (fd < 0)
                return -errno;
        if (ftruncate(fd, RUN_BYTES) < 0 || fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW) < 0)
                return -errno;
        r = map_run(k, fd);
        if (r < 0)
                return r;
        *k->run = (WatchRun){.version = RUN_VERSION};
        memcpy(k->run->id, s->host.run_id, sizeof(k->run->id));
        memcpy(k->run->magic, RUN_MAGIC, sizeof(k->run->magic));
        return descriptor_store_put(s->store, RUN_NAME, fd);
}

int watch_keep_new(WatchSession *s) {
        WatchKeep *k;
        int r;

        if (!s->store)
                return 0;
        k = calloc(1, sizeof(*k));
        if (!k)
                return -ENOMEM;
        s->keep = k;
        r = open_run(s, k);
        if (r >= 0) {
                memcpy(s->host.run_id, k->run->id, sizeof(s->host.run_id));
                s->n_streams = k->run->n_streams;
                s->is_continued = true;
                return 0;
        }
        if (descriptor_store_untaken(s->store) || r != -ENOENT)
                fprintf(stderr,
                        "whodunlink: what an earlier instance left cannot be used (%s): what it "
                        "had read and not written is lost, as is what was deleted since\n",
                        watch_keep_reason(r));
        descriptor_store_remove(s->store, RUN_NAME);
        drop_all(s);
        r = new_run(s, k);
        if (r < 0)
                fprintf(stderr,
                        "whodunlink: cannot keep events over a restart: %s; what is deleted while "
                        "it is restarted will not be seen\n",
                        strerror(-r));
        if (r < 0) {
                watch_keep_free(k);
                s->keep = NULL;
        }
        return 0;
}

void watch_keep_free(WatchKeep *k) {
        if (!k)
                return;
        if (k->run)
                munmap(k->run, RUN_BYTES);
        process_log_free(k->log);
        free(k->departed);
        free(k);
}

bool watch_keep_parse_name(const char *name, const char *what, dev_t *ret_device,
                           uint64_t *ret_stream) {
        unsigned dev_major, dev_minor;
        int n = 0;

        if (sscanf(name, "%u.%u-%" SCNu64 ".%n", &dev_major, &dev_minor, ret_stream, &n) != 3 ||
            n == 0 || strcmp(name + n, what) != 0)
                return false;
        *ret_device = makedev(dev_major, dev_minor);
        return true;
}

/* Is the group of the filesystem that is there now, and not of one that had its number before? */
static bool fits(const WatchSession *s, const KeptHeader *h, const FanGroup *g,
                 const CoverageFilesystem *f) {
        if (h->device != f->device || h->has_ended || h->features & ~s->options->fan_features)
                return false;
        if (h->has_index)
                return s->options->marking != MARKING_FILESYSTEM &&
                       strcmp(h->fstype, f->mount->fstype) == 0 &&
                       strcmp(h->point, f->mount->point) == 0;
        return s->options->marking != MARKING_DIRECTORIES && fan_group_has_mark(g, f->device) > 0;
}

static void give_names_back(WatchSession *s, dev_t device, uint64_t stream) {
        char name[DESCRIPTOR_STORE_NAME_MAX + 1];

        watch_keep_name(device, stream, "group", name);
        descriptor_store_give_back(s->store, name);
        watch_keep_name(device, stream, "events", name);
        descriptor_store_give_back(s->store, name);
}

static int take(WatchSession *s, dev_t device, uint64_t stream, WatchedKept *ret_kept) {
        _cleanup_close_ int group_fd = -1, events_fd = -1;
        char name[DESCRIPTOR_STORE_NAME_MAX + 1];
        WatchedKept kept = {.stream = stream};
        int r;

        watch_keep_name(device, stream, "group", name);
        group_fd = descriptor_store_take(s->store, name);
        watch_keep_name(device, stream, "events", name);
        events_fd = descriptor_store_take(s->store, name);
        if (group_fd < 0 || events_fd < 0)
                return -ENOENT;
        r = kept_events_open(events_fd, &kept.events);
        if (r < 0)
                return r;
        events_fd = -1;
        r = kept_events_header(kept.events)->stream == stream
                    ? fan_group_adopt(group_fd, kept_events_header(kept.events)->features,
                                      &kept.group)
                    : -EBADMSG;
        if (r < 0) {
                kept_events_free(kept.events);
                return r;
        }
        group_fd = -1;
        *ret_kept = kept;
        return 0;
}

int watch_keep_take(WatchSession *s, dev_t device, uint64_t stream, WatchedKept *ret_kept) {
        int r = take(s, device, stream, ret_kept);

        if (r < 0)
                give_names_back(s, device, stream);
        return r;
}

void watch_keep_forget(WatchSession *s, dev_t device, uint64_t stream) {
        char name[DESCRIPTOR_STORE_NAME_MAX + 1];

        watch_keep_name(device, stream, "group", name);
        descriptor_store_remove(s->store, name);
        watch_keep_name(device, stream, "events", name);
        descriptor_store_remove(s->store, name);
}

/* Of an earlier instance. Return: was there one that fits? */
static bool find_left(WatchSession *s, const CoverageFilesystem *f, WatchedKept *ret_kept) {
        for (size_t i = 0; i < descriptor_store_count(s->store); i++) {
                dev_t device;
                uint64_t stream;

                if (!watch_keep_parse_name(descriptor_store_name(s->store, i), "events", &device,
                                           &stream) ||
                    device != f->device || watch_keep_take(s, device, stream, ret_kept) < 0)
                        continue;
                if (fits(s, kept_events_header(ret_kept->events), ret_kept->group, f))
                        return true;
                /* Too early for a record of what is lost. */
                watched_kept_done(ret_kept);
                give_names_back(s, device, stream);
        }
        return false;
}

int watch_keep_find(WatchSession *s, const CoverageFilesystem *f, WatchedKept *ret_kept) {
        *ret_kept = (WatchedKept){0};
        if (!s->keep)
                return 0;
        /* Only what was there at the start can be of an earlier instance. */
        if (!s->is_started && find_left(s, f, ret_kept))
                return 1;
        *ret_kept = (WatchedKept){.stream = ++s->n_streams};
        s->keep->run->n_streams = s->n_streams;
        return 1;
}

void watch_keep_add(WatchSession *s, WatchedFilesystem *fs) {
        KeptEvents *events = watched_filesystem_kept(fs);
        const dev_t device = watched_filesystem_device(fs);
        char name[DESCRIPTOR_STORE_NAME_MAX + 1];
        int r;

        if (!s->keep || !events)
                return;
        watch_keep_name(device, watched_filesystem_stream(fs), "events", name);
        r = descriptor_store_put(s->store, name, kept_events_fd(events));
        if (r >= 0) {
                watch_keep_name(device, watched_filesystem_stream(fs), "group", name);
                r = descriptor_store_put(s->store, name,
                                         fan_group_fd(watched_filesystem_group(fs)));
        }
        if (r < 0 && r != -EEXIST)
                fprintf(stderr,
                        "whodunlink: cannot have the service manager keep %s: %s; what is deleted "
                        "there while whodunlink is restarted will not be seen\n",
                        watched_filesystem_mount(fs)->point, strerror(-r));
}

void watch_keep_remove(WatchSession *s, WatchedFilesystem *fs) {
        WatchDeparted *departed, gone;

        if (!s->keep || !watched_filesystem_kept(fs))
                return;
        gone = (WatchDeparted){
                .device = watched_filesystem_device(fs),
                .stream = watched_filesystem_stream(fs),
                .n_put = record_sink_n_put(s->sink),
        };
        departed = reallocarray(s->keep->departed, s->keep->n_departed + 1, sizeof(*departed));
        if (!departed) {
                watch_keep_forget(s, gone.device, gone.stream);
                return;
        }
        s->keep->departed = departed;
        departed[s->keep->n_departed++] = gone;
}

static void forget_departed(WatchSession *s, uint64_t accepted) {
        WatchKeep *k = s->keep;

        for (size_t i = k->n_departed; i-- > 0;) {
                if (k->departed[i].n_put > accepted)
                        continue;
                watch_keep_forget(s, k->departed[i].device, k->departed[i].stream);
                k->departed[i] = k->departed[--k->n_departed];
        }
}

static void set_mark(WatchSession *s) {
        s->keep->mark = record_sink_n_put(s->sink);
        for (size_t i = 0; i < s->n_filesystems; i++)
                watched_filesystem_mark(s->filesystems[i]);
}

void watch_keep_advance(WatchSession *s) {
        const uint64_t accepted = s->keep ? record_sink_n_accepted(s->sink) : 0;

        if (!s->keep)
                return;
        forget_departed(s, accepted);
        if (s->keep->mark > accepted)
                return;
        for (size_t i = 0; i < s->n_filesystems && s->keep->mark > 0; i++)
                watched_filesystem_done_to_mark(s->filesystems[i]);
        set_mark(s);
        if (s->keep->mark <= accepted)
                for (size_t i = 0; i < s->n_filesystems; i++)
                        watched_filesystem_done_to_mark(s->filesystems[i]);
}

size_t watch_keep_n_bytes(const WatchSession *s) {
        size_t n = 0;

        for (size_t i = 0; i < s->n_filesystems && s->keep; i++)
                n += kept_events_n_used(watched_filesystem_kept(s->filesystems[i]));
        return n;
}
