/* SPDX-License-Identifier: MIT */

/*
 * What lines of tmpfiles.d refer to, on this machine.
 *
 * The name service is not asked in this process, where it could block for as long as it likes:
 * whom /etc/passwd does not know, getent(1) is asked for, which can be killed.
 *
 * Limits: a user's instance is taken to have the usual XDG_* directories, and %T and %V the usual
 * temporary ones: the environment of the systemd-tmpfiles that ran is not known.
 *
 * Source: "Specifiers" in tmpfiles.d(5); src/shared/specifier.c and specifier_directory() in
 * src/tmpfiles/tmpfiles.c of systemd 252 and 256; os-release(5).
 */

#include "explain/tmpfiles_machine.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/subprocess.h"
#include "explain/small_file.h"

/* Names that are looked up by getent(1), and how long each may take. */
#define NAMES_ASKED_MAX 8
#define NAME_WAIT_NSEC CLOCK_NSEC_PER_SEC

struct TmpfilesMachine {
        char *root; /* "" for none */
        bool is_user;
        uid_t uid;
        gid_t gid;
        unsigned version;
        char *name, *group, *home;
        char text[1024]; /* the specifier asked for last */
        unsigned n_asked;
};

TmpfilesMachine *tmpfiles_machine_free(TmpfilesMachine *m) {
        if (!m)
                return NULL;
        free(m->root);
        free(m->name);
        free(m->group);
        free(m->home);
        free(m);
        return NULL;
}

static FILE *open_file(const TmpfilesMachine *m, const char *path) {
        _cleanup_free_ char *full = NULL;
        int fd;
        FILE *f;

        if (asprintf(&full, "%s%s", m->root, path) < 0) {
                full = NULL;
                return NULL;
        }
        fd = small_file_open(AT_FDCWD, full);
        if (fd < 0)
                return NULL;
        f = fdopen(fd, "re");
        if (!f)
                close(fd);
        return f;
}

/* An id by name, from the third column of a file like /etc/passwd. Return: 0, -ESRCH. */
static int find_id(FILE *f, const char *name, uint32_t *ret) {
        _cleanup_free_ char *line = NULL;
        size_t n_line = 0, n_name = strlen(name);

        while (f && getline(&line, &n_line, f) > 0) {
                const char *s = line + n_name;
                char *end;
                unsigned long v;

                if (strncmp(line, name, n_name) != 0 || *s != ':')
                        continue;
                s = strchr(s + 1, ':');
                if (!s)
                        continue;
                v = strtoul(s + 1, &end, 10);
                if (end == s + 1 || (*end != ':' && *end != '\n') || v >= UINT32_MAX)
                        continue;
                *ret = (uint32_t)v;
                return 0;
        }
        return -ESRCH;
}

static int ask_id(TmpfilesMachine *m, const char *database, const char *name, uint32_t *ret) {
        const char *const argv[] = {"getent", database, "--", name, NULL};
        const SubprocessBounds bounds = {.wait_nsec = NAME_WAIT_NSEC, .n_bytes_max = 65536};
        _cleanup_buffer_ Buffer output = {0};
        _cleanup_fclose_ FILE *f = NULL;
        int status, r;

        if (m->root[0] != '\0' || m->n_asked++ >= NAMES_ASKED_MAX)
                return -ESRCH;
        r = subprocess_run(argv, NULL, &bounds, &output, &status);
        if (r < 0 || status != 0 || output.n_bytes == 0)
                return -ESRCH;
        f = fmemopen(output.bytes, output.n_bytes, "r");
        return find_id(f, name, ret);
}

static int machine_id(void *userdata, const char *file, const char *database, const char *name,
                      uint32_t *ret) {
        TmpfilesMachine *m = userdata;
        _cleanup_fclose_ FILE *f = NULL;

        if (strcmp(name, "root") == 0) {
                *ret = 0;
                return 0;
        }
        f = open_file(m, file);
        if (find_id(f, name, ret) == 0)
                return 0;
        return ask_id(m, database, name, ret);
}

static int machine_uid(void *userdata, const char *name, uid_t *ret_uid) {
        return machine_id(userdata, "/etc/passwd", "passwd", name, ret_uid);
}

