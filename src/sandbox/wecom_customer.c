/* SPDX-License-Identifier: Apache-2.0 */
/* WeCom: customers and groups, as lists and one by one. */
#include <string.h>

#include "sandbox/inside.h"

#define PAGE_MAX 100

static void write_customer(struct json_writer *writer, const struct person *person)
{
    json_put_key(writer, STR("external_contact"));
    json_begin_object(writer);
    json_member_text(writer, STR("external_userid"), str_from_c(person->id));
    json_member_text(writer, STR("name"), str_from_c(person->name));
    json_member_int(writer, STR("type"), 1);
    json_member_int(writer, STR("gender"), 0);
    if (person->unionid[0] != '\0')
        json_member_text(writer, STR("unionid"), str_from_c(person->unionid));
    json_end_object(writer);
}

static void write_follow(struct json_writer *writer, const struct person *person, bool as_ids)
{
    json_member_text(writer, STR("userid"), str_from_c(person->adviser));
    json_member_text(writer, STR("remark"), str_from_c(person->remark));
    json_member_text(writer, STR("description"), STR_NONE);
    json_member_int(writer, STR("createtime"), person->added_ms / SECOND_MS);
    json_put_key(writer, as_ids ? STR("tag_id") : STR("tags"));
    json_begin_array(writer);
    for (size_t i = 0; i < person->tag_count; i++) {
        if (as_ids) {
            json_put_text(writer, str_from_c(person->tags[i]));
        } else {
            json_begin_object(writer);
            json_member_text(writer, STR("tag_id"), str_from_c(person->tags[i]));
            json_member_int(writer, STR("type"), 1);
            json_end_object(writer);
        }
    }
    json_end_array(writer);
    json_member_int(writer, STR("add_way"), 1);
}

static bool is_adviser_of(const struct person *person, const struct account *account, str user)
{
    return person->account == account && person->kind == PERSON_CUSTOMER && !person->is_gone &&
           (user.size == 0 || str_equal(user, str_from_c(person->adviser)));
}

/* People are listed newest first; the list lives in one chain. */
static void list_customers(struct call *call, const struct account *account)
{
    struct json_writer writer;
    str user = params_get(&call->params, STR("userid"));
    size_t count = 0;
    for (const struct person *person = call->sandbox->people; person != NULL; person = person->next)
        count += is_adviser_of(person, account, user);
    if (count == 0) {
        wx_answer(call, 84061, "not external contact");
        return;
    }
    wx_begin(call, &writer);
    json_put_key(&writer, STR("external_userid"));
    json_begin_array(&writer);
    for (const struct person *person = call->sandbox->people; person != NULL; person = person->next)
        if (is_adviser_of(person, account, user))
            json_put_text(&writer, str_from_c(person->id));
    json_end_array(&writer);
    json_end_object(&writer);
}

static void list_advisers(struct call *call, const struct account *account)
{
    struct json_writer writer;
    wx_begin(call, &writer);
    json_put_key(&writer, STR("follow_user"));
    json_begin_array(&writer);
    for (const struct person *person = call->sandbox->people; person != NULL; person = person->next)
        if (person->account == account && person->kind == PERSON_EMPLOYEE && !person->is_gone)
            json_put_text(&writer, str_from_c(person->id));
    json_end_array(&writer);
    json_end_object(&writer);
}

static void get_customer(struct call *call, struct account *account)
{
    struct json_writer writer;
    str id = params_get(&call->params, STR("external_userid"));
    struct person *person = person_of(call->sandbox, account, PERSON_CUSTOMER, id);
    if (person == NULL || person->is_gone) {
        wx_answer(call, id.size == 0 ? 40096 : 84061, "not external contact");
        return;
    }
    wx_begin(call, &writer);
    write_customer(&writer, person);
    json_put_key(&writer, STR("follow_user"));
    json_begin_array(&writer);
    json_begin_object(&writer);
    write_follow(&writer, person, false);
    json_end_object(&writer);
    json_end_array(&writer);
    json_end_object(&writer);
}

