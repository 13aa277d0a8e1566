/* SPDX-License-Identifier: Apache-2.0 */
/* A record of Sensors Analytics becomes one event. */
#include <string.h>

#include "collect/sensors_inside.h"

/* A client's clock this far off is wrong; less is the way of the request. */
#define SKEW_MS_MIN MINUTE_MS

static const struct record_form {
    str type, event;
    enum event_kind kind;
    enum trait_operation operation;
} record_forms[RECORD_TYPE_COUNT] = {
#define X(NAME, type, kind, event, operation) \
    [RECORD_##NAME] = { { type, sizeof(type) - 1 }, { event, sizeof(event) - 1 }, kind, operation },
    RECORD_TABLE(X)
#undef X
};

/* ---- reading a record ---- */

static void take_member(struct sensors_record *record, str key, json_value value)
{
    static const struct {
        str name;
        size_t offset;
    } members[] = {
#define MEMBER(name, field) { LITERAL(name), offsetof(struct sensors_record, field) }
        MEMBER("event", event),
        MEMBER("time", time),
        MEMBER("_flush_time", flush_time),
        MEMBER("time_free", time_free),
        MEMBER("distinct_id", distinct_id),
        MEMBER("original_id", original_id),
        MEMBER("login_id", login_id),
        MEMBER("anonymous_id", anonymous_id),
        MEMBER("identities", identities),
        MEMBER("properties", properties),
        MEMBER("_track_id", track_id),
        MEMBER("item_type", item_type),
        MEMBER("item_id", item_id),
        MEMBER("lib", lib),
#undef MEMBER
    };
    for (size_t i = 0; i < sizeof members / sizeof members[0]; i++)
        if (str_equal(key, members[i].name)) {
            memcpy((char *)record + members[i].offset, &value, sizeof value);
            return;
        }
}

static err read_type(struct sensors_draft *draft, json_value value)
{
    str type = json_text(value);
    for (int i = 0; i < RECORD_TYPE_COUNT; i++)
        if (str_equal(type, record_forms[i].type)) {
            draft->record.type = (enum sensors_type)i;
            return ERR_OK;
        }
    problem_set(draft->problem, ERR_INVALID, "the type '%.*s' of a record is not known",
                (int)(type.size < 40 ? type.size : 40), type.data != NULL ? type.data : "");
    return problem_at(draft->problem, ERR_INVALID, "/type");
}

static err read_record(struct sensors_draft *draft, json_value object)
{
    struct sensors_record *record = &draft->record;
    struct json_iterator iterator = json_iterate(object);
    json_value value;
    str key;
    if (json_kind(object) != JSON_OBJECT)
        return problem_set(draft->problem, ERR_INVALID, "a record is not a JSON object");
    while (json_next(&iterator, &key, &value))
        take_member(record, key, value);
    err error = read_type(draft, json_get(object, STR("type")));
    enum json_kind kind = json_kind(record->properties);
    if (error == ERR_OK && kind != JSON_OBJECT && kind != JSON_MISSING && kind != JSON_NULL) {
        problem_set(draft->problem, ERR_INVALID, "properties is not an object");
        error = problem_at(draft->problem, ERR_INVALID, "/properties");
    }
    if (error == ERR_OK)
        error = draft_id_text(draft->door, record->distinct_id, "/distinct_id", &record->distinct,
                              draft->problem);
    if (error == ERR_OK)
        error = draft_id_text(draft->door, record->original_id, "/original_id", &record->original,
                              draft->problem);
    record->is_login = json_bool(json_get(record->properties, STR("$is_login_id")), false);
    return error;
}

/* ---- time, key, channel, context ---- */

static int64_t time_of(const struct sensors_record *record)
{
    int64_t own_ms = json_int(json_get(record->properties, STR("$time")), 0);
    return own_ms > 0 ? own_ms : json_int(record->time, 0);
}

#define TIME_MS_MAX INT64_C(253402300799999)

static err draft_times(struct sensors_draft *draft)
{
    const struct sensors_record *record = &draft->record;
    int64_t time_ms = time_of(record), flush_ms = json_int(record->flush_time, 0);
    int64_t received_ms = draft->door->request->received_ms;
    bool free = json_bool(record->time_free, false);
    if (time_ms < 0 || time_ms > TIME_MS_MAX) {
        problem_set(draft->problem, ERR_INVALID, "the time is no time in milliseconds");
        return problem_at(draft->problem, ERR_INVALID, "/time");
    }
    if (flush_ms < 0 || flush_ms > TIME_MS_MAX ||
        (received_ms - flush_ms < SKEW_MS_MIN && flush_ms - received_ms < SKEW_MS_MIN))
        flush_ms = 0;
    if (free)
        draft->door->worker->event.flags |= EVENT_HISTORICAL;
    return draft_time(draft->door, time_ms > 0, time_ms, flush_ms, free, draft->problem);
}

/* Source, distinct_id, event, time and _track_id make a record what it is. Profile records of
 * mini-programs have no _track_id: there the properties tell two of one millisecond apart. */
static err draft_key(struct sensors_draft *draft)
{
    const struct sensors_record *record = &draft->record;
    struct arena *arena = &draft->door->worker->arena;
    str time_text, track, content = STR_NONE, event = json_text(record->event);
    err error = draft_id_text(draft->door, record->track_id, "/_track_id", &track, draft->problem);
    if (error != ERR_OK)
        return error;
    if (arena_printf(arena, &time_text, "%lld", (long long)json_int(record->time, 0)) != ERR_OK)
        return problem_set(draft->problem, ERR_NOMEM, "no memory for a message key");
    if (track.size == 0) {
        struct buffer *text = &draft->door->worker->encoded;
        buffer_clear(text);
        json_write_value(text, record->properties);
        json_write_value(text, record->identities);
        json_write_value(text, record->item_id);
        content = buffer_str(text);
    }
    const str parts[] = { STR("sensors"),   record_forms[record->type].type,
                          record->distinct, event,
                          time_text,        track,
                          content };
    draft_message_key(draft->door, parts, sizeof parts / sizeof parts[0]);
    return ERR_OK;
}

static json_value library_member(const struct sensors_record *record, str name)
{
    json_value value = json_get(record->lib, name);
    return json_kind(value) == JSON_MISSING ? json_get(record->properties, name) : value;
}

static str channel_of(struct sensors_draft *draft)
{
    static const struct {
        str library, channel;
    } channels[] = {
        { LITERAL("js"), LITERAL("web") },
        { LITERAL("MiniProgram"), LITERAL("mini_program") },
        { LITERAL("AlipayMini"), LITERAL("mini_program") },
        { LITERAL("BaiduMini"), LITERAL("mini_program") },
        { LITERAL("BytedanceMini"), LITERAL("mini_program") },
        { LITERAL("QQMini"), LITERAL("mini_program") },
        { LITERAL("MiniGame"), LITERAL("mini_program") },
        { LITERAL("QuickApp"), LITERAL("mini_program") },
        { LITERAL("Android"), LITERAL("app") },
        { LITERAL("iOS"), LITERAL("app") },
        { LITERAL("HarmonyOS"), LITERAL("app") },
        { LITERAL("Flutter"), LITERAL("app") },
        { LITERAL("ReactNative"), LITERAL("app") },
        { LITERAL("macOS"), LITERAL("app") },
        { LITERAL("Node"), LITERAL("server") },
        { LITERAL("Java"), LITERAL("server") },
        { LITERAL("python"), LITERAL("server") },
        { LITERAL("php"), LITERAL("server") },
        { LITERAL("golang"), LITERAL("server") },
        { LITERAL("Ruby"), LITERAL("server") },
        { LITERAL("DotNET"), LITERAL("server") },
        { LITERAL("LogAgent"), LITERAL("server") },
    };
    str channel = draft_channel(draft->door, draft->door->source->channel);
    str library = json_text(library_member(&draft->record, STR("$lib")));
    for (size_t i = 0; channel.size == 0 && i < sizeof channels / sizeof channels[0]; i++)
        if (str_equal(library, channels[i].library))
            channel = channels[i].channel;
    if (channel.size == 0)
        channel = draft->trusted ? STR("server") : STR("web");
    return channel;
}

static void write_library(struct buffer *out, const struct sensors_record *record)
{
    str name = json_text(library_member(record, STR("$lib")));
    str version = json_text(library_member(record, STR("$lib_version")));
    if (name.size == 0)
        return;
    buffer_append_str(out, STR("\"library\":{\"name\":"));
    json_write_text(out, name);
    if (version.size > 0) {
        buffer_append_str(out, STR(",\"version\":"));
        json_write_text(out, version);
    }
    buffer_append_byte(out, '}');
}

static void draft_context(struct sensors_draft *draft)
{
    struct collect_worker *worker = draft->door->worker;
    struct buffer *out = &worker->text;
    const struct collect_request *request = draft->door->request;
    size_t begin = out->size;
    buffer_append_byte(out, '{');
    write_library(out, &draft->record);
    bool from_client = !draft->trusted && !draft->is_nobody;
    if (from_client && request->client_ip.size > 0) {
        buffer_append_str(out, out->size > begin + 1 ? STR(",\"ip\":") : STR("\"ip\":"));
        json_write_text(out, request->client_ip);
    }
    if (from_client && request->user_agent.size > 0) {
        str agent = request->user_agent;
        buffer_append_str(out,
                          out->size > begin + 1 ? STR(",\"userAgent\":") : STR("\"userAgent\":"));
        json_write_text(out, str_slice(agent, 0, str_utf8_prefix_bytes(agent, 512)));
    }
    buffer_append_byte(out, '}');
    worker->event.context =
        out->size > begin + 2 ? str_slice(buffer_str(out), begin, out->size) : STR_NONE;
}

/* ---- kinds of records ---- */

/* Views of pages and screens have one name in Kith, whichever SDK tells them. */
static void name_event(struct sensors_draft *draft, str name)
{
    static const str screens[] = { LITERAL("$MPViewScreen"), LITERAL("$AppViewScreen"),
                                   LITERAL("$MPPageShow") };
    if (str_equal(name, STR("$pageview"))) {
        draft_begin(draft->door, EVENT_PAGE, STR("Page Viewed"));
        return;
    }
    for (size_t i = 0; i < sizeof screens / sizeof screens[0]; i++)
        if (str_equal(name, screens[i])) {
            draft_begin(draft->door, EVENT_SCREEN, STR("Screen Viewed"));
            return;
        }
    draft_begin(draft->door, EVENT_TRACK, name);
}

static err begin_record(struct sensors_draft *draft)
{
    const struct record_form *form = &record_forms[draft->record.type];
    str name = json_text(draft->record.event);
    if (draft->record.type != RECORD_TRACK) {
        draft_begin(draft->door, form->kind, form->event);
        return ERR_OK;
    }
    if (!sensors_is_name(name)) {
        problem_set(draft->problem, ERR_INVALID,
                    "the event '%.*s' has a name that Sensors' rules do "
                    "not allow",
                    (int)(name.size < 100 ? name.size : 100), name.data != NULL ? name.data : "");
        return problem_at(draft->problem, ERR_INVALID, "/event");
    }
    name_event(draft, name);
    return ERR_OK;
}

static err draft_profile(struct sensors_draft *draft)
{
    const struct record_form *form = &record_forms[draft->record.type];
    const struct draft_rules *rules = &sensors_event_rules;
    if (draft->record.type == RECORD_DELETE) {
        draft->door->worker->event.flags |= EVENT_DELETE;
        return ERR_OK;
    }
    if (form->operation == TRAIT_UNSET)
        rules = &sensors_unset_rules;
    else if (form->operation == TRAIT_INCREMENT)
        rules = &sensors_number_rules;
    else if (form->operation == TRAIT_APPEND)
        rules = &sensors_list_rules;
    return draft_traits(draft->door, draft->record.properties, form->operation, rules,
                        draft->problem);
}

static err draft_item(struct sensors_draft *draft)
{
    struct event *event = &draft->door->worker->event;
    str id;
    event->object_kind = json_text(draft->record.item_type);
    err error = draft_id_text(draft->door, draft->record.item_id, "/item_id", &id, draft->problem);
    if (error != ERR_OK)
        return error;
    event->object_id = id;
    if (!sensors_is_name(event->object_kind) || id.size == 0 || id.size > 255) {
        problem_set(draft->problem, ERR_INVALID,
                    "an item without item_type and item_id of at most "
                    "255 bytes");
        return problem_at(draft->problem, ERR_INVALID, "/item_id");
    }
    if (draft->record.type == RECORD_ITEM_DELETE) {
        event->flags |= EVENT_DELETE;
        return ERR_OK;
    }
    return draft_traits(draft->door, draft->record.properties, TRAIT_SET, &sensors_event_rules,
                        draft->problem);
}

static err draft_content(struct sensors_draft *draft)
{
    struct event *event = &draft->door->worker->event;
    if (event->kind == EVENT_PROFILE)
        return draft_profile(draft);
    if (event->kind == EVENT_OBJECT)
        return draft_item(draft);
    return draft_props(draft->door, draft->record.properties, &sensors_event_rules, NULL, 0,
                       draft->problem);
}

/* *done: the record is dropped. */
static err ask_consent(struct sensors_draft *draft, bool *done)
{
    const struct source *source = draft->door->source;
    enum sensors_type type = draft->record.type;
    *done = false;
    if (source->without_consent == WITHOUT_CONSENT_KEEP || type == RECORD_ITEM_SET ||
        type == RECORD_ITEM_DELETE ||
        json_bool(json_get(draft->record.properties, STR("kith_consent")), false))
        return ERR_OK;
    if (source->without_consent == WITHOUT_CONSENT_ANONYMISE && type == RECORD_TRACK)
        return sensors_forget_sender(draft);
    collect_leave_unsaid(draft->door);
    *done = true;
    return ERR_OK;
}

err sensors_take_record(struct door *door, json_value value, struct problem *problem)
{
    struct sensors_draft draft = { .door = door,
                                   .problem = problem,
                                   .trusted = door->source->kind == SOURCE_SERVER };
    err error = read_record(&draft, value);
    bool done = false;
    if (error == ERR_OK)
        error = ask_consent(&draft, &done);
    if (done)
        return ERR_OK;
    if (error == ERR_OK)
        error = begin_record(&draft);
    if (error == ERR_OK)
        error = draft_times(&draft);
    if (error == ERR_OK)
        error = draft_key(&draft);
    if (error == ERR_OK)
        error = sensors_draft_identifiers(&draft);
    if (error == ERR_OK)
        error = draft_content(&draft);
    if (error != ERR_OK)
        return error;
    /* A signature proves the account, not what else is claimed beside it. */
    if (draft.signed_user && !draft.claims)
        door->worker->event.flags |= EVENT_TRUSTED;
    draft_context(&draft);
    door->worker->event.channel = channel_of(&draft);
    return draft_finish(door, problem);
}
