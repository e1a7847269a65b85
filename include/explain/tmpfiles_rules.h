/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Inside tmpfiles_choice: the lines in effect for a request, in the order in which systemd-tmpfiles
 * works through them, and what has a line of its own.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/hash_table.h"
#include "explain/tmpfiles_choice.h"

/* Alternatives of a pattern with braces, which only a line's own expansion knows. */
#define TMPFILES_BRACES_MAX 64U

/* Of all patterns of a configuration, with all alternatives; lines behind it match nothing. */
#define TMPFILES_PATTERNS_BYTES_MAX ((size_t)8 << 20)

/* Comparisons of X lines with directories; so many that only a hostile configuration needs more. */
#define TMPFILES_AGE_STEPS_MAX 10000000U

/* One pattern, or path, that a line acts at. */
typedef struct TmpfilesPattern {
        char *text;          /* with the root before it */
        size_t n_directory;  /* of text: the part before the last '/' without any pattern, "" for /
                              */
        size_t n_components; /* of text */
        bool has_wildcard;   /* in or behind that part */
        bool is_behind_link; /* that part is a symlink itself, in which no wildcard is expanded */
        char *directory;     /* that part without symlinks; NULL until the first question */
} TmpfilesPattern;

typedef struct TmpfilesGroup TmpfilesGroup;

typedef struct TmpfilesItem {
        const TmpfilesRule *rule;
        char *path; /* with the root before it; NULL when it is not in effect */
        bool is_glob;
        bool is_age_set; /* X: also the age of the line for the directory above */
        uint64_t age_usec;
        TmpfilesPart part; /* if not in effect: BOOT, DOUBLE; else REMOVES */
        bool is_excluded;  /* by a prefix */
        TmpfilesPattern *patterns;
        size_t n_patterns;
        struct TmpfilesItem *next; /* of the same group, in systemd's order */
} TmpfilesItem;

/* All lines in effect for one path of one kind (pattern or not). */
struct TmpfilesGroup {
        HashLink link;
        const char *path;
        bool is_glob, is_ordered;
        TmpfilesItem *items;
        TmpfilesGroup *children, *next_sibling; /* those whose nearest line above this one is */
};

struct TmpfilesRules {
        const TmpfilesRequest *request;
        TmpfilesItem *items; /* one a line without fault, as they are read */
        size_t n_items;
        TmpfilesGroup *groups; /* as they are read */
        size_t n_groups;
        HashTable by_path;
        TmpfilesItem **order; /* of removing and cleaning: children first */
        size_t n_order;
        size_t n_age_steps;
        size_t n_pattern_bytes;
};

/* The line that has a path, with its root, to itself: as systemd's items and find_glob(). */
const TmpfilesItem *tmpfiles_rules_own(const TmpfilesRules *rules, const char *path);
/* Is the version of systemd at least that? */
bool tmpfiles_rules_since(const TmpfilesRules *rules, unsigned version);

/*
 * tmpfiles_pattern_place() - a path as the pattern's line would call it
 * @ret_named: the path with its directory written as in the line; newly allocated
 * @ret_n_instance: of it, that the pattern matches: where the line acts
 *
 * Return: 1, 0 the path is not at or below what the pattern matches, -ENOMEM.
 */
int tmpfiles_pattern_place(TmpfilesPattern *p, bool is_glob, const char *path,
                           const TmpfilesTree *tree, char **ret_named, size_t *ret_n_instance);
/* Return: 0, -ENOMEM. */
int tmpfiles_patterns_make(const char *path, bool is_glob, TmpfilesPattern **ret, size_t *ret_n);
void tmpfiles_patterns_free(TmpfilesPattern *p, size_t n);

/*
 * tmpfiles_braces_expand() - "a{b,c}d" to "abd" and "acd"
 * @ret: newly allocated, each too; at most TMPFILES_BRACES_MAX, one when there are no braces
 *
 * Return: how many, -ENOMEM.
 */
int tmpfiles_braces_expand(const char *pattern, char ***ret);
