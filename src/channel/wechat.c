/* SPDX-License-Identifier: Apache-2.0 */
/* wechat: official accounts (template, subscription notice, customer service) and mini-programs (subscription message). */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "channel/channel_inside.h"
#include "channel/crypt.h"
#include "channel/subscription.h"

/* ---- values of a template ---- */

/* Parts that say how, not what: where `data` is missing all others are values. */
static bool is_reserved(str name)
{
    static const char *const NAMES[] = { "template_id", "url",   "page", "miniprogram",
                                         "state",       "lang",  "data", "appid",
                                         "pagepath",    "title", NULL };
    for (const char *const *at = NAMES; *at != NULL; at++)
        if (str_equal(name, str_from_c(*at)))
            return true;
    return false;
}

/* {"thing1": "…"} or {"thing1": {"value": "…"}} → {"thing1": {"value": "…"}} */
static bool put_data(struct json_writer *writer, const struct content *content, bool is_checked,
                     struct verdict *verdict)
{
    json_value data = content_nested(content, "data"), value;
    bool is_whole = !json_is_object(data);
    struct json_iterator iterator = json_iterate(is_whole ? content->root : data);
    str name;
    json_put_key(writer, STR("data"));
    json_begin_object(writer);
    while (json_next(&iterator, &name, &value)) {
        json_value inner = json_is_object(value) ? json_get(value, STR("value")) : value;
        char number[32];
        str text = json_text(inner);
        if (is_whole && is_reserved(name))
            continue;
        if (json_kind(inner) == JSON_INT) {
            snprintf(number, sizeof number, "%" PRId64, json_int(inner, 0));
            text = str_from_c(number);
        }
        const char *wrong = is_checked ? subscription_check(name, text) : NULL;
        if (wrong != NULL)
            return verdict_refuse(verdict, "bad_content", "value '" STR_FMT "': %s",
                                  STR_ARG(str_slice(name, 0, 40)), wrong);
        json_put_key(writer, name);
        json_begin_object(writer);
        json_member_text(writer, STR("value"), text);
        json_end_object(writer);
    }
    json_end_object(writer);
    return true;
}

static void put_if(struct json_writer *writer, const char *name, str text)
{
    if (text.size > 0)
        json_member_text(writer, str_from_c(name), text);
}

static void put_program(struct json_writer *writer, const struct content *content)
{
    json_value program = content_nested(content, "miniprogram");
    str appid = content_text(content, "appid");
    if (json_is_object(program)) {
        json_member_copy(writer, "miniprogram", program);
    } else if (appid.size > 0) {
        json_put_key(writer, STR("miniprogram"));
        json_begin_object(writer);
        json_member_text(writer, STR("appid"), appid);
        put_if(writer, "pagepath", content_text(content, "pagepath"));
        json_end_object(writer);
    }
}

static bool begin(struct transfer *transfer, const struct unit *unit, const char *path,
                  struct json_writer *writer, struct content *content, struct verdict *verdict)
{
    if (unit->message.recipient.size == 0)
        return verdict_refuse(verdict, "bad_recipient", "no open id is named");
    if (!content_open(transfer->channels, unit, content, verdict))
        return false;
    errcode_url(transfer, path);
    errcode_json(transfer, writer);
    json_begin_object(writer);
    json_member_text(writer, STR("touser"), unit->message.recipient);
    return true;
}

static bool put_template(struct json_writer *writer, const struct content *content,
                         struct verdict *verdict)
{
    str template_ = content_text(content, "template_id");
    if (template_.size == 0)
        return verdict_refuse(verdict, "bad_content", "no template is named");
    json_member_text(writer, STR("template_id"), template_);
    return true;
}

/* ---- official account ---- */

static bool is_form(const struct unit *unit, const char *form)
{
    return str_equal(unit->message.form, str_from_c(form));
}

static bool build_template(struct transfer *transfer, const struct unit *unit,
                           struct verdict *verdict)
{
    bool is_notice = is_form(unit, "subscribe");
    struct json_writer writer;
    struct content content;
    if (!begin(transfer, unit,
               is_notice ? "/cgi-bin/message/subscribe/bizsend" : "/cgi-bin/message/template/send",
               &writer, &content, verdict) ||
        !put_template(&writer, &content, verdict))
        return false;
    put_if(&writer, is_notice ? "page" : "url", content_text(&content, is_notice ? "page" : "url"));
    put_program(&writer, &content);
    if (!is_notice) /* the key: the same again is answered as the first was */
        json_member_text(&writer, STR("client_msg_id"), str_from_c(unit->message.key));
    if (!put_data(&writer, &content, is_notice, verdict))
        return false;
    json_end_object(&writer);
    return true;
}

