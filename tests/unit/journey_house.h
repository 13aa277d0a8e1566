/* SPDX-License-Identifier: Apache-2.0 */
/* journey_house: journeys alone, in a small world of the test's own: who is in which segment, what values there are, who is whose
 * root, what was touched. Time goes from due moment to due moment, as the keeper makes it go. Used by unit/ and sim/. */
#ifndef KITH_TESTS_UNIT_JOURNEY_HOUSE_H
#define KITH_TESTS_UNIT_JOURNEY_HOUSE_H

#include "support/cmocka.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/clock.h"
#include "journey/journey.h"

#define JOURNEY_NOW INT64_C(1780272000000) /* 2026-06-01T00:00:00Z, 08:00 in Shanghai, a Monday */

struct told_touch {
    uint64_t number, position;
    uint32_t customer;
    char journey[40], node[40], channel[20], template_[40], order[40], key[40];
    int64_t at_ms;
    bool withdrawn;
    char context[600];
};

struct journey_house {
    char folder[64];
    struct ledger *ledger; /* NULL: an overlay */
    struct ledger_writes *writes;
    struct journeys *journeys;
    struct journey_world world;
    struct json_parser *parser;
    struct buffer answer;
    struct problem problem;
    uint64_t seq, records;
    int64_t now_ms;
    uint32_t user;
    const char *zone;
    /* the world */
    struct {
        char key[64];
        uint32_t customer;
    } * members;
    size_t member_count, member_capacity;
    struct {
        uint32_t customer;
        char path[40], text[60];
    } values[200];
    size_t value_count;
    struct told_touch *touches;
    size_t touch_count, touch_capacity;
    enum touch_status answers_with;
    const char *answer_reason;
    uint32_t roots[2000];       /* 0: itself */
    uint32_t restricted, plain; /* one customer each; 0: nobody */
    int64_t watermark_ms;
    bool rules_not_ready;
    uint32_t held_rules;
    struct {
        uint32_t customer;
        char what[80];
    } effects[1000];
    size_t effect_count;
};

/* ---- the world ---- */

static inline uint32_t jh_root(void *context, uint32_t node)
{
    struct journey_house *house = context;
    while (node < 2000 && house->roots[node] != 0)
        node = house->roots[node];
    return node;
}

static inline bool jh_consent(void *context, uint32_t customer, str purpose, bool *granted)
{
    const struct journey_house *house = context;
    *granted = false;
    return customer == (str_equal(purpose, STR("processing"))        ? house->restricted
                        : str_equal(purpose, STR("personalisation")) ? house->plain
                                                                     : 0);
}

static inline bool jh_in_segment(void *context, uint32_t customer, str key)
{
    struct journey_house *house = context;
    if (str_equal(key, STR("rule-first")))
        return true;
    for (size_t i = 0; i < house->member_count; i++)
        if (house->members[i].customer == customer &&
            str_equal(str_from_c(house->members[i].key), key))
            return true;
    return false;
}

/* Rules of this world: {"segment": key}, {"trait": name}, {"has": …} ("wecom"), {"touch": …} ("called"), {"event": …} ("first",
 * which holds of everybody). */
static inline str jh_rule_name(json_value rule)
{
    str name = json_text(json_get(rule, STR("segment")));
    if (name.size == 0)
        name = json_text(json_get(rule, STR("trait")));
    if (name.size == 0 && json_kind(json_get(rule, STR("has"))) == JSON_TEXT)
        return STR("wecom");
    if (name.size == 0 && json_is_object(json_get(rule, STR("touch"))))
        return STR("called");
    if (name.size == 0 && json_kind(json_get(rule, STR("event"))) == JSON_TEXT)
        return STR("first");
    return name;
}

static inline err jh_rule_check(void *context, json_value rule, struct problem *problem)
{
    (void)context;
    if (jh_rule_name(rule).size > 0)
        return ERR_OK;
    problem_set(problem, ERR_UNPROCESSABLE, "this world knows no such rule");
    return problem_at(problem, ERR_UNPROCESSABLE, "/what");
}

