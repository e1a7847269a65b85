/* SPDX-License-Identifier: MIT */

/* Lines of tmpfiles.d: words, specifiers, modifiers, owners, modes, arguments. */

#include <errno.h>
#include <string.h>

#include "explain/tmpfiles_line.h"
#include "explain/tmpfiles_word.h"
#include "unit.h"

#define N(x) ((int)(sizeof(x) / sizeof((x)[0])))

static int specifier(void *userdata, char letter, const char **ret_text) {
        (void)userdata;
        switch (letter) {
        case 't':
                *ret_text = "/run";
                return 0;
        case 'b':
                *ret_text = "0123";
                return 0;
        case 'W':
                *ret_text = "";
                return 0;
        case 'm':
                return -ENOMEDIUM;
        default:
                return -EBADSLT;
        }
}

static int id(void *userdata, const char *name, uid_t *ret_id) {
        (void)userdata;
        if (strcmp(name, "root") != 0)
                return -ESRCH;
        *ret_id = 0;
        return 0;
}

static bool has_source(void *userdata, const char *path) {
        (void)userdata;
        return strcmp(path, "/usr/share/factory/etc/x") == 0 || strcmp(path, "/there") == 0;
}

static const TmpfilesWorld world = {
        .specifier = specifier,
        .uid = id,
        .gid = id,
        .has_source = has_source,
        .version = 252,
};
static const TmpfilesWorld world_257 = {
        .specifier = specifier,
        .uid = id,
        .gid = id,
        .has_source = has_source,
        .version = 257,
};
static const TmpfilesWorld graceful = {.version = 257, .is_graceful = true};

static int parse(const char *text, const TmpfilesWorld *w, TmpfilesLine *ret, TmpfilesFault *f) {
        return tmpfiles_line_parse(text, strlen(text), w, ret, f);
}

/* Lines in effect, by path and argument. */
static const struct {
        const char *text;
        char type;
        const char *path, *argument;
} lines[] = {
        {"d /tmp", 'd', "/tmp", NULL},
        {"  d\t/tmp  ", 'd', "/tmp", NULL},
        {"D! /tmp 1777 root root 0", 'D', "/tmp", NULL},
        {"q /tmp 1777 root root 10d", 'q', "/tmp", NULL},
        {"d \"/with space\" - - - -", 'd', "/with space", NULL},
        {"d '/with space'", 'd', "/with space", NULL},
        {"d /with\\x20hex\\040octal\\sand\\tmore", 'd', "/with hex octal and\tmore", NULL},
        {"d /a\"b c\"d'e f'", 'd', "/ab cde f", NULL},
        {"d '/a\\x41\"b'", 'd', "/aA\"b", NULL},
        {"d /\\u00e9\\U0001f600", 'd', "/\303\251\360\237\230\200", NULL},
        {"d /\\xff", 'd', "/\xff", NULL},
        {"d //a/./b//c/", 'd', "/a/b/c", NULL},
        {"d /..//x", 'd', "/../x", NULL},
        {"d /", 'd', "/", NULL},
        {"d //./", 'd', "/", NULL},
        {"d /var/run/x", 'd', "/run/x", NULL},
        {"d /var//run/./x", 'd', "/run/x", NULL},
        {"d /var/run", 'd', "/var/run", NULL},
        {"d /var/runner/x", 'd', "/var/runner/x", NULL},
        {"d %t/x-%b", 'd', "/run/x-0123", NULL},
        {"d /a%Wb%%c%", 'd', "/ab%c%", NULL},
        {"d /a%-b", 'd', "/a%-b", NULL},
        {"x /tmp/a* - - - - ignored", 'x', "/tmp/a*", "ignored"},
        {"f /f - - - - one  two \"three\"", 'f', "/f", "one  two \"three\""},
        {"f /f - - - - \\x41%t\\n", 'f', "/f", "A/run\n"},
        {"f /f 0644 root root - -", 'f', "/f", NULL},
        {"f~ /f - - - - QQ%k", 'f', "/f", "QQ%k"},
        {"w /f - - - - x", 'w', "/f", "x"},
        {"L /l", 'L', "/l", NULL},
        {"L+ /l - - - - %t/x", 'L', "/l", "/run/x"},
        {"C /etc/x", 'C', "/etc/x", "/usr/share/factory/etc/x"},
        {"C /e - - - - /there/", 'C', "/e", "/there"},
        {"c /dev/n - - - - 1:3", 'c', "/dev/n", "1:3"},
        {"h /h - - - - +C", 'h', "/h", "+C"},
        {"a /h - - - - u:x:r", 'a', "/h", "u:x:r"},
        {"\"d\" \"/q\" \"-\" '-'", 'd', "/q", NULL},
        {"d /u 0 4294967294 1", 'd', "/u", NULL},
};

