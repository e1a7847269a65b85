/* SPDX-License-Identifier: MIT */

/* What the first and the last event in flight about a directory say of its place. */

#include "locate/later_events.h"

#include <string.h>

#include "unit.h"

static LaterEvents later;
static uint64_t n_events;

/* The handle of a directory: its number. */
static FileHandle directory(uint16_t id) {
        static uint16_t ids[UINT16_MAX + 1];

        ids[id] = id;
        return (FileHandle){
                .type = 1, .n_bytes = sizeof(ids[id]), .bytes = (const uint8_t *)&ids[id]};
}

static FanName in(uint16_t parent, const char *name) {
        return (FanName){.directory = directory(parent), .name = name, .n_name = strlen(name)};
}

static FlightEvent moves(uint16_t id, FanName from, FanName to) {
        FlightEvent e = {
                .fan = {.mask = FAN_RENAME | FAN_ONDIR,
                        .old_name = from,
                        .new_name = to,
                        .target = directory(id)},
                .position = n_events++,
        };

        if (later_events_add(&later, &e) != 0)
                ck_abort_msg("later_events_add");
        return e;
}

static FlightEvent goes(uint16_t id, FanName from) {
        FlightEvent e = {
                .fan = {.mask = FAN_DELETE | FAN_ONDIR, .name = from, .target = directory(id)},
                .position = n_events++,
        };

        if (later_events_add(&later, &e) != 0)
                ck_abort_msg("later_events_add");
        return e;
}

static void setup(void) {
        later = (LaterEvents){0};
        n_events = 0;
}

static void teardown(void) {
        later_events_done(&later);
}

static bool is_name(const FanName *n, uint16_t parent, const char *name) {
        FileHandle h = directory(parent);

        return file_handle_equal(&n->directory, &h) && n->n_name == strlen(name) &&
               memcmp(n->name, name, n->n_name) == 0;
}

static void expect_was(uint16_t id, uint16_t parent, const char *name) {
        FileHandle h = directory(id);
        const FanName *was = later_events_find(&later, &h);

        ck_assert_ptr_nonnull(was);
        ck_assert(is_name(was, parent, name));
}

static void expect_now(uint16_t id, uint16_t parent, const char *name) {
        FileHandle h = directory(id);
        FanName now;

        ck_assert(later_events_last(&later, &h, &now));
        ck_assert(is_name(&now, parent, name));
}

static void expect_gone(uint16_t id) {
        FileHandle h = directory(id);
        FanName now = in(99, "x");

        ck_assert(later_events_last(&later, &h, &now));
        ck_assert_ptr_null(now.directory.bytes);
}

static void expect_nothing(uint16_t id) {
        FileHandle h = directory(id);
        FanName now = in(99, "x");

        ck_assert(!later_events_last(&later, &h, &now));
        ck_assert(is_name(&now, 99, "x"));
        ck_assert_ptr_null(later_events_find(&later, &h));
}

START_TEST(test_one) {
        FlightEvent e;

        expect_nothing(1);
        e = moves(1, in(2, "a"), in(3, "b"));
        expect_was(1, 2, "a");
        expect_now(1, 3, "b");
        expect_nothing(2);
        expect_nothing(3);
        later_events_remove(&later, &e);
        expect_nothing(1);
}
END_TEST

/* The first says where it was, the last where it is, while they leave one by one. */
START_TEST(test_many_of_one) {
        FlightEvent first = moves(1, in(2, "a"), in(2, "b"));
        FlightEvent second = moves(1, in(2, "b"), in(3, "b"));
        FlightEvent other = moves(4, in(2, "o"), in(2, "p"));
        FlightEvent third = moves(1, in(3, "b"), in(4, "c"));
        FlightEvent last;

        expect_was(1, 2, "a");
        expect_now(1, 4, "c");
        last = goes(1, in(4, "c"));
        expect_was(1, 2, "a");
        expect_gone(1);
        /* Not out of turn. */
        later_events_remove(&later, &second);
        expect_was(1, 2, "a");
        later_events_remove(&later, &first);
        expect_was(1, 2, "b");
        expect_gone(1);
        later_events_remove(&later, &second);
        later_events_remove(&later, &other);
        expect_nothing(4);
        later_events_remove(&later, &third);
        expect_was(1, 4, "c");
        expect_gone(1);
        later_events_remove(&later, &last);
        expect_nothing(1);
}
END_TEST

