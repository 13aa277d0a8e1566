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

#include "rule/judge.h"
#include "store/events.h"

struct query {
    const struct rule *rule;
    struct rule_judge *judge; /* for bounds and windows at now */
    struct buffer *out;
    struct problem *problem;
    err error;
};

static void unsupported(struct query *query, str pointer, const char *what)
{
    if (query->error != ERR_OK)
        return;
    query->error = problem_set(query->problem, ERR_UNSUPPORTED, "%s has no form in SQL", what);
    problem_at(query->problem, query->error, STR_FMT, STR_ARG(pointer));
}

static void put(struct query *query, const char *text)
{
    buffer_append_str(query->out, str_from_c(text));
}

static void put_wide(struct query *query, wide value)
{
    wide_write(query->out, value);
}

static void put_literal(struct query *query, str text)
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

#define DAYS_UP 1000000 /* keeps days and their remainders positive */

/* multiIf(time_ms < since[1], first, …): what holds in the entry of a moment. */
static void put_by_entry(struct query *query, const int64_t *values, int64_t least)
{
    const struct zone *zone = &query->rule->zone;
    if (zone->count > 1)
        put(query, "multiIf(");
    for (uint32_t i = 0; i < zone->count; i++) {
        if (i + 1 < zone->count)
            buffer_printf(query->out, "time_ms < %lld, ", (long long)zone->since_ms[i + 1]);
        int64_t value = values[i] < least ? least : values[i];
        buffer_printf(query->out, "toInt64(%lld)%s", (long long)value,
                      i + 1 < zone->count ? ", " : "");
    }
    if (zone->count > 1)
        put(query, ")");
}

static void put_local(struct query *query)
{
    put(query, "(time_ms + ");
    put_by_entry(query, query->rule->zone.offset_ms, INT64_MIN);
    buffer_printf(query->out, " + %lld)", (long long)(DAYS_UP * DAY_MS));
}

static void put_day(struct query *query)
{
    put(query, "greatest(intDiv(");
    put_local(query);
    buffer_printf(query->out, ", 86400000) - %d, ", DAYS_UP);
    put_by_entry(query, query->rule->zone.peak_day, -DAYS_UP);
    put(query, ")");
}

/* ---- values of properties: NULL when missing ---- */

static const struct {
    const char *column, *property;
} promoted[] = {
#define X(NAME, column, property, type) { column, property },
    PROMOTED_TABLE(X)
#undef X
};

static const char *promoted_column(str path)
{
    for (size_t i = 0; i < sizeof(promoted) / sizeof(promoted[0]); i++)
        if (str_equal(path, str_from_c(promoted[i].property)))
            return promoted[i].column;
    return NULL;
}

static enum column_kind promoted_kind(str path)
{
    static const enum column_kind kinds[] = {
#define TEXT COLUMN_TEXT
#define INT COLUMN_INT
#define MONEY COLUMN_MONEY
#define X(NAME, column, property, type) type,
        PROMOTED_TABLE(X)
#undef X
#undef TEXT
#undef INT
#undef MONEY
    };
    for (size_t i = 0; i < sizeof(promoted) / sizeof(promoted[0]); i++)
        if (str_equal(path, str_from_c(promoted[i].property)))
            return kinds[i];
    return COLUMN_TEXTS;
}

/* JSONExtract…(props, 'path') */
static void put_json(struct query *query, const char *function, str path)
{
    put(query, function);
    put(query, "(props, ");
    put_literal(query, path);
    put(query, ")");
}

static void put_json_text(struct query *query, str path)
{
    put(query, "nullIf(multiIf(");
    put_json(query, "JSONType", path);
    put(query, " = 'String', ");
    put_json(query, "JSONExtractString", path);
    put(query, ", ");
    put_json(query, "JSONType", path);
    put(query, " IN ('Int64', 'UInt64', 'Double', 'Bool'), ");
    put_json(query, "JSONExtractRaw", path);
    put(query, ", ''), '')");
}

