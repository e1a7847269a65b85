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
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <linux/cn_proc.h>
#include <linux/connector.h>
#include <linux/filter.h>
#include <linux/netlink.h>

#include "base/cleanup.h"
#include "identify/proc_event.h"

/* The kernel sends one event a datagram. */
#define DATAGRAM_BYTES 512
/* Execs of one CPU come one by one. */
#define EXECS_BATCH 8
#define ALL_CPUS UINT_MAX
/* How long our own child's fork may take to be told; a loaded machine takes milliseconds. */
#define PROBE_TIMEOUT_MSEC 2000

struct ProcConnector {
        int fd;
        NetlinkBatchRoom *room;
};

/* Offset of the event in a message, and of a member in its data. */
#define EVENT_AT (NLMSG_HDRLEN + sizeof(struct cn_msg))
#define MEMBER_AT(m) ((uint32_t)(EVENT_AT + offsetof(struct proc_event, event_data.m)))

static int attach(int fd, struct sock_filter *code, size_t n_code) {
        const struct sock_fprog program = {.len = (unsigned short)n_code, .filter = code};

        if (setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program)) < 0)
                return -errno;
        return 0;
}

/* BPF loads are big-endian: constants to compare with are turned at build time. */
static int drop_threads(int fd) {
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

        return attach(fd, code, sizeof(code) / sizeof(code[0]));
}

static int keep_execs_of(int fd, unsigned cpu) {
        struct sock_filter code[] = {
                BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
                         (uint32_t)(EVENT_AT + offsetof(struct proc_event, what))),
                BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, htonl(PROC_EVENT_EXEC), 0, 3),
                BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
                         (uint32_t)(EVENT_AT + offsetof(struct proc_event, cpu))),
                BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, htonl(cpu), 0, 1),
                BPF_STMT(BPF_RET | BPF_K, UINT32_MAX), /* keep */
                BPF_STMT(BPF_RET | BPF_K, 0),          /* drop */
        };

        return attach(fd, code, sizeof(code) / sizeof(code[0]));
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

/* @cpu: of which the execs are wanted; ALL_CPUS: all events of processes */
static int open_socket(unsigned cpu) {
        const struct sockaddr_nl address = {.nl_family = AF_NETLINK, .nl_groups = CN_IDX_PROC};
        const int n_bytes = PROC_CONNECTOR_RECEIVE_BYTES;
        _cleanup_close_ int fd = -1;
        int r;

        fd = socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_CONNECTOR);
        if (fd < 0)
                return -errno;
        if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &n_bytes, sizeof(n_bytes)) < 0)
                return -errno;
        r = cpu == ALL_CPUS ? drop_threads(fd) : keep_execs_of(fd, cpu);
        if (r < 0)
                return r;
        if (bind(fd, (const struct sockaddr *)&address, sizeof(address)) < 0)
                return -errno;
        r = subscribe(fd);
        if (r < 0)
                return r;
        return take_fd(&fd);
}

static bool tells_of_fork(const NetlinkBatch *batch, pid_t pid, void *userdata) {
        (void)userdata;
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

static int connector_new(unsigned cpu, ProcConnector **ret_connector) {
        ProcConnector *c;
        int r;

        c = calloc(1, sizeof(*c));
        if (!c)
                return -ENOMEM;
        c->fd = open_socket(cpu);
        r = c->fd;
        if (r >= 0)
                r = netlink_batch_room_new(cpu == ALL_CPUS ? NETLINK_BATCH_MAX : EXECS_BATCH,
                                           DATAGRAM_BYTES, &c->room);
        if (r < 0) {
                proc_connector_free(c);
                return r;
        }
        *ret_connector = c;
        return 0;
}

int proc_connector_new(ProcConnector **ret_connector) {
        ProcConnector *c;
        int r;

        r = connector_new(ALL_CPUS, &c);
        if (r < 0)
                return r;
        /* What the probe throws away came before the first scan of /proc. */
        r = netlink_batch_probe(c->fd, c->room, PROBE_TIMEOUT_MSEC, tells_of_fork, NULL);
        if (r < 0) {
                proc_connector_free(c);
                return r;
        }
        *ret_connector = c;
        return 0;
}

int proc_connector_new_execs(unsigned cpu, ProcConnector **ret_connector) {
        return connector_new(cpu, ret_connector);
}

size_t proc_connector_memory_bytes(void) {
        return netlink_batch_memory_bytes(NETLINK_BATCH_MAX, DATAGRAM_BYTES);
}

int proc_connector_adopt(int fd, void *memory, NetlinkBatch *ret_batch,
                         ProcConnector **ret_connector) {
        NetlinkBatchRoom *room;
        ProcConnector *c;
        int r;

        r = netlink_batch_room_new_in(NETLINK_BATCH_MAX, DATAGRAM_BYTES, memory, ret_batch, &room);
        if (r < 0)
                return r;
        if (fd < 0) {
                r = proc_connector_new(&c);
                if (r >= 0)
                        netlink_batch_room_free(c->room);
        } else {
                c = calloc(1, sizeof(*c));
                r = c ? 0 : -ENOMEM;
                if (c)
                        c->fd = fd;
        }
        if (r < 0) {
                netlink_batch_room_free(room);
                return r;
        }
        c->room = room;
        *ret_connector = c;
        return 0;
}

void proc_connector_done(ProcConnector *c, size_t n_done) {
        netlink_batch_done(c->room, n_done);
}

ProcConnector *proc_connector_free(ProcConnector *c) {
        if (c) {
                cleanup_close(&c->fd);
                netlink_batch_room_free(c->room);
                free(c);
        }
        return NULL;
}

int proc_connector_fd(const ProcConnector *c) {
        return c->fd;
}

int proc_connector_read(ProcConnector *c, NetlinkBatch *ret_batch) {
        return netlink_batch_read(c->fd, c->room, ret_batch);
}

bool proc_connector_is_empty(const ProcConnector *c) {
        return netlink_batch_is_empty(c->fd);
}
