/* SPDX-License-Identifier: MIT */

/* Names of programs. */

#include "identify/process_view.h"

#include <string.h>

static bool is_one_of(const char *name, const char *const *names) {
        for (; *names; names++)
                if (strcmp(name, *names) == 0)
                        return true;
        return false;
}

const char *process_view_program(const ProcessView *v) {
        static const char *const many[] = {"busybox", "toybox", NULL};
        const char *base;

        if (!v->facts)
                return NULL;
        if (!v->facts->executable)
                return v->facts->name;
        base = basename(v->facts->executable);
        return is_one_of(base, many) && v->facts->name ? v->facts->name : base;
}

bool process_view_runs_one_of(const ProcessView *v, const char *const *programs) {
        const char *program = process_view_program(v);

        return program && is_one_of(program, programs);
}
