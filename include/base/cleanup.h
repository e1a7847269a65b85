/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Scope-bound ownership.  Every owned local carries one of these attributes; a destructor takes
 * NULL and -1, so that half-built objects and moved-out variables need no special case.
 */

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define _cleanup_(f) __attribute__((cleanup(f)))

static inline void cleanup_free(void *p) {
        free(*(void **)p);
}

static inline void cleanup_close(int *fd) {
        if (*fd >= 0)
                close(*fd);
}

static inline void cleanup_fclose(FILE **f) {
        if (*f)
                fclose(*f);
}

static inline void cleanup_closedir(DIR **d) {
        if (*d)
                closedir(*d);
}

#define _cleanup_free_ _cleanup_(cleanup_free)
#define _cleanup_close_ _cleanup_(cleanup_close)
#define _cleanup_fclose_ _cleanup_(cleanup_fclose)
#define _cleanup_closedir_ _cleanup_(cleanup_closedir)

/* Moves a descriptor or a pointer out of a variable that has a cleanup attribute. */
static inline int take_fd(int *fd) {
        int r = *fd;

        *fd = -1;
        return r;
}

#define TAKE_PTR(p)                                                                                \
        ({                                                                                         \
                __typeof__(p) *_pp = &(p);                                                         \
                __typeof__(p) _r = *_pp;                                                           \
                *_pp = NULL;                                                                       \
                _r;                                                                                \
        })
