/* SPDX-License-Identifier: MIT */

/*
 * News of the coverage: on stderr for who starts a watch, in the stream for who reads it.
 *
 * What cannot be watched is said once, and again only when something else is mounted: device
 * numbers and even ids of mounts are used anew at once.
 */

#include "command/watch_news.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/escape.h"
#include "base/hash_table.h"
#include "base/path.h"
#include "command/kernel_features.h"
#include "command/reasons.h"
#include "command/watch_session_private.h"

static void say(const WatchSession *s, const Buffer *message) {
        /* Text says it in the stream of records. */
        bool is_told = s->is_started && record_sink_is_for_people(s->sink);

        if (!s->options->is_quiet && !s->is_stderr_journal && !is_told)
                fprintf(stderr, "%.*s\n", (int)message->n_bytes, message->bytes);
}

int watch_news_say_error(const char *what, const char *on, int error) {
        _cleanup_buffer_ Buffer b = {0};

        escape_append_terminal(&b, on, strlen(on));
        fprintf(stderr, "whodunlink: cannot %s %s: %s\n", what, buffer_terminate(&b),
                strerror(-error));
        return error;
}

/* What is told before START stands right behind it, for whoever reads records only. */
static int keep(WatchSession *s, const ScopeMount *m, const Buffer *message) {
        EarlyNews *news = reallocarray(s->early, s->n_early + 1, sizeof(*news));
        int r;

        if (!news)
                return watch_news_say_error("keep what is said of", "the start", -ENOMEM);
        s->early = news;
        news = &news[s->n_early];
        *news = (EarlyNews){.message = strndup(message->bytes, message->n_bytes)};
        if (!news->message)
                return watch_news_say_error("keep what is said of", "the start", -ENOMEM);
        s->n_early++;
        r = m ? scope_set_add_mount(&news->mount, m->root, m->point, m->fstype, m->source,
                                    m->subvolume)
              : 0;
        return r < 0 ? watch_news_say_error("keep what is said of", "the start", r) : 0;
}

int watch_news_tell(WatchSession *s, const ScopeMount *m, Buffer *message) {
        say(s, message);
        if (!s->is_started)
                return keep(s, m, message);
        return watch_session_put_news(s, &(Record){
                                                 .action = RECORD_COVERAGE,
                                                 .mount = m,
                                                 .message = buffer_terminate(message),
                                         });
}

int watch_news_put_early(WatchSession *s) {
        /* Text is for who has read it on stderr. */
        for (size_t i = 0; i < s->n_early && !record_sink_is_for_people(s->sink); i++) {
                const EarlyNews *news = &s->early[i];
                int r = watch_session_put_news(
                        s, &(Record){
                                   .action = RECORD_COVERAGE,
                                   .mount = news->mount.n_mounts > 0 ? news->mount.mounts : NULL,
                                   .message = news->message,
                           });

                if (r < 0)
                        return r;
        }
        watch_news_forget_early(s);
        return 0;
}

void watch_news_forget_early(WatchSession *s) {
        for (size_t i = 0; i < s->n_early; i++) {
                free(s->early[i].message);
                scope_set_done(&s->early[i].mount);
        }
        free(s->early);
        s->early = NULL;
        s->n_early = 0;
}

/* What a mount shows, apart from the place. */
static uint64_t identity_of(const Mount *m) {
        return hash_u64(hash_bytes(m->fstype, strlen(m->fstype)) ^
                        hash_u64(hash_bytes(m->source, strlen(m->source)) ^
                                 hash_bytes(m->super_options, strlen(m->super_options))));
}

bool watch_news_is_refused(const WatchSession *s, const CoverageFilesystem *f) {
        for (size_t i = 0; i < s->n_refused; i++)
                if (s->refused[i].device == f->device &&
                    s->refused[i].identity == identity_of(f->mount))
                        return true;
        return false;
}

/* Says once that a filesystem is not watched. */
static int leave_out(WatchSession *s, const CoverageFilesystem *f, Buffer *message) {
        Refused *refused = reallocarray(s->refused, s->n_refused + 1, sizeof(*refused));

        if (!refused)
                return watch_news_say_error("watch", f->mount->point, -ENOMEM);
        s->refused = refused;
        s->refused[s->n_refused++] =
                (Refused){.device = f->device, .identity = identity_of(f->mount)};
        return watch_news_tell(s, &f->scopes.mounts[0], message);
}

int watch_news_refuse(WatchSession *s, const CoverageFilesystem *f, WatchedStep step, int error) {
        _cleanup_buffer_ Buffer b = {0};
        const Mount *m = f->mount;

        buffer_append_literal(&b, "cannot watch ");
        reasons_append_mount(&b, m->point, m->fstype, m->source);
        buffer_append_format(&b, ": %s (%s)", reasons_mount(error, step, m),
                             strerrorname_np(-error));

        /* At the start, what the user asked for must work; what is mounted below may not. */
        if (f->is_asked_for && !s->is_started && !s->options->is_all) {
                fprintf(stderr, "whodunlink: %.*s\n", (int)b.n_bytes, b.bytes);
                return error;
        }
        return leave_out(s, f, &b);
}

int watch_news_leave_out_remote(WatchSession *s, const CoverageFilesystem *f) {
        _cleanup_buffer_ Buffer b = {0};
        const Mount *m = f->mount;

        buffer_append_literal(&b, "not watching ");
        reasons_append_mount(&b, m->point, m->fstype, m->source);
        buffer_append_literal(&b, ": it is not local, and what other hosts delete there cannot be "
                                  "seen; name it as a PATH to watch what is deleted from here");
        return leave_out(s, f, &b);
}

