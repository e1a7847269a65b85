/* SPDX-License-Identifier: MIT */
#pragma once

/* Where the records of a watch go. */

#include "command/watch_session_private.h"

/* Reads the facts of the host and opens s->sink. Return: 0; a negative errno after having said so.
 */
int watch_output_open(WatchSession *s);
/* Of stdout; 0: it is no terminal. */
size_t watch_output_columns(void);
