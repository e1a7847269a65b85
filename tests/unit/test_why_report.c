/* SPDX-License-Identifier: MIT */

/*
 * From rules, times and a timer to what is said: sentences for people, keys for machines.  The
 * choice itself is made by the real rules of a small configuration.
 */

#include "command/why_report.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "command/why_words.h"
#include "unit.h"

#define SEC CLOCK_NSEC_PER_SEC
#define HOUR (3600 * SEC)
#define DAY (24 * HOUR)
/* Wed 2026-12-02 00:00:00 UTC */
#define NOW (UINT64_C(1796169600) * SEC)

static const char config_text[] = "# comment\n"
                                  "q /tmp 1777 0 0 10d\n"
                                  "x /tmp/kept*\n"
                                  "R! /tmp/boot\n"
                                  "D /srv/d\n"
                                  "e /srv/zero - - - 0\n"
                                  "d /srv/inf - - - infinity\n"
                                  "d /srv/level - - - ~1h\n";

/* The times of whatever is asked about, and that there is nothing in it. */
static TmpfilesFacts facts;
static char path_buffer[256];

static int get_facts(void *userdata, const char *path, TmpfilesFacts *ret) {
        (void)userdata;
        *ret = facts;
        /* What lies above it. */
        if (strcmp(path, path_buffer) != 0)
                ret->mode = S_IFDIR | 0755;
        return 1;
}

static int get_entries(void *userdata, const char *path, int (*f)(void *, const char *),
                       void *f_userdata) {
        (void)userdata, (void)path, (void)f, (void)f_userdata;
        return 0;
}

static const TmpfilesTree tree = {.facts = get_facts, .entries = get_entries};

static WhyScope scope;
static WhyOracle oracle;
static WhyTarget target;
static WhyFate fate;
static WhyReport report;
static History history;
static WhyLooked looked;
static Buffer out;

static void setup(void) {
        setenv("TZ", "UTC", 1);
        tzset();
        scope = (WhyScope){.version = 252};
        ck_assert_int_eq(tmpfiles_config_add_file(&scope.config, "/etc/tmpfiles.d/t.conf",
                                                  config_text, strlen(config_text),
                                                  &(TmpfilesWorld){.version = 252}),
                         0);
        ck_assert_int_eq(why_scope_set_config(&scope), 0);
        oracle = (WhyOracle){
                .now = {.realtime_nsec = NOW, .monotonic_nsec = HOUR, .boottime_nsec = HOUR},
                .tree = &tree,
        };
        /* OnUnitActiveSec=1d; the next run is in two hours. */
        scope.schedule = (TimerSchedule){
                .is_active = true,
                .monotonic = {{TIMER_ON_UNIT_ACTIVE, DAY / 1000}},
                .n_monotonic = 1,
                .next_monotonic_usec = 3 * HOUR / 1000,
                .accuracy_usec = 60000000,
        };
        facts = (TmpfilesFacts){.mode = S_IFREG | 0644};
        looked = (WhyLooked){.since_nsec = NOW - 30 * DAY};
}

static void teardown(void) {
        why_fate_done(&fate);
        why_scope_done(&scope);
        history_done(&history);
        buffer_done(&out);
}

static void set_times(uint64_t age_nsec) {
        facts.atime_nsec = facts.btime_nsec = facts.ctime_nsec = facts.mtime_nsec = NOW - age_nsec;
}

/* Asks about a path, and puts the text into out. */
static const char *ask(const char *path) {
        snprintf(path_buffer, sizeof(path_buffer), "%s", path);
        target = (WhyTarget){
                .path = path_buffer,
                .exists = true,
                .mode = facts.mode,
                .accessed_nsec = facts.atime_nsec,
                .created_nsec = facts.btime_nsec,
                .changed_nsec = facts.ctime_nsec,
                .modified_nsec = facts.mtime_nsec,
        };
        why_fate_done(&fate);
        history_done(&history);
        buffer_clear(&out);
        ck_assert_int_eq(history_init(&history, path_buffer, 5, true), 0);
        ck_assert_int_eq(why_fate_find(&scope, path, &oracle, &fate), 0);
        report = (WhyReport){
                .target = &target,
                .scopes = &scope,
                .n_scopes = 1,
                .fates = &fate,
                .n_fates = 1,
                .looked = &looked,
                .history = &history,
                .now_nsec = NOW,
        };
        ck_assert_int_eq(why_report_append_text(&report, false, 0, &out), 0);
        return buffer_terminate(&out);
}

static void has(const char *expected) {
        if (!strstr(buffer_terminate(&out), expected))
                ck_abort_msg("no \"%s\" in:\n%s", expected, buffer_terminate(&out));
}

static void has_not(const char *unexpected) {
        if (strstr(buffer_terminate(&out), unexpected))
                ck_abort_msg("\"%s\" in:\n%s", unexpected, buffer_terminate(&out));
}

