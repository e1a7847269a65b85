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
#include "capture/fan_event.h"
#include "capture/fan_group.h"
#include "command/watch_session_private.h"
#include "command/watched_filesystem_events.h"

#define RUN_NAME "run"
#define PROCESSES_NAME "processes"
#define EVENTS_NAME "process-events"
#define EXITS_NAME "exits"
#define RUN_MAGIC "whodunrn"
#define RUN_VERSION 1
#define RUN_BYTES 4096
#define READ_BYTES 65536

typedef struct Run {
        char magic[8];
        uint32_t version;
        uint32_t reserved;
        uint64_t n_streams;
        char id[40];
} Run;

struct WatchKeep {
        Run *run;
        ProcessLog *log; /* NULL: not kept */
        uint64_t mark;   /* what the sink had been given at the mark that is under way; 0 none */
};

static const char *reason(int error) {
        return error == -EPROTO ? "it was another version" : strerror(-error);
}

bool watch_keep_is_there(const WatchSession *s) {
        return s->keep != NULL;
}

static void name_of(dev_t device, uint64_t stream, const char *what,
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

static int check_run(const Run *run) {
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
        *k->run = (Run){.version = RUN_VERSION};
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
                        reason(r));
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
        free(k);
}

/* Return: 0, -ENOENT there was none, others: it cannot be used. */
static int open_log(WatchSession *s) {
        _cleanup_close_ int fd = descriptor_store_take(s->store, PROCESSES_NAME);
        int r = fd < 0 ? fd : process_log_open(fd, &s->keep->log);

        if (r >= 0)
                fd = -1;
        return r;
}

static int new_log(WatchSession *s) {
        int r;

        /* Sockets without what was known before are of no use. */
        descriptor_store_remove(s->store, PROCESSES_NAME);
        descriptor_store_remove(s->store, EVENTS_NAME);
        descriptor_store_remove(s->store, EXITS_NAME);
        r = process_log_new(&s->keep->log);
        if (r >= 0)
                r = descriptor_store_put(s->store, PROCESSES_NAME, process_log_fd(s->keep->log));
        if (r < 0)
                s->keep->log = process_log_free(s->keep->log);
        return r;
}

static void say_lost_processes(WatchSession *s, int error) {
        if (!s->is_continued)
                return;
        s->is_process_lost = true;
        fprintf(stderr,
                "whodunlink: what an earlier instance knew of processes cannot be used (%s): "
                "deletions by those that have ended by now are told without a name\n",
                reason(error));
}

int watch_keep_processes(WatchSession *s, WitnessKept *ret_kept) {
        int r;

        *ret_kept = (WitnessKept){.events_fd = -1, .exits_fd = -1};
        if (!s->keep)
                return 0;
        r = open_log(s);
        if (r < 0) {
                say_lost_processes(s, r);
                r = new_log(s);
        }
        if (r < 0) {
                fprintf(stderr,
                        "whodunlink: cannot keep what is known of processes over a restart: %s\n",
                        strerror(-r));
                return 0;
        }
        ret_kept->log = s->keep->log;
        r = descriptor_store_take(s->store, EVENTS_NAME);
        if (r >= 0)
                ret_kept->events_fd = r;
        r = descriptor_store_take(s->store, EXITS_NAME);
        if (r >= 0)
                ret_kept->exits_fd = r;
        return 1;
}

void watch_keep_witness(WatchSession *s) {
        int fd;

        if (!s->keep || !s->keep->log || !s->witness)
                return;
        (void)descriptor_store_put(s->store, EVENTS_NAME, witness_events_fd(s->witness));
        fd = witness_exits_fd(s->witness);
        if (fd >= 0)
                (void)descriptor_store_put(s->store, EXITS_NAME, fd);
}

