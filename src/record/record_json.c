/* SPDX-License-Identifier: MIT */

/*
 * One record, one line.
 *
 * The line is put together from pieces: what differs from deletion to deletion is written straight
 * into the output, what is the same for a process (nine tenths of the bytes) was rendered by
 * json-c once and is copied.  In the steady state nothing is allocated.
 *
 * Source: Elastic Common Schema 9.5; shared design, record.md.
 */

#include "record/record_json.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/utf8.h"
#include "record/json_cause.h"
#include "record/json_fold.h"
#include "record/json_process.h"
#include "record/json_string.h"

#define ECS_VERSION "9.5.0-dev"

struct RecordJson {
        const HostFacts *host;
        UserNames *names;
        Buffer host_members;   /* "host":{…}, with the trailing comma */
        Buffer path, new_path; /* of the record being rendered, exact bytes */
        Buffer time;           /* rendered @timestamp: the same for all of one read */
        uint64_t time_nsec;
        JsonProcess cache[RECORD_JSON_CACHE_ENTRIES];
};

static void append_string(Buffer *b, const char *s) {
        json_string_append(b, s, strlen(s));
}

/* "key":"value", with the comma behind it; key is a literal. */
#define APPEND_MEMBER(b, key, s)                                                                   \
        do {                                                                                       \
                buffer_append_literal((b), "\"" key "\":\"");                                      \
                append_string((b), (s));                                                           \
                buffer_append_literal((b), "\",");                                                 \
        } while (0)

static void take_last_comma(Buffer *b) {
        if (!b->is_failed && b->n_bytes > 0 && b->bytes[b->n_bytes - 1] == ',')
                b->n_bytes--;
}

static void render_host(RecordJson *j) {
        Buffer *b = &j->host_members;

        if (!j->host->name[0] && !j->host->machine_id[0] && !j->host->boot_id[0])
                return;
        buffer_append_literal(b, "\"host\":{");
        if (j->host->name[0])
                APPEND_MEMBER(b, "name", j->host->name);
        if (j->host->machine_id[0])
                APPEND_MEMBER(b, "id", j->host->machine_id);
        if (j->host->boot_id[0]) {
                buffer_append_literal(b, "\"boot\":{\"id\":\"");
                append_string(b, j->host->boot_id);
                buffer_append_literal(b, "\"}");
        }
        take_last_comma(b);
        buffer_append_literal(b, "},");
}

int record_json_new(const HostFacts *host, UserNames *names, RecordJson **ret_json) {
        RecordJson *j = calloc(1, sizeof(*j));

        if (!j)
                return -ENOMEM;
        j->host = host;
        j->names = names;
        render_host(j);
        if (j->host_members.is_failed) {
                record_json_free(j);
                return -ENOMEM;
        }
        *ret_json = j;
        return 0;
}

RecordJson *record_json_free(RecordJson *j) {
        if (!j)
                return NULL;
        for (size_t i = 0; i < RECORD_JSON_CACHE_ENTRIES; i++)
                json_process_done(&j->cache[i]);
        buffer_done(&j->host_members);
        buffer_done(&j->path);
        buffer_done(&j->new_path);
        buffer_done(&j->time);
        free(j);
        return NULL;
}

static void append_time(RecordJson *j, uint64_t realtime_nsec, Buffer *b) {
        if (j->time_nsec != realtime_nsec || j->time.n_bytes == 0) {
                buffer_clear(&j->time);
                clock_append_rfc3339(&j->time, realtime_nsec);
                j->time_nsec = realtime_nsec;
        }
        buffer_append_literal(b, "{\"@timestamp\":\"");
        buffer_append(b, j->time.bytes, j->time.n_bytes);
        buffer_append_literal(b, "\",");
}

static void append_object(Buffer *b, const char *before, const Buffer *path) {
        buffer_append_string(b, before);
        json_string_append(b, path->bytes, path->n_bytes);
}

static const char *verb(const Record *r) {
        if (r->action == RECORD_MOVE)
                return " moved ";
        if (r->action == RECORD_OVERWRITE)
                return " replaced ";
        if (r->is_subvolume)
                return " deleted subvolume ";
        return r->is_directory ? " removed directory " : " removed ";
}

static void append_message(RecordJson *j, const Record *r, const JsonProcess *process, Buffer *b) {
        buffer_append_literal(b, "\"message\":\"");
        if (r->action == RECORD_FOLD) {
                buffer_append(b, process->subject.bytes, process->subject.n_bytes);
                json_fold_append_message(r->fold, b);
        } else if (!record_action_is_deletion(r->action)) {
                append_string(b, r->message);
        } else {
                buffer_append(b, process->subject.bytes, process->subject.n_bytes);
                append_object(b, verb(r), &j->path);
                if (j->new_path.n_bytes > 0)
                        append_object(b, r->action == RECORD_OVERWRITE ? " with " : " to ",
                                      &j->new_path);
                if (r->is_subvolume && r->action == RECORD_RMDIR)
                        buffer_append_literal(b, " with all it held");
                if (!r->path.directory)
                        buffer_append_literal(b, " in a directory that could not be found out");
        }
        buffer_append_literal(b, "\",\"ecs\":{\"version\":\"" ECS_VERSION "\"},");
}

