/* SPDX-License-Identifier: MIT */

/*
 * See truth.h.  An item is found by action, path and target; several deletions of one name are
 * several items with one key, told apart by their process.
 */

#include "truth.h"

#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "harness.h"
#include "record.h"
#include "truth_facts.h"

#define NOTES_MAX 8

void truth_done(Truth *t) {
        for (size_t i = 0; i < t->n_items; i++) {
                free(t->items[i].path);
                free(t->items[i].target);
        }
        free(t->items);
        *t = (Truth){0};
}

TruthItem *truth_add(Truth *t, const char *action, const char *path, const Process *process) {
        TruthItem *item;

        if (t->n_items == t->n_allocated) {
                t->n_allocated = t->n_allocated * 2 + 64;
                t->items = reallocarray(t->items, t->n_allocated, sizeof(*t->items));
                harness_assert(t->items, "out of memory");
        }
        item = &t->items[t->n_items];
        *item = (TruthItem){.action = action,
                            .path = strdup(path),
                            .process = process,
                            .i = t->n_items++,
                            .n_expected = 1};
        harness_assert(item->path, "out of memory");
        t->is_sorted = false;
        return item;
}

TruthItem *truth_add_move(Truth *t, const char *from, const char *to, const Process *process) {
        TruthItem *item = truth_add(t, "move", from, process);

        item->target = strdup(to);
        return item;
}

TruthItem *truth_add_overwrite(Truth *t, const char *lost, const char *from,
                               const Process *process) {
        TruthItem *item = truth_add(t, "overwrite", lost, process);

        item->target = strdup(from);
        return item;
}

static int compare_keys(const TruthItem *a, const TruthItem *b) {
        int r = strcmp(a->path, b->path);

        if (r == 0)
                r = strcmp(a->action, b->action);
        if (r == 0)
                r = strcmp(a->target ? a->target : "", b->target ? b->target : "");
        return r;
}

static int compare_items(const void *a, const void *b) {
        const TruthItem *x = a, *y = b;
        int r = compare_keys(x, y);

        return r != 0 ? r : (x->i > y->i) - (x->i < y->i);
}

/* Return: the first item of a key, NULL if there is none. */
static TruthItem *find_first(Truth *t, const TruthItem *key) {
        size_t low = 0, high = t->n_items;

        while (low < high) {
                size_t middle = low + (high - low) / 2;

                if (compare_keys(&t->items[middle], key) < 0)
                        low = middle + 1;
                else
                        high = middle;
        }
        return low < t->n_items && compare_keys(&t->items[low], key) == 0 ? &t->items[low] : NULL;
}

/* Return: the item of this record: one not seen yet, of its process if any is; NULL: none. */
static TruthItem *find_item(Truth *t, const TruthItem *key, pid_t pid, bool *ret_is_known) {
        TruthItem *first = find_first(t, key), *other = NULL;

        *ret_is_known = first;
        for (TruthItem *item = first;
             item && item < t->items + t->n_items && compare_keys(item, key) == 0; item++) {
                if (item->n_seen >= item->n_expected)
                        continue;
                if (!item->process || item->process->pid == pid)
                        return item;
                if (!other)
                        other = item;
        }
        return other;
}

static void note(TruthDiff *diff, const char *what, const char *action, const char *path,
                 const char *detail) {
        if (diff->n_noted++ < NOTES_MAX)
                harness_note("%s: %s %s%s%.600s", what, action, path, *detail ? ": " : "", detail);
}

static void compare_record(Truth *t, TruthDiff *diff, struct json_object *record, size_t *last) {
        Bytes path = record_bytes(record, "file.path", "whodunlink.path_raw");
        Bytes target = record_bytes(record, "file.target_path", "whodunlink.target_path_raw");
        _cleanup_free_ char *owned_path = path.data, *owned_target = target.data;
        char action[32], unknown[128] = "", wrong[512] = "";
        TruthItem key = {.action = action, .path = owned_path, .target = owned_target};
        const char *source = record_string(record, "whodunlink.path_source");
        TruthItem *item;
        bool is_known;

        snprintf(action, sizeof(action), "%s", record_string(record, "event.action"));
        diff->n_records++;
        if (!source || strcmp(source, "none") == 0) {
                diff->n_unresolved++;
                note(diff, "unresolved", action, path.data ? path.data : "?",
                     json_object_to_json_string_ext(record_get(record, "file"),
                                                    JSON_C_TO_STRING_PLAIN));
        }
        if (!path.data)
                return;
        item = find_item(t, &key, (pid_t)record_number(record, "process.pid"), &is_known);
        if (!item) {
                *(is_known ? &diff->n_doubled : &diff->n_unexpected) += 1;
                note(diff, is_known ? "doubled" : "unexpected", action, path.data,
                     json_object_to_json_string_ext(record, JSON_C_TO_STRING_PLAIN));
                return;
        }
        item->n_seen++;
        if (t->is_ordered && item->i < *last) {
                diff->n_disordered++;
                note(diff, "out of order", action, path.data, "");
        }
        *last = item->i;
        truth_compare_facts(item, record, wrong, sizeof(wrong), unknown, sizeof(unknown));
        diff->n_wrong += *wrong != '\0';
        diff->n_unknown += *unknown != '\0';
        if (*wrong)
                note(diff, "wrong", action, path.data, wrong);
        if (*unknown)
                note(diff, "unknown", action, path.data, unknown);
}

TruthDiff truth_compare(Truth *t, const Monitor *m) {
        _cleanup_reader_ RecordReader r = record_reader_new(m->output_path);
        TruthDiff diff = {0};
        size_t last = 0;

        if (!t->is_sorted && t->n_items > 0)
                qsort(t->items, t->n_items, sizeof(*t->items), compare_items);
        t->is_sorted = true;
        for (struct json_object *record = record_next_deletion(&r); record;
             record = record_next_deletion(&r)) {
                harness_assert(record_number(record, "process.pid") != m->pid,
                               "the monitor reports itself");
                compare_record(t, &diff, record, &last);
        }
        for (size_t i = 0; i < t->n_items; i++) {
                TruthItem *item = &t->items[i];

                if (item->n_seen < item->n_expected) {
                        diff.n_missing++;
                        note(&diff, "missing", item->action, item->path, "");
                }
        }
        return diff;
}

void truth_assert(const TruthDiff *diff, size_t n_unknown_allowed) {
        size_t n_bad = diff->n_missing + diff->n_doubled + diff->n_unexpected + diff->n_wrong +
                       diff->n_unresolved + diff->n_disordered;

        harness_assert(n_bad == 0 && diff->n_unknown <= n_unknown_allowed,
                       "%zu records: %zu missing, %zu doubled, %zu unexpected, %zu wrong, "
                       "%zu unresolved, %zu out of order, %zu with unknown facts (%zu allowed)",
                       diff->n_records, diff->n_missing, diff->n_doubled, diff->n_unexpected,
                       diff->n_wrong, diff->n_unresolved, diff->n_disordered, diff->n_unknown,
                       n_unknown_allowed);
}

void truth_check(Truth *t, Monitor *m, size_t n_unknown_allowed) {
        TruthDiff diff;

        monitor_stop(m);
        diff = truth_compare(t, m);
        if (diff.n_unknown > 0)
                harness_note("%zu of %zu records with unknown facts", diff.n_unknown,
                             diff.n_records);
        truth_assert(&diff, n_unknown_allowed);
}
