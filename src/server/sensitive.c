/* SPDX-License-Identifier: Apache-2.0 */
/* sensitive: which traits are held, and that they are not used; see sensitive.h. The list is a setting with routes of its own. */
#include "server/sensitive.h"

#include <stdio.h>
#include <string.h>

#include "server/access_rules.h"
#include "server/answer.h"
#include "server/router.h"

#define NAME_BYTES_MAX 200
#define LIST_BYTES_MAX 65536
#define TRAITS_MAX 200

/* ---- the list ---- */

struct held {
    str name, reason;
    int64_t asked_by, asked_ms, released_by, released_ms, changed_ms;
};
struct list {
    struct held *items;
    size_t count;
};

static bool is_children(str name)
{
    return str_equal(name, STR(SENSITIVE_CHILDREN));
}

/* What concerns children is held from the start. */
static void add_children(struct list *list)
{
    for (size_t i = 0; i < list->count; i++)
        if (is_children(list->items[i].name))
            return;
    list->items[list->count++] =
        (struct held){ .name = STR(SENSITIVE_CHILDREN), .reason = STR_NONE };
}

static err read_list(struct request *request, struct list *list, struct problem *problem)
{
    json_value root, item;
    str name;
    err error = access_rules_setting(request, STR(SETTING_SENSITIVE_TRAITS), &root, problem);
    struct json_iterator iterator = json_iterate(root);
    *list = (struct list){ .items = arena_array(&request->arena, struct held, TRAITS_MAX + 2) };
    if (list->items == NULL)
        return ERR_NOMEM;
    while (error == ERR_OK && list->count <= TRAITS_MAX && json_next(&iterator, &name, &item)) {
        struct held *held = &list->items[list->count++];
        *held = (struct held){ .asked_by = json_int(json_get(item, STR("asked_by")), 0),
                               .asked_ms = json_int(json_get(item, STR("asked_ms")), 0),
                               .released_by = json_int(json_get(item, STR("released_by")), 0),
                               .released_ms = json_int(json_get(item, STR("released_ms")), 0),
                               .changed_ms = json_int(json_get(item, STR("changed_ms")), 0) };
        error = arena_dup(&request->arena, name, &held->name);
        if (error == ERR_OK)
            error =
                arena_dup(&request->arena, json_text(json_get(item, STR("reason"))), &held->reason);
    }
    if (error == ERR_OK)
        add_children(list);
    return error;
}

static struct held *find(const struct list *list, str name)
{
    for (size_t i = 0; i < list->count; i++)
        if (str_equal(list->items[i].name, name))
            return &list->items[i];
    return NULL;
}

static err write_list(struct request *request, const struct list *list, struct problem *problem)
{
    struct command_body body;
    str response;
    command_body_begin(&body);
    json_member_text(&body.writer, STR("key"), STR(SETTING_SENSITIVE_TRAITS));
    json_put_key(&body.writer, STR("value"));
    json_begin_object(&body.writer);
    for (size_t i = 0; i < list->count; i++) {
        const struct held *held = &list->items[i];
        if (held->name.size == 0)
            continue; /* taken off */
        json_put_key(&body.writer, held->name);
        json_begin_object(&body.writer);
        json_member_text(&body.writer, STR("reason"), held->reason);
        json_member_int(&body.writer, STR("asked_by"), held->asked_by);
        json_member_int(&body.writer, STR("asked_ms"), held->asked_ms);
        json_member_int(&body.writer, STR("released_by"), held->released_by);
        json_member_int(&body.writer, STR("released_ms"), held->released_ms);
        json_member_int(&body.writer, STR("changed_ms"), held->changed_ms);
        json_end_object(&body.writer);
    }
    json_end_object(&body.writer);
    err error = answer_command(request, "setting.put", command_body_end(&body), &response, problem);
    command_body_deinit(&body);
    return error;
}

/* ---- what names one ---- */