static const char *event_type(RecordAction a) {
        switch (a) {
        case RECORD_UNLINK:
        case RECORD_RMDIR:
        case RECORD_OVERWRITE:
        case RECORD_FOLD:
                return "deletion";
        case RECORD_MOVE:
                return "change";
        case RECORD_START:
        case RECORD_STOP:
        case RECORD_LOSS:
        case RECORD_COVERAGE:
        case RECORD_N_ACTIONS:
                break;
        }
        return "info";
}

static void append_key(const RecordKey *k, Buffer *b) {
        buffer_append_u64(b, k->stream);
        buffer_append_char(b, '.');
        buffer_append_u64(b, k->position);
        if (k->part > 0) {
                buffer_append_char(b, '.');
                buffer_append_u64(b, k->part);
        }
        if (k->is_fold)
                buffer_append_literal(b, "-fold");
}

static void append_event(RecordJson *j, const Record *r, Buffer *b) {
        buffer_append_literal(b,
                              "\"event\":{\"kind\":\"event\",\"category\":[\"file\"],\"type\":[\"");
        buffer_append_string(b, event_type(r->action));
        buffer_append_literal(b, "\"],\"action\":\"");
        buffer_append_string(b, record_action_to_string(r->action));
        if (record_action_is_deletion(r->action))
                buffer_append_literal(b, "\",\"dataset\":\"whodunlink.deletion\"");
        else
                buffer_append_literal(b, "\",\"dataset\":\"whodunlink.status\"");
        buffer_append_literal(b,
                              ",\"provider\":\"fanotify\",\"outcome\":\"success\",\"sequence\":");
        buffer_append_u64(b, r->sequence);
        buffer_append_literal(b, ",\"id\":\"");
        buffer_append_string(b, j->host->boot_id);
        buffer_append_char(b, '-');
        buffer_append_string(b, j->host->run_id);
        buffer_append_char(b, '-');
        append_key(&r->key, b);
        buffer_append_literal(b, "\"},");
}

/* What stands behind the last dot of a name, as the schema wants it; none for "a", ".a" and "a.".
 */
static void append_extension(Buffer *b, const char *name, size_t n_name) {
        const char *dot = memrchr(name, '.', n_name);

        if (!dot || dot == name || dot + 1 == name + n_name)
                return;
        buffer_append_literal(b, "\"extension\":\"");
        json_string_append(b, dot + 1, n_name - (size_t)(dot + 1 - name));
        buffer_append_literal(b, "\",");
}

static void append_device(Buffer *b, const ScopeMount *m) {
        if (!m || strncmp(m->source, "/dev/", 5) != 0)
                return;
        APPEND_MEMBER(b, "device", m->source + 5);
}

static void append_file(RecordJson *j, const Record *r, Buffer *b) {
        buffer_append_literal(b, "\"file\":{");
        if (r->path.directory && r->path.name) {
                buffer_append_literal(b, "\"path\":\"");
                json_string_append(b, j->path.bytes, j->path.n_bytes);
                buffer_append_literal(b, "\",");
        }
        /* Of "/", when what is mounted there went, there is none. */
        if (r->path.n_name > 0) {
                buffer_append_literal(b, "\"name\":\"");
                json_string_append(b, r->path.name, r->path.n_name);
                buffer_append_literal(b, "\",");
        }
        if (r->path.directory) {
                buffer_append_literal(b, "\"directory\":\"");
                json_string_append(b, r->path.directory, r->path.n_directory);
                buffer_append_literal(b, "\",");
        }
        if (!r->is_directory && r->path.name)
                append_extension(b, r->path.name, r->path.n_name);
        if (r->is_subvolume)
                buffer_append_literal(b, "\"type\":\"subvolume\",");
        else if (r->is_directory)
                buffer_append_literal(b, "\"type\":\"dir\",");
        else
                buffer_append_literal(b, "\"type\":\"file\",");
        if (r->inode != 0) {
                buffer_append_literal(b, "\"inode\":\"");
                buffer_append_u64(b, r->inode);
                buffer_append_literal(b, "\",");
        }
        append_device(b, r->mount);
        if (r->remains)
                remains_append_file(r->remains, j->names, b);
        if (j->new_path.n_bytes > 0) {
                buffer_append_literal(b, "\"target_path\":\"");
                json_string_append(b, j->new_path.bytes, j->new_path.n_bytes);
                buffer_append_literal(b, "\",");
        }
        take_last_comma(b);
        buffer_append_literal(b, "},");
}

