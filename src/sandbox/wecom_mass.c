/* SPDX-License-Identifier: Apache-2.0 */
/* WeCom: mass messages that advisers confirm, welcome messages, moments.
 *
 *     add_msg_template ──▶ task, its members unsent ──POST /sandbox/confirm, or confirm_ms later──▶ sent
 *                                                      │ no friend any more: 2, no quota left: 3
 */
#include <stdio.h>
#include <string.h>

#include "sandbox/inside.h"

#define CUSTOMERS_MAX 10000
#define GROUPS_MAX 2000
#define TEXT_BYTES_MAX 4000
#define ATTACHMENTS_MAX 9
#define TASKS_MAX 100000
#define WELCOME_MS (20 * SECOND_MS)
enum { NAME_TASK = 30, NAME_WELCOME = 40 };

static str field(const struct call *call, const char *name)
{
    return json_text(json_get(call->json, str_from_c(name)));
}

/* ---- what may be sent ---- */

static bool is_within(json_value object, const char *name, size_t size_max)
{
    return json_text(json_get(object, str_from_c(name))).size <= size_max;
}

/* 0, or the code. */
static int check_attachment(json_value attachment)
{
    str type = json_text(json_get(attachment, STR("msgtype")));
    json_value body = json_get(attachment, type);
    if (type.size == 0 || !json_is_object(body))
        return 41064;
    if (str_equal(type, STR("image")))
        return json_text(json_get(body, STR("media_id"))).size +
                           json_text(json_get(body, STR("pic_url"))).size >
                       0
                   ? 0
                   : 41064;
    if (str_equal(type, STR("link")))
        return is_within(body, "title", 128) && is_within(body, "desc", 512) &&
                       json_text(json_get(body, STR("title"))).size > 0 &&
                       json_text(json_get(body, STR("url"))).size > 0
                   ? 0
                   : 41064;
    if (str_equal(type, STR("miniprogram")))
        return is_within(body, "title", 64) && json_text(json_get(body, STR("appid"))).size > 0 &&
                       json_text(json_get(body, STR("page"))).size > 0
                   ? 0
                   : 41064;
    return str_equal(type, STR("video")) || str_equal(type, STR("file")) ? 0 : 41064;
}

static int check_content(json_value message)
{
    str text = json_text(json_get(json_get(message, STR("text")), STR("content")));
    json_value attachments = json_get(message, STR("attachments")), attachment;
    struct json_iterator iterator = json_iterate(attachments);
    int code = 0;
    if (text.size > TEXT_BYTES_MAX)
        return 45002;
    if (json_count(attachments) > ATTACHMENTS_MAX)
        return 41065;
    if (text.size == 0 && json_count(attachments) == 0)
        return 40063;
    while (code == 0 && json_next(&iterator, NULL, &attachment))
        code = check_attachment(attachment);
    return code;
}

/* ---- tasks ---- */

struct mass_task *mass_find(struct sandbox *sandbox, str id)
{
    return map_get(&sandbox->by_name, name_hash(NAME_TASK, NULL, id, STR_NONE, STR_NONE));
}

static struct mass_task *task_new(struct sandbox *sandbox, struct account *account, size_t members)
{
    struct mass_task *task = arena_new(&sandbox->arena, struct mass_task);
    if (task == NULL || sandbox->number > UINT64_MAX - 1)
        return NULL;
    task->members = memory_alloc((members > 0 ? members : 1) * sizeof *task->members);
    sandbox_id(sandbox, "msg", task->id, sizeof task->id);
    task->number = sandbox->number;
    task->account = account;
    task->made_ms = sandbox_now(sandbox);
    hash128 key = name_hash(NAME_TASK, NULL, str_from_c(task->id), STR_NONE, STR_NONE);
    if (task->members == NULL || map_put(&sandbox->by_name, key, task) != ERR_OK) {
        memory_free(task->members);
        return NULL;
    }
    task->next = sandbox->tasks;
    sandbox->tasks = task;
    return task;
}

