/* SPDX-License-Identifier: MIT */

/*
 * Choices among lines of tmpfiles.d, with a tree that is made up: which moment, which reason, at
 * which path.  That the choice is systemd's own is what tests/root/tmpfiles is for.
 */

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "explain/tmpfiles_rules.h"
#include "unit.h"

#define N(x) ((int)(sizeof(x) / sizeof((x)[0])))
#define SEC UINT64_C(1000000000)
#define DAY (86400 * SEC)
#define NOW (20000 * DAY)

/* Ages in days; all times but those told are as old. */
static const struct {
        const char *path;
        mode_t mode;
        unsigned days, a_days;
        bool is_mount, is_locked;
} tree_of_test[] = {
        {"/t", S_IFDIR | 0755, 0, 0, false, false},
        {"/t/old", S_IFREG | 0644, 30, 30, false, false},
        {"/t/read", S_IFREG | 0644, 30, 3, false, false},
        {"/t/new", S_IFREG | 0644, 1, 2, false, false},
        {"/t/d", S_IFDIR | 0755, 30, 30, false, false},
        {"/t/d/read", S_IFREG | 0644, 30, 4, false, false},
        {"/t/d/e", S_IFDIR | 0755, 30, 30, false, false},
        {"/t/d/e/read", S_IFREG | 0644, 30, 2, false, false},
        {"/t/k", S_IFDIR | 0755, 30, 30, false, false},
        {"/t/k/kept", S_IFREG | 0644, 30, 30, false, false},
        {"/t/m", S_IFDIR | 0755, 30, 30, true, false},
        {"/t/m/x", S_IFREG | 0644, 30, 30, false, false},
        {"/t/l", S_IFDIR | 0755, 30, 30, false, true},
        {"/t/l/x", S_IFREG | 0644, 30, 30, false, false},
        {"/t/empty", S_IFDIR | 0755, 30, 30, false, false},
};

static int facts(void *userdata, const char *path, TmpfilesFacts *ret) {
        (void)userdata;
        for (int i = 0; i < N(tree_of_test); i++) {
                uint64_t t = NOW - tree_of_test[i].days * DAY;

                if (strcmp(tree_of_test[i].path, path) != 0)
                        continue;
                *ret = (TmpfilesFacts){
                        .mode = tree_of_test[i].mode,
                        .atime_nsec = NOW - tree_of_test[i].a_days * DAY,
                        .btime_nsec = t,
                        .ctime_nsec = t,
                        .mtime_nsec = t,
                        .is_mount_point = tree_of_test[i].is_mount,
                        .is_locked = tree_of_test[i].is_locked,
                };
                return 1;
        }
        return strncmp(path, "/secret", 7) == 0 ? -EACCES : 0;
}

static int entries(void *userdata, const char *path, int (*f)(void *f_userdata, const char *name),
                   void *f_userdata) {
        size_t n = strlen(path);

        (void)userdata;
        for (int i = 0; i < N(tree_of_test); i++) {
                const char *p = tree_of_test[i].path;
                int r;

                if (strncmp(p, path, n) != 0 || p[n] != '/' || strchr(p + n + 1, '/'))
                        continue;
                r = f(f_userdata, p + n + 1);
                if (r != 0)
                        return r;
        }
        return 0;
}

static int resolve(void *userdata, const char *path, char **ret_path) {
        (void)userdata;
        *ret_path = strdup(strcmp(path, "/link") == 0 ? "/t" : path);
        return *ret_path ? 0 : -ENOMEM;
}

static const TmpfilesTree tree = {.facts = facts, .entries = entries, .resolve = resolve};
static const TmpfilesWorld world = {.version = 257, .is_graceful = true};

static void choose(const char *lines, const TmpfilesRequest *request, const char *path,
                   const TmpfilesTree *t, TmpfilesChoice *ret, unsigned *ret_line) {
        TmpfilesConfig config = {0};
        TmpfilesRules *rules;

        ck_assert_int_eq(tmpfiles_config_add_file(&config, "/x.conf", lines, strlen(lines), &world),
                         0);
        ck_assert_int_eq(tmpfiles_rules_new(&config, request, &rules), 0);
        ck_assert_int_eq(tmpfiles_choose(rules, path, NOW, t, ret), 0);
        *ret_line = ret->protector ? ret->protector->number : ret->rule ? ret->rule->number : 0;
        tmpfiles_rules_free(rules);
        tmpfiles_config_done(&config);
}

