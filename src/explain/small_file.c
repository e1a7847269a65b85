/* SPDX-License-Identifier: MIT */

/* Looked at, opened, and read up to a bound. */

#include "explain/small_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

#include "base/directory.h"

#define PASSWD_BYTES_MAX ((size_t)4 * 1024 * 1024)

static const char *below_root(const char *path) {
        while (*path == '/')
                path++;
        return *path ? path : ".";
}

int small_file_open(int dir_fd, const char *path) {
        _cleanup_close_ int path_fd = openat(dir_fd, path, O_PATH | O_CLOEXEC);
        char again[64];
        struct stat st;
        int fd;

        if (path_fd < 0 || fstat(path_fd, &st) < 0)
                return -errno;
        if (!S_ISREG(st.st_mode))
                return -EINVAL;
        /* The same file, whatever the name is of by now; of this thread's own table. */
        snprintf(again, sizeof(again), "/proc/thread-self/fd/%d", path_fd);
        fd = open(again, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
        return fd < 0 ? -errno : fd;
}

int small_file_read(int root_fd, const char *path, size_t n_max, Buffer *ret) {
        _cleanup_close_ int fd = -1;
        ssize_t n;

        buffer_clear(ret);
        fd = small_file_open(root_fd, below_root(path));
        if (fd < 0)
                return fd;
        do {
                if (buffer_reserve(ret, 16 * 1024) < 0)
                        return -ENOMEM;
                n = read(fd, ret->bytes + ret->n_bytes, 16 * 1024 - 1);
                if (n < 0)
                        return -errno;
                ret->n_bytes += (size_t)n;
                if (ret->n_bytes > n_max)
                        return -EFBIG;
        } while (n > 0);
        (void)buffer_terminate(ret);
        return 0;
}

void small_file_names_done(SmallFileNames *l) {
        for (size_t i = 0; i < l->n; i++)
                free(l->names[i]);
        free(l->names);
        *l = (SmallFileNames){0};
}

/* Sorted in place; the last makes room for one that comes before it. */
static int add(SmallFileNames *l, const char *name) {
        char *copy = strdup(name);
        size_t i;

        if (!copy)
                return -ENOMEM;
        if (l->n == SMALL_FILE_NAMES_MAX) {
                if (strcmp(l->names[l->n - 1], copy) <= 0) {
                        free(copy);
                        return 0;
                }
                free(l->names[--l->n]);
        }
        for (i = l->n++; i > 0 && strcmp(l->names[i - 1], copy) > 0; i--)
                l->names[i] = l->names[i - 1];
        l->names[i] = copy;
        return 0;
}

int small_file_list(int root_fd, const char *directory, SmallFileNames *ret_names) {
        _cleanup_small_file_names_ SmallFileNames l = {0};
        _cleanup_closedir_ DIR *dir = NULL;
        struct dirent *e;

        dir = directory_list(root_fd, below_root(directory));
        if (!dir)
                return -errno;
        l.names = calloc(SMALL_FILE_NAMES_MAX, sizeof(*l.names));
        if (!l.names)
                return -ENOMEM;
        while ((e = readdir(dir)))
                if (e->d_name[0] != '.' && add(&l, e->d_name) < 0)
                        return -ENOMEM;
        *ret_names = l;
        l = (SmallFileNames){0};
        return 0;
}

int small_file_user(int root_fd, uid_t uid, char **ret_name) {
        _cleanup_buffer_ Buffer text = {0};
        int r = small_file_read(root_fd, "/etc/passwd", PASSWD_BYTES_MAX, &text);

        if (r < 0)
                return r;
        for (char *line = text.bytes, *end; line < text.bytes + text.n_bytes; line = end + 1) {
                char *name_end, *id;

                end = memchr(line, '\n', (size_t)(text.bytes + text.n_bytes - line));
                if (!end)
                        end = text.bytes + text.n_bytes;
                *end = '\0';
                name_end = strchr(line, ':');
                id = name_end ? strchr(name_end + 1, ':') : NULL;
                if (!id || id[1] < '0' || id[1] > '9' || strtoul(id + 1, NULL, 10) != uid)
                        continue;
                *ret_name = strndup(line, (size_t)(name_end - line));
                return *ret_name ? 0 : -ENOMEM;
        }
        return -ENOENT;
}
