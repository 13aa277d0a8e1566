/* SPDX-License-Identifier: Apache-2.0 */
/* The normal form as bytes, version 1; layout in docs/formats/event.md. */
#include "event/event.h"

#include <endian.h>
#include <string.h>

#include "base/codec.h"

#define EVENT_VERSION 1
#define EVENT_TRAIT_OPERATIONS 5
#define EVENT_CHANNEL_BYTES_MAX 40
#define IDENTIFIER_TEXT_BYTES_MAX 255
#define IDENTIFIER_OTHER_HASHES_MAX 3
#define TAIL_HASH_BYTES 8
#define VARINT_BYTES_MAX 10
/* A sealed value of 255 bytes, in base64 with nonce and tag. */
#define IDENTIFIER_VALUE_BYTES_MAX 512

#define EVENT_FLAGS_ALL                                                                    \
    (EVENT_TRUSTED | EVENT_HISTORICAL | EVENT_REPLAYED | EVENT_DELETE | EVENT_TIME_GIVEN | \
     EVENT_IMPORTED)
#define IDENTIFIER_FLAGS_ALL                                                        \
    (IDENTIFIER_VERIFIED | IDENTIFIER_SEALED | IDENTIFIER_HASHED | IDENTIFIER_OWN | \
     IDENTIFIER_BLOCKED)
/* In the byte of an identifier's flags, beside enum identifier_flag: a tail hash follows. */
#define IDENTIFIER_HAS_TAIL 0x80

_Static_assert(PROMOTED_COUNT <= 32, "promoted_set has a bit per promoted column");

const char *event_kind_name(enum event_kind kind)
{
    static const char *const names[] = {
        [EVENT_TRACK] = "track",   [EVENT_IDENTIFY] = "identify", [EVENT_PAGE] = "page",
        [EVENT_SCREEN] = "screen", [EVENT_GROUP] = "group",       [EVENT_ALIAS] = "alias",
        [EVENT_BIND] = "bind",     [EVENT_UNBIND] = "unbind",     [EVENT_PROFILE] = "profile",
        [EVENT_OBJECT] = "object",
    };
    return kind >= EVENT_TRACK && kind <= EVENT_OBJECT ? names[kind] : "unknown";
}

/* ---- tables ---- */

/* The common types of identifiers by their number in the bytes, from 1. Another order than that of
 * strength would do as well: only ever add at the end. What is not here is written by name. */
#define TYPE(name)                             \
    {                                          \
        .data = name, .size = sizeof(name) - 1 \
    }
static const str numbered_types[] = {
    TYPE("user_id"),
    TYPE("member_card"),
    TYPE("wx_unionid"),
    TYPE("mobile"),
    TYPE("email"),
    TYPE("wx_openid"),
    TYPE("wecom_external_userid"),
    TYPE("tmall_open_uid"),
    TYPE("jd_open_id"),
    TYPE("douyin_doudian_open_id"),
    TYPE("pdd_open_id"),
    TYPE("vip_open_id"),
    TYPE("yz_open_id"),
    TYPE("order_no"),
    TYPE("receiver_key"),
    TYPE("device"),
    TYPE("anonymous_id"),
};
#undef TYPE
#define NUMBERED_TYPES (sizeof numbered_types / sizeof numbered_types[0])

enum promoted_type { PROMOTED_TYPE_TEXT, PROMOTED_TYPE_INT, PROMOTED_TYPE_MONEY };
static const enum promoted_type promoted_types[PROMOTED_COUNT] = {
#define X(NAME, column, property, type) [PROMOTED_##NAME] = PROMOTED_TYPE_##type,
    PROMOTED_TABLE(X)
#undef X
};

/* 0 for a type without a number. */
static uint8_t type_number(str type)
{
    for (size_t i = 0; i < NUMBERED_TYPES; i++)
        if (numbered_types[i].size == type.size &&
            memcmp(numbered_types[i].data, type.data, type.size) == 0)
            return (uint8_t)(i + 1);
    return 0;
}

/* ---- encoding ---- */

/* Room is asked for once, by an upper bound; then bytes are put without checks. */
static uint8_t *put_bytes(uint8_t *at, const void *bytes, size_t size)
{
    if (size > 0)
        memcpy(at, bytes, size);
    return at + size;
}

static uint8_t *put_u32(uint8_t *at, uint32_t value)
{
    value = htole32(value);
    return put_bytes(at, &value, sizeof value);
}

static uint8_t *put_u64(uint8_t *at, uint64_t value)
{
    value = htole64(value);
    return put_bytes(at, &value, sizeof value);
}

