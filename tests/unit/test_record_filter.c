/* SPDX-License-Identifier: MIT */

/* Each filter alone, with facts known and unknown, and all together. */

#include "record/record_filter.h"

#include <limits.h>

#include "fixtures_deleter.h"

static Deleter *full, *bare;
static Record record;

static void setup(void) {
        static const char *const chain[] = {"find", "sh", "systemd", NULL};
        ProcessFactsParts parts = fixture_parts();

        full = fixture_deleter(1, ATTRIBUTION_LIVE, 1, &parts, chain);
        bare = fixture_deleter(2, ATTRIBUTION_PID_ONLY, 0, NULL, NULL);
        record = (Record){
                .action = RECORD_UNLINK,
                .path = {.directory = "/tmp/a", .n_directory = 6, .name = "x.o+", .n_name = 3},
                .deleter = full,
        };
}

static void teardown(void) {
        full = deleter_unref(full);
        bare = deleter_unref(bare);
}

static bool passes(RecordFilter f) {
        return record_filter_passes(&f, &record);
}

/* Each glob as the only one of its list. */
static bool includes(const char *glob) {
        char *globs[] = {(char *)(uintptr_t)glob};

        return passes((RecordFilter){.includes = globs, .n_includes = 1});
}

static bool excludes(const char *glob) {
        char *globs[] = {(char *)(uintptr_t)glob};

        return !passes((RecordFilter){.excludes = globs, .n_excludes = 1});
}

START_TEST(test_empty_passes_all) {
        ck_assert(passes((RecordFilter){0}));
        record.deleter = NULL;
        record.path = (RecordPath){0};
        ck_assert(passes((RecordFilter){0}));
}
END_TEST

START_TEST(test_actions) {
        for (RecordAction want = RECORD_UNLINK; want <= RECORD_MOVE; want++) {
                for (RecordAction is = RECORD_UNLINK; is <= RECORD_MOVE; is++) {
                        record.action = is;
                        ck_assert_int_eq(passes((RecordFilter){.actions = 1U << want}), want == is);
                }
        }
        for (RecordAction news = RECORD_START; news <= RECORD_COVERAGE; news++) {
                record.action = news;
                ck_assert(passes((RecordFilter){.actions = 1U << RECORD_UNLINK}));
        }
}
END_TEST

START_TEST(test_paths) {
        ck_assert(includes("*.o") && includes("/tmp/**") && includes("/tmp/a/x.o"));
        ck_assert(!includes("*.c") && !includes("/tmp/*") && !includes("/tmp/a/x.o+"));
        ck_assert(excludes("*.o") && excludes("a/*") && !excludes("*.c"));

        record.path = (RecordPath){.directory = "/", .n_directory = 1, .name = "x", .n_name = 1};
        ck_assert(includes("/x") && !includes("/*/x"));
}
END_TEST

START_TEST(test_lists_are_alternatives) {
        char no[] = "*.c", yes[] = "*.o";
        char *globs[] = {no, yes};

        ck_assert(passes((RecordFilter){.includes = globs, .n_includes = 2}));
        ck_assert(!passes((RecordFilter){.excludes = globs, .n_excludes = 2}));
        ck_assert(!passes((RecordFilter){
                .includes = globs, .n_includes = 2, .excludes = globs + 1, .n_excludes = 1}));
}
END_TEST

START_TEST(test_move_either_path) {
        record.new_path = (RecordPath){
                .directory = "/trash", .n_directory = 6, .name = "x.gone", .n_name = 6};
        ck_assert(!includes("/trash/*"));
        record.action = RECORD_MOVE;
        ck_assert(includes("/trash/*") && includes("/tmp/**") && !includes("/var/**"));
        ck_assert(!excludes("/trash/*") && excludes("/tmp/**"));
        record.new_path = (RecordPath){0};
        ck_assert(!includes("/trash/*") && includes("/tmp/**"));
}
END_TEST

