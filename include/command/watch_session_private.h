/* SPDX-License-Identifier: MIT */
#pragma once

/* What the files of a watch session share: watch_setup.c, watch_coverage.c, watch_event.c and
 * itself. */

#include <sys/types.h>

#include "command/process_counter.h"
#include "command/watch_hold.h"
#include "command/watch_remains.h"
#include "command/watch_session.h"
#include "explain/explainer.h"
#include "identify/identifier.h"
#include "identify/user_names.h"
#include "record/host_facts.h"

/* The last event that was told as a move away from a name. */
typedef struct MovedAway {
        dev_t device;
        uint64_t position; /* of the event among those of its filesystem */
        pid_t pid;
        uint64_t target; /* hash of its handle; 0 unknown */
} MovedAway;

/* A filesystem that cannot be watched. */
typedef struct Refused {
        dev_t device;
        uint64_t identity; /* hash of what is mounted there: numbers are used anew */
} Refused;

/* What was said of the coverage before there were records. */
typedef struct EarlyNews {
        char *message;
        ScopeSet mount; /* of one mount, or of none */
} EarlyNews;

struct WatchSession {
        const WatchOptions *options;
        ScopeTarget *targets;
        size_t n_targets;

        int proc_fd, root_fd;
        ProcSource source;
        ProcessTable *table;
        Witness *witness; /* NULL: no process connector */
        WatchHold *hold;  /* NULL: programs are not held */
        Identifier *identifier;
        Explainer *explainer; /* NULL: no thread could be started for it */
        bool is_hasty;        /* no record can be held back now */

        DescriptorStore *store; /* NULL: no service manager; borrowed */
        struct WatchKeep *keep; /* NULL: nothing outlives the process */
        bool is_continued;      /* an earlier instance was there before */
        bool is_process_lost;   /* … whose knowledge of processes is lost */

        HostFacts host;
        UserNames *names;
        RecordSink *sink;
        bool is_stderr_journal; /* as the records: what they say is not said twice */

        int mounts_fd; /* mountinfo, to be asked whether it has changed */
        bool is_table_changed;
        int epoll_fd; /* readable when any filesystem has events */
        WatchedFilesystem **filesystems;
        size_t n_filesystems;
        uint64_t n_streams; /* of events, ever */
        Refused *refused;   /* said once that they cannot be watched */
        size_t n_refused;
        EarlyNews *early;
        size_t n_early;
        MountTable mounts; /* as they were at the last look */
        struct WatchOverlay *overlays;
        size_t n_overlays;
        Buffer upper_path, container_path; /* of the record that is being written */
        char **covers;                     /* mount points that hide files, said so */
        size_t n_covers;

        pid_t self;
        bool is_started; /* START was written: changes of coverage from now on are news */
        Buffer path;
        MovedAway moved_away;
        WatchRemains remains;
        ProcessCounter processes; /* that deleted something */
        bool is_witness_told;     /* that process events have ended */
        uint64_t n_evicted_told;  /* processes forgotten because of --process-limit */
        WatchCounters counters;
};

/* Numbers and writes a record. Return: 0, errors of the sink. */
int watch_session_put(WatchSession *s, Record *r);
/* --count is reached. */
bool watch_session_is_enough(const WatchSession *s);
/* Fills in the time and writes a record that is no deletion. Return: 0, errors of the sink. */
int watch_session_put_news(WatchSession *s, Record *r);
