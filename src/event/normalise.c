/* SPDX-License-Identifier: Apache-2.0 */
/* One writing for each value of an identifier; the rules are in docs/formats/event.md. */
#include "event/normalise.h"

#include <openssl/evp.h>
#include <pthread.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "event/personal.h"

#define VALUE_BYTES_MAX 255
#define PHONE_DIGITS_MAX 15 /* ITU-T E.164 */
#define MOBILE_DIGITS 11
#define TAIL_DIGITS 4

_Static_assert(HASH_BYTES == SEAL_HASH_BYTES, "an identifier's hash is a keyed hash of seal.h");

/* ---- cleaning: what all types have in common ---- */

/* Characters that are not seen, and so never meant: zero width, joiners, marks of direction, soft
 * hyphen, variation selectors. Bytes of the one at `at`, or 0. */
static size_t invisible_bytes(const unsigned char *at, size_t left)
{
    if (left >= 2 && at[0] == 0xC2 && at[1] == 0xAD)
        return 2; /* U+00AD */
    if (left < 3)
        return 0;
    if (at[0] == 0xE2 && at[1] == 0x80 &&
        ((at[2] >= 0x8B && at[2] <= 0x8F) || (at[2] >= 0xAA && at[2] <= 0xAE)))
        return 3; /* U+200B-200F, U+202A-202E */
    if (at[0] == 0xE2 && at[1] == 0x81 && at[2] >= 0xA0 && at[2] <= 0xAF)
        return 3; /* U+2060-206F */
    if (at[0] == 0xEF &&
        ((at[1] == 0xBB && at[2] == 0xBF) || (at[1] == 0xB8 && at[2] >= 0x80 && at[2] <= 0x8F)))
        return 3; /* U+FEFF, U+FE00-FE0F */
    return 0;
}

/* ASCII of a full-width form U+FF01-FF5E or of a wide space, 0 if it is none of them. */
static char narrow_form(const unsigned char *at, size_t left, size_t *bytes)
{
    *bytes = 3;
    if (left >= 3 && at[0] == 0xEF && at[1] == 0xBC && at[2] >= 0x81 && at[2] <= 0xBF)
        return (char)(at[2] - 0x81 + '!');
    if (left >= 3 && at[0] == 0xEF && at[1] == 0xBD && at[2] >= 0x80 && at[2] <= 0x9E)
        return (char)(at[2] - 0x80 + '`');
    if (left >= 3 && at[0] == 0xE3 && at[1] == 0x80 && at[2] == 0x80)
        return ' ';
    *bytes = 2;
    if (left >= 2 && at[0] == 0xC2 && at[1] == 0xA0)
        return ' ';
    return '\0';
}

static bool is_plain_ascii(str text)
{
    for (size_t i = 0; i < text.size; i++)
        if ((unsigned char)text.data[i] < 0x20 || (unsigned char)text.data[i] >= 0x7F)
            return false;
    return true;
}

/* Where a value is worked on. Invisible characters take room in the raw text only. */
#define ROOM_BYTES ((size_t)4 * VALUE_BYTES_MAX)

/* Without invisible characters, wide forms narrow, trimmed. False when it is not UTF-8, has control
 * characters, or does not fit: a cut id could be a stranger's. */
static bool clean(str raw, char text[ROOM_BYTES], str *out)
{
    raw = str_trim(raw);
    if (raw.size > ROOM_BYTES)
        return false;
    if (raw.size <= VALUE_BYTES_MAX && is_plain_ascii(raw)) {
        if (raw.size > 0)
            memcpy(text, raw.data, raw.size);
        *out = str_from_bytes(text, raw.size);
        return true;
    }
    if (!str_is_utf8(raw))
        return false; /* taking something out could join what is left into something else */
    size_t size = 0;
    for (size_t i = 0; i < raw.size;) {
        const unsigned char *at = (const unsigned char *)raw.data + i;
        size_t bytes = at[0] >= 0x80 ? invisible_bytes(at, raw.size - i) : 0;
        if (bytes > 0) {
            i += bytes;
            continue;
        }
        char narrow = at[0] >= 0x80 ? narrow_form(at, raw.size - i, &bytes) : '\0';
        if (narrow != '\0') {
            text[size++] = narrow;
            i += bytes;
            continue;
        }
        if (at[0] < 0x20 || at[0] == 0x7F)
            return false;
        text[size++] = (char)at[0];
        i++;
    }
    *out = str_trim(str_from_bytes(text, size));
    return out->size <= VALUE_BYTES_MAX;
}

