/* SPDX-License-Identifier: Apache-2.0 */
/* account: by what it goes out, by what text, by what policy, and what is stopped: the commands that change these. */
#include <stdio.h>
#include <string.h>

#include "touch/inside.h"

#define KEY_BYTES_MAX 100
#define SETTINGS_BYTES_MAX ((size_t)1 << 20)

static err wrong(struct problem *problem, const char *pointer, const char *what)
{
    problem_set(problem, ERR_UNPROCESSABLE, "%s", what);
    return problem_at(problem, ERR_UNPROCESSABLE, "%s", pointer);
}

static err check_key(str key, struct problem *problem)
{
    bool good = key.size > 0 && key.size <= KEY_BYTES_MAX;
    for (size_t i = 0; good && i < key.size; i++) {
        char c = key.data[i];
        good = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               c == '_' || c == '-' || c == '.';
    }
    return good ? ERR_OK
                : wrong(problem, "/key", "a key has 1 to 100 letters, digits, '_', '-' and '.'");
}

/* ---- accounts ---- */

struct account *touches_account_find(const struct touches *touches, str key)
{
    for (uint32_t i = 0; key.size > 0 && i < touches->account_count; i++)
        if (str_equal(touches->accounts[i]->key, key))
            return touches->accounts[i]->is_deleted ? NULL : touches->accounts[i];
    return NULL;
}

/* The one that is named; else the channel's default, else its only one. */
struct account *touches_account_for(const struct touches *touches, str channel, str key)
{
    struct account *only = NULL;
    size_t count = 0;
    if (key.size > 0) {
        struct account *named = touches_account_find(touches, key);
        return named != NULL && str_equal(channel, str_from_c(named->info->channel)) ? named : NULL;
    }
    for (uint32_t i = 0; i < touches->account_count; i++) {
        struct account *account = touches->accounts[i];
        if (account->is_deleted || !str_equal(channel, str_from_c(account->info->channel)))
            continue;
        if (account->is_default)
            return account;
        only = account;
        count++;
    }
    return count == 1 ? only : NULL;
}

void touches_ready_say(struct touches *touches, struct account *account)
{
    if (account->is_told || touches->config.ready == NULL)
        return;
    account->is_told = true;
    touches->config.ready(touches->config.context, account->key);
}

static err parse_quotas(struct account *account, json_value quota, struct problem *problem)
{
    struct json_iterator iterator = json_iterate(quota);
    json_value item;
    if (json_count(quota) > ACCOUNT_QUOTAS_MAX)
        return wrong(problem, "/settings/quota", "an account has at most 8 quotas per customer");
    while (json_next(&iterator, NULL, &item)) {
        struct cap *cap = &account->quotas[account->quota_count];
        err error = touches_cap_parse(&account->arena, item, "/settings/quota", cap, problem);
        if (error != ERR_OK)
            return error;
        cap->scope = CAP_ACCOUNT;
        cap->value = 0;
        account->quota_count++;
    }
    return ERR_OK;
}

static err parse_account(struct account *account, json_value settings, struct problem *problem)
{
    str uncertain = json_text(json_get(settings, STR("uncertain")));
    str window = json_text(json_get(settings, STR("window")));
    if (uncertain.size > 0 && !str_equal(uncertain, STR("leave")) &&
        !str_equal(uncertain, STR("resend")))
        return wrong(problem, "/settings/uncertain", "uncertain is leave or resend");
    account->resends_uncertain = str_equal(uncertain, STR("resend"));
    account->is_default = json_bool(json_get(settings, STR("default")), false);
    account->is_disabled = json_bool(json_get(settings, STR("disabled")), false);
    account->is_test_only = json_bool(json_get(settings, STR("test_only")), false);
    account->cost_minor = json_int(json_get(settings, STR("cost")), 0);
    account->needs_stock = account->kind == CHANNEL_MINI_PROGRAM;
    account->window_ms = account->kind == CHANNEL_OFFICIAL_ACCOUNT ? 48 * HOUR_MS : 0;
    if (window.size > 0 && !duration_parse(window, &account->window_ms))
        return wrong(problem, "/settings/window", "a window is a duration: \"48h\"");
    err error = arena_dup(&account->arena, json_text(json_get(settings, STR("namespace"))),
                          &account->namespace_);
    return error == ERR_OK ? parse_quotas(account, json_get(settings, STR("quota")), problem)
                           : error;
}

