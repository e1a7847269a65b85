/* SPDX-License-Identifier: MIT */

/*
 * Who it was, out of a record.
 *
 * Source: json_process.c, json_user.c and json_origin.c, which write it.
 */

#include "query/deleter_parse.h"

#include <errno.h>
#include <string.h>

#include "base/hash_table.h"
#include "identify/leaders.h"
#include "query/json_value.h"
#include "query/record_origin.h"

/* /dev/pts/0 and /dev/tty1: any terminal that leaders_find() takes for one of its kind. */
#define TTY_PSEUDO (136 << 8)
#define TTY_CONSOLE ((4 << 8) + 1)

/* What is collected of one process before its facts are made. */
typedef struct Parts {
        ProcessFactsParts facts;
        Buffer name, executable, working_directory, cgroup, args, title;
} Parts;

static void parts_done(Parts *p) {
        buffer_done(&p->name);
        buffer_done(&p->executable);
        buffer_done(&p->working_directory);
        buffer_done(&p->cgroup);
        buffer_done(&p->args);
        buffer_done(&p->title);
}

#define _cleanup_parts_ _cleanup_(parts_done)

static int take_args(json_object *process, Parts *p) {
        json_object *args = json_value_array(process, "args");
        json_object *raw = json_value_array(process, "args_raw");
        size_t n = args ? json_object_array_length(args) : 0;
        _cleanup_buffer_ Buffer word = {0};

        for (size_t i = 0; i < n; i++) {
                int r = json_value_array_bytes(args, raw, i, &word);

                if (r < 0)
                        return r;
                buffer_append(&p->args, word.bytes, word.n_bytes);
                buffer_append_char(&p->args, '\0');
        }
        return p->args.is_failed ? -ENOMEM : 0;
}

static void take_users(json_object *process, ProcessFacts *f) {
        uint64_t uid, real_uid, gid = 0;

        if (!json_value_u64(json_value_object(process, "real_user"), "id", UINT32_MAX, &real_uid))
                return;
        f->ids.real_uid = (uid_t)real_uid;
        f->has_real_ids = true;
        if (!json_value_u64(json_value_object(process, "user"), "id", UINT32_MAX, &uid))
                return;
        (void)json_value_u64(json_value_object(process, "group"), "id", UINT32_MAX, &gid);
        f->ids.effective_uid = (uid_t)uid;
        f->ids.effective_gid = (gid_t)gid;
        f->has_ids = true;
}

/* Of any process of a record. */
static int take_program(json_object *process, Parts *p) {
        ProcessFacts *f = &p->facts.facts;
        int r;

        f->login_uid = PROCESS_ID_UNSET;
        f->session_id = PROCESS_ID_UNSET;
        r = json_value_bytes(process, "name", &p->name);
        if (r >= 0)
                r = json_value_bytes(process, "executable", &p->executable);
        if (r >= 0)
                r = json_value_bytes(process, "working_directory", &p->working_directory);
        if (r >= 0)
                r = json_value_bytes(process, "title", &p->title);
        if (r >= 0)
                r = take_args(process, p);
        if (r < 0)
                return r;
        if (p->name.n_bytes > 0)
                snprintf(f->comm, sizeof(f->comm), "%s", p->name.bytes);
        take_users(process, f);
        return 0;
}

static const char *or_null(const Buffer *b) {
        return b->n_bytes > 0 ? b->bytes : NULL;
}

static int make_facts(Parts *p, ProcessFacts **ret) {
        ProcessFactsParts *f = &p->facts;

        f->executable = or_null(&p->executable);
        f->n_executable = p->executable.n_bytes;
        f->working_directory = or_null(&p->working_directory);
        f->n_working_directory = p->working_directory.n_bytes;
        f->cgroup = or_null(&p->cgroup);
        f->n_cgroup = p->cgroup.n_bytes;
        f->title = or_null(&p->title);
        f->n_title = p->title.n_bytes;
        f->args = or_null(&p->args);
        f->n_args_bytes = p->args.n_bytes;
        *ret = process_facts_new(f);
        return *ret ? 0 : -ENOMEM;
}

