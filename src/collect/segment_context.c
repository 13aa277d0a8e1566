/* SPDX-License-Identifier: Apache-2.0 */
/* By which channel a call came, and what is kept of its context. */
#include "collect/segment_inside.h"

/* ---- channel ---- */

static bool has(str text, str part)
{
    return str_contains(text, part);
}

static str channel_of_library(str library)
{
    if (str_equal(library, STR("analytics.js")) || has(library, STR("JavaScript")))
        return STR("web");
    if (has(library, STR("mini")))
        return STR("mini_program");
    if (has(library, STR("ios")) || has(library, STR("android")) || has(library, STR("swift")) ||
        has(library, STR("kotlin")) || has(library, STR("react-native")) ||
        has(library, STR("flutter")))
        return STR("app");
    if (has(library, STR("analytics-")))
        return STR("server");
    return STR_NONE;
}

static str channel_of_rudder(str channel)
{
    if (str_equal(channel, STR("mobile")))
        return STR("app");
    return channel;
}

str segment_channel(struct segment_draft *draft)
{
    const struct segment_item *item = &draft->item;
    str channel = draft_channel(draft->door, json_text(item->context.channel));
    if (channel.size == 0)
        channel = draft_channel(draft->door, draft->door->source->channel);
    if (channel.size == 0)
        channel = channel_of_library(json_text(json_get(item->context.library, STR("name"))));
    if (channel.size == 0)
        channel = draft_channel(draft->door, channel_of_rudder(json_text(item->channel)));
    if (channel.size == 0)
        channel = draft->trusted ? STR("server") : STR("web");
    return channel;
}

/* ---- context ---- */

struct context_writer {
    struct door *door;
    struct buffer *out;
    bool first;
    err error;
};

/* `name` as it stands in JSON: quoted, with its colon. */
static void write_name(struct context_writer *writer, str name)
{
    buffer_append_byte(writer->out, writer->first ? '{' : ',');
    writer->first = false;
    buffer_append_str(writer->out, name);
}

static void write_part(struct context_writer *writer, str name, json_value value)
{
    enum json_kind kind = json_kind(value);
    if (kind == JSON_MISSING || kind == JSON_NULL ||
        (json_count(value) == 0 && kind == JSON_OBJECT))
        return;
    write_name(writer, name);
    if (kind == JSON_ARRAY || kind == JSON_OBJECT || kind == JSON_TEXT) {
        err error = draft_write_value(writer->door, writer->out, value, false);
        if (error == ERR_NOMEM)
            writer->error = error;
    } else {
        json_write_value(writer->out, value);
    }
}

/* The device without what names its owner ("Li's iPhone") or reaches it (push token). */
static void write_device(struct context_writer *writer, json_value device)
{
    static const str kept[] = { LITERAL("id"), LITERAL("type"), LITERAL("manufacturer"),
                                LITERAL("model"), LITERAL("brand") };
    bool first = true;
    if (json_kind(device) != JSON_OBJECT || json_count(device) == 0)
        return;
    write_name(writer, STR("\"device\":"));
    buffer_append_byte(writer->out, '{');
    for (size_t i = 0; i < sizeof kept / sizeof kept[0]; i++) {
        json_value value = json_get(device, kept[i]);
        enum json_kind kind = json_kind(value);
        if (kind != JSON_TEXT && kind != JSON_INT)
            continue;
        if (!first)
            buffer_append_byte(writer->out, ',');
        first = false;
        json_write_text(writer->out, kept[i]);
        buffer_append_byte(writer->out, ':');
        json_write_value(writer->out, value);
    }
    buffer_append_byte(writer->out, '}');
}

/* What the client says, or the socket's for a page or an app; "0.0.0.0" asks not to be recorded. */
static void write_ip(struct context_writer *writer, json_value ip, bool from_client)
{
    str text = json_text(ip);
    if (text.size == 0 && from_client)
        text = writer->door->request->client_ip;
    if (text.size == 0 || text.size > 45 || str_equal(text, STR("0.0.0.0")))
        return;
    write_name(writer, STR("\"ip\":"));
    json_write_text(writer->out, text);
}

static void write_user_agent(struct context_writer *writer, json_value agent, bool from_client)
{
    str text = json_text(agent);
    if (text.size == 0 && from_client)
        text = writer->door->request->user_agent;
    if (text.size == 0)
        return;
    write_name(writer, STR("\"userAgent\":"));
    json_write_text(writer->out, str_slice(text, 0, str_utf8_prefix_bytes(text, 512)));
}

err segment_draft_context(struct segment_draft *draft)
{
    struct collect_worker *worker = draft->door->worker;
    const struct segment_context *context = &draft->item.context;
    struct context_writer writer = { .door = draft->door, .out = &worker->text, .first = true };
    size_t begin = worker->text.size;
    bool from_client = !draft->trusted && !draft->door->is_unsaid;
    write_part(&writer, STR("\"page\":"), context->page);
    write_part(&writer, STR("\"campaign\":"), context->campaign);
    write_part(&writer, STR("\"referrer\":"), context->referrer);
    write_part(&writer, STR("\"library\":"), context->library);
    write_device(&writer, context->device);
    write_part(&writer, STR("\"os\":"), context->os);
    write_part(&writer, STR("\"app\":"), context->app);
    write_part(&writer, STR("\"screen\":"), context->screen);
    write_part(&writer, STR("\"network\":"), context->network);
    write_part(&writer, STR("\"locale\":"), context->locale);
    write_part(&writer, STR("\"timezone\":"), context->timezone);
    write_user_agent(&writer, context->user_agent, from_client);
    write_ip(&writer, context->ip, from_client);
    write_part(&writer, STR("\"sessionId\":"), context->session_id);
    if ((worker->event.flags & EVENT_HISTORICAL) != 0) {
        write_name(&writer, STR("\"historical\":"));
        buffer_append_str(writer.out, STR("true"));
    }
    if (writer.error != ERR_OK)
        return problem_set(draft->problem, writer.error, "no memory for the context");
    if (!writer.first) {
        buffer_append_byte(writer.out, '}');
        worker->event.context = str_slice(buffer_str(&worker->text), begin, worker->text.size);
    }
    return ERR_OK;
}