err touches_account_new(struct account **made, str key, enum channel_kind kind, json_value settings,
                        struct problem *problem)
{
    struct account *account = memory_alloc(sizeof *account);
    struct buffer text;
    if (account == NULL)
        return ERR_NOMEM;
    arena_init(&account->arena, "touch_account", SETTINGS_BYTES_MAX * 2);
    account->kind = kind;
    account->info = channel_kind_info(kind);
    buffer_init(&text, SETTINGS_BYTES_MAX);
    json_write_value(&text, settings);
    err error = buffer_status(&text);
    if (error == ERR_OK)
        error = arena_dup(&account->arena, key, &account->key);
    if (error == ERR_OK)
        error = arena_dup(&account->arena, text.size > 0 ? buffer_str(&text) : STR("{}"),
                          &account->settings);
    if (error == ERR_OK)
        error = parse_account(account, settings, problem);
    buffer_deinit(&text);
    if (error != ERR_OK)
        touches_account_free(&account);
    else
        *made = account;
    return error;
}

void touches_account_free(struct account **account)
{
    if (*account == NULL)
        return;
    touches_heap_free(&(*account)->ready);
    arena_deinit(&(*account)->arena);
    memory_free(*account);
    *account = NULL;
}

/* In place of the one with this key; its queue stays. */
err touches_account_keep(struct touches *touches, struct account *account)
{
    for (uint32_t i = 0; i < touches->account_count; i++) {
        if (!str_equal(touches->accounts[i]->key, account->key))
            continue;
        account->ready = touches->accounts[i]->ready;
        touches->accounts[i]->ready = (struct heap){ .items = NULL };
        touches_account_free(&touches->accounts[i]);
        touches->accounts[i] = account;
        return ERR_OK;
    }
    if (touches->account_count == ACCOUNTS_MAX)
        return ERR_TOO_LARGE;
    touches->accounts[touches->account_count++] = account;
    return ERR_OK;
}

/* What waits without an account finds its way once there is one. */
static err place_all(struct touches *touches)
{
    err error = ERR_OK;
    for (uint32_t slot = 1; error == ERR_OK && slot <= touches->waiting_count; slot++) {
        struct waiting *waiting = &touches->waiting[slot];
        if (waiting->line != 0 && waiting->status == TOUCH_QUEUED)
            error = touches_waiting_place(touches, waiting);
    }
    return error;
}

static void put_account_row(struct touches *touches, const struct account *account,
                            uint32_t user_number)
{
    PUT(touches, TOUCH_ACCOUNTS, ledger_text(account->key),
        ledger_text(str_from_c(account->info->text)), ledger_text(account->settings),
        ledger_int(user_number), ledger_int(touches->moment.now_ms),
        ledger_int(account->is_deleted ? touches->moment.now_ms : 0));
}

err touch_put_account(struct touches *touches, const struct touch_command *command)
{
    str key = json_text(json_get(command->body, STR("key")));
    json_value settings = json_get(command->body, STR("settings"));
    enum channel_kind kind;
    struct account *account;
    err error = check_key(key, command->problem);
    if (error != ERR_OK)
        return error;
    if (!channel_kind_find(json_text(json_get(command->body, STR("kind"))), &kind))
        return wrong(command->problem, "/kind", "there is no such kind of account");
    const struct account *before = touches_account_find(touches, key);
    if (before != NULL && before->kind != kind)
        return wrong(command->problem, "/kind",
                     "an account does not change its kind: make another");
    error = touches_account_new(&account, key, kind, settings, command->problem);
    if (error != ERR_OK)
        return error;
    touches_call_begin(touches, command->writes, command->moment);
    bool is_new = before == NULL;
    error = touches_account_keep(touches, account);
    if (error != ERR_OK) {
        touches_account_free(&account);
        return touches_call_end(touches, error);
    }
    put_account_row(touches, account, command->user_number);
    if (is_new || account->is_default)
        error = place_all(touches);
    touches_ready_say(touches, account);
    buffer_printf(command->answer, "{\"key\":\"" STR_FMT "\"}", STR_ARG(key));
    return touches_call_end(touches, error);
}

