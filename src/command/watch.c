/* SPDX-License-Identifier: MIT */

/*
 * The event loop of a watch: what it does when something comes, and how it ends.
 */

#include "command/watch.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <systemd/sd-event.h>

#include "base/buffer.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "command/watch_output.h"
#include "command/watch_pace.h"
#include "command/watch_service.h"
#include "command/watch_session.h"
#include "command/watch_summary.h"

/* Between two looks under load. */
#define PAUSE_USEC 1000
/* … while the reader of stdout is slow and events are only taken in. */
#define FULL_PAUSE_USEC 10000
/* How often dead processes are let go of. */
#define TIDY_USEC (2 * UINT64_C(1000000))
#define TIDY_SOON_USEC (100 * UINT64_C(1000))
/* How full the table may become in between: it may get worse. */
#define TIDY_CROWDING_MAX 0.125
/* How long is written what is queued when the next instance would do it as well. */
#define LEAVE_NSEC CLOCK_NSEC_PER_SEC
#define EXIT_TIMED_OUT 124

typedef enum WatchPhase {
        WATCH_PHASE_RUNNING,
        WATCH_PHASE_DRAINING, /* no new events are taken, those that are queued are */
        WATCH_PHASE_FLUSHING, /* nothing but the sink is left */
} WatchPhase;

typedef struct Watch {
        WatchOptions options;
        WatchSession *session;
        WatchService *service; /* NULL: no service manager */
        sd_event *event;
        WatchPace pace;
        int mountinfo_fd;
        WatchPhase phase;
        int status;
        bool is_leaving;
        bool is_reloading; /* begin anew when all is written */
        bool is_abandoned; /* nobody reads stdout any more: end without a word */
        uint64_t begin_nsec, tidy_usec;
        uint64_t leave_nsec; /* what is not written by then stays for the next instance; 0 no end */
} Watch;

static int leave(Watch *w, int status) {
        w->status = status;
        w->is_leaving = true;
        return sd_event_exit(w->event, 0);
}

/* What went wrong was said by whoever returned it. */
static int give_up(Watch *w, int error) {
        if (error == -EPIPE) {
                w->is_abandoned = true;
                return leave(w, EXIT_SUCCESS);
        }
        return leave(w, EXIT_FAILURE);
}

/* The loop only disables a source whose handler fails: it would wait for ever. */
static int handled(Watch *w, int r) {
        if (r >= 0)
                return 0;
        fprintf(stderr, "whodunlink: event loop: %s\n", strerror(-r));
        return leave(w, EXIT_FAILURE);
}

/* What the reader of stdout did not take yet waits in the sink. */
static int watch_output(Watch *w) {
        return watch_pace_watch_output(&w->pace,
                                       record_sink_events(watch_session_sink(w->session)));
}

/* Whoever deletes goes on, and the marks stay: it is not waited for that nothing is queued. */
static bool is_over(const Watch *w) {
        return w->leave_nsec > 0 && clock_now_nsec(CLOCK_MONOTONIC) > w->leave_nsec;
}

static int flush(Watch *w) {
        int r = watch_session_flush(w->session);

        if (r == -EAGAIN && is_over(w))
                return leave(w, w->status);
        if (r == -EAGAIN) {
                r = w->leave_nsec > 0 ? watch_pace_look_again(&w->pace, FULL_PAUSE_USEC)
                                      : watch_pace_ignore_events(&w->pace);
                return r < 0 ? r : watch_output(w);
        }
        return r < 0 ? give_up(w, r) : leave(w, w->status);
}

/* Everything is written: the last record says so. */
static int finish(Watch *w) {
        int r;

        w->phase = WATCH_PHASE_FLUSHING;
        r = watch_session_tidy(w->session);
        if (r >= 0)
                r = watch_session_announce(w->session, RECORD_STOP);
        return r < 0 ? give_up(w, r) : flush(w);
}

