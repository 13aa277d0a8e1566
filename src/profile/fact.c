/* SPDX-License-Identifier: Apache-2.0 */
/* fact: values, and the bytes of a node's facts. */
#include "profile/fact.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/codec.h"

#define MICRO 1000000
/* |value| in millionths: far from where sums would overflow 128 bits, or a JSON reader. */
#define MICRO_DIGITS_MAX 18

void facts_deinit(struct facts *facts)
{
    memory_free(facts->items);
    *facts = (struct facts){ .count = 0 };
}

err facts_add(struct facts *facts, const struct fact *fact)
{
    if (facts->count == facts->capacity) {
        uint32_t capacity = facts->capacity == 0 ? 64 : facts->capacity * 2;
        struct fact *items = memory_resize(facts->items, capacity * sizeof(*items));
        if (items == NULL)
            return ERR_NOMEM;
        facts->items = items;
        facts->capacity = capacity;
    }
    facts->items[facts->count++] = *fact;
    return ERR_OK;
}

/* ---- values ---- */

/* A plain decimal without exponent: "-12.050". Millionths, and whether it has a point. */
static bool parse_micro(str text, int64_t *micro, bool *has_point)
{
    size_t at = 0, digits = 0;
    int64_t value = 0;
    int behind = -1;
    bool negative = text.size > 0 && text.data[0] == '-';
    for (at = negative; at < text.size; at++) {
        char c = text.data[at];
        if (c == '.' && behind < 0 && digits > 0) {
            behind = 0;
            continue;
        }
        if (c < '0' || c > '9' || ++digits > MICRO_DIGITS_MAX || behind == 6)
            return false;
        value = value * 10 + (c - '0');
        behind += behind >= 0;
    }
    *has_point = behind >= 0;
    if (digits == 0 || behind == 0)
        return false;
    for (int i = behind < 0 ? 0 : behind; i < 6; i++) {
        if (__builtin_mul_overflow(value, 10, &value))
            return false;
    }
    *micro = negative ? -value : value;
    return true;
}

static void write_micro(micro_sum micro, struct buffer *out)
{
    bool negative = micro < 0;
    micro_size value = negative ? -(micro_size)micro : (micro_size)micro;
    uint64_t behind = (uint64_t)(value % MICRO);
    value /= MICRO;
    char digits[48];
    size_t at = sizeof(digits);
    do {
        digits[--at] = (char)('0' + (int)(value % 10));
        value /= 10;
    } while (value > 0);
    if (negative)
        digits[--at] = '-';
    buffer_append(out, digits + at, sizeof(digits) - at);
    if (behind == 0)
        return;
    char text[8];
    for (int i = 6; i > 0; i--, behind /= 10)
        text[i] = (char)('0' + (int)(behind % 10));
    text[0] = '.';
    size_t size = 7;
    while (text[size - 1] == '0')
        size--;
    buffer_append(out, text, size);
}

void fact_write_number(micro_sum micro, struct buffer *out)
{
    write_micro(micro, out);
}

/* Is `text` what would be written for `micro`? Else its own writing is kept. */
static bool is_canonical(str text, int64_t micro)
{
    char bytes[48];
    struct buffer out = { .data = bytes, .capacity = sizeof(bytes), .size_max = sizeof(bytes) };
    write_micro(micro, &out);
    return str_equal(str_from_bytes(out.data, out.size), text);
}

bool fact_set_value(struct fact *fact, str json)
{
    int64_t micro;
    bool has_point;
    fact->number = 0;
    fact->json = STR_NONE;
    if (json.size == 0 || str_equal(json, STR("null")))
        return false;
    if (str_equal(json, STR("true"))) {
        fact->kind = FACT_TRUE;
    } else if (str_equal(json, STR("false"))) {
        fact->kind = FACT_FALSE;
    } else if (str_to_int64(json, &fact->number) && json.data[0] != '+' &&
               !(json.size > 1 && json.data[0] == '0') &&
               !(json.size > 1 && json.data[0] == '-' && json.data[1] == '0')) {
        fact->kind = FACT_INT;
    } else if (parse_micro(json, &micro, &has_point) && has_point && is_canonical(json, micro)) {
        fact->kind = FACT_MICRO;
        fact->number = micro;
    } else {
        fact->number = 0;
        fact->kind = FACT_JSON;
        fact->json = json;
    }
    return true;
}

