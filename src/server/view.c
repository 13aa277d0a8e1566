/* SPDX-License-Identifier: Apache-2.0 */
/* A customer as she is at one moment: taken from the engine, completed from the ledger, written. */
#include "server/view.h"

#include <stdlib.h>
#include <string.h>

#include "event/normalise.h"
#include "server/answer.h"
#include "server/mask.h"

void view_init(struct customer_view *view, bool wants_facts)
{
    *view = (struct customer_view){ .wants_facts = wants_facts };
    buffer_init(&view->facts, VIEW_FACTS_BYTES_MAX);
}

void view_deinit(struct customer_view *view)
{
    buffer_deinit(&view->facts);
}

/* ---- on the engine's thread ---- */

void view_take_row(const struct engine_state *state, struct request *request, uint32_t row,
                   struct identity_row_view *out)
{
    struct identity_row_view pending;
    *out = (struct identity_row_view){ .row = 0 };
    if (!identity_row_state(state->identity, row, out))
        return;
    out->value = STR_NONE;
    if (!identity_pending_row(state->identity, row, &pending))
        return;
    out->source_number = pending.source_number;
    out->first_seen_ms = pending.first_seen_ms;
    /* The row may be committed, and its text freed, before it is written. */
    if (arena_dup(&request->arena, pending.value, &out->value) != ERR_OK)
        out->value = STR_NONE;
}

static err take_numbers(const struct engine_state *state, struct request *request, uint32_t node,
                        struct customer_view *view)
{
    uint32_t first[16];
    size_t count = identity_nodes(state->identity, node, first, 16);
    size_t kept = count < VIEW_NODES_MAX ? count : VIEW_NODES_MAX;
    view->nodes = arena_array(&request->arena, uint32_t, kept);
    if (view->nodes == NULL)
        return ERR_NOMEM;
    if (count <= 16)
        memcpy(view->nodes, first, count * sizeof(*first));
    else
        identity_nodes(state->identity, node, view->nodes, kept);
    view->node_count = kept;
    return ERR_OK;
}

static err take_rows(const struct engine_state *state, struct request *request, uint32_t node,
                     struct customer_view *view)
{
    uint32_t few[64], *numbers = few;
    size_t count = identity_rows(state->identity, node, few, 64);
    if (count > VIEW_ROWS_MAX)
        count = VIEW_ROWS_MAX;
    if (count > 64) {
        numbers = arena_array(&request->arena, uint32_t, count);
        if (numbers == NULL)
            return ERR_NOMEM;
        identity_rows(state->identity, node, numbers, count);
    }
    view->rows = arena_array(&request->arena, struct identity_row_view, count + 1);
    if (view->rows == NULL)
        return ERR_NOMEM;
    for (size_t i = 0; i < count; i++)
        view_take_row(state, request, numbers[i], &view->rows[i]);
    view->row_count = count;
    return ERR_OK;
}

void view_take(const struct engine_state *state, struct request *request, uint32_t node,
               struct customer_view *view)
{
    struct json_writer writer;
    view->root = identity_root(state->identity, node);
    view->as_of_ms = state->now_ms;
    if (view->root == 0)
        return;
    view->error = take_numbers(state, request, node, view);
    if (view->error == ERR_OK)
        view->error = take_rows(state, request, node, view);
    if (view->error != ERR_OK || !view->wants_facts)
        return;
    json_writer_init(&writer, &view->facts);
    json_begin_object(&writer);
    profile_write(state->profile, view->nodes, view->node_count, true, &writer);
    json_end_object(&writer);
    view->error = buffer_status(&view->facts);
}

/* ---- from the ledger ---- */

struct values_of {
    struct request *request;
    struct identity_row_view *rows;
    size_t count, next;
    bool nomem;
};

/* Rows come in the order in which they were asked for; those in between are not in the ledger. */
static bool take_value(void *context, const struct identity_row_view *read)
{
    struct values_of *of = context;
    while (of->next < of->count &&
           (of->rows[of->next].row != read->row || of->rows[of->next].value.data != NULL))
        of->next++;
    if (of->next == of->count)
        return false;
    struct identity_row_view *row = &of->rows[of->next++];
    of->nomem = arena_dup(&of->request->arena, read->value, &row->value) != ERR_OK;
    row->source_number = read->source_number;
    row->first_seen_ms = read->first_seen_ms;
    return !of->nomem;
}

