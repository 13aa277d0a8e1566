/* SPDX-License-Identifier: Apache-2.0 */
/* Inside plan: events, properties and names as arrays that refer to each other by index. */
#ifndef KITH_PLAN_INSIDE_H
#define KITH_PLAN_INSIDE_H

#include "base/arena.h"
#include "plan/plan.h"

/* X(NAME, word) */
#define PLAN_TYPES(X) \
    X(NONE, "unknown") X(BOOL, "bool") X(INT, "int") X(DECIMAL, "decimal") X(MONEY, "money") X(TEXT, "text") X(TIME, "time") X(LIST, "list") X(OBJECT, "object")

enum plan_type {
#define X(NAME, word) PLAN_TYPE_##NAME,
    PLAN_TYPES(X)
#undef X
        PLAN_TYPE_COUNT
};
extern const str plan_type_words[PLAN_TYPE_COUNT];

enum plan_status { PLAN_LEARNT, PLAN_PLANNED, PLAN_BLOCKED, PLAN_STATUS_COUNT };
extern const str plan_status_words[PLAN_STATUS_COUNT];

#define NO_INDEX UINT32_MAX
/* Numbers below are those of event/known.h. */
#define FIRST_LEARNT_NUMBER 1000

/* The name of a property, whichever event has it: its learnt type is one. */
struct plan_name {
    str name;
    enum plan_type type;
    uint32_t first_use; /* property, chained by next_of_name */
};

struct plan_property {
    uint32_t event, name; /* indices */
    uint32_t next_of_event, next_of_name;
    enum plan_type fixed; /* NONE: learnt, the type is the name's */
    bool required, known;
    bool put;    /* an operator made it: it is no new name of a source */
    bool stored; /* a row of the ledger; known ones get theirs when first seen or put */
    uint32_t source_number;
    int64_t first_seen_ms; /* 0: not yet */
    uint32_t value_count;
    str *values; /* JSON texts; one piece of memory with its bytes, owned */
};

struct plan_event {
    str name;
    uint32_t number;
    enum plan_status status;
    bool known, put, stored;
    str description; /* owned (memory_free) */
    uint32_t source_number;
    int64_t first_seen_ms;
    uint32_t first_property, property_count;
};

/* New names of a source on the last day that it brought any. */
struct plan_quota {
    uint32_t source_number;
    int64_t day;
    uint32_t events, properties;
};

#define SHAPE_SLOTS (1u << 16)
#define SHAPE_WAYS 4

/* A table of indices by text hash. */
struct plan_table {
    uint32_t *slots; /* index + 1 */
    uint32_t mask, count;
};

struct plan {
    struct arena arena; /* names */
    struct json_parser *parser;
    struct buffer scratch;
    struct plan_event *events;
    uint32_t event_count, event_room;
    struct plan_property *properties;
    uint32_t property_count, property_room;
    struct plan_name *names;
    uint32_t name_count, name_room;
    struct plan_quota *quotas;
    uint32_t quota_count, quota_room;
    struct plan_table event_table, name_table;
    uint32_t next_number;
    uint64_t *shapes;
};

/* ---- looking and making (plan.c); indices, NO_INDEX when there is none or no memory ---- */
uint32_t plan_find_event(const struct plan *plan, str name);
uint32_t plan_find_name(const struct plan *plan, str name);
uint32_t plan_find_property(const struct plan *plan, uint32_t event, str name);
uint32_t plan_make_event(struct plan *plan, str name, uint32_t number);
uint32_t plan_make_property(struct plan *plan, uint32_t event, str name);
enum plan_type plan_type_of(const struct plan *plan, const struct plan_property *property);
void plan_forget_shapes(struct plan *plan);
/* Of a source on the day of `at_ms`; NULL without memory. */
struct plan_quota *plan_quota_of(struct plan *plan, uint32_t source_number, int64_t at_ms);

/* ---- rows (rows.c) ---- */
void plan_store_event(const struct plan *plan, struct plan_event *event,
                      struct ledger_writes *writes);
void plan_store_property(struct plan *plan, struct plan_property *property,
                         struct ledger_writes *writes);
/* Rows of all stored properties of a name, after its type has widened. */
void plan_store_uses(struct plan *plan, uint32_t name, struct ledger_writes *writes);
/* Replace the list of values; `values` is a JSON list of scalars, or missing. */
err plan_set_values(struct plan *plan, struct plan_property *property, json_value values) MUST_USE;
err plan_set_description(struct plan_event *event, str text) MUST_USE;

/* ---- types (types.c) ---- */
enum plan_type plan_type_named(str word); /* PLAN_TYPE_COUNT: no such word */
/* What a value is, by itself. NONE for null. */
enum plan_type plan_type_of_value(json_value value);
/* The narrowest type that holds both. */
enum plan_type plan_type_join(enum plan_type a, enum plan_type b);
/* Does a value fit a type that is fixed? *by_value: a value of the same kind may not. */
bool plan_type_takes(enum plan_type type, json_value value, bool *by_value);
bool plan_is_sealed(json_value value);

#endif
