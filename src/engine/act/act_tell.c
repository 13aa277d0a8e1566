/* SPDX-License-Identifier: Apache-2.0 */
/* act_tell: results and receipts into the log, with the events that rules, timelines and journeys see; see act_tell.h.
 *
 * Each change is an event of the type RULE_TOUCH_EVENT at the customer, by the identifier that got it. What she did herself, and
 * failures, are events of their own names beside it: Message Read, Message Clicked, Unsubscribed, Message Failed.
 */
#include "engine/act/act_tell.h"

#include <stdio.h>
#include <string.h>

#include "base/digest.h"
#include "base/logline.h"
#include "engine/state.h"
#include "event/normalise.h"

#define RECORDS_BYTES_MAX ((size_t)32 << 20)
#define BODY_BYTES_MAX ((size_t)8 << 20)
#define TELL_AGAIN_MS 50
#define RECEIPTS_WAIT_MS 4000 /* providers give a callback five seconds, and tell it again */
#define RECEIPTS_LOOK_MS 20
#define AWAITING_MAX 2

/* One that is told of: what is known of the touch, and whose identifier it is told by. */
struct telling {
    uint32_t number;
    const char *status; /* word of RULE_TOUCH_EVENT */
    const char *named;  /* type of the second event; NULL: none */
    int64_t at_ms;
    str points; /* JSON of granted points */
    bool known;
    bool is_denied; /* something is known by now that it cannot change: told to nobody */
    struct touch_description description;
    uint32_t row;
    str type, namespace_, value;
    uint8_t flags;
};
struct tellings {
    struct act *act;
    struct telling *items;
    size_t count;
    str account;     /* of receipts */
    json_value list; /* receipts, until their numbers are known */
    struct arena *arena;
};

/* ---- asked of the engine ---- */

static uint32_t row_of(struct act *act, const struct touch_description *description)
{
    struct touch_recipient recipient = { .row = 0 };
    const struct touch_world *world = &act->world;
    if (!world->recipient(world->context, description->customer, description->identifier_type,
                          description->namespace_, false, &recipient))
        (void)world->recipient(world->context, description->customer, STR_NONE, STR_NONE, false,
                               &recipient);
    return (uint32_t)recipient.row;
}

static bool is_failure(const char *status)
{
    return strcmp(status, "failed") == 0;
}

static bool is_arrival(const char *status)
{
    static const char *const words[] = { "delivered", "confirmed", "opened", "clicked" };
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        if (strcmp(status, words[i]) == 0)
            return true;
    return false;
}

/* As the touch takes receipts (touches_receipt_take): what she has cannot have failed, and what has failed stays so. What was said
 * before it in the same callback counts as known. */
static bool is_denied(const struct tellings *tellings, const struct telling *telling)
{
    enum touch_status status = telling->description.status;
    bool failed = status == TOUCH_FAILED;
    bool arrived = status == TOUCH_DELIVERED || status == TOUCH_CONFIRMED || status == TOUCH_READ ||
                   status == TOUCH_CLICKED;
    if (telling->status == NULL)
        return false;
    for (const struct telling *before = tellings->items;
         tellings->account.size > 0 && before < telling; before++) {
        if (before->number != telling->number || before->is_denied || before->status == NULL)
            continue;
        failed = failed || is_failure(before->status);
        arrived = arrived || is_arrival(before->status);
    }
    return (failed && is_arrival(telling->status)) || (arrived && is_failure(telling->status));
}

static void describe(const struct engine_state *state, struct engine_question *question)
{
    struct tellings *tellings = question->context;
    struct act *act = tellings->act;
    struct json_iterator iterator = json_iterate(tellings->list);
    json_value receipt;
    (void)state;
    for (size_t i = 0; i < tellings->count; i++) {
        struct telling *telling = &tellings->items[i];
        if (telling->number == 0 && json_next(&iterator, NULL, &receipt))
            telling->number = touch_of_receipt(act->touches, tellings->account, receipt);
        telling->known = touch_describe(act->touches, telling->number, &telling->description) &&
                         telling->description.customer != 0;
        if (telling->known)
            telling->row = row_of(act, &telling->description);
        telling->is_denied = telling->known && is_denied(tellings, telling);
    }
}