err view_values(struct request *request, struct identity_row_view *rows, size_t count,
                struct problem *problem)
{
    struct server *server = request->server;
    struct values_of of = { .request = request, .rows = rows, .count = count };
    uint32_t few[64], *numbers = few;
    size_t missing = 0;
    if (count > 64) {
        numbers = arena_array(&request->arena, uint32_t, count);
        if (numbers == NULL)
            return ERR_NOMEM;
    }
    for (size_t i = 0; i < count; i++)
        if (rows[i].row != 0 && rows[i].value.data == NULL)
            numbers[missing++] = rows[i].row;
    if (missing == 0)
        return ERR_OK;
    err error = identity_read_rows(server->identity, engine_ledger(server->engine), numbers,
                                   missing, take_value, &of, problem);
    return error == ERR_OK && of.nomem ? ERR_NOMEM : error;
}

/* ---- both, waiting ---- */

err view_ask(struct request *request,
             void (*ask)(const struct engine_state *state, struct engine_question *question),
             void *context, struct problem *problem)
{
    struct engine_question question = { .ask = ask, .context = context };
    err error = engine_ask_wait(request->server->engine, &question);
    if (error != ERR_OK)
        problem_set(problem, error, "the engine cannot be asked now");
    return error;
}

err view_number(struct request *request, str one_id, uint32_t *number, struct problem *problem)
{
    if (keys_customer(request->server->keys, one_id, number))
        return ERR_OK;
    return problem_set(problem, ERR_NOT_FOUND, "there is no customer '%.*s'",
                       (int)str_utf8_prefix_bytes(one_id, 40), one_id.data);
}

struct ask_customer {
    struct request *request;
    struct customer_view *view;
    uint32_t number;
};

static void take_customer(const struct engine_state *state, struct engine_question *question)
{
    struct ask_customer *ask = question->context;
    view_take(state, ask->request, ask->number, ask->view);
}

err view_customer(struct request *request, str one_id, bool wants_facts, struct customer_view *view,
                  struct problem *problem)
{
    struct ask_customer ask = { .request = request, .view = view };
    view_init(view, wants_facts);
    err error = view_number(request, one_id, &ask.number, problem);
    if (error == ERR_OK)
        error = view_ask(request, take_customer, &ask, problem);
    if (error == ERR_OK)
        error = view->error;
    if (error == ERR_OK && view->root == 0)
        error = problem_set(problem, ERR_NOT_FOUND, "there is no customer '" STR_FMT "'",
                            STR_ARG(one_id));
    if (error == ERR_OK)
        error = view_values(request, view->rows, view->row_count, problem);
    return error;
}

struct ask_rows {
    struct request *request;
    const uint32_t *numbers;
    size_t count;
    struct identity_row_view *rows;
};

static void take_some_rows(const struct engine_state *state, struct engine_question *question)
{
    struct ask_rows *ask = question->context;
    for (size_t i = 0; i < ask->count; i++)
        view_take_row(state, ask->request, ask->numbers[i], &ask->rows[i]);
}

err view_rows(struct request *request, const uint32_t *numbers, size_t count,
              struct identity_row_view *rows, struct problem *problem)
{
    struct ask_rows ask = { .request = request, .numbers = numbers, .count = count, .rows = rows };
    err error = view_ask(request, take_some_rows, &ask, problem);
    return error == ERR_OK ? view_values(request, rows, count, problem) : error;
}

/* ---- writing ---- */

static int compare_rows(const void *a, const void *b)
{
    const struct identity_row_view *one = a, *other = b;
    int one_rank = identifier_rank(one->type), other_rank = identifier_rank(other->type);
    if (one_rank != other_rank)
        return one_rank < other_rank ? -1 : 1;
    if (one->first_seen_ms != other->first_seen_ms)
        return one->first_seen_ms < other->first_seen_ms ? -1 : 1;
    return one->row < other->row ? -1 : one->row > other->row;
}

