/* SPDX-License-Identifier: Apache-2.0 */
/* pace: how often somebody may ask: so many a minute, with a burst of what ten seconds bring.
 *
 * The generic cell rate algorithm (ITU-T I.371): of each key one number is kept, the time at which all that it
 * asked for would have been asked for at an even pace. Bounded memory: the key that is longest at rest gives way.
 * Any thread; a check locks one of 64 pieces of the table.
 */
#ifndef KITH_ACCESS_PACE_H
#define KITH_ACCESS_PACE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"

struct pace;

err pace_new(struct pace **pace) MUST_USE;
void pace_free(struct pace **pace);
/* Once more by `key` (a hash of what it stands for), of which `per_minute` are permitted? If not,
 * `retry_after_s` says when one is, and it is not counted. */
bool pace_permits(struct pace *pace, uint64_t key, uint32_t per_minute, int64_t now_ms,
                  int64_t *retry_after_s);

#endif
