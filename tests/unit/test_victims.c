/* SPDX-License-Identifier: MIT */

/* Which event belongs to which rename: sequences as Linux 6.18 queues them, and worse ones. */

#include "capture/victims.h"

#include <stdio.h>

#include "capture/arrivals.h"
#include "fixtures_victims.h"

#define GONE FAN_DELETE_SELF

/* --- one process at a time --- */

START_TEST(test_nothing_destroyed) {
        FlightEvent e = renames_over(1, "a", "b", 's', 0, 0);

        expect_none(e);
}
END_TEST

START_TEST(test_last_name) {
        FlightEvent e = renames_over(1, "a", "b", 's', 'v', GONE);

        expect_victim(e, 'v', VICTIM_CERTAIN, true);
}
END_TEST

START_TEST(test_other_names_or_open) {
        FlightEvent e = renames_over(1, "a", "b", 's', 'v', 0);

        /* Closed by somebody else later. */
        nameless(2, GONE, 'v');
        expect_victim(e, 'v', VICTIM_CERTAIN, false);
}
END_TEST

START_TEST(test_directory) {
        FlightEvent e = {.fan = {.mask = FAN_RENAME | FAN_ONDIR,
                                 .pid = 1,
                                 .old_name = name("a"),
                                 .new_name = name("b"),
                                 .target = file('s')}};

        FileHandle lost = file('v');
        VictimDirectory d;

        note(&e);
        nameless_directory(1, FAN_ATTRIB | GONE, 'v');
        ck_assert_int_eq(victims_next_directory(victims, &d), 0);
        nameless_directory(1, FAN_MOVE_SELF, 's');
        ck_assert_int_eq(victims_next_directory(victims, &d), 1);
        ck_assert_uint_eq(d.position, e.position);
        ck_assert(file_handle_equal(&d.handle, &lost));
        ck_assert_uint_eq(d.name.n_name, 1);
        ck_assert_int_eq(d.name.name[0], 'b');
        ck_assert_int_eq(victims_next_directory(victims, &d), 0);
        expect_victim(e, 'v', VICTIM_CERTAIN, true);
}
END_TEST

/* Moved twice: the second MOVE_SELF is merged, but only a rename takes a directory's last name. */
START_TEST(test_directory_moved_twice) {
        FlightEvent one = {.fan = {.mask = FAN_RENAME | FAN_ONDIR,
                                   .pid = 1,
                                   .old_name = name("a"),
                                   .new_name = name("b"),
                                   .target = file('s')}},
                    two = one;
        VictimDirectory d;

        note(&one);
        nameless_directory(1, FAN_MOVE_SELF, 's');
        two.fan.old_name = name("b");
        two.fan.new_name = name("c");
        note(&two);
        nameless_directory(1, FAN_ATTRIB | GONE, 'v');
        deletes(1, "x", 'x');
        victims_drained(victims);
        ck_assert_int_eq(victims_next_directory(victims, &d), 1);
        expect_none(one);
        expect_victim(two, 'v', VICTIM_CERTAIN, true);
}
END_TEST

/* A link() behind a rename whose MOVE_SELF is merged: its names are counted until it is decided. */
START_TEST(test_link_unlinked_later) {
        FlightEvent one = renames_over(1, "a", "b", 's', 0, 0), two = renames(1, "b", "c", 's');

        nameless(1, FAN_ATTRIB, 'v');
        deletes(1, "x", 'x');
        expect_none(one);
        victims_drained(victims);
        deletes(1, "v", 'v');
        deletes(1, "link", 'v');
        expect_possible(two);
        deletes(1, "again", 'v');
}
END_TEST

/* What nobody asked for is not given out any more when the rename has left. */
START_TEST(test_directory_left_unasked) {
        FlightEvent e = {.fan = {.mask = FAN_RENAME | FAN_ONDIR,
                                 .pid = 1,
                                 .old_name = name("a"),
                                 .new_name = name("b"),
                                 .target = file('s')}};
        VictimDirectory d;

        note(&e);
        nameless_directory(1, FAN_ATTRIB | GONE, 'v');
        nameless_directory(1, FAN_MOVE_SELF, 's');
        expect_victim(e, 'v', VICTIM_CERTAIN, true);
        ck_assert_int_eq(victims_next_directory(victims, &d), 0);
}
END_TEST

