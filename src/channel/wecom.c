/* SPDX-License-Identifier: Apache-2.0 */
/* wecom: messages to employees, welcome messages, mass messages, moments and tags (protocols: WeCom, §3.1 and §3.4). */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "channel/channel_inside.h"
#include "channel/crypt.h"

#define MASS_MEMBERS_MAX 10000
#define TEXT_BYTES_MAX 4000
#define MOMENT_BYTES_MAX 4000
#define ATTACHMENTS_MAX 9
#define DUPLICATE_CHECK_S 1800
#define ASK_DAYS 3

enum wecom_form { EMPLOYEE, WELCOME, CUSTOMER_MASS, GROUP_MASS, MOMENT, TAG, NO_FORM };
static const struct {
    const char *text, *path;
} FORMS[] = {
    [EMPLOYEE] = { "employee_text", "/cgi-bin/message/send" },
    [WELCOME] = { "welcome", "/cgi-bin/externalcontact/send_welcome_msg" },
    [CUSTOMER_MASS] = { "customer_mass", "/cgi-bin/externalcontact/add_msg_template" },
    [GROUP_MASS] = { "group_mass", "/cgi-bin/externalcontact/add_msg_template" },
    [MOMENT] = { "moment", "/cgi-bin/externalcontact/add_moment_task" },
    [TAG] = { "tag", "/cgi-bin/externalcontact/mark_tag" },
};

static enum wecom_form form_of(const struct unit *unit)
{
    for (int i = 0; i < NO_FORM; i++)
        if (str_equal(unit->message.form, str_from_c(FORMS[i].text)))
            return (enum wecom_form)i;
    return NO_FORM;
}

/* ---- parts that several forms have ---- */

static void put_text(struct json_writer *writer, const char *part, str content)
{
    json_put_key(writer, str_from_c(part));
    json_begin_object(writer);
    json_member_text(writer, STR("content"), content);
    json_end_object(writer);
}

/* Text and attachments; at least one of them. */
static bool put_body(struct json_writer *writer, const struct content *content, size_t text_max,
                     struct verdict *verdict)
{
    str text = content_text(content, "text");
    json_value attachments = content_nested(content, "attachments");
    size_t count = json_kind(attachments) == JSON_ARRAY ? json_count(attachments) : 0;
    if (text.size == 0 && count == 0)
        return verdict_refuse(verdict, "bad_content", "neither a text nor an attachment");
    if (text.size > text_max)
        return verdict_refuse(verdict, "bad_content", "the text has %zu bytes, %zu are allowed",
                              text.size, text_max);
    if (count > ATTACHMENTS_MAX)
        return verdict_refuse(verdict, "bad_content", "%zu attachments, 9 are allowed", count);
    if (text.size > 0)
        put_text(writer, "text", text);
    if (count > 0)
        json_member_copy(writer, "attachments", attachments);
    return true;
}

static str sender_of(const struct transfer *transfer, const struct content *content)
{
    str sender = content_text(content, "sender");
    if (sender.size == 0)
        sender = content_text(content, "userid");
    return sender.size > 0 ? sender : setting_text(transfer->settings, SENDER);
}

/* A list that may be a JSON list, or a text with commas. */
static void put_list(struct json_writer *writer, const char *name, const struct content *content,
                     const char *part)
{
    json_value list = content_nested(content, part);
    str rest = content_text(content, part), item;
    if (json_kind(list) == JSON_ARRAY) {
        json_member_copy(writer, name, list);
        return;
    }
    json_put_key(writer, str_from_c(name));
    json_begin_array(writer);
    while (str_split(&rest, ',', &item)) {
        item = str_trim(item);
        if (item.size > 0)
            json_put_text(writer, item);
    }
    json_end_array(writer);
}

/* ---- to employees ---- */

static const char *employee_type(const struct content *content)
{
    static const char *const TYPES[] = { "text", "markdown",     "textcard", "miniprogram_notice",
                                         "news", "template_card" };
    str named = content_text(content, "msgtype");
    for (size_t i = 0; i < sizeof TYPES / sizeof TYPES[0]; i++)
        if (str_equal(named, str_from_c(TYPES[i])))
            return TYPES[i];
    if (content_text(content, "appid").size > 0)
        return "miniprogram_notice";
    if (content_text(content, "url").size > 0 && content_text(content, "title").size > 0)
        return "textcard";
    return content_text(content, "markdown").size > 0 ? "markdown" : "text";
}

