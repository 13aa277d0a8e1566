/* SPDX-License-Identifier: Apache-2.0 */
/* Questions about everybody: narrowed to what the asker sees, asked of the audience, cut when the asker hangs up. */
#include "server/everybody.h"

#include <errno.h>
#include <sys/socket.h>

#include "server/ready.h"
#include "server/scope/scope.h"
#include "server/view.h"

#define BODY_BYTES_MAX ((size_t)64 << 20)

struct ask_everybody {
    enum audience_question_kind kind;
    str key;
    json_value body;
    bool is_ready;
    struct audience_question *question;
    struct problem *problem;
    err error;
};

static void begin(const struct engine_state *state, struct engine_question *question)
{
    struct ask_everybody *ask = question->context;
    ask->error = audience_question_begin(state->audience, ask->kind, ask->key, ask->body,
                                         &ask->is_ready, &ask->question, ask->problem);
}

/* Who typed on has hung up: the next question is on its way. */
static bool client_is_gone(void *context)
{
    struct request *request = context;
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(request->connection, MHD_CONNECTION_INFO_CONNECTION_FD);
    char byte;
    if (info == NULL)
        return false;
    ssize_t size = recv(info->connect_fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT);
    return size == 0 || (size < 0 && errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR);
}

/* The rules that somebody with a team asks by hold over the events that she sees. The parser of the body is free: all of
 * it is in the narrowed one. */
static err narrow_body(struct request *request, json_value *body, struct problem *problem)
{
    struct buffer text;
    if (request->scope == NULL || json_kind(request->json) == JSON_MISSING)
        return ERR_OK;
    buffer_init(&text, BODY_BYTES_MAX);
    err error = scope_narrow(request, request->json, &text, problem);
    if (error == ERR_OK)
        error = json_parse(request->parser, buffer_str(&text), body, problem);
    buffer_deinit(&text);
    request->json = *body;
    return error;
}

err everybody_ask(struct request *request, enum audience_question_kind kind, str key,
                  int64_t budget_ms, struct audience_listing *listing, struct buffer *out,
                  struct problem *problem)
{
    struct ask_everybody ask = {
        .kind = kind, .key = key, .body = request->json, .problem = problem
    };
    struct ready ready = ready_begin(request);
    err error = narrow_body(request, &ask.body, problem);
    if (error == ERR_OK)
        error = view_ask(request, begin, &ask, problem);
    if (error == ERR_OK)
        error = ask.error;
    while (error == ERR_OK && !ask.is_ready && ready_wait(&ready)) {
        error = view_ask(request, begin, &ask, problem);
        if (error == ERR_OK)
            error = ask.error;
    }
    if (error != ERR_OK)
        return error;
    if (!ask.is_ready)
        return ready_refuse(&ready, request, problem);
    audience_question_watch(ask.question, client_is_gone, request);
    const struct user *user = access_user_by_number(request->actor.set, request->actor.user_number);
    audience_question_me(ask.question, user != NULL ? scope_me(user) : request->actor.login);
    audience_question_list(ask.question, listing);
    error = audience_question_run(ask.question, budget_ms, NULL, out);
    audience_question_free(&ask.question);
    return error;
}
