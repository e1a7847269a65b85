/* SPDX-License-Identifier: MIT */

/* A walk over /proc. */

#include "identify/process_scan.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"

/* Return: a pid, 0 the entry is not a process. */
static pid_t pid_of(const char *name) {
        char *end;
        long pid = strtol(name, &end, 10);

        return *end == '\0' && pid > 0 && pid <= INT32_MAX ? (pid_t)pid : 0;
}

int process_scan(ProcessTable *table, const ProcSource *source) {
        _cleanup_closedir_ DIR *d = NULL;
        _cleanup_close_ int fd = -1;
        struct dirent *e;

        fd = openat(source->proc_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (fd < 0)
                return -errno;
        d = fdopendir(fd);
        if (!d)
                return -errno;
        fd = -1; /* the stream's */
        while ((e = readdir(d))) {
                pid_t pid = pid_of(e->d_name);
                ProcessFacts *facts;

                if (pid > 0 && proc_snapshot_read(source, pid, PROC_SNAPSHOT_ALL, &facts) >= 0)
                        process_table_found(table, pid, clock_now_nsec(CLOCK_MONOTONIC), facts);
        }
        process_table_link_parents(table);
        return 0;
}

int process_rescan(ProcessTable *table, const ProcSource *source, uint64_t loss_since_nsec) {
        int r;

        process_table_begin_rescan(table,
                                   (ProcessWindow){.since = loss_since_nsec,
                                                   .until = clock_now_nsec(CLOCK_MONOTONIC)});
        r = process_scan(table, source);
        if (r >= 0)
                process_table_end_rescan(table);
        return r;
}
