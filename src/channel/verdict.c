/* SPDX-License-Identifier: Apache-2.0 */
/* verdict: our reasons, each provider's codes, and how a row of a table becomes what is told. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "channel/channel_inside.h"

/* What a result can give as its reason; stable. */
#define REASONS(X)                                                                                \
    X("sent", "已提交", "taken by the provider")                                                  \
    X("delivered", "已送达", "delivered")                                                         \
    X("confirmed", "成员已确认", "confirmed by the employee")                                     \
    X("bad_recipient", "接收人无效", "the recipient is not valid")                                \
    X("bad_content", "内容不符合要求", "the content is not as the provider wants it")             \
    X("content_refused", "内容被拒绝", "the provider refused the content")                        \
    X("template_refused", "模板或签名未通过", "template or signature is not approved")            \
    X("template_missing", "模板不存在", "there is no such template")                              \
    X("no_subscription", "未订阅或次数用完", "she has not subscribed, or it is used up")          \
    X("not_a_follower", "未关注公众号", "she does not follow the account")                        \
    X("not_a_friend", "不是客户好友", "she is no contact of the employee")                        \
    X("unsubscribed", "已退订", "she has unsubscribed at the provider")                           \
    X("blocked", "被加入黑名单或拒收", "blocked by her or the provider")                          \
    X("window_closed", "超出可发送时间窗", "outside the window in which she may be written to")   \
    X("quota_recipient", "该接收人次数已达上限", "she has had as many as the provider allows")    \
    X("rate_limited", "发送过快", "too many in a short time")                                     \
    X("daily_quota", "当日额度用完", "the quota of the day is used up")                           \
    X("no_balance", "余额不足", "no balance left")                                                \
    X("account_refused", "账号凭证或权限无效", "secret, right or address of the account refused") \
    X("account_failing", "账号连续失败, 暂停中", "the account keeps failing and rests")           \
    X("account_not_allowed", "无接口权限", "the account has no right to this")                    \
    X("no_account", "账号已删除", "the account is gone")                                          \
    X("endpoint_gone", "接收地址已停用 (410)", "the receiver is gone for good (410)")             \
    X("welcome_expired", "欢迎语已过期", "the welcome code is over, or was used")                 \
    X("already_chatting", "会话已开始", "a chat has begun already")                               \
    X("expired", "已过有效期", "its time was over")                                               \
    X("stopped", "已急停", "sending was stopped before it went")                                  \
    X("cancelled", "任务已取消", "the task was cancelled")                                        \
    X("private_address", "内网地址被拒绝", "a private address, and it is not allowed")            \
    X("refused", "被拒绝", "refused")                                                             \
    X("provider_busy", "服务商繁忙", "the provider is busy")                                      \
    X("provider_failed", "服务商出错", "the provider failed")                                     \
    X("answer_unreadable", "应答无法识别", "an answer that cannot be read")                       \
    X("answer_too_large", "应答过大", "an answer that is too large")                              \
    X("timeout", "超时", "no answer in time")                                                     \
    X("connection_lost", "连接中断", "the connection was lost")                                   \
    X("unreachable", "无法连接", "it cannot be reached")                                          \
    X("host_not_found", "域名无法解析", "the host's name leads nowhere")                          \
    X("tls_failed", "TLS 失败", "no secure connection")                                           \
    X("may_have_been_sent", "可能已发送", "it may have been sent")                                \
    X("mailbox_full", "邮箱已满", "the mailbox is full")                                          \
    X("bounced", "退信", "the mail came back")                                                    \
    X("stopping", "服务停止中", "the server is stopping")                                         \
    X("behind", "排在她更早的一条之后", "an earlier one to her has to go first")                  \
    X("no_memory", "内存不足", "no memory")

static const struct {
    const char *reason, *zh, *en;
} ROWS[] = {
#define X(reason, zh, en) { reason, zh, en },
    REASONS(X)
#undef X
};
#define ROW_COUNT (sizeof ROWS / sizeof ROWS[0])