/* Nothing lay in a file. */
START_TEST(test_directories_only) {
        FlightEvent e = renames_over(1, "a", "b", 's', 'v', GONE);
        VictimDirectory d;

        ck_assert_int_eq(victims_next_directory(victims, &d), 0);
        expect_victim(e, 'v', VICTIM_CERTAIN, true);
}
END_TEST

/* The rename has left before anything else was read, and what comes later is no longer its own. */
START_TEST(test_waits_for_the_end) {
        FlightEvent e = renames(1, "a", "b", 's');

        expect_waiting(e);
        victims_drained(victims);
        nameless(2, FAN_ATTRIB, 'x');
        expect_waiting(e);
        nameless(1, FAN_ATTRIB, 'v');
        expect_waiting(e);
        victims_drained(victims);
        nameless(1, FAN_MOVE_SELF, 's');
        nameless(1, GONE, 'v');
        expect_victim(e, 'v', VICTIM_CERTAIN, false);
}
END_TEST

START_TEST(test_link_after_rename) {
        FlightEvent e = renames_over(1, "a", "b", 's', 0, 0);

        nameless(1, FAN_ATTRIB, 'c'); /* link("c", "d") */
        expect_none(e);
}
END_TEST

START_TEST(test_both) {
        FlightEvent e = renames_over(1, "a", "b", 's', 'v', 0);

        nameless(1, FAN_ATTRIB, 'c');
        expect_victim(e, 'v', VICTIM_CERTAIN, false);
}
END_TEST

START_TEST(test_exchange) {
        FlightEvent one = renames_over(1, "a", "b", 's', 0, 0);
        FlightEvent two = renames_over(1, "b", "a", 't', 0, 0);

        nameless(1, FAN_ATTRIB, 'c');
        expect_none(one);
        expect_none(two);
}
END_TEST

START_TEST(test_unlink_and_chmod_between) {
        FlightEvent chmod = {
                .fan = {.mask = FAN_ATTRIB, .pid = 1, .name = name("b"), .target = file('s')}};
        FlightEvent e;

        nameless(1, FAN_ATTRIB | GONE, 'x');
        ck_assert_int_eq(deletes(1, "x", 'x'), VICTIMS_USE_GONE);
        e = renames_over(1, "a", "b", 's', 0, 0);
        ck_assert_int_eq(note(&chmod), VICTIMS_USE_NONE);
        nameless(1, FAN_ATTRIB, 'y');
        ck_assert_int_eq(deletes(1, "y", 'y'), VICTIMS_USE_SOME);
        expect_none(e);
}
END_TEST

/* chmod() and unlink() of one name are one event. */
START_TEST(test_unlink_merged_with_chmod) {
        FlightEvent e = {.fan = {.mask = FAN_ATTRIB | FAN_DELETE,
                                 .pid = 1,
                                 .name = name("x"),
                                 .target = file('x')}};

        ck_assert_int_eq(note(&e), VICTIMS_USE_SOME);
}
END_TEST

START_TEST(test_tmpfile) {
        nameless(1, GONE, 't');
}
END_TEST

/* --- merged events --- */

/* Each onto one name: the second's victim stands where the first's MOVE_SELF does. */
START_TEST(test_one_name_again_and_again) {
        FlightEvent one = renames(1, "t1", "b", '1'), two, three;

        nameless(1, FAN_ATTRIB | GONE, 'v');
        nameless(1, FAN_MOVE_SELF | FAN_ATTRIB | GONE, '1');
        two = renames(1, "t2", "b", '2');
        nameless(1, FAN_MOVE_SELF | FAN_ATTRIB, '2');
        three = renames_over(1, "t3", "b", '3', 0, 0);
        expect_victim(one, 'v', VICTIM_CERTAIN, true);
        expect_victim(two, '1', VICTIM_CERTAIN, true);
        victims_drained(victims);
        expect_victim(three, '2', VICTIM_CERTAIN, false);
}
END_TEST

