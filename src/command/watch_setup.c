/* SPDX-License-Identifier: MIT */

/* Privileges, paths, processes and the way out: what can be missing, and what a user can do. */

#include "command/watch_setup.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buffer.h"
#include "base/cleanup.h"
#include "base/path.h"
#include "command/capabilities.h"
#include "command/reasons.h"
#include "command/watch_cause.h"
#include "command/watch_hold.h"
#include "command/watch_keep.h"
#include "command/watch_output.h"
#include "command/watch_session_private.h"

static int say_error(const char *what, int error) {
        fprintf(stderr, "whodunlink: cannot %s: %s\n", what, strerror(-error));
        return error;
}

/* What nothing works without is said alone: a user who is not root needs one hint, not five. */
static int refuse_capabilities(uint64_t effective) {
        _cleanup_buffer_ Buffer b = {0};
        size_t n;
        const Capability *all = capabilities_all(&n);

        for (size_t i = 0; i < n; i++) {
                if (!all[i].is_needed || capabilities_have(effective, &all[i]))
                        continue;
                if (b.n_bytes > 0)
                        buffer_append_literal(&b, ", and ");
                buffer_append_format(&b, "%s %s", all[i].name, all[i].purpose);
        }
        if (b.n_bytes == 0)
                return 0;
        fprintf(stderr, "whodunlink: it lacks %s; run it as root: sudo whodunlink …\n",
                buffer_terminate(&b));
        return -EPERM;
}

static int check_capabilities(void) {
        uint64_t effective;
        size_t n;
        const Capability *all = capabilities_all(&n);
        int r;

        r = capabilities_read(&effective);
        if (r < 0)
                return say_error("read its own capabilities", r);
        r = refuse_capabilities(effective);
        if (r < 0)
                return r;
        for (size_t i = 0; i < n; i++)
                if (!capabilities_have(effective, &all[i]) && !all[i].is_tried)
                        fprintf(stderr, "whodunlink: %s is missing, which it needs %s; %s\n",
                                all[i].name, all[i].purpose, all[i].without);
        return 0;
}

static int drop_capabilities(bool is_set_up) {
        int r = capabilities_drop(is_set_up);

        return r < 0 ? say_error("give up capabilities that it does not need", r) : 0;
}

int watch_setup_finish(void) {
        return drop_capabilities(true);
}

static int add_target(WatchSession *s, const char *given) {
        _cleanup_free_ char *path = NULL;
        struct stat st;
        bool exists;
        int r;

        r = path_resolve(given, &path);
        if (r < 0) {
                fprintf(stderr, "whodunlink: cannot watch %s: %s\n", given, strerror(-r));
                return r;
        }
        for (size_t i = 0; i < s->n_targets; i++)
                if (strcmp(s->targets[i].path, path) == 0)
                        return 0;
        exists = lstat(path, &st) >= 0;
        if (!exists && !s->options->is_quiet)
                fprintf(stderr, "%s does not exist yet: waiting for it to come and vanish\n", path);
        s->targets[s->n_targets++] = (ScopeTarget){
                .path = path,
                .n_path = strlen(path),
                .is_directory = exists && S_ISDIR(st.st_mode),
        };
        path = NULL;
        return 0;
}

static int resolve_targets(WatchSession *s) {
        s->targets = calloc(s->options->n_paths + 1, sizeof(*s->targets));
        if (!s->targets)
                return say_error("keep the paths", -ENOMEM);
        if (s->options->is_all)
                return add_target(s, "/");
        for (size_t i = 0; i < s->options->n_paths; i++) {
                int r = add_target(s, s->options->paths[i]);

                if (r < 0)
                        return r;
        }
        return 0;
}

static int open_directory(const char *path, int *ret_fd) {
        int r = 0;

        *ret_fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (*ret_fd < 0) {
                r = -errno;
                fprintf(stderr, "whodunlink: cannot open %s: %s%s\n", path, strerror(-r),
                        strcmp(path, "/proc") == 0 ? "; mount it" : "");
        }
        return r;
}

static void say_gaps(const WitnessGaps *gaps) {
        if (gaps->priority_error < 0)
                fprintf(stderr,
                        "whodunlink: no real-time priority: %s; the arguments of very short "
                        "processes may be missing under load\n",
                        reasons_priority(gaps->priority_error));
        else if (gaps->readers_error < 0)
                fprintf(stderr,
                        "whodunlink: no thread on each CPU: %s; the arguments of very short "
                        "processes may be missing under load\n",
                        strerror(-gaps->readers_error));
        if (gaps->exits_error < 0)
                fprintf(stderr,
                        "whodunlink: no exit records: %s; programs that end before they can be "
                        "read will not be named\n",
                        reasons_exit_records(gaps->exits_error));
}

