/* SPDX-License-Identifier: Apache-2.0 */
/* WeCom: contact ways ("联系我"): a code with a state and a pool of employees, of whom each who scans it gets one, in turn. */
#include <stdio.h>
#include <string.h>

#include "sandbox/inside.h"

#define STATE_BYTES_MAX 30
#define REMARK_BYTES_MAX 90 /* 30 characters */
#define POOL_MAX 100
#define PAGE_MAX 1000
#define WAY_BYTES_MAX ((size_t)64 << 10)

struct contact_way {
    struct contact_way *next; /* newest first */
    const struct account *account;
    char id[SANDBOX_ID_BYTES], qr_code[160];
    str body; /* JSON as it was asked for; in the sandbox's arena */
    uint64_t turn;
    bool is_gone;
};

static void put_copy(struct json_writer *writer, json_value value)
{
    struct buffer text;
    buffer_init(&text, (size_t)64 << 10);
    json_write_value(&text, value);
    json_put_raw(writer, buffer_str(&text));
    buffer_deinit(&text);
}

static bool fits(json_value body, bool is_new)
{
    int64_t type = json_int(json_get(body, STR("type")), 0);
    int64_t scene = json_int(json_get(body, STR("scene")), 0);
    size_t pool = json_count(json_get(body, STR("user")));
    bool has_pool = pool > 0 || json_count(json_get(body, STR("party"))) > 0;
    if (json_text(json_get(body, STR("state"))).size > STATE_BYTES_MAX ||
        json_text(json_get(body, STR("remark"))).size > REMARK_BYTES_MAX || pool > POOL_MAX)
        return false;
    if (!is_new)
        return true;
    return has_pool && (type == 2 || (type == 1 && pool == 1)) && (scene == 1 || scene == 2);
}

static struct contact_way *way_of(struct call *call, const struct account *account)
{
    str id = json_text(json_get(call->json, STR("config_id")));
    struct contact_way *way = call->sandbox->ways;
    while (way != NULL &&
           (way->is_gone || way->account != account || !str_equal(str_from_c(way->id), id)))
        way = way->next;
    if (way == NULL)
        wx_answer(call, 40058, "invalid Request Parameter: config_id");
    return way;
}

static err keep_body(struct call *call, struct contact_way *way, const struct buffer *body)
{
    err error = buffer_status(body);
    return error == ERR_OK ? arena_dup(&call->sandbox->arena, buffer_str(body), &way->body) : error;
}

/* ---- what is asked ---- */

static void add_way(struct call *call, const struct account *account)
{
    struct json_writer writer;
    struct buffer body;
    struct contact_way *way = arena_array(&call->sandbox->arena, struct contact_way, 1);
    if (!fits(call->json, true) || way == NULL) {
        wx_answer(call, 40058, "invalid Request Parameter");
        return;
    }
    *way = (struct contact_way){ .account = account };
    buffer_init(&body, WAY_BYTES_MAX);
    json_write_value(&body, call->json);
    err error = keep_body(call, way, &body);
    buffer_deinit(&body);
    if (error != ERR_OK) {
        wx_answer(call, -1, "system busy");
        return;
    }
    sandbox_id(call->sandbox, "way", way->id, sizeof way->id);
    snprintf(way->qr_code, sizeof way->qr_code, "https://wework.qpic.cn/sandbox/%s", way->id);
    way->next = call->sandbox->ways;
    call->sandbox->ways = way;
    wx_begin(call, &writer);
    json_member_text(&writer, STR("config_id"), str_from_c(way->id));
    json_member_text(&writer, STR("qr_code"), str_from_c(way->qr_code));
    json_end_object(&writer);
}

static void get_way(struct call *call, const struct account *account)
{
    const struct contact_way *way = way_of(call, account);
    struct json_writer writer;
    json_value body, value;
    str name;
    if (way == NULL || json_parse(call->sandbox->scratch, way->body, &body, NULL) != ERR_OK)
        return;
    struct json_iterator iterator = json_iterate(body);
    wx_begin(call, &writer);
    json_put_key(&writer, STR("contact_way"));
    json_begin_object(&writer);
    json_member_text(&writer, STR("config_id"), str_from_c(way->id));
    json_member_text(&writer, STR("qr_code"), str_from_c(way->qr_code));
    while (json_next(&iterator, &name, &value)) {
        json_put_key(&writer, name);
        put_copy(&writer, value);
    }
    json_end_object(&writer);
    json_end_object(&writer);
}

