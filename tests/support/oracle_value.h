/* SPDX-License-Identifier: Apache-2.0 */
/* The naive twin's values and comparisons, read from JSON each time. */
#ifndef KITH_TESTS_SUPPORT_ORACLE_VALUE_H
#define KITH_TESTS_SUPPORT_ORACLE_VALUE_H

#include <stdbool.h>

#include "base/json.h"
#include "support/oracle.h"

__extension__ typedef __int128 big;

struct oracle_value {
    bool set;
    enum rule_kind kind;
    big number; /* NUMBER in millionths */
    str text;
    json_value list;
};

struct oracle_value oracle_value_of(json_value json, enum rule_kind kind);
/* The operator that the rule has, or the one that stands when there is none. */
str oracle_operator(json_value rule, const char *otherwise);
/* A text or a list of them by an operator, turned for ne and its like. */
bool oracle_compare_text(str op, json_value with, const struct oracle_value *value);
/* value / count against what the rule says; `otherwise` when it has no operator. */
bool oracle_compare(const struct oracle *oracle, json_value rule, const struct oracle_value *value,
                    big count, const char *otherwise);

#endif