static int machine_gid(void *userdata, const char *name, gid_t *ret_gid) {
        return machine_id(userdata, "/etc/group", "group", name, ret_gid);
}

static bool machine_has_source(void *userdata, const char *path) {
        TmpfilesMachine *m = userdata;
        _cleanup_free_ char *full = NULL;

        if (asprintf(&full, "%s%s", m->root, path) < 0) {
                full = NULL;
                return true;
        }
        return faccessat(AT_FDCWD, full, F_OK, AT_SYMLINK_NOFOLLOW) == 0 || errno != ENOENT;
}

/* The first line of a file. Return: 0, -ENXIO. */
static int first_line(TmpfilesMachine *m, const char *path) {
        _cleanup_fclose_ FILE *f = open_file(m, path);

        if (!f || !fgets(m->text, sizeof(m->text), f))
                return -ENXIO;
        m->text[strcspn(m->text, "\n")] = '\0';
        return m->text[0] != '\0' ? 0 : -ENXIO;
}

/* An id without its dashes. */
static int id_line(TmpfilesMachine *m, const char *path) {
        char *to = m->text;
        int r = first_line(m, path);

        if (r < 0)
                return r;
        for (const char *s = m->text; *s != '\0'; s++)
                if (*s != '-')
                        *to++ = *s;
        *to = '\0';
        return strlen(m->text) == 32 ? 0 : -ENXIO;
}

/* The value of a field of os-release; empty if it is not there. Return: 0, -EUNATCH. */
static int os_field(TmpfilesMachine *m, const char *field) {
        _cleanup_fclose_ FILE *f = open_file(m, "/etc/os-release");
        _cleanup_free_ char *line = NULL;
        size_t n_line = 0, n_field = strlen(field);

        if (!f)
                f = open_file(m, "/usr/lib/os-release");
        if (!f)
                return -EUNATCH;
        m->text[0] = '\0';
        while (getline(&line, &n_line, f) > 0) {
                const char *value = line + n_field + 1;
                size_t n;

                if (strncmp(line, field, n_field) != 0 || line[n_field] != '=')
                        continue;
                n = strcspn(value, "\n");
                if (n >= 2 && (value[0] == '"' || value[0] == '\'') && value[n - 1] == value[0]) {
                        value++;
                        n -= 2;
                }
                snprintf(m->text, sizeof(m->text), "%.*s", (int)n, value);
        }
        return 0;
}

static int kernel_name(TmpfilesMachine *m, char letter) {
        static const struct {
                const char *machine, *name;
        } architectures[] = {
                {"x86_64", "x86-64"},
                {"i686", "x86"},
                {"i586", "x86"},
                {"aarch64", "arm64"},
                {"armv7l", "arm"},
                {"armv6l", "arm"},
                {"ppc64le", "ppc64-le"},
                {"ppc64", "ppc64"},
                {"s390x", "s390x"},
                {"riscv64", "riscv64"},
                {"loongarch64", "loongarch64"},
        };
        struct utsname u;

        if (uname(&u) < 0)
                return -ENXIO;
        switch (letter) {
        case 'a':
                for (size_t i = 0; i < sizeof(architectures) / sizeof(architectures[0]); i++)
                        if (strcmp(u.machine, architectures[i].machine) == 0) {
                                strcpy(m->text, architectures[i].name);
                                return 0;
                        }
                return -ENXIO;
        case 'v':
                strcpy(m->text, u.release);
                return 0;
        default:
                strcpy(m->text, u.nodename);
                if (letter == 'l')
                        m->text[strcspn(m->text, ".")] = '\0';
                return 0;
        }
}

static int directory(TmpfilesMachine *m, char letter) {
        bool has_state = m->version == 0 || m->version >= 254;
        const char *system, *below;

        switch (letter) {
        case 'C':
                system = "/var/cache";
                below = ".cache";
                break;
        case 'L':
                system = "/var/log";
                below = has_state ? ".local/state/log" : ".config/log";
                break;
        case 'S':
                system = "/var/lib";
                below = has_state ? ".local/state" : ".config";
                break;
        default:
                system = "/run";
                below = NULL;
                break;
        }
        if (!m->is_user)
                strcpy(m->text, system);
        else if (!below)
                snprintf(m->text, sizeof(m->text), "/run/user/%u", (unsigned)m->uid);
        else if (!m->home)
                return -ENXIO;
        else
                snprintf(m->text, sizeof(m->text), "%s/%s", m->home, below);
        return 0;
}

