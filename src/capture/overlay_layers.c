/* SPDX-License-Identifier: MIT */

/* Layers of overlays.  Pure. */

#include "capture/overlay_layers.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"

/* Where an option begins behind a comma, or at the start; NULL nowhere. */
static const char *find_option(const char *options, const char *key) {
        const char *at = options;

        while ((at = strstr(at, key)) && at != options && at[-1] != ',')
                at++;
        return at;
}

/* What can stand behind workdir=. */
static size_t end_of_work(const char *value) {
        static const char *const flags[] = {
                ",casefold",      ",default_permissions", ",index=", ",metacopy=", ",nfs_export=",
                ",redirect_dir=", ",userxattr",           ",uuid=",  ",verity=",   ",volatile",
                ",xino=",
        };
        size_t n = strlen(value);

        for (size_t i = 0; i < sizeof(flags) / sizeof(flags[0]); i++) {
                const char *flag = strstr(value, flags[i]);

                if (flag && (size_t)(flag - value) < n)
                        n = (size_t)(flag - value);
        }
        return n;
}

/* NULL in *ret: a relative path. */
static int copy_absolute(const char *value, size_t n, char **ret) {
        *ret = NULL;
        if (n == 0 || value[0] != '/')
                return 0;
        while (n > 1 && value[n - 1] == '/')
                n--;
        *ret = strndup(value, n);
        return *ret ? 0 : -ENOMEM;
}

int overlay_layers_parse(const char *super_options, OverlayLayers *ret_layers) {
        const char *upper = find_option(super_options, "upperdir=");
        const char *work = upper ? find_option(upper, "workdir=") : NULL;
        OverlayLayers l = {0};
        int r = 0;

        if (upper && work) {
                upper += strlen("upperdir=");
                r = copy_absolute(upper, (size_t)(work - 1 - upper), &l.upper);
                work += strlen("workdir=");
                if (r >= 0)
                        r = copy_absolute(work, end_of_work(work), &l.work);
        }
        if (r < 0) {
                overlay_layers_done(&l);
                return r;
        }
        *ret_layers = l;
        return 0;
}

void overlay_layers_done(OverlayLayers *l) {
        free(l->upper);
        free(l->work);
        *l = (OverlayLayers){0};
}

bool overlay_layers_is_temporary(const char *name, size_t n_name) {
        if (n_name < 2 || name[0] != '#')
                return false;
        for (size_t i = 1; i < n_name; i++)
                if (!memchr("0123456789abcdef", name[i], 16))
                        return false;
        return true;
}

static bool is_own_directory(const char *name, size_t n) {
        return (n == 4 && memcmp(name, "work", 4) == 0) ||
               (n == 5 && memcmp(name, "index", 5) == 0);
}

size_t overlay_layers_work_length(const char *path, size_t n_path, bool has_name) {
        size_t start = 0;
        bool is_own = false;

        for (size_t end = 1; end <= n_path; end++) {
                const char *name = path + start + 1;
                size_t n = end - start - 1;

                if (end < n_path && path[end] != '/')
                        continue;
                if (is_own && overlay_layers_is_temporary(name, n))
                        return start;
                is_own = is_own_directory(name, n);
                start = end;
        }
        return is_own && has_name ? n_path : 0;
}
