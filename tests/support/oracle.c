/* SPDX-License-Identifier: Apache-2.0 */
/* The naive twin of src/rule. Everything is read from JSON when it is asked; nothing is kept. */
#include "support/oracle.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/oracle_time.h"
#include "support/oracle_value.h"
#include "support/oracle_world.h"

#define DAY INT64_C(86400000)
#define EVENTS_MAX 256

static json_value get(json_value object, const char *key)
{
    return json_get(object, str_from_c(key));
}

static bool has(json_value object, const char *key)
{
    return json_kind(get(object, key)) != JSON_MISSING;
}

static bool is_text(json_value value, const char *text)
{
    return str_equal(json_text(value), str_from_c(text));
}

/* ---- objects ---- */

static bool object_holds(const struct oracle *oracle, json_value rule,
                         const struct oracle_value *ids);

static bool object_rule_holds(const struct oracle *oracle, str kind, json_value object,
                              json_value rule)
{
    struct json_iterator iterator;
    json_value item;
    if (json_kind(rule) == JSON_ARRAY || has(rule, "all")) {
        iterator = json_iterate(json_kind(rule) == JSON_ARRAY ? rule : get(rule, "all"));
        while (json_next(&iterator, NULL, &item))
            if (!object_rule_holds(oracle, kind, object, item))
                return false;
        return true;
    }
    if (has(rule, "any")) {
        iterator = json_iterate(get(rule, "any"));
        while (json_next(&iterator, NULL, &item))
            if (object_rule_holds(oracle, kind, object, item))
                return true;
        return false;
    }
    if (has(rule, "not"))
        return !object_rule_holds(oracle, kind, object, get(rule, "not"));
    bool nested = has(rule, "object");
    char path[120], name[240];
    snprintf(path, sizeof(path), "%s" STR_FMT, has(rule, "tag") ? "tag:" : "",
             STR_ARG(json_text(get(rule, nested             ? "via"
                                         : has(rule, "tag") ? "tag"
                                                            : "prop"))));
    snprintf(name, sizeof(name), STR_FMT ".%s", STR_ARG(kind), path);
    struct oracle_value value =
        oracle_value_of(get(object, path), world_find(world_objects, str_from_c(name))->kind);
    return nested ? object_holds(oracle, rule, &value)
                  : oracle_compare(oracle, rule, &value, 1, "is_set");
}

static bool id_holds(const struct oracle *oracle, json_value rule, str id)
{
    str kind = json_text(get(rule, "object"));
    json_value object = json_get(json_get(get(oracle->world, "objects"), kind), id);
    return json_is_object(object) && object_rule_holds(oracle, kind, object, get(rule, "rule"));
}

static bool object_holds(const struct oracle *oracle, json_value rule,
                         const struct oracle_value *ids)
{
    if (!ids->set)
        return false;
    if (ids->kind == RULE_TEXT)
        return id_holds(oracle, rule, ids->text);
    struct json_iterator iterator = json_iterate(ids->list);
    json_value item;
    while (json_next(&iterator, NULL, &item))
        if (id_holds(oracle, rule, json_text(item)))
            return true;
    return false;
}

/* ---- events ---- */

struct event_of {
    json_value json;
    int64_t time_ms, seq;
    str type;
};

struct events {
    size_t count;
    struct event_of items[EVENTS_MAX];
};

static int by_time(const void *left, const void *right)
{
    const struct event_of *a = left, *b = right;
    if (a->time_ms != b->time_ms)
        return a->time_ms < b->time_ms ? -1 : 1;
    return a->seq < b->seq ? -1 : a->seq > b->seq;
}

static void read_events(const struct oracle *oracle, struct events *events)
{
    struct json_iterator iterator = json_iterate(get(oracle->customer, "events"));
    json_value item;
    events->count = 0;
    while (json_next(&iterator, NULL, &item))
        events->items[events->count++] = (struct event_of){
            .json = item,
            .time_ms = json_int(get(item, "time"), 0),
            .seq = json_int(get(item, "seq"), 0),
            .type = json_text(get(item, "type")),
        };
    qsort(events->items, events->count, sizeof(events->items[0]), by_time);
}

static bool is_named(str type, str name)
{
    return str_equal(name, STR("*")) || str_equal(type, name) ||
           (str_equal(name, STR("Order Paid")) && str_equal(type, STR("Order Completed")));
}

