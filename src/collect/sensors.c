/* SPDX-License-Identifier: Apache-2.0 */
/* The door of Sensors Analytics' SDKs; wire facts in docs/connectors/sensors.md. */
#include <string.h>

#include "collect/inside.h"

#define TEXT_BYTES_MAX 8192
#define KEY_BYTES_MAX 100
/* A client's clock this far off is wrong; less is the way of the request. */
#define SKEW_MS_MIN MINUTE_MS

/* ---- the record types ---- */

/* X(NAME, type on the wire, kind, event type when the record has none, trait operation) */
#define RECORD_TABLE(X)                                                          \
    X(TRACK, "track", EVENT_TRACK, "", TRAIT_SET)                                \
    X(SIGNUP, "track_signup", EVENT_BIND, "$SignUp", TRAIT_SET)                  \
    X(BIND, "track_id_bind", EVENT_BIND, "$BindID", TRAIT_SET)                   \
    X(UNBIND, "track_id_unbind", EVENT_UNBIND, "$UnbindID", TRAIT_SET)           \
    X(SET, "profile_set", EVENT_PROFILE, "Profile Set", TRAIT_SET)               \
    X(SET_ONCE, "profile_set_once", EVENT_PROFILE, "Profile Set Once", TRAIT_SET_ONCE) \
    X(INCREMENT, "profile_increment", EVENT_PROFILE, "Profile Increment", TRAIT_INCREMENT) \
    X(APPEND, "profile_append", EVENT_PROFILE, "Profile Append", TRAIT_APPEND)   \
    X(UNSET, "profile_unset", EVENT_PROFILE, "Profile Unset", TRAIT_UNSET)       \
    X(DELETE, "profile_delete", EVENT_PROFILE, "Profile Delete", TRAIT_SET)      \
    X(ITEM_SET, "item_set", EVENT_OBJECT, "Item Set", TRAIT_SET)                 \
    X(ITEM_DELETE, "item_delete", EVENT_OBJECT, "Item Delete", TRAIT_SET)

enum record_type {
#define X(NAME, ...) RECORD_##NAME,
    RECORD_TABLE(X)
#undef X
    RECORD_TYPE_COUNT
};

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

struct sensors_record {
    enum record_type type;
    json_value event, time, flush_time, time_free, distinct_id, original_id, login_id, anonymous_id,
        identities, properties, track_id, item_type, item_id, lib;
    str distinct, original;
    bool is_login;               /* $is_login_id: distinct_id is an account */
};

struct sensors_draft {
    struct door *door;
    struct sensors_record record;
    bool trusted;
    bool signed_user;            /* a valid signature of the account is on it */
    bool claims;                 /* what a public source only says */
    struct problem *problem;
};

/* ---- names and values ---- */

static bool starts_ignoring_case(str text, str prefix)
{
    return text.size >= prefix.size &&
           str_equal_ignoring_case(str_slice(text, 0, prefix.size), prefix);
}

/* The pattern of Sensors' documentation, by hand:
 * ^((?!^distinct_id$|…|^user_group|^user_tag)[a-zA-Z_$][a-zA-Z\d_$]{0,99})$ without case. */
static bool is_name(str name)
{
    static const char *const reserved[] = { "distinct_id", "original_id", "event_id", "time",
                                            "properties", "id", "first_id", "second_id", "users",
                                            "events", "event", "user_id", "date", "datetime" };
    if (name.size == 0 || name.size > KEY_BYTES_MAX || (name.data[0] >= '0' && name.data[0] <= '9'))
        return false;
    for (size_t i = 0; i < name.size; i++) {
        char c = name.data[i];
        bool good = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                    c == '_' || c == '$';
        if (!good)
            return false;
    }
    if (starts_ignoring_case(name, STR("user_group")) || starts_ignoring_case(name, STR("user_tag")))
        return false;
    for (size_t i = 0; i < sizeof reserved / sizeof reserved[0]; i++)
        if (str_equal_ignoring_case(name, str_from_c(reserved[i])))
            return false;
    return true;
}

