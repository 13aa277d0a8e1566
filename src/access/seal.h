/* SPDX-License-Identifier: Apache-2.0 */
/* seal: the keys of a folder, sealed values, keyed hashes, and one_id.
 *
 * The key file (keys_place; mode 0600) is made at first start. It holds, wrapped by a master key that may be kept elsewhere (key_file.h),
 * what is fixed for the folder's life (the keys of hashes, message keys and one_id) and the sealing keys, each drawn at random:
 *
 *     ──keys_add──▶ KNOWN: opens ──keys_use──▶ SEALS (the newest such) ──▶ RETIRED: what it sealed stays readable
 *                     ▲                                                        │
 *          keys_take: of another server                              keys_remove: its bytes leave the file ──▶ REMOVED
 *
 * A sealed text is "s1:" + key number (one digit) + ":" + base64url(nonce | ciphertext | tag),
 * XChaCha20-Poly1305 of libsodium: its nonce is long enough to be drawn at random for ever, so that
 * two seals of one value never look alike. All formats: docs/formats/seal.md.
 *
 * Invariants
 *   K1 nothing is sealed by a key before the key file has it, and before that is synced.
 *   K2 sealing anew changes neither the length of a text nor anything around it, and the same text becomes the same everywhere.
 *   K3 what a removed key sealed can be opened by nobody who has not kept an older key file, and what wraps that.
 *
 * Any thread. While a `struct keys` is served its newest numbers may grow; nothing else changes.
 */
#ifndef KITH_ACCESS_SEAL_H
#define KITH_ACCESS_SEAL_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/error.h"
#include "base/str.h"

struct keys;

#define SEAL_HASH_BYTES 16
#define ONE_ID_BYTES 15 /* "c_" and 13 characters; not counting a terminator */

/* Where it lies: KITH_KEYS_FILE, else `keys` in the data folder. */
void keys_place(const char *folder, char *path, size_t path_bytes);
/* Reads the key file, or makes it (temporary file, sync, rename). INVALID for a master key that
 * is not the one of this file, CORRUPT for a file that cannot be read as one. */
err keys_open(struct keys **keys, const char *path, struct problem *problem) MUST_USE;
void keys_free(struct keys **keys);
/* Sealing key `number` is in the file from now on, and opens. Nothing happens when it is there already. UNPROCESSABLE beyond
 * SEALING_KEYS_MAX. */
#define SEALING_KEYS_MAX 61
err keys_add(struct keys *keys, const char *path, uint32_t number,
             struct problem *problem) MUST_USE;
/* It seals; all below it are retired. Nothing happens when a newer one does. NOT_FOUND when the file does not have it. */
err keys_use(struct keys *keys, const char *path, uint32_t number,
             struct problem *problem) MUST_USE;
/* Sealing keys up to `number` leave the file, for good; this process opens with them until it ends. CONFLICT for the one that seals. */
err keys_remove(struct keys *keys, const char *path, uint32_t number,
                struct problem *problem) MUST_USE;
/* Wrap all of the file by another master key: base64 of 32 bytes, kept elsewhere, or empty: one of its own. What is sealed does not
 * change. Of a folder that nobody serves. */
err keys_change_master(const char *path, str master, struct problem *problem) MUST_USE;

/* How a key comes to the other servers of a log: wrapped for who has the one before, and the rest of the key file. */
#define SEAL_SHARED_BYTES 72
void keys_share(const struct keys *keys, uint32_t number, uint8_t out[SEAL_SHARED_BYTES]);
/* It is in our file from now on, and opens. CORRUPT when we lack the key before, or it is of another folder. */
err keys_take(struct keys *keys, const char *path, uint32_t number, str shared,
              struct problem *problem) MUST_USE;

/* Tells folders apart whose keys differ, and tells nothing about the keys: whoever stores it beside
 * the data finds out that a key file was lost or swapped. */
void keys_fingerprint(const struct keys *keys, uint8_t out[SEAL_HASH_BYTES]);

/* Keyed BLAKE2b-128 over type, namespace and value, each with its length. */
void keys_hash_identifier(const struct keys *keys, str type, str namespace_, str value,
                          uint8_t out[SEAL_HASH_BYTES]);
/* The same of anything else; `purpose` separates uses ("tail", "write_key"). */
void keys_hash(const struct keys *keys, str purpose, str value, uint8_t out[SEAL_HASH_BYTES]);

/* SipHash-2-4-128 for message keys, which are many and short-lived: nobody outside can foresee it. */
void keys_hash_message(const struct keys *keys, str value, uint8_t out[SEAL_HASH_BYTES]);
/* A secret seed for fast unkeyed hashes, so that nobody outside can build collisions. */
uint64_t keys_seed(const struct keys *keys, str purpose);

err keys_seal(const struct keys *keys, struct arena *arena, str value, str *sealed) MUST_USE;
/* INVALID for what is not a sealed text, CORRUPT for a damaged or foreign one. */
err keys_unseal(const struct keys *keys, struct arena *arena, str sealed, str *value,
                struct problem *problem) MUST_USE;
bool seal_is_sealed(str text);

/* Sealed texts anywhere in these bytes (a record, a row, a line), of keys before the newest, are sealed anew in their place.
 * Returns how many; what cannot be opened stays. Cost: 3 µs for each; 0.1 ns a byte to look. */
size_t keys_renew(const struct keys *keys, char *bytes, size_t size);
/* How many there are. */
size_t keys_count_old(const struct keys *keys, str bytes);

/* A piece of a file (sealed_file.h): nonce, ciphertext and tag, SEAL_PIECE_BYTES more than the plain text, by the sealing key
 * `number`; `place` says where it belongs and is not in it. CORRUPT for a damaged one, one of another place, or of a key that
 * the folder does not have. */
#define SEAL_PIECE_BYTES 40
uint32_t keys_known(const struct keys *keys);     /* that opens */
uint32_t keys_newest(const struct keys *keys);    /* that seals */
uint32_t keys_oldest(const struct keys *keys);    /* that may be opened */
uint32_t keys_kept_from(const struct keys *keys); /* … from the next start on */
char seal_digit(uint32_t number);                 /* of a key, in its texts */
err keys_seal_piece(const struct keys *keys, uint32_t number, str place, str plain,
                    uint8_t *out) MUST_USE;
err keys_unseal_piece(const struct keys *keys, uint32_t number, str place, const uint8_t *sealed,
                      size_t sealed_bytes, char *out) MUST_USE;

/* A customer number as text that tells nothing about order or count. */
void keys_one_id(const struct keys *keys, uint32_t customer, char out[ONE_ID_BYTES + 1]);
/* False for what was never given out. */
bool keys_customer(const struct keys *keys, str one_id, uint32_t *customer);

#endif
