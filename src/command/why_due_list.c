/* SPDX-License-Identifier: MIT */

/* A binary heap, so that a walk through millions of files takes the memory of what is listed. */

#include "command/why_due_list.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

void why_due_list_init(WhyDueList *l, size_t n_max) {
        *l = (WhyDueList){.n_max = n_max};
}

void why_due_list_done(WhyDueList *l) {
        for (size_t i = 0; i < l->n_entries; i++)
                free(l->entries[i].path);
        free(l->entries);
        *l = (WhyDueList){0};
}

static int compare(uint64_t a_due, const char *a_path, const WhyDue *b) {
        if (a_due != b->due_nsec)
                return a_due < b->due_nsec ? -1 : 1;
        return strcmp(a_path, b->path);
}

static bool is_later(const WhyDueList *l, size_t a, size_t b) {
        return compare(l->entries[a].due_nsec, l->entries[a].path, &l->entries[b]) > 0;
}

static void swap(WhyDueList *l, size_t a, size_t b) {
        WhyDue kept = l->entries[a];

        l->entries[a] = l->entries[b];
        l->entries[b] = kept;
}

static void sift_up(WhyDueList *l, size_t i) {
        for (; i > 0 && is_later(l, i, (i - 1) / 2); i = (i - 1) / 2)
                swap(l, i, (i - 1) / 2);
}

static void sift_down(WhyDueList *l, size_t i) {
        for (;;) {
                size_t latest = i;

                for (size_t child = 2 * i + 1; child <= 2 * i + 2 && child < l->n_entries; child++)
                        if (is_later(l, child, latest))
                                latest = child;
                if (latest == i)
                        return;
                swap(l, i, latest);
                i = latest;
        }
}

static int grow(WhyDueList *l) {
        size_t n = l->n_allocated > 0 ? 2 * l->n_allocated : 64;
        WhyDue *entries;

        if (n > l->n_max)
                n = l->n_max;
        entries = reallocarray(l->entries, n, sizeof(*entries));
        if (!entries)
                return -ENOMEM;
        l->entries = entries;
        l->n_allocated = n;
        return 0;
}

int why_due_list_add(WhyDueList *l, uint64_t due_nsec, const char *path, bool is_directory,
                     const TmpfilesRule *rule) {
        const bool is_full = l->n_entries == l->n_max;
        WhyDue e = {.due_nsec = due_nsec, .is_directory = is_directory, .rule = rule};

        l->n_added++;
        if (is_full && compare(due_nsec, path, &l->entries[0]) >= 0)
                return 0;
        e.path = strdup(path);
        if (!e.path)
                return -ENOMEM;
        if (is_full) {
                free(l->entries[0].path);
                l->entries[0] = e;
                sift_down(l, 0);
                return 0;
        }
        if (l->n_entries == l->n_allocated && grow(l) < 0) {
                free(e.path);
                return -ENOMEM;
        }
        l->entries[l->n_entries++] = e;
        sift_up(l, l->n_entries - 1);
        return 0;
}

static int compare_entries(const void *a, const void *b) {
        const WhyDue *x = a;

        return compare(x->due_nsec, x->path, b);
}

void why_due_list_sort(WhyDueList *l) {
        if (l->n_entries > 0)
                qsort(l->entries, l->n_entries, sizeof(*l->entries), compare_entries);
}