static bool has_type(const struct event_of *event, json_value names)
{
    if (json_kind(names) == JSON_TEXT)
        return is_named(event->type, json_text(names));
    struct json_iterator iterator = json_iterate(names);
    json_value item;
    while (json_next(&iterator, NULL, &item))
        if (is_named(event->type, json_text(item)))
            return true;
    return false;
}

static enum rule_kind kind_of_column(enum column_kind kind)
{
    return kind == COLUMN_MONEY   ? RULE_MONEY
           : kind == COLUMN_TIME  ? RULE_TIME
           : kind == COLUMN_BOOL  ? RULE_BOOL
           : kind == COLUMN_TEXT  ? RULE_TEXT
           : kind == COLUMN_TEXTS ? RULE_TEXTS
                                  : RULE_NUMBER;
}

static struct oracle_value property(const struct oracle *oracle, const struct event_of *event,
                                    str path)
{
    if (str_equal(path, STR("channel")) || str_equal(path, STR("$channel")))
        return oracle_value_of(get(event->json, "channel"), RULE_TEXT);
    struct oracle_value value = { .set = true, .kind = RULE_NUMBER };
    if (str_equal(path, STR("$time"))) {
        value.kind = RULE_TIME;
        value.number = event->time_ms;
        return value;
    }
    if (str_equal(path, STR("$hour"))) {
        int64_t of_day = oracle_clock(oracle, event->time_ms) % DAY;
        value.number = (big)((of_day < 0 ? of_day + DAY : of_day) / 3600000) * 1000000;
        return value;
    }
    if (str_equal(path, STR("$weekday"))) {
        value.number = (big)(((oracle_day(oracle, event->time_ms) + 3) % 7 + 7) % 7 + 1) * 1000000;
        return value;
    }
    const struct world_property *known = world_property(path);
    return oracle_value_of(json_get(get(event->json, "props"), path), kind_of_column(known->kind));
}

/* `steps`: the events of a sequence's steps so far, for what refers to them. */
static bool where_holds(const struct oracle *oracle, json_value where, const struct event_of *event,
                        const struct event_of *const *steps)
{
    struct json_iterator iterator;
    json_value item;
    if (json_kind(where) == JSON_MISSING)
        return true;
    if (json_kind(where) == JSON_ARRAY || has(where, "all")) {
        iterator = json_iterate(json_kind(where) == JSON_ARRAY ? where : get(where, "all"));
        while (json_next(&iterator, NULL, &item))
            if (!where_holds(oracle, item, event, steps))
                return false;
        return true;
    }
    if (has(where, "any")) {
        iterator = json_iterate(get(where, "any"));
        while (json_next(&iterator, NULL, &item))
            if (where_holds(oracle, item, event, steps))
                return true;
        return false;
    }
    if (has(where, "not"))
        return !where_holds(oracle, get(where, "not"), event, steps);
    if (has(where, "object")) {
        struct oracle_value ids = property(oracle, event, json_text(get(where, "via")));
        return object_holds(oracle, where, &ids);
    }
    struct oracle_value value = property(oracle, event, json_text(get(where, "prop")));
    str op = oracle_operator(where, "is_set");
    json_value with = json_get(where, op);
    if (!json_is_object(with))
        return oracle_compare(oracle, where, &value, 1, "is_set");
    struct oracle_value other =
        property(oracle, steps[json_int(get(with, "step"), 0)], json_text(get(with, "prop")));
    if (!value.set || !other.set)
        return false;
    if (value.kind == RULE_TEXT)
        return str_equal(value.text, other.text) == str_equal(op, STR("eq"));
    big a = value.number, b = other.number;
    return str_equal(op, STR("eq"))    ? a == b
           : str_equal(op, STR("ne"))  ? a != b
           : str_equal(op, STR("lt"))  ? a < b
           : str_equal(op, STR("lte")) ? a <= b
           : str_equal(op, STR("gt"))  ? a > b
                                       : a >= b;
}

/* ---- windows ---- */

struct span {
    int64_t from, to; /* from <= time < to; and before now */
    bool nothing;
};

