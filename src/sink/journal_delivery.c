/* SPDX-License-Identifier: MIT */

/*
 * The journal takes entries from its socket one after the other and stores or drops each, without
 * a word.  So what was sent is kept, and looked for now and then: the newest of ours that is
 * stored, and as many before it as there should be.
 *
 * If some are missing, nothing more is sent until nothing is on its way any more; then what is
 * missing is sent again, first one alone, once a second, until that is stored: then there is room
 * again.  Each time it is another delivery, so that within one the order of sending is the order in
 * the journal.
 *
 * Nothing more than this is known: an entry that is stored later than that is there twice, with one
 * event.id.
 *
 * Limits: what the journal has stored and lost (vacuumed, or in memory at a power cut) is not sent
 * again.
 */

#include "sink/journal_delivery.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <systemd/sd-id128.h>

#include "base/clock.h"
#include "sink/journal_queue.h"
#include "sink/journal_socket.h"
#include "sink/journal_stored.h"

#define USEC_PER_MSEC UINT64_C(1000)
#define USEC_PER_SEC UINT64_C(1000000)
/* Between two looks: soon after the first entry, then less often, if there is nothing new. */
#define LOOK_MIN_USEC (100 * USEC_PER_MSEC)
#define LOOK_MAX_USEC (1 * USEC_PER_SEC)
/* Sent since the last look; more would fill the queue before they can be dropped from it. */
#define LOOK_BYTES ((size_t)8 * 1024 * 1024)
/* What the journal has taken from its queue so long ago is stored, or will not be. */
#define SETTLED_USEC (500 * USEC_PER_MSEC)
#define PROBE_USEC (1 * USEC_PER_SEC)
/* Its queue is full, but it does read, and its queue is deep (512 with systemd, else 10): to be
 * woken for each place in it would cost both more. */
#define ROOM_USEC (2 * USEC_PER_MSEC)
#define ROOM_ENTRIES 32
/* Nobody listens: when to try again. */
#define CONNECT_USEC (200 * USEC_PER_MSEC)
/* After it without anything that is stored … nothing ever is, if the journal has nothing else. */
#define KEEPS_NOTHING_USEC (10 * USEC_PER_SEC)
/* … or these entries never will be, while others' are: the longest rate limit is not as long. */
#define REFUSED_USEC (600 * USEC_PER_SEC)
/* All is stored: so long the journal's files stay open for the next one. */
#define CLOSE_USEC (5 * USEC_PER_SEC)

struct JournalDelivery {
        JournalDeliveryState state;
        JournalQueue queue;
        JournalSocket *socket;
        JournalStored *stored;
        char field[sizeof(JOURNAL_STORED_DELIVERY_KEY "=\n") + SD_ID128_STRING_MAX];
        int error;           /* of the last attempt to send */
        bool waits_for_room; /* it does not read just now */
        bool is_open;        /* the journal's files may be */
        bool has_stored;     /* something of ours was, at some time */
        bool is_refused;     /* not yet asked for */
        size_t n_since_look; /* bytes sent */
        /* Monotonic: */
        uint64_t now_usec;      /* of the last journal_delivery_work() */
        uint64_t send_usec;     /* not before this is sent again */
        uint64_t sent_usec;     /* when something was sent last */
        uint64_t progress_usec; /* when something was found to be stored last */
        uint64_t look_usec;     /* when to look again … */
        uint64_t look_wait_usec;
        uint64_t trouble_usec; /* since when nothing that was sent is stored; 0 all is well */
};

static uint64_t monotonic_usec(void) {
        return clock_now_nsec(CLOCK_MONOTONIC) / CLOCK_NSEC_PER_USEC;
}

static uint64_t realtime_usec(void) {
        return clock_now_nsec(CLOCK_REALTIME) / CLOCK_NSEC_PER_USEC;
}

static int begin_delivery(JournalDelivery *d) {
        char text[SD_ID128_STRING_MAX];
        sd_id128_t id;
        int r;

        r = sd_id128_randomize(&id);
        if (r < 0)
                return r;
        snprintf(d->field, sizeof(d->field), JOURNAL_STORED_DELIVERY_KEY "=%s\n",
                 sd_id128_to_string(id, text));
        journal_stored_set_delivery(d->stored, text);
        return 0;
}

int journal_delivery_new(const char *socket_path, const char *boot_id,
                         JournalDelivery **ret_delivery) {
        JournalDelivery *d = calloc(1, sizeof(*d));
        int r;

        if (!d)
                return -ENOMEM;
        d->look_wait_usec = LOOK_MIN_USEC;
        r = journal_socket_new(socket_path, &d->socket);
        if (r >= 0)
                r = journal_stored_new(boot_id, &d->stored);
        if (r >= 0)
                r = begin_delivery(d);
        if (r < 0) {
                journal_delivery_free(d);
                return r;
        }
        *ret_delivery = d;
        return 0;
}

