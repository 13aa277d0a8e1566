/* SPDX-License-Identifier: Apache-2.0 */
/* pack_pace: how soon rounds come; see pack_pace.h. */
#include "engine/past/pack_pace.h"

#include "base/clock.h"

#define FLOOD_ROUNDS 4

void pack_pace_begin(struct pack_pace *pace, uint64_t round_seq, uint64_t seq, int64_t now_ms)
{
    *pace = (struct pack_pace){ .round_seq = round_seq, .seen_seq = seq, .seen_ms = now_ms };
}

void pack_pace_look(struct pack_pace *pace, uint64_t seq, int64_t now_ms)
{
    int64_t took_ms = now_ms - pace->seen_ms;
    if (took_ms < SECOND_MS)
        return;
    pace->is_flooded =
        (seq - pace->seen_seq) * SECOND_MS / (uint64_t)took_ms >= PACK_FLOOD_A_SECOND;
    pace->seen_seq = seq;
    pace->seen_ms = now_ms;
}

bool pack_pace_is_behind(const struct pack_pace *pace, uint64_t seq)
{
    return seq - pace->round_seq > PACK_BEHIND;
}

int64_t pack_pace_due_after_ms(const struct pack_pace *pace, uint64_t seq, int64_t took_ms,
                               int64_t usual_ms)
{
    if (!pack_pace_is_behind(pace, seq))
        return usual_ms;
    if (!pace->is_flooded)
        return took_ms;
    int64_t flood_ms = usual_ms / FLOOD_ROUNDS;
    return flood_ms > 2 * took_ms ? flood_ms : 2 * took_ms;
}
