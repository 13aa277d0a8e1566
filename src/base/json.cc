/* SPDX-License-Identifier: Apache-2.0 */
/* Reading JSON: simdjson parses to its tape, and the values of json.h are places on that tape.
 *
 * The tape (simdjson, doc/tape.md): 64-bit words, type in the top byte, payload in the rest.
 *   r           root; payload: index of the last word
 *   { [         payload: bits 0-31 index behind the closing word, bits 32-55 members (saturating)
 *   } ]         payload: index of the opening word
 *   "           payload: offset in the string buffer: 32-bit size, bytes, NUL
 *   l u d       the next word is the int64, uint64 or double
 *   n t f       null, true, false
 * A key is an ordinary string in front of its value. */
#include <simdjson.h>

#include <cmath>
#include <cstring>
#include <new>

extern "C" {
#include "base/arena.h"
#include "base/buffer.h"
#include "base/json.h"
#include "base/json_check.h"
#include "base/json_text.h"
#include "base/number.h"
}

namespace
{

/* What a json_value points at: stays where it is while its parser lives. */
struct document {
    const uint64_t *tape;
    const uint8_t *strings;
};

inline const document *document_of(json_value value)
{
    return static_cast<const document *>(value.document);
}

inline uint64_t word_at(const document *doc, size_t position)
{
    return doc->tape[position];
}

inline char type_of(uint64_t word)
{
    return static_cast<char>(word >> 56);
}

inline uint64_t payload_of(uint64_t word)
{
    return word & UINT64_C(0x00FFFFFFFFFFFFFF);
}

inline str text_at(const document *doc, uint64_t word)
{
    const uint8_t *at = doc->strings + payload_of(word);
    uint32_t size;
    std::memcpy(&size, at, sizeof size);
    return str{ reinterpret_cast<const char *>(at + sizeof size), size };
}

inline int64_t int_at(const document *doc, size_t position)
{
    int64_t value;
    std::memcpy(&value, &doc->tape[position + 1], sizeof value);
    return value;
}

inline double double_at(const document *doc, size_t position)
{
    double value;
    std::memcpy(&value, &doc->tape[position + 1], sizeof value);
    return value;
}

/* The position behind the value at `position`. */
inline size_t position_behind(uint64_t word, size_t position)
{
    switch (type_of(word)) {
    case '{':
    case '[':
        return static_cast<uint32_t>(payload_of(word));
    case 'l':
    case 'u':
    case 'd':
        return position + 2;
    default:
        return position + 1;
    }
}

inline char type_of(json_value value)
{
    return value.document == nullptr ? '\0' : type_of(word_at(document_of(value), value.position));
}

} // namespace

struct json_parser {
    simdjson::dom::parser simd;
    document doc;
    struct buffer padded;  /* the text and SIMDJSON_PADDING bytes */
    struct buffer widened; /* see json_widen_integers */
    size_t size_bytes_max;

    explicit json_parser(size_t size)
        : simd(widened_max(size)), doc{ nullptr, nullptr }, size_bytes_max(size)
    {
        buffer_init(&padded, widened_max(size) + simdjson::SIMDJSON_PADDING);
        buffer_init(&widened, widened_max(size));
    }
    ~json_parser()
    {
        buffer_deinit(&padded);
        buffer_deinit(&widened);
    }
    /* Room for "e0" behind every integer of twenty digits; simdjson wants 32 at least. */
    static constexpr size_t widened_max(size_t size)
    {
        return size + size / 8 + 64;
    }
    json_parser(const json_parser &) = delete;
    json_parser &operator=(const json_parser &) = delete;
};

err json_parser_new(struct json_parser **parser, size_t size_bytes_max)
{
    void *memory = memory_alloc(sizeof(struct json_parser));
    if (memory == nullptr)
        return ERR_NOMEM;
    *parser = new (memory) json_parser(size_bytes_max);
    return ERR_OK;
}

void json_parser_free(struct json_parser **parser)
{
    if (*parser == nullptr)
        return;
    (*parser)->~json_parser();
    memory_free(*parser);
    *parser = nullptr;
}

/* Capacity grows by doubling; simdjson alone would grow to each size exactly, again and again. */
static bool reserve(struct json_parser *parser, size_t size)
{
    size_t capacity = parser->simd.capacity();
    if (size <= capacity && capacity > 0)
        return true;
    size_t wanted = capacity > 4096 ? capacity : 4096;
    while (wanted < size)
        wanted *= 2;
    if (wanted > parser->simd.max_capacity())
        wanted = parser->simd.max_capacity();
    return parser->simd.allocate(wanted, JSON_DEPTH_MAX) == simdjson::SUCCESS &&
           parser->simd.doc.allocate(wanted) == simdjson::SUCCESS;
}

