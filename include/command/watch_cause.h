/* SPDX-License-Identifier: MIT */
#pragma once

/* Why something was deleted, for the records of a watch. */

#include "command/watch_session.h"
#include "record/record.h"

/* Starts the look-ups; without them records have no causes, which is said. */
void watch_cause_start(WatchSession *s);

/*
 * watch_cause_find() - fill in a record's cause
 *
 * Return: 0, -EAGAIN nothing may be written before it is known: ask again after a millisecond.
 */
int watch_cause_find(WatchSession *s, Record *r);
