/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The kernel's exit records joined with the lives that they are of.  No locking: process_table.c's,
 * behind its lock.
 */

#include "identify/process_dead.h"
#include "identify/process_life.h"
#include "identify/taskstats_record.h"

/*
 * process_exit_apply() - as process_table_exit_record()
 *
 * Return: 1 something was learned from it, 0 all was known, -ENOMEM.
 */
int process_exit_apply(ProcessLives *lives, ProcessDead *dead, const TaskstatsRecord *record,
                       const char *executable, uint64_t nsec);
