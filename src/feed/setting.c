/* SPDX-License-Identifier: Apache-2.0 */
/* setting: what may be said of a feed is checked, its password sealed; how a setting is read and shown. */
#include <string.h>

#include "base/clock.h"
#include "feed/inside.h"

#define ARENA_BYTES ((size_t)256 << 10)
#define BROKERS_BYTES_MAX 1000
#define BROKERS_MAX 16

static const char *const format_names[] = {
    [FEED_SEGMENT] = "segment", [FEED_SENSORS] = "sensors", [FEED_MAPPING] = "mapping"
};
static const char *const mechanisms[] = { "PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512" };
#define COUNT_OF(array) (sizeof(array) / sizeof(array)[0])

/* ---- checking ---- */

static err refuse(struct problem *problem, const char *member, const char *what, str value,
                  const char *cure)
{
    problem_set(problem, ERR_UNPROCESSABLE, "%s, not '%.*s'", what,
                (int)str_utf8_prefix_bytes(value, 60), value.data);
    problem_hint(problem, ERR_UNPROCESSABLE, "%s", cure);
    return problem_at(problem, ERR_UNPROCESSABLE, "/%s", member);
}

static bool is_made_of(str text, const char *signs, size_t least, size_t most)
{
    if (text.size < least || text.size > most)
        return false;
    for (size_t i = 0; i < text.size; i++) {
        char c = text.data[i];
        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
              (c != '\0' && strchr(signs, c) != NULL)))
            return false;
    }
    return true;
}

static bool is_key(str text)
{
    for (size_t i = 0; i < text.size; i++)
        if (text.data[i] >= 'A' && text.data[i] <= 'Z')
            return false;
    return is_made_of(text, "_-", 1, FEED_KEY_BYTES);
}

/* host:port, or [address]:port; nothing else gets to the client's own syntax. */
static bool is_broker(str text)
{
    size_t colon = text.size;
    while (colon > 0 && text.data[colon - 1] != ':')
        colon--;
    if (colon < 2)
        return false;
    str host = str_slice(text, 0, colon - 1), port = str_slice(text, colon, text.size);
    uint64_t number = 0;
    bool is_number = str_to_uint64(port, &number);
    if (host.size > 2 && host.data[0] == '[' && host.data[host.size - 1] == ']')
        return is_number && number > 0 && number < 65536 &&
               is_made_of(str_slice(host, 1, host.size - 1), ":.", 2, 45);
    return is_number && number > 0 && number < 65536 && is_made_of(host, ".-_", 1, 253);
}

/* A list as one text with commas; false: `*wrong` is what is none. */
static bool join_brokers(json_value list, struct buffer *out, str *wrong)
{
    struct json_iterator iterator = json_iterate(list);
    json_value item;
    *wrong = STR_NONE;
    if (json_kind(list) != JSON_ARRAY || json_count(list) == 0 || json_count(list) > BROKERS_MAX)
        return false;
    while (json_next(&iterator, NULL, &item)) {
        *wrong = json_text(item);
        if (!is_broker(*wrong))
            return false;
        if (out->size > 0)
            buffer_append_byte(out, ',');
        buffer_append_str(out, *wrong);
    }
    return buffer_status(out) == ERR_OK;
}

static err take_brokers(json_value json, struct arena *arena, struct feed_setting *setting,
                        struct problem *problem)
{
    struct buffer joined;
    str wrong;
    buffer_init(&joined, BROKERS_BYTES_MAX);
    err error = ERR_OK;
    if (!join_brokers(json_get(json, STR("brokers")), &joined, &wrong))
        error = refuse(problem, "brokers", "brokers is a list of 1 to 16 of host:port", wrong,
                       "as in [\"kafka-1.example.com:9092\"]");
    else
        error = arena_dup(arena, buffer_str(&joined), &setting->brokers);
    buffer_deinit(&joined);
    return error;
}

