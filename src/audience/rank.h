/* SPDX-License-Identifier: Apache-2.0 */
/* rank: which numbers stand at some ranks among many. Private to audience. */
#ifndef KITH_AUDIENCE_RANK_H
#define KITH_AUDIENCE_RANK_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

#define RANKS_MAX 16

/* out[i] becomes the number that would stand at ranks[i] (from 0, ascending, at most RANKS_MAX of them, below `count`) if `values` were in
 * ascending order; they stay as they are. NOMEM: out is then unspecified. Any thread. Cost: three passes over `values`, a copy of those that share
 * their upper digits with one at a rank, and 0.5 MB. */
err numbers_at_ranks(const int64_t *values, size_t count, const size_t *ranks, size_t rank_count,
                     int64_t *out) MUST_USE;

#endif