static int start_identify(WatchSession *s) {
        WitnessGaps gaps;
        WitnessKept kept;
        bool is_kept;
        int r;

        r = open_directory("/proc", &s->proc_fd);
        if (r >= 0)
                r = open_directory("/", &s->root_fd);
        if (r < 0)
                return r;
        proc_source_init(&s->source, s->proc_fd, s->root_fd);
        r = process_table_new(s->options->process_limit, &s->table);
        if (r < 0)
                return say_error("make a table of processes", r);
        r = watch_hold_new(s);
        if (r < 0)
                return r;
        is_kept = watch_keep_processes(s, &kept) > 0;
        r = witness_start(s->table, &s->source, is_kept ? &kept : NULL, &gaps, &s->witness);
        cleanup_close(&kept.events_fd);
        cleanup_close(&kept.exits_fd);
        watch_keep_witness(s);
        if (r >= 0)
                say_gaps(&gaps);
        else
                fprintf(stderr,
                        "whodunlink: no process events: %s; only processes that are still alive "
                        "when their deletion is read will be named\n",
                        reasons_process_events(r));
        r = watch_hold_follow(s);
        if (r < 0)
                return r;
        r = identifier_new(s->table, s->witness, &s->source, &s->identifier);
        return r < 0 ? say_error("make a table of deleters", r) : 0;
}

/* Most likely a slip, which would be waited on for ever. */
static void say_absent_pids(const RecordFilter *f) {
        for (size_t i = 0; i < f->n_pids; i++)
                if (kill(f->pids[i], 0) < 0 && errno == ESRCH)
                        fprintf(stderr,
                                "whodunlink: --pid=%d: there is no such process now; only a later "
                                "one of that number will be shown\n",
                                (int)f->pids[i]);
}

/* "ab" may be a machine's name, but is most likely meant as the beginning of an id. */
static void say_short_ids(const RecordFilter *f) {
        for (size_t i = 0; i < f->n_containers; i++) {
                const char *text = f->containers[i];
                size_t n = strlen(text);

                if (n < RECORD_FILTER_ID_DIGITS_MIN && strspn(text, "0123456789abcdef") == n)
                        fprintf(stderr,
                                "whodunlink: --container=%s: only a container of that very name "
                                "will be shown; of an id, give %d digits or more\n",
                                text, RECORD_FILTER_ID_DIGITS_MIN);
        }
}

/* Has the name service loaded and root known before the first record, which need not wait then. */
static void ask_own_names(WatchSession *s) {
        (void)user_names_user(s->names, geteuid());
        (void)user_names_group(s->names, getegid());
}

int watch_setup(WatchSession *s) {
        int r;

        s->self = getpid();
        r = check_capabilities();
        if (r >= 0)
                r = resolve_targets(s);
        if (r >= 0) {
                say_absent_pids(&s->options->filter);
                say_short_ids(&s->options->filter);
                r = watch_output_open(s);
        }
        if (r >= 0)
                r = watch_keep_new(s);
        /* stdout may be somebody else's pipe, which is open by now; nothing has been read yet. */
        if (r >= 0)
                r = drop_capabilities(false);
        if (r >= 0)
                r = start_identify(s);
        if (r < 0)
                return r;
        ask_own_names(s);
        watch_cause_start(s);
        s->mounts_fd = openat(s->proc_fd, "self/mountinfo", O_RDONLY | O_CLOEXEC);
        if (s->mounts_fd < 0)
                return say_error("open /proc/self/mountinfo", -errno);
        s->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
        return s->epoll_fd < 0 ? say_error("make an epoll descriptor", -errno) : 0;
}

void watch_setup_undo(WatchSession *s) {
        explainer_free(s->explainer);
        identifier_free(s->identifier);
        witness_free(s->witness);
        watch_hold_free(s->hold);
        process_table_free(s->table);
        record_sink_free(s->sink);
        user_names_free(s->names);
        for (size_t i = 0; i < s->n_targets; i++)
                free(s->targets[i].path);
        free(s->targets);
        free(s->refused);
        buffer_done(&s->path);
        cleanup_close(&s->epoll_fd);
        cleanup_close(&s->mounts_fd);
        cleanup_close(&s->root_fd);
        cleanup_close(&s->proc_fd);
}
