/* SPDX-License-Identifier: MIT */

/*
 * What is written as JSON and read back says the same to a person, in every fact that the text has;
 * and what is no record is refused.
 */

#include "query/record_parse.h"

#include <errno.h>
#include <stdio.h>

#include "fixtures_record_text.h"
#include "identify/leaders.h"
#include "record/record_json.h"

static const HostFacts host = {
        .name = "box", .machine_id = "mid", .boot_id = "bid", .run_id = "rid"};

static const char *const cron_chain[] = {"find", "sh", "cron", "systemd", NULL};
static const char *const chain[] = {"bash", "sshd", "systemd", NULL};

static void append_as_text(const Record *r, UserNames *n, Buffer *b) {
        RecordText *t;

        ck_assert_int_eq(record_text_new((RecordTextOptions){0}, n, &t), 0);
        record_text_append(t, r, b);
        record_text_free(t);
}

static void append_as_json(const Record *r, Buffer *b) {
        RecordJson *j;

        ck_assert_int_eq(record_json_new(&host, names, &j), 0);
        ck_assert_int_eq(record_json_append(j, r, b), 0);
        record_json_free(j);
}

/* There and back. The caller frees what was parsed, which was moved by the return. */
static RecordParsed check_same_text(const Record *r) {
        _cleanup_buffer_ Buffer line = {0}, before = {0}, after = {0};
        RecordParsed p;
        UserNames *given;

        append_as_json(r, &line);
        append_as_text(r, names, &before);
        ck_assert_int_eq(record_parse(line.bytes, line.n_bytes, &p), 0);
        ck_assert_int_eq(user_names_new_given(&given), 0);
        ck_assert_int_eq(record_parsed_give_names(&p, given), 0);
        append_as_text(&p.record, given, &after);
        ck_assert_str_eq(buffer_terminate(&after), buffer_terminate(&before));
        user_names_free(given);
        return p;
}

static void check(const Record *r) {
        _cleanup_record_parsed_ RecordParsed p = check_same_text(r);

        record_parsed_moved(&p);
        ck_assert_int_eq(p.record.action, r->action);
        ck_assert_uint_eq(p.record.realtime_nsec, r->realtime_nsec);
        ck_assert_uint_eq(p.record.sequence, r->sequence);
        ck_assert_uint_eq(p.record.inode, r->inode);
        ck_assert_uint_eq(p.record.path.n_name, r->path.n_name);
        if (r->path.n_name > 0)
                ck_assert_mem_eq(p.record.path.name, r->path.name, r->path.n_name);
}

START_TEST(test_plain) {
        ProcessFactsParts parts = fixture_parts();
        Deleter *d = fixture_deleter(1, ATTRIBUTION_LIVE, 1, &parts, cron_chain);
        Record r = unlink_of(d, "/tmp/tools", "x");

        r.sequence = 17;
        r.inode = UINT64_MAX;
        check(&r);
        r.action = RECORD_RMDIR;
        r.is_directory = true;
        check(&r);
        r.is_subvolume = true;
        check(&r);
        r.path = path_of("/", "tools");
        check(&r);
        r.path = path_of("/", "");
        check(&r);
        deleter_unref(d);
}
END_TEST

START_TEST(test_paths) {
        ProcessFactsParts parts = fixture_parts();
        Deleter *d = fixture_deleter(1, ATTRIBUTION_EXEC, 1, &parts, chain);
        Record r = unlink_of(d, "/tmp/a b", "\xff\n\033[31m\"\\é");

        check(&r);
        r.path = path_of(NULL, "x");
        check(&r);
        r.path = path_of(NULL, NULL);
        check(&r);
        r.action = RECORD_MOVE;
        r.path = path_of("/srv", "x");
        r.new_path = path_of("/srv/\xfe", "y z");
        check(&r);
        r.new_path = path_of(NULL, NULL);
        check(&r);
        r.action = RECORD_OVERWRITE;
        r.new_path = path_of("/srv", ".x.tmp");
        check(&r);
        deleter_unref(d);
}
END_TEST

static const struct {
        const char *cgroup;
        const char *text; /* that must be there */
} origins[] = {
        {"/system.slice/cron.service", "in cron.service\n"},
        {"/user.slice/user-1000.slice/session-3.scope", "in session 3, session-3.scope\n"},
        {"/user.slice/user-1000.slice/user@1000.service/app.slice/foo.service",
         "in foo.service of user@1000.service\n"},
        {"/system.slice/foo\\x2dbar.service", "in foo-bar.service\n"},
        {"/system.slice", "in system.slice\n"},
        {"/system.slice/docker-"
         "4f1ec6e0f9f4aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.scope",
         "in container 4f1ec6e0f9f4 (docker)\n"},
        {"/docker/4f1ec6e0f9f4aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
         "in container 4f1ec6e0f9f4 (docker)\n"},
        {"/kubepods.slice/kubepods-pod01234567_89ab_cdef_0123_456789abcdef.slice/cri-containerd-"
         "4f1ec6e0f9f4aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.scope",
         "in container 4f1ec6e0f9f4 (containerd), pod 01234567-89ab-cdef-0123-456789abcdef\n"},
        {"/machine.slice/machine-deb\\x2done.scope", "in container deb-one (systemd-nspawn)\n"},
        {"/lxc.payload.web", "in container web (lxc)\n"},
        {"/", NULL},
};