static struct span calendar(const struct oracle *oracle, str word)
{
    int64_t today = oracle_day(oracle, oracle->now_ms);
    struct oracle_date date = oracle_date(today);
    int64_t monday = today - ((today + 3) % 7 + 7) % 7;
    int quarter = (date.month - 1) / 3 * 3 + 1;
    int64_t from = today, to = today + 1;
    if (str_equal(word, STR("yesterday"))) {
        from = today - 1;
        to = today;
    } else if (str_equal(word, STR("this_week"))) {
        from = monday;
        to = monday + 7;
    } else if (str_equal(word, STR("last_week"))) {
        from = monday - 7;
        to = monday;
    } else if (str_equal(word, STR("this_month"))) {
        from = oracle_day_from(date.year, date.month, 1);
        to = oracle_day_from(date.year, date.month + 1, 1);
    } else if (str_equal(word, STR("last_month"))) {
        from = oracle_day_from(date.year, date.month - 1, 1);
        to = oracle_day_from(date.year, date.month, 1);
    } else if (str_equal(word, STR("this_quarter"))) {
        from = oracle_day_from(date.year, quarter, 1);
        to = oracle_day_from(date.year, quarter + 3, 1);
    } else if (str_equal(word, STR("last_quarter"))) {
        from = oracle_day_from(date.year, quarter - 3, 1);
        to = oracle_day_from(date.year, quarter, 1);
    } else if (str_equal(word, STR("this_year"))) {
        from = oracle_day_from(date.year, 1, 1);
        to = oracle_day_from(date.year + 1, 1, 1);
    } else if (str_equal(word, STR("last_year"))) {
        from = oracle_day_from(date.year - 1, 1, 1);
        to = oracle_day_from(date.year, 1, 1);
    }
    return (struct span){ oracle_day_start(oracle, from), oracle_day_start(oracle, to), false };
}

static struct span window_of(const struct oracle *oracle, json_value rule)
{
    struct span span = { INT64_MIN, oracle->now_ms, false };
    if (has(rule, "last")) {
        span.from = oracle_edge(oracle, get(rule, "last"));
        return span;
    }
    json_value during = get(rule, "during");
    if (is_text(during, "since_entering")) {
        span.from = json_int(get(oracle->customer, "entered"), INT64_MIN);
        span.nothing = span.from == INT64_MIN;
    } else if (json_kind(during) == JSON_TEXT) {
        span = calendar(oracle, json_text(during));
    } else if (json_is_object(during)) {
        if (has(during, "from"))
            span.from = oracle_edge(oracle, get(during, "from"));
        if (has(during, "to"))
            span.to = oracle_edge(oracle, get(during, "to"));
    }
    if (span.to > oracle->now_ms)
        span.to = oracle->now_ms;
    return span;
}

static bool is_in(const struct span *span, int64_t time_ms)
{
    return !span->nothing && time_ms >= span->from && time_ms < span->to;
}

/* ---- net of refunds ---- */

static struct oracle_value money_of(const struct oracle *oracle, const struct event_of *event,
                                    const char *first, const char *second)
{
    struct oracle_value value = property(oracle, event, str_from_c(first));
    return value.set ? value : property(oracle, event, str_from_c(second));
}

static big absolute(big number)
{
    return number < 0 ? -number : number;
}

static bool same_order(const struct oracle *oracle, const struct event_of *a,
                       const struct event_of *b)
{
    struct oracle_value left = property(oracle, a, STR("order_id"));
    struct oracle_value right = property(oracle, b, STR("order_id"));
    return left.set && right.set && str_equal(left.text, right.text);
}

/* What refunds took off: of the money, and of the property `of`. Returns false when nothing is left of the order. */
static bool is_left(const struct oracle *oracle, const struct events *all,
                    const struct event_of *order, str of, big *money, big *returned)
{
    struct oracle_value paid = money_of(oracle, order, "revenue", "total");
    *money = *returned = 0;
    for (size_t i = 0; i < all->count; i++) {
        const struct event_of *event = &all->items[i];
        if (event->time_ms >= oracle->now_ms || !same_order(oracle, order, event))
            continue;
        if (str_equal(event->type, STR("Order Cancelled")))
            return false;
        if (!str_equal(event->type, STR("Order Refunded")))
            continue;
        struct oracle_value back = money_of(oracle, event, "total", "revenue");
        if (!back.set)
            return false;
        *money += absolute(back.number);
        if (of.size > 0) {
            struct oracle_value value = property(oracle, event, of);
            if (value.set && value.kind != RULE_TEXT && value.kind != RULE_TEXTS)
                *returned += absolute(value.number);
        }
    }
    return !(*money > 0 && *money >= (paid.set ? paid.number : 0));
}

/* ---- what is counted ---- */

