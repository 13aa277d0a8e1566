/* SPDX-License-Identifier: Apache-2.0 */
/* outgoing: messages into the outbox, and what came of them into the log; see outgoing.h. */
#include "engine/outgoing.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/logline.h"
#include "base/zone.h"
#include "engine/act_tell.h"
#include "engine/outgoing_form.h"
#include "engine/state.h"
#include "log/outbox.h"

#define ROOM 1000 /* of an account: claimed and not answered */
#define RESULTS_AT_ONCE 500
#define BYTES_MAX ((size_t)64 << 20)
#define TURN_MS 20
#define STOP_EVERY_MS 200
#define COUNT_EVERY_MS 1000
#define AGAIN_MS 100
#define AGAIN_LATER_MS 1000

struct open_account {
    char key[OUTBOX_ACCOUNT_BYTES];
    size_t count;
    int64_t went; /* of the results that are being told: they count for its day */
};

struct outgoing {
    struct act *act;
    struct outbox *putting, *taking; /* of the sender's thread; of ours */
    uint64_t puts;                   /* sender's thread */
    struct buffer text, sealed;      /* likewise */
    struct arena arena;
    uint64_t *under_way; /* what the outbox had when we came, ascending */
    size_t under_way_count, under_way_room;

    pthread_mutex_t mutex;
    struct open_account accounts[ACT_ACCOUNTS_MAX];
    size_t account_count;
    struct outbox_counts counts;
    _Atomic bool stopping;
    pthread_t thread;
    bool runs;

    /* our thread */
    struct arena taken;
    struct json_parser *parser;
    struct buffer numbers;
    steady_ns stopped, counted, day_asked;
    int64_t day_start_ms;
    bool is_away; /* and it was said */
};

static uint64_t epoch_of(const struct outgoing *outgoing)
{
    return log_epoch(outgoing->act->engine->log);
}

/* What failed is tried again while it may help. */
static bool tries_again(struct outgoing *outgoing, err error, const struct problem *problem)
{
    if (error == ERR_OK || error == ERR_LOCKED || atomic_load(&outgoing->stopping))
        return false;
    log_line(LOG_WARN, "outbox_waits", "reason=\"%s\"", problem->detail);
    steady_sleep_ms(AGAIN_MS);
    return true;
}

/* ---- how many of an account are out ---- */

static struct open_account *account_at(struct outgoing *outgoing, str key)
{
    for (size_t i = 0; i < outgoing->account_count; i++)
        if (str_equal(str_from_c(outgoing->accounts[i].key), key))
            return &outgoing->accounts[i];
    if (outgoing->account_count == ACT_ACCOUNTS_MAX || key.size >= OUTBOX_ACCOUNT_BYTES)
        return NULL;
    struct open_account *account = &outgoing->accounts[outgoing->account_count++];
    memcpy(account->key, key.data, key.size);
    return account;
}

static void count_out(struct outgoing *outgoing, str key, bool out)
{
    pthread_mutex_lock(&outgoing->mutex);
    struct open_account *account = account_at(outgoing, key);
    if (account != NULL && (out || account->count > 0))
        account->count += out ? 1 : SIZE_MAX;
    pthread_mutex_unlock(&outgoing->mutex);
}

static void note_went(struct outgoing *outgoing, str key, enum channel_outcome outcome)
{
    if (outcome == CHANNEL_LATER || outcome == CHANNEL_REFUSED)
        return;
    pthread_mutex_lock(&outgoing->mutex);
    struct open_account *account = account_at(outgoing, key);
    if (account != NULL)
        account->went++;
    pthread_mutex_unlock(&outgoing->mutex);
}

size_t outgoing_room(struct outgoing *outgoing, str key)
{
    pthread_mutex_lock(&outgoing->mutex);
    const struct open_account *account = account_at(outgoing, key);
    size_t room = account != NULL && account->count < ROOM ? ROOM - account->count : 0;
    pthread_mutex_unlock(&outgoing->mutex);
    return room;
}

/* ---- putting: the sender's thread ---- */