START_TEST(test_old) {
        set_times(11 * DAY);
        facts.mtime_nsec = NOW - 300 * DAY;
        ask("/tmp/tools/x");
        has("/tmp/tools/x: will be removed Wed 2026-12-02 02:00:00 UTC (in 2h) by age, unless it "
            "is touched before\n");
        has("because    older than 10 days by ");
        has("the newest is ");
        has("Sat 2026-11-21 00:00:00 UTC (11d ago)\n");
        has("line       /etc/tmpfiles.d/t.conf:2: q /tmp 1777 0 0 10d\n");
        has("run        systemd-tmpfiles-clean.timer: next run Wed 2026-12-02 02:00:00 UTC (in "
            "2h), or up to 1min later\n");
        has("to keep it touch it, move it out of /tmp, or write \"x /tmp/tools/x\" into "
            "/etc/tmpfiles.d/keep.conf\n");
        ck_assert(why_report_is_answer(&report));
        ck_assert(!why_report_is_partial(&report));
}
END_TEST

START_TEST(test_young) {
        /* Old enough an hour behind the next run. */
        set_times(10 * DAY - 3 * HOUR);
        ask("/tmp/tools/x y");
        has("/tmp/tools/x y: will be removed Thu 2026-12-03 02:00:00 UTC (in 1d 2h)");
        has("because    kept by its ");
        has("not older than 10 days");
        has("old enough Wed 2026-12-02 03:00:00 UTC (in 3h)");
        has("the run is computed");
        /* A blank in a line of tmpfiles.d would end the path. */
        has("or exclude it by a line of type x");
        facts.atime_nsec = NOW - 20 * DAY;
        facts.btime_nsec = NOW - 20 * DAY;
        facts.ctime_nsec = NOW - 20 * DAY;
        ask("/tmp/x");
        has("kept by its modification time, not older than 10 days");
}
END_TEST

START_TEST(test_kept) {
        set_times(300 * DAY);
        ask("/tmp/kept-1/x");
        has(": nothing known here removes it by itself\n");
        has("kept       ");
        has("/etc/tmpfiles.d/t.conf:3: x /tmp/kept*");
        has_not("to keep it");
        ck_assert(!why_report_is_answer(&report));
        ask("/srv/inf/x");
        has("infinite");
        facts.mode = S_IFREG | 01644;
        ask("/tmp/x");
        has("it is a file with the sticky bit, which is spared");
        facts.mode = S_IFREG | 0644;
        facts.is_locked = true;
        facts.mode = S_IFDIR | 0755;
        ask("/tmp/x");
        has("is locked");
        facts.is_locked = false;
        ask("/srv/level/x");
        has("the \"~\" before the age spares");
}
END_TEST

START_TEST(test_boot) {
        set_times(0);
        ask("/srv/d/x");
        has("/srv/d/x: will be removed at the next boot\n");
        has("boot       removed at the next boot: /etc/tmpfiles.d/t.conf:5: D /srv/d\n");
        ck_assert(why_report_is_answer(&report));
        ask("/tmp/boot");
        has("boot       removed at the next boot: /etc/tmpfiles.d/t.conf:4: R! /tmp/boot\n");
        ask("/etc/x");
        has("by age     no line removes it\n");
        has("nothing known here removes it by itself");
}
END_TEST

START_TEST(test_zero) {
        set_times(SEC);
        ask("/srv/zero/x");
        has("with an age of 0 everything goes, however new");
        has("will be removed Wed 2026-12-02 02:00:00 UTC");
}
END_TEST

START_TEST(test_no_timer) {
        static const struct {
                int error;
                const char *words;
        } errors[] = {
                {-ESRCH, "there is no such unit"},
                {-ENOENT, "there is no service manager to ask"},
                {-ETIMEDOUT, "did not answer"},
                {-EACCES, "does not let us in"},
        };

        set_times(11 * DAY);
        for (size_t i = 0; i < sizeof(errors) / sizeof(errors[0]); i++) {
                scope.timer_error = errors[i].error;
                ask("/tmp/x");
                has("is old enough: the next systemd-tmpfiles --clean removes it");
                has("not known when it runs: ");
                has(errors[i].words);
        }
        scope.timer_error = 0;
        scope.schedule.is_active = false;
        ask("/tmp/x");
        has("it is not active, so nothing is cleaned by itself");
        set_times(9 * DAY);
        ask("/tmp/x");
        has("/tmp/x: will be old enough Thu 2026-12-03 00:00:00 UTC (in 1d)");
}
END_TEST

START_TEST(test_hostile_path) {
        set_times(11 * DAY);
        ask("/tmp/\033[31m\n\xff");
        for (const char *at = buffer_terminate(&out); *at; at++)
                ck_assert((unsigned char)*at >= ' ' || *at == '\n');
        has("/tmp/\\e[31m\\n\\xff: will be removed");
}
END_TEST

