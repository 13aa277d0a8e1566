/* SPDX-License-Identifier: Apache-2.0 */
/* places: sorting where rows lie; see places.h. */
#include "store/places.h"

#include <stdbool.h>
#include <string.h>

#include "base/arena.h"

/* By customer: a stable radix sort, so that rows of one customer stay in the order of their coming. */
#define DIGIT_BITS 11
#define DIGITS (1u << DIGIT_BITS)

static void sort_by_customer(const struct row_place *places, size_t count, uint32_t *order,
                             uint32_t *spare)
{
    uint32_t starts[DIGITS];
    for (unsigned shift = 0; shift < 32; shift += DIGIT_BITS) {
        memset(starts, 0, sizeof(starts));
        for (size_t i = 0; i < count; i++)
            starts[(places[order[i]].customer >> shift) & (DIGITS - 1)]++;
        uint32_t sum = 0;
        for (size_t d = 0; d < DIGITS; d++) {
            uint32_t size = starts[d];
            starts[d] = sum;
            sum += size;
        }
        for (size_t i = 0; i < count; i++)
            spare[starts[(places[order[i]].customer >> shift) & (DIGITS - 1)]++] = order[i];
        memcpy(order, spare, count * sizeof(*order));
    }
}

static bool is_before(const struct row_place *a, const struct row_place *b)
{
    return a->time_ms != b->time_ms ? a->time_ms < b->time_ms : a->seq < b->seq;
}

static void sift_down(const struct row_place *places, uint32_t *order, size_t root, size_t count)
{
    for (;;) {
        size_t child = 2 * root + 1;
        if (child >= count)
            return;
        if (child + 1 < count && is_before(&places[order[child]], &places[order[child + 1]]))
            child++;
        if (!is_before(&places[order[root]], &places[order[child]]))
            return;
        uint32_t swap = order[root];
        order[root] = order[child];
        order[child] = swap;
        root = child;
    }
}

/* One customer's rows. They come almost in order; where many do not (an imported history), a heap
 * keeps the cost within n log n. */
#define INSERTION_MAX 32

static void sort_run(const struct row_place *places, uint32_t *order, size_t count)
{
    size_t sorted = 1;
    while (sorted < count && !is_before(&places[order[sorted]], &places[order[sorted - 1]]))
        sorted++;
    if (sorted == count)
        return;
    if (count <= INSERTION_MAX) {
        for (size_t i = sorted; i < count; i++) {
            uint32_t row = order[i];
            size_t at = i;
            for (; at > 0 && is_before(&places[row], &places[order[at - 1]]); at--)
                order[at] = order[at - 1];
            order[at] = row;
        }
        return;
    }
    for (size_t root = count / 2; root-- > 0;)
        sift_down(places, order, root, count);
    for (size_t end = count - 1; end > 0; end--) {
        uint32_t swap = order[0];
        order[0] = order[end];
        order[end] = swap;
        sift_down(places, order, 0, end);
    }
}

static void sort_runs(const struct row_place *places, uint32_t *order, size_t count)
{
    for (size_t begin = 0; begin < count;) {
        size_t end = begin + 1;
        while (end < count && places[order[end]].customer == places[order[begin]].customer)
            end++;
        sort_run(places, order + begin, end - begin);
        begin = end;
    }
}

err places_sort(const struct row_place *places, size_t count, uint32_t **sorted,
                struct problem *problem)
{
    uint32_t *order = memory_alloc((count + 1) * sizeof(*order));
    uint32_t *spare = memory_alloc((count + 1) * sizeof(*spare));
    if (order == NULL || spare == NULL) {
        memory_free(order);
        memory_free(spare);
        return problem_set(problem, ERR_NOMEM, "no memory to sort %zu rows", count);
    }
    for (size_t i = 0; i < count; i++)
        order[i] = (uint32_t)i;
    sort_by_customer(places, count, order, spare);
    sort_runs(places, order, count);
    memory_free(spare);
    *sorted = order;
    return ERR_OK;
}
