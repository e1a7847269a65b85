/* SPDX-License-Identifier: MIT */

/*
 * Managers asked over a bus: a real dbus-daemon with services of our own on it, one that never says
 * a word, and none at all.
 */

#include "explain/bus.h"

#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <stdatomic.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>

#include "base/clock.h"
#include "base/privilege.h"
#include "explain/explain.h"
#include "explain/session_facts.h"
#include "explain/unit_facts.h"
#include "fixtures_explain.h"

#define UNITS "/org/freedesktop/systemd1/unit/"

extern char **environ;

static pid_t daemon_pid;
static pthread_t server;
static atomic_bool is_ending;
static int ready[2];
static char address[256];
static atomic_uint n_requests;

typedef struct Property {
        const char *path, *interface, *name, *type, *value;
        uint64_t number;
} Property;

static const Property properties[] = {
        {UNITS "clean_2eservice", "Unit", "Description", "s", "Cleans", 0},
        {UNITS "clean_2eservice", "Unit", "Ignored", "s", "x", 0},
        {UNITS "clean_2eservice", "Unit", "FragmentPath", "s", "/lib/clean.service", 0},
        {UNITS "clean_2eservice", "Unit", "TriggeredBy", "as", "a.path clean.timer b.socket", 0},
        {UNITS "clean_2etimer", "Unit", "FragmentPath", "s", "/lib/clean.timer", 0},
        {UNITS "clean_2etimer", "Timer", "LastTriggerUSec", "t", NULL, 1764547200000000},
        {UNITS "clean_2etimer", "Timer", "NextElapseUSecRealtime", "t", NULL, 1764633600000000},
        {UNITS "clean_2etimer", "Timer", "NextElapseUSecMonotonic", "t", NULL, UINT64_MAX},
        {UNITS "socket_2eservice", "Unit", "TriggeredBy", "as", "x.socket", 0},
        {UNITS "plain_2eservice", "Unit", "TriggeredBy", "as", "", 0},
        {UNITS "odd_2eservice", "Unit", "TriggeredBy", "s", "no list", 0},
        {"/org/freedesktop/login1/session/_35", "Session", "Name", "s", "alice", 0},
        {"/org/freedesktop/login1/session/_35", "Session", "RemoteHost", "s", "192.0.2.7", 0},
        {"/org/freedesktop/login1/session/_35", "Session", "TTY", "s", "pts/3", 0},
        {"/org/freedesktop/login1/session/_35", "Session", "Display", "s", "", 0},
};

static int append_value(sd_bus_message *m, const Property *p) {
        char words[128], *at = words, *word;
        int r;

        if (strcmp(p->type, "t") == 0)
                return sd_bus_message_append(m, "v", "t", p->number);
        if (strcmp(p->type, "s") == 0)
                return sd_bus_message_append(m, "v", "s", p->value);
        snprintf(words, sizeof(words), "%s", p->value);
        r = sd_bus_message_open_container(m, 'v', "as");
        if (r >= 0)
                r = sd_bus_message_open_container(m, 'a', "s");
        while (r >= 0 && (word = strsep(&at, " ")))
                if (*word)
                        r = sd_bus_message_append(m, "s", word);
        if (r >= 0)
                r = sd_bus_message_close_container(m);
        return r < 0 ? r : sd_bus_message_close_container(m);
}

/* GetAll of whatever interface: what it has is told by the table. */
static int on_message(sd_bus_message *m, void *userdata, sd_bus_error *error) {
        const char *path = sd_bus_message_get_path(m), *interface;
        sd_bus_message *reply = NULL;
        size_t n = 0;
        int r;

        (void)userdata, (void)error;
        if (!sd_bus_message_is_method_call(m, "org.freedesktop.DBus.Properties", "GetAll"))
                return 0;
        n_requests++;
        r = sd_bus_message_read(m, "s", &interface);
        if (r >= 0)
                r = sd_bus_message_new_method_return(m, &reply);
        if (r >= 0)
                r = sd_bus_message_open_container(reply, 'a', "{sv}");
        for (size_t i = 0; r >= 0 && i < sizeof(properties) / sizeof(properties[0]); i++) {
                const Property *p = &properties[i];

                if (strcmp(p->path, path) != 0 ||
                    strcmp(p->interface, strrchr(interface, '.') + 1) != 0)
                        continue;
                n++;
                r = sd_bus_message_open_container(reply, 'e', "sv");
                if (r >= 0)
                        r = sd_bus_message_append(reply, "s", p->name);
                if (r >= 0)
                        r = append_value(reply, p);
                if (r >= 0)
                        r = sd_bus_message_close_container(reply);
        }
        if (r >= 0)
                r = sd_bus_message_close_container(reply);
        if (r >= 0)
                r = n == 0 ? sd_bus_reply_method_errorf(m, "org.freedesktop.systemd1.NoSuchUnit",
                                                        "no %s", path)
                           : sd_bus_send(NULL, reply, NULL);
        sd_bus_message_unref(reply);
        return r < 0 ? r : 1;
}

