/* SPDX-License-Identifier: MIT */

/*
 * Random once and never changed: who looks for one kind of record in the journal looks for these.
 *
 * Source: systemd.journal-fields(7), MESSAGE_ID.
 */

#include "record/message_id.h"

const char *message_id_of(RecordAction a) {
        static const char *const ids[] = {
                [RECORD_UNLINK] = "f8ecd313ae7640dfba9997ba28c786dd",
                [RECORD_RMDIR] = "b5674ce1d4974a73bcae704d88956be8",
                [RECORD_MOVE] = "84689c43c9f14fc6aa2701e633c887d6",
                [RECORD_OVERWRITE] = "9f0cde56740c436c811221eb60616ce3",
                [RECORD_START] = "e867e1029b4442c79ae71bdd7da432ae",
                [RECORD_STOP] = "64bd81e9feb544cb95aaa65883b27ae4",
                [RECORD_LOSS] = "f654db4ea1c54d499462ffb5c80341e5",
                [RECORD_COVERAGE] = "80d2374f85cf44e68442b9108c69342c",
                [RECORD_FOLD] = "a44a21450a65441695091f7512856ec7",
        };

        return ids[a];
}
