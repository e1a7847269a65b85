/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What events without a name have said of files lately.
 *
 * A table of fixed size in which a newer file takes an older one's place: what falls out costs a
 * look at the filesystem, or a short wait.
 */

#include <stdbool.h>
#include <stdint.h>

/* A power of two. */
#define FILE_NEWS_SLOTS 4096
/* Of these the oldest falls out. */
#define FILE_NEWS_WAYS 8

typedef struct FileNewsSlot {
        uint64_t file;   /* hash of its handle */
        uint64_t mask;   /* FAN_* bits */
        uint64_t window; /* in which the last of them was read … */
        int32_t pid;     /* … and whose it was */
} FileNewsSlot;

/* Zeroed it is empty. */
typedef struct FileNews {
        uint64_t window; /* events merge only within one; the owner counts it up */
        FileNewsSlot slots[FILE_NEWS_SLOTS]; /* by file and process: several have one in hand */
        uint64_t gone[FILE_NEWS_SLOTS];      /* hashes of files; 0 none */
} FileNews;

void file_news_add(FileNews *n, uint64_t file, int32_t pid, uint64_t mask);
/* What events by one process in this window have said of a file; 0 nothing, or it is not known. */
uint64_t file_news_mask(const FileNews *n, uint64_t file, int32_t pid);
/* Has it been said, at any time, that the file is gone for good? */
bool file_news_is_gone(const FileNews *n, uint64_t file);
