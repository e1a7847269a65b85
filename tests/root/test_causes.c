/* SPDX-License-Identifier: MIT */

/*
 * Why something was deleted, by the real programs that delete: cron, at, dpkg, logrotate, systemd's
 * cleaner, sshd, a terminal.  Their configuration is of this test's own, in a mount namespace of
 * its own; daemons are in the foreground and end with it.
 */

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "harness.h"
#include "record.h"
#include "scene.h"

/* Up to the next full minute, and what a busy machine takes. */
#define CRON_TIMEOUT_SEC 100.0

static void need(const char *program) {
        char *command = harness_format("command -v %s >/dev/null", program);

        if (system(command) != 0)
                harness_skip("no %s here", program);
}

static void write_file(const char *path, mode_t mode, const char *text) {
        FILE *f = fopen(path, "we");

        harness_assert(f && fputs(text, f) >= 0 && fclose(f) == 0, "%s: %m", path);
        harness_assert(chmod(path, mode) == 0, "%s: %m", path);
}

static void run_shell(const char *command) {
        process_run(PROCESS_ARGS("sh", "-c", command));
}

static void cover(const char *directory) {
        if (mkdir(directory, 0755) < 0)
                harness_assert(access(directory, F_OK) == 0, "%s: %m", directory);
        harness_assert(mount("causes", directory, "tmpfs", 0, "mode=0755") == 0, "%s: %m",
                       directory);
}

static void end(pid_t pid) {
        harness_assert(kill(pid, SIGTERM) == 0, "kill: %m");
        (void)process_wait(pid, 20);
}

static void expect(const Scene *s, size_t i, const char *type, const char *rule,
                   const char *source) {
        scene_assert_known(s, i, "whodunlink.cause.type", type);
        scene_assert_known(s, i, "whodunlink.cause.rule", rule);
        scene_assert_known(s, i, "whodunlink.cause.source", source);
}

static void expect_words(const Scene *s, size_t i, const char *words) {
        const char *said = record_string(s->records[i], "whodunlink.cause.explanation");

        if (!said && harness_is_sanitized())
                return;
        harness_assert(said && strstr(said, words), "%s: not \"%s\" but \"%s\"", s->files[i], words,
                       said ? said : "nothing");
}

/* A line of cron.d, a script that run-parts runs, and a user's crontab, in the same minute. */
START_TEST(cron) {
        Scene s = scene_prepare(3);
        char *job = NULL, *parts = NULL, *own = NULL, *script = NULL, *line = NULL;
        pid_t pid;

        need("cron");
        need("run-parts");
        cover("/var/spool/cron");
        cover("/etc/cron.d");
        harness_mkdir("/var/spool/cron/crontabs");
        harness_assert(mount("/dev/null", "/etc/crontab", NULL, MS_BIND, NULL) == 0, "crontab: %m");
        job = harness_format("# A comment\n\n* * * * * root rm -f %s; :\n", s.files[0]);
        write_file("/etc/cron.d/clean", 0644, job);
        cover("/mnt");
        harness_mkdir("/mnt/cron.test");
        script = harness_format("#!/bin/sh\nrm -f %s\n", s.files[1]);
        write_file("/mnt/cron.test/old", 0755, script);
        parts = harness_format("* * * * * root cd / && run-parts --report /mnt/cron.test\n");
        write_file("/etc/cron.d/parts", 0644, parts);
        own = harness_format("SHELL=/bin/sh\n* * * * * rm -f %s\n", s.files[2]);
        write_file("/var/spool/cron/crontabs/root", 0600, own);
        scene_start(&s);
        pid = process_spawn(PROCESS_ARGS("cron", "-f"));
        for (size_t i = 0; i < 3; i++) {
                char *text = harness_format("\"path\":\"%s\"", s.files[i]);

                monitor_wait_for_output(&s.m, text, CRON_TIMEOUT_SEC);
        }
        end(pid);
        scene_stop(&s);
        line = harness_format("rm -f %s; :", s.files[0]);
        expect(&s, 0, "cron", line, "/etc/cron.d/clean:3");
        expect_words(&s, 0, "cron ran a job as root: rm -f ");
        expect(&s, 1, "cron", "/mnt/cron.test/old", "/etc/cron.d/parts:1");
        expect_words(&s, 1, "cron ran /mnt/cron.test/old as root");
        line = harness_format("rm -f %s", s.files[2]);
        expect(&s, 2, "cron", line, "/var/spool/cron/crontabs/root:2");
}
END_TEST

