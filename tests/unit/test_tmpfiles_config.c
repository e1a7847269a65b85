/* SPDX-License-Identifier: MIT */

/* What systemd-tmpfiles --cat-config prints, taken apart into files and numbered lines. */

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "explain/tmpfiles_config.h"
#include "unit.h"

#define N(x) ((int)(sizeof(x) / sizeof((x)[0])))

static const TmpfilesWorld world = {.version = 252};

/* Files of a test, by name. */
typedef struct File {
        const char *name, *bytes;
        size_t n;
} File;

#define FILE_OF(name, bytes)                                                                       \
        { name, bytes, sizeof(bytes) - 1 }

static const File files[] = {
        FILE_OF("/etc/tmpfiles.d/a.conf", "# comment\n\nd /a\n"),
        FILE_OF("/etc/tmpfiles.d/b.conf", "d /b"),
        FILE_OF("/usr/lib/tmpfiles.d/c.conf", "\n# /usr/lib/tmpfiles.d/z.conf\nd /c\nd c\n\n"),
        FILE_OF("/usr/lib/tmpfiles.d/d.conf", "d /d\r\nd /e\rd /f\0d /g\n\rd /h\n"),
        FILE_OF("/usr/lib/tmpfiles.d/e.conf", ""),
        FILE_OF("/usr/lib/tmpfiles.d/f.conf", "\n\n"),
};

static int read_file(void *userdata, const char *file, const char **ret_bytes,
                     size_t *ret_n_bytes) {
        (void)userdata;
        for (int i = 0; i < N(files); i++)
                if (strcmp(files[i].name, file) == 0) {
                        *ret_bytes = files[i].bytes;
                        *ret_n_bytes = files[i].n;
                        return 0;
                }
        return -ENOENT;
}

static const TmpfilesFiles known = {.read = read_file};

/* "a:3 /a" for each line in effect, "c:4!" for each other, in order. */
static char *summary(const TmpfilesConfig *c, char *ret, size_t n_ret) {
        size_t n = 0;

        ret[0] = '\0';
        for (size_t i = 0; i < c->n_rules; i++) {
                const TmpfilesRule *rule = &c->rules[i];
                const char *base = strrchr(rule->file, '/') + 1;

                n += (size_t)snprintf(ret + n, n_ret - n, "%s%.1s:%u%s%s", i > 0 ? ", " : "", base,
                                      rule->number, rule->fault ? "!" : " ",
                                      rule->fault ? "" : rule->line.path);
        }
        return ret;
}

static void check(const char *output, size_t n, const TmpfilesFiles *f, const char *expected,
                  size_t n_files) {
        TmpfilesConfig c = {0};
        char text[512];

        ck_assert_int_eq(tmpfiles_config_add_output(&c, output, n, f, &world), 0);
        ck_assert_str_eq(summary(&c, text, sizeof(text)), expected);
        ck_assert_uint_eq(c.n_files, n_files);
        ck_assert(!c.is_truncated);
        tmpfiles_config_done(&c);
}

#define CHECK(output, f, expected, n_files) check(output, sizeof(output) - 1, f, expected, n_files)

/* As 252 prints: the bytes of the file. */
START_TEST(test_copied) {
        CHECK("", &known, "", 0);
        CHECK("# /etc/tmpfiles.d/a.conf\n# comment\n\nd /a\n", &known, "a:3 /a", 1);
        CHECK("# /etc/tmpfiles.d/a.conf\n# comment\n\nd /a\n\n# /etc/tmpfiles.d/b.conf\nd /b"
              "\n# /usr/lib/tmpfiles.d/c.conf\n\n# /usr/lib/tmpfiles.d/z.conf\nd /c\nd c\n\n"
              "\n# /usr/lib/tmpfiles.d/e.conf\n"
              "\n# /usr/lib/tmpfiles.d/f.conf\n\n\n",
              &known, "a:3 /a, b:1 /b, c:3 /c, c:4!", 5);
        CHECK("# /usr/lib/tmpfiles.d/d.conf\nd /d\r\nd /e\rd /f\0d /g\n\rd /h\n", &known,
              "d:1 /d, d:2 /e, d:3 /f, d:4 /g, d:5 /h", 1);
        CHECK("# /usr/lib/tmpfiles.d/e.conf\n\n# /usr/lib/tmpfiles.d/f.conf\n\n\n", &known, "", 2);
}
END_TEST

