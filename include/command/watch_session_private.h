/* SPDX-License-Identifier: MIT */
#pragma once

/* What the three files of a watch session share: watch_setup.c, watch_coverage.c and itself. */

#include <sys/types.h>

#include "command/watch_session.h"
#include "identify/identifier.h"
#include "identify/user_names.h"
#include "record/host_facts.h"

/* Slots in which processes are remembered so as to be counted once. */
#define WATCH_COUNTED 4096

struct WatchSession {
        const WatchOptions *options;
        ScopeTarget *targets;
        size_t n_targets;

        int proc_fd;
        ProcessTable *table;
        Witness *witness; /* NULL: no process connector */
        Identifier *identifier;

        HostFacts host;
        UserNames *names;
        RecordSink *sink;

        int epoll_fd; /* readable when any filesystem has events */
        WatchedFilesystem **filesystems;
        size_t n_filesystems;
        dev_t *refused; /* said once that they cannot be watched */
        size_t n_refused;

        pid_t self;
        bool is_started; /* START was written: changes of coverage from now on are news */
        Buffer path;
        uint64_t counted[WATCH_COUNTED];
        WatchCounters counters;
};

/* Fills in the time and writes a record that is no deletion. Return: 0, errors of the sink. */
int watch_session_put_news(WatchSession *s, Record *r);