START_TEST(at) {
        Scene s = scene_prepare(1);
        char *command = NULL, *line = NULL;
        pid_t pid;

        need("atd");
        need("at");
        cover("/var/spool/cron");
        harness_mkdir("/var/spool/cron/atjobs");
        harness_mkdir("/var/spool/cron/atspool");
        cover("/run");
        run_shell("touch /var/spool/cron/atjobs/.SEQ; chmod 600 /var/spool/cron/atjobs/.SEQ;"
                  "chown -R daemon:daemon /var/spool/cron/at*; chmod 1770 /var/spool/cron/at*");
        scene_start(&s);
        pid = process_spawn(PROCESS_ARGS("atd", "-f"));
        harness_sleep(0.5);
        command = harness_format("echo 'rm -f %s; :' | at now", s.files[0]);
        run_shell(command);
        scene_await(&s, 0);
        end(pid);
        scene_stop(&s);
        line = harness_format("rm -f %s", s.files[0]);
        expect(&s, 0, "cron", line, NULL);
        expect_words(&s, 0, "at ran a job that was queued once as root: rm -f ");
}
END_TEST

/* One file by dpkg itself, one by the script of the package. */
START_TEST(dpkg) {
        Scene s = scene_prepare(1);
        char *files[] = {harness_path("fs/root/opt/tool")};
        char *control = NULL, *script = NULL, *command = NULL, *source = NULL;
        char *flags = NULL, *rule = NULL;
        const char *work = harness_work();

        need("dpkg-deb");
        control = harness_format("umask 022; mkdir -p %s/p/DEBIAN %s/p/opt %s/fs/root "
                                 "%s/dpkg/info %s/dpkg/updates && : >%s/dpkg/status && "
                                 ": >%s/dpkg/available && echo x >%s/p/opt/tool",
                                 work, work, work, work, work, work, work, work);
        run_shell(control);
        control = harness_path("p/DEBIAN/control");
        write_file(control, 0644,
                   "Package: causes-test\nVersion: 1\nArchitecture: all\nMaintainer: x <x@y.z>\n"
                   "Description: x\n");
        script = harness_path("p/DEBIAN/postrm");
        command = harness_format("#!/bin/sh\n[ \"$1\" = purge ] && rm -f %s\n:\n", s.files[0]);
        write_file(script, 0755, command);
        flags = harness_format("--admindir=%s/dpkg --instdir=%s/fs/root "
                               "--force-script-chrootless --log=/dev/null",
                               work, work);
        command = harness_format("dpkg-deb -b %s/p %s/p.deb >/dev/null && dpkg %s -i %s/p.deb",
                                 work, work, flags, work);
        run_shell(command);
        s.files[s.n_files++] = files[0];
        s.files[s.n_files++] = harness_path("fs/root/opt");
        scene_start(&s);
        rule = harness_format("dpkg %s --purge causes-test", flags);
        run_shell(rule);
        scene_await(&s, 0);
        scene_stop(&s);
        source = harness_path("dpkg/info/causes-test.postrm");
        expect(&s, 0, "package", rule, source);
        expect_words(&s, 0, "the postrm script of package causes-test did it, for: dpkg ");
        for (size_t i = 1; i < s.n_files; i++) {
                expect(&s, i, "package", rule, NULL);
                expect_words(&s, i, "package causes-test was changed by: dpkg ");
        }
}
END_TEST

/* The oldest of rotated logs: of a stanza of a file that is included. */
START_TEST(logrotate) {
        Scene s = scene_prepare(1);
        const char *work = harness_work();
        char *make = harness_format("cd %s/fs && chmod 755 . && rm -f file-00 && umask 022 && "
                                    "echo x | tee app.log app.log.1 >app.log.2 && mkdir %s/d && "
                                    "chmod 755 %s",
                                    work, work, work);
        char *main_file = harness_path("main.conf"), *source = harness_path("d/app:2");
        char *rule = harness_format("logrotate -s %s/state %s", work, main_file);
        struct json_object *record;
        RecordReader r;
        size_t n = 0;

        need("logrotate");
        run_shell(make);
        write_file(harness_path("d/app"), 0644,
                   harness_format("# x\n%s/fs/*.log {\n  rotate 1\n  size 1\n}\n", work));
        write_file(main_file, 0644, harness_format("include %s/d\n", work));
        scene_start(&s);
        run_shell(rule);
        monitor_wait_for_output(&s.m, "app.log.1", MONITOR_TIMEOUT_SEC);
        monitor_stop(&s.m);
        r = record_reader_new(s.m.output_path);
        while ((record = record_next_deletion(&r))) {
                const char *type = record_string(record, "whodunlink.cause.type");

                harness_note("%s", json_object_to_json_string(record));
                harness_assert(type && strcmp(type, "logrotate") == 0, "cause: %s",
                               type ? type : "none");
                ck_assert_str_eq(record_string(record, "whodunlink.cause.source"), source);
                ck_assert_str_eq(record_string(record, "whodunlink.cause.rule"), rule);
                n++;
        }
        record_reader_done(&r);
        harness_assert(n >= 2, "%zu records", n);
}
END_TEST