/* The first is read before the second happens: nothing is merged. */
START_TEST(test_one_name_unmerged) {
        FlightEvent one = renames_over(1, "t1", "b", '1', 0, 0), two;

        victims_drained(victims);
        two = renames_over(1, "t2", "b", '2', '1', GONE);
        expect_none(one);
        expect_victim(two, '1', VICTIM_CERTAIN, true);
}
END_TEST

/* The queue was seen empty in the middle of the first. */
START_TEST(test_one_name_from_the_middle) {
        FlightEvent one = renames(1, "t1", "b", '1'), two;

        victims_drained(victims);
        nameless(1, FAN_MOVE_SELF | FAN_ATTRIB, '1');
        two = renames_over(1, "t2", "b", '2', 0, 0);
        expect_none(one);
        expect_victim(two, '1', VICTIM_CERTAIN, false);
}
END_TEST

/* It went away from there in between, or somebody else came: what is said of it is not of this. */
START_TEST(test_name_became_free) {
        FlightEvent one = renames(1, "t1", "b", '1'), two, away, three, four;

        nameless(1, FAN_MOVE_SELF | FAN_ATTRIB, '1'); /* link() later on */
        deletes(2, "b", '1');
        two = renames(1, "t2", "b", '2');
        nameless(1, FAN_MOVE_SELF | FAN_ATTRIB, '2');
        away = renames_over(2, "b", "elsewhere", '2', 0, 0);
        three = renames(1, "t3", "b", '3');
        nameless(1, FAN_MOVE_SELF, '3');
        four = renames_over(1, "t4", "b", '4', 0, 0); /* nothing says that 3 lost a name */
        expect_none(one);
        expect_none(two);
        expect_none(away);
        expect_none(three);
        expect_none(four);
}
END_TEST

/* An exchange destroys nothing, though one of the two was just linked and moved there. */
START_TEST(test_exchange_onto_a_known_name) {
        FlightEvent one = renames(1, "t", "b", '1'), two, three;

        nameless(1, FAN_MOVE_SELF | FAN_ATTRIB, '1');
        two = renames_over(1, "a", "b", '2', 0, 0);
        three = renames(1, "b", "a", '1'); /* its MOVE_SELF is merged */
        expect_none(one);
        expect_none(two);
        expect_waiting(three);
}
END_TEST

/* Moved twice: the second MOVE_SELF is merged, and a link() looks like a victim. */
START_TEST(test_moved_twice) {
        FlightEvent one = renames_over(1, "a", "b", 's', 0, 0), two = renames(1, "b", "c", 's');

        nameless(1, FAN_ATTRIB, 'v');
        expect_none(one);
        expect_waiting(two);
        nameless(1, FAN_ATTRIB, 'x');
        answer(two, 'v', 2);
        expect_possible(two);
}
END_TEST

/* … or a file without a name gets its first one. */
START_TEST(test_moved_twice_then_temporary_file) {
        FlightEvent one = renames_over(1, "a", "b", 's', 0, 0), two = renames(1, "b", "c", 's');

        nameless(1, FAN_ATTRIB, 'v');
        deletes(1, "x", 'x');
        expect_none(one);
        answer(two, 'v', 1);
        expect_possible(two);
}
END_TEST

START_TEST(test_moved_twice_then_unlinked) {
        FlightEvent one = renames_over(1, "a", "b", 's', 0, 0), two = renames(1, "b", "c", 's');

        nameless(1, FAN_ATTRIB | GONE, 'x');
        deletes(1, "x", 'x');
        expect_none(one);
        expect_none(two);
}
END_TEST

