/* SPDX-License-Identifier: Apache-2.0 */
/* Conditions on what happened: events with their properties and measures, sequences, touches. */
#include <stdio.h>
#include <string.h>

#include "rule/parse.h"

#define ORDER_PAID "Order Paid"
#define ORDER_COMPLETED "Order Completed"
#define NTH_MAX 1000
#define NTH_LAST_MAX 16
#define RING_MAX 64

/* ---- properties ---- */

static enum rule_kind kind_of_column(enum column_kind kind)
{
    switch (kind) {
    case COLUMN_MONEY:
        return RULE_MONEY;
    case COLUMN_TIME:
        return RULE_TIME;
    case COLUMN_BOOL:
        return RULE_BOOL;
    case COLUMN_TEXT:
        return RULE_TEXT;
    case COLUMN_TEXTS:
        return RULE_TEXTS;
    case COLUMN_INT:
    case COLUMN_DECIMAL:
    default:
        return RULE_NUMBER;
    }
}

err parse_column(struct parser *parser, str path, enum column_kind kind, uint32_t *place)
{
    struct rule *rule = parser->rule;
    for (uint32_t i = 0; i < rule->column_count; i++) {
        if (rule->columns[i].kind == kind && str_equal(rule->columns[i].path, path)) {
            *place = i;
            return ERR_OK;
        }
    }
    if (rule->columns == NULL)
        rule->columns = arena_array(&rule->arena, struct rule_column, HISTORY_COLUMNS_MAX);
    if (rule->columns == NULL)
        return ERR_NOMEM;
    if (rule->column_count == HISTORY_COLUMNS_MAX)
        return problem_set(parser->problem, ERR_UNPROCESSABLE,
                           "the rule names more than %d properties", HISTORY_COLUMNS_MAX);
    rule->columns[rule->column_count] = (struct rule_column){ path, kind };
    *place = rule->column_count++;
    return ERR_OK;
}

static bool own_property(str path, struct property *property)
{
    static const struct {
        const char *path;
        enum property_source source;
        enum rule_kind kind;
        wide unit;
    } own[] = {
        { "channel", FROM_CHANNEL, RULE_TEXT, 1 },
        { "$channel", FROM_CHANNEL, RULE_TEXT, 1 },
        { "$time", FROM_TIME, RULE_TIME, 1 },
        { "$hour", FROM_HOUR, RULE_NUMBER, MILLION },
        { "$weekday", FROM_WEEKDAY, RULE_NUMBER, MILLION },
    };
    for (size_t i = 0; i < sizeof(own) / sizeof(own[0]); i++) {
        if (!str_equal(path, str_from_c(own[i].path)))
            continue;
        property->source = own[i].source;
        property->kind = own[i].kind;
        property->unit = own[i].unit;
        return true;
    }
    return false;
}

/* Its kind; false if no event of the list has it. The first that knows it says. */
static bool column_kind_of(struct parser *parser, const struct texts *events, str path,
                           enum column_kind *kind)
{
    const struct rule_catalogue *catalogue = parser->catalogue;
    if (str_equal(path, STR("$source")) || str_equal(path, STR("$received"))) {
        *kind = str_equal(path, STR("$source")) ? COLUMN_INT : COLUMN_TIME;
        return true;
    }
    if (catalogue->property == NULL)
        return false;
    for (uint32_t i = 0; i < events->count; i++) {
        if (catalogue->property(catalogue->context, events->items[i], path, kind))
            return true;
        if (str_equal(events->items[i], STR(ORDER_PAID)) &&
            catalogue->property(catalogue->context, STR(ORDER_COMPLETED), path, kind))
            return true;
    }
    return false;
}