/* What takes longer than a record waits on a busy machine, to read the configuration, is done
 * before: for the third file, by the same command line. */
START_TEST(tmpfiles) {
        Scene s = scene_prepare(3);
        char *config = NULL;

        need("systemd-tmpfiles");
        cover("/etc/tmpfiles.d");
        config = harness_format("# x\nr %s\nR %s\nr %s\n", s.files[0], s.files[1], s.files[2]);
        write_file("/etc/tmpfiles.d/causes.conf", 0644, config);
        harness_unlink(s.files[0]);
        harness_unlink(s.files[1]);
        scene_start(&s);
        process_run(PROCESS_ARGS("systemd-tmpfiles", "--remove", "/etc/tmpfiles.d/causes.conf"));
        scene_await(&s, 2);
        harness_sleep(2);
        harness_touch(s.files[0]);
        harness_touch(s.files[1]);
        process_run(PROCESS_ARGS("systemd-tmpfiles", "--remove", "/etc/tmpfiles.d/causes.conf"));
        scene_await(&s, 0);
        scene_await(&s, 1);
        scene_stop(&s);
        for (size_t i = 0; i < 2; i++) {
                char *rule = harness_format("%c %s", i == 0 ? 'r' : 'R', s.files[i]);

                expect(&s, i, "tmpfiles", rule,
                       i == 0 ? "/etc/tmpfiles.d/causes.conf:2" : "/etc/tmpfiles.d/causes.conf:3");
        }
}
END_TEST

/* A login with a key, over the loopback. */
START_TEST(ssh) {
        Scene s = scene_prepare(1);
        char *config = NULL, *command = NULL;
        const char *work = harness_work();
        pid_t pid;

        need("sshd");
        need("ssh");
        cover("/run");
        harness_mkdir("/run/sshd");
        command = harness_format("cd %s && ssh-keygen -qt ed25519 -N '' -f host && "
                                 "ssh-keygen -qt ed25519 -N '' -f key && cp key.pub authorized",
                                 work);
        run_shell(command);
        config = harness_path("sshd_config");
        command = harness_format("ListenAddress 127.0.0.1\nPort 29022\nHostKey %s/host\nUsePAM no\n"
                                 "AuthorizedKeysFile %s/authorized\nStrictModes no\n"
                                 "PermitRootLogin yes\nPidFile none\n",
                                 work, work);
        write_file(config, 0600, command);
        scene_start(&s);
        command = harness_format("exec $(command -v sshd) -D -e -f %s", config);
        pid = process_spawn(PROCESS_ARGS("sh", "-c", command));
        command = harness_format("for i in 1 2 3 4 5 6 7 8 9; do ssh -n -i %s/key -p 29022 "
                                 "-o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null "
                                 "-o BatchMode=yes root@127.0.0.1 'rm %s; :' && exit; sleep 0.5; "
                                 "done; exit 1",
                                 work, s.files[0]);
        run_shell(command);
        scene_await(&s, 0);
        end(pid);
        scene_stop(&s);
        expect(&s, 0, "login", NULL, NULL);
        expect_words(&s, 0, "it was done in a login of root over ssh");
}
END_TEST

START_TEST(terminal) {
        Scene s = scene_prepare(1);
        char *command = NULL;

        need("script");
        scene_start(&s);
        command =
                harness_format("script -qc 'rm %s; :' /dev/null </dev/null >/dev/null", s.files[0]);
        run_shell(command);
        scene_await(&s, 0);
        scene_stop(&s);
        expect(&s, 0, "login", NULL, NULL);
        expect_words(&s, 0, ", terminal pts/");
}
END_TEST

/* Somebody who was asked by nobody that we know of. */
START_TEST(none) {
        Scene s = scene_new(1);

        scene_delete(&s, 0);
        scene_stop(&s);
        harness_assert(!record_get(s.records[0], "whodunlink.cause_late"), "late");
}
END_TEST

static void add(TCase *t) {
        tcase_add_test(t, cron);
        tcase_add_test(t, at);
        tcase_add_test(t, dpkg);
        tcase_add_test(t, logrotate);
        tcase_add_test(t, tmpfiles);
        tcase_add_test(t, ssh);
        tcase_add_test(t, terminal);
        tcase_add_test(t, none);
}

int main(void) {
        return harness_main("causes", add);
}
