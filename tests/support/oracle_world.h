/* SPDX-License-Identifier: Apache-2.0 */
/* A small world for rules, written as JSON: customers with facts and events, and objects.
 *
 *     {"objects":{"product":{"p1":{"category":"口红","tag:hot":true}}},
 *      "customers":[{"traits":{"city":"上海"},"tags":{},"segments":["vip"],"identifiers":[],"consents":{"sms":true},
 *                    "relations":{"adviser":"u1"},"reachable":["sms"],"entered":1700000000000,
 *                    "touches":[{"time":…,"seq":…,"journey":"welcome","status":"sent"}],
 *                    "events":[{"type":"Order Paid","channel":"tmall","time":…,"seq":…,"node":0,
 *                               "props":{"revenue":10000,"products.product_id":["p1"]}}]}]}
 *
 * It is what a catalogue, facts and a history are made of; the naive twin (oracle.h) reads the same JSON. Customer i has
 * the number (i + 1) * WORLD_NODES_MAX, her nodes are the numbers from there; every second one stands alone: all of hers
 * is at her first node, and the others are her neighbour's. Numbers of kind NUMBER have at most six
 * decimals, money is in minor units, times are ms. */
#ifndef KITH_TESTS_SUPPORT_ORACLE_WORLD_H
#define KITH_TESTS_SUPPORT_ORACLE_WORLD_H

#include "base/json.h"
#include "history/history.h"
#include "rule/rule.h"

#define WORLD_NODES_MAX 4

struct world_name {
    const char *name;
    enum rule_kind kind;
};
/* Kinds of the world; ended by a NULL name. Objects: "product.category". */
extern const struct world_name world_traits[], world_tags[], world_relations[], world_objects[];
extern const char *const world_events[],
    *const world_segments[], *const world_identifiers[], *const world_consents[],
                                                             *const world_channels[],
                                                                 *const world_object_kinds[];
struct world_property {
    const char *path;
    enum column_kind kind;
};
extern const struct world_property world_properties[];

struct world {
    struct json_parser *parser, *rules;
    json_value root, customers, objects;
    struct history *history;
    struct history_reader *reader;
    struct rule_catalogue catalogue;
    struct rule_facts facts;
    struct rule_objects things;
    struct rule_judge *judge;
    struct arena arena;
    uint64_t version;
    /* scratch of the facts */
    str texts[64];
    struct rule_touch touches[64];
};

void world_open(struct world *world, const struct rule_zone *zone);
/* Read the JSON and load it all into history. */
void world_load(struct world *world, str json);
void world_close(struct world *world);
size_t world_customer_count(const struct world *world);
json_value world_customer(const struct world *world, size_t index);
uint32_t world_number(size_t index);
bool world_is_alone(size_t index);
/* Her facts; `entered` and "$me" too. */
const struct rule_facts *world_facts(struct world *world, size_t index);
/* Her events as rows, for history_view_rows; from the world's arena. */
struct history_row *world_rows(struct world *world, size_t index, size_t *count);
/* Parse a rule's JSON; fails the test when it is no JSON. Valid until the next. */
json_value world_json(struct world *world, str text);
/* A rule that has to be right. */
struct rule *world_rule(struct world *world, const char *json);
bool world_holds(struct world *world, size_t index, const char *json, int64_t now_ms);
const struct world_property *world_property(str path);
const struct world_name *world_find(const struct world_name *names, str name);

#endif