/* Its socket is there a moment before it listens. Return: NULL it does not. */
static sd_bus *join_bus(void) {
        for (int i = 0; i < 1000; i++) {
                sd_bus *b = NULL;

                if (sd_bus_new(&b) >= 0 && sd_bus_set_address(b, address) >= 0 &&
                    sd_bus_set_bus_client(b, 1) >= 0 && sd_bus_start(b) >= 0 &&
                    sd_bus_add_filter(b, NULL, on_message, NULL) >= 0 &&
                    sd_bus_request_name(b, "org.freedesktop.systemd1", 0) >= 0 &&
                    sd_bus_request_name(b, "org.freedesktop.login1", 0) >= 0)
                        return b;
                sd_bus_unref(b);
                usleep(10000);
        }
        return NULL;
}

/* No check in here: it would jump into another thread. */
static void *serve(void *userdata) {
        sd_bus *b = join_bus();

        (void)userdata;
        if (write(ready[1], b ? "x" : "-", 1) != 1 || !b)
                return NULL;
        while (!is_ending)
                if (sd_bus_process(b, NULL) == 0)
                        (void)sd_bus_wait(b, 20000);
        sd_bus_flush_close_unref(b);
        return NULL;
}

static void start_daemon(void) {
        char config[600], argument[300];
        char *const args[] = {(char *)(uintptr_t) "dbus-daemon", argument,
                              (char *)(uintptr_t) "--nofork",    (char *)(uintptr_t) "--nopidfile",
                              (char *)(uintptr_t) "--nosyslog",  NULL};
        char byte;

        snprintf(address, sizeof(address), "unix:path=%s/bus", tree);
        snprintf(config, sizeof(config),
                 "<busconfig><type>session</type><listen>%s</listen><auth>EXTERNAL</auth>"
                 "<policy context=\"default\"><allow send_destination=\"*\"/>"
                 "<allow eavesdrop=\"false\"/><allow own=\"*\"/><allow user=\"*\"/></policy>"
                 "</busconfig>",
                 address);
        tree_write("/bus.conf", config);
        snprintf(argument, sizeof(argument), "--config-file=%s/bus.conf", tree);
        ck_assert_int_eq(posix_spawnp(&daemon_pid, "dbus-daemon", NULL, NULL, args, environ), 0);
        ck_assert_int_eq(pipe(ready), 0);
        is_ending = false;
        ck_assert_int_eq(pthread_create(&server, NULL, serve, NULL), 0);
        ck_assert_int_eq(read(ready[0], &byte, 1), 1);
        ck_assert_int_eq(byte, 'x');
}

static void stop_daemon(void) {
        is_ending = true;
        pthread_join(server, NULL);
        kill(daemon_pid, SIGTERM);
        waitpid(daemon_pid, NULL, 0);
        close(ready[0]);
        close(ready[1]);
        daemon_pid = 0;
}

static Bus *bus;

/* Without the time that a busy machine takes: a bus that was late is left alone. */
static int ask(uid_t uid, const char *unit, UnitFacts **ret_facts) {
        int r = -ETIMEDOUT;

        for (int i = 0; i < 10 && r == -ETIMEDOUT; i++) {
                r = unit_facts_ask(bus, uid, unit, ret_facts);
                if (r == -ETIMEDOUT) {
                        bus_free(bus);
                        ck_assert_int_eq(bus_new(address, address, &bus), 0);
                }
        }
        return r;
}

static void setup(void) {
        tree_setup();
        n_requests = 0;
        start_daemon();
        ck_assert_int_eq(bus_new(address, address, &bus), 0);
}

static void teardown(void) {
        bus = bus_free(bus);
        stop_daemon();
        tree_teardown();
}

START_TEST(test_timer) {
        UnitFacts *f = NULL;

        ck_assert_int_eq(ask(BUS_SYSTEM, "clean.service", &f), 0);
        ck_assert_str_eq(f->description, "Cleans");
        ck_assert_str_eq(f->fragment_path, "/lib/clean.service");
        ck_assert_str_eq(f->triggered_by, "clean.timer");
        ck_assert_str_eq(f->trigger_path, "/lib/clean.timer");
        ck_assert_uint_eq(f->last_usec, 1764547200000000);
        ck_assert_uint_eq(f->next_usec, 1764633600000000);
        unit_facts_free(f);
}
END_TEST

