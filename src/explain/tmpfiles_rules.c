/* SPDX-License-Identifier: MIT */

/*
 * The lines in effect for a request: what is left after --boot, prefixes and double lines, and in
 * which order they are worked through.
 *
 * Source: parse_line(), is_duplicated_item(), read_config_file() (the age of X), link_parent() and
 * run() in src/tmpfiles/tmpfiles.c of systemd 252 and 256.
 */

#include "explain/tmpfiles_rules.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/glob.h"

/* Is path at or below prefix? Slashes at the end of the prefix, as typed, do not matter. */
static bool starts_with_path(const char *path, const char *prefix) {
        for (;;) {
                size_t n_prefix, n_path;

                prefix += strspn(prefix, "/");
                path += strspn(path, "/");
                n_prefix = strcspn(prefix, "/");
                n_path = strcspn(path, "/");
                if (n_prefix == 0)
                        return true;
                if (n_prefix != n_path || memcmp(prefix, path, n_path) != 0)
                        return false;
                prefix += n_prefix;
                path += n_path;
        }
}

static bool is_wanted(const TmpfilesRequest *q, const char *path) {
        for (const char *const *p = q->exclude_prefixes; p && *p; p++)
                if (starts_with_path(path, *p))
                        return false;
        for (const char *const *p = q->prefixes; p && *p; p++)
                if (starts_with_path(path, *p))
                        return true;
        return !q->prefixes || !q->prefixes[0];
}

bool tmpfiles_rules_since(const TmpfilesRules *rules, unsigned version) {
        return rules->request->version == 0 || rules->request->version >= version;
}

static bool is_same_text(const char *a, const char *b) {
        return strcmp(a ? a : "", b ? b : "") == 0;
}

/* May both lines stand for one path? Those that only adjust always may. */
static bool is_compatible(const TmpfilesRules *rules, const TmpfilesItem *a,
                          const TmpfilesItem *b) {
        const TmpfilesLine *x = &a->rule->line, *y = &b->rule->line;

        if (!tmpfiles_type_takes_ownership(x->type) || !tmpfiles_type_takes_ownership(y->type))
                return true;
        if (!is_same_text(x->argument, y->argument) || x->is_uid_set != y->is_uid_set ||
            x->uid != y->uid || x->is_gid_set != y->is_gid_set || x->gid != y->gid ||
            x->is_mode_set != y->is_mode_set || x->mode != y->mode ||
            x->is_mode_masked != y->is_mode_masked || x->keeps_first_level != y->keeps_first_level)
                return false;
        if (a->is_age_set != b->is_age_set || a->age_usec != b->age_usec)
                return false;
        (void)rules;
        return x->times_of_file == y->times_of_file &&
               x->times_of_directory == y->times_of_directory &&
               x->is_uid_for_new == y->is_uid_for_new && x->is_gid_for_new == y->is_gid_for_new &&
               x->is_mode_for_new == y->is_mode_for_new;
}

static bool is_appending(const TmpfilesItem *item) {
        return item->rule->line.type == 'w' && item->rule->line.is_forced;
}

static bool is_double(const TmpfilesRules *rules, const TmpfilesGroup *g, const TmpfilesItem *b) {
        for (const TmpfilesItem *a = g->items; a; a = a->next)
                if (!is_compatible(rules, a, b) && !(is_appending(a) && is_appending(b)))
                        return true;
        return false;
}

static uint64_t group_hash(const char *path, size_t n, bool is_glob) {
        return hash_bytes(path, n) ^ (is_glob ? UINT64_C(0x9e3779b97f4a7c15) : 0);
}

static TmpfilesGroup *find_group(const TmpfilesRules *rules, const char *path, size_t n,
                                 bool is_glob) {
        uint64_t hash = group_hash(path, n, is_glob);

        for (HashLink *l = hash_table_first(&rules->by_path, hash); l; l = l->next) {
                TmpfilesGroup *g = HASH_ENTRY(l, TmpfilesGroup, link);

                if (l->hash == hash && g->is_glob == is_glob && strncmp(g->path, path, n) == 0 &&
                    g->path[n] == '\0')
                        return g;
        }
        return NULL;
}

const TmpfilesItem *tmpfiles_rules_own(const TmpfilesRules *rules, const char *path) {
        const TmpfilesGroup *g = find_group(rules, path, strlen(path), false);

        if (g)
                return g->items;
        for (size_t i = 0; i < rules->n_groups; i++)
                if (rules->groups[i].is_glob && glob_match_pathname(rules->groups[i].path, path))
                        return rules->groups[i].items;
        return NULL;
}

