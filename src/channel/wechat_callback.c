/* SPDX-License-Identifier: Apache-2.0 */
/* wechat_callback: what official accounts and mini-programs tell (protocols §4.2, §4.3) as events and receipts. */
#include <string.h>

#include "channel/channel_inside.h"
#include "channel/events.h"

static const struct {
    const char *event, *name;
} NAMES[] = {
    { "subscribe", "Official Account Followed" },
    { "unsubscribe", "Official Account Unfollowed" },
    { "SCAN", "Official Account Scanned" },
    { "LOCATION", "Official Account Located" },
    { "CLICK", "Official Account Menu Clicked" },
    { "VIEW", "Official Account Menu Viewed" },
    { "view_miniprogram", "Official Account Menu Viewed" },
    { "MASSSENDJOBFINISH", "Official Account Mass Finished" },
    { "user_info_modified", "Authorization Changed" },
    { "user_authorization_revoke", "Authorization Revoked" },
    { "user_authorization_cancellation", "Authorization Cancelled" },
};

static str name_of(const struct fields *fields, enum channel_kind kind)
{
    str event = fields_get(fields, "Event");
    for (size_t i = 0; i < sizeof NAMES / sizeof NAMES[0]; i++)
        if (str_equal(event, str_from_c(NAMES[i].event)))
            return str_from_c(NAMES[i].name);
    if (event.size > 0)
        return kind == CHANNEL_MINI_PROGRAM ? STR("Mini Program Event")
                                            : STR("Official Account Event");
    return STR("Message Received");
}

static const char *const WITHOUT[] = { "ToUserName", "FromUserName", "CreateTime", "MsgId",
                                       "UnionId",    "OpenID",       "Encrypt",    NULL };
static const char *const RENAMED[][2] = { { "MsgType", "message_type" },
                                          { "Event", "event_type" },
                                          { NULL, NULL } };

static int64_t created_s(const struct fields *fields)
{
    int64_t at_s = 0;
    (void)str_to_int64(fields_get(fields, "CreateTime"), &at_s);
    return at_s;
}

/* `name` and `more` tell several events of one callback apart. */
static void begin_event(const struct settings *settings, const struct fields *fields, str name,
                        str more, struct json_writer *writer)
{
    str appid = setting_text(settings, APPID), openid = fields_get(fields, "FromUserName");
    if (fields_get(fields, "OpenID").size > 0) /* of a person whose rights changed */
        openid = fields_get(fields, "OpenID");
    str parts[] = { appid,
                    openid,
                    fields_get(fields, "CreateTime"),
                    fields_get(fields, "Event"),
                    fields_get(fields, "EventKey"),
                    fields_get(fields, "MsgId"),
                    fields_get(fields, "MsgID"),
                    name,
                    more };
    char id[EVENT_ID_BYTES];
    event_id(id, "wechat", parts, sizeof parts / sizeof parts[0]);
    struct event_head head = { .name = name,
                               .message_id = str_from_c(id),
                               .at_s = created_s(fields),
                               .identifiers = {
                                   { "wx_openid", openid, appid },
                                   { "wx_unionid", fields_get(fields, "UnionId"), STR_NONE } } };
    event_begin(writer, &head);
}

static void write_plain(const struct settings *settings, const struct fields *fields,
                        struct json_writer *writer)
{
    str key = fields_get(fields, "EventKey");
    begin_event(settings, fields, name_of(fields, settings->kind), STR_NONE, writer);
    /* With 'qrscene_' where she was new, without where she followed before: one property for both. */
    if (str_starts_with(key, STR("qrscene_")))
        json_member_text(writer, STR("scene"), str_slice(key, 8, key.size));
    else if (str_equal(fields_get(fields, "Event"), STR("SCAN")))
        json_member_text(writer, STR("scene"), key);
    event_put_fields(writer, fields, WITHOUT, RENAMED);
    event_end(writer);
}

/* ---- lists: one entry after the other; a name that repeats begins the next ---- */

struct entry {
    str template_id, status, scene, message_id, code;
};

static bool next_entry(const struct fields *fields, size_t *at, struct entry *entry)
{
    bool any = false;
    memset(entry, 0, sizeof *entry);
    for (; *at < fields->count; (*at)++) {
        str path = fields->items[*at].path, text = fields->items[*at].text;
        size_t slash = path.size;
        while (slash > 0 && path.data[slash - 1] != '/')
            slash--;
        str name = str_slice(path, slash, path.size);
        bool is_listed = str_contains(path, STR("/List/")) || str_starts_with(path, STR("List/"));
        if (!is_listed)
            continue;
        if (str_equal(name, STR("TemplateId"))) {
            if (any && entry->template_id.size > 0)
                return true;
            entry->template_id = text;
        } else if (str_equal(name, STR("SubscribeStatusString"))) {
            entry->status = text;
        } else if (str_equal(name, STR("PopupScene"))) {
            entry->scene = text;
        } else if (str_equal(name, STR("MsgID"))) {
            entry->message_id = text;
        } else if (str_equal(name, STR("ErrorCode"))) {
            entry->code = text;
        }
        any = true;
    }
    return any;
}