static err write_message(struct outgoing *outgoing, const struct channel_message *message,
                         struct json_writer *writer)
{
    str sealed;
    arena_reset(&outgoing->arena);
    buffer_clear(&outgoing->text);
    outgoing_write_message(message, &outgoing->text);
    err error = buffer_status(&outgoing->text);
    if (error == ERR_OK)
        error = keys_seal(outgoing->act->engine->keys, &outgoing->arena,
                          buffer_str(&outgoing->text), &sealed);
    if (error != ERR_OK)
        return error;
    json_begin_object(writer);
    json_member_int(writer, STR("t"), (int64_t)message->touch);
    json_member_text(writer, STR("a"), message->account);
    json_member_text(writer, STR("m"), sealed);
    json_end_object(writer);
    return ERR_OK;
}

static err write_messages(struct outgoing *outgoing, const struct channel_message *messages,
                          size_t count)
{
    struct json_writer writer;
    err error = ERR_OK;
    buffer_clear(&outgoing->sealed);
    json_writer_init(&writer, &outgoing->sealed);
    json_begin_array(&writer);
    for (size_t i = 0; i < count && error == ERR_OK; i++)
        error = write_message(outgoing, &messages[i], &writer);
    if (error != ERR_OK)
        return error;
    json_end_array(&writer);
    buffer_append_byte(&outgoing->sealed, '\0');
    return buffer_status(&outgoing->sealed);
}

void outgoing_put(struct outgoing *outgoing, const struct channel_message *messages, size_t count)
{
    struct act *act = outgoing->act;
    struct problem problem = { .error = ERR_OK };
    uint64_t epoch = epoch_of(outgoing);
    err error = write_messages(outgoing, messages, count);
    for (size_t i = 0; i < count; i++) {
        if (error == ERR_OK)
            count_out(outgoing, messages[i].account, true);
        else
            act_keep_result(
                act,
                &(struct channel_result){ .touch = messages[i].touch,
                                          .outcome = CHANNEL_LATER,
                                          .reason = STR("no_memory"),
                                          .retry_ms = act_now_ms(act) + AGAIN_LATER_MS },
                false, STR_NONE);
    }
    if (error != ERR_OK)
        return;
    uint64_t number = epoch << 32 | ++outgoing->puts;
    do {
        error =
            outbox_put(outgoing->putting, epoch, number, buffer_str(&outgoing->sealed), &problem);
    } while (tries_again(outgoing, error, &problem));
    /* What was not put stays `sending` in the log: who has the lease next finds no row of it, and recovers it. */
    if (error != ERR_OK)
        log_line(LOG_WARN, "outbox_not_put", "messages=%zu reason=\"%s\"", count, problem.detail);
}

struct zone_question {
    struct act *act;
    char zone[64];
    int64_t day_start_ms;
};

static void ask_zone(const struct engine_state *state, struct engine_question *question)
{
    struct zone_question *ask = question->context;
    (void)state;
    memcpy(ask->zone, ask->act->zone_name, sizeof ask->zone);
    ask->day_start_ms = zone_day_start_ms(ask->act->zone, act_now_ms(ask->act));
}

static bool zone_of(struct act *act, struct zone_question *ask)
{
    struct engine_question question = { .ask = ask_zone, .context = ask };
    ask->act = act;
    return engine_ask_wait(act->engine, &question) == ERR_OK;
}

void outgoing_accounts(struct outgoing *outgoing, json_value accounts)
{
    struct json_iterator iterator = json_iterate(accounts);
    struct json_writer writer;
    struct problem problem = { .error = ERR_OK };
    struct zone_question zone;
    json_value item;
    err error;
    if (!zone_of(outgoing->act, &zone))
        return;
    buffer_clear(&outgoing->sealed);
    json_writer_init(&writer, &outgoing->sealed);
    json_begin_array(&writer);
    while (json_next(&iterator, NULL, &item)) {
        enum channel_kind kind;
        if (!channel_kind_find(json_text(json_get(item, STR("kind"))), &kind) ||
            channel_kind_info(kind)->is_internal)
            continue;
        buffer_clear(&outgoing->text);
        outgoing_write_card(kind, json_get(item, STR("settings")), zone.zone, &outgoing->text);
        json_begin_object(&writer);
        json_member_text(&writer, STR("a"), json_text(json_get(item, STR("key"))));
        json_member_text(&writer, STR("c"), buffer_str(&outgoing->text));
        json_end_object(&writer);
    }
    json_end_array(&writer);
    buffer_append_byte(&outgoing->sealed, '\0');
    if (buffer_status(&outgoing->sealed) != ERR_OK)
        return;
    do {
        error = outbox_put_accounts(outgoing->putting, epoch_of(outgoing),
                                    buffer_str(&outgoing->sealed), &problem);
    } while (tries_again(outgoing, error, &problem));
}

