/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The layout of kept_events.h, read from memory that another process has left.  Pure.
 */

#include <stddef.h>
#include <stdint.h>

#define KEPT_EVENTS_MAGIC "whodunev"
/* "KEPT", and the one behind which the next entry is the first of the ring. */
#define KEPT_ENTRY_MAGIC 0x5450454bU
#define KEPT_ENTRY_WRAP 0x50415257U
#define KEPT_ENTRY_BYTES sizeof(KeptEntry)
#define KEPT_EVENTS_VERSION 1
#define KEPT_EVENTS_HEADER_BYTES 4096
/* Only what is used takes memory. */
#define KEPT_EVENTS_RING_BYTES ((size_t)256 * 1024 * 1024)
#define KEPT_EVENTS_NONE UINT64_MAX

/* Of the next instance, which may be a newer program: checked, and never believed. */
typedef struct KeptHeader {
        char magic[8]; /* "whodunev" */
        uint32_t version;
        uint32_t n_header_bytes;
        uint64_t n_ring_bytes;
        uint64_t stream;    /* its number in the keys of records */
        uint64_t device;    /* dev_t of the filesystem */
        uint32_t features;  /* FanFeatures of the group */
        uint32_t has_index; /* its directories are marked one by one */
        uint32_t has_ended; /* it is out of view: what comes is not told */
        uint32_t reserved;
        uint64_t first;         /* offset in the ring of the oldest entry; KEPT_EVENTS_NONE none */
        uint64_t done_position; /* events before this one are out */
        uint64_t next_position; /* of the event behind the last entry */
        char point[1024];       /* where it was mounted, NUL-terminated, cut */
        char fstype[64];
} KeptHeader;

typedef struct KeptEntry {
        uint32_t magic;
        uint32_t n_bytes;        /* 0: the read did not return */
        uint64_t first_position; /* of the first event */
        uint64_t realtime_nsec, monotonic_nsec, empty_monotonic_nsec; /* as FlightEvent's */
} KeptEntry;

/* Entries begin at multiples of this. */
static inline uint64_t kept_align(uint64_t n) {
        return (n + 7) & ~UINT64_C(7);
}

/* The events that fan_event_next() would find, and their bytes: it goes on by the same lengths. */
size_t kept_events_count(const uint8_t *bytes, size_t n_bytes, size_t *ret_n_bytes);
/*
 * kept_events_parse() - a header, and whether it can be one
 * @n_bytes: of header and ring
 *
 * Pure. Return: 0, -EBADMSG it cannot, -EPROTO it is of another version.
 */
int kept_events_parse(const uint8_t *bytes, size_t n_bytes, KeptHeader *ret_header);
/*
 * kept_events_parse_entry() - the entry at an offset of the ring
 * @ring, @n_ring: behind the header
 * @at:            in: where it begins, out: where the next one may begin
 * @ret_bytes:     its events, within the ring
 *
 * Of one whose read did not return, .n_bytes is what looks like events, perhaps 0.
 * Pure. Return: 1, 0 there is none, -EBADMSG.
 */
int kept_events_parse_entry(const uint8_t *ring, size_t n_ring, uint64_t *at, KeptEntry *ret_entry,
                            const uint8_t **ret_bytes);
