/* SPDX-License-Identifier: Apache-2.0 */
/* act_accounts: which accounts have something to claim, and what channels know of them. */
#include <stdio.h>
#include <string.h>

#include "base/logline.h"
#include "base/zone.h"
#include "engine/act/act_inside.h"
#include "engine/act/outgoing.h"
#include "engine/state.h"

/* ---- who is ready ---- */

static struct act_account *account_place(struct act *act, str key)
{
    for (size_t i = 0; i < act->account_count; i++)
        if (str_equal(str_from_c(act->accounts[i].key), key))
            return &act->accounts[i];
    if (act->account_count == ACT_ACCOUNTS_MAX || key.size >= sizeof act->accounts[0].key)
        return NULL;
    struct act_account *account = &act->accounts[act->account_count++];
    memcpy(account->key, key.data, key.size);
    account->key[key.size] = '\0';
    return account;
}

void act_ready(void *context, str key)
{
    struct engine *engine = context;
    struct act *act = engine->act;
    if (!act->is_started)
        return; /* at start everybody is looked at */
    pthread_mutex_lock(&act->mutex);
    struct act_account *account = account_place(act, key);
    if (account != NULL)
        account->is_ready = true;
    pthread_cond_broadcast(&act->changed);
    pthread_mutex_unlock(&act->mutex);
}

bool act_take_ready(struct act *act, size_t *index, char key[101])
{
    bool found = false;
    pthread_mutex_lock(&act->mutex);
    for (; !found && *index < act->account_count; ++*index) {
        found = act->accounts[*index].is_ready;
        if (found)
            memcpy(key, act->accounts[*index].key, sizeof act->accounts[*index].key);
        act->accounts[*index].is_ready = false;
    }
    pthread_mutex_unlock(&act->mutex);
    return found;
}

bool act_is_inside(struct act *act, str key)
{
    bool inside = false;
    pthread_mutex_lock(&act->mutex);
    const struct act_account *account = account_place(act, key);
    inside = account != NULL && account->is_inside;
    pthread_mutex_unlock(&act->mutex);
    return inside;
}

/* ---- accounts, as channels know them ---- */

struct ask_accounts {
    struct act *act;
    struct buffer text;
};

static void write_accounts(const struct engine_state *state, struct engine_question *question)
{
    struct ask_accounts *ask = question->context;
    (void)state;
    touch_write_accounts(ask->act->touches, &ask->text);
}

struct unsealing {
    const struct keys *keys;
    struct arena *arena;
};

static bool unseal_text(void *context, str name, json_value value, struct buffer *out)
{
    struct unsealing *unsealing = context;
    struct problem problem = { .error = ERR_OK };
    str plain, text = json_text(value);
    (void)name;
    if (!seal_is_sealed(text) ||
        keys_unseal(unsealing->keys, unsealing->arena, text, &plain, &problem) != ERR_OK)
        return false;
    json_write_text(out, plain);
    return true;
}

err act_put_account(struct engine *engine, str key, enum channel_kind kind, json_value settings,
                    struct problem *problem)
{
    struct act *act = engine->act;
    struct json_parser *parser = NULL;
    struct arena arena;
    struct buffer plain;
    json_value clear;
    if (channel_kind_info(kind)->is_internal || act->channels == NULL)
        return ERR_OK;
    arena_init(&arena, "act_account", (size_t)4 << 20);
    buffer_init(&plain, (size_t)1 << 20);
    struct unsealing unsealing = { .keys = act->engine->keys, .arena = &arena };
    json_write_replacing(&plain, STR_NONE, settings, unseal_text, &unsealing);
    err error = json_parser_new(&parser, (size_t)1 << 20);
    if (error == ERR_OK)
        error = json_parse(parser, buffer_str(&plain), &clear, problem);
    if (error == ERR_OK)
        error = channels_put_account(act->channels, key, kind, clear, problem);
    json_parser_free(&parser);
    buffer_deinit(&plain);
    arena_deinit(&arena);
    return error;
}

static void note_kind(struct act *act, str key, enum channel_kind kind)
{
    pthread_mutex_lock(&act->mutex);
    struct act_account *account = account_place(act, key);
    if (account != NULL)
        account->is_inside = channel_kind_info(kind)->is_internal;
    pthread_mutex_unlock(&act->mutex);
}

/* A daily quota is counted by channels while they live: after a start they are told what went before. */
struct ask_used {
    struct act *act;
    str account;
    int64_t day_start_ms, count;
};

static void ask_used(const struct engine_state *state, struct engine_question *question)
{
    struct ask_used *ask = question->context;
    (void)state;
    ask->day_start_ms = zone_day_start_ms(ask->act->zone, act_now_ms(ask->act));
    ask->count = touch_sent_since(ask->act->touches, ask->account, ask->day_start_ms);
}

static void tell_used(struct act *act, str account, json_value settings)
{
    struct ask_used ask = { .act = act, .account = account };
    struct engine_question question = { .ask = ask_used, .context = &ask };
    if (json_int(json_get(settings, STR("daily_quota")), 0) > 0 &&
        engine_ask_wait(act->engine, &question) == ERR_OK) {
        channels_used(act->channels, account, ask.day_start_ms, ask.count);
        if (act->outgoing != NULL)
            outgoing_used(act->outgoing, account, ask.day_start_ms, ask.count);
    }
}

void act_sync_accounts(struct act *act, struct json_parser *parser, bool all_ready)
{
    struct ask_accounts ask = { .act = act };
    struct engine_question question = { .ask = write_accounts, .context = &ask };
    struct problem problem = { .error = ERR_OK };
    json_value root, item;
    buffer_init(&ask.text, (size_t)64 << 20);
    if (engine_ask_wait(act->engine, &question) == ERR_OK &&
        json_parse(parser, buffer_str(&ask.text), &root, &problem) == ERR_OK) {
        struct json_iterator iterator = json_iterate(root);
        if (act->outgoing != NULL)
            outgoing_accounts(act->outgoing, root);
        while (json_next(&iterator, NULL, &item)) {
            str key = json_text(json_get(item, STR("key")));
            enum channel_kind kind;
            if (!channel_kind_find(json_text(json_get(item, STR("kind"))), &kind))
                continue;
            note_kind(act, key, kind);
            if (act_put_account(act->engine, key, kind, json_get(item, STR("settings")),
                                &problem) != ERR_OK)
                log_line(LOG_WARN, "channel_account_unusable", "account=%.*s reason=\"%s\"",
                         STR_ARG(key), problem.detail);
            else if (!all_ready) /* the first time: from then on channels count for themselves */
                tell_used(act, key, json_get(item, STR("settings")));
            if (all_ready)
                act_ready(act->engine, key);
        }
    }
    buffer_deinit(&ask.text);
}

void engine_accounts_changed(struct engine *engine)
{
    struct act *act = engine->act;
    if (!act->is_started)
        return;
    atomic_store(&act->accounts_changed, true);
    pthread_mutex_lock(&act->mutex);
    pthread_cond_broadcast(&act->changed);
    pthread_mutex_unlock(&act->mutex);
}
