/* SPDX-License-Identifier: MIT */

/*
 * One line of tmpfiles.d.
 *
 * Whatever makes systemd-tmpfiles refuse or skip a line must do so here too: a line that is not in
 * effect protects nothing, and what it said it would remove stays.  The order of the checks is
 * systemd's, but for --boot and --prefix, which whoever chooses among lines looks at: both drop
 * a line before its user, group, mode and age are looked at, and a dropped line has no effect
 * either way.
 *
 * Limits: what an ACL says is not checked (systemd warns and keeps the line); base64 and the
 * contents of a credential are not decoded.
 *
 * Source: parse_line() in src/tmpfiles/tmpfiles.c of systemd 252 and 256.
 */

#include "explain/tmpfiles_line.h"

#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "explain/tmpfiles_word.h"

#define BLANKS " \t\n\r"

/* The fields as they are written. */
typedef struct Words {
        char *action, *path, *mode, *user, *group, *age;
        const char *rest; /* the argument, not unquoted */
} Words;

static void words_done(Words *w) {
        free(w->action);
        free(w->path);
        free(w->mode);
        free(w->user);
        free(w->group);
        free(w->age);
}

__attribute__((format(printf, 3, 4))) static int fail(TmpfilesFault *f, int r, const char *format,
                                                      ...) {
        va_list args;

        va_start(args, format);
        vsnprintf(f->text, sizeof(f->text), format, args);
        va_end(args);
        return r;
}

static bool is_nothing(const char *s) {
        return !s || s[0] == '\0' || (s[0] == '-' && s[1] == '\0');
}

bool tmpfiles_type_takes_glob(char type) {
        return type != '\0' && strchr("wetTaAhHxXrRzZm", type);
}

bool tmpfiles_type_takes_ownership(char type) {
        return type != '\0' && strchr("fFdDvqQpLcbCwexXrR", type);
}

static int split_words(const char *text, unsigned version, Words *w, TmpfilesFault *f) {
        char **fields[] = {&w->action, &w->path, &w->mode, &w->user, &w->group, &w->age};
        bool has_escapes = version == 0 || version >= 254;
        size_t n = 0;

        for (int r = 1; n < sizeof(fields) / sizeof(fields[0]) && r > 0;) {
                r = tmpfiles_word_next(&text, has_escapes, fields[n]);
                if (r == -EBADMSG)
                        return fail(f, r, "field %zu: a quote is left open or an escape is unknown",
                                    n + 1);
                if (r < 0)
                        return r;
                n += (size_t)r;
        }
        if (n < 2)
                return fail(f, -EBADMSG, "a line needs a type and a path");
        w->rest = text;
        return 0;
}

/* The type's letter and what stands behind it. */
static int parse_action(const char *action, unsigned version, TmpfilesLine *line,
                        TmpfilesFault *f) {
        bool is_new = version == 0 || version >= 257;
        const struct {
                char letter;
                bool *is_set;
        } modifiers[] = {
                {'!', &line->is_boot_only},
                {'+', &line->is_forced},
                {'-', &line->may_fail},
                {'=', &line->is_replacing},
                {'~', &line->is_base64},
                {'^', &line->is_credential},
                {is_new ? '$' : '\0', &line->is_purged},
                {is_new ? '?' : '\0', &line->is_target_checked},
        };
        const size_t n_modifiers = sizeof(modifiers) / sizeof(modifiers[0]);

        if (action[0] == '\0')
                return fail(f, -EBADMSG, "the type is empty");
        line->type = action[0];
        for (const char *s = action + 1; *s != '\0'; s++) {
                size_t i = 0;

                while (i < n_modifiers && modifiers[i].letter != *s)
                        i++;
                if (i == n_modifiers || *modifiers[i].is_set)
                        return fail(f, -EBADMSG, "unknown or repeated modifiers in '%.32s'",
                                    action);
                *modifiers[i].is_set = true;
        }
        if (!strchr(TMPFILES_TYPES, line->type))
                return fail(f, -EBADMSG, "unknown type '%.32s'", action);
        if (line->is_target_checked && line->type != 'L')
                return fail(f, -EBADMSG, "'?' has no meaning for type %c", line->type);
        if (line->is_base64 && strchr("LCcbtTaAhH", line->type))
                return fail(f, -EBADMSG, "'~' (base64) has no meaning for type %c", line->type);
        return 0;
}

/* Drops empty components and "."; the text gets shorter. */
static void simplify(char *path) {
        char *to = path;
        const char *from = path;

        while (*from != '\0') {
                const char *name = from + strspn(from, "/");
                size_t n = strcspn(name, "/");

                from = name + n;
                if (n == 0 || (n == 1 && name[0] == '.'))
                        continue;
                *to++ = '/';
                memmove(to, name, n);
                to += n;
        }
        if (to == path)
                *to++ = '/';
        *to = '\0';
}

