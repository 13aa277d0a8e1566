/* SPDX-License-Identifier: Apache-2.0 */
/* Signatures of the providers, checked from their documentation; and what WeCom and WeChat encrypt with.
 *
 * Sources: Aliyun 'request structure and signature' V3 (ACS3-HMAC-SHA256) and RPC V1; Tencent Cloud 'signature v3'
 * (TC3-HMAC-SHA256); standardwebhooks.com; WeCom developer documentation 90968. */
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "sandbox/inside.h"

#define TIME_SKEW_MS (15 * MINUTE_MS)
#define TENCENT_SKEW_S 300

void hex_write(const uint8_t *bytes, size_t size, char *out)
{
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < size; i++) {
        out[2 * i] = digits[bytes[i] >> 4];
        out[2 * i + 1] = digits[bytes[i] & 15];
    }
    out[2 * size] = '\0';
}

static const void *bytes_of(str text)
{
    return text.data != NULL ? text.data : "";
}

void sha256_hex(str text, char out[65])
{
    uint8_t hash[32] = { 0 };
    unsigned size = 0;
    INVARIANT(EVP_Digest(bytes_of(text), text.size, hash, &size, EVP_sha256(), NULL) == 1);
    hex_write(hash, sizeof hash, out);
}

void sha1_hex(str text, char out[41])
{
    uint8_t hash[20] = { 0 };
    unsigned size = 0;
    INVARIANT(EVP_Digest(bytes_of(text), text.size, hash, &size, EVP_sha1(), NULL) == 1);
    hex_write(hash, sizeof hash, out);
}

static size_t hmac(const EVP_MD *kind, str key, str text, uint8_t out[32])
{
    unsigned size = 0;
    INVARIANT(HMAC(kind, bytes_of(key), (int)key.size, bytes_of(text), text.size, out, &size) !=
              NULL);
    return size;
}

bool same_text(str a, str b)
{
    unsigned difference = a.size != b.size;
    for (size_t i = 0; i < a.size; i++)
        difference |=
            (unsigned char)a.data[i] ^ (b.size > 0 ? (unsigned char)b.data[i % b.size] : 1u);
    return difference == 0;
}

size_t base64_write(const uint8_t *bytes, size_t size, char *out)
{
    return (size_t)EVP_EncodeBlock((unsigned char *)out, bytes, (int)size);
}

bool base64_read(str text, uint8_t *out, size_t size_max, size_t *size)
{
    size_t padding = 0;
    if (text.size == 0 || text.size % 4 != 0 || text.size / 4 * 3 > size_max)
        return false;
    while (padding < 2 && text.data[text.size - 1 - padding] == '=')
        padding++;
    int decoded = EVP_DecodeBlock(out, (const unsigned char *)text.data, (int)text.size);
    if (decoded < 0)
        return false;
    *size = (size_t)decoded - padding;
    return true;
}

/* ---- Aliyun ---- */

static bool is_unreserved(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_' || c == '.' || c == '~';
}

static void write_percent(struct buffer *out, str text)
{
    for (size_t i = 0; i < text.size; i++) {
        if (is_unreserved(text.data[i]))
            buffer_append_byte(out, (uint8_t)text.data[i]);
        else
            buffer_printf(out, "%%%02X", (unsigned char)text.data[i]);
    }
}

/* Sorted by name: indices of `params`, without `leave`. */
static size_t sort_params(const struct params *params, str leave, size_t order[PARAMS_MAX])
{
    size_t count = 0;
    for (size_t i = 0; i < params->count; i++) {
        if (leave.size > 0 && str_equal(params->all[i].name, leave))
            continue;
        size_t at = count++;
        while (at > 0 && str_compare(params->all[order[at - 1]].name, params->all[i].name) > 0) {
            order[at] = order[at - 1];
            at--;
        }
        order[at] = i;
    }
    return count;
}

static void write_query(struct buffer *out, const struct params *params, str leave)
{
    size_t order[PARAMS_MAX];
    size_t count = sort_params(params, leave, order);
    for (size_t i = 0; i < count; i++) {
        buffer_append_str(out, i > 0 ? STR("&") : STR_NONE);
        write_percent(out, params->all[order[i]].name);
        buffer_append_byte(out, '=');
        write_percent(out, params->all[order[i]].value);
    }
}