static uint8_t *put_varint(uint8_t *at, uint64_t value)
{
    while (value >= 0x80) {
        *at++ = (uint8_t)(value | 0x80);
        value >>= 7;
    }
    *at++ = (uint8_t)value;
    return at;
}

static uint8_t *put_zigzag(uint8_t *at, int64_t value)
{
    return put_varint(at, ((uint64_t)value << 1) ^ (value < 0 ? UINT64_MAX : 0));
}

static uint8_t *put_text(uint8_t *at, str text)
{
    return put_bytes(put_varint(at, text.size), text.data, text.size);
}

static size_t text_bound(str text)
{
    return VARINT_BYTES_MAX + text.size;
}

static size_t encoded_bound(const struct event *event)
{
    size_t bound = 64 + text_bound(event->type) + text_bound(event->channel) +
                   text_bound(event->object_kind) + text_bound(event->object_id) +
                   text_bound(event->props) + text_bound(event->context) + 2 * VARINT_BYTES_MAX;
    for (uint32_t i = 0; i < event->identifier_count; i++) {
        const struct event_identifier *identifier = &event->identifiers[i];
        bound += 3 + text_bound(identifier->type) + text_bound(identifier->namespace_) +
                 text_bound(identifier->value) + TAIL_HASH_BYTES +
                 (1 + IDENTIFIER_OTHER_HASHES_MAX) * HASH_BYTES;
    }
    for (uint32_t i = 0; i < event->trait_count; i++)
        bound += 1 + text_bound(event->traits[i].name) + text_bound(event->traits[i].value);
    for (uint32_t i = 0; i < PROMOTED_COUNT; i++)
        bound += text_bound(promoted_types[i] == PROMOTED_TYPE_TEXT ? event->promoted_text[i]
                                                                    : STR_NONE);
    return bound;
}

static uint8_t *put_identifier(uint8_t *at, const struct event_identifier *identifier)
{
    static const uint8_t no_tail[TAIL_HASH_BYTES];
    bool has_tail = memcmp(identifier->tail_hash, no_tail, TAIL_HASH_BYTES) != 0;
    uint8_t number = type_number(identifier->type);
    *at++ = number;
    if (number == 0)
        at = put_text(at, identifier->type);
    at = put_text(at, identifier->namespace_);
    *at++ = (uint8_t)(identifier->flags | (has_tail ? IDENTIFIER_HAS_TAIL : 0));
    at = put_bytes(at, identifier->hash, HASH_BYTES);
    if (has_tail)
        at = put_bytes(at, identifier->tail_hash, TAIL_HASH_BYTES);
    *at++ = identifier->other_hash_count;
    at = put_bytes(at, identifier->other_hashes, (size_t)identifier->other_hash_count * HASH_BYTES);
    return put_text(at, identifier->value);
}

static uint8_t *put_promoted(uint8_t *at, const struct event *event)
{
    for (uint32_t set = event->promoted_set; set != 0; set &= set - 1) {
        unsigned i = (unsigned)__builtin_ctz(set);
        if (promoted_types[i] == PROMOTED_TYPE_TEXT)
            at = put_text(at, event->promoted_text[i]);
        else
            at = put_zigzag(at, event->promoted_int[i]);
    }
    return at;
}

static uint8_t *put_event(uint8_t *at, const struct event *event)
{
    *at++ = EVENT_VERSION;
    *at++ = (uint8_t)event->kind;
    *at++ = event->flags;
    at = put_u32(at, event->source_number);
    at = put_bytes(at, event->message_key, sizeof event->message_key);
    at = put_u64(at, (uint64_t)event->time_ms);
    at = put_u64(at, (uint64_t)event->sent_ms);
    at = put_u64(at, event->shape);
    at = put_u32(at, event->promoted_set);
    at = put_text(at, event->type);
    at = put_text(at, event->channel);
    *at++ = (uint8_t)event->identifier_count;
    for (uint32_t i = 0; i < event->identifier_count; i++)
        at = put_identifier(at, &event->identifiers[i]);
    at = put_varint(at, event->trait_count);
    for (uint32_t i = 0; i < event->trait_count; i++) {
        *at++ = (uint8_t)event->traits[i].operation;
        at = put_text(at, event->traits[i].name);
        at = put_text(at, event->traits[i].value);
    }
    at = put_promoted(at, event);
    at = put_text(at, event->object_kind);
    at = put_text(at, event->object_id);
    at = put_text(at, event->props);
    return put_text(at, event->context);
}

/* ---- what holds of every encoded event, asked on both sides of the bytes ---- */

