/* SPDX-License-Identifier: Apache-2.0 */
/* rank: many numbers put in order, and for quantiles those at some ranks alone.
 *
 * In order: by digits of eleven bits, lowest first; a digit that all share is passed over, so counts of orders take one pass and sums
 * in fen two or three. At ranks: numbers are counted in 65,536 ranges of equal width between the least and the greatest; who stands at
 * a rank is in one of them, and of that range alone the same is asked again. */
#include <stdlib.h>
#include <string.h>

#include "audience/rank.h"
#include "audience/state.h"

#define DIGIT_BITS 11u
#define DIGITS (1u << DIGIT_BITS)
#define PASSES ((64 + DIGIT_BITS - 1) / DIGIT_BITS)

static int compare_numbers(const void *left, const void *right)
{
    int64_t a = *(const int64_t *)left, b = *(const int64_t *)right;
    return a < b ? -1 : a > b;
}

/* In the order of unsigned words. */
static uint64_t word_of(int64_t value)
{
    return (uint64_t)value ^ UINT64_C(0x8000000000000000);
}

static uint32_t digit_of(int64_t value, unsigned pass)
{
    return (uint32_t)(word_of(value) >> (pass * DIGIT_BITS)) & (DIGITS - 1);
}

static void count_digits(const int64_t *values, size_t count, size_t counts[PASSES][DIGITS])
{
    memset(counts, 0, PASSES * sizeof(counts[0]));
    for (size_t i = 0; i < count; i++)
        for (unsigned pass = 0; pass < PASSES; pass++)
            counts[pass][digit_of(values[i], pass)]++;
}

static void deal(const int64_t *from, int64_t *to, size_t count, unsigned pass, size_t *counts)
{
    size_t begin = 0;
    for (uint32_t digit = 0; digit < DIGITS; digit++) {
        size_t here = counts[digit];
        counts[digit] = begin;
        begin += here;
    }
    for (size_t i = 0; i < count; i++)
        to[counts[digit_of(from[i], pass)]++] = from[i];
}

void numbers_sort(int64_t *values, size_t count)
{
    size_t(*counts)[DIGITS] = memory_alloc(PASSES * sizeof(*counts));
    int64_t *spare = count > DIGITS ? memory_alloc(count * sizeof(*spare)) : NULL;
    int64_t *from = values, *to = spare;
    if (counts == NULL || spare == NULL) { /* few, or no room for more */
        qsort(values, count, sizeof(*values), compare_numbers);
        memory_free(counts);
        memory_free(spare);
        return;
    }
    count_digits(values, count, counts);
    for (unsigned pass = 0; pass < PASSES; pass++) {
        if (counts[pass][digit_of(values[0], pass)] == count)
            continue;
        deal(from, to, count, pass, counts[pass]);
        int64_t *other = from;
        from = to;
        to = other;
    }
    if (from != values)
        memcpy(values, from, count * sizeof(*values));
    memory_free(counts);
    memory_free(spare);
}

/* ---- at ranks ---- */

#define RANGE_BITS 16u
#define RANGES (1u << RANGE_BITS)
/* So few are put in order. */
#define FEW 4096u

struct ranges {
    uint64_t least;
    unsigned shift; /* of a word less the least: its range */
    uint32_t *counts;
};

static uint32_t range_of(const struct ranges *ranges, int64_t value)
{
    return (uint32_t)((word_of(value) - ranges->least) >> ranges->shift);
}

static void count_ranges(const int64_t *values, size_t count, struct ranges *ranges)
{
    uint64_t least = word_of(values[0]), greatest = least;
    for (size_t i = 1; i < count; i++) {
        uint64_t word = word_of(values[i]);
        least = word < least ? word : least;
        greatest = word > greatest ? word : greatest;
    }
    ranges->least = least;
    ranges->shift = 0;
    while ((greatest - least) >> ranges->shift >= RANGES)
        ranges->shift++;
    memset(ranges->counts, 0, RANGES * sizeof(*ranges->counts));
    for (size_t i = 0; i < count; i++)
        ranges->counts[range_of(ranges, values[i])]++;
}

static err pick_sorted(const int64_t *values, size_t count, const size_t *ranks, size_t rank_count,
                       int64_t *out)
{
    int64_t *sorted = memory_alloc(count * sizeof(*sorted));
    if (sorted == NULL)
        return ERR_NOMEM;
    memcpy(sorted, values, count * sizeof(*sorted));
    numbers_sort(sorted, count);
    for (size_t i = 0; i < rank_count; i++)
        out[i] = sorted[ranks[i]];
    memory_free(sorted);
    return ERR_OK;
}

/* Of the numbers of one range, before which `before` stand. */
static err pick_in_range(const int64_t *values, size_t count, const struct ranges *ranges,
                         uint32_t range, size_t before, const size_t *ranks, size_t rank_count,
                         int64_t *out)
{
    size_t inner[RANKS_MAX], here = ranges->counts[range], taken = 0;
    int64_t *own = memory_alloc(here * sizeof(*own));
    if (own == NULL)
        return ERR_NOMEM;
    for (size_t i = 0; i < count; i++)
        if (range_of(ranges, values[i]) == range)
            own[taken++] = values[i];
    INVARIANT(taken == here);
    for (size_t i = 0; i < rank_count; i++)
        inner[i] = ranks[i] - before;
    err error = numbers_at_ranks(own, here, inner, rank_count, out);
    memory_free(own);
    return error;
}

/* A range is 65,536 times narrower than all: four turns at most. */
static err pick_in_ranges(const int64_t *values, size_t count, const struct ranges *ranges,
                          const size_t *ranks, size_t rank_count, int64_t *out)
{
    size_t before = 0;
    uint32_t range = 0;
    err error = ERR_OK;
    for (size_t i = 0, end; i < rank_count && error == ERR_OK; i = end) {
        while (before + ranges->counts[range] <= ranks[i])
            before += ranges->counts[range++];
        end = i + 1;
        while (end < rank_count && ranks[end] < before + ranges->counts[range])
            end++;
        if (ranges->shift > 0)
            error =
                pick_in_range(values, count, ranges, range, before, ranks + i, end - i, out + i);
        for (size_t k = i; k < end && ranges->shift == 0; k++)
            out[k] = (int64_t)(ranges->least + range) ^ INT64_MIN;
    }
    return error;
}

err numbers_at_ranks(const int64_t *values, size_t count, const size_t *ranks, size_t rank_count,
                     int64_t *out)
{
    INVARIANT(rank_count <= RANKS_MAX && (rank_count == 0 || ranks[rank_count - 1] < count));
    if (rank_count == 0)
        return ERR_OK;
    if (count <= FEW)
        return pick_sorted(values, count, ranks, rank_count, out);
    struct ranges ranges = { .counts = memory_alloc(RANGES * sizeof(*ranges.counts)) };
    if (ranges.counts == NULL)
        return ERR_NOMEM;
    count_ranges(values, count, &ranges);
    err error = pick_in_ranges(values, count, &ranges, ranks, rank_count, out);
    memory_free(ranges.counts);
    return error;
}
