/* SPDX-License-Identifier: MIT */

/* What events without a name have said of files lately. */

#include "capture/file_news.h"

#include <stddef.h>
#include <string.h>

#include "capture/fan_event.h"

static bool is_same(const FileNews *n, const FileNewsSlot *s, uint64_t file, int32_t pid) {
        return s->file == file && s->pid == pid && s->window == n->window;
}

/* Whoever removes what lies in a layer of an overlay moves the same whiteout. */
static size_t ways_of(uint64_t file, int32_t pid) {
        const uint64_t hash = file ^ ((uint64_t)(uint32_t)pid * 0x9e3779b1U >> 16);

        return (hash & (FILE_NEWS_SLOTS - 1)) / FILE_NEWS_WAYS * FILE_NEWS_WAYS;
}

/* Return: its slot, or NULL. */
static const FileNewsSlot *find(const FileNews *n, uint64_t file, int32_t pid) {
        const FileNewsSlot *ways = &n->slots[ways_of(file, pid)];

        for (size_t i = 0; i < FILE_NEWS_WAYS; i++)
                if (is_same(n, &ways[i], file, pid))
                        return &ways[i];
        return NULL;
}

uint64_t file_news_mask(const FileNews *n, uint64_t file, int32_t pid) {
        const FileNewsSlot *s = find(n, file, pid);

        if (!s)
                return 0;
        return s->mask | (file_news_is_gone(n, file) ? FAN_DELETE_SELF : 0);
}

void file_news_add(FileNews *n, uint64_t file, int32_t pid, uint64_t mask) {
        FileNewsSlot *ways = &n->slots[ways_of(file, pid)];
        size_t i = 0;

        /* That it is gone stays true, whoever says what about it. */
        if (mask & FAN_DELETE_SELF)
                n->gone[file & (FILE_NEWS_SLOTS - 1)] = file;
        while (i < FILE_NEWS_WAYS - 1 && !is_same(n, &ways[i], file, pid))
                i++;
        if (is_same(n, &ways[i], file, pid))
                mask |= ways[i].mask;
        /* The newest comes first, the oldest falls out. */
        memmove(&ways[1], &ways[0], i * sizeof(*ways));
        ways[0] = (FileNewsSlot){.file = file, .mask = mask, .window = n->window, .pid = pid};
}

bool file_news_is_gone(const FileNews *n, uint64_t file) {
        return file != 0 && n->gone[file & (FILE_NEWS_SLOTS - 1)] == file;
}
