/* SPDX-License-Identifier: MIT */

/* A fold in all renderings. */

#include "record/json_fold.h"

#include "fixtures_journal_field.h"
#include "fixtures_record_json.h"
#include "record/record_journal.h"
#include "record/record_text.h"

static const RecordFold full = {
        .n_entries = 10,
        .n_files = 8,
        .n_directories = 2,
        .n_moves = 3,
        .n_overwrites = 1,
        .common_directory = "/a\n\xff",
        .n_common_directory = 4,
        .first = "/a\n\xff/1",
        .n_first = 6,
        .last = "/a\n\xff/b/\"",
        .n_last = 8,
        .since_nsec = NSEC - 7,
        .until_nsec = NSEC,
};

static Record fold_of(const RecordFold *f, const Deleter *d) {
        return (Record){
                .action = RECORD_FOLD,
                .realtime_nsec = NSEC,
                .sequence = 7,
                .key = {.stream = 3, .position = 12, .is_fold = true},
                .deleter = d,
                .fold = f,
        };
}

START_TEST(test_json) {
        ProcessFactsParts p = fixture_parts();
        Deleter *d = fixture_deleter(1, ATTRIBUTION_EXEC, 1, &p, NULL);
        Record r = fold_of(&full, d);

        append(&r);
        expect_text("message", "rm (pid 4711, root) removed or moved 10 more entries in or below "
                               "/a\n\xef\xbf\xbd within a second");
        expect_text("event.action", "fold");
        expect_text("event.dataset", "whodunlink.status");
        expect_text("event.id", "bid-rid-3.12-fold");
        ck_assert_ptr_null(get("file"));
        expect_text("process.name", "rm");
        expect_text("whodunlink.attribution", "exec");
        ck_assert_ptr_null(get("whodunlink.path_source"));
        ck_assert_str_eq(
                json_object_to_json_string_ext(get("whodunlink.fold"),
                                               JSON_C_TO_STRING_PLAIN |
                                                       JSON_C_TO_STRING_NOSLASHESCAPE),
                "{\"count\":10,\"files\":8,\"directories\":2,\"moves\":3,\"overwrites\":1,"
                "\"common_directory\":\"/a\\n\xef\xbf\xbd\",\"common_directory_raw\":\"L2EK/w==\","
                "\"first\":\"/a\\n\xef\xbf\xbd/1\",\"first_raw\":\"L2EK/y8x\","
                "\"last\":\"/a\\n\xef\xbf\xbd/b/\\\"\",\"last_raw\":\"L2EK/y9iLyI=\","
                "\"since\":\"2026-11-23T00:55:13.000000000Z\","
                "\"until\":\"2026-11-23T00:55:13.000000007Z\"}");
        deleter_unref(d);
}
END_TEST

static const struct {
        uint64_t n_entries, n_moves;
        const char *directory, *message;
} messages[] = {
        {2, 0, "/a", " removed 2 more entries in or below /a within a second"},
        {1, 0, "/a", " removed 1 more entry in or below /a within a second"},
        {2, 2, "/a", " moved 2 more entries in or below /a within a second"},
        {2, 1, NULL, " removed or moved 2 more entries within a second"},
};

START_TEST(test_message) {
        _cleanup_buffer_ Buffer b = {0};
        const char *directory = messages[_i].directory;
        RecordFold f = {.n_entries = messages[_i].n_entries,
                        .n_moves = messages[_i].n_moves,
                        .common_directory = directory,
                        .n_common_directory = directory ? strlen(directory) : 0};

        json_fold_append_message(&f, &b);
        ck_assert_str_eq(buffer_terminate(&b), messages[_i].message);
}
END_TEST

START_TEST(test_journal) {
        ProcessFactsParts p = fixture_parts();
        Deleter *d = fixture_deleter(1, ATTRIBUTION_EXEC, 1, &p, NULL);
        Record r = fold_of(&full, d);
        RecordJournal *journal;
        _cleanup_buffer_ Buffer entry = {0};
        const char *value;
        size_t n;

        ck_assert_int_eq(record_journal_new(&host, names, &journal), 0);
        ck_assert_int_eq(record_journal_append(journal, &r, &entry), 0);
        value = fixture_value(&entry, "DELETION_DIRECTORY", &n);
        ck_assert_uint_eq(n, 4);
        ck_assert_mem_eq(value, "/a\n\xff", n);
        ck_assert_ptr_null(fixture_value(&entry, "DELETION_PATH", &n));
        value = fixture_value(&entry, "DELETION_PID", &n);
        ck_assert_mem_eq(value, "4711", n);
        value = fixture_value(&entry, "OBJECT_SYSTEMD_UNIT", &n);
        ck_assert_mem_eq(value, "cron.service", n);
        value = fixture_value(&entry, "PRIORITY", &n);
        ck_assert_mem_eq(value, "6", n);
        record_journal_free(journal);
        deleter_unref(d);
}
END_TEST

/* It says of whom, when the process before was another one. */
START_TEST(test_text) {
        ProcessFactsParts p = fixture_parts();
        Deleter *d = fixture_deleter(1, ATTRIBUTION_EXEC, 1, &p, NULL);
        Record r = fold_of(&full, d);
        _cleanup_buffer_ Buffer out = {0};
        RecordText *text;

        ck_assert_int_eq(record_text_new((RecordTextOptions){0}, names, &text), 0);
        record_text_append(text, &r, &out);
        ck_assert_ptr_nonnull(strstr(buffer_terminate(&out),
                                     "  fold    10 more in or below $'/a\\n\\xff' (8 files, "
                                     "2 directories; 3 moved; 1 replaced)\n"));
        ck_assert_ptr_nonnull(strstr(buffer_terminate(&out), "rm[4711] as root"));
        record_text_free(text);
        deleter_unref(d);
}
END_TEST

int main(void) {
        TCase *tcase = tcase_create("json_fold");

        tcase_add_checked_fixture(tcase, setup, teardown);
        tcase_add_test(tcase, test_json);
        tcase_add_loop_test(tcase, test_message, 0, sizeof(messages) / sizeof(messages[0]));
        tcase_add_test(tcase, test_journal);
        tcase_add_test(tcase, test_text);
        return unit_run("json_fold", tcase);
}
