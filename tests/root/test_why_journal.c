/* SPDX-License-Identifier: MIT */

/* `why` of what is gone, from a real journal that a watch wrote to. */

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "filesystem.h"
#include "harness.h"
#include "journal.h"
#include "process.h"
#include "text.h"

#define LIMIT_SEC (harness_is_sanitized() ? 60.0 : 20.0)

static char *why(int expected_status, const char *const *args) {
        char *output = monitor_why(expected_status, LIMIT_SEC, args);

        text_assert_harmless(output, strlen(output));
        return output;
}

/* Everything happens on a filesystem that is on disk, as far as anyone can tell. */
typedef struct Stage {
        Journald j;
        Filesystem fs;
        Monitor m;
} Stage;

static Stage stage_start(void) {
        Stage s = {.j = journald_start("64m", ""), .fs = fs_new(FS_EXT4, "fs")};

        s.m = journal_monitor_start(MONITOR_ARGS(s.fs.path));
        return s;
}

static void stage_stop(Stage *s) {
        monitor_stop(&s->m);
        journald_settle();
        journald_stop(&s->j, SIGTERM);
}

static void has(const char *text, const char *expected) {
        harness_assert(strstr(text, expected), "no \"%s\" in:\n%s", expected, text);
}

START_TEST(a_file) {
        Stage s = stage_start();
        _cleanup_free_ char *file = harness_format("%s/f", s.fs.path),
                            *longer = harness_format("%s/f2", s.fs.path),
                            *strange = harness_format("%s/a\n\xff\033[31m b", s.fs.path),
                            *text = NULL, *json = NULL;

        harness_touch(file);
        harness_touch(longer);
        harness_touch(strange);
        process_run(PROCESS_ARGS("rm", file, strange));
        process_run(PROCESS_ARGS("unlink", longer));
        stage_stop(&s);

        text = why(0, MONITOR_ARGS(file));
        has(text, "/f: is gone\n");
        has(text, "$ rm ");
        harness_assert(text_count(text, strlen(text), "unlink  ") == 1, "%s", text);
        free(text);
        text = why(0, MONITOR_ARGS(strange));
        has(text, "$ rm ");
        free(text);
        text = why(0, MONITOR_ARGS("--directory=" JOURNAL_DIRECTORY, longer));
        has(text, "$ unlink ");
        json = why(0, MONITOR_ARGS("--json", longer));
        has(json, "\"match\":\"itself\"");
        has(json, "\"executable\":\"/usr/bin/unlink\"");
}
END_TEST

/* The last of many, in their order, and what came in place of it. */
START_TEST(again_and_again) {
        Stage s = stage_start();
        _cleanup_free_ char *file = harness_format("%s/f", s.fs.path),
                            *other = harness_format("%s/g", s.fs.path),
                            *replacing = harness_format("%s/h", s.fs.path), *text = NULL,
                            *json = NULL;
        const char *first, *last;

        for (int i = 0; i < 7; i++) {
                harness_touch(file);
                harness_unlink(file);
        }
        harness_touch(file);
        harness_touch(replacing);
        harness_assert(rename(replacing, file) == 0, "rename: %m");
        process_run(PROCESS_ARGS("mv", file, other));
        stage_stop(&s);

        json = why(0, MONITOR_ARGS("--json", file));
        harness_assert(text_count(json, strlen(json), "\"match\":\"itself\"") == 5, "%s", json);
        text = why(0, MONITOR_ARGS("--records=3", file));
        harness_assert(text_count(text, strlen(text), "  recorded ") == 3, "%s", text);
        first = strstr(text, "overwrite  ");
        last = strstr(text, "move  ");
        harness_assert(first && last && first < last, "%s", text);
        has(text, "$ mv ");
        /* The one that was renamed over another has no record of its own. */
        free(text);
        text = why(0, MONITOR_ARGS(replacing));
        has(text, "/h: is gone\n");
        has(text, "overwrite  ");
}
END_TEST

/* It went with the directory that it was in. */
START_TEST(with_its_directory) {
        Stage s = stage_start();
        _cleanup_free_ char *directory = harness_format("%s/d", s.fs.path),
                            *file = harness_format("%s/d/e/f", s.fs.path),
                            *inner = harness_format("%s/d/e", s.fs.path),
                            *elsewhere = harness_format("%s/moved", s.fs.path), *text = NULL;

        harness_mkdir(directory);
        harness_mkdir(inner);
        harness_touch(file);
        process_run(PROCESS_ARGS("mv", directory, elsewhere));
        stage_stop(&s);
        text = why(0, MONITOR_ARGS(file));
        has(text, ", with a directory above it\n");
        has(text, "$ mv ");
}
END_TEST

