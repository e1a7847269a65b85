/* SPDX-License-Identifier: MIT */

/* Why, as people read it: what the line says, and when it is said. */

#include "record/text_cause.h"

#include "fixtures_record_text.h"

static char *text_of(const char *s) {
        return (char *)(uintptr_t)s;
}

static void expect(const char *expected) {
        ck_assert_str_eq(buffer_terminate(&out), expected);
        buffer_clear(&out);
}

static void expect_line(const Cause *c, const char *expected) {
        text_cause_append(&(TextLine){.out = &out}, c);
        expect(expected);
}

START_TEST(test_line) {
        Cause c = {.type = CAUSE_TIMER, .triggered_by = text_of("a b.timer"), .unit = text_of("u")};

        expect_line(&c, INDENT "why: timer 'a b.timer'\n");
        c.triggered_by = NULL;
        expect_line(&c, INDENT "why: timer u\n");
        c.rule = text_of("r");
        expect_line(&c, INDENT "why: timer r\n");
        c.source = text_of("/etc/x:3");
        expect_line(&c, INDENT "why: timer r (/etc/x:3)\n");
        c.explanation = text_of("it \033[31m had\nto be");
        expect_line(&c, INDENT "why: it \\e[31m had\\nto be (/etc/x:3)\n");
        c.explanation = text_of("see /etc/x:3 for it");
        expect_line(&c, INDENT "why: see /etc/x:3 for it\n");
        expect_line(&(Cause){.type = CAUSE_LOGIN}, INDENT "why: login\n");
}
END_TEST

/* Once a group, last; again when it is another one. */
START_TEST(test_group) {
        ProcessFactsParts parts = fixture_parts();
        Cause a = {.explanation = text_of("a")}, b = {.explanation = text_of("b")};
        Deleter *d, *other;
        Record r;

        fixture_set_cgroup(&parts, NULL);
        d = fixture_deleter(1, ATTRIBUTION_LIVE, 1, &parts, NULL);
        other = fixture_deleter(2, ATTRIBUTION_LIVE, 2, &parts, NULL);
        r = unlink_of(d, "/", "x");
        r.cause = &a;
        append(r);
        append(r);
        r.cause = &b;
        append(r);
        r.cause = NULL;
        append(r);
        r.cause = &b;
        append(r);
        expect(TIME "unlink  /x\n" INDENT "rm[4711] as root, login alice\n" INDENT
                    "$ rm -rf /tmp/tools\n" INDENT "why: a\n" TIME "unlink  /x\n" TIME
                    "unlink  /x\n" INDENT "why: b\n" TIME "unlink  /x\n" TIME "unlink  /x\n");
        r.deleter = other;
        append(r);
        expect("\n" TIME "unlink  /x\n" INDENT "rm[4711] as root, login alice\n" INDENT
               "$ rm -rf /tmp/tools\n" INDENT "why: b\n");
        deleter_unref(d);
        deleter_unref(other);
}
END_TEST

/* It came too late for the first record of a group. */
START_TEST(test_late) {
        ProcessFactsParts parts = fixture_parts();
        Cause a = {.explanation = text_of("a")};
        Deleter *d = fixture_deleter(1, ATTRIBUTION_LIVE, 1, &parts, NULL);
        Record r = unlink_of(d, "/", "x");

        append(r);
        buffer_clear(&out);
        r.cause = &a;
        append(r);
        expect(TIME "unlink  /x\n" INDENT "why: a\n");
        deleter_unref(d);
}
END_TEST

int main(void) {
        TCase *t = tcase_create("text_cause");

        setenv("TZ", "UTC", 1);
        tcase_add_checked_fixture(t, setup, teardown);
        tcase_add_test(t, test_line);
        tcase_add_test(t, test_group);
        tcase_add_test(t, test_late);
        return unit_run("text_cause", t);
}
