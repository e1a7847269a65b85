/* SPDX-License-Identifier: MIT */

/* The table of verbs: one file each. */

#include "command/verbs.h"

#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "command/doctor.h"
#include "command/watch.h"
#include "command/why.h"

typedef struct Verb {
        const char *name;
        int (*run)(int argc, char **argv);
        const char *summary;
} Verb;

static const Verb verbs[] = {
        {"watch", watch_main, "say who deletes files, as it happens"},
        {"why", why_main, "say what will delete a file, and when; or what deleted it"},
        {"doctor", doctor_main, "say what can be watched on this machine, and what is missing"},
};

#define N_VERBS (sizeof(verbs) / sizeof(verbs[0]))

static const char usage[] = "usage: whodunlink VERB [OPTION…] [PATH…]\n";

static int help(void) {
        printf("whodunlink - who deleted my file?\n\n%s\n", usage);
        for (size_t i = 0; i < N_VERBS; i++)
                printf("  %-8s %s\n", verbs[i].name, verbs[i].summary);
        printf("\n"
               "  whodunlink PATH     short for whodunlink watch PATH (with a slash in it)\n"
               "  whodunlink VERB -h  the options of a verb\n"
               "  --version           version and what it was built with\n\n"
               "example: sudo whodunlink /tmp\n");
        return EXIT_SUCCESS;
}

static int version(void) {
        printf("whodunlink " PROJECT_VERSION "\n"
               "json-c %s, libsystemd (sd-event), fanotify, process connector\n",
               json_c_version());
        return EXIT_SUCCESS;
}

int verbs_main(int argc, char **argv) {
        const char *first = argc > 1 ? argv[1] : NULL;

        if (!first) {
                fprintf(stderr,
                        "whodunlink: say what to watch, for example: sudo whodunlink /tmp\n%s",
                        usage);
                return 2;
        }
        for (size_t i = 0; i < N_VERBS; i++)
                if (strcmp(first, verbs[i].name) == 0)
                        return verbs[i].run(argc - 1, argv + 1);
        if (strcmp(first, "-h") == 0 || strcmp(first, "--help") == 0 || strcmp(first, "help") == 0)
                return help();
        if (strcmp(first, "--version") == 0)
                return version();
        /* The program's own name stands where the verb would; options may stand before the PATH. */
        for (int i = 1; i < argc && (i == 1 || first[0] == '-'); i++)
                if (strchr(argv[i], '/'))
                        return watch_main(argc, argv);
        fprintf(stderr,
                first[0] == '-' ? "whodunlink: %s: options come behind a verb, as in whodunlink "
                                  "watch %s\n%s"
                                : "whodunlink: %s: no such verb; for a path write ./%s\n%s",
                first, first, usage);
        return 2;
}
