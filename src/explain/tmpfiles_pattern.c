/* SPDX-License-Identifier: MIT */

/*
 * Where a line of tmpfiles.d acts: its path, or all that its pattern matches.
 *
 * systemd-tmpfiles expands a pattern with glob(3) and GLOB_BRACE.  Here the path is given and the
 * pattern is held against it, which says the same of a path that exists and also works for
 * one that is gone.  Lines may reach a directory through a symlink ("/var/lock" is "/run/lock"),
 * while what was deleted is known by its real path: the part of a pattern without wildcards is
 * resolved.  But systemd-tmpfiles lists no directory that is a symlink itself.
 *
 * Limits: symlinks behind the first wildcard are not followed; no more than TMPFILES_BRACES_MAX
 * alternatives of a pattern.
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/glob.h"
#include "explain/tmpfiles_rules.h"

/* The end of the component, or the whole, that a '{' at s[0] opens; NULL when it is not closed. */
static const char *brace_part_end(const char *s) {
        size_t depth = 0;

        for (; *s != '\0'; s++) {
                if (*s == '\\' && s[1] != '\0')
                        s++;
                else if (*s == '{')
                        depth++;
                else if (depth == 0 && (*s == ',' || *s == '}'))
                        return s;
                else if (*s == '}')
                        depth--;
        }
        return NULL;
}

static const char *find_brace(const char *s) {
        for (; *s != '\0'; s++) {
                if (*s == '\\' && s[1] != '\0')
                        s++;
                else if (*s == '{')
                        return s;
        }
        return NULL;
}

/* Appends a to a list that has room for TMPFILES_BRACES_MAX. */
static int add_text(char **list, size_t *n, char *a) {
        if (*n == TMPFILES_BRACES_MAX) {
                free(a);
                return 0;
        }
        list[(*n)++] = a;
        return 0;
}

static char *join3(const char *a, size_t n_a, const char *b, size_t n_b, const char *c) {
        size_t n_c = strlen(c);
        char *s = malloc(n_a + n_b + n_c + 1);

        if (!s)
                return NULL;
        memcpy(s, a, n_a);
        memcpy(s + n_a, b, n_b);
        memcpy(s + n_a + n_b, c, n_c + 1);
        return s;
}

/* Replaces list[0] by what its first brace stands for. Return: 1, 0 it has none, -ENOMEM. */
static int expand_first(char **list, size_t *n, size_t at) {
        _cleanup_free_ char *text = NULL;
        const char *open = find_brace(list[at]), *part, *end, *close;

        if (!open)
                return 0;
        for (close = open; (close = brace_part_end(close + 1)) && *close == ',';)
                ;
        if (!close)
                return 0;

        text = TAKE_PTR(list[at]);
        list[at] = list[--*n];
        for (part = open + 1; part <= close; part = end + 1) {
                char *s;

                end = brace_part_end(part);
                s = join3(text, (size_t)(open - text), part, (size_t)(end - part), close + 1);
                if (!s)
                        return -ENOMEM;
                add_text(list, n, s);
        }
        return 1;
}

int tmpfiles_braces_expand(const char *pattern, char ***ret) {
        char **list = calloc(TMPFILES_BRACES_MAX + 1, sizeof(*list));
        size_t n = 0;
        int r = 0;

        if (!list)
                return -ENOMEM;
        list[0] = strdup(pattern);
        if (!list[0]) {
                free(list);
                return -ENOMEM;
        }
        n = 1;
        /* Each step takes one brace off one text, and what a full list has no room for is gone. */
        for (size_t at = 0; r >= 0 && at < n;) {
                r = expand_first(list, &n, at);
                if (r == 0)
                        at++;
        }
        if (r < 0) {
                for (size_t i = 0; i < n; i++)
                        free(list[i]);
                free(list);
                return r;
        }
        *ret = list;
        return (int)n;
}

static size_t count_components(const char *path) {
        size_t n = 0;

        for (const char *s = path + strspn(path, "/"); *s != '\0'; s += strspn(s, "/")) {
                s += strcspn(s, "/");
                n++;
        }
        return n;
}

/* The directory part in front of the first wildcard. */
static size_t fixed_directory(const char *text, bool is_glob) {
        size_t n = is_glob ? strcspn(text, "*?[\\") : strlen(text);

        while (n > 0 && text[n - 1] != '/')
                n--;
        return n > 0 ? n - 1 : 0;
}

/* @text: taken */
static void pattern_init(TmpfilesPattern *p, char *text, bool is_glob) {
        *p = (TmpfilesPattern){
                .text = text,
                .n_directory = fixed_directory(text, is_glob),
                .n_components = count_components(text),
                .has_wildcard = is_glob && text[strcspn(text, "*?[\\")] != '\0',
        };
}

