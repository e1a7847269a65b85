/* SPDX-License-Identifier: MIT */

/*
 * The users of a process.
 *
 * Source: Elastic Common Schema, fieldsets user and group; record.md for user.audit.
 */

#include "record/json_user.h"

#include <stdio.h>
#include <string.h>

#include "record/json_member.h"
#include "record/json_string.h"

static const char *user_name(const ProcessFacts *f, uid_t uid, UserNames *names) {
        return process_facts_is_in_container(f) ? NULL : user_names_user(names, uid);
}

static const char *group_name(const ProcessFacts *f, gid_t gid, UserNames *names) {
        return process_facts_is_in_container(f) ? NULL : user_names_group(names, gid);
}

static json_object *id_and_name(uint32_t id, const char *name) {
        json_object *o = json_object_new_object();
        char digits[16];

        if (!o)
                return NULL;
        snprintf(digits, sizeof(digits), "%u", id);
        json_member_add_string(o, "id", digits);
        json_member_add_name(o, "name", name);
        return o;
}

void json_user_add_ids(json_object *process, const ProcessFacts *f, UserNames *names) {
        const ProcIds *ids = &f->ids;

        if (f->has_ids)
                json_member_add(
                        process, "user",
                        id_and_name(ids->effective_uid, user_name(f, ids->effective_uid, names)));
        if (f->has_ids || f->has_real_ids)
                json_member_add(process, "real_user",
                                id_and_name(ids->real_uid, user_name(f, ids->real_uid, names)));
        if (!f->has_ids)
                return;
        json_member_add(process, "group",
                        id_and_name(ids->effective_gid, group_name(f, ids->effective_gid, names)));
}

void json_user_add(json_object *top, const ProcessFacts *f, UserNames *names) {
        const uid_t uid = f->ids.effective_uid;
        json_object *user =
                f->has_ids ? id_and_name(uid, user_name(f, uid, names)) : json_object_new_object();

        if (user && f->login_uid != PROCESS_ID_UNSET)
                json_member_add(user, "audit",
                                id_and_name(f->login_uid, user_name(f, f->login_uid, names)));
        json_member_add_object(top, "user", user);
}

void json_user_append_subject(Buffer *b, const ProcessFacts *f, UserNames *names) {
        const char *name;

        if (!f->has_ids)
                return;
        name = user_name(f, f->ids.effective_uid, names);
        buffer_append_literal(b, ", ");
        if (name) {
                json_string_append(b, name, strlen(name));
                return;
        }
        buffer_append_literal(b, "uid ");
        buffer_append_u64(b, f->ids.effective_uid);
        if (process_facts_is_in_container(f))
                buffer_append_literal(b, " in a container");
}
