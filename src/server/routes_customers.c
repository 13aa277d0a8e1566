/* SPDX-License-Identifier: Apache-2.0 */
/* One customer: graph, merges, explanation; split, merge, consent. */
#include <stdio.h>

#include "server/answer.h"
#include "server/mask.h"
#include "server/story.h"

static err take_customer(struct request *request, struct customer_view *view, bool *reveal,
                         struct problem *problem)
{
    err error = view_customer(request, request->parameters[0], false, view, problem);
    if (error == ERR_OK)
        error = auth_reveal(request, request->parameters[0], reveal, problem);
    return error;
}

/* ---- merges ---- */

err route_customer_merges(struct request *request, struct problem *problem)
{
    struct customer_view view;
    struct merge_row *rows;
    struct json_writer writer;
    size_t count;
    bool reveal;
    err error = take_customer(request, &view, &reveal, problem);
    if (error == ERR_OK)
        error = story_merges(request, view.nodes, view.node_count, &rows, &count, problem);
    if (error != ERR_OK)
        return error;
    answer_list_begin(request, &writer);
    error = story_write_merges(request, &writer, rows, count, reveal, problem);
    if (error != ERR_OK)
        return error;
    answer_list_end(request, &writer, STR_NONE);
    json_end_object(&writer);
    return ERR_OK;
}

/* ---- graph ---- */

#define ID_BYTES 32

static void write_node_id(struct request *request, struct json_writer *writer, str key,
                          uint32_t node)
{
    char id[ID_BYTES];
    snprintf(id, sizeof(id), "c:" STR_FMT, STR_ARG(answer_one_id(request, node)));
    json_member_text(writer, key, str_from_c(id));
}

static void write_row_id(struct json_writer *writer, str key, uint32_t row)
{
    char id[ID_BYTES];
    snprintf(id, sizeof(id), "i:%u", row);
    json_member_text(writer, key, str_from_c(id));
}

static void write_graph_nodes(struct request *request, struct json_writer *writer,
                              const struct customer_view *view, bool reveal)
{
    json_put_key(writer, STR("nodes"));
    json_begin_array(writer);
    for (size_t i = 0; i < view->node_count; i++) {
        json_begin_object(writer);
        write_node_id(request, writer, STR("id"), view->nodes[i]);
        json_member_text(writer, STR("kind"), STR("customer"));
        json_member_text(writer, STR("one_id"), answer_one_id(request, view->nodes[i]));
        json_end_object(writer);
    }
    for (size_t i = 0; i < view->row_count; i++) {
        const struct identity_row_view *row = &view->rows[i];
        json_begin_object(writer);
        write_row_id(writer, STR("id"), row->row);
        json_member_text(writer, STR("kind"), STR("identifier"));
        json_member_text(writer, STR("type"), row->type);
        json_member_text(
            writer, STR("value"),
            mask_identifier(request->server->keys, &request->arena, row->type, row->value, reveal));
        json_member_bool(writer, STR("verified"), (row->flags & IDENTIFIER_VERIFIED) != 0);
        json_member_time(writer, STR("first_seen"), row->first_seen_ms);
        json_end_object(writer);
    }
    json_end_array(writer);
}

static void end_link(struct request *request, struct json_writer *writer, str cause,
                     uint32_t source_number, int64_t at_ms, uint64_t seq)
{
    json_member_text(writer, STR("cause"), cause);
    json_member_text(writer, STR("source"), answer_source_key(request, source_number));
    json_member_time(writer, STR("at"), at_ms);
    json_member_int(writer, STR("seq"), (int64_t)seq);
    json_end_object(writer);
}

static bool is_hers(const struct customer_view *view, uint32_t row)
{
    for (size_t i = 0; i < view->row_count; i++)
        if (view->rows[i].row == row)
            return true;
    return false;
}

/* The last link of each identifier that brought it where it is now. */
static void write_home_links(struct request *request, struct json_writer *writer,
                             const struct customer_view *view, const struct link_row *links,
                             size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const struct identity_link *link = &links[i].link;
        bool is_last = i + 1 == count || links[i + 1].link.row != link->row;
        if (!is_last || link->customer == 0)
            continue;
        json_begin_object(writer);
        write_row_id(writer, STR("from"), link->row);
        write_node_id(request, writer, STR("to"), link->customer);
        end_link(request, writer, link->cause, link->source_number, link->at_ms, link->seq);
        if (link->with_row == 0 || !is_hers(view, link->with_row))
            continue;
        json_begin_object(writer);
        write_row_id(writer, STR("from"), link->row);
        write_row_id(writer, STR("to"), link->with_row);
        end_link(request, writer, link->cause, link->source_number, link->at_ms, link->seq);
    }
}