static inline err jh_rule_hold(void *context, json_value rule, struct journey_moment moment,
                               struct ledger_writes *writes, char key[JOURNEY_RULE_KEY_BYTES],
                               struct problem *problem)
{
    struct journey_house *house = context;
    (void)moment;
    (void)writes;
    (void)problem;
    str name = jh_rule_name(rule);
    snprintf(key, JOURNEY_RULE_KEY_BYTES, "rule-%.*s", STR_ARG(name));
    house->held_rules++;
    return ERR_OK;
}

static inline void jh_rule_drop(void *context, str key, struct journey_moment moment,
                                struct ledger_writes *writes)
{
    struct journey_house *house = context;
    (void)key;
    (void)moment;
    (void)writes;
    house->held_rules--;
}

static inline bool jh_rule_is_ready(void *context, str key)
{
    (void)key;
    return !((struct journey_house *)context)->rules_not_ready;
}

static inline bool jh_has_segment(void *context, str key)
{
    (void)context;
    return !str_equal(key, STR("unknown"));
}

static inline err jh_members(void *context, str key, struct journey_moment moment,
                             bool (*visit)(void *visited, uint32_t customer), void *visited)
{
    struct journey_house *house = context;
    (void)moment;
    for (size_t i = 0; i < house->member_count; i++)
        if (str_equal(str_from_c(house->members[i].key), key) &&
            !visit(visited, house->members[i].customer))
            break;
    return ERR_OK;
}

static inline void jh_value(void *context, uint32_t customer, str path,
                            struct template_value *value)
{
    struct journey_house *house = context;
    for (size_t i = 0; i < house->value_count; i++) {
        if (house->values[i].customer != customer ||
            !str_equal(str_from_c(house->values[i].path), path))
            continue;
        value->kind = TEMPLATE_TEXT;
        value->text = str_from_c(house->values[i].text);
    }
}

static inline int32_t jh_zone(void *context, uint32_t customer, int64_t at_ms)
{
    (void)context;
    (void)at_ms;
    return customer == 9 ? -5 * 3600 : 8 * 3600;
}

static inline int64_t jh_watermark(void *context, str event, int64_t now_ms)
{
    struct journey_house *house = context;
    (void)event;
    return house->watermark_ms != 0 ? house->watermark_ms : now_ms;
}

static inline uint32_t jh_first_node(void *context, uint32_t customer)
{
    struct journey_house *house = context;
    for (uint32_t node = 1; node < 2000; node++)
        if (jh_root(house, node) == customer)
            return node;
    return customer;
}

static inline size_t jh_nodes(void *context, uint32_t customer, uint32_t *nodes, size_t max)
{
    size_t count = 0;
    if (customer >= 2000) {
        nodes[0] = customer;
        return 1;
    }
    for (uint32_t node = 1; node < 2000 && count < max; node++)
        if (jh_root(context, node) == customer)
            nodes[count++] = node;
    return count;
}

static inline err jh_touch(void *context, const struct touch_request *request,
                           struct journey_moment moment, struct ledger_writes *writes,
                           struct touch_answer *answer)
{
    struct journey_house *house = context;
    (void)writes;
    for (size_t i = house->touch_count > 64 ? house->touch_count - 64 : 0; i < house->touch_count;
         i++) {
        const struct told_touch *told = &house->touches[i];
        bool same = told->customer == request->customer &&
                    str_equal(str_from_c(told->journey), request->journey) &&
                    str_equal(str_from_c(told->node), request->node) &&
                    str_equal(str_from_c(told->key), request->key);
        if (same)
            fail_msg("the same touch is asked for twice: %s", told->key);
    }
    if (house->touch_count == house->touch_capacity) {
        house->touch_capacity = house->touch_capacity * 2 + 64;
        house->touches =
            memory_resize(house->touches, house->touch_capacity * sizeof(*house->touches));
        assert_non_null(house->touches);
    }
    struct told_touch *told = &house->touches[house->touch_count++];
    *told = (struct told_touch){ .number = house->touch_count,
                                 .position = request->position,
                                 .customer = request->customer,
                                 .at_ms = moment.now_ms };
    snprintf(told->journey, sizeof told->journey, "%.*s", STR_ARG(request->journey));
    snprintf(told->node, sizeof told->node, "%.*s", STR_ARG(request->node));
    snprintf(told->channel, sizeof told->channel, "%.*s", STR_ARG(request->channel));
    snprintf(told->template_, sizeof told->template_, "%.*s", STR_ARG(request->template_));
    snprintf(told->order, sizeof told->order, "%.*s", STR_ARG(request->order_id));
    snprintf(told->key, sizeof told->key, "%.*s", STR_ARG(request->key));
    snprintf(told->context, sizeof told->context, "%.*s", STR_ARG(request->context));
    answer->touch = told->number;
    answer->status = house->answers_with;
    answer->reason = house->answer_reason != NULL ? house->answer_reason : "";
    return ERR_OK;
}

