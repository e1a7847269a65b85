/* SPDX-License-Identifier: MIT */

/*
 * Which line of tmpfiles.d removes a path, which one protects it, and when.
 *
 * systemd-tmpfiles walks from each line down; here one path is given and each line asked in the
 * order in which it would come by.  What the walk does at each directory on the way and at the path
 * itself is tmpfiles_walk.c.  A directory goes only if all in it goes, so its contents are asked
 * in the same manner.
 *
 * Where versions differ: before 256 R and D remove like rm -rf, afterwards like a cleanup of
 * infinite age, which honours other lines, locks and sticky bits; before 256 an "x" line with an
 * age of its own is not taken as a pattern when it cleans; locks on files count since 254.
 *
 * Limits: what --create does is only looked at where it replaces (lines with '+' or '='); automount
 * points below which systemd-tmpfiles does not go; permissions of an unprivileged user.
 */

#include "explain/tmpfiles_choice.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "explain/tmpfiles_walk.h"

void tmpfiles_choice_done(TmpfilesChoice *c) {
        free(c->at);
        *c = (TmpfilesChoice){0};
}

/* Does it go without any condition, whatever other lines say? */
static bool is_settled(const TmpfilesChoice *c) {
        return c->verdict == TMPFILES_GOES && c->reason != TMPFILES_REASON_AGE;
}

/* Is a better to tell than b: what goes before what waits, the sooner before the later? */
static bool is_better(const TmpfilesChoice *a, const TmpfilesChoice *b) {
        static const int rank[] = {
                [TMPFILES_UNCOVERED] = 0,
                [TMPFILES_STAYS] = 1,
                [TMPFILES_WAITS] = 2,
                [TMPFILES_GOES] = 3,
        };

        if (rank[a->verdict] != rank[b->verdict])
                return rank[a->verdict] > rank[b->verdict];
        if (a->verdict == TMPFILES_WAITS)
                return a->due_nsec < b->due_nsec;
        /* Of two ages that have passed the one decides that passed first. */
        if (a->verdict == TMPFILES_GOES)
                return !is_settled(b) && a->reason == TMPFILES_REASON_AGE &&
                       a->due_nsec < b->due_nsec;
        /* A line for the path itself says more than one that never came so far. */
        return a->verdict == TMPFILES_STAYS && b->reason == TMPFILES_REASON_LINE &&
               a->reason != TMPFILES_REASON_LINE;
}

/* Keeps the better one, frees the other. */
static void merge(TmpfilesChoice *best, TmpfilesChoice *other) {
        if (is_better(other, best)) {
                tmpfiles_choice_done(best);
                *best = *other;
                *other = (TmpfilesChoice){0};
        } else {
                best->is_due_guessed |= other->is_due_guessed && best->verdict != TMPFILES_GOES;
                tmpfiles_choice_done(other);
        }
}

/* What a line does at --create: '+' replaces the node, '=' what has the wrong type on the way. */
static bool replaces(const TmpfilesLine *line) {
        return (line->is_forced && strchr("Lpcb", line->type)) ||
               (line->is_replacing && strchr("fFdDvqQpLcbC", line->type));
}

/* Does a line with '=' make the path, or something below it? */
static bool is_on_the_way(const TmpfilesItem *item, const char *path) {
        size_t n = strlen(path);

        return item->rule->line.is_replacing && strncmp(item->path, path, n) == 0 &&
               item->path[n] == '/';
}

/* @ret: untouched when the line has nothing to do with it. Return: 0, -ENOMEM. */
static int ask_create(TmpfilesWalk *w, TmpfilesItem *item, TmpfilesChoice *best) {
        TmpfilesChoice c = {
                .verdict = TMPFILES_GOES,
                .reason = TMPFILES_REASON_REPLACE,
                .rule = item->rule,
                .due_nsec = TMPFILES_NEVER,
        };
        bool is_replaced = is_on_the_way(item, w->path);

        if (!replaces(&item->rule->line))
                return 0;
        for (size_t i = 0; i < item->n_patterns && !is_replaced; i++) {
                _cleanup_free_ char *named = NULL;
                size_t n;
                int r = tmpfiles_pattern_place(&item->patterns[i], item->is_glob, w->path, w->tree,
                                               &named, &n);

                if (r < 0)
                        return r;
                is_replaced = r > 0;
        }
        if (is_replaced)
                merge(best, &c);
        return 0;
}

