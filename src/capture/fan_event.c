/* SPDX-License-Identifier: MIT */

/*
 * Decoding of what read(2) on a fanotify group returns.
 *
 * This is the hot path (a drain runs at up to millions of events a second): each header is copied
 * once, names and handles are borrowed, nothing is allocated.  And it is the trust boundary: every
 * length is checked against the bytes that are really there before it is believed, because a
 * descriptor that came in an event must be found and closed even when the rest makes no sense.
 *
 * Limits: the fsid of a record is not looked at, a group watches one filesystem.  RANGE, MNT and
 * ERROR records belong to masks we never ask for and are passed over like unknown ones.  Record
 * lengths that are not multiples of four are accepted: all reads are unaligned.
 *
 * Source: fanotify(7); fs/notify/fanotify/fanotify_user.c (copy_info_records_to_user) and
 * include/uapi/linux/fanotify.h of Linux 6.18.
 */

#include <errno.h>
#include <string.h>

#include "base/reader.h"
#include "capture/fan_event.h"

/* FAN_EVENT_INFO_TYPE_*, which Debian 11's headers know only in part. */
enum {
        RECORD_FID = 1,
        RECORD_DFID_NAME = 2,
        RECORD_DFID = 3,
        RECORD_PIDFD = 4,
        RECORD_OLD_DFID_NAME = 10,
        RECORD_NEW_DFID_NAME = 12,
};

/* FAN_NOPIDFD; the header has it since Linux 5.15. */
#define PIDFD_NONE (-1)

/* struct fanotify_event_info_header */
typedef struct RecordHead {
        uint8_t type;
        uint8_t pad;
        uint16_t n_bytes; /* the head included */
} RecordHead;

/* What stands before the bytes of a handle: struct fanotify_event_info_fid, struct file_handle. */
typedef struct HandleHead {
        uint8_t fsid[8];
        uint32_t n_bytes;
        int32_t type;
} HandleHead;

_Static_assert(sizeof(RecordHead) == 4, "as in the kernel");
_Static_assert(sizeof(HandleHead) == 16, "as in the kernel");
_Static_assert(sizeof(struct fanotify_event_metadata) == 24, "as in the kernel");

void fan_event_iter_init(FanEventIter *it, const void *bytes, size_t n_bytes) {
        *it = (FanEventIter){.at = bytes, .n_left = n_bytes};
}

bool file_handle_equal(const FileHandle *a, const FileHandle *b) {
        return a->bytes && b->bytes && a->type == b->type && a->n_bytes == b->n_bytes &&
               memcmp(a->bytes, b->bytes, a->n_bytes) == 0;
}

static int decode_handle(Reader *body, FileHandle *ret_handle) {
        const uint8_t *bytes;
        HandleHead head;

        if (reader_copy(body, &head, sizeof(head)) < 0 ||
            reader_borrow(body, head.n_bytes, &bytes) < 0)
                return -EBADMSG;

        /*
         * A handle of no bytes is how the kernel says that it could not make one (FILEID_INVALID):
         * two of those are not the same object.
         */
        if (head.n_bytes == 0)
                bytes = NULL;

        *ret_handle = (FileHandle){.type = head.type, .n_bytes = head.n_bytes, .bytes = bytes};
        return 0;
}

static int decode_name(Reader *body, FanName *ret_name) {
        FanName name = {0};
        const uint8_t *end;

        if (decode_handle(body, &name.directory) < 0)
                return -EBADMSG;

        end = memchr(body->at, '\0', body->n_left);
        if (!end)
                return -EBADMSG;

        name.name = (const char *)body->at;
        name.n_name = (size_t)(end - body->at);
        *ret_name = name;
        return 0;
}

static int decode_pidfd(Reader *body, FanEvent *event) {
        int32_t fd;

        if (event->pidfd_state != FAN_PIDFD_ABSENT || reader_copy(body, &fd, sizeof(fd)) < 0)
                return -EBADMSG;

        if (fd >= 0) {
                event->pidfd_state = FAN_PIDFD_OPEN;
                event->pidfd = fd;
        } else if (fd == PIDFD_NONE || fd == -ESRCH)
                event->pidfd_state = FAN_PIDFD_REAPED;
        else
                event->pidfd_state = FAN_PIDFD_FAILED;
        return 0;
}

