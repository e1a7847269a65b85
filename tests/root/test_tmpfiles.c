/* SPDX-License-Identifier: MIT */

/*
 * Our choice among lines of tmpfiles.d against systemd-tmpfiles itself.
 *
 * Each situation in the folder tmpfiles is set up in a mount namespace of its own; the choice is
 * asked about every object, the real systemd-tmpfiles of this machine runs, and what the choice
 * said goes must be gone, what it said stays must be there.  Where the tool's debug log names a
 * reason for keeping an object, it must be the choice's, too.  The expectation written beside each
 * object keeps both from agreeing on nothing.
 */

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pwd.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "explain/tmpfiles_cause.h"
#include "explain/tmpfiles_command.h"
#include "explain/tmpfiles_live.h"
#include "explain/tmpfiles_source.h"
#include "harness.h"
#include "process.h"
#include "situation.h"

#define FILES_MAX 32

static char *files[FILES_MAX];
static int n_files;

static const char *const reasons[] = {
        [TMPFILES_REASON_NONE] = "uncovered",    [TMPFILES_REASON_AGE] = "age",
        [TMPFILES_REASON_REMOVE] = "remove",     [TMPFILES_REASON_PURGE] = "purge",
        [TMPFILES_REASON_REPLACE] = "replace",   [TMPFILES_REASON_TIME] = "time",
        [TMPFILES_REASON_CONTENTS] = "contents", [TMPFILES_REASON_LINE] = "line",
        [TMPFILES_REASON_SELF] = "self",         [TMPFILES_REASON_FIRST_LEVEL] = "first-level",
        [TMPFILES_REASON_INFINITY] = "infinity", [TMPFILES_REASON_MOUNT] = "mount",
        [TMPFILES_REASON_STICKY] = "sticky",     [TMPFILES_REASON_LOCK] = "lock",
        [TMPFILES_REASON_SOCKET] = "socket",     [TMPFILES_REASON_DEVICE] = "device",
        [TMPFILES_REASON_RESERVED] = "reserved", [TMPFILES_REASON_DEPTH] = "depth",
        [TMPFILES_REASON_SYMLINK] = "symlink",
};

/* What systemd-tmpfiles logs about a path in quotes, and what the choice calls it. */
static const struct {
        const char *text;
        TmpfilesReason reason;
        unsigned time;
} logged[] = {
        {": a separate entry exists.", TMPFILES_REASON_LINE, 0},
        {": a separate glob exists.", TMPFILES_REASON_LINE, 0},
        {": different mount points.", TMPFILES_REASON_MOUNT, 0},
        {": different filesystem.", TMPFILES_REASON_MOUNT, 0},
        {": sticky bit set.", TMPFILES_REASON_STICKY, 0},
        {": live socket.", TMPFILES_REASON_SOCKET, 0},
        {": a device.", TMPFILES_REASON_DEVICE, 0},
        {": modify time ", TMPFILES_REASON_TIME, TMPFILES_MTIME},
        {": access time ", TMPFILES_REASON_TIME, TMPFILES_ATIME},
        {": change time ", TMPFILES_REASON_TIME, TMPFILES_CTIME},
        {": birth time ", TMPFILES_REASON_TIME, TMPFILES_BTIME},
};

/* One situation that is played. */
typedef struct Play {
        const Situation *s;
        TmpfilesConfig config;
        TmpfilesCommand command;
        TmpfilesRequest request;
        TmpfilesRules *rules;
        TmpfilesLive *live;
        unsigned version;
        uint64_t now_nsec;
        TmpfilesChoice choices[SITUATION_OBJECTS_MAX];
        char *log;
        unsigned n_wrong;
} Play;

#define wrong(p, o, ...)                                                                           \
        do {                                                                                       \
                harness_note("%s:%u [%s] %s: %s", (p)->s->file, (o)->line, (p)->s->name,           \
                             (o)->path, harness_format(__VA_ARGS__));                              \
                (p)->n_wrong++;                                                                    \
        } while (0)

