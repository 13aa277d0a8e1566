/* SPDX-License-Identifier: Apache-2.0 */
/* sender_accounts: which accounts a sender has, by the outbox, and by which settings their messages go. */
#include <stdio.h>
#include <string.h>

#include "base/logline.h"
#include "engine/act/sender_inside.h"
#include "engine/state.h"

struct own *sender_own_of(struct sender_server *sender, const char *key)
{
    for (size_t i = 0; i < sender->own_count; i++)
        if (strcmp(sender->own[i]->key, key) == 0)
            return sender->own[i];
    return NULL;
}

static void see_account(struct sender_server *sender, const struct outbox_account *account)
{
    struct own *own = sender_own_of(sender, account->key);
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
        struct own *own = sender_own_of(sender, seen[i].key);
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
    struct flight *flight = sender_flight_of(marking->sender, row->touch);
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

err sender_look(struct sender_server *sender, struct problem *problem)
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
