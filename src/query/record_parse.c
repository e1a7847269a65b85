/* SPDX-License-Identifier: MIT */

/*
 * Records read back.
 *
 * Source: record_json.c and remains.c, which write them; RFC 8259 by json-c, strict.
 */

#include "query/record_parse.h"

#include <errno.h>
#include <string.h>

#include "base/utf8.h"
#include "query/deleter_parse.h"
#include "query/json_value.h"

/* Ours are six deep; json-c recurses. */
#define DEPTH_MAX 32

static int parse_json(const char *line, size_t n_line, json_object **ret) {
        struct json_tokener *t;
        json_object *o;
        bool is_whole;

        while (n_line > 0 && (line[n_line - 1] == '\n' || line[n_line - 1] == '\r'))
                n_line--;
        if (n_line > RECORD_PARSE_LINE_MAX)
                return -E2BIG;
        /* json-c takes any bytes within a string, and at a NUL it would end. */
        if (n_line == 0 || line[0] != '{' || !utf8_is_valid(line, n_line) ||
            memchr(line, '\0', n_line))
                return -EBADMSG;
        t = json_tokener_new_ex(DEPTH_MAX);
        if (!t)
                return -ENOMEM;
        json_tokener_set_flags(t, JSON_TOKENER_STRICT);
        o = json_tokener_parse_ex(t, line, (int)n_line);
        is_whole = json_tokener_get_error(t) == json_tokener_success &&
                   json_tokener_get_parse_end(t) == n_line;
        json_tokener_free(t);
        if (!o)
                return -EBADMSG;
        if (!is_whole || !json_object_is_type(o, json_type_object)) {
                json_object_put(o);
                return -EBADMSG;
        }
        *ret = o;
        return 0;
}

static int parse_action(json_object *event, RecordAction *ret) {
        const char *word = json_value_string(event, "action");

        for (RecordAction a = RECORD_UNLINK; word && a < RECORD_N_ACTIONS; a++) {
                if (strcmp(record_action_to_string(a), word) != 0)
                        continue;
                *ret = a;
                return 0;
        }
        return -EBADMSG;
}

/* Cuts a path into directory and name, each in a buffer of its own. */
static int cut_path(const Buffer *path, Buffer *directory, Buffer *name, RecordPath *ret) {
        const char *slash = path->n_bytes > 0 ? memrchr(path->bytes, '/', path->n_bytes) : NULL;
        size_t n_directory = slash ? (size_t)(slash - path->bytes) : 0;

        if (!slash || path->bytes[0] != '/')
                return 0;
        buffer_append(directory, path->bytes, n_directory > 0 ? n_directory : 1);
        buffer_append(name, slash + 1, path->n_bytes - n_directory - 1);
        /* Of "/" it is empty, but known. */
        ret->directory = buffer_terminate(directory);
        ret->n_directory = directory->n_bytes;
        ret->name = buffer_terminate(name);
        ret->n_name = name->n_bytes;
        return directory->is_failed || name->is_failed ? -ENOMEM : 0;
}

/* file.path, with its exact bytes in whodunlink.path_raw. */
static int take_path(json_object *text, const char *text_key, json_object *ours,
                     const char *raw_key, Buffer *ret) {
        const char *encoded = json_value_string(ours, raw_key);
        int r;

        buffer_clear(ret);
        if (encoded && utf8_append_decoded_base64(ret, encoded, strlen(encoded)) == 0 &&
            ret->n_bytes > 0 && !memchr(ret->bytes, '\0', ret->n_bytes))
                return ret->is_failed ? -ENOMEM : 0;
        r = json_value_bytes(text, text_key, ret);
        return r < 0 ? r : 0;
}

static int parse_paths(RecordParsed *p, json_object *file, json_object *ours) {
        _cleanup_buffer_ Buffer path = {0};
        Record *record = &p->record;
        int r;

        r = take_path(file, "path", ours, "path_raw", &path);
        if (r >= 0)
                r = cut_path(&path, &p->directory, &p->name, &record->path);
        if (r >= 0 && !record->path.name) {
                /* In a directory that was not found out. */
                r = json_value_bytes(file, "name", &p->name);
                if (r > 0) {
                        record->path.name = buffer_terminate(&p->name);
                        record->path.n_name = p->name.n_bytes;
                }
        }
        if (r >= 0)
                r = take_path(file, "target_path", ours, "target_path_raw", &path);
        if (r >= 0)
                r = cut_path(&path, &p->new_directory, &p->new_name, &record->new_path);
        return r < 0 ? r : 0;
}

