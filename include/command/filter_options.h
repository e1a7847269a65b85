/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The options that choose which deletions are told: from words to a RecordFilter.
 */

#include <stdbool.h>

#include "command/usage.h"
#include "record/record_filter.h"

/* For the .val of getopt_long(3)'s table; a verb's own options have lower numbers. */
typedef enum FilterOption {
        FILTER_OPTION_ACTION = 512,
        FILTER_OPTION_ANCESTOR,
        FILTER_OPTION_COMM,
        FILTER_OPTION_CONTAINER,
        FILTER_OPTION_DESCENDANTS,
        FILTER_OPTION_EXCLUDE,
        FILTER_OPTION_EXE,
        FILTER_OPTION_INCLUDE,
        FILTER_OPTION_LOGINUID,
        FILTER_OPTION_NO_OVERWRITES,
        FILTER_OPTION_PID,
        FILTER_OPTION_UNIT,
        FILTER_OPTION_USER,
} FilterOption;

/* Is what getopt_long(3) returned a FilterOption? */
bool filter_options_has(int option);

/*
 * filter_options_apply() - add one option to a filter
 * @u:     to say a mistake with
 * @value: copied; NULL for an option without one
 *
 * Return: 0, -EINVAL a mistake, said, -ENOMEM.
 */
int filter_options_apply(const Usage *u, RecordFilter *f, FilterOption option, const char *value);

/* After the last one: do they fit each other? Return: 0, -EINVAL no, said. */
int filter_options_check(const Usage *u, const RecordFilter *f);
