/* SPDX-License-Identifier: Apache-2.0 */
/* Accounts of providers: who may ask, with which token, how often. */
#include <stdio.h>
#include <string.h>

#include "sandbox/inside.h"

enum { NAME_ACCOUNT = 1, NAME_TOKEN };
#define OLD_TOKEN_MS \
    (5 * MINUTE_MS) /* an official account's last token goes on so long (protocols, 4.1) */

static void copy_text(char *out, size_t size, str text)
{
    text = str_slice(text, 0, str_utf8_prefix_bytes(text, size - 1));
    if (text.size > 0)
        memcpy(out, text.data, text.size);
    out[text.size] = '\0';
}

struct account *sandbox_account_find(struct sandbox *sandbox, enum kind kind, str id)
{
    return map_get(&sandbox->by_name,
                   name_hash(NAME_ACCOUNT, NULL, str_from_c(kind_texts[kind]), id, STR_NONE));
}

struct account *account_make(struct sandbox *sandbox, enum kind kind, str id)
{
    struct account *account = sandbox_account_find(sandbox, kind, id);
    if (account != NULL || id.size == 0 || id.size >= SANDBOX_ID_BYTES || !str_is_utf8(id))
        return account;
    account = arena_new(&sandbox->arena, struct account);
    if (account == NULL)
        return NULL;
    account->kind = kind;
    copy_text(account->id, sizeof account->id, id);
    copy_text(account->secret, sizeof account->secret, STR(SANDBOX_SECRET));
    snprintf(account->user_name, sizeof account->user_name, "gh_%.100s", account->id);
    hash128 key = name_hash(NAME_ACCOUNT, NULL, str_from_c(kind_texts[kind]), id, STR_NONE);
    if (map_put(&sandbox->by_name, key, account) != ERR_OK)
        return NULL;
    account->next = sandbox->accounts;
    sandbox->accounts = account;
    return account;
}

struct account *account_of(struct sandbox *sandbox, enum kind kind, str id)
{
    struct account *account = sandbox_account_find(sandbox, kind, id);
    if (account != NULL || sandbox->settings[SETTING_STRICT] != 0)
        return account;
    return account_make(sandbox, kind, id);
}

/* Fixed windows, as the providers count. Interfaces that share a slot are counted together. */
bool account_over_rate(struct sandbox *sandbox, struct account *account, str interface,
                       int64_t window_ms, int64_t count_max)
{
    if (count_max <= 0)
        return false;
    struct rate *rate =
        &account->rates[hash_bytes64(interface.data, interface.size, 0) % RATES_MAX];
    int64_t window = sandbox_now(sandbox) / window_ms;
    if (rate->window != window)
        *rate = (struct rate){ .window = window };
    return ++rate->count > count_max;
}

/* ---- tokens ---- */

/* One that is valid is given again, as by gettoken of WeCom and stable_token, unless it has to be new; then the last one lives
 * five minutes more. */
err account_give_token(struct sandbox *sandbox, struct account *account, bool renew)
{
    int64_t now_ms = sandbox_now(sandbox);
    if (!renew && account->token[0] != '\0' && account->token_until_ms > now_ms)
        return ERR_OK;
    memcpy(account->old_token, account->token, sizeof account->old_token);
    account->old_token_until_ms = account->token_until_ms < now_ms + OLD_TOKEN_MS
                                      ? account->token_until_ms
                                      : now_ms + OLD_TOKEN_MS;
    snprintf(account->token, sizeof account->token, "sbx%016llx%016llx%08llx",
             (unsigned long long)random_next(&sandbox->random),
             (unsigned long long)random_next(&sandbox->random),
             (unsigned long long)++sandbox->number);
    account->token_until_ms = now_ms + sandbox->settings[SETTING_TOKEN_SECONDS] * SECOND_MS;
    hash128 key = name_hash(NAME_TOKEN, NULL, str_from_c(account->token), STR_NONE, STR_NONE);
    return map_put(&sandbox->by_name, key, account);
}

