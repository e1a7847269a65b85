/* SPDX-License-Identifier: MIT */

/*
 * Groups of renames that are under way: what begins, what ends, and what comes in between.
 *
 * Of its own thread one event at the most comes between a rename and its end: whatever else does is
 * of another thread.
 *
 * Source: fsnotify_move() in include/linux/fsnotify.h of Linux 6.18.
 */

#include "capture/victims_private.h"

#include <errno.h>
#include <stdlib.h>

/* Renames under way, of processes and threads in the middle of one. */
#define N_OPEN_MAX 256

static int32_t *threaded_slot(Victims *v, int32_t pid) {
        return &v->threaded[(uint32_t)pid % VICTIMS_THREADED_SLOTS];
}

/* Something of its process has come in between: it has several threads. */
static void note_threads(Victims *v, VictimGroup *g) {
        g->is_threaded = true;
        *threaded_slot(v, g->pid) = g->pid;
}

static VictimGroup *find_open(const Victims *v, int32_t pid) {
        for (VictimGroup *g = v->open; g; g = g->next_open)
                if (g->pid == pid)
                        return g;
        return NULL;
}

static void close_group(Victims *v, VictimGroup *g) {
        VictimGroup **at = &v->open;

        while (*at && *at != g)
                at = &(*at)->next_open;
        if (*at)
                *at = g->next_open;
}

static bool has_directory(const VictimGroup *g) {
        for (const VictimMember *m = g->members; m; m = m->next)
                if (m->is_directory)
                        return true;
        return false;
}

static void end_member(Victims *v, VictimGroup *g, VictimMember *m, uint64_t position) {
        m->end = position;
        v->n_open--;
        if (--g->n_open > 0)
                return;
        close_group(v, g);
        /* What lay in a lost directory is to be known before it is asked for. */
        if (has_directory(g))
                victims_decide_group(v, g);
}

void victims_groups_cut(Victims *v, VictimGroup *g) {
        for (VictimMember *m = g->members; m; m = m->next) {
                if (m->end != UINT64_MAX)
                        continue;
                /* The end of a merged one was in no event that can be missing. */
                m->is_cut = !m->is_merged;
                end_member(v, g, m, UINT64_MAX - 1);
        }
}

/*
 * An event of a process was read, which brings its renames nearer to their end: what a merged one
 * destroyed comes right behind it, and the second event of an unlink() right behind its first.
 */
VictimGroup *victims_groups_count(Victims *v, const FlightEvent *e, bool is_candidate) {
        VictimGroup *g = v->n_open > 0 ? find_open(v, e->fan.pid) : NULL;

        if (!g)
                return NULL;
        g->n_events++;
        g->last_position = e->position;
        for (VictimMember *m = g->members; m && g->n_open > 0; m = m->next) {
                const uint64_t n_later = g->n_events - m->index;

                if (m->end != UINT64_MAX)
                        continue;
                /* Of its own thread there is one event in front of its end at the most. */
                if (!m->is_merged && n_later > (is_candidate ? 1 : 0))
                        note_threads(v, g);
                m->is_cut = n_later > VICTIMS_MAX_LATER;
                if (m->is_cut || (m->is_merged && n_later > (is_candidate ? 1 : 0)))
                        end_member(v, g, m, e->position - 1);
        }
        return g->n_open > 0 ? g : NULL;
}

void victims_groups_add_candidate(Victims *v, VictimGroup *g, const FlightEvent *e,
                                  FileHandle handle, uint64_t file) {
        const VictimCandidate c = {
                .position = e->position,
                .file = file,
                .window = v->news.window,
                .index = g->n_events,
                .handle = handle,
                .is_gone = e->fan.mask & FAN_DELETE_SELF,
                .is_directory = e->fan.mask & FAN_ONDIR,
        };
        VictimCandidate *added = victim_group_add(g, &c);

        /* Without memory it cannot be told from an unlink(). */
        if (added && hash_table_insert(&v->candidates, &added->link, file) < 0)
                g->is_overfull = true;
        else if (added)
                added->is_listed = true;
}

Rename *victims_groups_note_end(Victims *v, const FlightEvent *e, uint64_t file) {
        VictimGroup *g = v->n_open > 0 ? find_open(v, e->fan.pid) : NULL;

        if (!g || !(e->fan.mask & FAN_MOVE_SELF))
                return NULL;
        for (VictimMember *m = g->members; m; m = m->next) {
                if (m->end != UINT64_MAX || m->source != file)
                        continue;
                g->n_events++;
                g->last_position = e->position;
                end_member(v, g, m, e->position);
                return victims_rename_of(m);
        }
        return NULL;
}

static VictimGroup *open_group(Victims *v, int32_t pid) {
        VictimGroup *g = calloc(1, sizeof(*g)), **at = &v->open;

        if (!g)
                return NULL;
        g->pid = pid;
        g->is_threaded = *threaded_slot(v, pid) == pid;
        while (*at)
                at = &(*at)->next_open;
        *at = g;
        return g;
}

int victims_groups_join(Victims *v, Rename *r, VictimGroup *g) {
        VictimMember **at;

        if (g)
                note_threads(v, g);
        else
                g = open_group(v, r->pid);
        if (!g)
                return -ENOMEM;
        for (at = &g->members; *at; at = &(*at)->next)
                ;
        *at = &r->member;
        r->group = g;
        r->member.index = g->n_events;
        g->n_open++;
        g->n_present++;
        if (++v->n_open > N_OPEN_MAX)
                victims_groups_cut(v, v->open);
        return 0;
}

/* The two events of one unlink(), or the second one that is told of its file. */
static void note_unlinked(VictimCandidate *c, uint64_t position) {
        const VictimGroup *g = c->group;

        if (g->last_position == position && c->index + 1 == g->n_events)
                c->is_unlink = true;
        else
                c->n_unlinked++;
}

void victims_groups_note_deletion(Victims *v, uint64_t position, uint64_t file) {
        if (v->candidates.n_links == 0)
                return;
        for (HashLink *i = hash_table_first(&v->candidates, file); i; i = i->next)
                if (i->hash == file)
                        note_unlinked(HASH_ENTRY(i, VictimCandidate, link), position);
}

static void free_group(Victims *v, VictimGroup *g) {
        while (g->candidates) {
                VictimCandidate *c = g->candidates;

                g->candidates = c->next;
                if (c->is_listed)
                        hash_table_remove(&v->candidates, &c->link);
                free(c);
        }
        free(g);
}

void victims_groups_leave(Victims *v, Rename *r) {
        VictimGroup *g = r->group;
        VictimMember **at = &g->members;

        if (r->member.end == UINT64_MAX)
                end_member(v, g, &r->member, UINT64_MAX - 1);
        while (*at != &r->member)
                at = &(*at)->next;
        *at = r->member.next;
        if (--g->n_present == 0)
                free_group(v, g);
}