START_TEST(test_origins) {
        ProcessFactsParts parts = fixture_parts();
        _cleanup_buffer_ Buffer b = {0};
        RecordParsed p;
        Deleter *d;
        Record r;

        fixture_set_cgroup(&parts, origins[_i].cgroup);
        d = fixture_deleter(1, ATTRIBUTION_LIVE, 1, &parts, cron_chain);
        r = unlink_of(d, "/tmp", "x");
        p = check_same_text(&r);
        record_parsed_moved(&p);
        append_as_text(&p.record, names, &b);
        ck_assert(!origins[_i].text || strstr(buffer_terminate(&b), origins[_i].text));
        record_parsed_done(&p);
        deleter_unref(d);
}
END_TEST

/* By whom the work entered, which follows from facts that a record does not have. */
START_TEST(test_entries) {
        static const int ttys[] = {0, 136 << 8 | 5, 4 << 8 | 1};
        static const char *const terminal_chain[] = {"bash", "xterm", "systemd", NULL};
        static const EntryType types[] = {ENTRY_INIT, ENTRY_TERMINAL, ENTRY_CONSOLE};
        ProcessFactsParts parts = fixture_parts();
        RecordParsed p;
        Leaders l;
        Deleter *d;
        Record r;

        parts.facts.tty = ttys[_i];
        d = fixture_deleter(1, ATTRIBUTION_LIVE, 1, &parts, terminal_chain);
        d->ancestors[0].facts->tty = ttys[_i];
        r = unlink_of(d, "/tmp", "x");
        p = check_same_text(&r);
        record_parsed_moved(&p);
        leaders_find(p.deleter, &l);
        ck_assert_int_eq(l.entry_type, types[_i]);
        record_parsed_done(&p);
        deleter_unref(d);
}
END_TEST

START_TEST(test_facts) {
        ProcessFactsParts parts = fixture_parts();
        Deleter *d;
        Record r;

        parts.facts.ids = (ProcIds){.real_uid = 1000, .effective_uid = 0, .effective_gid = 5};
        parts.facts.is_executable_deleted = true;
        parts.facts.is_args_cut = true;
        parts.facts.vpid = 7;
        parts.facts.is_in_pid_namespace = true;
        parts.working_directory = "/";
        parts.n_working_directory = 1;
        parts.title = "worker: idle";
        parts.n_title = strlen("worker: idle");
        fixture_set_args(&parts, "a b\0\xff\0", sizeof("a b\0\xff\0"));
        fixture_set_cgroup(&parts, NULL);
        d = fixture_deleter(1, ATTRIBUTION_LIVE, 1, &parts, chain);
        r = unlink_of(d, "/tmp", "x");
        check(&r);
        deleter_unref(d);
}
END_TEST

START_TEST(test_attributions) {
        ProcessFactsParts parts = fixture_parts();
        Deleter *d = fixture_deleter(1, (Attribution)_i, 1,
                                     _i > ATTRIBUTION_PID_ONLY ? &parts : NULL, NULL);
        Record r = unlink_of(d, "/tmp", "x");

        check(&r);
        deleter_unref(d);
}
END_TEST

START_TEST(test_remains) {
        ProcessFactsParts parts = fixture_parts();
        Deleter *d = fixture_deleter(1, ATTRIBUTION_LIVE, 1, &parts, NULL);
        const Holder holders[] = {{.pid = 12, .fd = 4, .name = "tail"},
                                  {.pid = 13, .fd = -1, .name = "a b"}};
        Remains remains = {.status = {.st_nlink = 2}, .also_at = "/srv/co\xffpy"};
        Record r = unlink_of(d, "/tmp", "x");

        r.remains = &remains;
        check(&r);
        remains.also_at = NULL;
        check(&r);
        remains = (Remains){.is_held = true, .holders = holders, .n_holders = 2};
        check(&r);
        deleter_unref(d);
}
END_TEST

