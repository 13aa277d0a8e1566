/* SPDX-License-Identifier: Apache-2.0 */
/* live: what a change can move (interest.c, hear.c) is judged again, upward in the order, and moved. What time alone moves is in
 * live_time.c. */
#include <string.h>

#include "audience/state.h"

/* ---- judging ---- */

void live_judge_one(const struct audience *audience, const struct definition *definition,
                    const struct recipe *recipe, struct judging *judging, uint32_t customer,
                    const struct history_view *view, int64_t now_ms, struct verdict *verdict)
{
    if (recipe->form == FORM_GIVEN) {
        *verdict = (struct verdict){ .value = given_value(audience, definition, customer),
                                     .until_ms = RULE_FOREVER };
        return;
    }
    recipe_judge(recipe, definition->texts, judging, customer, view, now_ms + 1, verdict);
}

/* ---- what is not in memory ---- */

static bool keep_view(void *context, uint32_t customer, const struct history_view *view)
{
    (void)customer;
    *(struct history_view *)context = *view;
    return true;
}

err live_read_back(struct audience *audience, uint32_t customer, bool restore,
                   struct history_view *view)
{
    struct problem problem = { .error = ERR_OK };
    struct stream_form form;
    struct streaming streaming = { .form = &form,
                                   .until_seq = AUDIENCE_PAST_NOW,
                                   .reader = audience->reader,
                                   .restore = restore,
                                   .visit = keep_view,
                                   .context = view };
    stream_form_init(&form);
    err error = stream_form_all(&form, audience->config.history);
    if (error == ERR_OK)
        error = stream_customers(audience, &streaming, &customer, 1, &problem);
    stream_form_deinit(&form);
    return error;
}

struct live_streaming {
    struct audience *audience;
    err (*judge)(void *context, uint32_t customer);
    void *context;
    err error;
};

static bool judge_read_back(void *context, uint32_t customer, const struct history_view *view)
{
    struct live_streaming *streaming = context;
    struct audience *audience = streaming->audience;
    audience->given = view;
    audience->given_customer = customer;
    streaming->error = streaming->judge(streaming->context, customer);
    audience->given = NULL;
    return streaming->error == ERR_OK;
}

err live_stream(struct audience *audience, struct stream_list *waiting,
                err (*judge)(void *context, uint32_t customer), void *context)
{
    struct problem problem = { .error = ERR_OK };
    struct stream_form form;
    struct live_streaming live = { audience, judge, context, ERR_OK };
    struct streaming streaming = { .form = &form,
                                   .until_seq = AUDIENCE_PAST_NOW,
                                   .reader = audience->reader,
                                   .visit = judge_read_back,
                                   .context = &live };
    if (waiting->count == 0)
        return ERR_OK;
    stream_form_init(&form);
    err error = stream_form_all(&form, audience->config.history);
    if (error == ERR_OK)
        error =
            stream_customers(audience, &streaming, waiting->customers, waiting->count, &problem);
    stream_form_deinit(&form);
    waiting->count = 0;
    return error == ERR_OK ? live.error : error;
}

/* What is seen of the customer that is judged. */
struct seen {
    uint32_t customer;
    struct history_view view;
    struct rule_hearing hearing;
    bool in_memory; /* between history_read_begin and _end */
    bool left;      /* to audience->waiting */
    bool changed;   /* something of hers */
};

static void see(struct audience *audience, struct seen *seen)
{
    if (audience->given != NULL && audience->given_customer == seen->customer) {
        seen->view = *audience->given;
        return;
    }
    seen->in_memory = true;
    history_read_begin(audience->reader);
    history_view_customer(audience->reader, seen->customer, &seen->view);
}

static void see_no_more(struct audience *audience, struct seen *seen)
{
    if (seen->in_memory)
        history_read_end(audience->reader);
    seen->in_memory = false;
}

