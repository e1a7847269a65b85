/* SPDX-License-Identifier: MIT */

/*
 * The mount table of a namespace, and which mount a path lies on.
 *
 * A table is one allocation: the array of mounts and behind it a copy of the text, whose fields
 * are unescaped and terminated where they stand.  Unescaping only shortens, so the copy is always
 * large enough, and freeing the array frees all.
 *
 * Limits: "\ooo" is undone wherever it stands; a backslash before anything else stays, since some
 * filesystems print options of their own without escaping.  For the same reason the super options
 * reach to the end of the line, spaces included.
 *
 * Source: proc_pid_mountinfo(5); fs/proc_namespace.c (show_mountinfo), fs/d_path.c and fs/namei.c
 * (nd_jump_root, __traverse_mounts) of Linux 6.18.
 */

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <string.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/buffer.h"
#include "base/cleanup.h"
#include "base/path.h"
#include "capture/mountinfo.h"

#define READS_MAX 8
#define READ_BYTES ((size_t)64 * 1024)

/* What is left of a line, in the table's own copy of the text; the newline is at its end. */
typedef struct Line {
        char *at;
        char *end;
} Line;

static bool is_octal(char c) {
        return c >= '0' && c <= '7';
}

/* Undoes \ooo in place and terminates.  Return: false for a NUL, which no path can hold. */
static bool unescape(char *s, char *end) {
        char *to = s;

        while (s < end) {
                int c = (unsigned char)*s++;

                if (c == '\\' && end - s >= 3 && s[0] <= '3' && is_octal(s[0]) && is_octal(s[1]) &&
                    is_octal(s[2])) {
                        c = (s[0] - '0') * 64 + (s[1] - '0') * 8 + (s[2] - '0');
                        s += 3;
                }
                if (c == '\0')
                        return false;
                *to++ = (char)c;
        }
        *to = '\0';
        return true;
}

/* Takes a field and the space behind it; the space is overwritten. */
static bool take_field(Line *l, char **ret) {
        char *space = memchr(l->at, ' ', (size_t)(l->end - l->at));
        char *field = l->at;

        if (!space || !unescape(field, space))
                return false;
        l->at = space + 1;
        *ret = field;
        return true;
}

/* Takes a decimal number that ends in the given character. */
static bool take_number(Line *l, unsigned max, char after, unsigned *ret) {
        unsigned v = 0;
        char *s = l->at;

        for (; s < l->end && *s >= '0' && *s <= '9'; s++) {
                unsigned digit = (unsigned)(*s - '0');

                if (v > (max - digit) / 10)
                        return false;
                v = v * 10 + digit;
        }
        if (s == l->at || s == l->end || *s != after)
                return false;

        l->at = s + 1;
        *ret = v;
        return true;
}

static int parse_line(Line l, Mount *ret_mount) {
        unsigned id, parent_id, major_number, minor_number;
        Mount m = {0};
        char *options, *tag;

        if (!take_number(&l, INT_MAX, ' ', &id) || !take_number(&l, INT_MAX, ' ', &parent_id) ||
            !take_number(&l, UINT_MAX, ':', &major_number) ||
            !take_number(&l, UINT_MAX, ' ', &minor_number))
                return -EBADMSG;

        m.id = (int)id;
        m.parent_id = (int)parent_id;
        m.device = makedev(major_number, minor_number);

        if (!take_field(&l, &m.root) || !take_field(&l, &m.point) || !take_field(&l, &options))
                return -EBADMSG;
        if (m.point[0] != '/')
                return -EBADMSG;

        do {
                if (!take_field(&l, &tag))
                        return -EBADMSG;
        } while (strcmp(tag, "-") != 0);

        if (!take_field(&l, &m.fstype) || !take_field(&l, &m.source) || !unescape(l.at, l.end))
                return -EBADMSG;
        m.super_options = l.at;

        *ret_mount = m;
        return 0;
}

static size_t count_lines(const char *text, size_t n_bytes) {
        const char *end = text + n_bytes;
        size_t n = 0;

        while (text < end && (text = memchr(text, '\n', (size_t)(end - text)))) {
                text++;
                n++;
        }
        return n;
}

int mount_table_parse(const char *text, size_t n_bytes, MountTable *ret_table) {
        _cleanup_free_ Mount *mounts = NULL;
        size_t n_mounts, n_array;
        char *copy;

        if (n_bytes == 0) {
                *ret_table = (MountTable){0};
                return 0;
        }
        if (text[n_bytes - 1] != '\n')
                return -EBADMSG;

        n_mounts = count_lines(text, n_bytes);
        if (__builtin_mul_overflow(n_mounts, sizeof(Mount), &n_array) ||
            n_array > SIZE_MAX - n_bytes)
                return -ENOMEM;
        mounts = malloc(n_array + n_bytes);
        if (!mounts)
                return -ENOMEM;
        copy = (char *)(mounts + n_mounts);
        memcpy(copy, text, n_bytes);

        for (size_t i = 0; i < n_mounts; i++) {
                char *newline = memchr(copy, '\n', n_bytes);
                int r;

                r = parse_line((Line){.at = copy, .end = newline}, &mounts[i]);
                if (r < 0)
                        return r;
                n_bytes -= (size_t)(newline + 1 - copy);
                copy = newline + 1;
        }

        *ret_table = (MountTable){.mounts = TAKE_PTR(mounts), .n_mounts = n_mounts};
        return 0;
}

