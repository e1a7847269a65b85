/* SPDX-License-Identifier: MIT */
#pragma once

/* Many deletions in one record, in JSON. */

#include "base/buffer.h"
#include "record/record.h"

/* The rest of the sentence behind the process, inside of a JSON string. */
void json_fold_append_message(const RecordFold *f, Buffer *b);
/* "fold":{…} of "whodunlink", with the trailing comma. */
void json_fold_append(const RecordFold *f, Buffer *b);
