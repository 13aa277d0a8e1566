/* SPDX-License-Identifier: Apache-2.0 */
/* offline: what commands on a stopped folder share. */
#ifndef KITH_CLI_OFFLINE_H
#define KITH_CLI_OFFLINE_H

#include <stdbool.h>

#include "base/digest.h"
#include "base/error.h"

/* Open the state of a stopped folder, whose ledger and log may lie on a server (NULL: in the folder), print its digest, and
 * leave it at rest. `replay_only`: out of the log alone. */
err digest_of(const char *folder, const char *ledger, const char *log, bool replay_only,
              struct digest *digest, struct problem *problem) MUST_USE;

#endif
