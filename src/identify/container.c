/* SPDX-License-Identifier: MIT */

/*
 * From the path of a control group to the container.
 *
 * A name counts only when the runtime itself could have given it: ids of docker, podman, containerd
 * and cri-o have exactly 64 lower-case hexadecimal digits, which also tells a container
 * (libpod-ID.scope) from the monitor beside it (libpod-conmon-ID.scope).  Names of machines and of
 * LXC's containers are free; only what can be printed as it is, is taken.
 *
 * Limits: libvirt's virtual machines (machine-qemu\x2d1\x2dNAME.scope) are no containers; a
 * container of nspawn with such a name is taken for one.
 *
 * Source: see container.h; strings from real machines are in tests/unit/test_container.c.
 */

#include "identify/container.h"

#include <stdbool.h>
#include <string.h>

#include "base/span.h"
#include "identify/unit_name.h"

#define N_ID 64

#define NSPAWN "systemd-nspawn"
#define PODMAN "podman"

/* Cuts at the last separator. */
static bool cut_last(Span s, char separator, Span *ret_before, Span *ret_after) {
        const char *at = s.n > 0 ? memrchr(s.at, separator, s.n) : NULL;

        if (!at)
                return false;
        *ret_before = (Span){s.at, (size_t)(at - s.at)};
        *ret_after = (Span){at + 1, s.n - ret_before->n - 1};
        return true;
}

static bool is_hex(char c) {
        return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
}

static bool is_all_hex(Span s) {
        for (size_t i = 0; i < s.n; i++)
                if (!is_hex(s.at[i]))
                        return false;
        return true;
}

static bool is_id(Span s) {
        return s.n == N_ID && is_all_hex(s);
}

/* A name that its giver was free to choose. */
static bool is_name(Span s) {
        if (span_is(s, ".") || span_is(s, ".."))
                return false;
        for (size_t i = 0; i < s.n; i++)
                if (s.at[i] <= ' ' || s.at[i] >= 0x7f)
                        return false;
        return s.n > 0;
}

/* 8-4-4-4-12, or for a pod from a file of the kubelet's (a "static" one) 32 digits of a hash. */
static bool is_pod_uid(Span s, char separator) {
        if (s.n == 32)
                return is_all_hex(s);
        if (s.n != CONTAINER_POD_UID_BYTES - 1)
                return false;
        for (size_t i = 0; i < s.n; i++) {
                bool is_border = i == 8 || i == 13 || i == 18 || i == 23;

                if (is_border ? s.at[i] != separator : !is_hex(s.at[i]))
                        return false;
        }
        return true;
}

/* podUID, or kubepods-burstable-podUID.slice, also below kind's kubelet-kubepods.slice. */
static bool pod_from(Span component, Span *ret_uid) {
        bool is_slice = span_take_tail(&component, ".slice");
        Span before, last = component;

        if (is_slice)
                (void)cut_last(component, '-', &before, &last);
        if (!span_take_head(&last, "pod") || !is_pod_uid(last, is_slice ? '_' : '-'))
                return false;
        *ret_uid = last;
        return true;
}

/* What stands before the id, and whether it may do so in the name of a plain directory. */
static const struct {
        const char *head;
        const char *runtime;
        bool is_scope_only;
} heads[] = {
        {"docker-", "docker", true},
        {"libpod-", PODMAN, false},
        {"libpod-payload-", PODMAN, false}, /* podman run --cgroups=split, quadlets */
        {"cri-containerd-", "containerd", true},
        {"nerdctl-", "containerd", true},
        {"crio-", "cri-o", false},
};

#define N_HEADS (sizeof(heads) / sizeof(heads[0]))

/* docker-ID.scope and the like. */
static bool match_head(Span component, ContainerRef *c) {
        bool is_scope = span_take_tail(&component, ".scope");

        for (size_t i = 0; i < N_HEADS; i++) {
                Span id = component;

                if (!span_take_head(&id, heads[i].head) || !is_id(id) ||
                    (heads[i].is_scope_only && !is_scope))
                        continue;
                c->runtime = heads[i].runtime;
                c->id = id.at;
                c->n_id = id.n;
                return true;
        }
        return false;
}

/*
 * SLICE:HEAD:ID, made when the one above means systemd's driver and the one below does not know:
 * the text for systemd becomes the name of a directory.
 */
static bool match_colons(Span component, ContainerRef *c) {
        Span slice, head, id, before;

        if (!cut_last(component, ':', &before, &id) || !cut_last(before, ':', &slice, &head) ||
            !is_id(id))
                return false;

        for (size_t i = 0; i < N_HEADS; i++) {
                Span known = {heads[i].head, strlen(heads[i].head)};

                if (!span_take_tail(&known, "-") || known.n != head.n ||
                    memcmp(known.at, head.at, head.n) != 0)
                        continue;
                c->runtime = heads[i].runtime;
                c->id = id.at;
                c->n_id = id.n;
                if (pod_from(slice, &head)) {
                        c->pod_uid = head.at;
                        c->n_pod_uid = head.n;
                }
                return true;
        }
        return false;
}

