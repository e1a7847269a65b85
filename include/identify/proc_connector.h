/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The socket on which the kernel tells of forks, execs, exits and changes of user and name.
 */

#include "identify/netlink_batch.h"

/* Holds some 80,000 messages: what a machine forks in seconds while the witness has no CPU. */
#define PROC_CONNECTOR_RECEIVE_BYTES (32 * 1024 * 1024)

typedef struct ProcConnector ProcConnector;

/*
 * proc_connector_new() - subscribe, and prove by a child of our own that events arrive
 *
 * In a network, pid or user namespace other than the initial one the kernel accepts the
 * subscription and stays silent.
 *
 * Return: 0, -EPERM CAP_NET_ADMIN is missing, -EPROTONOSUPPORT the kernel has no connector
 * (CONFIG_PROC_EVENTS), -ENOTCONN subscribed but silent: not in the initial namespaces, -ENOMEM,
 * errors of socket(2) and bind(2).
 */
int proc_connector_new(ProcConnector **ret_connector);

/*
 * proc_connector_new_execs() - a socket that gets only the execs of one CPU
 *
 * For who has one of the others, which has proven that events arrive.
 * Return: 0, -ENOMEM, errors of socket(2) and bind(2).
 */
int proc_connector_new_execs(unsigned cpu, ProcConnector **ret_connector);

/*
 * proc_connector_adopt() - go on with the socket of an earlier process
 * @fd:        taken on success; -1: a new socket, as proc_connector_new()
 * @memory:    proc_connector_memory_bytes() of it, where datagrams are read into
 * @ret_batch: what that process had taken from the kernel and not looked at
 */
size_t proc_connector_memory_bytes(void);
int proc_connector_adopt(int fd, void *memory, NetlinkBatch *ret_batch,
                         ProcConnector **ret_connector);
/* So many of the last batch have been looked at. */
void proc_connector_done(ProcConnector *c, size_t n_done);
ProcConnector *proc_connector_free(ProcConnector *c);
int proc_connector_fd(const ProcConnector *c);

/*
 * proc_connector_read() - take what is there, without blocking
 *
 * Datagrams that were not sent by the kernel are left out.
 * Return: 1 some, 0 none waiting, -ENOBUFS messages were lost (go on reading), errors of
 * recvmmsg(2).
 */
int proc_connector_read(ProcConnector *c, NetlinkBatch *ret_batch);

/* As netlink_batch_is_empty(). */
bool proc_connector_is_empty(const ProcConnector *c);
