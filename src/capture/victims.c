/* SPDX-License-Identifier: MIT */

/*
 * Renames and what follows them.
 *
 * Each rename in flight has an entry on one list in the order of the queue.  It is open until the
 * MOVE_SELF of its source is read.  Entries that have left stay on the list as long as the queue
 * was not seen empty, because what they moved to a name may be destroyed there by the next one,
 * with the event of that merged into their own.
 *
 * Limits: where the MOVE_SELF is merged into an earlier event about the same file, a link() behind
 * the rename is told from a victim by the number of names only.  A file to which a process gives
 * another name and whose first one it then renames over, all before we read, shows one event, in
 * front of that rename: it is not found.  Neither is the second of two names of one file that are
 * renamed over one right behind the other.  Threads of one process that rename in different
 * directories within the same microsecond can be mistaken for each other.
 *
 * Source: fsnotify_move(), fsnotify_link(), d_delete_notify() in include/linux/fsnotify.h and
 * fanotify_merge() in fs/notify/fanotify/fanotify.c of Linux 6.18; sequences measured on ext4, xfs,
 * btrfs and tmpfs.
 */

#include "capture/victims.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash_table.h"

/* A power of two. What falls out of the table costs a look at the filesystem. */
#define N_SLOTS 1024
/* Candidates that wait for their rename: of each open one, the victims of all threads. */
#define N_CANDIDATES 256
/* Open renames, that is processes and threads in the middle of one. */
#define N_OPEN_MAX 256

/* What events without a name have said of a file lately. */
typedef struct Slot {
        uint64_t file; /* hash of its handle */
        uint64_t mask;
        uint64_t window; /* in which the last of them was read … */
        int32_t pid;     /* … and whose it was */
} Slot;

typedef struct Candidate {
        uint64_t position, file;
        uint64_t rename; /* position of the one that it comes right behind; UINT64_MAX none */
        FileHandle handle;
        int32_t pid;
        bool is_gone;
        unsigned n_later; /* events of the process behind it */
        unsigned n_unlinked;
} Candidate;

typedef struct Rename {
        struct Rename *next;
        struct Rename *next_open;
        struct Rename *next_directory; /* that was not given out */
        HashLink name;                 /* its new one; in the table while .is_named */
        FanName new_name;              /* borrowed from the event */
        uint64_t position;             /* of the event */
        uint64_t source;               /* hash of what it moved */
        uint64_t slot_mask; /* what the nameless event about the source has said so far */
        int32_t pid;
        bool is_directory;
        bool is_named;
        bool is_open;     /* its MOVE_SELF was not read */
        bool is_merged;   /* … and will not come: an earlier event has it */
        unsigned n_later; /* events of the process behind it, while open */
        Victim victim;
        Victim replaced;   /* what the same process had moved to this name; backed by … */
        uint8_t *copy;     /* … or NULL */
        uint32_t n_handle; /* of the source */
        int32_t handle_type;
        uint8_t handle[];
} Rename;

struct Victims {
        Rename *first, *last; /* all, in order */
        Rename *head;         /* the first that has not left; NULL none */
        Rename *open;         /* oldest first */
        Rename *directories;  /* that have destroyed one, and were not given out */
        HashTable names;
        size_t n_open;
        uint64_t window;
        size_t n_candidates;
        Candidate candidates[N_CANDIDATES];
        Slot slots[N_SLOTS];
};

int victims_new(Victims **ret_victims) {
        Victims *v = calloc(1, sizeof(*v));

        if (!v)
                return -ENOMEM;
        v->window = 1;
        *ret_victims = v;
        return 0;
}

static void rename_free(Rename *r) {
        free(r->copy);
        free(r);
}

Victims *victims_free(Victims *v) {
        if (!v)
                return NULL;
        while (v->first) {
                Rename *r = v->first;

                v->first = r->next;
                rename_free(r);
        }
        hash_table_done(&v->names);
        free(v);
        return NULL;
}

static uint64_t handle_hash(const FileHandle *h) {
        return hash_bytes(h->bytes, h->n_bytes) ^ hash_u64((uint64_t)(uint32_t)h->type);
}

static uint64_t name_hash(const FanName *n) {
        return handle_hash(&n->directory) ^ hash_u64(hash_bytes(n->name, n->n_name));
}

