/* SPDX-License-Identifier: Apache-2.0 */
/* Official accounts and mini-programs: template messages, service messages, subscription messages, followers, QR codes, sign-in. */
#include <stdio.h>
#include <string.h>

#include "sandbox/inside.h"

#define WINDOW_MS (48 * HOUR_MS)
#define SERVICE_MAX 5 /* messages since she last wrote */
#define DAILY_INFO_MAX 100
enum { NAME_CLIENT_ID = 50 };

static str field(const struct call *call, const char *name)
{
    return json_text(json_get(call->json, str_from_c(name)));
}

/* ---- the answer of a message that was taken ---- */

static uint64_t next_message(struct sandbox *sandbox)
{
    return 3000000000 + ++sandbox->number;
}

static void answer_message(struct call *call, uint64_t id)
{
    struct json_writer writer;
    wx_begin(call, &writer);
    json_put_key(&writer, STR("msgid"));
    json_put_uint(&writer, id);
    json_end_object(&writer);
}

static void take_message(struct call *call, struct account *account, const char *form, str key,
                         uint64_t id)
{
    struct buffer content;
    char text[24];
    snprintf(text, sizeof text, "%llu", (unsigned long long)id);
    buffer_init(&content, SANDBOX_BODY_BYTES_MAX);
    json_write_value(&content, call->json);
    struct take take = { .kind = account->kind,
                         .account = account,
                         .recipient = field(call, "touser"),
                         .form = str_from_c(form),
                         .key = key,
                         .id = id != 0 ? str_from_c(text) : STR_NONE,
                         .content = buffer_str(&content) };
    taken_add(call->sandbox, &take);
    buffer_deinit(&content);
}

/* ---- events ---- */

static void begin_event(struct buffer *xml, const struct account *account, str openid,
                        int64_t now_ms, const char *event)
{
    buffer_append_str(xml, STR("<xml>"));
    xml_text(xml, STR("ToUserName"), str_from_c(account->user_name));
    xml_text(xml, STR("FromUserName"), openid);
    xml_number(xml, STR("CreateTime"), now_ms / SECOND_MS);
    xml_text(xml, STR("MsgType"), STR("event"));
    xml_text(xml, STR("Event"), str_from_c(event));
}

static int64_t report_due(struct sandbox *sandbox)
{
    int64_t spread = sandbox->settings[SETTING_RECEIPT_SPREAD_MS];
    return sandbox_now(sandbox) + sandbox->settings[SETTING_RECEIPT_MS] +
           (spread > 0 ? (int64_t)random_below(&sandbox->random, (uint64_t)spread) : 0);
}

/* A rule of faults may say that it could not be delivered. */
static bool fails_later(struct call *call, const struct account *account, str recipient)
{
    const struct fault_rule *rule = fault_pick(
        call->sandbox, account->kind, str_from_c(account->id), recipient, STR("delivery"), true);
    return rule != NULL && rule->what == FAULT_RECEIPT_FAILED;
}

static void report_template(struct call *call, struct account *account, uint64_t id)
{
    struct buffer xml;
    int64_t due_ms = report_due(call->sandbox);
    str openid = field(call, "touser");
    if (account->callback_url[0] == '\0')
        return;
    bool failed = fails_later(call, account, openid);
    buffer_init(&xml, 65536);
    begin_event(&xml, account, openid, due_ms, "TEMPLATESENDJOBFINISH");
    xml_number(&xml, STR("MsgID"), (int64_t)id);
    xml_text(&xml, STR("Status"), failed ? STR("failed:user block") : STR("success"));
    buffer_append_str(&xml, STR("</xml>"));
    event_send(call->sandbox, account, openid, buffer_str(&xml), due_ms);
    buffer_deinit(&xml);
}

