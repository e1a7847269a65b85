/* SPDX-License-Identifier: MIT */

/*
 * What the sockets of the process connector and of the exit records have in common.
 *
 * Source: netlink(7), recvmmsg(2); net/netlink/af_netlink.c of Linux 6.18.
 */

#include "identify/netlink_batch.h"

#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <linux/netlink.h>

#include "base/clock.h"

struct NetlinkBatchRoom {
        size_t n_datagrams;
        uint8_t *bytes;
        struct mmsghdr messages[NETLINK_BATCH_MAX];
        struct iovec vectors[NETLINK_BATCH_MAX];
        struct sockaddr_nl senders[NETLINK_BATCH_MAX];
};

int netlink_batch_room_new(size_t n_datagrams, size_t n_bytes, NetlinkBatchRoom **ret_room) {
        NetlinkBatchRoom *room;

        assert(n_datagrams > 0 && n_datagrams <= NETLINK_BATCH_MAX);
        room = calloc(1, sizeof(*room));
        if (!room)
                return -ENOMEM;
        room->n_datagrams = n_datagrams;
        room->bytes = calloc(n_datagrams, n_bytes);
        if (!room->bytes) {
                netlink_batch_room_free(room);
                return -ENOMEM;
        }
        for (size_t i = 0; i < n_datagrams; i++) {
                room->vectors[i] = (struct iovec){room->bytes + i * n_bytes, n_bytes};
                room->messages[i].msg_hdr = (struct msghdr){
                        .msg_name = &room->senders[i],
                        .msg_iov = &room->vectors[i],
                        .msg_iovlen = 1,
                };
        }
        *ret_room = room;
        return 0;
}

NetlinkBatchRoom *netlink_batch_room_free(NetlinkBatchRoom *room) {
        if (room) {
                free(room->bytes);
                free(room);
        }
        return NULL;
}

int netlink_batch_read(int fd, NetlinkBatchRoom *room, NetlinkBatch *ret_batch) {
        int n;

        ret_batch->n_datagrams = 0;
        for (size_t i = 0; i < room->n_datagrams; i++)
                room->messages[i].msg_hdr.msg_namelen = sizeof(room->senders[i]);
        do
                n = recvmmsg(fd, room->messages, (unsigned)room->n_datagrams, MSG_DONTWAIT, NULL);
        while (n < 0 && errno == EINTR);
        if (n < 0)
                return errno == EAGAIN ? 0 : -errno;

        for (int i = 0; i < n; i++) {
                size_t k = ret_batch->n_datagrams;

                /* Any root process may send to our port or group; only the kernel has port 0. */
                if (room->senders[i].nl_pid != 0)
                        continue;
                ret_batch->datagrams[k].bytes = room->vectors[i].iov_base;
                ret_batch->datagrams[k].n_bytes = room->messages[i].msg_len;
                ret_batch->n_datagrams++;
        }
        return 1;
}

/* By poll(2): recv(2) would be told of a loss in the reader's place. */
bool netlink_batch_is_empty(int fd) {
        struct pollfd p = {.fd = fd, .events = POLLIN};

        return poll(&p, 1, 0) == 0;
}

int netlink_batch_wait(int fd, unsigned timeout_msec) {
        struct pollfd p = {.fd = fd, .events = POLLIN};
        int r;

        do
                r = poll(&p, 1, (int)timeout_msec);
        while (r < 0 && errno == EINTR);
        if (r < 0)
                return -errno;
        return r == 0 ? -ETIMEDOUT : 0;
}

/* A bound for the whole: on a busy machine messages of others never cease. */
static int await_child(int fd, NetlinkBatchRoom *room, uint64_t end_nsec, NetlinkBatchTells tells,
                       pid_t pid, void *userdata) {
        NetlinkBatch batch;

        for (;;) {
                uint64_t now = clock_now_nsec(CLOCK_MONOTONIC);
                int r = netlink_batch_read(fd, room, &batch);

                if (r > 0 && tells(&batch, pid, userdata))
                        return 0;
                if (r < 0 && r != -ENOBUFS)
                        return r;
                if (now >= end_nsec)
                        return -ENOTCONN;
                if (r != 0)
                        continue;
                r = netlink_batch_wait(fd, (unsigned)((end_nsec - now) / CLOCK_NSEC_PER_MSEC) + 1);
                if (r < 0 && r != -ETIMEDOUT)
                        return r;
        }
}

int netlink_batch_probe(int fd, NetlinkBatchRoom *room, unsigned timeout_msec,
                        NetlinkBatchTells tells, void *userdata) {
        uint64_t end = clock_now_nsec(CLOCK_MONOTONIC) + timeout_msec * CLOCK_NSEC_PER_MSEC;
        pid_t pid;
        int r;

        pid = fork();
        if (pid < 0)
                return -errno;
        if (pid == 0)
                _exit(0);
        r = await_child(fd, room, end, tells, pid, userdata);
        while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
                ;
        return r;
}
