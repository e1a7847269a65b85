/* SPDX-License-Identifier: MIT */

/*
 * A Deleter in the names of the Elastic Common Schema.
 *
 * A string that is not valid UTF-8 gets U+FFFD for each invalid byte and a sibling *_raw with the
 * exact bytes in base64.
 *
 * Source: Elastic Common Schema, fieldsets process, user, group; shared design, record.md.
 */

#include "record/json_process.h"

#include <errno.h>
#include <json-c/json.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/utf8.h"
#include "identify/cgroup.h"
#include "identify/container.h"
#include "identify/unit_name.h"
#include "record/json_string.h"

static void json_putp(json_object **o) {
        json_object_put(*o);
}

#define _cleanup_json_ _cleanup_(json_putp)

/* Consumes the value; NULL is out of memory and leaves the key out. */
static void add(json_object *o, const char *key, json_object *value) {
        if (value && json_object_object_add(o, key, value) < 0)
                json_object_put(value);
}

static void add_string(json_object *o, const char *key, const char *s) {
        add(o, key, json_object_new_string(s));
}

static json_object *lossy_string(const char *bytes, size_t n_bytes) {
        _cleanup_buffer_ Buffer b = {0};

        utf8_append_lossy(&b, bytes, n_bytes);
        return b.is_failed ? NULL
                           : json_object_new_string_len(b.bytes ? b.bytes : "", (int)b.n_bytes);
}

static json_object *base64_string(const char *bytes, size_t n_bytes) {
        _cleanup_buffer_ Buffer b = {0};

        utf8_append_base64(&b, bytes, n_bytes);
        return b.is_failed ? NULL
                           : json_object_new_string_len(b.bytes ? b.bytes : "", (int)b.n_bytes);
}

/* Adds bytes under a key, and the exact ones under key_raw when they are not text. */
static void add_bytes(json_object *o, const char *key, const char *bytes, size_t n_bytes) {
        char raw[64];

        add(o, key, lossy_string(bytes, n_bytes));
        if (utf8_is_valid(bytes, n_bytes))
                return;
        snprintf(raw, sizeof(raw), "%s_raw", key);
        add(o, raw, base64_string(bytes, n_bytes));
}

static void add_path(json_object *o, const char *key, const char *path) {
        if (path)
                add_bytes(o, key, path, strlen(path));
}

static void add_command_line(json_object *o, const ProcessFacts *f) {
        _cleanup_buffer_ Buffer line = {0};

        for (size_t i = 0; i < f->n_args_bytes; i++) {
                if (f->args[i] != '\0')
                        buffer_append_char(&line, f->args[i]);
                else if (i + 1 < f->n_args_bytes)
                        buffer_append_char(&line, ' ');
        }
        if (line.n_bytes > 0)
                add_bytes(o, "command_line", line.bytes, line.n_bytes);
}

static void add_args(json_object *o, const ProcessFacts *f) {
        _cleanup_json_ json_object *args = json_object_new_array();
        _cleanup_json_ json_object *raw = json_object_new_array();
        size_t n_args = 0;

        if (!args || !raw)
                return;
        for (size_t at = 0; at < f->n_args_bytes; n_args++) {
                size_t n = strnlen(f->args + at, f->n_args_bytes - at);

                json_object_array_add(args, lossy_string(f->args + at, n));
                json_object_array_add(raw, base64_string(f->args + at, n));
                at += n + 1;
        }
        add(o, "args", TAKE_PTR(args));
        if (!utf8_is_valid(f->args, f->n_args_bytes))
                add(o, "args_raw", TAKE_PTR(raw));
        /* A list that was cut has more of them than we know. */
        if (!f->is_args_cut)
                add(o, "args_count", json_object_new_int64((int64_t)n_args));
}

static json_object *id_and_name(uint32_t id, const char *name) {
        json_object *o = json_object_new_object();
        char digits[16];

        if (!o)
                return NULL;
        snprintf(digits, sizeof(digits), "%u", id);
        add_string(o, "id", digits);
        if (name)
                add_bytes(o, "name", name, strlen(name));
        return o;
}

static void add_ids(json_object *o, const ProcessFacts *f, UserNames *names) {
        if (!f->has_ids)
                return;
        add(o, "user",
            id_and_name(f->ids.effective_uid, user_names_user(names, f->ids.effective_uid)));
        add(o, "real_user", id_and_name(f->ids.real_uid, user_names_user(names, f->ids.real_uid)));
        add(o, "group",
            id_and_name(f->ids.effective_gid, user_names_group(names, f->ids.effective_gid)));
}

static void add_start(json_object *o, const ProcessView *v) {
        _cleanup_buffer_ Buffer b = {0};

        if (v->start_realtime_nsec == 0)
                return;
        clock_append_rfc3339(&b, v->start_realtime_nsec);
        if (!b.is_failed)
                add(o, "start", json_object_new_string_len(b.bytes, (int)b.n_bytes));
}

/* The same for one process for its whole life, unlike any other's on any host or boot. */
static void add_entity_id(json_object *o, const ProcessView *v, const HostFacts *host) {
        char id[96];

        if (v->start_ticks == 0 || host->boot_id[0] == '\0')
                return;
        snprintf(id, sizeof(id), "%s-%d-%llu", host->boot_id, (int)v->pid,
                 (unsigned long long)v->start_ticks);
        add_string(o, "entity_id", id);
}

/* Members common to the deleter, its parent and its further ancestors. */
static void add_program(json_object *o, const ProcessView *v) {
        const ProcessFacts *f = v->facts;

        if (!f)
                return;
        if (f->name)
                add_bytes(o, "name", f->name, strlen(f->name));
        add_path(o, "executable", f->executable);
        if (f->args)
                add_command_line(o, f);
}

