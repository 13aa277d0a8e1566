/* SPDX-License-Identifier: Apache-2.0 */
/* Masking: of single values, and of JSON with sealed texts. */
#include "server/mask.h"

#include "event/event.h"

static bool is_digit(char byte)
{
    return byte >= '0' && byte <= '9';
}

/* ---- one value ---- */

static bool is_id_number(str value)
{
    if (value.size != 18)
        return false;
    for (size_t i = 0; i < 17; i++)
        if (!is_digit(value.data[i]))
            return false;
    return is_digit(value.data[17]) || value.data[17] == 'X' || value.data[17] == 'x';
}

/* Bytes of the first character of valid UTF-8. */
static size_t first_character_bytes(str text)
{
    uint8_t lead = (uint8_t)text.data[0];
    size_t size = lead < 0x80 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
    return size < text.size ? size : text.size;
}

void mask_value(enum personal_kind kind, str value, struct buffer *out)
{
    if (value.size == 0)
        return;
    if (kind == PERSONAL_NONE || kind == PERSONAL_RECEIVER)
        kind = is_id_number(value) ? PERSONAL_ID_CARD : personal_by_value(value);
    /* A Chinese phone is read without its country. */
    if (kind == PERSONAL_PHONE && value.size == 14 && str_starts_with(value, STR("+86")))
        value = str_slice(value, 3, value.size);
    if (kind != PERSONAL_NONE) {
        personal_write_masked(out, kind, value);
        return;
    }
    buffer_append_str(out, str_slice(value, 0, first_character_bytes(value)));
    buffer_append_str(out, STR("***"));
}

/* What a builtin type of identifier holds; PERSONAL_NONE where it names no person by itself. */
static enum personal_kind kind_of_type(str type)
{
    static const struct {
        const char *name;
        bool personal;
    } types[] = {
#define X(NAME, name, strong, verification, limit, window, over, shared, personal) \
    { name, personal },
        IDENTIFIER_TABLE(X)
#undef X
    };
    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
        if (types[i].personal && str_equal(type, str_from_c(types[i].name)))
            return personal_by_name(type);
    return PERSONAL_NONE;
}

str mask_identifier(const struct keys *keys, struct arena *arena, str type, str value, bool reveal)
{
    enum personal_kind kind = kind_of_type(type);
    bool sealed = seal_is_sealed(value);
    struct problem problem;
    str plain = value, out = STR_NONE;
    if (sealed && keys_unseal(keys, arena, value, &plain, &problem) != ERR_OK)
        return STR("(unreadable)");
    /* A digest of a phone hides it already. */
    bool hashed = str_starts_with(plain, STR("md5:")) || str_starts_with(plain, STR("sha256:"));
    if (reveal || hashed || (!sealed && kind == PERSONAL_NONE))
        return plain;
    struct buffer masked;
    buffer_init(&masked, plain.size + 64);
    mask_value(kind, plain, &masked);
    if (arena_dup(arena, buffer_str(&masked), &out) != ERR_OK)
        out = STR_NONE;
    buffer_deinit(&masked);
    return out;
}

/* ---- JSON ---- */

#define VALUE_BYTES_MAX ((size_t)16 << 20)

static void write_unsealed(const struct keys *keys, struct arena *arena, str name, str sealed,
                           bool reveal, struct buffer *out)
{
    str plain;
    struct problem problem;
    if (keys_unseal(keys, arena, sealed, &plain, &problem) != ERR_OK) {
        json_write_text(out, STR("(unreadable)"));
        return;
    }
    if (reveal) {
        json_write_text(out, plain);
        return;
    }
    struct buffer masked;
    buffer_init(&masked, plain.size + 64);
    mask_value(personal_by_name(name), plain, &masked);
    json_write_text(out, buffer_str(&masked));
    buffer_deinit(&masked);
}

struct masking {
    const struct keys *keys;
    struct arena *arena;
    bool reveal;
};

static bool mask_sealed(void *context, str name, json_value value, struct buffer *out)
{
    struct masking *masking = context;
    if (json_kind(value) != JSON_OBJECT || json_count(value) != 1)
        return false;
    json_value sealed = json_get(value, STR("$sealed"));
    if (json_kind(sealed) != JSON_TEXT)
        return false;
    write_unsealed(masking->keys, masking->arena, name, json_text(sealed), masking->reveal, out);
    return true;
}

void mask_write_json(const struct keys *keys, struct arena *arena, str name, json_value value,
                     bool reveal, struct buffer *out)
{
    struct masking masking = { .keys = keys, .arena = arena, .reveal = reveal };
    json_write_replacing(out, name, value, mask_sealed, &masking);
}

static bool hide_sealed(void *context, str name, json_value value, struct buffer *out)
{
    (void)context;
    (void)name;
    if (json_kind(value) != JSON_OBJECT || json_count(value) != 1 ||
        json_kind(json_get(value, STR("$sealed"))) != JSON_TEXT)
        return false;
    json_write_text(out, STR("***"));
    return true;
}

void mask_hide_json(json_value value, struct buffer *out)
{
    json_write_replacing(out, STR_NONE, value, hide_sealed, NULL);
}

bool mask_is_sealed_json(str json, str *sealed)
{
    const str head = STR("{\"$sealed\":\""), tail = STR("\"}");
    if (!str_starts_with(json, head) || !str_ends_with(json, tail) ||
        json.size < head.size + tail.size)
        return false;
    *sealed = str_slice(json, head.size, json.size - tail.size);
    return str_find_byte(*sealed, '"') == sealed->size && seal_is_sealed(*sealed);
}

void mask_put_json(const struct keys *keys, struct arena *arena, struct json_parser *scratch,
                   str name, str json, bool reveal, struct json_writer *writer)
{
    struct buffer text;
    str sealed;
    json_value value;
    bool simple = json.size == 0 || (json.data[0] != '{' && json.data[0] != '[');
    if (simple || !str_contains(json, STR("\"$sealed\""))) {
        json_put_raw(writer, json);
        return;
    }
    buffer_init(&text, VALUE_BYTES_MAX);
    if (mask_is_sealed_json(json, &sealed))
        write_unsealed(keys, arena, name, sealed, reveal, &text);
    else if (json_parse(scratch, json, &value, NULL) == ERR_OK)
        mask_write_json(keys, arena, name, value, reveal, &text);
    if (text.size == 0 || buffer_status(&text) != ERR_OK)
        json_put_null(writer);
    else
        json_put_raw(writer, buffer_str(&text));
    buffer_deinit(&text);
}
