/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The lines below a deletion that say who it was.
 */

#include "identify/deleter.h"
#include "identify/user_names.h"
#include "record/record_text.h"

/*
 * record_text_who_append() - append who a deleter is, each line indented and ending in a newline
 * @d: NULL unknown
 *
 * Two deleters that say the same to a person give the same bytes.
 */
void record_text_who_append(RecordTextOptions options, UserNames *names, const Deleter *d,
                            Buffer *ret_text);
