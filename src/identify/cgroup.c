/* SPDX-License-Identifier: MIT */

/*
 * From the text of /proc/PID/cgroup to the systemd units that a process runs for.
 *
 * The tree below user@UID.service, and below any unit with Delegate=, is named by whoever it was
 * given to: a component counts as a unit only when systemd itself could have named it so.
 *
 * Limits: a group that is really called "x (deleted)" loses those ten bytes, the kernel does not
 * tell the two apart.  Templates and escapes in unit names stay as they are.
 *
 * Source: proc_pid_cgroup(5); kernel/cgroup/cgroup.c (proc_cgroup_show; names hold no newline) of
 * Linux 6.18; src/basic/cgroup-util.c and unit-name.c of systemd 252.
 */

#include "identify/cgroup.h"

#include <errno.h>
#include <string.h>

#include "base/path.h"
#include "base/span.h"

#define UNIT_NAME_MAX 255 /* systemd's UNIT_NAME_MAX, less its NUL */

static bool is_digits(Span s) {
        for (size_t i = 0; i < s.n; i++)
                if (s.at[i] < '0' || s.at[i] > '9')
                        return false;
        return s.n > 0;
}

static bool is_alnum(char c) {
        return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* Splits ID:CONTROLLERS:PATH. */
static int split_line(Span line, Span *ret_id, Span *ret_controllers, Span *ret_path) {
        const char *first, *second, *end = line.at + line.n;

        first = memchr(line.at, ':', line.n);
        if (!first)
                return -EBADMSG;
        second = memchr(first + 1, ':', (size_t)(end - first - 1));
        if (!second || second + 1 == end || second[1] != '/')
                return -EBADMSG;

        *ret_id = (Span){line.at, (size_t)(first - line.at)};
        if (!is_digits(*ret_id))
                return -EBADMSG;
        *ret_controllers = (Span){first + 1, (size_t)(second - first - 1)};
        *ret_path = (Span){second + 1, (size_t)(end - second - 1)};
        return 0;
}

int cgroup_path_parse(const char *text, size_t n_bytes, const char **ret_path, size_t *ret_n_path) {
        Span named = {0}, unified = {0}, path;

        while (n_bytes > 0) {
                /* Without its newline a line may be cut off, and a cut path names another group. */
                const char *newline = memchr(text, '\n', n_bytes);
                Span id, controllers;
                int r;

                if (!newline)
                        return -EBADMSG;
                r = split_line((Span){text, (size_t)(newline - text)}, &id, &controllers, &path);
                if (r < 0)
                        return r;

                if (span_is(controllers, "name=systemd") && !named.at)
                        named = path;
                else if (span_is(id, "0") && controllers.n == 0 && !unified.at)
                        unified = path;

                n_bytes -= (size_t)(newline + 1 - text);
                text = newline + 1;
        }

        /* Without systemd nobody puts processes there. */
        path = named.at && (!span_is(named, "/") || !unified.at) ? named : unified;
        if (!path.at)
                return -ENODATA;

        *ret_path = path.at;
        *ret_n_path = path_length_less_deleted(path.at, path.n);
        return 0;
}

/* As systemd's unit_name_is_valid(): a prefix of these characters that '@' does not start. */
static bool is_unit_name(Span s, const char *suffix) {
        if (s.n > UNIT_NAME_MAX || s.n <= strlen(suffix) || !span_ends_with(s, suffix) ||
            s.at[0] == '@')
                return false;

        for (size_t i = 0; i < s.n; i++)
                if (!is_alnum(s.at[i]) && (s.at[i] == '\0' || !strchr(":-_.\\@", s.at[i])))
                        return false;
        return true;
}

static bool is_slice(Span s) {
        return is_unit_name(s, ".slice");
}

/* Those kinds of units that have a control group, less the slices. */
static bool is_unit(Span s) {
        static const char *const suffixes[] = {".service", ".scope", ".socket", ".mount", ".swap"};

        for (size_t i = 0; i < sizeof(suffixes) / sizeof(suffixes[0]); i++)
                if (is_unit_name(s, suffixes[i]))
                        return true;
        return false;
}

/* What stands between head and tail: "3" of session-3.scope. */
static Span between(Span s, const char *head, const char *tail) {
        return span_take_head(&s, head) && span_take_tail(&s, tail) ? s : (Span){0};
}

static bool is_session_id(Span s) {
        for (size_t i = 0; i < s.n; i++)
                if (!is_alnum(s.at[i]))
                        return false;
        return s.n > 0;
}

void cgroup_units_parse(const char *path, size_t n_path, CgroupUnits *ret_units) {
        CgroupUnits units = {0};
        Span rest = {path, n_path}, component, session;
        bool is_user_manager = false;

        while (!units.user_unit && span_take_component(&rest, &component)) {
                if (component.at[0] == '_') {
                        component.at++;
                        component.n--;
                }

                if (!units.unit && is_slice(component)) {
                        units.slice = component.at;
                        units.n_slice = component.n;
                } else if (!units.unit && is_unit(component)) {
                        units.unit = component.at;
                        units.n_unit = component.n;
                        is_user_manager = is_digits(between(component, "user@", ".service"));
                        session = between(component, "session-", ".scope");
                        if (is_session_id(session)) {
                                units.session = session.at;
                                units.n_session = session.n;
                        }
                } else if (is_user_manager && is_unit(component)) {
                        units.user_unit = component.at;
                        units.n_user_unit = component.n;
                }
        }
        *ret_units = units;
}

bool cgroup_is_managers(const char *path) {
        return span_ends_with((Span){path, strlen(path)}, "/init.scope");
}