static inline err jh_withdraw(void *context, uint64_t position, str reason,
                              struct journey_moment moment, struct ledger_writes *writes)
{
    struct journey_house *house = context;
    (void)reason;
    (void)moment;
    (void)writes;
    for (size_t i = 0; i < house->touch_count; i++)
        if (house->touches[i].position == position)
            house->touches[i].withdrawn = true;
    return ERR_OK;
}

static inline err jh_effect(struct journey_house *house, uint32_t customer, const char *what,
                            str key, str value)
{
    assert_true(house->effect_count < 1000);
    house->effects[house->effect_count].customer = customer;
    snprintf(house->effects[house->effect_count++].what, 80, "%s %.*s %.*s", what, STR_ARG(key),
             STR_ARG(value));
    return str_equal(key, STR("refused")) ? ERR_UNPROCESSABLE : ERR_OK;
}

static inline err jh_set_tag(void *context, uint32_t customer, str key, str value,
                             struct journey_moment moment, struct ledger_writes *writes)
{
    (void)moment;
    (void)writes;
    return jh_effect(context, customer, "tag", key, value);
}

static inline err jh_set_trait(void *context, uint32_t customer, str name, str value,
                               struct journey_moment moment, struct ledger_writes *writes)
{
    (void)moment;
    (void)writes;
    return jh_effect(context, customer, "trait", name, value);
}

static inline err jh_set_member(void *context, uint32_t customer, str segment, bool is_in,
                                struct journey_moment moment, struct ledger_writes *writes)
{
    (void)moment;
    (void)writes;
    return jh_effect(context, customer, is_in ? "in" : "out", segment, STR_NONE);
}

static inline err jh_pause(void *context, const struct touch_pause *wanted,
                           struct journey_moment moment, struct ledger_writes *writes)
{
    char until[40];
    (void)writes;
    snprintf(until, sizeof until, "%lld",
             wanted->until_ms < INT64_MAX ? (long long)(wanted->until_ms - moment.now_ms) : -1);
    return jh_effect(context, wanted->node, "pause", wanted->key, str_from_c(until));
}

static inline err jh_resume(void *context, uint32_t customer, str journey, str key,
                            bool only_endless, struct journey_moment moment,
                            struct ledger_writes *writes)
{
    (void)journey;
    (void)moment;
    (void)writes;
    return jh_effect(context, customer, "resume", key, only_endless ? STR("endless") : STR("all"));
}

/* ---- life ---- */

