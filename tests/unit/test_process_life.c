/* SPDX-License-Identifier: MIT */

/* The set of lives, and who is whose parent. What it answers is asked by way of its table. */

#include "identify/process_life.h"

#include "fixtures_process_table.h"

static ProcessLives lives;

static void setup_lives(void) {
        setup();
        process_lives_init(&lives);
}

static void teardown_lives(void) {
        process_lives_done(&lives);
        teardown();
}

static Process *add(pid_t pid) {
        Process *p;

        ck_assert_int_eq(process_lives_add(&lives, pid, &p), 0);
        ck_assert_int_eq(p->pid, pid);
        return p;
}

START_TEST(test_set) {
        Process *all[300], *twice;
        size_t n = 0;

        ck_assert_ptr_null(process_lives_next(&lives, NULL));
        ck_assert_ptr_null(process_lives_latest(&lives, 1));
        for (pid_t i = 0; i < 300; i++)
                all[i] = add(i + 1);
        twice = add(7);
        ck_assert_uint_eq(process_lives_count(&lives), 301);
        ck_assert_ptr_eq(process_lives_latest(&lives, 7), twice);
        ck_assert_ptr_eq(process_lives_latest(&lives, 8), all[7]);
        /* Each is passed once. */
        for (Process *p = process_lives_next(&lives, NULL); p; p = process_lives_next(&lives, p)) {
                ck_assert(!p->is_unconfirmed);
                p->is_unconfirmed = true;
                n++;
        }
        ck_assert_uint_eq(n, 301);
        process_lives_remove(&lives, twice);
        ck_assert_ptr_eq(process_lives_latest(&lives, 7), all[6]);
        process_lives_remove(&lives, all[6]);
        ck_assert_ptr_null(process_lives_latest(&lives, 7));
        ck_assert_uint_eq(process_lives_count(&lives), 299);
}
END_TEST

START_TEST(test_list) {
        ProcessList l = {0};
        Process *p[3] = {add(1), add(2), add(3)};

        for (int i = 0; i < 3; i++)
                process_list_append(&l, p[i]);
        ck_assert_uint_eq(l.n_processes, 3);
        process_list_remove(&l, p[1]);
        ck_assert_ptr_eq(l.first, p[0]);
        ck_assert_ptr_eq(l.last, p[2]);
        ck_assert_ptr_eq(p[0]->next, p[2]);
        ck_assert_ptr_eq(p[2]->previous, p[0]);
        ck_assert_ptr_null(p[1]->list);
        process_list_append(&l, p[1]);
        process_list_remove(&l, p[0]);
        ck_assert_ptr_eq(l.first, p[2]);
        process_list_remove(&l, p[1]);
        ck_assert_ptr_eq(l.last, p[2]);
        process_list_remove(&l, p[2]);
        ck_assert_ptr_null(l.first);
        ck_assert_ptr_null(l.last);
        ck_assert_uint_eq(l.n_processes, 0);
}
END_TEST

/* Once known it stays; nobody is an ancestor of his own. */
START_TEST(test_parent) {
        Process *a = add(1), *b = add(2), *c = add(3);

        process_set_parent(a, NULL);
        ck_assert_ptr_null(a->parent);
        process_set_parent(a, a);
        ck_assert_ptr_null(a->parent);
        process_set_parent(b, a);
        process_set_parent(c, b);
        process_set_parent(a, c);
        ck_assert_ptr_null(a->parent);
        process_set_parent(c, a);
        ck_assert_ptr_eq(c->parent, b);
        ck_assert_uint_eq(a->n_refs, 2);
        ck_assert_uint_eq(b->n_refs, 2);
        ck_assert_uint_eq(c->n_refs, 1);
        /* What is out of the set lives as long as its last child. */
        process_lives_remove(&lives, a);
        process_lives_remove(&lives, b);
        ck_assert_int_eq(c->parent->parent->pid, 1);
}
END_TEST

START_TEST(test_inherit) {
        Process *parent = add(1), *child = add(2), *orphan = add(3);

        ck_assert_int_eq(process_add_phase(parent, at(1), program("sh"), true), 0);
        child->fork_nsec = at(2);
        process_set_parent(child, parent);
        process_inherit(child, parent);
        ck_assert_ptr_eq(child->phase.facts, parent->phase.facts);
        ck_assert(!child->phase.has_executed);
        ck_assert_uint_eq(child->phase.since_nsec, at(2));
        ck_assert_int_eq(process_add_phase(parent, at(3), program("rm"), true), 0);
        ck_assert_str_eq(child->phase.facts->comm, "sh");
        ck_assert_str_eq(child->parent_facts->comm, "sh");
        process_inherit(orphan, NULL);
        ck_assert_ptr_null(orphan->phase.facts);
        ck_assert_uint_eq(orphan->n_phases, 1);
}
END_TEST

/* The oldest of too many is forgotten. */
START_TEST(test_phases) {
        const ProcessPhase *phase;
        Process *p = add(1);
        unsigned n = 0;

        for (int i = 0; i < PROCESS_PHASES_MAX + 5; i++)
                ck_assert_int_eq(process_add_phase(p, at(i), program("x"), true), 0);
        ck_assert_uint_eq(p->n_phases, PROCESS_PHASES_MAX);
        for (phase = &p->phase; phase; phase = phase->older) {
                ck_assert_uint_eq(phase->since_nsec, at(PROCESS_PHASES_MAX + 4 - (int)n));
                n++;
        }
        ck_assert_uint_eq(n, PROCESS_PHASES_MAX);
}
END_TEST

START_TEST(test_started_at) {
        const uint64_t tick = process_ticks_to_nsec(1);
        Process p = {.start_ticks = 1000, .is_start_exact = true};

        ck_assert_uint_eq(process_ticks(process_ticks_to_nsec(1000)), 1000);
        ck_assert_uint_eq(process_ticks(process_ticks_to_nsec(1001) - 1), 1000);
        ck_assert(!process_started_at(&p, 1000 * tick - 1));
        ck_assert(process_started_at(&p, 1000 * tick));
        ck_assert(process_started_at(&p, 1002 * tick - 1));
        ck_assert(!process_started_at(&p, 1002 * tick));
        /* Told by a message already, over, or not known as exactly. */
        p.fork_nsec = 1;
        ck_assert(!process_started_at(&p, 1000 * tick));
        p = (Process){.start_ticks = 1000, .is_start_exact = true, .exit_nsec = 1};
        ck_assert(!process_started_at(&p, 1000 * tick));
        p = (Process){.start_ticks = 1000};
        ck_assert(!process_started_at(&p, 1000 * tick));
}
END_TEST

int main(void) {
        TCase *tcase = tcase_create("process_life");

        tcase_add_checked_fixture(tcase, setup_lives, teardown_lives);
        tcase_add_test(tcase, test_set);
        tcase_add_test(tcase, test_list);
        tcase_add_test(tcase, test_parent);
        tcase_add_test(tcase, test_inherit);
        tcase_add_test(tcase, test_phases);
        tcase_add_test(tcase, test_started_at);
        return unit_run("process_life", tcase);
}