/* @seen: bit set of the record types so far; the same one twice would make us pick one of two. */
static int decode_record(uint8_t type, Reader body, FanEvent *event, uint32_t *seen) {
        uint32_t bit = type < 32 ? UINT32_C(1) << type : 0;

        /* Both say where the event was; the kernel sends one of them. */
        if (type == RECORD_DFID)
                bit = UINT32_C(1) << RECORD_DFID_NAME;

        switch (type) {
        case RECORD_FID:
        case RECORD_DFID:
        case RECORD_DFID_NAME:
        case RECORD_OLD_DFID_NAME:
        case RECORD_NEW_DFID_NAME:
                if (*seen & bit)
                        return -EBADMSG;
                *seen |= bit;
                break;
        default:
                break;
        }

        switch (type) {
        case RECORD_FID:
                return decode_handle(&body, &event->target);
        case RECORD_DFID:
                return decode_handle(&body, &event->name.directory);
        case RECORD_DFID_NAME:
                return decode_name(&body, &event->name);
        case RECORD_OLD_DFID_NAME:
                return decode_name(&body, &event->old_name);
        case RECORD_NEW_DFID_NAME:
                return decode_name(&body, &event->new_name);
        case RECORD_PIDFD:
                return decode_pidfd(&body, event);
        default:
                return 0;
        }
}

/* Goes on after a record that makes no sense, for the pidfd that may follow it. */
static int decode_records(Reader records, FanEvent *event) {
        uint32_t seen = 0;
        int r = 0;

        while (records.n_left > 0) {
                const uint8_t *bytes;
                RecordHead head;

                if (reader_copy(&records, &head, sizeof(head)) < 0 || head.n_bytes < sizeof(head) ||
                    reader_borrow(&records, head.n_bytes - sizeof(head), &bytes) < 0)
                        return -EBADMSG;

                if (decode_record(head.type, reader_make(bytes, head.n_bytes - sizeof(head)), event,
                                  &seen) < 0)
                        r = -EBADMSG;
        }
        return r;
}

static int fail(FanEventIter *it, FanEvent *event) {
        *it = (FanEventIter){0};
        *event = (FanEvent){
                .pidfd_state = event->pidfd_state, .pidfd = event->pidfd, .fd = event->fd};
        return -EBADMSG;
}

FileHandle fan_event_self(const FanEvent *e) {
        const FanName *n = &e->name;

        if (e->old_name.directory.bytes || e->new_name.directory.bytes)
                return (FileHandle){0};
        if (!n->directory.bytes)
                return e->target;
        if (e->mask & FAN_ONDIR && n->n_name == 1 && n->name[0] == '.')
                return n->directory;
        return (FileHandle){0};
}

void fan_event_skip(FanEventIter *it) {
        struct fanotify_event_metadata meta;

        memcpy(&meta, it->at, sizeof(meta));
        it->at += meta.event_len;
        it->n_left -= meta.event_len;
}

int fan_event_next(FanEventIter *it, FanEvent *ret_event) {
        struct fanotify_event_metadata meta;
        Reader rest = reader_make(it->at, it->n_left);
        size_t n_event, n_meta;
        int r;

        if (it->n_left == 0)
                return 0;

        *ret_event = (FanEvent){.pidfd = -1, .fd = -1};

        /* Of another version not even the place of the descriptor is known. */
        if (reader_copy(&rest, &meta, sizeof(meta)) < 0 || meta.vers != FANOTIFY_METADATA_VERSION)
                return fail(it, ret_event);

        ret_event->mask = meta.mask;
        ret_event->pid = meta.pid;
        /* FAN_NOFD, or with FAN_REPORT_FD_ERROR an errno: a FID group gives -EBADF (6.18). */
        ret_event->fd = meta.fd >= 0 ? meta.fd : -1;

        n_event = meta.event_len;
        n_meta = meta.metadata_len;
        if (n_meta < sizeof(meta) || n_event < n_meta || n_meta > it->n_left)
                return fail(it, ret_event);

        if (n_event > it->n_left) {
                (void)decode_records(reader_make(it->at + n_meta, it->n_left - n_meta), ret_event);
                return fail(it, ret_event);
        }

        r = decode_records(reader_make(it->at + n_meta, n_event - n_meta), ret_event);
        if (r < 0)
                return fail(it, ret_event);

        it->at += n_event;
        it->n_left -= n_event;
        return 1;
}
