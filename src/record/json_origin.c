/* SPDX-License-Identifier: MIT */

/*
 * On whose behalf a process works.
 *
 * Source: Elastic Common Schema, fieldsets container and orchestrator; record.md for systemd.
 */

#include "record/json_origin.h"

#include <string.h>

#include "base/buffer.h"
#include "identify/cgroup.h"
#include "identify/container.h"
#include "identify/unit_name.h"
#include "record/json_member.h"

static void add_container(json_object *top, const ContainerRef *c) {
        json_object *o = c->id ? json_object_new_object() : NULL;
        char name[CONTAINER_NAME_BYTES];

        if (!o)
                return;
        container_name(c, name);
        json_member_add_bytes(o, "id", name, strlen(name));
        if (c->runtime)
                json_member_add_string(o, "runtime", c->runtime);
        json_member_add(top, "container", o);
}

static void add_pod(json_object *top, const ContainerRef *c) {
        char pod_uid[CONTAINER_POD_UID_BYTES];
        json_object *o, *resource;

        container_pod_uid(c, pod_uid);
        if (pod_uid[0] == '\0')
                return;
        o = json_object_new_object();
        resource = json_object_new_object();
        if (resource)
                json_member_add_string(resource, "id", pod_uid);
        if (o)
                json_member_add_object(o, "resource", resource);
        else
                json_object_put(resource);
        json_member_add_object(top, "orchestrator", o);
}

static void add_systemd(json_object *top, const ProcessFacts *f) {
        json_object *o = json_object_new_object();
        CgroupUnits u;

        if (!o)
                return;
        cgroup_units_parse(f->cgroup, strlen(f->cgroup), &u);
        if (u.unit)
                json_member_add_bytes(o, "unit", u.unit, u.n_unit);
        if (u.user_unit)
                json_member_add_bytes(o, "user_unit", u.user_unit, u.n_user_unit);
        if (u.slice)
                json_member_add_bytes(o, "slice", u.slice, u.n_slice);
        if (u.session)
                json_member_add_bytes(o, "session", u.session, u.n_session);
        if (f->invocation_id[0] != '\0')
                json_member_add_string(o, "invocation_id", f->invocation_id);
        json_member_add_object(top, "systemd", o);
}

void json_origin_add(json_object *top, const ProcessFacts *f) {
        ContainerRef c;

        if (!f->cgroup)
                return;
        container_parse(f->cgroup, strlen(f->cgroup), &c);
        add_container(top, &c);
        add_pod(top, &c);
        add_systemd(top, f);
}

/* Adds "getty@.service" of a unit "getty@tty1.service". */
static void add_template(json_object *o, const UnitNameParts *p) {
        _cleanup_buffer_ Buffer name = {0};

        buffer_append(&name, p->prefix, p->n_prefix);
        buffer_append_literal(&name, "@.");
        buffer_append(&name, p->type, p->n_type);
        if (!name.is_failed)
                json_member_add_bytes(o, "template", name.bytes, name.n_bytes);
}

void json_origin_add_template(json_object *whodunlink, const ProcessFacts *f) {
        char instance[256]; /* of a whole unit's name at most */
        UnitNameParts p;
        CgroupUnits u;
        json_object *o;
        int n;

        if (!f->cgroup)
                return;
        cgroup_units_parse(f->cgroup, strlen(f->cgroup), &u);
        if (!u.unit || unit_name_split(u.unit, u.n_unit, &p) < 0 || p.n_instance == 0)
                return;
        o = json_object_new_object();
        if (!o)
                return;
        add_template(o, &p);
        n = unit_name_unescape(p.instance, p.n_instance, instance, sizeof(instance));
        if (n > 0)
                json_member_add_bytes(o, "instance", instance, (size_t)n);
        else
                json_member_add_bytes(o, "instance", p.instance, p.n_instance);
        json_member_add(whodunlink, "unit", o);
}