/* A number, or a text of one, as millionths or whole. */
static void put_json_number(struct query *query, str path, bool whole)
{
    put(query, whole ? "toInt64OrNull(" : "toInt64(roundBankers(toDecimal128OrNull(");
    put(query, "multiIf(");
    put_json(query, "JSONType", path);
    put(query, " = 'String', trim(");
    put_json(query, "JSONExtractString", path);
    put(query, "), ");
    put_json(query, "JSONType", path);
    put(query, " IN ('Int64', 'UInt64', 'Double'), ");
    put_json(query, "JSONExtractRaw", path);
    put(query, whole ? ", ''))" : ", ''), 15), 6) * 1000000)");
}

static void put_json_bool(struct query *query, str path)
{
    put(query, "multiIf(lower(");
    put_json(query, "JSONExtractRaw", path);
    put(query, ") IN ('true', '1', '\"true\"', '\"1\"'), toInt64OrNull('1'), lower(");
    put_json(query, "JSONExtractRaw", path);
    put(query, ") IN ('false', '0', '\"false\"', '\"0\"'), toInt64OrNull('0'), toInt64OrNull(''))");
}

static void put_column(struct query *query, const struct property *property, str pointer)
{
    const char *column = promoted_column(property->path);
    bool fits = column != NULL && promoted_kind(property->path) == property->column_kind;
    if (str_equal(property->path, STR("$received"))) {
        put(query, "received_ms");
    } else if (str_equal(property->path, STR("$source"))) {
        put(query, "toInt64(source)");
    } else if (fits && property->kind == RULE_TEXT) {
        buffer_printf(query->out, "nullIf(%s, '')", column);
    } else if (fits) {
        buffer_printf(query->out, "nullIf(%s, toInt64(-9223372036854775808))", column);
    } else if (str_find_byte(property->path, '.') != property->path.size) {
        unsupported(query, pointer, "a property within others");
    } else if (property->column_kind == COLUMN_TEXT) {
        put_json_text(query, property->path);
    } else if (property->column_kind == COLUMN_INT || property->column_kind == COLUMN_DECIMAL) {
        put_json_number(query, property->path, property->column_kind == COLUMN_INT);
    } else if (property->column_kind == COLUMN_BOOL) {
        put_json_bool(query, property->path);
    } else {
        unsupported(query, pointer, "a property of this kind");
    }
}

static void put_value(struct query *query, const struct property *property, str pointer)
{
    switch (property->source) {
    case FROM_CHANNEL:
        put(query, "nullIf(toString(channel), '')");
        break;
    case FROM_TIME:
        put(query, "time_ms");
        break;
    case FROM_HOUR:
        put(query, "intDiv(");
        put_local(query);
        put(query, " % 86400000, 3600000)");
        break;
    case FROM_WEEKDAY:
        put(query, "((");
        put_day(query);
        buffer_printf(query->out, " + 3 + %d) %% 7 + 1)", 7 * DAYS_UP);
        break;
    case FROM_COLUMN:
    default:
        put_column(query, property, pointer);
        break;
    }
}

/* ---- comparisons ---- */

/* low <= value <= high, both as they fit into Int64. */
static void put_range(struct query *query, const char *value, wide low, wide high)
{
    if (low > high || low > INT64_MAX || high < INT64_MIN) {
        put(query, "0");
        return;
    }
    put(query, "(1");
    if (low > INT64_MIN) {
        buffer_printf(query->out, " AND %s >= toInt128('", value);
        put_wide(query, low);
        put(query, "')");
    }
    if (high < INT64_MAX) {
        buffer_printf(query->out, " AND %s <= toInt128('", value);
        put_wide(query, high);
        put(query, "')");
    }
    put(query, ")");
}

static void put_number_list(struct query *query, const char *value, const struct compare *compare)
{
    put(query, "(0");
    for (uint32_t i = 0; i < compare->count; i++) {
        buffer_printf(query->out, " OR %s = toInt128('", value);
        put_wide(query, compare->numbers[i]);
        put(query, "')");
    }
    put(query, ")");
}

/* `value` is the name of what is compared: it is not missing there. */
static void put_number_test(struct query *query, const char *value, const struct compare *compare)
{
    wide low = compare->low, high = compare->high;
    if (compare->relative) {
        low = query->judge->k->bounds[compare->bound].low;
        high = query->judge->k->bounds[compare->bound].high;
    }
    put(query, compare->negate ? "NOT " : "");
    if (compare->numbers != NULL)
        put_number_list(query, value, compare);
    else
        put_range(query, value, low, high);
}

