/* SPDX-License-Identifier: Apache-2.0 */
/* sender_flights: messages on their way: claimed from the outbox, with channels, answered. */
#include <stdlib.h>
#include <string.h>

#include "base/logline.h"
#include "engine/act/outgoing_form.h"
#include "engine/act/sender_inside.h"
#include "engine/state.h"

#define OUT_MAX 500 /* of an account at a time */
#define ANSWERS_AT_ONCE 500

/* Deliberate defects, named by KITH_MUTATE_SENDERS, so that the crash test is seen to catch what it is for: `as_new` (what a dead sender
 * had is sent as if nobody had it), `never_looks` (it believes for ever what it saw). */
#ifdef KITH_FAULTS
static bool mutates(const char *defect)
{
    const char *wanted = getenv("KITH_MUTATE_SENDERS");
    return wanted != NULL && strcmp(wanted, defect) == 0;
}
#else
static inline bool mutates(const char *defect)
{
    (void)defect;
    return false;
}
#endif

/* ---- channels' threads ---- */

static struct flight **shelf_of(struct sender_server *sender, uint64_t touch)
{
    return &sender->shelves[touch & (SHELVES - 1)];
}

struct flight *sender_flight_of(struct sender_server *sender, uint64_t touch)
{
    struct flight *flight = *shelf_of(sender, touch);
    while (flight != NULL && flight->touch != touch)
        flight = flight->next;
    return flight;
}

/* S1 */
bool sender_may_leave(void *context, uint64_t touch)
{
    struct sender_server *sender = context;
    if (mutates("never_looks"))
        return true;
    pthread_mutex_lock(&sender->mutex);
    const struct flight *flight = sender_flight_of(sender, touch);
    bool may = flight != NULL && flight->own->is_ours && flight->seen >= sender->look &&
               sender->looked.ns != 0 && steady_since_ms(sender->looked) < OUTBOX_FRESH_MS &&
               steady_since_ms(sender->renewed) < sender->lease_ms;
    pthread_mutex_unlock(&sender->mutex);
    return may;
}

/* Under the mutex. */
static struct flight *take_flight(struct sender_server *sender, uint64_t touch)
{
    for (struct flight **place = shelf_of(sender, touch); *place != NULL; place = &(*place)->next) {
        struct flight *flight = *place;
        if (flight->touch == touch) {
            *place = flight->next;
            return flight;
        }
    }
    return NULL;
}

void sender_done(void *context, const struct channel_result *result)
{
    struct sender_server *sender = context;
    int64_t now_ms = act_now_ms(sender->act);
    struct answer *answer = memory_alloc(sizeof *answer);
    pthread_mutex_lock(&sender->mutex);
    struct flight *flight = take_flight(sender, result->touch);
    if (flight == NULL || answer == NULL) {
        /* Without an answer the row stays ours until we end, and is then repeated by its key or asked for. */
        log_line(LOG_ERROR, "touch_result_lost", "touch=%llu", (unsigned long long)result->touch);
        memory_free(answer);
    } else {
        answer->id = flight->id;
        memcpy(answer->own, flight->own->key, sizeof answer->own);
        buffer_init(&answer->text, (size_t)1 << 20);
        outgoing_write_result(result, flight->was_claimed,
                              result->at_ms != 0 ? result->at_ms : now_ms, &answer->text);
        *sender->answers_last = answer;
        sender->answers_last = &answer->next;
    }
    pthread_mutex_unlock(&sender->mutex);
    memory_free(flight);
}

/* ---- answers ---- */

static err write_answers(struct sender_server *sender, const struct answer *first,
                         const struct answer *end)
{
    struct json_writer writer;
    buffer_clear(&sender->text);
    json_writer_init(&writer, &sender->text);
    json_begin_array(&writer);
    for (const struct answer *answer = first; answer != end; answer = answer->next) {
        str sealed;
        arena_reset(&sender->arena);
        err error = buffer_status(&answer->text);
        if (error == ERR_OK)
            error =
                keys_seal(sender->engine->keys, &sender->arena, buffer_str(&answer->text), &sealed);
        if (error != ERR_OK)
            return error;
        json_begin_object(&writer);
        json_member_int(&writer, STR("i"), (int64_t)answer->id);
        json_member_text(&writer, STR("r"), sealed);
        json_end_object(&writer);
    }
    json_end_array(&writer);
    buffer_append_byte(&sender->text, '\0');
    return buffer_status(&sender->text);
}

static struct answer *free_answer(struct sender_server *sender, struct answer *answer)
{
    struct answer *next = answer->next;
    struct own *own = sender_own_of(sender, answer->own);
    if (own != NULL && own->out > 0)
        own->out--;
    buffer_deinit(&answer->text);
    memory_free(answer);
    return next;
}

static void take_answers(struct sender_server *sender)
{
    pthread_mutex_lock(&sender->mutex);
    if (sender->answers != NULL) {
        *sender->taken_last = sender->answers;
        sender->taken_last = sender->answers_last;
        sender->answers = NULL;
        sender->answers_last = &sender->answers;
    }
    pthread_mutex_unlock(&sender->mutex);
}

