/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Decoding of process connector messages (netlink, CN_IDX_PROC).  Pure: bytes in, structs out.
 *
 * Source: linux/cn_proc.h, linux/connector.h; drivers/connector/cn_proc.c of Linux 6.18.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

typedef enum ProcEventType {
        PROC_EVENT_TYPE_OTHER, /* a type that says nothing we use, or another message: pass over */
        PROC_EVENT_TYPE_FORK,
        PROC_EVENT_TYPE_EXEC,
        PROC_EVENT_TYPE_EXIT,
        PROC_EVENT_TYPE_UID,
        PROC_EVENT_TYPE_GID,
        PROC_EVENT_TYPE_SID, /* it leads a session of its own now */
        PROC_EVENT_TYPE_COMM,
} ProcEventType;

typedef struct ProcEvent {
        ProcEventType type;
        pid_t tid;               /* the task it is about; FORK: the child */
        pid_t pid;               /* its thread group; FORK: the child's */
        unsigned cpu;            /* on which it happened */
        pid_t parent_pid;        /* FORK: thread group of the parent; 0 otherwise */
        uint64_t monotonic_nsec; /* the kernel's time stamp */
        uint32_t real_id;        /* UID, GID */
        uint32_t effective_id;   /* UID, GID */
        char comm[17];           /* COMM; NUL-terminated */
} ProcEvent;

/*
 * proc_event_next() - decode the next netlink message of a datagram
 * @bytes:     start of the datagram's rest, moved past what was decoded
 * @n_bytes:   its length, lowered likewise
 * @ret_event: filled on 1
 *
 * Shape:  nlmsghdr, cn_msg, proc_event; lengths in nlmsghdr and cn_msg are checked against each
 *         other and the datagram.  A message of another connector or type is TYPE_OTHER.
 *
 * Return: 1 event, 0 end, -EBADMSG truncated or inconsistent.
 */
int proc_event_next(const uint8_t **bytes, size_t *n_bytes, ProcEvent *ret_event);

/* True for the messages about a whole process, false for those about one of its other threads. */
bool proc_event_is_process(const ProcEvent *e);
