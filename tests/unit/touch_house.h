/* SPDX-License-Identifier: Apache-2.0 */
/* touch_house: the room of touches over a ledger of its own, with a small made-up world. */
#ifndef KITH_TESTS_UNIT_TOUCH_HOUSE_H
#define KITH_TESTS_UNIT_TOUCH_HOUSE_H

#include "support/cmocka.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/clock.h"
#include "store/ledger.h"
#include "touch/touch.h"

#define HOUSE_CUSTOMERS 1002000
#define HOUSE_START_MS \
    INT64_C(1781827200000) /* 2026-06-19T00:00:00Z: eight in the morning in Shanghai */

struct touch_house {
    char path[96];
    struct ledger *ledger;
    struct touches *touches;
    struct touch_world world;
    struct touches_config config;
    struct json_parser *parser;
    struct touch_moment moment;
    struct buffer answer;
    struct problem problem;
    /* the world: 0 not said, 1 granted, 2 refused, by customer */
    uint8_t *marketing, *sms;
    uint32_t restricted, plain, child; /* one customer each; 0: nobody */
    uint32_t *root;                    /* 0: herself */
    bool nobody_reachable;
    uint32_t told; /* changes that journeys heard of */
    struct touch_change last;
    /* what journeys do when they hear of a change; NULL: nothing */
    void (*on_moved)(struct touch_house *house, const struct touch_change *change,
                     struct ledger_writes *writes);
};

static bool house_consent(void *context, uint32_t customer, str name, bool *granted)
{
    struct touch_house *house = context;
    *granted = false;
    if (str_equal(name, STR("processing")))
        return customer == house->restricted;
    if (str_equal(name, STR("personalisation")))
        return customer == house->plain;
    if (str_equal(name, STR("under_14")))
        return customer == house->child;
    uint8_t said = str_equal(name, STR("marketing")) ? house->marketing[customer]
                   : str_equal(name, STR("sms"))     ? house->sms[customer]
                                                     : 0;
    *granted = said == 1;
    return said != 0;
}
static uint32_t house_root(void *context, uint32_t node)
{
    struct touch_house *house = context;
    return house->root[node] != 0 ? house->root[node] : node;
}
static size_t house_nodes(void *context, uint32_t customer, uint32_t *nodes, size_t max)
{
    struct touch_house *house = context;
    size_t count = 1;
    nodes[0] = customer;
    for (uint32_t node = 1; node < 100; node++)
        if (node != customer && house->root[node] == customer && count++ < max)
            nodes[count - 1] = node;
    return count;
}
static bool house_recipient(void *context, uint32_t customer, str type, str namespace_, bool plain,
                            struct touch_recipient *recipient)
{
    struct touch_house *house = context;
    (void)type;
    (void)namespace_;
    (void)plain;
    *recipient = (struct touch_recipient){ .row = customer };
    return !house->nobody_reachable;
}
static bool house_in_segment(void *context, uint32_t customer, str key)
{
    (void)context;
    return str_equal(key, STR("testers")) && customer < 10;
}
static int32_t house_zone(void *context, uint32_t customer, int64_t at_ms)
{
    (void)context;
    (void)at_ms;
    return customer == 7 ? -5 * 3600 : 8 * 3600; /* one of them lives in Lima */
}
static void house_value(void *context, uint32_t customer, str path, struct template_value *value)
{
    (void)context;
    *value = (struct template_value){ .kind = TEMPLATE_MISSING };
    if (str_equal(path, STR("customer.city")) && customer % 10 != 9)
        *value = (struct template_value){ .kind = TEMPLATE_TEXT, .text = STR("上海") };
}
static err house_moved(void *context, const struct touch_change *change, struct touch_moment moment,
                       struct ledger_writes *writes)
{
    struct touch_house *house = context;
    (void)moment;
    house->told++;
    house->last = *change;
    if (house->on_moved != NULL)
        house->on_moved(house, change, writes);
    return ERR_OK;
}

