/* SPDX-License-Identifier: MIT */

/*
 * A queue of chunks, each the outcome of one read(2), oldest first.
 *
 * Consumed chunks are reused: in the steady state one chunk goes round and nothing is allocated.
 * The attachment of each event stands beside its bytes, since bytes that a second reader may
 * one day find in a memfd must hold nothing of ours.
 */

#include "capture/flight.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "capture/pidfd_budget.h"

/* The smallest event is bare metadata. */
#define CHUNK_MAX_EVENTS (FLIGHT_CHUNK_BYTES / sizeof(struct fanotify_event_metadata))

typedef struct FlightChunk {
        struct FlightChunk *next;
        uint64_t realtime_nsec, monotonic_nsec, empty_monotonic_nsec;
        uint64_t first_position;
        size_t n_events; /* decoded so far */
        size_t i_head;   /* popped so far */
        size_t n_bytes;
        FanEventIter read_iter; /* of flight_next_read() */
        FanEventIter head_iter; /* of flight_peek(): at the head */
        FanEventIter next_iter; /* … and behind it */
        void *attachments[CHUNK_MAX_EVENTS];
        int pidfds[CHUNK_MAX_EVENTS];
        size_t n_pidfds;
        _Alignas(8) uint8_t bytes[FLIGHT_CHUNK_BYTES];
} FlightChunk;

struct Flight {
        FlightChunk *head, *tail; /* tail is the last read */
        FlightChunk *spare;       /* one consumed chunk, kept for the next read */
        size_t n_chunks;
        size_t n_events;
        uint64_t n_positions;
        uint64_t empty_monotonic_nsec;
        bool is_drained;
        bool has_few_pidfds;
};

int flight_new(bool has_few_pidfds, Flight **ret_flight) {
        Flight *f = calloc(1, sizeof(*f));

        if (!f)
                return -ENOMEM;
        f->has_few_pidfds = has_few_pidfds;
        *ret_flight = f;
        return 0;
}

Flight *flight_free(Flight *f) {
        if (!f)
                return NULL;
        assert(f->n_events == 0);
        while (f->head) {
                FlightChunk *c = f->head;

                f->head = c->next;
                free(c);
        }
        free(f->spare);
        free(f);
        return NULL;
}

static FlightChunk *flight_take_chunk(Flight *f) {
        FlightChunk *c = f->spare;

        if (c)
                f->spare = NULL;
        else
                c = malloc(sizeof(*c));
        return c;
}

static void flight_drop_chunk(Flight *f, FlightChunk *c) {
        if (f->spare)
                free(c);
        else
                f->spare = c;
}

static void flight_append_chunk(Flight *f, FlightChunk *c) {
        c->next = NULL;
        if (f->tail)
                f->tail->next = c;
        else
                f->head = c;
        f->tail = c;
        f->n_chunks++;
}

/* Chunks whose events have all left, but never the one that is still being decoded. */
static void flight_collect(Flight *f) {
        while (f->head && f->head->i_head == f->head->n_events && f->head->read_iter.n_left == 0) {
                FlightChunk *c = f->head;

                f->head = c->next;
                if (!f->head)
                        f->tail = NULL;
                f->n_chunks--;
                flight_drop_chunk(f, c);
        }
}

static ssize_t read_chunk(const Flight *f, int fd, FlightChunk *c, uint64_t now) {
        bool is_close = now - f->empty_monotonic_nsec < FLIGHT_PIDFDS_FEW_NSEC;
        PidfdBudget budget = {0};
        ssize_t n;

        if (f->has_few_pidfds && is_close)
                budget = pidfd_budget_enter(FLIGHT_PIDFDS_FEW);
        do
                n = read(fd, c->bytes, sizeof(c->bytes));
        while (n < 0 && errno == EINTR);
        if (n < 0)
                n = -errno;
        pidfd_budget_leave(&budget);
        return n;
}