void outgoing_used(struct outgoing *outgoing, str account, int64_t day_start_ms, int64_t count)
{
    struct problem problem = { .error = ERR_OK };
    err error;
    do {
        error = outbox_used(outgoing->putting, epoch_of(outgoing), account, day_start_ms, count,
                            true, &problem);
    } while (tries_again(outgoing, error, &problem));
}

/* ---- what was there when we came ---- */

static void note_under_way(void *context, const struct outbox_row *row)
{
    struct outgoing *outgoing = context;
    if (outgoing->under_way_count == outgoing->under_way_room)
        return; /* counted before */
    outgoing->under_way[outgoing->under_way_count++] = row->touch;
    count_out(outgoing, row->account, true);
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
    } while (tries_again(outgoing, error, &problem));
    buffer_append_str(body, STR("{\"under_way\":["));
    for (size_t i = 0; i < outgoing->under_way_count; i++)
        buffer_printf(body, "%s%" PRIu64, i > 0 ? "," : "", outgoing->under_way[i]);
    buffer_append_str(body, STR("]}"));
}

struct gone_question {
    struct outgoing *outgoing;
    struct buffer *numbers;
};

static void write_number(struct buffer *numbers, uint64_t number)
{
    buffer_printf(numbers, "%s%" PRIu64, numbers->size > 1 ? "," : "", number);
}

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
            write_number(ask->numbers, number);
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
        error = outbox_adopt(outgoing->putting, epoch_of(outgoing), outgoing->text.data, &problem);
    } while (tries_again(outgoing, error, &problem));
    if (error == ERR_OK && outgoing->under_way_count > 0)
        log_line(LOG_INFO, "outbox_adopted", "messages=%zu", outgoing->under_way_count);
}

/* ---- what came of them ---- */

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
        .retry_ms = act_now_ms(outgoing->act) + AGAIN_LATER_MS,
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
    count_out(outgoing, row->account, false);
    write_number(&outgoing->numbers, row->id);
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
        if (!zone_of(outgoing->act, &zone))
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
        if (went > 0 && outbox_used(outgoing->taking, epoch_of(outgoing), str_from_c(account->key),
                                    outgoing->day_start_ms, went, false, &problem) != ERR_OK)
            log_line(LOG_WARN, "outbox_waits", "reason=\"%s\"", problem.detail);
    }
}

static err take_results(struct outgoing *outgoing, size_t *count, struct problem *problem)
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
        error =
            outbox_forget(outgoing->taking, epoch_of(outgoing), outgoing->numbers.data, problem);
    } while (tries_again(outgoing, error, problem));
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
    write_number(&stopping->outgoing->numbers, row->touch);
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
        error = outbox_stop(outgoing->taking, epoch_of(outgoing), outgoing->numbers.data, problem);
    if (error != ERR_OK)
        return error;
    begin_taking(outgoing, &taking, "stopped");
    error = outbox_abandoned(outgoing->taking, epoch_of(outgoing), take_row, &taking, problem);
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

static void *run(void *context)
{
    struct outgoing *outgoing = context;
    pthread_setname_np(pthread_self(), "kith-outgoing");
    while (!atomic_load(&outgoing->stopping)) {
        struct problem problem = { .error = ERR_OK };
        size_t count = 0;
        err error = take_results(outgoing, &count, &problem);
        if (error == ERR_OK && is_time(&outgoing->stopped, STOP_EVERY_MS))
            error = stop_some(outgoing, &problem);
        if (error == ERR_OK && is_time(&outgoing->counted, COUNT_EVERY_MS))
            error = count_all(outgoing, &problem);
        if (error != ERR_OK && !outgoing->is_away && problem.detail[0] != '\0')
            log_line(LOG_WARN, "outbox_away", "reason=\"%s\"", problem.detail);
        outgoing->is_away = error != ERR_OK;
        if (error != ERR_OK || count == 0)
            steady_sleep_ms(error != ERR_OK ? AGAIN_MS : TURN_MS);
    }
    return NULL;
}