/* Those that make the node first, then by letter. */
static bool goes_before(const TmpfilesItem *a, const TmpfilesItem *b) {
        bool a_owns = tmpfiles_type_takes_ownership(a->rule->line.type);
        bool b_owns = tmpfiles_type_takes_ownership(b->rule->line.type);

        if (a_owns != b_owns)
                return a_owns;
        return a->rule->line.type < b->rule->line.type;
}

static void add_to_group(TmpfilesGroup *g, TmpfilesItem *item) {
        TmpfilesItem **at = &g->items;

        while (*at && !goes_before(item, *at))
                at = &(*at)->next;
        item->next = *at;
        *at = item;
}

/* Where an item acts. A hostile line stands for many long patterns. Return: 0, -ENOMEM. */
static int make_patterns(TmpfilesRules *rules, TmpfilesItem *item) {
        int r = tmpfiles_patterns_make(item->path, item->is_glob, &item->patterns,
                                       &item->n_patterns);

        if (r < 0)
                return r;
        for (size_t i = 0; i < item->n_patterns; i++)
                rules->n_pattern_bytes += sizeof(*item->patterns) + strlen(item->patterns[i].text);
        if (rules->n_pattern_bytes <= TMPFILES_PATTERNS_BYTES_MAX)
                return 0;
        tmpfiles_patterns_free(item->patterns, item->n_patterns);
        item->patterns = NULL;
        item->n_patterns = 0;
        return 0;
}

/* Return: 0, -ENOMEM. */
static int add_item(TmpfilesRules *rules, const TmpfilesRule *rule) {
        const TmpfilesRequest *q = rules->request;
        TmpfilesItem *item = &rules->items[rules->n_items++];
        const char *root = q->root && strcmp(q->root, "/") != 0 ? q->root : "";
        size_t n_root = strlen(root);
        TmpfilesGroup *g;

        *item = (TmpfilesItem){
                .rule = rule,
                .is_glob = tmpfiles_type_takes_glob(rule->line.type),
                .is_age_set = rule->line.is_age_set,
                .age_usec = rule->line.age_usec,
        };
        while (n_root > 0 && root[n_root - 1] == '/')
                n_root--;
        if (asprintf(&item->path, "%.*s%s", (int)n_root, root, rule->line.path) < 0) {
                item->path = NULL;
                return -ENOMEM;
        }
        if (make_patterns(rules, item) < 0)
                return -ENOMEM;

        if (rule->line.is_boot_only && !q->is_boot) {
                item->part = TMPFILES_PART_BOOT;
                return 0;
        }
        if (!is_wanted(q, rule->line.path)) {
                item->is_excluded = true;
                return 0;
        }
        g = find_group(rules, item->path, strlen(item->path), item->is_glob);
        if (g && is_double(rules, g, item)) {
                item->part = TMPFILES_PART_DOUBLE;
                return 0;
        }
        if (!g) {
                g = &rules->groups[rules->n_groups];
                *g = (TmpfilesGroup){.path = item->path, .is_glob = item->is_glob};
                if (hash_table_insert(&rules->by_path, &g->link,
                                      group_hash(g->path, strlen(g->path), g->is_glob)) < 0)
                        return -ENOMEM;
                rules->n_groups++;
        }
        add_to_group(g, item);
        item->part = TMPFILES_PART_REMOVES;
        return 0;
}

/*
 * The line whose age an X takes over: the directory itself or, as it comes out, one above; written
 * as systemd has it, the order of the search and the turned arguments of fnmatch() included.
 */
static const TmpfilesItem *find_aged(TmpfilesRules *rules, const TmpfilesItem *x) {
        const TmpfilesItem *found = NULL;

        for (size_t i = 0; i < rules->n_groups; i++) {
                if (rules->n_age_steps++ > TMPFILES_AGE_STEPS_MAX)
                        return NULL;
                if (rules->groups[i].is_glob)
                        continue;
                for (const TmpfilesItem *d = rules->groups[i].items; d; d = d->next) {
                        if (!strchr("dDvqQ", d->rule->line.type))
                                continue;
                        if (strcmp(d->path, x->path) == 0) {
                                found = d;
                                break;
                        }
                        if (found ? starts_with_path(d->path, found->path) &&
                                            glob_match_pathname(x->path, d->path)
                                  : starts_with_path(x->path, d->path))
                                found = d;
                }
        }
        return found;
}