static void lower_ascii(str text)
{
    char *at = (char *)(uintptr_t)text.data; /* in the room of clean() */
    for (size_t i = 0; i < text.size; i++)
        if (at[i] >= 'A' && at[i] <= 'Z')
            at[i] = (char)(at[i] + ('a' - 'A'));
}

static bool is_hex(str text)
{
    for (size_t i = 0; i < text.size; i++) {
        char c = text.data[i];
        if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F')))
            return false;
    }
    return true;
}

#define LITERAL(text)                          \
    {                                          \
        .data = text, .size = sizeof(text) - 1 \
    }

static bool is_one_of(str text, const str *list, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (text.size == list[i].size && str_equal_ignoring_case(text, list[i]))
            return true;
    return false;
}
#define IS_ONE_OF(text, list) is_one_of((text), (list), sizeof(list) / sizeof(list)[0])

/* ---- phones ---- */

struct digits {
    char at[24];
    size_t count;
    bool plus;
};

/* Signs that people and spreadsheets put around a number: '="138…"', '138.0'. */
static str peel_phone(str text)
{
    while (text.size > 0 && strchr("'\"=", text.data[0]) != NULL)
        text = str_slice(text, 1, text.size);
    while (text.size > 0 && strchr("'\"", text.data[text.size - 1]) != NULL)
        text.size--;
    if (str_starts_with(text, STR("tel:")))
        text = str_slice(text, 4, text.size);
    if (str_ends_with(text, STR(".0")) && text.size > 8)
        text.size -= 2;
    return str_trim(text);
}

/* Digits of `text`; NORMAL_MASKED for what hides some, or has an extension behind it. */
static enum normal_form read_phone_digits(str text, struct digits *digits)
{
    size_t dashes_behind = 0;
    *digits = (struct digits){ .count = 0 };
    if (personal_is_masked(text) || str_contains(text, STR("转")))
        return NORMAL_MASKED;
    for (size_t i = 0; i < text.size; i++) {
        char c = text.data[i];
        if (c == '+' && digits->count == 0 && !digits->plus) {
            digits->plus = true;
        } else if (c >= '0' && c <= '9') {
            if (digits->count == sizeof digits->at)
                return NORMAL_INVALID;
            digits->at[digits->count++] = c;
        } else if ((c == 'x' || c == 'X') && digits->count >= 3) {
            return NORMAL_MASKED; /* 138xxxx1234 */
        } else if (c == '-' || c == ' ' || c == '(' || c == ')' || c == '.' || c == '/') {
            /* A privacy number is a whole mobile, a dash, and two to six digits more. */
            if (c == '-' && digits->count >= MOBILE_DIGITS)
                dashes_behind = digits->count;
        } else {
            return NORMAL_INVALID;
        }
    }
    if (dashes_behind >= MOBILE_DIGITS && digits->count > dashes_behind)
        return NORMAL_MASKED;
    return NORMAL_USABLE;
}

static void drop_digits(struct digits *digits, size_t count)
{
    memmove(digits->at, digits->at + count, digits->count - count);
    digits->count -= count;
}

static bool starts(const struct digits *digits, const char *prefix)
{
    size_t size = strlen(prefix);
    return digits->count >= size && memcmp(digits->at, prefix, size) == 0;
}

/* The operators' prefixes for cheap long distance, still in old address books. */
static void drop_prefixes(struct digits *digits)
{
    static const char *const ip_prefixes[] = {
        "17951", "12593", "17909", "17911", "17901", "12520"
    };
    for (size_t i = 0; i < sizeof ip_prefixes / sizeof ip_prefixes[0]; i++)
        if (digits->count == MOBILE_DIGITS + 5 && starts(digits, ip_prefixes[i]))
            drop_digits(digits, 5);
    if (!digits->plus && starts(digits, "00") && digits->count > MOBILE_DIGITS) {
        drop_digits(digits, 2);
        digits->plus = true;
    }
    if (!digits->plus && starts(digits, "86") && digits->count == MOBILE_DIGITS + 2 &&
        digits->at[2] == '1')
        digits->plus = true;
    if (!digits->plus && digits->count == MOBILE_DIGITS + 1 && starts(digits, "01")) {
        drop_digits(digits, 1); /* 0138…: dialled from another city */
    }
}

static bool all_same(const char *at, size_t count)
{
    for (size_t i = 1; i < count; i++)
        if (at[i] != at[0])
            return false;
    return true;
}