static void parse_type(Record *record, json_object *file) {
        const char *type = json_value_string(file, "type");

        record->is_subvolume = type && strcmp(type, "subvolume") == 0;
        record->is_directory = record->is_subvolume || (type && strcmp(type, "dir") == 0);
        (void)json_value_u64(file, "inode", UINT64_MAX, &record->inode);
}

static void parse_holders(RecordParsed *p, json_object *ours) {
        json_object *list = json_value_array(ours, "held_by");
        size_t n = list ? json_object_array_length(list) : 0;

        for (size_t i = 0; i < n && p->remains.n_holders < HOLDERS_MAX; i++) {
                json_object *o = json_object_array_get_idx(list, i);
                Holder *h = &p->holders[p->remains.n_holders];
                const char *name = json_value_string(o, "name");
                uint64_t pid, fd;

                if (!json_value_u64(o, "pid", INT32_MAX, &pid))
                        continue;
                *h = (Holder){.pid = (pid_t)pid, .fd = -1};
                if (json_value_u64(o, "fd", INT32_MAX, &fd))
                        h->fd = (int)fd;
                if (name)
                        snprintf(h->name, sizeof(h->name), "%s", name);
                p->remains.n_holders++;
        }
        p->remains.holders = p->holders;
}

static int parse_remains(RecordParsed *p, json_object *ours) {
        uint64_t n_links = 0;
        int r = json_value_bytes(ours, "also_at", &p->also_at);

        if (r < 0)
                return r;
        (void)json_value_u64(ours, "links_left", UINT32_MAX, &n_links);
        p->remains.status.st_nlink = n_links;
        p->remains.also_at = r > 0 ? p->also_at.bytes : NULL;
        p->remains.is_held = json_value_is_true(ours, "held_open");
        parse_holders(p, ours);
        if (n_links > 0 || p->remains.is_held)
                p->record.remains = &p->remains;
        return 0;
}

/* One string of a cause, copied. */
static int take_word(json_object *o, const char *key, char **ret) {
        _cleanup_buffer_ Buffer b = {0};
        int r = json_value_bytes(o, key, &b);

        if (r <= 0)
                return r;
        *ret = strdup(buffer_terminate(&b));
        return *ret ? 0 : -ENOMEM;
}

static int parse_cause(RecordParsed *p, json_object *o) {
        const char *type = json_value_string(o, "type");
        Cause *c = &p->cause;
        int r;

        for (c->type = CAUSE_TMPFILES; type && c->type <= CAUSE_LOGIN; c->type++)
                if (strcmp(cause_type_to_string(c->type), type) == 0)
                        break;
        if (!type || c->type > CAUSE_LOGIN)
                return 0;
        r = take_word(o, "rule", &c->rule);
        if (r >= 0)
                r = take_word(o, "source", &c->source);
        if (r >= 0)
                r = take_word(o, "unit", &c->unit);
        if (r >= 0)
                r = take_word(o, "triggered_by", &c->triggered_by);
        if (r >= 0)
                r = take_word(o, "explanation", &c->explanation);
        p->record.cause = c;
        return r;
}

static int parse_deletion(RecordParsed *p) {
        json_object *ours = json_value_object(p->json, "whodunlink");
        json_object *file = json_value_object(p->json, "file");
        Record *record = &p->record;
        int r;

        parse_type(record, file);
        record->may_be_overwrite = json_value_is_true(ours, "overwrite_unknown");
        r = parse_paths(p, file, ours);
        if (r >= 0)
                r = parse_remains(p, ours);
        if (r >= 0)
                r = json_value_bytes(ours, "upper_path", &p->upper_path);
        if (r > 0)
                record->upper_path = p->upper_path.bytes;
        if (r >= 0)
                r = json_value_bytes(ours, "container_path", &p->container_path);
        if (r > 0)
                record->container_path = p->container_path.bytes;
        if (r >= 0)
                r = deleter_parse(p->json, &p->deleter);
        record->deleter = p->deleter;
        if (r >= 0)
                r = parse_cause(p, json_value_object(ours, "cause"));
        return r < 0 ? r : 0;
}

