/* SPDX-License-Identifier: MIT */

/*
 * The command line of systemd-tmpfiles.
 *
 * getopt_long(3) itself is not used: it keeps its state in globals and reads the environment.
 */

#include "explain/tmpfiles_command.h"

#include <string.h>

typedef enum Option {
        OPTION_NONE,
        OPTION_UNKNOWN,
        OPTION_OTHER, /* changes nothing of what is removed */
        OPTION_USER,
        OPTION_CREATE,
        OPTION_CLEAN,
        OPTION_REMOVE,
        OPTION_PURGE,
        OPTION_BOOT,
        OPTION_GRACEFUL,
        OPTION_DRY_RUN,
        OPTION_PREFIX,
        OPTION_EXCLUDE_PREFIX,
        OPTION_ROOT,
        OPTION_IMAGE,
        OPTION_IMAGE_POLICY,
        OPTION_REPLACE,
        OPTION_VIRTUAL, /* -E */
} Option;

static const struct {
        const char *name;
        Option option;
        bool takes_value;
} options[] = {
        {"help", OPTION_OTHER, false},
        {"user", OPTION_USER, false},
        {"version", OPTION_OTHER, false},
        {"cat-config", OPTION_OTHER, false},
        {"tldr", OPTION_OTHER, false},
        {"create", OPTION_CREATE, false},
        {"clean", OPTION_CLEAN, false},
        {"remove", OPTION_REMOVE, false},
        {"purge", OPTION_PURGE, false},
        {"boot", OPTION_BOOT, false},
        {"graceful", OPTION_GRACEFUL, false},
        {"prefix", OPTION_PREFIX, true},
        {"exclude-prefix", OPTION_EXCLUDE_PREFIX, true},
        {"root", OPTION_ROOT, true},
        {"image", OPTION_IMAGE, true},
        {"image-policy", OPTION_IMAGE_POLICY, true},
        {"replace", OPTION_REPLACE, true},
        {"dry-run", OPTION_DRY_RUN, false},
        {"no-pager", OPTION_OTHER, false},
};

#define N(x) (sizeof(x) / sizeof((x)[0]))

/* An option's place in the table by its name, whole or the start of only one; N() for none. */
static size_t find_option(const char *name, size_t n) {
        size_t found = N(options);

        for (size_t i = 0; i < N(options); i++) {
                if (strncmp(options[i].name, name, n) != 0)
                        continue;
                if (options[i].name[n] == '\0')
                        return i;
                if (found < N(options))
                        return N(options);
                found = i;
        }
        return found;
}

static bool add_word(const char **words, size_t n_max, const char *word) {
        size_t n = 0;

        while (words[n])
                n++;
        if (n >= n_max)
                return false;
        words[n] = word;
        return true;
}

static void exclude_virtual(TmpfilesCommand *c) {
        static const char *const places[] = {"/dev", "/proc", "/run", "/sys"};

        for (size_t i = 0; i < N(places); i++)
                if (!add_word(c->exclude_prefixes, N(c->exclude_prefixes) - 1, places[i]))
                        c->is_known = false;
}

static void take_option(TmpfilesCommand *c, Option option, const char *value) {
        switch (option) {
        case OPTION_USER:
                c->is_user = true;
                break;
        case OPTION_CREATE:
                c->operations |= TMPFILES_CREATE;
                break;
        case OPTION_CLEAN:
                c->operations |= TMPFILES_CLEAN;
                break;
        case OPTION_REMOVE:
                c->operations |= TMPFILES_REMOVE;
                break;
        case OPTION_PURGE:
                c->operations |= TMPFILES_PURGE;
                break;
        case OPTION_BOOT:
                c->is_boot = true;
                break;
        case OPTION_GRACEFUL:
                c->is_graceful = true;
                break;
        case OPTION_DRY_RUN:
                c->is_dry_run = true;
                break;
        case OPTION_PREFIX:
                if (!add_word(c->prefixes, TMPFILES_COMMAND_WORDS_MAX, value))
                        c->is_known = false;
                break;
        case OPTION_EXCLUDE_PREFIX:
                if (!add_word(c->exclude_prefixes, TMPFILES_COMMAND_WORDS_MAX, value))
                        c->is_known = false;
                break;
        case OPTION_ROOT:
                c->root = value;
                break;
        case OPTION_IMAGE:
                c->image = value;
                exclude_virtual(c);
                break;
        case OPTION_REPLACE:
                c->replace = value;
                break;
        case OPTION_VIRTUAL:
                exclude_virtual(c);
                break;
        case OPTION_UNKNOWN:
                c->is_known = false;
                break;
        case OPTION_NONE:
        case OPTION_OTHER:
        case OPTION_IMAGE_POLICY:
                break;
        }
}

/* "--name", "--name=value" or "--name value". Return: how many arguments that were. */
static size_t take_long(TmpfilesCommand *c, const char *const *args) {
        const char *name = args[0] + 2;
        size_t n = strcspn(name, "="), i = find_option(name, n);

        if (i == N(options) || (name[n] == '=' && !options[i].takes_value)) {
                c->is_known = false;
                return 1;
        }
        if (!options[i].takes_value || name[n] == '=') {
                take_option(c, options[i].option, name[n] == '=' ? name + n + 1 : NULL);
                return 1;
        }
        if (!args[1]) {
                c->is_known = false;
                return 1;
        }
        take_option(c, options[i].option, args[1]);
        return 2;
}

static void take_short(TmpfilesCommand *c, const char *letters) {
        for (; *letters != '\0'; letters++)
                take_option(c,
                            *letters == 'E'   ? OPTION_VIRTUAL
                            : *letters == 'h' ? OPTION_OTHER
                                              : OPTION_UNKNOWN,
                            NULL);
}

void tmpfiles_command_parse(const char *const *args, TmpfilesCommand *ret_command) {
        bool is_over = false;

        *ret_command = (TmpfilesCommand){.is_known = args && args[0]};
        if (!ret_command->is_known)
                return;
        for (args++; *args;) {
                const char *s = *args;

                if (!is_over && strcmp(s, "--") == 0) {
                        is_over = true;
                        args++;
                } else if (!is_over && s[0] == '-' && s[1] == '-') {
                        args += take_long(ret_command, args);
                } else if (!is_over && s[0] == '-' && s[1] != '\0') {
                        take_short(ret_command, s + 1);
                        args++;
                } else {
                        if (!add_word(ret_command->files, TMPFILES_COMMAND_WORDS_MAX, s))
                                ret_command->is_known = false;
                        args++;
                }
        }
}

TmpfilesRequest tmpfiles_command_request(const TmpfilesCommand *command, unsigned version) {
        return (TmpfilesRequest){
                .operations = command->operations,
                .is_boot = command->is_boot,
                .prefixes = command->prefixes,
                .exclude_prefixes = command->exclude_prefixes,
                .root = command->root,
                .version = version,
        };
}
