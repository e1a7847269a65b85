/* SPDX-License-Identifier: MIT */

/*
 * One line's walk from where it acts down to one path.
 *
 * The order of the checks is systemd's, because the first that holds is the reason.  What is not
 * known does not hold: then a line is found by names alone, as for what is gone already.
 *
 * Source: dir_cleanup(), needs_cleanup(), remove_item_instance(), clean_item_instance() and
 * remove_recursive() in src/tmpfiles/tmpfiles.c of systemd 252 and 256; rm_rf_children() in
 * src/shared/rm-rf.c.
 */

#include "explain/tmpfiles_walk.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"

#define NSEC_PER_USEC UINT64_C(1000)

/* How a line removes. */
typedef enum Manner {
        MANNER_NODE,  /* remove(3) of the path itself */
        MANNER_TREE,  /* rm -rf, up to mount points */
        MANNER_CLEAN, /* dir_cleanup(): honours other lines, locks and the rest */
} Manner;

typedef struct Way {
        TmpfilesWalk *walk;
        const TmpfilesItem *item;
        Manner manner;
        bool has_root; /* the place where the line acts goes too */
        bool goes_by_age;
        bool is_mount_root; /* where the line acts is a mount point */
        char *named;
        size_t n_instance;
        TmpfilesChoice *ret;
} Way;

bool tmpfiles_walk_acts(const TmpfilesRules *rules, const TmpfilesItem *item,
                        TmpfilesOperation operation) {
        char type = item->rule->line.type;

        switch (operation) {
        case TMPFILES_REMOVE:
                return strchr("rRD", type);
        case TMPFILES_CLEAN:
                return strchr("dDvqQCexX", type) && item->is_age_set;
        case TMPFILES_PURGE:
                /* 256 purged every line that makes something, since then '$' marks them. */
                return strchr("fFdDvqQpLcbCwe", type) &&
                       (item->rule->line.is_purged || !tmpfiles_rules_since(rules, 257));
        default:
                return false;
        }
}

static int stay(Way *way, TmpfilesReason reason, const char *at) {
        way->ret->verdict = TMPFILES_STAYS;
        way->ret->reason = reason;
        way->ret->due_nsec = TMPFILES_NEVER;
        if (at && strcmp(at, way->walk->path) != 0) {
                way->ret->at = strdup(at);
                if (!way->ret->at)
                        return -ENOMEM;
        }
        return 0;
}

static int go(Way *way, TmpfilesReason reason) {
        way->ret->verdict = TMPFILES_GOES;
        way->ret->reason = reason;
        return 0;
}

/* 1 known; 0 gone, or nothing is known of it. */
static int look(Way *way, const char *path, TmpfilesFacts *ret) {
        const TmpfilesTree *tree = way->walk->tree;
        int r;

        if (!tree || !tree->facts)
                return 0;
        ++*way->walk->n_looks;
        r = tree->facts(tree->userdata, path, ret);
        if (r < 0)
                way->ret->is_due_guessed = true;
        return r > 0;
}

static void take_later(uint64_t t, unsigned time, uint64_t *newest, unsigned *which) {
        if (t >= *newest && t > 0) {
                *newest = t;
                *which = time;
        }
}

/* Fills in what the line's age says of these times. Return: whether all are old enough. */
static bool is_aged(Way *way, const TmpfilesFacts *f) {
        const TmpfilesLine *line = &way->item->rule->line;
        TmpfilesChoice *c = way->ret;
        const struct {
                unsigned time;
                uint64_t nsec;
        } times[] = {
                {TMPFILES_BTIME, f->btime_nsec},
                {TMPFILES_CTIME, f->ctime_nsec},
                {TMPFILES_MTIME, f->mtime_nsec},
                {TMPFILES_ATIME, f->atime_nsec},
        };
        uint64_t now_usec = way->walk->now_nsec / NSEC_PER_USEC, newest = 0, due_usec;
        uint64_t age = way->item->age_usec;

        c->times_counted = S_ISDIR(f->mode) ? line->times_of_directory : line->times_of_file;
        for (size_t i = 0; i < sizeof(times) / sizeof(times[0]); i++) {
                if (!(c->times_counted & times[i].time))
                        continue;
                take_later(times[i].nsec, times[i].time, &newest, &c->time_last);
                /* Kept is what is as new as the threshold, or newer. */
                if (now_usec < age || times[i].nsec >= (now_usec - age) * NSEC_PER_USEC)
                        c->times_new |= times[i].time;
        }
        due_usec = newest / NSEC_PER_USEC + 1;
        c->due_nsec = due_usec >= UINT64_MAX / NSEC_PER_USEC ||
                                      age >= UINT64_MAX / NSEC_PER_USEC - due_usec
                              ? TMPFILES_NEVER
                              : (due_usec + age) * NSEC_PER_USEC;
        return c->times_new == 0;
}

