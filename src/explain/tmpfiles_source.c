/* SPDX-License-Identifier: MIT */

/*
 * The configuration of this machine, from systemd-tmpfiles itself.
 *
 * --cat-config takes neither files as arguments nor --replace=; these are read here, as the tool
 * does: a name without a slash is looked for in the directories, a path is taken as it is.
 * A user's configuration is printed by a systemd-tmpfiles that runs as that user, because it may
 * say what the user may not read; its files are not read again, so headers alone tell them apart.
 *
 * Limits: lines passed as a credential (tmpfiles.extra) are not known; nor those of stdin ("-");
 * nor an image (--image=).
 *
 * Source: systemd-tmpfiles(8); cat_config(), read_config_files(), parse_arguments() in
 * src/tmpfiles/tmpfiles.c of systemd 252 and 256.
 */

#include "explain/tmpfiles_source.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buffer.h"
#include "base/cleanup.h"
#include "base/subprocess.h"
#include "explain/small_file.h"
#include "explain/tmpfiles_machine.h"

#define TOOL "systemd-tmpfiles"

static const char *const system_directories[] = {
        "/etc/tmpfiles.d",
        "/run/tmpfiles.d",
        "/usr/local/lib/tmpfiles.d",
        "/usr/lib/tmpfiles.d",
        NULL,
};

typedef struct Loading {
        const TmpfilesScope *scope;
        TmpfilesConfig *config;
        TmpfilesMachine *machine;
        TmpfilesWorld world;
        Buffer bytes; /* of the file read last */
        char **ret_error;
} Loading;

__attribute__((format(printf, 3, 4))) static int fail(char **ret_error, int r, const char *format,
                                                      ...) {
        va_list args;

        if (!ret_error)
                return r;
        va_start(args, format);
        if (vasprintf(ret_error, format, args) < 0)
                *ret_error = NULL;
        va_end(args);
        return r;
}

/* Masked files are symlinks to /dev/null. */
static bool is_mask(const char *path) {
        struct stat st;

        return stat(path, &st) == 0 && S_ISCHR(st.st_mode) && st.st_rdev == makedev(1, 3);
}

/* Return: 0, -EFBIG, -EINVAL no file to read, -ENOMEM, errors of open(2) and read(2). */
static int read_file(const char *path, Buffer *ret) {
        _cleanup_close_ int fd = small_file_open(AT_FDCWD, path);

        buffer_clear(ret);
        if (fd == -EINVAL && is_mask(path))
                return 0;
        if (fd < 0)
                return fd;
        for (;;) {
                ssize_t n;

                if (buffer_reserve(ret, 65536) < 0)
                        return -ENOMEM;
                n = read(fd, ret->bytes + ret->n_bytes, 65536);
                if (n < 0 && errno != EINTR)
                        return -errno;
                if (n == 0)
                        return 0;
                if (n > 0)
                        ret->n_bytes += (size_t)n;
                if (ret->n_bytes > TMPFILES_CONFIG_BYTES_MAX)
                        return -EFBIG;
        }
}

static int read_again(void *userdata, const char *file, const char **ret_bytes,
                      size_t *ret_n_bytes) {
        Loading *l = userdata;
        int r = read_file(file, &l->bytes);

        if (r < 0)
                return r;
        *ret_bytes = buffer_terminate(&l->bytes);
        *ret_n_bytes = l->bytes.n_bytes;
        return 0;
}

/*
 * Runs systemd-tmpfiles, as the scope's user if that is not us.
 * Return: 0, -ENOENT, -ETIMEDOUT, -EFBIG, -EIO it failed, -ENOMEM.
 */
static int run_tool(const TmpfilesScope *s, gid_t user_gid, const char *option, Buffer *ret,
                    char **ret_error) {
        const SubprocessBounds bounds = {
                .wait_nsec = TMPFILES_SOURCE_WAIT_NSEC,
                .n_bytes_max = TMPFILES_CONFIG_BYTES_MAX,
        };
        char uid[32], gid[32], runtime[64], root[4096 + 16];
        const char *argv[20], *env[8];
        size_t n = 0, n_env = 0;
        int status, r;

        snprintf(uid, sizeof(uid), "%u", (unsigned)s->uid);
        snprintf(gid, sizeof(gid), "%u", (unsigned)user_gid);
        snprintf(runtime, sizeof(runtime), "XDG_RUNTIME_DIR=/run/user/%s", uid);
        if (s->is_user) {
                argv[n++] = "setpriv";
                if (s->uid != geteuid()) {
                        argv[n++] = "--reuid";
                        argv[n++] = uid;
                        argv[n++] = "--regid";
                        argv[n++] = gid;
                        argv[n++] = "--clear-groups";
                }
                argv[n++] = "--reset-env"; /* HOME as for a login */
                argv[n++] = "env";
                argv[n++] = runtime;
                argv[n++] = "SYSTEMD_COLORS=0";
        }
        argv[n++] = TOOL;
        if (s->is_user)
                argv[n++] = "--user";
        if (s->root) {
                if ((size_t)snprintf(root, sizeof(root), "--root=%s", s->root) >= sizeof(root))
                        return -ENAMETOOLONG;
                argv[n++] = root;
        }
        argv[n++] = "--no-pager";
        argv[n++] = option;
        argv[n] = NULL;

        env[n_env++] = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
        env[n_env++] = "LC_ALL=C";
        env[n_env++] = "SYSTEMD_COLORS=0";
        env[n_env++] = "SYSTEMD_LOG_LEVEL=err";
        env[n_env] = NULL;

        r = subprocess_run(argv, env, &bounds, ret, &status);
        if (r < 0)
                return fail(ret_error, r, "cannot run %s %s: %s%s", argv[0], option, strerror(-r),
                            r == -ENOENT ? "; is it installed?" : "");
        if (WIFSIGNALED(status))
                return fail(ret_error, -EIO, "%s %s was ended by signal %d", TOOL, option,
                            WTERMSIG(status));
        /* setpriv(1) says so, too, if it may not. */
        if (WEXITSTATUS(status) == 127 && s->is_user && s->uid != geteuid())
                return fail(ret_error, -EPERM,
                            "it has to be asked as user %s, whom this process cannot become; "
                            "`whodunlink why`, run by root, can",
                            uid);
        if (WEXITSTATUS(status) == 127)
                return fail(ret_error, -EIO, "%s %s did not start", TOOL, option);
        if (WEXITSTATUS(status) != 0 && ret->n_bytes == 0)
                return fail(ret_error, -EIO, "%s %s failed with status %d; try it by hand", TOOL,
                            option, WEXITSTATUS(status));
        return 0;
}