static void house_open(struct touch_house *house)
{
    struct ledger_config config = { .path = house->path };
    assert_ok(ledger_open(&house->ledger, &config, &house->problem));
    assert_ok(touches_new(&house->touches, &house->config));
    if (touches_load(house->touches, house->ledger, &house->problem) != ERR_OK)
        fail_msg("%s", house->problem.detail);
}

static void house_close(struct touch_house *house)
{
    touches_free(&house->touches);
    assert_ok(ledger_drain(house->ledger));
    ledger_close(&house->ledger);
}

static struct touch_house *house_make(void)
{
    static int number;
    struct touch_house *house = memory_alloc(sizeof *house);
    assert_non_null(house);
    snprintf(house->path, sizeof house->path, "/tmp/kith_touch_%d_%d.db", (int)getpid(), number++);
    house->marketing = memory_alloc(HOUSE_CUSTOMERS);
    house->sms = memory_alloc(HOUSE_CUSTOMERS);
    house->root = memory_alloc(HOUSE_CUSTOMERS * sizeof *house->root);
    memset(house->marketing, 1, HOUSE_CUSTOMERS);
    house->world = (struct touch_world){
        .context = house,
        .consent = house_consent,
        .recipient = house_recipient,
        .in_segment = house_in_segment,
        .value = house_value,
        .zone_offset_seconds = house_zone,
        .root = house_root,
        .nodes = house_nodes,
    };
    house->config = (struct touches_config){
        .world = &house->world, .moved = house_moved, .context = house, .seed = 42
    };
    house->moment = (struct touch_moment){ .seq = 1, .now_ms = HOUSE_START_MS };
    assert_ok(json_parser_new(&house->parser, (size_t)8 << 20));
    buffer_init(&house->answer, (size_t)8 << 20);
    house_open(house);
    return house;
}

static void house_remove(struct touch_house *house)
{
    char path[128];
    static const char *const ends[] = { "", "-wal", "-shm" };
    house_close(house);
    for (size_t i = 0; i < 3; i++) {
        snprintf(path, sizeof path, "%s%s", house->path, ends[i]);
        unlink(path);
    }
    json_parser_free(&house->parser);
    buffer_deinit(&house->answer);
    memory_free(house->marketing);
    memory_free(house->sms);
    memory_free(house->root);
    memory_free(house);
}

/* Close and open again: what was in RAM comes from the ledger. */
static inline void house_again(struct touch_house *house)
{
    struct digest before = { .low = 0 }, after = { .low = 0 };
    touch_digest(house->touches, &before);
    house_close(house);
    house_open(house);
    touch_digest(house->touches, &after);
    assert_int_equal(before.count, after.count);
    assert_true(before.low == after.low && before.high == after.high);
}

static struct ledger_writes *house_begin(struct touch_house *house)
{
    house->moment.seq++;
    return ledger_writes_new(house->ledger);
}

static void house_commit(struct touch_house *house, struct ledger_writes *writes)
{
    assert_ok(ledger_apply(house->ledger, &writes, house->moment.seq, NULL, NULL));
}

typedef err (*house_command_function)(struct touches *touches, const struct touch_command *command);

/* A command; the answer is in house->answer. */
static inline err house_command(struct touch_house *house, house_command_function function,
                                const char *body)
{
    struct ledger_writes *writes = house_begin(house);
    struct touch_command command = { .moment = house->moment,
                                     .user_number = 3,
                                     .writes = writes,
                                     .answer = &house->answer,
                                     .problem = &house->problem };
    house->problem = (struct problem){ .error = ERR_OK };
    buffer_clear(&house->answer);
    if (json_parse(house->parser, str_from_c(body), &command.body, &house->problem) != ERR_OK)
        fail_msg("%s: %s", house->problem.detail, body);
    err error = function(house->touches, &command);
    house_commit(house, writes);
    return error;
}

