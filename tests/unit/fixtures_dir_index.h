/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * An index of a tree of real directories, with marks of our own: the functions here stand in for
 * those of capture/fan_group.c, capture/new_directories.c and locate/live_mount.c, which need root.
 */

#include "fixtures_directories.h"
#include "locate/dir_index.h"

#define MAX_NEW 32

struct NewDirectories {
        int unused;
};

static ScopeTarget target;
static ScopeSet scopes;
static DirIndex *dir_index;
/* Directories that were marked, in order: in the group of deletions, and for new ones. */
static ino_t marked[MAX_HANDLES], marked_for_new[MAX_HANDLES];
static size_t n_marked, n_marked_for_new;
static ino_t refused; /* no mark for this one: … */
static int refusal;
static void (*on_mark)(int fd); /* something happens the moment after */
/* What comes out of new_directories_next(), an error if .name is NULL. */
static struct {
        int r;
        FanName name;
} news[MAX_NEW];
static size_t n_news, n_news_taken;
static bool is_stopped;

static inline ino_t inode_of(int fd) {
        struct stat st;

        if (fstat(fd, &st) < 0)
                ck_abort_msg("fstat");
        return st.st_ino;
}

int fan_group_mark_directory(FanGroup *g, int directory_fd) {
        ino_t inode = inode_of(directory_fd);

        (void)g;
        if (inode == refused)
                return refusal;
        marked[n_marked++] = inode;
        return 0;
}

int new_directories_mark(NewDirectories *n, int directory_fd) {
        ino_t inode = inode_of(directory_fd);

        (void)n;
        /* In this order (capture/new_directories.h). */
        ck_assert_uint_eq(marked[n_marked - 1], inode);
        marked_for_new[n_marked_for_new++] = inode;
        if (on_mark)
                on_mark(directory_fd);
        return 0;
}

int new_directories_new(NewDirectories **ret_new) {
        static NewDirectories n;

        *ret_new = &n;
        return 0;
}

NewDirectories *new_directories_free(NewDirectories *n) {
        (void)n;
        return NULL;
}

int new_directories_fd(const NewDirectories *n) {
        (void)n;
        return -1;
}

void new_directories_stop(NewDirectories *n) {
        (void)n;
        is_stopped = true;
}

int new_directories_next(NewDirectories *n, FanName *ret_name) {
        (void)n;
        if (n_news_taken == n_news)
                return 0;
        *ret_name = news[n_news_taken].name;
        return news[n_news_taken++].r;
}

int live_mount_fd(const LiveMount *m) {
        (void)m;
        return root_fd;
}

/* The kernel tells of a new directory. */
static inline void tell_new(int r, FanName name) {
        news[n_news].r = r;
        news[n_news++].name = name;
}

/* The filesystem is mounted at /t, and this is watched. */
static inline void set_up_index(const char *watched) {
        target = (ScopeTarget){
                .path = strdup(watched), .n_path = strlen(watched), .is_directory = true};
        scopes = (ScopeSet){.targets = &target, .n_targets = 1};
        ck_assert_int_eq(scope_set_add_mount(&scopes, "/", "/t", "ext4", "/dev/x", NULL), 0);
}

static inline void start_index(void) {
        ck_assert_int_eq(dir_index_new(NULL, NULL, &scopes, tree, &later, &dir_index), 0);
}

static inline void tear_down_index(void) {
        dir_index = dir_index_free(dir_index);
        scope_set_done(&scopes);
        free(target.path);
        n_marked = n_marked_for_new = n_news = n_news_taken = 0;
        refused = 0;
        on_mark = NULL;
        is_stopped = false;
}

static inline void expect_no_gap(void) {
        DirIndexGaps gaps;

        ck_assert(!dir_index_take_gaps(dir_index, &gaps));
}

static inline void expect_gap(int error, const char *at) {
        DirIndexGaps gaps;

        ck_assert(dir_index_take_gaps(dir_index, &gaps));
        ck_assert_uint_eq(gaps.n_directories, 1);
        ck_assert_int_eq(gaps.error, error);
        ck_assert_str_eq(gaps.path, at);
        expect_no_gap();
}
