/* SPDX-License-Identifier: MIT */

/*
 * Of several causes the nearest to the deletion is told: the rule of a tool before the job that ran
 * the tool, that before the timer of the unit it ran in, that before who was logged in.
 */

#include "explain/explain.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/hash_table.h"
#include "explain/arguments.h"
#include "explain/askers.h"
#include "explain/fact_cache.h"
#include "explain/logrotate_source.h"
#include "explain/sentence.h"
#include "explain/tmpfiles_cause.h"
#include "explain/small_file.h"
#include "identify/cgroup.h"
#include "identify/container.h"
#include "identify/unit_name.h"

#define KEY_BYTES 384

struct Explain {
        int root_fd;
        Bus *bus;
        TmpfilesCauses *tmpfiles;
        FactCache cache;
        uint64_t now_nsec; /* of the question: what was still good for it is kept until its end */
};

int explain_new(const ExplainOptions *options, Explain **ret_explain) {
        Explain *x = calloc(1, sizeof(*x));
        int r;

        if (!x)
                return -ENOMEM;
        x->root_fd = options->root_fd;
        r = bus_new(options->system_bus, options->user_bus, &x->bus);
        if (r >= 0)
                r = tmpfiles_causes_new(&x->tmpfiles);
        if (r < 0) {
                explain_free(x);
                return r;
        }
        *ret_explain = x;
        return 0;
}

Explain *explain_free(Explain *x) {
        if (x) {
                fact_cache_done(&x->cache);
                tmpfiles_causes_free(x->tmpfiles);
                bus_free(x->bus);
                free(x);
        }
        return NULL;
}

ExplainCounters explain_counters(const Explain *x) {
        return (ExplainCounters){
                .n_hits = x->cache.n_hits,
                .n_misses = x->cache.n_misses,
                .n_evicted = x->cache.n_evicted,
                .n_bus_timeouts = bus_n_timeouts(x->bus),
        };
}

static CgroupUnits units_of(const Deleter *d) {
        const ProcessFacts *f = d->process.facts;
        CgroupUnits u = {0};

        if (f && f->cgroup)
                cgroup_units_parse(f->cgroup, strlen(f->cgroup), &u);
        return u;
}

static bool has_suffix(const char *name, size_t n, const char *suffix) {
        const size_t n_suffix = strlen(suffix);

        return n > n_suffix && memcmp(name + n - n_suffix, suffix, n_suffix) == 0;
}

/* The unit that may have been started by another: a service, the user's before the system's. */
static bool service_of(const CgroupUnits *u, const char **ret_name, size_t *ret_n_name) {
        *ret_name = u->user_unit ? u->user_unit : u->unit;
        *ret_n_name = u->user_unit ? u->n_user_unit : u->n_unit;
        return *ret_name && has_suffix(*ret_name, *ret_n_name, ".service");
}

static bool is_login(const Askers *a, const CgroupUnits *u) {
        return a->leaders.entry_type == ENTRY_SSHD || a->leaders.entry_type == ENTRY_CONSOLE ||
               a->leaders.entry_type == ENTRY_TERMINAL || u->session;
}

ExplainScope explain_scope(const Deleter *d) {
        CgroupUnits u = units_of(d);
        const char *name;
        size_t n_name;
        Askers a;

        if (!d->process.facts)
                return EXPLAIN_NONE;
        askers_find(d, &a);
        if ((a.tmpfiles || a.logrotate) && !a.is_contained)
                return EXPLAIN_PATH;
        if (a.logrotate || a.package || a.cron || a.is_contained || is_login(&a, &u) ||
            service_of(&u, &name, &n_name))
                return EXPLAIN_PROCESS;
        return EXPLAIN_NONE;
}

