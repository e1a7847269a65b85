/* SPDX-License-Identifier: MIT */

/* What stands in front of the rename that destroyed it. */

#include "capture/victim_orphans.h"

#include "capture/file_news.h"
#include "fixtures_victims.h"

#define GONE FAN_DELETE_SELF

#define ORPHAN(mask) nameless(1, FAN_ATTRIB | (mask), 'v')

/* link() of it, and then its names are lost: to the only rename that can have done it. */
START_TEST(test_orphan) {
        FlightEvent e;

        ORPHAN(GONE);
        e = renames_over(1, "a", "b", 's', 0, 0);
        expect_waiting(e);
        victims_drained(victims);
        expect_victim(e, 'v', VICTIM_CERTAIN, true);
}
END_TEST

/* An exchange destroys nothing, and what has another victim did not destroy this. */
START_TEST(test_orphan_of_one_of_several) {
        FlightEvent one, two, three, four;

        ORPHAN(GONE);
        one = renames_over(1, "a", "b", 's', 0, 0);
        two = renames_over(1, "b", "a", 't', 0, 0);
        three = renames_over(1, "c", "d", 'u', 'w', GONE);
        four = renames_over(1, "e", "f", 'x', 0, 0);
        victims_drained(victims);
        expect_none(one);
        expect_none(two);
        expect_victim(three, 'w', VICTIM_CERTAIN, true);
        expect_victim(four, 'v', VICTIM_CERTAIN, true);
}
END_TEST

START_TEST(test_orphan_of_either) {
        FlightEvent one, two, later, other;

        ORPHAN(GONE);
        one = renames_over(1, "a", "b", 's', 0, 0);
        two = renames_over(1, "c", "d", 't', 0, 0);
        other = renames_over(2, "e", "f", 'u', 0, 0);
        victims_drained(victims);
        later = renames_over(1, "g", "h", 'x', 0, 0);
        expect_possible(one);
        expect_possible(two);
        expect_none(other);
        expect_none(later);
}
END_TEST

/* It still exists: with two names it was linked, with one it was linked and has lost one, or it
 * was a file without a name before; with none it was lost. */
START_TEST(test_orphan_that_lives) {
        FlightEvent e;

        ORPHAN(0);
        e = renames_over(1, "a", "b", 's', 0, 0);
        victims_drained(victims);
        answer(e, 'v', _i);
        switch (_i) {
        case 0:
                expect_victim(e, 'v', VICTIM_CERTAIN, false);
                break;
        case 1:
                expect_possible(e);
                break;
        default:
                expect_none(e);
        }
}
END_TEST

/* Names that others delete in between count, too. */
START_TEST(test_orphan_unlinked_by_others) {
        FlightEvent e;

        ORPHAN(0);
        e = renames_over(1, "a", "b", 's', 0, 0);
        nameless(2, FAN_ATTRIB, 'y');
        deletes(2, "v2", 'v');
        victims_drained(victims);
        answer(e, 'v', 1);
        expect_none(e);
}
END_TEST

/* The first event of an unlink() is none. */
START_TEST(test_unlink_before) {
        FlightEvent e;

        ORPHAN(GONE);
        deletes(1, "v", 'v');
        e = renames_over(1, "a", "b", 's', 0, 0);
        expect_none(e);
}
END_TEST

/* A file does not stand for a directory, nor the moved one for itself. */
START_TEST(test_orphan_of_another_kind) {
        FlightEvent e;

        nameless_directory(1, FAN_ATTRIB | GONE, 'd');
        nameless(1, FAN_ATTRIB, 's');
        e = renames(1, "a", "b", 's');
        deletes(1, "x", 'x');
        expect_none(e);
}
END_TEST

/* Another process may have destroyed it. */
START_TEST(test_orphan_of_two_processes) {
        FlightEvent e, other;

        ORPHAN(GONE);
        other = renames_over(2, "a", "b", 's', 'v', 0);
        e = renames_over(1, "c", "d", 't', 0, 0);
        victims_drained(victims);
        expect_victim(other, 'v', VICTIM_CERTAIN, false);
        expect_possible(e);
}
END_TEST

