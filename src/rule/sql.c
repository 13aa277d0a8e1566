/* SPDX-License-Identifier: Apache-2.0 */
/* Counting rules as SQL of ClickHouse: the second opinion, and what SQL does better.
 *
 *     SELECT current AS customer FROM (
 *         SELECT <current customer> AS current, <measures of each condition> FROM events_kept WHERE … GROUP BY current
 *     ) WHERE <the tree over the measures>
 *
 * All moments are worked out here, at now_ms: the query has numbers only. A missing value is NULL, and each comparison
 * ends as 0 or 1, so that `not` turns it as in R4. A customer without any row in `events` is not given, also
 * where the rule holds of nothing. */
#include <stdio.h>
#include <string.h>

#include "rule/sql.h"

void sql_unsupported(struct query *query, str pointer, const char *what)
{
    if (query->error != ERR_OK)
        return;
    query->error = problem_set(query->problem, ERR_UNSUPPORTED, "%s has no form in SQL", what);
    problem_at(query->problem, query->error, STR_FMT, STR_ARG(pointer));
}

void sql_put(struct query *query, const char *text)
{
    buffer_append_str(query->out, str_from_c(text));
}

void sql_put_wide(struct query *query, wide value)
{
    wide_write(query->out, value);
}

void sql_put_literal(struct query *query, str text)
{
    buffer_append_byte(query->out, '\'');
    for (size_t i = 0; i < text.size; i++) {
        if (text.data[i] == '\'' || text.data[i] == '\\')
            buffer_append_byte(query->out, '\\');
        buffer_append_byte(query->out, (uint8_t)text.data[i]);
    }
    buffer_append_byte(query->out, '\'');
}

/* ---- local time ---- */

/* multiIf(time_ms < since[1], first, …): what holds in the entry of a moment. */
static void put_by_entry(struct query *query, const int64_t *values, int64_t least)
{
    const struct zone *zone = &query->rule->zone;
    if (zone->count > 1)
        sql_put(query, "multiIf(");
    for (uint32_t i = 0; i < zone->count; i++) {
        if (i + 1 < zone->count)
            buffer_printf(query->out, "time_ms < %lld, ", (long long)zone->since_ms[i + 1]);
        int64_t value = values[i] < least ? least : values[i];
        buffer_printf(query->out, "toInt64(%lld)%s", (long long)value,
                      i + 1 < zone->count ? ", " : "");
    }
    if (zone->count > 1)
        sql_put(query, ")");
}

void sql_put_local(struct query *query)
{
    sql_put(query, "(time_ms + ");
    put_by_entry(query, query->rule->zone.offset_ms, INT64_MIN);
    buffer_printf(query->out, " + %lld)", (long long)(DAYS_UP * DAY_MS));
}

void sql_put_day(struct query *query)
{
    sql_put(query, "greatest(intDiv(");
    sql_put_local(query);
    buffer_printf(query->out, ", 86400000) - %d, ", DAYS_UP);
    put_by_entry(query, query->rule->zone.peak_day, -DAYS_UP);
    sql_put(query, ")");
}

/* ---- what counts for a condition ---- */

/* false: any type */
static bool put_types(struct query *query, uint32_t slot)
{
    const struct rule *rule = query->rule;
    const char *before = "type IN (";
    for (uint32_t i = 0; i < rule->listener_count; i++)
        if ((slot == UINT32_MAX || rule->listeners[i].slot == slot) &&
            rule->listeners[i].event.size == 0)
            return false;
    for (uint32_t i = 0; i < rule->listener_count; i++) {
        if (slot != UINT32_MAX && rule->listeners[i].slot != slot)
            continue;
        sql_put(query, before);
        sql_put_literal(query, rule->listeners[i].event);
        before = ", ";
    }
    sql_put(query, ")");
    return true;
}

static void put_counts(struct query *query, const struct node *node, bool valued)
{
    const struct tally *window = &query->judge->k->starts[node->slot];
    const struct measuring *measuring = &node->measuring;
    if (put_types(query, node->slot))
        sql_put(query, " AND ");
    buffer_printf(query->out, "time_ms < %lld", (long long)window->to_ms);
    if (window->from_ms != INT64_MIN)
        buffer_printf(query->out, " AND time_ms >= %lld", (long long)window->from_ms);
    if (node->where != NULL) {
        sql_put(query, " AND ");
        sql_put_where(query, node->where);
    }
    if (valued && measuring->has_of) {
        sql_put(query, " AND isNotNull(");
        sql_put_value(query, &measuring->of, node->pointer);
        sql_put(query, ")");
    }
}

