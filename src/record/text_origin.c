/* SPDX-License-Identifier: MIT */

/*
 * On whose behalf a process worked, for people.
 *
 * Units stand unescaped, "foo-bar.service" for "foo\x2dbar.service": which of the two it is
 * --output=json tells.  A unit that was made for a container alone (docker-ID.scope) is left out,
 * and so is that a service was started by init: the container's line, the unit and the chain say
 * all of it.
 */

#include "record/text_origin.h"

#include <string.h>

#include "identify/cgroup.h"
#include "identify/container.h"
#include "identify/leaders.h"
#include "identify/unit_name.h"
#include "record/text_style.h"

/* Of ids that are hashes as many digits as docker and podman show; each of them takes these. */
#define CONTAINER_ID_SHOWN 12
#define CONTAINER_ID_HASH 64

static void append_container_name(Buffer *b, const ContainerRef *c) {
        char name[CONTAINER_NAME_BYTES];
        size_t n;

        container_name(c, name);
        n = strlen(name);
        if (n == CONTAINER_ID_HASH && strspn(name, "0123456789abcdef") == n)
                n = CONTAINER_ID_SHOWN;
        text_line_word(b, name, n);
}

/* "in container 4f1ec6e0f9f4 (docker), pid 7 there". Return: was there anything to say? */
static bool append_container(const TextLine *l, const Deleter *d, const ContainerRef *c) {
        const ProcessFacts *f = d->process.facts;
        char pod_uid[CONTAINER_POD_UID_BYTES];

        container_pod_uid(c, pod_uid);
        if (!c->id && pod_uid[0] == '\0' && !f->is_in_pid_namespace)
                return false;
        text_line_begin(l);
        text_line_label(l, "in ");
        if (c->id) {
                text_line_label(l, "container ");
                append_container_name(l->out, c);
                if (c->runtime)
                        buffer_append_format(l->out, " (%s)", c->runtime);
                text_line_label(l, pod_uid[0] != '\0' ? ", pod " : "");
        } else {
                text_line_label(l, pod_uid[0] != '\0' ? "pod " : "a pid namespace of its own");
        }
        buffer_append_string(l->out, pod_uid);
        if (f->vpid > 0 && d->has_directory) {
                text_line_label(l, ", pid ");
                buffer_append_format(l->out, "%d there", (int)f->vpid);
        }
        text_line_end(l);
        return true;
}

static void append_unit(Buffer *b, const char *unit, size_t n_unit) {
        char name[256]; /* units have no longer ones */
        int n = unit_name_unescape(unit, n_unit, name, sizeof(name));

        if (n >= 0)
                text_line_word(b, name, (size_t)n);
        else
                text_line_word(b, unit, n_unit);
}

/* Was a unit made for the container? Both are pieces of one path. */
static bool is_containers(const char *unit, size_t n_unit, const ContainerRef *c) {
        return unit && c->id && c->id > unit && c->id < unit + n_unit;
}

static void append_units(const TextLine *l, const char *cgroup, const ContainerRef *c) {
        CgroupUnits u;

        cgroup_units_parse(cgroup, strlen(cgroup), &u);
        if ((!u.unit && !u.slice) || is_containers(u.unit, u.n_unit, c))
                return;
        text_line_begin(l);
        text_line_label(l, "in ");
        if (u.user_unit && !is_containers(u.user_unit, u.n_user_unit, c)) {
                append_unit(l->out, u.user_unit, u.n_user_unit);
                text_line_label(l, " of ");
        }
        if (u.session) {
                buffer_append_literal(l->out, "session ");
                text_line_word(l->out, u.session, u.n_session);
                text_line_label(l, ", ");
        }
        if (u.unit)
                append_unit(l->out, u.unit, u.n_unit);
        else
                append_unit(l->out, u.slice, u.n_slice);
        text_line_end(l);
}

/* "started over ssh, as bash[812]". @is_contained: a line above says in what it is. */
static void append_entry(const TextLine *l, const Deleter *d, bool is_contained) {
        static const char *const words[] = {
                [ENTRY_NONE] = NULL,
                [ENTRY_INIT] = NULL,
                [ENTRY_SSHD] = "started over ssh",
                [ENTRY_CRON] = "started by cron",
                [ENTRY_CONTAINER] = "started in a container",
                [ENTRY_TERMINAL] = "started at a terminal",
                [ENTRY_CONSOLE] = "started at the console",
        };
        bool is_there;
        Leaders leaders;

        leaders_find(d, &leaders);
        is_there = leaders.entry_type == ENTRY_CONTAINER && is_contained;
        if (!words[leaders.entry_type] || (is_there && leaders.entry == &d->process))
                return;
        text_line_begin(l);
        buffer_append_string(l->out, is_there ? "started there" : words[leaders.entry_type]);
        if (leaders.entry != &d->process) {
                text_line_label(l, ", as ");
                text_line_process_and_pid(l->out, leaders.entry);
        }
        text_line_end(l);
}

static void append_chain(const TextLine *l, const Deleter *d) {
        if (d->n_ancestors == 0)
                return;
        buffer_clear(l->scratch);
        text_line_process(l->scratch, &d->process);
        for (size_t i = 0; i < d->n_ancestors; i++) {
                buffer_append_literal(l->scratch, " ← ");
                text_line_process(l->scratch, &d->ancestors[i]);
        }
        /* All chains end at init or at the parent of the kernel's threads. */
        if (d->ancestors[d->n_ancestors - 1].pid > 2)
                buffer_append_literal(l->scratch, " ← ?");
        text_line_begin(l);
        text_style_set(l->out, l->options.is_colored, TEXT_STYLE_DIM);
        text_line_fit(l, TEXT_LINE_INDENT);
        text_style_set(l->out, l->options.is_colored, TEXT_STYLE_PLAIN);
        text_line_end(l);
}

void text_origin_append(const TextLine *l, const Deleter *d) {
        const ProcessFacts *f = d->process.facts;
        ContainerRef container = {0};
        bool is_contained = false;

        if (f) {
                if (f->cgroup)
                        container_parse(f->cgroup, strlen(f->cgroup), &container);
                is_contained = append_container(l, d, &container);
                if (f->cgroup)
                        append_units(l, f->cgroup, &container);
        }
        append_entry(l, d, is_contained);
        append_chain(l, d);
}
