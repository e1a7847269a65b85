/* SPDX-License-Identifier: MIT */

/* /proc/PID/cgroup, and the units of the path in it and of the input itself taken as a path. */

#include <errno.h>

#include "fuzz.h"
#include "identify/cgroup.h"

static bool ends_with(const char *at, size_t n, const char *tail) {
        return n > strlen(tail) && memcmp(at + n - strlen(tail), tail, strlen(tail)) == 0;
}

static void check_name(const char *at, size_t n, const char *path, size_t n_path) {
        fuzz_check_borrowed(at, n, path, n_path);
        if (!at)
                return;
        fuzz_check(n > 0 && n < 256);
        /* What is a unit's name can be printed as it is. */
        for (size_t i = 0; i < n; i++)
                fuzz_check(at[i] > ' ' && at[i] < 0x7f && at[i] != '/');
}

static void check_units(const char *path, size_t n_path) {
        CgroupUnits u;

        cgroup_units_parse(path, n_path, &u);
        check_name(u.unit, u.n_unit, path, n_path);
        check_name(u.user_unit, u.n_user_unit, path, n_path);
        check_name(u.slice, u.n_slice, path, n_path);
        check_name(u.session, u.n_session, path, n_path);

        if (u.slice)
                fuzz_check(ends_with(u.slice, u.n_slice, ".slice"));
        if (u.unit && u.slice)
                fuzz_check(u.slice < u.unit);
        if (u.user_unit)
                fuzz_check(u.unit && u.unit < u.user_unit && memcmp(u.unit, "user@", 5) == 0);
        if (u.session)
                fuzz_check(u.unit && ends_with(u.unit, u.n_unit, ".scope"));
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n_bytes) {
        const char *path = NULL;
        size_t n_path = 0;
        int r;

        r = cgroup_path_parse((const char *)bytes, n_bytes, &path, &n_path);
        fuzz_check(r == 0 || r == -ENODATA || r == -EBADMSG);
        if (r == 0) {
                fuzz_check(n_path > 0 && path[0] == '/' && !memchr(path, '\n', n_path));
                fuzz_check_borrowed(path, n_path, bytes, n_bytes);
                check_units(path, n_path);
        } else
                fuzz_check(!path && n_path == 0);

        check_units((const char *)bytes, n_bytes);
        return 0;
}