/* Some answer needs what the view lacks. */
static err see_all(struct audience *audience, struct seen *seen)
{
    seen->left = audience->waiting != NULL;
    if (seen->left)
        return stream_list_add(audience->waiting, seen->customer) ? ERR_OK : ERR_NOMEM;
    see_no_more(audience, seen);
    return live_read_back(audience, seen->customer, !seen->view.complete, &seen->view);
}

/* One definition for her, and on to those that depend on it when it changes. */
static err judge_at(struct audience *audience, uint32_t position, struct seen *seen,
                    struct audience_moment moment, enum cause cause, struct marks *marks,
                    int64_t *until_ms)
{
    struct definition *definition = audience->order[position];
    uint32_t customer = seen->customer;
    struct verdict verdict;
    bool changed;
    audience->judging.first_rule = audience->first_rules[position];
    live_judge_one(audience, definition, definition->recipe, &audience->judging, customer,
                   &seen->view, moment.now_ms, &verdict);
    if (lacked_events(audience, audience->judging.judge)) {
        err lacking = see_all(audience, seen);
        if (lacking != ERR_OK || seen->left)
            return lacking;
        hear_share_end(audience, until_ms); /* what was shared lacked them as well */
        hear_share(audience, &seen->hearing, customer, &seen->view, moment.now_ms);
        live_judge_one(audience, definition, definition->recipe, &audience->judging, customer,
                       &seen->view, moment.now_ms, &verdict);
    }
    if (verdict.until_ms < *until_ms)
        *until_ms = verdict.until_ms;
    int64_t cell = definition->recipe->form == FORM_GIVEN
                       ? verdict.value
                       : definition_cell(definition, definition->recipe, verdict.value);
    err error = definition_put(audience, definition, customer, cell, moment, cause, &changed);
    if (error == ERR_OK && changed) {
        seen->changed = true;
        marks_join(marks, audience->dependents[position]);
    }
    return error;
}

static err judged(struct audience *audience, uint32_t customer, int64_t until_ms, bool whole,
                  int64_t now_ms)
{
    if (whole && audience->due_unknown)
        roaring_bitmap_add(audience->due_known, customer);
    return hear_due(audience, customer, until_ms, whole, now_ms);
}

static bool put_off(struct audience *audience, uint32_t customer, const struct history_view *view,
                    struct audience_moment moment)
{
    int64_t second = moment.now_ms / 1000;
    if (view->count <= AUDIENCE_HUGE_EVENTS)
        return false;
    if (audience->huge_second != second) {
        audience->huge_second = second;
        roaring_bitmap_clear(audience->huge_judged);
    }
    if (!roaring_bitmap_contains(audience->huge_judged, customer)) {
        roaring_bitmap_add(audience->huge_judged, customer);
        return false;
    }
    roaring_bitmap_add(audience->huge, customer);
    return true;
}

err live_judge(struct audience *audience, uint32_t customer, struct marks *marks, bool whole,
               struct audience_moment moment, enum cause cause)
{
    return live_judge_until(audience, customer, marks, whole, moment, cause, RULE_FOREVER);
}

/* What is marked, upward, and what that marks; *is_part: the slice is over before the last of them. */
static err judge_marked(struct audience *audience, struct seen *seen, struct marks *marks,
                        bool whole, struct audience_moment moment, enum cause cause,
                        int64_t *until_ms, bool *is_part)
{
    struct near near = { .until = 0 };
    err error = ERR_OK;
    for (uint32_t word = marks->first; word < marks->last; word++) {
        uint64_t done = 0;
        /* Words from first to last are always written: marks_add and marks_join widen both together.
         * NOLINTNEXTLINE(clang-analyzer-core.UndefinedBinaryOperatorResult) */
        while ((marks->words[word] & ~done) != 0) {
            uint32_t bit = (uint32_t)__builtin_ctzll(marks->words[word] & ~done);
            done |= UINT64_C(1) << bit;
            if (word * 64 + bit >= near.until)
                near_marked(audience, marks, seen->customer, word * 64 + bit, &near);
            error = judge_at(audience, word * 64 + bit, seen, moment, cause, marks, until_ms);
            if (error != ERR_OK || seen->left)
                return error;
            *is_part = whole && part_leave(audience, seen->customer, marks, word, done, cause,
                                           moment, *until_ms);
            if (*is_part)
                return ERR_OK;
        }
    }
    return error;
}