static bool has_node(const struct customer_view *view, uint32_t node)
{
    for (size_t i = 0; i < view->node_count; i++)
        if (view->nodes[i] == node)
            return true;
    return false;
}

static void write_merge_links(struct request *request, struct json_writer *writer,
                              const struct customer_view *view, const struct merge_row *merges,
                              size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const struct merge_row *merge = &merges[i];
        if (merge->undone_ms != 0 || !has_node(view, merge->node) || !has_node(view, merge->other))
            continue;
        json_begin_object(writer);
        write_node_id(request, writer, STR("from"), merge->node);
        write_node_id(request, writer, STR("to"), merge->other);
        end_link(request, writer, merge->cause, merge->source_number, merge->at_ms,
                 (uint64_t)merge->id);
    }
}

err route_customer_graph(struct request *request, struct problem *problem)
{
    struct customer_view view;
    struct merge_row *merges;
    struct link_row *links;
    struct json_writer writer;
    size_t merge_count, link_count;
    bool reveal;
    err error = take_customer(request, &view, &reveal, problem);
    if (error == ERR_OK && view.row_count > STORY_ROWS_MAX)
        view.row_count = STORY_ROWS_MAX;
    if (error == ERR_OK)
        error = story_merges(request, view.nodes, view.node_count, &merges, &merge_count, problem);
    if (error == ERR_OK)
        error = story_links(request, view.rows, view.row_count, &links, &link_count, problem);
    if (error == ERR_OK) {
        json_writer_init(&writer, &request->out);
        json_begin_object(&writer);
        write_graph_nodes(request, &writer, &view, reveal);
        json_put_key(&writer, STR("links"));
        json_begin_array(&writer);
        write_home_links(request, &writer, &view, links, link_count);
        write_merge_links(request, &writer, &view, merges, merge_count);
        json_end_array(&writer);
        json_end_object(&writer);
    }
    return error;
}

/* ---- explain ---- */

/* Why an identifier is where it is, in words of both languages; `%s` is the other identifier. */
static const struct {
    const char *cause, *zh, *en;
} link_words[] = {
    { "first", "首次出现", "was first seen" },
    { "together", "与 %s 同时出现", "came together with %s" },
    { "claimed", "由公开来源声明", "was claimed by a public source" },
    { "login", "访客登录时带来", "was brought when the visitor signed in" },
    { "moved", "随最近一次登录转移", "moved with the last sign-in" },
    { "taken", "由可信来源确认后归属于此", "was confirmed here by a trusted source" },
    { "dropped", "超出数量上限,最旧的被移出", "was dropped as the oldest beyond the limit" },
    { "shared", "被过多客户共用", "is shared by too many customers" },
    { "blocked", "为占位值或测试值", "is a placeholder or test value" },
    { "unbound", "已解绑", "was unbound" },
    { "refused", "关联被拒绝后独立存在", "stands apart after a refused link" },
    { "rules", "因规则变更而调整", "was placed by a change of rules" },
    { "review", "经人工审核", "was placed by review" },
};
static const struct {
    const char *cause, *zh, *en;
} merge_words[] = {
    { "identifier", "共有强标识", "share strong identifiers" },
    { "login", "匿名访客登录", "an unknown visitor signed in" },
    { "manual", "人工合并", "were joined by hand" },
    { "review", "审核后合并", "were joined by review" },
    { "rules", "规则变更后合并", "were joined by a change of rules" },
};

static str shown(struct request *request, const struct identity_row_view *row, bool reveal)
{
    return mask_identifier(request->server->keys, &request->arena, row->type, row->value, reveal);
}

static const struct identity_row_view *row_of(const struct customer_view *view, uint32_t number)
{
    for (size_t i = 0; i < view->row_count; i++)
        if (view->rows[i].row == number)
            return &view->rows[i];
    return NULL;
}