START_TEST(test_lines) {
        TmpfilesLine line;
        TmpfilesFault fault;

        ck_assert_int_eq(parse(lines[_i].text, &world_257, &line, &fault), 1);
        ck_assert_int_eq(line.type, lines[_i].type);
        ck_assert_str_eq(line.path, lines[_i].path);
        if (lines[_i].argument)
                ck_assert_str_eq(line.argument, lines[_i].argument);
        else if (line.type != 'C')
                ck_assert_ptr_null(line.argument);
        tmpfiles_line_done(&line);
}
END_TEST

/* Lines that are not: skipped (0) or refused, and what is said of it. */
static const struct {
        const char *text;
        int r;
        const char *fault;
} faults[] = {
        {"", 0, NULL},
        {"   \t", 0, NULL},
        {"# d /tmp", 0, ""},
        {"  #", 0, ""},
        {"d", -EBADMSG, "a line needs a type and a path"},
        {"\"\" /x", -EBADMSG, "the type is empty"},
        {"; comment", -EBADMSG, "unknown type ';'"},
        {"k /x", -EBADMSG, "unknown type 'k'"},
        {"d /tmp \"", -EBADMSG, "field 3: a quote is left open or an escape is unknown"},
        {"d \"/tmp", -EBADMSG, "field 2: a quote is left open or an escape is unknown"},
        {"d /\\", -EBADMSG, "field 2: a quote is left open or an escape is unknown"},
        {"d /\\q", -EBADMSG, "field 2: a quote is left open or an escape is unknown"},
        {"d /\\x0", -EBADMSG, NULL},
        {"d /\\x00", -EBADMSG, NULL},
        {"d /\\400", -EBADMSG, NULL},
        {"d /\\u00", -EBADMSG, NULL},
        {"d /\\U0000d800", -EBADMSG, NULL},
        {"d /\\U00110000", -EBADMSG, NULL},
        {"d tmp", -EBADMSG, "the path 'tmp' is not absolute"},
        {"d \"\"", -EBADMSG, "the path '' is not absolute"},
        {"d /%k", -EBADMSG, "no such specifier in the path: %k"},
        {"d /%m", 0, "skipped: what %m stands for is not known here"},
        {"d!! /x", -EBADMSG, "unknown or repeated modifiers in 'd!!'"},
        {"d& /x", -EBADMSG, "unknown or repeated modifiers in 'd&'"},
        {"d$ /x", -EBADMSG, "unknown or repeated modifiers in 'd$'"},
        {"L? /x", -EBADMSG, "unknown or repeated modifiers in 'L?'"},
        {"L~ /x - - - - x", -EBADMSG, "'~' (base64) has no meaning for type L"},
        {"w /x", -EBADMSG, "type w needs an argument"},
        {"w /x - - - - -", -EBADMSG, "type w needs an argument"},
        {"c /x - - - - 1", -EBADMSG, "not a device number MAJOR:MINOR: '1'"},
        {"h /x - - - - +q", -EBADMSG, "not file attributes: '+q'"},
        {"f /x - - - - \\q", -EBADMSG, "unknown escape in the argument"},
        {"f /x - - - - %k", -EBADMSG, "no such specifier in the argument: %k"},
        {"C /x", 0, "skipped: the source /usr/share/factory/x does not exist"},
        {"C /x - - - - there", -EBADMSG, "the source 'there' is not absolute"},
        {"f^ /x", -EBADMSG, "'^' needs the name of a credential as argument"},
        {"f^ /x - - - - key", 0, "skipped: no credential 'key'"},
        {"d /x - nobody-knows", -EBADMSG, "no such user: 'nobody-knows'"},
        {"d /x - :nobody", -EBADMSG, "no such user: 'nobody'"},
        {"d /x - - nobody", -EBADMSG, "no such group: 'nobody'"},
        {"d /x - 00", -EBADMSG, "no such user: '00'"},
        {"d /x - 65535", -EBADMSG, "no such user: '65535'"},
        {"d /x - 4294967295", -EBADMSG, "no such user: '4294967295'"},
        {"d /x 0888", -EBADMSG, "not a mode: '0888'"},
        {"d /x 17777", -EBADMSG, "not a mode: '17777'"},
        {"d /x ~", -EBADMSG, "not a mode: '~'"},
        {"d /x - - - ten", -EBADMSG, "not an age: 'ten' (as in 10d, 1h 30min, m:1w)"},
};

START_TEST(test_faults) {
        TmpfilesLine line = {.type = '?'};
        TmpfilesFault fault = {"untouched"};
        /* Escapes as in C came with 254. */
        const TmpfilesWorld *w = strchr(faults[_i].text, '\\') ? &world_257 : &world;

        ck_assert_int_eq(parse(faults[_i].text, w, &line, &fault), faults[_i].r);
        ck_assert_int_eq(line.type, '?');
        if (faults[_i].fault)
                ck_assert_str_eq(fault.text, faults[_i].fault);
}
END_TEST

