/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Capabilities of the calling thread, given up for good.
 */

#include <stdint.h>

#define PRIVILEGE(number) (UINT64_C(1) << (number))

/*
 * privilege_keep() - keep these capabilities, as far as they are there, and no others
 * @permitted: bit N is capability N; may be made effective again, also by a program that is
 * executed
 * @effective: of those, what is in effect
 *
 * Threads that are started from here on begin with the same; those that are there keep theirs.
 * Nothing that is executed gets back what is gone (no_new_privs).
 *
 * Source: capabilities(7), capset(2), PR_SET_NO_NEW_PRIVS(2const).
 * Return: 0, a negative errno.
 */
int privilege_keep(uint64_t permitted, uint64_t effective);
