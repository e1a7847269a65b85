/* SPDX-License-Identifier: MIT */

/*
 * Generic netlink socket of the exit records.
 *
 * A classic BPF filter in the kernel drops the records of threads, which nobody here asks for and
 * which a threaded program makes by the thousand.
 *
 * The kernel keeps the port number of a listener until it is taken back or a record cannot be
 * delivered: another socket that gets the number meanwhile would be sent our records.  So the
 * registration is taken back before the socket is closed.
 *
 * Source: Documentation/accounting/taskstats.rst, kernel/taskstats.c and net/netlink/genetlink.c
 * of Linux 6.18.
 */

#include "identify/taskstats_socket.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <linux/filter.h>
#include <linux/genetlink.h>
#include <linux/netlink.h>
#include <linux/taskstats.h>

#include "base/cleanup.h"
#include "base/reader.h"
#include "identify/taskstats_record.h"

#define POSSIBLE_CPUS "/sys/devices/system/cpu/possible"
#define CPUS_MAX 4096

/* Taken with one read: they are five times as long as the connector's. */
#define DATAGRAMS 32
/* The record comes first; what a later kernel adds may push the sums behind it out of the room. */
#define DATAGRAM_BYTES 4096

/* The kernel answers within the call that asks. */
#define ANSWER_TIMEOUT_MSEC 2000
/* How long the record of our own child may take; a loaded machine takes milliseconds. */
#define PROBE_TIMEOUT_MSEC 2000

struct TaskstatsSocket {
        int fd;
        uint16_t family;
        char cpus[CPUS_MAX]; /* a list as in "0-3,8\n", NUL-terminated; empty: not registered */
        NetlinkBatchRoom *room;
};

/* In front of each answer and record, and of each request. */
typedef struct Head {
        struct nlmsghdr netlink;
        struct genlmsghdr generic;
} Head;

_Static_assert(sizeof(Head) == NLMSG_HDRLEN + GENL_HDRLEN, "without a hole");

/* A request that holds one string. */
typedef struct Request {
        Head head;
        struct nlattr attribute;
        char text[CPUS_MAX];
} Request;

/* Offsets in a record on machines that read unaligned: no padding before the first attribute. */
#define AGGREGATE_AT sizeof(Head)
#define STATS_AT (AGGREGATE_AT + 3 * sizeof(struct nlattr) + sizeof(uint32_t)) /* AGGR_PID, PID */
#define FLAG_WHOLE_PROCESS 0x20

static int attach_filter(int fd) {
        /* BPF loads are big-endian, netlink is not: the type is the byte that is not zero. */
        const size_t type_at = AGGREGATE_AT + offsetof(struct nlattr, nla_type);
        struct sock_filter code[] = {
                BPF_STMT(BPF_LD | BPF_B | BPF_ABS,
                         (uint32_t)type_at + (__BYTE_ORDER__ == __ORDER_BIG_ENDIAN__)),
                BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, TASKSTATS_TYPE_AGGR_PID, 0, 2),
                BPF_STMT(BPF_LD | BPF_B | BPF_ABS,
                         (uint32_t)(STATS_AT + offsetof(struct taskstats, ac_flag))),
                BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, FLAG_WHOLE_PROCESS, 0, 1),
                BPF_STMT(BPF_RET | BPF_K, UINT32_MAX), /* keep */
                BPF_STMT(BPF_RET | BPF_K, 0),          /* drop */
        };
        const struct sock_fprog program = {.len = sizeof(code) / sizeof(code[0]), .filter = code};

        if (setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program)) < 0)
                return -errno;
        return 0;
}

static int send_request(int fd, uint16_t family, uint8_t command, uint16_t attribute,
                        const char *text) {
        size_t n_text = strlen(text) + 1;
        Request request = {
                .head.netlink.nlmsg_type = family,
                .head.netlink.nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK,
                .head.generic.cmd = command,
                .head.generic.version = 1,
                .attribute.nla_type = attribute,
                .attribute.nla_len = (uint16_t)(sizeof(struct nlattr) + n_text),
        };

        memcpy(request.text, text, n_text);
        request.head.netlink.nlmsg_len = (uint32_t)(offsetof(Request, text) + n_text);
        if (send(fd, &request, NLMSG_ALIGN(request.head.netlink.nlmsg_len), 0) < 0)
                return -errno;
        return 0;
}