static void put_text_test(struct query *query, const char *value, const struct compare *compare)
{
    static const char *const functions[OP_COUNT] = {
        [OP_STARTS_WITH] = "startsWith",
        [OP_ENDS_WITH] = "endsWith",
        [OP_CONTAINS] = "position",
        [OP_NOT_CONTAINS] = "position",
    };
    put(query, compare->negate ? "NOT " : "");
    if (functions[compare->op] != NULL) {
        bool position = strcmp(functions[compare->op], "position") == 0;
        buffer_printf(query->out, "(%s(%s, ", functions[compare->op], value);
        put_literal(query, compare->texts[0]);
        put(query, position ? ") > 0)" : "))");
        return;
    }
    buffer_printf(query->out, "(%s IN (", value);
    for (uint32_t i = 0; i < compare->count; i++) {
        put(query, i > 0 ? ", " : "");
        put_literal(query, compare->texts[i]);
    }
    put(query, "))");
}

static void put_prop(struct query *query, const struct node *node)
{
    const struct compare *compare = &node->compare;
    if (compare->op == OP_ANNIVERSARY || compare->op == OP_MATCHES || compare->reference != NULL ||
        compare->kind == RULE_TEXTS) {
        unsupported(query, node->pointer,
                    compare->kind == RULE_TEXTS ? "a list" : operator_word(compare->op));
        return;
    }
    if (compare->op == OP_IS_SET || compare->op == OP_IS_NOT_SET) {
        put(query, compare->op == OP_IS_SET ? "isNotNull(" : "isNull(");
        put_value(query, &node->property, node->pointer);
        put(query, ")");
        return;
    }
    /* A lambda gives the value a name: it is written once. */
    put(query, "arrayExists(v -> isNotNull(v) AND ifNull(");
    if (is_text_kind(compare->kind))
        put_text_test(query, "v", compare);
    else
        put_number_test(query, "v", compare);
    put(query, ", 0), [");
    put_value(query, &node->property, node->pointer);
    put(query, "])");
}

/* not, all, any; `put_child` writes what stands in them. */
static void put_group(struct query *query, const struct node *group,
                      void (*put_child)(struct query *query, const struct node *node))
{
    const char *between = group->kind == NODE_ALL ? " AND " : " OR ";
    if (group->kind == NODE_NOT) {
        put(query, "(NOT ");
        put_child(query, group->children[0]);
    } else {
        put(query, group->kind == NODE_ALL ? "(1" : "(0");
        for (uint32_t i = 0; i < group->child_count; i++) {
            put(query, between);
            put_child(query, group->children[i]);
        }
    }
    put(query, ")");
}

static void put_where(struct query *query, const struct node *where)
{
    switch (where->kind) {
    case NODE_PROP:
        put_prop(query, where);
        break;
    case NODE_NOT:
    case NODE_ALL:
    case NODE_ANY:
        put_group(query, where, put_where);
        break;
    case NODE_OBJECT:
    case NODE_TRAIT:
    case NODE_TAG:
    case NODE_SEGMENT:
    case NODE_HAS:
    case NODE_CONSENT:
    case NODE_REACHABLE:
    case NODE_RELATION:
    case NODE_TOUCH:
    case NODE_EVENT:
    case NODE_SEQUENCE:
    default:
        unsupported(query, where->pointer, "an object");
        break;
    }
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
        put(query, before);
        put_literal(query, rule->listeners[i].event);
        before = ", ";
    }
    put(query, ")");
    return true;
}