static void report_subscription(struct call *call, struct account *account, uint64_t id)
{
    struct buffer xml;
    int64_t due_ms = report_due(call->sandbox);
    str openid = field(call, "touser");
    if (account->callback_url[0] == '\0')
        return;
    bool failed = fails_later(call, account, openid);
    buffer_init(&xml, 65536);
    begin_event(&xml, account, openid, due_ms, "subscribe_msg_sent_event");
    buffer_append_str(&xml, STR("<SubscribeMsgSentEvent><List>"));
    xml_text(&xml, STR("TemplateId"), field(call, "template_id"));
    xml_number(&xml, STR("MsgID"), (int64_t)id);
    xml_number(&xml, STR("ErrorCode"), failed ? 43101 : 0);
    xml_text(&xml, STR("ErrorStatus"), failed ? STR("user refuse") : STR("success"));
    buffer_append_str(&xml, STR("</List></SubscribeMsgSentEvent></xml>"));
    event_send(call->sandbox, account, openid, buffer_str(&xml), due_ms);
    buffer_deinit(&xml);
}

/* ---- sending ---- */

/* NULL after an answer: she is no follower. */
static struct person *follower(struct call *call, struct account *account)
{
    str openid = field(call, "touser");
    struct person *person = person_of(call->sandbox, account, PERSON_CUSTOMER, openid);
    if (openid.size == 0 || person == NULL)
        wx_answer(call, 40003, "invalid openid");
    else if (person->is_gone)
        wx_answer(call, 43004, "require subscribe");
    return person != NULL && !person->is_gone ? person : NULL;
}

/* The same client_msg_id within the hour is the same message: nothing is sent twice. */
static bool was_sent(struct call *call, const struct account *account, str key, uint64_t **id)
{
    hash128 name = name_hash(NAME_CLIENT_ID, account, key, field(call, "touser"), STR_NONE);
    *id = map_get(&call->sandbox->by_name, name);
    if (*id != NULL)
        return true;
    *id = arena_new(&call->sandbox->arena, uint64_t);
    if (*id != NULL && map_put(&call->sandbox->by_name, name, *id) != ERR_OK)
        *id = NULL;
    return false;
}

static bool has_data(const struct call *call)
{
    struct json_iterator iterator = json_iterate(json_get(call->json, STR("data")));
    json_value member;
    while (json_next(&iterator, NULL, &member))
        if (json_kind(json_get(member, STR("value"))) != JSON_TEXT)
            return false;
    return json_count(json_get(call->json, STR("data"))) > 0;
}

static void send_template(struct call *call, struct account *account)
{
    str key = field(call, "client_msg_id");
    uint64_t *known = NULL;
    if (follower(call, account) == NULL)
        return;
    if (field(call, "template_id").size == 0) {
        wx_answer(call, 40037, "invalid template_id");
        return;
    }
    if (!has_data(call)) {
        wx_answer(call, 47003, "argument invalid! data");
        return;
    }
    if (key.size > 0 && was_sent(call, account, key, &known)) {
        answer_message(call, *known);
        return;
    }
    uint64_t id = next_message(call->sandbox);
    if (known != NULL)
        *known = id;
    take_message(call, account, "template", key, id);
    report_template(call, account, id);
    answer_message(call, id);
}

static void send_service(struct call *call, struct account *account)
{
    struct person *person = follower(call, account);
    str type = field(call, "msgtype");
    int64_t now_ms = sandbox_now(call->sandbox);
    if (person == NULL)
        return;
    if (type.size == 0 || !json_is_object(json_get(call->json, type))) {
        wx_answer(call, 40008, "invalid message type");
        return;
    }
    if (str_equal(type, STR("text")) &&
        json_text(json_get(json_get(call->json, STR("text")), STR("content"))).size > 2048) {
        wx_answer(call, 45002, "content size out of limit");
        return;
    }
    if (person->interacted_ms == 0 || now_ms - person->interacted_ms > WINDOW_MS) {
        wx_answer(call, 45015, "response out of time limit or subscription is canceled");
        return;
    }
    if (person->since_interaction >= SERVICE_MAX) {
        wx_answer(call, 45047, "out of response count limit");
        return;
    }
    person->since_interaction++;
    take_message(call, account, "service", STR_NONE, 0);
    wx_answer(call, 0, "ok");
}

/* ---- subscription messages: each field by its type (protocols, 4.5) ---- */

static size_t characters_of(str text, bool *is_ascii)
{
    size_t count = 0;
    *is_ascii = true;
    for (size_t i = 0; i < text.size; i++) {
        count += ((unsigned char)text.data[i] & 0xc0) != 0x80;
        *is_ascii &= (unsigned char)text.data[i] < 0x80;
    }
    return count;
}