/* ", countIf(…) AS n0, sumIf(…) AS m0" */
static void put_measure(struct query *query, const struct node *node)
{
    static const char *const functions[MEASURE_END] = {
        [MEASURE_SUM] = "sumIf",
        [MEASURE_AVG] = "sumIf",
        [MEASURE_MIN] = "minIf",
        [MEASURE_MAX] = "maxIf",
        [MEASURE_DISTINCT] = "uniqExactIf",
        [MEASURE_DAYS] = "uniqExactIf",
        [MEASURE_RECENCY] = "maxIf",
    };
    const struct measuring *measuring = &node->measuring;
    sql_put(query, ", countIf(");
    put_counts(query, node, true);
    buffer_printf(query->out, ") AS n%u", node->slot);
    if (measuring->measure == MEASURE_COUNT)
        return;
    buffer_printf(query->out, ", %s(", functions[measuring->measure]);
    bool number = measuring->has_of && measuring->of.kind != RULE_TEXT;
    if (measuring->measure == MEASURE_DAYS)
        sql_put_day(query);
    else if (measuring->measure == MEASURE_RECENCY)
        sql_put(query, "time_ms");
    else {
        sql_put(query, number ? "toDecimal128(ifNull(" : "ifNull(");
        sql_put_value(query, &measuring->of, node->pointer);
        sql_put(query, number ? ", 0), 0)" : ", '')");
    }
    sql_put(query, ", ");
    put_counts(query, node, true);
    buffer_printf(query->out, ") AS m%u", node->slot);
}

static void check_counting(struct query *query, const struct node *node)
{
    const struct measuring *measuring = &node->measuring;
    if (node->kind != NODE_EVENT)
        sql_unsupported(query, node->pointer, "a condition that does not count events");
    else if (measuring->net || measuring->nth != 0)
        sql_unsupported(query, node->pointer, measuring->net ? "'net'" : "'nth'");
    else if (measuring->measure == MEASURE_FIRST || measuring->measure == MEASURE_LAST)
        sql_unsupported(query, node->pointer, "'first' or 'last'");
    else if (measuring->window.entering)
        sql_unsupported(query, node->pointer, "'since_entering'");
    else if (measuring->has_of && measuring->of.kind == RULE_TEXTS)
        sql_unsupported(query, node->pointer, "a list");
    else if (node->compare.op == OP_ANNIVERSARY)
        sql_unsupported(query, node->pointer, "'anniversary'");
}

/* ---- the tree over the measures ---- */

/* sum against count × literal. */
static void put_average_test(struct query *query, const struct node *node)
{
    static const char *const signs[OP_COUNT] = {
        [OP_EQ] = "=",   [OP_NE] = "!=", [OP_LT] = "<",
        [OP_LTE] = "<=", [OP_GT] = ">",  [OP_GTE] = ">=",
    };
    const struct compare *compare = &node->compare;
    char sum[80], count[80];
    snprintf(sum, sizeof(sum), "m%u * toDecimal128(%d, 0)", node->slot,
             (int)node->measuring.of.unit);
    snprintf(count, sizeof(count), "toDecimal128(n%u, 0)", node->slot);
    const wide *literals = compare->numbers != NULL ? compare->numbers : &compare->first;
    uint32_t literal_count = compare->numbers != NULL ? compare->count : 1;
    if (compare->op == OP_BETWEEN) {
        buffer_printf(query->out, "(%s >= %s * toDecimal128('", sum, count);
        sql_put_wide(query, compare->first);
        buffer_printf(query->out, "', 0) AND %s <= %s * toDecimal128('", sum, count);
        sql_put_wide(query, compare->second);
        sql_put(query, "', 0))");
        return;
    }
    const char *sign = signs[compare->op] != NULL ? signs[compare->op] : "=";
    sql_put(query, compare->op == OP_NOT_IN ? "NOT (0" : "(0");
    for (uint32_t i = 0; i < literal_count; i++) {
        buffer_printf(query->out, " OR %s %s %s * toDecimal128('", sum, sign, count);
        sql_put_wide(query, literals[i]);
        sql_put(query, "', 0)");
    }
    sql_put(query, ")");
}

