/* SPDX-License-Identifier: Apache-2.0 */
/* runs: first fit in the order of addresses, by a bit per page. */
#include "history/runs.h"

#include <stdbool.h>
#include <string.h>

#include "base/arena.h"
#include "base/error.h"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define RUNS_APART 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define RUNS_APART 1
#endif
#endif
#ifndef RUNS_APART
#define RUNS_APART 0
#endif

#define REGION_BYTES ((size_t)RUN_REGION_PAGES * RUN_PAGE_BYTES)

static bool is_apart(size_t bytes)
{
    return RUNS_APART || bytes > REGION_BYTES;
}

size_t runs_size(size_t bytes)
{
    return (bytes + RUN_PAGE_BYTES - 1) / RUN_PAGE_BYTES * RUN_PAGE_BYTES;
}

static bool is_used(const struct run_region *region, uint32_t page)
{
    return (region->used[page >> 6] >> (page & 63) & 1) != 0;
}

/* The first page from `page` on that is free, or used; RUN_REGION_PAGES when there is none. */
static uint32_t next_page(const struct run_region *region, uint32_t page, bool is_free)
{
    while (page < RUN_REGION_PAGES) {
        uint64_t bits = is_free ? ~region->used[page >> 6] : region->used[page >> 6];
        bits &= UINT64_MAX << (page & 63);
        if (bits != 0) {
            page = (page & ~63u) + (uint32_t)__builtin_ctzll(bits);
            return page < RUN_REGION_PAGES ? page : RUN_REGION_PAGES;
        }
        page = (page & ~63u) + 64;
    }
    return RUN_REGION_PAGES;
}

static void mark(struct run_region *region, uint32_t page, uint32_t pages, bool as_used)
{
    for (uint32_t i = page; i < page + pages; i++) {
        INVARIANT(is_used(region, i) != as_used);
        region->used[i >> 6] ^= UINT64_C(1) << (i & 63);
    }
}

static void *take_in(struct run_region *region, uint32_t pages)
{
    uint32_t page = next_page(region, region->first_free, true);
    region->first_free = (uint16_t)page;
    while (page < RUN_REGION_PAGES) {
        uint32_t end = next_page(region, page, false);
        if (end - page >= pages) {
            mark(region, page, pages, true);
            region->free_count = (uint16_t)(region->free_count - pages);
            return region->memory + (size_t)page * RUN_PAGE_BYTES;
        }
        page = next_page(region, end, true);
    }
    region->longest = (uint16_t)(pages - 1);
    return NULL;
}

static struct run_region *add_region(struct runs *runs)
{
    if (runs->count == runs->capacity) {
        uint32_t capacity = runs->capacity > 0 ? runs->capacity * 2 : 16;
        struct run_region *regions =
            memory_resize(runs->regions, capacity * sizeof(runs->regions[0]));
        if (regions == NULL)
            return NULL;
        runs->regions = regions;
        runs->capacity = capacity;
    }
    char *memory = memory_map(REGION_BYTES);
    if (memory == NULL)
        return NULL;
    struct run_region *region = &runs->regions[runs->count++];
    *region = (struct run_region){ .memory = memory,
                                   .free_count = RUN_REGION_PAGES,
                                   .longest = RUN_REGION_PAGES };
    return region;
}

void *runs_take(struct runs *runs, size_t bytes)
{
    uint32_t pages = (uint32_t)(runs_size(bytes) / RUN_PAGE_BYTES);
    if (RUNS_APART)
        return memory_resize(NULL, bytes);
    if (is_apart(bytes))
        return memory_map(runs_size(bytes));
    for (uint32_t i = 0; i < runs->count; i++) {
        struct run_region *region = &runs->regions[i];
        bool may_fit = region->free_count >= pages && region->longest >= pages;
        void *run = may_fit ? take_in(region, pages) : NULL;
        if (run != NULL)
            return run;
    }
    struct run_region *region = add_region(runs);
    return region != NULL ? take_in(region, pages) : NULL;
}

static struct run_region *region_of(struct runs *runs, const void *run)
{
    const char *at = run;
    uint32_t i = 0;
    while (i < runs->count &&
           (at < runs->regions[i].memory || at >= runs->regions[i].memory + REGION_BYTES))
        i++;
    INVARIANT(i < runs->count);
    return &runs->regions[i];
}

void runs_give(struct runs *runs, void *run, size_t bytes)
{
    uint32_t pages = (uint32_t)(runs_size(bytes) / RUN_PAGE_BYTES);
    if (RUNS_APART) {
        memory_free(run);
        return;
    }
    if (is_apart(bytes)) {
        memory_unmap(run, runs_size(bytes));
        return;
    }
    struct run_region *region = region_of(runs, run);
    uint32_t page = (uint32_t)((size_t)((char *)run - region->memory) / RUN_PAGE_BYTES);
    mark(region, page, pages, false);
    region->free_count = (uint16_t)(region->free_count + pages);
    region->longest = RUN_REGION_PAGES;
    region->first_free = page < region->first_free ? (uint16_t)page : region->first_free;
}

void runs_free(struct runs *runs)
{
    for (uint32_t i = 0; i < runs->count; i++)
        memory_unmap(runs->regions[i].memory, REGION_BYTES);
    memory_free(runs->regions);
    *runs = (struct runs){ .count = 0 };
}