struct counted {
    size_t count;
    struct {
        const struct event_of *event;
        struct oracle_value value;
    } items[EVENTS_MAX];
};

static void count_event(const struct oracle *oracle, struct counted *counted,
                        const struct event_of *event, str of)
{
    struct oracle_value value = { .set = true, .kind = RULE_NUMBER };
    if (of.size > 0)
        value = property(oracle, event, of);
    if (!value.set)
        return;
    counted->items[counted->count].event = event;
    counted->items[counted->count++].value = value;
}

/* Orders of `candidates`, each once, those of which something is left. */
static size_t net_orders(const struct oracle *oracle, const struct events *all,
                         const struct event_of **candidates, size_t count, str of)
{
    size_t left = 0;
    const struct event_of *orders[EVENTS_MAX];
    size_t order_count = 0;
    for (size_t i = 0; i < count; i++) {
        bool seen = false;
        for (size_t j = 0; j < order_count; j++)
            seen |= same_order(oracle, orders[j], candidates[i]);
        if (!seen)
            orders[order_count++] = candidates[i];
    }
    big money, returned;
    for (size_t i = 0; i < order_count; i++)
        if (is_left(oracle, all, orders[i], of, &money, &returned))
            candidates[left++] = orders[i];
    return left;
}

static void take_refunds(const struct oracle *oracle, const struct events *all,
                         struct counted *counted, str of)
{
    bool is_money = str_equal(of, STR("revenue")) || str_equal(of, STR("total"));
    for (size_t i = 0; i < counted->count; i++) {
        struct oracle_value *value = &counted->items[i].value;
        big money, returned;
        (void)is_left(oracle, all, counted->items[i].event, of, &money, &returned);
        if (of.size == 0 || value->number <= 0 ||
            (value->kind != RULE_NUMBER && value->kind != RULE_MONEY))
            continue;
        value->number -= is_money ? money : returned;
        if (value->number < 0)
            value->number = 0;
    }
}

static void gather(const struct oracle *oracle, json_value rule, const struct events *all,
                   struct counted *counted)
{
    struct span span = window_of(oracle, rule);
    str of = json_text(get(rule, "of"));
    bool net = json_bool(get(rule, "net"), false);
    int64_t nth = json_int(get(rule, "nth"), 0);
    const struct event_of *chosen[EVENTS_MAX];
    size_t count = 0;
    for (size_t i = 0; i < all->count; i++) {
        const struct event_of *event = &all->items[i];
        if (!has_type(event, get(rule, "event")) || event->time_ms >= oracle->now_ms)
            continue;
        /* The nth is counted over her whole life. */
        if (nth == 0 && (!is_in(&span, event->time_ms) ||
                         !where_holds(oracle, get(rule, "where"), event, NULL)))
            continue;
        chosen[count++] = event;
    }
    if (net)
        count = net_orders(oracle, all, chosen, count, of);
    if (nth != 0) {
        int64_t place = nth > 0 ? nth - 1 : (int64_t)count + nth;
        bool there = place >= 0 && place < (int64_t)count;
        chosen[0] = there ? chosen[place] : NULL;
        count = there && is_in(&span, chosen[0]->time_ms) &&
                where_holds(oracle, get(rule, "where"), chosen[0], NULL);
    }
    counted->count = 0;
    for (size_t i = 0; i < count; i++)
        count_event(oracle, counted, chosen[i], of);
    if (net)
        take_refunds(oracle, all, counted, of);
}

/* ---- measures ---- */

static bool same_value(const struct oracle_value *a, const struct oracle_value *b)
{
    return a->kind == RULE_TEXT ? str_equal(a->text, b->text) : a->number == b->number;
}

static big count_distinct(const struct counted *counted)
{
    struct oracle_value seen[EVENTS_MAX * 4];
    size_t count = 0;
    for (size_t i = 0; i < counted->count; i++) {
        struct oracle_value parts[16] = { counted->items[i].value };
        size_t part_count = 1;
        if (parts[0].kind == RULE_TEXTS) {
            struct json_iterator iterator = json_iterate(counted->items[i].value.list);
            json_value item;
            part_count = 0;
            while (json_next(&iterator, NULL, &item))
                parts[part_count++] = oracle_value_of(item, RULE_TEXT);
        }
        for (size_t j = 0; j < part_count; j++) {
            bool old = false;
            for (size_t k = 0; k < count; k++)
                old |= same_value(&seen[k], &parts[j]);
            if (!old)
                seen[count++] = parts[j];
        }
    }
    return (big)count;
}

