/* SPDX-License-Identifier: MIT */

/*
 * The options that choose which deletions are told.
 *
 * Lists are copied, so that the filter does not depend on where a value came from.
 */

#include "command/filter_options.h"

#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "base/cleanup.h"
#include "base/glob.h"
#include "command/option_value.h"

#define USER_LOOKUP_BYTES_MAX ((size_t)1024 * 1024)

/* Of patterns, for messages. */
#define PATH_EXAMPLES "'*.log', /var/cache/**"
#define NAME_EXAMPLES "rm, 'python3*'"
#define PROGRAM_EXAMPLES "/usr/bin/rm, '/opt/**'"
#define ANCESTOR_EXAMPLES "sshd, 'python3*', /usr/sbin/cron"
#define UNIT_EXAMPLES "cron, user@1000.service, 'docker-*.scope'"
#define CONTAINER_EXAMPLES "3f2a9c51e0d7 as `docker ps` shows it, web, 'build-*'"

/* Makes room for one more; the new one is not counted yet. Return: NULL no memory. */
static void *list_grow(void *list, size_t n, size_t n_bytes_each) {
        return reallocarray(list, n + 1, n_bytes_each);
}

static int list_add_string(char ***list, size_t *n, const char *value) {
        char **grown = list_grow(*list, *n, sizeof(**list));

        if (!grown)
                return -ENOMEM;
        *list = grown;
        grown[*n] = strdup(value);
        if (!grown[*n])
                return -ENOMEM;
        (*n)++;
        return 0;
}

static int check_glob(const Usage *u, const char *option, const char *value, const char *examples) {
        _cleanup_buffer_ Buffer what = {0};

        if (glob_check(value) >= 0)
                return 0;
        buffer_append_format(&what,
                             "not a pattern that could match; write for example %s, and \\[ for a "
                             "bracket that means itself",
                             examples);
        return usage_mistake(u, option, value, buffer_terminate(&what));
}

static int add_glob(const Usage *u, char ***list, size_t *n, const char *option, const char *value,
                    const char *examples) {
        int r = check_glob(u, option, value, examples);

        return r < 0 ? r : list_add_string(list, n, value);
}

/* Does a name end in a type of unit? */
static bool has_unit_type(const char *name) {
        static const char *const types[] = {"service", "socket", "target",    "device",
                                            "mount",   "swap",   "automount", "timer",
                                            "path",    "slice",  "scope",     NULL};
        const char *dot = strrchr(name, '.');

        return dot && option_value_word(types, dot + 1, strlen(dot + 1)) >= 0;
}

/*
 * As systemctl(1) takes a unit: "cron" is cron.service, a pattern is complete as it is, and the
 * backslash of \xNN stands for itself.
 */
static int add_unit(const Usage *u, RecordFilter *f, const char *value) {
        _cleanup_buffer_ Buffer glob = {0};
        const char *text;
        int r;

        r = check_glob(u, "unit", value, UNIT_EXAMPLES);
        if (r < 0)
                return r;
        if (value[0] == '/')
                return usage_mistake(u, "unit", value,
                                     "a path, not the name of a unit; `systemctl status` tells a "
                                     "path's unit");
        for (const char *at = value; *at; at++) {
                if (at[0] == '\\' && at[1] == 'x' && isxdigit((unsigned char)at[2]) &&
                    isxdigit((unsigned char)at[3]))
                        buffer_append_char(&glob, '\\');
                buffer_append_char(&glob, *at);
        }
        if (!strpbrk(value, "*?[") && !has_unit_type(value))
                buffer_append_literal(&glob, ".service");
        text = buffer_terminate(&glob);
        return glob.is_failed ? -ENOMEM : list_add_string(&f->units, &f->n_units, text);
}

static int parse_actions(const Usage *u, const char *value, unsigned *actions) {
        static const char *const words[] = {"unlink", "rmdir", "move", "overwrite", NULL};
        static const RecordAction meant[] = {RECORD_UNLINK, RECORD_RMDIR, RECORD_MOVE,
                                             RECORD_OVERWRITE};
        const char *at = value;

        for (;;) {
                size_t n = strcspn(at, ",");
                int i = option_value_word(words, at, n);

                if (i < 0)
                        return usage_mistake(u, "action", value,
                                             "not a list of unlink, rmdir, move, overwrite; write "
                                             "for example unlink,rmdir");
                *actions |= 1U << meant[i];
                if (at[n] == '\0')
                        return 0;
                at += n + 1;
        }
}

/* Return: 1 found, 0 no such user, negative errno the user database cannot be asked. */
static int lookup_user(const char *name, uid_t *ret) {
        for (size_t n = 1024; n <= USER_LOOKUP_BYTES_MAX; n *= 2) {
                _cleanup_free_ char *buf = malloc(n);
                struct passwd entry, *found = NULL;
                int r;

                if (!buf)
                        return -ENOMEM;
                do {
                        r = getpwnam_r(name, &entry, buf, n, &found);
                } while (r == EINTR);
                if (r == ERANGE)
                        continue;
                if (found)
                        *ret = found->pw_uid;
                /* getpwnam(3) lists what else "not found" may be. */
                if (found || r == 0 || r == ENOENT || r == ESRCH || r == EBADF || r == EPERM)
                        return found != NULL;
                return -r;
        }
        return -ERANGE;
}