/* A string of "fold", and its length. */
static int take_fold_bytes(json_object *o, const char *key, Buffer *b, const char **ret,
                           size_t *ret_n) {
        int r = json_value_bytes(o, key, b);

        if (r <= 0)
                return r;
        *ret = b->bytes;
        *ret_n = b->n_bytes;
        return 0;
}

static int parse_fold(RecordParsed *p) {
        json_object *ours = json_value_object(p->json, "whodunlink");
        json_object *o = json_value_object(ours, "fold");
        RecordFold *f = &p->fold;
        int r;

        if (!o || !json_value_u64(o, "count", UINT64_MAX, &f->n_entries))
                return -EBADMSG;
        (void)json_value_u64(o, "files", UINT64_MAX, &f->n_files);
        (void)json_value_u64(o, "directories", UINT64_MAX, &f->n_directories);
        (void)json_value_u64(o, "moves", UINT64_MAX, &f->n_moves);
        (void)json_value_u64(o, "overwrites", UINT64_MAX, &f->n_overwrites);
        (void)json_value_time(o, "since", &f->since_nsec);
        (void)json_value_time(o, "until", &f->until_nsec);
        r = take_fold_bytes(o, "common_directory", &p->common_directory, &f->common_directory,
                            &f->n_common_directory);
        if (r >= 0)
                r = take_fold_bytes(o, "first", &p->first, &f->first, &f->n_first);
        if (r >= 0)
                r = take_fold_bytes(o, "last", &p->last, &f->last, &f->n_last);
        if (r >= 0)
                r = deleter_parse(p->json, &p->deleter);
        p->record.fold = f;
        p->record.deleter = p->deleter;
        return r < 0 ? r : parse_cause(p, json_value_object(ours, "cause"));
}

static int parse(RecordParsed *p) {
        json_object *event = json_value_object(p->json, "event");
        Record *record = &p->record;
        int r;

        if (!json_value_time(p->json, "@timestamp", &record->realtime_nsec) ||
            parse_action(event, &record->action) < 0)
                return -EBADMSG;
        (void)json_value_u64(event, "sequence", UINT64_MAX, &record->sequence);
        r = json_value_bytes(p->json, "message", &p->message);
        if (r < 0)
                return r;
        record->message = buffer_terminate(&p->message);
        if (p->message.is_failed)
                return -ENOMEM;
        if (record->action == RECORD_FOLD)
                return parse_fold(p);
        return record_action_is_deletion(record->action) ? parse_deletion(p) : 0;
}

int record_parse(const char *line, size_t n_line, RecordParsed *ret_parsed) {
        RecordParsed p = {0};
        int r = parse_json(line, n_line, &p.json);

        if (r >= 0)
                r = parse(&p);
        if (r < 0) {
                record_parsed_done(&p);
                return r;
        }
        *ret_parsed = p;
        record_parsed_moved(ret_parsed);
        return 0;
}

void record_parsed_moved(RecordParsed *p) {
        p->remains.holders = p->holders;
        if (p->record.remains)
                p->record.remains = &p->remains;
        if (p->record.cause)
                p->record.cause = &p->cause;
        if (p->record.fold)
                p->record.fold = &p->fold;
}

void record_parsed_done(RecordParsed *p) {
        json_object_put(p->json);
        deleter_unref(p->deleter);
        cause_done(&p->cause);
        buffer_done(&p->directory);
        buffer_done(&p->name);
        buffer_done(&p->new_directory);
        buffer_done(&p->new_name);
        buffer_done(&p->upper_path);
        buffer_done(&p->container_path);
        buffer_done(&p->also_at);
        buffer_done(&p->message);
        buffer_done(&p->common_directory);
        buffer_done(&p->first);
        buffer_done(&p->last);
        *p = (RecordParsed){0};
}

int record_parsed_give_names(const RecordParsed *p, UserNames *names) {
        return deleter_parse_names(p->json, names);
}

const char *record_parsed_id(const RecordParsed *p) {
        return json_value_string(json_value_object(p->json, "event"), "id");
}
