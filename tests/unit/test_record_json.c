/* SPDX-License-Identifier: MIT */

/* What stands in a line, in which order, and what does not. */

#include "record/record_json.h"

#include <errno.h>
#include <sys/mman.h>

#include "fixtures_record_json.h"

static ScopeMount mount = {
        .root = (char *)(uintptr_t) "/",
        .n_root = 1,
        .point = (char *)(uintptr_t) "/mnt",
        .n_point = 4,
        .fstype = (char *)(uintptr_t) "ext4",
        .source = (char *)(uintptr_t) "/dev/sda1",
};

/* All of a process that can be known. */
static Deleter *full_deleter(uint64_t id) {
        static const char *const chain[] = {"sh", "init", NULL};
        ProcessFactsParts p = fixture_parts();
        Deleter *d;

        fixture_set_cgroup(&p, "/user.slice/user-1000.slice/session-3.scope");
        p.working_directory = "/tmp";
        p.n_working_directory = 4;
        p.facts.ids = (ProcIds){1000, 0, 1000, 0};
        p.facts.session = 100;
        p.facts.vpid = 7;
        p.title = "rm: /tmp";
        p.n_title = 8;
        p.facts.is_executable_deleted = true;
        memcpy(p.facts.invocation_id, "0123456789abcdef0123456789abcdef", 33);
        d = fixture_deleter(id, ATTRIBUTION_LIVE, 1, &p, chain);
        d->process.start_ticks = 4242;
        d->process.start_realtime_nsec = NSEC - 7;
        d->ancestors[0].start_ticks = 17;
        d->ancestors[0].start_realtime_nsec = NSEC - 7;
        return d;
}

/* The order of keys is part of it. */
START_TEST(test_full_line) {
        Deleter *d = full_deleter(1);
        Record r = record_of(RECORD_MOVE, d);

        r.new_path = path_of("/", "y");
        r.key.part = 1;
        r.inode = UINT64_MAX;
        r.mount = &mount;
        append(&r);
        ck_assert_str_eq(
                buffer_terminate(&line),
                "{\"@timestamp\":\"2026-11-23T00:55:13.000000007Z\","
                "\"message\":\"rm (pid 4711, root) moved /tmp/x.txt to /y\","
                "\"ecs\":{\"version\":\"9.5.0-dev\"},"
                "\"event\":{\"kind\":\"event\",\"category\":[\"file\"],\"type\":[\"change\"],"
                "\"action\":\"move\",\"dataset\":\"whodunlink.deletion\","
                "\"provider\":\"fanotify\",\"outcome\":\"success\",\"sequence\":7,"
                "\"id\":\"bid-rid-3.12.1\"},"
                "\"file\":{\"path\":\"/tmp/x.txt\",\"name\":\"x.txt\",\"directory\":\"/tmp\","
                "\"extension\":\"txt\",\"type\":\"file\",\"inode\":\"18446744073709551615\","
                "\"device\":\"sda1\",\"target_path\":\"/y\"},"
                "\"process\":{\"pid\":4711,\"entity_id\":\"bid-4711-4242\",\"name\":\"rm\","
                "\"executable\":\"/usr/bin/rm\",\"command_line\":\"rm -rf /tmp/tools\","
                "\"args\":[\"rm\",\"-rf\",\"/tmp/tools\"],\"args_count\":3,"
                "\"working_directory\":\"/tmp\",\"start\":\"2026-11-23T00:55:13.000000000Z\","
                "\"title\":\"rm: /tmp\",\"vpid\":7,"
                "\"user\":{\"id\":\"0\",\"name\":\"root\"},"
                "\"real_user\":{\"id\":\"1000\",\"name\":\"alice\"},"
                "\"group\":{\"id\":\"0\",\"name\":\"wheel\"},"
                "\"parent\":{\"pid\":100,\"entity_id\":\"bid-100-17\",\"name\":\"sh\","
                "\"start\":\"2026-11-23T00:55:13.000000000Z\"},"
                "\"session_leader\":{\"pid\":100,\"entity_id\":\"bid-100-17\",\"name\":\"sh\","
                "\"start\":\"2026-11-23T00:55:13.000000000Z\"},"
                "\"entry_leader\":{\"pid\":100,\"entity_id\":\"bid-100-17\",\"name\":\"sh\","
                "\"start\":\"2026-11-23T00:55:13.000000000Z\","
                "\"entry_meta\":{\"type\":\"init\"}}},"
                "\"user\":{\"id\":\"0\",\"name\":\"root\","
                "\"audit\":{\"id\":\"1000\",\"name\":\"alice\"}},"
                "\"systemd\":{\"unit\":\"session-3.scope\",\"slice\":\"user-1000.slice\","
                "\"session\":\"3\",\"invocation_id\":\"0123456789abcdef0123456789abcdef\"},"
                "\"host\":{\"name\":\"box\",\"id\":\"mid\",\"boot\":{\"id\":\"bid\"}},"
                "\"whodunlink\":{\"ancestry\":[{\"pid\":100,\"name\":\"sh\","
                "\"start\":\"2026-11-23T00:55:13.000000000Z\"},{\"pid\":1,\"name\":\"init\"}],"
                "\"executable_deleted\":true,\"attribution\":\"live\",\"path_source\":\"handle\","
                "\"mount\":{\"path\":\"/mnt\",\"fstype\":\"ext4\",\"source\":\"/dev/sda1\"}}}\n");
        deleter_unref(d);
}
END_TEST

