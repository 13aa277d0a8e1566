/* SPDX-License-Identifier: Apache-2.0 */
/* sender: claims messages from the outbox and gives them to channels; see sender.h. One thread, and channels' own. */
#include "engine/sender.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/logline.h"
#include "engine/act_inside.h"
#include "engine/outgoing_form.h"
#include "engine/state.h"
#include "log/outbox.h"

#define OWN_MAX ACT_ACCOUNTS_MAX
#define OUT_MAX 500 /* of an account at a time */
#define ANSWERS_AT_ONCE 500
#define LOOK_EVERY_MS 200
#define TURN_MS 20
#define AGAIN_MS 100
#define SHELVES 4096 /* a power of two */
#define BYTES_MAX ((size_t)64 << 20)

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

/* An account that is ours. */
struct own {
    char key[OUTBOX_ACCOUNT_BYTES];
    uint64_t version; /* of its card, as channels know it; 0: they do not */
    size_t out;       /* claimed, and the answer is not written */
    bool is_seen, is_leaving;
    bool is_ours; /* under the mutex */
};
/* A message that channels have. */
struct flight {
    struct flight *next;
    uint64_t id, touch, seen; /* in which look it was last found to be ours */
    bool was_claimed;         /* by another */
    struct own *own;
};
/* What came of one, until it is written. */
struct answer {
    struct answer *next;
    uint64_t id;
    char own[OUTBOX_ACCOUNT_BYTES];
    struct buffer text;
};

/* Accounts as a look found them. */
struct seen_accounts {
    struct outbox_account items[OWN_MAX];
    size_t count;
};

struct sender_server {
    struct engine *engine;
    struct act *act;
    struct outbox *outbox;
    char id[OUTBOX_SENDER_BYTES];
    int64_t lease_ms;
    pthread_t thread;
    bool runs;
    _Atomic bool stopping;

    /* its thread */
    struct own *own[OWN_MAX];
    size_t own_count;
    struct json_parser *parser;
    struct arena arena;
    struct buffer text;
    struct answer *taken, **taken_last; /* from `answers`, to be written */
    struct seen_accounts seen;
    steady_ns tried;
    bool is_away;

    pthread_mutex_t mutex;
    struct flight *shelves[SHELVES];
    uint64_t look;             /* the number of the last that succeeded */
    steady_ns looked, renewed; /* from before it was asked */
    struct answer *answers, **answers_last;
};

/* ---- channels' threads ---- */

static struct flight **shelf_of(struct sender_server *sender, uint64_t touch)
{
    return &sender->shelves[touch & (SHELVES - 1)];
}

static struct flight *flight_of(struct sender_server *sender, uint64_t touch)
{
    struct flight *flight = *shelf_of(sender, touch);
    while (flight != NULL && flight->touch != touch)
        flight = flight->next;
    return flight;
}

