/* SPDX-License-Identifier: MIT */

/*
 * What a rename destroyed, when it is asked for: from the events behind it (victim_group.h), from
 * what was known to be at its new name, and from those in front of it (victim_orphans.h).
 *
 * As late as that, because the second event of an unlink() by another thread, which tells that its
 * first one is no victim, may come behind the rename's end.
 */

#include "capture/victims_private.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Renames behind one that may have destroyed the same; with more it is not known. */
#define RIVALS_MAX 256

static void keep_orphan(Victims *v, int32_t pid, const VictimCandidate *c) {
        const VictimOrphan orphan = {
                .position = c->position,
                .file = c->file,
                .window = c->window,
                .pid = pid,
                .is_directory = c->is_directory,
                .is_gone = c->is_gone,
        };

        if (c->n_unlinked == 0)
                victim_orphans_add(&v->orphans, &orphan, &c->handle);
}

/* May a rename behind have destroyed what an event of this window, in front of it, tells of? */
static bool is_rival(Victims *v, const Rename *r, Rename *q, uint64_t window) {
        if (q->pid != r->pid || q->window != window || q->is_exchange ||
            q->member.is_directory != r->member.is_directory)
                return false;
        if (!q->group->is_resolved && (q->group->n_open > 0 || q->group->is_threaded))
                return true;
        victims_decide_group(v, q->group);
        return !q->member.is_destroyer && q->replaced.state == VICTIM_NONE;
}

static bool has_rival(Victims *v, const Rename *r, uint64_t window) {
        size_t n = 0;

        for (Rename *q = r->next; q; q = q->next)
                if (++n > RIVALS_MAX || is_rival(v, r, q, window))
                        return true;
        return false;
}

static void give_out(Victims *v, Rename *r) {
        r->next_directory = v->directories;
        v->directories = r;
}

/*
 * Right behind a rename whose end was merged stands what it destroyed; or what a rename behind did,
 * told by an event of before, if that destroyed nothing else.
 */
static bool is_disputed(Victims *v, const Rename *r) {
        return r->member.is_merged && has_rival(v, r, r->member.candidate->window);
}

/* What may have destroyed it, instead of a rename whose end was merged, is still being read. */
static bool is_undisputed_yet(const Victims *v, const VictimMember *m) {
        return m->is_merged && m->candidate && m->candidate->window == v->news.window;
}

/* A half without an end destroys nothing, whatever stands behind it. */
static bool is_half_of_exchange(const Rename *r) {
        return r->is_exchange && r->member.is_merged;
}

static void take_directory(Victims *v, Rename *r) {
        const VictimMember *m = &r->member;

        if (!m->is_directory || !m->is_destroyer || !m->candidate || is_half_of_exchange(r))
                return;
        if (is_undisputed_yet(v, m))
                v->has_merged_directories = true;
        else if (!is_disputed(v, r))
                give_out(v, r);
}

void victims_decide_group(Victims *v, VictimGroup *g) {
        if (g->is_resolved || !g->members)
                return;
        victim_group_resolve(g);
        for (const VictimCandidate *c = g->candidates; c; c = c->next)
                if (c->is_free)
                        keep_orphan(v, g->pid, c);
        for (VictimMember *m = g->members; m; m = m->next) {
                if (m->is_merged && m->candidate && (m->is_destroyer || !g->is_threaded))
                        keep_orphan(v, g->pid, m->candidate);
                take_directory(v, victims_rename_of(m));
        }
}

void victims_decide_window(Victims *v) {
        if (!v->has_merged_directories)
                return;
        v->has_merged_directories = false;
        for (Rename *r = v->tail; r; r = r->previous)
                if (r->member.is_directory && r->member.is_destroyer && !is_half_of_exchange(r) &&
                    is_undisputed_yet(v, &r->member) && !is_disputed(v, r))
                        give_out(v, r);
}

/* What has been read could be half of an unlink(). */
static bool is_halfway(const VictimGroup *g) {
        const VictimCandidate *last = g->last_candidate;

        return last && !last->is_unlink && last->index == g->n_events;
}

static uint64_t wait_of(const VictimGroup *g) {
        for (const VictimMember *m = g->members; m; m = m->next)
                if (m->end == UINT64_MAX && !m->is_merged)
                        return VICTIMS_WAIT_HALFWAY_NSEC;
        return is_halfway(g) ? VICTIMS_WAIT_HALFWAY_NSEC : VICTIMS_WAIT_NSEC;
}