static bool is_near(const struct sandbox *sandbox, str time)
{
    int64_t at_ms, now_ms = sandbox_now(sandbox);
    if (sandbox->settings[SETTING_CHECK_TIME] == 0)
        return true;
    return time_parse(time, 0, &at_ms) && at_ms > now_ms - TIME_SKEW_MS &&
           at_ms < now_ms + TIME_SKEW_MS;
}

/* "ACS3-HMAC-SHA256 Credential=…,SignedHeaders=…,Signature=…": the part behind `name`. */
static str part_of(str authorization, str name)
{
    for (size_t i = 0; i + name.size <= authorization.size; i++) {
        if (memcmp(authorization.data + i, name.data, name.size) != 0)
            continue;
        str rest = str_slice(authorization, i + name.size, authorization.size);
        size_t end = 0;
        while (end < rest.size && rest.data[end] != ',' && rest.data[end] != ' ')
            end++;
        return str_slice(rest, 0, end);
    }
    return STR_NONE;
}

static void write_signed_headers(struct buffer *out, const struct call *call, str names)
{
    str rest = names, name;
    while (str_split(&rest, ';', &name)) {
        char terminated[80];
        snprintf(terminated, sizeof terminated, STR_FMT, STR_ARG(name));
        buffer_append_str(out, name);
        buffer_append_byte(out, ':');
        buffer_append_str(out, str_trim(call->header(call, terminated)));
        buffer_append_byte(out, '\n');
    }
    buffer_append_byte(out, '\n');
    buffer_append_str(out, names);
}

static bool lists(str names, const char *wanted)
{
    str name;
    while (str_split(&names, ';', &name))
        if (str_equal(name, str_from_c(wanted)))
            return true;
    return false;
}

static void acs3_canonical(const struct call *call, const struct params *query, str names, str hash,
                           struct buffer *out)
{
    size_t path = str_find_byte(call->target, '?');
    buffer_append_str(out, call->method);
    buffer_append_byte(out, '\n');
    buffer_append_str(out, str_slice(call->target, 0, path));
    buffer_append_byte(out, '\n');
    write_query(out, query, STR_NONE);
    buffer_append_byte(out, '\n');
    write_signed_headers(out, call, names);
    buffer_append_byte(out, '\n');
    buffer_append_str(out, hash);
}

const char *acs3_check(const struct call *call, const struct params *query, str secret)
{
    str authorization = call->header(call, "authorization");
    str names = part_of(authorization, STR("SignedHeaders="));
    str signature = part_of(authorization, STR("Signature="));
    char hash[65], canonical_hash[65], wanted[65], to_sign[96];
    uint8_t mac[32];
    struct buffer text;
    sha256_hex(call->body, hash);
    if (!str_equal(call->header(call, "x-acs-content-sha256"), str_from_c(hash)))
        return "SignatureDoesNotMatch";
    if (!lists(names, "host") || !lists(names, "x-acs-action") || !lists(names, "x-acs-date") ||
        !lists(names, "x-acs-signature-nonce") || !lists(names, "x-acs-version"))
        return "IncompleteSignature";
    if (!is_near(call->sandbox, call->header(call, "x-acs-date")))
        return "InvalidTimeStamp.Expired";
    buffer_init(&text, SANDBOX_BODY_BYTES_MAX);
    acs3_canonical(call, query, names, str_from_c(hash), &text);
    sha256_hex(buffer_str(&text), canonical_hash);
    buffer_deinit(&text);
    int size = snprintf(to_sign, sizeof to_sign, "ACS3-HMAC-SHA256\n%s", canonical_hash);
    hmac(EVP_sha256(), secret, str_from_bytes(to_sign, (size_t)size), mac);
    hex_write(mac, sizeof mac, wanted);
    return same_text(signature, str_from_c(wanted)) ? NULL : "SignatureDoesNotMatch";
}

