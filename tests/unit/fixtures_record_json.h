/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Records to JSON lines and back: each line is parsed strictly, and nothing in it may be empty, of
 * a wrong type or outside of the schema.
 */

#include <grp.h>
#include <json-c/json.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>

#include "fixtures_deleter.h"
#include "fixtures_user_names.h"
#include "record/record_json.h"

/* 2026-11-23T00:55:13.000000007Z */
#define NSEC (UINT64_C(1795395313) * 1000000000 + 7)

static const char *user_name = "alice";
static _Atomic useconds_t name_delay_usec; /* that the name service takes for an answer */

/* These stand before libc's: the library that is tested is linked statically. */
int getpwuid_r(uid_t uid, struct passwd *entry, char *buf, size_t n_buf, struct passwd **result) {
        usleep(name_delay_usec);
        memset(entry, 0, sizeof(*entry));
        snprintf(buf, n_buf, "%s", uid == 0 ? "root" : user_name);
        entry->pw_name = buf;
        *result = uid == 0 || uid == 1000 ? entry : NULL;
        return 0;
}

int getgrgid_r(gid_t gid, struct group *entry, char *buf, size_t n_buf, struct group **result) {
        memset(entry, 0, sizeof(*entry));
        snprintf(buf, n_buf, "%s", gid == 0 ? "wheel" : user_name);
        entry->gr_name = buf;
        *result = gid == 0 || gid == 1000 ? entry : NULL;
        return 0;
}

static HostFacts host;
static UserNames *names;
static RecordJson *json;
static Buffer line;
static json_object *top; /* of the last line */

static inline UserNames *new_names(void) {
        UserNames *n = fixture_names();

        (void)fixture_group(n, 0);
        (void)fixture_group(n, 1000);
        return n;
}

static inline void setup(void) {
        host = (HostFacts){.name = "box", .machine_id = "mid", .boot_id = "bid", .run_id = "rid"};
        user_name = "alice";
        names = new_names();
        ck_assert_int_eq(record_json_new(&host, names, &json), 0);
}

static inline void teardown(void) {
        json_object_put(top);
        top = NULL;
        json = record_json_free(json);
        names = user_names_free(names);
        buffer_done(&line);
}

/* After a change of host or user_name. */
static inline void setup_again(void) {
        json = record_json_free(json);
        names = user_names_free(names);
        names = new_names();
        ck_assert_int_eq(record_json_new(&host, names, &json), 0);
}

/* Types from ecs-fields.tsv (keyword, wildcard, match_only_text and date are strings), and ours. */
typedef struct Field {
        const char *path;
        json_type type;
} Field;

