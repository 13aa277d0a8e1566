/* SPDX-License-Identifier: Apache-2.0 */
/* dedupe: which message keys were seen within the window; exact, and flat in memory.
 *
 * A key is the 64 low bits of a 128-bit hash of source and message id (two different messages meet
 * with a chance of 2 in 10^12 per event at 40 million keys). The set is open addressing, 10 bytes a
 * slot: the key, and the hour in which it was first seen. It grows by moving a few slots per insert, so
 * that no event waits for a rehash; what is older than the window is left behind then.
 *
 * Beyond `keys_max` the oldest hours leave RAM. A blocked Bloom filter remembers them at 24 bits a key;
 * a key that the filter knows (about 1 in 50,000 strangers too) is asked for in the warehouse.
 *
 * Time is the received time of records, never a clock. Engine thread alone.
 */
#ifndef KITH_ENGINE_DEDUPE_H
#define KITH_ENGINE_DEDUPE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/digest.h"
#include "base/error.h"

struct dedupe_table {
    uint64_t *keys;  /* 0: empty */
    uint16_t *hours; /* hour since 1970, modulo 2^16 */
    size_t slots;    /* power of two; 0: no table */
    size_t used;
};

struct dedupe {
    struct dedupe_table now, old; /* old: being moved into now */
    size_t moved;                 /* slots of old already moved */
    size_t keys_max;
    int64_t window_hours;
    int64_t hour_evicted; /* hours before this are in the filter only */
    int64_t hour_first;   /* no key in the table is older */
    uint64_t *filter;     /* blocks of 512 bits; NULL until the first eviction */
    size_t filter_blocks;
    size_t filter_keys;
};

enum dedupe_answer { DEDUPE_NEW, DEDUPE_SEEN, DEDUPE_ASK };

err dedupe_init(struct dedupe *dedupe, size_t keys_max, int64_t window_ms) MUST_USE;
void dedupe_deinit(struct dedupe *dedupe);

/* Room for so many keys more, at once (start). */
err dedupe_reserve(struct dedupe *dedupe, size_t keys, int64_t now_ms) MUST_USE;
/* When the window before `now_ms` begins: it ends by the hour. */
int64_t dedupe_window_start_ms(const struct dedupe *dedupe, int64_t now_ms);

uint64_t dedupe_key(const uint8_t message_key[16]);
uint64_t dedupe_key_of(uint64_t half); /* from the first eight bytes, little endian */
void dedupe_prefetch(const struct dedupe *dedupe, uint64_t key);
/* Was `key` seen within the window before `at_ms`? ASK: perhaps, in an hour that left RAM. */
enum dedupe_answer dedupe_find(const struct dedupe *dedupe, uint64_t key, int64_t at_ms);
/* Remember that `key` was seen at `at_ms`, which is not after `now_ms`; NOMEM only. Live, both are the
 * record's received time; at start, keys come in any order. */
err dedupe_put(struct dedupe *dedupe, uint64_t key, int64_t at_ms, int64_t now_ms) MUST_USE;
/* Keys held in RAM, those past the window but not yet left behind included. */
size_t dedupe_count(const struct dedupe *dedupe);
size_t dedupe_memory_bytes(const struct dedupe *dedupe);
/* Over the keys within the window at `at_ms`; empty once keys have left RAM. */
void dedupe_digest(const struct dedupe *dedupe, int64_t at_ms, struct digest *digest);

#endif
