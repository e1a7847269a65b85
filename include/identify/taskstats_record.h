/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Decoding of the kernel's exit records (generic netlink, family TASKSTATS).  Pure: bytes in,
 * structs out.
 *
 * Source: linux/taskstats.h, versions 8 to 17; kernel/taskstats.c and tsacct.c of Linux 6.18.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

typedef struct TaskstatsRecord {
        pid_t pid;     /* the thread that ended; 0: not an exit record, pass over */
        pid_t tgid;    /* its process; 0 unknown, as before version 12 without other threads */
        pid_t ppid;    /* process of the parent, as it was at the end; 0 unknown */
        uid_t uid;     /* real ids, in the initial user namespace */
        gid_t gid;     /* … */
        char comm[33]; /* of that thread; NUL-terminated */
        uint64_t begin_realtime_sec; /* of that thread, not exact: see below */
        bool is_whole_process;       /* its last thread, no other one lives */
        uint32_t exe_major;          /* of the program's superblock: mountinfo's, not stat's */
        uint32_t exe_minor;
        uint64_t exe_inode;
        bool has_exe; /* version 12 and later; not for a kernel thread */
} TaskstatsRecord;

/*
 * taskstats_record_next() - decode the next netlink message of a datagram
 * @bytes:      start of the datagram's rest, moved past what was decoded
 * @n_bytes:    its length, lowered likewise
 * @ret_record: filled on 1, untouched otherwise
 *
 * Shape:  nlmsghdr, genlmsghdr, AGGR_PID {PID, STATS} and, with the last of several threads,
 *         AGGR_TGID {TGID, STATS}, whose STATS hold no identity and are passed over.  One record a
 *         message.  A message of another kind (acknowledgement, family) has pid 0.
 * Units:  begin_realtime_sec is seconds since 1970: the time of the exit less the time the thread
 *         lived, each rounded down, so up to one second late; and, as that time does not count
 *         while the machine is suspended, later by the suspensions in between.  Setting the clock
 *         moves it too.
 * Limits: before version 12 is_whole_process is only true for the last of several threads; tgid 0
 *         with is_whole_process false leaves it open.
 *
 * Return: 1 record, 0 end, -EBADMSG truncated or inconsistent, or statistics of a layout that is
 * not known (their pid is not the message's).
 */
int taskstats_record_next(const uint8_t **bytes, size_t *n_bytes, TaskstatsRecord *ret_record);
