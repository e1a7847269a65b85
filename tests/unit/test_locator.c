/* SPDX-License-Identifier: MIT */

/* Where directories were at the moment of the oldest event: before, after, or now. */

#include "locate/locator.h"

#include <malloc.h>

#include "base/clock.h"
#include "fixtures_locator.h"

#define HANDLE PATH_SOURCE_HANDLE
#define CACHE PATH_SOURCE_CACHE
#define RMDIR PATH_SOURCE_RMDIR

START_TEST(test_root) {
        expect_place(0, "/mnt", CACHE);
        ck_assert_int_eq(place->class, SCOPE_SOME);
        ck_assert_ptr_eq(place->mount, &scopes.mounts[0]);
        ck_assert_uint_eq(mount->n_walks, 0);
}
END_TEST

/* An event that could not be noted for lack of memory takes no later one away. */
START_TEST(test_not_noted) {
        FlightEvent first, second;

        mkdir_at(1, 0, "a");
        first = (FlightEvent){.fan = {.mask = FAN_RENAME | FAN_ONDIR,
                                      .old_name = name_in(1, "x"),
                                      .new_name = name_in(1, "y"),
                                      .target = handle(2)},
                              .position = n_events++};
        second = note_rmdir(2, 1, "y");
        locator_apply(locator, &first);
        expect_place(2, "/mnt/a/y", RMDIR);
        locator_apply(locator, &second);
        ck_assert_int_eq(find_to_the_end(2), -ESTALE);
}
END_TEST

/* What the filesystem says holds only when no event read meanwhile says otherwise. */
START_TEST(test_live) {
        mkdir_at(1, 0, "a");
        mkdir_at(2, 1, "b");
        ck_assert_int_eq(find(2, false), -EAGAIN);
        ck_assert_int_eq(find(2, true), 0);
        ck_assert_str_eq(place->path, "/mnt/a/b");
        ck_assert_int_eq(place->class, SCOPE_ALL);
        ck_assert_int_eq(source, HANDLE);
        ck_assert_uint_eq(mount->n_walks, 1);
        /* From then on nobody is asked. */
        expect_place(2, "/mnt/a/b", CACHE);
        expect_place(1, "/mnt/a", CACHE);
        ck_assert_uint_eq(mount->n_walks, 1);
        /* A new one below costs one step. */
        mkdir_at(3, 2, "c");
        expect_place(3, "/mnt/a/b/c", HANDLE);
        ck_assert_uint_eq(mount->n_walks, 2);
}
END_TEST

/* A question that was left without an answer: what was seen then is not true any more. */
START_TEST(test_asked_anew) {
        mkdir_at(1, 0, "a");
        ck_assert_int_eq(find(1, false), -EAGAIN);
        directories[1].name = "b";
        ck_assert_int_eq(find(1, false), -EAGAIN);
        ck_assert_int_eq(find(1, true), 0);
        ck_assert_str_eq(place->path, "/mnt/b");
}
END_TEST

/* Names from the future: the directory is gone, its rmdir is in flight. */
START_TEST(test_rmdir) {
        FlightEvent first, second;

        mkdir_at(1, 0, "a");
        first = note_rmdir(3, 2, "c");
        second = note_rmdir(2, 1, "b");
        expect_place(3, "/mnt/a/b/c", RMDIR);
        expect_place(2, "/mnt/a/b", CACHE);
        locator_apply(locator, &first);
        expect_place(2, "/mnt/a/b", CACHE);
        locator_apply(locator, &second);
        ck_assert_int_eq(find_to_the_end(2), -ESTALE);
        ck_assert_int_eq(find_to_the_end(3), -ESTALE);
        expect_place(1, "/mnt/a", CACHE);
}
END_TEST

