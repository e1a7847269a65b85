/* SPDX-License-Identifier: MIT */

/*
 * `why` against the machine's own systemd-tmpfiles: what it says goes, goes, at the moment that it
 * says, and what it says stays, stays. And what it says of files that are gone.
 *
 * Each test has directories of configuration of its own, so that nothing else is cleaned up.
 */

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "harness.h"
#include "monitor.h"
#include "process.h"
#include "record.h"
#include "text.h"

#define LIMIT_SEC (harness_is_sanitized() ? 60.0 : 20.0)
#define HOUR 3600
#define DAY (24 * HOUR)
#define CONFIG "/etc/tmpfiles.d/test.conf"

/* Hides the machine's own configuration; in this test's mount namespace. */
static void hide_configuration(void) {
        static const char *const directories[] = {"/etc/tmpfiles.d", "/run/tmpfiles.d",
                                                  "/usr/local/lib/tmpfiles.d",
                                                  "/usr/lib/tmpfiles.d"};

        if (access("/usr/bin/systemd-tmpfiles", X_OK) < 0 &&
            access("/bin/systemd-tmpfiles", X_OK) < 0)
                harness_skip("no systemd-tmpfiles here");
        for (size_t i = 0; i < sizeof(directories) / sizeof(directories[0]); i++)
                if (mount("tmpfs", directories[i], "tmpfs", 0, NULL) < 0)
                        harness_assert(errno == ENOENT, "%s: %m", directories[i]);
        if (access("/etc/tmpfiles.d", F_OK) < 0)
                harness_skip("no /etc/tmpfiles.d here");
}

/* Writes it with %s for the place to work in. */
__attribute__((format(printf, 1, 2))) static void configure(const char *format, ...) {
        FILE *f = fopen(CONFIG, "we");
        va_list arguments;

        harness_assert(f, CONFIG ": %m");
        va_start(arguments, format);
        vfprintf(f, format, arguments);
        va_end(arguments);
        fclose(f);
}

static void make_old(const char *path, time_t seconds) {
        struct timespec now, times[2];

        clock_gettime(CLOCK_REALTIME, &now);
        times[0] = times[1] = (struct timespec){now.tv_sec - seconds, now.tv_nsec};
        harness_assert(utimensat(AT_FDCWD, path, times, AT_SYMLINK_NOFOLLOW) == 0, "%s: %m", path);
}

static bool is_there(const char *path) {
        struct stat st;

        return lstat(path, &st) == 0;
}

static char *why_text(int expected_status, const char *const *args) {
        return monitor_why(expected_status, LIMIT_SEC, args);
}

/* The one object of the one path of `why --json ARGS`; the caller's. */
static json_object *why_json(int expected_status, const char *const *args) {
        const char *all[16] = {"--json"};
        _cleanup_free_ char *output = NULL;
        json_object *top, *paths, *one;

        for (size_t i = 0; args[i] && i < 14; i++)
                all[i + 1] = args[i];
        output = why_text(expected_status, all);
        top = json_tokener_parse(output);
        harness_assert(top, "no JSON: %s", output);
        paths = record_get(top, "paths");
        harness_assert(paths && json_object_array_length(paths) == 1, "not one path: %s", output);
        one = json_object_get(json_object_array_get_idx(paths, 0));
        json_object_put(top);
        return one;
}

/* tmpfiles[0].FIELD of an answer. */
static const char *system_string(json_object *answer, const char *field) {
        json_object *all = record_get(answer, "tmpfiles");

        harness_assert(all && json_object_array_length(all) > 0, "no configuration: %s",
                       json_object_to_json_string(answer));
        return record_string(json_object_array_get_idx(all, 0), field);
}

static void assert_string(json_object *answer, const char *field, const char *expected) {
        const char *value = system_string(answer, field);

        harness_assert(value ? expected && strcmp(value, expected) == 0 : !expected,
                       "%s is %s, not %s: %s", field, value ? value : "absent",
                       expected ? expected : "absent", json_object_to_json_string(answer));
}

/* RFC 3339 of an answer as seconds. */
static double seconds_of(const char *stamp) {
        struct tm tm = {0};
        const char *rest;

        harness_assert(stamp, "no time");
        rest = strptime(stamp, "%Y-%m-%dT%H:%M:%S", &tm);
        harness_assert(rest && *rest == '.', "%s", stamp);
        return (double)timegm(&tm) + strtod(rest, NULL);
}

