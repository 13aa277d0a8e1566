/* SPDX-License-Identifier: Apache-2.0 */
/* sink_setting: what may be said of a sink; how a setting is read and shown. */
#include <string.h>

#include "base/clock.h"
#include "engine/setting.h"
#include "feed/outside.h"

#define ARENA_BYTES ((size_t)1 << 20)
#define NAME_BYTES_MAX 100

/* ---- reading ---- */

static err take_topics(json_value json, struct arena *arena, struct sink_setting *setting,
                       struct problem *problem)
{
    json_value topics = json_get(json, STR("topics")), topic;
    struct json_iterator iterator = json_iterate(topics);
    const char *cure = "as in {\"segments\": \"kith.segments\", \"events\": \"kith.events\"}";
    str name;
    if (!json_is_object(topics) || json_count(topics) == 0)
        return setting_refuse(problem, "topics", "topics says where each kind of news goes",
                              json_text(topics), cure);
    while (json_next(&iterator, &name, &topic)) {
        int kind = 0;
        while (kind < NEWS_KIND_COUNT &&
               !str_equal(name, str_from_c(news_kind_text((enum news_kind)kind))))
            kind++;
        if (kind == NEWS_KIND_COUNT)
            return setting_refuse(problem, "topics",
                                  "news are segments, tags, touches, events, customers", name,
                                  cure);
        if (!is_topic(json_text(topic)))
            return setting_refuse(problem, "topics",
                                  "a topic has 1 to 127 letters, digits and . _ -",
                                  json_text(topic), cure);
        err error = arena_dup(arena, json_text(topic), &setting->topics[kind]);
        if (error != ERR_OK)
            return error;
    }
    return ERR_OK;
}

static err take_names(json_value json, const char *member, struct arena *arena,
                      struct sink_names *names, struct problem *problem)
{
    json_value list = json_get(json, str_from_c(member)), item;
    struct json_iterator iterator = json_iterate(list);
    if (json_kind(list) == JSON_MISSING || json_kind(list) == JSON_NULL)
        return ERR_OK;
    if (json_kind(list) != JSON_ARRAY || json_count(list) > SINK_NAMES_MAX)
        return setting_refuse(problem, member, "it is a list of at most 100 names", json_text(list),
                              "leave it out for all");
    names->items = arena_array(arena, str, json_count(list) + 1);
    if (names->items == NULL)
        return problem_set(problem, ERR_NOMEM, "no memory for a sink");
    while (json_next(&iterator, NULL, &item)) {
        str name = json_text(item);
        if (name.size == 0 || name.size > NAME_BYTES_MAX)
            return setting_refuse(problem, member, "a name has 1 to 100 bytes", name,
                                  "leave it out for all");
        err error = arena_dup(arena, name, &names->items[names->count]);
        if (error != ERR_OK)
            return error;
        names->count++;
    }
    return ERR_OK;
}

static err take_personal(json_value json, struct sink_setting *setting, struct problem *problem)
{
    str personal = json_text(json_get(json, STR("personal")));
    setting->is_clear = str_equal(personal, STR("clear"));
    if (personal.size == 0 || setting->is_clear || str_equal(personal, STR("none")))
        return ERR_OK;
    return setting_refuse(problem, "personal", "personal is none or clear", personal,
                          "none leaves out what names a person; clear takes customer.reveal");
}

static err take_hold(json_value json, struct arena *arena, struct sink_setting *setting,
                     struct problem *problem)
{
    str hold = json_text(json_get(json, STR("hold")));
    int64_t hold_ms = 0;
    hold = hold.size > 0 ? hold : STR("7d");
    if (!duration_parse(hold, &hold_ms) || hold_ms < NEWS_HOLD_MS_MIN || hold_ms > NEWS_HOLD_MS_MAX)
        return setting_refuse(problem, "hold", "hold is a time from 1h to 90d", hold,
                              "how long news wait for brokers that are away; left out: 7d");
    return arena_dup(arena, hold, &setting->hold);
}

static err read_setting(const struct keys *keys, json_value json, struct arena *arena,
                        struct sink_setting *setting, struct problem *problem)
{
    err error = kafka_read(keys, json, arena, &setting->cluster, problem);
    if (error == ERR_OK)
        error = take_topics(json, arena, setting, problem);
    if (error == ERR_OK)
        error = take_names(json, "segments", arena, &setting->segments, problem);
    if (error == ERR_OK)
        error = take_names(json, "tags", arena, &setting->tags, problem);
    if (error == ERR_OK)
        error = take_names(json, "event_types", arena, &setting->event_types, problem);
    if (error == ERR_OK)
        error = take_personal(json, setting, problem);
    if (error == ERR_OK)
        error = take_hold(json, arena, setting, problem);
    setting->paused = json_bool(json_get(json, STR("paused")), false);
    return error;
}

