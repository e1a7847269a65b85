/* SPDX-License-Identifier: MIT */

/*
 * See random_model.h.
 *
 * Two things are kept apart: what a name holds (slots), and where a directory is (its place), from
 * which paths are made.  They differ for a moment while two directories are exchanged, which is two
 * events: between them the first has moved already.
 */

#include "random_model.h"

#include <dirent.h>
#include <fcntl.h>
#include <search.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "harness.h"

#define PATH_BYTES_MAX (1024 * 1024)

typedef struct Object {
        bool is_made, is_directory;
        bool is_lower;    /* it lies in an overlay's lower layer only */
        bool is_replaced; /* something is moved in its place one day */
        RandomSlot place; /* of a directory */
        size_t n_entries; /* in it */
        /* Bits of the workers that changed the number of its names, or a directory's mode or time:
         * of these events have no name. */
        unsigned linkers;
        uint64_t inode;
} Object;

typedef struct Slot {
        RandomSlot slot; /* the key, first */
        RandomId object; /* 0: empty now */
        bool has_lower;  /* the lower layer of an overlay has something there */
} Slot;

struct RandomModel {
        const RandomStage *stage;
        void *slots; /* of tsearch(3) */
        size_t n_filled;
        Object *objects[RANDOM_WORKERS_MAX + 1]; /* by owner and number */
        size_t n_objects[RANDOM_WORKERS_MAX + 1];
        size_t cursors[RANDOM_WORKERS_MAX];
        bool is_half[RANDOM_WORKERS_MAX]; /* of the exchange at the cursor one half is done */
        char *path;                       /* room for one */
};

static Object *object_of(const RandomModel *m, RandomId id) {
        unsigned owner = RANDOM_OWNER(id);

        harness_assert(owner <= m->stage->n_workers && RANDOM_NUMBER(id) < m->n_objects[owner],
                       "object %x", id);
        return &m->objects[owner][RANDOM_NUMBER(id)];
}

static int compare_slots(const void *a, const void *b) {
        const RandomSlot *x = a, *y = b;
        int r = (x->directory > y->directory) - (x->directory < y->directory);

        return r != 0 ? r : (x->name > y->name) - (x->name < y->name);
}

/* Made when it is not there. */
static Slot *slot_of(RandomModel *m, const RandomSlot *key) {
        Slot **found = tfind(key, &m->slots, compare_slots), *s;

        if (found)
                return *found;
        s = calloc(1, sizeof(*s));
        harness_assert(s, "out of memory");
        s->slot = *key;
        harness_assert(tsearch(s, &m->slots, compare_slots), "out of memory");
        return s;
}

/*
 * On an overlay most directories begin with an event about themselves, which that of their end is
 * merged into.  So it often cannot be known which rename of their process destroyed them, and what
 * was done in them, read when they are gone, has no place then.
 */
static void find_overwritten(RandomModel *m) {
        for (unsigned i = 0; m->stage->is_upper && i < m->stage->n_workers; i++) {
                const RandomLog *log = m->stage->logs[i];

                for (size_t k = 0; k < log->n_ops; k++)
                        if (log->ops[k].kind == RANDOM_RENAME && log->ops[k].object != 0)
                                object_of(m, log->ops[k].object)->is_replaced = true;
        }
}

RandomModel *random_model_new(const RandomStage *stage) {
        RandomModel *m = calloc(1, sizeof(*m));

        harness_assert(m && (m->path = malloc(PATH_BYTES_MAX)), "out of memory");
        m->stage = stage;
        for (unsigned i = 0; i <= stage->n_workers; i++) {
                m->n_objects[i] = i == 0 ? RANDOM_ROOTS_MAX + 1 : stage->logs[i - 1]->n_max;
                m->objects[i] = calloc(m->n_objects[i], sizeof(Object));
                harness_assert(m->objects[i], "out of memory");
        }
        for (unsigned i = 0; i < stage->n_roots; i++)
                *object_of(m, RANDOM_ID(0, i + 1)) =
                        (Object){.is_made = true, .is_directory = true};
        find_overwritten(m);
        return m;
}

