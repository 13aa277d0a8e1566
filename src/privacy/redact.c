/* SPDX-License-Identifier: Apache-2.0 */
/* redact: what records of the log and events in quarantine say about an erased customer.
 *
 * A record is overwritten in place, text by text, with as many x: its length, its structure, and what decides how it is applied
 * stay, so that the log can be applied again from the beginning and gives the same state. Overwritten are
 *     the values of her identifiers, wherever they stand in the record
 *     every sealed value, whoever it names (receivers)
 *     what is said under the names of PLAIN_NAMES
 *     the value of an identifier that a command gave her by hand
 * The keyed hashes of the identifiers stay until the log's retention takes the block (three days). */
#include <stdlib.h>
#include <string.h>

#include "privacy/inside.h"

/* Properties and traits that say who she is without being sealed at the door. */
#define PLAIN_NAMES(X)                                                                            \
    X("name") X("$name") X("nickname") X("nickName") X("username") X("firstName") X("first_name") \
        X("lastName") X("last_name") X("realName") X("real_name") X("full_name") X("fullName")    \
            X("avatar") X("birthday") X("birth_date") X("title") X("ip") X("$ip") X("userAgent")  \
                X("user_agent")

static int compare_hashes(const void *one, const void *other)
{
    return memcmp(one, other, 16);
}

bool round_has_hash(const struct round *round, const uint8_t hash[16])
{
    return round->hash_count > 0 &&
           bsearch(hash, round->hashes, round->hash_count, 16, compare_hashes) != NULL;
}

static bool identifier_is_hers(const struct round *round, const struct event_identifier *identifier)
{
    if (round_has_hash(round, identifier->hash))
        return true;
    for (uint32_t i = 0; i < identifier->other_hash_count && i < 3; i++)
        if (round_has_hash(round, identifier->other_hashes[i]))
            return true;
    return false;
}

static bool event_is_hers(const struct round *round, const struct event *event)
{
    for (uint32_t i = 0; i < event->identifier_count; i++)
        if (identifier_is_hers(round, &event->identifiers[i]))
            return true;
    return false;
}

/* ---- overwriting ---- */

static void fill(char *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++)
        bytes[i] = 'x';
}

static bool is_base64url(char byte)
{
    return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') ||
           (byte >= '0' && byte <= '9') || byte == '-' || byte == '_';
}

/* "s1:7:" stays, what is sealed goes. */
static void fill_sealed(char *bytes, size_t size)
{
    for (size_t at = 0; at + 5 < size; at++) {
        if (bytes[at] != 's' || bytes[at + 1] != '1' || bytes[at + 2] != ':')
            continue;
        size_t next = at + 5, end = next;
        if (bytes[at + 4] != ':')
            continue;
        while (end < size && is_base64url(bytes[end]))
            end++;
        if (end - next >= 40) /* nonce and tag alone have more */
            fill(bytes + next, end - next);
        at = end - 1;
    }
}

/* The text behind "name": of JSON, up to its closing quote. */
static void fill_text_at(char *bytes, size_t at, size_t size)
{
    while (at < size && (bytes[at] == ' ' || bytes[at] == ':'))
        at++;
    if (at >= size || bytes[at] != '"')
        return;
    for (at++; at < size && bytes[at] != '"'; at++) {
        bool escaped = bytes[at] == '\\' && at + 1 < size;
        bytes[at] = 'x';
        if (escaped)
            bytes[++at] = 'x';
    }
}

static void fill_named(char *bytes, size_t size, const char *quoted)
{
    size_t length = strlen(quoted);
    char *at = bytes, *end = bytes + size;
    while ((at = memmem(at, (size_t)(end - at), quoted, length)) != NULL) {
        at += length;
        fill_text_at(bytes, (size_t)(at - bytes), size);
    }
}

static void fill_everywhere(char *bytes, size_t size, str value)
{
    char *at = bytes, *end = bytes + size;
    while (value.size >= 5 &&
           (at = memmem(at, (size_t)(end - at), value.data, value.size)) != NULL) {
        fill(at, value.size);
        at += value.size;
    }
}

static bool is_plain_name(str name)
{
#define X(text)                     \
    if (str_equal(name, STR(text))) \
        return true;
    PLAIN_NAMES(X)
#undef X
    return false;
}

/* Views of the event point into `body`, whose bytes may be written at `bytes`. */
static char *place(str body, char *bytes, str view)
{
    return bytes + (view.data - body.data);
}