/* What keeps a directory from becoming empty. */
typedef struct Contents {
        Way *way;
        TmpfilesVerdict verdict;
        uint64_t due_nsec;
        char *at;
        bool is_guessed;
        int r;
} Contents;

static int ask_entry(void *userdata, const char *name) {
        Contents *c = userdata;
        TmpfilesWalk *w = c->way->walk;
        _cleanup_tmpfiles_choice_ TmpfilesChoice choice = {0};
        _cleanup_free_ char *path = NULL;
        TmpfilesWalk below = *w;
        size_t n = strlen(w->path);

        if (*w->n_looks >= TMPFILES_LOOKS_MAX || w->depth >= TMPFILES_DEPTH_MAX) {
                c->is_guessed = true;
                return 1;
        }
        path = malloc(n + 1 + strlen(name) + 1);
        if (!path) {
                c->r = -ENOMEM;
                return 1;
        }
        memcpy(path, w->path, n);
        path[n] = '/';
        strcpy(path + n + (w->path[n - 1] != '/'), name);
        below.path = path;
        below.depth++;
        c->r = tmpfiles_walk_choose(&below, &choice);
        if (c->r < 0)
                return 1;
        c->is_guessed |= choice.is_due_guessed;
        if (choice.verdict == TMPFILES_GOES)
                return 0;
        if (choice.verdict != TMPFILES_WAITS)
                choice.due_nsec = TMPFILES_NEVER;
        if (c->verdict == TMPFILES_GOES || choice.due_nsec > c->due_nsec) {
                c->verdict = choice.due_nsec == TMPFILES_NEVER ? TMPFILES_STAYS : TMPFILES_WAITS;
                c->due_nsec = choice.due_nsec;
                free(c->at);
                c->at = choice.at ? TAKE_PTR(choice.at) : TAKE_PTR(path);
        }
        return c->verdict == TMPFILES_STAYS;
}

/* A directory whose own turn has come: `ret` is set to what it says without its contents. */
static int ask_contents(Way *way) {
        const TmpfilesTree *tree = way->walk->tree;
        Contents c = {.way = way, .verdict = TMPFILES_GOES};
        TmpfilesChoice *ret = way->ret;
        int r;

        if (!tree || !tree->entries)
                return 0;
        r = tree->entries(tree->userdata, way->walk->path, ask_entry, &c);
        if (c.r < 0) {
                free(c.at);
                return c.r;
        }
        ret->is_due_guessed |= c.is_guessed || (r < 0 && r != -ENOENT && r != -ENOTDIR);
        if (c.verdict == TMPFILES_GOES ||
            (ret->verdict == TMPFILES_WAITS && c.due_nsec <= ret->due_nsec)) {
                free(c.at);
                return 0;
        }
        ret->verdict = c.verdict;
        ret->reason = TMPFILES_REASON_CONTENTS;
        ret->due_nsec = c.due_nsec;
        ret->at = c.at;
        return 0;
}

static uint64_t age_nsec(uint64_t usec) {
        return usec >= UINT64_MAX / NSEC_PER_USEC ? TMPFILES_NEVER : usec * NSEC_PER_USEC;
}

static int decide_age(Way *way, const TmpfilesFacts *f, bool is_known, TmpfilesReason reason) {
        if (!way->goes_by_age)
                return go(way, reason);
        if (way->item->age_usec == TMPFILES_AGE_INFINITY)
                return stay(way, TMPFILES_REASON_INFINITY, NULL);
        if (!is_known) {
                way->ret->is_due_guessed = true;
                way->ret->times_counted = way->item->rule->line.times_of_file;
                way->ret->due_nsec = age_nsec(way->item->age_usec);
                return go(way, TMPFILES_REASON_AGE);
        }
        if (is_aged(way, f))
                return go(way, TMPFILES_REASON_AGE);
        way->ret->verdict = TMPFILES_WAITS;
        way->ret->reason = TMPFILES_REASON_TIME;
        return 0;
}

