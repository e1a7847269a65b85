/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * For tests of --hold-exec: a monitor that holds programs, and has nothing else to know them by.
 *
 * On a machine that has nothing else to do, most of even the shortest programs are read from /proc
 * in time.  So the threads that could do that stand still until the programs are gone, and what is
 * told was held.
 */

#include "monitor.h"
#include "truth.h"

/* Wide, since these tests are about what is told: a machine that stands still is no fault. */
#define HELD_OPTION "--hold-exec=500ms"

/* The path of vanish.c's program; skips the test where it is not built. */
char *held_vanish(void);
/* From now on nobody of the monitor reads /proc, nor what is deleted: only who holds goes on. */
void held_blindfold(const Monitor *m);
/* First those go on who tell of processes, with all that happened meanwhile. */
void held_unblindfold(const Monitor *m);
/*
 * Stops the monitor; fails the test if it let go of its hold before.  Skips it when others on this
 * machine started so many processes meanwhile that some were not kept.
 */
void held_stop(Monitor *m);
/* That, and compares: every fact of each must be told, and truly. */
void held_check(Truth *t, Monitor *m);