static err make_property(struct parser *parser, const struct texts *events, str path,
                         struct property *property, bool *known)
{
    *property = (struct property){ .path = path, .unit = 1 };
    *known = true;
    if (own_property(path, property))
        return ERR_OK;
    *known = column_kind_of(parser, events, path, &property->column_kind);
    if (!*known)
        return ERR_OK;
    property->kind = kind_of_column(property->column_kind);
    if (property->column_kind == COLUMN_INT)
        property->unit = MILLION;
    return parse_column(parser, path, property->column_kind, &property->column);
}

err parse_property(struct parser *parser, const struct texts *events, str path, str pointer,
                   struct property *property)
{
    bool known;
    if (events == NULL)
        events = parser->events;
    err error = make_property(parser, events, path, property, &known);
    if (error != ERR_OK || known)
        return error;
    bool any = events->count != 1 || events->items[0].size == 0;
    str name = any ? STR("these events") : events->items[0];
    error = parse_unknown(parser, pointer, "property", path);
    if (parser->problem != NULL && parser->problem->hint[0] != '\0')
        return error;
    return parse_hint(parser,
                      "it has to be a property that '" STR_FMT "' had, or that the plan gives it",
                      STR_ARG(name));
}

static bool known_property(struct parser *parser, const struct texts *events, const char *path,
                           struct property *property)
{
    bool known = false;
    return make_property(parser, events, str_from_c(path), property, &known) == ERR_OK && known;
}

/* ---- names of events ---- */

static err check_event(struct parser *parser, str *name, str pointer)
{
    const struct rule_catalogue *catalogue = parser->catalogue;
    if (str_equal(*name, STR("*")))
        *name = STR_NONE;
    if (name->size == 0)
        return ERR_OK;
    if (catalogue->event != NULL && catalogue->event(catalogue->context, *name))
        return ERR_OK;
    if (str_equal(*name, STR(ORDER_PAID)) && catalogue->event != NULL &&
        catalogue->event(catalogue->context, STR(ORDER_COMPLETED)))
        return ERR_OK;
    return parse_unknown(parser, pointer, "event", *name);
}

static err read_events(struct parser *parser, json_value value, str pointer, struct texts *texts)
{
    err error = parse_texts(parser, value, pointer, texts);
    if (error == ERR_OK && texts->count > 100)
        return parse_fail(parser, pointer, "more than 100 events in one condition");
    str *names = error == ERR_OK ? arena_array(&parser->rule->arena, str, texts->count) : NULL;
    if (names == NULL)
        return error != ERR_OK ? error : ERR_NOMEM;
    for (uint32_t i = 0; i < texts->count && error == ERR_OK; i++) {
        names[i] = texts->items[i];
        error = check_event(parser, &names[i], pointer);
    }
    texts->items = names;
    return error;
}

err parse_events(struct parser *parser, json_value value, str pointer, struct texts *texts)
{
    return parse_member(parser, pointer, STR("event"), read_events(parser, value, pointer, texts));
}

err parse_listen_all(struct parser *parser, const struct texts *events, uint32_t slot,
                     uint16_t role)
{
    err error = ERR_OK;
    for (uint32_t i = 0; i < events->count && error == ERR_OK; i++) {
        error = parse_listen(parser, events->items[i], slot, role);
        /* Segment's name of a paid order. */
        if (error == ERR_OK && str_equal(events->items[i], STR(ORDER_PAID)))
            error = parse_listen(parser, STR(ORDER_COMPLETED), slot, role);
    }
    return error;
}

/* ---- where ---- */