/* The number of a family, from the controller's answer. Return: 0, -EBADMSG. */
static int family_from(Reader attributes, uint16_t *ret_family) {
        struct nlattr head;
        const uint8_t *at;

        while (reader_copy(&attributes, &head, sizeof(head)) == 0 && head.nla_len >= sizeof(head)) {
                size_t n_padded = (size_t)NLA_ALIGN(head.nla_len) - sizeof(head);

                if (head.nla_type == CTRL_ATTR_FAMILY_ID)
                        return reader_copy(&attributes, ret_family, sizeof(*ret_family));
                if (reader_borrow(&attributes, n_padded, &at) < 0)
                        break;
        }
        return -EBADMSG;
}

/*
 * Reads until the request is acknowledged or refused; records that come in between are thrown
 * away.
 * @ret_family: filled by an answer of the controller, may be NULL
 */
static int await_answer(int fd, uint16_t *ret_family) {
        _Alignas(8) uint8_t room[4096];
        Head head;

        for (;;) {
                struct sockaddr_nl sender = {0};
                socklen_t n_sender = sizeof(sender);
                ssize_t n = recvfrom(fd, room, sizeof(room), MSG_DONTWAIT,
                                     (struct sockaddr *)&sender, &n_sender);
                Reader message = reader_make(room, n > 0 ? (size_t)n : 0);
                struct nlmsgerr error;
                int r;

                if (n < 0 && errno == EAGAIN) {
                        r = netlink_batch_wait(fd, ANSWER_TIMEOUT_MSEC);
                        if (r < 0)
                                return r;
                        continue;
                }
                if (n < 0 && errno != EINTR && errno != ENOBUFS)
                        return -errno;
                if (sender.nl_pid != 0 || reader_copy(&message, &head, sizeof(head)) < 0)
                        continue;
                if (head.netlink.nlmsg_type == GENL_ID_CTRL && ret_family) {
                        r = family_from(message, ret_family);
                        if (r < 0)
                                return r;
                }
                message = reader_make(room + NLMSG_HDRLEN, (size_t)n - NLMSG_HDRLEN);
                if (head.netlink.nlmsg_type == NLMSG_ERROR)
                        return reader_copy(&message, &error, sizeof(error)) < 0 ? -EBADMSG
                                                                                : error.error;
        }
}

static int find_family(int fd, uint16_t *ret_family) {
        uint16_t family = 0;
        int r;

        r = send_request(fd, GENL_ID_CTRL, CTRL_CMD_GETFAMILY, CTRL_ATTR_FAMILY_NAME,
                         TASKSTATS_GENL_NAME);
        if (r == 0)
                r = await_answer(fd, &family);
        if (r == -ENOENT)
                return -EPROTONOSUPPORT;
        if (r < 0)
                return r;
        if (family == 0)
                return -EBADMSG;
        *ret_family = family;
        return 0;
}

/* All that may ever be there, so that none is missed that goes online later. */
static int read_cpus(char *ret_cpus, size_t n_cpus) {
        _cleanup_close_ int fd = -1;
        ssize_t n;

        fd = open(POSSIBLE_CPUS, O_RDONLY | O_CLOEXEC);
        if (fd < 0)
                return -errno;
        n = read(fd, ret_cpus, n_cpus - 1);
        if (n < 0)
                return -errno;
        if (n == 0)
                return -EIO;
        ret_cpus[n] = '\0';
        return 0;
}

static int set_up(TaskstatsSocket *s) {
        const struct sockaddr_nl address = {.nl_family = AF_NETLINK};
        const int n_bytes = TASKSTATS_SOCKET_RECEIVE_BYTES;
        char cpus[CPUS_MAX];
        int r;

        s->fd = socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_GENERIC);
        if (s->fd < 0)
                return -errno;
        if (setsockopt(s->fd, SOL_SOCKET, SO_RCVBUFFORCE, &n_bytes, sizeof(n_bytes)) < 0)
                return -errno;
        if (bind(s->fd, (const struct sockaddr *)&address, sizeof(address)) < 0)
                return -errno;
        r = find_family(s->fd, &s->family);
        if (r == 0)
                r = read_cpus(cpus, sizeof(cpus));
        if (r == 0)
                r = send_request(s->fd, s->family, TASKSTATS_CMD_GET,
                                 TASKSTATS_CMD_ATTR_REGISTER_CPUMASK, cpus);
        if (r < 0)
                return r;

        r = await_answer(s->fd, NULL);
        if (r < 0)
                /* Its word for "not from the initial pid and user namespace". */
                return r == -EINVAL ? -ENOTCONN : r;
        memcpy(s->cpus, cpus, sizeof(cpus));
        return 0;
}

