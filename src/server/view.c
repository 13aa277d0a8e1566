/* SPDX-License-Identifier: Apache-2.0 */
/* A customer as she is at one moment: taken from the engine, completed from the ledger. view_write.c writes her. */
#include "server/view.h"

#include <stdlib.h>
#include <string.h>

#include "engine/children.h"
#include "event/normalise.h"
#include "server/answer.h"
#include "server/mask.h"
#include "server/scope/scope.h"
#include "server/values.h"

void view_init(struct customer_view *view, bool wants_facts)
{
    *view = (struct customer_view){ .wants_facts = wants_facts };
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

static err take_audience(const struct engine_state *state, struct request *request,
                         struct customer_view *view)
{
    struct json_writer writer;
    struct buffer text;
    buffer_init(&text, (size_t)1 << 20);
    json_writer_init(&writer, &text);
    json_begin_object(&writer);
    err error = audience_write_customer(state->audience, view->root, &writer);
    json_end_object(&writer);
    if (error == ERR_OK)
        error = buffer_status(&text);
    if (error == ERR_OK)
        error = arena_dup(&request->arena, str_slice(buffer_str(&text), 1, text.size - 1),
                          &view->audience);
    buffer_deinit(&text);
    return error;
}

/* What a source that she does not see has told is not known to her. */
static void leave_seen_traits(const struct request *request, struct profile_view *facts)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; request->scope != NULL && i < facts->trait_count; i++)
        if (scope_sees_source(request->scope, facts->traits[i].source))
            facts->traits[kept++] = facts->traits[i];
    if (request->scope != NULL)
        facts->trait_count = kept;
}

/* ---- children ---- */

static bool is_personal_trait(const struct profile_trait_view *trait)
{
    static const char *const names[] = { "name",      "$name",     "nickname",   "nickName",
                                         "username",  "firstName", "first_name", "lastName",
                                         "last_name", "realName",  "real_name",  "fullName",
                                         "full_name", "avatar",    "birthday",   "birth_date" };
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (str_equal(trait->name, str_from_c(names[i])))
            return true;
    return str_contains(trait->json, STR("\"$sealed\""));
}

static void leave_out_personal(struct profile_view *facts)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < facts->trait_count; i++)
        if (!is_personal_trait(&facts->traits[i]))
            facts->traits[kept++] = facts->traits[i];
    facts->trait_count = kept;
}

void view_hide_child(struct customer_view *view)
{
    for (size_t i = 0; view->is_child && i < view->row_count; i++) {
        struct identity_row_view *row = &view->rows[i];
        if ((row->flags & IDENTIFIER_SEALED) == 0)
            continue;
        row->value = STR("***");
        row->flags |= VIEW_ROW_SHOWN;
    }
}

/* Of her own file nothing is left out (package.c): it is hers, and of who has care of her. */
static bool is_her_file(const struct request *request)
{
    return str_ends_with(request->path, STR("/package"));
}

void view_take(const struct engine_state *state, struct request *request, uint32_t node,
               struct customer_view *view)
{
    view->root = identity_root(state->identity, node);
    if (request->scope != NULL && !scope_sees_now(request->scope, state, node))
        view->root = 0;
    view->as_of_ms = state->now_ms;
    view->moment = values_moment(request->server->values);
    if (view->root == 0)
        return;
    view->error = take_numbers(state, request, node, view);
    if (view->error == ERR_OK)
        view->error = take_rows(state, request, node, view);
    if (view->error == ERR_OK && view->wants_facts)
        view->error = profile_view_take(state->profile, view->nodes, view->node_count,
                                        &request->arena, &view->facts);
    if (view->error == ERR_OK && view->wants_facts)
        leave_seen_traits(request, &view->facts);
    view->is_child = view->error == ERR_OK && !is_her_file(request) &&
                     engine_keeps_child(request->server->engine, view->nodes, view->node_count);
    if (view->is_child && view->wants_facts)
        leave_out_personal(&view->facts);
    if (view->error == ERR_OK && view->wants_facts)
        view->error = take_audience(state, request, view);
}

/* ---- from the ledger ---- */

struct values_of {
    struct request *request;
    struct identity_row_view *rows;
    size_t count, next;
    bool nomem;
};

static bool is_missing(const struct identity_row_view *row)
{
    return row->row != 0 && row->value.data == NULL;
}

/* Rows come in the order in which they were asked for; those in between are not in the ledger, or were
 * a digest when they were born and are not any more. */
static bool take_value(void *context, const struct identity_row_view *read)
{
    struct values_of *of = context;
    while (of->next < of->count &&
           (of->rows[of->next].row != read->row || !is_missing(&of->rows[of->next])))
        of->next++;
    if (of->next == of->count)
        return false;
    struct identity_row_view *row = &of->rows[of->next++];
    if ((read->flags & IDENTIFIER_HASHED) != (row->flags & IDENTIFIER_HASHED))
        return true;
    of->nomem = arena_dup(&of->request->arena, read->value, &row->value) != ERR_OK;
    row->source_number = read->source_number;
    row->first_seen_ms = read->first_seen_ms;
    return !of->nomem;
}

/* What the ledger says by now, whatever the state said. */
static bool take_whole(void *context, const struct identity_row_view *read)
{
    struct values_of *of = context;
    struct identity_row_view *row = &of->rows[of->next];
    of->nomem = arena_dup(&of->request->arena, read->value, &row->value) != ERR_OK;
    row->source_number = read->source_number;
    row->first_seen_ms = read->first_seen_ms;
    return false;
}

