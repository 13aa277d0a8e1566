/* SPDX-License-Identifier: Apache-2.0 */
/* Values and pieces of files, sealed and opened; formats in docs/formats/seal.md. */
#include "access/seal.h"

#include <sodium.h>
#include <string.h>

#include "access/seal_inside.h"

#define NONCE_BYTES crypto_aead_xchacha20poly1305_ietf_NPUBBYTES
#define TAG_BYTES crypto_aead_xchacha20poly1305_ietf_ABYTES
#define PREFIX_BYTES 5 /* "s1:7:" */

/* A key's number is one byte of the text, so that sealing it anew leaves it as long as it is. */
static const char number_digits[] =
    "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
_Static_assert(sizeof number_digits - 2 == SEALING_KEYS_MAX, "a digit for each key");

char seal_digit(uint32_t number)
{
    INVARIANT(number >= 1 && number <= SEALING_KEYS_MAX);
    return number_digits[number];
}

/* "s1:7:", the part in front of the base64, which is authenticated too. */
static void write_prefix(uint32_t number, char out[PREFIX_BYTES])
{
    memcpy(out, "s1:0:", PREFIX_BYTES);
    out[3] = number_digits[number];
}

/* 0: no such key. */
static uint32_t number_of(char digit)
{
    const char *at = digit != '\0' ? strchr(number_digits, digit) : NULL;
    return at != NULL ? (uint32_t)(at - number_digits) : 0;
}

/* ---- nonces ---- */

/* Nonces are drawn in advance, a page at a time: getrandom costs more than sealing does. A forked
 * child must not draw the same ones again. */
#define NONCES_AHEAD 128
static _Thread_local struct {
    uint8_t bytes[NONCES_AHEAD][NONCE_BYTES];
    unsigned left;
} nonces;

static void forget_nonces(void)
{
    nonces.left = 0;
}

static void start_nonces(void)
{
    pthread_atfork(NULL, NULL, forget_nonces);
}

void seal_prepare_nonces(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, start_nonces);
}

static const uint8_t *next_nonce(void)
{
    if (nonces.left == 0) {
        randombytes_buf(nonces.bytes, sizeof nonces.bytes);
        nonces.left = NONCES_AHEAD;
    }
    return nonces.bytes[--nonces.left];
}

/* ---- sealing ---- */

/* Base64 for URLs, without padding (RFC 4648, 5). What is encoded is no secret: libsodium's own, which
 * takes the same time for all bytes, costs as much as the cipher. */
static char *put_base64url(char *out, const uint8_t *at, size_t size)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    for (; size >= 3; at += 3, size -= 3) {
        *out++ = digits[at[0] >> 2];
        *out++ = digits[(at[0] << 4 | at[1] >> 4) & 63];
        *out++ = digits[(at[1] << 2 | at[2] >> 6) & 63];
        *out++ = digits[at[2] & 63];
    }
    if (size > 0) {
        *out++ = digits[at[0] >> 2];
        *out++ = digits[(at[0] << 4 | (size > 1 ? at[1] >> 4 : 0)) & 63];
    }
    if (size > 1)
        *out++ = digits[at[1] << 2 & 63];
    return out;
}

err keys_seal(const struct keys *keys, struct arena *arena, str value, str *sealed)
{
    uint32_t number = keys_newest(keys);
    size_t plain_bytes = NONCE_BYTES + value.size + TAG_BYTES;
    size_t text_bytes = PREFIX_BYTES + (plain_bytes * 4 + 2) / 3;
    uint8_t *bytes = arena_alloc_raw(arena, plain_bytes);
    char *text = arena_alloc_raw(arena, text_bytes);
    if (bytes == NULL || text == NULL)
        return ERR_NOMEM;
    memcpy(bytes, next_nonce(), NONCE_BYTES);
    write_prefix(number, text);
    crypto_aead_xchacha20poly1305_ietf_encrypt(
        bytes + NONCE_BYTES, NULL, (const uint8_t *)value.data, value.size, (const uint8_t *)text,
        PREFIX_BYTES, NULL, bytes, keys->sealing[number]);
    char *end = put_base64url(text + PREFIX_BYTES, bytes, plain_bytes);
    INVARIANT((size_t)(end - text) == text_bytes);
    *sealed = str_from_bytes(text, text_bytes);
    return ERR_OK;
}

