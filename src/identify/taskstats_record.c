/* SPDX-License-Identifier: MIT */

/*
 * Decoding of the kernel's exit records.
 *
 * struct taskstats has grown with its version, and the running kernel's is not the one of the
 * header we are built with: what we read has offsets of our own, and nothing is read behind the
 * attribute's end.  Version 15 (Linux 6.14, and 6.15 before its stable update) put new members into
 * the middle; version 16 moved them to the end, with the same size.  Should that happen again, the
 * pid in the statistics will not be the one that the message names beside them.
 *
 * Limits: a message with a good length that holds an odd attribute is lost as a whole, the next is
 * not.  After -EBADMSG the rest is empty if the length of the message itself was bad.
 *
 * Source: linux/taskstats.h, linux/genetlink.h, linux/netlink.h; kernel/taskstats.c
 * (taskstats_exit, mk_reply) and kernel/tsacct.c of Linux 6.18; "taskstats: fix struct taskstats
 * breaks backward compatibility since version 15" (Linux 6.16) for the layout of version 15.
 */

#include <errno.h>
#include <string.h>
#include <linux/acct.h>
#include <linux/genetlink.h>
#include <linux/netlink.h>
#include <linux/taskstats.h>

#include "base/reader.h"
#include "identify/taskstats_record.h"

#define VERSION_OF_BEGIN64 10
#define VERSION_OF_PROCESS 12
#define VERSION_IN_DISORDER 15

#define FLAG_WHOLE_PROCESS 0x20 /* AGROUP, since version 12 */

/* Where the members stand in all versions but the one in disorder. */
enum {
        AT_VERSION = 0,
        AT_FLAG = 8,
        AT_COMM = 80,
        AT_UID = 120,
        AT_GID = 124,
        AT_PID = 128,
        AT_PPID = 132,
        AT_BEGIN = 136,
        AT_BEGIN64 = 344,
        AT_TGID = 368,
        AT_EXE_DEVICE = 384,
        AT_EXE_INODE = 392,
};

_Static_assert(offsetof(struct taskstats, version) == AT_VERSION, "as in the kernel");
_Static_assert(offsetof(struct taskstats, ac_flag) == AT_FLAG, "as in the kernel");
#if TASKSTATS_VERSION != VERSION_IN_DISORDER
_Static_assert(offsetof(struct taskstats, ac_comm) == AT_COMM, "as in the kernel");
_Static_assert(offsetof(struct taskstats, ac_uid) == AT_UID, "as in the kernel");
_Static_assert(offsetof(struct taskstats, ac_gid) == AT_GID, "as in the kernel");
_Static_assert(offsetof(struct taskstats, ac_pid) == AT_PID, "as in the kernel");
_Static_assert(offsetof(struct taskstats, ac_ppid) == AT_PPID, "as in the kernel");
_Static_assert(offsetof(struct taskstats, ac_btime) == AT_BEGIN, "as in the kernel");
#if TASKSTATS_VERSION >= VERSION_OF_BEGIN64
_Static_assert(offsetof(struct taskstats, ac_btime64) == AT_BEGIN64, "as in the kernel");
#endif
#if TASKSTATS_VERSION >= VERSION_OF_PROCESS
_Static_assert(offsetof(struct taskstats, ac_tgid) == AT_TGID, "as in the kernel");
_Static_assert(offsetof(struct taskstats, ac_exe_dev) == AT_EXE_DEVICE, "as in the kernel");
_Static_assert(offsetof(struct taskstats, ac_exe_inode) == AT_EXE_INODE, "as in the kernel");
#endif
#endif
#ifdef AGROUP
_Static_assert(AGROUP == FLAG_WHOLE_PROCESS, "as in the kernel");
#endif
_Static_assert(sizeof(((TaskstatsRecord *)0)->comm) == TS_COMM_LEN + 1, "the name and a NUL");

/* How far version 15 moved them: by a maximum and a minimum for each delay that stands before. */
typedef struct Layout {
        size_t basic_shift;   /* comm to begin: behind 3 delays */
        size_t begin64_shift; /* behind 5 */
        size_t process_shift; /* tgid to inode: behind 6 */
} Layout;

