/* SPDX-License-Identifier: Apache-2.0 */
/* wecom_operate: WeCom's and WeChat's operations as a table, and what became of mass messages and moments. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "channel/channel_inside.h"

#define CONTACT "/cgi-bin/externalcontact/"
#define GET(name, path, list, zh, en)               \
    {                                               \
        KIND(WECOM), name, true, path, list, zh, en \
    }
#define POST(name, path, list, zh, en)               \
    {                                                \
        KIND(WECOM), name, false, path, list, zh, en \
    }
#define NONE NULL
const struct operation operations_wecom[] = {
    POST("tags.list", CONTACT "get_corp_tag_list", NONE, "企业标签库", "tags of the corp"),
    POST("tags.add", CONTACT "add_corp_tag", NONE, "添加企业标签", "add tags"),
    POST("tags.edit", CONTACT "edit_corp_tag", NONE, "编辑企业标签", "edit a tag"),
    POST("tags.delete", CONTACT "del_corp_tag", NONE, "删除企业标签", "delete tags"),
    POST("contact_way.add", CONTACT "add_contact_way", NONE, "新建联系我二维码",
         "a contact QR code"),
    POST("contact_way.get", CONTACT "get_contact_way", NONE, "联系我详情",
         "a contact QR code, again"),
    POST("contact_way.list", CONTACT "list_contact_way", "contact_way", "联系我列表",
         "all contact QR codes"),
    POST("contact_way.update", CONTACT "update_contact_way", NONE, "更新联系我",
         "change a contact QR code"),
    POST("contact_way.delete", CONTACT "del_contact_way", NONE, "删除联系我",
         "delete a contact QR code"),
    GET("contacts.employees", CONTACT "get_follow_user_list", NONE, "配置了客户联系的成员",
        "employees with customers"),
    GET("contacts.list", CONTACT "list", NONE, "成员的客户列表", "contacts of an employee"),
    GET("contacts.get", CONTACT "get", "follow_user", "客户详情", "a contact"),
    POST("contacts.details", CONTACT "batch/get_by_user", "external_contact_list", "批量客户详情",
         "contacts of employees, in full"),
    POST("contacts.remark", CONTACT "remark", NONE, "修改备注", "change a remark"),
    POST("contacts.transfer", CONTACT "transfer_customer", NONE, "在职继承", "hand contacts over"),
    POST("groups.list", CONTACT "groupchat/list", "group_chat_list", "客户群列表",
         "customer groups"),
    POST("groups.get", CONTACT "groupchat/get", NONE, "客户群详情", "a customer group"),
    POST("groups.join_way", CONTACT "groupchat/add_join_way", NONE, "群活码",
         "a QR code into groups"),
    POST("groups.join_way_get", CONTACT "groupchat/get_join_way", NONE, "群活码详情",
         "a QR code into groups, again"),
    POST("mass.list", CONTACT "get_groupmsg_list_v2", "group_msg_list", "群发记录",
         "mass messages"),
    POST("mass.tasks", CONTACT "get_groupmsg_task", "task_list", "群发成员任务",
         "employees of a mass message"),
    POST("mass.results", CONTACT "get_groupmsg_send_result", "send_list", "群发执行结果",
         "what became of a mass message"),
    POST("mass.remind", CONTACT "remind_groupmsg_send", NONE, "提醒成员群发", "remind employees"),
    POST("mass.cancel", CONTACT "cancel_groupmsg_send", NONE, "停止群发", "cancel a mass message"),
    GET("moment.result", CONTACT "get_moment_task_result", NONE, "朋友圈任务结果",
        "what became of a moment"),
    POST("moment.cancel", CONTACT "cancel_moment_task", NONE, "停止朋友圈", "cancel a moment"),
    POST("convert.openid", CONTACT "convert_to_openid", NONE, "转换 openid",
         "the open id of a contact"),
    POST("convert.unionid", "/cgi-bin/idconvert/unionid_to_external_userid", NONE,
         "unionid 转外部联系人", "the contact of a union id"),
    POST("media.upload", "/cgi-bin/media/upload", NONE, "上传素材", "upload a file"),
    { 0, NULL, false, NULL, NULL, NULL, NULL },
};
#undef GET
#undef POST
#define GET(name, path, list, zh, en)                \
    {                                                \
        KINDS_WECHAT, name, true, path, list, zh, en \
    }
#define POST(name, path, list, zh, en)                \
    {                                                 \
        KINDS_WECHAT, name, false, path, list, zh, en \
    }
const struct operation operations_wechat[] = {
    POST("qr.create", "/cgi-bin/qrcode/create", NONE, "带参数二维码", "a QR code with a scene"),
    GET("users.get", "/cgi-bin/user/info", NONE, "用户信息", "a follower"),
    POST("users.details", "/cgi-bin/user/info/batchget", NONE, "批量用户信息",
         "up to 100 followers"),
    GET("users.list", "/cgi-bin/user/get", NONE, "关注者列表", "open ids, 10,000 a page"),
    POST("tags.add", "/cgi-bin/tags/create", NONE, "新建标签", "a new tag"),
    GET("tags.list", "/cgi-bin/tags/get", NONE, "标签列表", "all tags"),
    POST("tags.mark", "/cgi-bin/tags/members/batchtagging", NONE, "打标签", "tag up to 50"),
    POST("tags.unmark", "/cgi-bin/tags/members/batchuntagging", NONE, "去标签", "untag up to 50"),
    POST("media.upload", "/cgi-bin/media/upload", NONE, "上传素材", "upload a file"),
    POST("code.create", "/wxa/generate_urllink", NONE, "URL Link", "a link into the mini-program"),
    POST("scheme.create", "/wxa/generatescheme", NONE, "URL Scheme",
         "a scheme into the mini-program"),
    { 0, NULL, false, NULL, NULL, NULL, NULL },
};

/* ---- what became of mass messages ---- */

