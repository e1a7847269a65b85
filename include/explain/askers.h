/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Who of a deleter's ancestors asked for its work: cron's job, a package manager, logrotate.  Pure.
 *
 * Limits: programs are known by their names, see process_view.h, those that are written in Python,
 * Perl or shell (dnf, run-parts) by the process's name.  What is above a container is not looked
 * at: whoever started a container did not ask for all that is done in it.
 */

#include "identify/leaders.h"

/* Each borrowed from the deleter: itself or one of its ancestors; NULL: there is none. */
typedef struct Askers {
        const ProcessView *tmpfiles; /* the deleter itself: systemd-tmpfiles */
        const ProcessView *logrotate;
        const ProcessView *package; /* the outermost package manager */
        const ProcessView *tool;    /* the innermost: dpkg below apt */
        const ProcessView *cron;    /* the daemon that started .job: cron, anacron or atd */
        const ProcessView *job;     /* what that started: the shell, or what the shell became */
        const ProcessView
                *command; /* .job, or below at's shell, which was told in private, what it ran */
        const ProcessView *script; /* what run-parts started */
        Leaders leaders;
        bool is_contained; /* the deleter is in a container */
        bool is_at;        /* .cron is atd */
        bool is_anacron;
} Askers;

void askers_find(const Deleter *d, Askers *ret_askers);

/* The deleter is 0, its parent 1. NULL behind the last. */
const ProcessView *askers_process_at(const Deleter *d, size_t i);

/*
 * askers_package() - which package it was about, if that is said
 * @ret_name: borrowed from the deleter, not NUL-terminated
 *
 * By the path of the maintainer script that runs, or by the arguments of the tool or the manager
 * when they name only one.
 * Return: 0, -ENODATA.
 */
int askers_package(const Deleter *d, const Askers *a, const char **ret_name, size_t *ret_n_name);