/* ---- life ---- */

err outgoing_new(struct outgoing **out, struct act *act, struct problem *problem)
{
    struct outgoing *outgoing = memory_alloc(sizeof *outgoing);
    const char *address = act->engine->config.log_url;
    if (outgoing == NULL)
        return problem_set(problem, ERR_NOMEM, "no memory for what goes out");
    outgoing->act = act;
    buffer_init(&outgoing->text, BYTES_MAX);
    buffer_init(&outgoing->sealed, BYTES_MAX);
    buffer_init(&outgoing->numbers, BYTES_MAX);
    arena_init(&outgoing->arena, "outgoing", BYTES_MAX);
    arena_init(&outgoing->taken, "outgoing_taken", BYTES_MAX);
    pthread_mutex_init(&outgoing->mutex, NULL);
    err error = json_parser_new(&outgoing->parser, (size_t)8 << 20);
    if (error == ERR_OK)
        error = outbox_open(&outgoing->putting, address, problem);
    if (error == ERR_OK)
        error = outbox_open(&outgoing->taking, address, problem);
    if (error != ERR_OK)
        outgoing_free(&outgoing);
    *out = outgoing;
    return error;
}

err outgoing_begin(struct outgoing *outgoing, struct problem *problem)
{
    if (pthread_create(&outgoing->thread, NULL, run, outgoing) != 0)
        return problem_set(problem, ERR_NOMEM, "no thread could be started");
    outgoing->runs = true;
    return ERR_OK;
}

void outgoing_stop(struct outgoing *outgoing)
{
    if (outgoing == NULL)
        return;
    atomic_store(&outgoing->stopping, true);
    if (outgoing->runs)
        pthread_join(outgoing->thread, NULL);
    outgoing->runs = false;
}

void outgoing_free(struct outgoing **taken)
{
    struct outgoing *outgoing = *taken;
    *taken = NULL;
    if (outgoing == NULL)
        return;
    outgoing_stop(outgoing);
    outbox_close(&outgoing->putting);
    outbox_close(&outgoing->taking);
    json_parser_free(&outgoing->parser);
    buffer_deinit(&outgoing->text);
    buffer_deinit(&outgoing->sealed);
    buffer_deinit(&outgoing->numbers);
    arena_deinit(&outgoing->arena);
    arena_deinit(&outgoing->taken);
    memory_free(outgoing->under_way);
    pthread_mutex_destroy(&outgoing->mutex);
    memory_free(outgoing);
}

bool engine_senders(struct engine *engine, struct engine_senders *senders)
{
    struct outgoing *outgoing = engine->act != NULL ? engine->act->outgoing : NULL;
    if (outgoing == NULL)
        return false;
    pthread_mutex_lock(&outgoing->mutex);
    *senders = (struct engine_senders){ .senders = outgoing->counts.senders,
                                        .accounts = outgoing->counts.accounts,
                                        .unserved = outgoing->counts.unserved,
                                        .waiting = outgoing->counts.waiting,
                                        .claimed = outgoing->counts.claimed };
    pthread_mutex_unlock(&outgoing->mutex);
    return true;
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
        error = outbox_clear(outgoing->taking, epoch_of(outgoing), true, &problem);
        steady_sleep_ms(counts.senders > 0 ? OUTBOX_FRESH_MS + AGAIN_MS : 0);
        do {
            if (error == ERR_OK)
                error = take_results(outgoing, &count, &problem);
        } while (error == ERR_OK && count > 0);
        if (error == ERR_OK)
            error = outbox_clear(outgoing->taking, epoch_of(outgoing), false, &problem);
    }
    if (error != ERR_OK)
        log_line(LOG_WARN, "outbox_not_taken_back", "reason=\"%s\"", problem.detail);
    outgoing_free(&outgoing);
}
