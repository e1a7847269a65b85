/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * A flight and what it reads from.
 *
 * A socket that keeps the boundaries of packets stands for the group: one packet is one read.
 */

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "capture/flight.h"
#include "unit.h"

/* FAN_EVENT_INFO_TYPE_PIDFD; one that no kernel has; both with a descriptor or as padding. */
#define RECORD_PIDFD 4
#define RECORD_UNKNOWN 0xf0
#define RECORD_FID 1

static Flight *flight;
static int group[2]; /* we write to 1, the flight reads from 0 */
static uint8_t packet[FLIGHT_CHUNK_BYTES];
static size_t n_packet;

static inline void setup_as(bool has_few_pidfds) {
        ck_assert_int_eq(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, group), 0);
        ck_assert_int_eq(fcntl(group[0], F_SETFL, O_NONBLOCK), 0);
        ck_assert_int_eq(flight_new(has_few_pidfds, &flight), 0);
        n_packet = 0;
}

static inline void setup(void) {
        setup_as(false);
}

static inline void teardown(void) {
        FlightEvent e;

        while (flight_peek(flight, &e) > 0)
                flight_pop(flight);
        flight = flight_free(flight);
        close(group[0]);
        close(group[1]);
}

static inline size_t n_descriptors(void) {
        DIR *d = opendir("/proc/self/fd");
        size_t n = 0;

        ck_assert_ptr_nonnull(d);
        while (readdir(d))
                n++;
        closedir(d);
        return n;
}

static inline void add_bytes(const void *bytes, size_t n_bytes) {
        ck_assert_uint_le(n_bytes, sizeof(packet) - n_packet);
        memcpy(packet + n_packet, bytes, n_bytes);
        n_packet += n_bytes;
}

static inline void send_packet(void) {
        ck_assert_int_eq(send(group[1], packet, n_packet, 0), (ssize_t)n_packet);
        n_packet = 0;
}

static inline void add_record(uint8_t type, uint16_t n_bytes, int32_t fd) {
        const uint8_t head[4] = {type, 0, (uint8_t)(n_bytes & 0xff), (uint8_t)(n_bytes >> 8)};
        static const uint8_t zeros[UINT16_MAX];

        add_bytes(head, sizeof(head));
        add_bytes(&fd, sizeof(fd));
        add_bytes(zeros, n_bytes - sizeof(head) - sizeof(fd));
}

/* An event by `pid` with a record of a pidfd, if it is not -1, and n_padding bytes (0 or ≥ 8). */
static inline void add_event(int32_t pid, int32_t pidfd, size_t n_padding) {
        const struct fanotify_event_metadata meta = {
                .event_len = (uint32_t)(sizeof(meta) + (pidfd == -1 ? 0 : 8) + n_padding),
                .vers = FANOTIFY_METADATA_VERSION,
                .metadata_len = sizeof(meta),
                .mask = FAN_DELETE,
                .fd = FAN_NOFD,
                .pid = pid,
        };

        add_bytes(&meta, sizeof(meta));
        if (pidfd != -1)
                add_record(RECORD_PIDFD, 8, pidfd);
        if (n_padding > 0)
                add_record(RECORD_UNKNOWN, (uint16_t)n_padding, 0);
}

/* Its one record says that it goes on where it does not. */
static inline void add_malformed_event(int32_t pidfd) {
        size_t start = n_packet;
        uint32_t n_event;

        add_event(0, pidfd, 0);
        add_record(RECORD_FID, 8, 0);
        n_event = (uint32_t)(n_packet - start);
        memcpy(packet + start, &n_event, sizeof(n_event));
}

static inline int dup_fd(void) {
        int fd = fcntl(group[1], F_DUPFD_CLOEXEC, 0);

        ck_assert_int_ge(fd, 0);
        return fd;
}

/* One read, looked through to its end. Return: events, of which the last may be malformed. */
static inline size_t take(int expected_end) {
        FlightEvent e;
        size_t n = 0;
        int r;

        ck_assert_int_gt(flight_read(flight, group[0]), 0);
        while ((r = flight_next_read(flight, &e)) > 0)
                n++;
        ck_assert_int_eq(r, expected_end);
        ck_assert_int_eq(flight_next_read(flight, &e), 0);
        flight_close_pidfds(flight);
        return n;
}

static inline void expect_head(uint64_t position, int32_t pid, const void *attachment) {
        FlightEvent e;

        ck_assert_int_eq(flight_peek(flight, &e), 1);
        ck_assert_uint_eq(e.position, position);
        ck_assert_int_eq(e.fan.pid, pid);
        ck_assert_ptr_eq(e.attachment, attachment);
        ck_assert_int_eq(e.fan.pidfd, -1);
        ck_assert_int_eq(e.fan.fd, -1);
}