RandomModel *random_model_free(RandomModel *m) {
        if (!m)
                return NULL;
        tdestroy(m->slots, free);
        for (size_t i = 0; i <= RANDOM_WORKERS_MAX; i++)
                free(m->objects[i]);
        free(m->path);
        free(m);
        return NULL;
}

void random_expected_done(RandomExpected *e) {
        free(e->path);
        free(e->target);
        *e = (RandomExpected){0};
}

/* The root that a name is below, as a number from 0. */
static unsigned root_of(const RandomModel *m, RandomSlot slot) {
        RandomId id = slot.directory;

        while (RANDOM_OWNER(id) != 0)
                id = object_of(m, id)->place.directory;
        return RANDOM_NUMBER(id) - 1;
}

static bool may_be_nowhere(const RandomModel *m, RandomSlot slot) {
        for (RandomId id = slot.directory; RANDOM_OWNER(id) != 0;
             id = object_of(m, id)->place.directory)
                if (object_of(m, id)->is_replaced)
                        return true;
        return false;
}

/* Newly allocated. */
static char *path_of(const RandomModel *m, RandomSlot slot) {
        char *end = m->path + PATH_BYTES_MAX, name[RANDOM_NAME_BYTES];
        const char *root = m->stage->seen[root_of(m, slot)], *path;

        *--end = '\0';
        for (;;) {
                size_t n;

                random_name(slot.name, name);
                n = strlen(name);
                harness_assert((size_t)(end - m->path) > n + 1, "a path too long");
                end -= n;
                memcpy(end, name, n);
                *--end = '/';
                if (RANDOM_OWNER(slot.directory) == 0)
                        break;
                slot = object_of(m, slot.directory)->place;
        }
        path = harness_format("%s%s", root, end);
        return (char *)path;
}

/* It has a place in the writable layer from now on, and so has all above it. */
static void copy_up(const RandomModel *m, RandomId id) {
        for (;;) {
                object_of(m, id)->is_lower = false;
                if (RANDOM_OWNER(id) == 0)
                        break;
                id = object_of(m, id)->place.directory;
        }
}

static void fill(RandomModel *m, RandomSlot slot, RandomId object) {
        Slot *s = slot_of(m, &slot);
        Object *o = object_of(m, object);

        harness_assert(s->object == 0, "the model has %x in directory %x twice", slot.name,
                       slot.directory);
        s->object = object;
        m->n_filled++;
        object_of(m, slot.directory)->n_entries++;
        if (o->is_directory)
                o->place = slot;
}

static RandomId empty(RandomModel *m, RandomSlot slot) {
        Slot *s = slot_of(m, &slot);
        RandomId object = s->object;

        harness_assert(object != 0, "the model has no %x in directory %x", slot.name,
                       slot.directory);
        s->object = 0;
        m->n_filled--;
        object_of(m, slot.directory)->n_entries--;
        return object;
}

static void make(RandomModel *m, unsigned worker, const RandomOp *op) {
        Object *o = object_of(m, op->object);

        if (op->kind == RANDOM_CHANGE) {
                o->linkers |= o->is_directory ? 1U << worker : 0;
                if (o->is_directory)
                        copy_up(m, op->object);
                o->is_lower = false;
                return;
        }
        if (op->kind == RANDOM_MAKE)
                *o = (Object){.is_made = true,
                              .is_directory = op->is_directory,
                              .is_replaced = o->is_replaced,
                              .inode = op->inode};
        if (op->is_link)
                o->linkers |= 1U << worker;
        fill(m, op->at, op->object);
        o->is_lower = op->is_lower;
        if (op->is_lower)
                slot_of(m, &op->at)->has_lower = true;
        else
                copy_up(m, op->at.directory);
}

static const RandomOp *next_op(const RandomModel *m, unsigned worker) {
        const RandomLog *log = m->stage->logs[worker];

        return m->cursors[worker] < log->n_ops ? &log->ops[m->cursors[worker]] : NULL;
}

static bool op_is_told(const RandomOp *op) {
        return op->kind != RANDOM_MAKE && op->kind != RANDOM_LINK && op->kind != RANDOM_CHANGE;
}

/* Whether it can be said where a directory is. */
static bool is_made(const RandomModel *m, RandomId directory) {
        return object_of(m, directory)->is_made;
}

