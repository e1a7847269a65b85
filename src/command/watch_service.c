/* SPDX-License-Identifier: MIT */

/*
 * What goes to the service manager.
 *
 * That a message is not taken is no reason to end a watch: the manager is told anew, or does
 * without.
 */

#include "command/watch_service.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

#include "base/buffer.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "command/watch_summary.h"

/* Between two of STATUS=: under load the main loop comes by more often. */
#define STATUS_NSEC (2 * CLOCK_NSEC_PER_SEC)

struct WatchService {
        DescriptorStore *store;
        uint64_t told_nsec;
};

int watch_service_new(sd_event *event, WatchService **ret_service) {
        WatchService *s;
        int r;

        *ret_service = NULL;
        if (!getenv("NOTIFY_SOCKET"))
                return 0;
        s = calloc(1, sizeof(*s));
        r = s ? descriptor_store_new(&s->store) : -ENOMEM;
        if (r < 0) {
                fprintf(stderr, "whodunlink: cannot take over descriptors (LISTEN_FDS): %s\n",
                        strerror(-r));
                watch_service_free(s);
                return r;
        }
        /* By the loop itself: one that hangs is seen. */
        r = sd_event_set_watchdog(event, true);
        if (r < 0)
                fprintf(stderr, "whodunlink: no watchdog: %s\n", strerror(-r));
        *ret_service = s;
        return 0;
}

WatchService *watch_service_free(WatchService *s) {
        if (s) {
                descriptor_store_free(s->store);
                free(s);
        }
        return NULL;
}

DescriptorStore *watch_service_store(const WatchService *s) {
        return s ? s->store : NULL;
}

void watch_service_ready(WatchService *s) {
        if (s)
                (void)sd_notify(0, "READY=1");
}

void watch_service_reloading(WatchService *s) {
        if (s)
                (void)sd_notifyf(0, "RELOADING=1\nMONOTONIC_USEC=%llu\nSTATUS=Reloading",
                                 (unsigned long long)(clock_now_nsec(CLOCK_MONOTONIC) /
                                                      CLOCK_NSEC_PER_USEC));
}

void watch_service_stopping(WatchService *s) {
        if (s)
                (void)sd_notify(0, "STOPPING=1\nSTATUS=Writing what is queued");
}

void watch_service_tell_status(WatchService *s, const WatchSession *session, uint64_t begin_nsec) {
        const uint64_t now = clock_now_nsec(CLOCK_MONOTONIC);
        _cleanup_buffer_ Buffer b = {0};
        WatchCounters c;
        size_t n_pending;

        if (!s || now < s->told_nsec + STATUS_NSEC)
                return;
        s->told_nsec = now;
        c = watch_session_counters(session);
        n_pending = record_sink_n_pending(watch_session_sink(session));
        watch_summary_append(&b, &c, now - begin_nsec);
        if (n_pending > 0)
                buffer_append_format(&b, "; %zu bytes of records wait for who reads them",
                                     n_pending);
        if (record_sink_trouble(watch_session_sink(session)))
                buffer_append_format(&b, "; %s", record_sink_trouble(watch_session_sink(session)));
        if (b.is_failed)
                return;
        (void)sd_notifyf(0, "STATUS=%s", buffer_terminate(&b));
}

/* The command line as it was given: reading the options has put another order into our own copy. */
static int read_arguments(Buffer *b, char ***ret_argv) {
        _cleanup_close_ int fd = open("/proc/self/cmdline", O_RDONLY | O_CLOEXEC);
        char bytes[4096], **argv;
        size_t n = 0;
        ssize_t n_read;

        if (fd < 0)
                return -errno;
        while ((n_read = read(fd, bytes, sizeof(bytes))) > 0)
                buffer_append(b, bytes, (size_t)n_read);
        if (n_read < 0)
                return -errno;
        if (b->is_failed)
                return -ENOMEM;
        for (size_t i = 0; i < b->n_bytes; i++)
                n += b->bytes[i] == '\0';
        argv = calloc(n + 1, sizeof(*argv));
        if (!argv)
                return -ENOMEM;
        for (size_t i = 0, at = 0; i < n; at += strlen(b->bytes + at) + 1)
                argv[i++] = b->bytes + at;
        *ret_argv = argv;
        return 0;
}

int watch_service_check(void) {
        _cleanup_buffer_ Buffer b = {0};
        _cleanup_free_ char **argv = NULL;
        WatchOptions options = {0};
        int argc = 0, r;

        r = read_arguments(&b, &argv);
        if (r < 0)
                return r;
        while (argv[argc])
                argc++;
        /* The verb may be left out; the reader of the options looks behind it. */
        if (argc > 1 && strcmp(argv[1], "watch") == 0) {
                memmove(argv, argv + 1, (size_t)argc * sizeof(*argv));
                argc--;
        }
        optind = 0;
        r = watch_options_parse(argc, argv, &options);
        watch_options_done(&options);
        return r < 0 ? r : 0;
}

int watch_service_exec(WatchService *s) {
        _cleanup_buffer_ Buffer b = {0};
        _cleanup_free_ char **argv = NULL;
        int r;

        r = read_arguments(&b, &argv);
        if (r >= 0)
                r = descriptor_store_exec(s->store, argv);
        fprintf(stderr, "whodunlink: cannot begin anew for a reload: %s\n", strerror(-r));
        return r;
}
