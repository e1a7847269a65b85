/* SPDX-License-Identifier: MIT */

/*
 * A queue of chunks, each the outcome of one read(2), oldest first.
 *
 * What is read goes into a scratch chunk with room for the largest read.  While nothing else is in
 * flight that chunk itself is queued, and comes back when it is consumed: in the steady state one
 * chunk goes round and nothing is allocated or copied.  Behind others a read keeps only what it
 * filled: of a reader that stalls while files go one by one, each read brings one event, and room
 * for a full one behind each would use up the bound after some thousand of them.  A chunk gets its
 * final address before its first event is handed out, since those borrow from it.
 *
 * With a memfd (kept_events.h) the kernel writes into that, and a chunk is only what stands beside
 * the bytes: attachments and notes.
 */

#include "capture/flight.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "capture/pidfd_budget.h"

/* The smallest event is bare metadata. */
#define CHUNK_MAX_EVENTS (FLIGHT_CHUNK_BYTES / sizeof(struct fanotify_event_metadata))
/* Up to here copying a read is cheaper than a new scratch chunk for the next one. */
#define COPY_MAX_BYTES (FLIGHT_CHUNK_BYTES / 4)
/* Notes of an event. */
#define NOTE_GONE 1U
#define NOTE_DROPPED 2U
/* What malloc(3) keeps of its own with each chunk, about. */
#define MALLOC_HEAD_BYTES 16

typedef struct FlightChunk {
        struct FlightChunk *next;
        uint64_t realtime_nsec, monotonic_nsec, empty_monotonic_nsec;
        uint64_t first_position;
        size_t n_allocated;  /* of this struct with all that stands behind it */
        size_t n_max_events; /* whole ones among the bytes */
        size_t n_events;     /* decoded so far */
        size_t i_head;       /* popped so far */
        size_t n_bytes;
        bool is_replayed;       /* of an earlier instance: pidfds mean nothing any more */
        const uint8_t *events;  /* .bytes, or in what is kept */
        void **attachments;     /* behind the bytes … */
        uint8_t *notes;         /* … and behind them */
        FanEventIter read_iter; /* of flight_next_read() */
        FanEventIter head_iter; /* of flight_peek(): at the head */
        FanEventIter next_iter; /* … and behind it */
        _Alignas(8) uint8_t bytes[];
} FlightChunk;

struct Flight {
        FlightChunk *head, *tail; /* tail is the last read */
        FlightChunk *scratch;     /* a whole chunk for the next read, or NULL */
        size_t n_bytes;           /* allocated for the chunks from head to tail */
        size_t n_events;
        uint64_t n_positions;
        uint64_t empty_monotonic_nsec;
        bool is_drained;
        bool has_few_pidfds;
        KeptEvents *kept; /* where events are read into; NULL: nobody keeps them */
        size_t n_pidfds;  /* of the last read, and not closed */
        int pidfds[CHUNK_MAX_EVENTS];
};

int flight_new(bool has_few_pidfds, Flight **ret_flight) {
        return flight_new_kept(has_few_pidfds, NULL, ret_flight);
}

int flight_new_kept(bool has_few_pidfds, KeptEvents *kept, Flight **ret_flight) {
        Flight *f = calloc(1, sizeof(*f));

        if (!f)
                return -ENOMEM;
        f->has_few_pidfds = has_few_pidfds;
        f->kept = kept;
        if (kept)
                f->n_positions = kept_events_position(kept);
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
        free(f->scratch);
        kept_events_free(f->kept);
        free(f);
        return NULL;
}

/* Where the attachments begin: aligned for pointers. */
static size_t chunk_attachments_at(size_t n_bytes) {
        const size_t alignment = _Alignof(void *);

        return offsetof(FlightChunk, bytes) + (n_bytes + alignment - 1) / alignment * alignment;
}

static size_t chunk_size(size_t n_bytes, size_t n_events) {
        return chunk_attachments_at(n_bytes) + n_events * (sizeof(void *) + sizeof(uint8_t));
}

/* What a chunk takes that any read fits into. */
static size_t chunk_whole_size(void) {
        return chunk_size(FLIGHT_CHUNK_BYTES, CHUNK_MAX_EVENTS);
}

static FlightChunk *chunk_new(size_t n_allocated) {
        FlightChunk *c = malloc(n_allocated);

        if (c)
                c->n_allocated = n_allocated;
        return c;
}

