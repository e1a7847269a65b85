/* SPDX-License-Identifier: MIT */

/* Leaders of sessions, and by whom the work entered: whole chains of real machines. */

#include "identify/leaders.h"

#include <string.h>

#include "fixtures_deleter.h"

#define PTS(n) (136 << 8 | (n))
#define TTY(n) (4 << 8 | (n))
#define CONSOLE (5 << 8 | 1)
#define OLD_PTY(n) (3 << 8 | (n))
#define ID_A "4f1ec6e0f9f4b1a5c1f0d5a3e8b7a6958473625140392817065f4e3d2c1b0a99"
#define ID_B "000000e0f9f4b1a5c1f0d5a3e8b7a6958473625140392817065f4e3d2c1b0a99"
#define DOCKER_A "/system.slice/docker-" ID_A ".scope"
#define MANAGER "/user.slice/user-1000.slice/user@1000.service"

typedef struct Link {
        pid_t pid;        /* 0: behind the last */
        const char *comm; /* NULL: nothing is known */
        const char *executable;
        const char *cgroup;
        int tty;
        bool is_in_pid_namespace;
} Link;

typedef struct Case {
        const char *what;
        EntryType type;
        pid_t leader; /* 0: none */
        Link chain[8];
} Case;

/* Of a chain: pid, name, executable, and .cgroup, .tty, .is_in_pid_namespace where they matter. */
#define P(p, c, e, ...)                                                                            \
        { .pid = (p), .comm = (c), .executable = (e), ##__VA_ARGS__ }
#define SYSTEMD P(1, "systemd", "/usr/lib/systemd/systemd", .cgroup = "/init.scope")
#define RM(t) P(100, "rm", "/usr/bin/rm", .cgroup = "/", .tty = (t))
#define SH(pid, t) P(pid, "sh", "/usr/bin/dash", .cgroup = "/", .tty = (t))
#define SSHD(pid, program) P(pid, "x", program, .cgroup = "/system.slice/ssh.service")
#define UNKNOWN(pid) P(pid, NULL, NULL)

static const Case cases[] = {
        {"a job of cron",
         ENTRY_CRON,
         90,
         {RM(0), SH(90, 0), P(80, "cron", "/usr/sbin/cron", .cgroup = "/"),
          P(70, "cron", "/usr/sbin/cron", .cgroup = "/"), SYSTEMD}},
        {"cron's own child",
         ENTRY_CRON,
         100,
         {RM(0), P(70, "crond", "/usr/sbin/crond", .cgroup = "/"), SYSTEMD}},
        {"at",
         ENTRY_CRON,
         90,
         {RM(0), SH(90, 0), P(80, "atd", "/usr/sbin/atd", .cgroup = "/"), SYSTEMD}},
        {"anacron, which cron started",
         ENTRY_CRON,
         90,
         {RM(0), SH(90, 0), P(80, "anacron", "/usr/sbin/anacron"), SH(75, 0),
          P(70, "cron", "/usr/sbin/cron"), SYSTEMD}},
        {"busybox as crond",
         ENTRY_CRON,
         90,
         {RM(0), SH(90, 0), P(70, "crond", "/bin/busybox"), SYSTEMD}},
        {"of an unknown executable",
         ENTRY_CRON,
         90,
         {RM(0), SH(90, 0), P(70, "fcron", NULL), SYSTEMD}},
        {"only called cron",
         ENTRY_INIT,
         70,
         {RM(0), SH(90, 0), P(70, "cron", "/usr/bin/perl"), SYSTEMD}},
        {"cron itself", ENTRY_INIT, 70, {P(70, "cron", "/usr/sbin/cron"), SYSTEMD}},
        {"over ssh",
         ENTRY_SSHD,
         90,
         {RM(PTS(1)), SH(90, PTS(1)), SSHD(80, "/usr/sbin/sshd"), SSHD(75, "/usr/sbin/sshd"),
          SSHD(70, "/usr/sbin/sshd"), SYSTEMD}},
        {"over ssh since 9.8",
         ENTRY_SSHD,
         100,
         {RM(0), SSHD(80, "/usr/lib/openssh/sshd-session"),
          SSHD(75, "/usr/lib/openssh/sshd-session"), SSHD(70, "/usr/sbin/sshd"), SYSTEMD}},
        {"sshd for itself",
         ENTRY_INIT,
         70,
         {SSHD(80, "/usr/sbin/sshd"), SSHD(70, "/usr/sbin/sshd"), SYSTEMD}},
        {"below sshd, but who",
         ENTRY_INIT,
         70,
         {UNKNOWN(100), SSHD(70, "/usr/sbin/sshd"), SYSTEMD}},
        {"a job of a cron in an ssh session",
         ENTRY_CRON,
         90,
         {RM(0), SH(90, 0), P(85, "crond", "/usr/sbin/crond"), SH(82, PTS(0)),
          SSHD(80, "/usr/sbin/sshd"), SYSTEMD}},
        {"a login on a console",
         ENTRY_CONSOLE,
         90,
         {RM(TTY(1)), SH(90, TTY(1)),
          P(70, "login", "/usr/bin/login", .cgroup = "/", .tty = TTY(1)), SYSTEMD}},
        {"a container",
         ENTRY_CONTAINER,
         90,
         {P(100, "rm", "/bin/rm", .cgroup = DOCKER_A), P(90, "sh", "/bin/sh", .cgroup = DOCKER_A),
          P(80, "containerd-shim", "/usr/bin/containerd-shim-runc-v2",
            .cgroup = "/system.slice/containerd.service"),
          SYSTEMD}},
        {"a container in a container",
         ENTRY_CONTAINER,
         100,
         {P(100, "rm", "/bin/rm", .cgroup = DOCKER_A "/docker/" ID_B),
          P(90, "sh", "/bin/sh", .cgroup = DOCKER_A),
          P(80, "containerd-shim", "/usr/bin/containerd-shim-runc-v2", .cgroup = "/"), SYSTEMD}},
        {"out of a container",
         ENTRY_CONTAINER,
         90,
         {P(100, "rm", "/bin/rm", .cgroup = "/"), P(90, "sh", "/bin/sh", .cgroup = DOCKER_A),
          P(80, "containerd-shim", "/usr/bin/containerd-shim-runc-v2", .cgroup = "/"), SYSTEMD}},
        {"a container below one of which no group is known",
         ENTRY_INIT,
         90,
         {P(100, "rm", "/bin/rm", .cgroup = DOCKER_A), P(90, "sh", "/bin/sh"), SYSTEMD}},
        {"a pid namespace",
         ENTRY_CONTAINER,
         90,
         {P(100, "rm", "/bin/rm", .cgroup = "/", .is_in_pid_namespace = true),
          P(90, "sh", "/bin/sh", .cgroup = "/", .tty = PTS(1), .is_in_pid_namespace = true),
          SH(80, PTS(1)), SH(70, 0), SYSTEMD}},
        {"a terminal",
         ENTRY_TERMINAL,
         90,
         {RM(PTS(1)), SH(90, PTS(1)), P(70, "xterm", "/usr/bin/xterm"), SYSTEMD}},
        {"a terminal of the old kind",
         ENTRY_TERMINAL,
         90,
         {RM(OLD_PTY(1)), SH(90, OLD_PTY(1)), SH(70, 0), SYSTEMD}},
        {"a terminal with a large number",
         ENTRY_TERMINAL,
         100,
         {RM((136 << 8) | (1 << 20)), SH(70, 0), SYSTEMD}},
        {"a terminal in a terminal",
         ENTRY_TERMINAL,
         80,
         {RM(PTS(2)), SH(90, PTS(2)), SH(80, PTS(1)), P(70, "xterm", "/usr/bin/xterm"), SYSTEMD}},
        {"a terminal on the console",
         ENTRY_CONSOLE,
         80,
         {RM(PTS(2)), SH(90, PTS(2)), SH(80, CONSOLE), SH(70, 0), SYSTEMD}},
        {"without the terminal of its parents",
         ENTRY_TERMINAL,
         80,
         {RM(0), SH(90, 0), SH(80, PTS(1)), P(70, "xterm", "/usr/bin/xterm"), SYSTEMD}},
        {"a terminal, but nobody knows from where",
         ENTRY_INIT,
         70,
         {RM(PTS(1)), UNKNOWN(70), SYSTEMD}},
        {"a service",
         ENTRY_INIT,
         70,
         {RM(0), SH(90, 0), P(70, "mysqld", "/usr/sbin/mysqld"), SYSTEMD}},
        {"a service of one process", ENTRY_INIT, 100, {RM(0), SYSTEMD}},
        {"a user's service",
         ENTRY_INIT,
         90,
         {RM(0), P(90, "dbus", "/usr/bin/dbus", .cgroup = MANAGER "/app.slice/dbus.service"),
          P(70, "systemd", "/usr/lib/systemd/systemd", .cgroup = MANAGER "/init.scope"), SYSTEMD}},
        {"a user's manager",
         ENTRY_INIT,
         70,
         {P(70, "systemd", "/usr/lib/systemd/systemd", .cgroup = MANAGER "/init.scope"), SYSTEMD}},
        {"called as a user's manager",
         ENTRY_INIT,
         70,
         {RM(0), P(70, "systemd", "/tmp/systemd", .cgroup = MANAGER "/app.slice/x.service"),
          SYSTEMD}},
        {"init itself", ENTRY_NONE, 0, {SYSTEMD}},
        {"an open chain", ENTRY_NONE, 0, {RM(0), SH(90, 0)}},
        {"alone", ENTRY_NONE, 0, {RM(PTS(1))}},
        {"a thread of the kernel",
         ENTRY_NONE,
         0,
         {P(40, "kworker/0:1", NULL), P(2, "kthreadd", NULL)}},
        {"the parent of the kernel's threads", ENTRY_NONE, 0, {P(2, "kthreadd", NULL)}},
        {"pid 2 of a container's pid namespace",
         ENTRY_CRON,
         100,
         {RM(0), P(2, "crond", "/usr/sbin/crond")}},
};

/* A deleter with this chain; its session as given. */
static Deleter *deleter_of(const Link *chain, pid_t session) {
        static ProcessAnswer answer; /* large */
        Deleter *d;

        memset(&answer, 0, sizeof(answer));
        for (size_t i = 0; i < 8 && chain[i].pid != 0; i++) {
                ProcessView *v = i == 0 ? &answer.process : &answer.ancestors[i - 1];
                ProcessFactsParts p = {
                        .facts = {.session = i == 0 ? session : 0,
                                  .tty = chain[i].tty,
                                  .is_in_pid_namespace = chain[i].is_in_pid_namespace}};

                v->pid = chain[i].pid;
                answer.n_ancestors = i;
                if (!chain[i].comm)
                        continue;
                strncpy(p.facts.comm, chain[i].comm, sizeof(p.facts.comm) - 1);
                fixture_set_executable(&p, chain[i].executable);
                fixture_set_cgroup(&p, chain[i].cgroup);
                v->facts = process_facts_new(&p);
                ck_assert_ptr_nonnull(v->facts);
        }
        d = deleter_new(1, ATTRIBUTION_EXEC, true, &answer);
        ck_assert_ptr_nonnull(d);
        return d;
}

START_TEST(test_entry) {
        const Case *c = &cases[_i];
        Deleter *d = deleter_of(c->chain, 0);
        pid_t pid;
        Leaders l;

        leaders_find(d, &l);
        pid = l.entry ? l.entry->pid : 0;
        ck_assert_msg(l.entry_type == c->type && pid == c->leader,
                      "%s: type %d by pid %d, wanted type %d by pid %d", c->what, (int)l.entry_type,
                      (int)pid, (int)c->type, (int)c->leader);
        ck_assert_ptr_null(l.session);
        deleter_unref(d);
}
END_TEST

START_TEST(test_session) {
        static const struct {
                pid_t session, leader;
        } sessions[] = {{100, 100}, {90, 90}, {1, 1}, {80, 0}, {0, 0}, {-1, 0}};
        static const Link chain[8] = {RM(PTS(1)), SH(90, PTS(1)), SYSTEMD};
        Deleter *d = deleter_of(chain, sessions[_i].session);
        Leaders l;

        leaders_find(d, &l);
        ck_assert_int_eq(l.session ? l.session->pid : 0, sessions[_i].leader);
        ck_assert_ptr_eq(l.entry, &d->ancestors[0]);
        deleter_unref(d);
}
END_TEST

START_TEST(test_nothing_known) {
        static const Link unknown[8] = {UNKNOWN(100), UNKNOWN(90), UNKNOWN(1)};
        Deleter *d = deleter_of(unknown, 0);
        Leaders l;

        leaders_find(d, &l);
        ck_assert_ptr_null(l.session);
        ck_assert_int_eq(l.entry_type, ENTRY_INIT);
        ck_assert_int_eq(l.entry->pid, 90);
        deleter_unref(d);
}
END_TEST

/* The words of record.md. */
START_TEST(test_types) {
        ck_assert_ptr_null(entry_type_to_string(ENTRY_NONE));
        ck_assert_str_eq(entry_type_to_string(ENTRY_INIT), "init");
        ck_assert_str_eq(entry_type_to_string(ENTRY_SSHD), "sshd");
        ck_assert_str_eq(entry_type_to_string(ENTRY_CRON), "cron");
        ck_assert_str_eq(entry_type_to_string(ENTRY_CONTAINER), "container");
        ck_assert_str_eq(entry_type_to_string(ENTRY_TERMINAL), "terminal");
        ck_assert_str_eq(entry_type_to_string(ENTRY_CONSOLE), "console");
}
END_TEST

int main(void) {
        TCase *t = tcase_create("leaders");

        tcase_add_loop_test(t, test_entry, 0, sizeof(cases) / sizeof(cases[0]));
        tcase_add_loop_test(t, test_session, 0, 6);
        tcase_add_test(t, test_nothing_known);
        tcase_add_test(t, test_types);
        return unit_run("leaders", t);
}
