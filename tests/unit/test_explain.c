/* SPDX-License-Identifier: MIT */

/* Causes of what files and ancestors tell, without a bus. */

#include "explain/explain.h"

#include "fixtures_explain.h"

static Explain *explain;

static void setup(void) {
        tree_setup();
        ck_assert_int_eq(explain_new(&(ExplainOptions){.root_fd = tree_fd,
                                                       .system_bus = "unix:path=/nowhere/bus",
                                                       .user_bus = "unix:path=/nowhere/%u"},
                                     &explain),
                         0);
        tree_write("/etc/passwd", "root:x:0:0::/root:/bin/sh\nalice:x:1000:1000::/:/bin/sh\n");
}

static void teardown(void) {
        explain = explain_free(explain);
        tree_teardown();
}

typedef struct Expected {
        CauseType type;
        const char *rule, *source, *unit, *explanation;
} Expected;

static void expect_text(const char *what, const char *is, const char *expected) {
        if (!expected)
                ck_assert_msg(!is, "%s is %s", what, is);
        else
                ck_assert_msg(is && strcmp(is, expected) == 0, "%s is %s, not %s", what, is,
                              expected);
}

static void expect_at(const Ancestor *chain, const char *path, const Expected *e) {
        const ExplainedPath p = {.path = path};
        Deleter *d = deleter_of(1, chain);
        _cleanup_cause_ Cause c = {0};

        ck_assert_int_eq(explain_find(explain, d, &p, &c), e ? 1 : 0);
        ck_assert_int_eq(explain_scope(d) == EXPLAIN_NONE, !e);
        if (e) {
                ck_assert_int_eq(c.type, e->type);
                expect_text("rule", c.rule, e->rule);
                expect_text("source", c.source, e->source);
                expect_text("unit", c.unit, e->unit);
                expect_text("explanation", c.explanation, e->explanation);
        }
        deleter_unref(d);
}

#define EXPECT(chain, ...) expect_at(chain, NULL, &(Expected){__VA_ARGS__})

#define CHAIN(...) ((const Ancestor[]){__VA_ARGS__, {.name = "systemd"}, {.name = NULL}})

START_TEST(test_none) {
        expect_at(CHAIN({.name = "rm"}), NULL, NULL);
        expect_at(CHAIN({.name = "rm", .cgroup = "/init.scope"}), NULL, NULL);
        /* The daemon's own files. */
        expect_at(CHAIN({.name = "cron"}), NULL, NULL);
}
END_TEST

START_TEST(test_cron) {
        tree_write("/etc/cron.d/clean", "# x\n* * * * * root rm -rf /tmp/x\n");
        tree_write("/var/spool/cron/crontabs/alice", "* * * * * find /srv -delete >/dev/null\n");
        EXPECT(CHAIN({.name = "rm", .args = "rm -rf /tmp/x"},
                     {.name = "sh", .args = "/bin/sh -c rm^-rf^/tmp/x"}, {.name = "cron"},
                     {.name = "cron", .cgroup = "/system.slice/cron.service"}),
               CAUSE_CRON, "rm -rf /tmp/x", "/etc/cron.d/clean:2", NULL,
               "cron ran a job as root: rm -rf /tmp/x (/etc/cron.d/clean:2)");
        /* The shell has become it. */
        EXPECT(CHAIN({.name = "find",
                      .args = "find /srv -delete",
                      .uid = 1000,
                      .cgroup = "/system.slice/cron.service"},
                     {.name = "cron"}),
               CAUSE_CRON, "find /srv -delete >/dev/null", "/var/spool/cron/crontabs/alice:1",
               "cron.service",
               "cron ran a job as alice: find /srv -delete >/dev/null "
               "(/var/spool/cron/crontabs/alice:1)");
        /* Another user's line is not it; what is known is said. */
        EXPECT(CHAIN({.name = "find", .args = "find /srv -print", .uid = 7}, {.name = "cron"}),
               CAUSE_CRON, "find /srv -print", NULL, NULL, "cron ran a job: find /srv -print");
        EXPECT(CHAIN({.name = "rm", .args = "rm x", .uid = 1000},
                     {.name = "sh", .args = "sh", .uid = 1000}, {.name = "atd"}, {.name = "atd"}),
               CAUSE_CRON, "rm x", NULL, NULL, "at ran a job that was queued once as alice: rm x");
}
END_TEST

