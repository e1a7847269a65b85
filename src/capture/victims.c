/* SPDX-License-Identifier: MIT */

/*
 * Renames and what follows them.
 *
 * Each rename in flight is on one list in the order of the queue.  It is open until the MOVE_SELF
 * of its source is read.  Where the event of its victim was merged into an earlier one about the
 * same file, the victim is what the last rename brought to that name.
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
#include "capture/arrivals.h"
#include "capture/file_news.h"
#include "capture/victim_candidates.h"

/* Open renames, that is processes and threads in the middle of one. */
#define N_OPEN_MAX 256

typedef struct Rename {
        struct Rename *next, *previous;
        struct Rename *next_open;
        struct Rename *next_directory; /* that was not given out */
        HashLink possible;             /* in the table while its victim is only a possible one */
        FanName new_name;              /* borrowed from the event */
        uint64_t position;             /* of the event */
        uint64_t source;               /* hash of what it moved */
        uint64_t name;                 /* … and of its new name */
        int32_t pid;
        bool is_directory;
        bool is_possible;
        bool is_open;     /* its MOVE_SELF was not read */
        bool is_merged;   /* … and will not come: an earlier event has it */
        unsigned n_later; /* events of the process behind it, while open */
        Victim victim;
        Victim replaced; /* what was known to be at its new name; backed by … */
        uint8_t copy[];
} Rename;

struct Victims {
        Rename *head, *tail; /* in flight */
        Rename *open;        /* oldest first */
        Rename *directories; /* that have destroyed one, and were not given out */
        size_t n_open;
        HashTable possible; /* renames by what they may have destroyed */
        Arrivals arrivals;
        FileNews news; /* its window ends when the queue is seen empty */
        VictimCandidates candidates;
};

int victims_new(Victims **ret_victims) {
        Victims *v = calloc(1, sizeof(*v));

        if (!v)
                return -ENOMEM;
        v->news.window = 1;
        *ret_victims = v;
        return 0;
}

Victims *victims_free(Victims *v) {
        if (!v)
                return NULL;
        while (v->head) {
                Rename *r = v->head;

                v->head = r->next;
                free(r);
        }
        hash_table_done(&v->possible);
        arrivals_done(&v->arrivals);
        free(v);
        return NULL;
}

static uint64_t handle_hash(const FileHandle *h) {
        return hash_bytes(h->bytes, h->n_bytes) ^ hash_u64((uint64_t)(uint32_t)h->type);
}

static uint64_t name_hash(const FanName *n) {
        return handle_hash(&n->directory) ^ hash_u64(hash_bytes(n->name, n->n_name));
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
                v->candidates.n = 0;
}

/*
 * The earliest event behind a rename that could tell of its victim; taken out.
 * @is_in_order: the MOVE_SELF has just been read, so that there was time for other threads only
 */
static bool take_candidate(Victims *v, const Rename *r, bool is_in_order, VictimCandidate *ret) {
        const VictimSearch search = {
                .position = r->position,
                .source = r->source,
                .pid = r->pid,
                .is_directory = r->is_directory,
        };

        return is_in_order ? victim_candidates_take_from(&v->candidates, &search, ret)
                           : victim_candidates_take_behind(&v->candidates, &search, ret);
}

/* Its MOVE_SELF has been read, or will not be: no event from here on is about its victim. */
static void decide(Victims *v, Rename *r, bool is_in_order) {
        VictimCandidate c = {0};

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
        /* Its names go on to be counted; without memory for that it stays in doubt. */
        if (r->victim.state == VICTIM_POSSIBLE)
                r->is_possible = hash_table_insert(&v->possible, &r->possible, c.file) >= 0;
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
        v->news.window++;
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
        victim_candidates_count_later(&v->candidates, pid);
        for (Rename *next, *r = v->open; r; r = next) {
                next = r->next_open;
                if (r->pid == pid && ++r->n_later > VICTIMS_MAX_LATER)
                        decide(v, r, false);
        }
}

static void add_candidate(Victims *v, const FlightEvent *e, FileHandle handle, uint64_t file) {
        VictimCandidate c = {
                .position = e->position,
                .file = file,
                .rename = VICTIM_CANDIDATE_NO_RENAME,
                .handle = handle,
                .pid = e->fan.pid,
                .is_gone = e->fan.mask & FAN_DELETE_SELF,
                .is_directory = e->fan.mask & FAN_ONDIR,
        };

        for (const Rename *r = v->open; r; r = r->next_open)
                if (r->pid == e->fan.pid && r->n_later == 1)
                        c.rename = r->position;
        victim_candidates_add(&v->candidates, &c);
}

/* What else the event of an arrival says. */
static void tell_arrival(Victims *v, const Rename *r, uint64_t mask) {
        Arrival *there = arrivals_find(&v->arrivals, r->name);

        if (!there || there->file != r->source)
                return;
        there->mask = mask;
        there->window = v->news.window;
        there->pid = r->pid;
}

static void note_nameless(Victims *v, const FlightEvent *e, FileHandle handle) {
        uint64_t mask = e->fan.mask, file = handle_hash(&handle);
        Rename *r;

        file_news_add(&v->news, file, e->fan.pid, mask);
        if (v->n_open == 0)
                return;
        if (mask & FAN_MOVE_SELF) {
                r = find_open(v, e->fan.pid, file);
                if (r) {
                        tell_arrival(v, r, mask);
                        decide(v, r, true);
                        return;
                }
        }
        count_later(v, e->fan.pid);
        if (mask & FAN_ATTRIB && !(mask & FAN_MOVE_SELF) && find_open(v, e->fan.pid, 0))
                add_candidate(v, e, handle, file);
}