static bool has_only(str text, const char *allowed)
{
    for (size_t i = 0; i < text.size; i++)
        if (text.data[i] == '\0' || strchr(allowed, text.data[i]) == NULL)
            return false;
    return true;
}

#define DIGITS "0123456789"

static bool field_is_valid(str name, str value)
{
    bool is_ascii;
    size_t count = characters_of(value, &is_ascii);
    if (count == 0)
        return false;
    if (str_starts_with(name, STR("thing")))
        return count <= 20;
    if (str_starts_with(name, STR("number")))
        return count <= 32 && has_only(value, DIGITS ".-");
    if (str_starts_with(name, STR("letter")))
        return count <= 32 && is_ascii && !has_only(value, DIGITS);
    if (str_starts_with(name, STR("symbol")))
        return count <= 5;
    if (str_starts_with(name, STR("character_string")))
        return count <= 32 && is_ascii;
    if (str_starts_with(name, STR("amount")))
        return count <= 13;
    if (str_starts_with(name, STR("phone_number")))
        return count <= 17 && has_only(value, DIGITS "+-() ");
    if (str_starts_with(name, STR("car_number")))
        return count <= 8;
    if (str_starts_with(name, STR("name")))
        return count <= (is_ascii ? 20 : 10);
    if (str_starts_with(name, STR("phrase")))
        return count <= 5 && !is_ascii;
    if (str_starts_with(name, STR("time")) || str_starts_with(name, STR("date")))
        return count <= 32 && value.data[0] >= '0' && value.data[0] <= '9';
    return count <= 200;
}

static bool check_fields(struct call *call)
{
    struct json_iterator iterator = json_iterate(json_get(call->json, STR("data")));
    char message[120];
    json_value member;
    str name;
    while (json_next(&iterator, &name, &member)) {
        if (field_is_valid(name, json_text(json_get(member, STR("value")))))
            continue;
        snprintf(message, sizeof message, "argument invalid! data." STR_FMT ".value invalid",
                 STR_ARG(str_slice(name, 0, 60)));
        wx_answer(call, 47003, message);
        return false;
    }
    if (json_count(json_get(call->json, STR("data"))) > 0)
        return true;
    wx_answer(call, 47003, "argument invalid! data empty");
    return false;
}

static void send_subscription(struct call *call, struct account *account)
{
    str openid = field(call, "touser"), template_ = field(call, "template_id");
    struct person *person = person_of(call->sandbox, account, PERSON_CUSTOMER, openid);
    if (openid.size == 0 || person == NULL) {
        wx_answer(call, 40003, "invalid openid");
        return;
    }
    if (template_.size == 0) {
        wx_answer(call, 40037, "invalid template_id");
        return;
    }
    if (str_starts_with(field(call, "page"), STR("http"))) {
        wx_answer(call, 41030, "invalid page");
        return;
    }
    if (!check_fields(call))
        return;
    int64_t *left = credit_of(call->sandbox, account, openid, template_);
    if (left == NULL || *left <= 0) {
        wx_answer(call, 43101, "user refuse to accept the msg");
        return;
    }
    (*left)--;
    uint64_t id = next_message(call->sandbox);
    take_message(call, account, "subscription", STR_NONE, id);
    report_subscription(call, account, id);
    answer_message(call, id);
}

/* ---- followers ---- */

static void write_follower(struct json_writer *writer, const struct person *person)
{
    json_member_int(writer, STR("subscribe"), !person->is_gone);
    json_member_text(writer, STR("openid"), str_from_c(person->id));
    if (person->unionid[0] != '\0')
        json_member_text(writer, STR("unionid"), str_from_c(person->unionid));
    if (person->is_gone)
        return;
    json_member_text(writer, STR("language"), STR("zh_CN"));
    json_member_int(writer, STR("subscribe_time"), person->added_ms / SECOND_MS);
    json_member_text(writer, STR("remark"), str_from_c(person->remark));
    json_put_key(writer, STR("tagid_list"));
    json_begin_array(writer);
    json_end_array(writer);
    json_member_text(writer, STR("subscribe_scene"), STR("ADD_SCENE_QR_CODE"));
}

