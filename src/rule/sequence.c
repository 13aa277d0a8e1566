/* SPDX-License-Identifier: Apache-2.0 */
/* Sequences: one thing after another, with what must not come between.
 *
 * The pass has listed, for each step, the events that match it alone. From each event of the first step, newest first, the
 * later steps are looked for in order. Whether there is a way on from an event of a step depends on that event and, through
 * `within`, `same` and references, on the first: so a place that failed once is not tried again for the
 * same first event, or, where nothing refers to it, for any. After an absent step's event no later event can be the
 * next step. */
#include "rule/judge.h"

#include <string.h>

/* Beyond so many looks at one customer only the newest starts have been tried: nobody's million events may hold up the
 * others. docs/rules.md says so. */
#define LOOKS_MAX 20000000u

struct search {
    struct rule_judge *judge;
    const struct node *node;
    const uint32_t *begin; /* of each step's list in `places`; one more at the end */
    const uint32_t *places;
    uint32_t *failed; /* stamp per place */
    uint32_t stamp;
    size_t bound[16]; /* events matched so far, by step */
    int64_t deadline_ms;
    int64_t pending_ms; /* a trailing absence is decided then */
    uint64_t looks;
};

static uint32_t place_after(const struct search *search, uint32_t step, size_t at)
{
    uint32_t low = search->begin[step], high = search->begin[step + 1];
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (search->places[middle] <= at)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static int64_t time_of(const struct search *search, size_t at)
{
    return history_time_ms(search->judge->view->events[at]);
}

/* ---- what refers to other events ---- */

/* The texts of a property as codes; `single` is room for one. */
static size_t codes_of(struct rule_judge *judge, const struct property *property, size_t at,
                       const uint32_t **codes, uint32_t *single)
{
    if (property->kind == RULE_TEXTS) {
        history_column column = column_of(judge, property);
        return column != 0 ? history_codes(judge->view, at, column, codes) : 0;
    }
    *single = event_code(judge, property, at);
    *codes = single;
    return *single != 0;
}

static str text_of(struct rule_judge *judge, const struct property *property, uint32_t code)
{
    if (property->source == FROM_CHANNEL)
        return history_channel_name(judge->rule->history, (uint8_t)code);
    return history_view_text(judge->view, column_of(judge, property), code);
}

static bool same_texts(struct rule_judge *judge, const struct property *a, size_t at,
                       const struct property *b, size_t other)
{
    const uint32_t *codes, *others;
    uint32_t single, other_single;
    size_t count = codes_of(judge, a, at, &codes, &single);
    size_t other_count = codes_of(judge, b, other, &others, &other_single);
    for (size_t i = 0; i < count; i++) {
        str text = text_of(judge, a, codes[i]);
        for (size_t j = 0; j < other_count; j++)
            if (str_equal(text, text_of(judge, b, others[j])))
                return true;
    }
    return false;
}

static bool same_value(struct rule_judge *judge, const struct property *here, size_t at,
                       const struct property *first, size_t other)
{
    if (is_text_kind(here->kind)) {
        /* One column: codes are texts. */
        if (here->source == FROM_COLUMN && here->kind == RULE_TEXT && first->kind == RULE_TEXT &&
            first->source == FROM_COLUMN && here->column == first->column) {
            uint32_t code = event_code(judge, here, at);
            return code != 0 && code == event_code(judge, first, other);
        }
        return same_texts(judge, here, at, first, other);
    }
    int64_t left, right;
    return event_number(judge, here, at, &left) && event_number(judge, first, other, &right) &&
           (wide)left * here->unit == (wide)right * first->unit;
}

static bool fits(struct search *search, const struct step *step, size_t at)
{
    search->looks++;
    if (!step->correlated)
        return true;
    struct rule_judge *judge = search->judge;
    for (uint32_t i = 0; i < step->same_count; i++)
        if (!same_value(judge, &step->same[2 * i], at, &step->same[2 * i + 1], search->bound[0]))
            return false;
    judge->bindings = search->bound;
    return step->where == NULL || where_holds(judge, step->where, at);
}

/* ---- the way on ---- */

static uint32_t next_present(const struct node *node, uint32_t step)
{
    do
        step++;
    while (step < node->step_count && node->steps[step].absent);
    return step;
}

/* The first event after `at` of an absent step between `step` and `next`; SIZE_MAX if there is none. */
static size_t blocked_at(struct search *search, uint32_t step, uint32_t next, size_t at)
{
    size_t blocked = SIZE_MAX;
    for (uint32_t absent = step + 1; absent < next; absent++) {
        uint32_t end = search->begin[absent + 1];
        for (uint32_t place = place_after(search, absent, at); place < end; place++) {
            if (search->places[place] >= blocked)
                break;
            if (fits(search, &search->node->steps[absent], search->places[place]))
                blocked = search->places[place];
        }
    }
    return blocked;
}

/* Nothing of the absent steps at the end, in the time that is left. */
static bool ends_well(struct search *search, uint32_t step, size_t at)
{
    const struct node *node = search->node;
    if (step + 1 == node->step_count)
        return true;
    size_t blocked = blocked_at(search, step, node->step_count, at);
    if (blocked != SIZE_MAX && time_of(search, blocked) < search->deadline_ms)
        return false;
    if (!node->has_within || search->judge->now_ms >= search->deadline_ms)
        return true;
    search->pending_ms = earlier(search->pending_ms, search->deadline_ms);
    return false;
}

static bool goes_on(struct search *search, uint32_t step, uint32_t place)
{
    const struct node *node = search->node;
    size_t at = search->places[place];
    search->bound[step] = at;
    if (search->failed[place] == search->stamp)
        return false;
    uint32_t next = next_present(node, step);
    bool found = false;
    if (next == node->step_count) {
        found = ends_well(search, step, at);
    } else {
        size_t blocked = blocked_at(search, step, next, at);
        uint32_t end = search->begin[next + 1];
        for (uint32_t i = place_after(search, next, at); i < end && !found; i++) {
            size_t candidate = search->places[i];
            if (candidate > blocked || time_of(search, candidate) >= search->deadline_ms ||
                search->looks > LOOKS_MAX)
                break;
            search->bound[step] = at;
            found = fits(search, &node->steps[next], candidate) && goes_on(search, next, i);
        }
    }
    if (!found)
        search->failed[place] = search->stamp;
    return found;
}

/* ---- lists, and the whole ---- */

static bool list_steps(struct search *search, uint32_t *begin)
{
    struct rule_judge *judge = search->judge;
    const struct node *node = search->node;
    uint32_t count = 0;
    memset(begin, 0, (node->step_count + 2) * sizeof(*begin));
    for (size_t i = 0; i < judge->item_count; i++)
        if (judge->items[i].slot == node->slot)
            begin[judge->items[i].role + 1]++;
    for (uint32_t i = 0; i < node->step_count; i++) {
        count += begin[i + 1];
        begin[i + 1] = count;
    }
    size_t room = (size_t)count + 1;
    if (!judge_room(judge, &judge->steps, &judge->step_capacity, room, sizeof(*judge->steps)) ||
        !judge_room(judge, &judge->failed, &judge->failed_capacity, room, sizeof(*judge->failed)))
        return false;
    memset(judge->failed, 0, count * sizeof(*judge->failed));
    uint32_t filled[16] = { 0 };
    for (size_t i = 0; i < judge->item_count; i++) {
        const struct item *item = &judge->items[i];
        if (item->slot == node->slot)
            judge->steps[begin[item->role] + filled[item->role]++] = (uint32_t)item->at;
    }
    search->begin = begin;
    search->places = judge->steps;
    search->failed = judge->failed;
    return true;
}

static bool refers_to_step(const struct node *where, uint32_t step)
{
    if (where == NULL)
        return false;
    if (where->kind == NODE_PROP)
        return where->compare.reference != NULL && where->compare.reference->step == step;
    for (uint32_t i = 0; i < where->child_count; i++)
        if (refers_to_step(where->children[i], step))
            return true;
    return false;
}

static bool depends_on_first(const struct node *node)
{
    if (node->has_within)
        return true;
    for (uint32_t i = 1; i < node->step_count; i++)
        if (node->steps[i].same_count > 0 || refers_to_step(node->steps[i].where, 0))
            return true;
    return false;
}

static void note_match(struct search *search)
{
    struct rule_judge *judge = search->judge;
    const struct node *node = search->node;
    for (uint32_t i = 0; judge->explains && i < node->step_count; i++) {
        if (node->steps[i].absent || !judge_room(judge, &judge->counted, &judge->counted_capacity,
                                                 judge->counted_count + 1, sizeof(*judge->counted)))
            continue;
        judge->counted[judge->counted_count++] =
            (struct item){ .slot = node->condition, .at = search->bound[i] };
    }
}

struct rule_answer sequence_answer(struct rule_judge *judge, const struct node *node,
                                   const struct tally *tally)
{
    struct search search = { .judge = judge, .node = node, .pending_ms = RULE_FOREVER };
    struct rule_answer answer = { .until_ms = tally->enter_ms };
    uint32_t begin[16];
    judge->flip_ms = RULE_FOREVER;
    if (tally->closed || !list_steps(&search, begin))
        return answer;
    bool anew = depends_on_first(node);
    int64_t within_ms = node->within.days * DAY_MS + node->within.ms;
    search.stamp = 1;
    for (uint32_t place = begin[1]; place-- > 0 && !answer.holds;) {
        size_t at = search.places[place];
        search.bound[0] = at;
        search.deadline_ms = node->has_within ? time_of(&search, at) + within_ms : RULE_FOREVER;
        search.stamp += anew;
        if (search.looks > LOOKS_MAX)
            break;
        answer.holds = goes_on(&search, 0, place);
    }
    answer.until_ms = earlier(answer.until_ms, earlier(tally->flip_ms, judge->flip_ms));
    if (answer.holds) {
        note_match(&search);
        answer.until_ms =
            earlier(answer.until_ms, window_leaves(judge, &node->measuring.window,
                                                   time_of(&search, search.bound[0])));
    } else {
        answer.until_ms = earlier(answer.until_ms, search.pending_ms);
    }
    judge->bindings = NULL;
    return answer;
}
