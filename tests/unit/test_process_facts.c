/* SPDX-License-Identifier: MIT */

/* One set of facts: its own copies, counted references, the whole name. */

#include "identify/process_facts.h"

#include <string.h>

#include "base/cleanup.h"
#include "fixtures_deleter.h"
#include "unit.h"

START_TEST(test_copies) {
        char executable[] = "/bin/x", directory[] = "/tmp", cgroup[] = "/a.slice", args[] = "x\0-y",
             title[] = "x: idle";
        ProcessFactsParts p = {
                .facts = {.comm = "x", .login_uid = 5, .ppid = 7, .is_args_cut = true},
                .executable = executable,
                .n_executable = 6,
                .working_directory = directory,
                .n_working_directory = 4,
                .cgroup = cgroup,
                .n_cgroup = 8,
                .args = args,
                .n_args_bytes = sizeof(args),
                .title = title,
                .n_title = 7,
        };
        ProcessFacts *f = process_facts_new(&p);

        memset(executable, '#', sizeof(executable));
        memset(directory, '#', sizeof(directory));
        memset(cgroup, '#', sizeof(cgroup));
        memset(args, '#', sizeof(args));
        memset(title, '#', sizeof(title));
        memset(&p, 0, sizeof(p));
        ck_assert_str_eq(f->comm, "x");
        ck_assert_str_eq(f->name, "x");
        ck_assert_uint_eq(f->login_uid, 5);
        ck_assert_int_eq(f->ppid, 7);
        ck_assert(f->is_args_cut);
        ck_assert_str_eq(f->executable, "/bin/x");
        ck_assert_str_eq(f->working_directory, "/tmp");
        ck_assert_str_eq(f->cgroup, "/a.slice");
        ck_assert_uint_eq(f->n_args_bytes, 5);
        ck_assert_mem_eq(f->args, "x\0-y\0", 6);
        ck_assert_str_eq(f->title, "x: idle");
        process_facts_unref(f);
}
END_TEST

/* The parts are counted, not terminated; what is NULL is unknown, what is empty is not. */
START_TEST(test_lengths) {
        ProcessFactsParts p = {.executable = "/bin/xyz", .n_executable = 6, .cgroup = ""};
        ProcessFacts *f = process_facts_new(&p);

        ck_assert_str_eq(f->executable, "/bin/x");
        ck_assert_ptr_null(f->working_directory);
        ck_assert_str_eq(f->cgroup, "");
        ck_assert_ptr_null(f->args);
        ck_assert_ptr_null(f->name);
        ck_assert_uint_eq(f->n_args_bytes, 0);
        process_facts_unref(f);
        /* A length without bytes counts for nothing. */
        p = (ProcessFactsParts){.n_args_bytes = 8};
        f = process_facts_new(&p);
        ck_assert_uint_eq(f->n_args_bytes, 0);
        process_facts_unref(f);
}
END_TEST

/* Not terminated, as a process can leave its arguments. */
START_TEST(test_args_without_end) {
        char *args = malloc(3);
        ProcessFactsParts p = {
                .facts = {.comm = "123456789012345"}, .args = args, .n_args_bytes = 3};
        ProcessFacts *f;

        memcpy(args, "a\0b", 3);
        f = process_facts_new(&p);
        free(args);
        ck_assert_uint_eq(f->n_args_bytes, 3);
        ck_assert_mem_eq(f->args, "a\0b\0", 4);
        process_facts_unref(f);
}
END_TEST

START_TEST(test_parts) {
        ProcessFactsParts p = fixture_parts(), again;
        ProcessFacts *f, *g;

        p.working_directory = "/tmp";
        p.n_working_directory = 4;
        p.title = "idle";
        p.n_title = 4;
        f = process_facts_new(&p);
        again = process_facts_parts(f);
        strcpy(again.facts.comm, "other");
        again.executable = NULL;
        g = process_facts_new(&again);
        process_facts_unref(f);
        ck_assert_str_eq(g->comm, "other");
        ck_assert_str_eq(g->name, "other");
        ck_assert_ptr_null(g->executable);
        ck_assert_str_eq(g->working_directory, "/tmp");
        ck_assert_str_eq(g->cgroup, p.cgroup);
        ck_assert_str_eq(g->title, "idle");
        ck_assert_uint_eq(g->n_args_bytes, p.n_args_bytes);
        ck_assert_mem_eq(g->args, p.args, p.n_args_bytes);
        ck_assert_uint_eq(g->login_uid, 1000);
        process_facts_unref(g);

        p = (ProcessFactsParts){0};
        f = process_facts_new(&p);
        again = process_facts_parts(f);
        ck_assert_ptr_null(again.executable);
        ck_assert_uint_eq(again.n_executable + again.n_cgroup + again.n_args_bytes, 0);
        process_facts_unref(f);
}
END_TEST

