/* SPDX-License-Identifier: Apache-2.0 */
/* oracle: the naive twin of src/rule, written for clarity alone.
 *
 * It reads the rule's JSON and the world's JSON (oracle_world.h) anew for each question, walks all events for each condition,
 * and shares nothing with src/rule but the reader of JSON. What it says is what docs/rules.md says; where the two
 * disagree, one of them is wrong. */
#ifndef KITH_TESTS_SUPPORT_ORACLE_H
#define KITH_TESTS_SUPPORT_ORACLE_H

#include "base/json.h"
#include "rule/rule.h"

struct oracle {
    json_value world, customer;
    const struct rule_zone *zone;
    int64_t now_ms;
};

/* Does the rule hold of the customer? The rule has to be right. */
bool oracle_holds(const struct oracle *oracle, json_value rule);

#endif