/* Her stock of consents: each 'accept' is one message. */
static void write_subscriptions(const struct settings *settings, const struct fields *fields,
                                struct json_writer *writer)
{
    struct entry entry;
    bool is_change = str_equal(fields_get(fields, "Event"), STR("subscribe_msg_change_event"));
    for (size_t at = 0; next_entry(fields, &at, &entry);) {
        bool accepts = str_equal(entry.status, STR("accept"));
        begin_event(settings, fields,
                    accepts ? STR("Subscription Accepted") : STR("Subscription Rejected"),
                    entry.template_id, writer);
        json_member_text(writer, STR("template_id"), entry.template_id);
        json_member_text(writer, STR("status"), entry.status);
        json_member_bool(writer, STR("in_settings"), is_change);
        if (entry.scene.size > 0)
            json_member_text(writer, STR("popup_scene"), entry.scene);
        event_end(writer);
    }
}

static void write_receipt(struct json_writer *writer, const struct fields *fields, str id,
                          bool is_delivered, str code, str reason)
{
    json_begin_object(writer);
    json_member_text(writer, STR("provider_id"), id);
    json_member_text(writer, STR("recipient"), fields_get(fields, "FromUserName"));
    json_member_text(writer, STR("status"), is_delivered ? STR("delivered") : STR("failed"));
    json_member_text(writer, STR("code"), code);
    if (!is_delivered)
        json_member_text(writer, STR("reason"), reason);
    if (created_s(fields) > 0)
        json_member_int(writer, STR("at"), created_s(fields) * 1000);
    json_end_object(writer);
}

static void write_template_receipt(const struct fields *fields, struct json_writer *receipts)
{
    str status = fields_get(fields, "Status");
    write_receipt(
        receipts, fields, fields_get(fields, "MsgID"), str_equal(status, STR("success")), status,
        str_contains(status, STR("user block")) ? STR("blocked") : STR("provider_failed"));
}

static void write_subscription_receipts(const struct fields *fields, struct json_writer *receipts)
{
    struct entry entry;
    for (size_t at = 0; next_entry(fields, &at, &entry);) {
        const struct code_rule *rule = code_find(&codes_wechat, entry.code);
        write_receipt(receipts, fields, entry.message_id, str_equal(entry.code, STR("0")),
                      entry.code, str_from_c(rule != NULL ? rule->reason : "refused"));
    }
}

static void write_decoded(const struct settings *settings, const struct fields *fields,
                          struct json_writer *events, struct json_writer *receipts)
{
    str event = fields_get(fields, "Event");
    if (str_equal(event, STR("TEMPLATESENDJOBFINISH")))
        write_template_receipt(fields, receipts);
    else if (str_equal(event, STR("subscribe_msg_sent_event")))
        write_subscription_receipts(fields, receipts);
    else if (str_equal(event, STR("subscribe_msg_popup_event")) ||
             str_equal(event, STR("subscribe_msg_change_event")))
        write_subscriptions(settings, fields, events);
    else
        write_plain(settings, fields, events);
}

err wechat_callback(struct channels *channels, const struct settings *settings,
                    const struct channel_callback *callback, struct channel_decoded *decoded,
                    struct problem *problem)
{
    struct envelope envelope = { .token = setting_text(settings, CALLBACK_TOKEN),
                                 .aes_key = setting_text(settings, AES_KEY),
                                 .receiver = setting_text(settings, APPID) };
    struct json_writer events, receipts;
    struct fields fields;
    (void)channels;
    if (envelope.token.size == 0)
        return problem_set(problem, ERR_FORBIDDEN,
                           "the account has no callback token: nothing can be verified");
    fields_init(&fields);
    decoded->reply_type = "text/plain; charset=utf-8";
    err error = envelope_receive(&envelope, callback, &fields, &decoded->reply, problem);
    json_writer_init(&events, &decoded->events);
    json_writer_init(&receipts, &decoded->receipts);
    json_begin_array(&events);
    json_begin_array(&receipts);
    if (error == ERR_OK && fields.count > 0) {
        write_decoded(settings, &fields, &events, &receipts);
        buffer_append_str(&decoded->reply, STR("success"));
    }
    json_end_array(&events);
    json_end_array(&receipts);
    fields_deinit(&fields);
    return error;
}