#define NEVER 99999

/* Days from now until it is due. */
static const struct {
        const char *lines, *path;
        unsigned operations;
        TmpfilesVerdict verdict;
        TmpfilesReason reason;
        unsigned line;
        int due_days;
        const char *at;
        unsigned last;
} choices[] = {
        {"d /t - - - 10d", "/t/old", TMPFILES_CLEAN, TMPFILES_GOES, TMPFILES_REASON_AGE, 1, -20,
         NULL, TMPFILES_ATIME},
        {"d /t - - - 10d", "/t/read", TMPFILES_CLEAN, TMPFILES_WAITS, TMPFILES_REASON_TIME, 1, 7,
         NULL, TMPFILES_ATIME},
        {"d /t - - - m:10d", "/t/read", TMPFILES_CLEAN, TMPFILES_GOES, TMPFILES_REASON_AGE, 1, -20,
         NULL, TMPFILES_MTIME},
        {"d /t - - - 10d", "/t/new", TMPFILES_CLEAN, TMPFILES_WAITS, TMPFILES_REASON_TIME, 1, 9,
         NULL, TMPFILES_MTIME},
        {"d /t - - - infinity", "/t/old", TMPFILES_CLEAN, TMPFILES_STAYS, TMPFILES_REASON_INFINITY,
         1, NEVER, NULL, 0},
        /* A directory goes when the last in it does, which may be deep below. */
        {"d /t - - - 10d", "/t/d", TMPFILES_CLEAN, TMPFILES_WAITS, TMPFILES_REASON_CONTENTS, 1, 8,
         "/t/d/e/read", TMPFILES_ATIME},
        {"d /t - - - 10d\nx /t/k/kept", "/t/k", TMPFILES_CLEAN, TMPFILES_STAYS,
         TMPFILES_REASON_CONTENTS, 1, NEVER, "/t/k/kept", TMPFILES_ATIME},
        {"d /t - - - 10d", "/t/empty", TMPFILES_CLEAN, TMPFILES_GOES, TMPFILES_REASON_AGE, 1, -20,
         NULL, TMPFILES_ATIME},
        {"x /t/k\nd /t - - - 10d", "/t/k/kept", TMPFILES_CLEAN, TMPFILES_STAYS,
         TMPFILES_REASON_LINE, 1, NEVER, "/t/k", 0},
        {"d /t - - - 10d", "/t/m/x", TMPFILES_CLEAN, TMPFILES_STAYS, TMPFILES_REASON_MOUNT, 1,
         NEVER, "/t/m", 0},
        {"d /t - - - 10d", "/t/l/x", TMPFILES_CLEAN, TMPFILES_STAYS, TMPFILES_REASON_LOCK, 1, NEVER,
         "/t/l", 0},
        {"d /t - - - 10d", "/t", TMPFILES_CLEAN, TMPFILES_STAYS, TMPFILES_REASON_SELF, 1, NEVER,
         NULL, 0},
        /* Of several lines the one that removes it soonest. */
        {"d /t - - - 20d\ne /t - - - 10d", "/t/read", TMPFILES_CLEAN, TMPFILES_WAITS,
         TMPFILES_REASON_TIME, 2, 7, NULL, TMPFILES_ATIME},
        {"d /t - - - 90d\nR /t", "/t/d/read", TMPFILES_REMOVE | TMPFILES_CLEAN, TMPFILES_GOES,
         TMPFILES_REASON_REMOVE, 2, 0, NULL, 0},
        {"d /link/d - - - 3d", "/t/d/read", TMPFILES_CLEAN, TMPFILES_GOES, TMPFILES_REASON_AGE, 1,
         -1, NULL, TMPFILES_ATIME},
        {"d /t - - - 10d", "/u/x", TMPFILES_CLEAN, TMPFILES_UNCOVERED, TMPFILES_REASON_NONE, 0,
         NEVER, NULL, 0},
        {"d /t - - - 10d", "/tt", TMPFILES_CLEAN, TMPFILES_UNCOVERED, TMPFILES_REASON_NONE, 0,
         NEVER, NULL, 0},
        {"L+ /t/d - - - - x", "/t/d/e", TMPFILES_CREATE, TMPFILES_GOES, TMPFILES_REASON_REPLACE, 1,
         0, NULL, 0},
        {"d= /t/d/e", "/t/d", TMPFILES_CREATE, TMPFILES_GOES, TMPFILES_REASON_REPLACE, 1, 0, NULL,
         0},
        {"d$ /t/d", "/t/empty", TMPFILES_PURGE, TMPFILES_UNCOVERED, TMPFILES_REASON_NONE, 0, NEVER,
         NULL, 0},
        {"d$ /t/d\nd /t", "/t/d/e/read", TMPFILES_PURGE, TMPFILES_GOES, TMPFILES_REASON_PURGE, 1, 0,
         NULL, 0},
};

