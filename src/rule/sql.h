/* SPDX-License-Identifier: Apache-2.0 */
/* sql: what the files that make SQL of a rule share. Private to rule/. */
#ifndef KITH_RULE_SQL_H
#define KITH_RULE_SQL_H

#include "rule/judge.h"
#include "store/events.h"

#define DAYS_UP 1000000 /* keeps days and their remainders positive */

struct query {
    const struct rule *rule;
    struct rule_judge *judge; /* for bounds and windows at now */
    struct buffer *out;
    struct problem *problem;
    err error;
};

void sql_unsupported(struct query *query, str pointer, const char *what);
void sql_put(struct query *query, const char *text);
void sql_put_wide(struct query *query, wide value);
void sql_put_literal(struct query *query, str text);
void sql_put_local(struct query *query);
void sql_put_day(struct query *query);
void sql_put_value(struct query *query, const struct property *property, str pointer);
void sql_put_number_test(struct query *query, const char *value, const struct compare *compare);
void sql_put_group(struct query *query, const struct node *group,
                   void (*put_child)(struct query *query, const struct node *node));
void sql_put_where(struct query *query, const struct node *where);

#endif
