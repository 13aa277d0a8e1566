/* SPDX-License-Identifier: Apache-2.0 */
/* The properties of one event, against a where. */
#include "rule/judge.h"

#include "base/digest.h"

/* ---- values ---- */

static int64_t time_at(const struct rule_judge *judge, size_t at)
{
    return history_time_ms(judge->view->events[at]);
}

static int64_t local_part(const struct rule_judge *judge, enum property_source source, size_t at)
{
    const struct zone *zone = &judge->rule->zone;
    int64_t time_ms = time_at(judge, at);
    if (source == FROM_HOUR) {
        int64_t local = zone_local(zone, time_ms) % DAY_MS;
        return (local < 0 ? local + DAY_MS : local) / HOUR_MS;
    }
    return ((zone_day(zone, time_ms) + 3) % 7 + 7) % 7 + 1; /* Monday is 1 */
}

bool event_number(struct rule_judge *judge, const struct property *property, size_t at,
                  int64_t *value)
{
    switch (property->source) {
    case FROM_TIME:
        *value = time_at(judge, at);
        return true;
    case FROM_HOUR:
    case FROM_WEEKDAY:
        *value = local_part(judge, property->source, at);
        return true;
    case FROM_COLUMN: {
        history_column column = column_of(judge, property);
        if (column == 0)
            return false;
        *value = history_number(judge->view, at, column);
        return *value != HISTORY_MISSING;
    }
    case FROM_CHANNEL:
    default:
        return false;
    }
}

uint32_t event_code(struct rule_judge *judge, const struct property *property, size_t at)
{
    if (property->source == FROM_CHANNEL)
        return history_packed_channel(judge->view->events[at]);
    history_column column = column_of(judge, property);
    return column == 0 ? 0 : history_code(judge->view, at, column);
}

str event_text(struct rule_judge *judge, const struct property *property, size_t at)
{
    uint32_t code = event_code(judge, property, at);
    if (code == 0)
        return STR_NONE;
    if (property->source == FROM_CHANNEL)
        return history_channel_name(judge->rule->history, (uint8_t)code);
    return history_view_text(judge->view, column_of(judge, property), code);
}

static size_t event_codes(struct rule_judge *judge, const struct property *property, size_t at,
                          const uint32_t **codes)
{
    history_column column = column_of(judge, property);
    return column == 0 ? 0 : history_codes(judge->view, at, column, codes);
}

/* ---- verdicts by code ---- */

static uint8_t *verdict_of(struct rule_judge *judge, struct verdicts *verdicts, uint32_t code)
{
    uint32_t page = code / VERDICT_PAGE;
    if (page >= verdicts->page_count) {
        uint32_t count = page + 16;
        uint8_t **pages = memory_resize(verdicts->pages, count * sizeof(*pages));
        if (pages == NULL)
            return NULL;
        for (uint32_t i = verdicts->page_count; i < count; i++)
            pages[i] = NULL;
        verdicts->pages = pages;
        verdicts->page_count = count;
    }
    if (verdicts->pages[page] == NULL) {
        verdicts->pages[page] = memory_alloc(VERDICT_PAGE);
        judge->pages++;
    }
    return verdicts->pages[page] == NULL ? NULL : &verdicts->pages[page][code % VERDICT_PAGE];
}

/* The code of the one text that eq compares with; looked up again while it has none and there are more. */
static uint32_t wanted_code(struct rule_judge *judge, const struct compare *compare,
                            history_column column, struct verdicts *verdicts)
{
    if (verdicts->code != 0)
        return verdicts->code;
    uint32_t count = history_code_count(judge->rule->history, column);
    if (!verdicts->looked_up || count != verdicts->code_count) {
        verdicts->code = history_code_find(judge->rule->history, column, compare->texts[0]);
        verdicts->code_count = count;
        verdicts->looked_up = true;
    }
    return verdicts->code;
}

/* Codes from here on are a reader's own: of a history that is streamed. */
#define CODE_OWN UINT32_C(0x80000000)

bool code_holds(struct rule_judge *judge, const struct compare *compare, history_column column,
                uint32_t code)
{
    struct verdicts *verdicts = &judge->k->verdicts[compare->verdict - 1];
    if (code >= CODE_OWN)
        return text_holds(compare, history_view_text(judge->view, column, code));
    if (compare->op == OP_EQ || compare->op == OP_NE)
        return code == wanted_code(judge, compare, column, verdicts);
    uint8_t *verdict = verdict_of(judge, verdicts, code);
    if (verdict != NULL && *verdict != 0)
        return *verdict == 2;
    bool holds = text_holds(compare, history_view_text(judge->view, column, code));
    if (verdict != NULL && !pattern_is_starved())
        *verdict = holds ? 2 : 1;
    return holds;
}

/* ---- one property ---- */