START_TEST(test_run_parts) {
        tree_write("/etc/crontab", "17 * * * * root cd / && run-parts --report /etc/cron.hourly\n");
        EXPECT(CHAIN({.name = "rm", .args = "rm x"},
                     {.name = "clean",
                      .executable = "/usr/bin/dash",
                      .args = "/bin/sh /etc/cron.hourly/clean"},
                     {.name = "run-parts", .args = "run-parts --report /etc/cron.hourly"},
                     {.name = "cron"}),
               CAUSE_CRON, "/etc/cron.hourly/clean", "/etc/crontab:1", NULL,
               "cron ran /etc/cron.hourly/clean as root: cd / && run-parts --report "
               "/etc/cron.hourly (/etc/crontab:1)");
}
END_TEST

/* Nobody can say which. */
START_TEST(test_ambiguous) {
        tree_write("/etc/crontab", "1 * * * * root rm x\n");
        tree_write("/etc/cron.d/a", "2 * * * * root rm x\n");
        EXPECT(CHAIN({.name = "rm", .args = "rm x"}, {.name = "cron"}), CAUSE_CRON, "rm x", NULL,
               NULL, "cron ran a job as root: rm x");
}
END_TEST

START_TEST(test_package) {
        EXPECT(CHAIN({.name = "rm", .args = "rm -rf /var/lib/x"},
                     {.name = "x.postrm",
                      .executable = "/usr/bin/dash",
                      .args = "/bin/sh /var/lib/dpkg/info/x:amd64.postrm purge"},
                     {.name = "dpkg", .args = "dpkg --status-fd 9 --purge x:amd64 y"},
                     {.name = "apt-get", .args = "apt-get purge -y x y"}),
               CAUSE_PACKAGE, "apt-get purge -y x y", "/var/lib/dpkg/info/x:amd64.postrm", NULL,
               "the postrm script of package x did it, for: apt-get purge -y x y");
        EXPECT(CHAIN({.name = "dpkg", .args = "dpkg -i /tmp/z_1.0_all.deb"}), CAUSE_PACKAGE,
               "dpkg -i /tmp/z_1.0_all.deb", NULL, NULL,
               "package z was changed by: dpkg -i /tmp/z_1.0_all.deb");
        EXPECT(CHAIN({.name = "dpkg", .args = "dpkg --remove x y"}), CAUSE_PACKAGE,
               "dpkg --remove x y", NULL, NULL, "packages were changed by: dpkg --remove x y");
        EXPECT(CHAIN({.name = "dnf",
                      .executable = "/usr/bin/python3.11",
                      .args = "/usr/bin/python3 /usr/bin/dnf -y remove x"},
                     {.name = "sh", .args = "sh -c x"}, {.name = "crond"}),
               CAUSE_PACKAGE, "/usr/bin/python3 /usr/bin/dnf -y remove x", NULL, NULL,
               "packages were changed by: /usr/bin/python3 /usr/bin/dnf -y remove x; cron had "
               "started it");
}
END_TEST

START_TEST(test_logrotate) {
        const Ancestor *chain =
                CHAIN({.name = "logrotate", .args = "logrotate -s /state /etc/logrotate.conf"},
                      {.name = "logrotate.x"}, {.name = "cron"});

        tree_write("/etc/logrotate.conf", "include /etc/logrotate.d\n");
        tree_write("/etc/logrotate.d/x", "\n/var/log/x/*.log {\n rotate 3\n}\n");
        tree_write("/etc/logrotate.d/x.dpkg-old", "/var/log/y.log {\n}\n");
        expect_at(chain, "/var/log/x/a.log.4.gz",
                  &(Expected){CAUSE_LOGROTATE, "logrotate -s /state /etc/logrotate.conf",
                              "/etc/logrotate.d/x:2", NULL,
                              "logrotate did it by the stanza at /etc/logrotate.d/x:2: \"rotate\" "
                              "and \"maxage\" there say how many old ones stay and how long; cron "
                              "had started it"});
        expect_at(chain, "/var/log/y.log.1",
                  &(Expected){CAUSE_LOGROTATE, "logrotate -s /state /etc/logrotate.conf", NULL,
                              NULL,
                              "logrotate did it, but no stanza of its configuration names the "
                              "file; cron had started it"});
        ck_assert_uint_eq(explain_counters(explain).n_misses, 1);
        ck_assert_uint_eq(explain_counters(explain).n_hits, 1);
}
END_TEST