/* After each file, with what has been read until then. */
static void take_over_ages(TmpfilesRules *rules) {
        for (size_t i = 0; i < rules->n_groups; i++) {
                if (!rules->groups[i].is_glob)
                        continue;
                for (TmpfilesItem *x = rules->groups[i].items; x; x = x->next) {
                        const TmpfilesItem *d;

                        if (x->rule->line.type != 'X')
                                continue;
                        d = find_aged(rules, x);
                        if (d && d->is_age_set) {
                                x->is_age_set = true;
                                x->age_usec = d->age_usec;
                        }
                }
        }
}

/* The nearest line above; "/" is above nothing. */
static TmpfilesGroup *find_parent(const TmpfilesRules *rules, const TmpfilesGroup *g) {
        for (size_t n = strlen(g->path); n > 1; n--) {
                TmpfilesGroup *above;

                if (g->path[n - 1] != '/')
                        continue;
                above = find_group(rules, g->path, n - 1, false);
                if (!above)
                        above = find_group(rules, g->path, n - 1, true);
                if (above)
                        return above;
        }
        return NULL;
}

/* Children first; as deep as a path has components. */
static void order_group(TmpfilesRules *rules, TmpfilesGroup *g) {
        if (g->is_ordered)
                return;
        g->is_ordered = true;
        for (TmpfilesGroup *child = g->children; child; child = child->next_sibling)
                order_group(rules, child);
        for (TmpfilesItem *item = g->items; item; item = item->next)
                rules->order[rules->n_order++] = item;
}

static void order_all(TmpfilesRules *rules) {
        for (size_t i = rules->n_groups; i > 0; i--) {
                TmpfilesGroup *g = &rules->groups[i - 1], *above = find_parent(rules, g);

                if (!above)
                        continue;
                g->next_sibling = above->children;
                above->children = g;
        }
        for (int is_glob = 0; is_glob < 2; is_glob++)
                for (size_t i = 0; i < rules->n_groups; i++)
                        if (rules->groups[i].is_glob == is_glob)
                                order_group(rules, &rules->groups[i]);
}

static int add_all(TmpfilesRules *rules, const TmpfilesConfig *config) {
        const char *file = NULL;

        for (size_t i = 0; i < config->n_rules; i++) {
                const TmpfilesRule *rule = &config->rules[i];
                int r;

                if (rule->fault)
                        continue;
                if (file && rule->file != file)
                        take_over_ages(rules);
                file = rule->file;
                r = add_item(rules, rule);
                if (r < 0)
                        return r;
        }
        take_over_ages(rules);
        order_all(rules);
        return 0;
}

uint64_t tmpfiles_rules_age(const TmpfilesRules *rules, const TmpfilesRule *rule) {
        for (size_t i = 0; i < rules->n_items; i++)
                if (rules->items[i].rule == rule)
                        return rules->items[i].is_age_set ? rules->items[i].age_usec : 0;
        return 0;
}

TmpfilesRules *tmpfiles_rules_free(TmpfilesRules *rules) {
        if (!rules)
                return NULL;
        for (size_t i = 0; i < rules->n_items; i++) {
                tmpfiles_patterns_free(rules->items[i].patterns, rules->items[i].n_patterns);
                free(rules->items[i].path);
        }
        hash_table_done(&rules->by_path);
        free(rules->items);
        free(rules->groups);
        free(rules->order);
        free(rules);
        return NULL;
}

int tmpfiles_rules_new(const TmpfilesConfig *config, const TmpfilesRequest *request,
                       TmpfilesRules **ret_rules) {
        TmpfilesRules *rules = calloc(1, sizeof(*rules));
        size_t n = config->n_rules > 0 ? config->n_rules : 1;

        if (!rules)
                return -ENOMEM;
        rules->request = request;
        rules->items = calloc(n, sizeof(*rules->items));
        rules->groups = calloc(n, sizeof(*rules->groups));
        rules->order = calloc(n, sizeof(*rules->order));
        if (!rules->items || !rules->groups || !rules->order || add_all(rules, config) < 0) {
                tmpfiles_rules_free(rules);
                return -ENOMEM;
        }
        *ret_rules = rules;
        return 0;
}
