/* SPDX-License-Identifier: Apache-2.0 */
/* Comparisons, windows and the literals in them. */
#include <stdlib.h>
#include <string.h>

#include "rule/parse.h"

static err wrong_literal(struct parser *parser, str pointer, const struct operand *operand,
                         enum comparison op)
{
    static const char *const forms[] = {
        [RULE_TEXT] = "a text, as \"tmall\"",
        [RULE_NUMBER] = "a number with at most six decimals, as 12.5",
        [RULE_MONEY] = "a whole number of minor units: 129.00 is 12900",
        [RULE_TIME] =
            "a time, as \"2026-06-18\", \"2026-06-18 10:00:00\", \"now-30d\" or \"today\"",
        [RULE_BOOL] = "true or false",
        [RULE_TEXTS] = "a text, as \"tmall\"",
    };
    parse_fail(parser, pointer, "%s '" STR_FMT "' is a %s; '%s' cannot compare it with this value",
               operand->what, STR_ARG(operand->name), kind_word(operand->kind), operator_word(op));
    return parse_hint(parser, "compare with %s", forms[operand->kind]);
}

/* ---- one literal ---- */

static bool read_number(json_value json, wide *value)
{
    if (json_kind(json) == JSON_INT) {
        *value = (wide)json_int(json, 0) * MILLION;
        return true;
    }
    if (json_kind(json) != JSON_DOUBLE)
        return false;
    struct buffer text;
    buffer_init(&text, 64);
    json_write_value(&text, json);
    bool fine = !text.failed && millionths_parse(buffer_str(&text), value);
    buffer_deinit(&text);
    return fine;
}

bool parse_moment(struct parser *parser, json_value json, struct moment *moment)
{
    if (json_kind(json) == JSON_INT) {
        *moment = (struct moment){ .anchor = ANCHOR_TIME, .ms = json_int(json, 0) };
        return moment->ms > -INT64_C(100000000000000) && moment->ms < INT64_C(1000000000000000);
    }
    return json_kind(json) == JSON_TEXT &&
           moment_parse(json_text(json), &parser->rule->zone, moment);
}

static bool read_literal(json_value json, enum rule_kind kind, wide *value)
{
    switch (kind) {
    case RULE_NUMBER:
        return read_number(json, value);
    case RULE_MONEY:
        *value = json_int(json, 0);
        return json_kind(json) == JSON_INT;
    case RULE_BOOL:
        *value = json_bool(json, false);
        return json_kind(json) == JSON_BOOL;
    case RULE_TIME:
    case RULE_TEXT:
    case RULE_TEXTS:
    default:
        return false;
    }
}

/* ---- numbers ---- */

static wide floor_divide(wide value, wide unit)
{
    wide quotient = value / unit;
    return value % unit < 0 ? quotient - 1 : quotient;
}

static wide ceil_divide(wide value, wide unit)
{
    return -floor_divide(-value, unit);
}

static void set_bounds(struct compare *compare, wide a, wide b, wide unit)
{
    compare->low = -WIDE_MAX;
    compare->high = WIDE_MAX;
    switch (compare->op) {
    case OP_EQ:
    case OP_NE:
        compare->low = ceil_divide(a, unit);
        compare->high = floor_divide(a, unit);
        break;
    case OP_LT:
        compare->high = ceil_divide(a, unit) - 1;
        break;
    case OP_LTE:
        compare->high = floor_divide(a, unit);
        break;
    case OP_GT:
        compare->low = floor_divide(a, unit) + 1;
        break;
    case OP_GTE:
        compare->low = ceil_divide(a, unit);
        break;
    case OP_BETWEEN:
        compare->low = ceil_divide(a, unit);
        compare->high = floor_divide(b, unit);
        break;
    case OP_NONE:
    case OP_IN:
    case OP_NOT_IN:
    case OP_CONTAINS:
    case OP_NOT_CONTAINS:
    case OP_STARTS_WITH:
    case OP_ENDS_WITH:
    case OP_MATCHES:
    case OP_ON:
    case OP_ANNIVERSARY:
    case OP_IS_SET:
    case OP_IS_NOT_SET:
    case OP_COUNT:
    default:
        break;
    }
}