/* @userdata: TaskstatsRecord, filled with our child's */
static bool tells_of_exit(const NetlinkBatch *batch, pid_t pid, void *userdata) {
        TaskstatsRecord *record = userdata;

        for (size_t i = 0; i < batch->n_datagrams; i++) {
                const uint8_t *at = batch->datagrams[i].bytes;
                size_t n = batch->datagrams[i].n_bytes;

                while (taskstats_record_next(&at, &n, record) > 0)
                        if (record->pid == pid)
                                return true;
        }
        return false;
}

/* What is read here is thrown away: it came before anything was watched. */
static int probe(TaskstatsSocket *s) {
        TaskstatsRecord record;
        int r;

        r = netlink_batch_probe(s->fd, s->room, PROBE_TIMEOUT_MSEC, tells_of_exit, &record);
        if (r < 0)
                return r;
        /* Before version 12 the kernel does not say which one is the last of a process. */
        return record.is_whole_process ? attach_filter(s->fd) : 0;
}

int taskstats_socket_new(TaskstatsSocket **ret_socket) {
        TaskstatsSocket *s;
        int r;

        s = calloc(1, sizeof(*s));
        if (!s)
                return -ENOMEM;
        s->fd = -1;
        r = netlink_batch_room_new(DATAGRAMS, DATAGRAM_BYTES, &s->room);
        if (r == 0)
                r = set_up(s);
        if (r == 0)
                r = probe(s);
        if (r < 0) {
                taskstats_socket_free(s);
                return r;
        }
        *ret_socket = s;
        return 0;
}

size_t taskstats_socket_memory_bytes(void) {
        return netlink_batch_memory_bytes(DATAGRAMS, DATAGRAM_BYTES);
}

int taskstats_socket_adopt(int fd, void *memory, NetlinkBatch *ret_batch,
                           TaskstatsSocket **ret_socket) {
        NetlinkBatchRoom *room;
        TaskstatsSocket *s;
        int r;

        r = netlink_batch_room_new_in(DATAGRAMS, DATAGRAM_BYTES, memory, ret_batch, &room);
        if (r < 0)
                return r;
        if (fd < 0) {
                r = taskstats_socket_new(&s);
                if (r >= 0) {
                        netlink_batch_room_free(s->room);
                        /* Another process goes on with it. */
                        s->cpus[0] = '\0';
                }
        } else {
                s = calloc(1, sizeof(*s));
                r = s ? 0 : -ENOMEM;
                if (s)
                        s->fd = fd;
        }
        if (r < 0) {
                netlink_batch_room_free(room);
                return r;
        }
        s->room = room;
        *ret_socket = s;
        return 0;
}

void taskstats_socket_done(TaskstatsSocket *s, size_t n_done) {
        netlink_batch_done(s->room, n_done);
}

TaskstatsSocket *taskstats_socket_free(TaskstatsSocket *s) {
        if (s) {
                if (s->cpus[0] != '\0')
                        (void)send_request(s->fd, s->family, TASKSTATS_CMD_GET,
                                           TASKSTATS_CMD_ATTR_DEREGISTER_CPUMASK, s->cpus);
                cleanup_close(&s->fd);
                netlink_batch_room_free(s->room);
                free(s);
        }
        return NULL;
}

int taskstats_socket_fd(const TaskstatsSocket *s) {
        return s->fd;
}

int taskstats_socket_read(TaskstatsSocket *s, NetlinkBatch *ret_batch) {
        return netlink_batch_read(s->fd, s->room, ret_batch);
}

bool taskstats_socket_is_empty(const TaskstatsSocket *s) {
        return netlink_batch_is_empty(s->fd);
}
