/* SPDX-License-Identifier: MIT */

/*
 * A control group made of what a record says.
 *
 * Limits: the id of a container of systemd-nspawn stands unescaped in records; one that needed
 * escapes is only found again where the unit is the container's own.
 */

#include "query/record_origin.h"

#include <string.h>

#include "identify/cgroup.h"
#include "identify/container.h"

static void append_component(Buffer *b, const char *name) {
        if (!name)
                return;
        buffer_append_char(b, '/');
        buffer_append_string(b, name);
}

static bool is_same(const char *at, size_t n, const char *expected) {
        if (!at || !expected)
                return !at && !expected;
        return strlen(expected) == n && memcmp(at, expected, n) == 0;
}

static bool says_container(const RecordOrigin *o, const Buffer *path) {
        char name[CONTAINER_NAME_BYTES], pod_uid[CONTAINER_POD_UID_BYTES];
        ContainerRef c = {0};

        if (path->n_bytes > 0)
                container_parse(path->bytes, path->n_bytes, &c);
        container_name(&c, name);
        container_pod_uid(&c, pod_uid);
        return strcmp(name, o->container_id ? o->container_id : "") == 0 &&
               strcmp(c.runtime ? c.runtime : "",
                      o->container_runtime ? o->container_runtime : "") == 0 &&
               strcmp(pod_uid, o->pod_uid ? o->pod_uid : "") == 0;
}

static bool says_units(const RecordOrigin *o, const Buffer *path) {
        CgroupUnits u = {0};

        if (path->n_bytes > 0)
                cgroup_units_parse(path->bytes, path->n_bytes, &u);
        return is_same(u.unit, u.n_unit, o->unit) &&
               is_same(u.user_unit, u.n_user_unit, o->user_unit) &&
               is_same(u.slice, u.n_slice, o->slice) && is_same(u.session, u.n_session, o->session);
}

/* One of the forms in which each runtime names its groups, such that it makes no unit. */
static void append_container(const RecordOrigin *o, Buffer *b) {
        static const struct {
                const char *runtime;
                const char *head;
        } forms[] = {
                {"docker", "/docker/"},      {"podman", "/libpod-"},   {"cri-o", "/crio-"},
                {"containerd", "/default/"}, {"lxc", "/lxc.payload/"},
        };
        const char *head = "/";

        if (o->pod_uid) {
                buffer_append_literal(b, "/pod");
                buffer_append_string(b, o->pod_uid);
        }
        if (!o->container_id)
                return;
        for (size_t i = 0; o->container_runtime && i < sizeof(forms) / sizeof(forms[0]); i++)
                if (strcmp(forms[i].runtime, o->container_runtime) == 0)
                        head = forms[i].head;
        buffer_append_string(b, head);
        buffer_append_string(b, o->container_id);
}

bool record_origin_append_cgroup(const RecordOrigin *o, Buffer *ret_path) {
        _cleanup_buffer_ Buffer path = {0};
        size_t n_units;
        bool is_all = true;

        append_component(&path, o->slice);
        append_component(&path, o->unit);
        append_component(&path, o->user_unit);
        if (!says_units(o, &path)) {
                buffer_clear(&path);
                is_all = false;
        }
        n_units = path.n_bytes;
        if (is_all && says_container(o, &path)) {
                buffer_append(ret_path, path.bytes, path.n_bytes);
                return true;
        }
        append_container(o, &path);
        if (!says_container(o, &path) || (is_all && !says_units(o, &path))) {
                path.n_bytes = n_units;
                is_all = false;
        }
        buffer_append(ret_path, path.bytes, path.n_bytes);
        if (path.is_failed)
                ret_path->is_failed = true;
        return is_all;
}