err parse_prop(struct parser *parser, json_value json, str pointer, struct node **out)
{
    str path;
    err error = parse_members(parser, json, pointer, "prop", true);
    if (error == ERR_OK)
        error = parse_text(parser, json, pointer, "prop", &path);
    if (error != ERR_OK)
        return error;
    if (parser->object_kind.size > 0)
        return parse_object_prop(parser, json, pointer, path, out);
    struct node *node = parse_make(parser, NODE_PROP, pointer);
    if (node == NULL)
        return ERR_NOMEM;
    *out = node;
    node->scope = SCOPE_EVENT;
    node->name = path;
    if (++parser->leaves > RULE_CONDITIONS_MAX)
        return parse_fail(parser, pointer, "the rule has more than %d conditions",
                          RULE_CONDITIONS_MAX);
    error = parse_member(parser, pointer, STR("prop"),
                         parse_property(parser, NULL, path, pointer, &node->property));
    if (error != ERR_OK)
        return error;
    struct operand operand = { node->property.kind, node->property.unit, "property", path };
    error = parse_compare(parser, json, pointer, &operand, &node->compare);
    if (error != ERR_OK)
        return error;
    struct compare *compare = &node->compare;
    if (compare->op == OP_NONE)
        compare->op = OP_IS_SET;
    if (compare->me)
        return parse_fail(parser, pointer, "'$me' is compared with relations only");
    node->relative = compare->relative;
    bool tested = is_text_kind(compare->kind) && compare->texts != NULL;
    if (tested && node->property.source == FROM_COLUMN)
        return parse_verdict(parser, compare, NULL, node->property.column, &compare->verdict);
    return ERR_OK;
}

err parse_event_where(struct parser *parser, json_value json, str pointer,
                      const struct texts *events, struct node **where)
{
    json_value inside = json_get(json, STR("where"));
    if (json_kind(inside) == JSON_MISSING)
        return ERR_OK;
    str at;
    err error = parse_pointer(parser, pointer, "where", -1, &at);
    if (error != ERR_OK)
        return error;
    const struct texts *outer = parser->events;
    parser->events = events;
    error = parse_where(parser, inside, at, SCOPE_EVENT, where);
    parser->events = outer;
    return error;
}

/* ---- measures ---- */

static err read_measure(struct parser *parser, json_value json, str pointer,
                        struct measuring *measuring)
{
    json_value value = json_get(json, STR("measure"));
    if (json_kind(value) == JSON_MISSING) {
        measuring->measure = MEASURE_COUNT;
        return ERR_OK;
    }
    if (measure_find(json_text(value), &measuring->measure))
        return ERR_OK;
    str word = json_text(value);
    struct rule_suggestions like = { 0 };
    for (int i = 0; i < MEASURE_END; i++)
        rule_suggestions_offer(&like, word, str_from_c(measure_word((enum measure)i)));
    parse_fail(parser, pointer, "there is no measure '" STR_FMT "'",
               STR_ARG(str_slice(word, 0, 60)));
    if (like.count > 0)
        return parse_hint(parser, "did you mean '%.*s'?", (int)like.sizes[0], like.names[0]);
    return parse_hint(parser,
                      "possible are: count sum avg min max distinct first last days recency");
}

static err read_of(struct parser *parser, json_value json, str pointer, const struct texts *events,
                   struct measuring *measuring)
{
    char need = measure_of(measuring->measure);
    bool given = json_kind(json_get(json, STR("of"))) != JSON_MISSING;
    const char *word = measure_word(measuring->measure);
    if (!given && need == 'r') {
        parse_fail(parser, pointer, "'%s' needs 'of': the property that it measures", word);
        return parse_hint(parser, "as {\"measure\":\"%s\",\"of\":\"revenue\"}", word);
    }
    if (given && need == 'n')
        return parse_fail(parser, pointer, "'%s' measures no property: leave 'of' out", word);
    if (!given)
        return ERR_OK;
    str path;
    err error = parse_text(parser, json, pointer, "of", &path);
    if (error == ERR_OK)
        error = parse_property(parser, events, path, pointer, &measuring->of);
    if (error != ERR_OK)
        return error;
    measuring->has_of = true;
    if (strchr(measure_kinds(measuring->measure), kind_letter(measuring->of.kind)) == NULL)
        return parse_fail(parser, pointer, "'%s' cannot be taken of '" STR_FMT "', a %s", word,
                          STR_ARG(path), kind_word(measuring->of.kind));
    return ERR_OK;
}

