/* SPDX-License-Identifier: Apache-2.0 */
/* WeCom: messages to employees, tags, contacts. Customers are in wecom_customer.c, mass messages in wecom_mass.c, contact
 * ways in wecom_way.c. */
#include <stdio.h>
#include <string.h>

#include "sandbox/inside.h"

#define MESSAGE_BYTES_MAX 2048 /* a text to employees */
#define DUPLICATE_CHECK_S 1800

static str field(const struct call *call, const char *name)
{
    return json_text(json_get(call->json, str_from_c(name)));
}

/* ---- messages to employees ---- */

/* The same words within the interval are taken, and not shown again. */
static bool was_shown(struct call *call, struct person *person, str type)
{
    struct buffer words;
    int64_t now_ms = sandbox_now(call->sandbox);
    int64_t interval_s =
        json_int(json_get(call->json, STR("duplicate_check_interval")), DUPLICATE_CHECK_S);
    bool checks = json_int(json_get(call->json, STR("enable_duplicate_check")), 0) == 1,
         was = false;
    buffer_init(&words, SANDBOX_BODY_BYTES_MAX);
    json_write_value(&words, json_get(call->json, STR("agentid")));
    json_write_value(&words, json_get(call->json, type));
    uint64_t hash = hash_bytes64(words.data, words.size, 0);
    buffer_deinit(&words);
    if (person->shown == NULL)
        person->shown = arena_array(&call->sandbox->arena, struct shown, PERSON_SHOWN_MAX);
    if (person->shown == NULL)
        return false;
    for (size_t i = 0; checks && i < person->shown_count && i < PERSON_SHOWN_MAX; i++)
        was |= person->shown[i].hash == hash &&
               now_ms - person->shown[i].at_ms < interval_s * SECOND_MS;
    if (!was)
        person->shown[person->shown_count++ % PERSON_SHOWN_MAX] = (struct shown){ hash, now_ms };
    return was;
}

static void take_employee_message(struct call *call, struct account *account, str user)
{
    struct buffer content;
    buffer_init(&content, SANDBOX_BODY_BYTES_MAX);
    json_write_value(&content, call->json);
    struct take take = { .kind = KIND_WECOM,
                         .account = account,
                         .recipient = user,
                         .form = STR("employee_text"),
                         .content = buffer_str(&content) };
    taken_add(call->sandbox, &take);
    buffer_deinit(&content);
}

/* "a|b|@all" */
static void send_to_employees(struct call *call, struct account *account)
{
    str users = field(call, "touser"), user, type = field(call, "msgtype");
    struct buffer invalid;
    size_t sent = 0;
    if (json_kind(json_get(call->json, STR("agentid"))) == JSON_MISSING) {
        wx_answer(call, 41011, "agentid missing");
        return;
    }
    if (type.size == 0 || !json_is_object(json_get(call->json, type))) {
        wx_answer(call, 40008, "invalid message type");
        return;
    }
    str text = json_text(json_get(json_get(call->json, STR("text")), STR("content")));
    if (str_equal(type, STR("text")) && (text.size == 0 || text.size > MESSAGE_BYTES_MAX)) {
        wx_answer(call, text.size == 0 ? 44004 : 45002, "invalid message content");
        return;
    }
    buffer_init(&invalid, 65536);
    while (str_split(&users, '|', &user)) {
        struct person *person = person_of(call->sandbox, account, PERSON_EMPLOYEE, user);
        if (person != NULL && !person->is_gone) {
            if (!was_shown(call, person, type))
                take_employee_message(call, account, user);
            sent++;
        } else {
            buffer_append_str(&invalid, invalid.size > 0 ? STR("|") : STR_NONE);
            buffer_append_str(&invalid, user);
        }
    }
    if (sent == 0) {
        wx_answer(call, 81013, "user & party & tag all invalid");
    } else {
        struct json_writer writer;
        char id[40];
        sandbox_id(call->sandbox, "msg", id, sizeof id);
        wx_begin(call, &writer);
        json_member_text(&writer, STR("invaliduser"), buffer_str(&invalid));
        json_member_text(&writer, STR("msgid"), str_from_c(id));
        json_end_object(&writer);
    }
    buffer_deinit(&invalid);
}

/* ---- tags of the corp ---- */

static struct tag *find_tag(struct account *account, str id)
{
    for (size_t i = 0; i < account->tag_count; i++)
        if (str_equal(id, str_from_c(account->tags[i].id)))
            return &account->tags[i];
    return NULL;
}

