/* SPDX-License-Identifier: Apache-2.0 */
/* account: the room itself and its accounts: making and ending, putting and deleting, taking messages, health. */
#include <stdio.h>
#include <string.h>

#include "base/logline.h"
#include "channel/channel_inside.h"

#define PARSER_BYTES_MAX ((size_t)4 << 20)

static const struct provider *const PROVIDERS[CHANNEL_KIND_COUNT] = {
    [CHANNEL_WECOM] = &provider_wecom,         [CHANNEL_OFFICIAL_ACCOUNT] = &provider_official,
    [CHANNEL_MINI_PROGRAM] = &provider_mini,   [CHANNEL_SMS_ALIYUN] = &provider_aliyun,
    [CHANNEL_SMS_TENCENT] = &provider_tencent, [CHANNEL_SMTP] = &provider_smtp,
    [CHANNEL_WEBHOOK] = &provider_webhook,
};

const struct provider *provider_of(enum channel_kind kind)
{
    return PROVIDERS[kind];
}

int64_t channel_now_ns(const struct channels *channels)
{
    int64_t skipped_ms = channels->config.skipped_ms != NULL
                             ? channels->config.skipped_ms(channels->config.context)
                             : 0;
    return steady_now().ns + skipped_ms * 1000000;
}

void channels_time_passed(struct channels *channels)
{
    pthread_mutex_lock(&channels->mutex);
    pthread_cond_signal(&channels->follow_wake);
    pthread_mutex_unlock(&channels->mutex);
    loop_wake(channels);
}

int64_t channel_now_ms(const struct channels *channels)
{
    return channels->config.now_ms(channels->config.context);
}

/* ---- the room ---- */

void account_free(struct account *account)
{
    settings_give(account->settings);
    settings_give(account->live);
    memory_free(account->lanes);
    memory_free(account);
}

static void free_room(struct channels *channels)
{
    loop_close(channels);
    while (channels->accounts != NULL) {
        struct account *account = channels->accounts;
        channels->accounts = account->next;
        account_free(account);
    }
    memory_free(channels->heap);
    json_parser_free(&channels->content_parser);
    json_parser_free(&channels->nested_parser);
    json_parser_free(&channels->answer_parser);
    zone_free(&channels->zone);
    zone_free(&channels->next_zone);
    pthread_mutex_destroy(&channels->mutex);
    pthread_cond_destroy(&channels->follow_wake);
    memory_free(channels);
}

static err make_parts(struct channels *channels, struct problem *problem)
{
    err error = loop_open(channels, problem);
    if (error == ERR_OK)
        error = zone_load(
            &channels->zone,
            str_from_c(channels->config.zone != NULL ? channels->config.zone : "Asia/Shanghai"),
            problem);
    if (error == ERR_OK)
        error = json_parser_new(&channels->content_parser, PARSER_BYTES_MAX);
    if (error == ERR_OK)
        error = json_parser_new(&channels->nested_parser, PARSER_BYTES_MAX);
    if (error == ERR_OK)
        error = json_parser_new(&channels->answer_parser, PARSER_BYTES_MAX);
    return error;
}

static err start_threads(struct channels *channels, struct problem *problem)
{
    if (pthread_create(&channels->loop, NULL, loop_run, channels) != 0)
        return problem_set(problem, ERR_NOMEM, "no thread for the channels");
    channels->has_loop = true;
    return channels->config.receipts != NULL ? channel_follow_start(channels, problem) : ERR_OK;
}

err channels_new(struct channels **channels, const struct channels_config *config,
                 struct problem *problem)
{
    channel_start_curl();
    struct channels *made = memory_alloc(sizeof *made);
    if (made == NULL)
        return problem_set(problem, ERR_NOMEM, "no memory for the channels");
    made->config = *config;
    made->epoll = made->wake = -1;
    snprintf(made->sandbox_url, sizeof made->sandbox_url, STR_FMT, STR_ARG(config->sandbox_url));
    pthread_mutex_init(&made->mutex, NULL);
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&made->follow_wake, &attributes);
    pthread_condattr_destroy(&attributes);
    random_seed(&made->random, config->seed);
    err error = make_parts(made, problem);
    if (error == ERR_OK)
        error = start_threads(made, problem);
    if (error != ERR_OK) {
        channels_free(&made, 0);
        return error;
    }
    *channels = made;
    return ERR_OK;
}

void channels_free(struct channels **channels, int64_t timeout_ms)
{
    struct channels *room = *channels;
    if (room == NULL)
        return;
    pthread_mutex_lock(&room->mutex);
    room->is_stopping = true;
    room->stop_by_ns = channel_now_ns(room) + timeout_ms * 1000000;
    pthread_mutex_unlock(&room->mutex);
    channel_follow_stop(room);
    if (room->has_loop) {
        loop_wake(room);
        pthread_join(room->loop, NULL);
    }
    free_room(room);
    *channels = NULL;
}

/* ---- accounts ---- */

