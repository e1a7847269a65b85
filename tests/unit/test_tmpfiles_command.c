/* SPDX-License-Identifier: MIT */

/* Command lines of systemd-tmpfiles. */

#include <string.h>

#include "explain/tmpfiles_command.h"
#include "unit.h"

#define N(x) ((int)(sizeof(x) / sizeof((x)[0])))
#define WORDS(...)                                                                                 \
        (const char *const[]) {                                                                    \
                "systemd-tmpfiles", __VA_ARGS__, NULL                                              \
        }

START_TEST(test_operations) {
        TmpfilesCommand c;

        tmpfiles_command_parse(WORDS("--remove", "--boot", "--create", "--user", "--graceful"), &c);
        ck_assert(c.is_known && c.is_boot && c.is_user && c.is_graceful && !c.is_dry_run);
        ck_assert_uint_eq(c.operations, TMPFILES_REMOVE | TMPFILES_CREATE);
        tmpfiles_command_parse(WORDS("--clean", "--purge", "--dry-run", "--no-pager"), &c);
        ck_assert(c.is_known && c.is_dry_run);
        ck_assert_uint_eq(c.operations, TMPFILES_CLEAN | TMPFILES_PURGE);
}
END_TEST

START_TEST(test_values) {
        TmpfilesCommand c;
        TmpfilesRequest q;

        tmpfiles_command_parse(WORDS("a.conf", "--prefix=/tmp", "--prefix", "/var", "--clean",
                                     "--exclude-prefix=/x", "-E", "--root=/r", "--", "--boot"),
                               &c);
        ck_assert(c.is_known && !c.is_boot);
        ck_assert_str_eq(c.files[0], "a.conf");
        ck_assert_str_eq(c.files[1], "--boot");
        ck_assert_ptr_null(c.files[2]);
        q = tmpfiles_command_request(&c, 252);
        ck_assert_str_eq(q.prefixes[0], "/tmp");
        ck_assert_str_eq(q.prefixes[1], "/var");
        ck_assert_ptr_null(q.prefixes[2]);
        ck_assert_str_eq(q.exclude_prefixes[0], "/x");
        ck_assert_str_eq(q.exclude_prefixes[1], "/dev");
        ck_assert_str_eq(q.exclude_prefixes[4], "/sys");
        ck_assert_ptr_null(q.exclude_prefixes[5]);
        ck_assert_str_eq(q.root, "/r");
        ck_assert_uint_eq(q.version, 252);

        tmpfiles_command_parse(WORDS("--clean", "--replace=/etc/x.conf", "-", "--image=i"), &c);
        ck_assert(c.is_known);
        ck_assert_str_eq(c.replace, "/etc/x.conf");
        ck_assert_str_eq(c.files[0], "-");
        ck_assert_str_eq(c.image, "i");
}
END_TEST

/* As getopt_long(3) does, a name may be cut short as long as only one begins so. */
START_TEST(test_short_names) {
        TmpfilesCommand c;

        tmpfiles_command_parse(WORDS("--cl", "--bo", "--pre=/a", "--us"), &c);
        ck_assert(c.is_known && c.is_boot && c.is_user && c.operations == TMPFILES_CLEAN);
        ck_assert_str_eq(c.prefixes[0], "/a");
}
END_TEST

static const char *const unknown[][4] = {
        {"systemd-tmpfiles", "--c", NULL},      {"systemd-tmpfiles", "--frobnicate", NULL},
        {"systemd-tmpfiles", "--prefix", NULL}, {"systemd-tmpfiles", "--clean=yes", NULL},
        {"systemd-tmpfiles", "-x", NULL},       {NULL},
};

START_TEST(test_unknown) {
        TmpfilesCommand c;

        tmpfiles_command_parse(unknown[_i], &c);
        ck_assert(!c.is_known);
        tmpfiles_command_parse(NULL, &c);
        ck_assert(!c.is_known);
}
END_TEST

START_TEST(test_bound) {
        const char *args[TMPFILES_COMMAND_WORDS_MAX + 3] = {"systemd-tmpfiles"};
        TmpfilesCommand c;

        for (int i = 0; i < TMPFILES_COMMAND_WORDS_MAX; i++)
                args[i + 1] = "x";
        tmpfiles_command_parse(args, &c);
        ck_assert(c.is_known);
        args[TMPFILES_COMMAND_WORDS_MAX + 1] = "x";
        tmpfiles_command_parse(args, &c);
        ck_assert(!c.is_known);
        ck_assert_ptr_null(c.files[TMPFILES_COMMAND_WORDS_MAX]);
}
END_TEST

int main(void) {
        TCase *tcase = tcase_create("tmpfiles_command");

        tcase_add_test(tcase, test_operations);
        tcase_add_test(tcase, test_values);
        tcase_add_test(tcase, test_short_names);
        tcase_add_loop_test(tcase, test_unknown, 0, N(unknown));
        tcase_add_test(tcase, test_bound);
        return unit_run("tmpfiles_command", tcase);
}
