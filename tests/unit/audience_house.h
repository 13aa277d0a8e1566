/* SPDX-License-Identifier: Apache-2.0 */
/* audience_house: the rooms up to audience without log and engine: what the engine does with a record, done here in
 * a dozen lines, so that a year passes in seconds. Used by tests of unit/ and sim/. */
#ifndef KITH_TESTS_UNIT_AUDIENCE_HOUSE_H
#define KITH_TESTS_UNIT_AUDIENCE_HOUSE_H

#include "support/cmocka.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "audience/audience.h"
#include "base/arena.h"
#include "base/clock.h"
#include "history/extract.h"

#define HOUSE_NOW INT64_C(1767225600000) /* 2026-01-01T00:00:00Z */

struct small_house {
    char folder[64];
    struct ledger *ledger;
    struct ledger_writes *writes;
    struct identity *identity;
    struct profile *profile;
    struct plan *plan;
    struct history *history;
    struct audience *audience;
    struct json_parser *parser;
    struct arena arena; /* events live as long as the house: a restart remembers them again */
    struct remembered {
        struct remembered *next;
        uint32_t node;
        struct event event;
        bool retracted;
    } * first, **last; /* under the mutex */
    uint64_t seq;
    int64_t now_ms;
    struct problem problem;
    bool with_threads; /* definitions are computed ahead */
    /* Of history's memory; 0: the default. What goes over it is read back from what is remembered here. */
    size_t history_bytes_max;
    uint64_t install_at_once_max; /* 0: the default */
    uint64_t read_back;           /* how many rows were */
    _Atomic bool is_held;         /* questions of threads wait: the warehouse is slow */
    _Atomic int asked_aside,
        asked_now;        /* questions of threads; of the engine, which waits for the answer */
    _Atomic int refusals; /* that many questions are refused, as by a warehouse that is away */
    /* what a thread of the room submitted */
    pthread_mutex_t mutex;
    char *submitted[64];
    size_t submitted_count;
};

static inline err small_submit(void *context, str operation, str body)
{
    struct small_house *house = context;
    assert_true(str_equal(operation, STR("audience.install")));
    pthread_mutex_lock(&house->mutex);
    if (house->submitted_count < 64)
        house->submitted[house->submitted_count++] = strndup(body.data, body.size);
    pthread_mutex_unlock(&house->mutex);
    return ERR_OK;
}

/* ---- what memory does not hold: everything is remembered here ---- */

static inline bool small_is_asked(const struct audience_past *past, const struct remembered *one)
{
    bool type = past->type_count == 0, node = false;
    for (size_t i = 0; i < past->type_count; i++)
        type = type || str_equal(past->types[i], one->event.type);
    for (size_t i = 0; i < past->node_count && !node; i++)
        node = past->nodes[i] == one->node;
    return type && node && !one->retracted && one->event.seq <= past->until_seq;
}

static inline struct history_row small_row(const struct remembered *one)
{
    return (struct history_row){ .node = one->node,
                                 .seq = one->event.seq,
                                 .time_ms = one->event.time_ms,
                                 .type = one->event.type,
                                 .channel = one->event.channel };
}

static inline err small_past(void *context, const struct audience_past *past,
                             struct problem *problem)
{
    struct small_house *house = context;
    struct extractor *extractor;
    bool aside = past->until_seq != AUDIENCE_PAST_NOW;
    atomic_fetch_add(aside ? &house->asked_aside : &house->asked_now, 1);
    while (aside && atomic_load(&house->is_held))
        steady_sleep_ms(1);
    if (atomic_fetch_sub(&house->refusals, 1) > 0)
        return problem_set(problem, ERR_UNAVAILABLE, "the warehouse is away");
    atomic_store(&house->refusals, 0);
    err error = extractor_new(&extractor);
    for (size_t i = 0; i < past->column_count && error == ERR_OK; i++)
        error = extractor_add(extractor, past->columns[i].path, past->columns[i].kind,
                              past->columns[i].column);
    pthread_mutex_lock(&house->mutex);
    for (const struct remembered *one = house->first; one != NULL && error == ERR_OK;
         one = one->next) {
        struct history_row row = small_row(one);
        if (!small_is_asked(past, one))
            continue;
        error = extractor_run(extractor, &one->event, &row.values, &row.value_count);
        if (error == ERR_OK)
            error = past->take(past->context, &row);
        house->read_back++;
    }
    pthread_mutex_unlock(&house->mutex);
    extractor_free(&extractor);
    return error;
}

