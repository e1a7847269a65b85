/* SPDX-License-Identifier: MIT */

/*
 * Where a path lies.
 *
 * Limits: a filesystem on a device in memory (zram, a loop device over a file on tmpfs, an
 * encrypted swap with a key of its own) is not seen through; the path of an overlay's writable
 * layer is as it was at its mount, and may be seen by no longer that name.
 *
 * Source: systemd.exec(5), PrivateTmp=; pam_systemd(8), XDG_RUNTIME_DIR; for upperdir=
 * Documentation/filesystems/overlayfs.rst of Linux.
 */

#include "command/why_place.h"

#include <string.h>

#include "base/path.h"
#include "base/span.h"

static bool is_memory(const Mount *m) {
        return strcmp(m->fstype, "tmpfs") == 0 || strcmp(m->fstype, "ramfs") == 0 ||
               strcmp(m->fstype, "devtmpfs") == 0;
}

/* What is mounted where an overlay's writable layer lies; NULL not known. */
static const Mount *find_upper(const MountTable *mounts, const Mount *m) {
        Span rest = {m->super_options, strlen(m->super_options)};
        char path[4096];
        size_t n = 0;

        if (strcmp(m->fstype, "overlay") != 0)
                return NULL;
        while (rest.n > 0 && !span_take_head(&rest, "upperdir=")) {
                const char *comma = memchr(rest.at, ',', rest.n);
                size_t n_skipped = comma ? (size_t)(comma - rest.at) + 1 : rest.n;

                rest.at += n_skipped;
                rest.n -= n_skipped;
        }
        /* Commas and backslashes in it are escaped. */
        for (; rest.n > 0 && *rest.at != ',' && n + 1 < sizeof(path); rest.at++, rest.n--) {
                if (*rest.at == '\\' && rest.n > 1) {
                        rest.at++;
                        rest.n--;
                }
                path[n++] = *rest.at;
        }
        path[n] = '\0';
        return path[0] == '/' ? mount_table_find(mounts, path) : NULL;
}

/* /tmp/systemd-private-BOOT-UNIT-XXXXXX/tmp/… */
static bool is_private_tmp(const char *path) {
        Span s = {path, strlen(path)};

        return span_take_head(&s, "/tmp/systemd-private-") ||
               span_take_head(&s, "/var/tmp/systemd-private-");
}

static bool is_user_runtime(const char *path) {
        Span s = {path, strlen(path)};
        uint64_t uid;

        return span_take_head(&s, "/run/user/") && span_take_u64(&s, 10, UINT32_MAX, &uid) &&
               (s.n == 0 || *s.at == '/');
}

WhyPlace why_place_find(const MountTable *mounts, const char *path) {
        WhyPlace p = {.kind = WHY_PLACE_LASTING, .mount = mount_table_find(mounts, path)};

        if (is_private_tmp(path)) {
                p.kind = WHY_PLACE_PRIVATE_TMP;
        } else if (is_user_runtime(path)) {
                p.kind = WHY_PLACE_USER_RUNTIME;
        } else if (p.mount && is_memory(p.mount)) {
                p.kind = WHY_PLACE_MEMORY;
        } else if (p.mount) {
                p.upper = find_upper(mounts, p.mount);
                if (p.upper && is_memory(p.upper))
                        p.kind = WHY_PLACE_MEMORY_UPPER;
        }
        return p;
}

bool why_place_is_volatile(const WhyPlace *p) {
        return p->kind != WHY_PLACE_LASTING;
}
