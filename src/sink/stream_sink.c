/* SPDX-License-Identifier: MIT */

/* A buffer in front of a descriptor that is never waited for. */

#include "sink/stream_sink.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"

struct StreamSink {
        int fd;
        int own_fd; /* opened by us, non-blocking; -1 when .fd is the caller's */
        bool is_socket;
        bool is_blocking; /* could not be opened anew: ask before each small write */
        Buffer buffer;
        size_t n_written; /* of .buffer */
        uint64_t n_total; /* ever written */
};

int stream_sink_new(int fd, StreamSink **ret_sink) {
        StreamSink *s;
        struct stat st;
        char path[32];

        if (fstat(fd, &st) < 0)
                return -errno;
        s = calloc(1, sizeof(*s));
        if (!s)
                return -ENOMEM;
        s->fd = fd;
        s->own_fd = -1;
        s->is_socket = S_ISSOCK(st.st_mode);
        if (S_ISFIFO(st.st_mode) || S_ISCHR(st.st_mode)) {
                snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
                s->own_fd = open(path, O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
                if (s->own_fd >= 0)
                        s->fd = s->own_fd;
                else
                        s->is_blocking = true;
        }
        *ret_sink = s;
        return 0;
}

StreamSink *stream_sink_free(StreamSink *s) {
        if (s) {
                cleanup_close(&s->own_fd);
                buffer_done(&s->buffer);
                free(s);
        }
        return NULL;
}

Buffer *stream_sink_buffer(StreamSink *s) {
        return &s->buffer;
}

/* What may be written without waiting, as poll(2) and pipe(7) promise it for a blocking pipe. */
static size_t allowed(const StreamSink *s, size_t n_bytes) {
        struct pollfd p = {.fd = s->fd, .events = POLLOUT};

        if (!s->is_blocking)
                return n_bytes;
        if (poll(&p, 1, 0) <= 0)
                return 0;
        return n_bytes < PIPE_BUF ? n_bytes : PIPE_BUF;
}

static ssize_t write_some(const StreamSink *s, const char *bytes, size_t n_bytes) {
        if (s->is_socket)
                return send(s->fd, bytes, n_bytes, MSG_DONTWAIT | MSG_NOSIGNAL);
        n_bytes = allowed(s, n_bytes);
        if (n_bytes == 0) {
                errno = EAGAIN;
                return -1;
        }
        return write(s->fd, bytes, n_bytes);
}

int stream_sink_flush(StreamSink *s) {
        int r = 0;

        while (s->n_written < s->buffer.n_bytes) {
                ssize_t n = write_some(s, s->buffer.bytes + s->n_written,
                                       s->buffer.n_bytes - s->n_written);

                if (n >= 0) {
                        s->n_written += (size_t)n;
                        s->n_total += (size_t)n;
                } else if (errno != EINTR) {
                        r = -errno;
                        break;
                }
        }
        /* Moved only when it is worth it: a slow reader takes a megabyte in small bites. */
        if (s->n_written == s->buffer.n_bytes) {
                buffer_clear(&s->buffer);
                s->n_written = 0;
        } else if (s->n_written > s->buffer.n_bytes / 2) {
                buffer_consume(&s->buffer, s->n_written);
                s->n_written = 0;
        }
        return r;
}

uint64_t stream_sink_n_written(const StreamSink *s) {
        return s->n_total;
}

size_t stream_sink_n_pending(const StreamSink *s) {
        return s->buffer.n_bytes - s->n_written;
}

bool stream_sink_is_full(const StreamSink *s) {
        return stream_sink_n_pending(s) >= STREAM_SINK_FULL_BYTES;
}

int stream_sink_fd(const StreamSink *s) {
        return s->fd;
}
