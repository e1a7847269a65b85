/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What an event makes of the facts of a process.  Pure.
 */

#include "identify/proc_event.h"
#include "identify/process_facts.h"

/* Does the event change who a process is or what it is called: UID, GID, SID, COMM? */
bool process_change_is(const ProcEvent *e);
/* The facts after such an event. One reference, the caller's. Return: NULL out of memory. */
ProcessFacts *process_change_make(const ProcessFacts *before, const ProcEvent *e);

/*
 * process_change_program() - the facts after an exec of which nothing could be read
 * @before: NULL unknown
 *
 * What an exec does not change stays. One reference, the caller's. Return: NULL out of memory.
 */
ProcessFacts *process_change_program(const ProcessFacts *before);
