/* SPDX-License-Identifier: Apache-2.0 */
/* Why a customer is who she is, in sentences of both languages. */
#include <stdio.h>
#include <string.h>

#include "server/answer.h"
#include "server/labels.h"
#include "server/mask.h"
#include "server/story.h"

#define TYPES_BYTES_MAX (16 * 1024 * 1024)

/* What the sentences are made of. */
struct explanation {
    struct request *request;
    bool reveal;
    json_value types; /* of identifiers, for their labels */
    struct source_set *sources;
    struct customer_view view;
    struct merge_row *merges;
    struct refusal_row *refusals;
    struct link_row *links;
    size_t merge_count, refusal_count, link_count;
};

/* Why an identifier is where it is; `%s` is the other identifier. */
static const struct {
    const char *cause, *zh, *en;
} link_words[] = {
    { "first", "首次出现", "was first seen" },
    { "together", "与 %s 同时出现", "came together with %s" },
    { "claimed", "由公开来源声明", "was claimed by a public source" },
    { "login", "访客登录时带来", "was brought when the visitor signed in" },
    { "moved", "随最近一次登录转移", "moved with the last sign-in" },
    { "taken", "由可信来源确认后归属于此", "was confirmed here by a trusted source" },
    { "dropped", "超出数量上限，作为最旧的一个被移出",
      "was dropped as the oldest beyond the limit" },
    { "shared", "被过多客户共用", "is shared by too many customers" },
    { "blocked", "为占位值或测试值", "is a placeholder or test value" },
    { "unbound", "已解绑", "was unbound" },
    { "refused", "关联被拒绝后独立存在", "stands apart after a refused link" },
    { "rules", "因规则变更而调整", "was placed by a change of rules" },
    { "review", "经人工审核", "was placed by review" },
    { "import", "不靠导入也自行出现，独立成为客户", "came by itself, beside an import" },
    { "undone", "所属导入被撤销", "was let go when its import was undone" },
    { "hand", "由人工添加", "was given by hand" },
};
static const struct {
    const char *cause, *zh, *en;
} merge_words[] = {
    { "identifier", "共有强标识", "share strong identifiers" },
    { "login", "匿名访客登录", "an unknown visitor signed in" },
    { "manual", "人工合并", "were joined by hand" },
    { "review", "审核后合并", "were joined by review" },
    { "rules", "规则变更后合并", "were joined by a change of rules" },
    { "import", "导入的标识又自行出现", "share what an import had brought" },
};

/* "手机号 139****1234" and "Mobile 139****1234". */
static void name_row(const struct explanation *all, const struct identity_row_view *row, str *zh,
                     str *en)
{
    struct arena *arena = &all->request->arena;
    str label_zh, label_en;
    if (row == NULL) {
        *zh = STR("另一标识");
        *en = STR("another identifier");
        return;
    }
    str value =
        mask_identifier(all->request->server->keys, arena, row->type, row->value, all->reveal);
    label_of_type_in(all->types, row->type, &label_zh, &label_en);
    if (arena_printf(arena, zh, STR_FMT " " STR_FMT, STR_ARG(label_zh), STR_ARG(value)) != ERR_OK ||
        arena_printf(arena, en, STR_FMT " " STR_FMT, STR_ARG(label_en), STR_ARG(value)) != ERR_OK)
        *zh = *en = value;
}

static str name_source(const struct explanation *all, uint32_t number)
{
    const struct source *source = source_by_number(all->sources, number);
    if (source == NULL)
        return STR_NONE;
    return source->name.size > 0 ? source->name : source->key;
}

static const struct identity_row_view *row_of(const struct customer_view *view, uint32_t number)
{
    for (size_t i = 0; i < view->row_count; i++)
        if (view->rows[i].row == number)
            return &view->rows[i];
    return NULL;
}

