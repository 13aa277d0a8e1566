/* SPDX-License-Identifier: Apache-2.0 */
/* Running expressions: conversions, comparisons, arithmetic, aggregates over the lines of an order. */
#include "mapping/expression.h"

#include <string.h>

#include "base/clock.h"
#include "mapping/inside.h"
#include "mapping/script.h"

static const struct time_format time_auto = { .kind = TIME_AUTO };

/* ---- cells ---- */

static struct value lost_text(str text)
{
    struct value value = value_text(text);
    value.lost = value.kind == VALUE_TEXT;
    return value;
}

static struct value text_of_cell(const struct mapping_worker *worker, const struct table_cell *cell)
{
    str text = cell_clean(cell->text);
    if (mapping_is_null_word(worker->mapping, text))
        return value_null();
    struct value value = value_text(text);
    value.sure = cell->kind == CELL_GUARDED;
    return value;
}

static struct value number_of_cell(str text)
{
    struct exact number;
    return exact_parse(text, true, &number) ? value_number(number) : lost_text(text);
}

struct value value_of_cell(const struct mapping_worker *worker, const struct table_cell *cell)
{
    switch (cell->kind) {
    case CELL_EMPTY:
        return value_null();
    case CELL_NUMBER:
        return number_of_cell(cell->text);
    case CELL_BOOL:
        return value_bool(
            cell->text.size > 0 &&
            (cell->text.data[0] == 't' || cell->text.data[0] == 'T' || cell->text.data[0] == '1'));
    case CELL_JSON:
        return (struct value){ .kind = VALUE_JSON, .text = cell->text };
    case CELL_LOST:
        return lost_text(cell->text);
    case CELL_TEXT:
    case CELL_TIME:
    case CELL_GUARDED:
    default:
        return text_of_cell(worker, cell);
    }
}

/* ---- conversions ---- */

static bool refused(struct run *run)
{
    run->refused = true;
    return false;
}

bool value_to_text(struct run *run, struct value value, str *out)
{
    char number[EXACT_TEXT_BYTES], time[TIME_TEXT_BYTES];
    str made;
    switch (value.kind) {
    case VALUE_TEXT:
    case VALUE_JSON:
        *out = value.text;
        return true;
    case VALUE_NUMBER:
        made = str_from_bytes(number, exact_write(value.number, number));
        break;
    case VALUE_TIME:
        time_format_utc(value.time_ms, time);
        made = str_from_c(time);
        break;
    case VALUE_BOOL:
        *out = value.truth ? STR("true") : STR("false");
        return true;
    case VALUE_NULL:
    default:
        *out = STR_NONE;
        return true;
    }
    if (arena_dup(run->arena, made, out) == ERR_OK)
        return true;
    refusal_nomem(&run->refusal);
    return refused(run);
}

static bool refuse_lost(struct run *run, str text)
{
    char room[REFUSAL_SHOWN_BYTES];
    refusal_set(&run->refusal, REFUSAL_LOST_DIGITS, "'%s' has lost its digits",
                refusal_shown(text, room));
    refusal_cure(&run->refusal, "export again with the column as text, not as a number of Excel");
    return refused(run);
}

static bool refuse_kind(struct run *run, enum refusal_code code, const char *wanted)
{
    refusal_set(&run->refusal, code, "the value is not %s", wanted);
    return refused(run);
}

bool value_to_number(struct run *run, struct value value, str currency, struct exact *out,
                     bool *is_null)
{
    *is_null = value.kind == VALUE_NULL;
    switch (value.kind) {
    case VALUE_NULL:
        *out = exact_from_int(0);
        return true;
    case VALUE_NUMBER:
        *out = value.number;
        return true;
    case VALUE_TEXT:
        if (value.lost)
            return refuse_lost(run, value.text);
        return cell_to_number(value.text, currency, run->arena, out, &run->refusal) || refused(run);
    case VALUE_BOOL:
        *out = exact_from_int(value.truth ? 1 : 0);
        return true;
    case VALUE_TIME:
    case VALUE_JSON:
        break;
    }
    return refuse_kind(run, REFUSAL_NOT_A_NUMBER, "a number");
}