/* What is known by a key; asks `ask` if nothing is. NULL: it was asked for in vain. */
static void *fact(Explain *x, const char *key, uint64_t age_nsec,
                  int (*ask)(Explain *x, const void *userdata, void **ret_fact),
                  const void *userdata, void (*free_fact)(void *fact)) {
        void *found = NULL;

        if (fact_cache_get(&x->cache, key, x->now_nsec, &found) > 0)
                return found;
        if (ask(x, userdata, &found) < 0)
                found = NULL;
        if (fact_cache_put(&x->cache, key, x->now_nsec, age_nsec, found, free_fact) < 0)
                found = NULL;
        return found;
}

typedef struct UnitQuestion {
        uid_t uid;
        const char *unit;
} UnitQuestion;

static int ask_unit(Explain *x, const void *userdata, void **ret_fact) {
        const UnitQuestion *q = userdata;
        UnitFacts *f;
        int r = unit_facts_ask(x->bus, q->uid, q->unit, &f);

        if (r >= 0)
                *ret_fact = f;
        return r;
}

static void free_unit(void *fact_) {
        unit_facts_free(fact_);
}

/* "user@1000.service": whose manager it is. */
static uid_t manager_of(const CgroupUnits *u) {
        UnitNameParts p;

        if (!u->user_unit || unit_name_split(u->unit, u->n_unit, &p) < 0 || !p.instance)
                return BUS_SYSTEM;
        return (uid_t)strtoul(p.instance, NULL, 10);
}

static const UnitFacts *unit_facts(Explain *x, const CgroupUnits *u) {
        char unit[257], key[KEY_BYTES];
        UnitQuestion q = {.unit = unit};
        const char *name;
        size_t n_name;

        if (!service_of(u, &name, &n_name) || n_name >= sizeof(unit))
                return NULL;
        q.uid = manager_of(u);
        if (u->user_unit && q.uid == BUS_SYSTEM)
                return NULL;
        snprintf(unit, sizeof(unit), "%.*s", (int)n_name, name);
        snprintf(key, sizeof(key), "unit %u %s", q.uid, unit);
        return fact(x, key, EXPLAIN_UNIT_AGE_NSEC, ask_unit, &q, free_unit);
}

static int ask_session(Explain *x, const void *userdata, void **ret_fact) {
        SessionFacts *f;
        int r = session_facts_ask(x->bus, userdata, &f);

        if (r >= 0)
                *ret_fact = f;
        return r;
}

static void free_session(void *fact_) {
        session_facts_free(fact_);
}

static const SessionFacts *session_facts(Explain *x, const char *session) {
        char key[KEY_BYTES];

        snprintf(key, sizeof(key), "session %s", session);
        return fact(x, key, EXPLAIN_SESSION_AGE_NSEC, ask_session, session, free_session);
}

typedef struct ContainerQuestion {
        const char *runtime, *id;
} ContainerQuestion;

static int ask_container(Explain *x, const void *userdata, void **ret_fact) {
        const ContainerQuestion *q = userdata;
        ContainerState *s;
        int r = container_state_find(x->root_fd, q->runtime, q->id, &s);

        if (r >= 0)
                *ret_fact = s;
        return r;
}

static void free_container(void *fact_) {
        container_state_free(fact_);
}

/* Return: 1, 0 it is in none that has a name, -ENOMEM. */
static int explain_container(Explain *x, const Deleter *d, Cause *c) {
        const ProcessFacts *f = d->process.facts;
        char name[CONTAINER_NAME_BYTES], key[KEY_BYTES];
        ContainerQuestion q = {.id = name};
        const ContainerState *s;
        ContainerRef ref = {0};
        int r;

        if (f->cgroup)
                container_parse(f->cgroup, strlen(f->cgroup), &ref);
        if (!ref.id)
                return 0;
        container_name(&ref, name);
        q.runtime = ref.runtime;
        snprintf(key, sizeof(key), "container %s", name);
        s = fact(x, key, EXPLAIN_CONTAINER_AGE_NSEC, ask_container, &q, free_container);
        r = sentence_container(name, ref.runtime, s, c);
        return r < 0 ? r : 1;
}