static void keep_content(struct mass_task *task, json_value message)
{
    struct buffer content;
    buffer_init(&content, SANDBOX_BODY_BYTES_MAX);
    buffer_append_str(&content, STR("{\"text\":"));
    json_write_value(&content, json_get(message, STR("text")));
    if (json_count(json_get(message, STR("attachments"))) > 0) {
        buffer_append_str(&content, STR(",\"attachments\":"));
        json_write_value(&content, json_get(message, STR("attachments")));
    }
    buffer_append_byte(&content, '}');
    task->content = buffer_take(&content, &task->content_size);
}

static void add_member(struct mass_task *task, str id, str employee)
{
    struct mass_member *member = &task->members[task->member_count++];
    memset(member, 0, sizeof *member);
    snprintf(member->id, sizeof member->id, STR_FMT,
             STR_ARG(str_slice(id, 0, sizeof member->id - 1)));
    snprintf(member->employee, sizeof member->employee, STR_FMT,
             STR_ARG(str_slice(employee, 0, sizeof member->employee - 1)));
}

static void take_member(struct sandbox *sandbox, const struct mass_task *task,
                        const struct mass_member *member)
{
    struct take take = { .kind = KIND_WECOM,
                         .account = task->account,
                         .recipient = str_from_c(member->id),
                         .form = task->is_moment  ? STR("moment")
                                 : task->is_group ? STR("group_mass")
                                                  : STR("customer_mass"),
                         .id = str_from_c(task->id),
                         .key = str_from_c(task->id),
                         .content = str_from_bytes(task->content, task->content_size) };
    taken_add(sandbox, &take);
}

/* Sent by the adviser's hand: each member once, or why not. */
void mass_confirm(struct sandbox *sandbox, struct mass_task *task, str employee)
{
    for (size_t i = 0; !task->is_cancelled && i < task->member_count; i++) {
        struct mass_member *member = &task->members[i];
        if (member->status != 0 ||
            (employee.size > 0 && !str_equal(employee, str_from_c(member->employee))))
            continue;
        struct person *person =
            person_of(sandbox, task->account, task->is_group ? PERSON_GROUP : PERSON_CUSTOMER,
                      str_from_c(member->id));
        bool is_friend = person != NULL && !person->is_gone;
        member->status = !is_friend ? 2 : person_take_quota(sandbox, person) ? 1 : 3;
        member->sent_ms = sandbox_now(sandbox);
        if (member->status == 1)
            take_member(sandbox, task, member);
    }
}

static void fill_members(struct call *call, struct mass_task *task, json_value ids, str sender,
                         struct json_writer *failed)
{
    struct json_iterator iterator = json_iterate(ids);
    json_value value;
    while (json_next(&iterator, NULL, &value)) {
        str id = json_text(value);
        struct person *person = person_of(call->sandbox, task->account,
                                          task->is_group ? PERSON_GROUP : PERSON_CUSTOMER, id);
        if (person != NULL && !person->is_gone && id.size < sizeof task->members[0].id)
            add_member(task, id, sender.size > 0 ? sender : str_from_c(person->adviser));
        else
            json_put_text(failed, id);
    }
}

/* Without names: all of the sender's customers. */
static void fill_all(struct sandbox *sandbox, struct mass_task *task, str sender, size_t most)
{
    for (struct person *person = sandbox->people; person != NULL; person = person->next)
        if (person->account == task->account && person->kind == PERSON_CUSTOMER &&
            !person->is_gone && str_equal(sender, str_from_c(person->adviser)) &&
            task->member_count < most)
            add_member(task, str_from_c(person->id), sender);
}