struct account *account_find(struct channels *channels, str key)
{
    for (struct account *account = channels->accounts; account != NULL; account = account->next)
        if (!account->is_deleted && str_equal(key, str_from_c(account->key)))
            return account;
    return NULL;
}

struct settings *account_settings(struct channels *channels, struct account *account)
{
    pthread_mutex_lock(&channels->mutex);
    struct settings *settings = settings_take(account->settings);
    pthread_mutex_unlock(&channels->mutex);
    return settings;
}

struct account *account_hold(struct channels *channels, str key)
{
    pthread_mutex_lock(&channels->mutex);
    struct account *account = account_find(channels, key);
    if (account != NULL)
        account->calls++;
    pthread_mutex_unlock(&channels->mutex);
    return account;
}

void account_release(struct channels *channels, struct account *account)
{
    pthread_mutex_lock(&channels->mutex);
    account->calls--;
    pthread_mutex_unlock(&channels->mutex);
}

/* The first words of a row of failures are told to the log; the newest stand in its health. Empty: it works again. */
void account_fail(struct channels *channels, struct account *account, const char *words)
{
    pthread_mutex_lock(&channels->mutex);
    bool is_first = account->failing[0] == '\0' && words[0] != '\0';
    snprintf(account->failing, sizeof account->failing, "%s", words);
    pthread_mutex_unlock(&channels->mutex);
    if (is_first)
        log_line(LOG_WARN, "channel_failing", "account=%s reason=\"%s\"", account->key, words);
}

static err account_new(struct account **account, str key, enum channel_kind kind)
{
    struct account *made = memory_alloc(sizeof *made);
    if (made == NULL)
        return ERR_NOMEM;
    memcpy(made->key, key.data, key.size);
    made->kind = kind;
    made->provider = provider_of(kind);
    *account = made;
    return ERR_OK;
}

static err put_settings(struct channels *channels, str key, enum channel_kind kind,
                        struct settings *settings)
{
    struct account *account = account_find(channels, key);
    if (account != NULL && account->kind != kind) {
        account->is_deleted = true;
        account = NULL;
    }
    if (account == NULL) {
        if (account_new(&account, key, kind) != ERR_OK)
            return ERR_NOMEM;
        account->next = channels->accounts;
        account->channels = channels;
        channels->accounts = account;
    }
    settings_give(account->settings);
    account->settings = settings;
    account->is_disabled = false;
    account->failing[0] = '\0';
    channels->settings_changed = true;
    return ERR_OK;
}

err channels_put_account(struct channels *channels, str key, enum channel_kind kind,
                         json_value settings, struct problem *problem)
{
    struct settings *parsed = NULL;
    const struct provider *provider = provider_of(kind);
    if (provider == NULL)
        return problem_set(problem, ERR_UNPROCESSABLE,
                           "'%s' stays in the house: it has no account here",
                           channel_kind_info(kind)->text);
    if (key.size == 0 || key.size > 100)
        return problem_set(problem, ERR_UNPROCESSABLE, "a key has 1 to 100 bytes, not %zu",
                           key.size);
    err error =
        settings_parse(&parsed, kind, settings, provider->base_url, channels->sandbox_url, problem);
    if (error == ERR_OK && provider->check != NULL)
        error = provider->check(parsed, problem);
    if (error != ERR_OK) {
        settings_give(parsed);
        return error;
    }
    pthread_mutex_lock(&channels->mutex);
    error = put_settings(channels, key, kind, parsed);
    pthread_mutex_unlock(&channels->mutex);
    if (error != ERR_OK) {
        settings_give(parsed);
        return problem_set(problem, error, "no memory for an account");
    }
    loop_wake(channels);
    return ERR_OK;
}

void channels_delete_account(struct channels *channels, str key)
{
    pthread_mutex_lock(&channels->mutex);
    struct account *account = account_find(channels, key);
    if (account != NULL)
        account->is_deleted = true;
    pthread_mutex_unlock(&channels->mutex);
    loop_wake(channels);
}

void channels_used(struct channels *channels, str key, int64_t day_start_ms, int64_t count)
{
    pthread_mutex_lock(&channels->mutex);
    struct account *account = account_find(channels, key);
    if (account != NULL) {
        account->used_day_ms = day_start_ms;
        account->used_count = count;
        channels->settings_changed = true;
    }
    pthread_mutex_unlock(&channels->mutex);
    loop_wake(channels);
}

err channels_set_zone(struct channels *channels, const char *zone, struct problem *problem)
{
    struct zone *loaded;
    err error = zone_load(&loaded, str_from_c(zone), problem);
    if (error != ERR_OK)
        return error;
    pthread_mutex_lock(&channels->mutex);
    struct zone *before = channels->next_zone;
    channels->next_zone = loaded;
    channels->settings_changed = true;
    pthread_mutex_unlock(&channels->mutex);
    zone_free(&before);
    loop_wake(channels);
    return ERR_OK;
}

/* ---- taking messages ---- */