bool value_to_time(struct run *run, struct value value, const struct time_format *format,
                   int zone_offset_seconds, int64_t *out, bool *is_null)
{
    str text;
    *is_null = value.kind == VALUE_NULL;
    *out = 0;
    if (value.kind == VALUE_NULL)
        return true;
    if (value.kind == VALUE_TIME) {
        *out = value.time_ms;
        return true;
    }
    if (value.kind == VALUE_JSON || value.kind == VALUE_BOOL)
        return refuse_kind(run, REFUSAL_NOT_A_TIME, "a time");
    if (value.lost)
        return refuse_lost(run, value.text);
    return value_to_text(run, value, &text) &&
           (cell_to_time(text, format, zone_offset_seconds, run->arena, out, &run->refusal) ||
            refused(run));
}

bool value_to_bool(struct run *run, struct value value, bool *out, bool *is_null)
{
    str text;
    *is_null = value.kind == VALUE_NULL;
    *out = value.kind == VALUE_BOOL && value.truth;
    if (value.kind == VALUE_NULL || value.kind == VALUE_BOOL)
        return true;
    return value_to_text(run, value, &text) &&
           (cell_to_bool(text, out, &run->refusal) || refused(run));
}

/* Of a condition: true, or a number other than zero; a text is no condition by itself. */
bool value_is_true(struct value value)
{
    if (value.kind == VALUE_NUMBER)
        return value.number.coefficient != 0;
    return value.kind == VALUE_BOOL && value.truth;
}

/* ---- comparing ---- */

/* The other side of a number, a time or a boolean, read as one; false if it is none. */
static bool read_as(struct run *run, enum value_kind kind, struct value *value)
{
    struct refusal ignored;
    if (value->kind == kind)
        return true;
    if (value->kind != VALUE_TEXT || value->lost)
        return false;
    str text = value->text;
    *value = (struct value){ .kind = kind };
    switch (kind) {
    case VALUE_NUMBER:
        return cell_to_number(text, STR_NONE, run->arena, &value->number, &ignored);
    case VALUE_TIME:
        return cell_to_time(text, &time_auto, run->zone_offset_seconds, run->arena, &value->time_ms,
                            &ignored);
    case VALUE_BOOL:
        return cell_to_bool(text, &value->truth, &ignored);
    case VALUE_NULL:
    case VALUE_TEXT:
    case VALUE_JSON:
        break;
    }
    return false;
}

static int sign_of(int64_t a, int64_t b)
{
    return a < b ? -1 : a > b;
}

/* False when the two cannot be compared. Texts by their bytes, with everything else as what it is. */
static bool compare(struct run *run, struct value a, struct value b, int *order)
{
    enum value_kind kind = a.kind == VALUE_TEXT ? b.kind : a.kind;
    if (a.kind == VALUE_NULL || b.kind == VALUE_NULL)
        return false;
    if (kind == VALUE_TEXT || kind == VALUE_JSON) {
        if ((a.kind != VALUE_TEXT && a.kind != VALUE_JSON) ||
            (b.kind != VALUE_TEXT && b.kind != VALUE_JSON))
            return false;
        *order = str_compare(a.text, b.text);
        return true;
    }
    if (!read_as(run, kind, &a) || !read_as(run, kind, &b))
        return false;
    if (kind == VALUE_NUMBER)
        *order = exact_compare(a.number, b.number);
    else if (kind == VALUE_TIME)
        *order = sign_of(a.time_ms, b.time_ms);
    else
        *order = (int)a.truth - (int)b.truth;
    return true;
}