static const Field fields[] = {
        {"@timestamp", json_type_string},
        {"message", json_type_string},
        {"ecs.version", json_type_string},
        {"event.kind", json_type_string},
        {"event.category", json_type_array},
        {"event.type", json_type_array},
        {"event.action", json_type_string},
        {"event.dataset", json_type_string},
        {"event.provider", json_type_string},
        {"event.outcome", json_type_string},
        {"event.sequence", json_type_int},
        {"event.id", json_type_string},
        {"file.path", json_type_string},
        {"file.name", json_type_string},
        {"file.directory", json_type_string},
        {"file.extension", json_type_string},
        {"file.type", json_type_string},
        {"file.inode", json_type_string},
        {"file.device", json_type_string},
        {"file.size", json_type_int},
        {"file.uid", json_type_string},
        {"file.gid", json_type_string},
        {"file.owner", json_type_string},
        {"file.group", json_type_string},
        {"file.mode", json_type_string},
        {"file.mtime", json_type_string},
        {"file.ctime", json_type_string},
        {"file.accessed", json_type_string},
        {"file.target_path", json_type_string},
        {"process.pid", json_type_int},
        {"process.entity_id", json_type_string},
        {"process.name", json_type_string},
        {"process.executable", json_type_string},
        {"process.command_line", json_type_string},
        {"process.args", json_type_array},
        {"process.args_count", json_type_int},
        {"process.working_directory", json_type_string},
        {"process.start", json_type_string},
        {"process.title", json_type_string},
        {"process.vpid", json_type_int},
        {"process.entry_leader.entry_meta.type", json_type_string},
        {"process.user.id", json_type_string},
        {"process.user.name", json_type_string},
        {"process.real_user.id", json_type_string},
        {"process.real_user.name", json_type_string},
        {"process.group.id", json_type_string},
        {"process.group.name", json_type_string},
        {"user.id", json_type_string},
        {"user.name", json_type_string},
        {"user.audit.id", json_type_string},
        {"user.audit.name", json_type_string},
        {"systemd.unit", json_type_string},
        {"systemd.user_unit", json_type_string},
        {"systemd.slice", json_type_string},
        {"systemd.session", json_type_string},
        {"systemd.invocation_id", json_type_string},
        {"container.id", json_type_string},
        {"container.runtime", json_type_string},
        {"orchestrator.resource.id", json_type_string},
        {"host.name", json_type_string},
        {"host.id", json_type_string},
        {"host.boot.id", json_type_string},
        {"whodunlink.ancestry", json_type_array},
        {"whodunlink.unit.template", json_type_string},
        {"whodunlink.unit.instance", json_type_string},
        {"whodunlink.executable_deleted", json_type_boolean},
        {"whodunlink.args_cut", json_type_boolean},
        {"whodunlink.attribution", json_type_string},
        {"whodunlink.upper_path", json_type_string},
        {"whodunlink.container_path", json_type_string},
        {"whodunlink.overwrite_unknown", json_type_boolean},
        {"whodunlink.links_left", json_type_int},
        {"whodunlink.also_at", json_type_string},
        {"whodunlink.held_open", json_type_boolean},
        {"whodunlink.held_by", json_type_array},
        {"whodunlink.held_by.pid", json_type_int},
        {"whodunlink.held_by.name", json_type_string},
        {"whodunlink.held_by.fd", json_type_int},
        {"whodunlink.cause_late", json_type_boolean},
        {"whodunlink.cause.type", json_type_string},
        {"whodunlink.cause.rule", json_type_string},
        {"whodunlink.cause.source", json_type_string},
        {"whodunlink.cause.unit", json_type_string},
        {"whodunlink.cause.triggered_by", json_type_string},
        {"whodunlink.cause.explanation", json_type_string},
        {"whodunlink.path_source", json_type_string},
        {"whodunlink.path_raw", json_type_string},
        {"whodunlink.target_path_raw", json_type_string},
        {"whodunlink.mount.path", json_type_string},
        {"whodunlink.mount.fstype", json_type_string},
        {"whodunlink.mount.source", json_type_string},
        {"whodunlink.mount.subvolume", json_type_string},
        {"whodunlink.fold.count", json_type_int},
        {"whodunlink.fold.files", json_type_int},
        {"whodunlink.fold.directories", json_type_int},
        {"whodunlink.fold.moves", json_type_int},
        {"whodunlink.fold.overwrites", json_type_int},
        {"whodunlink.fold.common_directory", json_type_string},
        {"whodunlink.fold.common_directory_raw", json_type_string},
        {"whodunlink.fold.first", json_type_string},
        {"whodunlink.fold.first_raw", json_type_string},
        {"whodunlink.fold.last", json_type_string},
        {"whodunlink.fold.last_raw", json_type_string},
        {"whodunlink.fold.since", json_type_string},
        {"whodunlink.fold.until", json_type_string},
        {"whodunlink.loss.where", json_type_string},
        {"whodunlink.loss.count", json_type_int},
        {"whodunlink.loss.filesystem", json_type_string},
};

/* The parent and the ancestors are processes too; *_raw is of its sibling's type. */
static inline void check_type(const char *path, json_type type) {
        static const char *const relatives[] = {"process.parent.", "process.session_leader.",
                                                "process.entry_leader.", "whodunlink.ancestry."};
        static const char entry_meta[] = "process.entry_leader.entry_meta.";
        char name[256];
        size_t n = strlen(path);

        snprintf(name, sizeof(name), "%s", path);
        for (size_t i = 0; i < sizeof(relatives) / sizeof(relatives[0]); i++)
                if (strncmp(path, relatives[i], strlen(relatives[i])) == 0 &&
                    strncmp(path, entry_meta, strlen(entry_meta)) != 0)
                        snprintf(name, sizeof(name), "process.%s", path + strlen(relatives[i]));
        for (int is_raw = 0; is_raw < 2; is_raw++) {
                for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
                        if (strcmp(fields[i].path, name) == 0) {
                                ck_assert_msg(fields[i].type == type, "%s has a wrong type", path);
                                return;
                        }
                if (n > 4 && strcmp(path + n - 4, "_raw") == 0)
                        name[strlen(name) - 4] = '\0';
        }
        ck_abort_msg("%s is not in the schema", path);
}