#define FOLLOW_BYTES_MAX ((size_t)64 << 20)

static const struct operation *operation_named(const char *name)
{
    const struct operation *row = operations_wecom;
    while (strcmp(row->name, name) != 0)
        row++;
    return row;
}

/* Run with a written-out argument object, and read the answer. */
static bool ask(struct channels *channels, struct account *account, struct json_parser *parser,
                const char *operation, const struct buffer *arguments, struct buffer *answer,
                json_value *root)
{
    json_value parsed;
    struct problem problem;
    buffer_clear(answer);
    return json_parse(parser, buffer_str(arguments), &parsed, NULL) == ERR_OK &&
           operation_run(channels, account, operation_named(operation), parsed, answer, &problem) ==
               ERR_OK &&
           json_parse(parser, buffer_str(answer), root, NULL) == ERR_OK;
}

static void put_receipt(struct json_writer *writer, str id, str recipient, str status, str code,
                        int64_t at_s)
{
    char full[PROVIDER_ID_BYTES];
    provider_id_of(full, id, recipient);
    json_begin_object(writer);
    json_member_text(writer, STR("provider_id"), str_from_c(full));
    json_member_text(writer, STR("recipient"), recipient);
    json_member_text(writer, STR("status"), status);
    if (code.size > 0) {
        const struct code_rule *rule = code_find(&codes_wecom, code);
        json_member_text(writer, STR("code"), code);
        json_member_text(writer, STR("reason"), str_from_c(rule->reason));
    }
    if (at_s > 0)
        json_member_int(writer, STR("at"), at_s * 1000);
    json_end_object(writer);
}

/* What an employee's list says of a recipient: 0 not yet, 1 sent, 2 no friend any more, 3 has had too many. She may stand in the lists
 * of several, who say different things: the one who sent counts, then who still may; a failure only where all failed. */
struct found {
    uint64_t recipient; /* hash */
    size_t at, size;    /* its text, in `texts` */
    int64_t status, at_s;
};
struct following {
    struct channels *channels;
    struct account *account;
    struct json_parser *parser;
    struct buffer arguments, answer, texts;
    struct found *found;
    size_t count, capacity;
    str id;
    struct json_writer *receipts;
};

static int rank_of(int64_t status)
{
    return status == 1 ? 0 : status == 2 || status == 3 ? 2 : 1;
}

static int compare_found(const void *left, const void *right)
{
    const struct found *a = left, *b = right;
    if (a->recipient != b->recipient)
        return a->recipient < b->recipient ? -1 : 1;
    int order = rank_of(a->status) - rank_of(b->status);
    return order != 0 ? order : (a->status > b->status) - (a->status < b->status);
}

static bool add_found(struct following *following, json_value item)
{
    str recipient = json_text(json_get(item, STR("external_userid")));
    if (recipient.size == 0)
        recipient = json_text(json_get(item, STR("chat_id")));
    if (following->count == following->capacity) {
        size_t capacity = following->capacity > 0 ? 2 * following->capacity : 1024;
        struct found *larger = memory_resize(following->found, capacity * sizeof *larger);
        if (larger == NULL)
            return false;
        following->found = larger;
        following->capacity = capacity;
    }
    following->found[following->count++] =
        (struct found){ .recipient = hash_bytes64(recipient.data, recipient.size, 0),
                        .at = following->texts.size,
                        .size = recipient.size,
                        .status = json_int(json_get(item, STR("status")), 0),
                        .at_s = json_int(json_get(item, STR("send_time")), 0) };
    buffer_append_str(&following->texts, recipient);
    return !following->texts.failed;
}

static void put_found(struct following *following, const struct found *found)
{
    str recipient = str_slice(buffer_str(&following->texts), found->at, found->at + found->size);
    str code = found->status == 2 ? STR("send:2") : found->status == 3 ? STR("send:3") : STR_NONE;
    put_receipt(following->receipts, following->id, recipient,
                code.size > 0 ? STR("failed") : STR("confirmed"), code, found->at_s);
}

