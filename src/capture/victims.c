/* SPDX-License-Identifier: MIT */

/*
 * Renames and what follows them.
 *
 * Each rename in flight is on one list in the order of the queue, and in a group with those of its
 * process that were under way at the same time.  It is under way until the MOVE_SELF of its source
 * is read; where that was merged into an earlier event about the same file, until the event behind
 * the next one.
 *
 * Limits: a rename over the second of two names of one file of which the process has destroyed or
 * deleted the first one just before shows no event of its own: it is not found.  Until a process
 * has been seen to do two things at once it is taken for one with one thread.
 *
 * Source: fsnotify_move(), fsnotify_link(), d_delete_notify() in include/linux/fsnotify.h and
 * fanotify_merge() in fs/notify/fanotify/fanotify.c of Linux 6.18; sequences measured on ext4, xfs,
 * btrfs and tmpfs.
 */

#include "capture/victims_private.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Renames between the two halves of an exchange, by other threads and processes. */
#define EXCHANGE_MAX_BEHIND 32

int victims_new(Victims **ret_victims) {
        Victims *v = calloc(1, sizeof(*v));

        if (!v)
                return -ENOMEM;
        v->news.window = 1;
        *ret_victims = v;
        return 0;
}

static uint64_t handle_hash(const FileHandle *h) {
        return hash_bytes(h->bytes, h->n_bytes) ^ hash_u64((uint64_t)(uint32_t)h->type);
}

static uint64_t name_hash(const FanName *n) {
        return handle_hash(&n->directory) ^ hash_u64(hash_bytes(n->name, n->n_name));
}

void victims_drained(Victims *v) {
        victims_decide_window(v);
        v->news.window++;
        victim_orphans_forget_before(&v->orphans, v->head ? v->head->window : v->news.window);
}

static void add_orphan(Victims *v, const FlightEvent *e, const FileHandle *handle, uint64_t file) {
        const VictimOrphan orphan = {
                .position = e->position,
                .file = file,
                .window = v->news.window,
                .pid = e->fan.pid,
                .is_directory = e->fan.mask & FAN_ONDIR,
                .is_gone = e->fan.mask & FAN_DELETE_SELF,
        };

        victim_orphans_add(&v->orphans, &orphan, handle);
}

/* What else the event of an arrival says. */
static void tell_arrival(Victims *v, const Rename *r, uint64_t mask) {
        Arrival *there = arrivals_find(&v->arrivals, r->name);

        if (!there || there->file != r->member.source)
                return;
        there->mask = mask;
        there->window = v->news.window;
        there->pid = r->pid;
}

static void note_nameless(Victims *v, const FlightEvent *e, FileHandle handle) {
        const uint64_t mask = e->fan.mask, file = handle_hash(&handle);
        const bool is_candidate = mask & FAN_ATTRIB && !(mask & FAN_MOVE_SELF);
        VictimGroup *g;
        Rename *r;

        file_news_add(&v->news, file, e->fan.pid, mask);
        r = victims_groups_note_end(v, e, file);
        if (r) {
                tell_arrival(v, r, mask);
                return;
        }
        g = victims_groups_count(v, e, is_candidate);
        if (mask & (FAN_ATTRIB | FAN_DELETE_SELF))
                victim_orphans_note_other(&v->orphans, e->fan.pid, file, v->news.window);
        if (!is_candidate)
                return;
        if (g)
                victims_groups_add_candidate(v, g, e, handle, file);
        else
                add_orphan(v, e, &handle, file);
}

static Arrival *find_arrival(const Victims *v, const FanName *n) {
        return v->arrivals.newest ? arrivals_find(&v->arrivals, name_hash(n)) : NULL;
}

/* A name is free again, so nothing can be destroyed there. */
static void note_deletion(Victims *v, const FlightEvent *e, uint64_t file) {
        Arrival *there = find_arrival(v, &e->fan.name);

        if (there)
                arrivals_remove(&v->arrivals, there);
        victims_groups_note_deletion(v, e->position, file);
        victim_orphans_note_deletion(&v->orphans, e->fan.pid, file);
}

/* @ret_there: filled with what was known of the source, if anything; without its handle */
static void note_old_name(Victims *v, const FanEvent *e, uint64_t source, Arrival *ret_there) {
        Arrival *there = find_arrival(v, &e->old_name);
        Rename *r = v->tail;

        if (!there)
                return;
        if (there->file == source) {
                *ret_there = *there;
                arrivals_remove(&v->arrivals, there);
                return;
        }
        /* Something else goes away from there: they were exchanged, and nothing was destroyed. */
        for (size_t i = 0; i < EXCHANGE_MAX_BEHIND && r && r->member.source != there->file; i++)
                r = r->previous;
        if (!r || r->member.source != there->file || r->pid != e->pid)
                return;
        r->replaced = (Victim){0};
        if (r->victim.handle.bytes == r->copy)
                r->victim = (Victim){0};
}