static bool take_row(void *context, const struct identity_row_view *view)
{
    struct tellings *tellings = context;
    struct problem problem = { .error = ERR_OK };
    str plain = view->value;
    if ((view->flags & IDENTIFIER_SEALED) != 0 &&
        keys_unseal(tellings->act->engine->keys, tellings->arena, view->value, &plain, &problem) !=
            ERR_OK)
        return true;
    for (size_t i = 0; i < tellings->count; i++) {
        struct telling *telling = &tellings->items[i];
        if (telling->row != view->row || telling->type.size > 0)
            continue;
        telling->flags = view->flags & IDENTIFIER_VERIFIED;
        if (arena_dup(tellings->arena, view->type, &telling->type) != ERR_OK ||
            arena_dup(tellings->arena, view->namespace_, &telling->namespace_) != ERR_OK ||
            arena_dup(tellings->arena, plain, &telling->value) != ERR_OK)
            return false;
    }
    return true;
}

static err read_rows(struct tellings *tellings)
{
    struct problem problem = { .error = ERR_OK };
    struct act *act = tellings->act;
    size_t count = 0;
    uint32_t *rows = arena_array(tellings->arena, uint32_t, tellings->count + 1);
    if (rows == NULL)
        return ERR_NOMEM;
    for (size_t i = 0; i < tellings->count; i++)
        if (tellings->items[i].row != 0)
            rows[count++] = tellings->items[i].row;
    return identity_read_rows(act->engine->identity, act->engine->ledger, rows, count, take_row,
                              tellings, &problem);
}

/* ---- events ---- */

static void message_key(const struct telling *telling, const char *status, uint8_t key[16])
{
    char text[64];
    int size = snprintf(text, sizeof text, "touch %u %s", telling->number, status);
    hash128 hash = hash_bytes128(text, (size_t)size, UINT64_C(0x6B697468));
    memcpy(key, &hash, 16);
}

static void write_props(const struct telling *telling, bool is_touch, struct buffer *props)
{
    const struct touch_description *about = &telling->description;
    struct json_writer writer;
    char number[16];
    snprintf(number, sizeof number, "%u", telling->number);
    buffer_clear(props);
    json_writer_init(&writer, props);
    json_begin_object(&writer);
    json_member_text(&writer, is_touch ? STR("$touch") : STR("touch"), str_from_c(number));
    if (is_touch)
        json_member_text(&writer, STR("$status"), str_from_c(telling->status));
    struct {
        const char *own, *plain;
        str value;
    } members[] = { { "$journey", "journey", about->journey },
                    { "$node", "node", about->node_key },
                    { "$campaign", "campaign", about->campaign },
                    { "$template", "template", about->template_ },
                    { "$channel", "channel", about->channel } };
    for (size_t i = 0; i < sizeof members / sizeof members[0]; i++)
        if (members[i].value.size > 0)
            json_member_text(&writer, str_from_c(is_touch ? members[i].own : members[i].plain),
                             members[i].value);
    json_end_object(&writer);
}

static err write_event(struct tellings *tellings, const struct telling *telling, str type,
                       const char *key_status, str props, struct buffer *records, uint32_t *count)
{
    struct event_identifier identifier;
    struct problem problem = { .error = ERR_OK };
    struct buffer body;
    err error = ERR_OK;
    if (identifier_make(tellings->act->engine->keys, tellings->arena, telling->type,
                        telling->namespace_, telling->value, telling->flags, &identifier,
                        &error) != NORMAL_USABLE)
        return error; /* nobody to tell it of */
    struct event event = {
        .kind = EVENT_TRACK,
        .flags = EVENT_TRUSTED | EVENT_TIME_GIVEN,
        .type = type,
        .channel = telling->description.channel,
        .time_ms = telling->at_ms,
        .identifier_count = 1,
        .identifiers = &identifier,
        .props = props,
    };
    message_key(telling, key_status, event.message_key);
    buffer_init(&body, EVENT_BYTES_MAX);
    error = event_encode(&body, &event, &problem);
    if (error == ERR_OK) {
        log_record_write(records, LOG_RECORD_EVENT, buffer_str(&body));
        ++*count;
    }
    buffer_deinit(&body);
    return error;
}

static err write_events(struct tellings *tellings, struct buffer *records, uint32_t *count)
{
    struct buffer props;
    err error = ERR_OK;
    buffer_init(&props, 65536);
    for (size_t i = 0; error == ERR_OK && i < tellings->count; i++) {
        const struct telling *telling = &tellings->items[i];
        if (!telling->known || telling->is_denied || telling->type.size == 0 ||
            telling->status == NULL)
            continue;
        write_props(telling, true, &props);
        error = write_event(tellings, telling, STR(RULE_TOUCH_EVENT), telling->status,
                            buffer_str(&props), records, count);
        if (error == ERR_OK && telling->named != NULL) {
            write_props(telling, false, &props);
            error = write_event(tellings, telling, str_from_c(telling->named), telling->named,
                                buffer_str(&props), records, count);
        }
        if (error == ERR_OK && telling->points.size > 0)
            error = write_event(tellings, telling, STR("Points Granted"), "points", telling->points,
                                records, count);
    }
    buffer_deinit(&props);
    return error;
}