static const char *fault_of_identifier(const struct event_identifier *identifier)
{
    if (identifier->type.size == 0 || identifier->type.size > IDENTIFIER_TEXT_BYTES_MAX ||
        identifier->namespace_.size > IDENTIFIER_TEXT_BYTES_MAX)
        return "an identifier's type or namespace";
    if ((identifier->flags & ~IDENTIFIER_FLAGS_ALL) != 0)
        return "an identifier's flags";
    if (identifier->other_hash_count > IDENTIFIER_OTHER_HASHES_MAX)
        return "an identifier's number of hashes";
    if (identifier->value.size == 0 || identifier->value.size > IDENTIFIER_VALUE_BYTES_MAX)
        return "an identifier's value";
    return NULL;
}

static const char *fault_of_event(const struct event *event)
{
    if (event->kind < EVENT_TRACK || event->kind > EVENT_OBJECT)
        return "its kind";
    if ((event->flags & ~EVENT_FLAGS_ALL) != 0)
        return "its flags";
    if ((event->promoted_set >> PROMOTED_COUNT) != 0)
        return "its promoted columns";
    if (event->type.size == 0 || event->type.size > EVENT_NAME_BYTES_MAX)
        return "its type";
    if (event->channel.size > EVENT_CHANNEL_BYTES_MAX)
        return "its channel";
    if (event->identifier_count > EVENT_IDENTIFIERS_MAX)
        return "its number of identifiers";
    if (event->trait_count > EVENT_TRAITS_MAX)
        return "its number of traits";
    for (uint32_t i = 0; i < event->identifier_count; i++) {
        const char *fault = fault_of_identifier(&event->identifiers[i]);
        if (fault != NULL)
            return fault;
    }
    for (uint32_t i = 0; i < event->trait_count; i++)
        if ((unsigned)event->traits[i].operation >= EVENT_TRAIT_OPERATIONS ||
            event->traits[i].name.size == 0 || event->traits[i].name.size > EVENT_NAME_BYTES_MAX)
            return "a trait's name or operation";
    return NULL;
}

err event_encode(struct buffer *out, const struct event *event, struct problem *problem)
{
    const char *fault = fault_of_event(event);
    if (fault != NULL)
        return problem_set(problem, ERR_INVALID, "the event cannot be written: %s", fault);
    size_t bound = encoded_bound(event);
    /* The bound is close: lengths have ten bytes each. What is surely too long needs no room. */
    if (bound > 2 * (size_t)EVENT_BYTES_MAX)
        return problem_set(problem, ERR_TOO_LARGE, "the event is larger than %d bytes",
                           EVENT_BYTES_MAX);
    uint8_t *begin = (uint8_t *)buffer_reserve(out, bound);
    if (begin == NULL)
        return problem_set(problem, buffer_status(out), "no room for an event of %zu bytes", bound);
    size_t size = (size_t)(put_event(begin, event) - begin);
    INVARIANT(size <= bound);
    if (size > EVENT_BYTES_MAX)
        return problem_set(problem, ERR_TOO_LARGE,
                           "the event has %zu bytes inside, at most %d are "
                           "taken",
                           size, EVENT_BYTES_MAX);
    buffer_advance(out, size);
    return ERR_OK;
}

/* ---- decoding ---- */

static void read_hash(struct cursor *cursor, uint8_t *hash, size_t size)
{
    str bytes = read_bytes(cursor, size);
    if (size > 0 && bytes.size == size)
        memcpy(hash, bytes.data, size);
}

static void read_identifier(struct cursor *cursor, struct event_identifier *identifier)
{
    uint8_t number = read_u8(cursor);
    if (number > NUMBERED_TYPES) {
        cursor->failed = true;
        return;
    }
    identifier->type = number > 0 ? numbered_types[number - 1] : read_text(cursor);
    /* One type has one writing. */
    if (number == 0 && type_number(identifier->type) != 0)
        cursor->failed = true;
    identifier->namespace_ = read_text(cursor);
    uint8_t flags = read_u8(cursor);
    identifier->flags = (uint8_t)(flags & ~IDENTIFIER_HAS_TAIL);
    read_hash(cursor, identifier->hash, HASH_BYTES);
    memset(identifier->tail_hash, 0, TAIL_HASH_BYTES);
    if ((flags & IDENTIFIER_HAS_TAIL) != 0) {
        static const uint8_t no_tail[TAIL_HASH_BYTES];
        read_hash(cursor, identifier->tail_hash, TAIL_HASH_BYTES);
        if (memcmp(identifier->tail_hash, no_tail, TAIL_HASH_BYTES) == 0)
            cursor->failed = true;
    }
    identifier->other_hash_count = read_u8(cursor);
    if (identifier->other_hash_count > IDENTIFIER_OTHER_HASHES_MAX) {
        cursor->failed = true;
        return;
    }
    read_hash(cursor, identifier->other_hashes[0],
              (size_t)identifier->other_hash_count * HASH_BYTES);
    identifier->value = read_text(cursor);
}

