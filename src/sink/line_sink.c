/* SPDX-License-Identifier: MIT */

/* The place where a record becomes a line. */

#include "sink/line_sink.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>

struct LineSink {
        RecordJson *json; /* or … */
        RecordText *text;
        StreamSink *stream;
};

static void line_sink_free(void *sink) {
        LineSink *s = sink;

        if (!s)
                return;
        record_json_free(s->json);
        record_text_free(s->text);
        stream_sink_free(s->stream);
        free(s);
}

static int new_on(int fd, LineSink **ret_sink) {
        LineSink *s = calloc(1, sizeof(*s));
        int r;

        if (!s)
                return -ENOMEM;
        r = stream_sink_new(fd, &s->stream);
        if (r < 0) {
                line_sink_free(s);
                return r;
        }
        *ret_sink = s;
        return 0;
}

int line_sink_new_json(int fd, const HostFacts *host, UserNames *names, LineSink **ret_sink) {
        LineSink *s;
        int r;

        r = new_on(fd, &s);
        if (r < 0)
                return r;
        r = record_json_new(host, names, &s->json);
        if (r < 0) {
                line_sink_free(s);
                return r;
        }
        *ret_sink = s;
        return 0;
}

int line_sink_new_text(int fd, RecordTextOptions options, UserNames *names, LineSink **ret_sink) {
        LineSink *s;
        int r;

        r = new_on(fd, &s);
        if (r < 0)
                return r;
        r = record_text_new(options, names, &s->text);
        if (r < 0) {
                line_sink_free(s);
                return r;
        }
        *ret_sink = s;
        return 0;
}

StreamSink *line_sink_stream(LineSink *s) {
        return s->stream;
}

static int put(void *sink, const Record *record) {
        LineSink *s = sink;
        Buffer *b = stream_sink_buffer(s->stream);
        size_t before = b->n_bytes;
        int r = 0;

        if (s->json)
                r = record_json_append(s->json, record, b);
        else
                record_text_append(s->text, record, b);
        if (r < 0 || b->is_failed) {
                b->n_bytes = before;
                b->is_failed = false;
                return -ENOMEM;
        }
        if (b->n_bytes < STREAM_SINK_BATCH_BYTES)
                return 0;
        r = stream_sink_flush(s->stream);
        return r == -EAGAIN ? 0 : r;
}

static int flush(void *sink) {
        return stream_sink_flush(((LineSink *)sink)->stream);
}

static bool is_full(const void *sink) {
        return stream_sink_is_full(((const LineSink *)sink)->stream);
}

static size_t n_pending(const void *sink) {
        return stream_sink_n_pending(((const LineSink *)sink)->stream);
}

static uint64_t n_written(const void *sink) {
        return stream_sink_n_written(((const LineSink *)sink)->stream);
}

static int descriptor(const void *sink) {
        return stream_sink_fd(((const LineSink *)sink)->stream);
}

/* Without bytes for it, only whether its reader has gone. */
static uint32_t events(const void *sink) {
        return n_pending(sink) > 0 ? EPOLLOUT : 0;
}

static bool is_for_people(const void *sink) {
        return ((const LineSink *)sink)->text;
}

static void set_columns(void *sink, size_t n_columns) {
        LineSink *s = sink;

        if (s->text)
                record_text_set_columns(s->text, n_columns);
}

const SinkKind line_sink_kind = {
        .name = "stdout",
        .put = put,
        .flush = flush,
        .is_full = is_full,
        .n_pending = n_pending,
        .n_written = n_written,
        .fd = descriptor,
        .events = events,
        .is_for_people = is_for_people,
        .set_columns = set_columns,
        .free = line_sink_free,
};