static err refuse_property(struct problem *problem, str name, const char *why)
{
    problem_set(problem, ERR_INVALID, "the property '%.*s' %s",
                (int)(name.size < 100 ? name.size : 100), name.data, why);
    return problem_at(problem, ERR_INVALID, "/properties/%.*s",
                      (int)(name.size < 100 ? name.size : 100), name.data);
}

static bool is_absent_text(json_value value)
{
    return json_kind(value) == JSON_TEXT && str_starts_with(json_text(value), STR("未取到值"));
}

static bool list_is_flat(json_value list)
{
    struct json_iterator iterator = json_iterate(list);
    json_value element;
    while (json_next(&iterator, NULL, &element))
        if (json_kind(element) == JSON_ARRAY || json_kind(element) == JSON_OBJECT)
            return false;
    return true;
}

/* Names that tell the door something and are no properties. */
static bool is_instruction(str name)
{
    return name.size > 1 && name.data[0] == '$' &&
           (str_equal(name, STR("$is_login_id")) || str_equal(name, STR("$time")) ||
            str_equal(name, STR("$project")) || str_equal(name, STR("$token")));
}

#define SIGNATURE_NAME STR("kith_signature")

static err admit_property(str name, json_value value, bool *skip, struct problem *problem)
{
    enum json_kind kind = json_kind(value);
    if (is_instruction(name) || kind == JSON_NULL || is_absent_text(value) ||
        str_equal(name, SIGNATURE_NAME)) {
        *skip = true;
        return ERR_OK;
    }
    if (!is_name(name))
        return refuse_property(problem, name, "has a name that Sensors' rules do not allow");
    if (kind == JSON_OBJECT)
        return refuse_property(problem, name, "is an object; values are numbers, texts, booleans, "
                                              "times and lists of texts");
    if (kind == JSON_ARRAY && !list_is_flat(value))
        return refuse_property(problem, name, "is a list of lists or objects");
    return ERR_OK;
}

/* profile_unset names traits, whatever their value. */
static err admit_unset(str name, json_value value, bool *skip, struct problem *problem)
{
    (void)value;
    (void)skip;
    return is_name(name) ? ERR_OK
                         : refuse_property(problem, name,
                                           "has a name that Sensors' rules do not allow");
}

static err admit_number(str name, json_value value, bool *skip, struct problem *problem)
{
    err error = admit_property(name, value, skip, problem);
    enum json_kind kind = json_kind(value);
    if (error == ERR_OK && !*skip && kind != JSON_INT && kind != JSON_DOUBLE)
        return refuse_property(problem, name, "is no number and cannot be added");
    return error;
}

static err admit_list(str name, json_value value, bool *skip, struct problem *problem)
{
    err error = admit_property(name, value, skip, problem);
    if (error == ERR_OK && !*skip && json_kind(value) != JSON_ARRAY && json_kind(value) != JSON_TEXT)
        return refuse_property(problem, name, "is no list and cannot be appended to");
    return error;
}

/* ---- reading a record ---- */

static void take_member(struct sensors_record *record, str key, json_value value)
{
    static const struct {
        const char *name;
        size_t offset;
    } members[] = {
#define MEMBER(name, field) { name, offsetof(struct sensors_record, field) }
        MEMBER("event", event), MEMBER("time", time), MEMBER("_flush_time", flush_time),
        MEMBER("time_free", time_free), MEMBER("distinct_id", distinct_id),
        MEMBER("original_id", original_id), MEMBER("login_id", login_id),
        MEMBER("anonymous_id", anonymous_id), MEMBER("identities", identities),
        MEMBER("properties", properties), MEMBER("_track_id", track_id),
        MEMBER("item_type", item_type), MEMBER("item_id", item_id), MEMBER("lib", lib),
#undef MEMBER
    };
    for (size_t i = 0; i < sizeof members / sizeof members[0]; i++)
        if (str_equal(key, str_from_c(members[i].name))) {
            memcpy((char *)record + members[i].offset, &value, sizeof value);
            return;
        }
}

