/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The filesystem of this machine as tmpfiles_choice looks at it.
 *
 * Looks without a trace: no access time changes and nothing is locked.  Locks and sockets in use
 * are read once, from /proc, at the first question about one.
 */

#include "explain/tmpfiles_choice.h"

typedef struct TmpfilesLive TmpfilesLive;

int tmpfiles_live_new(TmpfilesLive **ret_live); /* Return: 0, -ENOMEM. */
TmpfilesLive *tmpfiles_live_free(TmpfilesLive *live);
/* Forgets locks and sockets, so that the next question reads them anew. */
void tmpfiles_live_refresh(TmpfilesLive *live);
/* Valid as long as the live. */
TmpfilesTree tmpfiles_live_tree(TmpfilesLive *live);