/* The one that is left after another has left is the last one, and the next comes behind it. */
START_TEST(test_last_after_first) {
        FlightEvent first = moves(1, in(2, "a"), in(2, "b"));
        FlightEvent second = moves(1, in(2, "b"), in(2, "c"));

        later_events_remove(&later, &first);
        expect_now(1, 2, "c");
        moves(1, in(2, "c"), in(2, "d"));
        expect_was(1, 2, "b");
        expect_now(1, 2, "d");
        later_events_remove(&later, &second);
        expect_was(1, 2, "c");
        expect_now(1, 2, "d");
}
END_TEST

START_TEST(test_sight) {
        moves(1, in(2, "a"), (FanName){0});
        expect_was(1, 2, "a");
        expect_gone(1);
        moves(1, (FanName){0}, in(3, "z"));
        expect_was(1, 2, "a");
        expect_now(1, 3, "z");
        moves(5, (FanName){0}, in(3, "y"));
        expect_now(5, 3, "y");
        ck_assert_ptr_null(
                later_events_find(&later, &(FileHandle){directory(5).type, 2, directory(5).bytes})
                        ->directory.bytes);
}
END_TEST

START_TEST(test_concern) {
        const FanEvent rename = {.mask = FAN_RENAME | FAN_ONDIR,
                                 .old_name = in(1, "a"),
                                 .new_name = in(1, "b"),
                                 .target = directory(2)};
        FanEvent e = rename;

        ck_assert(later_events_concern(&e));
        e.old_name = (FanName){0};
        ck_assert(later_events_concern(&e));
        e.new_name = (FanName){0};
        ck_assert(!later_events_concern(&e));
        e = rename;
        e.mask = FAN_RENAME;
        ck_assert(!later_events_concern(&e));
        e.mask = FAN_ATTRIB | FAN_ONDIR;
        ck_assert(!later_events_concern(&e));
        e = rename;
        e.target = (FileHandle){0};
        ck_assert(!later_events_concern(&e));
        e = (FanEvent){.mask = FAN_DELETE | FAN_ONDIR, .name = in(1, "a"), .target = directory(2)};
        ck_assert(later_events_concern(&e));
}
END_TEST

/* Each is found among many, and what they needed is given back but for a bound. */
START_TEST(test_many) {
        enum {
                N = LATER_EVENTS_SPARE_MAX + 500
        };
        static FlightEvent events[N];

        for (uint16_t i = 0; i < N; i++)
                events[i] = moves(i, in(i, "a"), in((uint16_t)(i + 1), "b"));
        for (uint16_t i = 0; i < N; i += 501) {
                expect_was(i, i, "a");
                expect_now(i, (uint16_t)(i + 1), "b");
        }
        for (uint16_t i = 0; i < N; i++)
                later_events_remove(&later, &events[i]);
        expect_nothing(0);
        expect_nothing(N - 1);
        ck_assert_uint_eq(later.n_spare, LATER_EVENTS_SPARE_MAX);
        moves(1, in(2, "a"), in(3, "b"));
        ck_assert_uint_eq(later.n_spare, LATER_EVENTS_SPARE_MAX - 1);
        expect_now(1, 3, "b");
}
END_TEST

int main(void) {
        TCase *tcase = tcase_create("later_events");

        tcase_add_checked_fixture(tcase, setup, teardown);
        tcase_add_test(tcase, test_one);
        tcase_add_test(tcase, test_many_of_one);
        tcase_add_test(tcase, test_last_after_first);
        tcase_add_test(tcase, test_sight);
        tcase_add_test(tcase, test_concern);
        tcase_add_test(tcase, test_many);
        return unit_run("later_events", tcase);
}
