/* SPDX-License-Identifier: Apache-2.0 */
/* index: hash → 32-bit number, 11 bytes a slot, for tens of millions of entries. Private.
 *
 * The table is cut into 2^bits parts by the first bits of the hash. Each part is a small open-addressing
 * table that grows by a sixteenth on its own when it is 94 % full: no pause is longer than moving one part (24
 * million entries in 4,096 parts: some 6,500 slots, 20 µs), there is never a second copy of the whole, and an
 * entry costs 12 bytes on average with its free room.
 *
 *     slot    bytes 0..2   the last 24 bits of the key
 *             3..6         its second word, which says where it wants to be
 *             7..10        the value; 0: free, and the bytes before it are all ones
 *
 * The place that a key wants is its second word × capacity / 2^32 (Lemire's reduction), so a capacity need not be a
 * power of two. Entries of a part lie in the order of bytes 0..6 as one number, each at its place or, where that is taken, as little
 * behind it as can be (linear probing in order: Amble and Knuth, Ordered hash tables, 1974). So a search ends at the first
 * that is greater, whether or not what is sought is there, and a part can be 94 % full: some 8 slots are looked
 * at, side by side. What is put in moves those behind it up to the next free slot; what is taken out lets them move
 * back: no order of coming and going leaves a trace. Behind the places of a part are some more slots, of which the last
 * is always free.
 *
 * A slot keeps 56 bits of the hash; with the bits of the part, 68 decide. Of 50 million hashes two would have to
 * agree in them by chance: n²/2^69 = 4·10^-6 for the life of a folder, and nobody can choose them, since
 * they are keyed. Of a pair of numbers all 64 bits are kept.
 *
 * Hashes have to be random in each of their words: keyed hashes are, pairs of numbers pass index_key_of_pair
 * first.
 *
 * One owner thread at a time.
 */
#ifndef KITH_IDENTITY_INDEX_H
#define KITH_IDENTITY_INDEX_H

#include <stdbool.h>
#include <stdint.h>

#include "base/digest.h"
#include "base/error.h"

struct index_key {
    uint32_t word[3];
};

struct index_part {
    uint8_t *slots;    /* of 11 bytes each */
    uint32_t capacity; /* places; index.c has how many slots that makes */
    uint32_t count;
};

/* What is loaded before it is settled: entries by the first bits of the hash, 2^INDEX_LIST_BITS lists,
 * few enough that the ends of all of them stay in the cache. */
#define INDEX_LIST_BITS 6
/* At least so many bits of parts: they and a slot hold all of a pair. */
#define INDEX_BITS_MIN 8
struct index_entry {
    struct index_key key;
    uint32_t value;
};
struct index_list {
    struct index_entry *entries;
    size_t count, capacity;
};

struct index {
    struct index_part *parts;
    unsigned bits;
    uint64_t count;
    size_t slot_count;                             /* over all parts */
    struct index_list lists[1 << INDEX_LIST_BITS]; /* while loading */
};

err index_init(struct index *index, unsigned bits) MUST_USE;
void index_deinit(struct index *index);

/* 0 if unknown. */
uint32_t index_get(const struct index *index, const struct index_key *key);
/* Make room so that the next `extra` entries beginning like `key` cannot fail. */
err index_reserve(struct index *index, const struct index_key *key, uint32_t extra) MUST_USE;
/* Put a key that is not there; value > 0. */
err index_add(struct index *index, const struct index_key *key, uint32_t value) MUST_USE;
/* Take a key out, if it is there with this value. */
void index_remove(struct index *index, const struct index_key *key, uint32_t value);
/* Give back the room of parts that are less than 60 % full, among parts `begin` to `end` (at most index_part_count).
 * Some 20 µs for each that is moved. Without memory they stay. */
void index_shrink(struct index *index, size_t begin, size_t end);
static inline size_t index_part_count(const struct index *index)
{
    return (size_t)1 << index->bits;
}
/* Change the value of a key that is there. */
void index_change(struct index *index, const struct index_key *key, uint32_t value);
void index_prefetch(const struct index *index, const struct index_key *key);
/* What index_prefetch reads: before it, for keys that come a little later. */
void index_prefetch_part(const struct index *index, const struct index_key *key);

/* Loading: append in any order, then settle once; no other call in between. Several threads may load, each
 * its own index of equal bits; settling moves what the others hold into the first. Of a key that
 * comes twice the one of the first index, and there the first one, counts. Settling may be done by several
 * threads too, each from list `begin` to `end`; then index_settled once. */
err index_load(struct index *index, const struct index_key *key, uint32_t value) MUST_USE;
err index_settle(struct index *index, struct index *others, size_t other_count, size_t begin,
                 size_t end) MUST_USE;
void index_settled(struct index *index);

/* The first 12 of the 16 bytes of a keyed hash. */
struct index_key index_key_of_hash(const uint8_t hash[16]);
/* Two numbers, mixed by a permutation: different pairs have different keys. */
struct index_key index_key_of_pair(uint32_t first, uint32_t second);

size_t index_memory_bytes(const struct index *index);
/* All entries, in no order that means anything. */
void index_digest(const struct index *index, struct digest *digest);

#endif
