/* SPDX-License-Identifier: MIT */
#pragma once

/* What a watch needs before the first filesystem is marked. */

#include "command/watch_session.h"

/*
 * watch_setup() - privileges, paths, witness, sink
 *
 * Return: 0; a negative errno after having said on stderr what is missing and what to do.
 */
int watch_setup(WatchSession *s);
/* Everything is set up: what was needed only for that is given up. Return: as watch_setup(). */
int watch_setup_finish(void);
void watch_setup_undo(WatchSession *s);
