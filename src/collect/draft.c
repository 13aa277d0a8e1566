/* SPDX-License-Identifier: Apache-2.0 */
/* Drafting an event: identifiers, time, message key, and its way into the log's records. */
#include <sodium.h>
#include <string.h>

#include "base/metric.h"
#include "collect/inside.h"
#include "log/log.h"

#define INTEGER_TEXT_BYTES 24
#define CHANNEL_BYTES_MAX 40
#define MESSAGE_KEY_PARTS_MAX 8
/* Of the client's clock; later than this is no edge in time but a mistake (docs/formats/event.md). */
#define FUTURE_MS_MAX DAY_MS

void draft_begin(struct door *door, enum event_kind kind, str type)
{
    struct collect_worker *worker = door->worker;
    struct event *event = &worker->event;
    buffer_clear(&worker->text);
    event->kind = kind;
    event->flags = (door->source->kind == SOURCE_SERVER ? EVENT_TRUSTED : 0) |
                   (door->historical ? EVENT_HISTORICAL : 0);
    event->source_number = door->source->number;
    event->type = type;
    event->channel = STR_NONE;
    event->sent_ms = 0;
    event->shape = 0;
    event->identifier_count = 0;
    event->identifiers = worker->identifiers;
    event->trait_count = 0;
    event->traits = worker->traits;
    event->promoted_set = 0;
    event->object_kind = event->object_id = STR_NONE;
    event->props = STR("{}");
    event->context = STR_NONE;
}

/* ---- ids ---- */

err draft_id_text(struct door *door, json_value value, const char *place, str *out,
                  struct problem *problem)
{
    *out = STR_NONE;
    switch (json_kind(value)) {
    case JSON_MISSING:
    case JSON_NULL:
        return ERR_OK;
    case JSON_TEXT:
        *out = str_trim(json_text(value));
        return ERR_OK;
    case JSON_INT: {
        if (arena_printf(&door->worker->arena, out, "%lld", (long long)json_int(value, 0)) !=
            ERR_OK)
            return problem_set(problem, ERR_NOMEM, "no memory for an id");
        return ERR_OK;
    }
    case JSON_DOUBLE:
        problem_set(problem, ERR_INVALID, "an id is a number whose digits are not exact");
        problem_hint(problem, ERR_INVALID, "send ids as text");
        break;
    case JSON_BOOL:
    case JSON_ARRAY:
    case JSON_OBJECT:
        problem_set(problem, ERR_INVALID, "an id is neither text nor a whole number");
        break;
    }
    return problem_at(problem, ERR_INVALID, "%s", place);
}

err draft_identifier_text(struct door *door, str type, str namespace_, str raw, uint8_t flags,
                          struct problem *problem)
{
    struct collect_worker *worker = door->worker;
    struct event *event = &worker->event;
    err error = ERR_OK;
    if (raw.size == 0)
        return ERR_OK;
    if (event->identifier_count == EVENT_IDENTIFIERS_MAX) {
        problem_set(problem, ERR_INVALID, "the event has more than %d identifiers",
                    EVENT_IDENTIFIERS_MAX);
        return problem_hint(problem, ERR_INVALID, "send what belongs to one person only");
    }
    enum normal_form form =
        identifier_make(worker->desk.keys, &worker->arena, type, namespace_, raw, flags,
                        &worker->identifiers[event->identifier_count], &error);
    if (error != ERR_OK)
        return problem_set(problem, error, "no memory for an identifier");
    if (form == NORMAL_USABLE || form == NORMAL_BLOCKED)
        event->identifier_count++;
    return ERR_OK;
}

err draft_identifier(struct door *door, str type, str namespace_, json_value raw, uint8_t flags,
                     struct problem *problem)
{
    str text;
    err error = draft_id_text(door, raw, "", &text, problem);
    return error != ERR_OK ? error
                           : draft_identifier_text(door, type, namespace_, text, flags, problem);
}

/* ---- message key ---- */

void draft_message_key(struct door *door, const str *parts, size_t count)
{
    struct collect_worker *worker = door->worker;
    char room[1024];
    uint32_t source = door->source->number;
    size_t size = sizeof source;
    INVARIANT(count <= MESSAGE_KEY_PARTS_MAX);
    memcpy(room, &source, sizeof source);
    for (size_t i = 0; i < count; i++) {
        /* Long parts stand by their own hash. */
        uint8_t hash[SEAL_HASH_BYTES];
        str part = parts[i];
        if (part.size > 100) {
            keys_hash_message(worker->desk.keys, part, hash);
            part = str_from_bytes(hash, sizeof hash);
        }
        room[size++] = (char)part.size;
        if (part.size > 0)
            memcpy(room + size, part.data, part.size);
        size += part.size;
    }
    keys_hash_message(worker->desk.keys, str_from_bytes(room, size), worker->event.message_key);
}

