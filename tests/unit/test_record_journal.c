/* SPDX-License-Identifier: MIT */

/* Entries of the journal: which fields there are, byte for byte, and which there are not. */

#include "record/record_journal.h"

#include "fixtures_journal_field.h"
#include "fixtures_record_json.h"

static RecordJournal *journal;
static Buffer entry;

static void setup_journal(void) {
        setup();
        ck_assert_int_eq(record_journal_new(&host, names, &journal), 0);
}

static void teardown_journal(void) {
        journal = record_journal_free(journal);
        buffer_done(&entry);
        teardown();
        ck_assert_ptr_null(record_journal_free(NULL));
}

static void put(const Record *r) {
        buffer_clear(&entry);
        ck_assert_int_eq(record_journal_append(journal, r, &entry), 0);
}

static void expect_bytes(const char *key, const char *value, size_t n_value) {
        size_t n = 0;
        const char *v = fixture_value(&entry, key, &n);

        ck_assert_msg(v, "no %s", key);
        ck_assert_msg(n == n_value && memcmp(v, value, n) == 0, "%s is %.*s", key, (int)n, v);
}

static void expect(const char *key, const char *value) {
        size_t n;

        if (value)
                expect_bytes(key, value, strlen(value));
        else
                ck_assert_msg(!fixture_value(&entry, key, &n), "there is a %s", key);
}

/* All that record.md names, and nothing else. */
static size_t count_fields(void) {
        const char *key, *value;
        size_t at = 0, n_key, n_value, n = 0;

        while (fixture_field(&entry, &at, &key, &n_key, &value, &n_value))
                n++;
        return n;
}

START_TEST(test_all_fields) {
        static const char *const chain[] = {"sh", "init", NULL};
        ProcessFactsParts p = fixture_parts();
        Cause cause = {.type = CAUSE_TMPFILES,
                       .rule = (char *)(uintptr_t) "d /tmp - - - 10d",
                       .source = (char *)(uintptr_t) "/etc/tmpfiles.d/x.conf:3",
                       .triggered_by = (char *)(uintptr_t) "x.timer"};
        Deleter *d;
        Record r;

        fixture_set_cgroup(&p, "/system.slice/docker-"
                               "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
                               ".scope");
        d = fixture_deleter(1, ATTRIBUTION_EXEC, 1, &p, chain);
        r = record_of(RECORD_UNLINK, d);
        r.inode = UINT64_MAX;
        r.cause = &cause;
        put(&r);
        expect("MESSAGE_ID", "f8ecd313ae7640dfba9997ba28c786dd");
        expect("PRIORITY", "6");
        expect("SYSLOG_IDENTIFIER", "whodunlink");
        expect("DELETION_ACTION", "unlink");
        expect("DELETION_PATH", "/tmp/x.txt");
        expect("DELETION_DIRECTORY", "/tmp");
        expect("DELETION_NAME", "x.txt");
        expect("DELETION_INODE", "18446744073709551615");
        expect("DELETION_PID", "4711");
        expect("DELETION_COMM", "rm");
        expect("DELETION_EXE", "/usr/bin/rm");
        expect("DELETION_CMDLINE", "rm -rf /tmp/tools");
        expect("DELETION_UID", "0");
        expect("DELETION_LOGINUID", "1000");
        expect("DELETION_PPID", "100");
        expect("DELETION_PARENT_COMM", "sh");
        expect("DELETION_CONTAINER_ID",
               "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef");
        expect("DELETION_RULE", "d /tmp - - - 10d");
        expect("DELETION_RULE_SOURCE", "/etc/tmpfiles.d/x.conf:3");
        expect("DELETION_TRIGGERED_BY", "x.timer");
        expect("DELETION_ATTRIBUTION", "exec");
        expect("DELETION_SEQUENCE", "7");
        expect("OBJECT_SYSTEMD_UNIT",
               "docker-0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef.scope");
        /* Of a container a number may be somebody else. */
        expect("DELETION_USER", NULL);
        expect("OBJECT_PID", NULL);
        ck_assert_uint_eq(count_fields(), 24);
        deleter_unref(d);
}
END_TEST

START_TEST(test_units) {
        ProcessFactsParts p = fixture_parts();
        Deleter *d;
        Record r;

        d = fixture_deleter(1, ATTRIBUTION_LIVE, 1, &p, NULL);
        r = record_of(RECORD_RMDIR, d);
        put(&r);
        expect("OBJECT_SYSTEMD_UNIT", "cron.service");
        expect("OBJECT_SYSTEMD_USER_UNIT", NULL);
        expect("DELETION_USER", "root");
        expect("DELETION_PPID", NULL);
        deleter_unref(d);

        fixture_set_cgroup(&p, "/user.slice/user-1000.slice/user@1000.service/app.slice/"
                               "foo\\x2dbar.service");
        d = fixture_deleter(2, ATTRIBUTION_LIVE, 2, &p, NULL);
        r = record_of(RECORD_RMDIR, d);
        put(&r);
        expect("OBJECT_SYSTEMD_UNIT", "user@1000.service");
        expect("OBJECT_SYSTEMD_USER_UNIT", "foo\\x2dbar.service");
        deleter_unref(d);
}
END_TEST

