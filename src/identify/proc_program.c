/* SPDX-License-Identifier: MIT */

/*
 * Which program a process runs, and where.
 *
 * Whoever runs a program may have mounted the filesystem that it is on, and may let it hang: it is
 * only asked for what the kernel has in its caches.
 *
 * Limits: 9p asks its server even so, unless it was mounted with a cache of attributes.
 *
 * Source: proc_pid_exe(5), proc_pid_cwd(5); d_path() in fs/d_path.c of Linux 6.18 for " (deleted)";
 * openat2(2).
 */

#include "identify/proc_program.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/path.h"

/* That the kernel has put it there is not sure: it may be called so. */
static bool has_suffix(const char *path, size_t n_path) {
        return path_length_less_deleted(path, n_path) < n_path;
}

/* Return: links left, or a negative errno. */
static int read_program(int dir_fd, ProgramFile *ret_program) {
        struct statx st;

        if (statx(dir_fd, "exe", AT_STATX_DONT_SYNC, STATX_INO | STATX_NLINK | STATX_MNT_ID, &st) <
            0)
                return -errno;
        *ret_program = (ProgramFile){
                .device = makedev(st.stx_dev_major, st.stx_dev_minor),
                .inode = st.stx_ino,
                .mount_id = st.stx_mask & STATX_MNT_ID ? st.stx_mnt_id : 0,
        };
        return st.stx_nlink > 0;
}

/* Does the process's root have this program under this very name? As far as the kernel has it in
 * its caches, which the name of a running program is. */
static bool is_there(int dir_fd, const char *path, const ProgramFile *program) {
        const struct open_how how = {.flags = O_PATH | O_NOFOLLOW | O_CLOEXEC,
                                     .resolve = RESOLVE_CACHED};
        _cleanup_close_ int root_fd = -1, fd = -1;
        struct statx st;

        root_fd = openat(dir_fd, "root", O_PATH | O_DIRECTORY | O_CLOEXEC);
        if (root_fd < 0)
                return false;
        fd = (int)syscall(SYS_openat2, root_fd, path + strspn(path, "/"), &how, sizeof(how));
        return fd >= 0 && statx(fd, "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC, STATX_INO, &st) >= 0 &&
               st.stx_ino == program->inode &&
               makedev(st.stx_dev_major, st.stx_dev_minor) == program->device;
}

int proc_program_read(int dir_fd, char buf[static PATH_MAX], ProcProgram *ret_program) {
        ssize_t n = readlinkat(dir_fd, "exe", buf, PATH_MAX);
        ProcProgram p = {0};
        int n_links;

        if (n < 0)
                return -errno;
        if (n == 0 || n == PATH_MAX)
                return -ENAMETOOLONG;
        buf[n] = '\0';
        n_links = read_program(dir_fd, &p.file);
        p.n_path = (size_t)n;
        p.is_deleted =
                has_suffix(buf, p.n_path) && !(n_links > 0 && is_there(dir_fd, buf, &p.file));
        if (p.is_deleted)
                p.n_path = path_length_less_deleted(buf, p.n_path);
        *ret_program = p;
        return 0;
}

/* Nothing brings a removed directory's links back, so their number is enough. */
static bool is_directory_there(int dir_fd) {
        struct statx st;

        return statx(dir_fd, "cwd", AT_STATX_DONT_SYNC, STATX_NLINK, &st) >= 0 && st.stx_nlink > 0;
}

ssize_t proc_program_read_directory(int dir_fd, char buf[static PATH_MAX]) {
        ssize_t n = readlinkat(dir_fd, "cwd", buf, PATH_MAX);

        if (n < 0)
                return -errno;
        if (has_suffix(buf, (size_t)n) && !is_directory_there(dir_fd))
                n = (ssize_t)path_length_less_deleted(buf, (size_t)n);
        return n;
}
