/* SPDX-License-Identifier: MIT */

/*
 * The cause of what systemd-tmpfiles deleted.
 *
 * What was deleted is gone, so its line is found by names: the lines in effect for the command line
 * are asked which of them would have removed such a path.  Locks, mount points and times of then
 * are not known; systemd-tmpfiles has looked at them, since it did delete.
 *
 * Limit: the configuration is the one of now.  What was changed between the deletion and the
 * question is found as changed, or not at all, and the explanation then says so.
 */

#include "explain/tmpfiles_cause.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/buffer.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/hash_table.h"
#include "explain/tmpfiles_command.h"
#include "explain/tmpfiles_sentence.h"
#include "explain/tmpfiles_source.h"

/* One command line of one user, and what was in force for it. */
typedef struct Entry {
        char **args; /* owned, in one block of memory; NULL: free */
        uid_t uid;
        TmpfilesCommand command; /* borrows from args */
        TmpfilesRequest request;
        TmpfilesConfig config;
        TmpfilesRules *rules; /* NULL: it could not be loaded */
        char *error;          /* why */
        uint64_t fingerprint, checked_nsec, used;
} Entry;

struct TmpfilesCauses {
        Entry entries[TMPFILES_CAUSES_MAX];
        uint64_t n_uses;
};

int tmpfiles_causes_new(TmpfilesCauses **ret_causes) {
        TmpfilesCauses *c = calloc(1, sizeof(*c));

        if (!c)
                return -ENOMEM;
        *ret_causes = c;
        return 0;
}

static void entry_unload(Entry *e) {
        tmpfiles_rules_free(e->rules);
        e->rules = NULL;
        tmpfiles_config_done(&e->config);
        free(e->error);
        e->error = NULL;
}

static void entry_done(Entry *e) {
        entry_unload(e);
        free(e->args);
        *e = (Entry){0};
}

TmpfilesCauses *tmpfiles_causes_free(TmpfilesCauses *c) {
        if (!c)
                return NULL;
        for (size_t i = 0; i < TMPFILES_CAUSES_MAX; i++)
                entry_done(&c->entries[i]);
        free(c);
        return NULL;
}

bool tmpfiles_cause_is_deleter(const char *executable, const char *name) {
        const char *base = executable ? strrchr(executable, '/') : NULL;
        static const char tool[] = "systemd-tmpfiles";

        /* The kernel cuts a process's name at 15 bytes. */
        if (!base)
                return name && strcmp(name, "systemd-tmpfile") == 0;
        base++;
        return strncmp(base, tool, sizeof(tool) - 1) == 0 &&
               strchr(". ", base[sizeof(tool) - 1]); /* whole, ".standalone", " (deleted)" */
}

/* The strings of a NULL-terminated array, and the array, in one block. */
static char **copy_args(const char *const *args) {
        size_t n = 0, n_bytes = 0;
        char **copy, *at;

        for (; args[n]; n++)
                n_bytes += strlen(args[n]) + 1;
        copy = malloc((n + 1) * sizeof(*copy) + n_bytes);
        if (!copy)
                return NULL;
        at = (char *)(copy + n + 1);
        for (size_t i = 0; i < n; i++) {
                copy[i] = at;
                at = stpcpy(at, args[i]) + 1;
        }
        copy[n] = NULL;
        return copy;
}

static bool is_same(const char *const *a, char *const *b) {
        for (; *a && *b; a++, b++)
                if (strcmp(*a, *b) != 0)
                        return false;
        return !*a && !*b;
}

static void mix_file(uint64_t *hash, const char *root, const char *path) {
        _cleanup_free_ char *full = NULL;
        struct stat st;
        uint64_t facts[4] = {0};

        if (asprintf(&full, "%s%s", root, path) < 0) {
                full = NULL;
                return;
        }
        if (stat(full, &st) == 0) {
                facts[0] = st.st_ino;
                facts[1] = (uint64_t)st.st_size;
                facts[2] = (uint64_t)st.st_mtim.tv_sec;
                facts[3] = (uint64_t)st.st_mtim.tv_nsec;
        }
        *hash = hash_u64(*hash ^ hash_bytes(facts, sizeof(facts)));
}