static int compare_wide(const void *left, const void *right)
{
    const wide *a = left, *b = right;
    return *a < *b ? -1 : *a > *b;
}

static err list_size(struct parser *parser, json_value list, str pointer, enum comparison op,
                     size_t *count)
{
    *count = json_count(list);
    if (json_kind(list) != JSON_ARRAY || *count == 0)
        return parse_fail(parser, pointer, "'%s' takes a list of values", operator_word(op));
    if (*count > RULE_LIST_MAX) {
        parse_fail(parser, pointer, "the list has %zu values, more than %d", *count, RULE_LIST_MAX);
        return parse_hint(parser, "upload them as a static segment, or put them into a tag");
    }
    return ERR_OK;
}

static err list_number(struct parser *parser, json_value item, const struct operand *operand,
                       wide *value)
{
    if (operand->kind != RULE_TIME)
        return read_literal(item, operand->kind, value) ? ERR_OK : ERR_INVALID;
    struct moment moment;
    if (!parse_moment(parser, item, &moment) || moment_moves(&moment))
        return ERR_INVALID;
    *value = moment.ms;
    return ERR_OK;
}

static err number_list(struct parser *parser, json_value list, str pointer,
                       const struct operand *operand, struct compare *compare)
{
    size_t count;
    err error = list_size(parser, list, pointer, compare->op, &count);
    if (error != ERR_OK)
        return error;
    wide *numbers = arena_array(&parser->rule->arena, wide, count);
    if (numbers == NULL)
        return ERR_NOMEM;
    struct json_iterator iterator = json_iterate(list);
    json_value item;
    while (json_next(&iterator, NULL, &item)) {
        wide value;
        if (list_number(parser, item, operand, &value) != ERR_OK)
            return wrong_literal(parser, pointer, operand, compare->op);
        if (value % operand->unit == 0) /* no whole number equals 1.5 */
            numbers[compare->count++] = value / operand->unit;
    }
    qsort(numbers, compare->count, sizeof(*numbers), compare_wide);
    compare->numbers = numbers;
    return ERR_OK;
}

static err compare_number(struct parser *parser, json_value json, str pointer,
                          const struct operand *operand, struct compare *compare)
{
    if (operator_arity(compare->op) == 'L')
        return number_list(parser, json, pointer, operand, compare);
    bool pair = operator_arity(compare->op) == '2';
    wide a, b = 0;
    if (pair && json_count(json) != 2)
        return parse_fail(parser, pointer, "'between' takes two values");
    if (!read_literal(pair ? json_at(json, 0) : json, operand->kind, &a) ||
        (pair && !read_literal(json_at(json, 1), operand->kind, &b)))
        return wrong_literal(parser, pointer, operand, compare->op);
    if (pair && a > b)
        return parse_fail(parser, pointer, "'between' takes the smaller value first");
    set_bounds(compare, a, b, operand->unit);
    compare->first = a;
    compare->second = b;
    return ERR_OK;
}

/* ---- times ---- */

/* "today", "in 7d", "3d ago", "within 7d", "this_week", "this_month". */
static bool read_anniversary(str text, struct compare *compare)
{
    struct moment span = { 0 };
    compare->anniversary = ANNIVERSARY_DAYS;
    if (str_equal(text, STR("today")))
        return true;
    if (str_equal(text, STR("this_week"))) {
        compare->anniversary = ANNIVERSARY_WEEK;
        return true;
    }
    if (str_equal(text, STR("this_month"))) {
        compare->anniversary = ANNIVERSARY_MONTH;
        return true;
    }
    str in = STR("in "), within = STR("within "), ago = STR(" ago");
    bool fine = false;
    if (str_starts_with(text, in)) {
        fine = span_parse(str_slice(text, in.size, text.size), &span);
        compare->day_first = compare->day_last = span.days;
    } else if (str_starts_with(text, within)) {
        fine = span_parse(str_slice(text, within.size, text.size), &span);
        compare->day_last = span.days;
    } else if (str_ends_with(text, ago)) {
        fine = span_parse(str_slice(text, 0, text.size - ago.size), &span);
        compare->day_first = compare->day_last = -span.days;
    }
    return fine && span.ms == 0 && span.months == 0 && span.days <= 366;
}

