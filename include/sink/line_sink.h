/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Records as lines to a descriptor: JSON, or text for people.
 */

#include "record/record_json.h"
#include "record/record_text.h"
#include "sink/sink_kind.h"
#include "sink/stream_sink.h"

typedef struct LineSink LineSink;

extern const SinkKind line_sink_kind;

/* Each takes a descriptor as stream_sink_new() does; @host, @names: borrowed. Return: 0, -ENOMEM,
 * errors of fstat(2). */
int line_sink_new_json(int fd, const HostFacts *host, UserNames *names, LineSink **ret_sink);
int line_sink_new_text(int fd, RecordTextOptions options, UserNames *names, LineSink **ret_sink);

/* The stream below it. */
StreamSink *line_sink_stream(LineSink *s);
