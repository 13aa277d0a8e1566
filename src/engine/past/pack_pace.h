/* SPDX-License-Identifier: Apache-2.0 */
/* pack_pace: how soon and how fast rounds of history.pack come, by how many records they are behind. Private to engine/.
 *
 *     few records since the last round            a round each --pack-every, spread over half of it
 *     so many that a start would read for seconds
 *         and records keep flooding in            four times as often, not spread; half of the time at most
 *         and the flood is over                   at once, not spread
 *
 * Thread: the packer's.
 */
#ifndef KITH_ENGINE_PACK_PACE_H
#define KITH_ENGINE_PACK_PACE_H

#include <stdbool.h>
#include <stdint.h>

/* Records. */
#define PACK_BEHIND 2000000u
#define PACK_FLOOD_A_SECOND 20000u

struct pack_pace {
    uint64_t round_seq; /* the ledger was there when the last round that ended had begun */
    uint64_t seen_seq;
    int64_t seen_ms;
    bool is_flooded;
};

/* The ledger is at `seq`; `now_ms` of a steady clock. Looks less than a second after the last one change nothing. */
void pack_pace_begin(struct pack_pace *pace, uint64_t round_seq, uint64_t seq, int64_t now_ms);
void pack_pace_look(struct pack_pace *pace, uint64_t seq, int64_t now_ms);

bool pack_pace_is_behind(const struct pack_pace *pace, uint64_t seq);
/* When the next round is due, after the begin of one that took so long. */
int64_t pack_pace_due_after_ms(const struct pack_pace *pace, uint64_t seq, int64_t took_ms,
                               int64_t usual_ms);

#endif
