/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Which line of tmpfiles.d removes a path, which one protects it, and when its time comes: the same
 * choice that systemd-tmpfiles makes.  Pure, apart from what a TmpfilesTree does.
 *
 * Source: tmpfiles.d(5); dir_cleanup(), remove_item(), clean_item() and link_parent() in
 * src/tmpfiles/tmpfiles.c, rm_rf() in src/shared/rm-rf.c of systemd 252 and 256.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "explain/tmpfiles_config.h"

/* As systemd's own; a directory deeper below a line's path is not entered. */
#define TMPFILES_DEPTH_MAX 256
#define TMPFILES_NEVER UINT64_MAX
/* Objects looked at below a directory that is asked about; beyond, what is seen decides. */
#define TMPFILES_LOOKS_MAX 100000U

typedef enum TmpfilesOperation {
        TMPFILES_CREATE = 1 << 0, /* lines with '+' or '=' remove what is in their way */
        TMPFILES_REMOVE = 1 << 1,
        TMPFILES_CLEAN = 1 << 2,
        TMPFILES_PURGE = 1 << 3, /* since systemd 256 */
} TmpfilesOperation;

/* What the command line asked for. Strings are borrowed. */
typedef struct TmpfilesRequest {
        unsigned operations; /* TmpfilesOperation */
        bool is_boot;
        const char *const *prefixes; /* --prefix=; NULL-terminated or NULL */
        const char *const *exclude_prefixes;
        const char *root; /* --root=, which stands before each line's path; NULL without */
        unsigned version; /* of systemd; 0 for the newest known */
} TmpfilesRequest;

/* What is known of one object, as statx(2) without following symlinks tells it. */
typedef struct TmpfilesFacts {
        mode_t mode;
        uid_t uid;
        uint64_t atime_nsec, btime_nsec, ctime_nsec, mtime_nsec; /* 0: the filesystem has none */
        bool is_mount_point;
        bool is_locked;      /* someone else holds a BSD lock on it (flock(2)) */
        bool is_live_socket; /* bound: its path stands in /proc/net/unix */
} TmpfilesFacts;

/* How the choice looks at the filesystem. A NULL function: nothing is known. */
typedef struct TmpfilesTree {
        /* Return: 1, 0 not there, negative errno. */
        int (*facts)(void *userdata, const char *path, TmpfilesFacts *ret_facts);
        /*
         * Calls f for each entry of a directory but "." and "..", until it returns other than 0.
         * Return: what f returned last, 0 for none, negative errno.
         */
        int (*entries)(void *userdata, const char *path,
                       int (*f)(void *f_userdata, const char *name), void *f_userdata);
        /*
         * A directory without any symlink in its path, newly allocated; asked once for each line
         * as long as the rules live. Return: 0, negative errno: it is taken as it is.
         */
        int (*resolve)(void *userdata, const char *path, char **ret_path);
        void *userdata;
} TmpfilesTree;

/* The lines in effect for a request, ready to be asked. */
typedef struct TmpfilesRules TmpfilesRules;

/*
 * tmpfiles_rules_new() - apply --boot, prefixes and the rules about several lines for one path
 * @config, request: borrowed as long as the rules live
 *
 * Return: 0, -ENOMEM.
 */
int tmpfiles_rules_new(const TmpfilesConfig *config, const TmpfilesRequest *request,
                       TmpfilesRules **ret_rules);
TmpfilesRules *tmpfiles_rules_free(TmpfilesRules *rules);

/* The age that counts for a rule: its own or, of an X line, that of the directory. 0 without. */
uint64_t tmpfiles_rules_age(const TmpfilesRules *rules, const TmpfilesRule *rule);

typedef enum TmpfilesVerdict {
        TMPFILES_UNCOVERED, /* no line has to do with it */
        TMPFILES_GOES,      /* removed if it ran at that moment */
        TMPFILES_WAITS,     /* too new: due_nsec, if nobody touches it until then */
        TMPFILES_STAYS,     /* covered, and kept for the reason told */
} TmpfilesVerdict;

