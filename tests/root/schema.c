/* SPDX-License-Identifier: MIT */

/*
 * See schema.h.
 * Source: Elastic Common Schema 9.5.0-dev, generated/csv/fields.csv: the rows a record may use.
 */

#include "schema.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "harness.h"
#include "record.h"

typedef enum Type {
        KEYWORD, /* also wildcard and match_only_text: a string */
        KEYWORDS,
        LONG,
        DATE,
        FREE, /* ours, of any type */
} Type;

static const struct {
        const char *field; /* "parent." below stands for session_leader and entry_leader, too */
        Type type;
} schema[] = {
        {"@timestamp", DATE},
        {"message", KEYWORD},
        {"ecs.version", KEYWORD},
        {"event.kind", KEYWORD},
        {"event.category", KEYWORDS},
        {"event.type", KEYWORDS},
        {"event.action", KEYWORD},
        {"event.dataset", KEYWORD},
        {"event.provider", KEYWORD},
        {"event.outcome", KEYWORD},
        {"event.sequence", LONG},
        {"event.id", KEYWORD},
        {"file.path", KEYWORD},
        {"file.name", KEYWORD},
        {"file.directory", KEYWORD},
        {"file.extension", KEYWORD},
        {"file.type", KEYWORD},
        {"file.inode", KEYWORD},
        {"file.device", KEYWORD},
        {"file.size", LONG},
        {"file.uid", KEYWORD},
        {"file.gid", KEYWORD},
        {"file.owner", KEYWORD},
        {"file.mode", KEYWORD},
        {"file.mtime", DATE},
        {"file.ctime", DATE},
        {"file.accessed", DATE},
        {"file.target_path", KEYWORD},
        {"process.pid", LONG},
        {"process.entity_id", KEYWORD},
        {"process.name", KEYWORD},
        {"process.title", KEYWORD},
        {"process.executable", KEYWORD},
        {"process.command_line", KEYWORD},
        {"process.args", KEYWORDS},
        {"process.args_count", LONG},
        {"process.working_directory", KEYWORD},
        {"process.start", DATE},
        {"process.user.id", KEYWORD},
        {"process.user.name", KEYWORD},
        {"process.real_user.id", KEYWORD},
        {"process.real_user.name", KEYWORD},
        {"process.group.id", KEYWORD},
        {"process.group.name", KEYWORD},
        {"process.vpid", LONG},
        {"process.entry_leader.entry_meta.type", KEYWORD},
        {"user.id", KEYWORD},
        {"user.name", KEYWORD},
        {"host.name", KEYWORD},
        {"host.id", KEYWORD},
        {"host.boot.id", KEYWORD},
        {"container.id", KEYWORD},
        {"container.runtime", KEYWORD},
        {"orchestrator.resource.id", KEYWORD},
};

static const char *const order[] = {"@timestamp", "message", "ecs", "event"};

static bool starts_with(const char *s, const char *start) {
        return strncmp(s, start, strlen(start)) == 0;
}

static Type type_of(const char *field) {
        static const char *const relatives[] = {"process.parent.", "process.session_leader.",
                                                "process.entry_leader."};
        size_t n = strlen(field);
        char own[128];

        if (starts_with(field, "whodunlink.") || starts_with(field, "systemd.") ||
            starts_with(field, "user.audit.") || (n > 4 && strcmp(field + n - 4, "_raw") == 0))
                return FREE;
        for (size_t i = 0; i < sizeof(schema) / sizeof(*schema); i++)
                if (strcmp(field, schema[i].field) == 0)
                        return schema[i].type;
        for (size_t i = 0; i < sizeof(relatives) / sizeof(*relatives); i++) {
                if (!starts_with(field, relatives[i]))
                        continue;
                snprintf(own, sizeof(own), "process.%s", field + strlen(relatives[i]));
                return type_of(own);
        }
        harness_abort("%s is not a field of the schema", field);
}

/* 2026-07-04T12:34:56.123456789Z */
static bool is_date(const char *s) {
        static const char pattern[] = "dddd-dd-ddTdd:dd:dd.dddddddddZ";

        if (strlen(s) != sizeof(pattern) - 1)
                return false;
        for (size_t i = 0; s[i]; i++)
                if (pattern[i] == 'd' ? s[i] < '0' || s[i] > '9' : s[i] != pattern[i])
                        return false;
        return true;
}

static void check_array(const char *field, Type type, struct json_object *value) {
        size_t n = json_object_array_length(value);

        harness_assert(type == KEYWORDS || type == FREE, "%s is an array", field);
        harness_assert(n > 0, "%s is empty", field);
        for (size_t i = 0; i < n && type == KEYWORDS; i++)
                harness_assert(
                        json_object_is_type(json_object_array_get_idx(value, i), json_type_string),
                        "%s[%zu] is no string", field, i);
}

static void check_value(const char *field, struct json_object *value) {
        Type type = type_of(field);

        harness_assert(value, "%s is null", field);
        switch (json_object_get_type(value)) {
        case json_type_string:
                harness_assert(type == KEYWORD || type == DATE || type == FREE, "%s is a string",
                               field);
                harness_assert(json_object_get_string_len(value) > 0, "%s is empty", field);
                harness_assert(strcmp(json_object_get_string(value), "-") != 0, "%s is -", field);
                harness_assert(type != DATE || is_date(json_object_get_string(value)),
                               "%s is no date: %s", field, json_object_get_string(value));
                break;
        case json_type_int:
                harness_assert(type == LONG || type == FREE, "%s is a number", field);
                break;
        case json_type_array:
                check_array(field, type, value);
                break;
        default:
                harness_assert(type == FREE, "%s has a strange type", field);
                break;
        }
}

static void check_object(const char *prefix, struct json_object *object) {
        harness_assert(json_object_object_length(object) > 0, "%s is empty", prefix);
        json_object_object_foreach(object, key, value) {
                char field[256];

                snprintf(field, sizeof(field), "%s%s%s", prefix, *prefix ? "." : "", key);
                if (json_object_is_type(value, json_type_object))
                        check_object(field, value);
                else
                        check_value(field, value);
        }
}

void schema_assert(struct json_object *record) {
        size_t i = 0;

        json_object_object_foreach(record, key, value) {
                if (i < sizeof(order) / sizeof(*order))
                        harness_assert(strcmp(key, order[i]) == 0, "key %zu is %s", i, key);
                ck_assert(value);
                i++;
        }
        check_object("", record);
}
