/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What happens on the filesystem that holds an overlay's writable layer, as a user of the overlay
 * sees it.
 */

#include "capture/overlay_layers.h"
#include "command/watch_session.h"
#include "command/watched_filesystem_events.h"

/* An overlay that is mounted in our mount namespace. */
typedef struct WatchOverlay {
        dev_t device;
        OverlayLayers layers;
} WatchOverlay;

typedef enum WatchOverlayView {
        WATCH_OVERLAY_PLAIN,    /* it is what it looks like */
        WATCH_OVERLAY_INNER,    /* overlayfs keeps house, or the overlay itself is watched */
        WATCH_OVERLAY_WHITEOUT, /* a rename that hides what lies in a layer below: a deletion */
} WatchOverlayView;

/* The mounts are others now. Return: 0, -ENOMEM (said). */
int watch_overlays_update(WatchSession *s);
void watch_overlays_done(WatchSession *s);

/*
 * watch_overlays_view() - what an event is to a user
 * @ret_is_directory: filled for a whiteout: what is hidden is a directory
 */
WatchOverlayView watch_overlays_view(const WatchSession *s, WatchedFilesystem *fs,
                                     const LocatedEvent *e, bool *ret_is_directory);

/* Did a rename put something in the place of a whiteout, where a user of the overlay saw nothing?
 */
bool watch_overlays_hides(const WatchSession *s, WatchedFilesystem *fs, const LocatedEvent *e);

/*
 * watch_overlays_fill() - the other paths of what vanished from an overlay
 *
 * In its writable layer, if that is asked for and known; and in the container of the deleter, if
 * the overlay is the root of that.  Borrowed by the record until the next call.
 */
void watch_overlays_fill(WatchSession *s, const WatchedFilesystem *fs, Record *r);
