/* SPDX-License-Identifier: Apache-2.0 */
/* ID tokens: JWS (RFC 7515) with keys of a JWK set (RFC 7517), by OpenSSL. */
#include "access/oidc.h"

#include <openssl/core_names.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <sodium.h>
#include <string.h>

#define TOKEN_BYTES_MAX 65536
#define EC_HALF_BYTES 32

static void encode(const uint8_t *bytes, size_t size, char *out, size_t out_size)
{
    sodium_bin2base64(out, out_size, bytes, size, sodium_base64_VARIANT_URLSAFE_NO_PADDING);
}

static bool decode(struct arena *arena, str text, str *out)
{
    uint8_t *bytes = arena_alloc(arena, text.size + 1);
    size_t size = 0;
    if (bytes == NULL || text.size == 0 ||
        sodium_base642bin(bytes, text.size, text.data, text.size, NULL, &size, NULL,
                          sodium_base64_VARIANT_URLSAFE_NO_PADDING) != 0)
        return false;
    *out = str_from_bytes(bytes, size);
    return true;
}

void oidc_make_secret(char out[OIDC_SECRET_BYTES])
{
    uint8_t bytes[32];
    randombytes_buf(bytes, sizeof(bytes));
    encode(bytes, sizeof(bytes), out, OIDC_SECRET_BYTES);
}

void oidc_challenge(str verifier, char out[OIDC_SECRET_BYTES])
{
    uint8_t hash[crypto_hash_sha256_BYTES];
    crypto_hash_sha256(hash, (const unsigned char *)verifier.data, verifier.size);
    encode(hash, sizeof(hash), out, OIDC_SECRET_BYTES);
}

static err untrue(struct problem *problem, const char *why)
{
    return problem_set(problem, ERR_UNAUTHENTICATED, "the provider's ID token is not taken: %s",
                       why);
}

/* ---- keys ---- */

static EVP_PKEY *key_from(const char *type, OSSL_PARAM_BLD *builder)
{
    EVP_PKEY *key = NULL;
    OSSL_PARAM *params = OSSL_PARAM_BLD_to_param(builder);
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(NULL, type, NULL);
    if (params == NULL || context == NULL || EVP_PKEY_fromdata_init(context) <= 0 ||
        EVP_PKEY_fromdata(context, &key, EVP_PKEY_PUBLIC_KEY, params) <= 0)
        key = NULL;
    EVP_PKEY_CTX_free(context);
    OSSL_PARAM_free(params);
    return key;
}

static EVP_PKEY *rsa_key(json_value jwk, struct arena *arena)
{
    str n, e;
    if (!decode(arena, json_text(json_get(jwk, STR("n"))), &n) ||
        !decode(arena, json_text(json_get(jwk, STR("e"))), &e) || n.size < 256)
        return NULL; /* shorter than 2048 bits */
    OSSL_PARAM_BLD *builder = OSSL_PARAM_BLD_new();
    BIGNUM *modulus = BN_bin2bn((const unsigned char *)n.data, (int)n.size, NULL);
    BIGNUM *exponent = BN_bin2bn((const unsigned char *)e.data, (int)e.size, NULL);
    EVP_PKEY *key = NULL;
    if (builder != NULL && modulus != NULL && exponent != NULL &&
        OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_RSA_N, modulus) == 1 &&
        OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_RSA_E, exponent) == 1)
        key = key_from("RSA", builder);
    BN_free(modulus);
    BN_free(exponent);
    OSSL_PARAM_BLD_free(builder);
    return key;
}

static EVP_PKEY *ec_key(json_value jwk, struct arena *arena)
{
    str x, y;
    uint8_t point[1 + 2 * EC_HALF_BYTES] = { POINT_CONVERSION_UNCOMPRESSED };
    if (!str_equal(json_text(json_get(jwk, STR("crv"))), STR("P-256")) ||
        !decode(arena, json_text(json_get(jwk, STR("x"))), &x) || x.size != EC_HALF_BYTES ||
        !decode(arena, json_text(json_get(jwk, STR("y"))), &y) || y.size != EC_HALF_BYTES)
        return NULL;
    memcpy(point + 1, x.data, EC_HALF_BYTES);
    memcpy(point + 1 + EC_HALF_BYTES, y.data, EC_HALF_BYTES);
    OSSL_PARAM_BLD *builder = OSSL_PARAM_BLD_new();
    EVP_PKEY *key = NULL;
    if (builder != NULL &&
        OSSL_PARAM_BLD_push_utf8_string(builder, OSSL_PKEY_PARAM_GROUP_NAME, "prime256v1", 0) ==
            1 &&
        OSSL_PARAM_BLD_push_octet_string(builder, OSSL_PKEY_PARAM_PUB_KEY, point, sizeof(point)) ==
            1)
        key = key_from("EC", builder);
    OSSL_PARAM_BLD_free(builder);
    return key;
}

/* The key that the header names, or the only one of its type; never one that is for encryption. */
static EVP_PKEY *find_key(json_value key_set, str kid, bool is_ec, struct arena *arena)
{
    struct json_iterator iterator = json_iterate(json_get(key_set, STR("keys")));
    json_value jwk, found = { .document = NULL };
    size_t count = 0;
    while (json_next(&iterator, NULL, &jwk)) {
        str use = json_text(json_get(jwk, STR("use")));
        if (!str_equal(json_text(json_get(jwk, STR("kty"))), is_ec ? STR("EC") : STR("RSA")) ||
            (use.size > 0 && !str_equal(use, STR("sig"))) ||
            (kid.size > 0 && !str_equal(json_text(json_get(jwk, STR("kid"))), kid)))
            continue;
        found = jwk;
        count++;
    }
    if (count != 1)
        return NULL;
    return is_ec ? ec_key(found, arena) : rsa_key(found, arena);
}