/* *is_through: to the last of what is marked. */
static err judge_seen(struct audience *audience, struct seen *seen, struct marks *marks, bool whole,
                      struct audience_moment moment, enum cause cause, int64_t *until_ms,
                      bool *is_through)
{
    bool is_part = false;
    see(audience, seen);
    if (put_off(audience, seen->customer, &seen->view, moment)) {
        see_no_more(audience, seen);
        return ERR_OK;
    }
    hear_share(audience, &seen->hearing, seen->customer, &seen->view, moment.now_ms);
    err error = judge_marked(audience, seen, marks, whole, moment, cause, until_ms, &is_part);
    hear_share_end(audience, until_ms);
    see_no_more(audience, seen);
    *is_through = error == ERR_OK && !is_part && !seen->left;
    if (seen->changed && !*is_through)
        roaring_bitmap_add(audience->unsure, seen->customer); /* the marks may be lost */
    metric_add(METRIC_AUDIENCE_JUDGED, is_part ? 0 : 1);
    return error;
}

/* Her columns are not filled yet: all of them are read. */
static err read_lacking(struct audience *audience, uint32_t customer, bool *identifiers)
{
    *identifiers = cell_get(audience->facts.columns[0], customer) == NO_VALUE;
    err error = columns_read(audience, customer, NULL);
    return error == ERR_OK && *identifiers ? columns_read_identifiers(audience, customer, NULL)
                                           : error;
}

err live_judge_until(struct audience *audience, uint32_t customer, struct marks *marks, bool whole,
                     struct audience_moment moment, enum cause cause, int64_t until_ms)
{
    struct seen seen = { .customer = customer };
    bool is_through = false, identifiers = false, changed;
    err error = ERR_OK;
    scan_touch(audience, customer);
    part_superseded(audience, customer);
    if (marks->first >= marks->last)
        return whole || until_ms != RULE_FOREVER
                   ? judged(audience, customer, until_ms, whole, moment.now_ms)
                   : ERR_OK;
    if (columns_lack(&audience->facts, customer))
        error = read_lacking(audience, customer, &identifiers);
    if (error == ERR_OK)
        error = judge_seen(audience, &seen, marks, whole, moment, cause, &until_ms, &is_through);
    if (error == ERR_OK && identifiers) /* by its lack it is known that she may be new */
        error = cell_put(audience->facts.columns[0], customer, NO_VALUE, &changed);
    return error == ERR_OK && is_through
               ? judged(audience, customer, until_ms, whole, moment.now_ms)
               : error;
}

err live_judge_all(struct audience *audience, uint32_t customer, struct audience_moment moment,
                   enum cause cause)
{
    struct marks marks;
    part_drop(audience, customer);
    marks_clear(&marks, marks_words(audience));
    marks_join(&marks, &audience->all);
    return live_judge(audience, customer, &marks, true, moment, cause);
}

err live_judge_time(struct audience *audience, uint32_t customer, bool objects,
                    struct audience_moment moment)
{
    struct marks marks;
    int64_t until_ms = RULE_FOREVER;
    /* a scan that began before she was absorbed may have found her a due time */
    if (identity_root(audience->config.identity, customer) != customer)
        return wheel_put(&audience->wheel, customer, RULE_FOREVER, moment.now_ms);
    marks_clear(&marks, marks_words(audience));
    if (!objects && hear_time(audience, customer, moment.now_ms, &marks, &until_ms))
        return live_judge_until(audience, customer, &marks, true, moment, CAUSE_TIME, until_ms);
    marks_join(&marks, &audience->by_time);
    if (objects)
        marks_join(&marks, &audience->by_objects);
    if (roaring_bitmap_contains(audience->unsure, customer))
        marks_join(&marks, &audience->by_others);
    return live_judge(audience, customer, &marks, true, moment, objects ? CAUSE_FACT : CAUSE_TIME);
}

