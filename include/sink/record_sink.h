/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Records out: one rendering, one stream.
 */

#include "record/record_json.h"
#include "record/record_text.h"
#include "sink/stream_sink.h"

typedef enum RecordFormat {
        RECORD_FORMAT_TEXT,
        RECORD_FORMAT_JSON
} RecordFormat;

typedef struct RecordSink RecordSink;

/* @fd, @host, @names: borrowed. Return: 0, -ENOMEM, errors of fstat(2). */
int record_sink_new(RecordFormat format, RecordTextOptions text, int fd, const HostFacts *host,
                    UserNames *names, RecordSink **ret_sink);
RecordSink *record_sink_free(RecordSink *s);

/*
 * record_sink_put() - number a record and render it
 * @record: its .sequence is filled in
 *
 * Return: 0, -ENOMEM (nothing of it is in the stream; its number is used up, so the gap shows),
 * errors of stream_sink_flush() but -EAGAIN, when a batch was due to be written.
 */
int record_sink_put(RecordSink *s, Record *record);

StreamSink *record_sink_stream(RecordSink *s);
/* NULL with RECORD_FORMAT_JSON. */
RecordText *record_sink_text(RecordSink *s);
