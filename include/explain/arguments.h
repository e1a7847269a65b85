/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The arguments of a process, one by one and as a person would type them.  Pure.
 */

#include <stdbool.h>
#include <stddef.h>

#include "base/buffer.h"
#include "identify/process_facts.h"

/* Of a command line that stands in a sentence no more is shown. */
#define ARGUMENTS_SHOWN_BYTES 512

/* The argument, NUL-terminated, borrowed; NULL behind the last, or when none are known. */
const char *arguments_at(const ProcessFacts *f, size_t i);
/* Appends all of them, quoted where a shell needs it; its name where they are not known. */
void arguments_append(const ProcessFacts *f, Buffer *b);
/* Cuts what was appended behind `start` to ARGUMENTS_SHOWN_BYTES, with "…" for the rest. */
void arguments_cut(Buffer *b, size_t start);