/* What is known to be at the new name, if an event in front tells that it lost one. */
static void set_replaced(Victims *v, Rename *r, const Arrival *there) {
        uint64_t mask = file_news_mask(&v->news, there->file, r->pid);

        if (there->pid == r->pid && there->window == v->news.window)
                mask |= there->mask;
        /* A later file may have taken its place among the news, but not there. */
        mask |= victim_orphans_mask(&v->orphans, r->pid, there->file, v->news.window);
        if (there->file == r->member.source || !(mask & FAN_ATTRIB))
                return;
        /* So no other rename did that. */
        victim_orphans_note_deletion(&v->orphans, r->pid, there->file);
        memcpy(r->copy, there->handle, there->n_handle);
        r->replaced = (Victim){
                .state = VICTIM_CERTAIN,
                .handle = {.type = there->handle_type,
                           .n_bytes = there->n_handle,
                           .bytes = r->copy},
                .is_gone = mask & FAN_DELETE_SELF,
        };
}

/* Each goes where the other comes from: nothing is destroyed by that. */
static void note_exchange(Rename *r) {
        Rename *q = r->previous;

        for (size_t i = 1; i < EXCHANGE_MAX_BEHIND && q && q->pid != r->pid; i++)
                q = q->previous;
        if (!q || q->pid != r->pid || q->name != r->old_name || q->old_name != r->name ||
            q->member.source == r->member.source)
                return;
        q->is_exchange = r->is_exchange = true;
}

static void append(Victims *v, Rename *r) {
        r->previous = v->tail;
        if (v->tail)
                v->tail->next = r;
        else
                v->head = r;
        v->tail = r;
}

/* Of a file that is moved again the second arrival is told by the event of the first. */
static void note_arrival(Victims *v, const Rename *r, const FileHandle *handle,
                         const Arrival *before) {
        Arrival *there = arrivals_add(&v->arrivals, r->name, handle, r->member.source);

        if (!there)
                return;
        there->mask = before->mask;
        there->window = before->window;
        there->pid = before->pid;
}

static int note_rename(Victims *v, VictimGroup *g, const FlightEvent *e) {
        const FanEvent *fan = &e->fan;
        uint64_t source = handle_hash(&fan->target);
        Arrival before = {0}, *there;
        Rename *r;

        note_old_name(v, fan, source, &before);
        there = find_arrival(v, &fan->new_name);
        r = calloc(1, sizeof(*r) + (there ? there->n_handle : 0));
        if (!r)
                return -ENOMEM;
        r->member = (VictimMember){
                .position = e->position,
                .source = source,
                .end = UINT64_MAX,
                .is_directory = fan->mask & FAN_ONDIR,
                .is_merged = file_news_mask(&v->news, source, fan->pid) != 0,
        };
        r->name = name_hash(&fan->new_name);
        r->old_name = name_hash(&fan->old_name);
        r->window = v->news.window;
        r->pid = fan->pid;
        r->new_name = fan->new_name;
        if (victims_groups_join(v, r, g) < 0) {
                free(r);
                return -ENOMEM;
        }
        if (there)
                set_replaced(v, r, there);
        append(v, r);
        note_exchange(r);
        note_arrival(v, r, &fan->target, &before);
        return 0;
}

/* What was under way stays so for ever. */
static void note_overflow(Victims *v) {
        while (v->open) {
                v->open->is_overfull = true;
                victims_groups_cut(v, v->open);
        }
        arrivals_forget_all(&v->arrivals);
        victims_drained(v);
}

int victims_note(Victims *v, const FlightEvent *e) {
        const FanEvent *fan = &e->fan;
        FileHandle handle;
        VictimGroup *g;
        uint64_t file;
        int r;

        if (fan->mask & FAN_Q_OVERFLOW) {
                note_overflow(v);
                return VICTIMS_USE_SOME;
        }
        handle = fan_event_self(fan);
        if (handle.bytes && !(fan->mask & (FAN_DELETE | FAN_RENAME))) {
                note_nameless(v, e, handle);
                return VICTIMS_USE_NONE;
        }
        g = victims_groups_count(v, e, false);
        if (fan->mask & FAN_RENAME) {
                r = fan->target.bytes && fan->new_name.directory.bytes ? note_rename(v, g, e) : 0;
                return r < 0 ? r : VICTIMS_USE_SOME;
        }
        if (!(fan->mask & FAN_DELETE))
                return VICTIMS_USE_NONE; /* chmod() and the like */
        if (!fan->target.bytes)
                return VICTIMS_USE_SOME;
        file = handle_hash(&fan->target);
        note_deletion(v, e, file);
        return file_news_is_gone(&v->news, file) ? VICTIMS_USE_GONE : VICTIMS_USE_SOME;
}

static void forget_directory(Victims *v, const Rename *r) {
        Rename **at = &v->directories;

        while (*at && *at != r)
                at = &(*at)->next_directory;
        if (*at)
                *at = r->next_directory;
}

static void leave_first(Victims *v) {
        Rename *r = v->head;

        victims_groups_leave(v, r);
        forget_directory(v, r);
        v->head = r->next;
        if (v->head)
                v->head->previous = NULL;
        else
                v->tail = NULL;
        free(r->deduced);
        free(r);
}

void victims_leave(Victims *v, const FlightEvent *e) {
        while (v->head && v->head->member.position <= e->position)
                leave_first(v);
}

Victims *victims_free(Victims *v) {
        if (!v)
                return NULL;
        while (v->head)
                leave_first(v);
        hash_table_done(&v->candidates);
        victim_orphans_done(&v->orphans);
        arrivals_done(&v->arrivals);
        free(v);
        return NULL;
}