static inline void jh_open(struct journey_house *house)
{
    house->world = (struct journey_world){ .context = house,
                                           .rule_check = jh_rule_check,
                                           .rule_hold = jh_rule_hold,
                                           .rule_drop = jh_rule_drop,
                                           .rule_is_ready = jh_rule_is_ready,
                                           .has_segment = jh_has_segment,
                                           .in_segment = jh_in_segment,
                                           .members = jh_members,
                                           .value = jh_value,
                                           .zone_offset_seconds = jh_zone,
                                           .watermark_ms = jh_watermark,
                                           .first_node = jh_first_node,
                                           .root = jh_root,
                                           .nodes = jh_nodes,
                                           .consent = jh_consent,
                                           .touch = jh_touch,
                                           .withdraw = jh_withdraw,
                                           .pause = jh_pause,
                                           .resume = jh_resume,
                                           .set_tag = jh_set_tag,
                                           .set_trait = jh_set_trait,
                                           .set_member = jh_set_member };
    struct journeys_config config = { .world = &house->world,
                                      .seed = 7,
                                      .zone = house->zone != NULL ? house->zone : "Asia/Shanghai" };
    assert_ok(journeys_new(&house->journeys, &config));
    if (house->ledger == NULL)
        return;
    if (journeys_load(house->journeys, house->ledger, &house->problem) != ERR_OK)
        fail_msg("%s", house->problem.detail);
}

static inline void jh_open_ledger(struct journey_house *house)
{
    char path[96];
    snprintf(path, sizeof path, "%s/ledger.db", house->folder);
    assert_ok(
        ledger_open(&house->ledger, &(struct ledger_config){ .path = path }, &house->problem));
    house->writes = ledger_writes_new(house->ledger);
    assert_non_null(house->writes);
}

static inline void jh_make(struct journey_house *house, bool with_ledger)
{
    const char *zone = house->zone;
    memset(house, 0, sizeof *house);
    house->zone = zone;
    house->now_ms = JOURNEY_NOW;
    house->user = 1;
    buffer_init(&house->answer, (size_t)64 << 20);
    assert_ok(json_parser_new(&house->parser, (size_t)8 << 20));
    snprintf(house->folder, sizeof house->folder, "/tmp/kith-journey-XXXXXX");
    assert_non_null(mkdtemp(house->folder));
    if (with_ledger)
        jh_open_ledger(house);
    jh_open(house);
}

static inline void jh_commit(struct journey_house *house)
{
    if (house->ledger == NULL)
        return;
    journey_commit(house->journeys, house->writes);
    assert_ok(ledger_apply(house->ledger, &house->writes, house->seq, NULL, NULL));
    assert_ok(ledger_drain(house->ledger));
    house->writes = ledger_writes_new(house->ledger);
    assert_non_null(house->writes);
}

static inline void jh_check(struct journey_house *house)
{
    char first[200];
    if (journey_check(house->journeys, first, sizeof first) != 0)
        fail_msg("%s", first);
}

/* As after a crash right behind a commit: all of it comes back, and is the same. */
static inline void jh_restart(struct journey_house *house)
{
    struct digest before = { .count = 0 }, after = { .count = 0 };
    jh_commit(house);
    jh_check(house);
    journey_digest(house->journeys, &before);
    journeys_free(&house->journeys);
    ledger_writes_free(&house->writes);
    ledger_close(&house->ledger);
    jh_open_ledger(house);
    jh_open(house);
    journey_digest(house->journeys, &after);
    if (before.count != after.count || before.low != after.low || before.high != after.high)
        fail_msg("a restart gives another state (%llu rows, then %llu)",
                 (unsigned long long)before.count, (unsigned long long)after.count);
    jh_check(house);
}

static inline void jh_remove(struct journey_house *house)
{
    char command[128];
    jh_check(house);
    jh_commit(house);
    journeys_free(&house->journeys);
    if (house->ledger != NULL) {
        ledger_writes_free(&house->writes);
        ledger_close(&house->ledger);
    }
    json_parser_free(&house->parser);
    buffer_deinit(&house->answer);
    memory_free(house->touches);
    memory_free(house->members);
    assert_memory_equal(house->folder, "/tmp/kith-journey-", 18);
    snprintf(command, sizeof command, "rm -rf %s", house->folder);
    assert_int_equal(system(command), 0);
}

static inline struct journey_moment jh_moment(struct journey_house *house)
{
    return (struct journey_moment){ .seq = ++house->seq, .now_ms = house->now_ms };
}

/* ---- commands ---- */

typedef err (*jh_function)(struct journeys *journeys, const struct journey_command *command);

