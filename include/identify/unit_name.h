/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * systemd's unit names as a person reads them.  Pure: bytes in, bytes out.
 *
 * Source: systemd.unit(5), "String Escaping for Inclusion in Unit Names" and "Unit Templates";
 * src/basic/unit-name.c of systemd 252.
 */

#include <stddef.h>

/*
 * unit_name_unescape() - undo \xNN in a unit's name, its instance or a machine's name
 * @ret:   NUL-terminated; untouched on failure
 * @n_ret: its size, enough with n + 1
 *
 * Other than systemd-escape --unescape it leaves "-" alone, which stands for "/" only in names that
 * were made from a path, and nothing tells them apart.  What was escaped can be any byte but NUL,
 * also "/" and those of a terminal's commands.
 *
 * Return: bytes without the NUL, -EBADMSG a backslash that does not start \xNN, \x00 or a NUL,
 * -ENOBUFS.
 */
int unit_name_unescape(const char *name, size_t n, char *ret, size_t n_ret);

/* Pieces of a unit's name; each borrowed from it. */
typedef struct UnitNameParts {
        const char *prefix; /* "getty" of getty@tty1.service, "cron" of cron.service */
        size_t n_prefix;
        const char *instance; /* "tty1"; NULL without "@"; empty for a template itself */
        size_t n_instance;
        const char *type; /* "service", not checked */
        size_t n_type;
} UnitNameParts;

/*
 * unit_name_split() - take prefix, instance and type apart
 *
 * The first "@" ends the prefix, the last "." the instance, as in systemd.
 * Return: 0, -EBADMSG no type or no prefix.
 */
int unit_name_split(const char *name, size_t n, UnitNameParts *ret_parts);
