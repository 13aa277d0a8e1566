/* SPDX-License-Identifier: Apache-2.0 */
/* objects: what rules see of products, stores, advisers …, definitions on them, and sweeps over everybody when they change.
 * Private to audience/. */
#ifndef KITH_AUDIENCE_OBJECTS_H
#define KITH_AUDIENCE_OBJECTS_H

#include "audience/definition.h"
#include "audience/facts.h"
#include "audience/stream.h"
#include "base/clock.h"
#include "rule/rule.h"

/* ---- object.c: objects as rules see them ----
 *
 * An object has a number in its kind, from 1, never reused: the code of its id in the texts of a private definition.
 * Properties that rules name are columns over these numbers. What changes is *dirty* until a tick *publishes* it, so
 * an import of thousands of objects is one change: then definitions on objects are judged, the kind's
 * version moves, and customers are judged again in portions, a portion a tick (sweep.c). */

#define OBJECT_KINDS_MAX 200u
#define OBJECT_COLUMNS_MAX 2000u
#define OBJECT_TAG 0x80000000u /* a symbol with it is a definition's number */
#define OBJECTS_MAX 4000000u
struct object_property {
    str name; /* owned */
    enum rule_kind kind;
    str object; /* the kind that it leads to; owned */
    bool declared;
    uint8_t seen; /* bits of kinds of values that came */
};
struct object_kind {
    uint32_t number;
    struct definition *ids; /* key: the kind; texts: ids */
    str label;              /* as people call it; owned */
    struct object_property *properties;
    uint32_t property_count;
    struct fact_column *there; /* 1: it is not deleted */
    roaring_bitmap_t *dirty;
    _Atomic uint64_t version;
    uint64_t count; /* that are there */
};
struct objects {
    struct object_kind *kinds[OBJECT_KINDS_MAX + 1]; /* by number */
    uint32_t kind_count;
    struct fact_column *columns[OBJECT_COLUMNS_MAX]; /* by symbol */
    uint32_t column_kinds[OBJECT_COLUMNS_MAX];
    uint32_t column_count;
    struct definition **order; /* live definitions on objects, by level */
    uint32_t order_count;
    struct json_parser *parser;
    struct rule_objects live;                 /* as the engine sees them */
    uint64_t changes;                         /* how often something was published */
    uint8_t counted_types[HISTORY_TYPES_MAX]; /* 0 not known, 1 nobody counts it, 2 somebody does */
    struct counting_run *run;                 /* what is being counted on a thread */
    steady_ns counted;                        /* when the last run ended */
    int64_t count_pause_ms;                   /* how long nothing is counted after it */
    int64_t count_hour;
};
err objects_open(struct audience *audience) MUST_USE;
void objects_close(struct audience *audience);
err objects_load(struct audience *audience, struct ledger *ledger,
                 struct problem *problem) MUST_USE;
struct object_kind *objects_kind(const struct audience *audience, str name);
void object_kind_clear(struct object_kind *kind); /* of what was said of it: name and properties */
bool objects_are_dirty(const struct audience *audience);
/* What is dirty becomes what rules see. */
err objects_publish(struct audience *audience, struct audience_moment moment) MUST_USE;
bool objects_find(void *context, str kind, str path, struct rule_symbol *symbol);
void objects_suggest(struct audience *audience, str what, struct rule_suggestions *like, str wrong);
void objects_for_scan(struct scan_facts *from);
str object_id(const struct audience *audience, uint32_t kind, uint32_t number);
uint32_t object_number(const struct audience *audience, uint32_t kind, str id);
uint32_t object_count(const struct audience *audience, uint32_t kind); /* highest number */
bool object_is_there(const struct audience *audience, uint32_t kind, uint32_t number);

/* object_tag.c: definitions on objects. */
err object_order_make(struct audience *audience) MUST_USE;
/* Judge those that may have changed; customers whose definitions ask what moved are swept. `published`: cells of
 * objects did. */
err object_definitions_settle(struct audience *audience, struct audience_moment moment,
                              bool published) MUST_USE;
/* Does time alone change a value by now, or is anything left to be judged? */
bool object_definitions_are_due(const struct audience *audience, int64_t now_ms);
/* One object against one definition. */
err object_definition_judge(struct audience *audience, struct definition *definition,
                            uint32_t number, struct audience_moment moment, enum cause cause,
                            int64_t *until_ms) MUST_USE;

/* object_count.c: tags that count events by object, on a thread of their own. */
void object_counts_heard(struct audience *audience, str type);
/* All are counted anew: histories changed in ways that no event tells. */
void object_counts_stale(struct audience *audience);
void object_counts_tick(struct audience *audience, int64_t now_ms);
void object_counts_work(struct audience *audience);
err object_counts_install(struct audience *audience, json_value list, struct audience_moment moment,
                          struct ledger_writes *writes) MUST_USE;
void object_counts_stop(struct audience *audience);

/* sweep.c: everybody is judged again, a portion a tick. */
struct sweep {
    uint32_t next, left; /* customers next, next + 1 … of all, round and round */
    uint32_t last;
    bool facts; /* everything about them is read anew */
};
void sweep_begin(struct audience *audience, bool facts);
bool sweep_has(const struct audience *audience, uint32_t customer);
/* A tick: the next portion goes to `pending`. */
void sweep_tick(struct audience *audience);

#endif
