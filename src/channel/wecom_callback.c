/* SPDX-License-Identifier: Apache-2.0 */
/* wecom_callback: what WeCom tells (protocols §3.3) as events. A contact is a customer; the employee is a property, `adviser`. */
#include <string.h>

#include "channel/channel_inside.h"
#include "channel/events.h"

/* Event, ChangeType (empty: any), our name. */
static const struct {
    const char *event, *change, *name;
} NAMES[] = {
    { "change_external_contact", "add_external_contact", "WeCom Contact Added" },
    { "change_external_contact", "add_half_external_contact", "WeCom Contact Half Added" },
    { "change_external_contact", "edit_external_contact", "WeCom Contact Edited" },
    { "change_external_contact", "del_external_contact", "WeCom Contact Removed" },
    { "change_external_contact", "del_follow_user", "WeCom Contact Lost" },
    { "change_external_contact", "transfer_fail", "WeCom Transfer Failed" },
    { "change_external_contact", "msg_audit_approved", "WeCom Archive Agreed" },
    { "change_external_chat", "create", "WeCom Group Created" },
    { "change_external_chat", "update", "WeCom Group Updated" },
    { "change_external_chat", "dismiss", "WeCom Group Dismissed" },
    { "change_external_tag", "create", "WeCom Tag Created" },
    { "change_external_tag", "update", "WeCom Tag Updated" },
    { "change_external_tag", "delete", "WeCom Tag Deleted" },
    { "change_external_tag", "shuffle", "WeCom Tags Reordered" },
    { "change_contact", "create_user", "WeCom Employee Created" },
    { "change_contact", "update_user", "WeCom Employee Updated" },
    { "change_contact", "delete_user", "WeCom Employee Deleted" },
    { "change_contact", "create_party", "WeCom Department Created" },
    { "change_contact", "update_party", "WeCom Department Updated" },
    { "change_contact", "delete_party", "WeCom Department Deleted" },
    { "change_contact", "update_tag", "WeCom Employee Tag Updated" },
    { "customer_acquisition", "balance_low", "WeCom Acquisition Balance Low" },
    { "customer_acquisition", "balance_exhausted", "WeCom Acquisition Balance Exhausted" },
    { "customer_acquisition", "link_unavailable", "WeCom Acquisition Link Unavailable" },
    { "customer_acquisition", "customer_start_chat", "WeCom Acquisition Chat Started" },
    { "customer_acquisition", "delete_link", "WeCom Acquisition Link Deleted" },
    { "customer_acquisition", "friend_request", "WeCom Acquisition Friend Requested" },
    { "kf_msg_or_event", "", "WeCom Service Message" },
};

static str name_of(str event, str change)
{
    for (size_t i = 0; i < sizeof NAMES / sizeof NAMES[0]; i++)
        if (str_equal(event, str_from_c(NAMES[i].event)) &&
            (NAMES[i].change[0] == '\0' || str_equal(change, str_from_c(NAMES[i].change))))
            return str_from_c(NAMES[i].name);
    return event.size > 0 ? STR("WeCom Event") : STR("WeCom Message");
}

/* The wire's own, what is said elsewhere in the event, and what names an employee as a person. */
static const char *const WITHOUT[] = {
    "ToUserName", "FromUserName", "CreateTime", "MsgType", "Event",   "AgentID",   "ExternalUserID",
    "UnionID",    "Name",         "Mobile",     "Email",   "BizMail", "Telephone", "Address",
    "Avatar",     "Alias",        "Gender",     "Token",   NULL
};
static const char *const RENAMED[][2] = { { "UserID", "adviser" },
                                          { "MemChangeCnt", "member_change_count" },
                                          { "Event", "event_type" },
                                          { NULL, NULL } };

static void write_event(const struct settings *settings, const struct fields *fields,
                        struct json_writer *writer)
{
    str corp = setting_text(settings, CORPID), contact = fields_get(fields, "ExternalUserID");
    str event = fields_get(fields, "Event"), change = fields_get(fields, "ChangeType");
    char id[EVENT_ID_BYTES], nobody[128];
    str parts[] = { corp,
                    fields_get(fields, "FromUserName"),
                    fields_get(fields, "CreateTime"),
                    event,
                    change,
                    fields_get(fields, "UserID"),
                    contact,
                    fields_get(fields, "ChatId"),
                    fields_get(fields, "Id"),
                    fields_get(fields, "LinkId"),
                    fields_get(fields, "UpdateDetail"),
                    fields_get(fields, "MsgId"),
                    fields_get(fields, "WelcomeCode") };
    int64_t at_s = 0;
    (void)str_to_int64(fields_get(fields, "CreateTime"), &at_s);
    event_id(id, "wecom", parts, sizeof parts / sizeof parts[0]);
    snprintf(nobody, sizeof nobody, "wecom:" STR_FMT, STR_ARG(str_slice(corp, 0, 100)));
    struct event_head head = {
        .name = name_of(event, change),
        .message_id = str_from_c(id),
        .at_s = at_s,
        .identifiers = { { "wecom_external_userid", contact, corp },
                         { "wx_unionid", fields_get(fields, "UnionID"), STR_NONE } },
        .nobody = contact.size > 0 ? STR_NONE : str_from_c(nobody),
    };
    event_begin(writer, &head);
    if (str_equal(head.name, STR("WeCom Event")))
        json_member_text(writer, STR("event_type"), event);
    event_put_fields(writer, fields, WITHOUT, RENAMED);
    event_end(writer);
}

err wecom_callback(struct channels *channels, const struct settings *settings,
                   const struct channel_callback *callback, struct channel_decoded *decoded,
                   struct problem *problem)
{
    struct envelope envelope = { .token = setting_text(settings, CALLBACK_TOKEN),
                                 .aes_key = setting_text(settings, AES_KEY),
                                 .receiver = setting_text(settings, CORPID) };
    struct json_writer events;
    struct fields fields;
    (void)channels;
    if (envelope.token.size == 0 || envelope.aes_key.size == 0)
        return problem_set(problem, ERR_FORBIDDEN,
                           "the account has no callback token and key: nothing can be verified");
    fields_init(&fields);
    decoded->reply_type = "text/plain; charset=utf-8";
    err error = envelope_receive(&envelope, callback, &fields, &decoded->reply, problem);
    buffer_append_str(&decoded->receipts, STR("[]"));
    json_writer_init(&events, &decoded->events);
    json_begin_array(&events);
    if (error == ERR_OK && fields.count > 0)
        write_event(settings, &fields, &events);
    json_end_array(&events);
    fields_deinit(&fields);
    return error;
}