static err find_missing(struct request *request, const struct identity_row_view *rows, size_t count,
                        uint32_t **numbers, size_t *missing)
{
    *missing = 0;
    for (size_t i = 0; i < count; i++)
        *missing += is_missing(&rows[i]);
    if (*missing == 0)
        return ERR_OK;
    *numbers = arena_array(&request->arena, uint32_t, *missing);
    if (*numbers == NULL)
        return ERR_NOMEM;
    *missing = 0;
    for (size_t i = 0; i < count; i++)
        if (is_missing(&rows[i]))
            (*numbers)[(*missing)++] = rows[i].row;
    return ERR_OK;
}

/* Identifiers that came by a source that she does not see become none (row 0). */
static void leave_seen_rows(const struct request *request, struct identity_row_view *rows,
                            size_t count)
{
    for (size_t i = 0; request->scope != NULL && i < count; i++)
        if (rows[i].row != 0 && !scope_sees_source(request->scope, rows[i].source_number))
            rows[i] = (struct identity_row_view){ .row = 0 };
}

static err read_values(struct request *request, struct identity_row_view *rows, size_t count,
                       struct problem *problem)
{
    struct server *server = request->server;
    struct ledger *ledger = engine_ledger(server->engine);
    struct values_of of = { .request = request, .rows = rows, .count = count };
    uint32_t *numbers;
    size_t missing;
    err error = find_missing(request, rows, count, &numbers, &missing);
    if (error != ERR_OK || missing == 0)
        return error;
    error =
        identity_read_births(server->identity, ledger, numbers, missing, take_value, &of, problem);
    for (of.next = 0; of.next < count && error == ERR_OK && !of.nomem; of.next++)
        if (is_missing(&rows[of.next]))
            error = identity_read_rows(server->identity, ledger, &rows[of.next].row, 1, take_whole,
                                       &of, problem);
    return error == ERR_OK && of.nomem ? ERR_NOMEM : error;
}

err view_values(struct request *request, struct identity_row_view *rows, size_t count,
                struct problem *problem)
{
    err error = read_values(request, rows, count, problem);
    leave_seen_rows(request, rows, count);
    return error;
}

err view_shown(struct request *request, struct customer_view *view, struct problem *problem)
{
    struct server *server = request->server;
    struct identity_row_view *rows = view->rows;
    size_t count = view->row_count;
    for (size_t i = 0; i < count; i++)
        if (is_missing(&rows[i]) && values_find(server->values, &request->arena, &rows[i]))
            rows[i].flags |= VIEW_ROW_SHOWN;
    err error = view_values(request, rows, count, problem);
    for (size_t i = 0; i < count && error == ERR_OK; i++) {
        struct identity_row_view *row = &rows[i];
        if ((row->flags & VIEW_ROW_SHOWN) != 0 || row->row == 0)
            continue;
        row->value = mask_identifier(server->keys, &request->arena, row->type, row->value, false);
        row->flags |= VIEW_ROW_SHOWN;
        values_keep(server->values, row, view->moment);
    }
    return error;
}

/* ---- both, waiting ---- */

/* A question of who sees a part: through the lens. */
struct looking {
    struct engine_question question; /* first: what `ask` is given is this */
    struct request *request;
    void (*ask)(const struct engine_state *state, struct engine_question *question);
};

static void look(const struct engine_state *state, struct engine_question *question)
{
    struct looking *looking = (struct looking *)question;
    scope_look(looking->request, state);
    looking->ask(state, question);
    scope_look_away(state);
}

err view_ask(struct request *request,
             void (*ask)(const struct engine_state *state, struct engine_question *question),
             void *context, struct problem *problem)
{
    struct looking looking = { .question = { .ask = look, .context = context },
                               .request = request,
                               .ask = ask };
    struct engine_question *question = &looking.question;
    if (request->scope == NULL)
        question->ask = ask;
    if (engine_ask_here(request->server->engine, question))
        return ERR_OK;
    err error = engine_ask_wait(request->server->engine, question);
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
    view_hide_child(view);
    if (request->scope != NULL)
        view_leave_seen(view);
    return error;
}

str view_name_of(struct request *request, uint32_t number)
{
    struct customer_view view;
    struct problem problem;
    struct ask_customer ask = { .request = request, .view = &view, .number = number };
    view_init(&view, true);
    if (view_ask(request, take_customer, &ask, &problem) != ERR_OK || view.root == 0 ||
        view.error != ERR_OK)
        return STR_NONE;
    return view_name(request, &view.facts, false);
}

void view_leave_seen(struct customer_view *view)
{
    size_t kept = 0, nodes = 0;
    for (size_t i = 0; i < view->row_count; i++)
        if (view->rows[i].row != 0)
            view->rows[kept++] = view->rows[i];
    view->row_count = kept;
    for (size_t i = 0; i < view->node_count; i++) {
        bool is_known = view->nodes[i] == view->root;
        for (size_t k = 0; !is_known && k < kept; k++)
            is_known = view->rows[k].node == view->nodes[i];
        if (is_known)
            view->nodes[nodes++] = view->nodes[i];
    }
    view->node_count = nodes;
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
