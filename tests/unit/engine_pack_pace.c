/* SPDX-License-Identifier: Apache-2.0 */
/* pack_pace: rounds come at their time; sooner in a flood; at once after it, until nothing much is newer. */
#include "support/cmocka.h"

#include "base/clock.h"
#include "engine/past/pack_pace.h"

#define USUAL_MS (2 * MINUTE_MS)

static void quiet_rounds_come_at_their_time(void **state)
{
    struct pack_pace pace;
    (void)state;
    pack_pace_begin(&pace, 1000, 1500, 0);
    pack_pace_look(&pace, 1000 + PACK_BEHIND, 60 * SECOND_MS);
    assert_false(pack_pace_is_behind(&pace, 1000 + PACK_BEHIND));
    assert_int_equal(pack_pace_due_after_ms(&pace, 1000 + PACK_BEHIND, 70000, USUAL_MS), USUAL_MS);
    /* Fast, and not yet much. */
    pack_pace_look(&pace, 1000 + PACK_BEHIND, 61 * SECOND_MS);
    assert_int_equal(pack_pace_due_after_ms(&pace, 1000 + PACK_BEHIND, 70000, USUAL_MS), USUAL_MS);
}

static void in_a_flood_they_come_oftener(void **state)
{
    struct pack_pace pace;
    uint64_t seq = 10 * (uint64_t)PACK_BEHIND;
    (void)state;
    pack_pace_begin(&pace, 0, seq, 0);
    pack_pace_look(&pace, seq + PACK_FLOOD_A_SECOND - 1, SECOND_MS);
    assert_false(pace.is_flooded);
    seq += PACK_FLOOD_A_SECOND - 1;
    pack_pace_look(&pace, seq + 5 * (uint64_t)PACK_FLOOD_A_SECOND, 6 * SECOND_MS);
    seq += 5 * (uint64_t)PACK_FLOOD_A_SECOND;
    assert_true(pace.is_flooded);
    assert_int_equal(pack_pace_due_after_ms(&pace, seq, 4000, USUAL_MS), USUAL_MS / 4);
    /* Never more than half of the time. */
    assert_int_equal(pack_pace_due_after_ms(&pace, seq, 25000, USUAL_MS), 50000);
    /* A look within the second sees nothing new. */
    pack_pace_look(&pace, seq, 6 * SECOND_MS + 999);
    assert_true(pace.is_flooded);
}

static void after_it_at_once(void **state)
{
    struct pack_pace pace;
    uint64_t seq = 60000000;
    (void)state;
    pack_pace_begin(&pace, 0, seq - 200000, 0);
    pack_pace_look(&pace, seq, SECOND_MS);
    assert_true(pace.is_flooded);
    pack_pace_look(&pace, seq + 5000, 2 * SECOND_MS);
    assert_false(pace.is_flooded);
    assert_true(pack_pace_is_behind(&pace, seq + 5000));
    assert_int_equal(pack_pace_due_after_ms(&pace, seq + 5000, 8000, USUAL_MS), 8000);
    pace.round_seq = seq;
    assert_int_equal(pack_pace_due_after_ms(&pace, seq + 5000, 8000, USUAL_MS), USUAL_MS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(quiet_rounds_come_at_their_time),
        cmocka_unit_test(in_a_flood_they_come_oftener),
        cmocka_unit_test(after_it_at_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
