/* SPDX-License-Identifier: MIT */

/*
 * A ring in a memfd.
 *
 * The process may end between any two instructions; what it stored until then is there.  So a
 * pointer to something is stored after it, and taken away before it is wiped; a compiler barrier
 * keeps that order.
 *
 * Wiping: what is done is zeroed in larger pieces, by giving the pages back where that is cheaper.
 */

#include "capture/kept_events.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"

/* Wiped together; below it, only when the ring is empty. */
#define WIPE_BYTES (1024 * 1024)
/* Beyond this, pages are given back. */
#define PUNCH_BYTES (256 * 1024)

struct KeptEvents {
        int fd;
        uint8_t *map;
        size_t n_map;
        KeptHeader *header;
        uint8_t *ring;
        size_t n_ring;
        uint64_t tail;       /* oldest entry, or .head */
        uint64_t wiped_tail; /* from .head up to here, all round, all is zeros */
        uint64_t head;       /* where the next entry goes */
        uint64_t reading;    /* the entry of a read that is under way; KEPT_EVENTS_NONE */
        uint64_t replay_at;  /* of kept_events_next(); KEPT_EVENTS_NONE all seen */
};

/* Stores before it are made before those behind it, as far as this process is concerned. */
static void barrier(void) {
        atomic_signal_fence(memory_order_seq_cst);
}

static void wipe(KeptEvents *k, uint64_t from, uint64_t to) {
        const uint64_t page = 4096;
        uint64_t first = (from + page - 1) / page * page, end = to / page * page;

        if (to - from < PUNCH_BYTES || first >= end ||
            fallocate(k->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
                      (off_t)(KEPT_EVENTS_HEADER_BYTES + first), (off_t)(end - first)) < 0) {
                memset(k->ring + from, 0, to - from);
                return;
        }
        memset(k->ring + from, 0, first - from);
        memset(k->ring + end, 0, to - end);
}

static void wipe_round(KeptEvents *k, uint64_t from, uint64_t to) {
        if (from <= to) {
                wipe(k, from, to);
        } else {
                wipe(k, from, k->n_ring);
                wipe(k, 0, to);
        }
}

static uint64_t distance(const KeptEvents *k, uint64_t from, uint64_t to) {
        return from <= to ? to - from : k->n_ring - from + to;
}

size_t kept_events_n_used(const KeptEvents *k) {
        return distance(k, k->tail, k->head);
}

/* Nothing is kept any more: the next one begins in front, where the pages are warm. */
static void reset(KeptEvents *k) {
        k->header->first = KEPT_EVENTS_NONE;
        barrier();
        wipe_round(k, k->wiped_tail, k->head);
        k->tail = k->wiped_tail = k->head = 0;
}

static int map(int fd, size_t n_bytes, KeptEvents **ret_events) {
        KeptEvents *k = calloc(1, sizeof(*k));

        if (!k)
                return -ENOMEM;
        k->map = mmap(NULL, n_bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
        if (k->map == MAP_FAILED) {
                int r = -errno;

                free(k);
                return r;
        }
        k->fd = fd;
        k->n_map = n_bytes;
        k->header = (KeptHeader *)(void *)k->map;
        k->ring = k->map + KEPT_EVENTS_HEADER_BYTES;
        k->n_ring = n_bytes - KEPT_EVENTS_HEADER_BYTES;
        k->reading = k->replay_at = KEPT_EVENTS_NONE;
        *ret_events = k;
        return 0;
}

int kept_events_new(const KeptStream *stream, KeptEvents **ret_events) {
        const size_t n_bytes = KEPT_EVENTS_HEADER_BYTES + KEPT_EVENTS_RING_BYTES;
        KeptEvents *k;
        int fd, r;

        fd = memfd_create("whodunlink-events", MFD_CLOEXEC | MFD_ALLOW_SEALING);
        if (fd < 0)
                return -errno;
        r = ftruncate(fd, (off_t)n_bytes) < 0 ? -errno : 0;
        if (r == 0 && fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW) < 0)
                r = -errno;
        if (r == 0)
                r = map(fd, n_bytes, &k);
        if (r < 0) {
                close(fd);
                return r;
        }
        *k->header = (KeptHeader){
                .version = KEPT_EVENTS_VERSION,
                .n_header_bytes = KEPT_EVENTS_HEADER_BYTES,
                .n_ring_bytes = k->n_ring,
                .stream = stream->stream,
                .device = stream->device,
                .features = stream->features,
                .has_index = stream->has_index,
                .first = KEPT_EVENTS_NONE,
        };
        snprintf(k->header->point, sizeof(k->header->point), "%s", stream->point);
        snprintf(k->header->fstype, sizeof(k->header->fstype), "%s", stream->fstype);
        barrier();
        memcpy(k->header->magic, KEPT_EVENTS_MAGIC, sizeof(k->header->magic));
        *ret_events = k;
        return 0;
}

