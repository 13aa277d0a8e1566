/* SPDX-License-Identifier: Apache-2.0 */
/* nobody: what every definition comes to of somebody of whom nothing is known, found once for all who come new.
 *
 * Of a new customer everything counts, what she has not done as well. But her first event and the facts that came with it move
 * few definitions; all others are as they are of nobody. So these are put as they are, and only what is marked is judged: what
 * the event counts for, what facts moved, what stands on her number or *turns* (hear.c), and what stands on a definition
 * that came to something else than of nobody. Order by order, so that each finds those that it stands on; nothing is put twice,
 * for whoever listens to moves. */
#include "audience/state.h"

struct nobody {
    int64_t *cells; /* by position */
    struct marks set;
    struct marks always; /* to be judged of everybody */
    int64_t until_ms;
    uint64_t object_changes;
};

void nobody_clear(struct audience *audience)
{
    if (audience->nobody != NULL)
        memory_free(audience->nobody->cells);
    memory_free(audience->nobody);
    audience->nobody = NULL;
}

/* ---- nobody's facts: none, but what definitions come to ---- */

static int64_t cell_at(const struct audience *audience, uint32_t number)
{
    const struct definition *definition = definition_at(audience, number);
    bool is_live = definition != NULL && definition->on == 0 && definition->recipe != NULL &&
                   !definition->deleted;
    return is_live ? audience->nobody->cells[definition->position] : NO_VALUE;
}

static bool no_value(void *context, uint32_t customer, uint32_t symbol, struct rule_value *value)
{
    (void)context, (void)customer, (void)symbol, (void)value;
    return false;
}

static bool no_bit(void *context, uint32_t customer, uint32_t symbol)
{
    (void)context, (void)customer, (void)symbol;
    return false;
}

static bool no_consent(void *context, uint32_t customer, uint32_t symbol, bool *granted)
{
    (void)context, (void)customer, (void)symbol;
    *granted = false;
    return false;
}

static bool tag_of_nobody(void *context, uint32_t customer, uint32_t symbol,
                          struct rule_value *value)
{
    const struct audience *audience = context;
    const struct definition *definition = definition_at(audience, symbol);
    int64_t cell = cell_at(audience, symbol);
    (void)customer;
    return cell != NO_VALUE && tag_value(definition->recipe->kind, definition->texts, cell, value);
}

static bool segment_of_nobody(void *context, uint32_t customer, uint32_t symbol)
{
    (void)customer;
    return cell_at(context, symbol) != NO_VALUE;
}

static struct rule_facts facts_of_nobody(struct audience *audience)
{
    return (struct rule_facts){ .context = audience,
                                .trait = no_value,
                                .tag = tag_of_nobody,
                                .segment = segment_of_nobody,
                                .identifier = no_bit,
                                .consent = no_consent,
                                .relation = no_value,
                                .reachable = no_bit,
                                .objects = audience->judging.facts.objects,
                                .entered_ms = INT64_MIN };
}

static void find_one(struct audience *audience, struct judging *judging, uint32_t position,
                     int64_t now_ms)
{
    const struct definition *definition = audience->order[position];
    const struct recipe *recipe = definition->recipe;
    struct nobody *nobody = audience->nobody;
    struct history_view view = { .complete = true, .history = audience->config.history };
    struct verdict verdict;
    if (recipe->form == FORM_GIVEN)
        return;
    if (recipe->form == FORM_RANDOM) {
        marks_set(&nobody->always, position);
        return;
    }
    recipe_judge(recipe, definition->texts, judging, 0, &view, now_ms + 1, &verdict);
    nobody->cells[position] = definition_cell(definition, recipe, verdict.value);
    if (nobody->cells[position] != NO_VALUE)
        marks_set(&nobody->set, position);
    if (verdict.until_ms < nobody->until_ms)
        nobody->until_ms = verdict.until_ms;
}

static bool is_found(const struct audience *audience, int64_t now_ms)
{
    const struct nobody *nobody = audience->nobody;
    return nobody != NULL && nobody->until_ms > now_ms + 1 &&
           nobody->object_changes == audience->objects.changes;
}

static err find(struct audience *audience, int64_t now_ms)
{
    if (is_found(audience, now_ms))
        return ERR_OK;
    nobody_clear(audience);
    struct nobody *nobody = memory_alloc(sizeof *nobody);
    audience->nobody = nobody;
    if (nobody == NULL)
        return ERR_NOMEM;
    nobody->cells = memory_alloc((audience->order_count + 1) * sizeof(*nobody->cells));
    if (nobody->cells == NULL)
        return ERR_NOMEM;
    struct judging judging = audience->judging;
    judging.facts = facts_of_nobody(audience);
    marks_clear(&nobody->set, marks_words(audience));
    marks_clear(&nobody->always, marks_words(audience));
    marks_join(&nobody->always, &audience->by_turn);
    nobody->until_ms = RULE_FOREVER;
    nobody->object_changes = audience->objects.changes;
    for (uint32_t i = 0; i < audience->order_count; i++)
        nobody->cells[i] = NO_VALUE;
    for (uint32_t i = 0; i < audience->order_count; i++)
        find_one(audience, &judging, i, now_ms);
    return rule_judge_status(judging.judge);
}

