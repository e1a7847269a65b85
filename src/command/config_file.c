/* SPDX-License-Identifier: MIT */

/* Options from a file: what getopt_long(3) does with words, done with lines. */

#include "command/config_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/buffer.h"
#include "base/cleanup.h"
#include "base/escape.h"

static const char blanks[] = " \t\r\v\f";

static char *trim(char *text) {
        size_t n;

        text += strspn(text, blanks);
        for (n = strlen(text); n > 0 && strchr(blanks, text[n - 1]); n--)
                text[n - 1] = '\0';
        return text;
}

int config_file_next(char *text, size_t n_bytes, size_t *at, unsigned *n_lines,
                     ConfigLine *ret_line) {
        while (*at < n_bytes) {
                char *line = text + *at, *newline = memchr(line, '\n', n_bytes - *at), *equals;
                const size_t n_line = newline ? (size_t)(newline - line) : n_bytes - *at;

                *at += n_line + (newline != NULL);
                ++*n_lines;
                if (memchr(line, '\0', n_line)) {
                        ret_line->number = *n_lines;
                        return -EBADMSG;
                }
                line[n_line] = '\0';
                line = trim(line);
                if (line[0] == '\0' || line[0] == '#')
                        continue;
                equals = strchr(line, '=');
                if (equals)
                        *equals = '\0';
                *ret_line = (ConfigLine){.key = trim(line),
                                         .value = equals ? trim(equals + 1) : NULL,
                                         .number = *n_lines};
                return ret_line->key[0] != '\0' ? 1 : -EBADMSG;
        }
        return 0;
}

static int say_unreadable(const Usage *u, const char *path, const char *why) {
        _cleanup_buffer_ Buffer b = {0};

        escape_append_terminal(&b, path, strlen(path));
        fprintf(stderr, "%s: cannot read %s: %s\n", u->command, buffer_terminate(&b), why);
        return -EINVAL;
}

static int read_file(const Usage *u, const char *path, Buffer *b) {
        _cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
        ssize_t n;

        if (fd < 0)
                return say_unreadable(u, path, strerror(errno));
        do {
                if (buffer_reserve(b, 4096) < 0)
                        return -ENOMEM;
                n = read(fd, b->bytes + b->n_bytes, 4096);
                b->n_bytes += n > 0 ? (size_t)n : 0;
        } while ((n > 0 || (n < 0 && errno == EINTR)) && b->n_bytes <= CONFIG_FILE_BYTES_MAX);
        if (n < 0)
                return say_unreadable(u, path, strerror(errno));
        if (b->n_bytes > CONFIG_FILE_BYTES_MAX)
                return say_unreadable(u, path, "it is larger than 1 MiB");
        (void)buffer_terminate(b);
        return b->is_failed ? -ENOMEM : 0;
}

static const struct option *find(const struct option *options, const char *name) {
        while (options->name && strcmp(options->name, name) != 0)
                options++;
        return options->name ? options : NULL;
}

/* @o: NULL there is none of this name */
static int apply_line(const Usage *u, const ConfigLine *line, const struct option *o,
                      ConfigApplyFunction apply, void *userdata) {
        if (!o)
                return usage_mistake(u, line->key, NULL,
                                     strncmp(line->key, "--", 2) == 0
                                             ? "write it without the dashes"
                                             : "no such option; see --help");
        if (line->value && o->has_arg == no_argument)
                return usage_mistake(u, line->key, line->value, "takes no value");
        if (!line->value && o->has_arg == required_argument)
                return usage_mistake(u, line->key, NULL, "needs a value; see --help");
        return apply(userdata, u, o->val, line->value);
}

int config_file_apply(const Usage *u, const char *path, const struct option *options,
                      const struct option *more, ConfigApplyFunction apply, void *userdata) {
        _cleanup_buffer_ Buffer text = {0}, place = {0};
        unsigned n_lines = 0;
        ConfigLine line;
        size_t at = 0;
        int r;

        r = read_file(u, path, &text);
        if (r < 0)
                return r;
        while ((r = config_file_next(text.bytes, text.n_bytes, &at, &n_lines, &line)) != 0) {
                const struct option *o = NULL;
                Usage here = *u;

                buffer_clear(&place);
                escape_append_terminal(&place, path, strlen(path));
                buffer_append_format(&place, ":%u", line.number);
                here.place = buffer_terminate(&place);
                if (place.is_failed)
                        return -ENOMEM;
                if (r > 0)
                        o = find(options, line.key);
                if (r > 0 && !o)
                        o = find(more, line.key);
                r = r < 0 ? usage_mistake(&here, NULL, NULL, "not a line of text with an option")
                          : apply_line(&here, &line, o, apply, userdata);
                if (r < 0)
                        return r;
        }
        return 0;
}
