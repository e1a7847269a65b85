/* SPDX-License-Identifier: MIT */

/*
 * Which candidate is whose.
 *
 * The kernel queues what a rename destroyed between the rename and its end.  A file that is gone,
 * and of which no name was deleted, was destroyed by one of them; one that still exists may as well
 * have been given another name by another thread.
 *
 * Limits: of a process that is not known to have several threads the first event in between is
 * taken for the victim's.
 *
 * Source: fsnotify_move(), fsnotify_link() in include/linux/fsnotify.h of Linux 6.18.
 */

#include "capture/victim_group.h"

#include <stdlib.h>

VictimCandidate *victim_group_add(VictimGroup *g, const VictimCandidate *c) {
        VictimCandidate *copy =
                g->n_candidates < VICTIM_GROUP_CANDIDATES_MAX ? malloc(sizeof(*copy)) : NULL;

        if (!copy) {
                g->is_overfull = true;
                return NULL;
        }
        *copy = *c;
        copy->group = g;
        copy->next = NULL;
        if (g->last_candidate)
                g->last_candidate->next = copy;
        else
                g->candidates = copy;
        g->last_candidate = copy;
        g->n_candidates++;
        return copy;
}

bool victim_member_is_before(const VictimMember *m, const VictimCandidate *c) {
        return c->index == m->index + 1;
}

static bool fits(const VictimGroup *g, const VictimMember *m, const VictimCandidate *c) {
        if (c->is_unlink || c->is_directory != m->is_directory || c->file == m->source ||
            c->position < m->position || c->position > m->end)
                return false;
        /* Without an end, what comes later belongs to what the thread did next. */
        return !m->is_merged || g->is_threaded || victim_member_is_before(m, c);
}

/*
 * Somebody has destroyed it.  What has one name was no link(), but for a file without a name that
 * another thread gave one at that very moment.
 */
static bool is_lost(const VictimCandidate *c) {
        return (c->is_gone || (c->is_counted && c->n_links < 2)) && c->n_unlinked == 0;
}

typedef struct Trial {
        size_t n_members, n_candidates;
        VictimMember *members[VICTIM_GROUP_TRIED_MAX];
        VictimCandidate *candidates[VICTIM_GROUP_TRIED_MAX];
        bool fits[VICTIM_GROUP_TRIED_MAX][VICTIM_GROUP_TRIED_MAX]; /* candidate, member */
        bool has_lost; /* what is lost is somebody's victim */
        size_t n_ways;
        VictimCandidate *now[VICTIM_GROUP_TRIED_MAX]; /* of each member */
        /* … and in any of the ways so far: */
        bool is_without[VICTIM_GROUP_TRIED_MAX], is_with[VICTIM_GROUP_TRIED_MAX];
        bool is_with_others[VICTIM_GROUP_TRIED_MAX];
        VictimCandidate *first[VICTIM_GROUP_TRIED_MAX];
} Trial;

static void note_way(Trial *t) {
        t->n_ways++;
        for (size_t i = 0; i < t->n_members; i++) {
                if (!t->now[i]) {
                        t->is_without[i] = true;
                        continue;
                }
                t->is_with_others[i] |= t->is_with[i] && t->first[i] != t->now[i];
                t->is_with[i] = true;
                t->first[i] = t->now[i];
        }
}

static void try_from(Trial *t, size_t k) {
        if (k == t->n_candidates) {
                note_way(t);
                return;
        }
        for (size_t i = 0; i < t->n_members; i++) {
                if (!t->fits[k][i] || t->now[i])
                        continue;
                t->now[i] = t->candidates[k];
                try_from(t, k + 1);
                t->now[i] = NULL;
        }
        if (!t->has_lost || !is_lost(t->candidates[k]))
                try_from(t, k + 1);
}

/* Of many it can be said of those only that nothing fits. */
static void resolve_roughly(VictimGroup *g) {
        for (VictimMember *m = g->members; m; m = m->next) {
                m->is_sure = true;
                for (VictimCandidate *c = g->candidates; c && m->is_sure; c = c->next)
                        m->is_sure = !fits(g, m, c);
        }
}

static bool fits_any(const VictimGroup *g, const VictimCandidate *c) {
        for (const VictimMember *m = g->members; m; m = m->next)
                if (fits(g, m, c))
                        return true;
        return false;
}

/* Return: false there are too many. */
static bool prepare(VictimGroup *g, Trial *t) {
        for (VictimMember *m = g->members; m; m = m->next) {
                if (t->n_members == VICTIM_GROUP_TRIED_MAX)
                        return false;
                t->members[t->n_members++] = m;
        }
        for (VictimCandidate *c = g->candidates; c; c = c->next) {
                size_t n_fits = 0;

                if (t->n_candidates == VICTIM_GROUP_TRIED_MAX)
                        return false;
                for (size_t i = 0; i < t->n_members; i++)
                        n_fits += t->fits[t->n_candidates][i] = fits(g, t->members[i], c);
                if (n_fits > 0)
                        t->candidates[t->n_candidates++] = c;
        }
        return true;
}

/* What stands behind one without an end, and still existed, may have been destroyed later. */
static bool may_be_sure(const VictimMember *m) {
        return !m->is_merged || !m->candidate || m->candidate->is_gone;
}

static void resolve_by_trial(VictimGroup *g) {
        Trial t = {.has_lost = true};

        if (!prepare(g, &t)) {
                resolve_roughly(g);
                return;
        }
        try_from(&t, 0);
        if (t.n_ways == 0) {
                t.has_lost = false;
                try_from(&t, 0);
        }
        for (size_t i = 0; i < t.n_members; i++) {
                VictimMember *m = t.members[i];

                m->candidate = t.is_with_others[i] ? NULL : t.first[i];
                m->is_destroyer = t.is_with[i] && !t.is_without[i] && may_be_sure(m);
                m->is_sure = m->is_destroyer || !t.is_with[i];
        }
}

/* The only rename of its thread, and of the process at that time. */
static void resolve_single(VictimGroup *g) {
        VictimMember *m = g->members;

        m->is_sure = true;
        for (VictimCandidate *c = g->candidates; c && !m->candidate; c = c->next)
                if (fits(g, m, c))
                        m->candidate = c;
        if (!m->candidate)
                return;
        /* link() takes no directories, and rmdir() has an event with a name. */
        m->is_destroyer = !m->is_merged && !m->is_cut
                                  ? true
                                  : m->candidate->is_gone && m->candidate->n_unlinked == 0;
        m->is_sure = m->is_destroyer;
}

void victim_group_resolve(VictimGroup *g) {
        if (g->is_resolved)
                return;
        g->is_resolved = true;
        for (VictimCandidate *c = g->candidates; c; c = c->next)
                c->is_free = !c->is_unlink && !fits_any(g, c);
        if (g->members && !g->members->next && !g->is_threaded)
                resolve_single(g);
        else
                resolve_by_trial(g);
        /* What is told of them later, or was left out, may be about any. */
        for (VictimMember *m = g->members; m; m = m->next)
                if ((m->is_cut || (m->is_merged && g->is_threaded) || g->is_overfull) &&
                    !m->is_destroyer)
                        m->is_sure = false;
}