/* "systemd 252 (252.39-1~deb12u2)". */
static int read_version(unsigned *ret_version, char **ret_error) {
        const TmpfilesScope any = {.is_user = false};
        _cleanup_buffer_ Buffer output = {0};
        unsigned version;
        int r;

        r = run_tool(&any, 0, "--version", &output, ret_error);
        if (r < 0)
                return r;
        if (sscanf(buffer_terminate(&output), "systemd %u", &version) != 1)
                return fail(ret_error, -EBADMSG, "%s --version does not tell a version: '%.40s'",
                            TOOL, buffer_terminate(&output));
        *ret_version = version;
        return 0;
}

static int load_installed(Loading *l) {
        const TmpfilesFiles files = {.read = read_again, .userdata = l};
        _cleanup_buffer_ Buffer output = {0};
        gid_t gid = 0;
        int r = l->scope->is_user ? tmpfiles_machine_user(l->machine, &gid) : 0;

        if (r < 0)
                return fail(l->ret_error, r,
                            "user %u, whose " TOOL " it was, is not in /etc/passwd",
                            (unsigned)l->scope->uid);
        r = run_tool(l->scope, gid, "--cat-config", &output, l->ret_error);
        if (r < 0)
                return r;
        r = tmpfiles_config_add_output(l->config, buffer_terminate(&output), output.n_bytes,
                                       l->scope->is_user ? NULL : &files, &l->world);
        if (r == -EBADMSG)
                return fail(l->ret_error, r,
                            "%s --cat-config printed what does not start with a "
                            "file's name",
                            TOOL);
        return r;
}

/* A file of the command line. Return: 0, -ENOENT and others. */
static int load_named(Loading *l, const char *name) {
        const char *root = l->scope->root ? l->scope->root : "";
        int r = -ENOENT;

        if (strcmp(name, "-") == 0)
                return fail(l->ret_error, -ENODATA,
                            "%s read lines from its standard input, which are gone", TOOL);
        if (name[0] == '/')
                r = read_file(name, &l->bytes);
        if (name[0] == '/' && r >= 0)
                r = tmpfiles_config_add_file(l->config, name, buffer_terminate(&l->bytes),
                                             l->bytes.n_bytes, &l->world);
        for (const char *const *d = system_directories; name[0] != '/' && *d && r == -ENOENT; d++) {
                _cleanup_free_ char *path = NULL;

                if (asprintf(&path, "%s%s/%s", root, *d, name) < 0) {
                        path = NULL;
                        return -ENOMEM;
                }
                r = read_file(path, &l->bytes);
                if (r >= 0)
                        r = tmpfiles_config_add_file(l->config, path, buffer_terminate(&l->bytes),
                                                     l->bytes.n_bytes, &l->world);
        }
        if (r < 0 && r != -ENOMEM)
                return fail(l->ret_error, r, "cannot read %s, which %s was given: %s", name, TOOL,
                            strerror(-r));
        return r;
}

static int load_all(Loading *l) {
        const char *const *files = l->scope->files;

        if (l->scope->replace)
                return fail(l->ret_error, -EOPNOTSUPP,
                            "%s ran with --replace=%s, whose lines are not followed", TOOL,
                            l->scope->replace);
        if (!files || !files[0])
                return load_installed(l);
        if (l->scope->is_user)
                return fail(l->ret_error, -EOPNOTSUPP,
                            "%s --user was given files, which are not read as that user", TOOL);
        for (; *files; files++) {
                int r = load_named(l, *files);

                if (r < 0)
                        return r;
        }
        return 0;
}

int tmpfiles_source_load(const TmpfilesScope *scope, TmpfilesConfig *ret_config,
                         unsigned *ret_version, char **ret_error) {
        TmpfilesConfig config = {0};
        Loading l = {.scope = scope, .config = &config, .ret_error = ret_error};
        TmpfilesMachine *machine;
        unsigned version = 0;
        int r;

        if (ret_error)
                *ret_error = NULL;
        r = read_version(&version, ret_error);
        if (r < 0)
                return r;
        r = tmpfiles_machine_new(scope->root, scope->is_user, scope->uid, version, &machine);
        if (r < 0)
                return r;
        l.machine = machine;
        l.world = tmpfiles_machine_world(machine);
        l.world.is_graceful = scope->is_graceful;
        r = load_all(&l);
        buffer_done(&l.bytes);
        tmpfiles_machine_free(machine);
        if (r < 0) {
                tmpfiles_config_done(&config);
                return r;
        }
        *ret_config = config;
        *ret_version = version;
        return 0;
}
