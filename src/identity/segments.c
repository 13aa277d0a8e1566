/* SPDX-License-Identifier: Apache-2.0 */
/* segments: arrays of rows and nodes that grow without ever moving or copying what they hold. */
#include "identity/state.h"

/* The directory is a page-on-demand map of its own: 128 KB of addresses, a page or two of memory. */
err segments_init(struct segments *segments, size_t element_bytes)
{
    *segments = (struct segments){ .element_bytes = element_bytes, .count = 1 };
    segments->segment = memory_map(SEGMENT_COUNT_MAX * sizeof(void *));
    return segments->segment != NULL ? segments_grow(segments, 1) : ERR_NOMEM;
}

/* The first segment takes ordinary pages as they are touched, so that little costs little; huge pages
 * are for the many. */
static void *segment_take(size_t number, size_t size)
{
    return number == 0 ? memory_alloc(size) : memory_map(size);
}

void segments_deinit(struct segments *segments)
{
    for (uint32_t i = 1; i < segments->segment_count; i++)
        memory_unmap(segments->segment[i], segments->element_bytes << SEGMENT_BITS);
    if (segments->segment_count > 0)
        memory_free(segments->segment[0]);
    memory_unmap(segments->segment, SEGMENT_COUNT_MAX * sizeof(void *));
    *segments = (struct segments){ .count = 0 };
}

err segments_grow(struct segments *segments, uint64_t count)
{
    if (count > UINT32_MAX)
        return ERR_NOMEM;
    while ((uint64_t)segments->segment_count << SEGMENT_BITS < count) {
        void *segment =
            segment_take(segments->segment_count, segments->element_bytes << SEGMENT_BITS);
        if (segment == NULL)
            return ERR_NOMEM;
        segments->segment[segments->segment_count++] = segment;
    }
    return ERR_OK;
}

uint32_t seconds_of(int64_t time_ms)
{
    if (time_ms <= 0)
        return 0;
    return time_ms / 1000 > UINT32_MAX ? UINT32_MAX : (uint32_t)(time_ms / 1000);
}
