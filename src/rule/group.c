/* SPDX-License-Identifier: Apache-2.0 */
/* Measures by object: whose events are told apart by the id that they carry. */
#include "base/digest.h"
#include "rule/judge.h"
#include "rule/parse.h"

static err check_grouped(struct parser *parser, const struct rule *rule)
{
    const struct measuring *measuring = &rule->root->measuring;
    const char *word = measure_word(measuring->measure);
    if (measuring->measure == MEASURE_DISTINCT && measuring->has_of &&
        measuring->of.kind == RULE_TEXTS)
        return parse_fail(parser, STR("/of"), "'%s' by object is of single values, not of lists",
                          word);
    if (is_text_kind(measuring->kind))
        return parse_fail(parser, STR("/of"), "what is counted by object is no text");
    if (measuring->window.entering)
        return parse_fail(parser, STR("/during"), "an object enters nothing");
    return ERR_OK;
}

err rule_grouped_new(struct rule **rule, json_value json, str via,
                     const struct rule_catalogue *catalogue, enum rule_kind *kind,
                     struct problem *problem)
{
    err error = rule_measure_new(rule, json, catalogue, kind, problem);
    if (error != ERR_OK)
        return error;
    struct parser parser = { .rule = *rule, .catalogue = catalogue, .problem = problem };
    str copy;
    error = check_grouped(&parser, *rule);
    if (error == ERR_OK)
        error = parse_copy(&parser, via, &copy);
    if (error == ERR_OK)
        error = parse_property(&parser, &(*rule)->root->events, copy, STR("/via"), &(*rule)->via);
    if (error == ERR_OK && !is_text_kind((*rule)->via.kind))
        error =
            parse_fail(&parser, STR("/via"), "'" STR_FMT "' is a %s; the id of an object is text",
                       STR_ARG(copy), kind_word((*rule)->via.kind));
    if (error == ERR_OK && (*rule)->root->measuring.net && (*rule)->via.kind == RULE_TEXTS)
        error =
            parse_fail(&parser, STR("/net"),
                       "'net' by object is for orders that name one: of the several in '" STR_FMT
                       "' a refund does not say which went back",
                       STR_ARG(copy));
    if (error != ERR_OK) {
        rule_free(rule);
        return error;
    }
    (*rule)->has_via = true;
    /* the list may have grown by `via` */
    (*rule)->needs.columns = (*rule)->columns;
    (*rule)->needs.column_count = (*rule)->column_count;
    return ERR_OK;
}

/* ---- the walk ---- */

struct visiting {
    struct rule_judge *judge;
    const struct rule *rule;
    bool (*found)(void *context, const struct rule_grouped *grouped);
    void *context;
};

static bool tell_code(const struct visiting *visiting, struct rule_grouped *grouped, uint32_t code,
                      size_t at)
{
    const struct property *via = &visiting->rule->via;
    if (code == 0)
        return true;
    grouped->code = via->source == FROM_COLUMN ? code : 0;
    grouped->id =
        via->source == FROM_COLUMN
            ? history_view_text(visiting->judge->view, column_of(visiting->judge, via), code)
            : event_text(visiting->judge, via, at);
    return visiting->found(visiting->context, grouped);
}

/* A list names an object once, however often it stands in it. */
static bool is_repeated(const uint32_t *codes, size_t index)
{
    for (size_t i = 0; i < index; i++)
        if (codes[i] == codes[index])
            return true;
    return false;
}

/* Of a text, to be told from others: its hash, since codes of memory and of streams differ. */
static bool value_of(struct rule_judge *judge, const struct measuring *measuring, size_t at,
                     int64_t *value)
{
    if (measuring->of.kind != RULE_TEXT)
        return event_number(judge, &measuring->of, at, value);
    str text = event_text(judge, &measuring->of, at);
    *value = (int64_t)hash_bytes64(text.data, text.size, 0);
    return text.size > 0;
}

