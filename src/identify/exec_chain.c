/* SPDX-License-Identifier: MIT */

/*
 * The arguments of an exec as the kernel makes them up.
 *
 * A script's are its interpreter, the rest of the "#!" line as one argument, the script, and then
 * all but the first of those given; of a script that interprets scripts the same again.  What a
 * handler of binfmt_misc makes is its own affair: then the arguments are left unknown.
 *
 * Limits: of a program on a filesystem that is not held, the first file seen is its ld.so, which is
 * told by its name; of a script there, it is the interpreter, which cannot be told from a program,
 * and the arguments are those given.  A handler of binfmt_misc with its interpreter opened
 * beforehand (flag F) is not seen.
 *
 * Source: fs/exec.c, fs/binfmt_script.c, fs/binfmt_elf.c, fs/binfmt_misc.c of Linux 6.18.
 */

#include "identify/exec_chain.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash_table.h"

typedef enum Expected {
        EXPECTED_NOTHING,     /* all is known: the rest is ld.so */
        EXPECTED_INTERPRETER, /* of a script: it will be the executable */
        EXPECTED_HANDLER,     /* ld.so, or what binfmt_misc has for such a file */
} Expected;

typedef struct Entry {
        pid_t tid; /* 0: unused */
        Expected expected;
        bool is_unread; /* the beginning of the file could not be read */
        uint64_t call;  /* hash of all that the call gave */
        uint64_t first; /* hash of the path that it began with */
        uint64_t seen;  /* counts up with each event */
        HeldExec exec;
} Entry;

struct ExecChain {
        uint64_t n_seen;
        Entry entries[EXEC_CHAIN_MAX];
};

int exec_chain_new(ExecChain **ret_chain) {
        *ret_chain = calloc(1, sizeof(**ret_chain));
        return *ret_chain ? 0 : -ENOMEM;
}

ExecChain *exec_chain_free(ExecChain *c) {
        free(c);
        return NULL;
}

static uint64_t hash_call(const ExecView *v) {
        const uint64_t parts[] = {
                v->call.filename,
                v->call.argv,
                v->call.stack,
                (uint64_t)v->call.directory_fd,
                v->call.n_pointer_bytes,
                v->call.has_directory,
                hash_bytes(v->filename, v->n_filename),
                hash_bytes(v->args, v->n_args_bytes),
        };

        return hash_bytes(parts, sizeof(parts));
}

/* The thread's entry, or the one to be used for it. */
static Entry *get_entry(ExecChain *c, pid_t tid) {
        Entry *oldest = &c->entries[0];

        for (size_t i = 0; i < EXEC_CHAIN_MAX; i++) {
                if (c->entries[i].tid == tid)
                        return &c->entries[i];
                if (c->entries[i].seen < oldest->seen)
                        oldest = &c->entries[i];
        }
        return oldest;
}

static const char *basename_of(const char *path, size_t n_path, size_t *ret_n) {
        const char *slash = memrchr(path, '/', n_path);
        const char *name = slash ? slash + 1 : path;

        *ret_n = n_path - (size_t)(name - path);
        return name;
}

static bool has_basename(const char *path, size_t n_path, const char *name, size_t n_name) {
        size_t n;
        const char *own = basename_of(path, n_path, &n);

        return n == n_name && memcmp(own, name, n) == 0;
}

/* ld-linux-x86-64.so.2, ld-2.31.so, ld64.so.1, ld.so.1, ld-musl-x86_64.so.1, libc.so */
static bool is_loader_name(const char *name, size_t n_name) {
        char s[NAME_MAX + 1];

        if (n_name >= sizeof(s))
                return false;
        memcpy(s, name, n_name);
        s[n_name] = '\0';
        if (!strstr(s, ".so"))
                return false;
        return strncmp(s, "ld-", 3) == 0 || strncmp(s, "ld.", 3) == 0 ||
               strncmp(s, "ld64.", 5) == 0 || strcmp(s, "libc.so") == 0;
}

/* A program's ld.so, where the program itself lies on a filesystem that is not held. */
static bool is_loader_of_unseen(const ExecView *v) {
        size_t n_name;
        const char *name = basename_of(v->path, v->n_path, &n_name);

        return is_loader_name(name, n_name) &&
               !has_basename(v->filename, v->n_filename, name, n_name);
}

static void append(HeldExec *e, const char *bytes, size_t n_bytes) {
        size_t n_left = sizeof(e->args) - e->n_args_bytes;

        if (n_bytes > n_left) {
                n_bytes = n_left;
                e->is_args_cut = true;
        }
        if (n_bytes == 0)
                return;
        memcpy(e->args + e->n_args_bytes, bytes, n_bytes);
        e->n_args_bytes += n_bytes;
}

static void append_string(HeldExec *e, const char *s) {
        append(e, s, strlen(s) + 1);
}

/* What the call gave; an empty list becomes one empty argument, as since Linux 5.18. */
static void append_given(HeldExec *e, const ExecView *v) {
        append(e, v->args, v->n_args_bytes);
        if (v->n_args_bytes == 0)
                append_string(e, "");
        e->is_args_cut = e->is_args_cut || v->is_args_cut;
}

