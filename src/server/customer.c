/* SPDX-License-Identifier: Apache-2.0 */
/* The hot reads: a customer by identifier or one_id, without blocking a thread.
 *
 * On the connection's thread the value becomes a hash. While the engine sleeps, the same thread looks it up
 * and copies what is known (engine_ask_here); else the connection is suspended and the engine does it
 * between two records. Then the connection's thread reads the identifiers' values and writes. With
 * `reveal` there is an audit line to commit first: a worker does it all, and waits.
 */
#include "event/normalise.h"
#include "server/answer.h"
#include "server/scope/scope.h"
#include "server/view.h"

struct customer_question {
    struct engine_question question;
    struct request *request;
    uint8_t hash[HASH_BYTES];
    bool by_hash, reveal;
    uint32_t number;
    struct customer_view view;
};

static void ask_engine(const struct engine_state *state, struct engine_question *asked)
{
    struct customer_question *question = asked->context;
    uint32_t node = question->number;
    scope_look(question->request, state);
    if (question->by_hash)
        node =
            identity_row_node(state->identity, identity_find_row(state->identity, question->hash));
    if (node != 0)
        view_take(state, question->request, node, &question->view);
    if (question->request->scope != NULL)
        scope_look_away(state);
    question->view.as_of_ms = state->now_ms;
    const struct server *server = question->request->server;
    if (state->applied_seq >= log_last_seq(engine_log(server->engine)) &&
        !engine_follows(server->engine))
        question->view.as_of_ms = server_now_ms(question->request->server);
}

static void answered(struct engine_question *asked)
{
    struct customer_question *question = asked->context;
    http_resume(question->request);
}

static err write_answer(struct request *request, struct problem *problem)
{
    struct customer_question *question = request->question;
    struct customer_view *view = &question->view;
    if (view->error != ERR_OK)
        return view->error;
    if (view->root == 0 && request->scope != NULL) /* as if it were not there, and told */
        return scope_refuse_customer(request, request->parameters[question->by_hash], problem);
    if (view->root == 0)
        return problem_set(problem, ERR_NOT_FOUND,
                           question->by_hash ? "no customer has this identifier"
                                             : "there is no such customer");
    err error = question->reveal ? view_values(request, view->rows, view->row_count, problem)
                                 : view_shown(request, view, problem);
    if (error != ERR_OK)
        return error;
    view_hide_child(view);
    view_write(request, view, question->reveal);
    return buffer_status(&request->out);
}

void customer_finish(struct request *request)
{
    struct problem problem = { .error = ERR_OK };
    err error = write_answer(request, &problem);
    if (error != ERR_OK)
        reply_problem(request, error, &problem);
}

static err put_question(struct request *request, struct customer_question *question,
                        struct problem *problem)
{
    request->question = question;
    question->request = request;
    question->question =
        (struct engine_question){ .ask = ask_engine, .answered = answered, .context = question };
    view_init(&question->view, true);
    if (request->stage != STAGE_WORKING) {
        if (engine_ask_here(request->server->engine, &question->question))
            return write_answer(request, problem);
        if (!http_suspend(request, STAGE_ASKING))
            return ERR_OK; /* refused: its answer is there */
        err error = engine_ask(request->server->engine, &question->question);
        return error == ERR_OK ? ERR_OK
                               : problem_set(problem, error, "the engine cannot be asked now");
    }
    question->question.answered = NULL;
    /* Whose values they are is known once the engine has answered; the audit says it before they are shown. */
    err error = auth_may_reveal(request, &question->reveal, problem);
    if (error == ERR_OK)
        error = engine_ask_wait(request->server->engine, &question->question);
    if (error == ERR_OK && question->reveal && question->view.root != 0)
        error = auth_tell_reveal(request, answer_one_id(request, question->view.root), problem);
    if (error == ERR_OK)
        error = write_answer(request, problem);
    return error;
}

err route_customer_by_one_id(struct request *request, struct problem *problem)
{
    struct customer_question *question = arena_new(&request->arena, struct customer_question);
    if (question == NULL)
        return ERR_NOMEM;
    err error = view_number(request, request->parameters[0], &question->number, problem);
    return error == ERR_OK ? put_question(request, question, problem) : error;
}

err route_customer_by_identifier(struct request *request, struct problem *problem)
{
    struct customer_question *question = arena_new(&request->arena, struct customer_question);
    struct event_identifier identifier;
    err error = ERR_OK;
    if (question == NULL)
        return ERR_NOMEM;
    enum normal_form form = identifier_make(
        request->server->keys, &request->arena, request->parameters[0],
        request_query(request, STR("namespace")), request->parameters[1], 0, &identifier, &error);
    if (error != ERR_OK)
        return error;
    if (form == NORMAL_INVALID || form == NORMAL_MASKED) {
        problem_set(problem, ERR_NOT_FOUND, "this is no value of the type '%.*s'",
                    (int)str_utf8_prefix_bytes(request->parameters[0], 40),
                    request->parameters[0].data);
        return problem_hint(problem, ERR_NOT_FOUND,
                            form == NORMAL_MASKED ? "a masked value names nobody"
                                                  : "check the type and the value");
    }
    question->by_hash = true;
    __builtin_memcpy(question->hash, identifier.hash, HASH_BYTES);
    return put_question(request, question, problem);
}