/* Changes when a file of the configuration does, or comes, or goes. */
static uint64_t fingerprint(const Entry *e) {
        static const char *const system[] = {
                "/etc/tmpfiles.d",     "/run/tmpfiles.d", "/usr/local/lib/tmpfiles.d",
                "/usr/lib/tmpfiles.d", "/etc/passwd",     "/etc/group",
        };
        const char *root = e->command.root ? e->command.root : "";
        uint64_t hash = 1;

        for (size_t i = 0; i < sizeof(system) / sizeof(system[0]); i++)
                mix_file(&hash, root, system[i]);
        /* What the tool printed has the root before it. */
        for (size_t i = 0; i < e->config.n_files; i++)
                mix_file(&hash, "", e->config.files[i]);
        for (const char *const *f = e->command.files; *f; f++)
                mix_file(&hash, "", *f);
        return hash;
}

/* Reads what is in force. Failure is kept, and told each time. Return: 0, -ENOMEM. */
static int entry_load(Entry *e) {
        const TmpfilesScope scope = {
                .is_user = e->command.is_user,
                .is_graceful = e->command.is_graceful,
                .uid = e->uid,
                .root = e->command.root,
                .replace = e->command.replace,
                .files = e->command.files,
        };
        unsigned version;
        int r;

        entry_unload(e);
        if (!e->command.is_known) {
                e->error = strdup("an option of its command line is unknown to whodunlink");
                return e->error ? 0 : -ENOMEM;
        }
        r = tmpfiles_source_load(&scope, &e->config, &version, &e->error);
        if (r == -ENOMEM)
                return r;
        if (r >= 0) {
                e->request = tmpfiles_command_request(&e->command, version);
                r = tmpfiles_rules_new(&e->config, &e->request, &e->rules);
                if (r < 0)
                        return r;
        }
        e->fingerprint = fingerprint(e);
        e->checked_nsec = clock_now_nsec(CLOCK_MONOTONIC);
        return 0;
}

static Entry *find_entry(TmpfilesCauses *c, const TmpfilesDeletion *d) {
        for (size_t i = 0; i < TMPFILES_CAUSES_MAX; i++) {
                Entry *e = &c->entries[i];

                if (e->args && e->uid == d->uid && is_same(d->args, e->args))
                        return e;
        }
        return NULL;
}

static Entry *oldest_entry(TmpfilesCauses *c) {
        Entry *oldest = &c->entries[0];

        for (size_t i = 1; i < TMPFILES_CAUSES_MAX; i++)
                if (c->entries[i].used < oldest->used)
                        oldest = &c->entries[i];
        return oldest;
}

/* The entry of a command line, loaded and of now. Return: 0, -ENOMEM. */
static int get_entry(TmpfilesCauses *c, const TmpfilesDeletion *d, Entry **ret_entry) {
        Entry *e = find_entry(c, d);
        int r = 0;

        if (!e) {
                e = oldest_entry(c);
                entry_done(e);
                e->args = copy_args(d->args);
                if (!e->args)
                        return -ENOMEM;
                e->uid = d->uid;
                tmpfiles_command_parse((const char *const *)e->args, &e->command);
                r = entry_load(e);
        } else if (clock_now_nsec(CLOCK_MONOTONIC) - e->checked_nsec >=
                   TMPFILES_CAUSES_CHECK_NSEC) {
                if (fingerprint(e) != e->fingerprint)
                        r = entry_load(e);
                e->checked_nsec = clock_now_nsec(CLOCK_MONOTONIC);
        }
        if (r < 0) {
                entry_done(e);
                return r;
        }
        e->used = ++c->n_uses;
        *ret_entry = e;
        return 0;
}

/* Only what is known of the deleted thing itself, and symlinks above lines. */
static int deleted_facts(void *userdata, const char *path, TmpfilesFacts *ret_facts) {
        const TmpfilesDeletion *d = userdata;

        if (strcmp(path, d->path) != 0)
                return 0;
        *ret_facts =
                (TmpfilesFacts){.mode = d->is_directory ? S_IFDIR : S_IFREG, .uid = UINT32_MAX};
        return 1;
}