static void ask(Play *p) {
        TmpfilesScope scope = {0};
        char *error = NULL;
        TmpfilesTree tree;
        int r;

        tmpfiles_command_parse((const char *const *)p->s->args, &p->command);
        harness_assert(p->command.is_known, "[%s]: the command is not understood", p->s->name);
        scope.is_user = p->command.is_user;
        scope.is_graceful = p->command.is_graceful;
        scope.root = p->command.root;
        scope.files = p->command.files;
        r = tmpfiles_source_load(&scope, &p->config, &p->version, &error);
        harness_assert(r == 0, "[%s]: %s", p->s->name, error ? error : strerror(-r));
        p->request = tmpfiles_command_request(&p->command, p->version);
        harness_assert(tmpfiles_rules_new(&p->config, &p->request, &p->rules) == 0, "no memory");
        harness_assert(tmpfiles_live_new(&p->live) == 0, "no memory");
        tree = tmpfiles_live_tree(p->live);
        p->now_nsec = clock_now_nsec(CLOCK_REALTIME);
        for (size_t i = 0; i < p->s->n_objects; i++)
                harness_assert(tmpfiles_choose(p->rules, p->s->objects[i].path, p->now_nsec, &tree,
                                               &p->choices[i]) == 0,
                               "no memory");
}

static void run_tool(Play *p) {
        int fd = memfd_create("log", 0);
        pid_t pid;
        char *const *args = p->s->args;

        harness_assert(fd >= 0, "memfd: %m");
        pid = fork();
        harness_assert(pid >= 0, "fork: %m");
        if (pid == 0) {
                setenv("SYSTEMD_LOG_LEVEL", "debug", 1);
                setenv("SYSTEMD_LOG_TARGET", "console", 1);
                setenv("SYSTEMD_COLORS", "0", 1);
                if (dup2(fd, STDERR_FILENO) < 0 || dup2(fd, STDOUT_FILENO) < 0)
                        _exit(126);
                execvp(args[0], args);
                _exit(127);
        }
        harness_assert(process_wait(pid, 30) < 120, "[%s]: the tool did not run", p->s->name);
        harness_assert(lseek(fd, 0, SEEK_SET) == 0, "lseek: %m");
        p->log = harness_read_file(harness_format("/proc/self/fd/%d", fd), NULL);
        close(fd);
}

static bool is_gone(const char *path) {
        struct stat st;

        return lstat(path, &st) < 0 && (errno == ENOENT || errno == ENOTDIR);
}

/* The reason that the log gives for a path; TMPFILES_REASON_NONE for none. */
static TmpfilesReason find_logged(const Play *p, const char *path, unsigned *ret_time) {
        _cleanup_free_ char *quoted = harness_format("\"%s\"", path);
        size_t n = strlen(quoted);

        for (const char *s = strstr(p->log, quoted); s; s = strstr(s + 1, quoted))
                for (size_t i = 0; i < sizeof(logged) / sizeof(logged[0]); i++)
                        if (strncmp(s + n, logged[i].text, strlen(logged[i].text)) == 0) {
                                *ret_time = logged[i].time;
                                return logged[i].reason;
                        }
        return TMPFILES_REASON_NONE;
}

static const char *rule_name(const TmpfilesRule *rule) {
        const char *base;

        if (!rule)
                return "nothing";
        base = strrchr(rule->file, '/');
        return harness_format("%s:%u", base ? base + 1 : rule->file, rule->number);
}

static void check_reason(Play *p, const SituationObject *o, const TmpfilesChoice *c) {
        unsigned time = 0;
        TmpfilesReason reason = find_logged(p, o->path, &time);

        if (reason == TMPFILES_REASON_NONE || c->verdict == TMPFILES_GOES || c->at)
                return;
        /* A line that has a path to itself, and acts there: both are so. */
        if (reason == TMPFILES_REASON_LINE && c->reason == TMPFILES_REASON_SELF)
                return;
        if (reason != c->reason)
                wrong(p, o, "kept because of '%s', says the log; the choice says '%s'",
                      reasons[reason], reasons[c->reason]);
        else if (reason == TMPFILES_REASON_TIME && !(c->times_new & time))
                wrong(p, o, "its times %x are new, says the choice; the log: %x", c->times_new,
                      time);
}

