/* SPDX-License-Identifier: MIT */

/* The thread that finds causes: who waits for what, and for how long. */

#include "explain/explainer.h"

#include <stdatomic.h>

#include "base/clock.h"
#include "fixtures_explain.h"

static _Atomic unsigned delay_msec; /* of a look-up */
static _Atomic unsigned n_lookups;
static _Atomic bool has_cause;
static _Atomic(const char *) rule, advice = "";
static ExplainScope scope;

/* All of explain.h, in the place of the library's. */
struct Explain {
        int unused;
};

int explain_new(const ExplainOptions *options, Explain **ret_explain) {
        (void)options;
        *ret_explain = calloc(1, sizeof(**ret_explain));
        return 0;
}

Explain *explain_free(Explain *x) {
        free(x);
        return NULL;
}

ExplainCounters explain_counters(const Explain *x) {
        (void)x;
        return (ExplainCounters){0};
}

ExplainScope explain_scope(const Deleter *d) {
        (void)d;
        return scope;
}

int explain_find(Explain *x, const Deleter *d, const ExplainedPath *path, Cause *ret_cause) {
        (void)x;
        n_lookups++;
        usleep(delay_msec * 1000);
        if (!has_cause)
                return 0;
        *ret_cause = (Cause){.type = CAUSE_TMPFILES,
                             .rule = strdup(rule),
                             .source = path->path ? strdup(path->path) : NULL};
        if (asprintf(&ret_cause->explanation, "%d%s", (int)d->process.pid, advice) < 0)
                abort();
        return 1;
}

static Explainer *explainer;
static Deleter *deleters[8];

static void setup(void) {
        delay_msec = n_lookups = 0;
        has_cause = true;
        rule = "r x";
        scope = EXPLAIN_PROCESS;
        ck_assert_int_eq(explainer_new(&(ExplainOptions){.root_fd = -1}, &explainer), 0);
        for (size_t i = 0; i < 8; i++)
                deleters[i] = deleter_of(i + 1, (const Ancestor[]){{.name = "rm"}, {.name = NULL}});
}

static void teardown(void) {
        explainer = explainer_free(explainer);
        for (size_t i = 0; i < 8; i++)
                deleters[i] = deleter_unref(deleters[i]);
}

/* As the main loop does. Return: as explainer_find(), but -EAGAIN. */
static int find(const Deleter *d, const char *path, const Cause **ret_cause) {
        const ExplainedPath p = {.path = path};
        int r;

        while ((r = explainer_find(explainer, d, &p, false, ret_cause)) == -EAGAIN)
                usleep(1000);
        return r;
}

/* Also where the machine has no time for the thread. */
static int find_at_last(const Deleter *d, const char *path, const Cause **ret_cause) {
        int r = -ETIME;

        for (int i = 0; i < 500 && r == -ETIME; i++) {
                if (i > 0)
                        usleep(10000);
                r = find(d, path, ret_cause);
        }
        return r;
}

static uint64_t now_msec(void) {
        return clock_now_nsec(CLOCK_MONOTONIC) / CLOCK_NSEC_PER_MSEC;
}

/* One look-up, however many records. */
START_TEST(test_once) {
        const Cause *c;

        explainer_begin(explainer, deleters[0]);
        for (size_t i = 0; i < 1000; i++) {
                ck_assert_int_eq(find_at_last(deleters[0], "/a", &c), 1);
                ck_assert_str_eq(c->explanation, "1000");
                ck_assert_ptr_null(c->source);
        }
        ck_assert_uint_eq(n_lookups, 1);
        ck_assert_uint_eq(explainer_counters(explainer).n_asked, 1);
        ck_assert_uint_ge(explainer_counters(explainer).n_kept, 998);
        has_cause = false;
        c = NULL;
        ck_assert_int_eq(find_at_last(deleters[1], "/a", &c), 0);
        ck_assert_ptr_null(c);
        ck_assert_int_eq(find_at_last(deleters[1], "/a", &c), 0);
        ck_assert_uint_eq(n_lookups, 2);
        scope = EXPLAIN_NONE;
        ck_assert_int_eq(find_at_last(deleters[2], "/a", &c), 0);
        ck_assert_uint_eq(n_lookups, 2);
}
END_TEST