#define ID "4f1ec6e0f9f4b1a5c1f0d5a3e8b7a6958473625140392817065f4e3d2c1b0a99"

START_TEST(test_container) {
        static const char group[] = "/system.slice/docker-" ID ".scope";

        EXPECT(CHAIN({.name = "rm", .cgroup = group, .is_in_pid_namespace = true}), CAUSE_CONTAINER,
               NULL, NULL, "docker-" ID ".scope",
               "container 4f1ec6e0f9f4 of docker did it: look at what it runs");
        explain_free(explain);
        ck_assert_int_eq(explain_new(&(ExplainOptions){.root_fd = tree_fd}, &explain), 0);
        tree_write("/var/lib/docker/containers/" ID "/config.v2.json",
                   "{\"Name\":\"/web\",\"Config\":{\"Image\":\"nginx:1.25\"}}");
        EXPECT(CHAIN({.name = "rm", .cgroup = group, .is_in_pid_namespace = true}), CAUSE_CONTAINER,
               NULL, "/var/lib/docker/containers/" ID "/config.v2.json", "docker-" ID ".scope",
               "container web (4f1ec6e0f9f4) of docker, image nginx:1.25, did it: look at what it "
               "runs");
        /* Its cron is its own, its crontab is not ours. */
        tree_write("/etc/crontab", "1 * * * * root rm x\n");
        EXPECT(CHAIN({.name = "rm", .args = "rm x", .cgroup = group, .is_in_pid_namespace = true},
                     {.name = "crond", .cgroup = group, .is_in_pid_namespace = true}),
               CAUSE_CRON, "rm x", NULL, "docker-" ID ".scope", "cron ran a job: rm x");
        /* Whoever started it did not ask for this. */
        EXPECT(CHAIN({.name = "rm", .args = "rm x", .cgroup = group, .is_in_pid_namespace = true},
                     {.name = "sh", .args = "sh -c podman"}, {.name = "cron"}),
               CAUSE_CONTAINER, NULL, "/var/lib/docker/containers/" ID "/config.v2.json",
               "docker-" ID ".scope",
               "container web (4f1ec6e0f9f4) of docker, image nginx:1.25, did it: look at what it "
               "runs");
}
END_TEST

START_TEST(test_login) {
        EXPECT(CHAIN({.name = "rm", .tty = 136 << 8 | 3, .login_uid = 1000},
                     {.name = "bash", .tty = 136 << 8 | 3}, {.name = "sshd"}, {.name = "sshd"}),
               CAUSE_LOGIN, NULL, NULL, NULL,
               "it was done in a login of alice over ssh, terminal pts/3");
        EXPECT(CHAIN({.name = "rm",
                      .tty = 4 << 8 | 1,
                      .uid = 7,
                      .cgroup = "/user.slice/user-7.slice/session-5.scope"},
                     {.name = "bash", .tty = 4 << 8 | 1}, {.name = "login"}),
               CAUSE_LOGIN, NULL, NULL, "session-5.scope",
               "it was done in a login of root at the console, terminal tty1, session 5");
}
END_TEST

int main(void) {
        TCase *t = tcase_create("explain");

        tcase_add_checked_fixture(t, setup, teardown);
        tcase_add_test(t, test_none);
        tcase_add_test(t, test_cron);
        tcase_add_test(t, test_run_parts);
        tcase_add_test(t, test_ambiguous);
        tcase_add_test(t, test_package);
        tcase_add_test(t, test_logrotate);
        tcase_add_test(t, test_container);
        tcase_add_test(t, test_login);
        return unit_run("explain", t);
}