static int owner(TmpfilesMachine *m, char letter) {
        const char *s = letter == 'u' ? m->name : letter == 'g' ? m->group : m->home;

        if (letter == 'U' || letter == 'G') {
                snprintf(m->text, sizeof(m->text), "%u",
                         letter == 'U' ? (unsigned)m->uid : (unsigned)m->gid);
                return 0;
        }
        if (!s)
                return -ENXIO;
        snprintf(m->text, sizeof(m->text), "%s", s);
        return 0;
}

static int expand(TmpfilesMachine *m, char letter) {
        switch (letter) {
        case 'a':
        case 'v':
        case 'H':
        case 'l':
                return kernel_name(m, letter);
        case 'b':
                return id_line(m, "/proc/sys/kernel/random/boot_id");
        case 'm':
                return id_line(m, "/etc/machine-id");
        case 'B':
                return os_field(m, "BUILD_ID");
        case 'o':
                return os_field(m, "ID");
        case 'w':
                return os_field(m, "VERSION_ID");
        case 'W':
                return os_field(m, "VARIANT_ID");
        case 'A':
        case 'M':
                /* In the manual before they were in the program. */
                if (m->version > 0 && m->version < 257)
                        return -EBADSLT;
                return os_field(m, letter == 'A' ? "IMAGE_VERSION" : "IMAGE_ID");
        case 'C':
        case 'L':
        case 'S':
        case 't':
                return directory(m, letter);
        case 'T':
                strcpy(m->text, "/tmp");
                return 0;
        case 'V':
                strcpy(m->text, "/var/tmp");
                return 0;
        case 'h':
        case 'u':
        case 'U':
        case 'g':
        case 'G':
                return owner(m, letter);
        default:
                return -EBADSLT;
        }
}

static int machine_specifier(void *userdata, char letter, const char **ret_text) {
        TmpfilesMachine *m = userdata;
        int r = expand(m, letter);

        if (r < 0)
                return r;
        *ret_text = m->text;
        return 0;
}

/* Whose instance it is. What is not found stays NULL. Return: 0, -ENOMEM. */
static int find_owner(TmpfilesMachine *m) {
        _cleanup_fclose_ FILE *users = open_file(m, "/etc/passwd"), *groups = NULL;
        const struct passwd *user;
        const struct group *group;

        while (users && (user = fgetpwent(users)))
                if (user->pw_uid == m->uid) {
                        m->gid = user->pw_gid;
                        m->name = strdup(user->pw_name);
                        m->home = strdup(user->pw_dir);
                        if (!m->name || !m->home)
                                return -ENOMEM;
                        break;
                }
        if (!m->name)
                return 0;
        groups = open_file(m, "/etc/group");
        while (groups && (group = fgetgrent(groups)))
                if (group->gr_gid == m->gid) {
                        m->group = strdup(group->gr_name);
                        return m->group ? 0 : -ENOMEM;
                }
        return 0;
}

int tmpfiles_machine_new(const char *root, bool is_user, uid_t uid, unsigned version,
                         TmpfilesMachine **ret_machine) {
        TmpfilesMachine *m = calloc(1, sizeof(*m));

        if (!m)
                return -ENOMEM;
        m->root = strdup(root && strcmp(root, "/") != 0 ? root : "");
        m->is_user = is_user;
        m->uid = is_user ? uid : 0;
        m->version = version;
        if (!m->root || find_owner(m) < 0) {
                tmpfiles_machine_free(m);
                return -ENOMEM;
        }
        *ret_machine = m;
        return 0;
}

int tmpfiles_machine_user(const TmpfilesMachine *m, gid_t *ret_gid) {
        if (!m->name)
                return -ESRCH;
        *ret_gid = m->gid;
        return 0;
}

TmpfilesWorld tmpfiles_machine_world(TmpfilesMachine *m) {
        return (TmpfilesWorld){
                .specifier = machine_specifier,
                .uid = machine_uid,
                .gid = machine_gid,
                .has_source = machine_has_source,
                .userdata = m,
                .version = m->version,
        };
}
