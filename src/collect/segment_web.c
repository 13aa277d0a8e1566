/* SPDX-License-Identifier: Apache-2.0 */
/* What browsers want of Segment's door beside calls: the pixel, and settings. */
#include "collect/segment_inside.h"

/* ---- the pixel: the members of a call as fields of the query ---- */

/* "properties.x=1" is a member of the object `properties`; `prefix` with its dot. */
static void write_dotted(struct door *door, struct json_writer *writer, str prefix)
{
    str form = door->request->query, name, value;
    while (form_next(door->worker, &form, &name, &value))
        if (name.size > prefix.size && str_starts_with(name, prefix))
            json_member_text(writer, str_slice(name, prefix.size, name.size), value);
}

static void write_pixel_body(struct door *door, struct buffer *out)
{
    static const str texts[] = { LITERAL("userId"),    LITERAL("anonymousId"),
                                 LITERAL("event"),     LITERAL("messageId"),
                                 LITERAL("timestamp"), LITERAL("originalTimestamp"),
                                 LITERAL("sentAt"),    LITERAL("name"),
                                 LITERAL("category"),  LITERAL("channel"),
                                 LITERAL("writeKey") };
    struct json_writer writer;
    struct collect_worker *worker = door->worker;
    str value;
    json_writer_init(&writer, out);
    json_begin_object(&writer);
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        if (form_value(worker, door->request->query, texts[i], &value) && str_is_utf8(value))
            json_member_text(&writer, texts[i], value);
    json_put_key(&writer, STR("properties"));
    if (form_value(worker, door->request->query, STR("properties"), &value) &&
        str_starts_with(str_trim(value), STR("{"))) {
        json_put_raw(&writer, value); /* checked when the whole is parsed */
    } else {
        json_begin_object(&writer);
        write_dotted(door, &writer, STR("properties."));
        json_end_object(&writer);
    }
    json_end_object(&writer);
}

void segment_pixel(struct door *door, bool page)
{
    struct problem problem = { .error = ERR_OK };
    struct segment_batch batch = { .call = page ? CALL_PAGE : CALL_TRACK };
    struct buffer *body = &door->worker->unpacked;
    buffer_clear(body);
    write_pixel_body(door, body);
    err error = buffer_status(body);
    if (error != ERR_OK)
        problem_set(&problem, error, "the query is too long");
    else
        error = segment_run(door, &batch, buffer_str(body), true, &problem);
    if (error != ERR_OK)
        segment_refuse(door, error, &problem);
    else if (door->count == 0 && door->refused > 0)
        answer_problem(door, &door->first);
    else
        answer_text(door, 200, "image/gif", answer_gif);
}

/* ---- settings that browser SDKs load first ---- */

static const struct source *source_for_settings(struct door *door, str write_key)
{
    struct problem problem = { .error = ERR_OK };
    if (segment_find_source(door, write_key, &problem) == ERR_OK)
        return door->source;
    problem_set(&problem, ERR_NOT_FOUND, "no source has this write key");
    answer_problem(door, &problem);
    return NULL;
}

static void answer_settings(struct door *door)
{
    answer_text(door, 200, "application/json", buffer_str(&door->worker->answer));
    door->answer->cacheable = true;
}

void segment_settings(struct door *door, str write_key)
{
    struct buffer *out = &door->worker->answer;
    str decoded = write_key, host;
    str form = write_key, value;
    if (form_next(door->worker, &form, &decoded, &value) &&
        source_for_settings(door, decoded) == NULL)
        return;
    if (door->source == NULL || arena_printf(&door->worker->arena, &host, STR_FMT "/v1",
                                             STR_ARG(door->request->host)) != ERR_OK) {
        answer_text(door, 503, "text/plain", STR("no memory"));
        return;
    }
    buffer_clear(out);
    buffer_append_str(out, STR("{\"integrations\":{\"Segment.io\":{\"apiKey\":"));
    json_write_text(out, decoded);
    buffer_append_str(out, STR(",\"apiHost\":"));
    json_write_text(out, host);
    buffer_append_str(
        out,
        STR(",\"addBundledMetadata\":true,\"unbundledIntegrations\":[],\"maybeBundledConfigIds\":{},"
            "\"versionSettings\":{\"version\":\"4.4.7\",\"componentTypes\":[\"browser\"]}}},"
            "\"plan\":{\"track\":{\"__default\":{\"enabled\":true,\"integrations\":{}}},"
            "\"identify\":{\"__default\":{\"enabled\":true}},"
            "\"group\":{\"__default\":{\"enabled\":true}}},\"edgeFunction\":{},"
            "\"middlewareSettings\":{},\"enabledMiddleware\":{},\"metrics\":{\"sampleRate\":0},"
            "\"legacyVideoPluginsEnabled\":false,\"remotePlugins\":[]}"));
    answer_settings(door);
}

void segment_source_config(struct door *door)
{
    struct buffer *out = &door->worker->answer;
    str key;
    if (!form_value(door->worker, door->request->query, STR("writeKey"), &key))
        key = segment_basic_key(door, str_trim(door->request->authorization));
    const struct source *source = source_for_settings(door, key);
    if (source == NULL)
        return;
    buffer_clear(out);
    buffer_append_str(out, STR("{\"source\":{\"id\":"));
    json_write_text(out, source->key);
    buffer_append_str(out, STR(",\"name\":"));
    json_write_text(out, source->name);
    buffer_append_str(out, STR(",\"writeKey\":"));
    json_write_text(out, key);
    buffer_append_str(
        out,
        STR(",\"enabled\":true,\"workspaceId\":\"kith\",\"config\":{\"statsCollection\":{"
            "\"errors\":{\"enabled\":false},\"metrics\":{\"enabled\":false}}},\"destinations\":[],"
            "\"dataplanes\":{}},\"updatedAt\":\"2024-01-01T00:00:00Z\"}"));
    answer_settings(door);
}