static Layout layout_of(uint16_t version) {
        if (version == VERSION_IN_DISORDER)
                return (Layout){3 * 16, 5 * 16, 6 * 16};
        return (Layout){0, 0, 0};
}

static int copy_at(Reader stats, size_t offset, void *ret, size_t n_bytes) {
        const uint8_t *skipped;

        if (reader_borrow(&stats, offset, &skipped) < 0)
                return -EBADMSG;
        return reader_copy(&stats, ret, n_bytes);
}

static int u32_at(Reader stats, size_t offset, uint32_t *ret) {
        return copy_at(stats, offset, ret, sizeof(*ret));
}

static int u64_at(Reader stats, size_t offset, uint64_t *ret) {
        return copy_at(stats, offset, ret, sizeof(*ret));
}

static int pid_from(uint32_t value, pid_t *ret) {
        if (value > INT32_MAX)
                return -EBADMSG;
        *ret = (pid_t)value;
        return 0;
}

/* What all versions have, and none of which may be missing. */
static int decode_basic(Reader stats, const Layout *l, TaskstatsRecord *t) {
        uint32_t pid, ppid, begin;

        /* The 33rd byte stays NUL. */
        if (copy_at(stats, AT_COMM + l->basic_shift, t->comm, TS_COMM_LEN) < 0 ||
            u32_at(stats, AT_UID + l->basic_shift, &t->uid) < 0 ||
            u32_at(stats, AT_GID + l->basic_shift, &t->gid) < 0 ||
            u32_at(stats, AT_PID + l->basic_shift, &pid) < 0 ||
            u32_at(stats, AT_PPID + l->basic_shift, &ppid) < 0 ||
            u32_at(stats, AT_BEGIN + l->basic_shift, &begin) < 0)
                return -EBADMSG;

        t->begin_realtime_sec = begin;
        if (pid_from(pid, &t->pid) < 0)
                return -EBADMSG;
        return pid_from(ppid, &t->ppid);
}

/* huge_encode_dev() of linux/kdev_t.h, backwards. */
static void decode_device(uint64_t device, TaskstatsRecord *t) {
        t->exe_major = (uint32_t)(device >> 8) & 0xfff;
        t->exe_minor = (uint32_t)((device & 0xff) | ((device >> 12) & 0xfff00));
}

static int decode_process(Reader stats, const Layout *l, TaskstatsRecord *t) {
        uint32_t tgid;
        uint64_t device, inode;

        if (u32_at(stats, AT_TGID + l->process_shift, &tgid) < 0 ||
            u64_at(stats, AT_EXE_DEVICE + l->process_shift, &device) < 0 ||
            u64_at(stats, AT_EXE_INODE + l->process_shift, &inode) < 0)
                return -EBADMSG;

        /* The kernel leaves both at zero when there is no program; no file has inode 0. */
        if (inode != 0) {
                t->has_exe = true;
                t->exe_inode = inode;
                decode_device(device, t);
        }
        return pid_from(tgid, &t->tgid);
}

static int decode_stats(Reader stats, TaskstatsRecord *t) {
        uint16_t version;
        uint8_t flag;
        Layout l;
        int r;

        if (copy_at(stats, AT_VERSION, &version, sizeof(version)) < 0 ||
            copy_at(stats, AT_FLAG, &flag, sizeof(flag)) < 0)
                return -EBADMSG;

        l = layout_of(version);
        r = decode_basic(stats, &l, t);
        if (r < 0)
                return r;

        if (version >= VERSION_OF_BEGIN64 &&
            u64_at(stats, AT_BEGIN64 + l.begin64_shift, &t->begin_realtime_sec) < 0)
                return -EBADMSG;

        if (version < VERSION_OF_PROCESS)
                return 0;
        t->is_whole_process = flag & FLAG_WHOLE_PROCESS;
        return decode_process(stats, &l, t);
}

