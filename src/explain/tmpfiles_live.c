/* SPDX-License-Identifier: MIT */

/*
 * The filesystem of this machine as tmpfiles_choice looks at it.
 *
 * systemd-tmpfiles takes a BSD lock to see whether it can; we read /proc/locks instead, because a
 * lock of ours, however short, could make another program's attempt fail.  On btrfs a file's
 * device is not that of /proc/locks: there the inode number alone must do, and a file can seem
 * locked that is not.
 *
 * Limits: locks of processes in other pid namespaces are not seen; without /proc/net/unix every
 * socket counts as live, as it does for systemd-tmpfiles.
 *
 * Source: statx(2) (STATX_ATTR_MOUNT_ROOT since Linux 5.8), proc(5), load_unix_sockets() in
 * src/tmpfiles/tmpfiles.c of systemd 252.
 */

#include "explain/tmpfiles_live.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/directory.h"

/* A lock that keeps others from an exclusive one: every BSD lock does. */
typedef struct Lock {
        unsigned major, minor;
        uint64_t inode;
} Lock;

struct TmpfilesLive {
        Lock *locks;
        size_t n_locks;
        char **sockets; /* sorted */
        size_t n_sockets;
        bool has_locks, has_sockets, knows_sockets;
};

/* Bounds: more are not taken in. */
#define LOCKS_MAX 65536U
#define SOCKETS_MAX 262144U

int tmpfiles_live_new(TmpfilesLive **ret_live) {
        TmpfilesLive *live = calloc(1, sizeof(*live));

        if (!live)
                return -ENOMEM;
        *ret_live = live;
        return 0;
}

void tmpfiles_live_refresh(TmpfilesLive *live) {
        for (size_t i = 0; i < live->n_sockets; i++)
                free(live->sockets[i]);
        free(live->sockets);
        free(live->locks);
        *live = (TmpfilesLive){0};
}

TmpfilesLive *tmpfiles_live_free(TmpfilesLive *live) {
        if (live)
                tmpfiles_live_refresh(live);
        free(live);
        return NULL;
}

/* "1: FLOCK  ADVISORY  WRITE 1234 fe:01:5678 0 EOF"; those that wait have "->" behind the number.
 */
static bool parse_lock(const char *line, Lock *ret) {
        unsigned long long inode;
        unsigned major, minor;

        if (sscanf(line, "%*d: FLOCK %*s %*s %*d %x:%x:%llu", &major, &minor, &inode) != 3)
                return false;
        *ret = (Lock){major, minor, inode};
        return true;
}

static int read_locks(TmpfilesLive *live) {
        _cleanup_fclose_ FILE *f = fopen("/proc/locks", "re");
        char line[256];

        live->has_locks = true;
        while (f && live->n_locks < LOCKS_MAX && fgets(line, sizeof(line), f)) {
                Lock lock, *more;

                if (!parse_lock(line, &lock))
                        continue;
                more = reallocarray(live->locks, live->n_locks + 1, sizeof(*more));
                if (!more)
                        return -ENOMEM;
                live->locks = more;
                live->locks[live->n_locks++] = lock;
        }
        return 0;
}

static bool is_locked(const TmpfilesLive *live, const struct statx *sx) {
        for (size_t i = 0; i < live->n_locks; i++) {
                const Lock *l = &live->locks[i];

                if (l->inode != sx->stx_ino)
                        continue;
                if (l->major == sx->stx_dev_major && l->minor == sx->stx_dev_minor)
                        return true;
                /* An anonymous device: maybe a subvolume, whose locks have the filesystem's. */
                if (sx->stx_dev_major == 0 && l->major == 0)
                        return true;
        }
        return false;
}

/* The path behind the seven columns of /proc/net/unix, found as systemd finds it. */
static const char *socket_path(const char *line) {
        const char *s = strchr(line, ':');

        if (!s || strlen(s) < 37)
                return NULL;
        s += 37;
        s += strspn(s, " \t");
        s += strcspn(s, " \t");
        s += strspn(s, " \t");
        return *s == '/' ? s : NULL;
}

static int compare_texts(const void *a, const void *b) {
        return strcmp(*(char *const *)a, *(char *const *)b);
}