/* Its queue is looked at again: other accounts may take it, else it is dropped. */
err touch_delete_account(struct touches *touches, const struct touch_command *command)
{
    str key = json_text(json_get(command->body, STR("key")));
    struct account *account = touches_account_find(touches, key);
    err error = ERR_OK;
    if (account == NULL)
        return problem_set(command->problem, ERR_NOT_FOUND, "there is no account '" STR_FMT "'",
                           STR_ARG(key));
    touches_call_begin(touches, command->writes, command->moment);
    account->is_deleted = true;
    put_account_row(touches, account, command->user_number);
    for (uint32_t number;
         error == ERR_OK && (number = touches_ready_take(touches, account)) != 0;) {
        bool passes;
        error = touches_look_again(touches, number, &passes);
    }
    return touches_call_end(touches, error);
}

/* ---- templates ---- */

static struct kept_template **template_place(const struct touches *touches, str key)
{
    for (size_t i = 0; i < touches->template_count; i++)
        if (str_equal(touches->templates[i]->key, key))
            return &touches->templates[i];
    return NULL;
}

const struct kept_template *touches_template_of(const struct touches *touches, str key)
{
    struct kept_template **place = template_place(touches, key);
    return place != NULL && (*place)->body.size > 0 ? *place : NULL;
}

err touches_template_keep(struct touches *touches, struct kept_template *kept)
{
    struct kept_template **place = template_place(touches, kept->key);
    if (place != NULL) {
        (*place)->older = touches->old_templates;
        touches->old_templates = *place;
        *place = kept;
        return ERR_OK;
    }
    if (touches->template_count == touches->template_capacity) {
        size_t capacity = touches->template_capacity == 0 ? 64 : touches->template_capacity * 2;
        struct kept_template **items = memory_resize(touches->templates, capacity * sizeof *items);
        if (items == NULL)
            return ERR_NOMEM;
        touches->templates = items;
        touches->template_capacity = capacity;
    }
    touches->templates[touches->template_count++] = kept;
    return ERR_OK;
}

err touch_put_template(struct touches *touches, const struct touch_command *command)
{
    str key = json_text(json_get(command->body, STR("key")));
    struct kept_template **before = template_place(touches, key), *kept;
    uint32_t version = before != NULL ? (*before)->version + 1 : 1;
    err error = check_key(key, command->problem);
    if (error == ERR_OK)
        error = touches_kept_template_new(&kept, key, version, command->body, command->problem);
    if (error != ERR_OK)
        return error;
    touches_call_begin(touches, command->writes, command->moment);
    error = touches_template_keep(touches, kept);
    if (error != ERR_OK)
        touches_kept_template_free(&kept);
    else
        PUT(touches, TOUCH_TEMPLATES, ledger_text(kept->key), ledger_int(version),
            ledger_text(kept->body), ledger_int(command->user_number),
            ledger_int(command->moment.now_ms));
    buffer_printf(command->answer, "{\"key\":\"" STR_FMT "\",\"version\":%u}", STR_ARG(key),
                  version);
    return touches_call_end(touches, error);
}

err touch_delete_template(struct touches *touches, const struct touch_command *command)
{
    str key = json_text(json_get(command->body, STR("key")));
    struct kept_template **place = template_place(touches, key);
    if (place == NULL || (*place)->body.size == 0)
        return problem_set(command->problem, ERR_NOT_FOUND, "there is no template '" STR_FMT "'",
                           STR_ARG(key));
    touches_call_begin(touches, command->writes, command->moment);
    (*place)->body = STR_NONE;
    (*place)->version++;
    PUT(touches, TOUCH_TEMPLATES, ledger_text((*place)->key), ledger_int((*place)->version),
        ledger_text(STR_NONE), ledger_int(command->user_number),
        ledger_int(command->moment.now_ms));
    return touches_call_end(touches, ERR_OK);
}

/* ---- the policy ---- */

