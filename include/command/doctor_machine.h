/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The machine, apart from its filesystems.  Everything is tried; nothing is left behind.
 */

#include "command/doctor_report.h"
#include "identify/proc_snapshot.h"

/* Return: may fanotify be tried? */
bool doctor_machine_capabilities(DoctorReport *r);
/* Its release, and what its fanotify can do. */
void doctor_machine_kernel(DoctorReport *r, bool may_try);
/* Process events, exit records, real-time priority. @source: borrowed */
void doctor_machine_processes(DoctorReport *r, const ProcSource *source);
/* @n_filesystems: that are to be watched */
void doctor_machine_limits(DoctorReport *r, int proc_fd, size_t n_filesystems);
/* What the journal would drop of what is written there. */
void doctor_machine_journal(DoctorReport *r, int root_fd);
