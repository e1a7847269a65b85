/* SPDX-License-Identifier: MIT */

/* The text of a mountinfo file, and paths looked up in what came of it. */

#include <errno.h>

#include "base/path.h"
#include "capture/mountinfo.h"
#include "fuzz.h"

/* More lookups than these in one input would only be slow: each goes over the table anew. */
#define LOOKUPS_MAX 64

static void check_string(const MountTable *t, const char *s, size_t n_text) {
        const char *text = (const char *)(t->mounts + t->n_mounts);

        fuzz_check(s >= text && s < text + n_text);
        fuzz_check(memchr(s, '\0', (size_t)(text + n_text - s)) != NULL);
}

static void check_lookup(const MountTable *t, const char *path) {
        const Mount *m = mount_table_find(t, path);

        if (!m)
                return;
        fuzz_check(m >= t->mounts && m < t->mounts + t->n_mounts);
        fuzz_check(path_is_within(path, strlen(path), m->point, strlen(m->point)));
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n_bytes) {
        _cleanup_mount_table_ MountTable t = {0};
        int r;

        r = mount_table_parse((const char *)bytes, n_bytes, &t);
        fuzz_check(r == 0 || r == -EBADMSG);
        if (r < 0) {
                fuzz_check(!t.mounts && t.n_mounts == 0);
                return 0;
        }

        for (size_t i = 0; i < t.n_mounts; i++) {
                const Mount *m = &t.mounts[i];

                fuzz_check(m->id >= 0 && m->parent_id >= 0 && m->point[0] == '/');
                check_string(&t, m->root, n_bytes);
                check_string(&t, m->point, n_bytes);
                check_string(&t, m->fstype, n_bytes);
                check_string(&t, m->source, n_bytes);
                check_string(&t, m->super_options, n_bytes);
                if (mount_subvolume(m)) {
                        fuzz_check(mount_subvolume(m)[0] == '/');
                        check_string(&t, mount_subvolume(m), n_bytes);
                }
        }

        for (size_t i = 0; i < t.n_mounts && i < LOOKUPS_MAX; i++) {
                check_lookup(&t, t.mounts[i].point);
                check_lookup(&t, t.mounts[i].root);
                check_lookup(&t, t.mounts[i].super_options);
                if (mount_table_is_visible(&t, &t.mounts[i]))
                        fuzz_check(mount_table_find(&t, t.mounts[i].point) == &t.mounts[i]);
        }
        return 0;
}
