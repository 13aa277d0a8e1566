/* SPDX-License-Identifier: Apache-2.0 */
/* segments: whole ones that never move, and thin ones that hold what is there. */
#include "base/segments.h"

#include <string.h>

#include "base/arena.h"

#define PAGE_BITS 6
#define PAGE_ELEMENTS (1u << PAGE_BITS)
#define SEGMENT_PAGES (1u << (SEGMENT_BITS - PAGE_BITS))

struct segment_page {
    uint64_t present; /* bit per element */
    void *elements;   /* those that are there, in order */
};

static const uint64_t hole[SEGMENT_ELEMENT_BYTES_MAX / sizeof(uint64_t)];

/* The directories are page-on-demand maps of their own: 128 KB of addresses, a page or two of memory. */
err segments_init(struct segments *segments, size_t element_bytes)
{
    INVARIANT(element_bytes <= SEGMENT_ELEMENT_BYTES_MAX);
    *segments = (struct segments){ .element_bytes = element_bytes, .count = 1 };
    segments->segment = memory_map(SEGMENT_COUNT_MAX * sizeof(void *));
    segments->thin = memory_map(SEGMENT_COUNT_MAX * sizeof(void *));
    return segments->segment != NULL && segments->thin != NULL ? segments_grow(segments, 1)
                                                               : ERR_NOMEM;
}

/* The first segment takes ordinary pages as they are touched, so that little costs little; huge pages
 * are for the many. */
static void *segment_take(uint32_t number, size_t size)
{
    return number == 0 ? memory_alloc(size) : memory_map(size);
}

static void segment_give(uint32_t number, void *segment, size_t size)
{
    if (segment != NULL && number == 0)
        memory_free(segment);
    else if (segment != NULL)
        memory_unmap(segment, size);
}

static void pages_free(struct segment_page *pages)
{
    for (uint32_t i = 0; pages != NULL && i < SEGMENT_PAGES; i++)
        memory_free(pages[i].elements);
    memory_free(pages);
}