/* The day in the workspace's zone in front: "2026年11月21日，…" and "2026-11-21: …". */
static void write_sentence(const struct explanation *all, struct json_writer *writer, int64_t at_ms,
                           str zh, str en)
{
    char day[ZONE_DAY_BYTES];
    str text;
    zone_format_day(server_zone(all->request->server), at_ms, day);
    str parts = str_from_c(day), year, month;
    (void)str_split(&parts, '-', &year);
    (void)str_split(&parts, '-', &month);
    json_begin_object(writer);
    if (arena_printf(&all->request->arena, &text, STR_FMT "年" STR_FMT "月" STR_FMT "日，" STR_FMT,
                     STR_ARG(year), STR_ARG(month), STR_ARG(parts), STR_ARG(zh)) == ERR_OK)
        json_member_text(writer, STR("zh"), text);
    if (arena_printf(&all->request->arena, &text, "%s: " STR_FMT, day, STR_ARG(en)) == ERR_OK)
        json_member_text(writer, STR("en"), text);
    json_end_object(writer);
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

static void explain_link(const struct explanation *all, struct json_writer *writer,
                         const struct identity_link *link)
{
    const struct identity_row_view *row = row_of(&all->view, link->row);
    struct request *request = all->request;
    str source = name_source(all, link->source_number), zh, en, row_zh, row_en, other_zh, other_en;
    for (size_t i = 0; row != NULL && i < sizeof(link_words) / sizeof(link_words[0]); i++) {
        if (!str_equal(link->cause, str_from_c(link_words[i].cause)))
            continue;
        name_row(all, row, &row_zh, &row_en);
        name_row(all, row_of(&all->view, link->with_row), &other_zh, &other_en);
        str why_zh = words(request, link_words[i].zh, other_zh);
        str why_en = words(request, link_words[i].en, other_en);
        bool known = source.size > 0;
        if (arena_printf(&request->arena, &zh, STR_FMT " " STR_FMT "%s" STR_FMT "%s",
                         STR_ARG(row_zh), STR_ARG(why_zh), known ? "（来源：" : "", STR_ARG(source),
                         known ? "）" : "") == ERR_OK &&
            arena_printf(&request->arena, &en, STR_FMT " " STR_FMT "%s" STR_FMT "%s",
                         STR_ARG(row_en), STR_ARG(why_en), known ? " (source " : "",
                         STR_ARG(source), known ? ")" : "") == ERR_OK)
            write_sentence(all, writer, link->at_ms, zh, en);
    }
}

static void explain_merge(const struct explanation *all, struct json_writer *writer,
                          const struct merge_row *merge)
{
    struct request *request = all->request;
    str survivor = answer_one_id(request, merge->survivor), zh, en;
    str absorbed = answer_one_id(request, merge->absorbed);
    for (size_t i = 0; i < sizeof(merge_words) / sizeof(merge_words[0]); i++)
        if (str_equal(merge->cause, str_from_c(merge_words[i].cause)) &&
            arena_printf(&request->arena, &zh, STR_FMT " 并入 " STR_FMT "：%s%s", STR_ARG(absorbed),
                         STR_ARG(survivor), merge_words[i].zh,
                         merge->undone_ms != 0 ? "（已拆分）" : "") == ERR_OK &&
            arena_printf(&request->arena, &en, STR_FMT " joined " STR_FMT ": they %s%s",
                         STR_ARG(absorbed), STR_ARG(survivor), merge_words[i].en,
                         merge->undone_ms != 0 ? " (split again)" : "") == ERR_OK)
            write_sentence(all, writer, merge->at_ms, zh, en);
}

static void write_explained(const struct explanation *all, struct json_writer *writer)
{
    struct request *request = all->request;
    json_put_key(writer, STR("identifiers"));
    json_begin_array(writer);
    for (size_t i = 0; i < all->link_count; i++) {
        const struct identity_link *link = &all->links[i].link;
        const struct identity_row_view *row = row_of(&all->view, link->row);
        if (row == NULL || (i + 1 < all->link_count && all->links[i + 1].link.row == link->row))
            continue;
        json_begin_object(writer);
        json_member_text(writer, STR("type"), row->type);
        json_member_text(writer, STR("value"),
                         mask_identifier(request->server->keys, &request->arena, row->type,
                                         row->value, all->reveal));
        json_member_time(writer, STR("since"), link->at_ms);
        json_member_text(writer, STR("why"), link->cause);
        json_member_text(writer, STR("source"), answer_source_key(request, link->source_number));
        json_end_object(writer);
    }
    json_end_array(writer);
}

static err write_explanation(const struct explanation *all, struct problem *problem)
{
    struct request *request = all->request;
    struct json_writer writer;
    json_writer_init(&writer, &request->out);
    json_begin_object(&writer);
    json_member_text(&writer, STR("one_id"), answer_one_id(request, all->view.root));
    json_put_key(&writer, STR("sentences"));
    json_begin_array(&writer);
    for (size_t i = 0; i < all->link_count; i++)
        explain_link(all, &writer, &all->links[i].link);
    for (size_t i = all->merge_count; i > 0; i--)
        explain_merge(all, &writer, &all->merges[i - 1]);
    json_end_array(&writer);
    write_explained(all, &writer);
    json_put_key(&writer, STR("merges"));
    json_begin_array(&writer);
    err error =
        story_write_merges(request, &writer, all->merges, all->merge_count, all->reveal, problem);
    json_end_array(&writer);
    json_put_key(&writer, STR("refusals"));
    json_begin_array(&writer);
    if (error == ERR_OK)
        error = story_write_refusals(request, &writer, all->refusals, all->refusal_count,
                                     all->reveal, problem);
    json_end_array(&writer);
    json_end_object(&writer);
    return error;
}

/* ---- gathering ---- */

static void write_types(const struct engine_state *state, struct engine_question *question)
{
    identity_write_types(state->identity, question->context);
}

/* The labels of types, as the engine has them; they live in the body's parser, which has no other use here. */
static err take_types(struct explanation *all, struct problem *problem)
{
    struct buffer text;
    buffer_init(&text, TYPES_BYTES_MAX);
    err error = view_ask(all->request, write_types, &text, problem);
    if (error == ERR_OK)
        error = buffer_status(&text);
    if (error == ERR_OK)
        error = json_parse(all->request->parser, buffer_str(&text), &all->types, problem);
    buffer_deinit(&text);
    return error;
}

static err gather(struct explanation *all, struct problem *problem)
{
    struct request *request = all->request;
    struct customer_view *view = &all->view;
    err error = view_customer(request, request->parameters[0], false, view, problem);
    if (error == ERR_OK)
        error = auth_reveal(request, request->parameters[0], &all->reveal, problem);
    if (error == ERR_OK)
        error = take_types(all, problem);
    if (error == ERR_OK && view->row_count > STORY_ROWS_MAX)
        view->row_count = STORY_ROWS_MAX;
    if (error == ERR_OK)
        error = story_merges(request, view->nodes, view->node_count, &all->merges,
                             &all->merge_count, problem);
    if (error == ERR_OK)
        error = story_refusals(request, view->nodes, view->node_count, &all->refusals,
                               &all->refusal_count, problem);
    if (request->scope != NULL)
        all->refusal_count = 0; /* they tell of others */
    if (error == ERR_OK)
        error = story_links(request, view->rows, view->row_count, &all->links, &all->link_count,
                            problem);
    return error;
}

err route_customer_explain(struct request *request, struct problem *problem)
{
    struct explanation all = { .request = request };
    err error = gather(&all, problem);
    if (error != ERR_OK)
        return error;
    all.sources = engine_sources(request->server->engine);
    error = write_explanation(&all, problem);
    source_set_release(&all.sources);
    return error;
}
