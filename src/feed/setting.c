/* SPDX-License-Identifier: Apache-2.0 */
/* setting: what may be said of a feed is checked, its password sealed; how a setting is read and shown. */
#include <string.h>

#include "base/clock.h"
#include "engine/setting.h"
#include "feed/inside.h"

#define ARENA_BYTES ((size_t)256 << 10)

static const char *const format_names[] = {
    [FEED_SEGMENT] = "segment", [FEED_SENSORS] = "sensors", [FEED_MAPPING] = "mapping"
};
#define COUNT_OF(array) (sizeof(array) / sizeof(array)[0])

/* ---- checking ---- */

static err take_topics(json_value json, struct arena *arena, struct feed_setting *setting,
                       struct problem *problem)
{
    json_value list = json_get(json, STR("topics")), item;
    struct json_iterator iterator = json_iterate(list);
    const char *what = "topics is a list of 1 to 16 names of 1 to 127 letters, digits and . _ -";
    const char *cure = "patterns are not taken: name each topic";
    if (json_kind(list) != JSON_ARRAY || json_count(list) == 0 ||
        json_count(list) > FEED_TOPICS_MAX)
        return setting_refuse(problem, "topics", what, json_text(list), cure);
    while (json_next(&iterator, NULL, &item)) {
        str topic = json_text(item);
        if (!is_topic(topic))
            return setting_refuse(problem, "topics", what, topic, cure);
        for (uint32_t i = 0; i < setting->topic_count; i++)
            if (str_equal(setting->topics[i], topic))
                return setting_refuse(problem, "topics", "each topic is named once", topic,
                                      "leave one out");
        err error = arena_dup(arena, topic, &setting->topics[setting->topic_count]);
        if (error != ERR_OK)
            return error;
        setting->topic_count++;
    }
    return ERR_OK;
}

static bool find_format(str name, enum feed_format *format)
{
    for (size_t i = 0; i < COUNT_OF(format_names); i++) {
        if (str_equal(name, str_from_c(format_names[i]))) {
            *format = (enum feed_format)i;
            return true;
        }
    }
    return false;
}

static err check(struct feeds *feeds, const struct feed_setting *setting, struct problem *problem)
{
    if (!is_setting_key(setting->key))
        return setting_refuse(problem, "key", "the key of a feed has 1 to 64 of a-z 0-9 _ -",
                              setting->key, "choose another one");
    if (!is_made_of(setting->group, "._-", 1, 200))
        return setting_refuse(problem, "group", "the group has 1 to 200 letters, digits and . _ -",
                              setting->group, "leave it out for kith-<key>");
    struct source_set *sources = engine_sources(feeds->config.engine);
    bool is_there = source_by_key(sources, setting->source) != NULL;
    source_set_release(&sources);
    if (!is_there)
        return setting_refuse(problem, "source", "source is the key of a source that is there",
                              setting->source, "make it first: POST /api/v1/sources");
    if (setting->format != FEED_MAPPING)
        return kafka_check(&setting->cluster, problem);
    struct buffer body;
    int64_t version = 0;
    buffer_init(&body, (size_t)1 << 20);
    err error =
        feeds->config.imports != NULL
            ? imports_mapping(feeds->config.imports, setting->mapping, &version, &body, problem)
            : ERR_NOT_FOUND;
    buffer_deinit(&body);
    if (error == ERR_NOT_FOUND)
        return setting_refuse(problem, "mapping", "mapping is the key of a saved mapping",
                              setting->mapping, "save it first: PUT /api/v1/mappings/{key}");
    return error == ERR_OK ? kafka_check(&setting->cluster, problem) : error;
}

/* ---- reading ---- */

err feed_setting_read(const struct keys *keys, json_value json, struct arena *arena,
                      struct feed_setting *setting, struct problem *problem)
{
    const struct {
        const char *name;
        str *out;
    } texts[] = { { "group", &setting->group },
                  { "source", &setting->source },
                  { "mapping", &setting->mapping } };
    str format = json_text(json_get(json, STR("format"))), start;
    err error = kafka_read(keys, json, arena, &setting->cluster, problem);
    if (error == ERR_OK)
        error = take_topics(json, arena, setting, problem);
    for (size_t i = 0; i < COUNT_OF(texts) && error == ERR_OK; i++)
        error =
            arena_dup(arena, json_text(json_get(json, str_from_c(texts[i].name))), texts[i].out);
    if (error == ERR_OK && !find_format(format, &setting->format))
        error = setting_refuse(
            problem, "format", "format is segment, sensors or mapping", format,
            "how the messages are written: Segment's calls, Sensors' records, or JSON for a "
            "saved mapping");
    start = json_text(json_get(json, STR("start")));
    setting->from_newest = str_equal(start, STR("newest"));
    if (error == ERR_OK && !setting->from_newest && start.size > 0 &&
        !str_equal(start, STR("oldest")))
        error = setting_refuse(
            problem, "start", "start is oldest or newest", start,
            "where to begin: with the oldest message that is there, or with the next one");
    setting->historical = json_bool(json_get(json, STR("historical")), false);
    setting->paused = json_bool(json_get(json, STR("paused")), false);
    setting->since_ms = json_int(json_get(json, STR("since_ms")), 0);
    return error;
}

