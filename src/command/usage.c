/* SPDX-License-Identifier: MIT */

/*
 * Mistakes in a command line, said the same way by every verb.
 *
 * getopt_long(3) could say them itself, but by argv[0], in the user's language or not, and
 * without the usage line.
 *
 * Source: getopt(3), "RETURN VALUE", and glibc 2.36 posix/getopt.c: what optopt holds for which
 * mistake.
 */

#include "command/usage.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/buffer.h"
#include "base/escape.h"

/* @word: stands before the colon, escaped here; NULL none. */
static int say(const Usage *u, const char *word, const char *what) {
        _cleanup_buffer_ Buffer b = {0};

        buffer_append_string(&b, u->command);
        buffer_append_literal(&b, ": ");
        if (u->place) {
                buffer_append_string(&b, u->place);
                buffer_append_literal(&b, ": ");
        }
        if (word) {
                escape_append_terminal(&b, word, strlen(word));
                buffer_append_literal(&b, ": ");
        }
        buffer_append_string(&b, what);
        if (!u->place) {
                buffer_append_literal(&b, "\nusage: ");
                buffer_append_string(&b, u->line);
        }
        buffer_append_char(&b, '\n');
        /* At once: it may share the terminal or the file with others. */
        (void)fwrite(b.bytes, 1, b.n_bytes, stderr);
        (void)fflush(stderr);
        return -EINVAL;
}

int usage_mistake(const Usage *u, const char *option, const char *value, const char *what) {
        _cleanup_buffer_ Buffer word = {0};

        if (!option)
                return say(u, value, what);
        if (!u->place)
                buffer_append_literal(&word, "--");
        buffer_append_string(&word, option);
        if (value) {
                buffer_append_char(&word, '=');
                buffer_append_string(&word, value);
        }
        return say(u, buffer_terminate(&word), what);
}

static const char *name_of(const struct option *options, int val) {
        for (; options->name; options++)
                if (options->val == val)
                        return options->name;
        return NULL;
}

/* "--ex" of --exclude and --exe. */
static int say_unknown_long(const Usage *u, const char *word, const struct option *options) {
        _cleanup_buffer_ Buffer what = {0};
        size_t n = strcspn(word + 2, "="), n_found = 0;

        buffer_append_literal(&what, "ambiguous option; it could be");
        for (; n > 0 && options->name; options++) {
                if (strncmp(options->name, word + 2, n) != 0)
                        continue;
                buffer_append_string(&what, n_found++ > 0 ? " or --" : " --");
                buffer_append_string(&what, options->name);
        }
        return say(u, word, n_found > 1 ? buffer_terminate(&what) : "unknown option; see --help");
}

int usage_getopt_mistake(const Usage *u, int answer, char *const *argv,
                         const struct option *options) {
        const char *word = argv[optind > 0 ? optind - 1 : 0];
        const char *name = optopt ? name_of(options, optopt) : NULL;
        char short_word[] = {'-', (char)optopt, '\0'};
        bool is_long = strncmp(word, "--", 2) == 0;

        if (answer == ':')
                return name ? usage_mistake(u, name, NULL, "needs a value; see --help")
                            : say(u, short_word, "needs a value; see --help");
        if (optopt == 0)
                return say_unknown_long(u, word, options);
        /* A known one that takes no value was given one. */
        if (name && (optopt > 255 || is_long))
                return say(u, word, "takes no value");
        return say(u, short_word, "unknown option; see --help");
}
