/* SPDX-License-Identifier: MIT */

/*
 * A Deleter in the names of the Elastic Common Schema.
 *
 * Source: Elastic Common Schema, fieldset process; shared design, record.md.
 */

#include "record/json_process.h"

#include <errno.h>
#include <json-c/json.h>
#include <string.h>

#include "base/clock.h"
#include "base/utf8.h"
#include "identify/leaders.h"
#include "record/json_member.h"
#include "record/json_origin.h"
#include "record/json_string.h"
#include "record/json_user.h"

static void add_command_line(json_object *o, const ProcessFacts *f) {
        _cleanup_buffer_ Buffer line = {0};

        for (size_t i = 0; i < f->n_args_bytes; i++) {
                if (f->args[i] != '\0')
                        buffer_append_char(&line, f->args[i]);
                else if (i + 1 < f->n_args_bytes)
                        buffer_append_char(&line, ' ');
        }
        if (line.n_bytes > 0)
                json_member_add_bytes(o, "command_line", line.bytes, line.n_bytes);
}

static void add_args(json_object *o, const ProcessFacts *f) {
        _cleanup_json_ json_object *args = json_object_new_array();
        _cleanup_json_ json_object *raw = json_object_new_array();
        size_t n_args = 0;

        if (!args || !raw)
                return;
        for (size_t at = 0; at < f->n_args_bytes; n_args++) {
                size_t n = strnlen(f->args + at, f->n_args_bytes - at);

                json_object_array_add(args, json_member_lossy(f->args + at, n));
                json_object_array_add(raw, json_member_base64(f->args + at, n));
                at += n + 1;
        }
        json_member_add(o, "args", TAKE_PTR(args));
        if (!utf8_is_valid(f->args, f->n_args_bytes))
                json_member_add(o, "args_raw", TAKE_PTR(raw));
        /* A list that was cut has more of them than we know. */
        if (!f->is_args_cut)
                json_member_add(o, "args_count", json_object_new_int64((int64_t)n_args));
}

static void add_start(json_object *o, const ProcessView *v) {
        _cleanup_buffer_ Buffer b = {0};

        if (v->start_realtime_nsec == 0)
                return;
        clock_append_rfc3339(&b, v->start_realtime_nsec);
        if (!b.is_failed)
                json_member_add(o, "start", json_object_new_string_len(b.bytes, (int)b.n_bytes));
}

/* The same for one process for its whole life, unlike any other's on any host or boot. */
static void add_entity_id(json_object *o, const ProcessView *v, const HostFacts *host) {
        char id[96];

        if (v->start_ticks == 0 || host->boot_id[0] == '\0')
                return;
        snprintf(id, sizeof(id), "%s-%d-%llu", host->boot_id, (int)v->pid,
                 (unsigned long long)v->start_ticks);
        json_member_add_string(o, "entity_id", id);
}

/* Members common to the deleter and all of its ancestors. */
static void add_program(json_object *o, const ProcessView *v) {
        if (!v->facts)
                return;
        json_member_add_name(o, "name", v->facts->name);
        json_member_add_name(o, "executable", v->facts->executable);
}

static void add_pid(json_object *o, const ProcessView *v) {
        if (v->pid > 0)
                json_member_add(o, "pid", json_object_new_int64(v->pid));
}

static void add_command(json_object *o, const ProcessView *v) {
        if (!v->facts || !v->facts->args)
                return;
        add_command_line(o, v->facts);
        add_args(o, v->facts);
}

/* What a process does not inherit: facts of its parent's at the fork do not tell it. */
static void add_own(json_object *o, const ProcessFacts *f) {
        if (f->title && (!f->name || strcmp(f->title, f->name) != 0))
                json_member_add_name(o, "title", f->title);
        if (f->vpid > 0)
                json_member_add(o, "vpid", json_object_new_int64(f->vpid));
}

/* What is said of every process that is more than a link of the ancestry. */
static json_object *identified_object(const ProcessView *v, const HostFacts *host) {
        json_object *o = json_object_new_object();

        if (!o)
                return NULL;
        add_pid(o, v);
        add_entity_id(o, v, host);
        add_program(o, v);
        return o;
}

static json_object *parent_object(const ProcessView *v, const HostFacts *host, UserNames *names) {
        json_object *o = identified_object(v, host);

        if (!o)
                return NULL;
        add_command(o, v);
        if (v->facts)
                json_member_add_name(o, "working_directory", v->facts->working_directory);
        add_start(o, v);
        if (v->facts)
                json_user_add_ids(o, v->facts, names);
        return o;
}

static json_object *leader_object(const ProcessView *v, const HostFacts *host) {
        json_object *o = identified_object(v, host);

        if (o)
                add_start(o, v);
        return o;
}

