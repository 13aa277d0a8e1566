/* SPDX-License-Identifier: Apache-2.0 */
/* message: what an entry of the news looks like outside (docs/connectors/kafka.md). */
#include <stdio.h>
#include <string.h>

#include "feed/outside.h"

#define TEXT_BYTES_MAX ((size_t)1 << 20)

static const char *const type_names[] = {
    [NEWS_SEGMENT] = "segment", [NEWS_TAG] = "tag",           [NEWS_TOUCH] = "touch",
    [NEWS_EVENT] = "event",     [NEWS_CUSTOMER] = "customer",
};

/* ---- what is sealed ---- */

static void write_sealed(const struct sink_pen *pen, str sealed, struct buffer *out)
{
    str plain;
    if (pen->is_clear && keys_unseal(pen->keys, pen->arena, sealed, &plain, NULL) == ERR_OK)
        json_write_text(out, plain);
    else
        buffer_append_str(out, STR("null"));
}

static bool replace_sealed(void *context, str name, json_value value, struct buffer *out)
{
    (void)name;
    str sealed = json_text(json_get(value, STR("$sealed")));
    if (json_kind(value) != JSON_OBJECT || json_count(value) != 1 || sealed.size == 0)
        return false;
    write_sealed(context, sealed, out);
    return true;
}

/* JSON as it is kept; what is sealed in it is null, or in clear. */
static void put_json(const struct sink_pen *pen, str json, struct json_writer *writer)
{
    struct buffer text;
    json_value value;
    if (!str_contains(json, STR("\"$sealed\""))) {
        json_put_raw(writer, json);
        return;
    }
    struct sink_pen at = *pen;
    buffer_init(&text, TEXT_BYTES_MAX);
    if (json_parse(pen->parser, json, &value, NULL) == ERR_OK)
        json_write_replacing(&text, STR_NONE, value, replace_sealed, &at);
    if (text.size == 0 || buffer_status(&text) != ERR_OK)
        json_put_null(writer);
    else
        json_put_raw(writer, buffer_str(&text));
    buffer_deinit(&text);
}

/* ---- an event in the normal form ---- */

static void write_identifiers(const struct sink_pen *pen, const struct event *event,
                              struct json_writer *writer)
{
    json_put_key(writer, STR("identifiers"));
    json_begin_array(writer);
    for (uint32_t i = 0; i < event->identifier_count; i++) {
        const struct event_identifier *identifier = &event->identifiers[i];
        const uint8_t personal = IDENTIFIER_SEALED | IDENTIFIER_HASHED;
        str value = identifier->value;
        if ((identifier->flags & IDENTIFIER_BLOCKED) != 0 ||
            ((identifier->flags & personal) != 0 && !pen->is_clear))
            continue;
        if (seal_is_sealed(value) &&
            keys_unseal(pen->keys, pen->arena, identifier->value, &value, NULL) != ERR_OK)
            continue;
        json_begin_object(writer);
        json_member_text(writer, STR("type"), identifier->type);
        json_member_text(writer, STR("namespace"), identifier->namespace_);
        json_member_text(writer, STR("value"), value);
        json_member_bool(writer, STR("verified"), (identifier->flags & IDENTIFIER_VERIFIED) != 0);
        json_end_object(writer);
    }
    json_end_array(writer);
}

static void write_traits(const struct sink_pen *pen, const struct event *event,
                         struct json_writer *writer)
{
    static const char *const operations[] = {
        [TRAIT_SET] = "set",       [TRAIT_SET_ONCE] = "set_once", [TRAIT_INCREMENT] = "increment",
        [TRAIT_APPEND] = "append", [TRAIT_UNSET] = "unset",
    };
    json_put_key(writer, STR("traits"));
    json_begin_array(writer);
    for (uint32_t i = 0; i < event->trait_count; i++) {
        const struct event_trait *trait = &event->traits[i];
        json_begin_object(writer);
        json_member_text(writer, STR("name"), trait->name);
        json_member_text(writer, STR("operation"), str_from_c(operations[trait->operation]));
        json_put_key(writer, STR("value"));
        if (trait->value.size > 0)
            put_json(pen, trait->value, writer);
        else
            json_put_null(writer);
        json_end_object(writer);
    }
    json_end_array(writer);
}

