/* SPDX-License-Identifier: Apache-2.0 */
/* Segment's door, and RudderStack's; wire facts in docs/connectors/segment.md. */
#include <string.h>

#include "collect/inside.h"
#include "collect/route.h"
#include "event/known.h"

#define TEXT_ID_BYTES_MAX 255

enum call { CALL_NONE, CALL_TRACK, CALL_IDENTIFY, CALL_PAGE, CALL_SCREEN, CALL_GROUP, CALL_ALIAS };

/* ---- context: what is kept of it, and what is used ---- */

struct segment_context {
    json_value page, campaign, library, device, os, app, locale, timezone, user_agent, ip,
        session_id, screen, network, referrer;
    json_value traits, external_ids, channel, historical, signature;
};

/* Compare with a literal of the size that the caller has switched on. */
#define IS(key, literal) (memcmp((key).data, (literal), sizeof(literal) - 1) == 0)

static void take_context_member(struct segment_context *context, str key, json_value value)
{
    switch (key.size) {
    case 2:
        if (IS(key, "os"))
            context->os = value;
        else if (IS(key, "ip"))
            context->ip = value;
        break;
    case 3:
        if (IS(key, "app"))
            context->app = value;
        break;
    case 4:
        if (IS(key, "page"))
            context->page = value;
        break;
    case 6:
        if (IS(key, "device"))
            context->device = value;
        else if (IS(key, "locale"))
            context->locale = value;
        else if (IS(key, "screen"))
            context->screen = value;
        else if (IS(key, "traits"))
            context->traits = value;
        break;
    case 7:
        if (IS(key, "library"))
            context->library = value;
        else if (IS(key, "channel"))
            context->channel = value;
        else if (IS(key, "network"))
            context->network = value;
        break;
    case 8:
        if (IS(key, "campaign"))
            context->campaign = value;
        else if (IS(key, "timezone"))
            context->timezone = value;
        else if (IS(key, "referrer"))
            context->referrer = value;
        break;
    case 9:
        if (IS(key, "userAgent"))
            context->user_agent = value;
        else if (IS(key, "sessionId"))
            context->session_id = value;
        break;
    case 10:
        if (IS(key, "historical"))
            context->historical = value;
        break;
    case 11:
        if (IS(key, "externalIds"))
            context->external_ids = value;
        break;
    case 15:
        if (IS(key, "userIdSignature"))
            context->signature = value;
        break;
    default:
        break;
    }
}

/* Those of a batch are under those of its items. */
static void take_context(struct segment_context *context, json_value object)
{
    struct json_iterator iterator = json_iterate(object);
    json_value value;
    str key;
    while (json_next(&iterator, &key, &value))
        take_context_member(context, key, value);
}

/* ---- an item ---- */

struct segment_item {
    json_value type, event, user_id, anonymous_id, previous_id, group_id, message_id, timestamp,
        original_timestamp, sent_at, properties, traits, name, category, channel;
    struct segment_context context;
};

static void take_item_member(struct segment_item *item, str key, json_value value)
{
    switch (key.size) {
    case 4:
        if (IS(key, "type"))
            item->type = value;
        else if (IS(key, "name"))
            item->name = value;
        break;
    case 5:
        if (IS(key, "event"))
            item->event = value;
        break;
    case 6:
        if (IS(key, "userId"))
            item->user_id = value;
        else if (IS(key, "sentAt"))
            item->sent_at = value;
        else if (IS(key, "traits"))
            item->traits = value;
        break;
    case 7:
        if (IS(key, "context"))
            take_context(&item->context, value);
        else if (IS(key, "channel"))
            item->channel = value;
        else if (IS(key, "groupId"))
            item->group_id = value;
        break;
    case 8:
        if (IS(key, "category"))
            item->category = value;
        break;
    case 9:
        if (IS(key, "timestamp"))
            item->timestamp = value;
        else if (IS(key, "messageId"))
            item->message_id = value;
        break;
    case 10:
        if (IS(key, "properties"))
            item->properties = value;
        else if (IS(key, "previousId"))
            item->previous_id = value;
        break;
    case 11:
        if (IS(key, "anonymousId"))
            item->anonymous_id = value;
        break;
    case 17:
        if (IS(key, "originalTimestamp"))
            item->original_timestamp = value;
        break;
    default:
        break;
    }
}

/* What is the same for all items of a request. */
struct segment_batch {
    struct segment_context context;
    enum call call;              /* by the path; NONE: the item says */
    int64_t sent_ms;             /* 0: not said */
    bool historical;
};

struct segment_draft {
    struct door *door;
    const struct segment_batch *batch;
    struct segment_item item;
    str user_id, anonymous_id;
    bool trusted;                /* server source */
    bool signed_user;            /* the user id carries a valid signature */
    bool claims;                 /* identifiers that a public source only says */
    struct problem *problem;
};

/* ---- time ---- */