START_TEST(test_others) {
        UnitFacts *f = NULL;

        ck_assert_int_eq(ask(BUS_SYSTEM, "socket.service", &f), 0);
        ck_assert_str_eq(f->triggered_by, "x.socket");
        ck_assert_uint_eq(f->next_usec, 0);
        unit_facts_free(f);
        ck_assert_int_eq(ask(geteuid(), "plain.service", &f), 0);
        ck_assert_ptr_null(f->triggered_by);
        unit_facts_free(f);
        ck_assert_int_eq(ask(BUS_SYSTEM, "absent.service", &f), -EREMOTEIO);
        ck_assert_int_eq(ask(BUS_SYSTEM, "odd.service", &f), -EBADMSG);
        /* The connection serves on. */
        ck_assert_int_eq(ask(BUS_SYSTEM, "plain.service", &f), 0);
        unit_facts_free(f);
        ck_assert_uint_eq(bus_n_timeouts(bus), 0);
}
END_TEST

START_TEST(test_session) {
        SessionFacts *f = NULL;

        ck_assert_int_eq(session_facts_ask(bus, "5", &f), 0);
        ck_assert_str_eq(f->user, "alice");
        ck_assert_str_eq(f->remote_host, "192.0.2.7");
        ck_assert_str_eq(f->tty, "pts/3");
        ck_assert_ptr_null(f->display);
        session_facts_free(f);
        ck_assert_int_eq(session_facts_ask(bus, "6", &f), -EREMOTEIO);
}
END_TEST

/* A bus that was started anew is found again. */
START_TEST(test_restart) {
        char path[300];
        UnitFacts *f = NULL;

        ck_assert_int_eq(ask(BUS_SYSTEM, "plain.service", &f), 0);
        unit_facts_free(f);
        stop_daemon();
        snprintf(path, sizeof(path), "%s/bus", tree);
        (void)unlink(path);
        ck_assert_int_lt(ask(BUS_SYSTEM, "plain.service", &f), 0);
        start_daemon();
        ck_assert_int_eq(ask(BUS_SYSTEM, "plain.service", &f), 0);
        unit_facts_free(f);
}
END_TEST

/* Causes out of it, and one question for many processes of a unit. */
START_TEST(test_causes) {
        const ExplainedPath nothing = {0};
        Explain *x;

        ck_assert_int_eq(explain_new(&(ExplainOptions){.root_fd = tree_fd,
                                                       .system_bus = address,
                                                       .user_bus = address},
                                     &x),
                         0);
        for (uint64_t i = 0; i < 100; i++) {
                Deleter *d = deleter_of(
                        i + 1,
                        (const Ancestor[]){{.name = "rm", .cgroup = "/system.slice/clean.service"},
                                           {.name = "systemd"},
                                           {.name = NULL}});
                _cleanup_cause_ Cause c = {0};

                ck_assert_int_eq(explain_find(x, d, &nothing, &c), 1);
                ck_assert_int_eq(c.type, CAUSE_TIMER);
                ck_assert_str_eq(c.unit, "clean.service");
                ck_assert_str_eq(c.triggered_by, "clean.timer");
                ck_assert_str_eq(c.source, "/lib/clean.service");
                ck_assert_str_eq(c.explanation,
                                 "clean.service (Cleans) did it, started by clean.timer, which ran "
                                 "last at 2025-12-01 00:00:00 UTC and runs next at 2025-12-02 "
                                 "00:00:00 UTC");
                deleter_unref(d);
        }
        ck_assert_uint_eq(n_requests, 3);
        for (uint64_t i = 0; i < 2; i++) {
                Deleter *d = deleter_of(
                        1000 + i, (const Ancestor[]){
                                          {.name = "rm",
                                           .args = "rm x",
                                           .cgroup = "/user.slice/user-1000.slice/session-5.scope"},
                                          {.name = "bash"},
                                          {.name = "sshd"},
                                          {.name = "systemd"},
                                          {.name = NULL}});
                _cleanup_cause_ Cause c = {0};

                ck_assert_int_eq(explain_find(x, d, &nothing, &c), 1);
                ck_assert_str_eq(c.explanation, "it was done in a login of alice over ssh from "
                                                "192.0.2.7, terminal pts/3, session 5");
                deleter_unref(d);
        }
        ck_assert_uint_eq(n_requests, 4);
        explain_free(x);
}
END_TEST

/* A package manager in a timer's unit: what ran it is said, too. */
START_TEST(test_both) {
        const ExplainedPath nothing = {0};
        _cleanup_cause_ Cause c = {0};
        Deleter *d;
        Explain *x;

        ck_assert_int_eq(
                explain_new(&(ExplainOptions){.root_fd = tree_fd, .system_bus = address}, &x), 0);
        d = deleter_of(1, (const Ancestor[]){{.name = "apt-get",
                                              .args = "apt-get clean",
                                              .cgroup = "/system.slice/clean.service"},
                                             {.name = "systemd"},
                                             {.name = NULL}});
        ck_assert_int_eq(explain_find(x, d, &nothing, &c), 1);
        ck_assert_int_eq(c.type, CAUSE_PACKAGE);
        ck_assert_str_eq(c.triggered_by, "clean.timer");
        ck_assert_ptr_nonnull(strstr(c.explanation, "; started by clean.timer, which ran last"));
        deleter_unref(d);
        explain_free(x);
}
END_TEST

