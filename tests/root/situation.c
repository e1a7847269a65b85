/* SPDX-License-Identifier: MIT */

/* Reading situations, and making them. */

#include "situation.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "harness.h"

/* What a situation may put its files in; each is replaced as a whole. The last hides
 * harness_work(). */
static const char *const places[] = {
        "/etc/tmpfiles.d",
        "/usr/lib/tmpfiles.d",
        "/usr/local/lib",
        "/run",
        "/root",
        "/var/tmp",
        "/mnt",
        "/tmp",
};

#define N(x) (sizeof(x) / sizeof((x)[0]))

typedef struct Reading {
        const char *path;
        unsigned line, version, wait;
        Situation *situations;
        size_t n;
} Reading;

#define malformed(r, ...)                                                                          \
        harness_abort("%s:%u: %s", (r)->path, (r)->line, harness_format(__VA_ARGS__))

static char *copy(const char *s) {
        return harness_format("%s", s);
}

static Situation *last(Reading *r) {
        if (r->n == 0)
                malformed(r, "no [name] yet");
        return &r->situations[r->n - 1];
}

static void begin(Reading *r, char *name) {
        if (name[0] == '\0' || name[strlen(name) - 1] != ']')
                malformed(r, "no ]");
        name[strlen(name) - 1] = '\0';
        r->situations = reallocarray(r->situations, r->n + 1, sizeof(*r->situations));
        harness_assert(r->situations, "no memory");
        r->situations[r->n++] = (Situation){
                .name = copy(name),
                .file = r->path,
                .line = r->line,
                .args = {copy("systemd-tmpfiles")},
                .n_args = 1,
        };
}

static void add_config(Reading *r, char *words) {
        Situation *s = last(r);
        char *path = strtok(words, " "), *target = strtok(NULL, " ");

        if (!path || s->n_configs == SITUATION_CONFIGS_MAX)
                malformed(r, "one config too many, or no path");
        s->configs[s->n_configs++] = (SituationConfig){
                .path = copy(path),
                .text = copy(""),
                .target = target ? copy(target) : NULL,
        };
}

/* "\n" at the end of a line keeps the line open: a file without a newline at its end. */
static void add_text(Reading *r, const char *text) {
        Situation *s = last(r);
        char *old;

        if (s->n_configs == 0)
                malformed(r, "no config yet");
        old = s->configs[s->n_configs - 1].text;
        s->configs[s->n_configs - 1].text = harness_format("%s%s\n", old, text);
        free(old);
}

/* "10d", "90", "2h", "1m". */
static int64_t seconds(Reading *r, const char *s) {
        char *end;
        long long v = strtoll(s, &end, 10);

        switch (*end) {
        case 'd':
                return v * 86400;
        case 'h':
                return v * 3600;
        case 'm':
                return v * 60;
        case 's':
        case '\0':
                return v;
        default:
                malformed(r, "not an age: %s", s);
        }
}

static void add_attribute(Reading *r, SituationObject *o, const char *word) {
        if (strncmp(word, "a=", 2) == 0)
                o->atime = seconds(r, word + 2);
        else if (strncmp(word, "m=", 2) == 0)
                o->mtime = seconds(r, word + 2);
        else if (strncmp(word, "am=", 3) == 0)
                o->atime = o->mtime = seconds(r, word + 3);
        else if (strncmp(word, "mode=", 5) == 0)
                o->mode = (mode_t)strtoul(word + 5, NULL, 8);
        else if (strncmp(word, "uid=", 4) == 0)
                o->uid = (uid_t)strtoul(word + 4, NULL, 10);
        else if (strncmp(word, "to=", 3) == 0)
                o->target = copy(word + 3);
        else if (strncmp(word, "by=", 3) == 0)
                o->by = copy(word + 3);
        else if (strncmp(word, "why=", 4) == 0)
                o->why = copy(word + 4);
        else if (strcmp(word, "mount") == 0)
                o->is_mount = true;
        else if (strcmp(word, "lock") == 0)
                o->is_locked = true;
        else if (strcmp(word, "fresh") == 0)
                o->is_fresh = true;
        else
                malformed(r, "unknown word: %s", word);
}

/* "%20" and the like, for names with blanks. */
static char *unescape(const char *s) {
        char *path = copy(s), *to = path;
        unsigned c;

        for (; *s != '\0'; s++)
                if (*s == '%' && sscanf(s + 1, "%2x", &c) == 1) {
                        *to++ = (char)c;
                        s += 2;
                } else {
                        *to++ = *s;
                }
        *to = '\0';
        return path;
}

