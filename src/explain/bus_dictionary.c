/* SPDX-License-Identifier: MIT */

/* Source: sd_bus_message_enter_container(3), sd_bus_message_read(3). */

#include "explain/bus_dictionary.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static int take_entry(sd_bus_message *m,
                      int (*take)(void *userdata, const char *key, sd_bus_message *m),
                      void *userdata) {
        const char *key;
        int r;

        r = sd_bus_message_read(m, "s", &key);
        if (r >= 0)
                r = take(userdata, key, m);
        if (r == 0)
                r = sd_bus_message_skip(m, "v");
        return r < 0 ? r : sd_bus_message_exit_container(m);
}

int bus_dictionary_for_each(sd_bus_message *m,
                            int (*take)(void *userdata, const char *key, sd_bus_message *m),
                            void *userdata) {
        int r;

        r = sd_bus_message_enter_container(m, 'a', "{sv}");
        while (r >= 0 && (r = sd_bus_message_enter_container(m, 'e', "sv")) > 0)
                r = take_entry(m, take, userdata);
        if (r >= 0)
                r = sd_bus_message_exit_container(m);
        if (r >= 0)
                return 0;
        return r == -ENOMEM ? r : -EBADMSG;
}

int bus_dictionary_take_string(sd_bus_message *m, char **ret_text) {
        const char *text;
        char *copy;
        int r;

        r = sd_bus_message_read(m, "v", "s", &text);
        if (r < 0 || text[0] == '\0')
                return r < 0 ? r : 1;
        copy = strdup(text);
        if (!copy)
                return -ENOMEM;
        free(*ret_text);
        *ret_text = copy;
        return 1;
}

int bus_dictionary_take_u64(sd_bus_message *m, uint64_t *ret_number) {
        int r = sd_bus_message_read(m, "v", "t", ret_number);

        return r < 0 ? r : 1;
}