/* What is not known is absent. */
START_TEST(test_bare_line) {
        Deleter *d = fixture_deleter(1, ATTRIBUTION_PID_ONLY, 0, NULL, NULL);
        Record r = record_of(RECORD_UNLINK, d);

        host = (HostFacts){.name = "box"};
        setup_again();
        r.path = path_of(NULL, "x");
        r.path_source = PATH_SOURCE_NONE;
        append(&r);
        ck_assert_str_eq(
                buffer_terminate(&line),
                "{\"@timestamp\":\"2026-11-23T00:55:13.000000007Z\","
                "\"message\":\"an unknown process (pid 4711) removed x in a directory that could "
                "not be found out\",\"ecs\":{\"version\":\"9.5.0-dev\"},"
                "\"event\":{\"kind\":\"event\",\"category\":[\"file\"],\"type\":[\"deletion\"],"
                "\"action\":\"unlink\",\"dataset\":\"whodunlink.deletion\","
                "\"provider\":\"fanotify\",\"outcome\":\"success\",\"sequence\":7,"
                "\"id\":\"--3.12\"},"
                "\"file\":{\"name\":\"x\",\"type\":\"file\"},\"process\":{\"pid\":4711},"
                "\"host\":{\"name\":\"box\"},"
                "\"whodunlink\":{\"attribution\":\"pid-only\",\"path_source\":\"none\"}}\n");
        deleter_unref(d);
}
END_TEST

/* Nothing at all: no object is left empty. */
START_TEST(test_nothing_known) {
        Deleter *d = fixture_deleter(1, ATTRIBUTION_PID_ONLY, 0, NULL, NULL);
        Record r = record_of(RECORD_UNLINK, d);

        host = (HostFacts){0};
        setup_again();
        d->process.pid = 0;
        append(&r);
        ck_assert_ptr_null(get("process"));
        ck_assert_ptr_null(get("host"));
        r.path = path_of("/tmp", NULL);
        append(&r);
        expect_text("file.directory", "/tmp");
        ck_assert_ptr_null(get("file.path"));
        r.path = path_of(NULL, NULL);
        append(&r);
        expect_text("file.type", "file");
        deleter_unref(d);
}
END_TEST

typedef struct Action {
        RecordAction action;
        bool is_directory;
        const char *name, *type, *dataset, *message, *file_type;
} Action;

#define DELETION "whodunlink.deletion"
#define STATUS "whodunlink.status"

static const Action actions[] = {
        {RECORD_UNLINK, false, "unlink", "deletion", DELETION,
         "rm (pid 4711, root) removed /tmp/x.txt", "file"},
        {RECORD_RMDIR, true, "rmdir", "deletion", DELETION,
         "rm (pid 4711, root) removed directory /tmp/x.txt", "dir"},
        {RECORD_MOVE, false, "move", "change", DELETION, "rm (pid 4711, root) moved /tmp/x.txt",
         "file"},
        {RECORD_MOVE, true, "move", "change", DELETION, "rm (pid 4711, root) moved /tmp/x.txt",
         "dir"},
        {RECORD_OVERWRITE, false, "overwrite", "deletion", DELETION,
         "rm (pid 4711, root) replaced /tmp/x.txt", "file"},
        {RECORD_START, false, "start", "info", STATUS, "said \"so\"", NULL},
        {RECORD_STOP, false, "stop", "info", STATUS, "said \"so\"", NULL},
        {RECORD_LOSS, false, "loss", "info", STATUS, "said \"so\"", NULL},
        {RECORD_COVERAGE, false, "coverage", "info", STATUS, "said \"so\"", NULL},
};