static void need_directory(RandomModel *m, RandomId directory, const RandomOp *user);

/* Does what a worker made, up to `until`; there is no record of that. */
static void make_next(RandomModel *m, unsigned worker, const RandomOp *user) {
        const RandomOp *op = next_op(m, worker);

        harness_assert(op && !op_is_told(op) && op->begin < user->end,
                       "operation %zu of worker %u is told too late or not at all: another one "
                       "needed what came after it",
                       m->cursors[worker], worker);
        need_directory(m, op->kind == RANDOM_CHANGE ? op->object : op->at.directory, op);
        m->cursors[worker]++;
        make(m, worker, op);
}

static void need_directory(RandomModel *m, RandomId directory, const RandomOp *user) {
        while (!is_made(m, directory))
                make_next(m, RANDOM_OWNER(directory) - 1, user);
}

static void need_filled(RandomModel *m, RandomSlot slot, const RandomOp *user) {
        need_directory(m, slot.directory, user);
        while (slot_of(m, &slot)->object == 0)
                make_next(m, RANDOM_OWNER(slot.name) - 1, user);
}

static const char *type_of(const Object *o) {
        return o->is_directory ? "dir" : "file";
}

static void remove_object(RandomModel *m, unsigned worker, const RandomOp *op, RandomExpected *e) {
        Object *o;

        need_filled(m, op->at, op);
        e->path = path_of(m, op->at);
        e->may_be_nowhere = may_be_nowhere(m, op->at);
        e->is_told = root_of(m, op->at) == 0;
        o = object_of(m, empty(m, op->at));
        harness_assert(o->n_entries == 0, "%s is not empty in the model", e->path);
        e->may_be_file = o->is_lower && o->is_directory;
        e->may_have_no_inode = slot_of(m, &op->at)->has_lower;
        copy_up(m, op->at.directory);
        e->action = op->kind == RANDOM_RMDIR ? "rmdir" : "unlink";
        e->type = type_of(o);
        e->inode = o->inode;
        o->linkers |= 1U << worker;
}

static void expect_move(RandomModel *m, RandomSlot from, RandomSlot to, const Object *o,
                        RandomExpected *e) {
        e->action = "move";
        e->path = path_of(m, from);
        e->target = path_of(m, to);
        e->may_be_nowhere = may_be_nowhere(m, from);
        e->may_target_be_nowhere = may_be_nowhere(m, to);
        e->is_told = root_of(m, from) == 0 || root_of(m, to) == 0;
        e->type = type_of(o);
        e->inode = o->inode;
}

/* What was there is lost: that is told, with what took its place; unless nobody watched it. */
static void expect_overwrite(RandomModel *m, unsigned worker, const RandomOp *op,
                             RandomExpected *e) {
        Object *victim = object_of(m, empty(m, op->to));
        unsigned linkers = victim->linkers;
        char *lost = e->target;
        bool is_nowhere;

        harness_assert(victim->n_entries == 0, "%s is not empty in the model", lost);
        victim->linkers |= 1U << worker;
        /* In the writable layer nothing is lost of what lay in the one below only. */
        if (m->stage->is_by_directory || root_of(m, op->to) != 0 || victim->is_lower)
                return;
        e->may_be_move = linkers & 1U << worker || m->stage->is_upper;
        e->source_type = e->type;
        e->source_inode = e->inode;
        e->action = "overwrite";
        e->target = e->path;
        e->path = lost;
        is_nowhere = e->may_be_nowhere;
        e->may_be_nowhere = e->may_target_be_nowhere;
        e->may_target_be_nowhere = is_nowhere;
        e->type = type_of(victim);
        e->inode = victim->inode;
}

static void rename_object(RandomModel *m, unsigned worker, const RandomOp *op, RandomExpected *e) {
        RandomId id;

        need_filled(m, op->at, op);
        need_directory(m, op->to.directory, op);
        id = slot_of(m, &op->at)->object;
        expect_move(m, op->at, op->to, object_of(m, id), e);
        empty(m, op->at);
        copy_up(m, op->at.directory);
        copy_up(m, op->to.directory);
        if (slot_of(m, &op->to)->object != 0)
                expect_overwrite(m, worker, op, e);
        fill(m, op->to, id);
        object_of(m, id)->is_lower = false;
}