static void redact_event(const struct round *round, const struct event *event, str body,
                         char *bytes)
{
    for (uint32_t i = 0; i < event->identifier_count; i++) {
        const struct event_identifier *identifier = &event->identifiers[i];
        if (!identifier_is_hers(round, identifier) || identifier->value.size == 0)
            continue;
        if ((identifier->flags & IDENTIFIER_SEALED) == 0)
            fill_everywhere(bytes, body.size, identifier->value);
        if ((identifier->flags & IDENTIFIER_SEALED) == 0)
            fill(place(body, bytes, identifier->value), identifier->value.size);
    }
    for (uint32_t i = 0; i < event->trait_count; i++) {
        const struct event_trait *trait = &event->traits[i];
        if (is_plain_name(trait->name) && trait->value.size > 0)
            fill_text_at(bytes, (size_t)(trait->value.data - body.data),
                         (size_t)(trait->value.data - body.data) + trait->value.size);
    }
    fill_sealed(bytes, body.size);
    if (event->props.size > 0) {
#define X(text) fill_named(place(body, bytes, event->props), event->props.size, "\"" text "\"");
        PLAIN_NAMES(X)
#undef X
    }
    if (event->context.size > 0) {
#define X(text) fill_named(place(body, bytes, event->context), event->context.size, "\"" text "\"");
        PLAIN_NAMES(X)
#undef X
    }
}

/* ---- the log ---- */

struct redacting {
    const struct round *round;
    struct arena arena;
};

static bool read_hash(str digits, uint8_t hash[16])
{
    for (size_t i = 0; i < digits.size; i++) {
        char digit = digits.data[i];
        bool is_letter = digit >= 'a' && digit <= 'f';
        if (!is_letter && (digit < '0' || digit > '9'))
            return false;
        int value = is_letter ? digit - 'a' + 10 : digit - '0';
        hash[i / 2] = (uint8_t)(i % 2 == 0 ? value << 4 : hash[i / 2] | value);
    }
    return digits.size == 32;
}

/* A command that gave her an identifier by hand says its keyed hash and its value (engine/commands/command_identifier.c). */
static bool names_hash_of_hers(const struct round *round, str body)
{
    static const char mark[] = "\"hash\":\"";
    const char *at = memmem(body.data, body.size, mark, sizeof mark - 1);
    uint8_t hash[16];
    if (at == NULL || (size_t)(body.data + body.size - at) < sizeof mark - 1 + 2 * sizeof hash)
        return false;
    str digits = str_from_bytes(at + sizeof mark - 1, 2 * sizeof hash);
    return read_hash(digits, hash) && round_has_hash(round, hash);
}

static bool redact_command(const struct round *round, str body, char *bytes)
{
    if (!names_hash_of_hers(round, body))
        return false;
    fill_sealed(bytes, body.size);
    if (memmem(body.data, body.size, "\"value\":\"s1:", 12) == NULL)
        fill_named(bytes, body.size, "\"value\"");
    return true;
}

static bool redact_record(void *context, const struct log_record *record, char *bytes)
{
    struct redacting *redacting = context;
    struct event event;
    if (record->kind == LOG_RECORD_COMMAND)
        return redact_command(redacting->round, record->body, bytes);
    if (record->kind != LOG_RECORD_EVENT)
        return false;
    arena_reset(&redacting->arena);
    if (event_decode(record->body, &redacting->arena, &event, NULL) != ERR_OK ||
        !event_is_hers(redacting->round, &event))
        return false;
    redact_event(redacting->round, &event, record->body, bytes);
    return true;
}

err redact_log(struct round *round, uint64_t from_seq, uint64_t to_seq, struct problem *problem)
{
    struct redacting redacting = { .round = round };
    uint64_t changed = 0;
    arena_init(&redacting.arena, "redact", (size_t)16 << 20);
    err error = log_redact(engine_log(round->privacy->engine), from_seq, to_seq, redact_record,
                           &redacting, round->count > 0, &changed, problem);
    round->records += changed;
    arena_deinit(&redacting.arena);
    return error;
}

/* ---- quarantine ---- */

struct sifting {
    struct round *round;
    struct arena arena;
    struct buffer *ids;
};

static bool sift(void *context, const struct ledger_value *values)
{
    struct sifting *sifting = context;
    struct event event;
    arena_reset(&sifting->arena);
    if (!str_equal(values[8].bytes, STR("waiting")) ||
        event_decode(values[7].bytes, &sifting->arena, &event, NULL) != ERR_OK ||
        !event_is_hers(sifting->round, &event))
        return true;
    buffer_printf(sifting->ids, "%s%lld", sifting->round->quarantined > 0 ? "," : "",
                  (long long)values[0].integer);
    sifting->round->quarantined++;
    return true;
}

err redact_quarantine(struct round *round, struct buffer *ids, struct problem *problem)
{
    struct sifting sifting = { .round = round, .ids = ids };
    arena_init(&sifting.arena, "redact", (size_t)16 << 20);
    err error = ledger_scan(engine_ledger(round->privacy->engine), LEDGER_QUARANTINE, NULL, sift,
                            &sifting, problem);
    arena_deinit(&sifting.arena);
    return error == ERR_OK ? buffer_status(ids) : error;
}
