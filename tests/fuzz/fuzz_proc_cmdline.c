/* SPDX-License-Identifier: MIT */

/*
 * /proc/PID/cmdline, as it goes into records: whatever a process writes there, the exact arguments
 * can be had back from the JSON, and people see text only.
 */

#include <errno.h>
#include <json-c/json.h>

#include "base/utf8.h"
#include "fuzz.h"
#include "identify/deleter.h"
#include "record/json_process.h"
#include "record/record_text_who.h"

/* TASK_COMM_LEN of linux/sched.h. */
#define COMM_BYTES 16

/* Bytes that an argument was, in the order of the list. */
typedef struct Args {
        char bytes[PROCESS_ARGS_MAX_BYTES + 1];
        size_t n_bytes;
} Args;

static ProcessFacts *facts_of(const uint8_t *bytes, size_t n_bytes) {
        ProcessFactsParts p = {
                .facts = {.login_uid = PROCESS_ID_UNSET, .session_id = PROCESS_ID_UNSET},
                .args = (const char *)bytes,
                .n_args_bytes = n_bytes,
        };
        _cleanup_free_ char *first = fuzz_string(bytes, n_bytes);
        const char *slash = strrchr(first, '/'), *name = slash ? slash + 1 : first;
        ProcessFacts *f;

        /* As proc_snapshot.c does. */
        if (n_bytes > PROCESS_ARGS_MAX_BYTES) {
                p.facts.is_args_cut = true;
                p.n_args_bytes = PROCESS_ARGS_MAX_BYTES;
        }
        /* As the kernel names a process after its program. */
        snprintf(p.facts.comm, COMM_BYTES, "%s", name);
        f = process_facts_new(&p);
        fuzz_check(f != NULL);
        fuzz_check(f->n_args_bytes == p.n_args_bytes);
        fuzz_check(memcmp(f->args, bytes, f->n_args_bytes) == 0);
        if (*name)
                fuzz_check(strncmp(f->name, f->comm, strlen(f->comm)) == 0);
        else
                fuzz_check(f->name == NULL);
        return f;
}

static Deleter *deleter_of(ProcessFacts *facts) {
        static ProcessAnswer answer; /* large */
        Deleter *d;

        memset(&answer, 0, sizeof(answer));
        answer.process = (ProcessView){.pid = 4711, .serial = 1, .facts = facts};
        answer.has_executed = true;
        d = deleter_new(1, ATTRIBUTION_EXEC, true, &answer);
        fuzz_check(d != NULL);
        return d;
}

/* A string that is a JSON object's, with nothing unescaped in it. */
static json_object *parse(const Buffer *members) {
        _cleanup_buffer_ Buffer text = {0};
        struct json_tokener *tokener = json_tokener_new();
        json_object *o;

        fuzz_check(tokener && members->n_bytes > 0);
        fuzz_check(members->bytes[members->n_bytes - 1] == ',');
        buffer_append_char(&text, '{');
        buffer_append(&text, members->bytes, members->n_bytes - 1);
        buffer_append_char(&text, '}');
        fuzz_check(!text.is_failed && utf8_is_valid(text.bytes, text.n_bytes));
        for (size_t i = 0; i < text.n_bytes; i++)
                fuzz_check((uint8_t)text.bytes[i] >= 0x20);
        json_tokener_set_flags(tokener, JSON_TOKENER_STRICT);
        o = json_tokener_parse_ex(tokener, text.bytes, (int)text.n_bytes);
        fuzz_check(o && json_tokener_get_parse_end(tokener) == text.n_bytes);
        json_tokener_free(tokener);
        return o;
}

static unsigned base64_value(char c) {
        static const char alphabet[] =
                "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
        const char *at = c ? strchr(alphabet, c) : NULL;

        fuzz_check(at != NULL);
        return (unsigned)(at - alphabet);
}

static void put(Args *a, char c) {
        fuzz_check(a->n_bytes < sizeof(a->bytes));
        a->bytes[a->n_bytes++] = c;
}

