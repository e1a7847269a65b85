/* SPDX-License-Identifier: MIT */

/* Globs: tables by hand, libc's fnmatch(3) as a second opinion, and patterns made to be slow. */

#include "base/glob.h"

#include <errno.h>
#include <fnmatch.h>
#include <stdint.h>
#include <string.h>

#include "unit.h"

static const struct {
        const char *pattern, *path;
        bool matches;
} paths[] = {
        /* absolute */
        {"/a/b", "/a/b", true},
        {"/a/b", "/a", false},
        {"/a/b", "/a/b/c", false},
        {"/a/b", "/x/a/b", false},
        {"/a/*", "/a/b", true},
        {"/a/*", "/a/b/c", false},
        {"/a/*", "/a", false},
        {"/a/?", "/a/b", true},
        {"/a?b", "/a/b", false},
        {"/a*b", "/a/b", false},
        {"/a[/]b", "/a/b", false},
        {"/*/b", "/a/b", true},
        {"/*", "/.hidden", true},
        {"/?hidden", "/.hidden", true},
        {"//a//b", "/a/b", true},
        {"/a*c*e", "/abcde", true},
        {"/a*c*e", "/abcdef", false},
        /* any tail */
        {"*.o", "/x/y/z.o", true},
        {"*.o", "/z.o", true},
        {"*.o", "/x.o/y", false},
        {"*.o", "/x/y.c", false},
        {"b", "/a/b", true},
        {"b", "/b/a", false},
        {"b", "/ab", false},
        {"a/b", "/x/a/b", true},
        {"a/b", "/a/b", true},
        {"a/b", "/xa/b", false},
        {"a/b", "/a/x/b", false},
        {"a/b", "/a/a/b", true},
        {"a/a/b", "/a/a/a/b", true},
        /* any number of directories */
        {"/**", "/a", true},
        {"/**", "/a/b/c", true},
        {"/**", "/", false},
        {"**", "/a/b", true},
        {"/a/**", "/a", false},
        {"/a/**", "/a/b", true},
        {"/a/**", "/a/b/c/d", true},
        {"/a/**", "/ab/c", false},
        {"/a/**/z", "/a/z", true},
        {"/a/**/z", "/a/b/z", true},
        {"/a/**/z", "/a/b/c/z", true},
        {"/a/**/z", "/a/b/c/z/y", false},
        {"/a/**/z", "/a/z/z", true},
        {"/a/**/z", "/a", false},
        {"/**/z", "/z", true},
        {"**/z", "/z", true},
        {"**/z", "/a/b/z", true},
        {"/a/**/**/z", "/a/z", true},
        {"/a/**/**", "/a/z", true},
        {"/a/**/**", "/a", false},
        {"/**/b/**/d", "/a/b/c/d", true},
        {"/**/b/**/d", "/b/d", true},
        {"/**/b/**/d", "/d/b", false},
        {"/**/b/c/**/d", "/b/x/b/c/d", true},
        {"/**/b/*/d/**/f", "/b/b/b/d/d/f/f", true},
        {"cache/**", "/x/cache/y/z", true},
        {"cache/**", "/x/cache", false},
        {"cache/**", "/cache/cache", true},
        {"/a**b", "/axxb", true},
        {"/a**b", "/ax/xb", false},
        {"/\\**", "/*x", true},
        {"/\\**", "/xx", false},
        {"/***", "/a", true},
        {"/***", "/a/b", false},
        /* a directory and all below */
        {"/", "/", true},
        {"/", "/a/b", true},
        {"/a/", "/a", true},
        {"/a/", "/a/b", true},
        {"/a/", "/a/b/c", true},
        {"/a/", "/ab", false},
        {"/a/", "/", false},
        {"/a//", "/a/b", true},
        {"cache/", "/x/cache", true},
        {"cache/", "/x/cache/y/z", true},
        {"cache/", "/x/cachet", false},
        {"*.d/", "/etc/x.d/y", true},
        {"/a/**/c/", "/a/b/c/d", true},
        {"/a/**/c/", "/a/b/d", false},
        {"/a/**/", "/a", true},
        /* bytes */
        {"/\xff*", "/\xff\xfe", true},
        {"/?", "/\xff", true},
        {"/?", "/\xc3\xa9", false},
        {"/??", "/\xc3\xa9", true},
        {"/[\x80-\xff]x", "/\xe9x", true},
        {"/[!a]", "/\xff", true},
        {"", "/", false},
        {"", "/a", false},
        {"", "", false},
        {"*", "/", false},
        {"*", "", false},
};