static bool code_test(struct rule_judge *judge, const struct node *node, size_t at)
{
    const struct compare *compare = &node->compare;
    uint32_t code = event_code(judge, &node->property, at);
    if (compare->op == OP_IS_SET || compare->op == OP_IS_NOT_SET)
        return (code != 0) == (compare->op == OP_IS_SET);
    if (code == 0)
        return false;
    if (node->property.source == FROM_CHANNEL)
        return text_holds(compare, event_text(judge, &node->property, at)) != compare->negate;
    return code_holds(judge, compare, column_of(judge, &node->property), code) != compare->negate;
}

static bool codes_test(struct rule_judge *judge, const struct node *node, size_t at)
{
    const struct compare *compare = &node->compare;
    const uint32_t *codes;
    size_t count = event_codes(judge, &node->property, at, &codes);
    if (compare->op == OP_IS_SET || compare->op == OP_IS_NOT_SET)
        return (count > 0) == (compare->op == OP_IS_SET);
    if (count == 0)
        return false;
    bool any = false;
    for (size_t i = 0; i < count && !any; i++)
        any = code_holds(judge, compare, column_of(judge, &node->property), codes[i]);
    return any != compare->negate;
}

/* Two properties of two events. */
static bool reference_test(struct rule_judge *judge, const struct node *node, size_t at)
{
    const struct compare *compare = &node->compare;
    const struct reference *reference = compare->reference;
    size_t other = judge->bindings[reference->step];
    if (compare->kind == RULE_TEXT) {
        str left = event_text(judge, &node->property, at);
        str right = event_text(judge, &reference->property, other);
        bool both = event_code(judge, &node->property, at) != 0 &&
                    event_code(judge, &reference->property, other) != 0;
        return both && str_equal(left, right) != compare->negate;
    }
    int64_t left, right;
    if (!event_number(judge, &node->property, at, &left) ||
        !event_number(judge, &reference->property, other, &right))
        return false;
    return wide_holds(compare->op, (wide)left * reference->scale_left,
                      (wide)right * reference->scale_right);
}

static bool prop_holds(struct rule_judge *judge, const struct node *node, size_t at)
{
    const struct compare *compare = &node->compare;
    if (compare->reference != NULL)
        return reference_test(judge, node, at);
    if (compare->kind == RULE_TEXT)
        return code_test(judge, node, at);
    if (compare->kind == RULE_TEXTS)
        return codes_test(judge, node, at);
    int64_t value;
    bool set = event_number(judge, &node->property, at, &value);
    if (compare->op == OP_IS_SET || compare->op == OP_IS_NOT_SET)
        return set == (compare->op == OP_IS_SET);
    if (!set)
        return false;
    if (compare->kind == RULE_TIME)
        return time_holds(judge, compare, value, &judge->flip_ms);
    return number_holds(compare, value);
}

/* ---- an object that the event names ---- */

static bool id_holds(struct rule_judge *judge, const struct node *node,
                     const struct object_set *set, history_column column, uint32_t code)
{
    struct verdicts *verdicts = &judge->k->verdicts[node->verdict - 1];
    if (verdicts->set_version != set->serial) {
        verdicts_clear(verdicts);
        verdicts->set_version = set->serial;
    }
    uint8_t *verdict = code < CODE_OWN ? verdict_of(judge, verdicts, code) : NULL;
    if (verdict != NULL && *verdict != 0)
        return *verdict == 2;
    bool holds = object_set_has(set, history_view_text(judge->view, column, code));
    if (verdict != NULL)
        *verdict = holds ? 2 : 1;
    return holds;
}

static bool object_holds(struct rule_judge *judge, const struct node *node, size_t at)
{
    const struct object_set *set = object_set(judge, node);
    if (set == NULL)
        return false;
    judge->flip_ms = earlier(judge->flip_ms, set->until_ms);
    if (node->property.source == FROM_CHANNEL)
        return object_set_has(set, event_text(judge, &node->property, at));
    history_column column = column_of(judge, &node->property);
    if (node->property.kind == RULE_TEXT) {
        uint32_t code = event_code(judge, &node->property, at);
        return code != 0 && id_holds(judge, node, set, column, code);
    }
    const uint32_t *codes;
    size_t count = event_codes(judge, &node->property, at, &codes);
    bool any = false;
    for (size_t i = 0; i < count && !any; i++)
        any = id_holds(judge, node, set, column, codes[i]);
    return any;
}

bool where_holds(struct rule_judge *judge, const struct node *where, size_t at)
{
    switch (where->kind) {
    case NODE_PROP:
        return prop_holds(judge, where, at);
    case NODE_OBJECT:
        return object_holds(judge, where, at);
    case NODE_NOT:
        return !where_holds(judge, where->children[0], at);
    case NODE_ALL:
    case NODE_ANY:
        for (uint32_t i = 0; i < where->child_count; i++)
            if (where_holds(judge, where->children[where->order[i]], at) !=
                (where->kind == NODE_ALL))
                return where->kind == NODE_ANY;
        return where->kind == NODE_ALL;
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
        INVARIANT(false);
    }
}