static const struct code_rule HTTP[] = {
#define ROW(code, outcome, reason, flags, delay, zh, en)      \
    {                                                         \
        code, CHANNEL_##outcome, reason, flags, delay, zh, en \
    }
    ROW("400", REFUSED, "content_refused", 0, 0, "请求被拒绝",
        "the receiver calls it a bad request"),
    ROW("401", REFUSED, "account_refused", CODE_ACCOUNT, 0, "未授权", "the receiver wants a login"),
    ROW("403", REFUSED, "account_refused", CODE_ACCOUNT, 0, "禁止访问", "the receiver forbids it"),
    ROW("404", REFUSED, "refused", CODE_ACCOUNT, 0, "地址不存在",
        "the receiver knows no such address"),
    ROW("408", LATER, "timeout", CODE_AGAIN, 0, "请求超时", "the receiver waited too long for it"),
    ROW("410", REFUSED, "endpoint_gone", CODE_ACCOUNT, 0, "地址已停用",
        "the receiver is gone for good"),
    ROW("413", REFUSED, "content_refused", 0, 0, "内容过大", "too large for the receiver"),
    ROW("425", LATER, "provider_busy", CODE_AGAIN, 0, "过早", "too early for the receiver"),
    ROW("429", LATER, "rate_limited", CODE_AGAIN, 0, "请求过多",
        "too many requests for the receiver"),
    ROW("501", REFUSED, "refused", 0, 0, "不支持", "the receiver does not do this"),
    ROW("503", LATER, "provider_busy", CODE_AGAIN | CODE_ACCOUNT, 0, "暂不可用",
        "the receiver is not available at the moment"),
    /* No redirects (C5): what is meant is said in the settings. */
    ROW("301", REFUSED, "refused", CODE_ACCOUNT, 0, "不跟随重定向",
        "a redirect, and none is followed"),
    ROW("302", REFUSED, "refused", CODE_ACCOUNT, 0, "不跟随重定向",
        "a redirect, and none is followed"),
    ROW("303", REFUSED, "refused", CODE_ACCOUNT, 0, "不跟随重定向",
        "a redirect, and none is followed"),
    ROW("307", REFUSED, "refused", CODE_ACCOUNT, 0, "不跟随重定向",
        "a redirect, and none is followed"),
    ROW("308", REFUSED, "refused", CODE_ACCOUNT, 0, "不跟随重定向",
        "a redirect, and none is followed"),
};
const struct code_table codes_http = { HTTP, sizeof HTTP / sizeof HTTP[0] };

const struct code_rule *code_find(const struct code_table *table, str code)
{
    for (size_t i = 0; i < table->count; i++) {
        str text = str_from_c(table->rules[i].code);
        bool is_prefix = text.size > 0 && text.data[text.size - 1] == '*';
        if (is_prefix ? str_starts_with(code, str_slice(text, 0, text.size - 1))
                      : str_equal(code, text))
            return &table->rules[i];
    }
    return NULL;
}

bool verdict_refuse(struct verdict *verdict, const char *reason, const char *detail, ...)
{
    va_list arguments;
    memset(verdict, 0, sizeof *verdict);
    verdict->outcome = CHANNEL_REFUSED;
    verdict->reason = reason;
    verdict->is_ours = true;
    va_start(arguments, detail);
    vsnprintf(verdict->detail, sizeof verdict->detail, detail, arguments);
    va_end(arguments);
    return false;
}

void verdict_by_rule(struct verdict *verdict, const struct code_rule *rule, str code)
{
    memset(verdict, 0, sizeof *verdict);
    verdict->outcome = rule->outcome;
    verdict->reason = rule->reason;
    verdict->is_failure = (rule->flags & CODE_ACCOUNT) != 0;
    verdict->delay_ms = rule->delay_s * SECOND_MS;
    if ((rule->flags & CODE_PAUSE) != 0)
        verdict->pause_ms = rule->delay_s * SECOND_MS;
    if ((rule->flags & CODE_TOKEN) != 0)
        verdict->next = NEXT_TOKEN;
    else if ((rule->flags & CODE_AGAIN) != 0)
        verdict->next = NEXT_AGAIN;
    verdict->disable = strcmp(rule->reason, "endpoint_gone") == 0;
    snprintf(verdict->code, sizeof verdict->code, STR_FMT, STR_ARG(code));
    snprintf(verdict->detail, sizeof verdict->detail, "%s", rule->en);
}

/* ---- for people ---- */

static void write_words(struct json_writer *writer, const char *zh, const char *en)
{
    json_put_key(writer, STR("text"));
    json_begin_object(writer);
    json_member_text(writer, STR("zh"), str_from_c(zh));
    json_member_text(writer, STR("en"), str_from_c(en));
    json_end_object(writer);
}

void channel_write_reasons(struct buffer *out)
{
    struct json_writer writer;
    json_writer_init(&writer, out);
    json_begin_array(&writer);
    for (size_t i = 0; i < ROW_COUNT; i++) {
        json_begin_object(&writer);
        json_member_text(&writer, STR("reason"), str_from_c(ROWS[i].reason));
        write_words(&writer, ROWS[i].zh, ROWS[i].en);
        json_end_object(&writer);
    }
    json_end_array(&writer);
}

static void write_rule(struct json_writer *writer, const struct code_rule *rule)
{
    static const char *const OUTCOMES[] = { "sent", "delivered", "refused", "later", "uncertain" };
    json_begin_object(writer);
    json_member_text(writer, STR("code"), str_from_c(rule->code));
    json_member_text(writer, STR("outcome"), str_from_c(OUTCOMES[rule->outcome]));
    json_member_text(writer, STR("reason"), str_from_c(rule->reason));
    write_words(writer, rule->zh, rule->en);
    json_end_object(writer);
}

void channel_write_codes(struct buffer *out)
{
    struct json_writer writer;
    json_writer_init(&writer, out);
    json_begin_object(&writer);
    for (int kind = 0; kind < CHANNEL_KIND_COUNT; kind++) {
        const struct provider *provider = provider_of((enum channel_kind)kind);
        if (provider == NULL)
            continue;
        json_put_key(&writer, str_from_c(channel_kind_info((enum channel_kind)kind)->text));
        json_begin_array(&writer);
        for (size_t i = 0; i < provider->codes->count; i++)
            write_rule(&writer, &provider->codes->rules[i]);
        json_end_array(&writer);
    }
    json_end_object(&writer);
}