/* The same, and only the end of all waiting decides. */
START_TEST(test_moved_twice_at_the_end) {
        FlightEvent one = renames_over(1, "a", "b", 's', 0, 0), two = renames(1, "b", "c", 's');

        nameless(1, FAN_ATTRIB | GONE, 'v');
        expect_none(one);
        expect_waiting(two);
        victims_drained(victims);
        expect_late(two, 'v', VICTIM_CERTAIN, true);
}
END_TEST

/* Its own end, of which the other half was read too late for the doubt. */
START_TEST(test_moved_twice_then_gone_itself) {
        FlightEvent one = renames_over(1, "a", "b", 's', 0, 0), two = renames(1, "b", "c", 's');
        Victim found;

        nameless(1, FAN_ATTRIB | GONE, 's');
        expect_none(one);
        ck_assert_int_eq(victims_find(victims, &two, UINT64_MAX, &found), 0);
        ck_assert_int_eq(found.state, VICTIM_NONE);
        victims_leave(victims, &two);
}
END_TEST

/* What was moved there before is another's victim all the same. */
START_TEST(test_moved_twice_then_destroyed) {
        FlightEvent one = renames_over(1, "a", "b", 's', 0, 0), two = renames(1, "b", "c", 's');
        FlightEvent over = renames_over(1, "x", "c", 'x', 's', GONE);

        expect_none(one);
        expect_none(two);
        expect_victim(over, 's', VICTIM_CERTAIN, true);
}
END_TEST

/* Half of an unlink() is no loss: its other half may be late. */
START_TEST(test_moved_twice_halfway) {
        FlightEvent one = renames_over(1, "a", "b", 's', 0, 0), two = renames(1, "b", "c", 's');
        Victim found;

        nameless(1, FAN_ATTRIB | GONE, 'x');
        expect_none(one);
        ck_assert_int_eq(victims_find(victims, &two, VICTIMS_WAIT_NSEC, &found), -EAGAIN);
        deletes(1, "x", 'x');
        expect_none(two);
}
END_TEST

/* A directory replaces no file, nor a file a directory. */
START_TEST(test_moved_twice_other_kind) {
        FlightEvent one = {.fan = {.mask = FAN_RENAME | FAN_ONDIR,
                                   .pid = 1,
                                   .old_name = name("a"),
                                   .new_name = name("b"),
                                   .target = file('s')}},
                    two = one;
        Victim found;

        note(&one);
        nameless_directory(1, FAN_MOVE_SELF, 's');
        two.fan.old_name = name("b");
        two.fan.new_name = name("c");
        note(&two);
        nameless(1, FAN_ATTRIB | GONE, 'x');
        expect_none(one);
        ck_assert_int_eq(victims_find(victims, &two, UINT64_MAX, &found), 0);
        ck_assert_int_eq(found.state, VICTIM_NONE);
        victims_leave(victims, &two);
}
END_TEST

/* --- several --- */

START_TEST(test_processes_mixed) {
        FlightEvent one = renames(1, "a", "b", '1'), two = renames(2, "c", "d", '2');

        nameless(2, FAN_ATTRIB | GONE, 'w');
        nameless(1, FAN_ATTRIB, 'v');
        nameless(1, FAN_MOVE_SELF, '1');
        nameless(2, FAN_MOVE_SELF, '2');
        expect_victim(one, 'v', VICTIM_CERTAIN, false);
        expect_victim(two, 'w', VICTIM_CERTAIN, true);
}
END_TEST

/* --- what is gone --- */

START_TEST(test_gone) {
        FlightEvent rmdir = {.fan = {.mask = FAN_DELETE | FAN_ONDIR,
                                     .pid = 1,
                                     .name = name("d"),
                                     .target = file('d')}};

        nameless(1, FAN_ATTRIB, 'x');
        ck_assert_int_eq(deletes(1, "x", 'x'), VICTIMS_USE_SOME);
        nameless(2, GONE, 'x');
        nameless(1, FAN_ATTRIB, 'x');
        ck_assert_int_eq(deletes(1, "x2", 'x'), VICTIMS_USE_GONE);
        nameless_directory(1, GONE, 'd');
        ck_assert_int_eq(note(&rmdir), VICTIMS_USE_GONE);
}
END_TEST