/* The attachments stand behind so many bytes. */
static void chunk_lay_out(FlightChunk *c, size_t n_bytes, size_t n_events) {
        c->n_max_events = n_events;
        c->attachments = (void **)(void *)((char *)c + chunk_attachments_at(n_bytes));
        c->notes = (uint8_t *)(c->attachments + n_events);
}

/* Events that fan_event_next() can find. */
static size_t count_events(const uint8_t *bytes, size_t n_bytes) {
        size_t n_counted;

        return kept_events_count(bytes, n_bytes, &n_counted);
}

static void flight_drop_chunk(Flight *f, FlightChunk *c) {
        if (!f->scratch && c->n_allocated == chunk_whole_size())
                f->scratch = c;
        else
                free(c);
}

static void flight_append_chunk(Flight *f, FlightChunk *c) {
        c->next = NULL;
        if (f->tail)
                f->tail->next = c;
        else
                f->head = c;
        f->tail = c;
        f->n_bytes += c->n_allocated + MALLOC_HEAD_BYTES;
}

/* Chunks whose events have all left, but never the one that is still being decoded. */
static void flight_collect(Flight *f) {
        while (f->head && f->head->i_head == f->head->n_events && f->head->read_iter.n_left == 0) {
                FlightChunk *c = f->head;

                f->head = c->next;
                if (!f->head)
                        f->tail = NULL;
                f->n_bytes -= c->n_allocated + MALLOC_HEAD_BYTES;
                flight_drop_chunk(f, c);
        }
}

/*
 * The chunk that keeps what has been read into the scratch chunk. Never fails, for the events are
 * out of the kernel's queue: without memory the scratch chunk is kept as it is.
 */
static FlightChunk *flight_keep(Flight *f, size_t n_bytes) {
        FlightChunk *whole = f->scratch, *c = NULL;
        size_t n_events = count_events(whole->bytes, n_bytes), n_kept;

        n_kept = chunk_size(n_bytes, n_events);
        if (f->head && n_bytes <= COPY_MAX_BYTES) {
                c = chunk_new(n_kept);
                if (c)
                        memcpy(c->bytes, whole->bytes, n_bytes);
        } else if (f->head && n_kept < whole->n_allocated) {
                /* The C library cuts off the end, where nothing has been written. */
                c = realloc(whole, n_kept);
                if (c) {
                        c->n_allocated = n_kept;
                        f->scratch = NULL;
                }
        }
        if (!c) {
                c = whole;
                f->scratch = NULL;
        }
        chunk_lay_out(c, n_bytes, n_events);
        c->events = c->bytes;
        c->n_bytes = n_bytes;
        return c;
}

static ssize_t read_chunk(const Flight *f, int fd, uint8_t *bytes, uint64_t now) {
        bool is_close = now - f->empty_monotonic_nsec < FLIGHT_PIDFDS_FEW_NSEC;
        PidfdBudget budget = {0};
        ssize_t n;

        if (f->has_few_pidfds && is_close)
                budget = pidfd_budget_enter(FLIGHT_PIDFDS_FEW);
        do
                n = read(fd, bytes, FLIGHT_CHUNK_BYTES);
        while (n < 0 && errno == EINTR);
        if (n < 0)
                n = -errno;
        pidfd_budget_leave(&budget);
        return n;
}

/* The chunk is complete but for its times: its events can be stepped through. */
static void flight_begin_chunk(Flight *f, FlightChunk *c) {
        c->n_events = c->i_head = 0;
        f->n_pidfds = 0;
        fan_event_iter_init(&c->read_iter, c->events, c->n_bytes);
        fan_event_iter_init(&c->next_iter, c->events, c->n_bytes);
        flight_append_chunk(f, c);
}

/* Its events stay where they are kept; .is_replayed is left to the caller. NULL: no memory. */
static FlightChunk *chunk_of_kept(const KeptEntry *e, const uint8_t *bytes, size_t n_events) {
        FlightChunk *c = chunk_new(chunk_size(0, n_events));

        if (!c)
                return NULL;
        chunk_lay_out(c, 0, n_events);
        c->events = bytes;
        c->n_bytes = e->n_bytes;
        c->realtime_nsec = e->realtime_nsec;
        c->monotonic_nsec = e->monotonic_nsec;
        c->empty_monotonic_nsec = e->empty_monotonic_nsec;
        c->first_position = e->first_position;
        return c;
}