/* A name of this module's. Return: is it one, of what is kept of events? */
static bool parse_name(const char *name, const char *what, dev_t *ret_device,
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

/* Return: 0, a negative errno; then nothing is taken. */
static int take(WatchSession *s, dev_t device, uint64_t stream, WatchedKept *ret_kept) {
        _cleanup_close_ int group_fd = -1, events_fd = -1;
        char name[DESCRIPTOR_STORE_NAME_MAX + 1];
        WatchedKept kept = {.stream = stream};
        int r;

        name_of(device, stream, "group", name);
        group_fd = descriptor_store_take(s->store, name);
        name_of(device, stream, "events", name);
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

static void forget(WatchSession *s, dev_t device, uint64_t stream) {
        char name[DESCRIPTOR_STORE_NAME_MAX + 1];

        name_of(device, stream, "group", name);
        descriptor_store_remove(s->store, name);
        name_of(device, stream, "events", name);
        descriptor_store_remove(s->store, name);
}

/* Events that tell of something that vanished, in some bytes. */
static uint64_t count_deletions(const uint8_t *bytes, size_t n_bytes, uint64_t position,
                                uint64_t done_position, bool has_descriptors) {
        FanEventIter it;
        FanEvent e;
        uint64_t n = 0;

        fan_event_iter_init(&it, bytes, n_bytes);
        while (fan_event_next(&it, &e) > 0) {
                if (has_descriptors && e.pidfd >= 0)
                        close(e.pidfd);
                n += position >= done_position &&
                     e.mask & (FAN_DELETE | FAN_RENAME | FAN_MOVED_FROM);
                position++;
        }
        return n;
}

static uint64_t count_lost(const WatchedKept *kept) {
        static _Alignas(8) uint8_t bytes[READ_BYTES];
        const KeptHeader *h = kept_events_header(kept->events);
        const uint8_t *kept_bytes;
        KeptEntry entry;
        uint64_t n = 0;
        ssize_t n_read;

        if (h->has_ended)
                return 0;
        while (kept_events_next(kept->events, &entry, &kept_bytes) > 0)
                n += count_deletions(kept_bytes, entry.n_bytes, entry.first_position,
                                     h->done_position, false);
        while ((n_read = read(fan_group_fd(kept->group), bytes, sizeof(bytes))) > 0)
                n += count_deletions(bytes, (size_t)n_read, UINT64_MAX, 0, true);
        return n;
}

static int tell_lost(WatchSession *s, const KeptHeader *h, uint64_t n) {
        char message[sizeof(h->point) + 256];

        s->counters.n_losses++;
        snprintf(message, sizeof(message),
                 "%s (%s) is not watched any more since whodunlink was started anew: %" PRIu64
                 " deletions and moves there that had not been told have lost their places",
                 h->point, h->fstype, n);
        return watch_session_put_news(
                s, &(Record){.action = RECORD_LOSS,
                             .message = message,
                             .loss = {.where = "file events", .count = n, .filesystem = h->point}});
}

/* Nobody asks for it: what it held is counted, and told when there are records. */
static int give_up(WatchSession *s, dev_t device, uint64_t stream, WatchedKept *kept) {
        uint64_t n = count_lost(kept);
        int r = 0;

        fan_group_unmark_all(kept->group);
        if (n > 0)
                r = tell_lost(s, kept_events_header(kept->events), n);
        watched_kept_done(kept);
        forget(s, device, stream);
        return r;
}

static void give_back(WatchSession *s, dev_t device, uint64_t stream, WatchedKept *kept) {
        char name[DESCRIPTOR_STORE_NAME_MAX + 1];

        watched_kept_done(kept);
        name_of(device, stream, "group", name);
        descriptor_store_give_back(s->store, name);
        name_of(device, stream, "events", name);
        descriptor_store_give_back(s->store, name);
}

/* Of an earlier instance. Return: was there one that fits? */
static bool find_left(WatchSession *s, const CoverageFilesystem *f, WatchedKept *ret_kept) {
        for (size_t i = 0; i < descriptor_store_count(s->store); i++) {
                dev_t device;
                uint64_t stream;

                if (!parse_name(descriptor_store_name(s->store, i), "events", &device, &stream) ||
                    device != f->device || take(s, device, stream, ret_kept) < 0)
                        continue;
                if (fits(s, kept_events_header(ret_kept->events), ret_kept->group, f))
                        return true;
                /* Too early for a record of what is lost. */
                give_back(s, device, stream, ret_kept);
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
        name_of(device, watched_filesystem_stream(fs), "events", name);
        r = descriptor_store_put(s->store, name, kept_events_fd(events));
        if (r >= 0) {
                name_of(device, watched_filesystem_stream(fs), "group", name);
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
        if (s->keep && watched_filesystem_kept(fs))
                forget(s, watched_filesystem_device(fs), watched_filesystem_stream(fs));
}

/* Its events may be there, too, or not. */
static int give_up_group(WatchSession *s, dev_t device, uint64_t stream) {
        WatchedKept kept;

        if (take(s, device, stream, &kept) >= 0)
                return give_up(s, device, stream, &kept);
        forget(s, device, stream);
        return 0;
}

static int tell_lost_processes(WatchSession *s) {
        s->counters.n_losses++;
        return watch_session_put_news(
                s, &(Record){.action = RECORD_LOSS,
                             .message = "what was known of processes was lost when whodunlink was "
                                        "started anew: deletions by those that had ended by then "
                                        "have no names",
                             .loss = {.where = "processes"}});
}

int watch_keep_tell_rest(WatchSession *s) {
        const char *name;
        int r = 0;

        if (!s->keep)
                return 0;
        if (s->is_process_lost)
                r = tell_lost_processes(s);
        while (r >= 0 && (name = descriptor_store_untaken(s->store))) {
                WatchedKept kept;
                uint64_t stream;
                dev_t device;

                if (parse_name(name, "events", &device, &stream) &&
                    take(s, device, stream, &kept) >= 0)
                        r = give_up(s, device, stream, &kept);
                else if (parse_name(name, "group", &device, &stream))
                        /* In the order of the store it comes before what is kept of it. */
                        r = give_up_group(s, device, stream);
                else
                        descriptor_store_remove(s->store, name);
        }
        return r;
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
