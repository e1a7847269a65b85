/* SPDX-License-Identifier: MIT */

/*
 * From a deletion by systemd-tmpfiles to the line that asked for it, with a tool in place of
 * systemd-tmpfiles that prints a configuration of ours and counts how often it was asked.
 */

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "explain/tmpfiles_cause.h"
#include "unit.h"

static char dir[] = "/tmp/whodunlink-unit-XXXXXX";
static TmpfilesCauses *causes;

__attribute__((format(printf, 2, 3))) static void write_file(const char *name, const char *format,
                                                             ...) {
        char path[256];
        FILE *f;
        va_list args;

        snprintf(path, sizeof(path), "%s/%s", dir, name);
        f = fopen(path, "w");
        ck_assert_ptr_nonnull(f);
        va_start(args, format);
        ck_assert_int_gt(vfprintf(f, format, args), 0);
        va_end(args);
        ck_assert_int_eq(fclose(f), 0);
        ck_assert_int_eq(chmod(path, 0755), 0);
}

static void setup(void) {
        ck_assert_ptr_nonnull(mkdtemp(dir));
        ck_assert_int_eq(setenv("PATH", dir, 1), 0);
        write_file("systemd-tmpfiles",
                   "#!/bin/sh\n"
                   "echo \"$*\" >>%s/asked\n"
                   "case \"$*\" in *--version*) echo 'systemd 252 (252.39)'; exit 0 ;; esac\n"
                   "/bin/cat %s/output 2>/dev/null || exit 1\n",
                   dir, dir);
        write_file("output",
                   "# %s/a.conf\n"
                   "q /t/tmp 1777 root root 10d\n"
                   "# what was seen lately stays\n"
                   "d /t/seen - - - am:90min\n"
                   "x /t/tmp/kept\n"
                   "D! /t/boot\n"
                   "R /t/r*\n"
                   "d /t/zero - - - 0\n"
                   "L+ /t/link - - - - x\n",
                   dir);
        ck_assert_int_eq(tmpfiles_causes_new(&causes), 0);
}

static void teardown(void) {
        static const char *const names[] = {"systemd-tmpfiles", "output", "asked", "b.conf",
                                            "setpriv"};

        for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
                char path[256];

                snprintf(path, sizeof(path), "%s/%s", dir, names[i]);
                (void)unlink(path);
        }
        ck_assert_int_eq(rmdir(dir), 0);
        strcpy(dir + strlen(dir) - 6, "XXXXXX");
        causes = tmpfiles_causes_free(causes);
}

/* How often the tool was started. */
static unsigned times_asked(void) {
        char path[256];
        unsigned n = 0;
        FILE *f;

        snprintf(path, sizeof(path), "%s/asked", dir);
        f = fopen(path, "r");
        for (int c; f && (c = fgetc(f)) != EOF;)
                n += c == '\n';
        if (f)
                fclose(f);
        return n;
}

static int find(const char *path, const char *const *args, Cause *ret) {
        TmpfilesDeletion d = {
                .path = path,
                .executable = "/usr/bin/systemd-tmpfiles",
                .name = "systemd-tmpfile",
                .args = args,
        };

        return tmpfiles_cause(causes, &d, ret);
}

static void check_cause(const char *path, const char *const *args, unsigned number,
                        const char *rule, const char *explanation) {
        _cleanup_cause_ Cause cause = {0};
        char source[256];

        ck_assert_int_eq(find(path, args, &cause), 1);
        ck_assert_int_eq(cause.type, CAUSE_TMPFILES);
        ck_assert_ptr_nonnull(cause.explanation);
        ck_assert_str_eq(cause.explanation, explanation);
        if (!rule) {
                ck_assert_ptr_null(cause.rule);
                ck_assert_ptr_null(cause.source);
                return;
        }
        ck_assert_str_eq(cause.rule, rule);
        snprintf(source, sizeof(source), "%s/a.conf:%u", dir, number);
        ck_assert_str_eq(cause.source, source);
        ck_assert(!cause.unit && !cause.triggered_by);
}

static const char *const clean[] = {"systemd-tmpfiles", "--clean", NULL};
static const char *const boot[] = {"/bin/systemd-tmpfiles", "--remove", "--boot", "--create", NULL};