START_TEST(test_modifiers) {
        TmpfilesLine line;

        ck_assert_int_eq(parse("d!+-=~^ /x - - - - c", &world, &line, NULL), 0); /* no credential */
        ck_assert_int_eq(parse("f!+-=~$ /x - - - - c", &world_257, &line, NULL), 1);
        ck_assert(line.is_boot_only && line.is_forced && line.may_fail && line.is_replacing &&
                  line.is_base64 && line.is_purged && !line.is_credential);
        tmpfiles_line_done(&line);

        ck_assert_int_eq(parse("L? /x - - - - /y", &world_257, &line, NULL), 1);
        ck_assert(line.is_target_checked && !line.is_boot_only);
        tmpfiles_line_done(&line);
        ck_assert_int_eq(parse("d? /x", &world_257, &line, NULL), -EBADMSG);
        ck_assert_int_eq(parse("; comment", &world_257, &line, NULL), 0);
}
END_TEST

START_TEST(test_owners) {
        TmpfilesLine line;

        ck_assert_int_eq(parse("d /x ~:1777 :root 7", &world, &line, NULL), 1);
        ck_assert(line.is_mode_set && line.is_mode_masked && line.is_mode_for_new);
        ck_assert_int_eq(line.mode, 01777);
        ck_assert(line.is_uid_set && line.is_uid_for_new && line.uid == 0);
        ck_assert(line.is_gid_set && !line.is_gid_for_new && line.gid == 7);
        tmpfiles_line_done(&line);

        ck_assert_int_eq(parse("d /x", &world, &line, NULL), 1);
        ck_assert(!line.is_mode_set && !line.is_uid_set && !line.is_gid_set && !line.is_age_set);
        ck_assert_int_eq(line.mode, 0755);
        tmpfiles_line_done(&line);
        ck_assert_int_eq(parse("e /x", &world, &line, NULL), 1);
        ck_assert_int_eq(line.mode, 0644);
        tmpfiles_line_done(&line);

        ck_assert_int_eq(parse("d /x - who where", &graceful, &line, NULL), 1);
        ck_assert(!line.is_uid_set && !line.is_gid_set);
        tmpfiles_line_done(&line);
}
END_TEST

/* Before 254 a backslash only took the meaning from what is behind it. */
START_TEST(test_old_backslash) {
        TmpfilesLine line;

        ck_assert_int_eq(parse("d /a\\x20\\ b\\\"'c\\'d'", &world, &line, NULL), 1);
        ck_assert_str_eq(line.path, "/ax20 b\"c'd");
        tmpfiles_line_done(&line);
        ck_assert_int_eq(parse("d /a\\", &world, &line, NULL), -EBADMSG);
        /* An argument always had them. */
        ck_assert_int_eq(parse("f /a - - - - \\x41", &world, &line, NULL), 1);
        ck_assert_str_eq(line.argument, "A");
        tmpfiles_line_done(&line);
}
END_TEST

START_TEST(test_bounds) {
        TmpfilesLine line;
        size_t n = TMPFILES_LINE_BYTES_MAX + 1;
        char *text = malloc(n);

        ck_assert_ptr_nonnull(text);
        memset(text, 'd', n);
        ck_assert_int_eq(tmpfiles_line_parse(text, n, &world, &line, NULL), -EBADMSG);
        ck_assert_int_eq(tmpfiles_line_parse("d /a\0 rubbish", 13, &world, &line, NULL), 1);
        ck_assert_str_eq(line.path, "/a");
        tmpfiles_line_done(&line);

        /* A path of 4095 bytes is taken, one more is not. */
        memcpy(text, "d /", 3);
        memset(text + 3, 'x', 4095);
        ck_assert_int_eq(tmpfiles_line_parse(text, 2 + 4095, &world, &line, NULL), 1);
        tmpfiles_line_done(&line);
        ck_assert_int_eq(tmpfiles_line_parse(text, 2 + 4096, &world, &line, NULL), -EBADMSG);
        free(text);
}
END_TEST

START_TEST(test_types) {
        /* As needs_glob() and takes_ownership() have it. */
        for (const char *t = "wetTaAhHxXrRzZm"; *t != '\0'; t++)
                ck_assert(tmpfiles_type_takes_glob(*t));
        for (const char *t = "fFdDvqQpLcbC"; *t != '\0'; t++)
                ck_assert(!tmpfiles_type_takes_glob(*t) && tmpfiles_type_takes_ownership(*t));
        for (const char *t = "tTaAhHzZm"; *t != '\0'; t++)
                ck_assert(!tmpfiles_type_takes_ownership(*t));
        ck_assert(!tmpfiles_type_takes_glob('\0') && !tmpfiles_type_takes_ownership('\0'));
}
END_TEST

int main(void) {
        TCase *tcase = tcase_create("tmpfiles_line");

        tcase_add_loop_test(tcase, test_lines, 0, N(lines));
        tcase_add_loop_test(tcase, test_faults, 0, N(faults));
        tcase_add_test(tcase, test_modifiers);
        tcase_add_test(tcase, test_owners);
        tcase_add_test(tcase, test_old_backslash);
        tcase_add_test(tcase, test_bounds);
        tcase_add_test(tcase, test_types);
        return unit_run("tmpfiles_line", tcase);
}