/* Mainland mobile numbers that nobody has, or that people type to get past a form; and those of
 * machines (140 to 149). */
static bool is_placeholder_mobile(const char *at)
{
    static const char *const known[] = { "13800138000", "13800138001", "13900139000",
                                         "13700137000" };
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
        if (memcmp(at, known[i], MOBILE_DIGITS) == 0)
            return true;
    return at[1] == '4' || all_same(at + 3, 8) || all_same(at + 1, 10) ||
           memcmp(at + 3, "12345678", 8) == 0 || memcmp(at + 1, "3456789012", 10) == 0;
}

static enum normal_form judge_mainland(const char *at, size_t count)
{
    if (count == MOBILE_DIGITS && at[0] == '1' && at[1] >= '3')
        return is_placeholder_mobile(at) ? NORMAL_BLOCKED : NORMAL_USABLE;
    if (count == MOBILE_DIGITS && all_same(at, count))
        return NORMAL_BLOCKED;
    if (count == 13 && at[0] == '1' && (at[1] == '0' || at[1] == '4'))
        return NORMAL_BLOCKED; /* numbers of things */
    if (at[0] == '1' && at[1] != '0')
        return NORMAL_INVALID;
    if ((count == 10 && (memcmp(at, "400", 3) == 0 || memcmp(at, "800", 3) == 0)) || at[0] == '0')
        return NORMAL_INVALID; /* services */
    /* Landline: an area code of two or three digits and seven or eight behind. A household or an
     * office answers: kept to be seen, never used to find anybody. */
    return count >= 9 && count <= 11 ? NORMAL_BLOCKED : NORMAL_INVALID;
}

static enum normal_form write_phone(char room[ROOM_BYTES], enum normal_form form,
                                    const char *country, const char *at, size_t count, str *out)
{
    if (form != NORMAL_USABLE && form != NORMAL_BLOCKED)
        return form;
    int size = snprintf(room, ROOM_BYTES, "+%s%.*s", country, (int)count, at);
    *out = str_from_bytes(room, (size_t)size);
    return form;
}

/* A number of eight digits that start so is a mobile there. */
static enum normal_form judge_abroad(const struct digits *digits)
{
    if (digits->count < 8 || digits->count > PHONE_DIGITS_MAX || digits->at[0] == '0' ||
        all_same(digits->at, digits->count) ||
        (starts(digits, "85") && digits->count > 3 && all_same(digits->at + 3, digits->count - 3)))
        return NORMAL_INVALID;
    return NORMAL_USABLE;
}

static bool is_digest_prefix(str text, str *hex, size_t *hex_bytes)
{
    bool md5 = str_starts_with(text, STR("md5:")), sha = str_starts_with(text, STR("sha256:"));
    *hex = str_slice(text, md5 ? 4 : sha ? 7 : 0, text.size);
    *hex_bytes = md5 ? 32 : sha ? 64 : hex->size;
    return (md5 || sha || hex->size == 32 || hex->size == 64) && hex->size == *hex_bytes &&
           is_hex(*hex);
}

/* "md5:…" or "sha256:…", lower case. */
static enum normal_form normalise_digest(char room[ROOM_BYTES], str hex, str *out)
{
    str prefix = hex.size == 32 ? STR("md5:") : STR("sha256:");
    lower_ascii(hex);
    memmove(room + prefix.size, hex.data, hex.size);
    memcpy(room, prefix.data, prefix.size);
    *out = str_from_bytes(room, prefix.size + hex.size);
    return NORMAL_USABLE;
}

/* `text` may lie in `room`. */
static enum normal_form normalise_mobile(str text, char room[ROOM_BYTES], str *out)
{
    struct digits digits;
    str hex;
    size_t hex_bytes;
    if (is_digest_prefix(text, &hex, &hex_bytes))
        return normalise_digest(room, hex, out);
    enum normal_form form = read_phone_digits(peel_phone(text), &digits);
    if (form != NORMAL_USABLE)
        return form;
    drop_prefixes(&digits);
    if (digits.count < 8)
        return NORMAL_INVALID;
    if (digits.plus && !starts(&digits, "86"))
        return write_phone(room, judge_abroad(&digits), "", digits.at, digits.count, out);
    if (digits.plus)
        drop_digits(&digits, 2);
    else if (digits.count < 10)
        return NORMAL_INVALID; /* a landline without its area: no one knows where */
    if (starts(&digits, "0") && !starts(&digits, "00"))
        drop_digits(&digits, 1); /* a landline, as it is dialled */
    if (digits.count < 8)
        return NORMAL_INVALID;
    return write_phone(room, judge_mainland(digits.at, digits.count), "86", digits.at, digits.count,
                       out);
}