static inline uint64_t small_applied_seq(void *context)
{
    return ((struct small_house *)context)->seq;
}

static inline int small_compare_rows(const void *left, const void *right)
{
    const struct history_row *a = left, *b = right;
    if (a->node != b->node)
        return a->node < b->node ? -1 : 1;
    if (a->time_ms != b->time_ms)
        return a->time_ms < b->time_ms ? -1 : 1;
    return (a->seq > b->seq) - (a->seq < b->seq);
}

/* A column that comes later: its values, row by row, so that the extractor's are valid. */
static inline void small_fill(void *context, str path, enum column_kind kind, history_column column)
{
    struct small_house *house = context;
    struct extractor *extractor;
    assert_ok(extractor_new(&extractor));
    assert_ok(extractor_add(extractor, path, kind, column));
    for (const struct remembered *one = house->first; one != NULL; one = one->next) {
        struct history_row row = small_row(one);
        if (one->retracted)
            continue;
        assert_ok(extractor_run(extractor, &one->event, &row.values, &row.value_count));
        if (row.value_count > 0)
            assert_ok(history_fill_rows(house->history, column, &row, 1));
    }
    extractor_free(&extractor);
    history_fill_end(house->history, column);
}

static inline size_t small_joins(void *context, uint32_t node, struct identity_join *joins,
                                 size_t limit)
{
    const struct small_house *house = context;
    return identity_joins(house->identity, node, joins, limit);
}

static inline void small_open_rooms(struct small_house *house)
{
    char path[96];
    snprintf(path, sizeof path, "%s/ledger.db", house->folder);
    struct ledger_config ledger = { .path = path };
    struct history_config history = { .memory_bytes_max = house->history_bytes_max };
    assert_ok(ledger_open(&house->ledger, &ledger, &house->problem));
    house->writes = ledger_writes_new(house->ledger);
    assert_ok(identity_new(&house->identity));
    assert_ok(profile_new(&house->profile));
    profile_use_joins(house->profile, small_joins, house);
    assert_ok(plan_new(&house->plan));
    assert_ok(history_new(&house->history, &history));
    struct audience_config config = { .history = house->history,
                                      .identity = house->identity,
                                      .profile = house->profile,
                                      .plan = house->plan,
                                      .submit = house->with_threads ? small_submit : NULL,
                                      .install_at_once_max = house->install_at_once_max,
                                      .fill_column = small_fill,
                                      .past = small_past,
                                      .applied_seq = small_applied_seq,
                                      .context = house };
    assert_ok(audience_new(&house->audience, &config));
}

static inline void small_make(struct small_house *house)
{
    *house = (struct small_house){ .now_ms = HOUSE_NOW,
                                   .with_threads = house->with_threads,
                                   .install_at_once_max = house->install_at_once_max,
                                   .history_bytes_max = house->history_bytes_max };
    snprintf(house->folder, sizeof house->folder, "/tmp/kith_audience_XXXXXX");
    assert_non_null(mkdtemp(house->folder));
    arena_init(&house->arena, "test", (size_t)1 << 30);
    assert_ok(json_parser_new(&house->parser, 1 << 20));
    pthread_mutex_init(&house->mutex, NULL);
    house->last = &house->first;
    small_open_rooms(house);
    assert_ok(audience_load(house->audience, house->ledger, &house->problem));
    assert_ok(audience_start(house->audience, 0));
}

static inline void small_commit(struct small_house *house)
{
    audience_commit(house->audience, house->writes);
    assert_ok(ledger_apply(house->ledger, &house->writes, house->seq, NULL, NULL));
    house->writes = ledger_writes_new(house->ledger);
}

