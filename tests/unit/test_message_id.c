/* SPDX-License-Identifier: MIT */

/* One id a kind of record; the catalog explains each, and nothing that the program does not write.
 */

#include "record/message_id.h"

#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "unit.h"

START_TEST(test_each_its_own) {
        for (RecordAction a = 0; a < RECORD_N_ACTIONS; a++) {
                ck_assert_uint_eq(strspn(message_id_of(a), "0123456789abcdef"), 32);
                ck_assert_uint_eq(strlen(message_id_of(a)), 32);
                for (RecordAction b = 0; b < a; b++)
                        ck_assert_str_ne(message_id_of(a), message_id_of(b));
        }
}
END_TEST

/* An entry of the catalog: "-- ID", header lines with a Subject, an empty line, a text. */
START_TEST(test_catalog) {
        const char *path = getenv("WHODUNLINK_CATALOG");
        _cleanup_fclose_ FILE *f = fopen(path ? path : "", "re");
        size_t n_of[RECORD_N_ACTIONS] = {0}, n_subjects = 0, n_entries = 0;
        char line[1024];

        ck_assert_msg(f, "no catalog: $WHODUNLINK_CATALOG is %s", path ? path : "unset");
        while (fgets(line, sizeof(line), f)) {
                bool is_known = false;

                n_subjects += strncmp(line, "Subject: ", 9) == 0;
                if (strncmp(line, "-- ", 3) != 0)
                        continue;
                n_entries++;
                ck_assert_uint_eq(n_subjects, n_entries - 1);
                for (RecordAction a = 0; a < RECORD_N_ACTIONS; a++) {
                        bool is_this = strncmp(line + 3, message_id_of(a), 32) == 0;

                        n_of[a] += is_this;
                        is_known |= is_this && line[35] == '\n';
                }
                ck_assert_msg(is_known, "nothing has the id of: %s", line);
        }
        ck_assert_uint_eq(n_subjects, n_entries);
        for (RecordAction a = 0; a < RECORD_N_ACTIONS; a++)
                ck_assert_msg(n_of[a] == 1, "%s stands %zu times in it", record_action_to_string(a),
                              n_of[a]);
}
END_TEST

int main(void) {
        TCase *tcase = tcase_create("message_id");

        tcase_add_test(tcase, test_each_its_own);
        tcase_add_test(tcase, test_catalog);
        return unit_run("message_id", tcase);
}