int flight_read(Flight *f, int fd) {
        FlightChunk *c;
        uint64_t before;
        ssize_t n;

        if (f->n_chunks >= FLIGHT_MAX_CHUNKS)
                return -ENOBUFS;
        flight_collect(f);
        c = flight_take_chunk(f);
        if (!c)
                return -ENOMEM;

        before = clock_now_nsec(CLOCK_MONOTONIC);
        n = read_chunk(f, fd, c, before);
        if (n <= 0) {
                int r = n == -EAGAIN ? 0 : (int)n;

                flight_drop_chunk(f, c);
                if (r == 0) {
                        f->is_drained = true;
                        f->empty_monotonic_nsec = before;
                }
                return r;
        }

        c->realtime_nsec = clock_now_nsec(CLOCK_REALTIME);
        c->monotonic_nsec = clock_now_nsec(CLOCK_MONOTONIC);
        c->empty_monotonic_nsec = f->empty_monotonic_nsec;
        c->first_position = f->n_positions;
        c->n_events = c->i_head = c->n_pidfds = 0;
        c->n_bytes = (size_t)n;
        fan_event_iter_init(&c->read_iter, c->bytes, c->n_bytes);
        fan_event_iter_init(&c->next_iter, c->bytes, c->n_bytes);
        flight_append_chunk(f, c);

        f->is_drained = sizeof(c->bytes) - c->n_bytes >= FLIGHT_EVENT_MAX_BYTES;
        if (f->is_drained)
                f->empty_monotonic_nsec = before;
        return (int)n;
}

bool flight_is_drained(const Flight *f) {
        return f->is_drained;
}

uint64_t flight_empty_nsec(const Flight *f) {
        return f->empty_monotonic_nsec;
}

static void flight_describe(const FlightChunk *c, size_t i, FlightEvent *e) {
        e->position = c->first_position + i;
        e->realtime_nsec = c->realtime_nsec;
        e->monotonic_nsec = c->monotonic_nsec;
        e->empty_monotonic_nsec = c->empty_monotonic_nsec;
        e->attachment = c->attachments[i];
}

int flight_next_read(Flight *f, FlightEvent *ret_event) {
        FlightChunk *c = f->tail;
        FanEvent event = {.pidfd = -1, .fd = -1};
        int r;

        if (!c)
                return 0;
        r = fan_event_next(&c->read_iter, &event);
        if (r != 0) {
                if (event.pidfd >= 0)
                        c->pidfds[c->n_pidfds++] = event.pidfd;
                if (event.fd >= 0)
                        close(event.fd);
        }
        if (r < 0)
                c->read_iter.n_left = 0;
        if (r <= 0)
                return r;

        c->attachments[c->n_events] = NULL;
        ret_event->fan = event;
        flight_describe(c, c->n_events, ret_event);
        c->n_events++;
        f->n_events++;
        f->n_positions++;
        return 1;
}

void flight_attach(Flight *f, void *attachment) {
        FlightChunk *c = f->tail;

        assert(c && c->n_events > 0);
        c->attachments[c->n_events - 1] = attachment;
}

void flight_close_pidfds(Flight *f) {
        FlightChunk *c = f->tail;

        if (!c)
                return;
        for (size_t i = 0; i < c->n_pidfds; i++)
                close(c->pidfds[i]);
        c->n_pidfds = 0;
}

int flight_peek(Flight *f, FlightEvent *ret_event) {
        FlightChunk *c;
        int r;

        flight_collect(f);
        c = f->head;
        if (!c || c->i_head == c->n_events)
                return 0;

        c->head_iter = c->next_iter;
        r = fan_event_next(&c->head_iter, &ret_event->fan);
        assert(r == 1); /* it decoded once already */
        /* Long closed; only flight_next_read() hands out descriptors. */
        ret_event->fan.pidfd = ret_event->fan.fd = -1;
        flight_describe(c, c->i_head, ret_event);
        return 1;
}

void flight_pop(Flight *f) {
        FlightChunk *c = f->head;

        assert(c && c->i_head < c->n_events);
        c->next_iter = c->head_iter;
        c->i_head++;
        f->n_events--;
}

size_t flight_n_events(const Flight *f) {
        return f->n_events;
}
