/* SPDX-License-Identifier: MIT */

/*
 * Batches of a netlink socket.  The kernel's datagrams are what it answers to requests that ask
 * for nothing but an answer; it gives them to anybody.
 */

#include "identify/netlink_batch.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <linux/netlink.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "unit.h"

#define ROOM_BYTES 256

static int fd = -1;
static NetlinkBatchRoom *room;

static int netlink_socket(int protocol, uint32_t *ret_port) {
        struct sockaddr_nl address = {.nl_family = AF_NETLINK};
        socklen_t n = sizeof(address);
        int s = socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, protocol);

        ck_assert_int_ge(s, 0);
        ck_assert_int_eq(bind(s, (struct sockaddr *)&address, sizeof(address)), 0);
        ck_assert_int_eq(getsockname(s, (struct sockaddr *)&address, &n), 0);
        *ret_port = address.nl_pid;
        return s;
}

static void setup(void) {
        uint32_t port;

        fd = netlink_socket(NETLINK_ROUTE, &port);
        ck_assert_int_eq(netlink_batch_room_new(NETLINK_BATCH_MAX, ROOM_BYTES, &room), 0);
}

static void teardown(void) {
        room = netlink_batch_room_free(room);
        close(fd);
}

/* The kernel answers at once, with a datagram that repeats the number. */
static void make_kernel_send(uint32_t number) {
        const struct nlmsghdr m = {
                .nlmsg_len = sizeof(m),
                .nlmsg_type = NLMSG_NOOP,
                .nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK,
                .nlmsg_seq = number,
        };

        ck_assert_int_eq(send(fd, &m, sizeof(m), 0), sizeof(m));
}

static void check_number(const NetlinkBatch *batch, size_t i, uint32_t number) {
        struct nlmsghdr m;

        ck_assert_uint_lt(i, batch->n_datagrams);
        ck_assert_uint_ge(batch->datagrams[i].n_bytes, sizeof(m));
        memcpy(&m, batch->datagrams[i].bytes, sizeof(m));
        ck_assert_uint_eq(m.nlmsg_type, NLMSG_ERROR);
        ck_assert_uint_eq(m.nlmsg_len, batch->datagrams[i].n_bytes);
        ck_assert_uint_eq(m.nlmsg_seq, number);
}

START_TEST(test_in_order) {
        NetlinkBatch batch;

        ck_assert(netlink_batch_is_empty(fd));
        ck_assert_int_eq(netlink_batch_read(fd, room, &batch), 0);
        ck_assert_uint_eq(batch.n_datagrams, 0);
        for (uint32_t i = 0; i < 3; i++)
                make_kernel_send(100 + i);
        ck_assert(!netlink_batch_is_empty(fd));
        ck_assert(!netlink_batch_is_empty(fd)); /* nothing was taken */
        ck_assert_int_eq(netlink_batch_read(fd, room, &batch), 1);
        ck_assert_uint_eq(batch.n_datagrams, 3);
        for (uint32_t i = 0; i < 3; i++)
                check_number(&batch, i, 100 + i);
        ck_assert(netlink_batch_is_empty(fd));
}
END_TEST

/* More than fit one read come with the next, and never more than there is room for. */
START_TEST(test_more_than_room) {
        static const size_t n_rooms[] = {1, 7, NETLINK_BATCH_MAX};
        const size_t n_room = n_rooms[_i];
        const size_t n_sent = 2 * n_room + 1;
        NetlinkBatch batch;
        uint32_t seen = 0;

        netlink_batch_room_free(room);
        ck_assert_int_eq(netlink_batch_room_new(n_room, ROOM_BYTES, &room), 0);
        for (uint32_t i = 0; i < n_sent; i++)
                make_kernel_send(i);
        for (int k = 0; k < 3; k++) {
                ck_assert_int_eq(netlink_batch_read(fd, room, &batch), 1);
                ck_assert_uint_eq(batch.n_datagrams, k < 2 ? n_room : 1);
                for (size_t i = 0; i < batch.n_datagrams; i++)
                        check_number(&batch, i, seen++);
        }
        ck_assert_int_eq(netlink_batch_read(fd, room, &batch), 0);
}
END_TEST