/* Of a sweep: everything about her, or what objects and time move. */
static err judge_swept(struct audience *audience, uint32_t customer, bool facts,
                       struct audience_moment moment)
{
    if (!facts)
        return live_judge_time(audience, customer, true, moment);
    if (identity_root(audience->config.identity, customer) == customer)
        return audience_customer_changed(audience, customer, moment);
    return live_clear(audience, customer, moment, CAUSE_MERGE);
}

err live_judge_pending(struct audience *audience, uint32_t customer)
{
    if (part_is_left(audience, customer) && !audience->part.is_rejudged)
        return part_go_on(audience);
    if (audience->pending_objects)
        return judge_swept(audience, customer, audience->pending_facts, audience->pending_moment);
    return live_judge_time(audience, customer, false, audience->pending_moment);
}

/* Touched while something was computed that is installed by now: all of it anew; or, absorbed, none of it. */
err live_rejudge(struct audience *audience, uint32_t customer, struct audience_moment moment)
{
    for (uint32_t i = 0; audience->taking_count > 0 && i < audience->order_count; i++)
        if (audience->order[i]->taking != NULL) { /* since when she is in it may be asked */
            err error = taking_note(audience, audience->order[i], customer);
            if (error != ERR_OK)
                return error;
        }
    roaring_bitmap_remove(audience->rejudge, customer);
    recall_drop(audience, customer);
    if (identity_root(audience->config.identity, customer) != customer)
        return live_clear(audience, customer, moment, CAUSE_MERGE);
    if (audience->slice_us > 0 && part_is_left(audience, customer) && audience->part.is_rejudged)
        return part_go_on(audience);
    err error = live_judge_all(audience, customer, moment, CAUSE_DEFINITION);
    if (part_is_left(audience, customer))
        audience->part.is_rejudged = true;
    return error;
}

/* What an earlier tick found due is judged as it stood then; what has become due since, as of now. */
err live_settle(struct audience *audience, uint32_t customer, struct audience_moment moment)
{
    err error = ERR_OK;
    bool recalled = recall_is_rejudged(audience, customer);
    if (roaring_bitmap_contains(audience->pending, customer) ||
        recall_is_pending(audience, customer)) {
        roaring_bitmap_remove(audience->pending, customer);
        error = live_judge_pending(audience, customer);
    }
    if (error == ERR_OK && (recalled || roaring_bitmap_contains(audience->rejudge, customer)))
        error = live_rejudge(audience, customer, moment);
    recall_drop(audience, customer);
    if (error == ERR_OK && sweep_has(audience, customer))
        error = judge_swept(audience, customer, audience->sweep.facts, moment);
    uint32_t due = wheel_due(&audience->wheel, customer);
    bool unknown = audience->due_unknown && !roaring_bitmap_contains(audience->due_known, customer);
    if (error == ERR_OK && (unknown || (due != 0 && due <= wheel_minute(moment.now_ms))))
        error = live_judge_time(audience, customer, false, moment);
    return error;
}

err live_clear(struct audience *audience, uint32_t customer, struct audience_moment moment,
               enum cause cause)
{
    err error = columns_clear(audience, customer);
    for (uint32_t i = 0; error == ERR_OK && i < audience->order_count; i++) {
        bool changed;
        error = definition_put(audience, audience->order[i], customer, NO_VALUE, moment, cause,
                               &changed);
    }
    part_drop(audience, customer);
    roaring_bitmap_remove(audience->pending, customer);
    roaring_bitmap_remove(audience->huge, customer);
    roaring_bitmap_remove(audience->rejudge, customer);
    recall_drop(audience, customer);
    scan_touch(audience, customer);
    return error == ERR_OK ? wheel_put(&audience->wheel, customer, RULE_FOREVER, moment.now_ms)
                           : error;
}