static void add_msg_template(struct call *call, struct account *account)
{
    bool is_group = str_equal(field(call, "chat_type"), STR("group"));
    json_value ids = json_get(call->json, is_group ? STR("chat_id_list") : STR("external_userid"));
    size_t most = is_group ? GROUPS_MAX : CUSTOMERS_MAX;
    str sender = field(call, "sender");
    int code = check_content(call->json);
    struct json_writer writer;
    if (code != 0) {
        wx_answer(call, code, "invalid message");
        return;
    }
    if (json_count(ids) > most || (json_count(ids) == 0 && sender.size == 0)) {
        wx_answer(call, 40096, "invalid external userid");
        return;
    }
    struct mass_task *task =
        task_new(call->sandbox, account, json_count(ids) > 0 ? json_count(ids) : most);
    if (task == NULL) {
        wx_answer(call, -1, "system busy");
        return;
    }
    task->is_group = is_group;
    keep_content(task, call->json);
    wx_begin(call, &writer);
    json_put_key(&writer, STR("fail_list"));
    json_begin_array(&writer);
    fill_members(call, task, ids, sender, &writer);
    json_end_array(&writer);
    if (json_count(ids) == 0)
        fill_all(call->sandbox, task, sender, most);
    json_member_text(&writer, STR("msgid"), str_from_c(task->id));
    json_end_object(&writer);
    if (task->member_count == 0) {
        wx_answer(call, 41048, "no customer to send");
        return;
    }
    int64_t confirm_ms = call->sandbox->settings[SETTING_CONFIRM_MS];
    if (confirm_ms >= 0)
        confirm_schedule(call->sandbox, task->number, sandbox_now(call->sandbox) + confirm_ms);
}

static struct mass_task *task_of(struct call *call, const struct account *account)
{
    struct mass_task *task = mass_find(call->sandbox, field(call, "msgid"));
    if (task != NULL && task->account == account)
        return task;
    wx_answer(call, 41071, "invalid msgid");
    return NULL;
}

/* Where a page begins; false: the cursor is none. */
static bool read_page(struct call *call, int64_t *skip, int64_t *limit)
{
    str cursor = field(call, "cursor");
    *skip = 0;
    *limit = json_int(json_get(call->json, STR("limit")), 500);
    *limit = *limit < 1 || *limit > 1000 ? 1000 : *limit;
    return cursor.size == 0 || (str_to_int64(cursor, skip) && *skip >= 0);
}

static void end_page(struct json_writer *writer, int64_t next, int64_t total)
{
    char cursor[24] = "";
    if (next < total)
        snprintf(cursor, sizeof cursor, "%lld", (long long)next);
    json_end_array(writer);
    json_member_text(writer, STR("next_cursor"), str_from_c(cursor));
    json_end_object(writer);
}

static void write_employee(struct json_writer *writer, const struct mass_task *task, size_t first)
{
    const char *employee = task->members[first].employee;
    int64_t sent_ms = 0;
    bool is_sent = true;
    for (size_t i = 0; i < task->member_count; i++) {
        if (strcmp(task->members[i].employee, employee) != 0)
            continue;
        is_sent &= task->members[i].status != 0;
        sent_ms = task->members[i].sent_ms > sent_ms ? task->members[i].sent_ms : sent_ms;
    }
    json_begin_object(writer);
    json_member_text(writer, STR("userid"), str_from_c(employee));
    json_member_int(writer, STR("status"), is_sent ? 2 : 0);
    if (is_sent)
        json_member_int(writer, STR("send_time"), sent_ms / SECOND_MS);
    json_end_object(writer);
}

/* Each employee once. */
static void get_task(struct call *call, const struct account *account)
{
    struct json_writer writer;
    int64_t skip, limit;
    const struct mass_task *task = task_of(call, account);
    if (task == NULL)
        return;
    if (!read_page(call, &skip, &limit)) {
        wx_answer(call, 41078, "invalid cursor");
        return;
    }
    wx_begin(call, &writer);
    json_put_key(&writer, STR("task_list"));
    json_begin_array(&writer);
    for (size_t i = 0; i < task->member_count; i++) {
        bool is_first = true;
        for (size_t j = 0; j < i && is_first; j++)
            is_first = strcmp(task->members[j].employee, task->members[i].employee) != 0;
        if (is_first)
            write_employee(&writer, task, i);
    }
    end_page(&writer, 0, 0);
}