START_TEST(test_causes) {
        check_cause("/t/tmp/tools/x", clean, 1, "q /t/tmp 1777 root root 10d",
                    "removed by age: what lies in /t/tmp goes once it is older than 10 days by "
                    "access, modification, change and birth time alike; to keep such a thing touch "
                    "it in time, keep it elsewhere or add `x /t/tmp/tools` to a file in "
                    "/etc/tmpfiles.d");
        check_cause("/t/seen/a b", clean, 3, "d /t/seen - - - am:90min",
                    "removed by age: what lies in /t/seen goes once it is older than 1 hour 30 "
                    "minutes by access and modification time alike, and rsync -t, tar and cp -p "
                    "bring old times along; to keep such a thing touch it in time, keep it "
                    "elsewhere or add an x line for it to a file in /etc/tmpfiles.d");
        check_cause("/t/zero/x", clean, 7, "d /t/zero - - - 0",
                    "removed by age: what lies in /t/zero goes at every cleaning, since the line's "
                    "age is 0; to keep such a thing keep it elsewhere or add `x /t/zero/x` to a "
                    "file in /etc/tmpfiles.d");
        check_cause("/t/boot/x/y", boot, 5, "D! /t/boot",
                    "removed because --remove empties /t/boot, as at every boot; what is to stay "
                    "belongs elsewhere");
        check_cause("/t/rest/x", boot, 6, "R /t/r*",
                    "removed because --remove removes /t/r* with all in it, as at every boot; what "
                    "is to stay belongs elsewhere");
        check_cause("/t/link", boot, 8, "L+ /t/link - - - - x",
                    "removed to make room: the line makes /t/link anew, in place of what is there");
        check_cause(
                "/t/tmp/kept/x", clean, 0, NULL,
                "systemd-tmpfiles --clean removed it, but no line of its configuration as it is "
                "now asks for that; it may have been changed since");
        check_cause("/t/tmp/x", boot, 0, NULL,
                    "systemd-tmpfiles --remove removed it, but no line of its configuration as it "
                    "is now asks for that; it may have been changed since");
        /* Twice for each of two command lines. */
        ck_assert_uint_eq(times_asked(), 4);
}
END_TEST

START_TEST(test_unknown) {
        static const char *const image[] = {"systemd-tmpfiles", "--clean", "--image=x", NULL};
        static const char *const strange[] = {"systemd-tmpfiles", "--clean", "--strange", NULL};
        static const char *const stdin_file[] = {"systemd-tmpfiles", "--clean", "-", NULL};
        _cleanup_cause_ Cause cause = {0};
        TmpfilesDeletion rm = {.path = "/x", .executable = "/bin/rm", .name = "systemd-tmpfile"};

        check_cause("/t/tmp/x", NULL, 0, NULL,
                    "systemd-tmpfiles removed it; what it was asked for is not known, since its "
                    "command line was not seen");
        check_cause("/t/tmp/x", image, 0, NULL,
                    "systemd-tmpfiles removed it in an image (--image=), whose configuration is "
                    "not followed");
        check_cause("/t/tmp/x", stdin_file, 0, NULL,
                    "systemd-tmpfiles removed it; its configuration is not known: systemd-tmpfiles "
                    "read lines from its standard input, which are gone");
        check_cause("/t/tmp/x", strange, 0, NULL,
                    "systemd-tmpfiles removed it; its configuration is not known: an option of its "
                    "command line is unknown to whodunlink");
        ck_assert_int_eq(tmpfiles_cause(causes, &rm, &cause), 0);
        ck_assert_ptr_null(cause.explanation);
}
END_TEST

START_TEST(test_no_tool) {
        ck_assert_int_eq(setenv("PATH", "/nonexistent", 1), 0);
        check_cause("/t/tmp/x", clean, 0, NULL,
                    "systemd-tmpfiles removed it; its configuration is not known: cannot run "
                    "systemd-tmpfiles --version: No such file or directory; is it installed?");
}
END_TEST

START_TEST(test_broken_tool) {
        write_file("output", "rubbish\n");
        check_cause("/t/tmp/x", clean, 0, NULL,
                    "systemd-tmpfiles removed it; its configuration is not known: systemd-tmpfiles "
                    "--cat-config printed what does not start with a file's name");
        write_file("systemd-tmpfiles", "#!/bin/sh\nexit 3\n");
        check_cause("/t/tmp/x", boot, 0, NULL,
                    "systemd-tmpfiles removed it; its configuration is not known: systemd-tmpfiles "
                    "--version failed with status 3; try it by hand");
}
END_TEST