/* Seconds or milliseconds by size: 10^11 seconds are the year 5138, 10^11 ms 1973. */
#define EPOCH_SECONDS_MAX INT64_C(100000000000)
#define TIME_MS_MAX INT64_C(253402300799999) /* 9999-12-31T23:59:59.999Z */

static bool read_time(json_value value, int64_t *out_ms)
{
    int64_t number;
    switch (json_kind(value)) {
    case JSON_TEXT:
        return time_parse(str_trim(json_text(value)), 0, out_ms) && *out_ms <= TIME_MS_MAX &&
               *out_ms >= -TIME_MS_MAX;
    case JSON_INT:
    case JSON_DOUBLE:
        number = json_int(value, INT64_MIN);
        if (number < -TIME_MS_MAX || number > TIME_MS_MAX)
            return false;
        *out_ms = number > -EPOCH_SECONDS_MAX && number < EPOCH_SECONDS_MAX ? number * 1000 : number;
        return true;
    case JSON_MISSING: case JSON_NULL: case JSON_BOOL: case JSON_ARRAY: case JSON_OBJECT:
    default:
        return false;
    }
}

static bool is_absent(json_value value)
{
    enum json_kind kind = json_kind(value);
    return kind == JSON_MISSING || kind == JSON_NULL ||
           (kind == JSON_TEXT && json_text(value).size == 0);
}

static err draft_times(struct segment_draft *draft)
{
    const struct segment_item *item = &draft->item;
    struct event *event = &draft->door->worker->event;
    json_value original = is_absent(item->original_timestamp) ? item->timestamp
                                                              : item->original_timestamp;
    int64_t original_ms = 0, sent_ms = 0;
    bool given = !is_absent(original);
    bool historical = draft->batch->historical || json_bool(item->context.historical, false);
    if (given && !read_time(original, &original_ms)) {
        problem_set(draft->problem, ERR_INVALID, "the timestamp is no time");
        problem_hint(draft->problem, ERR_INVALID, "send ISO 8601 with its zone, as in "
                                                  "2026-11-21T08:00:00.000Z");
        return problem_at(draft->problem, ERR_INVALID, "/timestamp");
    }
    if (!read_time(item->sent_at, &sent_ms))
        sent_ms = draft->batch->sent_ms;
    if (historical)
        event->flags |= EVENT_HISTORICAL;
    /* History has its true times: nothing to correct. */
    return draft_time(draft->door, given, original_ms, sent_ms, historical, draft->problem);
}

/* ---- identifiers ---- */

static uint8_t claim_flags(const struct segment_draft *draft)
{
    return draft->trusted ? IDENTIFIER_VERIFIED : 0;
}

static err claim(struct segment_draft *draft, str type, str namespace_, json_value value)
{
    uint32_t before = draft->door->worker->event.identifier_count;
    if (is_absent(value))
        return ERR_OK;
    err error = draft_identifier(draft->door, type, namespace_, value, claim_flags(draft),
                                 draft->problem);
    if (draft->door->worker->event.identifier_count > before)
        draft->claims = true;
    return error;
}

static err own(struct segment_draft *draft, str type, str namespace_, str value)
{
    return draft_identifier_text(draft->door, type, namespace_, value,
                                 (uint8_t)(IDENTIFIER_OWN | claim_flags(draft)), draft->problem);
}

/* What Segment's SDKs call the types of external ids, in our words. */
static bool map_external_type(str type, str *mapped, str *namespace_)
{
    static const struct {
        const char *from, *to, *namespace_;
    } map[] = {
        { "phone", "mobile", "" },        { "mobile", "mobile", "" },
        { "email", "email", "" },         { "user_id", "user_id", "" },
        { "ios.idfa", "device", "idfa" }, { "ios.id", "device", "idfv" },
        { "ios.idfv", "device", "idfv" }, { "android.idfa", "device", "gaid" },
        { "android.id", "device", "android_id" },
        { "android.push_token", NULL, "" }, { "ios.push_token", NULL, "" },
        { "group_id", NULL, "" },
    };
    for (size_t i = 0; i < sizeof map / sizeof map[0]; i++)
        if (str_equal(type, str_from_c(map[i].from))) {
            *mapped = str_from_c(map[i].to);
            if (map[i].namespace_[0] != '\0')
                *namespace_ = str_from_c(map[i].namespace_);
            return map[i].to != NULL;
        }
    *mapped = type;
    return true;
}

/* A type is a name of ours or the brand's: small letters, digits, '_' and '.'. */
static bool is_type_name(str type)
{
    bool good = type.size > 0 && type.size <= 64;
    for (size_t i = 0; i < type.size && good; i++) {
        char c = type.data[i];
        good = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '.';
    }
    return good;
}

