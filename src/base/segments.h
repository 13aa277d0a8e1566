/* SPDX-License-Identifier: Apache-2.0 */
/* segments: arrays by number that grow without moving what they hold, and may have holes that cost next to nothing.
 *
 *     segment, whole   2^18 elements side by side
 *     segment, thin    a head per 64 elements: which of them are there, and those alone, in order
 *
 * An element that is all zero is a hole: what is never made, or dropped again, reads as zeros. A segment is whole until
 * segments_thin finds that most of it are holes. In a thin one a hole costs a quarter of a byte, an element one look
 * more.
 *
 * Invariants
 *   1 an element of a whole segment never moves. One of a thin segment moves when a neighbour among its 64 is put or
 *     dropped: no pointer is kept across these.
 *   2 a hole is only read. To write where one may be, segments_put first.
 *
 * One owner thread at a time; while nothing is put, dropped or thinned, several may read.
 */
#ifndef KITH_BASE_SEGMENTS_H
#define KITH_BASE_SEGMENTS_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

#define SEGMENT_BITS 18
#define SEGMENT_COUNT_MAX ((size_t)1 << (32 - SEGMENT_BITS))
#define SEGMENT_MASK ((UINT32_C(1) << SEGMENT_BITS) - 1)
#define SEGMENT_ELEMENT_BYTES_MAX 128

struct segment_page;

struct segments {
    void **segment;             /* NULL where it is thin */
    struct segment_page **thin; /* pages of it then */
    size_t element_bytes;
    size_t thin_bytes; /* what the thin ones take */
    uint32_t count;    /* elements in use; number 0 is in use and means nothing */
    uint32_t segment_count, thin_count;
};

err segments_init(struct segments *segments, size_t element_bytes) MUST_USE;
void segments_deinit(struct segments *segments);
/* Make numbers below `count` addressable; what is new is zero. */
err segments_grow(struct segments *segments, uint64_t count) MUST_USE;
void *segments_at_thin(const struct segments *segments, uint32_t number);
/* The element; of a hole zeros that are only read. */
static inline void *segments_at(const struct segments *segments, uint32_t number)
{
    char *segment = segments->segment[number >> SEGMENT_BITS];
    if (__builtin_expect(segment == NULL, 0))
        return segments_at_thin(segments, number);
    return segment + (size_t)(number & SEGMENT_MASK) * segments->element_bytes;
}
static inline void segments_prefetch(const struct segments *segments, uint32_t number)
{
    const char *segment = segments->segment[number >> SEGMENT_BITS];
    if (__builtin_expect(segment != NULL, 1))
        __builtin_prefetch(segment + (size_t)(number & SEGMENT_MASK) * segments->element_bytes, 1);
    /* A function that does nothing but prefetch is pure to gcc 12, which leaves out every call of it. */
    __asm__ volatile("");
}
/* The element, made of zeros where there is a hole; the caller writes something into it. NULL without memory. */
void *segments_put(struct segments *segments, uint32_t number);
/* A hole from now on. */
void segments_drop(struct segments *segments, uint32_t number);
/* Make the segment with this number thin if all its numbers are in use and most are holes; 1 to 3 ms. Without memory
 * it stays whole. */
void segments_thin(struct segments *segments, uint32_t number);
/* What the elements take, heads and holes included. */
size_t segments_bytes(const struct segments *segments);

#endif
