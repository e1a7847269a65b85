/* SPDX-License-Identifier: MIT */

/*
 * systemd's unit names as a person reads them.
 *
 * The names come from the paths of control groups, and those below user@UID.service are given by
 * the user: nothing is taken for granted, neither their length nor that an escape is whole.
 *
 * Source: src/basic/unit-name.c of systemd 252 (unit_name_unescape, unit_name_to_prefix).
 */

#include "identify/unit_name.h"

#include <errno.h>
#include <limits.h>
#include <string.h>

static int hex_digit(char c) {
        if (c >= '0' && c <= '9')
                return c - '0';
        if (c >= 'a' && c <= 'f')
                return c - 'a' + 10;
        if (c >= 'A' && c <= 'F')
                return c - 'A' + 10;
        return -1;
}

/* The byte that name starts with, and how many bytes tell it. Return: 0, -EBADMSG. */
static int next_byte(const char *name, size_t n, char *ret, size_t *ret_n_told) {
        int high, low;

        if (name[0] != '\\') {
                *ret = name[0];
                *ret_n_told = 1;
                return name[0] == '\0' ? -EBADMSG : 0;
        }

        if (n < 4 || name[1] != 'x')
                return -EBADMSG;
        high = hex_digit(name[2]);
        low = hex_digit(name[3]);
        if (high < 0 || low < 0 || (high == 0 && low == 0))
                return -EBADMSG;
        *ret = (char)(unsigned char)(high << 4 | low);
        *ret_n_told = 4;
        return 0;
}

/* @ret: NULL to count only */
static int unescape(const char *name, size_t n, char *ret) {
        int n_bytes = 0;

        while (n > 0) {
                size_t n_told;
                char c;
                int r = next_byte(name, n, &c, &n_told);

                if (r < 0)
                        return r;
                if (ret)
                        ret[n_bytes] = c;
                n_bytes++;
                name += n_told;
                n -= n_told;
        }
        return n_bytes;
}

int unit_name_unescape(const char *name, size_t n, char *ret, size_t n_ret) {
        int n_bytes;

        if (n >= INT_MAX)
                return -ENOBUFS;
        n_bytes = unescape(name, n, NULL);
        if (n_bytes < 0)
                return n_bytes;
        if ((size_t)n_bytes >= n_ret)
                return -ENOBUFS;

        (void)unescape(name, n, ret);
        ret[n_bytes] = '\0';
        return n_bytes;
}

int unit_name_split(const char *name, size_t n, UnitNameParts *ret_parts) {
        const char *dot = n > 0 ? memrchr(name, '.', n) : NULL, *at;
        UnitNameParts parts = {.prefix = name};

        if (!dot || dot + 1 == name + n)
                return -EBADMSG;
        parts.type = dot + 1;
        parts.n_type = (size_t)(name + n - parts.type);

        at = memchr(name, '@', (size_t)(dot - name));
        parts.n_prefix = (size_t)((at ? at : dot) - name);
        if (parts.n_prefix == 0)
                return -EBADMSG;
        if (at) {
                parts.instance = at + 1;
                parts.n_instance = (size_t)(dot - parts.instance);
        }

        *ret_parts = parts;
        return 0;
}
