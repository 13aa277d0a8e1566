/* SPDX-License-Identifier: Apache-2.0 */
/* crypt: signatures and encryption as the providers ask for them, over OpenSSL and libsodium. Any thread. */
#ifndef KITH_CHANNEL_CRYPT_H
#define KITH_CHANNEL_CRYPT_H

#include "base/buffer.h"
#include "base/error.h"
#include "base/str.h"

#define SHA256_BYTES 32
#define SHA256_HEX_BYTES 65
#define SHA1_HEX_BYTES 41

void crypt_sha256(str bytes, uint8_t out[SHA256_BYTES]);
void crypt_sha256_hex(str bytes, char out[SHA256_HEX_BYTES]);
void crypt_sha1_hex(str bytes, char out[SHA1_HEX_BYTES]);
void crypt_hmac_sha256(str key, str bytes, uint8_t out[SHA256_BYTES]);
void crypt_hex(const uint8_t *bytes, size_t size, char *out); /* 2 × size + 1 */
void crypt_base64(struct buffer *out, str bytes);
/* False: not base64. Appends. */
bool crypt_unbase64(struct buffer *out, str text);
/* RFC 3986: everything but letters, digits and -._~ as %XX. Appends. */
void crypt_url_encode(struct buffer *out, str text);
/* %XX and '+'; false for a broken escape. Appends. */
bool crypt_url_decode(struct buffer *out, str text);
bool crypt_equal(str a, str b); /* in constant time for equal lengths */
void crypt_random(uint8_t *bytes, size_t size);

/* ---- the envelope of WeCom and WeChat (protocols: random(16) | length | message | receiver, AES-256-CBC) ---- */

/* sha1 of the sorted parts. */
void envelope_sign(str token, str timestamp, str nonce, str encrypted, char out[SHA1_HEX_BYTES]);
/* Base64 of the encrypted message. BAD key: UNPROCESSABLE. `random`: 16 bytes. */
err envelope_seal(str aes_key, str receiver, str message, const uint8_t random[16],
                  struct buffer *out, struct problem *problem) MUST_USE;
/* FORBIDDEN: not for us, or not made with this key. Appends the message. */
err envelope_open(str aes_key, str receiver, str encrypted, struct buffer *out,
                  struct problem *problem) MUST_USE;
bool envelope_key_is_good(str aes_key);

#endif
