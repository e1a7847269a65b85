/* SPDX-License-Identifier: MIT */

/*
 * The verb `doctor`: reads its options, looks at one thing after the other, prints.
 *
 * What only a running watch knows (how full its tables are, what was lost) is not here.
 */

#include "command/doctor.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "command/doctor_machine.h"
#include "command/doctor_mounts.h"
#include "command/doctor_report.h"
#include "command/usage.h"

static const Usage usage = {.command = "whodunlink doctor",
                            .line = "whodunlink doctor [OPTION…] [PATH…]"};

static const char help[] =
        "usage: whodunlink doctor [OPTION…] [PATH…]\n"
        "Say what a watch of PATH would see here, what it would not, and what to do about it;\n"
        "without a PATH, of every local filesystem. Everything is tried, nothing is changed.\n"
        "\n"
        "  --json      one JSON object\n"
        "  -h, --help\n"
        "\n"
        "Each line begins with ok, note (nothing wrong), missing (a watch tells less) or cannot\n"
        "(something is not watched). The exit status is 0 if nothing is missing and nothing\n"
        "cannot be done, else 1.\n";

static const struct option options[] = {
        {"help", no_argument, NULL, 'h'},
        {"json", no_argument, NULL, 256},
        {0},
};

typedef struct DoctorOptions {
        bool is_json;
        char **paths;
        size_t n_paths;
} DoctorOptions;

/* Return: 1 go on, 0 all is said and done, -EINVAL a mistake, said. */
static int parse(int argc, char **argv, DoctorOptions *ret) {
        int c;

        *ret = (DoctorOptions){0};
        optind = 0; /* glibc: begin anew */
        opterr = 0;
        while ((c = getopt_long(argc, argv, ":h", options, NULL)) >= 0) {
                if (c == 'h') {
                        (void)fputs(help, stdout);
                        return 0;
                }
                if (c == '?' || c == ':')
                        return usage_getopt_mistake(&usage, c, argv, options);
                ret->is_json = true;
        }
        ret->paths = argv + optind;
        ret->n_paths = (size_t)(argc - optind);
        for (size_t i = 0; i < ret->n_paths; i++)
                if (ret->paths[i][0] == '\0')
                        return usage_mistake(&usage, NULL, "''", "an empty PATH");
        return 1;
}

static int look(const DoctorOptions *o, DoctorReport *r) {
        _cleanup_close_ int proc_fd = -1, root_fd = -1;
        ProcSource source;
        DoctorPlace place = {.source = &source, .paths = o->paths, .n_paths = o->n_paths};
        size_t n_filesystems = 0;
        int error;

        proc_fd = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        root_fd = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (proc_fd < 0 || root_fd < 0)
                return -errno;
        proc_source_init(&source, proc_fd, root_fd);
        place.may_try = doctor_machine_capabilities(r);
        doctor_machine_kernel(r, place.may_try);
        doctor_machine_processes(r, &source);
        error = doctor_mounts_look(r, &place, &n_filesystems);
        if (error >= 0)
                error = doctor_mounts_look_elsewhere(r, &place);
        if (error < 0)
                return error;
        doctor_machine_limits(r, proc_fd, n_filesystems);
        doctor_machine_journal(r, root_fd);
        return r->is_failed ? -ENOMEM : 0;
}

static int print(const DoctorOptions *o, const DoctorReport *r) {
        const char *no_color = getenv("NO_COLOR");
        _cleanup_buffer_ Buffer b = {0};

        if (o->is_json)
                doctor_report_append_json(r, &b);
        else
                doctor_report_append_text(
                        r, isatty(STDOUT_FILENO) && (!no_color || no_color[0] == '\0'), &b);
        if (b.is_failed)
                return -ENOMEM;
        if (fwrite(b.bytes, 1, b.n_bytes, stdout) < b.n_bytes || fflush(stdout) != 0)
                return -errno;
        return 0;
}

int doctor_main(int argc, char **argv) {
        _cleanup_doctor_report_ DoctorReport report = {0};
        DoctorOptions o;
        int r;

        r = parse(argc, argv, &o);
        if (r <= 0)
                return r < 0 ? 2 : EXIT_SUCCESS;
        r = look(&o, &report);
        if (r >= 0)
                r = print(&o, &report);
        if (r < 0) {
                fprintf(stderr, "whodunlink doctor: %s\n", strerror(-r));
                return EXIT_FAILURE;
        }
        return doctor_report_is_well(&report) ? EXIT_SUCCESS : EXIT_FAILURE;
}
