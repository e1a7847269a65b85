/* SPDX-License-Identifier: MIT */

/*
 * Most are taken at once: by the second event of the unlink() that they are the first of.
 *
 * Limits: of a file that had two names or more before it was given another one, the loss of one of
 * these looks as if nothing had been lost.  A file of which the process also deletes a name is
 * taken for lost by that.
 *
 * Source: fanotify_merge() in fs/notify/fanotify/fanotify.c of Linux 6.18.
 */

#include "capture/victim_orphans.h"

#include <stdlib.h>
#include <string.h>

/* Those of one process, oldest first. */
struct VictimOrphanOwner {
        HashLink link; /* by pid */
        int32_t pid;
        VictimOrphan *first, *last;
};

static VictimOrphanOwner *find_owner(const VictimOrphans *o, int32_t pid) {
        const uint64_t hash = hash_u64((uint32_t)pid);

        if (o->owners.n_links == 0)
                return NULL;
        for (HashLink *l = hash_table_first(&o->owners, hash); l; l = l->next)
                if (l->hash == hash)
                        return HASH_ENTRY(l, VictimOrphanOwner, link);
        return NULL;
}

static VictimOrphanOwner *get_owner(VictimOrphans *o, int32_t pid) {
        VictimOrphanOwner *owner = find_owner(o, pid);

        if (owner)
                return owner;
        owner = calloc(1, sizeof(*owner));
        if (!owner)
                return NULL;
        owner->pid = pid;
        if (hash_table_insert(&o->owners, &owner->link, hash_u64((uint32_t)pid)) >= 0)
                return owner;
        free(owner);
        return NULL;
}

void victim_orphans_remove(VictimOrphans *o, VictimOrphan *orphan) {
        VictimOrphanOwner *owner = orphan->owner;

        hash_table_remove(&o->files, &orphan->link);
        *(orphan->newer ? &orphan->newer->older : &o->newest) = orphan->older;
        *(orphan->older ? &orphan->older->newer : &o->oldest) = orphan->newer;
        *(orphan->next ? &orphan->next->previous : &owner->last) = orphan->previous;
        *(orphan->previous ? &orphan->previous->next : &owner->first) = orphan->next;
        free(orphan);
}

static void note_lost(VictimOrphans *o, const VictimOrphan *orphan) {
        o->lost_pids |= UINT64_C(1) << ((uint32_t)orphan->pid % 64);
        if (o->lost_window < orphan->window)
                o->lost_window = orphan->window;
}

static void append(VictimOrphans *o, VictimOrphanOwner *owner, VictimOrphan *orphan) {
        orphan->older = o->newest;
        *(o->newest ? &o->newest->newer : &o->oldest) = orphan;
        o->newest = orphan;
        orphan->owner = owner;
        orphan->previous = owner->last;
        *(owner->last ? &owner->last->next : &owner->first) = orphan;
        owner->last = orphan;
}

void victim_orphans_add(VictimOrphans *o, const VictimOrphan *orphan, const FileHandle *handle) {
        VictimOrphanOwner *owner = get_owner(o, orphan->pid);
        VictimOrphan *copy = owner ? calloc(1, sizeof(*copy) + handle->n_bytes) : NULL;

        if (!copy || hash_table_insert(&o->files, &copy->link, orphan->file) < 0) {
                free(copy);
                note_lost(o, orphan);
                return;
        }
        copy->position = orphan->position;
        copy->file = orphan->file;
        copy->window = orphan->window;
        copy->pid = orphan->pid;
        copy->is_directory = orphan->is_directory;
        copy->is_gone = orphan->is_gone;
        copy->handle_type = handle->type;
        copy->n_handle = handle->n_bytes;
        memcpy(copy->handle, handle->bytes, handle->n_bytes);
        append(o, owner, copy);
        if (o->files.n_links > VICTIM_ORPHANS_MAX) {
                note_lost(o, o->oldest);
                victim_orphans_remove(o, o->oldest);
        }
}

/* The next one of a file behind a link of the table, that one included. */
static VictimOrphan *of_file(HashLink *l, uint64_t file) {
        for (; l; l = l->next)
                if (l->hash == file)
                        return HASH_ENTRY(l, VictimOrphan, link);
        return NULL;
}

void victim_orphans_note_other(VictimOrphans *o, int32_t pid, uint64_t file, uint64_t window) {
        if (o->files.n_links == 0)
                return;
        for (VictimOrphan *i = of_file(hash_table_first(&o->files, file), file); i;
             i = of_file(i->link.next, file))
                i->is_shared |= i->pid != pid || i->window != window;
}