static void write_sentence(struct request *request, struct json_writer *writer, const char *zh_day,
                           str zh, str en)
{
    str text;
    json_begin_object(writer);
    if (arena_printf(&request->arena, &text, "%s " STR_FMT, zh_day, STR_ARG(zh)) == ERR_OK)
        json_member_text(writer, STR("zh"), text);
    if (arena_printf(&request->arena, &text, "%s: " STR_FMT, zh_day, STR_ARG(en)) == ERR_OK)
        json_member_text(writer, STR("en"), text);
    json_end_object(writer);
}

/* The day in the workspace's zone. */
static void day_text(int64_t at_ms, char out[TIME_TEXT_BYTES])
{
    time_format_utc(at_ms + 8 * HOUR_MS, out);
    out[10] = '\0';
}

static str words(struct request *request, const char *format, str other)
{
    str text = STR_NONE;
    str pattern = str_from_c(format);
    size_t at = str_find_byte(pattern, '%');
    if (at == pattern.size)
        return pattern;
    str head = str_slice(pattern, 0, at), tail = str_slice(pattern, at + 2, pattern.size);
    if (arena_printf(&request->arena, &text, STR_FMT STR_FMT STR_FMT, STR_ARG(head), STR_ARG(other),
                     STR_ARG(tail)) != ERR_OK)
        return STR_NONE;
    return text;
}

static void explain_link(struct request *request, struct json_writer *writer,
                         const struct customer_view *view, const struct identity_link *link,
                         bool reveal)
{
    const struct identity_row_view *row = row_of(view, link->row);
    const struct identity_row_view *with = row_of(view, link->with_row);
    str other = with != NULL ? shown(request, with, reveal) : STR("…");
    str source = answer_source_key(request, link->source_number), zh, en;
    char day[TIME_TEXT_BYTES];
    for (size_t i = 0; row != NULL && i < sizeof(link_words) / sizeof(link_words[0]); i++) {
        if (!str_equal(link->cause, str_from_c(link_words[i].cause)))
            continue;
        str value = shown(request, row, reveal);
        str why_zh = words(request, link_words[i].zh, other);
        str why_en = words(request, link_words[i].en, other);
        day_text(link->at_ms, day);
        if (arena_printf(&request->arena, &zh, STR_FMT " " STR_FMT " " STR_FMT "(来源 " STR_FMT ")",
                         STR_ARG(row->type), STR_ARG(value), STR_ARG(why_zh),
                         STR_ARG(source)) == ERR_OK &&
            arena_printf(
                &request->arena, &en, STR_FMT " " STR_FMT " " STR_FMT " (source " STR_FMT ")",
                STR_ARG(row->type), STR_ARG(value), STR_ARG(why_en), STR_ARG(source)) == ERR_OK)
            write_sentence(request, writer, day, zh, en);
    }
}

static void explain_merge(struct request *request, struct json_writer *writer,
                          const struct merge_row *merge)
{
    str survivor = answer_one_id(request, merge->survivor), zh, en;
    str absorbed = answer_one_id(request, merge->absorbed);
    char day[TIME_TEXT_BYTES];
    day_text(merge->at_ms, day);
    for (size_t i = 0; i < sizeof(merge_words) / sizeof(merge_words[0]); i++)
        if (str_equal(merge->cause, str_from_c(merge_words[i].cause)) &&
            arena_printf(&request->arena, &zh, STR_FMT " 并入 " STR_FMT ":%s%s", STR_ARG(absorbed),
                         STR_ARG(survivor), merge_words[i].zh,
                         merge->undone_ms != 0 ? "(已拆分)" : "") == ERR_OK &&
            arena_printf(&request->arena, &en, STR_FMT " joined " STR_FMT ": they %s%s",
                         STR_ARG(absorbed), STR_ARG(survivor), merge_words[i].en,
                         merge->undone_ms != 0 ? " (split again)" : "") == ERR_OK)
            write_sentence(request, writer, day, zh, en);
}

static void write_explained(struct request *request, struct json_writer *writer,
                            const struct customer_view *view, const struct link_row *links,
                            size_t count, bool reveal)
{
    json_put_key(writer, STR("identifiers"));
    json_begin_array(writer);
    for (size_t i = 0; i < count; i++) {
        const struct identity_link *link = &links[i].link;
        const struct identity_row_view *row = row_of(view, link->row);
        if (row == NULL || (i + 1 < count && links[i + 1].link.row == link->row))
            continue;
        json_begin_object(writer);
        json_member_text(writer, STR("type"), row->type);
        json_member_text(writer, STR("value"), shown(request, row, reveal));
        json_member_time(writer, STR("since"), link->at_ms);
        json_member_text(writer, STR("why"), link->cause);
        json_member_text(writer, STR("source"), answer_source_key(request, link->source_number));
        json_end_object(writer);
    }
    json_end_array(writer);
}