/* What a rename destroyed, with what is left of it. */
START_TEST(test_overwrite_with_remains) {
        Deleter *d = full_deleter(1);
        Record r = record_of(RECORD_OVERWRITE, d);
        const Holder holders[] = {{.pid = 12, .fd = 3, .name = "tail"}, {.pid = 13, .fd = -1}};
        Remains left = {
                .status = {.st_nlink = 2,
                           .st_size = 5,
                           .st_mode = S_IFREG | 0640,
                           .st_mtim = {.tv_sec = 1, .tv_nsec = 2},
                           .st_atim = {.tv_sec = -1}},
                .also_at = "/srv/\xff",
        };

        r.new_path = path_of("/tmp", "x.new");
        r.remains = &left;
        append(&r);
        expect_text("message", "rm (pid 4711, root) replaced /tmp/x.txt with /tmp/x.new");
        expect_text("file.target_path", "/tmp/x.new");
        expect_text("file.size", "5");
        expect_text("file.uid", "0");
        expect_text("file.owner", "root");
        expect_text("file.mode", "0640");
        expect_text("file.mtime", "1970-01-01T00:00:01.000000002Z");
        expect_text("file.accessed", NULL);
        expect_text("whodunlink.links_left", "2");
        expect_text("whodunlink.also_at", "/srv/\xef\xbf\xbd");
        expect_text("whodunlink.also_at_raw", "L3Nydi//");
        expect_text("whodunlink.held_open", NULL);
        expect_text("whodunlink.overwrite_unknown", NULL);

        left = (Remains){
                .status = {.st_size = 5}, .is_held = true, .holders = holders, .n_holders = 2};
        append(&r);
        expect_text("whodunlink.links_left", NULL);
        expect_text("whodunlink.also_at", NULL);
        expect_text("whodunlink.held_open", "true");
        ck_assert_str_eq(
                json_object_to_json_string_ext(get("whodunlink.held_by"), JSON_C_TO_STRING_PLAIN),
                "[{\"pid\":12,\"name\":\"tail\",\"fd\":3},{\"pid\":13}]");
        r = record_of(RECORD_MOVE, d);
        r.may_be_overwrite = true;
        append(&r);
        expect_text("whodunlink.overwrite_unknown", "true");
        deleter_unref(d);
}
END_TEST

START_TEST(test_action) {
        const Action *a = &actions[_i];
        Deleter *d = full_deleter(1);
        Record r = record_of(a->action, d);

        r.is_directory = a->is_directory;
        r.message = "said \"so\"";
        r.loss.where = "file events";
        append(&r);
        expect_text("event.action", a->name);
        expect_text("event.type",
                    NULL == a->type ? NULL : json_object_get_string(get("event.type")));
        ck_assert_str_eq(json_object_get_string(json_object_array_get_idx(get("event.type"), 0)),
                         a->type);
        ck_assert_uint_eq(json_object_array_length(get("event.type")), 1);
        expect_text("event.dataset", a->dataset);
        expect_text("event.kind", "event");
        expect_text("message", a->message);
        expect_text("file.type", a->file_type);
        expect_text("file.extension", a->file_type && !a->is_directory ? "txt" : NULL);
        ck_assert_int_eq(get("process") != NULL, a->file_type != NULL);
        ck_assert_int_eq(get("user") != NULL, a->file_type != NULL);
        ck_assert_int_eq(get("whodunlink.loss") != NULL, a->action == RECORD_LOSS);
        ck_assert_int_eq(get("whodunlink") != NULL, a->file_type || a->action == RECORD_LOSS);
        expect_text("host.name", "box");
        expect_text("event.id", "bid-rid-3.12");
        deleter_unref(d);
}
END_TEST

