/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Stanzas of logrotate's configuration, and which of them a rotated file belongs to.  Pure, but for
 * what the callback does.
 *
 * Limits: only what says which files a stanza is about and where the old ones go is understood;
 * whatever else a line says is passed over, also if logrotate would refuse it.
 *
 * Source: logrotate(8), config.c of logrotate 3.21.
 */

#include <stddef.h>

#define LOGROTATE_FILE_BYTES_MAX ((size_t)1024 * 1024)
/* Stanzas and patterns kept in all; what comes behind is not found. */
#define LOGROTATE_STANZAS_MAX 4096
#define LOGROTATE_PATTERNS_MAX 16384
/* Of their texts. Several configurations are kept at a time, and anybody can write one. */
#define LOGROTATE_KEPT_BYTES_MAX ((size_t)1024 * 1024)

typedef struct LogrotatePattern {
        char *text;    /* absolute, as glob(3) takes it */
        size_t stanza; /* index */
} LogrotatePattern;

typedef struct LogrotateStanza {
        char *file;   /* in which it stands */
        size_t line;  /* of its first pattern, from 1 */
        char *olddir; /* NULL: beside the logs; may be relative to them */
} LogrotateStanza;

typedef struct LogrotateConfig {
        LogrotateStanza *stanzas;
        LogrotatePattern *patterns;
        size_t n_stanzas, n_patterns;
        size_t n_kept_bytes; /* of texts of both */
        char *olddir;        /* of the stanzas that say nothing of it */
        unsigned depth;
} LogrotateConfig;

/* Takes a zeroed one; zeroed afterwards. */
void logrotate_config_done(LogrotateConfig *c);

typedef struct LogrotateIncluder {
        /* Parses another file or directory into the same configuration. Return: 0, -ENOMEM. */
        int (*include)(void *userdata, const char *path, LogrotateConfig *c);
        void *userdata;
} LogrotateIncluder;

/*
 * logrotate_config_parse() - add the stanzas of one file
 * @file:     its path, for .file
 * @includer: NULL: includes are passed over
 *
 * Return: 0, -ENOMEM.
 */
int logrotate_config_parse(LogrotateConfig *c, const char *file, const char *text, size_t n_bytes,
                           const LogrotateIncluder *includer);

/*
 * logrotate_config_find() - the stanza that a log, or a rotated one, belongs to
 * @path: absolute: "/var/log/x.log", "/var/log/x.log.3.gz", "/var/log/x.log-20261201"
 *
 * Of several the one that takes most of the path's name for its own, of equal ones the first.
 * Return: NULL none.
 */
const LogrotateStanza *logrotate_config_find(const LogrotateConfig *c, const char *path);