/* ---- somebody new ---- */

struct meeting {
    struct audience *audience;
    uint32_t customer;
    struct marks *marks;
    struct audience_moment moment;
    struct history_view view;
    int64_t until_ms;
    bool lacks; /* a property that memory does not hold */
};

static err meet_at(struct meeting *meeting, uint32_t position, bool is_marked)
{
    struct audience *audience = meeting->audience;
    struct definition *definition = audience->order[position];
    int64_t cell = audience->nobody->cells[position];
    struct verdict verdict;
    bool changed;
    if (is_marked) {
        audience->judging.first_rule = audience->first_rules[position];
        live_judge_one(audience, definition, definition->recipe, &audience->judging,
                       meeting->customer, &meeting->view, meeting->moment.now_ms, &verdict);
        meeting->lacks = lacked_events(audience, audience->judging.judge);
        if (verdict.until_ms < meeting->until_ms)
            meeting->until_ms = verdict.until_ms;
        cell = definition->recipe->form == FORM_GIVEN
                   ? verdict.value
                   : definition_cell(definition, definition->recipe, verdict.value);
        if (cell != audience->nobody->cells[position])
            marks_join(meeting->marks, audience->dependents[position]);
    }
    return meeting->lacks ? ERR_OK
                          : definition_put(audience, definition, meeting->customer, cell,
                                           meeting->moment, CAUSE_EVENT, &changed);
}

static err meet_all(struct meeting *meeting)
{
    const struct marks *set = &meeting->audience->nobody->set;
    struct marks *marks = meeting->marks;
    struct marks both; /* to begin with */
    struct near near = { .until = 0 };
    err error = ERR_OK;
    marks_clear(&both, marks_words(meeting->audience));
    marks_join(&both, set);
    marks_join(&both, marks);
    for (uint32_t word = 0; word < marks_words(meeting->audience); word++) {
        uint64_t done = 0, left;
        while (error == ERR_OK && !meeting->lacks &&
               (left = (marks->words[word] | set->words[word]) & ~done) != 0) {
            uint64_t bit = left & -left;
            uint32_t position = word * 64 + (uint32_t)__builtin_ctzll(bit);
            done |= bit;
            if (position >= near.until)
                near_marked(meeting->audience, &both, meeting->customer, position, &near);
            error = meet_at(meeting, position, (marks->words[word] & bit) != 0);
        }
    }
    return error;
}

/* Nothing of hers is older than this event. */
static bool is_new(struct audience *audience, uint32_t customer, const struct history_view *view)
{
    return view->count == 1 && view->complete && !audience->due_unknown &&
           !columns_are_filling(&audience->facts) &&
           identity_nodes(audience->config.identity, customer, &(uint32_t){ 0 }, 1) == 1;
}

err nobody_meet(struct audience *audience, uint32_t customer, struct marks *marks,
                struct audience_moment moment, int64_t until_ms, bool *is_met)
{
    struct meeting meeting = { .audience = audience,
                               .customer = customer,
                               .marks = marks,
                               .moment = moment,
                               .until_ms = until_ms };
    *is_met = false;
    if (find(audience, moment.now_ms) != ERR_OK) {
        nobody_clear(audience);
        return ERR_NOMEM;
    }
    marks_join(marks, &audience->nobody->always);
    if (audience->nobody->until_ms < meeting.until_ms)
        meeting.until_ms = audience->nobody->until_ms;
    history_read_begin(audience->reader);
    history_view_customer(audience->reader, customer, &meeting.view);
    bool can = is_new(audience, customer, &meeting.view);
    err error = ERR_OK;
    if (can) {
        struct rule_hearing hearing;
        hear_share(audience, &hearing, customer, &meeting.view, moment.now_ms);
        error = meet_all(&meeting);
        hear_share_end(audience, &meeting.until_ms);
    }
    history_read_end(audience->reader);
    if (error != ERR_OK || !can || meeting.lacks)
        return error;
    *is_met = true;
    scan_touch(audience, customer);
    metric_add(METRIC_AUDIENCE_JUDGED, 1);
    return hear_due(audience, customer, meeting.until_ms, true, moment.now_ms);
}
