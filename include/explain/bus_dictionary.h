/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The properties of an object on a bus, one by one.
 */

#include <stdint.h>
#include <systemd/sd-bus.h>

/*
 * bus_dictionary_for_each() - go through an a{sv}
 * @take: reads the value of a key from m, which stands before the variant.  Return: 1 it has, 0 it
 *        has left it alone, negative errno
 *
 * Return: 0, -EBADMSG it is none, others.
 */
int bus_dictionary_for_each(sd_bus_message *m,
                            int (*take)(void *userdata, const char *key, sd_bus_message *m),
                            void *userdata);
/* Newly allocated; an empty one is left out. Return: 1, negative errno. */
int bus_dictionary_take_string(sd_bus_message *m, char **ret_text);
int bus_dictionary_take_u64(sd_bus_message *m, uint64_t *ret_number);
