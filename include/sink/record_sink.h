/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Records out: one rendering, one way out.
 */

#include "sink/sink_kind.h"

typedef struct RecordSink RecordSink;

/*
 * record_sink_new() - number records and give them to a way out
 * @kind: static
 * @sink: owned from now on, also on failure
 * @fold: deletions of one process within a second that are told one by one, see fold.h; 0: all
 *
 * Return: 0, -ENOMEM.
 */
int record_sink_new(const SinkKind *kind, void *sink, uint64_t fold, RecordSink **ret_sink);
RecordSink *record_sink_free(RecordSink *s);

/* What it writes to, for messages. */
const char *record_sink_name(const RecordSink *s);

/*
 * record_sink_put() - number a record and render it, or count it in a fold
 * @record: its .sequence is filled in, unless it is in a fold
 *
 * Return: 0, -ENOMEM (nothing of it is in the sink; its number is used up, so the gap shows),
 * errors of record_sink_flush() but -EAGAIN, when a batch was due to be written.
 */
int record_sink_put(RecordSink *s, Record *record);

/* Nothing comes behind it: folds that have not ended do. Return: as record_sink_put(). */
int record_sink_end_folds(RecordSink *s);

/*
 * record_sink_flush() - write what is there, folds that have ended included, without waiting
 *
 * Return: 0 all is written, -EAGAIN not yet: go on when record_sink_fd() is ready, -EPIPE nobody
 * reads any more, errors of write(2).
 */
int record_sink_flush(RecordSink *s);

/* Nothing more should be taken from the kernel, whose queue holds it. */
bool record_sink_is_full(const RecordSink *s);
/*
 * How many records were ever put into the sink, and how many of those, the oldest, are out whatever
 * becomes of this process; the second lags behind.  What is in a fold is out when that is.
 */
uint64_t record_sink_n_put(const RecordSink *s);
uint64_t record_sink_n_accepted(RecordSink *s);
/* Bytes that are not written yet. */
size_t record_sink_n_pending(const RecordSink *s);
/*
 * To be polled for record_sink_events(), which change with each put and flush; EPOLLERR or EPOLLHUP
 * says that nobody reads any more. May not be pollable (regular file): then nothing makes it wait.
 */
int record_sink_fd(const RecordSink *s);
uint32_t record_sink_events(const RecordSink *s);

/* Why records wait, for people; NULL: they do not, or only for a slow reader. */
const char *record_sink_trouble(const RecordSink *s);
/* Since the last call: has the other side stored what others sent and refused these for so long
 * that they are not looked after any more? Then some may be lost. */
bool record_sink_take_refusal(RecordSink *s);

/* Is it text, whose reader reads stderr as well? */
bool record_sink_is_for_people(const RecordSink *s);
/* The terminal has another width now. */
void record_sink_set_columns(RecordSink *s, size_t n_columns);
