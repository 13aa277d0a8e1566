/* SPDX-License-Identifier: Apache-2.0 */
/* outgoing_results: what senders say of messages goes into the log, and what a stop reaches goes back. */
#include "base/logline.h"
#include "engine/act/act_tell.h"
#include "engine/act/outgoing_form.h"
#include "engine/act/outgoing_inside.h"
#include "engine/state.h"

#define RESULTS_AT_ONCE 500
#define TURN_MS 20
#define STOP_EVERY_MS 200
#define COUNT_EVERY_MS 1000

static void note_went(struct outgoing *outgoing, str key, enum channel_outcome outcome)
{
    if (outcome == CHANNEL_LATER || outcome == CHANNEL_REFUSED)
        return;
    pthread_mutex_lock(&outgoing->mutex);
    struct open_account *account = outgoing_account_at(outgoing, key);
    if (account != NULL)
        account->went++;
    pthread_mutex_unlock(&outgoing->mutex);
}

struct taking {
    struct outgoing *outgoing;
    struct act_result *first, **end;
    const char *reason; /* of all; NULL: as the text says */
    size_t count;
};

static bool read_result(struct taking *taking, const struct outbox_row *row,
                        struct act_result *result)
{
    struct outgoing *outgoing = taking->outgoing;
    struct problem problem = { .error = ERR_OK };
    json_value json;
    str plain;
    return keys_unseal(outgoing->act->engine->keys, &outgoing->taken, row->text, &plain,
                       &problem) == ERR_OK &&
           json_parse(outgoing->parser, plain, &json, &problem) == ERR_OK &&
           outgoing_read_result(json, &outgoing->taken, result);
}

/* What nobody sends: it never left, or somebody died with it. What cannot be read may have been. */
static void tell_unsent(const struct outgoing *outgoing, const struct outbox_row *row,
                        const char *reason, struct act_result *result)
{
    *result = (struct act_result){
        .outcome = CHANNEL_LATER,
        .is_repeat = row->was_claimed,
        .reason = str_from_c(reason),
        .at_ms = act_now_ms(outgoing->act),
        .retry_ms = act_now_ms(outgoing->act) + OUTGOING_LATER_MS,
    };
}

static void take_row(void *context, const struct outbox_row *row)
{
    struct taking *taking = context;
    struct outgoing *outgoing = taking->outgoing;
    struct act *act = outgoing->act;
    struct act_result *result = arena_array(&outgoing->taken, struct act_result, 1);
    if (result == NULL)
        return; /* the next time */
    if (taking->reason != NULL)
        tell_unsent(outgoing, row, taking->reason, result);
    else if (!read_result(taking, row, result))
        tell_unsent(outgoing, &(struct outbox_row){ .was_claimed = true }, "unreadable", result);
    result->touch = row->touch;
    result->next = NULL;
    *taking->end = result;
    taking->end = &result->next;
    taking->count++;
    outgoing_count_out(outgoing, row->account, false);
    outgoing_write_number(&outgoing->numbers, row->id);
    /* What providers tell only when they are asked is asked for by this server. */
    if (result->outcome == CHANNEL_SENT && act->channels != NULL)
        channels_follow(act->channels, row->account, result->provider_id);
    note_went(outgoing, row->account, result->outcome);
}

static void begin_taking(struct outgoing *outgoing, struct taking *taking, const char *reason)
{
    arena_reset(&outgoing->taken);
    buffer_clear(&outgoing->numbers);
    buffer_append_byte(&outgoing->numbers, '{');
    *taking = (struct taking){ .outgoing = outgoing, .reason = reason };
    taking->end = &taking->first;
}

/* One append, then the rows go. False: the engine takes no more, and they stay for who comes next. */
static bool tell(struct outgoing *outgoing, const struct taking *taking)
{
    size_t told = act_tell_results(outgoing->act, taking->first);
    atomic_fetch_add(&outgoing->act->told, told);
    return told == taking->count;
}

/* A new day is seen within as much. */
#define DAY_EVERY_MS 10000

