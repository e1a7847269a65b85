/* SPDX-License-Identifier: MIT */

/* Names and arguments are bytes: every line stays JSON, and the bytes can be had back exactly. */

#include "record/record_json.h"

#include "fixtures_record_json.h"

#define BYTES_MAX 1024

typedef struct Bytes {
        char bytes[BYTES_MAX];
        size_t n_bytes;
} Bytes;

static int digit_of(char c) {
        static const char digits[] =
                "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
        const char *found = memchr(digits, c, sizeof(digits) - 1);

        ck_assert_ptr_nonnull(found);
        return (int)(found - digits);
}

static void decode_base64(const char *text, Bytes *ret) {
        size_t n = strlen(text);

        ck_assert_uint_eq(n % 4, 0);
        ret->n_bytes = 0;
        for (size_t i = 0; i < n; i += 4) {
                int n_digits = text[i + 2] == '=' ? 2 : text[i + 3] == '=' ? 3 : 4, v = 0;

                for (int k = 0; k < 4; k++)
                        v = v << 6 | (k < n_digits ? digit_of(text[i + (size_t)k]) : 0);
                for (int k = 0; k < n_digits - 1; k++)
                        ret->bytes[ret->n_bytes++] = (char)(v >> (16 - 8 * k));
        }
}

/* The bytes behind a string: from the raw one where there is one, else the string itself. */
static void expect_bytes(const char *path, const char *raw_path, const char *bytes,
                         size_t n_bytes) {
        json_object *raw = get(raw_path), *text = get(path);
        Bytes b = {0};

        ck_assert_msg(text, "%s is missing", path);
        if (raw) {
                decode_base64(json_object_get_string(raw), &b);
                ck_assert_ptr_nonnull(strstr(json_object_get_string(text), "\xef\xbf\xbd"));
        } else {
                b.n_bytes = (size_t)json_object_get_string_len(text);
                memcpy(b.bytes, json_object_get_string(text), b.n_bytes);
        }
        ck_assert_uint_eq(b.n_bytes, n_bytes);
        ck_assert_mem_eq(b.bytes, bytes, n_bytes);
}

static void expect_string_bytes(const char *path, const char *bytes) {
        char raw_path[128];

        snprintf(raw_path, sizeof(raw_path), "%s_raw", path);
        expect_bytes(path, raw_path, bytes, strlen(bytes));
}

static void expect_args(const char *args, size_t n_args) {
        json_object *list = get("process.args"), *raw = get("process.args_raw");
        size_t i = 0;

        for (size_t at = 0; at < n_args; i++) {
                json_object *o = json_object_array_get_idx(raw ? raw : list, i);
                size_t n = strlen(args + at);
                Bytes b;

                ck_assert_ptr_nonnull(o);
                if (raw)
                        decode_base64(json_object_get_string(o), &b);
                ck_assert_uint_eq(raw ? b.n_bytes : (size_t)json_object_get_string_len(o), n);
                ck_assert_mem_eq(raw ? b.bytes : json_object_get_string(o), args + at, n);
                at += n + 1;
        }
        ck_assert_uint_eq(json_object_array_length(list), i);
        ck_assert_int_eq(json_object_get_int64(get("process.args_count")), (int64_t)i);
}

/* Pieces to be put everywhere; each byte but NUL comes by itself, too. */
static const char *const pieces[] = {
        "\xff",
        "a\xff\xfeg",
        "\xc3",
        "\xc3\xa9",
        "\xe2\x82",
        "\xe2\x82\xac",
        "\xf0\x9f\x98\x80",
        "\xf0\x9f\x98",
        "\xed\xa0\x80",
        "\xc0\x80",
        "\xf4\x90\x80\x80",
        "\xef\xbf\xbd",
        "\xef\xbf\xbd\xff",
        "\xe2\x80\xa8\xe2\x80\xa9",
        "\"",
        "\\",
        "\\\"",
        "\\u0000",
        "\",\"x\":\"",
        "\"}\n{\"a\":1}",
        "</script>",
        "\n",
        "\r\n\t\b\f\v",
        "\x1b[31m",
        "\x7f",
        "%s%n",
        " ",
        "-",
        "null",
};

#define N_PIECES ((int)(sizeof(pieces) / sizeof(pieces[0])))
#define N_TEXTS (255 + N_PIECES)

/* Text i: a byte, or a piece. */
static const char *text_of(int i) {
        static char byte[2];

        if (i >= 255)
                return pieces[i - 255];
        byte[0] = (char)(i + 1);
        return byte;
}

static bool is_path(const char *text) {
        return !strchr(text, '/');
}

START_TEST(test_path) {
        const char *text = text_of(_i);
        char directory[64], name[64], path[256];
        Deleter *d;
        Record r;

        if (!is_path(text))
                return;
        snprintf(directory, sizeof(directory), "/d%s", text);
        snprintf(name, sizeof(name), "%s.%s", text, text);
        d = fixture_deleter(1, ATTRIBUTION_PID_ONLY, 0, NULL, NULL);
        r = record_of(RECORD_MOVE, d);
        r.path = path_of(directory, name);
        r.new_path = path_of("/", name);
        append(&r);
        snprintf(path, sizeof(path), "%s/%s", directory, name);
        expect_bytes("file.path", "whodunlink.path_raw", path, strlen(path));
        expect_bytes("file.target_path", "whodunlink.target_path_raw", path + strlen(directory),
                     strlen(name) + 1);
        ck_assert_ptr_nonnull(get("file.name"));
        ck_assert_ptr_nonnull(get("file.directory"));
        if (!get("whodunlink.path_raw")) {
                expect_text("file.name", name);
                expect_text("file.directory", directory);
                expect_text("file.extension",
                            strrchr(name, '.')[1] ? strrchr(name, '.') + 1 : NULL);
        }
        deleter_unref(d);
}
END_TEST

