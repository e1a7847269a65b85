/* SPDX-License-Identifier: MIT */

/* Source: readConfigPath() in config.c of logrotate 3.21, and its default tabooext. */

#include "explain/logrotate_source.h"

#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "explain/arguments.h"
#include "explain/small_file.h"

#define DEFAULT_CONFIG "/etc/logrotate.conf"

typedef struct Loader {
        int root_fd;
        size_t n_files;
} Loader;

static bool is_taboo(const char *name) {
        static const char *const endings[] = {
                ",v",           ".bak",       ".cfsaved",  ".disabled", ".dpkg-bak",
                ".dpkg-del",    ".dpkg-dist", ".dpkg-new", ".dpkg-old", ".dpkg-tmp",
                ".rhn-cfg-tmp", ".rpmnew",    ".rpmorig",  ".rpmsave",  ".swp",
                ".ucf-dist",    ".ucf-new",   ".ucf-old",  "~"};
        const size_t n = strlen(name);

        for (size_t i = 0; i < sizeof(endings) / sizeof(endings[0]); i++) {
                const size_t n_ending = strlen(endings[i]);

                if (n >= n_ending && strcmp(name + n - n_ending, endings[i]) == 0)
                        return true;
        }
        return false;
}

static int load(void *userdata, const char *path, LogrotateConfig *c);

static int load_file(Loader *l, const char *path, const Buffer *text, LogrotateConfig *c) {
        const LogrotateIncluder includer = {.include = load, .userdata = l};
        int r;

        c->depth++;
        r = logrotate_config_parse(c, path, text->bytes, text->n_bytes, &includer);
        c->depth--;
        return r;
}

static int load_directory(Loader *l, const char *path, LogrotateConfig *c) {
        _cleanup_small_file_names_ SmallFileNames names = {0};
        char file[PATH_MAX];
        int r = small_file_list(l->root_fd, path, &names);

        for (size_t i = 0; r >= 0 && i < names.n; i++) {
                _cleanup_buffer_ Buffer text = {0};

                if (is_taboo(names.names[i]) || l->n_files >= LOGROTATE_FILES_MAX ||
                    (size_t)snprintf(file, sizeof(file), "%s/%s", path, names.names[i]) >=
                            sizeof(file))
                        continue;
                l->n_files++;
                if (small_file_read(l->root_fd, file, LOGROTATE_FILE_BYTES_MAX, &text) >= 0)
                        r = load_file(l, file, &text, c);
        }
        return r == -ENOMEM ? r : 0;
}

/* A file, or the files of a directory. */
static int load(void *userdata, const char *path, LogrotateConfig *c) {
        _cleanup_buffer_ Buffer text = {0};
        Loader *l = userdata;
        int r;

        if (c->depth >= LOGROTATE_DEPTH_MAX || l->n_files >= LOGROTATE_FILES_MAX)
                return 0;
        l->n_files++;
        r = small_file_read(l->root_fd, path, LOGROTATE_FILE_BYTES_MAX, &text);
        if (r == -EINVAL)
                return load_directory(l, path, c);
        if (r < 0)
                return r == -ENOMEM ? r : 0;
        return load_file(l, path, &text, c);
}

static bool takes_value(const char *option) {
        return strcmp(option, "-s") == 0 || strcmp(option, "--state") == 0 ||
               strcmp(option, "-m") == 0 || strcmp(option, "--mail") == 0 ||
               strcmp(option, "-l") == 0 || strcmp(option, "--log") == 0;
}

static int load_named(Loader *l, const ProcessFacts *f, const char *name, LogrotateConfig *c) {
        char path[PATH_MAX];
        int n;

        if (name[0] == '/')
                return load(l, name, c);
        if (!f->working_directory)
                return 0;
        n = snprintf(path, sizeof(path), "%s/%s", f->working_directory, name);
        return (size_t)n < sizeof(path) ? load(l, path, c) : 0;
}

int logrotate_source_load(int root_fd, const ProcessFacts *f, LogrotateConfig *ret_config) {
        Loader l = {.root_fd = root_fd};
        LogrotateConfig c = {0};
        bool has_named = false;
        const char *arg;
        int r = 0;

        for (size_t i = 1; r >= 0 && (arg = arguments_at(f, i)); i++) {
                if (arg[0] == '-') {
                        i += takes_value(arg);
                        continue;
                }
                has_named = true;
                r = load_named(&l, f, arg, &c);
        }
        if (r >= 0 && !has_named)
                r = load(&l, DEFAULT_CONFIG, &c);
        if (r < 0) {
                logrotate_config_done(&c);
                return r;
        }
        *ret_config = c;
        return 0;
}
