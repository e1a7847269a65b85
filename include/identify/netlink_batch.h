/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Datagrams of a netlink socket, many with one system call, and only those of the kernel.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* Most datagrams of one read. */
#define NETLINK_BATCH_MAX 64

/* Datagrams of one netlink_batch_read(); borrowed from its room until the next. */
typedef struct NetlinkBatch {
        size_t n_datagrams;
        struct {
                const uint8_t *bytes;
                size_t n_bytes;
                size_t i; /* its place in the room */
        } datagrams[NETLINK_BATCH_MAX];
} NetlinkBatch;

/* Where datagrams are read into. */
typedef struct NetlinkBatchRoom NetlinkBatchRoom;

/*
 * netlink_batch_room_new() - room for datagrams, used again by each read
 * @n_datagrams: taken at most with one read; 1 to NETLINK_BATCH_MAX
 * @n_bytes:     of each; what a datagram has more is cut off
 *
 * Return: 0, -ENOMEM.
 */
int netlink_batch_room_new(size_t n_datagrams, size_t n_bytes, NetlinkBatchRoom **ret_room);
/*
 * The same in memory that outlives this process, so that what was taken from the kernel and not yet
 * looked at is found by the next one.
 * @memory:    netlink_batch_memory_bytes() of it, 8-byte aligned; zeroed, or as it was left
 * @ret_batch: datagrams that were left there, as netlink_batch_read() returns them
 */
size_t netlink_batch_memory_bytes(size_t n_datagrams, size_t n_bytes);
int netlink_batch_room_new_in(size_t n_datagrams, size_t n_bytes, void *memory,
                              NetlinkBatch *ret_batch, NetlinkBatchRoom **ret_room);
/* So many of the last batch need not be found by the next process. */
void netlink_batch_done(NetlinkBatchRoom *room, size_t n_done);
NetlinkBatchRoom *netlink_batch_room_free(NetlinkBatchRoom *room);

/*
 * netlink_batch_read() - take what is there, without blocking
 *
 * Datagrams that were not sent by the kernel are left out, so that a batch may be empty.
 * Return: 1 some, 0 none waiting, -ENOBUFS datagrams were lost (go on reading), errors of
 * recvmmsg(2).
 */
int netlink_batch_read(int fd, NetlinkBatchRoom *room, NetlinkBatch *ret_batch);

/*
 * Is nothing waiting at this moment, nor a loss that the reader has not been told of? May be called
 * from another thread than the reader's.
 */
bool netlink_batch_is_empty(int fd);

/* Waits for something to read. Return: 0, -ETIMEDOUT, errors of poll(2). */
int netlink_batch_wait(int fd, unsigned timeout_msec);

/* Does the batch tell of our child? */
typedef bool (*NetlinkBatchTells)(const NetlinkBatch *batch, pid_t pid, void *userdata);

/*
 * netlink_batch_probe() - prove by a child of our own, which ends at once, that messages arrive
 *
 * What is read is thrown away.
 *
 * Return: 0, -ENOTCONN the child was not told of in time, errors of fork(2), recvmmsg(2), poll(2).
 */
int netlink_batch_probe(int fd, NetlinkBatchRoom *room, unsigned timeout_msec,
                        NetlinkBatchTells tells, void *userdata);