static bool is_one_of(const char *name, const char *const *names) {
        for (; *names; names++)
                if (strcmp(name, *names) == 0)
                        return true;
        return false;
}

/* What a mount's root keeps for its filesystem. */
static bool is_reserved(const Way *way, const char *name, const TmpfilesFacts *f) {
        static const char *const files[] = {".journal", "aquota.user", "aquota.group", NULL};

        if (!way->is_mount_root || f->uid != 0)
                return false;
        if (S_ISDIR(f->mode))
                return strcmp(name, "lost+found") == 0;
        return S_ISREG(f->mode) && is_one_of(name, files);
}

/* One name on the way. */
typedef struct Step {
        const char *path; /* as it really is */
        const char *name;
        unsigned level; /* 1: right below where the line acts */
        bool is_last;
} Step;

/* The asked path, if it is no directory. */
static int decide_file(Way *way, const Step *s, const TmpfilesFacts *f, TmpfilesReason reason) {
        int r;

        if (f->mode & S_ISVTX)
                return stay(way, TMPFILES_REASON_STICKY, NULL);
        if (s->level == 1 && is_reserved(way, s->name, f))
                return stay(way, TMPFILES_REASON_RESERVED, NULL);
        if (S_ISSOCK(f->mode) && f->is_live_socket)
                return stay(way, TMPFILES_REASON_SOCKET, NULL);
        if (S_ISCHR(f->mode) || S_ISBLK(f->mode))
                return stay(way, TMPFILES_REASON_DEVICE, NULL);
        if (s->level == 1 && way->goes_by_age && way->item->rule->line.keeps_first_level)
                return stay(way, TMPFILES_REASON_FIRST_LEVEL, NULL);
        r = decide_age(way, f, true, reason);
        if (r < 0 || way->ret->verdict != TMPFILES_GOES)
                return r;
        /* A lock is asked for last; a symlink cannot be opened, and anything else can be locked. */
        if (f->is_locked && !S_ISLNK(f->mode) && !S_ISSOCK(f->mode) &&
            tmpfiles_rules_since(way->walk->rules, 254))
                return stay(way, TMPFILES_REASON_LOCK, NULL);
        return 0;
}

static int decide_directory(Way *way, const Step *s, const TmpfilesFacts *f,
                            TmpfilesReason reason) {
        int r;

        if (s->level == 1 && way->goes_by_age && way->item->rule->line.keeps_first_level)
                return stay(way, TMPFILES_REASON_FIRST_LEVEL, NULL);
        r = decide_age(way, f, true, reason);
        if (r < 0 || way->ret->verdict == TMPFILES_STAYS)
                return r;
        return ask_contents(way);
}

/* Return: 1 the walk goes on, 0 it ended here, -ENOMEM. */
static int step_clean(Way *way, const Step *s, const char *named, TmpfilesReason reason) {
        TmpfilesFacts f;
        bool is_known = look(way, s->path, &f);
        const TmpfilesItem *own;

        if (is_known && f.is_mount_point)
                return stay(way, TMPFILES_REASON_MOUNT, s->path);
        own = tmpfiles_rules_own(way->walk->rules, named);
        if (own) {
                way->ret->protector = own->rule;
                return stay(way, TMPFILES_REASON_LINE, s->path);
        }
        if (!is_known) {
                if (!s->is_last)
                        return 1;
                return s->level == 1 && way->goes_by_age && way->item->rule->line.keeps_first_level
                               ? stay(way, TMPFILES_REASON_FIRST_LEVEL, NULL)
                               : decide_age(way, &f, false, reason);
        }
        if (!S_ISDIR(f.mode))
                return s->is_last ? decide_file(way, s, &f, reason) : 0;
        if (s->level == 1 && is_reserved(way, s->name, &f))
                return stay(way, TMPFILES_REASON_RESERVED, s->path);
        if (s->level > TMPFILES_DEPTH_MAX && !s->is_last)
                return stay(way, TMPFILES_REASON_DEPTH, s->path);
        if (s->level <= TMPFILES_DEPTH_MAX && f.is_locked)
                return stay(way, TMPFILES_REASON_LOCK, s->path);
        return s->is_last ? decide_directory(way, s, &f, reason) : 1;
}

