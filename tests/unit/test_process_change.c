/* SPDX-License-Identifier: MIT */

/* Each event changes its own fact and no other. */

#include "identify/process_change.h"

#include <string.h>

#include "fixtures_deleter.h"
#include "unit.h"

static ProcessFacts *before, *after;

static void setup(void) {
        ProcessFactsParts p = fixture_parts();

        p.facts.has_ids = true;
        p.facts.ids = (ProcIds){1, 2, 3, 4};
        p.facts.session = 9;
        p.facts.vpid = 5;
        p.facts.program.inode = 6;
        p.facts.start_ticks = 7;
        p.title = "rm: busy";
        p.n_title = 8;
        before = process_facts_new(&p);
}

static void teardown(void) {
        before = process_facts_unref(before);
        after = process_facts_unref(after);
}

static void change(ProcEvent e) {
        ck_assert(process_change_is(&e));
        after = process_change_make(before, &e);
        ck_assert_str_eq(after->executable, before->executable);
        ck_assert_str_eq(after->cgroup, before->cgroup);
        ck_assert_str_eq(after->title, before->title);
        ck_assert_int_eq(after->vpid, before->vpid);
}

START_TEST(test_uid) {
        change((ProcEvent){.type = PROC_EVENT_TYPE_UID, .real_id = 11, .effective_id = 12});
        ck_assert_mem_eq(&after->ids, (&(ProcIds){11, 12, 3, 4}), sizeof(ProcIds));
        ck_assert_int_eq(after->session, 9);
        ck_assert_str_eq(after->comm, before->comm);
}
END_TEST

START_TEST(test_gid) {
        change((ProcEvent){.type = PROC_EVENT_TYPE_GID, .real_id = 13, .effective_id = 14});
        ck_assert_mem_eq(&after->ids, (&(ProcIds){1, 2, 13, 14}), sizeof(ProcIds));
}
END_TEST

START_TEST(test_sid) {
        change((ProcEvent){.type = PROC_EVENT_TYPE_SID, .pid = 4711});
        ck_assert_int_eq(after->session, 4711);
        ck_assert_mem_eq(&after->ids, &before->ids, sizeof(ProcIds));
}
END_TEST

START_TEST(test_comm) {
        change((ProcEvent){.type = PROC_EVENT_TYPE_COMM, .comm = "0123456789abcdef"});
        ck_assert_str_eq(after->comm, "0123456789abcdef");
        ck_assert_int_eq(after->session, 9);
}
END_TEST

START_TEST(test_other_events) {
        static const ProcEventType others[] = {PROC_EVENT_TYPE_OTHER, PROC_EVENT_TYPE_FORK,
                                               PROC_EVENT_TYPE_EXEC, PROC_EVENT_TYPE_EXIT};

        for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
                ck_assert(!process_change_is(&(ProcEvent){.type = others[i]}));
}
END_TEST

/* Nothing of another program is kept, all of the process is. */
START_TEST(test_program) {
        after = process_change_program(before);
        ck_assert_ptr_null(after->name);
        ck_assert_str_eq(after->comm, "");
        ck_assert_ptr_null(after->executable);
        ck_assert_ptr_null(after->args);
        ck_assert_ptr_null(after->title);
        ck_assert_int_eq(after->vpid, 0);
        ck_assert_uint_eq(after->program.inode, 0);
        ck_assert_uint_eq(after->start_ticks, 0);
        ck_assert_mem_eq(&after->ids, &before->ids, sizeof(ProcIds));
        ck_assert_str_eq(after->cgroup, before->cgroup);
        ck_assert_int_eq(after->session, 9);
        process_facts_unref(after);
        after = process_change_program(NULL);
        ck_assert_uint_eq(after->login_uid, PROCESS_ID_UNSET);
        ck_assert(!after->has_ids);
}
END_TEST

/* What a manager has forked is put elsewhere before it executes anything. */
START_TEST(test_program_of_manager) {
        ProcessFactsParts p = process_facts_parts(before);
        ProcessFacts *manager;

        p.cgroup = "/init.scope";
        p.n_cgroup = strlen(p.cgroup);
        strcpy(p.facts.invocation_id, "00112233445566778899aabbccddeeff");
        manager = process_facts_new(&p);
        after = process_change_program(manager);
        process_facts_unref(manager);
        ck_assert_ptr_null(after->cgroup);
        ck_assert_str_eq(after->invocation_id, "");
        ck_assert_int_eq(after->session, 9);
}
END_TEST

int main(void) {
        TCase *tcase = tcase_create("process_change");

        tcase_add_checked_fixture(tcase, setup, teardown);
        tcase_add_test(tcase, test_uid);
        tcase_add_test(tcase, test_gid);
        tcase_add_test(tcase, test_sid);
        tcase_add_test(tcase, test_comm);
        tcase_add_test(tcase, test_other_events);
        tcase_add_test(tcase, test_program);
        tcase_add_test(tcase, test_program_of_manager);
        return unit_run("process_change", tcase);
}
