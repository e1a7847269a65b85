/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Decoding of what read(2) on a fanotify group returns.  Pure: bytes in, structs out.
 *
 * Source: fanotify(7); linux/fanotify.h of Linux 6.18 (values are repeated here where the build
 * machine's headers are older).
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <linux/fanotify.h>

#ifndef FAN_RENAME
#define FAN_RENAME 0x10000000
#endif
#ifndef FAN_REPORT_TARGET_FID
#define FAN_REPORT_TARGET_FID 0x00001000
#endif
#ifndef FAN_REPORT_FD_ERROR
#define FAN_REPORT_FD_ERROR 0x00002000
#endif
#ifndef FAN_REPORT_PIDFD
#define FAN_REPORT_PIDFD 0x00000080
#endif

/*
 * A file handle as the kernel encodes it: opaque, equal when type and bytes are equal, unique
 * within one filesystem.
 */
typedef struct FileHandle {
        int32_t type; /* FILEID_*, of the filesystem's own choosing */
        uint32_t n_bytes;
        const uint8_t *bytes;
} FileHandle;

/* A directory's handle and a name in it; n_name is 0 where the record held none. */
typedef struct FanName {
        FileHandle directory; /* .bytes is NULL when the event had no such record */
        const char *name;     /* bytes, not text; not NUL-terminated */
        size_t n_name;
} FanName;

typedef enum FanPidfd {
        FAN_PIDFD_ABSENT, /* the group was made without FAN_REPORT_PIDFD */
        FAN_PIDFD_OPEN,   /* .pidfd is a descriptor: alive or zombie when read */
        FAN_PIDFD_REAPED, /* the process was gone (FAN_NOPIDFD, -ESRCH) */
        FAN_PIDFD_FAILED, /* it could not be made (FAN_EPIDFD, -EMFILE, …): nothing is known */
} FanPidfd;

typedef struct FanEvent {
        uint64_t mask; /* FAN_* bits */
        int32_t pid;   /* 0: outside our pid namespace, or an overflow */
        FanPidfd pidfd_state;
        int pidfd;         /* -1 unless FAN_PIDFD_OPEN; owned by the caller */
        int fd;            /* -1 in a FID group; otherwise owned by the caller */
        FanName name;      /* DELETE, MOVED_FROM, MOVED_TO, self events */
        FanName old_name;  /* RENAME: where it was … */
        FanName new_name;  /* … and where it went */
        FileHandle target; /* the object itself; .bytes is NULL when not reported */
} FanEvent;

typedef struct FanEventIter {
        const uint8_t *at;
        size_t n_left;
} FanEventIter;

void fan_event_iter_init(FanEventIter *it, const void *bytes, size_t n_bytes);

/*
 * fan_event_next() - decode the next event of a fanotify read buffer
 * @it:        cursor set up by fan_event_iter_init()
 * @ret_event: filled on 1, untouched on 0; borrows from the buffer until the next read()
 *
 * Shape:  metadata, then 0..n info records, 4-byte aligned, in any order; unknown record types
 *         are passed over.  An overflow has mask FAN_Q_OVERFLOW, pid 0, no records but possibly
 *         a pidfd one.
 * Units:  mask is FAN_* bits; name is bytes, not text, without its NUL.
 * Owns:   the caller closes ret_event->pidfd and ->fd, on -EBADMSG too: then *ret_event holds just
 *         those descriptors that could still be read, and the iterator is at its end.
 * Source: fanotify(7); linux/fanotify.h; pidfd record since Linux 5.15.
 *
 * Return: 1 event, 0 end, -EBADMSG truncated or inconsistent record.
 */
int fan_event_next(FanEventIter *it, FanEvent *ret_event);

/* What an event is about that has no name: the target, or a directory that is "." in itself.
 * Return: .bytes is NULL when it has one. Borrows from the event. */
FileHandle fan_event_self(const FanEvent *e);
/* Steps over an event that has been decoded before. */
void fan_event_skip(FanEventIter *it);

/* Same filesystem assumed.  Return: true when type, length and bytes are equal and present. */
bool file_handle_equal(const FileHandle *a, const FileHandle *b);