typedef enum TmpfilesReason {
        TMPFILES_REASON_NONE,
        /* of TMPFILES_GOES */
        TMPFILES_REASON_AGE,     /* older than the age of the line */
        TMPFILES_REASON_REMOVE,  /* r, R, D with --remove */
        TMPFILES_REASON_PURGE,   /* --purge */
        TMPFILES_REASON_REPLACE, /* --create: in the way of a line with '+' or '=' */
        /* of TMPFILES_WAITS */
        TMPFILES_REASON_TIME,     /* `times` are too new */
        TMPFILES_REASON_CONTENTS, /* a directory in which `at` waits or stays */
        /* of TMPFILES_STAYS; `at` is the path or a directory above it */
        TMPFILES_REASON_LINE,        /* `protector` has a line of its own for `at` */
        TMPFILES_REASON_SELF,        /* the line's own directory is never removed by age */
        TMPFILES_REASON_FIRST_LEVEL, /* '~' */
        TMPFILES_REASON_INFINITY,    /* the age is infinite */
        TMPFILES_REASON_MOUNT,       /* `at` is a mount point */
        TMPFILES_REASON_STICKY,      /* a file with the sticky bit */
        TMPFILES_REASON_LOCK,        /* `at` is locked */
        TMPFILES_REASON_SOCKET,      /* a socket in use */
        TMPFILES_REASON_DEVICE,
        TMPFILES_REASON_RESERVED, /* lost+found, .journal, aquota.* of root in a mount's root */
        TMPFILES_REASON_DEPTH,
        TMPFILES_REASON_SYMLINK, /* the line's path is a symlink, which is not followed */
} TmpfilesReason;

typedef struct TmpfilesChoice {
        TmpfilesVerdict verdict;
        TmpfilesReason reason;
        const TmpfilesRule *rule;      /* the line that removes it, or would; NULL */
        const TmpfilesRule *protector; /* TMPFILES_REASON_LINE */
        unsigned times_counted;        /* TmpfilesTime that the line's age looks at here */
        unsigned times_new;            /* those that are too new now */
        unsigned time_last;            /* the newest of those counted: the one that keeps it */
        uint64_t due_nsec; /* realtime of the earliest moment at which it can go; TMPFILES_NEVER */
        bool is_due_guessed; /* something was not known, e.g. times */
        char *at;            /* the path the reason is about, if not the asked one; owned */
} TmpfilesChoice;

void tmpfiles_choice_done(TmpfilesChoice *c);
#define _cleanup_tmpfiles_choice_ _cleanup_(tmpfiles_choice_done)

/*
 * tmpfiles_choose() - what becomes of a path
 * @path:     absolute, without symlinks in its directory part
 * @now_nsec: realtime of the run that is asked about
 * @tree:     of the time before the run; NULL for a path of which nothing but its name is known:
 * then lines are found by names alone, and ages count as passed
 *
 * If several lines act on it, the one that decides is told: the first that removes it without any
 * condition, else the one whose age passes first.
 * Return: 0, -ENOMEM.
 */
int tmpfiles_choose(const TmpfilesRules *rules, const char *path, uint64_t now_nsec,
                    const TmpfilesTree *tree, TmpfilesChoice *ret_choice);

/* How a line has to do with a path. */
typedef enum TmpfilesPart {
        TMPFILES_PART_REMOVES,  /* acts on the path or on a directory above it */
        TMPFILES_PART_PROTECTS, /* has the path, or a directory above it, to itself */
        TMPFILES_PART_BOOT,     /* would, but only with --boot */
        TMPFILES_PART_DOUBLE,   /* would, but an earlier line for the same path counts */
} TmpfilesPart;

/*
 * tmpfiles_rules_each() - every line that has to do with a path, in the order of reading
 *
 * Return: 0, or what f returned other than 0, -ENOMEM.
 */
int tmpfiles_rules_each(const TmpfilesRules *rules, const char *path, const TmpfilesTree *tree,
                        int (*f)(void *userdata, const TmpfilesRule *rule, TmpfilesPart part),
                        void *userdata);