/* Files have causes of their own, unless one is about all of the directory. */
START_TEST(test_paths) {
        const ExplainedPath directory = {.path = "/b/d", .is_directory = true};
        const Cause *c;
        int r;

        scope = EXPLAIN_PATH;
        explainer_begin(explainer, deleters[0]);
        ck_assert_int_eq(find_at_last(deleters[0], "/a/x", &c), 1);
        ck_assert_str_eq(c->source, "/a/x");
        ck_assert_int_eq(find_at_last(deleters[0], "/a/y", &c), 1);
        ck_assert_str_eq(c->source, "/a/y");
        ck_assert_int_eq(find_at_last(deleters[0], "/a/x", &c), 1);
        ck_assert_uint_eq(n_lookups, 2);
        rule = "q /b";
        ck_assert_int_eq(find_at_last(deleters[0], "/b/x", &c), 1);
        ck_assert_int_eq(find_at_last(deleters[0], "/b/y", &c), 1);
        ck_assert_str_eq(c->source, "/b/x");
        ck_assert_uint_eq(n_lookups, 3);
        /* A directory in there is another matter, and so is what names the file. */
        while ((r = explainer_find(explainer, deleters[0], &directory, true, &c)) == -ETIME)
                usleep(1000);
        ck_assert_int_eq(r, 1);
        ck_assert_str_eq(c->source, "/b/d");
        ck_assert_uint_eq(n_lookups, 4);
        advice = "x /b/y";
        ck_assert_int_eq(find_at_last(deleters[2], "/b/y", &c), 1);
        advice = "";
        ck_assert_int_eq(find_at_last(deleters[2], "/b/z", &c), 1);
        ck_assert_str_eq(c->source, "/b/z");
        ck_assert_int_eq(find_at_last(deleters[1], "/b/y", &c), 1);
        ck_assert_str_eq(c->source, "/b/y");
        ck_assert_int_eq(find_at_last(deleters[0], NULL, &c), 1);
        ck_assert_ptr_null(c->source);
}
END_TEST

/* It holds up a record for its time, and those behind it not for as long again each. */
START_TEST(test_slow) {
        uint64_t begin = now_msec(), took;
        const Cause *c;

        delay_msec = 1000;
        for (size_t i = 0; i < 4; i++)
                explainer_begin(explainer, deleters[i]);
        ck_assert_int_eq(find(deleters[0], "/a", &c), -ETIME);
        took = now_msec() - begin;
        ck_assert_uint_ge(took, 290);
        ck_assert_uint_le(took, 900);
        begin = now_msec();
        ck_assert_int_eq(find(deleters[0], "/a", &c), -ETIME);
        for (size_t i = 1; i < 8; i++)
                ck_assert_int_eq(find(deleters[i], "/a", &c), -ETIME);
        ck_assert_uint_le(now_msec() - begin, 250);
        ck_assert_uint_eq(explainer_counters(explainer).n_late, 9);
        delay_msec = 0;
        /* Later it is known. */
        for (int i = 0; i < 400 && find(deleters[0], "/a", &c) != 1; i++)
                usleep(10000);
        ck_assert_int_eq(find(deleters[0], "/a", &c), 1);
}
END_TEST

/* Each within its time, but all together they take too much of it. */
START_TEST(test_share) {
        uint64_t begin = now_msec(), took;
        size_t n_late = 0, n_found = 0;
        const Cause *c;

        delay_msec = 100;
        for (size_t i = 0; i < 8; i++) {
                int r = find(deleters[i], "/a", &c);

                n_late += r == -ETIME;
                n_found += r == 1;
        }
        took = now_msec() - begin;
        /* Three fit into it, where the machine has time for the thread. */
        ck_assert_uint_ge(n_late, 3);
        ck_assert_uint_eq(n_late + n_found, 8);
        ck_assert_uint_le(took, 2000);
}
END_TEST

START_TEST(test_hasty) {
        const ExplainedPath p = {0};
        uint64_t begin;
        const Cause *c;

        ck_assert_int_eq(find_at_last(deleters[0], NULL, &c), 1);
        ck_assert_int_eq(explainer_find(explainer, deleters[0], &p, true, &c), 1);
        delay_msec = 1000;
        begin = now_msec();
        ck_assert_int_eq(explainer_find(explainer, deleters[1], &p, true, &c), -ETIME);
        ck_assert_uint_le(now_msec() - begin, 700);
}
END_TEST

/* More than there is room for: none is lost without being counted. */
START_TEST(test_full) {
        const Ancestor rm[] = {{.name = "rm"}, {.name = NULL}};
        ExplainerCounters counters;

        delay_msec = 50;
        for (size_t i = 0; i < EXPLAINER_QUESTIONS_MAX + 100; i++) {
                Deleter *d = deleter_of(100 + i, rm);

                explainer_begin(explainer, d);
                deleter_unref(d);
        }
        delay_msec = 0;
        counters = explainer_counters(explainer);
        ck_assert_uint_le(counters.n_asked, EXPLAINER_QUESTIONS_MAX + 50);
        ck_assert_uint_eq(counters.n_asked + counters.n_refused, EXPLAINER_QUESTIONS_MAX + 100);
}
END_TEST

/* It ends in time, with a look-up going on and with questions that nobody answered. */
START_TEST(test_end) {
        uint64_t begin = now_msec();

        delay_msec = 1000;
        for (size_t i = 0; i < 8; i++)
                explainer_begin(explainer, deleters[i]);
        usleep(20000);
        explainer = explainer_free(explainer);
        ck_assert_uint_le(now_msec() - begin, 900);
        /* For the thread to let go of what is left. */
        usleep(1200000);
}
END_TEST

int main(void) {
        TCase *t = tcase_create("explainer");

        tcase_add_checked_fixture(t, setup, teardown);
        tcase_add_test(t, test_once);
        tcase_add_test(t, test_paths);
        tcase_add_test(t, test_slow);
        tcase_add_test(t, test_share);
        tcase_add_test(t, test_hasty);
        tcase_add_test(t, test_full);
        tcase_add_test(t, test_end);
        return unit_run("explainer", t);
}