/* --- bounds --- */

/* Many open at once, none of which ends; all are answered in the end. */
START_TEST(test_many_open) {
        static FlightEvent events[5000];

        for (int i = 0; i < 5000; i++)
                events[i] = renames(i + 1, "a", "b", 's');
        for (int i = 0; i < 5000; i++)
                expect_possible(events[i]);
}
END_TEST

/* More names than are remembered, from a queue that never becomes empty. */
START_TEST(test_many_names) {
        static char names[3 * ARRIVALS_MAX][8];

        for (int i = 0; i < 3 * ARRIVALS_MAX; i++) {
                FlightEvent e;

                snprintf(names[i], sizeof(names[i]), "%d", i);
                e = renames_over(1, "a", names[i], 's', 0, 0);
                expect_none(e);
        }
}
END_TEST

START_TEST(test_overflow) {
        FlightEvent e = renames(1, "a", "b", 's');
        FlightEvent overflow = {.fan = {.mask = FAN_Q_OVERFLOW}};

        expect_waiting(e);
        ck_assert_int_eq(note(&overflow), VICTIMS_USE_SOME);
        nameless(1, FAN_ATTRIB, 'v');
        expect_possible(e);
}
END_TEST

/* Given up before they were asked about. */
START_TEST(test_left_unasked) {
        FlightEvent one = renames(1, "a", "b", 's'), two = renames(2, "c", "d", 't');

        victims_leave(victims, &two);
        nameless(1, FAN_ATTRIB, 'v');
        nameless(1, FAN_MOVE_SELF, 's');
        expect_none(one);
}
END_TEST

int main(void) {
        TCase *tcase = tcase_create("victims");

        tcase_add_checked_fixture(tcase, setup, teardown);
        tcase_add_test(tcase, test_nothing_destroyed);
        tcase_add_test(tcase, test_last_name);
        tcase_add_test(tcase, test_other_names_or_open);
        tcase_add_test(tcase, test_directory);
        tcase_add_test(tcase, test_directory_moved_twice);
        tcase_add_test(tcase, test_directory_left_unasked);
        tcase_add_test(tcase, test_link_unlinked_later);
        tcase_add_test(tcase, test_directories_only);
        tcase_add_test(tcase, test_waits_for_the_end);
        tcase_add_test(tcase, test_link_after_rename);
        tcase_add_test(tcase, test_both);
        tcase_add_test(tcase, test_exchange);
        tcase_add_test(tcase, test_unlink_and_chmod_between);
        tcase_add_test(tcase, test_unlink_merged_with_chmod);
        tcase_add_test(tcase, test_tmpfile);
        tcase_add_test(tcase, test_one_name_again_and_again);
        tcase_add_test(tcase, test_one_name_unmerged);
        tcase_add_test(tcase, test_one_name_from_the_middle);
        tcase_add_test(tcase, test_name_became_free);
        tcase_add_test(tcase, test_exchange_onto_a_known_name);
        tcase_add_test(tcase, test_moved_twice);
        tcase_add_test(tcase, test_moved_twice_then_unlinked);
        tcase_add_test(tcase, test_moved_twice_then_temporary_file);
        tcase_add_test(tcase, test_moved_twice_at_the_end);
        tcase_add_test(tcase, test_moved_twice_then_gone_itself);
        tcase_add_test(tcase, test_moved_twice_then_destroyed);
        tcase_add_test(tcase, test_moved_twice_halfway);
        tcase_add_test(tcase, test_moved_twice_other_kind);
        tcase_add_test(tcase, test_processes_mixed);
        tcase_add_test(tcase, test_gone);
        tcase_add_test(tcase, test_many_open);
        tcase_add_test(tcase, test_many_names);
        tcase_add_test(tcase, test_overflow);
        tcase_add_test(tcase, test_left_unasked);
        return unit_run("victims", tcase);
}
