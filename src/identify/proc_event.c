/* SPDX-License-Identifier: MIT */

/*
 * Decoding of process connector messages.
 *
 * The witness thread reads these in batches and must not fall behind: headers are copied, nothing
 * is allocated.  Whoever may send to the multicast group can send us anything, so the lengths of
 * all three layers are checked before they are believed; that the sender is the kernel (nl_pid 0)
 * is the business of who holds the socket.
 *
 * Limits: just as much of the payload is asked for as a type needs, so that kernels with a shorter
 * or longer struct proc_event are understood too.  After -EBADMSG the rest starts at the next
 * message if the length of the odd one was good, and is empty otherwise.
 *
 * Source: linux/cn_proc.h, linux/connector.h, linux/netlink.h; drivers/connector/cn_proc.c of
 * Linux 6.18.
 */

#include <errno.h>
#include <string.h>
#include <linux/cn_proc.h>
#include <linux/connector.h>
#include <linux/netlink.h>

#include "base/reader.h"
#include "identify/proc_event.h"

/* The fixed part of struct proc_event, which the union follows. */
typedef struct EventHead {
        uint32_t what;
        uint32_t cpu;
        uint64_t timestamp_nsec;
} EventHead;

_Static_assert(sizeof(EventHead) == offsetof(struct proc_event, event_data), "as in the kernel");
_Static_assert(sizeof(struct cn_msg) == 20, "as in the kernel");

static int decode_fork(Reader *r, ProcEvent *e) {
        int32_t ids[4]; /* parent's tid and pid, child's tid and pid */

        if (reader_copy(r, ids, sizeof(ids)) < 0)
                return -EBADMSG;

        e->type = PROC_EVENT_TYPE_FORK;
        e->parent_pid = ids[1];
        e->tid = ids[2];
        e->pid = ids[3];
        return 0;
}

/* All but FORK start with tid and pid of the task they are about. */
static int decode_task(Reader *r, ProcEventType type, ProcEvent *e) {
        int32_t ids[2];

        if (reader_copy(r, ids, sizeof(ids)) < 0)
                return -EBADMSG;

        e->type = type;
        e->tid = ids[0];
        e->pid = ids[1];
        return 0;
}

static int decode_ids(Reader *r, ProcEventType type, ProcEvent *e) {
        if (decode_task(r, type, e) < 0 || reader_u32(r, &e->real_id) < 0)
                return -EBADMSG;
        return reader_u32(r, &e->effective_id);
}

static int decode_comm(Reader *r, ProcEvent *e) {
        /* The kernel's 16 bytes end in a NUL; the 17th is for the day they do not. */
        if (decode_task(r, PROC_EVENT_TYPE_COMM, e) < 0)
                return -EBADMSG;
        return reader_copy(r, e->comm, sizeof(e->comm) - 1);
}

static int decode_event(Reader *r, ProcEvent *e) {
        EventHead head;

        if (reader_copy(r, &head, sizeof(head)) < 0)
                return -EBADMSG;

        e->monotonic_nsec = head.timestamp_nsec;
        e->cpu = head.cpu;

        switch (head.what) {
        case PROC_EVENT_FORK:
                return decode_fork(r, e);
        case PROC_EVENT_EXEC:
                return decode_task(r, PROC_EVENT_TYPE_EXEC, e);
        case PROC_EVENT_EXIT:
                return decode_task(r, PROC_EVENT_TYPE_EXIT, e);
        case PROC_EVENT_UID:
                return decode_ids(r, PROC_EVENT_TYPE_UID, e);
        case PROC_EVENT_GID:
                return decode_ids(r, PROC_EVENT_TYPE_GID, e);
        case PROC_EVENT_SID:
                return decode_task(r, PROC_EVENT_TYPE_SID, e);
        case PROC_EVENT_COMM:
                return decode_comm(r, e);
        default:
                return 0;
        }
}

/* @message: the payload of one netlink message */
static int decode_connector(Reader message, ProcEvent *e) {
        struct cn_msg connector;
        Reader payload;

        if (reader_copy(&message, &connector, sizeof(connector)) < 0)
                return -EBADMSG;

        if (connector.id.idx != CN_IDX_PROC || connector.id.val != CN_VAL_PROC)
                return 0;

        if (connector.len > message.n_left)
                return -EBADMSG;

        payload = reader_make(message.at, connector.len);
        return decode_event(&payload, e);
}

int proc_event_next(const uint8_t **bytes, size_t *n_bytes, ProcEvent *ret_event) {
        ProcEvent event = {.type = PROC_EVENT_TYPE_OTHER};
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

        /* The connector sends everything as NLMSG_DONE; errors and no-ops are netlink's own. */
        if (head.nlmsg_type == NLMSG_DONE)
                r = decode_connector(reader_make(rest.at, head.nlmsg_len - sizeof(head)), &event);

        /* The padding behind the last message may be missing. */
        n_message = NLMSG_ALIGN((size_t)head.nlmsg_len);
        if (n_message > *n_bytes)
                n_message = *n_bytes;
        *bytes += n_message;
        *n_bytes -= n_message;

        if (r < 0)
                return r;

        *ret_event = event;
        return 1;
}

bool proc_event_is_process(const ProcEvent *e) {
        return e->tid == e->pid;
}
