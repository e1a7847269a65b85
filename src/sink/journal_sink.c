/* SPDX-License-Identifier: MIT */

/* The place where a record becomes an entry of the journal. */

#include "sink/journal_sink.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/stat.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "record/record_journal.h"
#include "sink/journal_delivery.h"

/* Worth to be sent under load, as STREAM_SINK_BATCH_BYTES. */
#define BATCH_BYTES ((size_t)64 * 1024)

struct JournalSink {
        RecordJournal *records;
        JournalDelivery *delivery;
        Buffer entry;
        size_t n_since_work; /* bytes added */
        int epoll_fd; /* readable when .flush has something to do: of .timer_fd and the socket */
        int timer_fd;
};

static void journal_sink_free(void *sink) {
        JournalSink *s = sink;

        if (!s)
                return;
        record_journal_free(s->records);
        journal_delivery_free(s->delivery);
        buffer_done(&s->entry);
        cleanup_close(&s->timer_fd);
        cleanup_close(&s->epoll_fd);
        free(s);
}

static int open_timer(JournalSink *s) {
        struct epoll_event event = {.events = EPOLLIN};

        s->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
        if (s->epoll_fd < 0)
                return -errno;
        s->timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
        if (s->timer_fd < 0)
                return -errno;
        return epoll_ctl(s->epoll_fd, EPOLL_CTL_ADD, s->timer_fd, &event) < 0 ? -errno : 0;
}

int journal_sink_new(const char *socket_path, const HostFacts *host, UserNames *names,
                     JournalSink **ret_sink) {
        JournalSink *s = calloc(1, sizeof(*s));
        int r;

        if (!s)
                return -ENOMEM;
        s->epoll_fd = s->timer_fd = -1;
        r = open_timer(s);
        if (r >= 0)
                r = record_journal_new(host, names, &s->records);
        if (r >= 0)
                r = journal_delivery_new(socket_path, host->boot_id, &s->delivery);
        if (r < 0) {
                journal_sink_free(s);
                return r;
        }
        *ret_sink = s;
        return 0;
}

/* Never taken back: closed it leaves by itself, and its number may be another's by then. */
static int wait_for_room(JournalSink *s) {
        struct epoll_event event = {.events = EPOLLOUT | EPOLLONESHOT};
        int fd = journal_delivery_fd(s->delivery);

        if (fd < 0 || epoll_ctl(s->epoll_fd, EPOLL_CTL_ADD, fd, &event) >= 0)
                return 0;
        if (errno == EEXIST && epoll_ctl(s->epoll_fd, EPOLL_CTL_MOD, fd, &event) >= 0)
                return 0;
        return -errno;
}

static int wait_for_time(JournalSink *s) {
        const uint64_t usec = journal_delivery_wait_usec(s->delivery);
        struct itimerspec when = {0};

        if (usec != UINT64_MAX) {
                /* Zero would disarm it. */
                when.it_value.tv_sec = (time_t)(usec / 1000000);
                when.it_value.tv_nsec = (long)(usec % 1000000) * 1000 + 1;
        }
        return timerfd_settime(s->timer_fd, 0, &when, NULL) < 0 ? -errno : 0;
}

static int flush(void *sink) {
        JournalSink *s = sink;
        int r, error;

        s->n_since_work = 0;
        r = journal_delivery_work(s->delivery);
        error = wait_for_room(s);
        if (error >= 0)
                error = wait_for_time(s);
        return error < 0 ? error : r;
}

static int put(void *sink, const Record *record) {
        JournalSink *s = sink;
        int r;

        buffer_clear(&s->entry);
        r = record_journal_append(s->records, record, &s->entry);
        if (r >= 0)
                r = journal_delivery_add(s->delivery, record->sequence, s->entry.bytes,
                                         s->entry.n_bytes);
        if (r < 0)
                return r;
        s->n_since_work += s->entry.n_bytes;
        if (s->n_since_work < BATCH_BYTES)
                return 0;
        r = flush(s);
        return r == -EAGAIN ? 0 : r;
}

static bool is_full(const void *sink) {
        return journal_delivery_n_bytes(((const JournalSink *)sink)->delivery) >=
               JOURNAL_DELIVERY_MAX_BYTES;
}

static size_t n_pending(const void *sink) {
        return journal_delivery_n_bytes(((const JournalSink *)sink)->delivery);
}

static uint64_t first_pending(const void *sink) {
        return journal_delivery_first(((const JournalSink *)sink)->delivery);
}

static int descriptor(const void *sink) {
        return ((const JournalSink *)sink)->epoll_fd;
}

static uint32_t events(const void *sink) {
        (void)sink;
        return EPOLLIN;
}

static const char *trouble(const void *sink) {
        const JournalDelivery *d = ((const JournalSink *)sink)->delivery;
        int error = journal_delivery_error(d);

        if (journal_delivery_state(d) == JOURNAL_DELIVERY_TRUSTING)
                return "the journal stores no records, or none that can be read back";
        if (journal_delivery_state(d) != JOURNAL_DELIVERY_SENDING)
                return "the journal does not store what it is sent: its disk may be full, or the "
                       "rate limit reached";
        if (journal_delivery_n_bytes(d) == 0 || error == 0)
                return NULL;
        return error == -EAGAIN ? "systemd-journald does not keep up"
                                : "systemd-journald does not listen";
}

static bool take_refusal(void *sink) {
        return journal_delivery_take_refusal(((JournalSink *)sink)->delivery);
}

const SinkKind journal_sink_kind = {
        .name = "the journal",
        .put = put,
        .flush = flush,
        .is_full = is_full,
        .n_pending = n_pending,
        .first_pending = first_pending,
        .fd = descriptor,
        .events = events,
        .trouble = trouble,
        .take_refusal = take_refusal,
        .free = journal_sink_free,
};

bool journal_sink_is_stream(int fd, const char *journal_stream) {
        unsigned long long device, inode;
        struct stat st;
        char rest;

        if (!journal_stream || sscanf(journal_stream, "%llu:%llu%c", &device, &inode, &rest) != 2)
                return false;
        return fstat(fd, &st) >= 0 && S_ISSOCK(st.st_mode) && st.st_dev == device &&
               st.st_ino == inode;
}