static void put_counts(struct query *query, const struct node *node, bool valued)
{
    const struct tally *window = &query->judge->k->starts[node->slot];
    const struct measuring *measuring = &node->measuring;
    if (put_types(query, node->slot))
        put(query, " AND ");
    buffer_printf(query->out, "time_ms < %lld", (long long)window->to_ms);
    if (window->from_ms != INT64_MIN)
        buffer_printf(query->out, " AND time_ms >= %lld", (long long)window->from_ms);
    if (node->where != NULL) {
        put(query, " AND ");
        put_where(query, node->where);
    }
    if (valued && measuring->has_of) {
        put(query, " AND isNotNull(");
        put_value(query, &measuring->of, node->pointer);
        put(query, ")");
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
    put(query, ", countIf(");
    put_counts(query, node, true);
    buffer_printf(query->out, ") AS n%u", node->slot);
    if (measuring->measure == MEASURE_COUNT)
        return;
    buffer_printf(query->out, ", %s(", functions[measuring->measure]);
    bool number = measuring->has_of && measuring->of.kind != RULE_TEXT;
    if (measuring->measure == MEASURE_DAYS)
        put_day(query);
    else if (measuring->measure == MEASURE_RECENCY)
        put(query, "time_ms");
    else {
        put(query, number ? "toInt128(ifNull(" : "ifNull(");
        put_value(query, &measuring->of, node->pointer);
        put(query, number ? ", 0))" : ", '')");
    }
    put(query, ", ");
    put_counts(query, node, true);
    buffer_printf(query->out, ") AS m%u", node->slot);
}

static void check_counting(struct query *query, const struct node *node)
{
    const struct measuring *measuring = &node->measuring;
    if (node->kind != NODE_EVENT)
        unsupported(query, node->pointer, "a condition that does not count events");
    else if (measuring->net || measuring->nth != 0)
        unsupported(query, node->pointer, measuring->net ? "'net'" : "'nth'");
    else if (measuring->measure == MEASURE_FIRST || measuring->measure == MEASURE_LAST)
        unsupported(query, node->pointer, "'first' or 'last'");
    else if (measuring->window.entering)
        unsupported(query, node->pointer, "'since_entering'");
    else if (measuring->has_of && measuring->of.kind == RULE_TEXTS)
        unsupported(query, node->pointer, "a list");
    else if (node->compare.op == OP_ANNIVERSARY)
        unsupported(query, node->pointer, "'anniversary'");
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
    snprintf(sum, sizeof(sum), "m%u * toInt128(%d)", node->slot, (int)node->measuring.of.unit);
    snprintf(count, sizeof(count), "toInt128(n%u)", node->slot);
    const wide *literals = compare->numbers != NULL ? compare->numbers : &compare->first;
    uint32_t literal_count = compare->numbers != NULL ? compare->count : 1;
    if (compare->op == OP_BETWEEN) {
        buffer_printf(query->out, "(%s >= %s * toInt128('", sum, count);
        put_wide(query, compare->first);
        buffer_printf(query->out, "') AND %s <= %s * toInt128('", sum, count);
        put_wide(query, compare->second);
        put(query, "'))");
        return;
    }
    const char *sign = signs[compare->op] != NULL ? signs[compare->op] : "=";
    put(query, compare->op == OP_NOT_IN ? "NOT (0" : "(0");
    for (uint32_t i = 0; i < literal_count; i++) {
        buffer_printf(query->out, " OR %s %s %s * toInt128('", sum, sign, count);
        put_wide(query, literals[i]);
        put(query, "')");
    }
    put(query, ")");
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
            put(query, set ? "1" : "0");
        else
            buffer_printf(query->out, set ? "(n%u > 0)" : "(n%u = 0)", node->slot);
        return;
    }
    if (measure == MEASURE_RECENCY)
        snprintf(value, sizeof(value), "intDiv(%lld - m%u, 86400000)",
                 (long long)query->judge->now_ms, node->slot);
    else
        snprintf(value, sizeof(value), measure == MEASURE_COUNT ? "toInt128(n%u)" : "m%u",
                 node->slot);
    if (always)
        put(query, "(");
    else
        buffer_printf(query->out, "(n%u > 0 AND ", node->slot);
    if (measure == MEASURE_AVG)
        put_average_test(query, node);
    else
        put_number_test(query, value, compare);
    put(query, ")");
}

static void put_tree(struct query *query, const struct node *node)
{
    switch (node->kind) {
    case NODE_NOT:
    case NODE_ALL:
    case NODE_ANY:
        put_group(query, node, put_tree);
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
        unsupported(query, node->pointer, "a condition that does not count events");
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
    put(query, " AND ");
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
    put(query, "SELECT current AS customer FROM (SELECT " WAREHOUSE_CURRENT_CUSTOMER " AS current");
    for (uint32_t i = 0; i < rule->slot_count; i++)
        put_measure(query, rule->slots[i]);
    put(query, " FROM events_kept WHERE 1"); /* without what was taken back */
    put_filter(query);
    put(query, " GROUP BY current) WHERE ");
    put_tree(query, rule->root);
    put(query, " ORDER BY customer");
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