/* What an event is about that has no name: of a directory that is "." in itself. */
static FileHandle nameless(const FanEvent *e) {
        const FanName *n = &e->name;

        if (e->old_name.directory.bytes || e->new_name.directory.bytes)
                return (FileHandle){0};
        if (!n->directory.bytes)
                return e->target;
        if (e->mask & FAN_ONDIR && n->n_name == 1 && n->name[0] == '.')
                return n->directory;
        return (FileHandle){0};
}

static void forget_names(Victims *v) {
        if (v->names.n_links == 0)
                return;
        for (Rename *r = v->first; r; r = r->next) {
                if (r->is_named)
                        hash_table_remove(&v->names, &r->name);
                r->is_named = false;
        }
}

/* Those that have left and are remembered no longer. */
static void collect(Victims *v) {
        while (v->first && v->first != v->head && !v->first->is_named) {
                Rename *r = v->first;

                v->first = r->next;
                if (!v->first)
                        v->last = NULL;
                rename_free(r);
        }
}

static void close_rename(Victims *v, Rename *r) {
        Rename **at = &v->open;

        if (!r->is_open)
                return;
        while (*at != r)
                at = &(*at)->next_open;
        *at = r->next_open;
        r->is_open = false;
        if (--v->n_open == 0)
                v->n_candidates = 0;
}

static Slot *slot_of(Victims *v, uint64_t file) {
        return &v->slots[file & (N_SLOTS - 1)];
}

/* What nameless events have said of a file in this window, by one process. */
static uint64_t slot_mask(Victims *v, uint64_t file, int32_t pid) {
        const Slot *s = slot_of(v, file);

        return s->file == file && s->pid == pid && s->window == v->window ? s->mask : 0;
}

static void slot_add(Victims *v, uint64_t file, int32_t pid, uint64_t mask) {
        Slot *s = slot_of(v, file);

        /* That it is gone stays true, whoever says what about it. */
        if (s->file == file && s->pid == pid && s->window == v->window)
                mask |= s->mask;
        else if (s->file == file)
                mask |= s->mask & FAN_DELETE_SELF;
        *s = (Slot){.file = file, .mask = mask, .window = v->window, .pid = pid};
}

/* The rename that brought a name, if that was just now. */
static Rename *find_name(const Victims *v, const FanName *n) {
        uint64_t hash = name_hash(n);

        for (HashLink *l = hash_table_first(&v->names, hash); l; l = l->next)
                if (l->hash == hash)
                        return HASH_ENTRY(l, Rename, name);
        return NULL;
}

static void forget_name(Victims *v, Rename *r) {
        hash_table_remove(&v->names, &r->name);
        r->is_named = false;
}

static void remove_candidate(Victims *v, Candidate *c) {
        v->n_candidates--;
        memmove(c, c + 1, (size_t)(v->candidates + v->n_candidates - c) * sizeof(*c));
}

/*
 * The earliest event behind a rename that could tell of its victim; taken out.
 * @is_in_order: the MOVE_SELF has just been read, so that there was time for other threads only
 */
static bool take_candidate(Victims *v, const Rename *r, bool is_in_order, Candidate *ret) {
        for (Candidate *c = v->candidates; c < v->candidates + v->n_candidates; c++) {
                if (is_in_order ? c->pid != r->pid || c->position < r->position
                                : c->rename != r->position)
                        continue;
                *ret = *c;
                remove_candidate(v, c);
                return true;
        }
        return false;
}

/* Its MOVE_SELF has been read, or will not be: no event from here on is about its victim. */
static void decide(Victims *v, Rename *r, bool is_in_order) {
        Candidate c;

        if (take_candidate(v, r, is_in_order, &c))
                r->victim = (Victim){
                        /* link() takes no directories, and rmdir() has an event with a name. */
                        .state = is_in_order || (r->is_directory && c.is_gone) ? VICTIM_CERTAIN
                                                                               : VICTIM_POSSIBLE,
                        .handle = c.handle,
                        .is_gone = c.is_gone,
                        .n_unlinked = c.n_unlinked,
                };
        /* Of a name that is known to be taken nothing else needs to be guessed. */
        if (r->victim.state != VICTIM_CERTAIN && r->replaced.state != VICTIM_NONE)
                r->victim = r->replaced;
        close_rename(v, r);
        /* What is known by its name only may still turn out to have been exchanged. */
        if (r->is_directory && r->victim.state == VICTIM_CERTAIN &&
            r->victim.handle.bytes != r->copy) {
                r->next_directory = v->directories;
                v->directories = r;
        }
}