static void put_card(struct json_writer *writer, const struct content *content)
{
    str button = content_text(content, "button"), text = content_text(content, "description");
    json_put_key(writer, STR("textcard"));
    json_begin_object(writer);
    json_member_text(writer, STR("title"), content_text(content, "title"));
    json_member_text(writer, STR("description"),
                     text.size > 0 ? text : content_text(content, "text"));
    json_member_text(writer, STR("url"), content_text(content, "url"));
    if (button.size > 0)
        json_member_text(writer, STR("btntxt"), button);
    json_end_object(writer);
}

static void put_notice(struct json_writer *writer, const struct content *content)
{
    json_value items = content_nested(content, "items");
    str page = content_text(content, "page"), text = content_text(content, "description");
    json_put_key(writer, STR("miniprogram_notice"));
    json_begin_object(writer);
    json_member_text(writer, STR("appid"), content_text(content, "appid"));
    if (page.size > 0)
        json_member_text(writer, STR("page"), page);
    json_member_text(writer, STR("title"), content_text(content, "title"));
    if (text.size > 0)
        json_member_text(writer, STR("description"), text);
    if (json_kind(items) == JSON_ARRAY)
        json_member_copy(writer, "content_item", items);
    json_end_object(writer);
}

static bool put_employee_part(struct json_writer *writer, const struct content *content,
                              const char *type, struct verdict *verdict)
{
    if (strcmp(type, "textcard") == 0) {
        put_card(writer, content);
    } else if (strcmp(type, "miniprogram_notice") == 0) {
        put_notice(writer, content);
    } else if (strcmp(type, "text") == 0 || strcmp(type, "markdown") == 0) {
        str text = content_text(content, type);
        text = text.size > 0 ? text : content_text(content, "text");
        if (text.size == 0)
            return verdict_refuse(verdict, "bad_content", "the text is empty");
        put_text(writer, type, text);
    } else {
        json_value part = content_nested(content, type);
        if (!json_is_object(part))
            return verdict_refuse(verdict, "bad_content", "the part '%s' is missing", type);
        json_member_copy(writer, type, part);
    }
    return true;
}

/* Who gets it, several with '|' between: as the parts say, else whom it goes to, else the account's sender. */
static str employees_of(const struct settings *settings, const struct unit *unit,
                        const struct content *content)
{
    str users = content_text(content, "userid");
    if (users.size == 0)
        users = unit->message.recipient;
    return users.size > 0 ? users : setting_text(settings, SENDER);
}

static bool build_employee(struct json_writer *writer, struct transfer *transfer,
                           const struct unit *unit, const struct content *content,
                           struct verdict *verdict)
{
    const char *type = employee_type(content);
    str users = employees_of(transfer->settings, unit, content);
    if (users.size == 0)
        return verdict_refuse(verdict, "bad_recipient",
                              "no employee is named: part 'userid', or the account's sender");
    json_member_text(writer, STR("touser"), users);
    json_member_text(writer, STR("msgtype"), str_from_c(type));
    json_member_int(writer, STR("agentid"), setting_number(transfer->settings, AGENTID));
    /* The same again within half an hour is not shown again: what makes a repeat safe. */
    json_member_int(writer, STR("enable_duplicate_check"), 1);
    json_member_int(writer, STR("duplicate_check_interval"), DUPLICATE_CHECK_S);
    return put_employee_part(writer, content, type, verdict);
}

/* ---- to customers ---- */

static bool build_welcome(struct json_writer *writer, const struct content *content,
                          struct verdict *verdict)
{
    str code = content_text(content, "welcome_code");
    if (code.size == 0)
        return verdict_refuse(verdict, "bad_content", "there is no welcome code");
    json_member_text(writer, STR("welcome_code"), code);
    return put_body(writer, content, TEXT_BYTES_MAX, verdict);
}

static void put_recipients(struct json_writer *writer, const char *name, const struct unit *unit)
{
    json_put_key(writer, str_from_c(name));
    json_begin_array(writer);
    json_put_text(writer, unit->message.recipient);
    for (const struct unit *member = unit->members; member != NULL; member = member->next)
        json_put_text(writer, member->message.recipient);
    json_end_array(writer);
}

static bool build_mass(struct json_writer *writer, struct transfer *transfer,
                       const struct unit *unit, const struct content *content,
                       struct verdict *verdict)
{
    bool is_group = form_of(unit) == GROUP_MASS;
    str sender = sender_of(transfer, content);
    bool has_chats = is_group && content_text(content, "chat_ids").size > 0;
    if (unit->message.recipient.size == 0 && !is_group)
        return verdict_refuse(verdict, "bad_recipient", "no contact is named");
    if (sender.size == 0 && (is_group || unit->message.recipient.size == 0))
        return verdict_refuse(verdict, "bad_content", "no employee is named who sends it");
    json_member_text(writer, STR("chat_type"), is_group ? STR("group") : STR("single"));
    if (has_chats)
        put_list(writer, "chat_id_list", content, "chat_ids");
    else if (unit->message.recipient.size > 0)
        put_recipients(writer, is_group ? "chat_id_list" : "external_userid", unit);
    if (sender.size > 0)
        json_member_text(writer, STR("sender"), sender);
    return put_body(writer, content, TEXT_BYTES_MAX, verdict);
}