static simdjson::error_code parse_text(struct json_parser *parser, str text)
{
    buffer_clear(&parser->padded);
    char *room = buffer_reserve(&parser->padded, text.size + simdjson::SIMDJSON_PADDING);
    if (room == nullptr || !reserve(parser, text.size))
        return simdjson::MEMALLOC;
    if (text.size > 0)
        std::memcpy(room, text.data, text.size);
    std::memset(room + text.size, 0, simdjson::SIMDJSON_PADDING);
    return parser->simd.parse(reinterpret_cast<const uint8_t *>(room), text.size, false).error();
}

static err refuse(str text, simdjson::error_code code, size_t skipped, struct problem *problem)
{
    size_t offset = 0;
    const char *reason = simdjson::error_message(code);
    if (json_check(text, &offset, &reason))
        return problem_set(problem, ERR_INVALID, "not valid JSON: %s", reason);
    return problem_set(problem, ERR_INVALID, "not valid JSON at byte %zu: %s", offset + skipped,
                       reason);
}

err json_parse(struct json_parser *parser, str text, json_value *root, struct problem *problem)
{
    if (text.size > parser->size_bytes_max) {
        err error = problem_set(problem, ERR_TOO_LARGE, "JSON of %zu bytes, at most %zu are taken",
                                text.size, parser->size_bytes_max);
        return problem_hint(problem, error, "send it in smaller pieces");
    }
    /* RFC 8259 allows to ignore a byte order mark; editors and spreadsheets write it. */
    size_t skipped = str_starts_with(text, str{ "\xEF\xBB\xBF", 3 }) ? 3 : 0;
    text = str_slice(text, skipped, text.size);
    simdjson::error_code code = parse_text(parser, text);
    if (code == simdjson::NUMBER_ERROR && json_widen_integers(text, &parser->widened))
        code = parse_text(parser, buffer_str(&parser->widened));
    else if (code == simdjson::NUMBER_ERROR && buffer_status(&parser->widened) == ERR_NOMEM)
        code = simdjson::MEMALLOC;
    if (code == simdjson::MEMALLOC)
        return problem_set(problem, ERR_NOMEM, "no memory to read JSON of %zu bytes", text.size);
    if (code == simdjson::SUCCESS && json_has_escaped_nul(text))
        code = simdjson::STRING_ERROR;
    if (code != simdjson::SUCCESS)
        return refuse(text, code, skipped, problem);
    parser->doc = document{ parser->simd.doc.tape.get(), parser->simd.doc.string_buf.get() };
    *root = json_value{ &parser->doc, 1 };
    return ERR_OK;
}

enum json_kind json_kind(json_value value)
{
    switch (type_of(value)) {
    case '{':
        return JSON_OBJECT;
    case '[':
        return JSON_ARRAY;
    case '"':
        return JSON_TEXT;
    case 'l':
        return JSON_INT;
    case 'u':
    case 'd':
        return JSON_DOUBLE;
    case 't':
    case 'f':
        return JSON_BOOL;
    case 'n':
        return JSON_NULL;
    default:
        return JSON_MISSING;
    }
}

bool json_is_object(json_value value)
{
    return type_of(value) == '{';
}

str json_text(json_value value)
{
    if (type_of(value) != '"')
        return str{ nullptr, 0 };
    const document *doc = document_of(value);
    return text_at(doc, word_at(doc, value.position));
}

int64_t json_int(json_value value, int64_t otherwise)
{
    const document *doc = document_of(value);
    switch (type_of(value)) {
    case 'l':
        return int_at(doc, value.position);
    case 'd': {
        double number = double_at(doc, value.position);
        bool fits = number >= -0x1p63 && number < 0x1p63 && number == std::trunc(number);
        return fits ? static_cast<int64_t>(number) : otherwise;
    }
    default:
        return otherwise;
    }
}

double json_double(json_value value, double otherwise)
{
    const document *doc = document_of(value);
    switch (type_of(value)) {
    case 'd':
        return double_at(doc, value.position);
    case 'l':
        return static_cast<double>(int_at(doc, value.position));
    case 'u':
        return static_cast<double>(static_cast<uint64_t>(int_at(doc, value.position)));
    default:
        return otherwise;
    }
}

bool json_bool(json_value value, bool otherwise)
{
    char type = type_of(value);
    return type == 't' || (type != 'f' && otherwise);
}

