/* SPDX-License-Identifier: MIT */

/*
 * See random_hand.h.
 */

#include "random_hand.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <signal.h>
#include <sys/fsuid.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "harness.h"
#include "monitor.h"

void random_directory_done(RandomDirectory *d) {
        cleanup_close(&d->fd);
}

size_t random_below(RandomHand *h, size_t n) {
        return (size_t)(random_next(&h->random) % n);
}

void random_pass_turn(RandomStage *s) {
        unsigned alive[RANDOM_WORKERS_MAX], n = 0;

        for (unsigned i = 0; i < s->n_workers; i++)
                if (!s->is_over[i])
                        alive[n++] = i;
        if (n > 0)
                sem_post(&s->turns[alive[random_next(&s->turn_random) % n]]);
}

void random_await_turn(RandomHand *h) {
        while (sem_wait(&h->stage->turns[h->i]) < 0 && errno == EINTR)
                ;
}

void random_let_others(RandomHand *h) {
        if (!h->stage->is_serial)
                return;
        random_pass_turn(h->stage);
        random_await_turn(h);
}

static uint64_t look_at_clock(RandomHand *h) {
        return atomic_fetch_add(&h->stage->clock, 1);
}

/* Right behind the call that it is about, which went well. */
static void note(RandomHand *h, RandomOp op) {
        RandomLog *log = h->log;

        op.end = look_at_clock(h);
        if (log->n_ops == log->n_max)
                _exit(EXIT_FAILURE);
        log->ops[log->n_ops++] = op;
}

RandomId random_new_name(RandomHand *h) {
        return RANDOM_ID(h->i + 1, ++h->n_names);
}

RandomId random_new_object(RandomHand *h) {
        return RANDOM_ID(h->i + 1, ++h->n_objects);
}

int random_open(int directory_fd, RandomId name, int flags) {
        char text[RANDOM_NAME_BYTES];

        random_name(name, text);
        return openat(directory_fd, text, flags | O_NOFOLLOW | O_CLOEXEC);
}

RandomId random_id_of(int fd) {
        struct stat st;

        return fd >= 0 && fstat(fd, &st) == 0 ? st.st_uid : 0;
}

static RandomId id_at(int directory_fd, RandomId name) {
        _cleanup_close_ int fd = random_open(directory_fd, name, O_PATH);

        return random_id_of(fd);
}

/* By number, so that the same seed chooses the same ones. */
static int compare_entries(const void *a, const void *b) {
        const RandomEntry *x = a, *y = b;

        return (x->name > y->name) - (x->name < y->name);
}

