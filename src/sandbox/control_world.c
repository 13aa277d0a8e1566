/* SPDX-License-Identifier: Apache-2.0 */
/* PUT /sandbox/world: settings, accounts, people, templates; POST /sandbox/events: what people do. */
#include <stdio.h>
#include <string.h>

#include "sandbox/inside.h"

static const struct {
    const char *name, *about;
    int64_t otherwise, least, most;
} rows[SETTING_COUNT] = {
#define X(NAME, text, otherwise, least, most, about) { text, about, otherwise, least, most },
    SETTINGS(X)
#undef X
};

static void copy_member(json_value object, const char *name, char *out, size_t size)
{
    json_value member = json_get(object, str_from_c(name));
    str text = json_text(member);
    if (json_kind(member) != JSON_TEXT)
        return;
    text = str_slice(text, 0, str_utf8_prefix_bytes(text, size - 1));
    if (text.size > 0)
        memcpy(out, text.data, text.size);
    out[text.size] = '\0';
}

/* ---- settings ---- */

static bool put_settings(struct call *call, json_value settings)
{
    struct json_iterator iterator = json_iterate(settings);
    json_value value;
    str name;
    while (json_next(&iterator, &name, &value)) {
        int which = 0;
        while (which < SETTING_COUNT && !str_equal(name, str_from_c(rows[which].name)))
            which++;
        if (which == SETTING_COUNT) {
            call_error(call, 422,
                       "there is no setting '" STR_FMT "' (GET /sandbox/world lists them)",
                       STR_ARG(str_slice(name, 0, 60)));
            return false;
        }
        int64_t number = json_int(value, json_bool(value, false) ? 1 : 0);
        if (number < rows[which].least || number > rows[which].most) {
            call_error(call, 422, "setting '%s' is from %lld to %lld", rows[which].name,
                       (long long)rows[which].least, (long long)rows[which].most);
            return false;
        }
        call->sandbox->settings[which] = number;
        if (which == SETTING_KEEP && taken_set_keep(call->sandbox, (size_t)number) != ERR_OK) {
            call_error(call, 503, "no memory to keep so many messages");
            return false;
        }
    }
    return true;
}

/* ---- accounts and people ---- */

static str id_of(json_value account)
{
    static const char *const names[] = { "id",        "corpid", "appid", "access_key_id",
                                         "secret_id", "name" };
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        str id = json_text(json_get(account, str_from_c(names[i])));
        if (id.size > 0)
            return id;
    }
    return STR_NONE;
}

static bool put_account(struct call *call, json_value json)
{
    enum kind kind;
    str text = json_text(json_get(json, STR("kind")));
    if (!kind_find(text, &kind)) {
        call_error(call, 422, "there is no kind '" STR_FMT "'", STR_ARG(str_slice(text, 0, 60)));
        return false;
    }
    struct account *account = account_make(call->sandbox, kind, id_of(json));
    if (account == NULL) {
        call_error(call, 422, "an account has an id of 1 to %d bytes", SANDBOX_ID_BYTES - 1);
        return false;
    }
    str key = json_text(json_get(json, STR("encoding_aes_key")));
    if (key.size > 0 && key.size != 43) {
        call_error(call, 422, "encoding_aes_key has 43 characters, not %zu", key.size);
        return false;
    }
    account->is_given = json_text(json_get(json, STR("secret"))).size > 0 || account->is_given;
    copy_member(json, "secret", account->secret, sizeof account->secret);
    copy_member(json, "callback_url", account->callback_url, sizeof account->callback_url);
    copy_member(json, "callback_token", account->callback_token, sizeof account->callback_token);
    copy_member(json, "encoding_aes_key", account->aes_key, sizeof account->aes_key);
    copy_member(json, "user_name", account->user_name, sizeof account->user_name);
    return true;
}