/* What to do after a dispatch; state as it returned it. */
static int go_on(Watch *w, int state) {
        int r;

        if (state < 0)
                return give_up(w, state);
        r = watch_output(w);
        if (r < 0)
                return r;
        if (is_over(w))
                return finish(w);
        switch ((WatchState)state) {
        case WATCH_ENOUGH:
                w->status = EXIT_SUCCESS;
                return finish(w);
        case WATCH_FULL:
                return watch_pace_look_again(&w->pace, FULL_PAUSE_USEC);
        case WATCH_BUSY:
                return watch_pace_look_again(&w->pace, PAUSE_USEC);
        case WATCH_IDLE:
                break;
        }
        return w->phase == WATCH_PHASE_DRAINING ? finish(w) : watch_pace_wait_for_events(&w->pace);
}

static int work(Watch *w) {
        if (w->phase == WATCH_PHASE_FLUSHING)
                return flush(w);
        return go_on(w, watch_session_dispatch(w->session));
}

/* From here on only what is already queued is taken. */
static int begin_drain(Watch *w, int status) {
        int state;

        w->status = status;
        w->phase = WATCH_PHASE_DRAINING;
        if (watch_session_is_kept(w->session))
                w->leave_nsec = clock_now_nsec(CLOCK_MONOTONIC) + LEAVE_NSEC;
        if (!w->is_reloading)
                watch_service_stopping(w->service);
        /* Once before: what is queued may need a directory whose removal is not queued yet. */
        state = watch_session_dispatch(w->session);
        watch_session_stop_capture(w->session);
        if (state < 0 || state == WATCH_ENOUGH)
                return go_on(w, state);
        return watch_pace_look_again(&w->pace, 0);
}

static int on_capture(sd_event_source *source, int fd, uint32_t events, void *userdata) {
        (void)source, (void)fd, (void)events;
        return handled(userdata, work(userdata));
}

static int on_pause(sd_event_source *source, uint64_t usec, void *userdata) {
        (void)source, (void)usec;
        return handled(userdata, work(userdata));
}

static int on_output(sd_event_source *source, int fd, uint32_t events, void *userdata) {
        Watch *w = userdata;

        (void)source, (void)fd;
        if (events & (EPOLLERR | EPOLLHUP))
                return give_up(w, -EPIPE);
        return handled(w, work(w));
}

static int follow_mounts(Watch *w) {
        int r;

        /* What is unmounted now can be asked for the last time where its directories were. */
        r = go_on(w, watch_session_settle(w->session));
        if (r < 0 || w->phase != WATCH_PHASE_RUNNING || w->is_leaving)
                return r;
        r = watch_session_update_mounts(w->session);
        return r < 0 ? give_up(w, r) : watch_pace_look_again(&w->pace, 0);
}

static int on_mounts(sd_event_source *source, int fd, uint32_t events, void *userdata) {
        Watch *w = userdata;

        (void)source, (void)fd, (void)events;
        return w->phase == WATCH_PHASE_RUNNING ? handled(w, follow_mounts(w)) : 0;
}

/* Sooner when they would be too many by then, as fast as they came since the last time. */
static int tidy_again(Watch *w, sd_event_source *source, double crowding) {
        bool is_soon = crowding / (double)w->tidy_usec * TIDY_USEC > TIDY_CROWDING_MAX;
        int r;

        w->tidy_usec = is_soon ? TIDY_SOON_USEC : TIDY_USEC;
        r = sd_event_source_set_time_accuracy(source, w->tidy_usec / 4);
        if (r >= 0)
                r = sd_event_source_set_time_relative(source, w->tidy_usec);
        return r < 0 ? r : sd_event_source_set_enabled(source, SD_EVENT_ONESHOT);
}

static int tidy(Watch *w, sd_event_source *source) {
        double crowding = watch_session_crowding(w->session);
        int r;

        /* When it is quiet nobody else looks whether the queue is empty. */
        r = watch_pace_is_waiting(&w->pace);
        if (r > 0)
                r = work(w);
        if (r < 0 || w->phase != WATCH_PHASE_RUNNING || w->is_leaving)
                return r;
        r = watch_session_tidy(w->session);
        watch_service_tell_status(w->service, w->session, w->begin_nsec);
        return r < 0 ? give_up(w, r) : tidy_again(w, source, crowding);
}

