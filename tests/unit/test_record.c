/* SPDX-License-Identifier: MIT */

/* What all renderings share. */

#include "record/record.h"

#include <string.h>

#include "unit.h"

START_TEST(test_actions) {
        static const struct {
                RecordAction action;
                const char *name;
                bool is_deletion;
        } actions[] = {
                {RECORD_UNLINK, "unlink", true},      {RECORD_RMDIR, "rmdir", true},
                {RECORD_MOVE, "move", true},          {RECORD_START, "start", false},
                {RECORD_STOP, "stop", false},         {RECORD_LOSS, "loss", false},
                {RECORD_COVERAGE, "coverage", false}, {RECORD_OVERWRITE, "overwrite", true},
                {RECORD_FOLD, "fold", false},
        };

        for (size_t i = 0; i < sizeof(actions) / sizeof(actions[0]); i++) {
                ck_assert_str_eq(record_action_to_string(actions[i].action), actions[i].name);
                ck_assert_int_eq(record_action_is_deletion(actions[i].action),
                                 actions[i].is_deletion);
        }
}
END_TEST

static void expect_path(const char *directory, const char *name, const char *expected) {
        _cleanup_buffer_ Buffer b = {0};
        RecordPath p = {
                .directory = directory,
                .n_directory = directory ? strlen(directory) : 0,
                .name = name,
                .n_name = name ? strlen(name) : 0,
        };

        record_path_append(&p, &b);
        ck_assert_str_eq(buffer_terminate(&b), expected);
}

START_TEST(test_path) {
        const RecordPath counted = {
                .directory = "/abc", .n_directory = 2, .name = "xyz", .n_name = 1};
        _cleanup_buffer_ Buffer b = {0};

        expect_path("/", "x", "/x");
        expect_path("/a", "x", "/a/x");
        expect_path("/a/b c", "\n\xff", "/a/b c/\n\xff");
        expect_path(NULL, "x", "x");
        expect_path("/a", NULL, "");
        expect_path(NULL, NULL, "");
        record_path_append(&counted, &b);
        record_path_append(&counted, &b);
        ck_assert_str_eq(buffer_terminate(&b), "/a/x/a/x");
}
END_TEST

int main(void) {
        TCase *tcase = tcase_create("record");

        tcase_add_test(tcase, test_actions);
        tcase_add_test(tcase, test_path);
        return unit_run("record", tcase);
}