static void check_object(Play *p, const SituationObject *o, const TmpfilesChoice *c) {
        const TmpfilesRule *rule = c->reason == TMPFILES_REASON_LINE ? c->protector : c->rule;
        bool goes = c->verdict == TMPFILES_GOES, is_really = is_gone(o->path);

        if (goes != is_really)
                wrong(p, o, "%s, says the choice (%s, %s%s%s); in truth it %s",
                      goes ? "goes" : "stays", reasons[c->reason], rule_name(rule),
                      c->at ? ", at " : "", c->at ? c->at : "", is_really ? "is gone" : "stayed");
        if (is_really != o->goes)
                wrong(p, o, "written down as '%c', but it %s", o->goes ? '-' : '+',
                      is_really ? "is gone" : "stayed");
        check_reason(p, o, c);
        if (o->by && strcmp(o->by, rule_name(rule)) != 0)
                wrong(p, o, "by %s, says the choice; written down: %s", rule_name(rule), o->by);
        if (o->why && strcmp(o->why, reasons[c->reason]) != 0)
                wrong(p, o, "because of '%s', says the choice; written down: '%s'",
                      reasons[c->reason], o->why);
}

/* Afterwards, when only names are left, the same line must be found. */
static void check_causes(Play *p) {
        TmpfilesCauses *causes;

        harness_assert(tmpfiles_causes_new(&causes) == 0, "no memory");
        for (size_t i = 0; i < p->s->n_objects; i++) {
                const SituationObject *o = &p->s->objects[i];
                const TmpfilesRule *rule = p->choices[i].rule;
                const TmpfilesDeletion d = {
                        .path = o->path,
                        .is_directory = o->kind == 'd',
                        .executable = "/usr/bin/systemd-tmpfiles",
                        .args = (const char *const *)p->s->args,
                };
                _cleanup_cause_ Cause cause = {0};

                if (!is_gone(o->path) || !rule || p->choices[i].verdict != TMPFILES_GOES)
                        continue;
                harness_assert(tmpfiles_cause(causes, &d, &cause) == 1, "no cause");
                if (!cause.rule || strcmp(cause.rule, rule->text) != 0 ||
                    strcmp(cause.source, harness_format("%s:%u", rule->file, rule->number)) != 0)
                        wrong(p, o, "removed by %s '%s'; the cause says %s '%s' (%s)",
                              rule_name(rule), rule->text, cause.source ? cause.source : "-",
                              cause.rule ? cause.rule : "-", cause.explanation);
        }
        tmpfiles_causes_free(causes);
}

/* In a process of its own. Return: how many things were wrong. */
static unsigned play(const Situation *s, const char *below) {
        Play p = {.s = s};

        harness_assert(unshare(CLONE_NEWNS) == 0, "unshare: %m");
        situation_enter(s, below);
        ask(&p);
        run_tool(&p);
        for (size_t i = 0; i < s->n_objects; i++)
                check_object(&p, &s->objects[i], &p.choices[i]);
        check_causes(&p);
        if (p.n_wrong > 0 && getenv("WHODUNLINK_TMPFILES_LOG"))
                harness_note("log of [%s]:\n%s", s->name, p.log);
        return p.n_wrong;
}

static unsigned play_apart(const Situation *s, const char *below) {
        pid_t pid = fork();
        int r;

        harness_assert(pid >= 0, "fork: %m");
        if (pid == 0) {
                unsigned n = play(s, below);

                _exit(n > 100 ? 100 : (int)n);
        }
        r = process_wait(pid, 60);
        harness_assert(r <= 100, "[%s]: ended with %d", s->name, r);
        return (unsigned)r;
}

/* systemd-tmpfiles --version. */
static unsigned tool_version(void) {
        FILE *f = popen("systemd-tmpfiles --version 2>/dev/null", "r");
        unsigned version = 0;

        harness_assert(f, "popen: %m");
        if (fscanf(f, "systemd %u", &version) != 1)
                version = 0;
        pclose(f);
        if (version == 0)
                harness_skip("no systemd-tmpfiles here");
        return version;
}

START_TEST(situations) {
        unsigned version = tool_version(), n_wrong = 0, n_objects = 0, wait;
        Situation *list;
        size_t n = situation_read(files[_i], version, &list, &wait);

        for (size_t i = 0; i < n; i++)
                situation_make(&list[i], harness_path("%zu", i));
        /* Birth and change times cannot be set: ages of some seconds pass meanwhile. */
        harness_sleep(wait + 0.2);
        for (size_t i = 0; i < n; i++) {
                n_wrong += play_apart(&list[i], harness_path("%zu", i));
                n_objects += (unsigned)list[i].n_objects;
        }
        harness_note("%s: %zu situations, %u objects, systemd %u", strrchr(files[_i], '/') + 1, n,
                     n_objects, version);
        harness_assert(n_wrong == 0, "%u things are not as they should be", n_wrong);
}
END_TEST

