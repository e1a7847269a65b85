/* SPDX-License-Identifier: MIT */

/* The place where a record becomes bytes. */

#include "sink/record_sink.h"

#include <errno.h>
#include <stdlib.h>

struct RecordSink {
        RecordJson *json;
        RecordText *text;
        StreamSink *stream;
        uint64_t sequence;
};

int record_sink_new(RecordFormat format, RecordTextOptions text, int fd, const HostFacts *host,
                    UserNames *names, RecordSink **ret_sink) {
        RecordSink *s = calloc(1, sizeof(*s));
        int r;

        if (!s)
                return -ENOMEM;
        r = stream_sink_new(fd, &s->stream);
        if (r >= 0) {
                if (format == RECORD_FORMAT_JSON)
                        r = record_json_new(host, names, &s->json);
                else
                        r = record_text_new(text, names, &s->text);
        }
        if (r < 0) {
                record_sink_free(s);
                return r;
        }
        *ret_sink = s;
        return 0;
}

RecordSink *record_sink_free(RecordSink *s) {
        if (s) {
                record_json_free(s->json);
                record_text_free(s->text);
                stream_sink_free(s->stream);
                free(s);
        }
        return NULL;
}

int record_sink_put(RecordSink *s, Record *record) {
        Buffer *b = stream_sink_buffer(s->stream);
        size_t before = b->n_bytes;
        int r = 0;

        record->sequence = ++s->sequence;
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

StreamSink *record_sink_stream(RecordSink *s) {
        return s->stream;
}

RecordText *record_sink_text(RecordSink *s) {
        return s->text;
}