const char *acs1_check(const struct call *call, const struct params *all, str secret)
{
    struct buffer query, text;
    char key[SANDBOX_ID_BYTES + 2], wanted[64];
    uint8_t mac[32];
    if (!str_equal(params_get(all, STR("SignatureMethod")), STR("HMAC-SHA1")) ||
        !str_equal(params_get(all, STR("SignatureVersion")), STR("1.0")))
        return "InvalidSignatureMethod";
    if (!is_near(call->sandbox, params_get(all, STR("Timestamp"))))
        return "InvalidTimeStamp.Expired";
    buffer_init(&query, SANDBOX_BODY_BYTES_MAX);
    buffer_init(&text, 2 * SANDBOX_BODY_BYTES_MAX);
    write_query(&query, all, STR("Signature"));
    buffer_append_str(&text, call->method);
    buffer_append_str(&text, STR("&%2F&"));
    write_percent(&text, buffer_str(&query));
    int size = snprintf(key, sizeof key, STR_FMT "&", STR_ARG(secret));
    size_t mac_size = hmac(EVP_sha1(), str_from_bytes(key, (size_t)size), buffer_str(&text), mac);
    str made = str_from_bytes(wanted, base64_write(mac, mac_size, wanted));
    buffer_deinit(&query);
    buffer_deinit(&text);
    return same_text(params_get(all, STR("Signature")), made) ? NULL : "SignatureDoesNotMatch";
}

/* ---- Tencent Cloud ---- */

static str without_port(str host)
{
    return str_slice(host, 0, str_find_byte(host, ':'));
}

/* The official clients sign the host without its port, others with it: both are right at their own address. */
static void tc3_wanted(const struct call *call, str secret, str date, str stamp, bool with_port,
                       char out[65])
{
    char hash[65], canonical_hash[65], key[SANDBOX_ID_BYTES + 4];
    uint8_t mac[32], next[32];
    struct buffer text;
    str host = call->header(call, "host");
    sha256_hex(call->body, hash);
    buffer_init(&text, 4096);
    buffer_printf(&text,
                  "POST\n/\n\ncontent-type:" STR_FMT "\nhost:" STR_FMT "\n\ncontent-type;host\n%s",
                  STR_ARG(call->header(call, "content-type")),
                  STR_ARG(with_port ? host : without_port(host)), hash);
    sha256_hex(buffer_str(&text), canonical_hash);
    buffer_clear(&text);
    buffer_printf(&text, "TC3-HMAC-SHA256\n" STR_FMT "\n" STR_FMT "/sms/tc3_request\n%s",
                  STR_ARG(stamp), STR_ARG(date), canonical_hash);
    int size = snprintf(key, sizeof key, "TC3" STR_FMT, STR_ARG(secret));
    hmac(EVP_sha256(), str_from_bytes(key, (size_t)size), date, mac);
    hmac(EVP_sha256(), str_from_bytes(mac, 32), STR("sms"), next);
    hmac(EVP_sha256(), str_from_bytes(next, 32), STR("tc3_request"), mac);
    hmac(EVP_sha256(), str_from_bytes(mac, 32), buffer_str(&text), next);
    hex_write(next, sizeof next, out);
    buffer_deinit(&text);
}

const char *tc3_check(const struct call *call, str secret, str secret_id)
{
    str authorization = call->header(call, "authorization");
    str signature = part_of(authorization, STR("Signature="));
    str scope = part_of(authorization, STR("Credential=")), date;
    str stamp = call->header(call, "x-tc-timestamp");
    int64_t seconds, now_s = sandbox_now(call->sandbox) / SECOND_MS;
    char wanted[65], day[TIME_TEXT_BYTES];
    if (!str_starts_with(authorization, STR("TC3-HMAC-SHA256 ")) ||
        !str_equal(part_of(authorization, STR("SignedHeaders=")), STR("content-type;host")))
        return "AuthFailure.SignatureFailure";
    scope = str_slice(scope, secret_id.size + 1, scope.size);
    if (!str_split(&scope, '/', &date) || !str_equal(scope, STR("sms/tc3_request")))
        return "AuthFailure.InvalidAuthorization";
    if (!str_to_int64(stamp, &seconds) || seconds < 0 || seconds > INT64_C(100000000000))
        return "AuthFailure.SignatureFailure";
    time_format_utc(seconds * SECOND_MS, day);
    if (!str_equal(date, str_from_bytes(day, 10)))
        return "AuthFailure.SignatureFailure";
    if (call->sandbox->settings[SETTING_CHECK_TIME] != 0 &&
        (seconds < now_s - TENCENT_SKEW_S || seconds > now_s + TENCENT_SKEW_S))
        return "AuthFailure.SignatureExpire";
    for (int with_port = 0; with_port < 2; with_port++) {
        tc3_wanted(call, secret, date, stamp, with_port, wanted);
        if (same_text(signature, str_from_c(wanted)))
            return NULL;
    }
    return "AuthFailure.SignatureFailure";
}

