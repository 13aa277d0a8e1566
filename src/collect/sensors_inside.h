/* SPDX-License-Identifier: Apache-2.0 */
/* Inside the door of Sensors Analytics: one record on its way from JSON to an event.
 *
 *     sensors.c           a request: form, base64, crc, source, answers
 *     sensors_record.c    one record → one event: type, time, message key, context, content
 *     sensors_rules.c     what names and values may be
 *     sensors_who.c       identities
 */
#ifndef KITH_COLLECT_SENSORS_INSIDE_H
#define KITH_COLLECT_SENSORS_INSIDE_H

#include "collect/inside.h"

/* X(NAME, type on the wire, kind, event type when the record has none, trait operation) */
#define RECORD_TABLE(X)                                                                    \
    X(TRACK, "track", EVENT_TRACK, "", TRAIT_SET)                                          \
    X(SIGNUP, "track_signup", EVENT_BIND, "$SignUp", TRAIT_SET)                            \
    X(BIND, "track_id_bind", EVENT_BIND, "$BindID", TRAIT_SET)                             \
    X(UNBIND, "track_id_unbind", EVENT_UNBIND, "$UnbindID", TRAIT_SET)                     \
    X(SET, "profile_set", EVENT_PROFILE, "Profile Set", TRAIT_SET)                         \
    X(SET_ONCE, "profile_set_once", EVENT_PROFILE, "Profile Set Once", TRAIT_SET_ONCE)     \
    X(INCREMENT, "profile_increment", EVENT_PROFILE, "Profile Increment", TRAIT_INCREMENT) \
    X(APPEND, "profile_append", EVENT_PROFILE, "Profile Append", TRAIT_APPEND)             \
    X(UNSET, "profile_unset", EVENT_PROFILE, "Profile Unset", TRAIT_UNSET)                 \
    X(DELETE, "profile_delete", EVENT_PROFILE, "Profile Delete", TRAIT_SET)                \
    X(ITEM_SET, "item_set", EVENT_OBJECT, "Item Set", TRAIT_SET)                           \
    X(ITEM_DELETE, "item_delete", EVENT_OBJECT, "Item Delete", TRAIT_SET)

enum sensors_type {
#define X(NAME, ...) RECORD_##NAME,
    RECORD_TABLE(X)
#undef X
        RECORD_TYPE_COUNT
};

struct sensors_record {
    enum sensors_type type;
    json_value event, time, flush_time, time_free, distinct_id, original_id, login_id, anonymous_id,
        identities, properties, track_id, item_type, item_id, lib;
    str distinct, original;
    bool is_login; /* $is_login_id: distinct_id is an account */
};

struct sensors_draft {
    struct door *door;
    struct sensors_record record;
    bool trusted;
    bool signed_user; /* a valid signature of the account is on it */
    bool claims;      /* what a public source only says */
    bool is_nobody;   /* made anonymous: distinct is a pseudonym */
    struct problem *problem;
};

#define SENSORS_SIGNATURE STR("kith_signature")

/* ---- sensors_rules.c ---- */
bool sensors_is_name(str name);
extern const struct draft_rules sensors_event_rules, sensors_unset_rules, sensors_number_rules,
    sensors_list_rules;

/* ---- sensors_who.c ---- */
err sensors_draft_identifiers(struct sensors_draft *draft) MUST_USE;
/* What says who it was goes, before anything is made of the record. */
err sensors_forget_sender(struct sensors_draft *draft) MUST_USE;

/* ---- sensors.c ---- */
/* A record, or a list of them, that came otherwise than by HTTP. */
err sensors_take_message(struct door *door, str text, struct problem *problem) MUST_USE;

/* ---- sensors_record.c ---- */
err sensors_take_record(struct door *door, json_value value, struct problem *problem) MUST_USE;

#endif