static str copy_text(char **at, str text)
{
    str copy = { .data = *at, .size = text.size };
    if (text.size > 0)
        memcpy(*at, text.data, text.size);
    (*at)[text.size] = '\0';
    *at += text.size + 1;
    return copy;
}

/* A webhook without a number has no order; everything else goes by recipient. */
static uint64_t lane_of(const struct account *account, const struct channel_message *message)
{
    if (message->order != 0)
        return hash_mix64(message->order) | 1;
    if (account->kind == CHANNEL_WEBHOOK || message->recipient.size == 0)
        return 0;
    return hash_bytes64(message->recipient.data, message->recipient.size, 0) | 1;
}

static struct unit *unit_new(struct account *account, const struct channel_message *message)
{
    size_t texts = message->form.size + message->recipient.size + message->content.size + 3;
    struct unit *unit = memory_alloc(sizeof *unit + texts);
    if (unit == NULL)
        return NULL;
    char *at = (char *)(unit + 1);
    unit->account = account;
    unit->message = *message;
    unit->message.account = str_from_c(account->key);
    unit->message.key[sizeof unit->message.key - 1] = '\0';
    unit->message.form = copy_text(&at, message->form);
    unit->message.recipient = copy_text(&at, message->recipient);
    unit->message.content = copy_text(&at, message->content);
    unit->lane = lane_of(account, message);
    return unit;
}

static err take_one(struct channels *channels, const struct channel_message *message,
                    struct problem *problem)
{
    struct account *account = account_find(channels, message->account);
    if (account == NULL)
        return problem_set(problem, ERR_NOT_FOUND, "no account '" STR_FMT "'",
                           STR_ARG(message->account));
    if (channels->is_stopping)
        return problem_set(problem, ERR_UNAVAILABLE, "the server is stopping");
    if (message->content.size > CONTENT_BYTES_MAX)
        return problem_set(problem, ERR_TOO_LARGE, "a message of %zu bytes", message->content.size);
    if (account->queued >= (size_t)setting_number(account->settings, QUEUE_MAX))
        return problem_set(problem, ERR_BUSY, "account '%s' has %zu messages waiting", account->key,
                           (size_t)account->queued);
    struct unit *unit = unit_new(account, message);
    if (unit == NULL)
        return problem_set(problem, ERR_NOMEM, "no memory for a message");
    account->queued++;
    unit_list_put(&channels->inbox, unit);
    return ERR_OK;
}

err channels_send(struct channels *channels, const struct channel_message *messages, size_t count,
                  size_t *taken, struct problem *problem)
{
    err error = ERR_OK;
    size_t done = 0;
    pthread_mutex_lock(&channels->mutex);
    while (done < count && (error = take_one(channels, &messages[done], problem)) == ERR_OK)
        done++;
    pthread_mutex_unlock(&channels->mutex);
    if (done > 0)
        loop_wake(channels);
    *taken = done;
    return error;
}

size_t channels_room(struct channels *channels, str key)
{
    size_t room = 0;
    pthread_mutex_lock(&channels->mutex);
    struct account *account = account_find(channels, key);
    if (account != NULL && !account->is_disabled && !channels->is_stopping) {
        size_t most = (size_t)setting_number(account->settings, QUEUE_MAX);
        size_t queued = account->queued;
        int64_t open_until = account->open_until_ns;
        room = queued < most ? most - queued : 0;
        int64_t now_ns = channel_now_ns(channels);
        if (open_until > now_ns || account->paused_until_ns > now_ns)
            room = 0;
        else if (open_until != 0) /* half open: one, to see */
            room = queued == 0 && room > 0 ? 1 : 0;
    }
    pthread_mutex_unlock(&channels->mutex);
    return room;
}

/* ---- health ---- */

static void write_health(struct channels *channels, const struct account *account,
                         struct channel_health *health)
{
    int64_t open_until = account->open_until_ns, now_ns = channel_now_ns(channels);
    memset(health, 0, sizeof *health);
    memcpy(health->key, account->key, sizeof health->key);
    health->kind = account->kind;
    health->is_open = open_until > now_ns || account->is_disabled;
    if (open_until > now_ns)
        health->until_ms = channel_now_ms(channels) + (open_until - now_ns) / 1000000;
    health->queued = account->queued;
    health->under_way = account->under_way;
    health->sent = account->sent;
    health->refused = account->refused;
    health->uncertain = account->uncertain;
    health->repeated = account->repeated;
    if (open_until != 0 || account->is_disabled)
        snprintf(health->failing, sizeof health->failing, "%s", account->failing);
}

size_t channels_health(struct channels *channels, struct channel_health *health, size_t max)
{
    size_t count = 0;
    pthread_mutex_lock(&channels->mutex);
    for (struct account *account = channels->accounts; account != NULL && count < max;
         account = account->next)
        if (!account->is_deleted)
            write_health(channels, account, &health[count++]);
    pthread_mutex_unlock(&channels->mutex);
    return count;
}