static void set_result(struct measuring *measuring)
{
    switch (measuring->measure) {
    case MEASURE_SUM:
    case MEASURE_AVG:
    case MEASURE_MIN:
    case MEASURE_MAX:
        measuring->kind = measuring->of.kind;
        measuring->whole = measuring->of.unit == MILLION && measuring->measure != MEASURE_AVG;
        break;
    case MEASURE_FIRST:
    case MEASURE_LAST:
        measuring->kind = measuring->has_of ? measuring->of.kind : RULE_TIME;
        measuring->whole = measuring->has_of && measuring->of.unit == MILLION;
        break;
    case MEASURE_COUNT:
    case MEASURE_DISTINCT:
    case MEASURE_DAYS:
    case MEASURE_RECENCY:
    case MEASURE_END:
    default:
        measuring->kind = RULE_NUMBER;
        measuring->whole = true;
        break;
    }
}

static err read_nth(struct parser *parser, json_value json, str pointer,
                    struct measuring *measuring)
{
    json_value value = json_get(json, STR("nth"));
    if (json_kind(value) == JSON_MISSING)
        return ERR_OK;
    int64_t nth = json_int(value, 0);
    if (json_kind(value) != JSON_INT || nth == 0 || nth > NTH_MAX || nth < -NTH_LAST_MAX) {
        parse_fail(parser, pointer, "'nth' has to be 1 to %d, or -1 to -%d", NTH_MAX, NTH_LAST_MAX);
        return parse_hint(parser, "1 is the first, 2 the second, -1 the last");
    }
    measuring->nth = (int32_t)nth;
    return ERR_OK;
}

static err read_net(struct parser *parser, json_value json, str pointer, struct node *node)
{
    struct measuring *measuring = &node->measuring;
    json_value value = json_get(json, STR("net"));
    measuring->net = json_bool(value, false);
    if (json_kind(value) == JSON_MISSING || (json_kind(value) == JSON_BOOL && !measuring->net))
        return ERR_OK;
    if (json_kind(value) != JSON_BOOL)
        return parse_fail(parser, pointer, "'net' has to be true or false");
    for (uint32_t i = 0; i < node->events.count; i++) {
        if (str_equal(node->events.items[i], STR(ORDER_PAID)) ||
            str_equal(node->events.items[i], STR(ORDER_COMPLETED)))
            continue;
        parse_fail(parser, pointer, "'net' is for paid orders, not for '" STR_FMT "'",
                   STR_ARG(node->events.items[i]));
        return parse_hint(parser, "net of refunds is what is left of \"Order Paid\"");
    }
    if (!known_property(parser, &node->events, "order_id", &measuring->order))
        return parse_fail(parser, pointer, "'net' needs orders with an order_id; none had one");
    measuring->has_amount = known_property(parser, &node->events, "revenue", &measuring->amount);
    measuring->has_amount_other =
        known_property(parser, &node->events, "total", &measuring->amount_other);
    err error = parse_listen(parser, STR("Order Refunded"), node->slot, ROLE_REFUND);
    if (error == ERR_OK)
        error = parse_listen(parser, STR("Order Cancelled"), node->slot, ROLE_CANCEL);
    return error;
}

/* A count that shrinks by time changes its answer when the k-th newest leaves: keep as many times. */
static void set_ring(struct measuring *measuring, const struct compare *compare)
{
    if (measuring->nth < 0 && !measuring->net)
        measuring->ring = (uint32_t)-measuring->nth; /* of the newest events */
    bool plain = measuring->measure == MEASURE_COUNT && !measuring->net && measuring->nth == 0 &&
                 measuring->window.has_from && compare->numbers == NULL && compare->op != OP_NONE &&
                 compare->op != OP_IS_SET && compare->op != OP_IS_NOT_SET;
    if (!plain)
        return;
    wide need = compare->low;
    if (compare->high < WIDE_MAX && compare->high + 1 > need)
        need = compare->high + 1;
    if (need < 1 || need > RING_MAX)
        return;
    measuring->ring = (uint32_t)need;
}