/* False: of some nobody can say yet. */
static bool put_all(struct following *following)
{
    bool is_final = true;
    if (following->count > 1)
        qsort(following->found, following->count, sizeof *following->found, compare_found);
    for (size_t i = 0; i < following->count; i++) {
        const struct found *found = &following->found[i];
        if (i > 0 && found->recipient == following->found[i - 1].recipient)
            continue;
        if (rank_of(found->status) == 1)
            is_final = false;
        else
            put_found(following, found);
    }
    return is_final;
}

static void arguments_begin(struct following *following, struct json_writer *writer)
{
    buffer_clear(&following->arguments);
    json_writer_init(writer, &following->arguments);
    json_begin_object(writer);
    json_member_text(writer, STR("msgid"), following->id);
    json_member_int(writer, STR("limit"), 1000);
}

static bool read_employee(struct following *following, str employee)
{
    struct json_writer writer;
    json_value root, item;
    arguments_begin(following, &writer);
    json_member_text(&writer, STR("userid"), employee);
    json_end_object(&writer);
    if (!ask(following->channels, following->account, following->parser, "mass.results",
             &following->arguments, &following->answer, &root))
        return false;
    struct json_iterator iterator = json_iterate(json_get(root, STR("send_list")));
    while (json_next(&iterator, NULL, &item))
        if (!add_found(following, item))
            return false;
    return true;
}

/* The employees of a task, as texts with a NUL behind each; `all`: each has pressed 'send', or let it go. False: unknown. */
static bool list_employees(struct following *following, struct buffer *employees, bool *all)
{
    struct json_writer writer;
    json_value root, item;
    arguments_begin(following, &writer);
    json_end_object(&writer);
    if (!ask(following->channels, following->account, following->parser, "mass.tasks",
             &following->arguments, &following->answer, &root))
        return false;
    struct json_iterator iterator = json_iterate(json_get(root, STR("task_list")));
    *all = json_count(json_get(root, STR("task_list"))) > 0;
    while (json_next(&iterator, NULL, &item)) {
        *all = *all && json_int(json_get(item, STR("status")), 0) != 0;
        buffer_append_str(employees, json_text(json_get(item, STR("userid"))));
        buffer_append_byte(employees, 0);
    }
    return true;
}

/* Who has not pressed 'send' is asked for too: she may be in his list, and he may be the one who sends. */
static bool follow_mass(struct following *following)
{
    struct buffer employees;
    bool all = false, is_known;
    buffer_init(&employees, FOLLOW_BYTES_MAX);
    is_known = list_employees(following, &employees, &all);
    str rest = buffer_str(&employees), employee;
    while (is_known && str_split(&rest, '\0', &employee))
        if (employee.size > 0)
            is_known = read_employee(following, employee);
    buffer_deinit(&employees);
    return is_known && put_all(following) && all;
}

/* 1 queued, 2 running, 3 done with a result. */
static bool follow_moment(struct following *following, str job)
{
    struct json_writer writer;
    json_value root;
    buffer_clear(&following->arguments);
    json_writer_init(&writer, &following->arguments);
    json_begin_object(&writer);
    json_member_text(&writer, STR("jobid"), job);
    json_end_object(&writer);
    if (!ask(following->channels, following->account, following->parser, "moment.result",
             &following->arguments, &following->answer, &root) ||
        json_int(json_get(root, STR("status")), 0) != 3)
        return false;
    int64_t errcode = json_int(json_get(json_get(root, STR("result")), STR("errcode")), 0);
    char code[CODE_BYTES];
    snprintf(code, sizeof code, "%" PRId64, errcode);
    json_begin_object(following->receipts);
    json_member_text(following->receipts, STR("provider_id"), following->id);
    json_member_text(following->receipts, STR("status"),
                     errcode == 0 ? STR("delivered") : STR("failed"));
    json_member_text(following->receipts, STR("code"), str_from_c(code));
    json_end_object(following->receipts);
    return true;
}

bool wecom_follow(struct channels *channels, struct account *account, str provider_id,
                  struct json_writer *receipts)
{
    struct following following = {
        .channels = channels, .account = account, .id = provider_id, .receipts = receipts
    };
    bool is_final = false;
    if (json_parser_new(&following.parser, FOLLOW_BYTES_MAX) != ERR_OK)
        return false;
    buffer_init(&following.arguments, 64 << 10);
    buffer_init(&following.answer, FOLLOW_BYTES_MAX);
    buffer_init(&following.texts, FOLLOW_BYTES_MAX);
    if (str_starts_with(provider_id, STR("moment:")))
        is_final = follow_moment(&following, str_slice(provider_id, 7, provider_id.size));
    else if (provider_id.size > 0)
        is_final = follow_mass(&following);
    buffer_deinit(&following.arguments);
    buffer_deinit(&following.answer);
    buffer_deinit(&following.texts);
    memory_free(following.found);
    json_parser_free(&following.parser);
    return is_final;
}