/* Return: 0, -EAGAIN. */
static int await_group(Victims *v, VictimGroup *g, uint64_t waited_nsec) {
        if (g->is_resolved)
                return 0;
        if (g->n_open > 0) {
                if (waited_nsec < wait_of(g))
                        return -EAGAIN;
                victims_groups_cut(v, g);
        }
        return g->is_threaded && g->n_candidates > 0 && waited_nsec < VICTIMS_WAIT_THREADS_NSEC
                       ? -EAGAIN
                       : 0;
}

static Victim ask(Victims *v, VictimCandidate *c) {
        v->asked = c;
        return (Victim){.state = VICTIM_ASK, .handle = c->handle};
}

/* With several threads, the names of all of them tell more than those of one. */
static VictimCandidate *next_uncounted(const VictimGroup *g) {
        VictimCandidate *c =
                g->is_threaded && !g->is_resolved && !g->is_overfull ? g->candidates : NULL;

        while (c && (c->is_unlink || c->is_gone || c->n_unlinked > 0 || c->is_counted))
                c = c->next;
        return c;
}

static Victim victim_of(const VictimCandidate *c) {
        if (!c)
                return (Victim){.state = VICTIM_CERTAIN};
        return (Victim){.state = VICTIM_CERTAIN, .handle = c->handle, .is_gone = c->is_gone};
}

/* What the events behind it say that it destroyed. */
static Victim claim(Victims *v, const Rename *r) {
        const VictimCandidate *c = r->member.candidate;
        VictimOrphan *o;

        if (!r->member.is_merged || !c)
                return victim_of(c);
        o = victim_orphans_at(&v->orphans, c->position);
        /* Another one has it already. */
        if (!o)
                return (Victim){.state = VICTIM_POSSIBLE};
        if (has_rival(v, r, c->window)) {
                o->is_shared = true;
                return (Victim){.state = VICTIM_POSSIBLE};
        }
        victim_orphans_remove(&v->orphans, o);
        return victim_of(c);
}

/* There is an event that may tell of it, or one is missing. */
static Victim weigh(Victims *v, const VictimMember *m) {
        VictimCandidate *c = m->candidate;

        /* Of a file that had another name, or is gone by others, nothing tells any more. */
        if (!c || c->is_gone || c->n_unlinked > 0)
                return (Victim){.state = VICTIM_POSSIBLE};
        if (!c->is_counted)
                return ask(v, c);
        if (c->n_links == 0 && !c->group->is_threaded && !m->is_merged)
                return victim_of(c);
        /* Without an end, what stands behind may as well be about what was destroyed later. */
        if (c->n_links == 0) {
                VictimOrphan *o = victim_orphans_at(&v->orphans, c->position);

                if (o)
                        o->is_shared = true;
                return (Victim){.state = VICTIM_POSSIBLE};
        }
        /* A directory has one name, or was destroyed. */
        return (Victim){.state = m->is_directory && !m->is_cut ? VICTIM_NONE : VICTIM_POSSIBLE};
}

static Victim take_orphan(Victims *v, Rename *r, VictimOrphan *o) {
        FileHandle handle = victim_orphan_handle(o);
        Victim victim = {.state = VICTIM_POSSIBLE};

        if (has_rival(v, r, r->window)) {
                o->is_shared = true;
                return victim;
        }
        r->deduced = malloc(handle.n_bytes);
        if (!r->deduced)
                return victim;
        memcpy(r->deduced, handle.bytes, handle.n_bytes);
        handle.bytes = r->deduced;
        victim = (Victim){.state = VICTIM_CERTAIN, .handle = handle, .is_gone = o->is_gone};
        victim_orphans_remove(&v->orphans, o);
        return victim;
}

static VictimOrphanSearch search_of(const Rename *r) {
        return (VictimOrphanSearch){
                .position = r->member.position,
                .source = r->member.source,
                .window = r->window,
                .pid = r->pid,
                .is_directory = r->member.is_directory,
        };
}

static bool is_taken(const VictimGroup *g, const VictimCandidate *c) {
        for (const VictimMember *m = g->members; m; m = m->next)
                if (m->is_destroyer && !m->is_merged && m->candidate == c)
                        return true;
        return false;
}