void view_sort(struct identity_row_view *rows, size_t count)
{
    if (count > 1)
        qsort(rows, count, sizeof(*rows), compare_rows);
}

static void write_value(struct request *request, struct json_writer *writer,
                        const struct identity_row_view *row, bool reveal)
{
    json_member_text(writer, STR("type"), row->type);
    json_member_text(
        writer, STR("value"),
        mask_identifier(request->server->keys, &request->arena, row->type, row->value, reveal));
}

void view_write_short(struct request *request, struct json_writer *writer,
                      const struct identity_row_view *row, bool reveal)
{
    if (row->row == 0) {
        json_put_null(writer);
        return;
    }
    json_begin_object(writer);
    write_value(request, writer, row, reveal);
    json_end_object(writer);
}

static void write_identifier(struct request *request, struct json_writer *writer,
                             const struct identity_row_view *row, const struct source_set *sources,
                             bool reveal)
{
    char node[ONE_ID_BYTES + 1];
    const struct source *source = source_by_number(sources, row->source_number);
    keys_one_id(request->server->keys, row->node, node);
    json_begin_object(writer);
    write_value(request, writer, row, reveal);
    json_member_text(writer, STR("namespace"), row->namespace_);
    json_member_bool(writer, STR("verified"), (row->flags & IDENTIFIER_VERIFIED) != 0);
    json_member_text(writer, STR("source"), source != NULL ? source->key : STR_NONE);
    json_member_time(writer, STR("first_seen"), row->first_seen_ms);
    json_member_time(writer, STR("last_seen"),
                     row->last_seen_ms > row->first_seen_ms ? row->last_seen_ms
                                                            : row->first_seen_ms);
    json_member_text(writer, STR("node"), str_from_c(node));
    json_member_int(writer, STR("row"), row->row);
    json_end_object(writer);
}

int64_t view_created_ms(const struct customer_view *view)
{
    int64_t created_ms = 0;
    for (size_t i = 0; i < view->row_count; i++) {
        const struct identity_row_view *row = &view->rows[i];
        if (row->first_seen_ms != 0 && (created_ms == 0 || row->first_seen_ms < created_ms))
            created_ms = row->first_seen_ms;
    }
    return created_ms;
}

static str trait_text(struct request *request, json_value traits, str name, bool reveal)
{
    json_value value = json_get(traits, name);
    str text = json_text(value);
    if (text.size > 0)
        return text;
    str sealed = json_text(json_get(value, STR("$sealed")));
    return sealed.size > 0
               ? mask_identifier(request->server->keys, &request->arena, name, sealed, reveal)
               : STR_NONE;
}

str view_name(struct request *request, json_value facts, bool reveal)
{
    const str whole[] = { STR("name"),     STR("$name"),    STR("realName"),
                          STR("nickname"), STR("nickName"), STR("username") };
    json_value traits = json_get(facts, STR("traits"));
    for (size_t i = 0; i < sizeof(whole) / sizeof(whole[0]); i++) {
        str name = trait_text(request, traits, whole[i], reveal);
        if (name.size > 0)
            return name;
    }
    str first = trait_text(request, traits, STR("firstName"), reveal);
    str last = trait_text(request, traits, STR("lastName"), reveal), name = STR_NONE;
    /* Chinese names begin with the family and have no space. */
    bool chinese = last.size > 0 && ((uint8_t)last.data[0] & 0x80) != 0;
    if (first.size + last.size > 0 &&
        arena_printf(&request->arena, &name, STR_FMT "%s" STR_FMT, STR_ARG(chinese ? last : first),
                     chinese || first.size == 0 || last.size == 0 ? "" : " ",
                     STR_ARG(chinese ? first : last)) != ERR_OK)
        return STR_NONE;
    return name;
}