/* S1 */
static bool may_leave(void *context, uint64_t touch)
{
    struct sender_server *sender = context;
    if (mutates("never_looks"))
        return true;
    pthread_mutex_lock(&sender->mutex);
    const struct flight *flight = flight_of(sender, touch);
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

static void done(void *context, const struct channel_result *result)
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

static struct own *own_of(struct sender_server *sender, const char *key)
{
    for (size_t i = 0; i < sender->own_count; i++)
        if (strcmp(sender->own[i]->key, key) == 0)
            return sender->own[i];
    return NULL;
}

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
    struct own *own = own_of(sender, answer->own);
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

/* Those that are there now, some at a time; what cannot be written stays for the next time. */
static err answer_all(struct sender_server *sender, struct problem *problem)
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

/* ---- which accounts are ours ---- */

static void see_account(struct sender_server *sender, const struct outbox_account *account)
{
    struct own *own = own_of(sender, account->key);
    if (own == NULL && sender->own_count < OWN_MAX) {
        own = memory_alloc(sizeof *own);
        if (own == NULL)
            return;
        memcpy(own->key, account->key, sizeof own->key);
        sender->own[sender->own_count++] = own;
        log_line(LOG_INFO, "sends_for", "account=%s", own->key);
    }
    if (own == NULL)
        return;
    own->is_seen = true;
    if (own->version != account->version)
        own->version = 0;
}

struct reading {
    struct sender_server *sender;
    struct own *own;
    bool is_known;
};

static void read_card(void *context, str card, int64_t day_ms, int64_t used)
{
    struct reading *reading = context;
    struct sender_server *sender = reading->sender;
    struct channels *channels = sender->act->channels;
    struct problem problem = { .error = ERR_OK };
    str key = str_from_c(reading->own->key);
    enum channel_kind kind;
    char zone[64];
    json_value json;
    if (json_parse(sender->parser, card, &json, &problem) != ERR_OK ||
        !channel_kind_find(json_text(json_get(json, STR("kind"))), &kind))
        return;
    snprintf(zone, sizeof zone, STR_FMT, STR_ARG(json_text(json_get(json, STR("zone")))));
    err error = channels_set_zone(channels, zone, &problem);
    if (error == ERR_OK)
        error =
            act_put_account(sender->engine, key, kind, json_get(json, STR("settings")), &problem);
    if (error != ERR_OK) {
        log_line(LOG_WARN, "channel_account_unusable", "account=%s reason=\"%s\"",
                 reading->own->key, problem.detail);
        return;
    }
    channels_used(channels, key, day_ms, used);
    reading->is_known = true;
}

/* Channels send by the settings that the account has now. */
static err learn_accounts(struct sender_server *sender, struct problem *problem)
{
    const struct outbox_account *seen = sender->seen.items;
    err error = ERR_OK;
    for (size_t i = 0; i < sender->seen.count && error == ERR_OK; i++) {
        struct own *own = own_of(sender, seen[i].key);
        struct reading reading = { .sender = sender, .own = own };
        if (own == NULL || own->version == seen[i].version)
            continue;
        error = outbox_card(sender->outbox, own->key, read_card, &reading, problem);
        if (error == ERR_OK)
            own->version = reading.is_known ? seen[i].version : 0;
    }
    return error;
}

/* What is not ours any more: what channels have of it may not leave (S1), and is told as it is. */
static void drop_lost(struct sender_server *sender)
{
    for (size_t i = 0; i < sender->own_count;) {
        struct own *own = sender->own[i];
        if (own->is_seen || own->out > 0) {
            i++;
            continue;
        }
        log_line(LOG_INFO, "sends_no_more_for", "account=%s", own->key);
        channels_delete_account(sender->act->channels, str_from_c(own->key));
        sender->own[i] = sender->own[--sender->own_count];
        memory_free(own);
    }
}

static void note_account(void *context, const struct outbox_account *account)
{
    struct sender_server *sender = context;
    see_account(sender, account);
    if (sender->seen.count < OWN_MAX)
        sender->seen.items[sender->seen.count++] = *account;
}

/* S3 */
static err share(struct sender_server *sender, const struct outbox_look *look,
                 struct problem *problem)
{
    size_t senders = look->senders > 0 ? look->senders : 1;
    size_t fair = (look->accounts + senders - 1) / senders, kept = 0;
    err error = ERR_OK;
    for (size_t i = 0; i < sender->own_count && error == ERR_OK; i++) {
        struct own *own = sender->own[i];
        own->is_leaving = own->is_seen && ++kept > fair;
        if (!own->is_leaving || own->out > 0)
            continue;
        error = outbox_release(sender->outbox, sender->id, own->key, problem);
        if (error == ERR_OK)
            own->is_seen = false;
    }
    if (error == ERR_OK && kept < fair)
        error = outbox_take(sender->outbox, sender->id, sender->lease_ms, fair - kept, note_account,
                            sender, problem);
    return error;
}

struct marking {
    struct sender_server *sender;
    uint64_t look;
};

static void mark_flight(void *context, const struct outbox_row *row)
{
    const struct marking *marking = context;
    struct flight *flight = flight_of(marking->sender, row->touch);
    if (flight != NULL && flight->id == row->id)
        flight->seen = marking->look;
}

static void mark_locked(void *context, const struct outbox_row *row)
{
    struct sender_server *sender = ((const struct marking *)context)->sender;
    pthread_mutex_lock(&sender->mutex);
    mark_flight(context, row);
    pthread_mutex_unlock(&sender->mutex);
}

/* From here on may_leave answers by what this look has seen. */
static void look_counts(struct sender_server *sender, uint64_t number, steady_ns renewed,
                        steady_ns looked)
{
    pthread_mutex_lock(&sender->mutex);
    sender->look = number;
    sender->renewed = renewed;
    sender->looked = looked;
    for (size_t i = 0; i < sender->own_count; i++)
        sender->own[i]->is_ours = sender->own[i]->is_seen;
    pthread_mutex_unlock(&sender->mutex);
}

static err look(struct sender_server *sender, struct problem *problem)
{
    struct outbox_look look;
    struct marking marking = { .sender = sender, .look = sender->look + 1 };
    const char *address = sender->engine->config.address;
    sender->seen.count = 0;
    for (size_t i = 0; i < sender->own_count; i++)
        sender->own[i]->is_seen = false;
    steady_ns renewed = steady_now();
    err error = outbox_renew(sender->outbox, sender->id, address != NULL ? address : "",
                             sender->lease_ms, &look, note_account, sender, problem);
    steady_ns looked = steady_now();
    if (error == ERR_OK)
        error = outbox_may_leave(sender->outbox, sender->id, mark_locked, &marking, problem);
    if (error == ERR_OK)
        error = share(sender, &look, problem);
    if (error == ERR_OK)
        error = learn_accounts(sender, problem);
    if (error != ERR_OK)
        return error;
    look_counts(sender, marking.look, renewed, looked);
    drop_lost(sender);
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
    done(sender, &(struct channel_result){ .touch = row->touch,
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

static err claim(struct sender_server *sender, struct own *own, bool *some, struct problem *problem)
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

static bool is_fresh(struct sender_server *sender)
{
    pthread_mutex_lock(&sender->mutex);
    bool fresh = sender->looked.ns != 0 && steady_since_ms(sender->looked) < OUTBOX_FRESH_MS;
    pthread_mutex_unlock(&sender->mutex);
    return fresh;
}

static err turn(struct sender_server *sender, bool *some, struct problem *problem)
{
    err error = ERR_OK;
    if (sender->tried.ns == 0 || steady_since_ms(sender->tried) >= LOOK_EVERY_MS) {
        sender->tried = steady_now();
        error = look(sender, problem);
    }
    if (error == ERR_OK)
        error = answer_all(sender, problem);
    for (size_t i = 0; i < sender->own_count && error == ERR_OK; i++) {
        struct own *own = sender->own[i];
        if (own->is_ours && !own->is_leaving && own->version != 0 && is_fresh(sender))
            error = claim(sender, own, some, problem);
    }
    return error;
}

static void *run(void *context)
{
    struct sender_server *sender = context;
    pthread_setname_np(pthread_self(), "kith-sender");
    while (!atomic_load(&sender->stopping)) {
        struct problem problem = { .error = ERR_OK };
        bool some = false;
        err error = turn(sender, &some, &problem);
        if (error != ERR_OK && !sender->is_away)
            log_line(LOG_WARN, "outbox_away", "reason=\"%s\"", problem.detail);
        sender->is_away = error != ERR_OK;
        if (error != ERR_OK || !some)
            steady_sleep_ms(error != ERR_OK ? AGAIN_MS : TURN_MS);
    }
    return NULL;
}

/* ---- life ---- */

static int64_t channel_clock(void *context)
{
    return act_now_ms(((struct sender_server *)context)->act);
}

/* The lives of a server are told apart: what one had is repeated by the next. */
static void name(struct sender_server *sender)
{
    uint8_t random[16];
    randombytes_buf(random, sizeof random);
    for (size_t i = 0; i < sizeof random; i++)
        snprintf(sender->id + 2 * i, 3, "%02x", random[i]);
}

err sender_start(struct engine *engine, struct problem *problem)
{
    struct sender_server *sender = memory_alloc(sizeof *sender);
    struct act *act = engine->act;
    if (sender == NULL)
        return problem_set(problem, ERR_NOMEM, "no memory to send");
    sender->engine = engine;
    sender->act = act;
    act->sends_alone = sender;
    sender->lease_ms = engine->config.lease_ms > 0 ? engine->config.lease_ms : 10000;
    sender->answers_last = &sender->answers;
    sender->taken_last = &sender->taken;
    name(sender);
    pthread_mutex_init(&sender->mutex, NULL);
    arena_init(&sender->arena, "sender", BYTES_MAX);
    buffer_init(&sender->text, BYTES_MAX);
    const struct channels_config config = {
        .sandbox_url = str_from_c(engine->config.sandbox_url),
        .now_ms = channel_clock,
        .done = done,
        .may_leave = may_leave,
        .context = sender,
        .seed = keys_seed(engine->keys, STR("channel")),
        .zone = act->zone_name,
    };
    err error = json_parser_new(&sender->parser, (size_t)8 << 20);
    if (error == ERR_OK)
        error = outbox_open(&sender->outbox, engine->config.log_url, problem);
    if (error == ERR_OK)
        error = channels_new(&act->channels, &config, problem);
    if (error == ERR_OK && pthread_create(&sender->thread, NULL, run, sender) != 0)
        error = problem_set(problem, ERR_NOMEM, "no thread could be started");
    sender->runs = error == ERR_OK;
    return error;
}

/* As far as the server is there: who ends in order leaves nothing to be repeated. */
static void say_the_last(struct sender_server *sender)
{
    struct problem problem = { .error = ERR_OK };
    err error = answer_all(sender, &problem);
    if (error == ERR_OK)
        error = outbox_release(sender->outbox, sender->id, NULL, &problem);
    if (error != ERR_OK)
        log_line(LOG_WARN, "outbox_away", "reason=\"%s\"", problem.detail);
}

void sender_stop(struct engine *engine, int64_t timeout_ms)
{
    struct sender_server *sender = engine->act != NULL ? engine->act->sends_alone : NULL;
    if (sender == NULL)
        return;
    engine->act->sends_alone = NULL;
    atomic_store(&sender->stopping, true);
    if (sender->runs)
        pthread_join(sender->thread, NULL);
    if (engine->act->channels != NULL)
        channels_free(&engine->act->channels, timeout_ms); /* tells of all that it has */
    if (sender->outbox != NULL)
        say_the_last(sender);
    take_answers(sender);
    while (sender->taken != NULL)
        sender->taken = free_answer(sender, sender->taken);
    for (size_t i = 0; i < SHELVES; i++)
        while (sender->shelves[i] != NULL) {
            struct flight *flight = sender->shelves[i];
            sender->shelves[i] = flight->next;
            memory_free(flight);
        }
    for (size_t i = 0; i < sender->own_count; i++)
        memory_free(sender->own[i]);
    outbox_close(&sender->outbox);
    json_parser_free(&sender->parser);
    buffer_deinit(&sender->text);
    arena_deinit(&sender->arena);
    pthread_mutex_destroy(&sender->mutex);
    memory_free(sender);
}
