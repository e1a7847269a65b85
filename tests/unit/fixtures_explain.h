/* SPDX-License-Identifier: MIT */
#pragma once

/* Deleters with ancestors of which more is known than their names, and a tree of files of our own.
 */

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "identify/deleter.h"
#include "unit.h"

typedef struct Ancestor {
        const char *name, *executable, *cgroup, *title;
        const char *args; /* blanks between them; '^' is a blank in one */
        uid_t uid;
        int tty;
        uint32_t login_uid; /* 0: unset */
        bool is_in_pid_namespace;
} Ancestor;

static inline ProcessFacts *facts_of(const Ancestor *a) {
        ProcessFactsParts p = {
                .facts = {.has_ids = true,
                          .ids = {a->uid, a->uid, a->uid, a->uid},
                          .has_login_uid = true,
                          .login_uid = a->login_uid ? a->login_uid : PROCESS_ID_UNSET,
                          .tty = a->tty,
                          .is_in_pid_namespace = a->is_in_pid_namespace}};
        char args[1024] = "";
        ProcessFacts *f;

        strncpy(p.facts.comm, a->name, sizeof(p.facts.comm) - 1);
        if (a->args) {
                p.n_args_bytes = strlen(a->args) + 1;
                memcpy(args, a->args, p.n_args_bytes);
                for (size_t i = 0; i < p.n_args_bytes; i++)
                        args[i] = args[i] == ' ' ? '\0' : args[i] == '^' ? ' ' : args[i];
                p.args = args;
        }
        p.executable = a->executable;
        p.n_executable = a->executable ? strlen(a->executable) : 0;
        p.cgroup = a->cgroup;
        p.n_cgroup = a->cgroup ? strlen(a->cgroup) : 0;
        f = process_facts_new(&p);
        ck_assert_ptr_nonnull(f);
        return f;
}

/* The deleter first, the last is pid 1; ended by one without a name. */
static inline Deleter *deleter_of(uint64_t id, const Ancestor *chain) {
        static ProcessAnswer answer; /* large */
        Deleter *d;

        memset(&answer, 0, sizeof(answer));
        answer.process = (ProcessView){.pid = 1000, .serial = id, .facts = facts_of(&chain[0])};
        for (size_t i = 1; chain[i].name; i++)
                answer.ancestors[answer.n_ancestors++] = (ProcessView){
                        .pid = chain[i + 1].name ? (pid_t)(1000 - i) : 1,
                        .serial = 1000 - i,
                        .facts = facts_of(&chain[i]),
                };
        d = deleter_new(id, ATTRIBUTION_LIVE, true, &answer);
        ck_assert_ptr_nonnull(d);
        return d;
}

static char tree[] = "/tmp/whodunlink-explain-XXXXXX";
static int tree_fd = -1;

static inline void tree_setup(void) {
        strcpy(tree + sizeof(tree) - 7, "XXXXXX");
        ck_assert_ptr_nonnull(mkdtemp(tree));
        tree_fd = open(tree, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        ck_assert_int_ge(tree_fd, 0);
}

static inline int tree_remove(const char *path, const struct stat *st, int type, struct FTW *f) {
        (void)st, (void)type, (void)f;
        return remove(path);
}

static inline void tree_teardown(void) {
        close(tree_fd);
        nftw(tree, tree_remove, 8, FTW_DEPTH | FTW_PHYS);
}

/* With its directories. */
static inline void tree_write(const char *path, const char *text) {
        char full[512];
        FILE *f;

        snprintf(full, sizeof(full), "%s%s", tree, path);
        for (char *slash = strchr(full + strlen(tree) + 1, '/'); slash;
             slash = strchr(slash + 1, '/')) {
                *slash = '\0';
                (void)mkdir(full, 0755);
                *slash = '/';
        }
        f = fopen(full, "we");
        ck_assert_ptr_nonnull(f);
        ck_assert_int_ge(fputs(text, f), 0);
        ck_assert_int_eq(fclose(f), 0);
}
