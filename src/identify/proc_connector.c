/* SPDX-License-Identifier: MIT */

/*
 * Netlink socket of the process connector.
 *
 * A classic BPF filter in the kernel drops the forks and exits of threads, which nobody here asks
 * for and which a threaded program makes by the thousand.  The event mask of Linux 6.6 would do
 * likewise but drops the acknowledgement too.
 *
 * Source: Documentation/driver-api/connector.rst, drivers/connector/cn_proc.c of Linux 6.18.
 */

#include "identify/proc_connector.h"

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <linux/cn_proc.h>
#include <linux/connector.h>
#include <linux/filter.h>
#include <linux/netlink.h>

#include "base/cleanup.h"
#include "identify/proc_event.h"

/* How long our own child's fork may take to be told; a loaded machine takes milliseconds. */
#define PROBE_TIMEOUT_MSEC 2000

struct ProcConnector {
        int fd;
        struct mmsghdr messages[PROC_CONNECTOR_BATCH];
        struct iovec vectors[PROC_CONNECTOR_BATCH];
        struct sockaddr_nl senders[PROC_CONNECTOR_BATCH];
        _Alignas(8) uint8_t room[PROC_CONNECTOR_BATCH][PROC_CONNECTOR_DATAGRAM_BYTES];
};

/* Offset of the event in a message, and of a member in its data. */
#define EVENT_AT (NLMSG_HDRLEN + sizeof(struct cn_msg))
#define MEMBER_AT(m) ((uint32_t)(EVENT_AT + offsetof(struct proc_event, event_data.m)))

static int attach_filter(int fd) {
        /* BPF loads are big-endian: constants to compare with are turned at build time. */
        struct sock_filter code[] = {
                BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
                         (uint32_t)(EVENT_AT + offsetof(struct proc_event, what))),
                BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, htonl(PROC_EVENT_FORK), 0, 4),
                /* FORK: a thread shares its thread group with its parent, so child pid != tgid. */
                BPF_STMT(BPF_LD | BPF_W | BPF_ABS, MEMBER_AT(fork.child_pid)),
                BPF_STMT(BPF_MISC | BPF_TAX, 0),
                BPF_STMT(BPF_LD | BPF_W | BPF_ABS, MEMBER_AT(fork.child_tgid)),
                BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_X, 0, 5, 6),
                BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, htonl(PROC_EVENT_EXIT), 0, 4),
                BPF_STMT(BPF_LD | BPF_W | BPF_ABS, MEMBER_AT(exit.process_pid)),
                BPF_STMT(BPF_MISC | BPF_TAX, 0),
                BPF_STMT(BPF_LD | BPF_W | BPF_ABS, MEMBER_AT(exit.process_tgid)),
                BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_X, 0, 0, 1),
                BPF_STMT(BPF_RET | BPF_K, UINT32_MAX), /* keep */
                BPF_STMT(BPF_RET | BPF_K, 0),          /* drop */
        };
        const struct sock_fprog program = {.len = sizeof(code) / sizeof(code[0]), .filter = code};

        if (setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program)) < 0)
                return -errno;
        return 0;
}

static int subscribe(int fd) {
        const enum proc_cn_mcast_op op = PROC_CN_MCAST_LISTEN;
        const struct cn_msg message = {
                .id = {.idx = CN_IDX_PROC, .val = CN_VAL_PROC},
                .len = sizeof(op),
        };
        uint8_t request[EVENT_AT + sizeof(op)];
        const struct nlmsghdr header = {.nlmsg_len = sizeof(request), .nlmsg_type = NLMSG_DONE};

        memcpy(request, &header, sizeof(header));
        memcpy(request + NLMSG_HDRLEN, &message, sizeof(message));
        memcpy(request + EVENT_AT, &op, sizeof(op));
        if (send(fd, request, sizeof(request), 0) < 0)
                return errno == ECONNREFUSED ? -EPROTONOSUPPORT : -errno;
        return 0;
}