static void put_condition(struct query *query, const struct node *node)
{
    const struct compare *compare = &node->compare;
    enum measure measure = node->measuring.measure;
    bool always = measure == MEASURE_COUNT || measure == MEASURE_SUM ||
                  measure == MEASURE_DISTINCT || measure == MEASURE_DAYS;
    char value[80];
    if (compare->op == OP_IS_SET || compare->op == OP_IS_NOT_SET) {
        bool set = compare->op == OP_IS_SET;
        if (always)
            sql_put(query, set ? "1" : "0");
        else
            buffer_printf(query->out, set ? "(n%u > 0)" : "(n%u = 0)", node->slot);
        return;
    }
    if (measure == MEASURE_RECENCY)
        snprintf(value, sizeof(value), "intDiv(%lld - m%u, 86400000)",
                 (long long)query->judge->now_ms, node->slot);
    else
        snprintf(value, sizeof(value), measure == MEASURE_COUNT ? "toDecimal128(n%u, 0)" : "m%u",
                 node->slot);
    if (always)
        sql_put(query, "(");
    else
        buffer_printf(query->out, "(n%u > 0 AND ", node->slot);
    if (measure == MEASURE_AVG)
        put_average_test(query, node);
    else
        sql_put_number_test(query, value, compare);
    sql_put(query, ")");
}

static void put_tree(struct query *query, const struct node *node)
{
    switch (node->kind) {
    case NODE_NOT:
    case NODE_ALL:
    case NODE_ANY:
        sql_put_group(query, node, put_tree);
        break;
    case NODE_EVENT:
        put_condition(query, node);
        break;
    case NODE_TRAIT:
    case NODE_TAG:
    case NODE_SEGMENT:
    case NODE_HAS:
    case NODE_CONSENT:
    case NODE_REACHABLE:
    case NODE_RELATION:
    case NODE_TOUCH:
    case NODE_SEQUENCE:
    case NODE_OBJECT:
    case NODE_PROP:
    default:
        sql_unsupported(query, node->pointer, "a condition that does not count events");
        break;
    }
}

/* ---- the whole ---- */

/* Rows of other types matter only when the rule holds of who did nothing. */
static void put_filter(struct query *query)
{
    struct rule_answer nothing = tree_answer(query->judge, query->rule->root);
    if (nothing.holds)
        return;
    size_t before = query->out->size;
    sql_put(query, " AND ");
    if (query->rule->listener_count == 0 || !put_types(query, UINT32_MAX))
        query->out->size = before;
    else
        buffer_printf(query->out, " AND time_ms < %lld", (long long)query->judge->now_ms);
}

static void put_query(struct query *query)
{
    const struct rule *rule = query->rule;
    for (uint32_t i = 0; i < rule->condition_count; i++)
        check_counting(query, rule->conditions[i]);
    if (query->error != ERR_OK)
        return;
    sql_put(query,
            "SELECT current AS customer FROM (SELECT " WAREHOUSE_CURRENT_CUSTOMER " AS current");
    for (uint32_t i = 0; i < rule->slot_count; i++)
        put_measure(query, rule->slots[i]);
    sql_put(query, " FROM events_kept WHERE 1"); /* without what was taken back */
    put_filter(query);
    sql_put(query, " GROUP BY current) WHERE ");
    put_tree(query, rule->root);
    sql_put(query, " ORDER BY customer");
}

err rule_sql(const struct rule *rule, int64_t now_ms, struct buffer *sql, struct problem *problem)
{
    static const struct history_view nothing = { .complete = true };
    struct query query = { .rule = rule, .out = sql, .problem = problem };
    err error = rule_judge_new(&query.judge);
    if (error != ERR_OK)
        return error;
    size_t before = sql->size;
    judge_begin(query.judge, rule, 0, &nothing, NULL, now_ms);
    if (query.judge->k != NULL)
        put_query(&query);
    error = query.error != ERR_OK ? query.error : rule_judge_status(query.judge);
    if (error == ERR_OK)
        error = buffer_status(sql);
    if (error != ERR_OK && !sql->failed)
        sql->size = before;
    rule_judge_free(&query.judge);
    return error;
}