#define TAGS_MAX 1000

static struct tag *add_tag(struct sandbox *sandbox, struct account *account, str group, str name)
{
    if (account->tags == NULL)
        account->tags = arena_array(&sandbox->arena, struct tag, TAGS_MAX);
    if (account->tags == NULL || account->tag_count == TAGS_MAX)
        return NULL;
    struct tag *tag = &account->tags[account->tag_count++];
    sandbox_id(sandbox, "et", tag->id, sizeof tag->id);
    snprintf(tag->name, sizeof tag->name, STR_FMT, STR_ARG(str_slice(name, 0, 60)));
    snprintf(tag->group, sizeof tag->group, STR_FMT, STR_ARG(str_slice(group, 0, 60)));
    return tag;
}

static void write_tag(struct json_writer *writer, const struct tag *tag)
{
    json_begin_object(writer);
    json_member_text(writer, STR("id"), str_from_c(tag->id));
    json_member_text(writer, STR("name"), str_from_c(tag->name));
    json_member_int(writer, STR("order"), 0);
    json_member_bool(writer, STR("deleted"), false);
    json_end_object(writer);
}

/* Groups as they were first named; tags of a group together. */
static void write_groups(struct json_writer *writer, const struct account *account, str only)
{
    for (size_t i = 0; i < account->tag_count; i++) {
        str group = str_from_c(account->tags[i].group);
        bool is_first = only.size == 0 || str_equal(group, only);
        for (size_t j = 0; j < i; j++)
            is_first &= !str_equal(group, str_from_c(account->tags[j].group));
        if (!is_first)
            continue;
        json_begin_object(writer);
        json_member_text(writer, STR("group_id"), group);
        json_member_text(writer, STR("group_name"), group);
        json_put_key(writer, STR("tag"));
        json_begin_array(writer);
        for (size_t j = i; j < account->tag_count; j++)
            if (str_equal(group, str_from_c(account->tags[j].group)))
                write_tag(writer, &account->tags[j]);
        json_end_array(writer);
        json_end_object(writer);
    }
}

static void list_tags(struct call *call, const struct account *account)
{
    struct json_writer writer;
    wx_begin(call, &writer);
    json_put_key(&writer, STR("tag_group"));
    json_begin_array(&writer);
    write_groups(&writer, account, STR_NONE);
    json_end_array(&writer);
    json_end_object(&writer);
}

static void add_tags(struct call *call, struct account *account)
{
    str group = field(call, "group_name");
    struct json_iterator iterator = json_iterate(json_get(call->json, STR("tag")));
    struct json_writer writer;
    json_value tag;
    if (group.size == 0)
        group = field(call, "group_id");
    if (group.size == 0 || group.size > 60 || json_count(json_get(call->json, STR("tag"))) == 0) {
        wx_answer(call, 40058, "invalid Request Parameter");
        return;
    }
    while (json_next(&iterator, NULL, &tag)) {
        str name = json_text(json_get(tag, STR("name")));
        if (name.size == 0 || add_tag(call->sandbox, account, group, name) == NULL) {
            wx_answer(call, 40058, "invalid tag");
            return;
        }
    }
    wx_begin(call, &writer);
    json_put_key(&writer, STR("tag_group"));
    json_begin_object(&writer);
    json_member_text(&writer, STR("group_id"), group);
    json_member_text(&writer, STR("group_name"), group);
    json_put_key(&writer, STR("tag"));
    json_begin_array(&writer);
    for (size_t i = 0; i < account->tag_count; i++)
        if (str_equal(group, str_from_c(account->tags[i].group)))
            write_tag(&writer, &account->tags[i]);
    json_end_array(&writer);
    json_end_object(&writer);
    json_end_object(&writer);
}

/* On the customer, as her list of ids. */
static bool change_tags(const struct account *account, struct person *person, json_value ids,
                        bool add)
{
    struct json_iterator iterator = json_iterate(ids);
    json_value value;
    while (json_next(&iterator, NULL, &value)) {
        str id = json_text(value);
        size_t at = 0;
        if (find_tag((struct account *)(uintptr_t)account, id) == NULL)
            return false;
        while (at < person->tag_count && !str_equal(id, str_from_c(person->tags[at])))
            at++;
        if (add && at == person->tag_count && at < PERSON_TAGS_MAX)
            snprintf(person->tags[person->tag_count++], sizeof person->tags[0], STR_FMT,
                     STR_ARG(id));
        if (!add && at < person->tag_count)
            memmove(person->tags[at], person->tags[--person->tag_count], sizeof person->tags[0]);
    }
    return true;
}