/* ---- signatures ---- */

/* JWS has r and s side by side, OpenSSL wants them as DER. */
static bool to_der(struct arena *arena, str raw, str *der)
{
    if (raw.size != 2 * EC_HALF_BYTES)
        return false;
    const unsigned char *bytes = (const unsigned char *)raw.data;
    ECDSA_SIG *signature = ECDSA_SIG_new();
    BIGNUM *r = BN_bin2bn(bytes, EC_HALF_BYTES, NULL);
    BIGNUM *s = BN_bin2bn(bytes + EC_HALF_BYTES, EC_HALF_BYTES, NULL);
    if (signature == NULL || r == NULL || s == NULL || ECDSA_SIG_set0(signature, r, s) != 1) {
        BN_free(r);
        BN_free(s);
        ECDSA_SIG_free(signature);
        return false;
    }
    unsigned char *text = NULL;
    int size = i2d_ECDSA_SIG(signature, &text);
    bool made = size > 0 && arena_dup(arena, str_from_bytes(text, (size_t)size), der) == ERR_OK;
    OPENSSL_free(text);
    ECDSA_SIG_free(signature);
    return made;
}

static bool signature_fits(EVP_PKEY *key, str signed_text, str signature)
{
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    bool fits = context != NULL &&
                EVP_DigestVerifyInit(context, NULL, EVP_sha256(), NULL, key) == 1 &&
                EVP_DigestVerify(context, (const unsigned char *)signature.data, signature.size,
                                 (const unsigned char *)signed_text.data, signed_text.size) == 1;
    EVP_MD_CTX_free(context);
    return fits;
}

static err check_signature(str header_part, str signed_text, str signature_part, json_value key_set,
                           struct arena *arena, struct json_parser *parser, struct problem *problem)
{
    str header_text, signature;
    json_value header;
    if (!decode(arena, header_part, &header_text) || !decode(arena, signature_part, &signature) ||
        json_parse(parser, header_text, &header, NULL) != ERR_OK)
        return untrue(problem, "it is no signed token");
    str algorithm = json_text(json_get(header, STR("alg")));
    bool is_ec = str_equal(algorithm, STR("ES256"));
    if (!is_ec && !str_equal(algorithm, STR("RS256")))
        return untrue(problem, "it is signed neither by RS256 nor by ES256");
    if (json_kind(json_get(header, STR("crit"))) != JSON_MISSING)
        return untrue(problem, "its header asks for what is not known here");
    EVP_PKEY *key = find_key(key_set, json_text(json_get(header, STR("kid"))), is_ec, arena);
    if (key == NULL)
        return untrue(problem, "the provider shows no such key");
    bool fits = (!is_ec || to_der(arena, signature, &signature)) &&
                signature_fits(key, signed_text, signature);
    EVP_PKEY_free(key);
    return fits ? ERR_OK : untrue(problem, "its signature is wrong");
}

/* ---- claims ---- */

static bool is_for(json_value audience, str client_id)
{
    struct json_iterator iterator = json_iterate(audience);
    json_value one;
    if (json_kind(audience) == JSON_TEXT)
        return str_equal(json_text(audience), client_id);
    while (json_kind(audience) == JSON_ARRAY && json_next(&iterator, NULL, &one))
        if (str_equal(json_text(one), client_id))
            return true;
    return false;
}

static err check_claims(json_value claims, const struct oidc_expected *expected,
                        struct problem *problem)
{
    json_value audience = json_get(claims, STR("aud")), party = json_get(claims, STR("azp"));
    int64_t expires_s = json_int(json_get(claims, STR("exp")), 0);
    int64_t issued_s = json_int(json_get(claims, STR("iat")), INT64_MAX / 1000);
    int64_t now_ms = expected->now_ms;
    if (!str_equal(json_text(json_get(claims, STR("iss"))), expected->issuer))
        return untrue(problem, "it is by another issuer");
    if (!is_for(audience, expected->client_id))
        return untrue(problem, "it is for somebody else");
    if (json_kind(party) == JSON_TEXT ? !str_equal(json_text(party), expected->client_id)
                                      : json_count(audience) > 1)
        return untrue(problem, "another party may use it");
    if (expires_s <= 0 || expires_s > INT64_MAX / 2000 ||
        expires_s * 1000 + OIDC_LEEWAY_MS < now_ms)
        return untrue(problem, "it is over");
    if (issued_s > INT64_MAX / 2000 || issued_s * 1000 > now_ms + OIDC_LEEWAY_MS)
        return untrue(problem, "it is from the future");
    if (!str_equal(json_text(json_get(claims, STR("nonce"))), expected->nonce))
        return untrue(problem, "it answers another question");
    if (json_text(json_get(claims, STR("sub"))).size == 0)
        return untrue(problem, "it names nobody");
    return ERR_OK;
}

err oidc_verify(str token, json_value key_set, const struct oidc_expected *expected,
                struct arena *arena, struct json_parser *parser, json_value *claims,
                struct problem *problem)
{
    str rest = token, header, body, signature, text;
    if (token.size > TOKEN_BYTES_MAX || !str_split(&rest, '.', &header) ||
        !str_split(&rest, '.', &body) || !str_split(&rest, '.', &signature) || rest.size > 0)
        return untrue(problem, "it is no signed token");
    str signed_text = str_from_bytes(token.data, header.size + 1 + body.size);
    err error = check_signature(header, signed_text, signature, key_set, arena, parser, problem);
    if (error != ERR_OK)
        return error;
    if (!decode(arena, body, &text) || json_parse(parser, text, claims, NULL) != ERR_OK ||
        !json_is_object(*claims))
        return untrue(problem, "its claims cannot be read");
    return check_claims(*claims, expected, problem);
}