void fact_write_value(const struct fact *fact, struct buffer *out)
{
    switch ((enum fact_kind)fact->kind) {
    case FACT_FALSE:
        buffer_append_str(out, STR("false"));
        break;
    case FACT_TRUE:
        buffer_append_str(out, STR("true"));
        break;
    case FACT_INT:
        buffer_printf(out, "%lld", (long long)fact->number);
        break;
    case FACT_MICRO:
        write_micro(fact->number, out);
        break;
    case FACT_JSON:
        buffer_append_str(out, fact->json);
        break;
    case FACT_NONE:
    case FACT_KIND_END:
        buffer_append_str(out, STR("null"));
        break;
    }
}

bool fact_number(const struct fact *fact, micro_sum *micro)
{
    double value;
    if (fact->kind == FACT_INT) {
        *micro = (micro_sum)fact->number * MICRO;
        return true;
    }
    if (fact->kind == FACT_MICRO) {
        *micro = fact->number;
        return true;
    }
    if (fact->kind != FACT_JSON || !str_to_double(fact->json, &value) || !(value > -1e24) ||
        !(value < 1e24))
        return false;
    *micro = (micro_sum)(value * MICRO + (value < 0 ? -0.5 : 0.5));
    return true;
}

bool fact_is_list(const struct fact *fact)
{
    return fact->kind == FACT_JSON && fact->json.size > 0 && fact->json.data[0] == '[';
}

bool fact_same_value(const struct fact *a, const struct fact *b)
{
    return a->kind == b->kind && a->number == b->number && str_equal(a->json, b->json);
}

int fact_compare_time(const struct fact *a, const struct fact *b)
{
    if (a->time_ms != b->time_ms)
        return a->time_ms < b->time_ms ? -1 : 1;
    return a->seq < b->seq ? -1 : a->seq > b->seq;
}

/* ---- bytes ---- */

static bool read_value(struct cursor *cursor, struct fact *fact)
{
    fact->number = 0;
    fact->json = STR_NONE;
    if (fact->kind == FACT_INT || fact->kind == FACT_MICRO)
        fact->number = read_zigzag(cursor);
    if (fact->kind == FACT_JSON) {
        fact->json = read_text(cursor);
        if (fact->json.size == 0)
            return false;
    }
    return !cursor->failed;
}

static bool read_fact(struct cursor *cursor, struct fact *fact)
{
    uint64_t trait = read_varint(cursor);
    uint8_t what = read_u8(cursor);
    fact->trait = (uint32_t)trait;
    fact->operation = what & 15;
    fact->kind = what >> 4;
    if (cursor->failed || trait > UINT32_MAX || fact->operation == 0 ||
        fact->operation >= FACT_OPERATION_END || fact->kind >= FACT_KIND_END)
        return false;
    bool adds = fact->operation == FACT_INCREMENT || fact->operation == FACT_SUM;
    if ((adds && fact->kind != FACT_INT && fact->kind != FACT_MICRO && fact->kind != FACT_JSON) ||
        (fact->operation == FACT_UNSET && fact->kind != FACT_NONE) ||
        (fact->kind == FACT_NONE && fact->operation != FACT_UNSET &&
         fact->operation != FACT_HAND) ||
        (fact->trait == FACT_ALL_TRAITS && fact->operation != FACT_UNSET))
        return false;
    return read_value(cursor, fact);
}

