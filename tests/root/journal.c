/* SPDX-License-Identifier: MIT */

/*
 * See journal.h.  Storage=volatile, because then there is no difference between before and after
 * /var is there; the code that writes entries is the same.
 */

#include "journal.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "harness.h"
#include "process.h"

#define JOURNALD "/lib/systemd/systemd-journald"
#define SOCKET "/run/systemd/journal/socket"

static void write_settings(const char *settings) {
        FILE *f;

        harness_mkdir("/run/systemd/journald.conf.d");
        f = fopen("/run/systemd/journald.conf.d/test.conf", "we");
        harness_assert(f, "journald.conf.d: %m");
        fprintf(f,
                "[Journal]\nStorage=volatile\nReadKMsg=no\nAudit=no\nRateLimitIntervalSec=0\n"
                "RateLimitBurst=0\nForwardToSyslog=no\nForwardToWall=no\nForwardToKMsg=no\n%s",
                settings);
        harness_assert(fclose(f) == 0, "journald.conf.d: %m");
}

void journald_restart(Journald *j) {
        double until = harness_now() + 20;

        (void)unlink(SOCKET);
        j->pid = process_spawn(PROCESS_ARGS(JOURNALD));
        while (access(SOCKET, F_OK) < 0) {
                harness_assert(harness_now() < until, "systemd-journald does not begin");
                harness_sleep(0.02);
        }
        journald_settle();
}

Journald journald_start(const char *size, const char *settings) {
        char *options = harness_format("size=%s,mode=0755", size);
        Journald j;

        if (access(JOURNALD, X_OK) < 0)
                harness_skip("no %s", JOURNALD);
        harness_assert(mount("run", "/run", "tmpfs", 0, "mode=0755") == 0, "/run: %m");
        harness_mkdir("/run/systemd");
        harness_mkdir("/run/systemd/journal");
        harness_mkdir("/run/log");
        harness_mkdir(JOURNAL_DIRECTORY);
        harness_assert(mount("journal", JOURNAL_DIRECTORY, "tmpfs", 0, options) == 0, "%s: %m",
                       JOURNAL_DIRECTORY);
        write_settings(settings);
        journald_restart(&j);
        return j;
}

void journald_stop(Journald *j, int signal_number) {
        ck_assert_int_eq(kill(j->pid, signal_number), 0);
        (void)process_wait(j->pid, 30);
        j->pid = 0;
}

void journald_settle(void) {
        static unsigned n;
        char *match = harness_format("TEST_SETTLE=%d-%u", (int)getpid(), ++n);

        for (int i = 0; i < 3000; i++) {
                /* Anew now and then: it is lost if nobody listened, or cannot be stored. */
                if (i % 100 == 0)
                        ck_assert_int_ge(sd_journal_send("MESSAGE=settle", "%s", match, NULL), 0);
                if (journal_count(match) > 0)
                        return;
                harness_sleep(0.02);
        }
        harness_abort("systemd-journald does not take what it is sent");
}

Monitor journal_monitor_start(const char *const *args) {
        const char *all[64] = {"watch", "--output=journal"};
        size_t n = 2;
        Monitor m;

        for (size_t i = 0; args[i] && n < 63; i++)
                all[n++] = args[i];
        m = monitor_spawn(all);
        journal_wait_for("DELETION_ACTION=start", 1, 60);
        return m;
}

sd_journal *journal_open(const char *match) {
        sd_journal *j;

        ck_assert_int_ge(sd_journal_open_directory(&j, JOURNAL_DIRECTORY, 0), 0);
        ck_assert_int_ge(sd_journal_add_match(j, match ? match : "SYSLOG_IDENTIFIER=whodunlink", 0),
                         0);
        return j;
}

void journal_closep(sd_journal **j) {
        if (*j)
                sd_journal_close(*j);
}

size_t journal_count(const char *match) {
        _cleanup_journal_ sd_journal *j = journal_open(match);
        size_t n = 0;

        while (sd_journal_next(j) > 0)
                n++;
        return n;
}

void journal_wait_for(const char *match, size_t n, double timeout_sec) {
        double until = harness_now() + timeout_sec;
        size_t n_there;

        while ((n_there = journal_count(match)) < n) {
                harness_assert(harness_now() < until, "%zu of %zu entries with %s after %g s",
                               n_there, n, match ? match : "anything", timeout_sec);
                harness_sleep(0.05);
        }
}

Bytes journal_field(sd_journal *j, const char *field) {
        const size_t n_field = strlen(field);
        const void *data;
        size_t n;
        Bytes b = {0};

        sd_journal_set_data_threshold(j, 0);
        if (sd_journal_get_data(j, field, &data, &n) < 0)
                return b;
        harness_assert(n > n_field, "%s is short", field);
        b.n = n - n_field - 1;
        b.data = calloc(1, b.n + 1);
        harness_assert(b.data, "out of memory");
        memcpy(b.data, (const char *)data + n_field + 1, b.n);
        return b;
}

char *journal_text(sd_journal *j, const char *field) {
        Bytes b = journal_field(j, field);

        harness_assert(b.data && strlen(b.data) == b.n, "no text in %s", field);
        return b.data;
}

void journal_assert_field(sd_journal *j, const char *field, const char *value) {
        _cleanup_free_ char *is = journal_field(j, field).data;

        if (value)
                harness_assert(is && strcmp(is, value) == 0, "%s is %s, not %s", field,
                               is ? is : "not there", value);
        else
                harness_assert(!is, "%s is there: %s", field, is);
}

struct json_object *journal_message(sd_journal *j) {
        _cleanup_free_ char *text = journal_text(j, "MESSAGE");
        struct json_object *o = json_tokener_parse(text);

        harness_assert(o, "no JSON: %s", text);
        return o;
}