/* Pages by a cursor that is a count, as the real ones are opaque. */
static void get_by_user(struct call *call, const struct account *account)
{
    struct json_writer writer;
    int64_t skip = 0, seen = 0, written = 0;
    str cursor = json_text(json_get(call->json, STR("cursor")));
    int64_t limit = json_int(json_get(call->json, STR("limit")), 50);
    str user = json_text(json_at(json_get(call->json, STR("userid_list")), 0));
    limit = limit < 1 || limit > PAGE_MAX ? PAGE_MAX : limit;
    if (cursor.size > 0 && !str_to_int64(cursor, &skip)) {
        wx_answer(call, 41078, "invalid cursor");
        return;
    }
    wx_begin(call, &writer);
    json_put_key(&writer, STR("external_contact_list"));
    json_begin_array(&writer);
    const struct person *person = call->sandbox->people;
    for (; person != NULL && written < limit; person = person->next) {
        if (!is_adviser_of(person, account, user) || seen++ < skip)
            continue;
        json_begin_object(&writer);
        write_customer(&writer, person);
        json_put_key(&writer, STR("follow_info"));
        json_begin_object(&writer);
        write_follow(&writer, person, true);
        json_end_object(&writer);
        json_end_object(&writer);
        written++;
    }
    json_end_array(&writer);
    json_put_key(&writer, STR("next_cursor"));
    buffer_append_byte(&call->out, '"');
    if (person != NULL && written == limit)
        buffer_printf(&call->out, "%lld", (long long)skip + (long long)written);
    buffer_append_byte(&call->out, '"');
    writer.after_key = false;
    json_end_object(&writer);
}

static void set_remark(struct call *call, struct account *account)
{
    str id = json_text(json_get(call->json, STR("external_userid")));
    str remark = json_text(json_get(call->json, STR("remark")));
    struct person *person = person_of(call->sandbox, account, PERSON_CUSTOMER, id);
    if (person == NULL || person->is_gone) {
        wx_answer(call, 84061, "not external contact");
        return;
    }
    size_t size = str_utf8_prefix_bytes(remark, sizeof person->remark - 1);
    memset(person->remark, 0, sizeof person->remark);
    if (size > 0)
        memcpy(person->remark, remark.data, size);
    wx_answer(call, 0, "ok");
}

static void list_groups(struct call *call, const struct account *account)
{
    struct json_writer writer;
    wx_begin(call, &writer);
    json_put_key(&writer, STR("group_chat_list"));
    json_begin_array(&writer);
    for (const struct person *group = call->sandbox->people; group != NULL; group = group->next) {
        if (group->account != account || group->kind != PERSON_GROUP || group->is_gone)
            continue;
        json_begin_object(&writer);
        json_member_text(&writer, STR("chat_id"), str_from_c(group->id));
        json_member_int(&writer, STR("status"), 0);
        json_end_object(&writer);
    }
    json_end_array(&writer);
    json_end_object(&writer);
}

static void get_group(struct call *call, struct account *account)
{
    struct json_writer writer;
    str id = json_text(json_get(call->json, STR("chat_id")));
    struct person *group = person_of(call->sandbox, account, PERSON_GROUP, id);
    if (group == NULL || group->is_gone) {
        wx_answer(call, 90501, "chatid is not external group chat");
        return;
    }
    wx_begin(call, &writer);
    json_put_key(&writer, STR("group_chat"));
    json_begin_object(&writer);
    json_member_text(&writer, STR("chat_id"), id);
    json_member_text(&writer, STR("name"), str_from_c(group->name));
    json_member_text(&writer, STR("owner"), str_from_c(group->adviser));
    json_member_int(&writer, STR("create_time"), group->added_ms / SECOND_MS);
    json_put_key(&writer, STR("member_list"));
    json_begin_array(&writer);
    json_end_array(&writer);
    json_end_object(&writer);
    json_end_object(&writer);
}

void wecom_customer_call(struct call *call, struct account *account, str interface)
{
    if (str_equal(interface, STR("get"))) {
        get_customer(call, account);
        return;
    }
    if (str_equal(interface, STR("list"))) {
        list_customers(call, account);
        return;
    }
    if (str_equal(interface, STR("get_follow_user_list"))) {
        list_advisers(call, account);
        return;
    }
    if (str_equal(interface, STR("batch/get_by_user"))) {
        get_by_user(call, account);
        return;
    }
    if (str_equal(interface, STR("remark"))) {
        set_remark(call, account);
        return;
    }
    if (str_equal(interface, STR("groupchat/list"))) {
        list_groups(call, account);
        return;
    }
    if (str_equal(interface, STR("groupchat/get"))) {
        get_group(call, account);
        return;
    }
    wx_answer(call, 48002, "api forbidden: the sandbox does not have it");
}