/* The command first: who is woken by an event finds the touch as the event tells it. */
static err append(struct tellings *tellings, const char *operation, str body)
{
    struct engine *engine = tellings->act->engine;
    struct engine_question question = { .ask = describe, .context = tellings };
    struct buffer records;
    uint32_t count = 1;
    err error = engine_ask_wait(engine, &question);
    if (error == ERR_OK)
        error = read_rows(tellings);
    if (error != ERR_OK)
        return error;
    buffer_init(&records, RECORDS_BYTES_MAX);
    engine_command_write(&records, str_from_c(operation), body);
    error = write_events(tellings, &records, &count);
    if (error == ERR_OK)
        error = buffer_status(&records);
    if (error == ERR_OK)
        error = engine_append_wait(engine, buffer_str(&records), count);
    buffer_deinit(&records);
    return error;
}

/* ---- results ---- */

static const char *outcome_text(enum channel_outcome outcome)
{
    static const char *const texts[] = { [CHANNEL_SENT] = "sent",
                                         [CHANNEL_DELIVERED] = "delivered",
                                         [CHANNEL_REFUSED] = "refused",
                                         [CHANNEL_LATER] = "later",
                                         [CHANNEL_UNCERTAIN] = "uncertain" };
    return texts[outcome];
}

static void write_result(struct json_writer *writer, const struct act_result *result)
{
    json_begin_object(writer);
    json_member_int(writer, STR("touch"), (int64_t)result->touch);
    json_member_text(writer, STR("outcome"), str_from_c(outcome_text(result->outcome)));
    struct {
        const char *name;
        str value;
    } members[] = { { "provider_id", result->provider_id },
                    { "code", result->code },
                    { "reason", result->reason },
                    { "detail", result->detail },
                    { "response", result->response } };
    for (size_t i = 0; i < sizeof members / sizeof members[0]; i++)
        if (members[i].value.size > 0)
            json_member_text(writer, str_from_c(members[i].name), members[i].value);
    if (result->retry_ms != 0)
        json_member_int(writer, STR("retry_ms"), result->retry_ms);
    if (result->is_repeat)
        json_member_bool(writer, STR("repeat"), true);
    json_end_object(writer);
}

static void telling_of(const struct act_result *result, struct telling *telling)
{
    static const char *const statuses[] = { [CHANNEL_SENT] = "sent",
                                            [CHANNEL_DELIVERED] = "delivered",
                                            [CHANNEL_REFUSED] = "failed",
                                            [CHANNEL_LATER] = NULL,
                                            [CHANNEL_UNCERTAIN] = "uncertain" };
    *telling =
        (struct telling){ .number = (uint32_t)result->touch,
                          .status = statuses[result->outcome],
                          .named = result->outcome == CHANNEL_REFUSED ? "Message Failed" : NULL,
                          .at_ms = result->at_ms,
                          .points = result->is_points ? result->content : STR_NONE };
}

size_t act_tell_results(struct act *act, const struct act_result *results)
{
    struct json_writer writer;
    struct buffer body;
    struct arena arena;
    struct tellings tellings = { .act = act, .arena = &arena };
    size_t count = 0;
    err error;
    for (const struct act_result *result = results; result != NULL; result = result->next)
        count++;
    buffer_init(&body, BODY_BYTES_MAX);
    json_writer_init(&writer, &body);
    json_begin_object(&writer);
    json_put_key(&writer, STR("results"));
    json_begin_array(&writer);
    for (const struct act_result *result = results; result != NULL; result = result->next)
        write_result(&writer, result);
    json_end_array(&writer);
    json_end_object(&writer);
    do {
        arena_init(&arena, "act_tell", (size_t)64 << 20);
        tellings.items = arena_array(&arena, struct telling, count);
        tellings.count = 0;
        error = tellings.items != NULL ? buffer_status(&body) : ERR_NOMEM;
        for (const struct act_result *result = results; error == ERR_OK && result != NULL;
             result = result->next)
            telling_of(result, &tellings.items[tellings.count++]);
        if (error == ERR_OK)
            error = append(&tellings, "touch.results", buffer_str(&body));
        arena_deinit(&arena);
        if (error != ERR_OK && error != ERR_UNAVAILABLE)
            steady_sleep_ms(TELL_AGAIN_MS);
    } while (error != ERR_OK && error != ERR_UNAVAILABLE);
    buffer_deinit(&body);
    return error == ERR_OK ? count : 0;
}

/* ---- receipts ---- */