static inline err jh_command(struct journey_house *house, jh_function function, const char *body)
{
    json_value root;
    buffer_clear(&house->answer);
    house->problem = (struct problem){ .error = ERR_OK };
    if (json_parse(house->parser, str_from_c(body), &root, &house->problem) != ERR_OK)
        fail_msg("%s: %s", house->problem.detail, body);
    struct journey_command command = { .body = root,
                                       .moment = jh_moment(house),
                                       .user_number = house->user,
                                       .writes = house->writes,
                                       .answer = &house->answer,
                                       .problem = &house->problem };
    return function(house->journeys, &command);
}

static inline void jh_do(struct journey_house *house, jh_function function, const char *body)
{
    err error = jh_command(house, function, body);
    if (error != ERR_OK)
        fail_msg("%s %s (%s; %s)", house->problem.detail, house->problem.pointer,
                 house->problem.hint, err_code(error));
}

/* Save and publish; single quotes stand for double ones. */
static inline void jh_publish(struct journey_house *house, const char *key, const char *journey)
{
    struct buffer body;
    buffer_init(&body, (size_t)1 << 20);
    buffer_printf(&body, "{'key':'%s','journey':%s}", key, journey);
    buffer_append_byte(&body, 0);
    for (size_t i = 0; i < body.size; i++)
        if (body.data[i] == '\'')
            body.data[i] = '"';
    jh_do(house, journey_put, body.data);
    buffer_clear(&body);
    buffer_printf(&body, "{\"key\":\"%s\"}", key);
    buffer_append_byte(&body, 0);
    jh_do(house, journey_publish, body.data);
    buffer_deinit(&body);
}

/* What the draft is refused for: the pointer. */
static inline const char *jh_refused(struct journey_house *house, const char *journey)
{
    static char text[8000];
    snprintf(text, sizeof text, "{'key':'refused','journey':%s}", journey);
    for (char *at = text; *at != '\0'; at++)
        if (*at == '\'')
            *at = '"';
    assert_err(jh_command(house, journey_put, text), ERR_UNPROCESSABLE);
    return house->problem.pointer;
}

/* ---- what happens ---- */

static inline void jh_run(struct journey_house *house)
{
    while (journey_next_due_ms(house->journeys) <= house->now_ms) {
        jh_do(house, journey_run, "{}");
        if (++house->records % 64 == 0)
            jh_commit(house);
    }
}

/* From due moment to due moment, as the keeper does. */
static inline void jh_until(struct journey_house *house, int64_t to_ms)
{
    jh_run(house);
    for (int64_t next; (next = journey_next_due_ms(house->journeys)) <= to_ms;) {
        if (next > house->now_ms)
            house->now_ms = next;
        jh_run(house);
    }
    house->now_ms = to_ms;
}

static inline void jh_advance(struct journey_house *house, int64_t by_ms)
{
    jh_until(house, house->now_ms + by_ms);
}

static inline void jh_say_at(struct journey_house *house, uint32_t customer, const char *type,
                             const char *props, int64_t time_ms, bool may_start)
{
    struct event event = {
        .kind = EVENT_TRACK, .type = str_from_c(type), .time_ms = time_ms, .channel = STR("server")
    };
    char text[2000];
    snprintf(text, sizeof text, "%s", props);
    for (char *at = text; *at != '\0'; at++)
        if (*at == '\'')
            *at = '"';
    event.props = str_from_c(text);
    struct journey_moment moment = jh_moment(house);
    event.seq = moment.seq;
    event.received_ms = moment.now_ms;
    uint32_t root = jh_root(house, customer);
    assert_ok(journey_before(house->journeys, root, moment, house->writes));
    assert_ok(journey_event(house->journeys, root, customer, &event,
                            may_start ? JOURNEY_BEGINS : JOURNEY_BEGINS_NOTHING, moment,
                            house->writes));
}

static inline void jh_say(struct journey_house *house, uint32_t customer, const char *type,
                          const char *props)
{
    jh_say_at(house, customer, type, props, house->now_ms, true);
}

