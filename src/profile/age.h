/* SPDX-License-Identifier: Apache-2.0 */
/* age: how old is she, by the birthday that her traits tell.
 *
 * The birthday is the merged trait `birthday`, else `birth_date`: a date, or a moment whose date is taken in `zone`. A year older
 * she is as the day of her birthday begins in `zone`; born on 29 February, on 1 March of other years. Any thread that may
 * read the profile. */
#ifndef KITH_PROFILE_AGE_H
#define KITH_PROFILE_AGE_H

#include "base/zone.h"
#include "profile/profile.h"

/* Who is younger is a child to the law (PIPL, article 31). */
#define AGE_OF_CHILDREN 14

/* Is she known to be younger than `years`? False of who has no birthday, or one that is no date or yet to come. */
bool profile_is_younger(const struct profile *profile, const uint32_t *nodes, size_t node_count,
                        int years, const struct zone *zone, int64_t now_ms);
/* The same of one value as JSON. */
bool age_is_below(str json, int years, const struct zone *zone, int64_t now_ms);

#endif