START_TEST(test_gone) {
        static const char line[] =
                "{\"@timestamp\":\"2026-12-01T00:00:00Z\",\"event\":{\"action\":\"unlink\"},"
                "\"file\":{\"path\":\"/tmp/x\"},\"process\":{\"pid\":5,\"name\":\"rm\",\"user\":"
                "{\"id\":\"7\",\"name\":\"seven\"},\"real_user\":{\"id\":\"7\"}},\"whodunlink\":"
                "{\"attribution\":\"live\"}}";

        set_times(0);
        ask("/tmp/x");
        target.exists = false;
        buffer_clear(&out);
        ck_assert_int_eq(why_report_append_text(&report, false, 0, &out), 0);
        has("/tmp/x: does not exist, and nothing is known of its end\n");
        has("looked at  the journal, which goes back to Mon 2026-11-02 00:00:00 UTC; there is no "
            "record of whodunlink in it at all\n");
        has("line       /etc/tmpfiles.d/t.conf:2: q /tmp 1777 0 0 10d (covers it)\n");
        has("perhaps    ");
        ck_assert(!why_report_is_answer(&report));

        ck_assert_int_eq(history_add(&history, line, strlen(line)), 1);
        buffer_clear(&out);
        ck_assert_int_eq(why_report_append_text(&report, false, 0, &out), 0);
        has("/tmp/x: is gone\n");
        has("recorded   Tue 2026-12-01 00:00:00 UTC (1d ago)\n");
        has("00:00:00.000000  unlink  /tmp/x\n                 rm[5] as seven\n");
        has_not("looked at");
        ck_assert(why_report_is_answer(&report));

        looked.is_partly = true;
        history.n_entries = 0;
        buffer_clear(&out);
        ck_assert_int_eq(why_report_append_text(&report, false, 0, &out), 0);
        has(", as far as you may read it; there is no record of whodunlink in it at all; run it as "
            "root to look at all of it\n");

        looked.error = -EACCES;
        buffer_clear(&out);
        ck_assert_int_eq(why_report_append_text(&report, false, 0, &out), 0);
        has("looked at  the journal, in vain: Permission denied\n");
        ck_assert(why_report_is_partial(&report));
        history.n_entries = 1;
}
END_TEST

static json_object *at(json_object *o, const char *key) {
        json_object *value = NULL;

        if (!json_object_object_get_ex(o, key, &value))
                ck_abort_msg("no %s in %s", key, json_object_to_json_string(o));
        return value;
}

static void is(json_object *o, const char *key, const char *expected) {
        ck_assert_str_eq(json_object_get_string(at(o, key)), expected);
}

START_TEST(test_json) {
        json_object *o, *system, *clean;

        set_times(10 * DAY - 3 * HOUR);
        ask("/tmp/x");
        ck_assert_int_eq(why_report_to_json(&report, &o), 0);
        is(o, "path", "/tmp/x");
        is(o, "exists", "true");
        is(o, "type", "file");
        is(o, "is_answered", "true");
        is(at(o, "times"), "mtime", "2026-11-22T03:00:00.000000000Z");
        system = json_object_array_get_idx(at(o, "tmpfiles"), 0);
        is(system, "configuration", "system");
        is(system, "next_run", "2026-12-02T02:00:00.000000000Z");
        ck_assert_uint_ge(json_object_array_length(at(system, "lines")), 1);
        clean = at(system, "clean");
        is(clean, "verdict", "waits");
        is(clean, "rule", "q /tmp 1777 0 0 10d");
        is(clean, "source", "/etc/tmpfiles.d/t.conf:2");
        is(clean, "age_usec", "864000000000");
        is(clean, "triggered_by", "systemd-tmpfiles-clean.timer");
        is(clean, "unit", "systemd-tmpfiles-clean.service");
        is(clean, "run", "2026-12-03T02:00:00.000000000Z");
        is(clean, "run_is", "computed");
        ck_assert_int_eq(strncmp(json_object_get_string(at(clean, "due")), "2026-12-02T03:00:00",
                                 strlen("2026-12-02T03:00:00")),
                         0);
        ck_assert(!json_object_object_get_ex(system, "boot", NULL));
        ck_assert_uint_eq(json_object_array_length(at(o, "records")), 0);
        is(at(o, "looked_at"), "source", "journal");
        json_object_put(o);

        ask("/tmp/\xff");
        ck_assert_int_eq(why_report_to_json(&report, &o), 0);
        is(o, "path", "/tmp/\xef\xbf\xbd");
        is(o, "path_raw", "L3RtcC//");
        json_object_put(o);
}
END_TEST

int main(void) {
        TCase *t = tcase_create("why_report");

        tcase_add_checked_fixture(t, setup, teardown);
        tcase_add_test(t, test_old);
        tcase_add_test(t, test_young);
        tcase_add_test(t, test_kept);
        tcase_add_test(t, test_boot);
        tcase_add_test(t, test_zero);
        tcase_add_test(t, test_no_timer);
        tcase_add_test(t, test_hostile_path);
        tcase_add_test(t, test_gone);
        tcase_add_test(t, test_json);
        return unit_run("why_report", t);
}
