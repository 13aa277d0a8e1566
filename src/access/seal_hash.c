/* SPDX-License-Identifier: Apache-2.0 */
/* What the keys make of values without sealing them: keyed hashes, and one_id. */
#include <endian.h>
#include <sodium.h>
#include <string.h>

#include "access/seal_inside.h"

/* ---- keyed hashes ---- */

/* BLAKE2b over the hash key, a byte that tells the uses apart, then each part with its size before it, so
 * that no two lists of parts give the same bytes. The key stands in front of the input instead of in a
 * block of its own, which halves the cost: BLAKE2 is no Merkle-Damgård hash that could be extended, a key
 * in front makes a MAC (Aumasson et al., "BLAKE2: simpler, smaller, fast as MD5", 2013, 2.9). */
#define TAG_IDENTIFIER 'i'
#define TAG_PURPOSE 'p'
#define HASH_INPUT_BYTES 512
#define HASH_HEAD_BYTES (KEY_BYTES + 1)

static void hash_long(const struct keys *keys, uint8_t tag, const str *parts, size_t count,
                      uint8_t out[SEAL_HASH_BYTES])
{
    crypto_generichash_state state;
    crypto_generichash_init(&state, NULL, 0, SEAL_HASH_BYTES);
    crypto_generichash_update(&state, keys->fixed.hash, KEY_BYTES);
    crypto_generichash_update(&state, &tag, 1);
    for (size_t i = 0; i < count; i++) {
        uint32_t size = htole32((uint32_t)parts[i].size);
        crypto_generichash_update(&state, (const uint8_t *)&size, sizeof size);
        crypto_generichash_update(&state, (const uint8_t *)parts[i].data, parts[i].size);
    }
    crypto_generichash_final(&state, out, SEAL_HASH_BYTES);
}

static void hash_parts(const struct keys *keys, uint8_t tag, const str *parts, size_t count,
                       uint8_t out[SEAL_HASH_BYTES])
{
    uint8_t input[HASH_INPUT_BYTES];
    size_t total = HASH_HEAD_BYTES, at = HASH_HEAD_BYTES;
    for (size_t i = 0; i < count; i++)
        total += sizeof(uint32_t) + parts[i].size;
    if (total > sizeof input) {
        hash_long(keys, tag, parts, count, out);
        return;
    }
    memcpy(input, keys->fixed.hash, KEY_BYTES);
    input[KEY_BYTES] = tag;
    for (size_t i = 0; i < count; i++) {
        uint32_t size = htole32((uint32_t)parts[i].size);
        memcpy(input + at, &size, sizeof size);
        if (parts[i].size > 0)
            memcpy(input + at + sizeof size, parts[i].data, parts[i].size);
        at += sizeof size + parts[i].size;
    }
    crypto_generichash(out, SEAL_HASH_BYTES, input, total, NULL, 0);
}

void keys_hash_identifier(const struct keys *keys, str type, str namespace_, str value,
                          uint8_t out[SEAL_HASH_BYTES])
{
    const str parts[] = { type, namespace_, value };
    hash_parts(keys, TAG_IDENTIFIER, parts, 3, out);
}

void keys_hash(const struct keys *keys, str purpose, str value, uint8_t out[SEAL_HASH_BYTES])
{
    const str parts[] = { purpose, value };
    hash_parts(keys, TAG_PURPOSE, parts, 2, out);
}

void keys_hash_message(const struct keys *keys, str value, uint8_t out[SEAL_HASH_BYTES])
{
    crypto_shorthash_siphashx24(out, (const uint8_t *)value.data, value.size, keys->fixed.message);
}

uint64_t keys_seed(const struct keys *keys, str purpose)
{
    uint8_t hash[SEAL_HASH_BYTES];
    uint64_t seed;
    const str parts[] = { STR("seed"), purpose };
    hash_parts(keys, TAG_PURPOSE, parts, 2, hash);
    memcpy(&seed, hash, sizeof seed);
    return le64toh(seed);
}

/* ---- one_id ---- */

/* The number stands in the low half of 64 bits, the high half is zero, and a keyed permutation of all
 * 64 bits goes over it: who guesses a text finds a customer once in 2^32. Luby and Rackoff, "How to
 * construct pseudorandom permutations" (1988): four rounds suffice, eight are cheap. */
#define FEISTEL_ROUNDS 8

static uint32_t feistel_round(const struct keys *keys, uint8_t round, uint32_t half)
{
    uint8_t input[5] = { round }, output[crypto_shorthash_siphash24_BYTES];
    uint32_t value = htole32(half);
    memcpy(input + 1, &value, sizeof value);
    crypto_shorthash_siphash24(output, input, sizeof input, keys->fixed.one_id);
    memcpy(&value, output, sizeof value);
    return le32toh(value);
}

static uint64_t permute(const struct keys *keys, uint64_t block)
{
    uint32_t left = (uint32_t)(block >> 32), right = (uint32_t)block;
    for (uint8_t round = 0; round < FEISTEL_ROUNDS; round++) {
        uint32_t next = left ^ feistel_round(keys, round, right);
        left = right;
        right = next;
    }
    return (uint64_t)left << 32 | right;
}

static uint64_t permute_back(const struct keys *keys, uint64_t block)
{
    uint32_t left = (uint32_t)(block >> 32), right = (uint32_t)block;
    for (uint8_t round = FEISTEL_ROUNDS; round-- > 0;) {
        uint32_t before = right ^ feistel_round(keys, round, left);
        right = left;
        left = before;
    }
    return (uint64_t)left << 32 | right;
}

/* Crockford's base 32, lower case: no i, l, o, u. */
static const char one_id_digits[] = "0123456789abcdefghjkmnpqrstvwxyz";
#define ONE_ID_DIGITS 13

void keys_one_id(const struct keys *keys, uint32_t customer, char out[ONE_ID_BYTES + 1])
{
    uint64_t block = permute(keys, customer);
    out[0] = 'c';
    out[1] = '_';
    for (int i = ONE_ID_DIGITS; i-- > 0; block >>= 5)
        out[2 + i] = one_id_digits[block & 31];
    out[ONE_ID_BYTES] = '\0';
}

bool keys_customer(const struct keys *keys, str one_id, uint32_t *customer)
{
    uint64_t block = 0;
    if (one_id.size != ONE_ID_BYTES || !str_starts_with(one_id, STR("c_")))
        return false;
    for (size_t i = 2; i < ONE_ID_BYTES; i++) {
        const char *digit = one_id.data[i] != '\0' ? strchr(one_id_digits, one_id.data[i]) : NULL;
        /* The first digit holds four bits only: one number has one writing. */
        if (digit == NULL || (i == 2 && digit - one_id_digits > 15))
            return false;
        block = block << 5 | (uint64_t)(digit - one_id_digits);
    }
    block = permute_back(keys, block);
    if (block == 0 || block > UINT32_MAX)
        return false;
    *customer = (uint32_t)block;
    return true;
}
