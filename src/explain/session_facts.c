/* SPDX-License-Identifier: MIT */

/* One question to logind. */

#include "explain/session_facts.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "explain/bus_dictionary.h"

SessionFacts *session_facts_free(SessionFacts *f) {
        if (f) {
                free(f->user);
                free(f->remote_host);
                free(f->tty);
                free(f->service);
                free(f->display);
                free(f);
        }
        return NULL;
}

static int take(void *userdata, const char *key, sd_bus_message *m) {
        SessionFacts *f = userdata;
        const struct {
                const char *key;
                char **to;
        } texts[] = {{"Name", &f->user},
                     {"RemoteHost", &f->remote_host},
                     {"TTY", &f->tty},
                     {"Service", &f->service},
                     {"Display", &f->display}};

        for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
                if (strcmp(key, texts[i].key) == 0)
                        return bus_dictionary_take_string(m, texts[i].to);
        return 0;
}

int session_facts_ask(Bus *b, const char *session, SessionFacts **ret_facts) {
        SessionFacts *f = calloc(1, sizeof(*f));
        _cleanup_free_ char *path = NULL;
        sd_bus_message *m = NULL;
        int r;

        if (!f)
                return -ENOMEM;
        r = sd_bus_path_encode("/org/freedesktop/login1/session", session, &path);
        if (r >= 0)
                r = bus_get_all(b, BUS_SYSTEM, "org.freedesktop.login1", path,
                                "org.freedesktop.login1.Session", &m);
        if (r >= 0)
                r = bus_dictionary_for_each(m, take, f);
        sd_bus_message_unref(m);
        if (r < 0) {
                session_facts_free(f);
                return r;
        }
        *ret_facts = f;
        return 0;
}