uint64_t victim_orphans_mask(const VictimOrphans *o, int32_t pid, uint64_t file, uint64_t window) {
        uint64_t mask = 0;

        if (o->files.n_links == 0)
                return 0;
        for (const VictimOrphan *i = of_file(hash_table_first(&o->files, file), file); i;
             i = of_file(i->link.next, file))
                if (i->pid == pid && i->window == window)
                        mask |= FAN_ATTRIB | (i->is_gone ? FAN_DELETE_SELF : 0);
        return mask;
}

void victim_orphans_note_deletion(VictimOrphans *o, int32_t pid, uint64_t file) {
        VictimOrphan *next;

        if (o->files.n_links == 0)
                return;
        for (VictimOrphan *i = of_file(hash_table_first(&o->files, file), file); i; i = next) {
                next = of_file(i->link.next, file);
                if (i->pid == pid)
                        victim_orphans_remove(o, i);
                else
                        i->n_unlinked++;
        }
}

static void forget_owners(VictimOrphans *o) {
        for (size_t i = 0; i < o->owners.n_buckets; i++)
                while (o->owners.buckets[i]) {
                        HashLink *link = o->owners.buckets[i];

                        hash_table_remove(&o->owners, link);
                        free(HASH_ENTRY(link, VictimOrphanOwner, link));
                }
}

void victim_orphans_forget_before(VictimOrphans *o, uint64_t window) {
        while (o->oldest && o->oldest->window < window)
                victim_orphans_remove(o, o->oldest);
        if (!o->oldest && o->owners.n_links > 0)
                forget_owners(o);
}

void victim_orphans_done(VictimOrphans *o) {
        victim_orphans_forget_before(o, UINT64_MAX);
        hash_table_done(&o->owners);
        hash_table_done(&o->files);
}

static bool fits(const VictimOrphan *orphan, const VictimOrphanSearch *s) {
        return orphan->window == s->window && orphan->is_directory == s->is_directory &&
               orphan->file != s->source && orphan->position < s->position;
}

VictimOrphanAnswer victim_orphans_find(VictimOrphans *o, const VictimOrphanSearch *s,
                                       VictimOrphan **ret_orphan) {
        const VictimOrphanOwner *owner = find_owner(o, s->pid);
        const VictimOrphan *only = NULL;
        size_t n = 0;

        for (VictimOrphan *orphan = owner ? owner->first : NULL; orphan; orphan = orphan->next) {
                if (!fits(orphan, s))
                        continue;
                *ret_orphan = orphan;
                if (!orphan->is_gone && !orphan->is_counted)
                        return VICTIM_ORPHAN_ASK;
                only = orphan;
                if (++n > 1)
                        return VICTIM_ORPHAN_POSSIBLE;
        }
        if (s->window <= o->lost_window && o->lost_pids & UINT64_C(1) << ((uint32_t)s->pid % 64))
                return VICTIM_ORPHAN_POSSIBLE;
        if (n == 0)
                return VICTIM_ORPHAN_NONE;
        /* Given another name, and gone when all were deleted by others, it need not be lost. */
        return n == 1 && (only->is_gone || only->is_nameless) && !only->is_shared &&
                               only->n_unlinked == 0
                       ? VICTIM_ORPHAN_LOST
                       : VICTIM_ORPHAN_POSSIBLE;
}

void victim_orphans_share(VictimOrphans *o, const VictimOrphanSearch *s) {
        const VictimOrphanOwner *owner = find_owner(o, s->pid);

        for (VictimOrphan *orphan = owner ? owner->first : NULL; orphan; orphan = orphan->next)
                orphan->is_shared |= fits(orphan, s);
}

VictimOrphan *victim_orphans_at(const VictimOrphans *o, uint64_t position) {
        for (VictimOrphan *i = o->newest; i; i = i->older)
                if (i->position == position)
                        return i;
        return NULL;
}

void victim_orphans_answer(VictimOrphans *o, uint64_t position, unsigned n_links) {
        VictimOrphan *orphan = victim_orphans_at(o, position);

        if (!orphan)
                return;
        orphan->is_counted = true;
        /* So many were there after it was given another one, and none was lost. */
        if (orphan->is_directory ? n_links > 0 : n_links + orphan->n_unlinked >= 2)
                victim_orphans_remove(o, orphan);
        else
                orphan->is_nameless = n_links == 0;
}

FileHandle victim_orphan_handle(const VictimOrphan *orphan) {
        return (FileHandle){
                .type = orphan->handle_type, .n_bytes = orphan->n_handle, .bytes = orphan->handle};
}