static int parse_user(const Usage *u, const char *option, const char *value, const char *unknown,
                      uid_t *ret) {
        uint64_t number;
        int r;

        if (option_value_u64(value, UINT32_MAX - 1, &number) == 0) {
                *ret = (uid_t)number;
                return 0;
        }
        r = lookup_user(value, ret);
        if (r < 0) {
                _cleanup_buffer_ Buffer what = {0};

                buffer_append_format(&what, "cannot look up this user: %s; give its uid",
                                     strerror(-r));
                return usage_mistake(u, option, value, buffer_terminate(&what));
        }
        return r == 0 ? usage_mistake(u, option, value, unknown) : 0;
}

static int list_add_uid(uid_t **list, size_t *n, uid_t uid) {
        uid_t *grown = list_grow(*list, *n, sizeof(**list));

        if (!grown)
                return -ENOMEM;
        *list = grown;
        grown[(*n)++] = uid;
        return 0;
}

static int add_user(const Usage *u, RecordFilter *f, const char *value) {
        uid_t uid = 0;
        int r;

        r = parse_user(u, "user", value,
                       "unknown user; give a name that `getent passwd` knows, or a uid", &uid);
        return r < 0 ? r : list_add_uid(&f->uids, &f->n_uids, uid);
}

static int add_login_uid(const Usage *u, RecordFilter *f, const char *value) {
        uid_t uid = PROCESS_ID_UNSET;
        int r = 0;

        if (strcmp(value, "unset") != 0)
                r = parse_user(u, "loginuid", value,
                               "unknown user; give a name that `getent passwd` knows, a uid, or "
                               "unset for what nobody's login started",
                               &uid);
        return r < 0 ? r : list_add_uid(&f->login_uids, &f->n_login_uids, uid);
}

static int add_pid(const Usage *u, RecordFilter *f, const char *value) {
        uint64_t number;
        pid_t *grown;

        if (option_value_u64(value, INT_MAX, &number) < 0 || number == 0)
                return usage_mistake(u, "pid", value, "not a process id; write a number from 1");
        grown = list_grow(f->pids, f->n_pids, sizeof(*f->pids));
        if (!grown)
                return -ENOMEM;
        f->pids = grown;
        f->pids[f->n_pids++] = (pid_t)number;
        return 0;
}

bool filter_options_has(int option) {
        return option >= FILTER_OPTION_ACTION;
}

int filter_options_apply(const Usage *u, RecordFilter *f, FilterOption option, const char *value) {
        switch (option) {
        case FILTER_OPTION_ACTION:
                return parse_actions(u, value, &f->actions);
        case FILTER_OPTION_ANCESTOR:
                return add_glob(u, &f->ancestors, &f->n_ancestors, "ancestor", value,
                                ANCESTOR_EXAMPLES);
        case FILTER_OPTION_COMM:
                return add_glob(u, &f->comms, &f->n_comms, "comm", value, NAME_EXAMPLES);
        case FILTER_OPTION_CONTAINER:
                return add_glob(u, &f->containers, &f->n_containers, "container", value,
                                CONTAINER_EXAMPLES);
        case FILTER_OPTION_DESCENDANTS:
                f->has_descendants = true;
                return 0;
        case FILTER_OPTION_EXCLUDE:
                return add_glob(u, &f->excludes, &f->n_excludes, "exclude", value, PATH_EXAMPLES);
        case FILTER_OPTION_EXE:
                return add_glob(u, &f->executables, &f->n_executables, "exe", value,
                                PROGRAM_EXAMPLES);
        case FILTER_OPTION_INCLUDE:
                return add_glob(u, &f->includes, &f->n_includes, "include", value, PATH_EXAMPLES);
        case FILTER_OPTION_LOGINUID:
                return add_login_uid(u, f, value);
        case FILTER_OPTION_NO_OVERWRITES:
                f->has_no_overwrites = true;
                return 0;
        case FILTER_OPTION_PID:
                return add_pid(u, f, value);
        case FILTER_OPTION_UNIT:
                return add_unit(u, f, value);
        case FILTER_OPTION_USER:
                return add_user(u, f, value);
        }
        return -EINVAL;
}

int filter_options_check(const Usage *u, const RecordFilter *f) {
        if (f->has_descendants && f->n_pids == 0)
                return usage_mistake(u, "descendants", NULL,
                                     "of which process? give it with --pid=PID");
        if (f->has_no_overwrites && f->actions & 1U << RECORD_OVERWRITE)
                return usage_mistake(u, "no-overwrites", NULL,
                                     "contradicts --action=overwrite; leave out one of them");
        return 0;
}