err touch_put_policy(struct touches *touches, const struct touch_command *command)
{
    struct policy *policy,
        *before = touches->policy; /* a budget counts from when it is laid down */
    json_value body = json_get(command->body, STR("policy"));
    if (!json_is_object(body))
        return wrong(command->problem, "/policy", "the policy is an object");
    err error = touches_policy_new(&policy, body, command->problem);
    if (error != ERR_OK)
        return error;
    touches_call_begin(touches, command->writes, command->moment);
    touches->policy = policy;
    touches->policy_version++;
    touches_policy_free(&before);
    PUT(touches, TOUCH_POLICY, ledger_text(STR("policy")), ledger_int(touches->policy_version),
        ledger_text(policy->body), ledger_int(command->user_number),
        ledger_int(command->moment.now_ms));
    buffer_printf(command->answer, "{\"version\":%u}", touches->policy_version);
    return touches_call_end(touches, error);
}

/* ---- stop, and go on ---- */

static const char *const stop_scopes[] = { "all", "channel", "account", "journey" };

bool touches_stop_scope_find(str text, enum stop_scope *scope)
{
    for (unsigned i = 0; i < 4; i++) {
        if (!str_equal(text, str_from_c(stop_scopes[i])))
            continue;
        *scope = (enum stop_scope)i;
        return true;
    }
    return false;
}

static struct stop *stop_find(struct touches *touches, enum stop_scope scope, str value)
{
    for (size_t i = 0; i < touches->stop_count; i++)
        if (touches->stops[i].scope == scope && str_equal(touches->stops[i].value, value))
            return &touches->stops[i];
    return NULL;
}

err touches_stop_add(struct touches *touches, const struct stop *wanted)
{
    if (touches->stop_count == STOPS_MAX)
        return ERR_TOO_LARGE;
    struct stop *stop = &touches->stops[touches->stop_count];
    *stop = *wanted;
    pthread_mutex_lock(&touches->stops_mutex);
    err error = arena_dup(&touches->texts, wanted->value, &stop->value);
    if (error == ERR_OK)
        error = arena_dup(&touches->texts, wanted->why, &stop->why);
    touches->stop_count += error == ERR_OK;
    pthread_mutex_unlock(&touches->stops_mutex);
    return error;
}

/* What was held by it is due at once; queues are looked at again. */
static err go_on(struct touches *touches)
{
    err error = ERR_OK;
    for (uint32_t slot = 1; error == ERR_OK && slot <= touches->waiting_count; slot++) {
        struct waiting *waiting = &touches->waiting[slot];
        if (waiting->line == 0 || waiting->status != TOUCH_HELD || waiting->gate != GATE_STOPPED ||
            touches_gate_stopped(touches, touches_line_at(touches, waiting->line)))
            continue;
        waiting->due_ms = touches->moment.now_ms;
        touches_state_put(touches, waiting->number,
                          &(struct step){ .status = TOUCH_HELD,
                                          .reason = str_from_c(touches_gate_code(GATE_STOPPED)),
                                          .until_ms = waiting->due_ms });
        error = touches_waiting_place(touches, waiting);
    }
    for (uint32_t i = 0; i < touches->account_count; i++)
        if (touches->accounts[i]->ready.count > 0)
            touches_ready_say(touches, touches->accounts[i]);
    return error;
}

static err lift(struct touches *touches, struct stop *stop, const struct touch_command *command)
{
    PUT(touches, TOUCH_STOPS, ledger_text(str_from_c(stop_scopes[stop->scope])),
        ledger_text(stop->value), ledger_int(stop->since_ms), ledger_int(stop->user_number),
        ledger_text(stop->why), ledger_int(command->moment.now_ms),
        ledger_int(command->user_number));
    pthread_mutex_lock(&touches->stops_mutex);
    *stop = touches->stops[--touches->stop_count];
    pthread_mutex_unlock(&touches->stops_mutex);
    return go_on(touches);
}