/* Of a user whom we may not become. */
START_TEST(test_other_user) {
        static const char *const args[] = {"systemd-tmpfiles", "--user", "--clean", NULL};
        _cleanup_cause_ Cause cause = {0};
        const TmpfilesDeletion d = {
                .path = "/t/tmp/x",
                .executable = "/usr/bin/systemd-tmpfiles",
                .args = args,
                .uid = 1,
        };

        write_file("setpriv", "#!/bin/sh\nexit 127\n");
        ck_assert_int_eq(tmpfiles_cause(causes, &d, &cause), 1);
        ck_assert_str_eq(cause.explanation,
                         "systemd-tmpfiles removed it; its configuration is not known: it has to "
                         "be asked as user 1, whom this process cannot become; `whodunlink why`, "
                         "run by root, can");
}
END_TEST

/* A file of the command line: read by us, and read again when it has changed. */
START_TEST(test_change) {
        char file[256];
        const char *const args[] = {"systemd-tmpfiles", "--clean", file, NULL};
        _cleanup_cause_ Cause first = {0}, second = {0};

        snprintf(file, sizeof(file), "%s/b.conf", dir);
        write_file("b.conf", "d /t/a - - - 1d\n");
        ck_assert_int_eq(find("/t/a/x", args, &first), 1);
        ck_assert_str_eq(first.rule, "d /t/a - - - 1d");

        write_file("b.conf", "\nd /t/a - - - 2d\n");
        usleep((useconds_t)(TMPFILES_CAUSES_CHECK_NSEC / 1000 + 20000));
        ck_assert_int_eq(find("/t/a/x", args, &second), 1);
        ck_assert_str_eq(second.rule, "d /t/a - - - 2d");
        ck_assert_str_eq(strrchr(second.source, ':'), ":2");
}
END_TEST

/* More command lines than are kept: the one asked for longest goes first. */
START_TEST(test_bound) {
        for (int i = 0; i < TMPFILES_CAUSES_MAX + 1; i++) {
                char prefix[64];
                const char *const args[] = {"systemd-tmpfiles", "--clean", prefix, NULL};
                _cleanup_cause_ Cause cause = {0}, again = {0};

                snprintf(prefix, sizeof(prefix), "--exclude-prefix=/x%d", i);
                ck_assert_int_eq(find("/t/tmp/x", args, &cause), 1);
                ck_assert_int_eq(find("/t/tmp/x", clean, &again), 1);
                ck_assert_ptr_nonnull(again.rule);
        }
        /* The one that is asked for again and again is still there. */
        ck_assert_uint_eq(times_asked(), 2 * (TMPFILES_CAUSES_MAX + 2));
}
END_TEST

START_TEST(test_deleters) {
        ck_assert(tmpfiles_cause_is_deleter("/usr/bin/systemd-tmpfiles", NULL));
        ck_assert(tmpfiles_cause_is_deleter("/bin/systemd-tmpfiles (deleted)", "x"));
        ck_assert(tmpfiles_cause_is_deleter("/bin/systemd-tmpfiles.standalone", "x"));
        ck_assert(tmpfiles_cause_is_deleter(NULL, "systemd-tmpfile"));
        ck_assert(!tmpfiles_cause_is_deleter("/bin/systemd-tmpfiles2", NULL));
        ck_assert(!tmpfiles_cause_is_deleter("/bin/rm", "systemd-tmpfile"));
        ck_assert(!tmpfiles_cause_is_deleter(NULL, "systemd"));
        ck_assert(!tmpfiles_cause_is_deleter(NULL, NULL));
}
END_TEST

int main(void) {
        TCase *tcase = tcase_create("tmpfiles_cause");

        tcase_add_checked_fixture(tcase, setup, teardown);
        tcase_add_test(tcase, test_causes);
        tcase_add_test(tcase, test_unknown);
        tcase_add_test(tcase, test_no_tool);
        tcase_add_test(tcase, test_broken_tool);
        tcase_add_test(tcase, test_other_user);
        tcase_add_test(tcase, test_change);
        tcase_add_test(tcase, test_bound);
        tcase_add_test(tcase, test_deleters);
        tcase_set_timeout(tcase, 30);
        return unit_run("tmpfiles_cause", tcase);
}
