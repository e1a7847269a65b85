/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * How a filesystem is marked.
 */

typedef enum Marking {
        MARKING_AUTO,        /* as a whole, and where that is refused directory by directory */
        MARKING_FILESYSTEM,  /* as a whole */
        MARKING_DIRECTORIES, /* each directory */
} Marking;
