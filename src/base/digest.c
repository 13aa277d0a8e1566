/* SPDX-License-Identifier: Apache-2.0 */
/* CRC-32C by hardware where there is some, XXH3, order-free digests, xoshiro256**. */
#include "base/digest.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#define XXH_INLINE_ALL
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wcast-qual"
#pragma GCC diagnostic ignored "-Wswitch-enum"
#pragma GCC diagnostic ignored "-Wundef"
#include <xxhash.h>
#pragma GCC diagnostic pop

#include "base/error.h"

/* Castagnoli's polynomial, bits reversed (RFC 3720, B.4). */
#define CRC32C_POLYNOMIAL UINT32_C(0x82F63B78)

static uint32_t crc32c_table[8][256];

static void crc32c_fill_table(void)
{
    for (uint32_t byte = 0; byte < 256; byte++) {
        uint32_t crc = byte;
        for (int bit = 0; bit < 8; bit++)
            crc = (crc >> 1) ^ ((crc & 1) != 0 ? CRC32C_POLYNOMIAL : 0);
        crc32c_table[0][byte] = crc;
    }
    for (uint32_t byte = 0; byte < 256; byte++)
        for (size_t slice = 1; slice < 8; slice++) {
            uint32_t before = crc32c_table[slice - 1][byte];
            crc32c_table[slice][byte] = (before >> 8) ^ crc32c_table[0][before & 0xFF];
        }
}

/* Slicing by eight: Kounavis and Berry, "A systematic approach to building high performance
 * software-based CRC generators" (2005). */
static uint32_t crc32c_by_table(uint32_t crc, const uint8_t *at, size_t size)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, crc32c_fill_table);
    for (; size >= 8; at += 8, size -= 8)
        crc = crc32c_table[7][(crc ^ at[0]) & 0xFF] ^ crc32c_table[6][((crc >> 8) ^ at[1]) & 0xFF] ^
              crc32c_table[5][((crc >> 16) ^ at[2]) & 0xFF] ^
              crc32c_table[4][((crc >> 24) ^ at[3]) & 0xFF] ^ crc32c_table[3][at[4]] ^
              crc32c_table[2][at[5]] ^ crc32c_table[1][at[6]] ^ crc32c_table[0][at[7]];
    for (; size > 0; at++, size--)
        crc = (crc >> 8) ^ crc32c_table[0][(crc ^ at[0]) & 0xFF];
    return crc;
}

#if defined(__x86_64__)
__attribute__((target("sse4.2"))) static uint32_t crc32c_by_hardware(uint32_t crc,
                                                                     const uint8_t *at, size_t size)
{
    uint64_t wide = crc;
    for (; size >= 8; at += 8, size -= 8) {
        uint64_t word;
        memcpy(&word, at, sizeof word);
        wide = __builtin_ia32_crc32di(wide, word);
    }
    crc = (uint32_t)wide;
    for (; size > 0; at++, size--)
        crc = __builtin_ia32_crc32qi(crc, at[0]);
    return crc;
}
#endif

uint32_t crc32c(uint32_t seed, const void *bytes, size_t size)
{
#if defined(__x86_64__)
    if (__builtin_cpu_supports("sse4.2"))
        return ~crc32c_by_hardware(~seed, bytes, size);
#endif
    return ~crc32c_by_table(~seed, bytes, size);
}

uint64_t hash_bytes64(const void *bytes, size_t size, uint64_t seed)
{
    return XXH3_64bits_withSeed(bytes, size, seed);
}

hash128 hash_bytes128(const void *bytes, size_t size, uint64_t seed)
{
    XXH128_hash_t hash = XXH3_128bits_withSeed(bytes, size, seed);
    return (hash128){ .low = hash.low64, .high = hash.high64 };
}

/* Steele, Lea, Flood: "Fast splittable pseudorandom number generators" (2014); constants of
 * variant 13 by Stafford. */
uint64_t hash_mix64(uint64_t value)
{
    value = (value ^ (value >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
    value = (value ^ (value >> 27)) * UINT64_C(0x94D049BB133111EB);
    return value ^ (value >> 31);
}

void digest_add(struct digest *digest, const void *row, size_t size)
{
    hash128 hash = hash_bytes128(row, size, 0);
    digest->low += hash.low;
    digest->high += hash.high;
    digest->count++;
}

void digest_remove(struct digest *digest, const void *row, size_t size)
{
    hash128 hash = hash_bytes128(row, size, 0);
    digest->low -= hash.low;
    digest->high -= hash.high;
    digest->count--;
}

void digest_join(struct digest *digest, const struct digest *other)
{
    digest->low += other->low;
    digest->high += other->high;
    digest->count += other->count;
}

void digest_format(const struct digest *digest, char out[DIGEST_TEXT_BYTES])
{
    snprintf(out, DIGEST_TEXT_BYTES, "%016" PRIx64 "%016" PRIx64 "-%" PRIu64, digest->high,
             digest->low, digest->count);
}

void random_seed(struct random_stream *stream, uint64_t seed)
{
    for (size_t i = 0; i < 4; i++) {
        seed += UINT64_C(0x9E3779B97F4A7C15); /* splitmix64's step: 2^64 / golden ratio */
        stream->state[i] = hash_mix64(seed);
    }
}

static uint64_t rotate_left(uint64_t value, unsigned bits)
{
    return (value << bits) | (value >> (64 - bits));
}

/* xoshiro256** 1.0, Blackman and Vigna (2018). */
uint64_t random_next(struct random_stream *stream)
{
    uint64_t *s = stream->state;
    uint64_t result = rotate_left(s[1] * 5, 7) * 9;
    uint64_t shifted = s[1] << 17;
    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= shifted;
    s[3] = rotate_left(s[3], 45);
    return result;
}

/* Without bias: Lemire, "Fast random integer generation in an interval" (2019). */
uint64_t random_below(struct random_stream *stream, uint64_t bound)
{
    INVARIANT(bound > 0);
    __extension__ typedef unsigned __int128 wide;
    wide product = (wide)random_next(stream) * bound;
    if ((uint64_t)product < bound) {
        uint64_t threshold = (0 - bound) % bound;
        while ((uint64_t)product < threshold)
            product = (wide)random_next(stream) * bound;
    }
    return (uint64_t)(product >> 64);
}

double random_unit(struct random_stream *stream)
{
    return (double)(random_next(stream) >> 11) * 0x1.0p-53;
}