/* No MOVE_SELF comes any more, and what stood behind it in the queue has been read. */
static bool is_over(const Rename *r) {
        return r->is_merged && r->n_later > 1;
}

void victims_drained(Victims *v) {
        for (Rename *next, *r = v->open; r; r = next) {
                next = r->next_open;
                if (is_over(r))
                        decide(v, r, false);
        }
        v->window++;
        forget_names(v);
        collect(v);
}

int victims_next_directory(Victims *v, VictimDirectory *ret_directory) {
        Rename *r = v->directories;

        if (!r)
                return 0;
        v->directories = r->next_directory;
        *ret_directory = (VictimDirectory){
                .position = r->position,
                .handle = r->victim.handle,
                .name = r->new_name,
        };
        return 1;
}

/* The oldest open rename of a process, of one source if that is not 0. */
static Rename *find_open(const Victims *v, int32_t pid, uint64_t source) {
        for (Rename *r = v->open; r; r = r->next_open)
                if (r->pid == pid && (source == 0 || r->source == source))
                        return r;
        return NULL;
}

/* Any event of a process brings its open renames nearer to their end. */
static void count_later(Victims *v, int32_t pid) {
        for (Candidate *c = v->candidates; c < v->candidates + v->n_candidates; c++)
                c->n_later += c->pid == pid;
        for (Rename *next, *r = v->open; r; r = next) {
                next = r->next_open;
                if (r->pid == pid && ++r->n_later > VICTIMS_MAX_LATER)
                        decide(v, r, false);
        }
}

static void add_candidate(Victims *v, const FlightEvent *e, FileHandle handle, uint64_t file) {
        Candidate *c = &v->candidates[v->n_candidates];
        uint64_t rename = UINT64_MAX;

        if (v->n_candidates == N_CANDIDATES)
                return;
        for (const Rename *r = v->open; r; r = r->next_open)
                if (r->pid == e->fan.pid && r->n_later == 1)
                        rename = r->position;
        *c = (Candidate){
                .position = e->position,
                .file = file,
                .rename = rename,
                .handle = handle,
                .pid = e->fan.pid,
                .is_gone = e->fan.mask & FAN_DELETE_SELF,
        };
        v->n_candidates++;
}

static void note_nameless(Victims *v, const FlightEvent *e, FileHandle handle) {
        uint64_t mask = e->fan.mask, file = handle_hash(&handle);
        Rename *r;

        slot_add(v, file, e->fan.pid, mask);
        if (v->n_open == 0)
                return;
        if (mask & FAN_MOVE_SELF) {
                r = find_open(v, e->fan.pid, file);
                if (r) {
                        r->slot_mask = mask;
                        decide(v, r, true);
                        return;
                }
        }
        count_later(v, e->fan.pid);
        if (mask & FAN_ATTRIB && !(mask & FAN_MOVE_SELF) && find_open(v, e->fan.pid, 0))
                add_candidate(v, e, handle, file);
}

/* A name is free again, so nothing can be destroyed there. */
static void note_deletion(Victims *v, const FlightEvent *e, uint64_t file) {
        Rename *r = v->names.n_links > 0 ? find_name(v, &e->fan.name) : NULL;

        if (r)
                forget_name(v, r);
        for (Candidate *c = v->candidates; c < v->candidates + v->n_candidates; c++) {
                if (c->file != file)
                        continue;
                /* The two events of one unlink(), or of one rmdir(). */
                if (c->pid == e->fan.pid && c->n_later == 1)
                        remove_candidate(v, c--);
                else
                        c->n_unlinked++;
        }
}

static void note_old_name(Victims *v, const FanEvent *e, uint64_t source) {
        Rename *r = v->names.n_links > 0 ? find_name(v, &e->old_name) : NULL;

        if (!r)
                return;
        if (r->source == source) {
                forget_name(v, r);
                return;
        }
        /* Something else goes away from there: they were exchanged, and nothing was destroyed. */
        r->replaced.state = VICTIM_NONE;
        if (r->copy && r->victim.handle.bytes == r->copy)
                r->victim = (Victim){0};
}

