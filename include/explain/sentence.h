/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Causes in words, from what was found out.  Pure.
 *
 * Each function fills in type, rule, source and explanation; -ENOMEM leaves what was there to
 * cause_done().
 */

#include "explain/askers.h"
#include "explain/cause.h"
#include "explain/container_state.h"
#include "explain/cron_source.h"
#include "explain/logrotate_config.h"
#include "explain/session_facts.h"
#include "explain/unit_facts.h"

/* All return 0 or -ENOMEM. */

int sentence_cron(const Askers *a, const CronSource *s, Cause *c);
/* @stanza: NULL: none names the file */
int sentence_logrotate(const Askers *a, const LogrotateStanza *stanza, Cause *c);
int sentence_package(const Deleter *d, const Askers *a, Cause *c);
/* @unit: as people read it */
int sentence_timer(const char *unit, const UnitFacts *f, Cause *c);
/* @name: container_name()'s; @state: NULL unknown */
int sentence_container(const char *name, const char *runtime, const ContainerState *s, Cause *c);

/* Each NULL unknown. */
typedef struct SentenceLogin {
        const char *user, *remote_host, *tty, *session, *display;
        EntryType type;
} SentenceLogin;

int sentence_login(const SentenceLogin *l, Cause *c);

/* Appends what started the unit that all this happened in. */
int sentence_append_trigger(const UnitFacts *f, Cause *c);

/* Bytes of a terminal's name. */
#define SENTENCE_TTY_BYTES 32
/* "pts/3", "tty1", "ttyS0" of a device number. Return: 0, -ENODATA no such terminal. */
int sentence_tty(int tty, char ret_name[static SENTENCE_TTY_BYTES]);
