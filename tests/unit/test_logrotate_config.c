/* SPDX-License-Identifier: MIT */

/* Which stanza a rotated log belongs to. */

#include "explain/logrotate_config.h"

#include <errno.h>
#include <string.h>

#include "base/cleanup.h"
#include "unit.h"

static const char main_file[] = "# comment { }\n"                    /* 1 */
                                "weekly\n"                           /* 2 */
                                "include /etc/logrotate.d\n"         /* 3 */
                                "/var/log/wtmp {\n"                  /* 4 */
                                "    missingok\n"                    /* 5 */
                                "}\n"                                /* 6 */
                                "\"/srv/a b/*.log\" /srv/c/x.log\n"  /* 7 */
                                "# between\n"                        /* 8 */
                                "/srv/c/*.log {\n"                   /* 9 */
                                "  postrotate\n"                     /* 10 */
                                "    cat <<X\n"                      /* 11 */
                                "/not/a/pattern {\n"                 /* 12 */
                                "}\n"                                /* 13 */
                                "  endscript\n"                      /* 14 */
                                "  olddir old\n"                     /* 15 */
                                "}\n"                                /* 16 */
                                "olddir /archive/\n"                 /* 17 */
                                "/var/log/far.log { rotate 3 }\n"    /* 18 */
                                "}\n"                                /* 19 */
                                "/var/log/near { # }\nnoolddir\n}\n" /* 20 */
                                "/open /var/log/wtmp";
static const char included[] = "/var/log/app.log\n/var/log/app*.log\n{\n}\n";

static int include(void *userdata, const char *path, LogrotateConfig *c) {
        ck_assert_ptr_null(userdata);
        /* Of a file that was cut it may be less. */
        if (strcmp(path, "/etc/logrotate.d") != 0)
                return 0;
        return logrotate_config_parse(c, "/etc/logrotate.d/app", included, strlen(included), NULL);
}

static LogrotateConfig parse(const char *text, size_t n) {
        LogrotateConfig c = {0};
        const LogrotateIncluder includer = {.include = include};

        ck_assert_int_eq(logrotate_config_parse(&c, "/etc/logrotate.conf", text, n, &includer), 0);
        return c;
}

static const struct {
        const char *path;
        const char *file; /* NULL: none */
        size_t line;
} cases[] = {
        {"/var/log/wtmp", "/etc/logrotate.conf", 4},
        {"/var/log/wtmp.1", "/etc/logrotate.conf", 4},
        {"/var/log/wtmp-20261201.xz", "/etc/logrotate.conf", 4},
        {"/var/log/wtmpx", NULL, 0},
        {"/var/log/app.log.12.gz", "/etc/logrotate.d/app", 1},
        {"/var/log/app2.log.12.gz", "/etc/logrotate.d/app", 1},
        {"/srv/a b/q.log.3", "/etc/logrotate.conf", 7},
        {"/srv/c/x.log.3", "/etc/logrotate.conf", 7},
        {"/srv/c/old/y.log.3", "/etc/logrotate.conf", 7},
        {"/srv/c/older/y.log.3", NULL, 0},
        {"/not/a/pattern.1", NULL, 0},
        {"/archive/far.log.2", "/etc/logrotate.conf", 18},
        {"/archive/near.2", NULL, 0},
        {"/var/log/near.2", "/etc/logrotate.conf", 20},
        {"/open", NULL, 0},
        {"relative", NULL, 0},
        {"/", NULL, 0},
};

START_TEST(test_find) {
        LogrotateConfig c = parse(main_file, strlen(main_file));
        const LogrotateStanza *s = logrotate_config_find(&c, cases[_i].path);

        ck_assert_msg(!s == !cases[_i].file, "%s", cases[_i].path);
        if (s) {
                ck_assert_str_eq(s->file, cases[_i].file);
                ck_assert_uint_eq(s->line, cases[_i].line);
        }
        logrotate_config_done(&c);
}
END_TEST

START_TEST(test_cut) {
        for (size_t n = 0; n < strlen(main_file); n++) {
                _cleanup_free_ char *cut = malloc(n + 1);
                LogrotateConfig c;

                memcpy(cut, main_file, n);
                c = parse(cut, n);
                (void)logrotate_config_find(&c, "/var/log/wtmp.1");
                logrotate_config_done(&c);
        }
}
END_TEST

/* More than is kept. */
START_TEST(test_bounds) {
        _cleanup_free_ char *text = malloc(LOGROTATE_FILE_BYTES_MAX);
        LogrotateConfig c;
        size_t n = 0;

        for (size_t i = 0; i < 20000; i++)
                n += (size_t)sprintf(text + n, "/a/%zu /b/%zu {}\n", i, i);
        c = parse(text, n);
        ck_assert_uint_eq(c.n_stanzas, LOGROTATE_STANZAS_MAX);
        ck_assert_uint_eq(c.n_patterns, 2 * LOGROTATE_STANZAS_MAX);
        ck_assert_ptr_null(logrotate_config_find(&c, "/a/19999.1"));
        ck_assert_uint_eq(logrotate_config_find(&c, "/b/4095.1")->line, 4096);
        logrotate_config_done(&c);
}
END_TEST

/* One word that each stanza holds. */
START_TEST(test_long_words) {
        static const size_t lengths[] = {4000, 900000};
        _cleanup_free_ char *text = malloc(LOGROTATE_FILE_BYTES_MAX);
        LogrotateConfig c;
        size_t n = (size_t)sprintf(text, "olddir /"), n_bytes = 0;

        memset(text + n, 'x', lengths[_i]);
        n += lengths[_i];
        text[n++] = '\n';
        for (size_t i = 0; i < 4096; i++)
                n += (size_t)sprintf(text + n, "/a/%zu {}\n", i);
        c = parse(text, n);
        for (size_t i = 0; i < c.n_stanzas; i++)
                n_bytes += strlen(c.stanzas[i].file) +
                           (c.stanzas[i].olddir ? strlen(c.stanzas[i].olddir) : 0);
        for (size_t i = 0; i < c.n_patterns; i++)
                n_bytes += strlen(c.patterns[i].text);
        ck_assert_uint_eq(c.n_kept_bytes, n_bytes);
        ck_assert_uint_le(n_bytes, LOGROTATE_KEPT_BYTES_MAX);
        ck_assert_uint_gt(c.n_stanzas, 200);
        ck_assert_uint_eq(logrotate_config_find(&c, "/a/1.1")->line, 3);
        logrotate_config_done(&c);
}
END_TEST

int main(void) {
        TCase *t = tcase_create("logrotate_config");

        tcase_add_loop_test(t, test_find, 0, sizeof(cases) / sizeof(cases[0]));
        tcase_add_test(t, test_cut);
        tcase_add_test(t, test_bounds);
        tcase_add_loop_test(t, test_long_words, 0, 2);
        return unit_run("logrotate_config", t);
}