static void append_given_but_first(HeldExec *e, const ExecView *v) {
        const char *nul = v->n_args_bytes > 0 ? memchr(v->args, '\0', v->n_args_bytes) : NULL;
        size_t n_first = nul ? (size_t)(nul - v->args) + 1 : v->n_args_bytes;

        append(e, v->args + n_first, v->n_args_bytes - n_first);
        e->is_args_cut = e->is_args_cut || v->is_args_cut;
}

/* The name by which the kernel calls the script before its interpreter. */
static void append_script_name(HeldExec *e, const ExecView *v) {
        char prefix[32];

        if (v->call.has_directory && v->call.directory_fd >= 0 &&
            (v->n_filename == 0 || v->filename[0] != '/')) {
                int n = snprintf(prefix, sizeof(prefix), "/dev/fd/%d", v->call.directory_fd);

                append(e, prefix, (size_t)n);
                if (v->n_filename > 0)
                        append(e, "/", 1);
        }
        append(e, v->filename, v->n_filename);
        append(e, "", 1);
}

static void append_interpreter(HeldExec *e, const ExecImage *image) {
        append_string(e, image->interpreter);
        if (image->has_argument)
                append_string(e, image->argument);
}

/*
 * By its descriptor a program is called like its file since Linux 6.14, and before like the number
 * of the descriptor: /proc or the exit record know.
 */
static void set_comm(HeldExec *e, const ExecView *v) {
        size_t n;
        const char *name = basename_of(v->filename, v->n_filename, &n);

        if (n > sizeof(e->comm) - 1)
                n = sizeof(e->comm) - 1;
        memcpy(e->comm, name, n);
        e->comm[n] = '\0';
}

static void set_executable(HeldExec *e, const ExecView *v) {
        e->n_executable = v->n_path < sizeof(e->executable) ? v->n_path : 0;
        memcpy(e->executable, v->path, e->n_executable);
        e->is_executable_deleted = v->is_deleted;
}

static void clear(HeldExec *e) {
        memset(e, 0, offsetof(HeldExec, executable));
}

static void begin(Entry *entry, const ExecView *v) {
        HeldExec *e = &entry->exec;
        bool is_script = v->image && v->image->kind == EXEC_IMAGE_SCRIPT;

        clear(e);
        set_comm(e, v);
        entry->is_unread = !v->image;
        if (is_script) {
                append_interpreter(e, v->image);
                append_script_name(e, v);
                append_given_but_first(e, v);
                entry->expected = EXPECTED_INTERPRETER;
                return;
        }
        append_given(e, v);
        entry->expected = EXPECTED_NOTHING;
        if (is_loader_of_unseen(v))
                return;
        set_executable(e, v);
        if (!v->image || v->image->kind != EXEC_IMAGE_NATIVE)
                entry->expected = EXPECTED_HANDLER;
}

/* Puts a script's interpreter before the arguments; their first is the name it has there. */
static void wrap(HeldExec *e, const ExecImage *image) {
        HeldExec before;

        memcpy(before.args, e->args, e->n_args_bytes);
        before.n_args_bytes = e->n_args_bytes;
        e->n_args_bytes = 0;
        append_interpreter(e, image);
        append(e, before.args, before.n_args_bytes);
}

static int see_interpreter(Entry *entry, const ExecView *v) {
        HeldExec *e = &entry->exec;

        if (v->image && v->image->kind == EXEC_IMAGE_SCRIPT) {
                wrap(e, v->image);
                return 1;
        }
        set_executable(e, v);
        entry->is_unread = !v->image;
        entry->expected = v->image && v->image->kind == EXEC_IMAGE_NATIVE ? EXPECTED_NOTHING
                                                                          : EXPECTED_HANDLER;
        return 1;
}

static int see_handler(Entry *entry, const ExecView *v) {
        HeldExec *e = &entry->exec;
        size_t n_name;
        const char *name = basename_of(v->path, v->n_path, &n_name);

        entry->expected = EXPECTED_NOTHING;
        if (entry->is_unread && is_loader_name(name, n_name))
                return 0;
        e->n_args_bytes = 0;
        e->is_args_cut = false;
        set_executable(e, v);
        return 1;
}

static int go_on(Entry *entry, const ExecView *v) {
        switch (entry->expected) {
        case EXPECTED_INTERPRETER:
                return see_interpreter(entry, v);
        case EXPECTED_HANDLER:
                return see_handler(entry, v);
        case EXPECTED_NOTHING:
                break;
        }
        return 0;
}

/* All but whose it is and when it was. */
static void copy_exec(HeldExec *to, const HeldExec *from) {
        const size_t first = offsetof(HeldExec, comm);

        memcpy((char *)to + first, (const char *)from + first,
               offsetof(HeldExec, executable) - first);
        memcpy(to->executable, from->executable, from->n_executable);
        memcpy(to->args, from->args, from->n_args_bytes);
}

int exec_chain_see(ExecChain *c, const ExecView *v, HeldExec *ret_exec) {
        Entry *entry = get_entry(c, v->tid);
        uint64_t call = hash_call(v), path = hash_bytes(v->path, v->n_path);
        int r = 1;

        entry->seen = ++c->n_seen;
        if (entry->tid == v->tid && entry->call == call && entry->first != path) {
                r = go_on(entry, v);
        } else {
                entry->tid = v->tid;
                entry->call = call;
                entry->first = path;
                begin(entry, v);
        }
        if (r > 0)
                copy_exec(ret_exec, &entry->exec);
        return r;
}