/* Of several later events the first one counts, in whatever order they hash. */
START_TEST(test_first_later_event) {
        FlightEvent e[4];

        mkdir_at(1, 0, "a");
        mkdir_at(9, 0, "other");
        e[0] = note_rename(2, 1, "one", 1, "two");
        e[1] = note_rename(2, 1, "two", 9, "three");
        e[2] = note_rename(1, 0, "a", 0, "renamed");
        e[3] = note_rmdir(2, 9, "three");
        expect_place(2, "/mnt/a/one", RMDIR);
        locator_apply(locator, &e[0]);
        expect_place(2, "/mnt/a/two", CACHE);
        locator_apply(locator, &e[1]);
        expect_place(2, "/mnt/other/three", HANDLE);
        locator_apply(locator, &e[2]);
        expect_place(2, "/mnt/other/three", CACHE);
        expect_place(1, "/mnt/renamed", CACHE);
        locator_apply(locator, &e[3]);
        ck_assert_int_eq(find_to_the_end(2), -ESTALE);
}
END_TEST

/* The rename is read after the filesystem was asked: it tells what was there before. */
START_TEST(test_live_then_renamed) {
        FlightEvent e;

        mkdir_at(1, 0, "new");
        mkdir_at(2, 1, "b");
        ck_assert_int_eq(find(2, false), -EAGAIN);
        e = note_rename(1, 0, "old", 0, "new");
        ck_assert_int_eq(find(2, true), 0);
        ck_assert_str_eq(place->path, "/mnt/old/b");
        ck_assert_int_eq(source, HANDLE);
        locator_apply(locator, &e);
        expect_place(2, "/mnt/new/b", CACHE);

        mkdir_at(3, 1, "c2");
        ck_assert_int_eq(find(3, false), -EAGAIN);
        e = note_rename(3, 2, "c1", 1, "c2");
        ck_assert_int_eq(find(3, true), 0);
        ck_assert_str_eq(place->path, "/mnt/new/b/c1");
        ck_assert_int_eq(source, RMDIR);
        locator_apply(locator, &e);
        expect_place(3, "/mnt/new/c2", CACHE);
}
END_TEST

START_TEST(test_rename_of_an_ancestor) {
        FlightEvent e;

        mkdir_at(1, 0, "a");
        mkdir_at(2, 1, "b");
        mkdir_at(3, 2, "c");
        expect_place(3, "/mnt/a/b/c", HANDLE);
        ck_assert_int_eq(place->class, SCOPE_ALL);
        e = note_rename(1, 0, "a", 0, "z");
        expect_place(3, "/mnt/a/b/c", CACHE);
        locator_apply(locator, &e);
        expect_place(3, "/mnt/z/b/c", CACHE);
        ck_assert_int_eq(place->class, SCOPE_NONE);
}
END_TEST

/* Into a directory that nobody asked for before. */
START_TEST(test_rename_to_unknown) {
        FlightEvent e;

        mkdir_at(1, 0, "a");
        mkdir_at(2, 0, "to");
        mkdir_at(3, 1, "c");
        expect_place(3, "/mnt/a/c", HANDLE);
        e = note_rename(3, 1, "c", 2, "d");
        locator_apply(locator, &e);
        expect_place(3, "/mnt/to/d", HANDLE);
        /* The record of where it went is missing. */
        e = note((FanEvent){
                .mask = FAN_RENAME | FAN_ONDIR, .old_name = name_in(2, "d"), .target = handle(3)});
        directories[3].name = "e";
        locator_apply(locator, &e);
        expect_place(3, "/mnt/to/e", HANDLE);
}
END_TEST

/* Facts that contradict each other, as a loss of events can leave them: the way up is asked for. */
START_TEST(test_rename_in_a_circle) {
        FlightEvent e;

        mkdir_at(1, 0, "a");
        mkdir_at(2, 1, "b");
        expect_place(2, "/mnt/a/b", HANDLE);
        mkdir_at(2, 0, "b");
        e = note_rename(1, 0, "a", 2, "c");
        locator_apply(locator, &e);
        ck_assert_int_ne(find_to_the_end(1), -EAGAIN);
        mkdir_at(1, 0, "a");
        locator_forget_all(locator);
        expect_place(2, "/mnt/b", HANDLE);
}
END_TEST

