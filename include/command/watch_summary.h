/* SPDX-License-Identifier: MIT */
#pragma once

/* What a watch has seen, in one line. */

#include "base/buffer.h"
#include "command/watch_session.h"

/* Appends "12 deletions and 3 moves by 4 processes in 2.1s, 0 losses", without a newline. */
void watch_summary_append(Buffer *b, const WatchCounters *c, uint64_t duration_nsec);