void segments_deinit(struct segments *segments)
{
    for (uint32_t i = 0; i < segments->segment_count; i++) {
        segment_give(i, segments->segment[i], segments->element_bytes << SEGMENT_BITS);
        pages_free(segments->thin[i]);
    }
    if (segments->segment != NULL)
        memory_unmap(segments->segment, SEGMENT_COUNT_MAX * sizeof(void *));
    if (segments->thin != NULL)
        memory_unmap(segments->thin, SEGMENT_COUNT_MAX * sizeof(void *));
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

/* ---- thin ones ---- */

static struct segment_page *page_of(const struct segments *segments, uint32_t number)
{
    return &segments->thin[number >> SEGMENT_BITS][(number & SEGMENT_MASK) >> PAGE_BITS];
}

static uint64_t bit_of(uint32_t number)
{
    return UINT64_C(1) << (number % PAGE_ELEMENTS);
}

/* How many of the page are before it, in bytes. */
static size_t place_of(const struct segments *segments, const struct segment_page *page,
                       uint32_t number)
{
    return (size_t)__builtin_popcountll(page->present & (bit_of(number) - 1)) *
           segments->element_bytes;
}

static size_t page_bytes(const struct segments *segments, const struct segment_page *page)
{
    return (size_t)__builtin_popcountll(page->present) * segments->element_bytes;
}

void *segments_at_thin(const struct segments *segments, uint32_t number)
{
    const struct segment_page *page = page_of(segments, number);
    if ((page->present & bit_of(number)) == 0)
        return (void *)(uintptr_t)hole;
    return (char *)page->elements + place_of(segments, page, number);
}

static void *put_thin(struct segments *segments, uint32_t number)
{
    struct segment_page *page = page_of(segments, number);
    size_t bytes = page_bytes(segments, page), place = place_of(segments, page, number);
    if ((page->present & bit_of(number)) != 0)
        return (char *)page->elements + place;
    char *elements = memory_resize(page->elements, bytes + segments->element_bytes);
    if (elements == NULL)
        return NULL;
    memmove(elements + place + segments->element_bytes, elements + place, bytes - place);
    memset(elements + place, 0, segments->element_bytes);
    page->elements = elements;
    page->present |= bit_of(number);
    segments->thin_bytes += segments->element_bytes;
    return elements + place;
}

void *segments_put(struct segments *segments, uint32_t number)
{
    return segments->segment[number >> SEGMENT_BITS] != NULL ? segments_at(segments, number)
                                                             : put_thin(segments, number);
}

static void drop_thin(struct segments *segments, uint32_t number)
{
    struct segment_page *page = page_of(segments, number);
    size_t bytes = page_bytes(segments, page), place = place_of(segments, page, number);
    char *elements = page->elements;
    if ((page->present & bit_of(number)) == 0)
        return;
    bytes -= segments->element_bytes;
    memmove(elements + place, elements + place + segments->element_bytes, bytes - place);
    page->present &= ~bit_of(number);
    segments->thin_bytes -= segments->element_bytes;
    if (bytes == 0) {
        memory_free(page->elements);
        page->elements = NULL;
    } else if ((elements = memory_resize(page->elements, bytes)) != NULL) {
        page->elements = elements;
    }
}

void segments_drop(struct segments *segments, uint32_t number)
{
    if (segments->segment[number >> SEGMENT_BITS] != NULL)
        memset(segments_at(segments, number), 0, segments->element_bytes);
    else
        drop_thin(segments, number);
}

/* ---- from whole to thin ---- */

static bool is_hole(const struct segments *segments, const char *element)
{
    return memcmp(element, hole, segments->element_bytes) == 0;
}

static err fill_page(const struct segments *segments, struct segment_page *page,
                     const char *elements)
{
    size_t size = segments->element_bytes;
    for (uint32_t i = 0; i < PAGE_ELEMENTS; i++)
        page->present |= is_hole(segments, elements + i * size) ? 0 : UINT64_C(1) << i;
    if (page->present == 0)
        return ERR_OK;
    char *to = page->elements = memory_alloc(page_bytes(segments, page));
    if (to == NULL)
        return ERR_NOMEM;
    for (uint32_t i = 0; i < PAGE_ELEMENTS; i++) {
        if ((page->present & UINT64_C(1) << i) == 0)
            continue;
        memcpy(to, elements + i * size, size);
        to += size;
    }
    return ERR_OK;
}

static bool is_mostly_holes(const struct segments *segments, const char *elements)
{
    uint32_t holes = 0;
    for (uint32_t i = 0; i <= SEGMENT_MASK; i++)
        holes += is_hole(segments, elements + i * segments->element_bytes);
    return holes > SEGMENT_MASK / 2;
}

void segments_thin(struct segments *segments, uint32_t number)
{
    uint32_t at = number >> SEGMENT_BITS;
    if ((uint64_t)(at + 1) << SEGMENT_BITS > segments->count || segments->segment[at] == NULL ||
        !is_mostly_holes(segments, segments->segment[at]))
        return;
    const char *elements = segments->segment[at];
    struct segment_page *pages = memory_alloc(SEGMENT_PAGES * sizeof(*pages));
    size_t bytes = SEGMENT_PAGES * sizeof(*pages);
    for (uint32_t i = 0; pages != NULL && i < SEGMENT_PAGES; i++) {
        if (fill_page(segments, &pages[i],
                      elements + (size_t)i * PAGE_ELEMENTS * segments->element_bytes) != ERR_OK) {
            pages_free(pages);
            return;
        }
        bytes += page_bytes(segments, &pages[i]);
    }
    if (pages == NULL)
        return;
    segment_give(at, segments->segment[at], segments->element_bytes << SEGMENT_BITS);
    segments->segment[at] = NULL;
    segments->thin[at] = pages;
    segments->thin_bytes += bytes;
    segments->thin_count++;
}

size_t segments_bytes(const struct segments *segments)
{
    return ((size_t)segments->count - ((size_t)segments->thin_count << SEGMENT_BITS)) *
               segments->element_bytes +
           segments->thin_bytes;
}
