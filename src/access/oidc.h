/* SPDX-License-Identifier: Apache-2.0 */
/* oidc: what single sign-on has to compute: the proof key (RFC 7636), and whether an ID token is true.
 *
 * OpenID Connect Core 1.0, code flow. An ID token counts only when its signature is that of a key of the provider
 * (RS256 or ES256 by OpenSSL; nothing else, no "none", no HMAC), and issuer, audience, times and nonce are right.
 * Nothing here speaks HTTP. Any thread.
 */
#ifndef KITH_ACCESS_OIDC_H
#define KITH_ACCESS_OIDC_H

#include "base/arena.h"
#include "base/error.h"
#include "base/json.h"
#include "base/str.h"

#define OIDC_SECRET_BYTES 44 /* 32 random bytes as base64url, terminated */
#define OIDC_LEEWAY_MS 60000 /* clocks differ */

/* State, nonce or verifier. */
void oidc_make_secret(char out[OIDC_SECRET_BYTES]);
/* base64url(SHA-256(verifier)) */
void oidc_challenge(str verifier, char out[OIDC_SECRET_BYTES]);

struct oidc_expected {
    str issuer, client_id, nonce;
    int64_t now_ms;
};

/* Verify the token by the keys of `key_set` (a JWKS), and parse its claims with `parser` (not that of key_set; they
 * live until its next parse). UNAUTHENTICATED with the reason. */
err oidc_verify(str token, json_value key_set, const struct oidc_expected *expected,
                struct arena *arena, struct json_parser *parser, json_value *claims,
                struct problem *problem) MUST_USE;

#endif