static void put_base64(Args *a, const char *text, size_t n) {
        fuzz_check(n % 4 == 0);
        for (size_t i = 0; i < n; i += 4) {
                size_t n_padding = text[i + 3] != '=' ? 0 : text[i + 2] != '=' ? 1 : 2;
                unsigned v = base64_value(text[i]) << 18 | base64_value(text[i + 1]) << 12;

                fuzz_check(n_padding == 0 || i + 4 == n);
                if (n_padding < 2)
                        v |= base64_value(text[i + 2]) << 6;
                if (n_padding < 1)
                        v |= base64_value(text[i + 3]);
                put(a, (char)(uint8_t)(v >> 16));
                if (n_padding < 2)
                        put(a, (char)(uint8_t)(v >> 8));
                if (n_padding < 1)
                        put(a, (char)(uint8_t)v);
        }
}

static json_object *member(json_object *o, const char *key) {
        json_object *value = NULL;

        return json_object_object_get_ex(o, key, &value) ? value : NULL;
}

/* Each argument ends in a NUL; the process may have taken the last one's away. */
static void check_args(const ProcessFacts *f, json_object *process) {
        json_object *args = member(process, "args"), *raw = member(process, "args_raw");
        json_object *count = member(process, "args_count"), *list = raw ? raw : args;
        static Args got; /* large */
        size_t n = json_object_array_length(args);

        got.n_bytes = 0;
        fuzz_check(!raw == utf8_is_valid(f->args, f->n_args_bytes));
        fuzz_check(!raw || json_object_array_length(raw) == n);
        fuzz_check(!count == f->is_args_cut);
        fuzz_check(!count || json_object_get_int64(count) == (int64_t)n);
        for (size_t i = 0; i < n; i++) {
                json_object *arg = json_object_array_get_idx(list, i);
                const char *text = json_object_get_string(arg);
                size_t n_text = (size_t)json_object_get_string_len(arg);

                if (raw)
                        put_base64(&got, text, n_text);
                else
                        for (size_t k = 0; k < n_text; k++)
                                put(&got, text[k]);
                if (i + 1 < n || f->args[f->n_args_bytes - 1] == '\0')
                        put(&got, '\0');
        }
        fuzz_check(got.n_bytes == f->n_args_bytes);
        fuzz_check(memcmp(got.bytes, f->args, got.n_bytes) == 0);
}

static void check_json(const Deleter *d, UserNames *names) {
        static const HostFacts host;
        JsonProcess p = {0};
        json_object *o, *process;

        fuzz_check(json_process_render(&p, d, &host, names) == 0);
        o = parse(&p.members);
        process = member(o, "process");
        fuzz_check(process && json_object_get_int64(member(process, "pid")) == 4711);
        check_args(d->process.facts, process);
        fuzz_check(utf8_is_valid(p.subject.bytes, p.subject.n_bytes));
        json_object_put(o);
        json_process_done(&p);
}

/* Nothing that a terminal would obey, and no line that is not of ours. */
static void check_text(const Deleter *d, UserNames *names, size_t n_columns) {
        const RecordTextOptions options = {.n_columns = n_columns};
        _cleanup_buffer_ Buffer text = {0};
        bool is_line_start = true;

        record_text_who_append(options, names, d, &text);
        fuzz_check(!text.is_failed && utf8_is_valid(text.bytes, text.n_bytes));
        for (size_t i = 0; i < text.n_bytes; i++) {
                uint8_t c = (uint8_t)text.bytes[i];

                fuzz_check((c >= 0x20 && c != 0x7f) || c == '\n');
                /* U+0080 to U+009F are controls, too. */
                fuzz_check(c != 0xc2 || (uint8_t)text.bytes[i + 1] >= 0xa0);
                fuzz_check(!is_line_start || c == ' ');
                is_line_start = c == '\n';
        }
        fuzz_check(is_line_start);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n_bytes) {
        static UserNames *names; /* until the end: it has a thread */
        Deleter *d;

        if (!names)
                fuzz_check(user_names_new(&names) == 0);
        /* Of a kernel thread, or gone: then there are no arguments. */
        if (n_bytes == 0)
                return 0;
        d = deleter_of(facts_of(bytes, n_bytes));
        check_json(d, names);
        check_text(d, names, 0);
        check_text(d, names, 40);
        deleter_unref(d);
        return 0;
}
