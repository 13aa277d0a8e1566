/* SPDX-License-Identifier: Apache-2.0 */
/* crypt: digests, codings, and the encrypted envelope of WeCom and WeChat. */
#include "channel/crypt.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/sha.h>
#include <sodium.h>
#include <string.h>

#include "base/arena.h"

/* ---- digests ---- */

static const uint8_t *bytes_of(str text)
{
    return (const uint8_t *)(text.data != NULL ? text.data : "");
}

void crypt_sha256(str bytes, uint8_t out[SHA256_BYTES])
{
    SHA256(bytes_of(bytes), bytes.size, out);
}

void crypt_hex(const uint8_t *bytes, size_t size, char *out)
{
    sodium_bin2hex(out, 2 * size + 1, bytes, size);
}

void crypt_sha256_hex(str bytes, char out[SHA256_HEX_BYTES])
{
    uint8_t digest[SHA256_BYTES];
    crypt_sha256(bytes, digest);
    crypt_hex(digest, sizeof digest, out);
}

void crypt_sha1_hex(str bytes, char out[SHA1_HEX_BYTES])
{
    uint8_t digest[SHA_DIGEST_LENGTH];
    SHA1(bytes_of(bytes), bytes.size, digest);
    crypt_hex(digest, sizeof digest, out);
}

void crypt_hmac_sha256(str key, str bytes, uint8_t out[SHA256_BYTES])
{
    crypto_auth_hmacsha256_state state;
    crypto_auth_hmacsha256_init(&state, bytes_of(key), key.size);
    crypto_auth_hmacsha256_update(&state, bytes_of(bytes), bytes.size);
    crypto_auth_hmacsha256_final(&state, out);
    sodium_memzero(&state, sizeof state);
}

bool crypt_equal(str a, str b)
{
    return a.size == b.size && (a.size == 0 || sodium_memcmp(a.data, b.data, a.size) == 0);
}

void crypt_random(uint8_t *bytes, size_t size)
{
    randombytes_buf(bytes, size);
}

/* ---- codings ---- */

void crypt_base64(struct buffer *out, str bytes)
{
    size_t size = sodium_base64_encoded_len(bytes.size, sodium_base64_VARIANT_ORIGINAL);
    char *at = buffer_reserve(out, size);
    if (at == NULL)
        return;
    sodium_bin2base64(at, size, bytes_of(bytes), bytes.size, sodium_base64_VARIANT_ORIGINAL);
    buffer_advance(out, size - 1);
}

bool crypt_unbase64(struct buffer *out, str text)
{
    size_t size = 0;
    char *at = buffer_reserve(out, text.size / 4 * 3 + 3);
    if (at == NULL ||
        sodium_base642bin((uint8_t *)at, text.size / 4 * 3 + 3, (const char *)bytes_of(text),
                          text.size, "\r\n \t", &size, NULL, sodium_base64_VARIANT_ORIGINAL) != 0)
        return false;
    buffer_advance(out, size);
    return true;
}

void crypt_url_encode(struct buffer *out, str text)
{
    static const char HEX[] = "0123456789ABCDEF";
    for (size_t i = 0; i < text.size; i++) {
        unsigned char c = (unsigned char)text.data[i];
        if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
            c == '-' || c == '.' || c == '_' || c == '~') {
            buffer_append_byte(out, c);
        } else {
            char escaped[3] = { '%', HEX[c >> 4], HEX[c & 15] };
            buffer_append(out, escaped, 3);
        }
    }
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

bool crypt_url_decode(struct buffer *out, str text)
{
    for (size_t i = 0; i < text.size; i++) {
        char c = text.data[i];
        if (c == '%') {
            int high = i + 2 < text.size ? hex_digit(text.data[i + 1]) : -1;
            int low = i + 2 < text.size ? hex_digit(text.data[i + 2]) : -1;
            if (high < 0 || low < 0)
                return false;
            buffer_append_byte(out, (uint8_t)(high * 16 + low));
            i += 2;
        } else {
            buffer_append_byte(out, c == '+' ? ' ' : (uint8_t)c);
        }
    }
    return true;
}

/* ---- the envelope ---- */

#define ENVELOPE_BLOCK 32
#define ENVELOPE_HEAD 20 /* 16 random bytes and the length */
#define ENVELOPE_BYTES_MAX ((size_t)2 << 20)
#define AES_KEY_BYTES 32

void envelope_sign(str token, str timestamp, str nonce, str encrypted, char out[SHA1_HEX_BYTES])
{
    str parts[4] = { token, timestamp, nonce, encrypted };
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    uint8_t digest[SHA_DIGEST_LENGTH] = { 0 };
    for (size_t i = 1; i < 4; i++) {
        for (size_t j = i; j > 0; j--) {
            size_t common = parts[j].size < parts[j - 1].size ? parts[j].size : parts[j - 1].size;
            int order = common > 0 ? memcmp(parts[j].data, parts[j - 1].data, common) : 0;
            if (order > 0 || (order == 0 && parts[j].size >= parts[j - 1].size))
                break;
            str other = parts[j];
            parts[j] = parts[j - 1];
            parts[j - 1] = other;
        }
    }
    out[0] = '\0';
    if (context == NULL)
        return;
    bool fine = EVP_DigestInit_ex(context, EVP_sha1(), NULL) == 1;
    for (size_t i = 0; i < 4; i++)
        fine = fine && EVP_DigestUpdate(context, bytes_of(parts[i]), parts[i].size) == 1;
    if (fine && EVP_DigestFinal_ex(context, digest, NULL) == 1)
        crypt_hex(digest, sizeof digest, out);
    EVP_MD_CTX_free(context);
}

