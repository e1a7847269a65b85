/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * A systemd-journald of this test's own: in its mount namespace, with a /run of its own, so that
 * the machine's, if there is one, neither sees nor is seen.
 */

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>
#include <systemd/sd-journal.h>

#include "monitor.h"
#include "record.h"

/* Where the entries go: a filesystem of its own. */
#define JOURNAL_DIRECTORY "/run/log/journal"

typedef struct Journald {
        pid_t pid; /* 0: it does not run */
} Journald;

/*
 * journald_start() - start one, and wait until it listens
 * @size:     of the filesystem for the entries, such as "64m"
 * @settings: lines of [Journal] behind our own; "" none
 *
 * Skips the test where there is no systemd-journald.
 */
Journald journald_start(const char *size, const char *settings);
/* Ends it by a signal and waits for that. */
void journald_stop(Journald *j, int signal_number);
/* Starts it again where it was. */
void journald_restart(Journald *j);
/* Waits until it has taken all that was sent before. */
void journald_settle(void);

/* `watch --output=journal ARGS`, and waits until the start record can be read from the journal. */
Monitor journal_monitor_start(const char *const *args);

/* The journal's entries with a field of this value ("FIELD=value", NULL: all of the monitor). */
sd_journal *journal_open(const char *match);
void journal_closep(sd_journal **j);
#define _cleanup_journal_ __attribute__((cleanup(journal_closep)))
size_t journal_count(const char *match);
/* Waits until there are so many. Fails the test after timeout_sec. */
void journal_wait_for(const char *match, size_t n, double timeout_sec);

/* A field of the entry that the journal is at; .data is NULL if it has none. Newly allocated. */
Bytes journal_field(sd_journal *j, const char *field);
/* The same; fails the test when there is none. */
char *journal_text(sd_journal *j, const char *field);
/* Fails the test unless a field has this value; NULL: is absent. */
void journal_assert_field(sd_journal *j, const char *field, const char *value);
/* The message as the JSON that it is; to be released. */
struct json_object *journal_message(sd_journal *j);
