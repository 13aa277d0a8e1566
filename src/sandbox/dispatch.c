/* SPDX-License-Identifier: Apache-2.0 */
/* Which provider a request is for, by its path and headers; and what faults make of its answer. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "sandbox/inside.h"

/* ---- answers ---- */

void call_error(struct call *call, int status, const char *format, ...)
{
    char text[300];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    call->status = status;
    buffer_clear(&call->out);
    buffer_append_str(&call->out, STR("{\"error\":"));
    json_write_text(&call->out, str_from_c(text));
    buffer_append_byte(&call->out, '}');
}

void wx_answer(struct call *call, int code, const char *message)
{
    struct json_writer writer;
    buffer_clear(&call->out);
    json_writer_init(&writer, &call->out);
    json_begin_object(&writer);
    json_member_int(&writer, STR("errcode"), code);
    json_member_text(&writer, STR("errmsg"), str_from_c(message));
    json_end_object(&writer);
}

void wx_begin(struct call *call, struct json_writer *writer)
{
    json_writer_init(writer, &call->out);
    json_begin_object(writer);
    json_member_int(writer, STR("errcode"), 0);
    json_member_text(writer, STR("errmsg"), STR("ok"));
}

bool call_json(struct call *call)
{
    struct problem problem;
    return json_parse(call->sandbox->parser, call->body, &call->json, &problem) == ERR_OK &&
           json_is_object(call->json);
}

/* ---- WeCom and WeChat: a token says whose ---- */

/* Who a fault may be meant for, where the body says it. */
static str recipient_of(const struct call *call)
{
    str recipient = json_text(json_get(call->json, STR("touser")));
    if (recipient.size == 0)
        recipient = json_text(json_at(json_get(call->json, STR("external_userid")), 0));
    return recipient;
}

static void answer_code(struct call *call, const char *code)
{
    int64_t number = 0;
    if (!str_to_int64(str_from_c(code), &number))
        number = -1;
    wx_answer(call, (int)number, number == -1 ? "system busy" : "refused by the sandbox");
}

static void with_token(struct call *call, str interface)
{
    bool is_expired;
    str token = params_get(&call->params, STR("access_token"));
    if (token.size == 0) {
        wx_answer(call, 41001, "access_token missing");
        return;
    }
    struct account *account = account_of_token(call->sandbox, token, &is_expired);
    if (account == NULL) {
        wx_answer(call, 40014, "invalid access_token");
        return;
    }
    if (is_expired) {
        wx_answer(call, 42001, "access_token expired");
        return;
    }
    bool is_wecom = account->kind == KIND_WECOM;
    if (account_over_rate(
            call->sandbox, account, interface, MINUTE_MS,
            call->sandbox->settings[is_wecom ? SETTING_WECOM_RATE : SETTING_WECHAT_RATE])) {
        wx_answer(call, 45009, "api freq out of limit");
        return;
    }
    bool is_form = str_starts_with(call->header(call, "content-type"), STR("multipart/"));
    if (str_equal(call->method, STR("POST")) && call->body.size > 0 && !is_form &&
        !call_json(call)) {
        wx_answer(call, is_wecom ? 40063 : 47001, "data format error");
        return;
    }
    if (fault_strikes(call, account->kind, str_from_c(account->id), recipient_of(call)))
        return;
    if (fault_code(call) != NULL)
        answer_code(call, fault_code(call));
    else if (is_wecom)
        wecom_dispatch(call, account, interface);
    else
        wechat_dispatch(call, account, interface);
}

/* ---- all ---- */

static void choose(struct call *call)
{
    str path = call->path, cgi = STR("/cgi-bin/");
    if (call->params.failed) {
        call_error(call, 400, "the query cannot be read");
        return;
    }
    if (str_starts_with(path, STR("/sandbox/"))) {
        control_dispatch(call);
        return;
    }
    if (str_starts_with(path, STR("/webhook/"))) {
        webhook_dispatch(call);
        return;
    }
    if (str_equal(path, STR("/sns/jscode2session"))) {
        wechat_login(call);
        return;
    }
    if (str_starts_with(path, STR("/wxa/"))) {
        with_token(call, str_slice(path, 1, path.size));
        return;
    }
    if (str_starts_with(path, cgi)) {
        str interface = str_slice(path, cgi.size, path.size);
        if (str_equal(interface, STR("gettoken")) || str_equal(interface, STR("token")) ||
            str_equal(interface, STR("stable_token"))) {
            token_call(call, interface);
            return;
        }
        with_token(call, interface);
        return;
    }
    if (call->header(call, "x-tc-action").size > 0) {
        tencent_dispatch(call);
        return;
    }
    if (str_equal(path, STR("/"))) {
        aliyun_dispatch(call);
        return;
    }
    call_error(call, 404, "the sandbox has no " STR_FMT, STR_ARG(str_slice(path, 0, 200)));
}

/* What was taken stays taken; the answer does not say so. */
static void spoil(struct call *call)
{
    if (call->fault == NULL)
        return;
    if (call->fault->what == FAULT_ERROR_AFTER) {
        call_error(call, (int)call->fault->status, "the sandbox was told to fail afterwards");
    } else if (call->fault->what == FAULT_GARBAGE) {
        buffer_clear(&call->out);
        buffer_append_str(&call->out, STR("<html>\x01 502 \"} upstream {"));
        call->type = "text/html";
    }
}

void dispatch(struct call *call)
{
    size_t query = str_find_byte(call->target, '?');
    call->path = str_slice(call->target, 0, query);
    call->status = 200;
    call->type = "application/json; charset=utf-8";
    params_parse(&call->params, str_slice(call->target, query + 1, call->target.size),
                 &call->arena);
    pthread_mutex_lock(&call->sandbox->mutex);
    choose(call);
    spoil(call);
    pthread_mutex_unlock(&call->sandbox->mutex);
    if (call->out.failed)
        call_error(call, 500, "the answer is too large");
}
