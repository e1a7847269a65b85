/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * A process that does to a tree whatever comes into its head, and writes down what went well.
 */

#include "random_log.h"

/* What is in the tree before they begin: so many objects by each. */
void random_workers_fill(RandomStage *stage, uint32_t n);
/* One for each of the stage. Its pid goes into its log; it ends by itself, with 0. */
void random_worker_start(RandomStage *stage, unsigned i);
/* Lets them begin, when each takes its turn. */
void random_workers_begin(RandomStage *stage);
