/* SPDX-License-Identifier: MIT */

/*
 * Which deletions a user wants to hear of.
 *
 * Limits: --pid is a bare number, of whichever process has it: the user cannot name a life.
 */

#include "record/record_filter.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/glob.h"

/* A path of the usual length is put together on the stack: filters are asked for each event. */
typedef struct PathText {
        char *text;
        char *allocated;
        char short_text[PATH_MAX + NAME_MAX + 2];
} PathText;

static void path_text_done(PathText *p) {
        free(p->allocated);
}

/*
 * With the directory unknown the name stands below "/": a relative pattern that matches that would
 * match the whole path, whatever it is.
 * Return: false no memory.
 */
static bool path_text_set(PathText *p, const RecordPath *path) {
        const size_t n_directory = path->directory && path->n_directory > 1 ? path->n_directory : 0;
        const size_t n = n_directory + 1 + path->n_name + 1;
        char *at;

        p->text = p->short_text;
        if (n > sizeof(p->short_text)) {
                p->text = p->allocated = malloc(n);
                if (!p->text)
                        return false;
        }
        at = p->text;
        if (n_directory > 0)
                at = mempcpy(at, path->directory, n_directory);
        *at++ = '/';
        at = mempcpy(at, path->name, path->n_name);
        *at = '\0';
        return true;
}

/* Does any glob match a path that is known? if_no_memory: what to answer then. */
static bool matches_any(char *const *globs, size_t n_globs, const RecordPath *path,
                        bool if_no_memory) {
        _cleanup_(path_text_done) PathText p;

        p.allocated = NULL;
        if (n_globs == 0 || !path->name)
                return false;
        if (!path_text_set(&p, path))
                return if_no_memory;
        for (size_t i = 0; i < n_globs; i++) {
                if (!path->directory && globs[i][0] == '/')
                        continue;
                if (glob_match_path(globs[i], p.text))
                        return true;
        }
        return false;
}

/* Short of memory a deletion is rather told than kept back. */
static bool passes_paths(const RecordFilter *f, const Record *r) {
        bool is_included = f->n_includes == 0 ||
                           matches_any(f->includes, f->n_includes, &r->path, true) ||
                           (r->action == RECORD_MOVE &&
                            matches_any(f->includes, f->n_includes, &r->new_path, true));

        return is_included && !matches_any(f->excludes, f->n_excludes, &r->path, false);
}

static bool passes_comms(const RecordFilter *f, const ProcessFacts *facts) {
        for (size_t i = 0; i < f->n_comms; i++)
                if (facts && facts->name &&
                    (glob_match_name(f->comms[i], facts->name) ||
                     glob_match_name(f->comms[i], facts->comm)))
                        return true;
        return f->n_comms == 0;
}

static bool passes_executables(const RecordFilter *f, const ProcessFacts *facts) {
        for (size_t i = 0; i < f->n_executables; i++)
                if (facts && facts->executable &&
                    glob_match_path(f->executables[i], facts->executable))
                        return true;
        return f->n_executables == 0;
}

static bool passes_uids(const RecordFilter *f, const ProcessFacts *facts) {
        for (size_t i = 0; i < f->n_uids; i++)
                if (facts && facts->has_ids && facts->ids.effective_uid == f->uids[i])
                        return true;
        return f->n_uids == 0;
}

static bool has_pid(const RecordFilter *f, pid_t pid) {
        for (size_t i = 0; i < f->n_pids; i++)
                if (f->pids[i] == pid)
                        return true;
        return false;
}

static bool passes_pids(const RecordFilter *f, const Deleter *d) {
        if (f->n_pids == 0)
                return true;
        if (!d)
                return false;
        if (has_pid(f, d->process.pid))
                return true;
        for (size_t i = 0; f->has_descendants && i < d->n_ancestors; i++)
                if (has_pid(f, d->ancestors[i].pid))
                        return true;
        return false;
}

bool record_filter_passes(const RecordFilter *f, const Record *r) {
        const ProcessFacts *facts = r->deleter ? r->deleter->process.facts : NULL;

        if (!record_action_is_deletion(r->action))
                return true;
        if (f->actions != 0 && (f->actions & 1U << r->action) == 0)
                return false;
        /* The cheap ones first. */
        return passes_pids(f, r->deleter) && passes_uids(f, facts) && passes_comms(f, facts) &&
               passes_executables(f, facts) && passes_paths(f, r);
}

static void strings_free(char **strings, size_t n_strings) {
        for (size_t i = 0; i < n_strings; i++)
                free(strings[i]);
        free(strings);
}

void record_filter_done(RecordFilter *f) {
        strings_free(f->includes, f->n_includes);
        strings_free(f->excludes, f->n_excludes);
        strings_free(f->comms, f->n_comms);
        strings_free(f->executables, f->n_executables);
        free(f->uids);
        free(f->pids);
        *f = (RecordFilter){0};
}