static int ask_job(Explain *x, const void *userdata, void **ret_fact) {
        const Askers *a = userdata;
        CronSource *s = calloc(1, sizeof(*s));
        int r = s ? cron_source_find(a->is_contained ? -1 : x->root_fd, a, s) : -ENOMEM;

        if (r < 0)
                free(s);
        else
                *ret_fact = s;
        return r;
}

static void free_job(void *fact_) {
        cron_source_done(fact_);
        free(fact_);
}

static uint64_t hash_of_arguments(const ProcessView *v) {
        return v && v->facts && v->facts->args ? hash_bytes(v->facts->args, v->facts->n_args_bytes)
                                               : 0;
}

static int explain_cron(Explain *x, const Askers *a, Cause *c) {
        const CronSource *s;
        char key[KEY_BYTES];
        int r;

        /* Which of its commands the job runs is another at the next. */
        snprintf(key, sizeof(key), "job %llu %llx %llx", (unsigned long long)a->job->serial,
                 (unsigned long long)hash_of_arguments(a->command),
                 (unsigned long long)hash_of_arguments(a->script));
        s = fact(x, key, EXPLAIN_JOB_AGE_NSEC, ask_job, a, free_job);
        r = s ? sentence_cron(a, s, c) : -ENOMEM;
        return r < 0 ? r : 1;
}

static int ask_logrotate(Explain *x, const void *userdata, void **ret_fact) {
        const Askers *a = userdata;
        LogrotateConfig *c = calloc(1, sizeof(*c));
        int r = c ? logrotate_source_load(x->root_fd, a->logrotate->facts, c) : -ENOMEM;

        if (r < 0)
                free(c);
        else
                *ret_fact = c;
        return r;
}

static void free_logrotate(void *fact_) {
        logrotate_config_done(fact_);
        free(fact_);
}

/* One run, one reading of its configuration. */
static int explain_logrotate(Explain *x, const Askers *a, const ExplainedPath *path, Cause *c) {
        const LogrotateStanza *stanza = NULL;
        const LogrotateConfig *config;
        char key[KEY_BYTES];
        int r;

        if (!a->is_contained && path->path) {
                snprintf(key, sizeof(key), "logrotate %d %llu", (int)a->logrotate->pid,
                         (unsigned long long)a->logrotate->serial);
                config = fact(x, key, EXPLAIN_JOB_AGE_NSEC, ask_logrotate, a, free_logrotate);
                if (config)
                        stanza = logrotate_config_find(config, path->path);
        }
        r = sentence_logrotate(a, stanza, c);
        return r < 0 ? r : 1;
}

/* Arguments given to it; of more the first. */
#define TMPFILES_ARGS_MAX 64

/* The configuration is the machine's: of a container's nothing is known. */
static int explain_tmpfiles(Explain *x, const ProcessView *v, const ExplainedPath *path, Cause *c) {
        const char *args[TMPFILES_ARGS_MAX + 1] = {NULL};
        TmpfilesDeletion t = {
                .path = path->path,
                .is_directory = path->is_directory,
                .executable = v->facts->executable,
                .name = v->facts->name,
                .args = args,
                .uid = v->facts->ids.effective_uid,
                .at_nsec = path->at_nsec,
        };

        for (size_t i = 0; i < TMPFILES_ARGS_MAX && (args[i] = arguments_at(v->facts, i)); i++)
                ;
        if (!args[0])
                t.args = NULL;
        return tmpfiles_cause(x->tmpfiles, &t, c);
}

static int explain_timer(const CgroupUnits *u, const UnitFacts *f, Cause *c) {
        char unit[257];
        const char *name;
        size_t n_name;
        int n, r;

        (void)service_of(u, &name, &n_name);
        n = unit_name_unescape(name, n_name, unit, sizeof(unit));
        if (n < 0)
                snprintf(unit, sizeof(unit), "%.*s", (int)n_name, name);
        r = sentence_timer(unit, f, c);
        return r < 0 ? r : 1;
}