START_TEST(test_path) {
        if (glob_match_path(paths[_i].pattern, paths[_i].path) != paths[_i].matches)
                ck_abort_msg("'%s' and '%s'", paths[_i].pattern, paths[_i].path);
}
END_TEST

static const struct {
        const char *pattern, *name;
        bool matches;
} names[] = {
        {"", "", true},
        {"", "a", false},
        {"*", "", true},
        {"*", "a/b", true},
        {"a*d", "a/b/c/d", true},
        {"a?b", "a/b", true},
        {"[a/]b", "/b", true},
        {"**", "x", true},
        {"a", "a ", false},
        {"(sd-*)", "(sd-pam)", true},
        {"[abc]", "b", true},
        {"[abc]", "d", false},
        {"[a-c]", "b", true},
        {"[a-c]", "-", false},
        {"[a-]", "-", true},
        {"[-a]", "-", true},
        {"[!a-c]", "d", true},
        {"[!a-c]", "b", false},
        {"[^a-c]", "d", true},
        {"[]]", "]", true},
        {"[!]]", "]", false},
        {"[!]]", "a", true},
        {"[]-a]", "_", true}, /* between ']' and 'a' */
        {"[c-a]", "b", false},
        {"[\\]]", "]", true},
        {"[\\-a]", "\\", false},
        {"[a\\-c]", "b", false},
        {"[a\\-c]", "-", true},
        {"[a-\\c]", "b", true},
        {"[", "[", true},
        {"[a", "[a", true},
        {"[a", "a", false},
        {"a[", "a[", true},
        {"[]", "[]", true},
        {"[!]", "[!]", true},
        {"[[:alpha:]]", "q", true},
        {"[[:alpha:]]", "1", false},
        {"[[:alpha:]]", "\xe9", false},
        {"[![:alpha:]]", "\xe9", true},
        {"[[:digit:][:upper:]_]", "_", true},
        {"[[:digit:][:upper:]_]", "X", true},
        {"[[:digit:][:upper:]_]", "x", false},
        {"[[:none:]]", "n", false},
        {"[![:none:]]", "n", false},
        {"[:alpha:]", "l", true}, /* a bracket of the characters : a l p h */
        {"[:alpha:]", "q", false},
        {"\\*", "*", true},
        {"\\*", "a", false},
        {"\\a", "a", true},
        {"\\\\", "\\", true},
        {"a\\", "a", false},
        {"a\\", "a\\", false},
        {"*\\", "\\", false},
        {"*a", "ba", true},
        {"*a", "ab", false},
        {"*ab*ab", "ababab", true},
        {"*ab?ab", "ababab", false},
        {"?*?", "a", false},
        {"?*?", "ab", true},
};

START_TEST(test_name) {
        if (glob_match_name(names[_i].pattern, names[_i].name) != names[_i].matches)
                ck_abort_msg("'%s' and '%s'", names[_i].pattern, names[_i].name);
}
END_TEST

static const struct {
        const char *pattern;
        int r;
} checks[] = {
        {"", -EINVAL},
        {"/", 0},
        {"*", 0},
        {"**", 0},
        {"/a/[bc]/**", 0},
        {"/a/", 0},
        {"...", 0},
        {".x", 0},
        {"[]]", 0},
        {"[!]a]", 0},
        {"[^]", -EINVAL},
        {"[]", -EINVAL},
        {"[", -EINVAL},
        {"[a", -EINVAL},
        {"/x/[a", -EINVAL},
        {"[a/b]", -EINVAL},
        {"[a]]", 0},
        {"\\[a", 0},
        {"[\\]", -EINVAL},
        {"[\\", -EINVAL},
        {"[a-", -EINVAL},
        {"[a-\\", -EINVAL},
        {"[[:alpha:]]", 0},
        {"[[:alpha:]", -EINVAL},
        {"[[:oops:]]", -EINVAL},
        {"\\", -EINVAL},
        {"a\\", -EINVAL},
        {"a\\\\", 0},
        {"a\\/b", -EINVAL},
        {".", -EINVAL},
        {"/a/../b", -EINVAL},
        {"./a", -EINVAL},
        {"]", 0},
        {"\xff[\xff]", 0},
};

