/* SPDX-License-Identifier: Apache-2.0 */
/* key_file: the file `keys`, which holds what seals and hashes, wrapped by a master key. Private to access/.
 *
 * The master key comes from KITH_MASTER_KEY, or from the file that KITH_MASTER_KEY_FILE names, and then lies outside; else it stands in
 * the file and is drawn anew each time that is written. Format: docs/formats/seal.md.
 *
 * Invariants
 *   M1 a file that has its name is whole: written beside it, synced, renamed. What it replaces is overwritten before it goes.
 *   M2 each byte of it counts: a file that was changed, or put together of two, is CORRUPT.
 */
#ifndef KITH_ACCESS_KEY_FILE_H
#define KITH_ACCESS_KEY_FILE_H

#include "access/seal.h"

#define KEY_BYTES 32
#define SIP_KEY_BYTES 16

/* They never change: what they made stands in ledgers for ever. */
struct fixed_keys {
    uint8_t hash[KEY_BYTES];
    uint8_t one_id[SIP_KEY_BYTES];
    uint8_t message[SIP_KEY_BYTES];
    uint8_t share[KEY_BYTES]; /* between the servers of one log */
};

struct key_file {
    uint8_t master[KEY_BYTES];
    bool has_master;                 /* else it comes from outside */
    uint8_t check[SEAL_HASH_BYTES];  /* of the master key */
    uint8_t folder[SEAL_HASH_BYTES]; /* the fingerprint */
    struct fixed_keys fixed;
    uint32_t oldest, seals, newest; /* seals: those above are there, and not used yet */
    uint8_t sealing[SEALING_KEYS_MAX + 1][KEY_BYTES]; /* by number; 0 is none */
};

/* Read it and open what it wraps; made when it is not there and `may_make`, else NOT_FOUND. IO, INVALID (another master key), CORRUPT.
 * The caller clears it with sodium_memzero. */
err key_file_open(const char *path, bool may_make, struct key_file *file,
                  struct problem *problem) MUST_USE;
err key_file_write(const char *path, struct key_file *file, struct problem *problem) MUST_USE;
/* libsodium is ready from here on. */
err key_file_prepare(struct problem *problem) MUST_USE;

/* nonce, ciphertext and tag, which only who has `key` and the same `place` opens. */
#define WRAP_BYTES 40
void key_wrap(const uint8_t key[KEY_BYTES], str place, const uint8_t *plain, size_t size,
              uint8_t *out);
bool key_unwrap(const uint8_t key[KEY_BYTES], str place, const uint8_t *wrapped, size_t size,
                uint8_t *plain);

#endif