static int on_tidy(sd_event_source *source, uint64_t usec, void *userdata) {
        Watch *w = userdata;

        (void)usec;
        return w->phase == WATCH_PHASE_RUNNING ? handled(w, tidy(w, source)) : 0;
}

static int on_timeout(sd_event_source *source, uint64_t usec, void *userdata) {
        Watch *w = userdata;

        (void)source, (void)usec;
        return w->phase == WATCH_PHASE_RUNNING ? handled(w, begin_drain(w, EXIT_TIMED_OUT)) : 0;
}

static int on_signal(sd_event_source *source, const struct signalfd_siginfo *si, void *userdata) {
        Watch *w = userdata;
        size_t n;

        (void)source, (void)si;
        if (w->phase == WATCH_PHASE_RUNNING)
                return handled(w, begin_drain(w, EXIT_SUCCESS));
        if (w->is_reloading) {
                /* It was to begin anew; now it ends. */
                w->is_reloading = false;
                watch_service_stopping(w->service);
                return 0;
        }
        n = record_sink_n_pending(watch_session_sink(w->session));
        fprintf(stderr,
                "whodunlink: a signal cut its ending short: %zu bytes of records and what is still "
                "queued are not written\n",
                n);
        return leave(w, EXIT_FAILURE);
}

/* A terminal that is gone ends a watch; who runs it as a service wants it to read its files anew.
 */
static int on_hangup(sd_event_source *source, const struct signalfd_siginfo *si, void *userdata) {
        Watch *w = userdata;

        if (!w->service)
                return on_signal(source, si, userdata);
        if (w->phase != WATCH_PHASE_RUNNING)
                return 0;
        watch_service_reloading(w->service);
        if (watch_service_check() < 0) {
                fprintf(stderr, "whodunlink: not reloaded: the watch goes on as it was\n");
                watch_service_ready(w->service);
                return 0;
        }
        w->is_reloading = true;
        return handled(w, begin_drain(w, EXIT_SUCCESS));
}

static int on_resize(sd_event_source *source, const struct signalfd_siginfo *si, void *userdata) {
        Watch *w = userdata;

        (void)source, (void)si;
        record_sink_set_columns(watch_session_sink(w->session), watch_output_columns());
        return 0;
}

static int add_signals(Watch *w) {
        static const int ends[] = {SIGINT, SIGTERM};
        int r = 0;

        for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]) && r >= 0; i++)
                r = sd_event_add_signal(w->event, NULL, ends[i], on_signal, w);
        if (r >= 0)
                r = sd_event_add_signal(w->event, NULL, SIGHUP, on_hangup, w);
        return r < 0 ? r : sd_event_add_signal(w->event, NULL, SIGWINCH, on_resize, w);
}

static int add_timers(Watch *w) {
        int r;

        r = sd_event_add_time_relative(w->event, &w->pace.pause, CLOCK_MONOTONIC, 0, 1, on_pause,
                                       w);
        if (r >= 0)
                r = sd_event_add_time_relative(w->event, NULL, CLOCK_MONOTONIC, w->tidy_usec,
                                               w->tidy_usec / 4, on_tidy, w);
        if (r >= 0 && w->options.timeout_nsec > 0)
                r = sd_event_add_time_relative(w->event, NULL, CLOCK_MONOTONIC,
                                               w->options.timeout_nsec / CLOCK_NSEC_PER_USEC, 1,
                                               on_timeout, w);
        return r;
}

static int add_descriptors(Watch *w) {
        int fd = record_sink_fd(watch_session_sink(w->session));
        int r;

        r = sd_event_add_io(w->event, &w->pace.capture, watch_session_fd(w->session), EPOLLIN,
                            on_capture, w);
        if (r >= 0)
                r = sd_event_add_io(w->event, NULL, w->mountinfo_fd, EPOLLPRI, on_mounts, w);
        if (r < 0)
                return r;
        /* A regular file cannot be polled, nor does it make anyone wait. */
        r = sd_event_add_io(w->event, &w->pace.output, fd, 0, on_output, w);
        return r == -EPERM ? 0 : r;
}

