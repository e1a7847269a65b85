/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Which filesystems must be watched for the user's paths.  Pure: a mount table in, a plan out.
 */

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "capture/mountinfo.h"
#include "capture/scope.h"

typedef struct CoverageFilesystem {
        dev_t device;       /* the superblock's, as mountinfo has it */
        const Mount *mount; /* the best one to mark and to resolve handles by; borrowed */
        bool is_asked_for;  /* a target lies on it; otherwise it is only mounted below one */
        ScopeSet scopes;
} CoverageFilesystem;

typedef struct CoveragePlan {
        CoverageFilesystem *filesystems;
        size_t n_filesystems;
} CoveragePlan;

#define _cleanup_coverage_plan_ _cleanup_(coverage_plan_done)

/*
 * coverage_plan_make() - the filesystems that hold a target or are mounted below one
 * @table:    must outlive the plan
 * @targets:  must outlive the plan and its scopes
 * @ret_plan: filled on 0; released by coverage_plan_done()
 *
 * Mounts hidden below others are left out, and so are pseudo filesystems that are merely mounted
 * below a target: nothing is deleted there by anyone. Of several mounts of one filesystem, one
 * that shows its root is taken to resolve handles.
 *
 * Return: 0, -ENOMEM.
 */
int coverage_plan_make(const MountTable *table, const ScopeTarget *targets, size_t n_targets,
                       CoveragePlan *ret_plan);
/* Frees the filesystems and their scopes; the plan is empty afterwards. */
void coverage_plan_done(CoveragePlan *p);

/* proc, sysfs and the like: views of the kernel, whose entries are not files anyone lost. */
bool coverage_is_pseudo(const char *fstype);
/* nfs, cifs and the like: other hosts have the files too, and what they delete is not seen here. */
bool coverage_is_remote(const char *fstype);