/* ---- from apply ---- */

err live_judge_put_off(struct audience *audience, struct audience_moment moment)
{
    err error = ERR_OK;
    roaring_bitmap_clear(audience->huge_judged);
    roaring_bitmap_t *waiting = audience->huge;
    audience->huge = roaring_bitmap_create();
    if (audience->huge == NULL) {
        audience->huge = waiting;
        return ERR_NOMEM;
    }
    roaring_uint32_iterator_t iterator;
    roaring_init_iterator(waiting, &iterator);
    for (; error == ERR_OK && iterator.has_value; roaring_advance_uint32_iterator(&iterator))
        error = live_judge_all(audience, iterator.current_value, moment, CAUSE_EVENT);
    roaring_bitmap_free(waiting);
    return error;
}

err audience_begin(struct audience *audience, struct audience_moment moment)
{
    audience->now_ms = moment.now_ms;
    if (roaring_bitmap_is_empty(audience->huge) || audience->huge_second >= moment.now_ms / 1000)
        return ERR_OK;
    return live_judge_put_off(audience, moment);
}

err audience_before(struct audience *audience, uint32_t customer, struct audience_moment moment)
{
    return customer != 0 ? live_settle(audience, customer, moment) : ERR_OK;
}

static bool tells_facts(const struct event *event)
{
    return event->trait_count > 0 || event->kind != EVENT_TRACK ||
           str_starts_with(event->type, STR("Consent "));
}

static void join_columns(const struct audience *audience, const uint64_t *changed,
                         struct marks *marks)
{
    for (uint32_t word = 0; word < (COLUMNS_MAX + 63) / 64; word++)
        for (uint64_t bits = changed[word]; bits != 0; bits &= bits - 1)
            marks_join(marks, audience->by_column[word * 64 + (uint32_t)__builtin_ctzll(bits)]);
}

/* Of most events her identifiers are as they were: then they are not looked at. */
static err read_facts(struct audience *audience, uint32_t customer, bool identifiers, bool profile,
                      struct marks *marks)
{
    uint64_t changed[(COLUMNS_MAX + 63) / 64] = { 0 };
    err error = ERR_OK;
    if (!identifiers && !profile)
        return ERR_OK;
    if (identifiers)
        error = columns_read_identifiers(audience, customer, changed);
    if (error == ERR_OK && profile)
        error = columns_read(audience, customer, changed);
    join_columns(audience, changed, marks);
    return error;
}

void audience_prefetch(const struct audience *audience, uint32_t customer)
{
    cell_prefetch(audience->facts.columns[0], customer);
}

err audience_event(struct audience *audience, uint32_t customer, const struct event *event,
                   struct audience_moment moment)
{
    struct marks marks;
    if (customer == 0)
        return ERR_OK;
    object_counts_heard(audience, event->type);
    marks_clear(&marks, marks_words(audience));
    /* Of whom nothing was known, everything is judged: what she has not done counts as well. */
    bool is_new = cell_get(audience->facts.columns[0], customer) == NO_VALUE;
    bool is_stirred = identity_take_stirred(audience->config.identity, customer);
    err error = read_facts(audience, customer, is_new || is_stirred, tells_facts(event), &marks);
    int64_t until_ms = RULE_FOREVER;
    if (error == ERR_OK && !hear_event(audience, customer, event, moment.now_ms, &marks, &until_ms))
        marks_join(&marks, marks_of_type(audience, event->type));
    bool is_met = false;
    if (error == ERR_OK && is_new)
        error = nobody_meet(audience, customer, &marks, moment, until_ms, &is_met);
    if (error != ERR_OK || is_met)
        return error;
    if (is_new)
        return live_judge_all(audience, customer, moment, CAUSE_EVENT);
    return live_judge_until(audience, customer, &marks, false, moment, CAUSE_EVENT, until_ms);
}