/* More of them than are kept: nothing is deduced of that process, but of others. */
START_TEST(test_many_orphans) {
        FlightEvent one, two;

        for (int i = 0; i < 2 * VICTIM_ORPHANS_MAX; i++)
                nameless(1, FAN_ATTRIB | GONE, (char)(i % 200));
        one = renames_over(1, "a", "b", (char)220, 0, 0);
        two = renames_over(2, "c", "d", (char)221, 0, 0);
        victims_drained(victims);
        expect_possible(one);
        expect_none(two);
}
END_TEST

/*
 * It stands right behind a rename whose end was merged, as its victim would.  So it is on overlays:
 * a directory is made in one that was just copied up, and another one moved in its place.
 */
START_TEST(test_orphan_behind_a_merged_rename) {
        FlightEvent one = renames_over(1, "a", "b", 's', 0, 0), two = renames(1, "b", "c", 's');
        FlightEvent three;

        ORPHAN(GONE);
        three = renames_over(1, "e", "f", 't', 0, 0);
        expect_none(one);
        victims_drained(victims);
        expect_possible(two);
        expect_possible(three);
}
END_TEST

/* No other can have done it. */
START_TEST(test_victim_of_a_merged_rename) {
        FlightEvent one = renames_over(1, "a", "b", 's', 0, 0), two = renames(1, "b", "c", 's');
        FlightEvent three;

        ORPHAN(GONE);
        three = renames_over(1, "e", "f", 't', 'w', GONE);
        expect_none(one);
        victims_drained(victims);
        expect_victim(two, 'v', VICTIM_CERTAIN, true);
        expect_victim(three, 'w', VICTIM_CERTAIN, true);
}
END_TEST

/* Then the lost directory is not given out as what either of them put something in the place of. */
START_TEST(test_disputed_directory) {
        FlightEvent one = renames_directory(1, "a", "b", 's'), two, three;
        VictimDirectory d;

        nameless_directory(1, FAN_MOVE_SELF, 's');
        two = renames_directory(1, "b", "c", 's');
        nameless_directory(1, FAN_ATTRIB | GONE, 'v');
        three = renames_directory(1, "e", "f", 't');
        nameless_directory(1, FAN_MOVE_SELF, 't');
        victims_drained(victims);
        ck_assert_int_eq(victims_next_directory(victims, &d), 0);
        expect_none(one);
        expect_possible(two);
        expect_possible(three);
}
END_TEST

/* It is where a rename brought it, though so much has come since that its news are forgotten. */
START_TEST(test_orphan_at_a_known_name) {
        FlightEvent one = renames_over(1, "a", "b", '1', 0, 0), other, two;

        nameless(1, FAN_ATTRIB | GONE, '1');
        other = renames_over(1, "x", "y", '3', 0, 0);
        for (uint32_t i = 0; i < 20 * FILE_NEWS_SLOTS; i++) {
                FlightEvent e = {
                        .fan = {.mask = FAN_MOVE_SELF,
                                .pid = 2,
                                .target = {.n_bytes = sizeof(i), .bytes = (const uint8_t *)&i}}};

                ck_assert_int_eq(note(&e), VICTIMS_USE_NONE);
        }
        two = renames_over(1, "c", "b", '2', 0, 0);
        expect_none(one);
        expect_none(other);
        expect_victim(two, '1', VICTIM_CERTAIN, true);
}
END_TEST

int main(void) {
        TCase *tcase = tcase_create("victim_orphans");

        tcase_add_checked_fixture(tcase, setup, teardown);
        tcase_add_test(tcase, test_orphan);
        tcase_add_test(tcase, test_orphan_of_one_of_several);
        tcase_add_test(tcase, test_orphan_of_either);
        tcase_add_loop_test(tcase, test_orphan_that_lives, 0, 3);
        tcase_add_test(tcase, test_orphan_unlinked_by_others);
        tcase_add_test(tcase, test_unlink_before);
        tcase_add_test(tcase, test_orphan_of_another_kind);
        tcase_add_test(tcase, test_orphan_of_two_processes);
        tcase_add_test(tcase, test_many_orphans);
        tcase_add_test(tcase, test_orphan_behind_a_merged_rename);
        tcase_add_test(tcase, test_victim_of_a_merged_rename);
        tcase_add_test(tcase, test_disputed_directory);
        tcase_add_test(tcase, test_orphan_at_a_known_name);
        return unit_run("victim_orphans", tcase);
}
