/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The filesystems below some paths, each tried as a watch would cover it.
 */

#include "command/doctor_report.h"
#include "identify/proc_snapshot.h"

typedef struct DoctorPlace {
        const ProcSource *source; /* borrowed */
        char **paths;             /* as given; none: every local filesystem */
        size_t n_paths;
        bool may_try; /* else it is only said which they are */
} DoctorPlace;

/*
 * doctor_mounts_look() - one line a filesystem, one a path that is not there
 * @ret_n_filesystems: that a watch would have
 *
 * Return: 0, -ENOMEM, errors of reading the mount table and of path_resolve().
 */
int doctor_mounts_look(DoctorReport *r, const DoctorPlace *place, size_t *ret_n_filesystems);
/* What other mount namespaces have for themselves. Return: 0, a negative errno. */
int doctor_mounts_look_elsewhere(DoctorReport *r, const DoctorPlace *place);