static err draft_external_id(struct segment_draft *draft, json_value entry)
{
    str type = str_trim(json_text(json_get(entry, STR("type")))), mapped;
    str namespace_ = str_trim(json_text(json_get(entry, STR("collection"))));
    if (str_equal(namespace_, STR("users")))
        namespace_ = STR_NONE;
    if (!is_type_name(type) || namespace_.size > TEXT_ID_BYTES_MAX) {
        problem_set(draft->problem, ERR_INVALID, "an external id has no type that can be a name");
        problem_hint(draft->problem, ERR_INVALID, "types are small letters, digits and '_', as in "
                                                  "wx_openid");
        return problem_at(draft->problem, ERR_INVALID, "/context/externalIds");
    }
    if (!map_external_type(type, &mapped, &namespace_))
        return ERR_OK;
    json_value id = json_get(entry, STR("id"));
    if (str_equal(mapped, STR("anonymous_id")) || str_equal(mapped, STR("device"))) {
        str text;
        err error = draft_id_text(draft->door, id, "/context/externalIds", &text, draft->problem);
        if (error != ERR_OK)
            return error;
        if (namespace_.size == 0 && str_equal(mapped, STR("anonymous_id")))
            namespace_ = draft->door->source->key;
        return own(draft, mapped, namespace_, text);
    }
    return claim(draft, mapped, namespace_, id);
}

static err draft_external_ids(struct segment_draft *draft)
{
    struct json_iterator iterator = json_iterate(draft->item.context.external_ids);
    json_value entry;
    while (json_next(&iterator, NULL, &entry)) {
        err error = draft_external_id(draft, entry);
        if (error != ERR_OK)
            return error;
    }
    return ERR_OK;
}

/* The first that is there, of the traits said now, then of those that the SDK remembers. An object or
 * a list of phones says of no one of them that it is hers. */
static json_value find_claim(json_value said, json_value remembered, const char *name,
                             const char *other_name)
{
    const json_value places[] = { said, remembered };
    for (size_t i = 0; i < 2; i++) {
        json_value value = json_get(places[i], str_from_c(name));
        if (is_absent(value))
            value = json_get(places[i], str_from_c(other_name));
        if (!is_absent(value) && (json_kind(value) == JSON_TEXT || json_kind(value) == JSON_INT))
            return value;
    }
    return (json_value){ .document = NULL };
}

static err draft_claims_of_traits(struct segment_draft *draft, enum call call)
{
    json_value remembered = draft->item.context.traits, said = draft->item.traits;
    if (call != CALL_IDENTIFY)
        said = (json_value){ .document = NULL };
    if (json_count(said) == 0 && json_count(remembered) == 0)
        return ERR_OK;
    err error = claim(draft, STR("mobile"), STR_NONE,
                      find_claim(said, remembered, "phone", "mobile"));
    if (error == ERR_OK)
        error = claim(draft, STR("email"), STR_NONE, find_claim(said, remembered, "email", "Email"));
    return error;
}

static bool signature_is_valid(const struct segment_draft *draft)
{
    str signature = json_text(draft->item.context.signature);
    if (signature.size == 0)
        signature = json_text(json_get(draft->item.properties, STR("kith_signature")));
    return signature.size > 0 &&
           source_signature_is_valid(draft->door->source, draft->user_id, signature);
}

static err draft_user_id(struct segment_draft *draft)
{
    if (draft->user_id.size == 0)
        return ERR_OK;
    draft->signed_user = !draft->trusted && signature_is_valid(draft);
    if (!draft->trusted && !draft->signed_user)
        draft->claims = true;
    uint8_t flags = draft->trusted || draft->signed_user ? IDENTIFIER_VERIFIED : 0;
    return draft_identifier_text(draft->door, STR("user_id"), STR_NONE, draft->user_id, flags,
                                 draft->problem);
}

/* A UUID is what SDKs draw for visitors. */
static bool looks_drawn(str id)
{
    if (id.size != 36)
        return false;
    for (size_t i = 0; i < id.size; i++) {
        bool dash = i == 8 || i == 13 || i == 18 || i == 23;
        char c = id.data[i];
        bool hex = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
        if (dash ? c != '-' : !hex)
            return false;
    }
    return true;
}

/* previousId does not say what it is: the visitor's id, or the account's former one. */
static err draft_previous_id(struct segment_draft *draft)
{
    str previous;
    err error = draft_id_text(draft->door, draft->item.previous_id, "/previousId", &previous,
                              draft->problem);
    if (error != ERR_OK)
        return error;
    if (str_equal(previous, draft->anonymous_id) || looks_drawn(previous))
        return own(draft, STR("anonymous_id"), draft->door->source->key, previous);
    if (!draft->trusted)
        draft->claims = true;
    return draft_identifier_text(draft->door, STR("user_id"), STR_NONE, previous,
                                 claim_flags(draft), draft->problem);
}

