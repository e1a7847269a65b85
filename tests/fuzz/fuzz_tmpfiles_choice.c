/* SPDX-License-Identifier: MIT */

/*
 * Choices among hostile lines: the first line of the input is the path, the second a command
 * line, the rest the configuration.  The tree below is made up from the path's hash.
 */

#include <errno.h>
#include <sys/stat.h>

#include "base/hash_table.h"
#include "explain/tmpfiles_choice.h"
#include "explain/tmpfiles_command.h"
#include "fuzz.h"

#define NOW UINT64_C(1800000000000000000)

static int specifier(void *userdata, char letter, const char **ret_text) {
        (void)userdata;
        *ret_text = letter == 't' ? "/run" : "x";
        return 0;
}

static int facts(void *userdata, const char *path, TmpfilesFacts *ret) {
        static const mode_t modes[] = {S_IFDIR | 0755,  S_IFDIR | 01777, S_IFREG | 0644,
                                       S_IFREG | 01644, S_IFLNK | 0777,  S_IFSOCK | 0755,
                                       S_IFCHR | 0644,  S_IFDIR | 0755};
        uint64_t h = hash_bytes(path, strlen(path));

        (void)userdata;
        fuzz_check(path[0] == '/');
        if ((h & 15) == 0)
                return 0;
        if ((h & 15) == 1)
                return -EACCES;
        *ret = (TmpfilesFacts){
                .mode = modes[h >> 4 & 7],
                .uid = (uid_t)(h >> 7 & 1),
                .atime_nsec = NOW - (h >> 8 & 0xff) * UINT64_C(10000000000000),
                .btime_nsec = h >> 16 & 1 ? 0 : NOW,
                .ctime_nsec = h >> 17 & 1 ? UINT64_MAX : 1,
                .mtime_nsec = NOW - (h >> 18 & 0xff) * UINT64_C(10000000000000),
                .is_mount_point = (h >> 26 & 15) == 0,
                .is_locked = (h >> 30 & 15) == 0,
                .is_live_socket = h >> 34 & 1,
        };
        return 1;
}

static int entries(void *userdata, const char *path, int (*f)(void *f_userdata, const char *name),
                   void *f_userdata) {
        static const char *const names[] = {"a", "b c", ".d"};
        size_t n = hash_bytes(path, strlen(path)) % 4;

        (void)userdata;
        if (strlen(path) > 64)
                return -ENOENT;
        for (size_t i = 0; i < n; i++) {
                int r = f(f_userdata, names[i % 3]);

                if (r != 0)
                        return r;
        }
        return 0;
}

static int resolve(void *userdata, const char *path, char **ret_path) {
        uint64_t h = hash_bytes(path, strlen(path));

        (void)userdata;
        if ((h & 7) == 0)
                return -ENOENT;
        *ret_path = strdup((h & 7) == 1 ? "/" : (h & 7) == 2 ? "/a*b/[c" : path);
        fuzz_check(*ret_path != NULL);
        return 0;
}

static int count(void *userdata, const TmpfilesRule *rule, TmpfilesPart part) {
        unsigned *n = userdata;

        fuzz_check(rule && !rule->fault && part <= TMPFILES_PART_DOUBLE);
        ++*n;
        return 0;
}

static void check_choice(const TmpfilesRules *rules, const char *path, const TmpfilesTree *tree) {
        TmpfilesChoice c;
        unsigned n = 0;

        fuzz_check(tmpfiles_choose(rules, path, NOW, tree, &c) == 0);
        fuzz_check(tmpfiles_rules_each(rules, path, tree, count, &n) == 0);
        switch (c.verdict) {
        case TMPFILES_GOES:
                fuzz_check(c.rule && c.due_nsec != TMPFILES_NEVER);
                break;
        case TMPFILES_WAITS:
                fuzz_check(c.rule && tree && c.due_nsec > NOW);
                break;
        case TMPFILES_STAYS:
                fuzz_check(c.rule && c.reason != TMPFILES_REASON_NONE);
                break;
        case TMPFILES_UNCOVERED:
                fuzz_check(c.reason == TMPFILES_REASON_NONE && !c.at);
                break;
        }
        fuzz_check((c.reason == TMPFILES_REASON_LINE) == !!c.protector);
        fuzz_check(c.verdict == TMPFILES_UNCOVERED || n > 0 || !tree ||
                   c.reason == TMPFILES_REASON_REPLACE);
        tmpfiles_choice_done(&c);
}

/* The next line of the input, as a string. */
static char *take_line(const char **at, size_t *n) {
        const char *end = *n > 0 ? memchr(*at, '\n', *n) : NULL;
        size_t n_line = end ? (size_t)(end - *at) : *n;
        char *line = fuzz_string((const uint8_t *)*at, n_line);

        n_line += end != NULL;
        *at += n_line;
        *n -= n_line;
        return line;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n_bytes) {
        const TmpfilesWorld world = {.specifier = specifier, .is_graceful = true};
        const TmpfilesTree tree = {.facts = facts, .entries = entries, .resolve = resolve};
        const char *at = (const char *)bytes, *args[16] = {"systemd-tmpfiles"};
        _cleanup_free_ char *line = take_line(&at, &n_bytes), *words = take_line(&at, &n_bytes);
        _cleanup_free_ char *path = NULL;
        TmpfilesConfig config = {0};
        TmpfilesCommand command;
        TmpfilesRequest request;
        TmpfilesRules *rules;
        size_t n_args = 1;
        char *save;

        for (char *w = strtok_r(words, " ", &save); w && n_args < 15;
             w = strtok_r(NULL, " ", &save))
                args[n_args++] = w;
        tmpfiles_command_parse(args, &command);
        request = tmpfiles_command_request(&command, line[0] == '2' ? 252 : 0);

        /* As paths of records are: absolute, no empty components, no slash at the end. */
        path = malloc(strlen(line) + 2);
        fuzz_check(path != NULL);
        path[0] = '/';
        path[1] = '\0';
        for (char *w = strtok_r(line, "/", &save), *to = path; w; w = strtok_r(NULL, "/", &save)) {
                *to++ = '/';
                to = stpcpy(to, w);
        }

        fuzz_check(tmpfiles_config_add_file(&config, "/x.conf", at, n_bytes, &world) == 0);
        fuzz_check(tmpfiles_rules_new(&config, &request, &rules) == 0);
        check_choice(rules, path, NULL);
        tmpfiles_rules_free(rules);
        /* Anew, since where symlinks lead is kept. */
        fuzz_check(tmpfiles_rules_new(&config, &request, &rules) == 0);
        check_choice(rules, path, &tree);
        tmpfiles_rules_free(rules);
        tmpfiles_config_done(&config);
        return 0;
}
