/* SPDX-License-Identifier: MIT */

/* Hostile bytes wherever bytes come from outside: nothing of what they want reaches a terminal. */

#include "record/record_text.h"

#include <locale.h>
#include <string.h>

#include "base/utf8.h"
#include "fixtures_record_text.h"

static const char *const hostile[] = {
        "a\nb",
        "\n14:02:11.482193  unlink  /etc/passwd\n",
        "\033[2J\033[1;1H\033]0;title\007",
        "\xc2\x9b"
        "31m",
        "\x9b"
        "31m",
        "\xe2\x80\xae"
        "gpj.exe",
        "\xe2\x81\xa6x\xe2\x80\xa8y\xe2\x80\xa9z",
        "\xf0\x9f\x92",
        "\xed\xa0\x80\xc0\xaf\xfe\xff",
        "foo) S 1",
        "rm[1] as root, login bob",
        "a ← b → c …",
        "'$(reboot)'`\\'\"",
        "\r\t\v\b\f\177",
};

/* The bytes as an escaped part of a unit's name. */
static const char *unit_of(const char *head, const char *bytes, const char *tail) {
        static char path[512];
        size_t n = (size_t)snprintf(path, sizeof(path), "/system.slice/%s", head);

        for (; *bytes; bytes++)
                n += (size_t)snprintf(path + n, sizeof(path) - n, "\\x%02x",
                                      (unsigned)(unsigned char)*bytes);
        snprintf(path + n, sizeof(path) - n, "%s", tail);
        return path;
}

/* One deletion with the same bytes wherever bytes come from outside. */
static void append_hostile(const char *bytes, size_t n_bytes) {
        const char *chain[] = {bytes, "systemd", NULL};
        char title[128];
        ProcessFactsParts parts = fixture_parts();
        Record r;
        Deleter *d;

        memset(parts.facts.comm, 0, sizeof(parts.facts.comm));
        memcpy(parts.facts.comm, bytes, n_bytes < 63 ? n_bytes : 63);
        fixture_set_args(&parts, bytes, n_bytes + 1);
        fixture_set_executable(&parts, bytes);
        fixture_set_cgroup(&parts, unit_of("machine-", bytes, ".scope"));
        snprintf(title, sizeof(title), "t%s", bytes);
        parts.title = title;
        parts.n_title = strlen(title);
        d = fixture_deleter(1, ATTRIBUTION_LIVE, 1, &parts, chain);

        r = unlink_of(d, bytes, bytes);
        r.is_directory = true;
        append(r);
        r.path = path_of(NULL, bytes);
        append(r);
        r.action = RECORD_MOVE;
        r.new_path = path_of(bytes, bytes);
        append(r);
        deleter_unref(d);

        fixture_set_args(&parts, NULL, 0);
        fixture_set_cgroup(&parts, unit_of("x@", bytes, ".service"));
        d = fixture_deleter(2, ATTRIBUTION_FORK, 2, &parts, chain);
        append(unlink_of(d, bytes, bytes));
        deleter_unref(d);

        r = (Record){.action = RECORD_COVERAGE, .message = bytes};
        append(r);
}

/* No control but newlines of ours, no invalid byte, nothing invisible, the lines we meant. */
static void check_harmless(char *s, size_t n_lines_expected) {
        size_t n_lines = 0;

        without_colors(s);
        ck_assert(utf8_is_valid(s, strlen(s)));
        for (size_t at = 0, n = strlen(s), k; at < n; at += k) {
                uint32_t code = 0;

                k = utf8_next(s + at, n - at, &code);
                n_lines += code == '\n';
                if (code == '\n')
                        continue;
                /* Not ck_assert(), which writes to a pipe each time. */
                if (code < 0x20 || (code >= 0x7f && code <= 0x9f) ||
                    (code >= 0x2028 && code <= 0x202e) || (code >= 0x2060 && code <= 0x206f))
                        ck_abort_msg("U+%04X at %zu", (unsigned)code, at);
        }
        ck_assert_uint_eq(n_lines, n_lines_expected);
        for (const char *line = s; *line; line = strchr(line, '\n') + 1)
                if (*line != '\n' && strncmp(line, INDENT, strlen(INDENT)) != 0 && line[2] != ':')
                        ck_abort_msg("%s", line);
}

/* Three deletions and a who of five lines; an empty line, one deletion and a who of five; news. */
#define N_LINES_HOSTILE ((3 + 5) + (1 + 1 + 5) + (1 + 1))

START_TEST(test_hostile) {
        for (int options = 0; options < 4; options++) {
                user_name = hostile[_i];
                set_options((RecordTextOptions){.is_colored = options & 1,
                                                .n_columns = options & 2 ? 50 : 0});
                append_hostile(hostile[_i], strlen(hostile[_i]));
                buffer_terminate(&out);
                check_harmless(out.bytes, N_LINES_HOSTILE);
        }
}
END_TEST

/* All but NUL, which ends every string. */
START_TEST(test_every_byte) {
        char bytes[] = "a?b";

        bytes[1] = (char)_i;
        user_name = bytes;
        set_options((RecordTextOptions){.is_colored = true});
        append_hostile(bytes, 3);
        buffer_terminate(&out);
        check_harmless(out.bytes, N_LINES_HOSTILE);
}
END_TEST

int main(void) {
        TCase *t = tcase_create("record_text_hostile");

        setlocale(LC_CTYPE, "C.UTF-8");
        setenv("TZ", "UTC", 1);
        tcase_add_checked_fixture(t, setup, teardown);
        tcase_add_loop_test(t, test_hostile, 0, sizeof(hostile) / sizeof(hostile[0]));
        tcase_add_loop_test(t, test_every_byte, 1, 256);
        return unit_run("record_text_hostile", t);
}