/* The last entry, whose read perhaps did not return to say how much it was. */
static void finish_last(KeptEvents *k, uint64_t last) {
        const uint8_t *bytes;
        uint64_t at = last;
        KeptEntry entry, raw;
        size_t n_bytes, n_events;

        if (kept_events_parse_entry(k->ring, k->n_ring, &at, &entry, &bytes) <= 0)
                return;
        last = at - kept_align(entry.n_bytes) - KEPT_ENTRY_BYTES; /* behind a wrap */
        n_events = kept_events_count(bytes, entry.n_bytes, &n_bytes);
        k->header->next_position = entry.first_position + n_events;
        memcpy(&raw, k->ring + last, sizeof(raw));
        if (raw.n_bytes == 0) {
                /* It had happened by then; more is not known. */
                entry.monotonic_nsec = clock_now_nsec(CLOCK_MONOTONIC);
                if (entry.n_bytes == 0)
                        at = last;
                memcpy(k->ring + last, &entry, sizeof(entry));
                if (entry.n_bytes == 0)
                        memset(k->ring + last, 0, sizeof(entry));
        }
        k->head = at;
}

/* Finds the end of what is there. Return: 0, -EBADMSG. */
static int find_end(KeptEvents *k) {
        uint64_t at = k->header->first, last = KEPT_EVENTS_NONE, before;
        size_t n_seen = 0;
        const uint8_t *bytes;
        KeptEntry entry;
        int r;

        if (at == KEPT_EVENTS_NONE) {
                /* Whoever ended while wiping did not come to the end of it. */
                wipe(k, 0, k->n_ring);
                return 0;
        }
        k->tail = k->wiped_tail = at;
        while (before = at,
               (r = kept_events_parse_entry(k->ring, k->n_ring, &at, &entry, &bytes)) > 0) {
                /* All round: it bites its own tail. */
                n_seen += KEPT_ENTRY_BYTES + kept_align(entry.n_bytes);
                if (n_seen >= k->n_ring)
                        return -EBADMSG;
                last = before;
        }
        if (r < 0)
                return r;
        k->head = at;
        if (last != KEPT_EVENTS_NONE)
                finish_last(k, last);
        if (k->head == k->tail) {
                reset(k);
                wipe(k, 0, k->n_ring);
                return 0;
        }
        wipe_round(k, k->head, k->tail);
        k->replay_at = k->tail;
        return 0;
}

int kept_events_open(int fd, KeptEvents **ret_events) {
        struct stat st;
        KeptHeader header;
        KeptEvents *k;
        int r, seals;

        seals = fcntl(fd, F_GET_SEALS);
        if (seals < 0 || !(seals & F_SEAL_SHRINK))
                return -EPERM;
        if (fstat(fd, &st) < 0)
                return -errno;
        if (st.st_size <= KEPT_EVENTS_HEADER_BYTES)
                return -EBADMSG;
        r = map(fd, (size_t)st.st_size, &k);
        if (r < 0)
                return r;
        r = kept_events_parse(k->map, k->n_map, &header);
        if (r >= 0)
                r = find_end(k);
        if (r < 0) {
                k->fd = -1;
                kept_events_free(k);
                return r;
        }
        *ret_events = k;
        return 0;
}

KeptEvents *kept_events_free(KeptEvents *k) {
        if (k) {
                munmap(k->map, k->n_map);
                cleanup_close(&k->fd);
                free(k);
        }
        return NULL;
}

int kept_events_fd(const KeptEvents *k) {
        return k->fd;
}

const KeptHeader *kept_events_header(const KeptEvents *k) {
        return k->header;
}

uint64_t kept_events_position(const KeptEvents *k) {
        return k->replay_at == KEPT_EVENTS_NONE ? k->header->next_position
                                                : k->header->done_position;
}

