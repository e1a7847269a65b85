/* SPDX-License-Identifier: MIT */
#pragma once

/* The line that says that a file is not really gone, and where it can still be had. */

#include "record/remains.h"
#include "record/text_line.h"

void text_remains_append(const TextLine *l, const Remains *r);
