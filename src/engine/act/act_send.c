/* SPDX-License-Identifier: Apache-2.0 */
/* act_send: the thread that sends, and beginning and end of it and of the teller (act_results.c), which brings back what came of it.
 *
 *     sender:  changed accounts ─▶ due ─▶ each ready account with room: touch.claim, recipients from the ledger, channels_send
 *     teller:  results of at most RESULTS_AT_ONCE touches ─▶ touch.results and events, one append
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/logline.h"
#include "engine/act/act_inside.h"
#include "engine/act/outgoing.h"
#include "engine/act/sender.h"
#include "engine/state.h"

#define CLAIM_AT_ONCE 1000
#define ANSWER_BYTES_MAX ((size_t)8 << 20)
#define NO_ROOM_MS 5
#define IDLE_MS 200
#define RETRY_MS 1000
#define RUN_AT_ONCE 5000

/* Deliberate defects, named by KITH_MUTATE_SENDS, so that the crash test is seen to catch what it is for: `other_key` (a repeat goes
 * under another key), `no_recover` (what was on its way when a server died is forgotten). */
#ifdef KITH_FAULTS
static bool mutates(const char *defect)
{
    const char *wanted = getenv("KITH_MUTATE_SENDS");
    return wanted != NULL && strcmp(wanted, defect) == 0;
}
#else
static inline bool mutates(const char *defect)
{
    (void)defect;
    return false;
}
#endif

int64_t act_now_ms(const struct act *act)
{
    return wall_clock_now_ms(act->engine->config.clock);
}

static int64_t channel_clock(void *context)
{
    return act_now_ms(context);
}

/* A virtual clock stands still but for what it is moved by. */
static int64_t channel_skipped(void *context)
{
    const struct act *act = context;
    return act_now_ms(act) - act->began_ms;
}

void act_time_passed(struct engine *engine)
{
    struct act *act = engine->act;
    if (act->is_started)
        channels_time_passed(act->channels);
}

static bool may_leave(void *context, uint64_t touch)
{
    const struct act *act = context;
    /* Whose lease may have ended sends nothing: what was claimed under it is asked for, or repeated by its key, by who has it
     * now. */
    if (!log_may_act(act->engine->log))
        return false;
    return !touch_is_stopped(act->touches, (uint32_t)touch);
}

/* ---- recipients ---- */

struct recipient {
    uint32_t row;
    str value;
};
struct recipients {
    const struct keys *keys;
    struct arena *arena;
    struct recipient *items;
    size_t count;
};

static int compare_rows(const void *left, const void *right)
{
    uint32_t a = *(const uint32_t *)left, b = *(const uint32_t *)right;
    return a < b ? -1 : a > b;
}

static bool take_recipient(void *context, const struct identity_row_view *view)
{
    struct recipients *recipients = context;
    struct problem problem = { .error = ERR_OK };
    str value = view->value, plain;
    if ((view->flags & IDENTIFIER_SEALED) != 0) {
        if (keys_unseal(recipients->keys, recipients->arena, value, &plain, &problem) != ERR_OK)
            return true;
        value = plain;
    } else if (arena_dup(recipients->arena, value, &plain) == ERR_OK) {
        value = plain;
    }
    recipients->items[recipients->count++] = (struct recipient){ .row = view->row, .value = value };
    return true;
}

static str recipient_of(const struct recipients *recipients, uint32_t row)
{
    for (size_t low = 0, high = recipients->count; low < high;) {
        size_t middle = (low + high) / 2;
        if (recipients->items[middle].row == row)
            return recipients->items[middle].value;
        if (recipients->items[middle].row < row)
            low = middle + 1;
        else
            high = middle;
    }
    return STR_NONE;
}

static err read_recipients(struct act *act, json_value messages, struct arena *arena,
                           struct recipients *recipients)
{
    struct json_iterator iterator = json_iterate(messages);
    struct problem problem = { .error = ERR_OK };
    size_t count = 0, unique = 0, most = json_count(messages) + 1;
    json_value message;
    uint32_t *rows = arena_array(arena, uint32_t, most);
    *recipients = (struct recipients){ .keys = act->engine->keys, .arena = arena };
    recipients->items = arena_array(arena, struct recipient, most);
    if (rows == NULL || recipients->items == NULL)
        return ERR_NOMEM;
    while (json_next(&iterator, NULL, &message)) {
        uint32_t row = (uint32_t)json_int(json_get(message, STR("row")), 0);
        if (row != 0)
            rows[count++] = row;
    }
    qsort(rows, count, sizeof *rows, compare_rows);
    for (size_t i = 0; i < count; i++)
        if (i == 0 || rows[i] != rows[i - 1])
            rows[unique++] = rows[i];
    return identity_read_rows(act->engine->identity, act->engine->ledger, rows, unique,
                              take_recipient, recipients, &problem);
}

