/* SPDX-License-Identifier: MIT */

/*
 * One record, one entry.
 *
 * The journal is told on whose behalf the deleter worked by OBJECT_SYSTEMD_UNIT=, out of our own
 * snapshot: `journalctl -u UNIT` then shows what the unit deleted.  Never by OBJECT_PID=, by which
 * the journal would look at whatever has that number by then.
 *
 * What is the same for all deletions of one Deleter is rendered once and copied.
 *
 * Source: shared design, record.md; systemd.journal-fields(7).
 */

#include "record/record_journal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>

#include "identify/cgroup.h"
#include "identify/container.h"
#include "record/journal_field.h"
#include "record/message_id.h"
#include "record/record_json.h"

typedef struct JournalProcess {
        uint64_t deleter_id; /* 0: nothing rendered */
        uint64_t names_generation;
        Buffer fields;
} JournalProcess;

struct RecordJournal {
        RecordJson *json;
        UserNames *names;
        Buffer scratch;
        JournalProcess cache[RECORD_JOURNAL_CACHE_ENTRIES];
};

int record_journal_new(const HostFacts *host, UserNames *names, RecordJournal **ret_journal) {
        RecordJournal *j = calloc(1, sizeof(*j));
        int r;

        if (!j)
                return -ENOMEM;
        j->names = names;
        r = record_json_new(host, names, &j->json);
        if (r < 0) {
                record_journal_free(j);
                return r;
        }
        *ret_journal = j;
        return 0;
}

RecordJournal *record_journal_free(RecordJournal *j) {
        if (!j)
                return NULL;
        for (size_t i = 0; i < RECORD_JOURNAL_CACHE_ENTRIES; i++)
                buffer_done(&j->cache[i].fields);
        record_json_free(j->json);
        buffer_done(&j->scratch);
        free(j);
        return NULL;
}

static void append_pid(Buffer *b, const char *key, pid_t pid) {
        if (pid > 0)
                journal_field_append_u64(b, key, (uint64_t)pid);
}

static void append_program(RecordJournal *j, const ProcessFacts *f, Buffer *b) {
        journal_field_append_string(b, "DELETION_COMM", f->name);
        journal_field_append_string(b, "DELETION_EXE", f->executable);
        buffer_clear(&j->scratch);
        for (size_t i = 0; f->args && i < f->n_args_bytes; i++) {
                if (f->args[i] != '\0')
                        buffer_append_char(&j->scratch, f->args[i]);
                else if (i + 1 < f->n_args_bytes)
                        buffer_append_char(&j->scratch, ' ');
        }
        journal_field_append(b, "DELETION_CMDLINE", j->scratch.bytes, j->scratch.n_bytes);
        if (j->scratch.is_failed)
                b->is_failed = true;
}

static void append_users(RecordJournal *j, const ProcessFacts *f, Buffer *b) {
        if (f->has_ids) {
                journal_field_append_u64(b, "DELETION_UID", f->ids.effective_uid);
                if (!process_facts_is_in_container(f))
                        journal_field_append_string(
                                b, "DELETION_USER",
                                user_names_user(j->names, f->ids.effective_uid));
        }
        if (f->login_uid != PROCESS_ID_UNSET)
                journal_field_append_u64(b, "DELETION_LOGINUID", f->login_uid);
}

static void append_origin(const ProcessFacts *f, Buffer *b) {
        char name[CONTAINER_NAME_BYTES];
        ContainerRef container;
        CgroupUnits units;

        if (!f->cgroup)
                return;
        container_parse(f->cgroup, strlen(f->cgroup), &container);
        container_name(&container, name);
        journal_field_append_string(b, "DELETION_CONTAINER_ID", name);
        cgroup_units_parse(f->cgroup, strlen(f->cgroup), &units);
        journal_field_append(b, "OBJECT_SYSTEMD_UNIT", units.unit, units.n_unit);
        journal_field_append(b, "OBJECT_SYSTEMD_USER_UNIT", units.user_unit, units.n_user_unit);
}

static void append_parent(const ProcessView *parent, Buffer *b) {
        append_pid(b, "DELETION_PPID", parent->pid);
        if (!parent->facts)
                return;
        journal_field_append_string(b, "DELETION_PARENT_COMM", parent->facts->name);
        journal_field_append_string(b, "DELETION_PARENT_EXE", parent->facts->executable);
}

