/* SPDX-License-Identifier: Apache-2.0 */
/* move_events: the part of `kith move` that takes events from one warehouse to another. */
#ifndef KITH_CLI_MOVE_EVENTS_H
#define KITH_CLI_MOVE_EVENTS_H

#include <stdbool.h>

#include "base/error.h"

/* Addresses of shards; NULL: the embedded warehouse of the folder. `ahead`: the folder's server runs, and its warehouse is asked. What was
 * copied earlier is compared and stays. Says on stdout how much it was. Errors as warehouse_copy. */
err move_events(const char *folder, const char *from, const char *to, bool ahead,
                struct problem *problem) MUST_USE;
/* Nobody finds the old place by mistake: a folder gets the ending .moved, shards no longer say whose they are. */
err move_events_close(const char *folder, const char *from, struct problem *problem) MUST_USE;

#endif