/* ---- sending ---- */

struct sender {
    struct act *act;
    struct json_parser *parser;
    struct arena arena;
    struct buffer answer, body, contents;
};

static err run_command(struct sender *sender, const char *operation, str body)
{
    struct engine_command command = { .operation = str_from_c(operation), .body = body };
    struct problem problem = { .error = ERR_OK };
    int status = 0;
    buffer_clear(&sender->answer);
    err error = engine_command(sender->act->engine, &command, &status, &sender->answer, &problem);
    if (error == ERR_OK && status != 200) {
        log_line(LOG_WARN, "touch_command_refused", "operation=%s status=%d", operation, status);
        error = ERR_UNPROCESSABLE;
    }
    return error;
}

static void tell_later(struct act *act, uint64_t touch, const char *reason)
{
    struct channel_result result = { .touch = touch,
                                     .outcome = CHANNEL_LATER,
                                     .reason = str_from_c(reason),
                                     .retry_ms = act_now_ms(act) + RETRY_MS };
    act_keep_result(act, &result, false, STR_NONE);
}

static void send_inside(struct act *act, enum channel_kind kind, json_value message, str content)
{
    struct channel_result result = {
        .touch = (uint64_t)json_int(json_get(message, STR("touch")), 0),
        .outcome = kind == CHANNEL_CALL_CENTER ? CHANNEL_SENT : CHANNEL_DELIVERED,
        .response = json_text(json_get(message, STR("coupon"))),
    };
    act_keep_result(act, &result, kind == CHANNEL_POINTS, content);
}

static struct channel_message message_of(str account, enum channel_kind kind, json_value json,
                                         const struct recipients *recipients, str content)
{
    struct channel_message message = {
        .touch = (uint64_t)json_int(json_get(json, STR("touch")), 0),
        .account = account,
        .form = json_text(json_get(json, STR("form"))),
        .content = content,
        .expires_ms = json_int(json_get(json, STR("expires")), 0),
        .is_repeat = json_bool(json_get(json, STR("repeat")), false),
        .is_decided = json_bool(json_get(json, STR("decided")), false),
        .order = (uint64_t)json_int(json_get(json, STR("customer")), 0),
        .tries = (uint32_t)json_int(json_get(json, STR("tries")), 0),
    };
    str key = json_text(json_get(json, STR("key")));
    memcpy(message.key, key.data, key.size < 32 ? key.size : 32);
    if (message.is_repeat && mutates("other_key"))
        message.key[0] = message.key[0] == '0' ? '1' : '0';
    if (channel_kind_info(kind)->identifier_type[0] != '\0')
        message.recipient =
            recipient_of(recipients, (uint32_t)json_int(json_get(json, STR("row")), 0));
    return message;
}

static void hand_over(struct act *act, const struct channel_message *messages, size_t count)
{
    struct problem problem = { .error = ERR_OK };
    size_t taken = 0;
    if (act->outgoing != NULL) {
        outgoing_put(act->outgoing, messages, count);
        return;
    }
    err error = channels_send(act->channels, messages, count, &taken, &problem);
    for (size_t i = taken; i < count; i++)
        tell_later(act, messages[i].touch, error == ERR_BUSY ? "busy" : "no_such_account");
}

static err send_claimed(struct sender *sender, str account, json_value messages)
{
    struct act *act = sender->act;
    struct json_iterator iterator = json_iterate(messages);
    struct recipients recipients;
    size_t count = 0;
    json_value json;
    struct channel_message *batch =
        arena_array(&sender->arena, struct channel_message, json_count(messages) + 1);
    if (batch == NULL || read_recipients(act, messages, &sender->arena, &recipients) != ERR_OK)
        return ERR_NOMEM;
    while (json_next(&iterator, NULL, &json)) {
        enum channel_kind kind;
        str content;
        if (!channel_kind_find(json_text(json_get(json, STR("kind"))), &kind))
            continue;
        buffer_clear(&sender->contents);
        json_write_value(&sender->contents, json_get(json, STR("content")));
        if (arena_dup(&sender->arena, buffer_str(&sender->contents), &content) != ERR_OK)
            return ERR_NOMEM;
        if (channel_kind_info(kind)->is_internal)
            send_inside(act, kind, json, content);
        else
            batch[count++] = message_of(account, kind, json, &recipients, content);
    }
    if (count > 0)
        hand_over(act, batch, count);
    atomic_fetch_add(&act->claimed, json_count(messages));
    return ERR_OK;
}