/* @has_directory: its working directory is its own; a fork may have left its parent's unseen */
static json_object *process_object(const ProcessView *v, bool has_directory, const HostFacts *host,
                                   UserNames *names) {
        json_object *o = json_object_new_object();

        if (!o)
                return NULL;
        if (v->pid > 0)
                add(o, "pid", json_object_new_int64(v->pid));
        add_entity_id(o, v, host);
        add_program(o, v);
        if (v->facts && v->facts->args)
                add_args(o, v->facts);
        if (v->facts && has_directory)
                add_path(o, "working_directory", v->facts->working_directory);
        add_start(o, v);
        if (v->facts)
                add_ids(o, v->facts, names);
        return o;
}

static void add_user(json_object *top, const ProcessFacts *f, UserNames *names) {
        json_object *user = NULL;

        if (f->has_ids)
                user = id_and_name(f->ids.effective_uid,
                                   user_names_user(names, f->ids.effective_uid));
        else
                user = json_object_new_object();
        if (!user)
                return;
        if (f->login_uid != PROCESS_ID_UNSET)
                add(user, "audit", id_and_name(f->login_uid, user_names_user(names, f->login_uid)));
        if (json_object_object_length(user) > 0)
                add(top, "user", user);
        else
                json_object_put(user);
}

/* The id of a container; of systemd-nspawn the machine's name as machinectl shows it. */
static void add_container_id(json_object *o, const ContainerRef *c) {
        char name[256];
        int n;

        n = unit_name_unescape(c->id, c->n_id, name, sizeof(name));
        if (c->runtime && strcmp(c->runtime, "systemd-nspawn") == 0 && n >= 0)
                add_bytes(o, "id", name, strlen(name));
        else
                add_bytes(o, "id", c->id, c->n_id);
}

static void add_container(json_object *top, const ProcessFacts *f) {
        char pod_uid[CONTAINER_POD_UID_BYTES];
        json_object *o, *resource;
        ContainerRef c;

        if (!f->cgroup)
                return;
        container_parse(f->cgroup, strlen(f->cgroup), &c);
        o = c.id ? json_object_new_object() : NULL;
        if (o) {
                add_container_id(o, &c);
                if (c.runtime)
                        add_string(o, "runtime", c.runtime);
                add(top, "container", o);
        }
        container_pod_uid(&c, pod_uid);
        o = pod_uid[0] != '\0' ? json_object_new_object() : NULL;
        resource = o ? json_object_new_object() : NULL;
        if (resource) {
                add_string(resource, "id", pod_uid);
                add(o, "resource", resource);
                add(top, "orchestrator", o);
        } else {
                json_object_put(o);
        }
}

static void add_systemd(json_object *top, const ProcessFacts *f) {
        json_object *o;
        CgroupUnits u;

        if (!f->cgroup)
                return;
        cgroup_units_parse(f->cgroup, strlen(f->cgroup), &u);
        if (!u.unit && !u.user_unit && !u.slice && !u.session)
                return;
        o = json_object_new_object();
        if (!o)
                return;
        if (u.unit)
                add_bytes(o, "unit", u.unit, u.n_unit);
        if (u.user_unit)
                add_bytes(o, "user_unit", u.user_unit, u.n_user_unit);
        if (u.slice)
                add_bytes(o, "slice", u.slice, u.n_slice);
        if (u.session)
                add_bytes(o, "session", u.session, u.n_session);
        add(top, "systemd", o);
}

static json_object *ancestry_array(const Deleter *d) {
        json_object *array = json_object_new_array();

        if (!array)
                return NULL;
        for (size_t i = 0; i < d->n_ancestors; i++) {
                json_object *o = json_object_new_object();

                if (!o)
                        continue;
                add(o, "pid", json_object_new_int64(d->ancestors[i].pid));
                add_program(o, &d->ancestors[i]);
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
        if (f && f->has_ids) {
                const char *name = user_names_user(names, f->ids.effective_uid);

                buffer_append_literal(&p->subject, ", ");
                if (name) {
                        json_string_append(&p->subject, name, strlen(name));
                } else {
                        buffer_append_literal(&p->subject, "uid ");
                        buffer_append_u64(&p->subject, f->ids.effective_uid);
                }
        }
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

int json_process_render(JsonProcess *p, const Deleter *d, const HostFacts *host, UserNames *names) {
        _cleanup_json_ json_object *top = json_object_new_object();
        _cleanup_json_ json_object *below = json_object_new_object();
        const ProcessView *parent = deleter_parent(d);
        json_object *process;

        p->deleter_id = 0;
        buffer_clear(&p->members);
        buffer_clear(&p->ancestry);
        process = process_object(&d->process, d->has_directory, host, names);
        if (!top || !below || !process) {
                json_object_put(process);
                return -ENOMEM;
        }
        if (parent)
                add(process, "parent", process_object(parent, true, host, names));
        /* Outside of our pid namespace not even a number is known. */
        if (json_object_object_length(process) > 0)
                add(top, "process", process);
        else
                json_object_put(process);
        if (d->process.facts) {
                add_user(top, d->process.facts, names);
                add_container(top, d->process.facts);
                add_systemd(top, d->process.facts);
        }
        append_members(&p->members, top);
        if (d->n_ancestors > 0)
                add(below, "ancestry", ancestry_array(d));
        append_members(&p->ancestry, below);
        render_subject(p, d, names);
        if (p->members.is_failed || p->ancestry.is_failed || p->subject.is_failed)
                return -ENOMEM;
        p->deleter_id = d->id;
        return 0;
}

void json_process_done(JsonProcess *p) {
        buffer_done(&p->members);
        buffer_done(&p->ancestry);
        buffer_done(&p->subject);
}