JournalDelivery *journal_delivery_free(JournalDelivery *d) {
        if (d) {
                journal_queue_done(&d->queue);
                journal_socket_free(d->socket);
                journal_stored_free(d->stored);
                free(d);
        }
        return NULL;
}

int journal_delivery_add(JournalDelivery *d, uint64_t sequence, const void *fields,
                         size_t n_fields) {
        return journal_queue_append(&d->queue, sequence, fields, n_fields);
}

static int send_one(JournalDelivery *d) {
        JournalItem *item = d->queue.unsent;
        const struct iovec iov[] = {
                {.iov_base = d->field, .iov_len = strlen(d->field)},
                {.iov_base = item->bytes, .iov_len = item->n_bytes},
        };

        d->error = journal_socket_send(d->socket, iov, 2);
        if (d->error < 0)
                return d->error;
        if (d->queue.n_sent == 0) {
                d->look_wait_usec = LOOK_MIN_USEC;
                d->look_usec = d->now_usec + LOOK_MIN_USEC;
        }
        d->sent_usec = d->now_usec;
        d->n_since_look += item->n_bytes;
        journal_queue_sent(&d->queue, realtime_usec());
        if (d->state == JOURNAL_DELIVERY_TRUSTING)
                journal_queue_drop(&d->queue, 1);
        return 0;
}

static bool look_is_due(const JournalDelivery *d) {
        if (d->state == JOURNAL_DELIVERY_TRUSTING)
                return d->sent_usec > d->look_usec - d->look_wait_usec &&
                       d->now_usec >= d->look_usec;
        return d->queue.n_sent > 0 &&
               (d->now_usec >= d->look_usec || d->n_since_look >= LOOK_BYTES);
}

/* Is there something to be sent, and may it be? */
static bool has_next(const JournalDelivery *d) {
        if (!d->queue.unsent || d->state == JOURNAL_DELIVERY_SETTLING)
                return false;
        return d->state != JOURNAL_DELIVERY_PROBING || d->queue.n_sent == 0;
}

static void send_some(JournalDelivery *d) {
        size_t n_sent = 0;

        if (d->now_usec < d->send_usec)
                return;
        d->waits_for_room = false;
        while (has_next(d) && !look_is_due(d)) {
                if (send_one(d) < 0)
                        break;
                n_sent++;
        }
        if (d->error < 0 && d->error != -EAGAIN)
                d->send_usec = d->now_usec + CONNECT_USEC;
        else if (d->error == -EAGAIN && n_sent >= ROOM_ENTRIES)
                d->send_usec = d->now_usec + ROOM_USEC;
        else
                d->waits_for_room = d->error == -EAGAIN;
}

/* Some were not stored: all that are still in the queue are to be sent anew, one ahead. */
static void begin_probing(JournalDelivery *d) {
        journal_queue_unsend(&d->queue);
        /* Without another id it is the same delivery, in which what is late is found, too. */
        (void)begin_delivery(d);
        d->state = JOURNAL_DELIVERY_PROBING;
}

static void begin_trusting(JournalDelivery *d) {
        journal_queue_unsend(&d->queue);
        d->state = JOURNAL_DELIVERY_TRUSTING;
        d->look_wait_usec = KEEPS_NOTHING_USEC;
}

/* The first n are stored or dropped: which? Those from the n-th back are read one by one. */
static int sort_out(JournalDelivery *d, size_t n) {
        JournalItem **items = reallocarray(NULL, n, sizeof(*items));
        uint64_t sequence, oldest_usec, newest_usec;
        size_t i = 0;
        int r;

        if (!items)
                return -ENOMEM;
        for (JournalItem *item = d->queue.first; i < n; item = item->next)
                items[i++] = item;
        r = journal_stored_range(d->stored, &oldest_usec, &newest_usec);
        /* What was vacuumed meanwhile was stored. */
        for (i = 0; i < n; i++)
                items[i]->is_stored = r > 0 && items[i]->sent_usec < oldest_usec;
        r = journal_stored_last(d->stored, &sequence);
        while (r > 0 && i > 0) {
                while (i > 0 && items[i - 1]->sequence > sequence)
                        i--;
                if (i > 0 && items[i - 1]->sequence == sequence)
                        items[--i]->is_stored = true;
                r = i > 0 ? journal_stored_skip(d->stored, 1, &sequence) : 0;
        }
        free(items);
        if (r < 0)
                return r;
        journal_queue_drop_stored(&d->queue);
        return 0;
}

static void note_progress(JournalDelivery *d) {
        d->has_stored = true;
        d->progress_usec = d->now_usec;
        d->trouble_usec = 0;
        d->look_wait_usec = LOOK_MIN_USEC;
        if (d->state == JOURNAL_DELIVERY_PROBING || d->state == JOURNAL_DELIVERY_TRUSTING)
                d->state = JOURNAL_DELIVERY_SENDING;
}

