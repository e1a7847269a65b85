/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Bytes to stdout without ever blocking on whoever reads them.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"

/* Above this the sink is full: nothing more should be taken from the kernel, whose queue holds it.
 */
#define STREAM_SINK_FULL_BYTES (1024 * 1024)
/* Worth a write(2) of its own under load. */
#define STREAM_SINK_BATCH_BYTES (64 * 1024)

typedef struct StreamSink StreamSink;

/*
 * stream_sink_new() - write to a descriptor
 * @fd: borrowed; its own flags are left alone, since the terminal or pipe is shared with others:
 *      a pipe or terminal is opened anew through /proc, a socket is sent to without waiting
 */
int stream_sink_new(int fd, StreamSink **ret_sink);
StreamSink *stream_sink_free(StreamSink *s);

/* Where records are rendered to; call stream_sink_flush() afterwards. */
Buffer *stream_sink_buffer(StreamSink *s);

/*
 * stream_sink_flush() - write what is there, as far as it goes without waiting
 *
 * Return: 0 all is written, -EAGAIN the reader is slow: wait until stream_sink_fd() is writable,
 * -EPIPE nobody reads any more, errors of write(2).
 */
int stream_sink_flush(StreamSink *s);

bool stream_sink_is_full(const StreamSink *s);
/* Bytes that were ever written. */
uint64_t stream_sink_n_written(const StreamSink *s);
size_t stream_sink_n_pending(const StreamSink *s);
/* To be polled for POLLOUT after -EAGAIN, and for POLLERR; may not be pollable (regular file). */
int stream_sink_fd(const StreamSink *s);