struct explanation {
    struct customer_view view;
    struct merge_row *merges;
    struct refusal_row *refusals;
    struct link_row *links;
    size_t merge_count, refusal_count, link_count;
};

static err write_explanation(struct request *request, const struct explanation *all, bool reveal,
                             struct problem *problem)
{
    struct json_writer writer;
    json_writer_init(&writer, &request->out);
    json_begin_object(&writer);
    json_member_text(&writer, STR("one_id"), answer_one_id(request, all->view.root));
    json_put_key(&writer, STR("sentences"));
    json_begin_array(&writer);
    for (size_t i = 0; i < all->link_count; i++)
        explain_link(request, &writer, &all->view, &all->links[i].link, reveal);
    for (size_t i = all->merge_count; i > 0; i--)
        explain_merge(request, &writer, &all->merges[i - 1]);
    json_end_array(&writer);
    write_explained(request, &writer, &all->view, all->links, all->link_count, reveal);
    json_put_key(&writer, STR("merges"));
    json_begin_array(&writer);
    err error =
        story_write_merges(request, &writer, all->merges, all->merge_count, reveal, problem);
    json_end_array(&writer);
    json_put_key(&writer, STR("refusals"));
    json_begin_array(&writer);
    if (error == ERR_OK)
        error = story_write_refusals(request, &writer, all->refusals, all->refusal_count, reveal,
                                     problem);
    json_end_array(&writer);
    json_end_object(&writer);
    return error;
}

err route_customer_explain(struct request *request, struct problem *problem)
{
    struct explanation all = { .merge_count = 0 };
    bool reveal;
    err error = take_customer(request, &all.view, &reveal, problem);
    if (error == ERR_OK && all.view.row_count > STORY_ROWS_MAX)
        all.view.row_count = STORY_ROWS_MAX;
    if (error == ERR_OK)
        error = story_merges(request, all.view.nodes, all.view.node_count, &all.merges,
                             &all.merge_count, problem);
    if (error == ERR_OK)
        error = story_refusals(request, all.view.nodes, all.view.node_count, &all.refusals,
                               &all.refusal_count, problem);
    if (error == ERR_OK)
        error = story_links(request, all.view.rows, all.view.row_count, &all.links, &all.link_count,
                            problem);
    if (error == ERR_OK)
        error = write_explanation(request, &all, reveal, problem);
    return error;
}

/* ---- split and merge ---- */

static err read_numbers(struct request *request, str response, uint32_t *customer, uint32_t *other)
{
    json_value root;
    err error = json_parse(request->scratch, response, &root, NULL);
    if (error != ERR_OK)
        return error;
    *customer = (uint32_t)json_int(json_get(root, STR("customer")), 0);
    *other = (uint32_t)json_int(json_get(root, STR("other")), 0);
    return ERR_OK;
}

static void write_one_id(struct request *request, struct json_writer *writer, uint32_t number)
{
    json_begin_object(writer);
    json_member_text(writer, STR("one_id"), answer_one_id(request, number));
    json_end_object(writer);
}

/* Is this merge one of hers? Guessing ids must not reach other customers. */
static err check_merge(struct request *request, int64_t merge_id, struct problem *problem)
{
    struct customer_view view;
    struct merge_row *rows;
    size_t count;
    bool found = false;
    err error = view_customer(request, request->parameters[0], false, &view, problem);
    if (error == ERR_OK)
        error = story_merges(request, view.nodes, view.node_count, &rows, &count, problem);
    for (size_t i = 0; error == ERR_OK && i < count; i++)
        found = found || rows[i].id == merge_id;
    if (error != ERR_OK || found)
        return error;
    problem_set(problem, ERR_NOT_FOUND, "this customer has no merge %lld", (long long)merge_id);
    return problem_at(problem, ERR_NOT_FOUND, "/merge_id");
}