static void take_origin(json_object *top, Parts *p) {
        json_object *systemd = json_value_object(top, "systemd");
        json_object *container = json_value_object(top, "container");
        json_object *pod = json_value_object(json_value_object(top, "orchestrator"), "resource");
        RecordOrigin o = {
                .unit = json_value_string(systemd, "unit"),
                .user_unit = json_value_string(systemd, "user_unit"),
                .slice = json_value_string(systemd, "slice"),
                .session = json_value_string(systemd, "session"),
                .container_id = json_value_string(container, "id"),
                .container_runtime = json_value_string(container, "runtime"),
                .pod_uid = json_value_string(pod, "id"),
        };

        (void)record_origin_append_cgroup(&o, &p->cgroup);
}

/* What is the same for a process in all of its records, also those of other runs. */
static uint64_t serial_of(json_object *top, json_object *process) {
        const char *id = json_value_string(process, "entity_id");
        const char *boot;
        uint64_t pid = 0;

        if (id)
                return hash_bytes(id, strlen(id)) | 1;
        boot = json_value_string(json_value_object(json_value_object(top, "host"), "boot"), "id");
        (void)json_value_u64(process, "pid", INT32_MAX, &pid);
        return hash_u64((boot ? hash_bytes(boot, strlen(boot)) : 0) ^ pid) | 1;
}

static void take_view(json_object *process, ProcessView *v) {
        uint64_t pid = 0;

        (void)json_value_u64(process, "pid", INT32_MAX, &pid);
        v->pid = (pid_t)pid;
        (void)json_value_time(process, "start", &v->start_realtime_nsec);
}

static int parse_ancestor(json_object *process, ProcessView *ret) {
        _cleanup_parts_ Parts p = {0};
        int r;

        take_view(process, ret);
        r = take_program(process, &p);
        return r < 0 ? r : make_facts(&p, &ret->facts);
}

static int parse_ancestors(json_object *top, json_object *process, ProcessAnswer *a) {
        json_object *chain = json_value_array(json_value_object(top, "whodunlink"), "ancestry");
        json_object *parent = json_value_object(process, "parent");
        size_t n = chain ? json_object_array_length(chain) : 0;

        if (n == 0 && parent)
                n = 1;
        for (size_t i = 0; i < n && i < PROCESS_TABLE_ANCESTORS_MAX; i++) {
                /* More is said of the parent than of the others. */
                json_object *o = i == 0 && parent ? parent : json_object_array_get_idx(chain, i);
                int r;

                a->n_ancestors = i + 1;
                r = parse_ancestor(o, &a->ancestors[i]);
                if (r < 0)
                        return r;
        }
        return 0;
}

/* So that leaders_find() comes to the entry leader that the record names. */
static void set_entry(json_object *process, ProcessAnswer *a) {
        json_object *entry = json_value_object(process, "entry_leader");
        const char *type = json_value_string(json_value_object(entry, "entry_meta"), "type");
        uint64_t pid;
        size_t n;

        if (!type || !json_value_u64(entry, "pid", INT32_MAX, &pid))
                return;
        for (n = 0; n <= a->n_ancestors; n++)
                if ((n == 0 ? a->process.pid : a->ancestors[n - 1].pid) == (pid_t)pid)
                        break;
        if (n > a->n_ancestors)
                return;
        for (size_t i = 0; i <= n; i++) {
                ProcessFacts *f = i == 0 ? a->process.facts : a->ancestors[i - 1].facts;

                if (!f)
                        continue;
                if (strcmp(type, entry_type_to_string(ENTRY_TERMINAL)) == 0)
                        f->tty = TTY_PSEUDO;
                else if (strcmp(type, entry_type_to_string(ENTRY_CONSOLE)) == 0)
                        f->tty = TTY_CONSOLE;
                else if (strcmp(type, entry_type_to_string(ENTRY_CONTAINER)) == 0)
                        f->is_in_pid_namespace = true;
        }
}