static err draft_identifiers(struct segment_draft *draft, enum call call)
{
    const struct segment_item *item = &draft->item;
    struct door *door = draft->door;
    err error = draft_user_id(draft);
    if (error == ERR_OK)
        error = own(draft, STR("anonymous_id"), door->source->key, draft->anonymous_id);
    if (error == ERR_OK && json_kind(item->context.device) == JSON_OBJECT) {
        str device;
        error = draft_id_text(door, json_get(item->context.device, STR("id")), "/context/device/id",
                              &device, draft->problem);
        if (error == ERR_OK)
            error = own(draft, STR("device"), STR_NONE, device);
    }
    if (error == ERR_OK)
        error = draft_claims_of_traits(draft, call);
    if (error == ERR_OK && json_kind(item->context.external_ids) == JSON_ARRAY)
        error = draft_external_ids(draft);
    if (error == ERR_OK && call == CALL_ALIAS)
        error = draft_previous_id(draft);
    /* A signature proves the user id, not what else is claimed beside it. */
    if (draft->signed_user && !draft->claims)
        door->worker->event.flags |= EVENT_TRUSTED;
    return error;
}

/* ---- channel ---- */

static bool has(str text, const char *part)
{
    return str_contains(text, str_from_c(part));
}

static str channel_of_library(str library)
{
    if (str_equal(library, STR("analytics.js")) || has(library, "JavaScript"))
        return STR("web");
    if (has(library, "mini"))
        return STR("mini_program");
    if (has(library, "ios") || has(library, "android") || has(library, "swift") ||
        has(library, "kotlin") || has(library, "react-native") || has(library, "flutter"))
        return STR("app");
    if (has(library, "analytics-"))
        return STR("server");
    return STR_NONE;
}

static str channel_of_rudder(str channel)
{
    if (str_equal(channel, STR("mobile")))
        return STR("app");
    return channel;
}

static str channel_of(struct segment_draft *draft)
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

static void write_name(struct context_writer *writer, const char *name)
{
    buffer_append_byte(writer->out, writer->first ? '{' : ',');
    writer->first = false;
    buffer_append_byte(writer->out, '"');
    buffer_append_str(writer->out, str_from_c(name));
    buffer_append(writer->out, "\":", 2);
}

