/* SPDX-License-Identifier: Apache-2.0 */
/* Whose event is it: the identifiers of one of Segment's calls. */
#include "collect/segment_inside.h"

static uint8_t claim_flags(const struct segment_draft *draft)
{
    return draft->trusted ? IDENTIFIER_VERIFIED : 0;
}

static err claim(struct segment_draft *draft, str type, str namespace_, json_value value)
{
    uint32_t before = draft->door->worker->event.identifier_count;
    if (segment_is_absent(value))
        return ERR_OK;
    err error =
        draft_identifier(draft->door, type, namespace_, value, claim_flags(draft), draft->problem);
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
        str from, to, namespace_;
    } map[] = {
#define ROW(from, to, namespace_) { LITERAL(from), LITERAL(to), LITERAL(namespace_) }
        ROW("phone", "mobile", ""),
        ROW("email", "email", ""),
        ROW("ios.idfa", "device", "idfa"),
        ROW("ios.id", "device", "idfv"),
        ROW("ios.idfv", "device", "idfv"),
        ROW("android.idfa", "device", "gaid"),
        ROW("android.id", "device", "android_id"),
        /* what reaches a device, or a group, names nobody */
        ROW("ios.push_token", "", ""),
        ROW("android.push_token", "", ""),
        ROW("group_id", "", ""),
#undef ROW
    };
    for (size_t i = 0; i < sizeof map / sizeof map[0]; i++)
        if (str_equal(type, map[i].from)) {
            *mapped = map[i].to;
            if (map[i].namespace_.size > 0)
                *namespace_ = map[i].namespace_;
            return map[i].to.size > 0;
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
        problem_hint(draft->problem, ERR_INVALID,
                     "types are small letters, digits and '_', as in "
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
static json_value find_claim(json_value said, json_value remembered, str name, str other_name)
{
    const json_value places[] = { said, remembered };
    for (size_t i = 0; i < 2; i++) {
        json_value value = json_get(places[i], name);
        if (segment_is_absent(value))
            value = json_get(places[i], other_name);
        if (!segment_is_absent(value) &&
            (json_kind(value) == JSON_TEXT || json_kind(value) == JSON_INT))
            return value;
    }
    return (json_value){ .document = NULL };
}

static err draft_claims_of_traits(struct segment_draft *draft, enum segment_type call)
{
    json_value remembered = draft->item.context.traits, said = draft->item.traits;
    if (call != CALL_IDENTIFY)
        said = (json_value){ .document = NULL };
    if (json_count(said) == 0 && json_count(remembered) == 0)
        return ERR_OK;
    err error = claim(draft, STR("mobile"), STR_NONE,
                      find_claim(said, remembered, STR("phone"), STR("mobile")));
    if (error == ERR_OK)
        error = claim(draft, STR("email"), STR_NONE,
                      find_claim(said, remembered, STR("email"), STR("Email")));
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

err segment_draft_identifiers(struct segment_draft *draft, enum segment_type call)
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