static struct account *account_named(struct call *call, json_value json)
{
    enum kind kind;
    str text = json_text(json_get(json, STR("kind")));
    str id = json_text(json_get(json, STR("account")));
    if (id.size == 0)
        id = json_text(json_get(json, STR("corpid")));
    if (id.size == 0)
        id = json_text(json_get(json, STR("appid")));
    struct account *account =
        kind_find(text, &kind) && id.size > 0 ? account_make(call->sandbox, kind, id) : NULL;
    if (account == NULL)
        call_error(call, 422, "'kind' and 'account' say whose it is");
    return account;
}

static bool put_person(struct call *call, json_value json, enum person_kind kind)
{
    struct account *account = account_named(call, json);
    if (account == NULL)
        return false;
    struct person *person =
        person_make(call->sandbox, account, kind, json_text(json_get(json, STR("id"))));
    if (person == NULL) {
        call_error(call, 422, "a person or a group has an id of 1 to %d bytes",
                   SANDBOX_ID_BYTES - 1);
        return false;
    }
    copy_member(json, "name", person->name, sizeof person->name);
    copy_member(json, "unionid", person->unionid, sizeof person->unionid);
    copy_member(json, "adviser", person->adviser, sizeof person->adviser);
    copy_member(json, "owner", person->adviser, sizeof person->adviser);
    person->is_gone = json_bool(json_get(json, STR("gone")), false);
    if (json_bool(json_get(json, STR("interacted")), false)) {
        person->interacted_ms = sandbox_now(call->sandbox);
        person->since_interaction = 0;
    }
    return true;
}

static bool put_credit(struct call *call, json_value json)
{
    struct account *account = account_named(call, json);
    str openid = json_text(json_get(json, STR("openid")));
    str template_ = json_text(json_get(json, STR("template_id")));
    int64_t *left = account != NULL && openid.size > 0 && template_.size > 0
                        ? credit_of(call->sandbox, account, openid, template_)
                        : NULL;
    if (left == NULL) {
        if (account != NULL)
            call_error(call, 422, "'openid' and 'template_id' say whose subscription it is");
        return false;
    }
    *left = json_int(json_get(json, STR("count")), 1);
    return person_make(call->sandbox, account, PERSON_CUSTOMER, openid) != NULL;
}

static bool put_template(struct call *call, json_value json)
{
    enum kind kind;
    str text = json_text(json_get(json, STR("kind"))),
        code = json_text(json_get(json, STR("code")));
    if (!kind_find(text, &kind) || (kind != KIND_ALIYUN && kind != KIND_TENCENT) ||
        code.size == 0) {
        call_error(call, 422, "a template has 'kind' sms_aliyun or sms_tencent, and a 'code'");
        return false;
    }
    struct sms_template *template =
        sms_template_add(call->sandbox, kind, code, json_text(json_get(json, STR("name"))),
                         json_text(json_get(json, STR("content"))),
                         json_bool(json_get(json, STR("marketing")), false));
    if (template == NULL) {
        call_error(call, 422, "there are too many templates");
        return false;
    }
    /* Who sets it up may say that it is approved, whatever the reviewers would say. */
    str status = json_text(json_get(json, STR("status")));
    if (str_equal(status, STR("approved")) || str_equal(status, STR("refused"))) {
        template->is_refused = str_equal(status, STR("refused"));
        template->reviewed_ms = 0;
    }
    return true;
}

static bool put_each(struct call *call, str name, bool (*put)(struct call *call, json_value json))
{
    struct json_iterator iterator = json_iterate(json_get(call->json, name));
    json_value json;
    while (json_next(&iterator, NULL, &json))
        if (!put(call, json))
            return false;
    return true;
}

static bool put_customer(struct call *call, json_value json)
{
    return put_person(call, json, PERSON_CUSTOMER);
}

static bool put_employee(struct call *call, json_value json)
{
    return put_person(call, json, PERSON_EMPLOYEE);
}

static bool put_group(struct call *call, json_value json)
{
    return put_person(call, json, PERSON_GROUP);
}

