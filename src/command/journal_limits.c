/* SPDX-License-Identifier: MIT */

/*
 * journald.conf and its drop-ins.
 *
 * Read here rather than by `systemd-analyze cat-config`, which need not be there and takes longer
 * than all else that the doctor does.
 *
 * Limits: LogRateLimitIntervalSec= and LogRateLimitBurst= of a single unit are not looked at, and
 * journals of a namespace (journald@.conf) neither.
 */

#include "command/journal_limits.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "command/option_value.h"

/* The first one wins. */
static const char *const directories[] = {"etc/systemd", "run/systemd", "usr/local/lib/systemd",
                                          "usr/lib/systemd"};
#define N_DIRECTORIES (sizeof(directories) / sizeof(directories[0]))
/* Nobody writes a longer one. */
#define FILE_BYTES_MAX ((size_t)1024 * 1024)
#define VALUE_BYTES_MAX 256

typedef struct DropIn {
        char *name;
        const char *directory;
} DropIn;

static bool is_key(const char *line, size_t n_key, const char *key) {
        return strlen(key) == n_key && memcmp(line, key, n_key) == 0;
}

static void apply_assignment(const char *key, size_t n_key, const char *value, JournalLimits *l) {
        uint64_t v;

        /* The second is what it was called before systemd 236. */
        if (is_key(key, n_key, "RateLimitIntervalSec") || is_key(key, n_key, "RateLimitInterval")) {
                if (clock_parse_duration(value, &v) >= 0)
                        l->interval_nsec = v;
        } else if (is_key(key, n_key, "RateLimitBurst") &&
                   option_value_u64(value, UINT32_MAX, &v) >= 0) {
                l->burst = v;
        }
}

/* One line, blanks around it taken off. */
static void apply_line(const char *line, size_t n_line, bool *is_ours, JournalLimits *l) {
        const char *equals = memchr(line, '=', n_line);
        char value[VALUE_BYTES_MAX];
        size_t n_key, n_value;

        if (n_line == 0 || *line == '#' || *line == ';')
                return;
        if (*line == '[') {
                *is_ours = is_key(line, n_line, "[Journal]");
                return;
        }
        if (!equals || !*is_ours)
                return;
        n_key = (size_t)(equals - line);
        while (n_key > 0 && isspace((unsigned char)line[n_key - 1]))
                n_key--;
        n_value = n_line - (size_t)(equals + 1 - line);
        if (n_value >= sizeof(value))
                return;
        memcpy(value, equals + 1, n_value);
        value[n_value] = '\0';
        apply_assignment(line, n_key, value + strspn(value, " \t"), l);
}

void journal_limits_apply(const char *text, size_t n_bytes, JournalLimits *l) {
        const char *end = text + n_bytes;
        bool is_ours = false;

        while (text < end) {
                const char *newline = memchr(text, '\n', (size_t)(end - text));
                const char *next = newline ? newline + 1 : end;
                const char *last = newline ? newline : end;

                while (text < last && isspace((unsigned char)*text))
                        text++;
                while (last > text && isspace((unsigned char)last[-1]))
                        last--;
                apply_line(text, (size_t)(last - text), &is_ours, l);
                text = next;
        }
}

/* Return: 1 it is there and was applied, 0 it is not, -ENOMEM. */
static int apply_file(int root_fd, const char *directory, const char *name, JournalLimits *l) {
        _cleanup_free_ char *path = NULL;
        _cleanup_buffer_ Buffer b = {0};
        _cleanup_close_ int fd = -1;
        ssize_t n;

        if (asprintf(&path, "%s/%s", directory, name) < 0) {
                path = NULL;
                return -ENOMEM;
        }
        fd = openat(root_fd, path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
        if (fd < 0)
                return 0;
        do {
                if (buffer_reserve(&b, 4096) < 0)
                        return -ENOMEM;
                n = read(fd, b.bytes + b.n_bytes, 4096);
                b.n_bytes += n > 0 ? (size_t)n : 0;
        } while (n > 0 && b.n_bytes < FILE_BYTES_MAX);
        journal_limits_apply(b.bytes, b.n_bytes, l);
        return 1;
}

static bool is_drop_in(const char *name) {
        size_t n = strlen(name);

        return n > strlen(".conf") && name[0] != '.' &&
               strcmp(name + n - strlen(".conf"), ".conf") == 0;
}

/* Those of one directory whose names no earlier directory has. */
static int collect(int root_fd, const char *directory, DropIn **drop_ins, size_t *n) {
        _cleanup_closedir_ DIR *d = NULL;
        _cleanup_free_ char *path = NULL;
        const size_t n_before = *n;
        struct dirent *e;
        int fd;

        if (asprintf(&path, "%s/journald.conf.d", directory) < 0) {
                path = NULL;
                return -ENOMEM;
        }
        fd = openat(root_fd, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        d = fd < 0 ? NULL : fdopendir(fd);
        if (!d) {
                cleanup_close(&fd);
                return 0;
        }
        while ((e = readdir(d))) {
                bool is_masked = !is_drop_in(e->d_name);
                DropIn *grown;

                for (size_t i = 0; i < n_before && !is_masked; i++)
                        is_masked = strcmp((*drop_ins)[i].name, e->d_name) == 0;
                if (is_masked)
                        continue;
                grown = reallocarray(*drop_ins, *n + 1, sizeof(*grown));
                if (!grown)
                        return -ENOMEM;
                *drop_ins = grown;
                grown[*n] = (DropIn){.name = strdup(e->d_name), .directory = directory};
                if (!grown[*n].name)
                        return -ENOMEM;
                (*n)++;
        }
        return 0;
}

static int compare(const void *a, const void *b) {
        return strcmp(((const DropIn *)a)->name, ((const DropIn *)b)->name);
}

static int apply_drop_in(int root_fd, const DropIn *d, JournalLimits *l) {
        _cleanup_free_ char *name = NULL;

        if (asprintf(&name, "journald.conf.d/%s", d->name) < 0) {
                name = NULL;
                return -ENOMEM;
        }
        return apply_file(root_fd, d->directory, name, l);
}

int journal_limits_read(int root_fd, JournalLimits *ret_limits) {
        JournalLimits l = JOURNAL_LIMITS_DEFAULT;
        DropIn *drop_ins = NULL;
        size_t n = 0;
        int r = 0;

        for (size_t i = 0; i < N_DIRECTORIES && r == 0; i++)
                r = apply_file(root_fd, directories[i], "journald.conf", &l);
        for (size_t i = 0; i < N_DIRECTORIES && r >= 0; i++)
                r = collect(root_fd, directories[i], &drop_ins, &n);
        if (n > 0)
                qsort(drop_ins, n, sizeof(*drop_ins), compare);
        for (size_t i = 0; i < n && r >= 0; i++)
                r = apply_drop_in(root_fd, &drop_ins[i], &l);

        for (size_t i = 0; i < n; i++)
                free(drop_ins[i].name);
        free(drop_ins);
        if (r < 0)
                return r;
        *ret_limits = l;
        return 0;
}
