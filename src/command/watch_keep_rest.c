/* SPDX-License-Identifier: MIT */

/* What an earlier instance left of filesystems that are not watched any more. */

#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "capture/fan_event.h"
#include "capture/fan_group.h"
#include "command/watch_keep_private.h"
#include "command/watch_session_private.h"

#define READ_BYTES 65536

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

/* The kernel's queue is lost, and how much was in it: there was no room for its group. */
static int tell_lost_group(WatchSession *s, const KeptHeader *h) {
        char message[sizeof(h->point) + 256];

        s->counters.n_losses++;
        snprintf(message, sizeof(message),
                 "the queue of %s (%s) was not kept while whodunlink was started anew: what was "
                 "deleted meanwhile is lost; raise FileDescriptorStoreMax= of the service",
                 h->point, h->fstype);
        return watch_session_put_news(
                s, &(Record){.action = RECORD_LOSS,
                             .message = message,
                             .loss = {.where = "file events", .filesystem = h->point}});
}

/* Events whose group is not there. */
static int give_up_events(WatchSession *s, dev_t device, uint64_t stream) {
        char name[DESCRIPTOR_STORE_NAME_MAX + 1];
        _cleanup_close_ int fd = -1;
        KeptEvents *events;
        int r = 0;

        watch_keep_name(device, stream, "events", name);
        descriptor_store_give_back(s->store, name);
        fd = descriptor_store_take(s->store, name);
        if (fd >= 0 && kept_events_open(fd, &events) >= 0) {
                fd = -1;
                if (!kept_events_header(events)->has_ended)
                        r = tell_lost_group(s, kept_events_header(events));
                kept_events_free(events);
        }
        return r;
}

/* Nobody asks for it: what it held is counted, and told. */
static int give_up(WatchSession *s, dev_t device, uint64_t stream) {
        WatchedKept kept;
        int r = watch_keep_take(s, device, stream, &kept);

        if (r < 0) {
                r = give_up_events(s, device, stream);
        } else {
                uint64_t n = count_lost(&kept);

                fan_group_unmark_all(kept.group);
                if (n > 0)
                        r = tell_lost(s, kept_events_header(kept.events), n);
                watched_kept_done(&kept);
        }
        watch_keep_forget(s, device, stream);
        return r;
}

int watch_keep_tell_rest(WatchSession *s) {
        const char *name;
        int r = 0;

        if (!s->keep)
                return 0;
        r = watch_keep_tell_processes(s);
        while (r >= 0 && (name = descriptor_store_untaken(s->store))) {
                uint64_t stream;
                dev_t device;

                if (watch_keep_parse_name(name, "events", &device, &stream) ||
                    watch_keep_parse_name(name, "group", &device, &stream))
                        r = give_up(s, device, stream);
                else
                        descriptor_store_remove(s->store, name);
        }
        return r;
}