/* Which of two is less: texts that are both numbers, or both times, by what they mean ("9" before "10"). */
static bool order_of(struct run *run, struct value a, struct value b, int *order)
{
    static const enum value_kind kinds[] = { VALUE_NUMBER, VALUE_TIME };
    for (size_t i = 0; i < 2 && a.kind == VALUE_TEXT && b.kind == VALUE_TEXT; i++) {
        struct value one = a, other = b;
        if (read_as(run, kinds[i], &one) && read_as(run, kinds[i], &other))
            return compare(run, one, other, order);
    }
    return compare(run, a, b, order);
}

/* null = null; what cannot be compared is unequal, and neither less nor more. */
static bool are_equal(struct run *run, struct value a, struct value b)
{
    int order;
    if (a.kind == VALUE_NULL || b.kind == VALUE_NULL)
        return a.kind == b.kind;
    return compare(run, a, b, &order) && order == 0;
}

static struct value run_comparison(struct run *run, const struct node *node)
{
    int order;
    struct value a = expression_run(run, node->arguments[0]);
    struct value b = expression_run(run, node->arguments[1]);
    if (node->kind == NODE_EQUAL || node->kind == NODE_UNEQUAL)
        return value_bool(are_equal(run, a, b) == (node->kind == NODE_EQUAL));
    if (!order_of(run, a, b, &order))
        return value_bool(false);
    switch (node->kind) {
    case NODE_LESS:
        return value_bool(order < 0);
    case NODE_LESS_EQUAL:
        return value_bool(order <= 0);
    case NODE_MORE:
        return value_bool(order > 0);
    default:
        return value_bool(order >= 0);
    }
}

static struct value run_in(struct run *run, const struct node *node)
{
    struct value value = expression_run(run, node->arguments[0]);
    for (size_t i = 1; i < node->count && !run->refused; i++)
        if (are_equal(run, value, expression_run(run, node->arguments[i])))
            return value_bool(true);
    return value_bool(false);
}

/* ---- arithmetic ---- */

static struct value refuse_range(struct run *run)
{
    refusal_set(&run->refusal, REFUSAL_NUMBER_RANGE,
                "a number is too large, or divided by nothing");
    refused(run);
    return value_null();
}

static bool number_argument(struct run *run, const struct node *node, size_t index,
                            struct exact *out, bool *is_null)
{
    return value_to_number(run, expression_run(run, node->arguments[index]), STR_NONE, out,
                           is_null) &&
           !run->refused;
}

static struct value run_arithmetic(struct run *run, const struct node *node)
{
    struct exact a, b, out = exact_from_int(0);
    bool a_null, b_null, good;
    if (!number_argument(run, node, 0, &a, &a_null) ||
        !number_argument(run, node, 1, &b, &b_null) || a_null || b_null)
        return value_null();
    switch (node->kind) {
    case NODE_ADD:
        good = exact_add(a, b, &out);
        break;
    case NODE_SUBTRACT:
        good = exact_subtract(a, b, &out);
        break;
    case NODE_MULTIPLY:
        good = exact_multiply(a, b, &out);
        break;
    default:
        good = exact_divide(a, b, &out);
        break;
    }
    return good ? value_number(out) : refuse_range(run);
}

static struct value run_of_number(struct run *run, const struct node *node)
{
    struct exact number, digits = exact_from_int(0);
    int64_t places = 0;
    bool is_null, none;
    if (!number_argument(run, node, 0, &number, &is_null) || is_null)
        return value_null();
    switch (node->kind) {
    case NODE_NEGATE:
        number.coefficient = -number.coefficient;
        return value_number(number);
    case NODE_ABS:
        if (number.coefficient < 0)
            number.coefficient = -number.coefficient;
        return value_number(number);
    case NODE_FLOOR:
        return value_number(exact_floor(number));
    case NODE_INTEGER:
        if (exact_is_whole(number))
            return value_number(exact_floor(number));
        refusal_set(&run->refusal, REFUSAL_NOT_A_NUMBER, "the value is not a whole number");
        refused(run);
        return value_null();
    case NODE_ROUND:
        if (node->count > 1 && !number_argument(run, node, 1, &digits, &none))
            return value_null();
        if (!exact_to_int(digits, &places) || places < 0 || places > EXACT_SCALE_MAX)
            return refuse_range(run);
        return value_number(exact_round(number, (int)places));
    default:
        return value_number(number);
    }
}

