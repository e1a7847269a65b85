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
        for (RecordAction want = RECORD_UNLINK; want <= RECORD_OVERWRITE; want++) {
                for (RecordAction is = RECORD_UNLINK; is <= RECORD_OVERWRITE; is++) {
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

/* What is told of a rename that destroys something, and as what. */
START_TEST(test_overwrites) {
        const unsigned move = 1U << RECORD_MOVE, overwrite = 1U << RECORD_OVERWRITE;

        record.action = RECORD_OVERWRITE;
        ck_assert(!passes((RecordFilter){.has_no_overwrites = true}));
        ck_assert(!passes((RecordFilter){.has_no_overwrites = true, .actions = move}));
        ck_assert(record_filter_has_moves_only(&(RecordFilter){.actions = move}));
        ck_assert(!record_filter_has_moves_only(&(RecordFilter){.actions = move | overwrite}));
        ck_assert(!record_filter_has_moves_only(&(RecordFilter){0}));
        ck_assert(!record_filter_has_moves_only(
                &(RecordFilter){.actions = move, .has_no_overwrites = true}));
        record.action = RECORD_MOVE;
        ck_assert(passes((RecordFilter){.has_no_overwrites = true}));
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
        record.action = RECORD_OVERWRITE;
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

/* Each glob as the only one of its list, asked about a process in this control group. */
static bool passes_cgroup(const char *cgroup, RecordFilter f) {
        ProcessFactsParts parts = fixture_parts();
        Deleter *d, *before = (Deleter *)(uintptr_t)record.deleter;
        bool is_passed;

        fixture_set_cgroup(&parts, cgroup);
        record.deleter = d = fixture_deleter(4, ATTRIBUTION_LIVE, 4, &parts, NULL);
        is_passed = passes(f);
        deleter_unref(d);
        record.deleter = before;
        return is_passed;
}

static bool has_unit(const char *cgroup, const char *glob) {
        char *globs[] = {(char *)(uintptr_t)glob};

        return passes_cgroup(cgroup, (RecordFilter){.units = globs, .n_units = 1});
}

static bool has_container(const char *cgroup, const char *glob) {
        char *globs[] = {(char *)(uintptr_t)glob};

        return passes_cgroup(cgroup, (RecordFilter){.containers = globs, .n_containers = 1});
}

#define USER_SERVICE "/user.slice/user-1000.slice/user@1000.service"

START_TEST(test_units) {
        const char *cron = "/system.slice/cron.service";
        const char *user = USER_SERVICE "/app.slice/app-foo\\x2dbar.service";
        const char *disk = "/system.slice/system-getty.slice/a\\x2fb@c\\x2dd.mount";

        ck_assert(has_unit(cron, "cron.service") && has_unit(cron, "c*") && has_unit(cron, "*"));
        ck_assert(!has_unit(cron, "cron") && !has_unit(cron, "ron.service"));
        ck_assert(!has_unit(cron, "system.slice"));

        /* The system unit and the user unit. */
        ck_assert(has_unit(user, "user@1000.service") && has_unit(user, "user@*"));
        ck_assert(has_unit(user, "app-foo-bar.service") && !has_unit(user, "app.slice"));
        /* Escaped as systemctl shows it; a backslash of a glob is doubled. */
        ck_assert(has_unit(user, "app-foo\\\\x2dbar.service"));
        ck_assert(has_unit(user, "app-foo\\\\x2d*") && !has_unit(user, "app-foo\\x2dbar.service"));
        /* A name is no path: '*' goes over a slash. */
        ck_assert(has_unit(disk, "a/b@c-d.mount") && has_unit(disk, "a*d.mount"));

        ck_assert(!has_unit("/system.slice", "*") && !has_unit("/", "*") && !has_unit("", "*"));
        ck_assert(!has_unit(NULL, "*"));
}
END_TEST

/* What cannot be unescaped is asked about as it is. */
START_TEST(test_unit_hostile) {
        char name[400] = "/system.slice/";

        ck_assert(has_unit("/a\\x.service", "a\\\\x.service") && has_unit("/a\\x.service", "a*"));
        ck_assert(!has_unit("/a\\x.service", "ax.service"));
        memset(name + strlen(name), 'n', sizeof(name) - strlen(name) - 1);
        memcpy(name + sizeof(name) - 1 - strlen(".service"), ".service", strlen(".service"));
        ck_assert(!has_unit(name, "*"));
}
END_TEST

#define ID "3f2a9c51e0d7b8c6a4f1e2d3c4b5a6978899aabbccddeeff0011223344556677"

START_TEST(test_containers) {
        const char *docker = "/docker/" ID, *podman = "/machine.slice/libpod-" ID ".scope";
        const char *nspawn = "/machine.slice/systemd-nspawn@web\\x2dcafe.service/payload";
        const char *lxc = "/lxc.payload.cafe/system.slice/x.service";
        const char *number = "/lxc/101/ns";

        ck_assert(has_container(docker, ID) && has_container(podman, ID));
        ck_assert(has_container(docker, "3f2a9c51e0d7") && has_container(podman, "3f2a"));
        ck_assert(has_container(docker, "3f2*") && has_container(docker, "*"));
        /* Too few digits, others, more than there are, not from the start. */
        ck_assert(!has_container(docker, "3f2") && !has_container(docker, "3f2b"));
        ck_assert(!has_container(docker, ID "0") && !has_container(docker, "2a9c51e0d7"));
        ck_assert(!has_container(docker, "3F2A9C51E0D7"));

        /* A machine's name, whole; nor is it an id that could be shortened. */
        ck_assert(has_container(nspawn, "web-cafe") && has_container(nspawn, "web\\\\x2dcafe"));
        ck_assert(has_container(nspawn, "web-*") && !has_container(nspawn, "web"));
        ck_assert(has_container(lxc, "cafe") && has_container(number, "101"));
        ck_assert(!has_container("/lxc.payload.cafe1/x", "cafe"));

        ck_assert(!has_container("/system.slice/docker.service", "*"));
        ck_assert(!has_container("/", "*") && !has_container(NULL, "*"));
}
END_TEST

START_TEST(test_units_and_containers_are_alternatives) {
        char cron[] = "cron.service", no[] = "no", id[] = "3f2a";
        char *units[] = {no, cron}, *containers[] = {no, id};
        const RecordFilter u = {.units = units, .n_units = 2};
        const RecordFilter c = {.containers = containers, .n_containers = 2};
        RecordFilter both = u;

        both.containers = containers;
        both.n_containers = 2;
        ck_assert(passes_cgroup("/system.slice/cron.service", u));
        ck_assert(passes_cgroup("/docker/" ID, c));
        ck_assert(!passes_cgroup("/system.slice/cron.service", both));
        ck_assert(passes_cgroup("/system.slice/cron.service/docker/" ID, both));

        for (int i = 0; i < 2; i++) {
                record.deleter = i == 0 ? bare : NULL;
                ck_assert(!passes(u) && !passes(c));
        }
}
END_TEST

static bool passes_login(uint32_t is, bool is_known, RecordFilter f) {
        ProcessFactsParts parts = fixture_parts();
        Deleter *d, *before = (Deleter *)(uintptr_t)record.deleter;
        bool is_passed;

        parts.facts.login_uid = is;
        parts.facts.has_login_uid = is_known;
        record.deleter = d = fixture_deleter(5, ATTRIBUTION_LIVE, 5, &parts, NULL);
        is_passed = passes(f);
        deleter_unref(d);
        record.deleter = before;
        return is_passed;
}

/* That nobody logged in is one thing, that nothing is known of it another. */
START_TEST(test_login_uids) {
        uid_t alice[] = {1001, 1000}, nobody[] = {PROCESS_ID_UNSET};
        const RecordFilter a = {.login_uids = alice, .n_login_uids = 2};
        const RecordFilter n = {.login_uids = nobody, .n_login_uids = 1};

        ck_assert(passes_login(1000, true, a) && passes_login(1001, true, a));
        ck_assert(!passes_login(0, true, a) && !passes_login(PROCESS_ID_UNSET, true, a));
        ck_assert(passes_login(PROCESS_ID_UNSET, true, n));
        ck_assert(!passes_login(PROCESS_ID_UNSET, false, n));
        ck_assert(!passes_login(0, true, n) && !passes_login(1000, true, n));
        record.deleter = bare;
        ck_assert(!passes(a) && !passes(n));
        record.deleter = NULL;
        ck_assert(!passes(a) && !passes(n));
}
END_TEST

static bool has_ancestor(const char *glob) {
        char *globs[] = {(char *)(uintptr_t)glob};

        return passes((RecordFilter){.ancestors = globs, .n_ancestors = 1});
}

START_TEST(test_ancestors) {
        ck_assert(has_ancestor("find") && has_ancestor("sh") && has_ancestor("systemd"));
        ck_assert(has_ancestor("system?") && has_ancestor("*"));
        /* Not itself. */
        ck_assert(!has_ancestor("rm") && !has_ancestor("cron"));
        /* Their programs are not known. */
        ck_assert(!has_ancestor("/**") && !has_ancestor("/find"));

        for (int i = 0; i < 2; i++) {
                record.deleter = i == 0 ? bare : NULL;
                ck_assert(!has_ancestor("*"));
        }
}
END_TEST

/* A program's path, and a name that the kernel cut. */
START_TEST(test_ancestor_program) {
        ProcessFactsParts own = fixture_parts(), theirs = fixture_parts();
        static const char *const chain[] = {"x", "init", NULL};
        Deleter *d = fixture_deleter(6, ATTRIBUTION_LIVE, 6, &own, chain);

        strcpy(theirs.facts.comm, "systemd-tmpfile");
        fixture_set_executable(&theirs, "/usr/bin/systemd-tmpfiles");
        process_facts_unref(d->ancestors[0].facts);
        d->ancestors[0].facts = process_facts_new(&theirs);
        ck_assert_ptr_nonnull(d->ancestors[0].facts);
        process_facts_unref(d->ancestors[1].facts);
        d->ancestors[1].facts = NULL;
        record.deleter = d;
        ck_assert(has_ancestor("systemd-tmpfiles") && has_ancestor("systemd-tmpfile"));
        ck_assert(has_ancestor("/usr/bin/*") && has_ancestor("bin/systemd-tmpfiles"));
        ck_assert(!has_ancestor("/bin/*") && !has_ancestor("/usr/bin/rm") && !has_ancestor("x"));
        deleter_unref(d);
}
END_TEST

START_TEST(test_ancestors_are_alternatives) {
        char no[] = "no", sh[] = "sh", find[] = "find";
        char *globs[] = {no, sh}, *comms[] = {find};

        ck_assert(passes((RecordFilter){.ancestors = globs, .n_ancestors = 2}));
        ck_assert(!passes((RecordFilter){.ancestors = globs, .n_ancestors = 1}));
        ck_assert(!passes((RecordFilter){
                .ancestors = globs, .n_ancestors = 2, .comms = comms, .n_comms = 1}));
}
END_TEST

int main(void) {
        TCase *t = tcase_create("record_filter");

        tcase_add_checked_fixture(t, setup, teardown);
        tcase_add_test(t, test_empty_passes_all);
        tcase_add_test(t, test_actions);
        tcase_add_test(t, test_overwrites);
        tcase_add_test(t, test_paths);
        tcase_add_test(t, test_lists_are_alternatives);
        tcase_add_test(t, test_move_either_path);
        tcase_add_test(t, test_unknown_directory);
        tcase_add_test(t, test_long_path);
        tcase_add_test(t, test_process);
        tcase_add_test(t, test_process_partly_known);
        tcase_add_test(t, test_pids);
        tcase_add_test(t, test_units);
        tcase_add_test(t, test_unit_hostile);
        tcase_add_test(t, test_containers);
        tcase_add_test(t, test_units_and_containers_are_alternatives);
        tcase_add_test(t, test_login_uids);
        tcase_add_test(t, test_ancestors);
        tcase_add_test(t, test_ancestor_program);
        tcase_add_test(t, test_ancestors_are_alternatives);
        return unit_run("record_filter", t);
}
