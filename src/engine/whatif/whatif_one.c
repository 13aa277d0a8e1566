/* SPDX-License-Identifier: Apache-2.0 */
/* whatif_one: one run: its memory, its order, its result. */
#include <stdio.h>
#include <stdlib.h>

#include "base/logline.h"
#include "engine/whatif/whatif_inside.h"

#define TEXTS_BYTES_MAX ((size_t)1 << 30)

/* Of the workspace, as the ledger has it: a JSON text. */
static bool take_zone(void *context, const struct ledger_value *values)
{
    struct buffer *zone = context;
    str text = values[1].bytes;
    if (str_equal(values[0].bytes, STR("workspace.zone")) && text.size > 2)
        buffer_append_str(zone, str_slice(text, 1, text.size - 1));
    return true;
}

err whatif_run_new(struct whatif_run *run)
{
    struct buffer zone;
    buffer_init(&zone, 256);
    err error =
        ledger_scan(run->engine->ledger, LEDGER_SETTINGS, NULL, take_zone, &zone, run->problem);
    if (error == ERR_OK)
        error = zone_load(&run->zone, zone.size > 0 ? buffer_str(&zone) : STR("Asia/Shanghai"),
                          run->problem);
    buffer_deinit(&zone);
    arena_init(&run->texts, "whatif_texts", TEXTS_BYTES_MAX);
    arena_init(&run->told_texts, "whatif_told", TEXTS_BYTES_MAX);
    buffer_init(&run->text, (size_t)16 << 20);
    run->history = run->engine->history;
    run->claimed = memory_alloc(1000 * sizeof(*run->claimed));
    if (error == ERR_OK && run->claimed == NULL)
        error = ERR_NOMEM;
    struct json_parser **parsers[] = { &run->parser, &run->value_parser, &run->staging_parser };
    for (size_t i = 0; error == ERR_OK && i < sizeof parsers / sizeof parsers[0]; i++)
        error = json_parser_new(parsers[i], (size_t)512 << 20);
    return error == ERR_OK ? history_reader_new(&run->reader, run->history) : error;
}

void whatif_run_free(struct whatif_run *run)
{
    stream_close(&run->stream); /* first: its reader looks at the cast and the parts */
    if (run->part == 0)
        parts_free(run);
    arena_deinit(&run->told_texts);
    touch_reader_free(&run->touch_reader);
    journeys_free(&run->journeys);
    touches_free(&run->touches);
    audience_then_free(&run->then);
    cast_deinit(&run->cast);
    watch_deinit(&run->watch);
    tally_deinit(&run->tally);
    history_reader_free(&run->reader);
    json_parser_free(&run->parser);
    json_parser_free(&run->value_parser);
    json_parser_free(&run->staging_parser);
    memory_free(run->claimed);
    memory_free(run->receipts);
    memory_free(run->by_hand);
    memory_free(run->values);
    memory_free(run->hears);
    memory_free(run->starts);
    zone_free(&run->zone);
    buffer_deinit(&run->text);
    arena_deinit(&run->texts);
}

struct ask_now {
    int64_t now_ms;
};

static void take_now(const struct engine_state *state, struct engine_question *question)
{
    struct ask_now *ask = question->context;
    ask->now_ms = state->now_ms;
}

err whatif_run_order(struct engine *engine, str key, json_value body,
                     const struct whatif_listener *listener, const _Atomic bool *cancel,
                     _Atomic int *progress, struct buffer *result, struct problem *problem)
{
    struct whatif_run *run = memory_alloc(sizeof *run);
    struct ask_now now = { .now_ms = 0 };
    if (run == NULL)
        return ERR_NOMEM;
    run->engine = engine;
    run->listener = listener;
    run->cancel = cancel;
    run->progress = progress;
    run->problem = problem;
    run->start = steady_now();
    whatif_order_init(&run->order);
    err error = whatif_run_new(run);
    if (error == ERR_OK)
        error = whatif_ask(run, take_now, &now);
    /* what arrived at this very moment counts */
    if (error == ERR_OK)
        error = whatif_order_read(&run->order, key, body, now.now_ms + 1, problem);
    if (error == ERR_OK)
        error = parts_new(run);
    if (error == ERR_OK)
        error = run_days(run);
    if (error == ERR_OK)
        error = whatif_tell(run, result);
    log_line(LOG_INFO, "whatif_run", "journey=%s events=%llu customers=%llu ms=%lld error=%s",
             run->order.journey, (unsigned long long)run->events,
             (unsigned long long)run->cast.customers, (long long)steady_since_ms(run->start),
             err_code(error));
    whatif_run_free(run);
    whatif_order_deinit(&run->order);
    memory_free(run);
    return error;
}

err whatif_run(struct engine *engine, str key, json_value body,
               const struct whatif_listener *listener, const _Atomic bool *cancel,
               struct buffer *result, struct problem *problem)
{
    return whatif_run_order(engine, key, body, listener, cancel, NULL, result, problem);
}
