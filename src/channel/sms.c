/* SPDX-License-Identifier: Apache-2.0 */
/* sms: what Aliyun and Tencent have in common: numbers, receipts, replies that unsubscribe. */
#include <stdio.h>
#include <string.h>

#include "channel/channel_inside.h"
#include "channel/crypt.h"
#include "channel/events.h"

bool sms_phone(str recipient, char e164[24])
{
    bool has_plus = recipient.size > 0 && recipient.data[0] == '+';
    str digits = str_slice(recipient, has_plus ? 1 : 0, recipient.size);
    for (size_t i = 0; i < digits.size; i++)
        if (digits.data[i] < '0' || digits.data[i] > '9')
            return false;
    if (digits.size < 8 || digits.size > 15)
        return false;
    bool is_mainland = !has_plus && digits.size == 11 && digits.data[0] == '1';
    snprintf(e164, 24, "+%s" STR_FMT, is_mainland ? "86" : "", STR_ARG(digits));
    return true;
}

/* Providers of texts do not sign what they push: the address that they were given holds a secret. */
err sms_check_secret(const struct settings *settings, const struct channel_callback *callback,
                     struct problem *problem)
{
    str secret = setting_text(settings, CALLBACK_SECRET);
    struct arena arena;
    if (secret.size == 0 && setting_bool(settings, SANDBOX))
        return ERR_OK;
    arena_init(&arena, "channel_callback", 64 << 10);
    bool fits =
        secret.size > 0 && crypt_equal(secret, fields_query(&arena, callback->query, "secret"));
    arena_deinit(&arena);
    if (fits)
        return ERR_OK;
    problem_set(problem, ERR_FORBIDDEN,
                "the callback's address does not hold the account's secret");
    return problem_hint(problem, ERR_FORBIDDEN,
                        "set 'callback_secret' and give the provider the address with ?secret=…");
}

int64_t sms_time(str text)
{
    int64_t ms = 0;
    return time_parse(text, 8 * 60, &ms) ? ms : 0;
}

void sms_put_receipt(struct json_writer *writer, const struct code_table *codes,
                     const struct sms_receipt *receipt)
{
    const struct code_rule *rule = code_find(codes, receipt->code);
    bool knows = rule != NULL && rule->outcome == CHANNEL_REFUSED;
    json_begin_object(writer);
    json_member_text(writer, STR("provider_id"), receipt->provider_id);
    if (receipt->key.size > 0)
        json_member_text(writer, STR("key"), receipt->key);
    json_member_text(writer, STR("recipient"), receipt->phone);
    json_member_text(writer, STR("status"),
                     receipt->is_delivered ? STR("delivered") : STR("failed"));
    json_member_text(writer, STR("code"), receipt->code);
    if (!receipt->is_delivered)
        json_member_text(writer, STR("reason"), knows ? str_from_c(rule->reason) : STR("refused"));
    if (receipt->at_ms > 0)
        json_member_int(writer, STR("at"), receipt->at_ms);
    json_end_object(writer);
}

/* The whole text, in any case; and what begins with one that is not a single letter ("退订谢谢"). */
static bool unsubscribes(const struct settings *settings, str text)
{
    str words = setting_text(settings, UNSUBSCRIBE_WORDS), word;
    text = str_trim(text);
    while (str_split(&words, ',', &word)) {
        word = str_trim(word);
        if (word.size == 0)
            continue;
        if (str_equal_ignoring_case(text, word))
            return true;
        if ((unsigned char)word.data[0] >= 0x80 && str_starts_with(text, word))
            return true;
    }
    return false;
}

void sms_put_reply(const struct settings *settings, str phone, str text, int64_t at_ms,
                   struct json_writer *receipts, struct json_writer *events)
{
    bool is_over = unsubscribes(settings, text);
    char id[EVENT_ID_BYTES], time[32];
    snprintf(time, sizeof time, "%lld", (long long)at_ms);
    str parts[] = { phone, text, str_from_c(time) };
    if (is_over) {
        json_begin_object(receipts);
        json_member_text(receipts, STR("recipient"), phone);
        json_member_text(receipts, STR("status"), STR("unsubscribed"));
        json_member_text(receipts, STR("code"), str_slice(text, 0, 32));
        if (at_ms > 0)
            json_member_int(receipts, STR("at"), at_ms);
        json_end_object(receipts);
    }
    event_id(id, "sms", parts, 3);
    struct event_head head = { .name = is_over ? STR("SMS Unsubscribed") : STR("SMS Replied"),
                               .message_id = str_from_c(id),
                               .at_s = at_ms / 1000,
                               .identifiers = { { "mobile", phone, STR_NONE } } };
    event_begin(events, &head);
    json_member_text(events, STR("content"), str_slice(text, 0, str_utf8_prefix_bytes(text, 500)));
    event_end(events);
}

bool sms_is_value(str name)
{
    static const char *const NAMES[] = { "template_code", "template_id", "sign_name", "params",
                                         "text",          "extend_code", "content" };
    for (size_t i = 0; i < sizeof NAMES / sizeof NAMES[0]; i++)
        if (str_equal(name, str_from_c(NAMES[i])))
            return false;
    return true;
}