static err take_topics(json_value json, struct arena *arena, struct feed_setting *setting,
                       struct problem *problem)
{
    json_value list = json_get(json, STR("topics")), item;
    struct json_iterator iterator = json_iterate(list);
    const char *what = "topics is a list of 1 to 16 names of 1 to 127 letters, digits and . _ -";
    const char *cure = "patterns are not taken: name each topic";
    if (json_kind(list) != JSON_ARRAY || json_count(list) == 0 ||
        json_count(list) > FEED_TOPICS_MAX)
        return refuse(problem, "topics", what, json_text(list), cure);
    while (json_next(&iterator, NULL, &item)) {
        str topic = json_text(item);
        if (!is_made_of(topic, "._-", 1, 127) || str_equal(topic, STR(".")) ||
            str_equal(topic, STR("..")))
            return refuse(problem, "topics", what, topic, cure);
        for (uint32_t i = 0; i < setting->topic_count; i++)
            if (str_equal(setting->topics[i], topic))
                return refuse(problem, "topics", "each topic is named once", topic,
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

static bool is_mechanism(str name)
{
    for (size_t i = 0; i < COUNT_OF(mechanisms); i++)
        if (str_equal(name, str_from_c(mechanisms[i])))
            return true;
    return false;
}

static err check_sign_in(const struct feed_setting *setting, struct problem *problem)
{
    if (setting->mechanism.size == 0 && setting->username.size == 0 && setting->password.size == 0)
        return ERR_OK;
    if (!is_mechanism(setting->mechanism))
        return refuse(problem, "mechanism",
                      "who signs in does so by PLAIN, SCRAM-SHA-256 or SCRAM-SHA-512",
                      setting->mechanism, "the broker's listener says which");
    if (setting->username.size == 0 || setting->username.size > 200)
        return refuse(problem, "username", "the name to sign in with has 1 to 200 bytes",
                      setting->username, "give the one that may read the topics");
    if (setting->password.size == 0 || setting->password.size > 500)
        return refuse(problem, "password", "the password has 1 to 500 bytes", STR_NONE,
                      "give it again where brokers or name have changed: it goes nowhere else");
    if (str_equal(setting->mechanism, STR("PLAIN")) && !setting->tls)
        return refuse(problem, "mechanism", "a password goes over TLS or by SCRAM",
                      setting->mechanism, "set tls, or use SCRAM-SHA-256");
    return ERR_OK;
}

static err check(struct feeds *feeds, const struct feed_setting *setting, struct problem *problem)
{
    if (!is_key(setting->key))
        return refuse(problem, "key", "the key of a feed has 1 to 64 of a-z 0-9 _ -", setting->key,
                      "choose another one");
    if (!is_made_of(setting->group, "._-", 1, 200))
        return refuse(problem, "group", "the group has 1 to 200 letters, digits and . _ -",
                      setting->group, "leave it out for kith-<key>");
    struct source_set *sources = engine_sources(feeds->config.engine);
    bool is_there = source_by_key(sources, setting->source) != NULL;
    source_set_release(&sources);
    if (!is_there)
        return refuse(problem, "source", "source is the key of a source that is there",
                      setting->source, "make it first: POST /api/v1/sources");
    if (setting->format != FEED_MAPPING)
        return check_sign_in(setting, problem);
    struct buffer body;
    int64_t version = 0;
    buffer_init(&body, (size_t)1 << 20);
    err error =
        feeds->config.imports != NULL
            ? imports_mapping(feeds->config.imports, setting->mapping, &version, &body, problem)
            : ERR_NOT_FOUND;
    buffer_deinit(&body);
    if (error == ERR_NOT_FOUND)
        return refuse(problem, "mapping", "mapping is the key of a saved mapping", setting->mapping,
                      "save it first: PUT /api/v1/mappings/{key}");
    return error == ERR_OK ? check_sign_in(setting, problem) : error;
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
                  { "mapping", &setting->mapping },
                  { "mechanism", &setting->mechanism },
                  { "username", &setting->username } };
    str format = json_text(json_get(json, STR("format"))), start;
    err error = take_brokers(json, arena, setting, problem);
    if (error == ERR_OK)
        error = take_topics(json, arena, setting, problem);
    for (size_t i = 0; i < COUNT_OF(texts) && error == ERR_OK; i++)
        error =
            arena_dup(arena, json_text(json_get(json, str_from_c(texts[i].name))), texts[i].out);
    if (error == ERR_OK && !find_format(format, &setting->format))
        error =
            refuse(problem, "format", "format is segment, sensors or mapping", format,
                   "how the messages are written: Segment's calls, Sensors' records, or JSON for a "
                   "saved mapping");
    start = json_text(json_get(json, STR("start")));
    setting->from_newest = str_equal(start, STR("newest"));
    if (error == ERR_OK && !setting->from_newest && start.size > 0 &&
        !str_equal(start, STR("oldest")))
        error =
            refuse(problem, "start", "start is oldest or newest", start,
                   "where to begin: with the oldest message that is there, or with the next one");
    setting->historical = json_bool(json_get(json, STR("historical")), false);
    setting->paused = json_bool(json_get(json, STR("paused")), false);
    setting->tls = json_bool(json_get(json, STR("tls")), false);
    setting->since_ms = json_int(json_get(json, STR("since_ms")), 0);
    str password = json_text(json_get(json, STR("password")));
    if (error == ERR_OK && password.size > 0)
        error = keys != NULL ? keys_unseal(keys, arena, password, &setting->password, problem)
                             : arena_dup(arena, password, &setting->password);
    return error;
}

struct finding {
    struct arena *arena;
    str value;
    err error;
};

static bool take_setting(void *context, const struct ledger_value *values)
{
    struct finding *finding = context;
    finding->error = arena_dup(finding->arena, values[1].bytes, &finding->value);
    return false;
}

err feed_setting_load(struct feeds *feeds, str key, struct arena *arena,
                      struct feed_setting *setting, struct problem *problem)
{
    struct finding finding = { .arena = arena };
    struct json_parser *parser = NULL;
    str name;
    json_value json;
    *setting = (struct feed_setting){ .key = key };
    err error = arena_printf(arena, &name, FEED_SETTING STR_FMT, STR_ARG(key));
    struct ledger_value wanted = ledger_text(name);
    if (error == ERR_OK)
        error = ledger_find(engine_ledger(feeds->config.engine), LEDGER_SETTINGS, &wanted, 1,
                            take_setting, &finding, problem);
    if (error == ERR_OK)
        error = finding.error;
    if (error == ERR_OK)
        error = json_parser_new(&parser, FEED_SETTING_BYTES_MAX);
    if (error == ERR_OK &&
        (finding.value.size == 0 || json_parse(parser, finding.value, &json, problem) != ERR_OK ||
         !json_is_object(json)))
        error = problem_set(problem, ERR_NOT_FOUND, "there is no feed '%.*s'",
                            (int)str_utf8_prefix_bytes(key, 60), key.data);
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

static void write_brokers(str brokers, struct json_writer *writer)
{
    str broker;
    json_put_key(writer, STR("brokers"));
    json_begin_array(writer);
    while (str_split(&brokers, ',', &broker))
        json_put_text(writer, broker);
    json_end_array(writer);
}

void feed_setting_write(const struct feed_setting *setting, struct json_writer *writer)
{
    write_brokers(setting->brokers, writer);
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
    json_member_bool(writer, STR("tls"), setting->tls);
    json_member_text(writer, STR("mechanism"), setting->mechanism);
    json_member_text(writer, STR("username"), setting->username);
}

static err write_put(struct feeds *feeds, const struct feed_setting *setting, struct arena *arena,
                     struct buffer *body)
{
    struct json_writer writer;
    str sealed = STR_NONE, key;
    err error = arena_printf(arena, &key, FEED_SETTING STR_FMT, STR_ARG(setting->key));
    if (error == ERR_OK && setting->password.size > 0)
        error = keys_seal(engine_keys(feeds->config.engine), arena, setting->password, &sealed);
    if (error != ERR_OK)
        return error;
    json_writer_init(&writer, body);
    json_begin_object(&writer);
    json_member_text(&writer, STR("key"), key);
    json_put_key(&writer, STR("value"));
    json_begin_object(&writer);
    feed_setting_write(setting, &writer);
    json_member_text(&writer, STR("password"), sealed);
    json_member_int(&writer, STR("since_ms"), setting->since_ms);
    json_end_object(&writer);
    json_end_object(&writer);
    return buffer_status(body);
}

/* What stays from before: the password for the same brokers and name, and where it stands unless it begins again. */
static void keep(const struct feed_setting *before, bool restarts, struct feed_setting *setting)
{
    if (setting->password.size == 0 && setting->username.size > 0 &&
        str_equal(before->brokers, setting->brokers) &&
        str_equal(before->username, setting->username))
        setting->password = before->password;
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
    if (error == ERR_OK && is_key(key) &&
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
    struct json_writer writer;
    str name;
    arena_init(&arena, "feed_setting", ARENA_BYTES);
    err error = feed_setting_load(feeds, key, &arena, &setting, problem);
    if (error == ERR_CORRUPT) /* sealed by keys that are gone: it can be forgotten all the same */
        error = ERR_OK;
    if (error == ERR_OK)
        error = arena_printf(&arena, &name, FEED_SETTING STR_FMT, STR_ARG(key));
    if (error == ERR_OK) {
        json_writer_init(&writer, body);
        json_begin_object(&writer);
        json_member_text(&writer, STR("key"), name);
        json_put_key(&writer, STR("value"));
        json_put_null(&writer);
        json_end_object(&writer);
        error = buffer_status(body);
    }
    arena_deinit(&arena);
    return error;
}
