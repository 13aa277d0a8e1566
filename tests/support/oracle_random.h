/* SPDX-License-Identifier: Apache-2.0 */
/* Random worlds and rules for src/rule, made to hit edges: events stand exactly at, before and behind the starts of windows, at
 * local midnights, together in one millisecond, and in the future; values are missing now and then. */
#ifndef KITH_TESTS_SUPPORT_ORACLE_RANDOM_H
#define KITH_TESTS_SUPPORT_ORACLE_RANDOM_H

#include "base/buffer.h"
#include "base/digest.h"
#include "rule/rule.h"

struct gambler {
    struct random_stream random;
    const struct rule_zone *zone;
    int64_t now_ms;
    bool counting; /* only what rule_sql can say */
};

/* Zones of the tests: none (UTC+8), with daylight saving, back at midnight, a day left out. */
const struct rule_zone *gamble_zone(struct gambler *gambler);
int64_t gamble_now(struct gambler *gambler);
void gamble_world(struct gambler *gambler, size_t customers, struct buffer *out);
void gamble_rule(struct gambler *gambler, struct buffer *out);

#endif