/* As 257 prints: line by line, each with one \n. */
START_TEST(test_printed) {
        CHECK("# /etc/tmpfiles.d/a.conf\n# comment\n\nd /a\n\n# /etc/tmpfiles.d/b.conf\nd /b\n"
              "\n# /usr/lib/tmpfiles.d/c.conf\n\n# /usr/lib/tmpfiles.d/z.conf\nd /c\nd c\n\n"
              "\n# /usr/lib/tmpfiles.d/d.conf\nd /d\nd /e\nd /f\nd /g\nd /h\n"
              "\n# /usr/lib/tmpfiles.d/e.conf\n",
              &known, "a:3 /a, b:1 /b, c:3 /c, c:4!, d:1 /d, d:2 /e, d:3 /f, d:4 /g, d:5 /h", 5);
}
END_TEST

/* Without the files, or with files that have changed since: by what headers look like. */
START_TEST(test_unknown) {
        CHECK("# /x/tmpfiles.d/a.conf\nd /a\n\n# about b\n\n# /x/other/b.conf\nd /b\n"
              "\n# /y/user-tmpfiles.d/c.conf\n\nd /c\n\n# /x/tmpfiles.d/b.conf\nd /d\n",
              NULL, "a:1 /a, a:6 /b, c:2 /c, c:5 /d", 2);
        CHECK("# /etc/tmpfiles.d/a.conf\nd /changed\n\n# /etc/tmpfiles.d/b.conf\nd /b", &known,
              "a:1 /changed, b:1 /b", 2);
        CHECK("# /etc/tmpfiles.d/a.conf\n# comment\n\nd /a\nd /more\n", &known, "a:3 /a, a:4 /more",
              1);
}
END_TEST

START_TEST(test_malformed) {
        static const char *const outputs[] = {"d /a\n", "# /etc/passwd\n", "#/a.conf\n", "\0"};
        TmpfilesConfig c = {0};

        for (int i = 0; i < N(outputs); i++)
                ck_assert_int_eq(tmpfiles_config_add_output(&c, outputs[i], strlen(outputs[i]) + 1,
                                                            NULL, &world),
                                 -EBADMSG);
        tmpfiles_config_done(&c);
}
END_TEST

START_TEST(test_file) {
        TmpfilesConfig c = {0};

        ck_assert_int_eq(tmpfiles_config_add_file(&c, "x.conf", "\n  d /a 0755 \nq\n", 16, &world),
                         0);
        ck_assert_uint_eq(c.n_rules, 2);
        ck_assert_str_eq(c.rules[0].file, "x.conf");
        ck_assert_uint_eq(c.rules[0].number, 2);
        ck_assert_str_eq(c.rules[0].text, "d /a 0755");
        ck_assert_ptr_null(c.rules[0].fault);
        ck_assert_str_eq(c.rules[1].text, "q");
        ck_assert_str_eq(c.rules[1].fault, "a line needs a type and a path");
        ck_assert(c.rules[1].is_mistake && !c.rules[0].is_mistake);
        tmpfiles_config_done(&c);
}
END_TEST

START_TEST(test_limits) {
        size_t n = 2 * (TMPFILES_CONFIG_LINES_MAX + 2);
        char *bytes = malloc(n);
        TmpfilesConfig c = {0};

        /* So many lines that are none: all are remembered with their fault, up to the limit. */
        ck_assert_ptr_nonnull(bytes);
        for (size_t i = 0; i < n; i += 2)
                memcpy(bytes + i, "q\n", 2);
        ck_assert_int_eq(tmpfiles_config_add_file(&c, "/x.conf", bytes, n, &world), 0);
        ck_assert_uint_eq(c.n_rules, TMPFILES_CONFIG_LINES_MAX);
        ck_assert(c.is_truncated);
        tmpfiles_config_done(&c);
        free(bytes);
}
END_TEST

/* Many files are one configuration. */
START_TEST(test_total) {
        const size_t n = TMPFILES_CONFIG_BYTES_MAX / 2 + 1;
        char *bytes = malloc(n);
        TmpfilesConfig c = {0};

        ck_assert_ptr_nonnull(bytes);
        memset(bytes, '\n', n);
        memcpy(bytes, "d /a", 4);
        ck_assert_int_eq(tmpfiles_config_add_file(&c, "/x.conf", bytes, n, &world), 0);
        ck_assert(!c.is_truncated);
        ck_assert_int_eq(tmpfiles_config_add_file(&c, "/y.conf", bytes, n, &world), 0);
        ck_assert(c.is_truncated);
        ck_assert_uint_eq(c.n_rules, 1);
        tmpfiles_config_done(&c);
        free(bytes);
}
END_TEST

int main(void) {
        TCase *tcase = tcase_create("tmpfiles_config");

        tcase_add_test(tcase, test_copied);
        tcase_add_test(tcase, test_printed);
        tcase_add_test(tcase, test_unknown);
        tcase_add_test(tcase, test_malformed);
        tcase_add_test(tcase, test_file);
        tcase_add_test(tcase, test_limits);
        tcase_add_test(tcase, test_total);
        return unit_run("tmpfiles_config", tcase);
}