START_TEST(test_process) {
        const char *text = text_of(_i);
        char exe[64], cwd[64], args[256], comm[32], command[256];
        ProcessFactsParts p = fixture_parts();
        Deleter *d;
        Record r;
        int n;

        snprintf(exe, sizeof(exe), "/bin/%s", text);
        snprintf(cwd, sizeof(cwd), "/%sx", text);
        snprintf(comm, sizeof(comm), "%.15s", text);
        n = snprintf(args, sizeof(args), "%s%c%s%s%c%c%s", text, 0, text, text, 0, 0, text) + 1;
        snprintf(command, sizeof(command), "%s %s%s  %s", text, text, text, text);
        fixture_set_args(&p, args, (size_t)n);
        fixture_set_executable(&p, exe);
        fixture_set_cgroup(&p, NULL);
        p.working_directory = cwd;
        p.n_working_directory = strlen(cwd);
        strcpy(p.facts.comm, comm);
        d = fixture_deleter(1, ATTRIBUTION_LIVE, 1, &p, NULL);
        r = record_of(RECORD_UNLINK, d);
        append(&r);
        expect_string_bytes("process.name", comm);
        expect_string_bytes("process.executable", exe);
        expect_string_bytes("process.working_directory", cwd);
        expect_string_bytes("process.command_line", command);
        expect_args(args, (size_t)n);
        deleter_unref(d);
}
END_TEST

START_TEST(test_ancestors_and_names) {
        const char *text = text_of(_i);
        char comm[32], unit[64], cgroup[128];
        const char *chain[] = {comm, comm, NULL};
        ProcessFactsParts p = fixture_parts();
        json_object *ancestor;
        Deleter *d;
        Record r;

        snprintf(comm, sizeof(comm), "%.15s", text);
        snprintf(unit, sizeof(unit), "a%s.service", text);
        snprintf(cgroup, sizeof(cgroup), "/system.slice/%s", unit);
        fixture_set_cgroup(&p, is_path(text) ? cgroup : NULL);
        user_name = text;
        setup_again();
        p.facts.ids = (ProcIds){1000, 1000, 1000, 1000};
        d = fixture_deleter(1, ATTRIBUTION_LIVE, 1, &p, chain);
        r = record_of(RECORD_UNLINK, d);
        append(&r);
        expect_string_bytes("process.parent.name", comm);
        expect_string_bytes("user.name", text);
        expect_string_bytes("user.audit.name", text);
        expect_string_bytes("process.group.name", text);
        /* Hardly any of them is one. */
        if (get("systemd.unit"))
                expect_string_bytes("systemd.unit", unit);
        ancestor = json_object_get(json_object_array_get_idx(get("whodunlink.ancestry"), 1));
        json_object_put(top);
        top = ancestor;
        expect_string_bytes("name", comm);
        deleter_unref(d);
}
END_TEST

/* News, hosts and mounts: nothing is had back, but the line stays one. */
START_TEST(test_news) {
        const char *text = text_of(_i);
        Record r = {.action = RECORD_LOSS, .realtime_nsec = NSEC, .sequence = 1};
        ScopeMount m = {.point = (char *)(uintptr_t)text,
                        .n_point = strlen(text),
                        .fstype = (char *)(uintptr_t)text,
                        .source = (char *)(uintptr_t)text};

        snprintf(host.name, sizeof(host.name), "%s", text);
        setup_again();
        r.message = text;
        r.loss.where = text;
        r.loss.filesystem = text;
        r.mount = &m;
        append(&r);
        if (!strstr(json_object_get_string(get("message")), "\xef\xbf\xbd")) {
                expect_text("message", text);
                expect_text("host.name", text);
                expect_text("whodunlink.mount.path", text);
                expect_text("whodunlink.mount.fstype", text);
                expect_text("whodunlink.mount.source", text);
                expect_text("whodunlink.loss.where", text);
                expect_text("whodunlink.loss.filesystem", text);
        }
}
END_TEST

/* All bytes at once, as long as names get. */
START_TEST(test_all_bytes) {
        char all[256], path[1024];
        Deleter *d = fixture_deleter(1, ATTRIBUTION_PID_ONLY, 0, NULL, NULL);
        Record r = record_of(RECORD_UNLINK, d);

        for (int i = 0; i < 255; i++)
                all[i] = (char)(i + 1);
        all[255] = '\0';
        snprintf(path, sizeof(path), "/%s/%s", all, all);
        r.path = (RecordPath){
                .directory = path, .n_directory = 256, .name = path + 257, .n_name = 255};
        append(&r);
        expect_bytes("file.path", "whodunlink.path_raw", path, 512);
        deleter_unref(d);
}
END_TEST

int main(void) {
        TCase *tcase = tcase_create("record_json_hostile");

        tcase_add_checked_fixture(tcase, setup, teardown);
        tcase_add_loop_test(tcase, test_path, 0, N_TEXTS);
        tcase_add_loop_test(tcase, test_process, 0, N_TEXTS);
        tcase_add_loop_test(tcase, test_ancestors_and_names, 0, N_TEXTS);
        tcase_add_loop_test(tcase, test_news, 0, N_TEXTS);
        tcase_add_test(tcase, test_all_bytes);
        return unit_run("record_json_hostile", tcase);
}
