/* SPDX-License-Identifier: Apache-2.0 */
/* Whose record is it: the identities of Sensors Analytics (IDM 3) in our words. */
#include "base/metric.h"
#include "collect/sensors_inside.h"

enum { FLAGS_CLAIM, FLAGS_OWN };

struct identity_map {
    str key; /* without "$identity_" */
    str type, namespace_;
    int flags;
};

#define ROW(key, type, namespace_, flags)                       \
    {                                                           \
        LITERAL(key), LITERAL(type), LITERAL(namespace_), flags \
    }
static const struct identity_map identity_map[] = {
    ROW("login_id", "user_id", "", FLAGS_CLAIM),
    ROW("mobile", "mobile", "", FLAGS_CLAIM),
    ROW("email", "email", "", FLAGS_CLAIM),
    ROW("mp_unionid", "wx_unionid", "", FLAGS_CLAIM),
    ROW("mp_openid", "wx_openid", "*source", FLAGS_CLAIM),
    ROW("anonymous_id", "anonymous_id", "*source", FLAGS_OWN),
    ROW("cookie_id", "anonymous_id", "*source", FLAGS_OWN),
    ROW("mp_id", "anonymous_id", "*source", FLAGS_OWN),
    ROW("anonymous_uuid", "anonymous_id", "*source", FLAGS_OWN),
    ROW("android_id", "device", "android_id", FLAGS_OWN),
    ROW("android_uuid", "device", "android_uuid", FLAGS_OWN),
    ROW("idfv", "device", "idfv", FLAGS_OWN),
    ROW("idfa", "device", "idfa", FLAGS_OWN),
    ROW("oaid", "device", "oaid", FLAGS_OWN),
    ROW("imei", "device", "imei", FLAGS_OWN),
    ROW("ios_uuid", "device", "ios_uuid", FLAGS_OWN),
    ROW("harmony_uuid", "device", "harmony_uuid", FLAGS_OWN),
};
#undef ROW

static bool user_is_signed(const struct sensors_draft *draft, str user_id)
{
    str signature = json_text(json_get(draft->record.properties, SENSORS_SIGNATURE));
    return signature.size > 0 && source_signature_is_valid(draft->door->source, user_id, signature);
}

static err add(struct sensors_draft *draft, str type, str namespace_, str value, int flags)
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
    return account ? add(draft, STR("user_id"), STR_NONE, id, FLAGS_CLAIM)
                   : add(draft, STR("anonymous_id"), draft->door->source->key, id, FLAGS_OWN);
}

static err add_identity(struct sensors_draft *draft, str key, str value)
{
    str name = key, appid;
    if (str_starts_with(name, STR("$identity_")))
        name = str_slice(name, 10, name.size);
    for (size_t i = 0; i < sizeof identity_map / sizeof identity_map[0]; i++) {
        const struct identity_map *row = &identity_map[i];
        if (!str_equal(name, row->key))
            continue;
        bool by_source = str_equal(row->namespace_, STR("*source"));
        return add(draft, row->type, by_source ? draft->door->source->key : row->namespace_, value,
                   row->flags);
    }
    if (str_equal(name, STR("distinct_id")))
        return add_distinct(draft, value, draft->record.is_login);
    if (appid_between(name, STR("_openid"), &appid))
        return add(draft, STR("wx_openid"), appid, value, FLAGS_CLAIM);
    if (appid_between(name, STR("_unionid"), &appid))
        return add(draft, STR("wx_unionid"), STR_NONE, value, FLAGS_CLAIM);
    /* The brand's own: a type by its name. */
    if (!sensors_is_name(name)) {
        problem_set(draft->problem, ERR_INVALID, "the key '%.*s' of an identity is no name",
                    (int)(key.size < 40 ? key.size : 40), key.data);
        return problem_at(draft->problem, ERR_INVALID, "/identities");
    }
    return add(draft, name, STR_NONE, value, FLAGS_CLAIM);
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
    err error =
        draft_id_text(draft->door, draft->record.login_id, "/login_id", &login, draft->problem);
    if (error == ERR_OK)
        error = draft_id_text(draft->door, draft->record.anonymous_id, "/anonymous_id", &anonymous,
                              draft->problem);
    if (error == ERR_OK)
        error = add(draft, STR("user_id"), STR_NONE, login, FLAGS_CLAIM);
    if (error == ERR_OK)
        error = add(draft, STR("anonymous_id"), draft->door->source->key, anonymous, FLAGS_OWN);
    return error;
}

/* $SignUp: the account (distinct_id) and who she was before (original_id). */
static err add_signup(struct sensors_draft *draft, bool original_is_told)
{
    const struct sensors_record *record = &draft->record;
    err error = add(draft, STR("user_id"), STR_NONE, record->distinct, FLAGS_CLAIM);
    if (error == ERR_OK && !original_is_told)
        error =
            add(draft, STR("anonymous_id"), draft->door->source->key, record->original, FLAGS_OWN);
    return error;
}

err sensors_draft_identifiers(struct sensors_draft *draft)
{
    const struct sensors_record *record = &draft->record;
    struct event *event = &draft->door->worker->event;
    bool told = false;
    if (event->kind == EVENT_OBJECT)
        return ERR_OK;
    if (draft->is_nobody)
        return add(draft, STR("anonymous_id"), draft->door->source->key, record->distinct,
                   FLAGS_OWN);
    err error = add_identities(
        draft, record->type == RECORD_SIGNUP ? record->original : record->distinct, &told);
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

/* ---- who has not agreed ---- */

/* Whatever stands for her all day long; in the request's memory. */
static err read_sender(struct sensors_draft *draft, str *sender)
{
    const struct sensors_record *record = &draft->record;
    struct buffer *text = &draft->door->worker->encoded;
    err error = ERR_OK;
    *sender = record->distinct;
    if (sender->size == 0)
        error = draft_id_text(draft->door, record->anonymous_id, "/anonymous_id", sender,
                              draft->problem);
    if (error == ERR_OK && sender->size == 0)
        error = draft_id_text(draft->door, record->login_id, "/login_id", sender, draft->problem);
    if (error != ERR_OK || sender->size > 0 || json_kind(record->identities) != JSON_OBJECT)
        return error;
    buffer_clear(text);
    json_write_value(text, record->identities);
    *sender = buffer_str(text);
    return buffer_status(text);
}

/* Time and library of some SDKs stand among the properties: those two are kept. */
static void forget_content(struct sensors_record *record)
{
    json_value own_time = json_get(record->properties, STR("$time"));
    if (json_int(own_time, 0) > 0)
        record->time = own_time;
    if (json_kind(json_get(record->lib, STR("$lib"))) == JSON_MISSING)
        record->lib = record->properties;
    record->properties = record->identities = record->login_id = record->anonymous_id =
        record->original_id = (json_value){ .document = NULL };
    record->original = STR_NONE;
    record->is_login = false;
}

err sensors_forget_sender(struct sensors_draft *draft)
{
    str sender;
    err error = read_sender(draft, &sender);
    if (error == ERR_OK && sender.size == 0) {
        problem_set(draft->problem, ERR_INVALID, "a record without distinct_id and identities");
        return problem_at(draft->problem, ERR_INVALID, "/distinct_id");
    }
    draft->door->is_unsaid = draft->is_nobody = true;
    if (error == ERR_OK)
        error = collect_pseudonym(draft->door, sender, &draft->record.distinct);
    forget_content(&draft->record);
    if (error == ERR_OK)
        metric_add(METRIC_EVENTS_WITHOUT_CONSENT, 1);
    return error;
}
