/* SPDX-License-Identifier: Apache-2.0 */
/* RFC 6238 over HMAC-SHA-1 (RFC 4226), and recovery codes. */
#include "access/totp.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
/* Without letters and digits that look alike; 32 of them. */
static const char readable[] = "abcdefghjkmnpqrstuvwxyz234567892";

void totp_make_secret(uint8_t secret[TOTP_SECRET_BYTES])
{
    randombytes_buf(secret, TOTP_SECRET_BYTES);
}

void totp_base32(const uint8_t secret[TOTP_SECRET_BYTES], char out[TOTP_BASE32_BYTES])
{
    for (int i = 0; i < TOTP_BASE32_BYTES - 1; i++) {
        uint32_t value = 0;
        for (int bit = 0; bit < 5; bit++) {
            int at = i * 5 + bit;
            value = value << 1 | ((uint32_t)secret[at / 8] >> (7 - at % 8) & 1u);
        }
        out[i] = alphabet[value];
    }
    out[TOTP_BASE32_BYTES - 1] = '\0';
}

static void write_escaped(struct buffer *out, str text)
{
    for (size_t i = 0; i < text.size; i++) {
        unsigned char c = (unsigned char)text.data[i];
        bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                     c == '-' || c == '_' || c == '.';
        if (plain)
            buffer_append_byte(out, c);
        else
            buffer_printf(out, "%%%02X", c);
    }
}

void totp_write_uri(struct buffer *out, const uint8_t secret[TOTP_SECRET_BYTES], str issuer,
                    str login)
{
    char text[TOTP_BASE32_BYTES];
    totp_base32(secret, text);
    buffer_append_str(out, STR("otpauth://totp/"));
    write_escaped(out, issuer);
    buffer_append_byte(out, ':');
    write_escaped(out, login);
    buffer_printf(out, "?secret=%s&issuer=", text);
    write_escaped(out, issuer);
}

void totp_code(const uint8_t secret[TOTP_SECRET_BYTES], int64_t step, char out[TOTP_CODE_BYTES])
{
    uint8_t message[8], hash[EVP_MAX_MD_SIZE];
    unsigned size = 0;
    for (int i = 0; i < 8; i++)
        message[i] = (uint8_t)((uint64_t)step >> (8 * (7 - i)));
    HMAC(EVP_sha1(), secret, TOTP_SECRET_BYTES, message, sizeof(message), hash, &size);
    unsigned at = hash[19] & 15u;
    uint32_t value = (uint32_t)(hash[at] & 0x7f) << 24 | (uint32_t)hash[at + 1] << 16 |
                     (uint32_t)hash[at + 2] << 8 | hash[at + 3];
    snprintf(out, TOTP_CODE_BYTES, "%06u", value % 1000000u);
}

bool totp_matches(const uint8_t secret[TOTP_SECRET_BYTES], str code, int64_t now_ms,
                  int64_t last_step, int64_t *step)
{
    int64_t now_step = now_ms / TOTP_STEP_MS;
    bool found = false;
    if (code.size != TOTP_CODE_BYTES - 1)
        return false;
    for (int64_t one = now_step - 1; one <= now_step + 1; one++) {
        char expected[TOTP_CODE_BYTES];
        totp_code(secret, one, expected);
        if (sodium_memcmp(expected, code.data, code.size) == 0 && one > last_step && !found) {
            *step = one;
            found = true;
        }
    }
    return found;
}

void recovery_make(char out[RECOVERY_CODE_BYTES])
{
    for (int i = 0; i < RECOVERY_CODE_BYTES - 1; i++)
        out[i] = i == 5 ? '-' : readable[randombytes_uniform(sizeof(readable) - 1)];
    out[RECOVERY_CODE_BYTES - 1] = '\0';
}

bool recovery_hash(const struct keys *keys, uint32_t user_number, str code,
                   char out[2 * SEAL_HASH_BYTES + 1])
{
    char text[32];
    uint8_t hash[SEAL_HASH_BYTES];
    int size = snprintf(text, sizeof(text), "%u:", user_number), prefix = size;
    for (size_t i = 0; i < code.size && size < (int)sizeof(text); i++) {
        char c = code.data[i];
        if (c == '-' || c == ' ')
            continue;
        text[size++] = c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
    }
    if (size - prefix != RECOVERY_CODE_BYTES - 2)
        return false;
    keys_hash(keys, STR("recovery"), str_from_bytes(text, (size_t)size), hash);
    sodium_bin2hex(out, 2 * SEAL_HASH_BYTES + 1, hash, sizeof(hash));
    return true;
}