START_TEST(test_choices) {
        const TmpfilesRequest request = {.operations = choices[_i].operations};
        _cleanup_tmpfiles_choice_ TmpfilesChoice c = {0};
        unsigned line;

        choose(choices[_i].lines, &request, choices[_i].path, &tree, &c, &line);
        ck_assert_int_eq(c.verdict, choices[_i].verdict);
        ck_assert_int_eq(c.reason, choices[_i].reason);
        ck_assert_uint_eq(line, choices[_i].line);
        if (choices[_i].due_days == NEVER)
                ck_assert_uint_eq(c.due_nsec, TMPFILES_NEVER);
        else if (choices[_i].due_days == 0)
                ck_assert_uint_eq(c.due_nsec, NOW);
        else /* the first microsecond behind */
                ck_assert_uint_eq(c.due_nsec,
                                  NOW + (uint64_t)(int64_t)choices[_i].due_days * DAY + 1000);
        ck_assert_pstr_eq(c.at, choices[_i].at);
        ck_assert_uint_eq(c.time_last, choices[_i].last);
        ck_assert(!c.is_due_guessed);
}
END_TEST

/* With nothing but the name, and where nothing can be looked at. */
START_TEST(test_unknown) {
        const TmpfilesRequest request = {.operations = TMPFILES_CLEAN};
        static const char lines[] = "d /t - - - 10d\nx /t/k\nd /secret - - - 10d\n";
        _cleanup_tmpfiles_choice_ TmpfilesChoice name = {0}, kept = {0}, secret = {0};
        unsigned line;

        choose(lines, &request, "/t/gone/x", NULL, &name, &line);
        ck_assert_int_eq(name.verdict, TMPFILES_GOES);
        ck_assert(name.is_due_guessed && line == 1);
        choose(lines, &request, "/t/k/x", NULL, &kept, &line);
        ck_assert_int_eq(kept.reason, TMPFILES_REASON_LINE);
        ck_assert_uint_eq(line, 2);
        choose(lines, &request, "/secret/x", &tree, &secret, &line);
        ck_assert_int_eq(secret.verdict, TMPFILES_GOES);
        ck_assert(secret.is_due_guessed && line == 3);
}
END_TEST

typedef struct Parts {
        char text[64];
} Parts;

static int add_part(void *userdata, const TmpfilesRule *rule, TmpfilesPart part) {
        static const char letters[] = "RPBD";
        Parts *p = userdata;
        size_t n = strlen(p->text);

        snprintf(p->text + n, sizeof(p->text) - n, "%u%c", rule->number, letters[part]);
        return 0;
}

START_TEST(test_each) {
        static const char *const prefixes[] = {"/t", NULL};
        const TmpfilesRequest request = {.operations = TMPFILES_CLEAN, .prefixes = prefixes};
        static const char lines[] = "d /t - - - 1d\nd /t - - - 2d\nx /t/k*\nr! /t/k/kept\nd /u\n"
                                    "e /t/k - - - 3d\nz /t/d\ne / - - - 1d\nD /t/k\n";
        TmpfilesConfig config = {0};
        TmpfilesRules *rules;
        Parts parts = {""};

        ck_assert_int_eq(tmpfiles_config_add_file(&config, "/x.conf", lines, strlen(lines), &world),
                         0);
        ck_assert_int_eq(tmpfiles_rules_new(&config, &request, &rules), 0);
        ck_assert_int_eq(tmpfiles_rules_each(rules, "/t/k/kept", &tree, add_part, &parts), 0);
        ck_assert_str_eq(parts.text, "1R2D3P4B6R9P");
        ck_assert_uint_eq(tmpfiles_rules_age(rules, &config.rules[5]), 3 * DAY / 1000);
        tmpfiles_rules_free(rules);
        tmpfiles_config_done(&config);
}
END_TEST