/* The head of a group, with how many facts follow; false at the end and for damage. */
static bool read_head(struct cursor *cursor, struct fact *fact, uint64_t *count)
{
    if (cursor_left(cursor) == 0)
        return false;
    uint64_t source = read_varint(cursor);
    fact->source = (uint32_t)source;
    fact->time_ms = read_zigzag(cursor);
    fact->seq = read_varint(cursor);
    fact->account = read_u32(cursor);
    *count = read_varint(cursor);
    cursor->failed = cursor->failed || source > UINT32_MAX || *count == 0;
    return !cursor->failed;
}

err facts_decode(struct facts *facts, str bytes)
{
    if (bytes.size == 0)
        return ERR_OK;
    struct cursor cursor = cursor_over(bytes);
    if (read_u8(&cursor) != FACT_VERSION)
        return ERR_CORRUPT;
    struct fact fact = { .trait = 0 };
    uint64_t count;
    while (read_head(&cursor, &fact, &count)) {
        for (; count > 0; count--) {
            if (!read_fact(&cursor, &fact))
                return ERR_CORRUPT;
            err error = facts_add(facts, &fact);
            if (error != ERR_OK)
                return error;
        }
    }
    return cursor.failed ? ERR_CORRUPT : ERR_OK;
}

bool facts_any(str bytes, bool (*is)(const void *context, const struct fact *fact),
               const void *context)
{
    struct cursor cursor = cursor_over(bytes);
    struct fact fact = { .trait = 0 };
    uint64_t count;
    if (bytes.size == 0 || read_u8(&cursor) != FACT_VERSION)
        return false;
    while (read_head(&cursor, &fact, &count)) {
        for (; count > 0; count--) {
            if (!read_fact(&cursor, &fact))
                return false;
            if (is(context, &fact))
                return true;
        }
    }
    return false;
}

static int compare_heads(const struct fact *a, const struct fact *b)
{
    if (a->source != b->source)
        return a->source < b->source ? -1 : 1;
    int by_time = fact_compare_time(a, b);
    if (by_time != 0)
        return by_time;
    return a->account < b->account ? -1 : a->account > b->account;
}

/* A total order, so that equal sets of facts are equal bytes. */
static int compare_facts(const void *left, const void *right)
{
    const struct fact *a = left, *b = right;
    int by_head = compare_heads(a, b);
    if (by_head != 0)
        return by_head;
    if (a->trait != b->trait)
        return a->trait < b->trait ? -1 : 1;
    if (a->operation != b->operation)
        return a->operation < b->operation ? -1 : 1;
    if (a->kind != b->kind)
        return a->kind < b->kind ? -1 : 1;
    if (a->number != b->number)
        return a->number < b->number ? -1 : 1;
    return str_compare(a->json, b->json);
}

static void write_fact(const struct fact *fact, struct buffer *out)
{
    write_varint(out, fact->trait);
    write_u8(out, (uint8_t)(fact->operation | fact->kind << 4));
    if (fact->kind == FACT_INT || fact->kind == FACT_MICRO)
        write_zigzag(out, fact->number);
    if (fact->kind == FACT_JSON)
        write_text(out, fact->json);
}

void facts_encode(struct facts *facts, bool consents, struct buffer *out)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < facts->count; i++) {
        if (consents || facts->items[i].operation != FACT_CONSENT)
            facts->items[count++] = facts->items[i];
    }
    facts->count = count;
    if (count == 0)
        return;
    qsort(facts->items, count, sizeof(*facts->items), compare_facts);
    write_u8(out, FACT_VERSION);
    for (uint32_t i = 0; i < count;) {
        const struct fact *head = &facts->items[i];
        uint32_t end = i + 1;
        while (end < count && compare_heads(head, &facts->items[end]) == 0)
            end++;
        write_varint(out, head->source);
        write_zigzag(out, head->time_ms);
        write_varint(out, head->seq);
        write_u32(out, head->account);
        write_varint(out, end - i);
        for (; i < end; i++)
            write_fact(&facts->items[i], out);
    }
}