int kept_events_next(KeptEvents *k, KeptEntry *ret_entry, const uint8_t **ret_bytes) {
        int r;

        if (k->replay_at == KEPT_EVENTS_NONE)
                return 0;
        r = kept_events_parse_entry(k->ring, k->n_ring, &k->replay_at, ret_entry, ret_bytes);
        if (r > 0)
                return 1;
        k->replay_at = KEPT_EVENTS_NONE;
        return 0;
}

/* Is there a gap of zeros for an entry, and one byte, from here on? */
static bool has_room(const KeptEvents *k, size_t n_bytes) {
        if (k->head >= k->wiped_tail)
                return k->n_ring - k->head >= n_bytes;
        return k->wiped_tail - k->head > n_bytes;
}

uint8_t *kept_events_begin(KeptEvents *k, size_t n_room, KeptEntry before) {
        /* An entry behind it, which may be the one that says to go on in front. */
        const size_t n_needed = KEPT_ENTRY_BYTES + kept_align(n_room) + KEPT_ENTRY_BYTES;

        assert(k->reading == KEPT_EVENTS_NONE && k->replay_at == KEPT_EVENTS_NONE);
        if (!has_room(k, n_needed)) {
                if (k->head < k->wiped_tail || k->wiped_tail <= n_needed)
                        return NULL;
                memcpy(k->ring + k->head, &(KeptEntry){.magic = KEPT_ENTRY_WRAP}, KEPT_ENTRY_BYTES);
                barrier();
                k->head = 0;
        }
        before.magic = KEPT_ENTRY_MAGIC;
        before.n_bytes = 0;
        before.first_position = k->header->next_position;
        memcpy(k->ring + k->head, &before, sizeof(before));
        barrier();
        if (k->header->first == KEPT_EVENTS_NONE) {
                k->tail = k->wiped_tail = k->head;
                k->header->first = k->head;
        }
        k->reading = k->head;
        return k->ring + k->head + KEPT_ENTRY_BYTES;
}

void kept_events_commit(KeptEvents *k, KeptEntry *entry, size_t n_events) {
        entry->magic = KEPT_ENTRY_MAGIC;
        entry->first_position = k->header->next_position;
        memcpy(k->ring + k->reading, entry, sizeof(*entry));
        barrier();
        k->header->next_position = entry->first_position + n_events;
        k->head = k->reading + KEPT_ENTRY_BYTES + kept_align(entry->n_bytes);
        k->reading = KEPT_EVENTS_NONE;
}

void kept_events_cancel(KeptEvents *k) {
        if (k->header->first == k->reading)
                k->header->first = KEPT_EVENTS_NONE;
        barrier();
        memset(k->ring + k->reading, 0, KEPT_ENTRY_BYTES);
        k->reading = KEPT_EVENTS_NONE;
}

/* Where the oldest entry begins that holds an event from a position on. */
static uint64_t find_position(const KeptEvents *k, uint64_t position) {
        uint64_t at = k->tail;
        const uint8_t *bytes;
        KeptEntry entry;

        for (;;) {
                uint64_t behind = at, next;

                if (kept_events_parse_entry(k->ring, k->n_ring, &behind, &entry, &bytes) <= 0)
                        return at;
                next = behind;
                if (kept_events_parse_entry(k->ring, k->n_ring, &next, &entry, &bytes) <= 0 ||
                    entry.first_position > position)
                        return at;
                at = behind;
        }
}

void kept_events_done(KeptEvents *k, uint64_t position) {
        assert(k->reading == KEPT_EVENTS_NONE);
        if (position > k->header->done_position)
                k->header->done_position = position;
        barrier();
        if (k->header->first == KEPT_EVENTS_NONE || k->replay_at != KEPT_EVENTS_NONE)
                return;
        if (position >= k->header->next_position) {
                reset(k);
                return;
        }
        k->tail = find_position(k, position);
        k->header->first = k->tail;
        barrier();
        if (distance(k, k->wiped_tail, k->tail) >= WIPE_BYTES) {
                wipe_round(k, k->wiped_tail, k->tail);
                k->wiped_tail = k->tail;
        }
}

void kept_events_set_ended(KeptEvents *k, bool has_ended) {
        k->header->has_ended = has_ended;
}