static bool build_moment(struct json_writer *writer, const struct content *content,
                         struct verdict *verdict)
{
    json_put_key(writer, STR("visible_range"));
    json_begin_object(writer);
    json_put_key(writer, STR("sender_list"));
    json_begin_object(writer);
    put_list(writer, "user_list", content, "users");
    put_list(writer, "department_list", content, "departments");
    json_end_object(writer);
    json_put_key(writer, STR("external_contact_list"));
    json_begin_object(writer);
    put_list(writer, "tag_list", content, "tags");
    json_end_object(writer);
    json_end_object(writer);
    return put_body(writer, content, MOMENT_BYTES_MAX, verdict);
}

static bool build_tag(struct json_writer *writer, struct transfer *transfer,
                      const struct unit *unit, const struct content *content,
                      struct verdict *verdict)
{
    str employee = sender_of(transfer, content);
    if (employee.size == 0 || unit->message.recipient.size == 0)
        return verdict_refuse(verdict, "bad_content", "an employee and a contact must be named");
    json_member_text(writer, STR("userid"), employee);
    json_member_text(writer, STR("external_userid"), unit->message.recipient);
    put_list(writer, "add_tag", content, "add_tag");
    put_list(writer, "remove_tag", content, "remove_tag");
    return true;
}

static bool build(struct transfer *transfer, const struct unit *unit, struct verdict *verdict)
{
    enum wecom_form form = form_of(unit);
    struct json_writer writer;
    struct content content;
    bool built = false;
    if (form == NO_FORM)
        return verdict_refuse(verdict, "bad_content", "WeCom has no form of this name");
    if (!content_open(transfer->channels, unit, &content, verdict))
        return false;
    errcode_url(transfer, FORMS[form].path);
    errcode_json(transfer, &writer);
    json_begin_object(&writer);
    switch (form) {
    case EMPLOYEE:
        built = build_employee(&writer, transfer, unit, &content, verdict);
        break;
    case WELCOME:
        built = build_welcome(&writer, &content, verdict);
        break;
    case CUSTOMER_MASS:
    case GROUP_MASS:
        built = build_mass(&writer, transfer, unit, &content, verdict);
        break;
    case MOMENT:
        built = build_moment(&writer, &content, verdict);
        break;
    case TAG:
        built = build_tag(&writer, transfer, unit, &content, verdict);
        break;
    case NO_FORM:
        break;
    }
    if (built)
        json_end_object(&writer);
    return built;
}

/* ---- answers ---- */

static bool is_repeatable(const struct unit *unit)
{
    enum wecom_form form = form_of(unit);
    /* The same text is not shown twice; a code is good once; a tag that is there is there. */
    return form == EMPLOYEE || form == WELCOME || form == TAG;
}

static bool can_ask(const struct unit *unit)
{
    enum wecom_form form = form_of(unit);
    return form == CUSTOMER_MASS || form == GROUP_MASS;
}

static int by_hash(const void *a, const void *b)
{
    const uint64_t *left = a, *right = b;
    return (*left > *right) - (*left < *right);
}

static uint64_t hash_of(str text)
{
    return hash_bytes64(text.data, text.size, 0);
}

static void fail_member(struct unit *unit, const uint64_t *failed, size_t count)
{
    uint64_t hash = hash_of(unit->message.recipient);
    if (bsearch(&hash, failed, count, sizeof hash, by_hash) != NULL)
        unit->rule = code_find(&codes_wecom, STR("fail_list"));
}

/* Those who are in fail_list were not taken, the others were. */
static void mark_failed(struct unit *unit, json_value list)
{
    size_t count = json_count(list), at = 0;
    struct json_iterator iterator = json_iterate(list);
    json_value item;
    uint64_t *failed = count > 0 ? memory_alloc(count * sizeof *failed) : NULL;
    if (failed == NULL)
        return;
    while (at < count && json_next(&iterator, NULL, &item))
        failed[at++] = hash_of(json_text(item));
    qsort(failed, at, sizeof *failed, by_hash);
    fail_member(unit, failed, at);
    for (struct unit *member = unit->members; member != NULL; member = member->next)
        fail_member(member, failed, at);
    memory_free(failed);
}