/* ---- e-mails ---- */

static bool email_is_placeholder(str text)
{
    static const str locals[] = { LITERAL("test"),      LITERAL("null"),    LITERAL("none"),
                                  LITERAL("undefined"), LITERAL("noreply"), LITERAL("no-reply"),
                                  LITERAL("nobody"),    LITERAL("abc"),     LITERAL("aaa"),
                                  LITERAL("a"),         LITERAL("123"),     LITERAL("example"),
                                  LITERAL("xxx") };
    static const str domains[] = { LITERAL("test.com"),      LITERAL("example.com"),
                                   LITERAL("example.org"),   LITERAL("example.net"),
                                   LITERAL("null.com"),      LITERAL("none.com"),
                                   LITERAL("localhost.com"), LITERAL("abc.com"),
                                   LITERAL("a.com"),         LITERAL("aaa.com"),
                                   LITERAL("xxx.com"),       LITERAL("123.com"),
                                   LITERAL("test.cn") };
    size_t at = str_find_byte(text, '@');
    str local = str_slice(text, 0, at), domain = str_slice(text, at + 1, text.size);
    return str_equal(local, STR("noreply")) || str_equal(local, STR("no-reply")) ||
           str_ends_with(domain, STR(".invalid")) || str_ends_with(domain, STR(".test")) ||
           IS_ONE_OF(domain, domains) ||
           (IS_ONE_OF(local, locals) && str_equal(str_slice(domain, 0, local.size), local));
}

static enum normal_form normalise_email(str text, str *out)
{
    if (personal_is_masked(text))
        return NORMAL_MASKED;
    if (personal_by_value(text) != PERSONAL_EMAIL)
        return NORMAL_INVALID;
    lower_ascii(text);
    *out = text;
    return email_is_placeholder(text) ? NORMAL_BLOCKED : NORMAL_USABLE;
}

/* ---- all others ---- */

/* What programs write when they have no id. */
static bool is_placeholder(str text)
{
    static const str words[] = {
        LITERAL("null"),
        LITERAL("undefined"),
        LITERAL("none"),
        LITERAL("nil"),
        LITERAL("nan"),
        LITERAL("nul"),
        LITERAL("na"),
        LITERAL("n/a"),
        LITERAL("unknown"),
        LITERAL("unset"),
        LITERAL("empty"),
        LITERAL("anonymous"),
        LITERAL("anon"),
        LITERAL("guest"),
        LITERAL("test"),
        LITERAL("tester"),
        LITERAL("testuser"),
        LITERAL("test_user"),
        LITERAL("user"),
        LITERAL("userid"),
        LITERAL("user_id"),
        LITERAL("id"),
        LITERAL("default"),
        LITERAL("admin"),
        LITERAL("root"),
        LITERAL("true"),
        LITERAL("false"),
        LITERAL("[object object]"),
        LITERAL("{}"),
        LITERAL("[]"),
        LITERAL("-"),
        LITERAL("--"),
        LITERAL("0x0"),
        LITERAL("undefined undefined"),
        LITERAL("not available"),
        LITERAL("无"),
        LITERAL("未知"),
        LITERAL("匿名"),
        LITERAL("测试"),
        LITERAL("游客"),
        LITERAL("未登录"),
        LITERAL("暂无"),
    };
    bool zeros = true;
    for (size_t i = 0; i < text.size && zeros; i++)
        zeros = text.data[i] == '0' || text.data[i] == '-' || text.data[i] == ':';
    if (zeros)
        return true; /* 0, -1 is below, 00000000-0000-0000-0000-000000000000, 00:00:00:00:00:00 */
    if (text.size >= 15 && all_same(text.data, text.size))
        return true; /* ffff…, 9999… */
    /* The longest of them is "undefined undefined". */
    return text.size <= 19 && (str_equal(text, STR("-1")) || IS_ONE_OF(text, words));
}

/* Two stars or more, or dots that stand for them. */
static bool hides(str text)
{
    size_t star = str_find_byte(text, '*');
    if (star + 1 < text.size && text.data[star + 1] == '*')
        return true;
    if (star == text.size && str_find_byte(text, '\xE2') == text.size)
        return false;
    return str_contains(text, STR("**")) || str_contains(text, STR("••")) ||
           str_contains(text, STR("●●"));
}

