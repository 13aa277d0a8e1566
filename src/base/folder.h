/* SPDX-License-Identifier: Apache-2.0 */
/* folder: what a process may leave behind when it is killed lies in a folder that its successor empties. */
#ifndef KITH_BASE_FOLDER_H
#define KITH_BASE_FOLDER_H

#include "base/error.h"

/* The folder `path` is there afterwards, for this user alone, and nothing is in it. Symbolic links in it are removed, not
 * followed; if `path` itself is one, it is refused. IO names what could not be made or removed. */
err folder_make_empty(const char *path, struct problem *problem) MUST_USE;
/* With all that is in it; IO names what could not be removed. Nothing is said where there is none. */
err folder_remove(const char *path, struct problem *problem) MUST_USE;

#endif
