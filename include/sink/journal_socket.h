/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Entries to the journal's socket without ever waiting for it.
 *
 * sd_journal_sendv(3) cannot be used: it waits as long as journald does not read, and drops what it
 * is given when the socket is not there, saying that all is well.
 *
 * Source: systemd's docs/JOURNAL_NATIVE_PROTOCOL.md; unix(7); memfd_create(2).
 */

#include <stdbool.h>
#include <stddef.h>
#include <sys/uio.h>

/* Where the journal listens. */
#define JOURNAL_SOCKET_PATH "/run/systemd/journal/socket"

typedef struct JournalSocket JournalSocket;

/* @path: copied. Opens nothing yet. Return: 0, -ENOMEM, -ENAMETOOLONG. */
int journal_socket_new(const char *path, JournalSocket **ret_socket);
JournalSocket *journal_socket_free(JournalSocket *s);

/*
 * journal_socket_send() - send one entry, whole or not at all
 *
 * Too large a one goes as a sealed memfd.
 *
 * Return: 0; -EAGAIN the journal's queue is full: when journal_socket_fd() is writable there is
 * room; -ENOENT, -ECONNREFUSED nobody listens there just now: try again later; others likewise.
 */
int journal_socket_send(JournalSocket *s, const struct iovec *iov, size_t n_iov);

/* -1 when it is not connected. May be another one after each send. */
int journal_socket_fd(const JournalSocket *s);

/* Has the journal taken all that was sent on this connection out of its queue? Not: stored. */
bool journal_socket_is_drained(const JournalSocket *s);
