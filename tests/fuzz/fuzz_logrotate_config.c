/* SPDX-License-Identifier: MIT */

/* logrotate.conf, behind a path on its first line; an include means the same text again. */

#include "explain/logrotate_config.h"
#include "fuzz.h"

typedef struct Text {
        const char *bytes;
        size_t n_bytes;
        unsigned depth, n_includes;
        LogrotateIncluder includer;
} Text;

static int include(void *userdata, const char *path, LogrotateConfig *c) {
        Text *t = userdata;
        int r = 0;

        fuzz_check(path[0] != '\0');
        if (t->depth < 3 && t->n_includes++ < 20) {
                t->depth++;
                r = logrotate_config_parse(c, "/included", t->bytes, t->n_bytes, &t->includer);
                t->depth--;
        }
        return r;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n_bytes) {
        const uint8_t *end = n_bytes > 0 ? memchr(bytes, '\n', n_bytes) : NULL;
        const size_t n_first = end ? (size_t)(end - bytes) : n_bytes;
        const size_t n_text = end ? n_bytes - n_first - 1 : 0;
        _cleanup_free_ char *path = fuzz_string(bytes, n_first), *text = malloc(n_text + 1);
        Text t = {.bytes = text, .n_bytes = n_text};
        LogrotateConfig c = {0};
        const LogrotateStanza *s;

        fuzz_check(text != NULL);
        if (n_text > 0)
                memcpy(text, end + 1, n_text);
        t.includer = (LogrotateIncluder){.include = include, .userdata = &t};
        fuzz_check(logrotate_config_parse(&c, "/main", text, n_text, &t.includer) == 0);
        fuzz_check(c.n_stanzas <= LOGROTATE_STANZAS_MAX);
        fuzz_check(c.n_patterns <= LOGROTATE_PATTERNS_MAX);
        fuzz_check(c.n_kept_bytes <= LOGROTATE_KEPT_BYTES_MAX);
        for (size_t i = 0; i < c.n_patterns; i++) {
                fuzz_check(c.patterns[i].text[0] == '/');
                fuzz_check(c.patterns[i].stanza < c.n_stanzas);
        }
        s = logrotate_config_find(&c, path);
        fuzz_check(!s || (s >= c.stanzas && s < c.stanzas + c.n_stanzas && s->file));
        logrotate_config_done(&c);
        return 0;
}
