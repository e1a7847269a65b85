/* SPDX-License-Identifier: MIT */
#pragma once

/* The command line of the verb `why`. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* Exit statuses; of several PATHs the highest. */
#define WHY_EXIT_ANSWER 0  /* something is known that removed it, or will */
#define WHY_EXIT_NOTHING 1 /* nothing is */
#define WHY_EXIT_USAGE 2
#define WHY_EXIT_ERROR 3 /* it could not be found out */

typedef struct WhyOptions {
        bool is_all, is_json, has_user;
        uid_t user_uid;   /* with .has_user */
        uint64_t in_nsec; /* with .is_all; 0: until the next run */
        size_t n_listed_max, n_records_max;
        const char *file, *directory; /* where records are; NULL the journal, NULL this machine's */
        char **paths;
        size_t n_paths;
} WhyOptions;

/* Return: 1 go on, 0 all is said and done, -EINVAL a mistake, said. */
int why_options_parse(int argc, char **argv, WhyOptions *ret_options);