static void say_summary(const Watch *w) {
        WatchCounters c = watch_session_counters(w->session);
        _cleanup_buffer_ Buffer b = {0};

        watch_summary_append(&b, &c, clock_now_nsec(CLOCK_MONOTONIC) - w->begin_nsec);
        fprintf(stderr, "%s\n", buffer_terminate(&b));
}

static int run_loop(Watch *w) {
        int r;

        r = add_signals(w);
        if (r >= 0)
                r = add_timers(w);
        if (r >= 0)
                r = add_descriptors(w);
        if (r >= 0)
                r = sd_event_loop(w->event);
        if (r < 0)
                fprintf(stderr, "whodunlink: event loop: %s\n", strerror(-r));
        return r;
}

static int run(Watch *w) {
        int r;

        w->begin_nsec = clock_now_nsec(CLOCK_MONOTONIC);
        r = watch_session_announce(w->session, RECORD_START);
        if (r < 0)
                return r == -EPIPE ? EXIT_SUCCESS : EXIT_FAILURE;
        watch_service_ready(w->service);
        watch_service_tell_status(w->service, w->session, w->begin_nsec);
        if (run_loop(w) < 0)
                return EXIT_FAILURE;
        if (!w->options.is_quiet && !w->is_abandoned)
                say_summary(w);
        return w->status;
}

/* Signals are taken by the event loop, also those that come while the witness is starting. */
static int block_signals(void) {
        sigset_t set;

        sigemptyset(&set);
        sigaddset(&set, SIGINT);
        sigaddset(&set, SIGTERM);
        sigaddset(&set, SIGHUP);
        sigaddset(&set, SIGWINCH);
        signal(SIGPIPE, SIG_IGN);
        return sigprocmask(SIG_BLOCK, &set, NULL) < 0 ? -errno : 0;
}

static int prepare(Watch *w) {
        int r;

        r = block_signals();
        if (r >= 0)
                r = sd_event_new(&w->event);
        if (r < 0) {
                fprintf(stderr, "whodunlink: cannot make an event loop: %s\n", strerror(-r));
                return r;
        }
        r = watch_service_new(w->event, &w->service);
        if (r < 0)
                return r;
        /* Before the first look at the mounts, so that no change falls in between. */
        w->mountinfo_fd = open("/proc/self/mountinfo", O_RDONLY | O_CLOEXEC);
        if (w->mountinfo_fd < 0) {
                r = -errno;
                fprintf(stderr, "whodunlink: cannot open /proc/self/mountinfo: %s\n", strerror(-r));
                return r;
        }
        return watch_session_new(&w->options, watch_service_store(w->service), &w->session);
}

/* A mistake has been said. Return: the exit status. */
static int mistake(int error) {
        if (error == -EINVAL)
                return 2;
        fprintf(stderr, "whodunlink: cannot read the command line: %s\n", strerror(-error));
        return EXIT_FAILURE;
}

int watch_main(int argc, char **argv) {
        Watch w = {.mountinfo_fd = -1, .tidy_usec = TIDY_USEC};
        int r, status = EXIT_SUCCESS;

        r = watch_options_parse(argc, argv, &w.options);
        if (r > 0)
                status = prepare(&w) < 0 ? EXIT_FAILURE : run(&w);
        else if (r < 0)
                status = mistake(r);

        watch_pace_done(&w.pace);
        sd_event_unref(w.event);
        watch_session_free(w.session);
        if (w.is_reloading && !w.is_abandoned && watch_service_exec(w.service) < 0)
                status = EXIT_FAILURE;
        watch_service_free(w.service);
        cleanup_close(&w.mountinfo_fd);
        watch_options_done(&w.options);
        return status;
}