START_TEST(test_check) {
        if (glob_check(checks[_i].pattern) != checks[_i].r)
                ck_abort_msg("'%s'", checks[_i].pattern);
}
END_TEST

/* Every byte as a literal, by '?', by a bracket of its own and by a class, against every byte. */
START_TEST(test_every_byte) {
        char literal[3] = {'\\', (char)_i, '\0'}, bracket[5] = {'[', '\\', (char)_i, ']', '\0'};

        for (int c = 1; c < 256; c++) {
                char name[2] = {(char)c, '\0'};
                bool is_alnum =
                        (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');

                if (glob_match_name(literal, name) != (c == _i) ||
                    glob_match_name(bracket, name) != (c == _i) || !glob_match_name("?", name) ||
                    glob_match_name("[[:alnum:]]", name) != is_alnum)
                        ck_abort_msg("%02x and %02x", (unsigned)_i, (unsigned)c);
        }
}
END_TEST

static uint32_t next_random(uint32_t *state) {
        *state = *state * 1664525 + 1013904223;
        return *state >> 16;
}

static void random_text(char *ret, size_t n_max, const char *alphabet, uint32_t *state) {
        size_t n = next_random(state) % (n_max + 1);

        for (size_t i = 0; i < n; i++)
                ret[i] = alphabet[next_random(state) % strlen(alphabet)];
        ret[n] = '\0';
}

/* The test runs in the "C" locale, where libc matches bytes too. */
START_TEST(test_same_as_fnmatch) {
        uint32_t state = (uint32_t)_i;
        size_t n_matches = 0;

        for (int i = 0; i < 40000; i++) {
                char pattern[12], name[8];

                random_text(pattern, 10, "aab**?[[]]!-\\", &state);
                random_text(name, 6, "aaabb-[]\\!", &state);
                if (glob_check(pattern) < 0)
                        continue;
                n_matches += glob_match_name(pattern, name);
                if (glob_match_name(pattern, name) != (fnmatch(pattern, name, 0) == 0))
                        ck_abort_msg("'%s' and '%s'", pattern, name);
        }
        ck_assert_uint_ge(n_matches, 500);
}
END_TEST

/* Of "[.a.]" and of a '[' that is closed only in another component we say other than libc. */
static bool is_other_than_libc(const char *pattern) {
        if (strstr(pattern, "[."))
                return true;
        for (const char *s = strchr(pattern, '['); s; s = strchr(s + 1, '['))
                if (strchr(s, '/') && strchr(strchr(s, '/'), ']'))
                        return true;
        return false;
}

START_TEST(test_pathname_same_as_fnmatch) {
        uint32_t state = (uint32_t)_i;
        size_t n_matches = 0;

        for (int i = 0; i < 60000; i++) {
                char pattern[16], path[12];

                random_text(pattern, 12, "aab**?/./.[]!", &state);
                random_text(path, 8, "aab..//", &state);
                if (is_other_than_libc(pattern))
                        continue;
                n_matches += glob_match_pathname(pattern, path);
                if (glob_match_pathname(pattern, path) !=
                    (fnmatch(pattern, path, FNM_PATHNAME | FNM_PERIOD) == 0))
                        ck_abort_msg("'%s' and '%s'", pattern, path);
        }
        ck_assert_uint_ge(n_matches, 200);
}
END_TEST

/* What "**" means, written as the plain and slow recursion. */
static bool match_slowly(const char *pattern, const char *path) {
        size_t n = strcspn(pattern + 1, "/") + 1, n_path;
        char want[16], have[16];

        if (*pattern == '\0')
                return *path == '\0';
        n_path = *path ? strcspn(path + 1, "/") + 1 : 0;
        if (n == 3 && memcmp(pattern, "/**", 3) == 0) {
                if (pattern[n] == '\0')
                        return n_path > 0;
                return match_slowly(pattern + n, path) ||
                       (n_path > 0 && match_slowly(pattern, path + n_path));
        }
        if (n_path == 0)
                return false;
        memcpy(want, pattern, n);
        want[n] = '\0';
        memcpy(have, path, n_path);
        have[n_path] = '\0';
        return fnmatch(want, have, 0) == 0 && match_slowly(pattern + n, path + n_path);
}

START_TEST(test_same_as_recursion) {
        static const char *const wants[] = {"/**", "/**", "/a", "/b", "/*", "/a*"};
        static const char *const haves[] = {"/a", "/b", "/ab"};
        uint32_t state = (uint32_t)_i;

        for (int i = 0; i < 40000; i++) {
                char pattern[64] = "", path[64] = "", relative[64];
                size_t n_want = 1 + next_random(&state) % 5, n_have = 1 + next_random(&state) % 7;

                while (n_want-- > 0)
                        strcat(pattern, wants[next_random(&state) % 6]);
                while (n_have-- > 0)
                        strcat(path, haves[next_random(&state) % 3]);
                if (glob_match_path(pattern, path) != match_slowly(pattern, path))
                        ck_abort_msg("'%s' and '%s'", pattern, path);

                memcpy(relative, "/**", 3);
                strcpy(relative + 3, pattern);
                if (glob_match_path(pattern + 1, path) != match_slowly(relative, path))
                        ck_abort_msg("'%s' and '%s'", pattern + 1, path);
        }
}
END_TEST

/* Each would take longer than the universe has if stars were tried in all ways. */
START_TEST(test_no_blow_up) {
        char name[4097], path[4097], stars[201], double_stars[401];

        memset(name, 'a', sizeof(name) - 1);
        name[sizeof(name) - 1] = '\0';
        for (size_t i = 0; i + 1 < sizeof(path); i++)
                path[i] = i % 2 == 0 ? '/' : 'a';
        path[sizeof(path) - 1] = '\0';
        for (size_t i = 0; i + 1 < sizeof(stars); i++)
                stars[i] = i % 2 == 0 ? '*' : 'a';
        stars[199] = 'b';
        stars[200] = '\0';
        for (size_t i = 0; i + 1 < sizeof(double_stars); i++)
                double_stars[i] = "/**/a"[i % 5];
        double_stars[399] = 'b';
        double_stars[400] = '\0';

        ck_assert(!glob_match_name(stars, name));
        ck_assert(!glob_match_path(double_stars, path));
        ck_assert(!glob_match_path(double_stars + 1, path));
        name[4095] = 'b';
        path[4095] = 'b';
        ck_assert(glob_match_name(stars, name));
        ck_assert(glob_match_path(double_stars, path));
        ck_assert(glob_match_path(double_stars + 1, path));
}
END_TEST

/* Patterns cut at each byte, exactly sized, so that a read behind the end shows. */
START_TEST(test_truncated_pattern) {
        static const char whole[] = "/a\\*/[!a-c[:alpha:]]x/**/[]-\\]]?*/";

        for (size_t cut = 0; cut < sizeof(whole); cut++) {
                char *pattern = strndup(whole, cut);

                ck_assert_ptr_nonnull(pattern);
                glob_check(pattern);
                glob_match_name(pattern, "/a*/1x/b/]yz/");
                ck_assert_int_eq(glob_match_path(pattern, "/a*/1x/b/]yz"),
                                 cut <= 1 ? cut == 1             /* "/" */
                                          : cut == 5             /* "/a\*" + '/' */
                                                    || cut == 22 /* behind "x/" */
                                                    || cut == 24 /* "**" */ || cut == 25 ||
                                                    cut >= 33);
                free(pattern);
        }
}
END_TEST

#define N(a) (sizeof(a) / sizeof((a)[0]))
int main(void) {
        TCase *tcase = tcase_create("glob");

        tcase_add_loop_test(tcase, test_path, 0, N(paths));
        tcase_add_loop_test(tcase, test_name, 0, N(names));
        tcase_add_loop_test(tcase, test_check, 0, N(checks));
        tcase_add_loop_test(tcase, test_every_byte, 1, 256);
        tcase_add_loop_test(tcase, test_same_as_fnmatch, 0, 5);
        tcase_add_loop_test(tcase, test_pathname_same_as_fnmatch, 0, 5);
        tcase_add_loop_test(tcase, test_same_as_recursion, 0, 5);
        tcase_add_test(tcase, test_no_blow_up);
        tcase_add_test(tcase, test_truncated_pattern);
        return unit_run("glob", tcase);
}