static int add_socket(TmpfilesLive *live, const char *path, size_t *n_allocated) {
        if (live->n_sockets == *n_allocated) {
                size_t n = *n_allocated > 0 ? 2 * *n_allocated : 64;
                char **more = reallocarray(live->sockets, n, sizeof(*more));

                if (!more)
                        return -ENOMEM;
                live->sockets = more;
                *n_allocated = n;
        }
        live->sockets[live->n_sockets] = strdup(path);
        if (!live->sockets[live->n_sockets])
                return -ENOMEM;
        live->n_sockets++;
        return 0;
}

static int read_sockets(TmpfilesLive *live) {
        _cleanup_fclose_ FILE *f = fopen("/proc/net/unix", "re");
        _cleanup_free_ char *line = NULL;
        size_t n_allocated = 0, n_line = 0;
        ssize_t n;

        live->has_sockets = true;
        live->knows_sockets = f;
        while (f && live->n_sockets < SOCKETS_MAX && (n = getline(&line, &n_line, f)) > 0) {
                const char *path;

                if (line[n - 1] == '\n')
                        line[n - 1] = '\0';
                path = socket_path(line);
                if (path && add_socket(live, path, &n_allocated) < 0)
                        return -ENOMEM;
        }
        if (live->n_sockets > 0)
                qsort(live->sockets, live->n_sockets, sizeof(*live->sockets), compare_texts);
        return 0;
}

static bool is_live_socket(const TmpfilesLive *live, const char *path) {
        if (!live->knows_sockets)
                return true;
        return live->n_sockets > 0 && bsearch(&path, live->sockets, live->n_sockets,
                                              sizeof(*live->sockets), compare_texts);
}

static uint64_t nsec_of(const struct statx *sx, unsigned mask, struct statx_timestamp t) {
        if (!(sx->stx_mask & mask) || t.tv_sec < 0)
                return 0;
        return (uint64_t)t.tv_sec * UINT64_C(1000000000) + t.tv_nsec;
}

static int live_facts(void *userdata, const char *path, TmpfilesFacts *ret_facts) {
        TmpfilesLive *live = userdata;
        struct statx sx;

        if (statx(AT_FDCWD, path, AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT,
                  STATX_BASIC_STATS | STATX_BTIME, &sx) < 0)
                return errno == ENOENT || errno == ENOTDIR ? 0 : -errno;
        if (!live->has_locks && read_locks(live) < 0)
                return -ENOMEM;
        if (S_ISSOCK(sx.stx_mode) && !live->has_sockets && read_sockets(live) < 0)
                return -ENOMEM;

        *ret_facts = (TmpfilesFacts){
                .mode = sx.stx_mode,
                .uid = sx.stx_uid,
                .atime_nsec = nsec_of(&sx, STATX_ATIME, sx.stx_atime),
                .btime_nsec = nsec_of(&sx, STATX_BTIME, sx.stx_btime),
                .ctime_nsec = nsec_of(&sx, STATX_CTIME, sx.stx_ctime),
                .mtime_nsec = nsec_of(&sx, STATX_MTIME, sx.stx_mtime),
                .is_mount_point =
                        sx.stx_attributes & sx.stx_attributes_mask & STATX_ATTR_MOUNT_ROOT,
                .is_locked = is_locked(live, &sx),
                .is_live_socket = S_ISSOCK(sx.stx_mode) && is_live_socket(live, path),
        };
        return 1;
}

static int live_entries(void *userdata, const char *path,
                        int (*f)(void *f_userdata, const char *name), void *f_userdata) {
        _cleanup_closedir_ DIR *d = directory_list(AT_FDCWD, path);
        struct dirent *de;

        (void)userdata;
        if (!d)
                return -errno;
        while ((errno = 0, de = readdir(d))) {
                int r;

                if (strcmp(de->d_name, ".") == 0 || strcmp(de->d_name, "..") == 0)
                        continue;
                r = f(f_userdata, de->d_name);
                if (r != 0)
                        return r;
        }
        return -errno;
}

static int live_resolve(void *userdata, const char *path, char **ret_path) {
        char *real = realpath(path, NULL);

        (void)userdata;
        if (!real)
                return -errno;
        *ret_path = real;
        return 0;
}

TmpfilesTree tmpfiles_live_tree(TmpfilesLive *live) {
        return (TmpfilesTree){
                .facts = live_facts,
                .entries = live_entries,
                .resolve = live_resolve,
                .userdata = live,
        };
}