/* Pages of `limit`, from the `cursor`-th on. */
static void list_ways(struct call *call, const struct account *account)
{
    int64_t limit = json_int(json_get(call->json, STR("limit")), 100), from = 0, at = 0, told = 0;
    struct json_writer writer;
    (void)str_to_int64(json_text(json_get(call->json, STR("cursor"))), &from);
    limit = limit < 1 || limit > PAGE_MAX ? PAGE_MAX : limit;
    wx_begin(call, &writer);
    json_put_key(&writer, STR("contact_way"));
    json_begin_array(&writer);
    for (const struct contact_way *way = call->sandbox->ways; way != NULL; way = way->next) {
        if (way->is_gone || way->account != account || at++ < from || told == limit)
            continue;
        told++;
        json_begin_object(&writer);
        json_member_text(&writer, STR("config_id"), str_from_c(way->id));
        json_end_object(&writer);
    }
    json_end_array(&writer);
    if (at > from + told) {
        char cursor[24];
        snprintf(cursor, sizeof cursor, "%lld", (long long)(from + told));
        json_member_text(&writer, STR("next_cursor"), str_from_c(cursor));
    }
    json_end_object(&writer);
}

/* Members that come take the place of those that were. */
static void update_way(struct call *call, const struct account *account)
{
    struct contact_way *way = way_of(call, account);
    struct json_writer writer;
    struct buffer merged;
    json_value old, value;
    str name;
    if (way == NULL || json_parse(call->sandbox->scratch, way->body, &old, NULL) != ERR_OK)
        return;
    if (!fits(call->json, false)) {
        wx_answer(call, 40058, "invalid Request Parameter");
        return;
    }
    buffer_init(&merged, WAY_BYTES_MAX);
    json_writer_init(&writer, &merged);
    json_begin_object(&writer);
    for (struct json_iterator each = json_iterate(old); json_next(&each, &name, &value);) {
        if (json_kind(json_get(call->json, name)) != JSON_MISSING)
            continue;
        json_put_key(&writer, name);
        put_copy(&writer, value);
    }
    for (struct json_iterator each = json_iterate(call->json); json_next(&each, &name, &value);) {
        if (str_equal(name, STR("config_id")))
            continue;
        json_put_key(&writer, name);
        put_copy(&writer, value);
    }
    json_end_object(&writer);
    err error = keep_body(call, way, &merged);
    buffer_deinit(&merged);
    wx_answer(call, error == ERR_OK ? 0 : -1, error == ERR_OK ? "ok" : "system busy");
}

bool wecom_way_call(struct call *call, struct account *account, str interface)
{
    if (str_equal(interface, STR("add_contact_way"))) {
        add_way(call, account);
    } else if (str_equal(interface, STR("get_contact_way"))) {
        get_way(call, account);
    } else if (str_equal(interface, STR("list_contact_way"))) {
        list_ways(call, account);
    } else if (str_equal(interface, STR("update_contact_way"))) {
        update_way(call, account);
    } else if (str_equal(interface, STR("del_contact_way"))) {
        struct contact_way *way = way_of(call, account);
        if (way != NULL) {
            way->is_gone = true;
            wx_answer(call, 0, "ok");
        }
    } else {
        return false;
    }
    return true;
}

/* ---- who scans it ---- */

bool wecom_way_turn(struct sandbox *sandbox, const struct account *account, str state,
                    struct buffer *employee)
{
    for (struct contact_way *way = sandbox->ways; way != NULL; way = way->next) {
        json_value body;
        if (way->is_gone || way->account != account ||
            json_parse(sandbox->scratch, way->body, &body, NULL) != ERR_OK ||
            !str_equal(json_text(json_get(body, STR("state"))), state))
            continue;
        json_value pool = json_get(body, STR("user"));
        size_t count = json_count(pool);
        if (count == 0)
            continue;
        buffer_append_str(employee, json_text(json_at(pool, way->turn++ % count)));
        return true;
    }
    return false;
}
