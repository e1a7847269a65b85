/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * All processes of /proc into the table: at the start, and after process events were lost.
 */

#include "identify/proc_snapshot.h"
#include "identify/process_table.h"

/*
 * process_scan() - read every process there is
 *
 * New ones of meanwhile are told of by events that wait.
 * Return: 0, errors of openat(2) and fdopendir(3).
 */
int process_scan(ProcessTable *table, const ProcSource *source);

/* As process_scan(), after a loss that has ended just now. */
int process_rescan(ProcessTable *table, const ProcSource *source, uint64_t loss_since_nsec);