static big count_days(const struct oracle *oracle, const struct counted *counted)
{
    big days = 0;
    for (size_t i = 0; i < counted->count; i++) {
        bool old = false;
        for (size_t j = 0; j < i; j++)
            old |= oracle_day(oracle, counted->items[i].event->time_ms) ==
                   oracle_day(oracle, counted->items[j].event->time_ms);
        days += !old;
    }
    return days;
}

static struct oracle_value number_value(big number, enum rule_kind kind)
{
    return (struct oracle_value){ .set = true, .kind = kind, .number = number };
}

static struct oracle_value measure(const struct oracle *oracle, json_value rule,
                                   const struct counted *counted, enum rule_kind of_kind,
                                   big *divide)
{
    json_value word = get(rule, "measure");
    bool has_of = has(rule, "of");
    size_t count = counted->count;
    *divide = 1;
    if (json_kind(word) == JSON_MISSING || is_text(word, "count"))
        return number_value((big)count * 1000000, RULE_NUMBER);
    if (is_text(word, "days"))
        return number_value(count_days(oracle, counted) * 1000000, RULE_NUMBER);
    if (is_text(word, "distinct"))
        return number_value(count_distinct(counted) * 1000000, RULE_NUMBER);
    big sum = 0;
    for (size_t i = 0; i < count; i++)
        sum += counted->items[i].value.number;
    if (is_text(word, "sum"))
        return number_value(sum, of_kind);
    struct oracle_value none = { .set = false, .kind = has_of ? of_kind : RULE_TIME };
    if (count == 0)
        return none;
    if (is_text(word, "avg")) {
        *divide = (big)count;
        return number_value(sum, of_kind);
    }
    if (is_text(word, "recency"))
        return number_value(
            (big)((oracle->now_ms - counted->items[count - 1].event->time_ms) / DAY) * 1000000,
            RULE_NUMBER);
    size_t place = is_text(word, "last") ? count - 1 : 0;
    if (is_text(word, "first") || is_text(word, "last"))
        return has_of ? counted->items[place].value
                      : number_value(counted->items[place].event->time_ms, RULE_TIME);
    bool least = is_text(word, "min");
    big found = counted->items[0].value.number;
    for (size_t i = 1; i < count; i++) {
        big number = counted->items[i].value.number;
        if (least ? number < found : number > found)
            found = number;
    }
    return number_value(found, of_kind);
}

static bool measured(const struct oracle *oracle, json_value rule, const struct counted *counted,
                     enum rule_kind of_kind)
{
    big divide;
    struct oracle_value value = measure(oracle, rule, counted, of_kind, &divide);
    json_value word = get(rule, "measure");
    bool counts = json_kind(word) == JSON_MISSING || is_text(word, "count");
    if (counts && str_equal(oracle_operator(rule, "none"), STR("none")))
        return counted->count >= 1;
    return oracle_compare(oracle, rule, &value, divide, "is_set");
}

static bool event_holds(const struct oracle *oracle, json_value rule)
{
    struct events *all = malloc(sizeof(*all));
    struct counted *counted = malloc(sizeof(*counted));
    read_events(oracle, all);
    gather(oracle, rule, all, counted);
    str of = json_text(get(rule, "of"));
    struct event_of no_event = { .json = { NULL, 0 } };
    enum rule_kind kind = of.size > 0 ? property(oracle, &no_event, of).kind : RULE_NUMBER;
    bool holds = measured(oracle, rule, counted, kind);
    free(all);
    free(counted);
    return holds;
}

/* ---- touches ---- */

static bool field_fits(json_value wanted, json_value value)
{
    if (json_kind(wanted) == JSON_MISSING)
        return true;
    if (json_kind(wanted) == JSON_TEXT)
        return str_equal(json_text(wanted), json_text(value));
    struct json_iterator iterator = json_iterate(wanted);
    json_value item;
    while (json_next(&iterator, NULL, &item))
        if (str_equal(json_text(item), json_text(value)))
            return true;
    return false;
}

