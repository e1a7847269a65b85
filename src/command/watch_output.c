/* SPDX-License-Identifier: MIT */

/* Text on a terminal, the journal in a service of systemd, JSON anywhere else. */

#include "command/watch_output.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "sink/fold.h"
#include "sink/journal_sink.h"
#include "sink/journal_socket.h"
#include "sink/line_sink.h"

size_t watch_output_columns(void) {
        struct winsize w;

        return ioctl(STDOUT_FILENO, TIOCGWINSZ, &w) < 0 ? 0 : w.ws_col;
}

static WatchOutput choose(WatchOutput wanted) {
        if (wanted != WATCH_OUTPUT_AUTO)
                return wanted;
        if (isatty(STDOUT_FILENO))
                return WATCH_OUTPUT_TEXT;
        return journal_sink_is_stream(STDOUT_FILENO, getenv("JOURNAL_STREAM"))
                       ? WATCH_OUTPUT_JOURNAL
                       : WATCH_OUTPUT_JSON;
}

static RecordTextOptions text_options(WatchColor color) {
        const char *no_color = getenv("NO_COLOR");
        bool is_terminal = isatty(STDOUT_FILENO);

        return (RecordTextOptions){
                .is_colored =
                        color == WATCH_COLOR_ALWAYS || (color == WATCH_COLOR_AUTO && is_terminal &&
                                                        (!no_color || no_color[0] == '\0')),
                .n_columns = is_terminal ? watch_output_columns() : 0,
        };
}

static uint64_t fold(const WatchOptions *o, uint64_t unless_given) {
        return o->has_fold ? o->fold : unless_given;
}

static int say_error(const char *where, int error) {
        fprintf(stderr, "whodunlink: cannot write to %s: %s\n", where, strerror(-error));
        return error;
}

/* It may come later; but whoever waits for records should know why there are none. */
static void say_no_journal(void) {
        if (access(JOURNAL_SOCKET_PATH, F_OK) < 0)
                fprintf(stderr,
                        "whodunlink: nobody listens at %s: records wait until systemd-journald "
                        "does; write them elsewhere with --output=json\n",
                        JOURNAL_SOCKET_PATH);
}

static int open_journal(WatchSession *s) {
        JournalSink *journal;
        int r;

        r = journal_sink_new(JOURNAL_SOCKET_PATH, &s->host, s->names, &journal);
        if (r >= 0)
                r = record_sink_new(&journal_sink_kind, journal, fold(s->options, FOLD_DEFAULT),
                                    &s->sink);
        if (r < 0)
                return say_error("the journal", r);
        s->is_stderr_journal = journal_sink_is_stream(STDERR_FILENO, getenv("JOURNAL_STREAM"));
        say_no_journal();
        return 0;
}

static int open_lines(WatchSession *s, bool is_text) {
        LineSink *lines;
        int r;

        if (is_text)
                r = line_sink_new_text(STDOUT_FILENO, text_options(s->options->color), s->names,
                                       &lines);
        else
                r = line_sink_new_json(STDOUT_FILENO, &s->host, s->names, &lines);
        if (r >= 0)
                r = record_sink_new(&line_sink_kind, lines, fold(s->options, 0), &s->sink);
        return r < 0 ? say_error("stdout", r) : 0;
}

int watch_output_open(WatchSession *s) {
        const WatchOutput output = choose(s->options->output);
        int r;

        host_facts_read(&s->host);
        r = user_names_new(&s->names);
        if (r < 0)
                return say_error("stdout", r);
        return output == WATCH_OUTPUT_JOURNAL ? open_journal(s)
                                              : open_lines(s, output == WATCH_OUTPUT_TEXT);
}
