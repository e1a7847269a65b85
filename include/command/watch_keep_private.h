/* SPDX-License-Identifier: MIT */
#pragma once

/* What watch_keep.c and watch_keep_processes.c share. */

#include <errno.h>
#include <string.h>

#include "command/watch_keep.h"

/* In a memfd: of the next instance, which may be another program. */
typedef struct WatchRun {
        char magic[8];
        uint32_t version;
        uint32_t reserved;
        uint64_t n_streams;
        char id[40];
} WatchRun;

/* A filesystem that is let go of, and whose last records are not out yet. */
typedef struct WatchDeparted {
        dev_t device;
        uint64_t stream;
        uint64_t n_put; /* what the sink had been given by then */
} WatchDeparted;

struct WatchKeep {
        WatchRun *run;
        ProcessLog *log; /* NULL: not kept */
        WatchDeparted *departed;
        size_t n_departed;
        uint64_t mark; /* what the sink had been given at the mark that is under way; 0 none */
};

static inline const char *watch_keep_reason(int error) {
        return error == -EPROTO ? "it was another version" : strerror(-error);
}

/* Return: 0, errors of the sink. */
int watch_keep_tell_processes(WatchSession *s);

/* The name of what is kept of a stream: "group" or "events". */
void watch_keep_name(dev_t device, uint64_t stream, const char *what,
                     char ret_name[static DESCRIPTOR_STORE_NAME_MAX + 1]);
/* Return: is it such a name? */
bool watch_keep_parse_name(const char *name, const char *what, dev_t *ret_device,
                           uint64_t *ret_stream);
/* Both. Return: 0, a negative errno; then *ret_kept is untouched. */
int watch_keep_take(WatchSession *s, dev_t device, uint64_t stream, WatchedKept *ret_kept);
/* They are kept no longer. */
void watch_keep_forget(WatchSession *s, dev_t device, uint64_t stream);
