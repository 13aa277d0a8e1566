/* SPDX-License-Identifier: Apache-2.0 */
/* sign: requests to buckets are signed; see sign.h. */
#include "imports/sign.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <string.h>

#include "base/clock.h"

#define HASH_BYTES 32
#define HEX_BYTES (2 * HASH_BYTES)
#define CANONICAL_BYTES_MAX ((size_t)16 << 10)

static void write_hex(const uint8_t *bytes, char out[HEX_BYTES])
{
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < HASH_BYTES; i++) {
        out[2 * i] = digits[bytes[i] >> 4];
        out[2 * i + 1] = digits[bytes[i] & 15];
    }
}

static bool hash_hex(str text, char out[HEX_BYTES])
{
    uint8_t hash[EVP_MAX_MD_SIZE];
    if (EVP_Digest(text.data, text.size, hash, NULL, EVP_sha256(), NULL) != 1)
        return false;
    write_hex(hash, out);
    return true;
}

/* `key` becomes the HMAC of `text` under it. */
static bool step(uint8_t key[EVP_MAX_MD_SIZE], size_t key_bytes, str text)
{
    uint8_t out[EVP_MAX_MD_SIZE];
    unsigned size = 0;
    if (HMAC(EVP_sha256(), key, (int)key_bytes, (const uint8_t *)text.data, text.size, out,
             &size) == NULL)
        return false;
    memcpy(key, out, size);
    return true;
}

void sign_percent_encode(struct buffer *out, str text, bool keep_slash)
{
    for (size_t i = 0; i < text.size; i++) {
        char c = text.data[i];
        bool plain = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
                     c == '-' || c == '_' || c == '.' || c == '~' || (keep_slash && c == '/');
        if (plain)
            buffer_append_byte(out, (uint8_t)c);
        else
            buffer_printf(out, "%%%02X", (unsigned)(uint8_t)c);
    }
}

/* "2013-05-24T00:00:00.000Z" without its signs. */
static void write_date(int64_t now_ms, char date[SIGN_DATE_BYTES])
{
    char text[TIME_TEXT_BYTES];
    size_t at = 0;
    time_format_utc(now_ms, text);
    for (size_t i = 0; text[i] != '.' && text[i] != '\0'; i++) {
        if (text[i] != '-' && text[i] != ':' && at < SIGN_DATE_BYTES - 2)
            date[at++] = text[i];
    }
    date[at++] = 'Z';
    date[at] = '\0';
}

static const char *signed_headers(const struct sign_request *request)
{
    return request->range.size > 0 ? "host;range;x-amz-content-sha256;x-amz-date"
                                   : "host;x-amz-content-sha256;x-amz-date";
}

static void write_canonical(const struct sign_request *request, const char *date,
                            struct buffer *out)
{
    buffer_printf(out, STR_FMT "\n" STR_FMT "\n" STR_FMT "\n", STR_ARG(request->method),
                  STR_ARG(request->path), STR_ARG(request->query));
    buffer_printf(out, "host:" STR_FMT "\n", STR_ARG(request->host));
    if (request->range.size > 0)
        buffer_printf(out, "range:" STR_FMT "\n", STR_ARG(request->range));
    buffer_printf(out, "x-amz-content-sha256:%s\nx-amz-date:%s\n\n%s\n%s", SIGN_EMPTY_SHA256, date,
                  signed_headers(request), SIGN_EMPTY_SHA256);
}

/* The key of the day: a chain of HMACs that begins with "AWS4" and the secret. */
static bool make_key(const struct sign_request *request, const char *date,
                     uint8_t key[EVP_MAX_MD_SIZE])
{
    char first[260] = "AWS4";
    size_t size = request->secret_key.size;
    if (size > sizeof first - 4)
        return false;
    memcpy(first + 4, request->secret_key.data, size);
    unsigned made = 0;
    bool good =
        HMAC(EVP_sha256(), first, (int)size + 4, (const uint8_t *)date, 8, key, &made) != NULL;
    OPENSSL_cleanse(first, sizeof first);
    return good && step(key, HASH_BYTES, request->region) && step(key, HASH_BYTES, STR("s3")) &&
           step(key, HASH_BYTES, STR("aws4_request"));
}

err sign_request_write(const struct sign_request *request, struct buffer *authorization,
                       char date[SIGN_DATE_BYTES])
{
    uint8_t key[EVP_MAX_MD_SIZE];
    char hex[HEX_BYTES];
    struct buffer text;
    write_date(request->now_ms, date);
    buffer_init(&text, CANONICAL_BYTES_MAX);
    write_canonical(request, date, &text);
    bool good = buffer_status(&text) == ERR_OK && hash_hex(buffer_str(&text), hex);
    buffer_clear(&text);
    buffer_printf(&text, "AWS4-HMAC-SHA256\n%s\n%.8s/" STR_FMT "/s3/aws4_request\n%.*s", date, date,
                  STR_ARG(request->region), HEX_BYTES, hex);
    good = good && buffer_status(&text) == ERR_OK && make_key(request, date, key) &&
           step(key, HASH_BYTES, buffer_str(&text));
    buffer_deinit(&text);
    if (!good)
        return ERR_NOMEM;
    write_hex(key, hex);
    OPENSSL_cleanse(key, sizeof key);
    buffer_printf(authorization,
                  "AWS4-HMAC-SHA256 Credential=" STR_FMT "/%.8s/" STR_FMT
                  "/s3/aws4_request,SignedHeaders=%s,Signature=%.*s",
                  STR_ARG(request->access_key), date, STR_ARG(request->region),
                  signed_headers(request), HEX_BYTES, hex);
    return buffer_status(authorization);
}
