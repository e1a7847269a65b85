/* SPDX-License-Identifier: MIT */

/*
 * A fixed head, then strings.  Not a format for disks or other machines: a program of another
 * version does not read it.
 */

#include "identify/process_log_entry.h"

#include <errno.h>
#include <string.h>

#define MAGIC 0x474f4c50U /* "PLOG" */

enum {
        STRING_EXECUTABLE,
        STRING_DIRECTORY,
        STRING_CGROUP,
        STRING_TITLE,
        STRING_ARGS,
        N_STRINGS,
};
#define ABSENT UINT32_MAX

typedef struct Head {
        uint32_t magic;
        uint32_t n_bytes;
        uint32_t kind;
        int32_t pid, parent_pid;
        uint32_t flags;
        uint64_t nsec;
        uint32_t n_strings[N_STRINGS];
        uint32_t reserved;
} Head;

#define FLAG_EXECUTED 1U
#define FLAG_FACTS 2U

static size_t aligned(size_t n) {
        return (n + 7) & ~(size_t)7;
}

/* What stands between the head and the strings. */
static size_t middle_bytes(uint32_t kind, bool has_facts) {
        if (kind == PROCESS_LOG_RECORD)
                return aligned(sizeof(TaskstatsRecord));
        return has_facts ? aligned(sizeof(ProcessFacts)) : 0;
}

static void get_strings(const ProcessLogEntry *e, const char *ret_strings[static N_STRINGS],
                        uint32_t ret_n[static N_STRINGS]) {
        const ProcessFactsParts *p = &e->parts;

        for (size_t i = 0; i < N_STRINGS; i++) {
                ret_strings[i] = NULL;
                ret_n[i] = ABSENT;
        }
        if (e->kind == PROCESS_LOG_RECORD) {
                ret_strings[STRING_EXECUTABLE] = e->executable;
                if (e->executable)
                        ret_n[STRING_EXECUTABLE] = (uint32_t)strlen(e->executable);
                return;
        }
        if (!e->has_facts)
                return;
        ret_strings[STRING_EXECUTABLE] = p->executable;
        ret_strings[STRING_DIRECTORY] = p->working_directory;
        ret_strings[STRING_CGROUP] = p->cgroup;
        ret_strings[STRING_TITLE] = p->title;
        ret_strings[STRING_ARGS] = p->args;
        ret_n[STRING_EXECUTABLE] = p->executable ? (uint32_t)p->n_executable : ABSENT;
        ret_n[STRING_DIRECTORY] = p->working_directory ? (uint32_t)p->n_working_directory : ABSENT;
        ret_n[STRING_CGROUP] = p->cgroup ? (uint32_t)p->n_cgroup : ABSENT;
        ret_n[STRING_TITLE] = p->title ? (uint32_t)p->n_title : ABSENT;
        ret_n[STRING_ARGS] = p->args ? (uint32_t)p->n_args_bytes : ABSENT;
}

size_t process_log_entry_bytes(const ProcessLogEntry *e) {
        const char *strings[N_STRINGS];
        uint32_t n[N_STRINGS];
        size_t n_bytes = sizeof(Head) + middle_bytes(e->kind, e->has_facts);

        get_strings(e, strings, n);
        for (size_t i = 0; i < N_STRINGS; i++)
                n_bytes += n[i] == ABSENT ? 0 : (size_t)n[i] + 1;
        return aligned(n_bytes);
}

void process_log_entry_write(const ProcessLogEntry *e, uint8_t *to) {
        const size_t n_bytes = process_log_entry_bytes(e);
        const char *strings[N_STRINGS];
        Head h = {
                .magic = MAGIC,
                .n_bytes = (uint32_t)n_bytes,
                .kind = e->kind,
                .pid = e->pid,
                .parent_pid = e->parent_pid,
                .flags = (e->has_executed ? FLAG_EXECUTED : 0) | (e->has_facts ? FLAG_FACTS : 0),
                .nsec = e->nsec,
        };
        uint8_t *at = to + sizeof(h);

        get_strings(e, strings, h.n_strings);
        memcpy(to, &h, sizeof(h));
        if (e->kind == PROCESS_LOG_RECORD)
                memcpy(at, &e->record, sizeof(e->record));
        else if (e->has_facts)
                memcpy(at, &e->parts.facts, sizeof(e->parts.facts));
        at += middle_bytes(e->kind, e->has_facts);
        for (size_t i = 0; i < N_STRINGS; i++) {
                if (h.n_strings[i] == ABSENT)
                        continue;
                memcpy(at, strings[i], h.n_strings[i]);
                at[h.n_strings[i]] = '\0';
                at += h.n_strings[i] + 1;
        }
}