/* The message is the very line that stdout would have got. */
START_TEST(test_message_is_the_line) {
        Deleter *d = fixture_deleter(1, ATTRIBUTION_LIVE, 1, &(ProcessFactsParts){0}, NULL);
        Record r = record_of(RECORD_MOVE, d);

        r.path = path_of("/tmp/\xff\n", "a\n\"\xe4");
        r.new_path = path_of("/", "\n");
        put(&r);
        buffer_clear(&line);
        ck_assert_int_eq(record_json_append(json, &r, &line), 0);
        ck_assert_int_eq(line.bytes[line.n_bytes - 1], '\n');
        expect_bytes("MESSAGE", line.bytes, line.n_bytes - 1);
        expect("MESSAGE_ID", "84689c43c9f14fc6aa2701e633c887d6");
        expect("DELETION_PATH", "/tmp/\xff\n/a\n\"\xe4");
        expect("DELETION_DIRECTORY", "/tmp/\xff\n");
        expect("DELETION_NAME", "a\n\"\xe4");
        deleter_unref(d);
}
END_TEST

/* A process that calls itself so must not make fields of its own. */
START_TEST(test_hostile_process) {
        static const char args[] = "a\nPRIORITY=0\0\nMESSAGE=b";
        ProcessFactsParts p = fixture_parts();
        Deleter *d;
        Record r;

        fixture_set_args(&p, args, sizeof(args));
        fixture_set_executable(&p, "/x\nOBJECT_PID=1");
        strcpy(p.facts.comm, "\nMESSAGE_ID=x");
        d = fixture_deleter(1, ATTRIBUTION_LIVE, 1, &p, NULL);
        r = record_of(RECORD_UNLINK, d);
        put(&r);
        expect("PRIORITY", "6");
        expect("MESSAGE_ID", "f8ecd313ae7640dfba9997ba28c786dd");
        expect("OBJECT_PID", NULL);
        expect("DELETION_EXE", "/x\nOBJECT_PID=1");
        expect("DELETION_COMM", "\nMESSAGE_ID=x");
        expect("DELETION_CMDLINE", "a\nPRIORITY=0 \nMESSAGE=b");
        deleter_unref(d);
}
END_TEST

START_TEST(test_unknown) {
        Deleter *d = fixture_deleter(1, ATTRIBUTION_PID_ONLY, 0, NULL, NULL);
        Record r = record_of(RECORD_UNLINK, d);

        r.path = path_of(NULL, "x");
        d->process.pid = 0;
        put(&r);
        expect("DELETION_NAME", "x");
        expect("DELETION_ATTRIBUTION", "pid-only");
        ck_assert_uint_eq(count_fields(), 8);
        deleter_unref(d);
}
END_TEST

/* One process in two phases, and a name that comes late. */
START_TEST(test_cache) {
        ProcessFactsParts p = fixture_parts();
        Deleter *a = fixture_deleter(1, ATTRIBUTION_LIVE, 1, &p, NULL), *b;
        Record r = record_of(RECORD_UNLINK, a);

        fixture_set_executable(&p, "/bin/b");
        b = fixture_deleter(1 + RECORD_JOURNAL_CACHE_ENTRIES, ATTRIBUTION_LIVE, 1, &p, NULL);
        for (int i = 0; i < 3; i++) {
                r.deleter = a;
                put(&r);
                expect("DELETION_EXE", "/usr/bin/rm");
                r.deleter = b;
                put(&r);
                expect("DELETION_EXE", "/bin/b");
        }
        deleter_unref(a);
        deleter_unref(b);
}
END_TEST

static const struct {
        RecordAction action;
        const char *name, *priority;
} news[] = {
        {RECORD_START, "start", "6"},
        {RECORD_STOP, "stop", "6"},
        {RECORD_LOSS, "loss", "4"},
        {RECORD_COVERAGE, "coverage", "4"},
};

START_TEST(test_news) {
        Record r = {.action = news[_i].action,
                    .realtime_nsec = NSEC,
                    .sequence = 9,
                    .message = "said",
                    .loss = {.where = "file events"}};

        put(&r);
        expect("DELETION_ACTION", news[_i].name);
        expect("PRIORITY", news[_i].priority);
        expect("DELETION_SEQUENCE", "9");
        ck_assert_uint_eq(count_fields(), 6);
}
END_TEST

int main(void) {
        TCase *tcase = tcase_create("record_journal");

        tcase_add_checked_fixture(tcase, setup_journal, teardown_journal);
        tcase_add_test(tcase, test_all_fields);
        tcase_add_test(tcase, test_units);
        tcase_add_test(tcase, test_message_is_the_line);
        tcase_add_test(tcase, test_hostile_process);
        tcase_add_test(tcase, test_unknown);
        tcase_add_test(tcase, test_cache);
        tcase_add_loop_test(tcase, test_news, 0, sizeof(news) / sizeof(news[0]));
        return unit_run("record_journal", tcase);
}