static void get_follower(struct call *call, struct account *account)
{
    struct json_writer writer;
    str openid = params_get(&call->params, STR("openid"));
    struct person *person = person_of(call->sandbox, account, PERSON_CUSTOMER, openid);
    if (person == NULL) {
        wx_answer(call, 40003, "invalid openid");
        return;
    }
    json_writer_init(&writer, &call->out);
    json_begin_object(&writer);
    write_follower(&writer, person);
    json_end_object(&writer);
}

static void get_followers(struct call *call, struct account *account)
{
    json_value list = json_get(call->json, STR("user_list")), entry;
    struct json_iterator iterator = json_iterate(list);
    struct json_writer writer;
    if (json_count(list) == 0 || json_count(list) > DAILY_INFO_MAX) {
        wx_answer(call, 40130, "invalid openid list size");
        return;
    }
    json_writer_init(&writer, &call->out);
    json_begin_object(&writer);
    json_put_key(&writer, STR("user_info_list"));
    json_begin_array(&writer);
    while (json_next(&iterator, NULL, &entry)) {
        struct person *person = person_of(call->sandbox, account, PERSON_CUSTOMER,
                                          json_text(json_get(entry, STR("openid"))));
        if (person == NULL)
            continue;
        json_begin_object(&writer);
        write_follower(&writer, person);
        json_end_object(&writer);
    }
    json_end_array(&writer);
    json_end_object(&writer);
}

static void list_followers(struct call *call, const struct account *account)
{
    struct json_writer writer;
    str after = params_get(&call->params, STR("next_openid")), last = STR_NONE;
    int64_t total = 0, count = 0;
    bool seen = after.size == 0;
    for (const struct person *person = call->sandbox->people; person != NULL; person = person->next)
        total += person->account == account && !person->is_gone;
    json_writer_init(&writer, &call->out);
    json_begin_object(&writer);
    json_member_int(&writer, STR("total"), total);
    json_put_key(&writer, STR("data"));
    json_begin_object(&writer);
    json_put_key(&writer, STR("openid"));
    json_begin_array(&writer);
    for (const struct person *person = call->sandbox->people; person != NULL && count < 10000;
         person = person->next) {
        if (person->account == account && !person->is_gone && seen) {
            json_put_text(&writer, str_from_c(person->id));
            last = str_from_c(person->id);
            count++;
        }
        seen |= person->account == account && str_equal(after, str_from_c(person->id));
    }
    json_end_array(&writer);
    json_end_object(&writer);
    json_member_int(&writer, STR("count"), count);
    json_member_text(&writer, STR("next_openid"), last);
    json_end_object(&writer);
}

/* ---- the rest ---- */

static void create_qr(struct call *call)
{
    struct json_writer writer;
    char ticket[40], url[160];
    json_value scene = json_get(json_get(call->json, STR("action_info")), STR("scene"));
    str text = json_text(json_get(scene, STR("scene_str")));
    if (text.size > 64 ||
        (text.size == 0 && json_kind(json_get(scene, STR("scene_id"))) != JSON_INT)) {
        wx_answer(call, 40053, "invalid action info");
        return;
    }
    sandbox_id(call->sandbox, "ticket", ticket, sizeof ticket);
    snprintf(url, sizeof url, "http://weixin.qq.com/q/%s", ticket);
    json_writer_init(&writer, &call->out);
    json_begin_object(&writer);
    json_member_text(&writer, STR("ticket"), str_from_c(ticket));
    int64_t seconds = json_int(json_get(call->json, STR("expire_seconds")), 0);
    if (seconds > 0)
        json_member_int(&writer, STR("expire_seconds"), seconds);
    json_member_text(&writer, STR("url"), str_from_c(url));
    json_end_object(&writer);
}

static void give_ticket(struct call *call)
{
    struct json_writer writer;
    char id[40];
    sandbox_id(call->sandbox, "ticket", id, sizeof id);
    wx_begin(call, &writer);
    json_member_text(&writer, STR("ticket"), str_from_c(id));
    json_member_int(&writer, STR("expires_in"), 7200);
    json_end_object(&writer);
}