/* "qemu\x2d1\x2dNAME", as libvirt calls its domains: the driver, a number, the name. */
static bool is_of_libvirt(Span name, const char *driver) {
        size_t n_digits = 0;

        if (!span_take_head(&name, driver) || !span_take_head(&name, "\\x2d"))
                return false;
        while (n_digits < name.n && name.at[n_digits] >= '0' && name.at[n_digits] <= '9')
                n_digits++;
        name.at += n_digits;
        name.n -= n_digits;
        return n_digits > 0 && span_take_head(&name, "\\x2d");
}

/* machine-NAME.scope by machined, systemd-nspawn@NAME.service. */
static bool match_machine(Span component, ContainerRef *c) {
        Span name = component;
        bool is_scope = span_take_head(&name, "machine-") && span_take_tail(&name, ".scope");

        if (!is_scope) {
                name = component;
                if (!span_take_head(&name, "systemd-nspawn@") || !span_take_tail(&name, ".service"))
                        return false;
        }
        if (!is_name(name) || (is_scope && is_of_libvirt(name, "qemu")))
                return false;

        c->runtime = is_scope && is_of_libvirt(name, "lxc") ? "libvirt-lxc" : NSPAWN;
        c->id = name.at;
        c->n_id = name.n;
        return true;
}

/* lxc.payload.NAME since LXC 4.0, lxc.payload/NAME since 3.1, lxc/NAME before and on Proxmox. */
static bool match_lxc(Span component, Span parent, ContainerRef *c) {
        Span name = component;

        if (!span_take_head(&name, "lxc.payload.") && !span_is(parent, "lxc.payload") &&
            !span_is(parent, "lxc"))
                return false;
        if (!is_name(name))
                return false;
        c->runtime = "lxc";
        c->id = name.at;
        c->n_id = name.n;
        return true;
}

/* A plain directory: docker/ID, default/ID, podUID/ID and what an administrator made of them. */
static bool match_directory(Span component, Span parent, bool is_second, ContainerRef *c) {
        bool is_containerd = span_is(parent, "default") || span_is(parent, "k8s.io");

        /* "ctr run" takes any name. */
        if (!is_id(component) && !(is_containerd && is_second && is_name(component)))
                return false;

        c->runtime = is_containerd ? "containerd" : span_is(parent, "docker") ? "docker" : NULL;
        c->id = component.at;
        c->n_id = component.n;
        return true;
}

/* The group of who watches over the container, directly below the container's. */
static bool is_monitor(Span component, const ContainerRef *c) {
        if (!c->runtime)
                return false;
        return (span_is(component, "supervisor") && strcmp(c->runtime, NSPAWN) == 0) ||
               (span_is(component, "conmon") && strcmp(c->runtime, PODMAN) == 0);
}

void container_parse(const char *path, size_t n_path, ContainerRef *ret_container) {
        ContainerRef found = {0}, around = {0};
        const Span none = {0};
        Span rest = {path, n_path}, component, parent = none, uid;
        bool is_just_found = false;

        for (size_t i = 0; span_take_component(&rest, &component); i++) {
                ContainerRef next;

                if (is_just_found && is_monitor(component, &found)) {
                        found = around;
                        is_just_found = false;
                        continue;
                }

                if (pod_from(component, &uid)) {
                        found.pod_uid = uid.at;
                        found.n_pod_uid = uid.n;
                }
                next = found;
                is_just_found = match_head(component, &next) || match_colons(component, &next) ||
                                match_machine(component, &next) ||
                                match_lxc(component, parent, &next) ||
                                match_directory(component, parent, i == 1, &next);
                if (is_just_found) {
                        around = found;
                        found = next;
                }
                /* The name of a container does not announce another one: lxc/lxc/init.scope. */
                parent = is_just_found ? none : component;
        }
        *ret_container = found;
}

void container_pod_uid(const ContainerRef *c, char ret_uid[static CONTAINER_POD_UID_BYTES]) {
        size_t n = c->n_pod_uid < CONTAINER_POD_UID_BYTES ? c->n_pod_uid : 0;

        for (size_t i = 0; i < n; i++)
                ret_uid[i] = c->pod_uid[i] == '_' ? '-' : c->pod_uid[i];
        ret_uid[n] = '\0';
}

void container_name(const ContainerRef *c, char ret_name[static CONTAINER_NAME_BYTES]) {
        size_t n = c->n_id < CONTAINER_NAME_BYTES ? c->n_id : CONTAINER_NAME_BYTES - 1;

        if (c->runtime && strcmp(c->runtime, NSPAWN) == 0 &&
            unit_name_unescape(c->id, c->n_id, ret_name, CONTAINER_NAME_BYTES) >= 0)
                return;
        if (n > 0)
                memcpy(ret_name, c->id, n);
        ret_name[n] = '\0';
}