/* Booleans that are neither true nor false, and pointers, must not come out of it. */
static void take_facts(const uint8_t *at, ProcessFacts *ret) {
        static const size_t booleans[] = {
                offsetof(ProcessFacts, has_ids),
                offsetof(ProcessFacts, has_login_uid),
                offsetof(ProcessFacts, has_real_ids),
                offsetof(ProcessFacts, is_in_pid_namespace),
                offsetof(ProcessFacts, is_executable_deleted),
                offsetof(ProcessFacts, is_args_cut),
        };

        memcpy(ret, at, sizeof(*ret));
        for (size_t i = 0; i < sizeof(booleans) / sizeof(booleans[0]); i++) {
                uint8_t value;

                memcpy(&value, at + booleans[i], 1);
                ((uint8_t *)ret)[booleans[i]] = value != 0;
        }
        ret->comm[sizeof(ret->comm) - 1] = '\0';
        ret->invocation_id[sizeof(ret->invocation_id) - 1] = '\0';
        ret->name = ret->executable = ret->working_directory = ret->cgroup = ret->args =
                ret->title = NULL;
        ret->n_args_bytes = 0;
}

static void take_record(const uint8_t *at, TaskstatsRecord *ret) {
        memcpy(ret, at, sizeof(*ret));
        ((uint8_t *)ret)[offsetof(TaskstatsRecord, is_whole_process)] =
                at[offsetof(TaskstatsRecord, is_whole_process)] != 0;
        ((uint8_t *)ret)[offsetof(TaskstatsRecord, has_exe)] =
                at[offsetof(TaskstatsRecord, has_exe)] != 0;
        ret->comm[sizeof(ret->comm) - 1] = '\0';
}

/* Return: 0, -EBADMSG one that does not fit, is not terminated, or has a NUL where none may be. */
static int take_string(const uint8_t **at, size_t *n_left, uint32_t n, bool is_list,
                       const char **ret_string, size_t *ret_n) {
        const char *s = (const char *)*at;

        *ret_string = NULL;
        *ret_n = 0;
        if (n == ABSENT)
                return 0;
        /* The last of a list may have been cut: then the NUL behind it ends it. */
        if (n >= *n_left || s[n] != '\0' || (!is_list && memchr(s, '\0', n)))
                return -EBADMSG;
        *ret_string = s;
        *ret_n = n;
        *at += n + 1;
        *n_left -= n + 1;
        return 0;
}

ssize_t process_log_entry_parse(const uint8_t *bytes, size_t n_bytes, ProcessLogEntry *ret_entry) {
        ProcessLogEntry e = {0};
        ProcessFactsParts *p = &e.parts;
        struct {
                const char **string;
                size_t *n;
        } strings[N_STRINGS] = {
                [STRING_EXECUTABLE] = {&p->executable, &p->n_executable},
                [STRING_DIRECTORY] = {&p->working_directory, &p->n_working_directory},
                [STRING_CGROUP] = {&p->cgroup, &p->n_cgroup},
                [STRING_TITLE] = {&p->title, &p->n_title},
                [STRING_ARGS] = {&p->args, &p->n_args_bytes},
        };
        const uint8_t *at = bytes;
        size_t n_left, n_middle;
        Head h;

        if (n_bytes < sizeof(h))
                return 0;
        memcpy(&h, bytes, sizeof(h));
        if (h.magic != MAGIC)
                return h.magic == 0 ? 0 : -EBADMSG;
        if (h.n_bytes < sizeof(h) || h.n_bytes > n_bytes || h.n_bytes % 8 != 0 ||
            h.kind >= PROCESS_LOG_KINDS || h.pid < 0 || h.parent_pid < 0)
                return -EBADMSG;
        e.kind = (ProcessLogKind)h.kind;
        e.pid = h.pid;
        e.parent_pid = h.parent_pid;
        e.nsec = h.nsec;
        e.has_executed = h.flags & FLAG_EXECUTED;
        e.has_facts = h.flags & FLAG_FACTS && h.kind != PROCESS_LOG_RECORD;
        at += sizeof(h);
        n_left = h.n_bytes - sizeof(h);
        n_middle = h.kind == PROCESS_LOG_PAD ? 0 : middle_bytes(h.kind, e.has_facts);
        if (n_middle > n_left)
                return -EBADMSG;
        if (h.kind == PROCESS_LOG_RECORD)
                take_record(at, &e.record);
        else if (n_middle > 0)
                take_facts(at, &p->facts);
        at += n_middle;
        n_left -= n_middle;
        for (size_t i = 0; i < N_STRINGS && h.kind != PROCESS_LOG_PAD; i++)
                if (take_string(&at, &n_left, h.n_strings[i], i == STRING_ARGS, strings[i].string,
                                strings[i].n) < 0)
                        return -EBADMSG;
        if (h.kind == PROCESS_LOG_RECORD)
                e.executable = p->executable;
        *ret_entry = e;
        return h.n_bytes;
}
