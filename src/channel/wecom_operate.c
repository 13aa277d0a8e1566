/* SPDX-License-Identifier: Apache-2.0 */
/* wecom_operate: WeCom's and WeChat's operations as a table, and what became of mass messages and moments. */
#include <inttypes.h>
#include <stdio.h>
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

/* 0 not yet, 1 sent, 2 no friend any more, 3 has had too many. */
static bool put_result(struct json_writer *receipts, str id, json_value item)
{
    int64_t status = json_int(json_get(item, STR("status")), 0);
    int64_t at_s = json_int(json_get(item, STR("send_time")), 0);
    str recipient = json_text(json_get(item, STR("external_userid")));
    if (recipient.size == 0)
        recipient = json_text(json_get(item, STR("chat_id")));
    if (status == 1)
        put_receipt(receipts, id, recipient, STR("confirmed"), STR_NONE, at_s);
    else if (status == 2)
        put_receipt(receipts, id, recipient, STR("failed"), STR("send:2"), at_s);
    else if (status == 3)
        put_receipt(receipts, id, recipient, STR("failed"), STR("send:3"), at_s);
    return status != 0;
}

struct following {
    struct channels *channels;
    struct account *account;
    struct json_parser *parser;
    struct buffer arguments, answer;
    str id;
    struct json_writer *receipts;
};

static void arguments_begin(struct following *following, struct json_writer *writer)
{
    buffer_clear(&following->arguments);
    json_writer_init(writer, &following->arguments);
    json_begin_object(writer);
    json_member_text(writer, STR("msgid"), following->id);
    json_member_int(writer, STR("limit"), 1000);
}

static bool follow_employee(struct following *following, str employee)
{
    struct json_writer writer;
    json_value root, item;
    bool is_final = true;
    arguments_begin(following, &writer);
    json_member_text(&writer, STR("userid"), employee);
    json_end_object(&writer);
    if (!ask(following->channels, following->account, following->parser, "mass.results",
             &following->arguments, &following->answer, &root))
        return false;
    struct json_iterator iterator = json_iterate(json_get(root, STR("send_list")));
    while (json_next(&iterator, NULL, &item))
        is_final = put_result(following->receipts, following->id, item) && is_final;
    return is_final;
}

/* The employees of a task, as texts with a NUL behind each; false: unknown. */
static bool list_employees(struct following *following, struct buffer *done, bool *all)
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
        if (json_int(json_get(item, STR("status")), 0) == 0) {
            *all = false; /* has not pressed 'send' yet */
            continue;
        }
        buffer_append_str(done, json_text(json_get(item, STR("userid"))));
        buffer_append_byte(done, 0);
    }
    return true;
}

static bool follow_mass(struct following *following)
{
    struct buffer done;
    bool is_final = false;
    buffer_init(&done, FOLLOW_BYTES_MAX);
    if (list_employees(following, &done, &is_final)) {
        str rest = buffer_str(&done), employee;
        while (str_split(&rest, '\0', &employee))
            if (employee.size > 0)
                is_final = follow_employee(following, employee) && is_final;
    }
    buffer_deinit(&done);
    return is_final;
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
    if (str_starts_with(provider_id, STR("moment:")))
        is_final = follow_moment(&following, str_slice(provider_id, 7, provider_id.size));
    else if (provider_id.size > 0)
        is_final = follow_mass(&following);
    buffer_deinit(&following.arguments);
    buffer_deinit(&following.answer);
    json_parser_free(&following.parser);
    return is_final;
}