static void get_results(struct call *call, const struct account *account)
{
    struct json_writer writer;
    int64_t skip, limit, seen = 0, written = 0, total = 0;
    const struct mass_task *task = task_of(call, account);
    str user = field(call, "userid");
    if (task == NULL)
        return;
    if (!read_page(call, &skip, &limit)) {
        wx_answer(call, 41078, "invalid cursor");
        return;
    }
    if (user.size == 0) {
        wx_answer(call, 40003, "invalid UserID");
        return;
    }
    wx_begin(call, &writer);
    json_put_key(&writer, STR("send_list"));
    json_begin_array(&writer);
    for (size_t i = 0; i < task->member_count; i++) {
        const struct mass_member *member = &task->members[i];
        if (!str_equal(user, str_from_c(member->employee)))
            continue;
        total++;
        if (seen++ < skip || written == limit)
            continue;
        written++;
        json_begin_object(&writer);
        json_member_text(&writer, task->is_group ? STR("chat_id") : STR("external_userid"),
                         str_from_c(member->id));
        json_member_text(&writer, STR("userid"), user);
        json_member_int(&writer, STR("status"), member->status);
        if (member->status != 0)
            json_member_int(&writer, STR("send_time"), member->sent_ms / SECOND_MS);
        json_end_object(&writer);
    }
    end_page(&writer, skip + written, total);
}

static void list_tasks(struct call *call, const struct account *account)
{
    struct json_writer writer;
    int64_t from = json_int(json_get(call->json, STR("start_time")), 0);
    int64_t until = json_int(json_get(call->json, STR("end_time")), INT64_MAX);
    int64_t skip, limit, seen = 0, written = 0;
    if (!read_page(call, &skip, &limit) || until < from || until - from > 31 * 86400) {
        wx_answer(call, 40058, "invalid Request Parameter");
        return;
    }
    limit = limit > 100 ? 100 : limit;
    wx_begin(call, &writer);
    json_put_key(&writer, STR("group_msg_list"));
    json_begin_array(&writer);
    for (const struct mass_task *task = call->sandbox->tasks; task != NULL; task = task->next) {
        int64_t made = task->made_ms / SECOND_MS;
        if (task->account != account || task->is_moment || made < from || made > until ||
            seen++ < skip || written >= limit)
            continue;
        written++;
        json_begin_object(&writer);
        json_member_text(&writer, STR("msgid"), str_from_c(task->id));
        json_member_int(&writer, STR("create_time"), made);
        json_member_int(&writer, STR("create_type"), 0);
        str content = str_from_bytes(task->content, task->content_size);
        if (str_starts_with(content,
                            STR("{\"text\":"))) { /* its members stand in the item itself */
            json_put_key(&writer, STR("text"));
            json_put_raw(&writer, str_slice(content, 8, content.size - 1));
        }
        json_end_object(&writer);
    }
    end_page(&writer, skip + written, seen);
}

static void remind(struct call *call, const struct account *account)
{
    struct mass_task *task = task_of(call, account);
    int64_t now_ms = sandbox_now(call->sandbox);
    if (task == NULL)
        return;
    if (task->is_cancelled) {
        wx_answer(call, 41093, "task cancelled");
        return;
    }
    if (task->reminded_ms < now_ms - DAY_MS) {
        task->reminded = 0;
        task->reminded_ms = now_ms;
    }
    if (task->reminded >= 3) {
        wx_answer(call, 41094, "remind limit");
        return;
    }
    task->reminded++;
    wx_answer(call, 0, "ok");
}

static void cancel(struct call *call, const struct account *account)
{
    struct mass_task *task = task_of(call, account);
    if (task == NULL)
        return;
    task->is_cancelled = true;
    wx_answer(call, 0, "ok");
}

/* ---- welcome messages ---- */

struct welcome {
    int64_t until_ms;
    bool is_used;
    char customer[SANDBOX_ID_BYTES];
};

void welcome_add(struct sandbox *sandbox, struct account *account, str code, str customer)
{
    struct welcome *welcome = arena_new(&sandbox->arena, struct welcome);
    if (welcome == NULL ||
        map_put(&sandbox->by_name, name_hash(NAME_WELCOME, account, code, STR_NONE, STR_NONE),
                welcome) != ERR_OK)
        return;
    welcome->until_ms = sandbox_now(sandbox) + WELCOME_MS;
    snprintf(welcome->customer, sizeof welcome->customer, STR_FMT,
             STR_ARG(str_slice(customer, 0, 120)));
}

