/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What a way out must be able to do: the one interface between the watch and stdout or the journal.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "record/record.h"

typedef struct SinkKind {
        const char *name; /* "cannot write to NAME" */
        /* Return: 0; -ENOMEM nothing of it is in the sink; errors of .flush, but never -EAGAIN. */
        int (*put)(void *sink, const Record *record);
        /* As record_sink_flush(). */
        int (*flush)(void *sink);
        bool (*is_full)(const void *sink);
        size_t (*n_pending)(const void *sink);
        /*
         * What has come out for good, in one of two ways: bytes that were ever written, where they
         * go in the order of .put; or the sequence of the first record that has not (of what was
         * put and is not sent, or not known to be stored, or held back to be folded), 0 none.
         */
        uint64_t (*n_written)(const void *sink);
        uint64_t (*first_pending)(const void *sink);
        int (*fd)(const void *sink);
        uint32_t (*events)(const void *sink);
        /* As record_sink_trouble(). NULL: none is known of. */
        const char *(*trouble)(const void *sink);
        /* As record_sink_take_refusal(). NULL: never. */
        bool (*take_refusal)(void *sink);
        /* Does whoever reads it read stderr as well? NULL: no. */
        bool (*is_for_people)(const void *sink);
        /* The terminal has another width now. NULL: it is none. */
        void (*set_columns)(void *sink, size_t n_columns);
        /* Takes NULL. */
        void (*free)(void *sink);
} SinkKind;