START_TEST(test_cut_off) {
        NetlinkBatch batch;

        netlink_batch_room_free(room);
        ck_assert_int_eq(netlink_batch_room_new(2, 8, &room), 0);
        make_kernel_send(1);
        make_kernel_send(2);
        ck_assert_int_eq(netlink_batch_read(fd, room, &batch), 1);
        ck_assert_uint_eq(batch.n_datagrams, 2);
        for (size_t i = 0; i < 2; i++) {
                uint32_t n_whole;

                ck_assert_uint_eq(batch.datagrams[i].n_bytes, 8);
                memcpy(&n_whole, batch.datagrams[i].bytes, sizeof(n_whole));
                ck_assert_uint_gt(n_whole, 8);
        }
}
END_TEST

/* A process that sends to our port is not the kernel. */
START_TEST(test_forged) {
        struct sockaddr_nl to = {.nl_family = AF_NETLINK};
        const struct nlmsghdr m = {.nlmsg_len = sizeof(m), .nlmsg_type = NLMSG_DONE};
        uint32_t port;
        _cleanup_close_ int ours = netlink_socket(NETLINK_USERSOCK, &to.nl_pid);
        _cleanup_close_ int other = netlink_socket(NETLINK_USERSOCK, &port);
        NetlinkBatch batch;

        for (int i = 0; i < 3; i++)
                ck_assert_int_eq(
                        sendto(other, &m, sizeof(m), 0, (struct sockaddr *)&to, sizeof(to)),
                        sizeof(m));
        ck_assert(!netlink_batch_is_empty(ours));
        ck_assert_int_eq(netlink_batch_read(ours, room, &batch), 1);
        ck_assert_uint_eq(batch.n_datagrams, 0);
        ck_assert_int_eq(netlink_batch_read(ours, room, &batch), 0);

        /* Where the forged one lay comes the kernel's. */
        make_kernel_send(5);
        ck_assert_int_eq(netlink_batch_read(fd, room, &batch), 1);
        ck_assert_uint_eq(batch.n_datagrams, 1);
        check_number(&batch, 0, 5);
}
END_TEST

/* Leaves the socket with one loss that nobody was told of yet. */
static void overflow(void) {
        const int n_bytes = 1; /* the kernel makes its least of it */

        ck_assert_int_eq(setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &n_bytes, sizeof(n_bytes)), 0);
        for (uint32_t i = 0; i < 100; i++)
                make_kernel_send(i);
}

START_TEST(test_lost) {
        NetlinkBatch batch;

        overflow();
        ck_assert_int_eq(netlink_batch_read(fd, room, &batch), -ENOBUFS);
        ck_assert_uint_eq(batch.n_datagrams, 0);
        /* What had fitted is still there. */
        ck_assert_int_eq(netlink_batch_read(fd, room, &batch), 1);
        check_number(&batch, 0, 0);
        while (netlink_batch_read(fd, room, &batch) == 1)
                ;
        ck_assert(netlink_batch_is_empty(fd));
}
END_TEST

/* Whoever asks whether it is empty takes nothing from the reader, who is told of the loss once. */
START_TEST(test_lost_told_to_reader) {
        NetlinkBatch batch;

        overflow();
        ck_assert(!netlink_batch_is_empty(fd));
        ck_assert(!netlink_batch_is_empty(fd));
        ck_assert_int_eq(netlink_batch_read(fd, room, &batch), -ENOBUFS);
        ck_assert_int_eq(netlink_batch_read(fd, room, &batch), 1);
}
END_TEST

START_TEST(test_no_socket) {
        NetlinkBatch batch;

        ck_assert_int_eq(netlink_batch_read(-1, room, &batch), -EBADF);
        ck_assert_uint_eq(batch.n_datagrams, 0);
}
END_TEST

START_TEST(test_wait) {
        ck_assert_int_eq(netlink_batch_wait(fd, 1), -ETIMEDOUT);
        make_kernel_send(1);
        ck_assert_int_eq(netlink_batch_wait(fd, 60000), 0);
}
END_TEST

