/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Why something cannot be had, in words for people, with what they can do about it.
 *
 * Pure.  All answers are static strings, or strerror(3)'s: "WHY" or "WHY; WHAT TO DO".
 */

#include "base/buffer.h"
#include "capture/mountinfo.h"
#include "command/watched_filesystem.h"

/* A mount cannot be watched; step as watched_filesystem_new() left it. */
const char *reasons_mount(int error, WatchedStep step, const Mount *m);
/* It is watched directory by directory; refusal as of watched_filesystem_refusal(). */
const char *reasons_directories(int refusal, const char *fstype);
/* The process connector, as proc_connector_new() failed. */
const char *reasons_process_events(int error);
/* Exit records, as taskstats_socket_new() failed. */
const char *reasons_exit_records(int error);
/* SCHED_FIFO. */
const char *reasons_priority(int error);

/* "/mnt (ext4 on /dev/sda1)", harmless on a terminal. */
void reasons_append_mount(Buffer *b, const char *point, const char *fstype, const char *source);
