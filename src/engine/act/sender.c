/* SPDX-License-Identifier: Apache-2.0 */
/* sender: claims messages from the outbox and gives them to channels; see sender.h. One thread, and channels' own. */
#include "engine/act/sender.h"

#include <sodium.h>
#include <stdio.h>

#include "base/logline.h"
#include "engine/act/sender_inside.h"
#include "engine/state.h"

#define LOOK_EVERY_MS 200
#define TURN_MS 20
#define AGAIN_MS 100
#define BYTES_MAX ((size_t)64 << 20)

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
        error = sender_look(sender, problem);
    }
    if (error == ERR_OK)
        error = sender_answer_all(sender, problem);
    for (size_t i = 0; i < sender->own_count && error == ERR_OK; i++) {
        struct own *own = sender->own[i];
        if (own->is_ours && !own->is_leaving && own->version != 0 && is_fresh(sender))
            error = sender_claim(sender, own, some, problem);
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
        .done = sender_done,
        .may_leave = sender_may_leave,
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
    err error = sender_answer_all(sender, &problem);
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
    sender_forget_all(sender);
    for (size_t i = 0; i < sender->own_count; i++)
        memory_free(sender->own[i]);
    outbox_close(&sender->outbox);
    json_parser_free(&sender->parser);
    buffer_deinit(&sender->text);
    arena_deinit(&sender->arena);
    pthread_mutex_destroy(&sender->mutex);
    memory_free(sender);
}