/* The least or greatest that is there. */
static struct value run_extreme(struct run *run, const struct node *node)
{
    struct value best = value_null();
    int wanted = node->kind == NODE_LEAST ? -1 : 1, order;
    for (size_t i = 0; i < node->count && !run->refused; i++) {
        struct value value = expression_run(run, node->arguments[i]);
        if (best.kind == VALUE_NULL || (order_of(run, value, best, &order) && order * wanted > 0))
            best = value;
    }
    return best;
}

/* ---- choosing ---- */

static struct value run_if(struct run *run, const struct node *node)
{
    if (value_is_true(expression_run(run, node->arguments[0])))
        return expression_run(run, node->arguments[1]);
    return node->count > 2 && !run->refused ? expression_run(run, node->arguments[2])
                                            : value_null();
}

static struct value run_coalesce(struct run *run, const struct node *node)
{
    struct value value = value_null();
    for (size_t i = 0; i < node->count && value.kind == VALUE_NULL && !run->refused; i++)
        value = expression_run(run, node->arguments[i]);
    return value;
}

/* What would refuse the row becomes the second argument, or null. Memory that ran out stays an error. */
static struct value run_try(struct run *run, const struct node *node)
{
    struct value value = expression_run(run, node->arguments[0]);
    if (!run->refused || run->refusal.problem.error == ERR_NOMEM)
        return value;
    run->refused = false;
    return node->count > 1 ? expression_run(run, node->arguments[1]) : value_null();
}

static struct value run_lookup(struct run *run, const struct node *node)
{
    str text, found;
    struct value value = expression_run(run, node->arguments[0]);
    if (value.kind != VALUE_NULL && value_to_text(run, value, &text) &&
        lookup_find(node->lookup, text, &found))
        return value_text(found);
    return node->count > 2 && !run->refused ? expression_run(run, node->arguments[2])
                                            : value_null();
}

static struct value run_refuse(struct run *run, const struct node *node)
{
    str text;
    if (!value_to_text(run, expression_run(run, node->arguments[0]), &text) || run->refused)
        return value_null();
    refusal_set(&run->refusal, REFUSAL_REFUSED, STR_FMT, (int)str_utf8_prefix_bytes(text, 200),
                text.size > 0 ? text.data : "");
    refused(run);
    return value_null();
}

static struct value run_time(struct run *run, const struct node *node)
{
    int64_t time_ms;
    bool is_null;
    struct value value = expression_run(run, node->arguments[0]);
    if (run->refused ||
        !value_to_time(run, value, &node->format, run->zone_offset_seconds, &time_ms, &is_null) ||
        is_null)
        return value_null();
    return value_time(time_ms);
}

static struct value run_boolean(struct run *run, const struct node *node)
{
    bool truth, is_null;
    struct value value = expression_run(run, node->arguments[0]);
    if (run->refused || !value_to_bool(run, value, &truth, &is_null) || is_null)
        return value_null();
    return value_bool(truth);
}

/* ---- the lines of an order ---- */

/* Evaluate the argument on line `index`. */
static struct value run_on_line(struct run *run, const struct node *node, size_t index)
{
    const struct table_cell *cells = run->cells;
    const struct run_line *lines = run->lines;
    size_t count = run->line_count;
    run->cells = lines[index].cells;
    run->lines = NULL; /* an aggregate of an aggregate is over that line alone */
    struct value value = expression_run(run, node->arguments[0]);
    run->cells = cells;
    run->lines = lines;
    run->line_count = count;
    return value;
}

