/* SPDX-License-Identifier: Apache-2.0 */
/* digest: checksums, fast hashes, and the order-free digest that compares two states.
 *
 * Nothing here is secret: keyed hashes of personal values live in access/seal.h.
 */
#ifndef KITH_BASE_DIGEST_H
#define KITH_BASE_DIGEST_H

#include <stddef.h>
#include <stdint.h>

#include "base/str.h"

typedef struct hash128 {
    uint64_t low, high;
} hash128;

uint32_t crc32c(uint32_t seed, const void *bytes, size_t size); /* Castagnoli; seed 0 to start */
uint64_t hash_bytes64(const void *bytes, size_t size, uint64_t seed); /* xxh3 */
hash128 hash_bytes128(const void *bytes, size_t size, uint64_t seed); /* xxh3 */
uint64_t hash_mix64(uint64_t value);                                  /* splitmix64 finaliser */

/* Digest of a set of rows: the sum of the hashes of its rows, so that order does not matter and
 * a row can be taken out again. Two states are equal when count and sum are. */
struct digest {
    uint64_t low, high;
    uint64_t count;
};
void digest_add(struct digest *digest, const void *row, size_t size);
void digest_remove(struct digest *digest, const void *row, size_t size);
void digest_join(struct digest *digest, const struct digest *other);
#define DIGEST_TEXT_BYTES 64
void digest_format(const struct digest *digest, char out[DIGEST_TEXT_BYTES]);

/* A seeded stream for simulations and generators; never for secrets (libsodium for those). */
struct random_stream {
    uint64_t state[4];
};
void random_seed(struct random_stream *stream, uint64_t seed);
uint64_t random_next(struct random_stream *stream);
uint64_t random_below(struct random_stream *stream, uint64_t bound); /* bound > 0 */
double random_unit(struct random_stream *stream);                    /* [0, 1) */

#endif
