/* SPDX-License-Identifier: MIT */

/* Escapes and templates in unit names. */

#include <errno.h>
#include <string.h>

#include "base/cleanup.h"
#include "identify/unit_name.h"
#include "unit.h"

static const struct {
        const char *name;
        int r;
        const char *expected;
} escapes[] = {
        {"", 0, ""},
        {"cron.service", 12, "cron.service"},
        {"dev-disk-by\\x2duuid-1.swap", 23, "dev-disk-by-uuid-1.swap"},
        {"system-l8r\\x2ddomaintld.slice", 26, "system-l8r-domaintld.slice"},
        {"TEST\\x2d13\\x2dNSPAWN", 14, "TEST-13-NSPAWN"},
        {"\\x41\\x5A\\x5a", 3, "AZZ"},
        {"\\x5cx41", 4, "\\x41"},
        {"\\x2f\\x1b\\xff", 3, "/\033\xff"},
        {"h\xc3\xa9", 3, "h\xc3\xa9"},
        {"\\", -EBADMSG, NULL},
        {"a\\x", -EBADMSG, NULL},
        {"a\\x2", -EBADMSG, NULL},
        {"a\\x2g", -EBADMSG, NULL},
        {"a\\xg2", -EBADMSG, NULL},
        {"a\\x-1", -EBADMSG, NULL},
        {"a\\X2d", -EBADMSG, NULL},
        {"a\\n", -EBADMSG, NULL},
        {"a\\\\", -EBADMSG, NULL},
        {"a\\x00", -EBADMSG, NULL},
};

static const struct {
        const char *name;
        int r;
        const char *prefix, *instance, *type;
} names[] = {
        {"cron.service", 0, "cron", NULL, "service"},
        {"getty@tty1.service", 0, "getty", "tty1", "service"},
        {"getty@.service", 0, "getty", "", "service"},
        {"user@1000.service", 0, "user", "1000", "service"},
        {"systemd-nspawn@web\\x2d1.service", 0, "systemd-nspawn", "web\\x2d1", "service"},
        {"a@b@c.service", 0, "a", "b@c", "service"},
        {"a@b.c.mount", 0, "a", "b.c", "mount"},
        {"dbus-:1.2-org.freedesktop.problems@0.service", 0, "dbus-:1.2-org.freedesktop.problems",
         "0", "service"},
        {"a.service@x", 0, "a", NULL, "service@x"},
        {"a..service", 0, "a.", NULL, "service"},
        {"-.slice", 0, "-", NULL, "slice"},
        {"", -EBADMSG, NULL, NULL, NULL},
        {".", -EBADMSG, NULL, NULL, NULL},
        {"a", -EBADMSG, NULL, NULL, NULL},
        {"a@b", -EBADMSG, NULL, NULL, NULL},
        {"a.", -EBADMSG, NULL, NULL, NULL},
        {".service", -EBADMSG, NULL, NULL, NULL},
        {"@.service", -EBADMSG, NULL, NULL, NULL},
        {"@a.service", -EBADMSG, NULL, NULL, NULL},
};

#define N(x) ((int)(sizeof(x) / sizeof((x)[0])))

/* Of exactly that size, so that a sanitizer sees a read past the end. */
static char *copy_bytes(const char *text, size_t n_bytes) {
        char *copy = malloc(n_bytes);

        ck_assert_ptr_nonnull(copy);
        memcpy(copy, text, n_bytes);
        return copy;
}

START_TEST(test_unescape) {
        size_t n = strlen(escapes[_i].name);
        _cleanup_free_ char *name = copy_bytes(escapes[_i].name, n);
        char text[64] = "untouched";

        ck_assert_int_eq(unit_name_unescape(name, n, text, sizeof(text)), escapes[_i].r);
        ck_assert_str_eq(text, escapes[_i].expected ? escapes[_i].expected : "untouched");
}
END_TEST

/* In each size of room, of which it needs one for the NUL. */
START_TEST(test_room) {
        for (size_t n_room = 0; escapes[_i].r >= 0 && n_room < 64; n_room++) {
                _cleanup_free_ char *text = malloc(n_room);
                int r = unit_name_unescape(escapes[_i].name, strlen(escapes[_i].name), text,
                                           n_room);

                if (n_room <= (size_t)escapes[_i].r)
                        ck_assert_int_eq(r, -ENOBUFS);
                else
                        ck_assert_int_eq(r, escapes[_i].r);
        }
}
END_TEST

START_TEST(test_nul) {
        char text[8];

        ck_assert_int_eq(unit_name_unescape("a\0b", 3, text, sizeof(text)), -EBADMSG);
}
END_TEST

static void check_span(const char *at, size_t n, const char *expected) {
        ck_assert((at != NULL) == (expected != NULL));
        ck_assert_uint_eq(n, expected ? strlen(expected) : 0);
        if (expected)
                ck_assert_mem_eq(at, expected, n);
}

START_TEST(test_split) {
        size_t n = strlen(names[_i].name);
        _cleanup_free_ char *name = copy_bytes(names[_i].name, n);
        UnitNameParts parts = {.n_type = 4711};

        ck_assert_int_eq(unit_name_split(name, n, &parts), names[_i].r);
        if (names[_i].r < 0) {
                ck_assert_uint_eq(parts.n_type, 4711);
                return;
        }
        check_span(parts.prefix, parts.n_prefix, names[_i].prefix);
        check_span(parts.instance, parts.n_instance, names[_i].instance);
        check_span(parts.type, parts.n_type, names[_i].type);
}
END_TEST

int main(void) {
        TCase *t = tcase_create("unit_name");

        tcase_add_loop_test(t, test_unescape, 0, N(escapes));
        tcase_add_loop_test(t, test_room, 0, N(escapes));
        tcase_add_test(t, test_nul);
        tcase_add_loop_test(t, test_split, 0, N(names));
        return unit_run("unit_name", t);
}
