/* SPDX-License-Identifier: Apache-2.0 */
/* wheel: who is due when. Private to audience/; engine. */
#ifndef KITH_AUDIENCE_WHEEL_H
#define KITH_AUDIENCE_WHEEL_H

#include "audience/members.h"

/* ---- wheel.c: who is due when ---- */

struct wheel_bucket {
    int64_t minute; /* 0: free slot */
    roaring_bitmap_t *customers;
};
struct wheel {
    struct wheel_bucket *buckets; /* open addressing by minute */
    uint32_t slot_count, bucket_count;
    uint32_t **due; /* chunks: minute of a customer's due time (since 1970), 0: never */
    uint32_t chunk_count;
    uint64_t count;
    roaring_bitmap_t *stale; /* was taken: what `due` says of her is over; NULL: nobody */
};
void wheel_deinit(struct wheel *wheel);
/* The minute for which she was put last, taken or not; 0: never. */
uint32_t wheel_last(const struct wheel *wheel, uint32_t customer);
/* The minute within which her due time lies; 0: never. */
uint32_t wheel_due(const struct wheel *wheel, uint32_t customer);
/* until_ms: RULE_FOREVER takes her out. */
err wheel_put(struct wheel *wheel, uint32_t customer, int64_t until_ms, int64_t now_ms) MUST_USE;
/* Everybody whose minute is before or at `minute` goes to `out` and out of the wheel. */
err wheel_take(struct wheel *wheel, uint32_t minute, roaring_bitmap_t *out) MUST_USE;
uint32_t wheel_minute(int64_t time_ms);
size_t wheel_bytes(const struct wheel *wheel);

#endif