static const struct {
        const char *pattern, *expected;
} braces[] = {
        {"a", "a"},
        {"a{b,c}d", "abd acd"},
        {"{a,b}{c,d}", "ac ad bc bd"},
        {"a{b,{c,d}e}f", "abf acef adef"},
        {"a{b", "a{b"},
        {"a}b", "a}b"},
        {"a{}b", "ab"},
        {"a{b}c", "abc"},
        {"a{,b}c", "abc ac"},
        {"a\\{b,c}", "a\\{b,c}"},
};

static int compare(const void *a, const void *b) {
        return strcmp(*(char *const *)a, *(char *const *)b);
}

START_TEST(test_braces) {
        char text[128] = "", **list;
        int n = tmpfiles_braces_expand(braces[_i].pattern, &list);

        ck_assert_int_gt(n, 0);
        qsort(list, (size_t)n, sizeof(*list), compare);
        for (int i = 0; i < n; i++) {
                strcat(strcat(text, i > 0 ? " " : ""), list[i]);
                free(list[i]);
        }
        free(list);
        ck_assert_str_eq(text, braces[_i].expected);
}
END_TEST

START_TEST(test_many_braces) {
        char **list;
        int n = tmpfiles_braces_expand("{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}", &list);

        ck_assert_int_gt(n, 0);
        ck_assert_int_le(n, (int)TMPFILES_BRACES_MAX);
        for (int i = 0; i < n; i++)
                free(list[i]);
        free(list);
}
END_TEST

/* A configuration that would take a gigabyte. */
START_TEST(test_many_patterns) {
        static const TmpfilesRequest request = {.operations = TMPFILES_REMOVE, .version = 257};
        static char lines[1 << 20];
        _cleanup_tmpfiles_choice_ TmpfilesChoice c = {0};
        TmpfilesConfig config = {0};
        TmpfilesRules *rules;
        size_t n = (size_t)sprintf(lines, "r /t/{old,new}\n"), n_bytes = 0;

        while (n + 2000 < sizeof(lines)) {
                n += (size_t)sprintf(lines + n, "r /t/{old");
                for (int i = 0; i < 63; i++)
                        n += (size_t)sprintf(lines + n, ",%d", i);
                n += (size_t)sprintf(lines + n, "}%0800d\n", 0);
        }
        ck_assert_int_eq(tmpfiles_config_add_file(&config, "/x.conf", lines, n, &world), 0);
        ck_assert(!config.is_truncated);
        ck_assert_int_eq(tmpfiles_rules_new(&config, &request, &rules), 0);
        for (size_t i = 0; i < rules->n_items; i++)
                for (size_t k = 0; k < rules->items[i].n_patterns; k++)
                        n_bytes += strlen(rules->items[i].patterns[k].text);
        ck_assert_uint_gt(n_bytes, TMPFILES_PATTERNS_BYTES_MAX / 2);
        ck_assert_uint_le(n_bytes, TMPFILES_PATTERNS_BYTES_MAX);
        ck_assert_int_eq(tmpfiles_choose(rules, "/t/old", NOW, &tree, &c), 0);
        ck_assert_int_eq(c.verdict, TMPFILES_GOES);
        tmpfiles_rules_free(rules);
        tmpfiles_config_done(&config);
}
END_TEST

int main(void) {
        TCase *tcase = tcase_create("tmpfiles_choice");

        tcase_add_loop_test(tcase, test_choices, 0, N(choices));
        tcase_add_test(tcase, test_unknown);
        tcase_add_test(tcase, test_each);
        tcase_add_loop_test(tcase, test_braces, 0, N(braces));
        tcase_add_test(tcase, test_many_braces);
        tcase_add_test(tcase, test_many_patterns);
        return unit_run("tmpfiles_choice", tcase);
}
