/* SPDX-License-Identifier: MIT */

/*
 * Who leads a deleter's session, and by whom the work entered.
 *
 * What is looked at are the boundaries between a process and its parent.  The parents are those of
 * the fork, so a process that outlived the ssh session it was started in still came over ssh.
 */

#include "identify/leaders.h"

#include <string.h>

#include "identify/cgroup.h"
#include "identify/container.h"
#include "identify/process_view.h"

/* Majors of Unix98 pseudo-terminals, and of BSD's. */
#define PTS_MAJOR_FIRST 136
#define PTS_MAJOR_LAST 143
#define BSD_PTY_MAJOR 3

#define KTHREADD_PID 2

const char *entry_type_to_string(EntryType t) {
        static const char *const names[] = {
                [ENTRY_NONE] = NULL,
                [ENTRY_INIT] = "init",
                [ENTRY_SSHD] = "sshd",
                [ENTRY_CRON] = "cron",
                [ENTRY_CONTAINER] = "container",
                [ENTRY_TERMINAL] = "terminal",
                [ENTRY_CONSOLE] = "console",
        };

        return names[t];
}

/* The deleter is 0, its parent 1. NULL behind the last. */
static const ProcessView *process_at(const Deleter *d, size_t i) {
        if (i > d->n_ancestors)
                return NULL;
        return i == 0 ? &d->process : &d->ancestors[i - 1];
}

/* The last two since OpenSSH 9.8 and 10.0. */
static const char *const sshd_programs[] = {"sshd", "sshd-session", "sshd-auth", NULL};

/* It or what it forked to guard a session may serve many: who came is the first that is neither. */
static bool is_below_sshd(const ProcessView *child, const ProcessView *parent) {
        return process_view_runs_one_of(parent, sshd_programs) && process_view_program(child) &&
               !process_view_runs_one_of(child, sshd_programs);
}

static bool is_same_container(const ContainerRef *a, const ContainerRef *b) {
        return a->id && b->id && a->n_id == b->n_id && memcmp(a->id, b->id, a->n_id) == 0;
}

/* Does the child live in a container that the parent does not live in? */
static bool enters_container(const ProcessView *child, const ProcessView *parent) {
        ContainerRef inner, outer;

        if (!child->facts || !parent->facts)
                return false;
        if (child->facts->is_in_pid_namespace && !parent->facts->is_in_pid_namespace)
                return true;
        if (!child->facts->cgroup || !parent->facts->cgroup)
                return false;
        container_parse(child->facts->cgroup, strlen(child->facts->cgroup), &inner);
        container_parse(parent->facts->cgroup, strlen(parent->facts->cgroup), &outer);
        return inner.id && !is_same_container(&inner, &outer);
}

static EntryType gateway_between(const ProcessView *child, const ProcessView *parent) {
        static const char *const cron_programs[] = {"cron", "crond", "anacron",
                                                    "atd",  "fcron", NULL};
        static const char *const login_programs[] = {"login", "agetty", "getty", NULL};

        if (process_view_runs_one_of(parent, cron_programs))
                return ENTRY_CRON;
        if (is_below_sshd(child, parent))
                return ENTRY_SSHD;
        if (process_view_runs_one_of(parent, login_programs))
                return ENTRY_CONSOLE;
        return enters_container(child, parent) ? ENTRY_CONTAINER : ENTRY_NONE;
}

/* The one nearest to the deleter: what cron starts in a container was started by cron. */
static bool find_gateway(const Deleter *d, Leaders *l) {
        for (size_t i = 0; process_at(d, i + 1); i++) {
                l->entry_type = gateway_between(process_at(d, i), process_at(d, i + 1));
                if (l->entry_type != ENTRY_NONE) {
                        l->entry = process_at(d, i);
                        return true;
                }
        }
        return false;
}

static bool is_pseudo_terminal(int tty) {
        unsigned major = (unsigned)tty >> 8 & 0xfff;

        return (major >= PTS_MAJOR_FIRST && major <= PTS_MAJOR_LAST) || major == BSD_PTY_MAJOR;
}

/* The furthest: sudo, script and the like give a terminal in a terminal. */
static bool find_terminal(const Deleter *d, Leaders *l) {
        for (size_t i = d->n_ancestors; i > 0; i--) {
                const ProcessView *child = process_at(d, i - 1), *parent = process_at(d, i);

                if (!child->facts || !parent->facts || child->facts->tty == 0 ||
                    child->facts->tty == parent->facts->tty)
                        continue;
                l->entry = child;
                l->entry_type =
                        is_pseudo_terminal(child->facts->tty) ? ENTRY_TERMINAL : ENTRY_CONSOLE;
                return true;
        }
        return false;
}

/* systemd --user, which starts a user's units as pid 1 does the system's. */
static bool is_user_manager(const ProcessView *v) {
        static const char *const programs[] = {"systemd", NULL};
        static const char scope[] = "init.scope";
        CgroupUnits u;

        if (!process_view_runs_one_of(v, programs) || !v->facts->cgroup)
                return false;
        cgroup_units_parse(v->facts->cgroup, strlen(v->facts->cgroup), &u);
        return u.user_unit && u.n_user_unit == strlen(scope) &&
               memcmp(u.user_unit, scope, strlen(scope)) == 0;
}

static void find_child_of_init(const Deleter *d, Leaders *l) {
        size_t i = d->n_ancestors;

        if (i == 0 || process_at(d, i)->pid != 1)
                return;
        i--;
        if (i > 0 && is_user_manager(process_at(d, i)))
                i--;
        l->entry = process_at(d, i);
        l->entry_type = ENTRY_INIT;
}

static bool is_of_kernel(const Deleter *d) {
        const ProcessView *top = process_at(d, d->n_ancestors);

        /* In the pid namespace of a container this may be anyone's number. */
        return top->pid == KTHREADD_PID && !(top->facts && top->facts->executable);
}

/*
 * A session's number is its leader's pid, which no other process gets while the session lasts.  A
 * fork stays in it, and setsid() is told of.
 */
static const ProcessView *find_session(const Deleter *d) {
        const ProcessFacts *f = d->process.facts;

        if (!f || f->session <= 0)
                return NULL;
        for (size_t i = 0; process_at(d, i); i++)
                if (process_at(d, i)->pid == f->session)
                        return process_at(d, i);
        return NULL;
}

void leaders_find(const Deleter *d, Leaders *ret_leaders) {
        Leaders l = {0};

        if (!is_of_kernel(d)) {
                l.session = find_session(d);
                if (!find_gateway(d, &l) && !find_terminal(d, &l))
                        find_child_of_init(d, &l);
        }
        *ret_leaders = l;
}