/* A code is "openid" or "openid:unionid", good once. */
static bool use_code(struct sandbox *sandbox, const struct account *account, str code)
{
    hash128 name = name_hash(NAME_CLIENT_ID + 1, account, code, STR_NONE, STR_NONE);
    if (map_get(&sandbox->by_name, name) != NULL)
        return false;
    return map_put(&sandbox->by_name, name, sandbox) == ERR_OK;
}

void wechat_login(struct call *call)
{
    struct json_writer writer;
    str appid = params_get(&call->params, STR("appid")),
        code = params_get(&call->params, STR("js_code"));
    struct account *account = account_of(call->sandbox, KIND_MINI_PROGRAM, appid);
    char key[32];
    uint8_t random[16];
    if (account == NULL) {
        wx_answer(call, 40013, "invalid appid");
        return;
    }
    if (!same_text(params_get(&call->params, STR("secret")), str_from_c(account->secret))) {
        wx_answer(call, 40125, "invalid appsecret");
        return;
    }
    if (code.size == 0) {
        wx_answer(call, 40029, "invalid code");
        return;
    }
    if (!use_code(call->sandbox, account, code)) {
        wx_answer(call, 40163, "code been used");
        return;
    }
    for (size_t i = 0; i < sizeof random; i++)
        random[i] = (uint8_t)random_next(&call->sandbox->random);
    size_t size = base64_write(random, sizeof random, key);
    size_t colon = str_find_byte(code, ':');
    json_writer_init(&writer, &call->out);
    json_begin_object(&writer);
    json_member_text(&writer, STR("openid"), str_slice(code, 0, colon));
    json_member_text(&writer, STR("session_key"), str_from_bytes(key, size));
    if (colon < code.size)
        json_member_text(&writer, STR("unionid"), str_slice(code, colon + 1, code.size));
    json_end_object(&writer);
}

/* A code is the number. */
static void get_phone(struct call *call, const struct account *account)
{
    struct json_writer writer;
    str code = field(call, "code");
    char phone[24];
    if (!sandbox_phone(code, phone)) {
        wx_answer(call, 40029, "invalid code");
        return;
    }
    wx_begin(call, &writer);
    json_put_key(&writer, STR("phone_info"));
    json_begin_object(&writer);
    json_member_text(&writer, STR("phoneNumber"), str_from_c(phone + 3));
    json_member_text(&writer, STR("purePhoneNumber"), str_from_c(phone + 3));
    json_member_text(&writer, STR("countryCode"), STR("86"));
    json_put_key(&writer, STR("watermark"));
    json_begin_object(&writer);
    json_member_int(&writer, STR("timestamp"), sandbox_now(call->sandbox) / SECOND_MS);
    json_member_text(&writer, STR("appid"), str_from_c(account->id));
    json_end_object(&writer);
    json_end_object(&writer);
    json_end_object(&writer);
}

void wechat_dispatch(struct call *call, struct account *account, str interface)
{
    if (str_equal(interface, STR("message/template/send"))) {
        send_template(call, account);
        return;
    }
    if (str_equal(interface, STR("message/custom/send"))) {
        send_service(call, account);
        return;
    }
    if (str_equal(interface, STR("message/subscribe/send")) ||
        str_equal(interface, STR("message/subscribe/bizsend"))) {
        send_subscription(call, account);
        return;
    }
    if (str_equal(interface, STR("user/info"))) {
        get_follower(call, account);
        return;
    }
    if (str_equal(interface, STR("user/info/batchget"))) {
        get_followers(call, account);
        return;
    }
    if (str_equal(interface, STR("user/get"))) {
        list_followers(call, account);
        return;
    }
    if (str_equal(interface, STR("qrcode/create"))) {
        create_qr(call);
        return;
    }
    if (str_equal(interface, STR("ticket/getticket"))) {
        give_ticket(call);
        return;
    }
    if (str_equal(interface, STR("wxa/business/getuserphonenumber"))) {
        get_phone(call, account);
        return;
    }
    wx_answer(call, 48001, "api unauthorized: the sandbox does not have it");
}
