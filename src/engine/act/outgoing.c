/* SPDX-License-Identifier: Apache-2.0 */
/* outgoing: messages and accounts into the outbox; see outgoing.h. */
#include "engine/act/outgoing.h"

#include <inttypes.h>
#include <string.h>

#include "base/logline.h"
#include "base/zone.h"
#include "engine/act/outgoing_form.h"
#include "engine/act/outgoing_inside.h"
#include "engine/state.h"

#define ROOM 1000 /* of an account: claimed and not answered */
#define BYTES_MAX ((size_t)64 << 20)

uint64_t outgoing_epoch(const struct outgoing *outgoing)
{
    return log_epoch(outgoing->act->engine->log);
}

/* What failed is tried again while it may help. */
bool outgoing_tries_again(struct outgoing *outgoing, err error, const struct problem *problem)
{
    if (error == ERR_OK || error == ERR_LOCKED || atomic_load(&outgoing->stopping))
        return false;
    log_line(LOG_WARN, "outbox_waits", "reason=\"%s\"", problem->detail);
    steady_sleep_ms(OUTGOING_AGAIN_MS);
    return true;
}

/* ---- how many of an account are out ---- */

struct open_account *outgoing_account_at(struct outgoing *outgoing, str key)
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

void outgoing_count_out(struct outgoing *outgoing, str key, bool out)
{
    pthread_mutex_lock(&outgoing->mutex);
    struct open_account *account = outgoing_account_at(outgoing, key);
    if (account != NULL && (out || account->count > 0))
        account->count += out ? 1 : SIZE_MAX;
    pthread_mutex_unlock(&outgoing->mutex);
}

size_t outgoing_room(struct outgoing *outgoing, str key)
{
    pthread_mutex_lock(&outgoing->mutex);
    const struct open_account *account = outgoing_account_at(outgoing, key);
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
    uint64_t epoch = outgoing_epoch(outgoing);
    err error = write_messages(outgoing, messages, count);
    for (size_t i = 0; i < count; i++) {
        if (error == ERR_OK)
            outgoing_count_out(outgoing, messages[i].account, true);
        else
            act_keep_result(
                act,
                &(struct channel_result){ .touch = messages[i].touch,
                                          .outcome = CHANNEL_LATER,
                                          .reason = STR("no_memory"),
                                          .retry_ms = act_now_ms(act) + OUTGOING_LATER_MS },
                false, STR_NONE);
    }
    if (error != ERR_OK)
        return;
    uint64_t number = epoch << 32 | ++outgoing->puts;
    do {
        error =
            outbox_put(outgoing->putting, epoch, number, buffer_str(&outgoing->sealed), &problem);
    } while (outgoing_tries_again(outgoing, error, &problem));
    /* What was not put stays `sending` in the log: who has the lease next finds no row of it, and recovers it. */
    if (error != ERR_OK)
        log_line(LOG_WARN, "outbox_not_put", "messages=%zu reason=\"%s\"", count, problem.detail);
}

static void ask_zone(const struct engine_state *state, struct engine_question *question)
{
    struct zone_question *ask = question->context;
    (void)state;
    memcpy(ask->zone, ask->act->zone_name, sizeof ask->zone);
    ask->day_start_ms = zone_day_start_ms(ask->act->zone, act_now_ms(ask->act));
}

bool outgoing_zone_of(struct act *act, struct zone_question *ask)
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
    if (!outgoing_zone_of(outgoing->act, &zone))
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
        error = outbox_put_accounts(outgoing->putting, outgoing_epoch(outgoing),
                                    buffer_str(&outgoing->sealed), &problem);
    } while (outgoing_tries_again(outgoing, error, &problem));
}

void outgoing_used(struct outgoing *outgoing, str account, int64_t day_start_ms, int64_t count)
{
    struct problem problem = { .error = ERR_OK };
    err error;
    do {
        error = outbox_used(outgoing->putting, outgoing_epoch(outgoing), account, day_start_ms,
                            count, true, &problem);
    } while (outgoing_tries_again(outgoing, error, &problem));
}

void outgoing_write_number(struct buffer *numbers, uint64_t number)
{
    buffer_printf(numbers, "%s%" PRIu64, numbers->size > 1 ? "," : "", number);
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
    if (pthread_create(&outgoing->thread, NULL, outgoing_run, outgoing) != 0)
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
