/* SPDX-License-Identifier: Apache-2.0 */
/* call: exchanges that another thread waits for: tests of accounts, tags, contact ways, lists. */
#include <stdio.h>
#include <string.h>

#include "channel/channel_inside.h"

#define CALL_TIMEOUT_MS 20000

void call_init(struct call *call, struct account *account)
{
    memset(call, 0, sizeof *call);
    call->account = account;
    call->needs_token = account->provider->has_token;
    call->timeout_ms = CALL_TIMEOUT_MS;
    buffer_init(&call->answer.body, ANSWER_BYTES_MAX);
    pthread_cond_init(&call->done, NULL);
}

void call_deinit(struct call *call)
{
    buffer_deinit(&call->answer.body);
    pthread_cond_destroy(&call->done);
}

/* ---- the caller's side ---- */

static err judge_call(const struct call *call, struct problem *problem)
{
    const struct answer *answer = &call->answer;
    if (call->verdict.reason != NULL)
        return problem_set(problem,
                           strcmp(call->verdict.reason, "account_refused") == 0 ? ERR_UNPROCESSABLE
                                                                                : ERR_UNAVAILABLE,
                           "%s (%s%s%s)", call->verdict.detail, call->verdict.reason,
                           call->verdict.code[0] != '\0' ? ", code " : "", call->verdict.code);
    if (answer->was_private)
        return problem_set(problem, ERR_UNPROCESSABLE,
                           "the address is private, and 'allow_private' is not set");
    if (answer->result == CURLE_OPERATION_TIMEDOUT)
        return problem_set(problem, ERR_TIMEOUT, "the provider did not answer in time");
    if (answer->result != CURLE_OK)
        return problem_set(problem, ERR_UNAVAILABLE, "the provider cannot be reached: %s",
                           curl_easy_strerror(answer->result));
    return ERR_OK;
}

err call_perform(struct channels *channels, struct call *call, struct problem *problem)
{
    buffer_clear(&call->answer.body);
    call->is_done = call->had_new_token = false;
    memset(&call->verdict, 0, sizeof call->verdict);
    pthread_mutex_lock(&channels->mutex);
    if (channels->is_stopping) {
        pthread_mutex_unlock(&channels->mutex);
        return problem_set(problem, ERR_UNAVAILABLE, "the server is stopping");
    }
    call->next = channels->calls;
    channels->calls = call;
    loop_wake(channels);
    while (!call->is_done)
        pthread_cond_wait(&call->done, &channels->mutex);
    pthread_mutex_unlock(&channels->mutex);
    return judge_call(call, problem);
}

/* ---- the loop's side ---- */

void call_finish(struct channels *channels, struct call *call)
{
    pthread_mutex_lock(&channels->mutex);
    call->is_done = true;
    pthread_cond_signal(&call->done);
    pthread_mutex_unlock(&channels->mutex);
}

static void fail(struct channels *channels, struct call *call)
{
    call->answer.result = CURLE_OUT_OF_MEMORY;
    call_finish(channels, call);
}

/* A form with one file in the field `media`. */
static bool make_form(struct transfer *transfer, const struct call *call)
{
    char name[256];
    curl_mime *mime = curl_mime_init(transfer->curl);
    curl_mimepart *part = mime != NULL ? curl_mime_addpart(mime) : NULL;
    transfer->request.mime = mime;
    snprintf(name, sizeof name, STR_FMT, STR_ARG(call->file_name));
    return part != NULL && curl_mime_name(part, "media") == CURLE_OK &&
           curl_mime_filename(part, name) == CURLE_OK &&
           curl_mime_data(part, call->body.data, call->body.size) == CURLE_OK;
}

static bool build(struct transfer *transfer, const struct call *call)
{
    struct request *request = &transfer->request;
    const struct provider *provider = call->account->provider;
    if (provider->build_call != NULL)
        return provider->build_call(transfer, call);
    buffer_append_str(&request->url, transfer->settings->base_url);
    buffer_append_str(&request->url, call->path);
    if (call->needs_token)
        buffer_printf(&request->url, "%caccess_token=%s",
                      str_find_byte(call->path, '?') < call->path.size ? '&' : '?',
                      transfer->token);
    request->is_get = call->is_get;
    if (call->file_name.size > 0)
        return make_form(transfer, call);
    buffer_append_str(&request->body, call->body);
    if (!call->is_get)
        request_header(
            request, "Content-Type: " STR_FMT,
            STR_ARG(call->content_type.size > 0 ? call->content_type : STR("application/json")));
    return true;
}

void call_begin(struct channels *channels, struct call *call)
{
    struct account *account = call->account;
    if (call->only_token && !call->had_new_token) {
        call->had_new_token = true;
        token_drop(account, account->token.text);
    }
    if (call->needs_token && !token_is_ready(channels, account)) {
        token_wait_call(channels, account, call);
        return;
    }
    if (call->only_token) {
        call_finish(channels, call);
        return;
    }
    struct transfer *transfer = transfer_take(channels, account, FOR_CALL);
    if (transfer == NULL) {
        fail(channels, call);
        return;
    }
    transfer->call = call;
    if (call->needs_token)
        memcpy(transfer->token, account->token.text, sizeof transfer->token);
    if (!build(transfer, call) || !loop_start_transfer(channels, transfer, call->timeout_ms)) {
        transfer_give(channels, transfer);
        fail(channels, call);
    }
}

/* Whether the provider says that the token has ended: the same place in all answers that have tokens. */
static bool token_has_ended(struct channels *channels, const struct transfer *transfer)
{
    json_value root;
    char code[32];
    str body = buffer_str(&transfer->answer.body);
    if (!transfer->call->needs_token || transfer->answer.result != CURLE_OK ||
        !str_contains(body, STR("errcode")) ||
        json_parse(channels->answer_parser, body, &root, NULL) != ERR_OK)
        return false;
    snprintf(code, sizeof code, "%lld", (long long)json_int(json_get(root, STR("errcode")), 0));
    const struct code_rule *rule = code_find(transfer->account->provider->codes, str_from_c(code));
    return rule != NULL && (rule->flags & CODE_TOKEN) != 0;
}

void call_answered(struct channels *channels, struct transfer *transfer)
{
    struct call *call = transfer->call;
    if (!call->had_new_token && token_has_ended(channels, transfer)) {
        call->had_new_token = true;
        token_drop(transfer->account, transfer->token);
        call_begin(channels, call);
        return;
    }
    struct buffer body = call->answer.body;
    call->answer = transfer->answer;
    transfer->answer.body = body; /* the caller takes the answer's bytes */
    call_finish(channels, call);
}