static void write_event(const struct sink_pen *pen, const struct event *event,
                        struct json_writer *writer)
{
    const struct source *source = source_by_number(pen->sources, event->source_number);
    json_member_text(writer, STR("event"), event->type);
    json_member_text(writer, STR("kind"), str_from_c(event_kind_name(event->kind)));
    json_member_time(writer, STR("time"), event->time_ms);
    json_member_text(writer, STR("source"), source != NULL ? source->key : STR_NONE);
    json_member_text(writer, STR("channel"), event->channel);
    json_member_bool(writer, STR("trusted"), (event->flags & EVENT_TRUSTED) != 0);
    json_member_bool(writer, STR("historical"), (event->flags & EVENT_HISTORICAL) != 0);
    write_identifiers(pen, event, writer);
    if (event->trait_count > 0)
        write_traits(pen, event, writer);
    if (event->object_kind.size > 0) {
        json_member_text(writer, STR("object_kind"), event->object_kind);
        json_member_text(writer, STR("object_id"), event->object_id);
    }
    json_put_key(writer, STR("properties"));
    put_json(pen, event->props.size > 0 ? event->props : STR("{}"), writer);
    json_put_key(writer, STR("context"));
    put_json(pen, event->context.size > 0 ? event->context : STR("{}"), writer);
}

/* ---- the others ---- */

static void write_move(const struct news_entry *entry, struct json_writer *writer)
{
    if (entry->kind == NEWS_SEGMENT) {
        json_member_text(writer, STR("segment"), entry->key);
        json_member_text(writer, STR("change"), entry->is ? STR("entered") : STR("left"));
    } else {
        json_member_text(writer, STR("tag"), entry->key);
        json_member_text(writer, STR("change"),
                         !entry->is   ? STR("cleared")
                         : entry->was ? STR("changed")
                                      : STR("set"));
        json_put_key(writer, STR("value"));
        if (entry->value.size > 0)
            json_put_raw(writer, entry->value);
        else
            json_put_null(writer);
    }
    json_member_text(writer, STR("cause"), entry->cause);
}

static void write_touch(const struct news_entry *entry, struct json_writer *writer)
{
    json_member_int(writer, STR("touch"), entry->touch);
    json_member_text(writer, STR("status"), entry->status);
    json_member_text(writer, STR("reason"), entry->reason);
    json_member_text(writer, STR("journey"), entry->journey);
    json_member_text(writer, STR("node"), entry->node);
    json_member_text(writer, STR("campaign"), entry->campaign);
    json_member_text(writer, STR("template"), entry->template_);
    json_member_text(writer, STR("channel"), entry->channel);
    json_member_text(writer, STR("account"), entry->account);
    json_member_text(writer, STR("purpose"), entry->purpose);
}

static void write_customer(const struct sink_pen *pen, const struct news_entry *entry,
                           struct json_writer *writer)
{
    char one_id[ONE_ID_BYTES + 1];
    json_member_text(writer, STR("change"), entry->key);
    if (entry->other == 0)
        return;
    keys_one_id(pen->keys, entry->other, one_id);
    json_member_text(writer, STR("other"), str_from_c(one_id));
}

err sink_message_write(const struct sink_pen *pen, const struct news_entry *entry,
                       const struct event *event, struct buffer *out)
{
    struct json_writer writer;
    char one_id[ONE_ID_BYTES + 1], id[64];
    keys_one_id(pen->keys, entry->customer, one_id);
    snprintf(id, sizeof id, "%llu-%llx", (unsigned long long)entry->number,
             (unsigned long long)entry->at_ms);
    json_writer_init(&writer, out);
    json_begin_object(&writer);
    json_member_text(&writer, STR("id"), str_from_c(id));
    json_member_int(&writer, STR("sequence"), (int64_t)entry->number);
    json_member_text(&writer, STR("type"), str_from_c(type_names[entry->kind]));
    json_member_time(&writer, STR("at"), entry->at_ms);
    json_member_text(&writer, STR("one_id"), str_from_c(one_id));
    if (entry->kind == NEWS_SEGMENT || entry->kind == NEWS_TAG)
        write_move(entry, &writer);
    else if (entry->kind == NEWS_TOUCH)
        write_touch(entry, &writer);
    else if (entry->kind == NEWS_CUSTOMER)
        write_customer(pen, entry, &writer);
    else
        write_event(pen, event, &writer);
    json_end_object(&writer);
    return buffer_status(out);
}
