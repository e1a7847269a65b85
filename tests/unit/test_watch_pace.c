/* SPDX-License-Identifier: MIT */

/* What wakes a loop: events, a pause, room in stdout; each only when it shall. */

#include "command/watch_pace.h"

#include <fcntl.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "unit.h"

static sd_event *event;
static WatchPace pace;
static int events[2], output[2];
static unsigned n_events, n_pauses, n_outputs;

static int on_io(sd_event_source *source, int fd, uint32_t mask, void *userdata) {
        unsigned *n = userdata;

        (void)source, (void)fd, (void)mask;
        ++*n;
        return 0;
}

static int on_time(sd_event_source *source, uint64_t usec, void *userdata) {
        unsigned *n = userdata;

        (void)source, (void)usec;
        ++*n;
        return 0;
}

/* An event is there all the time, and stdout has room all the time. */
static void setup(void) {
        n_events = n_pauses = n_outputs = 0;
        pace = (WatchPace){0};
        ck_assert_int_eq(pipe2(events, O_CLOEXEC), 0);
        ck_assert_int_eq(pipe2(output, O_CLOEXEC), 0);
        ck_assert_int_eq(write(events[1], "x", 1), 1);
        ck_assert_int_eq(sd_event_new(&event), 0);
        ck_assert_int_ge(
                sd_event_add_io(event, &pace.capture, events[0], EPOLLIN, on_io, &n_events), 0);
        ck_assert_int_ge(sd_event_add_time_relative(event, &pace.pause, CLOCK_MONOTONIC, 0, 1,
                                                    on_time, &n_pauses),
                         0);
        ck_assert_int_ge(sd_event_add_io(event, &pace.output, output[1], 0, on_io, &n_outputs), 0);
}

static void teardown(void) {
        watch_pace_done(&pace);
        ck_assert_ptr_null(pace.capture);
        watch_pace_done(&pace);
        sd_event_unref(event);
        for (size_t i = 0; i < 2; i++) {
                close(events[i]);
                close(output[i]);
        }
}

/* Until nothing has come for a while. */
static void run(void) {
        for (unsigned i = 0; i < 8; i++)
                if (sd_event_run(event, 50 * 1000) == 0)
                        return;
}

START_TEST(test_pause) {
        ck_assert_int_ge(watch_pace_look_again(&pace, 1000), 0);
        ck_assert_int_eq(watch_pace_is_waiting(&pace), 0);
        run();
        ck_assert_uint_eq(n_pauses, 1);
        ck_assert_uint_eq(n_events, 0);
        /* Each pause is asked for. */
        ck_assert_int_ge(watch_pace_look_again(&pace, 0), 0);
        run();
        ck_assert_uint_eq(n_pauses, 2);
        ck_assert_uint_eq(n_events, 0);
}
END_TEST

START_TEST(test_events) {
        ck_assert_int_ge(watch_pace_look_again(&pace, 0), 0);
        ck_assert_int_ge(watch_pace_wait_for_events(&pace), 0);
        ck_assert_int_eq(watch_pace_is_waiting(&pace), 1);
        run();
        ck_assert_uint_eq(n_pauses, 0);
        ck_assert_uint_gt(n_events, 0);
        n_events = 0;
        ck_assert_int_ge(watch_pace_ignore_events(&pace), 0);
        ck_assert_int_eq(watch_pace_is_waiting(&pace), 0);
        run();
        ck_assert_uint_eq(n_events + n_pauses, 0);
}
END_TEST

START_TEST(test_output) {
        ck_assert_int_ge(watch_pace_ignore_events(&pace), 0);
        ck_assert_int_ge(watch_pace_watch_output(&pace, EPOLLOUT), 0);
        run();
        ck_assert_uint_gt(n_outputs, 0);
        n_outputs = 0;
        ck_assert_int_ge(watch_pace_watch_output(&pace, 0), 0);
        run();
        ck_assert_uint_eq(n_outputs, 0);
        /* A regular file. */
        pace.output = sd_event_source_unref(pace.output);
        ck_assert_int_eq(watch_pace_watch_output(&pace, EPOLLOUT), 0);
}
END_TEST

int main(void) {
        TCase *tcase = tcase_create("watch_pace");

        tcase_add_checked_fixture(tcase, setup, teardown);
        tcase_add_test(tcase, test_pause);
        tcase_add_test(tcase, test_events);
        tcase_add_test(tcase, test_output);
        return unit_run("watch_pace", tcase);
}
