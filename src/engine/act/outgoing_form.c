/* SPDX-License-Identifier: Apache-2.0 */
/* What stands in the outbox, written and read; see outgoing_form.h. */
#include "engine/act/outgoing_form.h"

#include <string.h>

void outgoing_write_message(const struct channel_message *message, struct buffer *out)
{
    struct json_writer writer;
    json_writer_init(&writer, out);
    json_begin_object(&writer);
    json_member_text(&writer, STR("key"), str_from_c(message->key));
    json_member_text(&writer, STR("form"), message->form);
    json_member_text(&writer, STR("recipient"), message->recipient);
    json_member_text(&writer, STR("content"), message->content);
    json_member_int(&writer, STR("expires_ms"), message->expires_ms);
    json_member_bool(&writer, STR("repeat"), message->is_repeat);
    json_member_bool(&writer, STR("decided"), message->is_decided);
    json_member_int(&writer, STR("order"), (int64_t)message->order);
    json_member_int(&writer, STR("tries"), message->tries);
    json_end_object(&writer);
}

void outgoing_read_message(json_value json, struct channel_message *message)
{
    *message = (struct channel_message){
        .form = json_text(json_get(json, STR("form"))),
        .recipient = json_text(json_get(json, STR("recipient"))),
        .content = json_text(json_get(json, STR("content"))),
        .expires_ms = json_int(json_get(json, STR("expires_ms")), 0),
        .is_repeat = json_bool(json_get(json, STR("repeat")), false),
        .is_decided = json_bool(json_get(json, STR("decided")), false),
        .order = (uint64_t)json_int(json_get(json, STR("order")), 0),
        .tries = (uint32_t)json_int(json_get(json, STR("tries")), 0),
    };
    str key = json_text(json_get(json, STR("key")));
    memcpy(message->key, key.data, key.size < 32 ? key.size : 32);
}

void outgoing_write_card(enum channel_kind kind, json_value settings, const char *zone,
                         struct buffer *out)
{
    struct json_writer writer;
    json_writer_init(&writer, out);
    json_begin_object(&writer);
    json_member_text(&writer, STR("kind"), str_from_c(channel_kind_info(kind)->text));
    json_member_text(&writer, STR("zone"), str_from_c(zone));
    json_member_raw(&writer, STR("settings"), STR_NONE);
    json_write_value(out, settings);
    json_end_object(&writer);
}

/* The texts of a result, as the log has them too. */
#define RESULT_TEXTS(X) X(provider_id) X(code) X(reason) X(detail) X(response)

void outgoing_write_result(const struct channel_result *result, bool is_repeat, int64_t at_ms,
                           struct buffer *out)
{
    struct json_writer writer;
    enum channel_outcome outcome = result->outcome;
    if (outcome == CHANNEL_UNCERTAIN && str_equal(result->reason, STR("stopped"))) {
        outcome = CHANNEL_LATER;
        is_repeat = true;
    }
    json_writer_init(&writer, out);
    json_begin_object(&writer);
    json_member_int(&writer, STR("outcome"), (int64_t)outcome);
    json_member_bool(&writer, STR("repeat"), is_repeat && outcome == CHANNEL_LATER);
    json_member_int(&writer, STR("retry_ms"), result->retry_ms);
    json_member_int(&writer, STR("at_ms"), at_ms);
#define X(name)                \
    if (result->name.size > 0) \
        json_member_text(&writer, STR(#name), result->name);
    RESULT_TEXTS(X)
#undef X
    json_end_object(&writer);
}

bool outgoing_read_result(json_value json, struct arena *arena, struct act_result *result)
{
    int64_t outcome = json_int(json_get(json, STR("outcome")), -1);
    if (outcome < CHANNEL_SENT || outcome > CHANNEL_UNCERTAIN)
        return false;
    *result = (struct act_result){ .outcome = (enum channel_outcome)outcome,
                                   .is_repeat = json_bool(json_get(json, STR("repeat")), false),
                                   .retry_ms = json_int(json_get(json, STR("retry_ms")), 0),
                                   .at_ms = json_int(json_get(json, STR("at_ms")), 0) };
    bool is_whole = true;
#define X(name)            \
    is_whole = is_whole && \
               arena_dup(arena, json_text(json_get(json, STR(#name))), &result->name) == ERR_OK;
    RESULT_TEXTS(X)
#undef X
    return is_whole;
}