void draft_random_message_key(struct door *door)
{
    randombytes_buf(door->worker->event.message_key, sizeof door->worker->event.message_key);
}

/* ---- time ---- */

int64_t draft_settle_time(int64_t time_ms, int64_t received_ms)
{
    bool soon = time_ms > received_ms && time_ms - received_ms <= FUTURE_MS_MAX;
    return soon ? received_ms : time_ms;
}

err draft_time(struct door *door, bool given, int64_t original_ms, int64_t sent_ms, bool exact,
               struct problem *problem)
{
    struct event *event = &door->worker->event;
    int64_t received_ms = door->request->received_ms, time_ms = original_ms;
    event->sent_ms = sent_ms;
    event->time_ms = received_ms;
    if (!given)
        return ERR_OK;
    event->flags |= EVENT_TIME_GIVEN;
    if (sent_ms != 0 && !exact)
        time_ms = received_ms - (sent_ms - original_ms);
    if (time_ms < 0) {
        problem_set(problem, ERR_INVALID, "the event says it happened before 1970");
        return problem_hint(problem, ERR_INVALID, "times are ISO 8601 text or milliseconds");
    }
    event->time_ms = draft_settle_time(time_ms, received_ms);
    return ERR_OK;
}

/* ---- channel ---- */

str draft_channel_name(struct draft_desk *desk, str name)
{
    bool plain = name.size > 0 && name.size <= CHANNEL_BYTES_MAX;
    for (size_t i = 0; i < name.size && plain; i++) {
        char c = name.data[i];
        plain = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
    }
    if (plain)
        return name;
    if (name.size == 0 || name.size > CHANNEL_BYTES_MAX)
        return STR_NONE;
    char *text = arena_alloc_raw(desk->arena, name.size);
    if (text == NULL)
        desk->starved = true;
    for (size_t i = 0; text != NULL && i < name.size; i++) {
        char c = name.data[i];
        if (c >= 'A' && c <= 'Z')
            c = (char)(c + ('a' - 'A'));
        else if (c == '-' || c == ' ')
            c = '_';
        if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_'))
            return STR_NONE;
        text[i] = c;
    }
    return text != NULL ? str_from_bytes(text, name.size) : STR_NONE;
}

str draft_channel(struct door *door, str name)
{
    return draft_channel_name(&door->worker->desk, name);
}

/* ---- finishing ---- */

err draft_finish(struct door *door, struct problem *problem)
{
    struct collect_worker *worker = door->worker;
    struct event *event = &worker->event;
    if (worker->text.failed)
        return problem_set(problem, ERR_TOO_LARGE, "the event is larger than %d bytes",
                           EVENT_BYTES_MAX);
    identifiers_sort(event->identifiers, &event->identifier_count);
    buffer_clear(&worker->encoded);
    err error = event_encode(&worker->encoded, event, problem);
    if (error != ERR_OK)
        return error;
    log_record_write(door->records, LOG_RECORD_EVENT, buffer_str(&worker->encoded));
    door->count++;
    return ERR_OK;
}

/* ---- telling ---- */

static void tell_live(struct door *door, json_value item, err error, const struct problem *problem)
{
    struct collect_worker *worker = door->worker;
    struct live_entry entry = {
        .at_ms = door->request->received_ms,
        .source_number = door->source != NULL ? door->source->number : 0,
        .door = str_from_c(door->name),
    };
    if (error == ERR_OK) {
        memcpy(entry.message_key, worker->event.message_key, sizeof entry.message_key);
        entry.event_type = worker->event.type;
    } else {
        entry.refused = str_from_c(problem->detail);
    }
    /* The texts of a taken event are in the log by now; those of `type` are not in this buffer. */
    buffer_clear(&worker->text);
    if (draft_write_value(door, &worker->text, item, true) == ERR_OK)
        entry.raw = buffer_str(&worker->text);
    live_add(&entry);
}

void draft_tell(struct door *door, json_value item, err error, const struct problem *problem)
{
    bool is_unsaid = door->is_unsaid;
    door->is_unsaid = false;
    if (error != ERR_OK && door->refused++ == 0)
        door->first = *problem;
    if (is_unsaid)
        return;
    if (live_wants(door->request->received_ms, error != ERR_OK))
        tell_live(door, item, error, problem);
}