err feed_setting_load(struct feeds *feeds, str key, struct arena *arena,
                      struct feed_setting *setting, struct problem *problem)
{
    struct json_parser *parser = NULL;
    json_value json;
    *setting = (struct feed_setting){ .key = key };
    err error = json_parser_new(&parser, RUNNER_SETTING_BYTES_MAX);
    if (error == ERR_OK)
        error = setting_find(feeds->config.engine, FEED_SETTING, key, "feed", arena, parser, &json,
                             problem);
    if (error == ERR_OK)
        error = feed_setting_read(engine_keys(feeds->config.engine), json, arena, setting, problem);
    json_parser_free(&parser);
    return error;
}

err feed_place_key(const struct feed_setting *setting, struct arena *arena, str *key)
{
    return arena_printf(arena, key, STR_FMT "@%lld", STR_ARG(setting->key),
                        (long long)setting->since_ms);
}

/* ---- saying ---- */

static void write_members(const struct feed_setting *setting, struct json_writer *writer)
{
    json_put_key(writer, STR("topics"));
    json_begin_array(writer);
    for (uint32_t i = 0; i < setting->topic_count; i++)
        json_put_text(writer, setting->topics[i]);
    json_end_array(writer);
    json_member_text(writer, STR("group"), setting->group);
    json_member_text(writer, STR("source"), setting->source);
    json_member_text(writer, STR("format"), str_from_c(format_names[setting->format]));
    json_member_text(writer, STR("mapping"), setting->mapping);
    json_member_text(writer, STR("start"), setting->from_newest ? STR("newest") : STR("oldest"));
    json_member_bool(writer, STR("historical"), setting->historical);
    json_member_bool(writer, STR("paused"), setting->paused);
}

void feed_setting_write(const struct feed_setting *setting, struct json_writer *writer)
{
    kafka_write(&setting->cluster, writer);
    write_members(setting, writer);
}

static err write_put(struct feeds *feeds, const struct feed_setting *setting, struct arena *arena,
                     struct buffer *body)
{
    struct json_writer writer;
    setting_put_begin(&writer, body, FEED_SETTING, setting->key);
    err error =
        kafka_write_sealed(&setting->cluster, engine_keys(feeds->config.engine), arena, &writer);
    write_members(setting, &writer);
    json_member_int(&writer, STR("since_ms"), setting->since_ms);
    return error == ERR_OK ? setting_put_end(&writer, body) : error;
}

/* What stays from before: the password for the same brokers and name, and where it stands unless it begins again. */
static void keep(const struct feed_setting *before, bool restarts, struct feed_setting *setting)
{
    kafka_keep(&before->cluster, &setting->cluster);
    if (!restarts)
        setting->since_ms = before->since_ms;
}

err feeds_prepare(struct feeds *feeds, str key, json_value request, struct buffer *body,
                  struct problem *problem)
{
    struct arena arena;
    struct problem unused;
    struct feed_setting before, setting = { .key = key };
    arena_init(&arena, "feed_setting", ARENA_BYTES);
    err error = feed_setting_read(NULL, request, &arena, &setting, problem);
    setting.since_ms = wall_clock_now_ms(feeds->config.clock);
    if (error == ERR_OK && setting.group.size == 0)
        error = arena_printf(&arena, &setting.group, "kith-" STR_FMT, STR_ARG(key));
    if (error == ERR_OK && is_setting_key(key) &&
        feed_setting_load(feeds, key, &arena, &before, &unused) == ERR_OK)
        keep(&before, json_bool(json_get(request, STR("restart")), false), &setting);
    if (error == ERR_OK)
        error = check(feeds, &setting, problem);
    if (error == ERR_OK)
        error = write_put(feeds, &setting, &arena, body);
    arena_deinit(&arena);
    return error;
}

err feeds_forget(struct feeds *feeds, str key, struct buffer *body, struct problem *problem)
{
    struct arena arena;
    struct feed_setting setting;
    arena_init(&arena, "feed_setting", ARENA_BYTES);
    err error = feed_setting_load(feeds, key, &arena, &setting, problem);
    if (error == ERR_CORRUPT) /* sealed by keys that are gone: it can be forgotten all the same */
        error = ERR_OK;
    arena_deinit(&arena);
    return error == ERR_OK ? setting_write_forget(body, FEED_SETTING, key) : error;
}