static void directory_list(RandomDirectory *d) {
        _cleanup_closedir_ DIR *stream = NULL;
        struct dirent *e;
        int fd = openat(d->fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

        d->n_entries = d->n_directories = 0;
        stream = fd < 0 ? NULL : fdopendir(fd);
        while (stream && (e = readdir(stream)) && d->n_entries < RANDOM_ENTRIES_MAX) {
                RandomId name = random_name_parse(e->d_name);

                if (name == 0)
                        continue;
                d->entries[d->n_entries++] = (RandomEntry){name, e->d_type == DT_DIR};
                d->n_directories += e->d_type == DT_DIR;
        }
        qsort(d->entries, d->n_entries, sizeof(RandomEntry), compare_entries);
}

bool random_directory_open(RandomDirectory *d, int fd) {
        d->fd = fd;
        d->id = random_id_of(fd);
        if (d->id != 0)
                directory_list(d);
        return d->id != 0;
}

const RandomEntry *random_pick(RandomHand *h, const RandomDirectory *d, bool is_directory) {
        size_t n = is_directory ? d->n_directories : d->n_entries - d->n_directories;

        n = n == 0 ? SIZE_MAX : random_below(h, n);
        for (size_t i = 0; i < d->n_entries; i++)
                if (d->entries[i].is_directory == is_directory && n-- == 0)
                        return &d->entries[i];
        return NULL;
}

const RandomEntry *random_pick_any(RandomHand *h, const RandomDirectory *d) {
        return d->n_entries == 0 ? NULL : &d->entries[random_below(h, d->n_entries)];
}

const RandomEntry *random_pick_own(const RandomHand *h, const RandomDirectory *d,
                                   bool is_directory) {
        for (size_t i = 0; i < d->n_entries; i++)
                if (RANDOM_OWNER(d->entries[i].name) == h->i + 1 &&
                    d->entries[i].is_directory == is_directory)
                        return &d->entries[i];
        return NULL;
}

RandomDirectory random_somewhere(RandomHand *h) {
        const RandomStage *s = h->stage;
        unsigned root = s->n_roots > 1 && random_below(h, 3) == 0 ? 1 : 0;
        RandomDirectory d = {.fd = -1};

        if (!random_directory_open(&d, open(s->roots[root], O_RDONLY | O_DIRECTORY | O_CLOEXEC)))
                _exit(EXIT_FAILURE);
        while (d.n_directories > 0 && random_below(h, 4) > 0) {
                const RandomEntry *e = random_pick(h, &d, true);
                RandomDirectory next = {.fd = -1};

                if (!random_directory_open(&next,
                                           random_open(d.fd, e->name, O_RDONLY | O_DIRECTORY))) {
                        random_directory_done(&next);
                        break;
                }
                random_directory_done(&d);
                d = next;
        }
        return d;
}

/*
 * The number is there from the first moment on: a file belongs to whom its maker is for the
 * kernel's filesystems. To change the owner afterwards would be an event, and others might come in
 * between.
 */
static void become(RandomId owner) {
        setfsuid(owner);
        /* Whoever changes its user does not die with its parent any more. */
        if (owner == 0)
                prctl(PR_SET_PDEATHSIG, SIGKILL);
}

/* A new directory is marked within this time, or later than anyone wants to wait. */
#define MARKING_SEC 2.0

static void await_mark(const RandomStage *s, size_t n_before) {
        double end = harness_now() + MARKING_SEC;

        while (monitor_count_marks(s->monitor) <= n_before && harness_now() < end)
                harness_sleep(0.001);
}

bool random_make(RandomHand *h, const RandomDirectory *d, RandomId name, mode_t type) {
        RandomOp op = {.kind = RANDOM_MAKE,
                       .is_directory = type == S_IFDIR,
                       .at = {d->id, name},
                       .object = random_new_object(h)};
        bool is_marked = h->stage->is_by_directory && op.is_directory;
        size_t n_marks = is_marked ? monitor_count_marks(h->stage->monitor) : 0;
        char text[RANDOM_NAME_BYTES];
        struct stat st;
        int r;

        random_name(name, text);
        become(op.object);
        op.begin = look_at_clock(h);
        if (type == S_IFDIR)
                r = mkdirat(d->fd, text, 0777);
        else if (type == S_IFLNK)
                r = symlinkat("nowhere", d->fd, text);
        else
                r = mknodat(d->fd, text, S_IFREG | 0666, 0);
        if (r >= 0)
                note(h, op);
        become(0);
        if (r < 0)
                return false;
        h->n_live++;
        /* Unless others have moved it away, or put theirs there. */
        if (fstatat(d->fd, text, &st, AT_SYMLINK_NOFOLLOW) == 0 && st.st_uid == op.object)
                h->log->ops[h->log->n_ops - 1].inode = st.st_ino;
        if (is_marked)
                await_mark(h->stage, n_marks);
        return true;
}

int random_make_nameless(RandomHand *h, const RandomDirectory *d) {
        int fd;

        become(random_new_object(h));
        fd = openat(d->fd, ".", O_TMPFILE | O_WRONLY | O_CLOEXEC, 0666);
        become(0);
        return fd;
}

static bool is_changed(const RandomHand *h, RandomSlot slot) {
        for (size_t i = 0; i < h->n_changed; i++)
                if (h->changed[i].directory == slot.directory && h->changed[i].name == slot.name)
                        return true;
        return false;
}

static bool is_touched(const RandomHand *h, RandomId id) {
        return id != 0 && !h->stage->is_careless &&
               (RANDOM_NUMBER(id) >= RANDOM_TOUCHED_MAX ||
                h->touched[RANDOM_OWNER(id)][RANDOM_NUMBER(id)]);
}

static void touch(RandomHand *h, RandomId id) {
        if (RANDOM_NUMBER(id) < RANDOM_TOUCHED_MAX)
                h->touched[RANDOM_OWNER(id)][RANDOM_NUMBER(id)] = true;
}

bool random_change(RandomHand *h, const RandomDirectory *d, RandomId name) {
        _cleanup_close_ int fd = random_open(d->fd, name, O_PATH), write_fd = -1;
        RandomOp op = {.kind = RANDOM_CHANGE, .object = random_id_of(fd), .at = {d->id, name}};
        char text[RANDOM_NAME_BYTES];
        struct stat st;

        if (op.object == 0 || fstat(fd, &st) < 0 || h->n_changed == RANDOM_CHANGED_MAX)
                return false;
        if (S_ISDIR(st.st_mode))
                touch(h, op.object);
        h->changed[h->n_changed++] = op.at;
        random_name(name, text);
        op.begin = look_at_clock(h);
        (void)fchmodat(d->fd, text, random_below(h, 2) ? 0777 : 0773, 0);
        (void)utimensat(d->fd, text, NULL, AT_SYMLINK_NOFOLLOW);
        note(h, op);
        write_fd = random_open(d->fd, name, O_WRONLY | O_TRUNC | O_NONBLOCK);
        if (write_fd >= 0 && write(write_fd, text, strlen(text)) < 0)
                _exit(EXIT_FAILURE);
        return true;
}

bool random_take_away(RandomHand *h, const RandomDirectory *d, RandomId name, int flags) {
        RandomOp op = {.kind = flags ? RANDOM_RMDIR : RANDOM_UNLINK, .at = {d->id, name}};
        char text[RANDOM_NAME_BYTES];

        if (!flags && is_changed(h, op.at))
                return false;
        touch(h, id_at(d->fd, name)); /* it may have another name */
        random_name(name, text);
        op.begin = look_at_clock(h);
        if (unlinkat(d->fd, text, flags) < 0)
                return false;
        note(h, op);
        h->n_live--;
        return true;
}

bool random_link(RandomHand *h, int fd, const RandomDirectory *d, RandomId name, bool is_first) {
        RandomOp op = {.kind = is_first ? RANDOM_MAKE : RANDOM_LINK,
                       .is_link = true,
                       .object = random_id_of(fd),
                       .at = {d->id, name}};
        char text[RANDOM_NAME_BYTES];
        struct stat st;

        if (op.object == 0 || fstat(fd, &st) < 0)
                return false;
        op.inode = st.st_ino;
        random_name(name, text);
        op.begin = look_at_clock(h);
        touch(h, op.object);
        if (linkat(fd, "", d->fd, text, AT_EMPTY_PATH) < 0)
                return false;
        note(h, op);
        h->n_live++;
        return true;
}

bool random_move(RandomHand *h, const RandomDirectory *from, RandomId name,
                 const RandomDirectory *to, RandomId new_name, unsigned flags) {
        RandomOp op = {.kind = flags & RENAME_EXCHANGE ? RANDOM_EXCHANGE : RANDOM_RENAME,
                       .at = {from->id, name},
                       .to = {to->id, new_name}};
        char old_text[RANDOM_NAME_BYTES], new_text[RANDOM_NAME_BYTES];
        RandomId id = id_at(from->fd, name), there = id_at(to->fd, new_name);

        if (is_touched(h, id) || is_touched(h, there))
                return false;
        /* One link over another of the same file: the kernel does nothing, and says that it did. */
        if (id == 0 || id == there)
                return false;
        random_name(name, old_text);
        random_name(new_name, new_text);
        touch(h, id);
        touch(h, there);
        op.object = there;
        op.begin = look_at_clock(h);
        if (syscall(SYS_renameat2, from->fd, old_text, to->fd, new_text, flags) < 0)
                return false;
        note(h, op);
        /* The same, when the other link came there just now. */
        if (!flags && id_at(from->fd, name) == id && id_at(to->fd, new_name) == id) {
                h->log->n_ops--;
                return false;
        }
        return true;
}
