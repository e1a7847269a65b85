/* SPDX-License-Identifier: MIT */
#pragma once

/* "cause" of "whodunlink". */

#include "base/buffer.h"
#include "explain/cause.h"

/* "cause":{…}, with the trailing comma. */
void json_cause_append(const Cause *c, Buffer *b);