err route_customer_split(struct request *request, struct problem *problem)
{
    int64_t merge_id = json_int(json_get(request->json, STR("merge_id")), 0);
    uint32_t number, customer, other;
    struct command_body body;
    struct json_writer writer;
    str response;
    if (merge_id < 1) {
        problem_set(problem, ERR_UNPROCESSABLE, "a split needs 'merge_id'");
        return problem_at(problem, ERR_UNPROCESSABLE, "/merge_id");
    }
    err error = view_number(request, request->parameters[0], &number, problem);
    if (error == ERR_OK)
        error = check_merge(request, merge_id, problem);
    if (error != ERR_OK)
        return error;
    command_body_begin(&body);
    json_member_int(&body.writer, STR("customer"), number);
    json_member_int(&body.writer, STR("merge_id"), merge_id);
    error = answer_command(request, "customer.split", command_body_end(&body), &response, problem);
    command_body_deinit(&body);
    if (error == ERR_OK)
        error = read_numbers(request, response, &customer, &other);
    if (error != ERR_OK)
        return error;
    json_writer_init(&writer, &request->out);
    json_begin_object(&writer);
    json_put_key(&writer, STR("customer"));
    write_one_id(request, &writer, customer);
    json_put_key(&writer, STR("other"));
    write_one_id(request, &writer, other);
    json_end_object(&writer);
    return ERR_OK;
}

err route_customer_merge(struct request *request, struct problem *problem)
{
    str other_id = json_text(json_get(request->json, STR("other")));
    uint32_t number, other, unused;
    struct command_body body;
    struct json_writer writer;
    str response;
    err error = view_number(request, request->parameters[0], &number, problem);
    if (error != ERR_OK)
        return error;
    if (!keys_customer(request->server->keys, other_id, &other)) {
        problem_set(problem, ERR_UNPROCESSABLE, "'other' is no customer's one_id");
        return problem_at(problem, ERR_UNPROCESSABLE, "/other");
    }
    command_body_begin(&body);
    json_member_int(&body.writer, STR("customer"), number);
    json_member_int(&body.writer, STR("other"), other);
    error = answer_command(request, "customer.merge", command_body_end(&body), &response, problem);
    command_body_deinit(&body);
    if (error == ERR_OK)
        error = read_numbers(request, response, &number, &unused);
    if (error != ERR_OK)
        return error;
    json_writer_init(&writer, &request->out);
    write_one_id(request, &writer, number);
    return ERR_OK;
}

/* ---- consent ---- */

static bool is_purpose(str purpose)
{
    if (purpose.size == 0 || purpose.size > 40 || purpose.data[0] < 'a' || purpose.data[0] > 'z')
        return false;
    for (size_t i = 0; i < purpose.size; i++) {
        char byte = purpose.data[i];
        if (!((byte >= 'a' && byte <= 'z') || (byte >= '0' && byte <= '9') || byte == '_'))
            return false;
    }
    return true;
}

err route_consent_put(struct request *request, struct problem *problem)
{
    json_value granted = json_get(request->json, STR("granted"));
    str purpose = request->parameters[1];
    struct command_body body;
    struct json_writer writer;
    uint32_t number;
    str response;
    err error = view_number(request, request->parameters[0], &number, problem);
    if (error != ERR_OK)
        return error;
    if (!is_purpose(purpose))
        return problem_set(problem, ERR_UNPROCESSABLE,
                           "a purpose is 1 to 40 of a-z, 0-9 and '_', a letter first");
    if (json_kind(granted) != JSON_BOOL) {
        problem_set(problem, ERR_UNPROCESSABLE, "granted is true or false");
        return problem_at(problem, ERR_UNPROCESSABLE, "/granted");
    }
    command_body_begin(&body);
    json_member_int(&body.writer, STR("customer"), number);
    json_member_text(&body.writer, STR("purpose"), purpose);
    json_member_bool(&body.writer, STR("granted"), json_bool(granted, false));
    json_member_text(&body.writer, STR("evidence"),
                     json_text(json_get(request->json, STR("evidence"))));
    error = answer_command(request, "consent.put", command_body_end(&body), &response, problem);
    command_body_deinit(&body);
    if (error != ERR_OK)
        return error;
    json_writer_init(&writer, &request->out);
    json_begin_object(&writer);
    json_member_text(&writer, STR("purpose"), purpose);
    json_member_text(&writer, STR("state"),
                     json_bool(granted, false) ? STR("granted") : STR("withdrawn"));
    json_member_time(&writer, STR("at"), server_now_ms(request->server));
    json_end_object(&writer);
    return ERR_OK;
}