/* The configuration of a user who is not root, which only that user can read. */
START_TEST(another_user) {
        static const char text[] = "d %h/t/%U - - - m:1d\n# a comment\nx %h/t/%U/%u\n";
        const char *home = harness_path("home");
        const struct passwd *user = getpwnam("games");
        TmpfilesScope scope = {.is_user = true};
        TmpfilesConfig config;
        unsigned version;
        char *error = NULL;
        FILE *f;
        int r;

        (void)tool_version();
        if (!user || access(user->pw_dir, F_OK) < 0)
                harness_skip("no user games with a home directory");
        harness_mkdir(home);
        harness_assert(chown(home, user->pw_uid, user->pw_gid) == 0 && chmod(home, 0700) == 0 &&
                               mount(home, user->pw_dir, NULL, MS_BIND, NULL) == 0,
                       "%s: %m", home);
        harness_mkdir(harness_format("%s/.config", home));
        harness_mkdir(harness_format("%s/.config/user-tmpfiles.d", home));
        f = fopen(harness_format("%s/.config/user-tmpfiles.d/a.conf", home), "we");
        harness_assert(f && fputs(text, f) >= 0 && fchmod(fileno(f), 0600) == 0 &&
                               fchown(fileno(f), user->pw_uid, user->pw_gid) == 0 && fclose(f) == 0,
                       "%m");

        scope.uid = user->pw_uid;
        r = tmpfiles_source_load(&scope, &config, &version, &error);
        harness_assert(r == 0, "%s", error ? error : strerror(-r));
        ck_assert_uint_eq(config.n_rules, 2);
        ck_assert_str_eq(config.rules[0].line.path,
                         harness_format("%s/t/%u", user->pw_dir, (unsigned)user->pw_uid));
        ck_assert_str_eq(config.rules[1].line.path,
                         harness_format("%s/t/%u/games", user->pw_dir, (unsigned)user->pw_uid));
        ck_assert_uint_eq(config.rules[1].number, 3);
        ck_assert_str_eq(config.rules[1].file,
                         harness_format("%s/.config/user-tmpfiles.d/a.conf", user->pw_dir));

        scope.uid = 3999999;
        r = tmpfiles_source_load(&scope, &config, &version, &error);
        ck_assert_int_eq(r, -ESRCH);
        ck_assert_str_eq(error, "user 3999999, whose systemd-tmpfiles it was, is not in "
                                "/etc/passwd");
}
END_TEST

/* What waits below /mnt, made so that it comes due one after the other. */
static const struct {
        const char *path;
        int mtime_msec; /* from now on; INT_MIN: leave it */
        bool is_directory;
} waiting[] = {
        {"/mnt/m/1", -1400, false},   {"/mnt/m/2", -1300, false},     {"/mnt/m/3", -1200, false},
        {"/mnt/m/4", -1000, false},   {"/mnt/m/5", -700, false},      {"/mnt/m/d", -1450, true},
        {"/mnt/m/d/1", -1350, false}, {"/mnt/m/d/2", -900, false},    {"/mnt/m/e", -500, true},
        {"/mnt/m/e/1", -1380, false}, {"/mnt/all/1", INT_MIN, false}, {"/mnt/all/2", 500, false},
        {"/mnt/x/1", INT_MIN, false},
};

#define N_WAITING (sizeof(waiting) / sizeof(waiting[0]))

static void make_waiting(void) {
        struct timespec now, times[2] = {{.tv_nsec = UTIME_OMIT}};

        clock_gettime(CLOCK_REALTIME, &now);
        harness_mkdir("/mnt/m");
        harness_mkdir("/mnt/all");
        harness_mkdir("/mnt/x");
        for (size_t i = 0; i < N_WAITING; i++)
                if (waiting[i].is_directory)
                        harness_mkdir(waiting[i].path);
                else
                        harness_touch(waiting[i].path);
        for (size_t i = N_WAITING; i-- > 0;) {
                int64_t nsec = now.tv_nsec + (int64_t)waiting[i].mtime_msec * 1000000;

                if (waiting[i].mtime_msec == INT_MIN)
                        continue;
                times[1].tv_sec = now.tv_sec + (nsec - (nsec < 0 ? 999999999 : 0)) / 1000000000;
                times[1].tv_nsec = ((nsec % 1000000000) + 1000000000) % 1000000000;
                harness_assert(utimensat(AT_FDCWD, waiting[i].path, times, 0) == 0, "%m");
        }
}