static enum normal_form normalise_other(str type, str text, str *out)
{
    if (hides(text))
        return NORMAL_MASKED;
    if (str_equal(type, STR("device")))
        lower_ascii(text);
    *out = text;
    return is_placeholder(text) ? NORMAL_BLOCKED : NORMAL_USABLE;
}

/* `out` lies in `room`. */
static enum normal_form normalise_in(str type, str raw, char room[ROOM_BYTES], str *out)
{
    str text;
    if (!clean(raw, room, &text) || text.size == 0)
        return NORMAL_INVALID;
    if (str_equal(type, STR("mobile")))
        return normalise_mobile(text, room, out);
    if (str_equal(type, STR("email")))
        return normalise_email(text, out);
    return normalise_other(type, text, out);
}

enum normal_form normalise_value(str type, str raw, struct arena *arena, str *out)
{
    char room[ROOM_BYTES];
    str text = STR_NONE;
    enum normal_form form = normalise_in(type, raw, room, &text);
    if ((form == NORMAL_USABLE || form == NORMAL_BLOCKED) && arena_dup(arena, text, out) != ERR_OK)
        return NORMAL_INVALID;
    return form;
}

/* ---- whole identifiers ---- */

static EVP_MD *md5;
static void fetch_md5(void)
{
    /* Fetched once: finding an algorithm by name costs more than using it. */
    md5 = EVP_MD_fetch(NULL, "MD5", NULL);
}

#define MD5_BYTES 16

size_t digest_md5_hex(str value, char out[DIGEST_HEX_BYTES_MAX + 1])
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    uint8_t digest[EVP_MAX_MD_SIZE];
    unsigned size = 0;
    pthread_once(&once, fetch_md5);
    if (md5 == NULL || EVP_Digest(value.data, value.size, digest, &size, md5, NULL) != 1 ||
        size != MD5_BYTES)
        return 0;
    sodium_bin2hex(out, DIGEST_HEX_BYTES_MAX + 1, digest, size);
    return (size_t)2 * size;
}

size_t digest_sha256_hex(str value, char out[DIGEST_HEX_BYTES_MAX + 1])
{
    uint8_t digest[crypto_hash_sha256_BYTES];
    crypto_hash_sha256(digest, (const uint8_t *)value.data, value.size);
    sodium_bin2hex(out, DIGEST_HEX_BYTES_MAX + 1, digest, sizeof digest);
    return 2 * sizeof digest;
}

#define DIGEST_TEXT_ROOM (8 + DIGEST_HEX_BYTES_MAX + 1)

static bool md5_text(str value, char out[DIGEST_TEXT_ROOM], str *text)
{
    static const str prefix = { .data = "md5:", .size = 4 };
    memcpy(out, prefix.data, prefix.size);
    size_t size = digest_md5_hex(value, out + prefix.size);
    *text = str_from_bytes(out, prefix.size + size);
    return size > 0;
}

static void sha256_text(str value, char out[DIGEST_TEXT_ROOM], str *text)
{
    static const str prefix = { .data = "sha256:", .size = 7 };
    memcpy(out, prefix.data, prefix.size);
    *text = str_from_bytes(out, prefix.size + digest_sha256_hex(value, out + prefix.size));
}

/* A phone is found by what advertisers and platforms send instead of it: md5 and sha256 of the
 * national number, sha256 of the international one. */
static void add_phone_hashes(const struct keys *keys, str e164, struct event_identifier *out)
{
    char room[DIGEST_TEXT_ROOM];
    str text, national = str_starts_with(e164, STR("+86")) ? str_slice(e164, 3, e164.size)
                                                           : str_slice(e164, 1, e164.size);
    if (md5_text(national, room, &text))
        keys_hash_identifier(keys, STR("mobile"), STR_NONE, text,
                             out->other_hashes[out->other_hash_count++]);
    sha256_text(national, room, &text);
    keys_hash_identifier(keys, STR("mobile"), STR_NONE, text,
                         out->other_hashes[out->other_hash_count++]);
    sha256_text(e164, room, &text);
    keys_hash_identifier(keys, STR("mobile"), STR_NONE, text,
                         out->other_hashes[out->other_hash_count++]);
}