START_TEST(test_subvolume) {
        Deleter *d = full_deleter(1);
        Record r = record_of(RECORD_RMDIR, d);
        ScopeMount btrfs = mount;

        btrfs.subvolume = (char *)"/@home";
        r.mount = &btrfs;
        r.is_directory = r.is_subvolume = true;
        append(&r);
        expect_text("message", "rm (pid 4711, root) deleted subvolume /tmp/x.txt with all it held");
        expect_text("file.type", "subvolume");
        expect_text("file.extension", NULL);
        expect_text("whodunlink.mount.subvolume", "/@home");
        /* Nothing is lost by a move. */
        r.action = RECORD_MOVE;
        r.new_path = path_of("/tmp", "y");
        append(&r);
        expect_text("message", "rm (pid 4711, root) moved /tmp/x.txt to /tmp/y");
        expect_text("file.type", "subvolume");
        /* What was mounted at "/". */
        r.action = RECORD_RMDIR;
        r.path = path_of("/", "");
        r.new_path = path_of(NULL, NULL);
        r.mount = &mount;
        append(&r);
        expect_text("message", "rm (pid 4711, root) deleted subvolume / with all it held");
        expect_text("file.path", "/");
        expect_text("file.directory", "/");
        expect_text("file.name", NULL);
        expect_text("whodunlink.mount.subvolume", NULL);
        deleter_unref(d);
}
END_TEST

START_TEST(test_loss) {
        Record r = {.action = RECORD_LOSS,
                    .realtime_nsec = NSEC,
                    .sequence = UINT64_C(1) << 40,
                    .key = {.position = UINT64_MAX},
                    .message = "lost",
                    .loss = {.where = "process events"}};

        append(&r);
        expect_text("whodunlink.loss.where", "process events");
        ck_assert_ptr_null(get("whodunlink.loss.count"));
        ck_assert_ptr_null(get("whodunlink.loss.filesystem"));
        ck_assert_int_eq(json_object_get_int64(get("event.sequence")), INT64_C(1) << 40);
        expect_text("event.id", "bid-rid-0.18446744073709551615");
        r.loss.count = 12;
        r.loss.filesystem = "/a\n\"b";
        r.mount = &mount;
        append(&r);
        ck_assert_int_eq(json_object_get_int64(get("whodunlink.loss.count")), 12);
        expect_text("whodunlink.loss.filesystem", "/a\n\"b");
        expect_text("whodunlink.mount.path", "/mnt");
}
END_TEST

typedef struct Name {
        const char *name, *extension;
} Name;

static const Name extensions[] = {
        {"a.txt", "txt"}, {"a.tar.gz", "gz"}, {"a", NULL},    {".a", NULL},  {"a.", NULL},
        {".a.b", "b"},    {"..", NULL},       {"...a", "a"},  {"a..b", "b"}, {".", NULL},
        {"a.b c", "b c"}, {"a.\"", "\""},     {"a.\t", "\t"},
};

START_TEST(test_extension) {
        Deleter *d = full_deleter(1);
        Record r = record_of(RECORD_UNLINK, d);

        r.path = path_of("/tmp", extensions[_i].name);
        append(&r);
        expect_text("file.extension", extensions[_i].extension);
        r.is_directory = true;
        append(&r);
        expect_text("file.extension", NULL);
        deleter_unref(d);
}
END_TEST

START_TEST(test_paths) {
        Deleter *d = full_deleter(1);
        Record r = record_of(RECORD_UNLINK, d);

        r.path = path_of("/", "x");
        append(&r);
        expect_text("file.path", "/x");
        expect_text("file.directory", "/");
        /* Counted, not terminated. */
        r.path = (RecordPath){.directory = "/abc", .n_directory = 2, .name = "def", .n_name = 1};
        append(&r);
        expect_text("file.path", "/a/d");
        expect_text("file.name", "d");
        expect_text("file.directory", "/a");
        /* Where it went, but not in which directory. */
        r.action = RECORD_MOVE;
        r.new_path = path_of(NULL, "y");
        append(&r);
        expect_text("file.target_path", "y");
        expect_text("whodunlink.path_raw", NULL);
        deleter_unref(d);
}
END_TEST

/* Of an overlay: whoever reads it must be able to go there, whatever the bytes. */
START_TEST(test_other_paths) {
        Deleter *d = full_deleter(1);
        Record r = record_of(RECORD_UNLINK, d);

        append(&r);
        expect_text("whodunlink.upper_path", NULL);
        expect_text("whodunlink.container_path", NULL);
        r.upper_path = "/srv/\xff";
        r.container_path = "/x\"";
        append(&r);
        expect_text("whodunlink.upper_path", "/srv/\xef\xbf\xbd");
        expect_text("whodunlink.upper_path_raw", "L3Nydi//");
        expect_text("whodunlink.container_path", "/x\"");
        expect_text("whodunlink.container_path_raw", NULL);
        deleter_unref(d);
}
END_TEST