static const char *receipt_status(str status, const char **named)
{
    static const struct {
        const char *receipt, *status, *named;
    } known[] = { { "sent", "sent", NULL },
                  { "delivered", "delivered", NULL },
                  { "confirmed", "confirmed", NULL },
                  { "read", "opened", "Message Read" },
                  { "clicked", "clicked", "Message Clicked" },
                  { "failed", "failed", "Message Failed" },
                  { "unsubscribed", "unsubscribed", "Unsubscribed" } };
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        if (!str_equal(status, str_from_c(known[i].receipt)))
            continue;
        *named = known[i].named;
        return known[i].status;
    }
    return NULL;
}

static err write_receipts(struct tellings *tellings, struct buffer *body, int64_t now_ms)
{
    struct json_iterator iterator = json_iterate(tellings->list);
    json_value receipt;
    size_t count = json_count(tellings->list);
    tellings->items = arena_array(tellings->arena, struct telling, count + 1);
    if (tellings->items == NULL)
        return ERR_NOMEM;
    while (json_next(&iterator, NULL, &receipt)) {
        struct telling *telling = &tellings->items[tellings->count++];
        telling->status =
            receipt_status(json_text(json_get(receipt, STR("status"))), &telling->named);
        telling->at_ms = json_int(json_get(receipt, STR("at")), 0);
        if (telling->at_ms <= 0 || telling->at_ms > now_ms)
            telling->at_ms = now_ms;
    }
    buffer_append_str(body, STR("{\"account\":"));
    json_write_text(body, tellings->account);
    buffer_append_str(body, STR(",\"receipts\":"));
    json_write_value(body, tellings->list);
    buffer_append_byte(body, '}');
    return buffer_status(body);
}

/* ---- receipts that are quicker than the answer ---- */

struct awaiting {
    struct act *act;
    str account;
    json_value list;
    bool is_unknown, is_under_way;
};

static void look_for_answers(const struct engine_state *state, struct engine_question *question)
{
    struct awaiting *awaiting = question->context;
    struct json_iterator iterator = json_iterate(awaiting->list);
    struct touch_status_counts counts;
    json_value receipt;
    (void)state;
    awaiting->is_unknown = false;
    while (!awaiting->is_unknown && json_next(&iterator, NULL, &receipt))
        awaiting->is_unknown =
            touch_of_receipt(awaiting->act->touches, awaiting->account, receipt) == 0;
    touch_status(awaiting->act->touches, &counts);
    awaiting->is_under_way = counts.by_status[TOUCH_SENDING] > 0;
}

static void await(struct awaiting *awaiting)
{
    struct engine_question question = { .ask = look_for_answers, .context = awaiting };
    steady_ns start = steady_now();
    do {
        if (engine_ask_wait(awaiting->act->engine, &question) != ERR_OK || !awaiting->is_unknown ||
            !awaiting->is_under_way)
            return;
        steady_sleep_ms(RECEIPTS_LOOK_MS);
    } while (steady_since_ms(start) < RECEIPTS_WAIT_MS);
}

void act_await_answers(struct engine *engine, str account, str receipts)
{
    struct awaiting awaiting = { .act = engine->act, .account = account };
    struct json_parser *parser = NULL;
    if (atomic_fetch_add(&engine->act->awaiting, 1) < AWAITING_MAX &&
        json_parser_new(&parser, BODY_BYTES_MAX) == ERR_OK &&
        json_parse(parser, receipts, &awaiting.list, NULL) == ERR_OK)
        await(&awaiting);
    atomic_fetch_sub(&engine->act->awaiting, 1);
    json_parser_free(&parser);
}

err engine_touch_receipts(struct engine *engine, str account, str receipts, struct problem *problem)
{
    struct arena arena;
    struct json_parser *parser = NULL;
    struct buffer body;
    struct tellings tellings = { .act = engine->act, .account = account, .arena = &arena };
    arena_init(&arena, "act_tell", (size_t)64 << 20);
    buffer_init(&body, BODY_BYTES_MAX);
    err error = json_parser_new(&parser, BODY_BYTES_MAX);
    if (error == ERR_OK)
        error = json_parse(parser, receipts, &tellings.list, problem);
    if (error == ERR_OK && json_count(tellings.list) > 0) {
        error = write_receipts(&tellings, &body, wall_clock_now_ms(engine->config.clock));
        if (error == ERR_OK)
            error = append(&tellings, "touch.receipts", buffer_str(&body));
        if (error != ERR_OK)
            problem_set(problem, error, "the receipts were not taken: %s", err_title(error));
    }
    json_parser_free(&parser);
    buffer_deinit(&body);
    arena_deinit(&arena);
    return error;
}