static err compare_anniversary(struct parser *parser, json_value json, str pointer,
                               struct compare *compare)
{
    compare->relative = true;
    if (!read_anniversary(json_text(json), compare)) {
        parse_fail(parser, pointer, "'anniversary' does not understand this value");
        return parse_hint(parser, "as \"today\", \"in 7d\", \"within 7d\", \"3d ago\", "
                                  "\"this_week\" or \"this_month\"");
    }
    return parse_bound(parser, compare);
}

static void fixed_time_bounds(struct parser *parser, struct compare *compare)
{
    const struct zone *zone = &parser->rule->zone;
    if (compare->op == OP_ON) {
        int64_t day = zone_day(zone, compare->from.ms);
        compare->low = zone_midnight(zone, day);
        compare->high = zone_midnight(zone, day + 1) - 1;
        return;
    }
    set_bounds(compare, compare->from.ms, compare->has_to ? compare->to.ms - 1 : 0, 1);
}

static err compare_time(struct parser *parser, json_value json, str pointer,
                        const struct operand *operand, struct compare *compare)
{
    if (compare->op == OP_ANNIVERSARY)
        return compare_anniversary(parser, json, pointer, compare);
    if (operator_arity(compare->op) == 'L')
        return number_list(parser, json, pointer, operand, compare);
    bool pair = operator_arity(compare->op) == '2';
    if (pair && json_count(json) != 2)
        return parse_fail(parser, pointer, "'between' takes two times");
    compare->has_to = pair;
    if (!parse_moment(parser, pair ? json_at(json, 0) : json, &compare->from) ||
        (pair && !parse_moment(parser, json_at(json, 1), &compare->to)))
        return wrong_literal(parser, pointer, operand, compare->op);
    compare->relative = moment_moves(&compare->from) || (pair && moment_moves(&compare->to));
    if (compare->relative)
        return parse_bound(parser, compare);
    if (pair && compare->from.ms >= compare->to.ms)
        return parse_fail(parser, pointer, "'between' takes the earlier time first");
    fixed_time_bounds(parser, compare);
    return ERR_OK;
}

/* ---- texts ---- */

static int compare_texts(const void *left, const void *right)
{
    const str *a = left, *b = right;
    return str_compare(*a, *b);
}

static err text_list(struct parser *parser, json_value list, str pointer,
                     const struct operand *operand, struct compare *compare)
{
    size_t count;
    err error = list_size(parser, list, pointer, compare->op, &count);
    if (error != ERR_OK)
        return error;
    str *texts = arena_array(&parser->rule->arena, str, count);
    if (texts == NULL)
        return ERR_NOMEM;
    struct json_iterator iterator = json_iterate(list);
    json_value item;
    while (error == ERR_OK && json_next(&iterator, NULL, &item)) {
        if (json_kind(item) != JSON_TEXT)
            return wrong_literal(parser, pointer, operand, compare->op);
        error = parse_copy(parser, json_text(item), &texts[compare->count++]);
    }
    qsort(texts, compare->count, sizeof(*texts), compare_texts);
    compare->texts = texts;
    return error;
}