START_TEST(test_cause) {
        Deleter *d = full_deleter(1);
        Record r = record_of(RECORD_UNLINK, d);
        Cause c = {.type = CAUSE_TMPFILES};

        append(&r);
        ck_assert_ptr_null(get("whodunlink.cause"));
        r.cause = &c;
        append(&r);
        ck_assert_str_eq(json_object_to_json_string_ext(get("whodunlink.cause"), 0),
                         "{\"type\":\"tmpfiles\"}");
        c = (Cause){
                .type = CAUSE_TIMER,
                .rule = (char *)(uintptr_t) "q /tmp/\xff",
                .source = (char *)(uintptr_t) "/a\":1",
                .unit = (char *)(uintptr_t) "b.service",
                .triggered_by = (char *)(uintptr_t) "b.timer",
                .explanation = (char *)(uintptr_t) "c",
        };
        append(&r);
        ck_assert_ptr_nonnull(strstr(
                buffer_terminate(&line),
                "\"cause\":{\"type\":\"timer\",\"rule\":\"q /tmp/\xef\xbf\xbd\","
                "\"rule_raw\":\"cSAvdG1wL/8=\",\"source\":\"/a\\\":1\",\"unit\":\"b.service\","
                "\"triggered_by\":\"b.timer\",\"explanation\":\"c\"}"));
        deleter_unref(d);
}
END_TEST

START_TEST(test_device) {
        static const char *const sources[][2] = {{"/dev/sda1", "sda1"},
                                                 {"/dev/mapper/a-b", "mapper/a-b"},
                                                 {"tmpfs", NULL},
                                                 {"/dev", NULL},
                                                 {"//host/share", NULL}};
        Deleter *d = full_deleter(1);
        Record r = record_of(RECORD_UNLINK, d);
        ScopeMount m = mount;

        r.mount = &m;
        for (size_t i = 0; i < sizeof(sources) / sizeof(sources[0]); i++) {
                m.source = (char *)(uintptr_t)sources[i][0];
                append(&r);
                expect_text("file.device", sources[i][1]);
                expect_text("whodunlink.mount.source", sources[i][0]);
        }
        m.source = (char *)(uintptr_t) "";
        append(&r);
        expect_text("whodunlink.mount.source", NULL);
        deleter_unref(d);
}
END_TEST

/* A list that was cut says so, and does not count what it does not know. */
START_TEST(test_args_cut) {
        ProcessFactsParts p = fixture_parts();
        Record r;
        Deleter *d;

        fixture_set_args(&p, "a\0\0b c", 6);
        p.facts.is_args_cut = true;
        d = fixture_deleter(1, ATTRIBUTION_EXEC, 1, &p, NULL);
        r = record_of(RECORD_UNLINK, d);
        append(&r);
        ck_assert(json_object_get_boolean(get("whodunlink.args_cut")));
        ck_assert_ptr_null(get("process.args_count"));
        ck_assert_uint_eq(json_object_array_length(get("process.args")), 3);
        expect_text("process.command_line", "a  b c");
        expect_text("whodunlink.attribution", "exec");
        deleter_unref(d);
}
END_TEST

/* Of two with one place in the cache, each gets its own; the same one is the same again. */
START_TEST(test_cache) {
        Deleter *a = full_deleter(5), *b = full_deleter(5 + RECORD_JSON_CACHE_ENTRIES);
        Record r = record_of(RECORD_UNLINK, a);

        b->process.pid = 4712;
        for (int i = 0; i < 3; i++) {
                r.deleter = a;
                append(&r);
                ck_assert_int_eq(json_object_get_int(get("process.pid")), 4711);
                append(&r);
                ck_assert_int_eq(json_object_get_int(get("process.pid")), 4711);
                r.deleter = b;
                append(&r);
                ck_assert_int_eq(json_object_get_int(get("process.pid")), 4712);
                expect_text("message", "rm (pid 4712, root) removed /tmp/x.txt");
        }
        deleter_unref(a);
        deleter_unref(b);
}
END_TEST

