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
#include "identify/cgroup.h"
#include "identify/container.h"
#include "identify/unit_name.h"

/* More than any name that is a component of a cgroup's path. */
#define NAME_BYTES (NAME_MAX + 1)
/* Those of docker, podman, containerd and cri-o. */
#define ID_DIGITS 64

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
                           ((r->action == RECORD_MOVE || r->action == RECORD_OVERWRITE) &&
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

static bool has_login_uid(const ProcessFacts *facts, uid_t uid) {
        return facts->login_uid == uid && (uid != PROCESS_ID_UNSET || facts->has_login_uid);
}

static bool passes_login_uids(const RecordFilter *f, const ProcessFacts *facts) {
        for (size_t i = 0; facts && i < f->n_login_uids; i++)
                if (has_login_uid(facts, f->login_uids[i]))
                        return true;
        return f->n_login_uids == 0;
}

/* Does a glob match a unit's or a machine's name as it stands, or as people write it? */
static bool matches_escaped(const char *glob, const char *name, size_t n_name) {
        char text[NAME_BYTES];

        if (!name || n_name >= sizeof(text))
                return false;
        memcpy(text, name, n_name);
        text[n_name] = '\0';
        return glob_match_name(glob, text) ||
               (unit_name_unescape(name, n_name, text, sizeof(text)) >= 0 &&
                glob_match_name(glob, text));
}

static bool passes_units(const RecordFilter *f, const ProcessFacts *facts) {
        CgroupUnits u;

        if (f->n_units == 0)
                return true;
        if (!facts || !facts->cgroup)
                return false;
        cgroup_units_parse(facts->cgroup, strlen(facts->cgroup), &u);
        for (size_t i = 0; i < f->n_units; i++)
                if (matches_escaped(f->units[i], u.unit, u.n_unit) ||
                    matches_escaped(f->units[i], u.user_unit, u.n_user_unit))
                        return true;
        return false;
}

static size_t n_hex_digits(const char *s) {
        return strspn(s, "0123456789abcdef");
}

/* An id begins with these digits: as `docker ps` shows it, or fewer. */
static bool is_id_prefix(const char *digits, const char *id, size_t n_id) {
        size_t n = n_hex_digits(digits);

        return n >= RECORD_FILTER_ID_DIGITS_MIN && digits[n] == '\0' && n_id == ID_DIGITS &&
               n <= n_id && memcmp(digits, id, n) == 0 && n_hex_digits(id) >= n_id;
}

static bool passes_containers(const RecordFilter *f, const ProcessFacts *facts) {
        ContainerRef c;

        if (f->n_containers == 0)
                return true;
        if (!facts || !facts->cgroup)
                return false;
        container_parse(facts->cgroup, strlen(facts->cgroup), &c);
        for (size_t i = 0; c.id && i < f->n_containers; i++)
                if (is_id_prefix(f->containers[i], c.id, c.n_id) ||
                    matches_escaped(f->containers[i], c.id, c.n_id))
                        return true;
        return false;
}

static bool is_ancestor(const char *glob, const ProcessFacts *facts) {
        if (strchr(glob, '/'))
                return facts->executable && glob_match_path(glob, facts->executable);
        return facts->name &&
               (glob_match_name(glob, facts->name) || glob_match_name(glob, facts->comm));
}

static bool passes_ancestors(const RecordFilter *f, const Deleter *d) {
        for (size_t i = 0; d && i < f->n_ancestors; i++)
                for (size_t k = 0; k < d->n_ancestors; k++)
                        if (d->ancestors[k].facts &&
                            is_ancestor(f->ancestors[i], d->ancestors[k].facts))
                                return true;
        return f->n_ancestors == 0;
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

bool record_filter_has_moves_only(const RecordFilter *f) {
        return f->actions & 1U << RECORD_MOVE && !(f->actions & 1U << RECORD_OVERWRITE) &&
               !f->has_no_overwrites;
}

bool record_filter_passes(const RecordFilter *f, const Record *r) {
        const ProcessFacts *facts = r->deleter ? r->deleter->process.facts : NULL;

        if (!record_action_is_deletion(r->action))
                return true;
        if (f->has_no_overwrites && r->action == RECORD_OVERWRITE)
                return false;
        if (f->actions != 0 && (f->actions & 1U << r->action) == 0)
                return false;
        /* The cheap ones first. */
        return passes_pids(f, r->deleter) && passes_uids(f, facts) && passes_login_uids(f, facts) &&
               passes_comms(f, facts) && passes_executables(f, facts) && passes_units(f, facts) &&
               passes_containers(f, facts) && passes_ancestors(f, r->deleter) && passes_paths(f, r);
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
        strings_free(f->units, f->n_units);
        strings_free(f->containers, f->n_containers);
        strings_free(f->ancestors, f->n_ancestors);
        free(f->uids);
        free(f->login_uids);
        free(f->pids);
        *f = (RecordFilter){0};
}