struct account *account_of_token(struct sandbox *sandbox, str token, bool *is_expired)
{
    int64_t now_ms = sandbox_now(sandbox);
    struct account *account =
        map_get(&sandbox->by_name, name_hash(NAME_TOKEN, NULL, token, STR_NONE, STR_NONE));
    *is_expired = false;
    if (account == NULL)
        return NULL;
    bool is_current = str_equal(token, str_from_c(account->token));
    bool is_old = str_equal(token, str_from_c(account->old_token));
    *is_expired = !((is_current && account->token_until_ms > now_ms) ||
                    (is_old && account->old_token_until_ms > now_ms));
    return account;
}

static void answer_token(struct call *call, struct account *account, bool renew)
{
    struct json_writer writer;
    if (account_give_token(call->sandbox, account, renew) != ERR_OK) {
        call_error(call, 503, "the sandbox is out of memory");
        return;
    }
    int64_t left_ms = account->token_until_ms - sandbox_now(call->sandbox);
    json_writer_init(&writer, &call->out);
    json_begin_object(&writer);
    if (account->kind == KIND_WECOM) {
        json_member_int(&writer, STR("errcode"), 0);
        json_member_text(&writer, STR("errmsg"), STR("ok"));
    }
    json_member_text(&writer, STR("access_token"), str_from_c(account->token));
    json_member_int(&writer, STR("expires_in"), (left_ms + 999) / 1000);
    json_end_object(&writer);
}

static void wecom_token(struct call *call)
{
    str id = params_get(&call->params, STR("corpid"));
    str secret = params_get(&call->params, STR("corpsecret"));
    if (id.size == 0) {
        wx_answer(call, 41002, "corpid missing");
        return;
    }
    if (secret.size == 0) {
        wx_answer(call, 41004, "corpsecret missing");
        return;
    }
    struct account *account = account_of(call->sandbox, KIND_WECOM, id);
    if (account == NULL) {
        wx_answer(call, 40013, "invalid corpid");
        return;
    }
    if (!same_text(secret, str_from_c(account->secret))) {
        wx_answer(call, 40001, "invalid credential");
        return;
    }
    if (!fault_strikes(call, KIND_WECOM, str_from_c(account->id), STR_NONE))
        answer_token(call, account, false);
}

/* The same id may be an official account's or a mini-program's; who was not set up is an official account. */
static struct account *wechat_account(struct sandbox *sandbox, str id)
{
    struct account *account = sandbox_account_find(sandbox, KIND_MINI_PROGRAM, id);
    return account != NULL ? account : account_of(sandbox, KIND_OFFICIAL_ACCOUNT, id);
}

static void wechat_token(struct call *call, bool is_stable)
{
    str id = params_get(&call->params, STR("appid")),
        secret = params_get(&call->params, STR("secret"));
    str grant = params_get(&call->params, STR("grant_type"));
    bool renew = !is_stable;
    if (is_stable) {
        if (!call_json(call)) {
            wx_answer(call, 47001, "data format error");
            return;
        }
        id = json_text(json_get(call->json, STR("appid")));
        secret = json_text(json_get(call->json, STR("secret")));
        grant = json_text(json_get(call->json, STR("grant_type")));
        renew = json_bool(json_get(call->json, STR("force_refresh")), false);
    }
    if (!str_equal(grant, STR("client_credential"))) {
        wx_answer(call, 40002, "invalid grant_type");
        return;
    }
    struct account *account = id.size > 0 ? wechat_account(call->sandbox, id) : NULL;
    if (account == NULL) {
        wx_answer(call, id.size > 0 ? 40013 : 41002,
                  id.size > 0 ? "invalid appid" : "appid missing");
        return;
    }
    if (!same_text(secret, str_from_c(account->secret))) {
        wx_answer(call, secret.size > 0 ? 40125 : 41004,
                  secret.size > 0 ? "invalid appsecret" : "appsecret missing");
        return;
    }
    if (!fault_strikes(call, account->kind, str_from_c(account->id), STR_NONE))
        answer_token(call, account, renew);
}

void token_call(struct call *call, str interface)
{
    if (str_equal(interface, STR("gettoken")))
        wecom_token(call);
    else
        wechat_token(call, str_equal(interface, STR("stable_token")));
}
