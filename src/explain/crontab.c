/* SPDX-License-Identifier: MIT */

/* Lines are taken one by one; their words are only looked at when the bytes are not the same. */

#include "explain/crontab.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"

/* Steps of one comparison: patterns in a row make them grow. */
#define MATCH_STEPS_MAX 10000

typedef struct Words {
        Buffer text; /* each ended by NUL */
        size_t at[CRONTAB_WORDS_MAX];
        bool is_wild[CRONTAB_WORDS_MAX];
        bool is_first[CRONTAB_WORDS_MAX]; /* of a command */
        size_t n;
} Words;

static bool is_blank(char c) {
        return c == ' ' || c == '\t';
}

static size_t skip_blanks(const char *s, size_t n, size_t i) {
        while (i < n && is_blank(s[i]))
                i++;
        return i;
}

static size_t skip_word(const char *s, size_t n, size_t i) {
        while (i < n && !is_blank(s[i]))
                i++;
        return i;
}

/* NAME=value: names have no blank in them, times no "=" before the first. */
static bool is_assignment(const char *s, size_t n) {
        size_t i = 0;

        if (n == 0 || !(s[0] == '_' || s[0] == '"' || s[0] == '\'' ||
                        (s[0] >= 'A' && s[0] <= 'Z') || (s[0] >= 'a' && s[0] <= 'z')))
                return false;
        while (i < n && !is_blank(s[i]) && s[i] != '=')
                i++;
        i = skip_blanks(s, n, i);
        return i < n && s[i] == '=';
}

static size_t fields_of(CrontabKind kind, bool has_word) {
        if (kind == CRONTAB_ANACRON)
                return 3;
        return (has_word ? 1U : 5U) + (kind == CRONTAB_OF_SYSTEM ? 1U : 0U);
}

/* The command of a line, and whose it is. Return: false it has none, or is another user's. */
static bool find_command(const char *s, size_t n, CrontabKind kind, const CrontabJob *job,
                         const char **ret_command, size_t *ret_n) {
        size_t i = skip_blanks(s, n, 0), n_fields;

        /* "-" before the minute: do not log. */
        if (i < n && s[i] == '-')
                i++;
        if (i == n || s[i] == '#' || is_assignment(s + i, n - i))
                return false;
        n_fields = fields_of(kind, s[i] == '@');
        for (size_t k = 0; k < n_fields; k++) {
                const size_t start = i;

                i = skip_word(s, n, i);
                if (kind == CRONTAB_OF_SYSTEM && k + 1 == n_fields && job->user &&
                    (strlen(job->user) != i - start ||
                     memcmp(job->user, s + start, i - start) != 0))
                        return false;
                i = skip_blanks(s, n, i);
        }
        while (n > i && (is_blank(s[n - 1]) || s[n - 1] == '\r'))
                n--;
        *ret_command = s + i;
        *ret_n = n - i;
        return i < n;
}

/* What the shell gets: up to the first '%' that is not escaped, without the escapes. */
static void append_command(const char *s, size_t n, CrontabKind kind, Buffer *b) {
        for (size_t i = 0; i < n; i++) {
                if (kind != CRONTAB_ANACRON && s[i] == '\\' && i + 1 < n && s[i + 1] == '%')
                        i++;
                else if (kind != CRONTAB_ANACRON && s[i] == '%')
                        break;
                buffer_append_char(b, s[i]);
        }
}

/* One word of a shell's, as far as that can be said without being one. */
static size_t take_word(const char *s, size_t n, size_t i, Words *w) {
        char quote = '\0';

        for (; i < n && (quote || !strchr(" \t;&|()<>", s[i])); i++) {
                if (quote ? s[i] == quote : s[i] == '"' || s[i] == '\'') {
                        quote = quote ? '\0' : s[i];
                        continue;
                }
                if (quote != '\'' && s[i] == '\\' && i + 1 < n)
                        i++;
                else if (quote != '\'' && strchr("$`", s[i]))
                        w->is_wild[w->n] = true;
                else if (!quote && strchr("*?[{~", s[i]))
                        w->is_wild[w->n] = true;
                buffer_append_char(&w->text, s[i]);
        }
        return i;
}

/* "2" of "2>/dev/null" */
static bool is_descriptor(const char *s, size_t n, size_t start, size_t end) {
        return end < n && (s[end] == '<' || s[end] == '>') &&
               strspn(s + start, "0123456789") == end - start;
}