static bool has_relative_window(const struct window *window)
{
    return window->given;
}

err parse_measuring(struct parser *parser, json_value json, str pointer, struct node *node)
{
    struct measuring *measuring = &node->measuring;
    err error = parse_member(parser, pointer, STR("measure"),
                             read_measure(parser, json, pointer, measuring));
    if (error == ERR_OK)
        error = parse_member(parser, pointer, STR("of"),
                             read_of(parser, json, pointer, &node->events, measuring));
    if (error == ERR_OK)
        error = parse_window(parser, json, pointer, &measuring->window);
    if (error != ERR_OK)
        return error;
    set_result(measuring);
    struct operand operand = {
        .kind = measuring->kind,
        .unit = measuring->whole ? MILLION : 1,
        .what = "measure",
        .name = str_from_c(measure_word(measuring->measure)),
    };
    error = parse_compare(parser, json, pointer, &operand, &node->compare);
    if (error != ERR_OK)
        return error;
    if (node->compare.me)
        return parse_fail(parser, pointer, "'$me' is compared with relations only");
    node->relative = node->compare.relative || has_relative_window(&measuring->window);
    return ERR_OK;
}

/* Nothing is compared: it happened, or there is a value. */
void parse_default_compare(struct node *node)
{
    struct compare *compare = &node->compare;
    if (compare->op != OP_NONE)
        return;
    if (node->measuring.measure != MEASURE_COUNT) {
        compare->op = OP_IS_SET;
        return;
    }
    *compare = (struct compare){
        .op = OP_GTE,
        .kind = RULE_NUMBER,
        .low = 1,
        .high = WIDE_MAX,
        .shown = STR("1"),
    };
}

#define EVENT_MEMBERS "event where last during measure of net nth"

err parse_event(struct parser *parser, json_value json, str pointer, struct node **out)
{
    struct rule *rule = parser->rule;
    struct node *node = parse_make(parser, NODE_EVENT, pointer);
    if (node == NULL)
        return ERR_NOMEM;
    *out = node;
    err error = parse_members(parser, json, pointer, EVENT_MEMBERS, true);
    if (error == ERR_OK)
        error = parse_events(parser, json_get(json, STR("event")), pointer, &node->events);
    if (error == ERR_OK)
        error = parse_condition(parser, node);
    if (error == ERR_OK)
        error = parse_slot(parser, node);
    if (error == ERR_OK)
        error = parse_listen_all(parser, &node->events, node->slot, ROLE_EVENT);
    if (error == ERR_OK)
        error = parse_event_where(parser, json, pointer, &node->events, &node->where);
    if (error == ERR_OK)
        error = parse_member(parser, pointer, STR("nth"),
                             read_nth(parser, json, pointer, &node->measuring));
    if (error == ERR_OK)
        error = parse_measuring(parser, json, pointer, node);
    if (error == ERR_OK)
        error = parse_member(parser, pointer, STR("net"), read_net(parser, json, pointer, node));
    if (error != ERR_OK)
        return error;
    if (!rule->is_measure)
        parse_default_compare(node);
    else if (node->compare.op != OP_NONE)
        return parse_member(parser, pointer, str_from_c(operator_word(node->compare.op)),
                            parse_fail(parser, pointer,
                                       "what is measured is not compared: leave '%s' out",
                                       operator_word(node->compare.op)));
    struct compare *compare = &node->compare;
    struct measuring *measuring = &node->measuring;
    if (compare->texts != NULL && measuring->of.source == FROM_COLUMN)
        error = parse_verdict(parser, compare, NULL, measuring->of.column, &compare->verdict);
    set_ring(measuring, compare);
    rule->ring_total += measuring->ring;
    rule->whole_life |= measuring->net || measuring->nth != 0;
    return error;
}