static int open_socket(void) {
        const struct sockaddr_nl address = {.nl_family = AF_NETLINK, .nl_groups = CN_IDX_PROC};
        const int n_bytes = PROC_CONNECTOR_RECEIVE_BYTES;
        _cleanup_close_ int fd = -1;
        int r;

        fd = socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_CONNECTOR);
        if (fd < 0)
                return -errno;
        if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &n_bytes, sizeof(n_bytes)) < 0)
                return -errno;
        r = attach_filter(fd);
        if (r < 0)
                return r;
        if (bind(fd, (const struct sockaddr *)&address, sizeof(address)) < 0)
                return -errno;
        r = subscribe(fd);
        if (r < 0)
                return r;
        return take_fd(&fd);
}

static bool batch_tells_of(const ProcConnectorBatch *batch, pid_t pid) {
        for (size_t i = 0; i < batch->n_datagrams; i++) {
                const uint8_t *at = batch->datagrams[i].bytes;
                size_t n = batch->datagrams[i].n_bytes;
                ProcEvent e;

                while (proc_event_next(&at, &n, &e) > 0)
                        if (e.type == PROC_EVENT_TYPE_FORK && e.pid == pid)
                                return true;
        }
        return false;
}

static int await_fork_of(ProcConnector *c, pid_t pid) {
        struct pollfd p = {.fd = c->fd, .events = POLLIN};
        ProcConnectorBatch batch;

        for (;;) {
                int r = proc_connector_read(c, &batch);

                if (r > 0 && batch_tells_of(&batch, pid))
                        return 0;
                if (r < 0 && r != -ENOBUFS)
                        return r;
                if (r != 0)
                        continue;
                r = poll(&p, 1, PROBE_TIMEOUT_MSEC);
                if (r == 0)
                        return -ENOTCONN;
                if (r < 0 && errno != EINTR)
                        return -errno;
        }
}

/* What is read here is thrown away: it came before the first scan of /proc. */
static int probe(ProcConnector *c) {
        pid_t pid;
        int r;

        pid = fork();
        if (pid < 0)
                return -errno;
        if (pid == 0)
                _exit(0);
        r = await_fork_of(c, pid);
        while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
                ;
        return r;
}

int proc_connector_new(ProcConnector **ret_connector) {
        ProcConnector *c;
        int r;

        c = calloc(1, sizeof(*c));
        if (!c)
                return -ENOMEM;
        for (size_t i = 0; i < PROC_CONNECTOR_BATCH; i++) {
                c->vectors[i] = (struct iovec){c->room[i], sizeof(c->room[i])};
                c->messages[i].msg_hdr = (struct msghdr){
                        .msg_name = &c->senders[i],
                        .msg_iov = &c->vectors[i],
                        .msg_iovlen = 1,
                };
        }
        c->fd = open_socket();
        r = c->fd < 0 ? c->fd : probe(c);
        if (r < 0) {
                proc_connector_free(c);
                return r;
        }
        *ret_connector = c;
        return 0;
}

ProcConnector *proc_connector_free(ProcConnector *c) {
        if (c) {
                cleanup_close(&c->fd);
                free(c);
        }
        return NULL;
}

int proc_connector_fd(const ProcConnector *c) {
        return c->fd;
}

int proc_connector_read(ProcConnector *c, ProcConnectorBatch *ret_batch) {
        int n;

        ret_batch->n_datagrams = 0;
        for (size_t i = 0; i < PROC_CONNECTOR_BATCH; i++)
                c->messages[i].msg_hdr.msg_namelen = sizeof(c->senders[i]);
        do
                n = recvmmsg(c->fd, c->messages, PROC_CONNECTOR_BATCH, MSG_DONTWAIT, NULL);
        while (n < 0 && errno == EINTR);
        if (n < 0)
                return errno == EAGAIN ? 0 : -errno;

        for (int i = 0; i < n; i++) {
                size_t k = ret_batch->n_datagrams;

                /* Any root process may send to the group; only the kernel has port 0. */
                if (c->senders[i].nl_pid != 0)
                        continue;
                ret_batch->datagrams[k].bytes = c->room[i];
                ret_batch->datagrams[k].n_bytes = c->messages[i].msg_len;
                ret_batch->n_datagrams++;
        }
        return 1;
}

int proc_connector_is_empty(const ProcConnector *c) {
        char byte;

        if (recv(c->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) >= 0)
                return 0;
        return errno == ENOBUFS ? -ENOBUFS : errno == EAGAIN;
}