static void name_members(struct unit *unit, str id)
{
    provider_id_of(unit->provider_id, id, unit->message.recipient);
    for (struct unit *member = unit->members; member != NULL; member = member->next)
        provider_id_of(member->provider_id, id, member->message.recipient);
}

static void judge_mass(struct unit *unit, json_value root, struct verdict *verdict)
{
    str id = json_text(json_get(root, STR("msgid")));
    mark_failed(unit, json_get(root, STR("fail_list")));
    name_members(unit, id);
    snprintf(verdict->provider_id, sizeof verdict->provider_id, STR_FMT, STR_ARG(id));
}

static size_t count_users(str users)
{
    size_t count = 0;
    for (str user; str_split(&users, '|', &user);)
        count += user.size > 0;
    return count;
}

/* WeCom takes a message of which some, or all without a licence, get nothing: there are no receipts that would tell later. */
static void judge_employees(struct transfer *transfer, const struct unit *unit, json_value root,
                            struct verdict *verdict)
{
    struct content content;
    struct verdict refused;
    if (!content_open(transfer->channels, unit, &content, &refused))
        return;
    size_t all = count_users(employees_of(transfer->settings, unit, &content));
    size_t invalid = count_users(json_text(json_get(root, STR("invaliduser"))));
    size_t unlicensed = count_users(json_text(json_get(root, STR("unlicenseduser"))));
    if (invalid + unlicensed >= all) {
        const char *code = invalid > 0 ? "81013" : "701008";
        verdict_by_rule(verdict, code_find(&codes_wecom, str_from_c(code)), str_from_c(code));
    } else if (invalid + unlicensed > 0) {
        snprintf(verdict->detail, sizeof verdict->detail, "%zu of %zu employees do not get it",
                 invalid + unlicensed, all);
    }
}

static void judge(struct transfer *transfer, struct unit *unit, struct verdict *verdict)
{
    enum wecom_form form = form_of(unit);
    json_value root;
    if (!errcode_read(transfer, is_repeatable(unit), &root, verdict)) {
        /* A code that is used up may have been used by the try before. */
        if (form == WELCOME && unit->may_be_taken && verdict->outcome == CHANNEL_REFUSED) {
            verdict->outcome = CHANNEL_UNCERTAIN;
            verdict->reason = "may_have_been_sent";
        }
        return;
    }
    verdict->outcome = form == TAG || form == WELCOME ? CHANNEL_DELIVERED : CHANNEL_SENT;
    verdict->reason = form == TAG || form == WELCOME ? "delivered" : "sent";
    snprintf(verdict->code, sizeof verdict->code, "0");
    if (form == CUSTOMER_MASS || form == GROUP_MASS)
        judge_mass(unit, root, verdict);
    else if (form == MOMENT)
        snprintf(verdict->provider_id, sizeof verdict->provider_id, "moment:" STR_FMT,
                 STR_ARG(json_text(json_get(root, STR("jobid")))));
    else
        snprintf(verdict->provider_id, sizeof verdict->provider_id, STR_FMT,
                 STR_ARG(json_text(json_get(root, STR("msgid")))));
    if (form == EMPLOYEE)
        judge_employees(transfer, unit, root, verdict);
}

/* ---- asking what became of a mass message: first for tasks of this content, then whether she is in it ---- */

static bool build_ask(struct transfer *transfer, const struct unit *unit, struct verdict *verdict)
{
    struct json_writer writer;
    struct content content;
    int64_t now_s = channel_now_ms(transfer->channels) / 1000;
    bool is_second = unit->provider_id[0] != '\0';
    if (!content_open(transfer->channels, unit, &content, verdict))
        return false;
    errcode_url(transfer, is_second ? "/cgi-bin/externalcontact/get_groupmsg_send_result"
                                    : "/cgi-bin/externalcontact/get_groupmsg_list_v2");
    errcode_json(transfer, &writer);
    json_begin_object(&writer);
    if (is_second) {
        json_member_text(&writer, STR("msgid"), str_from_c(unit->provider_id));
        json_member_text(&writer, STR("userid"), sender_of(transfer, &content));
        json_member_int(&writer, STR("limit"), 1000);
    } else {
        json_member_text(&writer, STR("chat_type"),
                         form_of(unit) == GROUP_MASS ? STR("group") : STR("single"));
        json_member_int(&writer, STR("start_time"), now_s - ASK_DAYS * 86400);
        json_member_int(&writer, STR("end_time"), now_s + 60);
        json_member_int(&writer, STR("filter_type"), 2);
        json_member_int(&writer, STR("limit"), 100);
    }
    json_end_object(&writer);
    return true;
}

