/* SPDX-License-Identifier: MIT */

/*
 * The lines of tmpfiles.d that are in force, each with where it stands.
 *
 * The header that --cat-config puts before a file looks like a comment, and so a comment can look
 * like a header ("# /usr/lib/tmpfiles.d/tmp.conf" is a natural thing to write into an override).
 * With the file at hand there is no doubt: the output goes on behind as many bytes (252 copies the
 * file) or lines (since 255 it prints them one by one) as the file has.  Without it, a header
 * is a line that names a .conf file in a directory …tmpfiles.d, behind an empty line, and whose
 * name sorts behind that of the file before, because the tool sorts them so.
 *
 * Source: cat_files() in src/shared/pretty-print.c of systemd 252 and 257; read_line_full() in
 * src/basic/fileio.c.
 */

#include "explain/tmpfiles_config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/span.h"

#define BLANKS " \t\n\r"

/* The kinds of line ends, as bits. */
static unsigned line_end(char c) {
        return c == '\n' ? 1 : c == '\r' ? 2 : c == '\0' ? 4 : 0;
}

/* Takes a line off the text; false at its end. A NUL ends a line alone, \n and \r also as a pair.
 */
static bool take_line(Span *text, Span *ret_line) {
        size_t n = 0, i;
        unsigned ends = 0;

        if (text->n == 0)
                return false;
        while (n < text->n && line_end(text->at[n]) == 0)
                n++;
        *ret_line = (Span){text->at, n};
        for (i = n; i < text->n; i++) {
                unsigned end = line_end(text->at[i]);

                if (end == 0 || (ends & 4) || (ends & end))
                        break;
                ends |= end;
        }
        text->at += i;
        text->n -= i;
        return true;
}

static Span strip(Span s) {
        while (s.n > 0 && strchr(BLANKS, s.at[0])) {
                s.at++;
                s.n--;
        }
        while (s.n > 0 && strchr(BLANKS, s.at[s.n - 1]))
                s.n--;
        return s;
}

static void rule_done(TmpfilesRule *rule) {
        tmpfiles_line_done(&rule->line);
        free(rule->text);
        free(rule->fault);
}

void tmpfiles_config_done(TmpfilesConfig *c) {
        for (size_t i = 0; i < c->n_rules; i++)
                rule_done(&c->rules[i]);
        for (size_t i = 0; i < c->n_files; i++)
                free(c->files[i]);
        free(c->rules);
        free(c->files);
        *c = (TmpfilesConfig){0};
}

static int add_rule(TmpfilesConfig *c, const TmpfilesRule *rule) {
        if (c->n_rules == c->n_allocated) {
                size_t n = c->n_allocated > 0 ? 2 * c->n_allocated : 64;
                TmpfilesRule *rules = reallocarray(c->rules, n, sizeof(*rules));

                if (!rules)
                        return -ENOMEM;
                c->rules = rules;
                c->n_allocated = n;
        }
        c->rules[c->n_rules++] = *rule;
        return 0;
}

static int add_line(TmpfilesConfig *c, const char *file, unsigned number, Span text,
                    const TmpfilesWorld *world) {
        TmpfilesRule rule = {.file = file, .number = number};
        TmpfilesFault fault = {""};
        int r = tmpfiles_line_parse(text.at, text.n, world, &rule.line, &fault);

        if (r == -ENOMEM)
                return r;
        if (r == 0 && fault.text[0] == '\0')
                return 0;
        text = strip(text);
        rule.text = strndup(text.at, text.n);
        if (r <= 0)
                rule.fault = strdup(fault.text);
        rule.is_mistake = r == -EBADMSG;
        if (!rule.text || (r <= 0 && !rule.fault) || add_rule(c, &rule) < 0) {
                rule_done(&rule);
                return -ENOMEM;
        }
        return 0;
}

static int add_name(TmpfilesConfig *c, const char *file, size_t n, const char **ret_name) {
        char **files = reallocarray(c->files, c->n_files + 1, sizeof(*files));

        if (!files)
                return -ENOMEM;
        c->files = files;
        files[c->n_files] = strndup(file, n);
        if (!files[c->n_files])
                return -ENOMEM;
        *ret_name = files[c->n_files++];
        return 0;
}

static int add_lines(TmpfilesConfig *c, const char *file, Span text, const TmpfilesWorld *world) {
        Span line;

        for (unsigned number = 1; take_line(&text, &line); number++) {
                int r;

                if (c->n_rules >= TMPFILES_CONFIG_LINES_MAX) {
                        c->is_truncated = true;
                        return 0;
                }
                r = add_line(c, file, number, line, world);
                if (r < 0)
                        return r;
        }
        return 0;
}

int tmpfiles_config_add_file(TmpfilesConfig *c, const char *file, const char *bytes, size_t n_bytes,
                             const TmpfilesWorld *world) {
        const char *name;
        int r;

        if (n_bytes > TMPFILES_CONFIG_BYTES_MAX - c->n_bytes ||
            c->n_files >= TMPFILES_CONFIG_LINES_MAX) {
                c->is_truncated = true;
                return 0;
        }
        c->n_bytes += n_bytes;
        r = add_name(c, file, strlen(file), &name);
        if (r < 0)
                return r;
        return add_lines(c, name, (Span){bytes, n_bytes}, world);
}