static bool touch_holds(const struct oracle *oracle, json_value rule)
{
    struct event_of touches[64];
    struct counted *counted = malloc(sizeof(*counted));
    struct span span = window_of(oracle, rule);
    struct json_iterator iterator = json_iterate(get(oracle->customer, "touches"));
    json_value item, which = get(rule, "touch");
    size_t count = 0;
    counted->count = 0;
    while (json_next(&iterator, NULL, &item)) {
        touches[count] =
            (struct event_of){ .json = item, .time_ms = json_int(get(item, "time"), 0) };
        bool fits = field_fits(get(which, "journey"), get(item, "journey")) &&
                    field_fits(get(which, "channel"), get(item, "channel")) &&
                    field_fits(get(rule, "status"), get(item, "status"));
        if (fits && is_in(&span, touches[count].time_ms))
            count_event(oracle, counted, &touches[count], STR_NONE);
        count++;
    }
    bool holds = measured(oracle, rule, counted, RULE_NUMBER);
    free(counted);
    return holds;
}

/* ---- sequences: every choice of events is tried ---- */

struct choice {
    const struct oracle *oracle;
    json_value rule;
    const struct events *all;
    struct span span;
    int64_t within_ms; /* 0: none */
    const struct event_of *steps[16];
};

static bool same_holds(const struct choice *choice, json_value step, const struct event_of *event)
{
    json_value same = get(step, "same");
    struct json_iterator iterator;
    json_value item;
    if (json_kind(same) == JSON_MISSING)
        return true;
    bool single = json_kind(same) == JSON_TEXT;
    iterator = json_iterate(same);
    while (single || json_next(&iterator, NULL, &item)) {
        str path = single ? json_text(same) : json_text(item);
        struct oracle_value here = property(choice->oracle, event, path);
        struct oracle_value first = property(choice->oracle, choice->steps[0], path);
        bool equal = false;
        if (here.kind == RULE_TEXTS) {
            struct json_iterator mine = json_iterate(here.list);
            json_value one;
            while (here.set && first.set && json_next(&mine, NULL, &one)) {
                struct json_iterator theirs = json_iterate(first.list);
                json_value other;
                while (json_next(&theirs, NULL, &other))
                    equal |= str_equal(json_text(one), json_text(other));
            }
        } else {
            equal = here.set && first.set && same_value(&here, &first);
        }
        if (!equal)
            return false;
        if (single)
            break;
    }
    return true;
}

static bool step_fits(const struct choice *choice, json_value step, const struct event_of *event)
{
    return has_type(event, get(step, "event")) && event->time_ms < choice->oracle->now_ms &&
           same_holds(choice, step, event) &&
           where_holds(choice->oracle, get(step, "where"), event, choice->steps);
}

/* No event of the absent steps in (first, last) strictly between `after` and `before` (NULL: until `end_ms`). */
static bool nothing_between(const struct choice *choice, size_t first, size_t last,
                            const struct event_of *after, const struct event_of *before,
                            int64_t end_ms)
{
    for (size_t step = first; step < last; step++) {
        json_value absent = json_at(get(choice->rule, "sequence"), step);
        for (const struct event_of *event = after + 1;
             event < choice->all->items + choice->all->count; event++) {
            if (before != NULL ? event >= before : event->time_ms >= end_ms)
                break;
            if (step_fits(choice, absent, event))
                return false;
        }
    }
    return true;
}

static bool choose(struct choice *choice, size_t previous, size_t step)
{
    json_value steps = get(choice->rule, "sequence");
    size_t count = json_count(steps), present = step;
    while (present < count && json_bool(get(json_at(steps, present), "absent"), false))
        present++;
    int64_t deadline = INT64_MAX;
    if (step > 0 && choice->within_ms > 0)
        deadline = choice->steps[0]->time_ms + choice->within_ms;
    if (present == count) {
        if (present == step)
            return true; /* no absent step at the end */
        bool decided = choice->within_ms == 0 || choice->oracle->now_ms >= deadline;
        return decided &&
               nothing_between(choice, step, count, choice->steps[previous], NULL, deadline);
    }
    const struct event_of *begin = choice->all->items, *end = begin + choice->all->count;
    for (const struct event_of *event = step == 0 ? begin : choice->steps[previous] + 1;
         event < end; event++) {
        choice->steps[present] = event;
        if (!is_in(&choice->span, event->time_ms) || event->time_ms >= deadline ||
            !step_fits(choice, json_at(steps, present), event))
            continue;
        if (step > 0 &&
            !nothing_between(choice, step, present, choice->steps[previous], event, INT64_MAX))
            continue;
        if (choose(choice, present, present + 1))
            return true;
    }
    return false;
}