err touch_put_stop(struct touches *touches, const struct touch_command *command)
{
    str value = json_text(json_get(command->body, STR("value")));
    bool active = json_bool(json_get(command->body, STR("active")), true);
    struct stop wanted = { .value = value,
                           .why = json_text(json_get(command->body, STR("why"))),
                           .since_ms = command->moment.now_ms,
                           .user_number = command->user_number };
    if (!touches_stop_scope_find(json_text(json_get(command->body, STR("scope"))), &wanted.scope))
        return wrong(command->problem, "/scope",
                     "a stop is of all, a channel, an account or a journey");
    if (wanted.scope == STOP_ALL)
        wanted.value = value = STR_NONE;
    else if (value.size == 0 || value.size > KEY_BYTES_MAX)
        return wrong(command->problem, "/value", "say which channel, account or journey");
    touches_call_begin(touches, command->writes, command->moment);
    struct stop *stop = stop_find(touches, wanted.scope, value);
    err error = ERR_OK;
    if (active && stop == NULL) {
        error = touches_stop_add(touches, &wanted);
        PUT(touches, TOUCH_STOPS, ledger_text(str_from_c(stop_scopes[wanted.scope])),
            ledger_text(value), ledger_int(wanted.since_ms), ledger_int(wanted.user_number),
            ledger_text(wanted.why), ledger_int(0), ledger_int(0));
    } else if (!active && stop != NULL) {
        error = lift(touches, stop, command);
    }
    buffer_printf(command->answer, "{\"stopped\":%s}", touches->stop_count > 0 ? "true" : "false");
    return touches_call_end(touches, error);
}

/* ---- as JSON ---- */

void touch_write_stops(const struct touches *touches, struct buffer *out)
{
    struct json_writer writer;
    json_writer_init(&writer, out);
    json_begin_array(&writer);
    for (size_t i = 0; i < touches->stop_count; i++) {
        const struct stop *stop = &touches->stops[i];
        json_begin_object(&writer);
        json_member_text(&writer, STR("scope"), str_from_c(stop_scopes[stop->scope]));
        json_member_text(&writer, STR("value"), stop->value);
        json_member_text(&writer, STR("why"), stop->why);
        json_member_time(&writer, STR("since"), stop->since_ms);
        json_member_int(&writer, STR("user_number"), stop->user_number);
        json_end_object(&writer);
    }
    json_end_array(&writer);
}

void touch_write_policy(const struct touches *touches, struct buffer *out)
{
    buffer_append_str(out, touches->policy->body);
}

void touch_write_accounts(const struct touches *touches, struct buffer *out)
{
    struct json_writer writer;
    json_writer_init(&writer, out);
    json_begin_array(&writer);
    for (uint32_t i = 0; i < touches->account_count; i++) {
        const struct account *account = touches->accounts[i];
        if (account->is_deleted)
            continue;
        json_begin_object(&writer);
        json_member_text(&writer, STR("key"), account->key);
        json_member_text(&writer, STR("kind"), str_from_c(account->info->text));
        json_member_text(&writer, STR("channel"), str_from_c(account->info->channel));
        json_member_bool(&writer, STR("stopped"),
                         touches_gate_stopped(
                             touches, &(struct line){ .channel = str_from_c(account->info->channel),
                                                      .account = account->key }));
        json_member_int(&writer, STR("queued"), (int64_t)account->ready.count);
        json_member_raw(&writer, STR("settings"), account->settings);
        json_end_object(&writer);
    }
    json_end_array(&writer);
}

static void write_template(const struct kept_template *kept, struct json_writer *writer)
{
    json_begin_object(writer);
    json_member_text(writer, STR("key"), kept->key);
    json_member_int(writer, STR("version"), kept->version);
    json_member_raw(writer, STR("body"), kept->body);
    json_end_object(writer);
}

void touch_write_templates(const struct touches *touches, struct buffer *out)
{
    struct json_writer writer;
    json_writer_init(&writer, out);
    json_begin_array(&writer);
    for (size_t i = 0; i < touches->template_count; i++)
        if (touches->templates[i]->body.size > 0)
            write_template(touches->templates[i], &writer);
    json_end_array(&writer);
}

err touch_write_template(const struct touches *touches, str key, struct buffer *out)
{
    struct json_writer writer;
    const struct kept_template *kept = touches_template_of(touches, key);
    if (kept == NULL)
        return ERR_NOT_FOUND;
    json_writer_init(&writer, out);
    write_template(kept, &writer);
    return ERR_OK;
}