static err compare_text(struct parser *parser, json_value json, str pointer,
                        const struct operand *operand, struct compare *compare)
{
    if (operator_arity(compare->op) == 'L')
        return text_list(parser, json, pointer, operand, compare);
    if (json_kind(json) != JSON_TEXT)
        return wrong_literal(parser, pointer, operand, compare->op);
    str *text = arena_new(&parser->rule->arena, str);
    err error = text != NULL ? parse_copy(parser, json_text(json), text) : ERR_NOMEM;
    if (error != ERR_OK)
        return error;
    compare->texts = text;
    compare->count = 1;
    compare->me = str_equal(*text, STR("$me"));
    if (compare->op == OP_MATCHES) {
        error = pattern_new(parser->rule, *text, &compare->pattern, parser->problem);
        if (error == ERR_UNPROCESSABLE)
            problem_at(parser->problem, error, STR_FMT, STR_ARG(pointer));
    }
    return error;
}

/* ---- references: {"step":0,"prop":"revenue"} ---- */

static err read_reference(struct parser *parser, json_value json, str pointer,
                          const struct operand *operand, struct reference *reference)
{
    str path;
    int64_t step = json_int(json_get(json, STR("step")), -1);
    err error = parse_members(parser, json, pointer, "step prop", false);
    if (error == ERR_OK)
        error = parse_text(parser, json, pointer, "prop", &path);
    if (error != ERR_OK)
        return error;
    if (parser->sequence == NULL)
        return parse_fail(parser, pointer,
                          "a value can be that of another event only in a sequence");
    if (step < 0 || step >= parser->step || parser->sequence->steps[step].absent) {
        parse_fail(parser, pointer, "'step' has to name an earlier step that is not absent");
        return parse_hint(parser, "steps are counted from 0");
    }
    uint32_t previous = parser->step - 1;
    while (parser->sequence->steps[previous].absent)
        previous--;
    if (step != 0 && step != previous) {
        parse_fail(parser, pointer, "a step is compared with the first step or the one before it");
        return parse_hint(parser, "here: 0 or %u", previous);
    }
    reference->step = (uint32_t)step;
    error = parse_property(parser, &parser->sequence->steps[step].events, path, pointer,
                           &reference->property);
    if (error != ERR_OK)
        return error;
    if (reference->property.kind != operand->kind)
        return parse_fail(parser, pointer, "'" STR_FMT "' is a %s, '" STR_FMT "' a %s",
                          STR_ARG(operand->name), kind_word(operand->kind), STR_ARG(path),
                          kind_word(reference->property.kind));
    reference->scale_left = operand->unit;
    reference->scale_right = reference->property.unit;
    parser->correlated = true;
    return ERR_OK;
}

static err compare_reference(struct parser *parser, json_value json, str pointer,
                             const struct operand *operand, struct compare *compare)
{
    bool ordered = compare->op == OP_LT || compare->op == OP_LTE || compare->op == OP_GT ||
                   compare->op == OP_GTE;
    if (operand->kind == RULE_TEXTS ||
        (compare->op != OP_EQ && compare->op != OP_NE && !(ordered && operand->kind != RULE_TEXT)))
        return parse_fail(parser, pointer, "'%s' cannot compare two %s properties",
                          operator_word(compare->op), kind_word(operand->kind));
    struct reference *reference = arena_new(&parser->rule->arena, struct reference);
    if (reference == NULL)
        return ERR_NOMEM;
    compare->reference = reference;
    return read_reference(parser, json, pointer, operand, reference);
}

/* ---- the comparison ---- */

static err find_operator(struct parser *parser, json_value object, str pointer, enum comparison *op,
                         json_value *value)
{
    struct json_iterator iterator = json_iterate(object);
    str key;
    json_value item;
    *op = OP_NONE;
    while (json_next(&iterator, &key, &item)) {
        enum comparison found = operator_find(key);
        if (found == OP_NONE)
            continue;
        if (*op != OP_NONE) {
            parse_fail(parser, pointer, "there are two comparisons, '%s' and '%s'",
                       operator_word(*op), operator_word(found));
            err error = parse_hint(parser, "use 'between', or two rules in 'all'");
            return parse_member(parser, pointer, key, error);
        }
        *op = found;
        *value = item;
    }
    return ERR_OK;
}

