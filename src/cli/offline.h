/* SPDX-License-Identifier: Apache-2.0 */
/* offline: what commands on a stopped folder share. */
#ifndef KITH_CLI_OFFLINE_H
#define KITH_CLI_OFFLINE_H

#include <stdbool.h>

#include "base/digest.h"
#include "base/error.h"

/* Where the stores of a folder lie; NULL: in the folder. */
struct folder_places {
    const char *ledger, *log, *warehouse;
};

/* Open the state of a stopped folder, print its digest, and leave it at rest. `replay_only`: out of the log alone. */
err digest_of(const char *folder, const struct folder_places *places, bool replay_only,
              struct digest *digest, struct problem *problem) MUST_USE;

#endif