int tmpfiles_patterns_make(const char *path, bool is_glob, TmpfilesPattern **ret, size_t *ret_n) {
        TmpfilesPattern *patterns;
        char **texts = NULL;
        int n = 1;

        if (is_glob) {
                n = tmpfiles_braces_expand(path, &texts);
                if (n < 0)
                        return n;
        } else {
                texts = calloc(1, sizeof(*texts));
                if (!texts)
                        return -ENOMEM;
                texts[0] = strdup(path);
                if (!texts[0]) {
                        free(texts);
                        return -ENOMEM;
                }
        }

        patterns = calloc((size_t)n, sizeof(*patterns));
        for (int i = 0; i < n; i++) {
                if (patterns)
                        pattern_init(&patterns[i], texts[i], is_glob);
                else
                        free(texts[i]);
        }
        free(texts);
        if (!patterns)
                return -ENOMEM;
        *ret = patterns;
        *ret_n = (size_t)n;
        return 0;
}

void tmpfiles_patterns_free(TmpfilesPattern *p, size_t n) {
        for (size_t i = 0; i < n; i++) {
                free(p[i].text);
                free(p[i].directory);
        }
        free(p);
}

/* A directory's real path, "" for "/". Return: 0, -ENOMEM, others: not known. */
static int resolve(const TmpfilesTree *tree, const char *path, size_t n, char **ret) {
        _cleanup_free_ char *written = strndup(path, n);
        int r;

        if (!written)
                return -ENOMEM;
        if (n == 0 || !tree || !tree->resolve) {
                *ret = TAKE_PTR(written);
                return 0;
        }
        r = tree->resolve(tree->userdata, written, ret);
        if (r >= 0 && strcmp(*ret, "/") == 0)
                (*ret)[0] = '\0';
        return r;
}

/* Return: 0, -ENOMEM. */
static int resolve_directory(TmpfilesPattern *p, const TmpfilesTree *tree) {
        _cleanup_free_ char *real = NULL, *above = NULL;
        size_t n_above = p->n_directory, n;
        int r = resolve(tree, p->text, p->n_directory, &real);

        if (r == -ENOMEM)
                return r;
        if (r < 0) {
                p->directory = strndup(p->text, p->n_directory);
                return p->directory ? 0 : -ENOMEM;
        }
        while (n_above > 0 && p->text[n_above - 1] != '/')
                n_above--;
        if (p->has_wildcard && n_above > 0) {
                r = resolve(tree, p->text, n_above - 1, &above);
                if (r == -ENOMEM)
                        return r;
                n = r >= 0 ? strlen(above) : 0;
                p->is_behind_link = r >= 0 && (strncmp(real, above, n) != 0 ||
                                               strlen(real) != n + 1 + p->n_directory - n_above ||
                                               strncmp(real + n + 1, p->text + n_above,
                                                       p->n_directory - n_above) != 0);
        }
        p->directory = TAKE_PTR(real);
        return 0;
}

/* Length of the first n components; 0 with ret_is_short when there are fewer. */
static size_t components_length(const char *path, size_t n, bool *ret_is_short) {
        const char *s = path;

        for (; n > 0 && *s != '\0'; n--)
                s += 1 + strcspn(s + 1, "/");
        *ret_is_short = n > 0;
        return (size_t)(s - path);
}

int tmpfiles_pattern_place(TmpfilesPattern *p, bool is_glob, const char *path,
                           const TmpfilesTree *tree, char **ret_named, size_t *ret_n_instance) {
        _cleanup_free_ char *named = NULL;
        size_t n_directory, n;
        bool is_short, is_match;
        char end;

        if (!p->directory && resolve_directory(p, tree) < 0)
                return -ENOMEM;
        if (p->is_behind_link)
                return 0;
        n_directory = strlen(p->directory);
        if (strncmp(path, p->directory, n_directory) != 0 || path[n_directory] != '/')
                return 0;
        named = join3(p->text, p->n_directory, "", 0, path + n_directory);
        if (!named)
                return -ENOMEM;
        n = components_length(named, p->n_components, &is_short);
        if (is_short)
                return 0;

        end = named[n];
        named[n] = '\0';
        if (n == 0)
                is_match = true;
        else
                is_match =
                        is_glob ? glob_match_pathname(p->text, named) : strcmp(p->text, named) == 0;
        named[n] = end;
        if (!is_match)
                return 0;
        *ret_named = TAKE_PTR(named);
        *ret_n_instance = n;
        return 1;
}
