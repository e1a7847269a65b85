/* SPDX-License-Identifier: MIT */

/* Names asked for once, buffers grown, answers bounded; with a user database of our own. */

#include "identify/user_names.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>

#include "unit.h"

#define UID_BIG 1000 /* its entry needs a large buffer */
#define UID_ENDLESS 1001
#define UID_BROKEN 1002
#define UID_NONE 4000000

static unsigned n_asked;
static size_t n_buf_largest;
static int interrupts;

static int answer(uint32_t id, char *buf, size_t n_buf, char **ret_name) {
        n_asked++;
        if (n_buf > n_buf_largest)
                n_buf_largest = n_buf;
        if (interrupts > 0) {
                interrupts--;
                return EINTR;
        }
        if (id == UID_ENDLESS || (id == UID_BIG && n_buf < 100000))
                return ERANGE;
        if (id == UID_BROKEN)
                return EIO;
        if (id >= UID_NONE)
                return 0;
        snprintf(buf, n_buf, "name%u", (unsigned)id);
        *ret_name = buf;
        return 0;
}

/* These stand before libc's: the library that is tested is linked statically. */
int getpwuid_r(uid_t uid, struct passwd *entry, char *buf, size_t n_buf, struct passwd **result) {
        char *name = NULL;
        int r = answer(uid, buf, n_buf, &name);

        memset(entry, 0, sizeof(*entry));
        entry->pw_name = name;
        *result = name ? entry : NULL;
        return r;
}

int getgrgid_r(gid_t gid, struct group *entry, char *buf, size_t n_buf, struct group **result) {
        char *name = NULL;
        int r = answer(gid, buf, n_buf, &name);

        if (name)
                name[0] = 'g';
        memset(entry, 0, sizeof(*entry));
        entry->gr_name = name;
        *result = name ? entry : NULL;
        return r;
}

static UserNames *names;

static void setup(void) {
        n_asked = 0;
        n_buf_largest = 0;
        interrupts = 0;
        ck_assert_int_eq(user_names_new(&names), 0);
}

static void teardown(void) {
        names = user_names_free(names);
}

START_TEST(test_asked_once) {
        for (int i = 0; i < 5; i++) {
                ck_assert_str_eq(user_names_user(names, 7), "name7");
                ck_assert_str_eq(user_names_group(names, 7), "game7");
                ck_assert_str_eq(user_names_user(names, 0), "name0");
        }
        ck_assert_uint_eq(n_asked, 3);
}
END_TEST

START_TEST(test_no_name_is_remembered) {
        for (int i = 0; i < 3; i++) {
                ck_assert_ptr_null(user_names_user(names, UID_NONE));
                ck_assert_ptr_null(user_names_user(names, UINT32_MAX));
                ck_assert_ptr_null(user_names_user(names, UID_BROKEN));
        }
        ck_assert_uint_eq(n_asked, 3);
}
END_TEST

START_TEST(test_buffer_grows) {
        ck_assert_str_eq(user_names_user(names, UID_BIG), "name1000");
        ck_assert_uint_ge(n_buf_largest, 100000);
        ck_assert_str_eq(user_names_group(names, UID_BIG), "game1000");
        ck_assert_ptr_null(user_names_user(names, UID_ENDLESS));
        ck_assert_uint_le(n_buf_largest, (size_t)16 * 1024 * 1024);
}
END_TEST

START_TEST(test_interrupted) {
        interrupts = 3;
        ck_assert_str_eq(user_names_user(names, 5), "name5");
        ck_assert_uint_eq(n_asked, 4);
}
END_TEST

START_TEST(test_bound) {
        for (uid_t uid = 2000; uid < 2000 + USER_NAMES_MAX; uid++)
                ck_assert_ptr_nonnull(user_names_user(names, uid));
        ck_assert_uint_eq(n_asked, USER_NAMES_MAX);
        ck_assert_str_eq(user_names_user(names, 2000), "name2000");
        ck_assert_uint_eq(n_asked, USER_NAMES_MAX);
        /* One more, and all are forgotten. */
        ck_assert_str_eq(user_names_user(names, 1), "name1");
        ck_assert_str_eq(user_names_user(names, 2000), "name2000");
        ck_assert_uint_eq(n_asked, USER_NAMES_MAX + 2);
}
END_TEST

int main(void) {
        TCase *t = tcase_create("user_names");

        tcase_add_checked_fixture(t, setup, teardown);
        tcase_add_test(t, test_asked_once);
        tcase_add_test(t, test_no_name_is_remembered);
        tcase_add_test(t, test_buffer_grows);
        tcase_add_test(t, test_interrupted);
        tcase_add_test(t, test_bound);
        return unit_run("user_names", t);
}