static void mark_tag(struct call *call, struct account *account)
{
    str user = field(call, "userid"), id = field(call, "external_userid");
    struct person *person = person_of(call->sandbox, account, PERSON_CUSTOMER, id);
    struct buffer content;
    if (user.size == 0) {
        wx_answer(call, 40003, "invalid UserID");
        return;
    }
    if (person == NULL || person->is_gone) {
        wx_answer(call, id.size == 0 ? 40096 : 84061, "no relation of external contact");
        return;
    }
    if (!change_tags(account, person, json_get(call->json, STR("add_tag")), true) ||
        !change_tags(account, person, json_get(call->json, STR("remove_tag")), false)) {
        wx_answer(call, 40068, "invalid tag id");
        return;
    }
    buffer_init(&content, SANDBOX_BODY_BYTES_MAX);
    json_write_value(&content, call->json);
    struct take take = { .kind = KIND_WECOM,
                         .account = account,
                         .recipient = id,
                         .form = STR("tag"),
                         .content = buffer_str(&content) };
    taken_add(call->sandbox, &take);
    buffer_deinit(&content);
    wx_answer(call, 0, "ok");
}

/* ---- the rest ---- */

/* A code into groups: what it leads to is not followed up here. */
static void add_join_way(struct call *call)
{
    struct json_writer writer;
    char id[40];
    if (field(call, "state").size > 30) {
        wx_answer(call, 40058, "invalid Request Parameter");
        return;
    }
    sandbox_id(call->sandbox, "way", id, sizeof id);
    wx_begin(call, &writer);
    json_member_text(&writer, STR("config_id"), str_from_c(id));
    json_end_object(&writer);
}

static void upload_media(struct call *call)
{
    struct json_writer writer;
    char id[40];
    if (call->body.size == 0) {
        wx_answer(call, 41005, "media data missing");
        return;
    }
    sandbox_id(call->sandbox, "media", id, sizeof id);
    wx_begin(call, &writer);
    json_member_text(&writer, STR("type"), params_get(&call->params, STR("type")));
    json_member_text(&writer, STR("media_id"), str_from_c(id));
    json_member_int(&writer, STR("created_at"), sandbox_now(call->sandbox) / SECOND_MS);
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

static void get_user(struct call *call, struct account *account)
{
    struct json_writer writer;
    str id = params_get(&call->params, STR("userid"));
    struct person *person = person_of(call->sandbox, account, PERSON_EMPLOYEE, id);
    if (person == NULL) {
        wx_answer(call, 60111, "userid not found");
        return;
    }
    wx_begin(call, &writer);
    json_member_text(&writer, STR("userid"), id);
    json_member_text(&writer, STR("name"), person->name[0] != '\0' ? str_from_c(person->name) : id);
    json_member_int(&writer, STR("status"), person->is_gone ? 5 : 1);
    json_end_object(&writer);
}

void wecom_dispatch(struct call *call, struct account *account, str interface)
{
    if (str_equal(interface, STR("message/send"))) {
        send_to_employees(call, account);
        return;
    }
    if (str_equal(interface, STR("externalcontact/get_corp_tag_list"))) {
        list_tags(call, account);
        return;
    }
    if (str_equal(interface, STR("externalcontact/add_corp_tag"))) {
        add_tags(call, account);
        return;
    }
    if (str_equal(interface, STR("externalcontact/mark_tag"))) {
        mark_tag(call, account);
        return;
    }
    if (str_equal(interface, STR("externalcontact/groupchat/add_join_way"))) {
        add_join_way(call);
        return;
    }
    if (str_equal(interface, STR("user/get"))) {
        get_user(call, account);
        return;
    }
    if (str_equal(interface, STR("media/upload")) ||
        str_equal(interface, STR("media/upload_attachment"))) {
        upload_media(call);
        return;
    }
    if (str_equal(interface, STR("get_jsapi_ticket")) || str_equal(interface, STR("ticket/get"))) {
        give_ticket(call);
        return;
    }
    str prefix = STR("externalcontact/");
    if (!str_starts_with(interface, prefix)) {
        wx_answer(call, 48002, "api forbidden: the sandbox does not have it");
        return;
    }
    interface = str_slice(interface, prefix.size, interface.size);
    if (!wecom_way_call(call, account, interface))
        wecom_mass_call(call, account, interface);
}
