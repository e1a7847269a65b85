/* SPDX-License-Identifier: MIT */

/* The one way out of a watch, whatever its kind. */

#include "sink/record_sink.h"

#include <errno.h>
#include <stdlib.h>

struct RecordSink {
        const SinkKind *kind;
        void *sink; /* of that kind */
        uint64_t sequence;
};

int record_sink_new(const SinkKind *kind, void *sink, RecordSink **ret_sink) {
        RecordSink *s = calloc(1, sizeof(*s));

        if (!s) {
                kind->free(sink);
                return -ENOMEM;
        }
        s->kind = kind;
        s->sink = sink;
        *ret_sink = s;
        return 0;
}

RecordSink *record_sink_free(RecordSink *s) {
        if (s) {
                s->kind->free(s->sink);
                free(s);
        }
        return NULL;
}

const char *record_sink_name(const RecordSink *s) {
        return s->kind->name;
}

int record_sink_put(RecordSink *s, Record *record) {
        record->sequence = ++s->sequence;
        return s->kind->put(s->sink, record);
}

int record_sink_flush(RecordSink *s) {
        return s->kind->flush(s->sink);
}

bool record_sink_is_full(const RecordSink *s) {
        return s->kind->is_full(s->sink);
}

uint64_t record_sink_n_put(const RecordSink *s) {
        return s->kind->n_written ? s->kind->n_written(s->sink) + s->kind->n_pending(s->sink)
                                  : s->sequence;
}

uint64_t record_sink_n_accepted(const RecordSink *s) {
        uint64_t first;

        if (s->kind->n_written)
                return s->kind->n_written(s->sink);
        first = s->kind->first_pending(s->sink);
        return first > 0 ? first - 1 : s->sequence;
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

bool record_sink_is_for_people(const RecordSink *s) {
        return s->kind->is_for_people && s->kind->is_for_people(s->sink);
}

void record_sink_set_columns(RecordSink *s, size_t n_columns) {
        if (s->kind->set_columns)
                s->kind->set_columns(s->sink, n_columns);
}