/* Of what an earlier instance has read. Return: bytes, 0 that was all, -ENOMEM. */
static int flight_replay(Flight *f) {
        const uint8_t *bytes;
        KeptEntry e;
        FlightChunk *c;
        size_t n_events;

        if (!kept_events_next(f->kept, &e, &bytes))
                return 0;
        n_events = count_events(bytes, e.n_bytes);
        c = chunk_of_kept(&e, bytes, n_events);
        if (!c)
                return -ENOMEM;
        c->is_replayed = true;
        f->n_positions = e.first_position;
        flight_begin_chunk(f, c);
        f->is_drained = false;
        return (int)e.n_bytes;
}

/* Nothing was read, or it failed. */
static int flight_read_nothing(Flight *f, ssize_t n, uint64_t before) {
        if (n != 0 && n != -EAGAIN)
                return (int)n;
        f->is_drained = true;
        f->empty_monotonic_nsec = before;
        return 0;
}

static void flight_note_drained(Flight *f, size_t n_bytes, uint64_t before) {
        f->is_drained = FLIGHT_CHUNK_BYTES - n_bytes >= FLIGHT_EVENT_MAX_BYTES;
        if (f->is_drained)
                f->empty_monotonic_nsec = before;
}

/* The kernel writes into what is kept, and there it stays. Return: as flight_read(). */
static int flight_read_kept(Flight *f, int fd) {
        const uint64_t before = clock_now_nsec(CLOCK_MONOTONIC);
        KeptEntry e = {
                .realtime_nsec = clock_now_nsec(CLOCK_REALTIME),
                .monotonic_nsec = before,
                .empty_monotonic_nsec = f->empty_monotonic_nsec,
        };
        FlightChunk *c;
        uint8_t *bytes;
        size_t n_events;
        ssize_t n;

        bytes = kept_events_begin(f->kept, FLIGHT_CHUNK_BYTES, e);
        if (!bytes)
                return -ENOBUFS;
        n = read_chunk(f, fd, bytes, before);
        if (n <= 0) {
                kept_events_cancel(f->kept);
                return flight_read_nothing(f, n, before);
        }
        e.realtime_nsec = clock_now_nsec(CLOCK_REALTIME);
        e.monotonic_nsec = clock_now_nsec(CLOCK_MONOTONIC);
        e.n_bytes = (uint32_t)n;
        n_events = count_events(bytes, e.n_bytes);
        kept_events_commit(f->kept, &e, n_events);
        f->n_positions = e.first_position;
        c = chunk_of_kept(&e, bytes, n_events);
        if (!c)
                /* The next instance will tell of them. */
                return -ENOMEM;
        c->is_replayed = false;
        flight_begin_chunk(f, c);
        flight_note_drained(f, e.n_bytes, before);
        return (int)n;
}

int flight_read(Flight *f, int fd) {
        FlightChunk *c;
        uint64_t before;
        ssize_t n;
        int r;

        flight_collect(f);
        if (f->n_bytes > FLIGHT_MAX_BYTES - chunk_whole_size() - MALLOC_HEAD_BYTES)
                return -ENOBUFS;
        if (f->kept) {
                r = flight_replay(f);
                return r != 0 ? r : flight_read_kept(f, fd);
        }
        if (!f->scratch)
                f->scratch = chunk_new(chunk_whole_size());
        if (!f->scratch)
                return -ENOMEM;

        before = clock_now_nsec(CLOCK_MONOTONIC);
        n = read_chunk(f, fd, f->scratch->bytes, before);
        if (n <= 0)
                return flight_read_nothing(f, n, before);

        c = flight_keep(f, (size_t)n);
        c->is_replayed = false;
        c->realtime_nsec = clock_now_nsec(CLOCK_REALTIME);
        c->monotonic_nsec = clock_now_nsec(CLOCK_MONOTONIC);
        c->empty_monotonic_nsec = f->empty_monotonic_nsec;
        c->first_position = f->n_positions;
        flight_begin_chunk(f, c);
        flight_note_drained(f, c->n_bytes, before);
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
        e->is_gone = c->notes[i] & NOTE_GONE;
}

/* The numbers of descriptors are another process's; that it was alive when it was read is not
 * proven to those who look now. */