static void not_there(const struct unit *unit, struct verdict *verdict)
{
    memset(verdict, 0, sizeof *verdict);
    verdict->outcome = CHANNEL_UNCERTAIN;
    verdict->reason = "may_have_been_sent";
    /* Asked because of a time-out just now: it may still arrive there. */
    verdict->next = unit->message.is_repeat ? NEXT_SEND : NEXT_DONE;
    snprintf(verdict->detail, sizeof verdict->detail, "the provider does not know it yet");
}

static void judge_list(struct unit *unit, const struct content *content, json_value root,
                       struct verdict *verdict)
{
    struct json_iterator iterator = json_iterate(json_get(root, STR("group_msg_list")));
    json_value item;
    str text = content_text(content, "text"), found = STR_NONE;
    unit->candidates = 0;
    while (json_next(&iterator, NULL, &item)) {
        str other = json_text(json_get(json_get(item, STR("text")), STR("content")));
        if (!str_equal(text, other))
            continue;
        unit->candidates++;
        found = found.size > 0 ? found : json_text(json_get(item, STR("msgid")));
    }
    if (found.size == 0) {
        not_there(unit, verdict);
        return;
    }
    snprintf(unit->provider_id, sizeof unit->provider_id, STR_FMT, STR_ARG(found));
    verdict->next = NEXT_ASK;
    verdict->outcome = CHANNEL_UNCERTAIN;
    verdict->reason = "may_have_been_sent";
    verdict->delay_ms = 1;
}

static void judge_members(struct unit *unit, json_value root, struct verdict *verdict)
{
    struct json_iterator iterator = json_iterate(json_get(root, STR("send_list")));
    json_value item;
    str me = unit->message.recipient;
    char id[PROVIDER_ID_BYTES];
    bool is_there = false;
    while (!is_there && json_next(&iterator, NULL, &item))
        is_there = str_equal(me, json_text(json_get(item, STR("external_userid")))) ||
                   str_equal(me, json_text(json_get(item, STR("chat_id"))));
    memcpy(id, unit->provider_id, sizeof id);
    unit->provider_id[0] = '\0';
    if (is_there) {
        name_members(unit, str_from_c(id));
        verdict->outcome = CHANNEL_SENT;
        verdict->reason = "sent";
        memcpy(verdict->provider_id, id, sizeof id);
        return;
    }
    not_there(unit, verdict);
    if (unit->candidates > 1)
        verdict->next = NEXT_DONE; /* it may be in one of the others */
}

static void judge_ask(struct transfer *transfer, struct unit *unit, struct verdict *verdict)
{
    json_value root;
    struct content content;
    struct verdict refused;
    bool is_second = unit->provider_id[0] != '\0';
    if (!errcode_read(transfer, true, &root, verdict)) {
        verdict->outcome = CHANNEL_UNCERTAIN;
        unit->provider_id[0] = '\0';
        return;
    }
    if (!content_open(transfer->channels, unit, &content, &refused))
        not_there(unit, verdict);
    else if (is_second)
        judge_members(unit, root, verdict);
    else
        judge_list(unit, &content, root, verdict);
}

/* ---- the rest of the table ---- */

static size_t batch(struct channels *channels, const struct unit *unit, uint64_t *key)
{
    (void)channels;
    if (form_of(unit) != CUSTOMER_MASS)
        return 0;
    *key = hash_of(unit->message.content) | 1;
    return MASS_MEMBERS_MAX;
}

static void build_token(struct transfer *transfer)
{
    struct buffer *url = &transfer->request.url;
    buffer_append_str(url, transfer->settings->base_url);
    buffer_append_str(url, STR("/cgi-bin/gettoken?corpid="));
    crypt_url_encode(url, setting_text(transfer->settings, CORPID));
    buffer_append_str(url, STR("&corpsecret="));
    crypt_url_encode(url, setting_text(transfer->settings, SECRET));
    transfer->request.is_get = true;
}

const struct provider provider_wecom = {
    .base_url = "https://qyapi.weixin.qq.com",
    .codes = &codes_wecom,
    .has_token = true,
    .check = errcode_check_key,
    .build = build,
    .judge = judge,
    .is_repeatable = is_repeatable,
    .can_ask = can_ask,
    .build_ask = build_ask,
    .judge_ask = judge_ask,
    .build_token = build_token,
    .read_token = errcode_read_token,
    .batch = batch,
    .follow = wecom_follow,
    .test = token_test,
    .callback = wecom_callback,
};