START_TEST(test_cause) {
        ProcessFactsParts parts = fixture_parts();
        Deleter *d = fixture_deleter(1, ATTRIBUTION_LIVE, 1, &parts, NULL);
        char rule[] = "D /tmp 1777 root root 10d", source[] = "/usr/lib/tmpfiles.d/tmp.conf:11",
             unit[] = "systemd-tmpfiles-clean.service", timer[] = "systemd-tmpfiles-clean.timer",
             words[] = "removed by age: \033[31m\xff";
        Record r = unlink_of(d, "/tmp", "x");

        for (CauseType t = CAUSE_TMPFILES; t <= CAUSE_LOGIN; t++) {
                const Cause all = {t, rule, source, unit, timer, words}, one = {.type = t};
                RecordParsed p;

                r.cause = &all;
                p = check_same_text(&r);
                record_parsed_moved(&p);
                ck_assert_int_eq(p.record.cause->type, t);
                ck_assert_str_eq(p.record.cause->triggered_by, timer);
                ck_assert_str_eq(p.record.cause->explanation, words);
                record_parsed_done(&p);
                r.cause = &one;
                check(&r);
        }
        deleter_unref(d);
}
END_TEST

START_TEST(test_news) {
        static const RecordAction actions[] = {RECORD_START, RECORD_STOP, RECORD_LOSS,
                                               RECORD_COVERAGE};
        Record r = {.action = actions[_i],
                    .realtime_nsec = NSEC_14_02_11,
                    .message = "lost \033[31m\n",
                    .loss = {.where = "file events", .count = 3, .filesystem = "/mnt"}};

        check(&r);
}
END_TEST

START_TEST(test_fold) {
        ProcessFactsParts parts = fixture_parts();
        Deleter *d = fixture_deleter(1, ATTRIBUTION_LIVE, 1, &parts, cron_chain);
        const RecordFold fold = {
                .n_entries = 500,
                .n_files = 400,
                .n_directories = 100,
                .n_moves = 7,
                .n_overwrites = 3,
                .common_directory = "/tmp/\xff",
                .n_common_directory = strlen("/tmp/\xff"),
                .first = "/tmp/\xff/a",
                .n_first = strlen("/tmp/\xff/a"),
                .last = "/tmp/\xff/b",
                .n_last = strlen("/tmp/\xff/b"),
                .since_nsec = NSEC_14_02_11,
                .until_nsec = NSEC_14_02_11 + 5,
        };
        const RecordFold bare = {.n_entries = 1, .n_files = 1};
        Record r = {
                .action = RECORD_FOLD, .realtime_nsec = NSEC_14_02_11, .deleter = d, .fold = &fold};
        RecordParsed p = check_same_text(&r);

        record_parsed_moved(&p);
        ck_assert_uint_eq(p.record.fold->n_entries, 500);
        ck_assert_uint_eq(p.record.fold->until_nsec, NSEC_14_02_11 + 5);
        ck_assert_mem_eq(p.record.fold->first, fold.first, fold.n_first);
        ck_assert_mem_eq(p.record.fold->last, fold.last, fold.n_last);
        record_parsed_done(&p);
        r.fold = &bare;
        check(&r);
        deleter_unref(d);
}
END_TEST

/* One process, two records: one group, as in the watch that wrote them. */
START_TEST(test_group) {
        ProcessFactsParts parts = fixture_parts();
        Deleter *d = fixture_deleter(1, ATTRIBUTION_LIVE, 1, &parts, cron_chain);
        _cleanup_buffer_ Buffer line = {0};
        UserNames *given;
        RecordText *t;

        ck_assert_int_eq(user_names_new_given(&given), 0);
        ck_assert_int_eq(record_text_new((RecordTextOptions){0}, given, &t), 0);
        for (uint64_t i = 0; i < 2; i++) {
                Record r = unlink_of(d, "/tmp", i == 0 ? "x" : "y");
                RecordParsed p;

                r.sequence = i;
                buffer_clear(&line);
                append_as_json(&r, &line);
                ck_assert_int_eq(record_parse(line.bytes, line.n_bytes, &p), 0);
                ck_assert_int_eq(record_parsed_give_names(&p, given), 0);
                ck_assert_ptr_nonnull(record_parsed_id(&p));
                buffer_clear(&out);
                record_text_append(t, &p.record, &out);
                record_parsed_done(&p);
        }
        ck_assert_str_eq(buffer_terminate(&out), TIME "unlink  /tmp/y\n");
        record_text_free(t);
        user_names_free(given);
        deleter_unref(d);
}
END_TEST

#define HEAD "{\"@timestamp\":\"2026-11-23T00:55:13Z\",\"event\":{\"action\":"