#define BODY_BYTES_LEAST ((NONCE_BYTES + TAG_BYTES) * 4 / 3) /* of the seal of nothing */

/* The key number and the base64 of a sealed text. */
static bool split_sealed(str sealed, uint32_t *number, str *body)
{
    if (sealed.size < PREFIX_BYTES || !str_starts_with(sealed, STR("s1:")) || sealed.data[4] != ':')
        return false;
    *number = number_of(sealed.data[3]);
    *body = str_slice(sealed, PREFIX_BYTES, sealed.size);
    return *number != 0;
}

static bool is_base64url(char c)
{
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_';
}

bool seal_is_sealed(str text)
{
    uint32_t number;
    str body;
    if (!split_sealed(text, &number, &body))
        return false;
    for (size_t i = 0; i < body.size; i++)
        if (!is_base64url(body.data[i]))
            return false;
    return body.size >= BODY_BYTES_LEAST;
}

static bool decode_body(str body, uint8_t *bytes, size_t room, size_t *size)
{
    return sodium_base642bin(bytes, room, body.data, body.size, NULL, size, NULL,
                             sodium_base64_VARIANT_URLSAFE_NO_PADDING) == 0 &&
           *size >= NONCE_BYTES + TAG_BYTES;
}

static bool open_body(const struct keys *keys, uint32_t number, const uint8_t *bytes, size_t size,
                      uint8_t *plain)
{
    char prefix[PREFIX_BYTES];
    write_prefix(number, prefix);
    return crypto_aead_xchacha20poly1305_ietf_decrypt(
               plain, NULL, NULL, bytes + NONCE_BYTES, size - NONCE_BYTES, (const uint8_t *)prefix,
               PREFIX_BYTES, bytes, keys->sealing[number]) == 0;
}

err keys_unseal(const struct keys *keys, struct arena *arena, str sealed, str *value,
                struct problem *problem)
{
    uint32_t number;
    str body;
    if (!split_sealed(sealed, &number, &body))
        return problem_set(problem, ERR_INVALID, "this is not a sealed text");
    size_t room = body.size / 4 * 3 + 3, size = 0;
    uint8_t *bytes = arena_alloc_raw(arena, room);
    char *plain = arena_alloc_raw(arena, room);
    if (bytes == NULL || plain == NULL)
        return problem_set(problem, ERR_NOMEM, "no memory to open a sealed text");
    if (!decode_body(body, bytes, room, &size))
        return problem_set(problem, ERR_INVALID, "this is not a sealed text");
    if (number < keys->oldest)
        return problem_set(problem, ERR_CORRUPT, "sealed with key %u, which was removed", number);
    if (number > keys_known(keys))
        return problem_set(problem, ERR_CORRUPT, "sealed with key %u, which is not here", number);
    if (!open_body(keys, number, bytes, size, (uint8_t *)plain))
        return problem_set(problem, ERR_CORRUPT, "a sealed text is damaged or of another folder");
    *value = str_from_bytes(plain, size - NONCE_BYTES - TAG_BYTES);
    return ERR_OK;
}

/* ---- sealing anew ---- */

/* How far what follows a text may look like more of it: a record has no end marks. */
#define OVERHANG_BYTES_MAX 512

/* The text keeps its length and its nonce: no other text was ever sealed with both this nonce and the new key, and whoever seals
 * this one anew, wherever it stands and by whatever keys it came here, gets the same bytes. */
static void seal_anew(const struct keys *keys, uint32_t number, char *text, uint8_t *bytes,
                      size_t size, const uint8_t *plain)
{
    write_prefix(number, text);
    crypto_aead_xchacha20poly1305_ietf_encrypt(
        bytes + NONCE_BYTES, NULL, plain, size - NONCE_BYTES - TAG_BYTES, (const uint8_t *)text,
        PREFIX_BYTES, NULL, bytes, keys->sealing[number]);
    put_base64url(text + PREFIX_BYTES, bytes, size);
}