str view_name_of(struct request *request, uint32_t number)
{
    struct customer_view view;
    struct problem problem;
    struct ask_customer ask = { .request = request, .view = &view, .number = number };
    json_value facts;
    str name = STR_NONE, kept = STR_NONE;
    view_init(&view, true);
    if (view_ask(request, take_customer, &ask, &problem) == ERR_OK && view.root != 0 &&
        view.error == ERR_OK &&
        json_parse(request->scratch, buffer_str(&view.facts), &facts, NULL) == ERR_OK)
        name = view_name(request, facts, false);
    if (arena_dup(&request->arena, name, &kept) != ERR_OK)
        kept = STR_NONE;
    view_deinit(&view);
    return kept;
}

/* A member of the facts, with what is sealed in it made readable; `otherwise` when it is missing. */
static void copy_fact(struct request *request, struct json_writer *writer, json_value facts,
                      str name, bool reveal, str otherwise)
{
    json_value value = json_get(facts, name);
    struct buffer text;
    if (json_kind(value) == JSON_MISSING) {
        json_member_raw(writer, name, otherwise);
        return;
    }
    buffer_init(&text, VIEW_FACTS_BYTES_MAX);
    mask_write_json(request->server->keys, &request->arena, STR_NONE, value, reveal, &text);
    json_member_raw(writer, name, buffer_str(&text));
    buffer_deinit(&text);
}

/* {"source":3, …} becomes {"source":"tmall", …}: the profile knows sources by number. */
static void write_with_source(struct json_writer *writer, json_value value,
                              const struct source_set *sources)
{
    struct json_iterator iterator = json_iterate(value);
    struct buffer text;
    str key;
    json_value member;
    json_begin_object(writer);
    while (json_next(&iterator, &key, &member)) {
        if (str_equal(key, STR("source")) && json_kind(member) == JSON_INT) {
            const struct source *source = source_by_number(sources, (uint32_t)json_int(member, 0));
            json_member_text(writer, key, source != NULL ? source->key : STR_NONE);
            continue;
        }
        buffer_init(&text, VIEW_FACTS_BYTES_MAX);
        json_write_value(&text, member);
        json_member_raw(writer, key, buffer_str(&text));
        buffer_deinit(&text);
    }
    json_end_object(writer);
}

static void copy_with_sources(struct json_writer *writer, json_value facts, str name,
                              const struct source_set *sources)
{
    struct json_iterator iterator = json_iterate(json_get(facts, name));
    str key;
    json_value member;
    json_put_key(writer, name);
    json_begin_object(writer);
    while (json_next(&iterator, &key, &member)) {
        json_put_key(writer, key);
        write_with_source(writer, member, sources);
    }
    json_end_object(writer);
}

err view_write(struct request *request, struct customer_view *view, bool reveal,
               struct problem *problem)
{
    struct json_writer writer;
    json_value facts;
    char one_id[ONE_ID_BYTES + 1];
    err error = json_parse(request->scratch, buffer_str(&view->facts), &facts, problem);
    if (error != ERR_OK)
        return problem_set(problem, ERR_INTERNAL, "the profile cannot be read");
    struct source_set *sources = engine_sources(request->server->engine);
    view_sort(view->rows, view->row_count);
    keys_one_id(request->server->keys, view->root, one_id);
    json_writer_init(&writer, &request->out);
    json_begin_object(&writer);
    json_member_text(&writer, STR("one_id"), str_from_c(one_id));
    json_member_time(&writer, STR("created_at"), view_created_ms(view));
    json_member_text(&writer, STR("name"), view_name(request, facts, reveal));
    json_put_key(&writer, STR("identifiers"));
    json_begin_array(&writer);
    for (size_t i = 0; i < view->row_count; i++)
        write_identifier(request, &writer, &view->rows[i], sources, reveal);
    json_end_array(&writer);
    copy_fact(request, &writer, facts, STR("traits"), reveal, STR("{}"));
    copy_with_sources(&writer, facts, STR("trait_origins"), sources);
    json_member_raw(&writer, STR("tags"), STR("{}"));
    json_member_raw(&writer, STR("segments"), STR("[]"));
    copy_with_sources(&writer, facts, STR("consent"), sources);
    copy_fact(request, &writer, facts, STR("summary"), reveal, STR("{}"));
    json_member_time(&writer, STR("as_of"), view->as_of_ms);
    json_end_object(&writer);
    source_set_release(&sources);
    return ERR_OK;
}