static int parse_process(json_object *top, json_object *process, ProcessAnswer *a) {
        json_object *ours = json_value_object(top, "whodunlink");
        json_object *login = json_value_object(json_value_object(top, "user"), "audit");
        const char *invocation =
                json_value_string(json_value_object(top, "systemd"), "invocation_id");
        _cleanup_parts_ Parts p = {0};
        ProcessFacts *f = &p.facts.facts;
        uint64_t number;
        int r;

        take_view(process, &a->process);
        a->process.serial = serial_of(top, process);
        r = take_program(process, &p);
        if (r < 0)
                return r;
        take_origin(top, &p);
        if (json_value_u64(login, "id", UINT32_MAX - 1, &number)) {
                f->login_uid = (uint32_t)number;
                f->has_login_uid = true;
        }
        if (json_value_u64(process, "vpid", INT32_MAX, &number)) {
                f->vpid = (pid_t)number;
                f->is_in_pid_namespace = true;
        }
        if (json_value_u64(json_value_object(process, "session_leader"), "pid", INT32_MAX, &number))
                f->session = (pid_t)number;
        if (invocation)
                snprintf(f->invocation_id, sizeof(f->invocation_id), "%s", invocation);
        f->is_executable_deleted = json_value_is_true(ours, "executable_deleted");
        f->is_args_cut = json_value_is_true(ours, "args_cut");
        return make_facts(&p, &a->process.facts);
}

static Attribution attribution_of(json_object *top) {
        const char *word = json_value_string(json_value_object(top, "whodunlink"), "attribution");

        for (Attribution a = ATTRIBUTION_NONE; word && a <= ATTRIBUTION_LIVE; a++)
                if (strcmp(attribution_to_string(a), word) == 0)
                        return a;
        return ATTRIBUTION_NONE;
}

int deleter_parse(json_object *top, Deleter **ret) {
        json_object *process = json_value_object(top, "process");
        const char *event = json_value_string(json_value_object(top, "event"), "id");
        Attribution attribution = attribution_of(top);
        ProcessAnswer a = {0};
        bool is_its_own;
        int r;

        if (!process) {
                *ret = NULL;
                return 0;
        }
        r = parse_process(top, process, &a);
        if (r >= 0)
                r = parse_ancestors(top, process, &a);
        if (r < 0) {
                process_answer_done(&a);
                return r;
        }
        set_entry(process, &a);
        /* These are only written where they are not left behind at a fork. */
        is_its_own = json_value_string(process, "working_directory") ||
                     json_value_string(process, "title") || a.process.facts->vpid > 0;
        /* Nothing but the number: no facts, not empty ones. */
        if (attribution <= ATTRIBUTION_PID_ONLY)
                a.process.facts = process_facts_unref(a.process.facts);
        /* Records of one process may differ in anything, so each is one of its own. */
        *ret = deleter_new(event ? hash_bytes(event, strlen(event)) | 1 : 0, attribution,
                           is_its_own, &a);
        return *ret ? 0 : -ENOMEM;
}

static int give(json_object *user, UserNames *names) {
        _cleanup_buffer_ Buffer name = {0};
        uint64_t uid;
        int r;

        if (!json_value_u64(user, "id", UINT32_MAX, &uid))
                return 0;
        r = json_value_bytes(user, "name", &name);
        return r <= 0 ? r : user_names_give_user(names, (uid_t)uid, buffer_terminate(&name));
}

int deleter_parse_names(json_object *top, UserNames *names) {
        json_object *process = json_value_object(top, "process");
        int r;

        user_names_forget(names);
        r = give(json_value_object(process, "user"), names);
        if (r >= 0)
                r = give(json_value_object(process, "real_user"), names);
        if (r >= 0)
                r = give(json_value_object(json_value_object(top, "user"), "audit"), names);
        return r < 0 ? r : 0;
}