/* What was claimed and could not be read back is told as 'later': it never left. */
static void give_back(struct act *act, json_value messages)
{
    struct json_iterator iterator = json_iterate(messages);
    json_value message;
    while (json_next(&iterator, NULL, &message))
        tell_later(act, (uint64_t)json_int(json_get(message, STR("touch")), 0), "no_memory");
}

static err claim(struct sender *sender, str account, size_t limit, bool *more)
{
    struct problem problem = { .error = ERR_OK };
    json_value root;
    *more = false;
    buffer_clear(&sender->body);
    buffer_printf(&sender->body, "{\"account\":\"" STR_FMT "\",\"limit\":%zu}", STR_ARG(account),
                  limit);
    err error = run_command(sender, "touch.claim", buffer_str(&sender->body));
    if (error == ERR_OK)
        error = json_parse(sender->parser, buffer_str(&sender->answer), &root, &problem);
    if (error != ERR_OK)
        return error;
    json_value messages = json_get(root, STR("messages"));
    *more = json_bool(json_get(root, STR("more")), false);
    arena_reset(&sender->arena);
    if (json_count(messages) > 0 && send_claimed(sender, account, messages) != ERR_OK)
        give_back(sender->act, messages);
    return ERR_OK;
}

/* ---- the sender's thread ---- */

static size_t room_of(struct act *act, str key)
{
    if (act_is_inside(act, key))
        return CLAIM_AT_ONCE;
    size_t room = act->outgoing != NULL ? outgoing_room(act->outgoing, key)
                                        : channels_room(act->channels, key);
    return room < CLAIM_AT_ONCE ? room : CLAIM_AT_ONCE;
}

/* One round over the ready accounts; true when some could not be served for want of room. */
static bool serve_accounts(struct sender *sender)
{
    struct act *act = sender->act;
    bool wants_room = false;
    char key[101];
    for (size_t index = 0; act_take_ready(act, &index, key);) {
        str account = str_from_c(key);
        bool more = false;
        size_t room = room_of(act, account);
        if (room == 0) {
            wants_room = true;
            act_ready(act->engine, account);
            continue;
        }
        err error = claim(sender, account, room, &more);
        if (error == ERR_BUSY || error == ERR_STORAGE_FULL)
            steady_sleep_ms(NO_ROOM_MS);
        if (more || (error != ERR_OK && error != ERR_UNPROCESSABLE))
            act_ready(act->engine, account);
    }
    return wants_room;
}

static void run_due(struct sender *sender)
{
    struct act *act = sender->act;
    if (atomic_load(&act->next_due_ms) > act_now_ms(act))
        return;
    buffer_clear(&sender->body);
    buffer_printf(&sender->body, "{\"limit\":%d}", RUN_AT_ONCE);
    if (run_command(sender, "touch.run", buffer_str(&sender->body)) != ERR_OK)
        steady_sleep_ms(NO_ROOM_MS);
}

static void wait_for_work(struct act *act, bool wants_room)
{
    int64_t wait_ms = wants_room ? NO_ROOM_MS : IDLE_MS;
    int64_t due_ms = atomic_load(&act->next_due_ms) - act_now_ms(act);
    bool ready = false;
    struct timespec deadline;
    wait_ms = due_ms < wait_ms ? (due_ms > 0 ? due_ms : 0) : wait_ms;
    pthread_mutex_lock(&act->mutex);
    for (size_t i = 0; i < act->account_count; i++)
        ready = ready || act->accounts[i].is_ready;
    if (!act->stopping && wait_ms > 0 && (!ready || wants_room)) {
        clock_gettime(CLOCK_MONOTONIC, &deadline);
        deadline.tv_nsec += (long)(wait_ms * 1000000);
        deadline.tv_sec += deadline.tv_nsec / 1000000000;
        deadline.tv_nsec %= 1000000000;
        pthread_cond_timedwait(&act->changed, &act->mutex, &deadline);
    }
    pthread_mutex_unlock(&act->mutex);
}

static bool is_stopping(struct act *act)
{
    pthread_mutex_lock(&act->mutex);
    bool stopping = act->stopping;
    pthread_mutex_unlock(&act->mutex);
    return stopping;
}

