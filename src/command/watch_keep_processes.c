/* SPDX-License-Identifier: MIT */

/*
 * What is known of processes, and the sockets that tell of them: one is of no use without the
 * other.
 */

#include <stdio.h>

#include "base/cleanup.h"
#include "command/watch_keep_private.h"
#include "command/watch_session_private.h"

#define PROCESSES_NAME "processes"
#define EVENTS_NAME "process-events"
#define EXITS_NAME "exits"

/* Return: 0, -ENOENT there was none, others: it cannot be used. */
static int open_log(WatchSession *s) {
        _cleanup_close_ int fd = descriptor_store_take(s->store, PROCESSES_NAME);
        int r = fd < 0 ? fd : process_log_open(fd, &s->keep->log);

        if (r >= 0)
                fd = -1;
        return r;
}

static int new_log(WatchSession *s) {
        int r;

        /* Sockets without what was known before are of no use. */
        descriptor_store_remove(s->store, PROCESSES_NAME);
        descriptor_store_remove(s->store, EVENTS_NAME);
        descriptor_store_remove(s->store, EXITS_NAME);
        r = process_log_new(&s->keep->log);
        if (r >= 0)
                r = descriptor_store_put(s->store, PROCESSES_NAME, process_log_fd(s->keep->log));
        if (r < 0)
                s->keep->log = process_log_free(s->keep->log);
        return r;
}

static void say_lost_processes(WatchSession *s, int error) {
        if (!s->is_continued)
                return;
        s->is_process_lost = true;
        fprintf(stderr,
                "whodunlink: what an earlier instance knew of processes cannot be used (%s): "
                "deletions by those that have ended by now are told without a name\n",
                watch_keep_reason(error));
}

int watch_keep_processes(WatchSession *s, WitnessKept *ret_kept) {
        int r;

        *ret_kept = (WitnessKept){.events_fd = -1, .exits_fd = -1};
        if (!s->keep)
                return 0;
        r = open_log(s);
        if (r < 0) {
                say_lost_processes(s, r);
                r = new_log(s);
        }
        if (r < 0) {
                fprintf(stderr,
                        "whodunlink: cannot keep what is known of processes over a restart: %s\n",
                        strerror(-r));
                return 0;
        }
        ret_kept->log = s->keep->log;
        r = descriptor_store_take(s->store, EVENTS_NAME);
        if (r >= 0)
                ret_kept->events_fd = r;
        r = descriptor_store_take(s->store, EXITS_NAME);
        if (r >= 0)
                ret_kept->exits_fd = r;
        return 1;
}

void watch_keep_witness(WatchSession *s) {
        int fd;

        if (!s->keep || !s->keep->log || !s->witness)
                return;
        (void)descriptor_store_put(s->store, EVENTS_NAME, witness_events_fd(s->witness));
        fd = witness_exits_fd(s->witness);
        if (fd >= 0)
                (void)descriptor_store_put(s->store, EXITS_NAME, fd);
}

int watch_keep_tell_processes(WatchSession *s) {
        if (!s->is_process_lost)
                return 0;
        s->counters.n_losses++;
        return watch_session_put_news(
                s, &(Record){.action = RECORD_LOSS,
                             .message = "what was known of processes was lost when whodunlink was "
                                        "started anew: deletions by those that had ended by then "
                                        "have no names",
                             .loss = {.where = "processes"}});
}