static void tell_used(struct outgoing *outgoing)
{
    struct zone_question zone;
    struct problem problem = { .error = ERR_OK };
    if (outgoing->day_asked.ns == 0 || steady_since_ms(outgoing->day_asked) >= DAY_EVERY_MS) {
        if (!outgoing_zone_of(outgoing->act, &zone))
            return;
        outgoing->day_start_ms = zone.day_start_ms;
        outgoing->day_asked = steady_now();
    }
    for (size_t i = 0; i < ACT_ACCOUNTS_MAX; i++) {
        pthread_mutex_lock(&outgoing->mutex);
        bool is_over = i >= outgoing->account_count;
        struct open_account *account = &outgoing->accounts[i];
        int64_t went = is_over ? 0 : account->went;
        account->went = 0;
        pthread_mutex_unlock(&outgoing->mutex);
        if (is_over)
            return;
        if (went > 0 &&
            outbox_used(outgoing->taking, outgoing_epoch(outgoing), str_from_c(account->key),
                        outgoing->day_start_ms, went, false, &problem) != ERR_OK)
            log_line(LOG_WARN, "outbox_waits", "reason=\"%s\"", problem.detail);
    }
}

err outgoing_take_results(struct outgoing *outgoing, size_t *count, struct problem *problem)
{
    struct taking taking;
    begin_taking(outgoing, &taking, NULL);
    err error = outbox_results(outgoing->taking, RESULTS_AT_ONCE, take_row, &taking, problem);
    *count = taking.count;
    if (taking.count == 0 || error != ERR_OK)
        return error;
    buffer_append(&outgoing->numbers, "}", 2);
    if (!tell(outgoing, &taking) || buffer_status(&outgoing->numbers) != ERR_OK)
        return ERR_UNAVAILABLE;
    do {
        error = outbox_forget(outgoing->taking, outgoing_epoch(outgoing), outgoing->numbers.data,
                              problem);
    } while (outgoing_tries_again(outgoing, error, problem));
    tell_used(outgoing);
    return error;
}

struct stopping {
    struct outgoing *outgoing;
    size_t count;
};

static void note_stopped(void *context, const struct outbox_row *row)
{
    struct stopping *stopping = context;
    if (!touch_is_stopped(stopping->outgoing->act->touches, (uint32_t)row->touch))
        return;
    outgoing_write_number(&stopping->outgoing->numbers, row->touch);
    stopping->count++;
}

static err stop_some(struct outgoing *outgoing, struct problem *problem)
{
    struct stopping stopping = { .outgoing = outgoing };
    struct taking taking;
    buffer_clear(&outgoing->numbers);
    buffer_append_byte(&outgoing->numbers, '{');
    err error = outbox_waiting(outgoing->taking, note_stopped, &stopping, problem);
    buffer_append(&outgoing->numbers, "}", 2);
    if (error == ERR_OK && stopping.count > 0 && buffer_status(&outgoing->numbers) == ERR_OK)
        error = outbox_stop(outgoing->taking, outgoing_epoch(outgoing), outgoing->numbers.data,
                            problem);
    if (error != ERR_OK)
        return error;
    begin_taking(outgoing, &taking, "stopped");
    error =
        outbox_abandoned(outgoing->taking, outgoing_epoch(outgoing), take_row, &taking, problem);
    if (taking.count > 0 && !tell(outgoing, &taking))
        error = ERR_UNAVAILABLE;
    return error;
}

static err count_all(struct outgoing *outgoing, struct problem *problem)
{
    struct outbox_counts counts;
    err error = outbox_count(outgoing->taking, &counts, problem);
    if (error != ERR_OK)
        return error;
    pthread_mutex_lock(&outgoing->mutex);
    outgoing->counts = counts;
    pthread_mutex_unlock(&outgoing->mutex);
    return ERR_OK;
}

static bool is_time(steady_ns *last, int64_t every_ms)
{
    if (last->ns != 0 && steady_since_ms(*last) < every_ms)
        return false;
    *last = steady_now();
    return true;
}

void *outgoing_run(void *context)
{
    struct outgoing *outgoing = context;
    pthread_setname_np(pthread_self(), "kith-outgoing");
    while (!atomic_load(&outgoing->stopping)) {
        struct problem problem = { .error = ERR_OK };
        size_t count = 0;
        err error = outgoing_take_results(outgoing, &count, &problem);
        if (error == ERR_OK && is_time(&outgoing->stopped, STOP_EVERY_MS))
            error = stop_some(outgoing, &problem);
        if (error == ERR_OK && is_time(&outgoing->counted, COUNT_EVERY_MS))
            error = count_all(outgoing, &problem);
        if (error != ERR_OK && !outgoing->is_away && problem.detail[0] != '\0')
            log_line(LOG_WARN, "outbox_away", "reason=\"%s\"", problem.detail);
        outgoing->is_away = error != ERR_OK;
        if (error != ERR_OK || count == 0)
            steady_sleep_ms(error != ERR_OK ? OUTGOING_AGAIN_MS : TURN_MS);
    }
    return NULL;
}
