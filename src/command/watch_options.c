/* SPDX-License-Identifier: MIT */

/*
 * The command line of `whodunlink watch`.
 *
 * Lists are copied, so that the filter does not depend on where a value came from; a mistake is
 * said where it is found and ends the reading.
 *
 * Limits: getopt_long(3) keeps its place in global variables, so one command line is read at a
 * time.
 */

#include "command/watch_options.h"

#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/glob.h"
#include "capture/fan_group.h"
#include "command/usage.h"

#define USER_LOOKUP_BYTES_MAX ((size_t)1024 * 1024)

static const Usage usage = {"whodunlink watch", "whodunlink watch [OPTION…] PATH…"};

static const char help[] =
        "usage: whodunlink watch [OPTION…] PATH…\n"
        "Tell of files and directories that disappear at or below PATH, and who did it.\n"
        "\n"
        "  --output=auto|text|json    for people, for machines; auto: text on a terminal\n"
        "  --color=auto|always|never  auto: on a terminal, unless NO_COLOR is set\n"
        "  --quiet                    only records, no news and no summary on stderr\n"
        "  --queue=unlimited|bounded  bounded: saves memory; what is lost is told\n"
        "Which (repeated: any of them; several kinds: all must hold)\n"
        "  --include=GLOB  --exclude=GLOB  paths; '*.o' in any directory, '**' for many\n"
        "  --action=unlink,rmdir,move      files, directories, what was renamed away\n"
        "  --comm=GLOB  --exe=GLOB         the process's name, its program's path\n"
        "  --user=NAME|UID                 its effective user\n"
        "  --pid=PID  [--descendants]      it, and all that it started\n"
        "How long\n"
        "  --once  --count=N               until one record, until N of them\n"
        "  --timeout=DURATION              90s, 10min, 1h30m; exit status 124\n"
        "  -h, --help\n"
        "\n"
        "Who empties my cache?         sudo whodunlink watch ~/.cache\n"
        "Wait until a file is removed  sudo whodunlink watch --once /run/app.lock\n";

typedef enum WatchOption {
        OPTION_HELP = 'h',
        OPTION_ACTION = 256,
        OPTION_COLOR,
        OPTION_COMM,
        OPTION_COUNT,
        OPTION_DESCENDANTS,
        OPTION_EXCLUDE,
        OPTION_EXE,
        OPTION_FAN_FEATURES,
        OPTION_INCLUDE,
        OPTION_ONCE,
        OPTION_OUTPUT,
        OPTION_PID,
        OPTION_QUEUE,
        OPTION_QUIET,
        OPTION_TIMEOUT,
        OPTION_USER,
} WatchOption;

static const struct option options[] = {
        {"action", required_argument, NULL, OPTION_ACTION},
        {"color", required_argument, NULL, OPTION_COLOR},
        {"comm", required_argument, NULL, OPTION_COMM},
        {"count", required_argument, NULL, OPTION_COUNT},
        {"descendants", no_argument, NULL, OPTION_DESCENDANTS},
        {"exclude", required_argument, NULL, OPTION_EXCLUDE},
        {"exe", required_argument, NULL, OPTION_EXE},
        {"fan-features", required_argument, NULL, OPTION_FAN_FEATURES}, /* for tests */
        {"help", no_argument, NULL, OPTION_HELP},
        {"include", required_argument, NULL, OPTION_INCLUDE},
        {"once", no_argument, NULL, OPTION_ONCE},
        {"output", required_argument, NULL, OPTION_OUTPUT},
        {"pid", required_argument, NULL, OPTION_PID},
        {"queue", required_argument, NULL, OPTION_QUEUE},
        {"quiet", no_argument, NULL, OPTION_QUIET},
        {"timeout", required_argument, NULL, OPTION_TIMEOUT},
        {"user", required_argument, NULL, OPTION_USER},
        {0},
};

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