static void forget_descriptors(FanEvent *e) {
        e->pidfd = e->fd = -1;
        if (e->pidfd_state == FAN_PIDFD_OPEN)
                e->pidfd_state = FAN_PIDFD_FAILED;
}

static int next_read(Flight *f, FlightEvent *ret_event) {
        FlightChunk *c = f->tail;
        FanEvent event = {.pidfd = -1, .fd = -1};
        int r;

        if (!c)
                return 0;
        r = fan_event_next(&c->read_iter, &event);
        if (c->is_replayed) {
                forget_descriptors(&event);
        } else if (r != 0) {
                if (event.pidfd >= 0)
                        f->pidfds[f->n_pidfds++] = event.pidfd;
                if (event.fd >= 0)
                        close(event.fd);
        }
        if (r < 0)
                c->read_iter.n_left = 0;
        if (r <= 0)
                return r;

        assert(c->n_events < c->n_max_events);
        c->attachments[c->n_events] = NULL;
        c->notes[c->n_events] = 0;
        ret_event->fan = event;
        flight_describe(c, c->n_events, ret_event);
        c->n_events++;
        f->n_events++;
        f->n_positions++;
        return 1;
}

int flight_next_read(Flight *f, FlightEvent *ret_event) {
        int r;

        while ((r = next_read(f, ret_event)) > 0) {
                if (!f->kept || ret_event->position >= kept_events_header(f->kept)->done_position)
                        return 1;
                /* An earlier instance has told of it. */
                flight_drop(f);
        }
        return r;
}

void flight_attach(Flight *f, void *attachment) {
        FlightChunk *c = f->tail;

        assert(c && c->n_events > 0);
        c->attachments[c->n_events - 1] = attachment;
}

static void set_note(Flight *f, uint8_t note) {
        FlightChunk *c = f->tail;

        assert(c && c->n_events > 0);
        c->notes[c->n_events - 1] |= note;
}

void flight_set_gone(Flight *f) {
        set_note(f, NOTE_GONE);
}

void flight_drop(Flight *f) {
        set_note(f, NOTE_DROPPED);
        f->n_events--;
}

void flight_close_pidfds(Flight *f) {
        for (size_t i = 0; i < f->n_pidfds; i++)
                close(f->pidfds[i]);
        f->n_pidfds = 0;
}

/* The chunk of the oldest event that was not dropped, or NULL. */
static FlightChunk *flight_head(Flight *f) {
        for (;;) {
                FlightChunk *c;

                flight_collect(f);
                c = f->head;
                if (!c || c->i_head == c->n_events)
                        return NULL;
                if (!(c->notes[c->i_head] & NOTE_DROPPED))
                        return c;
                fan_event_skip(&c->next_iter);
                c->i_head++;
        }
}

int flight_peek(Flight *f, FlightEvent *ret_event) {
        FlightChunk *c = flight_head(f);
        int r;

        if (!c)
                return 0;

        c->head_iter = c->next_iter;
        r = fan_event_next(&c->head_iter, &ret_event->fan);
        assert(r == 1); /* it decoded once already */
        /* Long closed; only flight_next_read() hands out descriptors. */
        ret_event->fan.pidfd = ret_event->fan.fd = -1;
        flight_describe(c, c->i_head, ret_event);
        return 1;
}

int flight_for_each(const Flight *f, FlightVisitFunction visit, void *userdata) {
        int r = 0;

        for (const FlightChunk *c = f->head; c && r == 0; c = c->next) {
                FanEventIter it = c->next_iter;
                FanEvent event;

                for (size_t i = c->i_head; i < c->n_events && r == 0; i++) {
                        if (c->notes[i] & NOTE_DROPPED) {
                                fan_event_skip(&it);
                                continue;
                        }
                        r = fan_event_next(&it, &event);
                        assert(r == 1); /* it decoded once already */
                        event.pidfd = event.fd = -1;
                        r = visit(userdata, &event);
                }
        }
        return r;
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

uint64_t flight_position(Flight *f) {
        const FlightChunk *c = flight_head(f);

        return c ? c->first_position + c->i_head : f->n_positions;
}

void flight_done(Flight *f, uint64_t position) {
        if (f->kept && position <= flight_position(f))
                kept_events_done(f->kept, position);
}

KeptEvents *flight_kept(const Flight *f) {
        return f->kept;
}