START_TEST(test_references) {
        ProcessFactsParts p = fixture_parts();
        ProcessFacts *f = process_facts_new(&p);
        _cleanup_process_facts_ ProcessFacts *g = process_facts_ref(f);

        ck_assert_ptr_eq(f, g);
        ck_assert_ptr_null(process_facts_unref(f));
        ck_assert_str_eq(g->comm, "rm");
        ck_assert_ptr_null(process_facts_ref(NULL));
        ck_assert_ptr_null(process_facts_unref(NULL));
}
END_TEST

typedef struct Name {
        const char *comm, *executable, *args;
        size_t n_args;
        const char *name;
} Name;

#define ARGS(x) x, sizeof(x)

static const Name whole_names[] = {
        {"rm", "/usr/bin/rmdir", ARGS("rmx"), "rm"},
        {"systemd-tmpfile", "/usr/bin/systemd-tmpfiles", ARGS("x"), "systemd-tmpfiles"},
        {"systemd-tmpfile", NULL, NULL, 0, "systemd-tmpfile"},
        {"systemd-tmpfile", "/usr/bin/other", ARGS("other"), "systemd-tmpfile"},
        {"systemd-tmpfile", "/usr/bin/x", ARGS("/bin/systemd-tmpfiles\0--clean"),
         "systemd-tmpfiles"},
        {"clean-everythin", "/usr/bin/python3", ARGS("python3\0/opt/clean-everything.py\0x"),
         "clean-everything.py"},
        {"clean-everythin", "/usr/bin/python3", ARGS("python3\0-u\0/opt/clean-everything.py"),
         "clean-everythin"},
        {"123456789012345", "123456789012345", ARGS(""), "123456789012345"},
        {"", "/usr/bin/rm", ARGS("rm"), NULL},
};

START_TEST(test_whole_name) {
        const Name *n = &whole_names[_i];
        ProcessFactsParts p = {0};
        ProcessFacts *f;

        strcpy(p.facts.comm, n->comm);
        fixture_set_executable(&p, n->executable);
        fixture_set_args(&p, n->args, n->n_args);
        f = process_facts_new(&p);
        if (n->name)
                ck_assert_str_eq(f->name, n->name);
        else
                ck_assert_ptr_null(f->name);
        process_facts_unref(f);
}
END_TEST

START_TEST(test_is_in_container) {
        static const struct {
                const char *cgroup;
                bool is_in_pid_namespace, is_in_container;
        } cases[] = {
                {NULL, false, false},
                {NULL, true, true},
                {"/system.slice/cron.service", false, false},
                {"/system.slice/cron.service", true, true},
                {"/lxc.payload.web", false, true},
        };
        ProcessFactsParts p = {.facts = {.is_in_pid_namespace = cases[_i].is_in_pid_namespace}};
        ProcessFacts *f;

        p.cgroup = cases[_i].cgroup;
        p.n_cgroup = p.cgroup ? strlen(p.cgroup) : 0;
        f = process_facts_new(&p);
        ck_assert_ptr_nonnull(f);
        ck_assert_int_eq(process_facts_is_in_container(f), cases[_i].is_in_container);
        process_facts_unref(f);
}
END_TEST

int main(void) {
        TCase *tcase = tcase_create("process_facts");

        tcase_add_test(tcase, test_copies);
        tcase_add_test(tcase, test_lengths);
        tcase_add_test(tcase, test_args_without_end);
        tcase_add_test(tcase, test_parts);
        tcase_add_test(tcase, test_references);
        tcase_add_loop_test(tcase, test_whole_name, 0,
                            sizeof(whole_names) / sizeof(whole_names[0]));
        tcase_add_loop_test(tcase, test_is_in_container, 0, 5);
        return unit_run("process_facts", tcase);
}
