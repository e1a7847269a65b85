/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Records to the systemd journal.
 */

#include "identify/user_names.h"
#include "record/host_facts.h"
#include "sink/sink_kind.h"

typedef struct JournalSink JournalSink;

extern const SinkKind journal_sink_kind;

/*
 * @socket_path:  where the journal listens; copied
 * @host, @names: borrowed
 *
 * Return: 0, -ENOMEM, errors of epoll_create1(2) and timerfd_create(2).
 */
int journal_sink_new(const char *socket_path, const HostFacts *host, UserNames *names,
                     JournalSink **ret_sink);

/*
 * journal_sink_is_stream() - is what is written to this descriptor put into the journal?
 * @fd:             stdout or stderr
 * @journal_stream: $JOURNAL_STREAM, NULL unset
 *
 * Source: systemd.exec(5), $JOURNAL_STREAM: device and inode of the socket, which is compared
 * because a program may be started with another one and the same environment.
 */
bool journal_sink_is_stream(int fd, const char *journal_stream);
