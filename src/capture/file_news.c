/* SPDX-License-Identifier: MIT */

/* What events without a name have said of files lately. */

#include "capture/file_news.h"

#include <stddef.h>

#include "capture/fan_event.h"

static size_t slot_of(uint64_t file) {
        return file & (FILE_NEWS_SLOTS - 1);
}

static bool is_same(const FileNews *n, const FileNewsSlot *s, uint64_t file, int32_t pid) {
        return s->file == file && s->pid == pid && s->window == n->window;
}

uint64_t file_news_mask(const FileNews *n, uint64_t file, int32_t pid) {
        const FileNewsSlot *s = &n->slots[slot_of(file)];

        return is_same(n, s, file, pid) ? s->mask : 0;
}

void file_news_add(FileNews *n, uint64_t file, int32_t pid, uint64_t mask) {
        FileNewsSlot *s = &n->slots[slot_of(file)];

        /* That it is gone stays true, whoever says what about it. */
        if (is_same(n, s, file, pid))
                mask |= s->mask;
        else if (s->file == file)
                mask |= s->mask & FAN_DELETE_SELF;
        *s = (FileNewsSlot){.file = file, .mask = mask, .window = n->window, .pid = pid};
}

bool file_news_is_gone(const FileNews *n, uint64_t file) {
        const FileNewsSlot *s = &n->slots[slot_of(file)];

        return s->file == file && s->mask & FAN_DELETE_SELF;
}