static double realtime(void) {
        struct timespec now;

        clock_gettime(CLOCK_REALTIME, &now);
        return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void clean(void) {
        process_run(PROCESS_ARGS("systemd-tmpfiles", "--clean"));
}

/* --- one object whose keys are paths stands for a set of them --- */

static json_object *made; /* all that was made, to be looked for afterwards */

static char *remember(char *path) {
        json_object_object_add(made, path, NULL);
        return path;
}

/* A small generator of our own, so that a seed means the same everywhere. */
static unsigned long long state;

static unsigned next_random(unsigned n) {
        state = state * 6364136223846793005ULL + 1442695040888963407ULL;
        return (unsigned)(state >> 33) % n;
}

static const time_t ages[] = {0, HOUR / 2, 3 * HOUR, 2 * DAY, 20 * DAY};

static time_t any_age(void) {
        return ages[next_random(sizeof(ages) / sizeof(ages[0]))];
}

/* Files and directories of all kinds of ages. */
static void fill(const char *directory, unsigned depth) {
        static const char *const names[] = {"a",    "keep",       "keepself", "glob-1", "b c",
                                            "x\ny", "lost+found", ".hidden",  "plain",  "\xff"};

        for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
                char *path;

                if (next_random(3) == 0)
                        continue;
                path = remember(harness_format("%s/%s", directory, names[i]));
                if (depth > 0 && next_random(3) == 0) {
                        harness_mkdir(path);
                        fill(path, depth - 1);
                } else if (next_random(8) == 0) {
                        harness_assert(symlink("/nowhere", path) == 0, "%s: %m", path);
                } else if (next_random(8) == 0) {
                        harness_assert(mkfifo(path, 0600) == 0, "%s: %m", path);
                } else {
                        harness_touch(path);
                        if (next_random(8) == 0)
                                chmod(path, 01644);
                }
                make_old(path, any_age());
        }
}

static char *make_place(const char *name) {
        char *path = remember(harness_path("%s", name));

        harness_mkdir(path);
        return path;
}

/* A socket that somebody listens on, and one that nobody does. */
static int make_sockets(const char *directory) {
        char *live = remember(harness_format("%s/live", directory));
        char *dead = remember(harness_format("%s/dead", directory));
        int fds[2];

        for (int i = 0; i < 2; i++) {
                struct sockaddr_un a = {.sun_family = AF_UNIX};

                snprintf(a.sun_path, sizeof(a.sun_path), "%s", i ? dead : live);
                fds[i] = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
                harness_assert(bind(fds[i], (struct sockaddr *)&a, sizeof(a)) == 0, "bind: %m");
                harness_assert(listen(fds[i], 1) == 0, "listen: %m");
        }
        close(fds[1]);
        make_old(live, 20 * DAY);
        make_old(dead, 20 * DAY);
        return fds[0];
}

static json_object *paths_listed(json_object *answer) {
        json_object *entries = record_get(answer, "entries");
        json_object *set = json_object_new_object();

        harness_assert(entries, "no entries: %s", json_object_to_json_string(answer));
        for (size_t i = 0; i < json_object_array_length(entries); i++) {
                Bytes path =
                        record_bytes(json_object_array_get_idx(entries, i), "path", "path_raw");

                json_object_object_add(set, path.data, NULL);
                free(path.data);
        }
        return set;
}