/* 1 expanded; 0 skipped, -EBADMSG, -ENOMEM. */
static int expand(const char *text, const char *what, const TmpfilesWorld *world, char **ret,
                  TmpfilesFault *f) {
        char letter = '\0';
        int r = tmpfiles_word_expand(text, world, ret, &letter);

        switch (r) {
        case 0:
                return 1;
        case -ENOMEM:
                return r;
        case -EBADSLT:
                return fail(f, -EBADMSG, "no such specifier in the %s: %%%c", what, letter);
        case -ENAMETOOLONG:
                return fail(f, -EBADMSG, "the %s is longer than %zu bytes", what,
                            TMPFILES_PATH_BYTES_MAX);
        case -EUNATCH:
        case -ENOMEDIUM:
        case -ENOPKG:
        case -ENXIO:
                return fail(f, 0, "skipped: what %%%c stands for is not known here", letter);
        default:
                return fail(f, -EBADMSG, "cannot tell what %%%c stands for: %s", letter,
                            strerror(-r));
        }
}

static int parse_path(const char *text, const TmpfilesWorld *world, TmpfilesLine *line,
                      TmpfilesFault *f) {
        static const char legacy[] = "/var/run/";
        int r = expand(text, "path", world, &line->path, f);

        if (r <= 0)
                return r;
        if (line->path[0] != '/')
                return fail(f, -EBADMSG, "the path '%.64s' is not absolute", line->path);
        simplify(line->path);
        if (strncmp(line->path, legacy, sizeof(legacy) - 1) == 0)
                memmove(line->path, line->path + 4, strlen(line->path + 4) + 1);
        return 1;
}

static bool is_device_number(const char *s) {
        size_t n_major = strspn(s, "0123456789"), n_minor;

        if (n_major == 0 || n_major > 9 || s[n_major] != ':')
                return false;
        s += n_major + 1;
        n_minor = strspn(s, "0123456789");
        return n_minor > 0 && n_minor <= 9 && s[n_minor] == '\0';
}

/* "+C", "=dA": an optional sign and the letters of chattr(1) that systemd knows. */
static bool is_attributes(const char *s) {
        if (*s == '+' || *s == '-' || *s == '=')
                s++;
        return *s != '\0' && s[strspn(s, "ASDacdeijsutTCP")] == '\0';
}

/* The source of a copy. Return: 1, 0 missing, -EBADMSG, -ENOMEM. */
static int parse_source(const TmpfilesWorld *world, TmpfilesLine *line, TmpfilesFault *f) {
        if (!line->argument) {
                if (asprintf(&line->argument, "/usr/share/factory%s", line->path) < 0) {
                        line->argument = NULL;
                        return -ENOMEM;
                }
        } else if (line->argument[0] != '/') {
                return fail(f, -EBADMSG, "the source '%.64s' is not absolute", line->argument);
        }
        simplify(line->argument);
        if (world->has_source && !world->has_source(world->userdata, line->argument))
                return fail(f, 0, "skipped: the source %.128s does not exist", line->argument);
        return 1;
}

static int expand_argument(const TmpfilesWorld *world, TmpfilesLine *line, TmpfilesFault *f) {
        _cleanup_free_ char *plain = NULL;
        char *expanded = NULL;
        int r;

        if (!line->argument || line->is_base64 || !strchr("CLfFw", line->type))
                return 1;
        r = tmpfiles_word_unescape(line->argument, &plain);
        if (r == -EBADMSG)
                return fail(f, r, "unknown escape in the argument");
        if (r < 0)
                return r;
        r = expand(plain, "argument", world, &expanded, f);
        if (r <= 0)
                return r;
        free(line->argument);
        line->argument = expanded;
        return 1;
}

static int parse_argument(const char *rest, const TmpfilesWorld *world, TmpfilesLine *line,
                          TmpfilesFault *f) {
        int r;

        if (!is_nothing(rest)) {
                line->argument = strdup(rest);
                if (!line->argument)
                        return -ENOMEM;
        }
        if (!line->argument && strchr("wcbtTaAhH", line->type))
                return fail(f, -EBADMSG, "type %c needs an argument", line->type);
        if (strchr("cb", line->type) && !is_device_number(line->argument))
                return fail(f, -EBADMSG, "not a device number MAJOR:MINOR: '%.32s'",
                            line->argument);
        if (strchr("hH", line->type) && !is_attributes(line->argument))
                return fail(f, -EBADMSG, "not file attributes: '%.32s'", line->argument);

        r = expand_argument(world, line, f);
        if (r <= 0)
                return r;
        if (line->type == 'C') {
                r = parse_source(world, line, f);
                if (r <= 0)
                        return r;
        }
        if (!line->is_credential)
                return 1;
        if (!line->argument)
                return fail(f, -EBADMSG, "'^' needs the name of a credential as argument");
        if (!world->has_credential || !world->has_credential(world->userdata, line->argument))
                return fail(f, 0, "skipped: no credential '%.64s'", line->argument);
        return 1;
}

