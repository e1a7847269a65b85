/* SPDX-License-Identifier: MIT */

/* Bytes as the inside of a JSON string: exact text, and what json-c reads back. */

#include "record/json_string.h"

#include <json-c/json.h>
#include <string.h>

#include "unit.h"

#define U "\xef\xbf\xbd" /* U+FFFD */

typedef struct Case {
        const char *bytes;
        size_t n_bytes;
        const char *text;
} Case;

#define B(x) x, sizeof(x) - 1

static const Case cases[] = {
        {B(""), ""},
        {B("plain text/.~!"), "plain text/.~!"},
        {B("\"\\"), "\\\"\\\\"},
        {B("\n\t\r"), "\\n\\t\\r"},
        {B("\0\1\b\f\v\x1b\x1f"), "\\u0000\\u0001\\u0008\\u000c\\u000b\\u001b\\u001f"},
        {B("\x7f"), "\\u007f"},
        {B("/</>&'"), "/</>&'"},
        {B("\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80"), "\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80"},
        {B("\xc2\x80\xe2\x80\xa8\xef\xbb\xbf"), "\xc2\x80\xe2\x80\xa8\xef\xbb\xbf"},
        {B("\xff"), U},
        {B("a\xff\xfe"
           "b"),
         "a" U U "b"},
        {B("\xc3"), U},
        {B("\xe2\x82"), U U},
        {B("\xe2\x82"
           "a"),
         U U "a"},
        {B("\xf0\x9f\x98"), U U U},
        {B("\xc0\x80"), U U},
        {B("\xed\xa0\x80"), U U U},
        {B("\xf4\x90\x80\x80"), U U U U},
        {B("\xc3\"\xc3\n"), U "\\\"" U "\\n"},
        {B("a\"b\xc3\xa9"
           "c\\d\xff"
           "e"),
         "a\\\"b\xc3\xa9"
         "c\\\\d" U "e"},
};

#define N_CASES ((int)(sizeof(cases) / sizeof(cases[0])))

START_TEST(test_text) {
        const Case *c = &cases[_i];
        /* Of exactly the right size: a sanitizer sees a read past the end. */
        char *bytes = malloc(c->n_bytes + (c->n_bytes == 0));
        _cleanup_buffer_ Buffer b = {0};

        memcpy(bytes, c->bytes, c->n_bytes);
        buffer_append_string(&b, "before");
        json_string_append(&b, bytes, c->n_bytes);
        free(bytes);
        ck_assert_str_eq(buffer_terminate(&b) + strlen("before"), c->text);
}
END_TEST

static json_object *parse(const Buffer *b) {
        struct json_tokener *t = json_tokener_new();
        json_object *o;

        json_tokener_set_flags(t, JSON_TOKENER_STRICT | JSON_TOKENER_VALIDATE_UTF8);
        o = json_tokener_parse_ex(t, b->bytes, (int)b->n_bytes);
        ck_assert_int_eq(json_tokener_get_error(t), json_tokener_success);
        json_tokener_free(t);
        return o;
}

/* Each byte between two others of one kind: JSON, and itself again if it is text. */
START_TEST(test_every_byte) {
        static const char *const around[] = {"", "a", "\"", "\xc3", "\xe2\x82", "\x80"};

        for (size_t k = 0; k < sizeof(around) / sizeof(around[0]); k++) {
                _cleanup_buffer_ Buffer b = {0}, bytes = {0};
                json_object *o;

                buffer_append_string(&bytes, around[k]);
                buffer_append_char(&bytes, (char)_i);
                buffer_append_string(&bytes, around[k]);
                buffer_append_char(&b, '"');
                json_string_append(&b, bytes.bytes, bytes.n_bytes);
                buffer_append_literal(&b, "\" ");
                o = parse(&b);
                if (k <= 2 && _i < 0x80) {
                        ck_assert_uint_eq((size_t)json_object_get_string_len(o), bytes.n_bytes);
                        ck_assert_mem_eq(json_object_get_string(o), bytes.bytes, bytes.n_bytes);
                }
                json_object_put(o);
        }
}
END_TEST

int main(void) {
        TCase *tcase = tcase_create("json_string");

        tcase_add_loop_test(tcase, test_text, 0, N_CASES);
        tcase_add_loop_test(tcase, test_every_byte, 0, 256);
        return unit_run("json_string", tcase);
}