/* A storm of which most was only counted. */
START_TEST(one_of_many) {
        Stage s = {.j = journald_start("64m", ""), .fs = fs_new(FS_EXT4, "fs")};
        _cleanup_free_ char *directory = harness_format("%s/d", s.fs.path),
                            *file = harness_format("%s/d/10/f", s.fs.path),
                            *other = harness_path("e"), *text = NULL, *json = NULL;

        harness_mkdir(directory);
        for (int i = 0; i < 40; i++) {
                _cleanup_free_ char *inner = harness_format("%s/%d", directory, i),
                                    *each = harness_format("%s/f", inner);

                harness_mkdir(inner);
                harness_touch(each);
        }
        s.m = journal_monitor_start(MONITOR_ARGS("--fold=1", s.fs.path));
        process_run(PROCESS_ARGS("rm", "-r", directory));
        harness_sleep(1.5);
        stage_stop(&s);

        json = why(0, MONITOR_ARGS("--json", file));
        has(json, "\"match\":\"in-fold\"");
        text = why(0, MONITOR_ARGS(file));
        has(text, ": does not exist; perhaps it was one of many that went together\n");
        has(text, ", perhaps: it is not named, but one of many that were summed up\n");
        has(text, "$ rm -r ");
        free(text);
        text = why(1, MONITOR_ARGS(other));
        has(text, "nothing is known of its end");
}
END_TEST

static void send_as_nobody(void *userdata) {
        const char *path = userdata;
        char message[512], field[512];

        snprintf(message, sizeof(message),
                 "MESSAGE={\"@timestamp\":\"2026-01-01T00:00:00Z\",\"event\":{\"action\":"
                 "\"unlink\"},\"file\":{\"path\":\"%s\"}}",
                 path);
        snprintf(field, sizeof(field), "DELETION_PATH=%s", path);
        if (setgid(65534) < 0 || setuid(65534) < 0 ||
            sd_journal_send("SYSLOG_IDENTIFIER=whodunlink", message, field,
                            "DELETION_ACTION=unlink", NULL) < 0)
                _exit(1);
}

/* Anyone may write to the journal; who did stands there, too. */
START_TEST(a_lie) {
        Stage s = stage_start();
        _cleanup_free_ char *file = harness_format("%s/f", s.fs.path), *text = NULL;
        pid_t pid = process_fork(send_as_nobody, file);

        harness_assert(process_wait(pid, LIMIT_SEC) == 0, "it could not be sent");
        stage_stop(&s);
        text = why(1, MONITOR_ARGS(file));
        has(text, "does not exist, and nothing is known of its end\n");
        has(text, "looked at  the journal, which goes back to ");
        has(text, "; the newest record of any path is from ");
}
END_TEST

/* A record that left before its cause was found, or with one that names no line. */
START_TEST(a_late_cause) {
        Journald j = journald_start("64m", "");
        _cleanup_free_ char *file = harness_path("t/f"), *message = NULL, *field = NULL,
                            *text = NULL, *json = NULL;
        FILE *f;

        if (mount("tmpfs", "/etc/tmpfiles.d", "tmpfs", 0, NULL) < 0)
                harness_skip("no systemd-tmpfiles here");
        f = fopen("/etc/tmpfiles.d/test.conf", "we");
        harness_assert(f, "test.conf: %m");
        fprintf(f, "# a comment\nd %s/t - - - 3d\n", harness_work());
        fclose(f);
        message = harness_format(
                "MESSAGE={\"@timestamp\":\"2026-01-01T00:00:00Z\",\"event\":{\"action\":"
                "\"unlink\"},\"file\":{\"path\":\"%s\"},\"process\":{\"pid\":7,\"name\":"
                "\"systemd-tmpfiles\",\"executable\":\"/usr/bin/systemd-tmpfiles\",\"args\":"
                "[\"systemd-tmpfiles\",\"--clean\"]},\"whodunlink\":{\"attribution\":"
                "\"live\"%s}}",
                file,
                _i == 0 ? "" : ",\"cause\":{\"type\":\"tmpfiles\",\"explanation\":\"not known\"}");
        field = harness_format("DELETION_PATH=%s", file);
        harness_assert(sd_journal_send("SYSLOG_IDENTIFIER=whodunlink", message, field,
                                       "DELETION_ACTION=unlink", NULL) == 0,
                       "it could not be sent");
        journald_settle();
        journald_stop(&j, SIGTERM);
        text = why(0, MONITOR_ARGS(file));
        has(text, "; why is worked out by the configuration of now\n");
        has(text, "/etc/tmpfiles.d/test.conf:2");
        has(text, "3 days");
        json = why(0, MONITOR_ARGS("--json", file));
        has(json, "\"cause\":{\"type\":\"tmpfiles\",\"rule\":\"d /tmp");
        free(text);
        /* Of another machine's journal that is not known. */
        text = why(0, MONITOR_ARGS("--directory=" JOURNAL_DIRECTORY, file));
        harness_assert(!strstr(text, "worked out"), "%s", text);
}
END_TEST

START_TEST(no_journal) {
        _cleanup_free_ char *file = harness_path("f"), *text = NULL;

        text = why(3, MONITOR_ARGS("--directory=/nowhere/x", file));
        has(text, "looked at  /nowhere/x, in vain: No such file or directory\n");
}
END_TEST

static void add(TCase *t) {
        tcase_add_test(t, a_file);
        tcase_add_test(t, again_and_again);
        tcase_add_test(t, with_its_directory);
        tcase_add_test(t, one_of_many);
        tcase_add_test(t, a_lie);
        tcase_add_loop_test(t, a_late_cause, 0, 2);
        tcase_add_test(t, no_journal);
}

int main(void) {
        return harness_main("why_journal", add);
}