struct looking {
    const struct list *list;
    const struct held *found;
};

static bool text_names(str text, str name, bool is_trait)
{
    char wanted[NAME_BYTES_MAX + 16];
    if (is_trait && str_equal(text, name))
        return true;
    snprintf(wanted, sizeof wanted, "trait:" STR_FMT, STR_ARG(name));
    if (str_equal(text, str_from_c(wanted)))
        return true;
    snprintf(wanted, sizeof wanted, "traits." STR_FMT, STR_ARG(name));
    return str_contains(text, str_from_c(wanted));
}

static void look(struct looking *looking, str member, json_value value)
{
    struct json_iterator iterator = json_iterate(value);
    enum json_kind kind = json_kind(value);
    json_value inner;
    str name = STR_NONE;
    if (kind == JSON_TEXT)
        for (size_t i = 0; i < looking->list->count && looking->found == NULL; i++)
            if (looking->list->items[i].released_by == 0 &&
                text_names(json_text(value), looking->list->items[i].name,
                           str_equal(member, STR("trait"))))
                looking->found = &looking->list->items[i];
    if (kind != JSON_OBJECT && kind != JSON_ARRAY)
        return;
    while (looking->found == NULL &&
           json_next(&iterator, kind == JSON_OBJECT ? &name : NULL, &inner))
        look(looking, kind == JSON_OBJECT ? name : member, inner);
}

/* Where people are chosen, written to, or taken out. */
static bool uses_traits(str path)
{
    static const char *const uses[] = { "/segments",  "/tags",    "/journeys", "/rules",
                                        "/templates", "/touches", "/teams",    "/customers",
                                        "/audience",  "/boards",  "/exports",  "/views" };
    str rest = str_starts_with(path, STR(API)) ? str_slice(path, strlen(API), path.size) : STR_NONE;
    bool corrects =
        str_starts_with(rest, STR("/customers/")) && str_contains(rest, STR("/traits/"));
    for (size_t i = 0; !corrects && i < sizeof uses / sizeof uses[0]; i++)
        if (str_starts_with(rest, str_from_c(uses[i])))
            return true;
    return false;
}

err sensitive_check(struct request *request, struct problem *problem)
{
    struct list list;
    if (request->route->body != ROUTE_BODY || !uses_traits(request->path) ||
        !str_contains(buffer_str(&request->body), STR("trait")))
        return ERR_OK;
    err error = read_list(request, &list, problem);
    struct looking looking = { .list = &list };
    if (error == ERR_OK && list.count > 0)
        look(&looking, STR_NONE, request->json);
    if (looking.found == NULL)
        return error;
    problem_set(problem, ERR_UNPROCESSABLE, "the trait '%.*s' is sensitive and not released",
                (int)str_utf8_prefix_bytes(looking.found->name, 100), looking.found->name.data);
    return problem_hint(problem, ERR_UNPROCESSABLE,
                        "one person asks, another agrees: POST "
                        "/api/v1/privacy/sensitive/{name}/release");
}

/* ---- routes ---- */

static void write_one(struct request *request, struct json_writer *writer, const struct held *held)
{
    json_begin_object(writer);
    json_member_text(writer, STR("name"), held->name);
    json_member_text(writer, STR("state"),
                     held->released_by != 0 ? STR("released")
                     : held->asked_by != 0  ? STR("asked")
                                            : STR("held"));
    json_member_text(writer, STR("reason"), held->reason);
    member_text_or_null(writer, STR("asked_by"),
                        held->asked_by != 0 ? answer_login(request, (uint32_t)held->asked_by)
                                            : STR_NONE);
    member_text_or_null(writer, STR("released_by"),
                        held->released_by != 0 ? answer_login(request, (uint32_t)held->released_by)
                                               : STR_NONE);
    member_time_or_null(writer, STR("changed_at"), held->changed_ms);
    json_end_object(writer);
}

