/* SPDX-License-Identifier: MIT */

/* Renames of several threads at once: which event is whose. */

#include "capture/victim_group.h"

#include "fixtures_victims.h"

#define GONE FAN_DELETE_SELF

/* Two threads: what each order of their events says. */
START_TEST(test_threads) {
        static const struct {
                const char *order; /* A: victim, M: end; 1 and 2: of the first, the second rename */
                /* '-': none, '?': may be, '*': one of them */
                char victims[3];
        } cases[] = {
                {"A1M1A2M2", "vw"}, {"A1A2M1M2", "**"}, {"A2M2A1M1", "vw"}, {"M2A1M1", "v-"},
                {"A2M2M1", "??"},   {"M1A2M2", "-w"},   {"A2A1M2M1", "**"}, {"M1M2", "--"},
        };
        const char *at = cases[_i].order;
        FlightEvent one = renames(1, "a", "b", '1'), two = renames(1, "c", "d", '2');

        for (; *at; at += 2) {
                if (at[0] == 'A')
                        nameless(1, FAN_ATTRIB | GONE, at[1] == '1' ? 'v' : 'w');
                else
                        nameless(1, FAN_MOVE_SELF, at[1]);
        }
        for (int i = 0; i < 2; i++) {
                const char victim = cases[_i].victims[i];

                expect_late(i ? two : one, victim,
                            victim == '-'   ? VICTIM_NONE
                            : victim == '?' ? VICTIM_POSSIBLE
                                            : VICTIM_CERTAIN,
                            true);
        }
}
END_TEST

/* Another thread unlinks in the middle of it. */
START_TEST(test_unlink_in_the_middle) {
        FlightEvent e = renames(1, "a", "b", 's');

        nameless(1, FAN_ATTRIB | GONE, 'x');
        ck_assert_int_eq(deletes(1, "x", 'x'), VICTIMS_USE_GONE);
        nameless(1, FAN_ATTRIB | GONE, 'v');
        nameless(1, FAN_MOVE_SELF, 's');
        expect_late(e, 'v', VICTIM_CERTAIN, true);
}
END_TEST

/* Process 1 is known to have several threads. */
static void show_threads(void) {
        FlightEvent one = renames(1, "t1", "t2", 'T'), two = renames(1, "u1", "u2", 'U');

        nameless(1, FAN_MOVE_SELF, 'T');
        nameless(1, FAN_MOVE_SELF, 'U');
        expect_none(one);
        expect_none(two);
}

/* Then what stands between a rename and its end can be half of an unlink(). */
START_TEST(test_half_of_another_threads_unlink) {
        FlightEvent e;
        Victim found;

        show_threads();
        e = renames_over(1, "a", "b", 's', 'x', GONE);
        expect_waiting(e);
        ck_assert_int_eq(victims_find(victims, &e, VICTIMS_WAIT_THREADS_NSEC - 1, &found), -EAGAIN);
        deletes(1, "x", 'x');
        expect_possible(e);
}
END_TEST

START_TEST(test_threads_victim) {
        FlightEvent e;

        show_threads();
        e = renames_over(1, "a", "b", 's', 'v', GONE);
        expect_after(e, VICTIMS_WAIT_THREADS_NSEC, 'v', VICTIM_CERTAIN, true);
}
END_TEST

/* Or a link(): the file has more than one name then. */
START_TEST(test_link_by_another_thread) {
        FlightEvent e;

        show_threads();
        e = renames_over(1, "a", "b", 's', 'x', 0);
        answer(e, 'x', _i);
        if (_i < 2)
                expect_late(e, 'x', VICTIM_CERTAIN, false);
        else
                expect_possible(e);
}
END_TEST

/* One of two renames destroyed it, and only one. */
START_TEST(test_two_threads_and_one_victim) {
        FlightEvent one = renames(1, "a", "b", '1'), two = renames(1, "c", "d", '2');

        nameless(1, FAN_ATTRIB, 'v');
        nameless(1, FAN_MOVE_SELF, '2');
        nameless(1, FAN_MOVE_SELF, '1');
        answer(one, 'v', _i);
        expect_possible(one);
        expect_possible(two);
}
END_TEST

/* Its other threads do a lot before it goes on: it is waited for as long as for any. */
START_TEST(test_late_thread) {
        FlightEvent e = renames(1, "a", "b", 's');
        Victim found;

        for (int i = 0; i < 200; i++) {
                nameless(1, FAN_ATTRIB | GONE, 'x');
                deletes(1, "x", 'x');
        }
        expect_waiting(e);
        victims_drained(victims);
        ck_assert_int_eq(victims_find(victims, &e, VICTIMS_WAIT_NSEC, &found), -EAGAIN);
        nameless(1, FAN_ATTRIB | GONE, 'v');
        nameless(1, FAN_MOVE_SELF, 's');
        expect_late(e, 'v', VICTIM_CERTAIN, true);
}
END_TEST

/* What never comes leaves it open whether something was destroyed. */
START_TEST(test_no_end) {
        FlightEvent one = renames(1, "a", "b", 's'), two = renames(2, "c", "d", 't');
        Victim found;

        ck_assert_int_eq(victims_find(victims, &one, VICTIMS_WAIT_HALFWAY_NSEC - 1, &found),
                         -EAGAIN);
        expect_late(one, 0, VICTIM_POSSIBLE, false);
        expect_possible(two);
}
END_TEST

/* More threads at once than are tried in all ways. */
START_TEST(test_many_threads) {
        static const char sources[] = "abcdefgh", victim[] = "ABCDEFGH";
        FlightEvent e[8];

        for (int i = 0; i < 8; i++)
                e[i] = renames(1, "from", "to", sources[i]);
        for (int i = 0; i < 8; i++)
                nameless(1, FAN_ATTRIB | GONE, victim[i]);
        for (int i = 0; i < 8; i++)
                nameless(1, FAN_MOVE_SELF, sources[i]);
        for (int i = 0; i < 8; i++)
                expect_possible(e[i]);
}
END_TEST

/* More events of other threads than are kept. */
START_TEST(test_many_candidates) {
        FlightEvent e = renames(1, "a", "b", 's');

        for (int i = 0; i < 2 * VICTIM_GROUP_CANDIDATES_MAX; i++)
                nameless(1, FAN_ATTRIB, (char)(i % 100));
        nameless(1, FAN_ATTRIB | GONE, 'v');
        nameless(1, FAN_MOVE_SELF, 's');
        expect_possible(e);
        /* What one process leaves behind takes no room from others. */
        e = renames_over(2, "c", "d", 't', 'w', GONE);
        expect_victim(e, 'w', VICTIM_CERTAIN, true);
}
END_TEST

int main(void) {
        TCase *tcase = tcase_create("victim_group");

        tcase_add_checked_fixture(tcase, setup, teardown);
        tcase_add_loop_test(tcase, test_threads, 0, 8);
        tcase_add_test(tcase, test_unlink_in_the_middle);
        tcase_add_test(tcase, test_half_of_another_threads_unlink);
        tcase_add_test(tcase, test_threads_victim);
        tcase_add_loop_test(tcase, test_link_by_another_thread, 0, 3);
        tcase_add_loop_test(tcase, test_two_threads_and_one_victim, 0, 3);
        tcase_add_test(tcase, test_late_thread);
        tcase_add_test(tcase, test_no_end);
        tcase_add_test(tcase, test_many_threads);
        tcase_add_test(tcase, test_many_candidates);
        return unit_run("victim_group", tcase);
}