void mount_table_done(MountTable *t) {
        free(t->mounts);
        *t = (MountTable){0};
}

/* Reads the file from its start into a cleared buffer. */
static int read_whole(int fd, Buffer *b) {
        int r;

        if (lseek(fd, 0, SEEK_SET) < 0)
                return -errno;

        for (buffer_clear(b);;) {
                ssize_t n;

                r = buffer_reserve(b, READ_BYTES);
                if (r < 0)
                        return r;
                n = read(fd, b->bytes + b->n_bytes, READ_BYTES);
                if (n < 0 && errno == EINTR)
                        continue;
                if (n < 0)
                        return -errno;
                if (n == 0)
                        return 0;
                b->n_bytes += (size_t)n;
        }
}

static bool buffers_equal(const Buffer *a, const Buffer *b) {
        return a->n_bytes == b->n_bytes &&
               (a->n_bytes == 0 || memcmp(a->bytes, b->bytes, a->n_bytes) == 0);
}

static int read_table(int proc_fd, const char *path, MountTable *ret_table) {
        _cleanup_buffer_ Buffer first = {0}, second = {0};
        _cleanup_close_ int fd = -1;
        int r;

        fd = openat(proc_fd, path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
        if (fd < 0)
                return -errno;

        r = read_whole(fd, &first);
        for (size_t i = 1; r >= 0 && i < READS_MAX; i++) {
                Buffer *to = i % 2 == 1 ? &second : &first;

                r = read_whole(fd, to);
                if (r >= 0 && buffers_equal(&first, &second))
                        break;
        }
        if (r < 0)
                return r;

        /* READS_MAX is even: the last read always went into the second. */
        return mount_table_parse(second.bytes, second.n_bytes, ret_table);
}

int mount_table_read(int proc_fd, MountTable *ret_table) {
        return read_table(proc_fd, "self/mountinfo", ret_table);
}

int mount_table_read_of(int proc_fd, pid_t pid, MountTable *ret_table) {
        char path[32];

        snprintf(path, sizeof(path), "%d/mountinfo", (int)pid);
        return read_table(proc_fd, path, ret_table);
}

const char *mount_subvolume(const Mount *m) {
        static const char key[] = ",subvol=";
        const char *subvolume;

        if (strcmp(m->fstype, "btrfs") != 0)
                return NULL;
        /* The last of the options, so that a comma in it ends nothing. */
        subvolume = strstr(m->super_options, key);
        if (!subvolume || subvolume[sizeof(key) - 1] != '/')
                return NULL;
        return subvolume + sizeof(key) - 1;
}

/* The mount that the process's root directory is on: its parent cannot be seen from there. */
static const Mount *find_root(const MountTable *t) {
        for (size_t i = 0; i < t->n_mounts; i++) {
                const Mount *m = &t->mounts[i];
                bool is_stacked = false;

                if (strcmp(m->point, "/") != 0)
                        continue;
                for (size_t j = 0; j < t->n_mounts && !is_stacked; j++)
                        is_stacked = t->mounts[j].id == m->parent_id && m->parent_id != m->id;
                if (!is_stacked)
                        return m;
        }
        return NULL;
}

/* The child of a mount that a walk along the path meets first. */
static const Mount *find_child(const MountTable *t, const Mount *parent, bool is_root,
                               const char *path, size_t n_path) {
        const Mount *nearest = NULL;
        size_t n_nearest = SIZE_MAX;

        for (size_t i = 0; i < t->n_mounts; i++) {
                const Mount *m = &t->mounts[i];
                size_t n_point;

                if (m->parent_id != parent->id || m == parent)
                        continue;

                n_point = strlen(m->point);
                /*
                 * A walk starts on the root mount itself: what is mounted over "/" hides nothing
                 * from a process whose root is below it.
                 */
                if (is_root && n_point == 1)
                        continue;
                /* Of two on one point, which only a table read in between can show, the later. */
                if (n_point <= n_nearest && path_is_within(path, n_path, m->point, n_point)) {
                        nearest = m;
                        n_nearest = n_point;
                }
        }
        return nearest;
}

const Mount *mount_table_find(const MountTable *t, const char *path) {
        size_t n_path = strlen(path);
        const Mount *m;

        m = find_root(t);
        if (!m || path[0] != '/')
                return NULL;

        /* Each mount is entered once at most; more steps than mounts is a cycle of parent ids. */
        for (size_t i = 0; i < t->n_mounts; i++) {
                const Mount *child = find_child(t, m, i == 0, path, n_path);

                if (!child)
                        break;
                m = child;
        }
        return m;
}

int mount_table_is_visible(const MountTable *t, const Mount *m) {
        return mount_table_find(t, m->point) == m;
}
