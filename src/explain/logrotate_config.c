/* SPDX-License-Identifier: MIT */

/* A hand over the text: comments, patterns up to "{", directives up to "}", scripts passed over. */

#include "explain/logrotate_config.h"

#include <errno.h>
#include <fnmatch.h>
#include <limits.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "base/cleanup.h"

typedef struct Text {
        const char *at, *end;
        size_t line;
} Text;

void logrotate_config_done(LogrotateConfig *c) {
        for (size_t i = 0; i < c->n_stanzas; i++) {
                free(c->stanzas[i].file);
                free(c->stanzas[i].olddir);
        }
        for (size_t i = 0; i < c->n_patterns; i++)
                free(c->patterns[i].text);
        free(c->stanzas);
        free(c->patterns);
        free(c->olddir);
        *c = (LogrotateConfig){0};
}

static bool is_blank(char c) {
        return c == ' ' || c == '\t' || c == '\r' || c == '\f' || c == '\v';
}

static void skip_blanks(Text *t) {
        while (t->at < t->end && is_blank(*t->at))
                t->at++;
}

static void skip_line(Text *t) {
        const char *end = memchr(t->at, '\n', (size_t)(t->end - t->at));

        t->at = end ? end + 1 : t->end;
        t->line += end ? 1 : 0;
}

static void skip_space(Text *t) {
        for (; t->at < t->end && (is_blank(*t->at) || *t->at == '\n'); t->at++)
                t->line += *t->at == '\n' ? 1 : 0;
}

/* A word with its quotes and escapes undone. Return: false at the end of the line. */
static bool take_word(Text *t, Buffer *ret_word) {
        char quote = '\0';
        bool is_there = false;

        buffer_clear(ret_word);
        skip_blanks(t);
        for (; t->at < t->end && *t->at != '\n' && (quote || (!is_blank(*t->at) && *t->at != '{'));
             t->at++) {
                is_there = true;
                if (quote ? *t->at == quote : *t->at == '"' || *t->at == '\'') {
                        quote = quote ? '\0' : *t->at;
                        continue;
                }
                if (*t->at == '\\' && t->at + 1 < t->end && t->at[1] != '\n')
                        t->at++;
                buffer_append_char(ret_word, *t->at);
        }
        return is_there;
}

static bool is_word(const Buffer *b, const char *word) {
        return b->n_bytes == strlen(word) && memcmp(b->bytes, word, b->n_bytes) == 0;
}

static bool is_path(const Buffer *b) {
        return b->n_bytes > 0 && b->n_bytes < PATH_MAX && !memchr(b->bytes, '\0', b->n_bytes);
}

/* Is there room for a text? Then it is taken. */
static bool take_room(LogrotateConfig *c, size_t n_bytes) {
        if (n_bytes > LOGROTATE_KEPT_BYTES_MAX - c->n_kept_bytes)
                return false;
        c->n_kept_bytes += n_bytes;
        return true;
}

/* Return: 0, -ENOMEM; also 0 when there is no room for more. */
static int add_pattern(LogrotateConfig *c, const Buffer *word) {
        char *text;

        if (c->n_patterns == LOGROTATE_PATTERNS_MAX || !is_path(word) || word->bytes[0] != '/' ||
            !take_room(c, word->n_bytes))
                return 0;
        if (c->n_patterns % 16 == 0) {
                LogrotatePattern *more = realloc(c->patterns, (c->n_patterns + 16) * sizeof(*more));

                if (!more)
                        return -ENOMEM;
                c->patterns = more;
        }
        text = strndup(word->bytes, word->n_bytes);
        if (!text)
                return -ENOMEM;
        c->patterns[c->n_patterns++] = (LogrotatePattern){.text = text, .stanza = c->n_stanzas};
        return 0;
}

/* Up to and with the line that ends a script. */
static void skip_script(Text *t, Buffer *word) {
        while (t->at < t->end) {
                if (take_word(t, word) && is_word(word, "endscript")) {
                        skip_line(t);
                        return;
                }
                skip_line(t);
        }
}