/* What was on its way when a server died; what other servers have is on its way still. */
static err recover(struct sender *sender)
{
    struct act *act = sender->act;
    buffer_clear(&sender->contents);
    if (act->outgoing != NULL)
        outgoing_write_recover(act->outgoing, &sender->contents);
    else
        outgoing_take_back(act);
    if (act->outgoing == NULL)
        buffer_append_str(&sender->contents, STR("{}"));
    err error = run_command(sender, "touch.recover", buffer_str(&sender->contents));
    if (error == ERR_OK && act->outgoing != NULL)
        outgoing_adopt(act->outgoing);
    return error;
}

static void *send_loop(void *context)
{
    struct act *act = context;
    struct sender sender = { .act = act };
    pthread_setname_np(pthread_self(), "kith-sender");
    arena_init(&sender.arena, "act_sender", (size_t)256 << 20);
    buffer_init(&sender.answer, ANSWER_BYTES_MAX);
    buffer_init(&sender.body, 4096);
    buffer_init(&sender.contents, ANSWER_BYTES_MAX);
    if (json_parser_new(&sender.parser, ANSWER_BYTES_MAX) == ERR_OK) {
        act_sync_accounts(act, sender.parser, false);
        if (mutates("no_recover") || recover(&sender) == ERR_OK)
            act_sync_accounts(act, sender.parser, true);
        while (!is_stopping(act)) {
            if (atomic_exchange(&act->accounts_changed, false))
                act_sync_accounts(act, sender.parser, true);
            run_due(&sender);
            bool wants_room = serve_accounts(&sender);
            wait_for_work(act, wants_room);
        }
    }
    json_parser_free(&sender.parser);
    buffer_deinit(&sender.answer);
    buffer_deinit(&sender.body);
    buffer_deinit(&sender.contents);
    arena_deinit(&sender.arena);
    return NULL;
}

/* ---- life ---- */

err act_start(struct engine *engine, struct problem *problem)
{
    struct act *act = engine->act;
    pthread_condattr_t monotonic;
    if (engine->config.sends)
        return sender_start(engine, problem);
    if (engine->config.replay_only || engine->config.appends_nothing)
        return ERR_OK;
    struct channels_config config = {
        .sandbox_url = str_from_c(engine->config.sandbox_url),
        .now_ms = channel_clock,
        .skipped_ms = engine->config.clock->is_virtual ? channel_skipped : NULL,
        .done = act_channel_done,
        .receipts = act_channel_receipts,
        .may_leave = may_leave,
        .context = act,
        .seed = keys_seed(engine->keys, STR("channel")),
        .zone = act->zone_name,
    };
    act->began_ms = act_now_ms(act);
    pthread_mutex_init(&act->mutex, NULL);
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&act->changed, &monotonic);
    pthread_condattr_destroy(&monotonic);
    act->results_last = &act->results;
    err error = channels_new(&act->channels, &config, problem);
    if (error == ERR_OK && engine->config.senders)
        error = outgoing_new(&act->outgoing, act, problem);
    if (error != ERR_OK)
        return error;
    act->is_started = true;
    if (act->outgoing != NULL)
        error = outgoing_begin(act->outgoing, problem);
    if (error != ERR_OK)
        return error;
    if (pthread_create(&act->teller, NULL, act_tell_loop, act) != 0)
        return problem_set(problem, ERR_NOMEM, "no thread could be started");
    act->teller_runs = true;
    if (pthread_create(&act->sender, NULL, send_loop, act) != 0)
        return problem_set(problem, ERR_NOMEM, "no thread could be started");
    act->sender_runs = true;
    return ERR_OK;
}

void act_stop(struct engine *engine, int64_t timeout_ms)
{
    struct act *act = engine->act;
    sender_stop(engine, timeout_ms);
    if (act == NULL || !act->is_started)
        return;
    outgoing_stop(act->outgoing);
    pthread_mutex_lock(&act->mutex);
    act->stopping = true;
    pthread_cond_broadcast(&act->changed);
    pthread_mutex_unlock(&act->mutex);
    if (act->sender_runs)
        pthread_join(act->sender, NULL);
    channels_free(&act->channels, timeout_ms); /* tells of all that it has */
    pthread_mutex_lock(&act->mutex);
    act->draining = true;
    pthread_cond_broadcast(&act->changed);
    pthread_mutex_unlock(&act->mutex);
    if (act->teller_runs)
        pthread_join(act->teller, NULL);
    act->sender_runs = act->teller_runs = false;
    outgoing_free(&act->outgoing);
}

err engine_append_records(struct engine *engine, str records, uint32_t count)
{
    return atomic_load(&engine->stopping) ? ERR_UNAVAILABLE
                                          : engine_append_wait(engine, records, count);
}

struct channels *engine_channels(struct engine *engine)
{
    return engine->act->channels;
}
