/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The socket on which the kernel leaves a record of each process that ended.
 */

#include "identify/netlink_batch.h"

/* Room for what ends while nobody reads; the kernel counts it double. */
#define TASKSTATS_SOCKET_RECEIVE_BYTES (32 * 1024 * 1024)

typedef struct TaskstatsSocket TaskstatsSocket;

/*
 * taskstats_socket_new() - register for all cpus, and prove by a child of our own that records
 * arrive
 *
 * In a network namespace other than the initial one the kernel accepts the registration and stays
 * silent; in another pid or user namespace it refuses.  The calling process needs a while for the
 * proof, a few milliseconds on an idle machine.
 *
 * Return: 0, -EPERM CAP_NET_ADMIN is missing, -EPROTONOSUPPORT the kernel has no exit records
 * (CONFIG_TASKSTATS), -ENOTCONN refused or silent: not in the initial namespaces, -ENOMEM,
 * -ETIMEDOUT the kernel does not answer, errors of socket(2) and of reading the cpus in /sys.
 */
int taskstats_socket_new(TaskstatsSocket **ret_socket);
/* As proc_connector_adopt(). A socket that is kept stays registered when it is freed here. */
size_t taskstats_socket_memory_bytes(void);
int taskstats_socket_adopt(int fd, void *memory, NetlinkBatch *ret_batch,
                           TaskstatsSocket **ret_socket);
void taskstats_socket_done(TaskstatsSocket *s, size_t n_done);
TaskstatsSocket *taskstats_socket_free(TaskstatsSocket *s);
int taskstats_socket_fd(const TaskstatsSocket *s);

/*
 * taskstats_socket_read() - take what is there, without blocking
 *
 * The kernel sends a record before the process connector's EXIT of the same thread: who has read
 * the EXIT of a process with one thread finds its record by reading until 0, if it is not lost.
 * With several threads there is one record, by the last of them, while the connector's EXIT for the
 * process is its leader's: the record may come later, and no EXIT comes with it.  Records of
 * threads that leave others behind are dropped in the kernel since its version 12, and else are
 * for the reader to pass over.  Datagrams that were not sent by the kernel are left out.
 *
 * Return: 1 some, 0 none waiting, -ENOBUFS records were lost (go on reading), errors of
 * recvmmsg(2).
 */
int taskstats_socket_read(TaskstatsSocket *s, NetlinkBatch *ret_batch);

/* As netlink_batch_is_empty(). */
bool taskstats_socket_is_empty(const TaskstatsSocket *s);