/* The first half moves the one, and changes what both names hold. */
static void exchange_half(RandomModel *m, const RandomOp *op, bool is_second, RandomExpected *e) {
        RandomSlot from = is_second ? op->to : op->at, to = is_second ? op->at : op->to;
        Slot *a, *b;
        Object *o;

        need_filled(m, op->at, op);
        need_filled(m, op->to, op);
        a = slot_of(m, &op->at);
        b = slot_of(m, &op->to);
        if (!is_second) {
                RandomId id = a->object;

                a->object = b->object;
                b->object = id;
        }
        o = object_of(m, is_second ? a->object : b->object);
        expect_move(m, from, to, o, e);
        if (o->is_directory)
                o->place = to;
}

bool random_model_step(RandomModel *m, unsigned worker, RandomExpected *ret_expected) {
        const RandomOp *op = next_op(m, worker);
        bool is_second = m->is_half[worker];

        *ret_expected = (RandomExpected){.op = op, .pid = m->stage->logs[worker]->pid};
        if (!op)
                return false;
        switch (op->kind) {
        case RANDOM_MAKE:
        case RANDOM_LINK:
        case RANDOM_CHANGE:
                make_next(m, worker, op);
                return true;
        case RANDOM_UNLINK:
        case RANDOM_RMDIR:
                remove_object(m, worker, op, ret_expected);
                break;
        case RANDOM_RENAME:
                rename_object(m, worker, op, ret_expected);
                break;
        case RANDOM_EXCHANGE:
                exchange_half(m, op, is_second, ret_expected);
                break;
        }
        m->is_half[worker] = op->kind == RANDOM_EXCHANGE && !is_second;
        m->cursors[worker] += !m->is_half[worker];
        return true;
}

int random_model_first(const RandomModel *m) {
        int first = -1;

        for (unsigned i = 0; i < m->stage->n_workers; i++) {
                const RandomOp *op = next_op(m, i);

                if (op && (first < 0 || op->begin < next_op(m, (unsigned)first)->begin))
                        first = (int)i;
        }
        return first;
}

const RandomOp *random_model_next_told(const RandomModel *m, unsigned worker) {
        const RandomLog *log = m->stage->logs[worker];

        for (size_t i = m->cursors[worker]; i < log->n_ops; i++)
                if (op_is_told(&log->ops[i]))
                        return &log->ops[i];
        return NULL;
}

/* Return: the number of entries in and below a directory. */
static size_t compare_directory(RandomModel *m, RandomId id, int fd) {
        _cleanup_closedir_ DIR *d = fdopendir(fd);
        struct dirent *e;
        size_t n = 0;

        harness_assert(d, "fdopendir: %m");
        while ((e = readdir(d))) {
                RandomSlot slot = {id, random_name_parse(e->d_name)};
                RandomId object;
                struct stat st;

                if (slot.name == 0)
                        continue;
                n++;
                harness_assert(fstatat(dirfd(d), e->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0,
                               "%s: %m", e->d_name);
                object = slot_of(m, &slot)->object;
                harness_assert(object != 0 && st.st_uid == object &&
                                       object_of(m, object)->is_directory == S_ISDIR(st.st_mode),
                               "%s in directory %x is %x on the disk, %x in the model", e->d_name,
                               id, st.st_uid, object);
                if (S_ISDIR(st.st_mode))
                        n += compare_directory(
                                m, object,
                                openat(dirfd(d), e->d_name, O_RDONLY | O_DIRECTORY | O_CLOEXEC));
        }
        return n;
}

void random_model_compare(const RandomModel *m) {
        size_t n = 0;

        for (unsigned i = 0; i < m->stage->n_roots; i++)
                n += compare_directory(
                        (RandomModel *)m, RANDOM_ID(0, i + 1),
                        open(m->stage->roots[i], O_RDONLY | O_DIRECTORY | O_CLOEXEC));
        harness_assert(n == m->n_filled, "%zu names on the disk, %zu in the model", n, m->n_filled);
}