/* A text at `text`, with `run` digits of base64 behind its prefix: as many of them belong to it as can be opened. False: none, or
 * no memory. `writes` NULL: only looked at. */
static bool renew_text(const struct keys *keys, uint32_t number, uint32_t newest, const char *text,
                       size_t run, char *writes)
{
    size_t room = run / 4 * 3 + 3, size;
    uint8_t small[2][1024];
    uint8_t *bytes = room <= sizeof small[0] ? small[0] : memory_alloc(2 * room);
    uint8_t *plain = room <= sizeof small[0] ? small[1] : bytes + room;
    bool opened = false;
    if (bytes == NULL)
        return false;
    for (size_t left = OVERHANG_BYTES_MAX; run >= BODY_BYTES_LEAST && left > 0 && !opened;
         run--, left--)
        opened = decode_body(str_from_bytes(text + PREFIX_BYTES, run), bytes, room, &size) &&
                 open_body(keys, number, bytes, size, plain);
    if (opened && writes != NULL)
        seal_anew(keys, newest, writes, bytes, size, plain);
    sodium_memzero(plain, room);
    if (bytes != small[0])
        memory_free(bytes);
    return opened;
}

static size_t renew_all(const struct keys *keys, const char *bytes, size_t size, char *writes)
{
    uint32_t newest = keys_newest(keys);
    size_t count = 0;
    const char *at = bytes, *end = bytes + size, *next;
    while (size > 0 && newest > 1 && (next = memmem(at, (size_t)(end - at), "s1:", 3)) != NULL) {
        uint32_t number = 0;
        at = next + 3;
        if (end - next > PREFIX_BYTES && next[4] == ':')
            number = number_of(next[3]);
        if (number == 0)
            continue;
        const char *body = next + PREFIX_BYTES, *last = body;
        while (last < end && is_base64url(*last))
            last++;
        if (number < newest && number >= keys->oldest)
            count += renew_text(keys, number, newest, next, (size_t)(last - body),
                                writes != NULL ? writes + (next - bytes) : NULL);
        at = last;
    }
    return count;
}

size_t keys_renew(const struct keys *keys, char *bytes, size_t size)
{
    return renew_all(keys, bytes, size, bytes);
}

size_t keys_count_old(const struct keys *keys, str bytes)
{
    return renew_all(keys, bytes.data, bytes.size, NULL);
}

/* ---- pieces of files ---- */

_Static_assert(SEAL_PIECE_BYTES == NONCE_BYTES + TAG_BYTES, "pieces");

err keys_seal_piece(const struct keys *keys, uint32_t number, str place, str plain, uint8_t *out)
{
    if (number < keys->oldest || number > keys_known(keys))
        return ERR_CORRUPT;
    memcpy(out, next_nonce(), NONCE_BYTES);
    crypto_aead_xchacha20poly1305_ietf_encrypt(out + NONCE_BYTES, NULL, (const uint8_t *)plain.data,
                                               plain.size, (const uint8_t *)place.data, place.size,
                                               NULL, out, keys->sealing[number]);
    return ERR_OK;
}

err keys_unseal_piece(const struct keys *keys, uint32_t number, str place, const uint8_t *sealed,
                      size_t sealed_bytes, char *out)
{
    unsigned long long plain_bytes = 0;
    if (number < keys->oldest || number > keys_known(keys) || sealed_bytes < SEAL_PIECE_BYTES)
        return ERR_CORRUPT;
    return crypto_aead_xchacha20poly1305_ietf_decrypt(
               (uint8_t *)out, &plain_bytes, NULL, sealed + NONCE_BYTES, sealed_bytes - NONCE_BYTES,
               (const uint8_t *)place.data, place.size, sealed, keys->sealing[number]) == 0
               ? ERR_OK
               : ERR_CORRUPT;
}
