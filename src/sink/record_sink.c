/* SPDX-License-Identifier: MIT */

/* The one way out of a watch, whatever its kind. */

#include "sink/record_sink.h"

#include <errno.h>
#include <stdlib.h>

#include "base/clock.h"
#include "sink/fold.h"

struct RecordSink {
        const SinkKind *kind;
        void *sink; /* of that kind */
        uint64_t sequence;
        uint64_t n_put; /* records, also those in folds */
        uint64_t n_accepted;
        Fold *fold; /* NULL: all are told one by one */
        /* When all up to some record are out, as the way out counts it. */
        struct {
                bool is_set;
                bool waits_for_folds; /* some of them are in folds that have not ended */
                uint64_t n_put;
                uint64_t position; /* else: in .sink */
        } mark;
};

int record_sink_new(const SinkKind *kind, void *sink, uint64_t fold, RecordSink **ret_sink) {
        RecordSink *s = calloc(1, sizeof(*s));

        if (!s) {
                kind->free(sink);
                return -ENOMEM;
        }
        s->kind = kind;
        s->sink = sink;
        if (fold > 0 && fold_new(fold, &s->fold) < 0) {
                record_sink_free(s);
                return -ENOMEM;
        }
        *ret_sink = s;
        return 0;
}

RecordSink *record_sink_free(RecordSink *s) {
        if (s) {
                s->kind->free(s->sink);
                fold_free(s->fold);
                free(s);
        }
        return NULL;
}

const char *record_sink_name(const RecordSink *s) {
        return s->kind->name;
}

static int number_and_put(RecordSink *s, Record *record) {
        record->sequence = ++s->sequence;
        return s->kind->put(s->sink, record);
}

/* As fold_next() takes its time: 0 only what has ended by itself, UINT64_MAX all. */
static int put_folds(RecordSink *s, uint64_t now_nsec) {
        Record record;
        int r = 0;

        while (r >= 0 && s->fold && fold_next(s->fold, now_nsec, &record) > 0)
                r = number_and_put(s, &record);
        return r;
}

int record_sink_put(RecordSink *s, Record *record) {
        const uint64_t ticket = ++s->n_put;
        int r;

        if (s->fold && record_action_is_deletion(record->action)) {
                if (fold_take(s->fold, record, clock_now_nsec(CLOCK_MONOTONIC), ticket) > 0)
                        return 0;
                r = put_folds(s, 0);
                if (r < 0)
                        return r;
        }
        return number_and_put(s, record);
}

int record_sink_end_folds(RecordSink *s) {
        return put_folds(s, UINT64_MAX);
}

int record_sink_flush(RecordSink *s) {
        int r = put_folds(s, clock_now_nsec(CLOCK_MONOTONIC));

        return r < 0 ? r : s->kind->flush(s->sink);
}

bool record_sink_is_full(const RecordSink *s) {
        return s->kind->is_full(s->sink);
}

/* As the way out counts. */
static uint64_t sink_put(const RecordSink *s) {
        return s->kind->n_written ? s->kind->n_written(s->sink) + s->kind->n_pending(s->sink)
                                  : s->sequence;
}

static uint64_t sink_accepted(const RecordSink *s) {
        uint64_t first;

        if (s->kind->n_written)
                return s->kind->n_written(s->sink);
        first = s->kind->first_pending(s->sink);
        return first > 0 ? first - 1 : s->sequence;
}

/* Return: are all up to the mark out? */
static bool is_mark_reached(RecordSink *s) {
        if (!s->mark.is_set) {
                s->mark.is_set = s->mark.waits_for_folds = true;
                s->mark.n_put = s->n_put;
        }
        if (s->mark.waits_for_folds && s->fold && fold_oldest_ticket(s->fold) <= s->mark.n_put)
                return false;
        if (s->mark.waits_for_folds) {
                s->mark.waits_for_folds = false;
                s->mark.position = sink_put(s);
        }
        return sink_accepted(s) >= s->mark.position;
}

uint64_t record_sink_n_put(const RecordSink *s) {
        return s->n_put;
}

uint64_t record_sink_n_accepted(RecordSink *s) {
        while (s->n_accepted < s->n_put && is_mark_reached(s)) {
                s->n_accepted = s->mark.n_put;
                s->mark.is_set = false;
        }
        return s->n_accepted;
}

size_t record_sink_n_pending(const RecordSink *s) {
        return s->kind->n_pending(s->sink);
}

int record_sink_fd(const RecordSink *s) {
        return s->kind->fd(s->sink);
}

uint32_t record_sink_events(const RecordSink *s) {
        return s->kind->events(s->sink);
}

const char *record_sink_trouble(const RecordSink *s) {
        return s->kind->trouble ? s->kind->trouble(s->sink) : NULL;
}

bool record_sink_take_refusal(RecordSink *s) {
        return s->kind->take_refusal && s->kind->take_refusal(s->sink);
}

bool record_sink_is_for_people(const RecordSink *s) {
        return s->kind->is_for_people && s->kind->is_for_people(s->sink);
}

void record_sink_set_columns(RecordSink *s, size_t n_columns) {
        if (s->kind->set_columns)
                s->kind->set_columns(s->sink, n_columns);
}
