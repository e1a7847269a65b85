/* SPDX-License-Identifier: MIT */

/* A JSON line that claims to be a record. */

#include "fuzz.h"
#include "query/history.h"
#include "record/record_text.h"

static UserNames *names;
static RecordText *text;

/* What is shown holds no control, whatever the record holds. */
static void check_text(const Buffer *b) {
        for (size_t i = 0; i < b->n_bytes; i++)
                fuzz_check((unsigned char)b->bytes[i] >= ' ' || b->bytes[i] == '\n');
}

static void check_record(RecordParsed *p) {
        _cleanup_buffer_ Buffer b = {0};
        const Record *r = &p->record;

        fuzz_check(r->path.n_directory == 0 || r->path.directory[0] == '/');
        fuzz_check(!r->path.name || r->path.name[r->path.n_name] == '\0');
        (void)history_match(r, "/tmp/x", strlen("/tmp/x"));
        fuzz_check(record_parsed_give_names(p, names) == 0);
        record_text_append(text, r, &b);
        check_text(&b);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n_bytes) {
        RecordParsed p;

        if (!text) {
                fuzz_check(user_names_new_given(&names) == 0);
                fuzz_check(record_text_new((RecordTextOptions){0}, names, &text) == 0);
        }
        if (record_parse((const char *)bytes, n_bytes, &p) < 0)
                return 0;
        check_record(&p);
        record_parsed_done(&p);
        return 0;
}