static bool read_key(str aes_key, uint8_t key[AES_KEY_BYTES])
{
    size_t size = 0;
    char text[45];
    if (aes_key.size != 43)
        return false;
    memcpy(text, aes_key.data, 43);
    text[43] = '=';
    /* The last character may carry bits that no byte needs: libsodium is strict, the providers are not. */
    uint8_t padded[48];
    int got = EVP_DecodeBlock(padded, (const uint8_t *)text, 44);
    if (got != 33)
        return false;
    size = (size_t)got - 1;
    memcpy(key, padded, size);
    sodium_memzero(padded, sizeof padded);
    sodium_memzero(text, sizeof text);
    return true;
}

bool envelope_key_is_good(str aes_key)
{
    uint8_t key[AES_KEY_BYTES];
    bool good = read_key(aes_key, key);
    sodium_memzero(key, sizeof key);
    return good;
}

/* In place; the padding is ours (to 32 bytes, not to AES's 16). */
static bool cipher(bool encrypt, const uint8_t key[AES_KEY_BYTES], uint8_t *bytes, size_t size)
{
    int done = 0, rest = 0;
    EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
    bool fine = context != NULL && size <= ENVELOPE_BYTES_MAX + 64 &&
                EVP_CipherInit_ex(context, EVP_aes_256_cbc(), NULL, key, key, encrypt) == 1 &&
                EVP_CIPHER_CTX_set_padding(context, 0) == 1 &&
                EVP_CipherUpdate(context, bytes, &done, bytes, (int)size) == 1 &&
                EVP_CipherFinal_ex(context, bytes + done, &rest) == 1 &&
                (size_t)done + (size_t)rest == size;
    EVP_CIPHER_CTX_free(context);
    return fine;
}

err envelope_seal(str aes_key, str receiver, str message, const uint8_t random[16],
                  struct buffer *out, struct problem *problem)
{
    uint8_t key[AES_KEY_BYTES];
    struct buffer plain;
    if (!read_key(aes_key, key))
        return problem_set(problem, ERR_UNPROCESSABLE,
                           "the key of the callback is not 43 characters of base64");
    buffer_init(&plain, ENVELOPE_BYTES_MAX);
    const uint8_t length[4] = { (uint8_t)(message.size >> 24), (uint8_t)(message.size >> 16),
                                (uint8_t)(message.size >> 8), (uint8_t)message.size };
    buffer_append(&plain, random, 16);
    buffer_append(&plain, length, 4);
    buffer_append_str(&plain, message);
    buffer_append_str(&plain, receiver);
    size_t padding = ENVELOPE_BLOCK - plain.size % ENVELOPE_BLOCK;
    for (size_t i = 0; i < padding; i++)
        buffer_append_byte(&plain, (uint8_t)padding);
    err error = buffer_status(&plain);
    if (error != ERR_OK)
        problem_set(problem, error, "a reply is longer than %zu bytes", ENVELOPE_BYTES_MAX);
    else if (!cipher(true, key, (uint8_t *)plain.data, plain.size))
        error = problem_set(problem, ERR_INTERNAL, "a reply could not be encrypted");
    else
        crypt_base64(out, buffer_str(&plain));
    sodium_memzero(key, sizeof key);
    buffer_deinit(&plain);
    return error;
}

/* What is inside, when all lengths fit. */
static bool open_plain(str plain, str receiver, str *message)
{
    if (plain.size < ENVELOPE_HEAD + 1)
        return false;
    const uint8_t *bytes = bytes_of(plain);
    size_t padding = bytes[plain.size - 1];
    if (padding < 1 || padding > ENVELOPE_BLOCK || padding > plain.size - ENVELOPE_HEAD)
        return false;
    for (size_t i = plain.size - padding; i < plain.size; i++)
        if (bytes[i] != padding)
            return false;
    size_t end = plain.size - padding;
    size_t size = (size_t)bytes[16] << 24 | (size_t)bytes[17] << 16 | (size_t)bytes[18] << 8 |
                  (size_t)bytes[19];
    if (size > end - ENVELOPE_HEAD)
        return false;
    *message = str_slice(plain, ENVELOPE_HEAD, ENVELOPE_HEAD + size);
    return str_equal(str_slice(plain, ENVELOPE_HEAD + size, end), receiver);
}

err envelope_open(str aes_key, str receiver, str encrypted, struct buffer *out,
                  struct problem *problem)
{
    uint8_t key[AES_KEY_BYTES];
    struct buffer plain;
    str message;
    err error = ERR_OK;
    if (!read_key(aes_key, key))
        return problem_set(problem, ERR_UNPROCESSABLE,
                           "the key of the callback is not 43 characters of base64");
    buffer_init(&plain, ENVELOPE_BYTES_MAX);
    if (!crypt_unbase64(&plain, encrypted) || plain.size == 0 || plain.size % 16 != 0)
        error =
            problem_set(problem, ERR_INVALID, "the encrypted part is not base64 of whole blocks");
    else if (!cipher(false, key, (uint8_t *)plain.data, plain.size) ||
             !open_plain(buffer_str(&plain), receiver, &message))
        error = problem_set(problem, ERR_FORBIDDEN,
                            "the encrypted part was not made for this account and key");
    else
        buffer_append_str(out, message);
    sodium_memzero(key, sizeof key);
    buffer_deinit(&plain);
    return error;
}
