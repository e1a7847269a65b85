/* SPDX-License-Identifier: MIT */

/* The files of cron, in the order in which Debian's reads them. */

#include "explain/cron_source.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "explain/arguments.h"
#include "explain/small_file.h"
#include "explain/crontab.h"

#define ARGS_MAX 64

typedef struct Search {
        int root_fd;
        CrontabJob job;
        const char *args[ARGS_MAX];
        Buffer text;
        char *file;       /* owned; of .line */
        CrontabLine line; /* number 0: none yet */
        int error;        /* -ENOMEM */
} Search;

void cron_source_done(CronSource *s) {
        free(s->command);
        free(s->source);
        free(s->script);
        free(s->user);
        *s = (CronSource){0};
}

/* "sh -c COMMAND" */
static const char *shell_command(const ProcessFacts *f) {
        const char *flag = arguments_at(f, 1), *command = arguments_at(f, 2);
        const char *shell = arguments_at(f, 0);
        size_t n = shell ? strlen(shell) : 0;

        if (!flag || !command || strcmp(flag, "-c") != 0 || n < 2 ||
            strcmp(shell + n - 2, "sh") != 0 || f->is_args_cut)
                return NULL;
        return command;
}

static void describe_job(Search *s, const ProcessFacts *f) {
        s->job.command = shell_command(f);
        if (s->job.command || !f || f->is_args_cut)
                return;
        while (s->job.n_args < ARGS_MAX &&
               (s->args[s->job.n_args] = arguments_at(f, s->job.n_args)))
                s->job.n_args++;
        s->job.args = s->args;
}

static void look_into(Search *s, const char *file, CrontabKind kind) {
        CrontabLine line;
        int r;

        if (s->line.is_exact || s->error < 0 ||
            small_file_read(s->root_fd, file, CRONTAB_BYTES_MAX, &s->text) < 0)
                return;
        r = crontab_find(s->text.bytes, s->text.n_bytes, kind, &s->job, &line);
        if (r == -ENOMEM)
                s->error = r;
        if (r < 0)
                return;
        if (s->line.number > 0 && !line.is_exact) {
                s->line.is_ambiguous = true;
                free(line.command);
                return;
        }
        free(s->line.command);
        free(s->file);
        s->line = line;
        s->file = strdup(file);
        if (!s->file)
                s->error = -ENOMEM;
}

static void look_into_directory(Search *s, const char *directory) {
        _cleanup_small_file_names_ SmallFileNames l = {0};
        char path[512];

        if (small_file_list(s->root_fd, directory, &l) < 0)
                return;
        for (size_t i = 0; i < l.n; i++)
                if ((size_t)snprintf(path, sizeof(path), "%s/%s", directory, l.names[i]) <
                    sizeof(path))
                        look_into(s, path, CRONTAB_OF_SYSTEM);
}

static void look_into_users(Search *s, const char *user) {
        static const char *const directories[] = {"/var/spool/cron/crontabs", "/var/spool/cron",
                                                  "/var/spool/cron/tabs"};
        char path[512];

        for (size_t i = 0; i < sizeof(directories) / sizeof(directories[0]); i++)
                if (!strchr(user, '/') && (size_t)snprintf(path, sizeof(path), "%s/%s",
                                                           directories[i], user) < sizeof(path))
                        look_into(s, path, CRONTAB_OF_USER);
}

static void look_everywhere(Search *s, const Askers *a) {
        if (a->is_anacron) {
                look_into(s, "/etc/anacrontab", CRONTAB_ANACRON);
                return;
        }
        look_into(s, "/etc/crontab", CRONTAB_OF_SYSTEM);
        look_into_directory(s, "/etc/cron.d");
        if (s->job.user)
                look_into_users(s, s->job.user);
}

/* A script is known by its path: run-parts calls it by that, an interpreter is told it. */
static char *script_path(const ProcessView *v) {
        for (size_t i = 0; i < 2; i++) {
                const char *arg = arguments_at(v->facts, i);

                if (arg && arg[0] == '/' && strstr(arg, "/cron."))
                        return strdup(arg);
        }
        return v->facts && v->facts->executable ? strdup(v->facts->executable) : NULL;
}

static int take(const Search *s, const Askers *a, CronSource *source) {
        const char *command = s->job.command ? s->job.command : s->line.command;
        _cleanup_buffer_ Buffer args = {0};

        if (s->error < 0)
                return s->error;
        if (!command) {
                arguments_append(a->command->facts, &args);
                command = args.n_bytes > 0 ? buffer_terminate(&args) : NULL;
        }
        source->command = command ? strdup(command) : NULL;
        if (a->script)
                source->script = script_path(a->script);
        if (s->line.number > 0 && !s->line.is_ambiguous &&
            asprintf(&source->source, "%s:%zu", s->file, s->line.number) < 0)
                source->source = NULL;
        return args.is_failed || (command && !source->command) ? -ENOMEM : 0;
}

int cron_source_find(int root_fd, const Askers *a, CronSource *ret_source) {
        _cleanup_cron_source_ CronSource source = {0};
        Search s = {.root_fd = root_fd};
        int r = 0;

        describe_job(&s, a->command->facts);
        if (root_fd >= 0 && a->job->facts && a->job->facts->has_ids &&
            small_file_user(root_fd, a->job->facts->ids.effective_uid, &source.user) >= 0)
                s.job.user = source.user;
        if (root_fd >= 0 && !a->is_at && (s.job.command || s.job.n_args > 0))
                look_everywhere(&s, a);
        r = take(&s, a, &source);
        buffer_done(&s.text);
        free(s.file);
        free(s.line.command);
        if (r < 0)
                return r;
        *ret_source = source;
        source = (CronSource){0};
        return 0;
}