static void send_welcome(struct call *call, struct account *account)
{
    str code = field(call, "welcome_code");
    struct welcome *welcome = map_get(&call->sandbox->by_name,
                                      name_hash(NAME_WELCOME, account, code, STR_NONE, STR_NONE));
    struct buffer content;
    int bad = check_content(call->json);
    if (welcome == NULL || welcome->until_ms < sandbox_now(call->sandbox)) {
        wx_answer(call, 41050, "invalid welcome code");
        return;
    }
    if (bad != 0) {
        wx_answer(call, bad, "invalid message");
        return;
    }
    if (welcome->is_used) {
        wx_answer(call, 41051, "chat already started");
        return;
    }
    welcome->is_used = true;
    buffer_init(&content, SANDBOX_BODY_BYTES_MAX);
    json_write_value(&content, call->json);
    struct take take = { .kind = KIND_WECOM,
                         .account = account,
                         .recipient = str_from_c(welcome->customer),
                         .form = STR("welcome"),
                         .key = code,
                         .content = buffer_str(&content) };
    taken_add(call->sandbox, &take);
    buffer_deinit(&content);
    wx_answer(call, 0, "ok");
}

/* ---- moments ---- */

/* One for each employee who is to post it. */
static void add_moment(struct call *call, struct account *account)
{
    struct json_writer writer;
    json_value users = json_get(
        json_get(json_get(call->json, STR("visible_range")), STR("sender_list")), STR("user_list"));
    struct json_iterator iterator = json_iterate(users);
    json_value user;
    str text = json_text(json_get(json_get(call->json, STR("text")), STR("content")));
    if (text.size > TEXT_BYTES_MAX ||
        json_count(json_get(call->json, STR("attachments"))) > ATTACHMENTS_MAX ||
        (text.size == 0 && json_count(json_get(call->json, STR("attachments"))) == 0)) {
        wx_answer(call, 41059, "invalid moment");
        return;
    }
    struct mass_task *task = task_new(call->sandbox, account, json_count(users));
    if (task == NULL) {
        wx_answer(call, -1, "system busy");
        return;
    }
    task->is_moment = true;
    keep_content(task, call->json);
    while (json_next(&iterator, NULL, &user)) {
        add_member(task, json_text(user), json_text(user));
        take_member(call->sandbox, task, &task->members[task->member_count - 1]);
    }
    wx_begin(call, &writer);
    json_member_text(&writer, STR("jobid"), str_from_c(task->id));
    json_end_object(&writer);
}

static void get_moment(struct call *call, const struct account *account)
{
    struct json_writer writer;
    const struct mass_task *task =
        mass_find(call->sandbox, params_get(&call->params, STR("jobid")));
    if (task == NULL || task->account != account || !task->is_moment) {
        wx_answer(call, 41061, "invalid jobid");
        return;
    }
    wx_begin(call, &writer);
    json_member_int(&writer, STR("status"), 3);
    json_member_text(&writer, STR("type"), STR("add_moment_task"));
    json_put_key(&writer, STR("result"));
    json_begin_object(&writer);
    json_member_int(&writer, STR("errcode"), 0);
    json_member_text(&writer, STR("errmsg"), STR("ok"));
    json_member_text(&writer, STR("moment_id"), str_from_c(task->id));
    json_end_object(&writer);
    json_end_object(&writer);
}

void wecom_mass_call(struct call *call, struct account *account, str interface)
{
    if (str_equal(interface, STR("add_msg_template"))) {
        add_msg_template(call, account);
        return;
    }
    if (str_equal(interface, STR("get_groupmsg_list_v2"))) {
        list_tasks(call, account);
        return;
    }
    if (str_equal(interface, STR("get_groupmsg_task"))) {
        get_task(call, account);
        return;
    }
    if (str_equal(interface, STR("get_groupmsg_send_result"))) {
        get_results(call, account);
        return;
    }
    if (str_equal(interface, STR("remind_groupmsg_send"))) {
        remind(call, account);
        return;
    }
    if (str_equal(interface, STR("cancel_groupmsg_send")) ||
        str_equal(interface, STR("cancel_moment_task"))) {
        cancel(call, account);
        return;
    }
    if (str_equal(interface, STR("send_welcome_msg"))) {
        send_welcome(call, account);
        return;
    }
    if (str_equal(interface, STR("add_moment_task"))) {
        add_moment(call, account);
        return;
    }
    if (str_equal(interface, STR("get_moment_task_result"))) {
        get_moment(call, account);
        return;
    }
    wecom_customer_call(call, account, interface);
}