err sink_setting_load(struct sinks *sinks, str key, struct arena *arena,
                      struct sink_setting *setting, struct problem *problem)
{
    struct json_parser *parser = NULL;
    json_value json;
    *setting = (struct sink_setting){ .key = key };
    err error = json_parser_new(&parser, RUNNER_SETTING_BYTES_MAX);
    if (error == ERR_OK)
        error = setting_find(sinks->config.engine, SINK_SETTING, key, "sink", arena, parser, &json,
                             problem);
    if (error == ERR_OK)
        error = read_setting(engine_keys(sinks->config.engine), json, arena, setting, problem);
    json_parser_free(&parser);
    return error;
}

bool sink_names_hold(const struct sink_names *names, str name)
{
    for (size_t i = 0; i < names->count; i++)
        if (str_equal(names->items[i], name))
            return true;
    return names->count == 0;
}

/* ---- saying ---- */

static void write_names(const struct sink_names *names, const char *member,
                        struct json_writer *writer)
{
    json_put_key(writer, str_from_c(member));
    json_begin_array(writer);
    for (size_t i = 0; i < names->count; i++)
        json_put_text(writer, names->items[i]);
    json_end_array(writer);
}

static void write_members(const struct sink_setting *setting, struct json_writer *writer)
{
    json_put_key(writer, STR("topics"));
    json_begin_object(writer);
    for (int kind = 0; kind < NEWS_KIND_COUNT; kind++)
        if (setting->topics[kind].size > 0)
            json_member_text(writer, str_from_c(news_kind_text((enum news_kind)kind)),
                             setting->topics[kind]);
    json_end_object(writer);
    write_names(&setting->segments, "segments", writer);
    write_names(&setting->tags, "tags", writer);
    write_names(&setting->event_types, "event_types", writer);
    json_member_text(writer, STR("personal"), setting->is_clear ? STR("clear") : STR("none"));
    json_member_text(writer, STR("hold"), setting->hold);
    json_member_bool(writer, STR("paused"), setting->paused);
}

void sink_setting_write(const struct sink_setting *setting, struct json_writer *writer)
{
    kafka_write(&setting->cluster, writer);
    write_members(setting, writer);
}

static err write_put(struct sinks *sinks, const struct sink_setting *setting, struct arena *arena,
                     struct buffer *body)
{
    struct json_writer writer;
    setting_put_begin(&writer, body, SINK_SETTING, setting->key);
    err error =
        kafka_write_sealed(&setting->cluster, engine_keys(sinks->config.engine), arena, &writer);
    write_members(setting, &writer);
    return error == ERR_OK ? setting_put_end(&writer, body) : error;
}

err sinks_prepare(struct sinks *sinks, str key, json_value request, struct buffer *body,
                  struct problem *problem)
{
    struct arena arena;
    struct problem unused;
    struct sink_setting before, setting = { .key = key };
    arena_init(&arena, "sink_setting", ARENA_BYTES);
    err error = read_setting(NULL, request, &arena, &setting, problem);
    if (error == ERR_OK && !is_setting_key(key))
        error = setting_refuse(problem, "key", "the key of a sink has 1 to 64 of a-z 0-9 _ -", key,
                               "choose another one");
    if (error == ERR_OK && sink_setting_load(sinks, key, &arena, &before, &unused) == ERR_OK)
        kafka_keep(&before.cluster, &setting.cluster);
    if (error == ERR_OK)
        error = kafka_check(&setting.cluster, problem);
    if (error == ERR_OK)
        error = write_put(sinks, &setting, &arena, body);
    arena_deinit(&arena);
    return error;
}

err sinks_forget(struct sinks *sinks, str key, struct buffer *body, struct problem *problem)
{
    struct arena arena;
    struct sink_setting setting;
    arena_init(&arena, "sink_setting", ARENA_BYTES);
    err error = sink_setting_load(sinks, key, &arena, &setting, problem);
    if (error == ERR_CORRUPT) /* sealed by keys that are gone: it can be forgotten all the same */
        error = ERR_OK;
    arena_deinit(&arena);
    return error == ERR_OK ? setting_write_forget(body, SINK_SETTING, key) : error;
}
