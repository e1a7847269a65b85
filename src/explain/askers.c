/* SPDX-License-Identifier: MIT */

/* One way up the ancestors, from the deleter to what is first outside its container. */

#include "explain/askers.h"

#include <errno.h>
#include <string.h>

#include "explain/arguments.h"
#include "explain/tmpfiles_cause.h"
#include "identify/process_view.h"

static const char *const package_programs[] = {"dpkg",
                                               "apt",
                                               "apt-get",
                                               "aptitude",
                                               "unattended-upgr",
                                               "rpm",
                                               "dnf",
                                               "dnf5",
                                               "dnf-3",
                                               "yum",
                                               "microdnf",
                                               "tdnf",
                                               "zypper",
                                               "pacman",
                                               "apk",
                                               "unattended-upgrade",
                                               "packagekitd",
                                               "rpm-ostree",
                                               "xbps-install",
                                               "xbps-remove",
                                               "emerge",
                                               NULL};

const ProcessView *askers_process_at(const Deleter *d, size_t i) {
        if (i > d->n_ancestors)
                return NULL;
        return i == 0 ? &d->process : &d->ancestors[i - 1];
}

static bool is_interpreter(const char *program) {
        static const char *const prefixes[] = {"python", "perl", "ruby", "bash", "dash", "sh"};

        for (size_t i = 0; i < sizeof(prefixes) / sizeof(prefixes[0]); i++)
                if (strncmp(program, prefixes[i], strlen(prefixes[i])) == 0)
                        return true;
        return false;
}

/* A script's process is called as the script is. */
static bool runs(const ProcessView *v, const char *const *programs) {
        const char *program = process_view_program(v);

        if (process_view_runs_one_of(v, programs))
                return true;
        if (!program || !is_interpreter(program) || !v->facts->name)
                return false;
        for (; *programs; programs++)
                if (strcmp(v->facts->name, *programs) == 0)
                        return true;
        return false;
}

static bool runs_program(const ProcessView *v, const char *name) {
        return runs(v, (const char *const[]){name, NULL});
}

static bool is_cron(const ProcessView *v) {
        static const char *const programs[] = {"cron", "crond", "anacron", "atd", "fcron", NULL};

        return process_view_runs_one_of(v, programs);
}

/* @below: the process that v started, and @further: that this started; each may be NULL */
static void look_at(const ProcessView *v, const ProcessView *below, const ProcessView *further,
                    Askers *a) {
        if (!a->logrotate && runs_program(v, "logrotate"))
                a->logrotate = v;
        if (runs(v, package_programs)) {
                a->package = v;
                if (!a->tool)
                        a->tool = v;
        }
        if (!below || a->cron)
                return;
        if (!a->script && runs_program(v, "run-parts"))
                a->script = below;
        /* Between the daemon and a job there is one more of the daemon's own. */
        if (!is_cron(v) || is_cron(below))
                return;
        a->cron = v;
        a->job = below;
        a->is_at = runs_program(v, "atd");
        a->command = a->is_at && further ? further : below;
        a->is_anacron = runs_program(v, "anacron");
}

void askers_find(const Deleter *d, Askers *ret_askers) {
        Askers a = {0};
        const ProcessView *v, *below = NULL, *further = NULL;

        a.is_contained = d->process.facts && process_facts_is_in_container(d->process.facts);
        for (size_t i = 0; (v = askers_process_at(d, i)); i++) {
                if (v->facts && a.is_contained && !process_facts_is_in_container(v->facts))
                        break;
                look_at(v, below, further, &a);
                further = below;
                below = v;
        }
        if (d->process.facts &&
            tmpfiles_cause_is_deleter(d->process.facts->executable, d->process.facts->name))
                a.tmpfiles = &d->process;
        leaders_find(d, &a.leaders);
        *ret_askers = a;
}

static size_t length_without_architecture(const char *name, size_t n) {
        const char *colon = memchr(name, ':', n);

        return colon ? (size_t)(colon - name) : n;
}

/* "/var/lib/dpkg/info/foo:amd64.postrm" */
static bool is_maintainer_script(const char *path, const char **ret_name, size_t *ret_n_name) {
        static const char *const suffixes[] = {".preinst", ".postinst", ".prerm", ".postrm"};
        static const char directory[] = "/dpkg/info/";
        const char *at = strstr(path, directory);

        if (path[0] != '/' || !at)
                return false;
        at += strlen(directory);
        for (size_t i = 0; i < sizeof(suffixes) / sizeof(suffixes[0]); i++) {
                const char *dot = strrchr(at, '.');

                if (!dot || dot == at || strchr(at, '/') || strcmp(dot, suffixes[i]) != 0)
                        continue;
                *ret_name = at;
                *ret_n_name = length_without_architecture(at, (size_t)(dot - at));
                return *ret_n_name > 0;
        }
        return false;
}

static bool find_script(const Deleter *d, const ProcessView *tool, const char **ret_name,
                        size_t *ret_n_name) {
        const ProcessView *v;

        for (size_t i = 0; (v = askers_process_at(d, i)) && v != tool; i++)
                for (size_t k = 0; k < 2; k++) {
                        const char *arg = arguments_at(v->facts, k);

                        if (arg && is_maintainer_script(arg, ret_name, ret_n_name))
                                return true;
                }
        return false;
}

/* What such options are followed by is no package. */
static bool takes_value(const char *option) {
        static const char *const options[] = {"--status-fd", "--root",   "--admindir", "-o", "-c",
                                              "-t",          "--setopt", "-C",         NULL};

        for (size_t i = 0; options[i]; i++)
                if (strcmp(option, options[i]) == 0)
                        return true;
        return false;
}

static bool is_verb(const char *word) {
        static const char *const verbs[] = {
                "remove",       "purge",        "install",   "reinstall",  "erase",
                "upgrade",      "update",       "downgrade", "autoremove", "del",
                "dist-upgrade", "full-upgrade", "rm",        "in",         NULL};

        for (size_t i = 0; verbs[i]; i++)
                if (strcmp(word, verbs[i]) == 0)
                        return true;
        return false;
}

/* "foo:amd64", "/var/cache/apt/archives/foo_1.0_amd64.deb" */
static void take_name(const char *word, const char **ret_name, size_t *ret_n_name) {
        const char *slash = strrchr(word, '/');
        const char *name = slash ? slash + 1 : word;
        size_t n = strlen(name);

        if (n > 4 && strcmp(name + n - 4, ".deb") == 0)
                n = strcspn(name, "_");
        *ret_name = name;
        *ret_n_name = length_without_architecture(name, n);
}

static bool find_only_argument(const ProcessView *v, const char **ret_name, size_t *ret_n_name) {
        const char *arg, *only = NULL;
        size_t n = 0;

        if (!v->facts || v->facts->is_args_cut)
                return false;
        for (size_t i = 1; (arg = arguments_at(v->facts, i)); i++) {
                if (arg[0] == '-')
                        i += takes_value(arg);
                else if (n > 0 || !is_verb(arg)) {
                        only = arg;
                        n++;
                }
        }
        if (n != 1)
                return false;
        take_name(only, ret_name, ret_n_name);
        return *ret_n_name > 0;
}

int askers_package(const Deleter *d, const Askers *a, const char **ret_name, size_t *ret_n_name) {
        const char *name = NULL;
        size_t n_name = 0;

        if (!a->tool || !(find_script(d, a->tool, &name, &n_name) ||
                          find_only_argument(a->tool, &name, &n_name) ||
                          find_only_argument(a->package, &name, &n_name)))
                return -ENODATA;
        *ret_name = name;
        *ret_n_name = n_name;
        return 0;
}