static void append_raw(Buffer *b, const char *key, const Buffer *path) {
        if (utf8_is_valid(path->bytes, path->n_bytes))
                return;
        buffer_append_string(b, key);
        utf8_append_base64(b, path->bytes, path->n_bytes);
        buffer_append_literal(b, "\",");
}

static void append_mount(Buffer *b, const ScopeMount *m) {
        buffer_append_literal(b, "\"mount\":{\"path\":\"");
        json_string_append(b, m->point, m->n_point);
        buffer_append_literal(b, "\",");
        APPEND_MEMBER(b, "fstype", m->fstype);
        if (m->source[0] != '\0')
                APPEND_MEMBER(b, "source", m->source);
        if (m->subvolume)
                APPEND_MEMBER(b, "subvolume", m->subvolume);
        take_last_comma(b);
        buffer_append_literal(b, "},");
}

static void append_loss(Buffer *b, const RecordLoss *l) {
        buffer_append_literal(b, "\"loss\":{");
        APPEND_MEMBER(b, "where", l->where);
        if (l->count > 0) {
                buffer_append_literal(b, "\"count\":");
                buffer_append_u64(b, l->count);
                buffer_append_char(b, ',');
        }
        if (l->filesystem)
                APPEND_MEMBER(b, "filesystem", l->filesystem);
        take_last_comma(b);
        buffer_append_literal(b, "},");
}

static void append_whodunlink(RecordJson *j, const Record *r, const JsonProcess *process,
                              Buffer *b) {
        size_t start = b->n_bytes;

        buffer_append_literal(b, "\"whodunlink\":{");
        if (process) {
                buffer_append(b, process->below.bytes, process->below.n_bytes);
                if (r->deleter->process.facts && r->deleter->process.facts->is_args_cut)
                        buffer_append_literal(b, "\"args_cut\":true,");
                APPEND_MEMBER(b, "attribution", attribution_to_string(r->deleter->attribution));
        }
        if (record_action_is_deletion(r->action)) {
                APPEND_MEMBER(b, "path_source", path_source_to_string(r->path_source));
                append_raw(b, "\"path_raw\":\"", &j->path);
                append_raw(b, "\"target_path_raw\":\"", &j->new_path);
                json_string_append_member(b, "upper_path", r->upper_path);
                json_string_append_member(b, "container_path", r->container_path);
                if (r->may_be_overwrite)
                        buffer_append_literal(b, "\"overwrite_unknown\":true,");
                if (r->remains)
                        remains_append_whodunlink(r->remains, b);
                if (r->cause)
                        json_cause_append(r->cause, b);
                if (r->is_cause_late)
                        buffer_append_literal(b, "\"cause_late\":true,");
        }
        if (r->mount)
                append_mount(b, r->mount);
        if (r->action == RECORD_LOSS)
                append_loss(b, &r->loss);
        if (r->action == RECORD_FOLD)
                json_fold_append(r->fold, b);
        /* Without memory for the first byte there is none to look at. */
        if (b->is_failed)
                return;
        if (b->bytes[b->n_bytes - 1] == '{') {
                b->n_bytes = start; /* nothing to say: never an empty object */
                take_last_comma(b);
                buffer_append_literal(b, "}\n");
                return;
        }
        take_last_comma(b);
        buffer_append_literal(b, "}}\n");
}

static int process_of(RecordJson *j, const Deleter *d, const JsonProcess **ret_process) {
        JsonProcess *p = &j->cache[d->id % RECORD_JSON_CACHE_ENTRIES];

        if (p->deleter_id != d->id || p->names_generation != user_names_generation(j->names)) {
                int r = json_process_render(p, d, j->host, j->names);

                if (r < 0)
                        return r;
        }
        *ret_process = p;
        return 0;
}

int record_json_append(RecordJson *j, const Record *record, Buffer *ret_line) {
        const JsonProcess *process = NULL;
        int r;

        buffer_clear(&j->path);
        buffer_clear(&j->new_path);
        if (record_action_has_deleter(record->action)) {
                r = process_of(j, record->deleter, &process);
                if (r < 0)
                        return r;
        }
        if (record_action_is_deletion(record->action)) {
                record_path_append(&record->path, &j->path);
                record_path_append(&record->new_path, &j->new_path);
        }

        append_time(j, record->realtime_nsec, ret_line);
        append_message(j, record, process, ret_line);
        append_event(j, record, ret_line);
        if (record_action_is_deletion(record->action))
                append_file(j, record, ret_line);
        if (process)
                buffer_append(ret_line, process->members.bytes, process->members.n_bytes);
        buffer_append(ret_line, j->host_members.bytes, j->host_members.n_bytes);
        append_whodunlink(j, record, process, ret_line);
        return ret_line->is_failed || j->path.is_failed || j->new_path.is_failed ? -ENOMEM : 0;
}
