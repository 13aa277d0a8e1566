/* SPDX-License-Identifier: Apache-2.0 */
/* Values of properties and their comparisons as SQL. */
#include <string.h>

#include "rule/sql.h"

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
    sql_put(query, function);
    sql_put(query, "(props, ");
    sql_put_literal(query, path);
    sql_put(query, ")");
}

static void put_json_text(struct query *query, str path)
{
    sql_put(query, "nullIf(multiIf(");
    put_json(query, "JSONType", path);
    sql_put(query, " = 'String', ");
    put_json(query, "JSONExtractString", path);
    sql_put(query, ", ");
    put_json(query, "JSONType", path);
    sql_put(query, " IN ('Int64', 'UInt64', 'Double', 'Bool'), ");
    put_json(query, "JSONExtractRaw", path);
    sql_put(query, ", ''), '')");
}

/* A number, or a text of one, as millionths or whole. */
static void put_json_number(struct query *query, str path, bool whole)
{
    sql_put(query, whole ? "toInt64OrNull(" : "toInt64(roundBankers(toDecimal128OrNull(");
    sql_put(query, "multiIf(");
    put_json(query, "JSONType", path);
    sql_put(query, " = 'String', trim(");
    put_json(query, "JSONExtractString", path);
    sql_put(query, "), ");
    put_json(query, "JSONType", path);
    sql_put(query, " IN ('Int64', 'UInt64', 'Double'), ");
    put_json(query, "JSONExtractRaw", path);
    sql_put(query, whole ? ", ''))" : ", ''), 15), 6) * 1000000)");
}

static void put_json_bool(struct query *query, str path)
{
    sql_put(query, "multiIf(lower(");
    put_json(query, "JSONExtractRaw", path);
    sql_put(query, ") IN ('true', '1', '\"true\"', '\"1\"'), toInt64OrNull('1'), lower(");
    put_json(query, "JSONExtractRaw", path);
    sql_put(query,
            ") IN ('false', '0', '\"false\"', '\"0\"'), toInt64OrNull('0'), toInt64OrNull(''))");
}

static void put_column(struct query *query, const struct property *property, str pointer)
{
    const char *column = promoted_column(property->path);
    bool fits = column != NULL && promoted_kind(property->path) == property->column_kind;
    if (str_equal(property->path, STR("$received"))) {
        sql_put(query, "received_ms");
    } else if (str_equal(property->path, STR("$source"))) {
        sql_put(query, "toInt64(source)");
    } else if (fits && property->kind == RULE_TEXT) {
        buffer_printf(query->out, "nullIf(%s, '')", column);
    } else if (fits) {
        buffer_printf(query->out, "nullIf(%s, toInt64(-9223372036854775808))", column);
    } else if (str_find_byte(property->path, '.') != property->path.size) {
        sql_unsupported(query, pointer, "a property within others");
    } else if (property->column_kind == COLUMN_TEXT) {
        put_json_text(query, property->path);
    } else if (property->column_kind == COLUMN_INT || property->column_kind == COLUMN_DECIMAL) {
        put_json_number(query, property->path, property->column_kind == COLUMN_INT);
    } else if (property->column_kind == COLUMN_BOOL) {
        put_json_bool(query, property->path);
    } else {
        sql_unsupported(query, pointer, "a property of this kind");
    }
}

void sql_put_value(struct query *query, const struct property *property, str pointer)
{
    switch (property->source) {
    case FROM_CHANNEL:
        sql_put(query, "nullIf(toString(channel), '')");
        break;
    case FROM_TIME:
        sql_put(query, "time_ms");
        break;
    case FROM_HOUR:
        sql_put(query, "intDiv(");
        sql_put_local(query);
        sql_put(query, " % 86400000, 3600000)");
        break;
    case FROM_WEEKDAY:
        sql_put(query, "((");
        sql_put_day(query);
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
        sql_put(query, "0");
        return;
    }
    sql_put(query, "(1");
    if (low > INT64_MIN) {
        buffer_printf(query->out, " AND %s >= toDecimal128('", value);
        sql_put_wide(query, low);
        sql_put(query, "', 0)");
    }
    if (high < INT64_MAX) {
        buffer_printf(query->out, " AND %s <= toDecimal128('", value);
        sql_put_wide(query, high);
        sql_put(query, "', 0)");
    }
    sql_put(query, ")");
}

