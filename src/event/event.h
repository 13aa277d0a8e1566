/* SPDX-License-Identifier: Apache-2.0 */
/* event: the one normal form of everything that a customer does or is said to be.
 *
 * Doors decode into it, the log carries it, the engine applies it, the warehouse keeps it. It is
 * bytes first: `event_encode` writes a record body, `event_decode` gives a view whose texts point
 * into these bytes. The layout is in docs/formats/event.md and has a version byte.
 *
 * Invariants
 *   E1 a value that names a person is sealed (access/seal.h) before the event is encoded; what can be
 *      searched is a keyed hash.
 *   E2 identifiers are normalised at the door (event/normalise.h) and ordered by strength, as
 *      in docs/formats/event.md; the first is the origin of the event.
 *   E3 the same input gives the same bytes, apart from the nonces of sealed values.
 *   E4 an event is at most EVENT_BYTES_MAX, and its lists are within the limits below.
 */
#ifndef KITH_EVENT_EVENT_H
#define KITH_EVENT_EVENT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buffer.h"
#include "base/digest.h"
#include "base/error.h"
#include "base/json.h"
#include "base/str.h"
#include "store/warehouse.h" /* the promoted columns */

#define EVENT_BYTES_MAX (256 * 1024)
#define EVENT_IDENTIFIERS_MAX 32
#define EVENT_TRAITS_MAX 500
#define EVENT_NAME_BYTES_MAX 200
#define HASH_BYTES 16

enum event_kind {
    EVENT_TRACK = 1, /* something happened */
    EVENT_IDENTIFY,  /* what is said of the customer; traits */
    EVENT_PAGE,
    EVENT_SCREEN,
    EVENT_GROUP,   /* a relation to an object of kind 'group'; traits are the object's */
    EVENT_ALIAS,   /* two identifiers are one person's */
    EVENT_BIND,    /* Sensors $BindID, $SignUp */
    EVENT_UNBIND,  /* Sensors $UnbindID: its identifiers are detached */
    EVENT_PROFILE, /* Sensors profile_*: trait operations */
    EVENT_OBJECT,  /* Sensors item_set, item_delete: no customer */
};

enum event_flag {
    EVENT_TRUSTED = 1 << 0,    /* secret key, or a signed claim */
    EVENT_HISTORICAL = 1 << 1, /* imported: starts no journey */
    EVENT_REPLAYED = 1 << 2,   /* from quarantine; not a duplicate of itself */
    EVENT_DELETE = 1 << 3,     /* OBJECT: delete; PROFILE: delete all traits */
    EVENT_TIME_GIVEN = 1 << 4, /* the client said when; else it is the time of arrival */
    EVENT_IMPORTED = 1 << 5,   /* by a job: counted once by the job, not by its message key */
};

/* The source number of what import job n brings is this and n: what a job brought is known for ever by
 * its source (imports/imports.h J4), and never by the numbers of the sources that people make. */
#define EVENT_SOURCE_IMPORT_FIRST (UINT32_C(1) << 24)
static inline bool event_source_is_import(uint32_t source_number)
{
    return source_number >= EVENT_SOURCE_IMPORT_FIRST;
}

enum identifier_flag {
    IDENTIFIER_VERIFIED = 1 << 0, /* proven: by a trusted source or a signature */
    IDENTIFIER_SEALED = 1 << 1,   /* value is a sealed text */
    IDENTIFIER_HASHED = 1 << 2,   /* only a digest of the value is known (md5:…, sha256:…) */
    IDENTIFIER_OWN = 1 << 3,      /* the sender's own visitor or device id, not a claim */
    IDENTIFIER_BLOCKED = 1 << 4,  /* a placeholder or test value: never used to find anybody */
};

/* The types that Kith knows from the start, in order of strength (strongest first). Brands add
 * their own; an unknown type starts weak.
 * X(NAME, name, strong, needs verification to merge, customer limit (per namespace), window days,
 *   over the limit, shared after, personal) */
#define IDENTIFIER_TABLE(X)                                                                \
    X(USER_ID, "user_id", true, false, 1, 0, REFUSE, 3, false)                             \
    X(MEMBER_CARD, "member_card", true, false, 1, 0, REFUSE, 3, false)                     \
    X(WX_UNIONID, "wx_unionid", true, false, 1, 0, REFUSE, 3, false)                       \
    X(MOBILE, "mobile", true, true, 3, 0, REFUSE, 3, true)                                 \
    X(EMAIL, "email", true, true, 3, 0, REFUSE, 3, true)                                   \
    X(WX_OPENID, "wx_openid", true, false, 3, 0, REFUSE, 3, false)                         \
    X(WECOM_EXTERNAL_USERID, "wecom_external_userid", true, false, 3, 0, REFUSE, 3, false) \
    X(TMALL_OPEN_UID, "tmall_open_uid", true, false, 5, 0, REFUSE, 3, false)               \
    X(JD_OPEN_ID, "jd_open_id", true, false, 5, 0, REFUSE, 3, false)                       \
    X(DOUYIN_OPEN_ID, "douyin_doudian_open_id", true, false, 5, 0, REFUSE, 3, false)       \
    X(PDD_OPEN_ID, "pdd_open_id", true, false, 5, 0, REFUSE, 3, false)                     \
    X(VIP_OPEN_ID, "vip_open_id", true, false, 5, 0, REFUSE, 3, false)                     \
    X(YOUZAN_OPEN_ID, "yz_open_id", true, false, 5, 0, REFUSE, 3, false)                   \
    X(ORDER_NO, "order_no", true, true, 500, 0, DROP_OLDEST, 2, false)                     \
    X(RECEIVER_KEY, "receiver_key", false, false, 50, 0, DROP_OLDEST, 0, false)            \
    X(DEVICE, "device", false, false, 20, 0, DROP_OLDEST, 0, false)                        \
    X(ANONYMOUS_ID, "anonymous_id", false, false, 50, 365, DROP_OLDEST, 0, false)