/* "- f /mnt/x m=2d", "-256+ f /mnt/x": goes, but stays since version 256. */
static void add_object(Reading *r, char *words) {
        Situation *s = last(r);
        char *sign = strtok(words, " "), *kind = strtok(NULL, " "), *path = strtok(NULL, " ");
        SituationObject *o = &s->objects[s->n_objects];
        unsigned since = 0;
        char then = '\0';

        if (!kind || !path || kind[1] != '\0' || !strchr("fdlpsSc", kind[0]))
                malformed(r, "not SIGN KIND PATH");
        if (++s->n_objects > SITUATION_OBJECTS_MAX)
                malformed(r, "more than %d objects", SITUATION_OBJECTS_MAX);
        *o = (SituationObject){
                .kind = kind[0],
                .path = unescape(path),
                .goes = sign[0] == '-',
                .atime = -1,
                .mtime = -1,
                .line = r->line,
        };
        if (sign[1] != '\0' && sscanf(sign + 1, "%u%c", &since, &then) != 2)
                malformed(r, "not a sign: %s", sign);
        if (since > 0 && r->version >= since)
                o->goes = then == '-';
        for (char *word; (word = strtok(NULL, " "));)
                add_attribute(r, o, word);
}

static void add_args(Reading *r, char *words) {
        Situation *s = last(r);

        for (char *word = strtok(words, " "); word; word = strtok(NULL, " ")) {
                if (s->n_args > SITUATION_WORDS_MAX)
                        malformed(r, "too many arguments");
                s->args[s->n_args++] = copy(word);
        }
}

static void read_line(Reading *r, char *line) {
        line[strcspn(line, "\n")] = '\0';
        switch (line[0]) {
        case '\0':
        case '#':
                break;
        case '[':
                begin(r, line + 1);
                break;
        case '|':
                add_text(r, line[1] == ' ' ? line + 2 : line + 1);
                break;
        case '-':
        case '+':
                add_object(r, line);
                break;
        default:
                if (strncmp(line, "config ", 7) == 0)
                        add_config(r, line + 7);
                else if (strncmp(line, "wait ", 5) == 0)
                        r->wait = (unsigned)strtoul(line + 5, NULL, 10);
                else if (strncmp(line, "run ", 4) == 0)
                        add_args(r, line + 4);
                else
                        malformed(r, "unknown: %s", line);
        }
}

size_t situation_read(const char *path, unsigned version, Situation **ret_situations,
                      unsigned *ret_wait) {
        _cleanup_fclose_ FILE *f = fopen(path, "re");
        Reading r = {.path = path, .version = version};
        _cleanup_free_ char *line = NULL;
        size_t n_line = 0;

        harness_assert(f, "%s: %m", path);
        while (getline(&line, &n_line, f) > 0) {
                r.line++;
                read_line(&r, line);
        }
        harness_assert(r.n > 0, "%s: no situation", path);
        for (size_t i = 0; i < r.n; i++)
                harness_assert(r.situations[i].n_args > 1 && r.situations[i].n_objects > 0,
                               "%s:%u: nothing runs, or there is no object", path,
                               r.situations[i].line);
        *ret_situations = r.situations;
        *ret_wait = r.wait;
        return r.n;
}

static void make_parents(const char *path) {
        char *dir = copy(path);

        for (char *s = dir + 1; (s = strchr(s, '/')); s++) {
                *s = '\0';
                if (mkdir(dir, 0755) < 0)
                        harness_assert(errno == EEXIST, "mkdir %s: %m", dir);
                *s = '/';
        }
        free(dir);
}

static void write_file(const char *path, const char *text) {
        _cleanup_fclose_ FILE *f = fopen(path, "we");

        harness_assert(f && fputs(text, f) >= 0, "%s: %m", path);
}

/* Bound where it lies: /proc/net/unix has the path that bind(2) was given. */
static void make_socket(const char *path, bool stays_open) {
        struct sockaddr_un a = {.sun_family = AF_UNIX};
        int fd = socket(AF_UNIX, SOCK_STREAM, 0);

        harness_assert(fd >= 0 && strlen(path) < sizeof(a.sun_path), "socket %s: %m", path);
        strcpy(a.sun_path, path);
        harness_assert(bind(fd, (struct sockaddr *)&a, sizeof(a)) == 0, "bind %s: %m", path);
        if (!stays_open)
                close(fd);
}