static err read_identifiers(struct cursor *cursor, struct arena *arena, struct event *event)
{
    event->identifier_count = read_u8(cursor);
    event->identifiers = NULL;
    if (cursor->failed || event->identifier_count > EVENT_IDENTIFIERS_MAX) {
        cursor->failed = true;
        return ERR_OK;
    }
    if (event->identifier_count == 0)
        return ERR_OK;
    event->identifiers =
        arena_alloc_raw(arena, event->identifier_count * sizeof *event->identifiers);
    if (event->identifiers == NULL)
        return ERR_NOMEM;
    for (uint32_t i = 0; i < event->identifier_count && !cursor->failed; i++)
        read_identifier(cursor, &event->identifiers[i]);
    return ERR_OK;
}

static err read_traits(struct cursor *cursor, struct arena *arena, struct event *event)
{
    uint64_t count = read_varint(cursor);
    event->trait_count = 0;
    event->traits = NULL;
    if (cursor->failed || count > EVENT_TRAITS_MAX) {
        cursor->failed = true;
        return ERR_OK;
    }
    if (count == 0)
        return ERR_OK;
    event->trait_count = (uint32_t)count;
    event->traits = arena_alloc_raw(arena, count * sizeof *event->traits);
    if (event->traits == NULL)
        return ERR_NOMEM;
    for (uint32_t i = 0; i < event->trait_count && !cursor->failed; i++) {
        uint8_t operation = read_u8(cursor);
        if (operation >= EVENT_TRAIT_OPERATIONS)
            cursor->failed = true;
        event->traits[i] = (struct event_trait){ .operation = (enum trait_operation)operation };
        event->traits[i].name = read_text(cursor);
        event->traits[i].value = read_text(cursor);
    }
    return ERR_OK;
}

static void read_promoted(struct cursor *cursor, struct event *event)
{
    for (unsigned i = 0; i < PROMOTED_COUNT; i++)
        event->promoted_int[i] = PROMOTED_MISSING;
    memset(event->promoted_text, 0, sizeof event->promoted_text);
    for (uint32_t set = event->promoted_set; set != 0; set &= set - 1) {
        unsigned i = (unsigned)__builtin_ctz(set);
        if (i >= PROMOTED_COUNT)
            break;
        if (promoted_types[i] == PROMOTED_TYPE_TEXT)
            event->promoted_text[i] = read_text(cursor);
        else
            event->promoted_int[i] = read_zigzag(cursor);
    }
}

static void read_head(struct cursor *cursor, struct event *event)
{
    event->kind = (enum event_kind)read_u8(cursor);
    event->flags = read_u8(cursor);
    event->source_number = read_u32(cursor);
    read_hash(cursor, event->message_key, sizeof event->message_key);
    event->time_ms = read_i64(cursor);
    event->sent_ms = read_i64(cursor);
    event->shape = read_u64(cursor);
    event->promoted_set = read_u32(cursor);
    event->type = read_text(cursor);
    event->channel = read_text(cursor);
}

static void read_tail(struct cursor *cursor, struct event *event)
{
    read_promoted(cursor, event);
    event->object_kind = read_text(cursor);
    event->object_id = read_text(cursor);
    event->props = read_text(cursor);
    event->context = read_text(cursor);
}

err event_decode(str bytes, struct arena *arena, struct event *event, struct problem *problem)
{
    struct cursor cursor = cursor_over(bytes);
    uint8_t version = read_u8(&cursor);
    if (version != EVENT_VERSION || bytes.size > EVENT_BYTES_MAX)
        return problem_set(problem, ERR_CORRUPT,
                           "an event of version %u and %zu bytes cannot be "
                           "read",
                           version, bytes.size);
    event->seq = 0;
    event->received_ms = 0;
    read_head(&cursor, event);
    if (read_identifiers(&cursor, arena, event) != ERR_OK ||
        read_traits(&cursor, arena, event) != ERR_OK)
        return problem_set(problem, ERR_NOMEM, "no memory to read an event");
    read_tail(&cursor, event);
    if (cursor.failed || cursor_left(&cursor) > 0)
        return problem_set(problem, ERR_CORRUPT, "an event of %zu bytes is damaged at byte %zu",
                           bytes.size, bytes.size - cursor_left(&cursor));
    const char *fault = fault_of_event(event);
    if (fault != NULL)
        return problem_set(problem, ERR_CORRUPT, "an event is damaged: %s", fault);
    return ERR_OK;
}
