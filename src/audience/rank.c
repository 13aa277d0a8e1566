/* SPDX-License-Identifier: Apache-2.0 */
/* rank: many numbers put in order, for quantiles. By digits of eleven bits, lowest first; a digit that all share is passed
 * over, so counts of orders take one pass and sums in fen two or three. */
#include <stdlib.h>
#include <string.h>

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