static bool begins_script(const Buffer *word) {
        static const char *const names[] = {"postrotate", "prerotate", "firstaction", "lastaction",
                                            "preremove"};

        for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
                if (is_word(word, names[i]))
                        return true;
        return false;
}

/* "olddir", as a directive of a stanza or of all that follow. */
static int take_olddir(Text *t, Buffer *word, char **olddir) {
        char *directory;

        /* "olddir /x" and "olddir=/x" */
        skip_blanks(t);
        if (t->at < t->end && *t->at == '=')
                t->at++;
        if (!take_word(t, word) || !is_path(word))
                return 0;
        directory = strndup(word->bytes, word->n_bytes);
        if (!directory)
                return -ENOMEM;
        free(*olddir);
        *olddir = directory;
        return 0;
}

static int parse_directive(Text *t, Buffer *word, char **olddir) {
        int r = 0;

        if (begins_script(word)) {
                skip_line(t);
                skip_script(t, word);
                return 0;
        }
        if (is_word(word, "olddir")) {
                r = take_olddir(t, word, olddir);
        } else if (is_word(word, "noolddir")) {
                free(*olddir);
                *olddir = NULL;
        }
        skip_line(t);
        return r;
}

static int parse_body(Text *t, Buffer *word, char **olddir) {
        while (t->at < t->end) {
                int r;

                skip_space(t);
                if (t->at == t->end)
                        return 0;
                if (*t->at == '}') {
                        skip_line(t);
                        return 0;
                }
                if (*t->at == '#' || *t->at == '{' || !take_word(t, word)) {
                        skip_line(t);
                        continue;
                }
                r = parse_directive(t, word, olddir);
                if (r < 0)
                        return r;
        }
        return 0;
}

static int parse_patterns(LogrotateConfig *c, Text *t, Buffer *word) {
        int r = 0;

        while (r >= 0) {
                skip_space(t);
                if (t->at == t->end || *t->at == '{' || *t->at == '}')
                        break;
                if (*t->at == '#')
                        skip_line(t);
                else if (take_word(t, word))
                        r = add_pattern(c, word);
        }
        return r;
}

/* Takes what is in s. Return: 0, -ENOMEM; also 0 when there is no room for more. */
static int add_stanza(LogrotateConfig *c, LogrotateStanza *s) {
        if (c->n_stanzas == LOGROTATE_STANZAS_MAX ||
            !take_room(c, strlen(s->file) + (s->olddir ? strlen(s->olddir) : 0)))
                return 0;
        if (c->n_stanzas % 16 == 0) {
                LogrotateStanza *more = realloc(c->stanzas, (c->n_stanzas + 16) * sizeof(*more));

                if (!more)
                        return -ENOMEM;
                c->stanzas = more;
        }
        c->stanzas[c->n_stanzas++] = *s;
        *s = (LogrotateStanza){0};
        return 0;
}

/* Patterns up to "{", then what it says. */
static int parse_stanza(LogrotateConfig *c, const char *file, Text *t, Buffer *word) {
        const size_t n_before = c->n_patterns, n_stanzas = c->n_stanzas;
        LogrotateStanza s = {.line = t->line};
        int r = parse_patterns(c, t, word);

        if (r >= 0 && t->at < t->end && *t->at++ == '{') {
                s.file = strdup(file);
                s.olddir = c->olddir ? strdup(c->olddir) : NULL;
                r = s.file && (s.olddir || !c->olddir) ? parse_body(t, word, &s.olddir) : -ENOMEM;
                if (r >= 0 && c->n_patterns > n_before)
                        r = add_stanza(c, &s);
        }
        /* Of no stanza that is kept. */
        while (c->n_stanzas == n_stanzas && c->n_patterns > n_before) {
                c->n_kept_bytes -= strlen(c->patterns[--c->n_patterns].text);
                free(c->patterns[c->n_patterns].text);
        }
        free(s.file);
        free(s.olddir);
        return r;
}

static int parse_include(LogrotateConfig *c, Text *t, Buffer *word,
                         const LogrotateIncluder *includer) {
        _cleanup_free_ char *path = NULL;
        int r = 0;

        skip_blanks(t);
        if (t->at < t->end && *t->at == '=')
                t->at++;
        if (take_word(t, word) && is_path(word) && includer) {
                path = strndup(word->bytes, word->n_bytes);
                r = path ? includer->include(includer->userdata, path, c) : -ENOMEM;
        }
        skip_line(t);
        return r;
}