static void write_world(struct call *call)
{
    struct sandbox *sandbox = call->sandbox;
    struct json_writer writer;
    json_writer_init(&writer, &call->out);
    json_begin_object(&writer);
    json_member_time(&writer, STR("now"), sandbox_now(sandbox));
    json_put_key(&writer, STR("settings"));
    json_begin_object(&writer);
    for (int i = 0; i < SETTING_COUNT; i++)
        json_member_int(&writer, str_from_c(rows[i].name), sandbox->settings[i]);
    json_end_object(&writer);
    json_put_key(&writer, STR("about"));
    json_begin_object(&writer);
    for (int i = 0; i < SETTING_COUNT; i++)
        json_member_text(&writer, str_from_c(rows[i].name), str_from_c(rows[i].about));
    json_end_object(&writer);
    json_put_key(&writer, STR("accounts"));
    json_begin_array(&writer);
    for (const struct account *account = sandbox->accounts; account != NULL;
         account = account->next) {
        json_begin_object(&writer);
        json_member_text(&writer, STR("kind"), str_from_c(kind_texts[account->kind]));
        json_member_text(&writer, STR("id"), str_from_c(account->id));
        json_member_text(&writer, STR("callback_url"), str_from_c(account->callback_url));
        json_member_int(&writer, STR("taken"), (int64_t)account->taken);
        json_member_int(&writer, STR("refused"), (int64_t)account->refused);
        json_end_object(&writer);
    }
    json_end_array(&writer);
    json_end_object(&writer);
}

void control_world(struct call *call)
{
    if (str_equal(call->method, STR("GET"))) {
        write_world(call);
        return;
    }
    if (!call_json(call)) {
        call_error(call, 400, "a JSON object is wanted");
        return;
    }
    if (put_settings(call, json_get(call->json, STR("settings"))) &&
        put_each(call, STR("accounts"), put_account) &&
        put_each(call, STR("employees"), put_employee) &&
        put_each(call, STR("customers"), put_customer) &&
        put_each(call, STR("groups"), put_group) &&
        put_each(call, STR("subscriptions"), put_credit) &&
        put_each(call, STR("templates"), put_template))
        write_world(call);
}

/* ---- POST /sandbox/events ---- */

/* One message more for each template that she accepted. */
static void add_credit(struct call *call, struct account *account, str openid, json_value entry)
{
    str template_ = json_text(json_get(entry, STR("TemplateId")));
    str status = json_text(json_get(entry, STR("SubscribeStatusString")));
    if (template_.size == 0 || (status.size > 0 && !str_equal(status, STR("accept"))))
        return;
    int64_t *left = credit_of(call->sandbox, account, openid, template_);
    if (left != NULL)
        (*left)++;
}

/* SubscribeMsgPopupEvent has a List for each template, as the provider writes it; a single one may stand bare. */
static void subscribe(struct call *call, struct account *account, str openid, json_value json)
{
    json_value list = json_get(json_get(json, STR("SubscribeMsgPopupEvent")), STR("List"));
    struct json_iterator iterator = json_iterate(list);
    json_value entry;
    add_credit(call, account, openid, json);
    if (json_is_object(list))
        add_credit(call, account, openid, list);
    else
        while (json_next(&iterator, NULL, &entry))
            add_credit(call, account, openid, entry);
}

/* What an event of WeChat does to the follower. */
static void follow(struct call *call, struct account *account, str openid, str event,
                   json_value json)
{
    struct person *person = person_make(call->sandbox, account, PERSON_CUSTOMER, openid);
    if (person == NULL)
        return;
    if (str_equal(event, STR("unsubscribe"))) {
        person->is_gone = true;
        return;
    }
    if (str_equal(event, STR("subscribe")))
        person->is_gone = false;
    person->interacted_ms = sandbox_now(call->sandbox);
    person->since_interaction = 0;
    if (str_equal(event, STR("subscribe_msg_popup_event")))
        subscribe(call, account, openid, json);
}

