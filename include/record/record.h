/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * One deletion, or one piece of news about the watch itself.  Every way out (JSON lines, text) is a
 * rendering of this structure; no renderer knows a fact that it does not hold.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "capture/scope.h"
#include "explain/cause.h"
#include "identify/deleter.h"
#include "locate/locator.h"
#include "record/remains.h"

typedef enum RecordAction {
        RECORD_UNLINK,
        RECORD_RMDIR,
        RECORD_MOVE,      /* renamed away */
        RECORD_OVERWRITE, /* something else was renamed to its name */
        RECORD_START,     /* the watch has begun */
        RECORD_STOP,      /* the watch ends */
        RECORD_LOSS,      /* something could not be seen */
        RECORD_COVERAGE,  /* a filesystem is watched now, or no longer */
        RECORD_FOLD,      /* many deletions of one process, counted */
        RECORD_N_ACTIONS
} RecordAction;

const char *record_action_to_string(RecordAction a);
/* One deletion or move: neither news about the watch itself (START, STOP, LOSS, COVERAGE) nor FOLD.
 */
bool record_action_is_deletion(RecordAction a);
/* Does a record of this kind have a deleter: a deletion, or many? */
bool record_action_has_deleter(RecordAction a);

/* A visible path in its two parts; .name bytes are not NUL-terminated. */
typedef struct RecordPath {
        const char *directory; /* absolute, normal; NULL unknown */
        size_t n_directory;
        const char *name; /* NULL unknown */
        size_t n_name;
} RecordPath;

/*
 * What a record is known by, also when it is told a second time: after a crash, of events that were
 * taken from the kernel but perhaps not written.  The rendering is its event.id.
 */
typedef struct RecordKey {
        uint64_t stream;   /* of events, one a filesystem, from 1; 0: news about the watch itself */
        uint64_t position; /* of the event in its stream, from 0; of news nanoseconds since boot */
        unsigned part;     /* one event can tell of several things */
        bool is_fold;      /* of the first of many */
} RecordKey;

typedef struct RecordLoss {
        const char *where;      /* "file events", "process events", "exit records", "processes" */
        uint64_t count;         /* 0: the kernel does not say */
        const char *filesystem; /* mount point; NULL when it is not about one */
} RecordLoss;

/* Deletions and moves of one process within a second that are not told one by one. */
typedef struct RecordFold {
        uint64_t n_entries;              /* all: … */
        uint64_t n_files, n_directories; /* … of either kind; among them … */
        uint64_t n_moves, n_overwrites;
        const char *common_directory; /* that all are in or below; NULL unknown */
        size_t n_common_directory;
        const char *first, *last; /* paths, or names in unknown directories */
        size_t n_first, n_last;
        uint64_t since_nsec, until_nsec; /* realtime: when the first and the last was read */
} RecordFold;

/* Everything is borrowed until the renderer returns. */
typedef struct Record {
        RecordAction action;
        uint64_t realtime_nsec; /* when it was taken from the kernel's queue */
        uint64_t sequence;      /* counts up by one a record of this run, from 1 */
        RecordKey key;
        const ScopeMount *mount; /* NULL unknown or not about one filesystem */

        /* Deletions: */
        RecordPath path;
        RecordPath new_path; /* MOVE: where it went, .name NULL unknown; OVERWRITE: what is there
                              * now, by its former path */
        bool is_directory;
        bool is_subvolume;      /* a directory, and the root of a btrfs subvolume */
        uint64_t inode;         /* 0 unknown */
        bool may_be_overwrite;  /* MOVE: it cannot be told whether it destroyed something */
        const Remains *remains; /* NULL: nothing of it, or not known */
        const Deleter *deleter;
        const Cause *cause; /* NULL: none was found, or not in time */
        bool is_cause_late; /* it was not found in time: there may be one */
        PathSource path_source;
        const char *upper_path;     /* in the overlay's writable layer; NULL unknown or not asked */
        const char *container_path; /* as the deleter's container has it; NULL unknown, or none */

        /* News: */
        const char *message; /* one sentence, without a full stop */
        RecordLoss loss;

        /* FOLD; .deleter is whose they are: */
        const RecordFold *fold;
} Record;

/* Appends directory, '/' and name; nothing when the name is unknown. */
void record_path_append(const RecordPath *p, Buffer *b);
