/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What program a process runs, by its name.  Pure.
 *
 * Limits: a program is what its executable is called, so a copy of the shell that is called "cron"
 * is cron.  Only where the executable is not known, or is one that is many programs (busybox), the
 * process's name counts, which it can change as it likes.
 */

#include <stdbool.h>

#include "identify/process_answer.h"

/* Borrowed from it; NULL unknown. */
const char *process_view_program(const ProcessView *v);
/* @programs: ended by NULL */
bool process_view_runs_one_of(const ProcessView *v, const char *const *programs);
