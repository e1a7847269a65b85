/* SPDX-License-Identifier: MIT */

/* What all renderings share. */

#include "record/record.h"

const char *record_action_to_string(RecordAction a) {
        static const char *const names[] = {
                [RECORD_UNLINK] = "unlink", [RECORD_RMDIR] = "rmdir",
                [RECORD_MOVE] = "move",     [RECORD_OVERWRITE] = "overwrite",
                [RECORD_START] = "start",   [RECORD_STOP] = "stop",
                [RECORD_LOSS] = "loss",     [RECORD_COVERAGE] = "coverage",
                [RECORD_FOLD] = "fold",
        };

        return names[a];
}

bool record_action_is_deletion(RecordAction a) {
        return a == RECORD_UNLINK || a == RECORD_RMDIR || a == RECORD_MOVE || a == RECORD_OVERWRITE;
}

bool record_action_has_deleter(RecordAction a) {
        return record_action_is_deletion(a) || a == RECORD_FOLD;
}

void record_path_append(const RecordPath *p, Buffer *b) {
        if (!p->name)
                return;
        if (p->directory) {
                buffer_append(b, p->directory, p->n_directory);
                if (p->n_directory != 1)
                        buffer_append_char(b, '/');
        }
        buffer_append(b, p->name, p->n_name);
}