static void write_part(struct context_writer *writer, const char *name, json_value value)
{
    enum json_kind kind = json_kind(value);
    if (kind == JSON_MISSING || kind == JSON_NULL || (json_count(value) == 0 && kind == JSON_OBJECT))
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
    static const char *const kept[] = { "id", "type", "manufacturer", "model", "brand" };
    bool first = true;
    if (json_kind(device) != JSON_OBJECT || json_count(device) == 0)
        return;
    write_name(writer, "device");
    buffer_append_byte(writer->out, '{');
    for (size_t i = 0; i < sizeof kept / sizeof kept[0]; i++) {
        json_value value = json_get(device, str_from_c(kept[i]));
        enum json_kind kind = json_kind(value);
        if (kind != JSON_TEXT && kind != JSON_INT)
            continue;
        if (!first)
            buffer_append_byte(writer->out, ',');
        first = false;
        json_write_text(writer->out, str_from_c(kept[i]));
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
    write_name(writer, "ip");
    json_write_text(writer->out, text);
}

static void write_user_agent(struct context_writer *writer, json_value agent, bool from_client)
{
    str text = json_text(agent);
    if (text.size == 0 && from_client)
        text = writer->door->request->user_agent;
    if (text.size == 0)
        return;
    write_name(writer, "userAgent");
    json_write_text(writer->out, str_slice(text, 0, str_utf8_prefix_bytes(text, 512)));
}

static err draft_context(struct segment_draft *draft)
{
    struct collect_worker *worker = draft->door->worker;
    const struct segment_context *context = &draft->item.context;
    struct context_writer writer = { .door = draft->door, .out = &worker->text, .first = true };
    size_t begin = worker->text.size;
    write_part(&writer, "page", context->page);
    write_part(&writer, "campaign", context->campaign);
    write_part(&writer, "referrer", context->referrer);
    write_part(&writer, "library", context->library);
    write_device(&writer, context->device);
    write_part(&writer, "os", context->os);
    write_part(&writer, "app", context->app);
    write_part(&writer, "screen", context->screen);
    write_part(&writer, "network", context->network);
    write_part(&writer, "locale", context->locale);
    write_part(&writer, "timezone", context->timezone);
    write_user_agent(&writer, context->user_agent, !draft->trusted);
    write_ip(&writer, context->ip, !draft->trusted);
    write_part(&writer, "sessionId", context->session_id);
    if ((worker->event.flags & EVENT_HISTORICAL) != 0) {
        write_name(&writer, "historical");
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

/* ---- calls ---- */

static enum call call_named(str name)
{
    static const struct {
        const char *name;
        enum call call;
    } calls[] = { { "track", CALL_TRACK }, { "identify", CALL_IDENTIFY }, { "page", CALL_PAGE },
                  { "screen", CALL_SCREEN }, { "group", CALL_GROUP }, { "alias", CALL_ALIAS } };
    for (size_t i = 0; i < sizeof calls / sizeof calls[0]; i++)
        if (str_equal(name, str_from_c(calls[i].name)))
            return calls[i].call;
    return CALL_NONE;
}

static err draft_event_name(struct segment_draft *draft, str *name)
{
    err error = draft_id_text(draft->door, draft->item.event, "/event", name, draft->problem);
    if (error != ERR_OK)
        return error;
    if (name->size == 0) {
        problem_set(draft->problem, ERR_INVALID, "a track call without the name of its event");
        return problem_at(draft->problem, ERR_INVALID, "/event");
    }
    if (name->size > EVENT_NAME_BYTES_MAX) {
        problem_set(draft->problem, ERR_INVALID, "the name of the event has %zu bytes, at most %d "
                                                 "are taken", name->size, EVENT_NAME_BYTES_MAX);
        problem_hint(draft->problem, ERR_INVALID, "what varies belongs into properties");
        return problem_at(draft->problem, ERR_INVALID, "/event");
    }
    return ERR_OK;
}

static err begin_call(struct segment_draft *draft, enum call call)
{
    str name = STR_NONE;
    err error = ERR_OK;
    switch (call) {
    case CALL_TRACK:
        error = draft_event_name(draft, &name);
        if (error == ERR_OK)
            draft_begin(draft->door, EVENT_TRACK, name);
        return error;
    case CALL_IDENTIFY:
        draft_begin(draft->door, EVENT_IDENTIFY, STR("Identify"));
        return ERR_OK;
    case CALL_PAGE:
        draft_begin(draft->door, EVENT_PAGE, STR("Page Viewed"));
        return ERR_OK;
    case CALL_SCREEN:
        draft_begin(draft->door, EVENT_SCREEN, STR("Screen Viewed"));
        return ERR_OK;
    case CALL_GROUP:
        draft_begin(draft->door, EVENT_GROUP, STR("Group"));
        return ERR_OK;
    case CALL_ALIAS:
        draft_begin(draft->door, EVENT_ALIAS, STR("Alias"));
        return ERR_OK;
    case CALL_NONE:
        break;
    }
    problem_set(draft->problem, ERR_INVALID, "the type of the call is none of track, identify, "
                                             "page, screen, group, alias");
    return problem_at(draft->problem, ERR_INVALID, "/type");
}

static err admit_property(str name, json_value value, bool *skip, struct problem *problem)
{
    (void)value;
    (void)problem;
    if (str_equal(name, STR("kith_signature")))
        *skip = true;
    return ERR_OK;
}

static err need_object(struct segment_draft *draft, json_value value, const char *place)
{
    enum json_kind kind = json_kind(value);
    if (kind == JSON_MISSING || kind == JSON_NULL || kind == JSON_OBJECT)
        return ERR_OK;
    problem_set(draft->problem, ERR_INVALID, "%s is not an object", place + 1);
    return problem_at(draft->problem, ERR_INVALID, "%s", place);
}

static err draft_properties(struct segment_draft *draft, enum call call)
{
    const struct segment_item *item = &draft->item;
    struct event *event = &draft->door->worker->event;
    bool viewed = call == CALL_PAGE || call == CALL_SCREEN;
    struct draft_rules rules = { .admit = admit_property };
    struct draft_more more[2] = { { STR("name"), json_text(item->name) },
                                  { STR("category"), json_text(item->category) } };
    err error = need_object(draft, item->properties, "/properties");
    if (error != ERR_OK || (call != CALL_TRACK && !viewed))
        return error;
    if (call == CALL_TRACK) {
        const struct known_event *known = known_event(event->type);
        rules.lines_make_revenue = known != NULL && known->is_order;
    }
    return draft_props(draft->door, item->properties, &rules, more, viewed ? 2 : 0, draft->problem);
}

/* Rudder's browser SDK has the traits of identify in the context alone. */
static err draft_call_traits(struct segment_draft *draft, enum call call)
{
    err error = need_object(draft, draft->item.traits, "/traits");
    if (error == ERR_OK && call == CALL_IDENTIFY)
        error = draft_traits(draft->door, draft->item.context.traits, TRAIT_SET, NULL,
                             draft->problem);
    if (error == ERR_OK && (call == CALL_IDENTIFY || call == CALL_GROUP))
        error = draft_traits(draft->door, draft->item.traits, TRAIT_SET, NULL, draft->problem);
    return error;
}

static err draft_group(struct segment_draft *draft)
{
    struct event *event = &draft->door->worker->event;
    str group;
    err error = draft_id_text(draft->door, draft->item.group_id, "/groupId", &group, draft->problem);
    if (error != ERR_OK)
        return error;
    if (group.size == 0 || group.size > TEXT_ID_BYTES_MAX) {
        problem_set(draft->problem, ERR_INVALID, "a group call without a groupId of at most %d bytes",
                    TEXT_ID_BYTES_MAX);
        return problem_at(draft->problem, ERR_INVALID, "/groupId");
    }
    event->object_kind = STR("group");
    event->object_id = group;
    return ERR_OK;
}

static err draft_message(struct segment_draft *draft)
{
    str id;
    err error = draft_id_text(draft->door, draft->item.message_id, "/messageId", &id,
                              draft->problem);
    if (error != ERR_OK)
        return error;
    if (id.size > 0)
        draft_message_key(draft->door, &id, 1);
    else
        draft_random_message_key(draft->door);
    return ERR_OK;
}

/* Whose event is it? */
static err read_ids(struct segment_draft *draft)
{
    struct door *door = draft->door;
    err error = draft_id_text(door, draft->item.user_id, "/userId", &draft->user_id, draft->problem);
    if (error == ERR_OK)
        error = draft_id_text(door, draft->item.anonymous_id, "/anonymousId", &draft->anonymous_id,
                              draft->problem);
    if (error == ERR_OK && draft->user_id.size == 0 && draft->anonymous_id.size == 0)
        error = problem_set(draft->problem, ERR_INVALID,
                            "request neither has anonymousId nor userId");
    return error;
}

/* An alias of an id to itself, as browsers send it, says nothing. */
static bool is_void_alias(struct segment_draft *draft, enum call call, err *error)
{
    str previous;
    if (call != CALL_ALIAS)
        return false;
    *error = draft_id_text(draft->door, draft->item.previous_id, "/previousId", &previous,
                           draft->problem);
    if (*error != ERR_OK)
        return false;
    if (previous.size == 0 || draft->user_id.size == 0) {
        problem_set(draft->problem, ERR_INVALID, "an alias call without previousId and userId");
        *error = problem_at(draft->problem, ERR_INVALID, "/previousId");
        return false;
    }
    if (!str_equal(previous, draft->user_id))
        return false;
    draft_begin(draft->door, EVENT_ALIAS, STR("Alias")); /* for the debugger's eyes */
    draft_random_message_key(draft->door);
    return true;
}

static err draft_item(struct segment_draft *draft, enum call call)
{
    err error = begin_call(draft, call);
    if (error == ERR_OK && call == CALL_GROUP)
        error = draft_group(draft);
    if (error == ERR_OK)
        error = draft_times(draft);
    if (error == ERR_OK)
        error = draft_message(draft);
    if (error == ERR_OK)
        error = draft_identifiers(draft, call);
    if (error == ERR_OK)
        error = draft_properties(draft, call);
    if (error == ERR_OK)
        error = draft_call_traits(draft, call);
    if (error == ERR_OK)
        error = draft_context(draft);
    if (error != ERR_OK)
        return error;
    draft->door->worker->event.channel = channel_of(draft);
    return draft_finish(draft->door, draft->problem);
}

/* Only bodies larger than one event may be are measured item by item. */
static err check_size(struct door *door, json_value item, struct problem *problem)
{
    struct buffer *text = &door->worker->text;
    size_t limit = door->worker->limits.event_bytes_max;
    if (!door->measure_items)
        return ERR_OK;
    buffer_clear(text);
    json_write_value(text, item);
    if (!text->failed && text->size <= limit)
        return ERR_OK;
    problem_set(problem, ERR_TOO_LARGE, "the event has more than %zu bytes", limit);
    return problem_hint(problem, ERR_TOO_LARGE, "keep long texts and files elsewhere and send links");
}

static err take_item(struct door *door, const struct segment_batch *batch, json_value value,
                     struct problem *problem)
{
    struct segment_draft draft = { .door = door, .batch = batch, .problem = problem,
                                   .trusted = door->source->kind == SOURCE_SERVER };
    struct json_iterator iterator = json_iterate(value);
    json_value member;
    str key;
    if (json_kind(value) != JSON_OBJECT)
        return problem_set(problem, ERR_INVALID, "a call is not a JSON object");
    err error = check_size(door, value, problem);
    if (error != ERR_OK)
        return error;
    draft.item.context = batch->context;
    while (json_next(&iterator, &key, &member))
        take_item_member(&draft.item, key, member);
    enum call call = batch->call != CALL_NONE ? batch->call
                                              : call_named(json_text(draft.item.type));
    error = read_ids(&draft);
    if (error == ERR_OK && is_void_alias(&draft, call, &error))
        return ERR_OK;
    return error != ERR_OK ? error : draft_item(&draft, call);
}

/* ---- requests ---- */

static str basic_key(struct door *door, str header)
{
    str decoded;
    if (header.size < 6 || !str_equal_ignoring_case(str_slice(header, 0, 6), STR("basic ")))
        return STR_NONE;
    if (!base64_decode(&door->worker->arena, str_trim(str_slice(header, 6, header.size)), &decoded))
        return STR_NONE;
    return str_slice(decoded, 0, str_find_byte(decoded, ':'));
}

/* Header, then body, then query, then the first item of a batch. */
static str write_key_of(struct door *door, json_value root)
{
    str key = basic_key(door, str_trim(door->request->authorization));
    if (key.size == 0)
        key = json_text(json_get(root, STR("writeKey")));
    if (key.size == 0 &&
        !form_value(&door->worker->arena, door->request->query, STR("writeKey"), &key))
        key = STR_NONE;
    if (key.size == 0)
        key = json_text(json_get(json_at(json_get(root, STR("batch")), 0), STR("writeKey")));
    return key;
}

static err find_source(struct door *door, str write_key, struct problem *problem)
{
    if (write_key.size == 0) {
        problem_set(problem, ERR_UNAUTHENTICATED, "failed to read writekey from header");
        return problem_hint(problem, ERR_UNAUTHENTICATED, "Authorization: Basic base64(writeKey:), "
                                                          "or writeKey in the body");
    }
    door->source = source_by_write_key(door->sources, door->worker->keys, write_key);
    if (door->source == NULL)
        return problem_set(problem, ERR_UNAUTHENTICATED, "invalid write key");
    if (door->source->disabled)
        return problem_set(problem, ERR_NOT_FOUND, "source is disabled");
    return ERR_OK;
}

/* Take one item; false when the whole request has to be given up (and tried again later). */
static bool take_and_tell(struct door *door, const struct segment_batch *batch, json_value item,
                          size_t index, struct problem *problem)
{
    *problem = (struct problem){ .error = ERR_OK };
    err error = take_item(door, batch, item, problem);
    if (err_is_retriable(error))
        return false;
    if (error != ERR_OK && batch->call == CALL_NONE) {
        char inner[sizeof problem->pointer];
        memcpy(inner, problem->pointer, sizeof inner);
        problem_at(problem, error, "/batch/%zu%.100s", index, inner);
    }
    draft_tell(door, item, error, problem);
    return true;
}

static err take_all(struct door *door, const struct segment_batch *batch, json_value root,
                    struct problem *problem)
{
    json_value items = json_get(root, STR("batch")), item;
    struct json_iterator iterator = json_iterate(items);
    size_t index = 0;
    if (json_kind(items) != JSON_ARRAY)
        return take_and_tell(door, batch, root, 0, problem) ? ERR_OK : problem->error;
    while (json_next(&iterator, NULL, &item))
        if (!take_and_tell(door, batch, item, index++, problem))
            return problem->error;
    return ERR_OK;
}

static err check_batch(struct door *door, json_value root, bool single, struct problem *problem)
{
    json_value items = json_get(root, STR("batch"));
    if (json_kind(root) != JSON_OBJECT)
        return problem_set(problem, ERR_INVALID, "invalid json: the body is not an object");
    if (single)
        return ERR_OK;
    if (json_kind(items) != JSON_ARRAY)
        return problem_set(problem, ERR_INVALID, "the body has no list 'batch'");
    if (json_count(items) == 0)
        return problem_set(problem, ERR_INVALID, "empty batch payload");
    if (json_count(items) > door->worker->limits.batch_events_max) {
        problem_set(problem, ERR_TOO_LARGE, "the batch has %zu events, at most %u are taken",
                    json_count(items), door->worker->limits.batch_events_max);
        return problem_hint(problem, ERR_TOO_LARGE, "send smaller batches");
    }
    return ERR_OK;
}

/* One call alone that is wrong, or a batch of which nothing is right, is told so; of others the rest
 * is taken, as Segment does. */
static void answer_events(struct door *door)
{
    if (door->count == 0 && door->refused > 0)
        answer_problem(door, &door->first);
    else
        answer_text(door, 200, "application/json", STR("{\"success\":true}"));
}

/* The whole request is wrong: one refusal, without an item to show. */
static void refuse_request(struct door *door, err error, const struct problem *problem)
{
    if (!err_is_retriable(error))
        draft_tell(door, (json_value){ .document = NULL }, error, problem);
    answer_problem(door, problem);
}

static err run_request(struct door *door, struct segment_batch *batch, str body, bool single,
                       struct problem *problem)
{
    json_value root;
    size_t begin = door->records->size;
    if (str_trim(body).size == 0)
        return problem_set(problem, ERR_INVALID, "request body is nil");
    err error = json_parse(door->worker->parser, body, &root, problem);
    if (error == ERR_OK)
        error = check_batch(door, root, single, problem);
    if (error == ERR_OK)
        error = find_source(door, write_key_of(door, root), problem);
    if (error != ERR_OK)
        return error;
    door->measure_items = body.size > door->worker->limits.event_bytes_max;
    if (!single) {
        take_context(&batch->context, json_get(root, STR("context")));
        if (!read_time(json_get(root, STR("sentAt")), &batch->sent_ms))
            batch->sent_ms = 0;
    }
    error = take_all(door, batch, root, problem);
    if (error != ERR_OK) {
        door->records->size = begin;
        door->count = 0;
    }
    return error;
}

static enum call call_of_route(enum route route)
{
    switch (route) {
    case ROUTE_IDENTIFY: case ROUTE_IDENTIFY_SHORT:
        return CALL_IDENTIFY;
    case ROUTE_TRACK: case ROUTE_TRACK_SHORT: case ROUTE_PIXEL_TRACK:
        return CALL_TRACK;
    case ROUTE_PAGE: case ROUTE_PAGE_SHORT: case ROUTE_PIXEL_PAGE:
        return CALL_PAGE;
    case ROUTE_SCREEN: case ROUTE_SCREEN_SHORT:
        return CALL_SCREEN;
    case ROUTE_GROUP: case ROUTE_GROUP_SHORT:
        return CALL_GROUP;
    case ROUTE_ALIAS: case ROUTE_ALIAS_SHORT:
        return CALL_ALIAS;
    case ROUTE_NONE: case ROUTE_BATCH: case ROUTE_BATCH_SHORT: case ROUTE_IMPORT:
    case ROUTE_METRICS: case ROUTE_BEACON: case ROUTE_SETTINGS: case ROUTE_SOURCE_CONFIG:
    case ROUTE_SENSORS: case ROUTE_SENSORS_GIF: case ROUTE_SENSORS_DEBUG:
    default:
        return CALL_NONE;
    }
}

void segment_events(struct door *door, int route)
{
    struct problem problem = { .error = ERR_OK };
    struct segment_batch batch = { .call = call_of_route((enum route)route),
                                   .historical = route == ROUTE_IMPORT };
    str body = STR_NONE;
    err error = body_unpack(door, &body, &problem);
    if (error == ERR_OK)
        error = run_request(door, &batch, body, batch.call != CALL_NONE, &problem);
    if (error != ERR_OK)
        refuse_request(door, error, &problem);
    else
        answer_events(door);
}

/* ---- the pixel: the members of a call as fields of the query ---- */

/* "properties.x=1" is a member of the object `properties`; `prefix` with its dot. */
static void write_dotted(struct door *door, struct json_writer *writer, str prefix)
{
    str form = door->request->query, name, value;
    while (form_next(&door->worker->arena, &form, &name, &value))
        if (name.size > prefix.size && str_starts_with(name, prefix))
            json_member_text(writer, str_slice(name, prefix.size, name.size), value);
}

static void write_pixel_body(struct door *door, struct buffer *out)
{
    static const char *const texts[] = { "userId", "anonymousId", "event", "messageId", "timestamp",
                                         "originalTimestamp", "sentAt", "name", "category",
                                         "channel", "writeKey" };
    struct json_writer writer;
    struct arena *arena = &door->worker->arena;
    str value;
    json_writer_init(&writer, out);
    json_begin_object(&writer);
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        if (form_value(arena, door->request->query, str_from_c(texts[i]), &value) &&
            str_is_utf8(value))
            json_member_text(&writer, str_from_c(texts[i]), value);
    json_put_key(&writer, STR("properties"));
    if (form_value(arena, door->request->query, STR("properties"), &value) &&
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
        error = run_request(door, &batch, buffer_str(body), true, &problem);
    if (error != ERR_OK)
        refuse_request(door, error, &problem);
    else if (door->count == 0 && door->refused > 0)
        answer_problem(door, &door->first);
    else
        answer_text(door, 200, "image/gif", answer_gif);
}

/* ---- settings that browser SDKs load first ---- */

static const struct source *source_for_settings(struct door *door, str write_key)
{
    struct problem problem = { .error = ERR_OK };
    if (find_source(door, write_key, &problem) == ERR_OK)
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
    if (form_next(&door->worker->arena, &form, &decoded, &value) &&
        source_for_settings(door, decoded) == NULL)
        return;
    if (door->source == NULL ||
        arena_printf(&door->worker->arena, &host, STR_FMT "/v1", STR_ARG(door->request->host)) !=
            ERR_OK) {
        answer_text(door, 503, "text/plain", STR("no memory"));
        return;
    }
    buffer_clear(out);
    buffer_append_str(out, STR("{\"integrations\":{\"Segment.io\":{\"apiKey\":"));
    json_write_text(out, decoded);
    buffer_append_str(out, STR(",\"apiHost\":"));
    json_write_text(out, host);
    buffer_append_str(out, STR(
        ",\"addBundledMetadata\":true,\"unbundledIntegrations\":[],\"maybeBundledConfigIds\":{},"
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
    if (!form_value(&door->worker->arena, door->request->query, STR("writeKey"), &key))
        key = basic_key(door, str_trim(door->request->authorization));
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
    buffer_append_str(out, STR(
        ",\"enabled\":true,\"workspaceId\":\"kith\",\"config\":{\"statsCollection\":{"
        "\"errors\":{\"enabled\":false},\"metrics\":{\"enabled\":false}}},\"destinations\":[],"
        "\"dataplanes\":{}},\"updatedAt\":\"2024-01-01T00:00:00Z\"}"));
    answer_settings(door);
}