static bool sequence_holds(const struct oracle *oracle, json_value rule)
{
    struct events *all = malloc(sizeof(*all));
    read_events(oracle, all);
    struct choice choice = {
        .oracle = oracle,
        .rule = rule,
        .all = all,
        .span = window_of(oracle, rule),
    };
    struct oracle_term term;
    if (oracle_term(json_text(get(rule, "within")), &term)) {
        struct oracle_shift shift = { 0, 0, 0 };
        oracle_add_term(&shift, term, 1);
        choice.within_ms = shift.days * DAY + shift.ms;
    }
    bool holds = choose(&choice, 0, 0);
    free(all);
    return holds;
}

/* ---- facts ---- */

static bool is_listed(json_value list, json_value word)
{
    struct json_iterator iterator = json_iterate(list);
    json_value item;
    while (json_next(&iterator, NULL, &item))
        if (str_equal(json_text(item), json_text(word)))
            return true;
    return false;
}

static struct oracle_value fact(const struct oracle *oracle, const char *where, json_value name,
                                const struct world_name *names)
{
    return oracle_value_of(json_get(get(oracle->customer, where), json_text(name)),
                           world_find(names, json_text(name))->kind);
}

static bool relation_holds(const struct oracle *oracle, json_value rule)
{
    struct oracle_value value = fact(oracle, "relations", get(rule, "relation"), world_relations);
    str op = oracle_operator(rule, "is_set");
    json_value with = json_get(rule, op);
    if (!is_text(with, "$me"))
        return oracle_compare(oracle, rule, &value, 1, "is_set");
    json_value me = get(oracle->world, "me");
    if (!value.set || json_text(me).size == 0)
        return false;
    return oracle_compare_text(op, me, &value);
}

static bool consent_holds(const struct oracle *oracle, json_value rule)
{
    struct oracle_value value = oracle_value_of(
        json_get(get(oracle->customer, "consents"), json_text(get(rule, "consent"))), RULE_BOOL);
    if (str_equal(oracle_operator(rule, "none"), STR("none")))
        return value.set && value.number == 1;
    return oracle_compare(oracle, rule, &value, 1, "is_set");
}

static bool via_holds(const struct oracle *oracle, json_value rule)
{
    json_value via = get(rule, "via");
    bool relation = world_find(world_relations, json_text(via)) != NULL;
    struct oracle_value ids = relation ? fact(oracle, "relations", via, world_relations)
                                       : fact(oracle, "traits", via, world_traits);
    return object_holds(oracle, rule, &ids);
}

bool oracle_holds(const struct oracle *oracle, json_value rule)
{
    struct json_iterator iterator;
    json_value item;
    if (has(rule, "all")) {
        iterator = json_iterate(get(rule, "all"));
        while (json_next(&iterator, NULL, &item))
            if (!oracle_holds(oracle, item))
                return false;
        return true;
    }
    if (has(rule, "any")) {
        iterator = json_iterate(get(rule, "any"));
        while (json_next(&iterator, NULL, &item))
            if (oracle_holds(oracle, item))
                return true;
        return false;
    }
    if (has(rule, "not"))
        return !oracle_holds(oracle, get(rule, "not"));
    struct oracle_value value;
    if (has(rule, "trait")) {
        value = fact(oracle, "traits", get(rule, "trait"), world_traits);
        return oracle_compare(oracle, rule, &value, 1, "is_set");
    }
    if (has(rule, "tag")) {
        value = fact(oracle, "tags", get(rule, "tag"), world_tags);
        return oracle_compare(oracle, rule, &value, 1, "is_set");
    }
    if (has(rule, "segment"))
        return is_listed(get(oracle->customer, "segments"), get(rule, "segment"));
    if (has(rule, "has"))
        return is_listed(get(oracle->customer, "identifiers"), get(rule, "has"));
    if (has(rule, "reachable"))
        return is_listed(get(oracle->customer, "reachable"), get(rule, "reachable"));
    if (has(rule, "consent"))
        return consent_holds(oracle, rule);
    if (has(rule, "relation"))
        return relation_holds(oracle, rule);
    if (has(rule, "object"))
        return via_holds(oracle, rule);
    if (has(rule, "touch"))
        return touch_holds(oracle, rule);
    if (has(rule, "sequence"))
        return sequence_holds(oracle, rule);
    return event_holds(oracle, rule);
}
