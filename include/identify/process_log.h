/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What the table of processes was told, in memory that outlives this process.
 *
 * The next one tells its own table the same, goes on with the sockets of process events, and so
 * knows also those processes that ended in between.  With it lies the room that those sockets are
 * read into: what was taken from the kernel and not yet told to the table is found there.
 *
 * Bound: PROCESS_LOG_RING_BYTES; the oldest goes first.  That is some 20,000 programs: of one that
 * began before, and ends while nobody watches, only the exit record is left.
 */

#include "identify/process_log_entry.h"

#define PROCESS_LOG_RING_BYTES ((size_t)16 * 1024 * 1024)

typedef struct ProcessLog ProcessLog;

/* Return: 0, -ENOMEM, errors of memfd_create(2), ftruncate(2), mmap(2). */
int process_log_new(ProcessLog **ret_log);
/* @fd: taken on success. Return: 0, -EBADMSG, -EPROTO another version's, -EPERM it could be cut
 * off, errors of mmap(2). */
int process_log_open(int fd, ProcessLog **ret_log);
ProcessLog *process_log_free(ProcessLog *l);
int process_log_fd(const ProcessLog *l);

/* Where the sockets' datagrams go. */
void *process_log_events_room(const ProcessLog *l);
void *process_log_exits_room(const ProcessLog *l);

/* Not from two threads at once. */
void process_log_append(ProcessLog *l, const ProcessLogEntry *e);
/* Entries that went because of the bound. */
uint64_t process_log_n_dropped(const ProcessLog *l);

/*
 * process_log_next() - step through what is there
 * @at: 0 before the first
 *
 * Nothing may be appended meanwhile.  Return: 1, 0 the end, or what stands behind is no entry.
 */
int process_log_next(const ProcessLog *l, uint64_t *at, ProcessLogEntry *ret_entry);