static err answer_one(struct request *request, const struct held *held)
{
    struct json_writer writer;
    json_writer_init(&writer, &request->out);
    write_one(request, &writer, held);
    return ERR_OK;
}

err route_sensitive_list(struct request *request, struct problem *problem)
{
    struct json_writer writer;
    struct list list;
    err error = read_list(request, &list, problem);
    if (error != ERR_OK)
        return error;
    answer_list_begin(request, &writer);
    for (size_t i = 0; i < list.count; i++)
        write_one(request, &writer, &list.items[i]);
    answer_list_end(request, &writer, STR_NONE);
    json_end_object(&writer);
    return ERR_OK;
}

err route_sensitive_put(struct request *request, struct problem *problem)
{
    str name = request->parameters[0];
    str reason = json_text(json_get(request->json, STR("reason")));
    struct list list;
    err error = arena_dup(&request->arena, reason, &reason);
    if (error == ERR_OK)
        error = read_list(request, &list, problem);
    if (error != ERR_OK)
        return error;
    if (name.size == 0 || name.size > NAME_BYTES_MAX || reason.size > 500)
        return problem_set(problem, ERR_UNPROCESSABLE,
                           "a trait's name has 1 to %d bytes, a reason at most 500",
                           NAME_BYTES_MAX);
    struct held *held = find(&list, name);
    if (held == NULL && list.count > TRAITS_MAX)
        return problem_set(problem, ERR_UNPROCESSABLE, "at most %d traits are sensitive",
                           TRAITS_MAX);
    if (held == NULL)
        held = &list.items[list.count++];
    *held = (struct held){ .name = name,
                           .reason = reason,
                           .changed_ms = server_now_ms(request->server) };
    error = write_list(request, &list, problem);
    return error == ERR_OK ? answer_one(request, held) : error;
}

static err no_such(str name, struct problem *problem)
{
    return problem_set(problem, ERR_NOT_FOUND, "'%.*s' is no sensitive trait",
                       (int)str_utf8_prefix_bytes(name, 100), name.data);
}

/* The first who says so asks; another one releases. A token of the machine is nobody. */
err route_sensitive_release(struct request *request, struct problem *problem)
{
    struct list list;
    int64_t user = request->actor.user_number, now_ms = server_now_ms(request->server);
    err error = read_list(request, &list, problem);
    struct held *held = error == ERR_OK ? find(&list, request->parameters[0]) : NULL;
    if (error != ERR_OK)
        return error;
    if (held == NULL)
        return no_such(request->parameters[0], problem);
    if (held->released_by != 0)
        return answer_one(request, held);
    if (request->actor.is_automation || user == 0 || held->asked_by == user) {
        problem_set(problem, ERR_CONFLICT, "whoever asked cannot release it");
        return problem_hint(problem, ERR_CONFLICT, "a second person has to agree");
    }
    held->changed_ms = now_ms;
    if (held->asked_by == 0) {
        held->asked_by = user;
        held->asked_ms = now_ms;
    } else {
        held->released_by = user;
        held->released_ms = now_ms;
    }
    error = write_list(request, &list, problem);
    return error == ERR_OK ? answer_one(request, held) : error;
}

err route_sensitive_delete(struct request *request, struct problem *problem)
{
    struct list list;
    err error = read_list(request, &list, problem);
    struct held *held = error == ERR_OK ? find(&list, request->parameters[0]) : NULL;
    if (error != ERR_OK)
        return error;
    if (held == NULL)
        return no_such(request->parameters[0], problem);
    /* Off the list it would be free at once: the second person comes first. */
    if (held->released_by == 0) {
        problem_set(problem, ERR_CONFLICT, "it is held: release it first");
        return problem_hint(problem, ERR_CONFLICT, "a second person has to agree");
    }
    held->name = STR_NONE;
    error = write_list(request, &list, problem);
    request->status = 204;
    return error;
}