static int explain_login(Explain *x, const Deleter *d, const Askers *a, const CgroupUnits *u,
                         Cause *c) {
        const ProcessFacts *f = d->process.facts;
        const ProcessFacts *entry = a->leaders.entry ? a->leaders.entry->facts : NULL;
        _cleanup_free_ char *user = NULL;
        char tty[SENTENCE_TTY_BYTES], session[64] = "";
        SentenceLogin l = {.type = a->leaders.entry_type};
        const SessionFacts *s = NULL;
        int r;

        if (u->session && u->n_session < sizeof(session)) {
                snprintf(session, sizeof(session), "%.*s", (int)u->n_session, u->session);
                l.session = session;
                s = session_facts(x, session);
        }
        if (s) {
                l.user = s->user;
                l.remote_host = s->remote_host;
                l.tty = s->tty;
                l.display = s->display;
        }
        if (!l.user && f->has_login_uid && f->login_uid != PROCESS_ID_UNSET)
                (void)small_file_user(x->root_fd, f->login_uid, &user);
        if (!l.user && !user && entry && entry->has_ids)
                (void)small_file_user(x->root_fd, entry->ids.real_uid, &user);
        if (!l.user)
                l.user = user;
        if (!l.tty && sentence_tty(f->tty ? f->tty : entry ? entry->tty : 0, tty) >= 0)
                l.tty = tty;
        r = sentence_login(&l, c);
        return r < 0 ? r : 1;
}

/* Return: 1, 0 no program of that kind is among the ancestors, -ENOMEM. */
static int explain_asker(Explain *x, const Deleter *d, const Askers *a, const ExplainedPath *path,
                         Cause *c) {
        int r;

        if (a->tmpfiles && !a->is_contained && path->path)
                return explain_tmpfiles(x, &d->process, path, c);
        if (a->logrotate)
                return explain_logrotate(x, a, path, c);
        if (a->package) {
                r = sentence_package(d, a, c);
                return r < 0 ? r : 1;
        }
        return a->cron ? explain_cron(x, a, c) : 0;
}

/* The unit, and what started it. */
static int add_unit(const CgroupUnits *u, const UnitFacts *f, Cause *c) {
        const char *name = u->user_unit ? u->user_unit : u->unit;
        const size_t n = u->user_unit ? u->n_user_unit : u->n_unit;

        if (name && !c->unit && !(c->unit = strndup(name, n)))
                return -ENOMEM;
        if (f && f->triggered_by && !c->triggered_by &&
            !(c->triggered_by = strdup(f->triggered_by)))
                return -ENOMEM;
        return f && c->type != CAUSE_TIMER ? sentence_append_trigger(f, c) : 0;
}

int explain_find(Explain *x, const Deleter *d, const ExplainedPath *path, Cause *ret_cause) {
        _cleanup_cause_ Cause c = {0};
        const UnitFacts *facts = NULL;
        CgroupUnits u = units_of(d);
        Askers a;
        int r;

        if (!d->process.facts)
                return 0;
        x->now_nsec = clock_now_nsec(CLOCK_MONOTONIC);
        askers_find(d, &a);
        /* What a container calls its units is not for our manager. */
        if (!a.is_contained)
                facts = unit_facts(x, &u);
        r = explain_asker(x, d, &a, path, &c);
        if (r == 0 && facts && facts->triggered_by)
                r = explain_timer(&u, facts, &c);
        if (r == 0 && a.is_contained)
                r = explain_container(x, d, &c);
        if (r == 0 && is_login(&a, &u))
                r = explain_login(x, d, &a, &u, &c);
        if (r <= 0)
                return r;
        r = add_unit(&u, facts, &c);
        if (r < 0)
                return r;
        *ret_cause = c;
        c = (Cause){0};
        return 1;
}
