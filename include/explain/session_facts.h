/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Who logged in, from where, at which terminal.
 *
 * Source: org.freedesktop.login1(5).
 */

#include "explain/bus.h"

typedef struct SessionFacts {
        /* Each owned; NULL unknown. */
        char *user, *remote_host, *tty, *service, *display;
} SessionFacts;

SessionFacts *session_facts_free(SessionFacts *f);

/* @session: as logind calls it, "3". Return: as unit_facts_ask(). */
int session_facts_ask(Bus *b, const char *session, SessionFacts **ret_facts);