static int resolve(void *userdata, const char *path, char **ret_path) {
        char *real = realpath(path, NULL);

        (void)userdata;
        if (!real)
                return -errno;
        *ret_path = real;
        return 0;
}

/* An explanation without a rule. Return: 1, -ENOMEM. */
__attribute__((format(printf, 2, 3))) static int unknown(Cause *ret_cause, const char *format,
                                                         ...) {
        Cause cause = {.type = CAUSE_TMPFILES};
        va_list args;
        int r;

        va_start(args, format);
        r = vasprintf(&cause.explanation, format, args);
        va_end(args);
        if (r < 0)
                return -ENOMEM;
        *ret_cause = cause;
        return 1;
}

static int known(const Entry *e, const TmpfilesChoice *choice, const char *path, Cause *ret_cause) {
        const TmpfilesSentence sentence = {
                .choice = choice,
                .path = path,
                .age_usec = tmpfiles_rules_age(e->rules, choice->rule),
                .is_boot = e->command.is_boot,
                .is_user = e->command.is_user,
        };
        _cleanup_free_ char *explanation = NULL, *rule = NULL, *source = NULL;
        _cleanup_buffer_ Buffer text = {0};

        tmpfiles_sentence_append(&text, &sentence);
        explanation = strdup(buffer_terminate(&text));
        rule = strdup(choice->rule->text);
        if (asprintf(&source, "%s:%u", choice->rule->file, choice->rule->number) < 0)
                source = NULL;
        if (text.is_failed || !explanation || !rule || !source)
                return -ENOMEM;
        *ret_cause = (Cause){.type = CAUSE_TMPFILES,
                             .rule = TAKE_PTR(rule),
                             .source = TAKE_PTR(source),
                             .explanation = TAKE_PTR(explanation)};
        return 1;
}

/* What the command line asked for, in the order in which it is done. */
static const char *asked_for(const TmpfilesCommand *c) {
        if (c->operations & TMPFILES_PURGE)
                return "--purge";
        if ((c->operations & (TMPFILES_REMOVE | TMPFILES_CLEAN)) ==
            (TMPFILES_REMOVE | TMPFILES_CLEAN))
                return "--remove --clean";
        if (c->operations & TMPFILES_REMOVE)
                return "--remove";
        return c->operations & TMPFILES_CLEAN ? "--clean" : "--create";
}

int tmpfiles_cause(TmpfilesCauses *c, const TmpfilesDeletion *deletion, Cause *ret_cause) {
        _cleanup_tmpfiles_choice_ TmpfilesChoice choice = {0};
        TmpfilesDeletion d = *deletion;
        const TmpfilesTree tree = {.facts = deleted_facts, .resolve = resolve, .userdata = &d};
        Entry *e;
        int r;

        if (!tmpfiles_cause_is_deleter(d.executable, d.name))
                return 0;
        if (!d.args || !d.args[0])
                return unknown(ret_cause, "systemd-tmpfiles removed it; what it was asked for is "
                                          "not known, since its command line was not seen");
        r = get_entry(c, &d, &e);
        if (r < 0)
                return r;
        if (e->command.image)
                return unknown(ret_cause, "systemd-tmpfiles removed it in an image (--image=), "
                                          "whose configuration is not followed");
        if (!e->rules)
                return unknown(ret_cause,
                               "systemd-tmpfiles removed it; its configuration is not known: %s",
                               e->error ? e->error : "it could not be read");

        r = tmpfiles_choose(e->rules, d.path,
                            d.at_nsec > 0 ? d.at_nsec : clock_now_nsec(CLOCK_REALTIME), &tree,
                            &choice);
        if (r < 0)
                return r;
        if (choice.verdict != TMPFILES_GOES)
                return unknown(ret_cause,
                               "systemd-tmpfiles %s removed it, but no line of its configuration "
                               "as it is now asks for that; it may have been changed since",
                               asked_for(&e->command));
        return known(e, &choice, d.path, ret_cause);
}