START_TEST(test_gone) {
        const FileHandle h = handle(2);
        FlightEvent e;

        mkdir_at(1, 0, "a");
        ck_assert_int_eq(find_to_the_end(2), -ESTALE);
        ck_assert(!locator_is_lost(locator, &h));
        locator_give_up(locator, &h);
        ck_assert(locator_is_lost(locator, &h));
        ck_assert_int_eq(find_to_the_end(2), -ESTALE);
        /* An event names it after all. */
        e = note_rmdir(2, 1, "late");
        expect_place(2, "/mnt/a/late", RMDIR);
        ck_assert(!locator_is_lost(locator, &h));
        locator_apply(locator, &e);
        ck_assert(!locator_is_lost(locator, &h));
        /* Lost is forgotten with everything else. */
        locator_give_up(locator, &h);
        locator_forget_all(locator);
        ck_assert(!locator_is_lost(locator, &h));
}
END_TEST

START_TEST(test_errors) {
        static const int errors[] = {-ESTALE, -EXDEV, -ENOMEM, -EACCES, -EMFILE};

        mkdir_at(1, 0, "a");
        for (uint32_t i = 0; i < sizeof(errors) / sizeof(errors[0]); i++) {
                directories[10 + i].error = errors[i];
                ck_assert_int_eq(find(10 + i, false), errors[i]);
                ck_assert_int_eq(find(10 + i, true), errors[i]);
        }
        /* It went between the two tries; or it came. */
        ck_assert_int_eq(find(1, false), -EAGAIN);
        directories[1].error = -ESTALE;
        ck_assert_int_eq(find(1, true), 0);
        ck_assert_str_eq(place->path, "/mnt/a");
        ck_assert_int_eq(find(10, false), -ESTALE);
        mkdir_at(10, 1, "b");
        expect_place(10, "/mnt/a/b", HANDLE);
}
END_TEST

/* After a loss nothing of before is believed. */
START_TEST(test_forget_all) {
        mkdir_at(1, 0, "a");
        mkdir_at(2, 1, "b");
        expect_place(2, "/mnt/a/b", HANDLE);
        directories[1].name = "c";
        locator_forget_all(locator);
        expect_place(2, "/mnt/c/b", HANDLE);
        expect_place(1, "/mnt/c", CACHE);
}
END_TEST

/* A move that does not say of what: without FAN_REPORT_TARGET_FID. */
START_TEST(test_move_without_target) {
        FlightEvent e;

        mkdir_at(1, 0, "a");
        mkdir_at(2, 1, "b");
        expect_place(2, "/mnt/a/b", HANDLE);
        e = note((FanEvent){.mask = FAN_MOVED_FROM, .name = name_in(0, "file")});
        locator_apply(locator, &e);
        expect_place(2, "/mnt/a/b", CACHE);
        directories[1].name = "c";
        e = note((FanEvent){.mask = FAN_MOVED_FROM | FAN_ONDIR, .name = name_in(0, "a")});
        locator_apply(locator, &e);
        expect_place(2, "/mnt/c/b", HANDLE);
}
END_TEST

/* Events about files, and those that do not say where, teach nothing. */
START_TEST(test_other_events) {
        const FanEvent others[] = {
                {.mask = FAN_DELETE, .name = name_in(1, "x"), .target = handle(2)},
                {.mask = FAN_RENAME, .old_name = name_in(1, "x"), .target = handle(2)},
                {.mask = FAN_DELETE_SELF | FAN_ONDIR, .name = name_in(1, "."), .target = handle(2)},
                {.mask = FAN_DELETE | FAN_ONDIR, .name = name_in(1, "x")},
                {.mask = FAN_DELETE | FAN_ONDIR, .target = handle(2)},
                {.mask = FAN_Q_OVERFLOW},
        };

        mkdir_at(1, 0, "a");
        directories[2].error = -ESTALE;
        expect_place(1, "/mnt/a", HANDLE);
        for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
                FlightEvent e = note(others[i]);

                ck_assert_int_eq(find_to_the_end(2), -ESTALE);
                locator_apply(locator, &e);
        }
        expect_place(1, "/mnt/a", CACHE);
}
END_TEST

/* The root itself cannot be renamed or removed, whatever an event says. */
START_TEST(test_events_about_the_root) {
        FlightEvent e;

        mkdir_at(1, 0, "a");
        expect_place(1, "/mnt/a", HANDLE);
        e = note_rename(0, 1, "x", 1, "y");
        expect_place(0, "/mnt", CACHE);
        locator_apply(locator, &e);
        e = note_rmdir(0, 1, "x");
        locator_apply(locator, &e);
        expect_place(1, "/mnt/a", CACHE);
        expect_place(0, "/mnt", CACHE);
}
END_TEST

