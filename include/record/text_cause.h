/* SPDX-License-Identifier: MIT */
#pragma once

/* The line that says why something was deleted. */

#include "explain/cause.h"
#include "record/text_line.h"

void text_cause_append(const TextLine *l, const Cause *c);
