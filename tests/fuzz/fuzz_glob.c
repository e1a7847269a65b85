/* SPDX-License-Identifier: MIT */

/* A pattern, a NUL, a path. */

#include "base/glob.h"
#include "fuzz.h"

/* The pattern that means just this text. */
static char *quote(const char *text) {
        char *pattern = malloc(2 * strlen(text) + 1), *to = pattern;

        fuzz_check(pattern != NULL);
        for (; *text; text++) {
                if (*text != '/')
                        *to++ = '\\';
                *to++ = *text;
        }
        *to = '\0';
        return pattern;
}

static void check_relative(const char *pattern, const char *path) {
        _cleanup_free_ char *anywhere = NULL;

        fuzz_check(asprintf(&anywhere, "/**/%s", pattern) > 0);
        fuzz_check(glob_match_path(anywhere, path) == glob_match_path(pattern, path));
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n_bytes) {
        _cleanup_free_ char *pattern = fuzz_string(bytes, n_bytes), *path = NULL, *literal = NULL;
        size_t n_pattern = strlen(pattern);

        if (n_pattern < n_bytes)
                path = fuzz_string(bytes + n_pattern + 1, n_bytes - n_pattern - 1);
        else
                path = fuzz_string(bytes, 0);

        (void)glob_check(pattern);
        (void)glob_match_name(pattern, path);
        (void)glob_match_path(pattern, path);

        literal = quote(path);
        fuzz_check(glob_match_name(literal, path));
        fuzz_check(glob_match_name("*", path));

        if (path[0] == '/') {
                fuzz_check(glob_match_path(literal, path));
                fuzz_check(glob_match_path("/", path));
                if (pattern[0] != '/' && pattern[0] != '\0')
                        check_relative(pattern, path);
        }
        return 0;
}