static Arrival *find_arrival(const Victims *v, const FanName *n) {
        return v->arrivals.newest ? arrivals_find(&v->arrivals, name_hash(n)) : NULL;
}

/* A name is free again, so nothing can be destroyed there. */
static void note_deletion(Victims *v, const FlightEvent *e, uint64_t file) {
        Arrival *there = find_arrival(v, &e->fan.name);

        if (there)
                arrivals_remove(&v->arrivals, there);
        for (HashLink *i = hash_table_first(&v->possible, file); i; i = i->next)
                if (i->hash == file)
                        HASH_ENTRY(i, Rename, possible)->victim.n_unlinked++;
        victim_candidates_note_deletion(&v->candidates, e->fan.pid, file);
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
        for (size_t i = 0; i < VICTIMS_MAX_LATER && r && r->source != there->file; i++)
                r = r->previous;
        if (!r || r->source != there->file || r->pid != e->pid)
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
        if (there->file == r->source || !(mask & FAN_ATTRIB))
                return;
        memcpy(r->copy, there->handle, there->n_handle);
        r->replaced = (Victim){
                .state = VICTIM_CERTAIN,
                .handle = {.type = there->handle_type,
                           .n_bytes = there->n_handle,
                           .bytes = r->copy},
                .is_gone = mask & FAN_DELETE_SELF,
        };
}

static void append(Victims *v, Rename *r) {
        Rename **at;

        r->previous = v->tail;
        if (v->tail)
                v->tail->next = r;
        else
                v->head = r;
        v->tail = r;
        for (at = &v->open; *at; at = &(*at)->next_open)
                ;
        *at = r;
        if (++v->n_open > N_OPEN_MAX)
                decide(v, v->open, false);
}

/* Of a file that is moved again the second arrival is told by the event of the first. */
static void note_arrival(Victims *v, const Rename *r, const FileHandle *handle,
                         const Arrival *before) {
        Arrival *there = arrivals_add(&v->arrivals, r->name, handle, r->source);

        if (!there)
                return;
        there->mask = before->mask;
        there->window = before->window;
        there->pid = before->pid;
}

static int note_rename(Victims *v, const FlightEvent *e) {
        const FanEvent *fan = &e->fan;
        uint64_t source = handle_hash(&fan->target);
        Arrival before = {0}, *there;
        Rename *r;

        note_old_name(v, fan, source, &before);
        there = find_arrival(v, &fan->new_name);
        r = calloc(1, sizeof(*r) + (there ? there->n_handle : 0));
        if (!r)
                return -ENOMEM;
        r->position = e->position;
        r->source = source;
        r->name = name_hash(&fan->new_name);
        r->pid = fan->pid;
        r->is_open = true;
        r->is_merged = file_news_mask(&v->news, source, fan->pid) != 0;
        r->is_directory = fan->mask & FAN_ONDIR;
        r->new_name = fan->new_name;
        if (there)
                set_replaced(v, r, there);
        append(v, r);
        note_arrival(v, r, &fan->target, &before);
        return 0;
}

/* What was open stays so for ever. */
static void note_overflow(Victims *v) {
        while (v->open)
                decide(v, v->open, false);
        arrivals_forget_all(&v->arrivals);
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
        handle = fan_event_self(fan);
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
        return file_news_is_gone(&v->news, file) ? VICTIMS_USE_GONE : VICTIMS_USE_SOME;
}

int victims_find(Victims *v, const FlightEvent *e, uint64_t waited_nsec, Victim *ret_victim) {
        Rename *r = v->head;

        if (!r || r->position != e->position) {
                *ret_victim = (Victim){0};
                return 0;
        }
        if (r->is_open) {
                const uint64_t wait = victim_candidates_is_halfway(&v->candidates, r->position)
                                              ? VICTIMS_WAIT_HALFWAY_NSEC
                                              : VICTIMS_WAIT_NSEC;

                /* Two events further on at the latest it would have come. */
                if (waited_nsec < wait && !is_over(r))
                        return -EAGAIN;
                decide(v, r, false);
        }
        *ret_victim = r->victim;
        return 0;
}

static void forget_possible(Victims *v, Rename *r) {
        if (r->is_possible)
                hash_table_remove(&v->possible, &r->possible);
        r->is_possible = false;
}

static void forget_directory(Victims *v, const Rename *r) {
        Rename **at = &v->directories;

        while (*at && *at != r)
                at = &(*at)->next_directory;
        if (*at)
                *at = r->next_directory;
}

void victims_leave(Victims *v, const FlightEvent *e) {
        while (v->head && v->head->position <= e->position) {
                Rename *r = v->head;

                close_rename(v, r);
                forget_directory(v, r);
                forget_possible(v, r);
                v->head = r->next;
                if (v->head)
                        v->head->previous = NULL;
                else
                        v->tail = NULL;
                free(r);
        }
}

bool victim_is_likely(const Victim *victim, unsigned n_links) {
        return n_links + victim->n_unlinked < 2;
}