static int render_process(RecordJournal *j, JournalProcess *p, const Deleter *d) {
        const ProcessFacts *f = d->process.facts;
        const ProcessView *parent = deleter_parent(d);

        p->deleter_id = 0;
        /* Before the first name is asked for: one that comes meanwhile counts as come later. */
        p->names_generation = user_names_generation(j->names);
        buffer_clear(&p->fields);
        append_pid(&p->fields, "DELETION_PID", d->process.pid);
        if (f) {
                append_program(j, f, &p->fields);
                append_users(j, f, &p->fields);
                append_origin(f, &p->fields);
        }
        if (parent)
                append_parent(parent, &p->fields);
        journal_field_append_string(&p->fields, "DELETION_ATTRIBUTION",
                                    attribution_to_string(d->attribution));
        if (p->fields.is_failed)
                return -ENOMEM;
        p->deleter_id = d->id;
        return 0;
}

static int append_process(RecordJournal *j, const Deleter *d, Buffer *b) {
        JournalProcess *p = &j->cache[d->id % RECORD_JOURNAL_CACHE_ENTRIES];

        if (p->deleter_id != d->id || p->names_generation != user_names_generation(j->names)) {
                int r = render_process(j, p, d);

                if (r < 0)
                        return r;
        }
        buffer_append(b, p->fields.bytes, p->fields.n_bytes);
        return 0;
}

static void append_file(RecordJournal *j, const Record *r, Buffer *b) {
        if (r->path.directory && r->path.name) {
                buffer_clear(&j->scratch);
                record_path_append(&r->path, &j->scratch);
                journal_field_append(b, "DELETION_PATH", j->scratch.bytes, j->scratch.n_bytes);
                if (j->scratch.is_failed)
                        b->is_failed = true;
        }
        journal_field_append(b, "DELETION_DIRECTORY", r->path.directory, r->path.n_directory);
        journal_field_append(b, "DELETION_NAME", r->path.name, r->path.n_name);
        if (r->inode != 0)
                journal_field_append_u64(b, "DELETION_INODE", r->inode);
}

static void append_cause(const Cause *c, Buffer *b) {
        journal_field_append_string(b, "DELETION_RULE", c->rule);
        journal_field_append_string(b, "DELETION_RULE_SOURCE", c->source);
        journal_field_append_string(b, "DELETION_TRIGGERED_BY", c->triggered_by);
}

static int append_message(RecordJournal *j, const Record *r, Buffer *b) {
        int error;

        buffer_clear(&j->scratch);
        error = record_json_append(j->json, r, &j->scratch);
        if (error < 0)
                return error;
        /* Without the newline that ends the line; there is no other in it. */
        journal_field_append(b, "MESSAGE", j->scratch.bytes, j->scratch.n_bytes - 1);
        return 0;
}

static int priority(RecordAction a) {
        return a == RECORD_LOSS || a == RECORD_COVERAGE ? LOG_WARNING : LOG_INFO;
}

int record_journal_append(RecordJournal *j, const Record *record, Buffer *ret_fields) {
        Buffer *b = ret_fields;
        int r;

        r = append_message(j, record, b);
        if (r < 0)
                return r;
        journal_field_append_string(b, "MESSAGE_ID", message_id_of(record->action));
        journal_field_append_u64(b, "PRIORITY", (uint64_t)priority(record->action));
        journal_field_append_string(b, "SYSLOG_IDENTIFIER", "whodunlink");
        journal_field_append_string(b, "DELETION_ACTION", record_action_to_string(record->action));
        journal_field_append_u64(b, "DELETION_SEQUENCE", record->sequence);
        if (record_action_is_deletion(record->action))
                append_file(j, record, b);
        else if (record->action == RECORD_FOLD)
                journal_field_append(b, "DELETION_DIRECTORY", record->fold->common_directory,
                                     record->fold->n_common_directory);
        if (record_action_has_deleter(record->action)) {
                r = append_process(j, record->deleter, b);
                if (r < 0)
                        return r;
        }
        if (record->cause)
                append_cause(record->cause, b);
        return b->is_failed ? -ENOMEM : 0;
}