static int add_glob(char ***list, size_t *n, const char *option, const char *value) {
        if (glob_check(value) < 0)
                return usage_mistake(&usage, option, value,
                                     "not a pattern that could match; write for example '*.log', "
                                     "/var/cache/**, and \\[ for a bracket that means itself");
        return list_add_string(list, n, value);
}

/* Digits only: no sign, no blanks, no other base. Return: 0, -EINVAL. */
static int parse_u64(const char *text, uint64_t max, uint64_t *ret) {
        uint64_t v = 0;

        if (!*text)
                return -EINVAL;
        for (; *text; text++) {
                unsigned digit = (unsigned)(unsigned char)*text - '0';

                if (digit > 9 || v > (max - digit) / 10)
                        return -EINVAL;
                v = v * 10 + digit;
        }
        *ret = v;
        return 0;
}

/* Return: index of the word, -EINVAL. */
static int find_word(const char *const *words, const char *value, size_t n_value) {
        for (int i = 0; words[i]; i++)
                if (strlen(words[i]) == n_value && memcmp(words[i], value, n_value) == 0)
                        return i;
        return -EINVAL;
}

static int parse_word(const char *option, const char *value, const char *const *words,
                      const char *what, int *ret) {
        int i = find_word(words, value, strlen(value));

        if (i < 0)
                return usage_mistake(&usage, option, value, what);
        *ret = i;
        return 0;
}

static int parse_output(const char *value, WatchOutput *ret) {
        static const char *const words[] = {"auto", "text", "json", NULL};
        int i, r = parse_word("output", value, words, "not one of auto, text, json", &i);

        if (r == 0)
                *ret = (WatchOutput)i;
        return r;
}

static int parse_color(const char *value, WatchColor *ret) {
        static const char *const words[] = {"auto", "always", "never", NULL};
        int i, r = parse_word("color", value, words, "not one of auto, always, never", &i);

        if (r == 0)
                *ret = (WatchColor)i;
        return r;
}

static int parse_queue(const char *value, bool *ret_is_bounded) {
        static const char *const words[] = {"unlimited", "bounded", NULL};
        int i, r = parse_word("queue", value, words, "not one of unlimited, bounded", &i);

        if (r == 0)
                *ret_is_bounded = i == 1;
        return r;
}

