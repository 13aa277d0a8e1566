/* SPDX-License-Identifier: Apache-2.0 */
/* totp: a second factor by time (RFC 6238), and the codes for when the telephone is lost.
 *
 * SHA-1, 30 seconds, six digits: what every authenticator reads. A code counts for its step, the one before and the
 * one after; a step counts once, which the caller keeps (user_settings.totp_step). Plain functions; any thread.
 */
#ifndef KITH_ACCESS_TOTP_H
#define KITH_ACCESS_TOTP_H

#include <stdbool.h>
#include <stdint.h>

#include "access/seal.h"
#include "base/buffer.h"

#define TOTP_SECRET_BYTES 20
#define TOTP_BASE32_BYTES 33 /* terminated */
#define TOTP_STEP_MS 30000
#define TOTP_CODE_BYTES 7
#define RECOVERY_CODE_BYTES 12 /* "abcde-fghij", terminated: 50 bits */

void totp_make_secret(uint8_t secret[TOTP_SECRET_BYTES]);
/* RFC 4648, upper case, without padding. */
void totp_base32(const uint8_t secret[TOTP_SECRET_BYTES], char out[TOTP_BASE32_BYTES]);
/* otpauth://totp/… as authenticators read it out of a QR code. Sticky failure of the buffer. */
void totp_write_uri(struct buffer *out, const uint8_t secret[TOTP_SECRET_BYTES], str issuer,
                    str login);
void totp_code(const uint8_t secret[TOTP_SECRET_BYTES], int64_t step, char out[TOTP_CODE_BYTES]);
/* Is it the code of a step about `now_ms` that comes after `last_step`? Then `step` is that. */
bool totp_matches(const uint8_t secret[TOTP_SECRET_BYTES], str code, int64_t now_ms,
                  int64_t last_step, int64_t *step);

void recovery_make(char out[RECOVERY_CODE_BYTES]);
/* Capitals, spaces and hyphens do not count. False for what cannot be one. Hex of a keyed hash. */
bool recovery_hash(const struct keys *keys, uint32_t user_number, str code,
                   char out[2 * SEAL_HASH_BYTES + 1]);

#endif