/* Redirections are left out. */
static void split(const char *s, size_t n, Words *w) {
        bool is_first = true, is_target = false;
        size_t i = 0, start;

        w->n = 0;
        while (w->n < CRONTAB_WORDS_MAX) {
                i = skip_blanks(s, n, i);
                if (i == n)
                        return;
                if (strchr(";&|()<>", s[i])) {
                        is_first = is_first || !strchr("<>&", s[i]) || (s[i] == '&' && !is_target);
                        is_target = strchr("<>", s[i]) || (s[i] == '&' && is_target);
                        i++;
                        continue;
                }
                start = i;
                w->at[w->n] = w->text.n_bytes;
                w->is_wild[w->n] = false;
                w->is_first[w->n] = is_first;
                i = take_word(s, n, i, w);
                buffer_append_char(&w->text, '\0');
                if (!is_target && !is_descriptor(s, n, start, i)) {
                        w->n++;
                        is_first = false;
                }
                is_target = false;
        }
}

/* "exec", "nice" and the like, and assignments, come before what is run. */
static bool may_begin(const Words *w, size_t i) {
        static const char *const before[] = {"exec", "nice", "ionice", "env",  "time",
                                             "{",    "then", "do",     "else", "!"};
        const char *word;

        if (w->is_first[i])
                return true;
        if (i == 0)
                return false;
        word = w->text.bytes + w->at[i - 1];
        if (strchr(word, '=') && may_begin(w, i - 1))
                return true;
        for (size_t k = 0; k < sizeof(before) / sizeof(before[0]); k++)
                if (strcmp(word, before[k]) == 0)
                        return true;
        return false;
}

/*
 * Are the words from i on, to the end of that command, the arguments from k on?
 * @n_exact: counts the words that are the same
 */
static bool words_match(const Words *w, size_t i, const CrontabJob *job, size_t k, size_t *n_exact,
                        size_t *n_steps) {
        if (++*n_steps > MATCH_STEPS_MAX)
                return false;
        if (i == w->n || (k > 0 && w->is_first[i]))
                return k == job->n_args;
        if (w->is_wild[i]) {
                for (size_t m = job->n_args + 1; m-- > k;)
                        if (words_match(w, i + 1, job, m, n_exact, n_steps))
                                return true;
                return false;
        }
        if (k == job->n_args || strcmp(w->text.bytes + w->at[i], job->args[k]) != 0 ||
            !words_match(w, i + 1, job, k + 1, n_exact, n_steps))
                return false;
        ++*n_exact;
        return true;
}

/* How well a command fits: 0 not at all, else the more the better. */
static size_t fit(const Buffer *command, const CrontabJob *job) {
        Words w = {.n = 0};
        size_t best = 0, n_steps = 0;

        if (job->command)
                return strlen(job->command) == command->n_bytes &&
                                       memcmp(job->command, command->bytes, command->n_bytes) == 0
                               ? SIZE_MAX
                               : 0;
        if (job->n_args == 0)
                return 0;
        split(command->bytes, command->n_bytes, &w);
        for (size_t i = 0; !w.text.is_failed && i < w.n; i++) {
                size_t n_exact = 0;

                /* Something must be the same, not all be what a pattern could have been. */
                if (may_begin(&w, i) && !w.is_wild[i] &&
                    words_match(&w, i, job, 0, &n_exact, &n_steps) && n_exact > best)
                        best = n_exact;
        }
        buffer_done(&w.text);
        return best;
}

int crontab_find(const char *text, size_t n_bytes, CrontabKind kind, const CrontabJob *job,
                 CrontabLine *ret_line) {
        _cleanup_buffer_ Buffer command = {0}, found = {0};
        CrontabLine line = {0};
        size_t best = 0, number = 0;

        if (n_bytes > CRONTAB_BYTES_MAX)
                n_bytes = CRONTAB_BYTES_MAX;
        for (size_t at = 0; at < n_bytes;) {
                const char *end = memchr(text + at, '\n', n_bytes - at), *start;
                size_t n_line = end ? (size_t)(end - text) - at : n_bytes - at, n, fits;

                number++;
                if (find_command(text + at, n_line, kind, job, &start, &n)) {
                        buffer_clear(&command);
                        append_command(start, n, kind, &command);
                        fits = fit(&command, job);
                        if (command.is_failed)
                                return -ENOMEM;
                        if (fits > 0 && fits == best)
                                line.is_ambiguous = true;
                        if (fits > best) {
                                best = fits;
                                line = (CrontabLine){.number = number,
                                                     .is_exact = fits == SIZE_MAX};
                                buffer_clear(&found);
                                buffer_append(&found, command.bytes, command.n_bytes);
                        }
                }
                at += n_line + 1;
        }
        if (best == 0)
                return -ENOENT;
        line.command = strndup(buffer_terminate(&found), found.n_bytes);
        if (found.is_failed || !line.command)
                return -ENOMEM;
        *ret_line = line;
        return 0;
}