static inline void check_tree(const char *path, json_object *o) {
        char below[256];

        switch (json_object_get_type(o)) {
        case json_type_object:
                ck_assert_msg(json_object_object_length(o) > 0, "%s is empty", path);
                json_object_object_foreach(o, key, value) {
                        snprintf(below, sizeof(below), "%s%s%s", path, path[0] ? "." : "", key);
                        check_tree(below, value);
                }
                return;
        case json_type_array:
                ck_assert_msg(json_object_array_length(o) > 0, "%s is empty", path);
                /* An argument may be. */
                for (size_t i = 0; i < json_object_array_length(o); i++) {
                        json_object *e = json_object_array_get_idx(o, i);

                        if (json_object_get_type(e) == json_type_object)
                                check_tree(path, e);
                        else
                                ck_assert_int_eq(json_object_get_type(e), json_type_string);
                }
                break;
        case json_type_string:
                ck_assert_msg(json_object_get_string_len(o) > 0, "%s is empty", path);
                break;
        case json_type_int:
                ck_assert_msg(json_object_get_int64(o) > 0, "%s is zero", path);
                break;
        default:
                break;
        }
        check_type(path, json_object_get_type(o));
}

/* Renders, parses and checks one record; what it says is in `top`. */
static inline void append(const Record *r) {
        struct json_tokener *tokener = json_tokener_new();
        size_t start = line.n_bytes, n;

        ck_assert_int_eq(record_json_append(json, r, &line), 0);
        ck_assert(!line.is_failed);
        n = line.n_bytes - start;
        ck_assert_ptr_eq(memchr(line.bytes + start, '\n', n), line.bytes + start + n - 1);
        for (size_t i = start; i < line.n_bytes - 1; i++)
                if ((unsigned char)line.bytes[i] < 0x20)
                        ck_abort_msg("a control character is not escaped");

        json_object_put(top);
        json_tokener_set_flags(tokener, JSON_TOKENER_STRICT | JSON_TOKENER_VALIDATE_UTF8);
        top = json_tokener_parse_ex(tokener, line.bytes + start, (int)n - 1);
        ck_assert_int_eq(json_tokener_get_error(tokener), json_tokener_success);
        ck_assert_uint_eq(json_tokener_get_parse_end(tokener), n - 1);
        json_tokener_free(tokener);
        ck_assert_int_eq(json_object_get_type(top), json_type_object);
        check_tree("", top);
}

/* What stands under a path like "file.name", or NULL. */
static inline json_object *get(const char *path) {
        json_object *o = top;
        char key[64];

        while (o && *path) {
                size_t n = strcspn(path, ".");

                snprintf(key, sizeof(key), "%.*s", (int)n, path);
                if (!json_object_object_get_ex(o, key, &o))
                        return NULL;
                path += n + (path[n] == '.');
        }
        return o;
}

static inline void expect_text(const char *path, const char *expected) {
        const char *s = json_object_get_string(get(path));

        if (!expected) {
                ck_assert_msg(!s, "%s is there", path);
                return;
        }
        ck_assert_msg(s, "%s is missing", path);
        ck_assert_str_eq(s, expected);
}

static inline RecordPath path_of(const char *directory, const char *name) {
        return (RecordPath){
                .directory = directory,
                .n_directory = directory ? strlen(directory) : 0,
                .name = name,
                .n_name = name ? strlen(name) : 0,
        };
}

static inline Record record_of(RecordAction action, const Deleter *d) {
        return (Record){
                .action = action,
                .realtime_nsec = NSEC,
                .sequence = 7,
                .key = {.stream = 3, .position = 12},
                .path = path_of("/tmp", "x.txt"),
                .deleter = d,
                .path_source = PATH_SOURCE_HANDLE,
        };
}