static bool begins_pattern(char c) {
        return c == '/' || c == '"' || c == '\'' || c == '~' || c == '{';
}

int logrotate_config_parse(LogrotateConfig *c, const char *file, const char *text, size_t n_bytes,
                           const LogrotateIncluder *includer) {
        _cleanup_buffer_ Buffer word = {0};
        Text t = {.at = text, .end = text + n_bytes, .line = 1};
        int r = 0;

        while (r >= 0) {
                skip_space(&t);
                if (t.at == t.end)
                        break;
                if (begins_pattern(*t.at)) {
                        r = parse_stanza(c, file, &t, &word);
                } else if (*t.at == '#' || !take_word(&t, &word)) {
                        skip_line(&t);
                } else if (is_word(&word, "include")) {
                        r = parse_include(c, &t, &word, includer);
                } else {
                        r = parse_directive(&t, &word, &c->olddir);
                }
                if (word.is_failed)
                        r = -ENOMEM;
        }
        return r;
}

/* What logrotate puts behind a log's name begins with one of these. */
static bool may_end_name(char c) {
        return c == '\0' || c == '.' || c == '-' || c == '_';
}

/*
 * How much of a path is what a pattern names.
 * @path: changed while it works
 * Return: bytes, 0 it does not match.
 */
static size_t match(const char *pattern, char *path, size_t n_directory) {
        for (size_t n = strlen(path); n > n_directory + 1; n--) {
                const char kept = path[n];
                bool is_match;

                if (!may_end_name(kept))
                        continue;
                path[n] = '\0';
                is_match = fnmatch(pattern, path, FNM_PATHNAME | FNM_PERIOD) == 0;
                path[n] = kept;
                if (is_match)
                        return n;
        }
        return 0;
}

/*
 * Where the log would be that a file in an olddir was.
 * Return: false the file is not in it, or the names are too long.
 */
static bool map_from_olddir(const char *olddir, const char *pattern, const char *path,
                            size_t n_directory, char ret_path[static PATH_MAX]) {
        const char *slash = strrchr(pattern, '/');
        const size_t n_logs = (size_t)(slash - pattern), n_name = strlen(path) - n_directory;
        size_t n_olddir = strlen(olddir);

        while (n_olddir > 1 && olddir[n_olddir - 1] == '/')
                n_olddir--;
        if (olddir[0] == '/') {
                if (n_olddir != n_directory || memcmp(olddir, path, n_directory) != 0)
                        return false;
        } else if (n_directory != n_logs + 1 + n_olddir || memcmp(path, pattern, n_logs) != 0 ||
                   path[n_logs] != '/' || memcmp(path + n_logs + 1, olddir, n_olddir) != 0) {
                return false;
        }
        if (n_logs + n_name >= PATH_MAX)
                return false;
        memcpy(ret_path, pattern, n_logs);
        memcpy(ret_path + n_logs, path + n_directory, n_name + 1);
        return true;
}

const LogrotateStanza *logrotate_config_find(const LogrotateConfig *c, const char *path) {
        const char *slash = strrchr(path, '/');
        const LogrotateStanza *found = NULL;
        char copy[PATH_MAX], mapped[PATH_MAX];
        size_t best = 0, n_directory;

        if (!slash || strlen(path) >= sizeof(copy))
                return NULL;
        strcpy(copy, path);
        n_directory = (size_t)(slash - path);
        for (size_t i = 0; i < c->n_patterns; i++) {
                const LogrotateStanza *s = &c->stanzas[c->patterns[i].stanza];
                const char *pattern = c->patterns[i].text;
                size_t n = match(pattern, copy, n_directory);

                if (n == 0 && s->olddir &&
                    map_from_olddir(s->olddir, pattern, path, n_directory, mapped))
                        n = match(pattern, mapped, (size_t)(strrchr(mapped, '/') - mapped));
                if (n > best) {
                        best = n;
                        found = s;
                }
        }
        return found;
}