static bool build_service(struct transfer *transfer, const struct unit *unit,
                          struct verdict *verdict)
{
    struct json_writer writer;
    struct content content;
    if (!begin(transfer, unit, "/cgi-bin/message/custom/send", &writer, &content, verdict))
        return false;
    str type = content_text(&content, "msgtype"), text = content_text(&content, "text");
    if (type.size == 0 || str_equal(type, STR("text"))) {
        if (text.size == 0)
            return verdict_refuse(verdict, "bad_content", "the text is empty");
        json_member_text(&writer, STR("msgtype"), STR("text"));
        json_put_key(&writer, STR("text"));
        json_begin_object(&writer);
        json_member_text(&writer, STR("content"), text);
        json_end_object(&writer);
    } else {
        char name[64];
        snprintf(name, sizeof name, STR_FMT, STR_ARG(type));
        json_value part = content_nested(&content, name);
        if (!json_is_object(part))
            return verdict_refuse(verdict, "bad_content", "the part '%s' is missing", name);
        json_member_text(&writer, STR("msgtype"), type);
        json_member_copy(&writer, name, part);
    }
    json_end_object(&writer);
    return true;
}

static bool build_official(struct transfer *transfer, const struct unit *unit,
                           struct verdict *verdict)
{
    if (is_form(unit, "service"))
        return build_service(transfer, unit, verdict);
    if (is_form(unit, "template") || is_form(unit, "subscribe") || unit->message.form.size == 0)
        return build_template(transfer, unit, verdict);
    return verdict_refuse(verdict, "bad_content", "an official account has no form of this name");
}

static bool is_repeatable_official(const struct unit *unit)
{
    return is_form(unit, "template") || unit->message.form.size == 0;
}

static void judge_with(struct transfer *transfer, bool is_repeatable, struct verdict *verdict)
{
    json_value root;
    if (!errcode_read(transfer, is_repeatable, &root, verdict))
        return;
    int64_t id = json_int(json_get(root, STR("msgid")), 0);
    verdict->outcome = CHANNEL_SENT;
    verdict->reason = "sent";
    snprintf(verdict->code, sizeof verdict->code, "0");
    if (id != 0)
        snprintf(verdict->provider_id, sizeof verdict->provider_id, "%" PRId64, id);
    else
        snprintf(verdict->provider_id, sizeof verdict->provider_id, STR_FMT,
                 STR_ARG(str_slice(json_text(json_get(root, STR("msgid"))), 0, 100)));
}

static void judge_official(struct transfer *transfer, struct unit *unit, struct verdict *verdict)
{
    judge_with(transfer, is_repeatable_official(unit), verdict);
}

/* ---- mini-program ---- */

static bool build_mini(struct transfer *transfer, const struct unit *unit, struct verdict *verdict)
{
    struct json_writer writer;
    struct content content;
    if (!begin(transfer, unit, "/cgi-bin/message/subscribe/send", &writer, &content, verdict) ||
        !put_template(&writer, &content, verdict))
        return false;
    str state = content_text(&content, "state"), lang = content_text(&content, "lang");
    put_if(&writer, "page", content_text(&content, "page"));
    json_member_text(&writer, STR("miniprogram_state"),
                     state.size > 0 ? state : setting_text(transfer->settings, STATE));
    json_member_text(&writer, STR("lang"), lang.size > 0 ? lang : STR("zh_CN"));
    if (!put_data(&writer, &content, true, verdict))
        return false;
    json_end_object(&writer);
    return true;
}

static void judge_mini(struct transfer *transfer, struct unit *unit, struct verdict *verdict)
{
    (void)unit;
    judge_with(transfer, false, verdict);
}

/* ---- both ---- */

/* The stable token: asking again does not end the one that others use. */
static void build_token(struct transfer *transfer)
{
    const struct settings *settings = transfer->settings;
    struct json_writer writer;
    buffer_append_str(&transfer->request.url, settings->base_url);
    buffer_append_str(&transfer->request.url, STR("/cgi-bin/stable_token"));
    errcode_json(transfer, &writer);
    json_begin_object(&writer);
    json_member_text(&writer, STR("grant_type"), STR("client_credential"));
    json_member_text(&writer, STR("appid"), setting_text(settings, APPID));
    json_member_text(&writer, STR("secret"), setting_text(settings, SECRET));
    /* One that was refused before its end is not given again. */
    json_member_bool(&writer, STR("force_refresh"), transfer->account->token.was_refused);
    json_end_object(&writer);
}

const struct provider provider_official = {
    .base_url = "https://api.weixin.qq.com",
    .codes = &codes_wechat,
    .has_token = true,
    .check = errcode_check_key,
    .build = build_official,
    .judge = judge_official,
    .is_repeatable = is_repeatable_official,
    .build_token = build_token,
    .read_token = errcode_read_token,
    .test = token_test,
    .callback = wechat_callback,
};

const struct provider provider_mini = {
    .base_url = "https://api.weixin.qq.com",
    .codes = &codes_wechat,
    .has_token = true,
    .check = errcode_check_key,
    .build = build_mini,
    .judge = judge_mini,
    .build_token = build_token,
    .read_token = errcode_read_token,
    .test = token_test,
    .callback = wechat_callback,
};