/* A number as systemd's parse_uid() takes it: no sign, no leading zero, neither -1 nor 65535. */
static int parse_id(const char *s, uint32_t *ret) {
        size_t n = strspn(s, "0123456789");
        unsigned long long v;

        if (n == 0 || n > 10 || s[n] != '\0' || (n > 1 && s[0] == '0'))
                return -EBADMSG;
        v = strtoull(s, NULL, 10);
        if (v >= UINT32_MAX || v == UINT16_MAX)
                return -EBADMSG;
        *ret = (uint32_t)v;
        return 0;
}

static int parse_owner(const Words *w, const TmpfilesWorld *world, TmpfilesLine *line,
                       TmpfilesFault *f) {
        if (!is_nothing(w->user)) {
                const char *name = w->user + (w->user[0] == ':');

                line->is_uid_for_new = name != w->user;
                line->is_uid_set =
                        parse_id(name, &line->uid) == 0 ||
                        (world->uid && world->uid(world->userdata, name, &line->uid) == 0);
                if (!line->is_uid_set && !world->is_graceful)
                        return fail(f, -EBADMSG, "no such user: '%.64s'", name);
        }
        if (!is_nothing(w->group)) {
                const char *name = w->group + (w->group[0] == ':');

                line->is_gid_for_new = name != w->group;
                line->is_gid_set =
                        parse_id(name, &line->gid) == 0 ||
                        (world->gid && world->gid(world->userdata, name, &line->gid) == 0);
                if (!line->is_gid_set && !world->is_graceful)
                        return fail(f, -EBADMSG, "no such group: '%.64s'", name);
        }
        return 1;
}

static int parse_mode(const char *text, TmpfilesLine *line, TmpfilesFault *f) {
        const char *s = text;
        size_t n;

        line->mode = strchr("dDvqQ", line->type) ? 0755 : 0644;
        if (is_nothing(text))
                return 1;
        for (; *s == '~' || *s == ':'; s++)
                if (*s == '~')
                        line->is_mode_masked = true;
                else
                        line->is_mode_for_new = true;
        n = strspn(s, "01234567");
        if (n == 0 || s[n] != '\0' || strtoul(s, NULL, 8) > 07777)
                return fail(f, -EBADMSG, "not a mode: '%.32s'", text);
        line->mode = (mode_t)strtoul(s, NULL, 8);
        line->is_mode_set = true;
        return 1;
}

static int parse_words(const char *text, const TmpfilesWorld *world, TmpfilesLine *line,
                       TmpfilesFault *f) {
        _cleanup_(words_done) Words w = {0};
        int r;

        r = split_words(text, world->version, &w, f);
        if (r < 0)
                return r;
        r = parse_action(w.action, world->version, line, f);
        if (r < 0)
                return r;
        r = parse_path(w.path, world, line, f);
        if (r <= 0)
                return r;
        r = parse_argument(w.rest, world, line, f);
        if (r <= 0)
                return r;
        r = parse_owner(&w, world, line, f);
        if (r <= 0)
                return r;
        r = parse_mode(w.mode, line, f);
        if (r <= 0)
                return r;

        line->times_of_file = TMPFILES_TIMES_OF_FILE;
        line->times_of_directory = TMPFILES_TIMES_OF_DIRECTORY;
        if (is_nothing(w.age))
                return 1;
        r = tmpfiles_age_parse(w.age, line, f);
        return r < 0 ? r : 1;
}

/* Ends behind the last byte that is no blank: systemd strips a line before it looks at it. */
static char *copy_stripped(const char *text, size_t n) {
        const char *nul = memchr(text, '\0', n);

        if (nul)
                n = (size_t)(nul - text);
        while (n > 0 && strchr(BLANKS, text[0])) {
                text++;
                n--;
        }
        while (n > 0 && strchr(BLANKS, text[n - 1]))
                n--;
        return strndup(text, n);
}

int tmpfiles_line_parse(const char *text, size_t n, const TmpfilesWorld *world,
                        TmpfilesLine *ret_line, TmpfilesFault *ret_fault) {
        _cleanup_(tmpfiles_line_done) TmpfilesLine line = {0};
        _cleanup_free_ char *copy = NULL;
        TmpfilesFault ignored = {0}, *f = ret_fault ? ret_fault : &ignored;
        bool is_new = world->version == 0 || world->version >= 254;
        int r;

        if (n == 0)
                return 0;
        if (n > TMPFILES_LINE_BYTES_MAX)
                return fail(f, -EBADMSG, "the line is longer than %zu bytes",
                            TMPFILES_LINE_BYTES_MAX);
        copy = copy_stripped(text, n);
        if (!copy)
                return -ENOMEM;
        if (copy[0] == '\0' || copy[0] == '#' || (is_new && copy[0] == ';')) {
                f->text[0] = '\0';
                return 0;
        }

        r = parse_words(copy, world, &line, f);
        if (r <= 0)
                return r;
        *ret_line = line;
        line = (TmpfilesLine){0};
        return 1;
}

void tmpfiles_line_done(TmpfilesLine *line) {
        free(line->path);
        free(line->argument);
        *line = (TmpfilesLine){0};
}
