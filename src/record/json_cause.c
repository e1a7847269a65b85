/* SPDX-License-Identifier: MIT */

/* Source: shared design, record.md, "Why". */

#include "record/json_cause.h"

#include "record/json_string.h"

void json_cause_append(const Cause *c, Buffer *b) {
        buffer_append_format(b, "\"cause\":{\"type\":\"%s\",", cause_type_to_string(c->type));
        json_string_append_member(b, "rule", c->rule);
        json_string_append_member(b, "source", c->source);
        json_string_append_member(b, "unit", c->unit);
        json_string_append_member(b, "triggered_by", c->triggered_by);
        json_string_append_member(b, "explanation", c->explanation);
        if (!b->is_failed)
                b->n_bytes--; /* the last comma */
        buffer_append_literal(b, "},");
}