err sender_answer_all(struct sender_server *sender, struct problem *problem)
{
    take_answers(sender);
    while (sender->taken != NULL) {
        struct answer *end = sender->taken;
        for (size_t count = 0; end != NULL && count < ANSWERS_AT_ONCE; count++)
            end = end->next;
        err error = write_answers(sender, sender->taken, end);
        if (error == ERR_OK)
            error = outbox_answer(sender->outbox, sender->id, buffer_str(&sender->text), problem);
        if (error != ERR_OK)
            return error;
        while (sender->taken != end)
            sender->taken = free_answer(sender, sender->taken);
        if (end == NULL)
            sender->taken_last = &sender->taken;
    }
    return ERR_OK;
}

/* ---- claims ---- */

struct claiming {
    struct sender_server *sender;
    struct own *own;
    struct outbox_row *rows;
    size_t count;
    bool is_short; /* of memory */
};

static void keep_row(void *context, const struct outbox_row *row)
{
    struct claiming *claiming = context;
    struct outbox_row *kept = &claiming->rows[claiming->count];
    *kept = *row;
    if (arena_dup(&claiming->sender->arena, row->text, &kept->text) == ERR_OK)
        claiming->count++;
    else
        claiming->is_short = true;
}

static int compare_rows(const void *left, const void *right)
{
    const struct outbox_row *a = left, *b = right;
    return a->id < b->id ? -1 : a->id > b->id;
}

static struct flight *fly(struct sender_server *sender, struct own *own,
                          const struct outbox_row *row)
{
    struct flight *flight = memory_alloc(sizeof *flight);
    if (flight == NULL)
        return NULL;
    pthread_mutex_lock(&sender->mutex);
    struct flight **shelf = shelf_of(sender, row->touch);
    *flight = (struct flight){ .next = *shelf,
                               .id = row->id,
                               .touch = row->touch,
                               .seen = sender->look,
                               .was_claimed = row->was_claimed,
                               .own = own };
    *shelf = flight;
    pthread_mutex_unlock(&sender->mutex);
    own->out++;
    return flight;
}

/* What it cannot send it says so of: the engine decides again. */
static void give_back(struct sender_server *sender, const struct outbox_row *row,
                      const char *reason)
{
    sender_done(sender, &(struct channel_result){ .touch = row->touch,
                                                  .outcome = CHANNEL_LATER,
                                                  .reason = str_from_c(reason),
                                                  .retry_ms = act_now_ms(sender->act) + 1000 });
}

static void send_row(struct sender_server *sender, struct own *own, const struct outbox_row *row)
{
    struct problem problem = { .error = ERR_OK };
    struct channel_message message;
    json_value json;
    size_t taken = 0;
    str plain;
    if (fly(sender, own, row) == NULL)
        return; /* it stays ours, and is another's when we end */
    if (keys_unseal(sender->engine->keys, &sender->arena, row->text, &plain, &problem) != ERR_OK ||
        json_parse(sender->parser, plain, &json, &problem) != ERR_OK) {
        log_line(LOG_WARN, "message_unreadable", "touch=%llu reason=\"%s\"",
                 (unsigned long long)row->touch, problem.detail);
        give_back(sender, row, "unreadable");
        return;
    }
    outgoing_read_message(json, &message);
    message.touch = row->touch;
    message.account = str_from_c(own->key);
    message.is_repeat = message.is_repeat || (row->was_claimed && !mutates("as_new"));
    if (channels_send(sender->act->channels, &message, 1, &taken, &problem) != ERR_OK || taken == 0)
        give_back(sender, row, "busy");
}

err sender_claim(struct sender_server *sender, struct own *own, bool *some, struct problem *problem)
{
    size_t room = channels_room(sender->act->channels, str_from_c(own->key));
    size_t limit = own->out < OUT_MAX ? OUT_MAX - own->out : 0;
    limit = room < limit ? room : limit;
    if (limit == 0)
        return ERR_OK;
    arena_reset(&sender->arena);
    struct claiming claiming = { .sender = sender,
                                 .own = own,
                                 .rows = arena_array(&sender->arena, struct outbox_row, limit) };
    if (claiming.rows == NULL)
        return ERR_NOMEM;
    err error =
        outbox_claim(sender->outbox, sender->id, own->key, limit, keep_row, &claiming, problem);
    if (error != ERR_OK)
        return error;
    qsort(claiming.rows, claiming.count, sizeof *claiming.rows, compare_rows);
    for (size_t i = 0; i < claiming.count; i++)
        send_row(sender, own, &claiming.rows[i]);
    *some = *some || claiming.count > 0;
    return ERR_OK;
}

/* ---- the end ---- */

void sender_forget_all(struct sender_server *sender)
{
    take_answers(sender);
    while (sender->taken != NULL)
        sender->taken = free_answer(sender, sender->taken);
    for (size_t i = 0; i < SHELVES; i++)
        while (sender->shelves[i] != NULL) {
            struct flight *flight = sender->shelves[i];
            sender->shelves[i] = flight->next;
            memory_free(flight);
        }
}
