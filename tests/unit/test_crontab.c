/* SPDX-License-Identifier: MIT */

/* Lines of crontabs, by what their jobs run. */

#include "explain/crontab.h"

#include <errno.h>
#include <string.h>

#include "base/cleanup.h"
#include "unit.h"

static const char text[] = "SHELL=/bin/sh\n"
                           "# 1 2 3 4 5 root rm /tmp/x\n"
                           "\n"
                           "17 *\t* * *\troot    cd / && run-parts --report /etc/cron.hourly\n"
                           "25 6 * * * root test -x /usr/sbin/anacron || { cd / && run-parts "
                           "--report /etc/cron.daily; }\n"
                           "@reboot alice rm /tmp/x\n"
                           "* * * * * root rm -f '/tmp/a b' /var/tmp/*.log >/dev/null 2>&1\n"
                           "* * * * * bob find /srv -name \\%x -delete%stdin\n"
                           "* * * * * root X=1 nice /usr/bin/clean $HOME end\n"
                           "* * * * * root echo a; rm /tmp/x\r\n"
                           "* * * * * root same\n"
                           "* * * * * root same";

static void expect(CrontabKind kind, const CrontabJob *job, size_t number, const char *command,
                   bool is_exact) {
        CrontabLine l;
        int r = crontab_find(text, strlen(text), kind, job, &l);

        if (number == 0) {
                ck_assert_int_eq(r, -ENOENT);
                return;
        }
        ck_assert_int_eq(r, 0);
        ck_assert_uint_eq(l.number, number);
        if (command)
                ck_assert_str_eq(l.command, command);
        ck_assert(l.is_exact == is_exact);
        ck_assert(l.is_ambiguous == !!strstr(l.command, "same"));
        free(l.command);
}

#define JOB(...)                                                                                   \
        &(CrontabJob) {                                                                            \
                .args = (const char *const[]){__VA_ARGS__},                                        \
                .n_args = sizeof((const char *const[]){__VA_ARGS__}) / sizeof(char *),             \
                .user = user                                                                       \
        }

START_TEST(test_command) {
        const CrontabKind kind = CRONTAB_OF_SYSTEM;

        expect(kind, &(CrontabJob){.command = "cd / && run-parts --report /etc/cron.hourly"}, 4,
               NULL, true);
        expect(kind, &(CrontabJob){.command = "rm /tmp/x"}, 6, "rm /tmp/x", true);
        expect(kind, &(CrontabJob){.command = "rm /tmp/x", .user = "root"}, 0, NULL, true);
        expect(kind, &(CrontabJob){.command = "find /srv -name %x -delete", .user = "bob"}, 8,
               "find /srv -name %x -delete", true);
        expect(kind, &(CrontabJob){.command = "echo a; rm /tmp/x"}, 10, NULL, true);
        expect(kind, &(CrontabJob){.command = "same"}, 11, "same", true);
        expect(kind, &(CrontabJob){.command = "sam"}, 0, NULL, true);
        /* Without a user in its lines. */
        expect(CRONTAB_OF_USER, &(CrontabJob){.command = "root same"}, 11, NULL, true);
}
END_TEST

START_TEST(test_args) {
        const CrontabKind kind = CRONTAB_OF_SYSTEM;
        const char *user = "root";

        expect(kind, JOB("run-parts", "--report", "/etc/cron.hourly"), 4, NULL, false);
        expect(kind, JOB("run-parts", "--report", "/etc/cron.daily"), 5, NULL, false);
        expect(kind, JOB("run-parts", "--report"), 0, NULL, false);
        expect(kind, JOB("rm", "-f", "/tmp/a b", "/var/tmp/1.log", "/var/tmp/2.log"), 7, NULL,
               false);
        expect(kind, JOB("/usr/bin/clean", "/root", "end"), 9, NULL, false);
        expect(kind, JOB("/usr/bin/clean", "/root", "ends"), 0, NULL, false);
        expect(kind, JOB("rm", "/tmp/x"), 10, NULL, false);
        expect(kind, JOB("/tmp/x"), 0, NULL, false);
        user = "alice";
        expect(kind, JOB("rm", "/tmp/x"), 6, NULL, false);
        expect(kind, JOB("rm", "/tmp/y"), 0, NULL, false);
        expect(kind, &(CrontabJob){.n_args = 0}, 0, NULL, false);
}
END_TEST

START_TEST(test_anacron) {
        static const char anacrontab[] = "START_HOURS_RANGE=3-22\n"
                                         "1 5 cron.daily run-parts --report /etc/cron.daily\n"
                                         "@monthly 15 m echo 100%\n";
        const CrontabJob job = {.command = "echo 100%"};
        CrontabLine l;

        ck_assert_int_eq(crontab_find(anacrontab, strlen(anacrontab), CRONTAB_ANACRON, &job, &l),
                         0);
        ck_assert_uint_eq(l.number, 3);
        free(l.command);
}
END_TEST

/* Patterns in a row must not take for ever, nor may any cut be read beyond. */
START_TEST(test_hostile) {
        static char line[4096] = "* * * * * x a ";
        const char *args[100];
        CrontabJob job = {.args = args, .n_args = 100};
        CrontabLine l;

        for (size_t i = 0; i < 100; i++) {
                args[i] = i == 0 ? "a" : "b";
                strcat(line, "* ");
        }
        strcat(line, "c* c");
        ck_assert_int_eq(crontab_find(line, strlen(line), CRONTAB_OF_SYSTEM, &job, &l), -ENOENT);
        args[99] = "d";
        for (size_t n = 0; n < strlen(text); n++) {
                _cleanup_free_ char *cut = malloc(n + 1);

                memcpy(cut, text, n);
                if (crontab_find(cut, n, CRONTAB_OF_SYSTEM,
                                 &(CrontabJob){.args = args, .n_args = 1}, &l) >= 0)
                        free(l.command);
        }
}
END_TEST

int main(void) {
        TCase *t = tcase_create("crontab");

        tcase_add_test(t, test_command);
        tcase_add_test(t, test_args);
        tcase_add_test(t, test_anacron);
        tcase_add_test(t, test_hostile);
        return unit_run("crontab", t);
}