static inline void small_close_rooms(struct small_house *house)
{
    small_commit(house);
    audience_free(&house->audience);
    history_free(&house->history);
    plan_free(&house->plan);
    profile_free(&house->profile);
    identity_free(&house->identity);
    ledger_writes_free(&house->writes);
    assert_ok(ledger_drain(house->ledger));
    ledger_close(&house->ledger);
}

static inline void small_group_all(struct small_house *house)
{
    for (uint32_t i = 1; i <= identity_node_count(house->identity); i++) {
        uint32_t nodes[256];
        if (identity_root(house->identity, i) != i)
            continue;
        size_t count = identity_nodes(house->identity, i, nodes, 256);
        if (count > 1)
            assert_ok(history_group(house->history, nodes, count));
    }
}

/* As after a crash: told state from the ledger, history from the events again. */
static inline void small_restart(struct small_house *house)
{
    small_close_rooms(house);
    small_open_rooms(house);
    assert_ok(identity_load(house->identity, house->ledger, &house->problem));
    assert_ok(profile_load(house->profile, house->ledger, &house->problem));
    assert_ok(plan_load(house->plan, house->ledger, &house->problem));
    assert_ok(audience_load(house->audience, house->ledger, &house->problem));
    for (struct remembered *one = house->first; one != NULL; one = one->next)
        if (!one->retracted)
            assert_ok(history_observe(house->history, one->node, &one->event));
    small_group_all(house);
    assert_ok(audience_start(house->audience, house->now_ms));
}

static inline void small_remove(struct small_house *house)
{
    char command[128];
    small_close_rooms(house);
    arena_deinit(&house->arena);
    json_parser_free(&house->parser);
    for (size_t i = 0; i < house->submitted_count; i++)
        free(house->submitted[i]);
    pthread_mutex_destroy(&house->mutex);
    assert_memory_equal(house->folder, "/tmp/kith_audience_", 19);
    snprintf(command, sizeof command, "rm -rf %s", house->folder);
    assert_int_equal(system(command), 0);
}

static inline struct audience_moment small_moment(const struct small_house *house)
{
    return (struct audience_moment){ .seq = house->seq, .now_ms = house->now_ms };
}

/* Run a command's function on a JSON body. */
static inline err small_command(struct small_house *house,
                                err (*run)(struct audience *, const struct audience_command *),
                                const char *body, struct buffer *answer)
{
    struct buffer own;
    json_value json;
    buffer_init(&own, 1 << 20);
    house->seq++;
    house->problem = (struct problem){ .error = ERR_OK };
    assert_ok(json_parse(house->parser, str_from_c(body), &json, &house->problem));
    struct audience_command command = { .body = json,
                                        .moment = small_moment(house),
                                        .user_number = 1,
                                        .writes = house->writes,
                                        .answer = answer != NULL ? answer : &own,
                                        .problem = &house->problem };
    assert_ok(audience_begin(house->audience, command.moment));
    err error = run(house->audience, &command);
    buffer_deinit(&own);
    return error;
}

/* Put it, and have it live: by the threads' result, or by an install record alone. */
static inline void small_install(struct small_house *house)
{
    char body[4096];
    size_t size = 0;
    if (house->with_threads) {
        for (int i = 0; i < 20000; i++) {
            audience_work(house->audience, 2000);
            pthread_mutex_lock(&house->mutex);
            bool any = house->submitted_count > 0;
            char *text = any ? house->submitted[--house->submitted_count] : NULL;
            pthread_mutex_unlock(&house->mutex);
            if (text != NULL) {
                assert_ok(small_command(house, audience_install, text, NULL));
                free(text);
            }
            struct audience_status status;
            audience_status(house->audience, &status);
            if (status.computing == 0)
                return;
            steady_sleep_ms(1);
        }
        fail_msg("the definitions were not computed");
    }
    while (audience_work(house->audience, 100000))
        ;
    for (uint32_t round = 0; round < 5; round++) {
        size = (size_t)snprintf(body, sizeof body, "{\"definitions\":[");
        bool any = false;
        for (uint32_t number = 1; number < 60; number++)
            for (uint32_t version = 1; version < 4; version++) {
                size += (size_t)snprintf(body + size, sizeof body - size,
                                         "%s{\"number\":%u,\"version\":%u}", any ? "," : "", number,
                                         version);
                any = true;
                if (size > sizeof body - 100)
                    version = 60, number = 60;
            }
        snprintf(body + size, sizeof body - size, "]}");
        assert_ok(small_command(house, audience_install, body, NULL));
    }
}