static const char *const refused[] = {
        "",
        "{}",
        "[]",
        "null",
        "x",
        HEAD "\"unlink\"}",
        HEAD "\"unlink\"}}}",
        HEAD "\"unlink\"}} {}",
        HEAD "\"unlinked\"}}",
        HEAD "1}}",
        HEAD "\"unlink\\u0000\"}}",
        "{\"@timestamp\":\"yesterday\",\"event\":{\"action\":\"unlink\"}}",
        "{\"@timestamp\":5,\"event\":{\"action\":\"unlink\"}}",
        "{\"@timestamp\":\"2026-11-23T00:55:13Z\",\"event\":\"unlink\"}",
        HEAD "\"unlink\"},\"x\":\"\xff\"}",
        HEAD "\"fold\"}}",
        HEAD "\"fold\"},\"whodunlink\":{\"fold\":{\"count\":\"x\"}}}",
        HEAD "\"unlink\",}}",
        HEAD "'unlink'}}",
};

START_TEST(test_refused) {
        RecordParsed p;

        if (record_parse(refused[_i], strlen(refused[_i]), &p) != -EBADMSG)
                ck_abort_msg("%s", refused[_i]);
}
END_TEST

/* Members of other types than ours, which are as if they were not there. */
static const char *const odd[] = {
        HEAD "\"unlink\"}}",
        HEAD "\"unlink\"}}\r\n",
        HEAD "\"unlink\"},\"file\":1,\"process\":[],\"whodunlink\":\"x\",\"user\":null}",
        HEAD
        "\"move\"},\"file\":{\"path\":\"relative\",\"inode\":-1,\"target_path\":\"a\\u0000b\"}}",
        HEAD "\"unlink\"},\"file\":{\"path\":\"/"
             "a\",\"inode\":\"x\"},\"whodunlink\":{\"path_raw\":\"!\"}}",
        HEAD "\"unlink\"},\"process\":{\"pid\":-4,\"args\":[1,{},\"x\"],\"args_raw\":[],"
             "\"parent\":7},\"whodunlink\":{\"ancestry\":[1,null,{}],\"held_by\":[{},7],"
             "\"cause\":{\"type\":\"moon\"},\"attribution\":\"live\"}}",
        HEAD
        "\"unlink\"},\"process\":{\"pid\":99999999999999999999,\"user\":{\"id\":\"4294967296\"},"
        "\"entry_leader\":{\"pid\":1,\"entry_meta\":{\"type\":\"terminal\"}}},"
        "\"systemd\":{\"unit\":\"../../x\",\"slice\":\"\"},\"container\":{\"id\":\"/\"}}",
};

START_TEST(test_odd) {
        _cleanup_record_parsed_ RecordParsed p = {0};

        if (record_parse(odd[_i], strlen(odd[_i]), &p) != 0)
                ck_abort_msg("%s", odd[_i]);
        append(p.record);
        ck_assert_uint_gt(out.n_bytes, 0);
        ck_assert(!p.record.cause);
}
END_TEST

START_TEST(test_bounds) {
        _cleanup_buffer_ Buffer b = {0};
        RecordParsed p;

        buffer_append_literal(&b, HEAD "\"unlink\"},\"x\":");
        for (int i = 0; i < 100; i++)
                buffer_append_char(&b, '[');
        for (int i = 0; i < 100; i++)
                buffer_append_char(&b, ']');
        buffer_append_char(&b, '}');
        ck_assert_int_eq(record_parse(b.bytes, b.n_bytes, &p), -EBADMSG);

        buffer_clear(&b);
        buffer_append_literal(&b, HEAD "\"unlink\"},\"x\":\"");
        while (b.n_bytes <= RECORD_PARSE_LINE_MAX)
                buffer_append_char(&b, 'x');
        buffer_append_literal(&b, "\"}");
        ck_assert_int_eq(record_parse(b.bytes, b.n_bytes, &p), -E2BIG);
}
END_TEST

#define N(a) (int)(sizeof(a) / sizeof((a)[0]))

int main(void) {
        TCase *t = tcase_create("record_parse");

        setenv("TZ", "UTC", 1);
        tcase_add_checked_fixture(t, setup, teardown);
        tcase_add_test(t, test_plain);
        tcase_add_test(t, test_paths);
        tcase_add_loop_test(t, test_origins, 0, N(origins));
        tcase_add_loop_test(t, test_entries, 0, 3);
        tcase_add_test(t, test_facts);
        tcase_add_loop_test(t, test_attributions, ATTRIBUTION_NONE, ATTRIBUTION_LIVE + 1);
        tcase_add_test(t, test_remains);
        tcase_add_test(t, test_cause);
        tcase_add_loop_test(t, test_news, 0, 4);
        tcase_add_test(t, test_fold);
        tcase_add_test(t, test_group);
        tcase_add_loop_test(t, test_refused, 0, N(refused));
        tcase_add_loop_test(t, test_odd, 0, N(odd));
        tcase_add_test(t, test_bounds);
        return unit_run("record_parse", t);
}