/* ---- Standard Webhooks ---- */

bool webhook_check(const struct call *call, str secret, str id, str stamp, str signatures)
{
    uint8_t key[128], mac[32];
    size_t key_size;
    char wanted[64];
    struct buffer text;
    str one;
    if (str_starts_with(secret, STR("whsec_")))
        secret = str_slice(secret, STR("whsec_").size, secret.size);
    if (!base64_read(secret, key, sizeof key, &key_size))
        return false;
    buffer_init(&text, 2 * SANDBOX_BODY_BYTES_MAX);
    buffer_append_str(&text, id);
    buffer_append_byte(&text, '.');
    buffer_append_str(&text, stamp);
    buffer_append_byte(&text, '.');
    buffer_append_str(&text, call->body);
    size_t size = hmac(EVP_sha256(), str_from_bytes(key, key_size), buffer_str(&text), mac);
    str made = str_from_bytes(wanted, base64_write(mac, size, wanted));
    buffer_deinit(&text);
    while (str_split(&signatures, ' ', &one))
        if (str_starts_with(one, STR("v1,")) && same_text(str_slice(one, 3, one.size), made))
            return true;
    return false;
}

/* ---- WeCom and WeChat ----
 *
 *     OFFSET  SIZE  DESCRIPTION
 *     0       16    random
 *     16      4     size of the message, big endian
 *     20      n     message
 *     20+n    m     receiver (corp id, app id)
 *     …       1…32  padding to a multiple of 32, each byte its size
 */

void wx_signature(str token, str timestamp, str nonce, str encrypted, char out[41])
{
    str parts[4] = { token, timestamp, nonce, encrypted };
    struct buffer text;
    for (size_t i = 1; i < 4; i++)
        for (size_t j = i; j > 0 && str_compare(parts[j - 1], parts[j]) > 0; j--) {
            str swapped = parts[j];
            parts[j] = parts[j - 1];
            parts[j - 1] = swapped;
        }
    buffer_init(&text, SANDBOX_BODY_BYTES_MAX);
    for (size_t i = 0; i < 4; i++)
        buffer_append_str(&text, parts[i]);
    sha1_hex(buffer_str(&text), out);
    buffer_deinit(&text);
}

static bool encrypt(const uint8_t key[32], const uint8_t *plain, size_t size, uint8_t *out)
{
    EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
    int written = 0;
    bool done = context != NULL &&
                EVP_EncryptInit_ex(context, EVP_aes_256_cbc(), NULL, key, key) == 1 &&
                EVP_CIPHER_CTX_set_padding(context, 0) == 1 &&
                EVP_EncryptUpdate(context, out, &written, plain, (int)size) == 1;
    EVP_CIPHER_CTX_free(context);
    return done && (size_t)written == size;
}

bool wx_encrypt(str aes_key, str message, str receiver, const uint8_t random[16],
                struct buffer *out)
{
    uint8_t key[48], padding[32];
    char padded[48];
    size_t key_size = 0, size = 20 + message.size + receiver.size;
    struct buffer plain;
    if (aes_key.size != 43)
        return false;
    memcpy(padded, aes_key.data, 43);
    padded[43] = '=';
    if (!base64_read(str_from_bytes(padded, 44), key, sizeof key, &key_size) || key_size != 32)
        return false;
    uint8_t length[4] = { (uint8_t)(message.size >> 24), (uint8_t)(message.size >> 16),
                          (uint8_t)(message.size >> 8), (uint8_t)message.size };
    memset(padding, (int)(32 - size % 32), sizeof padding);
    buffer_init(&plain, SANDBOX_BODY_BYTES_MAX);
    buffer_append(&plain, random, 16);
    buffer_append(&plain, length, 4);
    buffer_append_str(&plain, message);
    buffer_append_str(&plain, receiver);
    buffer_append(&plain, padding, 32 - size % 32);
    uint8_t *cipher = plain.failed ? NULL : memory_alloc(plain.size);
    bool done = cipher != NULL && encrypt(key, (const uint8_t *)plain.data, plain.size, cipher);
    char *room = done ? buffer_reserve(out, plain.size / 3 * 4 + 8) : NULL;
    if (room != NULL)
        buffer_advance(out, base64_write(cipher, plain.size, room));
    memory_free(cipher);
    buffer_deinit(&plain);
    return room != NULL;
}