static inline void jh_note(struct journey_house *house, uint32_t customer, const char *key,
                           bool is_in)
{
    size_t at = 0;
    while (at < house->member_count &&
           (house->members[at].customer != customer || strcmp(house->members[at].key, key) != 0))
        at++;
    if (is_in && at == house->member_count) {
        if (house->member_count == house->member_capacity) {
            house->member_capacity = house->member_capacity * 2 + 64;
            house->members =
                memory_resize(house->members, house->member_capacity * sizeof(*house->members));
            assert_non_null(house->members);
        }
        house->members[house->member_count].customer = customer;
        snprintf(house->members[house->member_count++].key, 64, "%s", key);
    } else if (!is_in && at < house->member_count) {
        house->members[at] = house->members[--house->member_count];
    }
}

/* She enters or leaves a segment, and journeys are told. */
static inline void jh_move(struct journey_house *house, uint32_t customer, const char *key,
                           bool is_in)
{
    struct audience_move move = { .kind = AUDIENCE_SEGMENT,
                                  .key = str_from_c(key),
                                  .customer = customer,
                                  .was_in = jh_in_segment(house, customer, str_from_c(key)),
                                  .is_in = is_in,
                                  .cause = "event" };
    jh_note(house, customer, key, is_in);
    assert_ok(journey_moves(house->journeys, &move, 1, true, jh_moment(house), house->writes));
}

static inline void jh_set_value(struct journey_house *house, uint32_t customer, const char *path,
                                const char *text)
{
    assert_true(house->value_count < 200);
    house->values[house->value_count].customer = customer;
    snprintf(house->values[house->value_count].path, 40, "%s", path);
    snprintf(house->values[house->value_count++].text, 60, "%s", text);
}

/* ---- what came of it ---- */

static inline size_t jh_touches(const struct journey_house *house, uint32_t customer,
                                const char *node)
{
    size_t count = 0;
    for (size_t i = 0; i < house->touch_count; i++)
        count += (customer == 0 || house->touches[i].customer == customer) &&
                 (node == NULL || strcmp(house->touches[i].node, node) == 0);
    return count;
}

static inline const struct told_touch *jh_touch_of(const struct journey_house *house,
                                                   uint32_t customer, const char *node)
{
    for (size_t i = 0; i < house->touch_count; i++)
        if (house->touches[i].customer == customer && strcmp(house->touches[i].node, node) == 0)
            return &house->touches[i];
    fail_msg("%u was not touched at %s", customer, node);
    return NULL;
}

static inline uint64_t jh_positions(const struct journey_house *house)
{
    struct journeys_status status;
    journeys_status(house->journeys, &status);
    return status.positions;
}

/* Where she stands: "node" of her first position, or "". */
static inline const char *jh_where(struct journey_house *house, uint32_t customer)
{
    static char node[64];
    json_value root;
    buffer_clear(&house->answer);
    journey_write_customer(house->journeys, jh_root(house, customer), &house->answer);
    assert_ok(json_parse(house->parser, buffer_str(&house->answer), &root, NULL));
    str text = json_text(json_get(json_at(root, 0), STR("node")));
    snprintf(node, sizeof node, "%.*s", STR_ARG(text));
    return node;
}

/* A figure of the report: of a node, or of the whole (node NULL). */
static inline int64_t jh_report(struct journey_house *house, const char *key, const char *node,
                                const char *figure)
{
    json_value root, item;
    buffer_clear(&house->answer);
    assert_ok(journey_write_report(house->journeys, str_from_c(key), JOURNEY_NOW - 400 * DAY_MS,
                                   house->now_ms + DAY_MS, &house->answer));
    assert_ok(json_parse(house->parser, buffer_str(&house->answer), &root, NULL));
    if (node == NULL)
        return json_int(json_get(root, str_from_c(figure)), -1);
    struct json_iterator iterator = json_iterate(json_get(root, STR("nodes")));
    while (json_next(&iterator, NULL, &item))
        if (str_equal(json_text(json_get(item, STR("node"))), str_from_c(node)))
            return json_int(json_get(item, str_from_c(figure)), -1);
    return -1;
}

#endif
