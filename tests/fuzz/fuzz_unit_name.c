/* SPDX-License-Identifier: MIT */

/* A unit's name, its escapes undone and its parts. */

#include <errno.h>

#include "fuzz.h"
#include "identify/unit_name.h"

static void check_unescape(const char *name, size_t n) {
        _cleanup_free_ char *text = malloc(n + 1), *exact = NULL;
        int r;

        fuzz_check(text != NULL);
        r = unit_name_unescape(name, n, text, n + 1);
        if (r < 0) {
                fuzz_check(r == -EBADMSG);
                return;
        }
        fuzz_check((size_t)r <= n && strlen(text) == (size_t)r);
        if (!memchr(name, '\\', n))
                fuzz_check((size_t)r == n && memcmp(text, name, n) == 0);

        /* Just enough room is enough, one less is not. */
        exact = malloc((size_t)r + 1);
        fuzz_check(exact != NULL);
        fuzz_check(unit_name_unescape(name, n, exact, (size_t)r + 1) == r);
        fuzz_check(strcmp(exact, text) == 0);
        fuzz_check(unit_name_unescape(name, n, exact, (size_t)r) == -ENOBUFS);
}

static void check_split(const char *name, size_t n) {
        UnitNameParts parts;
        int r = unit_name_split(name, n, &parts);

        if (r < 0) {
                fuzz_check(r == -EBADMSG);
                return;
        }
        fuzz_check_borrowed(parts.prefix, parts.n_prefix, name, n);
        fuzz_check_borrowed(parts.instance, parts.n_instance, name, n);
        fuzz_check_borrowed(parts.type, parts.n_type, name, n);
        fuzz_check(parts.prefix == name && parts.n_prefix > 0 && parts.n_type > 0);
        fuzz_check(parts.n_prefix + (parts.instance ? 1 + parts.n_instance : 0) + 1 +
                           parts.n_type ==
                   n);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n_bytes) {
        check_unescape((const char *)bytes, n_bytes);
        check_split((const char *)bytes, n_bytes);
        return 0;
}