static void put_number_list(struct query *query, const char *value, const struct compare *compare)
{
    sql_put(query, "(0");
    for (uint32_t i = 0; i < compare->count; i++) {
        buffer_printf(query->out, " OR %s = toDecimal128('", value);
        sql_put_wide(query, compare->numbers[i]);
        sql_put(query, "', 0)");
    }
    sql_put(query, ")");
}

/* `value` is the name of what is compared: it is not missing there. */
void sql_put_number_test(struct query *query, const char *value, const struct compare *compare)
{
    wide low = compare->low, high = compare->high;
    if (compare->relative) {
        low = query->judge->k->bounds[compare->bound].low;
        high = query->judge->k->bounds[compare->bound].high;
    }
    sql_put(query, compare->negate ? "NOT " : "");
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
    sql_put(query, compare->negate ? "NOT " : "");
    if (functions[compare->op] != NULL) {
        bool position = strcmp(functions[compare->op], "position") == 0;
        buffer_printf(query->out, "(%s(%s, ", functions[compare->op], value);
        sql_put_literal(query, compare->texts[0]);
        sql_put(query, position ? ") > 0)" : "))");
        return;
    }
    buffer_printf(query->out, "(%s IN (", value);
    for (uint32_t i = 0; i < compare->count; i++) {
        sql_put(query, i > 0 ? ", " : "");
        sql_put_literal(query, compare->texts[i]);
    }
    sql_put(query, "))");
}

static void put_prop(struct query *query, const struct node *node)
{
    const struct compare *compare = &node->compare;
    if (compare->op == OP_ANNIVERSARY || compare->op == OP_MATCHES || compare->reference != NULL ||
        compare->kind == RULE_TEXTS) {
        sql_unsupported(query, node->pointer,
                        compare->kind == RULE_TEXTS ? "a list" : operator_word(compare->op));
        return;
    }
    if (compare->op == OP_IS_SET || compare->op == OP_IS_NOT_SET) {
        sql_put(query, compare->op == OP_IS_SET ? "isNotNull(" : "isNull(");
        sql_put_value(query, &node->property, node->pointer);
        sql_put(query, ")");
        return;
    }
    /* A lambda gives the value a name: it is written once. */
    sql_put(query, "arrayExists(v -> isNotNull(v) AND ifNull(");
    if (is_text_kind(compare->kind))
        put_text_test(query, "v", compare);
    else
        sql_put_number_test(query, "v", compare);
    sql_put(query, ", 0), [");
    sql_put_value(query, &node->property, node->pointer);
    sql_put(query, "])");
}

/* not, all, any; `put_child` writes what stands in them. */
void sql_put_group(struct query *query, const struct node *group,
                   void (*put_child)(struct query *query, const struct node *node))
{
    const char *between = group->kind == NODE_ALL ? " AND " : " OR ";
    if (group->kind == NODE_NOT) {
        sql_put(query, "(NOT ");
        put_child(query, group->children[0]);
    } else {
        sql_put(query, group->kind == NODE_ALL ? "(1" : "(0");
        for (uint32_t i = 0; i < group->child_count; i++) {
            sql_put(query, between);
            put_child(query, group->children[i]);
        }
    }
    sql_put(query, ")");
}

void sql_put_where(struct query *query, const struct node *where)
{
    switch (where->kind) {
    case NODE_PROP:
        put_prop(query, where);
        break;
    case NODE_NOT:
    case NODE_ALL:
    case NODE_ANY:
        sql_put_group(query, where, sql_put_where);
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
        sql_unsupported(query, where->pointer, "an object");
        break;
    }
}
