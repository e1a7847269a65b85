/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What was read from a fanotify group and is not yet out, in memory that outlives this process: a
 * memfd that the service manager keeps.
 *
 * It is a ring of entries, one a read(2), each the kernel's bytes with the times of that read.  The
 * kernel writes into it, so that nothing that has left its queue is ever nowhere else.
 *
 *      header   at 0, KEPT_EVENTS_HEADER_BYTES: what is watched, and from where to read on
 *      entries  behind it, each a KeptEntry and its bytes, 8-byte aligned; zeros behind the last
 *
 * All that is free is zeros: of a read that its process did not live to see the end of, the bytes
 * that look like events are its events.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "capture/kept_parse.h"

/* What of the header is said when it is made. */
typedef struct KeptStream {
        uint64_t stream;
        dev_t device;
        unsigned features;
        bool has_index;
        const char *point, *fstype;
} KeptStream;

typedef struct KeptEvents KeptEvents;

/* Return: 0, -ENOMEM, errors of memfd_create(2), ftruncate(2), mmap(2). */
int kept_events_new(const KeptStream *stream, KeptEvents **ret_events);
/*
 * kept_events_open() - take over what an earlier instance kept
 * @fd: taken on success
 *
 * Return: 0, -EBADMSG, -EPROTO, -EPERM it could be cut off under our feet, errors of mmap(2).
 */
int kept_events_open(int fd, KeptEvents **ret_events);
KeptEvents *kept_events_free(KeptEvents *k);

int kept_events_fd(const KeptEvents *k);
/* Borrowed; its positions change. */
const KeptHeader *kept_events_header(const KeptEvents *k);
/* Of the first event that is not out, when nothing was taken from kept_events_next() yet. */
uint64_t kept_events_position(const KeptEvents *k);
/* Bytes of the ring that are in use. */
size_t kept_events_n_used(const KeptEvents *k);

/*
 * kept_events_next() - step through what was taken over, once
 *
 * Return: 1, 0 that was all.
 */
int kept_events_next(KeptEvents *k, KeptEntry *ret_entry, const uint8_t **ret_bytes);

/*
 * kept_events_begin() - room for a read(2)
 * @n_room: bytes of it
 * @before: its times, as far as they are known
 *
 * Only when kept_events_next() has answered 0. Return: NULL the ring is full.
 */
uint8_t *kept_events_begin(KeptEvents *k, size_t n_room, KeptEntry before);
/* The read has brought so many bytes: @entry has them and the times; .first_position is filled in.
 */
void kept_events_commit(KeptEvents *k, KeptEntry *entry, size_t n_events);
/* It has not. */
void kept_events_cancel(KeptEvents *k);
/* It has gone out of view, or come back into it. */
void kept_events_set_ended(KeptEvents *k, bool has_ended);
/* Events before this one are out. */
void kept_events_done(KeptEvents *k, uint64_t position);
