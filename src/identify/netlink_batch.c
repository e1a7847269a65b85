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
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <linux/netlink.h>

#include "base/clock.h"

/* What recvmmsg(2) fills in, and how much of it has been looked at. Perhaps in kept memory. */
typedef struct Shared {
        size_t n_done; /* of the batch */
        struct mmsghdr messages[NETLINK_BATCH_MAX];
        struct sockaddr_nl senders[NETLINK_BATCH_MAX];
        uint8_t bytes[];
} Shared;

struct NetlinkBatchRoom {
        size_t n_datagrams;
        Shared *shared;
        bool is_kept; /* .shared is the caller's, and outlives this process */
        struct iovec vectors[NETLINK_BATCH_MAX];
};

size_t netlink_batch_memory_bytes(size_t n_datagrams, size_t n_bytes) {
        return (sizeof(Shared) + n_datagrams * n_bytes + 7) / 8 * 8;
}

static void lay_out(NetlinkBatchRoom *room, size_t n_bytes) {
        Shared *s = room->shared;

        for (size_t i = 0; i < room->n_datagrams; i++) {
                room->vectors[i] = (struct iovec){s->bytes + i * n_bytes, n_bytes};
                s->messages[i].msg_hdr = (struct msghdr){
                        .msg_name = &s->senders[i],
                        .msg_iov = &room->vectors[i],
                        .msg_iovlen = 1,
                };
        }
}

/* Of all that the kernel has written, those from .n_done on that it has sent itself. */
static void collect(const NetlinkBatchRoom *room, NetlinkBatch *ret_batch) {
        const Shared *s = room->shared;

        ret_batch->n_datagrams = 0;
        for (size_t i = s->n_done; i < room->n_datagrams; i++) {
                size_t k = ret_batch->n_datagrams;

                /* Any root process may send to our port or group; only the kernel has port 0. */
                if (s->messages[i].msg_len == 0 || s->senders[i].nl_pid != 0)
                        continue;
                ret_batch->datagrams[k].bytes = room->vectors[i].iov_base;
                ret_batch->datagrams[k].n_bytes = s->messages[i].msg_len < room->vectors[i].iov_len
                                                          ? s->messages[i].msg_len
                                                          : room->vectors[i].iov_len;
                ret_batch->datagrams[k].i = i;
                ret_batch->n_datagrams++;
        }
}

int netlink_batch_room_new(size_t n_datagrams, size_t n_bytes, NetlinkBatchRoom **ret_room) {
        Shared *memory = calloc(1, netlink_batch_memory_bytes(n_datagrams, n_bytes));
        NetlinkBatch batch;
        int r;

        if (!memory)
                return -ENOMEM;
        r = netlink_batch_room_new_in(n_datagrams, n_bytes, memory, &batch, ret_room);
        if (r < 0)
                free(memory);
        else
                (*ret_room)->is_kept = false;
        return r;
}

int netlink_batch_room_new_in(size_t n_datagrams, size_t n_bytes, void *memory,
                              NetlinkBatch *ret_batch, NetlinkBatchRoom **ret_room) {
        NetlinkBatchRoom *room;

        assert(n_datagrams > 0 && n_datagrams <= NETLINK_BATCH_MAX);
        room = calloc(1, sizeof(*room));
        if (!room)
                return -ENOMEM;
        room->n_datagrams = n_datagrams;
        room->shared = memory;
        room->is_kept = true;
        lay_out(room, n_bytes);
        collect(room, ret_batch);
        *ret_room = room;
        return 0;
}

void netlink_batch_done(NetlinkBatchRoom *room, size_t n_done) {
        atomic_signal_fence(memory_order_seq_cst);
        room->shared->n_done = n_done;
}

NetlinkBatchRoom *netlink_batch_room_free(NetlinkBatchRoom *room) {
        if (room) {
                if (!room->is_kept)
                        free(room->shared);
                free(room);
        }
        return NULL;
}

int netlink_batch_read(int fd, NetlinkBatchRoom *room, NetlinkBatch *ret_batch) {
        Shared *s = room->shared;
        int n;

        ret_batch->n_datagrams = 0;
        /* First nothing of it counts, then it is written over. */
        netlink_batch_done(room, room->n_datagrams);
        for (size_t i = 0; i < room->n_datagrams; i++) {
                s->messages[i].msg_hdr.msg_namelen = sizeof(s->senders[i]);
                s->messages[i].msg_len = 0;
        }
        netlink_batch_done(room, 0);
        do
                n = recvmmsg(fd, s->messages, (unsigned)room->n_datagrams, MSG_DONTWAIT, NULL);
        while (n < 0 && errno == EINTR);
        if (n < 0)
                return errno == EAGAIN ? 0 : -errno;
        collect(room, ret_batch);
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