size_t json_count(json_value value)
{
    char type = type_of(value);
    if (type != '{' && type != '[')
        return 0;
    uint64_t count = payload_of(word_at(document_of(value), value.position)) >> 32;
    if (count < 0xFFFFFF)
        return count;
    /* Saturated: count by walking. */
    struct json_iterator iterator = json_iterate(value);
    json_value element;
    count = 0;
    while (json_next(&iterator, nullptr, &element))
        count++;
    return count;
}

json_value json_get(json_value object, str key)
{
    json_value found = { nullptr, 0 };
    if (type_of(object) != '{')
        return found;
    const document *doc = document_of(object);
    size_t end = static_cast<uint32_t>(payload_of(word_at(doc, object.position))) - 1;
    for (size_t at = object.position + 1; at < end;) {
        str name = text_at(doc, word_at(doc, at));
        if (name.size == key.size && std::memcmp(name.data, key.data, key.size) == 0)
            found = json_value{ doc, at + 1 };
        at = position_behind(word_at(doc, at + 1), at + 1);
    }
    return found;
}

json_value json_at(json_value array, size_t index)
{
    struct json_iterator iterator = json_iterate(array);
    json_value value = { nullptr, 0 };
    if (iterator.is_object)
        return value;
    while (json_next(&iterator, nullptr, &value))
        if (index-- == 0)
            return value;
    return json_value{ nullptr, 0 };
}

struct json_iterator json_iterate(json_value container)
{
    char type = type_of(container);
    if (type != '{' && type != '[')
        return json_iterator{ nullptr, 0, 0, false };
    const document *doc = document_of(container);
    size_t end = static_cast<uint32_t>(payload_of(word_at(doc, container.position))) - 1;
    return json_iterator{ doc, container.position + 1, end, type == '{' };
}

bool json_next(struct json_iterator *iterator, str *key, json_value *value)
{
    if (iterator->next >= iterator->end)
        return false;
    const document *doc = static_cast<const document *>(iterator->document);
    if (iterator->is_object) {
        if (key != nullptr)
            *key = text_at(doc, word_at(doc, iterator->next));
        iterator->next++;
    } else if (key != nullptr) {
        *key = str{ nullptr, 0 };
    }
    *value = json_value{ doc, iterator->next };
    iterator->next = position_behind(word_at(doc, iterator->next), iterator->next);
    return true;
}

static void write_number(struct buffer *out, double value)
{
    char *room = buffer_reserve(out, NUMBER_TEXT_BYTES);
    if (room != nullptr)
        buffer_advance(out, number_format(value, room));
}

namespace
{
struct replacing {
    json_replace replace;
    void *context;
};
} // namespace

static void write_replacing(struct buffer *out, str name, json_value value,
                            const replacing *replacing);

static void write_container(struct buffer *out, json_value container, str name,
                            const replacing *replacing)
{
    struct json_iterator iterator = json_iterate(container);
    json_value value;
    str key;
    bool first = true;
    buffer_append_byte(out, iterator.is_object ? '{' : '[');
    while (json_next(&iterator, &key, &value)) {
        if (iterator.is_object)
            json_write_quoted(out, first ? '\0' : ',', key, ':');
        else if (!first)
            buffer_append_byte(out, ',');
        first = false;
        if (replacing == nullptr)
            json_write_value(out, value);
        else
            write_replacing(out, iterator.is_object ? key : name, value, replacing);
    }
    buffer_append_byte(out, iterator.is_object ? '}' : ']');
}

static void write_replacing(struct buffer *out, str name, json_value value,
                            const replacing *replacing)
{
    enum json_kind kind = json_kind(value);
    if (replacing->replace(replacing->context, name, value, out))
        return;
    if (kind == JSON_OBJECT || kind == JSON_ARRAY)
        write_container(out, value, name, replacing);
    else
        json_write_value(out, value);
}

void json_write_replacing(struct buffer *out, str name, json_value value, json_replace replace,
                          void *context)
{
    replacing replacing = { replace, context };
    write_replacing(out, name, value, &replacing);
}

/* Recursion is bounded by JSON_DEPTH_MAX. */
void json_write_value(struct buffer *out, json_value value)
{
    const document *doc = document_of(value);
    switch (type_of(value)) {
    case '{':
    case '[':
        write_container(out, value, str{ nullptr, 0 }, nullptr);
        break;
    case '"':
        json_write_text(out, json_text(value));
        break;
    case 'l':
        json_write_int(out, int_at(doc, value.position));
        break;
    case 'u':
        json_write_uint(out, static_cast<uint64_t>(int_at(doc, value.position)));
        break;
    case 'd':
        write_number(out, double_at(doc, value.position));
        break;
    case 't':
        buffer_append(out, "true", 4);
        break;
    case 'f':
        buffer_append(out, "false", 5);
        break;
    default:
        buffer_append(out, "null", 4);
        break;
    }
}
