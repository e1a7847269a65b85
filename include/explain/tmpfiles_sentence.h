/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Why a line of tmpfiles.d removed something, in words.  Pure.
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/buffer.h"
#include "explain/tmpfiles_choice.h"

/* All borrowed. */
typedef struct TmpfilesSentence {
        const TmpfilesChoice *choice; /* that it goes, with its rule */
        const char *path;
        uint64_t age_usec; /* of the rule, see tmpfiles_rules_age() */
        bool is_boot;      /* --boot was given */
        bool is_user;      /* --user */
} TmpfilesSentence;

/* One sentence that a person can act on, without a full stop. */
void tmpfiles_sentence_append(Buffer *b, const TmpfilesSentence *s);
