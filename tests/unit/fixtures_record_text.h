/* SPDX-License-Identifier: MIT */
#pragma once

/* A renderer for people, with a user database of our own: 0 is root, 1000 is user_name. */

#include <pwd.h>
#include <stdio.h>
#include <string.h>

#include "fixtures_deleter.h"
#include "fixtures_user_names.h"
#include "record/record_text.h"

#define NSEC_14_02_11 (UINT64_C(50531) * 1000000000 + 482193000)

static const char *user_name = "alice";

/* Stands before libc's: the library that is tested is linked statically. */
int getpwuid_r(uid_t uid, struct passwd *entry, char *buf, size_t n_buf, struct passwd **result) {
        memset(entry, 0, sizeof(*entry));
        snprintf(buf, n_buf, "%s", uid == 0 ? "root" : user_name);
        entry->pw_name = buf;
        *result = uid == 0 || uid == 1000 ? entry : NULL;
        return 0;
}

static UserNames *names;
static RecordText *text;
static Buffer out;

static inline void setup(void) {
        /* What a test before set may be gone. */
        user_name = "alice";
        names = fixture_names();
        ck_assert_int_eq(record_text_new((RecordTextOptions){0}, names, &text), 0);
}

static inline void teardown(void) {
        text = record_text_free(text);
        names = user_names_free(names);
        buffer_done(&out);
}

/* Also after a change of user_name. */
static inline void set_options(RecordTextOptions options) {
        text = record_text_free(text);
        names = user_names_free(names);
        names = fixture_names();
        ck_assert_int_eq(record_text_new(options, names, &text), 0);
        buffer_clear(&out);
}

static inline RecordPath path_of(const char *directory, const char *name) {
        return (RecordPath){
                .directory = directory,
                .n_directory = directory ? strlen(directory) : 0,
                .name = name,
                .n_name = name ? strlen(name) : 0,
        };
}

static inline Record unlink_of(const Deleter *d, const char *directory, const char *name) {
        return (Record){
                .action = RECORD_UNLINK,
                .realtime_nsec = NSEC_14_02_11,
                .path = path_of(directory, name),
                .deleter = d,
        };
}

static inline void append(Record r) {
        record_text_append(text, &r, &out);
        ck_assert(!out.is_failed);
}

#define TIME "14:02:11.482193  "
#define INDENT "                 "

/* Removes our own sequences, as many as must be balanced, and fails at any other. */
static inline size_t without_colors(char *s) {
        static const char *const ours[] = {"\033[2m", "\033[1;31m", "\033[1;35m", "\033[1;33m"};
        static const char reset[] = "\033[0m";
        size_t n_colors = 0;
        bool is_colored = false;
        char *to = s;

        while (*s) {
                const char *found = NULL;

                if (*s != '\033') {
                        if (*s == '\n' && is_colored)
                                ck_abort_msg("a colour goes over a line's end");
                        *to++ = *s++;
                        continue;
                }
                for (size_t i = 0; i < sizeof(ours) / sizeof(ours[0]); i++)
                        if (strncmp(s, ours[i], strlen(ours[i])) == 0)
                                found = ours[i];
                if (!found) {
                        ck_assert_int_eq(strncmp(s, reset, strlen(reset)), 0);
                        found = reset;
                }
                ck_assert_msg(is_colored == (found == reset), "colours are nested");
                is_colored = found != reset;
                s += strlen(found);
                n_colors++;
        }
        *to = '\0';
        return n_colors;
}
