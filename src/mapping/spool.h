/* SPDX-License-Identifier: Apache-2.0 */
/* spool: sorted runs of records in a file without a name, merged when they are read.
 *
 * The file holds what people have uploaded, personal values included: it is encrypted with a key that
 * lives in RAM alone, and has no name from the moment it is made, so that nothing of it outlives the process.
 * Blocks of 64 KB, each XORed with ChaCha20 under its own number as nonce (libsodium).
 *
 * One thread.
 */
#ifndef KITH_MAPPING_SPOOL_H
#define KITH_MAPPING_SPOOL_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "base/str.h"

struct spool;

/* In `folder`, or TMPDIR, or /tmp. IO, STORAGE_FULL, NOMEM. */
err spool_open(struct spool **spool, const char *folder, struct problem *problem) MUST_USE;
void spool_close(struct spool **spool);

/* A run: its records in order. */
err spool_begin_run(struct spool *spool, struct problem *problem) MUST_USE;
err spool_write(struct spool *spool, str record, struct problem *problem) MUST_USE;
err spool_end_run(struct spool *spool, struct problem *problem) MUST_USE;

/* Read all runs as one: `before` orders two records, `size_of` tells the bytes of one from its first `head_bytes`. */
err spool_merge_begin(struct spool *spool, bool (*before)(const char *, const char *),
                      size_t (*size_of)(const char *), size_t head_bytes, size_t memory_bytes_max,
                      struct problem *problem) MUST_USE;
/* Borrowed until the next call; NULL at the end. */
err spool_merge_next(struct spool *spool, const char **record, struct problem *problem) MUST_USE;

#endif
