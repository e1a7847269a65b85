/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The process that cleans up after the test program, also after a SIGKILL: it sits in the original
 * mount namespace and waits until every holder of a pipe's other end is gone.
 */

/* Forks it; work is the directory it removes. Return: 0, negative errno. */
int keeper_start(const char *work);
/* Has a sysctl's value put back in the end. Return: 0, negative errno. */
int keeper_remember(const char *name, long value);