/* Takes the next attribute off a run of them. Return: 1, 0 end, -EBADMSG. */
static int next_attribute(Reader *rest, uint16_t *ret_type, Reader *ret_payload) {
        struct nlattr head;
        const uint8_t *start = rest->at, *skipped;
        size_t n_before = rest->n_left, n_padded;

        if (rest->n_left == 0)
                return 0;
        if (reader_copy(rest, &head, sizeof(head)) < 0 || head.nla_len < sizeof(head) ||
            head.nla_len > n_before)
                return -EBADMSG;

        *ret_type = (uint16_t)(head.nla_type & NLA_TYPE_MASK);
        *ret_payload = reader_make(rest->at, head.nla_len - sizeof(head));

        /* The padding behind the last attribute may be missing. */
        n_padded = (size_t)NLA_ALIGN(head.nla_len);
        if (n_padded > n_before)
                n_padded = n_before;
        *rest = reader_make(start, n_before);
        return reader_borrow(rest, n_padded, &skipped) < 0 ? -EBADMSG : 1;
}

/*
 * Takes {PID, STATS} or {TGID, STATS} apart.
 * @id_type:   which of the two ids it has to hold
 * @ret_stats: empty when it holds none
 */
static int split_aggregate(Reader aggregate, uint16_t id_type, pid_t *ret_id, Reader *ret_stats) {
        bool has_id = false;
        uint16_t type;
        Reader payload;
        uint32_t id;
        int r;

        *ret_stats = reader_make(aggregate.at, 0);
        while ((r = next_attribute(&aggregate, &type, &payload)) > 0) {
                if (type == TASKSTATS_TYPE_STATS)
                        *ret_stats = payload;
                if (type != id_type)
                        continue;
                if (reader_u32(&payload, &id) < 0 || pid_from(id, ret_id) < 0)
                        return -EBADMSG;
                has_id = true;
        }
        return r == 0 && has_id ? 0 : -EBADMSG;
}

static int decode_thread(Reader aggregate, TaskstatsRecord *ret) {
        TaskstatsRecord t = {0};
        Reader stats;
        pid_t pid;

        if (split_aggregate(aggregate, TASKSTATS_TYPE_PID, &pid, &stats) < 0 ||
            decode_stats(stats, &t) < 0 || t.pid != pid || pid == 0)
                return -EBADMSG;

        *ret = t;
        return 0;
}

/* @message: the payload of one netlink message */
static int decode_message(Reader message, TaskstatsRecord *t) {
        struct genlmsghdr head;
        Reader payload, stats;
        pid_t tgid = 0;
        uint16_t type;
        int r;

        if (reader_copy(&message, &head, sizeof(head)) < 0)
                return -EBADMSG;
        if (head.cmd != TASKSTATS_CMD_NEW)
                return 0;

        while ((r = next_attribute(&message, &type, &payload)) > 0) {
                if (type == TASKSTATS_TYPE_AGGR_PID)
                        r = decode_thread(payload, t);
                else if (type == TASKSTATS_TYPE_AGGR_TGID)
                        r = split_aggregate(payload, TASKSTATS_TYPE_TGID, &tgid, &stats);
                if (r < 0)
                        break;
        }
        if (r < 0)
                return r;

        /* Only sent with the last of several threads, and before version 12 the only sign of it. */
        if (t->pid > 0 && tgid > 0) {
                t->tgid = tgid;
                t->is_whole_process = true;
        }
        return 0;
}

int taskstats_record_next(const uint8_t **bytes, size_t *n_bytes, TaskstatsRecord *ret_record) {
        TaskstatsRecord record = {0};
        Reader rest = reader_make(*bytes, *n_bytes);
        struct nlmsghdr head;
        size_t n_message;
        int r = 0;

        if (*n_bytes == 0)
                return 0;

        if (reader_copy(&rest, &head, sizeof(head)) < 0 || head.nlmsg_len < sizeof(head) ||
            head.nlmsg_len > *n_bytes) {
                *bytes += *n_bytes;
                *n_bytes = 0;
                return -EBADMSG;
        }

        /* Families have numbers of their own above the controller's; errors are netlink's. */
        if (head.nlmsg_type > GENL_ID_CTRL)
                r = decode_message(reader_make(rest.at, head.nlmsg_len - sizeof(head)), &record);

        /* The padding behind the last message may be missing. */
        n_message = NLMSG_ALIGN((size_t)head.nlmsg_len);
        if (n_message > *n_bytes)
                n_message = *n_bytes;
        *bytes += n_message;
        *n_bytes -= n_message;

        if (r < 0)
                return r;

        *ret_record = record;
        return 1;
}