static int parse_actions(const char *value, unsigned *actions) {
        static const char *const words[] = {"unlink", "rmdir", "move", NULL};
        static const RecordAction meant[] = {RECORD_UNLINK, RECORD_RMDIR, RECORD_MOVE};
        const char *at = value;

        for (;;) {
                size_t n = strcspn(at, ",");
                int i = find_word(words, at, n);

                if (i < 0)
                        return usage_mistake(&usage, "action", value,
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

static int add_user(RecordFilter *f, const char *value) {
        uid_t uid = 0, *grown;
        uint64_t number;
        int r;

        if (parse_u64(value, UINT32_MAX - 1, &number) == 0) {
                uid = (uid_t)number;
        } else {
                r = lookup_user(value, &uid);
                if (r < 0) {
                        _cleanup_buffer_ Buffer what = {0};

                        buffer_append_format(&what, "cannot look up this user: %s; give its uid",
                                             strerror(-r));
                        return usage_mistake(&usage, "user", value, buffer_terminate(&what));
                }
                if (r == 0)
                        return usage_mistake(&usage, "user", value,
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

static int add_pid(RecordFilter *f, const char *value) {
        uint64_t number;
        pid_t *grown;

        if (parse_u64(value, INT_MAX, &number) < 0 || number == 0)
                return usage_mistake(&usage, "pid", value,
                                     "not a process id; write a number from 1");
        grown = list_grow(f->pids, f->n_pids, sizeof(*f->pids));
        if (!grown)
                return -ENOMEM;
        f->pids = grown;
        f->pids[f->n_pids++] = (pid_t)number;
        return 0;
}

static int parse_count(const char *value, uint64_t *ret) {
        uint64_t count;

        if (parse_u64(value, UINT64_MAX, &count) < 0 || count == 0)
                return usage_mistake(&usage, "count", value, "not a number from 1");
        *ret = count;
        return 0;
}

static int parse_timeout(const char *value, uint64_t *ret_nsec) {
        uint64_t nsec;
        int r = clock_parse_duration(value, &nsec);

        if (r == -ERANGE)
                return usage_mistake(&usage, "timeout", value,
                                     "too long; leave it out to watch for ever");
        if (r < 0)
                return usage_mistake(&usage, "timeout", value,
                                     "not a duration; write for example 90s, 10min or 1h30m");
        if (nsec == 0)
                return usage_mistake(&usage, "timeout", value,
                                     "no time at all; leave it out to watch for ever");
        *ret_nsec = nsec;
        return 0;
}

static int parse_fan_features(const char *value, unsigned *ret) {
        uint64_t features;

        if (parse_u64(value, FAN_FEATURE_ALL, &features) < 0)
                return usage_mistake(&usage, "fan-features", value, "not a set of FanFeatures");
        *ret = (unsigned)features;
        return 0;
}

static int apply(WatchOptions *o, WatchOption option, const char *value) {
        RecordFilter *f = &o->filter;

        switch (option) {
        case OPTION_ACTION:
                return parse_actions(value, &f->actions);
        case OPTION_COLOR:
                return parse_color(value, &o->color);
        case OPTION_COMM:
                return add_glob(&f->comms, &f->n_comms, "comm", value);
        case OPTION_COUNT:
                return parse_count(value, &o->count);
        case OPTION_DESCENDANTS:
                f->has_descendants = true;
                return 0;
        case OPTION_EXCLUDE:
                return add_glob(&f->excludes, &f->n_excludes, "exclude", value);
        case OPTION_EXE:
                return add_glob(&f->executables, &f->n_executables, "exe", value);
        case OPTION_FAN_FEATURES:
                return parse_fan_features(value, &o->fan_features);
        case OPTION_INCLUDE:
                return add_glob(&f->includes, &f->n_includes, "include", value);
        case OPTION_ONCE:
                o->count = 1;
                return 0;
        case OPTION_OUTPUT:
                return parse_output(value, &o->output);
        case OPTION_PID:
                return add_pid(f, value);
        case OPTION_QUEUE:
                return parse_queue(value, &o->is_queue_bounded);
        case OPTION_QUIET:
                o->is_quiet = true;
                return 0;
        case OPTION_TIMEOUT:
                return parse_timeout(value, &o->timeout_nsec);
        case OPTION_USER:
                return add_user(f, value);
        case OPTION_HELP:
                break;
        }
        return -EINVAL;
}

int watch_options_parse(int argc, char **argv, WatchOptions *ret_options) {
        WatchOptions *o = ret_options;
        int c, r;

        *o = (WatchOptions){.fan_features = FAN_FEATURE_ALL};
        optind = 0; /* glibc: begin anew */
        opterr = 0;
        while ((c = getopt_long(argc, argv, ":h", options, NULL)) >= 0) {
                if (c == OPTION_HELP) {
                        (void)fputs(help, stdout);
                        return 0;
                }
                r = c == '?' || c == ':' ? usage_getopt_mistake(&usage, c, argv, options)
                                         : apply(o, (WatchOption)c, optarg);
                if (r < 0)
                        return r;
        }
        o->paths = argv + optind;
        o->n_paths = (size_t)(argc - optind);

        if (o->filter.has_descendants && o->filter.n_pids == 0)
                return usage_mistake(&usage, "descendants", NULL,
                                     "of which process? give it with --pid=PID");
        if (o->n_paths == 0)
                return usage_mistake(&usage, NULL, NULL,
                                     "no PATH; which file or directory shall be watched?");
        for (size_t i = 0; i < o->n_paths; i++)
                if (o->paths[i][0] == '\0')
                        return usage_mistake(&usage, NULL, "''", "an empty PATH");
        return 1;
}

void watch_options_done(WatchOptions *o) {
        record_filter_done(&o->filter);
        *o = (WatchOptions){0};
}
