/* SPDX-License-Identifier: MIT */

/*
 * The options that choose which deletions are told.
 *
 * Lists are copied, so that the filter does not depend on where a value came from.
 */

#include "command/filter_options.h"

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

static int add_glob(const Usage *u, char ***list, size_t *n, const char *option,
                    const char *value) {
        if (glob_check(value) < 0)
                return usage_mistake(u, option, value,
                                     "not a pattern that could match; write for example '*.log', "
                                     "/var/cache/**, and \\[ for a bracket that means itself");
        return list_add_string(list, n, value);
}

static int parse_actions(const Usage *u, const char *value, unsigned *actions) {
        static const char *const words[] = {"unlink", "rmdir", "move", NULL};
        static const RecordAction meant[] = {RECORD_UNLINK, RECORD_RMDIR, RECORD_MOVE};
        const char *at = value;

        for (;;) {
                size_t n = strcspn(at, ",");
                int i = option_value_word(words, at, n);

                if (i < 0)
                        return usage_mistake(u, "action", value,
                                             "not a list of unlink, rmdir, move; write for example "
                                             "unlink,rmdir");
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

static int add_user(const Usage *u, RecordFilter *f, const char *value) {
        uid_t uid = 0, *grown;
        uint64_t number;
        int r;

        if (option_value_u64(value, UINT32_MAX - 1, &number) == 0) {
                uid = (uid_t)number;
        } else {
                r = lookup_user(value, &uid);
                if (r < 0) {
                        _cleanup_buffer_ Buffer what = {0};

                        buffer_append_format(&what, "cannot look up this user: %s; give its uid",
                                             strerror(-r));
                        return usage_mistake(u, "user", value, buffer_terminate(&what));
                }
                if (r == 0)
                        return usage_mistake(u, "user", value,
                                             "unknown user; give a name that `getent passwd` "
                                             "knows, or a uid");
        }
        grown = list_grow(f->uids, f->n_uids, sizeof(*f->uids));
        if (!grown)
                return -ENOMEM;
        f->uids = grown;
        f->uids[f->n_uids++] = uid;
        return 0;
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
        case FILTER_OPTION_COMM:
                return add_glob(u, &f->comms, &f->n_comms, "comm", value);
        case FILTER_OPTION_DESCENDANTS:
                f->has_descendants = true;
                return 0;
        case FILTER_OPTION_EXCLUDE:
                return add_glob(u, &f->excludes, &f->n_excludes, "exclude", value);
        case FILTER_OPTION_EXE:
                return add_glob(u, &f->executables, &f->n_executables, "exe", value);
        case FILTER_OPTION_INCLUDE:
                return add_glob(u, &f->includes, &f->n_includes, "include", value);
        case FILTER_OPTION_PID:
                return add_pid(u, f, value);
        case FILTER_OPTION_USER:
                return add_user(u, f, value);
        }
        return -EINVAL;
}

int filter_options_check(const Usage *u, const RecordFilter *f) {
        if (f->has_descendants && f->n_pids == 0)
                return usage_mistake(u, "descendants", NULL,
                                     "of which process? give it with --pid=PID");
        return 0;
}