static err read_type(struct sensors_draft *draft, json_value value)
{
    str type = json_text(value);
    for (int i = 0; i < RECORD_TYPE_COUNT; i++)
        if (str_equal(type, record_forms[i].type)) {
            draft->record.type = (enum record_type)i;
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

/* ---- identities (IDM 3) ---- */

enum { FLAGS_CLAIM, FLAGS_OWN };

struct identity_map {
    const char *key;             /* without "$identity_" */
    const char *type, *namespace_;
    int flags;
};

static const struct identity_map identity_map[] = {
    { "login_id", "user_id", "", FLAGS_CLAIM },
    { "mobile", "mobile", "", FLAGS_CLAIM },
    { "email", "email", "", FLAGS_CLAIM },
    { "mp_unionid", "wx_unionid", "", FLAGS_CLAIM },
    { "mp_openid", "wx_openid", "*source", FLAGS_CLAIM },
    { "anonymous_id", "anonymous_id", "*source", FLAGS_OWN },
    { "cookie_id", "anonymous_id", "*source", FLAGS_OWN },
    { "mp_id", "anonymous_id", "*source", FLAGS_OWN },
    { "anonymous_uuid", "anonymous_id", "*source", FLAGS_OWN },
    { "android_id", "device", "android_id", FLAGS_OWN },
    { "android_uuid", "device", "android_uuid", FLAGS_OWN },
    { "idfv", "device", "idfv", FLAGS_OWN },
    { "idfa", "device", "idfa", FLAGS_OWN },
    { "oaid", "device", "oaid", FLAGS_OWN },
    { "imei", "device", "imei", FLAGS_OWN },
    { "ios_uuid", "device", "ios_uuid", FLAGS_OWN },
    { "harmony_uuid", "device", "harmony_uuid", FLAGS_OWN },
};

static bool user_is_signed(const struct sensors_draft *draft, str user_id)
{
    str signature = json_text(json_get(draft->record.properties, SIGNATURE_NAME));
    return signature.size > 0 &&
           source_signature_is_valid(draft->door->source, user_id, signature);
}

static err add_named(struct sensors_draft *draft, str type, str namespace_, str value, int flags)
{
    uint8_t bits = (uint8_t)((draft->trusted ? IDENTIFIER_VERIFIED : 0) |
                             (flags == FLAGS_OWN ? IDENTIFIER_OWN : 0));
    if (value.size == 0)
        return ERR_OK;
    if (!draft->trusted && str_equal(type, STR("user_id")) && user_is_signed(draft, value)) {
        bits |= IDENTIFIER_VERIFIED;
        draft->signed_user = true;
    } else if (!draft->trusted && flags != FLAGS_OWN) {
        draft->claims = true;
    }
    return draft_identifier_text(draft->door, type, namespace_, value, bits, draft->problem);
}

static err add(struct sensors_draft *draft, const char *type, str namespace_, str value, int flags)
{
    return add_named(draft, str_from_c(type), namespace_, value, flags);
}

/* "mp_wx123_openid" → appid "wx123". */
static bool appid_between(str name, str suffix, str *appid)
{
    if (!str_starts_with(name, STR("mp_")) || !str_ends_with(name, suffix) ||
        name.size <= 3 + suffix.size)
        return false;
    *appid = str_slice(name, 3, name.size - suffix.size);
    return true;
}

/* What an account's id and what a visitor's looks like, when nothing says so: SDKs draw groups of
 * hex digits with dashes. */
static bool looks_drawn(str id)
{
    size_t dashes = 0;
    for (size_t i = 0; i < id.size; i++) {
        char c = id.data[i];
        bool hex = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
        dashes += c == '-';
        if (c != '-' && !hex)
            return false;
    }
    return (dashes >= 3 && id.size >= 20) || (dashes == 0 && id.size == 32);
}

/* A distinct_id of which nothing says what it is. What a server reports is its account; what a page or
 * an app reports before login is its visitor. */
static err add_distinct(struct sensors_draft *draft, str id, bool is_login)
{
    bool account = is_login || (draft->trusted && !looks_drawn(id));
    return account ? add(draft, "user_id", STR_NONE, id, FLAGS_CLAIM)
                   : add(draft, "anonymous_id", draft->door->source->key, id, FLAGS_OWN);
}

static err add_identity(struct sensors_draft *draft, str key, str value)
{
    str name = key, appid;
    if (str_starts_with(name, STR("$identity_")))
        name = str_slice(name, 10, name.size);
    for (size_t i = 0; i < sizeof identity_map / sizeof identity_map[0]; i++) {
        const struct identity_map *row = &identity_map[i];
        if (!str_equal(name, str_from_c(row->key)))
            continue;
        bool by_source = str_equal(str_from_c(row->namespace_), STR("*source"));
        return add(draft, row->type,
                   by_source ? draft->door->source->key : str_from_c(row->namespace_), value,
                   row->flags);
    }
    if (str_equal(name, STR("distinct_id")))
        return add_distinct(draft, value, draft->record.is_login);
    if (appid_between(name, STR("_openid"), &appid))
        return add(draft, "wx_openid", appid, value, FLAGS_CLAIM);
    if (appid_between(name, STR("_unionid"), &appid))
        return add(draft, "wx_unionid", STR_NONE, value, FLAGS_CLAIM);
    /* The brand's own: a type by its name. */
    if (!is_name(name)) {
        problem_set(draft->problem, ERR_INVALID, "the key '%.*s' of an identity is no name",
                    (int)(key.size < 40 ? key.size : 40), key.data);
        return problem_at(draft->problem, ERR_INVALID, "/identities");
    }
    return add_named(draft, name, STR_NONE, value, FLAGS_CLAIM);
}

/* `holds` gets whether one of them is `id`, under whatever key. */
static err add_identities(struct sensors_draft *draft, str id, bool *holds)
{
    struct json_iterator iterator = json_iterate(draft->record.identities);
    json_value value;
    str key;
    *holds = false;
    while (json_next(&iterator, &key, &value)) {
        str text;
        err error = draft_id_text(draft->door, value, "/identities", &text, draft->problem);
        if (error == ERR_OK)
            error = add_identity(draft, key, text);
        if (error != ERR_OK)
            return error;
        *holds = *holds || (id.size > 0 && str_equal(text, id));
    }
    return ERR_OK;
}

static err add_named_ids(struct sensors_draft *draft)
{
    str login, anonymous;
    err error = draft_id_text(draft->door, draft->record.login_id, "/login_id", &login,
                              draft->problem);
    if (error == ERR_OK)
        error = draft_id_text(draft->door, draft->record.anonymous_id, "/anonymous_id", &anonymous,
                              draft->problem);
    if (error == ERR_OK)
        error = add(draft, "user_id", STR_NONE, login, FLAGS_CLAIM);
    if (error == ERR_OK)
        error = add(draft, "anonymous_id", draft->door->source->key, anonymous, FLAGS_OWN);
    return error;
}

/* $SignUp: the account (distinct_id) and who she was before (original_id). */
static err add_signup(struct sensors_draft *draft, bool original_is_told)
{
    const struct sensors_record *record = &draft->record;
    err error = add(draft, "user_id", STR_NONE, record->distinct, FLAGS_CLAIM);
    if (error == ERR_OK && !original_is_told)
        error = add(draft, "anonymous_id", draft->door->source->key, record->original, FLAGS_OWN);
    return error;
}

static err draft_identifiers(struct sensors_draft *draft)
{
    const struct sensors_record *record = &draft->record;
    struct event *event = &draft->door->worker->event;
    bool told = false;
    if (event->kind == EVENT_OBJECT)
        return ERR_OK;
    err error = add_identities(draft, record->type == RECORD_SIGNUP ? record->original
                                                                    : record->distinct, &told);
    if (error != ERR_OK || event->kind == EVENT_UNBIND)
        return error; /* the identities of an unbinding are what is taken off */
    error = add_named_ids(draft);
    if (error == ERR_OK && record->type == RECORD_SIGNUP)
        return add_signup(draft, told);
    if (error == ERR_OK && event->identifier_count == 0)
        error = add_distinct(draft, record->distinct, record->is_login);
    if (error == ERR_OK && record->distinct.size == 0 && event->identifier_count == 0) {
        problem_set(draft->problem, ERR_INVALID, "a record without distinct_id and identities");
        error = problem_at(draft->problem, ERR_INVALID, "/distinct_id");
    }
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
    const str parts[] = { STR("sensors"), record_forms[record->type].type, record->distinct, event,
                          time_text, track, content };
    draft_message_key(draft->door, parts, sizeof parts / sizeof parts[0]);
    return ERR_OK;
}

static json_value library_member(const struct sensors_record *record, const char *name)
{
    json_value value = json_get(record->lib, str_from_c(name));
    return json_kind(value) == JSON_MISSING ? json_get(record->properties, str_from_c(name)) : value;
}

static str channel_of(struct sensors_draft *draft)
{
    static const struct {
        const char *library, *channel;
    } channels[] = {
        { "js", "web" }, { "MiniProgram", "mini_program" }, { "AlipayMini", "mini_program" },
        { "BaiduMini", "mini_program" }, { "BytedanceMini", "mini_program" },
        { "QQMini", "mini_program" }, { "MiniGame", "mini_program" }, { "QuickApp", "mini_program" },
        { "Android", "app" }, { "iOS", "app" }, { "HarmonyOS", "app" }, { "Flutter", "app" },
        { "ReactNative", "app" }, { "macOS", "app" }, { "Node", "server" }, { "Java", "server" },
        { "python", "server" }, { "php", "server" }, { "golang", "server" }, { "Ruby", "server" },
        { "DotNET", "server" }, { "LogAgent", "server" },
    };
    str channel = draft_channel(draft->door, draft->door->source->channel);
    str library = json_text(library_member(&draft->record, "$lib"));
    for (size_t i = 0; channel.size == 0 && i < sizeof channels / sizeof channels[0]; i++)
        if (str_equal(library, str_from_c(channels[i].library)))
            channel = str_from_c(channels[i].channel);
    if (channel.size == 0)
        channel = draft->trusted ? STR("server") : STR("web");
    return channel;
}

static void write_library(struct buffer *out, const struct sensors_record *record)
{
    str name = json_text(library_member(record, "$lib"));
    str version = json_text(library_member(record, "$lib_version"));
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
    if (!draft->trusted && request->client_ip.size > 0) {
        buffer_append_str(out, out->size > begin + 1 ? STR(",\"ip\":") : STR("\"ip\":"));
        json_write_text(out, request->client_ip);
    }
    if (!draft->trusted && request->user_agent.size > 0) {
        str agent = request->user_agent;
        buffer_append_str(out, out->size > begin + 1 ? STR(",\"userAgent\":") : STR("\"userAgent\":"));
        json_write_text(out, str_slice(agent, 0, str_utf8_prefix_bytes(agent, 512)));
    }
    buffer_append_byte(out, '}');
    worker->event.context = out->size > begin + 2 ? str_slice(buffer_str(out), begin, out->size)
                                                  : STR_NONE;
}

/* ---- kinds of records ---- */

/* Views of pages and screens have one name in Kith, whichever SDK tells them. */
static void name_event(struct sensors_draft *draft, str name)
{
    static const char *const screens[] = { "$MPViewScreen", "$AppViewScreen", "$MPPageShow" };
    if (str_equal(name, STR("$pageview"))) {
        draft_begin(draft->door, EVENT_PAGE, STR("Page Viewed"));
        return;
    }
    for (size_t i = 0; i < sizeof screens / sizeof screens[0]; i++)
        if (str_equal(name, str_from_c(screens[i]))) {
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
    if (!is_name(name)) {
        problem_set(draft->problem, ERR_INVALID, "the event '%.*s' has a name that Sensors' rules do "
                                                 "not allow", (int)(name.size < 100 ? name.size : 100),
                    name.data != NULL ? name.data : "");
        return problem_at(draft->problem, ERR_INVALID, "/event");
    }
    name_event(draft, name);
    return ERR_OK;
}

static const struct draft_rules event_rules = { .admit = admit_property,
                                                .text_bytes_max = TEXT_BYTES_MAX };

static err draft_profile(struct sensors_draft *draft)
{
    const struct record_form *form = &record_forms[draft->record.type];
    struct draft_rules rules = event_rules;
    if (draft->record.type == RECORD_DELETE) {
        draft->door->worker->event.flags |= EVENT_DELETE;
        return ERR_OK;
    }
    if (form->operation == TRAIT_UNSET)
        rules.admit = admit_unset;
    else if (form->operation == TRAIT_INCREMENT)
        rules.admit = admit_number;
    else if (form->operation == TRAIT_APPEND)
        rules.admit = admit_list;
    return draft_traits(draft->door, draft->record.properties, form->operation, &rules,
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
    if (!is_name(event->object_kind) || id.size == 0 || id.size > 255) {
        problem_set(draft->problem, ERR_INVALID, "an item without item_type and item_id of at most "
                                                 "255 bytes");
        return problem_at(draft->problem, ERR_INVALID, "/item_id");
    }
    if (draft->record.type == RECORD_ITEM_DELETE) {
        event->flags |= EVENT_DELETE;
        return ERR_OK;
    }
    return draft_traits(draft->door, draft->record.properties, TRAIT_SET, &event_rules,
                        draft->problem);
}

static err draft_content(struct sensors_draft *draft)
{
    struct event *event = &draft->door->worker->event;
    if (event->kind == EVENT_PROFILE)
        return draft_profile(draft);
    if (event->kind == EVENT_OBJECT)
        return draft_item(draft);
    return draft_props(draft->door, draft->record.properties, &event_rules, NULL, 0, draft->problem);
}

static err take_record(struct door *door, json_value value, struct problem *problem)
{
    struct sensors_draft draft = { .door = door, .problem = problem,
                                   .trusted = door->source->kind == SOURCE_SERVER };
    err error = read_record(&draft, value);
    if (error == ERR_OK)
        error = begin_record(&draft);
    if (error == ERR_OK)
        error = draft_times(&draft);
    if (error == ERR_OK)
        error = draft_key(&draft);
    if (error == ERR_OK)
        error = draft_identifiers(&draft);
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

/* ---- requests ---- */

/* Java's String.hashCode over the base64 text: the signed 32-bit sum of SDKs. */
static int32_t crc_of(str text)
{
    uint32_t hash = 0;
    for (size_t i = 0; i < text.size; i++) {
        unsigned char c = (unsigned char)text.data[i];
        hash = (hash << 5) - hash + (c == ' ' ? '+' : c);
    }
    return (int32_t)hash;
}

struct sensors_form {
    str data;                    /* base64 */
    str crc, gzip;
    str project, token;          /* of the query */
};

static void read_field(struct sensors_form *form, struct collect_worker *worker, str name, str value)
{
    if (str_equal(name, STR("data")) || str_equal(name, STR("data_list"))) {
        form->data = value;
    } else if (str_equal(name, STR("crc"))) {
        form->crc = value;
    } else if (str_equal(name, STR("gzip"))) {
        form->gzip = value;
    } else if (str_equal(name, STR("ext"))) {
        str crc;
        if (form_value(worker, value, STR("crc"), &crc))
            form->crc = crc;
    } else if (str_equal(name, STR("project"))) {
        form->project = value;
    } else if (str_equal(name, STR("token"))) {
        form->token = value;
    }
}

static void read_form(struct door *door, str body, struct sensors_form *form)
{
    struct collect_worker *worker = door->worker;
    str rest = door->request->query, name, value;
    while (form_next(worker, &rest, &name, &value))
        read_field(form, worker, name, value);
    while (form_next(worker, &body, &name, &value))
        read_field(form, worker, name, value);
}

static err check_crc(const struct sensors_form *form, struct problem *problem)
{
    int64_t told;
    str text = str_trim(form->crc);
    if (text.size == 0)
        return ERR_OK;
    if (str_to_int64(text, &told) && (int32_t)told == crc_of(form->data))
        return ERR_OK;
    return problem_set(problem, ERR_INVALID, "the crc is not that of the data: it was damaged on "
                                             "the way");
}

/* The JSON text that the form carries. */
static err unwrap(struct door *door, const struct sensors_form *form, str *json,
                  struct problem *problem)
{
    str bytes;
    if (str_trim(form->data).size == 0)
        return problem_set(problem, ERR_INVALID, "neither data nor data_list in the form");
    if (str_equal(form->gzip, STR("9"))) {
        problem_set(problem, ERR_UNSUPPORTED, "encrypted data is not supported");
        return problem_hint(problem, ERR_UNSUPPORTED, "turn off encryption in the SDK; use https");
    }
    err error = check_crc(form, problem);
    if (error != ERR_OK)
        return error;
    if (!base64_decode(door->worker, form->data, &bytes))
        return problem_set(problem, ERR_INVALID, "the data is not base64");
    bool is_gzip = bytes.size >= 2 && (unsigned char)bytes.data[0] == 0x1F &&
                   (unsigned char)bytes.data[1] == 0x8B;
    if (str_equal(form->gzip, STR("1")) || is_gzip)
        return body_inflate(door->worker, bytes, json, problem);
    *json = bytes;
    return ERR_OK;
}

/* A write key, or the key of a public source, which is no secret. */
static const struct source *source_named(struct door *door, str name)
{
    const struct source *source = source_by_write_key(door->sources, door->worker->keys, name);
    if (source == NULL && name.size > 0)
        source = source_by_key(door->sources, name);
    else
        return source;
    return source != NULL && source->kind == SOURCE_PUBLIC ? source : NULL;
}

/* The token is the write key; the project may be one too, or the key of a public source. */
static err find_source(struct door *door, str token, str project, struct problem *problem)
{
    const struct source *source = token.size > 0 ? source_named(door, token) : NULL;
    if (source == NULL)
        source = source_named(door, project.size > 0 ? project : STR("default"));
    if (source == NULL) {
        problem_set(problem, ERR_UNAUTHENTICATED, "no source has this token or project");
        return problem_hint(problem, ERR_UNAUTHENTICATED, "server_url: https://…/sa?project=<write "
                                                          "key>, or &token=<write key>");
    }
    if (source->disabled)
        return problem_set(problem, ERR_NOT_FOUND, "source is disabled");
    door->source = source;
    return ERR_OK;
}

/* A record may name its own project. */
static err find_source_of_record(struct door *door, const struct sensors_form *form,
                                 json_value record, struct problem *problem)
{
    json_value properties = json_get(record, STR("properties"));
    str project = json_text(json_get(record, STR("project")));
    str token = json_text(json_get(record, STR("token")));
    str own_project = json_text(json_get(properties, STR("$project")));
    str own_token = json_text(json_get(properties, STR("$token")));
    return find_source(door, own_token.size > 0 ? own_token : token.size > 0 ? token : form->token,
                       own_project.size > 0 ? own_project
                       : project.size > 0   ? project
                                            : form->project,
                       problem);
}

static err take_and_tell(struct door *door, const struct sensors_form *form, json_value record,
                         struct problem *problem)
{
    *problem = (struct problem){ .error = ERR_OK };
    err error = find_source_of_record(door, form, record, problem);
    if (error == ERR_OK)
        error = take_record(door, record, problem);
    if (err_is_retriable(error))
        return error;
    draft_tell(door, record, error, problem);
    return ERR_OK;
}

static err take_all(struct door *door, const struct sensors_form *form, json_value root,
                    struct problem *problem)
{
    struct json_iterator iterator = json_iterate(root);
    json_value record;
    if (json_kind(root) == JSON_OBJECT)
        return take_and_tell(door, form, root, problem);
    if (json_kind(root) != JSON_ARRAY)
        return problem_set(problem, ERR_INVALID, "the data is neither a record nor a list of them");
    if (json_count(root) > door->worker->limits.batch_events_max)
        return problem_set(problem, ERR_TOO_LARGE, "the list has %zu records, at most %u are taken",
                           json_count(root), door->worker->limits.batch_events_max);
    while (json_next(&iterator, NULL, &record)) {
        err error = take_and_tell(door, form, record, problem);
        if (error != ERR_OK)
            return error;
    }
    return ERR_OK;
}

static err run_request(struct door *door, struct problem *problem)
{
    struct sensors_form form = { .data = STR_NONE };
    str body = STR_NONE, json = STR_NONE;
    json_value root;
    size_t begin = door->records->size;
    err error = body_unpack(door, &body, problem);
    if (error != ERR_OK)
        return error;
    bool plain = body.size > 0 && (body.data[0] == '{' || body.data[0] == '[');
    read_form(door, plain ? STR_NONE : body, &form);
    if (plain)
        json = body;
    else
        error = unwrap(door, &form, &json, problem);
    if (error == ERR_OK)
        error = json_parse(door->worker->parser, json, &root, problem);
    if (error == ERR_OK)
        error = take_all(door, &form, root, problem);
    if (error != ERR_OK) {
        door->records->size = begin;
        door->count = 0;
    }
    return error;
}

/* SDKs keep what is not answered 2xx or 304 and send it again: what never will be right is answered
 * 200 and told to the debugger, save in debug mode and for who is not known. */
static void answer_sensors(struct door *door, err error, const struct problem *problem, bool gif,
                           bool debug)
{
    bool unknown = error == ERR_UNAUTHENTICATED || error == ERR_NOT_FOUND || error == ERR_TOO_LARGE;
    if (err_is_retriable(error) || unknown || (debug && error != ERR_OK)) {
        answer_problem(door, problem);
        return;
    }
    if (gif)
        answer_text(door, 200, "image/gif", answer_gif);
    else
        answer_text(door, 200, "text/plain", STR_NONE);
}

void sensors_events(struct door *door, bool gif, bool debug)
{
    struct problem problem = { .error = ERR_OK };
    bool dry = debug && str_equal_ignoring_case(str_trim(door->request->dry_run), STR("true"));
    size_t begin = door->records->size;
    err error = run_request(door, &problem);
    if (error != ERR_OK && !err_is_retriable(error)) {
        /* The whole request was wrong: one refusal, without a record to show. */
        draft_tell(door, (json_value){ .document = NULL }, error, &problem);
    } else if (error == ERR_OK && door->count == 0 && door->refused > 0) {
        problem = door->first;
        error = problem.error == ERR_UNAUTHENTICATED || problem.error == ERR_NOT_FOUND || debug
                    ? problem.error
                    : ERR_OK;
    } else if (error == ERR_OK && debug && door->refused > 0) {
        problem = door->first;
        error = problem.error;
    }
    if (dry || (debug && error != ERR_OK)) {
        door->records->size = begin;
        door->count = 0;
    }
    bool get = str_equal(door->request->method, STR("GET"));
    answer_sensors(door, error, &problem, gif && get, debug);
}