static struct value run_sum(struct run *run, const struct node *node)
{
    struct exact sum = exact_from_int(0), number;
    bool is_null;
    for (size_t i = 0; i < run->line_count && !run->refused; i++) {
        struct value value = run_on_line(run, node, i);
        if (run->refused || !value_to_number(run, value, STR_NONE, &number, &is_null))
            return value_null();
        if (!exact_add(sum, number, &sum))
            return refuse_range(run);
    }
    return value_number(sum);
}

static struct value run_count(struct run *run, const struct node *node)
{
    int64_t count = 0;
    if (node->count == 0)
        return value_number(exact_from_int((int64_t)run->line_count));
    for (size_t i = 0; i < run->line_count && !run->refused; i++)
        count += value_is_true(run_on_line(run, node, i));
    return value_number(exact_from_int(count));
}

static struct value run_any_or_all(struct run *run, const struct node *node)
{
    bool any = node->kind == NODE_ANY;
    for (size_t i = 0; i < run->line_count && !run->refused; i++)
        if (value_is_true(run_on_line(run, node, i)) == any)
            return value_bool(any);
    return value_bool(!any);
}

static struct value run_first_or_last(struct run *run, const struct node *node)
{
    struct value value = value_null();
    for (size_t i = 0; i < run->line_count && value.kind == VALUE_NULL && !run->refused; i++)
        value = run_on_line(run, node, node->kind == NODE_FIRST ? i : run->line_count - 1 - i);
    return value;
}

struct joined {
    char *data;
    size_t size, room;
};

static bool join_text(struct run *run, struct joined *joined, str text)
{
    size_t wanted = joined->size + text.size;
    if (wanted > EXPRESSION_TEXT_BYTES_MAX) {
        refusal_set(&run->refusal, REFUSAL_TOO_LARGE, "a joined text is too long");
        return refused(run);
    }
    if (wanted > joined->room) {
        char *grown = arena_alloc_raw(run->arena, 2 * wanted + 256);
        if (grown == NULL) {
            refusal_nomem(&run->refusal);
            return refused(run);
        }
        if (joined->size > 0)
            memcpy(grown, joined->data, joined->size);
        joined->data = grown;
        joined->room = 2 * wanted + 256;
    }
    if (text.size > 0)
        memcpy(joined->data + joined->size, text.data, text.size);
    joined->size = wanted;
    return true;
}

static struct value run_join(struct run *run, const struct node *node)
{
    struct joined joined = { .size = 0 };
    str between = STR("，"), text;
    if (node->count > 1 && !value_to_text(run, expression_run(run, node->arguments[1]), &between))
        return value_null();
    for (size_t i = 0; i < run->line_count && !run->refused; i++) {
        if (!value_to_text(run, run_on_line(run, node, i), &text) || text.size == 0)
            continue;
        if ((joined.size > 0 && !join_text(run, &joined, between)) ||
            !join_text(run, &joined, text))
            return value_null();
    }
    return run->refused ? value_null() : value_text(str_from_bytes(joined.data, joined.size));
}

/* Outside of an order the row is its only line. */
static struct value run_aggregate(struct run *run, const struct node *node)
{
    struct run_line only = { .cells = run->cells, .number = run->row };
    const struct run_line *lines = run->lines;
    size_t count = run->line_count;
    struct value value;
    if (lines == NULL) {
        run->lines = &only;
        run->line_count = 1;
    }
    switch (node->kind) {
    case NODE_SUM:
        value = run_sum(run, node);
        break;
    case NODE_COUNT:
        value = run_count(run, node);
        break;
    case NODE_ANY:
    case NODE_ALL:
        value = run_any_or_all(run, node);
        break;
    case NODE_FIRST:
    case NODE_LAST:
        value = run_first_or_last(run, node);
        break;
    default:
        value = run_join(run, node);
        break;
    }
    run->lines = lines;
    run->line_count = count;
    return value;
}