static void make_object(const SituationObject *o, const char *path) {
        int r = 0;

        make_parents(path);
        switch (o->kind) {
        case 'f':
                write_file(path, "x");
                break;
        case 'd':
                r = mkdir(path, 0755);
                if (r < 0 && errno == EEXIST)
                        r = 0;
                break;
        case 'l':
                r = symlink(o->target ? o->target : "/nowhere", path);
                break;
        case 'p':
                r = mkfifo(path, 0644);
                break;
        case 'c':
                r = mknod(path, S_IFCHR | 0644, makedev(1, 3));
                break;
        default:
                make_socket(path, o->kind == 'S');
                break;
        }
        harness_assert(r == 0, "%s: %m", path);
        if (o->uid != 0)
                harness_assert(lchown(path, o->uid, o->uid) == 0, "chown %s: %m", path);
        if (o->mode != 0)
                harness_assert(chmod(path, o->mode) == 0, "chmod %s: %m", path);
}

static void set_times(const SituationObject *o, const char *path) {
        struct timespec now, times[2];

        clock_gettime(CLOCK_REALTIME, &now);
        times[0] = times[1] = now;
        times[0].tv_sec -= o->atime;
        times[1].tv_sec -= o->mtime;
        if (o->atime < 0)
                times[0].tv_nsec = UTIME_OMIT;
        if (o->mtime < 0)
                times[1].tv_nsec = UTIME_OMIT;
        harness_assert(utimensat(AT_FDCWD, path, times, AT_SYMLINK_NOFOLLOW) == 0, "%s: %m", path);
}

static bool is_made_late(const SituationObject *o) {
        return o->is_fresh || o->kind == 'S';
}

void situation_make(const Situation *s, const char *below) {
        for (size_t i = 0; i < N(places); i++) {
                _cleanup_free_ char *path = harness_format("%s%s/", below, places[i]);

                make_parents(path);
        }
        for (size_t i = 0; i < s->n_configs; i++) {
                const SituationConfig *c = &s->configs[i];
                _cleanup_free_ char *path = harness_format("%s%s", below, c->path);

                make_parents(path);
                if (c->target)
                        harness_assert(symlink(c->target, path) == 0, "%s: %m", path);
                else
                        write_file(path, c->text);
        }
        for (size_t i = 0; i < s->n_objects; i++) {
                _cleanup_free_ char *path = harness_format("%s%s", below, s->objects[i].path);

                if (!is_made_late(&s->objects[i]))
                        make_object(&s->objects[i], path);
        }
        /* Last, since making what is in a directory changes its times; its contents first. */
        for (size_t i = s->n_objects; i > 0; i--) {
                _cleanup_free_ char *path = harness_format("%s%s", below, s->objects[i - 1].path);

                if (!is_made_late(&s->objects[i - 1]))
                        set_times(&s->objects[i - 1], path);
        }
}

static void lock(const char *path) {
        int fd = open(path, O_RDONLY | O_NOATIME | O_CLOEXEC);

        /* Held until this process ends. */
        harness_assert(fd >= 0 && flock(fd, LOCK_SH | LOCK_NB) == 0, "lock %s: %m", path);
}

void situation_enter(const Situation *s, const char *below) {
        for (size_t i = 0; i < N(places); i++) {
                _cleanup_free_ char *path = harness_format("%s%s", below, places[i]);

                harness_assert(mount(path, places[i], NULL, MS_BIND, NULL) == 0,
                               "mount %s on %s: %m", path, places[i]);
        }
        for (size_t i = 0; i < s->n_objects; i++) {
                const SituationObject *o = &s->objects[i];
                struct stat dir;
                struct timespec times[2];
                _cleanup_free_ char *above = copy(o->path);

                if (is_made_late(o)) {
                        *strrchr(above, '/') = '\0';
                        make_parents(o->path);
                        harness_assert(stat(above, &dir) == 0, "%s: %m", above);
                        make_object(o, o->path);
                        set_times(o, o->path);
                        times[0] = dir.st_atim;
                        times[1] = dir.st_mtim;
                        harness_assert(utimensat(AT_FDCWD, above, times, 0) == 0, "%s: %m", above);
                }
                if (o->is_mount)
                        harness_assert(o->kind == 'd'
                                               ? mount("over", o->path, "tmpfs", 0, NULL) == 0
                                               : mount("/dev/null", o->path, NULL, MS_BIND, NULL) ==
                                                         0,
                                       "mount on %s: %m", o->path);
                if (o->is_locked)
                        lock(o->path);
        }
}