/* "# /etc/tmpfiles.d/x.conf": the file of a line that may be a header. */
static bool is_header(Span line, Span *ret_file) {
        if (!span_starts_with(line, "# /") || !span_ends_with(line, ".conf") ||
            memchr(line.at, '\0', line.n))
                return false;
        *ret_file = (Span){line.at + 2, line.n - 2};
        return true;
}

/* Cuts a path in two at its last slash. */
static void split_name(Span path, Span *ret_directory, Span *ret_name) {
        size_t n = path.n;

        while (n > 0 && path.at[n - 1] != '/')
                n--;
        *ret_directory = (Span){path.at, n > 0 ? n - 1 : 0};
        *ret_name = (Span){path.at + n, path.n - n};
}

/* May b be the file behind a? */
static bool may_follow(Span a, Span b) {
        Span directory, name_a, name_b;
        size_t n;
        int r;

        split_name(a, &directory, &name_a);
        split_name(b, &directory, &name_b);
        if (!span_ends_with(directory, "tmpfiles.d"))
                return false;
        n = name_a.n < name_b.n ? name_a.n : name_b.n;
        r = memcmp(name_a.at, name_b.at, n);
        return r < 0 || (r == 0 && name_a.n < name_b.n);
}

/* Does the output go on with a header, or is it over? */
static bool is_between_files(Span rest) {
        Span line, file;

        if (rest.n == 0)
                return true;
        if (rest.at[0] != '\n')
                return false;
        rest.at++;
        rest.n--;
        return take_line(&rest, &line) && is_header(line, &file);
}

/* Skips a file that was copied, or printed line by line. Return: whether it stands there. */
static bool skip_known(Span *rest, Span bytes) {
        Span copied = *rest, printed = *rest, line, shown;

        if (bytes.n <= copied.n && (bytes.n == 0 || memcmp(copied.at, bytes.at, bytes.n) == 0)) {
                copied.at += bytes.n;
                copied.n -= bytes.n;
                if (is_between_files(copied)) {
                        *rest = copied;
                        return true;
                }
        }
        while (take_line(&bytes, &line)) {
                const char *end = printed.n > 0 ? memchr(printed.at, '\n', printed.n) : NULL;

                if (!end)
                        return false;
                shown = (Span){printed.at, (size_t)(end - printed.at)};
                if (shown.n != line.n || (line.n > 0 && memcmp(shown.at, line.at, line.n) != 0))
                        return false;
                printed.at = end + 1;
                printed.n -= shown.n + 1;
        }
        if (!is_between_files(printed))
                return false;
        *rest = printed;
        return true;
}

/* Up to the next header, by its looks. Return: what stands before it. */
static Span skip_unknown(Span *rest, Span file) {
        Span start = *rest, at = *rest, line, next;
        bool is_behind_empty = false;

        while (at.n > 0) {
                const char *from = at.at;

                (void)take_line(&at, &line);
                if (is_behind_empty && is_header(line, &next) && may_follow(file, next)) {
                        /* Less the empty line, which is the header's. */
                        *rest = (Span){from - 1, (size_t)(start.at + start.n - from) + 1};
                        return (Span){start.at, (size_t)(from - 1 - start.at)};
                }
                is_behind_empty = line.n == 0 && line.at[0] == '\n';
        }
        *rest = at;
        return start;
}

static int add_output_file(TmpfilesConfig *c, Span file, Span *rest, const TmpfilesFiles *files,
                           const TmpfilesWorld *world) {
        const char *name;
        Span bytes;
        int r;

        r = add_name(c, file.at, file.n, &name);
        if (r < 0)
                return r;
        if (files && files->read && files->read(files->userdata, name, &bytes.at, &bytes.n) == 0 &&
            skip_known(rest, bytes))
                return add_lines(c, name, bytes, world);
        bytes = skip_unknown(rest, file);
        return add_lines(c, name, bytes, world);
}

int tmpfiles_config_add_output(TmpfilesConfig *c, const char *bytes, size_t n_bytes,
                               const TmpfilesFiles *files, const TmpfilesWorld *world) {
        Span rest = {bytes, n_bytes}, line, file;

        if (n_bytes > TMPFILES_CONFIG_BYTES_MAX) {
                rest.n = TMPFILES_CONFIG_BYTES_MAX;
                c->is_truncated = true;
        }
        while (rest.n > 0) {
                int r;

                if (c->n_files >= TMPFILES_CONFIG_LINES_MAX) {
                        c->is_truncated = true;
                        return 0;
                }
                if (rest.at[0] == '\n') {
                        rest.at++;
                        rest.n--;
                }
                if (!take_line(&rest, &line))
                        return 0;
                if (!is_header(line, &file))
                        return -EBADMSG;
                r = add_output_file(c, file, &rest, files, world);
                if (r < 0)
                        return r;
        }
        return 0;
}