/* What another one of the group may have destroyed, may have been told in front of this one. */
static bool has_one_in_front(const Rename *r) {
        const VictimMember *m = &r->member;

        for (const VictimCandidate *c = r->group->candidates; c; c = c->next) {
                const unsigned n_enough = c->is_directory ? 1 : 2;

                if (c->position < m->position && c->window == r->window && c->file != m->source &&
                    c->is_directory == m->is_directory && !c->is_unlink && !c->is_free &&
                    c->n_unlinked == 0 && (c->is_gone || !c->is_counted || c->n_links < n_enough) &&
                    !is_taken(r->group, c))
                        return true;
        }
        return false;
}

/* Nothing behind it tells of a victim: something in front of it may. Return: 0, -EAGAIN. */
static int deduce(Victims *v, Rename *r, uint64_t waited_nsec, Victim *ret_victim) {
        const VictimOrphanSearch search = search_of(r);
        VictimOrphan *o = NULL;
        VictimOrphanAnswer answer = victim_orphans_find(&v->orphans, &search, &o);

        *ret_victim = (Victim){0};
        if (answer == VICTIM_ORPHAN_NONE)
                return 0;
        /* More may be merged into it, and more renames may come that fit. */
        if (r->window == v->news.window && waited_nsec != UINT64_MAX)
                return -EAGAIN;
        if (answer == VICTIM_ORPHAN_ASK) {
                v->asked = NULL;
                v->asked_position = o->position;
                *ret_victim = (Victim){.state = VICTIM_ASK, .handle = victim_orphan_handle(o)};
        } else if (answer == VICTIM_ORPHAN_LOST && r->window != v->news.window) {
                *ret_victim = take_orphan(v, r, o);
        } else {
                ret_victim->state = VICTIM_POSSIBLE;
        }
        return 0;
}

/* Return: 0, -EAGAIN. */
static int decide(Victims *v, Rename *r, uint64_t waited_nsec, Victim *ret_victim) {
        const VictimMember *m = &r->member;
        VictimCandidate *uncounted;
        int e = await_group(v, r->group, waited_nsec);

        if (e < 0)
                return e;
        uncounted = next_uncounted(r->group);
        if (uncounted) {
                *ret_victim = ask(v, uncounted);
                return 0;
        }
        victims_decide_group(v, r->group);
        if (is_half_of_exchange(r)) {
                *ret_victim = (Victim){0};
                return 0;
        }
        if (m->is_destroyer && is_undisputed_yet(v, m) && waited_nsec != UINT64_MAX)
                return -EAGAIN;
        if (m->is_destroyer) {
                *ret_victim = claim(v, r);
                return 0;
        }
        /* Of a name that is known to be taken nothing else needs to be guessed. */
        if (r->replaced.state != VICTIM_NONE) {
                *ret_victim = r->replaced;
                return 0;
        }
        if (r->is_exchange) {
                *ret_victim = (Victim){0};
                return 0;
        }
        *ret_victim = (Victim){0};
        if (!m->is_sure)
                *ret_victim = weigh(v, m);
        if (ret_victim->state == VICTIM_NONE && has_one_in_front(r))
                ret_victim->state = VICTIM_POSSIBLE;
        /* What stands behind it tells of nothing that it destroyed. */
        return ret_victim->state == VICTIM_NONE ? deduce(v, r, waited_nsec, ret_victim) : 0;
}

int victims_find(Victims *v, const FlightEvent *e, uint64_t waited_nsec, Victim *ret_victim) {
        Rename *r = v->head;
        Victim victim;
        int error;

        if (!r || r->member.position != e->position) {
                *ret_victim = (Victim){0};
                return 0;
        }
        if (!r->is_decided) {
                error = decide(v, r, waited_nsec, &victim);
                if (error < 0)
                        return error;
                if (victim.state == VICTIM_ASK) {
                        *ret_victim = victim;
                        return 0;
                }
                if (victim.state == VICTIM_POSSIBLE) {
                        const VictimOrphanSearch search = search_of(r);

                        victim_orphans_share(&v->orphans, &search);
                }
                r->victim = victim;
                r->is_decided = true;
        }
        *ret_victim = r->victim;
        return 0;
}

void victims_answer(Victims *v, unsigned n_links) {
        if (!v->asked) {
                victim_orphans_answer(&v->orphans, v->asked_position, n_links);
                return;
        }
        v->asked->is_counted = true;
        v->asked->n_links = n_links;
}

int victims_next_directory(Victims *v, VictimDirectory *ret_directory) {
        Rename *r = v->directories;

        if (!r)
                return 0;
        v->directories = r->next_directory;
        *ret_directory = (VictimDirectory){
                .position = r->member.position,
                .handle = r->member.candidate->handle,
                .name = r->new_name,
        };
        return 1;
}