START_TEST(test_release_mount) {
        FlightEvent e;

        mkdir_at(1, 0, "a");
        mkdir_at(2, 1, "b");
        expect_place(1, "/mnt/a", HANDLE);
        e = note_rmdir(3, 1, "c");
        locator_release_mount(locator);
        ck_assert_int_eq(find_to_the_end(2), -ESTALE);
        expect_place(3, "/mnt/a/c", RMDIR);
        expect_place(1, "/mnt/a", CACHE);
        locator_apply(locator, &e);
        locator_release_mount(locator);
}
END_TEST

/* What was asked for in time is known when the mount is gone, as it was before what is in flight.
 */
START_TEST(test_look_ahead) {
        FileHandle h;
        FlightEvent e;

        mkdir_at(1, 0, "a");
        mkdir_at(2, 1, "b");
        mkdir_at(3, 2, "c");
        e = note_rename(1, 0, "a", 0, "z");
        h = handle(3);
        ck_assert_int_eq(locator_look_ahead(locator, &h), 0);
        h = handle(4); /* gone */
        ck_assert_int_eq(locator_look_ahead(locator, &h), 0);
        locator_release_mount(locator);
        expect_place(3, "/mnt/a/b/c", CACHE);
        locator_apply(locator, &e);
        expect_place(3, "/mnt/z/b/c", CACHE);
        ck_assert_int_eq(find_to_the_end(4), -ESTALE);
}
END_TEST

START_TEST(test_scopes_changed) {
        mkdir_at(1, 0, "a");
        mkdir_at(2, 1, "b");
        expect_place(2, "/mnt/a/b", HANDLE);
        scope_set_done(&scopes);
        ck_assert_int_eq(scope_set_add_mount(&scopes, "/a", "/srv", "ext4", "/dev/sda1", NULL), 0);
        scopes.targets = &target;
        scopes.n_targets = 1;
        locator_scopes_changed(locator);
        expect_place(2, "/srv/b", CACHE);
        ck_assert_int_eq(place->class, SCOPE_NONE);
        ck_assert_ptr_eq(place->mount, &scopes.mounts[0]);
        expect_place(0, "", CACHE);
        ck_assert_ptr_null(place->mount);
}
END_TEST

/* Events that never leave are let go with the locator; those that leave are used anew. */
START_TEST(test_many_events) {
        FlightEvent e;

        mkdir_at(1, 0, "a");
        for (int i = 0; i < 1000; i++) {
                e = note_rmdir(2, 1, i % 2 ? "odd" : "even");
                expect_place(2, i % 2 ? "/mnt/a/odd" : "/mnt/a/even", RMDIR);
                locator_apply(locator, &e);
        }
        ck_assert_uint_eq(dir_tree_n_nodes(locator_tree(locator)), 2);
        for (int i = 0; i < 100; i++)
                note_rmdir(2, 1, "left");
        expect_place(2, "/mnt/a/left", RMDIR);
}
END_TEST

static FlightEvent rename_event(uint64_t position, bool is_there) {
        const FanName here = name_in(1, "here"), there = name_in(1, "there");

        return (FlightEvent){.position = position,
                             .fan = {.mask = FAN_RENAME | FAN_ONDIR,
                                     .old_name = is_there ? there : here,
                                     .new_name = is_there ? here : there,
                                     .target = handle(2)}};
}

/* One directory goes back and forth: each event costs the same, however many are queued. */
START_TEST(test_many_renames) {
        const uint64_t n = 60000, begin = clock_now_nsec(CLOCK_PROCESS_CPUTIME_ID);
        const size_t before = mallinfo2().uordblks;
        FlightEvent e;

        mkdir_at(1, 0, "a");
        for (uint64_t i = 0; i < n; i++) {
                e = rename_event(i, i % 2);
                if (locator_note(locator, &e) != 0)
                        ck_abort_msg("locator_note");
        }
        for (uint64_t i = 0; i < n; i++) {
                if (i % 9999 == 0)
                        expect_place(2, i % 2 ? "/mnt/a/there" : "/mnt/a/here", i ? CACHE : RMDIR);
                e = rename_event(i, i % 2);
                locator_apply(locator, &e);
        }
        expect_place(2, "/mnt/a/here", CACHE);
        ck_assert_uint_lt(clock_now_nsec(CLOCK_PROCESS_CPUTIME_ID) - begin, CLOCK_NSEC_PER_SEC);
        /* The burst's memory is not kept (nor counted under AddressSanitizer). */
        ck_assert_uint_lt(mallinfo2().uordblks, before + n * sizeof(FlightEvent) / 10);
}
END_TEST