static bool tell(const struct visiting *visiting, size_t at, int64_t time_ms,
                 const struct order *order)
{
    struct rule_judge *judge = visiting->judge;
    const struct rule *rule = visiting->rule;
    const struct measuring *measuring = &rule->root->measuring;
    struct rule_grouped grouped = { .time_ms = time_ms };
    if (measuring->has_of && !value_of(judge, measuring, at, &grouped.value))
        return true;
    grouped.has_value = measuring->has_of;
    if (order != NULL && measuring->has_of && !is_text_kind(measuring->of.kind))
        grouped.value = net_left(measuring, order, grouped.value);
    if (!rule->has_via)
        return visiting->found(visiting->context, &grouped);
    if (rule->via.kind == RULE_TEXT)
        return tell_code(visiting, &grouped, event_code(judge, &rule->via, at), at);
    history_column column = column_of(judge, &rule->via);
    const uint32_t *codes;
    size_t count = column != 0 ? history_codes(judge->view, at, column, &codes) : 0;
    for (size_t i = 0; i < count; i++)
        if (!is_repeated(codes, i) && !tell_code(visiting, &grouped, codes[i], at))
            return false;
    return true;
}

static bool tell_order(void *context, const struct order *order, size_t at, int64_t time_ms)
{
    return tell(context, at, time_ms, order);
}

/* Orders net of refunds: each by the object of its first paying event. */
static void visit_net(struct visiting *visiting)
{
    struct rule_judge *judge = visiting->judge;
    const struct node *node = visiting->rule->root;
    pass_run(judge);
    if (!judge->partial)
        net_each(judge, node, &judge->k->tallies[node->slot], tell_order, visiting);
}

static bool is_heard(const struct rule_judge *judge, size_t at)
{
    uint16_t type = history_packed_type(judge->view->events[at]);
    return (judge->k->bits[type / 64] >> (type % 64) & 1) != 0 &&
           history_time_ms(judge->view->events[at]) < judge->now_ms;
}

/* Of all her life: which event is the nth of these types; SIZE_MAX if she has not so many. */
static size_t nth_event(const struct rule_judge *judge, int32_t nth)
{
    size_t count = judge->view->count;
    int32_t left = nth > 0 ? nth : -nth;
    for (size_t i = 0; i < count; i++) {
        size_t at = nth > 0 ? i : count - 1 - i;
        if (is_heard(judge, at) && --left == 0)
            return at;
    }
    return SIZE_MAX;
}

void rule_grouped_visit(struct rule_judge *judge, const struct rule *rule, uint32_t customer,
                        const struct history_view *view, const struct rule_facts *facts,
                        int64_t now_ms,
                        bool (*found)(void *context, const struct rule_grouped *grouped),
                        void *context)
{
    struct visiting visiting = { judge, rule, found, context };
    judge_begin(judge, rule, customer, view, facts, now_ms);
    if (judge->k == NULL || !judge->k->typed)
        return;
    if (rule->root->measuring.net) {
        visit_net(&visiting);
        return;
    }
    size_t only = SIZE_MAX;
    if (rule->root->measuring.nth != 0) {
        note_partial(judge, lacks_events(view, INT64_MIN));
        only = nth_event(judge, rule->root->measuring.nth);
        if (judge->partial || only == SIZE_MAX)
            return;
    }
    const struct tally *start = &judge->k->starts[rule->root->slot];
    const uint64_t *bits = judge->k->bits;
    note_partial(judge, lacks_events(view, start->from_ms));
    if (judge->partial)
        return;
    for (size_t at = 0; at < view->count; at++) {
        uint16_t type = history_packed_type(view->events[at]);
        int64_t time_ms = history_time_ms(view->events[at]);
        if ((bits[type / 64] >> (type % 64) & 1) == 0 || time_ms < start->from_ms ||
            (only != SIZE_MAX && at != only))
            continue;
        if (time_ms >= start->to_ms)
            break;
        const struct node *where = rule->root->where;
        note_partial(judge, judge->k->has_full && !view->streamed);
        if (judge->partial)
            return;
        if ((where == NULL || where_holds(judge, where, at)) && !tell(&visiting, at, time_ms, NULL))
            break;
    }
}

str rule_grouped_measure(const struct rule *rule, int64_t *scale)
{
    const struct measuring *measuring = &rule->root->measuring;
    *scale = measuring->has_of && measuring->of.unit == MILLION ? MILLION : 1;
    return str_from_c(measure_word(measuring->measure));
}