/* The tool runs again and again: each thing goes with the first run behind its moment. */
START_TEST(moments) {
        static const char text[] = "d /mnt/m - - - mM:2s\nd /mnt/all - - - 1500ms\nx /mnt/x\n";
        char *const args[] = {(char *)(uintptr_t) "systemd-tmpfiles", (char *)(uintptr_t) "--clean",
                              harness_path("moments.conf"), NULL};
        Situation s = {.name = harness_format("moments"), .n_args = 3};
        uint64_t due[N_WAITING];
        bool is_over[N_WAITING] = {false};
        size_t n_left = N_WAITING - 1;
        TmpfilesLive *live;
        TmpfilesTree tree;
        FILE *f;
        Play p = {.s = &s};

        (void)tool_version();
        memcpy(s.args, args, sizeof(args));
        f = fopen(args[2], "we");
        harness_assert(f && fputs(text, f) >= 0 && fclose(f) == 0, "%m");
        harness_assert(mount("mnt", "/mnt", "tmpfs", 0, NULL) == 0, "mount: %m");
        ask(&p); /* first: it takes its time */
        make_waiting();
        harness_assert(tmpfiles_live_new(&live) == 0, "no memory");
        tree = tmpfiles_live_tree(live);
        for (size_t i = 0; i < N_WAITING; i++) {
                TmpfilesChoice c;

                harness_assert(tmpfiles_choose(p.rules, waiting[i].path,
                                               clock_now_nsec(CLOCK_REALTIME), &tree, &c) == 0,
                               "no memory");
                due[i] = c.due_nsec;
                harness_assert((c.verdict == TMPFILES_WAITS) == (i + 1 < N_WAITING),
                               "%s: verdict %d", waiting[i].path, c.verdict);
        }
        for (double end = harness_now() + 10; n_left > 0 && harness_now() < end;) {
                uint64_t before = clock_now_nsec(CLOCK_REALTIME), after;

                run_tool(&p);
                after = clock_now_nsec(CLOCK_REALTIME);
                for (size_t i = 0; i < N_WAITING; i++) {
                        bool is_now = is_gone(waiting[i].path);

                        harness_assert(!is_now || is_over[i] || after >= due[i],
                                       "%s went %.3f s early", waiting[i].path,
                                       (double)(due[i] - after) / 1e9);
                        harness_assert(is_now || before < due[i], "%s is %.3f s late",
                                       waiting[i].path, (double)(before - due[i]) / 1e9);
                        n_left -= is_now && !is_over[i];
                        is_over[i] = is_now;
                }
        }
        harness_assert(n_left == 0 && !is_gone("/mnt/x/1"), "%zu are left", n_left);
}
END_TEST

/* Beside the program, or where the environment says. */
static void find_files(void) {
        const char *dir = getenv("WHODUNLINK_TMPFILES_SITUATIONS");
        _cleanup_free_ char *self = realpath("/proc/self/exe", NULL), *beside = NULL;
        struct dirent **entries;
        int n;

        if (!dir && self && asprintf(&beside, "%s.d", self) > 0)
                dir = beside;
        n = dir ? scandir(dir, &entries, NULL, alphasort) : -1;
        for (int i = 0; i < n && n_files < FILES_MAX; i++) {
                const char *dot = strrchr(entries[i]->d_name, '.');

                if (dot && strcmp(dot, ".txt") == 0 &&
                    asprintf(&files[n_files], "%s/%s", dir, entries[i]->d_name) > 0)
                        n_files++;
        }
}

START_TEST(there_are_situations) {
        harness_assert(n_files > 0, "no situations: neither WHODUNLINK_TMPFILES_SITUATIONS nor a "
                                    "directory beside the program, called like it with .d");
}
END_TEST

static void add(TCase *tcase) {
        find_files();
        tcase_add_test(tcase, there_are_situations);
        tcase_add_loop_test(tcase, situations, 0, n_files);
        tcase_add_test(tcase, another_user);
        tcase_add_test(tcase, moments);
}

int main(void) {
        return harness_main("tmpfiles", add);
}
