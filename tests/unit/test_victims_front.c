/* SPDX-License-Identifier: MIT */

/*
 * What a rename destroyed, when the kernel has merged that into an event in front of it.
 *
 * On an overlay's writable layer that is the rule: overlayfs writes attributes of each directory
 * that it makes or moves, which is an event about the directory itself.  The sequences are those of
 * random trees on Linux 6.18.
 */

#include "fixtures_victims.h"

#define GONE FAN_DELETE_SELF

/* A directory is made ('v') and another one, marked as redirected, is moved over it. */
static FlightEvent renames_over_new(int32_t pid, const char *from, const char *to) {
        nameless_directory(pid, FAN_ATTRIB | GONE, 'v');
        nameless_directory(pid, FAN_ATTRIB | FAN_MOVE_SELF, 's');
        return renames_directory(pid, from, to, 's');
}

/* What is made next stands behind it, where a victim would. */
START_TEST(test_directory_made_behind) {
        FlightEvent e = renames_over_new(1, "a", "b");

        nameless_directory(1, FAN_ATTRIB, 'm');
        deletes(1, "x", 'x');
        victims_drained(victims);
        answer(e, 'm', 1);
        expect_victim(e, 'v', VICTIM_CERTAIN, true);
}
END_TEST

/* … and is gone when it is asked for: one of two. */
START_TEST(test_directory_made_behind_and_gone) {
        FlightEvent e = renames_over_new(1, "a", "b");

        nameless_directory(1, FAN_ATTRIB, 'm');
        deletes(1, "x", 'x');
        victims_drained(victims);
        nameless_directory(1, FAN_ATTRIB | GONE, 'm');
        answer(e, 'm', 0);
        expect_possible(e);
}
END_TEST

/* It existed when the rename was over. */
START_TEST(test_destroyed_later) {
        FlightEvent e;

        nameless_directory(1, FAN_ATTRIB, 'm');
        e = renames_directory(1, "a", "b", 's');
        nameless_directory(1, FAN_MOVE_SELF, 's');
        victims_drained(victims);
        nameless_directory(1, FAN_ATTRIB | GONE, 'm');
        answer(e, 'm', 0);
        expect_possible(e);
}
END_TEST

/* A whiteout was moved a while ago, and its end was merged: only the next event shows that. */
START_TEST(test_behind_an_old_rename) {
        FlightEvent whiteout, e;

        nameless(1, FAN_ATTRIB | FAN_MOVE_SELF, 'w');
        whiteout = renames(1, "#1", "c", 'w');
        victims_drained(victims);
        nameless_directory(1, FAN_ATTRIB | GONE, 'v');
        e = renames_directory(1, "a", "b", 's');
        nameless_directory(1, FAN_MOVE_SELF, 's');
        victims_drained(victims);
        expect_none(whiteout);
        expect_victim(e, 'v', VICTIM_CERTAIN, true);
}
END_TEST

/* The second half of an exchange has no end, and the next victim is none of its. */
START_TEST(test_behind_an_exchange) {
        FlightEvent one, two, over;

        nameless_directory(1, FAN_ATTRIB | FAN_MOVE_SELF, 't');
        one = renames(1, "a", "b", 'x');
        nameless(1, FAN_MOVE_SELF, 'x');
        two = renames_directory(1, "b", "a", 't');
        victims_drained(victims);
        over = renames_over_new(1, "c", "d");
        deletes(1, "y", 'y');
        victims_drained(victims);
        expect_none(one);
        expect_none(two);
        expect_victim(over, 'v', VICTIM_CERTAIN, true);
}
END_TEST

/* What one in front may have destroyed is not said of one behind. */
START_TEST(test_doubt_stays) {
        FlightEvent one = renames_over_new(1, "a", "b"), two;

        nameless_directory(1, FAN_ATTRIB, 'm');
        two = renames_directory(1, "c", "d", 'r');
        nameless_directory(1, FAN_MOVE_SELF, 'r');
        victims_drained(victims);
        answer(one, 'm', 0);
        expect_possible(one);
        answer(two, 'm', 1);
        expect_possible(two);
}
END_TEST

int main(void) {
        TCase *tcase = tcase_create("victims_front");

        tcase_add_checked_fixture(tcase, setup, teardown);
        tcase_add_test(tcase, test_directory_made_behind);
        tcase_add_test(tcase, test_directory_made_behind_and_gone);
        tcase_add_test(tcase, test_destroyed_later);
        tcase_add_test(tcase, test_behind_an_old_rename);
        tcase_add_test(tcase, test_behind_an_exchange);
        tcase_add_test(tcase, test_doubt_stays);
        return unit_run("victims_front", tcase);
}