/* What a change of WeCom's contacts does; gives the welcome code that goes with it. */
static void change_contact(struct call *call, struct account *account, str change, json_value json,
                           str employee, char code[40])
{
    str id = json_text(json_get(json, STR("ExternalUserID")));
    struct person *person = person_make(call->sandbox, account, PERSON_CUSTOMER, id);
    if (person == NULL)
        return;
    if (str_starts_with(change, STR("del_"))) {
        person->is_gone = true;
    } else if (str_starts_with(change, STR("add_"))) {
        person->is_gone = false;
        snprintf(person->adviser, sizeof person->adviser, "%.*s",
                 (int)str_utf8_prefix_bytes(employee, sizeof person->adviser - 1), employee.data);
        if (json_text(json_get(json, STR("WelcomeCode"))).size == 0) {
            sandbox_id(call->sandbox, "welcome", code, 40);
            welcome_add(call->sandbox, account, str_from_c(code), id);
        } else {
            welcome_add(call->sandbox, account, json_text(json_get(json, STR("WelcomeCode"))), id);
        }
    }
}

/* Whose contact she becomes: as told, or whose turn it is of the pool whose code she scanned. */
static void write_employee(struct call *call, const struct account *account, json_value json,
                           struct buffer *employee)
{
    str told = json_text(json_get(json, STR("UserID")));
    str state = json_text(json_get(json, STR("State")));
    if (told.size > 0 || state.size == 0)
        buffer_append_str(employee, told);
    else
        (void)wecom_way_turn(call->sandbox, account, state, employee);
}

static void send_wx_event(struct call *call, struct account *account, json_value json)
{
    struct buffer xml, employee;
    char code[40] = "";
    str event = json_text(json_get(json, STR("Event")));
    str from = json_text(json_get(json, STR("FromUserName")));
    str type = json_text(json_get(json, STR("MsgType")));
    buffer_init(&xml, 65536);
    buffer_append_str(&xml, STR("<xml>"));
    xml_text(&xml, STR("ToUserName"),
             str_from_c(account->kind == KIND_WECOM ? account->id : account->user_name));
    if (from.size == 0)
        xml_text(&xml, STR("FromUserName"), STR("sys"));
    xml_number(&xml, STR("CreateTime"), sandbox_now(call->sandbox) / SECOND_MS);
    if (type.size == 0)
        xml_text(&xml, STR("MsgType"), STR("event"));
    xml_members(&xml, json);
    buffer_init(&employee, SANDBOX_ID_BYTES);
    write_employee(call, account, json, &employee);
    if (employee.size > 0 && json_text(json_get(json, STR("UserID"))).size == 0)
        xml_text(&xml, STR("UserID"), buffer_str(&employee));
    if (account->kind == KIND_WECOM)
        change_contact(call, account, json_text(json_get(json, STR("ChangeType"))), json,
                       employee.size > 0 ? buffer_str(&employee) : STR(""), code);
    else
        follow(call, account, from, event, json);
    if (code[0] != '\0')
        xml_text(&xml, STR("WelcomeCode"), str_from_c(code));
    buffer_append_str(&xml, STR("</xml>"));
    event_send(call->sandbox, account, from, buffer_str(&xml), sandbox_now(call->sandbox));
    buffer_deinit(&employee);
    buffer_deinit(&xml);
    buffer_append_str(&call->out, STR("{\"ok\":true,\"welcome_code\":"));
    json_write_text(&call->out, str_from_c(code));
    buffer_append_byte(&call->out, '}');
}

/* {"kind", "account", "event": {…}}: XML for WeCom and WeChat, JSON as it stands for the others (replies of SMS). */
void control_event(struct call *call)
{
    struct buffer body;
    if (!call_json(call)) {
        call_error(call, 400, "a JSON object is wanted");
        return;
    }
    struct account *account = account_named(call, call->json);
    json_value event = json_get(call->json, STR("event"));
    if (account == NULL)
        return;
    if (!json_is_object(event)) {
        call_error(call, 422, "'event' is an object");
        return;
    }
    if (account->kind <= KIND_MINI_PROGRAM) {
        send_wx_event(call, account, event);
        return;
    }
    buffer_init(&body, SANDBOX_BODY_BYTES_MAX);
    json_write_value(&body, event);
    callback_schedule(call->sandbox, account, STR_NONE, buffer_str(&body), "application/json", true,
                      sandbox_now(call->sandbox));
    buffer_deinit(&body);
    buffer_append_str(&call->out, STR("{\"ok\":true}"));
}