err audience_merged(struct audience *audience, uint32_t survivor, const uint32_t *absorbed,
                    size_t count, struct audience_moment moment)
{
    struct marks marks;
    err error = ERR_OK;
    for (size_t i = 0; error == ERR_OK && i < count; i++)
        if (absorbed[i] != survivor)
            error = live_clear(audience, absorbed[i], moment, CAUSE_MERGE);
    marks_clear(&marks, marks_words(audience));
    if (error == ERR_OK)
        error = read_facts(audience, survivor, true, true, &marks);
    return error == ERR_OK ? live_judge_all(audience, survivor, moment, CAUSE_MERGE) : error;
}

/* Nodes of hers that are no roots have nothing of their own. */
static err clear_absorbed(struct audience *audience, uint32_t customer,
                          struct audience_moment moment)
{
    uint32_t nodes[1024];
    size_t count = identity_nodes(audience->config.identity, customer, nodes, 1024);
    err error = ERR_OK;
    for (size_t i = 0; error == ERR_OK && i < count && i < 1024; i++)
        if (nodes[i] != customer)
            error = live_clear(audience, nodes[i], moment, CAUSE_MERGE);
    return error;
}

err audience_customer_changed(struct audience *audience, uint32_t customer,
                              struct audience_moment moment)
{
    struct marks marks;
    if (customer == 0)
        return ERR_OK;
    roaring_bitmap_remove(audience->pending, customer);
    recall_drop(audience, customer);
    if (identity_root(audience->config.identity, customer) == 0) /* gone with an undone import */
        return live_clear(audience, customer, moment, CAUSE_MERGE);
    marks_clear(&marks, marks_words(audience));
    err error = clear_absorbed(audience, customer, moment);
    if (error == ERR_OK)
        error = read_facts(audience, customer, true, true, &marks);
    return error == ERR_OK ? live_judge_all(audience, customer, moment, CAUSE_FACT) : error;
}

/* ---- journeys ---- */

bool audience_names_journeys(const struct audience *audience)
{
    return audience->facts.has_journeys;
}

err audience_journeys_changed(struct audience *audience, uint32_t customer,
                              struct audience_moment moment)
{
    uint64_t changed[(COLUMNS_MAX + 63) / 64] = { 0 };
    struct marks marks;
    if (customer == 0 || identity_root(audience->config.identity, customer) != customer)
        return ERR_OK;
    roaring_bitmap_add(audience->unsure, customer);
    marks_clear(&marks, marks_words(audience));
    err error = columns_read_journeys(audience, customer, changed);
    join_columns(audience, changed, &marks);
    return error == ERR_OK ? live_judge(audience, customer, &marks, false, moment, CAUSE_FACT)
                           : error;
}

static bool needs_column(const struct recipe *recipe, uint32_t column)
{
    for (uint32_t i = 0; recipe != NULL && i < recipe->needs.column_count; i++)
        if (recipe->needs.columns[i] == column)
            return true;
    return false;
}

str audience_using_journey(const struct audience *audience, str journey,
                           bool (*passes)(void *context, str key), void *context)
{
    const struct facts_table *facts = &audience->facts;
    for (uint32_t column = 1; column < facts->column_count; column++) {
        if (facts->columns[column]->source != COLUMN_JOURNEY ||
            !str_equal(facts->columns[column]->name, journey))
            continue;
        for (uint32_t i = 1; i < audience->definition_count; i++) {
            const struct definition *definition = audience->definitions[i];
            if (definition != NULL && !definition->deleted &&
                (needs_column(definition->recipe, column) ||
                 needs_column(definition->next, column)) &&
                !passes(context, definition->key))
                return definition->key;
        }
    }
    return STR_NONE;
}

err audience_all_changed(struct audience *audience, struct audience_moment moment)
{
    (void)moment;
    object_counts_stale(audience);
    if (audience->order_count == 0 && audience->facts.column_count == 1)
        return ERR_OK; /* nobody has asked for anything yet */
    sweep_begin(audience, true);
    return ERR_OK;
}