/* What the process had moved to the new name, if an event in front tells that it lost one. */
static int set_replaced(Rename *r, const Rename *before) {
        if (!before || before->pid != r->pid || before->source == r->source ||
            !(before->slot_mask & FAN_ATTRIB))
                return 0;
        r->copy = malloc(before->n_handle);
        if (!r->copy)
                return -ENOMEM;
        memcpy(r->copy, before->handle, before->n_handle);
        r->replaced = (Victim){
                .state = VICTIM_CERTAIN,
                .handle = {.type = before->handle_type,
                           .n_bytes = before->n_handle,
                           .bytes = r->copy},
                .is_gone = before->slot_mask & FAN_DELETE_SELF,
        };
        return 0;
}

static void append(Victims *v, Rename *r) {
        Rename **at;

        if (v->last)
                v->last->next = r;
        else
                v->first = r;
        v->last = r;
        if (!v->head)
                v->head = r;
        for (at = &v->open; *at; at = &(*at)->next_open)
                ;
        *at = r;
        if (++v->n_open > N_OPEN_MAX)
                decide(v, v->open, false);
}

static int note_rename(Victims *v, const FlightEvent *e) {
        const FanEvent *fan = &e->fan;
        uint64_t source = handle_hash(&fan->target);
        Rename *before, *r = calloc(1, sizeof(*r) + fan->target.n_bytes);

        if (!r)
                return -ENOMEM;
        note_old_name(v, fan, source);
        r->position = e->position;
        r->source = source;
        r->slot_mask = slot_mask(v, source, fan->pid);
        r->is_merged = r->slot_mask != 0;
        r->is_directory = fan->mask & FAN_ONDIR;
        r->new_name = fan->new_name;
        r->pid = fan->pid;
        r->is_open = true;
        r->n_handle = fan->target.n_bytes;
        r->handle_type = fan->target.type;
        memcpy(r->handle, fan->target.bytes, fan->target.n_bytes);

        before = v->names.n_links > 0 ? find_name(v, &fan->new_name) : NULL;
        if (set_replaced(r, before) < 0) {
                rename_free(r);
                return -ENOMEM;
        }
        if (before)
                forget_name(v, before);
        if (v->names.n_links == VICTIMS_MAX_NAMES)
                forget_names(v);
        r->is_named = hash_table_insert(&v->names, &r->name, name_hash(&fan->new_name)) >= 0;
        append(v, r);
        return 0;
}

/* What was open stays so for ever. */
static void note_overflow(Victims *v) {
        while (v->open)
                decide(v, v->open, false);
        victims_drained(v);
}

int victims_note(Victims *v, const FlightEvent *e) {
        const FanEvent *fan = &e->fan;
        FileHandle handle;
        uint64_t file;
        int r;

        if (fan->mask & FAN_Q_OVERFLOW) {
                note_overflow(v);
                return VICTIMS_USE_SOME;
        }
        handle = nameless(fan);
        if (handle.bytes && !(fan->mask & (FAN_DELETE | FAN_RENAME))) {
                note_nameless(v, e, handle);
                return VICTIMS_USE_NONE;
        }
        if (v->n_open > 0)
                count_later(v, fan->pid);
        if (fan->mask & FAN_RENAME) {
                r = fan->target.bytes && fan->new_name.directory.bytes ? note_rename(v, e) : 0;
                return r < 0 ? r : VICTIMS_USE_SOME;
        }
        if (!(fan->mask & FAN_DELETE))
                return VICTIMS_USE_NONE; /* chmod() and the like */
        if (!fan->target.bytes)
                return VICTIMS_USE_SOME;
        file = handle_hash(&fan->target);
        note_deletion(v, e, file);
        return slot_of(v, file)->file == file && slot_of(v, file)->mask & FAN_DELETE_SELF
                       ? VICTIMS_USE_GONE
                       : VICTIMS_USE_SOME;
}

int victims_find(Victims *v, const FlightEvent *e, bool is_final, Victim *ret_victim) {
        Rename *r = v->head;

        if (!r || r->position != e->position) {
                *ret_victim = (Victim){0};
                return 0;
        }
        if (r->is_open) {
                /* Two events further on at the latest it would have come. */
                if (!is_final && !is_over(r))
                        return -EAGAIN;
                decide(v, r, false);
        }
        *ret_victim = r->victim;
        return 0;
}

void victims_leave(Victims *v, const FlightEvent *e) {
        while (v->head && v->head->position <= e->position) {
                close_rename(v, v->head);
                v->head = v->head->next;
        }
        collect(v);
}

bool victim_is_likely(const Victim *victim, unsigned n_links) {
        return n_links + victim->n_unlinked < 2;
}