/* What a probe's test of a batch saw, and when it is to be content. */
typedef struct Probe {
        uint32_t content_with; /* the number of a datagram */
        bool is_flood;         /* sends more whenever it is asked */
        pid_t pid;
        int n_asked;
} Probe;

static bool tells(const NetlinkBatch *batch, pid_t pid, void *userdata) {
        Probe *p = userdata;

        ck_assert(p->pid == 0 || p->pid == pid);
        ck_assert_int_eq(kill(pid, 0), 0); /* ours, and not yet waited for */
        p->pid = pid;
        p->n_asked++;
        if (p->is_flood)
                make_kernel_send(1);
        for (size_t i = 0; i < batch->n_datagrams; i++) {
                struct nlmsghdr m;

                memcpy(&m, batch->datagrams[i].bytes, sizeof(m));
                if (m.nlmsg_seq == p->content_with)
                        return true;
        }
        return false;
}

static void check_child_is_gone(void) {
        ck_assert_int_eq(waitpid(-1, NULL, WNOHANG), -1);
        ck_assert_int_eq(errno, ECHILD);
}

START_TEST(test_probe) {
        Probe p = {.content_with = 2};

        netlink_batch_room_free(room);
        ck_assert_int_eq(netlink_batch_room_new(1, ROOM_BYTES, &room), 0);
        for (uint32_t i = 0; i < 4; i++)
                make_kernel_send(i);
        ck_assert_int_eq(netlink_batch_probe(fd, room, 60000, tells, &p), 0);
        ck_assert_int_eq(p.n_asked, 3);
        check_child_is_gone();
}
END_TEST

/* A loss is no reason to give up. */
START_TEST(test_probe_after_loss) {
        Probe p = {.content_with = 0};

        overflow();
        ck_assert_int_eq(netlink_batch_probe(fd, room, 60000, tells, &p), 0);
        ck_assert_int_eq(p.n_asked, 1);
        check_child_is_gone();
}
END_TEST

/* Silence, and messages of others that never cease. */
START_TEST(test_probe_in_vain) {
        Probe p = {.content_with = 2, .is_flood = _i == 1};
        uint64_t begin = clock_now_nsec(CLOCK_MONOTONIC);

        if (p.is_flood)
                make_kernel_send(1);
        ck_assert_int_eq(netlink_batch_probe(fd, room, 20, tells, &p), -ENOTCONN);
        ck_assert_uint_ge(clock_now_nsec(CLOCK_MONOTONIC) - begin, 20 * CLOCK_NSEC_PER_MSEC);
        ck_assert(p.is_flood == (p.n_asked > 0));
        check_child_is_gone();
}
END_TEST

START_TEST(test_probe_no_socket) {
        Probe p = {.content_with = 2};

        ck_assert_int_eq(netlink_batch_probe(-1, room, 60000, tells, &p), -EBADF);
        ck_assert_int_eq(p.n_asked, 0);
        check_child_is_gone();
}
END_TEST

START_TEST(test_free_nothing) {
        ck_assert_ptr_null(netlink_batch_room_free(NULL));
}
END_TEST

int main(void) {
        TCase *tcase = tcase_create("netlink_batch");

        tcase_add_checked_fixture(tcase, setup, teardown);
        tcase_add_test(tcase, test_in_order);
        tcase_add_loop_test(tcase, test_more_than_room, 0, 3);
        tcase_add_test(tcase, test_cut_off);
        tcase_add_test(tcase, test_forged);
        tcase_add_test(tcase, test_lost);
        tcase_add_test(tcase, test_lost_told_to_reader);
        tcase_add_test(tcase, test_no_socket);
        tcase_add_test(tcase, test_wait);
        tcase_add_test(tcase, test_probe);
        tcase_add_test(tcase, test_probe_after_loss);
        tcase_add_loop_test(tcase, test_probe_in_vain, 0, 2);
        tcase_add_test(tcase, test_probe_no_socket);
        tcase_add_test(tcase, test_free_nothing);
        return unit_run("netlink_batch", tcase);
}