static int step_tree(Way *way, const Step *s, TmpfilesReason reason) {
        TmpfilesFacts f;
        bool is_known = look(way, s->path, &f);

        if (is_known && f.is_mount_point)
                return stay(way, TMPFILES_REASON_MOUNT, s->path);
        if (!s->is_last)
                return 1;
        go(way, reason);
        return is_known && S_ISDIR(f.mode) ? ask_contents(way) : 0;
}

/* Every name below where the line acts. */
static int walk_down(Way *way, TmpfilesReason reason) {
        _cleanup_free_ char *path = strdup(way->walk->path);
        size_t n_named = strlen(way->named), n_path, at = way->n_instance;
        int r = 1;

        if (!path)
                return -ENOMEM;
        n_path = strlen(path);
        for (unsigned level = 1; r > 0 && at < n_named; level++) {
                /* Below where the line acts both are called the same. */
                size_t end = at + 1 + strcspn(way->named + at + 1, "/");
                size_t path_end = n_path - (n_named - end);
                char named_cut = way->named[end], path_cut = path[path_end];
                Step s = {
                        .path = path,
                        .name = way->named + at + 1,
                        .level = level,
                        .is_last = end == n_named,
                };

                way->named[end] = path[path_end] = '\0';
                r = way->manner == MANNER_TREE ? step_tree(way, &s, reason)
                                               : step_clean(way, &s, way->named, reason);
                way->named[end] = named_cut;
                path[path_end] = path_cut;
                at = end;
        }
        return r < 0 ? r : 0;
}

/* The path is where the line acts. */
static int decide_root(Way *way, const TmpfilesFacts *f, bool is_known, TmpfilesReason reason) {
        if (!way->has_root)
                return stay(way, TMPFILES_REASON_SELF, NULL);
        if (is_known && f->is_mount_point)
                return stay(way, TMPFILES_REASON_MOUNT, NULL);
        go(way, reason);
        return is_known && S_ISDIR(f->mode) ? ask_contents(way) : 0;
}

/* What the line acts at, by its real path. */
static bool look_at_root(Way *way, TmpfilesFacts *ret) {
        size_t n = strlen(way->walk->path) - (strlen(way->named) - way->n_instance);
        _cleanup_free_ char *path = n > 0 ? strndup(way->walk->path, n) : strdup("/");

        return path && look(way, path, ret);
}

int tmpfiles_walk_to(TmpfilesWalk *w, const TmpfilesItem *item, TmpfilesOperation operation,
                     char *named, size_t n_instance, TmpfilesChoice *ret) {
        char type = item->rule->line.type;
        bool is_new = tmpfiles_rules_since(w->rules, 256);
        TmpfilesReason reason = operation == TMPFILES_CLEAN   ? TMPFILES_REASON_AGE
                                : operation == TMPFILES_PURGE ? TMPFILES_REASON_PURGE
                                                              : TMPFILES_REASON_REMOVE;
        Way way = {
                .walk = w,
                .item = item,
                .manner = type == 'r' && operation == TMPFILES_REMOVE ? MANNER_NODE
                          : operation == TMPFILES_REMOVE && !is_new   ? MANNER_TREE
                                                                      : MANNER_CLEAN,
                .has_root = operation == TMPFILES_PURGE ||
                            (operation == TMPFILES_REMOVE && type != 'D'),
                .goes_by_age = operation == TMPFILES_CLEAN,
                .named = named,
                .n_instance = n_instance,
                .ret = ret,
        };
        TmpfilesFacts f;
        bool is_known;

        *ret = (TmpfilesChoice){.rule = item->rule, .due_nsec = TMPFILES_NEVER};
        is_known = look_at_root(&way, &f);
        way.is_mount_root = is_known && f.is_mount_point;
        if (named[n_instance] == '\0')
                return decide_root(&way, &f, is_known, reason);
        if (way.manner == MANNER_NODE) {
                *ret = (TmpfilesChoice){.due_nsec = TMPFILES_NEVER};
                return 0;
        }
        if (is_known && S_ISLNK(f.mode))
                return stay(&way, TMPFILES_REASON_SYMLINK, NULL);
        return walk_down(&way, reason);
}