/* The queue behind a directory empties and fills again; another's stands beside it. */
START_TEST(test_queues_of_renames) {
        FlightEvent e[3], other;

        mkdir_at(1, 0, "a");
        for (int i = 0; i < 5; i++) {
                locator_forget_all(locator);
                e[0] = note_rename(2, 1, "one", 1, "two");
                other = note_rename(3, 1, "x", 1, "y");
                e[1] = note_rename(2, 1, "two", 1, "three");
                expect_place(2, "/mnt/a/one", RMDIR);
                locator_apply(locator, &e[0]);
                locator_forget_all(locator);
                expect_place(3, "/mnt/a/x", RMDIR);
                expect_place(2, "/mnt/a/two", RMDIR);
                e[2] = note_rename(2, 1, "three", 1, "one");
                locator_apply(locator, &other);
                locator_apply(locator, &e[1]);
                locator_forget_all(locator);
                expect_place(2, "/mnt/a/three", RMDIR);
                locator_apply(locator, &e[2]);
        }
}
END_TEST

/* What asking for `i` ends with at the first try. */
static const int ends[] = {-ESTALE, -EXDEV, -ENOMEM, -EAGAIN};

/* Directories that were asked for in vain are forgotten as others are. */
START_TEST(test_bound) {
        const uint32_t end = (uint32_t)_i;

        mkdir_at(10, 0, "x");
        if (ends[end] != -EAGAIN)
                directories[10].error = ends[end];
        for (uint32_t i = 1; i < DIR_TREE_MAX_NODES + 100; i++) {
                const uint32_t id = i * DIRECTORIES_MAX + 10;
                const FileHandle h = {
                        .type = 1, .n_bytes = sizeof(id), .bytes = (const uint8_t *)&id};

                if (locator_find(locator, &h, false, &place, &source) != ends[end])
                        ck_abort_msg("locator_find");
        }
        ck_assert_uint_eq(dir_tree_n_nodes(locator_tree(locator)), DIR_TREE_MAX_NODES);
        expect_place(0, "/mnt", CACHE);
}
END_TEST

int main(void) {
        TCase *tcase = tcase_create("locator");

        tcase_add_checked_fixture(tcase, setup, teardown);
        tcase_add_test(tcase, test_root);
        tcase_add_test(tcase, test_live);
        tcase_add_test(tcase, test_asked_anew);
        tcase_add_test(tcase, test_rmdir);
        tcase_add_test(tcase, test_first_later_event);
        tcase_add_test(tcase, test_live_then_renamed);
        tcase_add_test(tcase, test_rename_of_an_ancestor);
        tcase_add_test(tcase, test_rename_to_unknown);
        tcase_add_test(tcase, test_rename_in_a_circle);
        tcase_add_test(tcase, test_gone);
        tcase_add_test(tcase, test_errors);
        tcase_add_test(tcase, test_forget_all);
        tcase_add_test(tcase, test_not_noted);
        tcase_add_test(tcase, test_move_without_target);
        tcase_add_test(tcase, test_other_events);
        tcase_add_test(tcase, test_events_about_the_root);
        tcase_add_test(tcase, test_release_mount);
        tcase_add_test(tcase, test_look_ahead);
        tcase_add_test(tcase, test_scopes_changed);
        tcase_add_test(tcase, test_many_events);
        tcase_add_test(tcase, test_many_renames);
        tcase_add_test(tcase, test_queues_of_renames);
        tcase_add_loop_test(tcase, test_bound, 0, (int)(sizeof(ends) / sizeof(ends[0])));
        return unit_run("locator", tcase);
}
