/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What this kernel's fanotify can do, found out by trying, and what it costs where it cannot.
 */

#include <stdbool.h>
#include <stddef.h>

typedef struct KernelFeature {
        unsigned bits;       /* FanFeatures; 0: it is none of those */
        const char *name;    /* as the manual has it: "FAN_REPORT_TARGET_FID" */
        const char *brings;  /* "the deleted file itself" */
        const char *without; /* what a watch is then like; NULL: no different */
        const char *from;    /* the kernels that have it */
        int (*try)(void);    /* of those that no group's rungs tell: 0, or a negative errno */
} KernelFeature;

/* Those of a group first. */
const KernelFeature *kernel_features_all(size_t *ret_n);

/*
 * kernel_features_read() - the FanFeatures that a group gets
 *
 * Return: 0, errors of fan_group_new().
 */
int kernel_features_read(unsigned *ret_features);