static void add_tail(const struct keys *keys, str value, struct event_identifier *out)
{
    uint8_t hash[SEAL_HASH_BYTES];
    str tail = str_slice(value, value.size - TAIL_DIGITS, value.size);
    keys_hash(keys, STR("tail"), tail, hash);
    memcpy(out->tail_hash, hash, sizeof out->tail_hash);
}

/* What a personal value gets beside its hash; `value` is normalised. */
static err protect(const struct keys *keys, struct arena *arena, bool is_mobile,
                   enum personal_kind looks, str value, struct event_identifier *out)
{
    if (is_mobile &&
        (str_starts_with(value, STR("md5:")) || str_starts_with(value, STR("sha256:")))) {
        out->flags |= IDENTIFIER_HASHED;
        return arena_dup(arena, value, &out->value);
    }
    if (is_mobile && (out->flags & IDENTIFIER_BLOCKED) == 0)
        add_phone_hashes(keys, value, out);
    if (looks == PERSONAL_PHONE && value.size >= TAIL_DIGITS)
        add_tail(keys, value, out);
    out->flags |= IDENTIFIER_SEALED;
    return keys_seal(keys, arena, value, &out->value);
}

enum normal_form identifier_make(const struct keys *keys, struct arena *arena, str type,
                                 str namespace_, str raw, uint8_t flags,
                                 struct event_identifier *out, err *error)
{
    char room[ROOM_BYTES];
    str value = STR_NONE;
    *error = ERR_OK;
    enum normal_form form = normalise_in(type, raw, room, &value);
    if (form != NORMAL_USABLE && form != NORMAL_BLOCKED)
        return form;
    struct event_identifier made = { .type = type, .namespace_ = namespace_, .flags = flags };
    if (form == NORMAL_BLOCKED)
        made.flags |= IDENTIFIER_BLOCKED;
    keys_hash_identifier(keys, type, namespace_, value, made.hash);
    bool is_mobile = str_equal(type, STR("mobile"));
    enum personal_kind looks = is_mobile                       ? PERSONAL_PHONE
                               : str_equal(type, STR("email")) ? PERSONAL_EMAIL
                                                               : personal_by_value(value);
    *error = looks != PERSONAL_NONE ? protect(keys, arena, is_mobile, looks, value, &made)
                                    : arena_dup(arena, value, &made.value);
    if (*error == ERR_OK)
        *out = made;
    return form;
}

/* ---- order ---- */

/* The first weak type of the table: types that nobody told Kith about stand before it. */
#define FIRST_WEAK_RANK ((int)IDENTIFIER_RECEIVER_KEY)

int identifier_rank(str type)
{
#define X(NAME, name, ...) { .data = name, .size = sizeof(name) - 1 },
    static const str names[] = { IDENTIFIER_TABLE(X) };
#undef X
    for (int i = 0; i < IDENTIFIER_BUILTIN_COUNT; i++)
        if (str_equal(names[i], type))
            return i < FIRST_WEAK_RANK ? i : i + 1;
    return FIRST_WEAK_RANK;
}

static int compare_identifiers(const struct event_identifier *a, int rank_a,
                               const struct event_identifier *b, int rank_b)
{
    if (rank_a != rank_b)
        return rank_a - rank_b;
    int order = str_compare(a->type, b->type);
    if (order == 0)
        order = str_compare(a->namespace_, b->namespace_);
    return order != 0 ? order : memcmp(a->hash, b->hash, HASH_BYTES);
}

void identifiers_sort(struct event_identifier *identifiers, uint32_t *count)
{
    int ranks[EVENT_IDENTIFIERS_MAX];
    uint32_t kept = 0;
    INVARIANT(*count <= EVENT_IDENTIFIERS_MAX);
    for (uint32_t i = 0; i < *count; i++) {
        struct event_identifier taken = identifiers[i];
        int rank = identifier_rank(taken.type), order = 1;
        uint32_t at = kept;
        while (at > 0) {
            order = compare_identifiers(&identifiers[at - 1], ranks[at - 1], &taken, rank);
            if (order <= 0)
                break;
            at--;
        }
        if (at > 0 && order == 0) {
            identifiers[at - 1].flags |= taken.flags;
            continue;
        }
        memmove(&identifiers[at + 1], &identifiers[at], (kept - at) * sizeof *identifiers);
        memmove(&ranks[at + 1], &ranks[at], (kept - at) * sizeof *ranks);
        identifiers[at] = taken;
        ranks[at] = rank;
        kept++;
    }
    *count = kept;
}