static err check_kind(struct parser *parser, str pointer, const struct operand *operand,
                      enum comparison op)
{
    if (strchr(operator_kinds(op), kind_letter(operand->kind)) != NULL)
        return ERR_OK;
    parse_fail(parser, pointer, "%s '" STR_FMT "' is a %s; '%s' does not apply to it",
               operand->what, STR_ARG(operand->name), kind_word(operand->kind), operator_word(op));
    char list[200] = "";
    size_t at = 0;
    for (int i = OP_NONE + 1; i < OP_COUNT; i++) {
        const char *word = operator_word((enum comparison)i);
        size_t size = strlen(word);
        if (strchr(operator_kinds((enum comparison)i), kind_letter(operand->kind)) == NULL ||
            at + size + 2 > sizeof(list))
            continue;
        memcpy(list + at, word, size);
        at += size;
        list[at++] = ' ';
    }
    return parse_hint(parser, "possible are: %.*s", (int)at, list);
}

#define SHOWN_BYTES_MAX ((size_t)4 << 20)

/* The value as it was given, for sentences. */
static err keep_shown(struct parser *parser, json_value value, str pointer, struct compare *compare)
{
    struct buffer text;
    size_t count;
    if (json_kind(value) == JSON_ARRAY && json_count(value) > RULE_LIST_MAX &&
        list_size(parser, value, pointer, compare->op, &count) != ERR_OK)
        return ERR_UNPROCESSABLE;
    buffer_init(&text, SHOWN_BYTES_MAX);
    json_write_value(&text, value);
    err error = buffer_status(&text);
    if (error == ERR_TOO_LARGE) {
        /* NOLINTNEXTLINE(clang-analyzer-deadcode.DeadStores): the hint gives the same error */
        error = parse_fail(parser, pointer, "the values have more than %zu bytes", SHOWN_BYTES_MAX);
        error = parse_hint(parser, "upload them as a static segment, or put them into a tag");
    }
    if (error == ERR_OK)
        error = parse_copy(parser, buffer_str(&text), &compare->shown);
    buffer_deinit(&text);
    return error;
}

static bool is_turned(enum comparison op)
{
    return op == OP_NE || op == OP_NOT_IN || op == OP_NOT_CONTAINS;
}

static err read_compare(struct parser *parser, json_value value, str pointer,
                        const struct operand *operand, struct compare *compare)
{
    err error = ERR_OK;
    compare->negate = is_turned(compare->op);
    error = check_kind(parser, pointer, operand, compare->op);
    if (error == ERR_OK)
        error = keep_shown(parser, value, pointer, compare);
    if (error != ERR_OK)
        return error;
    if (operator_arity(compare->op) == '0') {
        if (json_kind(value) == JSON_BOOL && json_bool(value, false))
            return ERR_OK;
        return parse_fail(parser, pointer, "'%s' takes true alone", operator_word(compare->op));
    }
    if (json_is_object(value))
        return compare_reference(parser, value, pointer, operand, compare);
    if (operand->kind == RULE_TIME)
        return compare_time(parser, value, pointer, operand, compare);
    if (is_text_kind(operand->kind))
        return compare_text(parser, value, pointer, operand, compare);
    return compare_number(parser, value, pointer, operand, compare);
}

err parse_compare(struct parser *parser, json_value object, str pointer,
                  const struct operand *operand, struct compare *compare)
{
    json_value value = { NULL, 0 };
    *compare = (struct compare){ .kind = operand->kind };
    err error = find_operator(parser, object, pointer, &compare->op, &value);
    if (error != ERR_OK || compare->op == OP_NONE)
        return error;
    return parse_member(parser, pointer, str_from_c(operator_word(compare->op)),
                        read_compare(parser, value, pointer, operand, compare));
}
