/* SPDX-License-Identifier: Apache-2.0 */
/* outgoing_recover: what an active server finds in the outbox when it begins: under way with senders, answered, or to be taken back. */
#include <inttypes.h>

#include "base/logline.h"
#include "engine/act/outgoing_inside.h"
#include "engine/state.h"

static void note_under_way(void *context, const struct outbox_row *row)
{
    struct outgoing *outgoing = context;
    if (outgoing->under_way_count == outgoing->under_way_room)
        return; /* counted before */
    outgoing->under_way[outgoing->under_way_count++] = row->touch;
    outgoing_count_out(outgoing, row->account, true);
}

static void count_row(void *context, const struct outbox_row *row)
{
    (void)row;
    ++*(size_t *)context;
}

void outgoing_write_recover(struct outgoing *outgoing, struct buffer *body)
{
    struct problem problem = { .error = ERR_OK };
    err error;
    do {
        size_t room = 0;
        memory_free(outgoing->under_way);
        outgoing->under_way = NULL;
        outgoing->under_way_count = outgoing->under_way_room = 0;
        error = outbox_rows(outgoing->putting, count_row, &room, &problem);
        if (error == ERR_OK && room > 0) {
            outgoing->under_way = memory_alloc(room * sizeof *outgoing->under_way);
            outgoing->under_way_room = outgoing->under_way != NULL ? room : 0;
            error = outgoing->under_way != NULL
                        ? outbox_rows(outgoing->putting, note_under_way, outgoing, &problem)
                        : problem_set(&problem, ERR_NOMEM, "no memory for the outbox");
        }
    } while (outgoing_tries_again(outgoing, error, &problem));
    buffer_append_str(body, STR("{\"under_way\":["));
    for (size_t i = 0; i < outgoing->under_way_count; i++)
        buffer_printf(body, "%s%" PRIu64, i > 0 ? "," : "", outgoing->under_way[i]);
    buffer_append_str(body, STR("]}"));
}

struct gone_question {
    struct outgoing *outgoing;
    struct buffer *numbers;
};

/* Of those, what the log has an answer for: the row was not removed in time. */
static void ask_gone(const struct engine_state *state, struct engine_question *question)
{
    struct gone_question *ask = question->context;
    (void)state;
    for (size_t i = 0; i < ask->outgoing->under_way_count; i++) {
        struct touch_description description;
        uint32_t number = (uint32_t)ask->outgoing->under_way[i];
        if (!touch_describe(ask->outgoing->act->touches, number, &description) ||
            description.status != TOUCH_SENDING)
            outgoing_write_number(ask->numbers, number);
    }
}

void outgoing_adopt(struct outgoing *outgoing)
{
    struct gone_question ask = { .outgoing = outgoing, .numbers = &outgoing->text };
    struct engine_question question = { .ask = ask_gone, .context = &ask };
    struct problem problem = { .error = ERR_OK };
    err error;
    buffer_clear(&outgoing->text);
    buffer_append_byte(&outgoing->text, '{');
    if (engine_ask_wait(outgoing->act->engine, &question) != ERR_OK)
        return;
    buffer_append(&outgoing->text, "}", 2);
    if (buffer_status(&outgoing->text) != ERR_OK)
        return;
    do {
        error = outbox_adopt(outgoing->putting, outgoing_epoch(outgoing), outgoing->text.data,
                             &problem);
    } while (outgoing_tries_again(outgoing, error, &problem));
    if (error == ERR_OK && outgoing->under_way_count > 0)
        log_line(LOG_INFO, "outbox_adopted", "messages=%zu", outgoing->under_way_count);
}

/* Senders let go first; then what they said is told, and the rest is recovered as after any end of a server. */
void outgoing_take_back(struct act *act)
{
    struct outgoing *outgoing = NULL;
    struct problem problem = { .error = ERR_OK };
    struct outbox_counts counts = { .waiting = 0 };
    size_t count = 0;
    if (act->engine->config.log_url == NULL)
        return;
    err error = outgoing_new(&outgoing, act, &problem);
    if (error == ERR_OK)
        error = outbox_count(outgoing->taking, &counts, &problem);
    if (error == ERR_OK &&
        counts.accounts + counts.waiting + counts.claimed + counts.answered > 0) {
        error = outbox_clear(outgoing->taking, outgoing_epoch(outgoing), true, &problem);
        steady_sleep_ms(counts.senders > 0 ? OUTBOX_FRESH_MS + OUTGOING_AGAIN_MS : 0);
        do {
            if (error == ERR_OK)
                error = outgoing_take_results(outgoing, &count, &problem);
        } while (error == ERR_OK && count > 0);
        if (error == ERR_OK)
            error = outbox_clear(outgoing->taking, outgoing_epoch(outgoing), false, &problem);
    }
    if (error != ERR_OK)
        log_line(LOG_WARN, "outbox_not_taken_back", "reason=\"%s\"", problem.detail);
    outgoing_free(&outgoing);
}
