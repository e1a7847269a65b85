/* SPDX-License-Identifier: MIT */

/*
 * A window of one page that moves over the task's memory.
 *
 * process_vm_readv(2) and not /proc/TID/mem: where a page does not come, a read of the latter
 * cannot even be killed, and the monitor could not end.
 *
 * Limits: the memory may be changed by another thread between this and the kernel's own reading:
 * who wants to be misread can be, as with /proc/PID/cmdline.
 */

#include "identify/exec_memory.h"

#include <errno.h>
#include <string.h>
#include <sys/uio.h>

/* Of at least this size are all pages. */
#define WINDOW_BYTES ((uint64_t)4096)
/* Arguments that lie together need two or three. */
#define WINDOWS_MAX 64

typedef struct Window {
        pid_t tid;
        uint64_t address; /* a multiple of WINDOW_BYTES, or 1: nothing read yet */
        unsigned n_reads;
        char bytes[WINDOW_BYTES];
} Window;

static int move_to(Window *w, uint64_t address) {
        struct iovec to = {.iov_base = w->bytes, .iov_len = sizeof(w->bytes)};
        struct iovec from = {.iov_base = (void *)(uintptr_t)address, .iov_len = sizeof(w->bytes)};
        ssize_t n;

        if (w->address == address)
                return 0;
        if (++w->n_reads > WINDOWS_MAX)
                return -E2BIG;
        w->address = 1;
        n = process_vm_readv(w->tid, &to, 1, &from, 1, 0);
        if (n < 0)
                return -errno;
        if ((size_t)n < sizeof(w->bytes))
                return -EFAULT;
        w->address = address;
        return 0;
}

/* Bytes at an address up to the window's end, or a negative errno. */
static int look(Window *w, uint64_t address, const char **ret_at) {
        uint64_t offset = address % WINDOW_BYTES;
        int r = move_to(w, address - offset);

        if (r < 0)
                return r;
        *ret_at = w->bytes + offset;
        return (int)(WINDOW_BYTES - offset);
}

static int read_bytes(Window *w, uint64_t address, void *ret, size_t n_bytes) {
        char *to = ret;

        while (n_bytes > 0) {
                const char *at;
                int n = look(w, address, &at);

                if (n < 0)
                        return n;
                if ((size_t)n > n_bytes)
                        n = (int)n_bytes;
                memcpy(to, at, (size_t)n);
                to += n;
                address += (size_t)n;
                n_bytes -= (size_t)n;
        }
        return 0;
}

/* With its NUL, if there is room. Return: bytes, or -ENOBUFS, errors of look(). */
static int read_string(Window *w, uint64_t address, char *to, size_t n_to) {
        size_t n_bytes = 0;

        while (n_bytes < n_to) {
                const char *at, *nul;
                size_t n;
                int r = look(w, address, &at);

                if (r < 0)
                        return r;
                n = (size_t)r < n_to - n_bytes ? (size_t)r : n_to - n_bytes;
                nul = memchr(at, '\0', n);
                if (nul)
                        n = (size_t)(nul - at) + 1;
                memcpy(to + n_bytes, at, n);
                n_bytes += n;
                address += n;
                if (nul)
                        return (int)n_bytes;
        }
        return -ENOBUFS;
}

/* Return: 0 and the address (0: the end of the list), errors of look(). */
static int read_pointer(Window *w, const ExecCall *call, size_t i, uint64_t *ret) {
        uint64_t address = call->argv + i * call->n_pointer_bytes;
        uint32_t narrow;
        int r;

        if (call->n_pointer_bytes == sizeof(*ret))
                return read_bytes(w, address, ret, sizeof(*ret));
        r = read_bytes(w, address, &narrow, sizeof(narrow));
        if (r >= 0)
                *ret = narrow;
        return r;
}

/* The list and the strings are each looked at through a window of their own. */
static int read_args(pid_t tid, ExecMemory *memory, ExecView *v) {
        Window list = {.tid = tid, .address = 1}, strings = {.tid = tid, .address = 1};
        size_t n_bytes = 0;
        uint64_t address;
        int r = 0;

        for (size_t i = 0; v->call.argv != 0; i++) {
                r = read_pointer(&list, &v->call, i, &address);
                if (r < 0 || address == 0)
                        break;
                r = read_string(&strings, address, memory->args + n_bytes,
                                sizeof(memory->args) - n_bytes);
                if (r < 0)
                        break;
                n_bytes += (size_t)r;
        }
        if (r == -ENOBUFS)
                n_bytes = sizeof(memory->args);
        if (r < 0 && r != -ENOBUFS && r != -E2BIG)
                return r;
        v->is_args_cut = r < 0;
        v->args = memory->args;
        v->n_args_bytes = n_bytes;
        return 0;
}

int exec_memory_read(pid_t tid, ExecMemory *memory, ExecView *v) {
        Window w = {.tid = tid, .address = 1};
        int r;

        r = read_string(&w, v->call.filename, memory->filename, sizeof(memory->filename));
        if (r < 0)
                return r;
        v->filename = memory->filename;
        v->n_filename = (size_t)r - 1;
        return read_args(tid, memory, v);
}
