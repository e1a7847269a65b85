/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The lines that say on whose behalf a process worked: container, units, by whom the work entered,
 * and the chain of its parents.
 */

#include "identify/deleter.h"
#include "record/text_line.h"

/* Appends as many lines as there is something to say. */
void text_origin_append(const TextLine *l, const Deleter *d);