static void add_leaders(json_object *process, const Deleter *d, const HostFacts *host) {
        json_object *entry, *meta;
        Leaders l;

        leaders_find(d, &l);
        if (l.session)
                json_member_add_object(process, "session_leader", leader_object(l.session, host));
        entry = l.entry ? leader_object(l.entry, host) : NULL;
        meta = entry ? json_object_new_object() : NULL;
        if (meta) {
                json_member_add_string(meta, "type", entry_type_to_string(l.entry_type));
                json_member_add(entry, "entry_meta", meta);
        }
        json_member_add_object(process, "entry_leader", entry);
}

static json_object *deleter_object(const Deleter *d, const HostFacts *host, UserNames *names) {
        const ProcessView *v = &d->process, *parent = deleter_parent(d);
        json_object *o = identified_object(v, host);

        if (!o)
                return NULL;
        add_command(o, v);
        if (v->facts && d->has_directory)
                json_member_add_name(o, "working_directory", v->facts->working_directory);
        add_start(o, v);
        if (v->facts && d->has_directory)
                add_own(o, v->facts);
        if (v->facts)
                json_user_add_ids(o, v->facts, names);
        if (parent)
                json_member_add_object(o, "parent", parent_object(parent, host, names));
        add_leaders(o, d, host);
        return o;
}

static json_object *ancestry_array(const Deleter *d) {
        json_object *array = json_object_new_array();

        if (!array)
                return NULL;
        for (size_t i = 0; i < d->n_ancestors; i++) {
                json_object *o = json_object_new_object();

                if (!o)
                        continue;
                add_pid(o, &d->ancestors[i]);
                add_program(o, &d->ancestors[i]);
                if (d->ancestors[i].facts && d->ancestors[i].facts->args)
                        add_command_line(o, d->ancestors[i].facts);
                add_start(o, &d->ancestors[i]);
                json_object_array_add(array, o);
        }
        return array;
}

static void render_subject(JsonProcess *p, const Deleter *d, UserNames *names) {
        const ProcessFacts *f = d->process.facts;

        buffer_clear(&p->subject);
        if (f && f->name)
                json_string_append(&p->subject, f->name, strlen(f->name));
        else
                buffer_append_literal(&p->subject, "an unknown process");
        buffer_append_literal(&p->subject, " (pid ");
        buffer_append_u64(&p->subject, (uint64_t)d->process.pid);
        if (f)
                json_user_append_subject(&p->subject, f, names);
        buffer_append_char(&p->subject, ')');
}

/* Takes the braces off a rendered object and puts a comma behind it. */
static void append_members(Buffer *b, json_object *o) {
        size_t n;
        const char *s = json_object_to_json_string_length(
                o, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE, &n);

        if (!s) {
                b->is_failed = true;
        } else if (n > 2) {
                buffer_append(b, s + 1, n - 2);
                buffer_append_char(b, ',');
        }
}

static void add_whodunlink(json_object *below, const Deleter *d) {
        const ProcessFacts *f = d->process.facts;

        if (d->n_ancestors > 0)
                json_member_add(below, "ancestry", ancestry_array(d));
        if (f)
                json_origin_add_template(below, f);
        if (f && f->is_executable_deleted)
                json_member_add(below, "executable_deleted", json_object_new_boolean(true));
}

int json_process_render(JsonProcess *p, const Deleter *d, const HostFacts *host, UserNames *names) {
        _cleanup_json_ json_object *top = json_object_new_object();
        _cleanup_json_ json_object *below = json_object_new_object();
        json_object *process;

        p->deleter_id = 0;
        /* Before the first name is asked for: one that comes meanwhile counts as come later. */
        p->names_generation = user_names_generation(names);
        buffer_clear(&p->members);
        buffer_clear(&p->below);
        process = deleter_object(d, host, names);
        if (!top || !below || !process) {
                json_object_put(process);
                return -ENOMEM;
        }
        /* Outside of our pid namespace not even a number is known. */
        json_member_add_object(top, "process", process);
        if (d->process.facts) {
                json_user_add(top, d->process.facts, names);
                json_origin_add(top, d->process.facts);
        }
        append_members(&p->members, top);
        add_whodunlink(below, d);
        append_members(&p->below, below);
        render_subject(p, d, names);
        if (p->members.is_failed || p->below.is_failed || p->subject.is_failed)
                return -ENOMEM;
        p->deleter_id = d->id;
        return 0;
}

void json_process_done(JsonProcess *p) {
        buffer_done(&p->members);
        buffer_done(&p->below);
        buffer_done(&p->subject);
}
