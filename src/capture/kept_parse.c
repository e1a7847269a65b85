/* SPDX-License-Identifier: MIT */

/* See kept_parse.h. */

#include "capture/kept_parse.h"

#include <errno.h>
#include <linux/fanotify.h>
#include <string.h>

size_t kept_events_count(const uint8_t *bytes, size_t n_bytes, size_t *ret_n_bytes) {
        struct fanotify_event_metadata meta;
        size_t n = 0, at = 0;

        for (; n_bytes - at >= sizeof(meta); n++) {
                memcpy(&meta, bytes + at, sizeof(meta));
                if (meta.event_len < sizeof(meta) || meta.event_len > n_bytes - at)
                        break;
                at += meta.event_len;
        }
        *ret_n_bytes = at;
        return n;
}

int kept_events_parse(const uint8_t *bytes, size_t n_bytes, KeptHeader *ret_header) {
        KeptHeader h;

        if (n_bytes <= KEPT_EVENTS_HEADER_BYTES)
                return -EBADMSG;
        memcpy(&h, bytes, sizeof(h));
        if (memcmp(h.magic, KEPT_EVENTS_MAGIC, sizeof(h.magic)) != 0)
                return -EBADMSG;
        if (h.version != KEPT_EVENTS_VERSION || h.n_header_bytes != KEPT_EVENTS_HEADER_BYTES)
                return -EPROTO;
        if (h.n_ring_bytes != n_bytes - KEPT_EVENTS_HEADER_BYTES || h.stream == 0 ||
            (h.first != KEPT_EVENTS_NONE && (h.first >= h.n_ring_bytes || h.first % 8 != 0)) ||
            !memchr(h.point, '\0', sizeof(h.point)) || !memchr(h.fstype, '\0', sizeof(h.fstype)))
                return -EBADMSG;
        *ret_header = h;
        return 0;
}

int kept_events_parse_entry(const uint8_t *ring, size_t n_ring, uint64_t *at, KeptEntry *ret_entry,
                            const uint8_t **ret_bytes) {
        KeptEntry e;
        size_t n_left, n_bytes;

        /* At most one step from the end to the front. */
        for (int i = 0; i < 2; i++) {
                if (*at > n_ring || *at % 8 != 0)
                        return -EBADMSG;
                if (n_ring - *at < sizeof(e))
                        return 0;
                memcpy(&e, ring + *at, sizeof(e));
                if (e.magic != KEPT_ENTRY_WRAP)
                        break;
                *at = 0;
        }
        if (e.magic != KEPT_ENTRY_MAGIC)
                return e.magic == 0 ? 0 : -EBADMSG;
        n_left = n_ring - (size_t)*at - sizeof(e);
        if (e.n_bytes > n_left)
                return -EBADMSG;
        *ret_bytes = ring + *at + sizeof(e);
        if (e.n_bytes == 0) {
                /* The kernel has been writing, and nobody was told how far. */
                (void)kept_events_count(*ret_bytes, n_left < UINT32_MAX ? n_left : UINT32_MAX - 7,
                                        &n_bytes);
                e.n_bytes = (uint32_t)n_bytes;
        }
        if (kept_align(e.n_bytes) > n_left)
                return -EBADMSG;
        *at += sizeof(e) + kept_align(e.n_bytes);
        *ret_entry = e;
        return 1;
}
