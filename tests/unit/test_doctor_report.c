/* SPDX-License-Identifier: MIT */

/* What the doctor says, as text and as JSON, and when all is well. */

#include "command/doctor_report.h"

#include <json-c/json.h>

#include "base/cleanup.h"
#include "unit.h"

START_TEST(test_text) {
        _cleanup_doctor_report_ DoctorReport r = {0};
        _cleanup_buffer_ Buffer b = {0};

        doctor_report_add(&r, DOCTOR_OK, "kernel", "Linux 6.18", NULL);
        doctor_report_add(&r, DOCTOR_NOTE, "journal", "it drops", "do not use it");
        doctor_report_append_text(&r, false, &b);
        ck_assert_str_eq(buffer_terminate(&b), "ok       kernel: Linux 6.18\n"
                                               "note     journal: it drops\n"
                                               "         → do not use it\n"
                                               "all is well\n");
        doctor_report_add(&r, DOCTOR_MISSING, "kernel", "x", NULL);
        doctor_report_add(&r, DOCTOR_CANNOT, "filesystem", "y", "z");
        buffer_clear(&b);
        doctor_report_append_text(&r, false, &b);
        ck_assert_str_eq(buffer_terminate(&b), "ok       kernel: Linux 6.18\n"
                                               "note     journal: it drops\n"
                                               "         → do not use it\n"
                                               "missing  kernel: x\n"
                                               "cannot   filesystem: y\n"
                                               "         → z\n"
                                               "1 cannot be done, 1 missing\n");
}
END_TEST

START_TEST(test_colors) {
        _cleanup_doctor_report_ DoctorReport r = {0};
        _cleanup_buffer_ Buffer b = {0};

        doctor_report_add(&r, DOCTOR_OK, "a", "b", NULL);
        doctor_report_add(&r, DOCTOR_CANNOT, "c", "d", NULL);
        doctor_report_append_text(&r, true, &b);
        ck_assert_str_eq(buffer_terminate(&b), "ok       a: b\n"
                                               "\033[1;31mcannot\033[0m   c: d\n"
                                               "1 cannot be done\n");
}
END_TEST

START_TEST(test_well) {
        static const struct {
                DoctorMark mark;
                bool is_well;
        } cases[] = {{DOCTOR_OK, true},
                     {DOCTOR_NOTE, true},
                     {DOCTOR_MISSING, false},
                     {DOCTOR_CANNOT, false}};
        _cleanup_doctor_report_ DoctorReport r = {0};

        ck_assert(doctor_report_is_well(&r));
        doctor_report_add(&r, DOCTOR_OK, "a", "b", NULL);
        doctor_report_add(&r, cases[_i].mark, "a", "b", NULL);
        ck_assert_int_eq(doctor_report_is_well(&r), cases[_i].is_well);
        r.is_failed = true;
        ck_assert(!doctor_report_is_well(&r));
}
END_TEST

static const char *string_of(json_object *o, const char *key) {
        json_object *value = NULL;

        return json_object_object_get_ex(o, key, &value) ? json_object_get_string(value) : NULL;
}

START_TEST(test_json) {
        _cleanup_doctor_report_ DoctorReport r = {0};
        _cleanup_buffer_ Buffer b = {0};
        json_object *report, *checks, *check;

        doctor_report_add(&r, DOCTOR_OK, "kernel", "a \"b\"\n", NULL);
        doctor_report_add(&r, DOCTOR_MISSING, "limits", "c", "d");
        doctor_report_append_json(&r, &b);
        report = json_tokener_parse(buffer_terminate(&b));
        ck_assert_ptr_nonnull(report);
        ck_assert_str_eq(string_of(report, "is_well"), "false");
        ck_assert_str_eq(string_of(report, "version"), PROJECT_VERSION);
        ck_assert(json_object_object_get_ex(report, "checks", &checks));
        ck_assert_uint_eq(json_object_array_length(checks), 2);
        check = json_object_array_get_idx(checks, 0);
        ck_assert_str_eq(string_of(check, "result"), "ok");
        ck_assert_str_eq(string_of(check, "what"), "a \"b\"\n");
        ck_assert_ptr_null(string_of(check, "advice"));
        check = json_object_array_get_idx(checks, 1);
        ck_assert_str_eq(string_of(check, "result"), "missing");
        ck_assert_str_eq(string_of(check, "topic"), "limits");
        ck_assert_str_eq(string_of(check, "advice"), "d");
        json_object_put(report);
        ck_assert_int_eq(b.bytes[b.n_bytes - 1], '\n');
}
END_TEST

int main(void) {
        TCase *tcase = tcase_create("doctor_report");

        tcase_add_test(tcase, test_text);
        tcase_add_test(tcase, test_colors);
        tcase_add_loop_test(tcase, test_well, 0, 4);
        tcase_add_test(tcase, test_json);
        return unit_run("doctor_report", tcase);
}