START_TEST(test_time) {
        Deleter *d = full_deleter(1);
        Record r = record_of(RECORD_UNLINK, d);

        append(&r);
        r.realtime_nsec += 1;
        append(&r);
        expect_text("@timestamp", "2026-11-23T00:55:13.000000008Z");
        r.realtime_nsec = 0;
        append(&r);
        expect_text("@timestamp", "1970-01-01T00:00:00.000000000Z");
        deleter_unref(d);
}
END_TEST

/* An id without a name, a login without ids. */
START_TEST(test_users) {
        ProcessFactsParts p = fixture_parts();
        Deleter *d;
        Record r;

        p.facts.ids = (ProcIds){1000, 54321, 1000, 54321};
        p.facts.login_uid = 0;
        d = fixture_deleter(1, ATTRIBUTION_FORK, 1, &p, NULL);
        r = record_of(RECORD_UNLINK, d);
        append(&r);
        expect_text("message", "rm (pid 4711, uid 54321) removed /tmp/x.txt");
        expect_text("user.id", "54321");
        expect_text("user.name", NULL);
        expect_text("process.user.id", "54321");
        expect_text("process.group.name", NULL);
        expect_text("process.real_user.name", "alice");
        expect_text("user.audit.id", "0");
        expect_text("user.audit.name", "root");
        deleter_unref(d);

        p.facts.has_ids = false;
        d = fixture_deleter(2, ATTRIBUTION_FORK, 1, &p, NULL);
        r.deleter = d;
        append(&r);
        expect_text("message", "rm (pid 4711) removed /tmp/x.txt");
        ck_assert_ptr_null(get("user.id"));
        ck_assert_ptr_null(get("process.user"));
        expect_text("user.audit.id", "0");
        deleter_unref(d);

        p.facts.login_uid = PROCESS_ID_UNSET;
        fixture_set_cgroup(&p, "/");
        d = fixture_deleter(3, ATTRIBUTION_FORK, 1, &p, NULL);
        r.deleter = d;
        append(&r);
        ck_assert_ptr_null(get("user"));
        ck_assert_ptr_null(get("systemd"));
        deleter_unref(d);
}
END_TEST

/* No byte could be appended: none is looked at either. */
START_TEST(test_no_memory) {
        Deleter *d = full_deleter(1);
        const Record records[] = {
                {.action = RECORD_START, .message = "started", .realtime_nsec = NSEC},
                {.action = RECORD_LOSS, .message = "lost", .loss = {.where = "here"}},
                {.action = RECORD_COVERAGE, .message = "watching", .mount = &mount},
                record_of(RECORD_UNLINK, d),
        };
        Buffer full = {.n_bytes = BUFFER_BYTES_MAX, .n_allocated = BUFFER_BYTES_MAX};

        full.bytes = mmap(NULL, BUFFER_BYTES_MAX, PROT_NONE,
                          MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
        ck_assert_ptr_ne(full.bytes, MAP_FAILED);
        for (size_t i = 0; i < sizeof(records) / sizeof(records[0]); i++) {
                full.is_failed = false;
                ck_assert_int_eq(record_json_append(json, &records[i], &full), -ENOMEM);
                ck_assert_uint_eq(full.n_bytes, BUFFER_BYTES_MAX);
        }
        munmap(full.bytes, BUFFER_BYTES_MAX);
        deleter_unref(d);
}
END_TEST

int main(void) {
        TCase *tcase = tcase_create("record_json");

        tcase_add_checked_fixture(tcase, setup, teardown);
        tcase_add_test(tcase, test_full_line);
        tcase_add_test(tcase, test_bare_line);
        tcase_add_test(tcase, test_nothing_known);
        tcase_add_test(tcase, test_overwrite_with_remains);
        tcase_add_loop_test(tcase, test_action, 0, sizeof(actions) / sizeof(actions[0]));
        tcase_add_test(tcase, test_subvolume);
        tcase_add_test(tcase, test_loss);
        tcase_add_loop_test(tcase, test_extension, 0, sizeof(extensions) / sizeof(extensions[0]));
        tcase_add_test(tcase, test_paths);
        tcase_add_test(tcase, test_other_paths);
        tcase_add_test(tcase, test_cause);
        tcase_add_test(tcase, test_device);
        tcase_add_test(tcase, test_args_cut);
        tcase_add_test(tcase, test_cache);
        tcase_add_test(tcase, test_time);
        tcase_add_test(tcase, test_users);
        tcase_add_test(tcase, test_no_memory);
        return unit_run("record_json", tcase);
}
