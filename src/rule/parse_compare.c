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

static bool read_moment(struct parser *parser, json_value json, struct moment *moment)
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
    if (!read_moment(parser, item, &moment) || moment_moves(&moment))
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
    if (!read_moment(parser, pair ? json_at(json, 0) : json, &compare->from) ||
        (pair && !read_moment(parser, json_at(json, 1), &compare->to)))
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

static err keep_shown(struct parser *parser, json_value value, struct compare *compare)
{
    struct buffer text;
    buffer_init(&text, (size_t)4 << 20);
    json_write_value(&text, value);
    err error = buffer_status(&text);
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
        error = keep_shown(parser, value, compare);
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

/* ---- windows ---- */

#define DAYS_PER_MONTH_LEAST 28

static err check_span(struct parser *parser, str pointer, const struct moment *span, str word)
{
    int64_t days = (int64_t)span->months * DAYS_PER_MONTH_LEAST + span->days;
    if (days > RULE_WINDOW_DAYS_MAX || days + span->ms / DAY_MS > RULE_WINDOW_DAYS_MAX) {
        parse_fail(parser, pointer, "'" STR_FMT "' is longer than %d days", STR_ARG(word),
                   RULE_WINDOW_DAYS_MAX);
        return parse_hint(parser, "leave the window out to look at her whole life");
    }
    if (span->months == 0 && span->days == 0 && span->ms == 0)
        return parse_fail(parser, pointer, "a window of nothing holds nothing");
    return ERR_OK;
}

static err wrong_span(struct parser *parser, str pointer, const char *member)
{
    parse_fail(parser, pointer, "'%s' has to be a length of time", member);
    return parse_hint(parser, "as \"30m\", \"12h\", \"90d\", \"2w\", \"3M\" or \"1y\"");
}

static err read_within(struct parser *parser, json_value value, str pointer, struct moment *span,
                       str *word)
{
    if (!span_parse(json_text(value), span))
        return wrong_span(parser, pointer, "within");
    if (span->months != 0) {
        parse_fail(parser, pointer, "'within' cannot be a number of months");
        return parse_hint(parser, "months differ in length; say it in days, as \"30d\"");
    }
    err error = check_span(parser, pointer, span, json_text(value));
    if (error != ERR_OK)
        return error;
    return parse_copy(parser, json_text(value), word);
}

err parse_within(struct parser *parser, json_value value, str pointer, struct moment *span,
                 str *word)
{
    return parse_member(parser, pointer, STR("within"),
                        read_within(parser, value, pointer, span, word));
}

static const struct {
    const char *word;
    struct moment from, to;
} calendar[] = {
    { "today", { ANCHOR_DAY, 0, 0, 0 }, { ANCHOR_DAY, 0, 1, 0 } },
    { "yesterday", { ANCHOR_DAY, 0, -1, 0 }, { ANCHOR_DAY, 0, 0, 0 } },
    { "this_week", { ANCHOR_WEEK, 0, 0, 0 }, { ANCHOR_WEEK, 0, 7, 0 } },
    { "last_week", { ANCHOR_WEEK, 0, -7, 0 }, { ANCHOR_WEEK, 0, 0, 0 } },
    { "this_month", { ANCHOR_MONTH, 0, 0, 0 }, { ANCHOR_MONTH, 1, 0, 0 } },
    { "last_month", { ANCHOR_MONTH, -1, 0, 0 }, { ANCHOR_MONTH, 0, 0, 0 } },
    { "this_quarter", { ANCHOR_QUARTER, 0, 0, 0 }, { ANCHOR_QUARTER, 3, 0, 0 } },
    { "last_quarter", { ANCHOR_QUARTER, -3, 0, 0 }, { ANCHOR_QUARTER, 0, 0, 0 } },
    { "this_year", { ANCHOR_YEAR, 0, 0, 0 }, { ANCHOR_YEAR, 12, 0, 0 } },
    { "last_year", { ANCHOR_YEAR, -12, 0, 0 }, { ANCHOR_YEAR, 0, 0, 0 } },
};
#define CALENDAR_WORDS                                                                     \
    "today yesterday this_week last_week this_month last_month this_quarter last_quarter " \
    "this_year last_year since_entering"

static err named_window(struct parser *parser, str word, str pointer, struct window *window)
{
    err error = parse_copy(parser, word, &window->word);
    if (error != ERR_OK)
        return error;
    if (str_equal(word, STR("since_entering"))) {
        window->entering = true;
        return ERR_OK;
    }
    struct rule_suggestions like = { 0 };
    for (size_t i = 0; i < sizeof(calendar) / sizeof(calendar[0]); i++) {
        rule_suggestions_offer(&like, word, str_from_c(calendar[i].word));
        if (str_equal(word, str_from_c(calendar[i].word))) {
            window->has_from = window->has_to = true;
            window->from = calendar[i].from;
            window->to = calendar[i].to;
            return ERR_OK;
        }
    }
    struct buffer text;
    buffer_init(&text, 200);
    rule_suggestions_write(&like, &text);
    parse_fail(parser, pointer, "there is no window '" STR_FMT "'",
               STR_ARG(str_slice(word, 0, 60)));
    if (text.size > 0)
        error = parse_hint(parser, "did you mean " STR_FMT "?", (int)text.size, text.data);
    else
        error = parse_hint(parser, "possible are: " CALENDAR_WORDS);
    buffer_deinit(&text);
    return error;
}

/* "90d" (that long ago), or a time. */
static err window_edge(struct parser *parser, json_value value, str pointer, const char *member,
                       struct moment *moment, str *word)
{
    struct moment span;
    if (json_kind(value) == JSON_TEXT && span_parse(json_text(value), &span)) {
        err error = check_span(parser, pointer, &span, json_text(value));
        if (error != ERR_OK)
            return error;
        *moment = moment_ago(span);
        return parse_copy(parser, json_text(value), word);
    }
    if (read_moment(parser, value, moment)) {
        if (json_kind(value) == JSON_TEXT)
            return parse_copy(parser, json_text(value), word);
        return arena_printf(&parser->rule->arena, word, "%lld", (long long)json_int(value, 0));
    }
    parse_fail(parser, pointer, "'%s' has to be a time, or how long ago", member);
    return parse_hint(parser, "as \"2026-06-18\", \"today\", \"month_start-1M\" or \"90d\"");
}

static err two_edges(struct parser *parser, json_value object, str pointer, struct window *window)
{
    json_value from = json_get(object, STR("from")), to = json_get(object, STR("to"));
    window->has_from = json_kind(from) != JSON_MISSING;
    window->has_to = json_kind(to) != JSON_MISSING;
    err error = parse_members(parser, object, pointer, "from to", false);
    if (error == ERR_OK && !window->has_from && !window->has_to)
        error = parse_fail(parser, pointer, "a window needs 'from' or 'to'");
    if (error == ERR_OK && window->has_from)
        error = window_edge(parser, from, pointer, "from", &window->from, &window->from_word);
    if (error == ERR_OK && window->has_to)
        error = window_edge(parser, to, pointer, "to", &window->to, &window->to_word);
    if (error != ERR_OK || !window->has_from || !window->has_to)
        return error;
    /* Two edges that move alike can be compared once and for all. */
    if (window->from.anchor == window->to.anchor) {
        const struct zone *zone = &parser->rule->zone;
        int64_t some_day = INT64_C(1767225600000); /* 2026-01-01 */
        if (moment_at(&window->from, zone, some_day) >= moment_at(&window->to, zone, some_day)) {
            parse_fail(parser, pointer, "the window ends before it begins");
            return parse_hint(parser, "30 to 90 days ago is {\"from\":\"90d\",\"to\":\"30d\"}");
        }
    }
    return ERR_OK;
}

/* Since she entered a segment, or a journey: {"since_entering":{"segment":"vip"}}. */
static err named_entering(struct parser *parser, json_value value, str pointer,
                          struct window *window)
{
    const struct rule_catalogue *catalogue = parser->catalogue;
    json_value segment = json_get(value, STR("segment")), journey = json_get(value, STR("journey"));
    bool of_segment = json_kind(segment) != JSON_MISSING;
    str key = json_text(of_segment ? segment : journey);
    err error = parse_members(parser, value, pointer, "segment journey", false);
    if (error != ERR_OK)
        return error;
    if (key.size == 0 || json_count(value) != 1) {
        parse_fail(parser, pointer, "'since_entering' names a segment or a journey");
        return parse_hint(parser, "as {\"since_entering\":{\"segment\":\"vip\"}}");
    }
    bool (*ask)(void *, str, struct rule_symbol *) =
        of_segment ? catalogue->segment : catalogue->journey;
    window->entering = true;
    window->entered =
        (struct rule_entered){ .kind = of_segment ? RULE_ENTERED_SEGMENT : RULE_ENTERED_JOURNEY };
    if (ask == NULL || !ask(catalogue->context, key, &window->entered.symbol))
        return parse_member(
            parser, pointer, of_segment ? STR("segment") : STR("journey"),
            parse_unknown(parser, pointer, of_segment ? "segment" : "journey", key));
    parser->rule->has_entered = true;
    return parse_copy(parser, key, &window->word);
}

static err read_window(struct parser *parser, json_value object, str pointer, struct window *window)
{
    json_value last = json_get(object, STR("last")), during = json_get(object, STR("during"));
    bool has_last = json_kind(last) != JSON_MISSING, has_during = json_kind(during) != JSON_MISSING;
    *window = (struct window){ .given = has_last || has_during };
    if (has_last && has_during)
        return parse_fail(parser, pointer, "there are two windows, 'last' and 'during'");
    if (has_last) {
        struct moment span;
        if (!span_parse(json_text(last), &span))
            return wrong_span(parser, pointer, "last");
        err error = check_span(parser, pointer, &span, json_text(last));
        window->has_from = true;
        window->from = moment_ago(span);
        return error != ERR_OK ? error : parse_copy(parser, json_text(last), &window->last);
    }
    if (!has_during)
        return ERR_OK;
    if (json_is_object(during) && json_is_object(json_get(during, STR("since_entering")))) {
        str inner;
        err error = parse_members(parser, during, pointer, "since_entering", false);
        if (error == ERR_OK)
            error = parse_pointer(parser, pointer, "during/since_entering", -1, &inner);
        return error != ERR_OK
                   ? error
                   : named_entering(parser, json_get(during, STR("since_entering")), inner, window);
    }
    if (json_is_object(during))
        return two_edges(parser, during, pointer, window);
    if (json_kind(during) == JSON_TEXT)
        return named_window(parser, json_text(during), pointer, window);
    parse_fail(parser, pointer, "'during' does not understand this value");
    return parse_hint(parser, "as \"this_month\" or {\"from\":\"90d\",\"to\":\"30d\"}");
}

err parse_window(struct parser *parser, json_value object, str pointer, struct window *window)
{
    bool has_last = json_kind(json_get(object, STR("last"))) != JSON_MISSING;
    return parse_member(parser, pointer, has_last ? STR("last") : STR("during"),
                        read_window(parser, object, pointer, window));
}
