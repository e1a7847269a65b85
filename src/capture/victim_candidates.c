/* SPDX-License-Identifier: MIT */

/*
 * An array in the order of the queue: there are few at a time, and they go soon.
 *
 * Source: fsnotify_link(), d_delete_notify() in include/linux/fsnotify.h of Linux 6.18.
 */

#include "capture/victim_candidates.h"

#include <string.h>

static void remove_at(VictimCandidates *v, size_t i) {
        v->n--;
        memmove(v->items + i, v->items + i + 1, (v->n - i) * sizeof(v->items[0]));
}

static void take_at(VictimCandidates *v, size_t i, VictimCandidate *ret) {
        *ret = v->items[i];
        remove_at(v, i);
}

void victim_candidates_add(VictimCandidates *v, const VictimCandidate *c) {
        if (v->n < VICTIM_CANDIDATES_MAX)
                v->items[v->n++] = *c;
}

void victim_candidates_count_later(VictimCandidates *v, int32_t pid) {
        for (size_t i = 0; i < v->n; i++)
                v->items[i].n_later += v->items[i].pid == pid;
}

void victim_candidates_note_deletion(VictimCandidates *v, int32_t pid, uint64_t file) {
        for (size_t i = 0; i < v->n;) {
                VictimCandidate *c = &v->items[i];

                /* The two events of one unlink(), or of one rmdir(). */
                if (c->file == file && c->pid == pid && c->n_later == 1) {
                        remove_at(v, i);
                        continue;
                }
                c->n_unlinked += c->file == file;
                i++;
        }
}

static bool may_be_victim(const VictimCandidate *c, const VictimSearch *s) {
        return c->is_directory == s->is_directory && c->file != s->source;
}

bool victim_candidates_take_from(VictimCandidates *v, const VictimSearch *s, VictimCandidate *ret) {
        for (size_t i = 0; i < v->n; i++) {
                const VictimCandidate *c = &v->items[i];

                if (!may_be_victim(c, s) || c->pid != s->pid || c->position < s->position)
                        continue;
                take_at(v, i, ret);
                return true;
        }
        return false;
}

bool victim_candidates_take_behind(VictimCandidates *v, const VictimSearch *s,
                                   VictimCandidate *ret) {
        for (size_t i = 0; i < v->n; i++) {
                if (!may_be_victim(&v->items[i], s) || v->items[i].rename != s->position)
                        continue;
                take_at(v, i, ret);
                return true;
        }
        return false;
}

bool victim_candidates_is_halfway(const VictimCandidates *v, uint64_t rename) {
        for (size_t i = 0; i < v->n; i++)
                if (v->items[i].rename == rename)
                        return v->items[i].n_later == 0;
        return false;
}