enum identifier_over_limit { OVER_LIMIT_REFUSE, OVER_LIMIT_DROP_OLDEST };

enum identifier_builtin {
#define X(NAME, ...) IDENTIFIER_##NAME,
    IDENTIFIER_TABLE(X)
#undef X
        IDENTIFIER_BUILTIN_COUNT
};

struct event_identifier {
    str type;                 /* "mobile" */
    str namespace_;           /* "" where the type has one namespace */
    uint8_t flags;            /* enum identifier_flag */
    uint8_t hash[HASH_BYTES]; /* keyed hash of type, namespace, normalised value */
    uint8_t other_hash_count; /* a phone is also found by its md5 and sha256 */
    uint8_t other_hashes[3][HASH_BYTES];
    uint8_t tail_hash[8]; /* keyed hash of the last four digits; zero if none */
    str value;            /* normalised; sealed when flagged */
};

enum trait_operation {
    TRAIT_SET,
    TRAIT_SET_ONCE,
    TRAIT_INCREMENT,
    TRAIT_APPEND,
    TRAIT_UNSET,
};

struct event_trait {
    str name;
    enum trait_operation operation;
    str value; /* JSON: "上海", 12, true, ["a"], {…}; sealed values as {"$sealed":"…"} */
};

struct event {
    uint64_t seq;        /* of the record; 0 before the log */
    int64_t received_ms; /* of the block; 0 before the log */
    enum event_kind kind;
    uint8_t flags; /* enum event_flag */
    uint32_t source_number;
    uint8_t message_key[16]; /* counts once in the dedupe window */
    str type;                /* "Order Paid"; "Page Viewed", "Identify" … for other kinds */
    str channel;     /* web, mini_program, app, server, store, tmall, jd, douyin, wecom … */
    int64_t time_ms; /* when it happened, corrected for the client's clock */
    int64_t sent_ms; /* as the client said; 0 if not */
    uint64_t shape;  /* of type, property names and kinds; 0: not known */
    uint32_t identifier_count;
    struct event_identifier *identifiers;
    uint32_t trait_count;
    struct event_trait *traits;
    uint32_t promoted_set;                /* bit per enum promoted */
    int64_t promoted_int[PROMOTED_COUNT]; /* numbers and money */
    str promoted_text[PROMOTED_COUNT];
    str object_kind, object_id; /* GROUP and OBJECT */
    str props;                  /* JSON object with all properties, personal ones sealed */
    str context;                /* JSON object: page, campaign, library, device …; or "" */
};

/* Append the record body. TOO_LARGE beyond EVENT_BYTES_MAX. Any thread. */
err event_encode(struct buffer *out, const struct event *event, struct problem *problem) MUST_USE;
/* A view of `bytes`; lists come from `arena`. CORRUPT for anything that event_encode cannot have
 * written. seq and received_ms are left to the caller. Any thread. */
err event_decode(str bytes, struct arena *arena, struct event *event,
                 struct problem *problem) MUST_USE;

const char *event_kind_name(enum event_kind kind);

/* ---- the shape of an event: a hash of its type and of its property names with their JSON kinds ----
 *
 * Two events of one shape look alike to the tracking plan, which remembers shapes that fit
 * (plan/plan.h). The door folds it while it walks the properties, in any order. The seed is secret
 * (keys_seed of "shape"), so that nobody outside can build two shapes that collide. A shape of 0
 * says nothing: the plan then looks at the properties themselves. A sealed value counts as text. */
static inline uint64_t event_shape_begin(uint64_t seed, str type)
{
    return hash_bytes64(type.data, type.size, seed);
}
static inline uint64_t event_name_hash(uint64_t seed, str name)
{
    return hash_bytes64(name.data, name.size, seed);
}
static inline uint64_t event_shape_property(uint64_t shape, uint64_t name_hash, enum json_kind kind)
{
    return shape + hash_mix64(name_hash + (uint64_t)kind * UINT64_C(0x9E3779B97F4A7C15));
}

#endif