START_TEST(test_unknown_directory) {
        record.path.directory = NULL;
        ck_assert(includes("*.o") && excludes("*.o"));
        ck_assert(includes("x.o/") && !includes("a/*"));
        ck_assert(!includes("/**") && !includes("/x.o") && !excludes("/x.o") && !excludes("/**"));
        record.path.name = NULL;
        ck_assert(!includes("*") && !excludes("*"));
}
END_TEST

START_TEST(test_long_path) {
        static char directory[3 * PATH_MAX];

        memset(directory, 'd', sizeof(directory));
        for (size_t i = 0; i < sizeof(directory); i += 200)
                directory[i] = '/';
        record.path.directory = directory;
        record.path.n_directory = sizeof(directory);
        ck_assert(includes("*.o") && includes("/d*/**/x.o") && !includes("/tmp/**"));
}
END_TEST

START_TEST(test_process) {
        char rm[] = "r?", usr[] = "/usr/**", cat[] = "cat";
        char *comms[] = {cat, rm}, *exes[] = {cat, usr};
        uid_t uids[] = {1000, 0};
        const RecordFilter all = {
                .comms = comms,
                .n_comms = 2,
                .executables = exes,
                .n_executables = 2,
                .uids = uids,
                .n_uids = 2,
        };

        ck_assert(passes(all));
        ck_assert(!passes((RecordFilter){.comms = comms, .n_comms = 1}));
        ck_assert(!passes((RecordFilter){.executables = exes, .n_executables = 1}));
        ck_assert(!passes((RecordFilter){.uids = uids, .n_uids = 1}));

        for (int i = 0; i < 2; i++) {
                record.deleter = i == 0 ? bare : NULL;
                ck_assert(!passes((RecordFilter){.comms = comms, .n_comms = 2}));
                ck_assert(!passes((RecordFilter){.executables = exes, .n_executables = 2}));
                ck_assert(!passes((RecordFilter){.uids = uids, .n_uids = 2}));
        }
}
END_TEST

/* Facts without a name, a program or ids: "*" is a question too. */
START_TEST(test_process_partly_known) {
        char star[] = "*";
        char *any[] = {star};
        uid_t uids[] = {0};
        ProcessFactsParts parts = {0};
        Deleter *d = fixture_deleter(3, ATTRIBUTION_EXIT, 3, &parts, NULL);

        record.deleter = d;
        ck_assert(!passes((RecordFilter){.comms = any, .n_comms = 1}));
        ck_assert(!passes((RecordFilter){.executables = any, .n_executables = 1}));
        ck_assert(!passes((RecordFilter){.uids = uids, .n_uids = 1}));
        deleter_unref(d);
}
END_TEST

START_TEST(test_pids) {
        pid_t self[] = {4711}, parent[] = {100}, init[] = {9, 1}, other[] = {4712};

        ck_assert(passes((RecordFilter){.pids = self, .n_pids = 1}));
        ck_assert(!passes((RecordFilter){.pids = other, .n_pids = 1}));
        ck_assert(!passes((RecordFilter){.pids = parent, .n_pids = 1}));
        ck_assert(passes((RecordFilter){.pids = parent, .n_pids = 1, .has_descendants = true}));
        ck_assert(passes((RecordFilter){.pids = init, .n_pids = 2, .has_descendants = true}));
        ck_assert(!passes((RecordFilter){.pids = other, .n_pids = 1, .has_descendants = true}));
        record.deleter = bare;
        ck_assert(passes((RecordFilter){.pids = self, .n_pids = 1}));
        record.deleter = NULL;
        ck_assert(!passes((RecordFilter){.pids = self, .n_pids = 1}));
}
END_TEST

int main(void) {
        TCase *t = tcase_create("record_filter");

        tcase_add_checked_fixture(t, setup, teardown);
        tcase_add_test(t, test_empty_passes_all);
        tcase_add_test(t, test_actions);
        tcase_add_test(t, test_paths);
        tcase_add_test(t, test_lists_are_alternatives);
        tcase_add_test(t, test_move_either_path);
        tcase_add_test(t, test_unknown_directory);
        tcase_add_test(t, test_long_path);
        tcase_add_test(t, test_process);
        tcase_add_test(t, test_process_partly_known);
        tcase_add_test(t, test_pids);
        return unit_run("record_filter", t);
}