/* One line, one operation, all that its pattern matches. */
static int ask(TmpfilesWalk *w, TmpfilesItem *item, TmpfilesOperation operation,
               TmpfilesChoice *best) {
        if (operation == TMPFILES_CREATE)
                return ask_create(w, item, best);
        if (!tmpfiles_walk_acts(w->rules, item, operation))
                return 0;
        for (size_t i = 0; i < item->n_patterns; i++) {
                _cleanup_free_ char *named = NULL;
                TmpfilesChoice c = {0};
                size_t n_instance;
                bool is_glob = item->is_glob &&
                               !(item->rule->line.type == 'x' && operation == TMPFILES_CLEAN &&
                                 !tmpfiles_rules_since(w->rules, 256));
                int r = tmpfiles_pattern_place(&item->patterns[i], is_glob, w->path, w->tree,
                                               &named, &n_instance);

                if (r < 0)
                        return r;
                if (r == 0)
                        continue;
                r = tmpfiles_walk_to(w, item, operation, named, n_instance, &c);
                if (r < 0) {
                        tmpfiles_choice_done(&c);
                        return r;
                }
                merge(best, &c);
                if (is_settled(best))
                        return 0;
        }
        return 0;
}

/* All lines for some operations, in systemd's order, until one removes the path. */
static int ask_all(TmpfilesWalk *w, unsigned operations, TmpfilesChoice *best) {
        static const TmpfilesOperation each[] = {TMPFILES_PURGE, TMPFILES_REMOVE, TMPFILES_CLEAN,
                                                 TMPFILES_CREATE};

        for (size_t i = 0; i < w->rules->n_order; i++) {
                for (size_t o = 0; o < sizeof(each) / sizeof(each[0]); o++) {
                        int r;

                        if (!(operations & each[o]))
                                continue;
                        r = ask(w, w->rules->order[i], each[o], best);
                        if (r < 0)
                                return r;
                        if (is_settled(best))
                                return 0;
                }
        }
        return 0;
}

int tmpfiles_walk_choose(TmpfilesWalk *w, TmpfilesChoice *ret_choice) {
        static const unsigned phases[] = {TMPFILES_PURGE, TMPFILES_REMOVE | TMPFILES_CLEAN,
                                          TMPFILES_CREATE};
        TmpfilesChoice best = {.due_nsec = TMPFILES_NEVER};

        for (size_t i = 0; i < sizeof(phases) / sizeof(phases[0]); i++) {
                unsigned operations = w->rules->request->operations & phases[i];
                int r;

                /* What is created is no contents of a directory that is to go. */
                if (w->depth > 0)
                        operations &= ~(unsigned)TMPFILES_CREATE;
                if (operations == 0)
                        continue;
                r = ask_all(w, operations, &best);
                if (r < 0) {
                        tmpfiles_choice_done(&best);
                        return r;
                }
                if (best.verdict == TMPFILES_GOES)
                        break;
        }
        /* Without a condition, or with an age that is only taken as passed: now. */
        if (best.verdict == TMPFILES_GOES &&
            (best.due_nsec == TMPFILES_NEVER || best.time_last == 0))
                best.due_nsec = w->now_nsec;
        *ret_choice = best;
        return 0;
}

int tmpfiles_choose(const TmpfilesRules *rules, const char *path, uint64_t now_nsec,
                    const TmpfilesTree *tree, TmpfilesChoice *ret_choice) {
        unsigned n_looks = 0;
        TmpfilesWalk w = {
                .rules = rules,
                .path = path,
                .now_nsec = now_nsec,
                .tree = tree,
                .n_looks = &n_looks,
        };

        return tmpfiles_walk_choose(&w, ret_choice);
}

/* Is the path, or a directory above it, one that the line is about? Return: 1, 0, -ENOMEM. */
static int is_about(TmpfilesItem *item, const char *path, const TmpfilesTree *tree) {
        for (size_t i = 0; i < item->n_patterns; i++) {
                _cleanup_free_ char *named = NULL;
                size_t n;
                int r = tmpfiles_pattern_place(&item->patterns[i], item->is_glob, path, tree,
                                               &named, &n);

                if (r != 0)
                        return r;
        }
        return 0;
}

static bool acts_at_all(const TmpfilesRules *rules, const TmpfilesItem *item) {
        unsigned operations = rules->request->operations;

        for (unsigned o = TMPFILES_REMOVE; o <= TMPFILES_PURGE; o <<= 1)
                if ((operations & o) && tmpfiles_walk_acts(rules, item, (TmpfilesOperation)o))
                        return true;
        return (operations & TMPFILES_CREATE) && replaces(&item->rule->line);
}

int tmpfiles_rules_each(const TmpfilesRules *rules, const char *path, const TmpfilesTree *tree,
                        int (*f)(void *userdata, const TmpfilesRule *rule, TmpfilesPart part),
                        void *userdata) {
        for (size_t i = 0; i < rules->n_items; i++) {
                TmpfilesItem *item = &rules->items[i];
                TmpfilesPart part = item->part;
                int r;

                if (item->is_excluded)
                        continue;
                r = is_about(item, path, tree);
                if (r < 0)
                        return r;
                if (r == 0)
                        continue;
                if (part == TMPFILES_PART_REMOVES && !acts_at_all(rules, item))
                        part = TMPFILES_PART_PROTECTS;
                r = f(userdata, item->rule, part);
                if (r != 0)
                        return r;
        }
        return 0;
}