static inline void small_put_segment(struct small_house *house, const char *body)
{
    if (small_command(house, audience_put_segment, body, NULL) != ERR_OK)
        fail_msg("%s: %s at %s", body, house->problem.detail, house->problem.pointer);
}

static inline void small_put_tag(struct small_house *house, const char *body)
{
    if (small_command(house, audience_put_tag, body, NULL) != ERR_OK)
        fail_msg("%s: %s at %s", body, house->problem.detail, house->problem.pointer);
}

/* ---- events ---- */

struct small_event {
    const char *type;
    const char *user, *visitor, *mobile; /* identifiers */
    const char *city;                    /* trait */
    const char *purpose;                 /* of a consent event */
    int64_t time_ms;                     /* 0: now */
    int64_t revenue;                     /* fen; with it an order id */
    const char *order;
    const char *channel;  /* NULL: web */
    const char *category; /* of what is viewed */
};

static inline void small_identifier(struct event *event, const char *type, const char *value,
                                    uint8_t flags)
{
    if (value == NULL)
        return;
    struct event_identifier *to = &event->identifiers[event->identifier_count++];
    char text[128];
    snprintf(text, sizeof text, "%s:%s", type, value);
    hash128 hash = hash_bytes128(text, strlen(text), 3);
    *to = (struct event_identifier){ .type = str_from_c(type),
                                     .flags = flags,
                                     .value = str_from_c(value) };
    memcpy(to->hash, &hash, HASH_BYTES);
}

static inline str small_text(struct small_house *house, const char *text)
{
    str copy = STR_NONE;
    if (text != NULL)
        assert_ok(arena_dup(&house->arena, str_from_c(text), &copy));
    return copy;
}

static inline struct event small_event_of(struct small_house *house, const struct small_event *say)
{
    struct event event = { .kind = EVENT_TRACK, .flags = EVENT_TRUSTED, .source_number = 1 };
    char text[256];
    event.seq = house->seq;
    event.received_ms = house->now_ms;
    event.time_ms = say->time_ms != 0 ? say->time_ms : house->now_ms;
    event.type = small_text(house, say->type);
    event.channel = say->channel != NULL ? small_text(house, say->channel) : STR("web");
    event.identifiers = arena_array(&house->arena, struct event_identifier, 4);
    small_identifier(&event, "user_id", small_text(house, say->user).data, IDENTIFIER_VERIFIED);
    small_identifier(&event, "mobile", small_text(house, say->mobile).data, IDENTIFIER_VERIFIED);
    small_identifier(&event, "anonymous_id", small_text(house, say->visitor).data,
                     IDENTIFIER_VERIFIED | IDENTIFIER_OWN);
    if (say->city != NULL) {
        snprintf(text, sizeof text, "\"%s\"", say->city);
        event.traits = arena_new(&house->arena, struct event_trait);
        event.traits[0] = (struct event_trait){ .name = STR("city"),
                                                .operation = TRAIT_SET,
                                                .value = small_text(house, text) };
        event.trait_count = 1;
    }
    event.props = STR("{}");
    if (say->order != NULL) {
        event.promoted_set =
            1u << PROMOTED_ORDER_ID | 1u << PROMOTED_REVENUE | 1u << PROMOTED_CURRENCY;
        event.promoted_text[PROMOTED_ORDER_ID] = small_text(house, say->order);
        event.promoted_text[PROMOTED_CURRENCY] = STR("CNY");
        event.promoted_int[PROMOTED_REVENUE] = say->revenue;
        snprintf(text, sizeof text, "{\"order_id\":\"%s\",\"revenue\":%lld.%02lld}", say->order,
                 (long long)say->revenue / 100, (long long)say->revenue % 100);
        event.props = small_text(house, text);
    } else if (say->category != NULL) {
        snprintf(text, sizeof text, "{\"category\":\"%s\"}", say->category);
        event.props = small_text(house, text);
    } else if (say->purpose != NULL) {
        snprintf(text, sizeof text, "{\"purpose\":\"%s\"}", say->purpose);
        event.props = small_text(house, text);
    }
    return event;
}

