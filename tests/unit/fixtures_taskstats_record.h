/* SPDX-License-Identifier: MIT */
#pragma once

/* An exit record that Linux 6.18 sent, and what the tests need to change and to read it. */

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <check.h>

#include "base/cleanup.h"
#include "identify/taskstats_record.h"

/*
 * The end of a /bin/true, version 16; what is not written is zero.  nlmsghdr, genlmsghdr, AGGR_PID,
 * PID, STATS are in the first 36 bytes.
 */
#define N_SENT 596
static const struct {
        size_t at;
        size_t n;
        const char *bytes;
} sent[] = {
        {0, 10, "\x54\x02\x00\x00\x1f\x00\x00\x00\x9e\x9d"},
        {16, 21,
         "\x02\x01\x00\x00\x40\x02\x04\x00\x08\x00\x01\x00\x7d\x64\x00\x00\x34\x02\x03\x00\x10"},
        {44, 1, "\x20"},
        {52, 1, "\x02"},
        {60, 3, "\x10\x1d\x15"},
        {108, 3, "\xb9\x00\x03"},
        {116, 4, "true"},
        {164, 12, "\x7d\x64\x00\x00\x7c\x64\x00\x00\x22\xa5\x03\x6b"},
        {180, 2, "\xa8\x07"},
        {204, 1, "\x46"},
        {236, 2, "\xc8\x03"},
        {244, 2, "\x68\x09"},
        {253, 1, "\x0c"},
        {316, 1, "\x01"},
        {380, 4, "\x22\xa5\x03\x6b"},
        {404, 2, "\x7d\x64"},
        {412, 2, "\xa8\x07"},
        {421, 1, "\xfe"},
        {428, 3, "\x4b\xc9\x03"},
        {468, 3, "\x33\xe3\x13"},
        {476, 3, "\xdd\x39\x01"},
};

static const TaskstatsRecord expected = {
        .pid = 25725,
        .tgid = 25725,
        .ppid = 25724,
        .comm = "true",
        .begin_realtime_sec = 1795400994,
        .is_whole_process = true,
        .exe_major = 254,
        .exe_minor = 0,
        .exe_inode = 248139,
        .has_exe = true,
};

/* Offsets in that message, and in the statistics. */
enum {
        AT_AGGREGATE = 20,
        AT_PID = 24,
        AT_STATS = 32,
        AT_STRUCT = 36,
        OF_COMM = 80,
        OF_FREEPAGES = 312,
        OF_BEGIN64 = 344,
        OF_TGID = 368,
        OF_DEVICE = 384,
        OF_INODE = 392,
};

#define N(x) ((int)(sizeof(x) / sizeof((x)[0])))

static inline void put_u16(uint8_t *at, size_t v) {
        uint16_t u = (uint16_t)v;

        memcpy(at, &u, sizeof(u));
}

static inline void put_u32(uint8_t *at, size_t v) {
        uint32_t u = (uint32_t)v;

        memcpy(at, &u, sizeof(u));
}

static inline void put_u64(uint8_t *at, uint64_t v) {
        memcpy(at, &v, sizeof(v));
}

/* The record, cut or followed by zeros to exactly that size; freed by the caller. */
static inline uint8_t *message_new(size_t n_bytes) {
        uint8_t whole[N_SENT] = {0};
        uint8_t *m = calloc(1, n_bytes);

        ck_assert_ptr_nonnull(m);
        for (int i = 0; i < N(sent); i++)
                memcpy(whole + sent[i].at, sent[i].bytes, sent[i].n);
        memcpy(m, whole, n_bytes < N_SENT ? n_bytes : N_SENT);
        return m;
}

/* All lengths as if the statistics had n_stats bytes. */
static inline void put_lengths(uint8_t *m, size_t n_stats) {
        put_u32(m, AT_STRUCT + n_stats);
        put_u16(m + AT_AGGREGATE, AT_STRUCT - AT_AGGREGATE + n_stats);
        put_u16(m + AT_STATS, AT_STRUCT - AT_STATS + n_stats);
}

/* Decodes the first message. */
static inline int decode(const uint8_t *m, size_t n_bytes, TaskstatsRecord *ret) {
        const uint8_t *at = m;
        size_t n_left = n_bytes;
        int r = taskstats_record_next(&at, &n_left, ret);

        ck_assert_ptr_eq(at, m + n_bytes - n_left);
        return r;
}

static inline void check_record(const TaskstatsRecord *t, const TaskstatsRecord *x) {
        ck_assert_int_eq(t->pid, x->pid);
        ck_assert_int_eq(t->tgid, x->tgid);
        ck_assert_int_eq(t->ppid, x->ppid);
        ck_assert_uint_eq(t->uid, x->uid);
        ck_assert_uint_eq(t->gid, x->gid);
        ck_assert_str_eq(t->comm, x->comm);
        ck_assert_uint_eq(t->begin_realtime_sec, x->begin_realtime_sec);
        ck_assert_int_eq(t->is_whole_process, x->is_whole_process);
        ck_assert_int_eq(t->has_exe, x->has_exe);
        ck_assert_uint_eq(t->exe_major, x->exe_major);
        ck_assert_uint_eq(t->exe_minor, x->exe_minor);
        ck_assert_uint_eq(t->exe_inode, x->exe_inode);
}
