/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What the doctor found, for people and for machines.  Pure.
 */

#include <stdbool.h>
#include <stddef.h>

#include "base/buffer.h"

typedef enum DoctorMark {
        DOCTOR_OK,
        DOCTOR_NOTE,    /* worth knowing, and nothing wrong with it */
        DOCTOR_MISSING, /* a watch works without it, and tells less */
        DOCTOR_CANNOT,  /* something is not watched, or could not be tried */
} DoctorMark;

typedef struct DoctorItem {
        DoctorMark mark;
        const char *topic; /* one word: "kernel", "filesystem"; static */
        char *what;        /* harmless on a terminal */
        char *advice;      /* NULL none */
} DoctorItem;

typedef struct DoctorReport {
        DoctorItem *items;
        size_t n_items;
        bool is_failed; /* one of them did not fit into memory */
} DoctorReport;

/* Copies what and advice (NULL none); without memory the report is_failed. */
void doctor_report_add(DoctorReport *r, DoctorMark mark, const char *topic, const char *what,
                       const char *advice);
void doctor_report_done(DoctorReport *r);
#define _cleanup_doctor_report_ _cleanup_(doctor_report_done)

/* Nothing is missing, nothing cannot be. */
bool doctor_report_is_well(const DoctorReport *r);

/* A line each, which begins with its mark, and one below it that says what to do. */
void doctor_report_append_text(const DoctorReport *r, bool is_colored, Buffer *b);
/* One object on one line. */
void doctor_report_append_json(const DoctorReport *r, Buffer *b);
