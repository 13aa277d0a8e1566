/* SPDX-License-Identifier: Apache-2.0 */
/* Segments against a plain array: what is put, dropped and thinned reads as what it should be, whole or thin. */
#include "support/cmocka.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/digest.h"
#include "base/segments.h"

struct thing {
    uint32_t number, value, more;
};

#define COUNT (3u << SEGMENT_BITS)

static struct thing thing_of(uint32_t number, uint32_t value)
{
    return (struct thing){ .number = number, .value = value, .more = 1 };
}

static void fill(struct segments *segments, uint32_t *plain)
{
    assert_ok(segments_init(segments, sizeof(struct thing)));
    assert_ok(segments_grow(segments, COUNT));
    segments->count = COUNT - 1000; /* the last one is not all in use */
    for (uint32_t i = 1; i < segments->count; i++) {
        plain[i] = i * 7;
        *(struct thing *)segments_at(segments, i) = thing_of(i, plain[i]);
    }
}

static void assert_same(const struct segments *segments, const uint32_t *plain)
{
    static const struct thing nothing = { .number = 0 };
    for (uint32_t i = 0; i < segments->count; i++) {
        const struct thing *there = segments_at(segments, i);
        struct thing want = plain[i] != 0 ? thing_of(i, plain[i]) : nothing;
        if (memcmp(there, &want, sizeof(want)) != 0)
            fail_msg("element %u", i);
    }
}

static void drop_most(struct segments *segments, uint32_t *plain)
{
    for (uint32_t i = 1; i < segments->count; i++) {
        if (hash_mix64(i) % 4 == 0)
            continue;
        segments_drop(segments, i);
        plain[i] = 0;
    }
}

static void test_thin_reads_as_whole(void **state)
{
    (void)state;
    struct segments segments;
    uint32_t *plain = memory_alloc(COUNT * sizeof(*plain));
    fill(&segments, plain);
    size_t full = segments_bytes(&segments);
    segments_thin(&segments, 1);
    assert_int_equal(segments.thin_count, 0); /* nothing is missing */
    drop_most(&segments, plain);
    assert_same(&segments, plain);
    for (uint32_t at = 0; at < 3; at++)
        segments_thin(&segments, at << SEGMENT_BITS);
    assert_int_equal(segments.thin_count, 2);
    assert_same(&segments, plain);
    assert_true(segments_bytes(&segments) < full * 6 / 10);

    uint64_t random = 42;
    for (uint32_t i = 0; i < 300000; i++) {
        random = hash_mix64(random + i);
        uint32_t number = 1 + (uint32_t)(random % (segments.count - 1));
        if ((random >> 40) % 2 == 0) {
            segments_drop(&segments, number);
            plain[number] = 0;
        } else {
            plain[number] = i + 1;
            *(struct thing *)segments_put(&segments, number) = thing_of(number, i + 1);
        }
    }
    assert_same(&segments, plain);
    segments_deinit(&segments);
    memory_free(plain);
}

static void test_all_dropped_costs_next_to_nothing(void **state)
{
    (void)state;
    struct segments segments;
    uint32_t *plain = memory_alloc(COUNT * sizeof(*plain));
    fill(&segments, plain);
    drop_most(&segments, plain);
    segments_thin(&segments, 0);
    segments_thin(&segments, SEGMENT_MASK + 1);
    for (uint32_t i = 0; i < 2u << SEGMENT_BITS; i++)
        segments_drop(&segments, i);
    assert_true(segments.thin_bytes <=
                ((size_t)2 << SEGMENT_BITS) / 4); /* heads of 16 bytes per 64 */
    segments_deinit(&segments);
    memory_free(plain);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_thin_reads_as_whole),
        cmocka_unit_test(test_all_dropped_costs_next_to_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