static inline void house_do(struct touch_house *house, house_command_function function,
                            const char *body)
{
    err error = house_command(house, function, body);
    if (error != ERR_OK)
        fail_msg("%s %s: %s", err_code(error), house->problem.detail, body);
}

static inline void house_policy(struct touch_house *house, const char *policy)
{
    char body[4000];
    snprintf(body, sizeof body, "{\"policy\":%s}", policy);
    house_do(house, touch_put_policy, body);
}

static inline void house_account(struct touch_house *house, const char *key, const char *kind,
                                 const char *settings)
{
    char body[2000];
    snprintf(body, sizeof body, "{\"key\":\"%s\",\"kind\":\"%s\",\"settings\":%s}", key, kind,
             settings);
    house_do(house, touch_put_account, body);
}

/* A text message of journey `journey`, for customer, with `key`; change what is to be different. */
static inline struct touch_request house_request(uint32_t customer, const char *journey,
                                                 const char *key)
{
    return (struct touch_request){ .customer = customer,
                                   .node_born = customer,
                                   .journey = str_from_c(journey),
                                   .node = STR("n1"),
                                   .key = str_from_c(key),
                                   .position = 0,
                                   .channel = STR("sms"),
                                   .template_ = STR("hello"),
                                   .purpose = STR("marketing"),
                                   .priority = 50,
                                   .cost_minor = -1 };
}

static inline struct touch_answer house_ask(struct touch_house *house,
                                            const struct touch_request *request)
{
    struct touch_answer answer;
    struct ledger_writes *writes = house_begin(house);
    assert_ok(touch_request(house->touches, request, house->moment, writes, &answer));
    house_commit(house, writes);
    return answer;
}

static inline void house_due(struct touch_house *house)
{
    bool more = true;
    while (more) {
        struct ledger_writes *writes = house_begin(house);
        assert_ok(touch_run_due(house->touches, 1000, house->moment, writes, &more));
        house_commit(house, writes);
    }
}

static inline void house_changed(struct touch_house *house, uint32_t customer)
{
    struct ledger_writes *writes = house_begin(house);
    assert_ok(touch_customer_changed(house->touches, customer, house->moment, writes));
    house_commit(house, writes);
}

/* Claim at most `limit` of an account; how many messages came, their JSON in house->answer. */
static inline size_t house_claim_more(struct touch_house *house, const char *account, int limit,
                                      bool *more)
{
    char body[200];
    json_value root;
    snprintf(body, sizeof body, "{\"account\":\"%s\",\"limit\":%d}", account, limit);
    house_do(house, touch_claim, body);
    assert_ok(json_parse(house->parser, buffer_str(&house->answer), &root, &house->problem));
    *more = json_bool(json_get(root, STR("more")), false);
    return json_count(json_get(root, STR("messages")));
}

static inline size_t house_claim(struct touch_house *house, const char *account, int limit)
{
    bool more;
    return house_claim_more(house, account, limit, &more);
}

static inline size_t house_claim_all(struct touch_house *house, const char *account)
{
    bool more = true;
    size_t all = 0;
    while (more)
        all += house_claim_more(house, account, 1000, &more);
    return all;
}

static inline void house_result(struct touch_house *house, uint64_t touch, const char *rest)
{
    char body[600];
    snprintf(body, sizeof body, "{\"results\":[{\"touch\":%llu,%s}]}", (unsigned long long)touch,
             rest);
    house_do(house, touch_take_results, body);
}

static inline enum touch_status house_status(struct touch_house *house, uint64_t touch)
{
    struct touch_description description;
    assert_true(touch_describe(house->touches, (uint32_t)touch, &description));
    return description.status;
}

#define assert_answer(answer, wanted_status, wanted_reason) \
    do {                                                    \
        struct touch_answer given_ = (answer);              \
        assert_string_equal(given_.reason, wanted_reason);  \
        assert_int_equal(given_.status, wanted_status);     \
    } while (0)

#endif
