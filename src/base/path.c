/* SPDX-License-Identifier: MIT */

/*
 * Paths as components, and a realpath(3) that forgives a missing tail.
 *
 * A watch may name what does not exist yet, and the kernel reports what things are called after
 * all symlinks; so what a person typed has to be brought to that form, as far as it exists.
 *
 * Limits: a moment's truth, like realpath(3)'s: the tree may change right after (or during);
 * nothing here is fit for a decision about access.  PATH_MAX bounds input, result and every
 * intermediate form.
 *
 * Source: path_resolution(7), realpath(3), fs/namei.c (Linux 6.1).
 */

#include "base/path.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

bool path_is_within(const char *path, size_t n_path, const char *prefix, size_t n_prefix) {
        if (n_prefix == 0 || n_path < n_prefix || memcmp(path, prefix, n_prefix) != 0)
                return false;
        return n_path == n_prefix || prefix[n_prefix - 1] == '/' || path[n_prefix] == '/';
}

size_t path_directory_length(const char *path, size_t n_path) {
        const char *slash = memrchr(path, '/', n_path);

        return !slash || slash == path ? 1 : (size_t)(slash - path);
}

size_t path_length_less_deleted(const char *path, size_t n_path) {
        static const char suffix[] = {' ', '(', 'd', 'e', 'l', 'e', 't', 'e', 'd', ')'};
        const size_t n = sizeof(suffix);

        return n_path > n && memcmp(path + n_path - n, suffix, n) == 0 ? n_path - n : n_path;
}

/* The state of one path_resolve(): what is known, and what is still to be walked. */
typedef struct Walk {
        char done[PATH_MAX]; /* no trailing '/', so "" is the root; a string */
        size_t n_done;
        size_t n_missing;    /* how many components at the end of `done` do not exist */
        char rest[PATH_MAX]; /* a string; starts with '/' or is at a component */
        size_t n_symlinks;
} Walk;

static void walk_up(Walk *w) {
        while (w->n_done > 0 && w->done[--w->n_done] != '/')
                ;
        w->done[w->n_done] = '\0';
        if (w->n_missing > 0)
                w->n_missing--;
}

static int walk_down(Walk *w, const char *name, size_t n_name) {
        if (n_name > NAME_MAX || n_name + 1 >= sizeof(w->done) - w->n_done)
                return -ENAMETOOLONG;
        w->done[w->n_done++] = '/';
        memcpy(w->done + w->n_done, name, n_name);
        w->n_done += n_name;
        w->done[w->n_done] = '\0';
        return 0;
}

/* Replaces the symlink that `done` ends with by its target, before what is left (`tail`). */
static int walk_follow(Walk *w, const char *tail) {
        char rest[PATH_MAX];
        size_t n_tail = strlen(tail);
        ssize_t n;

        if (w->n_symlinks++ >= PATH_SYMLINKS_MAX)
                return -ELOOP;
        n = readlink(w->done, rest, sizeof(rest));
        if (n < 0)
                return -errno;
        if (n_tail >= sizeof(rest) - (size_t)n)
                return -ENAMETOOLONG;
        memcpy(rest + n, tail, n_tail + 1);
        memcpy(w->rest, rest, (size_t)n + n_tail + 1);

        if (w->rest[0] == '/') {
                w->n_done = 0;
                w->done[0] = '\0';
        } else {
                walk_up(w);
        }
        return 0;
}

/*
 * walk_step() - walk into one component
 * @name: in w->rest
 * @tail: what follows it there: "" or from a '/'
 *
 * Return: 1 when w->rest was replaced and has to be read anew, 0 to go on with tail, or an error.
 */
static int walk_step(Walk *w, const char *name, size_t n_name, const char *tail) {
        struct stat st;
        int r;

        if (n_name == 1 && name[0] == '.')
                return 0;
        if (n_name == 2 && name[0] == '.' && name[1] == '.') {
                walk_up(w);
                return 0;
        }
        r = walk_down(w, name, n_name);
        if (r < 0)
                return r;
        if (w->n_missing > 0) {
                w->n_missing++;
                return 0;
        }
        if (lstat(w->done, &st) < 0) {
                if (errno != ENOENT)
                        return -errno;
                w->n_missing = 1;
                return 0;
        }
        if (S_ISLNK(st.st_mode)) {
                r = walk_follow(w, tail);
                return r < 0 ? r : 1;
        }
        /* A '/' behind it is enough: that too asks for a directory. */
        return tail[0] == '/' && !S_ISDIR(st.st_mode) ? -ENOTDIR : 0;
}

static int walk_start(Walk *w, const char *path) {
        size_t n_path = strlen(path);

        if (n_path == 0)
                return -ENOENT;
        if (n_path >= sizeof(w->rest))
                return -ENAMETOOLONG;
        memcpy(w->rest, path, n_path + 1);
        if (path[0] == '/')
                return 0;

        if (!getcwd(w->done, sizeof(w->done)))
                return errno == ERANGE ? -ENAMETOOLONG : -errno;
        w->n_done = strlen(w->done);
        if (w->n_done == 1)
                w->done[--w->n_done] = '\0';
        return 0;
}

int path_resolve(const char *path, char **ret_path) {
        Walk w = {0};
        const char *at = w.rest;
        char *copy;
        int r = walk_start(&w, path);

        if (r < 0)
                return r;
        for (;;) {
                size_t n_name;

                at += strspn(at, "/");
                n_name = strcspn(at, "/");
                if (n_name == 0)
                        break;
                r = walk_step(&w, at, n_name, at + n_name);
                if (r < 0)
                        return r;
                at = r > 0 ? w.rest : at + n_name;
        }

        copy = strdup(w.n_done == 0 ? "/" : w.done);
        if (!copy)
                return -ENOMEM;
        *ret_path = copy;
        return 0;
}
