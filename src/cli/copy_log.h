/* SPDX-License-Identifier: Apache-2.0 */
/* copy_log: a log that nobody writes, block by block, into a new one: between file and server. */
#ifndef KITH_CLI_COPY_LOG_H
#define KITH_CLI_COPY_LOG_H

#include <stdint.h>

#include "base/error.h"

/* CONFLICT where there is a log at `into` already. *last_seq (may be NULL): of the last record. */
err copy_log(const char *from, const char *into, uint64_t *last_seq,
             struct problem *problem) MUST_USE;

#endif