static uint64_t now_msec(void) {
        return clock_now_nsec(CLOCK_MONOTONIC) / CLOCK_NSEC_PER_MSEC;
}

/* It takes the connection, and that is all. */
START_TEST(test_hung) {
        struct sockaddr_un a = {.sun_family = AF_UNIX};
        char hung[300];
        int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        UnitFacts *f = NULL;
        uint64_t begin, took;
        Bus *b;

        snprintf(a.sun_path, sizeof(a.sun_path), "%s/hung", tree);
        snprintf(hung, sizeof(hung), "unix:path=%s", a.sun_path);
        ck_assert_int_eq(bind(fd, (struct sockaddr *)&a, sizeof(a)), 0);
        ck_assert_int_eq(listen(fd, 8), 0);
        ck_assert_int_eq(bus_new(hung, hung, &b), 0);
        begin = now_msec();
        ck_assert_int_eq(unit_facts_ask(b, BUS_SYSTEM, "x.service", &f), -ETIMEDOUT);
        took = now_msec() - begin;
        ck_assert_uint_ge(took, 1990);
        ck_assert_uint_le(took, 10000);
        /* And is left alone from then on; a user's is another. */
        begin = now_msec();
        for (int i = 0; i < 100; i++)
                ck_assert_int_eq(unit_facts_ask(b, BUS_SYSTEM, "x.service", &f), -ETIMEDOUT);
        ck_assert_uint_le(now_msec() - begin, 1900);
        ck_assert_uint_eq(bus_n_timeouts(b), 1);
        ck_assert_int_eq(unit_facts_ask(b, geteuid(), "x.service", &f), -ETIMEDOUT);
        ck_assert_uint_eq(bus_n_timeouts(b), 2);
        bus_free(b);
        close(fd);
}
END_TEST

/* Whoever may not become a user does not go there as somebody else. */
START_TEST(test_not_permitted) {
        struct sockaddr_un a = {.sun_family = AF_UNIX};
        int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), status;
        char there[300];
        pid_t pid;

        snprintf(a.sun_path, sizeof(a.sun_path), "%s/users", tree);
        snprintf(there, sizeof(there), "unix:path=%s", a.sun_path);
        ck_assert_int_eq(bind(fd, (struct sockaddr *)&a, sizeof(a)), 0);
        ck_assert_int_eq(listen(fd, 8), 0);
        pid = fork();
        if (pid == 0) {
                UnitFacts *f = NULL;
                Bus *b;

                if (privilege_keep(0, 0) < 0 || bus_new(there, there, &b) < 0)
                        _exit(1);
                _exit(unit_facts_ask(b, 54321, "x.service", &f) == -EPERM ? 0 : 2);
        }
        ck_assert_int_eq(waitpid(pid, &status, 0), pid);
        ck_assert_int_eq(status, 0);
        ck_assert(accept4(fd, NULL, NULL, SOCK_CLOEXEC) < 0 && errno == EAGAIN);
        close(fd);
}
END_TEST

START_TEST(test_absent) {
        UnitFacts *f = NULL;
        uint64_t begin = now_msec();
        Bus *b;

        ck_assert_int_eq(bus_new("unix:path=/nowhere/at/all", NULL, &b), 0);
        ck_assert_int_eq(unit_facts_ask(b, BUS_SYSTEM, "x.service", &f), -ENOENT);
        ck_assert_int_eq(unit_facts_ask(b, 54321, "x.service", &f),
                         geteuid() == 0 ? -ENOENT : -EPERM);
        ck_assert_uint_le(now_msec() - begin, 1900);
        ck_assert_uint_eq(bus_n_timeouts(b), 0);
        bus_free(b);
        ck_assert_uint_eq(geteuid(), getuid());
}
END_TEST

int main(void) {
        TCase *t = tcase_create("bus");

        if (system("command -v dbus-daemon >/dev/null") != 0) {
                puts("1..0 # SKIP no dbus-daemon here");
                return 77;
        }

        tcase_add_checked_fixture(t, setup, teardown);
        tcase_add_test(t, test_timer);
        tcase_add_test(t, test_others);
        tcase_add_test(t, test_session);
        tcase_add_test(t, test_restart);
        tcase_add_test(t, test_causes);
        tcase_add_test(t, test_both);
        tcase_add_test(t, test_hung);
        tcase_add_test(t, test_not_permitted);
        tcase_add_test(t, test_absent);
        return unit_run("bus", t);
}