static inline void small_remember(struct small_house *house, uint32_t node,
                                  const struct event *event)
{
    struct remembered *one = arena_new(&house->arena, struct remembered);
    one->node = node;
    one->event = *event;
    pthread_mutex_lock(&house->mutex);
    *house->last = one;
    house->last = &one->next;
    pthread_mutex_unlock(&house->mutex);
}

/* What engine/apply.c does with an event. Returns its customer. */
static inline uint32_t small_say(struct small_house *house, const struct small_event *say)
{
    struct identity_outcome who;
    struct problem detail = { .error = ERR_OK };
    uint32_t absorbed[IDENTITY_MERGES_MAX], nodes[256];
    house->seq++;
    struct event event = small_event_of(house, say);
    struct audience_moment moment = small_moment(house);
    assert_ok(audience_begin(house->audience, moment));
    enum plan_reason reason = PLAN_FITS;
    assert_ok(plan_check(house->plan, &event, false, house->writes, &reason, &detail));
    assert_int_equal(reason, PLAN_FITS);
    assert_ok(identity_resolve(house->identity, &event, house->writes, &who));
    assert_int_not_equal(who.node, 0);
    for (uint32_t i = 0; i < who.merge_count; i++) {
        absorbed[i] = who.merges[i].absorbed;
        assert_ok(audience_before(house->audience, who.merges[i].absorbed, moment));
        assert_ok(audience_before(house->audience, who.merges[i].survivor, moment));
    }
    assert_ok(audience_before(house->audience, who.customer, moment));
    assert_ok(profile_apply(house->profile, &event, who.node, house->writes));
    assert_ok(history_observe(house->history, who.node, &event));
    small_remember(house, who.node, &event);
    if (who.merge_count > 0) {
        size_t count = identity_nodes(house->identity, who.customer, nodes, 256);
        assert_ok(history_group(house->history, nodes, count));
        assert_ok(
            audience_merged(house->audience, who.customer, absorbed, who.merge_count, moment));
    }
    assert_ok(audience_event(house->audience, who.customer, &event, moment));
    return who.customer;
}

static inline void small_tick(struct small_house *house, int64_t now_ms)
{
    house->now_ms = now_ms;
    house->seq++;
    assert_ok(audience_begin(house->audience, small_moment(house)));
    assert_ok(audience_tick(house->audience, small_moment(house)));
    history_tidy(house->history, INT64_MAX);
    audience_work(house->audience, 1000000);
}

static inline uint64_t small_count(struct small_house *house, const char *key)
{
    struct audience_set *set;
    assert_ok(
        audience_set_take(house->audience, AUDIENCE_SEGMENT, str_from_c(key), STR_NONE, &set));
    uint64_t count = audience_set_count(set);
    audience_set_free(&set);
    return count;
}

static inline bool small_is_in(struct small_house *house, const char *key, uint32_t customer)
{
    struct audience_set *set;
    assert_ok(
        audience_set_take(house->audience, AUDIENCE_SEGMENT, str_from_c(key), STR_NONE, &set));
    bool is_in = audience_set_has(set, customer);
    audience_set_free(&set);
    return is_in;
}

static inline void small_customer(struct small_house *house, uint32_t customer, char *text,
                                  size_t size)
{
    struct buffer out;
    struct json_writer writer;
    buffer_init(&out, 1 << 20);
    json_writer_init(&writer, &out);
    json_begin_object(&writer);
    assert_ok(audience_write_customer(house->audience, customer, &writer));
    json_end_object(&writer);
    snprintf(text, size, "%.*s", (int)out.size, out.data);
    buffer_deinit(&out);
}

#endif