START_TEST(what_goes_is_what_is_listed) {
        const char *w = harness_work();
        json_object *answer, *listed;
        size_t n_gone = 0, n_kept = 0;
        int lock_fd, socket_fd;
        char *locked, *mounted;

        hide_configuration();
        state = (unsigned long long)_i + 1;
        made = json_object_new_object();
        for (const char *const *name =
                     (const char *const[]){"plain", "short", "level", "zero", "glob-a", "glob-b",
                                           "infinite", "none", "removed", NULL};
             *name; name++) {
                char *path = make_place(*name);

                fill(path, 3);
                make_old(path, 20 * DAY);
        }
        locked = remember(harness_path("plain/locked"));
        harness_mkdir(locked);
        harness_touch(remember(harness_format("%s/f", locked)));
        make_old(harness_format("%s/f", locked), 20 * DAY);
        lock_fd = open(locked, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        harness_assert(flock(lock_fd, LOCK_EX) == 0, "flock: %m");
        socket_fd = make_sockets(harness_path("plain"));
        mounted = remember(harness_path("plain/mounted"));
        harness_mkdir(mounted);
        harness_assert(mount("tmpfs", mounted, "tmpfs", 0, NULL) == 0, "mount: %m");
        harness_touch(remember(harness_format("%s/f", mounted)));
        make_old(harness_format("%s/f", mounted), 20 * DAY);
        configure("d %1$s/plain - - - amAM:1d\n"
                  "x %1$s/plain/keep\n"
                  "X %1$s/plain/keepself\n"
                  "x %1$s/*/glob-*\n"
                  "d %1$s/plain/a - - - amAM:1h\n"
                  "q %1$s/short - - - mM:1h\n"
                  "d %1$s/level - - - ~amAM:1h\n"
                  "D %1$s/zero - - - 0\n"
                  "e %1$s/glob-[ab] - - - aA:10d\n"
                  "d %1$s/infinite - - - infinity\n"
                  "d %1$s/none\n"
                  "R! %1$s/removed\n",
                  w);

        answer = why_json(0, MONITOR_ARGS("--all", "--limit=100000", w));
        listed = paths_listed(answer);
        clean();
        json_object_object_foreach(made, path, nothing) {
                bool is_gone = !is_there(path);
                bool is_listed = json_object_object_get_ex(listed, path, NULL);

                (void)nothing;
                n_gone += is_gone;
                n_kept += !is_gone;
                harness_assert(is_gone == is_listed, "%s is %s, and is %slisted", path,
                               is_gone ? "gone" : "there", is_listed ? "" : "not ");
        }
        harness_note("%zu went, %zu stayed", n_gone, n_kept);
        harness_assert(n_gone >= 50 && n_kept >= 50, "%zu went, %zu stayed", n_gone, n_kept);
        harness_assert(record_number(answer, "n_going") == (int64_t)n_gone, "n_going is %lld",
                       (long long)record_number(answer, "n_going"));
        close(lock_fd);
        close(socket_fd);
}
END_TEST

/* A whole life: too young, then at the very moment that was foretold, old enough. */
START_TEST(the_moment) {
        _cleanup_free_ char *place = harness_path("t"), *file = harness_path("t/f");
        json_object *answer;
        struct stat st;
        double due, born;

        hide_configuration();
        configure("# a comment\n\nd %s/t - - - 4s\n", harness_work());
        harness_mkdir(place);
        harness_touch(file);
        harness_assert(stat(file, &st) == 0, "%s: %m", file);
        born = (double)st.st_ctim.tv_sec + (double)st.st_ctim.tv_nsec / 1e9;

        answer = why_json(0, MONITOR_ARGS(file));
        assert_string(answer, "clean.verdict", "waits");
        assert_string(answer, "clean.source", CONFIG ":3");
        due = seconds_of(system_string(answer, "clean.due"));
        harness_assert(due >= born + 4 && due < born + 4.01, "due %.3f behind birth", due - born);
        json_object_put(answer);
        if (realtime() < due - 0.5) {
                clean();
                harness_assert(is_there(file), "it went before its time");
        }
        while (realtime() <= due)
                usleep(10000);
        answer = why_json(0, MONITOR_ARGS(file));
        assert_string(answer, "clean.verdict", "goes");
        clean();
        harness_assert(!is_there(file), "it is still there");
        json_object_put(answer);
}
END_TEST

/* Which of its times keeps a file. */
START_TEST(the_newest_time) {
        _cleanup_free_ char *place = harness_path("t"), *file = harness_path("t/f"), *text;
        json_object *answer;

        hide_configuration();
        configure("d %s/t - - - 10d\n", harness_work());
        harness_mkdir(place);
        harness_touch(file);
        make_old(file, 20 * DAY);
        text = why_text(0, MONITOR_ARGS(file));
        harness_assert(strstr(text, "kept by its") && strstr(text, "change") &&
                               strstr(text, "not older than 10 days"),
                       "%s", text);
        text_assert_harmless(text, strlen(text));
        configure("d %s/t - - - am:10d\n", harness_work());
        answer = why_json(0, MONITOR_ARGS(file));
        assert_string(answer, "clean.verdict", "goes");
        json_object_put(answer);
        clean();
        harness_assert(!is_there(file), "it is still there");
}
END_TEST

START_TEST(protected_by_a_line) {
        _cleanup_free_ char *place = harness_path("t"), *file = harness_path("t/f"),
                            *own = harness_path("t/own"), *text = NULL;
        json_object *answer;

        hide_configuration();
        configure("d %1$s/t - - - 0\nx %1$s/t/f\nx %1$s/t/own\n", harness_work());
        harness_mkdir(place);
        harness_mkdir(own);
        harness_touch(file);
        answer = why_json(0, MONITOR_ARGS(file));
        assert_string(answer, "clean.verdict", "stays");
        assert_string(answer, "boot.verdict", NULL);
        text = why_text(0, MONITOR_ARGS(file));
        harness_assert(strstr(text, CONFIG ":2: x "), "%s", text);
        clean();
        harness_assert(is_there(file), "it went");
        json_object_put(answer);
}
END_TEST

/* What is only done at boot, by the boot's own systemd-tmpfiles. */
START_TEST(at_the_next_boot) {
        _cleanup_free_ char *place = harness_path("t"), *file = harness_path("t/f"),
                            *other = harness_path("other"), *text = NULL;
        json_object *answer;

        hide_configuration();
        configure("D! %1$s/t\nR! %1$s/other\n", harness_work());
        harness_mkdir(place);
        harness_touch(file);
        harness_touch(other);
        answer = why_json(0, MONITOR_ARGS(file));
        assert_string(answer, "clean.verdict", "uncovered");
        assert_string(answer, "boot.verdict", "goes");
        assert_string(answer, "boot.source", CONFIG ":1");
        json_object_put(answer);
        text = why_text(0, MONITOR_ARGS(other));
        harness_assert(strstr(text, "removed at the next boot: " CONFIG ":2"), "%s", text);
        clean();
        harness_assert(is_there(file) && is_there(other), "it went without a boot");
        process_run(PROCESS_ARGS("systemd-tmpfiles", "--create", "--remove", "--boot",
                                 "--exclude-prefix=/dev"));
        harness_assert(!is_there(file) && !is_there(other), "it is still there");
}
END_TEST

/* It is the link that goes, and a slash behind it means what it points to. */
START_TEST(a_symlink) {
        _cleanup_free_ char *place = harness_path("t"), *link = harness_path("t/link"),
                            *behind = harness_path("t/link/"), *target = harness_path("target");
        json_object *answer;

        hide_configuration();
        configure("d %s/t - - - amAM:1d\n", harness_work());
        harness_mkdir(place);
        harness_mkdir(target);
        harness_assert(symlink(target, link) == 0, "symlink: %m");
        make_old(link, 2 * DAY);
        answer = why_json(0, MONITOR_ARGS(link));
        harness_assert(strcmp(record_string(answer, "type"), "symlink") == 0, "%s",
                       json_object_to_json_string(answer));
        assert_string(answer, "clean.verdict", "goes");
        json_object_put(answer);
        /* Asking has not made it any younger. */
        clean();
        harness_assert(!is_there(link) && is_there(target), "the wrong one went");
        harness_assert(symlink(target, link) == 0, "symlink: %m");
        /* Nothing but the tmpfs that it lies on. */
        answer = why_json(0, MONITOR_ARGS(behind));
        harness_assert(strcmp(record_string(answer, "path"), target) == 0, "%s",
                       json_object_to_json_string(answer));
        assert_string(answer, "clean.verdict", "uncovered");
        harness_assert(strcmp(record_string(answer, "place.kind"), "memory") == 0, "%s",
                       json_object_to_json_string(answer));
        json_object_put(answer);
}
END_TEST

/* The soonest of many, and no more memory than those take. */
START_TEST(the_soonest) {
        _cleanup_free_ char *place = harness_path("t");
        const size_t n = harness_scale(2000, 200);
        json_object *answer, *entries;

        hide_configuration();
        configure("d %s/t - - - m:1h\n", harness_work());
        harness_mkdir(place);
        for (size_t i = 0; i < n; i++) {
                _cleanup_free_ char *file = harness_format("%s/%zu", place, i);

                harness_touch(file);
                /* The order of names is not that of times. */
                make_old(file, (time_t)(i * 7919 % n) * 10);
        }
        answer = why_json(0, MONITOR_ARGS("--all", "--limit=10", harness_work()));
        entries = record_get(answer, "entries");
        harness_assert(json_object_array_length(entries) == 10, "%zu entries",
                       json_object_array_length(entries));
        for (size_t i = 0; i < 10; i++) {
                json_object *entry = json_object_array_get_idx(entries, i);
                unsigned long long number =
                        strtoull(strrchr(record_string(entry, "path"), '/') + 1, NULL, 10);

                harness_assert(number * 7919 % n == n - 1 - i, "%s", record_string(entry, "path"));
        }
        json_object_put(answer);
        /* Nothing is old enough within a second, and all of it within an hour and a bit. */
        answer = why_json(0, MONITOR_ARGS("--all", "--in=2h", "--limit=100000", harness_work()));
        harness_assert(record_number(answer, "n_going") == (int64_t)n, "%s",
                       json_object_to_json_string(answer));
        json_object_put(answer);
}
END_TEST

/* --- the timer, as a service manager of ours tells of it --- */

typedef struct Timer {
        const char *load, *active;
        double next_realtime, next_monotonic; /* seconds from now; 0 none */
        double period;
        const char *calendar;
} Timer;

static double monotonic(void) {
        struct timespec now;

        clock_gettime(CLOCK_MONOTONIC, &now);
        return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static char *usec(double seconds) {
        return harness_format("%.0f", seconds * 1e6);
}

/* Puts it where the system's bus would be. */
static pid_t start_manager(const Timer *t) {
        const char *worker = harness_worker();
        char *program =
                harness_format("%.*s/timer_manager", (int)(strrchr(worker, '/') - worker), worker);
        double end = harness_now() + LIMIT_SEC;
        pid_t pid;

        harness_assert(mount("tmpfs", "/run", "tmpfs", 0, NULL) == 0, "/run: %m");
        harness_mkdir("/run/dbus");
        pid = process_spawn(
                PROCESS_ARGS(program, "/run/dbus/system_bus_socket", t->load, t->active,
                             t->next_realtime > 0 ? usec(realtime() + t->next_realtime) : "0",
                             t->next_monotonic > 0 ? usec(monotonic() + t->next_monotonic) : "0",
                             usec(t->period), t->calendar));
        while (!is_there("/run/dbus/system_bus_socket")) {
                harness_assert(harness_now() < end, "no service manager");
                usleep(10000);
        }
        return pid;
}

/* A file that is old enough in so many seconds. */
static char *make_young(double seconds) {
        char *file = harness_path("t/f");

        configure("d %s/t - - - m:10d\n", harness_work());
        harness_mkdir(harness_path("t"));
        harness_touch(file);
        make_old(file, (time_t)(10 * DAY - seconds));
        return file;
}

/* Fails the test unless the run that was foretold is so many seconds from now. */
static void assert_run(json_object *answer, const char *certainty, double seconds) {
        double run = seconds_of(system_string(answer, "clean.run")) - realtime();

        assert_string(answer, "clean.run_is", certainty);
        assert_string(answer, "clean.triggered_by", "systemd-tmpfiles-clean.timer");
        harness_assert(run > seconds - LIMIT_SEC && run < seconds + LIMIT_SEC,
                       "a run in %.1f s, not in %.1f: %s", run, seconds,
                       json_object_to_json_string(answer));
}

START_TEST(the_next_run) {
        const Timer t = {.load = "loaded",
                         .active = "active",
                         .next_monotonic = 6 * HOUR,
                         .period = DAY,
                         .calendar = ""};
        char *file, *text;
        json_object *answer;

        hide_configuration();
        start_manager(&t);
        /* It is old enough by then. */
        file = make_young(5 * HOUR);
        answer = why_json(0, MONITOR_ARGS(file));
        assert_run(answer, "planned", 6 * HOUR);
        text = why_text(0, MONITOR_ARGS(file));
        harness_assert(strstr(text, "will be removed ") && strstr(text, "or up to 1min later"),
                       "%s", text);
        json_object_put(answer);
        answer = why_json(0, MONITOR_ARGS("--all", harness_work()));
        harness_assert(record_number(answer, "n_going") == 1, "%s",
                       json_object_to_json_string(answer));
        json_object_put(answer);
        /* It is not: the one after that, and the one after a week. */
        make_old(file, 10 * DAY - 7 * HOUR);
        answer = why_json(0, MONITOR_ARGS(file));
        assert_run(answer, "computed", 6 * HOUR + DAY);
        json_object_put(answer);
        answer = why_json(1, MONITOR_ARGS("--all", harness_work()));
        harness_assert(record_number(answer, "n_later") == 1, "%s",
                       json_object_to_json_string(answer));
        json_object_put(answer);
        answer = why_json(0, MONITOR_ARGS("--all", "--in=2d", harness_work()));
        harness_assert(record_number(answer, "n_going") == 1, "%s",
                       json_object_to_json_string(answer));
        json_object_put(answer);
        make_old(file, 3 * DAY);
        answer = why_json(0, MONITOR_ARGS(file));
        assert_run(answer, "computed", 6 * HOUR + 7 * DAY);
        json_object_put(answer);
}
END_TEST

START_TEST(a_run_by_calendar) {
        time_t now = time(NULL);
        const Timer t = {.load = "loaded",
                         .active = "active",
                         .next_realtime = (double)(DAY - now % DAY),
                         .calendar = "daily UTC"};
        json_object *answer;
        char *file;

        hide_configuration();
        start_manager(&t);
        file = make_young((double)(3 * DAY + HOUR) - (double)(now % DAY));
        answer = why_json(0, MONITOR_ARGS(file));
        if (process_find_program("systemd-analyze"))
                assert_run(answer, "computed", (double)(4 * DAY - now % DAY));
        json_object_put(answer);
}
END_TEST

START_TEST(no_run) {
        static const Timer timers[] = {
                {.load = "not-found", .active = "inactive", .calendar = ""},
                {.load = "loaded", .active = "inactive", .next_monotonic = HOUR, .calendar = ""},
                {.load = "loaded", .active = "active", .calendar = ""},
                {.load = NULL},
        };
        static const char *const words[] = {
                "not known when it runs: there is no such unit",
                "it is not active, so nothing is cleaned by itself",
                "no run is planned",
                "not known when it runs: there is no service manager to ask",
        };
        _cleanup_free_ char *text = NULL;
        json_object *answer;
        char *file;

        hide_configuration();
        if (timers[_i].load)
                start_manager(&timers[_i]);
        else
                harness_assert(mount("tmpfs", "/run", "tmpfs", 0, NULL) == 0, "/run: %m");
        file = make_young(HOUR);
        text = why_text(0, MONITOR_ARGS(file));
        harness_assert(strstr(text, words[_i]) && strstr(text, "will be old enough "), "%s", text);
        answer = why_json(0, MONITOR_ARGS(file));
        assert_string(answer, "clean.run", NULL);
        json_object_put(answer);
}
END_TEST

static void make_and_remove(void *userdata) {
        /* Thousands come, then they go again. */
        for (unsigned i = 0;; i++) {
                _cleanup_free_ char *file =
                        harness_format("%s/%u", (const char *)userdata, i % 5000);

                if (i / 5000 % 2 == 0)
                        close(open(file, O_WRONLY | O_CREAT | O_CLOEXEC, 0644));
                else
                        (void)unlink(file);
        }
}

/* What goes by itself while it is looked at is not old. */
START_TEST(while_others_work) {
        char *place = harness_path("t");
        pid_t pid;

        hide_configuration();
        configure("d %s/t - - - 10d\n", harness_work());
        harness_mkdir(place);
        pid = process_fork(make_and_remove, place);
        for (int i = 0; i < 20; i++) {
                json_object *answer = why_json(1, MONITOR_ARGS("--all", harness_work()));

                harness_assert(record_number(answer, "n_going") == 0, "%s",
                               json_object_to_json_string(answer));
                json_object_put(answer);
        }
        kill(pid, SIGKILL);
        (void)process_wait(pid, LIMIT_SEC);
}
END_TEST

static void become_nobody(const char *program, const char *path, int *ret_status, char **ret) {
        char *output_path = harness_path("nobody"), *copy = harness_path("program");
        int fd = open(output_path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
        pid_t pid;

        process_run(PROCESS_ARGS("cp", program, copy));
        pid = fork();
        if (pid == 0) {
                prctl(PR_SET_PDEATHSIG, SIGKILL);
                dup2(fd, STDOUT_FILENO);
                dup2(fd, STDERR_FILENO);
                if (setgid(65534) == 0 && setuid(65534) == 0)
                        execl(copy, "whodunlink", "why", path, NULL);
                _exit(126);
        }
        close(fd);
        *ret_status = process_wait(pid, LIMIT_SEC);
        *ret = harness_read_file(output_path, NULL);
}

/* No stack of errors, but one that says what to do. */
START_TEST(not_permitted) {
        _cleanup_free_ char *place = harness_path("closed"), *file = harness_path("closed/f"),
                            *output = NULL;
        int status;

        hide_configuration();
        configure("d %s/closed - - - 10d\n", harness_work());
        harness_mkdir(place);
        harness_touch(file);
        harness_assert(chmod(place, 0700) == 0 && chmod(harness_work(), 0755) == 0, "chmod: %m");
        become_nobody(harness_program(), file, &status, &output);
        harness_assert(status == 3, "exit status %d: %s", status, output);
        harness_assert(strstr(output, "Permission denied; run it as root"), "%s", output);
}
END_TEST

START_TEST(a_log) {
        _cleanup_free_ char *log = harness_path("x.log"), *other = harness_path("x.txt");
        json_object *answer;
        FILE *f;

        hide_configuration();
        if (access("/etc/logrotate.conf", R_OK) < 0 ||
            mount("tmpfs", "/etc/logrotate.d", "tmpfs", 0, NULL) < 0)
                harness_skip("no logrotate here");
        f = fopen("/etc/logrotate.d/test", "we");
        harness_assert(f, "/etc/logrotate.d/test: %m");
        fprintf(f, "# a comment\n%s/*.log {\n  rotate 3\n  daily\n}\n", harness_work());
        fclose(f);
        harness_touch(log);
        harness_touch(other);
        answer = why_json(0, MONITOR_ARGS(log));
        harness_assert(record_get(answer, "logrotate.source") &&
                               strcmp(record_string(answer, "logrotate.source"),
                                      "/etc/logrotate.d/test:2") == 0,
                       "%s", json_object_to_json_string(answer));
        json_object_put(answer);
        answer = why_json(0, MONITOR_ARGS(other));
        harness_assert(!record_get(answer, "logrotate"), "%s", json_object_to_json_string(answer));
        json_object_put(answer);
}
END_TEST

/* A user's own configuration, which only --user looks at. */
START_TEST(of_a_user) {
        _cleanup_free_ char *place = harness_path("t"), *file = harness_path("t/f"), *text = NULL;
        json_object *answer, *all;
        FILE *f;

        hide_configuration();
        harness_mkdir(place);
        harness_touch(file);
        make_old(file, 2 * DAY);
        if (access("/usr/share/user-tmpfiles.d", F_OK) < 0) {
                harness_assert(mount("tmpfs", "/usr/local", "tmpfs", 0, NULL) == 0, "mount: %m");
                harness_mkdir("/usr/local/share");
                harness_mkdir("/usr/local/share/user-tmpfiles.d");
        } else {
                harness_assert(mount("tmpfs", "/usr/share/user-tmpfiles.d", "tmpfs", 0, NULL) == 0,
                               "mount: %m");
        }
        f = fopen(access("/usr/share/user-tmpfiles.d", F_OK) < 0
                          ? "/usr/local/share/user-tmpfiles.d/test.conf"
                          : "/usr/share/user-tmpfiles.d/test.conf",
                  "we");
        harness_assert(f, "test.conf: %m");
        fprintf(f, "d %s - - - m:1d\n", place);
        fclose(f);
        answer = why_json(0, MONITOR_ARGS(file));
        assert_string(answer, "clean.verdict", "uncovered");
        json_object_put(answer);
        answer = why_json(0, MONITOR_ARGS("--user=0", file));
        all = record_get(answer, "tmpfiles");
        harness_assert(
                json_object_array_length(all) == 2 &&
                        strcmp(record_string(json_object_array_get_idx(all, 1), "clean.verdict"),
                               "goes") == 0,
                "%s", json_object_to_json_string(answer));
        json_object_put(answer);
        text = why_text(0, MONITOR_ARGS("--user=0", file));
        harness_assert(strstr(text, "in the user's configuration: older than 1 day"), "%s", text);
        process_run(PROCESS_ARGS("env", "XDG_CONFIG_DIRS=/nowhere", "systemd-tmpfiles", "--user",
                                 "--clean"));
        harness_assert(!is_there(file), "it is still there");
}
END_TEST

/* A line that was to keep something, mistyped. */
START_TEST(an_ignored_line) {
        _cleanup_free_ char *file = harness_path("f"), *errors = NULL;
        Monitor m;

        hide_configuration();
        configure("d %s - - - 10d\nxx %s\ny /x\n", harness_work(), file);
        harness_touch(file);
        m = monitor_spawn(MONITOR_ARGS("why", file));
        harness_assert(monitor_wait(&m, LIMIT_SEC) == 0, "not 0");
        errors = monitor_errors(&m);
        harness_assert(strstr(errors, CONFIG ":2 is ignored by systemd-tmpfiles, as 1 other"), "%s",
                       errors);
}
END_TEST

/* Without systemd-tmpfiles nothing is made up. */
START_TEST(no_tmpfiles) {
        _cleanup_free_ char *file = harness_path("f"), *text = NULL, *errors = NULL;
        Monitor m;

        harness_touch(file);
        setenv("PATH", "/nowhere", 1);
        text = why_text(0, MONITOR_ARGS(file));
        harness_assert(strstr(text, "unknown    cannot run systemd-tmpfiles") &&
                               strstr(text, "in memory"),
                       "%s", text);
        m = monitor_spawn(MONITOR_ARGS("why", "--all", harness_work()));
        harness_assert(monitor_wait(&m, LIMIT_SEC) == 3, "not 3");
        errors = monitor_errors(&m);
        harness_assert(strstr(errors, ": cannot run systemd-tmpfiles"), "%s", errors);
}
END_TEST

/* Of what was recorded, the same that the watch itself would have said. */
START_TEST(it_was_recorded) {
        _cleanup_free_ char *file = harness_path("f"), *other = harness_path("g"), *text = NULL,
                            *option = NULL;
        json_object *answer, *records;
        Monitor m;

        hide_configuration();
        harness_touch(file);
        m = monitor_start(MONITOR_ARGS(harness_work()));
        process_run(PROCESS_ARGS("rm", file));
        monitor_stop(&m);
        option = harness_format("--file=%s", m.output_path);

        text = why_text(0, MONITOR_ARGS(option, file));
        harness_assert(strstr(text, ": is gone\n") && strstr(text, "unlink  ") &&
                               strstr(text, "$ rm "),
                       "%s", text);
        answer = why_json(0, MONITOR_ARGS(option, file));
        records = record_get(answer, "records");
        harness_assert(json_object_array_length(records) == 1 &&
                               strcmp(record_string(json_object_array_get_idx(records, 0),
                                                    "record.process.name"),
                                      "rm") == 0,
                       "%s", json_object_to_json_string(answer));
        json_object_put(answer);
        /* There, and known to have been removed before. */
        harness_touch(file);
        free(text);
        text = why_text(0, MONITOR_ARGS(option, file));
        harness_assert(strstr(text, "$ rm ") && strstr(text, "in memory"), "%s", text);
        free(text);
        text = why_text(1, MONITOR_ARGS(option, other));
        harness_assert(strstr(text, "nothing is known of its end") && strstr(text, m.output_path),
                       "%s", text);
}
END_TEST

/* Whatever is in the file, the answer is about the file, and the terminal is left alone. */
START_TEST(strange_records) {
        _cleanup_free_ char *path = harness_path("records"), *file = harness_path("f"),
                            *option = harness_format("--file=%s", path), *text = NULL;
        FILE *f = fopen(path, "we");

        hide_configuration();
        harness_assert(f, "%s: %m", path);
        fprintf(f,
                "not JSON\n\n{\"@timestamp\":\"2026-01-01T00:00:00Z\",\"event\":{\"action\":"
                "\"unlink\"},\"file\":{\"path\":\"%s\"},\"process\":{\"pid\":1,\"name\":"
                "\"\\u001b[31m\\u202e\"},\"whodunlink\":{\"attribution\":\"live\"}}\n{\"a\":",
                file);
        fclose(f);
        text = why_text(0, MONITOR_ARGS(option, file));
        text_assert_harmless(text, strlen(text));
        harness_assert(strstr(text, "unlink  "), "%s", text);
        free(text);
        text = why_text(3, MONITOR_ARGS("--file=/nowhere/x", file));
        harness_assert(strstr(text, "/nowhere/x, in vain: No such file"), "%s", text);
}
END_TEST

static void add(TCase *t) {
        tcase_add_loop_test(t, what_goes_is_what_is_listed, 0, 4);
        tcase_add_test(t, the_moment);
        tcase_add_test(t, the_newest_time);
        tcase_add_test(t, protected_by_a_line);
        tcase_add_test(t, at_the_next_boot);
        tcase_add_test(t, a_symlink);
        tcase_add_test(t, the_soonest);
        tcase_add_test(t, the_next_run);
        tcase_add_test(t, a_run_by_calendar);
        tcase_add_loop_test(t, no_run, 0, 4);
        tcase_add_test(t, while_others_work);
        tcase_add_test(t, not_permitted);
        tcase_add_test(t, a_log);
        tcase_add_test(t, of_a_user);
        tcase_add_test(t, an_ignored_line);
        tcase_add_test(t, no_tmpfiles);
        tcase_add_test(t, it_was_recorded);
        tcase_add_test(t, strange_records);
}

int main(void) {
        return harness_main("why", add);
}
