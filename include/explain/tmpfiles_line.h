/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * One line of tmpfiles.d, as systemd-tmpfiles understands it.  Pure: bytes in, a struct out; what
 * depends on the machine (specifiers, users, sources of copies) comes from a TmpfilesWorld.
 *
 * A line that systemd-tmpfiles refuses or skips is not in effect: it neither deletes nor protects.
 *
 * Source: tmpfiles.d(5) and src/tmpfiles/tmpfiles.c of systemd 252 and 257; what differs between
 * the two goes by TmpfilesWorld.version.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* Limits of systemd: a line, a path. */
#define TMPFILES_LINE_BYTES_MAX ((size_t)1 << 20)
#define TMPFILES_PATH_BYTES_MAX ((size_t)4095)

/* An age that never comes ("infinity"). */
#define TMPFILES_AGE_INFINITY UINT64_MAX

/* The times that an age looks at; letters a, b, c, m of the age field, capitals for directories. */
typedef enum TmpfilesTime {
        TMPFILES_ATIME = 1 << 0,
        TMPFILES_BTIME = 1 << 1,
        TMPFILES_CTIME = 1 << 2,
        TMPFILES_MTIME = 1 << 3,
} TmpfilesTime;

/* Without letters: all of a file; all of a directory but the change time, which cleaning changes.
 */
#define TMPFILES_TIMES_OF_FILE (TMPFILES_ATIME | TMPFILES_BTIME | TMPFILES_CTIME | TMPFILES_MTIME)
#define TMPFILES_TIMES_OF_DIRECTORY (TMPFILES_ATIME | TMPFILES_BTIME | TMPFILES_MTIME)

typedef struct TmpfilesLine {
        char type;              /* the letter: one of TMPFILES_TYPES */
        bool is_boot_only;      /* '!': in effect only with --boot */
        bool is_forced;         /* '+' */
        bool may_fail;          /* '-' */
        bool is_replacing;      /* '=' */
        bool is_base64;         /* '~' */
        bool is_credential;     /* '^' */
        bool is_purged;         /* '$': with --purge; systemd 257 */
        bool is_target_checked; /* '?', only on L; systemd 257 */

        char *path;     /* absolute; specifiers expanded, "/var/run/" made "/run/", simplified */
        char *argument; /* NULL without; specifiers expanded where systemd does; C: the source */

        bool is_mode_set, is_mode_masked /* "~0644" */, is_mode_for_new /* ":0644" */;
        mode_t mode; /* if not set, what a line of the type takes */
        bool is_uid_set, is_uid_for_new /* ":root" */;
        uid_t uid;
        bool is_gid_set, is_gid_for_new;
        gid_t gid;

        bool is_age_set;
        bool keeps_first_level;                     /* "~10d" */
        uint64_t age_usec;                          /* or TMPFILES_AGE_INFINITY */
        unsigned times_of_file, times_of_directory; /* TmpfilesTime */
} TmpfilesLine;

#define TMPFILES_TYPES "fFwdDevqQpLcbCxXrRzZtTaAhHm"

/*
 * What a line refers to.  Every function gets userdata; a NULL one knows nothing.
 */
typedef struct TmpfilesWorld {
        /*
         * The text for %letter, borrowed until the next call. Return: 0; -ENXIO or another of
         * tmpfiles_line_parse()'s "not known here": the line is skipped; -EBADSLT no such letter.
         */
        int (*specifier)(void *userdata, char letter, const char **ret_text);
        /* Numbers of a name (numeric ones are not asked for). Return: 0, -ESRCH. */
        int (*uid)(void *userdata, const char *name, uid_t *ret_uid);
        int (*gid)(void *userdata, const char *name, gid_t *ret_gid);
        /* Is there such a source to copy? NULL: yes. */
        bool (*has_source)(void *userdata, const char *path);
        /* Was such a credential passed? NULL: no. */
        bool (*has_credential)(void *userdata, const char *name);
        void *userdata;
        unsigned version; /* of systemd: 252, 257; 0 for the newest known */
        bool is_graceful; /* --graceful: an unknown user or group is no fault (systemd 254) */
} TmpfilesWorld;

/* Why a line is not in effect, for a person; no path or line number in it. */
typedef struct TmpfilesFault {
        char text[192];
} TmpfilesFault;

/*
 * tmpfiles_line_parse() - decode one line
 * @text, n:  without its end; a NUL in it ends it; longer than TMPFILES_LINE_BYTES_MAX is malformed
 * @ret_line: on 1, to be freed by tmpfiles_line_done()
 * @ret_fault: on 0 of a line that says something, and on -EBADMSG; may be NULL
 *
 * Return: 1 a line that is in effect (boot-only ones included), 0 nothing here (blank, comment) or
 * skipped by systemd-tmpfiles without an error (specifier that is not known here, source of a
 * copy or credential missing), -EBADMSG refused by it, -ENOMEM.
 */
int tmpfiles_line_parse(const char *text, size_t n, const TmpfilesWorld *world,
                        TmpfilesLine *ret_line, TmpfilesFault *ret_fault);
void tmpfiles_line_done(TmpfilesLine *line); /* takes a zeroed one */

/* Does systemd-tmpfiles take the path as a pattern? */
bool tmpfiles_type_takes_glob(char type);
/* Does the line mean the node itself to be its own (only one such line counts for a path)? */
bool tmpfiles_type_takes_ownership(char type);

/*
 * tmpfiles_age_parse() - "10d", "~m:1w 2d", "amAM:5min"
 * @line: is_age_set, keeps_first_level, age_usec and both times; untouched on failure
 *
 * Return: 0, -EBADMSG.
 */
int tmpfiles_age_parse(const char *text, TmpfilesLine *line, TmpfilesFault *ret_fault);

/* "access, birth and modification" of a set of TmpfilesTime; bytes without NUL, as snprintf(3). */
int tmpfiles_times_text(unsigned times, char *ret, size_t n_ret);

/* "10 days", "1 week 2 days", "0 seconds": exact, for people; as snprintf(3). */
int tmpfiles_age_text(uint64_t age_usec, char *ret, size_t n_ret);
