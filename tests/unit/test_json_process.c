/* SPDX-License-Identifier: MIT */

/* What is the deleter's own, who leads it, and whose names its users have. */

#include "fixtures_record_json.h"

static const char *const chain[] = {"sh", "cron", "init", NULL};

/* Renders an unlink by these parts. */
static void render(Attribution attribution, const ProcessFactsParts *parts) {
        Deleter *d = fixture_deleter(1, attribution, 1, parts, chain);
        Record r = record_of(RECORD_UNLINK, d);

        setup_again();
        append(&r);
        deleter_unref(d);
}

static void set_title(ProcessFactsParts *p, const char *title) {
        p->title = title;
        p->n_title = strlen(title);
}

/* The facts of one that never executed a program are its parent's. */
START_TEST(test_own) {
        ProcessFactsParts p = fixture_parts();

        p.facts.vpid = 12;
        set_title(&p, "rm: \xff");
        render(ATTRIBUTION_EXEC, &p);
        ck_assert_int_eq(json_object_get_int(get("process.vpid")), 12);
        expect_text("process.title", "rm: \xef\xbf\xbd");
        expect_text("process.title_raw", "cm06IP8=");
        render(ATTRIBUTION_FORK, &p);
        ck_assert_ptr_null(get("process.vpid"));
        expect_text("process.title", NULL);

        p.facts.vpid = 0;
        set_title(&p, "rm");
        render(ATTRIBUTION_EXEC, &p);
        ck_assert_ptr_null(get("process.vpid"));
        expect_text("process.title", NULL);
}
END_TEST

START_TEST(test_executable_deleted) {
        ProcessFactsParts p = fixture_parts();

        render(ATTRIBUTION_EXEC, &p);
        ck_assert_ptr_null(get("whodunlink.executable_deleted"));
        p.facts.is_executable_deleted = true;
        render(ATTRIBUTION_EXEC, &p);
        ck_assert(json_object_get_boolean(get("whodunlink.executable_deleted")));
}
END_TEST

START_TEST(test_leaders) {
        ProcessFactsParts p = fixture_parts();

        render(ATTRIBUTION_EXEC, &p);
        ck_assert_ptr_null(get("process.session_leader"));
        ck_assert_int_eq(json_object_get_int(get("process.entry_leader.pid")), 100);
        expect_text("process.entry_leader.name", "sh");
        expect_text("process.entry_leader.entry_meta.type", "cron");
        p.facts.session = 4711;
        render(ATTRIBUTION_EXEC, &p);
        ck_assert_int_eq(json_object_get_int(get("process.session_leader.pid")), 4711);
        expect_text("process.session_leader.name", "rm");
        expect_text("process.session_leader.executable", "/usr/bin/rm");
        ck_assert_ptr_null(get("process.session_leader.args"));
        p.facts.session = 5;
        render(ATTRIBUTION_EXEC, &p);
        ck_assert_ptr_null(get("process.session_leader"));
}
END_TEST

/* An exit record has the real user only; the effective one may have been another. */
START_TEST(test_real_user_only) {
        ProcessFactsParts p = fixture_parts();

        p.facts.has_ids = false;
        p.facts.has_real_ids = true;
        p.facts.ids = (ProcIds){.real_uid = 4321};
        render(ATTRIBUTION_EXIT, &p);
        expect_text("process.real_user.id", "4321");
        ck_assert_ptr_null(get("process.user"));
        ck_assert_ptr_null(get("process.group"));
        ck_assert_ptr_null(get("user.id"));
}
END_TEST

/* In a container 0 and 1000 are others than here. */
START_TEST(test_users_of_containers) {
        static const char docker[] =
                "/docker/4f1ec6e0f9f4b1a5c1f0d5a3e8b7a6958473625140392817065f4e3d2c1b0a99";
        ProcessFactsParts p = fixture_parts();

        p.facts.ids = (ProcIds){1000, 0, 1000, 0};
        p.facts.is_in_pid_namespace = _i == 1;
        fixture_set_cgroup(&p, _i == 1 ? NULL : _i == 2 ? docker : "/");
        render(ATTRIBUTION_EXEC, &p);
        expect_text("process.user.id", "0");
        expect_text("process.real_user.id", "1000");
        expect_text("process.group.id", "0");
        expect_text("user.id", "0");
        expect_text("user.audit.id", "1000");
        expect_text("process.user.name", _i == 0 ? "root" : NULL);
        expect_text("process.real_user.name", _i == 0 ? "alice" : NULL);
        expect_text("process.group.name", _i == 0 ? "wheel" : NULL);
        expect_text("user.name", _i == 0 ? "root" : NULL);
        expect_text("user.audit.name", _i == 0 ? "alice" : NULL);
        expect_text("message", _i == 0 ? "rm (pid 4711, root) removed /tmp/x.txt"
                                       : "rm (pid 4711, uid 0 in a container) removed /tmp/x.txt");
}
END_TEST

/* What was rendered without a name is rendered again when the name has come. */
START_TEST(test_late_names) {
        ProcessFactsParts p = fixture_parts();
        Deleter *d;
        Record r;

        p.facts.ids = (ProcIds){1000, 0, 1000, 0};
        d = fixture_deleter(1, ATTRIBUTION_EXEC, 1, &p, chain);
        r = record_of(RECORD_UNLINK, d);
        json = record_json_free(json);
        names = user_names_free(names);
        name_delay_usec = 100000;
        ck_assert_int_eq(user_names_new(&names), 0);
        ck_assert_int_eq(record_json_new(&host, names, &json), 0);
        append(&r);
        expect_text("user.id", "0");
        expect_text("user.name", NULL);
        expect_text("message", "rm (pid 4711, uid 0) removed /tmp/x.txt");
        for (int i = 0; i < 10000 && !get("user.audit.name"); i++) {
                usleep(1000);
                append(&r);
        }
        expect_text("user.name", "root");
        expect_text("process.user.name", "root");
        expect_text("process.real_user.name", "alice");
        expect_text("process.group.name", "wheel");
        expect_text("user.audit.name", "alice");
        expect_text("message", "rm (pid 4711, root) removed /tmp/x.txt");
        name_delay_usec = 0;
        deleter_unref(d);
}
END_TEST

int main(void) {
        TCase *t = tcase_create("json_process");

        tcase_add_checked_fixture(t, setup, teardown);
        tcase_add_test(t, test_own);
        tcase_add_test(t, test_executable_deleted);
        tcase_add_test(t, test_real_user_only);
        tcase_add_test(t, test_leaders);
        tcase_add_loop_test(t, test_users_of_containers, 0, 3);
        tcase_add_test(t, test_late_names);
        return unit_run("json_process", t);
}