/* Return: 1 something more is stored, 0 not, errors of the journal. */
static int find_stored(JournalDelivery *d) {
        uint64_t last, first;
        size_t n;
        int r;

        r = journal_stored_last(d->stored, &last);
        if (r <= 0)
                return r;
        if (d->state == JOURNAL_DELIVERY_TRUSTING)
                return 1;
        n = journal_queue_find(&d->queue, last);
        if (n == 0)
                return 0;
        first = last;
        if (n > 1) {
                r = journal_stored_skip(d->stored, n - 1, &first);
                if (r < 0)
                        return r;
        }
        if (first == d->queue.first->sequence) {
                journal_queue_drop(&d->queue, n);
                return 1;
        }
        /* How many of those before it were vacuumed in the meantime is found out there, too. */
        r = sort_out(d, n);
        if (r < 0)
                return r;
        if (d->queue.n_sent > 0 && d->queue.first->sequence < last)
                d->state = JOURNAL_DELIVERY_SETTLING;
        return 1;
}

/* Is what was sent either stored by now, or dropped? */
static bool is_settled(const JournalDelivery *d) {
        return journal_socket_is_drained(d->socket) && d->now_usec >= d->sent_usec + SETTLED_USEC;
}

/* Nothing is stored for long. Return: will it never be? */
static bool is_hopeless(JournalDelivery *d) {
        const uint64_t age_usec = d->now_usec - d->trouble_usec;
        uint64_t oldest_usec, newest_usec;

        if (!d->has_stored && age_usec >= KEEPS_NOTHING_USEC &&
            journal_stored_is_kept(d->stored) <= 0)
                return true;
        if (age_usec < REFUSED_USEC ||
            journal_stored_range(d->stored, &oldest_usec, &newest_usec) <= 0 ||
            newest_usec < d->queue.first->sent_usec)
                return false;
        d->is_refused = true;
        return true;
}

/* @was_settled: as is_settled() had it before the journal was looked at */
static void judge(JournalDelivery *d, bool was_settled) {
        if (d->queue.n_sent == 0) {
                if (d->state == JOURNAL_DELIVERY_SETTLING)
                        d->state = JOURNAL_DELIVERY_SENDING;
                return;
        }
        if (!was_settled)
                return;
        if (d->trouble_usec == 0)
                d->trouble_usec = d->sent_usec;
        if (is_hopeless(d))
                begin_trusting(d);
        else if (d->state != JOURNAL_DELIVERY_PROBING || d->now_usec >= d->sent_usec + PROBE_USEC)
                begin_probing(d);
}

static void look(JournalDelivery *d) {
        const bool was_settled = is_settled(d);
        int r;

        d->n_since_look = 0;
        d->is_open = true;
        r = find_stored(d);
        if (r < 0)
                journal_stored_close(d->stored); /* and open it anew the next time */
        if (r > 0)
                note_progress(d);
        else if (d->state != JOURNAL_DELIVERY_TRUSTING && d->look_wait_usec < LOOK_MAX_USEC)
                d->look_wait_usec *= 2;
        if (d->state != JOURNAL_DELIVERY_TRUSTING)
                judge(d, was_settled);
        else
                journal_stored_close(d->stored);
        d->look_usec = d->now_usec + d->look_wait_usec;
}

static void close_files(JournalDelivery *d) {
        if (!d->is_open || d->queue.first || d->now_usec < d->progress_usec + CLOSE_USEC)
                return;
        journal_stored_close(d->stored);
        d->is_open = false;
}

int journal_delivery_work(JournalDelivery *d) {
        d->now_usec = monotonic_usec();
        while (look_is_due(d)) {
                look(d);
                send_some(d);
                /* A burst that is larger than what is looked for at once. */
                if (d->n_since_look < LOOK_BYTES || d->error < 0)
                        break;
        }
        send_some(d);
        close_files(d);
        return d->queue.first ? -EAGAIN : 0;
}

int journal_delivery_fd(const JournalDelivery *d) {
        return d->waits_for_room && has_next(d) ? journal_socket_fd(d->socket) : -1;
}

uint64_t journal_delivery_wait_usec(const JournalDelivery *d) {
        uint64_t at_usec = UINT64_MAX;

        if (d->queue.n_sent > 0)
                at_usec = d->look_usec;
        if (has_next(d) && d->error < 0 && !d->waits_for_room && d->send_usec < at_usec)
                at_usec = d->send_usec;
        if (!d->queue.first && d->is_open)
                at_usec = d->progress_usec + CLOSE_USEC;
        if (at_usec == UINT64_MAX)
                return UINT64_MAX;
        return at_usec > d->now_usec ? at_usec - d->now_usec : 0;
}

size_t journal_delivery_n_bytes(const JournalDelivery *d) {
        return d->queue.n_bytes;
}

uint64_t journal_delivery_first(const JournalDelivery *d) {
        return d->queue.first ? d->queue.first->sequence : 0;
}

JournalDeliveryState journal_delivery_state(const JournalDelivery *d) {
        return d->state;
}

int journal_delivery_error(const JournalDelivery *d) {
        return d->error;
}

bool journal_delivery_take_refusal(JournalDelivery *d) {
        bool is_refused = d->is_refused;

        d->is_refused = false;
        return is_refused;
}
