/* SPDX-License-Identifier: Apache-2.0 */
/* whatif_given: the event that a trial is begun with has just happened, for all who look at her: rules, segments, other journeys. It is
 * made as a door makes it (collect/draft.h), and stands in her history of the overlay alone. */
#include "collect/draft.h"
#include "engine/whatif/whatif_inside.h"
#include "history/extract.h"

struct given {
    struct event event;
    struct history_row row;
    struct extractor *extractor;
};

/* What stands in columns of their own; numbers by their decimals. */
static err promote(struct whatif_run *run, struct event *event, json_value props)
{
    str texts[PROMOTED_COUNT] = { STR_NONE }, name;
    uint32_t set = 0;
    struct json_iterator iterator = json_iterate(props);
    json_value value;
    while (json_next(&iterator, &name, &value)) {
        uint8_t column = draft_promoted_column(name);
        enum json_kind kind = json_kind(value);
        if (column == 0 || (kind != JSON_TEXT && kind != JSON_INT && kind != JSON_DOUBLE))
            continue;
        buffer_clear(&run->text);
        if (kind == JSON_TEXT)
            buffer_append_str(&run->text, json_text(value));
        else
            json_write_value(&run->text, value);
        err error = arena_dup(&run->texts, buffer_str(&run->text), &texts[column - 1]);
        if (error != ERR_OK)
            return error;
        set |= UINT32_C(1) << (column - 1);
    }
    draft_promote_texts(event, texts, set);
    return ERR_OK;
}

static err make_event(struct whatif_run *run, struct event *event, str type, json_value props,
                      uint64_t seq)
{
    *event = (struct event){
        .seq = seq, .received_ms = run->now_ms, .kind = EVENT_TRACK, .time_ms = run->now_ms
    };
    err error = arena_dup(&run->texts, type, &event->type);
    if (error == ERR_OK)
        error = promote(run, event, props);
    buffer_clear(&run->text);
    json_write_value(&run->text, props);
    if (error == ERR_OK)
        error = buffer_status(&run->text);
    return error == ERR_OK ? arena_dup(&run->texts, buffer_str(&run->text), &event->props) : error;
}

/* As history would remember it: all that some rule or board names. */
static err make_row(struct whatif_run *run, struct given *given)
{
    err error = extractor_new(&given->extractor);
    history_column count = history_column_count(run->history);
    for (history_column column = 1; error == ERR_OK && column <= count; column++) {
        enum column_kind kind;
        str path = history_column_path(run->history, column, &kind);
        error = extractor_add(given->extractor, path, kind, column);
    }
    given->row = (struct history_row){ .seq = given->event.seq,
                                       .time_ms = given->event.time_ms,
                                       .type = given->event.type };
    return error == ERR_OK ? extractor_run(given->extractor, &given->event, &given->row.values,
                                           &given->row.value_count)
                           : error;
}

err given_make(struct whatif_run *run, str type, json_value props, uint64_t seq)
{
    run->given = arena_array(&run->texts, struct given, 1);
    if (run->given == NULL)
        return ERR_NOMEM;
    err error = make_event(run, &run->given->event, type, props, seq);
    return error == ERR_OK ? make_row(run, run->given) : error;
}

void given_free(struct whatif_run *run)
{
    if (run->given != NULL)
        extractor_free(&run->given->extractor);
    run->given = NULL;
}

err given_show(struct whatif_run *run, struct history_view *view)
{
    return run->given != NULL ? history_view_with(run->reader, &run->given->row, view) : ERR_OK;
}

/* In the order of take_effect (whatif_run.c). */
err given_happens(struct whatif_run *run, uint32_t customer, uint32_t node)
{
    const struct event *event = &run->given->event;
    struct journey_moment moment = { .seq = run->seq, .now_ms = run->now_ms };
    err error = watch_event(run, customer, event->type);
    if (error == ERR_OK)
        error = touch_event(run->touches, node, event,
                            (struct touch_moment){ .seq = run->seq, .now_ms = run->now_ms }, NULL);
    return error == ERR_OK
               ? journey_event(run->journeys, customer, node, event, JOURNEY_BEGINS, moment, NULL)
               : error;
}