/* ---- all ---- */

static struct value run_node(struct run *run, const struct node *node)
{
    switch ((enum node_kind)node->kind) {
    case NODE_CONSTANT:
        return node->constant;
    case NODE_COLUMN:
        run->slot = node->slot;
        return value_of_cell(run->worker, &run->cells[node->slot]);
    case NODE_SUM_OF_LINES:
        return run->sums != NULL ? run->sums[node->slot] : value_null();
    case NODE_OR:
        return value_bool(
            value_is_true(expression_run(run, node->arguments[0])) ||
            (!run->refused && value_is_true(expression_run(run, node->arguments[1]))));
    case NODE_AND:
        return value_bool(value_is_true(expression_run(run, node->arguments[0])) &&
                          value_is_true(expression_run(run, node->arguments[1])));
    case NODE_NOT:
        return value_bool(!value_is_true(expression_run(run, node->arguments[0])));
    case NODE_EQUAL:
    case NODE_UNEQUAL:
    case NODE_LESS:
    case NODE_LESS_EQUAL:
    case NODE_MORE:
    case NODE_MORE_EQUAL:
        return run_comparison(run, node);
    case NODE_IN:
        return run_in(run, node);
    case NODE_ADD:
    case NODE_SUBTRACT:
    case NODE_MULTIPLY:
    case NODE_DIVIDE:
        return run_arithmetic(run, node);
    case NODE_NEGATE:
    case NODE_ABS:
    case NODE_FLOOR:
    case NODE_INTEGER:
    case NODE_ROUND:
    case NODE_NUMBER:
        return run_of_number(run, node);
    case NODE_LEAST:
    case NODE_GREATEST:
        return run_extreme(run, node);
    case NODE_IF:
        return run_if(run, node);
    case NODE_COALESCE:
        return run_coalesce(run, node);
    case NODE_TRY:
        return run_try(run, node);
    case NODE_PRESENT:
        return value_bool(expression_run(run, node->arguments[0]).kind != VALUE_NULL);
    case NODE_EMPTY:
        return value_bool(expression_run(run, node->arguments[0]).kind == VALUE_NULL);
    case NODE_LOOKUP:
        return run_lookup(run, node);
    case NODE_REFUSE:
        return run_refuse(run, node);
    case NODE_TIME:
        return run_time(run, node);
    case NODE_BOOLEAN:
        return run_boolean(run, node);
    case NODE_SCRIPT:
        return script_run(run, node->script);
    case NODE_ROW_NUMBER:
        return value_number(exact_from_int((int64_t)run->row));
    case NODE_SUM:
    case NODE_COUNT:
    case NODE_ANY:
    case NODE_ALL:
    case NODE_FIRST:
    case NODE_LAST:
    case NODE_JOIN:
        return run_aggregate(run, node);
    case NODE_CONCAT:
    case NODE_TRIM:
    case NODE_LOWER:
    case NODE_UPPER:
    case NODE_LENGTH:
    case NODE_REPLACE:
    case NODE_SUBSTRING:
    case NODE_SPLIT:
    case NODE_CONTAINS:
    case NODE_STARTS_WITH:
    case NODE_ENDS_WITH:
    case NODE_MATCHES:
    case NODE_EXTRACT:
    case NODE_TEXT:
    case NODE_FORMAT:
    case NODE_DIGITS:
    case NODE_HALF_WIDTH:
    case NODE_PHONE:
    case NODE_EMAIL:
    case NODE_MD5:
    case NODE_SHA256:
        return text_function(run, node);
    case NODE_COUNT_OF_KINDS:
        break;
    }
    return value_null();
}

struct value expression_run(struct run *run, const struct node *node)
{
    struct value value = run_node(run, node);
    return run->refused ? value_null() : value;
}
