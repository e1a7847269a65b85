/* SPDX-License-Identifier: MIT */

/*
 * See truth_facts.h.  A fact that is absent is honest; one that is said and not true is the
 * failure that matters, so the two are counted apart.
 */

#include "truth_facts.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "record.h"

typedef struct Facts {
        struct json_object *record;
        char *wrong, *unknown;
        size_t n_wrong, n_unknown;
} Facts;

__attribute__((format(printf, 3, 4))) static void append(char *text, size_t n_text,
                                                         const char *format, ...) {
        size_t n = strlen(text);
        va_list ap;

        va_start(ap, format);
        vsnprintf(text + n, n_text - n, format, ap);
        va_end(ap);
}

static void append_wrong(Facts *f, const char *field, const char *said, const char *is) {
        append(f->wrong, f->n_wrong, "%s is \"%s\", said \"%s\"; ", field, is, said);
}

static void append_unknown(Facts *f, const char *field) {
        append(f->unknown, f->n_unknown, "%s ", field);
}

static void compare_text(Facts *f, const char *field, const char *raw_field, const char *is) {
        Bytes said = record_bytes(f->record, field, raw_field);
        _cleanup_free_ char *owned = said.data;

        if (!is)
                return;
        if (!owned)
                append_unknown(f, field);
        else if (strcmp(owned, is) != 0)
                append_wrong(f, field, owned, is);
}

static void compare_pid(Facts *f, const char *field, pid_t is) {
        int64_t said = record_number(f->record, field);

        if (is == 0)
                return;
        if (said < 0)
                append_unknown(f, field);
        else if (said != is)
                append(f->wrong, f->n_wrong, "%s is %d, said %" PRId64 "; ", field, (int)is, said);
}

static void compare_args(Facts *f, const char *const *args) {
        size_t n_args = 0;

        if (!args)
                return;
        if (!record_get(f->record, "process.args")) {
                append_unknown(f, "process.args");
                return;
        }
        while (args[n_args])
                n_args++;
        for (size_t i = 0; i <= n_args; i++) {
                _cleanup_free_ char *said = record_arg(f->record, i).data;

                if (i == n_args ? said != NULL : !said || strcmp(said, args[i]) != 0) {
                        append_wrong(f, "process.args", said ? said : "(end)",
                                     args[i] ? args[i] : "(end)");
                        return;
                }
        }
        if (record_number(f->record, "process.args_count") != (int64_t)n_args)
                append(f->wrong, f->n_wrong, "process.args_count is %zu; ", n_args);
}

static void compare_ancestry(Facts *f, const Process *p) {
        struct json_object *said = record_get(f->record, "whodunlink.ancestry");
        size_t n = said ? json_object_array_length(said) : 0;

        if (p->n_ancestors == 0)
                return;
        for (size_t i = 0; i < n && i < p->n_ancestors; i++) {
                int64_t pid = record_number(json_object_array_get_idx(said, i), "pid");

                if (pid != p->ancestors[i]) {
                        append(f->wrong, f->n_wrong, "ancestor %zu is %d, said %" PRId64 "; ", i,
                               (int)p->ancestors[i], pid);
                        return;
                }
        }
        if (n < p->n_ancestors)
                append_unknown(f, "ancestry");
        else if (n > p->n_ancestors)
                append(f->wrong, f->n_wrong, "%zu ancestors, said %zu; ", p->n_ancestors, n);
}

static void compare_file(Facts *f, const TruthItem *item) {
        const char *inode = record_string(f->record, "file.inode");
        char inode_text[32];

        if (item->type)
                compare_text(f, "file.type", "", item->type);
        snprintf(inode_text, sizeof(inode_text), "%" PRIu64, item->inode);
        if (item->inode && inode && strcmp(inode, inode_text) != 0)
                append_wrong(f, "file.inode", inode, inode_text);
}

/* file.name and file.directory must be the two halves of file.path. */
static void compare_halves(Facts *f) {
        const char *path = record_string(f->record, "file.path");
        const char *name = record_string(f->record, "file.name");
        const char *directory = record_string(f->record, "file.directory");
        const char *slash = path ? strrchr(path, '/') : NULL;
        size_t n_directory;

        if (!slash)
                return;
        n_directory = slash == path ? 1 : (size_t)(slash - path);
        if (!name || strcmp(name, slash + 1) != 0)
                append_wrong(f, "file.name", name ? name : "", slash + 1);
        if (!directory || strlen(directory) != n_directory ||
            memcmp(directory, path, n_directory) != 0)
                append_wrong(f, "file.directory", directory ? directory : "", path);
}

void truth_compare_facts(const TruthItem *item, struct json_object *record, char *wrong,
                         size_t n_wrong, char *unknown, size_t n_unknown) {
        Facts f = {record, wrong, unknown, n_wrong, n_unknown};
        const Process *p = item->process;

        compare_file(&f, item);
        compare_halves(&f);
        if (!p)
                return;
        compare_pid(&f, "process.pid", p->pid);
        compare_pid(&f, "process.parent.pid", p->ppid);
        compare_text(&f, "process.name", "process.name_raw", p->name);
        compare_text(&f, "process.executable", "process.executable_raw", p->executable);
        compare_text(&f, "process.working_directory", "process.working_directory_raw",
                     p->working_directory);
        compare_text(&f, "process.user.id", "", p->user_id);
        compare_args(&f, p->args);
        compare_ancestry(&f, p);
}