/* Filesystems that were refused and are gone may be asked for again under the same number. */
void watch_news_forget_refused(WatchSession *s, const CoveragePlan *plan) {
        size_t n = 0;

        for (size_t i = 0; i < s->n_refused; i++)
                for (size_t k = 0; k < plan->n_filesystems; k++)
                        if (plan->filesystems[k].device == s->refused[i].device) {
                                s->refused[n++] = s->refused[i];
                                break;
                        }
        s->n_refused = n;
}

/* Once, at the start: who reads "every filesystem" may count them. */
static int tell_pseudo(WatchSession *s, const MountTable *table) {
        _cleanup_buffer_ Buffer b = {0};
        size_t n = 0;

        for (size_t i = 0; i < table->n_mounts; i++)
                n += coverage_is_pseudo(table->mounts[i].fstype);
        if (s->is_started || !s->options->is_all || n == 0)
                return 0;
        buffer_append_format(
                &b,
                "not watching %zu mount%s of proc, sysfs, cgroup2 and their like: they "
                "are views of the kernel and hold no files that anyone could lose",
                n, n == 1 ? "" : "s");
        return watch_news_tell(s, NULL, &b);
}

/* Once, at the start: what this kernel makes all records lack. */
static int tell_features(WatchSession *s) {
        unsigned found = FAN_FEATURE_ALL;
        size_t n;
        const KernelFeature *all = kernel_features_all(&n);
        int r = 0;

        for (size_t i = 0; i < s->n_filesystems; i++)
                found &= fan_group_features(watched_filesystem_group(s->filesystems[i]));
        for (size_t i = 0; i < n && r >= 0 && !s->is_started; i++) {
                _cleanup_buffer_ Buffer b = {0};

                if (!all[i].without || found & all[i].bits)
                        continue;
                buffer_append_format(&b, "this kernel has no %s (Linux %s): %s", all[i].name,
                                     all[i].from, all[i].without);
                r = watch_news_tell(s, NULL, &b);
        }
        return r;
}

int watch_news_tell_start(WatchSession *s, const MountTable *table) {
        int r = tell_pseudo(s, table);

        return r < 0 ? r : tell_features(s);
}

/* Does a mount show something of a target? */
static bool is_in_view(const WatchSession *s, const ScopeMount *m) {
        for (size_t i = 0; i < s->n_targets; i++) {
                const ScopeTarget *t = &s->targets[i];

                if (path_is_within(m->point, m->n_point, t->path, t->n_path) ||
                    path_is_within(t->path, t->n_path, m->point, m->n_point))
                        return true;
        }
        return false;
}

static bool has_point(const ScopeSet *set, const ScopeMount *m) {
        for (size_t i = 0; i < set->n_mounts; i++)
                if (strcmp(set->mounts[i].point, m->point) == 0)
                        return true;
        return false;
}

/* The first in view that the other does not have, and how many there are. */
static const ScopeMount *find_new(const WatchSession *s, const ScopeSet *set, const ScopeSet *other,
                                  size_t *ret_n) {
        const ScopeMount *first = NULL;

        *ret_n = 0;
        for (size_t i = 0; i < set->n_mounts; i++) {
                const ScopeMount *m = &set->mounts[i];

                if (!is_in_view(s, m) || has_point(other, m))
                        continue;
                if ((*ret_n)++ == 0)
                        first = m;
        }
        return first;
}

static int tell_place(WatchSession *s, const char *what, const ScopeMount *m, const char *why) {
        _cleanup_buffer_ Buffer b = {0};

        buffer_append_string(&b, what);
        reasons_append_mount(&b, m->point, m->fstype, m->source);
        buffer_append_string(&b, why);
        return watch_news_tell(s, m, &b);
}

static int tell_move(WatchSession *s, const ScopeMount *from, const ScopeMount *to) {
        _cleanup_buffer_ Buffer b = {0};

        buffer_append_literal(&b, "watching ");
        reasons_append_mount(&b, to->point, to->fstype, to->source);
        buffer_append_literal(&b, ": it was moved there from ");
        escape_append_terminal(&b, from->point, from->n_point);
        return watch_news_tell(s, to, &b);
}

int watch_news_tell_places(WatchSession *s, const ScopeSet *before, const ScopeSet *now) {
        size_t n_come, n_gone;
        const ScopeMount *come = find_new(s, now, before, &n_come);
        const ScopeMount *gone = find_new(s, before, now, &n_gone);
        int r = 0;

        if (n_come == 1 && n_gone == 1)
                return tell_move(s, gone, come);
        for (size_t i = 0; i < now->n_mounts && n_come > 0 && r >= 0; i++)
                if (is_in_view(s, &now->mounts[i]) && !has_point(before, &now->mounts[i]))
                        r = tell_place(s, "watching ", &now->mounts[i],
                                       ": it is mounted there, too");
        for (size_t i = 0; i < before->n_mounts && n_gone > 0 && r >= 0; i++)
                if (is_in_view(s, &before->mounts[i]) && !has_point(now, &before->mounts[i]))
                        r = tell_place(s, "no longer watching ", &before->mounts[i],
                                       ": it is no longer mounted there");
        return r;
}
